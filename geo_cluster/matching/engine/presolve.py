"""From the problem to the model: what is decided is taken out, what can't happen is dropped, rows are counted.

`presolve` turns every rule into three things: a table of values (project × option), draws on single pools, and links.
"""

from __future__ import annotations

import bisect
from dataclasses import replace

import numpy as np

from geo_cluster.errors import Fault, InputError
from geo_cluster.matching.engine.model import Draw, Model
from geo_cluster.matching.engine.steps import common_step
from geo_cluster.matching.problem import LOCKS, Link, Problem
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints, Resource

_MOST_OPTIONS = 64  # ways of choosing pools at one site, when several resources offer several
_MOST_SUBSETS = 4096  # groups of pools whose capacity binds together, when projects may be split
_NAMED, _FEW = 5, 30  # locks that a refusal names; and of which those are left out that aren't needed for it
_ROUNDING = 1e-9  # of each pool's capacity: what sums may be over by rounding; nothing is granted later
_HANDY = 1e4  # the largest demand on a resource, where demands have no common step
_MOST_NUMBERS = 1_000_000  # of which a common step is sought
_MOST_TRIES = 20_000  # ways of choosing pools for locked projects that are tried before the solver has to find out


def presolve(problem: Problem, *, whole: bool = False) -> Model:
    """The model of a problem, its openings aside.

    Parameters
    ----------
    problem : Problem
    whole : bool
        Keep pools that can't bind and options that others beat.

    Raises
    ------
    InputError
        When locked projects can't stand together on pools that they may choose.
    """
    site, pools = _options(problem)
    value = np.where(problem.eligible, problem.score + problem.bonus[:, None], -np.inf)[:, site]
    draws, owners = draws_of(problem, site, pools)
    for draw in draws:
        value[_above(draw)] = -np.inf
    everywhere = site[:, None] == site[None, :] if any(link.near is None for link in problem.links) else None
    links = tuple(
        replace(link, near=everywhere if link.near is None else np.asarray(link.near, dtype=bool)[np.ix_(site, site)])
        for link in problem.links
    )
    locked_at, must = _place_locked(problem, site, value, draws, owners)
    rows = np.flatnonzero(locked_at != UNPLACED)
    base = float((problem.score[rows, problem.locked[rows]] + problem.bonus[rows]).sum())
    draws = [
        replace(
            draw,
            capacity=np.maximum(draw.capacity - load, 0.0),
            minimum=np.where(draw.minimum > 0, np.maximum(draw.minimum - load, 0.0), 0.0),
        )
        for draw in draws
        for load in [draw.load(rows, locked_at[rows])]
    ]
    value[rows] = -np.inf
    links, earned = _settle(links, locked_at, value)
    for draw in draws:
        value[_above(draw)] = -np.inf
    if not links and not problem.parts and not any((draw.minimum > 0).any() for draw in draws):
        value[(value < 0) & ~must[:, None]] = -np.inf
    if not whole:
        draws = [slim for draw in draws if (slim := _binding(draw, value)) is not None]
    model = Model(value, tuple(draws), links, site, pools, locked_at, base + earned - problem.paid, must)
    if model.plain and not whole:
        _drop_dominated(model)
    return model


def draws_of(
    problem: Problem, site: Ints, pools: Ints, *, resources: tuple[Resource, ...] | None = None
) -> tuple[list[Draw], list[Resource]]:
    """What options draw on, in steps of each resource's demands, and whose each draw is.

    Parameters
    ----------
    problem : Problem
    site, pools : (S,) and (S, R) int arrays
        Of each option its site and pools.
    resources : tuple of Resource, optional
        Instead of the problem's, with other capacities.
    """
    draws: list[Draw] = []
    owners: list[Resource] = []  # whose each draw is
    for r, resource in enumerate(problem.resources if resources is None else resources):
        demand = resource.demand
        if demand.ndim == 2:  # what a project would take where it may not go doesn't count
            demand = np.where(problem.eligible, demand, 0.0)[:, site]
        capacity = resource.at(problem.level)
        minimum = np.zeros(len(capacity)) if resource.minimum is None else resource.minimum
        if resource.several and resource.split:
            shared = _shared(demand, resource.pool[site], capacity, resource)
        else:
            shared = [Draw(demand, pools[:, r], capacity, minimum)]
        draws += _in_own_unit(demand, shared)
        owners += [resource] * (len(draws) - len(owners))
    return draws, owners


