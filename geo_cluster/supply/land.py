"""What land a site really offers: net developable area, its pieces, what each rule takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.supply import overlay
from geo_cluster.supply.layer import clean, layer_faults, measured_faults, project, repair, zones_of
from geo_cluster.supply.overlay import Geometries
from geo_cluster.supply.rectangle import largest_rectangles

Part = tuple[NDArray[np.intp], dict[str, NDArray[np.float64]], Geometries]
"""Some sites: their positions, measures and net land."""

SCREENING = 500
"""More sites than this are screened by area; rectangles only on request."""

BATCH = 2500
"""Sites that one thread takes at a time."""

UNIONS = 10
"""How many times the crossings that may be are worked out again before a batch is parted."""

LARGE = 10
"""Batches with more than this part of the crossings that may be are worked on one at a time; bounds the memory."""

_LARGE = threading.Lock()

CRUMB_M2 = 0.01
"""Parts smaller than this come from rounding, not from the ground: they are no piece of land."""


@dataclass(frozen=True)
class Exclusion:
    """Ground that a rule keeps free of building.

    Parameters
    ----------
    name : str
        Short name; becomes part of the column names ``lost_<name>_ha`` and ``total_<name>_ha``.
    geometries : GeoDataFrame, GeoSeries or array of geometries
        Any CRS; a bare array is taken to be in the CRS of the sites. Lines and points need a buffer.
    buffer_m : float
        Distance that the rule keeps around each geometry, in metres.
    unknown : GeoDataFrame, GeoSeries or array of geometries, optional
        Ground that the layer says nothing about (nodata, beyond its edge). It is not excluded but counted.
    """

    name: str
    geometries: Any
    buffer_m: float = 0.0
    unknown: Any = None


def developable(
    sites: gpd.GeoDataFrame,
    exclusions: Sequence[Exclusion] = (),
    *,
    rectangles: bool | None = None,
    quad_segs: int = 16,
) -> gpd.GeoDataFrame:
    """Land of each site that no rule excludes.

    Parameters
    ----------
    sites : GeoDataFrame
        Polygons, any CRS. Rings that cross themselves, here and in the exclusions, are repaired and named in
        ``result.attrs["repairs"]``, a list of `Fault`.
    exclusions : sequence of Exclusion
        In the order in which they are charged: ground that two rules exclude counts as lost to the first.
    rectangles : bool, optional
        Look for the largest rectangle of each site, a few milliseconds each. Left out, up to `SCREENING` sites get
        one; with more, areas come first and the columns of the rectangle are nan.
    quad_segs : int
        Segments of a quarter circle in buffers; 16 keeps a buffer's area within 0.2 %.

    Returns
    -------
    GeoDataFrame
        Indexed like `sites`, in their CRS: `gross_ha`, `net_ha`, `unknown_ha` (net land on which some rule has no
        data), `pieces`, `largest_piece_ha`, for each rule ``lost_<name>_ha`` (what it takes of what earlier rules
        left) and ``total_<name>_ha`` (what it takes alone), `rectangle_width_m`, `rectangle_length_m`,
        `rectangle_angle_deg` (of the long side, counter-clockwise from grid east, 0 to 180), `rectangle` (its
        geometry) and `geometry` (the net land). ``gross = net + sum(lost)``.

    Raises
    ------
    InputError
        A layer without CRS, sites in one in which areas aren't true (Web Mercator, feet; in China all are measured in
        their zone), degrees taken for metres, geometry of the wrong kind, duplicate or empty rule names, a buffer that
        is not a number of metres: all of them at once.
    """
    rules, names = list(exclusions), [rule.name for rule in exclusions]
    refuse_if(measured_faults(sites, "sites") + _rule_faults(rules))

    columns: dict[str, Any] = {column: np.zeros(len(sites)) for column in _columns(names)}
    columns |= {f"rectangle_{side}": np.full(len(sites), np.nan) for side in ("width_m", "length_m", "angle_deg")}
    net, halls = (np.full(len(sites), shapely.Polygon(), dtype=object) for _ in range(2))
    wanted = len(sites) <= SCREENING if rectangles is None else rectangles
    repairs: list[Fault] = []
    zones = zones_of(sites)
    for code in np.unique(zones):
        rows = np.flatnonzero(zones == code)
        zone, mended = _zone(sites, rows, pyproj.CRS(int(code)) if code else sites.crs)
        layers, doubts, notes = _layers(zone, rules, quad_segs)
        repairs += mended + notes
        for part, measures, left in _parts(zone, layers, doubts):
            for column, values in measures.items():
                columns[column][rows[part]] = values
            net[rows[part]] = project(left, zone.crs, sites.crs)
        if wanted:
            found = largest_rectangles(project(net[rows], sites.crs, zone.crs))
            columns["rectangle_width_m"][rows] = found.width_m
            columns["rectangle_length_m"][rows] = found.length_m
            columns["rectangle_angle_deg"][rows] = found.angle_deg
            halls[rows] = project(found.geometry, zone.crs, sites.crs)
    columns["rectangle"] = gpd.GeoSeries(halls, index=sites.index, crs=sites.crs)
    out = gpd.GeoDataFrame(columns, geometry=net, crs=sites.crs, index=sites.index).astype({"pieces": int})
    out.attrs["repairs"] = repairs
    return out


class _Zone(NamedTuple):
    """Sites of one zone: their rows, their ground in its metres, its CRS and theirs, and when work on them began."""

    rows: NDArray[np.intp]
    ground: Geometries
    crs: pyproj.CRS
    sites_crs: pyproj.CRS
    since: float


def _zone(sites: gpd.GeoDataFrame, rows: NDArray[np.intp], crs: pyproj.CRS) -> tuple[_Zone, list[Fault]]:
    """Bring sites into a zone; also what had to be repaired."""
    shapes = sites.geometry.to_numpy()[rows]
    ground, mended = clean(project(shapes, sites.crs, crs), "sites")
    shapely.prepare(ground)
    repairs = [repair("sites", sites.index[rows[k]], shapes[k]) for k in mended]
    return _Zone(rows, ground, crs, sites.crs, time.monotonic()), repairs


def _layers(
    zone: _Zone, rules: Sequence[Exclusion], quad_segs: int
) -> tuple[dict[str, Geometries], list[Geometries], list[Fault]]:
    """What each rule excludes near the ground, by its name; where some rule has no data; what had to be repaired."""
    blanks = [rule.unknown for rule in rules if rule.unknown is not None]
    doubts = [_reaching(zone, Exclusion("unknown", blank), quad_segs)[0] for blank in blanks]
    with ThreadPoolExecutor() as threads:  # GEOS works outside the interpreter's lock
        reached = list(threads.map(lambda rule: _reaching(zone, rule, quad_segs), rules))
    layers = {rule.name: areas for rule, (areas, _) in zip(rules, reached, strict=True)}
    return layers, doubts, [note for _, notes in reached for note in notes]


def _parts(zone: _Zone, layers: Mapping[str, Geometries], doubts: Sequence[Geometries]) -> Iterator[Part]:
    """Take the layers off the ground, batch by batch."""
    batches = np.array_split(np.arange(len(zone.rows)), 1 + len(zone.rows) // BATCH)
    with ThreadPoolExecutor() as threads:
        for parts in threads.map(lambda batch: list(_subtracted(batch, zone, layers, doubts)), batches):
            yield from parts


def _columns(names: Sequence[str]) -> list[str]:
    measured = ["gross_ha", "net_ha", "unknown_ha", "pieces", "largest_piece_ha"]
    return measured + [f"lost_{name}_ha" for name in names] + [f"total_{name}_ha" for name in names]


def _rule_faults(rules: Sequence[Exclusion]) -> list[Fault]:
    faults, names = [], [rule.name for rule in rules]
    for k, rule in enumerate(rules):
        here = Place(str(k + 1), kind="exclusion", key=rule.name)
        if not rule.name or rule.name in names[:k]:
            faults.append(Fault("supply.rule_without_name", here))
        if not (np.isfinite(rule.buffer_m) and rule.buffer_m >= 0):
            faults.append(Fault("supply.buffer_no_distance", here, value=float(rule.buffer_m)))
        faults += layer_faults(rule.geometries, here, kind="Polygon" if rule.buffer_m == 0 else None)
    return faults


def _subtracted(
    batch: NDArray[np.intp], zone: _Zone, layers: Mapping[str, Geometries], doubts: Sequence[Geometries]
) -> Iterator[Part]:
    """Take the layers off a batch of the ground, in parts whose outlines cross no more often than may be."""
    overlay.refuse_slow("sites", zone.since)
    ground = zone.ground[batch]
    with overlay.refusing_what_fails("sites"):
        count, again = _work(ground, [*layers.values(), *doubts])
    is_much = count > limits().crossings or again > UNIONS * limits().crossings
    if is_much and len(batch) > 1:
        for half in np.array_split(batch, 2):
            yield from _subtracted(half, zone, layers, doubts)
        return
    row = int(zone.rows[batch[0]]) + 1 if len(batch) else 0
    overlay.refuse_crossings(Place("sites", row=row), count)
    with _LARGE if count > limits().crossings // LARGE else nullcontext(), overlay.refusing_what_fails("sites"):
        yield batch, *_subtract(ground, layers, doubts)


def _work(ground: Geometries, layers: Sequence[Geometries]) -> tuple[int, int]:
    """How often the ground and what reaches it cross, and how often that is worked out again.

    Where several shapes of a layer reach a site, they are united for it: all that each of them crosses.
    """
    shapes = np.concatenate([*layers, np.empty(0, dtype=object)])
    site, shape = overlay.all_meeting("sites", shapely.STRtree(shapes), ground, predicate="intersects")
    if not len(site):
        return 0, 0
    reached, which = np.unique(shape, return_inverse=True)
    touched = ground[np.unique(site)]  # the rest is laid over nothing
    count, by_shape = overlay.crossings_by_shape(np.concatenate([touched, shapes[reached]]))
    layer = np.repeat(np.arange(len(layers)), [len(one) for one in layers])[shape]
    _, group, members = np.unique(site * len(layers) + layer, return_inverse=True, return_counts=True)
    return count, int(by_shape[len(touched) + which[members[group] > 1]].sum())


def _subtract(
    ground: Geometries, layers: Mapping[str, Geometries], doubts: Sequence[Geometries]
) -> tuple[dict[str, NDArray[np.float64]], Geometries]:
    """Take the layers (clean, buffered, of the same zone) off clean polygons, in order.

    Most exclusions of real life (a pond, a house) lie inside a parcel and touch no other: they are holes, and cost
    no overlay. The others go rule by rule. What a rule takes alone needs an intersection of its own only where an
    earlier one reaches the same ground; elsewhere it is what the net land shrank by.
    """
    gross = shapely.area(ground)
    measures = {"gross_ha": gross / 1e4}
    shapes = np.concatenate([*layers.values(), np.empty(0, dtype=object)])
    rule = np.repeat(np.arange(len(layers)), [len(layer) for layer in layers.values()])
    site, shape = overlay.all_meeting("sites", shapely.STRtree(shapes), ground, predicate="intersects")
    alone = _apart(shapes, np.unique(shape))
    simple = alone & (shapely.get_type_id(shapes) == 3) & (shapely.get_num_interior_rings(shapes) == 0)
    hole = simple[shape]
    hole[hole] = shapely.contains_properly(ground[site[hole]], shapes[shape[hole]])
    hole_area = shapely.area(shapes[shape[hole]])

    net, left = ground.copy(), gross.copy()
    claimed: list[tuple[NDArray[np.intp], Geometries]] = []
    for k, name in enumerate(layers):
        mine = ~hole & (rule[shape] == k)
        touched, taken = _gather(site[mine], shapes[shape[mine]], alone[shape[mine]])
        net[touched] = shapely.difference(net[touched], taken)
        now = shapely.area(net[touched])
        lost = np.zeros(len(ground))
        lost[touched] = np.maximum(left[touched] - now, 0.0)
        left[touched] = now
        total = lost.copy()
        shared = _meets(touched, taken, claimed)
        total[touched[shared]] = shapely.area(shapely.intersection(ground[touched[shared]], taken[shared]))
        claimed.append((touched, taken))
        mine = rule[shape[hole]] == k
        inside = np.bincount(site[hole][mine], weights=hole_area[mine], minlength=len(ground))
        measures[f"lost_{name}_ha"] = (lost + inside) / 1e4
        measures[f"total_{name}_ha"] = (total + inside) / 1e4
    net = _punch(net, site[hole], shapes[shape[hole]])

    doubt = np.full(len(ground), shapely.Polygon(), dtype=object)
    for layer in doubts:
        site, shape = overlay.all_meeting("sites", shapely.STRtree(layer), ground, predicate="intersects")
        touched, blank = _gather(site, layer[shape], np.zeros(len(shape), dtype=bool))
        doubt[touched] = shapely.union(doubt[touched], blank)
    measures["unknown_ha"] = shapely.area(shapely.intersection(net, doubt)) / 1e4 if doubts else np.zeros(len(net))
    measures["net_ha"] = shapely.area(net) / 1e4
    parts, owner = shapely.get_parts(net, return_index=True)
    areas = shapely.area(parts)
    measures["pieces"] = np.bincount(owner[areas > CRUMB_M2], minlength=len(net)).astype(float)
    largest = np.zeros(len(net))
    np.maximum.at(largest, owner, areas)
    measures["largest_piece_ha"] = largest / 1e4
    return measures, net


def _apart(shapes: Geometries, reaching: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Shapes whose extent meets that of no other shape in play."""
    one, other = overlay.all_meeting("exclusions", shapely.STRtree(shapes[reaching]), shapes[reaching])
    alone = np.ones(len(shapes), dtype=bool)
    alone[reaching[one[one != other]]] = False
    return alone


