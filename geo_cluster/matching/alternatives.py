"""Other plans that are nearly as good.

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
from geo_cluster.matching.arguments import amount_faults, integer_faults, shown
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import Problem, plan_of
from geo_cluster.matching.resource import UNPLACED, Floats, Ints, Resource
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.matching.verify import objective, usage, verify

_TRIED = 12  # sites of a project that are tried for a plan to begin with
ROUNDING = 1e-9
"""Objective values that differ by a smaller share are the same but for the rounding of sums."""


@dataclass(frozen=True, eq=False)
class Alternative:
    """A plan beside the best one.

    Attributes
    ----------
    site : (P,) int array
    objective : float
        Its objective value.
    loss : float
        Objective value of the best plan less its own.
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


@dataclass(frozen=True)
class Change:
    """A project that is elsewhere in the second of two plans; -1 is unplaced.

    Attributes
    ----------
    project, before, after : int
    name, before_name, after_name : str
    gain : float
        Score and bonus of the project's place after less before.
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
    problem: Problem, best: Assignment, *, count: int = 3, within: float = 0.02, time_limit_s: float | TimeBudget = 20.0
) -> tuple[Alternative, ...]:
    """Plans within a share of the best objective value that differ from it, and from each other, the most.

    One after another: each is as far as can be from the nearest of the plans before it, and of such plans the one
    that is farthest from all of them in sum.

    Parameters
    ----------
    problem, best
        The problem and its solution.
    count : int
        How many; fewer come back when there are no others, or none was found in time.
    within : float
        Share of the best plan's objective value that may be given up. What links earn isn't counted on.
    time_limit_s : float or TimeBudget
        For each plan, or for all of them together.

    Raises
    ------
    InputError
        On a count below one or a share outside 0 … 1.
    """
    plan_of(problem, best.site, "best")
    faults = integer_faults(count=count, least=1)
    if amount_faults(within=within) or within > 1:
        faults.append(Fault("matching.not_a_share", "within", value=shown(within)))
    refuse_if(faults)
    clock, floor = TimeBudget.of(time_limit_s), best.objective - within * abs(best.objective)
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
    problem: Problem, plans: list[Ints], floor: float, clock: TimeBudget, waiting: int
) -> tuple[Ints, bool] | None:
    """The plan of at least `floor` that is farthest from the nearest of `plans`, and whether that is proven.

    In how many projects it differs from each is at least 1 plus the steps that are up. Steps count more than all
    differences together, so that the sum decides only between plans that are equally far from the nearest.
    """
    projects, sites = problem.shape
    apart = [_differs(problem, plan) for plan in plans]
    steps = _steps(int((problem.locked == UNPLACED).sum()) - 1 if len(plans) > 1 else 0)
    height = len(plans) * projects + 1
    rules = [score_at_least(problem, floor)]
    rules += [(f"difference {number}", each, 1.0 + steps.sum()) for number, each in enumerate(apart, 1)]
    wide = other_aim(problem, np.sum(apart, axis=0), rules, steps=steps, height=height)
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
    values = np.column_stack([np.where(problem.eligible, _values(problem), -np.inf), np.zeros(len(rows))])
    fresh = values.copy()
    for plan in plans:
        fresh[rows, plan] = -np.inf  # -1 is the last column: staying out
    fresh[problem.locked != UNPLACED] = -np.inf
    pooled = [resource for resource in problem.resources if not resource.several]
    room = [resource.at(problem.level) - usage(resource, site) for resource in pooled]
    loss, spare = values[rows, site][:, None] - fresh, float(values[rows, site].sum()) - floor
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


Rule = tuple[str, Floats, float]  # a name; what each project adds at each site and out, (P, S + 1); the least sum


def score_at_least(problem: Problem, floor: float) -> Rule:
    """The rule that score and bonus come to at least `floor`; raised by so much a project that nothing is negative."""
    values = np.where(problem.eligible, _values(problem), 0.0)
    values = np.column_stack([values, np.zeros(len(values))])
    more = max(0.0, -float(values.min()), (1.0 - floor) / len(values))
    least = floor - ROUNDING * max(1.0, abs(floor)) + more * len(values)
    return "objective", values + more, least


def other_aim(
    problem: Problem, aim: Floats, rules: Sequence[Rule], *, steps: Floats | tuple[()] = (), height: float = 1.0
) -> Problem:
    """The problem with another aim and with minima on sums over all projects, of which some may stay out.

    Staying out is a site of its own here, the last but one, so that it can count, too. Steps are further projects:
    each stays out there as well, or is up at the last site; there it earns `height` times its size, and what it
    leaves out is taken from the sum of every rule but the first.

    Parameters
    ----------
    problem : Problem
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
        resources.append(Resource(unused_name(name, problem), "", demand, one, np.array([np.inf]), np.array([least])))
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


def unused_name(name: str, problem: Problem) -> str:
    """A name that no resource of the problem has."""
    taken = {resource.name for resource in problem.resources}
    while name in taken:
        name += "′"
    return name


def _values(problem: Problem) -> Floats:
    """(P, S): score and bonus of each pair."""
    return problem.score + problem.bonus[:, None]


def difference(problem: Problem, before: ArrayLike, after: ArrayLike) -> tuple[Change, ...]:
    """Row by row, who is elsewhere in the second of two plans.

    Parameters
    ----------
    problem : Problem
    before, after : (P,) int array
        Site of each project, -1 where unplaced.

    Raises
    ------
    InputError
        On plans of another shape or with sites that there aren't.
    """
    a, b, values = plan_of(problem, before, "before"), plan_of(problem, after, "after"), _values(problem)

    def place(s: Any) -> str:
        return "unplaced" if s == UNPLACED else problem.site_name(s)

    def value(p: Any, s: Any) -> float:
        return 0.0 if s == UNPLACED else float(values[p, s])

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
