"""What no plan can exceed: Lagrangian prices of pools, then column generation with exact knapsacks.

`price_pools` dualises the pools and keeps 'each project at most once': the bound of the linear relaxation, nearly,
by quasi-Newton steps on a smoothed dual. `price_knapsacks` dualises 'each project at most once' and all resources but
one, whose pools become exact 0-1 knapsacks (Fisher 1981; Fisher, Jaikumar & Van Wassenhove 1986): a tighter
bound. Both are true at any prices, so neither depends on a tolerance of a linear solver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from geo_cluster.matching.engine.milp import Linear, Relaxation
from geo_cluster.matching.engine.model import Draw, Model
from geo_cluster.matching.engine.steps import common_step
from geo_cluster.matching.resource import Floats, Ints

_WIDTH = 64  # options of a project that are looked at while prices move
_MANY = 2_000_000  # pairs beyond which prices are found for a sample of projects first
_SAMPLE = 1_000  # projects in it
_STEPS = 60  # most quasi-Newton steps at one softness
_NOTHING = 1e-12  # profit below which a pair is no item of a knapsack
_GRID = 4096  # states of a knapsack whose weights aren't integers: weights are rounded down, so the bound holds


@dataclass(frozen=True, eq=False)
class Bound:
    """A bound and the prices that prove it.

    Attributes
    ----------
    value : float
        No plan has a higher objective value.
    project_prices : (P,) array
        Price of each project: what the bound falls by, at least, when it stays unplaced.
    prices : list of (K,) arrays
        Price of one unit of each pool of each draw.
    forced : (P, S) array
        No plan with project p at option s has a higher objective value; -inf where it can't go.
    filling : pair of int arrays
        Projects and options that fill the knapsacks best at these prices: nearly a plan.
    """

    value: float
    project_prices: Floats
    prices: list[Floats]
    forced: Floats
    filling: tuple[Ints, Ints] = (np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))


@dataclass(frozen=True, eq=False)
class _Entries:
    """Pairs that are looked at while prices move: project and option, value, and what each draw takes where."""

    p: Ints
    s: Ints
    value: Floats
    demand: list[Floats]
    pool: list[Ints]

    def reduced(self, prices: list[Floats]) -> Floats:
        """Value less what the draws cost."""
        left = self.value.copy()
        for demand, pool, price in zip(self.demand, self.pool, prices, strict=True):
            left -= demand * np.append(price, 0.0)[pool]
        return left


def _entries(model: Model, prices: list[Floats], *, width: int = _WIDTH) -> tuple[_Entries, bool]:
    """The pairs that prices favour, `width` a project, in the order of projects; and whether these are all."""
    if model.tied and model.value.size <= _MANY:  # which of many alike is favoured says nothing
        width = model.value.shape[1]
    every = model.value.shape[1] <= width
    if every:
        p, s = np.nonzero(np.isfinite(model.value))
    else:
        left = model.reduced(prices)
        if model.tied:
            left += np.random.default_rng(0).random(left.shape) * 1e-3 * model.spread
        top = np.sort(np.argpartition(-left, width - 1, axis=1)[:, :width], axis=1)
        keep = np.isfinite(np.take_along_axis(model.value, top, axis=1))
        p, s = np.nonzero(keep)[0], top[keep]
    demand, pool = [draw.of(p, s) for draw in model.draws], [draw.pool[s] for draw in model.draws]
    return _Entries(p, s, model.value[p, s], demand, pool), every


def _load(entries: _Entries, chosen: Ints, model: Model) -> list[Floats]:
    """What chosen entries draw from the pools of each draw."""
    loads = []
    for draw, demand, pool in zip(model.draws, entries.demand, entries.pool, strict=True):
        at = pool[chosen]
        weights = demand[chosen][at >= 0]
        loads.append(np.bincount(at[at >= 0], weights=weights, minlength=len(draw.capacity)).astype(float))
    return loads


def price_pools(model: Model, *, stop: Callable[[], bool] = lambda: False) -> Bound:
    """Bound by prices of pools: the dual of the linear relaxation, smoothed less and less.

    Parameters
    ----------
    model : Model
    stop : callable
        Asked now and then.

    Notes
    -----
    'The best option of a project' has corners where subgradient steps stall. A soft maximum (Nesterov 2005) has
    none, so a quasi-Newton method (Zhu, Byrd, Lu & Nocedal 1997) comes within a part in ten thousand of the linear
    relaxation in some hundred steps.
    """
    best = _bound_at(model, [np.zeros(len(draw.capacity)) for draw in model.draws])
    finite = model.value[np.isfinite(model.value)]
    if not model.draws or not len(finite):
        return best
    softness = max(float(finite.std()), 1e-3 * float(np.abs(finite).max()), 1e-9)
    prices = best.prices
    if model.value.size > _MANY:
        prices = _smoothed(_sample(model), prices, softness=softness / 4, width=model.value.shape[1], stop=stop)
    for level in range(1, 7):
        prices = _smoothed(model, prices, softness=softness / 4**level, width=_WIDTH, stop=stop)
        trial = _bound_at(model, prices)
        gain, best = best.value - trial.value, trial if trial.value < best.value else best
        if stop() or 0 <= gain < 1e-5 * abs(best.value):
            break
    return best


def price_relaxed(model: Model) -> Bound:
    """Bound by prices of pools, of the linear relaxation itself: soonest where problems are small."""
    p, s = np.nonzero(np.isfinite(model.value))
    count = len(model.value)
    top = np.concatenate([np.ones(count), *[draw.capacity for draw in model.draws]])
    low = np.full(len(top), -np.inf)
    low[:count][model.must] = 1.0
    found = Relaxation(Linear(model.value[p, s], model.matrix(p, s), low, top, 1.0, False)).solve()
    price = np.zeros(len(top)) if found is None else np.maximum(found[1], 0.0)
    cuts = np.cumsum([len(draw.capacity) for draw in model.draws], dtype=np.intp)
    return _bound_at(model, np.split(price[count:], cuts)[: len(cuts)])


def _sample(model: Model) -> Model:
    """An even sample of projects with their share of each pool."""
    rows = np.unique(np.linspace(0, len(model.value) - 1, _SAMPLE).astype(np.intp))
    share = len(rows) / len(model.value)
    draws = tuple(replace(draw, demand=draw.demand[rows], capacity=draw.capacity * share) for draw in model.draws)
    return replace(model, value=model.value[rows], draws=draws, must=model.must[rows])


def _smoothed(
    model: Model, prices: list[Floats], *, softness: float, width: int, stop: Callable[[], bool]
) -> list[Floats]:
    """Prices that minimise the bound with soft maxima, looking only at pairs that the first prices favour."""
    from scipy.optimize import minimize  # slow to import, and small problems need none

    entries, _ = _entries(model, prices, width=width)
    if not len(entries.p):
        return prices
    starts = np.flatnonzero(np.diff(entries.p, prepend=-1))
    row = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(entries.p))))
    least = np.where(model.must[entries.p[starts]], -np.inf, 0.0)  # value of staying unplaced
    # prices are stepped per usual project, so that mu and MVA weigh alike
    unit = [max(float(draw.demand.mean()), 1e-9) for draw in model.draws]
    room = np.concatenate([draw.capacity / each for draw, each in zip(model.draws, unit, strict=True)])
    cuts = np.cumsum([len(draw.capacity) for draw in model.draws])[:-1]

    def priced(y: Floats) -> list[Floats]:
        return [part / each for part, each in zip(np.split(y, cuts), unit, strict=True)]

    def bound(y: Floats) -> tuple[float, Floats]:
        left = entries.reduced(priced(y))
        top = np.maximum(np.maximum.reduceat(left, starts), least)
        share = np.exp((left - top[row]) / softness)
        total = np.add.reduceat(share, starts) + np.exp((least - top) / softness)
        share /= total[row]
        loads = [
            np.bincount(pool + 1, weights=demand * share, minlength=len(draw.capacity) + 1)[1:] / each
            for draw, demand, pool, each in zip(model.draws, entries.demand, entries.pool, unit, strict=True)
        ]
        value = float(room @ y) + float((top + softness * np.log(total)).sum())
        return value, room - np.concatenate(loads)

    def watch(_: Floats) -> None:
        if stop():
            raise StopIteration

    first = np.concatenate([price * each for price, each in zip(prices, unit, strict=True)])
    # with more than some 7 corrections the small matrices of L-BFGS-B go to threads that wait for each other
    how = {"maxiter": _STEPS, "maxcor": 7, "ftol": 1e-9}
    found = minimize(
        bound, first, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(first), callback=watch, options=how
    )
    return priced(np.maximum(found.x, 0.0))


def _bound_at(model: Model, prices: list[Floats]) -> Bound:
    """The bound at given prices of the pools, over all pairs."""
    left = model.reduced(prices)
    project_prices = left.max(axis=1)
    project_prices = np.where(
        np.isfinite(project_prices), np.where(model.must, project_prices, np.maximum(project_prices, 0.0)), 0.0
    )
    value = _at_prices(model, prices) + float(project_prices.sum())
    left += value - project_prices[:, None]
    return Bound(value, project_prices, prices, left)


def _at_prices(model: Model, prices: list[Floats]) -> float:
    """What all pools cost at prices, with what is decided already."""
    return model.base + sum(float(price @ draw.capacity) for price, draw in zip(prices, model.draws, strict=True))


def price_knapsacks(
    model: Model,
    start: Bound,
    *,
    plan: float,
    steps: int = 250,
    stop: Callable[[], bool] = lambda: False,
    on_bound: Callable[[float], None] = lambda _: None,
) -> Bound:
    """Tighter bound: the pools of the resource with most pools as exact knapsacks.

    Parameters
    ----------
    model : Model
    start : Bound
        Prices to begin with.
    plan : float
        Objective value of a plan: what the steps aim at.
    steps : int
        Most steps.
    stop : callable
        Asked before each step.
    on_bound : callable
        Called with each better bound.
    """
    if not model.draws:
        return start
    main = int(np.argmax([len(draw.capacity) for draw in model.draws]))
    unit = [max(float(draw.demand.mean()), 1e-9) for draw in model.draws]  # prices are stepped per usual project
    tied = np.where(model.must, np.inf, 0.0)
    project_prices, prices = start.project_prices.copy(), [price.copy() for price in start.prices]
    entries, every = _entries(model, prices)
    prices[main] = np.zeros_like(prices[main])
    knapsacks = _Knapsacks(model, main)
    best, best_at, scale, stale = np.inf, (project_prices, prices), 0.3, 0
    push = [np.zeros(len(project_prices)), *[np.zeros(len(price)) for price in prices]]
    for _ in range(steps):
        value, chosen, _ = knapsacks.solve(entries, project_prices, prices)
        if value < best - 1e-9 * abs(value):
            best, best_at, stale = value, (project_prices, prices), 0
            if every:
                on_bound(best)
        else:
            stale += 1
        if stale >= 4:
            scale, stale, (project_prices, prices) = scale / 2, 0, best_at
        if scale < 1e-4 or best <= plan or stop():
            break
        over = [np.bincount(entries.p[chosen], minlength=len(project_prices)) - 1.0]
        loads = _load(entries, chosen, model)
        over += [(load - draw.capacity) / each for load, draw, each in zip(loads, model.draws, unit, strict=True)]
        over = [
            np.where((at <= 0) & (o < 0), 0.0, o) for at, o in zip([project_prices + tied, *prices], over, strict=True)
        ]
        over[main + 1] = np.zeros_like(over[main + 1])
        push = [0.3 * old + 0.7 * new for old, new in zip(push, over, strict=True)]
        norm = sum(float(each @ each) for each in push)
        if norm < 1e-18:
            break
        step = scale * (value - plan) / norm
        project_prices = np.maximum(project_prices + step * push[0], -tied)
        prices = [
            np.maximum(price + step * each / u, 0.0) for price, each, u in zip(prices, push[1:], unit, strict=True)
        ]
    project_prices, prices = best_at
    left = model.reduced(prices)
    left -= project_prices[:, None]
    p, s = np.nonzero(left > _NOTHING)
    demand, pool = [draw.of(p, s) for draw in model.draws], [draw.pool[s] for draw in model.draws]
    value, chosen, by_pool = knapsacks.solve(_Entries(p, s, model.value[p, s], demand, pool), project_prices, prices)
    on_bound(value)
    left += value
    knapsacks.force(left, by_pool)
    np.minimum(left, start.forced, out=left)
    return Bound(min(value, start.value), project_prices, prices, left, (p[chosen], s[chosen]))


class Grid:
    """The pools of one draw as knapsacks of integers.

    Attributes
    ----------
    cell : (K,) array
        Demand that one cell of each pool holds.
    room : (K,) int array
        Cells of each pool.
    """

    def __init__(self, draw: Draw) -> None:
        capacity, grain = draw.capacity, common_step(draw.demand)
        exact = np.zeros(len(capacity), dtype=bool) if grain is None else capacity / grain <= 2 * _GRID
        self.cell = np.where(exact, grain or 1.0, np.maximum(capacity, 1e-12) / _GRID)
        self.room = np.where(exact, np.floor(capacity / self.cell + 1e-6), _GRID).astype(np.intp)

    def weights(self, demand: Floats, pool: Ints) -> Ints:
        """Demand in cells of the pool's grid, rounded down unless it is an integer number of them."""
        return np.floor(np.minimum(demand / self.cell[pool], 4.0 * _GRID) + 1e-6).astype(np.intp)


