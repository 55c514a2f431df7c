"""What land a site really offers: net developable area, its pieces, what each rule takes.

Areas are planar areas in the CGCS2000 3-degree Gauss-Kruger zone of the site (EPSG:4534-4554). Sites that come in
such a zone and lie in it stay there; everything else is brought to the zone of each site's own longitude.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo_cluster.errors import Fault, refuse_if

Geometries = NDArray[np.object_]

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
    sites: gpd.GeoDataFrame, exclusions: Sequence[Exclusion] = (), *, quad_segs: int = 16
) -> gpd.GeoDataFrame:
    """Land of each site that no rule excludes.

    Parameters
    ----------
    sites : GeoDataFrame
        Polygons, any CRS. Rings that cross themselves are repaired and named in ``result.attrs["repairs"]``.
    exclusions : sequence of Exclusion
        In the order in which they are charged: ground that two rules exclude counts as lost to the first.
    quad_segs : int
        Segments of a quarter circle in buffers; 16 keeps a buffer's area within 0.2 %.

    Returns
    -------
    GeoDataFrame
        Indexed like `sites`, in their CRS: `gross_ha`, `net_ha`, `unknown_ha` (net land on which some rule has no
        data), `pieces`, `largest_piece_ha`, for each rule ``lost_<name>_ha`` (what it takes of what earlier rules
        left) and ``total_<name>_ha`` (what it takes alone), `geometry` (the net land).
        ``gross = net + sum(lost)``.

    Raises
    ------
    InputError
        A layer without CRS, degrees taken for metres, geometry of the wrong kind, duplicate or empty rule names,
        a buffer that is not a number of metres: all of them at once.
    """
    rules = [_as_exclusion(rule) for rule in exclusions]
    faults = layer_faults(sites, "sites", kind="Polygon")
    names = [rule.name for rule in rules]
    for k, rule in enumerate(rules):
        here = f"exclusion {k + 1} ({rule.name})"
        if not rule.name or rule.name in names[:k]:
            faults.append(Fault(here, "has no name of its own", "give each exclusion a different name"))
        if not (np.isfinite(rule.buffer_m) and rule.buffer_m >= 0):
            faults.append(Fault(here, f"buffer_m is {rule.buffer_m}", "give a distance in metres, 0 or more"))
        faults += layer_faults(rule.geometries, here, kind="Polygon" if rule.buffer_m == 0 else None)
    refuse_if(faults)

    columns = {column: np.zeros(len(sites)) for column in _columns(names)}
    net_all = np.full(len(sites), shapely.Polygon(), dtype=object)
    repairs: list[str] = []
    given = sites.geometry.to_numpy()
    zones = zones_of(sites)
    for zone in pd.unique(zones):
        rows = np.flatnonzero(zones == zone)
        crs = pyproj.CRS.from_user_input(zone)
        ground, mended = _clean(_project(given[rows], sites.crs, crs))
        repairs += [_repair_note("sites", sites.index[rows[k]], given[rows[k]]) for k in mended]
        measures, net = _subtract(ground, rules, sites.crs, crs, quad_segs)
        for column, values in measures.items():
            columns[column][rows] = values
        net_all[rows] = _project(net, crs, sites.crs)
    out = gpd.GeoDataFrame(columns, geometry=net_all, crs=sites.crs, index=sites.index).astype({"pieces": int})
    out.attrs["repairs"] = repairs
    return out


def _columns(names: Sequence[str]) -> list[str]:
    measured = ["gross_ha", "net_ha", "unknown_ha", "pieces", "largest_piece_ha"]
    return measured + [f"lost_{name}_ha" for name in names] + [f"total_{name}_ha" for name in names]


def _as_exclusion(rule: Any) -> Exclusion:
    """Accept a mapping or any object with the same fields."""
    if isinstance(rule, Exclusion):
        return rule
    if isinstance(rule, Mapping):
        return Exclusion(**rule)
    return Exclusion(rule.name, rule.geometries, getattr(rule, "buffer_m", 0.0), getattr(rule, "unknown", None))


def _subtract(
    ground: Geometries, rules: Sequence[Exclusion], sites_crs: Any, crs: pyproj.CRS, quad_segs: int
) -> tuple[dict[str, NDArray[np.float64]], Geometries]:
    """Take the rules off clean polygons of one zone, in order."""
    gross = shapely.area(ground)
    measures = {"gross_ha": gross / 1e4}
    net = ground.copy()
    doubt = np.full(len(ground), shapely.Polygon(), dtype=object)
    for rule in rules:
        before = shapely.area(net)
        touched, taken = _taken(
            ground, _near(rule.geometries, ground, rule.buffer_m, sites_crs, crs), rule.buffer_m, quad_segs
        )
        total = np.zeros(len(ground))
        total[touched] = shapely.area(shapely.intersection(ground[touched], taken))
        net[touched] = shapely.difference(net[touched], taken)
        measures[f"lost_{rule.name}_ha"] = np.maximum(before - shapely.area(net), 0.0) / 1e4
        measures[f"total_{rule.name}_ha"] = total / 1e4
        if rule.unknown is not None:
            touched, blank = _taken(ground, _near(rule.unknown, ground, 0.0, sites_crs, crs), 0.0, quad_segs)
            doubt[touched] = shapely.union(doubt[touched], blank)
    measures["unknown_ha"] = shapely.area(shapely.intersection(net, doubt)) / 1e4
    measures["net_ha"] = shapely.area(net) / 1e4
    parts, owner = shapely.get_parts(net, return_index=True)
    areas = shapely.area(parts)
    measures["pieces"] = np.bincount(owner[areas > CRUMB_M2], minlength=len(net)).astype(float)
    largest = np.zeros(len(net))
    np.maximum.at(largest, owner, areas)
    measures["largest_piece_ha"] = largest / 1e4
    return measures, net


def _taken(
    ground: Geometries, layer: Geometries, buffer_m: float, quad_segs: int
) -> tuple[NDArray[np.intp], Geometries]:
    """Positions of the polygons that the layer reaches, and the union of what reaches each."""
    if buffer_m:
        owner, hit = shapely.STRtree(layer).query(ground, predicate="dwithin", distance=buffer_m)
    else:
        owner, hit = shapely.STRtree(layer).query(ground, predicate="intersects")
    reached, place = np.unique(hit, return_inverse=True)
    area = shapely.buffer(layer[reached], buffer_m, quad_segs=quad_segs) if buffer_m else layer[reached]
    order = np.argsort(owner, kind="stable")
    touched, group = np.unique(owner[order], return_inverse=True)
    return touched, _union_by(area[place[order]], group, len(touched))


def _union_by(parts: Geometries, group: NDArray[np.intp], count: int) -> Geometries:
    """Union of the parts of each group; `group` is sorted."""
    bundles = shapely.geometrycollections(parts, indices=group, out=np.empty(count, dtype=object))
    return shapely.union_all(bundles[:, None], axis=1)


def _near(layer: Any, ground: Geometries, buffer_m: float, sites_crs: Any, crs: pyproj.CRS) -> Geometries:
    """Clean geometries of a layer that lie about the ground, in the zone's metres."""
    bare = not isinstance(layer, gpd.GeoSeries | gpd.GeoDataFrame)
    source = pyproj.CRS(sites_crs if bare else layer.crs)
    shapes = np.asarray(layer, dtype=object).ravel() if bare else layer.geometry.to_numpy()
    if len(shapes) == 0 or len(ground) == 0:
        return np.empty(0, dtype=object)
    west, south, east, north = shapely.total_bounds(ground)
    margin = buffer_m * 1.01 + 1.0
    window = (west - margin, south - margin, east + margin, north + margin)
    if source != crs:
        window = pyproj.Transformer.from_crs(crs, source, always_xy=True).transform_bounds(*window, densify_pts=51)
    if not np.isfinite(window).all():
        return np.empty(0, dtype=object)
    bounds = shapely.bounds(shapes)
    close = (
        (bounds[:, 0] <= window[2])
        & (bounds[:, 2] >= window[0])
        & (bounds[:, 1] <= window[3])
        & (bounds[:, 3] >= window[1])
    )
    return _clean(_project(shapes[close], source, crs), areas_only=buffer_m == 0)[0]


