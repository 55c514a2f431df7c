"""A plan explained for the meeting: ways in, worth of a pool, why here, importance of a site, alternatives, fronts.

Each table comes from solving again (`geo_cluster.matching`), so each row is a fact about the plan, not a guess;
`proven` says where a time limit cut the proof short.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo_cluster import catalog, inputs
from geo_cluster.coordinates import MU_PER_HA
from geo_cluster.domain import Language
from geo_cluster.matching.alternatives import Alternative, Point, alternatives, balance_front, trade_off
from geo_cluster.matching.explain import Move, Shortage, pool_worth, site_importance, ways_in, why_here
from geo_cluster.matching.problem import UNPLACED
from geo_cluster.matching.verify import hold
from geo_cluster.results import words_of
from geo_cluster.study import Study

DRAWN = {
    "land": ("available_land_ha", "land_mu", MU_PER_HA),
    "power": ("spare_mva", "power_mva", 1.0),
    "energy": ("energy_quota_tce", "energy_tce", 1.0),
}
"""Resource -> the attribute and the need that are drawn for it, and units of the pool in one of the attribute."""

LIMIT_S = 5.0
"""Seconds that each solving again may take."""


def explain(study: Study) -> dict[str, pd.DataFrame]:
    """Every table by its file name; empty when no project may go anywhere."""
    if study.problem is None:
        return {}
    return {
        "ways_in": ways_in_table(study),
        "pool_worth": pool_worth_table(study),
        "why_here": why_here_table(study),
        "site_importance": importance_table(study),
        "alternatives": alternatives_table(study),
        "trade_off": front_table(study),
        "holds": holds_table(study),
    }


def ways_in_table(study: Study, *, most: int = 3) -> pd.DataFrame:
    """For each unplaced project the cheapest ways in, each verified by solving again."""
    rows = []
    for p in np.flatnonzero(study.plan.site == UNPLACED).tolist():
        if study.problem is None:
            break
        for way in ways_in(study.problem, study.plan, project=p, most=most, time_limit_s=LIMIT_S):
            site = study.sites["id"].iloc[way.site]
            zh = [*_more(study, way.more, "zh"), *_moves(study, way.moves, "zh")]
            en = [*_more(study, way.more, "en"), *_moves(study, way.moves, "en")]
            loss = max(-way.gain, 0.0)
            zh_cost, en_cost = (f"，全局让出 {loss:.1f} 分", f" at a loss of {loss:.1f}") if loss > 0.05 else ("", "")
            rows.append(
                {
                    "project": study.projects.index[p],
                    "project_name": study.projects["name"].iloc[p],
                    "site": site,
                    "way": f"进{study.region.names[site].zh}：{'、'.join(zh) or '腾挪即可'}{zh_cost}",
                    "way_en": f"{study.region.names[site].en}: {', '.join(en) or 'room can be made'}{en_cost}",
                    "gain": round(way.gain, 4),
                    "proven": way.proven,
                }
            )
    return pd.DataFrame(rows, columns=["project", "project_name", "site", "way", "way_en", "gain", "proven"])


def _more(study: Study, lacking: tuple[Shortage, ...], language: Language) -> list[str]:
    """What has to be found: `+6.2 MVA at Ya'erhu`."""
    told = []
    for one in lacking:
        pool, (word, unit) = study.region.names[one.pool], words_of(one.resource, language)
        zh = f"{pool.zh}再要 {one.amount:,.1f} {unit}{word}"
        en = f"+{one.amount:,.1f} {unit} of {word} at {pool.en}".replace("  ", " ")
        told.append(zh if language == "zh" else en)
    return told


def _moves(study: Study, moves: tuple[Move, ...], language: str) -> list[str]:
    """Who else moves where."""
    told = []
    for move in moves:
        name = study.projects["name"].iloc[move.project]
        place = None if move.after == UNPLACED else study.region.names[study.sites["id"].iloc[move.after]]
        zh = f"{name}改去{place.zh}" if place else f"{name}让出"
        told.append(zh if language == "zh" else f"{name} → {place.en if place else 'out'}")
    return told


def pool_worth_table(study: Study) -> pd.DataFrame:
    """What one more unit of each pool in use is worth, by solving again and as the price of the relaxation."""
    found = pool_worth(study.problem, study.plan, time_limit_s=LIMIT_S) if study.problem else ()
    rows = [
        (one.resource, one.pool, study.region.names[one.pool].zh, one.step, one.gain, one.price, one.proven)
        for one in found
    ]
    columns = ["resource", "pool", "pool_name", "step", "gain", "price", "proven"]
    table = pd.DataFrame(rows, columns=columns).round({"gain": 4, "price": 4})
    return table.sort_values(["gain", "price"], ascending=False, kind="stable", ignore_index=True)


def why_here_table(study: Study) -> pd.DataFrame:
    """For each placed project that is not at its favourite site: what that site lacks, and what insisting costs."""
    found = why_here(study.problem, study.plan, time_limit_s=LIMIT_S) if study.problem else ()
    ids, rows = study.sites["id"], []
    for one in found:
        favourite = study.region.names[ids.iloc[one.favourite]]
        zh = "、".join(_more(study, one.lacking, "zh")) or "容量让给了更合适的项目"
        en = ", ".join(_more(study, one.lacking, "en")) or "its share is worth more to others"
        cost = "办不到" if np.isinf(one.loss) else f"全局损失 {one.loss:.1f} 分"
        price = "impossible" if np.isinf(one.loss) else f"costs {one.loss:.1f}"
        rows.append(
            {
                "project": study.projects.index[one.project],
                "site": ids.iloc[one.site],
                "favourite": ids.iloc[one.favourite],
                "why": f"首选{favourite.zh}（{one.favourite_score:.1f} 分）{zh}；硬放过去{cost}",
                "why_en": f"favourite {favourite.en} ({one.favourite_score:.1f}): {en}; insisting {price}",
                "loss": round(float(one.loss), 4),
                "proven": one.proven,
            }
        )
    return pd.DataFrame(rows, columns=["project", "site", "favourite", "why", "why_en", "loss", "proven"])


def importance_table(study: Study) -> pd.DataFrame:
    """What is lost if a site drops out, most important first."""
    found = site_importance(study.problem, study.plan, time_limit_s=LIMIT_S) if study.problem else ()
    ids = study.sites["id"]
    rows = [(ids.iloc[one.index], study.region.names[ids.iloc[one.index]].zh, one.loss, one.proven) for one in found]
    return pd.DataFrame(rows, columns=["site", "site_name", "loss", "proven"]).round({"loss": 4})


def alternatives_of(study: Study, *, count: int = 3, within: float = 0.02) -> tuple[Alternative, ...]:
    """Plans within a share of the best that differ the most from it and from each other."""
    if study.problem is None or not len(study.assignment):
        return ()
    return alternatives(study.problem, study.plan, count=count, within=within, time_limit_s=LIMIT_S)


def alternatives_table(study: Study) -> pd.DataFrame:
    """One row a project: its site in the plan and in each alternative; the last rows say what each is worth."""
    found = alternatives_of(study)
    ids = np.array([*study.sites["id"], ""])
    table = pd.DataFrame({"project": study.projects.index, "project_name": study.projects["name"].to_numpy()})
    table["plan"] = ids[study.plan.site]
    for number, one in enumerate(found, 1):
        table[f"alternative_{number}"] = ids[one.site]
    worth = {"project": "worth", "project_name": "总分 / worth", "plan": f"{study.plan.objective:.2f}"}
    away = {"project": "distance", "project_name": "与方案不同的项目占比 / share elsewhere", "plan": "0%"}
    for number, one in enumerate(found, 1):
        worth[f"alternative_{number}"], away[f"alternative_{number}"] = f"{one.objective:.2f}", f"{one.distance:.0%}"
    return pd.concat([table, pd.DataFrame([worth, away])], ignore_index=True)


def fronts_of(study: Study) -> dict[str, tuple[Point, ...]]:
    """Score against commuting (trips a month × minutes, in hours) and against the least number a prefecture gets."""
    if study.problem is None or not len(study.assignment):
        return {}
    prefecture = pd.factorize(study.sites["prefecture_code"])[0]
    return {
        "commuting_hours": trade_off(
            study.problem, study.plan, commuting_hours(study), points=5, time_limit_s=LIMIT_S, name="commuting"
        ),
        "fewest_in_a_prefecture": balance_front(study.problem, study.plan, prefecture, time_limit_s=LIMIT_S),
    }


def commuting_hours(study: Study) -> np.ndarray:
    """(P, S): hours a month that R&D staff spend on the way, there and back."""
    segments = catalog.segments()
    trips = [np.sqrt(np.prod(segments[key].trips_per_month)) for key in study.projects["segment"]]
    monthly = np.array(trips) * study.projects["output_100m_yuan"].to_numpy(float)
    return monthly[:, None] * 2 * study.region.offers["trip_min"][:, 1][None, :] / 60


def front_table(study: Study) -> pd.DataFrame:
    """One row a point of each front: what is given up for what, and whether it was proven."""
    rows = [
        (
            name,
            point.other,
            point.plan.objective,
            point.plan.bound,
            point.plan.status,
            int((point.plan.site >= 0).sum()),
        )
        for name, points in fronts_of(study).items()
        for point in points
    ]
    columns = ["against", "value", "worth", "bound", "status", "placed"]
    return pd.DataFrame(rows, columns=columns).round({"value": 2, "worth": 2, "bound": 2})


def holds_table(study: Study) -> pd.DataFrame:
    """In which share of the draws of capacities and needs the plan holds, and which pools break, the first one first.

    The first row is the plan as a whole: `breaks` is the share of draws in which any pool is over.
    """
    if study.problem is None:
        return pd.DataFrame()
    region = study.region
    _, drawn = inputs.settings_of(region, inputs.facts_of(region, study.projects))
    keys = list(zip(region.observations["attribute"], region.observations["site_id"], strict=True))
    capacity, demand = {}, {}
    for resource in study.problem.resources:
        if resource.name not in DRAWN:  # shares of prefectures are decided, not known more or less well
            continue
        attribute, need, times = DRAWN[resource.name]
        columns = [keys.index((attribute, pool)) for pool in resource.pools]
        capacity[resource.name] = region.draws[:, columns] * times
        demand[resource.name] = drawn.needs[need]
    found = hold(study.problem, study.plan, capacity=capacity, demand=demand)
    rows = [("plan", "", "", 1 - found.holds, np.nan, np.nan)]
    rows += [(p.resource, p.pool, region.names[p.pool].zh, p.breaks, p.first, p.over) for p in found.pools]
    names = ["resource", "pool", "pool_name", "breaks", "first", "over"]
    return pd.DataFrame(rows, columns=names).round(4)
