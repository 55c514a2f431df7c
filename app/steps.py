"""Three steps for whoever is here for the first time; they go away when done or closed, and stay away."""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets import t

MARK = "first-steps"
WHERE = {"look": "explore", "own": "data", "run": "match"}
"""The page where each step is taken."""


def first_steps(page: str) -> None:
    """Draw the strip until its steps are done or it is closed."""
    if state.is_marked(MARK):
        return
    done = {"look": state.has_seen(page, "explore"), "own": state.saved() is not None, "run": state.has_run()}
    if all(done.values()):
        state.mark(MARK)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="steps"):
        for number, (step, is_done) in enumerate(done.items()):
            _step(WHERE[step], f"{':material/check_circle:' if is_done else '①②③'[number]} {t(f'steps.{step}')}")
        st.button(
            t("steps.close"),
            icon=":material/close:",
            type="tertiary",
            key="steps-close",
            on_click=lambda: state.mark(MARK),
        )


def _step(page: str, label: str) -> None:
    """A step as a link to its page; as text where a page is drawn without the frame."""
    pages = state.pages()
    if page in pages:
        st.page_link(pages[page], label=label, width="content")
    else:
        st.markdown(label, width="content")
