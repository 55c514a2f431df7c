"""Parts of one project, phases and shares: against all plans, and refusals."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster.matching import AtMost, Opening, Parts, Problem, Resource, group_limits, solve, split, verify
from geo_cluster.matching.explain import placement_options
from tests.refusals import refused
from tests.valued import keeps, value_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def codes(call):
    return [code for code, _ in refused(call)]


def best_by_enumeration(problem):
    sites = itertools.product(range(-1, problem.shape[1]), repeat=problem.shape[0])
    sets = [[o for o in range(len(problem.openings)) if mask >> o & 1] for mask in range(2 ** len(problem.openings))]
    values = [value_of(problem, site, opened) for site in sites for opened in sets]
    return max((value for value in values if value is not None), default=None)


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    projects, sites = int(rng.integers(3, 6)), int(rng.integers(2, 4))
    score = np.round(rng.normal(draw(st.sampled_from([1, 6])), 4, (projects, sites)), 1)
    score[rng.random(score.shape) < 0.15] = np.nan
    score[0] = 3.0
    land = Resource("land", "mu", rng.integers(1, 6, projects), np.arange(sites), rng.integers(0, 9, sites))
    power = Resource("power", "MVA", rng.integers(1, 5, projects), np.minimum(np.arange(sites), 1), [5.0, 4.0])
    resources = [land, power]
    if draw(st.booleans()):
        resources.append(group_limits("count", np.zeros(sites, int), projects=projects, minimum=[1]))
    order, most = draw(st.sampled_from(["together", "in_order"])), draw(st.sampled_from([None, 1, 2]))
    parts = [Parts(rng.permutation(projects)[: int(rng.integers(2, 4))].tolist(), order, most)]
    if projects == 5 and len(parts[0].projects) < 4:
        rest = sorted({*range(projects)} - {*parts[0].projects})[:2]
        parts.append(Parts(rest, draw(st.sampled_from(["together", "in_order"])), draw(st.sampled_from([None, 1]))))
    return Problem(
        score,
        resources,
        bonus=None if draw(st.booleans()) else 1.0,
        openings=[Opening("park", float(rng.integers(0, 6)), sites=[0])] if draw(st.booleans()) else [],
        at_most=[AtMost(1)] if draw(st.booleans()) else [],
        parts=parts,
    )


@given(problems())
@settings(max_examples=60, deadline=None)
def test_the_plan_is_the_best_of_all_that_keep_what_binds_parts(problem):
    best = best_by_enumeration(problem)
    if best is None:
        assert {"matching.parts_impossible", "matching.minimum_impossible"} & {*codes(lambda: solve(problem))}
        return
    plan = solve(problem)
    assert (plan.status, plan.violations) == ("optimal", ())
    assert plan.objective == pytest.approx(best)
    assert value_of(problem, plan.site.tolist(), plan.opened) == pytest.approx(best)
    assert plan.bound == pytest.approx(best)
    assert verify(problem, plan) == ()


@given(problems(), st.data())
@settings(max_examples=60, deadline=None)
def test_verify_finds_exactly_the_plans_that_break_parts(problem, data):
    site = np.array(
        data.draw(
            st.lists(st.integers(-1, problem.shape[1] - 1), min_size=len(problem.score), max_size=len(problem.score))
        )
    )
    found = {one.fault.place.name for one in verify(problem, site) if one.kind == "parts"}
    assert found == {str(n) for n, one in enumerate(problem.parts, start=1) if not keeps(one, site)}


@given(st.integers(0, 2**32), st.integers(2, 3))
@settings(max_examples=40, deadline=None)
def test_a_project_that_may_be_split_against_every_pair_of_sites_and_shares(seed, into):
    rng = np.random.default_rng(seed)
    projects, sites = 3, 3
    score, bonus = np.round(rng.uniform(0, 10, (projects, sites)), 1), rng.uniform(1, 5, projects)
    land, room = rng.integers(2, 9, projects).astype(float), rng.integers(1, 9, sites).astype(float)
    whole = Problem(score, [Resource("land", "mu", land, np.arange(sites), room)], bonus=bonus)
    best = 0.0
    shares = np.arange(1, into + 1) / into  # of project 0 at the first of its two sites
    for first, second, share in itertools.product(range(-1, sites), range(sites), shares):
        if first == second:
            continue
        left, worth = room.copy(), 0.0
        for s, part in ((first, share), (second, 1 - share)) if first >= 0 else ():
            left[s] -= part * land[0]
            worth += part * (score[0, s] + bonus[0])
        for others in itertools.product(range(-1, sites), repeat=projects - 1):
            used = np.bincount(
                [s for s in others if s >= 0], [land[p] for p, s in enumerate(others, 1) if s >= 0], sites
            )
            if (left - used >= -1e-9).all():
                best = max(best, worth + sum(score[p, s] + bonus[p] for p, s in enumerate(others, 1) if s >= 0))
    problem = split(whole, 0, into=into)
    plan = solve(problem)
    assert plan.objective == pytest.approx(best)
    assert plan.status == "optimal"
    assert verify(problem, plan) == ()
    assert plan.objective >= solve(whole).objective - 1e-9  # who may be split is never worse off


def test_what_splits_in_two_is_placed_where_no_site_holds_it_whole():
    land = Resource("land", "mu", [8.0, 1.0], [0, 1], [5.0, 5.0])
    whole = Problem([[10.0, 6.0], [1.0, 1.0]], [land], bonus=2.0, projects=("A", "B"))
    assert solve(whole).site.tolist() == [-1, 0]
    problem = split(whole, 0)
    assert problem.projects == ("A (1/2)", "B", "A (2/2)")
    plan = solve(problem)
    assert sorted(plan.site[[0, 2]]) == [0, 1]
    assert plan.objective == pytest.approx(5 + 3 + 2 + 1 + 2)
    assert problem.resources[0].demand.tolist() == [4.0, 1.0, 4.0]


def test_the_second_phase_waits_for_the_first():
    land = Resource("land", "mu", [9.0, 2.0], [0, 1], [5.0, 5.0])
    apart = Problem([[1.0, 1.0], [9.0, 9.0]], [land], bonus=5.0)
    assert solve(apart).site[1] >= 0
    assert solve(apart.but(parts=[Parts([0, 1], "in_order")])).site.tolist() == [-1, -1]
    assert solve(apart.but(parts=[Parts([1, 0], "in_order")])).site[1] >= 0
    options = placement_options(apart.but(parts=[Parts([0, 1])]), solve(apart.but(parts=[Parts([0, 1])])), project=1)
    assert all(option.gain > -1e9 for option in options)


def test_phases_on_one_site_take_it_together():
    land = Resource("land", "mu", [4.0, 4.0, 4.0], [0, 1], [8.0, 5.0])
    score = [[5.0, 9.0], [5.0, 9.0], [8.0, 1.0]]
    problem = Problem(score, [land], bonus=1.0, parts=[Parts([0, 1], "together", 1)])
    assert solve(problem).site.tolist() == [0, 0, 1]
    locked = problem.but(locked={2: 0})
    assert solve(locked).site.tolist() == [-1, -1, 0]


def test_what_cannot_be_meant_is_named():
    score = np.ones((4, 3))
    some = [Parts([0], "first"), Parts([0, 9]), Parts([1, 2], most_sites=0), "parts", Parts([2, 2])]
    assert sorted(codes(lambda: Problem(score, [], parts=some))) == [
        "matching.no_such_project",
        "matching.not_parts",
        "matching.parts_of_one",
        "matching.parts_order",
        "matching.parts_sites",
        "matching.parts_twice",
    ]
    parts = [Parts([0, 1], most_sites=1)]
    assert codes(lambda: Problem(score, [], parts=parts, locked={0: 0, 1: 2})) == ["matching.parts_locked_apart"]
    nowhere = score.copy()
    nowhere[1] = np.nan
    assert codes(lambda: Problem(nowhere, [], parts=parts, locked={0: 0})) == ["matching.parts_locked_alone"]
    assert codes(lambda: split(Problem(score, []), 4)) == ["matching.no_such_project"]
    assert codes(lambda: split(Problem(score, []), 0, into=1)) == ["matching.cannot_split"]
    assert codes(lambda: split(Problem(score, [], parts=parts), 0)) == ["matching.cannot_split"]


@pytest.mark.slow
def test_a_large_problem_keeps_parts_also_when_time_ends_first():
    rng = np.random.default_rng(5)
    projects, sites = 150, 40
    land = Resource("land", "mu", rng.integers(5, 30, projects), np.arange(sites), rng.integers(30, 60, sites))
    parts = [Parts([p, p + 1], "in_order" if p % 4 else "together", 1 if p % 3 else None) for p in range(0, 60, 2)]
    problem = Problem(rng.uniform(20, 90, (projects, sites)), [land], bonus=50.0, parts=parts)
    plan = solve(problem, time_limit_s=2)
    assert plan.violations == ()
    assert all(keeps(one, plan.site.tolist()) for one in parts)
    assert 0.8 * plan.bound < plan.objective <= plan.bound
