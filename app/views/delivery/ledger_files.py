"""The ledger in and out as a workbook: checked, mended in place, and only then imported."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from app import cached_policy, session, state
from app.session import t
from app.views.delivery.ledger_shown import Shown
from app.widgets import listed, plain, refusals, upload_words
from geo_cluster.export.ledger_book import ledger_book
from geo_cluster.export.weekly import Week
from geo_cluster.imports.under_way import SHEETS, LedgerFile
from geo_cluster.policy.frames import ledger_frame
from geo_cluster.workspace.under_way import Change

MOST_ROWS = 200
"""Rows that can be mended at once."""
OUT = "gc-leave-out"


def files(shown: Shown) -> None:
    """Draw the tab."""
    left, right = st.columns(2, gap="large")
    with left, st.container(horizontal=True):
        st.download_button(
            t("ledger.template"),
            cached_policy.ledger_template(session.language()),
            file_name="ledger_template.xlsx",
            icon=":material/table_view:",
            key="ledger-template",
            on_click="ignore",
        )
    with right, st.container(horizontal=True):
        _export(shown)
    if state.person().may("planner"):
        st.subheader(t("ledger.import"), anchor=False)
        st.caption(t("ledger.import_how"))
        upload_words()
        file = st.file_uploader(t("ledger.import"), key=f"ledger-file-{shown.seq}", label_visibility="collapsed")
        if file is not None:
            with refusals():
                _one(shown, file.name, file.getvalue())
    else:
        st.caption(t("ledger.may_not"))


def _export(shown: Shown) -> None:
    """The workbook, made when it is asked for."""
    language = session.language()
    week = Week(shown.projects, None, shown.day, shown.day, shown.places, shown.rule)
    st.download_button(
        t("ledger.export"),
        lambda: ledger_book(week, language),
        file_name=f"ledger_{shown.day}.xlsx",
        icon=":material/download:",
        key="ledger-export",
        on_click="ignore",
    )


def _one(shown: Shown, name: str, content: bytes) -> None:
    """One file: its faults, to be mended here; or what it would bring, and the button."""
    key = f"ledger-mended-{shown.seq}-{name}-{len(content)}"
    said: dict[str, Any] = session.kept(key) or {}
    read = cached_policy.ledger_file(
        content, name, shown.seq, shown.day, json.dumps(said), _known=shown.projects, _places=shown.places
    )
    for note in read.notes:
        st.caption(f":material/info: {plain(note[session.language()])}")
    if read.faults:
        st.error(listed(read.faults), icon=":material/error:")
        for kind in read.tables:
            _mend(read, kind, key, said)
        return
    st.caption(t("ledger.preview"))
    first = ledger_frame(dict(list(read.entries.items())[:50]), shown.places, session.language())
    st.dataframe(first.replace("", None), hide_index=True, placeholder="—")  # a column of one type
    count = len(read.entries)
    if st.button(t("ledger.accept", n=count), type="primary", icon=":material/check:", key="ledger-accept"):
        seen = {id_: shown.kept[id_].number for id_ in read.entries if id_ in shown.kept}
        same = {id_ for id_ in seen if read.entries[id_] == shown.kept[id_].entry}
        changes = [Change(id_, one, seen.get(id_, 0)) for id_, one in read.entries.items() if id_ not in same]
        state.ledger().save(changes, note=t("ledger.import_note", name=name))
        st.toast(t("ledger.imported", n=count), icon=":material/check:")
        st.rerun()


def _mend(read: LedgerFile, kind: str, key: str, said: dict[str, Any]) -> None:
    """The rows of a sheet that have faults, to be mended cell by cell or left out."""
    table = read.tables[kind]
    told: dict[int, list[str]] = {}
    for fault in read.faults:
        if fault.row and fault.place.sheet in ("", table.sheet):
            told.setdefault(fault.row, []).append(str(session.words(fault)))
    rows = [row for row in table.frame.index if row in told][:MOST_ROWS]
    if not rows or table.frame.columns.duplicated().any():
        return
    now = said.get(kind, {"mended": [], "without": []})
    frame = table.frame.loc[rows].copy()
    shown = frame.copy()
    shown.insert(0, t("ledger.wrong"), ["\n".join(told[row]) for row in rows])
    shown.insert(1, OUT, False)
    st.caption(t("ledger.mend", sheet=SHEETS[kind][session.language() == "en"]))
    config: dict[Any, Any] = {
        t("ledger.wrong"): st.column_config.TextColumn(width="large", disabled=True),
        OUT: st.column_config.CheckboxColumn(t("ledger.leave_out"), width="small"),
    }
    edited = st.data_editor(shown, column_config=config, key=f"{key}-{kind}-{len(now['mended'])}-{len(now['without'])}")
    mended = {(row, column): text for row, column, text in now["mended"]}
    for at, heading in enumerate(frame.columns):
        for row, was, text in zip(rows, frame[heading], edited[heading], strict=True):
            text = "" if text is None or pd.isna(text) else str(text)
            if text != was:
                mended[int(row), at] = text
    gone = [int(row) for row, out in zip(rows, edited[OUT], strict=True) if out]
    fresh = {
        "mended": [[row, column, text] for (row, column), text in mended.items()],
        "without": now["without"] + gone,
    }
    if fresh != now:
        session.keep(key, said | {kind: fresh})
        st.rerun()
