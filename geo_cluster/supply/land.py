"""What land a site really offers: net developable area, its pieces, what each rule takes.

Areas are planar areas in the CGCS2000 3-degree Gauss-Kruger zone of the site (EPSG:4534-4554). Sites that come in
such a zone and lie in it stay there; everything else is brought to the zone of each site's own longitude.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo_cluster.box.limits import limits
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.supply import overlay
from geo_cluster.supply.rectangle import largest_rectangles
from geo_cluster.supply.rings import ring_fault
from geo_cluster.world.coordinates import cgcs2000_zone

Geometries = NDArray[np.object_]
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

KINDS = {
    "Point": Text(zh="点", en="Point"),
    "MultiPoint": Text(zh="多点", en="MultiPoint"),
    "LineString": Text(zh="线", en="LineString"),
    "LinearRing": Text(zh="环线", en="LinearRing"),
    "MultiLineString": Text(zh="多线", en="MultiLineString"),
    "GeometryCollection": Text(zh="图形集合", en="GeometryCollection"),
}
"""Geometries without area."""


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
        A layer without CRS, degrees taken for metres, geometry of the wrong kind, duplicate or empty rule names,
        a buffer that is not a number of metres: all of them at once.
    """
    rules = [_as_exclusion(rule) for rule in exclusions]
    names = [rule.name for rule in rules]
    refuse_if(layer_faults(sites, "sites", kind="Polygon") + _rule_faults(rules))

    columns: dict[str, Any] = {column: np.zeros(len(sites)) for column in _columns(names)}
    columns |= {f"rectangle_{side}": np.full(len(sites), np.nan) for side in ("width_m", "length_m", "angle_deg")}
    net_all = np.full(len(sites), shapely.Polygon(), dtype=object)
    halls = np.full(len(sites), shapely.Polygon(), dtype=object)
    wanted = len(sites) <= SCREENING if rectangles is None else rectangles
    repairs: list[Fault] = []
    original = sites.geometry.to_numpy()
    zones = zones_of(sites)
    for zone in np.unique(zones):
        rows = np.flatnonzero(zones == zone)
        crs = pyproj.CRS(int(zone)) if zone else sites.crs
        ground, mended = _clean(_project(original[rows], sites.crs, crs), "sites")
        repairs += [_repair("sites", sites.index[rows[k]], original[rows[k]]) for k in mended]
        since = time.monotonic()
        shapely.prepare(ground)
        blanks = [rule.unknown for rule in rules if rule.unknown is not None]
        doubts = [_reaching("unknown", blank, 0.0, ground, sites.crs, crs)[0] for blank in blanks]
        batches = np.array_split(np.arange(len(rows)), 1 + len(rows) // BATCH)
        with ThreadPoolExecutor() as threads:  # GEOS works outside the interpreter's lock

            def reaching(rule: Exclusion) -> tuple[Geometries, list[Fault]]:
                return _reaching(rule.name, rule.geometries, rule.buffer_m, ground, sites.crs, crs, quad_segs)  # noqa: B023

            reached = list(threads.map(reaching, rules))
            repairs += [note for _, notes in reached for note in notes]
            layers = {name: areas for name, (areas, _) in zip(names, reached, strict=True)}

            def subtracted(batch: NDArray[np.intp]) -> list[Part]:
                return list(_subtracted(batch, ground, layers, doubts, rows, since))  # noqa: B023

            for part, measures, net in itertools.chain.from_iterable(threads.map(subtracted, batches)):
                for column, values in measures.items():
                    columns[column][rows[part]] = values
                net_all[rows[part]] = _project(net, crs, sites.crs)
        if wanted:
            found = largest_rectangles(net_all[rows] if crs == sites.crs else _project(net_all[rows], sites.crs, crs))
            columns["rectangle_width_m"][rows] = found.width_m
            columns["rectangle_length_m"][rows] = found.length_m
            columns["rectangle_angle_deg"][rows] = found.angle_deg
            halls[rows] = _project(found.geometry, crs, sites.crs)
    columns["rectangle"] = gpd.GeoSeries(halls, index=sites.index, crs=sites.crs)
    out = gpd.GeoDataFrame(columns, geometry=net_all, crs=sites.crs, index=sites.index).astype({"pieces": int})
    out.attrs["repairs"] = repairs
    return out


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


def _as_exclusion(rule: Any) -> Exclusion:
    """Accept a mapping or any object with the same fields."""
    if isinstance(rule, Exclusion):
        return rule
    if isinstance(rule, Mapping):
        return Exclusion(**rule)
    return Exclusion(rule.name, rule.geometries, getattr(rule, "buffer_m", 0.0), getattr(rule, "unknown", None))


def _subtracted(
    batch: NDArray[np.intp],
    ground: Geometries,
    layers: Mapping[str, Geometries],
    doubts: Sequence[Geometries],
    rows: NDArray[np.intp],
    since: float,
) -> Iterator[Part]:
    """Take the layers off a batch of the ground, in parts whose outlines cross no more often than may be."""
    overlay.refuse_slow("sites", since)
    with overlay.refusing_what_fails("sites"):
        count, again = _work(ground[batch], [*layers.values(), *doubts])
    is_much = count > limits().crossings or again > UNIONS * limits().crossings
    if is_much and len(batch) > 1:
        for half in np.array_split(batch, 2):
            yield from _subtracted(half, ground, layers, doubts, rows, since)
        return
    row = int(rows[batch[0]]) + 1 if len(batch) else 0
    overlay.refuse_crossings(Place("sites", row=row), count)
    with _LARGE if count > limits().crossings // LARGE else nullcontext(), overlay.refusing_what_fails("sites"):
        yield batch, *_subtract(ground[batch], layers, doubts)


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


def _reaching(
    name: str, layer: Any, buffer_m: float, ground: Geometries, sites_crs: Any, crs: pyproj.CRS, quad_segs: int = 16
) -> tuple[Geometries, list[Fault]]:
    """Clean areas of a layer that reach the ground, buffered, in the zone's metres; and what had to be repaired.

    Only what is near the ground is projected and repaired, only what reaches it is buffered.
    """
    bare = not isinstance(layer, gpd.GeoSeries | gpd.GeoDataFrame)
    source = pyproj.CRS(sites_crs if bare else layer.crs)
    shapes = np.asarray(layer, dtype=object).ravel() if bare else layer.geometry.to_numpy()
    if not (len(shapes) and len(ground)):
        return np.empty(0, dtype=object), []
    west, south, east, north = shapely.total_bounds(ground)
    margin = buffer_m * 1.01 + 1.0
    window = (west - margin, south - margin, east + margin, north + margin)
    if source != crs and np.isfinite(window).all():
        window = pyproj.Transformer.from_crs(crs, source, always_xy=True).transform_bounds(*window, densify_pts=51)
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    close = (bounds[:, :2] <= window[2:]).all(axis=1) & (bounds[:, 2:] >= window[:2]).all(axis=1)
    near = np.flatnonzero(close)
    areas, mended = _clean(_project(shapes[near], source, crs), name, areas_only=buffer_m == 0)
    labels = near if bare else layer.index[near]
    notes = [_repair(name, labels[k], shapes[near[k]]) for k in mended]
    if not buffer_m:
        return areas, notes
    _, near_by = overlay.all_meeting(name, shapely.STRtree(areas), ground, predicate="dwithin", distance=buffer_m)
    reached = areas[np.unique(near_by)]
    overlay.refuse_crossings(name, overlay.crossings(reached, of_each=True))
    overlay.refuse_crossings(name, overlay.buffer_crossings(reached, buffer_m))
    with overlay.refusing_what_fails(name):
        return shapely.buffer(reached, buffer_m, quad_segs=quad_segs), notes


def _clean(shapes: Geometries, name: str, *, areas_only: bool = True) -> tuple[Geometries, NDArray[np.intp]]:
    """Valid 2-D geometries (only their polygons, if asked), and the positions of those that had to be repaired."""
    shapes = shapely.force_2d(shapes) if shapely.has_z(shapes).any() else shapes.copy()
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    overlay.refuse_crossings(name, overlay.crossings(shapes[broken], of_each=True))
    with overlay.refusing_what_fails(name):
        shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=not areas_only)
    if areas_only:
        mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)
        for k in mixed:
            parts = shapely.get_parts(shapes[k])
            shapes[k] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return shapes, broken


