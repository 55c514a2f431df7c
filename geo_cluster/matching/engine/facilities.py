"""Compiled: what to open where each open site has a capacity of its own (facility location, k-median).

Prices of projects make each site a knapsack; a unit (what is opened together) pays where its knapsacks bring more than
its cost (Holmberg, Rönnqvist & Yuan 1999). What is open in the best such choice is tried as a plan: everyone to the
best that holds them, whoever loses most by waiting first, then moves and exchanges; then units change places. Work is
counted in steps and plans tried, so that the same problem is searched the same way on any machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo_cluster.matching.engine.compiled import compiled
from geo_cluster.matching.resource import Bools, Floats, Ints

_KEPT = 0.8  # of the direction of the steps; single source 100 × 500, capacities three to ten times the demand
_STALE = 20  # steps without a better bound before they get shorter
_SHORTER, _SHORTEST = 0.6, 1e-4  # so many times as long then; where they end
_PASSES = 4  # of moves and exchanges, for a plan
_ADDED = 10  # units opened for those who found no place, at most


class Ground(NamedTuple):
    """What doesn't change: P projects, S options, each with a pool of its own, U units, L limits on them.

    The last unit is of what is always open.
    """

    value: Floats  # (P, S), -inf where the project can't go
    demand: Floats  # (P, S)
    capacity: Floats  # (S,)
    weight: Ints  # (S, P): demand in cells
    room: Ints  # (S,): cells
    out: Floats  # (P,): value of staying unplaced: 0, or minus a penalty for those that must be placed
    unit: Ints  # (S,)
    cost: Floats  # (U,)
    must: Bools  # (U,): open in every plan
    limit: Ints  # (U,): the limit that counts it, -1 for none
    most: Ints  # (L,)
    cover: Ints  # (U,): what it holds, rounded up; together what may be closed
    spare: Ints  # (1,): what all units hold beyond what is needed, -1 where that is not known


class Desk(NamedTuple):
    """Room to work in, and what is known."""

    prices: Floats  # (P,): of projects
    best_prices: Floats  # (P,): of the lowest bound
    push: Floats  # (P,): direction of the steps
    state: Floats  # lowest bound, length of the steps, steps without a better bound
    earned: Floats  # (U,): what the knapsacks of a unit bring, less its cost
    open: Bools  # (U,): in the best choice at these prices
    taken: Bools  # (S, P): who is in which knapsack
    by_room: Floats  # (C,)
    rent: Floats  # (S,): what a cell more would bring, about
    share: Floats  # share of the rent that plans pay: the next to try, and that of the best plan
    used: Bools  # (P, C)
    closed: Bools  # (U, C')
    kept: Ints  # (P,): option of each project in the best plan
    kept_open: Bools  # (U,)
    worth: Floats  # (1,): of that plan
    halt: Bools  # (1,): set from outside when it is time to stop


def desk(ground: Ground, prices: Floats, halt: Bools) -> Desk:
    """An empty desk.

    Parameters
    ----------
    ground : Ground
    prices : (P,) array
        Prices of projects to begin with.
    halt : (1,) bool array
    """
    (projects, options), units = ground.value.shape, len(ground.cost)
    cells, spare = int(ground.room.max(initial=0)) + 1, max(int(ground.spare[0]), 0) + 1
    return Desk(
        prices.astype(float), prices.astype(float), np.zeros(projects), np.array([np.inf, 1.0, 0.0]), np.zeros(units),
        np.zeros(units, bool), np.zeros((options, projects), bool), np.zeros(max(cells, spare)), np.zeros(options),
        np.zeros(2), np.zeros((projects, cells), bool), np.zeros((units, spare), bool), np.full(projects, -1, np.int64),
        np.zeros(units, bool), np.array([-np.inf]), halt,
    )  # fmt: skip


@compiled
def _knapsack(ground, desk, s):  # type: ignore[no-untyped-def]
    """The best filling of an option at the prices in `prices`: its worth; `taken` says who is in it."""
    projects = len(desk.prices)
    room, load, total = ground.room[s], 0, 0.0
    for p in range(projects):
        gain = ground.value[p, s] - desk.prices[p]
        desk.taken[s, p] = gain > 1e-12 and ground.weight[s, p] <= room
        if desk.taken[s, p]:
            load += ground.weight[s, p]
            total += gain
    desk.rent[s] = 0.0
    if load <= room:
        return total
    best, tenth = desk.by_room, room // 10 + 1
    best[: room + 1] = 0.0
    for p in range(projects):
        if desk.taken[s, p]:
            gain, w = ground.value[p, s] - desk.prices[p], ground.weight[s, p]
            for c in range(w):
                desk.used[p, c] = False
            for c in range(room, w - 1, -1):
                desk.used[p, c] = best[c - w] + gain > best[c]
                if desk.used[p, c]:
                    best[c] = best[c - w] + gain
    desk.rent[s] = (best[room] - best[max(room - tenth, 0)]) / min(tenth, room)
    c = room
    for p in range(projects - 1, -1, -1):
        if desk.taken[s, p]:
            desk.taken[s, p] = desk.used[p, c]
            if desk.used[p, c]:
                c -= ground.weight[s, p]
    return best[room]


@compiled
def _cover(ground, desk, left_out):  # type: ignore[no-untyped-def]
    """What is gained by closing, as much as what stays open can do without; by what may be closed, in `by_room`.

    `closed` says who is closed for each amount, from the first unit to the last.
    """
    spare, best = ground.spare[0], desk.by_room
    best[: spare + 1] = 0.0
    for j in range(len(ground.cost)):
        gain, w = -desk.earned[j], ground.cover[j]
        desk.closed[j, : spare + 1] = False
        if gain > 0 and not ground.must[j] and j != left_out:
            for c in range(spare, w - 1, -1):
                if best[c - w] + gain > best[c]:
                    best[c] = best[c - w] + gain
                    desk.closed[j, c] = True
    return best[spare]


@compiled
def _choose(ground, desk):  # type: ignore[no-untyped-def]
    """What is best open at the prices: what that brings, with `open`."""
    units, total, closing = len(ground.cost), 0.0, 0
    for j in range(units):
        desk.open[j] = ground.must[j] or desk.earned[j] > 0
        closing += 0 if desk.open[j] else ground.cover[j]
    for which in range(len(ground.most)):
        count = 0
        for j in range(units):
            count += desk.open[j] and ground.limit[j] == which
        while count > ground.most[which]:
            worst = -1
            for j in range(units):
                is_free = desk.open[j] and ground.limit[j] == which and not ground.must[j]
                if is_free and (worst < 0 or desk.earned[j] < desk.earned[worst]):
                    worst = j
            desk.open[worst] = False
            count -= 1
    if closing > ground.spare[0] >= 0:
        _cover(ground, desk, -1)
        c = ground.spare[0]
        for j in range(units - 1, -1, -1):
            if not desk.open[j]:
                desk.open[j] = not desk.closed[j, c]
                if desk.closed[j, c]:
                    c -= ground.cover[j]
    for j in range(units):
        if desk.open[j]:
            total += desk.earned[j]
    return total


@compiled
def _bound(ground, desk):  # type: ignore[no-untyped-def]
    """What no plan exceeds, at the prices in `prices`."""
    for j in range(len(ground.cost)):
        desk.earned[j] = -ground.cost[j]
    for s in range(len(ground.room)):
        desk.earned[ground.unit[s]] += _knapsack(ground, desk, s)
    return desk.prices.sum() + _choose(ground, desk)


@compiled
def _place(ground, rent, open_, option, left):  # type: ignore[no-untyped-def]
    """Everyone to the best open option that holds them, whoever loses most by waiting first; what that is worth."""
    projects, options = ground.value.shape
    value, demand = ground.value, ground.demand
    at = np.empty(options, np.int64)
    count = 0
    for s in range(options):
        left[s] = ground.capacity[s]
        if open_[ground.unit[s]]:
            at[count] = s
            count += 1
    urgency = np.zeros(projects)
    for p in range(projects):
        best, second = -np.inf, -np.inf
        for i in range(count):
            s = at[i]
            worth = value[p, s] - rent[s] * ground.weight[s, p]
            if worth > second and demand[p, s] <= left[s]:
                second = worth
                if second > best:
                    best, second = second, best
        urgency[p] = -np.inf if best == -np.inf else best - max(second, ground.out[p])
    for p in np.argsort(-urgency, kind="mergesort"):
        option[p], most = -1, -np.inf
        for i in range(count):
            s = at[i]
            worth = value[p, s] - rent[s] * ground.weight[s, p]
            if value[p, s] > ground.out[p] and worth > most and demand[p, s] <= left[s]:
                most, option[p] = worth, s
        if option[p] >= 0:
            left[option[p]] -= demand[p, option[p]]
    for _ in range(_PASSES):
        if not _mend(ground, at[:count], option, left):
            break
    total = 0.0
    for p in range(projects):
        total += value[p, option[p]] if option[p] >= 0 else ground.out[p]
    return total


@compiled
def _mend(ground, at, option, left):  # type: ignore[no-untyped-def]
    """Moves and exchanges that pay, once for each project that isn't where it is best; whether there were any."""
    value, demand, is_better = ground.value, ground.demand, False
    for p in range(len(option)):
        a = option[p]
        mine, most, to, other, best = value[p, a] if a >= 0 else ground.out[p], 1e-9, -1, -1, -np.inf
        for s in at:
            best = max(best, value[p, s])
            if s != a and value[p, s] - mine > most and demand[p, s] <= left[s]:
                most, to = value[p, s] - mine, s
        if best - mine <= most:
            best = -np.inf  # nothing to gain by an exchange beyond
        for q in range(len(option) if a >= 0 and best > -np.inf else 0):
            s = option[q]
            if s < 0 or s == a or value[p, s] == -np.inf or value[q, a] == -np.inf:
                continue
            gain = value[p, s] - mine + value[q, a] - value[q, s]
            if gain > most and left[s] + demand[q, s] >= demand[p, s] and left[a] + demand[p, a] >= demand[q, a]:
                most, to, other = gain, s, q
        if to < 0:
            continue
        is_better = True
        if a >= 0:
            left[a] += demand[p, a]
        if other >= 0:
            left[to] += demand[other, to]
            left[a] -= demand[other, a]
            option[other] = a
        left[to] -= demand[p, to]
        option[p] = to
    return is_better


