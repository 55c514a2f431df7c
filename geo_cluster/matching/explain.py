"""Why a plan is as it is, and what would change it. Every claim is a problem solved again.

Questions have one function each: `placement_options` (for a project left out), `pool_values`, `why_here` (for a project
not at its favourite), `lock_prices`, `site_importance`, `opening_values`, `parts_values`. `proven` says whether each
re-solve was; where they share a `TimeBudget`, what it didn't reach is nan. Sentences in both languages are
`report.explanation`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geo_cluster.errors import Fault, InputError
from geo_cluster.matching.arguments import amount_faults, shown
from geo_cluster.matching.engine.milp import Limits, maximise
from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.engine.search import program
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import Problem, plan_of
from geo_cluster.matching.resource import UNPLACED, Floats, Ints, Resource
from geo_cluster.matching.shortages import Shortage, shortages
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.matching.verify import usage

_MARGIN = 1e-6  # what is asked for on top of the shortage, as a share of it, so that rounding doesn't undo it


@dataclass(frozen=True)
class Move:
    """A project that changes its site; -1 is unplaced."""

    project: int
    before: int
    after: int


@dataclass(frozen=True)
class PlacementOption:
    """How a project that the plan leaves out can be placed, solved again.

    Attributes
    ----------
    project, site : int
        Who comes in, and where.
    more : tuple of Shortage
        What has to be found; empty when moving others is enough.
    moves : tuple of Move
        Who else moves.
    gain : float
        Objective value of the new plan less that of the old one: negative is a loss.
    proven : bool
        Whether the new plan was proven best.
    """

    project: int
    site: int
    more: tuple[Shortage, ...]
    moves: tuple[Move, ...]
    gain: float
    proven: bool


@dataclass(frozen=True)
class PoolValue:
    """What the plan gains by more in a pool.

    Attributes
    ----------
    resource, pool : str
    index : int
        Number of the pool.
    step : float
        How many units were added.
    gain : float
        What the plan gains, by solving again.
    price : float
        Price of one unit in the linear relaxation.
    proven : bool
    """

    resource: str
    pool: str
    index: int
    step: float
    gain: float
    price: float
    proven: bool


@dataclass(frozen=True)
class Reason:
    """Why a project isn't at the site where it scores highest.

    Attributes
    ----------
    project, site, favourite : int
    score, favourite_score : float
    lacking : tuple of Shortage
        What the favourite lacks while everyone else stays.
    loss : float
        What the plan loses when the project is put there; inf when no plan can.
    proven : bool
    """

    project: int
    site: int
    favourite: int
    score: float
    favourite_score: float
    lacking: tuple[Shortage, ...]
    loss: float
    proven: bool


@dataclass(frozen=True)
class OpeningValue:
    """What an opening buys.

    Attributes
    ----------
    index : int
        Number of the opening.
    name : str
    is_opened : bool
        Whether the plan opens it.
    cost : float
    worth : float
        Cost up to which opening it pays: objective value of the best plan where it costs nothing, less that of the best
        plan without it. inf when no plan without it keeps the rules, nan where time ended.
    proven : bool
    """

    index: int
    name: str
    is_opened: bool
    cost: float
    worth: float
    proven: bool


@dataclass(frozen=True)
class PartsValue:
    """What binding some parts costs, and what having them apart is worth.

    Attributes
    ----------
    index : int
        Number of the parts.
    cost : float
        What the plan would gain were nothing to bind them.
    apart : float
        What it would lose were they to go to one site; inf when no such plan keeps the rules.
    proven : bool
    """

    index: int
    cost: float
    apart: float
    proven: bool


@dataclass(frozen=True)
class Price:
    """What one lock costs, or what losing one site costs.

    Attributes
    ----------
    index : int
        The locked project, or the site.
    name : str
    loss : float
        Objective value of the plan without the lock (or with the site) less its value with (without); inf when no plan
        without the site keeps the rules.
    proven : bool
    """

    index: int
    name: str
    loss: float
    proven: bool


def placement_options(
    problem: Problem,
    plan: Assignment,
    *,
    project: int,
    most: int = 5,
    time_limit_s: float | TimeBudget = 10.0,
    wider: Callable[[tuple[Shortage, ...]], Problem] | None = None,
) -> tuple[PlacementOption, ...]:
    """The cheapest options to place a project that the plan leaves out.

    First the best plan that places it with the capacities there are (others move); then, for the sites that lack
    least (as shares of their pools), what has to be found there so that nobody moves for the worse.

    Parameters
    ----------
    problem, plan
        The problem and its solution.
    project : int
        Who is left out.
    most : int
        Most options to return.
    time_limit_s : float or TimeBudget
        For each re-solve, or for all of them together.
    wider : callable, optional
        The problem with so much more in its pools, where that changes more than the pools (scores, for one).

    Raises
    ------
    InputError
        When there is no such project.
    """
    plan_of(problem, plan.site, "plan")
    if not isinstance(project, int | np.integer) or not 0 <= project < problem.shape[0]:
        raise InputError(Fault("matching.no_such_project", "project", value=shown(project), projects=problem.shape[0]))
    options, clock = [], TimeBudget.of(time_limit_s)
    enlarged = wider or (lambda lacking: _enlarged(problem, lacking))
    loss = 4.0 * float(np.nanmax(np.abs(problem.score))) + 4.0 * float(np.abs(problem.bonus).max()) + 1.0
    loss += float(sum(link.gain for link in problem.links)) + 2.0 * abs(plan.objective)
    bonus = problem.bonus.copy()
    bonus[project] += loss
    forced = clock.solve(problem.suppose(bonus=bonus), waiting=most, near=plan)
    if forced is not None and forced.site[project] != UNPLACED and not forced.violations:
        options.append(_option(plan, forced, project, (), forced.objective - loss - plan.objective))
    as_opened = problem.settled(plan.opened)
    lacking = {
        int(s): shortages(as_opened, plan.site, project, int(s)) for s in np.flatnonzero(problem.eligible[project])
    }
    nearest = sorted((s for s in lacking if lacking[s]), key=lambda s: (_effort(problem, lacking[s]), s))
    for tried, s in enumerate(nearest[: max(most - len(options), 0)], len(options)):
        start = np.where(np.arange(len(plan.site)) == project, s, plan.site)
        try:
            with_it = enlarged(lacking[s]).suppose(locked=_locked(problem, project, s))
            again = clock.solve(with_it, start=start, waiting=most - tried, near=plan)
        except InputError:  # it can't stand there together with what is locked, or minima can't be met
            continue
        if again is not None and again.site[project] == s and not again.violations:
            options.append(_option(plan, again, project, lacking[s], again.objective - plan.objective))
    return tuple(sorted(options, key=lambda one: (len(one.more) > 0, _effort(problem, one.more))))


def _effort(problem: Problem, lacking: tuple[Shortage, ...]) -> float:
    """What is lacking as shares of the usual pool of each resource, so that mu and MVA can be added."""
    effort = 0.0
    for short in lacking:
        resource = next(each for each in problem.resources if each.name == short.resource)
        usual = resource.at(problem.level)
        usual = usual[np.isfinite(usual)]
        effort += short.amount / ((float(usual.mean()) if usual.size else 0.0) or 1.0)
    return effort


def _enlarged(problem: Problem, lacking: tuple[Shortage, ...]) -> Problem:
    """The problem with what is lacking added to its pools."""
    resources = []
    for resource in problem.resources:
        more = np.zeros(len(resource.capacity))
        for short in lacking:
            if short.resource == resource.name:
                more[short.index] += short.amount * (1 + _MARGIN)
        resources.append(_with_more(resource, more) if more.any() else resource)
    return problem.suppose(resources=tuple(resources))


def _with_more(resource: Resource, more: Floats) -> Resource:
    wide = more if resource.capacity.ndim == 1 else more[:, None]
    return replace(resource, capacity=resource.capacity + wide)


def moves(before: Ints, after: Ints) -> tuple[Move, ...]:
    """Projects whose site differs between two plans."""
    return tuple(Move(int(p), int(before[p]), int(after[p])) for p in np.flatnonzero(before != after))


def _option(
    plan: Assignment, again: Assignment, project: int, more: tuple[Shortage, ...], gain: float
) -> PlacementOption:
    others = tuple(move for move in moves(plan.site, again.site) if move.project != project)
    return PlacementOption(project, int(again.site[project]), more, others, float(gain), again.status == "optimal")


def pool_values(
    problem: Problem, plan: Assignment, *, step: float = 1.0, time_limit_s: float | TimeBudget = 10.0
) -> tuple[PoolValue, ...]:
    """For each pool: what the plan gains by `step` more units, by solving again and by the linear relaxation.

    Pools without a limit are left out. Rows come with the most valuable pool first.

    Parameters
    ----------
    problem, plan
        The problem and its solution.
    step : float
        How much larger each pool is made, in its unit.
    time_limit_s : float or TimeBudget
        For each re-solve, or for all of them together.

    Raises
    ------
    InputError
        When `step` isn't a positive number.
    """
    plan_of(problem, plan.site, "plan")
    if amount_faults(step=step) or not 0 < step < np.inf:
        raise InputError(Fault("matching.not_a_step", "step", value=shown(step)))
    clock = TimeBudget.of(time_limit_s)
    prices = pool_prices(problem.settled(plan.opened), time_limit_s=clock.part(0.3))
    pools = _fullest_first(problem, plan)
    found = []
    for number, (resource, k) in enumerate(pools):
        more = np.where(np.arange(len(resource.capacity)) == k, step, 0.0)
        wider = tuple(_with_more(each, more) if each is resource else each for each in problem.resources)
        wide = problem.suppose(resources=wider)
        again = clock.solve(wide, start=plan.site, waiting=len(pools) - number, near=plan)
        gain = np.nan if again is None else again.objective - plan.objective
        proven = again is not None and again.status == plan.status == "optimal"
        price = float(prices[resource.name][k])
        found.append(PoolValue(resource.name, resource.pool_name(k), k, step, gain, price, proven))
    return tuple(
        sorted(found, key=lambda row: (np.isnan(row.gain), -np.nan_to_num(row.gain), -np.nan_to_num(row.price)))
    )


def _fullest_first(problem: Problem, plan: Assignment) -> list[tuple[Resource, int]]:
    """Every pool with a limit; first those of which the plan leaves the smallest share, where more may matter."""
    found = []
    for resource in problem.resources:
        capacity = resource.at(problem.level)
        pool = plan.pools.get(resource.name)
        full = np.ones(len(capacity))
        if not resource.several or pool is not None:
            full = usage(resource, plan.site, pool) / np.where(capacity > 0, capacity, 1.0)
        found += [(-full[k], resource, int(k)) for k in np.flatnonzero(np.isfinite(capacity))]
    return [(resource, k) for _, resource, k in sorted(found, key=lambda each: each[0])]


def pool_prices(
    problem: Problem, *, step: float = 1e-4, time_limit_s: float | TimeBudget = np.inf
) -> dict[str, Floats]:
    """Dual price of each pool in the linear relaxation, by a small step up.

    Parameters
    ----------
    problem : Problem
    step : float
        Of the capacity; of the largest demand, where there is none.
    time_limit_s : float or TimeBudget
        For each relaxation, or for all of them together.

    Returns
    -------
    dict
        Resource to (K,) prices of one unit; nan where time ended.
    """
    clock = TimeBudget.of(time_limit_s)
    base = _relaxation(problem, clock)
    prices = {}
    for resource in problem.resources:
        capacity = resource.at(problem.level)
        price, largest = np.zeros(len(capacity)), float(np.nanmax(resource.demand, initial=0.0)) or 1.0
        for k in np.flatnonzero(np.isfinite(capacity)):
            more = np.where(np.arange(len(capacity)) == k, step * (capacity[k] or largest), 0.0)
            wider = tuple(_with_more(each, more) if each is resource else each for each in problem.resources)
            price[k] = np.maximum(_relaxation(problem.suppose(resources=wider), clock) - base, 0.0) / more[k]
        prices[resource.name] = price
    return prices


def _relaxation(problem: Problem, clock: TimeBudget) -> float:
    """Bound of the linear relaxation; nan when the time didn't suffice."""
    left = clock.left_s
    if left <= 0:
        return np.nan
    model = presolve(problem)
    p, s = np.nonzero(np.isfinite(model.value))
    task = program(model, p, s, np.full(len(model.value), UNPLACED))
    outcome = maximise(
        replace(task, integer=np.zeros(len(task.cost), dtype=bool)), Limits(time_limit_s=min(left, clock.each_s))
    )
    return outcome.bound + model.base if outcome.finished else np.nan


