"""Sheets of an Office Open XML workbook (.xlsx, .xlsm; ECMA-376, strict too); runs in the box.

What the file says of its extent is not believed, prefixes of names may be any, and sheets of charts are no sheets.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from geo_cluster.box import sizes
from geo_cluster.box.cells import PLAIN, Kind, Sheet, number
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError

Start = Callable[[str, dict[str, str]], None]
CELLS = (b"<c ", b":c ", b"<c>", b"<si>", b":si>")
YES = ("1", "true", "on")


def book_of(packed: zipfile.ZipFile) -> str:
    """Where the workbook lies in its archive; '' where there is none."""
    names = {name.lower(): name for name in packed.namelist()}
    if "_rels/.rels" in names:
        for kind, target, _ in _relations(packed, names["_rels/.rels"], "").values():
            if kind == "officeDocument" and target.lower() in names:
                return names[target.lower()]
    return names.get("xl/workbook.xml", names.get("xl/workbook.bin", ""))


def sheets(packed: zipfile.ZipFile, path: str, name: str, limits: Limits) -> list[Sheet]:
    """Every sheet of cells, in their order."""
    folder = posixpath.dirname(path)
    beside = posixpath.join(folder, "_rels", f"{posixpath.basename(path)}.rels")
    relations = _relations(packed, beside, folder) if beside in packed.namelist() else {}
    listed: list[tuple[str, str, str]] = []
    dated: list[bool] = []

    def of_book(tag: str, said: dict[str, str]) -> None:
        if tag == "sheet":
            reference = next((value for key, value in said.items() if key.rpartition(":")[2] == "id"), "")
            listed.append((said.get("name", ""), said.get("state", "visible"), reference))
        elif tag == "workbookPr":
            dated.append(said.get("date1904", "") in YES)

    _parse(packed, path, name, of_book)
    parts = {kind: target for kind, target, _ in relations.values() if kind in ("sharedStrings", "styles")}
    texts = _texts(packed, parts.get("sharedStrings", ""), name, limits)
    kinds = _kinds(packed, parts.get("styles", ""), name)
    out = []
    for title, state, reference in listed:
        kind, target, _ = relations.get(reference, ("", "", ""))
        if kind == "worksheet" and target in packed.namelist():
            sheet = Sheet(title, name, limits, hidden=state.lower() not in ("visible", ""))
            _fill(sheet, packed, target, texts, kinds, since_1904=any(dated))
            out.append(sheet)
    if not out:
        raise InputError(Fault("box.no_sheet", name))
    return out


def _relations(packed: zipfile.ZipFile, path: str, folder: str) -> dict[str, tuple[str, str, str]]:
    """Kind, target and mode of each relation of a part, by its id."""
    found = {}

    def start(tag: str, said: dict[str, str]) -> None:
        if tag == "Relationship":
            target = said.get("Target", "").replace("\\", "/")
            at = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[said.get("Id", "")] = (said.get("Type", "").rpartition("/")[2], at, said.get("TargetMode", ""))

    _parse(packed, path, path, start)
    return found


def _parse(
    packed: zipfile.ZipFile, path: str, name: str, start: Start, end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:  # fmt: skip
    """Go through a part by local names; one that declares entities is refused."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    locals_: dict[str, str] = {}

    def local(tag: str) -> str:
        found = locals_.get(tag)
        if found is None:
            found = locals_[tag] = tag.rpartition(":")[2]
        return found

    def refuse(*_: Any) -> None:
        raise InputError(Fault("box.entities_in_book", name))

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda tag, said: start(local(tag), said)
    if end:
        parser.EndElementHandler = lambda tag: end(local(tag))
    if text:
        parser.CharacterDataHandler = text
    with packed.open(path) as part:
        while piece := part.read(sizes.CHUNK):
            parser.Parse(piece)
    parser.Parse(b"", True)


def _texts(packed: zipfile.ZipFile, path: str, name: str, limits: Limits) -> list[str]:
    """The texts that cells share; how they are pronounced is left out."""
    texts: list[str] = []
    if path not in packed.namelist():
        return texts
    state: dict[str, Any] = {"parts": [], "in_text": False, "spoken": 0}

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "si":
            state["parts"] = []
        elif tag == "rPh":
            state["spoken"] += 1
        elif tag == "t":
            state["in_text"] = not state["spoken"]

    def end(tag: str) -> None:
        if tag == "si":
            texts.append("".join(state["parts"]))
            limits.refuse(name, "cells", len(texts), "box.more_than_so_many_cells")
        elif tag == "rPh":
            state["spoken"] -= 1
        elif tag == "t":
            state["in_text"] = False

    def said(text: str) -> None:
        if state["in_text"]:
            state["parts"].append(text)

    _parse(packed, path, name, start, end, said)
    return texts


