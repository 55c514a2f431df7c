"""A plan recomputed from the tables by code that knows no solver.

Whatever `solve` claims is checked here again: eligibility, locks, minima, capacities, the objective, and that
the bound lies on the right side of it. Nothing in this file imports an optimiser.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.matching.arguments import as_array, integer_faults, number_faults, numbers
from geo_cluster.matching.plan import Assignment, Violation
from geo_cluster.matching.problem import Problem, plan_faults, plan_of
from geo_cluster.matching.resource import LEVELS, UNPLACED, Bools, Floats, Ints, Resource
from geo_cluster.world import triangular

TOLERANCE = 1e-7  # of the capacity, whatever its unit: the rounding of sums, not a margin
_MOST_STATES = 20_000  # of a search for pools that could hold a plan


def verify(problem: Problem, plan: Assignment | ArrayLike) -> tuple[Violation, ...]:
    """Everything that is wrong with a plan; empty when it keeps its promises.

    Parameters
    ----------
    problem : Problem
        The tables.
    plan : Assignment or (P,) int array
        The plan; of an `Assignment` the claimed objective and bound are checked too.
    """
    claimed = hasattr(plan, "objective")
    site = as_array(plan.site if claimed else plan)  # type: ignore[union-attr]
    projects, sites = problem.shape
    if site.shape != (projects,) or site.dtype.kind not in "iu":
        return tuple(Violation("site", 1.0, fault) for fault in plan_faults(problem, site, "plan"))
    is_outside = (site < UNPLACED) | (site >= sites)
    outside = np.flatnonzero(is_outside)
    found = [
        Violation("site", 1.0, fault, project=int(p))
        for p, fault in zip(outside, plan_faults(problem, site, "plan"), strict=True)
    ]
    site = np.where(is_outside, UNPLACED, site).astype(np.intp)
    found += _pair_violations(problem, site) + _parts_violations(problem, site)
    chosen, opened = getattr(plan, "pools", {}), _opened(problem, site, plan)
    found += _opening_violations(problem, site, opened) + _limit_violations(problem, site, opened)
    for resource in _resources(problem, opened):
        if not resource.several:
            found += _pool_violations(problem, resource, site, resource.pool[site])
        elif resource.split:
            found += _split_violations(problem, resource, site)
        else:
            pool = chosen.get(resource.name)
            found += _choice_violations(
                problem, resource, site, _choose(problem, resource, site) if pool is None else pool
            )
    if claimed and not outside.size:
        found += _claim_violations(problem, site, plan, opened)
    return tuple(found)


def objective(problem: Problem, site: Ints, opened: Collection[int] = ()) -> float:
    """Objective value of a plan: score and bonus of placed projects, and what links earn, less what openings cost.

    Parameters
    ----------
    problem : Problem
    site : (P,) int array
        Site of each project, -1 where unplaced. Ineligible pairs count nothing.
    opened : collection of int
        Numbers of the openings that are opened.
    """
    return float(score_of(problem, site, opened) + problem.bonus[site != UNPLACED].sum())


def score_of(problem: Problem, site: Ints, opened: Collection[int] = ()) -> float:
    """What a plan earns besides bonuses: scores of placed projects, and what links earn, less what openings cost.

    Parameters
    ----------
    problem : Problem
    site : (P,) int array
        Site of each project, -1 where unplaced. Ineligible pairs count nothing.
    opened : collection of int
        Numbers of the openings that are opened.
    """
    placed = np.flatnonzero(site != UNPLACED)
    earned = float(np.nan_to_num(problem.score[placed, site[placed]]).sum())
    earned += sum(link.gain for link in problem.links if _close(link, site))
    return earned - (problem.paid + sum(float(problem.openings[o].cost) for o in opened))


def _close(link: Any, site: Ints) -> bool:
    first, second = site[link.first], site[link.second]
    if first == UNPLACED or second == UNPLACED:
        return False
    return bool(first == second if link.near is None else link.near[first, second])


def usage(resource: Resource, site: Ints, pool: Ints | None = None) -> Floats:
    """What a plan draws from each pool of a resource.

    Parameters
    ----------
    resource : Resource
    site : (P,) int array
        The plan.
    pool : (P,) int array, optional
        The pool each project draws on, needed when sites may draw on several.

    Returns
    -------
    (K,) array
    """
    placed = np.flatnonzero(site != UNPLACED)
    pool = resource.pool[site[placed]] if pool is None else pool[placed]
    demand = _demand(resource, site)[placed]
    return np.bincount(pool[pool >= 0], weights=demand[pool >= 0], minlength=len(resource.capacity)).astype(float)


def _demand(resource: Resource, site: Ints) -> Floats:
    """(P,): what each project takes where it is, 0 when unplaced."""
    demand = resource.demand if resource.demand.ndim == 1 else resource.demand[np.arange(len(site)), site]
    return np.where(site == UNPLACED, 0.0, demand)


def _pair_violations(problem: Problem, site: Ints) -> list[Violation]:
    found = []
    for p in np.flatnonzero(site != UNPLACED):
        name, at = problem.project_name(p), problem.site_name(site[p])
        if np.isnan(problem.score[p, site[p]]):
            found.append(Violation("eligibility", 1.0, Fault("matching.not_eligible", name, site=at), project=int(p)))
        elif problem.forbidden is not None and problem.forbidden[p, site[p]]:
            found.append(Violation("forbidden", 1.0, Fault("matching.is_forbidden", name, site=at), project=int(p)))
    for p in np.flatnonzero((problem.locked != UNPLACED) & (problem.locked != site)):
        at = problem.site_name(problem.locked[p])
        fault = Fault("matching.lock_broken", problem.project_name(p), site=at)
        found.append(Violation("lock", 1.0, fault, project=int(p)))
    return found


def _parts_violations(problem: Problem, site: Ints) -> list[Violation]:
    """Parts that are placed without those they need, or on too many sites."""
    found = []
    for number, one in enumerate(problem.parts, start=1):
        place, placed = Place(str(number), kind="parts"), [p for p in one.projects if site[p] >= 0]
        without = [p for p in one.projects if site[p] < 0]
        if one.order == "in_order":  # who is out while a later one is in
            without = [p for i, p in enumerate(one.projects) if site[p] < 0 and set(one.projects[i:]) & set(placed)]
        if placed and without:
            names = {"placed": [*map(problem.project_name, placed)], "out": [*map(problem.project_name, without)]}
            found.append(Violation("parts", float(len(without)), Fault("matching.parts_missing", place, **names)))
        sites = sorted({int(site[p]) for p in placed})
        if one.most_sites is not None and len(sites) > one.most_sites:
            values = {"most": int(one.most_sites), "names": [*map(problem.site_name, sites)]}
            beyond = float(len(sites) - one.most_sites)
            found.append(Violation("parts", beyond, Fault("matching.parts_apart", place, **values)))
    return found


def _opened(problem: Problem, site: Ints, plan: Any) -> tuple[int, ...]:
    """Numbers of the openings a plan opens; of a plan that doesn't say, the cheapest that let it stand, if found."""
    if hasattr(plan, "objective"):
        return tuple(int(o) for o in plan.opened)
    used = set(site[site != UNPLACED].tolist())
    needed = [o for o, one in enumerate(problem.openings) if used & set(one.sites)]
    others = [o for o, one in enumerate(problem.openings) if o not in needed and one.adds]
    # cost of those beside the needed, up to which others may join, and which they are
    tried: list[tuple[float, int, tuple[int, ...]]] = [(0.0, len(others), ())]
    for _ in range(_MOST_STATES if others else 0):
        if not tried:
            break
        cost, first, more = heapq.heappop(tried)
        opened = (*needed, *more)
        if not _limit_violations(problem, site, opened) and _stands(problem, site, opened):
            return tuple(sorted(opened))
        for at in range(first):
            one = others[at]
            heapq.heappush(tried, (cost + float(problem.openings[one].cost), at, (*more, one)))
    return tuple(needed)


