"""A plan beside others: what moved and why, alternatives and fronts as plans to adopt, a plan that is stable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Pair
from geo_cluster.matching.plan import relative_gap
from geo_cluster.matching.resource import Ints
from geo_cluster.matching.shortages import Shortage, shortages
from geo_cluster.matching.stable import blocking_pairs, match_stably
from geo_cluster.matching.verify import objective, score_of, verify
from geo_cluster.report import tables
from geo_cluster.report.division import mean_overlap
from geo_cluster.report.explanation import allowance, alternatives_of, fronts_of, shortfalls
from geo_cluster.study import OnStep, Study


def with_plan(study: Study, site: Ints) -> Study:
    """The same study with another plan in place of its own, checked anew; the bound stays.

    Parameters
    ----------
    study : Study
    site : (P,) int array
        Site of each project, `UNPLACED` for none.
    """
    problem = study.problem
    if problem is None:
        return study
    value, bound, score = objective(problem, site), study.plan.bound, score_of(problem, site)
    status: Literal["optimal", "feasible"] = "optimal" if value >= bound - 1e-6 else "feasible"
    plan = replace(
        study.plan,
        site=site,
        objective=value,
        gap=relative_gap(bound - value, score),
        status=status,
        violations=(),
        pools={},
        score=score,
    )
    return replace(study, plan=plan, violations=verify(problem, plan))


def plan_locks(study: Study) -> tuple[Pair, ...]:
    """Every placed project of a plan as a lock: the plan, kept."""
    pairs = zip(tables.assignment(study)["project"], tables.assignment(study)["site"], strict=True)
    return tuple(Pair(project=project, site=site) for project, site in pairs)


def difference_table(before: Study, after: Study) -> pd.DataFrame:
    """Who is elsewhere in the second of two studies, and why.

    Projects are compared by id; `from` and `to` are site ids, empty where a project is unplaced. `change` is the score
    at the new place less the score at the old place, each as its own study saw it.
    """
    old, new = (tables.assignment(one).set_index("project") for one in (before, after))
    rows = []
    for project in dict.fromkeys([*after.projects.index, *before.projects.index]):
        place = [table["site"].get(project, "") for table in (old, new)]
        gone, fresh = project not in after.projects.index, project not in before.projects.index
        if place[0] == place[1] and not gone and not fresh:
            continue
        scores = [table["score"].get(project, np.nan) for table in (old, new)]
        study = before if gone else after
        zh, en = _why_moved(before, after, project, place[0], place[1])
        name = study.projects.loc[project, "name"]
        rows.append((project, name, *place, *scores, np.nan_to_num(scores[1]) - np.nan_to_num(scores[0]), zh, en))
    columns = ["project", "project_name", "from", "to", "score_before", "score_after", "change", "why", "why_en"]
    return pd.DataFrame(rows, columns=columns)


def _why_moved(before: Study, after: Study, project: str, old: str, new: str) -> tuple[str, str]:
    """The first reason that holds, from what a person did to what the solver weighed."""
    if project not in after.projects.index:
        return "已从组合中删除", "taken out of the portfolio"
    if project not in before.projects.index:
        return "新加入组合", "new in the portfolio"
    if Pair(project=project, site=new or "-") in after.scenario.locked:
        return "按锁定", "locked there"
    if old and Pair(project=project, site=old) in after.scenario.forbidden:
        return "原园区已被禁止", "its old site was ruled out"
    ids = after.sites["id"].tolist()
    if old and old not in ids:
        return "原园区不在本次考虑之列", "its old site is not considered now"
    p = int(after.projects.index.get_loc(project))
    if old and after.problem is not None:
        s = ids.index(old)
        if not after.eligibility.allowed[p, s]:
            reason = (str(after.eligibility.reason[key][p, s]) for key in LANGUAGES)
            zh, en = reason
            return f"原园区不再可去：{zh}", f"its old site is ruled out now: {en}"
        if new and (here := after.problem.score[p, ids.index(new)]) > (there := after.problem.score[p, s]):
            zh = f"按现有数据，原园区得 {there:.1f} 分，这里 {here:.1f} 分"
            return zh, f"by the numbers now its old site scores {there:.1f}, this one {here:.1f}"
        lacking = shortages(after.problem, after.plan.site, p, s)
        if lacking:
            zh, en = "、".join(shortfalls(after, lacking, "zh")), ", ".join(shortfalls(after, lacking, "en"))
            if any(_has_shrunk(before, after, one) for one in lacking):
                return (
                    f"原园区的容量比原来少了（还须{zh}）",
                    f"its old site has less to give now ({en} would be needed)",
                )
            return f"原园区的容量已由其他项目使用（还须{zh}）", f"its room went to others ({en} would be needed)"
    if not old:
        return "现在有足够容量", "there is room for it now"
    if before.scenario.id != after.scenario.id:
        return "按现在的设置，这样方案总分更高", "by the settings now the total score is higher so"
    if after.plan.objective > before.plan.objective:
        return "方案总分更高", "the total score is higher"
    return "可以不变：本方案是另一种安排", "it could have stayed: this plan is another arrangement"


def _has_shrunk(before: Study, after: Study, lacking: Shortage) -> bool:
    """Whether a pool has less to give in the second study than in the first."""
    had, has = (
        tables.pools(one).loc[
            (tables.pools(one)["resource"] == lacking.resource) & (tables.pools(one)["pool"] == lacking.pool), "planned"
        ]
        for one in (before, after)
    )
    return len(had) == len(has) == 1 and has.iloc[0] < had.iloc[0] - 1e-6


@dataclass(frozen=True, eq=False)
class Other:
    """A plan to set beside the study's own.

    Attributes
    ----------
    kind : {"best", "alternative", "commuting", "division", "balance"}
    value : float
        Which alternative (1, 2 …), hours a month on the way, pairs of one segment that are not in one prefecture, or
        the fewest projects that a prefecture gets.
    site : (P,) int array
    objective, bound : float
        Its objective value; what no plan of its kind exceeds.
    elsewhere : float
        Share of projects that are elsewhere than in the study's plan.
    proven : bool
    complete : bool
        Whether the front that it is of was searched to its end before the time was over.
    overlap : float
        How far the prefectures do the same with it, 0 … 1, mean over their pairs; nan with fewer than two.
    """

    kind: Literal["best", "alternative", "commuting", "division", "balance"]
    value: float
    site: Ints
    objective: float
    bound: float
    elsewhere: float
    proven: bool
    complete: bool = True
    overlap: float = np.nan


def other_plans(
    study: Study, count: int = 3, within: float = 0.02, *, on_step: OnStep = lambda _: None
) -> tuple[Other, ...]:
    """The study's plan, alternatives nearly as good, and the fronts, as plans to compare and adopt.

    Parameters
    ----------
    study : Study
    count : int
        How many alternatives at most.
    within : float
        Share of the objective value that they may lose.
    on_step : callable
        Called with what is looked for next: alternatives, then each front.
    """

    def apart(site: Ints) -> float:
        return float(np.mean(site != study.plan.site))

    plan = study.plan
    found = [Other("best", 0, plan.site, plan.objective, plan.bound, 0.0, plan.status == "optimal")]
    clock = allowance()
    on_step("alternatives")
    for number, one in enumerate(alternatives_of(study, count=count, within=within, clock=clock.part(0.5)), 1):
        found.append(Other("alternative", number, one.site, one.objective, plan.bound, apart(one.site), one.proven))
    kinds: dict[str, Literal["commuting", "division", "balance"]] = {
        "commuting_hours": "commuting",
        "pairs_apart": "division",
        "fewest_in_a_prefecture": "balance",
    }
    missed: list[str] = []
    for name, points in fronts_of(study, clock=clock, missed=missed, on_step=on_step).items():
        for point in points:
            own, ends = point.plan, (point.plan.status == "optimal", name not in missed)
            found.append(Other(kinds[name], point.other, own.site, own.objective, own.bound, apart(own.site), *ends))
    return tuple(replace(one, overlap=mean_overlap(study, one.site)) for one in found)


def distinct(plans: tuple[Other, ...]) -> tuple[Other, ...]:
    """Each plan once: a front begins with the study's own plan, and several limits may lead to the same one."""
    kept: dict[Any, Other] = {}
    for one in plans:
        same = [(one.site.tobytes(),), (one.kind, round(one.value), round(one.objective, 1))]
        if not any(key in kept for key in same):
            kept |= dict.fromkeys(same, one)
    return tuple(dict.fromkeys(kept.values()))


