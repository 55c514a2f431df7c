"""Tables that were once read wrongly, made anew: each with the value that it says, or the fault that it has."""

from __future__ import annotations

import io

import openpyxl
import pytest

from geo_cluster.imports.check import check_file, guess
from geo_cluster.imports.tables import TableChoice
from geo_cluster.region import prepare
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers

PROJECTS = "编号,名称,环节,年产值(亿元),投产年份,用地(亩),受电容量(MVA),年用电(GWh),最长车程(分钟),备注"
TWO = f"{PROJECTS}\nA1,虚构甲,光纤激光器,6,2028,120,8,20,150,甲\nA2,虚构乙,激光芯片,3,2027,30-35,,,,\n"


@pytest.fixture(scope="module")
def region():
    return prepare(catalog.scenario(), Layers())


def checked(region, text, kind="projects", name="t.csv", **more):
    content = text if isinstance(text, bytes) else text.encode("utf-8-sig")
    return check_file(content, name, kind=kind, region=region, **more)


def codes(found):
    return [(fault.code, fault.row, fault.column) for fault in found.faults]


def station(**cells):
    said = {"站名": "虚构变A", "电压等级(千伏)": "110/10", "主变(MVA)": "2x63", "最大负荷(MVA)": "40"}
    said |= {"经度": "115.03", "纬度": "30.12"} | cells
    said = {heading: cell for heading, cell in said.items() if cell is not None}
    return ",".join(said) + "\n" + ",".join(f'"{cell}"' for cell in said.values()) + "\n"


def land(heading, cell, *more):
    return f"园区,地块,{heading}\n" + "".join(f"{row}\n" for row in (f"H01,虚构-1,{cell}", *more))


def hectares(found):
    (one,) = (one for one in found.known if one.attribute == "available_land_ha")
    return one.low, one.high


# ---- projects -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("年产值（万元）", "60000"),
        ("年产值(百万元)", "600"),
        ("产值（元）", "600000000"),
        ("年产值", "6亿元"),
        ("达产年产值", "6"),
    ],
)
def test_output_counts_in_the_unit_that_is_written(region, heading, cell):
    found = checked(region, f"名称,环节,{heading}\n甲,光纤激光器,{cell}\n")
    assert found.preview["output_100m_yuan"].tolist() == [6]


@pytest.mark.parametrize(
    ("heading", "cell", "code"),
    [
        ("年产值(亿美元)", "6", "sheets.unit_not_understood"),
        ("年产值", "6亿美元", "sheets.unknown_unit"),
        ("年产值", "$6", "sheets.unknown_currency"),
        ("年产值", "60000", "sheets.no_unit"),
        ("年产值(万元)", "3万", "sheets.ambiguous_unit"),
        ("年产值(亿元)", "6斤", "sheets.unknown_unit"),
    ],
)
def test_money_that_is_not_clear_is_asked(region, heading, cell, code):
    found = checked(region, f"名称,环节,{heading}\n甲,光纤激光器,{cell}\n")
    assert [fault.code for fault in found.faults] == [code]
    assert found.faults[0].column == heading


