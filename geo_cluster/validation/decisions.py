"""Where real projects went, and how the model would have ranked that place: an illustration that proves nothing.

The decisions are a handful, made between 2009 and 2025 for reasons that the model partly doesn't know, on facts of
their own year; the model sees them with today's. What the source doesn't say of a project (its output) is an interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import eligibility, toml
from geo_cluster.domain import LANGUAGES, Language
from geo_cluster.intake.references import DECISIONS
from geo_cluster.region import Region, facts_of, settings_of
from geo_cluster.scoring.aggregate import competition_rank
from geo_cluster.scoring.criteria import decide
from geo_cluster.scoring.robustness import rank_acceptability
from geo_cluster.world import catalog, portfolio

COLUMNS = ["decision", "name", "announced", "segment", "segment_close", "output_stated", "known_to", "chosen"]
COLUMNS += ["sites", "candidates", "rank", "by_chance", "score", "low", "high", "chance_first", "chance_top3"]
COLUMNS += ["first", "first_score", "refused_zh", "refused_en", "reason", "publisher"]


def ranks(region: Region) -> pd.DataFrame:
    """A row for each real decision: where it went, and how the scenario's model ranks that.

    Where only the county or the city is known, the best of its sites counts, beside the best rank that so many sites
    would have by chance.

    Returns
    -------
    DataFrame
        `decision`, `name`, `announced`, `segment`, `segment_close`, `output_stated`; `known_to` (site, county, city;
        outside: not in the list; ruled_out: no site there may take it), `chosen` (ids, `;`-separated), `sites` that
        may take it, `candidates` that fit the place, `rank` among the sites (nan where none), `by_chance`, `score` with
        `low` and `high` (nine draws in ten), `chance_first`, `chance_top3`, `first`, `first_score`; why it is
        ruled out, `refused_zh`, `refused_en`; `reason` that the source gives, `publisher`.
    """
    told = _told(region)
    if told.empty:
        return pd.DataFrame(columns=COLUMNS)
    projects = portfolio.check(_as_projects(told))
    facts = facts_of(region, projects)
    judged = eligibility.judge(facts)
    decision = decide(*settings_of(region, facts), catalog.criteria(), region.scenario.weights, region.alike)
    rows = []
    for p, one in enumerate(told.to_dict("records")):
        known_to, there = _fitting(region, one)
        allowed = judged.allowed[p]
        row = _about(one, known_to, there, region) | _ranked(
            there & allowed, allowed, decision.score[p], decision.draws[:, p]
        )
        if there.any() and not (there & allowed).any():
            at = int(np.flatnonzero(there)[0])
            row |= {"known_to": "ruled_out"} | {f"refused_{one}": judged.reason[one][p, at] for one in LANGUAGES}
        if allowed.any():
            best = int(np.where(allowed, decision.score[p], -np.inf).argmax())
            row |= {"sites": int(allowed.sum()), "first": region.sites["id"].iloc[best]}
            row["first_score"] = decision.score[p, best]
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    for language in LANGUAGES:
        for column in ("chosen", "first"):
            table[f"{column}_{language}"] = [_names(region, one, language) for one in table[column]]
    return table.round({"score": 1, "low": 1, "high": 1, "first_score": 1, "by_chance": 1})


def _names(region: Region, ids: object, language: Language) -> str:
    """The name of one site, the number of several."""
    each = ids.split(";") if isinstance(ids, str) and ids else []
    if len(each) > 1:
        return f"{len(each)} 个园区" if language == "zh" else f"{len(each)} sites"
    return region.names[each[0]][language] if each else ""


def _told(region: Region) -> pd.DataFrame:
    """The decisions that count, with the segment that each is taken for."""
    rules = toml.table("validation")["decisions"]
    table = pd.DataFrame(region.layers.read(DECISIONS))
    use = table["scope"].isin(rules["scope"]) & table["laser_relevance"].isin(rules["laser_relevance"])
    use &= ~table["confidence"].isin(rules["leave_out_confidence"]) & ~table["id"].isin(rules["same"])
    of_product = {one["product"]: (one["segment"], one["close"]) for one in rules["product"]}
    of_product |= {one.name.zh: (key, False) for key, one in catalog.segments().items()}
    table = table[use & table["segment_zh"].isin(of_product)].reset_index(drop=True)
    known = [of_product[one] for one in table["segment_zh"]]
    return table.assign(segment=[one for one, _ in known], segment_close=[close for _, close in known])


def _as_projects(told: pd.DataFrame) -> pd.DataFrame:
    """The decisions as rows of a portfolio, as text; an output that no source states is the declared interval."""
    low, high = toml.table("validation")["decisions"]["output_100m_yuan"]
    output = told["output_100m_yuan"].astype(float)
    land = told["land_mu"].astype(float)
    return pd.DataFrame(
        {
            "id": told["id"],
            "name": told["name_zh"],
            "segment": told["segment"],
            "output_100m_yuan": [f"{low}-{high}" if np.isnan(one) else f"{one:g}" for one in output],
            "land_mu": ["" if np.isnan(one) else f"{one:g}" for one in land],
        }
    )


def _fitting(region: Region, one: dict[str, Any]) -> tuple[str, np.ndarray]:
    """To what the place of a decision is known, and (S,) which sites of the study fit it."""
    sites, county, city = region.sites, _said(one, "county_zh"), _said(one, "city_zh")
    here = (sites["id"] == _said(one, "site_id")).to_numpy()
    if here.any():
        return "site", here
    if not _said(one, "site_id"):
        codes = _codes(region, "counties", county)
        if codes and "county_code" in sites and (there := sites["county_code"].isin(codes).to_numpy()).any():
            return "county", there
        if not codes:
            there = sites["prefecture_code"].isin(_codes(region, "prefectures", city)).to_numpy()
            if there.any():
                return "city", there
    return "outside", np.zeros(len(sites), dtype=bool)


def _said(one: dict[str, Any], key: str) -> str:
    value = one.get(key)
    return value if isinstance(value, str) else ""


def _codes(region: Region, layer: str, name: str) -> list[str]:
    """Codes of the counties or prefectures of a name, with or without its last character (市, 区, 县)."""
    table = region.layers.read(layer)
    return table.loc[
        table["name_zh"].isin([name, f"{name}市", f"{name}区", f"{name}县"]) & (name != ""), "code"
    ].tolist()


def _about(one: dict[str, Any], known_to: str, there: np.ndarray, region: Region) -> dict[str, Any]:
    """What a source says of one decision, and the sites that fit it."""
    row: dict[str, Any] = {"decision": one["id"], "name": one["name_zh"], "announced": _said(one, "announced")}
    row |= {"segment": one["segment"], "segment_close": one["segment_close"], "reason": _said(one, "reason_zh")}
    row |= {"output_stated": not np.isnan(float(one["output_100m_yuan"])), "known_to": known_to}
    row |= {"chosen": ";".join(region.sites["id"][there]), "candidates": int(there.sum()), "sites": 0}
    return row | {"publisher": _said(one, "publisher"), **dict.fromkeys(("refused_zh", "refused_en"), "")}


def _ranked(chosen: np.ndarray, allowed: np.ndarray, score: np.ndarray, draws: np.ndarray) -> dict[str, float]:
    """The best of the chosen sites among those allowed; nothing where none of the chosen is.

    Parameters
    ----------
    chosen, allowed : (S,) array of bool
    score : (S,) array
    draws : (N, S) array
        Of the score.
    """
    if not chosen.any():
        return {}
    place, mine = competition_rank(score[allowed]), np.flatnonzero(chosen[allowed])
    at = int(mine[place[mine].argmin()])
    chances, drawn = rank_acceptability(draws[:, allowed])[at], draws[:, allowed][:, at]
    low, high = np.quantile(drawn, [0.05, 0.95])
    row = {"rank": int(place[at]), "by_chance": (len(place) + 1) / (len(mine) + 1), "score": score[allowed][at]}
    row |= {"low": low, "high": high, "chance_first": round(float(chances[0]), 4)}
    return row | {"chance_top3": round(float(chances[:3].sum()), 4)}
