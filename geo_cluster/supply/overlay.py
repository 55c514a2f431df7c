"""What laying shapes over each other would take, found out before it is done; too much is refused.

Every crossing of two edges costs some 1.5 kB and 10 µs: two combs of a thousand teeth, 200 kB of a file, cross four
million times. Edges are counted by the boxes around them, a few at a time, and no further than the limit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException

from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, InputError, Place

Ints = NDArray[np.intp]
Geometries = NDArray[np.object_]

AT_ONCE = 4_000_000
"""Pairs that are looked at at a time; bounds the memory."""

SMOOTH = 10
"""Pairs of near edges that a smooth line has for each of its edges."""

COMPARED = 250_000
"""Pairs of edges that are held against each other at a time."""

SAMPLE = 40_000
"""Edges that tell whether all have to be counted."""

LOOKED_AT = 25
"""Pairs of edges that are looked at for each crossing that may be: their boxes meet, they may not."""


def meeting(tree: shapely.STRtree, shapes: Geometries, **how: Any) -> Iterator[tuple[Ints, Ints]]:
    """Pairs (position in `shapes`, position in the tree) in order, as `STRtree.query` finds them, a few at a time.

    Parameters
    ----------
    tree : STRtree
    shapes : (n,) array of geometries
    **how
        `predicate` and `distance`, as of `STRtree.query`.

    Yields
    ------
    pair of (k,) ndarray of int
    """
    step = max(1, AT_ONCE // max(1, len(tree)))
    for first in range(0, len(shapes), step):
        one, other = tree.query(shapes[first : first + step], **how)
        yield one + first, other


def all_meeting(place: Place | str, tree: shapely.STRtree, shapes: Geometries, **how: Any) -> tuple[Ints, Ints]:
    """All pairs of `meeting`.

    Parameters
    ----------
    place : Place or str
        What a fault is put down to.
    tree : STRtree
    shapes : (n,) array of geometries
    **how
        `predicate` and `distance`, as of `STRtree.query`.

    Raises
    ------
    InputError
        When there are more than may be.
    """
    most = limits().pairs
    found, count = [(np.empty(0, dtype=np.intp),) * 2], 0
    for pair in meeting(tree, shapes, **how):
        found.append(pair)
        count += len(pair[0])
        if count > most:
            raise InputError(Fault("supply.too_many_pairs", place, count=count, most=most))
    one, other = zip(*found, strict=True)
    return np.concatenate(one), np.concatenate(other)


def crossings(shapes: Geometries, *, window: Any = None, of_each: bool = False) -> int:
    """How often edges cross.

    Parameters
    ----------
    shapes, window, of_each
        As of `crossings_by_shape`.
    """
    return crossings_by_shape(shapes, window=window, of_each=of_each)[0]


def crossings_by_shape(
    shapes: Geometries, *, window: Any = None, of_each: bool = False
) -> tuple[int, NDArray[np.float64]]:
    """How often edges cross, touch or run over each other, other than at corners that they share; no more than needed.

    Parameters
    ----------
    shapes : array of polygons or lines
    window : (west, south, east, north), optional
        Only edges that come into it.
    of_each : bool
        Only edges of the same shape.

    Returns
    -------
    int, (n,) array
        All crossings, and those that each shape takes part in. Counting ends beyond the limit `crossings`; what it ends
        with is then beyond it too. Of very many edges, some taken at random are counted first: where they cross seldom,
        that is the answer.
    """
    start, end, of = _edges(shapes)
    low, high = np.minimum(start, end), np.maximum(start, end)
    if window is not None:
        inside = (low <= window[2:]).all(axis=1) & (high >= window[:2]).all(axis=1)
        start, end, of, low, high = start[inside], end[inside], of[inside], low[inside], high[inside]
    most = limits().crossings
    if len(start) * (len(start) - 1) // 2 <= most:
        return 0, np.zeros(len(shapes))
    if len(start) > 2 * SAMPLE:
        some = np.random.default_rng().choice(len(start), SAMPLE, replace=False)
        count, by_shape = _counted(start[some], end[some], of[some], of_each, len(shapes))
        stands_for = (len(start) / SAMPLE) ** 2
        if count * stands_for < most / 2:
            return int(count * stands_for), by_shape * stands_for
    return _counted(start, end, of, of_each, len(shapes))


def buffer_crossings(shapes: Geometries, metres: float) -> int:
    """How often the outlines of buffers cross about, beyond what smooth lines have: two for each pair of near edges.

    Parameters
    ----------
    shapes : array of geometries
        In metres.
    metres : float
        Of the buffer.

    Returns
    -------
    int
        Above the limit `crossings`, or 0.
    """
    start, end, of = _edges(shapely.simplify(shapes, metres / 100, preserve_topology=False))
    edges = np.bincount(of, minlength=len(shapes))
    many = edges[of] > 2 * SMOOTH  # fewer can't have more pairs
    start, end, of = start[many], end[many], of[many]
    low, high = np.minimum(start, end) - metres, np.maximum(start, end) + metres
    boxes, near = shapely.box(*low.T, *high.T), np.zeros(len(shapes), dtype=np.int64)
    for one, other in meeting(shapely.STRtree(boxes), boxes):
        near += np.bincount(of[one[(one < other) & (of[one] == of[other])]], minlength=len(shapes))
        count = 2 * int(np.maximum(near - SMOOTH * edges, 0).sum())
        if count > limits().crossings:
            return count
    return 0


def _counted(start: Any, end: Any, of: Ints, of_each: bool, shapes: int) -> tuple[int, NDArray[np.float64]]:
    most, count, looked_at = limits().crossings, 0, 0
    by_shape = np.zeros(shapes)
    lines = shapely.linestrings(np.stack([start, end], axis=1))
    for one, other in meeting(shapely.STRtree(lines), lines):
        later = one < other
        if of_each:
            later &= of[one] == of[other]
        one, other = one[later], other[later]
        looked_at += len(one)
        for some in np.array_split(np.arange(len(one)), 1 + len(one) // COMPARED):
            a, b = one[some], other[some]
            cross = _cross(start[a], end[a], start[b], end[b])
            count += int(cross.sum())
            by_shape += np.bincount(of[a[cross]], minlength=shapes) + np.bincount(of[b[cross]], minlength=shapes)
        if looked_at > LOOKED_AT * most + 20 * len(lines):
            count = max(count, most + 1)
        if count > most:
            break
    return count, by_shape


def _edges(shapes: Geometries) -> tuple[NDArray[np.float64], NDArray[np.float64], Ints]:
    """Start and end of all edges, and the shape that each belongs to."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    flat = shapely.get_dimensions(parts) == 2
    rings, ring_of = shapely.get_rings(parts[flat], return_index=True)
    lines = np.concatenate([rings, parts[~flat]])
    line_of = np.concatenate([owner[flat][ring_of], owner[~flat]])
    points, of = shapely.get_coordinates(lines, return_index=True)
    same = (of[1:] == of[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    return points[:-1][same], points[1:][same], line_of[of[:-1][same]]


def _cross(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Whether edges a-b and c-d, whose boxes meet, make a corner that isn't there yet."""

    def side(p: Any, q: Any, r: Any) -> Any:
        return np.sign((q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0]))

    sides = side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
    meet = (sides[0] * sides[1] <= 0) & (sides[2] * sides[3] <= 0)
    same = [(p == q).all(axis=1) for p in (a, b) for q in (c, d)]
    shared = np.count_nonzero(same, axis=0)
    along = np.minimum(np.maximum(a, b), np.maximum(c, d)) > np.maximum(np.minimum(a, b), np.minimum(c, d))
    over = (shared == 1) & (np.abs(sides).sum(axis=0) == 0) & along.any(axis=1)
    return (meet & (shared == 0)) | over


def refuse_crossings(place: Place | str, count: int) -> None:
    """Refuse outlines that cross more often than may be."""
    most = limits().crossings
    if count > most:
        raise InputError(Fault("supply.too_many_crossings", place, count=count, most=most))


def refuse_slow(place: Place | str, since: float) -> None:
    """Refuse to go on when laying shapes over each other takes too long; `since` is of `time.monotonic`."""
    most = limits().overlay_seconds
    if time.monotonic() - since > most:
        raise InputError(Fault("supply.overlay_too_slow", place, most=most))


@contextmanager
def refusing_what_fails(place: Place | str) -> Iterator[None]:
    """Turn what GEOS can't do after all into an `InputError`."""
    try:
        yield
    except (GEOSException, MemoryError) as problem:
        reason = (str(problem).splitlines() or [""])[0]
        if isinstance(problem, MemoryError) or "bad_alloc" in reason:
            raise InputError(Fault("supply.overlay_out_of_memory", place)) from None
        raise InputError(Fault("supply.overlay_failed", place, reason=reason)) from None