def why_here(problem: Problem, plan: Assignment, *, time_limit_s: float | TimeBudget = 10.0) -> tuple[Reason, ...]:
    """For each placed project that isn't at its favourite site: why not, and what putting it there would cost.

    Parameters
    ----------
    problem, plan
        The problem and its solution.
    time_limit_s : float or TimeBudget
        For each re-solve, or for all of them together.
    """
    plan_of(problem, plan.site, "plan")
    clock, found = TimeBudget.of(time_limit_s), []
    score = np.where(problem.eligible, problem.score, -np.inf)
    missing = score.max(axis=1) - np.where(plan.site == UNPLACED, np.inf, score[np.arange(len(score)), plan.site])
    order = np.argsort(-missing, kind="stable")[: (missing > 0).sum()]  # who is farthest from its favourite first
    for number, p in enumerate(order):
        here, favourite = int(plan.site[p]), int(score[p].argmax())
        lacking = shortages(problem.settled(plan.opened), plan.site, int(p), favourite)
        waiting = len(order) - number
        loss, proven = _loss_of(problem, plan, clock, waiting, locked=_locked(problem, int(p), favourite))
        row = Reason(int(p), here, favourite, float(score[p, here]), float(score[p, favourite]), lacking, loss, proven)
        found.append(row)
    return tuple(sorted(found, key=lambda row: row.project))


