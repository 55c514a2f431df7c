"""Files to fill in, made from the declared tables: headings in both languages, an example row, what may be written."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from geo_cluster import toml
from geo_cluster.imports.cells import units_of
from geo_cluster.imports.checked import Kind
from geo_cluster.imports.headings import EXAMPLE, columns_of
from geo_cluster.world import catalog, layers, spreadsheet
from geo_cluster.world.sheets.table import GUIDE, VALUES

LABELLED = ("source", "notes")
"""Columns that carry the mark of the example row, the first that a kind has."""


def heading(column: Mapping[str, Any]) -> str:
    """A heading in both languages."""
    return f"{column['zh']} / {column['en']}"


def words(kind: Kind, key: str) -> list[tuple[str, str]]:
    """What a column may say, in Chinese and English; empty where anything may."""
    column = columns_of(kind)[key]
    land = toml.table("land")
    if kind == "parcels" and key in ("status", "use"):
        rows = land[key]
        return [(row["name_zh"], row["name_en"]) if key == "status" else (row["code"], row["name_en"]) for row in rows]
    if key == "attribute":
        return [(one.name.zh, one.name.en) for one in catalog.attributes().values()]
    if "words" in column:
        return [(word["zh"], word["en"]) for word in layers.words(column["words"]).values()]
    return []


def example(kind: Kind) -> list[str]:
    """The example row of a kind, marked as one."""
    columns = columns_of(kind)
    label = next(key for key in LABELLED if key in columns)
    return [EXAMPLE if key == label else column.get("example", "") for key, column in columns.items()]


def as_csv(kind: Kind) -> bytes:
    """A template as CSV, UTF-8 with BOM, as spreadsheets on Chinese Windows open it."""
    headings = [heading(column) for column in columns_of(kind).values()]
    return spreadsheet.as_csv(pd.DataFrame([example(kind)], columns=headings))


def as_xlsx(kind: Kind) -> bytes:
    """A template as a workbook: the table to fill in, and a sheet that explains every column and lists its words."""
    book = openpyxl.Workbook()
    sheet, guide, lists = book.active, book.create_sheet(GUIDE), book.create_sheet(VALUES)
    sheet.title = toml.table("imports")[kind]["name"]["zh"]
    columns = columns_of(kind)
    sheet.append([heading(column) for column in columns.values()])
    sheet.append(example(kind))
    guide.append(["列 / column", "必填 / required", "说明", "meaning"])
    for k, (key, column) in enumerate(columns.items(), start=1):
        guide.append(
            [heading(column), "是 / yes" if column.get("required") else "", column["help"]["zh"], column["help"]["en"]]
        )
        letter = openpyxl.utils.get_column_letter(k)
        sheet.column_dimensions[letter].width = max(12, min(34, 2 * len(column["zh"]) + len(column["en"]) + 3))
        allowed = words(kind, key)
        lists.cell(1, k, heading(column))
        for row, (zh, en) in enumerate(allowed, start=2):
            lists.cell(row, k, zh if zh == en else f"{zh} / {en}")
        if allowed:
            rule = DataValidation(
                "list", formula1=f"'{_plain_list(book, kind, key, allowed)}'!${letter}$1:${letter}${len(allowed)}"
            )
            rule.allow_blank, rule.showErrorMessage = True, False
            sheet.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}2000")
    _units(lists, kind, len(columns) + 2)
    for page in book.worksheets:
        _dress(page)
    out = io.BytesIO()
    book.save(out)
    return spreadsheet.undated(out.getvalue())


def _plain_list(book: openpyxl.Workbook, kind: Kind, key: str, allowed: list[tuple[str, str]]) -> str:
    """A hidden sheet with the words alone, for the drop-down lists of the first."""
    page = book["lists"] if "lists" in book.sheetnames else book.create_sheet("lists")
    page.sheet_state = "hidden"
    column = list(columns_of(kind)).index(key) + 1
    for row, (zh, _) in enumerate(allowed, start=1):
        page.cell(row, column, zh)
    return "lists"


def _units(page: Any, kind: Kind, column: int) -> None:
    """Units that are understood, where the kind has a column of units."""
    named = catalog.attributes() if kind == "observations" else _UNITS.get(kind, ())
    page.cell(1, column, "指标 / attribute")
    page.cell(1, column + 1, "可用单位 / units understood")
    for row, attribute in enumerate(named, start=2):
        page.cell(row, column, catalog.attributes()[attribute].name.zh)
        page.cell(row, column + 1, "、".join(units_of(attribute)))


_UNITS = {"substations": ("spare_mva",), "parcels": ("available_land_ha",)}


def _dress(page: Any) -> None:
    for cell in page[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E5F0F0")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    page.freeze_panes = "A2"
    if page.title != page.parent.worksheets[0].title:
        for letter in "ABCDEFGHIJKLMNOPQRS":
            page.column_dimensions[letter].width = 26