def _repair(layer: str, row: Any, shape: Any) -> Fault:
    """What was wrong with a shape that was repaired."""
    return ring_fault(Place(layer, entry=str(row)), shape)


def layer_faults(layer: Any, place: Place | str, *, kind: str | None = None) -> list[Fault]:
    """List what makes a layer unusable: no CRS, degrees taken for metres, geometry of the wrong kind.

    Parameters
    ----------
    layer : GeoDataFrame, GeoSeries or array of geometries
    place : Place or str
        Of the layer.
    kind : {"Polygon", None}
        "Polygon" refuses points and lines.
    """
    here = place if isinstance(place, Place) else Place(place)
    placed = isinstance(layer, gpd.GeoSeries | gpd.GeoDataFrame)
    shapes = layer.geometry.to_numpy() if placed else np.asarray(layer, dtype=object).ravel()
    faults = _crs_faults(layer.crs, shapes, here) if placed else []
    if kind == "Polygon":
        flat = (shapely.get_dimensions(shapes) < 2) & ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
        faults += [
            Fault("supply.no_area", replace(here, row=int(k) + 1), type=KINDS[shapes[k].geom_type])
            for k in np.flatnonzero(flat)
        ]
    return faults


def _crs_faults(crs: pyproj.CRS | None, shapes: Geometries, here: Place) -> list[Fault]:
    west, south, east, north = map(float, shapely.total_bounds(shapes) if len(shapes) else [np.nan] * 4)
    looks_like_degrees = 73 <= west <= east <= 136 and 3 <= south <= north <= 54
    if crs is None:
        return [Fault("supply.no_crs_but_degrees", here) if looks_like_degrees else Fault("supply.no_crs", here)]
    corner = {"x": west, "y": south}
    if crs.is_projected and looks_like_degrees:
        return [Fault("supply.degrees_in_metres", here, crs=crs.to_string(), **corner)]
    if crs.is_geographic and 3 <= west <= east <= 54 and 73 <= south <= north <= 136:
        return [Fault("supply.degrees_swapped", here, **corner)]
    if crs.is_geographic and np.isfinite(west) and (west < -180 or east > 180 or south < -90 or north > 90):
        return [Fault("supply.metres_in_degrees", here, crs=crs.to_string(), **corner)]
    return []


