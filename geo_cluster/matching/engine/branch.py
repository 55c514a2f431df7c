"""Exact search with Lagrangian bounds: where all capacities are of one kind, a generalised assignment problem.

Branch and bound (Fisher, Jaikumar & Van Wassenhove 1986; Posta, Ferland & Michelon 2012): 'each project at most once'
is priced, so that each pool is a 0-1 knapsack of its own. Prices descend anew at each node; what forcing a pair in or
out costs its knapsack fixes most pairs before a project is branched on, one child for each option left. Work is
counted in nodes, so that the same seed searches the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from geo_cluster.matching.engine.bound import Bound, Grid
from geo_cluster.matching.engine.compiled import compiled
from geo_cluster.matching.engine.model import Draw, Model
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints

_OUT = 1 << 62  # the bit of staying unplaced; those before it are of options
_CHUNK = 20  # nodes between two looks at the clock
_FIRST_STEPS, _STEPS, _MORE_STEPS = 2_000, 30, 15  # of prices: at the root, at a node, and there after fixing pairs
_STALE = 4  # steps without a better bound before they get shorter
_ROUNDS, _FEW = 3, 5  # after so many rounds of fixing at a node, fewer than so many fixed pairs end it


class _Land(NamedTuple):
    """What doesn't change: P projects, S options in the order of their pools, K + 1 pools, the last without limit."""

    value: Floats  # (P, S)
    demand: Floats  # (P, S)
    weight: Ints  # (P, S): demand in cells
    pool: Ints  # (S,)
    cuts: Ints  # (K + 2,): where the options of each pool begin
    space: Ints  # (K + 1,): cells
    room: Floats  # (K + 1,)


class _Desk(NamedTuple):
    """Room to work in, and the node at work."""

    alive: Ints  # (P,): the options of each project, a bit each
    prices: Floats  # (P,): prices of 'at most once'
    best_prices: Floats  # (P,): of the lowest bound
    only: Ints  # (P,): its option when one is left, S for staying unplaced, -1 when open
    left: Ints  # (K + 1,): cells that decided projects leave
    plan: Ints  # (P,): the last that entered a knapsack with the project, -1 for none
    times: Ints  # (P,): how many did
    push: Floats  # (P,): direction of the steps
    item: Ints  # (P,), with size and profit: the items of one knapsack
    size: Ints
    profit: Floats
    ahead: Floats  # (P + 1, C): best filling of the first so many items, by room; behind: of the last
    behind: Floats
    into: Floats  # (P, S): what the bound changes by when the project is forced there; without: out of the pool
    without: Floats  # (P, K + 1)
    limit: Floats  # (P, S + 1): what no plan exceeds with the project there
    load: Floats  # (K + 1,)
    best: Floats  # (1,): value of the best plan
    kept: Ints  # (P,): that plan, where it was found here
    halt: Bools  # (1,): set from outside when it is time to stop


class _Tree(NamedTuple):
    """Nodes to come, the last first."""

    alive: Ints  # (N, P)
    prices: Floats  # (N, P)
    bound: Floats  # (N,)


def search(
    model: Model,
    start: Bound,
    *,
    plan: Callable[[], float],
    step: float,
    on_plan: Callable[[Ints], None],
    on_bound: Callable[[float], None],
    halt: Bools | None = None,
    limit: int = sys.maxsize,
) -> int:
    """Search until nothing is left that could exceed the best plan by `step`; the number of nodes.

    Parameters
    ----------
    model : Model
        With one draw, no links and no minima, at most 62 options; of a project's options in one pool all
        take the same.
    start : Bound
        Prices to begin with.
    plan : callable
        Objective value of the best plan so far, whoever found it; -inf for none.
    step : float
        Plans that aren't better by this much don't count.
    on_plan : callable
        Called with each better plan, as the option of each project.
    on_bound : callable
        Called with what no plan exceeds.
    halt : (1,) array of bool, optional
        Set it from another thread to end within a step; the node at work counts as not searched.
    limit : int
        Most nodes, about.
    """
    (draw,) = model.draws
    rows, order = model.open, np.argsort(np.where(draw.pool >= 0, draw.pool, len(draw.capacity)), kind="stable")
    land = _land(model, draw, rows, order)
    projects, options = land.value.shape
    size = projects * (options + 1) + 2
    tree = _Tree(np.zeros((size, projects), np.int64), np.zeros((size, projects)), np.full(size, np.inf))
    bits = np.isfinite(model.value[np.ix_(rows, order)]) @ (1 << np.arange(options, dtype=np.int64))
    tree.alive[0] = bits | np.where(model.must[rows], 0, _OUT)
    tree.prices[0] = start.project_prices[rows]
    desk = _desk(land, np.zeros(1, dtype=bool) if halt is None else halt)
    best, kept, top, nodes = desk.best, desk.kept, 1, 0
    while top and nodes < limit and not desk.halt[0]:
        best[0] = before = max(best[0], plan() - model.base)
        limits = (_CHUNK, _STEPS) if nodes else (1, _FIRST_STEPS)
        top, done = _explore(land, desk, tree, top, step, *limits)
        nodes += done
        if best[0] > before:
            option = np.full(len(model.value), UNPLACED, dtype=np.intp)
            option[rows] = np.where(kept >= 0, order[kept], UNPLACED)
            on_plan(option)
        if np.isfinite(best[0]):
            on_bound(model.base + max(float(tree.bound[:top].max(initial=-np.inf)), best[0] + step))
    return nodes


