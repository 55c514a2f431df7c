"""What the scenario says may be opened, and how many sites at most, as parts of the problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from geo_cluster.domain import Opening as Said
from geo_cluster.domain import Scenario
from geo_cluster.matching.openings import AtMost, Opening
from geo_cluster.matching.resource import Floats, Resource
from geo_cluster.matching.years import Arriving, year_of
from geo_cluster.world import catalog


def names(scenario: Scenario) -> tuple[str, ...]:
    """Names of the scenario's openings, each once."""
    return tuple(dict.fromkeys(one.name for one in scenario.openings))


def brought(scenario: Scenario, resource: Resource) -> Iterator[tuple[Said, int, Floats]]:
    """What openings bring to a resource: the row, the pool, and low, likely and high in the resource's unit."""
    kind = catalog.resource_kind(resource.name)
    for row in scenario.openings if kind is not None else ():
        if kind is not None and kind.attribute == row.attribute and row.subject in resource.pools:
            yield row, resource.pools.index(row.subject), np.array([row.low, row.likely, row.high]) * kind.times


def from_years(scenario: Scenario, resource: Resource) -> tuple[tuple[int, int], ...]:
    """The pools of a resource that may have more from a year on, and the year."""
    return tuple((pool, row.from_year) for row, pool, _ in brought(scenario, resource) if row.from_year is not None)


def arriving(scenario: Scenario, resource: Resource, opened: Sequence[str]) -> tuple[Arriving, ...]:
    """What pools have more from a year on by what is opened; what counts from the first year on isn't among it.

    Parameters
    ----------
    scenario : Scenario
    resource : Resource
    opened : sequence of str
        Names of the openings.
    """
    return tuple(
        Arriving(pool, more, np.full(3, row.from_year))
        for row, pool, more in brought(scenario, resource)
        if row.name in opened and row.from_year is not None
    )


def openings(
    scenario: Scenario, resources: Sequence[Resource], sites: Sequence[str], *, last: int
) -> tuple[Opening, ...]:
    """Openings with numbers for names: rows of one name are one, and count in the years of theirs and after.

    Parameters
    ----------
    scenario : Scenario
    resources : sequence of Resource
        Of the problem, those of single years and of sites apart too.
    sites : sequence of str
        Ids of the sites.
    last : int
        The year that resources without one are meant for: what counts from a later one on isn't added.
    """
    found = []
    for name in names(scenario):
        cost, opened, adds = 0.0, list[int](), dict[str, dict[int, np.ndarray]]()
        for row in (one for one in scenario.openings if one.name == name):
            cost += row.points + row.price_10k_yuan * scenario.points_per_10k_yuan
            opened += [sites.index(site) for site in row.sites]
        for resource in resources:
            for row, k, more in brought(scenario, resource):
                if row.name == name and (row.from_year or 0) <= (year_of(resource.name) or last):
                    amounts = adds.setdefault(resource.name, {})
                    amounts[k] = amounts[k] + more if k in amounts else more
        found.append(Opening(name, cost, sites=tuple(dict.fromkeys(opened)), adds=adds))
    return tuple(found)


def limits(scenario: Scenario, sites: Sequence[str]) -> tuple[AtMost, ...]:
    """How many sites at most, and what excludes each other.

    Parameters
    ----------
    scenario : Scenario
    sites : sequence of str
        Ids of the sites.
    """
    known = names(scenario)
    found = [] if scenario.at_most_sites in (None, len(sites)) else [AtMost(scenario.at_most_sites)]
    for one in scenario.either:
        here = tuple(sites.index(name) for name in one.names if name not in known)
        found.append(AtMost(one.most, here, tuple(known.index(name) for name in one.names if name in known)))
    return tuple(found)
