"""选址: where a project would go, how sure that is, why, and what would change it; one project or a table of them."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.page import footer, heading
from app.session import t
from app.views.score.compare import compare
from app.views.score.intake import form, into_portfolio
from app.views.score.needs import needs
from app.views.score.ranking import ranking
from app.views.score.reasons import reasons
from app.views.score.table import spreadsheet
from app.views.score.values import values
from app.views.score.weights import weights
from app.widgets import open_tab, refusals
from geo_cluster.intake import site_choice
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.supply.standard_land import door_checks

STYLE = """
<style>
.gc-verdict { background: #e8f2f2; border-left: 4px solid #0b6e75; border-radius: 6px; padding: .7rem 1rem;
  color: #1d2b36; line-height: 1.65; overflow-wrap: anywhere; }
.gc-check { background: #f6edcf; border-left: 4px solid #b4541a; border-radius: 6px; padding: .5rem 1rem;
  color: #1d2b36; line-height: 1.6; overflow-wrap: anywhere; }
.gc-note { color: #56636c; font-size: .84rem; line-height: 1.5; margin: -.45rem 0 0; overflow-wrap: anywhere; }
[data-testid="stCode"] pre { padding-right: 3.4rem; }
</style>
"""


def draw() -> None:
    """Draw the page."""
    heading("score")
    st.html(STYLE)
    _body()
    footer()


@st.fragment
def _body() -> None:
    """All that follows from what is typed; whatever changes the work asks for the whole page itself."""
    with refusals():
        language = session.language()
        words = {key: t(f"score.{key}") for key in ("one", "many")}
        mode = st.segmented_control(
            t("score.mode"),
            list(words),
            format_func=words.__getitem__,
            default="one",
            key="score-mode",
            persist_state="session",
            required=True,
            label_visibility="collapsed",
        )
        project = spreadsheet() if mode == "many" else form()
        if project is not None:
            weighed = cached.weighed_of(state.scenario(), project)
            _verdict(site_choice.verdict(weighed)[f"sentence_{language}"])
            if opened := {one.name for one in state.scenario().openings}:
                st.caption(t("openings.scores", n=len(opened)))
            if mode == "one":
                into_portfolio(session.kept("score-typed"))
            _parts(weighed, project)


def _verdict(sentence: str) -> None:
    st.html(f'<div class="gc-verdict" role="status">{escape(sentence)}</div>')


def _parts(weighed: Weighed, project: pd.DataFrame) -> None:
    """The tabs; only the open one is drawn."""
    doors = door_checks(project, cached.layer_table(state.layers(), "sites"), state.work().scenario.date)
    parts: dict[str, Callable[[], None]] = {
        "ranking": lambda: ranking(weighed, doors),
        "compare": lambda: compare(weighed, doors),
        "weights": lambda: weights(weighed),
        "change": lambda: reasons(weighed),
        "needs": lambda: needs(project, doors),
        "values": lambda: values(weighed),
    }
    part, tab = open_tab("score-tabs", {part: t(f"score.{part}") for part in parts})
    with tab:
        parts[part]()
