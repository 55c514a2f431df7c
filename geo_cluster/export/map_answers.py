"""What a study answers: one project's ranking with reach, and the plan with its corridors.

Each function draws one sign of `tables/sheets.toml` on a frame and says what it needs in the legend.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.access.travel import route
from geo_cluster.export.map_frame import Frame
from geo_cluster.export.map_glyphs import WHITE, crossed, numbered
from geo_cluster.export.map_ground import Row, Sheet, Sign
from geo_cluster.export.map_labels import Name
from geo_cluster.export.map_page import shade
from geo_cluster.export.map_themes import apart, site_name
from geo_cluster.maps.ground import BANDS_MIN, reach_bands
from geo_cluster.report import tables
from geo_cluster.study import Study, once

CLASSES = (60, 70, 80, 90)
"""Scores at which the shade changes."""


def ranked(sheet: Sheet, frame: Frame) -> list[Row]:
    """Sites with their place in the project's ranking, shaded by score; those refused with a cross."""
    found = tables.ranking(sheet.study).query("project == @sheet.project").set_index("site")
    own = sheet.study.sites.set_index("id").geometry
    order = found.sort_values("rank", na_position="last").index
    radius = 2.1 * sheet.page.text_scale
    spots = apart([frame.point(own[site].x, own[site].y) for site in order], radius * 0.9)
    for site, (x, y) in zip(order, spots, strict=True):
        if frame.has(x, y, inner=1):
            _ranked_site(sheet, frame, found.loc[site], (x, y, radius))
    shades, flow = sheet.colour["shades"], sheet.colour["flow"]
    bounds = zip((None, *CLASSES), (*CLASSES, None), strict=True)
    rows = [Row("best", sheet.words("rank_sign"), {"fill": shades[-1], "line": flow})]
    for at, (low, high) in enumerate(bounds):
        words = f"< {high}" if low is None else f"≥ {low}" if high is None else f"{low}–{high}"
        rows.append(Row("dot", words, {"fill": shades[at], "line": WHITE if at >= 2 else shades[3], "radius": 1.7}))
    return [*rows, Row("cross", sheet.words("refused"))]


def _ranked_site(sheet: Sheet, frame: Frame, row: pd.Series, mark: tuple[float, float, float]) -> None:
    """One site of the ranking; the first in red and larger, the first few with their score."""
    x, y, radius = mark
    if not row["eligible"]:
        crossed(sheet.page, x, y, radius * 0.62, z=frame.z + 19)
        sheet.names[frame].keep_off(x, y, radius * 0.62)
        site_name(sheet, frame, row.name, (x, y, radius * 0.62), rank=6, faint=True)
        return
    shades, best = sheet.colour["shades"], row["rank"] == 1
    at = int(np.searchsorted(CLASSES, row["score"], side="right"))
    radius *= 1.35 if best else 1
    edge = sheet.colour["flow"] if best else WHITE if at >= 3 else shades[3]
    look = {"fill": shades[at], "line": edge, "weight": 1.8 if best else 0.8, "size": 7.4 if best else 6.4}
    look |= {"ink": WHITE if at >= 3 else shade("ink"), "z": frame.z + 22, "text_z": frame.z + 51}
    numbered(sheet.page, x, y, radius, f"{row['rank']:.0f}", look)
    sheet.names[frame].keep_off(x, y, radius)
    first = row["rank"] <= toml.table("sheets")["named"]["ranks"]
    notes = [f"{row['score']:.1f} ({row['low']:.0f}–{row['high']:.0f})"] if first else []
    site_name(sheet, frame, row.name, (x, y, radius), rank=0.5 + row["rank"] / 100, notes=notes, faint=not first)


def reach(sheet: Sheet, frame: Frame) -> list[Row]:
    """Bands of what is within so many minutes of the R&D anchor, door to door."""
    at, colours = sheet.study.anchor.geometry, sheet.colour["bands"]
    bands, _ = reach_bands(sheet.study.layers, at.x, at.y)
    for minutes, band, fill in zip(reversed(BANDS_MIN), bands, reversed(colours), strict=True):
        area = frame.cut(pd.Series([shapely.from_geojson(json.dumps(band))]), margin=1)[0]
        if area.is_empty:
            continue
        sheet.page.area(area, fill=fill, line=sheet.colour["reach"], weight=0.25, alpha=0.55, z=frame.z + 2.5)
        coords = shapely.get_coordinates(area)
        coords = coords[[frame.has(*point, inner=6) for point in coords]]
        if len(coords):
            x, y = coords[np.argmax(coords[:, 1])]
            look = {"color": sheet.colour["reach"], "halo": WHITE}
            sheet.names[frame].want(Name([f"{minutes} {sheet.words('min')}"], x, y, 0, 5.8, 1.2, look=look))
    look = {"fill": colours[0], "line": sheet.colour["reach"]}
    return [Row("area", sheet.words("isochrone"), look)]


