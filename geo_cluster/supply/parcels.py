"""Parcels: which of them, alone or adjoining, hold a project; what they may cost at least; standard-land checks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, Faults, InputError, Place, refuse_if
from geo_cluster.supply import overlay
from geo_cluster.supply.interval import Interval
from geo_cluster.supply.layer import measured_faults, zones_of
from geo_cluster.supply.rectangle import largest_rectangles
from geo_cluster.supply.rings import ring_fault
from geo_cluster.world.coordinates import MU_PER_HA

Table = Mapping[str, Any]
Quantity = Interval | float | Sequence[float]

OVERLAPS = 200
"""Overlaps that are listed: they are dear to find, and one layer drawn twice has them all."""

OVERLAP_M2 = 1.0
"""Parcels that share more ground than this overlap: more than a surveyor's rounding."""

SLIVER_M = 0.1
"""Unless it is a strip narrower than this along a common boundary that was drawn twice."""


class Sliver(NamedTuple):
    """A strip that two parcels share: their positions, and its area in square metres."""

    one: int
    other: int
    m2: float


def parcel_faults(
    parcels: gpd.GeoDataFrame, *, land: Table, where: str = "parcels", slivers: list[Sliver] | None = None
) -> list[Fault]:
    """List everything wrong with a parcel layer, each with row and remedy.

    No CRS, degrees taken for metres, rings that cross themselves, parcels that overlap each other, two parcels of
    one name, unknown status or use class, numbers that are negative or missing.

    Parameters
    ----------
    parcels : GeoDataFrame
        Optionally with columns `parcel` (name), `status`, `use`, `plot_ratio_max`, `height_max_m`,
        `price_wan_yuan_per_mu`.
    land : mapping
        Parsed `land.toml`.
    where : str
        Name of the layer in the faults.
    slivers : list of Sliver, optional
        Strips narrower than `SLIVER_M`, which are no fault, are added to it.
    """
    faults = Faults(measured_faults(parcels, where))
    shapes = parcels.geometry.to_numpy()
    places = [Place(where, row=k + 1, entry=name) for k, name in enumerate(_names(parcels))]
    broken = np.flatnonzero(~shapely.is_valid(shapes) & ~shapely.is_missing(shapes))
    faults += (ring_fault(places[k], shapes[k]) for k in broken)
    if parcels.crs is not None and not faults:
        faults += _overlap_faults(parcels, places, slivers)
    names = pd.Series([place.entry for place in places])
    repeated = names.duplicated() & (names != "")
    faults += (Fault("supply.parcel_named_twice", places[k]) for k in np.flatnonzero(repeated))
    faults += _column_faults(parcels, places, land)
    return list(faults)


def _overlap_faults(
    parcels: gpd.GeoDataFrame, places: Sequence[Place], slivers: list[Sliver] | None
) -> Iterator[Fault]:
    layer, count = str(places[0].name) if places else "", -1
    try:
        for a, b, area, width in _overlaps(_in_zone(parcels), places, layer):
            if width < SLIVER_M:
                if slivers is not None:
                    slivers.append(Sliver(a, b, area))
                continue
            count += 1
            if count == OVERLAPS:
                yield Fault("supply.more_overlaps", layer, count=count)
                return
            other = places[a].entry or str(places[a].row)
            yield Fault("supply.parcels_overlap", places[b], other=other, m2=area, ha=area / 1e4)
    except InputError as refusal:
        yield from refusal.faults