@pytest.mark.parametrize("text", [TWO, TWO.replace(",", "\t"), TWO.replace("\n", "\r")])
def test_the_same_projects_by_every_door(region, text, tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(text.encode())
    assert portfolio.read(path).index.tolist() == ["A1", "A2"]
    assert portfolio.read_text(text.encode())["id"].tolist() == ["A1", "A2"]
    assert checked(region, text).preview["id"].tolist() == ["A1", "A2"]


def test_the_same_project_twice_is_told(region):
    row = "激光雷达,甲,5\n"
    assert codes(checked(region, f"环节,名称,年产值(亿元)\n{row}{row}")) == [("imports.same_project", 3, "名称")]


def test_further_columns_are_carried_along_and_come_out_again(region):
    found = checked(region, "名称,环节,年产值(亿元),联系人\n甲,激光雷达,5,=cmd|' /C calc'!A0\n")
    content = found.files["projects.csv"]
    assert b"'=cmd|" in content, "no formula leaves"
    again = portfolio.read_text(content)
    assert again["联系人"].tolist() == ["=cmd|' /C calc'!A0"]
    assert portfolio.write_text(again) == content
    assert any("联系人" in note.zh for note in found.notes)


def test_headings_are_matched_by_hand_and_rows_mended(region):
    text = "名称,赛道,规模,面积,年产值(亿元)\n甲,激光雷达,大,30,5\n乙,激光雷达,小,30余亩,6\n丙,激光雷达,小,10,7\n"
    first = checked(region, text)
    assert [fault.code for fault in first.faults if not fault.row] == ["imports.no_column"]
    mapping = {"赛道": "segment", "面积": "land_mu"}
    second = checked(region, text, table=TableChoice(mapping=mapping))
    assert codes(second) == [("sheets.open_ended", 3, "面积")]
    choice = TableChoice(mapping=mapping, mended={(3, 3): "30-35"}, without=frozenset({4}))
    third = checked(region, text, table=choice)
    assert third.is_ready
    assert third.preview["land_mu_high"].tolist() == [30, 35]
    assert third.table.loc[3, "面积"] == "30-35"
    assert third.meant.set_index("heading").loc["面积", "samples"] == "30 · 30-35"


def test_what_was_understood_stands_beside_what_was_written(region):
    found = checked(region, "名称,环节,年产值,投产时间,用地\n甲,激光雷达,16亿,2027年6月,约30亩\n")
    beside = found.changed.set_index("column")
    assert beside.loc[["年产值", "投产时间", "用地"], "understood"].tolist() == ["16 亿元", "2027", "30 亩"]
    assert beside.loc["用地", "written"] == "约30亩"


def test_power_that_is_drawn_is_converted_by_the_power_factor_and_told(region):
    found = checked(region, "名称,环节,年产值(亿元),用电负荷(kW)\n甲,激光雷达,5,1900\n")
    assert found.preview["power_mva_likely"].tolist() == pytest.approx([2.0])
    assert any("功率因数" in note.zh for note in found.notes)


# ---- stations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "spare"),
    [
        ({}, 23),
        ({"主变(MVA)": "63x2"}, 23),
        ({"主变(MVA)": "2X63"}, 23),
        ({"主变(MVA)": "2×63000kVA"}, 23),
        ({"经度": "115°01′48″", "纬度": "30°07′12″"}, 23),
        ({"主变(MVA)": None, "最大负荷(MVA)": None, "可开放容量(kVA)": "20000"}, 20),
        ({"主变(MVA)": None, "最大负荷(MVA)": None, "可开放容量": "2万千伏安"}, 20),
        ({"最大负荷(MVA)": None, "最大负荷(MW)": "38"}, 23),
    ],
)
def test_what_a_station_can_spare(region, cells, spare):
    found = checked(region, station(**cells), "substations")
    assert found.faults == ()
    (one,) = found.known
    assert one.likely == pytest.approx(spare)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"主变(MVA)": "0x63"}, "sheets.no_transformers"),
        ({"主变(MVA)": "63×50"}, "sheets.which_is_the_count"),
        ({"主变(MVA)": "63000"}, "sheets.unusual_rating"),
        ({"电压等级(千伏)": "111"}, "sheets.unknown_level"),
        ({"可开放容量": "无"}, "sheets.nothing_or_zero"),
        ({"可开放容量(MVA)": "20kVA", "单位": "MVA"}, "sheets.two_units"),
        ({"最大负荷(MVA)": "不超过40"}, "sheets.open_ended"),
    ],
)
def test_what_is_not_clear_of_a_station_is_asked(region, cells, code):
    found = checked(region, station(**cells), "substations")
    assert [fault.code for fault in found.faults] == [code]
    assert found.faults[0].row == 2


# ---- areas --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "cell", "low", "high"),
    [
        ("面积(亩)", "30", 2, 2),
        ("面积(万亩)", "0.003", 2, 2),
        ("面积(平方米)", "20000", 2, 2),
        ("面积（㎡）", "2万", 2, 2),
        ("面积", "2公顷", 2, 2),
        ("面积(亩)", "30-35", 2, 2.333),
        ("面积(亩)", "三十至三十五亩", 2, 2.333),
        ("面积（平方公里）", "0.02", 2, 2),
    ],
)
def test_areas_in_every_unit(region, heading, cell, low, high):
    assert hectares(checked(region, land(heading, cell), "parcels")) == pytest.approx((low, high), abs=1e-3)


