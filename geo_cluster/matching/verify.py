"""A plan recomputed from the tables by code that knows no solver.

Whatever `solve` claims is checked here again: eligibility, locks, minima, capacities, the objective, and that
the bound lies on the right side of it. Nothing in this file imports an optimiser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.matching.problem import UNPLACED, Floats, Ints, Problem, Resource

if TYPE_CHECKING:
    from geo_cluster.matching.solve import Assignment

TOLERANCE = 1e-7  # of the capacity (or of one unit, when that is larger): the rounding of sums, not a margin

Kind = Literal["site", "eligibility", "forbidden", "lock", "capacity", "minimum", "objective", "bound"]


@dataclass(frozen=True)
class Violation:
    """One way in which a plan breaks the problem it claims to solve.

    Attributes
    ----------
    kind : str
        site, eligibility, forbidden, lock, capacity, minimum, objective or bound.
    where : str
        The project, or the resource and pool.
    amount : float
        By how much, in the resource's unit or in score; 1 for a pair that may not be.
    what : str
        The sentence for people.
    project, pool : int
        Position of the project or pool, -1 when it isn't about one.
    """

    kind: Kind
    where: str
    amount: float
    what: str
    project: int = -1
    pool: int = -1

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def verify(problem: Problem, plan: Assignment | ArrayLike) -> tuple[Violation, ...]:
    """Everything that is wrong with a plan; empty when it keeps its promises.

    Parameters
    ----------
    problem : Problem
        The tables.
    plan : Assignment or (P,) int array
        The plan; of an `Assignment` the claimed objective and bound are checked too.
    """
    claimed = hasattr(plan, "objective")
    site = np.asarray(plan.site if claimed else plan)  # type: ignore[union-attr]
    projects, sites = problem.shape
    if site.shape != (projects,) or site.dtype.kind not in "iu":
        what = f"the plan has the shape {site.shape}, the problem {projects} projects"
        return (Violation("site", "plan", 1.0, what),)
    outside = np.flatnonzero((site < UNPLACED) | (site >= sites))
    found = [
        Violation("site", problem.project_name(p), 1.0, f"there is no site {site[p]}", project=int(p)) for p in outside
    ]
    site = np.where((site < UNPLACED) | (site >= sites), UNPLACED, site).astype(np.intp)
    found += _pair_violations(problem, site)
    for resource in problem.resources:
        found += _pool_violations(problem, resource, site)
    if claimed and not outside.size:
        found += _claim_violations(problem, site, plan)
    return tuple(found)


def objective(problem: Problem, site: Ints) -> float:
    """Worth of a plan: score and bonus of placed projects, and what links earn. Ineligible pairs count nothing."""
    placed = np.flatnonzero(site != UNPLACED)
    worth = np.nan_to_num(problem.score[placed, site[placed]]) + problem.bonus[placed]
    return float(worth.sum() + sum(link.gain for link in problem.links if _close(link, site)))


def _close(link: Any, site: Ints) -> bool:
    first, second = site[link.first], site[link.second]
    if first == UNPLACED or second == UNPLACED:
        return False
    return bool(first == second if link.near is None else link.near[first, second])


def usage(resource: Resource, site: Ints) -> Floats:
    """(K,): what a plan draws from each pool of a resource on which each site draws from one pool."""
    placed = np.flatnonzero(site != UNPLACED)
    demand = resource.demand[placed] if resource.demand.ndim == 1 else resource.demand[placed, site[placed]]
    pool = resource.pool[site[placed]]
    return np.bincount(pool[pool >= 0], weights=demand[pool >= 0], minlength=len(resource.capacity)).astype(float)


def _pair_violations(problem: Problem, site: Ints) -> list[Violation]:
    found = []
    for p in np.flatnonzero(site != UNPLACED):
        name, at = problem.project_name(p), problem.site_name(site[p])
        if np.isnan(problem.score[p, site[p]]):
            found.append(Violation("eligibility", name, 1.0, f"isn't eligible at {at}", project=int(p)))
        elif problem.forbidden is not None and problem.forbidden[p, site[p]]:
            found.append(Violation("forbidden", name, 1.0, f"is forbidden at {at}", project=int(p)))
    for p in np.flatnonzero((problem.locked != UNPLACED) & (problem.locked != site)):
        what = f"is locked to {problem.site_name(problem.locked[p])} and isn't there"
        found.append(Violation("lock", problem.project_name(p), 1.0, what, project=int(p)))
    return found


def _pool_violations(problem: Problem, resource: Resource, site: Ints) -> list[Violation]:
    used, capacity, found = usage(resource, site), resource.at(problem.level), []
    slack = TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(capacity), capacity, 1.0)))
    for k in np.flatnonzero(used > capacity + slack):
        over = float(used[k] - capacity[k])
        what = f"{used[k]:g} {resource.unit} drawn, {capacity[k]:g} there: {over:g} too much"
        found.append(Violation("capacity", f"{resource.name}, {resource.pool_name(k)}", over, what, pool=int(k)))
    if resource.minimum is not None:
        for k in np.flatnonzero(used < resource.minimum - slack):
            short = float(resource.minimum[k] - used[k])
            what = f"{used[k]:g} {resource.unit} of at least {resource.minimum[k]:g}: {short:g} short"
            found.append(Violation("minimum", f"{resource.name}, {resource.pool_name(k)}", short, what, pool=int(k)))
    return found


def _claim_violations(problem: Problem, site: Ints, plan: Any) -> list[Violation]:
    worth, found = objective(problem, site), []
    slack = TOLERANCE * max(1.0, abs(worth))
    if not abs(worth - plan.objective) <= slack:
        what = f"{plan.objective:g} is claimed, the tables say {worth:g}"
        found.append(Violation("objective", "objective", abs(worth - plan.objective), what))
    if not plan.bound >= worth - slack:
        what = f"{plan.bound:g} is claimed as a bound, the plan itself is worth {worth:g}"
        found.append(Violation("bound", "bound", float(worth - plan.bound), what))
    return found