def _stands(problem: Problem, site: Ints, opened: Collection[int]) -> bool:
    """Whether pools hold a plan with some openings."""
    for resource in _resources(problem, opened):
        if not resource.several:
            broken = bool(_pool_violations(problem, resource, site, resource.pool[site]))
        elif resource.split:
            broken = bool(_split_violations(problem, resource, site))
        else:
            broken = bool(_choice_violations(problem, resource, site, _choose(problem, resource, site)))
        if broken:
            return False
    return True


def _resources(problem: Problem, opened: Collection[int]) -> Iterator[Resource]:
    """Resources at the planning level with what openings add to their pools."""
    end = LEVELS.index(problem.level)
    for resource in problem.resources:
        capacity = np.array(resource.at(problem.level), dtype=float)
        for one in (problem.openings[o] for o in opened if 0 <= o < len(problem.openings)):
            for k, amount in one.adds.get(resource.name, {}).items():
                capacity[k] += np.ravel(amount)[end if np.ndim(amount) else 0]
        yield replace(resource, capacity=capacity) if opened else resource


def _opening_violations(problem: Problem, site: Ints, opened: Collection[int]) -> list[Violation]:
    """Openings that there aren't, or twice; projects at sites that aren't opened."""
    found = [
        Violation(
            "opening", 1.0, Fault("matching.no_such_opening", "opened", value=str(o), count=len(problem.openings))
        )
        for at, o in enumerate(opened)
        if not 0 <= o < len(problem.openings) or o in list(opened)[:at]
    ]
    for o, one in enumerate(problem.openings):
        for p in np.flatnonzero(np.isin(site, one.sites)) if one.sites and o not in opened else ():
            values = {"site": problem.site_name(site[p]), "opening": one.name}
            fault = Fault("matching.site_not_opened", problem.project_name(p), **values)
            found.append(Violation("opening", 1.0, fault, project=int(p)))
    return found


