"""What is traded for what: plans along the front of the score against a second aim."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.matching.alternatives import ROUNDING, other_aim, score_at_least, unused_name
from geo_cluster.matching.arguments import integer_faults, number_faults, numbers
from geo_cluster.matching.engine.model import near
from geo_cluster.matching.plan import Assignment, relative_gap
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Floats, Ints, Resource
from geo_cluster.matching.rules import group_limits
from geo_cluster.matching.shortages import shortages
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.matching.verify import objective, score_of, verify

_APART = 1e-6  # burdens that differ by less are the same: what a capacity is overdrawn by in rounding, ten times


@dataclass(frozen=True, eq=False)
class Point:
    """One point of a trade-off.

    Attributes
    ----------
    limit : float
        Limit that the second aim was kept to.
    other : float
        What it came to: no plan of this objective value does better by the second aim, where `settled`.
    plan : Assignment
        The best plan under the limit, with its own bound.
    settled : bool
        Whether that is proven; whether the objective value is, `plan.status` says.
    """

    limit: float
    other: float
    plan: Assignment
    settled: bool = True


def trade_off(
    problem: Problem,
    best: Assignment,
    burden: ArrayLike,
    *,
    points: int = 7,
    time_limit_s: float | TimeBudget = 20.0,
    name: str = "burden",
) -> tuple[Point, ...]:
    """Best plans under tighter and tighter limits on a burden (commuting, cost): the front of score against it.

    No plan has as high an objective value as a point's with less burden, nor a higher one with as little. Limits are
    set evenly; where several lead to the same plan, the widest gaps are searched for others.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    burden : (P, S) array
        What each pair adds to the burden; not negative.
    points : int
        Most points, from the burden of the best plan down to none.
    time_limit_s : float or TimeBudget
        For each time that is solved, twice a point; or for all of them together.
    name : str
        What the burden is called.

    Raises
    ------
    InputError
        On a burden of another shape, or one that is negative or not known where a project may go.

    Notes
    -----
    Where links pay, projects that earn one stay where they are while the burden of a point is lessened; then it may
    not be the least.
    """
    table = _burden(problem, burden, name, points)
    clock = TimeBudget.of(time_limit_s)
    front = [_lightest(problem, Point(0.0, 0.0, best), table, clock, 2 * points)]
    limits = np.linspace(front[0].limit, 0.0, points + 1)[1:-1].tolist()
    empty: list[tuple[float, float]] = []  # between the two burdens, the first aside, lies no plan of the front
    while len(front) < points:
        limit = limits.pop(0) if limits else _widest_gap(front, empty)
        if limit is None:
            break
        if limit > front[0].other - _APART or any(low <= limit <= high for low, high in empty):
            continue
        start = min((each for each in front if each.other > limit), key=lambda each: each.other)
        point = _best_within(problem, start.plan.site, table, limit, name, clock, 2 * (points - len(front)))
        empty.append((-np.inf if point is None else point.other, limit))
        if point is not None and all(abs(point.other - each.other) > _APART for each in front):
            front.append(point)
        if clock.left_s <= 0:
            clock.missed = clock.missed or len(front) < points
            break
    return undominated(front)


def undominated(points: list[Point]) -> tuple[Point, ...]:
    """Points in falling order of burden, without those that time left worse than another in both aims."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda each: (each.other, -each.plan.objective)):
        if not kept or point.plan.objective > kept[-1].plan.objective + ROUNDING * max(1.0, abs(point.plan.objective)):
            kept.append(point)
    return tuple(reversed(kept))


def _widest_gap(front: list[Point], empty: list[tuple[float, float]]) -> float | None:
    """A limit just below the point of the front under which the widest stretch of burdens isn't searched yet."""
    found = []
    for point in front:
        limit = point.other - _APART * max(1.0, point.other)
        below = max((high for _, high in empty if high < point.other), default=0.0)
        if limit >= 0 and not any(low <= limit <= high for low, high in empty):
            found.append((point.other - below, limit))
    return max(found)[1] if found else None


def _burden(problem: Problem, burden: ArrayLike, name: str, points: int) -> Floats:
    """(P, S): the burden, 0 where a project may not go."""
    table = numbers(burden)
    faults = number_faults(table, name)
    if not faults and table.shape != problem.shape:
        faults.append(Fault("matching.pair_shape", name, shape=str(table.shape), wanted=str(problem.shape)))
    elif not faults:
        wrong = np.argwhere(problem.eligible & ~((table >= 0) & (table < np.inf)))
        for p, s in wrong[:1]:
            pair = {"project": problem.project_name(p), "site": problem.site_name(s)}
            faults.append(Fault("matching.burden_value", name, value=float(table[p, s]), **pair))
    refuse_if(faults + integer_faults(points=points, least=1))
    return np.where(problem.eligible, table, 0.0)


def _best_within(
    problem: Problem, start: Ints, table: Floats, limit: float, name: str, clock: TimeBudget, waiting: int
) -> Point | None:
    """The best plan with a burden of at most `limit`, and of such plans the one with the least; None without one."""
    pool = np.zeros(problem.shape[1], dtype=np.intp)
    limited = Resource(unused_name(name, problem), "", table, pool, np.array([limit]))
    try:
        plan = clock.solve(problem.suppose(resources=(*problem.resources, limited)), start=start, waiting=waiting)
    except InputError:
        return None
    if plan is None or plan.violations:
        clock.missed = True
        return None
    return _lightest(problem, Point(limit, limit, plan), table, clock, waiting - 1)


