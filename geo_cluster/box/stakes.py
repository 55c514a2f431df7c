"""Boundary points as surveyors hand them to land offices: 勘测定界界址点坐标交换格式, a text called 报盘.

After `[属性描述]` stand the coordinate system and its zone, after `[地块坐标]` the parcels: a line that ends in `@`
begins one (corners, hectares, number, name, kind, sheet, use), then a corner a line (name, ring, northing, easting).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import shapely

from geo_cluster.box.formats import STAKES
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError, Place

SYSTEMS = {"2000": (4513, 4534), "1980": (2349, 2370), "西安": (2349, 2370), "1954": (2401, 2422), "北京": (2401, 2422)}
"""EPSG codes of zone 25 of 3 degrees by a word of the system's name: eastings with the zone's number, and without."""

FIRST_ZONE, LAST_ZONE, WITH_NUMBER = 25, 45, 1e6
_SAID = re.compile(r"^(坐标系|几度分带|带号)\s*=\s*(.*?)\s*$", re.MULTILINE)


def parcels(content: bytes, name: str, limits: Limits) -> tuple[dict[str, list[str]], Any, str | None]:
    """Columns, shapes and coordinate system (None where it isn't said) of a file in UTF-8.

    Raises
    ------
    InputError
        A line that is neither the head of a parcel nor a corner.
    """
    text = content.decode("utf-8")
    head, _, body = text.partition(STAKES)
    limits.refuse(name, "vertices", body.count("\n"), "box.too_many_vertices")
    columns: dict[str, list[str]] = {"地块": [], "面积(公顷)": [], "用途说明": []}
    rings: list[dict[str, list[tuple[float, float]]]] = []
    first = text[: len(text) - len(body)].count("\n") + 1
    for number, line in enumerate(body.splitlines(), first):
        cells = [cell.strip() for cell in line.replace("，", ",").split(",")]
        if cells[-1].endswith("@"):
            cells += [""] * 7
            for key, cell in zip(columns, (cells[3] or cells[2], cells[1], cells[6].rstrip("@")), strict=True):
                columns[key].append(cell)
            rings.append({})
        elif any(cells):
            try:
                rings[-1].setdefault(cells[1], []).append((float(cells[3]), float(cells[2])))
            except (ValueError, IndexError):
                raise InputError(Fault("box.no_corner", Place(name, row=number), value=line[:60])) from None
    shapes = np.full(len(rings), None, dtype=object)
    shapes[:] = [_outline(list(one.values())) for one in rings]
    return columns, shapes, _system(dict(_SAID.findall(head)), shapes)


def _outline(rings: list[list[tuple[float, float]]]) -> Any:
    """The outline of a parcel of several rings: one that lies in another is its hole."""
    rings = [ring for ring in rings if len({*ring}) > 2]
    if len(rings) < 2:
        return shapely.Polygon(rings[0]) if rings else None
    return shapely.build_area(shapely.MultiLineString([[*ring, ring[0]] for ring in rings]))


def _system(said: dict[str, str], shapes: Any) -> str | None:
    codes = next((codes for word, codes in SYSTEMS.items() if word in said.get("坐标系", "")), None)
    zone = said.get("带号", "")
    if codes is None or said.get("几度分带") != "3" or not zone.isdigit() or not FIRST_ZONE <= int(zone) <= LAST_ZONE:
        return None
    west = float(np.nan_to_num(shapely.total_bounds(shapes)[0])) if len(shapes) else 0.0
    return f"EPSG:{codes[0 if west > WITH_NUMBER else 1] + int(zone) - FIRST_ZONE}"
