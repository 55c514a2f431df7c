"""What every page has: the bar over it, warnings, a footer."""

from __future__ import annotations

import streamlit as st

from app import page_scripts, session, signin, state
from app.first_hour import first_hour
from app.session import t
from app.widgets import plain
from app.workbar import notices, work_bar
from geo_cluster.world import rule_life


def own_words() -> None:
    """Tell the browser the page's language, and give Streamlit's own words in it."""
    with st.container(key="own-words"):
        st.html(f"<script>{page_scripts.own_words(session.language())}</script>", unsafe_allow_javascript=True)


def heading(page: str) -> None:
    """The bar of a page, and what warns of it; the content begins below."""
    state.name_in_address()
    bar(page)
    notices()
    if page == "explore":
        first_hour()
    _rules()


def _rules() -> None:
    """What of laws, prices and support is not in force on the day of the study; nothing where all are."""
    day = state.work().scenario.date
    said = [f"- {plain(one[session.language()])}" for one in rule_life.warnings(day)]
    if said:
        with st.container(key="rules"):
            st.warning("\n".join([t("rules.out", day=day), "", *said]), icon=":material/event_busy:")


def bar(page: str) -> None:
    """The bar over every page: name, work, share, language; `st.navigation` puts the pages into it.

    The page's title and lead are for those who hear it; its name is for phones, where the menu is closed.
    """
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        where = "" if page == "signin" else t(page)
        st.html(f'<span class="gc-name">{t("app")}</span><span class="gc-where">{where}</span>', width="content")
        st.title(t(f"{page}.title"), anchor=False)
        if page != "signin":
            st.html(f'<p class="gc-lead">{t(f"{page}.lead")}</p>', width="content")
            work_bar()
            _share()
            _leave()
        _languages()


def _share() -> None:
    """The address of what is shown, as the browser knows it: page, work, language and the view of the map."""
    with st.popover(t("share"), icon=":material/link:", type="tertiary", key="share"):
        st.html(
            f'<p>{t("share.help")}</p><input class="gc-link" readonly aria-label="{t("share.address")}">'
            f'<button type="button" class="gc-copy" data-done="{t("share.copied")}">{t("share.copy")}</button>'
        )
        if signin.is_on() and (kept := state.saved()) is not None and not kept.shared:
            st.caption(t("share.private"))


def _languages() -> None:
    st.segmented_control(
        t("language"),
        ("zh", "en"),
        format_func={"zh": "中文", "en": "English"}.__getitem__,
        default=session.language(),
        key="language",
        persist_state="session",
        label_visibility="collapsed",
        required=True,
    )


def _leave() -> None:
    who = signin.person() if signin.is_on() else None
    if who is not None:
        who_is_in = t("signin.as", name=plain(who.name), role=t(f"signin.{who.role}"))
        st.button(
            t("signin.leave"),
            icon=":material/logout:",
            type="tertiary",
            on_click=st.logout,
            help=who_is_in,
            key="leave",
        )


def footer() -> None:
    """Whom the data is owed to, on every page."""
    st.html(f'<div class="gc-footer">{t("footer")}</div>')
