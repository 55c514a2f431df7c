"""Compiled search: simulated annealing over who is where (Kirkpatrick, Gelatt & Vecchi 1983).

A move takes a project to another of its options. Where a pool doesn't hold it, one of those who draw on the full pool
gives way (an ejection) and goes to its best option that fits, perhaps to none. Capacities are always kept. Work is
counted in moves, so that the same seed gives the same run on any machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo_cluster.matching.engine.compiled import compiled, inlined
from geo_cluster.matching.engine.model import Model
from geo_cluster.matching.resource import Bools, Floats, Ints

_STAGE = 1_000  # moves at one temperature


class Terrain(NamedTuple):
    """A model without links and minima as plain arrays, the pools of all draws in one row.

    Attributes
    ----------
    value : (P, S) array
        Value of each project at each option, -inf where it can't go.
    pool_cost : (P, S) array
        What it draws there, at the prices of the pools.
    out : (P,) array
        Value of staying unplaced: minus a penalty for those that must be placed.
    demand : (D, P, S) or (D, P, 1) array
        The latter where no demand depends on the option.
    pool : (D, S) int array
        The last pool, which has no limit, for options that draw on none.
    room : (K + 1,) array
    rows : int array
        Projects that can go somewhere.
    """

    value: Floats
    pool_cost: Floats
    out: Floats
    demand: Floats
    pool: Ints
    room: Floats
    rows: Ints


class Schedule(NamedTuple):
    """How long an annealing run is, and how it cools.

    Attributes
    ----------
    moves : int
        How many moves to try.
    hot, cold : float
        First and last temperature, in units of value: what a move may lose in one case of e.
    price_share : float
        Share of the pools' prices that projects pay in the first phase.
    """

    moves: int
    hot: float
    cold: float
    price_share: float


def flatten(model: Model, prices: list[Floats], *, penalty: float) -> Terrain:
    """The arrays that `anneal` works on.

    Parameters
    ----------
    model : Model
    prices : list of (K,) arrays
        Prices of the pools of each draw.
    penalty : float
        What leaving out a project costs that must be placed.
    """
    capacity, pool, demand = model.stacked()
    room = np.where(np.isfinite(capacity), capacity, 1e18)
    open_ = np.isfinite(model.value)
    pool_cost = np.where(open_, np.where(open_, model.value, 0.0) - model.reduced(prices), 0.0)
    # rows first, always: another layout would be compiled anew
    value, pool_cost = np.ascontiguousarray(model.value), np.ascontiguousarray(pool_cost)
    return Terrain(value, pool_cost, np.where(model.must, -penalty, 0.0), demand, pool, room, model.open)


def anneal(terrain: Terrain, option: Ints, listed: Ints, *, schedule: Schedule, seed: int, stop: Bools) -> Ints:
    """The better of `option` and the plan at the end of an annealing run from it.

    A run has two phases: one from `hot` to `cold` in which projects pay a share of the prices of what they draw, so
    that room is left to others, and a shorter one from `cold` on in which only values count.

    Parameters
    ----------
    terrain : Terrain
    option : (P,) int array
        A plan that keeps the capacities; -1 for unplaced.
    listed : (P, C) int array
        The options that are tried, most promising first; -1 past the last.
    schedule : Schedule
    seed : int
    stop : (1,) bool array
        Set from another thread to end the run early.
    """
    if not len(terrain.rows) or not listed.shape[1]:
        return option
    moves, hot, cold, price_share = schedule
    state = np.full(1, (seed + 1) * 0x9E3779B97F4A7C15 % 2**64, dtype=np.uint64)
    tried = np.ascontiguousarray(listed)
    priced = terrain._replace(value=terrain.value - price_share * terrain.pool_cost)
    found = np.asarray(_run(priced, tried, option.copy(), moves, hot, cold, state, stop))
    found = np.asarray(_run(terrain, tried, found.copy(), moves // 4, cold, cold / 4, state, stop))
    return found if _total(terrain, found) > _total(terrain, option) else option


def warm() -> None:
    """Compile the search and keep it on disk, so that no plan waits for it: some seconds, once a machine."""
    one = np.zeros(1, dtype=np.intp)
    room = np.array([2.0, 1e18])
    terrain = Terrain(
        np.ones((1, 2)), np.zeros((1, 2)), np.zeros(1), np.ones((1, 1, 1)), np.zeros((1, 2), int), room, one
    )
    options, stop = np.zeros((1, 2), dtype=np.intp), np.zeros(1, dtype=bool)
    anneal(terrain, one, options, schedule=Schedule(4, 1.0, 0.5, 0.5), seed=0, stop=stop)


def _total(t: Terrain, option: Ints) -> float:
    """Objective value of the open projects."""
    placed = option[t.rows] >= 0
    return float(np.where(placed, t.value[t.rows, option[t.rows]], t.out[t.rows]).sum())


@inlined
def _next(state):  # type: ignore[no-untyped-def]
    """Xorshift (Marsaglia 2003)."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return x


@inlined
def _unit(state):  # type: ignore[no-untyped-def]
    """Between 0 and 1, neither included."""
    return (np.float64(_next(state) >> np.uint64(11)) + 0.5) / 9007199254740992.0


