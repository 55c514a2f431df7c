"""Explanations, alternatives and stable plans: each claim recomputed."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, group_limits, solve, verify
from geo_cluster.matching.alternatives import alternatives, difference, distance
from geo_cluster.matching.explain import lock_prices, placement_options, pool_values, site_importance, why_here
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.stable import blocking_pairs, match_stably
from geo_cluster.matching.time_budget import _NEAR_GAP, TimeBudget
from geo_cluster.matching.tradeoffs import balance_front, trade_off
from geo_cluster.matching.verify import objective
from tests.refusals import faults_of, refused


def region(seed=0, projects=9, sites=4, **more):
    rng = np.random.default_rng(seed)
    score = np.round(rng.uniform(20, 90, (projects, sites)), 1)
    score[rng.random(score.shape) < 0.2] = np.nan
    score[:, 0] = np.where(np.isnan(score).all(axis=1), 20.0, score[:, 0])
    land, power = rng.integers(10, 60, projects), np.round(rng.uniform(2, 9, projects), 1)
    resources = [
        Resource("land", "mu", land, np.arange(sites), np.full(sites, 0.9 * land.sum() / sites)),
        Resource("power", "MVA", power, np.arange(sites) // 2, np.full(2, 0.4 * power.sum()), pools=["鸭儿湖", "花湖"]),
    ]
    return Problem(score, resources, bonus=10.0, **more)


@pytest.mark.slow
def test_placement_options_hold_when_solved_again():
    seen = 0
    for seed in range(3):
        problem = region(seed)
        plan = solve(problem)
        for p in np.flatnonzero(plan.site < 0):
            for way in placement_options(problem, plan, project=int(p)):
                seen += 1
                capacity = {r.name: r.capacity.copy() for r in problem.resources}
                for short in way.more:
                    resource = next(r for r in problem.resources if r.name == short.resource)
                    k = [resource.pool_name(i) for i in range(len(resource.capacity))].index(short.pool)
                    capacity[short.resource][k] += short.amount * 1.00001
                wider = [
                    Resource(r.name, r.unit, r.demand, r.pool, capacity[r.name], pools=r.pools)
                    for r in problem.resources
                ]
                site = plan.site.copy()
                site[p] = way.site
                for move in way.moves:
                    assert site[move.project] == move.before
                    site[move.project] = move.after
                new = problem.but(resources=wider)
                assert verify(new, site) == ()
                assert objective(new, site) - plan.objective == pytest.approx(way.gain, abs=1e-6)
                if not way.more:
                    assert way.gain <= 1e-6
                    assert way.moves
    assert seen >= 3


def test_one_more_unit_gains_what_solving_again_says():
    problem = region(1)
    plan = solve(problem)
    rows = pool_values(problem, plan, step=5.0)
    assert len(rows) == 6
    assert rows[0].gain == max(row.gain for row in rows) > 0
    for row in rows:
        capacity = {r.name: r.capacity.copy() for r in problem.resources}
        capacity[row.resource][row.index] += 5.0
        wider = [Resource(r.name, r.unit, r.demand, r.pool, capacity[r.name]) for r in problem.resources]
        assert solve(problem.but(resources=wider)).objective - plan.objective == pytest.approx(row.gain, abs=1e-6)
        assert row.gain >= -1e-9
        assert row.price >= 0


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_pool_without_anything_gains_what_a_unit_lets_in():
    problem = Problem([[5.0], [4.0]], [Resource("land", "mu", [1, 1], [0], [0.0])])
    (row,) = pool_values(problem, solve(problem))
    assert row.gain == 5.0
    assert refused(lambda: pool_values(problem, solve(problem), step=0)) == [("matching.not_a_step", "step")]


def test_losing_a_site_costs_its_projects_also_where_the_others_are_far_too_small():
    problem = Problem([[5.0, 4.0], [3.0, 9.0]], [Resource("land", "mu", [[1, 100], [1, 1]], [0, 1], [10.0, 10.0])])
    rows = {row.index: row for row in site_importance(problem, solve(problem))}
    assert {s: row.loss for s, row in rows.items()} == {0: 5.0, 1: 6.0}
    assert all(row.proven for row in rows.values())
    alone = Problem([[5.0]], [group_limits("least", [0], projects=1, minimum=[1])])
    (row,) = site_importance(alone, solve(alone))
    assert (row.loss, row.proven) == (np.inf, True)


def test_what_pools_on_offer_lack_counts_among_the_options():
    """Two stations of 10 MVA serve one site; three projects of 6: two are in, the third lacks 2, not 6."""
    power = Resource("power", "MVA", [6, 6, 6], [[True, True]], [10.0, 10.0], pools=["一站", "二站"])
    problem = Problem([[9.0], [8.0], [7.0]], [power])
    plan = solve(problem)
    (way,) = (way for way in placement_options(problem, plan, project=2) if way.more)
    (short,) = way.more
    assert short.amount == pytest.approx(2.0)
    assert short.unit == "MVA"
    assert way.moves == ()
    assert way.gain == pytest.approx(7.0)
    split = problem.but(resources=[Resource("power", "MVA", [6, 6, 9], [[True, True]], [10.0, 10.0], split=True)])
    (way,) = (way for way in placement_options(split, solve(split), project=2) if way.more)
    assert sum(short.amount for short in way.more) == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_option_by_more_gains_what_every_plan_says():
    """The best plan with the pools enlarged, by listing all; and nobody has to leave because of what wasn't counted."""
    seen = 0
    for problem, plan in problems(40, least=1, several=True):
        for p in np.flatnonzero((plan.site < 0) & problem.eligible.any(axis=1)):
            for way in placement_options(problem, plan, project=int(p)):
                resources = []
                for resource in problem.resources:
                    capacity = resource.capacity.copy()
                    for short in way.more:
                        if short.resource == resource.name:
                            capacity[short.index] += short.amount * (1 + 1e-6)
                    resources.append(replace(resource, capacity=capacity))
                wider = problem.suppose(resources=resources)
                at = [
                    value for site, value in plans_of(wider) if site[p] == way.site or (not way.more and site[p] >= 0)
                ]
                assert way.gain == pytest.approx(max(at) - plan.objective)
                if way.more:
                    stays = plan.site.copy()
                    stays[p] = way.site
                    assert not verify(wider, stays), "everyone else can stay"
                seen += 1
    assert seen > 10


