"""Portfolios as planners send them: spreadsheets in several encodings, ranges, mistakes."""

from __future__ import annotations

import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from geo_cluster.errors import InputError
from geo_cluster.world import catalog, plant_needs, portfolio

KEYS = {title: key for key, title in portfolio.columns().items()}
OLD = "编号,名称,环节,年产值(亿元),投产年份,用地(亩),受电容量(MVA),年用电(GWh),最长车程(分钟),备注"
HEADING = "编号,名称,细分环节,年产值(亿元),投产年份,用地(亩),报装容量(MVA),年用电(GWh),最长门到门时间(分钟),备注"


def test_sample_is_labelled_in_every_row_and_of_known_segments():
    sample = portfolio.read("sample")
    assert len(sample) == 30
    assert sample["name"].str.startswith("示例").all()
    assert sample["notes"].str.contains("示例").all()
    assert set(sample["segment"]) <= set(catalog.segments())


def test_only_segment_and_output_are_required_the_rest_is_estimated_as_an_interval():
    (row,) = portfolio.check(pd.DataFrame({"segment": ["fiber_laser"], "output_100m_yuan": ["60"]})).itertuples()
    assert row.Index == "P01"
    assert (row.land_mu_low, row.land_mu_high) == pytest.approx((60 * 3.5, 60 * 8))  # Raycus: 215 mu for 6 bn
    assert row.land_mu_likely == pytest.approx(60 * np.sqrt(3.5 * 8))
    of_a_segment = plant_needs.capacity_mva([catalog.segments()["fiber_laser"]])[0]
    assert [row.power_mva_low, row.power_mva_likely, row.power_mva_high] == pytest.approx(60 * of_a_segment)
    assert 40 < row.energy_gwh_low < row.energy_gwh_likely < row.energy_gwh_high < 170
    assert not row.land_mu_given
    assert row.max_minutes == 150


def test_given_numbers_and_ranges_are_kept():
    table = pd.DataFrame(
        {"细分环节": ["激光清洗"], "年产值（亿元）": ["2"], "用地（亩）": ["25-35"], "最长门到门时间(分钟)": ["90"]}
    )
    (row,) = portfolio.check(table).itertuples()
    assert (row.land_mu_low, row.land_mu_likely, row.land_mu_high) == (25, 30, 35)
    assert row.land_mu_given
    assert row.max_minutes == 90


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_the_encodings_that_spreadsheets_write(tmp_path, encoding):
    path = tmp_path / "项目.csv"
    path.write_text(f"{HEADING}\nA1,甲,激光雷达,3,2027,,,,,\n", encoding=encoding)
    assert portfolio.read(path).loc["A1", "segment"] == "lidar"


@pytest.mark.slow
def test_xlsx_gives_the_same_as_csv(tmp_path):
    path = tmp_path / "项目.xlsx"
    pd.DataFrame({"细分环节": ["激光雷达"], "年产值(亿元)": [3]}).to_excel(path, index=False)
    assert portfolio.read(path)["output_100m_yuan"].tolist() == [3]


def test_full_width_digits_and_english_names_are_understood():
    table = pd.DataFrame({"segment": ["Laser cleaning"], "output_100m_yuan": ["１２"]})
    assert portfolio.check(table)["output_100m_yuan"].tolist() == [12]


def test_every_fault_of_every_row_is_listed_with_its_place(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(f"{HEADING}\nA1,甲,量子,3,2027,plenty,,,,\nA1,乙,激光雷达,,1899,35-25,-1,,,\n", encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        portfolio.read(path)
    found = [(fault.row, fault.column, fault.code, fault.values.get("value")) for fault in refusal.value.faults]
    assert sorted(found) == sorted(
        [
            (2, "细分环节", "world.not_a_segment", "量子"),
            (2, "用地(亩)", "world.not_a_number_or_range", "plenty"),
            (3, "编号", "world.id_twice", "A1"),
            (3, "年产值(亿元)", "world.no_output", None),
            (3, "投产年份", "world.not_a_year", "1899"),
            (3, "用地(亩)", "world.range_backwards", "35-25"),
            (3, "报装容量(MVA)", "world.number_not_above_zero", "-1"),
        ]
    )
    assert {fault.place.name for fault in refusal.value.faults} == {"p.csv"}


def test_faults_of_headings_hide_no_faults_of_cells():
    table = pd.DataFrame({"细分环节": ["量子", "激光雷达"], "用地(亩)": ["plenty", "4"], "colour": ["red", "blue"]})
    with pytest.raises(InputError) as refusal:
        portfolio.check(table)
    assert {(fault.row, fault.column, fault.code) for fault in refusal.value.faults} == {
        (0, "年产值(亿元)", "world.column_required"),
        (2, "细分环节", "world.not_a_segment"),
        (2, "用地(亩)", "world.not_a_number_or_range"),
    }


@pytest.mark.parametrize(
    ("cells", "code", "value"),
    [
        ("9" * 200 + ",", "world.number_too_large", "1e+200"),
        ("9" * 400 + ",", "world.number_too_large", "9" * 400),
        ("3,2027-2030", "world.not_a_year", "2027-2030"),
        ("3,2027.5", "world.not_a_year", "2027.5"),
        ('"1,5",', "sheets.ambiguous", "1,5"),
        ('"1,,,2,",', "world.not_a_number_or_range", "1,,,2,"),
    ],
)
def test_what_could_be_meant_otherwise_is_not_guessed(cells, code, value):
    with pytest.raises(InputError) as refusal:
        portfolio.check(portfolio.read_text(f"细分环节,年产值(亿元),投产年份\n光纤激光器,{cells}\n".encode()))
    assert [(fault.code, fault.values["value"]) for fault in refusal.value.faults] == [(code, value)]


def test_thousands_may_be_set_apart():
    table = portfolio.check(portfolio.read_text('细分环节,年产值(亿元)\n光纤激光器,"1,234.5-2,000"\n'.encode()))
    assert table["output_100m_yuan"].tolist() == [(1234.5 + 2000) / 2]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "is empty"),
        (f"{HEADING}\n", "no project"),
        (f"{HEADING}\n,,,,,,,,,\n", "no project"),
        ("细分环节,未知\n", "年产值"),
    ],
)
def test_empty_or_strange_files_are_refused(tmp_path, content, word):
    path = tmp_path / "p.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=word):
        portfolio.read(path)


