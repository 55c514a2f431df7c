"""A plan explained for the meeting: placement options, value of a pool, why here, importance of a site, alternatives.

Each table comes from solving again (`geo_cluster.matching`), so each row is a fact about the plan, not a guess;
`proven` says where a time limit cut the proof short.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language
from geo_cluster.matching.alternatives import Alternative, alternatives
from geo_cluster.matching.division import division_front
from geo_cluster.matching.explain import (
    Move,
    PlacementOption,
    lock_prices,
    placement_options,
    site_importance,
    why_here,
)
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Ints
from geo_cluster.matching.shortages import Shortage, shortages
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.matching.tradeoffs import Point, balance_front, trade_off
from geo_cluster.matching.verify import feasible_share
from geo_cluster.region import pool_name
from geo_cluster.report import cities, over_time, parts, what_if
from geo_cluster.report import tables as report_tables
from geo_cluster.report.division import mean_overlap
from geo_cluster.report.openings import worth_table
from geo_cluster.report.tables import words_of
from geo_cluster.study import OnStep, Study, division_aim, once, problem_with
from geo_cluster.world import catalog

LIMIT_S = 5.0
"""Seconds that each solving again may take."""

TOTAL_S = 35.0
"""Seconds that all of them together may take."""

SELDOM = 0.5
"""A plan that is feasible in a smaller share of the draws is one to warn of."""

_LEAST_S = 3.0  # for the options of one project: rather none for some than poor ones for all

WORTH_TELLING = 0.05
"""Points: what gains or loses less isn't told."""

TABLES = ("ways_in", "pool_worth", "why_here", "site_importance", "city_prices", "alternatives", "trade_off", "holds")
"""Tables of `explain`, in the order in which they are made."""

OPENINGS, PARTS = "opening_worth", "parts_worth"
"""Tables of `explain` besides, where the scenario has openings, phases or split projects."""


def explain(study: Study, *, total_s: float | None = None, on_step: OnStep = lambda _: None) -> dict[str, pd.DataFrame]:
    """Every table by its file name; empty when no project may go anywhere.

    Each question has a share of the time, and what one leaves goes to those after it. What wasn't reached has no row.
    Ctrl-C ends solving with what there is; a second one ends the programme.

    Parameters
    ----------
    study : Study
    total_s : float, optional
        Seconds for all of it; `TOTAL_S` when left out.
    on_step : callable
        Called with the name of each table before it is made, of placement options also how many projects are done.
    """
    if study.problem is None:
        return {}
    with _until_stopped(TimeBudget(LIMIT_S, TOTAL_S if total_s is None else total_s)) as clock:
        tables: tuple[Callable[[], pd.DataFrame], ...] = (
            lambda: placement_options_table(study, clock=clock.part(0.3), on_step=on_step),
            lambda: pool_values_table(study, clock=clock.part(0.25)),
            lambda: why_here_table(study, clock=clock.part(0.3)),
            lambda: importance_table(study, clock=clock.part(0.4)),
            lambda: cities.city_prices(study, clock=clock.part(0.3)),
            lambda: alternatives_table(study, clock=clock.part(0.5)),
            lambda: front_table(study, clock=clock),
            lambda: feasibility_table(study),
        )
        made = {}
        for name, table in zip(TABLES, tables, strict=True):
            on_step(name)
            made[name] = table()
        if study.posed is not None:
            on_step(OPENINGS)
            made[OPENINGS] = worth_table(study, clock=clock)
        if study.parts:
            on_step(PARTS)
            made[PARTS] = parts.worth_table(study, clock=clock)
        return made


