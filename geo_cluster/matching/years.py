"""Capacity that arrives over the years: one resource for each year in which something changes, and its own check.

A pool has more from the year on in which something arrives, and never less. A project draws from its first year on and
ever after. So what is drawn by the end of the year before an arrival has to fit what is there by then: one resource of
the pools concerned, `power@2027`. What is drawn in the end has to fit what there is in the end: the resource itself.
Without arrivals there are no others, and the problem is what it would be without years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place
from geo_cluster.matching.plan import Violation
from geo_cluster.matching.resource import LEVELS, UNPLACED, Bools, Floats, Ints, Level, Resource, Titles

AT = "@"
"""Between the name of a resource and the year by whose end it is meant."""

APART = "~"
"""Between the name of a resource and what tells the part of it that some arrivals don't reach."""

_SLACK = 1e-7  # rounding of sums, of the capacity


@dataclass(frozen=True)
class Arriving:
    """What a pool has more from a year on.

    Attributes
    ----------
    pool : int
        Number of the pool.
    amount : (3,) array
        Low, likely, high, in the resource's unit.
    year : (3,) array
        Earliest, most likely and latest year from which it counts.
    sites : (S,) bool array, optional
        The sites of the pool that it is for; all of them when left out.
    row : int
        Where it comes from, for whoever made it.
    """

    pool: int
    amount: Floats
    year: Ints
    sites: Bools | None = None
    row: int = -1

    def at(self, level: Level) -> tuple[float, int]:
        """Amount and first year at a planning level: the cautious one has the least, in the latest year."""
        end = LEVELS.index(level)
        return float(self.amount[end]), int(self.year[2 - end])


def base_name(name: str) -> str:
    """Name of the resource that a resource of some year is of.

    >>> base_name("power@2027"), base_name("power~apart@2027")
    ('power', 'power')
    """
    return name.partition(AT)[0].partition(APART)[0]


def is_apart(name: str) -> bool:
    """Whether a resource is that of the sites which some arrivals are not for; see `apart`."""
    return APART in name


def year_of(name: str) -> int | None:
    """The year by whose end a resource is meant, None of one that is meant for good.

    >>> year_of("power@2027"), year_of("power")
    (2027, None)
    """
    year = name.partition(AT)[2]
    return int(year) if year else None


def capacity_in(capacity: Floats, arriving: Sequence[Arriving], year: int) -> Floats:
    """(K, 3): low, likely and high of each pool in a year.

    Parameters
    ----------
    capacity : (K, 3) array
        Without what arrives.
    arriving : sequence of Arriving
    year : int
    """
    found = np.array(capacity, dtype=float)
    for one in arriving:
        found[one.pool] += np.where(one.year[::-1] <= year, one.amount, 0.0)
    return found


def apart(resource: Resource, arriving: Sequence[Arriving]) -> tuple[Resource, tuple[Arriving, ...]] | None:
    """Sites that draw on a pool to which something arrives that isn't for them: they have what there is without it.

    Parameters
    ----------
    resource : Resource
    arriving : sequence of Arriving

    Returns
    -------
    (Resource, tuple of Arriving), optional
        `<name>~apart`: those sites with their pools, and what arrives there for all; None where there are no such
        sites. A site is among them if no arrival that is for some sites only is for it; of two such arrivals to one
        pool each of the sites that either is for is taken to have both.
    """
    some = [one for one in arriving if one.sites is not None]
    pools = sorted({one.pool for one in some})
    reached = np.any([one.sites for one in some if one.sites is not None], axis=0) if some else np.zeros(0, dtype=bool)
    left = np.isin(resource.pool, pools) & ~reached if some else reached
    if not left.any():
        return None
    number = {k: at for at, k in enumerate(pools)}
    for_all = [one for one in arriving if one.sites is None and one.pool in number]
    found = _part(
        resource, f"{resource.name}{APART}apart", resource.capacity, np.where(left, resource.pool, UNPLACED), pools
    )
    return found, tuple(replace(one, pool=number[one.pool]) for one in for_all)


def can_bind(resource: Resource, arriving: Sequence[Arriving], *, level: Level, last: int) -> bool:
    """Whether sites apart may be short where the pool as a whole is not.

    Parameters
    ----------
    resource : Resource
        As `apart` makes it of another.
    arriving : sequence of Arriving
        All that arrives to the other, by the numbers of its pools.
    level : {"cautious", "likely", "hopeful"}
    last : int
        Last year in which a project begins.
    """
    brought = [one.at(level) for one in arriving if one.sites is not None]
    is_brought = any(amount > 0 and year <= last for amount, year in brought)
    return bool(is_brought and (resource.at(level) < resource.demand.sum()).any())


