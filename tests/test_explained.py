"""A plan explained: what each table says is checked by doing it."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pandas as pd
import pytest

from geo_cluster import study
from geo_cluster.report import comparison, explanation, what_if
from geo_cluster.report import tables as report_tables
from geo_cluster.world import catalog, portfolio
from tests import world


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine proves the same, later."""
    monkeypatch.setattr(explanation, "LIMIT_S", 60.0)
    monkeypatch.setattr(explanation, "TOTAL_S", 600.0)


@pytest.fixture(scope="module")
def crowded() -> study.Study:
    """Four projects of 20 MVA behind one station of 60: one stays out."""
    return study.run(world.scenario(), world.layers(), projects=world.projects(4, power_mva="20"))


def test_the_way_in_is_what_it_takes(crowded):
    ways = explanation.placement_options_table(crowded)
    (left,) = report_tables.unplaced(crowded)["project"]
    assert set(ways["project"]) == {left}
    assert ways["way"].str.contains("一号站再增加 20.0 MVA容量").any()
    assert ways["way_en"].str.contains("+20.0 MVA of power at Station one", regex=False).any()
    assert ways["proven"].all()
    known = [{"subject": "G1", "attribute": "spare_mva", "low": 80, "likely": 80, "high": 80, "source": "试算"}]
    after = study.run(world.scenario(known=known), world.layers(), projects=world.projects(4, power_mva="20"))
    assert report_tables.unplaced(after).empty


def test_a_pool_is_worth_what_lets_one_more_in(crowded):
    """One more MVA lets nobody in: the step told is the 20 that do."""
    row = explanation.pool_values_table(crowded).iloc[0]
    assert (row["resource"], row["pool"], row["step"]) == ("power", "G1", 20.0)
    assert row["gain"] > 50, "placing the fourth is worth its bonus and its score"
    assert explanation.pool_value(crowded, "power", "G1", 1.0)[0] < 5, "better covered, no more"


@pytest.mark.slow
def test_losing_a_site_costs_what_a_study_without_it_is_worth_less(crowded):
    """The weights stay those in force: alone, a site has nothing to be alike to, and none would be given back."""
    table = explanation.importance_table(crowded).set_index("site")["loss"]
    weights = dict.fromkeys(crowded.region.alike, 0.0)
    for site in table.index:
        other = {"X1": "X2", "X2": "X1"}[site]
        alone = world.scenario(sites=[other], weights=weights)
        without = study.run(alone, world.layers(), projects=world.projects(4, power_mva="20"))
        assert crowded.plan.objective - without.plan.objective == pytest.approx(table[site], abs=1e-3)


@pytest.mark.slow
def test_every_row_of_the_fronts_is_worth_no_more_than_the_plan_and_bounded(crowded):
    front = explanation.front_table(crowded)
    assert (front["worth"] <= crowded.plan.objective + 0.01).all()
    assert (front["bound"] >= front["worth"] - 0.01).all()
    commuting = front[front["against"] == "commuting_hours"]
    assert commuting["value"].is_monotonic_decreasing


@pytest.mark.slow
def test_share_of_draws_in_which_the_plan_holds_by_hand():
    """One project of 30 mu at X1, everything else ample: it holds when X1 has 2 ha or more."""
    sure = {"spare_mva": "G1", "energy_quota_tce": world.PREFECTURE}
    known = [
        {"subject": subject, "attribute": key, "low": 1e6, "likely": 1e6, "high": 1e6, "source": "试算"}
        for key, subject in sure.items()
    ]
    scenario = world.scenario(known=known, sites=["X1"], draws=2000)
    result = study.run(scenario, world.layers(), projects=world.projects(1))
    table = explanation.feasibility_table(result).set_index("resource")["breaks"]
    column = list(result.observations["attribute"]).index("available_land_ha")
    by_hand = np.mean(result.region.draws[:, column] * 15 < 30)
    assert table["plan"] == pytest.approx(by_hand, abs=1e-4)
    assert 0.01 < by_hand < 0.1  # triangular 1, 4, 12: (2 - 1)² / (11 × 3) = 3 %
    assert by_hand == pytest.approx(1 / 33, abs=2e-3)


def test_alternatives_are_told_project_by_project_with_their_worth(crowded):
    table = explanation.alternatives_table(crowded)
    assert list(table["project"][-2:]) == ["worth", "distance"]
    assert float(table["plan"].iloc[-2]) == pytest.approx(crowded.plan.objective, abs=0.01)
    assert isinstance(table, pd.DataFrame)


def test_nothing_to_explain_where_nobody_may_go_anywhere():
    nobody = study.run(world.scenario(), world.layers(), projects=world.projects(1, land_mu="5000"))
    assert explanation.explain(nobody) == {}
    assert explanation.placement_options_table(nobody).empty


