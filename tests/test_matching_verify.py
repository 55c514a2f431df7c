"""Broken plans are caught, by arithmetic that knows no solver."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geo_cluster.errors import InputError
from geo_cluster.matching import Problem, Resource, hold, quota, solve, verify

SCORE = np.array([[9.0, 5.0], [8.0, np.nan], [4.0, 7.0]])
PROBLEM = Problem(
    SCORE,
    [Resource("land", "mu", [2, 2, 2], [0, 1], [4, 4]), quota("city", [0, 1], projects=3, minimum=[1, 1])],
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


def test_a_plan_holds_in_the_share_of_draws_in_which_every_pool_is_large_enough():
    land = Resource("land", "mu", [2, 2, 2], [0, 1], [[1, 4, 5], [4, 4, 4]])
    problem = Problem(SCORE, [land])
    draws = np.array([[4.0, 4], [3.5, 4], [4.5, 1], [5, 5]])
    held = hold(problem, [0, 0, 1], capacity={"land": draws})
    assert held.holds == 0.5
    assert [(row.pool, row.breaks, row.first) for row in held.pools] == [("pool 0", 0.25, 0.25), ("pool 1", 0.25, 0.25)]
    assert held.pools[0].over == pytest.approx(0.5)
    # triangular(1, 4, 5) is below 4 with probability (4 - 1) / (5 - 1)
    assert hold(problem, [0, 0, 1], count=20_000).holds == pytest.approx(0.25, abs=0.01)
    demand = hold(problem, [0, 0, 1], capacity={"land": np.full((2, 2), 4.0)}, demand={"land": [[2, 2, 2], [3, 2, 2]]})
    assert demand.holds == 0.5


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
    assert "shape" in wrong.what or "whole numbers" in wrong.what


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"plan": [0]}, r"plan: has the shape \(1,\)"),
        ({"plan": [0, 7]}, r"plan: project 1 is at 7: there is no such site"),
        ({"capacity": {"water": [[1.0, 1.0]]}}, r"capacity of 'water': there is no such resource → There are: land"),
        ({"capacity": {"land": [[1.0]]}}, r"capacity of 'land': has the shape \(1, 1\) → Give rows of 2 numbers"),
        ({"capacity": {"land": [1.0, 1.0]}}, r"capacity of 'land': has the shape \(2,\)"),
        ({"capacity": {"land": np.empty((0, 2))}}, r"capacity of 'land': has the shape \(0, 2\)"),
        ({"demand": {"land": [[1.0, np.nan]]}}, r"demand of 'land': has nan"),
        ({"demand": {"land": [["x", 1.0]]}}, r"demand of 'land': .*is 'x', not a number"),
    ],
)
def test_draws_that_are_none_are_refused_by_name(given, told):
    problem = Problem([[5.0, 4.0], [3.0, 9.0]], [Resource("land", "mu", [1, 1], [0, 1], [1, 1])])
    with pytest.raises(InputError, match=told):
        hold(problem, **{"plan": [0, 1]} | given)


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
        with pytest.raises(InputError, match=f"{next(iter(given))}: is .*Give a whole number"):
            hold(PROBLEM, [0, 0, 1], **given)
