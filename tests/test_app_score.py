"""选址: from a form or a table to a ranking, weights tried before they are kept, a project into the portfolio."""

import io
import zipfile

import pandas as pd
import pytest

from app import cached
from app.texts import text
from app.widgets import plain
from geo_cluster.intake import appraise
from geo_cluster.intake.site_choice import choices, ranking, weigh
from geo_cluster.workspace.repository import Work
from geo_cluster.world import catalog, portfolio
from tests.test_app import CJK, LANGUAGES, NUMBERS, opened, says

PARTS = ("ranking", "compare", "weights", "change", "needs", "values")
NAME = "</script>[x](javascript:1) $y$ :smile: =1+1,\"'"


def verdict(page):
    return next(one for one in says(page) if "gc-verdict" in one and "status" in one)


def at(page, part, language="zh"):
    page.session_state[f"score-tabs-{language}"] = text(f"score.{part}", language)
    return page.run()


def projects_of(page):
    return pd.read_csv(io.BytesIO(page.session_state["work"].files["projects.csv"]), dtype=str, keep_default_na=False)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_part_is_drawn(language):
    page = opened("score", language)
    for part in PARTS:
        at(page, part, language)
        assert not page.exception, part
        assert not page.error, part
        if language == "en":
            sources = "gc-side"  # sources are quoted as they were given, documents have their numbers
            told = [one for one in says(page) if sources not in one]
            assert [one for one in told if CJK.search(NUMBERS.sub("", one))] == []


@pytest.mark.slow
def test_segment_and_output_suffice_for_a_score():
    page = opened("score")
    before = verdict(page)
    assert "领先" in before
    page.number_input(key="intake-output").set_value(60.0).run()
    assert verdict(page) != before
    assert any("节能审查" in one.value for one in at(page, "needs").code)


def test_estimates_stand_beside_the_fields_until_somebody_types():
    page = opened("score")
    land = page.text_input(key="intake-land_mu")
    assert land.placeholder == "估 31.7"
    assert "估算 21–48" in "\n".join(says(page))
    land.set_value("90").run()
    assert "填报值，替代估算 21–48" in "\n".join(says(page))
    page.button(key="intake-reset").click().run()
    assert page.text_input(key="intake-land_mu").value == ""
    assert "填报值" not in "\n".join(says(page))


def test_reference_projects_stand_beside_the_ranges_with_publisher_and_date():
    page = at(opened("score", **{"score-fold-references": True}), "values")
    assert "样本少（1个）" in "\n".join(says(page)) and "不是投产后的结果" in "\n".join(says(page))
    (table,) = (one.value for one in page.dataframe if "发布者" in one.value)
    assert table["参考项目"].str.startswith("L026").tolist() == [True]
    assert table["亩/亿元"].tolist() == ["3.58"] and table["日期"].str.startswith("20").all()
    assert not any("http" in str(cell) for cell in table.to_numpy().ravel()), "copies are no links"
    page.selectbox(key="intake-segment").set_value("gas_laser").run()
    assert "比照相近细分环节（假定），无参考样本" in "\n".join(says(page))
    assert any("没有可用的参考项目" in one for one in says(page))


def test_a_load_factor_outside_sense_is_said_and_one_above_1_refused():
    page = opened("score")
    page.text_input(key="intake-power_mva").set_value("2").run()
    assert page.text_input(key="intake-energy_gwh").placeholder == "估 8.81", "2 MVA × 0.95 × 0.53 × 8.76"
    page.text_input(key="intake-energy_gwh").set_value("1").run()
    at(page, "needs")
    assert any("请核对" in one and "负荷率为 0.06" in one for one in says(page))
    page.text_input(key="intake-energy_gwh").set_value("17").run()
    assert not page.exception
    assert "17 GWh" in page.error[0].value and "2 MVA" in page.error[0].value


def test_what_is_not_a_number_at_intake_is_told_with_its_remedy():
    page = opened("score")
    page.text_input(key="intake-land_mu").set_value("plenty").run()
    assert not page.exception
    assert "“plenty”不是数" in page.error[0].value
    page.text_input(key="intake-land_mu").set_value("25-35").run()
    assert not page.error


