"""One candidate from outside Hubei on one sheet （招商一张表）: what it would need, where, beside whom, which support.

Nothing is said of what the firm plans: nobody knows. A plant of its segment is reckoned with, of an output that the
reader chooses; the sites are ranked by the study's own scoring.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo_cluster import eligibility, toml
from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.policy import chain, known
from geo_cluster.policy.entries import Entries
from geo_cluster.policy.links import Linkage, focus_of, linkage
from geo_cluster.policy.money import money
from geo_cluster.policy.offers import offers
from geo_cluster.region import Region, facts_of, settings_of
from geo_cluster.scoring.criteria import decide
from geo_cluster.world import catalog, portfolio

BASE_OF = {"18-revenue": "revenue", "challenge": "challenge"}
"""Rule -> what an assumed plant has of what it goes by."""
SITES = 3
"""So many of the best sites are told."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is told of one candidate.

    Attributes
    ----------
    candidate : Series
        Its row of `chain.candidates`.
    link, segment : str
        The link that it would fill, and the segment whose ranges are used.
    output_100m_yuan : float
        Assumed.
    gap : DataFrame
        What its links are in Hubei: `link`, `state`, `firms`, `projects`.
    needs : DataFrame
        `what`, `unit` in both languages, `low`, `likely`, `high`.
    sites : DataFrame
        Up to `SITES` of the best: `site`, names, `city` (code), `city_zh`, `city_en`, `score`, `low`, `high`, `chance_first`,
        `trip_min` (door to door to R&D, likely).
    eligible : int
        How many sites it may go to.
    linkages : mapping of Linkage
        Suppliers and buyers of each of those sites.
    money : DataFrame
        Rules in force for its stage: `clause` ('' of another document), `name_zh`, `name_en`, `most_10k_yuan` (nan
        where none is named), `low`, `high` (what the assumed plant would be paid, 10,000 yuan; nan where that goes by
        what nobody knows), `open_zh`, `open_en`.
    asked : tuple of Text
        What to ask the firm.
    """

    candidate: pd.Series
    link: str
    segment: str
    output_100m_yuan: float
    gap: pd.DataFrame
    needs: pd.DataFrame
    sites: pd.DataFrame
    eligible: int
    linkages: Mapping[str, Linkage]
    money: pd.DataFrame
    asked: tuple[Text, ...]


def why_here(region: Region, named: str, *, link: str = "", output_100m_yuan: float = 1.0) -> Sheet:
    """The sheet of one candidate.

    Parameters
    ----------
    region : Region
    named : str
        Id or name of a firm of the layer `outside`.
    link : str
        Which of its links; the first of the chain when left out.
    output_100m_yuan : float
        Assumed output of the plant a year; needs are those of a plant of 100 M yuan when left out.

    Raises
    ------
    InputError
        No such candidate or link of it, or an output that is none.
    """
    row = chain.candidate(region.layers, named)
    if not (np.isfinite(output_100m_yuan) and output_100m_yuan > 0):
        raise InputError(Fault("policy.output_not_positive", "output", value=f"{output_100m_yuan:g}"))
    own = list(row["links"])
    if link and link not in own:
        raise InputError(Fault("policy.no_link", Place(link, kind="chain_link"), known=own))
    link = link or own[0]
    segment = chain.links()[link].segment
    project = portfolio.check(pd.DataFrame([{"segment": segment, "output_100m_yuan": str(output_100m_yuan)}]))
    sites, eligible = best_sites(region, project)
    place = str(sites["city"].iloc[0]) if len(sites) else ""
    plant = known.plant(row["name_zh"], project, year=region.scenario.date.year, place=place)
    found = {one: linkage(region, focus_of(region, one, segment=segment)) for one in sites["site"]}
    here = chain.gaps(region.layers, within=())
    return Sheet(
        candidate=row,
        link=link,
        segment=segment,
        output_100m_yuan=output_100m_yuan,
        gap=here[here["link"].isin(own)].reset_index(drop=True),
        needs=_needs(project),
        sites=sites,
        eligible=eligible,
        linkages=found,
        money=support(plant, chain.links()[link].stage, region.scenario.date),
        asked=_asked(row),
    )


def best_sites(region: Region, project: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The best sites of one checked project by the study's scoring, and how many it may go to.

    Parameters
    ----------
    region : Region
    project : DataFrame
        Of `portfolio.check`, one row.
    """
    facts = facts_of(region, project)
    allowed = eligibility.judge(facts).allowed
    decision = decide(*settings_of(region, facts), catalog.criteria(), region.scenario.weights, region.alike)
    (low, high), chance = decision.interval(), decision.chance_first(allowed)[0]
    score, may = decision.score[0], np.flatnonzero(allowed[0])
    best = may[np.argsort(-score[may], kind="stable")][:SITES]
    ids, codes = region.sites["id"].to_numpy()[best], region.sites["prefecture_code"].to_numpy()[best]
    names = region.names
    table = pd.DataFrame(
        {
            "site": ids,
            "name_zh": [names[one].zh for one in ids],
            "name_en": [names[one].en for one in ids],
            "city": codes,
            "city_zh": [names[one].zh for one in codes],
            "city_en": [names[one].en for one in codes],
            "score": score[best].round(1),
            "low": low[0][best].round(1),
            "high": high[0][best].round(1),
            "chance_first": chance[best].round(3),
            "trip_min": region.bounds_of("trip_min", ids)[:, 1].round(0),
        }
    )
    return table, len(may)