def zones_of(sites: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """EPSG code of the CRS to measure each site in: its CGCS2000 3-degree zone, or 0 for the layer's own CRS.

    A layer that came in a Gauss-Kruger zone and whose middle lies in that zone is measured there as a whole, as
    surveyors do when a town straddles a meridian. A projected layer outside China is measured in its own CRS.

    Parameters
    ----------
    sites : GeoDataFrame
        Any CRS.

    Returns
    -------
    (sites,) ndarray of int
    """
    own = np.zeros(len(sites), dtype=np.int64)
    bounds = shapely.bounds(sites.geometry.to_numpy())
    x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return own
    to_degrees = pyproj.Transformer.from_crs(sites.crs, 4490, always_xy=True)
    west, south, east, north = sites.total_bounds
    middle_lon, middle_lat = to_degrees.transform((west + east) / 2, (south + north) / 2)
    in_china = 73.5 <= middle_lon <= 136.5 and 3 <= middle_lat <= 54
    if sites.crs.is_projected and not in_china:
        return own
    if in_china and sites.crs.to_epsg() in (cgcs2000_zone(middle_lon), cgcs2000_zone(middle_lon, prefix=True)):
        return own
    lon, _ = to_degrees.transform(x[known], y[known])
    own[known] = cgcs2000_zone(lon)
    own[~known] = own[known][0]
    return own


def _project(shapes: Geometries, source: Any, target: Any) -> Geometries:
    source, target = pyproj.CRS(source), pyproj.CRS(target)
    if source == target:
        return shapes.copy()
    move = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return shapely.transform(shapes, move, interleaved=False)
