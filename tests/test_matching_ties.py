"""Plans of problems in which much is alike: nobody stays out who fits as it is."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, group_limits, segment_cap, solve, verify
from geo_cluster.matching.engine.alike import merged
from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.verify import objective, usage
from tests.test_matching_solve import best_worth

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def fits_as_it_is(problem, plan):
    """Projects left out that could be put somewhere, at a gain, while all others stay: by `verify`'s own sums."""
    found, left = [], []
    for resource in problem.resources:
        if not resource.several:
            room = np.append(resource.capacity * (1 + 1e-7) - usage(resource, plan.site), np.inf)
            left.append((resource, room[resource.pool]))
    for p in np.flatnonzero(plan.site < 0):
        may = problem.eligible[p] & np.logical_and.reduce([each.demand[p] <= room for each, room in left])
        for s in np.flatnonzero(may):
            site = plan.site.copy()
            site[p] = s
            if objective(problem, site) > plan.objective and not verify(problem, site):
                found.append((int(p), int(s)))
                break
    return found


def alike(projects, sites, *, takes=1, room=1):
    demand = np.full(projects, 10.0 * takes)
    return Problem(
        np.full((projects, sites), 70.0),
        [Resource("land", "mu", demand, np.arange(sites), np.full(sites, 10.0 * room))],
        bonus=50.0,
    )


def parks(projects, parcels, *, noise=0.0, seed=0):
    """Three parks of parcels that are all alike; those of a park share its power."""
    rng = np.random.default_rng(seed)
    park, sites = np.repeat(np.arange(3), parcels), 3 * parcels
    land, power = rng.integers(10, 60, projects).astype(float), np.round(rng.lognormal(1, 0.6, projects), 1)
    score = np.round(rng.uniform(40, 90, (projects, 3)), 1)[:, park] + noise * rng.random((projects, sites))
    resources = [
        Resource("land", "mu", land, np.arange(sites), np.full(sites, max(1.2 * land.sum() / sites, 60.0))),
        Resource("power", "MVA", power, park, np.full(3, 0.95 * power.sum() / 3)),
    ]
    return Problem(score, resources, bonus=50.0)


@pytest.mark.parametrize("limit", [0.0, 0.05, 10.0])
@pytest.mark.parametrize(("projects", "sites", "most"), [(100, 100, 100), (150, 100, 100), (60, 120, 60)])
def test_alike_projects_fill_alike_sites(projects, sites, most, limit):
    plan = solve(alike(projects, sites), time_limit_s=limit)
    assert np.count_nonzero(plan.site >= 0) == most
    assert not plan.violations
    assert plan.status == "optimal" or limit < 10


def test_sites_that_hold_two_and_a_half_alike_projects_hold_two():
    plan = solve(alike(80, 30, takes=4, room=10), time_limit_s=20)
    assert np.count_nonzero(plan.site >= 0) == 60
    assert plan.status == "optimal"


@pytest.mark.parametrize("noise", [0.0, 1e-6, 0.1])
@pytest.mark.parametrize("limit", [0.0, 0.5])
def test_parcels_of_a_park_are_used_whatever_ties(noise, limit):
    problem = parks(120, 40, noise=noise)
    plan = solve(problem, time_limit_s=limit)
    assert not plan.violations
    assert fits_as_it_is(problem, plan) == []


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_three_parks_of_a_hundred_parcels(noise):
    """With 40 alike options a project, 465 of 1000 were placed and 403 of the others fitted."""
    problem = parks(1000, 100, noise=noise)
    plan = solve(problem, time_limit_s=2)
    assert not plan.violations
    assert np.count_nonzero(plan.site >= 0) > 900
    assert fits_as_it_is(problem, plan) == []


