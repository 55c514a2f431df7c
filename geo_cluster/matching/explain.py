"""Why a plan is as it is, and what would change it. Every claim is a problem solved again.

Questions have one function each: `ways_in` (for a project left out), `pool_worth`, `why_here` (for a project
not at its favourite), `lock_prices`, `site_importance`. `proven` says whether each re-solve was. Where re-solves share
an `Allowance`, what it didn't reach is nan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from geo_cluster.errors import Fault, InputError
from geo_cluster.matching.allowance import Allowance
from geo_cluster.matching.arguments import amount_faults, rounded
from geo_cluster.matching.engine.milp import maximise
from geo_cluster.matching.engine.model import compile_model
from geo_cluster.matching.engine.search import program
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import UNPLACED, Floats, Ints, Problem, Resource, plan_of
from geo_cluster.matching.verify import usage

_MARGIN = 1e-6  # what is asked for on top of the shortage, as a share of it, so that rounding doesn't undo it


@dataclass(frozen=True)
class Shortage:
    """What a pool lacks for one more project.

    Attributes
    ----------
    resource, pool, unit : str
    amount : float
        In `unit`.
    index : int
        Number of the pool: names may be given twice.
    """

    resource: str
    pool: str
    amount: float
    unit: str
    index: int = -1

    def __str__(self) -> str:
        return f"+{rounded(self.amount, up=True)} {self.unit} at {self.pool} ({self.resource})"


@dataclass(frozen=True)
class Move:
    """A project that changes its site; -1 is unplaced."""

    project: int
    before: int
    after: int


@dataclass(frozen=True)
class WayIn:
    """One way to place a project that the plan leaves out, solved again.

    Attributes
    ----------
    project, site : int
        Who comes in, and where.
    more : tuple of Shortage
        What has to be found; empty when moving others is enough.
    moves : tuple of Move
        Who else moves.
    gain : float
        Worth of the new plan less that of the old one: negative is a loss.
    proven : bool
        Whether the new plan was proven best.
    text : str
        The sentence for people.
    """

    project: int
    site: int
    more: tuple[Shortage, ...]
    moves: tuple[Move, ...]
    gain: float
    proven: bool
    text: str


@dataclass(frozen=True)
class PoolWorth:
    """What one more unit in a pool is worth.

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
    text : str
    """

    project: int
    site: int
    favourite: int
    score: float
    favourite_score: float
    lacking: tuple[Shortage, ...]
    loss: float
    proven: bool
    text: str


@dataclass(frozen=True)
class Price:
    """What one lock costs, or what losing one site costs.

    Attributes
    ----------
    index : int
        The locked project, or the site.
    name : str
    loss : float
        Worth of the plan without the lock (or with the site) less its worth with (without); inf when no plan without
        the site keeps the rules.
    proven : bool
    """

    index: int
    name: str
    loss: float
    proven: bool


def shortages(problem: Problem, site: Ints, project: int, at: int) -> tuple[Shortage, ...]:
    """What the pools of one site lack for one more project, while everyone else stays at its site.

    Where sites may draw on several pools, others may change pools to make room; what is lacking is the least there is.
    """
    after = np.array(site)
    after[project] = at
    lacking = []
    for resource in problem.resources:
        capacity = resource.at(problem.level)
        if resource.several:
            over = _least_over(resource, after, capacity, at)
        else:
            over = np.where(np.arange(len(capacity)) == resource.pool[at], usage(resource, after) - capacity, 0.0)
        need = resource.demand[project] if resource.demand.ndim == 1 else resource.demand[project, at]
        lacking += [
            Shortage(resource.name, resource.pool_name(k), float(over[k]), resource.unit, int(k))
            for k in np.flatnonzero(over > 1e-9 * max(1.0, float(need)))
        ]
    return tuple(lacking)


def _least_over(resource: Resource, site: Ints, capacity: Floats, at: int) -> Floats:
    """(K,): how much larger the pools that one site may draw on have to be, in sum the least, for a plan to fit."""
    placed = np.flatnonzero(site != UNPLACED)
    row, pool = np.nonzero(resource.pool[site[placed]])
    here = np.flatnonzero(resource.pool[at])
    if not here.size:
        return np.zeros(len(capacity))
    demand = resource.demand[placed] if resource.demand.ndim == 1 else resource.demand[placed, site[placed]]
    draws, more = np.arange(len(row)), len(row) + np.arange(len(here))
    # projects that draw somewhere, each whole; then pools, less what they are larger by
    entries = np.concatenate([np.ones(len(row)), demand[row], -np.ones(len(here))])
    rows = np.concatenate([row, len(placed) + pool, len(placed) + here])
    columns = np.concatenate([draws, draws, more])
    matrix = sparse.csc_array((entries, (rows, columns)), shape=(len(placed) + len(capacity), len(row) + len(here)))
    whole = resource.pool[site[placed]].any(axis=1).astype(float)
    enlarges = np.arange(len(row) + len(here)) >= len(row)
    found = maximise(
        np.where(enlarges, -1.0, 0.0),
        matrix,
        np.concatenate([whole, np.full(len(capacity), -np.inf)]),
        np.concatenate([whole, capacity]),
        upper=np.where(enlarges, np.inf, 1.0),
        whole=~enlarges & (not resource.split),
    )
    over = np.zeros(len(capacity))
    if found.x is not None:
        over[here] = found.x[len(row) :]
    return np.where(over > 1e-6 * np.maximum(1.0, np.where(np.isfinite(capacity), capacity, 1.0)), over, 0.0)


def ways_in(
    problem: Problem, plan: Assignment, *, project: int, most: int = 5, time_limit_s: float | Allowance = 10.0
) -> tuple[WayIn, ...]:
    """The cheapest ways to place a project that the plan leaves out.

    First the best plan that places it with the capacities there are (others move); then, for the sites that lack
    least (as shares of their pools), what has to be found there so that nobody moves for the worse.

    Parameters
    ----------
    problem, plan
        The problem and its solution.
    project : int
        Who is left out.
    most : int
        Most ways to return.
    time_limit_s : float or Allowance
        For each re-solve, or for all of them together.

    Raises
    ------
    InputError
        When there is no such project.
    """
    plan_of(problem, plan.site, "plan")
    if not isinstance(project, int | np.integer) or not 0 <= project < problem.shape[0]:
        remedy = f"Name one of the {problem.shape[0]} projects, counted from 0."
        raise InputError(Fault("project", f"there is no project {project!r}", remedy))
    ways, clock = [], Allowance.of(time_limit_s)
    loss = 4.0 * float(np.nanmax(np.abs(problem.score))) + 4.0 * float(np.abs(problem.bonus).max()) + 1.0
    loss += float(sum(link.gain for link in problem.links)) + 2.0 * abs(plan.objective)
    bonus = problem.bonus.copy()
    bonus[project] += loss
    forced = clock.solve(problem.suppose(bonus=bonus), waiting=most)
    if forced is not None and forced.site[project] != UNPLACED and not forced.violations:
        ways.append(_way(problem, plan, forced, project, (), forced.objective - loss - plan.objective))
    lacking = {
        int(s): shortages(problem, plan.site, project, int(s)) for s in np.flatnonzero(problem.eligible[project])
    }
    nearest = sorted((s for s in lacking if lacking[s]), key=lambda s: (_effort(problem, lacking[s]), s))
    for tried, s in enumerate(nearest[: max(most - len(ways), 0)], len(ways)):
        start = np.where(np.arange(len(plan.site)) == project, s, plan.site)
        try:
            wider = _enlarged(problem, lacking[s]).suppose(locked=_locked(problem, project, s))
            again = clock.solve(wider, start=start, waiting=most - tried)
        except InputError:  # it can't stand there together with what is locked, or minima can't be met
            continue
        if again is not None and again.site[project] == s and not again.violations:
            ways.append(_way(problem, plan, again, project, lacking[s], again.objective - plan.objective))
    return tuple(sorted(ways, key=lambda way: (len(way.more) > 0, _effort(problem, way.more))))


def _effort(problem: Problem, lacking: tuple[Shortage, ...]) -> float:
    """What is lacking as shares of the usual pool of each resource, so that mu and MVA can be added."""
    effort = 0.0
    for short in lacking:
        resource = next(each for each in problem.resources if each.name == short.resource)
        usual = resource.at(problem.level)
        usual = usual[np.isfinite(usual)]
        effort += short.amount / max(float(usual.mean()) if usual.size else 1.0, 1e-9)
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


def _way(
    problem: Problem, plan: Assignment, again: Assignment, project: int, more: tuple[Shortage, ...], gain: float
) -> WayIn:
    others = tuple(move for move in moves(plan.site, again.site) if move.project != project)
    parts = [", ".join(map(str, more))] if more else []
    parts += [
        f"moving {problem.project_name(move.project)} to {problem.site_name(move.after)}"
        if move.after != UNPLACED
        else f"leaving out {problem.project_name(move.project)}"
        for move in others
    ]
    outcome = f"at a loss of {-gain:.4g}" if gain < 0 else f"for a gain of {gain:.4g}"
    site = int(again.site[project])
    text = f"{problem.project_name(project)} to {problem.site_name(site)}: {', '.join(parts) or 'as it is'}, {outcome}"
    return WayIn(project, site, more, others, float(gain), again.status == "optimal", text)


def pool_worth(
    problem: Problem, plan: Assignment, *, step: float = 1.0, time_limit_s: float | Allowance = 10.0
) -> tuple[PoolWorth, ...]:
    """For each pool: what `step` more units are worth, by solving again and by the linear relaxation.

    Pools without a limit are left out. Rows come with the most valuable pool first.

    Raises
    ------
    InputError
        When `step` isn't a positive number.
    """
    plan_of(problem, plan.site, "plan")
    if amount_faults(step=step) or not 0 < step < np.inf:
        raise InputError(Fault("step", f"is {step!r}", "Give how much larger each pool is to be, in its unit."))
    clock = Allowance.of(time_limit_s)
    prices = pool_prices(problem, time_limit_s=clock.part(0.3))
    pools = _fullest_first(problem, plan)
    found = []
    for number, (resource, k) in enumerate(pools):
        more = np.where(np.arange(len(resource.capacity)) == k, step, 0.0)
        wider = tuple(_with_more(each, more) if each is resource else each for each in problem.resources)
        again = clock.solve(problem.suppose(resources=wider), start=plan.site, waiting=len(pools) - number)
        gain = np.nan if again is None else again.objective - plan.objective
        proven = again is not None and again.status == plan.status == "optimal"
        price = float(prices[resource.name][k])
        found.append(PoolWorth(resource.name, resource.pool_name(k), k, step, gain, price, proven))
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
            full = usage(resource, plan.site, pool) / np.maximum(capacity, 1e-9)
        found += [(-full[k], resource, int(k)) for k in np.flatnonzero(np.isfinite(capacity))]
    return [(resource, k) for _, resource, k in sorted(found, key=lambda each: each[0])]


def pool_prices(problem: Problem, *, step: float = 1e-4, time_limit_s: float | Allowance = np.inf) -> dict[str, Floats]:
    """Price of one unit of each pool in the linear relaxation, by a small step up, (K,) a resource."""
    clock = Allowance.of(time_limit_s)
    base = _relaxation(problem, clock)
    prices = {}
    for resource in problem.resources:
        capacity = resource.at(problem.level)
        price = np.zeros(len(capacity))
        for k in np.flatnonzero(np.isfinite(capacity)):
            more = np.where(np.arange(len(capacity)) == k, step * max(1.0, capacity[k]), 0.0)
            wider = tuple(_with_more(each, more) if each is resource else each for each in problem.resources)
            price[k] = np.maximum(_relaxation(problem.suppose(resources=wider), clock) - base, 0.0) / more[k]
        prices[resource.name] = price
    return prices


def _relaxation(problem: Problem, clock: Allowance) -> float:
    """Bound of the linear relaxation; nan when the time didn't suffice."""
    left = clock.left_s
    if left <= 0:
        return np.nan
    model = compile_model(problem)
    p, s = np.nonzero(np.isfinite(model.value))
    task = program(model, p, s, np.full(len(model.value), UNPLACED))
    outcome = maximise(
        task.cost, task.matrix, task.low, task.top, upper=task.upper, whole=False, time_limit_s=min(left, clock.each_s)
    )
    return outcome.bound + model.base if outcome.finished else np.nan


