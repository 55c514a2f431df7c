"""The app's frame: pages, style, language. Started by `geo-cluster app`."""

from __future__ import annotations

import logging
import secrets
import sys
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # streamlit runs this file as a script

from app import signin
from app.views import brief, data, explore, match, score, supply
from app.widgets import STYLE, own_words, refusals, t

log = logging.getLogger("geo_cluster.app")


def run() -> None:
    """Set the page up and draw the chosen view."""
    st.set_page_config(
        page_title=t("app"), page_icon=str(Path(__file__).with_name("assets") / "icon.svg"), layout="wide"
    )
    st.html(STYLE)
    own_words()
    try:
        with refusals():
            if signin.person() is None:
                st.navigation([st.Page(_sign_in)], position="hidden").run()
            else:
                _pages()
    except Exception as problem:  # what nobody thought of: a sentence here, the details in the log
        number = secrets.token_hex(4)
        log.error("error %s: %s", number, problem, exc_info=problem)
        st.error(t("sorry", id=number), icon=":material/sentiment_dissatisfied:")


def _pages() -> None:
    named = (st.context.url or "").partition("?")[0].endswith("/explore")  # streamlit's default page has no name
    pages = [
        _explore(url_path="start", default=True, visibility="hidden" if named else "visible"),
        _explore(url_path="explore", visibility="visible" if named else "hidden"),
        st.Page(supply.page, title=t("supply"), icon=":material/bolt:", url_path="supply"),
        st.Page(score.page, title=t("score"), icon=":material/ads_click:", url_path="score"),
        st.Page(match.page, title=t("match"), icon=":material/insights:", url_path="match"),
        st.Page(data.page, title=t("data"), icon=":material/database:", url_path="data"),
        st.Page(brief.page, title=t("brief"), icon=":material/co_present:", url_path="brief"),
    ]
    st.navigation(pages, position="top").run()


def _explore(**how: Any) -> StreamlitPage:
    return st.Page(explore.page, title=t("explore"), icon=":material/map:", **how)


def _sign_in() -> None:
    st.title(t("signin.title"), anchor=False)
    st.markdown(t("signin.lead"))
    for name in signin.providers():
        st.button(t("signin.with", name=name), on_click=st.login, args=(name,), icon=":material/login:")
    if not signin.providers():
        st.button(t("signin.go"), on_click=st.login, type="primary", icon=":material/login:")


run()
