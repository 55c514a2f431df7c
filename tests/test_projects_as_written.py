"""Projects as planners write them: other names and units of columns, years with 年, doubts told in a terminal."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from geo_cluster import study, terminal
from geo_cluster.world import portfolio
from tests import refusals, world

ROW = {"细分环节": "激光雷达", "年产值(亿元)": "5"}


def read(**cells: str) -> pd.Series:
    return portfolio.check(pd.DataFrame([ROW | cells])).iloc[0]


def refused(**cells: str) -> list[tuple[str, str, object]]:
    """Code, heading and cell of each fault."""
    faults = refusals.faults_of(portfolio.check, pd.DataFrame([ROW | cells]))
    return [(fault.code, fault.column, fault.values.get("value")) for fault in faults]


def doubts(**cells: str) -> list[str]:
    return [fault.code for fault in portfolio.warnings(portfolio.check(pd.DataFrame([ROW | cells])))]


@pytest.mark.parametrize(
    ("heading", "cell", "key", "is_read"),
    [
        ("税收(万元)", "2000", "tax_100m_yuan_likely", 0.2),
        ("税收（亿元）", "0.2", "tax_100m_yuan_likely", 0.2),
        ("投资额(万元)", "50000", "investment_100m_yuan_likely", 5),
        ("用工人数", "300", "jobs_likely", 300),
        ("就业(万人)", "0.03", "jobs_likely", 300),
        ("用电年份", "2027", "power_year", 2027),
        ("需电年份", "2027年", "power_year", 2027),
        ("投产年份", "2028.0", "year", 2028),
    ],
)
def test_a_column_goes_by_other_names_and_units(heading, cell, key, is_read):
    assert read(**{heading: cell})[key] == pytest.approx(is_read)


@pytest.mark.parametrize("heading", ["税收", "投资", "总投资"])
def test_money_without_a_unit_is_refused_not_guessed(heading):
    assert [code for code, *_ in refused(**{heading: "2000"})] == ["sheets.no_unit"]


def test_a_fault_shows_the_heading_and_the_cell_of_the_file():
    assert refused(**{"税收(万元)": "-3"}) == [("world.number_not_above_zero", "税收(万元)", "-3")]
    assert refused(**{"年税收(亿元)": "许多"}) == [("world.not_a_number_or_range", "年税收(亿元)", "许多")]


@pytest.mark.parametrize("cell", ["soon", "2026.5", "2029-2031", "29", "1999"])
def test_what_is_no_year_is_called_no_year(cell):
    assert refused(需电年份=cell) == [("world.not_a_year", "需电年份", cell)]


def test_jobs_are_whole():
    assert refused(**{"就业(人)": "12.5"}) == [("world.not_whole", "就业(人)", "12.5")]
    assert read(**{"就业(人)": "301-400"})["jobs_likely"] == 350.5


def test_an_output_of_no_plant_is_questioned():
    assert doubts(**{"年产值(亿元)": "5"}) == []
    assert doubts(**{"年产值(亿元)": "50000"}) == ["world.output_unusual"]
    assert doubts(**{"年产值(亿元)": "0.001"}) == ["world.output_unusual"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_doubts_are_told_in_a_terminal_and_kept_with_the_study(lang):
    projects = portfolio.check(pd.DataFrame([ROW | {"总投资(亿元)": "50000"}] * 30))
    told = terminal.remarks(portfolio.warnings(projects), datetime.date(2026, 11, 30), lang)
    assert len(told) == terminal.MOST_DOUBTS + 1
    assert "50,000" in told[0]
    result = study.run(world.scenario(draws=20), world.layers(), projects=projects.iloc[:1])
    assert [one[lang] for one in result.summary()["to_check"]] == [told[0].removeprefix("! ")]


def test_a_heading_that_may_be_two_columns_is_told_apart_by_its_unit_or_asked():
    assert [one[:2] for one in refused(**{"用电": "5"})] == [("sheets.which_column", "用电")]
    assert [one[:2] for one in refused(**{"年用电量(GWh)": "9", "用电": "5"})] == [("sheets.which_column", "用电")]
    assert refused(**{"面积": "30亩"})[0][:2] == ("sheets.which_column", "面积")
    assert read(**{"用电(kVA)": "630"})["power_mva_likely"] == 0.63
    assert read(**{"用电": "630kVA"})["power_mva_likely"] == 0.63
    assert read(**{"用电": "300万千瓦时"})["energy_gwh_likely"] == 3
    assert not read(**{"用电": ""})["power_mva_given"]


def test_an_editor_takes_no_cell_for_right_that_was_refused_in_its_file():
    """Under our headings a bare 1200 would be 1,200 GWh."""
    content = "细分环节,年产值(亿元),年用电量,用地(亩)\n激光雷达,5,1200,若干\n".encode()
    faults = refusals.faults_of(portfolio.read_text, content)
    assert [(one.code, one.row) for one in faults] == [("sheets.no_unit_of_row", 2)]
    assert "万千瓦时" in faults[0].words("zh").remedy
    text = portfolio.read_text(content.replace("年用电量".encode(), "年用电量(万千瓦时)".encode()))
    assert text.loc[0, ["energy_gwh", "land_mu"]].tolist() == ["12", "若干"]