def _needs(project: pd.DataFrame) -> pd.DataFrame:
    """What the plant takes, each resource with its interval."""
    rows = []
    for kind in catalog.resources().values():
        bounds = portfolio.amount(project, kind.asked.column)[0]
        rows.append(
            (kind.asked.column, kind.asked.name.zh, kind.asked.name.en, kind.asked.unit.zh, kind.asked.unit.en, *bounds)
        )
    columns = ["need", "what_zh", "what_en", "unit_zh", "unit_en", "low", "likely", "high"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates("need", ignore_index=True)


def support(plant: Entries, stage: str, day: datetime.date) -> pd.DataFrame:
    """What policy in force on a day offers a stage of the chain: its ceilings, and what a plant would be paid.

    Parameters
    ----------
    plant : Entries
        What is assumed of the plant (`known.plant`).
    stage : str
    day : date

    Returns
    -------
    DataFrame
        As of `Sheet.money`.
    """
    paid, rows = money(plant, on=day).totals.groupby("rule")[["low", "high"]].sum(), []
    for one in offers(stage, on=day):
        row, rule = one.rule.row, one.rule
        if not one.is_counted:
            continue
        base = BASE_OF.get(rule.id, "")
        based = bool(base) and bool(plant.rows[f"{base}_likely"].notna().all())
        low, high = paid.loc[rule.id] if rule.id in paid.index else (0.0, 0.0) if based else (np.nan, np.nan)
        most, told = float(row.get("most_10k_yuan", np.nan)), (row["name"], row["open"])
        rows.append((rule.clause, most, low, high, *(text[language] for text in told for language in LANGUAGES)))
    columns = ["clause", "most_10k_yuan", "low", "high", "name_zh", "name_en", "open_zh", "open_en"]
    return pd.DataFrame(rows, columns=columns)


def no_plan() -> Text:
    """That the sheet reckons with a plant of the segment, and is no plan of the firm."""
    return Text.model_validate(toml.table("chain")["sheet"]["no_plan"])


def _asked(row: pd.Series) -> tuple[Text, ...]:
    """What nobody has told of a candidate, as questions."""
    said = toml.table("chain")["sheet"]["asked"]
    left = {"products": row["basis"] == "background", "foothold": row["foothold"] == "none"}
    return tuple(Text.model_validate(words) for key, words in said.items() if left.get(key, True))
