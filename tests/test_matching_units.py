"""Whatever amounts and scores are counted in: the same plan, and nothing over a capacity."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, feasible_share, solve, verify
from geo_cluster.matching.engine.steps import common_step
from geo_cluster.matching.resource import UNPLACED
from tests.test_matching_solve import region, small

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
FACTORS = [1e-12, 1e-8, 3.7213e-5, 0.1, 7.0, 1e6, 1e12]


def rescaled(problem, factor, only=None):
    """The problem with all amounts of one resource, or of all, in another unit."""
    resources = [
        each
        if only is not None and each is not problem.resources[only]
        else Resource(
            each.name,
            each.unit,
            each.demand * factor,
            each.pool,
            each.capacity * factor,
            None if each.minimum is None else each.minimum * factor,
            split=each.split,
        )
        for each in problem.resources
    ]
    return problem.suppose(resources=resources)


@pytest.mark.parametrize("factor", FACTORS)
def test_the_unit_of_amounts_changes_nothing(factor):
    problem = region(9, 4)
    plan = solve(problem)
    for only in (None, 0, 1):
        other = solve(rescaled(problem, factor, only))
        assert (other.status, other.objective, other.bound) == (plan.status, plan.objective, plan.bound)
        assert other.site.tolist() == plan.site.tolist()
        assert not other.violations


@pytest.mark.parametrize("factor", FACTORS)
def test_the_unit_of_scores_changes_nothing(factor):
    problem = region(9, 4)
    plan, other = solve(problem), solve(problem.but(score=problem.score * factor, bonus=30.0 * factor))
    assert other.status == plan.status == "optimal"
    assert other.objective / factor == pytest.approx(plan.objective, rel=1e-9)
    assert other.site.tolist() == plan.site.tolist()
    assert other.gap == plan.gap == 0


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-12, 12), st.floats(-12, 12), st.sampled_from([None, 0, 1]))
def test_any_problem_in_any_unit(seed, amounts, scores, only):
    """Every rule there is: the optimum is the same, or the refusal is."""
    codes, plans = [], []
    try:
        problem = small(seed)
    except InputError:
        return
    links = [Link(one.first, one.second, one.gain * 10**scores, one.near) for one in problem.links]
    worth = {"score": problem.score * 10**scores, "bonus": problem.bonus * 10**scores, "links": links}
    for one in (problem, rescaled(problem, 10**amounts, only).suppose(**worth)):
        try:
            plans.append(solve(one))
            codes.append("")
        except InputError as refusal:
            codes.append([fault.code for fault in refusal.faults])
    assert codes[0] == codes[1]
    if plans:
        assert plans[0].status == plans[1].status == "optimal"
        assert plans[1].objective == pytest.approx(plans[0].objective * 10**scores, rel=1e-9, abs=1e-9 * 10**scores)
        assert not plans[1].violations


@given(st.floats(1e-12, 1e12), st.floats(1.000001, 1.4), st.booleans())
def test_a_pool_that_is_over_its_capacity_never_passes(unit, over, is_split):
    demand, room = np.array([0.5, 0.5]) * unit * over, np.array([unit, 1.0])
    land = Resource("land", "mu", demand, [0, 1], room)
    assert [each.kind for each in verify(Problem(np.ones((2, 2)), [land]), [0, 0])] == ["capacity"]
    reach = np.array([[True, False], [False, True]])
    gas = Resource("gas", "m3", demand, reach, room, split=is_split)
    assert "capacity" in [each.kind for each in verify(Problem(np.ones((2, 2)), [gas]), [0, 0])]
    assert feasible_share(Problem(np.ones((2, 2)), [land]), [0, 0]).share == 0
    least = Resource("land", "mu", demand, [0, 1], [np.inf, np.inf], [unit * over * over, 0.0])
    assert [each.kind for each in verify(Problem(np.ones((2, 2)), [least]), [0, 0])] == ["minimum"]


@given(st.floats(1e-12, 1e12), st.integers(1, 50))
def test_what_just_fits_passes(unit, count):
    """A tenth of it each, ten times: more than the capacity by rounding."""
    demand = np.full(count, unit / count)
    problem = Problem(np.ones((count, 1)), [Resource("land", "mu", demand, [0], [unit])])
    assert not verify(problem, np.zeros(count, int))
    assert solve(problem).site.tolist() == [0] * count


def test_pools_of_one_resource_may_differ_by_any_factor():
    """One pool is a thousand-millionth of the other: each keeps its own capacity."""
    demand = np.array([0.5e-9, 0.6e-9, 0.4e-9, 0.7, 0.6])
    score = np.where(demand[:, None] < 1e-6, [[9.0, 1.0]], [[np.nan, 5.0]])
    problem = Problem(score, [Resource("land", "mu", demand, [0, 1], [1e-9, 1.0])])
    plan, best = solve(problem), -np.inf
    for site in itertools.product(range(UNPLACED, 2), repeat=5):
        if not verify(problem, np.array(site)):
            best = max(best, sum(score[p, s] for p, s in enumerate(site) if s >= 0))
    assert plan.objective == pytest.approx(best)
    assert not plan.violations


@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=30), st.floats(1e-12, 1e12))
def test_the_common_step_is_the_greatest_common_divisor(whole, unit):
    assert common_step(np.array(whole) * unit) == pytest.approx(np.gcd.reduce(whole) * unit)


def test_what_has_no_common_step():
    assert common_step(np.array([1.0, np.sqrt(2)])) is None
    assert common_step(np.array([1.0, 1e9])) is None
    assert common_step(np.array([1.0, 2.0, 3.00001])) is None  # else sums would be off by more than rounding
    assert common_step(np.array([0.0, np.nan, np.inf])) is None
