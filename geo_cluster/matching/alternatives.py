"""Other plans that are nearly as good, and what is traded for what.

The distance of two plans is the share of projects whose site differs (unplaced counts as a site of its own):
a stated distance, so that an alternative is another plan and not an accident of the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.matching.allowance import Allowance
from geo_cluster.matching.arguments import amount_faults, number_faults, numbers
from geo_cluster.matching.engine.model import near
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import UNPLACED, Floats, Ints, Problem, Resource, plan_of
from geo_cluster.matching.rules import quota
from geo_cluster.matching.verify import objective, usage, verify

_TRIED = 12  # sites of a project that are tried for a plan to begin with
_SAME = 1e-9  # worths that differ by a smaller share are the same but for the rounding of sums
_APART = 1e-6  # burdens that differ by less are the same: what a capacity is overdrawn by in rounding, ten times


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
        Whether no plan is proven to be farther from the nearest of the plans before it.
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
        What it came to: no plan of this worth does better by the second aim, where `settled`.
    plan : Assignment
        The best plan under the limit, with its own bound.
    settled : bool
        Whether that is proven; whether the worth is, `plan.status` says.
    """

    limit: float
    other: float
    plan: Assignment
    settled: bool = True


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
    problem: Problem, best: Assignment, *, count: int = 3, within: float = 0.02, time_limit_s: float | Allowance = 20.0
) -> tuple[Alternative, ...]:
    """Plans worth at least `(1 - within)` of the best that differ from it, and from each other, the most.

    One after another: each is as far as can be from the nearest of the plans before it, and of such plans the one
    that is farthest from all of them in sum.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    count : int
        How many; fewer come back when there are no others, or none was found in time.
    within : float
        Share of the best plan's worth that may be given up. What links earn isn't counted on.
    time_limit_s : float or Allowance
        For each plan, or for all of them together.

    Raises
    ------
    InputError
        On a count below one or a share outside 0 … 1.
    """
    plan_of(problem, best.site, "best")
    faults = []
    if not isinstance(count, int | np.integer) or count < 1:
        faults.append(Fault("count", f"is {count!r}", "Ask for one alternative or more."))
    if amount_faults(within=within) or within > 1:
        faults.append(Fault("within", f"is {within!r}", "Give a share between 0 and 1, 0.02 for two percent."))
    refuse_if(faults, InputError)
    clock, floor = Allowance.of(time_limit_s), best.objective - within * abs(best.objective)
    plans: list[Ints] = [best.site]
    found: list[Alternative] = []
    while len(found) < count:
        other = _farthest(problem, plans, floor, clock, count - len(found))
        if other is None:
            break
        site, proven = other
        nearest = min(distance(site, plan) for plan in plans)
        value = objective(problem, site)
        if nearest == 0 or value < floor - 1e-6 * max(1.0, abs(floor)):
            break
        plans.append(site)
        found.append(Alternative(site, value, best.objective - value, distance(site, best.site), nearest, proven))
    return tuple(found)


def _farthest(
    problem: Problem, plans: list[Ints], floor: float, clock: Allowance, waiting: int
) -> tuple[Ints, bool] | None:
    """The plan worth at least `floor` that is farthest from the nearest of `plans`, and whether that is proven.

    In how many projects it differs from each is at least 1 plus the steps that are up. Steps count more than all
    differences together, so that the sum decides only between plans that are equally far from the nearest.
    """
    projects, sites = problem.shape
    apart = [_differs(problem, plan) for plan in plans]
    steps = _steps(int((problem.locked == UNPLACED).sum()) - 1 if len(plans) > 1 else 0)
    height = len(plans) * projects + 1
    rules = [_worth_at_least(problem, floor)]
    rules += [(f"difference {number}", each, 1.0 + steps.sum()) for number, each in enumerate(apart, 1)]
    wide = _wide(problem, np.sum(apart, axis=0), rules, steps=steps, height=height)
    near_by = _drift(problem, plans, floor)
    reach = min(int((near_by != plan).sum()) for plan in plans) - 1
    start = np.concatenate([np.where(near_by == UNPLACED, sites, near_by), sites + _up(steps, reach)])
    try:
        again = clock.solve(wide, start=start, waiting=waiting)
    except InputError:
        return None
    if again is None or again.violations:
        clock.missed = True  # there may be others
        return None
    up = int(steps[again.site[projects:] > sites].sum())
    proven = again.status == "optimal" or (len(steps) > 0 and again.bound < height * (up + 1) - 1e-6)
    return np.where(again.site[:projects] < sites, again.site[:projects], UNPLACED), proven


