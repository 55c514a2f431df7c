"""Several plans side by side: where each puts each project, what each city gets, and which choice all share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.world import splitting


@dataclass(frozen=True, eq=False)
class Plan:
    """A plan as one of several.

    Attributes
    ----------
    name : str
        What its people call it; unlike the others'.
    projects : mapping of str
        Id -> name of every project of its portfolio.
    site : mapping of str
        Project id -> site id of those that are placed.
    city : mapping of str
        Site id -> code of its prefecture; of the sites used at least.
    study : Study, optional
        Of the plan; None where the data has changed since, so that only who goes where is known.
    weight : mapping of float
        Project id -> which share of a project it is; 1 where it isn't named.
    """

    name: str
    projects: Mapping[str, str]
    site: Mapping[str, str]
    city: Mapping[str, str]
    study: Study | None = None
    weight: Mapping[str, float] = field(default_factory=dict)


def plan_of(study: Study, name: str) -> Plan:
    """The plan of a study, under a name.

    Parameters
    ----------
    study : Study
    name : str
    """
    placed, share = tables.assignment(study), splitting.share_of(study.projects)
    return Plan(
        name,
        study.projects["name"].to_dict(),
        dict(zip(placed["project"], placed["site"], strict=True)),
        study.sites.set_index("id")["prefecture_code"].to_dict(),
        study,
        dict(zip(study.projects.index, share, strict=True)),
    )


def choices_table(plans: Sequence[Plan]) -> pd.DataFrame:
    """One row a project and plan: where it goes.

    Parameters
    ----------
    plans : sequence of Plan
        With different names.

    Returns
    -------
    DataFrame
        `project`, `project_name`, `plan`, `known` (whether the plan's portfolio has it), `site` and `prefecture` (''
        for none), `score` (nan for none, or where it isn't known).
    """
    names: dict[str, str] = {}
    for plan in plans:
        names = dict(plan.projects) | names
    score = {}
    for plan in plans:
        placed = tables.assignment(plan.study) if plan.study else pd.DataFrame(columns=["project", "score"])
        score[plan.name] = dict(zip(placed["project"], placed["score"], strict=True))
    rows = []
    for project, name in names.items():
        for plan in plans:
            site = plan.site.get(project, "")
            points = score[plan.name].get(project, np.nan)
            rows.append((project, name, plan.name, project in plan.projects, site, plan.city.get(site, ""), points))
    columns = ["project", "project_name", "plan", "known", "site", "prefecture", "score"]
    return pd.DataFrame(rows, columns=columns).astype({"score": float})


def robust_table(choices: pd.DataFrame) -> pd.DataFrame:
    """One row a project: the site that most plans choose, by how many of those that know it, and whether by all.

    Parameters
    ----------
    choices : DataFrame
        As `choices_table` makes it.

    Returns
    -------
    DataFrame
        `project`, `project_name`, `most` (site id, '' for none; of equal ones that of the first plan), `count`, `of`,
        `same`.
    """
    rows = []
    for (project, name), mine in choices[choices["known"]].groupby(["project", "project_name"], sort=False):
        often = mine["site"].value_counts(sort=False)
        most = next(site for site in mine["site"] if often[site] == often.max())
        rows.append((project, name, most, int(often.max()), len(mine), len(mine) > 1 and len(often) == 1))
    return pd.DataFrame(rows, columns=["project", "project_name", "most", "count", "of", "same"])


def shares_table(plans: Sequence[Plan], choices: pd.DataFrame) -> pd.DataFrame:
    """One row a prefecture and plan: projects it gets, and their share of those that are placed.

    Parameters
    ----------
    plans : sequence of Plan
    choices : DataFrame
        Of these plans, as `choices_table` makes it.

    Returns
    -------
    DataFrame
        `prefecture`, `plan`, `projects`, `share` (nan where nothing is placed), `output_100m_yuan` (nan where not
        known). Prefectures that get nothing of any plan are left out.
    """
    codes, rows = [code for code in dict.fromkeys(choices["prefecture"]) if code], []
    for plan in plans:
        mine = choices[(choices["plan"] == plan.name) & (choices["site"] != "")]
        count = mine["project"].map(plan.weight).astype(float).fillna(1.0)
        output = np.full(len(mine), np.nan)
        if plan.study is not None:
            output = mine["project"].map(plan.study.projects["output_100m_yuan"]).to_numpy(float)
        for code in codes:
            here = (mine["prefecture"] == code).to_numpy()
            share = count[here].sum() / count.sum() if len(mine) else np.nan
            rows.append((code, plan.name, round(count[here].sum(), 6), share, output[here].sum()))
    return pd.DataFrame(rows, columns=["prefecture", "plan", "projects", "share", "output_100m_yuan"])


def numbers_table(plans: Sequence[Plan]) -> pd.DataFrame:
    """One row a plan: `plan`, `placed`, `of`, `objective`, `mean_score`, `level`, `status`, `gap`, `elsewhere`.

    `elsewhere` counts the projects of both portfolios that are elsewhere than in the first plan.

    Parameters
    ----------
    plans : sequence of Plan
    """
    rows = []
    for plan in plans:
        both = [one for one in plan.projects if one in plans[0].projects]
        elsewhere = sum(plan.site.get(one, "") != plans[0].site.get(one, "") for one in both)
        placed, of = plan.study.counts if plan.study else (len(plan.site), len(plan.projects))
        about = (np.nan, np.nan, "", "", np.nan)
        if plan.study is not None:
            score, own = tables.assignment(plan.study)["score"], plan.study.plan
            about = (own.objective, score.mean(), plan.study.scenario.planning_level, own.status, own.gap)
        rows.append((plan.name, placed, of, *about, elsewhere))
    columns = ["plan", "placed", "of", "objective", "mean_score", "level", "status", "gap", "elsewhere"]
    return pd.DataFrame(rows, columns=columns)


def pools_difference(before: Study, after: Study) -> pd.DataFrame:
    """Pools of which two plans use, or are planned with, different amounts; the largest change of use first.

    Parameters
    ----------
    before, after : Study

    Returns
    -------
    DataFrame
        `resource`, `pool`, then `planned` and `used` with `_before` and `_after`; 0 where a study lacks the pool.
    """
    keys = ["resource", "pool"]
    old, new = (tables.pools(one).set_index(keys)[["planned", "used"]] for one in (before, after))
    both = old.add_suffix("_before").join(new.add_suffix("_after"), how="outer").fillna(0.0)
    moved = (both["used_after"] - both["used_before"]).abs()
    differs = (moved > 1e-6) | ((both["planned_after"] - both["planned_before"]).abs() > 1e-6)
    order = moved[differs].sort_values(ascending=False, kind="stable").index
    return both.loc[order].reset_index()
