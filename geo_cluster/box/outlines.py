"""Lines that close, taken for the outlines that they draw: CAD and GPS know no areas."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

LINES = (1, 2, 5)
"""GEOS types of lines, rings and several lines."""

GAP = 1e-6
"""Ends so near each other, as a part of the line's length, are the same point."""

MOST = 20_000
"""Of more lines than this no outlines are made: they are a map, not a plan of parcels."""


def closed(shapes: Any, *, gap: float = GAP) -> tuple[Any, Any]:
    """Outlines in place of lines whose ends meet.

    Parameters
    ----------
    shapes : (n,) array of geometry
        None where there is none.
    gap : float
        How far apart the ends may be, as a part of the line's length.

    Returns
    -------
    shapes : (n,) array of geometry
    which : (n,) array of bool
        Where an outline was made.
    """
    out, which = shapes.copy(), np.zeros(len(shapes), dtype=bool)
    for k in np.flatnonzero(np.isin(shapely.get_type_id(shapes), LINES)):
        parts = [_ring(part, gap) for part in shapely.get_parts(shapes[k])]
        if parts and all(part is not None for part in parts):
            out[k] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
            which[k] = True
    return out, which


def _ring(line: Any, gap: float) -> Any:
    at = shapely.get_coordinates(line)
    if len(at) < 4 and not (len(at) == 3 and gap > GAP):
        return None
    apart = float(np.hypot(*(at[0] - at[-1])))
    if apart > gap * float(shapely.length(line)):
        return None
    at[-1] = at[0]
    ring = shapely.Polygon(at)
    return ring if shapely.area(ring) > 0 else None


def chained(shapes: Any, groups: Any, *, grid: float) -> tuple[Any, Any, Any]:
    """Outlines that several lines of one group draw together, each line beginning where another ends.

    Lines that meet in threes, as those of a net of roads do, are no outline.

    Parameters
    ----------
    shapes : (n,) array of geometry
    groups : (n,) array
        Only lines of one group join.
    grid : float
        Ends so near each other are the same point.

    Returns
    -------
    outlines : (m,) array of geometry
    of : (m,) array
        Their groups.
    used : (n,) array of bool
        Which lines are part of one.
    """
    used = np.zeros(len(shapes), dtype=bool)
    outlines, of = [], []
    is_line = np.isin(shapely.get_type_id(shapes), LINES)
    for group in dict.fromkeys(groups[is_line]):
        rows = np.flatnonzero(is_line & (groups == group))
        if not 2 <= len(rows) <= MOST:
            continue
        lines = shapely.set_precision(shapes[rows], grid, mode="pointwise")
        merged = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines)))
        rings = [_ring(one, GAP) for one in shapely.get_parts(merged)]
        found = np.array([ring for ring in rings if ring is not None], dtype=object)
        if not len(found):
            continue
        on, _ = shapely.STRtree(shapely.boundary(found)).query(lines, predicate="covered_by")
        others = np.setdiff1d(np.arange(len(rows)), on)
        _, crossed = shapely.STRtree(found).query(lines[others], predicate="intersects")
        found = np.delete(found, np.unique(crossed))  # lines go on inside: a net, no outline
        on, _ = shapely.STRtree(shapely.boundary(found)).query(lines, predicate="covered_by")
        used[rows[np.unique(on)]] = True
        outlines += list(found)
        of += [group] * len(found)
    return np.array(outlines, dtype=object), np.array(of, dtype=object), used