def lock_prices(problem: Problem, plan: Assignment, *, time_limit_s: float | TimeBudget = 10.0) -> tuple[Price, ...]:
    """For each lock: what the plan would gain without it.

    Parameters
    ----------
    problem, plan
        The problem and its solution.
    time_limit_s : float or TimeBudget
        For each re-solve, or for all of them together.
    """
    plan_of(problem, plan.site, "plan")
    clock, found = TimeBudget.of(time_limit_s), []
    rows = np.flatnonzero(problem.locked != UNPLACED)
    for number, p in enumerate(rows):
        free, waiting = _locked(problem, int(p), UNPLACED), len(rows) - number
        loss, proven = _loss_of(problem, plan, clock, waiting, locked=free, start=plan.site)
        found.append(Price(int(p), problem.project_name(p), -loss, proven))
    return tuple(found)


def site_importance(
    problem: Problem, plan: Assignment, *, time_limit_s: float | TimeBudget = 10.0
) -> tuple[Price, ...]:
    """For each site that the plan uses: what is lost if it drops out, with its locks. Most important first.

    Parameters
    ----------
    problem, plan
        The problem and its solution.
    time_limit_s : float or TimeBudget
        For each re-solve, or for all of them together.
    """
    plan_of(problem, plan.site, "plan")
    clock, found = TimeBudget.of(time_limit_s), []
    used, count = np.unique(plan.site[plan.site != UNPLACED], return_counts=True)
    for number, s in enumerate(used[np.argsort(-count, kind="stable")]):  # those with the most projects first
        score = problem.score.copy()
        score[:, s] = np.nan
        locked = np.where(problem.locked == s, UNPLACED, problem.locked)
        start = np.where(plan.site == s, UNPLACED, plan.site)
        waiting = len(used) - number
        loss, proven = _loss_of(problem, plan, clock, waiting, score=score, locked=locked, start=start)
        found.append(Price(int(s), problem.site_name(s), loss, proven))
    return tuple(sorted(found, key=lambda row: (np.isnan(row.loss), -np.nan_to_num(row.loss, posinf=np.inf))))


