"""What one visit remembers besides its work: the language, what widgets say, what a page keeps for its next run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.texts import text
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, Words


def language() -> Language:
    """The visitor's language; Chinese, or that of the link they came by, until they switch."""
    return st.session_state.get("language") or _linked_language()


def _linked_language() -> Language:
    """The language that a link to a view was copied in; the switch takes over once it is drawn."""
    return "en" if st.query_params.get("language") == "en" else "zh"


def t(key: str, **values: object) -> str:
    """A text in the visitor's language."""
    return text(key, language(), **values)


def words(fault: Fault) -> Words:
    """A fault in the visitor's language."""
    return fault.words(language())


def show(key: str, value: Any) -> str:
    """Make the widget of this key show what the work says, after an undo too; the key."""
    st.session_state[key] = value
    return key


def put(key: str, value: Any) -> None:
    """Set a widget from another one's callback."""
    st.session_state[key] = value


def spoken(key: str) -> str:
    """The key of a widget that is another one in the other language.

    A browser may still send the old language's words for the options; the widget would take them for a change.
    """
    return f"{key}-{language()}"


def chosen(key: str) -> Any:
    """What a widget says, for its callback."""
    return st.session_state[key]


def typed(key: str, default: Any) -> Any:
    """What a widget of the page says; `default` before it is drawn."""
    return st.session_state.get(key, default)


def edits(key: str) -> dict[str, Any]:
    """What was edited in an editable table since it was last given its rows."""
    return st.session_state.get(key) or {}


def keep(key: str, value: Any) -> None:
    """Remember something of a page for this visit; None forgets it."""
    st.session_state[f"kept-{key}"] = value


def kept(key: str, default: Any = None) -> Any:
    """What a page remembered in this visit."""
    return st.session_state.get(f"kept-{key}", default)


def show_pages(pages: Mapping[str, Any]) -> None:
    """Remember the pages of the frame, so that a page can link to another."""
    st.session_state["pages"] = dict(pages)


def pages() -> Mapping[str, Any]:
    """The pages of the frame by name; empty where a page is drawn by itself."""
    return st.session_state.get("pages", {})