def _steps(total: int) -> Floats:
    """(U,): whole numbers of which sums give every number up to `total`, and none above it."""
    sizes: list[int] = []
    while sum(sizes) < total:
        sizes.append(min(sum(sizes) + 1, total - sum(sizes)))
    return np.array(sizes, dtype=float)


def _up(steps: Floats, total: int) -> Ints:
    """(U,): 1 for steps that together make up `total`, or as much of it as there is."""
    up = np.zeros(len(steps), dtype=np.intp)
    for number in np.argsort(-steps):
        if steps[number] <= total:
            up[number] = 1
            total -= int(steps[number])
    return up


def _drift(problem: Problem, plans: list[Ints], floor: float) -> Ints:
    """A plan to begin with: the best one, with projects moved to where no plan has them, at the least loss.

    The last of `plans` when that leads nowhere.
    """
    site, rows = plans[0].copy(), np.arange(problem.shape[0])
    worth = np.column_stack([np.where(problem.eligible, _worth(problem), -np.inf), np.zeros(len(rows))])
    fresh = worth.copy()
    for plan in plans:
        fresh[rows, plan] = -np.inf  # -1 is the last column: staying out
    fresh[problem.locked != UNPLACED] = -np.inf
    pooled = [resource for resource in problem.resources if not resource.several]
    room = [resource.at(problem.level) - usage(resource, site) for resource in pooled]
    loss, spare = worth[rows, site][:, None] - fresh, float(worth[rows, site].sum()) - floor
    order = np.argsort(loss.min(axis=1), kind="stable")
    for p in np.concatenate([order, order]):  # whoever stays out the first time makes room for others
        if site[p] != plans[0][p]:
            continue
        for s in np.append(np.argsort(loss[p], kind="stable")[:_TRIED], problem.shape[1]):
            if not loss[p, s] <= spare:
                break
            s = int(s) if s < problem.shape[1] else UNPLACED
            moved = [
                _moved(resource, left, int(p), int(site[p]), s) for resource, left in zip(pooled, room, strict=True)
            ]
            if all((after >= np.minimum(left, 0.0)).all() for after, left in zip(moved, room, strict=True)):
                site[p], room, spare = s, moved, spare - float(loss[p, s])
                break
    return plans[-1] if verify(problem, site) else site


def _moved(resource: Resource, room: Floats, p: int, before: int, after: int) -> Floats:
    """(K,): what is left in each pool when a project moves."""
    left = room.copy()
    for at, sign in ((before, 1.0), (after, -1.0)):
        if at != UNPLACED and resource.pool[at] >= 0:
            need = resource.demand[p] if resource.demand.ndim == 1 else resource.demand[p, at]
            left[resource.pool[at]] += sign * need
    return left


def _differs(problem: Problem, plan: Ints) -> Floats:
    """(P, S + 1): 1 where a project isn't in a plan; the last column is staying out."""
    apart = np.ones((problem.shape[0], problem.shape[1] + 1))
    apart[np.arange(len(plan)), plan] = 0.0  # -1 is the last column, too
    return apart


_Rule = tuple[str, Floats, float]  # a name; what each project adds at each site and out, (P, S + 1); the least sum


def _worth_at_least(problem: Problem, floor: float) -> _Rule:
    """The rule that score and bonus come to at least `floor`; raised by so much a project that nothing is negative."""
    worth = np.where(problem.eligible, _worth(problem), 0.0)
    worth = np.column_stack([worth, np.zeros(len(worth))])
    more = max(0.0, -float(worth.min()), (1.0 - floor) / len(worth))
    least = floor - _SAME * max(1.0, abs(floor)) + more * len(worth)
    return "worth", worth + more, least


