"""Tables in HTML, and XML workbooks of 2003, which many systems call .xls; runs in the box."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from xml.parsers import expat

from geo_cluster.box.cells import Sheet
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError

SPREADSHEET_2003 = "urn:schemas-microsoft-com:office:spreadsheet"


def is_html(text: str) -> bool:
    """Whether a text is HTML with a table in it."""
    head = text[:4096].lstrip("\ufeff \t\r\n").lower()
    return head.startswith("<") and "<table" in text[:1_000_000].lower() and SPREADSHEET_2003 not in head


def is_2003(text: str) -> bool:
    """Whether a text is an XML workbook of 2003."""
    head = text[:4096]
    return head.lstrip("\ufeff \t\r\n").startswith("<") and SPREADSHEET_2003 in head


class _Html(HTMLParser):
    """Fills a sheet for each table; a table in a table is one of its own."""

    def __init__(self, name: str, limits: Limits):
        super().__init__()
        self.name, self.limits = name, limits
        self.sheets: list[Sheet] = []
        self.open: list[dict[str, Any]] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag == "table":
            self.limits.refuse(self.name, "nesting", len(self.open), "box.nested_beyond_limit")
            sheet = Sheet(said.get("id", "") or f"{len(self.sheets) + 1}", self.name, self.limits)
            self.sheets.append(sheet)
            self.open.append({"sheet": sheet, "row": 0, "cells": {}, "taken": set(), "cell": None, "next": 1})
        elif tag in ("script", "style"):
            self.silent += 1
        elif self.open:
            self._in_table(tag, said, self.open[-1])

    def _in_table(self, tag: str, said: dict[str, str], table: dict[str, Any]) -> None:
        if tag == "tr":
            self._row(table)
            table["row"] += 1
        elif tag in ("td", "th"):
            self._cell(table)
            down, right = (_span(said.get(way, "1")) for way in ("rowspan", "colspan"))
            column = table["next"]
            while (table["row"], column) in table["taken"]:
                column += 1
            self.limits.refuse(self.name, "cells", len(table["taken"]) + down * right, "box.more_than_so_many_cells")
            table["taken"] |= {
                (row, at) for row in range(table["row"], table["row"] + down) for at in range(column, column + right)
            }
            table["sheet"].merge(table["row"], column, table["row"] + down - 1, column + right - 1)
            table["cell"], table["next"] = (column, []), column + right
        elif tag == "br" and table["cell"]:
            table["cell"][1].append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.silent = max(self.silent - 1, 0)
        elif self.open and tag in ("td", "th"):
            self._cell(self.open[-1])
        elif self.open and tag in ("tr", "table"):
            self._row(self.open[-1])
            if tag == "table":
                self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1]["cell"] and not self.silent:
            self.open[-1]["cell"][1].append(data)

    def _cell(self, table: dict[str, Any]) -> None:
        if table["cell"]:
            column, parts = table["cell"]
            table["cells"][column] = " ".join("".join(parts).split())
            table["cell"] = None

    def _row(self, table: dict[str, Any]) -> None:
        self._cell(table)
        table["sheet"].add(table["row"], table["cells"])
        table["cells"], table["next"] = {}, 1

    def close(self) -> None:
        super().close()
        while self.open:
            self._row(self.open.pop())


def html_sheets(text: str, name: str, limits: Limits) -> list[Sheet]:
    """Every table of an HTML text that has something in it."""
    reader = _Html(name, limits)
    reader.feed(text)
    reader.close()
    return [sheet for sheet in reader.sheets if sheet.rows]


class _Xml:
    """Goes through an XML workbook of 2003."""

    def __init__(self, name: str, limits: Limits):
        self.name, self.limits = name, limits
        self.sheets: list[Sheet] = []
        self.row = self.column = self.right = 0
        self.kind, self.formula, self.holding = "", False, False
        self.cells: dict[int, str] = {}
        self.parts: list[str] = []

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        tag = tag.rpartition(" ")[2]
        said = {key.rpartition(" ")[2]: value for key, value in attrs.items()}
        if tag == "Worksheet":
            self.sheets.append(Sheet(said.get("Name", ""), self.name, self.limits))
            self.row = 0
        elif tag in ("Visible", "Data"):
            self.holding, self.kind = True, said.get("Type", "")
            if tag == "Visible":
                self.parts.clear()
        elif tag == "Row" and self.sheets:
            self.row, self.column = _span(said.get("Index", ""), self.row + 1), 0
            if said.get("Hidden") == "1":
                self.sheets[-1].hidden_rows.add(self.row)
        elif tag == "Cell" and self.sheets:
            self.column = _span(said.get("Index", ""), self.column + 1)
            down, self.right = _span(said.get("MergeDown", ""), 0), _span(said.get("MergeAcross", ""), 0)
            self.sheets[-1].merge(self.row, self.column, self.row + down, self.column + self.right)
            self.kind, self.formula = "", "Formula" in said
            self.parts.clear()

    def end(self, tag: str) -> None:
        tag = tag.rpartition(" ")[2]
        if tag in ("Visible", "Data"):
            self.holding = False
        if tag == "Visible" and self.sheets:
            self.sheets[-1].hidden = "".join(self.parts).strip() in ("SheetHidden", "SheetVeryHidden")
        elif tag == "Cell" and self.sheets:
            self._take()
        elif tag == "Row" and self.sheets:
            self.sheets[-1].add(self.row, self.cells)
            self.cells.clear()

    def text(self, piece: str) -> None:
        if self.holding:
            self.parts.append(piece)

    def _take(self) -> None:
        shown = "".join(self.parts).strip()
        if self.kind == "DateTime":
            shown = shown.removesuffix(".000").removesuffix("T00:00:00").replace("T", " ")
        if self.kind == "Error":
            self.sheets[-1].odd.append((self.row, self.column, "error", shown))
        elif self.formula and not shown and self.kind != "String":
            self.sheets[-1].odd.append((self.row, self.column, "unsaved", ""))
        self.cells[self.column] = shown
        self.column += self.right


def sheets_2003(text: str, name: str, limits: Limits) -> list[Sheet]:
    """Every sheet of an XML workbook of 2003."""
    reader, parser = _Xml(name, limits), expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: Any) -> None:
        raise InputError(Fault("box.entities_in_book", name))

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.Parse(text.encode(), True)
    return reader.sheets


def _span(text: str, other: int = 1) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text) else other
