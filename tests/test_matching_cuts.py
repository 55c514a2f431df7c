"""Cuts against the convex hull they describe: textbook, enumeration of all plans, and the integer optimum."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster.matching import Problem, Resource
from geo_cluster.matching.engine.cuts import _Pool, cut
from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.engine.search import program
from geo_cluster.matching.resource import UNPLACED


def whole(problem):
    """Model and programme of all pairs."""
    model = presolve(problem)
    p, s = np.nonzero(np.isfinite(model.value))
    return model, program(model, p, s, np.full(len(model.value), UNPLACED))


def knapsack(seed, projects=12):
    """One pool that every project wants, and what the best plan is worth."""
    rng = np.random.default_rng(seed)
    score, weight = rng.integers(1, 100, projects).astype(float), rng.integers(3, 40, projects).astype(float)
    room = float(weight.sum() // 2)
    best = max(
        score[list(taken)].sum()
        for count in range(projects + 1)
        for taken in itertools.combinations(range(projects), count)
        if weight[list(taken)].sum() <= room
    )
    return Problem(score[:, None], [Resource("land", "mu", weight, np.zeros(1, int), [room])]), best


def test_the_textbook_s_lifted_cover_is_found():
    """Wolsey (1998), section 9.3: 11, 6, 6, 5, 5, 4, 1 in 19; the cover of items 3-6 lifted to 2, 1, 1, 1, 1, 1, 0."""
    pool = _Pool(np.arange(7), np.arange(7), np.array([11, 6, 6, 5, 5, 4, 1]), 19)
    point = np.array([0, 0, 0.9, 0.9, 0.9, 0.9, 0])
    columns, factors = pool.separate(point, 0, 300)
    assert columns.tolist() == [0, 1, 2, 3, 4, 5]
    assert 3 * factors == pytest.approx([2, 1, 1, 1, 1, 1])


def test_a_point_between_plans_is_not_cut_off():
    pool = _Pool(np.arange(4), np.arange(4), np.array([5, 5, 4, 3]), 9)
    fillings = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1]])
    assert pool.separate(fillings.mean(axis=0), 0, 300) is None


@pytest.mark.parametrize("seed", range(20))
def test_of_one_pool_the_cuts_leave_nothing_but_the_hull(seed):
    """With a pool alone, a relaxation over its convex hull is worth what the best plan is."""
    problem, best = knapsack(seed)
    cuts = cut(*whole(problem), fillings=2_000)
    assert best - 1e-6 <= cuts.bound <= best * (1 + 2e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:resource:UserWarning")
@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_no_plan_is_cut_off_and_no_bound_is_below_one(seed):
    """All plans of five projects on three sites with shared power, in whole numbers and not."""
    rng = np.random.default_rng(seed)
    land, power = rng.integers(1, 30, 5).astype(float), rng.lognormal(1, 0.8, 5)
    score = np.where(rng.random((5, 3)) < 0.8, rng.uniform(0, 100, (5, 3)), np.nan)
    room = [rng.uniform(0.2, 1, 3) * land.sum() / 1.5, rng.uniform(0.3, 0.8, 2) * power.sum()]
    resources = [
        Resource("land", "mu", land, np.arange(3), room[0]),
        Resource("power", "MVA", power, np.array([0, 0, 1]), room[1]),
    ]
    model, task = whole(Problem(score, resources, bonus=10.0))
    if not len(task.p):
        return
    cuts = cut(model, task)
    rows, top = cuts.task.matrix.toarray(), cuts.task.top
    for option in itertools.product(range(-1, 3), repeat=5):
        option = np.array(option)
        placed = option >= 0
        if np.isfinite(model.value[placed, option[placed]]).all() and model.fits(option):
            x = (option[task.p] == task.s).astype(float)
            assert (rows @ x <= top + 1e-6).all()
            worth = task.cost @ x
            assert worth <= cuts.bound + 1e-6
            assert (worth <= cuts.forced[x > 0] + 1e-6).all()


def test_a_narrowed_programme_keeps_its_rows():
    model, task = whole(knapsack(0)[0])
    cuts = cut(model, task)
    keep = np.arange(len(task.p)) % 2 == 0
    few = cuts.task.narrowed(keep)
    assert (few.matrix.toarray() == cuts.task.matrix.toarray()[:, keep]).all()
    assert few.p.tolist() == task.p[keep].tolist()
    assert (few.top == cuts.task.top).all()


def test_of_a_problem_that_can_t_be_met_there_are_no_cuts():
    problem = knapsack(0)[0]
    few = Resource("count", "", np.ones(12), np.zeros(1, int), [12.0], minimum=[12.0])
    assert cut(*whole(problem.but(resources=(*problem.resources, few)))) is None
