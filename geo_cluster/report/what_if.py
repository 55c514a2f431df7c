"""Scenarios to try: a placement option carried out, more in a pool, a pool at another value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from geo_cluster.domain import KnownBetter, Pair, Scenario
from geo_cluster.matching.explain import PlacementOption
from geo_cluster.matching.shortages import Shortage
from geo_cluster.matching.years import base_name
from geo_cluster.report import over_time
from geo_cluster.shares import rule_name
from geo_cluster.study import Study
from geo_cluster.supply.pools import number_behind
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
        `locked`, `known` and `shares` of the scenario, and its `weights` where they have to be held; see `_held`.
    """
    scenario, project = study.scenario, study.projects.index[option.project]
    site = study.sites["id"].iloc[option.site]
    locked = [pair for pair in scenario.locked if pair.project != project]
    wider = more_scenario(study, most_of(option.more), source=source)
    settings = {"locked": (*locked, Pair(project=project, site=site)), "known": wider.known, "shares": wider.shares}
    return settings if wider.weights == scenario.weights else settings | {"weights": wider.weights}


def more_scenario(study: Study, more: Mapping[tuple[str, str], float], *, source: str) -> Scenario:
    """The study's scenario with more in some pools, as uncertain as they are: low, likely and high rise alike.

    Weights stay those in force; see `_held`.

    Parameters
    ----------
    study : Study
    more : mapping
        Resource and pool -> how much more, in the unit of the resource; of shares of prefectures whole projects.
    source : str
        What the new numbers are.
    """
    scenario, known = study.scenario, study.scenario.known
    shares = tuple(
        share.model_copy(
            update={"most": share.most + math.ceil(more.get((rule_name(share.segment), share.prefecture), 0))}
        )
        if share.most is not None
        else share
        for share in scenario.shares
    )
    for (resource, pool), amount in more.items():
        kind = catalog.resource_kind(resource)
        if kind:
            there = study.region.bounds_of(kind.attribute, [pool])[0] + study.region.promised_of(kind.attribute, [pool])
            bounds = there * kind.times + amount * (1 + _ROUNDING)
            known = known_with(known, resource=resource, pool=pool, bounds=bounds, source=source)
    return scenario.model_copy(update={"known": known, "shares": shares, "weights": _held(study, more)})


def _held(study: Study, pools: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Weights of the scenario by which supposing another number in pools leaves all weights as they are.

    A criterion that is alike everywhere gives its weight back, and has it again once one site differs. A tenth of a
    tonne that is only supposed would do, and every score of every site would move.
    """
    alike, criteria = study.region.alike, catalog.criteria()
    raw = {key: study.scenario.weights.get(key, one.weight) for key, one in criteria.items()}
    if not any(weight for key, weight in raw.items() if key not in alike):
        return dict(study.scenario.weights)
    kinds = [kind for resource, _ in pools if (kind := catalog.resource_kind(resource))]
    moved = {kind.attribute for kind in kinds}
    back = [key for key in sorted(alike) if criteria[key].attribute]
    held = [key for key in back if moved & {*number_behind(criteria[key], study.sites).get_level_values(0)}]
    return dict(study.scenario.weights) | dict.fromkeys(held, 0.0)


_ROUNDING = 1e-9  # on top of what is lacking, so that hectares and mu don't undo it


def most_of(lacking: Iterable[Shortage]) -> dict[tuple[str, str], float]:
    """Resource and pool -> what to ask for, the most of its years: what is there from the first counts in all.

    Parameters
    ----------
    lacking : iterable of Shortage
    """
    found: dict[tuple[str, str], float] = {}
    for one in lacking:
        key = base_name(one.resource), one.pool
        found[key] = max(found.get(key, 0.0), one.asked)
    return found


def known_with(
    known: tuple[KnownBetter, ...], *, resource: str, pool: str, bounds: Any, source: str, basis: str = "assumed"
) -> tuple[KnownBetter, ...]:
    """Numbers known better, with one pool's in place of what they say of it.

    Parameters
    ----------
    known : tuple of KnownBetter
    resource, pool : str
        The pool.
    bounds : float or (3,) array
        Low, likely and high, or one number for all, in the unit of the resource (mu, MVA, tce a year).
    source, basis : str
        Who says so, and how it is known.
    """
    kind = catalog.known_kind(resource)
    attribute, ends = kind.attribute, np.broadcast_to(np.asarray(bounds, dtype=float) / kind.times, 3).tolist()
    row = {"subject": pool, "attribute": attribute, **dict(zip(("low", "likely", "high"), ends, strict=True))}
    row |= {"basis": basis}
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
    own = max(amount - over_time.beside(study, resource, pool), 0.0)
    known = known_with(study.scenario.known, resource=resource, pool=pool, bounds=own, source=source)
    return study.scenario.model_copy(update={"known": known, "weights": _held(study, [(resource, pool)])})