def _column_faults(parcels: gpd.GeoDataFrame, places: Sequence[Place], land: Table) -> Iterator[Fault]:
    known = {
        "status": sorted(word for row in land["status"] for word in (row["name_zh"], row["name_en"])),
        "use": sorted({row[code] for row in land["use"] for code in ("code", "new_code")}),
    }
    means = {"status": status_of, "use": use_of}
    for column in parcels.columns.intersection(list(known)):
        unknown = {word for word in parcels[column].map(_word).unique() if word and not means[column](word, land)}
        for place, value in zip(places, parcels[column].map(_word), strict=True):
            if value in unknown:
                here = replace(place, column=column)
                yield Fault("supply.word_unknown", here, value=value, known=known[column])
    for column in parcels.columns.intersection(["plot_ratio_max", "height_max_m", "price_wan_yuan_per_mu"]):
        numbers = pd.to_numeric(parcels[column], errors="coerce")
        for k in map(int, np.flatnonzero(parcels[column].notna() & ~(numbers >= 0))):
            here = replace(places[k], column=column)
            yield Fault("supply.no_positive_number", here, value=str(parcels[column].iloc[k]))


def _word(cell: Any) -> str:
    return "" if pd.isna(cell) else str(cell).strip()


def status_of(word: str, land: Table) -> str:
    """The Chinese name of a status, whatever word it is written with; '' if none.

    Parameters
    ----------
    word : str
    land : mapping
        Parsed `land.toml`.
    """
    for row in land["status"]:
        if word in (row["name_zh"], row["name_en"], *row["also"]):
            return str(row["name_zh"])
    return ""


def use_of(word: str, land: Table) -> str:
    """The code of an industrial use class, `other` for any other use; '' for a word that isn't known.

    Parameters
    ----------
    word : str
        A code or a name.
    land : mapping
        Parsed `land.toml`.
    """
    code = land["use_names"].get(word, word)
    if code in {row[one] for row in land["use"] for one in ("code", "new_code")}:
        return str(code)
    other = land["other_use"]
    return "other" if re.fullmatch(other["codes"], word) or any(name in word for name in other["names"]) else ""


