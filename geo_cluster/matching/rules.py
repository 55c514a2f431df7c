"""What planners ask for, spelt as resources and scores: limits of groups, caps, budgets, the present plan, phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.matching.arguments import (
    amount_faults,
    as_array,
    count_faults,
    integers,
    number_faults,
    numbers,
    several,
    shown,
)
from geo_cluster.matching.problem import Problem, plan_faults
from geo_cluster.matching.resource import UNPLACED, Floats, Ints, Resource


def group_limits(
    name: str,
    group: ArrayLike,
    *,
    projects: int,
    maximum: ArrayLike | None = None,
    minimum: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    groups: Sequence[str] = (),
) -> Resource:
    """How many projects (or how much of `weight`) each group of sites must and may get.

    Parameters
    ----------
    name : str
        What the rule is called.
    group : (S,) int array
        Group (prefecture, city) of each site, -1 for none.
    projects : int
        Number of projects.
    maximum, minimum : (K,) array, optional
        Bounds of each group; no bound when left out.
    weight : (P,) array, optional
        What each project counts for; one when left out.
    groups : sequence of str
        Names of the groups.

    Raises
    ------
    InputError
        When `projects` isn't a number of projects; what else is wrong `Problem` refuses, with all other faults.
    """
    refuse_if(count_faults(projects=projects))
    member = integers(group)
    bounds = maximum if minimum is None else minimum
    some = member.dtype.kind in "iu" and member.size
    count = numbers(bounds).size if bounds is not None else int(member.max()) + 1 if some else 1
    demand = np.ones(projects) if weight is None else weight
    capacity = np.full(count, np.inf) if maximum is None else maximum
    unit = "projects" if weight is None else ""
    return Resource(name, unit, demand, member, capacity, minimum, pools=several(groups))  # type: ignore[arg-type]


def segment_cap(
    name: str, member: ArrayLike, city: ArrayLike, cap: ArrayLike, *, cities: Sequence[str] = ()
) -> Resource:
    """At most `cap` projects of one segment in each city.

    Parameters
    ----------
    name : str
        The segment.
    member : (P,) bool array
        Which projects belong to it.
    city : (S,) int array
        City of each site.
    cap : (K,) array
        Most projects of the segment in each city.
    cities : sequence of str
        Names of the cities.
    """
    return Resource(name, "projects", numbers(member), city, numbers(cap), pools=several(cities))  # type: ignore[arg-type]


def budget(cost: ArrayLike, limit: float, *, sites: int, name: str = "budget", unit: str = "M yuan") -> Resource:
    """One purse: the cost of placed projects stays within a limit.

    Parameters
    ----------
    cost : (P,) or (P, S) array
        What each project costs (at each site), in `unit`.
    limit : float
        Most that may be spent.
    sites : int
        Number of sites.
    name, unit : str
        What the purse is called, and what it is counted in.

    Raises
    ------
    InputError
        When `sites` isn't a number of sites.
    """
    refuse_if(count_faults(sites=sites))
    return Resource(name, unit, numbers(cost), np.zeros(sites, dtype=np.intp), numbers([limit]), pools=(name,))


def keep(problem: Problem, site: ArrayLike, *, price: float) -> Problem:
    """The problem with a price on leaving the present plan: another site costs `price`, and so does no site.

    Parameters
    ----------
    problem : Problem
        What is to be decided.
    site : (P,) int array
        The present plan, -1 where a project has no place yet.
    price : float
        What moving one project costs, in units of score; zero or more.

    Raises
    ------
    InputError
        On a plan of another shape or with sites that there aren't, and on a price that is none.
    """
    present = as_array(site)
    faults = plan_faults(problem, present, "site")
    faults += amount_faults(price=price)
    if not faults and not np.isfinite(price):
        faults.append(Fault("matching.price_not_finite", "price", value=shown(price)))
    refuse_if(faults)
    stays = np.zeros(problem.shape)
    placed = np.flatnonzero(present != UNPLACED)
    stays[placed, present[placed]] = price
    return problem.but(score=problem.score + stays)


def phase(
    problem: Problem,
    years: Sequence[int],
    arrives: Mapping[str, ArrayLike],
    *,
    earliest: ArrayLike | None = None,
    delay: ArrayLike | float = 0.0,
) -> Problem:
    """The problem over years: site s in the t-th year is site `s + S * t` of the phased problem.

    Parameters
    ----------
    problem : Problem
        Without phases. Locked projects are there from the first year they may.
    years : sequence of int
        The years, rising.
    arrives : mapping of resource name to (K, T) array
        Capacity of each pool in each year, when it grows (a substation that arrives later): what started in a year
        draws on it from then on. Resources not named are the same in all years.
    earliest : (P,) int array, optional
        First year in which each project can start.
    delay : float or (T,) or (P, T) array
        Score lost by starting in each year; a number is the loss a year after the first.

    Raises
    ------
    InputError
        On years that don't rise, names that are no resource, or arrays of another shape.
    """
    refuse_if(_phase_faults(problem, years, arrives, earliest, delay))
    projects, sites = problem.shape
    count, lost = len(years), numbers(delay)
    lost = lost * (np.asarray(years) - years[0]) if lost.ndim == 0 else lost
    score = problem.score[:, None, :] - np.broadcast_to(lost, (projects, count))[:, :, None]
    opens = np.zeros(projects, dtype=np.intp)
    if earliest is not None:
        early = np.asarray(earliest)[:, None] > np.asarray(years)[None, :]
        score = np.where(early[:, :, None], np.nan, score)
        opens = np.minimum(early.sum(axis=1), count - 1)
    resources: list[Resource] = []
    for resource in problem.resources:
        resources += _phased(resource, years, sites, arrives.get(resource.name))
    return Problem(
        score.reshape(projects, count * sites),
        tuple(resources),
        bonus=problem.bonus,
        locked=np.where(problem.locked == UNPLACED, UNPLACED, problem.locked + sites * opens),
        forbidden=None if problem.forbidden is None else np.tile(problem.forbidden, (1, count)),
        links=tuple(
            replace(link, near=np.tile(np.eye(sites, dtype=bool) if link.near is None else link.near, (count, count)))
            for link in problem.links
        ),
        level=problem.level,
        projects=problem.projects,
        sites=[f"{problem.site_name(s)} {year}" for year in years for s in range(sites)],  # type: ignore[arg-type]
    )


def _phased(resource: Resource, years: Sequence[int], sites: int, arrives: ArrayLike | None) -> list[Resource]:
    """A resource over years: one where its pools stay the same, one a year where capacity arrives."""
    count, start = len(years), np.repeat(np.arange(len(years)), sites)
    pool = np.concatenate([resource.pool] * count)
    demand = resource.demand if resource.demand.ndim == 1 else np.tile(resource.demand, (1, count))
    wide = replace(resource, pool=pool, demand=demand)
    if arrives is None:
        return [wide]
    capacity, found = np.asarray(arrives, dtype=float), []
    for t, year in enumerate(years):
        begun = start <= t
        drawn = np.where(begun[:, None], pool, False) if resource.several else np.where(begun, pool, UNPLACED)
        found.append(replace(wide, name=f"{resource.name} {year}", pool=drawn, capacity=capacity[:, t]))
    return found


def _phase_faults(
    problem: Problem,
    years: Sequence[int],
    arrives: Mapping[str, ArrayLike],
    earliest: ArrayLike | None,
    delay: ArrayLike | float,
) -> list[Fault]:
    """What can't be years, first years, delays or arriving capacities of the problem."""
    when, lost, projects = numbers(years), numbers(delay), problem.shape[0]
    count, faults = when.size, []
    is_list = when.dtype == float and when.ndim == 1 and count > 0
    if not is_list or not np.isfinite(when).all() or not (np.diff(when) > 0).all():
        faults.append(Fault("matching.years", "years", value=shown(years)))
    if earliest is not None:
        faults += _earliest_faults(numbers(earliest), projects)
    faults += number_faults(lost, "delay")
    if lost.dtype == float and lost.shape not in {(), (count,), (projects, count)}:
        faults.append(Fault("matching.delay_shape", "delay", shape=str(lost.shape), years=count, projects=projects))
    elif lost.dtype == float and not np.isfinite(lost).all():
        faults.append(Fault("matching.delay_not_finite", "delay"))
    if not isinstance(arrives, Mapping):
        return [*faults, Fault("matching.arrives_not_mapping", "arrives")]
    known = {resource.name: len(resource.capacity) for resource in problem.resources}
    for name, argument in arrives.items():
        place, capacity = Place("arrives", key=str(name)), numbers(argument)
        if name not in known:
            faults.append(Fault("matching.no_such_resource", place, names=list(known)))
        elif wrong := number_faults(capacity, place):
            faults += wrong
        elif capacity.shape != (known[name], count):
            form = str(capacity.shape)
            faults.append(Fault("matching.arrives_shape", place, shape=form, pools=known[name], years=count))
    return faults


def _earliest_faults(earliest: Floats | Ints, projects: int) -> list[Fault]:
    """What can't be the first year of each project."""
    if wrong := number_faults(earliest, "earliest"):
        return wrong
    if earliest.shape != (projects,):
        return [Fault("matching.earliest_shape", "earliest", shape=str(earliest.shape), projects=projects)]
    return [] if np.isfinite(earliest).all() else [Fault("matching.earliest_unknown", "earliest")]
