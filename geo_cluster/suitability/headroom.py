"""What power a place may still get: the spare capacity of the supply area of its county, as the study has it.

Which station would feed a place nobody has said; a site there would draw on what its county's supply area can spare
(`supply.serving_station`). That is the planner's own number where there is one, else assumed by class, and then said
to be unknown and whom to ask. It counts as the study's power cover does: MVA to spare over MVA needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster.domain import Language, Scenario, Text
from geo_cluster.region import area_class, promises_of, sums_of
from geo_cluster.scoring.values import ValueFunction
from geo_cluster.suitability.spec import Spec
from geo_cluster.supply.pools import fed_as_zones, with_prefecture
from geo_cluster.supply.serving_station import AREA, area_names, feeding_station, zones_of_areas
from geo_cluster.world import catalog, observations
from geo_cluster.world.layers import Layers
from geo_cluster.world.layers import words as vocabulary

RESOURCE, CRITERION = "power", "power_cover"
ENDS = ("mva_low", "mva_likely", "mva_high")
COLUMNS = ("pool", "pool_zh", "pool_en", *ENDS, "mva_basis")
"""Of a place: the supply area that a site there would draw on, what it may spare, and how one knows."""

VERDICTS = {
    "enough": Text(zh="够用", en="enough"),
    "likely": Text(zh="多半够用", en="likely enough"),
    "open": Text(zh="上限才够", en="enough only at the high end"),
    "doubtful": Text(zh="按假定不够", en="too little if the assumption holds"),
    "short": Text(zh="不够", en="too little"),
    "unknown": Text(zh="未知：不在图层的县区内", en="unknown: in no county of the layers"),
}
ASK: Mapping[Language, str] = {"zh": "假定，未公布，须问{whom}", "en": "assumed, as nobody publishes it: ask {whom}"}

Verdict = Literal["enough", "likely", "open", "doubtful", "short", "unknown"]
"""Enough even at the low end; at the likely one; at the high one alone; not even there, if the assumption holds, or for
certain; nobody knows, the place lies in no county of the layers."""


@dataclass(frozen=True, eq=False)
class Headroom:
    """Spare capacity by county.

    Parameters
    ----------
    counties : GeoDataFrame
        `COLUMNS`, in the reference system of the screening.
    share : float
        Weight of the power cover beside all criteria of the screening, of 1.
    """

    counties: gpd.GeoDataFrame
    share: float

    def at(self, x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
        """`COLUMNS` of places in the screening's reference system; '' and nan where there is no county."""
        county = _first_at(self.counties, x, y)
        table = pd.DataFrame(self.counties)[list(COLUMNS)].reset_index(drop=True)
        found = table.reindex(county).reset_index(drop=True)
        words = [one for one in COLUMNS if one not in ENDS]
        return found.assign(**{one: found[one].fillna("") for one in words})

    def totals(self, scores: np.ndarray, rows: pd.DataFrame, need_mva: float) -> np.ndarray:
        """(3, n): likely, low and high score of land and power together, 0 to 100.

        Parameters
        ----------
        scores : (3, n) array
            Of the land.
        rows : DataFrame
            n rows of `at`; one that isn't known stands at half, nothing and all, as an unknown criterion does.
        need_mva : float
            More than 0.
        """
        declared = catalog.criteria()[CRITERION]
        worth = ValueFunction.from_dict({**declared.value, "worst": declared.worst, "best": declared.best})
        ends = rows[["mva_likely", "mva_low", "mva_high"]].to_numpy(float).T
        value = np.asarray(worth.value(ends / need_mva))
        unknown = np.isnan(value)
        value = np.where(unknown, np.array([0.5, 0.0, 1.0])[:, None], value)
        return (1 - self.share) * scores + self.share * 100 * value

    @staticmethod
    def verdicts(rows: pd.DataFrame, need_mva: float) -> list[Verdict]:
        """Whether each place of `at` may have so many MVA; only `short` is known to have too little."""
        found: list[Verdict] = []
        for low, likely, high, basis in rows[[*ENDS, "mva_basis"]].itertuples(index=False):
            reached = [name for name, end in (("enough", low), ("likely", likely), ("open", high)) if end >= need_mva]
            too_little = "doubtful" if basis == "assumed" else "short"
            found.append("unknown" if np.isnan(high) else reached[0] if reached else too_little)  # type: ignore[arg-type]
        return found


