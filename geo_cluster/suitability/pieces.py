"""Files that a planner brings to a screening: what each is, and what it may be good for by its name and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo_cluster import toml
from geo_cluster.box import door, pixels
from geo_cluster.box.foreign import foreign_fault
from geo_cluster.box.formats import ending_of
from geo_cluster.box.pixels import Looked
from geo_cluster.errors import Fault, InputError
from geo_cluster.suitability.outlines import AREAS
from geo_cluster.suitability.rasters import FEET, HIGHEST_M, LOWEST_M

ROLES = {"raster": ("slope", "cover", "mask", "number", "aside"), "outlines": ("mask", "near", "area", "aside")}
"""What a raster, or outlines, may be in a screening."""

LIKE_HEIGHTS = ("dem", "dsm", "dtm", "glo30", "glo-30", "glo_30", "srtm", "elevation", "高程", "地形")
LIKE_AREA = ("范围", "边界", "boundary", "extent", "area", "aoi")
LIKE_NEAR = ("road", "station", "substation", "port", "道路", "公路", "站", "港")
_ODD = re.compile(r"[^\w .()（）+-]+")


@dataclass(frozen=True, eq=False)
class Drawn:
    """A layer of outlines: its kind of geometry, how many, their reference system (WKT) and bounds in it."""

    kind: str
    count: int
    crs: str
    bounds: tuple[float, float, float, float]
    only_areas: bool


@dataclass(frozen=True, eq=False)
class Piece:
    """A file that was looked at.

    Attributes
    ----------
    name : str
        As it was dropped.
    file : str
        Under which name it is kept, and a spec names it.
    looked : Looked, optional
        Of a raster.
    layers : mapping of Drawn
        Of outlines, by name of the layer; '' where it has none.
    """

    name: str
    file: str
    looked: Looked | None = None
    layers: Mapping[str, Drawn] | None = None

    @property
    def kind(self) -> str:
        """`raster` or `outlines`."""
        return "raster" if self.looked else "outlines"

    @property
    def classes(self) -> dict[float, int]:
        """Numbers and how many pixels have each, as they are meant; none where they are many."""
        looked = self.looked
        return {value * looked.scale + looked.offset: count for value, count in looked.classes} if looked else {}

    @property
    def span(self) -> tuple[float, float] | None:
        """Least and largest known number, as they are meant."""
        looked = self.looked
        if looked is None or looked.least is None or looked.most is None:
            return None
        ends = sorted(one * looked.scale + looked.offset for one in (looked.least, looked.most))
        return ends[0], ends[1]


def looked_at(content: bytes, name: str, file: str, *, band: int = 1, unknown: str = "") -> Piece:
    """What a file is; it is opened in the box.

    Parameters
    ----------
    content, name : bytes, str
    file : str
        Under which name it is kept.
    band : int
        Of a raster.
    unknown : str
        As in `pixels.look`.

    Raises
    ------
    InputError
        It can't be read, or is neither a GeoTIFF nor has outlines.
    """
    if pixels.is_raster(content) or door.suffix(name) in (".tif", ".tiff"):
        return Piece(name, file, looked=pixels.look(content, name, band=band, unknown=unknown))
    if (alien := foreign_fault(content, name)) is not None:
        raise InputError(alien)
    ending = ending_of(content, name)
    if not ending:
        door.check_size(content, name)
        raise InputError(Fault("suitability.no_ground", name))
    found = door.shapes({ending: content}, name, every=True).read
    placed = {key: one for key, one in found.items() if isinstance(one, gpd.GeoDataFrame)}
    layers = {key: _drawn(one) for key, one in placed.items() if len(one) and not one.geometry.isna().all()}
    if not layers:
        raise InputError(Fault("suitability.no_shapes", name))
    return Piece(name, file, layers=layers)


def _drawn(frame: gpd.GeoDataFrame) -> Drawn:
    shapes = frame.geometry.dropna()
    kinds = shapely.get_type_id(shapes.to_numpy())
    west, south, east, north = shapes.total_bounds.tolist()
    crs = frame.crs.to_wkt() if frame.crs else ""
    return Drawn(
        str(shapes.geom_type.mode()[0]), len(shapes), crs, (west, south, east, north), bool(np.isin(kinds, AREAS).all())
    )


def file_name(name: str, taken: set[str], ending: str) -> str:
    """A plain name under which a dropped file is kept: without folders and marks that mean something elsewhere.

    Parameters
    ----------
    name : str
        As it was dropped.
    taken : set of str
        Names that others have.
    ending : str
        Of its kind, with its point.
    """
    pure = PurePosixPath(name.replace("\\", "/"))
    stem = _ODD.sub("_", pure.stem).strip(" ._")[:60] or "file"
    ending = pure.suffix.lower() if ending == ".tif" and pure.suffix.lower() == ".tiff" else ending
    found, at = f"{stem}{ending}", 1
    while found.lower() in {one.lower() for one in taken}:
        at += 1
        found = f"{stem}-{at}{ending}"
    return found


def plain_name(path: str) -> str:
    """The name of a file without its folders."""
    return PurePosixPath(path.replace("\\", "/")).name


# ---- what it may be -----------------------------------------------------------------------------------------


def suggested(piece: Piece) -> tuple[str, str]:
    """The role that a file most likely has, and by what: its `name` or its `numbers`."""
    name = piece.name.lower()
    if piece.looked is None:
        return _of_outlines(piece, name)
    if any(one in name for one in LIKE_HEIGHTS) or piece.looked.unit.lower() in FEET:
        return "slope", "name"
    if legend_of(piece)[1] == "name":
        return "cover", "name"
    known = set(piece.classes)
    if known and not known - {0.0, 1.0}:
        return "mask", "numbers"
    if legend_of(piece)[0]:
        return "cover", "numbers"
    span = piece.span
    if (
        not known
        and span
        and span[0] >= LOWEST_M
        and span[1] <= HIGHEST_M
        and piece.looked.dtype in ("int16", "float32")
    ):
        return "slope", "numbers"
    return "number", "numbers"


def _of_outlines(piece: Piece, name: str) -> tuple[str, str]:
    first = next(iter((piece.layers or {}).values()))
    if first.only_areas and any(one in name for one in LIKE_AREA):
        return "area", "name"
    if not first.only_areas and any(one in name for one in LIKE_NEAR):
        return "near", "name"
    return "mask", "numbers"


def legends() -> dict[str, Any]:
    """Land covers whose classes are known; `tables/land_cover.toml`."""
    return toml.table("land_cover")


def legend_of(piece: Piece) -> tuple[str, str]:
    """Which land cover it is, and by what; '' for none."""
    name, known = piece.name.lower(), {int(one) for one in piece.classes}
    for key, row in legends().items():
        if any(one in name for one in row["like"]):
            return key, "name"
    for key, row in legends().items():
        if len(known) > 1 and known <= {int(one) for one in row["classes"]} | {row["unknown"]}:
            return key, "numbers"
    return "", ""


# ---- where it lies ------------------------------------------------------------------------------------------


def system_of(piece: Piece, crs: str, sheet: str = "") -> pyproj.CRS | None:
    """The reference system that a file states, or that was chosen for it; None where there is none.

    Parameters
    ----------
    piece : Piece
    crs : str
        Chosen for it.
    sheet : str
        Layer of outlines.
    """
    stated = piece.looked.crs if piece.looked else _layer(piece, sheet).crs
    if not (crs or stated):
        return None
    try:
        return pyproj.CRS.from_user_input(crs or stated)
    except pyproj.exceptions.CRSError:
        return None


def _layer(piece: Piece, sheet: str) -> Drawn:
    layers = piece.layers or {}
    return layers.get(sheet) or next(iter(layers.values()))


def bounds_of(piece: Piece, to: str, *, crs: str = "", sheet: str = "") -> tuple[float, float, float, float] | None:
    """West, south, east and north of a file in a reference system; None where it has no place in it.

    Parameters
    ----------
    piece : Piece
    to : str
        In which system.
    crs : str
        Chosen for the file.
    sheet : str
        Layer of outlines.
    """
    system = system_of(piece, crs, sheet)
    if system is None or (piece.looked and piece.looked.transform is None):
        return None
    bounds = _own_bounds(piece, sheet)
    try:
        move = pyproj.Transformer.from_crs(system, to, always_xy=True)
        found = move.transform_bounds(*bounds, densify_pts=21)
    except pyproj.exceptions.ProjError:
        return None
    return found if np.isfinite(found).all() else None


def _own_bounds(piece: Piece, sheet: str) -> tuple[float, float, float, float]:
    looked = piece.looked
    if looked is None:
        return _layer(piece, sheet).bounds
    assert looked.transform is not None  # `bounds_of` saw to it
    a, b, c, d, e, f = looked.transform
    rows, columns = looked.shape
    xs = [c + a * u + b * v for u in (0, columns) for v in (0, rows)]
    ys = [f + d * u + e * v for u in (0, columns) for v in (0, rows)]
    return min(xs), min(ys), max(xs), max(ys)


def pixel_of(piece: Piece) -> float | None:
    """Side of a pixel in the file's own unit; None where it lies nowhere."""
    looked = piece.looked
    return (
        None
        if looked is None or looked.transform is None
        else float(np.hypot(looked.transform[0], looked.transform[3]))
    )