def _part(resource: Resource, name: str, capacity: Floats, pool: Ints, pools: list[int]) -> Resource:
    """Some pools of a resource under another name; `capacity` and `pool` are those of all its pools."""
    number, titles = {k: at for at, k in enumerate(pools)}, resource.titles
    return replace(
        resource,
        name=name,
        pool=np.array([number.get(int(k), UNPLACED) for k in pool]),
        capacity=capacity[pools],
        pools=tuple(resource.pool_name(k) for k in pools),
        titles=titles and Titles(titles.name, titles.unit, tuple(titles.pools[k] for k in pools)),
    )


def by_year(
    resource: Resource,
    arriving: Sequence[Arriving],
    begins: Ints,
    *,
    level: Level,
    first: int,
    opening: Sequence[tuple[int, int]] = (),
) -> tuple[Resource, ...]:
    """The resource as it is in the end, then those of the years before something arrives that matters.

    Parameters
    ----------
    resource : Resource
        With capacities as low, likely, high, without what arrives; one pool a site.
    arriving : sequence of Arriving
    begins : (P,) int array
        First year in which each project draws on it.
    level : {"cautious", "likely", "hopeful"}
        Which amounts and years to plan with.
    first : int
        First year of the study; what is there by then counts for all.
    opening : sequence of (pool, year)
        Pools that may have more from a year on by what is opened, which isn't part of the resource.

    Returns
    -------
    tuple of Resource
        The resource itself with all that arrives while projects begin, which is the last such year; then
        `<name>@<year>` for each year before an arrival, of the pools that have more in the year after, where all that
        begins by then might be too much for one of them.
    """
    last = int(begins.max(initial=first))
    years = [one.at(level)[1] for one in arriving] + [year for _, year in opening]
    changes = sorted({year for year in years if first < year <= last})
    found = [replace(resource, capacity=capacity_in(resource.capacity, arriving, last))]
    for year in changes:
        early = begins < year
        demand = np.where(early, resource.demand, 0.0)
        more = {one.pool for one in arriving if one.at(level)[1] == year and one.at(level)[0] > 0}
        pools = sorted(more | {pool for pool, when in opening if when == year})
        step = _before(resource, arriving, demand, year, pools) if pools else None
        found += [step] if step and (step.at(level) < demand.sum()).any() else []  # else it can't be what binds
    return tuple(found)


def _before(resource: Resource, arriving: Sequence[Arriving], demand: Floats, year: int, pools: list[int]) -> Resource:
    """The resource by the end of the year before, of some of its pools."""
    capacity = capacity_in(resource.capacity, arriving, year - 1)
    found = _part(resource, f"{resource.name}{AT}{year - 1}", capacity, resource.pool, pools)
    if titles := found.titles:
        name = Text(zh=f"{titles.name.zh}（{year - 1}年底前）", en=f"{titles.name.en} by the end of {year - 1}")
        found = replace(found, titles=replace(titles, name=name))
    return replace(found, demand=demand)


def year_violations(
    resource: Resource,
    arriving: Sequence[Arriving],
    begins: Ints,
    site: Ints,
    *,
    level: Level,
    years: Sequence[int],
) -> list[Violation]:
    """Where a plan draws more in some year than there is, summed project by project, without what `by_year` makes.

    Parameters
    ----------
    resource : Resource
        Without what arrives.
    arriving : sequence of Arriving
    begins : (P,) int array
    site : (P,) int array
        The plan, -1 where a project has no place.
    level : {"cautious", "likely", "hopeful"}
    years : sequence of int
        Years to look at, each by itself.
    """
    base, found = resource.at(level), []
    for year in years:
        room = [float(amount) for amount in base]
        for one in arriving:
            amount, from_ = one.at(level)
            if from_ <= year:
                room[one.pool] += amount
        used = [0.0] * len(room)
        for p, s in enumerate(site):
            if s != UNPLACED and begins[p] <= year and resource.pool[s] >= 0:
                used[resource.pool[s]] += float(resource.demand[p])
        for k, (drawn, there) in enumerate(zip(used, room, strict=True)):
            if drawn > there * (1 + _SLACK):
                place = Place(resource.title, key=resource.pool_title(k))
                amounts = {"used": drawn, "capacity": there, "over": drawn - there, "unit": resource.unit_title}
                fault = Fault("matching.overdrawn_in_year", place, year=year, **amounts)
                found.append(Violation("capacity", drawn - there, fault, pool=k))
    return found
