"""What a planner's files are used for in a screening: as proposed until somebody says otherwise; and the ground."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from geo_cluster import toml
from geo_cluster.suitability.pieces import Piece, bounds_of, legend_of, legends, pixel_of, suggested
from geo_cluster.suitability.rasters import FEET

Bounds = tuple[float, float, float, float]

HUBEI = (108.3, 29.0, 116.2, 33.3)
"""West, south, east, north in degrees: here the product's own layers are laid on beside what is brought."""
SIZES = (5, 10, 20, 25, 30, 50, 100, 200, 250, 500, 1000, 2000)
"""Cells that are proposed, metres."""
NEAT_CELLS = 25_000_000
"""So many cells are proposed at most: a minute or two."""


@dataclass(frozen=True)
class Use:
    """What a file is used for.

    Attributes
    ----------
    role : str
        One of `pieces.ROLES`.
    source, licence : str
        Who made it and of when; under what licence.
    crs : str
        Where the file doesn't state its reference system, or states a wrong one.
    unknown : str
        The number that means unknown where the file states none; `none` where all is known.
    band : int
        Of a raster.
    sheet : str
        Layer of outlines.
    unit : str
        Of elevations: `m` or `ft`.
    legend : str
        Of a land cover: a key of `land_cover.toml`; '' where every class that is in it counts.
    takes : tuple of int
        Classes of a land cover, or numbers of a mask, that take land.
    takes_most : bool
        It is meant to take nearly all land.
    buffer_m, steep : float
        Metres around what takes land; slope in percent above which ground is taken.
    worst, best : float
        Of a criterion: the number worth nothing, and the one worth all.
    unit_name : str
        What its numbers are in.
    """

    role: str
    source: str = ""
    licence: str = ""
    crs: str = ""
    unknown: str = ""
    band: int = 1
    sheet: str = ""
    unit: str = "m"
    legend: str = ""
    takes: tuple[int, ...] = ()
    takes_most: bool = False
    buffer_m: float = 0.0
    steep: float = 15.0
    worst: float = 0.0
    best: float = 1.0
    unit_name: str = ""


@dataclass(frozen=True)
class Ground:
    """The cells and the area.

    Attributes
    ----------
    name : str
        What the screening is called.
    crs : str
    cell_m : float
    prefecture : str
        Code of the one that is the area; '' for outlines that are brought, else for where all rasters lie.
    with_layers : bool
        Whether the product's waters, railways, airports, roads and substations are laid on too.
    """

    name: str
    crs: str
    cell_m: float
    prefecture: str = ""
    with_layers: bool = False


def proposed(piece: Piece) -> Use:
    """How a file is used until somebody says otherwise."""
    role, _ = suggested(piece)
    use = Use(role, worst=0.0, best=1.0)
    if role == "slope" and piece.looked:
        return replace(use, unit="ft" if piece.looked.unit.lower() in FEET else "m", worst=15.0, best=0.0)
    if role == "cover":
        key, _ = legend_of(piece)
        return replace(use, legend=key, takes=takes_of(key, piece))
    if role == "mask" and piece.looked:
        return replace(use, takes=(1,) if 1.0 in piece.classes else tuple(int(one) for one in piece.classes)[-1:])
    if role == "number" and piece.span:
        return replace(use, worst=piece.span[0], best=piece.span[1])
    return replace(use, worst=20.0, best=0.0, buffer_m=0.0 if only_areas(piece, "") else 50.0)


def takes_of(legend: str, piece: Piece) -> tuple[int, ...]:
    """Classes of a land cover that take land at first, as far as they occur."""
    there = {int(one) for one in piece.classes}
    return tuple(one for one in legends()[legend]["takes"] if one in there) if legend else ()


def proposed_ground(pieces: Mapping[str, Piece], uses: Mapping[str, Use], name: str, *, most: int) -> Ground:
    """Cells as fine as the finest raster, in an equal-area system: Hubei's where the files lie there.

    Parameters
    ----------
    pieces, uses : mapping
        By key.
    name : str
        What the screening is called.
    most : int
        Cells that there may be.
    """
    here = _union([one for key, piece in pieces.items() if (one := placed(piece, uses[key], "EPSG:4326"))])
    inside = here is None or not apart(here, HUBEI)
    crs = toml.table("suitability")["grid"]["crs"]
    if here is not None and not inside:
        lon, lat = round((here[0] + here[2]) / 2, 1), round((here[1] + here[3]) / 2, 1)
        crs = f"+proj=laea +lat_0={lat} +lon_0={lon} +ellps=GRS80 +units=m +no_defs"
    sides = [side for key, piece in pieces.items() if (side := _pixel_m(piece, uses[key], crs))]
    bounds = area_bounds(pieces, uses, crs)
    square = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) if bounds else 0.0
    least = max(0.9 * min(sides, default=30.0), math.sqrt(max(square, 1.0) / min(most, NEAT_CELLS)))
    cell = next((one for one in SIZES if one >= least), SIZES[-1])
    return Ground(name, crs, float(cell), with_layers=inside)


def _pixel_m(piece: Piece, use: Use, crs: str) -> float | None:
    side, bounds = pixel_of(piece), placed(piece, use, crs)
    if side is None or bounds is None or piece.looked is None or use.role == "aside":
        return None
    rows, columns = piece.looked.shape
    return math.sqrt((bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) / (rows * columns))


def placed(piece: Piece, use: Use, to: str) -> Bounds | None:
    """West, south, east and north of a file as it is used, in a reference system; None where it has no place.

    Parameters
    ----------
    piece : Piece
    use : Use
    to : str
        The reference system.
    """
    return bounds_of(piece, to, crs=use.crs, sheet=use.sheet)


def _union(bounds: list[Bounds]) -> Bounds | None:
    if not bounds:
        return None
    west, south, east, north = zip(*bounds, strict=True)
    return min(west), min(south), max(east), max(north)


def apart(one: Bounds, other: Bounds) -> bool:
    """Whether two bounds have no ground in common."""
    return one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


def area_bounds(pieces: Mapping[str, Piece], uses: Mapping[str, Use], crs: str) -> Bounds | None:
    """Where all rasters lie that are used, or the outlines where there is none; None where they have nothing in common.

    Parameters
    ----------
    pieces, uses : mapping
        By key.
    crs : str
        Of the grid.
    """
    used = {key: one for key, one in pieces.items() if uses[key].role != "aside"}
    rasters = [one for key, piece in used.items() if piece.looked and (one := placed(piece, uses[key], crs))]
    if not rasters:
        return _union([one for key, piece in used.items() if (one := placed(piece, uses[key], crs))])
    west, south, east, north = zip(*rasters, strict=True)
    common = max(west), max(south), min(east), min(north)
    return common if common[0] < common[2] and common[1] < common[3] else None


def sheet_of(piece: Piece, use: Use) -> str:
    """The layer of outlines that is used: the chosen one if it is there, else the first."""
    layers = piece.layers or {}
    return use.sheet if use.sheet in layers else next(iter(layers))


def only_areas(piece: Piece, sheet: str) -> bool:
    """Whether a file of outlines has nothing but areas in the layer that is used; a raster has."""
    return piece.layers is None or piece.layers[sheet_of(piece, Use("mask", sheet=sheet))].only_areas
