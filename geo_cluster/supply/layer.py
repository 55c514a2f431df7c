"""A layer of shapes before it is measured: what is wrong with it, the zone it is measured in, its shapes made sound.

Areas are planar areas in the CGCS2000 3-degree Gauss-Kruger zone of the site (EPSG:4534-4554). Sites that come in
such a zone and lie in it stay there; everything else is brought to the zone of each site's own longitude.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
import shapely.ops
from numpy.typing import NDArray

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place
from geo_cluster.supply import overlay
from geo_cluster.supply.overlay import Geometries
from geo_cluster.supply.rings import ring_fault
from geo_cluster.world.coordinates import cgcs2000_zone

KINDS = {
    "Point": Text(zh="点", en="Point"),
    "MultiPoint": Text(zh="多点", en="MultiPoint"),
    "LineString": Text(zh="线", en="LineString"),
    "LinearRing": Text(zh="环线", en="LinearRing"),
    "MultiLineString": Text(zh="多线", en="MultiLineString"),
    "GeometryCollection": Text(zh="图形集合", en="GeometryCollection"),
}
"""Geometries without area."""

TRUE_WITHIN = 0.01
"""Share by which areas in a system may differ from those on the ground; within a UTM zone it is 0.002."""

SQUARE_WITHIN = 0.03
"""Part by which lengths to the east and to the north may differ."""


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
    if not _has_place(crs):
        return [Fault("supply.no_crs", here)]
    corner = {"x": west, "y": south}
    if crs.is_projected and looks_like_degrees:
        return [Fault("supply.degrees_in_metres", here, crs=crs.to_string(), **corner)]
    if crs.is_geographic and 3 <= west <= east <= 54 and 73 <= south <= north <= 136:
        return [Fault("supply.degrees_swapped", here, **corner)]
    if crs.is_geographic and np.isfinite(west) and (west < -180 or east > 180 or south < -90 or north > 90):
        return [Fault("supply.metres_in_degrees", here, crs=crs.to_string(), **corner)]
    return []


def _has_place(crs: pyproj.CRS) -> bool:
    """Whether a system says where on Earth its numbers are; local ones don't."""
    try:
        pyproj.Transformer.from_crs(crs, 4490, always_xy=True)
    except pyproj.exceptions.ProjError:
        return False
    return True


def measured_faults(layer: Any, place: Place | str) -> list[Fault]:
    """What makes a layer of areas unfit to be measured: as `layer_faults`, and a system in which areas aren't true."""
    faults = layer_faults(layer, place, kind="Polygon")
    return faults or (_distortion_faults(layer, place) if isinstance(layer, gpd.GeoSeries | gpd.GeoDataFrame) else [])


def _distortion_faults(sites: gpd.GeoDataFrame, place: Place | str) -> list[Fault]:
    """The fault of a system in which areas or lengths aren't true, where sites would be measured in it.

    Web Mercator and feet have other areas; equal-area cylinders squeeze buffers and halls.

    Compared with the ellipsoid on a square of a kilometre or so, in the middle of the layer and at its corners.

    Parameters
    ----------
    sites : GeoDataFrame
        With a CRS that its numbers can be in.
    place : Place or str
        Of the layer.
    """
    if zones_of(sites).any() or sites.empty or not np.isfinite(sites.total_bounds).all():
        return []
    west, south, east, north = map(float, sites.total_bounds)
    ground = pyproj.Geod(ellps="WGS84")
    to_degrees = pyproj.Transformer.from_crs(sites.crs, 4326, always_xy=True).transform
    x, y = (west + east) / 2, (south + north) / 2
    squares = [shapely.box(a - 500, b - 500, a + 500, b + 500) for a in (west, x, east) for b in (south, y, north)]
    areas = [abs(ground.geometry_area_perimeter(shapely.ops.transform(to_degrees, square))[0]) for square in squares]
    times = 1e6 / np.array(areas)
    worst = float(times[np.abs(np.log(times)).argmax()])
    lon, lat = to_degrees(x, y)
    utm = int((32600 if lat >= 0 else 32700) + min((lon + 180) // 6 + 1, 60))
    how = {"crs": sites.crs.to_string(), "metric": f"EPSG:{utm}"}
    if abs(worst - 1) > TRUE_WITHIN:
        return [Fault("supply.areas_not_true", place, times=worst, **how)]
    sides = [shapely.LineString([(x - 500, y), (x + 500, y)]), shapely.LineString([(x, y - 500), (x, y + 500)])]
    lengths = [ground.geometry_length(shapely.ops.transform(to_degrees, side)) for side in sides]
    east, north = (1000 / np.array(lengths)).tolist()
    if abs(east / north - 1) > SQUARE_WITHIN:
        return [Fault("supply.lengths_not_true", place, east=east, north=north, **how)]
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


def project(shapes: Geometries, source: Any, target: Any) -> Geometries:
    """Bring shapes from one CRS to another.

    Parameters
    ----------
    shapes : (n,) array of geometries
    source, target : CRS
        x comes first, whatever the order of their axes.

    Returns
    -------
    (n,) array of geometries
        Always a copy.
    """
    source, target = pyproj.CRS(source), pyproj.CRS(target)
    if source == target:
        return shapes.copy()
    move = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return shapely.transform(shapes, move, interleaved=False)


def clean(shapes: Geometries, name: str, *, areas_only: bool = True) -> tuple[Geometries, NDArray[np.intp]]:
    """Make shapes valid, in two dimensions.

    Parameters
    ----------
    shapes : (n,) array of geometries
    name : str
        What they are called in a refusal.
    areas_only : bool
        Keep only what has an area.

    Returns
    -------
    shapes : (n,) array of geometries
        Empty where there was none.
    broken : ndarray of int
        Positions of those that had to be repaired.

    Raises
    ------
    InputError
        Where their outlines cross more often than may be.
    """
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


def repair(layer: str, row: Any, shape: Any) -> Fault:
    """What was wrong with a shape that was repaired.

    Parameters
    ----------
    layer : str
        Name of the layer.
    row : object
        Label of the shape.
    shape : geometry
        As it was.
    """
    return ring_fault(Place(layer, entry=str(row)), shape)
