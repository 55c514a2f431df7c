"""Branching by targets: the best plan of a generalised assignment problem, the same each time."""

import threading
from concurrent.futures import Future

import numpy as np
import pytest

from geo_cluster.matching import Problem, Resource, solve
from geo_cluster.matching.engine import targets
from geo_cluster.matching.engine.milp import Limits, maximise
from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.engine.run import Run
from geo_cluster.matching.engine.search import program
from geo_cluster.matching.resource import UNPLACED


def assignment(seed, *, jobs=24, agents=4, price=1_000):
    """Laguna et al. (1995) type e: who takes little costs much."""
    rng = np.random.default_rng(seed)
    weight = np.maximum(1, np.ceil(1 - 10 * np.log(rng.uniform(1e-4, 1, (jobs, agents)))))
    cost = np.ceil(1000 / weight - 10 * rng.uniform(0, 1, (jobs, agents)))
    room = np.floor(np.maximum(0.8 * weight.sum(axis=0) / agents, weight.max()))
    return Problem(-cost, [Resource("hours", "h", weight, np.arange(agents), room)], bonus=price)


def best(problem):
    """What HiGHS proves."""
    model = presolve(problem)
    p, s = np.nonzero(np.isfinite(model.value))
    task = program(model, p, s, np.full(len(model.value), UNPLACED))
    return maximise(task, Limits()).bound + model.base


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "price"), [(0, 1_000), (1, 1_000), (2, 200), (3, 40)])
def test_as_good_as_what_highs_proves(seed, price):
    problem = assignment(seed, price=price)
    assert targets.applies(presolve(problem))
    found = solve(problem)
    assert (found.status, found.ended, found.violations) == ("optimal", "proof", ())
    assert found.objective == pytest.approx(best(problem), abs=1e-6)


@pytest.mark.slow
def test_the_same_plan_each_time():
    problem = assignment(5, jobs=60, agents=10)
    first = solve(problem, seed=3)
    assert first.status == "optimal"
    assert solve(problem, seed=3).sha256 == first.sha256


@pytest.mark.slow
def test_a_bound_is_true_when_time_ends():
    problem = assignment(6, jobs=40, agents=8)
    cut = solve(problem, time_limit_s=0.2)
    assert cut.bound >= solve(problem).objective - 1e-6


def test_of_plans_as_good_the_first_jobs_counts_whichever_ends_first():
    """Else a slow machine would find another plan than a fast one, and both would call it proven."""
    land = Resource("land", "mu", [1.0, 1.0], [0, 1], [1.0, 1.0])
    run = Run(Problem([[5.0, 4.0], [4.0, 3.0]], [land]), 30.0, 0.0, None)
    run.lower(8.0)
    late, early = Future(), Future()
    early.set_result(np.array([1, 0]))
    threading.Timer(0.1, late.set_result, [np.array([0, 1])]).start()
    run.wait([late, early])
    assert run.option.tolist() == [0, 1]
