"""Which substation each site draws on: one that a source names for it and that can serve it, else nobody knows which.

Which station feeds a zone is mostly not published. Where no source names one of 110-220 kV in service, the site draws
on the supply area of its county: one pool for all such sites of the county, with no point and an assumed capacity.
Nothing is chosen by distance alone, and no distance is measured from a point that stands for a whole town or city.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Geod

from geo_cluster.errors import Fault, Place

SERVING_KV = (110.0, 220.0)
"""Voltages of stations that feed a zone: stations of 500 kV and more feed it through these, converters nobody."""

OWN_KV = (110.0, 500.0)
"""Voltages of stations that a planner may say feed a site."""

AREA = "A"
"""What the id of a supply area begins with; the code of its county follows (`A420704`)."""

NO_ZONES = ("park_in_zone", "standard_factory", "screened_land")
"""Classes of sites that bring no station of their own to the supply area that they draw on."""

_GEOD = Geod(ellps="WGS84")


class Feed(NamedTuple):
    """What each site draws on.

    `station`: id of a station or of a supply area. `km`: distance to the station, km; nan where it isn't known.
    `doubt_km`: by how much that may be off, as both points may be.
    """

    station: np.ndarray
    km: np.ndarray
    doubt_km: np.ndarray


def distance_km(first: gpd.GeoSeries, second: gpd.GeoSeries) -> np.ndarray:
    """Geodesic distance between every pair of points.

    Parameters
    ----------
    first, second : GeoSeries of n and m points
        WGS 84 degrees.

    Returns
    -------
    (n, m) ndarray
        km; nan where a point is missing.
    """
    pairs = np.broadcast_arrays(*(axis.to_numpy()[:, None] for axis in (first.x, first.y)), second.x, second.y)
    lon_1, lat_1, lon_2, lat_2 = (np.ascontiguousarray(axis) for axis in pairs)
    return _GEOD.inv(lon_1, lat_1, lon_2, lat_2)[2] / 1000


def doubt_km(points: gpd.GeoDataFrame) -> np.ndarray:
    """(n,): by how many km each point may be off; 0 where its layer doesn't say, inf where there is no point."""
    stated = pd.to_numeric(points["coord_uncertainty_m"]) if "coord_uncertainty_m" in points else None
    off = np.zeros(len(points)) if stated is None else stated.fillna(0.0).to_numpy(float) / 1000
    return np.where(points.geometry.isna() | points.geometry.is_empty, np.inf, off)


def supply_area(sites: pd.DataFrame) -> np.ndarray:
    """(n,): id of the supply area of each site, after its county, or its prefecture where no county is given."""
    prefecture = sites["prefecture_code"].astype(str)
    county = sites["county_code"].fillna("").astype(str) if "county_code" in sites else prefecture
    return (AREA + county.where(county != "", prefecture)).to_numpy(object)


def area_names(sites: pd.DataFrame, counties: pd.DataFrame) -> pd.DataFrame:
    """`id`, `name_zh`, `name_en` of the supply area of every county with a site.

    Parameters
    ----------
    sites : DataFrame
        With `prefecture_code` and, where known, `county_code`.
    counties : DataFrame
        Counties and prefectures with `code`, `name_zh`, `name_en`; a code that isn't there goes by itself.
    """
    known = counties.drop_duplicates("code").set_index("code")
    rows = []
    for one in dict.fromkeys(supply_area(sites)):
        code = one.removeprefix(AREA)
        zh, en = known.loc[code, ["name_zh", "name_en"]] if code in known.index else (code, code)
        rows.append((one, f"{zh}供电区（供电站未知）", f"Supply area of {en} (station unknown)"))
    return pd.DataFrame(rows, columns=["id", "name_zh", "name_en"])


def feeds_of(sites: pd.DataFrame, substations: pd.DataFrame) -> dict[str, list[str]]:
    """Station -> sites that it is said to feed: by the station's row (`feeds_sites`) or by the site's (`stations`).

    Sites that are fed as their zone is (column `fed_as`, of standard factories) are where it is.
    """
    fed: dict[str, list[str]] = {}
    stated = substations["feeds_sites"].fillna("") if "feeds_sites" in substations else [""] * len(substations)
    for station, text in zip(substations["id"], stated, strict=True):
        fed.setdefault(station, []).extend(filter(None, str(text).split(";")))
    for site, text in zip(sites["id"], sites["stations"].fillna(""), strict=True):
        for station in filter(None, text.split(";")):
            fed.setdefault(station, []).append(site)
    hosts = sites["fed_as"] if "fed_as" in sites else [""] * len(sites)
    for named in fed.values():
        named.extend([site for site, host in zip(sites["id"], hosts, strict=True) if host and host in named])
    return {station: list(dict.fromkeys(named)) for station, named in fed.items()}


