"""The work in the bar over a page: its name, whether it is saved, undo and redo, history, other works."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import streamlit as st

from app import cached, session, signin, state
from app.session import t
from app.widgets import clock, listed, plain, refusals
from geo_cluster.archive import file_name
from geo_cluster.errors import Conflict, GeoClusterError
from geo_cluster.workspace.repository import ListedWork, Revision
from geo_cluster.workspace.roles import LOCAL
from geo_cluster.world import catalog

SHOWN = 40
"""Revisions and works shown in a list."""


@st.fragment
def work_bar() -> None:
    """Draw the work with its state, undo, redo and history."""
    state.work()
    may_save, kept = state.person().may("planner"), state.saved()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="workbar", width="content"):
        name = state.work().scenario.name[session.language()]
        with st.container(key="plan", gap=None, width="content"):
            with st.popover(
                plain(_short(name)), icon=":material/folder_open:", type="tertiary", key="work-menu", on_change="rerun"
            ) as menu:
                if menu.open:
                    with refusals():
                        _menu(may_save)
            st.html(f'<span class="gc-kept" role="status">{_status(may_save)}</span>', width="content")
        for step, does in (("undo", kept and kept.undoes), ("redo", kept and kept.redoes)):
            if st.button(
                t(f"work.{step}"),
                icon=f":material/{step}:",
                type="tertiary",
                key=f"work-{step}",
                disabled=not (may_save and does and state.trouble() is None),
                help=t(f"work.{step}_help", note=plain(does)) if does else None,
            ):
                getattr(state, step)()
                st.rerun()
        if kept is not None:
            with st.popover(
                t("work.history"), icon=":material/history:", type="tertiary", key="work-history", on_change="rerun"
            ) as history:
                if history.open:
                    with refusals():
                        _history(may_save)


def _status(may_save: bool) -> str:
    kept = state.saved()
    if not may_save:
        return t("work.read_only")
    if state.trouble() is not None:
        return t("work.not_saved")
    if kept is None:
        return t("work.unsaved")
    return t("work.saved", at=clock(kept.revision.at))


def notices() -> None:
    """What the visitor has to know: somebody was first, something could not be saved, there is something newer."""
    with refusals():
        _notices()


def _notices() -> None:
    trouble, kept = state.trouble(), state.saved()
    newest = state.newer()
    if isinstance(trouble, Conflict) and kept is not None:
        at = clock(datetime.fromisoformat(trouble.at + "+00:00"))
        warning = t("work.conflict", who=plain(_other(trouble.author)), at=at, note=plain(trouble.note))
        st.warning(warning, icon=":material/group:")
        with st.container(horizontal=True):
            name = t("work.mine", name=state.work().scenario.name[session.language()])
            _do(t("work.open_theirs"), "theirs", lambda: state.open_work(kept.id))
            _do(t("work.keep_mine"), "mine", lambda: state.copy_work(name))
    elif trouble is not None:
        st.warning(f"{t('work.trouble')}\n\n{listed(trouble.faults)}", icon=":material/save:")
        if state.person().may("planner"):
            _do(t("work.again"), "again", state.save_again)
    elif newest is not None and kept is not None:
        at = clock(newest.at)
        st.info(
            t("work.newer", who=plain(_other(newest.author)), at=at, note=_revision(newest)), icon=":material/update:"
        )
        _do(t("work.open_theirs"), "newest", lambda: state.open_work(kept.id))


def _do(label: str, key: str, action: Callable[[], None]) -> None:
    """A button that does something with the work and draws the page anew."""
    if st.button(label, key=f"work-do-{key}", width="content"):
        try:
            action()
        except GeoClusterError as refusal:
            with refusals():
                raise refusal
        else:
            st.rerun()


def _menu(may_save: bool) -> None:
    """Rename, take along, share, put away; go on with another work."""
    kept, language = state.saved(), session.language()
    name = state.work().scenario.name[language]
    if may_save:
        typed = st.text_input(t("work.name"), value=name, max_chars=200, key=f"work-name-{name}")
        if typed.strip() and typed != name:
            state.rename_work(typed)
            st.rerun()
        if kept is not None and signin.is_on() and kept.owner == state.person().name:
            shared = st.toggle(
                t("work.share"), value=kept.shared, key=f"work-share-{kept.id}", help=t("work.share_help")
            )
            if shared != kept.shared:
                state.share_work(shared)
                st.rerun()
    with st.container(horizontal=True):
        if may_save:
            _do(t("work.copy"), "copy", lambda: state.copy_work(t("work.copy_of", name=name)))
        file = f"{file_name(name, 'work')}.zip"
        packed = cached.work_file(state.work())
        st.download_button(t("work.take"), packed, file_name=file, on_click="ignore", help=t("work.take_help"))
        if may_save and kept is not None:
            _do(t("work.delete"), "delete", state.delete_work)
    scenarios = {key: catalog.scenario(key).name[language] for key in catalog.scenario_names()}
    shipped = st.selectbox(
        t("work.new"), list(scenarios), index=None, format_func=scenarios.__getitem__, placeholder=t("work.choose")
    )
    if shipped:
        state.new_work(shipped)
        st.rerun()
    _others()


def _others() -> None:
    """Other works to go on with, and deleted ones to bring back; an admin finds everybody's."""
    kept, desk, me = state.saved(), state.desk(), state.person()
    if chosen := _choose("work.open", [one for one in desk.works(limit=SHOWN) if kept is None or one.id != kept.id]):
        state.open_work(chosen.id)
        st.rerun()
    is_admin = me.may("admin")
    deleted = desk.works(everybody=is_admin, deleted=True) if me.may("planner") else []
    if back := _choose("work.restore", deleted):
        desk.restore(back.id)
        if back.shared or back.owner == me.name:
            state.open_work(back.id)
        st.rerun()
    if is_admin and (
        other := _choose("work.others", [one for one in desk.works(everybody=True) if one.owner != me.name])
    ):
        _look_after(other)