def warm() -> None:
    """Compile the search and keep it on disk."""
    draw = Draw(np.ones((2, 2)), np.arange(2), np.ones(2), np.zeros(2))
    none = np.full(2, UNPLACED)
    model = Model(np.eye(2), (draw,), (), np.arange(2), np.arange(2)[:, None], none, 0.0, np.zeros(2, dtype=bool))
    start = Bound(0.0, np.zeros(2), [np.zeros(2)], model.value)
    nothing: Any = lambda _: None  # noqa: E731
    search(model, start, plan=lambda: -np.inf, step=0.5, on_plan=nothing, on_bound=nothing)


def _land(model: Model, draw: Draw, rows: Ints, order: Ints) -> _Land:
    grid = Grid(draw)
    demand = np.broadcast_to(draw.demand[:, None] if draw.demand.ndim == 1 else draw.demand, model.value.shape)
    weight = np.where(draw.pool >= 0, grid.weights(demand, draw.pool), 0)
    pool = np.where(draw.pool >= 0, draw.pool, len(draw.capacity))[order]
    at = np.ix_(rows, order)
    return _Land(
        np.ascontiguousarray(np.where(np.isfinite(model.value), model.value, 0.0)[at]),
        np.ascontiguousarray(demand[at], dtype=float),
        np.ascontiguousarray(weight[at], dtype=np.int64),
        pool.astype(np.int64),
        np.searchsorted(pool, np.arange(len(draw.capacity) + 2)).astype(np.int64),
        np.append(grid.room, 0).astype(np.int64),
        np.append(draw.capacity, np.inf),
    )


