"""Rasters: what a GeoTIFF says of itself, which numbers are in it, and its pixels some rows at a time; runs in the box.

GDAL keeps no driver but that of GeoTIFF, which a COG is too: nothing in a file has another one opened.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import rasterio
from rasterio import _env
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError

DRIVER = "GTiff"
PIXELS_AT_ONCE = 2_000_000
MOST_CLASSES = 64
"""A raster of more different whole numbers has no classes."""
CONFIG: dict[str, Any] = {
    "GDAL_CACHEMAX": 64,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_TIFF_INTERNAL_MASK": "NO",
    "GTIFF_SRS_SOURCE": "GEOKEYS",
}
OUT_OF_MEMORY = ("out of memory", "cannot allocate", "memory allocation")

Answer = tuple[dict[str, Any], dict[str, Any]]


def raster(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """What a raster says of itself and which numbers a band holds; or, where `asked["rows"]`, the pixels of those rows.

    `asked["band"]`: which band, from 1. `asked["unknown"]`: the number that means unknown in place of the file's, or
    `none`.
    """
    name, (content,) = asked["name"], files.values()
    with rasterio.Env() as env:
        others = sorted(set(env.drivers()) - {DRIVER})
    _env._have_registered_drivers = False  # GDAL looks at what it is to skip when it registers its drivers
    with rasterio.Env(GDAL_SKIP=",".join(others), **CONFIG) as env:
        if set(env.drivers()) != {DRIVER}:
            msg = "GDAL keeps other drivers"
            raise RuntimeError(msg)
        try:
            with MemoryFile(content) as memory, memory.open(driver=DRIVER) as file:
                return _answered(file, asked, name, limits)
        except RasterioError as problem:
            if any(one in _cause(problem).lower() for one in OUT_OF_MEMORY):
                raise MemoryError from None
            raise InputError(Fault("box.broken_raster", name, reason=_cause(problem))) from None


def _answered(file: Any, asked: dict[str, Any], name: str, limits: Limits) -> Answer:
    height, width = file.shape
    limits.refuse(name, "pixels", height * width, "box.too_many_pixels")
    band = asked["band"]
    if not 1 <= band <= file.count:
        raise InputError(Fault("box.no_such_band", name, band=band, count=file.count))
    dtype = np.dtype(file.dtypes[band - 1])
    if dtype.kind not in "iuf":
        raise InputError(Fault("box.no_real_numbers", name))
    if asked["rows"]:
        top, bottom = asked["rows"]
        pixels = _read(file, band, top, min(bottom, height), name)
        return {"dtype": dtype.name}, {"bytes": pixels.reshape(-1).view(np.uint8)}
    said = {
        "shape": [height, width],
        "bands": file.count,
        "dtype": dtype.name,
        "crs": file.crs.to_wkt(version="WKT2_2019") if file.crs else "",
        "transform": None if file.transform.is_identity else list(file.transform)[:6],
        "nodata": _number(file.nodatavals[band - 1]),
        "unit": str(file.units[band - 1] or "")[:40],
        "scale": float(file.scales[band - 1]),
        "offset": float(file.offsets[band - 1]),
        "bits": int(file.tags(band, ns="IMAGE_STRUCTURE").get("NBITS", 8 * dtype.itemsize)),
        "is_cog": file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT", "") == "COG",
        "block_rows": int(file.block_shapes[band - 1][0]),
    }
    unknown = {"": said["nodata"], "none": None}.get(asked["unknown"], asked["unknown"])
    return said | _numbers(file, band, unknown if unknown in (None, "nan") else float(unknown), name), {}


def _number(value: Any) -> float | str | None:
    """A number that JSON has; nan as a word."""
    if value is None:
        return None
    return "nan" if math.isnan(value) else float(value)


def _rows_at_once(file: Any, band: int) -> int:
    """Whole rows of blocks, as many as may be read at a time."""
    block = max(int(file.block_shapes[band - 1][0]), 1)
    return max(PIXELS_AT_ONCE // file.width // block, 1) * block


def _strips(file: Any, band: int, name: str) -> Iterator[np.ndarray]:
    rows = _rows_at_once(file, band)
    for top in range(0, file.height, rows):
        yield _read(file, band, top, min(top + rows, file.height), name)


def _read(file: Any, band: int, top: int, bottom: int, name: str) -> np.ndarray:
    """Some rows as they stand in the file."""
    try:
        return np.ascontiguousarray(file.read(band, window=((top, bottom), (0, file.width))))
    except RasterioError as problem:
        if any(one in _cause(problem).lower() for one in OUT_OF_MEMORY):
            raise MemoryError from None
        fault = Fault("box.cut_raster", name, row=top + 1, rows=file.height, reason=_cause(problem))
        raise InputError(fault) from None


def _numbers(file: Any, band: int, nodata: Any, name: str) -> dict[str, Any]:
    """Which numbers there are: least, most, how many known; of whole numbers the classes, as long as they are few."""
    least, most, known, total = math.inf, -math.inf, 0, 0
    classes: dict[int, int] | None = {}
    for strip in _strips(file, band, name):
        numbers = strip.ravel()
        if numbers.dtype.kind == "f":
            numbers = numbers[np.isfinite(numbers)]
        if nodata is not None and nodata != "nan":
            numbers = numbers[numbers != nodata]
        total += strip.size
        known += numbers.size
        if not numbers.size:
            continue
        least, most = min(least, float(numbers.min())), max(most, float(numbers.max()))
        classes = _counted(numbers, classes)
    return {
        "least": least if known else None,
        "most": most if known else None,
        "known": known,
        "pixels": total,
        "classes": sorted(classes.items()) if classes and known else [],
    }


def _counted(numbers: np.ndarray, so_far: dict[int, int] | None) -> dict[int, int] | None:
    """How often each whole number occurs; None once there are too many, or numbers that are not whole."""
    if so_far is None:
        return None
    if numbers.dtype.kind == "f":
        few = numbers[:: max(numbers.size // 100_000, 1)]
        if (few != np.round(few)).any() or np.unique(few).size > MOST_CLASSES or np.abs(few).max() > 1e9:
            return None
    if numbers.dtype == np.uint8:
        counts = np.bincount(numbers, minlength=256)
        values = np.flatnonzero(counts)
        counts = counts[values]
    else:
        values, counts = np.unique(numbers, return_counts=True)
    if (values != np.round(values)).any():
        return None
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        so_far[int(value)] = so_far.get(int(value), 0) + int(count)
        if len(so_far) > MOST_CLASSES:
            return None
    return so_far


def _cause(problem: Exception) -> str:
    """The first line of what a library says."""
    said = (str(problem.__cause__ or problem) or type(problem).__name__).splitlines()[0][:200]
    return re.sub(r"[\w/-]+\.tif, ", "", said)
