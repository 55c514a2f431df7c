"""Every plan against all plans: brute force on small problems, and relations that must hold on larger ones."""

import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, group_limits, solve, verify
from geo_cluster.matching.engine import strategy
from geo_cluster.matching.verify import objective
from tests.refusals import faults_of, refused


def plans(projects, sites):
    return (np.array(site) for site in itertools.product(range(-1, sites), repeat=projects))


def best_worth(problem):
    """Greatest worth over all plans, from `verify`'s own arithmetic, or None when no plan keeps the rules."""
    worths = [objective(problem, site) for site in plans(*problem.shape) if not verify(problem, site)]
    return max(worths, default=None)


def small(seed, *, extras=True):
    """A random problem with a random mix of every rule."""
    rng = np.random.default_rng(seed)
    projects, sites = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    score = np.round(rng.normal(3, 4, (projects, sites)), int(rng.integers(0, 3)))
    score[rng.random(score.shape) < 0.2] = np.nan
    score[0, 0] = 1.0
    pool = rng.integers(-1, 2, sites)
    pool[0] = 0
    shape = (projects, sites) if rng.random() < 0.4 else projects
    resources = [
        Resource("land", "mu", rng.integers(1, 6, projects), np.arange(sites), rng.integers(4, 9, sites)),
        Resource("power", "MVA", np.round(rng.uniform(0.5, 4, shape), 1), pool, np.round(rng.uniform(4, 7, 2), 1)),
    ]
    if not extras:
        return Problem(score, resources, bonus=2.0)
    if rng.random() < 0.3:
        reach = rng.random((sites, 2)) < 0.7
        reach[0] = True
        split = bool(rng.random() < 0.5)
        resources.append(Resource("water", "t", rng.integers(1, 4, projects), reach, [4.0, 3.0], split=split))
    if rng.random() < 0.3:
        resources.append(
            group_limits("count", np.zeros(sites, int), projects=projects, minimum=[1], maximum=[projects - 1])
        )
    links = []
    if rng.random() < 0.4:
        near = None if rng.random() < 0.5 else rng.random((sites, sites)) < 0.5
        links.append(Link(0, 1, gain=float(rng.integers(1, 6)), near=near))
    locked = {0: 0} if rng.random() < 0.3 else None
    forbidden = [(1, sites - 1)] if rng.random() < 0.3 else None
    bonus = rng.integers(-1, 4, projects).astype(float)
    return Problem(score, resources, bonus=bonus, links=links, locked=locked, forbidden=forbidden)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("block", range(10))
def test_no_plan_is_better_than_the_optimal_one(block, monkeypatch):
    """By HiGHS alone, and in every second block by walks and cuts first."""
    if block % 2:
        monkeypatch.setattr(strategy, "_TINY_COLUMNS", 0)
    seen = 0
    for seed in range(30 * block, 30 * block + 30):
        try:
            problem = small(seed)
        except InputError:
            continue
        best = best_worth(problem)
        if best is None:
            with pytest.raises(InputError):
                solve(problem)
            continue
        plan = solve(problem)
        assert plan.status == "optimal", seed
        assert plan.violations == (), seed
        assert plan.objective == pytest.approx(best, abs=1e-6), seed
        assert plan.bound >= best - 1e-6, seed
        seen += 1
    assert seen > 20


def region(projects=16, sites=6, seed=0):
    rng = np.random.default_rng(seed)
    score = np.round(rng.uniform(20, 90, (projects, sites)), 1)
    score[rng.random(score.shape) < 0.3] = np.nan
    land, power = rng.integers(10, 80, projects), np.round(rng.lognormal(1, 0.6, projects), 1)
    return Problem(
        score,
        [
            Resource("land", "mu", land, np.arange(sites), np.full(sites, land.sum() / sites)),
            Resource(
                "power", "MVA", power, np.arange(sites) // 2, np.full(sites // 2, 0.9 * power.sum() / (sites // 2))
            ),
        ],
        bonus=30.0,
    )


