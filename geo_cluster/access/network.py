"""A road network over arrays: compressed sparse rows of arcs with minutes and kilometres.

Made from any integer-labelled list of edges; `roads.py` makes one from a road layer or an osmnx graph. Everything that
asks how long a trip takes (`travel.py`) works on this one class.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo_cluster.access.points import EARTH_RADIUS_KM, Floats, Ints, as_lon_lat, point_faults, unit_vectors
from geo_cluster.errors import Fault, InputError, Place, refuse_if

OFF_NETWORK_KMH = 30.0
"""Assumed speed between a point and the nearest node, as the crow flies: 40 km/h on roads 1.3 times as long."""

MAX_GAP_KM = 30.0
"""A point further than this from every road is refused: it is not in the area of the network."""


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

    def __post_init__(self) -> None:
        kmh = self.off_network_kmh
        if not (np.isfinite(kmh) and kmh > 0):
            raise InputError(Fault("access.speed_not_positive", "off_network_kmh", value=float(kmh)))

    @classmethod
    def from_edges(
        cls,
        tail: ArrayLike,
        head: ArrayLike,
        minutes: ArrayLike,
        *,
        km: ArrayLike | None = None,
        nodes: ArrayLike | None = None,
        places: ArrayLike | None = None,
        oneway: bool | ArrayLike = False,
        lines: ArrayLike | None = None,
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
        nodes : (n,) array_like of int, optional
            Labels of all nodes, also of those without an edge; the ascending labels of the edges when not given.
        places : (n, 2) array_like, optional
            Longitude and latitude of each node in degrees, in the order of `nodes`.
        oneway : bool or (rows,) array_like of bool
            False: passable both ways (the default). True: from tail to head only.
        lines : (rows,) array_like of LineString, optional
            Shape of each edge from tail to head.

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
        t, h, cost, length, one, shapes = _checked_edges(tail, head, minutes, km, oneway, lines)
        label = _checked_labels(nodes, t, h)
        x, y = _checked_places(label, nodes, places)
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
            notes=tuple(notes),
        )

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
        """Return the part in which one can get from everywhere to everywhere, with a note on what was dropped.

        Returns
        -------
        RoadNetwork
            This one where all of it hangs together.
        """
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
        """Positions of node labels.

        Parameters
        ----------
        label : array_like of int

        Returns
        -------
        ndarray of int
            Shaped like `label`.

        Raises
        ------
        InputError
            Naming the labels that are not in the network.
        """
        wanted = np.asarray(label, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.label, wanted), max(self.label.size - 1, 0))
        unknown = np.unique(wanted[self.label[at] != wanted]) if self.label.size else np.unique(wanted)
        if unknown.size:
            labels = unknown[:5].tolist() + ["…"] * (unknown.size > 5)
            raise InputError(Fault("access.labels_unknown", "nodes", count=int(unknown.size), labels=labels))
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
        faults = point_faults(lon, lat, names)
        refuse_if(faults)
        gap, near = self._tree.query(unit_vectors(lon, lat))
        gap_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(gap / 2, 1))
        far = np.flatnonzero(gap_km > max_gap_km)
        if far.size:
            swapped, _ = self._tree.query(unit_vectors(lat[far], lon[far]))
            close = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(swapped / 2, 1)) <= max_gap_km
            for i, fits in zip(far, close, strict=True):
                there = {"lon": float(lon[i]), "lat": float(lat[i]), "km": float(gap_km[i])}
                if fits:
                    faults.append(Fault("access.point_far_as_swapped", names[i], **there))
                else:
                    faults.append(Fault("access.point_far", names[i], **there))
            raise InputError(faults)
        return Snap(self.label[self._main[near]], gap_km, gap_km / self.off_network_kmh * 60)

    @cached_property
    def _main(self) -> Ints:
        return np.flatnonzero(self.component == 0)

    @cached_property
    def _tree(self) -> cKDTree:
        if self.lon is None or self.lat is None:
            raise InputError(Fault("access.nodes_without_places", "network"))
        if not self._main.size:
            raise InputError(Fault("access.network_empty", "network"))
        return cKDTree(unit_vectors(self.lon[self._main], self.lat[self._main]))


def as_numbers(name: str, values: ArrayLike) -> Floats:
    """Read an array of numbers.

    Parameters
    ----------
    name : str
        What they are called in the fault.
    values : array_like

    Returns
    -------
    ndarray of float

    Raises
    ------
    InputError
        When something in it is no number.
    """
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(Fault("access.not_numbers", name, reason=str(error))) from None


def _checked_edges(
    tail: ArrayLike,
    head: ArrayLike,
    minutes: ArrayLike,
    km: ArrayLike | None,
    oneway: bool | ArrayLike,
    lines: ArrayLike | None,
) -> tuple[Ints, Ints, Floats, Floats, NDArray[np.bool_], NDArray[np.object_] | None]:
    t, h = np.asarray(tail), np.asarray(head)
    cost = as_numbers("minutes", minutes)
    length = np.full(t.shape, np.nan) if km is None else as_numbers("km", km)
    one = np.asarray(oneway, dtype=bool)
    one = np.broadcast_to(one, t.shape) if one.ndim == 0 else one
    shapes = None if lines is None else np.asarray(lines, dtype=object)
    faults = [] if t.ndim == 1 else [Fault("access.no_row_of_labels", "tail", shape=str(t.shape))]
    for name, ends in (("tail", t), ("head", h)):
        if ends.size and not np.issubdtype(ends.dtype, np.integer):
            faults.append(Fault("access.labels_no_integers", name, type=str(ends.dtype)))
    for name, values in (("head", h), ("minutes", cost), ("km", length), ("oneway", one), ("lines", shapes)):
        if values is not None and values.shape != t.shape:
            faults.append(Fault("access.not_one_an_edge", name, shape=str(values.shape), edges=str(t.shape)))
    for name, values in (("minutes", cost), ("km", length if km is not None else np.ones(1))):
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if bad.size:
            here = Place(str(bad[0]), kind="edge")
            first = float(values.flat[bad[0]])
            faults.append(Fault("access.edge_not_positive", here, quantity=name, value=first, count=int(bad.size)))
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
    listed = np.asarray(nodes, dtype=np.int64)
    label = _distinct(listed)
    faults = []
    if label.size != listed.size:
        faults.append(Fault("access.labels_twice", "nodes", count=listed.size - label.size))
    stray = used[~np.isin(used, label, assume_unique=True)]
    if stray.size:
        faults.append(Fault("access.nodes_not_listed", "nodes", count=int(stray.size), first=int(stray[0])))
    refuse_if(faults)
    return label


def _checked_places(
    label: Ints, nodes: ArrayLike | None, places: ArrayLike | None
) -> tuple[Floats | None, Floats | None]:
    if places is None:
        return None, None
    values = as_numbers("places", places)
    if values.shape != (label.size, 2):
        raise InputError(Fault("access.not_one_a_node", "places", shape=str(values.shape), nodes=int(label.size)))
    order = slice(None) if nodes is None else np.argsort(np.asarray(nodes, dtype=np.int64))
    lon, lat = (np.ascontiguousarray(axis)[order] for axis in values.T)
    faults = []
    for name, degrees, most in (("longitude", lon, 180), ("latitude", lat, 90)):
        bad = np.flatnonzero(~(np.abs(degrees) <= most))
        if bad.size:
            here, first = Place(str(label[bad[0]]), kind="node", column=name), float(degrees[bad[0]])
            faults.append(Fault("access.node_not_in_degrees", here, value=first, count=int(bad.size), most=most))
    refuse_if(faults)
    return lon, lat