@contextlib.contextmanager
def _until_stopped(clock: TimeBudget) -> Iterator[TimeBudget]:
    """While explaining, the first Ctrl-C stops the clock; the second is one as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield clock  # signals are the main thread's
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(_signal: int, _frame: Any) -> None:
        clock.stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield clock
    finally:
        signal.signal(signal.SIGINT, before)


def allowance(clock: TimeBudget | None = None) -> TimeBudget:
    """The clock handed in, or a fresh one of `LIMIT_S` and `TOTAL_S`."""
    return TimeBudget(LIMIT_S, TOTAL_S) if clock is None else clock


def placement_options_table(
    study: Study, *, most: int = 3, clock: TimeBudget | None = None, on_step: OnStep = lambda _: None
) -> pd.DataFrame:
    """For each unplaced project the cheapest placement options, each verified by solving again.

    Parameters
    ----------
    study : Study
    most : int
        Options of a project at most.
    clock : TimeBudget, optional
        What time there is.
    on_step : callable
        Called with how many projects are done.

    Returns
    -------
    DataFrame
        `project`, `project_name`, `site`, `way` and `way_en` (what it takes), `gain` (points), `proven`.
    """
    clock, columns = allowance(clock), ["project", "project_name", "site", "way", "way_en", "gain", "proven"]
    if study.problem is None:
        return pd.DataFrame(columns=columns)
    best = np.where(study.problem.eligible, study.problem.score + study.problem.bonus[:, None], -np.inf).max(axis=1)
    left = np.flatnonzero(study.plan.site == UNPLACED)
    found: dict[int, list[dict[str, Any]]] = {}
    order = left[np.argsort(-best[left], kind="stable")].tolist()  # who would bring the most first
    for number, p in enumerate(order):
        on_step(f"ways_in {number}/{len(order)}")
        own = clock.part(max(1.0 / (len(order) - number), min(_LEAST_S / max(clock.left_s, 1e-9), 1.0)))
        found[p] = [option_row(study, option) for option in _options(study, p, most, own)]
    return pd.DataFrame([row for p in left.tolist() for row in found[p]], columns=columns)


def placement_options_of(study: Study, project: str, *, most: int = 3) -> tuple[PlacementOption, ...]:
    """The cheapest options to place one project that the plan leaves out.

    Parameters
    ----------
    study : Study
    project : str
        Id of a project that has no place.
    most : int
        How many options to find.
    """
    return _options(study, int(study.projects.index.get_loc(project)), most, allowance())


def _options(study: Study, number: int, most: int, clock: TimeBudget) -> tuple[PlacementOption, ...]:
    problem = study.problem
    if problem is None:
        return ()

    def wider(lacking: tuple[Shortage, ...]) -> Problem:
        return problem_with_more(study, what_if.most_of(lacking)) or problem

    return placement_options(problem, study.plan, project=number, most=most, time_limit_s=clock, wider=wider)


def problem_with_more(study: Study, more: Mapping[tuple[str, str], float]) -> Problem | None:
    """The study's problem with more in some pools; scores rise with what there is, as they do when it is entered.

    Parameters
    ----------
    study : Study
    more : mapping
        Resource and pool -> how much more.
    """
    return problem_with(study, what_if.more_scenario(study, more, source="-"))


def option_row(study: Study, option: PlacementOption) -> dict[str, Any]:
    """One placement option in both languages."""
    site = study.sites["id"].iloc[option.site]
    zh = [*shortfalls(study, option.more, "zh"), *_moves(study, option.moves, "zh")]
    en = [*shortfalls(study, option.more, "en"), *_moves(study, option.moves, "en")]
    loss = max(-option.gain, 0.0)
    kept, kept_en = ("，并留给该项目", ", kept for it") if option.more else ("", "")
    zh_cost, en_cost = (
        (f"，方案总分减少 {loss:.1f} 分", f" at a loss of {loss:.1f}") if loss > WORTH_TELLING else ("", "")
    )
    return {
        "project": study.projects.index[option.project],
        "project_name": study.projects["name"].iloc[option.project],
        "site": site,
        "way": f"进{study.region.names[site].zh}：{'、'.join(zh) or '锁定即可'}{kept}{zh_cost}",
        "way_en": f"{study.region.names[site].en}: {', '.join(en) or 'a lock is enough'}{kept_en}{en_cost}",
        "gain": round(option.gain, 4),
        "proven": option.proven,
    }


def shortfalls(study: Study, lacking: tuple[Shortage, ...], language: Language) -> list[str]:
    """What has to be found, pool by pool: `+6.2 MVA of power at Ya'erhu`.

    Parameters
    ----------
    study : Study
    lacking : tuple of Shortage
        As `matching.shortages` finds them; amounts are rounded up to a tenth of the unit.
    language : {"zh", "en"}
    """
    sentences = []
    for one in lacking:
        pool, (word, unit) = pool_name(study.region, one.resource, one.pool), words_of(one.resource, language)
        zh = f"{pool.zh}再增加 {one.asked:,.1f} {unit}{word}"
        en = f"+{one.asked:,.1f} {unit} of {word} at {pool.en}".replace("  ", " ")
        sentences.append(zh if language == "zh" else en)
    return sentences


def _moves(study: Study, moves: tuple[Move, ...], language: str) -> list[str]:
    """Who else moves where."""
    sentences = []
    for move in moves:
        name = study.projects["name"].iloc[move.project]
        place = None if move.after == UNPLACED else study.region.names[study.sites["id"].iloc[move.after]]
        zh = f"{name}改去{place.zh}" if place else f"{name}让出"
        sentences.append(zh if language == "zh" else f"{name} → {place.en if place else 'out'}")
    return sentences


def pool_values_table(study: Study, *, clock: TimeBudget | None = None) -> pd.DataFrame:
    """What more in each pool that binds adds to the objective, by scoring and solving again.

    The step is the least that lets one waiting project in; what gains less than `WORTH_TELLING` is left out. Where the
    plan isn't proven the best, who has a place waits for nothing: it might go there as it is.

    Returns
    -------
    DataFrame
        The most valuable first: `resource`, `pool`, `pool_name`, `step` (units more), `gain` (points), `proven`.
    """
    clock, rows = allowance(clock), []
    waiting = {
        pool: missing
        for pool, lacking in waiting_for(study).items()
        if (missing := {p: amount for p, amount in lacking.items() if study.plan.is_best or study.plan.site[p] < 0})
    }
    for number, ((resource, pool), lacking) in enumerate(waiting.items()):
        step = Shortage(resource, pool, min(lacking.values()), "").asked
        again = _solved_with(study, resource, pool, step, clock, len(waiting) - number)
        if again is not None and (gain := again.objective - study.plan.objective) > WORTH_TELLING:
            proven = again.status == study.plan.status == "optimal"
            rows.append((resource, pool, pool_name(study.region, resource, pool).zh, step, round(gain, 4), proven))
    table = pd.DataFrame(rows, columns=["resource", "pool", "pool_name", "step", "gain", "proven"])
    return table.sort_values("gain", ascending=False, kind="stable", ignore_index=True)


def _solved_with(
    study: Study, resource: str, pool: str, step: float, clock: TimeBudget, waiting: int = 1
) -> Assignment | None:
    """The plan with so much more in one pool; None when there was no time."""
    problem = problem_with_more(study, {(resource, pool): step})
    if problem is None:
        return None
    return clock.solve(problem, start=study.plan.site, waiting=waiting, near=study.plan)


def why_here_table(study: Study, *, clock: TimeBudget | None = None) -> pd.DataFrame:
    """For each placed project that is not at its favourite site: what that site lacks, and what insisting costs.

    With what it lacks there, and kept for it, everybody else could stay; `loss` is that of insisting without it.
    """
    found = why_here(study.problem, study.plan, time_limit_s=allowance(clock)) if study.problem else ()
    ids, rows = study.sites["id"], []
    for one in found:
        if np.isnan(one.loss) or (np.isinf(one.loss) and not one.proven):
            continue  # not worked out
        favourite = study.region.names[ids.iloc[one.favourite]]
        lacking, lacking_en = (shortfalls(study, one.lacking, language) for language in LANGUAGES)
        zh = f"须{'、'.join(lacking)}，并留给该项目" if lacking else "安排在这里方案总分更高"
        en = f"{', '.join(lacking_en)}, kept for it" if lacking else "the plan is worth more with it here"
        cost, price = f"，方案总分减少 {one.loss:.1f} 分", f"costs {one.loss:.1f}"
        if np.isinf(one.loss):
            cost, price = "，无可行方案", "is impossible"
        elif one.loss < -WORTH_TELLING:  # the plan isn't proven the best, and a better one has it there
            cost, price = "，未见方案总分减少", "costs nothing that was found"
        rows.append(
            {
                "project": study.projects.index[one.project],
                "site": ids.iloc[one.site],
                "favourite": ids.iloc[one.favourite],
                "why": f"首选{favourite.zh}（{one.favourite_score:.1f} 分），{zh}；若强制安排{cost}",
                "why_en": f"favourite {favourite.en} ({one.favourite_score:.1f}): {en}; forcing it there {price}",
                "loss": round(max(float(one.loss), 0.0), 4),
                "proven": one.proven,
            }
        )
    return pd.DataFrame(rows, columns=["project", "site", "favourite", "why", "why_en", "loss", "proven"])


def importance_table(study: Study, *, clock: TimeBudget | None = None) -> pd.DataFrame:
    """What is lost if a site drops out, most important first."""
    found = site_importance(study.problem, study.plan, time_limit_s=allowance(clock)) if study.problem else ()
    ids = study.sites["id"]
    rows = [
        (ids.iloc[one.index], study.region.names[ids.iloc[one.index]].zh, one.loss, one.proven)
        for one in found
        if np.isfinite(one.loss) or (np.isinf(one.loss) and one.proven)
    ]
    return pd.DataFrame(rows, columns=["site", "site_name", "loss", "proven"]).round({"loss": 4})


def alternatives_of(
    study: Study, *, count: int = 3, within: float = 0.02, clock: TimeBudget | None = None
) -> tuple[Alternative, ...]:
    """Plans within a share of the best that differ the most from it and from each other.

    Parameters
    ----------
    study : Study
    count : int
        How many at most.
    within : float
        Share of the objective value that they may lose.
    clock : TimeBudget, optional
        What time there is.
    """
    if study.problem is None or not len(report_tables.assignment(study)):
        return ()
    return alternatives(study.problem, study.plan, count=count, within=within, time_limit_s=allowance(clock))


def alternatives_table(
    study: Study, *, clock: TimeBudget | None = None, found: Sequence[Alternative] | None = None
) -> pd.DataFrame:
    """One row a project: its site in the plan and in each alternative; the last rows give objective and distance.

    Parameters
    ----------
    study : Study
    clock : TimeBudget, optional
        What time there is.
    found : sequence of Alternative, optional
        The alternatives, where they were looked for already.
    """
    found = alternatives_of(study, clock=clock) if found is None else found
    ids = np.array([*study.sites["id"], ""])
    table = pd.DataFrame({"project": study.projects.index, "project_name": study.projects["name"].to_numpy()})
    table["plan"] = ids[study.plan.site]
    for number, one in enumerate(found, 1):
        table[f"alternative_{number}"] = ids[one.site]
    value = {"project": "worth", "project_name": "总分 / worth", "plan": f"{study.plan.objective:.2f}"}
    away = {"project": "distance", "project_name": "改址项目比例 / share elsewhere", "plan": "0%"}
    for number, one in enumerate(found, 1):
        value[f"alternative_{number}"], away[f"alternative_{number}"] = f"{one.objective:.2f}", f"{one.distance:.0%}"
    return pd.concat([table, pd.DataFrame([value, away])], ignore_index=True)


def fronts_of(
    study: Study,
    *,
    clock: TimeBudget | None = None,
    missed: list[str] | None = None,
    on_step: OnStep = lambda _: None,
) -> dict[str, tuple[Point, ...]]:
    """Score against commuting (trips a month × minutes, in hours), division of labour, and the least a prefecture gets.

    Division of labour is counted in pairs of one segment that are not in one prefecture (`matching.division`).

    Fronts that the time ended before their last point are named in `missed`.

    Parameters
    ----------
    study : Study
    clock : TimeBudget, optional
        Time for both fronts; a budget of its own when left out.
    missed : list of str, optional
        Gets the names of the fronts that time ended too early.
    on_step : callable
        Called with commuting, division, balance as each is begun.
    """
    if study.problem is None or not len(report_tables.assignment(study)):
        return {}
    prefecture = pd.factorize(study.sites["prefecture_code"])[0]
    clock = allowance(clock)
    part = clock.part(0.5)
    hours = commuting_hours(study)
    on_step("commuting")
    commuting = trade_off(study.problem, study.plan, hours, points=5, time_limit_s=part, name="commuting")
    aim, half = division_aim(study.region, study.facts, study.problem), clock.part(0.5)
    on_step("division")
    apart = division_front(study.problem, study.plan, aim, points=6, time_limit_s=half)
    on_step("balance")
    fronts = {
        "commuting_hours": commuting,
        "pairs_apart": apart,
        "fewest_in_a_prefecture": balance_front(study.problem, study.plan, prefecture, time_limit_s=clock),
    }
    if missed is not None:
        missed += [name for name, each in zip(fronts, (part, half, clock), strict=True) if each.missed]
    return fronts


def commuting_hours(study: Study) -> np.ndarray:
    """(P, S): hours a month that R&D staff spend on the way, there and back."""
    segments = catalog.segments()
    trips = [np.sqrt(np.prod(segments[key].trips_per_month)) for key in study.projects["segment"]]
    monthly = np.array(trips) * study.projects["output_100m_yuan"].to_numpy(float)
    return monthly[:, None] * 2 * study.region.offers["trip_min"][:, 1][None, :] / 60


def front_table(study: Study, *, clock: TimeBudget | None = None) -> pd.DataFrame:
    """One row a point of each front: what is given up for what, and whether it was proven.

    `complete` is whether the front was searched to its end before the time was over.
    `overlap` is how far the prefectures do the same with that plan, 0 … 1, mean over their pairs (1 - Krugman / 2).
    """
    missed: list[str] = []
    rows: list[tuple[Any, ...]] = [
        (
            name,
            point.other,
            point.plan.objective,
            point.plan.bound,
            point.plan.status,
            int((point.plan.site >= 0).sum()),
            mean_overlap(study, point.plan.site),
            name,
        )
        for name, points in fronts_of(study, clock=clock, missed=missed).items()
        for point in points
    ]
    columns = ["against", "value", "worth", "bound", "status", "placed", "overlap", "complete"]
    table = pd.DataFrame(rows, columns=columns)
    table["complete"] = ~table["complete"].isin(missed)
    return table.round({"value": 2, "worth": 2, "bound": 2, "overlap": 4})


@once
def feasibility_table(study: Study) -> pd.DataFrame:
    """Feasible share of the draws of capacities and needs, and which pools break, the first one first.

    The first row is the entire plan: `breaks` is the share of draws in which any pool is over.
    """
    if study.problem is None:
        return pd.DataFrame()
    region, (problem, capacity, demand) = study.region, over_time.drawn(study)
    found = feasible_share(problem, study.plan, capacity=capacity, demand=demand)
    rows = [("plan", "", "", 1 - found.share, np.nan, np.nan)]
    rows += [
        (p.resource, p.pool, pool_name(region, p.resource, p.pool).zh, p.breaks, p.first, p.over) for p in found.pools
    ]
    names = ["resource", "pool", "pool_name", "breaks", "first", "over"]
    return pd.DataFrame(rows, columns=names).round(4)


def gauge_table(study: Study) -> pd.DataFrame:
    """Every pool with its names, evidence, how full it is, and how many projects would rather be in it; fullest first.

    `share` is what the plan uses of what was planned with (1 where that is nothing); `waiting` counts projects that
    score higher at a site of the pool than where they are, and for which this pool has no room left: such a pool binds.
    """
    basis = study.observations.set_index(["attribute", "site_id"])["basis"]
    table = report_tables.pools(study).copy()
    keys = list(zip(table["resource"], table["pool"], strict=True))
    for language in LANGUAGES:
        table[f"pool_{language}"] = [pool_name(study.region, *key)[language] for key in keys]
    table["basis"] = [basis[catalog.known_kind(resource).attribute, pool] for resource, pool in keys]
    planned = table["planned"].to_numpy()
    table["share"] = np.where(planned > 0, table["used"] / np.where(planned > 0, planned, 1.0), 1.0)
    waiting = waiting_for(study)
    table["waiting"] = [len(waiting.get(key, ())) for key in keys]
    return table.sort_values(["share", "waiting"], ascending=False, kind="stable", ignore_index=True)


@once
def waiting_for(study: Study) -> dict[tuple[str, str], dict[int, float]]:
    """Resource and pool -> projects that score higher at a site of it and find no room, and how much each lacks.

    The pools for which most wait come first.
    """
    problem = study.problem
    if problem is None:
        return {}
    at, found = study.plan.site, dict[tuple[str, str], dict[int, float]]()
    for p, s in np.argwhere(_better(problem, at)).tolist():
        for key, amount in what_if.most_of(shortages(problem, at, p, s)).items():
            if catalog.resource_kind(key[0]):
                of = found.setdefault(key, {})
                of[p] = min(amount, of.get(p, np.inf))
    return dict(sorted(found.items(), key=lambda one: -len(one[1])))


def _better(problem: Problem, at: Ints) -> np.ndarray:
    """(P, S): sites at which a project would score higher than where it is."""
    score = np.where(problem.eligible, problem.score, -np.inf)
    return score > np.where(at == UNPLACED, -np.inf, score[np.arange(len(at)), at])[:, None]


def away_from_best(study: Study) -> int:
    """How many projects score higher at another site that may take them, or have no place though some site may.

    Locks don't count among what may take them: who is locked to its ninth best site is away from its best.
    """
    score, at = np.where(study.eligibility.allowed, study.decision.score, -np.inf), study.plan.site
    here = np.where(at == UNPLACED, -np.inf, study.decision.score[np.arange(len(at)), at])
    return int((score > here[:, None]).any(axis=1).sum())


def pool_value(study: Study, resource: str, pool: str, step: float = 1.0) -> tuple[float, bool]:
    """What `step` more units in one pool add to the objective, by scoring and solving again, and whether it is proven.

    Parameters
    ----------
    study : Study
    resource, pool : str
        The pool.
    step : float
        In the unit of the resource.

    Returns
    -------
    gain : float
        In points of the objective.
    proven : bool
    """
    again = _solved_with(study, resource, pool, step, allowance())
    if again is None:
        return 0.0, study.problem is None
    return again.objective - study.plan.objective, again.status == study.plan.status == "optimal"


def pool_values(
    study: Study, pools: Sequence[tuple[str, str]], step: float, *, on_step: OnStep = lambda _: None
) -> list[tuple[float, bool]]:
    """What `step` more units in each of some pools add; see `pool_value`.

    Parameters
    ----------
    study : Study
    pools : sequence of (str, str)
        Resource and pool.
    step : float
        In the unit of the resource.
    on_step : callable
        Called before each.
    """
    found = []
    for resource, pool in pools:
        on_step("pools")
        found.append(pool_value(study, resource, pool, step))
    return found


def opening_worth(study: Study) -> pd.DataFrame:
    """Up to which cost each opening pays; see `report.openings.worth_table`."""
    return worth_table(study, clock=allowance())


def parts_worth(study: Study) -> pd.DataFrame:
    """What binding phases and shares costs; see `report.parts.worth_table`."""
    return parts.worth_table(study, clock=allowance())


def lock_table(study: Study) -> pd.DataFrame:
    """What each lock costs: objective of the plan without it, less that with it."""
    found = lock_prices(study.problem, study.plan, time_limit_s=allowance()) if study.problem else ()
    rows = [
        (
            study.projects.index[one.index],
            study.projects["name"].iloc[one.index],
            study.sites["id"].iloc[study.plan.site[one.index]],
            round(max(one.loss, 0.0), 4),
            one.proven,
        )
        for one in found
    ]
    return pd.DataFrame(rows, columns=["project", "project_name", "site", "loss", "proven"])