@st.composite
def tied(draw):
    """Few levels of score, of demand and of capacity, with every rule there is."""
    projects, sites = draw(st.integers(2, 9)), draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    score = rng.choice([0.0, 50.0, 50.0, 70.0], (projects, sites))
    score[rng.random(score.shape) < 0.1] = np.nan
    score[0, 0] = 50.0
    unit = draw(st.sampled_from([1.0, 1e-9, 3.7e5]))
    resources = [
        Resource(
            "land", "mu", rng.choice([1, 2], projects) * unit, np.arange(sites), rng.choice([1, 2, 3], sites) * unit
        )
    ]
    if draw(st.booleans()):
        resources.append(
            Resource("power", "MVA", rng.choice([0, 1, 2], projects), np.arange(sites) // 2, np.full(4, 3.0))
        )
    if draw(st.booleans()):
        reach = rng.random((sites, 2)) < 0.7
        resources.append(
            Resource("gas", "m3", rng.choice([1, 2], projects), reach, [3.0, 4.0], split=draw(st.booleans()))
        )
    if draw(st.booleans()):
        resources.append(segment_cap("diode", rng.random(projects) < 0.5, np.zeros(sites, int), [2]))
    if draw(st.booleans()):
        resources.append(group_limits("city", np.zeros(sites, int), projects=projects, maximum=[projects - 1]))
    forbidden = [(1, 0)] if draw(st.booleans()) else None
    locked = {0: 0} if draw(st.booleans()) else None
    links = [Link(0, 1, gain=5.0)] if draw(st.booleans()) else []
    bonus = draw(st.sampled_from([0.0, 50.0, 1e6, None]))
    try:
        return Problem(score, resources, bonus=bonus, forbidden=forbidden, locked=locked, links=links, supposed=True)
    except InputError:  # locks that no pool holds
        reject()


@settings(max_examples=60, deadline=None)
@given(tied(), st.sampled_from([0.0, 0.01, 30.0]))
def test_nobody_stays_out_who_fits_as_it_is(problem, limit):
    try:
        plan = solve(problem, time_limit_s=limit)
    except InputError:  # locks that no choice of pools holds
        return
    assert not plan.violations
    assert fits_as_it_is(problem, plan) == []


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 2]), st.booleans())
def test_alike_sites_as_one_with_a_count_lose_nothing(seed, most, shared):
    """Against all plans: sites of two kinds that hold one or two of any, with and without a pool that they share."""
    rng = np.random.default_rng(seed)
    projects, sites = 4, 3
    kind = rng.integers(0, 2, sites)
    score = rng.integers(1, 9, (projects, 2)).astype(float)[:, kind]
    score[rng.random((projects, 2))[:, kind] < 0.2] = np.nan
    score[0, 0] = 1.0
    land = Resource(
        "land", "mu", rng.choice([5, 6], projects), np.arange(sites), rng.choice([6 * most, 6 * most + 3], sites)
    )
    power = Resource("power", "MVA", rng.choice([1, 2, 3], projects), kind, [4.0, 5.0])
    problem = Problem(score, [land, power] if shared else [land], bonus=float(rng.choice([0, 5])))
    plan = solve(problem)
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(best_worth(problem))
    assert solve(problem, start=plan.site, time_limit_s=0).objective == plan.objective


def test_parcels_of_a_park_become_places_of_one_kind():
    problem = parks(60, 20)
    land = Resource("land", "mu", np.random.default_rng(1).integers(35, 60, 60), np.arange(60), np.full(60, 60.0))
    one = merged(presolve(problem.but(resources=(land, problem.resources[1]))))
    assert one.model.value.shape == (60, 3)
    assert [len(slots) for slots in one.slots] == [20, 20, 20]
    places = next(draw for draw in one.model.draws if draw.is_own)
    assert places.capacity.tolist() == [20, 20, 20]
    option = np.full(60, -1)
    option[:20] = 1
    assert sorted(one.original(option)[:20]) == list(range(20, 40))
    wide = replace(land, capacity=np.full(60, 100.0))  # two of some, three of none, one of others: no count
    assert merged(presolve(problem.but(resources=(wide, problem.resources[1])))).model.value.shape == (60, 60)


@pytest.mark.slow
def test_the_limit_holds_where_everything_is_alike():
    problem = alike(2000, 2000)
    begun = time.monotonic()
    plan = solve(problem, time_limit_s=3)
    assert np.count_nonzero(plan.site >= 0) == 2000
    assert time.monotonic() - begun < 30  # on any machine


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**31),
    st.sampled_from([0.0, 1e-9, 1e-6]),
    st.lists(st.floats(-12, 12), min_size=3, max_size=3),
    st.sampled_from([0.0, 0.2]),
    st.booleans(),
)
def test_ties_of_projects_sites_and_pools_in_any_units(seed, noise, units, limit, kinds):
    """Two kinds of project on parcels of two sizes in parks whose pools tie, and each resource in a unit of its own."""
    rng = np.random.default_rng(seed)
    projects, sites = int(rng.integers(5, 90)), int(rng.integers(3, 60))
    kind, park = rng.integers(0, 2, projects), rng.integers(0, 3, sites)
    score = rng.choice([40.0, 70.0], (2, 3))[kind][:, park] + noise * rng.random((projects, sites))
    takes = np.array([[2.0, 3.0], [1.0, 2.0], [1.0, 0.0 if kinds else 1.0]])
    rooms = [rng.choice([3.0, 5.0], sites), np.full(3, projects / 2), np.full(2, projects / 3)]
    pools = [np.arange(sites), park, np.minimum(park, 1)]
    names = (("land", "mu"), ("power", "MVA"), ("water", "m3"))
    resources = [
        Resource(*name, take[kind] * 10**unit, pool, room * 10**unit)
        for name, take, pool, room, unit in zip(names, takes, pools, rooms, units, strict=True)
    ]
    problem = Problem(score, resources, bonus=None if kinds else 50.0, supposed=True)
    plan = solve(problem, time_limit_s=limit)
    assert not plan.violations
    assert fits_as_it_is(problem, plan) == []
