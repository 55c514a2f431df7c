"""Road networks from a road layer, an osmnx graph or a GraphML file, each its largest connected part.

`join` puts new roads into an older layer, so that a refreshed prefecture stays connected to the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo_cluster.access.network import OFF_NETWORK_KMH, RoadNetwork
from geo_cluster.access.points import EARTH_RADIUS_KM, unit_vectors
from geo_cluster.errors import DataError, Fault, InputError, refuse_if

HIGHWAY_KMH: Mapping[str, float] = {
    "motorway": 100,
    "motorway_link": 50,
    "trunk": 70,
    "trunk_link": 40,
    "primary": 55,
    "primary_link": 35,
    "secondary": 45,
    "secondary_link": 30,
    "tertiary": 35,
    "tertiary_link": 25,
    "unclassified": 30,
    "residential": 25,
    "living_street": 15,
    "service": 15,
}
"""Assumed speeds (km/h) by OSM road class where no `maxspeed` is mapped, which is most of Hubei."""

OTHER_KMH = 25.0
"""Assumed speed (km/h) of a road of any other class."""


def ends_of(lines: Any) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) first and (n, 2) last points of n lines."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    start = np.searchsorted(line, np.arange(len(lines) + 1))
    return points[start[:-1]], points[start[1:] - 1]


def from_layer(edges: gpd.GeoDataFrame, *, source: str = "") -> RoadNetwork:
    """Build a network from a road layer, and keep its largest connected part.

    Parameters
    ----------
    edges : GeoDataFrame
        Columns `u`, `v` (int), `length_km`, `speed_kmh`, optionally `oneway` (bool); LineStrings from u to v in
        WGS 84. Without `oneway` every edge is passable both ways.
    source : str
        Provenance, kept.

    Returns
    -------
    RoadNetwork

    Raises
    ------
    DataError
        With every fault of the layer.
    """
    missing = [column for column in ("u", "v", "length_km", "speed_kmh") if column not in edges.columns]
    there = list(map(str, edges.columns))
    faults = [Fault("access.roads_without_column", "roads", column=column, columns=there) for column in missing]
    lines = edges.geometry.to_numpy()
    if (shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING).any():
        faults.append(Fault("access.roads_no_lines", "roads"))
    if edges.crs is None or not edges.crs.is_geographic:
        faults.append(Fault("access.roads_not_in_degrees", "roads"))
    refuse_if(faults, DataError)
    u, v = edges["u"].to_numpy(), edges["v"].to_numpy()
    ends = np.concatenate(ends_of(lines))
    nodes, first = np.unique(np.concatenate([u, v]), return_index=True)
    length = edges["length_km"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        minutes = length / edges["speed_kmh"].to_numpy(dtype=float) * 60
    oneway = edges["oneway"].to_numpy(dtype=bool) if "oneway" in edges else False
    described = {"km": length, "nodes": nodes, "places": ends[first], "oneway": oneway, "lines": lines}
    return _largest(u, v, minutes, source, **described)


def from_osmnx(graph: Any, *, source: str = "© OpenStreetMap contributors, ODbL 1.0") -> RoadNetwork:
    """Build a network from an osmnx graph (any version's attributes), and keep its largest connected part.

    An edge's time is its `travel_time` (s), else its `length` (m) by its `speed_kph`, else by `HIGHWAY_KMH` of its
    class; how many were assumed is in `notes`. Set speeds before simplifying: a merged edge has lists of classes
    and limits that no longer say how long each of its parts is.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        Nodes with `x`, `y` in degrees, edges with `length` in metres.
    source : str
        Provenance, kept.

    Returns
    -------
    RoadNetwork

    Raises
    ------
    DataError
        With every fault: a projected graph, an undirected one, edges without a readable or positive length.
    """
    nodes = list(graph.nodes(data=True))
    places = np.array([[_number(data.get("x")), _number(data.get("y"))] for _, data in nodes]).reshape(-1, 2)
    number = {node: i for i, (node, _) in enumerate(nodes)}
    rows = [(number[u], number[v], data) for u, v, data in graph.edges(data=True)]
    metres, seconds, kmh = (
        np.array([_number(data.get(key)) for *_, data in rows]) for key in ("length", "travel_time", "speed_kph")
    )
    refuse_if(_graph_faults(graph, nodes, places, rows, metres), DataError)

    assumed = ~(seconds > 0) & ~(kmh > 0)
    kmh[assumed] = [_class_kmh(rows[i][2].get("highway")) for i in np.flatnonzero(assumed)]
    minutes = np.where(seconds > 0, seconds / 60, metres / 1000 / np.where(kmh > 0, kmh, 1) * 60)
    try:
        label = np.array([int(node) for node, _ in nodes], dtype=np.int64)
    except (TypeError, ValueError):
        label = np.arange(len(nodes))
    tail, head = np.array([u for u, _, _ in rows]), np.array([v for _, v, _ in rows])
    lines = np.array([data.get("geometry") for *_, data in rows] + [None], dtype=object)[:-1]
    straight = np.array([not isinstance(line, shapely.LineString) for line in lines])
    lines[straight] = shapely.linestrings(np.stack([places[tail], places[head]], axis=1)[straight])
    described = {"km": metres / 1000, "nodes": label, "places": places, "oneway": True, "lines": lines}
    notes = [f"{int(assumed.sum())} of {len(rows)} edges have no speed: assumed from their class"] * bool(assumed.any())
    return _largest(label[tail], label[head], minutes, source, notes, **described)


def from_graphml(path: Path | str) -> RoadNetwork:
    """Build a network from a GraphML file that any version of osmnx wrote; see `from_osmnx`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    RoadNetwork

    Raises
    ------
    DataError
        The file is missing, broken off, or no road graph.
    """
    import networkx as nx

    try:
        graph = nx.read_graphml(path)
    except FileNotFoundError:
        raise DataError(Fault("common.no_such_file", path)) from None
    except nx.NetworkXError as error:
        raise DataError(Fault("access.no_graph", path, reason=str(error))) from error
    except (OSError, ParseError, ValueError, KeyError, TypeError) as error:
        raise DataError(Fault("access.graph_unreadable", path, reason=str(error))) from error
    return from_osmnx(graph)


def join(
    new: gpd.GeoDataFrame, around: gpd.GeoDataFrame, area: shapely.Polygon | shapely.MultiPolygon
) -> gpd.GeoDataFrame:
    """Put new roads in the place of old ones inside an area, and join both networks at its edge.

    An old edge is kept if one of its ends is outside. Where it crosses the edge of the area, its inner end is joined
    to the nearest new node by a straight edge at the off-network speed.

    Parameters
    ----------
    new, around : GeoDataFrame
        Columns u, v, length_km, speed_kmh, optionally oneway; WGS 84.
    area : Polygon or MultiPolygon

    Returns
    -------
    GeoDataFrame
        Nodes renumbered: new ones keep their labels, old ones get negative ones.
    """
    lines = around.geometry.to_numpy()
    shapely.prepare(area)
    inside = [shapely.contains(area, shapely.get_point(lines, i)) for i in (0, -1)]
    kept = around.loc[~(inside[0] & inside[1]), ["u", "v", "length_km", "speed_kmh", "geometry"]].copy()
    kept["u"], kept["v"] = -1 - kept["u"].to_numpy(), -1 - kept["v"].to_numpy()
    kept["oneway"] = around["oneway"].loc[kept.index] if "oneway" in around else False
    stays = kept.index
    crossing = [pd.Series(inside[i], index=around.index).loc[stays].to_numpy() for i in (0, 1)]
    ends = ends_of(kept.geometry.to_numpy())
    label = np.concatenate([kept["u"].to_numpy()[crossing[0]], kept["v"].to_numpy()[crossing[1]]])
    place = np.concatenate([ends[0][crossing[0]], ends[1][crossing[1]]])
    label, first = np.unique(label, return_index=True)
    parts = [new, kept]
    if label.size and len(new):
        parts.append(_connectors(new, label, place[first]))
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=new.crs)


def _connectors(new: gpd.GeoDataFrame, label: np.ndarray, place: np.ndarray) -> gpd.GeoDataFrame:
    main = main_nodes(new)
    gap, near = cKDTree(unit_vectors(*main[["lon", "lat"]].to_numpy().T)).query(unit_vectors(*place.T))
    to = main.iloc[near]
    lines = shapely.linestrings(np.stack([place, to[["lon", "lat"]].to_numpy()], axis=1))
    return gpd.GeoDataFrame(
        {
            "u": label,
            "v": to.index.to_numpy(),
            "length_km": np.maximum(gap * EARTH_RADIUS_KM, 0.001),
            "speed_kmh": OFF_NETWORK_KMH,
            "oneway": False,
        },
        geometry=lines,
        crs=new.crs,
    )


def main_nodes(roads: gpd.GeoDataFrame) -> pd.DataFrame:
    """Places of the nodes of the largest part in which one can get from everywhere to everywhere.

    Parameters
    ----------
    roads : GeoDataFrame
        Columns `u`, `v`, `oneway`; LineStrings.

    Returns
    -------
    DataFrame
        `lon` and `lat` by label.
    """
    lines = roads.geometry.to_numpy()
    ends = np.concatenate(ends_of(lines))
    label, first, number = np.unique(np.concatenate([roads["u"], roads["v"]]), return_index=True, return_inverse=True)
    tail, head = number[: len(roads)], number[len(roads) :]
    back = ~roads["oneway"].to_numpy(dtype=bool)
    arcs = np.concatenate([tail, head[back]]), np.concatenate([head, tail[back]])
    graph = coo_array((np.ones(arcs[0].size), arcs), shape=(label.size, label.size))
    _, member = connected_components(graph, directed=True, connection="strong")
    main = member == np.bincount(member).argmax()
    return pd.DataFrame(ends[first][main], columns=["lon", "lat"], index=label[main])


def _largest(
    tail: ArrayLike, head: ArrayLike, minutes: ArrayLike, source: str, notes: list[str] | None = None, **described: Any
) -> RoadNetwork:
    try:
        network = RoadNetwork.from_edges(tail, head, minutes, **described)
    except InputError as error:
        raise DataError(error.faults) from error
    return replace(network, source=source, notes=(*network.notes, *(notes or ()))).largest_component()


def _graph_faults(
    graph: Any, nodes: list[tuple[Any, Any]], places: np.ndarray, rows: list[tuple[int, int, Any]], metres: np.ndarray
) -> list[Fault]:
    faults: list[Fault] = []
    if not graph.is_directed():
        faults.append(Fault("access.graph_undirected", "graph"))
    if not rows:
        faults.append(Fault("access.graph_without_edges", "graph"))
    if not (np.abs(places) <= (180, 90)).all():
        faults.append(Fault("access.graph_not_in_degrees", "graph"))
    bad = np.flatnonzero(~(metres > 0))
    if bad.size:
        u, v = (str(nodes[end][0]) for end in rows[bad[0]][:2])
        faults.append(Fault("access.graph_without_lengths", "graph", count=int(bad.size), start=u, end=v))
    return faults


def _number(value: Any) -> float:
    """Read a number that another tool may have written as text; nan when it isn't one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _class_kmh(highway: Any) -> float:
    """Assumed speed of a road class, or the slowest of several (a list, also one written as text)."""
    classes = highway if isinstance(highway, list) else str(highway).strip("[]").replace("'", "").split(",")
    return min((HIGHWAY_KMH.get(str(c).strip(), OTHER_KMH) for c in classes), default=OTHER_KMH)
