"""选址: where a project would go, how sure that is, why, and what would change it; one project or a table of them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.page import footer, heading
from app.session import t
from app.views.score import case
from app.views.score.card import cards, verdict
from app.views.score.compare import compare
from app.views.score.intake import form
from app.views.score.methods import methods
from app.views.score.needs import needs
from app.views.score.ranking import ranking
from app.views.score.reasons import reasons
from app.views.score.sites import offered, sites_map
from app.views.score.table import spreadsheet
from app.views.score.weights import weights
from app.widgets import open_tab, refusals
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.supply.standard_land import DoorChecks, door_checks


def draw() -> None:
    """Draw the page."""
    heading("score")
    _body()
    footer()


@st.fragment
def _body() -> None:
    """All that follows from what is typed; whatever changes the work asks for the whole page itself."""
    with refusals():
        case.restore()
        words = {key: t(f"score.{key}") for key in ("one", "many")}
        bar = st.container(horizontal=True, gap="small", vertical_alignment="center", key="score-bar")
        mode = bar.segmented_control(
            t("score.mode"),
            list(words),
            format_func=words.__getitem__,
            key=session.show("score-mode", session.typed("score-mode", "one")),
            persist_state="session",
            required=True,
            label_visibility="collapsed",
        )
        with st.container(key="score-intake", gap="small"):
            project = spreadsheet() if mode == "many" else form(bar)
            if mode == "one":
                case.told()
        if project is not None:
            _answer(cached.weighed_of(case.scenario(), project), project)
        if mode == "one":
            case.into_address()


def _answer(weighed: Weighed, project: pd.DataFrame) -> None:
    """The verdict beside the map, the sites side by side, and the parts."""
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        verdict(weighed)
        if opened := {one.name for one in state.scenario().openings}:
            st.caption(t("openings.scores", n=len(opened)))
    with right, st.container(key="score-map"):
        sites_map(weighed)
    if chosen := case.chosen(weighed):
        st.html(f'<p class="gc-note">{t("score.candidates", n=case.MOST)}</p>')
        cards(weighed, chosen, offered())
    _parts(weighed, project)


def _parts(weighed: Weighed, project: pd.DataFrame) -> None:
    """The tabs; only the open one is drawn."""

    def doors() -> DoorChecks:
        return door_checks(project, cached.layer_table(state.layers(), "sites"), state.work().scenario.date)

    parts: dict[str, Callable[[], None]] = {
        "ranking": lambda: ranking(weighed, doors()),
        "compare": lambda: compare(weighed, doors()),
        "weights": lambda: weights(weighed),
        "change": lambda: reasons(weighed),
        "needs": lambda: needs(project, doors()),
        "values": lambda: methods(weighed, project),
    }
    part, tab = open_tab("score-tabs", {part: t(f"score.{part}") for part in parts})
    with tab:
        parts[part]()