def optimum(problem):
    """What HiGHS makes of a problem without anything of ours."""
    p, s = np.nonzero(problem.eligible)
    rows = [np.arange(len(problem.score))[:, None] == p]
    rows += [(np.arange(len(r.capacity))[:, None] == r.pool[s]) * r.demand[p] for r in problem.resources]
    top = np.concatenate([np.ones(len(problem.score)), *[r.capacity for r in problem.resources]])
    worth = problem.score[p, s] + problem.bonus[p]
    alone = milp(
        -worth, integrality=np.ones(len(p)), bounds=Bounds(0, 1), options={"mip_rel_gap": 0},
        constraints=LinearConstraint(np.vstack(rows), -np.inf, top),
    )  # fmt: skip
    return -alone.fun


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_highs_alone_finds_no_other_optimum(seed):
    problem = region(18, 8, seed)
    plan = solve(problem)
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(optimum(problem))


@pytest.mark.parametrize("seed", range(6))
def test_where_little_is_short_the_proof_waits_for_no_kernel(seed, monkeypatch):
    monkeypatch.setattr(strategy.kernels, "ready", lambda *_, **__: pytest.fail("kernels were asked for"))
    problem = region(40, 10, seed)
    first = np.where(problem.eligible, problem.score, -np.inf).argmax(axis=1)
    land = np.bincount(first, problem.resources[0].demand, minlength=10)
    short = np.where(land == land.max(), 0.7 * land, np.inf)  # for those who like the best-loved site best
    problem = problem.but(resources=[Resource("land", "mu", problem.resources[0].demand, np.arange(10), short)])
    plan = solve(problem)
    assert (plan.status, plan.violations) == ("optimal", ())
    assert plan.objective == pytest.approx(optimum(problem))
    assert (plan.site != first).any()


@pytest.mark.parametrize("room", [1e6, np.inf])
def test_where_there_is_room_for_all_everyone_goes_where_they_score_most(room):
    problem = region(30, 10)
    resources = [Resource(r.name, r.unit, r.demand, r.pool, np.full(len(r.capacity), room)) for r in problem.resources]
    plan = solve(problem.but(resources=resources))
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(np.nanmax(problem.score, axis=1).sum() + 30 * 30)


@pytest.mark.slow
def test_a_minimum_without_a_maximum_is_kept():
    problem = region(24, 10)
    shares = group_limits("Shiyan", np.zeros(10, int) + (np.arange(10) > 7) - 1, projects=24, minimum=[6])
    plan = solve(problem.but(resources=(*problem.resources, shares)))
    assert plan.status == "optimal"
    assert np.count_nonzero(plan.site > 7) >= 6


def with_capacity(problem, factor):
    wider = [Resource(r.name, r.unit, r.demand, r.pool, r.capacity * factor) for r in problem.resources]
    return problem.but(resources=wider)


@pytest.mark.slow
def test_more_capacity_never_lowers_the_optimum():
    problem = region()
    worths = [solve(with_capacity(problem, factor)).objective for factor in (0.7, 0.85, 1.0, 1.3)]
    assert worths == sorted(worths)
    assert worths[0] < worths[-1]


@pytest.mark.slow
def test_scaling_scores_scales_the_optimum():
    problem = region()
    tenfold = problem.but(score=problem.score * 10, bonus=300.0)
    assert solve(tenfold).objective == pytest.approx(10 * solve(problem).objective)