def _limit_violations(problem: Problem, site: Ints, opened: Collection[int]) -> list[Violation]:
    """More sites with projects, and openings, than there may be."""
    found, used = [], set(site[site != UNPLACED].tolist())
    for number, limit in enumerate(problem.at_most, start=1):
        sites, openings = sorted(used & set(limit.sites)), sorted(set(opened) & set(limit.openings))
        beyond = len(sites) + len(openings) - limit.most
        if beyond > 0:
            names = [*map(problem.site_name, sites), *(problem.openings[o].name for o in openings)]
            fault = Fault("matching.beyond_limit", Place(str(number), kind="at_most"), most=limit.most, names=names)
            found.append(Violation("at_most", float(beyond), fault))
    return found


def _slack(capacity: Floats) -> Floats:
    return TOLERANCE * np.abs(np.where(np.isfinite(capacity), capacity, 0.0))


def _pool_violations(problem: Problem, resource: Resource, site: Ints, pool: Ints) -> list[Violation]:
    used, capacity, found = usage(resource, site, pool), resource.at(problem.level), []
    for k in np.flatnonzero(used > capacity + _slack(capacity)):
        over, place = float(used[k] - capacity[k]), Place(resource.title, key=resource.pool_title(k))
        amounts = {"used": float(used[k]), "capacity": float(capacity[k]), "over": over, "unit": resource.unit_title}
        found.append(Violation("capacity", over, Fault("matching.overdrawn", place, **amounts), pool=int(k)))
    if resource.minimum is not None:
        for k in np.flatnonzero(used < resource.minimum - _slack(resource.minimum)):
            least = float(resource.minimum[k])
            short, place = float(least - used[k]), Place(resource.title, key=resource.pool_title(k))
            amounts = {"used": float(used[k]), "minimum": least, "short": short, "unit": resource.unit_title}
            found.append(Violation("minimum", short, Fault("matching.minimum_missed", place, **amounts), pool=int(k)))
    return found