def _wide(
    problem: Problem, aim: Floats, rules: Sequence[_Rule], *, steps: Floats | tuple[()] = (), height: float = 1.0
) -> Problem:
    """The problem with another aim and with minima on sums over all projects, of which some may stay out.

    Staying out is a site of its own here, the last but one, so that it can count, too. Steps are further projects:
    each stays out there as well, or is up at the last site; there it earns `height` times its size, and what it
    leaves out is taken from the sum of every rule but the first.

    Parameters
    ----------
    aim : (P, S + 1) array
        What each project earns at each site, and out.
    rules : sequence of name, (P, S + 1) array, number
    steps : (U,) array
    """
    (projects, sites), more = problem.shape, len(steps)
    score = np.full((projects + more, sites + 2), np.nan)
    score[:projects, :-1] = aim
    score[:projects, :sites][~problem.eligible] = np.nan
    score[projects:, -2], score[projects:, -1] = 0.0, height * np.asarray(steps)
    resources = []
    for resource in problem.resources:
        several, flat = resource.several, resource.demand.ndim == 1
        pool = np.pad(resource.pool, ((0, 2), (0, 0)) if several else (0, 2), constant_values=False if several else -1)
        demand = np.pad(resource.demand, (0, more) if flat else ((0, more), (0, 2)))
        resources.append(replace(resource, pool=pool, demand=demand))
    for number, (name, table, least) in enumerate(rules):
        demand = np.pad(table, ((0, more), (0, 1)))
        demand[projects:, -2] = steps if number else 0.0
        one = np.zeros(sites + 2, dtype=np.intp)
        resources.append(Resource(_unused(name, problem), "", demand, one, np.array([np.inf]), np.array([least])))
    return problem.suppose(
        score=score,
        resources=tuple(resources),
        bonus=0.0,
        locked=np.append(problem.locked, np.full(more, UNPLACED)),
        forbidden=None,
        links=(),
        projects=(),
        sites=(),
    )


def _unused(name: str, problem: Problem) -> str:
    """A name that no resource of the problem has."""
    taken = {resource.name for resource in problem.resources}
    while name in taken:
        name += "′"
    return name


def _worth(problem: Problem) -> Floats:
    return problem.score + problem.bonus[:, None]


def trade_off(
    problem: Problem,
    best: Assignment,
    burden: ArrayLike,
    *,
    points: int = 7,
    time_limit_s: float | Allowance = 20.0,
    name: str = "burden",
) -> tuple[Point, ...]:
    """Best plans under tighter and tighter limits on a burden (commuting, cost): the front of score against it.

    No plan is worth as much as a point's with less burden, nor more with as little. Limits are set evenly; where
    several lead to the same plan, the widest gaps are searched for others.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    burden : (P, S) array
        What each pair adds to the burden; not negative.
    points : int
        Most points, from the burden of the best plan down to none.
    time_limit_s : float or Allowance
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
    clock = Allowance.of(time_limit_s)
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
        point = _held(problem, start.plan.site, table, limit, name, clock, 2 * (points - len(front)))
        empty.append((-np.inf if point is None else point.other, limit))
        if point is not None and all(abs(point.other - each.other) > _APART for each in front):
            front.append(point)
        if clock.left_s <= 0:
            clock.missed = clock.missed or len(front) < points
            break
    return _undominated(front)


def _undominated(points: list[Point]) -> tuple[Point, ...]:
    """Points in falling order of burden, without those that time left worse than another in both aims."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda each: (each.other, -each.plan.objective)):
        if not kept or point.plan.objective > kept[-1].plan.objective + _SAME * max(1.0, abs(point.plan.objective)):
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
        faults.append(Fault(name, f"has the shape {table.shape}", f"Give one number a pair: {problem.shape}."))
    elif not faults:
        wrong = np.argwhere(problem.eligible & ~((table >= 0) & (table < np.inf)))
        for p, s in wrong[:1]:
            what = f"is {table[p, s]} for {problem.project_name(p)} at {problem.site_name(s)}"
            faults.append(Fault(name, what, "Give zero or more for every pair that may be."))
    if not isinstance(points, int | np.integer) or points < 1:
        faults.append(Fault("points", f"is {points!r}", "Ask for one point or more."))
    refuse_if(faults, InputError)
    return np.where(problem.eligible, table, 0.0)


def _held(
    problem: Problem, start: Ints, table: Floats, limit: float, name: str, clock: Allowance, waiting: int
) -> Point | None:
    """The best plan with a burden of at most `limit`, and of such plans the one with the least; None without one."""
    pool = np.zeros(problem.shape[1], dtype=np.intp)
    held = Resource(_unused(name, problem), "", table, pool, np.array([limit]))
    try:
        plan = clock.solve(problem.suppose(resources=(*problem.resources, held)), start=start, waiting=waiting)
    except InputError:
        return None
    if plan is None or plan.violations:
        clock.missed = True
        return None
    return _lightest(problem, Point(limit, limit, plan), table, clock, waiting - 1)


