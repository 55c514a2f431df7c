"""The value chain counted: stages and segments by city with their gaps, entities by county."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import geopandas as gpd
import pandas as pd

from geo_cluster.world.coordinates import cgcs2000_zone


def rows(chain: pd.DataFrame, *, stages: Iterable[str], segments: Mapping[str, str]) -> list[tuple[str, str]]:
    """Rows of the matrix: each stage as a whole, segment '', and then its segments.

    Parameters
    ----------
    chain : DataFrame
        `stage`, `segments` (joined by `;`).
    stages : iterable of str
    segments : mapping of str
        Segment -> the stage it stands in where no entity of it is known, '' for none; its order is that of the rows.
    """
    fine = chain.assign(segment=chain["segments"].str.split(";")).explode("segment")
    seen = set(zip(fine["stage"], fine["segment"], strict=True))
    known = {segment for _, segment in seen}
    lonely = {(home, segment) for segment, home in segments.items() if segment not in known}
    found = seen | lonely
    return [(stage, one) for stage in stages for one in ("", *segments) if not one or (stage, one) in found]


def matrix(chain: pd.DataFrame, *, rows: Iterable[tuple[str, str]], cities: Iterable[str]) -> pd.DataFrame:
    """Entities of each stage and of its segments in each city; an empty cell is a gap, as far as sources tell.

    Parameters
    ----------
    chain : DataFrame
        `id`, `stage`, `segments` (joined by `;`), `prefecture_code`.
    rows : iterable of (stage, segment)
        As `rows` gives them; segment '' is the stage as a whole.
    cities : iterable of str
        The columns, in this order; '' takes those of no or another city.

    Returns
    -------
    DataFrame
        One row a cell: `stage`, `segment`, `city`, `count`, `ids` (list), `gap` (whether it is empty).
    """
    cities = list(cities)
    keys = pd.MultiIndex.from_tuples(
        [(*row, city) for row in rows for city in cities], names=["stage", "segment", "city"]
    )
    placed = chain.assign(city=chain["prefecture_code"].where(chain["prefecture_code"].isin(cities), ""), segment="")
    fine = placed.assign(segment=placed["segments"].str.split(";")).explode("segment")
    both = pd.concat([placed, fine[fine["segment"] != ""]])
    ids = both.groupby(["stage", "segment", "city"], sort=False)["id"].agg(list).reindex(keys)
    table = ids.map(lambda found: found if isinstance(found, list) else []).rename("ids").reset_index()
    table["count"] = table["ids"].map(len)
    table["gap"] = table["count"] == 0
    return table[["stage", "segment", "city", "count", "ids", "gap"]]


def by_county(chain: gpd.GeoDataFrame, counties: gpd.GeoDataFrame) -> pd.DataFrame:
    """Entities by the county that their point lies in.

    Parameters
    ----------
    chain : GeoDataFrame
        `id`, `county_code`, `coord_uncertainty_m` and a point; entities without a point are left out.
    counties : GeoDataFrame
        `code` and polygons, WGS 84.

    Returns
    -------
    DataFrame
        One row an entity: `id`, `county_code`, `doubtful` (whether the circle of its uncertainty leaves the county, so
        that the entity may be in a neighbouring one).
    """
    known = chain[chain.geometry.notna() & chain["county_code"].isin(counties["code"])].reset_index(drop=True)
    edges = counties.set_index("code").geometry.boundary
    doubtful = pd.Series(False, index=known.index)
    zones = cgcs2000_zone(known) if len(known) else pd.Series(dtype=int)
    for epsg, rows in zones.groupby(zones):
        home = known["county_code"][rows.index]
        edge = edges[home.unique()].to_crs(int(epsg))[home].set_axis(rows.index)
        apart = known.geometry[rows.index].to_crs(int(epsg)).distance(edge)
        doubtful[rows.index] = apart < known["coord_uncertainty_m"][rows.index].fillna(0)
    return known[["id", "county_code"]].assign(doubtful=doubtful)
