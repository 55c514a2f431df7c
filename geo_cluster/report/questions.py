"""What to ask that is no number: which stations feed a site, whether one is energised, whether a quota binds.

Such unknowns have no interval that could be drawn. Each row says what the model takes for granted meanwhile.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import LANGUAGES, Language
from geo_cluster.eligibility import FEEDS, known_feeds
from geo_cluster.region import Region
from geo_cluster.supply.arrivals import pools_of_stations
from geo_cluster.supply.serving_station import feeds_of, supply_area
from geo_cluster.world import catalog

COLUMNS = ["topic", "subject", "attribute", "sites"]
COLUMNS += [
    f"{what}_{language}" for what in ("subject", "name", "question", "whom", "changes") for language in LANGUAGES
]
"""Columns of the questions; `sites` are those that an answer concerns, joined by `;`."""


def structural_questions(region: Region) -> pd.DataFrame:
    """The questions of a region: feeds of supply areas, stations not known to be energised, dual supply, quota.

    Parameters
    ----------
    region : Region

    Returns
    -------
    DataFrame
        `COLUMNS`, those that concern the most sites first within a topic.
    """
    rows = [*_feeds(region), *_energised(region), *_dual(region), *_quota(region)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(region: Region, topic: str, subject: str, sites: list[str], **values: Any) -> dict[str, Any]:
    """One question; `values` that are a mapping of languages are said in each."""
    declared, names = toml.table("questions")[topic], region.names
    row = {"topic": topic, "subject": subject, "attribute": declared["attribute"], "sites": ";".join(sites)}
    for language in LANGUAGES:
        said = {key: one[language] if isinstance(one, dict) else one for key, one in values.items()}
        said |= {"name": names[subject][language], "sites": _listed(region, sites, language)}
        row[f"subject_{language}"] = names[subject][language]
        row[f"name_{language}"] = declared["name"][language]
        row[f"whom_{language}"] = catalog.attributes()[declared["attribute"]].whom[language]
        for what in ("question", "changes"):
            row[f"{what}_{language}"] = declared[what][language].format(**said)
    return row


def _listed(region: Region, sites: list[str], language: Language) -> str:
    return ("、" if language == "zh" else ", ").join(region.names[one][language] for one in sites)


def _numbers(region: Region, attribute: str, subject: str) -> dict[str, float]:
    """Low, likely and high now taken, nothing where that is known from somebody."""
    known = region.observations
    row = known[(known["attribute"] == attribute) & (known["site_id"] == subject)]
    return {} if row.empty else row.iloc[0][["low", "likely", "high"]].astype(float).to_dict()


def _feeds(region: Region) -> list[dict[str, Any]]:
    sites = region.sites
    unknown = sites[sites["station"] == supply_area(sites)].groupby("station", sort=False)["id"].agg(list)
    order = sorted(unknown.items(), key=lambda one: -len(one[1]))
    return [_row(region, "feed", area, named, **_numbers(region, "spare_mva", area)) for area, named in order]


def _energised(region: Region) -> list[dict[str, Any]]:
    substations, chosen = region.layers.read("substations"), set(region.sites["id"])
    fed, pools = feeds_of(region.sites, substations), pools_of_stations(region.sites, substations)
    found = []
    for one in region.arrivals[region.arrivals["station"] != ""].itertuples():
        pool = {language: region.names[pools[one.station]][language] for language in LANGUAGES}
        amounts = {"low": one.low, "likely": one.likely, "high": one.high}
        years = {"first": one.year_low, "last": one.year_high}
        named = [site for site in fed[one.station] if site in chosen]
        found.append(_row(region, "energised", one.station, named, pool=pool, **amounts, **years))
    return found


def _dual(region: Region) -> list[dict[str, Any]]:
    needing = [one.name for one in catalog.segments().values() if one.dual_supply]
    segments = {
        language: ("、" if language == "zh" else ", ").join(name[language] for name in needing)
        for language in LANGUAGES
    }
    return [
        _row(region, "dual", site, [site], known=int(known), segments=segments)
        for site, known in zip(region.sites["id"], known_feeds(region.sites), strict=True)
        if known < FEEDS and needing
    ]


def _quota(region: Region) -> list[dict[str, Any]]:
    known = region.observations
    assumed = known[(known["attribute"] == "energy_quota_tce") & (known["basis"] == "assumed")]
    return [
        _row(
            region,
            "quota",
            code,
            region.sites.loc[region.sites["prefecture_code"] == code, "id"].tolist(),
            **_numbers(region, "energy_quota_tce", code),
        )
        for code in assumed["site_id"]
        if code in set(region.sites["prefecture_code"])
    ]