def _lightest(problem: Problem, point: Point, table: Floats, clock: Allowance, waiting: int) -> Point:
    """The point with the least burden at the worth of its plan."""
    plan, sites = point.plan, problem.shape[1]
    total = _total(table, plan.site)
    limit = max(point.limit, total)
    if total <= 0 or plan.status != "optimal":  # where the worth isn't proven, the time is better spent on others
        return Point(limit, total, plan, plan.status == "optimal")
    earning = [link for link in problem.links if near(link, plan.site)]
    partners = np.isin(np.arange(len(plan.site)), [end for link in earning for end in (link.first, link.second)])
    stays = problem.suppose(locked=np.where(partners, plan.site, problem.locked))
    least = _worth_at_least(stays, plan.objective - sum(link.gain for link in earning))
    wide = _wide(stays, -np.column_stack([table, np.zeros(len(table))]), [least])
    start = np.where(plan.site == UNPLACED, sites, plan.site)
    try:
        again = clock.solve(wide, start=start, waiting=waiting)
    except InputError:  # a worth that is just reached, by rounding
        again = None
    if again is None:
        return Point(limit, total, plan, False)
    site = np.where(again.site < sites, again.site, UNPLACED)
    settled = again.status == "optimal" and not problem.links
    if again.violations or _total(table, site) >= total or not _as_good(problem, site, plan):
        return Point(limit, total, plan, settled)
    worth, bound = objective(problem, site), max(plan.bound, objective(problem, site))
    pools = {name: pool[: len(site)] for name, pool in again.pools.items()}
    gap = (bound - worth) / max(abs(worth), 1e-9)
    lighter = replace(plan, site=site, objective=worth, bound=bound, gap=gap, pools=pools)
    return Point(limit, _total(table, site), lighter, settled)


def _as_good(problem: Problem, site: Ints, plan: Assignment) -> bool:
    """Whether a plan keeps the rules and is worth what another is."""
    least = plan.objective - 1e-7 * max(1.0, abs(plan.objective))
    return objective(problem, site) >= least and not verify(problem, site)


def balance_front(
    problem: Problem, best: Assignment, region: ArrayLike, *, time_limit_s: float | Allowance = 20.0
) -> tuple[Point, ...]:
    """Best plans when each region must get at least 0, 1, 2 … projects, as long as any plan can.

    A plan that is worth no more than one with better balance isn't among them.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    region : (S,) int array
        Region of each site, -1 for none.
    time_limit_s : float or Allowance
        For each plan, or for all of them together.

    Raises
    ------
    InputError
        On regions of another shape, or when no site is in one.
    """
    group = np.array(numbers(region))
    faults = number_faults(group, "region")
    if not faults and group.shape != problem.shape[1:]:
        what, remedy = f"has the shape {group.shape}", f"Give the region of each of the {problem.shape[1]} sites."
        faults.append(Fault("region", what, remedy))
    elif not faults and not ((group >= UNPLACED) & (group == np.floor(group))).all():
        faults.append(Fault("region", "has numbers that name no region", "Number regions from 0; -1 for none."))
    elif not faults and (group == UNPLACED).all():
        faults.append(Fault("region", "puts no site in a region", "Give a region to one site at least."))
    refuse_if(faults, InputError)
    inside = group != UNPLACED
    group[inside] = np.unique(group[inside], return_inverse=True)[1]  # regions without a site don't count
    member = group.astype(np.intp)
    regions = int(member.max()) + 1

    def fewest(site: Ints) -> float:
        at = member[site[site != UNPLACED]]
        return float(np.bincount(at[at >= 0], minlength=regions).min())

    clock = Allowance.of(time_limit_s)
    front = [Point(fewest(best.site), fewest(best.site), best)]
    while (front[-1].other + 1) * regions <= problem.shape[0]:
        least = front[-1].other + 1
        name = _unused("balance", problem)
        rule = quota(name, member, projects=problem.shape[0], minimum=np.full(regions, least))
        try:
            waiting = problem.shape[0] // regions - int(front[-1].other)
            plan = clock.solve(problem.suppose(resources=(*problem.resources, rule)), waiting=waiting)
        except InputError:
            break
        if plan is None or plan.violations:
            clock.missed = True
            break
        if plan.objective >= front[-1].plan.objective - _SAME * max(1.0, abs(plan.objective)):
            front.pop()
        front.append(Point(least, fewest(plan.site), plan))
    return tuple(front)


def _total(table: Floats, site: Ints) -> float:
    placed = np.flatnonzero(site != UNPLACED)
    return float(table[placed, site[placed]].sum())


def difference(problem: Problem, before: ArrayLike, after: ArrayLike) -> tuple[Change, ...]:
    """Row by row, who is elsewhere in the second of two plans."""
    a, b, worth = plan_of(problem, before, "before"), plan_of(problem, after, "after"), _worth(problem)

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
