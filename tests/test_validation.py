"""可信度自检: what the model is held against, by hand, by hurting it, and in the made-up country."""

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo_cluster import cli, eligibility, toml
from geo_cluster.access.road_calibration import left_out
from geo_cluster.domain import LANGUAGES
from geo_cluster.region import facts_of, prepare, settings_of
from geo_cluster.scoring.criteria import decide
from geo_cluster.study import run as run_study
from geo_cluster.validation import assumptions, check, decisions, needs, printed, tornado, travel
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers
from tests import world

DECISION = {
    "name_zh": "甲厂项目",
    "firm_zh": "甲厂",
    "scope": "target",
    "origin_zh": "武汉",
    "segment_zh": "光纤激光器",
    "laser_relevance": "laser",
    "park_zh": "",
    "site_id": "X1",
    "city_zh": "鄂州",
    "county_zh": "",
    "announced": "2024",
    "status": "signed",
    "land_mu": np.nan,
    "floor_m2": np.nan,
    "investment_100m_yuan": np.nan,
    "as_of": "2024",
    "notes": "",
    "output_100m_yuan": 5.0,
    "reason_zh": "近",
    "publisher": "报",
    "confidence": "high",
}


def country(*rows, **changes):
    """The made-up country with these siting decisions."""
    table = pd.DataFrame([{"id": f"L{at}", **DECISION, **row} for at, row in enumerate(rows, start=1)])
    return prepare(world.scenario(**changes), world.layers() | {"siting_decisions": table})


@pytest.fixture(scope="module")
def shipped():
    return prepare(catalog.scenario())


@pytest.fixture(scope="module")
def sample():
    return portfolio.read("sample")


# ---- travel


def test_a_row_that_calibrates_is_predicted_by_the_others_alone(shipped):
    """By hand: the line through the other pairs, weighted by one over half the width squared."""
    pairs = shipped.calibration.pairs
    fit = pairs[pairs["fit"]].reset_index(drop=True)
    for at in range(len(fit)):
        rest = fit.drop(index=at)
        half = np.maximum((rest["high_min"] - rest["low_min"]) / 2, 1.0)
        slope, start = np.polyfit(rest["network_min"], rest["likely_min"], 1, w=1 / half)
        if start >= 0:
            assert left_out(shipped.calibration)[at] == pytest.approx(start + slope * fit["network_min"][at])


def test_a_bent_model_shows_up(shipped):
    honest = travel.summary(travel.residuals(shipped)).set_index(["mode", "use", "basis"])
    pairs = shipped.calibration.pairs
    bent = replace(
        shipped, calibration=replace(shipped.calibration, pairs=pairs.assign(fitted_min=1.5 * pairs["fitted_min"]))
    )
    wrong = travel.summary(travel.residuals(bent)).set_index(["mode", "use", "basis"])
    key = ("road", "check", "published")
    assert wrong.loc[key, "bias"] > honest.loc[key, "bias"] + 15
    assert wrong.loc[key, "within"] < honest.loc[key, "within"]


def test_the_model_is_said_to_be_wrong_where_it_is(shipped, sample):
    found = travel.residuals(shipped)
    promoted = found[(found["origin"] == "H01") & (found["destination"] == "future_city")].iloc[0]
    assert (promoted["published"], promoted["use"]) == (40.0, "check")
    assert promoted["outside"] > 20
    said = check.validate(shipped, sample).sentences("en")["travel"]
    assert any("differ by more than 20 min" in one and "40, model 69" in one for one in said)


def test_residuals_by_hand():
    rows = {
        "mode": "road",
        "unit": "min",
        "use": "check",
        "basis": "published",
        "origin": "A",
        "destination": ["B", "C"],
    }
    ends = {f"{end}_{lang}": "x" for end in ("origin", "destination") for lang in LANGUAGES}
    found = pd.DataFrame(rows | ends | {"residual": [10.0, -4.0], "outside": [5.0, 0.0]})
    (row,) = travel.summary(found).to_dict("records")
    assert (row["pairs"], row["bias"], row["mae"], row["worst"], row["within"]) == (2, 3.0, 7.0, 10.0, 0.5)


def test_a_country_without_published_times_says_so():
    found = check.validate(country({}), world.projects(1))
    assert found.tables["travel"].empty
    assert found.sentences("zh")["travel"] == ["图层中没有可对照的出行时间。"]


# ---- siting decisions


def test_the_rank_of_what_was_chosen():
    """X1 is nearer, priced alike, fits the industry: it comes first, X2 second, a place elsewhere has no rank."""
    found = decisions.ranks(
        country({}, {"site_id": "X2"}, {"site_id": "Q9"}, {"site_id": ""}, {"laser_relevance": "none"})
    ).set_index("decision")
    assert found["rank"].tolist()[:2] == [1.0, 2.0]
    assert found["known_to"].tolist() == ["site", "site", "outside", "city"]
    assert np.isnan(found.loc["L3", "rank"])
    assert found.loc["L4", "candidates"] == 2
    assert found.loc["L4", "rank"] == found.loc["L4", "by_chance"] == 1.0
    assert found.loc["L1", "by_chance"] == 1.5
    assert found.loc["L1", "chance_first"] + found.loc["L2", "chance_first"] == pytest.approx(1)
    assert (found["chance_top3"].dropna() == 1).all(), "there are two sites"
    assert (found["low"] <= found["score"]).all() or found["low"].isna().any()


