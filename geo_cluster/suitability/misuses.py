"""What is wrong with files that a planner brings, and with what they are used for: everything at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pyproj

from geo_cluster.box.door import ELSEWHERE
from geo_cluster.errors import Fault, Place
from geo_cluster.suitability.exclusions import TURNED_ROUND
from geo_cluster.suitability.grid import crs_faults
from geo_cluster.suitability.pieces import Piece, legends, plain_name
from geo_cluster.suitability.rasters import FEET, FOOT_M, HIGHEST_M, LOWEST_M, METRES
from geo_cluster.suitability.uses import Bounds, Ground, Use, apart, area_bounds, only_areas, placed, sheet_of

# ---- what is wrong ------------------------------------------------------------------------------------------


def faults(
    pieces: Mapping[str, Piece],
    uses: Mapping[str, Use],
    ground: Ground,
    *,
    area: Bounds | None = None,
    most: int,
) -> list[Fault]:
    """Everything that is wrong with files, their uses and the ground, before anything is computed.

    Parameters
    ----------
    pieces, uses : mapping
        By key.
    ground : Ground
    area : (west, south, east, north), optional
        Of the prefecture that is the area, in the ground's system.
    most : int
        Cells that there may be.
    """
    found = [*crs_faults(ground.crs), *_elsewhere(ground.crs, Place("grid", key="crs"))]
    used = {key: piece for key, piece in pieces.items() if uses[key].role != "aside"}
    if not used:
        found.append(Fault("suitability.nothing_used", Place("")))
    for key, piece in used.items():
        found += _of_any(piece, uses[key])
        found += _of_raster(piece, uses[key]) if piece.looked else _of_lines(piece, uses[key])
    if not ground.with_layers and not any(uses[key].role in ("slope", "number", "near") for key in used):
        found.append(Fault("suitability.nothing_counts", Place("")))
    outer = [key for key in used if uses[key].role == "area"]
    if len(outer) > 1:
        found += [Fault("suitability.several_areas", Place(used[key].name)) for key in outer]
    if crs_faults(ground.crs):
        return found
    if outer:
        area = placed(used[outer[0]], uses[outer[0]], ground.crs)
    found += _not_together(used, uses, ground.crs, area)
    bounds = area or area_bounds(pieces, uses, ground.crs)
    if bounds is not None and ground.cell_m > 0:
        cells = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) / ground.cell_m**2
        if cells > most:
            found.append(Fault("suitability.too_many_cells", Place(""), cells=cells, cell=ground.cell_m, most=most))
    return found


def _elsewhere(crs: str, place: Place) -> list[Fault]:
    """A reference system that would have files opened."""
    return [Fault("box.system_elsewhere", place)] if any(one in crs.lower() for one in ELSEWHERE) else []


def _of_any(piece: Piece, use: Use) -> Iterator[Fault]:
    place = Place(piece.name)
    stated = piece.looked.crs if piece.looked else (piece.layers or {})[sheet_of(piece, use)].crs
    yield from _elsewhere(use.crs, place)
    if not (use.crs or stated):
        yield Fault("suitability.choose_crs", place)
    elif use.crs and not _elsewhere(use.crs, place):
        try:
            pyproj.CRS.from_user_input(use.crs)
        except pyproj.exceptions.CRSError:
            yield Fault("suitability.no_such_crs", place, crs=use.crs[:80])
    if not use.source.strip():
        yield Fault("suitability.whose_is_it", place)


def _of_lines(piece: Piece, use: Use) -> Iterator[Fault]:
    """What is wrong with the use of outlines."""
    has_areas = only_areas(piece, use.sheet)
    if use.role == "mask" and not has_areas and not use.buffer_m:
        yield Fault("suitability.choose_buffer", Place(piece.name))
    if use.role == "area" and not has_areas:
        yield Fault("suitability.area_needs_polygons", Place(piece.name))
    if use.role == "near" and use.worst == use.best:
        yield Fault("suitability.worst_is_best", Place(piece.name))


def _of_raster(piece: Piece, use: Use) -> Iterator[Fault]:
    """What is wrong with the use of a raster."""
    looked, place = piece.looked, Place(piece.name)
    assert looked is not None  # the caller knows
    if looked.transform is None:
        yield Fault("suitability.lies_nowhere", place)
    if looked.nodata is None and not use.unknown:
        yield Fault("suitability.choose_unknown", place)
    elif use.unknown and not _is_number(use.unknown):
        yield Fault("suitability.unknown_is_no_number", place, unknown=use.unknown[:40])
    if not looked.known:
        yield Fault("suitability.nothing_known", place)
        return
    if use.role == "slope":
        yield from _of_heights(piece, use, place)
    elif use.role in ("cover", "mask"):
        yield from _of_classes(piece, use, place)
    elif use.worst == use.best:
        yield Fault("suitability.worst_is_best", place)


def _is_number(text: str) -> bool:
    if text == "none":
        return True
    try:
        return not math.isinf(float(text))
    except ValueError:
        return False


def _of_heights(piece: Piece, use: Use, place: Place) -> Iterator[Fault]:
    assert piece.looked is not None  # the caller knows
    stated = piece.looked.unit.lower()
    if (stated in FEET and use.unit == "m") or (stated in METRES and use.unit == "ft"):
        yield Fault("suitability.other_unit", place, stated=stated, unit=use.unit)
    low, high = (one * (FOOT_M if use.unit == "ft" else 1.0) for one in piece.span or (0.0, 0.0))
    if low < LOWEST_M or high > HIGHEST_M:
        yield Fault("suitability.choose_unit", place, low=low, high=high)


def _of_classes(piece: Piece, use: Use, place: Place) -> Iterator[Fault]:
    if not piece.classes:
        yield Fault("suitability.no_classes", place)
        return
    there = {int(one) for one in piece.classes}
    if use.role == "cover" and use.legend:
        known = {int(one) for one in legends()[use.legend]["classes"]}
        if odd := sorted(there - known):
            yield Fault("suitability.other_legend", place, classes=[str(one) for one in odd[:10]])
    if not use.takes:
        yield Fault("suitability.takes_nothing", place)
    share = sum(count for one, count in piece.classes.items() if int(one) in use.takes) / sum(piece.classes.values())
    if share > TURNED_ROUND and not use.takes_most:
        yield Fault("suitability.turn_it_round", place, share=share, numbers=[str(one) for one in use.takes])


def _not_together(used: Mapping[str, Piece], uses: Mapping[str, Use], crs: str, area: Bounds | None) -> Iterator[Fault]:
    """Files that lie outside the area; without one, rasters that meet none of the others."""
    at = {key: one for key, piece in used.items() if (one := placed(piece, uses[key], crs))}
    if area is not None:
        yield from (Fault("suitability.no_overlap", Place(used[key].name)) for key in at if apart(at[key], area))
        return
    rasters = [key for key in at if used[key].looked]
    meets = {key: {other for other in rasters if not apart(at[key], at[other])} for key in rasters}
    alone = [key for key in rasters if len(rasters) > 1 and meets[key] == {key}]
    yield from (Fault("suitability.meets_no_other", Place(used[key].name)) for key in alone)
    if not alone and rasters and area_bounds(used, uses, crs) is None:
        yield Fault("suitability.nothing_in_common", Place(used[rasters[0]].name))
    common = area_bounds(used, uses, crs)
    for key in at:
        if common and used[key].looked is None and apart(at[key], common):
            yield Fault("suitability.no_overlap", Place(used[key].name))


def brought_faults(row: Mapping[str, Any], files: Mapping[str, str], name: str) -> list[Fault]:
    """What of a spec that somebody brings would reach beyond the files that came with it.

    Parameters
    ----------
    row : mapping
        As it was read.
    files : mapping of str
        Under which name each file is kept, by its own.
    name : str
        Of the spec.
    """
    found = []
    if row.get("layers"):
        found.append(Fault("suitability.layers_elsewhere", Place(name, key="layers")))
    grid = row.get("grid")
    found += _elsewhere(str(grid.get("crs", "")), Place(name, key="grid.crs")) if isinstance(grid, dict) else []
    sources = row.get("sources")
    for key, one in sources.items() if isinstance(sources, dict) else ():
        if not isinstance(one, dict):
            continue
        place = Place(name, key=f"sources.{key}")
        found += _elsewhere(str(one.get("crs", "")), place)
        if one.get("file") and plain_name(str(one["file"])) not in files:
            found.append(Fault("suitability.file_not_brought", place, file=str(one["file"])[:80], known=list(files)))
    return found
