"""What may be opened, from the scenario to every file: a new park, a transformer, at most so many sites."""

import io

import numpy as np
import pandas as pd
import pytest

from geo_cluster import study
from geo_cluster.export.csv_tables import csv_tables
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.report import explanation, openings, over_time, tables
from geo_cluster.scenarios import name_faults, named_layers
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers
from tests import world
from tests.refusals import refused

POWER = {"subject": "G1", "attribute": "spare_mva", "source": "供电公司 2026-05"}
SHORT = POWER | {"low": 10.0, "likely": 10.0, "high": 10.0}
TRANSFORMER = POWER | {"name": "新增主变（示例）", "points": 30.0, "low": 10.0, "likely": 10.0, "high": 20.0}
PARK = {"name": "新开园区（示例）", "points": 20.0, "sites": ["X2"], "source": "示例"}


def run(count: int = 2, **changes: object) -> study.Study:
    return study.run(world.scenario(**changes), world.layers(), projects=world.projects(count))


def test_a_transformer_is_opened_where_it_pays_and_shows_everywhere():
    result = run(known=[SHORT], openings=[TRANSFORMER])
    assert (result.plan.opened, result.violations, result.plan.status) == ((0,), (), "optimal")
    assert (result.plan.site != UNPLACED).all()
    pools = tables.pools(result).set_index("resource")
    assert pools.loc["power", ["low", "likely", "high", "planned", "used", "left"]].tolist() == [20, 20, 30, 20, 20, 0]
    years = over_time.pool_years(result).set_index("resource")
    assert years.loc[["power"], "planned"].eq(20).all()
    needed = {text.zh for found in over_time.conditions(result) for text in found}
    assert any("新增主变（示例）" in text for text in needed)
    without = run(known=[SHORT])
    assert (without.plan.site != UNPLACED).sum() == 1
    assert without.posed is None
    assert result.plan.objective == pytest.approx(2 * world.scenario().placing_bonus + result.plan.score)
    earned = np.take_along_axis(result.decision.score, result.plan.site[:, None], 1).sum()
    assert result.plan.score == pytest.approx(earned - 30)
    (row,) = openings.openings_table(result).to_dict("records")
    assert (row["opened"], row["points"], row["projects"]) == (True, 30.0, "P01;P02")
    said = pd.read_csv(io.BytesIO(csv_tables(result)["openings.csv"]))
    assert said["opening"].tolist() == ["新增主变（示例）"]
    assert "openings.csv" not in csv_tables(without)


def test_what_an_opening_is_worth_is_where_it_stops_paying():
    result = run(known=[SHORT], openings=[TRANSFORMER])
    (row,) = openings.worth_table(result, clock=TimeBudget(10.0)).to_dict("records")
    assert row["proven"]
    assert row["worth"] == pytest.approx(result.plan.objective + 30.0 - run(known=[SHORT]).plan.objective, abs=1e-3)
    for change, is_opened in ((-0.01, True), (0.01, False)):
        again = run(known=[SHORT], openings=[TRANSFORMER | {"points": row["worth"] + change}])
        assert (again.plan.opened == (0,)) == is_opened
        (same,) = openings.worth_table(again, clock=TimeBudget(10.0)).to_dict("records")
        assert same["worth"] == pytest.approx(row["worth"], abs=1e-3)


def test_a_price_is_converted_by_the_stated_rate_and_rows_of_one_name_are_one():
    priced = TRANSFORMER | {"points": 0.0, "price_10k_yuan": 3000.0}
    rows = [priced, PARK | {"name": priced["name"], "points": 5.0}]
    result = run(known=[SHORT], openings=rows, points_per_10k_yuan=0.01)
    (one,) = result.posed.openings
    assert (one.cost, one.sites) == (35.0, (1,))
    assert one.adds["power"][0].tolist() == [10, 10, 20]


def test_a_park_that_is_not_opened_gets_nobody():
    result = run(3, openings=[PARK | {"points": 1000.0}])
    assert (result.plan.site != 1).all()
    assert result.plan.opened == ()
    assert (run(3, openings=[PARK]).plan.site == 1).any()
    assert run(3, openings=[PARK | {"points": 1000.0}], locked=[{"project": "P01", "site": "X2"}]).plan.opened == (0,)


def test_at_most_so_many_sites_and_one_or_the_other():
    assert len(set(run(3).plan.site)) == 2
    for changes in ({"at_most_sites": 1}, {"either": [{"names": ["X1", "X2"]}]}):
        result = run(3, **changes)
        assert len(set(result.plan.site) - {UNPLACED}) == 1
        assert (result.plan.status, result.violations) == ("optimal", ())
    both = run(3, known=[SHORT], openings=[TRANSFORMER, PARK], either=[{"names": [TRANSFORMER["name"], PARK["name"]]}])
    assert len(both.plan.opened) == 1
    assert both.violations == ()


def test_a_project_too_large_for_a_pool_may_wait_for_what_is_opened():
    few = POWER | {"low": 2.0, "likely": 2.0, "high": 2.0}
    assert (run(1, known=[few]).plan.site == UNPLACED).all()
    result = run(1, known=[few], openings=[TRANSFORMER])
    assert (result.plan.site.tolist() != [UNPLACED], result.plan.opened) == (True, (0,))


