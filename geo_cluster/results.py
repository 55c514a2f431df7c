"""The tables of a study: ranking, contributions, plan, who stays out, pools."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import catalog
from geo_cluster.eligibility import Eligibility, Facts
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.solve import Assignment
from geo_cluster.matching.verify import usage
from geo_cluster.scoring.aggregate import competition_rank
from geo_cluster.scoring.criteria import DecisionMatrix


def ranking_table(
    projects: pd.DataFrame, sites: gpd.GeoDataFrame, allowed: Eligibility, decision: DecisionMatrix
) -> pd.DataFrame:
    """One row a pair: score, its interval, rank among the eligible, chance of being first, reason if refused."""
    low, high = decision.interval()
    rank = np.zeros(decision.score.shape, dtype=int)
    for project, row in enumerate(allowed.allowed):
        rank[project, row] = competition_rank(decision.score[project, row])
    table = _pairs(projects, sites)
    table["score"] = decision.score.ravel().round(4)
    table["low"], table["high"] = low.ravel().round(4), high.ravel().round(4)
    table["rank"] = pd.array(rank.ravel(), dtype="Int64")
    table.loc[table["rank"] == 0, "rank"] = pd.NA
    table["chance_first"] = decision.chance_first(allowed.allowed).ravel().round(4)
    table["eligible"] = allowed.allowed.ravel()
    table["rule"] = allowed.rule.ravel()
    table["reason"], table["reason_en"] = allowed.reason["zh"].ravel(), allowed.reason["en"].ravel()
    return table


def _pairs(projects: pd.DataFrame, sites: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "project": np.repeat(projects.index.to_numpy(), len(sites)),
            "project_name": np.repeat(projects["name"].to_numpy(), len(sites)),
            "site": np.tile(sites["id"].to_numpy(), len(projects)),
            "site_name": np.tile(sites["name_zh"].to_numpy(), len(projects)),
        }
    )


def contributions_table(projects: pd.DataFrame, sites: gpd.GeoDataFrame, decision: DecisionMatrix) -> pd.DataFrame:
    """One row a pair and criterion: natural value, value, weight, points; points add up to the score."""
    pairs = _pairs(projects, sites)
    count = len(decision.criteria)
    table = pairs.loc[pairs.index.repeat(count)].reset_index(drop=True)
    declared = catalog.criteria()
    table["criterion"] = list(decision.criteria) * len(pairs)
    table["criterion_name"] = [declared[key].name.zh for key in decision.criteria] * len(pairs)
    table["natural"] = decision.natural.reshape(-1).round(4)
    table["unit"] = [declared[key].unit.zh for key in decision.criteria] * len(pairs)
    table["value"] = decision.value.reshape(-1).round(6)
    table["weight"] = np.tile(decision.weight, len(pairs)).round(6)
    table["points"] = decision.contributions.reshape(-1).round(6)
    return table


def assignment_table(
    projects: pd.DataFrame, sites: gpd.GeoDataFrame, facts: Facts, ranking: pd.DataFrame, plan: Assignment
) -> pd.DataFrame:
    """One row a placed project: where, how good, its own rank of that site, what it takes."""
    placed = np.flatnonzero(plan.site >= 0)
    at = plan.site[placed]
    chosen = ranking.iloc[placed * len(sites) + at].reset_index(drop=True)
    table = chosen[["project", "project_name", "site", "site_name", "score", "low", "high", "rank"]].copy()
    table["prefecture"] = sites["prefecture_zh"].to_numpy()[at]
    table["segment"] = [catalog.segments()[key].name.zh for key in projects["segment"].iloc[placed]]
    for need in ("land_mu", "power_mva", "energy_tce"):
        table[need] = facts.needs[need][placed, 1].round(3)
    table["station"] = sites["station"].to_numpy()[at]
    table["drive_min"] = facts.offers["drive_min"][at, 1].round(1)
    return table


def unplaced_table(
    problem: Problem, projects: pd.DataFrame, sites: gpd.GeoDataFrame, allowed: Eligibility, plan: Assignment
) -> pd.DataFrame:
    """Who stays out, why, and what is missing at the site that suits best."""
    left = {r.name: r.at(problem.level) - usage(r, plan.site) for r in problem.resources}
    words = {"land": "用地", "power": "容量", "energy": "能耗指标"}
    rows = []
    for p in np.flatnonzero(plan.site < 0):
        name = projects["name"].iloc[p]
        if not allowed.allowed[p].any():
            rules = pd.Series(allowed.rule[p]).value_counts()
            told = "、".join(f"{catalog.exclusions()[rule].name.zh} {n} 处" for rule, n in rules.items())
            english = ", ".join(f"{catalog.exclusions()[rule].name.en} {n}" for rule, n in rules.items())
            rows.append((projects.index[p], name, "", f"没有可去的园区：{told}", f"No eligible site: {english}"))
            continue
        s = int(np.nanargmax(problem.score[p]))
        missing = []
        for r in problem.resources:
            k, need = r.pool[s], r.demand[p]
            if k >= 0 and need > left[r.name][k] + 1e-9:
                missing.append((words[r.name], r.name, need - left[r.name][k], r.unit, r.pool_name(k)))
        site = sites["name_zh"].iloc[s]
        zh = ";".join(f"{word}({pool})还差 {gap:,.1f} {unit}" for word, _, gap, unit, pool in missing)
        en = "; ".join(f"{gap:,.1f} {unit} of {word} short at {pool}" for _, word, gap, unit, pool in missing)
        best = f"得分最高的{site}", f"At the best site, {sites['name_en'].iloc[s]}"
        none = "容量让给了总分更高的组合", "its share is worth more to others"
        told, english = f"{best[0]}:{zh or none[0]}", f"{best[1]}: {en or none[1]}"
        rows.append((projects.index[p], name, sites["id"].iloc[s], told, english))
    return pd.DataFrame(rows, columns=["project", "project_name", "best_site", "reason", "reason_en"])


def pools_table(problem: Problem, plan: Assignment) -> pd.DataFrame:
    """One row a pool: low, likely, high, what was planned with, what is used and left."""
    tables = []
    for r in problem.resources:
        table = pd.DataFrame(r.capacity, columns=["low", "likely", "high"])
        table.insert(0, "resource", r.name)
        table.insert(1, "pool", r.pools)
        table["unit"] = r.unit
        table["planned"] = r.at(problem.level)
        table["used"] = usage(r, plan.site)
        table["left"] = table["planned"] - table["used"]
        tables.append(table)
    return pd.concat(tables, ignore_index=True).round(4)