def test_binary_and_missing_files_are_refused(tmp_path):
    broken = tmp_path / "p.xlsx"
    broken.write_bytes(b"\x00\x01\x02")
    with pytest.raises(InputError, match="is not text and no workbook"):
        portfolio.read(broken)
    with pytest.raises(InputError) as refusal:
        portfolio.read(tmp_path / "nothing.csv")
    assert [fault.code for fault in refusal.value.faults] == ["world.no_such_portfolio"]


def test_rows_are_those_of_the_file_blank_ones_counted(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("细分环节,年产值(亿元),,\n\n激光雷达,3,,\n,,,\n炼金,4\n激光雷达,x\n", encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        portfolio.read(path)
    told = [fault.where for fault in refusal.value.faults]
    assert told == ["p.csv, row 5, column 细分环节", "p.csv, row 6, column 年产值(亿元)"]
    path.write_text(path.read_text(encoding="utf-8").replace("炼金", "激光清洗").replace("x", "5"), encoding="utf-8")
    assert portfolio.read(path).index.tolist() == ["P01", "P02", "P03"]
    assert portfolio.read_text(path.read_bytes()).index.tolist() == [0, 1, 2]


@pytest.mark.slow
def test_a_formula_that_nobody_worked_out_is_no_empty_cell(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["细分环节", "年产值(亿元)", "备注"])
    book.active.append(["激光雷达", "=1+2", "x"])
    book.save(tmp_path / "p.xlsx")
    with pytest.raises(InputError) as refusal:
        portfolio.read(tmp_path / "p.xlsx")
    (fault,) = refusal.value.faults
    assert (fault.code, fault.row, fault.column) == ("world.formula_without_value", 2, "年产值(亿元)")
    saved = tmp_path / "saved.xlsx"
    with zipfile.ZipFile(tmp_path / "p.xlsx") as book, zipfile.ZipFile(saved, "w") as worked_out:
        for name in book.namelist():
            content = book.read(name).decode()
            content = content.replace("<f>1+2</f><v /></c>", "<f>1+2</f><v>3</v></c>").replace(
                "<f>1+2</f><v></v>", "<f>1+2</f><v>3</v>"
            )
            worked_out.writestr(name, content)
    assert portfolio.read(saved)["output_100m_yuan"].tolist() == [3]


def test_files_without_the_optional_columns_work_as_before_and_gain_them_empty():
    old = f"{OLD}\nA1,甲,激光雷达,3,2027,25-35,,,,x\n".encode()
    text = portfolio.read_text(old)
    (row,) = portfolio.check(text).itertuples()
    assert (row.land_mu_low, row.land_mu_high, row.year) == (25, 35, 2027)
    assert np.isnan([row.investment_100m_yuan_likely, row.tax_100m_yuan_low, row.jobs_high]).all(), "unknown, not zero"
    assert pd.isna(row.power_year)
    again = portfolio.write_text(text)
    assert portfolio.read_text(again).equals(text)
    assert portfolio.check(portfolio.read_text(again)).equals(portfolio.check(text))


def test_headings_of_earlier_versions_are_still_read_and_written_anew():
    cells = "A1,甲,激光雷达,3,2027,25-35,5,,90,x"
    of_old, of_new = (portfolio.read_content(f"{head}\n{cells}\n".encode(), "p.csv") for head in (OLD, HEADING))
    pd.testing.assert_frame_equal(of_old, of_new)
    written = portfolio.write_text(portfolio.read_text(f"{OLD}\n{cells}\n".encode())).decode("utf-8-sig")
    assert all(old not in written.replace("细分环节", "") for old in ("环节", "受电容量", "车程"))
    (row,) = portfolio.check(
        pd.DataFrame({"环节": ["激光雷达"], "年产值(亿元)": ["3"], "受电容量(kVA)": ["5000"]})
    ).itertuples()
    assert row.power_mva_likely == 5


def test_of_a_heading_old_and_new_at_once_ours_counts_and_the_other_is_told():
    found = portfolio.check(pd.DataFrame({"环节": ["中游"], "细分环节": ["激光雷达"], "年产值(亿元)": ["3"]}))
    assert found["segment"].tolist() == ["lidar"]
    assert any("未用到的列：环节" in note["zh"] for note in found.attrs["told"])
    with pytest.raises(InputError) as refusal:
        portfolio.check(pd.DataFrame({"环节": ["激光雷达"], "产业环节": ["激光雷达"], "年产值(亿元)": ["3"]}))
    assert [fault.code for fault in refusal.value.faults] == ["sheets.second_column"]


@pytest.mark.slow
def test_the_optional_columns_come_back_from_csv_and_xlsx(tmp_path):
    cells = {"investment_100m_yuan": "3-4.5", "tax_100m_yuan": "0.25", "jobs": "1,200", "power_year": "2028"}
    row = {"segment": "激光雷达", "output_100m_yuan": "3", "year": "2028"} | cells
    table = pd.DataFrame([row]).reindex(columns=list(portfolio.columns()), fill_value="")
    text = portfolio.read_text(portfolio.write_text(table))
    assert text.loc[0, list(cells)].to_dict() == cells | {"jobs": "1200"}
    path = tmp_path / "项目.xlsx"
    table.rename(columns=portfolio.columns()).to_excel(path, index=False)
    for found in (portfolio.check(text), portfolio.read(path)):
        (one,) = found.itertuples()
        assert (one.investment_100m_yuan_low, one.investment_100m_yuan_high) == (3, 4.5)
        assert (one.tax_100m_yuan_likely, one.jobs_likely, one.power_year) == (0.25, 1200, 2028)


@pytest.mark.parametrize(
    ("heading", "cell", "key", "value"),
    [
        ("总投资(万元)", "50000", "investment_100m_yuan_likely", 5),
        ("总投资（万元）", "３０,０００", "investment_100m_yuan_likely", 3),
        ("年税收(万元)", "2500-3500", "tax_100m_yuan_low", 0.25),
        ("用地(公顷)", "2", "land_mu_likely", 30),
        ("报装容量(kVA)", "4000", "power_mva_likely", 4),
        ("年用电(万千瓦时)", "600", "energy_gwh_likely", 6),
        ("总投资(亿元)", "5", "investment_100m_yuan_likely", 5),
    ],
)
def test_a_unit_in_the_heading_is_converted(heading, cell, key, value):
    found = portfolio.check(pd.DataFrame({"细分环节": ["激光雷达"], "年产值(亿元)": ["3"], heading: [cell]}))
    assert found[key].tolist() == [pytest.approx(value)]


@pytest.mark.parametrize("heading", ["总投资(万美元)", "总投资(亿元)(万元)", "年税收(千港币)", "用地(坪)"])
def test_a_unit_that_is_not_understood_is_named_with_those_that_are(heading):
    with pytest.raises(InputError) as refusal:
        portfolio.check(pd.DataFrame({"细分环节": ["激光雷达"], "年产值(亿元)": ["3"], heading: ["5"]}))
    (fault,) = refusal.value.faults
    assert (fault.code, fault.column) == ("sheets.unit_not_understood", heading)
    assert {"万元", "公顷"} & set(fault.values["known"])


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"investment_100m_yuan": "50000"}, "amount_beyond_output"),
        ({"tax_100m_yuan": "2500"}, "amount_beyond_output"),
        ({"jobs": "500000"}, "amount_beyond_output"),
        ({"year": "2028", "power_year": "2029"}, "power_after_start"),
        (
            {"investment_100m_yuan": "5", "tax_100m_yuan": "0.3", "jobs": "300", "year": "2028", "power_year": "2028"},
            "",
        ),
    ],
)
def test_what_can_hardly_be_meant_is_questioned_not_refused(cells, code):
    found = portfolio.check(pd.DataFrame([{"segment": "lidar", "output_100m_yuan": "5"} | cells]))
    assert [fault.code for fault in portfolio.warnings(found)] == ([f"world.{code}"] if code else [])


@pytest.mark.parametrize(("key", "cell"), [("jobs", "0"), ("power_year", "1999"), ("tax_100m_yuan", "much")])
def test_faults_of_the_optional_columns_name_them(key, cell):
    with pytest.raises(InputError) as refusal:
        portfolio.check(pd.DataFrame([{"segment": "lidar", "output_100m_yuan": "5", key: cell}]))
    assert [fault.column for fault in refusal.value.faults] == [portfolio.columns()[key]]
