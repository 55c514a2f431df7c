"""Broken plans are caught, by arithmetic that knows no solver."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geo_cluster.matching import Problem, Resource, feasible_share, group_limits, solve, verify
from tests.refusals import refused

SCORE = np.array([[9.0, 5.0], [8.0, np.nan], [4.0, 7.0]])
PROBLEM = Problem(
    SCORE,
    [Resource("land", "mu", [2, 2, 2], [0, 1], [4, 4]), group_limits("city", [0, 1], projects=3, minimum=[1, 1])],
    locked={2: 1},
    forbidden=[(0, 1)],
    projects=["P1", "P2", "P3"],
    sites=["E1", "E2"],
)


@pytest.mark.parametrize(
    ("site", "kinds"),
    [
        ([0, 0, 1], []),
        ([0, 1, 1], ["eligibility"]),
        ([1, 0, 1], ["forbidden"]),
        ([0, 0, 0], ["lock", "capacity", "minimum"]),
        ([-1, -1, 1], ["minimum"]),
        ([0, 7, 1], ["site"]),
        ([0, 0], ["site"]),
        ([0.0, 0.5, 1.0], ["site"]),
    ],
)
def test_each_broken_rule_is_found(site, kinds):
    assert [each.kind for each in verify(PROBLEM, site)] == kinds


def test_a_violation_says_where_and_how_much():
    over = verify(PROBLEM, [0, 0, 0])[1]
    assert (over.where, over.amount) == ("land, pool 0", 2.0)
    assert str(over) == "land, pool 0: 6 mu drawn, 4 there: 2 too much"
    assert over.words("zh").what == "用了 6 mu，只有 4：超出 2"


def test_false_claims_are_caught():
    plan = solve(PROBLEM)
    assert verify(PROBLEM, plan) == ()
    dearer = replace(plan, objective=plan.objective + 1, bound=plan.bound + 1)
    assert [each.kind for each in verify(PROBLEM, dearer)] == ["objective"]
    lower = replace(plan, bound=plan.objective - 1)
    assert [each.kind for each in verify(PROBLEM, lower)] == ["bound"]


def test_verify_imports_no_solver():
    source = Path(verify.__code__.co_filename).read_text(encoding="utf-8")
    tree = ast.parse(source)
    at_run_time = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in at_run_time}
    assert not {name for name in names if "scipy" in name or "highs" in name or name.endswith((".solve", ".milp"))}


def test_split_demand_is_checked_by_flow():
    """Two sites of three pools: the middle pool has to serve both."""
    reach = [[True, True, False], [False, True, True]]
    power = Resource("power", "MVA", [5.0, 5.0], reach, [3.0, 3.0, 3.0], split=True)
    problem = Problem(np.ones((2, 2)), [power])
    assert [each.amount for each in verify(problem, [0, 1])] == [pytest.approx(1.0)]
    assert verify(problem, [0, -1]) == ()
    assert [each.amount for each in verify(problem, [0, 0])] == [pytest.approx(4.0)]


def test_a_plan_is_feasible_in_the_share_of_draws_in_which_every_pool_is_large_enough():
    land = Resource("land", "mu", [2, 2, 2], [0, 1], [[1, 4, 5], [4, 4, 4]])
    problem = Problem(SCORE, [land])
    draws = np.array([[4.0, 4], [3.5, 4], [4.5, 1], [5, 5]])
    found = feasible_share(problem, [0, 0, 1], capacity={"land": draws})
    assert found.share == 0.5
    assert [(row.pool, row.breaks, row.first) for row in found.pools] == [
        ("pool 0", 0.25, 0.25),
        ("pool 1", 0.25, 0.25),
    ]
    assert found.pools[0].over == pytest.approx(0.5)
    # triangular(1, 4, 5) is below 4 with probability (4 - 1) / (5 - 1)
    assert feasible_share(problem, [0, 0, 1], count=20_000).share == pytest.approx(0.25, abs=0.01)
    demand = feasible_share(
        problem, [0, 0, 1], capacity={"land": np.full((2, 2), 4.0)}, demand={"land": [[2, 2, 2], [3, 2, 2]]}
    )
    assert demand.share == 0.5


def test_pools_for_many_projects_are_looked_for_within_reason():
    """Three bins that lack a thousandth: no search tells, but what they hold together does."""
    demand = np.random.default_rng(0).uniform(1, 2, 40)
    for share, found in ((0.999, 1), (1.1, 0)):
        power = Resource("power", "MVA", demand, np.ones((2, 3), dtype=bool), np.full(3, demand.sum() / 3 * share))
        assert len(verify(Problem(np.ones((40, 2)), [power]), np.zeros(40, dtype=int))) == found


@pytest.mark.parametrize("plan", [[0], [[0, 1, 1]], [0, 1, [1, 0]], ["a", "b", "c"], [0.0, 1.0, 1.0]])
def test_what_cant_be_a_plan_is_no_plan_and_no_crash(plan):
    problem = Problem([[5.0, 4.0], [3.0, 9.0], [2.0, 2.0]], [])
    (wrong,) = verify(problem, plan)
    assert wrong.kind == "site"
    assert wrong.fault.code in {"matching.plan_shape", "matching.plan_not_integers"}


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        ({"plan": [0]}, "plan", "plan_shape"),
        ({"plan": [0, 7]}, "plan, project 1", "no_such_site"),
        ({"capacity": {"water": [[1.0, 1.0]]}}, "capacity, water", "no_such_resource"),
        ({"capacity": {"land": [[1.0]]}}, "capacity, land", "draws_shape"),
        ({"capacity": {"land": [1.0, 1.0]}}, "capacity, land", "draws_shape"),
        ({"capacity": {"land": np.empty((0, 2))}}, "capacity, land", "draws_shape"),
        ({"demand": {"land": [[1.0, np.nan]]}}, "demand, land", "draws_unknown"),
        ({"demand": {"land": [["x", 1.0]]}}, "demand, land", "not_a_number_at"),
    ],
)
def test_draws_that_are_none_are_refused_by_name(given, place, code):
    problem = Problem([[5.0, 4.0], [3.0, 9.0]], [Resource("land", "mu", [1, 1], [0, 1], [1, 1])])
    assert (f"matching.{code}", place) in refused(lambda: feasible_share(problem, **{"plan": [0, 1]} | given))


def test_a_choice_of_pools_is_searched_for_that_reaches_the_minima():
    """Two projects at two substations, of which the second must be drawn on: one of them goes there."""
    either = np.ones((2, 2), dtype=bool)
    power = Resource("power", "MVA", [3.0, 3.0], either, [10.0, 10.0], [0.0, 2.0], pools=("A", "B"))
    problem = Problem(np.full((2, 2), 10.0), power)
    plan = solve(problem)
    assert plan.objective == 20
    assert verify(problem, plan) == verify(problem, plan.site) == ()
    (violation,) = verify(problem.but(resources=(replace(power, minimum=np.array([0.0, 7.0])),)), plan.site)
    assert (violation.kind, violation.pool) == ("minimum", 1)


def test_draws_are_counted_in_whole_numbers():
    for given in ({"count": 0}, {"count": 1.5}, {"count": None}, {"seed": -1}, {"seed": "a"}):
        found = refused(lambda given=given: feasible_share(PROBLEM, [0, 0, 1], **given))
        assert found == [("matching.not_an_integer", next(iter(given)))]