def _clean(shapes: Geometries, *, areas_only: bool = True) -> tuple[Geometries, NDArray[np.intp]]:
    """Valid 2-D geometries (only their polygons, if asked), and the positions of those that had to be repaired."""
    shapes = shapely.force_2d(shapes)
    shapes[shapely.is_missing(shapes)] = shapely.Polygon()
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=not areas_only)
    if areas_only:
        mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)
        for k in mixed:
            parts = shapely.get_parts(shapes[k])
            shapes[k] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return shapes, broken


def _repair_note(layer: str, row: Any, shape: Any) -> str:
    reason = shapely.is_valid_reason(shape)
    return str(Fault(f"{layer} row {row}", reason, "repaired here; correct the ring in its source"))


def layer_faults(layer: Any, where: str, *, kind: str | None = None) -> list[Fault]:
    """List what makes a layer unusable: no CRS, degrees taken for metres, geometry of the wrong kind.

    Parameters
    ----------
    layer : GeoDataFrame, GeoSeries or array of geometries
    where : str
        Name of the layer in the faults.
    kind : {"Polygon", None}
        "Polygon" refuses points and lines.
    """
    placed = isinstance(layer, gpd.GeoSeries | gpd.GeoDataFrame)
    shapes = layer.geometry.to_numpy() if placed else np.asarray(layer, dtype=object).ravel()
    faults = []
    if placed:
        west, south, east, north = shapely.total_bounds(shapes)
        looks_like_degrees = 73 <= west <= east <= 136 and 3 <= south <= north <= 54
        if layer.crs is None:
            guess = (
                "EPSG:4490 (the numbers look like degrees)"
                if looks_like_degrees
                else "the zone it was drawn in, e.g. EPSG:4547"
            )
            faults.append(Fault(where, "has no coordinate reference system", f"set it with set_crs: {guess}"))
        elif layer.crs.is_projected and looks_like_degrees:
            what = f"says {layer.crs.to_string()}, in metres, but its numbers are degrees ({west:.3f}, {south:.3f})"
            faults.append(Fault(where, what, "set the CRS that the numbers are in, e.g. EPSG:4490"))
        elif layer.crs.is_geographic and np.isfinite(west) and (west < -180 or east > 180 or south < -90 or north > 90):
            what = (
                f"says {layer.crs.to_string()}, which is in degrees, but its numbers are not ({west:.0f}, {south:.0f})"
            )
            faults.append(Fault(where, what, "set the projected CRS that the numbers are in, e.g. EPSG:4547"))
    if kind == "Polygon":
        flat = np.flatnonzero(
            (shapely.get_dimensions(shapes) < 2) & ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
        )
        labels = layer.index if placed else range(len(shapes))
        faults += [
            Fault(
                f"{where} row {labels[k]}",
                f"is a {shapes[k].geom_type}, which has no area",
                "give polygons, or a buffer_m",
            )
            for k in flat
        ]
    return faults


