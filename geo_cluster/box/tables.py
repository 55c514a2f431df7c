"""Sheets of whatever holds a table, as text; runs in the box.

What a file is, its content says: text with any separator, HTML, workbooks of Office, WPS and OpenDocument. Only rows
with something in them come out, each with its number in the file: what a spreadsheet has formatted far below its data
costs nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Any

from geo_cluster.box import marked, open_document, open_xml, sizes
from geo_cluster.box.cells import Sheet, of_rows, shown
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError, place

MARKS = ",\t;|，"
"""What may separate cells of a text."""

LOOKED_AT = 200
"""Lines that decide about the separator, and characters of a line that do."""

Answer = tuple[dict[str, Any]]


def lines(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """The sheets of a text: its rows, or the tables of HTML and of XML workbooks of 2003."""
    name, (content,) = asked["name"], files.values()
    text = decoded(content, name)
    if marked.is_2003(text):
        return _said(marked.sheets_2003(text, name, limits), name)
    if marked.is_html(text):
        return _said(marked.html_sheets(text, name, limits), name)
    return _said([_separated(text, name, limits)], name)


def _said(sheets: list[Sheet], name: str) -> Answer:
    if not sheets:
        raise InputError(Fault("box.no_sheet", name))
    return ({"sheets": [sheet.said() for sheet in sheets]},)


def _separated(text: str, name: str, limits: Limits) -> Sheet:
    """Rows of text with a separator."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    limits.refuse(name, "rows", text.count("\n"), "box.too_many_lines")
    declared = re.match(r"\s*sep=(.)\n", text)
    mark = declared[1] if declared else separator(text)
    text = re.sub(rf"[{re.escape(mark)}]{{50,}}(?=\n|$)", "", text)  # what was formatted far to the right of the data
    csv.field_size_limit(limits.characters)
    lines_ = text.split("\n")
    for number, line in enumerate(lines_, start=1):
        if len(line) > limits.columns and '"' not in line:  # its cells would take much more room than its text
            limits.refuse(place(name, number), "columns", line.count(mark) + 1, "box.row_too_wide")
    del text
    sheet = Sheet("", name, limits)
    reader = csv.reader((f"{line}\n" for line in lines_), delimiter=mark, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if not (declared and number == 1):
                of_rows(sheet, [(number, row)])
    except csv.Error as problem:
        where = place(name, number + 1)
        if "field limit" in str(problem):
            limits.refuse(where, "characters", max(map(len, lines_)), "box.cell_too_long")
        raise InputError(Fault("box.broken_csv", where, reason=str(problem))) from None
    return sheet


def separator(text: str) -> str:
    r"""What separates cells: the mark that most lines have equally often, outside of quotation marks.

    >>> separator("项目汇总表，2027\n编号\t名称\t用地,亩\nA1\t甲\t1,200\n"), separator("a;b\n1,5;2,5\n")
    ('\t', ';')
    """
    head = [line for line in text.lstrip("\ufeff").split("\n", LOOKED_AT)[:LOOKED_AT] if line.strip()]
    bare = [re.sub(r'"[^"]*"', "", line[: LOOKED_AT * 100]) for line in head]

    def agreement(mark: str) -> tuple[float, int]:
        counts = Counter(line.count(mark) for line in bare if mark in line)
        if not counts:
            return 0.0, 0
        often, lines_ = max(counts.items(), key=lambda one: (one[1], one[0]))
        return (lines_ / len(bare)) ** 2 * min(often, 3), often

    return max(MARKS, key=agreement)


def decoded(content: bytes, name: str) -> str:
    """The text that bytes are, in UTF-8, UTF-16, GB 18030 or Big5.

    Raises
    ------
    InputError
        It is none.
    """
    for code in _codes(content):
        try:
            text = content.decode(code)
        except UnicodeDecodeError:
            continue
        if code.startswith("utf-8") and "\0" not in text:  # a stray control character is a cell's own
            return text.removeprefix("\ufeff")
        if not _NO_TEXT.search(text) and _is_plausible(text):
            return text.removeprefix("\ufeff")
    raise InputError(Fault("box.not_text", name))


_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f]")


def _is_plausible(text: str) -> bool:
    """Whether most of a text are letters and marks of Chinese and of ASCII."""
    head = text[:4000]
    usual = sum(one < "\x7f" or "\u4e00" <= one <= "\u9fff" or one in "，。（）、：；“”％～—㎡×℃·《》" for one in head)
    return usual >= 0.7 * len(head)