def _overlaps(metres: Any, places: Sequence[Place], layer: str) -> Iterator[tuple[int, int, float, float]]:
    """Pairs of parcels that share more ground than `OVERLAP_M2`, how much and how wide; found a few at a time."""
    since, most = time.monotonic(), limits().crossings
    edges, bounds = shapely.get_num_coordinates(metres), shapely.bounds(metres).reshape(-1, 4)
    for one, other in overlay.meeting(shapely.STRtree(metres), metres, predicate="intersects"):
        one, other = one[one < other], other[one < other]
        work = edges[one] * edges[other]  # as often as they can cross
        load = (np.cumsum(np.minimum(work, most)) // most).astype(int)
        for some in np.split(np.arange(len(one)), np.flatnonzero(np.diff(load)) + 1):
            overlay.refuse_slow(layer, since)
            for k in some[work[some] > most]:
                a, b = bounds[[one[k], other[k]]]
                window = np.concatenate([np.maximum(a, b)[:2], np.minimum(a, b)[2:]])
                count = overlay.crossings(metres[[one[k], other[k]]], window=window)
                overlay.refuse_crossings(places[int(other[k])], count)
            with overlay.refusing_what_fails(layer):
                ground = shapely.intersection(metres[one[some]], metres[other[some]])
            shared = shapely.area(ground)
            over = shared > OVERLAP_M2
            width = 2 * shared[over] / shapely.length(ground[over])  # of a long strip
            yield from zip(
                one[some][over].tolist(), other[some][over].tolist(), shared[over].tolist(), width.tolist(), strict=True
            )


def _names(parcels: gpd.GeoDataFrame) -> list[str]:
    return [str(name) for name in parcels["parcel"]] if "parcel" in parcels else [""] * len(parcels)


def _in_zone(parcels: gpd.GeoDataFrame) -> Any:
    """Parcel shapes in metres, all in the zone of the first: adjoining needs one plane."""
    zones = zones_of(parcels)
    zone = int(zones[0]) if len(zones) else 0
    return (parcels.geometry.to_crs(zone) if zone else parcels.geometry).to_numpy()


def offered(parcels: gpd.GeoDataFrame, *, land: Table) -> pd.Series:
    """Tell which parcels can be given to a project.

    Parameters
    ----------
    parcels : GeoDataFrame
        With `status` and `use` where they are known.
    land : mapping
        Parsed `land.toml`.

    Returns
    -------
    Series of bool
        Status not granted, use class industrial; what is unknown counts as yes.
    """
    out = pd.Series(True, index=parcels.index, name="offered")
    if "status" in parcels:
        closed = {row["name_zh"] for row in land["status"] if not row["offered"]}
        out &= ~parcels["status"].map(_word).map(lambda word: status_of(word, land)).isin(closed)
    if "use" in parcels:
        out &= parcels["use"].map(_word).map(lambda word: not word or use_of(word, land) not in ("", "other"))
    return out


def fitting(
    parcels: gpd.GeoDataFrame,
    land_mu: Quantity,
    *,
    hall: tuple[float, float] | None = None,
    land: Table | None = None,
    largest_union: int = 4,
    touch_m: float = 0.5,
    floor_area_m2: float = 0.0,
    height_m: float = 0.0,
) -> gpd.GeoDataFrame:
    """Parcels, or unions of adjoining parcels, that hold a project and its largest hall.

    Parameters
    ----------
    parcels : GeoDataFrame
        Net developable polygons (for instance the result of `developable`), one a row.
    land_mu : number or interval
        Land the project needs, in mu; a union counts as fitting when it holds the likely value, and `sure` when it
        holds the high one.
    hall : (width_m, length_m), optional
        The hall has to fit as a rectangle, in any orientation.
    land : mapping, optional
        Parsed `land.toml`: with it, parcels that are granted or not industrial are left out.
    largest_union : int
        Most parcels that are joined.
    touch_m : float
        Parcels closer than this adjoin: hairline gaps of digitising.
    floor_area_m2, height_m : float
        Floor area and building height needed, checked against `plot_ratio_max` and `height_max_m` where given.

    Returns
    -------
    GeoDataFrame
        One row a minimal union (no part of it that is connected fits by itself), smallest area first: `parcels`
        (labels), `count`, `area_mu`, `rectangle_width_m`, `rectangle_length_m`, `sure`, `price_wan_yuan` (sum, where
        every price is known), `geometry`.

    Raises
    ------
    InputError
        For a layer that can't be used, a need that isn't above 0, or too many unions to look at.
    """
    need = Interval.of(land_mu)
    refuse_if(measured_faults(parcels, "parcels"))
    if not need.low > 0 or largest_union < 1 or (hall is not None and not min(hall) > 0):
        raise InputError(Fault("supply.nothing_to_fit", "fitting"))
    pool = parcels if land is None else parcels[offered(parcels, land=land)]
    shapes = shapely.make_valid(_in_zone(pool))
    pool, shapes = pool[~shapely.is_empty(shapes)], shapes[~shapely.is_empty(shapes)]
    allowed = _allowed(pool, floor_area_m2, height_m)
    area_mu = shapely.area(shapes) * MU_PER_HA / 1e4
    found: list[tuple[frozenset[int], float, Any]] = []
    layer = {frozenset([k]) for k in range(len(pool)) if allowed["tall"][k]}
    near = _neighbours(shapes, touch_m)
    for _ in range(largest_union):
        fits, open_ = _tested(layer, shapes, area_mu, need, hall, touch_m, allowed)
        found += fits
        done = [members for members, _, _ in found]
        layer = _grown(open_, near, allowed["tall"])
        layer = {group for group in layer if not any(members <= group for members in done)}
    found.sort(key=lambda item: (item[1], sorted(item[0])))
    return _listed(found, pool, need, shapes, zones_of(pool))


def _grown(groups: Sequence[frozenset[int]], near: Sequence[Sequence[int]], tall: Any) -> set[frozenset[int]]:
    """Each group with each of its neighbours; refused when there are more than may be."""
    found: set[frozenset[int]] = set()
    most = limits().unions
    for group in groups:
        found |= {group | {k} for member in group for k in near[member] if k not in group and tall[k]}
        if len(found) > most:
            raise InputError(Fault("supply.too_many_unions", "parcels", count=len(found), most=most))
    return found


def _allowed(pool: gpd.GeoDataFrame, floor_area_m2: float, height_m: float) -> dict[str, Any]:
    ratio = pd.to_numeric(pool.get("plot_ratio_max", pd.Series(np.inf, index=pool.index)), errors="coerce")
    height = pd.to_numeric(pool.get("height_max_m", pd.Series(np.inf, index=pool.index)), errors="coerce")
    return {
        "ratio": ratio.fillna(np.inf).to_numpy(float),
        "tall": height.fillna(np.inf).to_numpy(float) >= height_m,
        "floor_area_m2": floor_area_m2,
    }


def _neighbours(shapes: Any, touch_m: float) -> list[list[int]]:
    """Parcels that share a stretch of boundary, not just a corner."""
    tree = shapely.STRtree(shapes)
    one, other = overlay.all_meeting("parcels", tree, shapes, predicate="dwithin", distance=touch_m)
    one, other = one[one != other], other[one != other]
    # the grown neighbour holds a stretch of boundary that is longer than a corner's would be
    shared = shapely.length(shapely.intersection(shapely.boundary(shapes[one]), shapely.buffer(shapes[other], touch_m)))
    near: list[list[int]] = [[] for _ in range(len(shapes))]
    for a, b in zip(one[shared > 4 * touch_m], other[shared > 4 * touch_m], strict=True):
        near[a].append(int(b))
    return near


def _tested(
    layer: set[frozenset[int]],
    shapes: Any,
    area_mu: Any,
    need: Interval,
    hall: tuple[float, float] | None,
    touch_m: float,
    allowed: dict[str, Any],
) -> tuple[list[tuple[frozenset[int], float, Any]], list[frozenset[int]]]:
    """Split unions into those that fit and those to go on joining."""
    groups = sorted(layer, key=sorted)
    areas = [float(area_mu[list(group)].sum()) for group in groups]
    floors = [float((allowed["ratio"][list(group)] * area_mu[list(group)]).sum() * 1e4 / MU_PER_HA) for group in groups]
    large = [a >= need.likely and f >= allowed["floor_area_m2"] for a, f in zip(areas, floors, strict=True)]
    ready = [k for k, enough in enumerate(large) if enough]
    joined = np.empty(len(ready), dtype=object)
    for position, k in enumerate(ready):
        joined[position] = _joined(shapes[list(groups[k])], touch_m)
    rectangles = largest_rectangles(joined)
    has_room = np.ones(len(ready), dtype=bool)
    if hall is not None:
        has_room = np.array(
            [hall_fits(shape, hall, found) for shape, found in zip(joined, rectangles.geometry, strict=True)]
        )
    fits = [(groups[k], areas[k], joined[position]) for position, k in enumerate(ready) if has_room[position]]
    taken = {group for group, _, _ in fits}
    return fits, [group for group in groups if group not in taken]


def _listed(
    found: list[tuple[frozenset[int], float, Any]], pool: gpd.GeoDataFrame, need: Interval, shapes: Any, zones: Any
) -> gpd.GeoDataFrame:
    """Table of the unions, in the CRS of the parcels."""
    joined = np.empty(len(found), dtype=object)
    joined[:] = [shape for _, _, shape in found]
    rectangles = largest_rectangles(joined)
    names = [tuple(pool.index[k] for k in sorted(members)) for members, _, _ in found]
    prices = pd.to_numeric(pool.get("price_wan_yuan_per_mu", pd.Series(np.nan, index=pool.index)), errors="coerce")
    price = prices.to_numpy(float) * shapely.area(shapes) * MU_PER_HA / 1e4
    zone = int(zones[0]) if len(zones) else 0
    geometry = gpd.GeoSeries(joined, crs=zone or pool.crs).to_crs(pool.crs)
    columns = {
        "parcels": names,
        "count": [len(members) for members in names],
        "area_mu": [area for _, area, _ in found],
        "rectangle_width_m": rectangles.width_m,
        "rectangle_length_m": rectangles.length_m,
        "sure": [area >= need.high for _, area, _ in found],
        "price_wan_yuan": [float(price[list(members)].sum()) for members, _, _ in found],
    }
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=pool.crs)