class _Knapsacks:
    """The pools of one draw, each a 0-1 knapsack."""

    def __init__(self, model: Model, main: int) -> None:
        from geo_cluster.matching.engine.knapsack import fill

        self.model, self.main, self.draw, self.fill = model, main, model.draws[main], fill
        grid = Grid(self.draw)
        self.room, self.weights = grid.room, grid.weights

    def solve(
        self, entries: _Entries, project_prices: Floats, prices: list[Floats]
    ) -> tuple[float, Ints, dict[int, Floats]]:
        """The bound at given prices, the entries that fill the knapsacks best, each knapsack's best profit by room."""
        profit = entries.reduced(prices) - project_prices[entries.p]
        pool = entries.pool[self.main]
        at = np.flatnonzero(profit > _NOTHING)
        free = at[pool[at] < 0]
        total = _at_prices(self.model, prices) + float(project_prices.sum())
        chosen = []
        if len(free):  # options that draw on no knapsack: the best of each project
            free = free[np.lexsort((-profit[free], entries.p[free]))]
            free = free[np.unique(entries.p[free], return_index=True)[1]]
            total += float(profit[free].sum())
            chosen.append(free)
        at = at[pool[at] >= 0]
        weight = self.weights(entries.demand[self.main][at], pool[at])
        fits = weight <= self.room[pool[at]]
        at, weight = at[fits], weight[fits]
        order = np.lexsort((-profit[at], entries.p[at], pool[at]))
        at, weight = at[order], weight[order]
        if self.draw.demand.ndim == 1 and len(at):  # options of one project in one pool weigh the same: the best
            first = np.flatnonzero((np.diff(pool[at], prepend=-1) != 0) | (np.diff(entries.p[at], prepend=-1) != 0))
            at, weight = at[first], weight[first]
        by_pool: dict[int, Floats] = {}
        cuts = np.flatnonzero(np.diff(pool[at])) + 1
        for group, size in zip(np.split(at, cuts), np.split(weight, cuts), strict=True):
            if len(group):
                k = int(pool[group[0]])
                taken, by_pool[k] = self.fill(entries.p[group], profit[group], size, int(self.room[k]))
                total += float(by_pool[k][-1])
                chosen.append(group[taken])
        return total, np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.intp), by_pool

    def force(self, bound: Floats, by_pool: dict[int, Floats]) -> None:
        """Take from the (P, S) bound, in place, what the rest of a knapsack loses when a project is made to enter."""
        for s in np.flatnonzero(self.draw.pool >= 0):
            k = int(self.draw.pool[s])
            demand = self.draw.demand if self.draw.demand.ndim == 1 else self.draw.demand[:, s]
            rest = self.room[k] - self.weights(demand, np.full(len(demand), k))
            by_room = by_pool.get(k)
            if by_room is not None:
                bound[:, s] += by_room[np.maximum(rest, 0)] - by_room[-1]
            bound[rest < 0, s] = -np.inf
