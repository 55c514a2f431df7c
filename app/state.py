"""What one visitor works on and has run. The only file that touches `st.session_state`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from app import cached
from geo_cluster import catalog
from geo_cluster.domain import KnownBetter, Language, Scenario
from geo_cluster.study import Study
from geo_cluster.workspace import Work


def language() -> Language:
    """The visitor's language; Chinese until they switch."""
    return st.session_state.get("language", "zh")


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


def typed(key: str, default: Any) -> Any:
    """What a widget of the page says; `default` before it is drawn."""
    return st.session_state.get(key, default)


def keep(key: str, value: Any) -> None:
    """Remember something of a page for this visit; None forgets it."""
    st.session_state[f"kept-{key}"] = value


def kept(key: str) -> Any:
    """What a page remembered; None if nothing."""
    return st.session_state.get(f"kept-{key}")


def hold(note: str, *, known: Iterable[KnownBetter], files: Mapping[str, bytes]) -> None:
    """Change the numbers known better and all files together, as one step of the history."""
    row = work().scenario.model_dump() | {"known": [one.model_dump() for one in known]}
    _keep(Work(catalog.scenario_from(row), dict(files)), note)
