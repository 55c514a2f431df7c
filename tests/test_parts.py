"""Phases and projects that may be split, from the scenario to every file."""

import io

import numpy as np
import pandas as pd
import pytest

from geo_cluster import study
from geo_cluster.domain import LATER_FIELDS
from geo_cluster.export.csv_tables import csv_tables
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.report import explanation, parts, tables
from geo_cluster.scenarios import name_faults, named_layers
from geo_cluster.world import splitting
from geo_cluster.world.layers import Layers
from tests import world
from tests.refusals import refused

SPLIT = {"projects": ["P01"], "rule": "split"}
LAND = {"attribute": "available_land_ha", "source": "示例"}
TIGHT = [LAND | {"subject": one, "low": 1.2, "likely": 1.2, "high": 1.2} for one in ("X1", "X2")]
"""18 mu at each site: nobody fits whole, half of somebody does."""


def run(count: int = 1, **changes: object) -> study.Study:
    return study.run(world.scenario(**changes), world.layers(), projects=world.projects(count))


def test_who_fits_nowhere_whole_is_split_over_two_sites_and_shows_everywhere():
    assert (run(known=TIGHT).plan.site == UNPLACED).all()
    result = run(known=TIGHT, parts=[SPLIT])
    assert (sorted(result.plan.site), result.violations, result.plan.status) == ([0, 1], (), "optimal")
    assert result.projects.index.tolist() == ["P01-1", "P01-2"]
    land = next(one for one in result.resources if one.name == "land")
    assert land.demand.tolist() == [15, 15]
    whole = run(known=TIGHT).decision.score[0]
    assert result.plan.score == pytest.approx(whole.mean())
    assert result.plan.objective == pytest.approx(whole.mean() + world.scenario().placing_bonus)
    said = pd.read_csv(io.BytesIO(csv_tables(result)["assignment.csv"]))
    assert said["share"].tolist() == [0.5, 0.5]
    assert said["land_mu"].tolist() == [15, 15]
    assert all("1/2" in text for text in said["conditions"])
    (row,) = parts.parts_table(result).to_dict("records")
    assert (row["placed"], row["of"]) == (2, 2)
    assert sorted(row["sites"].split("; ")) == ["1/2 X1", "1/2 X2"]
    assert "parts.csv" in csv_tables(result)
    assert "parts.csv" not in csv_tables(run())
    assert "share" not in tables.assignment(run())


def test_allowing_a_split_changes_no_score_and_no_draw():
    plain, result = run(2), run(2, parts=[SPLIT])
    assert result.decision.score[[0, 1]] == pytest.approx(np.tile(plain.decision.score[0], (2, 1)), abs=0)
    assert result.decision.score[2] == pytest.approx(plain.decision.score[1], abs=0)
    assert result.drawn.needs["land_mu"][:, [0]] * 2 == pytest.approx(plain.drawn.needs["land_mu"][:, [0]])
    assert result.plan.objective >= plain.plan.objective - 1e-9
    assert result.hashes["portfolio"] == plain.hashes["portfolio"]


def test_a_plan_that_splits_against_its_own_rule_is_found_out():
    result = run(2, known=TIGHT, parts=[SPLIT | {"into": 3}])
    problem = result.problem
    for site, kinds in (([0, 1, -1, -1], {"parts"}), ([-1, -1, -1, -1], set())):
        assert {one.kind for one in study.verify(problem, np.array(site))} == kinds


def test_locks_prohibitions_partners_and_shares_speak_of_the_whole():
    locked = run(2, parts=[SPLIT], locked=[{"project": "P01", "site": "X2"}])
    assert locked.plan.site[:2].tolist() == [1, 1]
    one = run(2, parts=[SPLIT], locked=[{"project": "P01-2", "site": "X2"}])
    assert one.plan.site[1] == 1
    banned = run(2, parts=[SPLIT], forbidden=[{"project": "P01", "site": "X1"}])
    assert banned.plan.site[:2].tolist() == [1, 1]
    same = run(2, parts=[SPLIT], forbidden=[{"project": "P01-2", "site": "X1"}])
    assert same.plan.site[:2].tolist() == [1, 1]
    partners = [{"first": "P01", "second": "P02", "gain": 40.0, "close": "site"}]
    near = run(2, known=[LAND | {"subject": "X1", "low": 3, "likely": 3, "high": 3}], parts=[SPLIT], partners=partners)
    assert [link.gain for link in near.problem.links] == [20.0, 20.0]
    shares = run(2, parts=[SPLIT], shares=[{"prefecture": "420700", "most": 1}])
    assert sorted(shares.plan.site == UNPLACED) in ([False, False, True], [False, True, True])
    rule = next(one for one in shares.problem.resources if one.name == "projects")
    assert rule.demand.tolist() == [0.5, 0.5, 1.0]
    kept = run(2, parts=[SPLIT], present=[{"project": "P01", "site": "X2"}], moving_price=99.0)
    assert kept.plan.site[:2].tolist() == [1, 1]
    apart = run(3, parts=[SPLIT], division=5.0)
    assert apart.violations == ()


