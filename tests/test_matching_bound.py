"""The bounds, against the linear relaxation that HiGHS solves exactly."""

import numpy as np
import pytest
from scipy.optimize import linprog

from geo_cluster.matching import Problem, Resource
from geo_cluster.matching.engine import bound as bounds
from geo_cluster.matching.engine.bound import price_knapsacks, price_pools
from geo_cluster.matching.engine.presolve import presolve


def model(seed, projects=60, sites=20):
    """Land of sites and power of substations, both tight."""
    rng = np.random.default_rng(seed)
    land, power = rng.uniform(5, 40, projects), rng.lognormal(1, 0.8, projects)
    score = np.where(rng.random((projects, sites)) < 0.7, rng.uniform(0, 100, (projects, sites)), np.nan)
    room, mva = rng.uniform(0.5, 1.5, sites) * land.sum() / sites, np.full(5, 0.15 * power.sum())
    resources = [
        Resource("land", "mu", land, np.arange(sites), room),
        Resource("power", "MVA", power, np.arange(sites) % 5, mva),
    ]
    return presolve(Problem(score, resources, bonus=20.0))


def relaxation(model):
    p, s = np.nonzero(np.isfinite(model.value))
    top = np.concatenate([np.ones(len(model.value)), *[draw.capacity for draw in model.draws]])
    found = linprog(-model.value[p, s], A_ub=model.matrix(p, s), b_ub=top, bounds=(0, 1), method="highs")
    return model.base - found.fun


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_prices_of_pools_prove_the_bound_of_the_linear_relaxation(seed):
    problem = model(seed)
    exact = relaxation(problem)
    assert exact - 1e-6 <= price_pools(problem).value <= exact * (1 + 5e-4)


def test_a_sample_of_projects_and_few_options_each_are_enough(monkeypatch):
    monkeypatch.setattr(bounds, "_MANY", 500)
    monkeypatch.setattr(bounds, "_SAMPLE", 100)
    monkeypatch.setattr(bounds, "_WIDTH", 12)
    problem = model(0, projects=200, sites=40)
    exact = relaxation(problem)
    assert exact - 1e-6 <= price_pools(problem).value <= exact * (1 + 2e-3)


def test_stopped_at_once_the_bound_still_holds():
    problem = model(0)
    assert price_pools(problem, stop=lambda: True).value >= relaxation(problem) - 1e-6


def test_knapsacks_tighten_the_bound():
    problem = model(1)
    start = price_pools(problem)
    assert price_knapsacks(problem, start, plan=0.97 * start.value).value < start.value