def _choice_violations(problem: Problem, resource: Resource, site: Ints, pool: Ints | None) -> list[Violation]:
    """Projects that draw undivided on one of several pools."""
    if pool is None:
        return [Violation("capacity", 1.0, Fault("matching.no_choice_of_pools", Place(resource.title)))]
    found, must = [], (site != UNPLACED) & resource.pool[site].any(axis=1)
    wrong = must & ((pool < 0) | ~resource.pool[site, np.maximum(pool, 0)])
    for p in np.flatnonzero(wrong):
        at, name = problem.site_name(site[p]), problem.project_name(p)
        fault = Fault("matching.pool_not_reached", name, resource=resource.title, site=at)
        found.append(Violation("capacity", 1.0, fault, project=int(p)))
    return found + _pool_violations(problem, resource, site, pool)


def _choose(problem: Problem, resource: Resource, site: Ints) -> Ints | None:
    """A pool for each project within capacity, and if possible above the minima; None if none is found.

    Largest demands first, by depth-first search. Bin packing: there is none for certain where even splitting wouldn't
    help, and the search is given up in the end.
    """
    if _split_violations(problem, resource, site):
        return None
    capacity, least = resource.at(problem.level), np.zeros(len(resource.capacity))
    chosen = None
    if resource.minimum is not None:
        chosen = _fill(resource, site, capacity + _slack(capacity), resource.minimum - _slack(resource.minimum))
    return _fill(resource, site, capacity + _slack(capacity), least) if chosen is None else chosen


def _fill(resource: Resource, site: Ints, room: Floats, least: Floats) -> Ints | None:
    """A pool for each project so that each pool's sum is between `least` and `room`, both (K,)."""
    demand, pool = _demand(resource, site), np.full(len(site), UNPLACED, dtype=np.intp)
    must = np.flatnonzero((site != UNPLACED) & resource.pool[site].any(axis=1))
    order = must[np.argsort(-demand[must], kind="stable")]
    dead: set[tuple[int, bytes]] = set()
    unit = float(demand.max(initial=0.0)) or 1.0

    def choices(i: int, used: Floats) -> Iterator[int]:
        return iter(np.flatnonzero(resource.pool[site[order[i]]] & (used + demand[order[i]] <= room)))

    sums = [np.zeros(len(room))]  # before each project that is being placed
    if not len(order):
        return pool if (sums[0] >= least).all() else None
    open_choices = [choices(0, sums[0])]
    while open_choices:
        i, used = len(open_choices) - 1, sums[-1]
        k = next(open_choices[-1], None)
        if k is None:
            dead.add((i, np.round(used / unit, 9).tobytes()))
            open_choices.pop()
            sums.pop()
            continue
        pool[order[i]], more = k, used.copy()
        more[k] += demand[order[i]]
        if i + 1 < len(order):
            if len(dead) <= _MOST_STATES and (i + 1, np.round(more / unit, 9).tobytes()) not in dead:
                open_choices.append(choices(i + 1, more))
                sums.append(more)
        elif (more >= least).all():
            return pool
    return None


def _split_violations(problem: Problem, resource: Resource, site: Ints) -> list[Violation]:
    """Demand of sites that can be split over pools: what no flow from sites to pools can serve (Ford & Fulkerson)."""
    demand, capacity = _demand(resource, site), resource.at(problem.level)
    reach, number = np.unique(resource.pool, axis=0, return_inverse=True)
    placed = site != UNPLACED
    need = np.bincount(number.ravel()[site[placed]], weights=demand[placed], minlength=len(reach)).astype(float)
    need[~reach.any(axis=1)] = 0.0
    flow, room, rounding = np.zeros(reach.shape), capacity.astype(float).copy(), 1e-12 * need
    slack = reach @ _slack(capacity)
    for group in range(len(reach)):
        while need[group] > rounding[group]:
            path = _augment(group, reach, flow, room)
            if path is None:
                break
            back = [flow[g, k] for (_, k), (g, _) in pairwise(path)]
            amount = min(need[group], room[path[-1][1]], *back)
            for i, (g, k) in enumerate(path):
                flow[g, k] += amount
                if i + 1 < len(path):
                    flow[path[i + 1][0], k] -= amount
            room[path[-1][1]] -= amount
            need[group] -= amount
    if (need <= np.maximum(slack, rounding)).all():
        return []
    short = float(need.sum())
    fault = Fault("matching.split_overdrawn", Place(resource.title), over=short, unit=resource.unit_title)
    return [Violation("capacity", short, fault)]