@pytest.mark.slow
def test_what_was_not_worked_out_has_no_row(crowded):
    tables = explanation.explain(crowded, total_s=0.0)
    for name in ("ways_in", "pool_worth", "why_here", "site_importance"):
        assert tables[name].empty, name
    assert "alternative_1" not in tables["alternatives"]
    assert not tables["trade_off"]["complete"].any()
    assert not tables["holds"].empty, "what takes no solving is there"
    whole = explanation.explain(crowded)
    assert not whole["ways_in"].empty
    assert whole["trade_off"]["complete"].all()
    assert whole["trade_off"]["value"].notna().all()


def test_the_time_is_kept_and_what_matters_most_comes_first(crowded, monkeypatch):
    monkeypatch.setattr(explanation, "LIMIT_S", 0.05)
    began = time.process_time()
    tables = explanation.explain(crowded, total_s=0.2)
    assert time.process_time() - began < 10.0
    assert tables["ways_in"]["gain"].notna().any()


@pytest.mark.slow
def test_the_first_interrupt_ends_explaining_with_what_there_is(crowded, monkeypatch):
    asked = []

    def interrupted(*given, **how):
        asked.append(given)
        os.kill(os.getpid(), signal.SIGINT)
        return ()

    monkeypatch.setattr(explanation, "why_here", interrupted)
    tables = explanation.explain(crowded)
    assert asked
    assert tables["ways_in"]["gain"].notna().any()
    assert tables["site_importance"].empty
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# ---- what the Match page asks -------------------------------------------------------------------------------


def run_crowded(**changes):
    return study.run(world.scenario(**changes), world.layers(), projects=world.projects(4, power_mva="20"))


def rows(settings):
    weights = {"weights": settings["weights"]} if "weights" in settings else {}
    return {key: [one.model_dump() for one in settings[key]] for key in settings.keys() - weights.keys()} | weights


@pytest.mark.slow
def test_using_a_way_in_places_the_project(crowded):
    (left,) = report_tables.unplaced(crowded)["project"]
    ways = explanation.placement_options_of(crowded, left)
    assert ways
    for way in ways:
        after = run_crowded(**rows(what_if.option_settings(crowded, way, source="试算")))
        places = report_tables.assignment(after).set_index("project")["site"]
        assert places[left] == explanation.option_row(crowded, way)["site"]
        if way.more:
            assert report_tables.unplaced(after).empty
            assert (after.observations["source"] == "试算").any(), "the supposition shows as one"


@pytest.mark.slow
def test_a_pool_at_another_value_is_the_scenario_with_that_number(crowded):
    trial = what_if.pool_scenario(crowded, resource="power", pool="G1", amount=85.0, source="试算")
    (known,) = trial.known
    assert (known.subject, known.attribute, known.low, known.high) == ("G1", "spare_mva", 85.0, 85.0)
    after = study.run(trial, world.layers(), projects=world.projects(4, power_mva="20"))
    assert report_tables.unplaced(after).empty
    table = comparison.difference_table(crowded, after)
    assert table.loc[table["from"] == "", "project"].tolist() == report_tables.unplaced(crowded)["project"].tolist()
    land = what_if.pool_scenario(crowded, resource="land", pool="X1", amount=150.0, source="试算").known[0]
    assert land.likely == pytest.approx(10.0), "150 mu are 10 ha"
    again = what_if.known_with(trial.known, resource="power", pool="G1", bounds=70.0, source="又一次")
    assert [one.likely for one in again] == [70.0], "the same number is replaced, not doubled"


@pytest.mark.slow
def test_a_supposed_number_moves_no_weight():
    """Nobody knows either city's quota: the criterion gave its weight back, and a tonne more isn't to bring it."""
    row = {"name": {"zh": "试", "en": "try"}, "sites": ["E01", "H01"], "draws": 50, "day": "2026-12-01"}
    few = study.run(catalog.scenario_from(row), projects=portfolio.read("sample").iloc[:4])
    assert "quota_cover" in few.region.alike
    more = explanation.problem_with_more(few, {("energy", "420700"): 1.0})
    assert np.array_equal(more.score, few.problem.score, equal_nan=True)
    assert explanation.pool_value(few, "energy", "420700", 1.0) == (pytest.approx(0.0, abs=1e-9), True)
    trial = what_if.pool_scenario(few, resource="energy", pool="420700", amount=31_000.0, source="试算")
    after = study.run(trial, projects=few.projects)
    assert after.plan.objective == pytest.approx(few.plan.objective)
    assert after.decision.weight.tolist() == pytest.approx(few.decision.weight.tolist())
    said = trial.model_copy(update={"weights": {}})
    assert "quota_cover" not in study.run(said, projects=few.projects).region.alike, "known, it has its weight again"


