"""A road network over arrays: compressed sparse rows of arcs with minutes and kilometres.

Built from any integer-labelled list of edges, from the embedded road layer, or from an osmnx graph. Everything that
asks how long a trip takes (`travel.py`) works on this one class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo_cluster.errors import DataError, Fault, InputError, refuse_if

OFF_NETWORK_KMH = 30.0
"""Assumed speed between a point and the nearest node, as the crow flies: 40 km/h on roads 1.3 times as long."""

MAX_GAP_KM = 30.0
"""A point further than this from every road is refused: it is not in the area of the network."""

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

EARTH_RADIUS_KM = 6371.0088
_OTHER_KMH = 25.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Snap(NamedTuple):
    """Where points meet the network: node labels, and the gap in km and in minutes at the off-network speed."""

    node: Ints
    gap_km: Floats
    gap_min: Floats


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """Directed arcs in compressed sparse rows; between two nodes only the fastest arc is kept.

    Attributes
    ----------
    label : (N,) int64
        The caller's node labels, ascending; all other arrays use positions in it.
    indptr, head : (N + 1,) and (E,) int32
        Arcs out of node i are `head[indptr[i]:indptr[i + 1]]`.
    minutes, km : (E,) float
        Travel time and length of each arc.
    edge : (E,) int32
        Row of the caller's edge that the arc came from.
    lon, lat : (N,) float or None
        Degrees, WGS 84.
    lines : (rows,) LineString or None
        Shape of each of the caller's edges, for drawing.
    source : str
        Where the network came from, for attribution.
    notes : tuple of str
        What was dropped or assumed while building, in sentences.
    off_network_kmh : float
        Speed at which the gap between a point and its node is counted.
    """

    label: Ints
    indptr: NDArray[np.int32]
    head: NDArray[np.int32]
    minutes: Floats
    km: Floats
    edge: NDArray[np.int32]
    lon: Floats | None = None
    lat: Floats | None = None
    lines: NDArray[np.object_] | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    off_network_kmh: float = OFF_NETWORK_KMH

    @classmethod
    def from_edges(
        cls,
        tail: ArrayLike,
        head: ArrayLike,
        minutes: ArrayLike,
        *,
        km: ArrayLike | None = None,
        lon: Mapping[int, float] | ArrayLike | None = None,
        lat: Mapping[int, float] | ArrayLike | None = None,
        nodes: ArrayLike | None = None,
        oneway: bool | ArrayLike = False,
        lines: ArrayLike | None = None,
        source: str = "",
        off_network_kmh: float = OFF_NETWORK_KMH,
    ) -> RoadNetwork:
        """Build a network from edges between integer-labelled nodes.

        Parameters
        ----------
        tail, head : (rows,) array_like of int
            Labels of the two ends; they needn't be 0..n-1. Edges from a node to itself are dropped.
        minutes : (rows,) array_like of float
            Travel time, positive.
        km : (rows,) array_like of float, optional
            Length, positive; nan-filled when not given.
        lon, lat : (n,) array_like, or mapping of label to degrees, optional
            Position of each node, in the order of `nodes`.
        nodes : (n,) array_like of int, optional
            Labels of all nodes, also of those without an edge; the ascending labels of the edges when not given.
        oneway : bool or (rows,) array_like of bool
            False: passable both ways (the default). True: from tail to head only.
        lines : (rows,) array_like of LineString, optional
            Shape of each edge from tail to head.
        source : str
            Provenance, kept.
        off_network_kmh : float
            Speed between a point and its node.

        Returns
        -------
        RoadNetwork
            With all its components; see `largest_component`.

        Raises
        ------
        InputError
            With every fault: lengths that differ, labels that are no integers, zero, negative or missing minutes or
            km, nodes without a place.
        """
        t, h, cost, length, one, shapes = _checked_edges(tail, head, minutes, km, oneway, lines, off_network_kmh)
        label = _checked_labels(nodes, t, h)
        x, y = _checked_places(label, nodes, lon, lat)
        t, h = np.searchsorted(label, t), np.searchsorted(label, h)

        row = np.arange(t.size)
        loops = t == h
        back = ~(one | loops)
        forth = ~loops
        arc = np.concatenate([row[forth], row[back]])
        frm = np.concatenate([t[forth], h[back]])
        to = np.concatenate([h[forth], t[back]])
        key = frm * label.size + to
        order = np.argsort(key)
        if (np.diff(key[order]) == 0).any():  # of parallel edges the fastest comes first and is kept
            order = np.lexsort((cost[arc], key))
        arc, frm, to, key = arc[order], frm[order], to[order], key[order]
        first = np.concatenate([[True], key[1:] != key[:-1]])[: key.size]
        arc, frm, to = arc[first], frm[first], to[first]
        notes = [f"{int(loops.sum())} edges from a node to itself dropped"] if loops.any() else []
        if not first.all():
            notes.append(f"{int((~first).sum())} slower parallel arcs dropped")
        indptr = np.zeros(label.size + 1, dtype=np.int32)
        np.cumsum(np.bincount(frm, minlength=label.size), out=indptr[1:])
        return cls(
            label=label,
            indptr=indptr,
            head=to.astype(np.int32),
            minutes=cost[arc],
            km=length[arc],
            edge=arc.astype(np.int32),
            lon=x,
            lat=y,
            lines=shapes,
            source=source,
            notes=tuple(notes),
            off_network_kmh=float(off_network_kmh),
        )

    @classmethod
    def from_layer(
        cls, edges: gpd.GeoDataFrame, *, source: str = "", off_network_kmh: float = OFF_NETWORK_KMH
    ) -> RoadNetwork:
        """Build a network from a road layer, and keep its largest connected part.

        Parameters
        ----------
        edges : GeoDataFrame
            Columns `u`, `v` (int), `length_km`, `speed_kmh`, optionally `oneway` (bool); LineStrings from u to v in
            WGS 84. Without `oneway` every edge is passable both ways.
        source, off_network_kmh
            As in `from_edges`.

        Raises
        ------
        DataError
            With every fault of the layer.
        """
        missing = [c for c in ("u", "v", "length_km", "speed_kmh") if c not in edges.columns]
        faults = [
            Fault("roads", f"has no column {c}", f"add it; there are {', '.join(edges.columns)}") for c in missing
        ]
        lines = edges.geometry.to_numpy()
        if (shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING).any():
            faults.append(Fault("roads", "has geometries that are no LineStrings", "explode multi-part lines"))
        if edges.crs is None or not edges.crs.is_geographic:
            faults.append(Fault("roads", "is not in degrees (WGS 84)", "bring it to EPSG:4326"))
        refuse_if(faults, DataError)
        u, v = edges["u"].to_numpy(), edges["v"].to_numpy()
        ends = np.concatenate([u, v])
        places = shapely.get_coordinates(np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)]))
        nodes, first = np.unique(ends, return_index=True)
        speed = edges["speed_kmh"].to_numpy(dtype=float)
        length = edges["length_km"].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            minutes = length / speed * 60
        try:
            network = cls.from_edges(
                u,
                v,
                minutes,
                km=length,
                lon=places[first, 0],
                lat=places[first, 1],
                nodes=nodes,
                oneway=edges["oneway"].to_numpy(dtype=bool) if "oneway" in edges else False,
                lines=lines,
                source=source,
                off_network_kmh=off_network_kmh,
            )
        except InputError as error:
            raise DataError(error.faults) from error
        return network.largest_component()

    @classmethod
    def from_osmnx(
        cls,
        graph: Any,
        *,
        source: str = "© OpenStreetMap contributors, ODbL 1.0",
        off_network_kmh: float = OFF_NETWORK_KMH,
    ) -> RoadNetwork:
        """Build a network from an osmnx graph (any version's attributes), and keep its largest connected part.

        An edge's time is its `travel_time` (s), else its `length` (m) by its `speed_kph`, else by `HIGHWAY_KMH` of its
        class; how many were assumed is in `notes`. Set speeds before simplifying: a merged edge has lists of classes
        and limits that no longer say how long each of its parts is.

        Parameters
        ----------
        graph : networkx.MultiDiGraph
            Nodes with `x`, `y` in degrees, edges with `length` in metres.

        Raises
        ------
        DataError
            With every fault: a projected graph, an undirected one, edges without a readable or positive length.
        """
        return _from_osmnx(cls, graph, source, off_network_kmh)

    @classmethod
    def from_graphml(cls, path: Path | str, *, off_network_kmh: float = OFF_NETWORK_KMH) -> RoadNetwork:
        """Build a network from a GraphML file that any version of osmnx wrote; see `from_osmnx`.

        Raises
        ------
        DataError
            The file is missing, broken off, or no road graph.
        """
        import networkx as nx

        where = str(path)
        try:
            graph = nx.read_graphml(path)
        except FileNotFoundError:
            raise DataError(Fault(where, "no such file", "check the path")) from None
        except nx.NetworkXError as error:
            raise DataError(Fault(where, f"has no graph in it ({error})", "save it with osmnx.save_graphml")) from error
        except Exception as error:  # the XML parser's own kinds
            raise DataError(Fault(where, f"can't be read ({error})", "save it again: it broke off")) from error
        return cls.from_osmnx(graph, off_network_kmh=off_network_kmh)

    @property
    def graph(self) -> csr_array:
        """Minutes as an (N, N) sparse matrix, row to column."""
        return csr_array((self.minutes, self.head, self.indptr), shape=(self.label.size, self.label.size))

    @cached_property
    def component(self) -> Ints:
        """(N,) number of the strongly connected component of each node, 0 the largest."""
        _, member = connected_components(self.graph, directed=True, connection="strong")
        size = np.bincount(member, minlength=1)
        rank = np.empty(size.size, dtype=np.int64)
        rank[np.argsort(-size, kind="stable")] = np.arange(size.size)
        return rank[member]

    def largest_component(self) -> RoadNetwork:
        """Return the part in which one can get from everywhere to everywhere, with a note on what was dropped."""
        keep = self.component == 0
        if keep.all():
            return self
        tail = np.repeat(np.arange(self.label.size), np.diff(self.indptr))
        arcs = keep[tail] & keep[self.head]
        new = np.cumsum(keep) - 1
        indptr = np.zeros(int(keep.sum()) + 1, dtype=np.int32)
        np.cumsum(np.bincount(new[tail[arcs]], minlength=indptr.size - 1), out=indptr[1:])
        dropped = f"{int((~keep).sum())} of {keep.size} nodes dropped: on islands or one-way streets without return"
        return RoadNetwork(
            label=self.label[keep],
            indptr=indptr,
            head=new[self.head[arcs]].astype(np.int32),
            minutes=self.minutes[arcs],
            km=self.km[arcs],
            edge=self.edge[arcs],
            lon=None if self.lon is None else self.lon[keep],
            lat=None if self.lat is None else self.lat[keep],
            lines=self.lines,
            source=self.source,
            notes=(*self.notes, dropped),
            off_network_kmh=self.off_network_kmh,
        )

    def position(self, label: ArrayLike) -> Ints:
        """Positions of node labels, shape as given; InputError names those that are not in the network."""
        wanted = np.asarray(label, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.label, wanted), max(self.label.size - 1, 0))
        unknown = np.unique(wanted[self.label[at] != wanted]) if self.label.size else np.unique(wanted)
        if unknown.size:
            some = ", ".join(map(str, unknown[:5])) + (" …" if unknown.size > 5 else "")
            raise InputError(
                Fault("nodes", f"{unknown.size} labels are not in the network: {some}", "use labels of its nodes")
            )
        return at

    def snap(self, points: Any, *, max_gap_km: float = MAX_GAP_KM) -> Snap:
        """Find the nearest node of the largest component for each point.

        The gap, as the crow flies, is counted at `off_network_kmh` and handed back so that it can be shown: a site in
        the middle of a lake has one.

        Parameters
        ----------
        points : GeoSeries or GeoDataFrame of points, or (n, 2) array_like of lon, lat
            Degrees WGS 84; a series in another CRS is brought to it.
        max_gap_km : float
            A larger gap is a fault.

        Returns
        -------
        Snap
            node (n,), gap_km (n,), gap_min (n,).

        Raises
        ------
        InputError
            With every fault: no place, longitude and latitude swapped, outside the network.
        """
        lon, lat, names = as_lon_lat(points)
        faults = _point_faults(lon, lat, names)
        refuse_if(faults)
        gap, near = self._tree.query(unit_vectors(lon, lat))
        gap_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(gap / 2, 1))
        far = np.flatnonzero(gap_km > max_gap_km)
        if far.size:
            swapped, _ = self._tree.query(unit_vectors(lat[far], lon[far]))
            close = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(swapped / 2, 1)) <= max_gap_km
            for i, fits in zip(far, close, strict=True):
                what = f"({lon[i]:g}, {lat[i]:g}) is {gap_km[i]:,.0f} km from the nearest road"
                remedy = (
                    "longitude and latitude are swapped: give longitude first" if fits else "outside the network's area"
                )
                faults.append(Fault(names[i], what, remedy))
            raise InputError(faults)
        return Snap(self.label[self._main[near]], gap_km, gap_km / self.off_network_kmh * 60)

    @cached_property
    def _main(self) -> Ints:
        return np.flatnonzero(self.component == 0)

    @cached_property
    def _tree(self) -> cKDTree:
        if self.lon is None or self.lat is None:
            raise InputError(Fault("network", "its nodes have no lon and lat", "give lon and lat to from_edges"))
        if not self._main.size:
            raise InputError(Fault("network", "is empty", "give at least one node"))
        return cKDTree(unit_vectors(self.lon[self._main], self.lat[self._main]))


def as_lon_lat(points: Any) -> tuple[Floats, Floats, list[str]]:
    """Longitudes, latitudes and names ("point 3") of points given as a GeoSeries, GeoDataFrame or (n, 2) array."""
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        series = points.geometry
        if series.crs is not None and not series.crs.is_geographic:
            series = series.to_crs(4326)
        names = [f"point {i}" for i in points.index]
        return shapely.get_x(series.to_numpy()), shapely.get_y(series.to_numpy()), names
    array = np.asarray(points, dtype=float)
    if array.ndim == 1 and array.size == 2:
        array = array[None]
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(Fault("points", f"have shape {array.shape}", "give (n, 2): longitude, latitude"))
    return array[:, 0], array[:, 1], [f"point {i}" for i in range(len(array))]


def as_numbers(name: str, values: ArrayLike) -> Floats:
    """Read an array of numbers; InputError when something in it isn't one."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(Fault(name, f"has something that is no number ({error})", "give numbers only")) from None


def _point_faults(lon: Floats, lat: Floats, names: list[str]) -> list[Fault]:
    faults = [
        Fault(names[i], "has no place (empty or not a point)", "give a longitude and a latitude")
        for i in np.flatnonzero(~(np.isfinite(lon) & np.isfinite(lat)))
    ]
    for i in np.flatnonzero((np.abs(lat) > 90) | (np.abs(lon) > 180)):
        swapped = abs(lat[i]) <= 180 and abs(lon[i]) <= 90
        remedy = "longitude and latitude are swapped: give longitude first" if swapped else "give degrees, not metres"
        faults.append(Fault(names[i], f"({lon[i]:g}, {lat[i]:g}) is not (longitude, latitude)", remedy))
    return faults


def unit_vectors(lon: Floats, lat: Floats) -> Floats:
    """(n, 3) points on the unit sphere, for nearest neighbours by true distance."""
    x, y = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])


