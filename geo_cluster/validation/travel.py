"""Modelled minutes and kilometres beside published and estimated ones, each without its own part in the model."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.access.road_calibration import left_out
from geo_cluster.access.travel import matrix
from geo_cluster.access.travel_cost import trips
from geo_cluster.domain import LANGUAGES
from geo_cluster.region import TIMED, Region

COLUMNS = ["mode", "origin", "destination", "published_low", "published", "published_high", "modelled"]
MORE = ["use", "basis", "confidence", "note"]


_BRACKETS = re.compile(r"\s*[（(][^（）()]*[)）]")
"""What a name says beside itself: left out where two names make a sentence."""


def residuals(region: Region) -> pd.DataFrame:
    """A row for each published or estimated time or distance whose ends are in the layers.

    Returns
    -------
    DataFrame
        `mode` (road, rail, km), `unit`; `origin`, `destination` (ids) and their names; `published_low`, `published`,
        `published_high`; `modelled`: for rows that calibrate the road, as predicted by the others alone; `residual`,
        modelled less published; `outside`, by how much the model is beyond the published range, 0 within; `use`
        (held_out, check), `basis`, `confidence`, `note`.
    """
    parts = [part for part in (_road(region), _rail(region), _km(region)) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, *MORE])
    numbers = table[COLUMNS[3:]].astype(float)
    table["residual"] = numbers["modelled"] - numbers["published"]
    over = np.maximum(numbers["modelled"] - numbers["published_high"], 0)
    table["outside"] = over - np.maximum(numbers["published_low"] - numbers["modelled"], 0)
    table.insert(1, "unit", np.where(table["mode"] == "km", "km", "min"))
    names = _names(region)
    for end in ("origin", "destination"):
        for language in LANGUAGES:
            table[f"{end}_{language}"] = [names.get(one, {}).get(language, one) for one in table[end]]
    return table.round(1)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Errors by mode, use and basis: `unit`, `pairs`, `bias`, `mae`, `worst` (signed), `worst_pair`, `within` (share).

    Parameters
    ----------
    found : DataFrame
        `residuals`.
    """
    rows = []
    for key, part in found.groupby(["mode", "unit", "use", "basis"], sort=False):
        worst = part.loc[part["residual"].abs().idxmax()]
        rows.append(
            dict(zip(("mode", "unit", "use", "basis"), key, strict=True))
            | {"pairs": len(part), "bias": part["residual"].mean(), "mae": part["residual"].abs().mean()}
            | {"worst": worst["residual"], "within": (part["outside"] == 0).mean()}
            | {f"worst_pair_{one}": f"{worst[f'origin_{one}']} – {worst[f'destination_{one}']}" for one in LANGUAGES}
        )
    columns = [
        "mode",
        "unit",
        "use",
        "basis",
        "pairs",
        "bias",
        "mae",
        "worst",
        "within",
        "worst_pair_zh",
        "worst_pair_en",
    ]
    return pd.DataFrame(rows, columns=columns).round({"bias": 1, "mae": 1, "worst": 1, "within": 3})


def _road(region: Region) -> pd.DataFrame:
    """Minutes by road; what calibrates is predicted without its own row."""
    pairs = region.calibration.pairs
    if "network_min" not in pairs:
        return pd.DataFrame()
    fit = pairs["fit"].to_numpy(bool)
    table = pairs[["origin", "destination"]].assign(mode="road", modelled=pairs["fitted_min"])
    table.loc[fit, "modelled"] = left_out(region.calibration)
    ends = {"published_low": "low_min", "published": "likely_min", "published_high": "high_min"}
    for column, own in ends.items():
        table[column] = pairs[own]
    table["use"] = np.where(fit, "held_out", "check")
    return table.assign(**{key: pairs[key] for key in ("basis", "confidence", "note")})[[*COLUMNS, *MORE]]


def _rail(region: Region) -> pd.DataFrame:
    """Minutes by rail door to door, which the model never sees."""
    places, table = _points(region), toml.table("travel")
    rows = [row for row in table["rail"].get("published", []) if {row["origin"], row["destination"]} <= set(places)]
    services = [one for one in table["rail"].get("service", []) if {stop["at"] for stop in one["stop"]} <= set(places)]
    if not rows or not services:
        return pd.DataFrame()
    table = {**table, "rail": {**table["rail"], "service": services}}
    ends = {f"{end}s": sorted({row[end] for row in rows}) for end in ("origin", "destination")}
    found = trips(region.network, region.calibration, table=table, places=places, **ends)
    minutes = found.set_index(["origin", "destination"])["rail_likely_min"]
    told = []
    for row in rows:
        low, likely, high = row["minutes"]
        one = (row["origin"], row["destination"])
        told.append(("rail", *one, low, likely, high, minutes[one], "check", "estimated", row["confidence"], ""))
    return pd.DataFrame(told, columns=[*COLUMNS, *MORE])


def _km(region: Region) -> pd.DataFrame:
    """Kilometres of the fastest way by road; a published one stands for a tenth more or less."""
    places, rows = _points(region), []
    for row in toml.table("validation")["distance"]:
        if {row["origin"], row["destination"]} <= set(places):
            start, end = (np.array([places[row[key]]]) for key in ("origin", "destination"))
            km = float(matrix(region.network, start, end).km[0, 0])
            one = ("km", row["origin"], row["destination"], 0.9 * row["km"], row["km"], 1.1 * row["km"], km)
            rows.append((*one, "check", "published", "high", f"{row['note']['zh']} / {row['note']['en']}"))
    return pd.DataFrame(rows, columns=[*COLUMNS, *MORE])


def _located(region: Region) -> list[gpd.GeoDataFrame]:
    tables = [region.layers.read(name) for name in TIMED]
    return [one[one.geometry.notna()] for one in tables]


def _points(region: Region) -> dict[str, tuple[float, float]]:
    return {
        one: (point.x, point.y)
        for table in _located(region)
        for one, point in zip(table["id"], table.geometry, strict=True)
        if isinstance(point, shapely.Point)
    }


def _names(region: Region) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table in _located(region):
        for language in LANGUAGES:
            for one, name in zip(table["id"], table.get(f"name_{language}", table["id"]), strict=True):
                found.setdefault(one, {})[language] = _BRACKETS.sub("", str(name))
    return found
