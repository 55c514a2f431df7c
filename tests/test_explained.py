"""A plan explained: what each table says is checked by doing it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_cluster import explained, study
from tests import world


@pytest.fixture(scope="module")
def crowded() -> study.Study:
    """Four projects of 20 MVA behind one station of 60: one stays out."""
    return study.run(world.scenario(), world.layers(), projects=world.projects(4, power_mva="20"))


def test_the_way_in_is_what_it_takes(crowded):
    ways = explained.ways_in_table(crowded)
    (left,) = crowded.unplaced["project"]
    assert set(ways["project"]) == {left}
    assert ways["way"].str.contains("一号站再要 20.0 MVA容量").any()
    assert ways["way_en"].str.contains("+20.0 MVA of power at Station one", regex=False).any()
    assert ways["proven"].all()
    known = [{"subject": "G1", "attribute": "spare_mva", "low": 80, "likely": 80, "high": 80, "source": "试算"}]
    after = study.run(world.scenario(known=known), world.layers(), projects=world.projects(4, power_mva="20"))
    assert after.unplaced.empty


def test_twenty_more_mva_are_worth_what_the_plan_gains(crowded):
    known = [{"subject": "G1", "attribute": "spare_mva", "low": 61, "likely": 61, "high": 61, "source": "试算"}]
    worth = explained.pool_worth_table(crowded).set_index(["resource", "pool"])["gain"]
    assert worth["power", "G1"] == pytest.approx(0), "one more MVA lets nobody in"
    after = study.run(world.scenario(known=known), world.layers(), projects=world.projects(4, power_mva="20"))
    assert len(after.assignment) == len(crowded.assignment)


def test_losing_a_site_costs_what_a_study_without_it_is_worth_less(crowded):
    table = explained.importance_table(crowded).set_index("site")["loss"]
    for site in table.index:
        other = {"X1": "X2", "X2": "X1"}[site]
        without = study.run(world.scenario(sites=[other]), world.layers(), projects=world.projects(4, power_mva="20"))
        assert crowded.plan.objective - without.plan.objective == pytest.approx(table[site], abs=1e-3)


def test_every_row_of_the_fronts_is_worth_no_more_than_the_plan_and_bounded(crowded):
    front = explained.front_table(crowded)
    assert (front["worth"] <= crowded.plan.objective + 0.01).all()
    assert (front["bound"] >= front["worth"] - 0.01).all()
    commuting = front[front["against"] == "commuting_hours"]
    assert commuting["value"].is_monotonic_decreasing


def test_share_of_draws_in_which_the_plan_holds_by_hand():
    """One project of 30 mu at X1, everything else ample: it holds when X1 has 2 ha or more."""
    sure = {"spare_mva": "G1", "energy_quota_tce": world.PREFECTURE}
    known = [
        {"subject": subject, "attribute": key, "low": 1e6, "likely": 1e6, "high": 1e6, "source": "试算"}
        for key, subject in sure.items()
    ]
    scenario = world.scenario(known=known, sites=["X1"], draws=2000)
    result = study.run(scenario, world.layers(), projects=world.projects(1))
    table = explained.holds_table(result).set_index("resource")["breaks"]
    column = list(result.observations["attribute"]).index("available_land_ha")
    by_hand = np.mean(result.region.draws[:, column] * 15 < 30)
    assert table["plan"] == pytest.approx(by_hand, abs=1e-4)
    assert 0.01 < by_hand < 0.1  # triangular 1, 4, 12: (2 - 1)² / (11 × 3) = 3 %
    assert by_hand == pytest.approx(1 / 33, abs=2e-3)


def test_alternatives_are_told_project_by_project_with_their_worth(crowded):
    table = explained.alternatives_table(crowded)
    assert list(table["project"][-2:]) == ["worth", "distance"]
    assert float(table["plan"].iloc[-2]) == pytest.approx(crowded.plan.objective, abs=0.01)
    assert isinstance(table, pd.DataFrame)


def test_nothing_to_explain_where_nobody_may_go_anywhere():
    nobody = study.run(world.scenario(), world.layers(), projects=world.projects(1, land_mu="5000"))
    assert explained.explain(nobody) == {}
    assert explained.ways_in_table(nobody).empty
