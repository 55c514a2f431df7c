"""The value chain counted: stage by city with its gaps, stage by county."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import pandas as pd

from geo_cluster.world.coordinates import cgcs2000_zone


def matrix(chain: pd.DataFrame, *, stages: Iterable[str], cities: Iterable[str]) -> pd.DataFrame:
    """Entities of each stage in each city; a cell without any is a gap of the chain, as far as sources tell.

    Parameters
    ----------
    chain : DataFrame
        `id`, `stage`, `prefecture_code`; an entity of no or another city is in no cell.
    stages, cities : iterable of str
        What the rows and columns of the matrix are, in this order.

    Returns
    -------
    DataFrame
        One row a cell: `stage`, `city`, `count`, `ids` (list), `gap` (whether it is empty).
    """
    cells = pd.MultiIndex.from_product([list(stages), list(cities)], names=["stage", "city"])
    ids = chain.groupby(["stage", "prefecture_code"])["id"].agg(list).rename_axis(["stage", "city"]).reindex(cells)
    table = ids.map(lambda found: found if isinstance(found, list) else []).rename("ids").reset_index()
    table["count"] = table["ids"].map(len)
    table["gap"] = table["count"] == 0
    return table[["stage", "city", "count", "ids", "gap"]]


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
    edges = counties.set_index("code").geometry.boundary.loc[known["county_code"]].reset_index(drop=True)
    doubtful = pd.Series(False, index=known.index)
    zones = cgcs2000_zone(known) if len(known) else pd.Series(dtype=int)
    for epsg, rows in zones.groupby(zones):
        apart = known.geometry[rows.index].to_crs(int(epsg)).distance(edges[rows.index].to_crs(int(epsg)))
        doubtful[rows.index] = apart < known["coord_uncertainty_m"][rows.index].fillna(0)
    return known[["id", "county_code"]].assign(doubtful=doubtful)