def _kinds(packed: zipfile.ZipFile, path: str, name: str) -> list[Kind]:
    """What each style of a cell makes of a number."""
    formats: dict[int, str] = {}
    codes: list[int] = []
    inside: list[bool] = []

    def start(tag: str, said: dict[str, str]) -> None:
        if tag == "numFmt":
            formats[_whole(said.get("numFmtId", ""))] = said.get("formatCode", "")
        elif tag == "cellXfs":
            inside.append(True)
        elif tag == "xf" and inside:
            codes.append(_whole(said.get("numFmtId", "")))

    def end(tag: str) -> None:
        if tag == "cellXfs":
            inside.clear()

    if path in packed.namelist():
        _parse(packed, path, name, start, end)
    known = {code: Kind.of(code, formats.get(code, "")) for code in set(codes)}
    return [known[code] for code in codes]


class _Cells:
    """Goes through the cells of a sheet."""

    def __init__(self, sheet: Sheet, texts: list[str], kinds: list[Kind], *, since_1904: bool):
        self.sheet, self.texts, self.kinds, self.since_1904 = sheet, texts, kinds, since_1904
        self.row = self.column = self.spoken = self.style = 0
        self.kind, self.formula, self.holding = "n", False, False
        self.cells: dict[int, str] = {}
        self.parts: list[str] = []
        self.starts = {"c": self._cell, "row": self._row, "col": self._column, "mergeCell": self._merged}

    def start(self, tag: str, said: dict[str, str]) -> None:
        if tag in self.starts:
            self.starts[tag](said)
        elif tag in ("v", "t"):
            self.holding = not self.spoken
        elif tag == "f":
            self.formula = True
        elif tag == "rPh":  # how a text is spoken
            self.spoken += 1

    def end(self, tag: str) -> None:
        if tag in ("v", "t"):
            self.holding = False
        elif tag == "c":
            self._take()
        elif tag == "row":
            self.sheet.add(self.row, self.cells)
            self.cells.clear()
        elif tag == "rPh":
            self.spoken -= 1

    def text(self, piece: str) -> None:
        if self.holding:
            self.parts.append(piece)

    def _cell(self, said: dict[str, str]) -> None:
        self.column = _column(said.get("r", "")) or self.column + 1
        self.kind, self.style, self.formula = said.get("t", "n"), _whole(said.get("s", "")), False
        self.parts.clear()

    def _row(self, said: dict[str, str]) -> None:
        self.row, self.column = _whole(said.get("r", "")) or self.row + 1, 0
        if said.get("hidden", "") in YES:
            self.sheet.hidden_rows.add(self.row)

    def _column(self, said: dict[str, str]) -> None:
        if said.get("hidden", "") in YES:
            last = min(_whole(said.get("max", "")), self.sheet.limits.columns)
            self.sheet.hidden_columns.update(range(_whole(said.get("min", "")), last + 1))

    def _merged(self, said: dict[str, str]) -> None:
        first, _, second = said.get("ref", "").partition(":")
        corners = _corner(first), _corner(second or first)
        if all(map(all, corners)):
            self.sheet.merge(*corners[0], *corners[1])

    def _take(self) -> None:
        value, at = self._shown("".join(self.parts)), (self.row, self.column)
        if self.kind == "e":
            self.sheet.odd.append((*at, "error", value))
        elif self.formula and not value and self.kind != "str":  # str: worked out, to nothing
            self.sheet.odd.append((*at, "unsaved", ""))
        if value:
            self.cells[self.column] = value

    def _shown(self, value: str) -> str:
        if self.kind == "s":
            known = value.strip().isdigit() and int(value) < len(self.texts)
            return self.texts[int(value)].strip() if known else ""
        if self.kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if self.kind == "n" and value:
            kind = self.kinds[self.style] if self.style < len(self.kinds) else PLAIN
            return number(value, kind, since_1904=self.since_1904)
        if self.kind == "d":
            return value.removesuffix("T00:00:00").replace("T", " ")
        return value.strip()


def _fill(
    sheet: Sheet, packed: zipfile.ZipFile, path: str, texts: list[str], kinds: list[Kind], *, since_1904: bool
) -> None:
    """Read the cells of a sheet."""
    with packed.open(path) as part:
        sheet.limits.refuse(sheet.file, "cells", max(sizes.counted(part, CELLS)), "box.too_many_cells")
    reader = _Cells(sheet, texts, kinds, since_1904=since_1904)
    _parse(packed, path, sheet.file, reader.start, reader.end, reader.text)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _column(reference: str) -> int:
    """Number of a column by the letters of a reference, from 1; 0 for none.

    >>> _column("A1"), _column("XFD1048576"), _column("")
    (1, 16384, 0)
    """
    found = 0
    for letter in reference[:4].upper():
        if not "A" <= letter <= "Z":
            break
        found = found * 26 + ord(letter) - 64
    return found


def _corner(reference: str) -> tuple[int, int]:
    bare = reference.replace("$", "")
    return _whole(bare.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")), _column(bare)
