"""Sheets of an OpenDocument workbook (.ods; OASIS ODF 1.3 part 3); runs in the box."""

from __future__ import annotations

import zipfile
from typing import Any
from xml.parsers import expat

from geo_cluster.box import sizes
from geo_cluster.box.cells import Sheet, number
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError

CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"


def is_guarded(packed: zipfile.ZipFile) -> bool:
    """Whether a password guards it."""
    if MANIFEST not in packed.namelist():
        return False
    with packed.open(MANIFEST) as part:
        return sizes.counted(part, (b"encryption-data",)) != [0]


class _Reader:
    """Goes through a document; what repeats counts as often as it stands there, as far as it shows anything."""

    def __init__(self, name: str, limits: Limits):
        self.name, self.limits = name, limits
        self.sheets: list[Sheet] = []
        self.hidden_styles: set[str] = set()
        self.style = ""
        self.row, self.column = 0, 0
        self.times, self.row_hidden = 1, False
        self.cells: dict[int, str] = {}
        self.one: dict[str, Any] | None = None
        self.parts: list[str] = []
        self.in_text, self.aside = 0, 0

    def start(self, tag: str, said: dict[str, str]) -> None:
        if tag == "style:style":
            self.style = said.get("style:name", "")
        elif tag == "style:table-properties" and said.get("table:display") == "false":
            self.hidden_styles.add(self.style)
        elif tag == "table:table":
            hidden = said.get("table:style-name", "") in self.hidden_styles
            self.sheets.append(Sheet(said.get("table:name", ""), self.name, self.limits, hidden=hidden))
            self.row = self.column = 0
        elif tag == "table:table-column" and self.sheets:
            times = _whole(said.get("table:number-columns-repeated", "1"))
            if said.get("table:visibility", "visible") != "visible":
                last = min(self.column + times, self.limits.columns)
                self.sheets[-1].hidden_columns.update(range(self.column + 1, last + 1))
            self.column += times
        elif tag == "table:table-row" and self.sheets:
            self.times = _whole(said.get("table:number-rows-repeated", "1"))
            self.row_hidden = said.get("table:visibility", "visible") != "visible"
            self.cells, self.column = {}, 0
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self.one, self.parts = said, []
        elif tag in ("office:annotation", "text:note"):
            self.aside += 1
        elif tag in ("text:p", "text:h"):
            self.parts += ["\n"] * bool(self.parts and not self.aside)
            self.in_text += 1
        elif tag in ("text:s", "text:tab", "text:line-break") and not self.aside:
            self.parts.append("\n" if tag == "text:line-break" else " ")

    def text(self, piece: str) -> None:
        if self.in_text and not self.aside:
            self.parts.append(piece)

    def end(self, tag: str) -> None:
        if tag in ("text:p", "text:h"):
            self.in_text -= 1
        elif tag in ("office:annotation", "text:note"):
            self.aside -= 1
        elif tag in ("table:table-cell", "table:covered-table-cell") and self.one is not None:
            self._take(self.one, is_covered=tag.endswith("covered-table-cell"))
            self.one = None
        elif tag == "table:table-row" and self.sheets:
            self._row()

    def _take(self, said: dict[str, str], *, is_covered: bool) -> None:
        times = _whole(said.get("table:number-columns-repeated", "1"))
        kind, shown = said.get("office:value-type", ""), "".join(self.parts).strip()
        value = said.get("office:value", "")
        if kind in ("float", "currency") and value:
            plain = number(value)
            shown = shown if _without_digits(shown) and _is_shown(plain, shown) else plain
        elif kind == "percentage" and value:
            shown = f"{float(value) * 100:.12g}%"
        elif kind == "date":
            shown = said.get("office:date-value", shown).removesuffix("T00:00:00").replace("T", " ")
        elif kind == "boolean":
            shown = said.get("office:boolean-value", shown).upper()
        sheet = self.sheets[-1]
        if "table:formula" in said:
            if not kind and not shown:
                sheet.odd.append((self.row + 1, self.column + 1, "unsaved", ""))
            elif shown.startswith(("#", "Err:")):
                sheet.odd.append((self.row + 1, self.column + 1, "error", shown))
        down, right = (_whole(said.get(f"table:number-{way}-spanned", "1")) for way in ("rows", "columns"))
        if not is_covered and (down > 1 or right > 1):
            sheet.merge(self.row + 1, self.column + 1, self.row + down, self.column + right)
        if shown and not is_covered:
            self.limits.refuse(self.name, "columns", self.column + times, "box.row_too_wide")
            self.cells |= dict.fromkeys(range(self.column + 1, self.column + times + 1), shown)
        self.column += times

    def _row(self) -> None:
        sheet = self.sheets[-1]
        if self.cells:
            self.limits.refuse(self.name, "rows", self.row + self.times, "box.row_too_far_down")
            for number_ in range(self.row + 1, self.row + self.times + 1):
                sheet.add(number_, self.cells)
                if self.row_hidden:
                    sheet.hidden_rows.add(number_)
        self.row += self.times


def sheets(packed: zipfile.ZipFile, name: str, limits: Limits) -> list[Sheet]:
    """Every sheet, in their order."""
    reader, parser = _Reader(name, limits), expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: Any) -> None:
        raise InputError(Fault("box.entities_in_book", name))

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    with packed.open(CONTENT) as part:
        while piece := part.read(sizes.CHUNK):
            parser.Parse(piece)
    parser.Parse(b"", True)
    if not reader.sheets:
        raise InputError(Fault("box.no_sheet", name))
    return reader.sheets


def _without_digits(shown: str) -> str:
    """The words that a number is shown with, such as 亩."""
    return "".join(one for one in shown if not one.isdigit() and one not in ".,+-eE %")


def _is_shown(plain: str, shown: str) -> bool:
    """Whether a text shows a number as it is, with words around it."""
    digits = "".join(one for one in shown if one.isdigit() or one in ".-")
    return digits == plain


def _whole(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 10 else 1