def _look_after(other: ListedWork) -> None:
    """Share or put away somebody else's work, which an admin does without looking into it."""
    desk = state.desk()
    with st.container(horizontal=True):
        label = t("work.unshare_other" if other.shared else "work.share_other")
        _do(label, "share-other", lambda: desk.share(other.id, not other.shared))
        _do(t("work.delete_other"), "delete-other", lambda: desk.delete(other.id))


def _choose(label: str, entries: Iterable[ListedWork]) -> ListedWork | None:
    """A work that was chosen; nothing to choose from, nothing shown."""
    there = {one.id: one for one in entries}
    if not there:
        return None
    labels = {id_: _entry(one, session.language()) for id_, one in there.items()}
    chosen = st.selectbox(
        t(label), list(labels), index=None, format_func=labels.__getitem__, placeholder=t("work.choose")
    )
    return there[chosen] if chosen else None


def _entry(entry: ListedWork, language: str) -> str:
    name = _short(entry.name.en if language == "en" else entry.name.zh)
    labels = [name, *([t("work.damaged")] if entry.is_damaged else []), clock(entry.revision.at)]
    labels += [t("work.sample")] if entry.is_sample else []
    return " · ".join([*labels, *([_who(entry.owner)] if entry.owner != state.person().name else [])])


def _history(may_save: bool) -> None:
    """Every version with who, when and what; and the way back to it."""
    kept = state.saved()
    if kept is None:
        return
    revisions = state.desk().history(kept.id, limit=SHOWN)
    with st.container(height=340 if len(revisions) > 5 else "content", border=False, key="work-revisions"):
        for one in revisions:
            text, button = st.columns([3, 1.2], vertical_alignment="center")
            text.markdown(f"{_revision(one)}  \n:small[{plain(_who(one.author))} · {plain(clock(one.at))}]")
            if one.number == kept.revision.number:
                button.markdown(f":small[{t('work.now')}]")
            elif may_save and button.button(t("work.back"), key=f"work-back-{one.number}", type="tertiary"):
                state.back_to(one.number)
                st.rerun()


def _revision(revision: Revision) -> str:
    return t(f"work.kind_{revision.kind}", note=plain(_short(revision.note, 120)))


def _who(name: str) -> str:
    return t("work.local") if name == LOCAL.name else name


def _other(name: str) -> str:
    return t("work.window") if name == state.person().name else name


def _short(text: str, length: int = 60) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
