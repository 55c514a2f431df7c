"""Division of labour as an aim that can be proven: those of one kind side by side in one region, not in two.

Krugman's index isn't linear in a plan. What is counted in its stead are pairs of one kind (segment): two projects, or
a project and a firm that is there. A pair in two regions is what makes their structures alike; a pair in one region
doesn't. The pairs that are not in one region are to be few; the true index of each plan is reported beside it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.matching.alternatives import ROUNDING
from geo_cluster.matching.arguments import amount_faults, integer_faults, integers, number_faults, numbers
from geo_cluster.matching.plan import Assignment, relative_gap
from geo_cluster.matching.problem import Link, Problem
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.matching.tradeoffs import Point, undominated
from geo_cluster.matching.verify import objective, score_of

MOST_COUPLES = 5000
"""Two projects of one kind are a link each; more of them than this no solver gets through."""


@dataclass(frozen=True, eq=False)
class Division:
    """Who is of one kind, where the regions are, and who is there already: P projects, S sites, R regions.

    Attributes
    ----------
    kind : (P,) int array
        Kind (segment) of each project, -1 for none.
    region : (S,) int array
        Region (prefecture) of each site, 0 … R - 1.
    there : (P, R) array
        How many of the project's kind each region has already.
    """

    kind: Ints
    region: Ints
    there: Floats

    @property
    def beside(self) -> Floats:
        """(P, S): how many of its kind a project joins at each site, other projects aside."""
        return self.there[:, self.region]

    @property
    def near(self) -> Bools:
        """(S, S): sites of one region."""
        return self.region[:, None] == self.region[None, :]

    @property
    def count(self) -> int:
        """How many `couples` there are."""
        each = np.bincount(self.kind[self.kind >= 0])
        return int((each * (each - 1) // 2).sum())

    @property
    def couples(self) -> list[tuple[int, int]]:
        """Every two projects of one kind."""
        first, second = np.triu_indices(len(self.kind), 1)
        same = (self.kind[first] == self.kind[second]) & (self.kind[first] >= 0)
        return list(zip(first[same].tolist(), second[same].tolist(), strict=True))

    @property
    def pairs(self) -> float:
        """Pairs in all: every two projects of one kind, and each project with each of its kind that is there."""
        return float(self.count + self.there.sum())

    def apart(self, site: Ints) -> float:
        """Pairs of a plan that are not in one region; one whose project has no place counts as apart.

        Parameters
        ----------
        site : (P,) int array
            Site of each project, -1 for none.
        """
        placed = np.flatnonzero(site != UNPLACED)
        joined = float(self.beside[placed, site[placed]].sum())
        own = placed[self.kind[placed] >= 0]
        cells = np.unique(self.kind[own] * self.there.shape[1] + self.region[site[own]], return_counts=True)[1]
        return self.pairs - joined - float((cells * (cells - 1) // 2).sum())


def division_of(problem: Problem, kind: ArrayLike, region: ArrayLike, there: ArrayLike) -> Division:
    """Check who is of one kind, where the regions are and who is there.

    Parameters
    ----------
    problem : Problem
    kind : (P,) int array
        Kind of each project, -1 for none.
    region : (S,) int array
        Region of each site, from 0.
    there : (P, R) array
        How many of the project's kind each region has already.

    Raises
    ------
    InputError
        With what has another shape or isn't such numbers.
    """
    projects, sites = problem.shape
    each, where, count = integers(kind), integers(region), numbers(there)
    faults = [*number_faults(count, "there")]
    for name, array, length, least in (("kind", each, projects, UNPLACED), ("region", where, sites, 0)):
        if array.shape != (length,) or array.dtype.kind not in "iu" or (array < least).any():
            faults.append(Fault("matching.division_numbers", name, length=length, least=least))
    if not faults and (count.ndim != 2 or count.shape[0] != projects or count.shape[1] <= int(where.max())):
        shape = f"({projects}, {int(where.max()) + 1})"
        faults.append(Fault("matching.pair_shape", "there", shape=str(count.shape), wanted=shape))
    elif not faults and not ((count >= 0) & np.isfinite(count)).all():
        faults.append(Fault("matching.division_there", "there"))
    refuse_if(faults)
    return Division(each.astype(np.intp), where.astype(np.intp), count)


def side_by_side(problem: Problem, division: Division, *, price: float) -> Problem:
    """The problem with a price on every pair that isn't in one region: those of one kind gain from being together.

    Parameters
    ----------
    problem : Problem
    division : Division
    price : float
        What a pair in one region earns, in units of score; zero or more.

    Raises
    ------
    InputError
        On a price that is none, and on more than `MOST_COUPLES`.
    """
    refuse_if(amount_faults(price=price))
    if not np.isfinite(price):
        raise InputError(Fault("matching.price_not_finite", "price", value=str(price)))
    if price == 0:
        return problem
    if division.count > MOST_COUPLES:
        raise InputError(Fault("matching.too_many_couples", "division", count=division.count, most=MOST_COUPLES))
    near = division.near
    links = tuple(Link(a, b, float(price), near) for a, b in division.couples)
    return problem.suppose(score=problem.score + price * division.beside, links=(*problem.links, *links))


def division_front(
    problem: Problem,
    best: Assignment,
    division: Division,
    *,
    points: int = 5,
    time_limit_s: float | TimeBudget = 20.0,
) -> tuple[Point, ...]:
    """Best plans with fewer and fewer pairs apart: the front of score against division of labour.

    Found by weights (Cohon 1978, ch. 6): between two points the price of a pair at which they are equal is solved
    for; what is found there is a point of the front, or there is none above the line that joins them. Every point
    that is `optimal` is the best plan with as few pairs apart as it has; where it is `settled`, no plan of its value
    has fewer. Points of the front below such lines are not found. The last point is the best at a price that no move
    of one project is worth.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    division : Division
    points : int
        Most points.
    time_limit_s : float or TimeBudget
        For each time that is solved; or for all of them together.

    Raises
    ------
    InputError
        On a number of points that is none.
    """
    refuse_if(integer_faults(points=points, least=1))
    clock = TimeBudget.of(time_limit_s)
    apart = division.apart(best.site)
    front = [Point(apart, apart, best, settled=False)]
    if division.count > MOST_COUPLES:
        clock.missed = True
        return tuple(front)
    if division.pairs and points > 1:
        dearest = _at_price(problem, division, _dearest(problem), front[0], clock, points)
        front += [] if dearest is None else [dearest]
    front, searched = list(undominated(front)), set[tuple[float, float]]()
    while len(front) < points:
        gaps = [
            (high.other - low.other, high, low)
            for high, low in itertools.pairwise(front)
            if (high.other, low.other) not in searched
        ]
        if not gaps:
            break
        width, high, low = max(gaps, key=lambda gap: gap[0])
        searched.add((high.other, low.other))
        price = (high.plan.objective - low.plan.objective) / width
        found = _at_price(problem, division, price, high, clock, points - len(front))
        if found is None:
            break
        line = high.plan.objective - price * high.other
        if found.plan.objective - price * found.other > line + ROUNDING * max(1.0, abs(line)):
            front = list(undominated([*front, found]))
    return undominated(front)


def _dearest(problem: Problem) -> float:
    """A price that no move of one project is worth: the widest range of a project's scores, and a point."""
    score = np.where(problem.eligible, problem.score, np.nan)
    some = score[~np.isnan(score).all(axis=1)]
    return float((np.nanmax(some, axis=1) - np.nanmin(some, axis=1)).max(initial=0.0)) + 1.0


def _at_price(
    problem: Problem, division: Division, price: float, start: Point, clock: TimeBudget, waiting: int
) -> Point | None:
    """The best plan at a price of a pair, as a point: its own objective value, and the bound of that."""
    plan = clock.solve(side_by_side(problem, division, price=price), start=start.plan.site, waiting=waiting)
    if plan is None or plan.violations:
        clock.missed = True
        return None
    apart = division.apart(plan.site)
    value = objective(problem, plan.site)
    bound = max(plan.bound - price * (division.pairs - apart), value)  # of plans with as few apart
    score = score_of(problem, plan.site)
    own = replace(plan, objective=value, bound=bound, gap=relative_gap(bound - value, score), score=score)
    return Point(apart, apart, own, plan.status == "optimal")
