"""What one visitor works on and has run. The only file that touches `st.session_state`."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached
from geo_cluster import catalog
from geo_cluster.domain import Language, Scenario
from geo_cluster.study import Study
from geo_cluster.workspace import Work


def language() -> Language:
    """The visitor's language; Chinese, or that of the link they came by, until they switch."""
    return st.session_state.get("language") or _linked_language()


def work() -> Work:
    """What the visitor works on: the default scenario until they change something."""
    if "work" not in st.session_state:
        st.session_state["work"] = Work(catalog.scenario())
    return st.session_state["work"]


def scenario() -> Scenario:
    """The work's scenario, ready to run: its own projects and layers are where it points to."""
    return work().settled(cached.own_files())


def change(note: str, **settings: Any) -> None:
    """Change settings of the scenario; `note` says what was done, for the history.

    Raises
    ------
    InputError
        When the settings contradict each other; the work stays as it was.
    """
    row = work().scenario.model_dump() | settings
    _keep(Work(catalog.scenario_from(row), work().files), note)


def attach(note: str, **files: bytes | None) -> None:
    """Add files of the planner's own to the work, replace them, or take them out (None)."""
    kept = {name: content for name, content in {**work().files, **files}.items() if content is not None}
    _keep(Work(work().scenario, kept), note)


def _keep(work: Work, note: str) -> None:  # noqa: ARG001
    st.session_state["work"] = work


def last_study() -> Study | None:
    """What the visitor ran last."""
    return st.session_state.get("study")


def keep_study(study: Study) -> None:
    """Remember a run."""
    st.session_state["study"] = study


def is_stale() -> bool:
    """Whether the last run was for other settings than those now shown."""
    study = last_study()
    return study is not None and study.scenario.id != scenario().id


def show(key: str, value: Any) -> str:
    """Make the widget of this key show what the work says, after an undo too; the key."""
    st.session_state[key] = value
    return key


def chosen(key: str) -> Any:
    """What a widget says, for its callback."""
    return st.session_state[key]


def take_study(study: Study) -> None:
    """Remember a run and the one before it, to compare them."""
    last = last_study()
    if last is not None and last is not study:
        st.session_state["study_before"] = last
    keep_study(study)


def previous_study() -> Study | None:
    """What the visitor ran before the last run."""
    return st.session_state.get("study_before")


def remember(key: str, value: Any) -> None:
    """Keep something of a page between its runs; no widget has this key."""
    st.session_state[f"page-{key}"] = value


def remembered(key: str, default: Any = None) -> Any:
    """What a page kept."""
    return st.session_state.get(f"page-{key}", default)


def edits(key: str) -> dict[str, Any]:
    """What was edited in an editable table since it was last given its rows."""
    return st.session_state.get(key) or {}


def _linked_language() -> Language:
    """The language that a link to a view was copied in; the switch takes over once it is drawn."""
    return "en" if st.query_params.get("language") == "en" else "zh"
