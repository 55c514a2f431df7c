"""Problems to measure `geo_cluster.matching` on.

Two families of our own, and the generalised-assignment types of the literature:

`random`    eligibility at random, every third resource tight: hard to prove
`region`    sites in prefectures on a plane, substations shared by neighbours, scores that fall with travel
`gap`       the OR-Library's gap1 … gap12 by their recipe (Chu & Beasley 1997): profits, nothing need be placed
`a` … `e`   Chu & Beasley (1997) types a-d and Laguna et al. (1995) type e, as costs with agents as pools,
            minimised without a price
`f`         single-source facility location, its facilities open: costs grow with distance and demand, and a
            customer takes the same from whichever serves it
`h`         the same with what opening a facility costs, all of them holding five times what is needed, by the recipe of
            Cornuéjols, Sridharan & Thizy (1991)
`m`         k-median: a tenth of the sites, each customer a site
"""

import warnings

import numpy as np
from matching_files import single_source

from geo_cluster.matching import AtMost, Problem, Resource

NAMES = (("land", "mu"), ("power", "MVA"), ("energy", "tce"))


def instance(family: str, projects: int, sites: int, seed: int) -> Problem:
    """One problem; a pool that no site came to draw on isn't worth a warning here."""
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        if family in FAMILIES:
            score, demand, pool, capacity = FAMILIES[family](projects, sites, rng)
            rows = zip(NAMES, demand, pool, capacity, strict=True)
            return Problem(score, [Resource(*name, d, p, c) for name, d, p, c in rows], bonus=50.0)
        if family == "gap":
            profit, weight = rng.integers(15, 26, (projects, sites)), rng.integers(5, 26, (projects, sites))
            room = np.floor(0.8 * weight.sum(axis=0) / sites)
            return Problem(profit, [Resource("hours", "h", weight, np.arange(sites), room)])
        if family == "h":
            return single_source(*location(projects, sites, rng))
        if family == "m":
            at = rng.uniform(0, 100, (projects, 2))
            cost = np.rint(np.linalg.norm(at[:, None] - at[None, :sites], axis=2))
            return Problem(-cost, [], bonus=None, at_most=[AtMost(sites // 10)])
        cost, weight, room = literature(family, projects, sites, rng)
        return Problem(-cost, [Resource("hours", "h", weight, np.arange(sites), room)], bonus=None)


def _shares(parts: np.ndarray, total: float, slack: float) -> np.ndarray:
    return parts * total * slack / parts.sum()


def random_family(projects: int, sites: int, rng: np.random.Generator) -> tuple:
    land = rng.integers(20, 300, projects).astype(float)
    power = np.round(rng.lognormal(1.2, 0.7, projects), 1)
    energy = np.round(power * rng.uniform(0.8, 2.2, projects), 1)
    substation = rng.integers(0, max(3, sites // 4), sites)
    prefecture = rng.integers(0, max(3, sites // 8), sites)
    score = np.round(rng.random((projects, sites)) * 100, 1)
    score[rng.random((projects, sites)) >= 0.45] = np.nan
    capacity = [
        _shares(rng.random(sites), land.sum(), 1.15),
        _shares(rng.random(substation.max() + 1), power.sum(), 0.85),
        _shares(rng.random(prefecture.max() + 1), energy.sum(), 0.85),
    ]
    return score, [land, power, energy], [np.arange(sites), substation, prefecture], capacity


def region_family(projects: int, sites: int, rng: np.random.Generator) -> tuple:
    prefectures = max(3, sites // 12)
    seat = rng.uniform(0, 500, (prefectures, 2))
    prefecture = rng.integers(0, prefectures, sites)
    at = seat[prefecture] + rng.normal(0, 25, (sites, 2))
    stations = max(3, sites // 3)
    station_at = at[rng.choice(sites, stations, replace=False)] + rng.normal(0, 4, (stations, 2))
    station = np.linalg.norm(at[:, None] - station_at[None], axis=2).argmin(axis=1)
    base = rng.uniform(150, 350, 2)
    minutes = np.linalg.norm(at - base, axis=1)
    output = rng.lognormal(1.0, 0.9, projects)
    land = np.round(output * rng.uniform(3.5, 15, projects), 1)
    power = np.round(output * rng.uniform(0.3, 3.5, projects), 2)
    energy = np.round(power * rng.uniform(300, 700, projects), 0)
    fit = rng.normal(0, 12, (projects, sites)) + rng.normal(0, 10, sites)[None]
    need = rng.uniform(0.05, 0.4, projects)
    score = np.clip(75 + fit - need[:, None] * minutes[None], 0, 100).round(1)
    score[minutes[None] > rng.choice([120, 240, 1000], projects)[:, None]] = np.nan
    capacity = [
        _shares(rng.lognormal(0, 1, sites), land.sum(), 1.1),
        _shares(rng.lognormal(0, 0.8, stations), power.sum(), 1.0),
        _shares(rng.lognormal(0, 0.5, prefectures), energy.sum(), 0.95),
    ]
    return score, [land, power, energy], [np.arange(sites), station, prefecture], capacity


def literature(kind: str, jobs: int, agents: int, rng: np.random.Generator) -> tuple:
    """Costs and weights (jobs × agents), and capacities."""
    if kind in "abc":
        weight, cost = rng.integers(5, 26, (jobs, agents)), rng.integers(10, 51, (jobs, agents))
        loose = np.full(agents, 9 * jobs / agents + 0.4 * 20)
        room = {"a": loose, "b": 0.7 * loose, "c": 0.8 * weight.sum(axis=0) / agents}[kind]
    elif kind == "d":
        weight = rng.integers(1, 101, (jobs, agents))
        cost, room = 111 - weight + rng.integers(-10, 11, (jobs, agents)), 0.8 * weight.sum(axis=0) / agents
    elif kind == "f":
        need, at, to = rng.integers(10, 51, jobs), rng.uniform(0, 100, (jobs, 2)), rng.uniform(0, 100, (agents, 2))
        weight = np.broadcast_to(need[:, None], (jobs, agents))
        cost = np.rint(np.linalg.norm(at[:, None] - to[None], axis=2) * need[:, None] / 10)
        room = np.maximum(rng.uniform(0.7, 1.3, agents) * need.sum() / agents * 1.15, need.max())
    else:
        weight = np.maximum(1, np.ceil(1 - 10 * np.log(rng.uniform(1e-4, 1, (jobs, agents)))))
        cost = np.ceil(1000 / weight - 10 * rng.uniform(0, 1, (jobs, agents)))
        room = np.maximum(0.8 * weight.sum(axis=0) / agents, weight.max())
    return cost.astype(float), weight.astype(float), np.floor(room)


def location(customers: int, sites: int, rng: np.random.Generator) -> tuple:
    """Costs (customers × sites), demands, capacities, and what it costs to open each site."""
    at, to = rng.random((customers, 2)), rng.random((sites, 2))
    need, room = rng.integers(5, 36, customers).astype(float), rng.integers(10, 161, sites).astype(float)
    cost = np.rint(10 * need[:, None] * np.linalg.norm(at[:, None] - to[None], axis=2))
    fixed = np.rint(rng.uniform(0, 90, sites) + rng.uniform(100, 110, sites) * np.sqrt(room))
    return cost, need, np.floor(5 * need.sum() * room / room.sum()), fixed


FAMILIES = {"random": random_family, "region": region_family}
