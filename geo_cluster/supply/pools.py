"""Who draws on what: a site on its own numbers, its station's, its prefecture's; a park on its zone's land too.

Standard factories draw on no land. Parks of one zone share what the zone has, so two pools bind a park: the sum in the
park is at most the park's, the sum in the zone and all its parks at most the zone's.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster.domain import Criterion
from geo_cluster.errors import Fault, Place
from geo_cluster.world import catalog

FACTORY = "standard_factory"
"""Class of the sites that offer floor in a standard factory, and no land."""
SITES = Place("sites", kind="layer")


def with_prefecture(sites: gpd.GeoDataFrame, prefectures: pd.DataFrame | None = None) -> gpd.GeoDataFrame:
    """Sites with the prefecture of their county (GB/T 2260) where their own `prefecture_code` is empty.

    Parameters
    ----------
    sites : GeoDataFrame
    prefectures : DataFrame, optional
        With `code` and `name_zh`, which fills in an empty `prefecture_zh`.
    """
    county = sites["county_code"] if "county_code" in sites else pd.Series("", sites.index)
    own = sites["prefecture_code"] if "prefecture_code" in sites else pd.Series("", sites.index)
    county, own = county.fillna("").astype(str), own.fillna("").astype(str)
    of_county = (county.str[:4] + "00").where(county.str.fullmatch(r"\d{6}").astype(bool), "")
    sites = sites.assign(prefecture_code=own.where(own != "", of_county))
    if prefectures is None:
        return sites
    named = sites["prefecture_code"].map(prefectures.drop_duplicates("code").set_index("code")["name_zh"]).fillna("")
    told = sites["prefecture_zh"].fillna("").astype(str) if "prefecture_zh" in sites else pd.Series("", sites.index)
    return sites.assign(prefecture_zh=told.where(told != "", named))


def subject_of(attribute: str, sites: gpd.GeoDataFrame) -> pd.Series:
    """Whose number of an attribute counts for each site: its own, its station's, its prefecture's; '' for nobody's."""
    column = {"site": "id", "substation": "station", "prefecture": "prefecture_code"}
    declared = catalog.attributes()[attribute]
    subject = sites[column[declared.subject]]
    if not (declared.only or declared.never):
        return subject
    classes = sites["site_class"] if "site_class" in sites else pd.Series("", sites.index)
    return subject.where(classes.map(declared.applies), "")


def pools_of(attribute: str, sites: gpd.GeoDataFrame) -> set[str]:
    """Subjects whose number of an attribute bounds any site: see `subject_of`, and zones that parks share."""
    shared = any(kind.zone_pool for kind in catalog.resources().values() if kind.attribute == attribute)
    return {*subject_of(attribute, sites), *(zone_of(sites) if shared else ())} - {""}


def number_behind(criterion: Criterion, sites: gpd.GeoDataFrame) -> pd.MultiIndex:
    """(S,) attribute and subject of the number that a criterion goes by at each site.

    A standard factory offers floor in place of land: where a site can't have the attribute, that of the resource
    offered instead counts.

    Parameters
    ----------
    criterion : Criterion
        With an attribute.
    sites : GeoDataFrame
        S sites.
    """
    assert criterion.attribute is not None
    subject = subject_of(criterion.attribute, sites).to_numpy(object)
    attribute = np.full(len(subject), criterion.attribute, dtype=object)
    other = catalog.alternative(criterion.resource) if criterion.resource else ""
    if other:
        instead = catalog.resources()[other].attribute
        attribute = np.where(subject == "", instead, attribute)
        subject = np.where(subject == "", subject_of(instead, sites).to_numpy(object), subject)
    return pd.MultiIndex.from_arrays([attribute, subject])


def is_factory(sites: pd.DataFrame) -> np.ndarray:
    """(S,) array of bool: whether a site is a standard factory; none is where the layer has no classes."""
    if "site_class" not in sites:
        return np.zeros(len(sites), dtype=bool)
    return (sites["site_class"] == FACTORY).to_numpy(bool)


def host_of(sites: pd.DataFrame) -> np.ndarray:
    """(S,): id of the zone that each site lies in, '' where none is named or the layer has no `zone_id`."""
    if "zone_id" not in sites:
        return np.full(len(sites), "", dtype=object)
    return sites["zone_id"].fillna("").astype(str).str.strip().to_numpy(object)


def zone_of(sites: pd.DataFrame) -> np.ndarray:
    """(S,): id of the zone whose land a park draws on beside its own, '' for zones, other sites and factories."""
    return np.where(is_factory(sites), "", host_of(sites)).astype(object)


def fed_as_zones(sites: pd.DataFrame, layer: pd.DataFrame) -> pd.DataFrame:
    """Sites of which a factory that no source names a station for is fed as its zone is.

    Parameters
    ----------
    sites : DataFrame
        S sites of the layer.
    layer : DataFrame
        The whole layer, with `id` and `stations`.

    Returns
    -------
    DataFrame
        `sites` with `stations`, and `fed_as`: the zone as which a factory is fed, '' for all others.
    """
    named, of_zone = sites["stations"].fillna(""), dict(zip(layer["id"], layer["stations"].fillna(""), strict=True))
    host = np.where(is_factory(sites) & (named == "").to_numpy(), host_of(sites), "")
    return sites.assign(stations=named.where(host == "", [of_zone.get(one, "") for one in host]), fed_as=host)


def within(own: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """What a park can have at most: the less of its own and its zone's.

    Parameters
    ----------
    own, zone : array
        Of one shape; `zone` is nan where there is no zone or nobody knows what it has.

    Returns
    -------
    array
        nan where `own` is.
    """
    return np.where(np.isnan(own), np.nan, np.fmin(own, zone))


def zone_faults(sites: pd.DataFrame) -> list[Fault]:
    """Sites whose zone isn't in the layer, is itself, lies in a zone itself, or is a standard factory.

    Parameters
    ----------
    sites : DataFrame
        The whole layer, with `id` and, where known, `zone_id` and `site_class`.
    """
    ids, hosts, factory = sites["id"].astype(str), host_of(sites), is_factory(sites)
    inner = dict(zip(ids, zone_of(sites), strict=True))
    without_land = set(ids[factory])
    faults = []
    for number, (one, host) in enumerate(zip(ids, hosts, strict=True)):
        at = Place("sites", kind="layer", row=number + 2, entry=one, column="zone_id")
        if host and host not in inner:
            faults.append(Fault("supply.zone_unknown", at, zone=host))
        elif host and host in without_land:
            faults.append(Fault("supply.zone_without_land", at, zone=host))
        elif host and not factory[number] and (host == one or inner[host]):
            faults.append(Fault("supply.zone_in_zone", at, zone=host, outer=inner[host]))
    return faults