def _rows(bad: NDArray[np.bool_]) -> str:
    where = np.flatnonzero(bad)
    return f"edge {where[0]}" + (f" and {where.size - 1} more" if where.size > 1 else "")


def _checked_edges(
    tail: ArrayLike,
    head: ArrayLike,
    minutes: ArrayLike,
    km: ArrayLike | None,
    oneway: bool | ArrayLike,
    lines: ArrayLike | None,
    off_network_kmh: float,
) -> tuple[Ints, Ints, Floats, Floats, NDArray[np.bool_], NDArray[np.object_] | None]:
    t, h = np.asarray(tail), np.asarray(head)
    cost = as_numbers("minutes", minutes)
    length = np.full(t.shape, np.nan) if km is None else as_numbers("km", km)
    one = np.asarray(oneway, dtype=bool)
    one = np.broadcast_to(one, t.shape) if one.ndim == 0 else one
    shapes = None if lines is None else np.asarray(lines, dtype=object)
    faults = [] if t.ndim == 1 else [Fault("tail", f"has shape {t.shape}", "give one label for each edge")]
    for name, ends in (("tail", t), ("head", h)):
        if ends.size and not np.issubdtype(ends.dtype, np.integer):
            faults.append(Fault(name, f"labels are {ends.dtype}, not integers", "number the nodes"))
    for name, values in (("head", h), ("minutes", cost), ("km", length), ("oneway", one), ("lines", shapes)):
        if values is not None and values.shape != t.shape:
            faults.append(Fault(name, f"has shape {values.shape}, tail has {t.shape}", "give one value for each edge"))
    for name, values in (("minutes", cost), ("km", length if km is not None else np.ones(1))):
        bad = ~(np.isfinite(values) & (values > 0))
        if bad.any():
            first = values[np.flatnonzero(bad)[0]]
            remedy = "give each edge a positive length and speed; merge nodes that are at the same place"
            faults.append(Fault(_rows(bad), f"{name} is {first:g}, must be above zero", remedy))
    if not (np.isfinite(off_network_kmh) and off_network_kmh > 0):
        faults.append(Fault("off_network_kmh", f"is {off_network_kmh:g}", "give a speed above zero"))
    refuse_if(faults)
    return t.astype(np.int64), h.astype(np.int64), cost, length, one, shapes


