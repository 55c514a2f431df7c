"""Cells and headings of tables that an adversary would write: each with the value that it says, or the fault it has."""

from __future__ import annotations

import pandas as pd
import pytest

from geo_cluster.box.door import Sheet
from geo_cluster.imports.check import check_file, guess
from geo_cluster.imports.headings import is_known
from geo_cluster.imports.tables import TableChoice
from geo_cluster.region import prepare
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers
from geo_cluster.world.sheets import cells, layout, units
from tests.refusals import faults_of


def read(heading, cell):
    """The project of a table with one more column; with a fault, its code."""
    row = {"名称": "甲", "环节": "激光雷达", "年产值(亿元)": "6"}
    if "产值" in heading:
        del row["年产值(亿元)"]
    frame = pd.DataFrame([row | {heading: cell}])
    try:
        return portfolio.check(frame).iloc[0]
    except portfolio.InputError:
        return [fault.code.partition(".")[2] for fault in faults_of(portfolio.check, frame)]


OUTPUT = {
    ("年产值（人民币万元）", "60000"): 6, ("年产值(千元)", "600000"): 6, ("年产值(万)", "60000"): 6,
    ("年产值", "6个亿"): 6, ("年产值", "陆亿元"): 6, ("年产值", "六亿五千万元"): 6.5, ("年产值", "六点五亿元"): 6.5,
    ("年产值(亿元)", "6\u200b"): 6, ("年产值（亿元）", "６．５"): 6.5, ("年产值（万元）", "６０，０００"): 6,
    ("年产值", "6亿元/年"): 6, ("年产值(亿元)", "60000万元"): 6, ("年产值(万元)", "6亿"): 6, ("年产值", "5千万"): 0.5,
    ("年产值(亿元)", "6——8"): 7, ("年产值", "6000万-1亿"): 0.8, ("年产值", "6亿元（含税）"): 6,
    ("年产值(亿元)", "6.0E+0"): 6, ("年产值(亿元)", "\u00a06\u00a0"): 6, ("年产值(亿元)", "近6亿"): 6,
    ("年产值", "6-8000万"): ["wide_range"], ("年产值", "1-9000万元"): ["wide_range"],
    ("年产值(万美元)", "6000"): ["unit_not_understood"], ("年产值(USD million)", "60"): ["unit_not_understood"],
    ("产值(万元/月)", "500"): ["unit_not_understood"], ("年产值(亿元)", "6%"): ["unknown_unit"],
    ("年产值(亿元)", "-6"): ["number_not_above_zero"], ("年产值(亿元)", "(6)"): ["not_a_number_or_range"],
    ("年产值(亿元)", "8-6"): ["range_backwards"], ("年产值(亿元)", "12,34"): ["ambiguous"],
    ("年产值(万元)", "6万"): ["ambiguous_unit"], ("年产值(亿元)", "6/8"): ["ambiguous"],
    ("年产值(亿元)", "=6+2"): ["not_a_number_or_range"], ("年产值(亿元)", "#REF!"): ["not_a_number_or_range"],
    ("年产值(元)", "600.000.000"): ["not_a_number_or_range"], ("年产值(亿元)", "6亿元以上"): ["open_ended"],
    ("年产值", "3000"): ["no_unit"],
}  # fmt: skip


@pytest.mark.parametrize("case", OUTPUT)
def test_output(case):
    found, wanted = read(*case), OUTPUT[case]
    assert (found["output_100m_yuan"] if isinstance(wanted, int | float) else found) == (
        pytest.approx(wanted) if isinstance(wanted, int | float) else wanted
    )


NEEDS = {
    ("用地（亩）", "30"): ("land_mu", 30), ("用地(hm²)", "2"): ("land_mu", 30), ("用地(万㎡)", "2"): ("land_mu", 30),
    ("用地", "2万平"): ("land_mu", 30), ("用地", "20000平方"): ("land_mu", 30), ("用地(m^2)", "20000"): ("land_mu", 30),
    ("用地", "2公顷(合30亩)"): ("land_mu", 30), ("用地", "30亩（20000平方米）"): ("land_mu", 30),
    ("用地(亩)", "30 to 35"): ("land_mu", 32.5), ("用地", "30——40亩"): ("land_mu", 35),
    ("用地", "叁拾亩"): ("land_mu", 30),
    ("用地面積（公頃）", "2"): ("land_mu", 30), ("佔地(亩)", "30"): ("land_mu", 30),
    ("用地(千亩)", "0.03"): ("land_mu", 30),
    ("用地", "2公顷(合40亩)"): ["ambiguous"], ("用地", "30亩(其中一期20亩)"): ["ambiguous"],
    ("用地", "2"): ["no_unit"], ("用地", "20000"): ["no_unit"], ("用地(亩/公顷)", "30"): ["unit_not_understood"],
    ("land (acres)", "30"): ["unit_not_understood"], ("用地(亩)", "2026/3/5"): ["date_for_number"],
    ("用地(亩)", "30…35"): ["not_a_number_or_range"], ("用地(亩)", "30?"): ["unknown_unit"],
    ("用地", "30亩5分"): ["not_a_number_or_range"], ("厂房面积", "2"): ["no_unit"],
    ("用电容量(kVA)", "8000"): ("power_mva", 8), ("用电容量", "2×4000kVA"): ("power_mva", 8),
    ("用电容量(万kVA)", "0.8"): ("power_mva", 8), ("用电容量", "2╳4000kVA"): ("power_mva", 8),
    ("用电容量", "8000"): ["no_unit_of_row"], ("用电负荷(kWh)", "7.6"): ["unit_not_understood"],
    ("用电容量", "10kV 8MVA"): ["not_a_number_or_range"],
    ("年用电量(亿度)", "0.2"): ("energy_gwh", 20), ("年用电量", "2000万度"): ("energy_gwh", 20),
    ("年用电量(MWh)", "20000"): ("energy_gwh", 20), ("年用电量", "2000"): ["no_unit_of_row"],
    ("用电量(万千瓦时/月)", "20"): ["unit_not_understood"], ("年用电量(吨标煤)", "20"): ["unit_not_understood"],
    ("就业", "300余人"): ["open_ended"],
    ("年税收(万元)", "3000"): ("tax_100m_yuan", 0.3), ("年税收", "3000"): ["no_unit"],
}  # fmt: skip


