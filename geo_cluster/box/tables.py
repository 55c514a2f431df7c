"""Rows of a CSV or of a workbook's first sheet, as text; runs in the box.

Only rows with something in them come out, each with its number in the file: what a spreadsheet has formatted far below
its data costs nothing.
"""

from __future__ import annotations

import csv
import datetime
import io
from typing import Any

from geo_cluster.box import sizes
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError, place

BOOK = "[Content_Types].xml"
Answer = tuple[dict[str, Any]]


def lines(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """Rows of a CSV in UTF-8, UTF-16 or GB 18030; the separator is the one that its first line has most of."""
    name, (content,) = asked["name"], files.values()
    text = _decoded(content, name)
    first = text.lstrip("\r\n \ufeff").split("\n", 1)[0].split("\r", 1)[0]
    mark = max(",\t;，", key=first.count)
    limits.refuse(name, "rows", max(text.count("\n"), text.count("\r")), "box.too_many_lines")
    csv.field_size_limit(limits.characters)
    rows, reader = [], csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    number = cells = 0
    try:
        for number, row in enumerate(reader, start=1):
            shown = [cell.strip() for cell in row]
            while shown and not shown[-1]:
                shown.pop()
            if shown:
                cells += len(shown)
                limits.refuse(place(name, number), "columns", len(shown), "box.row_too_wide")
                limits.refuse(name, "cells", cells, "box.more_than_so_many_cells")
                rows.append((number, shown))
    except csv.Error as problem:
        where = place(name, number + 1)
        if "field limit" in str(problem):
            limits.refuse(where, "characters", len(text), "box.cell_too_long")
        raise InputError(Fault("box.broken_csv", where, reason=str(problem))) from None
    return ({"rows": rows, "odd": []},)


def _decoded(content: bytes, name: str) -> str:
    codes = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for code in codes:
        try:
            text = content.decode(code)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InputError(Fault("box.not_text", name))


def sheet(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """Rows of the first sheet as they show, and its odd cells: formulas without a value, errors such as #REF!."""
    import openpyxl
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

    name, (content,) = asked["name"], files.values()
    with sizes.archive(content, name, limits) as packed:
        if BOOK not in packed.namelist():
            raise InputError(Fault("box.not_a_book", name))
        for member in packed.namelist():
            if member.endswith(".xml"):
                with packed.open(member) as part:
                    *counts, types, entities = sizes.counted(part, (b"<c ", b":c ", b"<si>", b"<!DOCTYPE", b"<!ENTITY"))
                limits.refuse(name, "cells", max(counts), "box.too_many_cells")
                if types or entities:
                    raise InputError(Fault("box.entities_in_book", name))

    class Parser(WorkSheetParser):
        """Finds formulas beside their values, in one go."""

        def parse_cell(self, element: Any) -> dict[str, Any]:
            return super().parse_cell(element) | {"formula": element.find(FORMULA_TAG) is not None}

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    if not book.worksheets:
        raise InputError(Fault("box.no_sheet", name))
    page = book.worksheets[0]
    rows, odd = [], []
    with page._get_source() as source:
        parser = Parser(
            source,
            page._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, found in parser.parse():
            cells: dict[int, str] = {}
            for one in found:
                shown, kind = _shown(one["value"]), one["data_type"]
                if shown:
                    cells[one["column"]] = shown
                if kind == "e":
                    odd.append((number, one["column"], "error", shown))
                elif one["formula"] and one["value"] is None and kind != "str":  # str: worked out, to ""
                    odd.append((number, one["column"], "unsaved", ""))
            if cells:
                limits.refuse(place(name, number), "rows", number, "box.row_too_far_down")
                limits.refuse(place(name, number), "columns", max(cells), "box.row_too_wide")
                rows.append((number, [cells.get(column, "") for column in range(1, max(cells) + 1)]))
    return ({"rows": rows, "odd": odd},)


def _shown(value: Any) -> str:
    """What a cell shows, as text."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    return str(value).strip()
