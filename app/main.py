"""The app's frame: pages, style, language. Started by `geo-cluster app`."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # streamlit runs this file as a script

from app.views import brief, data, explore, match, score, supply
from app.widgets import STYLE, t


def run() -> None:
    """Set the page up and draw the chosen view."""
    st.set_page_config(
        page_title=t("app"), page_icon=str(Path(__file__).with_name("assets") / "icon.svg"), layout="wide"
    )
    st.html(STYLE)
    pages = [
        st.Page(explore.page, title=t("explore"), icon=":material/map:", url_path="explore", default=True),
        st.Page(supply.page, title=t("supply"), icon=":material/bolt:", url_path="supply"),
        st.Page(score.page, title=t("score"), icon=":material/ads_click:", url_path="score"),
        st.Page(match.page, title=t("match"), icon=":material/insights:", url_path="match"),
        st.Page(data.page, title=t("data"), icon=":material/database:", url_path="data"),
        st.Page(brief.page, title=t("brief"), icon=":material/co_present:", url_path="brief"),
    ]
    st.navigation(pages, position="top").run()


run()
