"""总览: the map of the whole chain and of the sites that could take its manufacturing, with its list and matrix."""

from __future__ import annotations

import streamlit as st

from app import cached, session, state
from app.page import footer, heading
from app.widgets import refusals, show_map


def draw() -> None:
    """Draw the page: the map is the page, as wide and high as the window."""
    heading("explore")
    with refusals(), st.container(key="overview"):
        show_map(cached.overview(state.layers(), session.language()), key=f"overview-{session.language()}", height=760)
    footer()
