"""Part of 数据: how a table was read, beside how it is written; headings matched and cells mended in place."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.widgets import plain
from geo_cluster.imports.checked import Checked, Kind
from geo_cluster.imports.headings import columns_of
from geo_cluster.world import spreadsheet
from geo_cluster.world.sheets import units
from geo_cluster.world.sheets.columns import IN, NOT_USED

MOST_ROWS = 200
"""Rows that can be mended at once; the others come up when these are right."""

MOST_CHANGED = 300
"""Cells that are shown beside what was understood."""

LEAVE_OUT = "gc-leave-out"


def choice(key: str) -> dict[str, Any]:
    """What the visitor chose of a table: as `TableChoice`, but in lists."""
    return session.kept(f"table-{key}") or {"sheets": [], "mapping": {}, "mended": [], "without": []}


def chosen(key: str, **changes: Any) -> dict[str, Any]:
    """Keep what was chosen since; all of it."""
    now = choice(key) | changes
    session.keep(f"table-{key}", now)
    return now


def sheets(checked: Checked, key: str) -> None:
    """Which sheets of several are read: those that fit, unless some are chosen."""
    if len(checked.sheets) < 2:
        return
    now = choice(key)["sheets"]
    picked = st.multiselect(
        t("data.table.sheets"),
        checked.sheets,
        default=[one for one in now or checked.parts if one in checked.sheets],
        help=t("data.table.sheets_help"),
        key=f"sheet-{key}",
        width=560,
    )
    if sorted(picked) != sorted(now or checked.parts):
        chosen(key, sheets=picked, mended=[], without=[])
        st.rerun()


def remembered(checked: Checked, kind: Kind, key: str) -> None:
    """That the headings are read as they were matched before, and a way to forget it."""
    now = choice(key)
    if not now.get("before") or checked.meant.empty:
        return
    language, columns = session.language(), columns_of(kind)
    said = []
    for heading, to in now["mapping"].items():
        ours = columns.get(to.partition(IN)[0], {}).get(language) or t("data.table.not_used")
        said.append(t("data.table.as_before", yours=heading, ours=ours))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/history: {plain(t('data.table.remembered', how=t('data.table.and').join(said)))}")
        if st.button(t("data.table.forget"), icon=":material/backspace:", key=f"forget-{key}"):
            state.remember_headings(kind, checked.meant["heading"].tolist(), {})
            chosen(key, mapping={}, before=False)
            st.rerun()


def matching(checked: Checked, kind: Kind, key: str) -> None:
    """Each heading of the table with three of its values, and which of our columns it is."""
    if checked.meant.empty:
        return
    language, columns = session.language(), columns_of(kind)
    names = {"": t("data.table.carried"), NOT_USED: t("data.table.not_used")}
    names |= {one: str(column[language]) for one, column in columns.items()}
    back = {name: one for one, name in names.items()}
    before = choice(key)["mapping"]
    shown = [names[NOT_USED if before.get(row.heading) == NOT_USED else row.key] for row in checked.meant.itertuples()]
    table = checked.meant[["heading", "samples"]].set_axis(["yours", "samples"], axis=1)
    table = table.assign(ours=shown, unit=checked.meant["unit"])
    own = dict.fromkeys(str(column["unit"]) for column in columns.values() if column.get("unit"))
    known = dict.fromkeys(["", *(one for unit in own for one in units.known(unit)), *checked.meant["unit"]])
    wrong = any(not fault.row for fault in checked.faults)
    guessed = bool(((checked.meant["key"] != "") & (checked.meant["how"] >= 2)).any())
    with st.expander(t("data.table.matching"), expanded=wrong or guessed, icon=":material/compare_arrows:"):
        st.caption(t("data.table.matching_how"))
        edited = st.data_editor(
            table,
            hide_index=True,
            disabled=("yours", "samples"),
            column_order=("yours", "ours", "unit", "samples"),
            placeholder="",
            column_config={
                "yours": st.column_config.TextColumn(t("data.table.yours")),
                "samples": st.column_config.TextColumn(t("data.table.samples"), width="medium"),
                "ours": st.column_config.SelectboxColumn(
                    t("data.table.ours"), options=list(names.values()), required=True
                ),
                "unit": st.column_config.SelectboxColumn(t("data.table.unit"), options=list(known), width="small"),
            },
            key=f"matching-{key}-{language}-{len(choice(key)['mapping'])}-{'-'.join(choice(key)['sheets'])}",
        )
    fresh = {}
    for was, now in zip(table.itertuples(), edited.itertuples(), strict=True):
        unit = str(now.unit or "")
        if (now.ours, unit) != (was.ours, was.unit):
            other = f"{IN}{unit}" if unit and unit != was.unit else ""
            fresh[was.yours] = f"{back[now.ours]}{other}" if back[now.ours] else NOT_USED
    if fresh:
        taken = {to.partition(IN)[0] for to in fresh.values()} - {NOT_USED}
        others = {
            row.heading: NOT_USED for row in checked.meant.itertuples() if row.key in taken and row.heading not in fresh
        }
        mapping = before | others | fresh
        chosen(key, mapping=mapping, before=False)
        state.remember_headings(kind, checked.meant["heading"].tolist(), mapping)
        st.rerun()


def understood(checked: Checked) -> None:
    """Cells that are read otherwise than they stand there."""
    if checked.changed.empty:
        return
    with st.expander(
        t("data.table.understood", n=len(checked.changed)), icon=":material/spellcheck:", expanded=not checked.faults
    ):
        names = {one: t(f"data.table.{one}") for one in ("row", "column", "written")}
        names["understood"] = t("data.table.understood_as")
        shown = checked.changed.assign(understood=checked.changed["understood"].replace("", t("data.table.nothing")))
        shown["row"] = shown["row"].map(checked.row_name)
        st.dataframe(shown.head(MOST_CHANGED).rename(columns=names), hide_index=True)
        if len(checked.changed) > MOST_CHANGED:
            st.caption(t("data.import.more", shown=MOST_CHANGED, all=len(checked.changed)))


def cells(checked: Checked, key: str) -> None:
    """The rows with faults, to be mended cell by cell; without any, all rows."""
    frame = checked.table
    if frame.empty or frame.columns.duplicated().any():
        return
    said: dict[int, list[str]] = {}
    for fault in checked.faults:
        if fault.row:
            words = session.words(fault)
            said.setdefault(fault.row, []).append(f"{fault.column}：{words.what}（{words.remedy}）")
    rows = [row for row in frame.index if row in said][:MOST_ROWS] or list(frame.index[:MOST_ROWS])
    if any(not fault.row for fault in checked.faults):
        rows = []  # headings first
    if not rows:
        return
    label = t("data.table.mend") if said else t("data.table.all_rows")
    with st.expander(label, expanded=bool(said), icon=":material/edit:"):
        st.caption(t("data.table.mend_how"))
        table = frame.loc[rows].copy()
        table.insert(0, t("data.table.wrong"), ["\n".join(said.get(row, ())) for row in rows])
        table.insert(1, LEAVE_OUT, False)
        number = len(choice(key)["mended"]) + len(choice(key)["without"])
        config: dict[Any, Any] = {
            t("data.table.wrong"): st.column_config.TextColumn(width="large", disabled=True),
            LEAVE_OUT: st.column_config.CheckboxColumn(t("data.table.leave_out"), width="small"),
        }
        shown = [one for one in frame.columns if not str(one).startswith("#")]
        order = [*([t("data.table.wrong")] if said else []), *shown, LEAVE_OUT]
        edited = st.data_editor(
            table.set_axis([checked.row_name(row) for row in rows]).rename_axis(t("data.fault.row")),
            column_config=config,
            column_order=order,
            key=f"mend-{key}-{number}-{len(rows)}",
        )
    _take(frame, rows, edited.set_axis(rows), key)


def _take(frame: pd.DataFrame, rows: list[int], edited: pd.DataFrame, key: str) -> None:
    """Keep what was mended and left out, and check anew."""
    before, now = choice(key), edited.loc[rows, list(frame.columns)]
    mended = {(row, column): text for row, column, text in before["mended"]}
    gone = [int(row) for row, out in zip(rows, edited.loc[rows, LEAVE_OUT], strict=True) if out]
    for at, heading in enumerate(frame.columns):
        for row, was, text in zip(rows, frame.loc[rows, heading], now[heading], strict=True):
            text = "" if text is None or pd.isna(text) else str(text)
            if text != was:
                mended[int(row), at] = text
    fresh = [[row, column, text] for (row, column), text in mended.items()]
    if fresh != before["mended"] or gone:
        chosen(key, mended=fresh, without=[*before["without"], *gone])
        st.rerun()


def save(checked: Checked, key: str) -> None:
    """The table as it was mended, to take away."""
    now = choice(key)
    if not (now["mended"] or now["without"]) or checked.table.empty:
        return
    with st.container(horizontal=True):
        st.download_button(
            t("data.table.save"),
            spreadsheet.as_csv(checked.table),
            file_name=f"{PurePath(checked.name).stem}_mended.csv",
            icon=":material/download:",
            key=f"save-mended-{key}",
            on_click="ignore",
        )
        if st.button(t("data.table.undo"), icon=":material/undo:", key=f"undo-mended-{key}"):
            chosen(key, mended=[], without=[])
            st.rerun()
    st.caption(plain(t("data.table.mended", n=len(now["mended"]), rows=len(now["without"]))))