def _joined(shapes: Any, touch_m: float) -> Any:
    """Union with hairline gaps closed."""
    if len(shapes) == 1:
        return shapes[0]
    grown = shapely.union_all(shapely.buffer(shapes, touch_m / 2, join_style="mitre"))
    return shapely.buffer(grown, -touch_m / 2, join_style="mitre")


def hall_fits(ground: Any, hall: tuple[float, float], largest: Any = None, *, step_deg: float = 3.0) -> bool:
    """Tell whether a hall of given sides fits on the ground in some orientation.

    The largest rectangle answers most cases at once. Where it has another shape than the hall, the hall is turned in
    steps and slid: at each angle, the places where its centre may be are the ground eroded by the hall
    (Minkowski difference), computed exactly for the polygon's edges.

    Parameters
    ----------
    ground : Polygon or MultiPolygon
        In metres.
    hall : (float, float)
        Its sides, metres.
    largest : Polygon, optional
        The largest rectangle in the ground, if it is known.
    step_deg : float
        Step of the turn, degrees, besides the directions of the ground's edges.

    Returns
    -------
    bool
    """
    width, length = sorted(hall)
    if largest is not None and not shapely.is_empty(largest):
        sides = np.hypot(*np.diff(shapely.get_coordinates(largest)[:3], axis=0).T)
        if min(sides) >= width * (1 - 1e-6) and max(sides) >= length * (1 - 1e-6):
            return True
        if width * length > shapely.area(largest) * 1.1:  # the hall would be a larger rectangle than the largest
            return False
    if shapely.is_empty(ground) or shapely.area(ground) < width * length:
        return False
    if shapely.is_empty(shapely.buffer(ground, -width / 2 * (1 - 1e-6))):
        return False
    edges = shapely.get_coordinates(ground)
    sides = np.degrees(np.arctan2(*np.diff(edges, axis=0).T[::-1])) % 90.0
    _, first = np.unique(np.round(sides), return_index=True)  # one edge angle a degree is enough
    tried = np.concatenate([sides[first], np.arange(0, 90, step_deg)])
    middle = shapely.get_coordinates(shapely.centroid(ground))[0]
    for angle in np.concatenate([tried, tried + 90.0]):
        if not _eroded_empty(_rotated(ground, -angle, middle), length, width):
            return True
    return False