@pytest.mark.slow
def test_relabelling_changes_nothing():
    problem, rng = region(), np.random.default_rng(1)
    p, s = rng.permutation(16), rng.permutation(6)
    resources = [Resource(r.name, r.unit, r.demand[p], r.pool[s], r.capacity) for r in problem.resources]
    assert solve(Problem(problem.score[p][:, s], resources, bonus=30.0)).objective == pytest.approx(
        solve(problem).objective
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_site_nobody_uses_can_be_dropped():
    problem = region()
    plan = solve(with_capacity(problem, 1.3))
    score = np.column_stack([problem.score, np.full(16, -1e3)])
    resources = [Resource(r.name, r.unit, r.demand, np.append(r.pool, -1), r.capacity * 1.3) for r in problem.resources]
    assert solve(Problem(score, resources, bonus=30.0)).objective == pytest.approx(plan.objective)


@pytest.mark.slow
def test_a_lock_never_gains():
    problem = region()
    best = solve(problem).objective
    for p in range(4):
        s = int(np.flatnonzero(problem.eligible[p])[0])
        assert solve(problem.but(locked={p: s})).objective <= best + 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_bound_is_above_every_plan_however_early_the_end(seed):
    problem = region(seed=seed)
    best = solve(problem)
    for limit in (0.0, 0.02, 0.2):
        plan = solve(problem, time_limit_s=limit)
        assert plan.bound >= best.objective - 1e-6
        assert plan.violations == ()
        assert plan.status == "feasible" or plan.objective == pytest.approx(best.objective)


@pytest.mark.slow
def test_same_seed_same_plan():
    problem = region(18, 6, seed=4)
    assert (solve(problem, seed=3).site == solve(problem, seed=3).site).all()


@pytest.mark.slow
@pytest.mark.slow
def test_same_plan_at_a_loose_gap_however_slow_each_worker_is(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    from matching_instances import instance

    class Slow(ThreadPoolExecutor):
        def submit(self, work, /, *asked, **more):
            late = waits.choice([0, 0, 0.1, 0.3])
            return super().submit(lambda: (time.sleep(late), work(*asked, **more))[1])

    problem, waits = instance("region", 120, 40, 3), random.Random(3)
    quick = solve(problem, mip_gap=0.01)
    monkeypatch.setattr(strategy, "ThreadPoolExecutor", Slow)
    slow = solve(problem, mip_gap=0.01)
    assert quick.ended == slow.ended == "proof"
    assert slow.site.tolist() == quick.site.tolist()


def test_an_overwhelming_bonus_means_everyone_must_be_placed():
    """The minimisation form of the literature: costs as negative scores, and a price nobody wants to pay."""
    rng = np.random.default_rng(5)
    cost, weight = rng.integers(10, 50, (12, 3)), rng.integers(5, 25, (12, 3))
    capacity = np.full(3, 0.8 * weight.sum() / 9 * 1.2)
    problem = Problem(-cost.astype(float), [Resource("hours", "h", weight, np.arange(3), capacity)], bonus=1e6)
    plan = solve(problem)
    assert plan.status == "optimal"
    best = min(
        sum(cost[p, s] for p, s in enumerate(site))
        for site in itertools.product(range(3), repeat=12)
        if all(sum(weight[p, s] for p, s in enumerate(site) if s == k) <= capacity[k] for k in range(3))
    )
    assert 12e6 - plan.objective == pytest.approx(best)


@pytest.mark.slow
@pytest.mark.parametrize(("jobs", "limit"), [(24, 20), (40, 1)], ids=["proven", "time ends first"])
@pytest.mark.parametrize("seed", range(4))
def test_an_overwhelming_bonus_where_not_everyone_fits(seed, jobs, limit):
    """Bounds of the problem without the bonus must not pass for bounds of the whole."""
    rng = np.random.default_rng(seed)
    cost, weight = rng.integers(10, 51, (jobs, 3)).astype(float), rng.integers(5, 26, jobs)
    capacity = np.full(3, 0.5 * weight.sum() / 3)
    problem = Problem(-cost, [Resource("hours", "h", weight, np.arange(3), capacity)], bonus=1e5)
    p, s = np.nonzero(problem.eligible)
    rows = np.zeros((jobs + 3, len(p)))
    rows[p, np.arange(len(p))] = 1
    rows[jobs + s, np.arange(len(p))] = weight[p]
    top = np.concatenate([np.ones(jobs), capacity])
    whole = np.ones(len(p))
    most = milp(-whole, integrality=whole, bounds=Bounds(0, 1), constraints=LinearConstraint(rows, -np.inf, top))
    count = round(-most.fun)  # as many as fit, and of those plans the cheapest
    exactly = LinearConstraint(
        np.vstack([rows, whole]), np.append(np.full(jobs + 3, -np.inf), count), np.append(top, count)
    )
    cheapest = milp(cost[p, s], integrality=whole, bounds=Bounds(0, 1), constraints=exactly)
    for direct in (2_000, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(strategy, "_SMALL_COLUMNS", direct)
            plan = solve(problem, time_limit_s=limit)
        assert plan.bound >= 1e5 * count - cheapest.fun - 1e-3
        assert plan.violations == ()
        assert plan.status == "feasible" or plan.objective == pytest.approx(1e5 * count - cheapest.fun, abs=0.5)


def test_progress_stops_with_the_plan_in_hand():
    news = []
    plan = solve(region(80, 12), progress=lambda event: bool(news.append(event)))
    assert len(news) <= 2
    assert plan.violations == ()
    assert plan.bound >= plan.objective


def test_an_interrupted_solve_returns_its_best_plan():
    def interrupt(event):
        if event.elapsed_s > 0.01:
            raise KeyboardInterrupt

    plan = solve(region(80, 12), progress=interrupt)
    assert plan.violations == ()
    assert (plan.site >= 0).any()


@pytest.mark.slow
def test_progress_is_told_of_better_plans_and_lower_bounds_only():
    news = []
    solve(region(60, 12, seed=7), time_limit_s=2, progress=news.append)
    worths, bounds = [each.objective for each in news], [each.bound for each in news]
    assert worths == sorted(worths)
    assert bounds == sorted(bounds, reverse=True)


@pytest.mark.slow
def test_minima_that_cant_be_met_are_named_with_what_can_be_had():
    problem = region()
    rule = group_limits("Shiyan", np.zeros(6, int), projects=16, minimum=[16])
    (fault,) = faults_of(lambda: solve(problem.but(resources=(*problem.resources, rule))))
    assert fault.code == "matching.minimum_impossible"
    assert fault.values["minimum"] == 16
    assert 0 <= float(fault.values["reach"]) < 16


@pytest.mark.slow
def test_a_large_problem_gets_a_plan_and_a_bound():
    plan = solve(region(300, 40), time_limit_s=2)
    assert plan.violations == ()
    assert plan.gap < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e-3, 1e9, 1e12])
def test_scores_may_be_in_any_unit(unit):
    for seed in range(10):
        problem = small(seed, extras=False)
        plan = solve(problem.but(score=problem.score * unit, bonus=2.0 * unit))
        assert plan.status == "optimal"
        assert plan.objective == pytest.approx(unit * best_worth(problem), rel=1e-7, abs=unit * 1e-7)


@pytest.mark.parametrize("bonus", [1e4, 1e9, 1e11])
@pytest.mark.parametrize("room", [0.6, 1.2])
def test_the_cheapest_of_the_fullest_plans_however_large_the_bonus(bonus, room):
    """Tolerances are of the costs, not of a bonus that is a thousand million times as large."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        cost, weight = rng.integers(10, 50, (6, 3)).astype(float), rng.integers(5, 25, (6, 3))
        hours = Resource("hours", "h", weight, np.arange(3), np.floor(room * weight.sum(axis=0) / 3))
        news = []
        plan = solve(Problem(-cost, [hours], bonus=bonus), progress=news.append)
        placed = {
            site: bonus * np.count_nonzero(site) - sum(cost[p, s - 1] for p, s in enumerate(site) if s)
            for site in itertools.product(range(4), repeat=6)
            if all(sum(weight[p, k] for p, s in enumerate(site) if s == k + 1) <= hours.capacity[k] for k in range(3))
        }
        assert plan.status == "optimal"
        assert plan.objective == pytest.approx(max(placed.values()), rel=0, abs=0.01)
        assert all(each.bound >= max(placed.values()) - 0.01 for each in news)


def test_a_minimum_of_projects_that_choose_between_pools():
    reach = np.array([[True, True], [False, True]])
    gas = Resource("gas", "m3", [1.0, 1.0, 3.0], reach, [4.0, 4.0], [4.0, 3.0])
    beyond = {f"matching.{code}" for code in ("minimum_out_of_reach", "minima_out_of_reach", "minimum_impossible")}
    wider = Resource("gas", "m3", [3.0, 3.0, 3.0], reach, [4.0, 4.0], [4.0, 0.0])
    for resource in (gas, wider):
        found = refused(lambda resource=resource: solve(Problem(np.ones((3, 2)), [resource])))
        assert {place for _, place in found} == {"resource gas"}
        assert {code for code, _ in found} <= beyond


def test_a_minimum_is_refused_where_locks_have_decided_everything():
    """Nothing is left to choose, and what is decided falls short."""
    rule = group_limits("Shiyan", np.zeros(1, int), projects=2, minimum=[2])
    land = Resource("land", "mu", [1.0, 1.0], [0], [1.0])
    (fault,) = faults_of(lambda: solve(Problem(np.ones((2, 1)), [rule, land], locked={0: 0})))
    assert (fault.code, fault.values["minimum"], fault.values["reach"]) == ("matching.minimum_impossible", 2, "1")


def test_minima_out_of_reach_are_named_before_anything_is_solved():
    group = np.arange(6) // 2
    rule = group_limits("prefecture", group, projects=16, minimum=[6, 6, 6])
    (fault,) = faults_of(lambda: solve(region().but(resources=(rule,)), time_limit_s=0))
    assert (fault.code, fault.values["minimum"], fault.values["most"]) == ("matching.minima_out_of_reach", 18, 16)
    rare = region().score.copy()
    rare[3:, :2] = np.nan
    alone = group_limits("prefecture", group, projects=16, minimum=[5, 0, 0])
    (fault,) = faults_of(lambda: solve(region().but(score=rare, resources=(alone,)), time_limit_s=0))
    assert (fault.code, fault.values["pool"]) == ("matching.minimum_out_of_reach", "pool 0")
    assert float(fault.values["reach"]) <= 3


@pytest.mark.slow
def test_locks_that_can_or_cant_share_pools_are_told_at_once():
    """Bin packing: searching through all 2^24 ways would take minutes."""
    reach = np.array([[True, True], [False, True]])
    for room, fits in ((11.5, False), (12.5, True)):
        power = Resource("power", "MVA", np.ones(24), reach, [room, room])
        problem = Problem(np.ones((24, 2)), [power], locked=dict.fromkeys(range(24), 0))
        if fits:
            assert solve(problem).status == "optimal"
        else:
            undivided = [("matching.locks_exceed_pools_undivided", "locked, power")]
            assert refused(lambda problem=problem: solve(problem)) == undivided


@pytest.mark.parametrize(
    ("asked", "place", "code"),
    [
        ({"start": [0]}, "start", "plan_shape"),
        ({"start": ["a", "b"]}, "start", "plan_not_integers"),
        ({"start": [0, [1, 2]]}, "start", "plan_not_integers"),
        ({"start": [0, 5]}, "start, project 1", "no_such_site"),
        ({"mip_gap": np.nan}, "mip_gap", "not_an_amount"),
        ({"mip_gap": -0.1}, "mip_gap", "not_an_amount"),
        ({"time_limit_s": "soon"}, "time_limit_s", "not_an_amount"),
        ({"time_limit_s": [1.0, 2.0]}, "time_limit_s", "not_an_amount"),
        ({"seed": -1}, "seed", "not_an_integer"),
        ({"seed": 0.5}, "seed", "not_an_integer"),
    ],
)
def test_what_cant_be_asked_of_the_solver_is_refused_in_words(asked, place, code):
    assert (f"matching.{code}", place) in refused(lambda: solve(Problem([[5.0, 4.0], [3.0, 9.0]], []), **asked))


def test_a_start_may_be_whole_numbers_of_any_kind():
    problem = Problem([[5.0, 4.0], [3.0, 9.0]], [])
    for start in ([0.0, -1.0], np.array([1, 0], dtype=np.int8), (0, 1)):
        assert solve(problem, start=start).objective == 14


def test_all_that_is_wrong_with_a_call_is_said_at_once():
    with pytest.raises(InputError) as told:
        solve(Problem([[5.0]], []), mip_gap=-1, time_limit_s=np.nan, seed="x")
    assert len(told.value.faults) == 3
