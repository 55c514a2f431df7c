"""Files dropped on a page that doesn't read them: what each is, and the way to the page that does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app import cached, session
from app.session import t
from app.widgets import plain
from geo_cluster.errors import Fault
from geo_cluster.imports.files import digest, ending_of, lone_part, together

ASIDE, OVER, SEEN, LAST = "dropped-aside", "dropped-over", "dropped-seen", "dropped-last"
"""Kept: files that the page leaves, those on their way to 数据, what was seen, which table of several is read."""

Files = list[tuple[str, bytes]]


def projects(uploaded: Sequence[Any]) -> tuple[str, bytes] | None:
    """The table of projects among the files dropped just now, the last of several; others are for `told`."""
    seen, there = session.kept(SEEN) or (), {one.name for one in uploaded}
    fresh = together([(one.name, one.getvalue()) for one in uploaded if one.file_id not in seen])
    session.keep(SEEN, tuple(one.file_id for one in uploaded))
    own = [one for one in fresh if _is_of_projects(*one)]
    aside = [one for one in session.kept(ASIDE) or [] if one[0] in there]
    session.keep(ASIDE, [*aside, *(one for one in fresh if one not in own)] or None)
    session.keep(LAST, own[-1][0] if len(own) > 1 else None)
    return own[-1] if own else None


def _is_of_projects(name: str, content: bytes) -> bool:
    """Whether a file is a table of projects, or nothing else that is known: its reader says what it lacks."""
    if cached.foreign(content, name) or lone_part(name):
        return False
    return cached.kind_of(content, name) in ("projects", "")


def told(take: Callable[[str, bytes], None]) -> None:
    """What the files are that this page doesn't read, and the button that takes them along to 数据.

    A table can be read as one of projects all the same: `take` is handed its name and content then.
    """
    files: Files = session.kept(ASIDE) or []
    going = []
    if last := session.kept(LAST):
        st.caption(f":material/info: {t('dropped.last', name=plain(_short(last)))}")
    for name, content in files:
        if (fault := lone_part(name) or cached.foreign(content, name)) is not None:
            refuse(name, fault)
        else:
            going.append((name, content))
            kind = t(f"data.kind.{cached.kind_of(content, name) or 'projects'}")
            st.info(t("dropped.elsewhere", name=plain(_short(name)), kind=kind), icon=":material/move_item:")
    if not going:
        return
    with st.container(horizontal=True):
        go = st.button(t("dropped.go"), icon=":material/arrow_forward:", type="primary", key="dropped-go")
        tables = [one for one in going if not ending_of(one[1], one[0])]
        if tables and st.button(t("dropped.anyway"), key="dropped-anyway"):
            session.keep(ASIDE, None)
            take(*tables[0])
            st.rerun()
    if go:
        session.keep(ASIDE, None)
        session.keep(OVER, going)
        session.keep("data-open", "data.tab.import")
        st.switch_page(session.pages()["data"])


def refuse(name: str, fault: Fault) -> None:
    """The words of a file that can't be read at all."""
    said = session.words(fault)
    stop = "。" if session.language() == "zh" else ". "
    st.error(plain(f"{_short(name)} {said.what}{stop}{said.remedy}{stop}"), icon=":material/block:")


def brought_along() -> Files:
    """Files that came from another page, and the button that leaves them out."""
    files: Files = session.kept(OVER) or []
    if files:
        names = "、".join(plain(_short(name)) for name, _ in files)
        said, away = st.columns([4, 1], vertical_alignment="center")
        said.caption(f":material/move_item: {t('dropped.came', names=names)}")
        if away.button(t("dropped.leave"), key="dropped-leave"):
            session.keep(OVER, None)
            st.rerun()
    return files


def done(sha256: str) -> None:
    """Forget a file that was brought along and is accepted."""
    rest = [one for one in session.kept(OVER) or [] if digest(one[1]) != sha256]
    session.keep(OVER, rest or None)


def _short(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:60]}…{name[-16:]}"