def _lightest(problem: Problem, point: Point, table: Floats, clock: TimeBudget, waiting: int) -> Point:
    """The point with the least burden at the objective value of its plan."""
    plan, sites = point.plan, problem.shape[1]
    total = _total(table, plan.site)
    limit = max(point.limit, total)
    if total <= 0 or plan.status != "optimal":  # where that isn't proven, the time is better spent on others
        return Point(limit, total, plan, plan.status == "optimal")
    earning = [link for link in problem.links if near(link, plan.site)]
    partners = np.isin(np.arange(len(plan.site)), [end for link in earning for end in (link.first, link.second)])
    stays = problem.suppose(locked=np.where(partners, plan.site, problem.locked))
    least = score_at_least(stays, plan.objective - sum(link.gain for link in earning))
    wide = other_aim(stays, -np.column_stack([table, np.zeros(len(table))]), [least])
    start = np.where(plan.site == UNPLACED, sites, plan.site)
    try:
        again = clock.solve(wide, start=start, waiting=waiting)
    except InputError:  # a value that is just reached, by rounding
        again = None
    if again is None:
        return Point(limit, total, plan, False)
    site = np.where(again.site < sites, again.site, UNPLACED)
    settled = again.status == "optimal" and not problem.links
    if again.violations or _total(table, site) >= total or not _as_good(problem, site, plan):
        return Point(limit, total, plan, settled)
    value = objective(problem, site)
    bound = max(plan.bound, value)
    pools = {name: pool[: len(site)] for name, pool in again.pools.items()}
    score = score_of(problem, site)
    gap = relative_gap(bound - value, score)
    lighter = replace(plan, site=site, objective=value, bound=bound, gap=gap, pools=pools, score=score)
    return Point(limit, _total(table, site), lighter, settled)


def _as_good(problem: Problem, site: Ints, plan: Assignment) -> bool:
    """Whether a plan keeps the rules and has another's objective value."""
    least = plan.objective - 1e-7 * max(1.0, abs(plan.objective))
    return objective(problem, site) >= least and not verify(problem, site)


def balance_front(
    problem: Problem, best: Assignment, region: ArrayLike, *, time_limit_s: float | TimeBudget = 20.0
) -> tuple[Point, ...]:
    """Best plans when each region must get at least 0, 1, 2 … projects, as long as any plan can.

    A plan whose objective value isn't above that of one with better balance isn't among them.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    region : (S,) int array
        Region of each site, -1 for none.
    time_limit_s : float or TimeBudget
        For each plan, or for all of them together.

    Raises
    ------
    InputError
        On regions of another shape, or when no site is in one.
    """
    group = np.array(numbers(region))
    faults = number_faults(group, "region")
    if not faults and group.shape != problem.shape[1:]:
        faults.append(Fault("matching.region_shape", "region", shape=str(group.shape), sites=problem.shape[1]))
    elif not faults and not ((group >= UNPLACED) & (group == np.floor(group))).all():
        faults.append(Fault("matching.region_numbers", "region"))
    elif not faults and (group == UNPLACED).all():
        faults.append(Fault("matching.region_empty", "region"))
    refuse_if(faults)
    inside = group != UNPLACED
    group[inside] = np.unique(group[inside], return_inverse=True)[1]  # regions without a site don't count
    member = group.astype(np.intp)
    regions = int(member.max()) + 1

    def fewest(site: Ints) -> float:
        at = member[site[site != UNPLACED]]
        return float(np.bincount(at[at >= 0], minlength=regions).min())

    clock = TimeBudget.of(time_limit_s)
    front = [Point(fewest(best.site), fewest(best.site), best)]
    while (front[-1].other + 1) * regions <= problem.shape[0]:
        least = front[-1].other + 1
        name = unused_name("balance", problem)
        rule = group_limits(name, member, projects=problem.shape[0], minimum=np.full(regions, least))
        try:
            waiting = problem.shape[0] // regions - int(front[-1].other)
            ruled = problem.suppose(resources=(*problem.resources, rule))
            plan = clock.solve(ruled, start=_topped_up(problem, front[-1].plan.site, member, least), waiting=waiting)
        except InputError:
            break
        if plan is None or plan.violations:
            clock.missed = True
            break
        if plan.objective >= front[-1].plan.objective - ROUNDING * max(1.0, abs(plan.objective)):
            front.pop()
        front.append(Point(least, fewest(plan.site), plan))
    return tuple(front)


def _topped_up(problem: Problem, site: Ints, member: Ints, least: float) -> Ints | None:
    """A plan with at least so many projects in each region, by moving those that lose least by it; None without one."""
    after, regions = np.array(site), int(member.max()) + 1
    for region in range(regions):
        while True:
            at = np.where(after == UNPLACED, UNPLACED, member[after])
            sizes = np.bincount(at[at != UNPLACED], minlength=regions)
            if sizes[region] >= least:
                break
            spare = (at == UNPLACED) | (sizes[at] > least)
            may = problem.eligible & (spare & (problem.locked == UNPLACED))[:, None] & (member == region)[None, :]
            now = np.where(after == UNPLACED, 0.0, problem.score[np.arange(len(after)), after])
            loss = np.where(may, now[:, None] - problem.score, np.inf)
            for at in np.argsort(loss, axis=None, kind="stable")[: int(may.sum())]:
                p, s = divmod(int(at), loss.shape[1])
                if not shortages(problem, after, p, s):
                    after[p] = s
                    break
            else:
                return None
    return after


def _total(table: Floats, site: Ints) -> float:
    placed = np.flatnonzero(site != UNPLACED)
    return float(table[placed, site[placed]].sum())
