"""Good plans: greedy at the prices of the pools, then large neighbourhoods solved exactly.

A neighbourhood frees some projects and solves for them while everything else stays where it is (Shaw 1998).
Small ones (a dozen projects, many options each) polish; wide ones (hundreds of projects, the few options each
that prices favour) are the kernels of Angelelli, Mansini & Speranza (2010). Limits count nodes of the search
tree, so that the same seed searches the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from geo_cluster.matching.engine.bound import Bound
from geo_cluster.matching.engine.milp import Limits, Linear, Outcome, maximise
from geo_cluster.matching.engine.model import Model
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints

_WIDTH = 40  # options of a project that are looked at, best first
_MOST_PAIRS = 1_000_000  # that are put in order at once


def candidates(forced: Floats, model: Model | None = None, *, width: int = _WIDTH) -> Ints:
    """(P, width): the options of each project, most promising first; -1 past the last.

    Of many that are alike, each project gets others, and not so many that those of another kind are left out.

    Parameters
    ----------
    forced : (P, S) array
        How promising each option is; -inf where a project can't go.
    model : Model, optional
        Says which options are alike.
    width : int
        Most options of a project.
    """
    width = min(width, forced.shape[1])
    ranked = forced if model is None or not model.tied else _varied(forced, model, width)
    top = np.argpartition(-ranked, width - 1, axis=1)[:, :width]
    value = np.take_along_axis(forced, top, axis=1)
    order = np.argsort(-value, axis=1, kind="stable")
    top, value = np.take_along_axis(top, order, axis=1), np.take_along_axis(value, order, axis=1)
    return np.where(np.isfinite(value), top, UNPLACED)


def _varied(forced: Floats, model: Model, width: int) -> Floats:
    """(P, S): the same, alike options in an order of chance, those of a kind beyond its share of `width` far back."""
    varied = np.empty_like(forced)
    random, step = np.random.default_rng(0), 1e-3 * model.spread
    for rows in np.array_split(np.arange(len(forced)), max(forced.size // _MOST_PAIRS, 1)):
        kind, finite = model.alike(rows), np.isfinite(forced[rows])
        chance = random.random(finite.shape) + np.where(finite, -np.rint(forced[rows] / step), np.inf)
        order = np.lexsort((chance, np.where(finite, kind, np.iinfo(np.intp).max)), axis=1)
        kind = np.take_along_axis(kind, order, axis=1)
        starts = np.diff(kind, axis=1, prepend=kind[:, :1] - 1) != 0
        first = np.maximum.accumulate(np.where(starts, np.arange(kind.shape[1]), 0), axis=1)
        share = np.ceil(width / (starts & np.take_along_axis(finite, order, axis=1)).sum(axis=1).clip(1))
        is_beyond = np.empty_like(finite)
        np.put_along_axis(is_beyond, order, np.arange(kind.shape[1]) - first >= share[:, None], axis=1)
        varied[rows] = np.where(finite, -step * (chance + is_beyond * 1e9), -np.inf)
    return varied


def greedy(model: Model, prices: list[Floats], first: tuple[Ints, Ints] | None = None) -> Ints:
    """(P,): each project to its best option that still fits.

    Twice: those that lose most by waiting go first; those that gain most go first. The better plan counts.

    Parameters
    ----------
    model : Model
    prices : list of (K,) arrays
        Prices of the pools of each draw, by which options are compared.
    first : projects and options, optional
        Placed before all others, the most valuable first, as far as they fit.
    """
    left = model.reduced(prices)
    listed = candidates(left, model)
    value = np.where(listed >= 0, np.take_along_axis(left, np.maximum(listed, 0), axis=1), -np.inf)
    second = np.maximum(value[:, 1], 0.0) if value.shape[1] > 1 else np.zeros(len(value))
    urgency = np.where(np.isfinite(value[:, 0]), value[:, 0] - second, -np.inf)
    before = np.zeros((0,), dtype=np.intp), np.zeros((0,), dtype=np.intp)
    if first is not None:
        order = np.argsort(-left[first], kind="stable")
        before = first[0][order], first[1][order]
    plans = [_in_order(model, np.argsort(-key, kind="stable"), listed, before) for key in (urgency, value[:, 0])]
    return max(plans, key=model.objective)


def _in_order(model: Model, order: Ints, listed: Ints, before: tuple[Ints, Ints]) -> Ints:
    """The plan of placing single pairs `before`, then projects in order, where they fit."""
    option = np.full(len(listed), UNPLACED, dtype=np.intp)
    room, pool, demand = model.stacked()

    def place(p: Ints, at: Ints) -> None:
        takes = demand[:, p, at] if demand.shape[2] > 1 else demand[:, p]
        fits = (room[pool[:, at]] >= takes).all(axis=0)
        if fits.any():
            first = int(fits.argmax())
            option[p] = at[first]
            np.subtract.at(room, pool[:, at[first]], takes[:, first if takes.shape[1] > 1 else 0])

    for p, s in zip(before[0], before[1], strict=True):
        if option[p] == UNPLACED:
            place(p, np.array([s]))
    for p in order:
        if option[p] == UNPLACED:
            place(p, listed[p][listed[p] >= 0])
    return option


def filled(model: Model, option: Ints, *, least: float = 0.0) -> Ints:
    """The plan with everyone placed who fits as it is, the most valuable first; all others stay.

    Parameters
    ----------
    model : Model
    option : (P,) int array
    least : float
        Value that placing a project has to have.
    """
    rows = model.open[option[model.open] == UNPLACED]
    if not len(rows):
        return option
    loads = model.loads(option)
    left = [np.append(draw.capacity - load, np.inf) for draw, load in zip(model.draws, loads, strict=True)]

    def fits(rows: Ints) -> Bools:
        found = model.value[rows] >= least
        for draw, room in zip(model.draws, left, strict=True):
            found &= (draw.demand[rows, None] if draw.demand.ndim == 1 else draw.demand[rows]) <= room[draw.pool]
        return found

    able = fits(rows)
    rows, able = rows[able.any(axis=1)], able[able.any(axis=1)]
    if not len(rows):
        return option
    option = option.copy()
    for p in rows[np.argsort(-np.where(able, model.value[rows], -np.inf).max(axis=1), kind="stable")]:
        row = np.array([p])
        value = np.where(fits(row)[0], model.value[p], -np.inf)
        s = int(value.argmax())
        if np.isfinite(value[s]):
            option[p] = s
            for draw, room in zip(model.draws, left, strict=True):
                room[draw.pool[s]] -= draw.of(row, np.array([s]))[0]
    return option


@dataclass(frozen=True, eq=False)
class Program(Linear):
    """A mixed-integer programme: columns 'project p at option s', then those of links and shortfalls; P projects."""

    upper: Floats
    integer: Bools
    p: Ints
    s: Ints
    projects: int

    def solve(
        self,
        option: Ints | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        *,
        stop: threading.Event | None = None,
        on_improvement: Callable[[Floats | None, float], None] | None = None,
    ) -> tuple[Ints | None, Outcome]:
        """The option of each project that has a column, all others unplaced; and what HiGHS found."""
        start = None
        if option is not None:
            start = np.concatenate([option[self.p] == self.s, np.zeros(len(self.cost) - len(self.p))]).astype(float)
        outcome = maximise(self, limits, start=start, stop=stop, on_improvement=on_improvement)
        return (None if outcome.x is None else self.plan(outcome.x)), outcome

    def narrowed(self, keep: Bools) -> Program:
        """With those columns only; those of links and shortfalls stay."""
        keep = np.concatenate([keep[: len(self.p)], np.ones(len(self.cost) - len(self.p), dtype=bool)])
        p, s = self.p[keep[: len(self.p)]], self.s[keep[: len(self.p)]]
        matrix = sparse.csc_array(self.matrix[:, np.flatnonzero(keep)])
        return replace(
            self, p=p, s=s, cost=self.cost[keep], matrix=matrix, upper=self.upper[keep], integer=self.integer[keep]
        )

    def plan(self, x: Floats) -> Ints:
        """(P,): the option that each project has in a solution."""
        option = np.full(self.projects, UNPLACED, dtype=np.intp)
        chosen = x[: len(self.p)] > 0.5
        option[self.p[chosen]] = self.s[chosen]
        return option


def program(
    model: Model, p: Ints, s: Ints, rest: Ints, *, penalty: float | None = None, alike: bool = False
) -> Program:
    """The programme that chooses among columns while `rest` stays.

    Parameters
    ----------
    p, s : int arrays
        The columns: project p at option s.
    rest : (P,) int array
        Option of each project that stays, -1 for those that are chosen anew.
    penalty : float, optional
        Price of missing all of a minimum, or a project that must be placed. When left out, none may be missed.
    alike : bool
        Whether the price is of one unit of a minimum, whatever it is of.
    """
    loads = model.loads(rest)
    left = [draw.capacity - load for draw, load in zip(model.draws, loads, strict=True)]
    fits = np.isfinite(model.value[p, s])
    for draw, room in zip(model.draws, left, strict=True):
        fits &= draw.of(p, s) <= np.append(room, np.inf)[draw.pool[s]]
    p, s = p[fits], s[fits]
    matrix = model.matrix(p, s)
    top = np.concatenate([np.ones(len(model.value)), *[np.maximum(room, 0.0) for room in left]])
    low = np.full(len(top), -np.inf)
    stays = rest != UNPLACED
    cost, extra = model.value[p, s].copy(), []
    if penalty is None:
        low[: len(model.value)][model.must & ~stays] = 1.0
    else:
        cost += penalty * model.must[p]
    first = len(model.value)
    for draw, load in zip(model.draws, loads, strict=True):
        wanted = draw.minimum - load
        for k in np.flatnonzero((draw.minimum > 0) & (wanted > 0)):
            low[first + k] = wanted[k]
            if penalty is not None:
                extra.append((-penalty / (1.0 if alike else draw.minimum[k]), wanted[k], [(first + k, 1.0)]))
                top[first + k] = max(top[first + k], wanted[k])
        first += len(draw.capacity)
    rows: list[tuple[list[int], list[float]]] = []
    for link in model.links:
        assert link.near is not None
        a, b = rest[link.first], rest[link.second]
        if a != UNPLACED and b != UNPLACED:
            continue
        mine, other = np.flatnonzero(p == link.first), np.flatnonzero(p == link.second)
        if a != UNPLACED:
            cost[other] += link.gain * link.near[a, s[other]]
        elif b != UNPLACED:
            cost[mine] += link.gain * link.near[s[mine], b]
        else:
            for j in mine:
                close = other[link.near[s[j], s[other]]]
                if len(close):
                    z = len(p) + len(extra)
                    extra.append((link.gain, 1.0, []))
                    rows.append(([z, int(j)], [1.0, -1.0]))
                    rows.append(([z, *close.tolist()], [1.0, *[-1.0] * len(close)]))
    upper = np.concatenate([np.ones(len(p)), [each[1] for each in extra]])
    integer = np.concatenate([np.ones(len(p), dtype=bool), np.zeros(len(extra), dtype=bool)])
    if extra:
        cost = np.concatenate([cost, [each[0] for each in extra]])
        entries = [(int(row), len(p) + j, v) for j, each in enumerate(extra) for row, v in each[2]]
        entries += [(len(top) + i, c, v) for i, row in enumerate(rows) for c, v in zip(*row, strict=True)]
        at_row, at_column, entry = (np.array(each) for each in zip(*entries, strict=True))
        shape = (len(top) + len(rows), len(cost))
        wide = sparse.csc_array(
            (matrix.data, matrix.indices, np.append(matrix.indptr, [matrix.nnz] * len(extra))), (len(top), len(cost))
        )
        wide.resize(shape)
        matrix = sparse.csc_array(wide + sparse.csc_array((entry, (at_row, at_column)), shape=shape))
        low = np.concatenate([low, np.full(len(rows), -np.inf)])
        top = np.concatenate([top, np.zeros(len(rows))])
    touched = np.flatnonzero(np.bincount(matrix.indices, minlength=len(top)) | np.isfinite(low))
    slim = sparse.csc_array(
        (matrix.data, np.searchsorted(touched, matrix.indices), matrix.indptr), shape=(len(touched), matrix.shape[1])
    )
    low, top = low[touched], top[touched]
    is_small = (touched >= len(model.value)) & (top > 0) & (top < 1)  # pools far below others of their resource
    times = np.where(is_small, 2.0 ** -np.floor(np.log2(np.where(is_small, top, 1.0))), 1.0)
    slim.data *= times[slim.indices]
    return Program(cost, slim, low * times, top * times, upper, integer, p, s, len(model.value))


class Neighbourhoods:
    """Which projects to free next, and which of their options to look at.

    Parameters
    ----------
    model : Model
    bound : Bound
        Its bound on each option ranks them.
    seed : int
    """

    def __init__(self, model: Model, bound: Bound, *, seed: int) -> None:
        self.model = model
        self.listed = candidates(bound.forced, model)
        self.forced = np.where(
            self.listed >= 0, np.take_along_axis(bound.forced, np.maximum(self.listed, 0), axis=1), -np.inf
        )
        self.random = np.random.default_rng(seed)
        self.open = model.open

    def spread(self) -> float:
        """What a usual project loses at its third choice."""
        value = self.forced[self.open][:, :3]
        lost = value[:, 0] - value[:, -1]
        lost = lost[np.isfinite(lost) & (lost > 0)]
        return float(np.median(lost)) if len(lost) else 1.0

    def related(self, option: Ints, size: int) -> Ints:
        """Projects around pools that one project could go to, and some that have no place."""
        size = min(size, len(self.open))
        if size == len(self.open):
            return self.open
        unplaced = self.open[option[self.open] == UNPLACED]
        chosen = set(self.random.permutation(unplaced)[: max(size // 3, 1)].tolist())
        draw = self.model.draws[self.random.integers(len(self.model.draws))] if self.model.draws else None
        placed = option >= 0
        pool = np.full(len(option), UNPLACED)
        if draw is not None:
            pool[placed] = draw.pool[option[placed]]
        while len(chosen) < size:
            p = int(self.random.choice(self.open))
            chosen.add(p)
            near = self.listed[p, :6]
            pools = draw.pool[near[near >= 0]] if draw is not None else np.zeros(0, dtype=np.intp)
            members = np.flatnonzero(np.isin(pool, pools[pools >= 0]) & placed & (self.model.locked == UNPLACED))
            chosen |= set(self.random.permutation(members)[: max(size - len(chosen), 0)].tolist())
        return np.array(sorted(chosen), dtype=np.intp)

    def columns(self, freed: Ints, option: Ints, *, each: float, noise: float = 0.0) -> tuple[Ints, Ints]:
        """The most promising options of freed projects, `each` on average, and those they have now."""
        p = np.repeat(freed, self.listed.shape[1])
        s, value = self.listed[freed].ravel(), self.forced[freed].ravel()
        if noise:
            value = value - noise * self.random.exponential(size=len(value))
        if not len(value):
            return freed, freed
        count = min(int(each * len(freed)), len(value) - 1)
        keep = (s >= 0) & (value >= -np.partition(-value, count)[count])
        has = freed[option[freed] != UNPLACED]
        p, s = np.concatenate([p[keep], has]), np.concatenate([s[keep], option[has]])
        _, once = np.unique(p * self.model.value.shape[1] + s, return_index=True)
        return p[once], s[once]


def improve(
    model: Model,
    option: Ints,
    freed: Ints,
    columns: tuple[Ints, Ints],
    *,
    penalty: float,
    limits: Limits,
    stop: threading.Event,
    on_plan: Callable[[Ints], None] | None = None,
) -> Ints:
    """The plan with the freed projects placed anew, as well as their columns allow.

    Parameters
    ----------
    model : Model
    option : (P,) int array
        The plan in hand.
    freed : int array
        Projects that are placed anew; all others stay.
    columns : pair of int arrays
        Projects and options that are tried.
    penalty : float
        Price of missing all of a minimum, or a project that must be placed.
    limits : Limits
    stop : Event
        Set it from another thread to end early.
    on_plan : callable, optional
        Called with each better plan.
    """
    rest = option.copy()
    rest[freed] = UNPLACED
    task = program(model, *columns, rest, penalty=penalty)
    if not len(task.p):
        return option

    def complete(x: Floats | None, _: float) -> None:
        if x is not None and on_plan is not None:
            on_plan(np.where(rest != UNPLACED, rest, task.plan(x)))

    limits = replace(limits, seed=int(freed[0]))
    found, _ = task.solve(option, limits, stop=stop, on_improvement=None if on_plan is None else complete)
    return option if found is None else np.where(rest != UNPLACED, rest, found)