def test_rank_and_score_are_those_of_the_model():
    region = country({"site_id": "X2"})
    row = decisions.ranks(region).iloc[0]
    one = portfolio.check(pd.DataFrame([{"id": "L1", "segment": "fiber_laser", "output_100m_yuan": "5"}]))
    facts = facts_of(region, one)
    decision = decide(*settings_of(region, facts), catalog.criteria(), {}, region.alike)
    assert row["score"] == round(decision.score[0, 1], 1)
    assert row["first"] == region.sites["id"][int(decision.score[0].argmax())]


def test_a_choice_that_a_rule_forbids_is_told_with_its_reason():
    region = country({"land_mu": 400.0})
    row = decisions.ranks(region).iloc[0]
    assert row["known_to"] == "ruled_out"
    assert "400" in row["refused_zh"]
    said = check.validate(region, world.projects(1)).sentences("en")["decisions"]
    assert any(one.startswith("The model rules out what was chosen") for one in said)
    assert "prove nothing" in said[0]


def test_the_nine_decisions_of_the_three_cities(shipped):
    found = decisions.ranks(shipped)
    assert len(found) == 9
    assert sorted(found.loc[found["chosen"].isin(["E01", "H02"]), "chosen"]) == ["E01"] * 3 + ["H02"] * 2
    assert (found["rank"].dropna() <= found.loc[found["rank"].notna(), "sites"]).all()


def test_every_product_and_pair_of_the_table_is_there():
    rules = toml.table("validation")["decisions"]
    table = Layers().read("siting_decisions")
    assert {one["product"] for one in rules["product"]} <= set(table["segment_zh"])
    assert {one["segment"] for one in rules["product"]} <= set(catalog.segments())
    assert {*rules["same"], *rules["same"].values()} <= set(table["id"])


# ---- needs, printed examples


def test_figures_beside_ranges(shipped):
    found = needs.beside_references(shipped.layers)
    has = found[found["figure"].notna()]
    below, above = has["figure"] < has["low"], has["figure"] > has["high"]
    assert (has["place"] == np.where(below, "below", np.where(above, "above", "within"))).all()
    assert (has.loc[~below & ~above, "times"] == 1).all()
    assert (has.loc[below | above, "times"] > 1).all()
    assert set(found["segment"]) == set(catalog.segments())
    own = has[(has["segment"] == "fiber_laser") & (has["reference"] == "L026")]
    assert own["behind"].all(), "the range was made from it"


def test_every_printed_example_agrees():
    found = printed.examples()
    assert found["agrees"].all(), found.loc[~found["agrees"], ["example", "difference"]]
    assert set(printed.BY) == {one["by"] for one in toml.table("validation")["printed"]}


def test_a_number_that_was_printed_otherwise_is_told(monkeypatch):
    table = toml.table("validation")
    first = {**table["printed"][0], "printed": [0.7, 0.268, 0.613, 0.312]}
    monkeypatch.setattr(
        printed.toml, "table", lambda name: {**table, "printed": [first]} if name == "validation" else {}
    )
    assert printed.examples()["agrees"].tolist() == [False]


# ---- what answers rest on


def test_shares_of_what_is_uncertain_add_up():
    region = country({})
    found = assumptions.first_places(region, world.projects(2)).iloc[0]
    parts = [*assumptions.ON_SITES.values(), *assumptions.NEEDS]
    assert found[parts].sum() == pytest.approx(1, abs=1e-3)
    assert found["rests"] == pytest.approx(found["assumed"] + found["need_estimated"], abs=1e-3)
    assert found["need_estimated"] == 0, "these projects state what they need"


def test_what_somebody_said_rests_on_no_assumption():
    before = assumptions.first_places(country({}), world.projects(1)).iloc[0]
    known = {"subject": "X1", "attribute": "available_land_ha", "source": "电话", "low": 1, "likely": 4, "high": 12}
    after = assumptions.first_places(country({}, known=[known]), world.projects(1)).iloc[0]
    assert before["reported"] == 0 < after["reported"]
    assert after["rests"] < before["rests"]
    assert after["weight_assumed"] < before["weight_assumed"]


def test_needs_that_nobody_stated_are_estimates():
    vague = world.projects(1, land_mu="", power_mva="", energy_gwh="")
    found = assumptions.first_places(country({}), vague).iloc[0]
    assert found["need_estimated"] > 0 == found["need_stated"]


def test_capacity_that_a_plan_uses():
    """Of two projects of 30 mu one goes to each site, and only of X2 nobody said how much land it has."""
    bounds = {"low": 2.5, "likely": 2.5, "high": 2.5}
    known = {"subject": "X1", "attribute": "available_land_ha", "source": "电话", **bounds}
    study = run_study(world.scenario(known=[known]), world.layers(), projects=world.projects(2))
    assert sorted(study.plan.site) == [0, 1]
    found = assumptions.plan(study).set_index("resource")
    assert found["on_assumed"].to_dict() == {"land": 0.5, "power": 1.0, "energy": 1.0}
    assert (found["demand_estimated"] == 0).all()