def _in_own_unit(demand: Floats, draws: list[Draw]) -> list[Draw]:
    """Draws of one resource in steps of its demands, so that tolerances mean the same whatever it is counted in."""
    step = common_step(demand) if demand.size <= _MOST_NUMBERS else None
    unit = step or float(np.abs(demand[np.isfinite(demand)]).max(initial=0.0)) / _HANDY or 1.0
    demand = np.rint(demand / unit) if step else demand / unit
    return [
        Draw(demand, draw.pool, draw.capacity / unit * (1 + _ROUNDING), draw.minimum / unit * (1 - _ROUNDING))
        for draw in draws
    ]


def _above(draw: Draw) -> Bools:
    """(P, S): the project alone takes more than the pool has."""
    room = np.append(draw.capacity, np.inf)[draw.pool]
    return np.asarray((draw.demand[:, None] if draw.demand.ndim == 1 else draw.demand) > room)


def _options(problem: Problem) -> tuple[Ints, Ints]:
    """Sites, as often as there are ways to draw on the pools on offer; and those pools, one column a resource."""
    site = np.arange(problem.shape[1])
    pools = np.full((len(site), 0), UNPLACED)
    for resource in problem.resources:
        if not resource.several or resource.split:
            column = np.full(len(site), UNPLACED) if resource.several else resource.pool[site]
            pools = np.column_stack([pools, column])
            continue
        at = [np.flatnonzero(row) if row.any() else np.array([UNPLACED]) for row in resource.pool[site]]
        again = np.repeat(np.arange(len(site)), [len(choice) for choice in at])
        site, pools = site[again], np.column_stack([pools[again], np.concatenate(at)])
    ways = np.bincount(site)
    if ways.max() > _MOST_OPTIONS:
        s = int(ways.argmax())
        raise InputError(Fault("matching.too_many_choices", problem.site_name(s), count=int(ways[s])))
    return site, pools.astype(np.intp)


def _shared(demand: Floats, reach: Bools, capacity: Floats, resource: Resource) -> list[Draw]:
    """Draws that hold exactly when the demand of all sites can be split over the pools they reach.

    By Hall's condition (max-flow min-cut): for each set of pools, the sites that reach no other pool
    take no more than the set has. Unions of the sites' own sets are enough.
    """
    own = {frozenset(np.flatnonzero(row).tolist()) for row in reach if row.any()}
    sets = set(own)
    fresh = set(own)
    while fresh:
        fresh = {a | b for a in fresh for b in own if a & b} - sets
        sets |= fresh
        if len(sets) > _MOST_SUBSETS:
            raise InputError(Fault("matching.too_many_groups", resource.place, most=_MOST_SUBSETS))
    if resource.minimum is not None and (resource.minimum > 0).any():
        raise InputError(Fault("matching.minimum_on_split", resource.place))
    # sets without a common site share a draw
    taken, pool = np.zeros((len(sets), len(reach)), dtype=bool), np.full((len(sets), len(reach)), UNPLACED)
    rooms: list[list[float]] = []
    for pools in sorted(sets, key=lambda each: (len(each), sorted(each))):
        chosen = np.zeros(len(capacity), dtype=bool)
        chosen[list(pools)] = True
        inside = reach.any(axis=1) & ~(reach & ~chosen).any(axis=1)
        row = int((taken[:, inside].any(axis=1)).argmin())
        if row == len(rooms):
            rooms.append([])
        taken[row] |= inside
        pool[row, inside] = len(rooms[row])
        rooms[row].append(float(capacity[chosen].sum()))
    return [Draw(demand, pool[r], np.array(room), np.zeros(len(room))) for r, room in enumerate(rooms)]


