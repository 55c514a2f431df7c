"""What no plan can exceed: Lagrangian prices of pools, then column generation with exact knapsacks.

`price_pools` dualises the pools and keeps 'each project at most once': the bound of the linear relaxation, at
the cost of one argmax a step. `price_knapsacks` dualises 'each project at most once' and all resources but
one, whose pools become exact 0-1 knapsacks (Fisher 1981; Fisher, Jaikumar & Van Wassenhove 1986): a tighter
bound. Both are true at any prices, so neither depends on a tolerance of a linear solver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geo_cluster.matching.model import Model
from geo_cluster.matching.problem import Floats, Ints

_GRID = 4096  # states of a knapsack whose weights aren't whole numbers: weights are rounded down, so the bound holds


@dataclass(frozen=True, eq=False)
class Bound:
    """A bound and the prices that prove it.

    Attributes
    ----------
    value : float
        No plan is worth more.
    rent : (P,) array
        Price of each project: what the bound falls by, at least, when it stays unplaced.
    prices : list of (K,) arrays
        Price of one unit of each pool of each draw.
    forced : (P, S) array
        No plan with project p at option s is worth more; -inf where it can't go.
    """

    value: float
    rent: Floats
    prices: list[Floats]
    forced: Floats


def price_pools(model: Model, *, plan: float, steps: int = 300, stop: Callable[[], bool] = lambda: False) -> Bound:
    """Bound by subgradient steps on the prices of pools.

    Parameters
    ----------
    model : Model
    plan : float
        Worth of a plan: what the steps aim at.
    steps : int
        Most steps.
    stop : callable
        Asked before each step.
    """
    prices = [np.zeros(len(draw.capacity)) for draw in model.draws]
    best, best_prices, scale, stale = np.inf, prices, 1.0, 0
    everyone, must = np.arange(len(model.value)), model.must
    push = [np.zeros(len(draw.capacity)) for draw in model.draws]
    for _ in range(steps):
        left = model.reduced(prices)
        option = left.argmax(axis=1)
        rent = np.where(must, left[everyone, option], np.maximum(left[everyone, option], 0.0))
        rent = np.where(np.isfinite(rent), rent, 0.0)
        value = _at_prices(model, prices) + float(rent.sum())
        if value < best - 1e-9 * abs(best if np.isfinite(best) else 1.0):
            best, best_prices, stale = value, [price.copy() for price in prices], 0
        else:
            stale += 1
        if stale >= 20:
            scale, stale, prices = scale / 2, 0, [price.copy() for price in best_prices]
        if scale < 1e-4 or value <= plan or stop():
            break
        placed = np.flatnonzero((rent > 0) | must)
        over = [draw.load(placed, option[placed]) - draw.capacity for draw in model.draws]
        # measured in shares of the pool, so that mu and MVA weigh alike
        over = [each / np.maximum(draw.capacity, 1e-9) for each, draw in zip(over, model.draws, strict=True)]
        push = [0.3 * old + 0.7 * new for old, new in zip(push, over, strict=True)]
        norm = sum(float(each @ each) for each in push)
        if norm < 1e-18:
            break
        step = scale * (value - plan) / norm
        prices = [
            np.maximum(price + step * each / np.maximum(draw.capacity, 1e-9), 0.0)
            for price, each, draw in zip(prices, push, model.draws, strict=True)
        ]
    left = model.reduced(best_prices)
    rent = left.max(axis=1)
    rent = np.where(np.isfinite(rent), np.where(must, rent, np.maximum(rent, 0.0)), 0.0)
    value = _at_prices(model, best_prices) + float(rent.sum())
    left += value - rent[:, None]
    return Bound(value, rent, best_prices, left)


def _at_prices(model: Model, prices: list[Floats]) -> float:
    """What all pools are worth, with what is decided already."""
    return model.base + sum(float(price @ draw.capacity) for price, draw in zip(prices, model.draws, strict=True))


def price_knapsacks(
    model: Model,
    start: Bound,
    *,
    plan: float,
    steps: int = 250,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[float], None] = lambda _: None,
) -> Bound:
    """Tighter bound: the pools of the resource with most pools as exact knapsacks.

    Parameters
    ----------
    model : Model
    start : Bound
        Prices to begin with.
    plan : float
        Worth of a plan: what the steps aim at.
    steps : int
        Most steps.
    stop : callable
        Asked before each step.
    told : callable
        Told of each better bound.
    """
    if not model.draws:
        return start
    main = int(np.argmax([len(draw.capacity) for draw in model.draws]))
    unit = [max(float(draw.demand.mean()), 1e-9) for draw in model.draws]  # prices are stepped per usual project
    blocks, tied = _blocks(model, main), np.where(model.must, np.inf, 0.0)
    rent, prices = start.rent.copy(), [price.copy() for price in start.prices]
    prices[main] = np.zeros_like(prices[main])
    best, best_at, scale, stale = np.inf, (rent, prices), 0.3, 0
    push = [np.zeros(len(rent)), *[np.zeros(len(price)) for price in prices]]
    for _ in range(steps):
        value, p, s, _ = _solve_blocks(model, blocks, rent, prices)
        if value < best - 1e-9 * abs(value):
            best, best_at, stale = value, (rent, prices), 0
            told(best)
        else:
            stale += 1
        if stale >= 4:
            scale, stale, (rent, prices) = scale / 2, 0, best_at
        if scale < 1e-4 or best <= plan or stop():
            break
        over = [np.bincount(p, minlength=len(rent)) - 1.0]
        over += [(draw.load(p, s) - draw.capacity) / each for draw, each in zip(model.draws, unit, strict=True)]
        over = [np.where((at <= 0) & (o < 0), 0.0, o) for at, o in zip([rent + tied, *prices], over, strict=True)]
        over[main + 1] = np.zeros_like(over[main + 1])
        push = [0.3 * old + 0.7 * new for old, new in zip(push, over, strict=True)]
        norm = sum(float(each @ each) for each in push)
        if norm < 1e-18:
            break
        step = scale * (value - plan) / norm
        rent = np.maximum(rent + step * push[0], -tied)
        prices = [
            np.maximum(price + step * each / u, 0.0) for price, each, u in zip(prices, push[1:], unit, strict=True)
        ]
    rent, prices = best_at
    value, _, _, worth = _solve_blocks(model, blocks, rent, prices)
    forced = _forced(model, blocks, rent, prices, value, worth)
    return Bound(min(value, start.value), rent, prices, np.minimum(forced, start.forced))


@dataclass(frozen=True, eq=False)
class _Block:
    """One pool of the main resource: its options, and whole-number weights on its grid."""

    options: Ints
    weight: Ints  # (P,) or (P, options)
    room: int


def _blocks(model: Model, main: int) -> list[_Block]:
    draw = model.draws[main]
    grain = _grain(draw.demand)
    blocks = []
    for k, capacity in enumerate(draw.capacity):
        options = np.flatnonzero(draw.pool == k)
        if len(options):
            demand = draw.demand if draw.demand.ndim == 1 else draw.demand[:, options]
            blocks.append(_block(options, demand, capacity, grain))
    free = np.flatnonzero(draw.pool < 0)
    if len(free):
        zero = np.zeros(len(model.value), dtype=np.intp)
        blocks.append(_Block(free, zero, 0))
    return blocks


def _block(options: Ints, demand: Floats, capacity: float, grain: float | None) -> _Block:
    if grain and capacity / grain <= 2 * _GRID:
        return _Block(options, np.rint(demand / grain).astype(np.intp), int(np.floor(capacity / grain + 1e-6)))
    cell = max(capacity, 1e-12) / _GRID
    weight = np.floor(np.minimum(demand / cell, 2.0 * _GRID) + 1e-9).astype(np.intp)
    return _Block(options, weight, _GRID)


def _grain(demand: Floats) -> float | None:
    """The largest of 1, 0.1, 0.01 … of which every demand is a multiple."""
    for grain in (1.0, 0.5, 0.1, 0.05, 0.01):
        if np.allclose(demand / grain, np.rint(demand / grain), rtol=0, atol=1e-6):
            return grain
    return None


def _solve_blocks(
    model: Model, blocks: list[_Block], rent: Floats, prices: list[Floats]
) -> tuple[float, Ints, Ints, list[Floats]]:
    """The bound at given prices, the projects and options that fill the blocks best, each block's worth by room."""
    left = model.reduced(prices)
    left -= rent[:, None]
    total, columns, worth = _at_prices(model, prices) + float(rent.sum()), [], []
    for block in blocks:
        here = left[:, block.options]
        if block.weight.ndim == 1:
            pick = here.argmax(axis=1)
            profit = here[np.arange(len(here)), pick]
            items = np.flatnonzero(profit > 1e-12)
            items = items[block.weight[items] <= block.room]
            taken, by_room = knapsack(profit[items], block.weight[items], block.room)
            columns.append((items[taken], block.options[pick[items[taken]]]))
        else:
            row, column = np.nonzero((here > 1e-12) & (block.weight <= block.room))
            taken, by_room = _choice_knapsack(row, here[row, column], block.weight[row, column], block.room)
            columns.append((row[taken], block.options[column[taken]]))
        total += float(by_room[-1])
        worth.append(by_room)
    p, s = (np.concatenate(each) for each in zip(*columns, strict=True))
    return total, p, s, worth


