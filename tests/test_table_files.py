"""Workbooks of every format as programs write them, and changed at random: read right, or refused in words."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo_cluster.box import door
from geo_cluster.errors import InputError
from geo_cluster.imports.headings import is_known
from geo_cluster.world import portfolio
from geo_cluster.world.sheets import table
from tests.fuzzing import changed
from tests.refusals import refusal_of
from tests.test_sheets import HTML, ROWS, XML, book, ods, strict

DATA = Path(__file__).parent / "data" / "tables"


def record(kind, content=b""):
    """A record of a binary workbook: its number and length in groups of seven bits, then its content (MS-XLSB)."""

    def groups(number):
        out = b""
        while True:
            number, seven = number >> 7, number & 0x7F
            out += bytes([seven | (0x80 if number else 0)])
            if not number:
                return out

    number = kind.to_bytes(1, "little") if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return number + groups(len(content)) + content


def wide(text):
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb():
    """A binary workbook with one sheet of `ROWS`."""
    cells = b""
    for number, row in enumerate(ROWS):
        cells += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        for column, value in enumerate(row):
            at = struct.pack("<II", column, 0)
            cells += record(6, at + wide(value)) if isinstance(value, str) else record(5, at + struct.pack("<d", value))
    size = record(148, struct.pack("<IIII", 0, len(ROWS) - 1, 0, 4))
    sheet = record(129) + size + record(145) + cells + record(146) + record(130)
    bundle = record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("S"))
    globals_ = record(131) + record(143) + bundle + record(144) + record(132)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    one = '<Relationship Id="rId1" Type="{0}/{1}" Target="{2}"/>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        head = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        types = '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
        space = "http://schemas.openxmlformats.org/package/2006/content-types"
        made.writestr("[Content_Types].xml", f'<Types xmlns="{space}">{types}</Types>')
        made.writestr("_rels/.rels", head + one.format(kind, "officeDocument", "xl/workbook.bin") + "</Relationships>")
        rels = head + one.format(kind, "worksheet", "worksheets/sheet1.bin") + "</Relationships>"
        made.writestr("xl/_rels/workbook.bin.rels", rels)
        made.writestr("xl/workbook.bin", globals_)
        made.writestr("xl/worksheets/sheet1.bin", sheet)
    return out.getvalue()


def read(content, name):
    found = portfolio.read_content(content, name)
    return list(zip(found["name"], found["output_100m_yuan"], found["land_mu_low"].round(6), strict=True))


@pytest.mark.parametrize("name", ["book.xls", "book.ods", "book.et"])
def test_what_an_office_program_saved_is_read(name):
    """The sheet that has the table, past the one of explanations, the title, the hidden row, the hidden sheet."""
    content = (DATA / name.replace(".et", ".xls")).read_bytes()
    found = portfolio.read_content(content, name)
    assert found["name"].tolist() == ["甲", "乙", "丙"]
    assert found["output_100m_yuan"].tolist() == [6, 3, 5]
    assert found["land_mu_high"].tolist() == [35, 20, 10]
    assert found["year"].tolist()[:2] == [2027, 2028]
    said = " ".join(note["zh"] for note in found.attrs["told"])
    assert "隐藏：“旧”" in said
    assert "合计行不读：第 6 行" in said
    if name == "book.ods":  # the reader of .xls doesn't say which rows are hidden
        assert "第 4 行是隐藏的" in said


def test_a_binary_workbook_is_read():
    assert read(xlsb(), "a.xlsb") == read(book(ROWS), "a.xlsx")


@pytest.mark.parametrize("name", ["guarded.xls", "guarded.ods"])
def test_a_password_is_named(name):
    with refusal_of("box.password", error=InputError):
        door.sheets((DATA / name).read_bytes(), name)


def test_a_sheet_that_is_a_chart_is_passed_over():
    made = openpyxl.load_workbook(io.BytesIO(book(ROWS)))
    made.create_chartsheet("图", 0).add_chart(openpyxl.chart.BarChart())
    out = io.BytesIO()
    made.save(out)
    assert read(out.getvalue(), "a.xlsx") == read(book(ROWS), "a.xlsx")


def test_rows_that_are_filtered_away_are_told():
    def sift(made):
        made["S1"].auto_filter.ref = "A1:E3"
        made["S1"].auto_filter.add_filter_column(1, ["甲"])
        made["S1"].row_dimensions[3].hidden = True

    found = table.read(book(ROWS, change=sift), "a.xlsx", is_known)
    assert any("第 3 行是隐藏的或被筛选掉的" in note.zh for note in found.notes)


HONEST = {
    "a.xls": (DATA / "book.xls").read_bytes,
    "a.ods": ods,
    "a.xlsb": xlsb,
    "a.xlsx": strict,
    "a.html": HTML.encode,
    "a.xml": XML.encode,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=True))
def test_a_changed_workbook_is_read_or_refused_in_words(name, chance: random.Random):
    content = changed(HONEST[name](), chance)
    try:
        portfolio.read_content(content, name)
    except InputError as refusal:
        for fault in refusal.faults:
            assert fault.words("zh").what
            assert fault.words("en").remedy


CELLS = st.text(
    st.sampled_from("0123456789.,，-~～±×x/ 　()（）亩公顷㎡万亿元千百十三五约近余以上%$€#=+'\"e\u200b①½MVAkWh"),
    max_size=12,
)
HEADS = st.sampled_from(["年产值(亿元)", "年产值", "产值（万元）", "年产值/千元", "达产年产值｜万元", "产值(亿美元)"])
MARKS = st.sampled_from([",", "\t", ";", "|", "，"])
CODES = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(cells=st.lists(CELLS, min_size=1, max_size=4), head=HEADS, mark=MARKS, code=CODES)
def test_whatever_stands_in_cells_is_read_or_refused(cells, head, mark, code):
    """Nothing but a fault is raised, and what is read lies within what the digits of the cell can mean."""
    cells = [cell.replace('"', "").replace(mark, "") for cell in cells]
    lines = [f"名称{mark}环节{mark}{head}", *(f"项目{k}{mark}激光雷达{mark}{cell}" for k, cell in enumerate(cells))]
    try:
        found = portfolio.read_content("\n".join(lines).encode(code), "a.csv")
    except InputError:
        return
    assert (found["output_100m_yuan"] > 0).all()
    assert len(found) <= len(cells)
