"""One project of the ledger: looked at, changed with who and why, taken out, its history."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.widgets import clock, listed, plain, text_table
from geo_cluster.errors import Conflict, GeoClusterError, Place
from geo_cluster.policy.columns import titles
from geo_cluster.policy.durations import expected
from geo_cluster.policy.ledger import Entry
from geo_cluster.policy.places import Places
from geo_cluster.policy.stages import means, point_kinds, stages
from geo_cluster.policy.typed import typed
from geo_cluster.workspace.under_way import Change, Kept

NEW = "new"
PAIRS = {
    "whole": ("investment_100m_yuan", "invested_100m_yuan"),
    "year": ("year_plan_100m_yuan", "year_done_100m_yuan"),
    "land": ("land_mu", "land_given_mu"),
    "power": ("power_mva", "power_given_mva"),
    "energy": ("energy_tce", "energy_given_tce"),
}
"""Rows of the table of amounts: what was planned or promised, and what was made of it."""
POINT = ("kind", "what", "unit", "owner", "raised", "deadline", "closed", "notes")


def project(kept: Mapping[str, Kept], places: Places, day: datetime.date) -> None:
    """The project that is open, or the button for a new one."""
    may = state.person().may("planner")
    if may and st.button(t("ledger.new"), icon=":material/add:", key="ledger-new"):
        session.keep("ledger-open", NEW)
        session.keep("ledger-draft", secrets.token_hex(4))
    if not may:
        st.caption(t("ledger.may_not"))
    _told()
    id_ = session.kept("ledger-open")
    if id_ == NEW:
        _form(session.kept("ledger-draft"), None, places, day)
    elif id_ in kept:
        _open(kept[id_], places, day, may=may)


def _told() -> None:
    """What became of the last save."""
    if said := session.kept("ledger-told"):
        st.success(said, icon=":material/check:")
        session.keep("ledger-told", None)
    if (gone := session.kept("ledger-gone")) and state.person().may("planner"):
        id_, entry, number = gone
        if st.button(t("ledger.put_back", name=plain(entry.name)), icon=":material/undo:", key="ledger-put-back"):
            state.ledger().save([Change(id_, entry, number)], note=t("ledger.put_back", name=entry.name))
            session.keep("ledger-gone", None)
            st.rerun()


def _open(one: Kept, places: Places, day: datetime.date, *, may: bool) -> None:
    base = session.kept("ledger-base")  # what the form was opened with, whatever others save meanwhile
    if base is None or base.id != one.id:
        session.keep("ledger-base", base := one)
    assert base.entry is not None
    st.subheader(t("ledger.project", name=plain(base.entry.name)), anchor=False)
    _expected(base.entry)
    if may:
        _form(base.id, base, places, day)
        _take_out(base)
    _history(one.id)


def _expected(entry: Entry) -> None:
    names, language, found = stages(), session.language(), expected(entry)
    with st.expander(t("ledger.expected"), icon=":material/schedule:"):
        if not found:
            st.caption(t("ledger.expected.none"))
        for one in found:
            days = {"early": one.early, "middle": one.middle, "late": one.late}
            said = t("ledger.expected.row", stage=names[one.stage][language], basis=one.basis[language], **days)
            st.text(said)


def _form(id_: str, base: Kept | None, places: Places, day: datetime.date) -> None:
    """Every field of a project; saved all at once, or told what is wrong."""
    entry = base.entry if base and base.entry else Entry.model_construct(name="")
    mark = f"{id_}-{base.number if base else 0}-{session.language()}"
    if base is None:
        st.subheader(t("ledger.fresh"), anchor=False)
    with st.form(f"ledger-form-{mark}", border=True):
        said = _about(entry, places, mark)
        said |= _dated(entry, mark)
        said |= _amounts(entry, mark)
        said["points"] = _points(entry, mark)
        note = st.text_input(t("ledger.form.note"), key=f"ledger-note-{mark}")
        if not st.form_submit_button(t("ledger.form.save"), type="primary", icon=":material/save:"):
            return
    found, faults = typed(said, _at, day=day)
    if found is None:
        st.error(f"{t('ledger.faults')}\n\n{listed(faults)}", icon=":material/error:")
        return
    note = note.strip() or t("ledger.note_default" if base else "ledger.note_new", name=found.name)
    _save(id_, found, base.number if base else 0, note)


def _at(key: str) -> Place:
    """Where a field stands in the form."""
    if key.startswith("points."):
        _, number, column = key.split(".")
        return Place(titles("points", session.language())[column], row=int(number) + 1)
    return Place(titles("ledger", session.language()).get(key, key))


def _save(id_: str, entry: Entry, seen: int, note: str) -> None:
    try:
        (kept,) = state.ledger().save([Change(id_, entry, seen)], note=note)
    except Conflict as problem:
        words = {"author": plain(problem.author), "at": problem.at, "note": plain(problem.note)}
        st.error(t("ledger.conflict", **words), icon=":material/sync_problem:")
        st.button(t("ledger.newest"), key="ledger-newest", on_click=lambda: session.keep("ledger-base", None))
        return
    except GeoClusterError as problem:
        st.error(f"{t('ledger.faults')}\n\n{listed(problem.faults)}", icon=":material/error:")
        return
    session.keep("ledger-open", kept.id)
    session.keep("ledger-base", kept)
    session.keep("ledger-told", t("ledger.saved", name=plain(entry.name)))
    st.rerun()


def _about(entry: Entry, places: Places, mark: str) -> dict[str, Any]:
    """Who and where."""
    language, heads = session.language(), titles("ledger", session.language())
    said: dict[str, Any] = {}
    names = {"": t("ledger.form.no_stage")} | {key: one[language] for key, one in stages().items()}
    first, second = st.columns([1.4, 1])
    said["name"] = first.text_input(heads["name"], entry.name, key=f"name-{mark}")
    said["firm"] = second.text_input(heads["firm"], entry.firm, key=f"firm-{mark}")
    boxes = st.columns(3)
    cities, sites = ["", *places.cities], ["", *places.sites]
    nowhere = t("ledger.form.nowhere")
    said["site"] = boxes[0].selectbox(
        heads["site"],
        sites,
        index=sites.index(entry.site) if entry.site in sites else 0,
        format_func=lambda one: places.site_name(one, language) if one else nowhere,
        key=f"site-{mark}",
    )
    said["city"] = boxes[1].selectbox(
        heads["city"],
        cities,
        index=cities.index(entry.city) if entry.city in cities else 0,
        format_func=lambda one: places.city_name(one, language) if one else nowhere,
        key=f"city-{mark}",
    )
    said["city"] = said["city"] or places.city_of.get(said["site"], "")
    at = entry.stage if entry.stage in names else ""
    said["stage"] = boxes[2].selectbox(
        heads["stage"], list(names), index=list(names).index(at), format_func=names.__getitem__, key=f"stage-{mark}"
    )
    three = st.columns(3)
    for box, key in zip(three, ("unit", "owner", "registered"), strict=True):
        said[key] = box.text_input(heads[key], getattr(entry, key), key=f"{key}-{mark}")
    last = st.columns([1, 1.5, 0.5], vertical_alignment="bottom")
    said["source"] = last[0].text_input(heads["source"], entry.source, key=f"source-{mark}")
    said["notes"] = last[1].text_input(heads["notes"], entry.notes, key=f"notes-{mark}")
    said["counts"] = last[2].checkbox(heads["counts"], entry.counts, key=f"counts-{mark}")
    return said


def _dated(entry: Entry, mark: str) -> dict[str, Any]:
    """Planned and actual day of every stage."""
    language, names, told = session.language(), stages(), means()
    st.caption(
        t("ledger.form.stages"), help="\n\n".join(f"{names[k][language]}：{v[language]}" for k, v in told.items())
    )
    table = pd.DataFrame(
        {
            "stage": [one[language] for one in names.values()],
            "planned": [entry.planned.get(key, "") for key in names],
            "actual": [entry.actual.get(key, "") for key in names],
        }
    )
    edited = st.data_editor(
        table,
        hide_index=True,
        disabled=["stage"],
        column_config={
            "stage": t("ledger.form.stage_col"),
            "planned": t("ledger.form.planned"),
            "actual": t("ledger.form.actual"),
        },
        placeholder="",
        key=f"dates-{mark}",
    )
    return {which: dict(zip(names, edited[which], strict=True)) for which in ("planned", "actual")}


def _amounts(entry: Entry, mark: str) -> dict[str, Any]:
    """What was planned or promised, and what was made of it."""
    st.caption(t("ledger.form.amounts"))
    table = pd.DataFrame(
        {
            "what": [t(f"ledger.form.{key}") for key in PAIRS],
            "asked": [getattr(entry, asked) for asked, _ in PAIRS.values()],
            "given": [getattr(entry, given) for _, given in PAIRS.values()],
        }
    ).astype({"asked": float, "given": float})
    number = {key: st.column_config.NumberColumn(t(f"ledger.form.{key}"), min_value=0.0) for key in ("asked", "given")}
    edited = st.data_editor(
        table,
        hide_index=True,
        disabled=["what"],
        column_config={"what": t("ledger.form.what"), **number},
        placeholder="",
        key=f"amounts-{mark}",
    )
    cells = zip(PAIRS.values(), edited["asked"], edited["given"], strict=True)
    return {key: value for pair, *values in cells for key, value in zip(pair, values, strict=True)}


def _points(entry: Entry, mark: str) -> list[dict[str, Any]]:
    """Blocked points, a row each."""
    language, heads = session.language(), titles("points", session.language())
    kinds = {key: one[language] for key, one in point_kinds().items()}
    st.caption(t("ledger.form.points"))
    rows = [{key: getattr(one, key) for key in POINT} | {"kind": kinds.get(one.kind, one.kind)} for one in entry.points]
    config: dict[str, Any] = {key: st.column_config.TextColumn(heads[key]) for key in POINT}
    config["kind"] = st.column_config.SelectboxColumn(heads["kind"], options=list(kinds.values()))
    edited = st.data_editor(
        pd.DataFrame(rows, columns=list(POINT), dtype=object),
        num_rows="dynamic",
        hide_index=True,
        column_config=config,
        placeholder="",
        key=f"points-{mark}",
    )
    back = {name: key for key, name in kinds.items()}
    return [row | {"kind": back.get(row["kind"], row["kind"])} for row in edited.to_dict("records")]


def _take_out(one: Kept) -> None:
    assert one.entry is not None
    with st.popover(t("ledger.take_out"), icon=":material/delete:"):
        if st.button(t("ledger.take_out_sure"), key=f"ledger-out-{one.id}"):
            note = t("ledger.took_out", name=one.entry.name)
            (gone,) = state.ledger().save([Change(one.id, None, one.number)], note=note)
            session.keep("ledger-gone", (one.id, one.entry, gone.number))
            session.keep("ledger-open", None)
            st.rerun()


def _history(id_: str) -> None:
    """Who saved it, when, and what they said they did."""
    kept = state.ledger().history(id_)
    with st.expander(t("ledger.history", n=len(kept)), icon=":material/history:"):
        heads = [t(f"ledger.history.{key}") for key in ("when", "who", "note")]
        text_table(heads, [(clock(one.at), one.author, one.note) for one in kept])
