"""Phases and split projects: where each part is, what it waits for, and what binding the parts costs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

from geo_cluster.domain import ProjectParts, Text
from geo_cluster.matching.explain import parts_values
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.study import Study, once
from geo_cluster.world import splitting

RULES = {
    "in_order": Text(zh="分期，依次落地", en="phases, in order"),
    "together": Text(zh="分期，一同落地", en="phases, all or none"),
    "split": Text(zh="可分两处", en="may be split over two sites"),
}


def said(one: ProjectParts) -> Text:
    """What binds some parts, in words."""
    rule = RULES[one.rule]
    if one.rule == "split":
        return Text(zh=f"{rule.zh}，等分 {one.into} 份", en=f"{rule.en}, {one.into} equal shares")
    return Text(zh=f"{rule.zh}，同一园区", en=f"{rule.en}, on one site") if one.one_site else rule


@once
def parts_table(study: Study) -> pd.DataFrame:
    """One row an entry `[[parts]]` of the scenario.

    Returns
    -------
    DataFrame
        `projects` (ids, joined by `;`), `rule_zh`, `rule_en`, `placed` (parts that are), `of` (parts), `sites`: what is
        where, as `1/2 X1; 1/2 X2` of a split project, `P01 X1; P02 X1` of phases.
    """
    rows = []
    for one in study.parts:
        at = [row for project in one.projects for row in splitting.rows_of(study.projects, project)]
        site = study.plan.site[at]
        placed = [(row, study.sites["id"].iloc[s]) for row, s in zip(at, site, strict=True) if s != UNPLACED]
        if one.rule == "split":
            names = [name for _, name in placed]
            where = [f"{Fraction(names.count(name), len(at))} {name}" for name in dict.fromkeys(names)]
        else:
            where = [f"{study.projects.index[row]} {name}" for row, name in placed]
        words = said(one)
        rows.append((";".join(one.projects), words.zh, words.en, len(placed), len(at), "; ".join(where)))
    return pd.DataFrame(rows, columns=["projects", "rule_zh", "rule_en", "placed", "of", "sites"])


@once
def needed(study: Study) -> tuple[tuple[int, ...], ...]:
    """Per project: the other parts that have to be placed for it, by row."""
    found: list[tuple[int, ...]] = [()] * len(study.projects)
    for one in study.problem.parts if study.problem else ():
        for at, p in enumerate(one.projects):
            found[p] = tuple(q for q in one.projects if q != p) if one.order == "together" else one.projects[:at]
    return tuple(found)


def told(study: Study, p: int) -> Text | None:
    """Of a placed project: which other parts its place depends on."""
    others = needed(study)[p]
    if not others:
        return None
    share = splitting.share_of(study.projects)[p]
    if share < 1:
        sites = study.sites.set_index("id")
        at = [study.sites["id"].iloc[study.plan.site[q]] for q in (p, *others)]
        if len(set(at)) == 1:
            return None
        parts = [(Fraction(at.count(one), len(at)), sites.loc[one]) for one in dict.fromkeys(at)]
        zh = "、".join(f"{row['name_zh']} {part}" for part, row in parts)
        return Text(zh=f"分两处：{zh}", en=f"split: {', '.join(f'{part} at {row.name_en}' for part, row in parts)}")
    names = [study.projects["name"].iloc[q] for q in others]
    return Text(zh=f"以 {'、'.join(names)} 落地为前提", en=f"depends on {', '.join(names)} being placed")


def lacking(study: Study, p: int) -> Text | None:
    """Of a project that stays out: which parts it waits for, or can't be placed without."""
    out = [q for q in needed(study)[p] if study.plan.site[q] == UNPLACED]
    if not out or splitting.share_of(study.projects)[p] < 1:
        return None
    names = [study.projects["name"].iloc[q] for q in out]
    return Text(zh=f"以 {'、'.join(names)} 落地为前提，而其未落地", en=f"depends on {', '.join(names)}, left out")


def worth_table(study: Study, *, clock: TimeBudget) -> pd.DataFrame:
    """What binding parts costs, and what more than one site for them is worth, by solving again.

    Parameters
    ----------
    study : Study
    clock : TimeBudget

    Returns
    -------
    DataFrame
        `projects` (ids, joined by `;`), `cost`: points that the plan would gain were nothing to bind them; `apart`:
        points that it would lose were they to go to one site; `proven`. What time didn't reach has no row.
    """
    columns = ["projects", "cost", "apart", "proven"]
    if study.problem is None:
        return pd.DataFrame(columns=columns)
    rows = [
        (";".join(study.parts[one.index].projects), round(one.cost, 4), round(one.apart, 4), one.proven)
        for one in parts_values(study.problem, study.plan, time_limit_s=clock)
        if not np.isnan([one.cost, one.apart]).any()
    ]
    return pd.DataFrame(rows, columns=columns)