def why_here(problem: Problem, plan: Assignment, *, time_limit_s: float | Allowance = 10.0) -> tuple[Reason, ...]:
    """For each placed project that isn't at its favourite site: why not, and what putting it there would cost."""
    plan_of(problem, plan.site, "plan")
    clock, found = Allowance.of(time_limit_s), []
    score = np.where(problem.eligible, problem.score, -np.inf)
    missing = score.max(axis=1) - np.where(plan.site == UNPLACED, np.inf, score[np.arange(len(score)), plan.site])
    order = np.argsort(-missing, kind="stable")[: (missing > 0).sum()]  # who is farthest from its favourite first
    for number, p in enumerate(order):
        here, favourite = int(plan.site[p]), int(score[p].argmax())
        lacking = shortages(problem, plan.site, int(p), favourite)
        waiting = len(order) - number
        loss, proven = _loss_of(problem, plan, clock, waiting, locked=_locked(problem, int(p), favourite))
        names = f"{problem.project_name(p)} is at {problem.site_name(here)}, not at {problem.site_name(favourite)}"
        why = f"which lacks {', '.join(map(str, lacking))}" if lacking else "where its place is worth more to others"
        cost = f"putting it there costs the plan {loss:.4g}" if np.isfinite(loss) else "no plan can put it there"
        cost = "what putting it there costs was not worked out within the time" if np.isnan(loss) else cost
        text = f"{names}, {why}; {cost}"
        row = Reason(
            int(p), here, favourite, float(score[p, here]), float(score[p, favourite]), lacking, loss, proven, text
        )
        found.append(row)
    return tuple(sorted(found, key=lambda row: row.project))