def _augment(group: int, reach: Bools, flow: Floats, room: Floats) -> list[tuple[int, int]] | None:
    """A path of (group, pool) steps along which more can flow: each pool but the last hands on another group's."""
    seen = set(np.flatnonzero(reach[group]).tolist())
    paths = [[(group, k)] for k in sorted(seen)]
    while paths:
        path = paths.pop(0)
        k = path[-1][1]
        if room[k] > 0:
            return path
        for g in np.flatnonzero(flow[:, k] > 0):
            for other in np.flatnonzero(reach[g]):
                if other not in seen:
                    seen.add(int(other))
                    paths.append([*path, (int(g), int(other))])
    return None


def _size(problem: Problem, site: Ints) -> float:
    """What the terms of the objective value add up to without their signs."""
    placed = np.flatnonzero(site != UNPLACED)
    terms = np.abs(np.nan_to_num(problem.score[placed, site[placed]])) + np.abs(problem.bonus[placed])
    return float(terms.sum() + sum(link.gain for link in problem.links))


def _claim_violations(problem: Problem, site: Ints, plan: Any, opened: Collection[int]) -> list[Violation]:
    if any(not 0 <= o < len(problem.openings) for o in opened):
        return []
    value, found = objective(problem, site, opened), []
    slack = TOLERANCE * (_size(problem, site) + sum(float(problem.openings[o].cost) for o in opened) + problem.paid)
    if not abs(value - plan.objective) <= slack:
        fault = Fault("matching.objective_wrong", "objective", claimed=float(plan.objective), value=value)
        found.append(Violation("objective", abs(value - plan.objective), fault))
    if not plan.bound >= value - slack:
        fault = Fault("matching.bound_wrong", "bound", claimed=float(plan.bound), value=value)
        found.append(Violation("bound", float(value - plan.bound), fault))
    return found


@dataclass(frozen=True)
class PoolRisk:
    """How often one pool breaks.

    Attributes
    ----------
    resource, pool : str
    index : int
        Number of the pool.
    breaks : float
        Share of the draws in which the plan takes more than it has.
    first : float
        Share of the draws in which it is the one that is over by the largest share of its capacity.
    over : float
        Mean excess when it breaks, in the resource's unit.
    """

    resource: str
    pool: str
    index: int
    breaks: float
    first: float
    over: float


@dataclass(frozen=True)
class FeasibleShare:
    """In which share of the draws a plan is feasible, and the pools that break, the first one first.

    Attributes
    ----------
    share : float
        0 … 1.
    pools : tuple of PoolRisk
    """

    share: float
    pools: tuple[PoolRisk, ...]


