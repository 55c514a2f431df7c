"""When as well as where: pools year by year, what a plan depends on, and from which year who is left out would fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language, PlanningLevel, Text
from geo_cluster.eligibility import FEEDS, known_feeds
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Resource
from geo_cluster.matching.verify import TOLERANCE, usage
from geo_cluster.matching.years import AT, Arriving, base_name, capacity_in, is_apart
from geo_cluster.region import pool_name
from geo_cluster.report import parts
from geo_cluster.study import Limit, Study, horizon, limits, once, with_opened
from geo_cluster.world import catalog, triangular

DUAL = Text(zh="须有两路独立电源（未核实）", en="needs two independent feeds (not verified)")
"""The condition of a segment with dual supply where fewer are known."""


@once
def over_years(study: Study) -> tuple[Limit, ...]:
    """Every resource of the study over its years, without what arrives; then those of sites apart."""
    return with_opened(study.region, limits(study.region, study.facts), study.plan)


def resources(study: Study) -> tuple[Limit, ...]:
    """Every resource of the study over its years, without what arrives."""
    return tuple(one for one in over_years(study) if not is_apart(one.resource.name))


def planned_in(one: Limit, level: PlanningLevel, year: int) -> np.ndarray:
    """(K,): what there is of a resource in a year at a planning level.

    Parameters
    ----------
    one : Limit
    level : {"cautious", "likely", "hopeful"}
    year : int
    """
    found = one.resource.at(level).copy()
    for arriving in one.arriving:
        amount, first = arriving.at(level)
        found[arriving.pool] += amount if first <= year else 0.0
    return found


@once
def pool_years(study: Study) -> pd.DataFrame:
    """Every pool in every year of the horizon.

    Returns
    -------
    DataFrame
        `resource`, `pool`, `year`, `low`, `likely`, `high`, `unit`, `planned`, `used`, `left`; and `arrives`: what of
        `planned` has arrived since the first year.
    """
    tables = []
    for one in resources(study):
        for year in horizon(study.region, study.projects):
            bounds = capacity_in(one.resource.capacity, one.arriving, year)
            table = pd.DataFrame(bounds, columns=["low", "likely", "high"])
            table.insert(0, "resource", one.resource.name)
            table.insert(1, "pool", one.resource.pools)
            table.insert(2, "year", year)
            table["unit"] = one.resource.unit
            table["planned"] = planned_in(one, study.scenario.planning_level, year)
            table["used"] = usage(one.resource, np.where(one.begins <= year, study.plan.site, UNPLACED))
            table["left"] = table["planned"] - table["used"]
            table["arrives"] = table["planned"] - one.resource.at(study.scenario.planning_level)
            tables.append(table)
    table = pd.concat(tables, ignore_index=True).round(4)
    return table.sort_values(["resource", "pool", "year"], kind="stable", ignore_index=True)


def beside(study: Study, resource: str, pool: str) -> float:
    """What a pool's planned capacity has beside its own number, in its unit: what arrived, less what was promised.

    What has arrived is that of the last year in which a project begins.

    Parameters
    ----------
    study : Study
    resource, pool : str
        The pool; a resource of some year counts as itself.
    """
    kind = catalog.known_kind(resource)
    promised = float(study.region.promised_of(kind.attribute, [pool])[0]) * kind.times
    for one in resources(study):
        if one.resource.name == base_name(resource) and pool in one.resource.pools:
            last = int(one.begins.max(initial=study.day.year))
            at = one.resource.pools.index(pool)
            level = study.scenario.planning_level
            return float(planned_in(one, level, last)[at] - one.resource.at(level)[at]) - promised
    return -promised


def from_years(study: Study) -> np.ndarray:
    """(P,): the year from which each project takes its land: its own, or the first of the study where unknown."""
    first = study.day.year
    return np.maximum(study.projects["year"].fillna(first).to_numpy(int), first)


@once
def conditions(study: Study) -> tuple[tuple[Text, ...], ...]:
    """Per project: on what its place depends beyond what is there today; nothing where it has no place.

    Where a plan takes more of a pool than is there today: what has to arrive by the year in which a project begins.
    """
    site = study.plan.site
    found: list[list[Text]] = [[] for _ in study.projects.index]
    known = known_feeds(study.sites)
    for p in np.flatnonzero(site != UNPLACED):
        if catalog.segments()[study.projects["segment"].iloc[p]].dual_supply and known[site[p]] < FEEDS:
            found[p].append(DUAL)
    for row in np.flatnonzero(site != UNPLACED).tolist() if study.parts else ():
        if bound := parts.told(study, row):
            found[row].append(bound)
    for o, text in _opens(study):
        for p in np.flatnonzero(needs_opening(study, o)):
            found[p].append(text)
    for one in resources(study):
        short = usage(one.resource, site) > one.resource.at(study.scenario.planning_level) + 1e-6
        for arriving, text in _depends(study, one):
            year = arriving.at(study.scenario.planning_level)[1]
            for p in np.flatnonzero((site != UNPLACED) & (one.begins >= year)) if short[arriving.pool] else ():
                if one.resource.pool[site[p]] == arriving.pool and (arriving.sites is None or arriving.sites[site[p]]):
                    found[p].append(text)
    return tuple(map(tuple, found))


def needs_opening(study: Study, opening: int) -> np.ndarray:
    """(P,): whether a project's place depends on something that the plan opens.

    It is at a site that is opened with it, or draws on a pool that without it would be short.
    """
    assert study.posed is not None
    one, site = study.posed.openings[opening], study.plan.site
    needs = np.isin(site, one.sites) & (site != UNPLACED)
    others = study.posed.settled([o for o in study.plan.opened if o != opening])
    for resource in others.resources:
        short = usage(resource, site) > resource.at(others.level) * (1 + TOLERANCE)
        for k in one.adds.get(resource.name, {}):
            needs |= short[k] & (site != UNPLACED) & (resource.pool[site] == k)
    return np.asarray(needs)


def _opens(study: Study) -> Iterator[tuple[int, Text]]:
    """What the plan opens, with its sentence."""
    for o in study.plan.opened:
        assert study.posed is not None
        name = study.posed.openings[o].name
        yield o, Text(zh=f"须先实施“{name}”", en=f"needs {name} first")


def _depends(study: Study, one: Limit) -> Iterator[tuple[Arriving, Text]]:
    """What has to arrive while projects begin, with its sentence."""
    kind, last = catalog.known_kind(one.resource.name), int(one.begins.max(initial=study.day.year))
    for arriving in (each for each in one.arriving if each.row >= 0):  # the others are opened, which is told by itself
        row, (amount, year) = study.region.arrivals.iloc[arriving.row], arriving.at(study.scenario.planning_level)
        if amount > 0 and year <= last:
            yield arriving, Text(**{key: _arrives(study, row, kind, amount, year, key) for key in LANGUAGES})


def _arrives(study: Study, row: object, kind: object, amount: float, year: int, language: Language) -> str:
    """What arrives when, as a condition."""
    station, offer, unit = row.station, kind.offer[language], kind.unit[language]  # type: ignore[attr-defined]
    zh = language == "zh"
    if row.basis == "assumed":  # type: ignore[attr-defined]
        sure = "未核实" if zh else "not verified"
    else:
        sure = f"据{row.publisher}" if zh else f"says {row.publisher}"  # type: ignore[attr-defined]
    who = f"{study.region.names[station][language]}" if station else ""
    if zh:
        what = f"{who}{year}年投运" if who else f"{year}年新增"
        return f"须{what}，{offer}{amount:,.0f}{unit}（{sure}）"
    what = f"{who} in service from {year}" if who else f"more from {year} on"
    return f"needs {what}: {amount:,.0f} {unit} of {offer} ({sure})"


@once
def later(study: Study) -> pd.DataFrame:
    """For each project without a place: the first year from which it would fit somewhere, everyone else staying.

    Found by trying every year in which something arrives, at every site that no other rule refuses, best score first.

    Returns
    -------
    DataFrame
        One row an unplaced project, in their order: `later_year`, `later_site` (empty where none was found), `later`
        and `later_en`, the sentence.
    """
    years = horizon(study.region, study.projects)
    rows = [_later_of(study, p, years) for p in np.flatnonzero(study.plan.site == UNPLACED).tolist()]
    table = pd.DataFrame(rows, columns=["later_year", "later_site", "later", "later_en"])
    return table.astype({"later_year": "Int64"})


def _later_of(study: Study, p: int, years: range) -> tuple[int | None, str, str, str]:
    level = study.scenario.planning_level
    own = min(int(one.begins[p]) for one in resources(study))
    changes = sorted({a.at(level)[1] for one in resources(study) for a in one.arriving if a.at(level)[0] > 0})
    short = {kind.short.rule for kind in catalog.resources().values()}
    allowed = study.eligibility.allowed[p] | np.isin(study.eligibility.rules_of(p), list(short))
    for year in (one for one in changes if one > own):
        for s in np.argsort(-np.where(allowed, study.decision.score[p], -np.inf), kind="stable"):
            if allowed[s] and _fits(study, p, int(s), year, years):
                site = study.region.names[study.sites["id"].iloc[s]]
                zh, en = (_why(study, int(s), year, language) for language in LANGUAGES)
                said = f"{year}年起用地用电，可进{site.zh}（届时{zh}）"
                return year, study.sites["id"].iloc[s], said, f"from {year} on it fits at {site.en} ({en} by then)"
    return None, "", "", ""


def _why(study: Study, s: int, year: int, language: Language) -> str:
    """What has arrived at a site by a year."""
    found = []
    for one in resources(study):
        kind, level = catalog.known_kind(one.resource.name), study.scenario.planning_level
        for arriving in one.arriving:
            amount, first = arriving.at(level)
            is_here = arriving.pool == one.resource.pool[s] and (arriving.sites is None or arriving.sites[s])
            if is_here and amount > 0 and study.day.year < first <= year:
                name = pool_name(study.region, one.resource.name, one.resource.pools[arriving.pool])[language]
                unit, offer = kind.unit[language], kind.offer[language]
                zh = f"{name}增{offer}{amount:,.0f}{unit}"
                found.append(zh if language == "zh" else f"{amount:,.0f} {unit} of {offer} more at {name}")
    return ("、" if language == "zh" else ", ").join(found)


def _fits(study: Study, p: int, s: int, year: int, years: range) -> bool:
    """Whether a project that begins in a year fits at a site while everyone else stays."""
    site = np.array(study.plan.site)
    site[p] = s
    for one in over_years(study):
        start = one.begins.copy()
        start[p] = max(year, int(start[p]))
        k = one.resource.pool[s]
        for then in {*years, year}:
            used = usage(one.resource, np.where(start <= then, site, UNPLACED))
            if k >= 0 and used[k] > planned_in(one, study.scenario.planning_level, then)[k] * (1 + 1e-9) + 1e-9:
                return False
    return study.problem is None or _keeps_rules(study.problem, site, s)


def _keeps_rules(problem: Problem, site: np.ndarray, s: int) -> bool:
    """Whether the resources that no year changes, shares of prefectures, hold."""
    for one in problem.resources:
        if catalog.resource_kind(one.name) or one.several:
            continue
        k = one.pool[s]
        if k >= 0 and usage(one, site)[k] > one.at(problem.level)[k] + 1e-9:
            return False
    return True


def drawn(study: Study) -> tuple[Problem, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The problem with what arrives by each year in which a project begins, and draws of capacities and needs.

    Returns
    -------
    problem : Problem
        With `<resource>@<year>` for every such year but the last, of pools to which something arrives.
    capacity, demand : dict
        Resource -> (N, K) and (N, P) draws.
    """
    assert study.problem is not None
    region, fixed = study.region, [one for one in study.problem.resources if not _known(one.name)]
    keys = list(zip(region.observations["attribute"], region.observations["site_id"], strict=True))
    found, capacity, demand = [], {}, {}
    for one in over_years(study):
        kind, base = catalog.known_kind(one.resource.name), one.resource
        columns = [keys.index((kind.attribute, pool)) for pool in base.pools]
        there, need = region.draws[:, columns] * kind.times, study.drawn.needs[kind.need]
        there = there + _opened_draws(study, base, len(there)) if study.plan.opened else there
        years = sorted({*one.begins.tolist()}) or [study.day.year]
        for year in years if one.arriving else years[-1:]:
            drawn_now = there + _arrived_draws(study, one, year)
            begun = one.begins <= year
            name = base.name if year == years[-1] else f"{base.name}{AT}{year}"
            found.append(
                Resource(name, base.unit, np.where(begun, base.demand, 0.0), base.pool, base.capacity, pools=base.pools)
            )
            capacity[name], demand[name] = drawn_now, need * begun
    return study.problem.suppose(resources=(*found, *fixed)), capacity, demand


