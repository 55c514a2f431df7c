"""Cuts that know which projects fit into a pool together.

A pool says `demand @ x <= capacity`; of fractions of projects that allows more than undivided ones can use. Each pool
is a 0-1 knapsack, and exact separation (Boccia 2006; Avella, Boccia & Vasilyev 2010) finds what a point violates of
its convex hull, whatever the inequality looks like: the best cut is a linear programme over fillings of the knapsack,
which a dynamic programme supplies as they are needed. Projects that the point leaves out are lifted in afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from geo_cluster.matching.engine.bound import Grid
from geo_cluster.matching.engine.compiled import compiled
from geo_cluster.matching.engine.milp import Relaxation
from geo_cluster.matching.engine.model import Model
from geo_cluster.matching.engine.search import Program
from geo_cluster.matching.resource import Floats, Ints

_ROUNDS = 100
_STALE, _LITTLE = 3, 1e-5  # so many rounds that lower the bound by a smaller share are enough
_VIOLATED, _ENOUGH = 1e-3, 0.9  # by how much a cut has to be violated, and what share of the most that is possible


@dataclass(frozen=True, eq=False)
class Cuts:
    """A programme with cuts, and what they prove.

    Attributes
    ----------
    task : Program
        The same programme with the cuts that bind as further rows.
    bound : float
        No solution of the programme has a higher value.
    forced : array
        No solution with a column in it has a higher value.
    """

    task: Program
    bound: float
    forced: Floats


def cut(model: Model, task: Program, *, fillings: int = 300, stop: Callable[[], bool] = lambda: False) -> Cuts | None:
    """Add cuts to a programme until its linear relaxation violates none, or little is won; None when it has none.

    Parameters
    ----------
    model : Model
        Whose pools the programme's columns draw on.
    task : Program
    fillings : int
        Most fillings of a pool that are looked at for one cut.
    stop : callable
        Asked now and then.
    """
    pools = _pools(model, task)
    relaxation = Relaxation(task)
    cuts: list[tuple[Ints, Floats]] = []
    best, stale = np.inf, 0
    for number in range(_ROUNDS):
        found = relaxation.solve()
        if found is None:
            return None
        x, price = found
        value = float(task.cost @ x)
        stale = 0 if best == np.inf or value < best - _LITTLE * abs(best) else stale + 1
        best = min(best, value)
        if stale >= _STALE or stop():
            break
        new = [each for pool in pools if (each := pool.separate(x, number, fillings)) is not None]
        if not new:
            break
        for columns, values in new:
            relaxation.add(columns, values, 1.0)
        cuts += new
    binds = [each for each in cuts if each[1] @ x[each[0]] > 1 - 1e-6]
    bound, forced = _proven(task, cuts[: len(price) - len(task.top)], price)
    return Cuts(_with(task, binds), bound, forced)


def warm() -> None:
    """Compile the separation and keep it on disk."""
    _Pool(np.arange(3), np.arange(3), np.full(3, 2), 3).separate(np.array([0.75, 0.75, 0.0]), 0, 10)


def _proven(task: Program, cuts: list[tuple[Ints, Floats]], price: Floats) -> tuple[float, Floats]:
    """What prices of the rows prove, whatever the tolerance with which they were found."""
    low = np.concatenate([task.low, np.full(len(cuts), -np.inf)])
    top = np.concatenate([task.top, np.ones(len(cuts))])
    price = np.where(np.isfinite(np.where(price > 0, top, low)), price, 0.0)
    left = task.cost - _rows(task, cuts).T @ price
    total = float((price * np.where(price > 0, top, np.where(price < 0, low, 0.0))).sum())
    bound = total + float((np.maximum(left, 0.0) * task.upper).sum())
    return bound, bound + np.minimum(left, 0.0)


def _rows(task: Program, cuts: list[tuple[Ints, Floats]]) -> sparse.csc_array:
    if not cuts:
        return task.matrix
    starts = np.cumsum([0, *[len(columns) for columns, _ in cuts]])
    further = sparse.csr_array(
        (np.concatenate([values for _, values in cuts]), np.concatenate([columns for columns, _ in cuts]), starts),
        shape=(len(cuts), task.matrix.shape[1]),
    )
    return sparse.csc_array(sparse.vstack([task.matrix, further]))


def _with(task: Program, cuts: list[tuple[Ints, Floats]]) -> Program:
    low = np.concatenate([task.low, np.full(len(cuts), -np.inf)])
    return replace(task, matrix=_rows(task, cuts), low=low, top=np.concatenate([task.top, np.ones(len(cuts))]))


class _Pool:
    """A pool as a knapsack.

    Parameters
    ----------
    columns : int array
        The programme's columns that draw on it.
    item : int array
        The item of each: a project takes the same wherever it goes.
    weight : int array
        Of each item, in cells.
    room : int
        Cells of the pool.
    """

    def __init__(self, columns: Ints, item: Ints, weight: Ints, room: int) -> None:
        self.columns, self.item, self.weight, self.room = columns, item, weight, room
        self.rests, self.until = 0, 0

    def separate(self, x: Floats, number: int, fillings: int) -> tuple[Ints, Floats] | None:
        """Columns and coefficients of a cut `coefficients @ x <= 1` that is violated, if there is any.

        To find out that there is none takes longest: a pool then rests, longer each time.
        """
        if number < self.until:
            return None
        share = np.bincount(self.item, weights=x[self.columns], minlength=len(self.weight))
        at = np.flatnonzero(share > 1e-6)
        if self.weight[at].sum() <= self.room:
            return None
        factor = np.zeros(len(self.weight))
        factor[at] = _factors(share[at], self.weight[at], self.room, fillings)
        if not factor.any():
            self.rests += 1
            self.until = number + 2 * self.rests
            return None
        others = np.flatnonzero(share <= 1e-6)
        _lift(factor, self.weight, at, others[np.argsort(-self.weight[others])], self.room)
        values = factor[self.item]
        keep = values > 1e-9
        return self.columns[keep], values[keep]


def _pools(model: Model, task: Program) -> list[_Pool]:
    """The pools that the programme's columns could fill to overflowing."""
    found = []
    for draw in model.draws:
        limited = np.isfinite(draw.capacity)
        grid, pool = Grid(replace(draw, capacity=np.where(limited, draw.capacity, 1.0))), draw.pool[task.s]
        for k in np.flatnonzero(limited):
            columns = np.flatnonzero(pool == k)
            if not len(columns):
                continue
            cells = grid.weights(draw.of(task.p[columns], task.s[columns]), pool[columns])
            pair, item = np.unique(np.column_stack([task.p[columns], cells]), axis=0, return_inverse=True)
            if pair[:, 1].sum() > grid.room[k] and (pair[:, 1] <= grid.room[k]).all():
                found.append(_Pool(columns, item.ravel(), pair[:, 1].astype(np.int64), int(grid.room[k])))
    return found


