"""What every page has: style, heading with the language switch, the first steps, the work bar, a footer."""

from __future__ import annotations

import streamlit as st

from app import look, page_scripts, session, signin, state
from app.session import t
from app.widgets import plain
from app.workbar import work_bar
from geo_cluster.world import rule_life

MARK = "first-steps"
"""The three steps go away once they are done or closed, and stay away."""
WHERE = {"look": "explore", "own": "data", "run": "match"}
"""The page where each step is taken."""


def style() -> None:
    """Give the page its style."""
    st.html(f"<style>{look.sheet()}</style>")


def own_words() -> None:
    """Tell the browser the page's language, and give Streamlit's own words in it."""
    with st.container(key="own-words"):
        st.html(f"<script>{page_scripts.own_words(session.language())}</script>", unsafe_allow_javascript=True)


def heading(page: str) -> None:
    """Top of a page, its first steps and the work bar."""
    state.name_in_address()
    top(page, named=t(page))
    _first_steps(page)
    if page != "explore":
        work_bar()
    _rules()


def _rules() -> None:
    """What of laws, prices and support is not in force on the day of the study; nothing where all are."""
    day = state.work().scenario.date
    said = [f"- {plain(one[session.language()])}" for one in rule_life.warnings(day)]
    if said:
        with st.container(key="rules"):
            st.warning("\n".join([t("rules.out", day=day), "", *said]), icon=":material/event_busy:")


def top(page: str, *, named: str = "") -> None:
    """Title and lead of a page, with the language switch at the right, and the way out for who signed in.

    The name of the page, as it stands in the menu, is for phones: there the menu is closed.
    """
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(t(f"{page}.title"), anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            _leave()
            _languages()
    st.html(f'<p class="gc-where">{named}</p><p class="gc-lead">{t(f"{page}.lead")}</p>')


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


def _first_steps(page: str) -> None:
    """Draw the strip until its steps are done or it is closed."""
    if state.is_marked(MARK):
        return
    done = {"look": session.has_seen(page, "explore"), "own": state.saved() is not None, "run": state.has_run()}
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
    pages = session.pages()
    if page in pages:
        st.page_link(pages[page], label=label, width="content")
    else:
        st.markdown(label, width="content")