@compiled
def _try(ground, desk, open_, option, left):  # type: ignore[no-untyped-def]
    """A plan with these open, or more where somebody finds no place: what it is worth. Kept where it is the best."""
    rent = desk.rent * desk.share[0]
    placed = _place(ground, rent, open_, option, left)
    for _ in range(_ADDED):
        lacking = False
        for p in range(len(option)):
            lacking |= option[p] < 0 and ground.out[p] < 0
        if not lacking:
            break
        more = -1
        for j in range(len(open_)):
            if not open_[j] and (more < 0 or desk.earned[j] > desk.earned[more]) and _may_open(ground, open_, j):
                more = j
        if more < 0:
            break
        open_[more] = True
        placed = _place(ground, rent, open_, option, left)
    has = np.zeros(len(open_), np.bool_)
    for p in range(len(option)):
        if option[p] >= 0:
            has[ground.unit[option[p]]] = True
    total = placed
    for j in range(len(open_)):
        open_[j] = has[j] or ground.must[j]
        total -= ground.cost[j] if open_[j] else 0.0
    if total > desk.worth[0] + 1e-9 * max(1.0, abs(total)):
        desk.worth[0], desk.share[1] = total, desk.share[0]
        desk.kept[:] = option
        desk.kept_open[:] = open_
    return total