def lock_prices(problem: Problem, plan: Assignment, *, time_limit_s: float | Allowance = 10.0) -> tuple[Price, ...]:
    """For each lock: what the plan would gain without it."""
    plan_of(problem, plan.site, "plan")
    clock, found = Allowance.of(time_limit_s), []
    held = np.flatnonzero(problem.locked != UNPLACED)
    for number, p in enumerate(held):
        free, waiting = _locked(problem, int(p), UNPLACED), len(held) - number
        loss, proven = _loss_of(problem, plan, clock, waiting, locked=free, start=plan.site)
        found.append(Price(int(p), problem.project_name(p), -loss, proven))
    return tuple(found)


def site_importance(problem: Problem, plan: Assignment, *, time_limit_s: float | Allowance = 10.0) -> tuple[Price, ...]:
    """For each site that the plan uses: what is lost if it drops out, with its locks. Most important first."""
    plan_of(problem, plan.site, "plan")
    clock, found = Allowance.of(time_limit_s), []
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


def _locked(problem: Problem, project: int, site: int) -> Ints:
    return np.where(np.arange(problem.shape[0]) == project, site, problem.locked)


def _loss_of(
    problem: Problem, plan: Assignment, clock: Allowance, waiting: int, start: Ints | None = None, **changes: Any
) -> tuple[float, bool]:
    """What the plan loses under a change and whether that is proven; inf when nothing keeps the rules, nan unsolved."""
    try:
        again = clock.solve(problem.suppose(**changes), start=start, waiting=waiting)
    except InputError:
        return np.inf, True
    if again is None:
        return np.nan, False
    if again.violations:  # time ended before minima were met
        return np.inf, False
    return plan.objective - again.objective, again.status == plan.status == "optimal"