def knapsack(profit: Floats, weight: Ints, room: int) -> tuple[Ints, Floats]:
    """Items of the best filling, and the best profit for each room 0 … `room` (Bellman's recursion)."""
    best = np.zeros(room + 1)
    if weight.sum() <= room and len(profit) > 30:
        order = np.argsort(-profit / np.maximum(weight, 1))
        profit, weight = profit[order], weight[order]
    else:
        order = np.arange(len(profit))
    used = np.zeros((len(profit), room + 1), dtype=bool)
    for i, (gain, size) in enumerate(zip(profit.tolist(), weight.tolist(), strict=True)):
        with_it = best[: room + 1 - size] + gain
        better = with_it > best[size:]
        used[i, size:] = better
        best[size:] = np.where(better, with_it, best[size:])
    taken, at = [], room
    for i in range(len(profit) - 1, -1, -1):
        if used[i, at]:
            taken.append(i)
            at -= int(weight[i])
    return order[np.array(taken[::-1], dtype=np.intp)], best


def _choice_knapsack(row: Ints, profit: Floats, weight: Ints, room: int) -> tuple[Ints, Floats]:
    """As `knapsack`, with at most one item of each row."""
    if len(np.unique(row)) == len(row):
        return knapsack(profit, weight, room)
    best, chosen = np.zeros(room + 1), []
    groups = np.split(np.arange(len(row)), np.flatnonzero(np.diff(row)) + 1)
    for group in groups:
        before, which = best, np.full(room + 1, -1, dtype=np.int32)
        for i in group:
            with_it = before[: room + 1 - weight[i]] + profit[i]
            better = with_it > best[weight[i] :]
            which[weight[i] :][better] = i
            best = np.concatenate([best[: weight[i]], np.where(better, with_it, best[weight[i] :])])
        chosen.append(which)
    taken, at = [], room
    for which in reversed(chosen):
        if which[at] >= 0:
            taken.append(int(which[at]))
            at -= int(weight[which[at]])
    return np.array(taken[::-1], dtype=np.intp), best


def _forced(
    model: Model, blocks: list[_Block], rent: Floats, prices: list[Floats], value: float, worth: list[Floats]
) -> Floats:
    """(P, S): the bound when project p is made to go to option s."""
    forced = model.reduced(prices)
    forced += value - rent[:, None]
    for block, by_room in zip(blocks, worth, strict=True):
        rest = block.room - block.weight
        kept = np.where(rest >= 0, by_room[np.maximum(rest, 0)], -np.inf) - by_room[-1]
        forced[:, block.options] += kept[:, None] if kept.ndim == 1 else kept
    return forced
