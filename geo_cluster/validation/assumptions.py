"""What first places, and a plan, rest on: how much of it nobody has said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geo_cluster import eligibility
from geo_cluster.domain import BASES, LANGUAGES
from geo_cluster.matching.verify import usage
from geo_cluster.region import Region, facts_of, settings_of
from geo_cluster.report.tables import evidence_shares
from geo_cluster.scoring.criteria import Setting, decide, measure, valued
from geo_cluster.study import Study
from geo_cluster.world import catalog

ON_SITES = {basis: "published_share" if basis == "published" else basis for basis in BASES}
"""Basis of a site's number -> column."""
NEEDS = ("need_stated", "need_estimated")
PLAN = ["resource", "unit", "used", "on_assumed", "demand_estimated"]


def first_places(region: Region, projects: pd.DataFrame) -> pd.DataFrame:
    """A row for each project: what the score of its first place rests on.

    A number counts by how far the score moves when it alone goes over its interval (nine draws in ten), in points:
    weight times spread. Of a coverage ratio what the site has and what the project needs count each by itself.

    Parameters
    ----------
    region : Region
    projects : DataFrame
        Checked projects.

    Returns
    -------
    DataFrame
        `project`, `name`, `first` (a site; projects that may go nowhere are left out), `weight_assumed`: share of the
        weight on assumed numbers; `width`: sum of the widths, points; its shares: of the site's numbers by basis
        (`reported`, `published_share`, `derived`, `assumed`), of needs (`need_stated`, `need_estimated`); `rests`:
        assumed and estimated together.
    """
    facts = facts_of(region, projects)
    allowed = eligibility.judge(facts).allowed
    likely, drawn = settings_of(region, facts)
    decision = decide(likely, drawn, catalog.criteria(), region.scenario.weights, region.alike)
    able = np.flatnonzero(allowed.any(axis=1))
    first = np.where(allowed, decision.score, -np.inf).argmax(axis=1)
    parts = _widths(region, projects, (likely, drawn), decision.weight, first)
    total = np.maximum(sum(parts.values()), 1e-12)
    weight = evidence_shares(region.sites, region.observations, decision.weights)["assumed"]
    table = pd.DataFrame({"project": projects.index[able], "name": projects["name"].to_numpy()[able]})
    table["first"] = region.sites["id"].to_numpy()[first[able]]
    for language in LANGUAGES:
        table[f"first_{language}"] = [region.names[one][language] for one in table["first"]]
    table["weight_assumed"], table["width"] = weight[first[able]].round(4), total[able].round(1)
    for key, width in parts.items():
        table[key] = (width / total)[able].round(4)
    return table.assign(rests=(table["assumed"] + table["need_estimated"]).round(4))


def _widths(
    region: Region, projects: pd.DataFrame, settings: tuple[Setting, Setting], weight: np.ndarray, first: np.ndarray
) -> dict[str, np.ndarray]:
    """Column -> (P,): points by which the first place's score moves for numbers known in that way."""
    likely, drawn = settings
    evidence, _ = region.evidence
    own = replace(drawn, needs=likely.needs)
    asked = replace(likely, needs=drawn.needs)
    parts = {key: np.zeros(len(projects)) for key in (*ON_SITES.values(), *NEEDS)}
    for c, (_, criterion) in enumerate(catalog.criteria().items()):
        if weight[c] == 0:
            continue
        points = 100 * weight[c]
        width = points * _width(valued(criterion, measure(criterion, own), own.bearable), first)
        for basis, column in ON_SITES.items():
            parts[column] += width * (evidence[first, c] == basis)
        if criterion.resource:
            width = points * _width(valued(criterion, measure(criterion, asked), asked.bearable), first)
            given = projects[f"{catalog.resources()[criterion.resource].asked.column}_given"].to_numpy(bool)
            parts["need_stated"] += width * given
            parts["need_estimated"] += width * ~given
    return parts


def _width(value: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(P,): from the 5 % to the 95 % quantile of (N, P or 1, S) values at each project's site; unknown is all of it."""
    at = np.broadcast_to(value, (len(value), len(first), value.shape[2]))[:, np.arange(len(first)), first]
    low, high = np.quantile(at, [0.05, 0.95], axis=0)
    return np.where(np.isnan(high - low), 0.9, high - low)


def plan(study: Study) -> pd.DataFrame:
    """A row for each resource: what share of what the plan uses comes from pools whose size is assumed.

    Returns
    -------
    DataFrame
        `resource`, `unit`, `used`, `on_assumed`, `demand_estimated`: share of the placed projects' need that they don't
        state themselves; resources that the plan doesn't use are left out.
    """
    basis = study.observations.set_index(["attribute", "site_id"])["basis"]
    rows = []
    for resource in study.resources:
        kind, used = catalog.known_kind(resource.name), usage(resource, study.plan.site)
        if catalog.is_park(resource.name) or not used.sum():
            continue
        known = basis.reindex([(kind.attribute, pool) for pool in resource.pools]).fillna("assumed").to_numpy()
        placed = (study.plan.site >= 0) & (resource.pool[study.plan.site] >= 0)
        taken = study.facts.needs[kind.need][:, 1] * placed
        given = study.projects[f"{kind.asked.column}_given"].to_numpy(bool)
        share = float(used[known == "assumed"].sum() / used.sum())
        row = (resource.name, resource.unit, float(used.sum()), share, float(taken[~given].sum() / taken.sum()))
        rows.append(row)
    return pd.DataFrame(rows, columns=PLAN).round({"used": 1, "on_assumed": 4, "demand_estimated": 4})