@pytest.mark.slow
def test_a_project_that_fits_nowhere_at_intake_is_an_answer():
    page = opened("score")
    page.text_input(key="intake-land_mu").set_value("90000").run()
    assert "没有可落地的园区" in verdict(page)
    for part in PARTS:
        assert not at(page, part).exception, part


@pytest.mark.slow
def test_a_project_begins_a_portfolio_and_another_is_added():
    page = opened("score")
    page.text_input(key="intake-name").set_value(NAME).run()
    page.text_input(key="intake-power_mva").set_value("9-11").run()
    page.button(key="intake-add").click().run()
    assert any("已加入" in one for one in says(page))
    page.text_input(key="intake-name").set_value("乙").run()
    page.button(key="intake-add").click().run()
    table = projects_of(page)
    assert table["名称"].tolist() == [NAME, "乙"]
    assert table["编号"].tolist() == ["P01", "P02"]
    assert table["报装容量(MVA)"].tolist() == ["9-11", "9-11"]
    checked = portfolio.check(table)
    assert checked["power_mva_given"].all()
    assert not checked["land_mu_given"].any()


def test_a_project_may_follow_the_sample_which_stays_labelled():
    page = opened("score")
    page.radio(key="intake-where").set_value("sample").run()
    page.button(key="intake-add").click().run()
    table = projects_of(page)
    assert len(table) == len(portfolio.read("sample")) + 1
    assert table["名称"].str.startswith("示例").sum() == len(table) - 1


@pytest.mark.slow
def test_trial_weights_change_nothing_until_they_are_kept():
    page = at(opened("score"), "weights")
    assert page.button(key="weights-keep").disabled
    before = verdict(page)
    name = catalog.criteria()["freight_minutes"].name.zh
    slider = next(one for one in page.slider if one.label.startswith(name))
    shared = catalog.criteria()["quota_cover"].name.zh
    assert any("各园区同一假定" in one.value for one in page.caption), f"{shared} is the same assumption everywhere"
    slider.set_value(50.0).run()
    assert verdict(page) == before
    assert page.session_state["work"].scenario.weights == {}
    assert any("居首由" in one for one in says(page))
    page.button(key="weights-keep").click().run()
    kept = page.session_state["work"].scenario.weights
    assert kept["freight_minutes"] == 50
    assert set(kept) == set(catalog.criteria())
    assert verdict(page) != before
    page.button(key="weights-reset").click().run()
    assert page.session_state["work"].scenario.weights == {}
    assert verdict(page) == before


def test_the_most_wanted_swing_is_100():
    page = at(opened("score"), "weights")
    page.segmented_control(key="score-way").set_value("swing").run()
    top = next(one for one in page.slider if one.value == 100)
    top.set_value(60).run()
    assert [one.value for one in page.warning] == [text("score.swing_100", "zh", largest=94)]
    assert page.button(key="weights-keep").disabled


@pytest.mark.slow
def test_an_odd_judgement_is_pointed_out():
    page = at(opened("score"), "weights")
    page.segmented_control(key="score-way").set_value("ahp").run()
    assert not page.exception
    assert not page.warning
    page.select_slider[0].set_value(9).run()
    (told,) = [one.value for one in page.warning]
    assert "用地与用能相比，您判为 9" in told
    page.button(key="weights-keep").click().run()
    weights = page.session_state["work"].scenario.weights
    themes = catalog.criteria()
    land = sum(weight for key, weight in weights.items() if themes[key].theme == "land")
    assert land == pytest.approx(44.0, abs=0.1)


def test_a_table_with_faults_is_refused_with_all_of_them_at_once():
    page = opened(
        "score", **{"score-mode": "many", "kept-score-table": ("own.csv", b"segment,output_100m_yuan\nx,y\n")}
    )
    assert not page.exception
    assert "不是细分环节" in page.error[0].value
    assert "不是数" in page.error[0].value
    told = [one.value for one in page.error]
    assert [one.value for one in page.run().error] == told, "it stays beside the way on"
    assert [one.key for one in page.button if one.key == "dropped-mend"]
    assert "kept-score-table" not in page.session_state or page.session_state["kept-score-table"] is None