@dataclass(frozen=True, eq=False)
class PlanStability:
    """How a plan stands with firms and cities that may leave it together.

    Attributes
    ----------
    blocking : DataFrame
        Pairs that would rather have each other: `project`, `project_name`, `from`, `to`, `displaced` (a tuple of ids).
    stable : Study
        The same study with the plan of deferred acceptance.
    cost : float
        How much lower the objective of that plan is.
    remaining : int
        Blocking pairs that it has left; 0 when it is stable.
    """

    blocking: pd.DataFrame
    stable: Study
    cost: float
    remaining: int


def plan_stability(study: Study) -> PlanStability | None:
    """Blocking pairs of the plan and what a stable one costs; None when no project may go anywhere.

    Firms prefer sites by the project's score; cities prefer projects by annual output per mu, which is how the land
    is rationed in practice. Both are declared here, not observed.
    """
    problem = study.problem
    if problem is None:
        return None
    density = study.projects["output_100m_yuan"].to_numpy(float) / study.projects["land_mu_likely"].to_numpy(float)
    cities = np.broadcast_to(density[:, None], problem.shape)
    ids, names = np.array([*study.sites["id"], ""]), study.projects["name"]
    rows = [
        (
            study.projects.index[one.project],
            names.iloc[one.project],
            ids[study.plan.site[one.project]],
            ids[one.site],
            tuple(study.projects.index[list(one.displaced)]),
        )
        for one in blocking_pairs(problem, study.plan.site, problem.score, cities)
    ]
    table = pd.DataFrame(rows, columns=["project", "project_name", "from", "to", "displaced"])
    found = match_stably(problem, problem.score, cities)
    return PlanStability(table, with_plan(study, found.site), found.cost(study.plan), len(found.blocking))
