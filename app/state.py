"""What one visitor works on and has run. Only this file and `app.session` touch `st.session_state`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app import cached, session, signin
from app.session import t
from app.streamlit_patches import undisturbed
from geo_cluster.domain import KnownBetter, Scenario
from geo_cluster.errors import Conflict, GeoClusterError
from geo_cluster.study import Study
from geo_cluster.workspace import headings
from geo_cluster.workspace.repository import Revision, Saved, Work, Workspace
from geo_cluster.workspace.roles import Person
from geo_cluster.workspace.under_way import Ledger
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers

HELD = 4
"""Of so many works and runs of a visit the files stay where they were laid out: those of this plan and the last too."""

log = logging.getLogger("geo_cluster.app")


def person() -> Person:
    """Who is at work: the local person, or whoever signed in."""
    return signin.person() or Person("", "viewer")


def desk() -> Workspace:
    """What the visitor can do with the works that are kept."""
    return Workspace(cached.kept_in(), person())


def ledger() -> Ledger:
    """What the visitor can do with the projects under way."""
    return Ledger(cached.kept_in(), person())


def work() -> Work:
    """What the visitor works on: the work that the address names, else the default one until they change something."""
    if "work" not in st.session_state:
        st.session_state["work"] = Work(catalog.scenario())
        if named := st.query_params.get("work"):
            _try(lambda: open_work(named))
    return st.session_state["work"]


def name_in_address() -> None:
    """Let the address name the work and the language, which a change of pages drops from it.

    Only while a page is drawn: what is told to the browser in the midst of a change may be its end, when the visitor
    has gone on to another page meanwhile.
    """
    kept = saved()
    if kept is not None and st.query_params.get("work") != kept.id:
        st.query_params["work"] = kept.id
    if (language := session.language()) != st.query_params.get("language", "zh"):
        st.query_params["language"] = language


def scenario() -> Scenario:
    """The work's scenario, ready to run: its own projects and layers are where it points to."""
    return _settled(work())


def layers() -> Layers:
    """The work's layers: the shipped ones, and its own."""
    return Layers(scenario().layers)


def _settled(one: Work) -> Scenario:
    """A work's scenario ready to run; the files of the last ones stay as long as the visit."""
    settled, files = cached.settled(one)
    if files:
        _hold("files", str(files[0].path), files)
    return settled


def _hold(what: str, key: str, files: list[Any]) -> None:
    """Hold on to files that were laid out, as long as the visit or until there were others since."""
    held = st.session_state.setdefault(what, {})
    held.pop(key, None)
    held[key] = files
    while len(held) > HELD:
        held.pop(next(iter(held)))


def change(note: str, **settings: Any) -> None:
    """Change settings of the scenario; `note` says what was done, for the history.

    Raises
    ------
    InputError
        When the settings contradict each other; the work stays as it was.
    """
    row = work().scenario.model_dump() | settings
    _keep(Work(catalog.scenario_from(row), work().files), note)


def attach(note: str, **files: bytes | None) -> None:
    """Add files of the planner's own to the work, replace them, or take them out (None)."""
    kept = {name: content for name, content in {**work().files, **files}.items() if content is not None}
    _keep(Work(work().scenario, kept), note)


def change_data(note: str, *, known: Iterable[KnownBetter], files: Mapping[str, bytes]) -> None:
    """Change the numbers known better and all files together, as one step of the history."""
    row = work().scenario.model_dump() | {"known": [one.model_dump() for one in known]}
    _keep(Work(catalog.scenario_from(row), dict(files)), note)


@undisturbed()
def _keep(changed: Work, note: str) -> None:
    """Take a change and save it at once; what can't be saved stays in this visit, and the work bar says why."""
    before = work()
    if changed == before and (saved() is None or is_saved()):
        return
    st.session_state["work"] = changed
    if person().may("planner") and not isinstance(trouble(), Conflict):
        _try(lambda: _save(before, note))