def opening_values(
    problem: Problem, plan: Assignment, *, time_limit_s: float | TimeBudget = 10.0
) -> tuple[OpeningValue, ...]:
    """For each opening: up to which cost it pays, by solving again. One that is open is closed, another one is free.

    Parameters
    ----------
    problem, plan
        The problem, with its openings, and its solution.
    time_limit_s : float or TimeBudget
        For each re-solve, or for all of them together.
    """
    plan_of(problem, plan.site, "plan")
    clock, found = TimeBudget.of(time_limit_s), []
    for o, one in enumerate(problem.openings):
        waiting, is_opened = len(problem.openings) - o, o in plan.opened
        if is_opened:
            score, others = problem.score.copy(), list(problem.openings)
            score[:, list(one.sites)] = np.nan
            others[o] = replace(one, sites=(), adds={})
            loss, proven = _loss_of(problem, plan, clock, waiting, score=score, openings=tuple(others))
            worth = float(one.cost) + loss
        else:
            free = tuple(replace(each, cost=0.0) if each is one else each for each in problem.openings)
            loss, proven = _loss_of(problem, plan, clock, waiting, openings=free, start=plan.site)
            worth = -loss
        found.append(OpeningValue(o, one.name, is_opened, float(one.cost), max(worth, 0.0), proven))
    return tuple(found)