def test_a_table_is_scored_project_by_project(monkeypatch):
    monkeypatch.setattr(appraise, "BATCH", 2)
    quoted = NAME.replace('"', '""')
    table = f'name,segment,output_100m_yuan\n"{quoted}",激光雷达,5\n乙,光纤激光器,3\n丙,光纤激光器,9\n'
    page = opened("score", **{"score-mode": "many", "kept-score-table": ("own.csv", table.encode())})
    assert not page.exception
    listed = page.dataframe[0].value
    assert listed["name"].tolist() == [NAME, "乙", "丙"]
    assert listed["first"].notna().all()
    first = verdict(page)
    page.selectbox[0].set_value("P03").run()
    assert verdict(page) != first
    assert listed["sentence"][2] in verdict(page)
    screening = cached.screening_of(catalog.scenario(), "own.csv", table.encode())
    archive = zipfile.ZipFile(io.BytesIO(screening.archive))
    names = {"scores.csv", "verdicts.csv", "needs.csv", "references.csv", "rules.csv"}
    assert set(archive.namelist()) == names
    assert pd.read_csv(archive.open("verdicts.csv"))["project"].tolist() == ["P01", "P02", "P03"]


def test_the_page_says_what_intake_says():
    """One project on the page, under other weights, as in a batch."""
    scenario = catalog.scenario_from(catalog.scenario().model_dump() | {"weights": {"rd_minutes": 2.0}})
    project = portfolio.check(pd.DataFrame([{"segment": "光纤激光器", "output_100m_yuan": "6"}]))
    there = appraise.appraise(cached.region(scenario), project)
    here = ranking(cached.weighed_of(scenario, project))
    scores = there.scores[there.scores["eligible"]].reset_index(drop=True)
    assert here["site"].tolist() == scores["site"].tolist()
    for column in ("score", "low", "high", "chance_first", "chance_top3"):
        assert here[column].to_numpy() == pytest.approx(scores[column].to_numpy(float), abs=1e-4), column
    page = opened("score", work=Work(scenario))
    assert there.verdicts["sentence_zh"].iloc[0] in verdict(page)


def test_side_by_side_adds_up_and_marks_the_best():
    page = at(opened("score"), "compare")
    (table,) = [one for one in says(page) if "gc-side" in one and "<table" in one]
    assert table.count("★") >= 5
    assert "假定" in table
    page.multiselect(key="score-sites").set_value([]).run()
    assert not page.exception


def test_names_stay_names_in_a_refusal():
    told = plain("[a](javascript:1) $x$ :smile: :red[b] *c* a:b")
    assert "\\[a\\]" in told
    assert "\\$x\\$" in told
    assert ":smile:" not in told
    assert ":red\\[" not in told
    assert "a:b" in told


def test_no_project_of_a_visitor_is_in_what_others_share():
    project = portfolio.check(pd.DataFrame([{"segment": "光纤激光器", "output_100m_yuan": "6", "name": NAME}]))
    weighed = cached.weighed_of(catalog.scenario(), project)
    assert NAME not in str(vars(weighed.choice))
    one = next(choices(cached.region(catalog.scenario()), project))
    assert weigh(one, {}).score == pytest.approx(weighed.score)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_sources_and_tariff_are_read_in_the_visitor_s_language(language):
    page = at(opened("score", language), "compare", language)
    side = next(one for one in says(page) if "gc-side" in one and "<table" in one)
    assert bool(CJK.search(side)) == (language == "zh")
    needs = at(page, "needs", language).dataframe[0].value
    notice = needs[text("score.basis", language)].tolist()
    assert any("2026-01" in one and "hubei-2026" not in one for one in notice)
    assert bool(CJK.search("".join(notice))) == (language == "zh")