def test_of_two_pools_with_one_name_the_right_one_is_enlarged():
    land = Resource("land", "mu", [4, 4], [0, 1], [4, 2], pools=["东区", "东区"])
    problem = Problem([[9.0, np.nan], [np.nan, 5.0]], [land])
    ways = placement_options(problem, solve(problem), project=1)
    assert [(way.site, way.more[0].index, way.gain) for way in ways] == [(1, 1, pytest.approx(5.0))]


def test_a_project_that_is_not_there_has_no_option():
    problem = region(0)
    (fault,) = faults_of(lambda: placement_options(problem, solve(problem), project=77))
    assert (fault.code, fault.values["value"]) == ("matching.no_such_project", "77")


@pytest.mark.slow
def test_the_linear_price_of_a_pool_is_its_dual():
    """One pool, projects of one mu each: the price is the score of the next one."""
    problem = Problem([[9.0], [5.0], [3.0]], [Resource("land", "mu", [1, 1, 1], [0], [1.5])])
    (row,) = pool_values(problem, solve(problem))
    assert row.price == pytest.approx(5.0)
    assert row.gain == pytest.approx(5.0)


def test_why_not_the_favourite():
    problem = region(3)
    plan = solve(problem)
    rows = why_here(problem, plan)
    assert rows
    for row in rows:
        assert row.favourite_score > row.score
        assert row.loss >= -1e-6
        again = solve(problem.but(locked={row.project: row.favourite}))
        assert plan.objective - again.objective == pytest.approx(row.loss, abs=1e-6)


def test_the_price_of_a_lock_and_the_importance_of_a_site():
    free = solve(region(3))
    p = int(np.flatnonzero(free.site >= 0)[0])
    other = next(int(s) for s in np.flatnonzero(region(3).eligible[p]) if s != free.site[p])
    problem = region(3, locked={p: other})
    plan = solve(problem)
    (price,) = lock_prices(problem, plan)
    assert price.loss == pytest.approx(free.objective - plan.objective, abs=1e-6)
    for row in site_importance(region(3), free):
        score = region(3).score.copy()
        score[:, row.index] = np.nan
        assert free.objective - solve(region(3).but(score=score)).objective == pytest.approx(row.loss, abs=1e-6)


