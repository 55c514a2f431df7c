"""Projects at intake: chances over data and weights, sentences whose numbers add up, thousands as one."""

from __future__ import annotations

import datetime
import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from geo_cluster.errors import InputError
from geo_cluster.export import intake_files
from geo_cluster.intake import appraise
from geo_cluster.policy.offers import offers
from geo_cluster.region import Region, prepare
from geo_cluster.report import tables
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers
from tests import world
from tests.studies import run


@pytest.fixture(scope="module")
def region() -> Region:
    return prepare(catalog.scenario_from({"name": {"zh": "甲", "en": "a"}, "draws": 300}), Layers())


@pytest.fixture(scope="module")
def found(region) -> appraise.Appraisal:
    return appraise.appraise(region, portfolio.read("sample"))


@pytest.mark.slow
def test_scores_are_those_of_the_study(found):
    ranking = tables.ranking(run()).set_index(["project", "site"])["score"]
    scores = found.scores.set_index(["project", "site"])["score"]
    assert np.allclose(scores.reindex(ranking.index), ranking)


@pytest.mark.slow
def test_chances_add_up_and_carry_their_sampling_error(found):
    eligible = found.scores[found.scores["eligible"]]
    assert np.allclose(eligible.groupby("project")["chance_first"].sum(), 1, atol=0.01)
    assert (eligible["chance_top3"] >= eligible["chance_first"] - 1e-9).all()
    p = eligible["chance_first"]
    assert np.allclose(eligible["chance_error"], np.sqrt(p * (1 - p) / 300), atol=1e-3)
    assert found.scores.loc[~found.scores["eligible"], "chance_first"].isna().all()


def test_the_sentence_adds_up_to_the_lead(found):
    """Every number that is read: the parts named and the rest sum to the lead, to the digit."""
    for sentence in found.verdicts["sentence_zh"]:
        head, *clauses = sentence.rstrip("。").split("；")
        lead = 0.0 if "持平" in head else float(re.search(r"领先.*）([\d.]+) 分$", head)[1])
        parts = [float(number) for clause in clauses for number in re.findall(r"（([+-][\d.]+)）", clause)]
        rest = [float(number) for clause in clauses for number in re.findall(r"其余合计([+-][\d.]+)", clause)]
        assert sum(parts + rest) == pytest.approx(lead, abs=1e-9)


def test_the_verdict_says_how_sure_it_is(found):
    for verdict in found.verdicts.dropna(subset=["second"]).itertuples():
        assert f"居首概率 {100 * verdict.chance_first:.0f}% 对 " in verdict.sentence_zh
        assert re.search(r"it is first of all in \d+ % of what can.t be ruled out, .+ in \d+ %", verdict.sentence_en)


@pytest.mark.slow
def test_moving_the_named_number_puts_the_second_first(region):
    """The verdict is carried out: with the number it names, the second choice leads."""
    several = pd.concat([world.projects(1, land_mu=str(mu), power_mva="15", energy_gwh="50") for mu in (60, 190, 400)])
    several.index = ["P1", "P2", "P3"]
    verdicts = appraise.appraise(region, several).verdicts.set_index("project")
    units = {"available_land_ha": 1 / 15, "spare_mva": 1, "rd_minutes": 1}
    tried = verdicts[verdicts["datum"].isin(units)]
    assert len(tried)
    for project, verdict in tried.iterrows():
        better = 0.999 if verdict["datum"] == "rd_minutes" else 1.001
        value = verdict["datum_needed"] * units[verdict["datum"]] * better
        subject = verdict["second"]
        if verdict["datum"] == "spare_mva":
            subject = region.sites.set_index("id")["station"][subject]
        attribute = "trip_min" if verdict["datum"] == "rd_minutes" else verdict["datum"]
        number = {"low": value, "likely": value, "high": value, "source": "试算"}
        known = [{"subject": subject, "attribute": attribute, **number}]
        scenario = catalog.scenario_from({"name": {"zh": "乙", "en": "b"}, "draws": 50, "known": known})
        after = appraise.appraise(prepare(scenario, Layers()), several.loc[[project]]).verdicts.iloc[0]
        assert after["first"] == verdict["second"]


def test_one_project_as_plain_data(region, found):
    sample = portfolio.read("sample").iloc[0]
    answer = appraise.appraise_one(
        region, {"segment": sample["segment"], "output_100m_yuan": sample["output_100m_yuan"]}
    )
    text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
    assert answer["verdict"]["first"] == found.verdicts.iloc[0]["first"]
    assert json.loads(text)["scores"][0]["rank"] == 1


def test_one_project_with_faults_is_refused_with_all_of_them(region):
    with pytest.raises(InputError) as refusal:
        appraise.appraise_one(region, {"segment": "量子", "output_100m_yuan": "many", "colour": "red"})
    assert "colour" in str(refusal.value)
    with pytest.raises(InputError) as refusal:
        appraise.appraise_one(region, {"segment": "量子", "output_100m_yuan": "many"})
    assert len(refusal.value.faults) == 2


@pytest.mark.slow
def test_batches_give_what_one_piece_gives(region, monkeypatch):
    projects = portfolio.read("sample").head(7)
    whole = appraise.appraise(region, projects)
    monkeypatch.setattr(appraise, "BATCH", 3)
    assert [len(part.needs) for part in appraise.batches(region, projects)] == [3, 3, 1]
    pieces = appraise.appraise(region, projects)
    pd.testing.assert_frame_equal(pieces.scores.reset_index(drop=True), whole.scores.reset_index(drop=True))