@compiled
def _may_open(ground, open_, j):  # type: ignore[no-untyped-def]
    """Whether its limit allows one more."""
    if ground.limit[j] < 0:
        return True
    count = 0
    for i in range(len(open_)):
        count += open_[i] and ground.limit[i] == ground.limit[j]
    return count < ground.most[ground.limit[j]]


@compiled
def descend(ground, desk, steps):  # type: ignore[no-untyped-def]
    """Lower the bound by subgradient steps (Held & Karp 1971, Polyak's length), trying what is open on the way.

    The lowest bound stays in `state[0]`, its prices in `best_prices`. True when steps have become too short to go on.
    """
    projects = len(desk.prices)
    option, left = np.empty(projects, np.int64), np.empty(len(ground.room))
    for number in range(steps):
        if desk.halt[0]:
            return False
        total = _bound(ground, desk)
        if number % 5 == 0:
            desk.share[0] = 0.5 * (number // 5 % 3)
            _try(ground, desk, desk.open.copy(), option, left)
        if total < desk.state[0] - 1e-9 * abs(total):
            desk.state[0], desk.state[2] = total, 0.0
            desk.best_prices[:] = desk.prices
        else:
            desk.state[2] += 1
        if desk.state[2] >= _STALE:
            desk.state[1], desk.state[2] = _SHORTER * desk.state[1], 0.0
            desk.prices[:] = desk.best_prices
            desk.push[:] = 0.0
            if desk.state[1] < _SHORTEST:
                return True
            continue
        norm = 0.0
        for p in range(projects):
            over = -1.0
            for s in range(len(ground.room)):
                over += desk.open[ground.unit[s]] and desk.taken[s, p]
            if over < 0 and desk.prices[p] <= 0 and ground.out[p] == 0:
                over = 0.0
            desk.push[p] = _KEPT * desk.push[p] + (1 - _KEPT) * over
            norm += desk.push[p] ** 2
        if norm < 1e-15:
            return True
        goal = desk.worth[0] if desk.worth[0] > -1e300 else total - 0.01 * abs(total)
        pace = desk.state[1] * max(total - goal, 1e-6 * abs(total)) / norm
        for p in range(projects):
            desk.prices[p] += pace * desk.push[p]
            if ground.out[p] == 0:
                desk.prices[p] = max(desk.prices[p], 0.0)
    return False


@compiled
def exchange(ground, desk, order, tries):  # type: ignore[no-untyped-def]
    """Close a unit, open one or change one for another while plans get better, in so many tries; how many were left.

    `order` has the units, the most promising first.
    """
    units, (projects, options) = len(ground.cost), ground.value.shape
    option, left, open_ = np.empty(projects, np.int64), np.empty(options), np.zeros(units, np.bool_)
    is_better, desk.share[0] = True, desk.share[1]
    while is_better and tries > 0:
        is_better, before = False, desk.worth[0]
        here = desk.kept_open.copy()
        for first in range(units + 1):
            i = order[first] if first < units else -1  # the one that is opened; none at last
            if i >= 0 and here[i]:
                continue
            for second in range(units, -1, -1):
                j = order[second] if second < units else -1  # the one that is closed; none at first
                if (i < 0 and j < 0) or (j >= 0 and (not here[j] or ground.must[j])):
                    continue
                open_[:] = here
                if j >= 0:
                    open_[j] = False
                if i >= 0:
                    if not _may_open(ground, open_, i):
                        continue
                    open_[i] = True
                if desk.halt[0] or tries <= 0:
                    return tries
                tries -= 1
                _try(ground, desk, open_, option, left)
                if desk.worth[0] > before:
                    is_better = True
                    break
            if is_better:
                break
    return tries


@compiled
def force(ground, desk, forced):  # type: ignore[no-untyped-def]
    """What no plan with each project at each option exceeds, (P, S), at the best prices; the bound itself."""
    projects, options = ground.value.shape
    desk.prices[:] = desk.best_prices
    bound = _bound(ground, desk)
    enter, decline = _units(ground, desk)
    without, gone = np.zeros((options, projects)), np.zeros(projects)
    for s in range(options):
        if desk.open[ground.unit[s]]:
            for p in range(projects):
                if desk.taken[s, p]:
                    without[s, p] = -min(ground.value[p, s] - desk.prices[p], decline[ground.unit[s]])
    for s in range(options):  # where the room is scarce somebody else may enter
        if desk.taken[s].any() and _is_full(ground, desk, s):
            without[s] = 0.0
        gone += without[s]
    for s in range(options):
        best, room, j = desk.by_room, ground.room[s], ground.unit[s]
        best[: room + 1] = 0.0
        for p in range(projects):
            gain, w = ground.value[p, s] - desk.prices[p], ground.weight[s, p]
            if gain > 1e-12 and w <= room:
                for c in range(room, w - 1, -1):
                    best[c] = max(best[c], best[c - w] + gain)
        for p in range(projects):
            gain, w = ground.value[p, s] - desk.prices[p], ground.weight[s, p]
            if gain == -np.inf or w > room:
                forced[p, s] = -np.inf
            else:
                into = min(best[room - w] + gain - best[room], 0.0)
                forced[p, s] = bound + enter[j] + into
                if desk.open[j] or enter[j] == desk.earned[j]:  # not in place of a unit that is open
                    forced[p, s] += gone[p] - without[s, p]
    return bound


@compiled
def _is_full(ground, desk, s):  # type: ignore[no-untyped-def]
    """Whether somebody who would gain there is kept out for want of room."""
    for p in range(len(desk.prices)):
        is_in = desk.taken[s, p] or ground.weight[s, p] > ground.room[s]
        if not is_in and ground.value[p, s] - desk.prices[p] > 1e-12:
            return True
    return False


@compiled
def _units(ground, desk):  # type: ignore[no-untyped-def]
    """By how much the bound changes when a unit has to open; and by how much it falls at most when one earns less."""
    units = len(ground.cost)
    enter, decline, closing, sites = np.zeros(units), np.zeros(units), 0, np.zeros(units)
    for s in range(len(ground.unit)):
        sites[ground.unit[s]] += 1
    for j in range(units):
        closing += ground.cover[j] if not ground.must[j] and desk.earned[j] <= 0 else 0
    is_covered = closing > ground.spare[0] >= 0
    full = _cover(ground, desk, -1) if is_covered else 0.0
    for j in range(units):
        worst, next_ = np.inf, 0.0  # of the same limit: the least that is open, the most that is closed
        if ground.limit[j] >= 0:
            count = 0
            for i in range(units):
                if ground.limit[i] == ground.limit[j]:
                    count += desk.open[i]
                    if desk.open[i] and not ground.must[i]:
                        worst = min(worst, desk.earned[i])
                    elif not desk.open[i]:
                        next_ = max(next_, desk.earned[i])
            if count < ground.most[ground.limit[j]]:
                worst = np.inf
        if is_covered:
            enter[j] = 0.0 if desk.open[j] else _cover(ground, desk, j) - full
        elif not desk.open[j]:
            enter[j] = desk.earned[j] - (worst if worst < np.inf else 0.0)
        if ground.must[j]:
            decline[j] = np.inf
        elif not is_covered and desk.open[j]:
            decline[j] = max(desk.earned[j] - next_, 0.0) / sites[j]
    return enter, decline
