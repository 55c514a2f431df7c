"""City by city: what each gets at every planning level, and the proven price of giving it at least n projects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language, PlanningLevel, Text
from geo_cluster.errors import InputError
from geo_cluster.matching.plan import Assignment, relative_gap
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.shares import Least, share_curve
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.report.tables import taken
from geo_cluster.shares import TOTAL
from geo_cluster.study import ENDS, OnStep, Study, at_level
from geo_cluster.world import layers, splitting

LEVELS: tuple[PlanningLevel, ...] = get_args(PlanningLevel)
"""Planning levels as tables have them side by side: cautious, likely, hopeful."""

OUTPUT = "output_100m_yuan"
AMOUNTS: Mapping[str, Text] = {
    "projects": Text(zh="项目（个）", en="Projects"),
    OUTPUT: Text(zh="产值（亿元）", en="Output (100 M yuan)"),
    "land_mu": Text(zh="用地（亩）", en="Land (mu)"),
    "power_mva": Text(zh="报装容量（MVA）", en="Capacity (MVA)"),
}
"""What is shown of each city; files have every resource."""

STATUS: Mapping[str, Text] = {
    "proven": Text(zh="已证", en="proven"),
    "between": Text(zh="在两数之间（上下界已证）", en="between the two (both proven)"),
    "above": Text(zh="不低于此数（未找到这样的方案）", en="no less than this (no such plan was found)"),
}
"""How far a price is known."""

LIMIT_S, TOTAL_S = 10.0, 30.0
"""Seconds for one more level or one more point of a price, and for all of them together."""

_CLOSED = 1e-6
"""A share of the objective value by which bounds may differ and still be one number."""


def at_levels(study: Study, *, clock: TimeBudget | None = None, on_step: OnStep = lambda _: None) -> tuple[Study, ...]:
    """The study at each planning level, its own as it is: cautious, likely, hopeful.

    Parameters
    ----------
    study : Study
    clock : TimeBudget, optional
        Time for each of the others, and for both together; levels that it leaves no time for are left out, and
        those at which the shares can't be met.
    on_step : callable
        Called with each level that is solved.
    """
    clock, found = clock or TimeBudget(LIMIT_S, TOTAL_S), []
    for level in LEVELS:
        if level == study.scenario.planning_level:
            found.append(study)
        elif clock.left_s > 0:
            on_step(level)
            limit = min(clock.each_s, clock.left_s)
            with contextlib.suppress(InputError):  # shares that can't be met at that level
                found.append(at_level(study, level, time_limit_s=limit))
    return tuple(found)


def prefectures(study: Study) -> tuple[str, ...]:
    """Codes of the prefectures with sites, in the order of the sites."""
    return tuple(dict.fromkeys(study.sites["prefecture_code"]))


def cities_table(studies: Iterable[Study]) -> pd.DataFrame:
    """One row a planning level and city: what the plan gives it, and how far that plan is proven.

    Parameters
    ----------
    studies : iterable of Study
        Of one scenario at one planning level each; see `at_levels`.

    Returns
    -------
    DataFrame
        `level`, `prefecture` and its names, `projects`, `output_100m_yuan`, what they take of each resource at that
        level, `status` of the plan and its `gap`.
    """
    return pd.concat([_at_one_level(one) for one in studies], ignore_index=True)


def _at_one_level(study: Study) -> pd.DataFrame:
    plan, codes = study.plan, prefectures(study)
    placed = np.flatnonzero(plan.site != UNPLACED)
    rows = pd.DataFrame(taken(study.facts, plan, ENDS[study.scenario.planning_level]))
    share = splitting.share_of(study.projects)[placed]
    rows.insert(0, "projects", share if (share < 1).any() else 1)
    rows.insert(1, OUTPUT, study.projects[OUTPUT].to_numpy(float)[placed])
    at = study.sites["prefecture_code"].to_numpy()[plan.site[placed]]
    table = rows.groupby(at).sum().reindex(list(codes), fill_value=0).round(3)
    table = table.rename_axis("prefecture").reset_index()
    for column, language in enumerate(LANGUAGES, 1):
        table.insert(column, f"prefecture_{language}", [study.region.names[code][language] for code in codes])
    table.insert(0, "level", study.scenario.planning_level)
    return table.assign(status=plan.status, gap=round(plan.gap, 9))


def side_by_side(table: pd.DataFrame, column: str, prefecture: str, *, missing: str = "…") -> str:
    """A city's amount at the planning levels, `1–16–25`.

    Parameters
    ----------
    table : DataFrame
        As `cities_table` makes it.
    column, prefecture : str
        Which amount, of which city.
    missing : str
        What stands for a level that isn't there; '' leaves it out.
    """
    own = table[table["prefecture"] == prefecture].set_index("level")[column]
    shown = [f"{own[level]:,.0f}" if level in own else missing for level in LEVELS]
    return "–".join(filter(None, shown))


def unproven(table: pd.DataFrame, language: Language) -> str:
    """Which levels' plans are not proven to be the best, and how far they may be from it; nothing where all are.

    Parameters
    ----------
    table : DataFrame
        As `cities_table` makes it.
    language : {"zh", "en"}
    """
    words = layers.words("planning_level")
    left = table[table["status"] != "optimal"].drop_duplicates("level")
    said = [
        f"{words[level][language]}口径未证最优（差距 {gap:.2%}）"
        if language == "zh"
        else f"{words[level][language]}: not proven best (gap {gap:.2%})"
        for level, gap in zip(left["level"], left["gap"], strict=True)
    ]
    return ("；" if language == "zh" else "; ").join(said)


def heading(studies: Iterable[Study], language: Language) -> str:
    """What a table of cities shows: which levels stand side by side, and whose plan is not proven.

    Parameters
    ----------
    studies : iterable of Study
        As of `cities_table`.
    language : {"zh", "en"}
    """
    studies, words = list(studies), layers.words("planning_level")
    levels = "–".join(words[one.scenario.planning_level][language] for one in studies)
    said = "；" if language == "zh" else "; "
    told = said.join(filter(None, (levels, unproven(cities_table(studies), language))))
    return f"各市所得（规划口径：{told}）" if language == "zh" else f"By city (planning level: {told})"


def sentences(table: pd.DataFrame, language: Language) -> list[str]:
    """A line a city: projects, output, land and power at the levels that the table has.

    Parameters
    ----------
    table : DataFrame
        As `cities_table` makes it.
    language : {"zh", "en"}
    """
    at, stop = (1, ", ") if language == "en" else (0, "，")
    said = []
    for code, name in table.drop_duplicates("prefecture").set_index("prefecture")[f"prefecture_{language}"].items():
        parts = [AMOUNTS[key][language] + " " + side_by_side(table, key, code, missing="") for key in AMOUNTS]
        said.append(f"{name}{('：', ': ')[at]}{stop.join(parts)}")
    return said


def city_prices(study: Study, *, clock: TimeBudget | None = None) -> pd.DataFrame:
    """What giving each city at least n projects costs, worked out once for a study; see `prices_table`.

    Parameters
    ----------
    study : Study
    clock : TimeBudget, optional
        Time for each solve, and for all.
    """
    name = "geo_cluster.report.cities.city_prices"
    if name not in study.memo:
        clock = clock or TimeBudget(LIMIT_S, TOTAL_S)
        table = prices_table(study, price_curves(study, clock=clock))
        if clock.stop.is_set():
            return table  # of what was known when it was stopped
        study.memo[name] = table
    return study.memo[name]


def price_curves(study: Study, *, clock: TimeBudget | None = None) -> dict[str, tuple[Least, ...]]:
    """Prefecture -> best plans with at least 0, 1, 2 … projects there (`matching.shares`).

    The scenario's own minima of prefectures are left out, so that their price shows as well.

    Parameters
    ----------
    study : Study
    clock : TimeBudget, optional
        Time for each solve, and for all.
    """
    if study.problem is None:
        return {}
    clock = clock or TimeBudget(LIMIT_S, TOTAL_S)
    problem, best = _free(study.problem, study.plan, clock)
    codes = prefectures(study)
    region, found = pd.Categorical(study.sites["prefecture_code"], categories=list(codes)).codes, {}
    for at, code in enumerate(codes):
        part = clock.part(1 / (len(codes) - at))
        found[code] = share_curve(problem, best, region, at, time_limit_s=part)
    return found


def _free(problem: Problem, plan: Assignment, clock: TimeBudget) -> tuple[Problem, Assignment]:
    """The problem without minima of prefectures for all projects, and its best plan."""
    rules = [one for one in problem.resources if one.name == TOTAL and one.minimum is not None and one.minimum.any()]
    if not rules:
        return problem, plan
    kept = (replace(one, minimum=None) if one in rules else one for one in problem.resources)
    free = problem.suppose(resources=tuple(kept))
    best = clock.solve(free, start=plan.site, waiting=4)
    if best is None:  # nothing better is known, and nothing is proven of it
        top = np.where(free.eligible, np.maximum(free.score + free.bonus[:, None], 0.0), 0.0).max(axis=1).sum()
        bound = float(top) + sum(link.gain for link in free.links)
        best = replace(plan, bound=bound, gap=relative_gap(plan.objective, bound), status="feasible")
    return free, best


def prices_table(study: Study, found: Mapping[str, tuple[Least, ...]]) -> pd.DataFrame:
    """One row a city and number of projects: what giving it at least so many takes from the plan's total score.

    Parameters
    ----------
    study : Study
    found : mapping
        As `price_curves` gives it.

    Returns
    -------
    DataFrame
        `prefecture` and its names, `in_plan` (projects that the plan gives it), `least`; `loss_low`, `loss_high` in
        points: proven bounds, alike where `proven`; `loss_high` is nan where no such plan was found in the time;
        `share_low`, `share_high` of the total score; `status` and what it says in both languages.
    """
    columns = ["prefecture", "prefecture_zh", "prefecture_en", "in_plan", "least", "loss_low", "loss_high"]
    columns += ["share_low", "share_high", "proven", "status_zh", "status_en"]
    if not found:
        return pd.DataFrame(columns=columns)
    value, bound = max(one[0].value for one in found.values()), min(one[0].bound for one in found.values())
    used, whole = prefectures(study), max(abs(value), 1e-9)
    at = study.sites["prefecture_code"].to_numpy()[study.plan.site[study.plan.site != UNPLACED]]
    rows = []
    for code in used:
        for one in found[code]:
            low, high = max(value - one.bound, 0.0), bound - one.value
            proven = high - low <= _CLOSED * whole
            low, high = (high, high) if proven else (low, high if np.isfinite(high) else np.nan)
            status = STATUS["proven" if proven else "between" if np.isfinite(high) else "above"]
            names = [study.region.names[code][language] for language in LANGUAGES]
            loss = (round(max(low, 0.0), 4), round(max(high, 0.0), 4))
            shares = [round(each / whole, 6) for each in loss]
            said = [status[language] for language in LANGUAGES]
            rows.append((code, *names, int((at == code).sum()), one.least, *loss, *shares, proven, *said))
    return pd.DataFrame(rows, columns=columns)


def price_sentences(table: pd.DataFrame, language: Language) -> list[str]:
    """A line a city: what one, three and six projects more than in the plan, and as many as can be, would cost.

    Parameters
    ----------
    table : DataFrame
        As `prices_table` makes it.
    language : {"zh", "en"}
    """
    zh, said = language == "zh", []
    for _, own in table.groupby("prefecture", sort=False):
        first, most = own.iloc[0], own["least"].max()
        picked = own[own["least"].isin({first["in_plan"] + more for more in (1, 3, 6)} | {most})]
        parts = [
            f"至少 {row['least']} 个损失 {loss_words(row)} 分"
            if zh
            else f"{row['least']} or more lose {loss_words(row)}"
            for row in picked.to_dict("records")
        ]
        name, count = first[f"prefecture_{language}"], first["in_plan"]
        head = f"{name}现得 {count} 个：" if zh else f"{name} gets {count}: "
        said.append(head + ("，" if zh else ", ").join(parts) + ("" if zh else " points"))
    return said


def loss_words(row: Mapping[str, Any]) -> str:
    """What is lost: a number where it is proven, else its bounds `107.0–133.3`, or `≥ 107.0`.

    Parameters
    ----------
    row : mapping
        Of `prices_table`.
    """
    if row["proven"]:
        return f"{row['loss_high']:,.1f}"
    if np.isnan(row["loss_high"]):
        return f"≥ {row['loss_low']:,.1f}"
    return f"{row['loss_low']:,.1f}–{row['loss_high']:,.1f}"