# ---- what assumptions change


def by_force(region, projects, subject, attribute, value):
    """First places where one number is known to be so: the whole model again."""
    rows = region.observations.copy()
    at = rows[(rows["site_id"] == subject) & (rows["attribute"] == attribute)].index
    rows.loc[at, ["low", "likely", "high"]] = value
    moved = replace(region, observations=rows)
    facts = facts_of(region, projects)
    likely, _ = settings_of(moved, replace(facts, offers=moved.offers))
    weights = region.scenario.weights
    decision = decide(likely, likely, catalog.criteria(), weights, region.alike)
    allowed = eligibility.judge(facts).allowed
    return np.where(allowed, decision.score, -np.inf)


@pytest.mark.slow
def test_each_number_moved_is_the_model_run_again(shipped, sample):
    """Against brute force, for the numbers that change most and least: the region anew with the number at its end."""
    projects = sample
    found = tornado.moves(shipped, projects)
    single = found[(found["scope"] == "number") & (found["side"] == "offer") & (found["basis"] == "assumed")]
    known = shipped.observations
    base = by_force(shipped, projects, "", "", 0.0)
    first = base.argmax(axis=1)
    for row in pd.concat([single.head(4), single.tail(2)]).itertuples():
        same = known[(known["low"] == row.low) & (known["high"] == row.high) & (known["basis"] == "assumed")]
        named = [one for one in same.itertuples() if shipped.names[one.site_id].en == row.subject_en]
        (number,) = [one for one in named if catalog.attributes()[one.attribute].name.en == row.assumption_en]
        for end, told in ((number.low, row.changed_low), (number.high, row.changed_high)):
            moved = by_force(shipped, projects, number.site_id, number.attribute, end)
            other = moved.max(axis=1) > moved[np.arange(len(moved)), first] + 1e-9
            assert other.sum() == told, (row.assumption_en, row.subject_en)


def test_a_lead_that_one_number_can_turn():
    """X1 leads X2 by more than the price can turn, unless price is all that counts."""
    only_price = dict.fromkeys(catalog.criteria(), 0.0) | {"land_price": 1.0}
    region = country({}, weights=only_price, known=[world.price_known("X1") | {"high": 30, "likely": 12}])
    found = tornado.moves(region, world.projects(2))
    price = found[(found["scope"] == "number") & (found["subject_en"] == "X one")]
    price = price[price["assumption_zh"] == catalog.attributes()["land_price_10k_yuan_per_mu"].name.zh].iloc[0]
    assert (price["changed_low"], price["changed_high"], price["changed"]) == (0, 2, 2)
    assert price["shift_low"] > 0 > price["shift_high"]
    others = found[~found["assumption_zh"].isin([price["assumption_zh"]])]
    assert (others["changed"] == 0).all(), "nothing else counts"


# ---- together


def test_files_and_json_hold_every_table(tmp_path):
    found = check.validate(country({}), world.projects(2))
    names = set(toml.table("validation")["tables"])
    assert set(found.tables) == names
    told = json.loads(check.as_json(found))
    assert set(told["tables"]) == names
    assert set(told["sentences"]["zh"]) | {"travel_summary"} == names
    for language in LANGUAGES:
        made = check.files(found, language)
        assert set(made) == {f"{name}.csv" for name in names} | {check.WORKBOOK}
        check.write(made, tmp_path)
        sheets = pd.read_excel(tmp_path / check.WORKBOOK, sheet_name=None)
        assert set(check.titles(language).values()) <= set(sheets)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_has_a_name(shipped, language):
    study = run_study(world.scenario(), world.layers(), projects=world.projects(2))
    found = check.validate(shipped, study.projects, study=study)
    titled = {one[language] for one in toml.table("validation")["columns"].values()}
    for name, table in found.tables.items():
        assert set(check.as_read(table, language)) <= titled, name
    assert all(found.sentences(language).values())


@pytest.mark.slow
def test_the_command_prints_and_writes(tmp_path, capsys, monkeypatch):
    """With a portfolio of one's own that goes anywhere, in both forms."""
    (tmp_path / "own.csv").write_text("细分环节,年产值(亿元)\n激光清洗,1\n", encoding="utf-8")
    text = 'name = { zh = "我", en = "me" }\nportfolio = "own.csv"\nsites = ["E01", "H02", "S01"]\ndraws = 50\n'
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    for more in ([], ["--json"]):
        arguments = ["geo-cluster", "validate", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "v"), *more]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed_out = capsys.readouterr().out
        assert end.value.code in (0, None)
    told = json.loads(printed_out)
    assert told["projects"] == 1
    assert {row["known_to"] for row in told["tables"]["decisions"]} >= {"site", "outside"}
    assert len(list((tmp_path / "v").iterdir())) == len(toml.table("validation")["tables"]) + 1
