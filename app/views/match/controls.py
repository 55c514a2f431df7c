"""What a run is asked for: the settings behind one button, and the button that runs them."""

from __future__ import annotations

import datetime

import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.match import edit, portfolio, run
from geo_cluster.domain import FIRST_YEAR, LAST_YEAR
from geo_cluster.world import catalog, layers

NUMBERS = (
    ("placing_bonus", 0.0, 1000.0, 5.0, float),
    ("division", 0.0, 1000.0, 1.0, float),
    ("time_limit_s", 1.0, 3600.0, 5.0, float),
    ("mip_gap", 0.0, 0.2, 0.001, float),
    ("draws", 10, 10_000, 50, int),
)
"""Finer settings: field, least, most, step, kind."""


def controls() -> None:
    """The planning level, the other settings behind one button, and the run button."""
    language, levels = session.language(), layers.words("planning_level")
    st.segmented_control(
        t("match.level"),
        list(levels),
        format_func=lambda key: levels[key][language],
        key=session.show(session.spoken("level"), state.work().scenario.planning_level),
        on_change=edit.setting(session.spoken("level"), "planning_level"),
        label_visibility="collapsed",
        required=True,
        width="content",
    )
    with st.popover(t("match.settings"), icon=":material/tune:", key="match-settings"):
        st.caption(t("match.level_help"))
        _main()
        _finer()
    st.button(
        t("match.run"),
        type="primary",
        icon=":material/play_arrow:",
        on_click=run.ask,
        key="match-run-button",
        disabled=portfolio.refused() is not None,  # else the projects that were there before would be run
    )


def _main() -> None:
    """Anchor, and a shipped scenario to begin with."""
    language, scenario = session.language(), state.work().scenario
    anchors = cached.layer_table(state.layers(), "anchors").set_index("id")[f"name_{language}"].to_dict()
    st.selectbox(
        t("match.anchor"),
        list(anchors),
        format_func=anchors.__getitem__,
        key=session.show(session.spoken("anchor"), scenario.anchor),
        on_change=edit.setting(session.spoken("anchor"), "anchor"),
    )
    scenarios = {name: catalog.scenario(name) for name in catalog.scenario_names()}
    st.selectbox(  # to choose is to act: what the work is called is in its bar
        t("match.scenario"),
        list(scenarios),
        format_func=lambda key: scenarios[key].name[language],
        placeholder=t("work.choose"),
        help=t("match.scenario_help"),
        key=session.show(session.spoken("scenario"), None),
        on_change=edit.shipped(session.spoken("scenario")),
    )


def _finer() -> None:
    """What is seldom changed, in two columns."""
    scenario, columns = state.work().scenario, st.columns(2)
    for at, (key, low, high, step, kind) in enumerate(NUMBERS):
        columns[at % 2].number_input(
            t(f"match.set_{key}"),
            low,
            high,
            step=step,
            format="%.6g" if kind is float else "%d",
            help=t(f"match.set_{key}_help"),
            key=session.show(key, kind(getattr(scenario, key))),
            on_change=edit.setting(key, key),
        )
    columns[len(NUMBERS) % 2].date_input(
        t("match.set_day"),
        None,
        min_value=datetime.date(FIRST_YEAR, 1, 1),
        max_value=datetime.date(LAST_YEAR, 12, 31),
        format="YYYY-MM-DD",
        help=t("match.set_day_help"),
        key=session.show("day", scenario.day),
        on_change=edit.setting("day", "day"),
    )
