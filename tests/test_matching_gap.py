"""What the gap says: of what is decided, whatever the bonus; minimisation without a price."""

import itertools

import numpy as np
import pytest

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, solve, verify
from geo_cluster.matching.verify import objective, score_of
from tests.refusals import refused

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def jobs(seed, *, count=7, agents=3, room=0.9, bonus=None):
    """Costs to be minimised, as the literature has them (Chu & Beasley 1997)."""
    rng = np.random.default_rng(seed)
    cost, weight = rng.integers(10, 51, (count, agents)).astype(float), rng.integers(5, 26, (count, agents))
    hours = Resource("hours", "h", weight, np.arange(agents), np.floor(room * weight.sum(axis=0) / agents))
    return Problem(-cost, [hours], bonus=bonus)


def fullest_and_cheapest(problem):
    """By enumeration: the most that can be placed, and the best sum of scores of those plans."""
    found = []
    for site in map(np.array, itertools.product(range(-1, problem.shape[1]), repeat=problem.shape[0])):
        placed = np.flatnonzero(site >= 0)
        load = np.bincount(site[placed], problem.resources[0].demand[placed, site[placed]], problem.shape[1])
        if (load <= problem.resources[0].capacity).all():
            found.append((len(placed), problem.score[placed, site[placed]].sum()))
    return max(found)


@pytest.mark.parametrize(("seed", "room"), [(0, 0.9), (1, 0.9), (2, 0.5), (3, 0.5)])
def test_without_a_price_as_many_as_possible_are_placed_at_the_least_cost(seed, room):
    problem = jobs(seed, count=6, room=room)
    most, best = fullest_and_cheapest(problem)
    plan = solve(problem)
    assert (np.count_nonzero(plan.site >= 0), plan.score) == (most, best)
    assert (plan.status, plan.gap) == ("optimal", 0)
    assert plan.most_placed == most
    for price in (1e4, 1e7, 1e10):  # a price that decides nothing changes nothing
        priced = solve(problem.but(bonus=price))
        assert (priced.site.tolist(), priced.score, priced.gap) == (plan.site.tolist(), best, 0)
        assert priced.objective == pytest.approx(most * price + best)


def test_a_bonus_that_decides_nothing_changes_nothing_on_the_way_either():
    """The search sees the same numbers, so it goes the same way: bound and plan at each news."""
    news = {}
    for price in (2e3, 1e5, 1e9):
        seen = news[price] = []
        problem = jobs(5, count=30, agents=5, room=0.8, bonus=price)
        plan = solve(problem, progress=lambda each, seen=seen: seen.append(each.gap))
        assert plan.status == "optimal"
        assert plan.most_placed == 30
        seen.append(plan.site.tolist())
    assert news[2e3][-1] == news[1e5][-1] == news[1e9][-1]
    assert max(each for each in news[1e9][:-1]) < 2  # of scores: never a share of the bonus


@pytest.mark.parametrize("bonus", [0.0, 50.0, 1e6, None])
def test_the_gap_is_a_share_of_scores_and_its_bound_is_true(bonus):
    rng = np.random.default_rng(3)
    score = np.round(rng.uniform(20, 90, (40, 12)), 2)
    land = Resource("land", "mu", rng.integers(10, 80, 40), np.arange(12), np.full(12, 110.0))
    problem = Problem(score, [land], bonus=bonus, links=[Link(0, 1, 5.0)])
    early, late = solve(problem, time_limit_s=0.0), solve(problem, time_limit_s=3, mip_gap=0.01)
    for plan in (early, late):
        placed = np.count_nonzero(plan.site >= 0)
        assert plan.score == score_of(problem, plan.site)
        assert plan.objective == objective(problem, plan.site)
        assert placed <= plan.most_placed <= 40
        assert not plan.violations
    assert early.bound >= late.objective
    assert early.most_placed >= np.count_nonzero(late.site >= 0)
    if np.count_nonzero(early.site >= 0) == np.count_nonzero(late.site >= 0):
        assert early.score * (1 + early.gap) >= late.score * (1 - 1e-12)


def test_the_stopping_rule_is_on_scores():
    """At a gap of a tenth, scores are within a tenth of the best, whatever the bonus adds to both terms."""
    problem = jobs(4, count=24, agents=4, room=0.8)
    best = solve(problem)
    for bonus in (None, 1e3, 1e6):
        plan = solve(problem.but(bonus=bonus), mip_gap=0.1)
        assert plan.status == "optimal"
        assert plan.gap <= 0.1 + 1e-9
        assert best.score >= plan.score >= 1.1 * best.score  # costs


def test_none_among_others():
    """Partners gain and poor scores don't outweigh one more that is placed."""
    room = Resource("land", "mu", [1, 1, 2], [0], [2.0])
    problem = Problem([[1.0], [1.0], [1000.0]], [room], bonus=None)
    assert solve(problem).site.tolist() == [0, 0, -1]
    assert solve(problem.but(bonus=0.0)).site.tolist() == [-1, -1, 0]
    gain = Problem([[0.0], [0.0], [0.0]], [room], bonus=None, links=[Link(0, 1, 7.0)])
    assert solve(gain).score == 7.0
    assert (problem.bonus > 2 * 1002).all()


def test_a_demand_beyond_every_pool_leaves_that_project_out():
    land = Resource("land", "mu", [1.0, 4000.0, 2.0], [0, 1], [2.0, 4.0])
    with pytest.warns(UserWarning, match="project 1 demands 4000 mu; the largest pool has 4"):
        problem = Problem(np.ones((3, 2)), [land])
    plan = solve(problem)
    assert (plan.site >= 0).tolist() == [True, False, True]
    assert plan.status == "optimal"
    assert [note.code for note in problem.notes] == ["matching.demand_above_pools"]
    assert refused(lambda: problem.but(locked={1: 0}))
    assert refused(lambda: problem.but(resources=[Resource("land", "mu", [1e3, 4e3, 2e3], [0, 1], [2.0, 4.0])]))


@pytest.mark.parametrize("limit", ["5", b"5", "soon", None, [5.0], -1.0, np.nan])
def test_a_limit_that_is_no_number_is_refused_in_words(limit):
    problem = Problem([[1.0]], [])
    with pytest.raises(InputError, match="time_limit_s"):
        solve(problem, time_limit_s=limit)
    with pytest.raises(InputError, match="mip_gap"):
        solve(problem, mip_gap=limit)


@pytest.mark.parametrize(
    "problem",
    [
        Problem([[1.0]], []),
        Problem([[-1.0]], []),
        Problem([[0.0, 0.0]], [], bonus=None),
        Problem([[np.nan, 1.0], [np.nan, np.nan]], [Resource("land", "mu", [0.0, 0.0], [0, 0], [0.0])]),
        Problem(np.zeros((3, 2)), [Resource("land", "mu", [0.0, 0.0, 1.0], [0, 1], [0.0, 0.0])], bonus=1e-300),
        Problem([[1e99], [1e-99]], [Resource("land", "mu", [1e300, 1e-300], [0], [1e300])]),
    ],
)
def test_degenerate_problems_are_solved(problem):
    plan = solve(problem, time_limit_s=5)
    assert plan.status == "optimal"
    assert not verify(problem, plan)
