"""Lines of the sheet of a place: numbers with interval, unit, basis and source; who is near; what is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.access.travel import matrix
from geo_cluster.domain import Language
from geo_cluster.region import Region, off_by
from geo_cluster.report import tables
from geo_cluster.report.questions import structural_questions
from geo_cluster.scoring.explain import significant
from geo_cluster.supply.pools import FACTORY, subject_of
from geo_cluster.supply.serving_station import doubt_km
from geo_cluster.world import catalog
from geo_cluster.world.layers import words

__all__ = ["FACTORY", "Line", "Unknown", "attribute", "nearest_sites", "number", "road_to_anchor"]
__all__ += ["supplied", "trips", "unknowns"]
NONE = "—"
ENDS = ["low", "likely", "high"]


class Line(NamedTuple):
    """A number as it stands on a sheet.

    `ends` are low, likely and high in `unit`; where there are none, `state` says why: `unknown`, or `not_applicable`
    where a place of its class has no such thing.
    """

    key: str
    name: str
    ends: tuple[float, float, float]
    unit: str
    basis: str
    whose: str = NONE
    source: str = ""
    as_of: str = ""
    state: str = ""


class Unknown(NamedTuple):
    """Something to ask: of what, which question, whom, and what is taken meanwhile ('' for nothing)."""

    subject: str
    question: str
    whom: str
    now: str


def number(value: float) -> str:
    """A number with thousands, from 10 on without decimals; a dash where there is none."""
    if pd.isna(value):
        return NONE
    return f"{value:,.0f}" if abs(value) >= 10 else f"{significant(float(value), 2):,.10g}"


def supplied(region: Region, site: str, language: Language) -> list[Line]:
    """What a site has of each resource, and the other declared attributes of supply.

    Parameters
    ----------
    region : Region
    site : str
    language : {"zh", "en"}
    """
    offers, found = tables.offers_table(region), []
    for row in offers[offers["site"] == site].to_dict("records"):
        kind = catalog.resources()[row["resource"]]
        name, unit, state = catalog.attributes()[row["attribute"]].name[language], kind.unit[language], ""
        if row["basis"] == "":
            state = "unknown" if row["subject"] else "not_applicable"
        basis = words("basis")[row["basis"]][language] if row["basis"] else ""
        whose = f"{row[f'subject_{language}']} ({row['sharers']})" if row["subject"] else NONE
        ends = row["low"], row["likely"], row["high"]
        told = (row[f"source_{language}"], row["as_of"])
        found.append(Line(row["resource"], _named(name, language), ends, unit, basis, whose, *told, state))
    more = toml.table("place_sheet")["supply"]["attributes"]
    return [*found, *(attribute(region, one, site, language) for one in more)]


def _named(name: str, language: Language) -> str:
    return name if language == "zh" else f"{name[:1].upper()}{name[1:]}"


def attribute(region: Region, key: str, site: str, language: Language) -> Line:
    """The number of an attribute that counts for a site, in the unit that people speak of.

    Parameters
    ----------
    region : Region
    key : str
        Of `tables/attributes.toml`.
    site : str
    language : {"zh", "en"}
    """
    declared, at = catalog.attributes()[key], int(np.flatnonzero(region.sites["id"] == site)[0])
    times, unit = declared.display_unit()
    subject = str(subject_of(key, region.sites).iloc[at])
    known = region.observations
    rows = known[(known["attribute"] == key) & (known["site_id"] == subject)]
    line = Line(key, _named(declared.name[language], language), (np.nan,) * 3, unit[language], "")
    if rows.empty:
        return line._replace(state="unknown" if subject else "not_applicable")
    row = rows.iloc[0]
    low, likely, high = region.bounds_of(key, [subject])[0] * times
    told = catalog.source_in(language, key, str(row["publisher"] or "")), str(row["as_of"] or "")
    basis = words("basis")[row["basis"]][language]
    return line._replace(ends=(low, likely, high), basis=basis, source=told[0], as_of=told[1])


def trips(region: Region, site: str, language: Language) -> list[Line]:
    """Minutes from a site to Optics Valley, the best first, then by road and by rail; then to freight hubs.

    Parameters
    ----------
    region : Region
    site : str
    language : {"zh", "en"}
    """
    said = toml.table("place_sheet")["words"]
    best = attribute(region, "trip_min", site, language)._replace(name=said["trip_best"][language])
    found, rows = [best], region.trips[region.trips["destination"] == site]
    for mode in ("road", "rail"):
        ends = _ends(rows.iloc[0], mode) if len(rows) else (np.nan,) * 3
        km = rows["road_km"].iloc[0] if len(rows) else np.nan
        name, basis = said[f"trip_{mode}"][language].format(km=km), said["derived"][language]
        state = "unknown" if np.isnan(ends[1]) else ""
        found.append(Line(mode, name, ends, best.unit, "" if state else basis, state=state))
    more = toml.table("place_sheet")["trip"]["attributes"]
    return [*found, *(attribute(region, one, site, language) for one in more)]


def _ends(row: Mapping[str, Any] | pd.Series, mode: str) -> tuple[float, float, float]:
    low, likely, high = (float(row[f"{mode}_{end}_min"]) for end in ENDS)
    return low, likely, high


def road_to_anchor(region: Region, place: gpd.GeoDataFrame, language: Language) -> list[Line]:
    """Minutes by road from a firm to Optics Valley; nothing where its place is unknown.

    Parameters
    ----------
    region : Region
    place : GeoDataFrame
        Its one point.
    language : {"zh", "en"}
    """
    anchor = gpd.GeoSeries([region.anchor.geometry], crs=4326)
    bounds = _by_road(region, place, anchor, np.array([float(region.anchor["coord_uncertainty_m"] or 0) / 1000]))
    if bounds is None:
        return []
    said = toml.table("place_sheet")["words"]
    low, likely, high = bounds[0]
    return [
        Line(
            "road",
            said["trip_best_road"][language],
            (low, likely, high),
            said["minute"][language],
            said["derived"][language],
        )
    ]


def nearest_sites(region: Region, place: gpd.GeoDataFrame) -> pd.DataFrame:
    """The sites nearest to a firm by road: `id`, `prefecture_code`, `low`, `likely`, `high`; none of an unknown place.

    Parameters
    ----------
    region : Region
    place : GeoDataFrame
        Its one point.
    """
    sites = region.sites
    bounds = _by_road(region, place, sites.geometry, doubt_km(sites))
    if bounds is None:
        return pd.DataFrame(columns=["id", "prefecture_code", *ENDS])
    table = pd.DataFrame(sites[["id", "prefecture_code"]]).reset_index(drop=True)
    table[ENDS] = bounds
    nearest = table.dropna(subset="likely").sort_values(["likely", "id"], kind="stable", ignore_index=True)
    return nearest.head(toml.table("place_sheet")["choice"]["nearest"])


def _by_road(region: Region, place: gpd.GeoDataFrame, there: gpd.GeoSeries, off_km: np.ndarray) -> np.ndarray | None:
    """(n, 3): minutes door to door with what both points may be off by; None where the place is unknown."""
    own = doubt_km(place)[0]
    if not np.isfinite(own):
        return None
    drive = matrix(region.network, place.geometry, there).minutes[0]
    off = np.hypot(off_km, own) / toml.table("travel")["points"]["km_per_min"]
    return off_by(np.stack(region.calibration.minutes(drive), axis=1), off)


def unknowns(region: Region, site: str, language: Language) -> list[Unknown]:
    """What nobody told of a site: numbers that are assumed or missing, then questions that are no number.

    Parameters
    ----------
    region : Region
    site : str
    language : {"zh", "en"}
    """
    at = int(np.flatnonzero(region.sites["id"] == site)[0])
    assumed, found = words("basis")["assumed"][language], []
    for key in toml.table("place_sheet")["asked"]["attributes"]:
        declared, one = catalog.attributes()[key], attribute(region, key, site, language)
        if one.basis != assumed and one.state != "unknown":
            continue
        subject = str(subject_of(key, region.sites).iloc[at])
        name = region.names[subject][language] if subject in region.names else subject
        now = "" if one.state else f"{'–'.join(map(number, one.ends))} {one.unit}"
        found.append(Unknown(name, declared.question[language], declared.whom[language], now))
    asked = structural_questions(region)
    asked = asked[[site in sites.split(";") for sites in asked["sites"]]]
    said = asked[[f"{what}_{language}" for what in ("name", "question", "whom", "changes")]]
    return [*found, *(Unknown(*row) for row in said.itertuples(index=False, name=None))]