def test_alternatives_are_good_and_differ_the_most():
    problem = region(4, projects=6, sites=3)
    problem = problem.but(resources=problem.resources[:1])
    best = solve(problem)
    (first, *_) = found = alternatives(problem, best, count=2, within=0.1)
    assert all(each.objective >= 0.9 * best.objective - 1e-6 for each in found)
    assert all(verify(problem, each.site) == () for each in found)
    furthest = max(
        distance(site, best.site)
        for site in (np.array(each) for each in itertools.product(range(-1, 3), repeat=6))
        if not verify(problem, site) and objective(problem, site) >= 0.9 * best.objective - 1e-9
    )
    assert first.distance == pytest.approx(furthest)
    assert first.proven
    assert len({each.site.tobytes() for each in found} | {best.site.tobytes()}) == 1 + len(found)
    assert refused(lambda: alternatives(problem, best, within=2)) == [("matching.not_a_share", "within")]


def test_a_trade_off_falls_and_each_point_keeps_its_limit():
    problem = region(5)
    best, minutes = solve(problem), np.random.default_rng(0).uniform(10, 90, problem.shape)
    front = trade_off(problem, best, minutes, points=5)
    worths = [point.plan.objective for point in front]
    assert worths == sorted(worths, reverse=True)
    assert len(front) == 5
    assert all(point.other <= point.limit + 1e-6 and point.plan.status == "optimal" for point in front)


def test_balance_is_pushed_as_far_as_a_plan_can():
    problem = region(8)
    front = balance_front(problem, solve(problem), [0, 0, 0, 1])
    assert [point.other for point in front] == sorted(point.other for point in front)
    worths = [point.plan.objective for point in front]
    assert worths == sorted(worths, reverse=True)
    assert len(front) > 1


def small(seed, *, least=-4, several=False):
    """A random problem of which every plan can be listed: scores of both signs, locks, prohibitions, minima."""
    rng = np.random.default_rng(seed)
    projects, sites = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    score = rng.integers(least, 10, (projects, sites)).astype(float)
    score[rng.random(score.shape) < 0.1] = np.nan
    demand = rng.integers(1, 5, projects).astype(float)
    room = np.floor(np.full(sites, 1.2 * demand.sum() / sites))
    resources = [Resource("worth", "mu", demand, np.arange(sites), room)]
    if several or rng.random() < 0.3:
        reach = rng.random((sites, 2)) < 0.7
        reach[:, 0] |= ~reach.any(axis=1)
        split = bool(rng.random() < 0.3)
        resources.append(Resource("power", "MVA", demand, reach, np.full(2, demand.sum() / 2), split=split))
    if rng.random() < 0.3:
        resources.append(group_limits("burden", np.zeros(sites, dtype=int), projects=projects, minimum=[1]))
    problem = {"bonus": float(rng.integers(-2, 4)), "resources": resources}
    if rng.random() < 0.3:
        problem["forbidden"] = [(0, 0)]
    if rng.random() < 0.3 and not np.isnan(score[1, 1]):
        problem["locked"] = {1: 1}
    try:
        problem = Problem(score, **problem)
        plan = solve(problem)
    except InputError:  # a lock, a minimum or a prohibition too many
        return None
    return None if plan.violations else (problem, plan)


def plans_of(problem):
    """Every plan that keeps the rules, with its worth."""
    each = (np.array(at) for at in itertools.product(range(-1, problem.shape[1]), repeat=problem.shape[0]))
    return [(site, objective(problem, site)) for site in each if not verify(problem, site)]