def test_areas_that_are_not_clear_are_asked_and_totals_left_out(region):
    assert codes(checked(region, land("面积(亩)", "30，35"), "parcels")) == [("sheets.ambiguous", 2, "面积(亩)")]
    assert codes(checked(region, land("面积(亩),单位", "30,公顷"), "parcels")) == [("sheets.two_units", 2, "面积(亩)")]
    assert [code for code, *_ in codes(checked(region, land("面积(坪)", "30"), "parcels"))] == [
        "sheets.unit_not_understood"
    ]
    assert [code for code, *_ in codes(checked(region, land("面积", "30"), "parcels"))] == ["sheets.no_unit_of_row"]
    found = checked(region, land("面积(亩)", "30", "H01,合计,30"), "parcels")
    assert hectares(found) == (2, 2)
    assert any("合计" in note.zh and "3" in note.zh for note in found.notes)


# ---- observations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "low", "high"),
    [
        ("约30", "亩", 2, 2),
        ("30-45亩", "", 2, 3),
        ("2公顷", "公顷", 2, 2),
        ("三十", "亩", 2, 2),
        ("0.003", "万亩", 2, 2),
    ],
)
def test_observations_as_people_write_them(region, value, unit, low, high):
    text = f"园区,指标,数值,单位,依据,来源,时间\nH01,可供工业用地,{value},{unit},上报,某园区,2026年10月\n"
    (one,) = checked(region, text, "observations").known
    assert (one.low, one.high, one.as_of) == (pytest.approx(low), pytest.approx(high), "2026-10")


def test_observations_that_contradict_themselves_are_asked(region):
    text = (
        '园区,指标,数值,单位,依据,来源\nH01,可供工业用地,30亩,公顷,上报,某园区\nH02,可供工业用地,"1,2",亩,上报,某园区\n'
    )
    assert [code for code, *_ in codes(checked(region, text, "observations"))] == [
        "sheets.two_units",
        "sheets.ambiguous",
    ]


# ---- the messy sheet ----------------------------------------------------------------------------------------


def messy(land="约30亩"):
    """What a bureau hands over: a title, headings of two rows, merged cells, units everywhere, a total and a note."""
    made = openpyxl.Workbook()
    page = made.active
    rows = [
        ["2027年光电子信息项目汇总表"],
        ["填报单位：某区招商局", None, None, None, "日期：2026-11-01"],
        ["序号", "项目名称", "所属环节", "产出与投资", None, "要素需求", None, None, "投产时间", "联系人"],
        [None, None, None, "达产年产值", "总投资(万元)", "用地需求", "用电容量", "年用电量(万千瓦时)", None, None],
        [1, "甲", "光纤激光器", "16亿", "80000", land, "5MVA", 1600, "2027年6月", "张"],
        [2, "乙", None, "6亿元", "30000", "80-100亩", "3000kVA", None, "2028年底", "李"],
        [3, "丙", "激光雷达", "8亿", "12000", "三十亩", "/", "待定", "2028", "王"],
        ["合计", None, None, "30亿", None, "140", None, None, None, None],
        ["注：用地为净用地，不含代征道路。"],
    ]
    for row in rows:
        page.append(row)
    for area in ("A1:J1", "D3:E3", "F3:H3", "A3:A4", "B3:B4", "C3:C4", "I3:I4", "J3:J4", "C5:C6"):
        page.merge_cells(area)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_the_messy_sheet_is_read_as_it_is_meant(region):
    content = messy()
    assert guess(content, "汇总.xlsx") == "projects"
    found = check_file(content, "汇总.xlsx", kind="projects", region=region)
    assert found.faults == ()
    table = found.preview.set_index("name")
    assert table["segment"].tolist() == ["fiber_laser", "fiber_laser", "lidar"]
    assert table["output_100m_yuan"].tolist() == [16, 6, 8]
    assert table["investment_100m_yuan_likely"].tolist() == [8, 3, 1.2]
    assert table[["land_mu_low", "land_mu_high"]].to_numpy().tolist() == [[30, 30], [80, 100], [30, 30]]
    assert table["power_mva_given"].tolist() == [True, True, False]
    assert table.loc["甲", "energy_gwh_likely"] == 16
    assert table["year"].tolist() == [2027, 2028, 2028]
    said = " ".join(note.zh for note in found.notes)
    assert "合计行不读：第 8 行" in said and "说明行不读：第 9 行" in said