def _save(before: Work, note: str) -> None:
    kept = saved() or _begin(before)
    _take(desk().save(kept.id, work(), seen=kept.revision.number, note=note), keep_study=True)


def _begin(before: Work) -> Saved:
    """Keep what the visitor began with, so that the first change can be undone too, and its plan."""
    kept = desk().create(before, note=t("work.began"))
    _take(kept, shown=False, keep_study=True)
    study = st.session_state.get("study")
    if study is not None and study.scenario.id == _settled(before).id:
        desk().keep_plan(kept.id, kept.revision.number, study)
    return kept


def _take(kept: Saved, *, shown: bool = True, keep_study: bool = False) -> None:
    """Go on with a work as it is kept."""
    st.session_state["saved"] = kept
    st.session_state["trouble"] = None
    if shown:
        st.session_state["work"] = kept.work
    if not keep_study:
        st.session_state.pop("study", None)


def _try(action: Callable[[], object]) -> None:
    """Do it, or remember what stood in the way."""
    try:
        action()
    except GeoClusterError as problem:
        st.session_state["trouble"] = problem


def saved() -> Saved | None:
    """The work as it was last saved or opened in this visit; None before the first change."""
    return st.session_state.get("saved")


def trouble() -> GeoClusterError | None:
    """Why the work is not saved, or could not be opened; None when all is well."""
    return st.session_state.get("trouble")


def is_saved() -> bool:
    """Whether what is shown is what is kept."""
    kept = saved()
    return kept is not None and kept.work == work()


def newer() -> Revision | None:
    """The newest revision of the work, if somebody saved one since."""
    kept = saved()
    if kept is None or trouble() is not None:
        return None
    try:
        newest = desk().head(kept.id)
    except GeoClusterError as problem:
        st.session_state["trouble"] = problem
        return None
    return newest if newest.number > kept.revision.number else None


@undisturbed()
def open_work(id_: str) -> None:
    """Go on with a kept work as it is now.

    Raises
    ------
    Refused, DataError
        There is no such work for this visitor, or it can't be read; the work shown stays.
    """
    same = saved() is not None and saved().id == id_  # type: ignore[union-attr]
    _take(desk().open(id_), keep_study=same)


@undisturbed()
def new_work(shipped: str) -> None:
    """Begin with a shipped scenario; it is saved at the first change."""
    for key in ("saved", "trouble", "study"):
        st.session_state.pop(key, None)
    st.session_state["work"] = Work(catalog.scenario(shipped))
    st.query_params.pop("work", None)


@undisturbed()
def save_again() -> None:
    """Save what could not be saved before."""
    _try(lambda: _save(work(), t("work.again_note")))


@undisturbed()
def copy_work(name: str) -> None:
    """Keep what is shown under another name and go on with that."""
    _try(lambda: _take(desk().create(work().named(name), note=t("work.copied")), keep_study=True))


@undisturbed()
def rename_work(name: str) -> None:
    """Give the work another name."""
    _try(lambda: _keep(work().named(name), t("work.renamed")))


def name_after(file: str) -> None:
    """Give a work that still has the name of a shipped scenario that of the file its projects came from."""
    shipped = {catalog.scenario(key).name.zh for key in catalog.scenario_names()}
    if work().scenario.name.zh in shipped and file.strip():
        rename_work(file.strip()[:200])


def matched_before(kind: str, names: Iterable[str]) -> dict[str, str]:
    """How the visitor matched a table with these headings before; nothing where that can't be told."""
    try:
        return headings.matched(desk(), kind, names)
    except GeoClusterError:
        return {}


def remember_headings(kind: str, names: Iterable[str], mapping: Mapping[str, str]) -> None:
    """Keep how a table with these headings was matched, for every work; without a mapping, keep it no longer."""
    with suppress(GeoClusterError):
        if mapping:
            headings.remember(desk(), kind, names, mapping)
        else:
            headings.forget(desk(), kind, names)


