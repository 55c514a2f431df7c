"""What one visitor has chosen and run. The only file that touches `st.session_state`."""

from __future__ import annotations

import streamlit as st

from geo_cluster.domain import Language, Scenario
from geo_cluster.study import Study


def language() -> Language:
    """The visitor's language; Chinese until they switch."""
    return st.session_state.get("language", "zh")


def keep_language(switch: str) -> None:
    """Remember what a language switch says: the switch itself is forgotten with its page."""
    st.session_state["language"] = st.session_state[switch]


def last_study() -> Study | None:
    """What the visitor ran last."""
    return st.session_state.get("study")


def keep_study(study: Study) -> None:
    """Remember a run."""
    st.session_state["study"] = study


def is_stale(scenario: Scenario) -> bool:
    """Whether the last run was for other settings than those now shown."""
    study = last_study()
    return study is not None and study.scenario.id != scenario.id