def test_phases_keep_their_order_and_stay_on_one_site():
    big = world.projects(2)
    big.loc["P01", ["land_mu_low", "land_mu_likely", "land_mu_high"]] = 170.0
    known = [LAND | {"subject": one, "low": 4.0, "likely": 4.0, "high": 12.0} for one in ("X1", "X2")]
    free = study.run(world.scenario(known=known), world.layers(), projects=big)
    assert free.plan.site[0] == UNPLACED
    assert free.plan.site[1] != UNPLACED
    for rule in ("in_order", "together"):
        bound = study.run(
            world.scenario(known=known, parts=[{"projects": ["P01", "P02"], "rule": rule}]),
            world.layers(),
            projects=big,
        )
        assert (bound.plan.site == UNPLACED).all()
        reason = tables.unplaced(bound).set_index("project").loc["P02", "reason"]
        assert "P01" in reason
    roomy = run(3, parts=[{"projects": ["P01", "P02", "P03"], "rule": "together", "one_site": True}])
    assert len(set(roomy.plan.site)) == 1
    assert all("P02" in text for text in tables.assignment(roomy)["conditions"][:1])


def test_what_binding_costs_is_what_solving_without_it_gives():
    bound = run(3, parts=[{"projects": ["P01", "P02", "P03"], "rule": "together", "one_site": True}])
    (row,) = parts.worth_table(bound, clock=TimeBudget(10.0)).to_dict("records")
    assert row["proven"]
    assert row["cost"] == pytest.approx(run(3).plan.objective - bound.plan.objective, abs=1e-3)
    assert row["apart"] == 0
    free = run(known=TIGHT, parts=[SPLIT])
    (row,) = parts.worth_table(free, clock=TimeBudget(10.0)).to_dict("records")
    assert row["apart"] == pytest.approx(free.plan.objective, abs=1e-3)  # on one site there is no room for it


def test_what_cannot_be_meant_is_named():
    def wrong(*rows):
        return [code for code, _ in refused(lambda: world.scenario(parts=list(rows)))]

    assert wrong(SPLIT | {"projects": ["P01", "P02"]}) == ["world.split_of_one"]
    assert wrong(SPLIT | {"one_site": True}) == ["world.split_of_one"]
    assert wrong({"projects": ["P01", "P01"]}) == ["world.phases_of_one"]
    assert wrong(SPLIT, {"projects": ["P01", "P02"]}) == ["world.parts_twice"]
    taken = world.projects(2).rename(index={"P02": "P01-2"})
    codes = refused(lambda: study.run(world.scenario(parts=[SPLIT]), world.layers(), projects=taken))
    assert [code for code, _ in codes] == ["world.share_id_taken"]
    row = world.scenario(parts=[SPLIT | {"projects": ["P77"]}]).model_dump(mode="json")
    found = name_faults(row | {"anchor": "future_city"}, named_layers(Layers("")), {"P01"}, where="x")
    assert [fault.code for fault in found if fault.place.key == "parts.projects"] == ["world.no_such_name"]


def test_the_id_stays_without_parts():
    assert "parts" in LATER_FIELDS
    assert world.scenario(parts=[]).id == world.scenario().id
    assert world.scenario(parts=[SPLIT]).id != world.scenario().id


def test_shares_add_up_to_the_whole():
    projects = world.projects(2, investment_100m_yuan="3", jobs="7")
    rows = splitting.split(projects, {"P02": 3, "elsewhere": 2})
    assert rows.index.tolist() == ["P01", "P02-1", "P02-2", "P02-3"]
    for column in ("output_100m_yuan", "land_mu_low", "power_mva_high", "investment_100m_yuan_likely", "jobs_likely"):
        assert rows.loc[splitting.whole_of(rows) == "P02", column].sum() == pytest.approx(projects.loc["P02", column])
    assert splitting.names_of_wholes(rows).equals(projects["name"])
    assert splitting.split(projects, {}) is projects


@pytest.mark.slow
def test_every_report_of_a_plan_with_parts_can_be_made():
    rows = [SPLIT, {"projects": ["P02", "P03"], "one_site": True}]
    result = run(3, parts=rows, planning_level="cautious")
    assert result.violations == ()
    made = explanation.explain(result, total_s=5)
    assert set(made) == {*explanation.TABLES, explanation.PARTS}
    assert csv_tables(result)


def test_the_table_of_projects_says_who_may_be_split():
    projects = world.projects(2)
    table = world.projects(2, split_into="2").assign(split_into=[2, 0])
    result = study.run(world.scenario(locked=[{"project": "P01-2", "site": "X2"}]), world.layers(), projects=table)
    assert result.projects.index.tolist() == ["P01-1", "P01-2", "P02"]
    assert (result.plan.site[1], result.counts) == (1, (2, 2))
    assert (result.summary()["placed"], result.most_placed) == (2, 2)
    assert [one.projects for one in result.parts] == [("P01",)]
    assert parts.parts_table(result)["projects"].tolist() == ["P01"]
    finer = [SPLIT | {"into": 3}]  # what the scenario says goes before
    assert len(study.run(world.scenario(parts=finer), world.layers(), projects=table).projects) == 4
    assert "split_into" not in projects
    for wrong in ("6", "half", "1.5"):
        assert [code for code, _ in refused(lambda cell=wrong: world.projects(1, split_into=cell))] == [
            "world.not_shares"
        ]
