"""What a screening of all ground found: the surface of scores, the regions by number, the listed parks beside them.

Each function draws one sign of `tables/sheets.toml` on a frame and says what it needs in the legend.
"""

from __future__ import annotations

import numpy as np
import shapely

from geo_cluster.export import screened
from geo_cluster.export.map_frame import Frame
from geo_cluster.export.map_glyphs import WHITE, diamond, numbered
from geo_cluster.export.map_ground import Row, Sheet, Sign
from geo_cluster.export.map_page import MM, shade
from geo_cluster.export.map_themes import apart, site_name
from geo_cluster.suitability.exclusions import UNKNOWN
from geo_cluster.suitability.headroom import whom

PIXELS_MM = 200 / MM
"""Pixels of the surface on a millimetre of paper."""


def surface(sheet: Sheet, frame: Frame) -> list[Row]:
    """Free land by score, land that a rule takes, land of which nobody knows."""
    found, look = screened.screening(sheet.study), screened.look()
    assert found is not None  # `map_sheets` refuses a sheet without one
    half = frame.width * frame.scale / 2000, frame.height * frame.scale / 2000
    x, y = frame.middle
    shape = round(frame.height * PIXELS_MM), round(frame.width * PIXELS_MM)
    png = screened.drawn(sheet.study, frame.epsg, (x - half[0], y - half[1], x + half[0], y + half[1]), shape)
    sheet.page.picture(png, (frame.x, frame.y, frame.width, frame.height), z=frame.z + 2.6)
    grid = {"cell": f"{found.about['cell_m']:,.0f}", "crs": sheet.short(found.about["crs"]), "day": found.about["day"]}
    sheet.notes.append(sheet.words("screened", rules=len(found.about["rules"]), **grid))
    if "mva_basis" in found.regions and (found.regions["mva_basis"] == "assumed").any():
        sheet.notes.append(sheet.words("ask_power", whom=whom(sheet.language)))
    rows = [Row("ramp", sheet.words("score_ramp"), {"colours": look["ramp"], "ends": screened.span(sheet.study)})]
    rows.append(Row("area", sheet.words("taken"), {"fill": look["taken"], "line": shade("rule")}))
    if (found.code == UNKNOWN).any():
        rows.append(Row("area", sheet.words("not_known"), {"fill": look["unknown"], "line": shade("rule")}))
    return rows


def regions(sheet: Sheet, frame: Frame) -> list[Row]:
    """Regions with their number; those that became candidate sites with their name and score."""
    found, colour = screened.screening(sheet.study), screened.look()["region"]
    assert found is not None
    there, radius = set(sheet.study.sites["id"]), 1.9 * sheet.page.text_scale
    shapes = frame.onto(found.regions.geometry)
    sheet.page.area(shapes, line=WHITE, weight=2.0, z=frame.z + 20, clip=frame.rect)
    sheet.page.area(shapes, line=colour, weight=1.2, z=frame.z + 20.1, clip=frame.rect)
    places = [shape.representative_point() for shape in shapes]
    spots = apart([(at.x, at.y) for at in places], radius * 1.05)
    for row, at, (x, y) in zip(found.regions.itertuples(), places, spots, strict=True):
        if not frame.has(x, y, inner=1):
            continue
        is_site = row.site in there
        if np.hypot(x - at.x, y - at.y) > radius:
            sheet.page.line([(at.x, at.y), (x, y)], color=colour, weight=0.6, z=frame.z + 22)
        look = {"fill": colour if is_site else WHITE, "line": WHITE if is_site else colour, "size": 6.0}
        look |= {"ink": WHITE if is_site else colour, "z": frame.z + 23, "text_z": frame.z + 51}
        numbered(sheet.page, x, y, radius, str(row.rank), look)
        sheet.names[frame].keep_off(x, y, radius)
        if is_site:
            notes = [sheet.words("region_note", score=f"{row.score:.1f}", mu=f"{row.land_mu:,.0f}")]
            site_name(sheet, frame, row.site, (x, y, radius), rank=0.5 + row.rank / 100, notes=notes)
    rows = [Row("count", sheet.words("region_site"), {"fill": colour, "words": "1"})]
    if not set(found.regions["site"]) <= there:
        other = {"fill": WHITE, "line": colour, "ink": colour, "words": "2"}
        rows.append(Row("count", sheet.words("region"), other))
    return rows


def parks(sheet: Sheet, frame: Frame) -> list[Row]:
    """Listed parks in the colour of the free land around them."""
    found, own = screened.screening(sheet.study), sheet.study.sites.set_index("id").geometry
    assert found is not None
    half = 1.35 * sheet.page.text_scale
    for row in found.about["parks"]:
        if row["id"] not in own.index or shapely.is_empty(own[row["id"]]):
            continue
        x, y = frame.point(own[row["id"]].x, own[row["id"]].y)
        if frame.has(x, y, inner=1):
            fill = screened.colour_of(sheet.study, row["score"]) or WHITE
            diamond(sheet.page, x, y, half, fill, z=frame.z + 19)
            sheet.names[frame].keep_off(x, y, half)
            site_name(sheet, frame, row["id"], (x, y, half), rank=3, faint=True)
    return [Row("diamond", sheet.words("park"), {"fill": screened.look()["ramp"][5]})]


SIGNS: dict[str, Sign] = {"surface": surface, "regions": regions, "parks": parks}
"""Signs of a screening by their name in `tables/sheets.toml`."""
