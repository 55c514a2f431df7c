"""The page 推进: policy money and targets in both languages, readings switched, numbers entered and kept."""

import json

import pytest

from app import cached
from app.texts import text
from app.views.delivery.entered import READINGS
from app.views.delivery.page import PARTS
from geo_cluster.policy.forms import ACTUALS, MONEY
from geo_cluster.policy.rules import readings
from geo_cluster.workspace.works import Work
from geo_cluster.world import catalog
from tests.studies import run
from tests.test_app import CJK, LANGUAGES, NUMBERS, opened, says

ROWS = "企业,年度,营业收入(亿元),预计年增速(%),所在地,来源\n甲厂,2023,40,,黄石,示例\n甲厂,2025,60,5-10,黄石,示例\n"


def part(name, language="zh", **session):
    page = opened("delivery", language, **{"delivery-part": name}, **session)
    assert not page.exception
    assert not page.error
    return page


def shown(page):
    return {metric.label: metric.value for metric in page.metric}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["money", "targets"])
def test_each_part_speaks_the_visitor_s_language(name, language):
    assert name in PARTS
    page = part(name, language)
    told = "\n".join(one for one in says(page) if "gc-about" not in one)
    if language == "en":
        assert not CJK.search(NUMBERS.sub("", told))
    editors = {tuple(form.columns) for form in (MONEY, ACTUALS)}  # their headings stand in the settings of the columns
    for table in page.dataframe:
        headings = [str(heading) for heading in table.value.columns if tuple(table.value.columns) not in editors]
        assert not [one for one in headings if (language == "en") == bool(CJK.search(one))]


@pytest.mark.slow
def test_switching_a_reading_changes_the_sums_and_is_kept_with_the_work():
    page = part("money")
    before = shown(page)["省级"]
    control = next(one for one in page.selectbox if one.label == readings()["settled"].name.zh)
    control.set_value("paid_only").run()
    assert not page.exception
    assert shown(page)["省级"] != before
    work = page.session_state["work"]
    assert json.loads(work.files[READINGS]) == {"settled": "paid_only"}
    control = next(one for one in page.selectbox if one.label == readings()["settled"].name.zh)
    control.set_value("settled").run()
    assert READINGS not in page.session_state["work"].files
    assert shown(page)["省级"] == before


@pytest.mark.slow
def test_what_is_entered_counts_beside_what_is_shipped_and_its_city_pays():
    found = MONEY.kept(MONEY.understood(ROWS.encode(), "a.csv"))
    page = part("money", work=Work(catalog.scenario(), {MONEY.file: found}))
    assert shown(page)["黄石市"] == "100 万元"  # half of 200, in 2025
    assert text("money.enter", "zh", n=2) in [one.label for one in page.expander]


@pytest.mark.slow
def test_the_projects_of_the_plan_are_said_to_be_a_sample():
    page = part("money", study=run("default"), **{"money-whose": "plan"})
    assert any("示例" in one.value for one in page.caption)
    assert set(shown(page)) == {"省级"}


@pytest.mark.slow
def test_actual_values_that_are_entered_stand_beside_the_target():
    page = part("targets")
    assert "实际值未知" in "".join(says(page))
    rows = "目标,年份,实际值,口径,来源\nscale,2025,401,湖北省,某函\nscale,2024,950,光谷,某报\n"
    found = ACTUALS.kept(ACTUALS.understood(rows.encode(), "a.csv"))
    page = part("targets", work=Work(catalog.scenario(), {ACTUALS.file: found}))
    table = next(one for one in says(page) if "gc-text" in one)
    assert "401 亿元 · 某函" in table
    assert "950" not in table, "another scope never stands beside the province's"
    assert 950 in {
        float(str(value).split()[0]) for one in page.dataframe if "口径" in one.value for value in one.value["数值"]
    }


@pytest.mark.slow
def test_without_a_plan_the_page_says_where_to_run_one():
    page = part("targets")
    assert text("targets.no_plan", "zh") in [one.value for one in page.info]
    assert cached.policy_entries(cached.Layers(), b"").key == cached.policy_entries(cached.Layers(), b"").key