def problems(count, **how):
    """The first `count` random problems that have a plan."""
    found = (small(seed, **how) for seed in itertools.count())
    return itertools.islice((each for each in found if each is not None), count)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_trade_off_is_the_whole_front_and_nothing_but_the_front():
    """Against every plan there is: no point dominated, none missing, also where burdens tie and limits are tight."""
    rng, longest = np.random.default_rng(0), 0
    for number, (problem, best) in enumerate(problems(50)):
        burden = (rng.integers(0, 12, problem.shape) * rng.integers(1, 6, (problem.shape[0], 1))).astype(float)
        listed = [(sum(burden[p, s] for p, s in enumerate(site) if s >= 0), worth) for site, worth in plans_of(problem)]
        pareto, most = [], -np.inf
        for total, worth in sorted(listed, key=lambda each: (each[0], -each[1])):
            if worth > most + 1e-9:
                pareto.append((total, worth))
                most = worth
        front = trade_off(problem, best, burden, points=50)
        assert [(point.other, point.plan.objective) for point in front] == [pytest.approx(one) for one in pareto[::-1]]
        assert all(point.settled and point.plan.status == "optimal" for point in front)
        assert all(point.other <= point.limit + 1e-6 and not verify(problem, point.plan) for point in front)
        longest = max(longest, len(front))
        if number % 5:
            continue
        few = trade_off(problem, best, burden, points=3)
        assert len(few) == min(3, len(pareto))
        assert {(point.other, point.plan.objective) for point in few} <= {
            (point.other, point.plan.objective) for point in front
        }
    assert longest > 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_alternatives_are_as_far_from_the_nearest_as_any_plan_is():
    """Against every plan there is, also where the best plan is a loss and only ties are let in."""
    rng = np.random.default_rng(1)
    for problem, best in problems(50):
        within = float(rng.choice([0.0, 0.1, 0.5]))
        floor = best.objective - within * abs(best.objective)
        good = [site for site, worth in plans_of(problem) if worth >= floor - 1e-7]
        found, before = alternatives(problem, best, count=4, within=within), [best.site]
        assert len(found) == min(4, len(good) - 1)
        for one in found:
            nearest = [min(distance(site, plan) for plan in before) for site in good]
            assert one.nearest == pytest.approx(max(nearest))
            assert one.nearest == min(distance(one.site, plan) for plan in before)
            assert one.proven
            assert one.objective >= floor - 1e-6
            assert not verify(problem, one.site)
            before.append(one.site)


@pytest.mark.slow
def test_large_problems_have_alternatives_before_anything_is_proven():
    """120 projects, a second each: each differs from all before it in several projects, and none claims too much."""
    rng = np.random.default_rng(0)
    land = rng.integers(10, 60, 120)
    score = np.round(60 + 10 * rng.normal(size=(1, 40)) + 3 * rng.normal(size=(120, 40)), 1)
    pools = Resource("land", "mu", land, np.arange(40), np.full(40, 0.7 * land.sum() / 40))
    problem = Problem(score, [pools], bonus=50.0)
    best = solve(problem, time_limit_s=1.0)
    found = alternatives(problem, best, count=2, within=0.05, time_limit_s=1.0)
    assert len(found) == 2
    for one in found:
        assert one.nearest >= 0.02
        assert one.objective >= 0.95 * best.objective - 1e-6
        assert not verify(problem, one.site)


def test_all_plans_that_are_equally_good_are_found():
    problem = Problem(np.ones((2, 2)), [])
    assert len(alternatives(problem, solve(problem), count=5, within=0)) == 3
    least = group_limits("least", [0, 0], projects=2, minimum=[1])
    loss = Problem([[10.0, 10.0], [-12.0, -12.0]], [least], forbidden=[(0, 0), (0, 1)])
    (other,) = alternatives(loss, solve(loss), count=3, within=0)
    assert other.objective == -12


@pytest.mark.slow
def test_where_links_pay_every_point_keeps_its_value_and_no_less_burden_is_missed_by_limits():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        score = rng.integers(1, 5, (4, 3)).astype(float)
        links = [Link(0, 1, 2.0), Link(2, 3, 1.0, rng.random((3, 3)) < 0.5)]
        problem = Problem(score, [Resource("land", "mu", [1, 1, 1, 1], [0, 1, 2], [2, 2, 2])], links=links)
        burden = rng.integers(1, 9, (4, 3)).astype(float)
        for point in trade_off(problem, solve(problem), burden, points=5):
            best = max(
                value for site, value in plans_of(problem) if burden[np.arange(4), site][site >= 0].sum() <= point.limit
            )
            assert point.plan.objective == pytest.approx(best)
            assert not verify(problem, point.plan)


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        ({"burden": np.ones((2, 2))}, "burden", "pair_shape"),
        ({"burden": -np.ones((3, 2))}, "burden", "burden_value"),
        ({"burden": np.full((3, 2), np.nan)}, "burden", "burden_value"),
        ({"burden": [["far", 1], [1, 1], [1, 1]]}, "burden", "not_a_number_at"),
        ({"burden": np.ones((3, 2)), "points": 0}, "points", "not_an_integer"),
    ],
)
def test_a_burden_that_cannot_be_one_is_refused(given, place, code):
    problem = Problem(np.ones((3, 2)), [])
    assert (f"matching.{code}", place) in refused(lambda: trade_off(problem, solve(problem), **given))


