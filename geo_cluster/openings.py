"""What the scenario says may be opened, and how many sites at most, as parts of the problem."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo_cluster.domain import Scenario
from geo_cluster.matching.openings import AtMost, Opening
from geo_cluster.matching.resource import Resource
from geo_cluster.world import catalog


def names(scenario: Scenario) -> tuple[str, ...]:
    """Names of the scenario's openings, each once."""
    return tuple(dict.fromkeys(one.name for one in scenario.openings))


def openings(scenario: Scenario, resources: Sequence[Resource], sites: Sequence[str]) -> tuple[Opening, ...]:
    """Openings with numbers for names: rows of one name are one, and count from the first year on.

    Parameters
    ----------
    scenario : Scenario
    resources : sequence of Resource
        Of the problem, those of single years and of sites apart too.
    sites : sequence of str
        Ids of the sites.
    """
    found = []
    for name in names(scenario):
        cost, opened, adds = 0.0, list[int](), dict[str, dict[int, np.ndarray]]()
        for row in (one for one in scenario.openings if one.name == name):
            cost += row.points + row.price_10k_yuan * scenario.points_per_10k_yuan
            opened += [sites.index(site) for site in row.sites]
            for resource in resources if row.attribute else ():
                kind = catalog.resource_kind(resource.name)
                if kind is not None and kind.attribute == row.attribute and row.subject in resource.pools:
                    amounts, k = adds.setdefault(resource.name, {}), resource.pools.index(row.subject)
                    more = np.array([row.low, row.likely, row.high]) * kind.times
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
