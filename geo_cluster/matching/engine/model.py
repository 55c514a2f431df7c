"""The problem as the solver sees it: a table of values (project × option), draws on single pools, and links.

An *option* is a site, or a site through one of the pools it may draw on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse

from geo_cluster.matching.engine.steps import common_step
from geo_cluster.matching.problem import Link
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints

_HANDY = 1e3  # the largest value, where values have no common step
_MOST_VALUES = 1_000_000  # of which a common step is sought
_LEVEL, _ROWS = 1e-3, 50  # of the spread of values: what is about as much; projects that are looked at for that
_ROUNDING = 1e-9  # of a capacity, beyond what `presolve` grants
_KEPT, _OVERWHELMING = 3.0, 20.0  # spreads of values: what a bonus keeps of itself, and from where on it is cut


@dataclass(frozen=True, eq=False)
class Draw:
    """One resource on which each option draws from at most one pool.

    Attributes
    ----------
    demand : (P,) or (P, S) array
    pool : (S,) int array, -1 for none
    capacity, minimum : (K,) array
    """

    demand: Floats
    pool: Ints
    capacity: Floats
    minimum: Floats

    def of(self, p: Ints, s: Ints) -> Floats:
        """Demand of projects `p` at options `s`."""
        return self.demand[p] if self.demand.ndim == 1 else self.demand[p, s]

    @property
    def is_own(self) -> bool:
        """Whether each pool is drawn on by one option."""
        return bool((np.bincount(self.pool[self.pool >= 0], minlength=len(self.capacity)) == 1).all())

    @property
    def is_count(self) -> bool:
        """Whether each project takes one."""
        return self.demand.ndim == 1 and bool((self.demand == 1).all())

    def in_whole_steps(self) -> Draw:
        """With capacities rounded down to what whole demands can fill."""
        is_whole = bool((self.demand == np.rint(self.demand)).all())
        return replace(self, capacity=np.floor(self.capacity)) if is_whole else self

    def load(self, p: Ints, s: Ints) -> Floats:
        """(K,): what placing projects `p` at options `s` draws from each pool."""
        pool = self.pool[s]
        return np.bincount(pool[pool >= 0], weights=self.of(p, s)[pool >= 0], minlength=len(self.capacity)).astype(
            float
        )


@dataclass(frozen=True, eq=False)
class Model:
    """What is left to decide.

    Attributes
    ----------
    value : (P, S) array
        Value of each project at each option; -inf where it can't go (locked projects go nowhere: they are done).
    draws : tuple of Draw
        With what locked projects take already taken off.
    links : tuple of Link
        Between projects that are both open, `near` between options.
    site, pools : (S,) and (S, R) int arrays
        The site of each option, and the pool it draws on of each resource of the problem.
    locked : (P,) int array
        Option of each locked project, -1 where open.
    base : float
        Objective value of the locked projects.
    must : (P,) bool array
        Projects that every plan that counts places: their row is an equation.
    """

    value: Floats
    draws: tuple[Draw, ...]
    links: tuple[Link, ...]
    site: Ints
    pools: Ints
    locked: Ints
    base: float
    must: Bools

    @property
    def open(self) -> Ints:
        """Projects that can still go somewhere."""
        return np.flatnonzero(np.isfinite(self.value).any(axis=1))

    @property
    def minima(self) -> bool:
        """Whether some pool must be drawn on."""
        return any((draw.minimum > 0).any() for draw in self.draws)

    @property
    def plain(self) -> bool:
        """Only values and capacities: a generalised assignment problem with pooled resources."""
        return not self.links and not self.minima and not self.must.any()

    @cached_property
    def shared(self) -> Ints:
        """(S,): equal numbers where options draw on the same pools, those apart that one option has to itself."""
        kinds = np.zeros((self.value.shape[1], len(self.draws)), dtype=np.intp)
        for column, draw in zip(kinds.T, self.draws, strict=True):
            own = np.append(np.bincount(draw.pool[draw.pool >= 0], minlength=len(draw.capacity)) == 1, False)
            column[:] = np.where(own[draw.pool], len(draw.capacity), draw.pool)
        return np.asarray(np.unique(kinds, axis=0, return_inverse=True)[1]).ravel().astype(np.intp)

    def alike(self, rows: Ints) -> Ints:
        """(len(rows), S): equal numbers where options are worth about as much to a project and share pools."""
        finite = np.isfinite(self.value)
        level = np.where(finite[rows], self.value[rows], 0.0) / (_LEVEL * self.spread)
        return np.asarray(np.rint(level) * (self.shared.max(initial=0) + 1) + self.shared, dtype=np.intp)

    @cached_property
    def spread(self) -> float:
        """From the least to the greatest value; 1 where all are the same."""
        values = self.value[np.isfinite(self.value)]
        return (float(np.ptp(values)) if len(values) else 0.0) or 1.0

    @cached_property
    def tied(self) -> bool:
        """Whether most options of a usual project have others that are alike."""
        rows = self.open[:: max(len(self.open) // _ROWS, 1)]
        kinds, finite = self.alike(rows), np.isfinite(self.value[rows])
        ways = [len(np.unique(kind[may])) for kind, may in zip(kinds, finite, strict=True)]
        return bool(len(rows)) and finite.sum() > 2 * sum(ways)

    def objective(self, option: Ints) -> float:
        """Objective value of a plan, (P,) options."""
        placed = np.flatnonzero((option != UNPLACED) & (self.locked == UNPLACED))
        earned = sum(link.gain for link in self.links if near(link, option))
        return float(self.base + self.value[placed, option[placed]].sum() + earned)

    def short(self, option: Ints) -> float:
        """What minima lack, as the sum of shares of each minimum; a locked project without a place lacks one."""
        placed = np.flatnonzero((option != UNPLACED) & (self.locked == UNPLACED))
        lack = float((self.must & (option == UNPLACED)).sum())
        for draw in self.draws:
            least = np.flatnonzero(draw.minimum > 0)
            if len(least):
                share = 1 - draw.load(placed, option[placed])[least] / draw.minimum[least]
                lack += float(share[share > 1e-7].sum())
        return lack

    def fits(self, option: Ints) -> bool:
        """Whether no pool is over its capacity."""
        return all(
            bool((load <= draw.capacity * (1 + _ROUNDING)).all())
            for load, draw in zip(self.loads(option), self.draws, strict=True)
        )

    def relaxed(self) -> Model:
        """Without minima, and with half of each link's gain granted to each partner: an upper bound."""
        if not self.links and not self.minima:
            return self
        value = self.value.copy()
        for link in self.links:
            value[[link.first, link.second]] += link.gain / 2
        draws = []
        for draw in self.draws:
            bound = np.append(np.isfinite(draw.capacity), False)[draw.pool]
            pool, room = np.where(bound, draw.pool, UNPLACED), np.where(np.isfinite(draw.capacity), draw.capacity, 0.0)
            draws.append(Draw(draw.demand, pool, room, np.zeros_like(room)))
        return replace(self, value=value, draws=tuple(draws), links=())

    def softened(self) -> Model:
        """The same with overwhelming bonuses cut down, so that prices see the differences between options."""
        finite = np.isfinite(self.value)
        rows = finite.any(axis=1)
        worst = np.where(finite, self.value, np.inf).min(axis=1)
        spread = float((self.value[rows].max(axis=1) - worst[rows]).max(initial=0.0))
        surplus = np.where(rows, np.maximum(worst - 3 * spread - 1.0, 0.0), 0.0)
        if surplus.max(initial=0.0) < 20 * spread:
            return self
        return replace(self, value=self.value - surplus[:, None])

    def rescaled(self, *, whole: bool = False) -> Rescaled:
        """The same in numbers that solvers are made for, without the part of the bonuses that decides nothing.

        The part that all values have in common is cut off down to a few times what options differ in: plans that place
        as many keep their order, and whoever could be placed still is, unless that costs others more. `whole` cuts only
        off what can't decide even then: one more project placed still counts more than all that plans can differ in.
        """
        finite = np.isfinite(self.value)
        gains = [link.gain for link in self.links]
        if not finite.any():
            return Rescaled(self, 1.0, 0.0, None)
        values = self.value[finite]
        least, spread = float(values.min()), float(values.max() - values.min()) + sum(gains)
        keep, enough = _KEPT * spread, (_KEPT + _OVERWHELMING) * spread
        if whole:
            tops = self.value.max(axis=1)
            rest = float((tops[np.isfinite(tops)] - least).sum()) + sum(gains)
            keep, enough = 2 * rest, 4 * rest
        zero = least if spread > 0 and least > enough else 0.0
        amounts, rounding = np.concatenate([values - zero, gains]), 4e-16 * float(np.abs(values).max())
        step = common_step(amounts, rounding=rounding) if values.size < _MOST_VALUES else None
        unit = step or float(np.abs(amounts).max() + keep * (zero > 0)) / _HANDY or 1.0
        above = (self.value - zero) / unit
        kept = float(np.ceil(keep / unit)) if zero > 0 else 0.0
        value, cut = (above if step is None else np.rint(above)) + kept, zero / unit - kept
        links = tuple(replace(link, gain=link.gain / unit) for link in self.links)
        return Rescaled(replace(self, value=value, links=links, base=self.base / unit), unit, cut, step and 1.0)

    def tightened(self, plan: float) -> Model:
        """With projects that no plan of more than `plan` leaves out marked, their values shifted to near zero."""
        rows = self.open
        best = self.value[rows].max(axis=1)
        total = self.base + float(best.sum()) + sum(link.gain for link in self.links)
        certain = rows[(total - best < plan - 1e-6 * max(1.0, abs(plan))) & (best > 0)]
        if len(certain) < len(rows):
            return self
        must = self.must.copy()
        must[certain] = True
        shift = np.zeros(len(self.value))
        shift[certain] = self.value[certain].max(axis=1)
        return replace(self, value=self.value - shift[:, None], base=self.base + float(shift.sum()), must=must)

    def loads(self, option: Ints) -> list[Floats]:
        """What a plan draws from each pool of each draw."""
        placed = np.flatnonzero((option != UNPLACED) & (self.locked == UNPLACED))
        return [draw.load(placed, option[placed]) for draw in self.draws]

    def stacked(self) -> tuple[Floats, Ints, Floats]:
        """All draws as arrays, their pools in one row.

        Returns
        -------
        room : (K + 1,) array, the last without limit
        pool : (D, S) int array
        demand : (D, P, S) array, or (D, P, 1) where none depends on the option
        """
        wide = any(draw.demand.ndim == 2 for draw in self.draws)
        projects, options = self.value.shape
        demand = np.zeros((len(self.draws), projects, options if wide else 1))
        pool = np.zeros((len(self.draws), options), dtype=np.intp)
        last, first = sum(len(draw.capacity) for draw in self.draws), 0
        for d, draw in enumerate(self.draws):
            demand[d] = draw.demand if draw.demand.ndim == 2 else draw.demand[:, None]
            pool[d] = np.where(draw.pool >= 0, draw.pool + first, last)
            first += len(draw.capacity)
        return np.concatenate([*[draw.capacity for draw in self.draws], [np.inf]]), pool, demand

    def reduced(self, prices: list[Floats]) -> Floats:
        """(P, S): value less what its draws cost at given prices of the pools."""
        left = self.value.copy()
        for draw, price in zip(self.draws, prices, strict=True):
            each = np.append(price, 0.0)[draw.pool]
            left -= draw.demand[:, None] * each if draw.demand.ndim == 1 else draw.demand * each
        return left

    def matrix(self, p: Ints, s: Ints) -> sparse.csc_array:
        """Rows (projects, then the pools of each draw) of the columns 'project p at option s'."""
        rows, columns, values = [p], [np.arange(len(p))], [np.ones(len(p))]
        first = len(self.value)
        for draw in self.draws:
            pool, demand = draw.pool[s], draw.of(p, s)
            used = np.flatnonzero((pool >= 0) & (demand != 0))
            rows.append(pool[used] + first)
            columns.append(used)
            values.append(demand[used])
            first += len(draw.capacity)
        return sparse.csc_array(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(first, len(p))
        )


class Rescaled(NamedTuple):
    """A model in handy numbers.

    Attributes
    ----------
    model : Model
    unit, cut : float
        The objective value of a plan that places n open projects is `unit * (objective + cut * n)` in the problem's own
        numbers.
    grain : float, optional
        Of which every value is a multiple.
    """

    model: Model
    unit: float
    cut: float
    grain: float | None


def near(link: Link, option: Ints) -> bool:
    """Whether a plan puts the two partners of a link close to each other."""
    a, b = option[link.first], option[link.second]
    return bool(a != UNPLACED and b != UNPLACED and (a == b if link.near is None else link.near[a, b]))