def headroom_of(scenario: Scenario, spec: Spec) -> Headroom:
    """What each county's supply area may spare, less what projects under way were promised of it.

    Parameters
    ----------
    scenario : Scenario
        Its layers, the numbers that it knows better, and what it promised.
    spec : Spec
        Of the screening.
    """
    layers, kind = Layers(scenario.layers), catalog.resources()[RESOURCE]
    counties, stations = layers.read("counties"), layers.read("substations")
    sites = with_prefecture(layers.read("sites"), layers.read("prefectures"))
    sites = fed_as_zones(sites, sites)
    sites = sites.assign(station=feeding_station(sites, stations).station)
    zones = zones_of_areas(sites, sites["station"].to_numpy())
    pools = AREA + counties["code"].astype(str)
    attribute = {kind.attribute: catalog.attributes()[kind.attribute]}
    stated = observations.known_rows(scenario.known, catalog.attributes())
    rows = pd.concat([layers.read("observations").reindex(columns=observations.COLUMNS), stated], ignore_index=True)
    rows = rows[(rows["attribute"] == kind.attribute) & rows["site_id"].isin(pools)]
    classes = {one: area_class(zones.get(one, 1)) for one in pools}
    known = observations.complete(rows, {"substation": classes}, attribute).set_index("site_id").loc[pools]
    promised = sums_of(promises_of(scenario, sites))
    gone = np.array([promised.get((kind.attribute, one), 0.0) for one in pools])
    named = area_names(pd.DataFrame({"prefecture_code": counties["code"]}), counties).set_index("id").loc[pools]
    table = counties[["geometry"]].assign(pool=pools.to_numpy(), mva_basis=known["basis"].to_numpy())
    for language in ("zh", "en"):
        table[f"pool_{language}"] = named[f"name_{language}"].to_numpy()
    for column in ENDS:
        table[column] = np.maximum(known[column.removeprefix("mva_")].to_numpy(float) - gone, 0.0)
    weight = catalog.criteria()[CRITERION].weight
    return Headroom(table.to_crs(spec.grid.crs), weight / (weight + sum(one.weight for one in spec.criteria.values())))


def county_of(layers: Layers, lon: np.ndarray, lat: np.ndarray) -> pd.DataFrame:
    """The row of layer `counties` that each place lies in, without its shape; nan where there is none.

    Parameters
    ----------
    layers : Layers
    lon, lat : (n,) array
        Degrees.
    """
    counties = layers.read("counties")
    table = pd.DataFrame(counties.drop(columns="geometry")).reset_index(drop=True)
    return table.reindex(_first_at(counties, lon, lat)).reset_index(drop=True)


def _first_at(areas: gpd.GeoDataFrame, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,): position of the first area that each place lies in, nan for none."""
    points = gpd.GeoSeries.from_xy(x, y, crs=areas.crs)
    at, of = areas.sindex.query(points, predicate="intersects")
    return pd.Series(of, index=at).groupby(level=0).first().reindex(range(len(points))).to_numpy(float)


def said(row: Mapping[str, Any], language: Language) -> str:
    """What is known of the power of a place, in a few words: the interval, and where it is assumed whom to ask.

    Parameters
    ----------
    row : mapping
        With `COLUMNS` and, where some is needed, `mva_fits`.
    language : {"zh", "en"}
    """
    if not row["pool"]:
        return VERDICTS["unknown"][language]
    fits = VERDICTS[row["mva_fits"]][language] if row.get("mva_fits") else ""
    is_assumed = row["mva_basis"] == "assumed"
    how = ASK[language].format(whom=whom(language)) if is_assumed else vocabulary("basis")[row["mva_basis"]][language]
    comma, form = ("，", "{}（{}）") if language == "zh" else (", ", "{} ({})")
    return form.format(comma.join(filter(None, (f"{interval(row)} MVA", fits))), how)


def interval(row: Mapping[str, Any]) -> str:
    """Low, likely and high, MVA; '—' where nobody knows."""
    return "—" if np.isnan(row["mva_high"]) else "–".join(f"{row[end]:.0f}" for end in ENDS)


def whom(language: Language) -> str:
    """Whom to ask for spare capacity."""
    return catalog.attributes()[catalog.resources()[RESOURCE].attribute].whom[language]