def parts_values(
    problem: Problem, plan: Assignment, *, time_limit_s: float | TimeBudget = 10.0
) -> tuple[PartsValue, ...]:
    """For each of the problem's parts: what binding them costs, and what more than one site is worth, by solving again.

    Parameters
    ----------
    problem, plan
        The problem and its solution.
    time_limit_s : float or TimeBudget
        For each re-solve, or for all of them together.
    """
    plan_of(problem, plan.site, "plan")
    clock, found, count = TimeBudget.of(time_limit_s), [], len(problem.parts)
    for number, one in enumerate(problem.parts):
        others = [each for each in problem.parts if each is not one]
        waiting = 2 * (count - number)
        free, is_free = _loss_of(problem, plan, clock, waiting, parts=tuple(others), start=plan.site)
        loss, is_proven = 0.0, True
        if one.most_sites != 1:
            together = tuple(replace(each, most_sites=1) if each is one else each for each in problem.parts)
            loss, is_proven = _loss_of(problem, plan, clock, waiting - 1, parts=together)
        found.append(PartsValue(number, max(-free, 0.0) + 0.0, max(loss, 0.0) + 0.0, is_free and is_proven))
    return tuple(found)


def _locked(problem: Problem, project: int, site: int) -> Ints:
    return np.where(np.arange(problem.shape[0]) == project, site, problem.locked)


def _loss_of(
    problem: Problem, plan: Assignment, clock: TimeBudget, waiting: int, start: Ints | None = None, **changes: Any
) -> tuple[float, bool]:
    """What the plan loses under a change and whether that is proven; inf when nothing keeps the rules, nan unsolved."""
    try:
        again = clock.solve(problem.suppose(**changes), start=start, waiting=waiting, near=plan)
    except InputError:
        return np.inf, True
    if again is None:
        return np.nan, False
    if again.violations:  # time ended before minima were met
        return np.inf, False
    return plan.objective - again.objective, again.status == plan.status == "optimal"