def undo() -> None:
    """Take the last change back."""
    _move(lambda kept: desk().undo(kept.id, seen=kept.revision.number))


def redo() -> None:
    """Do again what was taken back."""
    _move(lambda kept: desk().redo(kept.id, seen=kept.revision.number))


def back_to(number: int) -> None:
    """Go back to how the work was at a revision."""
    note = t("work.back_note", n=number)
    _move(lambda kept: desk().back(kept.id, number, seen=kept.revision.number, note=note))


@undisturbed()
def _move(step: Callable[[Saved], Saved]) -> None:
    kept = saved()
    if kept is not None:
        _try(lambda: _take(step(kept), keep_study=True))


@undisturbed()
def share_work(shared: bool) -> None:
    """Let others see the work, or no longer."""
    kept = saved()
    if kept is not None:
        _try(lambda: desk().share(kept.id, shared))
        st.session_state["saved"] = replace(kept, shared=shared) if trouble() is None else kept


@undisturbed()
def delete_work() -> None:
    """Put the work away; it can be brought back from the list."""
    kept = saved()
    if kept is not None:
        desk().delete(kept.id)
        new_work("default")


def last_study() -> Study | None:
    """What the visitor ran last; of a work that was opened, the plan that was kept with it."""
    work()
    if "study" not in st.session_state:
        kept = saved()
        st.session_state["study"] = _study_of(kept.id) if kept is not None else None
    study, now = st.session_state["study"], scenario()
    if study is not None and study.scenario != now and study.scenario.model_copy(update={"name": now.name}) == now:
        return replace(study, scenario=now)  # a name changes no result
    return study


def _study_of(id_: str) -> Study | None:
    try:
        plan = desk().last_plan(id_)
        study = cached.study_again(plan) if plan is not None else None
        if plan is not None and study is not None:
            _remember(study, plan.at)
        return study
    except GeoClusterError as problem:  # it can be run again
        log.warning("the last plan of work %s is not shown: %s", id_, problem)
        return None


@undisturbed()
def take_study(study: Study) -> None:
    """Remember a run and the one before it, to compare them, and keep its plan with the work."""
    last, kept = last_study(), saved()
    if last is not None and last is not study:
        st.session_state["study_before"] = last
    is_new = st.session_state.get("study") is not study
    if is_new and kept is not None and is_saved() and person().may("planner") and study.scenario.id == scenario().id:
        _try(lambda: desk().keep_plan(kept.id, kept.revision.number, study))
    if is_new:
        _remember(study, datetime.now(UTC))
    st.session_state["study"] = study


def _remember(study: Study, at: datetime) -> None:
    st.session_state.setdefault("run-at", {})[study.key] = at
    _hold("run-files", study.scenario.id, cached.files_of(study.scenario))


def run_at(study: Study) -> datetime | None:
    """When a plan was made, as far as this visit knows."""
    return st.session_state.get("run-at", {}).get(study.key)


def previous_study() -> Study | None:
    """What the visitor ran before the last run."""
    return st.session_state.get("study_before")


def is_stale() -> bool:
    """Whether the last run was for other settings than those now shown."""
    study = last_study()
    return study is not None and study.scenario.id != scenario().id


def mark(what: str) -> None:
    """Remember that the visitor has seen something, beyond this visit."""
    st.session_state[f"mark-{what}"] = True
    try:
        desk().mark(what)
    except GeoClusterError as problem:  # it shows again next time
        log.warning("not remembered: %s", problem)


def is_marked(what: str) -> bool:
    """Whether the visitor has seen something, now or in an earlier visit."""
    key = f"mark-{what}"
    if key not in st.session_state:
        try:
            st.session_state[key] = desk().is_marked(what)
        except GeoClusterError:
            st.session_state[key] = False
    return st.session_state[key]