@pytest.mark.parametrize(
    ("region", "place", "code"),
    [
        ([0], "region", "region_shape"),
        ([-1, -1], "region", "region_empty"),
        ([0.5, 0], "region", "region_numbers"),
        (["E", "W"], "region", "not_a_number_at"),
    ],
)
def test_regions_that_cannot_be_are_refused(region, place, code):
    problem = Problem(np.ones((3, 2)), [])
    assert (f"matching.{code}", place) in refused(lambda: balance_front(problem, solve(problem), region))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_balance_is_all_of_the_front():
    for problem, best in problems(30):
        region = np.arange(problem.shape[1]) % 2 * 3  # regions 0 and 3: the gap doesn't count
        listed = [
            (min((region[site[site >= 0]] == one).sum() for one in (0, 3)), worth) for site, worth in plans_of(problem)
        ]
        pareto = [
            (fewest, max(worth for other, worth in listed if other >= fewest))
            for fewest in sorted({fewest for fewest, _ in listed})
        ]
        pareto = [
            each
            for number, each in enumerate(pareto)
            if each[1] > max((w for _, w in pareto[number + 1 :]), default=-np.inf)
        ]
        front = balance_front(problem, best, region)
        assert [(point.other, point.plan.objective) for point in front] == [pytest.approx(one) for one in pareto]


def test_a_difference_lists_who_is_elsewhere():
    problem = region(0)
    changes = difference(problem, [0] * 9, [0, 1, -1] + [0] * 6)
    assert [(row.project, row.before_name, row.after_name) for row in changes] == [
        (1, "site 0", "site 1"),
        (2, "site 0", "unplaced"),
    ]


def marriage(like, back):
    """Firms and one-place sites."""
    score = np.ones(np.shape(like))
    places = Resource("places", "1", np.ones(len(score)), np.arange(score.shape[1]), np.ones(score.shape[1]))
    return Problem(score, [places]), np.asarray(like, float), np.asarray(back, float)


def test_deferred_acceptance_on_the_example_of_gale_and_shapley():
    """Gale & Shapley (1962), example 2: three and three; proposers all get their first choice."""
    rank = np.array([[1, 2, 3], [3, 1, 2], [2, 3, 1]])
    back = np.array([[3, 2, 1], [1, 3, 2], [2, 1, 3]])
    problem, firms, cities = marriage(-rank, -back)
    result = match_stably(problem, firms, cities)
    assert result.site.tolist() == [0, 1, 2]
    assert result.stable


@pytest.mark.parametrize("seed", range(20))
def test_with_one_capacity_the_plan_is_stable_and_no_project_could_do_better(seed):
    rng = np.random.default_rng(seed)
    firms, cities = rng.permuted(np.tile(np.arange(3.0), (5, 1)), axis=1), rng.random((5, 3))
    places = Resource("places", "1", np.ones(5), np.arange(3), [1, 2, 1])
    problem = Problem(rng.random((5, 3)), [places])
    result = match_stably(problem, firms, cities)
    assert result.stable
    for site in (np.array(each) for each in itertools.product(range(-1, 3), repeat=5)):
        if verify(problem, site) or blocking_pairs(problem, site, firms, cities):
            continue
        mine = np.where(result.site < 0, -1, firms[np.arange(5), result.site])
        theirs = np.where(site < 0, -1, firms[np.arange(5), site])
        assert (mine >= theirs).all()


def test_blocking_pairs_of_any_plan_and_the_cost_of_stability():
    problem, firms, cities = marriage([[2, 1], [2, 1]], [[2, 1], [1, 2]])
    (pair,) = blocking_pairs(problem, [1, 0], firms, cities)
    assert (pair.project, pair.site, pair.displaced) == (0, 0, (1,))
    best = solve(problem)
    assert match_stably(problem, firms, cities).cost(best) == pytest.approx(0.0)
    assert refused(lambda: match_stably(problem, firms[:1], cities)) == [("matching.pair_shape", "firms")]
    assert refused(lambda: blocking_pairs(problem, [1, 9], firms, cities)) == [
        ("matching.no_such_site", "site, project 1")
    ]
    assert refused(lambda: blocking_pairs(problem, [1], firms, cities)) == [("matching.plan_shape", "site")]
    assert refused(lambda: match_stably(problem, [["much", 1], [2, 1]], cities)) == [
        ("matching.not_a_number_at", "firms")
    ]