def corridors(sheet: Sheet, frame: Frame) -> list[Row]:
    """Roads from the R&D anchor to the sites of the plan, as wide as the number of projects that use them."""
    flow, z = sheet.colour["flow"], frame.z
    found = _corridors(sheet.study)
    most = max((count for _, count in found), default=1)

    def wide(count: float) -> float:
        return 1.2 + 4.6 * math.sqrt(count / max(most, 10))

    for shape, count in found:
        lines = frame.cut(pd.Series([shape]))[0]
        sheet.page.lines(lines, color=WHITE, weight=wide(count) + 1.6, z=z + 10, clip=frame.rect, alpha=0.9)
        sheet.page.lines(lines, color=flow, weight=wide(count), z=z + 10.5 + count / (100 * most), clip=frame.rect)
        sheet.names[frame].rather_off(lines)
    if not found:
        return []
    values = sorted({most, max(most // 4, 1)}, reverse=True)
    return [
        Row("widths", sheet.words("corridor"), {"color": flow, "widths": [(wide(one), str(one)) for one in values]})
    ]


@once
def _corridors(study: Study) -> list[tuple[shapely.Geometry, int]]:
    """Pieces of road that the same number of projects use, the fewest first."""
    places, counts = study.sites.set_index("id").geometry, tables.assignment(study)["site"].value_counts()
    used: dict[tuple, int] = {}
    for site, count in counts.items():
        points = shapely.get_coordinates(route(study.region.network, study.anchor.geometry, places[site]).line).round(6)
        for a, b in zip(points[:-1].tolist(), points[1:].tolist(), strict=True):
            if a != b:
                key = (tuple(a), tuple(b)) if a < b else (tuple(b), tuple(a))
                used[key] = used.get(key, 0) + int(count)
    pieces: dict[int, list] = {}
    for ends, count in used.items():
        pieces.setdefault(count, []).append(shapely.LineString(ends))
    return [(shapely.line_merge(shapely.multilinestrings(lines)), count) for count, lines in sorted(pieces.items())]


def placed(sheet: Sheet, frame: Frame) -> list[Row]:
    """Sites of the plan with their number of projects, others small and hollow."""
    plan, own = tables.assignment(sheet.study), sheet.study.sites.set_index("id")
    counts, colour, z = plan["site"].value_counts(), sheet.colour["site"], frame.z
    land, scale = plan.groupby("site")["land_mu"].sum(), sheet.page.text_scale
    for site, place in own.geometry.items():
        x, y = frame.point(place.x, place.y)
        if not frame.has(x, y, inner=1):
            continue
        if site not in counts.index:
            sheet.page.mark(x, y, 0.95, fill=WHITE, line=colour, weight=0.9, z=z + 19)
            sheet.names[frame].keep_off(x, y, 0.95 * scale)
            if not str(own.loc[site, "zone_id"]):
                site_name(sheet, frame, site, (x, y, 0.95 * scale), rank=6.5, faint=True)
            continue
        count, share = int(counts[site]), math.sqrt(counts[site] / counts.max())
        radius = (2.2 + 1.9 * share) * scale
        look = {"fill": colour, "weight": 1.6, "size": 6.6 + 2.6 * share, "z": z + 24, "text_z": z + 51}
        numbered(sheet.page, x, y, radius, str(count), look)
        sheet.names[frame].keep_off(x, y, radius)
        note = sheet.words("takes" if count > 1 else "takes_one", n=count, mu=f"{land[site]:,.0f}")
        site_name(sheet, frame, site, (x, y, radius), rank=0.5 - count / 1000, notes=[note])
    if frame.z == 0 and counts.empty:
        sheet.notes.append(sheet.words("no_plan"))
    rows = [Row("count", sheet.words("placed"), {"fill": colour})] if len(counts) else []
    return [*rows, Row("ring", sheet.words("unused"), {"line": colour})]


SIGNS: dict[str, Sign] = {"ranked": ranked, "reach": reach, "corridors": corridors, "placed": placed}
"""Signs of the answers by their name in `tables/sheets.toml`."""
