"""Comments on a site, firm, project, plan or place: read, written, answered and settled where they are of use."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from app import state
from app.session import t
from app.widgets import clock, plain, refusals
from geo_cluster.errors import GeoClusterError
from geo_cluster.export.outline import Remark
from geo_cluster.workspace import comments
from geo_cluster.workspace.comments import Subject, Thread
from geo_cluster.workspace.roles import LOCAL


def button(subject: Subject) -> None:
    """A button that opens the comments on a subject, with the number of those that are open."""
    key = f"comments-{subject.kind}-{subject.id}"
    is_open = len(comments.threads(state.desk(), about=subject, status="open"))
    label = t("comments.on", count=is_open) if is_open else t("comments.none_open")
    with st.popover(label, icon=":material/comment:", key=key, on_change="rerun") as shown:
        if shown.open:
            _panel(subject, key)


def threads(found: list[Thread], *, named: bool = False) -> None:
    """Comments one under the other, each to be answered and settled.

    Parameters
    ----------
    found : list of Thread
    named : bool
        Say of each what it is on.
    """
    may_write = state.person().may("planner")
    for one in found:
        with st.container(border=True, key=f"comment-{one.id}"):
            about = f"<b>{escape(one.subject.name or one.subject.id)}</b>" if named else ""
            st.html(f'<p class="gc-status gc-{one.status}">{about} {t(f"comments.{one.status}")}</p>{_said(one)}')
            if may_write:
                _answer(one)


def remarks(found: list[Thread]) -> tuple[Remark, ...]:
    """Comments as a briefing carries them along, every contribution a row."""
    return tuple(
        Remark(
            one.subject.name or one.subject.id,
            said.text or t(f"comments.now_{said.status}"),
            _who(said.author),
            f"{said.at.astimezone():%Y-%m-%d}",
            t(f"comments.{one.status}"),
            one.status == "settled",
        )
        for one in found
        for said in one.said
    )


@st.fragment
def _panel(subject: Subject, key: str) -> None:
    """All comments on a subject, and a field for another."""
    with refusals():
        found = comments.threads(state.desk(), about=subject)
        if state.person().may("planner"):
            with st.form(f"{key}-new", clear_on_submit=True, border=False):
                label = t("comments.new", name=plain(subject.name))
                text = st.text_area(label, max_chars=comments.LENGTH, height=90, key=f"{key}-text")
                if st.form_submit_button(t("comments.send"), icon=":material/send:"):
                    _do(lambda: comments.comment(state.desk(), subject, text))
        if not found:
            st.caption(t("comments.nothing"))
        threads(found)


def _answer(thread: Thread) -> None:
    """A field for an answer, and a button for the other status."""
    other: comments.Status = "settled" if thread.status == "open" else "open"
    form = st.form(f"answer-{thread.id}", clear_on_submit=True, border=False)
    with form, st.container(horizontal=True, gap="small"):
        text = st.text_input(
            t("comments.answer"),
            placeholder=t("comments.answer"),
            label_visibility="collapsed",
            max_chars=comments.LENGTH,
            key=f"answer-{thread.id}-text",
        )
        says = st.form_submit_button(t("comments.reply"), key=f"answer-{thread.id}-say")
        turns = st.form_submit_button(t(f"comments.make_{other}"), key=f"answer-{thread.id}-turn")
    if says or turns:
        _do(lambda: comments.answer(state.desk(), thread, text, status=other if turns else None))


def _do(write: Callable[[], Thread]) -> None:
    """Write and draw anew; what is refused is said, and nothing is lost of what others see."""
    try:
        write()
    except GeoClusterError as refusal:
        with refusals():
            raise refusal
    else:
        st.rerun()


def _said(thread: Thread) -> str:
    """Every contribution with its author and day."""
    lines = []
    for one in thread.said:
        text = escape(one.text).replace("\n", "<br>") or f"<i>{t(f'comments.now_{one.status}')}</i>"
        who = escape(_who(one.author))
        lines.append(f'<p class="gc-said">{text} <small>{who} · {clock(one.at)}</small></p>')
    return "".join(lines)


def _who(author: str) -> str:
    return t("comments.nobody") if author == LOCAL.name else author
