"""Other plans that are nearly as good, and what is traded for what.

The distance of two plans is the share of projects whose site differs (unplaced counts as a site of its own):
a stated distance, so that an alternative is another plan and not an accident of the solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.matching.problem import UNPLACED, Floats, Ints, Problem, Resource, quota
from geo_cluster.matching.solve import Assignment, solve
from geo_cluster.matching.verify import objective


@dataclass(frozen=True, eq=False)
class Alternative:
    """A plan beside the best one.

    Attributes
    ----------
    site : (P,) int array
    objective : float
        Its worth.
    loss : float
        What it is worth less than the best plan.
    distance : float
        Share of projects that are elsewhere than in the best plan.
    nearest : float
        Distance to the nearest of the best plan and the alternatives before it.
    proven : bool
        Whether it was proven to differ the most, in sum, from all plans before it.
    """

    site: Ints
    objective: float
    loss: float
    distance: float
    nearest: float
    proven: bool


@dataclass(frozen=True, eq=False)
class Point:
    """One point of a trade-off.

    Attributes
    ----------
    limit : float
        What the second aim was held to.
    other : float
        What it came to.
    plan : Assignment
        The best plan under the limit, with its own bound.
    """

    limit: float
    other: float
    plan: Assignment


@dataclass(frozen=True)
class Change:
    """A project that is elsewhere in the second of two plans; -1 is unplaced.

    Attributes
    ----------
    project, before, after : int
    name, before_name, after_name : str
    gain : float
        Worth of the project's place after less before.
    """

    project: int
    before: int
    after: int
    name: str
    before_name: str
    after_name: str
    gain: float


def distance(a: ArrayLike, b: ArrayLike) -> float:
    """Share of projects whose site differs between two plans."""
    return float(np.mean(np.asarray(a) != np.asarray(b)))


def alternatives(
    problem: Problem, best: Assignment, *, count: int = 3, within: float = 0.02, time_limit_s: float = 20.0
) -> tuple[Alternative, ...]:
    """Plans worth at least `(1 - within)` of the best that differ from it, and from each other, the most.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    count : int
        How many; fewer come back when there are no others.
    within : float
        Share of the best plan's worth that may be given up. What links earn isn't counted on.
    time_limit_s : float
        For each plan.
    """
    faults = []
    if count < 1:
        faults.append(Fault("count", f"is {count}", "Ask for one alternative or more."))
    if not 0 <= within <= 1:
        faults.append(Fault("within", f"is {within}", "Give a share between 0 and 1, 0.02 for two percent."))
    refuse_if(faults, InputError)
    floor = best.objective - within * abs(best.objective)
    at_least = _worth_at_least(problem, floor)
    plans, found = [best.site], []
    for _ in range(count):
        same = sum(_indicator(problem, plan) for plan in plans)
        stays_out = sum((plan == UNPLACED).astype(float) for plan in plans)
        # differing from a plan that leaves a project out means placing it
        score = np.where(np.isnan(problem.score), np.nan, -same)
        apart = problem.but(score=score, bonus=stays_out, links=(), resources=(*problem.resources, at_least))
        try:
            other = solve(apart, time_limit_s=time_limit_s, start=plans[-1])
        except InputError:
            break
        nearest = min(distance(other.site, plan) for plan in plans)
        value = objective(problem, other.site)
        if nearest == 0 or other.violations or value < floor - 1e-6 * max(1.0, abs(floor)):
            break
        plans.append(other.site)
        row = Alternative(
            other.site,
            value,
            best.objective - value,
            distance(other.site, best.site),
            nearest,
            other.status == "optimal",
        )
        found.append(row)
    return tuple(found)


def _worth_at_least(problem: Problem, floor: float) -> Resource:
    """The rule that a plan is worth at least `floor`, as a minimum; as a cap on losses when `floor` is negative."""
    worth, pool = np.nan_to_num(_worth(problem)), np.zeros(problem.shape[1], dtype=np.intp)
    if floor > 0:
        return Resource("worth", "points", worth, pool, np.array([np.inf]), np.array([floor]))
    return Resource("losses", "points", np.maximum(-worth, 0.0), pool, np.array([-floor]))


def _worth(problem: Problem) -> Floats:
    return problem.score + problem.bonus[:, None]


def _indicator(problem: Problem, plan: Ints) -> Floats:
    """(P, S): 1 where a plan has the project."""
    at = np.zeros(problem.shape)
    placed = np.flatnonzero(plan != UNPLACED)
    at[placed, plan[placed]] = 1.0
    return at


def trade_off(
    problem: Problem,
    best: Assignment,
    burden: ArrayLike,
    *,
    points: int = 7,
    time_limit_s: float = 20.0,
    name: str = "burden",
) -> tuple[Point, ...]:
    """Best plans under tighter and tighter limits on a burden (commuting, cost): the front of score against it.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    burden : (P, S) array
        What each pair adds to the burden; not negative.
    points : int
        Limits, evenly from the burden of the best plan down to none.
    time_limit_s : float
        For each plan.
    name : str
        What the burden is called.
    """
    table = np.nan_to_num(np.asarray(burden, dtype=float))
    total = _total(table, best.site)
    front, start = [Point(total, total, best)], best.site
    pool = np.zeros(problem.shape[1], dtype=np.intp)
    for limit in np.linspace(total, 0.0, points + 1)[1:-1]:
        held = Resource(name, "", table, pool, np.array([limit]))
        try:
            plan = solve(problem.but(resources=(*problem.resources, held)), time_limit_s=time_limit_s, start=start)
        except InputError:
            break
        if plan.violations:
            break
        front.append(Point(float(limit), _total(table, plan.site), plan))
    return tuple(front)


def balance_front(
    problem: Problem, best: Assignment, region: ArrayLike, *, time_limit_s: float = 20.0
) -> tuple[Point, ...]:
    """Best plans when each region must get at least 0, 1, 2 … projects, as long as any plan can.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    region : (S,) int array
        Region of each site, -1 for none.
    time_limit_s : float
        For each plan.
    """
    group = np.asarray(region, dtype=np.intp)
    regions = int(group.max()) + 1

    def fewest(site: Ints) -> float:
        at = group[site[site != UNPLACED]]
        return float(np.bincount(at[at >= 0], minlength=regions).min())

    front = [Point(fewest(best.site), fewest(best.site), best)]
    while len(front) * regions <= problem.shape[0] + regions:
        least = front[-1].other + 1
        rule = quota("balance", group, projects=problem.shape[0], minimum=np.full(regions, least))
        try:
            plan = solve(problem.but(resources=(*problem.resources, rule)), time_limit_s=time_limit_s)
        except InputError:
            break
        if plan.violations:
            break
        front.append(Point(least, fewest(plan.site), plan))
    return tuple(front)


def _total(table: Floats, site: Ints) -> float:
    placed = np.flatnonzero(site != UNPLACED)
    return float(table[placed, site[placed]].sum())


def difference(problem: Problem, before: ArrayLike, after: ArrayLike) -> tuple[Change, ...]:
    """Row by row, who is elsewhere in the second of two plans."""
    a, b, worth = np.asarray(before), np.asarray(after), _worth(problem)

    def place(s: Any) -> str:
        return "unplaced" if s == UNPLACED else problem.site_name(s)

    def value(p: Any, s: Any) -> float:
        return 0.0 if s == UNPLACED else float(worth[p, s])

    return tuple(
        Change(
            int(p),
            int(a[p]),
            int(b[p]),
            problem.project_name(p),
            place(a[p]),
            place(b[p]),
            value(p, b[p]) - value(p, a[p]),
        )
        for p in np.flatnonzero(a != b)
    )
