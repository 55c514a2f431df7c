"""A portfolio of the planner's own, checked by `portfolio.check`."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.errors import Fault, InputError
from geo_cluster.imports.checked import Checked, ImportContext
from geo_cluster.imports.headings import Rows, recognise
from geo_cluster.world import portfolio, spreadsheet


def check_projects(table: pd.DataFrame, context: ImportContext) -> Checked:
    """Check a table of projects; the preview is that of `portfolio.check`, the file `projects.csv`."""
    rows = recognise(table, context)
    if rows.faults or rows.text.empty:
        if not rows.faults and not rows.notes:
            rows.faults.append(Fault("imports.no_project", context.name))
        return rows.checked()
    titles = portfolio.columns()
    text = _in_own_units(rows)[[key for key in titles if key in rows.headings]].rename(columns=titles)
    if rows.faults:
        return rows.checked()
    try:
        preview = portfolio.check(text.reset_index(drop=True), where=context.name)
    except InputError as refusal:
        rows.faults.extend(_moved(fault, rows) for fault in refusal.faults)
        return rows.checked()
    is_stated = preview[[f"{need}_given" for need in portfolio.needs()]].to_numpy()
    stated, estimated = int(is_stated.sum()), int((~is_stated).sum())
    rows.notes.append(
        Text(
            zh=f"{len(preview)} 个项目；{stated} 个需求数为填报值，{estimated} 个按细分环节估算。",
            en=f"{len(preview)} projects; {stated} needs are given, {estimated} estimated by segment.",
        )
    )
    for odd in portfolio.warnings(preview):
        zh, en = (odd.words(language) for language in LANGUAGES)
        rows.notes.append(Text(zh=f"请核对：{zh}。", en=f"To be checked: {en}."))
    files = {"projects.csv": spreadsheet.as_csv(text)}
    return rows.checked(preview=preview.reset_index(), files=files, source=context.name)


def _in_own_units(rows: Rows) -> pd.DataFrame:
    """The text with every column in its own unit; a note says what was converted, and what has no unit at all."""
    text, titles = rows.text.copy(), portfolio.columns()
    for key, heading in rows.headings.items():
        if not portfolio.units().get(key):
            continue
        factor, title = portfolio.factor_of(key, str(heading)), titles[key]
        if factor is None:
            rows.faults.append(portfolio.unit_fault(rows.at(0, key), key))
        elif factor != 1:
            text[key] = portfolio.in_unit(text[key], factor)
            zh, en = (
                f"“{heading}”已换算为“{title}”，乘以 {factor:g}。",
                f"{heading} was converted to {title}: times {factor:g}.",
            )
            rows.notes.append(Text(zh=zh, en=en))
        elif key in ("output_100m_yuan", *portfolio.STATED) and heading != key and not portfolio.units_in(str(heading)):
            rows.notes.append(
                Text(zh=f"“{heading}”没有写单位，按“{title}”读。", en=f"{heading} has no unit; read as {title}.")
            )
    return text


def _moved(fault: Fault, rows: Rows) -> Fault:
    """The fault at its row and heading in the file: blank rows and headings of one's own are counted."""
    if not fault.row:
        return fault
    key = {title: key for key, title in portfolio.columns().items()}.get(fault.column, "")
    row, column = int(rows.text.index[fault.row - 2]), rows.headings.get(key, fault.column)
    return fault.at(replace(fault.place, row=row, column=column))