def _rotated(ground: Any, degrees: float, middle: Any) -> Any:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return shapely.transform(ground, lambda xy: (xy - middle) @ np.array([[cos, sin], [-sin, cos]]))


def _eroded_empty(ground: Any, along: float, across: float) -> bool:
    """Tell whether no axis-parallel rectangle of these sides lies in the ground."""
    frame = shapely.box(*(np.array(shapely.bounds(ground)) + np.array([-1, -1, 1, 1]) * (along + across)))
    outside = shapely.difference(frame, ground)
    lines = shapely.get_parts(outside)
    swept = shapely.union_all([_swept(part, along, across) for part in lines])
    left = shapely.difference(shapely.envelope(ground), swept)
    return bool(shapely.is_empty(left))


def _swept(part: Any, along: float, across: float) -> Any:
    """Everything a rectangle of these sides covers, centred anywhere on the part (Minkowski sum)."""
    rings = shapely.get_rings(part)
    pieces = [part]
    for ring in rings:
        xy = shapely.get_coordinates(ring)
        half = np.array([(-along, -across), (along, -across), (along, across), (-along, across)]) / 2
        ends = np.concatenate([xy[:-1, None] + half, xy[1:, None] + half], axis=1)
        pieces.extend(shapely.convex_hull(shapely.multipoints(ends)))
    return shapely.union_all(pieces)