def _desk(land: _Land, halt: Bools) -> _Desk:
    (projects, options), pools, deepest = land.value.shape, len(land.space), int(land.space.max()) + 1

    def real(*shape: int) -> Floats:
        return np.zeros(shape)

    def integer(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    p = projects
    return _Desk(
        integer(p), real(p), real(p), integer(p), integer(pools), integer(p), integer(p), real(p), integer(p),
        integer(p), real(p), real(p + 1, deepest), real(p + 1, deepest), real(p, options), real(p, pools),
        real(p, options + 1), real(pools), np.array([-np.inf]), np.full(p, UNPLACED, dtype=np.int64), halt,
    )  # fmt: skip


# The search proper, compiled. numba infers the types; the arrays are those of _Land, _Desk and _Tree.


@compiled
def _decide(land, desk):  # type: ignore[no-untyped-def]
    """Who has one option left and what that takes; drop what no longer fits. False when nothing fits."""
    projects, options = land.value.shape
    changed = True
    while changed:
        changed = False
        desk.left[:] = land.space
        for p in range(projects):
            bits = desk.alive[p]
            desk.only[p] = -1
            if bits == 0:
                return False
            if bits == _OUT:
                desk.only[p] = options
            elif bits & (bits - 1) == 0:
                s = 0
                while bits >> s & 1 == 0:
                    s += 1
                desk.only[p] = s
                desk.left[land.pool[s]] -= land.weight[p, s]
        if desk.left.min() < 0:
            return False
        for p in range(projects):
            for s in range(options):
                if desk.only[p] < 0 and desk.alive[p] >> s & 1 and land.weight[p, s] > desk.left[land.pool[s]]:
                    desk.alive[p] ^= 1 << s
                    changed = True
    return True


@compiled
def _gather(land, desk, k):  # type: ignore[no-untyped-def]
    """The items of knapsack k: each open project that gains there, with its best option in `plan`; their number."""
    n = 0
    for p in range(len(desk.alive)):
        if desk.only[p] != -1:
            continue
        most, which = 1e-12, -1
        for s in range(land.cuts[k], land.cuts[k + 1]):
            if desk.alive[p] >> s & 1 and land.value[p, s] - desk.prices[p] > most:
                most, which = land.value[p, s] - desk.prices[p], s
        if which >= 0:
            desk.item[n], desk.profit[n], desk.size[n] = p, most, land.weight[p, which]
            n += 1
    return n


@compiled
def _fill(profit, size, room, table):  # type: ignore[no-untyped-def]
    """table[t, c]: the best filling of room c with the first t items (Bellman's recursion)."""
    table[0, : room + 1] = 0.0
    for t in range(len(profit)):
        gain, w = profit[t], size[t]
        for c in range(min(w, room + 1)):
            table[t + 1, c] = table[t, c]
        for c in range(w, room + 1):
            table[t + 1, c] = max(table[t, c], table[t, c - w] + gain)


@compiled
def _enter(land, desk, p, k):  # type: ignore[no-untyped-def]
    """A project enters a knapsack with its best option there."""
    most = -np.inf
    desk.times[p] += 1
    for s in range(land.cuts[k], land.cuts[k + 1]):
        if desk.alive[p] >> s & 1 and land.value[p, s] > most:
            most, desk.plan[p] = land.value[p, s], s


@compiled
def _bound(land, desk):  # type: ignore[no-untyped-def]
    """The bound at the prices in `prices`; `times` and `plan` say who enters the best fillings where."""
    total = 0.0
    options = land.value.shape[1]
    for p in range(len(desk.alive)):
        desk.times[p], desk.plan[p] = 0, -1
        if desk.only[p] == -1:
            total += desk.prices[p]
        elif desk.only[p] < options:
            desk.times[p], desk.plan[p] = 1, desk.only[p]
            total += land.value[p, desk.only[p]]
    for k in range(len(land.space)):
        room, n = desk.left[k], _gather(land, desk, k)
        if desk.size[:n].sum() <= room:
            for t in range(n):
                _enter(land, desk, desk.item[t], k)
                total += desk.profit[t]
            continue
        _fill(desk.profit[:n], desk.size[:n], room, desk.ahead)
        total += desk.ahead[n, room]
        for t in range(n - 1, -1, -1):
            if desk.ahead[t + 1, room] != desk.ahead[t, room]:
                _enter(land, desk, desk.item[t], k)
                room -= desk.size[t]
    return total


@compiled
def _keep(land, desk):  # type: ignore[no-untyped-def]
    """Keep `plan` if it is one, and better than the best."""
    earned = 0.0
    desk.load[:] = 0.0
    for p in range(len(desk.alive)):
        s = desk.plan[p]
        if desk.times[p] > 1 or (s < 0 and desk.alive[p] & _OUT == 0):
            return
        if s >= 0:
            earned += land.value[p, s]
            desk.load[land.pool[s]] += land.demand[p, s]
    if earned > desk.best[0] + 1e-9 * max(1.0, abs(earned)) and (desk.load <= land.room).all():
        desk.best[0], desk.kept[:] = earned, desk.plan


@compiled
def _descend(land, desk, step, steps):  # type: ignore[no-untyped-def]
    """Lower the bound by subgradient steps (Held & Karp 1971, Polyak's length); the lowest, at `best_prices`."""
    lowest, scale, stale = np.inf, 1.0 if steps > _STEPS else 0.5, 0
    desk.push[:] = 0.0
    for _ in range(steps):
        total = _bound(land, desk)
        if total < lowest - 1e-9 * abs(total):
            lowest, stale = total, 0
            desk.best_prices[:] = desk.prices
        else:
            stale += 1
        if lowest < desk.best[0] + step or desk.halt[0]:
            break
        _keep(land, desk)
        if stale >= _STALE:
            scale, stale = scale / 2, 0
            desk.prices[:] = desk.best_prices
            desk.push[:] = 0.0
            if scale < 1e-3:
                break
            continue
        norm = 0.0
        for p in range(len(desk.alive)):
            over = desk.times[p] - 1.0 if desk.only[p] == -1 else 0.0
            if over < 0 and desk.prices[p] <= 0 and desk.alive[p] & _OUT:
                over = 0.0
            desk.push[p] = 0.3 * desk.push[p] + 0.7 * over
            norm += desk.push[p] ** 2
        if norm < 1e-15:
            break
        pace = scale * (total - desk.best[0]) / norm if np.isfinite(desk.best[0]) else scale
        for p in range(len(desk.alive)):
            desk.prices[p] += pace * desk.push[p]
            if desk.alive[p] & _OUT:
                desk.prices[p] = max(desk.prices[p], 0.0)
    desk.prices[:] = desk.best_prices
    return lowest


@compiled
def _force(land, desk):  # type: ignore[no-untyped-def]
    """What each knapsack loses when a project is forced in (`into`, its own profit included) or out (`without`)."""
    desk.without[:] = 0.0
    for k in range(len(land.space)):
        room, n = desk.left[k], _gather(land, desk, k)
        profit, size = desk.profit[:n], desk.size[:n]
        _fill(profit, size, room, desk.ahead)
        _fill(profit[::-1], size[::-1], room, desk.behind)
        full = desk.ahead[n, room]
        for p in range(len(desk.alive)):
            for s in range(land.cuts[k], land.cuts[k + 1]):
                if desk.only[p] == -1 and desk.alive[p] >> s & 1:
                    desk.into[p, s] = desk.ahead[n, room - land.weight[p, s]] - full + land.value[p, s] - desk.prices[p]
        for t in range(n):
            p, w, inside, outside = desk.item[t], desk.size[t], -np.inf, -np.inf
            for c in range(room + 1):
                outside = max(outside, desk.ahead[t, c] + desk.behind[n - 1 - t, room - c])
            for c in range(room - w + 1):
                inside = max(inside, desk.ahead[t, c] + desk.behind[n - 1 - t, room - w - c])
            desk.without[p, k] = outside - full
            for s in range(land.cuts[k], land.cuts[k + 1]):
                desk.into[p, s] = inside - full + land.value[p, s] - desk.prices[p]


@compiled
def _fix(land, desk, lowest, least):  # type: ignore[no-untyped-def]
    """Fix by reduced cost what can't reach `least`; how many, and the project to branch on.

    The latter is -1 when all are decided, -2 when a project has nowhere left to go.
    """
    options = land.value.shape[1]
    _force(land, desk)
    fixed, choice, fewest = 0, -1, np.inf
    for p in range(len(desk.alive)):
        if desk.only[p] != -1:
            continue
        gone, ways, weighed = desk.without[p].sum(), 0, 0.0
        for s in range(options + 1):
            bit = 1 << s if s < options else _OUT
            if desk.alive[p] & bit == 0:
                continue
            if s < options:
                reach = lowest + desk.into[p, s] + gone - desk.without[p, land.pool[s]]
            else:
                reach = lowest + gone - desk.prices[p]
            desk.limit[p, s] = min(reach, lowest)
            if reach < least:
                desk.alive[p] ^= bit
                fixed += 1
            else:
                ways += 1
                weighed += np.exp(4.0 * (desk.limit[p, s] - lowest) / max(lowest - least, 1e-12))
        if ways == 0:
            return fixed, -2
        if ways > 1 and weighed < fewest:  # the fewest ways, those far below the bound counting less
            choice, fewest = p, weighed
    return fixed, choice


@compiled
def _settle(land, desk, step, steps):  # type: ignore[no-untyped-def]
    """Do all that can be done at a node; the project to branch on, -1 when nothing is left to find here."""
    options, rounds = land.value.shape[1], 0
    while True:
        rounds += 1
        if not _decide(land, desk):
            return -1
        lowest = _descend(land, desk, step, steps if rounds == 1 else _MORE_STEPS)
        if lowest < desk.best[0] + step or desk.halt[0]:
            return -1
        fixed, choice = _fix(land, desk, lowest, desk.best[0] + step)
        if choice == -2:
            return -1
        if choice == -1:
            if _decide(land, desk):
                for p in range(len(desk.alive)):
                    desk.times[p] = desk.only[p] < options
                    desk.plan[p] = desk.only[p] if desk.only[p] < options else -1
                _keep(land, desk)
            return -1
        if fixed == 0 or (rounds >= _ROUNDS and fixed < _FEW):
            return choice


@compiled
def _explore(land, desk, tree, top, step, limit, steps):  # type: ignore[no-untyped-def]
    """Depth first, the most promising child next, for so many nodes; nodes that are left, nodes done."""
    options, done = land.value.shape[1], 0
    while top > 0 and done < limit:
        top -= 1
        if tree.bound[top] < desk.best[0] + step:
            continue
        done += 1
        ceiling = tree.bound[top]
        desk.alive[:] = tree.alive[top]
        desk.prices[:] = tree.prices[top]
        p, first = _settle(land, desk, step, steps), top
        if desk.halt[0]:
            return top + 1, done
        if p < 0:
            continue
        for s in range(options + 1):
            bit = 1 << s if s < options else _OUT
            if desk.alive[p] & bit == 0:
                continue
            tree.alive[top] = desk.alive
            tree.prices[top] = desk.best_prices
            at, bound = top, min(desk.limit[p, s], ceiling)
            while at > first and tree.bound[at - 1] > bound:  # siblings differ in p and the bound alone
                tree.bound[at], tree.alive[at, p] = tree.bound[at - 1], tree.alive[at - 1, p]
                at -= 1
            tree.bound[at], tree.alive[at, p] = bound, bit
            top += 1
    return top, done