def test_no_site_and_only_one_site_are_said_plainly():
    region = prepare(world.scenario(), world.layers())
    nobody = appraise.appraise(region, world.projects(1, land_mu="5000")).verdicts.iloc[0]
    assert nobody["sentence_zh"] == "没有可落地的园区：用地不足 2。"
    assert "Too little land 2" in nobody["sentence_en"]
    one = appraise.appraise(region, world.projects(1, land_mu="300")).verdicts.iloc[0]
    assert one["first"] == "X2"
    assert one["sentence_zh"] == "只有乙园可落地。"


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named(region, tmp_path):
    order = intake_files.Order(region)
    with pytest.raises(InputError) as refusal:
        intake_files.write(order, portfolio.read("sample").head(1), tmp_path / "out", scheduler="nowhere:1:2")
    assert not (tmp_path / "out").exists()
    (fault,) = refusal.value.faults
    assert (fault.code, fault.place.name) == ("intake.no_scheduler", "--scheduler")
    assert "nowhere:1:2" in fault.words("zh").what


def test_policy_money_is_told_in_the_clauses_words_and_never_made_of_output(region):
    small, large = (
        appraise.appraise_one(region, {"segment": "fiber_laser", "output_100m_yuan": output})["needs"]
        for output in (0.5, 120)
    )
    assert small["support_most_10k_yuan"] is None
    assert large["support_zh"] == small["support_zh"], "revenue of the firm counts, not output of the project"
    for clause in ("第17条", "第18条", "第19条", "15%", "50、100、200亿元"):
        assert clause in small["support_zh"]
    assert "clause 18" in large["support_en"]


def test_support_that_is_not_in_force_is_left_out_and_said(region):
    day = datetime.date(2024, 6, 30)
    rows = appraise.needs_table(portfolio.read("sample").head(1), day=day).iloc[0]
    assert "不计入" in rows["support_zh"]
    assert "left out" in rows["support_en"]
    assert "第19条" not in rows["support_zh"]
    assert not any(one.is_counted for one in offers("lasers", on=day))


def test_an_intake_goes_by_the_rules_of_its_day(tmp_path):
    settings = catalog.scenario().model_dump() | {"sites": ("E01", "H01"), "draws": 20, "day": "2024-01-01"}
    there = prepare(catalog.scenario_from(settings), Layers())
    projects = portfolio.read("sample").head(2)
    found = appraise.appraise(there, projects)
    assert found.day == datetime.date(2024, 1, 1)
    assert found.needs["review_zh"].str.contains("2023年第2号").all()
    intake_files.write(intake_files.Order(there), projects, tmp_path)
    for name in ("scores", "verdicts", "needs"):
        table = pd.read_csv(tmp_path / f"{name}.csv")
        assert table["rules_notice"].str.contains("2024-01-01").all(), name
    rules = pd.read_csv(tmp_path / "rules.csv").set_index("topic")
    assert rules.loc["review", "valid_to"] == "2025-08-31"
    assert set(rules.loc["support", "use"]) == {"left_out"}
    one = appraise.appraise_one(there, {"segment": "fiber_laser", "output_100m_yuan": 6})
    assert {row["topic"] for row in one["rules"]} == set(rules.index)


def test_nobody_asks_for_numbers_of_sites_that_are_not_considered():
    region = prepare(catalog.scenario_from(catalog.scenario().model_dump() | {"sites": ("E01", "E08"), "draws": 200}))
    asked = set(appraise.requests(region, portfolio.read("sample"))["subject"])
    assert asked
    assert asked <= {"E01", "E08", *region.sites["station"], *region.arrivals["station"], "420700"}


def test_requests_without_matching_are_those_of_the_study():
    result = run()
    asked = appraise.requests(result.region, result.projects)
    pd.testing.assert_frame_equal(asked, tables.requests(result))


def test_a_portfolio_grows_by_one_and_keeps_what_it_had():
    hostile = '</script>"\n,=1+1 \u202e😀'
    table = "id,name,细分环节,output_100m_yuan,备注\r\nP02,甲,激光雷达,5,注\r\n".encode()
    longer = appraise.with_project(table, {"name": hostile, "segment": "fiber_laser", "output_100m_yuan": "3"})
    checked = portfolio.check(pd.read_csv(io.BytesIO(longer), dtype=str, keep_default_na=False))
    assert checked.index.tolist() == ["P02", "P03"]
    assert checked["name"].tolist() == ["甲", hostile]
    assert checked["notes"].tolist() == ["注", ""]
    assert appraise.count(longer) == 2
    with pytest.raises(InputError, match="is not a number"):
        appraise.with_project(longer, {"segment": "fiber_laser", "output_100m_yuan": "many"})


def test_the_template_has_the_headings_and_nothing_else():
    table = pd.read_csv(io.BytesIO(appraise.template()))
    assert list(table) == list(portfolio.columns().values())
    assert table.empty


def test_estimates_are_those_that_a_check_fills_in():
    checked = portfolio.check(pd.DataFrame([{"segment": "laser_chip", "output_100m_yuan": "7"}])).iloc[0]
    for need, bounds in appraise.estimated("laser_chip", 7.0).items():
        columns = [need] if need == "max_minutes" else [f"{need}_{end}" for end in ("low", "likely", "high")]
        assert set(np.round(bounds, 9)) == set(np.round(checked[columns].to_numpy(float), 9))