def feed_faults(sites: pd.DataFrame, substations: pd.DataFrame, *, own: Container[str]) -> list[Fault]:
    """Feeds between a site and a station of which one isn't there.

    Parameters
    ----------
    sites, substations : DataFrame
        The whole layers.
    own : container of str
        Layers of one's own (`sites`, `substations`); a shipped layer may name what one's own leaves out.
    """
    faults = []
    if "substations" in own and "feeds_sites" in substations:
        for at, site in _named_in(substations, "substations", "feeds_sites", set(sites["id"])):
            faults.append(Fault("supply.feeds_no_site", at, name=site))
    if "sites" in own and len(substations):
        for at, station in _named_in(sites, "sites", "stations", set(substations["id"])):
            faults.append(Fault("supply.fed_by_no_station", at, name=station))
    return faults


def _named_in(table: pd.DataFrame, layer: str, column: str, known: set[str]) -> Iterator[tuple[Place, str]]:
    """Where a column of ids joined by `;` names what isn't known, and the name."""
    for number, (one, text) in enumerate(zip(table["id"].astype(str), table[column].fillna(""), strict=True)):
        at = Place(layer, kind="layer", row=number + 2, entry=one, column=column)
        yield from ((at, name) for name in filter(None, str(text).split(";")) if name not in known)


def serving(substations: pd.DataFrame) -> np.ndarray:
    """(n,): which stations can serve a site now: 110-220 kV and in service, or the planner says that they feed one."""
    own = substations["source_class"] == "user" if "source_class" in substations else False
    kv, kind = substations["voltage_kv"], substations["kind"] == "substation"
    in_service = kv.between(*SERVING_KV) & (substations["status"] == "operating")
    return (kind & (in_service | (kv.between(*OWN_KV) & own & (substations["status"] != "planned")))).to_numpy()


def independent_feeds(sites: pd.DataFrame, substations: pd.DataFrame) -> np.ndarray:
    """(n,): how many stations that can serve now are known to feed each site; two are a dual supply."""
    there = set(substations["id"].to_numpy()[serving(substations)])
    fed = {one: set(named) for one, named in feeds_of(sites, substations).items() if one in there}
    return np.array([sum(site in named for named in fed.values()) for site in sites["id"]], dtype=int)


def zones_of_areas(sites: pd.DataFrame, station: np.ndarray) -> dict[str, int]:
    """Supply area -> how many zones draw on it; none is a park or factory inside a zone, or land that was screened.

    Parameters
    ----------
    sites : DataFrame
        With `site_class` and the columns that `supply_area` takes.
    station : (n,) array
        What each site draws on, as `feeding_station` finds it.
    """
    zone = ~sites["site_class"].isin(NO_ZONES).to_numpy()
    areas = supply_area(sites)
    return {area: max(1, int((zone & (station == area)).sum())) for area in dict.fromkeys(areas)}


def feeding_station(sites: gpd.GeoDataFrame, substations: gpd.GeoDataFrame, *, within_km: float = np.inf) -> Feed:
    """The station that a source names for each site and that can serve it, else the supply area of its county.

    A station counts as serving if it has 110-220 kV and its source says that it is in service, or if the planner says
    that it feeds the site. Of several the nearest counts, and those without a place come after those with one.

    Parameters
    ----------
    sites : GeoDataFrame
        With `prefecture_code`, `stations` (ids joined by `;`, may be empty) and, where known, `county_code`.
    substations : GeoDataFrame
        With `id`, `kind`, `voltage_kv`, `status` and, for those of one's own, `source_class` `user`.
    within_km : float
        Points that may be off by more, km, are no place to measure a distance from.

    Returns
    -------
    Feed
        (sites,) arrays.
    """
    station = supply_area(sites)
    km, doubt = np.full(len(sites), np.nan), np.full(len(sites), np.nan)
    serves = serving(substations)
    ids, off, away = substations["id"].to_numpy(), doubt_km(substations), doubt_km(sites)
    there = (off <= within_km) & (away <= within_km)[:, None]
    apart = np.where(there, distance_km(sites.geometry, substations.geometry), np.nan)
    for at, text in enumerate(sites["stations"].fillna("")):
        named = [one for name in text.split(";") for one in np.flatnonzero(serves & (ids == name))]
        if named:
            chosen = named[np.nan_to_num(apart[at, named], nan=np.inf).argmin()]
            station[at], km[at] = ids[chosen], apart[at, chosen]
            doubt[at] = off[chosen] + away[at]
    return Feed(station, km, np.where(np.isnan(km), np.nan, doubt))
