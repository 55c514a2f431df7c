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
from geo_cluster.box.cells import Kind, Sheet, number
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


def _fill(
    sheet: Sheet, packed: zipfile.ZipFile, path: str, texts: list[str], kinds: list[Kind], *, since_1904: bool
) -> None:
    """Read the cells of a sheet."""
    with packed.open(path) as part:
        sheet.limits.refuse(sheet.file, "cells", max(sizes.counted(part, CELLS)), "box.too_many_cells")
    plain = Kind()
    at = {"row": 0, "column": 0, "spoken": 0}
    cells: dict[int, str] = {}
    one: dict[str, Any] = {}
    parts: list[str] = []
    holder = [""]

    def start(tag: str, said: dict[str, str]) -> None:
        if tag == "c":
            column = _column(said.get("r", "")) or at["column"] + 1
            at["column"] = column
            one.clear()
            one.update(kind=said.get("t", "n"), style=_whole(said.get("s", "")), formula=False, value=None)
            parts.clear()
        elif tag in ("v", "t"):
            holder[0] = tag if not at["spoken"] else ""
        elif tag == "f":
            one["formula"] = True
        elif tag == "row":
            at["row"], at["column"] = _whole(said.get("r", "")) or at["row"] + 1, 0
            if said.get("hidden", "") in YES:
                sheet.hidden_rows.add(at["row"])
        elif tag == "rPh":
            at["spoken"] += 1
        elif tag == "col" and said.get("hidden", "") in YES:
            last = min(_whole(said.get("max", "")), sheet.limits.columns)
            sheet.hidden_columns.update(range(_whole(said.get("min", "")), last + 1))
        elif tag == "mergeCell":
            first, _, second = said.get("ref", "").partition(":")
            corners = _corner(first), _corner(second or first)
            if all(map(all, corners)):
                sheet.merge(*corners[0], *corners[1])

    def end(tag: str) -> None:
        if tag in ("v", "t"):
            holder[0] = ""
        elif tag == "c" and one:
            take()
        elif tag == "row":
            sheet.add(at["row"], cells)
            cells.clear()
        elif tag == "rPh":
            at["spoken"] -= 1

    def take() -> None:
        kind, value, row, column = one["kind"], "".join(parts), at["row"], at["column"]
        if kind == "s":
            value = texts[int(value)].strip() if value.strip().isdigit() and int(value) < len(texts) else ""
        elif kind == "b":
            value = {"1": "TRUE", "0": "FALSE"}.get(value, value)
        elif kind == "n" and value:
            style = one["style"]
            value = number(value, kinds[style] if style < len(kinds) else plain, since_1904=since_1904)
        elif kind == "d":
            value = value.removesuffix("T00:00:00").replace("T", " ")
        else:
            value = value.strip()
        if kind == "e":
            sheet.odd.append((row, column, "error", value))
        elif one["formula"] and not value and kind != "str":  # str: worked out, to nothing
            sheet.odd.append((row, column, "unsaved", ""))
        if value:
            cells[column] = value

    def text(piece: str) -> None:
        if holder[0]:
            parts.append(piece)

    _parse(packed, path, sheet.file, start, end, text)


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
