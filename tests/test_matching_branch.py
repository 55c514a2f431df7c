"""Branching on knapsacks: against all plans, against HiGHS, and on the instances that HiGHS leaves open."""

import itertools
import sys

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from geo_cluster.matching import Problem, Resource, solve, verify
from geo_cluster.matching.engine.bound import price_pools
from geo_cluster.matching.engine.branch import search
from geo_cluster.matching.engine.presolve import presolve


def searched(problem, *, step=1e-7, rounds=sys.maxsize, model=None):
    """The best plan of a search that nobody helps, its value, the last bound, and every bound."""
    model = model or presolve(problem)
    kept, bounds, halt, asked = [(-np.inf, None)], [np.inf], np.array([False]), itertools.count()

    def found(option):
        assert model.fits(option)
        assert model.short(option) == 0
        kept.append((model.objective(option), option))

    def plan():  # asked as a round begins
        halt[0] = next(asked) >= rounds
        return kept[-1][0]

    search(model, price_pools(model), plan=plan, step=step, on_plan=found, on_bound=bounds.append, halt=halt)
    return kept[-1][1], kept[-1][0], bounds


@pytest.mark.slow
@pytest.mark.parametrize("halted", [True, False])
def test_a_node_that_was_ended_halfway_counts_as_not_searched(halted):
    """One round at the root: ended, nothing is known of it yet; not ended, a bound above every plan."""
    rng = np.random.default_rng(2)
    room = Resource("power", "MVA", rng.uniform(1, 10, 40), np.arange(20) // 3, np.full(7, 20.0))
    model = presolve(Problem(rng.uniform(0, 100, (40, 20)), room))
    bounds = []
    best = solve(Problem(rng.uniform(0, 100, (40, 20)), room), time_limit_s=1).objective / 2  # below any bound
    halt = np.array([False])

    def plan():  # asked as a round begins
        halt[0] = halted
        return best

    search(
        model,
        price_pools(model),
        plan=plan,
        step=1e-7,
        on_plan=lambda _: None,
        on_bound=bounds.append,
        halt=halt,
        limit=1,
    )
    assert np.isinf(bounds[-1]) == halted


def small(seed):
    """One resource: demands of a project or of a pair, whole or not, pools shared, sites without a pool."""
    rng = np.random.default_rng(seed)
    projects, sites = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    score = np.round(rng.uniform(1, 9, (projects, sites)), int(rng.integers(0, 3)))
    score[rng.random(score.shape) < 0.2] = np.nan
    score[0, 0] = 5.0
    pair = bool(rng.random() < 0.5)
    pool = np.arange(sites) if pair else rng.integers(-1, 2, sites)
    pool[0] = 0
    demand = rng.uniform(1, 5, (projects, sites) if pair else projects).round(int(rng.choice([0, 1, 6])))
    room = rng.uniform(3, 8, max(pool.max() + 1, 1)).round(2)
    return Problem(score, [Resource("land", "mu", demand, pool, room)], bonus=float(rng.integers(0, 30)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("block", range(6))
def test_no_plan_is_better_than_what_the_search_finds(block):
    seen = 0
    for seed in range(40 * block, 40 * block + 40):
        model = presolve(small(seed))
        if not model.draws:
            continue
        rng = np.random.default_rng(seed)
        options = [[*np.flatnonzero(np.isfinite(row)), -1] for row in model.value]
        must = rng.random(len(options)) < 0.3 * (rng.random() < 0.5)
        model.must[:] = must & (np.array([len(each) for each in options]) > 1)
        plans = [np.array(each) for each in itertools.product(*options)]
        allowed = [model.objective(each) for each in plans if model.fits(each) and not model.short(each)]
        best = max(allowed, default=-np.inf)
        option, worth, bounds = searched(None, model=model)
        assert worth == pytest.approx(best, abs=1e-6), seed
        if option is not None:
            assert bounds[-1] == pytest.approx(best, abs=1e-5), seed
            assert min(bounds) >= best - 1e-6, seed
        seen += 1
    assert seen > 15


def assignment(kind, agents, jobs, seed):
    """Costs and demands of Chu & Beasley's (1997) types c and d, as scores below 1,000."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(5, 26, (jobs, agents)) if kind == "c" else rng.integers(1, 101, (jobs, agents))
    cost = rng.integers(10, 51, (jobs, agents)) if kind == "c" else 111 - demand + rng.integers(-10, 11, demand.shape)
    room = np.floor(0.8 * demand.sum(axis=0) / agents)
    return Problem(1000.0 - cost, [Resource("hours", "h", demand, np.arange(agents), room)], bonus=10_000.0)


def by_highs(problem):
    """The optimum that HiGHS proves."""
    (hours,) = problem.resources
    projects, sites = problem.shape
    once = np.kron(np.eye(projects), np.ones(sites))
    room = np.zeros((sites, projects * sites))
    for s in range(sites):
        room[s, s::sites] = hours.demand[:, s]
    rows = [LinearConstraint(once, 1, 1), LinearConstraint(room, 0, hours.at("likely"))]
    every = np.ones(projects * sites)
    result = milp(-problem.score.ravel(), integrality=every, bounds=Bounds(0, 1), constraints=rows)
    return -result.fun + problem.bonus.sum()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["c", "d"])
@pytest.mark.parametrize("seed", range(6))
def test_highs_finds_no_other_optimum(kind, seed):
    problem = assignment(kind, 4, 16, seed)
    _, worth, bounds = searched(problem, step=0.999)
    assert worth == pytest.approx(by_highs(problem))
    assert bounds[-1] < worth + 1


@pytest.mark.slow
@pytest.mark.parametrize("agents", [5, 10])
def test_type_d_with_sixty_jobs_is_proven(agents):
    """Its relaxations are a few units apart and its plans too: HiGHS alone is left with a gap after a minute."""
    problem = assignment("d", agents, 60, 1)
    plan = solve(problem, time_limit_s=600)
    assert plan.status == "optimal"
    assert plan.bound == plan.objective
    assert verify(problem, plan) == ()
    assert solve(problem, time_limit_s=600).site.tolist() == plan.site.tolist()


@pytest.mark.slow
def test_a_search_that_is_stopped_leaves_a_plan_and_a_true_bound():
    problem = assignment("d", 10, 40, 2)
    best = solve(problem, time_limit_s=600).objective
    _, value, bounds = searched(problem, step=0.999, rounds=12)
    assert value <= best <= min(bounds)
    assert min(bounds) < best + 50


@pytest.mark.slow
def test_who_waits_is_asked_whether_to_stop_though_nothing_is_new():
    """Whoever then says no gets the plan in hand."""
    news = []

    def told(each):
        news.append(each.is_new)
        return all(news)

    plan = solve(assignment("d", 20, 100, 1), time_limit_s=30, progress=told)
    assert plan.status == "feasible"
    assert not all(news)
