"""数据: layers with their sources, import of one's own with a preview, what was accepted, what is assumed, terms."""

from __future__ import annotations

import streamlit as st

from app.page import footer, heading
from app.session import t
from app.views.data import assumed, glossary, history, layers, upload
from app.widgets import refusals

TABS = {
    "data.tab.layers": layers.draw,
    "data.tab.import": upload.draw,
    "data.tab.accepted": history.draw,
    "data.tab.assumed": assumed.draw,
    "data.tab.glossary": glossary.draw,
}


def draw() -> None:
    """Draw the page."""
    heading("data")
    for tab, part in zip(st.tabs([t(key) for key in TABS]), TABS.values(), strict=True):
        with tab, refusals():
            part()
    footer()
