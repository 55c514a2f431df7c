"""The app's frame: pages, style, language. Started by `geo-cluster app`."""

from __future__ import annotations

import logging
import secrets
import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # streamlit runs this file as a script

from app import look, session, signin
from app.page import bar, own_words
from app.session import t
from app.views import brief, data, delivery, explore, find, match, score, sheet, supply
from app.widgets import plain, refusals

log = logging.getLogger("geo_cluster.app")


def run() -> None:
    """Set the page up and draw the chosen view."""
    st.set_page_config(page_title=t("app"), page_icon=str(look.ICON), layout="wide")
    own_words()
    try:
        with refusals():
            _pages(signed_in=signin.person() is not None)
    except Exception as problem:  # what nobody thought of: a sentence here, the details in the log
        number = secrets.token_hex(4)
        log.error("error %s: %s", number, problem, exc_info=problem)
        st.error(t("sorry", id=number), icon=":material/sentiment_dissatisfied:")


def _pages(*, signed_in: bool) -> None:
    """The page of the address; until somebody signed in, each address is that of the way in."""
    views = {
        "": (explore.draw, ":material/map:"),
        "explore": (explore.draw, ":material/map:"),
        "supply": (supply.draw, ":material/bolt:"),
        "find": (find.draw, ":material/travel_explore:"),
        "score": (score.draw, ":material/ads_click:"),
        "match": (match.draw, ":material/insights:"),
        "delivery": (delivery.draw, ":material/flag:"),
        "data": (data.draw, ":material/database:"),
        "brief": (brief.draw, ":material/co_present:"),
        "sheet": (sheet.draw, ":material/description:"),
    }
    # streamlit's default page has no name of its own: the first page is there twice, and shown once
    hidden = ("" if (st.context.url or "").partition("?")[0].endswith("/explore") else "explore", "sheet")
    pages = {
        name: st.Page(
            page if signed_in else _sign_in,
            title=t(name or "explore"),
            icon=icon,
            url_path=name,
            default=not name,
            visibility="hidden" if name in hidden else "visible",
        )
        for name, (page, icon) in views.items()
    }
    session.show_pages(pages)
    page = st.navigation(list(pages.values()), position="top" if signed_in else "hidden")
    if signed_in and signin.is_on():
        signin.go_on()
    page.run()


def _sign_in() -> None:
    bar("signin")
    st.markdown(t("signin.lead"))
    for name in signin.providers():
        label = t("signin.with", name=plain(name)) if name else t("signin.go")
        if st.button(label, type="primary", icon=":material/login:", key=f"signin-{name}"):
            with refusals():
                signin.go(name)
    st.caption(t("signin.again"))
    signin.remember_way()


run()
