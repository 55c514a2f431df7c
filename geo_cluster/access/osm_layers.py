"""Layers from what OpenStreetMap's servers answer: downloaded, checked, in the columns of the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlparse

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.access import roads
from geo_cluster.access.osm_servers import Session
from geo_cluster.errors import DataError, Fault, Place, refuse_if

Outline: TypeAlias = shapely.Polygon | shapely.MultiPolygon

LEAST_CONNECTED = 0.5
"""Share of the road nodes that hang together in any whole answer."""


@dataclass(frozen=True)
class Wanted:
    """A layer to be had from OpenStreetMap: its tags, the kinds of geometry to keep, and its titles."""

    title_zh: str
    title_en: str
    tags: dict[str, bool | str | list[str]]
    kinds: tuple[str, ...]


_AREAS = ("Polygon", "MultiPolygon")
_LINES = ("LineString", "MultiLineString")
WANTED: Mapping[str, Wanted] = {
    "roads": Wanted("机动车道路网", "Drivable road network", {}, ("LineString",)),
    "industrial_land": Wanted("工业用地", "Industrial land", {"landuse": "industrial"}, _AREAS),
    "osm_substations": Wanted("变电站", "Substations", {"power": "substation"}, ("Point", *_AREAS)),
    "power_lines": Wanted("输电线路", "Power lines", {"power": "line"}, _LINES),
    "water": Wanted("水面", "Water", {"natural": "water", "waterway": "riverbank"}, _AREAS),
    "protected_areas": Wanted(
        "自然保护地",
        "Protected areas",
        {"boundary": ["protected_area", "national_park"], "leisure": "nature_reserve"},
        _AREAS,
    ),
    "osm_stations": Wanted("火车站", "Railway stations", {"railway": "station"}, ("Point", *_AREAS)),
}
"""The layers that `refresh` knows. `roads` has the columns of the embedded layer and can stand in its place."""

_COLUMNS = ("name", "name:en", "voltage", "operator", "landuse", "power", "natural", "protect_class", "railway")


def download(
    outline: Outline, layers: Sequence[str], session: Session, ox: Any
) -> tuple[dict[str, gpd.GeoDataFrame], list[str]]:
    """Download layers of an area.

    Parameters
    ----------
    outline : Polygon or MultiPolygon
        The area, WGS 84.
    layers : sequence of str
        Keys of `WANTED`.
    session : Session
    ox : module
        osmnx, as `lent_osmnx` lends it.

    Returns
    -------
    frames : dict of str to GeoDataFrame
        By layer, EPSG:4326.
    empty : list of str
        The layers of which there is nothing in the area.

    Raises
    ------
    DataError
        A server refuses to the last, or, of all layers, what came can't be used.
    """
    frames, empty, faults = {}, [], []
    host = str(urlparse(ox.settings.overpass_url).netloc)
    for number, name in enumerate(layers):
        session.subject, session.share = name, number / len(layers)
        session.report("asking")
        question = partial(_roads if name == "roads" else _features, outline, WANTED[name], ox)
        here = Place(name, kind="layer")
        try:
            frame = session.ask(ox.settings.overpass_url, question)
        except ox._errors.InsufficientResponseError:
            if name == "roads":
                faults.append(Fault("access.no_roads", here, host=host))
            empty.append(name)
            continue
        except (ox._errors.ResponseStatusCodeError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"{type(error).__name__}: {str(error)[:80]}"
            faults.append(Fault("access.answer_unreadable", here, host=host, reason=reason))
            continue
        faults += _content_faults(name, frame, outline)
        if len(frame):
            frames[name] = frame
        else:
            empty.append(name)
    refuse_if(faults, DataError)
    session.subject, session.share = "", 1.0
    return frames, empty


def _roads(outline: Outline, _: Wanted, ox: Any) -> gpd.GeoDataFrame:
    """Edges as the embedded layer has them; speeds set before simplifying, while each piece still has one limit."""
    graph = ox.graph_from_polygon(outline, network_type="drive", simplify=False, retain_all=True)
    graph = ox.add_edge_speeds(graph, hwy_speeds=dict(roads.HIGHWAY_KMH), fallback=roads.OTHER_KMH)
    graph = ox.add_edge_travel_times(graph)
    graph = ox.simplify_graph(graph, edge_attr_aggs={"length": sum, "travel_time": sum})
    edges = ox.graph_to_gdfs(graph, nodes=False).reset_index()
    edges = edges[(edges["length"] > 0) & (edges["travel_time"] > 0)]
    lengths = edges["length"].round(2), edges["travel_time"].round(2)
    low, high = np.minimum(edges["u"], edges["v"]), np.maximum(edges["u"], edges["v"])
    pair = pd.DataFrame({"low": low, "high": high, "m": lengths[0], "s": lengths[1]})
    both = pair.groupby(list(pair.columns))["low"].transform("size") > 1
    back = both & (edges["u"] > edges["v"])  # the other direction of a street that is kept as passable both ways
    out = gpd.GeoDataFrame(
        {
            "u": edges["u"].astype("int64"),
            "v": edges["v"].astype("int64"),
            "length_km": edges["length"] / 1000,
            "speed_kmh": edges["length"] / edges["travel_time"] * 3.6,
            "oneway": ~both,
            "highway": edges["highway"].map(lambda h: h if isinstance(h, str) else ";".join(map(str, h))),
        },
        geometry=edges.geometry,
        crs=4326,
    )
    return out[~back].reset_index(drop=True)


def _features(outline: Outline, wanted: Wanted, ox: Any) -> gpd.GeoDataFrame:
    found = ox.features_from_polygon(outline, wanted.tags)
    found = found[found.geometry.geom_type.isin(wanted.kinds)].reset_index()
    columns = {c: found[c].astype("string").fillna("") for c in _COLUMNS if c in found}
    osm_id = found["element"].str[0] + found["id"].astype(str)
    return gpd.GeoDataFrame({"osm_id": osm_id, **columns}, geometry=found.geometry, crs=4326)


def _content_faults(name: str, frame: gpd.GeoDataFrame, outline: Outline) -> list[Fault]:
    """Whether what came is about the area that was asked for, and roads hang together."""
    if not len(frame):
        return []
    shapes, here = frame.geometry.to_numpy(), Place(name, kind="layer")
    faults = []
    if not shapely.intersects(outline, shapes).any():
        faults.append(Fault("access.answer_elsewhere", here))
    if (shapely.is_missing(shapes) | shapely.is_empty(shapes)).any():
        faults.append(Fault("access.answer_without_shapes", here))
    if name == "roads" and not faults:
        share = len(roads.main_nodes(frame)) / np.unique(frame[["u", "v"]].to_numpy()).size
        if share < LEAST_CONNECTED:
            faults.append(Fault("access.roads_fall_apart", here, share=share))
    return faults