def _opened_draws(study: Study, base: Resource, count: int) -> np.ndarray:
    """(N, K): draws of what pools have more by what the plan opens."""
    without = next(one.resource for one in limits(study.region, study.facts) if one.resource.name == base.name)
    return _opened_amounts(study, base.capacity - without.capacity, count)


def _opened_amounts(study: Study, bounds: np.ndarray, count: int) -> np.ndarray:
    """(N, K): draws of (K, 3) amounts, the same each time."""
    low, likely, high = bounds.T
    random = np.random.default_rng(study.scenario.seed).random((count, len(low)))
    return np.where(high > low, triangular.quantiles(random, low, likely, high), likely)


def _known(name: str) -> bool:
    return catalog.resource_kind(name) is not None


def _arrived_draws(study: Study, one: Limit, year: int) -> np.ndarray:
    """(N, K): what has arrived in each pool by a year."""
    kind, region = catalog.known_kind(one.resource.name), study.region
    more = np.zeros((region.scenario.draws, len(one.resource.pools)))
    if one.arriving:
        amount, first = region.arrival_draws
        for each in one.arriving:
            if each.row >= 0:
                more[:, each.pool] += np.where(first[:, each.row] <= year, amount[:, each.row] * kind.times, 0.0)
            elif each.year[1] <= year:
                more[:, each.pool] += _opened_amounts(study, each.amount[None, :], len(more))[:, 0]
    return more