@inlined
def _below(state, n):  # type: ignore[no-untyped-def]
    return np.int64(((_next(state) >> np.uint64(33)) * np.uint64(n)) >> np.uint64(31))


@inlined
def _draw(p, s, times, demand, pool, wide, left):  # type: ignore[no-untyped-def]
    if s >= 0:
        for d in range(len(pool)):
            left[pool[d, s]] -= times * demand[d, p, s if wide else 0]


@inlined
def _full(p, s, demand, pool, wide, left):  # type: ignore[no-untyped-def]
    """The first draw whose pool doesn't hold the project at option s; -1 when all do."""
    full = -1
    for d in range(len(pool)):
        if demand[d, p, s if wide else 0] > left[pool[d, s]]:
            full = d
            break
    return full


@compiled
def _occupy(terrain, listed, option):  # type: ignore[no-untyped-def]
    """Room that a plan leaves, who draws on each pool and at which place of its list; the best value of each project.

    The pool without a limit has no list: it may stand for several draws.
    """
    value, demand, pool = terrain.value, terrain.demand, terrain.pool
    left, top, free, wide = terrain.room.copy(), terrain.out.copy(), len(terrain.room) - 1, demand.shape[2] > 1
    members = np.empty((free, len(value)), np.int32)  # pages nobody writes on cost nothing
    count, at = np.zeros(free, np.int32), np.zeros((len(pool), len(value)), np.int32)
    for p in terrain.rows:
        for c in range(listed.shape[1]):
            if listed[p, c] >= 0:
                top[p] = max(top[p], value[p, listed[p, c]])
        if option[p] >= 0:
            for d in range(len(pool)):
                k = pool[d, option[p]]
                left[k] -= demand[d, p, option[p] if wide else 0]
                if k < free:
                    members[k, count[k]], at[d, p] = p, count[k]
                    count[k] += 1
    return left, top, members, count, at


@compiled
def _run(terrain, listed, option, moves, hot, cold, state, stop):  # type: ignore[no-untyped-def]  # noqa: C901
    # in one piece: with ejections or lists apart it takes 1.25 to 1.4 times as long (random 200 × 60, region 400 × 100)
    value, out, demand, pool, rows = terrain.value, terrain.out, terrain.demand, terrain.pool, terrain.rows
    width, wide = listed.shape[1], demand.shape[2] > 1
    left, top, members, count, at = _occupy(terrain, listed, option)
    free = len(members)
    gained, best, kept, fresh = 0.0, 0.0, option.copy(), False
    cooling, heat = (cold / hot) ** (_STAGE / max(moves, _STAGE)), hot
    for move in range(moves):
        if move % _STAGE == 0:
            if stop[0]:
                break
            heat *= cooling if move else 1.0
        p = rows[_below(state, len(rows))]
        s, was = listed[p, int(_unit(state) ** 2 * width)], option[p]
        if s < 0 or s == was:
            continue
        need = heat * np.log(_unit(state))
        gain = value[p, s] - (value[p, was] if was >= 0 else out[p])
        q, gave, to = -1, -1, -1
        _draw(p, was, -1.0, demand, pool, wide, left)
        full = _full(p, s, demand, pool, wide, left)
        if full >= 0:
            k = pool[full, s]
            if count[k]:
                q = members[k, _below(state, count[k])]
            if q >= 0 and q != p:
                gave = option[q]
                most = max(out[q], need - gain + value[q, gave] - 1e-9)  # less than this isn't accepted
                if top[q] >= most:
                    _draw(q, gave, -1.0, demand, pool, wide, left)
                    full = _full(p, s, demand, pool, wide, left)
                    if full < 0:
                        _draw(p, s, 1.0, demand, pool, wide, left)
                        for c in range(width + 1):
                            o = listed[q, c] if c < width else was
                            if o >= 0 and value[q, o] > most and _full(q, o, demand, pool, wide, left) < 0:
                                most, to = value[q, o], o
                        _draw(p, s, -1.0, demand, pool, wide, left)
                    _draw(q, gave, 1.0, demand, pool, wide, left)
                gain += (value[q, to] if to >= 0 else out[q]) - value[q, gave]
        _draw(p, was, 1.0, demand, pool, wide, left)
        if full >= 0 or gain < need:
            continue
        if fresh and gain < 0:  # keep the best plan before it gets worse
            kept[:] = option
            fresh = False
        gained += gain
        if gained > best + 1e-9:
            best, fresh = gained, True
        for second in range(1 if q < 0 else 2):
            r, old, new = (q, gave, to) if second else (p, was, s)
            _draw(r, old, -1.0, demand, pool, wide, left)
            _draw(r, new, 1.0, demand, pool, wide, left)
            option[r] = new
            for d in range(len(pool)):
                k = pool[d, old] if old >= 0 else free
                if k < free:
                    count[k] -= 1
                    last = members[k, count[k]]
                    members[k, at[d, r]], at[d, last] = last, at[d, r]
                k = pool[d, new] if new >= 0 else free
                if k < free:
                    members[k, count[k]], at[d, r] = r, count[k]
                    count[k] += 1
    return option if fresh else kept