def test_the_full_station_binds_and_the_others_do_not(crowded):
    table = explanation.gauge_table(crowded).set_index("pool")
    assert table.loc["G1", "share"] == pytest.approx(1.0)
    assert table.loc["G1", "waiting"] == 1, "the one that stays out"
    assert table.loc[world.PREFECTURE, "waiting"] == 0
    gain, proven = explanation.pool_value(crowded, "power", "G1", 20.0)
    assert proven
    assert gain > 50, "placing the fourth is worth its bonus and its score"


@pytest.mark.slow
def test_a_lock_costs_what_it_loses():
    free = run_crowded()
    best = report_tables.assignment(free)["site"].mode()[0]
    worse = {"X1": "X2", "X2": "X1"}[best]
    held = run_crowded(locked=[{"project": "P01", "site": worse}])
    (row,) = explanation.lock_table(held).to_dict("records")
    assert (row["project"], row["site"]) == ("P01", worse)
    assert row["loss"] == pytest.approx(free.plan.objective - held.plan.objective, abs=1e-3)


def test_another_plan_in_a_study_is_checked_and_can_be_locked(crowded):
    site = crowded.plan.site.copy()
    site[:] = -1
    site[0] = 0
    other = comparison.with_plan(crowded, site)
    assert len(report_tables.assignment(other)) == 1
    assert not other.violations
    assert other.plan.objective < crowded.plan.objective <= other.plan.bound + 1e-6
    (pair,) = comparison.plan_locks(other)
    assert (pair.project, pair.site) == ("P01", crowded.sites["id"].iloc[0])
    broken = comparison.with_plan(crowded, np.zeros(4, dtype=int))
    (short,) = (one for one in broken.violations if one.where.startswith("power, "))  # 80 MVA behind a station of 60
    assert short.words("zh").where.startswith("容量，"), "by its words, no code"


@pytest.mark.slow
def test_why_a_project_moved_begins_with_what_a_person_did():
    free = run_crowded()
    at = report_tables.assignment(free).set_index("project")["site"]["P01"]
    away = {"X1": "X2", "X2": "X1"}[at]
    for change, told in (("locked", "按锁定"), ("forbidden", "原园区已被禁止")):
        site = away if change == "locked" else at
        after = run_crowded(**{change: [{"project": "P01", "site": site}]})
        row = comparison.difference_table(free, after).set_index("project").loc["P01"]
        assert (row["from"], row["why"]) == (at, told)
    assert comparison.difference_table(free, free).empty


@pytest.mark.slow
def test_a_reason_agrees_with_the_numbers_beside_it(crowded):
    """Less to give: the pool says so; another arrangement of the same settings: not that it is worth more."""
    ample = study.run(
        what_if.pool_scenario(crowded, resource="power", pool="G1", amount=85.0, source="试算"),
        world.layers(),
        projects=world.projects(4, power_mva="20"),
    )
    left = comparison.difference_table(ample, crowded)
    (row,) = left[left["to"] == ""].to_dict("records")
    assert row["why"].startswith("原园区的容量比原来少了（")
    assert "再增加 20.0 MVA" in row["why"]
    away = crowded.plan.site.copy()
    at = int(np.flatnonzero(away >= 0)[0])
    away[at] = -1
    (row,) = comparison.difference_table(crowded, comparison.with_plan(crowded, away)).to_dict("records")
    assert row["why"] == "可以不变：本方案是另一种安排"
    table = comparison.difference_table(crowded, ample)
    assert set(table.loc[table["from"] == "", "why"]) == {"现在有足够容量"}
    for one in table[(table["from"] != "") & (table["to"] != "")].to_dict("records"):
        assert one["why"] in ("按现在的设置，这样全局总分更高",) or one["why"].startswith("按现在的数，原园区得")


@pytest.mark.slow
def test_a_front_that_time_ended_before_says_so(crowded, monkeypatch):
    assert all(one.complete for one in comparison.other_plans(crowded))
    monkeypatch.setattr(explanation, "TOTAL_S", 0.0)
    fronts = [one for one in comparison.other_plans(crowded) if one.kind in ("commuting", "balance")]
    assert fronts
    assert not any(one.complete for one in fronts)


@pytest.mark.slow
def test_other_plans_are_no_better_and_bounded(crowded):
    plans = comparison.other_plans(crowded)
    assert plans[0].kind == "best"
    assert {one.kind for one in plans} >= {"commuting", "balance"}
    for one in plans:
        assert one.objective <= crowded.plan.objective + 1e-6
        assert one.objective <= one.bound + 1e-6


def test_a_plan_with_room_for_all_has_no_blocking_pair():
    roomy = study.run(world.scenario(), world.layers(), projects=world.projects(1))
    found = comparison.plan_stability(roomy)
    assert found.blocking.empty
    assert found.remaining == 0
    assert found.cost == pytest.approx(0.0, abs=1e-6)