@pytest.mark.slow
@pytest.mark.parametrize("level", ["cautious", "hopeful"])
def test_every_report_of_a_plan_with_openings_can_be_made(level):
    result = run(3, known=[SHORT], openings=[TRANSFORMER, PARK], at_most_sites=1, planning_level=level)
    assert result.violations == ()
    made = explanation.explain(result, total_s=5)
    assert set(made) == {*explanation.TABLES, explanation.OPENINGS}
    assert csv_tables(result)


def test_the_id_stays_without_openings():
    plain = catalog.scenario()
    assert plain.id == plain.model_copy(update={"openings": (), "at_most_sites": None, "either": ()}).id
    assert plain.id != plain.model_copy(update={"at_most_sites": 3}).id


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"openings": [TRANSFORMER | {"points": -1.0}]}, "below"),
        ({"openings": [TRANSFORMER | {"high": 0.0, "likely": 0.0, "low": 0.0}]}, "opening_adds_part"),
        ({"openings": [{"name": "x", "source": "x"}]}, "opening_brings_nothing"),
        ({"openings": [PARK, PARK | {"name": "y"}]}, "site_opened_twice"),
        ({"openings": [TRANSFORMER | {"price_10k_yuan": 5.0}]}, "price_without_rate"),
        ({"at_most_sites": 0}, "below"),
        ({"either": [{"names": ["X1"]}]}, "either_of_one"),
        ({"either": [{"names": ["X1", "X2"], "most": 2}]}, "either_of_one"),
    ],
)
def test_what_a_scenario_cannot_say_is_refused(changes, code):
    row = world.scenario().model_dump(mode="json") | changes
    found = refused(catalog.scenario_from, row, where="mine.toml")
    assert len(found) == 1
    if code != "below":
        assert found[0][0] == f"world.{code}"


def test_names_that_there_are_not_are_refused():
    layers = named_layers(Layers())
    row = {
        "openings": [TRANSFORMER, PARK | {"sites": ["Z9"]}, TRANSFORMER | {"attribute": "price"}],
        "either": [{"names": ["E01", PARK["name"], "nothing"]}],
        "at_most_sites": 9999,
    }
    faults = name_faults(row, layers, set(), where="mine.toml")
    found = [(fault.code, str(fault.place.key)) for fault in faults]
    assert found == [
        ("world.too_many_sites", "at_most_sites"),
        ("world.arrives_for_nobody", "openings.0.subject"),
        ("world.does_not_arrive", "openings.2.attribute"),
        ("world.no_such_name", "either.names"),
        ("world.no_such_name", "openings.sites"),
    ]


def dated(*years: int):
    """Projects that begin in these years."""
    table = world.projects(len(years))
    return table.assign(year=pd.array(years, dtype="Int64"))


def in_years(projects, **changes):
    scenario = world.scenario(day="2026-01-01", known=[SHORT], **changes)
    return study.run(scenario, world.layers(), projects=projects)


@pytest.mark.parametrize(
    ("years", "placed"), [((2026, 2026), 1), ((2026, 2028), 2), ((2028, 2028), 2), ((2026, 2027), 1)]
)
def test_what_an_opening_brings_counts_from_its_year_on(years, placed):
    late = TRANSFORMER | {"points": 5.0, "from_year": 2028}
    projects = dated(*years)
    if max(years) < 2028:  # it comes after everybody has begun
        codes = [code for code, _ in refused(lambda: in_years(projects, openings=[late]))]
        assert codes == ["matching.opening_for_nobody"]
        return
    result = in_years(projects, openings=[late])
    assert ((result.plan.site != UNPLACED).sum(), result.violations) == (placed, ())
    assert (result.plan.opened == (0,)) == (placed == 2)
    power = over_time.pool_years(result).query("resource == 'power'").set_index("year")["planned"]
    assert power.loc[2027] == 10
    assert power.loc[2028] == (20 if result.plan.opened else 10)
    assert over_time.drawn(result)[1]["power"].min() > 0
    brings = openings.openings_table(result)["brings_en"][0]
    assert "2028" in brings


def test_two_that_begin_before_a_transformer_comes_share_what_there_is():
    late = TRANSFORMER | {"points": 5.0, "from_year": 2028}
    result = in_years(dated(2026, 2027, 2029), openings=[late])
    assert sorted(result.projects.index[result.plan.site != UNPLACED]) in (["P01", "P03"], ["P02", "P03"])
    assert result.violations == ()
    cheated = result.posed.suppose(level="likely")
    both = np.array([0, 0, -1])
    found = study.verify(cheated, study.Assignment(both, 0.0, 0.0, 0.0, "feasible", opened=(0,)))
    assert "capacity" in {one.kind for one in found}


def test_a_park_gets_nobody_who_begins_before_it_opens():
    result = in_years(dated(2026, 2029), openings=[PARK | {"points": 0.0, "from_year": 2028}], sites=["X1", "X2"])
    assert result.eligibility.allowed[:, 1].tolist() == [False, True]
    assert "2028" in result.eligibility.reason["en"][0, 1]


def test_the_id_stays_without_a_year():
    scenario = world.scenario(openings=[TRANSFORMER])
    row = scenario.model_dump(mode="json")
    assert (row["openings"][0]["from_year"], scenario.id) == (None, "384be90d50ef")  # as in the edition before
    assert world.scenario(openings=[TRANSFORMER | {"from_year": 2028}]).id != scenario.id
