"""Scenarios to try: a placement option carried out, a pool at another value."""

from __future__ import annotations

import math
from typing import Any

from geo_cluster.domain import KnownBetter, Pair, Scenario
from geo_cluster.matching.explain import PlacementOption
from geo_cluster.matching.years import base_name
from geo_cluster.report import over_time, tables
from geo_cluster.shares import rule_name
from geo_cluster.study import Study
from geo_cluster.world import catalog


def option_settings(study: Study, option: PlacementOption, *, source: str) -> dict[str, Any]:
    """What a placement option changes of the scenario: the project's lock, and the pools that have to be larger.

    Parameters
    ----------
    study : Study
    option : WayIn
        One of `explanation.placement_options_of`.
    source : str
        What the new numbers are (a supposition to try); it shows wherever they do.

    Returns
    -------
    dict
        `locked`, `known` and `shares` of the scenario.
    """
    scenario, project = study.scenario, study.projects.index[option.project]
    site = study.sites["id"].iloc[option.site]
    locked = [pair for pair in scenario.locked if pair.project != project]
    known: tuple[KnownBetter, ...] = scenario.known
    pools = tables.pools(study).set_index(["resource", "pool"])["planned"]
    more = _most(option)
    wider = {key: math.ceil(amount) for key, amount in more.items() if not catalog.resource_kind(key[0])}
    shares = tuple(
        share.model_copy(update={"most": share.most + wider.get((rule_name(share.segment), share.prefecture), 0)})
        if share.most is not None
        else share
        for share in scenario.shares
    )
    for (resource, pool), amount in more.items():
        if not catalog.resource_kind(resource):
            continue
        there = pools[resource, pool] - over_time.arrived(study, resource, pool) + amount * (1 + 1e-6) + 1e-3
        known = known_with(known, resource=resource, pool=pool, amount=there, source=source)
    return {"locked": (*locked, Pair(project=project, site=site)), "known": known, "shares": shares}


def _most(option: PlacementOption) -> dict[tuple[str, str], float]:
    """Resource and pool -> what is lacking, the most of its years: what is there from the first counts in all."""
    found: dict[tuple[str, str], float] = {}
    for one in option.more:
        key = base_name(one.resource), one.pool
        found[key] = max(found.get(key, 0.0), one.amount)
    return found


def known_with(
    known: tuple[KnownBetter, ...], *, resource: str, pool: str, amount: float, source: str, basis: str = "assumed"
) -> tuple[KnownBetter, ...]:
    """Numbers known better, with one pool's in place of what they say of it.

    Parameters
    ----------
    known : tuple of KnownBetter
    resource, pool : str
        The pool.
    amount : float
        In the unit of the resource (mu, MVA, tce a year).
    source, basis : str
        Who says so, and how it is known.
    """
    kind = catalog.known_kind(resource)
    attribute, value = kind.attribute, amount / kind.times
    row = {"subject": pool, "attribute": attribute, "low": value, "likely": value, "high": value, "basis": basis}
    others = tuple(one for one in known if (one.subject, one.attribute) != (pool, attribute))
    return (*others, KnownBetter.model_validate({**row, "source": source}))


def pool_scenario(study: Study, *, resource: str, pool: str, amount: float, source: str) -> Scenario:
    """The study's scenario with one pool at another amount: run it to see who gets in and who loses its place.

    Parameters
    ----------
    study : Study
    resource, pool, amount, source
        As of `known_with`; the amount is that of the last year, with what arrives.
    """
    own = max(amount - over_time.arrived(study, resource, pool), 0.0)
    known = known_with(study.scenario.known, resource=resource, pool=pool, amount=own, source=source)
    return study.scenario.model_copy(update={"known": known})