def _gather(
    site: NDArray[np.intp], shapes: Geometries, alone: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], Geometries]:
    """Sites that are reached, and the union of the shapes that reach each; shapes `alone` need no union."""
    order = np.argsort(site, kind="stable")
    site, shapes, alone = site[order], shapes[order], alone[order]
    touched, first, count = np.unique(site, return_index=True, return_counts=True)
    taken = shapes[first]
    apart = np.logical_and.reduceat(alone, first) if len(first) else np.empty(0, dtype=bool)
    for several, bundle in ((count > 1) & apart, shapely.multipolygons), ((count > 1) & ~apart, _union):
        chosen = np.repeat(several, count)
        if chosen.any():
            parts, part_of = shapely.get_parts(shapes[chosen], return_index=True)
            group = np.repeat(np.arange(several.sum()), count[several])[part_of]
            taken[several] = bundle(parts, indices=group)
    return touched, taken


def _union(parts: Geometries, *, indices: NDArray[np.intp]) -> Geometries:
    return shapely.union_all(shapely.geometrycollections(parts, indices=indices)[:, None], axis=1)


def _meets(
    touched: NDArray[np.intp], taken: Geometries, claimed: Sequence[tuple[NDArray[np.intp], Geometries]]
) -> NDArray[np.bool_]:
    """Where ground taken now was claimed by an earlier layer of the same site."""
    shared = np.zeros(len(touched), dtype=bool)
    for earlier, before in claimed:
        _, here, there = np.intersect1d(touched, earlier, assume_unique=True, return_indices=True)
        here, there = here[~shared[here]], there[~shared[here]]
        shared[here] = shapely.intersects(taken[here], before[there])
    return shared