@pytest.mark.parametrize("case", NEEDS)
def test_needs_and_amounts(case):
    found, wanted = read(*case), NEEDS[case]
    if isinstance(wanted, list):
        assert found == wanted
    else:
        assert found[f"{wanted[0]}_likely"] == pytest.approx(wanted[1], rel=1e-3)


YEARS = {
    "202706": "2027", "20270630": "2027", "2027年一季度": "2027", "2027/6/30": "2027", "2027.06": "2027",
    "202713": None, "27年6月": None, "2027-2028": None, "46539": None, "明年": None, "20271332": None,
}  # fmt: skip


@pytest.mark.parametrize("cell", YEARS)
def test_years(cell):
    found = cells.year(cell)
    assert (found if isinstance(found, str) else None) == YEARS[cell]


RATINGS = {
    "2╳63": "2x63", "２×６３": "2x63", "63/63": "63+63", "2×63(现状)": "2x63", "2×6.3万kVA": "2x63",
    "2×63/3×63": None, "2台": None, "现状2×63，规划3×63": None, "2×63（远期3×63）": None, "126（2×63）": None,
}  # fmt: skip


@pytest.mark.parametrize("cell", RATINGS)
def test_ratings(cell):
    found = cells.ratings(cell)
    assert (found if isinstance(found, str) else None) == RATINGS[cell]


def test_voltages_count_in_the_unit_of_their_heading():
    assert cells.voltages("110000/10000", "V") == "110/10"
    assert not isinstance(cells.voltages("110000"), str)


def test_units_that_are_new_are_as_large_as_they_are():
    assert units.factor("亩", "万平") == pytest.approx(15)
    assert units.factor("亿元", "人民币万元") == 1e-4
    assert units.factor("亿元", "个亿") == 1


# ---- rows ---------------------------------------------------------------------------------------------------


def laid(*rows, merged=()):
    sheet = Sheet("S", [(k, [one or "" for one in row]) for k, row in enumerate(rows, start=1)], merged=list(merged))
    return layout.of_sheet(sheet, is_known)


def test_what_is_part_of_a_row_above_is_left_out_and_told():
    found = laid(["编号", "名称", "环节"], ["A1", "甲", "激光雷达"], ["其中：一期", "甲一期", "激光雷达"])
    assert [row[1] for _, row in found.rows] == ["甲"]
    assert found.dropped == [(3, "total", "其中：一期 甲一期 激光雷达")]


def test_a_unit_that_a_note_below_states_counts():
    found = laid(["名称", "环节", "年产值"], ["甲", "激光雷达", "300"], ["注：产值单位：万元"])
    assert found.units == ["万元"]


def test_headings_of_three_rows():
    found = laid(
        ["编号", "名称", "环节", "产出", "", "要素"],
        ["", "", "", "年产值", "税收", "用地"],
        ["", "", "", "万元", "万元", "（公顷）"],
        ["A1", "甲", "激光雷达", "60000", "3000", "2"],
        merged=[(1, 1, 3, 1), (1, 2, 3, 2), (1, 3, 3, 3), (1, 4, 1, 5)],
    )
    assert found.headings == ["编号", "名称", "环节", "产出｜年产值｜万元", "产出｜税收｜万元", "要素｜用地｜公顷"]
    meant = [portfolio.calls().of(one) for one in found.headings]
    assert [(one.key, one.unit) for one in meant[3:]] == [
        ("output_100m_yuan", "万元"),
        ("tax_100m_yuan", "万元"),
        ("land_mu", "公顷"),
    ]
    two = laid(
        ["填报单位：某局", "", "日期：2026-11-01"],
        ["名称", "环节", "产出"],
        ["", "", "年产值(亿元)"],
        ["甲", "激光雷达", "6"],
        merged=[(2, 1, 3, 1), (2, 2, 3, 2)],
    )
    assert two.headings == ["名称", "环节", "产出｜年产值(亿元)"], "a line above is no heading"
    three = laid(
        ["编号", "名称", "环节", "达产年", ""],
        ["", "", "", "经济", ""],
        ["", "", "", "年产值(亿元)", "年税收(万元)"],
        ["A1", "甲", "激光雷达", "6", "3000"],
        merged=[(1, 1, 3, 1), (1, 2, 3, 2), (1, 3, 3, 3), (1, 4, 1, 5), (2, 4, 2, 5)],
    )
    assert [row for _, row in three.rows] == [["A1", "甲", "激光雷达", "6", "3000"]]