def feasible_share(
    problem: Problem,
    plan: Assignment | ArrayLike,
    *,
    capacity: Mapping[str, ArrayLike] | None = None,
    demand: Mapping[str, ArrayLike] | None = None,
    count: int = 1000,
    seed: int = 0,
) -> FeasibleShare:
    """How often a plan is feasible when capacities and demands are drawn.

    Parameters
    ----------
    problem : Problem
    plan : Assignment or (P,) int array
    capacity : mapping of resource name to (D, K) array, optional
        Draws. Where left out, capacities given as low, likely, high are drawn from the triangular distribution,
        independent of each other.
    demand : mapping of resource name to (D, P) array, optional
        Draws of what each project takes.
    count, seed : int
        How many draws to make where none are given, and from where.

    Raises
    ------
    InputError
        On a plan of another shape or with sites that there aren't, and on draws that are none: of a resource that
        there isn't, of another shape, with gaps.

    Notes
    -----
    Where sites split demand over several pools, these are taken together.
    """
    site = plan_of(problem, plan.site if hasattr(plan, "site") else plan, "plan")
    problem = problem.settled(_opened(problem, site, plan))
    capacity = _draws(problem, "capacity", capacity or {})
    demand = _draws(problem, "demand", demand or {})
    refuse_if(integer_faults(count=count, least=1) + integer_faults(seed=seed, least=0))
    random = np.random.default_rng(seed)
    count = min((len(each) for each in [*capacity.values(), *demand.values()]), default=count)
    rows: list[tuple[Resource, int]] = []
    excess: list[Floats] = []
    amounts: list[Floats] = []
    for resource in problem.resources:
        room = capacity[resource.name][:count] if resource.name in capacity else _draw(resource, count, random)
        pool = resource.pool[site] if not resource.several else getattr(plan, "pools", {}).get(resource.name)
        if pool is None:
            pool = np.where(resource.pool[site].any(axis=1), 0, UNPLACED)
            room = room[:, resource.pool[site[site != UNPLACED]].any(axis=0)].sum(axis=1, keepdims=True)
        pool = np.where(site == UNPLACED, UNPLACED, pool)
        member = (pool[:, None] == np.arange(room.shape[1])).astype(float)
        each = demand[resource.name][:count] if resource.name in demand else _demand(resource, site)[None, :]
        beyond = each @ member - room
        beyond = np.where(beyond > TOLERANCE * room, beyond, 0.0)
        rows += [(resource, k) for k in range(room.shape[1])]
        amounts.append(beyond)
        excess.append(np.where(room > 0, beyond / np.where(room > 0, room, 1.0), np.where(beyond > 0, np.inf, 0.0)))
    if not rows:
        return FeasibleShare(1.0, ())
    share, amount = np.concatenate(excess, axis=1), np.concatenate(amounts, axis=1)
    broken, worst = share > 0, share.argmax(axis=1)
    pools = []
    for column in np.flatnonzero(broken.any(axis=0)):
        resource, k = rows[column]
        first = float(np.mean((worst == column) & broken.any(axis=1)))
        over_mean = float(amount[broken[:, column], column].mean())
        pools.append(
            PoolRisk(resource.name, resource.pool_name(k), k, float(broken[:, column].mean()), first, over_mean)
        )
    return FeasibleShare(
        float(np.mean(~broken.any(axis=1))), tuple(sorted(pools, key=lambda row: (-row.first, -row.breaks)))
    )


def _draws(problem: Problem, name: str, draws: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Draws by name of the resource, (D, K) of capacity or (D, P) of demand; what can't be that is refused."""
    widths = {each.name: len(each.capacity) if name == "capacity" else problem.shape[0] for each in problem.resources}
    found, faults = {resource: numbers(each) for resource, each in draws.items()}, []
    for resource, each in found.items():
        place = Place(name, key=str(resource))
        if resource not in widths:
            faults.append(Fault("matching.no_such_resource", place, names=list(widths)))
        elif wrong := number_faults(each, place):
            faults += wrong
        elif each.ndim != 2 or each.shape[1] != widths[resource] or not len(each):
            faults.append(Fault("matching.draws_shape", place, shape=str(each.shape), width=widths[resource]))
        elif np.isnan(each).any():
            faults.append(Fault("matching.draws_unknown", place))
    refuse_if(faults)
    return found


def _draw(resource: Resource, count: int, random: np.random.Generator) -> Floats:
    """(D, K): triangular draws of capacities given as low, likely, high; the one number given otherwise."""
    if resource.capacity.ndim == 1:
        return np.broadcast_to(resource.capacity, (count, len(resource.capacity)))
    low, likely, high = resource.capacity.T
    drawn = triangular.quantiles(random.random((count, len(low))), low, likely, high)
    return np.where(high > low, drawn, likely)  # without end where there is no limit
