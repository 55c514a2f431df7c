"""Tables as people write them: sheets of every format, heading rows, what headings mean, what cells say."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.errors import A_SHEET, Fault, InputError
from geo_cluster.imports.checked import KINDS
from geo_cluster.imports.headings import calls_of, is_known, kind_of
from geo_cluster.world import portfolio
from geo_cluster.world.sheets import cells, layout, table, units
from geo_cluster.world.sheets.calls import Call
from tests.refusals import refusal_of

ROWS = [
    ["编号", "名称", "环节", "年产值(亿元)", "用地(亩)"],
    ["A1", "甲", "光纤激光器", 6, "30-35"],
    ["A2", "乙", "激光雷达", 3],
]
TEXT = "\n".join(",".join(map(str, row + [""] * (5 - len(row)))) for row in ROWS) + "\n"


def book(*sheets, change=None):
    """A workbook of sheets of rows; `change` may do more to it."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for k, rows in enumerate(sheets):
        page = made.create_sheet(f"S{k + 1}")
        for row in rows:
            page.append(row)
    if change:
        change(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def repacked(content, edit):
    """The same archive with its texts edited: `edit` takes name and text."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, edit(name, before.read(name).decode()))
    return out.getvalue()


def read(content, name="a.xlsx"):
    """Names, outputs and least land of the projects of a file."""
    found = portfolio.read_content(content, name)
    return list(zip(found["name"], found["output_100m_yuan"], found["land_mu_low"].round(6), strict=True))


def told(content, name="a.xlsx"):
    return " ".join(note["zh"] for note in portfolio.read_content(content, name).attrs["told"])


EXPECTED = [("甲", 6, 30), ("乙", 3, 9)]

HTML = (
    "<html><meta charset='utf-8'><table><tr>"
    + "</tr><tr>".join("".join(f"<td>{cell}</td>" for cell in row) for row in ROWS)
    + "</tr></table></html>"
)
NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
XML = (
    f"<?xml version='1.0'?><Workbook xmlns='{NAMESPACE}' xmlns:ss='{NAMESPACE}'><Worksheet ss:Name='S'><Table>"
    + "".join(
        "<Row>" + "".join(f"<Cell><Data ss:Type='String'>{cell}</Data></Cell>" for cell in row) + "</Row>"
        for row in ROWS
    )
    + "</Table></Worksheet></Workbook>"
)


def ods():
    """An OpenDocument workbook, formatted to its last row and column."""
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    number = '<table:table-cell office:value-type="float" office:value="{0}"><text:p>{0}</text:p></table:table-cell>'
    rows = "".join(
        "<table:table-row>"
        + "".join((number if isinstance(one, int) else cell).format(one) for one in row)
        + "</table:table-row>"
        for row in ROWS
    )
    rest = (
        '<table:table-row table:number-rows-repeated="1048570">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    spaces = " ".join(
        f'xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{key}:1.0"' for key in ("office", "table", "text")
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name='S'>"
            f"{rows}{rest}</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


def strict():
    """An OOXML workbook in the strict way of writing."""
    other = {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
            "http://purl.oclc.org/ooxml/officeDocument/relationships"
        ),
    }

    def edit(_, text):
        for transitional, one in other.items():
            text = text.replace(transitional, one)
        return text

    return repacked(book(ROWS), edit)


FILES = {
    "utf-8.csv": lambda: TEXT.encode(),
    "bom.csv": lambda: TEXT.encode("utf-8-sig"),
    "utf-16.csv": lambda: TEXT.encode("utf-16"),
    "utf-16-le.csv": lambda: TEXT.encode("utf-16-le"),
    "gbk.csv": lambda: TEXT.encode("gbk"),
    "gb18030.csv": lambda: TEXT.encode("gb18030"),
    "big5.csv": lambda: TEXT.translate(str.maketrans("编号称环节产值亿亩纤达", "編號稱環節產值億畝纖達")).encode(
        "big5"
    ),
    "tab.tsv": lambda: TEXT.replace(",", "\t").encode(),
    "semicolon.csv": lambda: TEXT.replace(",", ";").encode(),
    "bar.txt": lambda: TEXT.replace(",", "|").encode(),
    "full width.csv": lambda: TEXT.replace(",", "，").encode(),
    "declared.csv": lambda: ("sep=;\n" + TEXT.replace(",", ";")).encode(),
    "mac.csv": lambda: TEXT.replace("\n", "\r").encode(),
    "windows.csv": lambda: TEXT.replace("\n", "\r\n").encode(),
    "html.xls": lambda: HTML.encode(),
    "2003.xls": lambda: XML.encode(),
    "book.xlsx": lambda: book(ROWS),
    "macro.xlsm": lambda: book(ROWS),
    "strict.xlsx": strict,
    "open.ods": ods,
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_projects(name):
    assert read(FILES[name](), name) == EXPECTED


# ---- sheets -------------------------------------------------------------------------------------------------


def test_the_extent_that_a_sheet_states_is_not_believed_and_its_end_costs_nothing():
    shrunk = repacked(book(ROWS), lambda name, text: text.replace('<dimension ref="A1:E3"', '<dimension ref="A1"'))
    assert read(shrunk) == EXPECTED
    tail = '<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    wide = repacked(book(ROWS), lambda name, text: text.replace("</sheetData>", tail))
    assert read(wide) == EXPECTED


def test_hidden_sheets_rows_and_columns_are_told():
    def hide(made):
        made["S1"].sheet_state = "hidden"
        made["S2"].row_dimensions[3].hidden = True
        made["S2"].column_dimensions["E"].hidden = True

    content = book([ROWS[0], ["OLD", "旧", "激光雷达", 99]], ROWS, change=hide)
    assert read(content) == EXPECTED
    said = told(content)
    assert "“S1” 未读" in said and "隐藏：“S1”" in said
    assert "第 3 行是隐藏的" in said and "用地(亩)" in said
    assert table.read(content, "a.xlsx", is_known, chosen=("S1",)).frame["名称"].tolist() == ["旧"]
    with refusal_of("sheets.no_such_sheet", error=InputError):
        table.read(content, "a.xlsx", is_known, chosen=("S3",))


def test_a_cover_sheet_is_passed_over_and_other_tables_are_told():
    other = [["编号", "名称", "环节", "年产值(万元)", "用地"], ["B1", "丁", "激光雷达", 9, 9]]
    content = book([["项目申报材料"], ["某市招商局", "2026"]], ROWS, other)
    assert read(content) == EXPECTED
    assert "“S3” 也像同类表" in told(content)


def test_sheets_with_the_same_headings_are_read_together_and_told():
    more = [ROWS[0][::-1], [20, 4, "激光雷达", "丙", "A3"], [None, 2, "激光雷达", "丁", "A4"]]
    content = book(ROWS, [["说明"], ["略", "略"]], more)
    assert read(content) == [*EXPECTED, ("丙", 4, 20), ("丁", 2, 6)]
    assert "读取工作表“S1”、“S3”" in told(content)
    both = table.read(content, "a.xlsx", is_known)
    assert [(both.place(row).sheet, both.place(row).row % A_SHEET) for row in both.frame.index] == [
        ("S1", 2), ("S1", 3), ("S3", 2), ("S3", 3),
    ]  # fmt: skip
    assert table.read(content, "a.xlsx", is_known, chosen=("S3",)).frame["名称"].tolist() == ["丙", "丁"]
    with refusal_of("sheets.other_headings", error=InputError):
        table.read(content, "a.xlsx", is_known, chosen=("S1", "S2"))


def test_a_fault_on_a_further_sheet_names_it_and_a_project_on_two_sheets_is_asked():
    wrong = book(ROWS, [ROWS[0], ["A3", "丙", "激光雷达", 4, "30余亩"]])
    with refusal_of("sheets.open_ended", error=InputError) as refusal:
        read(wrong)
    assert refusal.value.faults[0].words("zh").where == "a.xlsx，S2 第 2 行“用地(亩)”列"
    with refusal_of("world.on_two_sheets", error=InputError, value="乙", earlier="S1"):
        read(book(ROWS, [ROWS[0], ["A9", "乙", "激光雷达", 4, 30]]))


def test_formulas_without_a_value_and_errors_are_named_where_they_are_read():
    rows = [[*ROWS[0], "核对"], ["A1", "甲", "光纤激光器", 6, "=1+1", "=2+2"]]
    with refusal_of("world.formula_without_value", error=InputError) as refusal:
        read(book(rows))
    assert [(fault.row, fault.column) for fault in refusal.value.faults] == [(2, "用地(亩)")], (
        "further columns don't count"
    )
    array = repacked(
        book([ROWS[0], ["A1", "甲", "光纤激光器", 6, 7]]),
        lambda _, text: text.replace('<c r="E2" t="n"><v>7</v></c>', '<c r="E2"><f t="array" ref="E2">SUM(A1)</f></c>'),
    )
    with refusal_of("world.formula_without_value", error=InputError):
        read(array)
    with refusal_of("world.spreadsheet_error", error=InputError):
        read(book([ROWS[0], ["A1", "甲", "光纤激光器", 6, "#REF!"]]))


def test_numbers_show_as_their_formats_say():
    def dress(made):
        page = made["S1"]
        page["D2"].number_format = '0.0"亿元"'
        page["E2"].number_format = '"约"0"亩"'
        page["F2"].number_format = "yyyy-mm-dd"

    rows = [[*ROWS[0][:3], "年产值", "用地", "投产时间"], ["A1", "甲", "光纤激光器", 6, 30, 46539]]
    (row,) = portfolio.read_content(book(rows, change=dress), "a.xlsx").itertuples()
    assert (row.output_100m_yuan, row.land_mu_low, row.year) == (6, 30, 2027)


def test_a_password_and_what_is_no_table_are_named():
    guarded = b"\xd0\xcf\x11\xe0" + bytes(100) + "EncryptedPackage".encode("utf-16-le") + bytes(1000)
    with refusal_of("box.password", error=InputError):
        door.sheets(guarded, "a.xlsx")
    for content in (b"%PDF-1.7", b"Rar!\x1a\x07"):
        with pytest.raises(InputError):
            door.sheets(content, "a.pdf")


# ---- headings -----------------------------------------------------------------------------------------------


def lines(*rows):
    return [[cell or "" for cell in row] for row in rows]


def laid(*rows, merged=()):
    sheet = door.Sheet("S", [(k, row) for k, row in enumerate(lines(*rows), start=1) if any(row)], merged=list(merged))
    found = layout.of_sheet(sheet, is_known)
    assert found is not None
    return found


def test_titles_notes_totals_and_numbers_of_columns_are_left_out():
    found = laid(
        ["项目汇总表"],
        ["单位：万元、亩", "", "2026年11月"],
        ["序号", "项目名称", "环节", "年产值", "用地"],
        ["1", "2", "3", "4", "5"],
        ["1", "甲", "激光雷达", "30000", "20"],
        ["一、光电子类"],
        ["小计", "", "", "30000", "20"],
        ["序号", "项目名称", "环节", "年产值", "用地"],
        ["2", "乙", "激光雷达", "20000", "10"],
        ["", "合　计", "", "50000", "30"],
        ["注：用地为净用地"],
        ["填报人：张三", "", "审核：李四"],
    )
    assert [row[1] for _, row in found.rows] == ["甲", "乙"]
    assert (found.top, found.units) == (3, ["万元", "亩"])
    why = {row: reason for row, reason, _ in found.dropped}
    assert why == {4: "numbering", 6: "note", 7: "total", 8: "repeated", 10: "total", 11: "note", 12: "note"}


def test_headings_of_two_rows_and_a_row_of_units():
    two = laid(
        ["名称", "环节", "要素需求", "", "产出"],
        ["", "", "用地(亩)", "年用电", "年产值(亿元)"],
        ["甲", "激光雷达", "20", "3", "5"],
        merged=[(1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 4)],
    )
    assert two.headings == ["名称", "环节", "要素需求｜用地(亩)", "要素需求｜年用电", "产出｜年产值(亿元)"]
    assert two.top == 2
    below = laid(["名称", "环节", "年产值", "用地"], ["", "", "（万元）", "公顷"], ["甲", "激光雷达", "50000", "2"])
    calls = calls_of("projects")
    assert [(calls.of(one).key, calls.of(one).unit) for one in below.headings[2:]] == [
        ("output_100m_yuan", "万元"),
        ("land_mu", "公顷"),
    ]


def test_what_is_merged_downwards_counts_for_each_row_but_not_an_amount():
    found = laid(
        ["名称", "环节", "用地"], ["甲", "激光雷达", "80"], ["乙", "", ""], merged=[(2, 2, 3, 2), (2, 3, 3, 3)]
    )
    assert [row for _, row in found.rows][1] == ["乙", "激光雷达", "80"]
    assert found.filled == {(3, 2), (3, 3)}
    rows = [["名称", "环节", "年产值(亿元)", "用地(亩)"], ["甲", "激光雷达", 5, 80], ["乙", None, 6, None]]

    def merge(made):
        made["S1"].merge_cells("B2:B3")
        made["S1"].merge_cells("D2:D3")

    with refusal_of("sheets.merged_amount", error=InputError) as refusal:
        read(book(rows, change=merge))
    assert [(fault.row, fault.column) for fault in refusal.value.faults] == [(3, "用地(亩)")]


MEANT = {
    "年产值（万元）": ("output_100m_yuan", "万元"),
    "年产值/万元": ("output_100m_yuan", "万元"),
    "年产值万元": ("output_100m_yuan", "万元"),
    "年产值(预计，万元)": ("output_100m_yuan", "万元"),
    "达产年产值": ("output_100m_yuan", ""),
    "年產值（億元）": ("output_100m_yuan", "亿元"),
    "用地需求": ("land_mu", ""),
    "拟用地面积（公顷）": ("land_mu", "公顷"),
    "land_ha": ("land_mu", "ha"),
    "用电(MVA)": ("power_mva", "MVA"),
    "用电(万千瓦时)": ("energy_gwh", "万千瓦时"),
    "用电负荷（万千瓦）": ("power_mva", "万千瓦"),
    "所属环节": ("segment", ""),
    "投产时间": ("year", ""),
    "用电": ("", ""),
    "面积": ("", ""),
    "固定资产投资(亿元)": ("", ""),
    "注册资本(万元)": ("", ""),
    "投资强度(万元/亩)": ("", ""),
    "年综合能耗(吨标煤)": ("", ""),
}


@pytest.mark.parametrize("heading", MEANT)
def test_headings_are_matched_by_what_they_mean_and_not_beyond(heading):
    call = calls_of("projects").of(heading)
    assert (call.key, call.unit) == MEANT[heading]


@pytest.mark.parametrize("heading", ["年产值(亿美元)", "用地(坪)", "总投资(亿元)(万元)", "年产值（斤）"])
def test_a_unit_that_is_none_of_a_column_is_never_left_out(heading):
    assert calls_of("projects").of(heading).strange


@pytest.mark.parametrize("kind", KINDS)
def test_every_declared_name_means_its_column(kind):
    calls = calls_of(kind)
    for key, column in calls.columns.items():
        for name in (key, column["zh"], column["en"]):
            assert calls.of(name).key == key, name
    assert kind_of([column["zh"] for column in calls.columns.values()]) == kind


def test_a_table_of_projects_is_no_table_of_observations():
    heads = ["序号", "项目名称", "所属环节", "达产年产值", "用地需求", "来源", "单位", "时间", "备注"]
    assert kind_of(heads) == "projects"


# ---- units and cells ----------------------------------------------------------------------------------------


def test_units_are_as_large_as_they_are():
    for kind, row in toml.table("units")["kinds"].items():
        for name in row["units"]:
            assert units.size(kind, name) == row["units"][name]
    assert units.factor("亩", "平方公里") == pytest.approx(1500)
    assert units.factor("万元/亩", "元/平方米") == pytest.approx(1 / 15)
    assert units.factor("MVA", "万千瓦") == pytest.approx(10 / units.power_factor())
    assert units.factor("GWh", "亿千瓦时") == pytest.approx(100)
    assert units.factor("吨标准煤/年", "万吨标煤") == 10_000
    assert units.factor("公顷", "公亩") == 0.01
    assert [units.factor("亿元", one) for one in ("亿美元", "万港元", "斤", "亩", "吨标准煤")] == [None] * 5


AMOUNTS = {
    "约30亩": (30, 30, "亩"), "30~35": (30, 35, ""), "30-35亩": (30, 35, "亩"), "三十亩": (30, 30, "亩"),
    "３０": (30, 30, ""), "1,200": (1200, 1200, ""), "5MVA": (5, 5, "mva"), "2×1250kVA": (2500, 2500, "kva"),
    "16亿": (16, 16, "亿"), "0.8-1.2亿元": (0.8, 1.2, "亿元"),
    "一百二十亩": (120, 120, "亩"), "二十八点五": (28.5, 28.5, ""),
    "三万平方米": (3, 3, "万平方米"), "一亿二千万": (1.2e8, 1.2e8, ""),
    "30（亩）": (30, 30, "亩"), "30±5": (25, 35, ""),
    "三十至三十五亩": (30, 35, "亩"), "30㎡": (30, 30, "㎡"), "1e3": (1000, 1000, ""), "¥30": (30, 30, ""),
}  # fmt: skip


@pytest.mark.parametrize("cell", AMOUNTS)
def test_amounts_as_people_write_them(cell):
    found = cells.amount(cell)
    assert not isinstance(found, Fault), found
    assert (found.low, found.high, found.high_unit) == AMOUNTS[cell]


DOUBTED = {
    "1,2": "ambiguous", "30，35": "ambiguous", "1/2": "ambiguous", "30、35": "ambiguous", "25/30/35": "ambiguous",
    "30余亩": "open_ended", "不超过30亩": "open_ended",
    "≥30": "open_ended", "30亩以上": "open_ended", "十几亩": "open_ended",
    "30①": "not_a_number", "½": "not_a_number", "30 35": "not_a_number", "(30)": "not_a_number", "1万2": "not_a_number",
    "一亩半": "not_a_number", "2026-03-05": "date_for_number", "$30": "unknown_currency", "1e999": "not_a_number",
    "63×50": "which_is_the_count",
}  # fmt: skip


@pytest.mark.parametrize("cell", DOUBTED)
def test_what_may_mean_two_things_is_asked(cell):
    found = cells.amount(cell)
    assert isinstance(found, Fault)
    assert found.code == f"sheets.{DOUBTED[cell]}"


@pytest.mark.parametrize("piece", ["9", "3 ", "一", "3x", "约", "2027年", "110/", "1°"])
def test_a_cell_as_long_as_a_file_is_no_number_and_is_not_looked_through(piece):
    """Time with the square of the length: it would take minutes."""
    cell = piece * 200_000
    for reader in (cells.amount, cells.ratings, cells.voltages, cells.year, cells.degrees):
        assert isinstance(reader(cell), Fault)
    assert cells.day(cell) is None


def test_a_text_as_long_as_a_file_is_no_heading():
    """An outline in KML, read as a table, took minutes and two gigabytes."""
    assert portfolio.calls().of("<Folder></Folder> / " * 100_000) == Call()


@pytest.mark.parametrize("cell", ["", " ", "无", "/", "待定", "—", "N/A", "暂无"])
def test_cells_that_say_nothing(cell):
    assert cells.is_empty(cell)


RATINGS = {
    "2×63": "2x63", "2X63": "2x63", "63x2": "2x63", "2*63MVA": "2x63", "2×63000kVA": "2x63", "63MVA×2": "2x63",
    "2台63": "2x63", "63*2台": "2x63", "126": "126",
    "2x50+31.5": "2x50+31.5", "50、50": "50+50", "2×63+50MVA": "2x63+50",
}  # fmt: skip


@pytest.mark.parametrize("cell", RATINGS)
def test_ratings_of_transformers(cell):
    assert cells.ratings(cell) == RATINGS[cell]


@pytest.mark.parametrize("cell", ["0x63", "63×50", "63000", "-63", "two", "2x63x"])
def test_ratings_that_are_none_are_asked(cell):
    assert isinstance(cells.ratings(cell), Fault)


@settings(max_examples=200, deadline=None)
@given(
    low=st.integers(1, 10**6), more=st.integers(0, 10**6), unit=st.sampled_from(["亩", "公顷", "㎡", "万平方米", ""])
)
def test_a_range_is_read_as_it_was_written(low, more, unit):
    more = min(more, 99 * low)  # further apart, and with 万, it is asked
    for text in (f"{low}-{low + more}{unit}", f"{low}{unit}~{low + more}{unit}", f"约{low:,}至{low + more:,}{unit}"):
        found = cells.amount(text)
        assert not isinstance(found, Fault), text
        assert (found.low, found.high) == (low, low + more)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_no_cell_breaks_a_reader_and_none_without_a_digit_is_a_number(text):
    found = cells.amount(text)
    if not isinstance(found, Fault):
        assert any(one.isdigit() or one in "零〇一二两三四五六七八九十半" for one in cells.fold(text))
        assert abs(found.low) < 1e300
    for reader in (cells.ratings, cells.voltages, cells.year, cells.degrees):
        assert isinstance(reader(text), str | Fault)
    assert cells.day(text) is None or len(cells.day(text)) in (4, 7, 10)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 99_999_999))
def test_chinese_numerals_are_read_as_they_are_said(number):
    found = cells.amount(said(number))
    assert found.low * (units.prefix(found.low_unit) or 1) == number


def said(number):
    """A whole number below 10^8 in Chinese."""
    if number >= 10_000:
        rest = number % 10_000
        return said(number // 10_000) + "万" + ("零" if 0 < rest < 1000 else "") + (said(rest) if rest else "")
    out, zero = "", False
    for step, mark in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, step)
        if digit:
            out += ("零" if zero and out else "") + "零一二三四五六七八九"[digit] + mark
            zero = False
        else:
            zero = bool(out)
    return out
