"""What it costs to give a region at least n projects, for every n, between proven bounds.

Giving the region's sites a price λ a project more leaves an easy problem, without a minimum. Its best plan is the best
of all with as many projects there, and its bound less λ n is one for every n (Lagrange; supported points after Cohon
1978, ch. 6). What lies between two such plans is solved with the minimum itself, the widest interval first.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import InputError, refuse_if
from geo_cluster.matching.alternatives import unused_name
from geo_cluster.matching.arguments import integer_faults
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Ints
from geo_cluster.matching.rules import group_limits
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.matching.verify import objective

_CLOSED = 1e-7
"""A value and a bound that differ by a smaller share are the same."""


@dataclass(frozen=True, eq=False)
class Least:
    """The best plans with at least so many projects in a region.

    Attributes
    ----------
    least : int
        How many projects the region gets at least.
    value : float
        The highest objective value found; -inf where no such plan was found.
    bound : float
        No such plan has a higher one.
    site : (P,) int array or None
        The plan of that value.
    """

    least: int
    value: float
    bound: float
    site: Ints | None

    @property
    def proven(self) -> bool:
        """Whether no plan with so many there is better."""
        return self.bound - self.value <= _CLOSED * max(1.0, abs(self.bound))


def share_curve(
    problem: Problem, best: Assignment, region: ArrayLike, at: int, *, time_limit_s: float | TimeBudget = 20.0
) -> tuple[Least, ...]:
    """Best plans when a region must get at least 0, 1, 2 … projects, up to the last number that any plan may give it.

    Every number has a value and a bound, also those that time left no solving for: what gives a region more gives it
    as much, and no plan with more there is better than one with less.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    region : (S,) int array
        Region of each site, -1 for none.
    at : int
        The region in question.
    time_limit_s : float or TimeBudget
        For each time that is solved; or for all of them together.

    Raises
    ------
    InputError
        On a number of a region that is none.
    """
    refuse_if(integer_faults(at=at, least=0))
    curve = _Curve(problem, best, np.asarray(region) == at, TimeBudget.of(time_limit_s))
    curve.price(curve.dearest)
    searched = set[tuple[int, int]]()
    while gap := next((pair for pair in curve.gaps() if pair not in searched), None):
        searched.add(gap)
        low, high = gap
        if not curve.price((curve.value[low] - curve.value[high]) / (high - low)):
            break
    while (open_ := curve.widest()) is not None and curve.solve(open_):
        pass
    return curve.points()


class _Curve:
    """Values and bounds of at least n projects in a region, n = 0 … P, as plans are found."""

    def __init__(self, problem: Problem, best: Assignment, inside: np.ndarray, clock: TimeBudget):
        projects = problem.shape[0]
        self.problem, self.inside, self.clock = problem, inside, clock
        self.value, self.bound = np.full(projects + 1, -np.inf), np.full(projects + 1, best.bound)
        self.site: list[Ints | None] = [None] * (projects + 1)
        self.supported, self.tried = {self._take(best.site)}, set[int]()
        worth = np.where(problem.eligible, problem.score + problem.bonus[:, None], 0.0)
        self.floor = float(np.minimum(worth, 0.0).min(axis=1).sum())
        self.dearest = max(best.bound - self.floor, 0.0) + 1.0
        self.bound[int(problem.eligible[:, inside].any(axis=1).sum()) + 1 :] = -np.inf

    def _take(self, site: Ints) -> int:
        """Count a plan for all numbers that it reaches; how many projects it has there."""
        count = int(self.inside[site[site != UNPLACED]].sum())
        worth = objective(self.problem, site)
        for n in np.flatnonzero(self.value[: count + 1] < worth):
            self.value[n], self.site[n] = worth, site
        return count

    def _lower(self, bounds: np.ndarray) -> None:
        """Take bounds where they are lower; one below what any plan has says that there is none."""
        bounds = np.where(bounds < self.floor - _CLOSED * max(1.0, abs(self.floor)), -np.inf, bounds)
        self.bound = np.maximum(np.minimum.accumulate(np.minimum(self.bound, bounds)), self.value)

    def price(self, price: float) -> bool:
        """Solve with so much more for each project there; False when time is over."""
        counts = np.arange(len(self.value))
        dearer = self.problem.suppose(score=self.problem.score + price * self.inside)
        plan = self.clock.solve(dearer, start=self.site[0], waiting=2)
        if plan is None or plan.violations:
            return False
        self.supported.add(self._take(plan.site))
        self._lower(plan.bound - price * counts)
        return True

    def gaps(self) -> list[tuple[int, int]]:
        """Numbers of projects of neighbouring plans found by prices, between which others may be; the widest first."""
        pairs = [(low, high) for low, high in itertools.pairwise(sorted(self.supported)) if high > low + 1]
        return sorted(pairs, key=lambda pair: pair[0] - pair[1])

    def widest(self) -> int | None:
        """The number whose interval is the widest and not tried yet."""
        slack = _CLOSED * max(1.0, abs(self.bound[0]))
        some = np.isfinite(self.bound)
        width = np.zeros(len(some))
        width[some] = self.bound[some] - self.value[some]
        width[[*self.tried]] = 0.0
        return int(width.argmax()) if width.max() > slack else None

    def solve(self, least: int) -> bool:
        """Solve with a minimum; False when time is over."""
        self.tried.add(least)
        projects = self.problem.shape[0]
        group = np.where(self.inside, 0, UNPLACED)
        rule = group_limits(unused_name("share", self.problem), group, projects=projects, minimum=[least])
        bounds = np.full(projects + 1, np.inf)
        try:
            limited = self.problem.suppose(resources=(*self.problem.resources, rule))
            plan = self.clock.solve(limited, start=self.site[least])
        except InputError:
            bounds[least:] = -np.inf
        else:
            if plan is None:
                return False
            if not plan.violations:
                self._take(plan.site)
            bounds[least:] = plan.bound if not plan.violations else np.inf
        self._lower(bounds)
        return True

    def points(self) -> tuple[Least, ...]:
        """Every number that some plan may give the region."""
        rows = zip(self.value.tolist(), self.bound.tolist(), self.site, strict=True)
        return tuple(Least(n, *row) for n, row in enumerate(rows) if np.isfinite(row[1]))