@compiled
def _factors(share, weight, room, fillings):  # type: ignore[no-untyped-def]
    """Factors that no filling brings above 1 and the shares bring furthest above; zeros when these don't.

    The prices of a cutting-stock problem (Gilmore & Gomory 1961): how few fillings, mixed, make up the shares?
    """
    n = len(share)
    basis, mix, cost = np.eye(n), share.copy(), np.ones(n)
    best, used, column = np.zeros(room + 1), np.zeros((n, room + 1), np.bool_), np.zeros(n)
    for _ in range(fillings):
        most_violated = (cost * mix).sum() - 1
        if most_violated <= _VIOLATED:
            break
        price = cost @ basis
        i = price.argmin()
        column[:] = 0.0
        if price[i] < -1e-9:  # more of a project than its share does no harm
            column[i], gain = -1.0, 0.0
        else:
            most = _fill(price, weight, room, best, used, column)
            gain = 1.0
            if (price * share).sum() / most - 1 >= max(_ENOUGH * most_violated, _VIOLATED):
                return np.maximum(price, 0.0) / max(most, 1.0)
        step = basis @ column
        shortest, leaves = np.inf, -1
        for k in range(n):
            if step[k] > 1e-9 and mix[k] / step[k] < shortest:
                shortest, leaves = mix[k] / step[k], k
        if leaves < 0:
            break
        basis[leaves] /= step[leaves]
        mix[leaves] = shortest
        cost[leaves] = gain
        for k in range(n):
            if k != leaves:
                basis[k] -= step[k] * basis[leaves]
                mix[k] = max(mix[k] - step[k] * shortest, 0.0)
    return np.zeros(n)


@compiled
def _fill(profit, weight, room, best, used, taken):  # type: ignore[no-untyped-def]
    """The best filling of a knapsack (Bellman's recursion): its profit; and in `taken` a 1 for who is in it."""
    n = len(profit)
    best[:] = 0.0
    used[:] = False
    for i in range(n):
        gain, w = profit[i], weight[i]
        if gain > 0:
            for c in range(room, w - 1, -1):
                if best[c - w] + gain > best[c] + 1e-12:
                    best[c] = best[c - w] + gain
                    used[i, c] = True
    c = room
    for i in range(n - 1, -1, -1):
        if used[i, c]:
            taken[i] = 1.0
            c -= weight[i]
    return best[room]


@compiled
def _lift(factor, weight, first, others, room):  # type: ignore[no-untyped-def]
    """Give the others, in order, the largest factors that keep the cut true (Padberg 1975), in place."""
    best = np.zeros(room + 1)
    for t in range(len(first) + len(others)):
        i = first[t] if t < len(first) else others[t - len(first)]
        w = weight[i]
        if t >= len(first):
            factor[i] = max(1.0 - best[room - w], 0.0)
            if factor[i] < 1e-9:
                factor[i] = 0.0
        if factor[i] > 0:
            for c in range(room, w - 1, -1):
                best[c] = max(best[c], best[c - w] + factor[i])