def _punch(net: Geometries, site: NDArray[np.intp], holes: Geometries) -> Geometries:
    """Cut polygons that lie inside the net land and touch nothing: new rings, no overlay."""
    net = net.copy()
    plain = (shapely.get_type_id(net) == 3)[site]
    parted, cut = _gather(site[~plain], holes[~plain], np.ones(int((~plain).sum()), dtype=bool))
    net[parted] = shapely.difference(net[parted], cut)
    target = np.unique(site[plain])
    rings, owner = shapely.get_rings(net[target], return_index=True)
    rings = np.concatenate([rings, shapely.get_exterior_ring(holes[plain])])
    owner = np.concatenate([owner, np.searchsorted(target, site[plain])])
    order = np.argsort(owner, kind="stable")  # the shell stays first
    net[target] = shapely.polygons(rings[order], indices=owner[order])
    return net


def _reaching(zone: _Zone, rule: Exclusion, quad_segs: int) -> tuple[Geometries, list[Fault]]:
    """Clean areas of a layer that reach the ground, buffered, in the zone's metres; and what had to be repaired.

    Only what is near the ground is projected and repaired, only what reaches it is buffered.
    """
    layer, name, metres = rule.geometries, rule.name, rule.buffer_m
    bare = not isinstance(layer, gpd.GeoSeries | gpd.GeoDataFrame)
    source = pyproj.CRS(zone.sites_crs if bare else layer.crs)
    shapes = np.asarray(layer, dtype=object).ravel() if bare else layer.geometry.to_numpy()
    if not (len(shapes) and len(zone.ground)):
        return np.empty(0, dtype=object), []
    west, south, east, north = shapely.total_bounds(zone.ground)
    margin = metres * 1.01 + 1.0
    window = (west - margin, south - margin, east + margin, north + margin)
    if source != zone.crs and np.isfinite(window).all():
        window = pyproj.Transformer.from_crs(zone.crs, source, always_xy=True).transform_bounds(*window, densify_pts=51)
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    close = (bounds[:, :2] <= window[2:]).all(axis=1) & (bounds[:, 2:] >= window[:2]).all(axis=1)
    near = np.flatnonzero(close)
    areas, mended = clean(project(shapes[near], source, zone.crs), name, areas_only=metres == 0)
    labels = near if bare else layer.index[near]
    notes = [repair(name, labels[k], shapes[near[k]]) for k in mended]
    if not metres:
        return areas, notes
    _, near_by = overlay.all_meeting(name, shapely.STRtree(areas), zone.ground, predicate="dwithin", distance=metres)
    reached = areas[np.unique(near_by)]
    overlay.refuse_crossings(name, overlay.crossings(reached, of_each=True))
    overlay.refuse_crossings(name, overlay.buffer_crossings(reached, metres))
    with overlay.refusing_what_fails(name):
        return shapely.buffer(reached, metres, quad_segs=quad_segs), notes