def test_with_several_resources_the_plan_keeps_every_capacity_and_lists_what_blocks():
    for seed in range(5):
        problem, rng = region(seed), np.random.default_rng(seed)
        result = match_stably(problem, problem.score, rng.random(problem.shape))
        assert verify(problem, result.site) == ()
        assert result.cost(solve(problem)) >= -1e-6


@pytest.mark.parametrize("question", [placement_options, pool_values, why_here, lock_prices, site_importance])
def test_a_plan_of_something_else_and_seconds_that_are_none_are_refused(question):
    problem = Problem(np.ones((3, 2)), Resource("land", "mu", np.ones(3), [0, 1], [1.0, 1.0]))
    plan = solve(problem)
    more = {"project": 0} if question is placement_options else {}
    other = replace(plan, site=plan.site[:2])
    assert refused(lambda: question(problem, other, **more)) == [("matching.plan_shape", "plan")]
    for seconds in (-1, np.nan, "long"):
        limit = [("matching.not_an_amount", "time_limit_s")]
        assert refused(lambda seconds=seconds: question(problem, plan, time_limit_s=seconds, **more)) == limit


@pytest.mark.parametrize("seed", range(40))
def test_of_a_plan_that_is_not_proven_as_many_stay_as_can(seed):
    """Another arrangement may be better than it; that is no answer to what somebody asks about this one."""
    found = small(seed)
    if found is None:
        return
    problem, best = found
    plans = plans_of(problem)
    rng = np.random.default_rng(seed)
    mine, worth = plans[rng.integers(len(plans))]
    plan = Assignment(mine, worth, best.bound, 0.0, "feasible")
    p, s = (int(rng.integers(n)) for n in problem.shape)
    if not problem.eligible[p, s] or problem.locked[p] != UNPLACED:
        return
    may = [(site, value) for site, value in plans if site[p] == s]
    if not may:
        return
    asked = problem.suppose(locked=np.where(np.arange(len(mine)) == p, s, problem.locked))
    again = TimeBudget(60.0).solve(asked, near=plan)
    assert verify(asked, again.site) == ()
    assert again.objective == pytest.approx(objective(problem, again.site))
    free = TimeBudget(60.0).solve(asked)
    if plan.is_best:
        assert again.objective == pytest.approx(max(value for _, value in may))
        return
    placed = mine != UNPLACED
    stay = [int((site == mine)[placed].sum()) for site, _ in may]
    height = 1 + 2 * np.nanmax(np.abs(problem.score))
    most = max(value + height * count for (_, value), count in zip(may, stay, strict=True))
    stays = int((again.site == mine)[placed].sum())
    assert again.objective + height * stays >= most - _NEAR_GAP * (abs(most) + 1) * 2
    assert stays >= int((free.site == mine)[placed].sum())
    assert again.status == "feasible" and again.bound == np.inf, "nothing is proven of the problem itself"


def test_what_is_asked_of_a_large_plan_moves_few():
    """Fifty projects and a plan that may be bettered nearly everywhere: one more comes in, and few go elsewhere."""
    rng = np.random.default_rng(3)
    demand = rng.uniform(1, 5, 50)
    site = np.arange(50) % 5
    room = np.bincount(site, weights=demand)
    room[site[-1]] -= 1.0  # so much short of all of them
    problem = Problem(rng.uniform(0, 10, (50, 5)), [Resource("land", "mu", demand, np.arange(5), room)], bonus=20.0)
    site[-1] = UNPLACED
    assert verify(problem, site) == ()
    plan = Assignment(site, objective(problem, site), np.inf, np.inf, "feasible")
    options = placement_options(problem, plan, project=49)
    assert options
    assert all(len(option.moves) <= 3 and not option.proven for option in options)
    reasons = why_here(problem, plan)
    assert len(reasons) > 20
    for reason in reasons:
        assert np.isfinite(reason.loss) and not reason.proven
        assert reason.loss <= 20.0 + 10.0 * 3, "at most one stays out, and few are moved"