def _distinct(values: Ints) -> Ints:
    """Ascending distinct values; for millions of labels several times faster than the hashing `numpy.unique`."""
    ordered = np.sort(values)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])[: ordered.size]]


def _checked_labels(nodes: ArrayLike | None, tail: Ints, head: Ints) -> Ints:
    used = _distinct(np.concatenate([tail, head]))
    if nodes is None:
        return used
    given = np.asarray(nodes, dtype=np.int64)
    label = _distinct(given)
    faults = []
    if label.size != given.size:
        faults.append(Fault("nodes", f"{given.size - label.size} labels occur twice", "give each node once"))
    stray = used[~np.isin(used, label, assume_unique=True)]
    if stray.size:
        what = f"{stray.size} nodes of edges are not listed, the first {stray[0]}"
        faults.append(Fault("nodes", what, "list every node that an edge names"))
    refuse_if(faults)
    return label


def _checked_places(
    label: Ints,
    nodes: ArrayLike | None,
    lon: Mapping[int, float] | ArrayLike | None,
    lat: Mapping[int, float] | ArrayLike | None,
) -> tuple[Floats | None, Floats | None]:
    if lon is None and lat is None:
        return None, None
    order = np.arange(label.size) if nodes is None else np.argsort(np.asarray(nodes, dtype=np.int64))
    faults, places = [], []
    for name, given, most in (("lon", lon, 180), ("lat", lat, 90)):
        if given is None:
            faults.append(Fault(name, "is missing", "give both lon and lat, or neither"))
            continue
        if isinstance(given, Mapping):
            values = np.array([given.get(int(i), np.nan) for i in label], dtype=float)
        else:
            values = np.asarray(given, dtype=float)
            if values.shape != label.shape:
                what = f"has shape {values.shape} for {label.size} nodes"
                faults.append(Fault(name, what, "give one value for each node, in the order of nodes"))
                continue
            values = values[order]
        bad = ~(np.abs(values) <= most)
        if bad.any():
            what = f"of node {label[np.flatnonzero(bad)[0]]} is {values[np.flatnonzero(bad)[0]]:g} ({bad.sum()} such)"
            faults.append(Fault(name, what, f"give degrees between -{most} and {most}; longitude is not latitude"))
        places.append(values)
    refuse_if(faults)
    return places[0], places[1]