def _place_locked(
    problem: Problem, site: Ints, value: Floats, draws: list[Draw], owners: list[Resource]
) -> tuple[Ints, Bools]:
    """The option of each locked project that has but one, -1 elsewhere; and who must still choose between pools.

    A depth-first search makes sure that all locked projects fit together, unless it takes too long: then that is for
    the solver to find out.
    """
    locked_at = np.full(problem.shape[0], UNPLACED, dtype=np.intp)
    locked = np.flatnonzero(problem.locked != UNPLACED)
    ways = {int(p): np.flatnonzero((site == problem.locked[p]) & np.isfinite(value[p])) for p in locked}
    free = [int(p) for p in locked if len(ways[int(p)]) != 1]
    for p in locked:
        if len(ways[int(p)]) == 1:
            locked_at[p] = ways[int(p)][0]

    if not _fit_together(locked_at, free, ways, draws):
        raise InputError(_lock_conflicts(problem, site, draws, owners))
    return locked_at, np.isin(np.arange(len(locked_at)), free)


def _fit_together(locked_at: Ints, free: list[int], ways: dict[int, Ints], draws: list[Draw]) -> bool:
    """Whether those who may still choose find pools beside those who are locked_at; True where that takes too long."""
    if not _may_fit(free, ways, draws):
        return False
    at, tried, depth = locked_at.copy(), [0] * len(free), 0

    def fits() -> bool:  # a pool without a known capacity is one that nobody draws on
        rows = np.flatnonzero(at != UNPLACED)
        return not any((d.load(rows, at[rows]) > d.capacity).any() for d in draws)

    if not fits():
        return False
    for _ in range(_MOST_TRIES):
        if depth == len(free):
            return True
        p = free[depth]
        if tried[depth] < len(ways[p]):
            at[p] = ways[p][tried[depth]]
            tried[depth] += 1
            depth += fits()
        elif depth == 0:
            return False
        else:
            at[p], tried[depth] = UNPLACED, 0
            depth -= 1
    return True


def _lock_conflicts(problem: Problem, site: Ints, draws: list[Draw], owners: list[Resource]) -> list[Fault]:
    """Which resources alone don't hold what is locked, and locks that already conflict: of a few, those needed."""
    faults: list[Fault] = []
    locked, nobody = np.flatnonzero(problem.locked != UNPLACED).tolist(), np.full(problem.shape[0], UNPLACED)
    for resource, draw in zip(owners, draws, strict=True):
        place, ways = replace(LOCKS, key=resource.title), {}
        for p in locked:  # of the options that draw on the same pool, one
            options = np.flatnonzero(site == problem.locked[p])
            ways[p] = options[np.unique(draw.pool[options], return_index=True)[1]]

        def fit(some: list[int], ways: dict[int, Ints] = ways, draw: Draw = draw) -> bool:
            return _fit_together(nobody, some, ways, [draw])

        if any(fault.place == place for fault in faults) or fit(locked):
            continue
        some = locked[: bisect.bisect_left(range(len(locked)), True, key=lambda n: not fit(locked[: n + 1])) + 1]
        for p in some.copy() if len(some) <= _FEW else ():  # whoever isn't needed for the conflict
            rest = [q for q in some if q != p]
            some = rest if not fit(rest) else some
        faults.append(_too_much(problem, resource, some).at(place))
    if not faults:
        faults.append(Fault("matching.locks_conflict", LOCKS, projects=_named(problem, locked)))
    return faults


def _too_much(problem: Problem, resource: Resource, locked: list[int]) -> Fault:
    """What locked projects take of a resource, and what there is of it where they are locked."""
    at = problem.locked[locked]
    pools = np.flatnonzero(resource.pool[at].any(axis=0)) if resource.several else np.unique(resource.pool[at])
    demand = resource.demand[locked] if resource.demand.ndim == 1 else resource.demand[locked, at]
    values = {
        "projects": _named(problem, locked),
        "demand": " + ".join(f"{one:g}" for one in demand) if len(locked) <= _NAMED else f"{demand.sum():g}",
        "unit": resource.unit_title,
        "capacity": " + ".join(f"{resource.at(problem.level)[k]:g}" for k in pools),
        "pools": [resource.pool_title(k) for k in pools],
    }
    if resource.split or not resource.several:
        return Fault("matching.locks_exceed_pools", LOCKS, **values)
    return Fault("matching.locks_exceed_pools_undivided", LOCKS, **values)