def zones_of(sites: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """CRS to measure each site in: its CGCS2000 3-degree zone, or the layer's own where it is such a zone.

    A layer that came in a Gauss-Kruger zone and whose middle lies in that zone is measured there as a whole, as
    surveyors do when a town straddles a meridian. A projected layer outside China is measured in its own CRS.
    """
    out = np.full(len(sites), sites.crs, dtype=object)
    bounds = shapely.bounds(sites.geometry.to_numpy())
    x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return out
    to_degrees = pyproj.Transformer.from_crs(sites.crs, 4490, always_xy=True)
    lon, _ = to_degrees.transform(np.where(known, x, np.nan), np.where(known, y, np.nan))
    code = sites.crs.to_epsg()
    west, south, east, north = np.nanmin(x), np.nanmin(y), np.nanmax(x), np.nanmax(y)
    middle_lon, middle_lat = to_degrees.transform((west + east) / 2, (south + north) / 2)
    in_china = 73.5 <= middle_lon <= 136.5 and 3 <= middle_lat <= 54
    if sites.crs.is_projected and not in_china:
        return out
    if code is not None and 4513 <= code <= 4554 and (code - 4513) % 21 == _zone(middle_lon):
        return out
    out[known] = 4534 + np.clip(_zone(lon[known]), 0, 20)
    out[~known] = out[known][0]
    return out


def _zone(lon: Any) -> Any:
    """Position of the 3-degree zone, 0 for the one about 75 degrees east (GB/T 17798)."""
    return np.floor((np.asarray(lon) + 1.5) / 3).astype(int) - 25


def _project(shapes: Geometries, source: Any, target: Any) -> Geometries:
    source, target = pyproj.CRS(source), pyproj.CRS(target)
    if source == target:
        return shapes.copy()
    move = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return shapely.transform(shapes, move, interleaved=False)