def _from_osmnx(cls: type[RoadNetwork], graph: Any, source: str, off_network_kmh: float) -> RoadNetwork:
    faults: list[Fault] = []
    if not graph.is_directed():
        faults.append(Fault("graph", "is undirected: one-way streets are lost", "load it as a MultiDiGraph"))
    if not graph.number_of_edges():
        faults.append(Fault("graph", "has no edges", "download or load it again"))
    nodes = list(graph.nodes(data=True))
    lon = np.array([_number(data.get("x")) for _, data in nodes])
    lat = np.array([_number(data.get("y")) for _, data in nodes])
    if not (np.abs(lon) <= 180).all() or not (np.abs(lat) <= 90).all():
        what = "nodes have no x and y in degrees (projected, or written by other software)"
        faults.append(Fault("graph", what, "use the unprojected graph, as osmnx.save_graphml writes it"))
    number = {node: i for i, (node, _) in enumerate(nodes)}
    rows = [(number[u], number[v], data) for u, v, data in graph.edges(data=True)]
    metres = np.array([_number(data.get("length")) for _, _, data in rows])
    seconds = np.array([_number(data.get("travel_time")) for _, _, data in rows])
    kmh = np.array([_number(data.get("speed_kph")) for _, _, data in rows])
    bad = ~(metres > 0)
    if bad.any():
        u, v = (nodes[end][0] for end in rows[np.flatnonzero(bad)[0]][:2])
        what = f"{int(bad.sum())} edges have no length above zero, the first from node {u} to {v}"
        faults.append(Fault("graph", what, "add lengths with osmnx.distance.add_edge_lengths; drop edges of no length"))
    refuse_if(faults, DataError)

    assumed = ~(seconds > 0) & ~(kmh > 0)
    kmh[assumed] = [_class_kmh(rows[i][2].get("highway")) for i in np.flatnonzero(assumed)]
    minutes = np.where(seconds > 0, seconds / 60, metres / 1000 / np.where(kmh > 0, kmh, 1) * 60)
    try:
        label = np.array([int(node) for node, _ in nodes], dtype=np.int64)
    except (TypeError, ValueError):
        label = np.arange(len(nodes))
    lines = np.array([data.get("geometry") for *_, data in rows] + [None], dtype=object)[:-1]
    straight = np.array([not isinstance(line, shapely.LineString) for line in lines])
    tail = np.array([u for u, _, _ in rows])
    head = np.array([v for _, v, _ in rows])
    ends = np.stack([np.column_stack([lon[tail], lat[tail]]), np.column_stack([lon[head], lat[head]])], axis=1)
    lines[straight] = shapely.linestrings(ends[straight])
    try:
        network = cls.from_edges(
            label[tail],
            label[head],
            minutes,
            km=metres / 1000,
            nodes=label,
            lon=lon,
            lat=lat,
            oneway=True,
            lines=lines,
            source=source,
            off_network_kmh=off_network_kmh,
        )
    except InputError as error:
        raise DataError(error.faults) from error
    if assumed.any():
        note = f"{int(assumed.sum())} of {len(rows)} edges have no speed: assumed from their class"
        network = replace(network, notes=(*network.notes, note))
    return network.largest_component()


def _number(value: Any) -> float:
    """Read a number that another tool may have written as text; nan when it isn't one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _class_kmh(highway: Any) -> float:
    classes = highway if isinstance(highway, list) else str(highway).strip("[]").replace("'", "").split(",")
    return min((HIGHWAY_KMH.get(str(c).strip(), _OTHER_KMH) for c in classes), default=_OTHER_KMH)
