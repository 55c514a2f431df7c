"""Exclusions from rasters: land-cover classes, slope from an elevation model, any threshold.

What a rule excludes is stated in full: ``at_least`` is >=, ``above`` is >, ``at_most`` is <=, ``below`` is <, `classes`
is a list. A cell without data is unknown, never excluded. Rasterio and exactextract are imported when needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.supply.land import Exclusion
from geo_cluster.supply.layer import layer_faults

Floats = NDArray[np.float64]

DRIVERS = {".tif": "GTiff", ".tiff": "GTiff", ".img": "HFA", ".asc": "AAIGrid", ".bil": "EHdr", ".hgt": "SRTMHGT"}
"""What may open a raster, by its ending: files that hold their cells, none that would have others opened."""


@dataclass(frozen=True)
class CellRule:
    """Which cells of a raster a rule excludes; a cell that meets any one of the tests is excluded.

    Parameters
    ----------
    at_least, above, at_most, below : float, optional
        ``>=``, ``>``, ``<=``, ``<``.
    classes : sequence of int
        Land-cover classes.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    classes: Sequence[int] = ()

    def excludes(self, values: Floats) -> NDArray[np.bool_]:
        """Which cells are excluded, in the shape of `values`; nan (no data) never is."""
        out = np.isin(values, np.asarray(self.classes, dtype=float))
        for limit, test in (
            (self.at_least, np.greater_equal),
            (self.above, np.greater),
            (self.at_most, np.less_equal),
            (self.below, np.less),
        ):
            if limit is not None:
                out |= test(values, limit)
        return out & ~np.isnan(values)


def slope_percent(elevation_m: Floats, cell_x_m: float, cell_y_m: float) -> Floats:
    """Slope in percent of an elevation grid, by Horn's third-order difference over the eight neighbours.

    Parameters
    ----------
    elevation_m : (rows, columns) ndarray
        Metres; nan where unknown.
    cell_x_m, cell_y_m : float
        Size of a cell, metres.

    Returns
    -------
    (rows, columns) ndarray
        nan at the edge, and where a neighbour is without data.

    References
    ----------
    Horn (1981), Hill shading and the reflectance map, Proc. IEEE 69(1); the method of GDAL and ArcGIS.
    """
    z = np.asarray(elevation_m, dtype=float)
    out = np.full(z.shape, np.nan)
    if min(z.shape) < 3:
        return out
    a, b, c = z[:-2, :-2], z[:-2, 1:-1], z[:-2, 2:]
    d, f = z[1:-1, :-2], z[1:-1, 2:]
    g, h, i = z[2:, :-2], z[2:, 1:-1], z[2:, 2:]
    east = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * cell_x_m)
    north = ((a + 2 * b + c) - (g + 2 * h + i)) / (8 * cell_y_m)
    out[1:-1, 1:-1] = np.where(np.isnan(z[1:-1, 1:-1]), np.nan, 100 * np.hypot(east, north))
    return out


def raster_exclusion(
    name: str,
    raster: str | Path,
    rule: CellRule,
    *,
    within: gpd.GeoDataFrame | None = None,
    slope: bool = False,
    band: int = 1,
) -> Exclusion:
    """Turn the excluded cells of a raster into polygons, for `developable` with exact areas.

    Parameters
    ----------
    name : str
        Name of the rule.
    raster : path
        A file with one of the endings of `DRIVERS`, with a CRS.
    rule : CellRule
    within : GeoDataFrame, optional
        The sites: their ground beyond the raster then counts as unknown too.
    slope : bool
        The band is elevation in metres; the rule is about slope in percent. Needs a raster in metres.
    band : int

    Returns
    -------
    Exclusion
        Excluded cells, dissolved; `unknown` holds the cells without data.

    Raises
    ------
    InputError
        With every fault of the raster: of another kind, missing, unreadable, without CRS, rotated, without the band,
        in degrees where slope is asked for.
    """
    values, transform, crs = _read(raster, band, slope)
    excluded, unknown = rule.excludes(values), np.isnan(values)
    blank = _polygons(unknown, transform, crs)
    if within is not None:
        beyond = shapely.box(*within.to_crs(crs).total_bounds).difference(
            shapely.box(*_bounds(values.shape, transform))
        )
        blank = gpd.GeoSeries([*blank, beyond], crs=crs)
    return Exclusion(name, _polygons(excluded, transform, crs), 0.0, blank)


def excluded_share(
    sites: gpd.GeoDataFrame,
    raster: str | Path,
    rule: CellRule,
    *,
    mode: str = "exact",
    slope: bool = False,
    band: int = 1,
) -> pd.DataFrame:
    """Share of each site that a raster rule excludes, and the share it knows nothing about.

    Parameters
    ----------
    sites : GeoDataFrame
    raster, rule, slope, band
        See `raster_exclusion`.
    mode : {"exact", "cell_centre"}
        ``exact`` weighs each cell by the fraction that the site covers (exactextract); ``cell_centre`` counts the cells
        whose centre lies in the site, as most land-eligibility tools do.

    Returns
    -------
    DataFrame
        Indexed like `sites`: `excluded`, `unknown` (no data, or beyond the raster), `free`; they add up to 1. In
        ``cell_centre`` mode a site without any cell centre is all unknown.

    Raises
    ------
    InputError
        With every fault of the sites, or of the raster (see `raster_exclusion`).
    """
    faults = layer_faults(sites, "sites", kind="Polygon")
    if mode not in ("exact", "cell_centre"):
        faults.append(Fault("supply.raster_mode_unknown", "mode", mode=mode))
    refuse_if(faults)
    values, transform, crs = _read(raster, band, slope)
    excluded, unknown = rule.excludes(values), np.isnan(values)
    shapes = sites.geometry.to_crs(crs)
    measure = _exact if mode == "exact" else _by_centre
    taken, known = measure(shapes, excluded, ~unknown, transform, crs)
    out = pd.DataFrame({"excluded": taken, "unknown": np.maximum(1.0 - known, 0.0)}, index=sites.index)
    out["free"] = np.maximum(known - taken, 0.0)
    return out