def _named(problem: Problem, projects: list[int]) -> list[str]:
    """Names of the first projects, and … where there are more."""
    return [problem.project_name(p) for p in projects[:_NAMED]] + ["…"] * (len(projects) > _NAMED)


def _may_fit(rows: list[int], ways: dict[int, Ints], draws: list[Draw]) -> bool:
    """Whether the pools that projects may choose among hold them all, were they to share."""
    for draw in draws:
        bound = [p for p in rows if (draw.pool[ways[p]] >= 0).all()]
        pools = np.unique(np.concatenate([draw.pool[ways[p]] for p in bound])) if bound else np.zeros(0, dtype=np.intp)
        least = sum(float(draw.of(np.full(len(ways[p]), p), ways[p]).min(initial=np.inf)) for p in bound)
        if bound and least > draw.capacity[pools].sum():
            return False
    return True


def _settle(links: tuple[Link, ...], locked_at: Ints, value: Floats) -> tuple[tuple[Link, ...], float]:
    """Links of locked projects become value of their partner's options, or are earned already."""
    open_links, earned = [], 0.0
    for link in links:
        a, b = locked_at[link.first], locked_at[link.second]
        assert link.near is not None
        if a != UNPLACED and b != UNPLACED:
            earned += link.gain * bool(link.near[a, b])
        elif a != UNPLACED:
            value[link.second] += link.gain * link.near[a]
        elif b != UNPLACED:
            value[link.first] += link.gain * link.near[:, b]
        else:
            open_links.append(link)
    return tuple(open_links), earned


def _binding(draw: Draw, value: Floats) -> Draw | None:
    """The draw without pools that can't bind (all who might come fit), or None."""
    count = len(draw.capacity)
    if draw.demand.ndim == 1:
        most = np.zeros(count)
        order = np.argsort(draw.pool, kind="stable")
        order = order[draw.pool[order] >= 0]
        if len(order):
            starts = np.flatnonzero(np.diff(draw.pool[order], prepend=-1))
            might = np.logical_or.reduceat(np.isfinite(value[:, order]), starts, axis=1)
            most[draw.pool[order][starts]] = draw.demand @ might
    else:
        most = np.zeros(count)
        for k in range(count):
            at = draw.pool == k
            most[k] = np.where(np.isfinite(value[:, at]), draw.demand[:, at], 0).max(axis=1, initial=0).sum()
    capacity = np.where(np.isnan(draw.capacity), np.inf, draw.capacity)
    binds = (most > capacity) | (draw.minimum > 0)
    if not binds.any():
        return None
    renumber = np.append(np.where(binds, np.cumsum(binds) - 1, UNPLACED), UNPLACED)
    return Draw(draw.demand, renumber[draw.pool], draw.capacity[binds], draw.minimum[binds])


def _drop_dominated(model: Model) -> None:
    """Drop, in place, a project's options that another beats in value while drawing on the same pools."""
    if any(draw.demand.ndim == 2 for draw in model.draws):
        return
    drawn = np.column_stack([draw.pool for draw in model.draws]) if model.draws else np.zeros((len(model.site), 1))
    _, group = np.unique(drawn, axis=0, return_inverse=True)
    for g in np.flatnonzero(np.bincount(group.ravel()) > 1):
        at = np.flatnonzero(group.ravel() == g)
        best = model.value[:, at].argmax(axis=1)
        keep = model.value[np.arange(len(best)), at[best]].copy()
        model.value[:, at] = -np.inf
        model.value[np.arange(len(best)), at[best]] = keep
