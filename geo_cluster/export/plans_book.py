"""Several plans as one spreadsheet: their numbers, where each puts each project, what each city gets, what changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.workbook import FORMATS, HEADINGS
from geo_cluster.report import comparison, plans
from geo_cluster.report.plans import Plan
from geo_cluster.world import layers
from geo_cluster.world.spreadsheet import as_xlsx

SHEETS = {
    "numbers": ("方案一览", "Plans"),
    "choices": ("项目去向", "Who goes where"),
    "cities": ("各市所得", "By city"),
    "changes": ("第一、二方案之差", "First to second plan"),
}
WORDS = {
    "plan": ("方案", "Plan"),
    "placed": ("落地（个）", "Placed"),
    "of": ("项目（个）", "Projects"),
    "objective": ("方案总分", "Objective value"),
    "mean_score": ("平均得分", "Mean score"),
    "level": ("规划口径", "Planning level"),
    "gap": ("差距", "Gap"),
    "elsewhere": ("与第一方案去向不同（个）", "Elsewhere than in the first"),
    "same": ("各方案一致", "Same in all"),
    "count": ("多数去向", "Most plans"),
    "projects": ("项目（个）", "Projects"),
    "share": ("占落地项目", "Share of placed"),
    "output_100m_yuan": ("年产值（亿元）", "Output (100 M yuan a year)"),
    "from": ("第一方案", "First plan"),
    "to": ("第二方案", "Second plan"),
    "change": ("得分变化", "Change of score"),
    "why": ("原因", "Why"),
    "nowhere": ("未落地", "not placed"),
    "unknown": ("不在组合中", "not in the portfolio"),
    "yes": ("是", "yes"),
}


def plans_book(several: Sequence[Plan], names: Mapping[str, str], language: Language = "zh") -> bytes:
    """A workbook of plans side by side.

    Parameters
    ----------
    several : sequence of Plan
        With different names; two or more.
    names : mapping of str
        Of sites and prefectures, by id and code.
    language : {"zh", "en"}
    """
    at = 1 if language == "en" else 0
    words = {key: pair[at] for key, pair in (HEADINGS | WORDS).items()}
    choices = plans.choices_table(several)
    sheets = {
        "numbers": _numbers(several, words, language),
        "choices": _choices(several, choices, names, words),
        "cities": _cities(several, choices, names, words),
    }
    first, second = several[0].study, several[1].study
    if first is not None and second is not None:
        table = comparison.difference_table(first, second)
        for key in ("from", "to"):
            table[key] = [names.get(site, site) or words["nowhere"] for site in table[key]]
        why = table["why_en" if language == "en" else "why"]
        columns = ["project", "project_name", "from", "to", "change", "why"]
        sheets["changes"] = table.assign(why=why, change=table["change"].round(1))[columns].rename(columns=words)
    is_sample = any(plan.study is not None and plan.study.scenario.is_sample for plan in several)
    formats = {words[key]: FORMATS.get(key, "0.0") for key in ("objective", "mean_score", "change")}
    formats |= {words["gap"]: "0.00%"}
    formats |= {f"{plan.name} · {words['share']}": "0%" for plan in several}
    formats |= {f"{plan.name} · {words['score']}": "0.0" for plan in several}
    named = {SHEETS[name][at]: table for name, table in sheets.items()}
    return as_xlsx(named, formats=formats, notice=SAMPLE if is_sample else "")


def _numbers(several: Sequence[Plan], words: Mapping[str, str], language: Language) -> pd.DataFrame:
    table, levels = plans.numbers_table(several), layers.words("planning_level")
    table["level"] = [levels[one][language] if one else "" for one in table["level"]]
    return table.drop(columns="status").rename(columns=dict(words))


def _choices(
    several: Sequence[Plan], choices: pd.DataFrame, names: Mapping[str, str], words: Mapping[str, str]
) -> pd.DataFrame:
    """A row a project: where each plan puts it and its score there, where most do, and whether all agree."""
    robust = plans.robust_table(choices).set_index("project")
    wide = pd.DataFrame({words["project"]: robust.index, words["project_name"]: robust["project_name"].to_numpy()})
    for plan in several:
        mine = choices[choices["plan"] == plan.name].set_index("project").loc[robust.index]
        wide[f"{plan.name} · {words['site']}"] = [
            names.get(row.site, row.site) or words["nowhere" if row.known else "unknown"] for row in mine.itertuples()
        ]
        wide[f"{plan.name} · {words['score']}"] = mine["score"].round(1).to_numpy()
    wide[words["count"]] = [
        f"{names.get(most, most) or words['nowhere']} {count}/{of}"
        for most, count, of in robust[["most", "count", "of"]].itertuples(index=False, name=None)
    ]
    wide[words["same"]] = [words["yes"] if one else "" for one in robust["same"]]
    return wide


def _cities(
    several: Sequence[Plan], choices: pd.DataFrame, names: Mapping[str, str], words: Mapping[str, str]
) -> pd.DataFrame:
    """A row a city: projects, their share and output of each plan."""
    shares = plans.shares_table(several, choices)
    codes = list(dict.fromkeys(shares["prefecture"]))
    wide = pd.DataFrame({words["city"]: [names.get(code, code) for code in codes]})
    for plan in several:
        mine = shares[shares["plan"] == plan.name].set_index("prefecture").reindex(codes)
        for key in ("projects", "share", "output_100m_yuan"):
            wide[f"{plan.name} · {words[key]}"] = mine[key].round(4).to_numpy()
    return wide
