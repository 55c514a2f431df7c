"""数据: layers with sources, import of one's own with a preview, what was accepted, what is assumed, checks, terms."""

from __future__ import annotations

import streamlit as st

from app import session
from app.page import footer, heading
from app.session import t
from app.views.data import assumed, glossary, history, layers, trust, upload
from app.widgets import refusals

TABS = {
    "data.tab.layers": layers.draw,
    "data.tab.import": upload.draw,
    "data.tab.accepted": history.draw,
    "data.tab.assumed": assumed.draw,
    "data.tab.trust": trust.draw,
    "data.tab.glossary": glossary.draw,
}


def draw() -> None:
    """Draw the page."""
    heading("data")
    opened = session.kept("data-open")
    tabs = st.tabs([t(key) for key in TABS], default=t(opened) if opened in TABS else None)
    for tab, part in zip(tabs, TABS.values(), strict=True):
        with tab, refusals():
            part()
    footer()
