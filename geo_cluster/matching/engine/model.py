"""The problem as the solver sees it: a table of values (project × option), draws on single pools, and links.

An *option* is a site, or a site through one of the pools it may draw on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from geo_cluster.matching.problem import Link
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints

_HANDY = 1.0, 1e9  # greatest values that need no other unit


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
            bool((load <= draw.capacity + 1e-7 * np.maximum(1.0, draw.capacity)).all())
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

    def rescaled(self) -> tuple[Model, float, float]:
        """The same in handy numbers: tolerances of solvers are made for values around a hundred.

        Returns
        -------
        Model, unit, cut
            The objective value of a plan that places n open projects is `unit * objective + cut * n` in the problem's
            own numbers. The cut is the part of an overwhelming bonus that decides nothing: one more project placed
            still counts more than all that plans can differ in besides, and without it that difference drowns in
            rounding.
        """
        finite = np.isfinite(self.value)
        if not finite.any():
            return self, 1.0, 0.0
        least = float(self.value[finite].min())
        tops = self.value.max(axis=1)
        rest = float((tops[np.isfinite(tops)] - least).sum()) + sum(link.gain for link in self.links)
        most = max(float(np.abs(self.value[finite]).max()), *[link.gain for link in self.links], 0.0)
        cut = least - 2 * rest if rest > 0 and least > 4 * rest else 0.0
        most -= cut
        unit = 1.0 if _HANDY[0] <= most <= _HANDY[1] or most == 0 else float(10.0 ** np.floor(np.log10(most) - 2))
        cut = unit * float(np.floor(cut / unit))
        if unit == 1.0 and not cut:
            return self, 1.0, 0.0
        links = tuple(replace(link, gain=link.gain / unit) for link in self.links)
        return replace(self, value=(self.value - cut) / unit, links=links, base=self.base / unit), unit, cut

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


def near(link: Link, option: Ints) -> bool:
    """Whether a plan puts the two partners of a link close to each other."""
    a, b = option[link.first], option[link.second]
    return bool(a != UNPLACED and b != UNPLACED and (a == b if link.near is None else link.near[a, b]))