def _exact(shapes: gpd.GeoSeries, excluded: Any, known: Any, transform: Any, crs: Any) -> tuple[Floats, Floats]:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    height, width = excluded.shape
    west, north = transform.c, transform.f
    extent = {
        "xmin": west,
        "ymax": north,
        "xmax": west + width * transform.a,
        "ymin": north + height * transform.e,
        "srs_wkt": crs.to_wkt(),
    }
    layers = [
        NumPyRasterSource(grid.astype(float), name=name, **extent)
        for name, grid in (("excluded", excluded), ("known", known))
    ]
    usable = np.asarray(~(shapes.is_empty | shapes.isna()))
    out = np.zeros((len(shapes), 2))
    frame = gpd.GeoDataFrame(geometry=shapes[usable].to_numpy(), crs=crs)
    if len(frame):
        sums = exact_extract(layers, frame, ["sum"], output="pandas")
        cell = abs(transform.a * transform.e)
        share = cell / shapely.area(frame.geometry.to_numpy())
        out[usable, 0] = sums["excluded_sum"].fillna(0.0).to_numpy(float) * share
        out[usable, 1] = sums["known_sum"].fillna(0.0).to_numpy(float) * share
    return np.minimum(out[:, 0], 1.0), np.minimum(out[:, 1], 1.0)


def _by_centre(shapes: gpd.GeoSeries, excluded: Any, known: Any, transform: Any, _: Any) -> tuple[Floats, Floats]:
    rows, columns = np.indices(excluded.shape)
    x, y = transform.c + (columns.ravel() + 0.5) * transform.a, transform.f + (rows.ravel() + 0.5) * transform.e
    site, cell = shapely.STRtree(shapely.points(x, y)).query(shapes.to_numpy(), predicate="intersects")
    counts = np.bincount(site, minlength=len(shapes))
    taken = np.bincount(site, weights=excluded.ravel()[cell], minlength=len(shapes))
    seen = np.bincount(site, weights=known.ravel()[cell], minlength=len(shapes))
    # cells beyond the raster would have had centres too: judge by the area where that is larger
    expected = np.maximum(counts, np.round(shapely.area(shapes.to_numpy()) / abs(transform.a * transform.e)))
    inside = shapely.covers(shapely.box(*_bounds(excluded.shape, transform)), shapes.to_numpy())
    total = np.where(inside, counts, expected)
    return taken / np.maximum(total, 1), seen / np.maximum(total, 1)


def _bounds(shape: tuple[int, int], transform: Any) -> tuple[float, float, float, float]:
    return transform.c, transform.f + shape[0] * transform.e, transform.c + shape[1] * transform.a, transform.f


def _read(raster: str | Path, band: int, slope: bool) -> tuple[Floats, Any, Any]:
    """Values with nan for no data, transform and CRS."""
    from rasterio.errors import RasterioIOError

    driver = DRIVERS.get(Path(raster).suffix.lower())
    if driver is None:
        raise InputError(Fault("supply.raster_of_another_kind", raster, known=list(DRIVERS)))
    if not Path(raster).is_file():
        raise InputError(Fault("common.no_such_file", raster))
    try:
        return _values(raster, driver, band, slope)
    except RasterioIOError as error:
        raise InputError(Fault("supply.raster_unreadable", raster, reason=str(error))) from error


def _values(raster: str | Path, driver: str, band: int, slope: bool) -> tuple[Floats, Any, Any]:
    import rasterio

    with rasterio.open(raster, driver=driver) as source:
        faults = []
        if source.crs is None:
            faults.append(Fault("supply.raster_without_crs", raster))
        elif slope and not source.crs.is_projected:
            faults.append(Fault("supply.slope_in_degrees", raster))
        if source.transform.b or source.transform.d:
            faults.append(Fault("supply.raster_rotated", raster))
        if band not in source.indexes:
            faults.append(Fault("supply.raster_without_band", raster, band=band, known=list(source.indexes)))
        refuse_if(faults)
        values = source.read(band, masked=True).astype(float).filled(np.nan)
        transform, crs = source.transform, source.crs
    return (slope_percent(values, transform.a, -transform.e) if slope else values), transform, crs


def _polygons(mask: NDArray[np.bool_], transform: Any, crs: Any) -> gpd.GeoSeries:
    from rasterio.features import shapes

    found = [
        shapely.geometry.shape(shape) for shape, _ in shapes(mask.astype(np.uint8), mask=mask, transform=transform)
    ]
    return gpd.GeoSeries(found, crs=crs)
