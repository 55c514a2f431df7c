"""Standard-land doors: pass, fail or unknown, by hand on the thresholds that are known, and on any amounts."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from geo_cluster import study
from geo_cluster.export.csv_tables import csv_tables
from geo_cluster.intake import appraise
from geo_cluster.report import tables
from geo_cluster.supply import standard_land
from geo_cluster.supply.standard_land import door_checks
from geo_cluster.world import catalog, portfolio
from tests import world

DAY = datetime.date(2026, 11, 30)
SITES = pd.DataFrame({"id": ["E01", "E02", "S01", "H01"], "zone_id": ["", "E01", None, ""]})


def plants(**given: list[str]) -> pd.DataFrame:
    """Plants on 100 mu each, unless said otherwise."""
    count = len(next(iter(given.values())))
    row = {"segment": ["fiber_laser"] * count, "output_100m_yuan": ["5"] * count, "land_mu": ["100"] * count}
    return portfolio.check(pd.DataFrame(row | given))


def verdicts(projects: pd.DataFrame, site: str, day: datetime.date = DAY) -> list[str]:
    found = door_checks(projects, SITES, day)
    return [found.of(site, project) for project in range(len(projects))]


def test_300_a_mu_passes_at_gedian_and_a_little_less_fails():
    found = plants(investment_100m_yuan=["3", "2.99", "3"], tax_100m_yuan=["0.25", "0.25", "0.2499"])
    assert verdicts(found, "E01") == ["pass", "fail", "fail"]  # 300 and 25 exactly; 299; 24.99


def test_an_interval_across_the_threshold_is_unknown_and_both_ends_are_said():
    found = plants(investment_100m_yuan=["2.5-3.5"], tax_100m_yuan=["0.3"])
    assert verdicts(found, "E01") == ["unknown"]
    sentence = door_checks(found, SITES, DAY).sentence(0, 0, "en")
    assert all(part in sentence for part in ("250–350", "300", "2022-03-13"))
    wide = plants(investment_100m_yuan=["3"], tax_100m_yuan=["0.3"], land_mu=["90-110"])  # 273 to 333 a mu
    assert verdicts(wide, "E01") == ["unknown"]


@pytest.mark.parametrize("stated", [{}, {"investment_100m_yuan": ["9"]}, {"tax_100m_yuan": ["9"]}])
def test_what_nobody_stated_never_passes(stated):
    found = plants(notes=["x"], **stated)
    assert verdicts(found, "E01") == ["unknown"]


def test_a_park_in_a_zone_inherits_its_door_and_elsewhere_nothing_is_known():
    found = plants(investment_100m_yuan=["2", "9"], tax_100m_yuan=["0.1", "0.9"])
    checks = door_checks(found, SITES, DAY)
    assert verdicts(found, "E02") == verdicts(found, "E01") == ["fail", "pass"]
    assert "E01" in checks.sentence(0, 1, "zh")
    assert "E01" not in checks.sentence(0, 0, "zh")
    assert verdicts(found, "H01") == ["unknown", "unknown"]
    assert checks.known.tolist() == [True, True, True, False]
    assert checks.sentence(0, 3, "zh") == standard_land.NOT_FOUND.zh
    alone = door_checks(found, SITES[["id"]], DAY)  # layers without zones
    assert alone.known.tolist() == [True, False, True, False]


def test_total_investment_can_fail_a_threshold_of_fixed_investment_but_not_pass_it():
    found = plants(investment_100m_yuan=["2.9", "9", ""])
    assert verdicts(found, "S01") == ["fail", "unknown", "unknown"]


@pytest.mark.parametrize(("day", "verdict"), [("2022-03-12", "unknown"), ("2022-03-13", "pass")])
def test_a_rule_gives_no_verdict_before_it_is_valid(day, verdict):
    found = plants(investment_100m_yuan=["3"], tax_100m_yuan=["0.25"])
    assert verdicts(found, "E01", datetime.date.fromisoformat(day)) == [verdict]
    assert verdicts(plants(investment_100m_yuan=["1"]), "E01", datetime.date(2000, 1, 1)) == ["unknown"]


def test_a_newer_version_of_a_rule_takes_its_place(monkeypatch):
    (first, *_) = catalog.doors()
    until = first.model_copy(update={"valid_to": datetime.date(2026, 12, 31)})
    newer = first.model_copy(update={"least": 500.0, "valid_from": datetime.date(2027, 1, 1)})
    monkeypatch.setattr(catalog, "doors", lambda: (until, newer))
    found = plants(investment_100m_yuan=["4"])
    assert verdicts(found, "E01") == ["pass"]
    assert verdicts(found, "E01", datetime.date(2027, 1, 1)) == ["fail"]


def test_every_pair_with_a_door_is_in_the_table_with_rule_and_date():
    found = plants(investment_100m_yuan=["2.4", "3"], tax_100m_yuan=["0.3", ""])
    table = door_checks(found, SITES, DAY).table()
    own = table[(table["site"] == "E01") & (table["project"] == "P01")].set_index("indicator")
    assert own["result"].to_dict() == {"investment_10k_yuan_per_mu": "fail", "tax_10k_yuan_per_mu": "pass"}
    assert own.loc["investment_10k_yuan_per_mu", ["least", "likely", "short"]].tolist() == [300, 240, 60]
    assert set(own["valid_from"]) == {"2022-03-13"}
    assert set(table["site"]) == {"E01", "E02", "S01"}
    assert set(table.loc[table["site"] == "E02", "inherited_from"]) == {"E01"}
    assert (table[["publisher", "source", "source_class", "confidence"]] != "").all(axis=None)


def test_doors_are_declared_with_their_source_and_life():
    for door in catalog.doors():
        assert door.indicator in catalog.door_indicators()
        assert door.publisher and door.source and door.confidence and door.valid_from <= DAY
    assert set(portfolio.PER_MU) <= set(catalog.door_indicators())


amounts = some.floats(0.01, 900, allow_nan=False)


@pytest.mark.slow
@given(land=some.tuples(amounts, amounts), money=some.tuples(amounts, amounts))
def test_per_mu_holds_every_land_and_amount_within_their_bounds(land, money):
    (less, more), (low, high) = sorted(land), sorted(money)
    found = plants(land_mu=[f"{less:.6f}-{more:.6f}"], investment_100m_yuan=[f"{low:.6f}-{high:.6f}"])
    (bounds,) = portfolio.per_mu(found)["investment_10k_yuan_per_mu"]
    assert bounds[0] <= bounds[1] <= bounds[2]
    for mu in portfolio.amount(found, "land_mu")[0]:
        for yuan in portfolio.amount(found, "investment_100m_yuan")[0]:
            assert bounds[0] * (1 - 1e-9) <= yuan * 1e4 / mu <= bounds[2] * (1 + 1e-9)
    verdict = door_checks(found, SITES, DAY).verdict[0, 0]
    assert verdict == (
        "pass" if bounds[0] >= 300 * (1 - 1e-9) else "fail" if bounds[2] < 300 * (1 - 1e-9) else "unknown"
    )


@pytest.fixture(scope="module")
def result():
    """One plant that states everything and one that states nothing, at a site called E01."""
    layers = world.layers()
    layers["sites"] = layers["sites"].replace({"id": {"X1": "E01"}})
    layers["observations"] = layers["observations"].replace({"site_id": {"X1": "E01"}})
    row = {"segment": "fiber_laser", "output_100m_yuan": "5", "power_mva": "10", "energy_gwh": "1"}
    full = row | {"land_mu": "30", "investment_100m_yuan": "0.6", "tax_100m_yuan": "0.09", "jobs": "120"}
    found = portfolio.check(pd.DataFrame([full | {"power_year": "2028"}, row | {"land_mu": "20"}]).fillna(""))
    return study.run(world.scenario(sites=["E01"]), layers, projects=found)


def test_a_plan_carries_what_projects_state_and_what_the_site_asks(result):
    placed = tables.assignment(result).set_index("project")
    assert placed["standard_land"].to_dict() == {"P01": "fail", "P02": "unknown"}  # 200 a mu
    assert placed.loc["P01", ["investment_10k_yuan_per_mu_likely", "tax_10k_yuan_per_mu_low"]].tolist() == [200, 30]
    assert placed.loc["P01", ["jobs", "power_year"]].tolist() == [120, 2028]
    assert placed.loc["P02", ["investment_100m_yuan", "jobs"]].isna().all()
    assert {"standard_land.csv"} <= set(csv_tables(result))
    words = tables.stated_words(result.projects, "zh")
    assert words.loc["P02", "investment_10k_yuan_per_mu"] == "未知"


@pytest.mark.slow
def test_intake_says_it_for_each_site(result):
    found = appraise.appraise(result.region, result.projects)
    scores = found.scores.set_index(["project", "site"])
    assert scores.loc[("P01", "E01"), "standard_land"] == "fail"
    assert "200" in scores.loc[("P01", "E01"), "standard_land_en"]
    assert np.allclose(found.needs["investment_10k_yuan_per_mu_high"], [200, np.nan], equal_nan=True)
