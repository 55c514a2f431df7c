"""Plans that no firm and city would leave together.

Firms rank sites and sites rank firms; a site admits firms within its capacities. A firm and a site *block* a
plan when the firm prefers the site to where it is, and the site could admit it by sending away only firms that
it ranks below (Gale & Shapley 1962; with sizes, McDermid & Manlove 2010; with several resources, Delacrétaz,
Kominers & Teytelboym 2023). With several resources a stable plan may not exist; then the plan with the
fewest blocking pairs met on the way is returned, and they are listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.matching.arguments import as_array, number_faults, numbers
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import Problem, plan_faults
from geo_cluster.matching.resource import UNPLACED, Floats, Ints
from geo_cluster.matching.verify import objective

_SLACK = 1e-7


@dataclass(frozen=True)
class Blocking:
    """A project and a site that would both rather have each other.

    Attributes
    ----------
    project, site : int
    displaced : tuple of int
        Projects, ranked lower by the site, that would have to leave.
    """

    project: int
    site: int
    displaced: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Stable:
    """A plan from deferred acceptance.

    Attributes
    ----------
    site : (P,) int array
        Site of each project, -1 when it stays unplaced.
    objective : float
        Objective value by the planner's scores.
    blocking : tuple of Blocking
        Empty when the plan is stable.
    """

    site: Ints
    objective: float
    blocking: tuple[Blocking, ...]

    @property
    def stable(self) -> bool:
        """Whether no project and site would leave the plan together."""
        return not self.blocking

    def cost(self, best: Assignment) -> float:
        """How much total score stability costs against the best plan."""
        return best.objective - self.objective


def match_stably(problem: Problem, firms: ArrayLike, cities: ArrayLike) -> Stable:
    """Deferred acceptance, projects proposing.

    Parameters
    ----------
    problem : Problem
        Eligibility and capacities.
    firms : (P, S) array
        How much each project's firm likes each site; nan where it would rather stay unplaced.
    cities : (P, S) array
        How much each site's city likes each project; nan where it would rather not have it.

    Returns
    -------
    Stable
        Project-optimal and stable where each site's choice is by one capacity in which all projects take the same.

    Raises
    ------
    InputError
        On preferences of another shape, and on rules that have no such choice: links, minima, several pools.
    """
    firms, cities = _preferences(problem, firms, cities)
    acceptable = problem.eligible & ~np.isnan(firms) & ~np.isnan(cities)
    site = np.full(problem.shape[0], UNPLACED, dtype=np.intp)
    decided = np.flatnonzero(problem.locked != UNPLACED)
    site[decided] = problem.locked[decided]
    order = [
        np.array(sorted(np.flatnonzero(row), key=lambda s: (-like[s], s)))
        for row, like in zip(acceptable, firms, strict=True)
    ]
    asked = np.zeros(len(site), dtype=np.intp)
    waiting = [p for p in range(len(site)) if problem.locked[p] == UNPLACED and len(order[p])]
    while waiting:
        p = waiting.pop(0)
        while asked[p] < len(order[p]):
            s = order[p][asked[p]]
            asked[p] += 1
            leave = _displaced(problem, site, cities, p, s)
            if leave is None:
                continue
            site[list(leave)] = UNPLACED
            site[p] = s
            waiting.extend(leave)
            break
    site, blocking = _settle(problem, site, firms, cities)
    return Stable(site, objective(problem, site), blocking)


def _settle(problem: Problem, site: Ints, firms: Floats, cities: Floats) -> tuple[Ints, tuple[Blocking, ...]]:
    """Let blocking pairs have each other, one after another (Roth & Vande Vate 1990); the most settled plan met."""
    best, best_blocking = site, blocking_pairs(problem, site, firms, cities)
    blocking, seen = best_blocking, set[bytes]()
    while blocking and site.tobytes() not in seen:
        seen.add(site.tobytes())
        pair = blocking[len(seen) % len(blocking)]
        site = site.copy()
        site[list(pair.displaced)] = UNPLACED
        site[pair.project] = pair.site
        blocking = blocking_pairs(problem, site, firms, cities)
        if len(blocking) < len(best_blocking):
            best, best_blocking = site, blocking
        if len(seen) > 20 * len(site):
            break
    return best, best_blocking


def blocking_pairs(problem: Problem, site: ArrayLike, firms: ArrayLike, cities: ArrayLike) -> tuple[Blocking, ...]:
    """Every project and site that would leave a plan together, in the order of projects and sites.

    Parameters
    ----------
    problem : Problem
    site : (P,) int array
        Any plan.
    firms, cities : (P, S) array
        Preferences, as for `match_stably`.

    Raises
    ------
    InputError
        As `match_stably`; and on a plan of another shape, or with sites that there aren't.
    """
    firms, cities = _preferences(problem, firms, cities, site=site)
    plan = np.asarray(site, dtype=np.intp)
    acceptable = problem.eligible & ~np.isnan(firms) & ~np.isnan(cities)
    acceptable[problem.locked != UNPLACED] = False
    now = np.where(plan == UNPLACED, -np.inf, firms[np.arange(len(plan)), plan])
    wants = acceptable & (firms > np.nan_to_num(now, nan=-np.inf, neginf=-np.inf)[:, None])
    found = []
    for p, s in np.argwhere(wants):
        leave = _displaced(problem, plan, cities, int(p), int(s))
        if leave is not None:
            found.append(Blocking(int(p), int(s), tuple(leave)))
    return tuple(found)


def _preferences(
    problem: Problem, firms: ArrayLike, cities: ArrayLike, *, site: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Both tables as floats; refuses them, a plan, or rules under which no site can choose."""
    tables: list[Floats] = []
    faults = [] if site is None else plan_faults(problem, as_array(site), "site")
    for name, argument in (("firms", firms), ("cities", cities)):
        table = numbers(argument)
        faults += (wrong := number_faults(table, name))
        if not wrong and table.shape != problem.shape:
            faults.append(Fault("matching.pair_shape", name, shape=str(table.shape), wanted=str(problem.shape)))
        elif not wrong and np.isinf(table).any():
            faults.append(Fault("matching.preference_infinite", name))
        tables.append(table)
    for resource in problem.resources:
        if resource.several or resource.minimum is not None:
            faults.append(Fault("matching.no_choice_by_site", resource.place))
    if problem.links:
        faults.append(Fault("matching.links_tie_choices", "links"))
    refuse_if(faults, InputError)
    return tables[0], tables[1]


