"""Tables as they leave, and come back: CSV and XLSX that a spreadsheet opens and runs nothing of.

Whatever table goes out, goes through here. Text that a spreadsheet could take for a formula gets an apostrophe, and
`bare` takes away exactly that one: what was written is what is read.
"""

from __future__ import annotations

import contextlib
import io
import re
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster.archive import archived

LEADS = r"=+\-@⁺⁻⁼₊₋₌−⩵⩶﬩﹢﹣﹦﹫＋－＝＠"
"""What begins a formula, and what compatibility forms (NFKC) turn into it, in a class of characters."""

BLANKS = (
    r"\x00-\x20\x7f-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
"""Blank, invisible and control characters, which some programs skip before a formula."""

# Where a cell could begin (at the start, and after what separates cells where the comma doesn't: `;` in half of Europe,
# tabs in text that is pasted, line ends), what may stand before a formula there, and what begins one, if anything does.
# Apostrophes count as blank, so that one more or less changes nothing else.
_CELL = re.compile(rf"(^|[;\t\r\n])([{BLANKS}']*)([{LEADS}]?)")
_BREAK = re.compile(r"'*[\t\r\n]")

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
WIDEST = 36
"""A column is at most so wide, in characters; longer texts go on in more lines."""

_LONGEST = 32_767
"""UTF-16 units that a cell of a workbook holds."""

_COUNTERS = (24, 92)
"""Where in SQLite's header the changes are counted, 4 bytes each."""


def inert(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would otherwise begin a formula.

    >>> inert("=1+1"), inert("1+1"), bare(inert("=1+1"))
    ("'=1+1", '1+1', '=1+1')
    """

    def guarded(found: re.Match[str]) -> str:
        before, blank, lead = found.groups()
        if lead:
            return before + "'" + re.sub(r"([\t\r\n])", r"\1'", blank) + lead
        return f"'{blank}" if not before and _BREAK.match(blank) else found[0]

    return _CELL.sub(guarded, text)


def bare(text: str) -> str:
    """The text that `inert` was given."""

    def freed(found: re.Match[str]) -> str:
        before, blank, lead = found.groups()
        if lead:
            return before + re.sub(r"([\t\r\n])'", r"\1", blank.removeprefix("'")) + lead
        return blank.removeprefix("'") if not before and _BREAK.match(blank) else found[0]

    return _CELL.sub(freed, text)


def as_csv(table: pd.DataFrame, *, heading: bool = True) -> bytes:
    """One table as CSV in UTF-8 with a byte-order mark, text inert and without NUL; without `heading`, rows to add."""
    text = _each(table, inert).to_csv(index=False, header=heading, lineterminator="\r\n").replace("\0", "")
    return text.encode("utf-8-sig" if heading else "utf-8", "replace")


def read_csv(content: bytes, **how: Any) -> pd.DataFrame:
    """A table that `as_csv` wrote; `how` is for `pandas.read_csv`, by default every cell is text."""
    how = how or {"dtype": str, "keep_default_na": False}
    table = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", **how)
    return bared(table) if b"'" in content else table


def bared(table: pd.DataFrame) -> pd.DataFrame:
    """A table that was read, with the text that was written: cells and headings without our apostrophes."""
    return _each(table, bare)


def as_xlsx(
    sheets: Mapping[str, pd.DataFrame],
    *,
    formats: Mapping[str, str] = MappingProxyType({}),
    totals: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
    notice: str = "",
) -> bytes:
    """Tables as one workbook, a sheet each, ready to filter and to print on A4; text stays text.

    Parameters
    ----------
    sheets : mapping
        Name -> table.
    formats : mapping
        Heading -> how the numbers of the column are shown.
    totals : mapping
        Name of a sheet -> its last row, by heading; it isn't filtered.
    notice : str
        What every printed page says above; a last column that has nothing else isn't printed beside it.
    """
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side  # slow to import: where a workbook is made
    from openpyxl.utils import get_column_letter

    wrapped, centred = Alignment(wrap_text=True, vertical="top"), Alignment(wrap_text=True, vertical="center")
    head, head_font = PatternFill("solid", fgColor="0B6E75"), Font(bold=True, color="FFFFFF")
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as writer:
        for name, table in sheets.items():
            _each(table, _cell_text).to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
            page, total = writer.sheets[name], totals.get(name, {})
            page.auto_filter.ref = page.dimensions
            for number, column in enumerate(table, start=1):
                letter = get_column_letter(number)
                widest = max([0, *(_wide(str(cell)) for cell in table.iloc[:, number - 1])])
                page.column_dimensions[letter].width = min(max(widest, 0.6 * _wide(str(column)), 6) + 2, WIDEST)
                if column in total:
                    cell = page.cell(len(table) + 2, number, total[column])
                    cell.font, cell.border = Font(bold=True), Border(top=Side(style="thin"))
                for (cell,) in page[f"{letter}2:{letter}{page.max_row}"] if column in formats and len(table) else ():
                    cell.number_format = formats[column]
            for cell in (cell for row in page.iter_rows() for cell in row if isinstance(cell.value, str)):
                cell.data_type = "s"  # not "e", as openpyxl has it for text such as #REF!
                cell.alignment = wrapped
            for cell in page[1]:
                cell.fill, cell.font, cell.alignment = head, head_font, centred
            _for_print(page, notice)
            if notice and len(table) and table.columns.size > 1 and (table.iloc[:, -1] == notice).all():
                page.print_area = f"A1:{get_column_letter(table.columns.size - 1)}{page.max_row}"
    return undated(file.getvalue())


def _wide(text: str) -> float:
    """How wide a text is in a spreadsheet's characters, of which a Chinese one takes two."""
    return sum(2.0 if letter >= "\u2e80" else 1.05 for letter in text)


def _for_print(page: Any, notice: str) -> None:
    """A4 on its side, as wide as the paper, headings on each page, name of the sheet and number of the page below."""
    from openpyxl.worksheet.properties import PageSetupProperties

    page.oddHeader.center.text = notice.replace("&", "&&")
    page.page_setup.orientation, page.page_setup.paperSize = page.ORIENTATION_LANDSCAPE, page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_title_rows = "1:1"
    page.oddFooter.left.text, page.oddFooter.right.text = "&A", "&P / &N"


def undated(workbook: bytes) -> bytes:
    """A workbook without the time of its making: the same content gives the same bytes."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    files[core] = re.sub(rb"(<dcterms:\w+ [^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", files[core])
    return archived(files)


def undate_package(path: Path) -> None:
    """Take the time of its making out of a GeoPackage: the same content gives the same bytes.

    GDAL writes a layer in one transaction or in two, as time goes; SQLite counts them in the file's header, for others
    who have the file open (SQLite's file format, 1.3.7 and 1.3.21), and nobody has a new file open.

    Raises
    ------
    OSError
        It can't be written or the disk is full.
    """
    try:
        with contextlib.closing(sqlite3.connect(path)) as package, package:
            package.execute("PRAGMA synchronous = OFF")  # whoever made the file sees to that, once at the end
            names = {name for (name,) in package.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table, column in (("gpkg_contents", "last_change"), ("gpkg_metadata_reference", "timestamp")):
                if table in names:
                    package.execute(f"UPDATE {table} SET {column} = '1980-01-01T00:00:00.000Z'")
        with path.open("rb+") as file:
            for place in _COUNTERS:
                file.seek(place)
                file.write((1).to_bytes(4, "big"))
    except sqlite3.Error as problem:
        raise OSError(str(problem)) from problem


def _cell_text(text: str) -> str:
    """Inert text that a cell of a workbook can hold."""
    text = _NO_XML.sub("\ufffd", inert(text))
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * _LONGEST else units[: 2 * _LONGEST - 2].decode("utf-16-le", "ignore") + "…"


def _each(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with every text and every heading changed; most texts are there many times, and are changed once."""
    found = table.set_axis(range(table.shape[1]), axis=1)
    for number in found.select_dtypes(["object", "string", "category"]):
        codes, cells = pd.factorize(found[number])
        texts = [change(cell) if isinstance(cell, str) else cell for cell in cells]
        if any(one is not other for one, other in zip(texts, cells, strict=True) if isinstance(one, str)):
            known = np.empty(len(texts) + 1, dtype=object)
            known[:-1], known[-1] = texts, np.nan
            found[number] = pd.Series(known[codes], index=found.index, dtype=object)
    return found.set_axis([change(one) if isinstance(one, str) else one for one in table.columns], axis=1)