# ---- other kinds of tables ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def region():
    return prepare(catalog.scenario(), Layers())


def checked(region, text, kind, **more):
    return check_file(text.encode(), "t.csv", kind=kind, region=region, **more)


def codes(found):
    return [(fault.code, fault.row, fault.column) for fault in found.faults]


def test_an_area_that_is_not_net_is_asked_until_somebody_chooses(region):
    text = "园区,地块,总面积(亩),已供面积(亩)\nH01,虚构-1,45,15\n"
    assert codes(checked(region, text, "parcels")) == [("sheets.not_net", 0, "总面积(亩)")]
    found = checked(region, text, "parcels", table=TableChoice(mapping={"已供面积(亩)": "-"}))
    assert [one.likely for one in found.known][:1] == [3]


def test_a_price_and_a_capacity_of_another_unit_are_asked(region):
    text = "园区,地块,面积(亩),地价\nH01,虚构-1,45,210\n"
    assert codes(checked(region, text, "parcels")) == [("sheets.no_unit", 2, "地价")]
    text = "站名,电压等级(千伏),可开放容量,经度,纬度\n虚构变A,110/10,20000,115.03,30.12\n"
    assert codes(checked(region, text, "substations")) == [("sheets.no_unit", 2, "可开放容量")]


def test_a_unit_that_is_chosen_by_hand_counts(region):
    text = "名称,环节,年产值(亿元),年用电量\n甲,激光雷达,6,2000\n"
    assert codes(checked(region, text, "projects")) == [("sheets.no_unit_of_row", 2, "年用电量")]
    found = checked(region, text, "projects", table=TableChoice(mapping={"年用电量": "energy_gwh@万千瓦时"}))
    assert found.preview["energy_gwh_likely"].tolist() == [20]
    assert found.meant.set_index("heading").loc["年用电量", "unit"] == "万千瓦时"


ENDS = ",依据,来源"
END = ",上报,某园区"


def numbers(found):
    return {(one.subject, one.attribute): (round(one.likely, 3), one.as_of) for one in found.known}


def test_numbers_with_attributes_as_headings(region):
    text = f"某区要素表\n园区,可供工业用地(亩),工业地价（万元/亩）{ENDS}\nH01,30,14{END}\nH02,45,{END}\n合计,75,,,\n"
    assert guess(text.encode(), "t.csv") == "observations"
    found = checked(region, text, "observations")
    assert numbers(found) == {
        ("H01", "available_land_ha"): (2, ""),
        ("H01", "land_price_10k_yuan_per_mu"): (14, ""),
        ("H02", "available_land_ha"): (3, ""),
    }
    assert found.preview["row"].tolist() == [3, 3, 4]
    text = f'园区,可供工业用地,工业地价（万元/亩）{ENDS}\nH01,30余亩,"1,4"{END}\nH02,45,{END}\n'
    assert codes(checked(region, text, "observations")) == [
        ("sheets.open_ended", 2, "可供工业用地"),
        ("imports.empty", 2, "可供工业用地"),
        ("sheets.ambiguous", 2, "工业地价（万元/亩）"),
        ("imports.empty", 3, "可供工业用地"),
    ]


def test_numbers_with_attributes_as_headings_need_a_basis_and_a_source(region):
    found = checked(region, "园区,可供工业用地(亩)\nH01,30\n", "observations")
    assert codes(found) == [("imports.no_column", 0, "依据"), ("imports.no_column", 0, "来源")]


def test_numbers_with_subjects_as_headings(region):
    found = checked(region, f"指标,单位,H01,H02{ENDS}\n可供工业用地,亩,30,45{END}\n", "observations")
    assert numbers(found) == {("H01", "available_land_ha"): (2, ""), ("H02", "available_land_ha"): (3, "")}


def test_of_numbers_with_years_as_headings_the_latest_counts(region):
    text = f"园区,指标,单位,2022年,2023年,2024年,2099年{ENDS}\n"
    text += f"H01,可供工业用地,亩,10,20,30,99{END}\nH02,可供工业用地,亩,10,45,,{END}\n"
    found = checked(region, text, "observations")
    assert numbers(found) == {("H01", "available_land_ha"): (2, "2024"), ("H02", "available_land_ha"): (3, "2023")}
    assert any("其余年份不读" in note.zh for note in found.notes)
