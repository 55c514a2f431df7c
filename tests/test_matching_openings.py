"""What may be opened at a cost, and how many there may be: against all plans, and HiGHS on other models."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from geo_cluster.matching import AtMost, Link, Opening, Problem, Resource, group_limits, solve, verify
from geo_cluster.matching.explain import opening_values
from tests.refusals import refused
from tests.valued import value_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def codes(call):
    return ", ".join(code for code, _ in refused(call))


def best_by_enumeration(problem):
    sites = itertools.product(range(-1, problem.shape[1]), repeat=problem.shape[0])
    sets = [[o for o in range(len(problem.openings)) if mask >> o & 1] for mask in range(2 ** len(problem.openings))]
    values = [value_of(problem, site, opened) for site in sites for opened in sets]
    return max((value for value in values if value is not None), default=None)


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    projects, sites = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    score = np.round(rng.normal(6, 4, (projects, sites)), 1)
    score[rng.random(score.shape) < 0.15] = np.nan
    score[0] = 3.0
    land = Resource("land", "mu", rng.integers(1, 6, projects), np.arange(sites), rng.integers(0, 8, sites))
    power = Resource("power", "MVA", rng.integers(1, 5, projects), np.minimum(np.arange(sites), 1), [4.0, 3.0])
    resources = [land, power]
    if draw(st.booleans()):
        resources.append(group_limits("count", np.zeros(sites, int), projects=projects, minimum=[1]))
    openings = [Opening("park", float(rng.integers(0, 6)), sites=[0], adds={"land": {0: 6}})]
    openings.append(Opening("line", float(rng.integers(0, 6)), adds={"power": {0: 3.0, 1: 2.0}}))
    openings.append(Opening("lot", 1.0, adds={"land": {1: float(rng.integers(1, 5))}}))
    limits = []
    if draw(st.booleans()):
        limits.append(AtMost(int(rng.integers(1, sites))))
    if draw(st.booleans()):
        limits.append(AtMost(1, openings=[0, 1]))
    if draw(st.booleans()):
        limits.append(AtMost(1, sites=[0, 1]))
    return Problem(
        score,
        resources,
        bonus=None if draw(st.booleans()) else 2.0,
        openings=openings,
        at_most=limits,
        links=[Link(0, 1, gain=2.0)] if draw(st.booleans()) else [],
    )


@given(problems())
@settings(max_examples=40, deadline=None)
def test_the_plan_is_the_best_of_all_plans_and_openings(problem):
    best = best_by_enumeration(problem)
    if best is None:
        with pytest.raises(Exception, match="min"):
            solve(problem)
        return
    plan = solve(problem)
    assert (plan.status, plan.violations) == ("optimal", ())
    assert plan.objective == pytest.approx(best)
    assert value_of(problem, plan.site.tolist(), plan.opened) == pytest.approx(best)
    assert verify(problem, plan) == ()
    assert verify(problem, plan.site) == ()  # openings are found where a plan doesn't name them


def located(seed, *, sites=8, customers=14, room=None):
    """Facility location: costs of serving customers, of opening sites, and what each site can serve."""
    rng = np.random.default_rng(seed)
    here, there = rng.uniform(0, 100, (sites, 2)), rng.uniform(0, 100, (customers, 2))
    cost = np.round(np.linalg.norm(there[:, None] - here[None], axis=2), 1)
    demand = rng.integers(1, 10, customers)
    return cost, demand, rng.integers(40, 160, sites).astype(float), np.full(sites, room or 1e3)


def least_cost(cost, demand, fixed, room, *, most=None):
    """By HiGHS through scipy, on a programme of its own: single source, each customer served."""
    customers, sites = cost.shape
    count = customers * sites
    rows, low, top = [], [], []

    def row(entries, least, at_most):
        line = np.zeros(count + sites)
        for at, value in entries:
            line[at] += value
        rows.append(line)
        low.append(least)
        top.append(at_most)

    for c in range(customers):
        row([(c * sites + s, 1.0) for s in range(sites)], 1, 1)
        for s in range(sites):
            row([(c * sites + s, 1.0), (count + s, -1.0)], -np.inf, 0)
    for s in range(sites):
        row([(c * sites + s, float(demand[c])) for c in range(customers)] + [(count + s, -room[s])], -np.inf, 0)
    if most is not None:
        row([(count + s, 1.0) for s in range(sites)], -np.inf, most)
    found = milp(
        np.concatenate([cost.ravel(), fixed]),
        constraints=LinearConstraint(np.array(rows), low, top),
        bounds=Bounds(0, 1),
        integrality=np.ones(count + sites),
        options={"mip_rel_gap": 0},
    )
    return found.fun


@pytest.mark.parametrize("seed", range(3))
def test_single_source_facility_location_needs_no_dummies(seed):
    cost, demand, fixed, room = located(seed, room=25)
    hours = Resource("hours", "h", demand, np.arange(len(fixed)), room)
    openings = [Opening(f"depot {s}", price, sites=[s]) for s, price in enumerate(fixed)]
    plan = solve(Problem(-cost, [hours], bonus=None, openings=openings))
    assert (plan.status, plan.violations) == ("optimal", ())
    assert (plan.site >= 0).all()
    assert -plan.score == pytest.approx(least_cost(cost, demand, fixed, room))


@pytest.mark.parametrize(("seed", "room", "most"), [(0, None, 3), (1, None, 2), (2, 40, 4)])
def test_the_p_median_is_at_most_p_sites(seed, room, most):
    cost, demand, fixed, limit = located(seed, room=room)
    hours = Resource("hours", "h", demand, np.arange(len(fixed)), limit)
    plan = solve(Problem(-cost, [hours], bonus=None, at_most=[AtMost(most)]))
    assert (plan.status, plan.violations) == ("optimal", ())
    assert len(set(plan.site)) <= most
    assert -plan.score == pytest.approx(least_cost(cost, demand, 0 * fixed, limit, most=most))


def park(**changes):
    """Two projects and two sites, the second a new park, and a transformer for the first."""
    resources = [Resource("power", "MVA", [3.0, 3.0], [0, -1], [4.0])]
    openings = [Opening("park", 2.0, sites=[1]), Opening("transformer", 1.0, adds={"power": {0: 4.0}})]
    given_ = {"openings": openings, "bonus": 5.0} | changes
    return Problem([[10.0, 4.0], [10.0, 4.0]], resources, **given_)


def test_what_an_opening_costs_and_brings():
    plan = solve(park())
    assert (plan.site.tolist(), plan.opened, plan.objective) == ([0, 0], (1,), 29.0)
    plan = solve(park(at_most=[AtMost(1, openings=[0, 1])], forbidden=[(0, 0)]))
    assert (plan.site.tolist(), plan.opened, plan.objective) == ([1, 0], (0,), 22.0)
    dear = [Opening("park", 20.0, sites=[1]), Opening("transformer", 16.0, adds={"power": {0: 4.0}})]
    assert solve(park(openings=dear)).opened == ()
    assert solve(park(openings=dear, bonus=None)).opened == (1,)  # without a price, as many as can be


def test_the_planning_level_says_how_much_an_opening_adds():
    some = [Opening("transformer", 1.0, adds={"power": {0: (1.0, 2.0, 4.0)}})]
    placed = {
        level: int((solve(park(openings=some, level=level, forbidden=[(0, 1), (1, 1)])).site >= 0).sum())
        for level in ("cautious", "likely", "hopeful")
    }
    assert placed == {"cautious": 1, "likely": 2, "hopeful": 2}


def test_pools_that_are_split_or_chosen_can_be_widened():
    for split in (True, False):
        water = Resource("water", "t", [3.0, 3.0], [[True, True]], [2.0, 3.0], split=split)
        more = [Opening("well", 1.0, adds={"water": {0: 1.0}})]
        plan = solve(Problem([[5.0], [5.0]], [water], openings=more))
        assert (plan.site.tolist(), plan.opened, plan.objective, plan.violations) == ([0, 0], (0,), 9.0, ())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"openings": ["park"]}, "not_an_opening"),
        ({"openings": [Opening("a", 1, sites=[1]), Opening("a", 1, sites=[0])]}, "opening_twice"),
        ({"openings": [Opening("a", -1.0, sites=[1])]}, "opening_cost"),
        ({"openings": [Opening("a", np.nan, sites=[1])]}, "opening_cost"),
        ({"openings": [Opening("a", 1, sites=[2])]}, "no_such_site"),
        ({"openings": [Opening("a", 1, sites=[1]), Opening("b", 1, sites=[1])]}, "site_in_two_openings"),
        ({"openings": [Opening("a", 1, adds={"power": 3})]}, "opening_adds"),
        ({"openings": [Opening("a", 1, adds={"steam": {0: 1}})]}, "opening_no_resource"),
        ({"openings": [Opening("a", 1, adds={"power": {1: 1}})]}, "opening_no_pool"),
        ({"openings": [Opening("a", 1, adds={"power": {0: 0}})]}, "opening_amount"),
        ({"openings": [Opening("a", 1, adds={"power": {0: (3, 2, 1)}})]}, "opening_amount"),
        ({"openings": [Opening("a", 1)]}, "opening_for_nobody"),
        ({"openings": [Opening("a", 1, sites=[1])], "forbidden": [(0, 1), (1, 1)]}, "opening_for_nobody"),
        ({"at_most": [2]}, "not_a_limit"),
        ({"at_most": [AtMost(0)]}, "at_most_none"),
        ({"at_most": [AtMost(1.5)]}, "at_most_none"),
        ({"at_most": [AtMost(3)]}, "at_most_above"),
        ({"at_most": [AtMost(1, sites=[0])]}, "at_most_of_one"),
        ({"at_most": [AtMost(1, sites=[0, 5])]}, "no_such_site"),
        ({"at_most": [AtMost(1, openings=[0, 5])]}, "no_such_opening"),
        ({"at_most": [AtMost(1)], "locked": {0: 0, 1: 1}}, "locks_beyond_limit"),
        ({"at_most": [AtMost(1, sites=[0], openings=[0])], "locked": {0: 0, 1: 1}}, "locks_beyond_limit"),
    ],
)
def test_what_cannot_be_is_named_before_anything_is_solved(changes, code):
    assert codes(lambda: park(**changes)) == f"matching.{code}"


def test_locks_open_what_they_need():
    plan = solve(park(locked={0: 1}))
    assert (plan.site.tolist(), 0 in plan.opened, plan.violations) == ([1, 0], True, ())
    plan = solve(park(locked={0: 0, 1: 0}))
    assert plan.opened == (1,)
    assert codes(lambda: park(locked={0: 0, 1: 0}, openings=[Opening("park", 2.0, sites=[1])])) == (
        "matching.locks_overdraw"
    )


def test_minima_beyond_a_limit_are_refused():
    both = group_limits("count", [0, 1], projects=2, minimum=[1, 1])
    problem = Problem([[1.0, 1.0], [1.0, 1.0]], [both], at_most=[AtMost(1)])
    assert codes(lambda: solve(problem)) == "matching.minima_beyond_limits"


def test_verify_finds_what_breaks_openings_and_limits():
    problem = park(at_most=[AtMost(1), AtMost(1, openings=[0, 1])])
    plan = solve(problem)

    def kinds(**changes):
        return {one.kind for one in verify(problem, dataclasses.replace(plan, **changes))}

    assert kinds() == set()
    assert "capacity" in kinds(opened=())
    assert "opening" in kinds(site=np.array([1, 1]))
    assert "opening" in kinds(opened=(1, 7))
    assert kinds(opened=(0, 1)) == {"at_most", "objective"}
    assert "at_most" in kinds(site=np.array([0, 1]), opened=(0,))
    assert "objective" in kinds(objective=plan.objective + 1)
    assert {one.kind for one in verify(problem, np.array([0, 1]))} == {"at_most"}


def test_names_of_plans_do_not_change_without_openings():
    plan = solve(park(openings=()))
    assert dataclasses.replace(plan, opened=(0,)).sha256 != plan.sha256
    assert plan.opened == ()


@pytest.mark.parametrize("times", [1e-9, 1e9])
def test_units_change_neither_the_plan_nor_what_is_opened(times):
    power = Resource("power", "MVA", [3.0 * times, 3.0 * times], [0, -1], [4.0 * times])
    short = [Opening("transformer", 1.0, adds={"power": {0: 1.9 * times}})]
    enough = [Opening("transformer", 1.0, adds={"power": {0: 2.0 * times}})]
    for openings, site in ((short, [0, -1]), (enough, [0, 0])):
        plan = solve(Problem([[10.0, np.nan], [9.0, np.nan]], [power], bonus=5.0, openings=openings))
        assert (plan.site.tolist(), plan.violations) == (site, ())


def test_what_an_opening_is_worth_by_solving_again():
    one, other = opening_values(park(), solve(park()))
    assert (other.is_opened, other.worth) == (True, 8.0)  # 15 + 15, or 15 and the park for 9 - 2
    assert (one.is_opened, one.worth) == (False, 0.0)
    (alone,) = opening_values(*(lambda p: (p, solve(p)))(park(openings=[Opening("park", 2.0, sites=[1])])))
    assert (alone.is_opened, alone.worth) == (True, 9.0)


@pytest.mark.slow
def test_the_gap_asked_for_is_reached_where_the_plan_in_hand_cost_much_more(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    from matching_instances import instance

    plan = solve(instance("h", 50, 16, 2), mip_gap=0.01)
    assert (plan.status, plan.ended, plan.violations) == ("optimal", "proof", ())
    assert plan.gap <= 0.01