def _displaced(problem: Problem, site: Ints, cities: Floats, p: int, s: int) -> list[int] | None:
    """Whom the site would send away to admit p: lowest ranked first, only those ranked below; None if it can't.

    A site may send away its own projects only; on a pool that sites share, others keep what they have.
    """
    others = np.where(np.arange(len(site)) == p, UNPLACED, site)
    below = [q for q in np.flatnonzero(others == s) if cities[q, s] < cities[p, s] and problem.locked[q] == UNPLACED]
    below.sort(key=lambda q: (cities[q, s], q))
    need = []
    for resource in problem.resources:
        k = resource.pool[s]
        if k < 0:
            continue
        placed = np.flatnonzero(others != UNPLACED)
        placed = placed[resource.pool[others[placed]] == k]
        demand = resource.demand if resource.demand.ndim == 1 else None
        used = demand[placed].sum() if demand is not None else resource.demand[placed, others[placed]].sum()
        mine = demand if demand is not None else resource.demand[:, s]
        capacity = resource.at(problem.level)[k]
        need.append((used + mine[p] - capacity - _SLACK * capacity, mine))
    leave: list[int] = []
    while any(over - sum(mine[q] for q in leave) > 0 for over, mine in need):
        if not below:
            return None
        leave.append(int(below.pop(0)))
    # whoever needn't go after all stays, best ranked first
    for q in reversed(leave[:]):
        rest = [r for r in leave if r != q]
        if all(over - sum(mine[r] for r in rest) <= 0 for over, mine in need):
            leave = rest
    return leave
