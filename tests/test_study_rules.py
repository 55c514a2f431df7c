"""What a scenario may ask of a plan: shares of prefectures, partners, the present plan."""

import itertools

import numpy as np
import pytest

from geo_cluster import study
from geo_cluster.errors import InputError
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.verify import usage
from geo_cluster.report import explanation, tables
from geo_cluster.world import catalog
from tests.studies import run

EZHOU, HUANGSHI, SHIYAN = "420700", "420200", "420300"


def asked(**rules):
    return study.run(catalog.scenario_from(catalog.scenario().model_dump() | rules))


def placed(result, segment=None):
    rows = tables.assignment(result)
    code = result.sites.set_index("id")["prefecture_code"]
    if segment:
        rows = rows[rows["project"].isin(result.projects.index[result.projects["segment"] == segment])]
    return rows["site"].map(code).value_counts().to_dict()


@pytest.mark.slow
def test_a_prefecture_gets_no_more_and_no_less_than_its_share():
    result = asked(shares=[{"prefecture": EZHOU, "most": 3}, {"prefecture": SHIYAN, "least": 4}])
    assert result.plan.status == "optimal"
    assert result.violations == ()
    assert placed(result)[EZHOU] == 3
    assert placed(result)[SHIYAN] >= 4
    assert result.plan.objective < run().plan.objective


@pytest.mark.slow
def test_one_segment_can_be_capped_in_a_city():
    free = placed(run(), "fiber_laser")
    most = max(free, key=free.get)
    result = asked(shares=[{"prefecture": most, "segment": "fiber_laser", "most": 1}])
    assert free[most] > 1
    assert placed(result, "fiber_laser")[most] == 1
    assert sum(placed(result).values()) == len(result.projects), "others may take the room"


@pytest.mark.slow
def test_who_stays_out_for_a_share_is_told_so_in_both_languages():
    result = asked(shares=[{"prefecture": code, "most": 2} for code in (EZHOU, HUANGSHI, SHIYAN)])
    assert len(tables.assignment(result)) == 6
    assert tables.unplaced(result)["reason"].str.contains("项目名额（").all()
    assert tables.unplaced(result)["reason_en"].str.contains("of the share of projects short at").all()
    assert explanation.feasibility_table(result)["resource"].isin(["plan", "land", "power", "energy"]).all()


def test_a_share_that_cannot_be_met_is_refused_with_what_can_be_had():
    with pytest.raises(InputError) as refusal:
        asked(shares=[{"prefecture": SHIYAN, "least": 31}])
    (fault,) = refusal.value.faults
    assert fault.code == "world.shares_not_together"
    assert [one.zh for one in fault.values["lower"]] == ["十堰市降到 30 个"]


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"shares": [{"prefecture": EZHOU, "least": 3, "most": 2}]}, "most_below_least"),
        ({"shares": [{"prefecture": EZHOU}, {"prefecture": EZHOU}]}, "shares_twice"),
        ({"shares": [{"prefecture": "430100"}]}, "no_such_name"),
        ({"shares": [{"prefecture": EZHOU, "segment": "toys"}]}, "no_such_name"),
        ({"partners": [{"first": "P01", "second": "P01", "gain": 5}]}, "own_partner"),
        ({"partners": [{"first": "P01", "second": "P99", "gain": 5}]}, "no_such_name"),
        (
            {"partners": [{"first": a, "second": b, "gain": 5} for a, b in (("P01", "P02"), ("P02", "P01"))]},
            "partners_twice",
        ),
        ({"partners": [{"first": "P01", "second": "P02", "gain": 1e308}]}, "above_most"),
        ({"placing_bonus": 1.7e308}, "above_most"),
        ({"present": [{"project": "P01", "site": site} for site in ("E01", "E02")]}, "placed_twice"),
        ({"present": [{"project": "P01", "site": "Z9"}], "moving_price": 3}, "no_such_name"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules, code):
    with pytest.raises(InputError) as refusal:
        asked(**rules)
    assert [fault.code for fault in refusal.value.faults] == [f"world.{code}"]


@pytest.mark.slow
def test_partners_come_together_when_it_pays():
    plan = tables.assignment(run()).set_index("project")["site"]
    first, second = next(pair for pair in itertools.combinations(plan.index, 2) if plan[pair[0]] != plan[pair[1]])
    result = asked(partners=[{"first": first, "second": second, "gain": 500}])
    together = tables.assignment(result).set_index("project")["site"]
    assert together[first] == together[second]
    assert result.plan.status == "optimal"


@pytest.mark.slow
def test_partners_may_be_neighbours_in_one_prefecture():
    plan = tables.assignment(run()).set_index("project")
    first, second = plan[plan["prefecture"] == "鄂州市"].index[0], plan[plan["prefecture"] == "黄石市"].index[0]
    result = asked(partners=[{"first": first, "second": second, "gain": 500, "close": "prefecture"}])
    city = tables.assignment(result).set_index("project")["prefecture"]
    assert city[first] == city[second]


@pytest.mark.slow
def test_the_present_plan_is_kept_where_moving_does_not_pay():
    other = asked(planning_level="cautious", shares=[{"prefecture": EZHOU, "most": 6}])
    present = [{"project": row.project, "site": row.site} for row in tables.assignment(other).itertuples()]

    def moved(price):
        result = asked(present=present, moving_price=price)
        where = tables.assignment(result).set_index("project")["site"]
        return sum(where.get(pair["project"]) != pair["site"] for pair in present)

    assert moved(0) > moved(10) >= moved(1000) == 0


@pytest.mark.slow
def test_rules_are_resources_that_the_independent_check_counts():
    result = asked(shares=[{"prefecture": EZHOU, "most": 5}])
    rule = next(resource for resource in result.problem.resources if resource.name == "projects")
    used = usage(rule, result.plan.site)
    assert used.sum() == np.sum(result.plan.site != UNPLACED)
    assert used[rule.pools.index(EZHOU)] == 5
    assert set(tables.pools(result)["resource"]) == {"land", "land:park", "floor", "power", "energy"}, (
        "a rule is no supply"
    )