def _codes(content: bytes) -> tuple[str, ...]:
    if content[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return ("utf-32",)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    head = content[:4000]
    if len(content) % 2 == 0 and head.count(0) > len(head) / 10:
        return ("utf-16-le", "utf-16-be") if head[1::2].count(0) > head[::2].count(0) else ("utf-16-be", "utf-16-le")
    return ("utf-8-sig", "big5", "gb18030") if _is_big5(content[:200_000]) else ("utf-8-sig", "gb18030", "big5")


def _is_big5(content: bytes) -> bool:
    """Whether text of two bytes a character is more likely Big5: common characters lie where GB 2312 has none.

    Common characters of Big5 are A4 40 to C6 7E, their second bytes 40 to 7E or A1 to FE; those of GB 2312 have both
    bytes from A1 on, the first from B0 to F7.
    """
    pairs = re.findall(rb"[\x81-\xfe][\x40-\xfe]", content)
    common_gb = sum(0xB0 <= first <= 0xD7 and second >= 0xA1 for first, second in pairs)
    common_big5 = sum(0xA4 <= first <= 0xC6 and (0x40 <= second <= 0x7E or second >= 0xA1) for first, second in pairs)
    low = sum(second < 0x7F for _, second in pairs)
    return len(pairs) > 0 and low > len(pairs) / 10 and common_big5 > common_gb


def sheet(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """The sheets of a workbook: cells as they show, formulas without a value, errors such as #REF!, what is hidden."""
    name, (content,) = asked["name"], files.values()
    if content[:2] != b"PK":
        return _said(_binary(content, name, limits), name)
    with sizes.archive(content, name, limits) as packed:
        book = open_xml.book_of(packed)
        if book.lower().endswith(".bin"):
            return _said(_binary(content, name, limits), name)
        if book:
            return _said(open_xml.sheets(packed, book, name, limits), name)
        if open_document.CONTENT in packed.namelist():
            if open_document.is_guarded(packed):
                raise InputError(Fault("box.password", name))
            return _said(open_document.sheets(packed, name, limits), name)
        raise InputError(Fault("box.not_a_book", name))


def _binary(content: bytes, name: str, limits: Limits) -> list[Sheet]:
    """Sheets of .xls and .et (BIFF) and of .xlsb."""
    import python_calamine as calamine

    if content[:2] != b"PK" and (_is_sealed(content) or _has_password(content)):
        raise InputError(Fault("box.password", name))
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except calamine.PasswordError:
        raise InputError(Fault("box.password", name)) from None
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError, OSError, ValueError) as problem:
        if "password" in str(problem).lower():
            raise InputError(Fault("box.password", name)) from None
        raise InputError(Fault("box.broken_book", name, reason=str(problem)[:200])) from None
    out = []
    for about in book.sheets_metadata:
        if about.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        page = book.get_sheet_by_name(about.name)
        one = Sheet(about.name, name, limits, hidden=about.visible != calamine.SheetVisibleEnum.Visible)
        top, left = page.start or (0, 0)
        limits.refuse(name, "cells", page.height * page.width / 4, "box.too_many_cells")  # a fourth of them filled
        for down, row in enumerate(page.to_python(skip_empty_area=True), start=top + 1):
            one.add(down, {left + right: shown(value) for right, value in enumerate(row, start=1)})
        for first, last in page.merged_cell_ranges or ():
            one.merge(first[0] + 1, first[1] + 1, last[0] + 1, last[1] + 1)
        for number, cells in one.rows:
            one.odd += [(number, k, "error", cell) for k, cell in enumerate(cells, start=1) if cell in ERRORS]
        out.append(one)
    return out


def _is_sealed(content: bytes) -> bool:
    """Whether an .xlsx is packed into a container that takes a password."""
    return "EncryptedPackage".encode("utf-16-le") in content


def _has_password(content: bytes) -> bool:
    """Whether the globals of an .xls begin with FILEPASS, before anything that can be read (MS-XLS 2.4.117)."""
    at = content.find(b"\x09\x08\x10\x00\x00\x06\x05\x00")  # BOF of the globals
    for _ in range(4):
        kind, length = (int.from_bytes(content[k : k + 2], "little") for k in (at, at + 2))
        if at < 0 or kind == FILEPASS:
            return at >= 0
        at += 4 + length
    return False


FILEPASS = 0x2F

ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#DATA!")
"""What a cell shows that holds an error."""
