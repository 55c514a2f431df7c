"""What each map sheet is about: firms by stage, what sites have, one project's ranking, the plan.

Each function draws one sign of `tables/sheets.toml` on a frame and says what it needs in the legend.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.access.travel import route
from geo_cluster.export.map_frame import Frame
from geo_cluster.export.map_ground import WHITE, Row, Sheet, Sign
from geo_cluster.export.map_labels import Name
from geo_cluster.maps.payload import BANDS_MIN, isochrone_outlines
from geo_cluster.report import tables
from geo_cluster.study import Study, once
from geo_cluster.world.layers import words as vocabulary

DOT_MM = 1.05
"""Radius of a firm."""
CROWD = 1500
"""So many firms at most are moved apart; more are drawn where they are."""
NAME_MM = {"zh": 30.0, "en": 36.0}
"""Names of sites longer than this go on in another line, of at most three."""


def firms(sheet: Sheet, frame: Frame) -> list[Row]:
    """Every firm a dot in the colour of its stage, hollow where its place is uncertain, moved off the others."""
    chain, stages = sheet.read("chain"), vocabulary("stage")
    colours, z = toml.table("style")["stage"], frame.z
    order = {stage: at for at, stage in enumerate(stages)}
    chain = chain.assign(order=chain["stage"].map(order)).sort_values(["order", "id"])
    at = frame.onto(chain.geometry)
    inside = np.array([frame.has(p.x, p.y, inner=DOT_MM) for p in at], bool)
    chain, at = chain[inside], at[inside]
    size = DOT_MM * math.sqrt(sheet.page.text_scale)
    spots = apart([(p.x, p.y) for p in at], size * 1.06) if len(at) <= CROWD else [(p.x, p.y) for p in at]
    sure_m = toml.table("sheets")["uncertain"]["metres"]
    for row, (x, y) in zip(chain.to_dict("records"), spots, strict=True):
        colour = colours[row["stage"]]
        vague = not row["coord_uncertainty_m"] <= sure_m
        page_look = {"fill": WHITE, "line": colour, "weight": 1.3} if vague else {"fill": colour, "line": WHITE, "weight": 0.5}
        sheet.page.disc(x, y, size * (0.86 if vague else 1), z=z + 20, **page_look)
        sheet.names[frame].keep_off(x, y, size)
        if row["listed_code"]:
            name = _alias(sheet, row)
            look = {"halo": WHITE, "color": "#1d2b36"}
            sheet.names[frame].want(Name([name], x, y, size, 6.2, 1.5, must=True, look=look))
    rows = [Row("dot", of[sheet.language], {"fill": colours[key]}) for key, of in stages.items()]
    rows.append(Row("ring", sheet.words("vague", km=f"{sure_m / 1000:g}"), {"line": "#56636c"}))
    return rows


def _alias(sheet: Sheet, row: dict[str, Any]) -> str:
    if sheet.language == "zh":
        return str(row["alias_zh"]).split(";")[0] or sheet.short(row["name_zh"])
    name = row["name_en"]
    inner = name[name.index("(") + 1 : name.index(")")] if "(" in name and ")" in name else ""
    return inner or sheet.short(name).removesuffix(" Co., Ltd.").removesuffix(",")


def apart(points: list[tuple[float, float]], radius: float) -> list[tuple[float, float]]:
    """The same points, each moved as little as it takes so that no two discs of this radius meet.

    Parameters
    ----------
    points : list of (x, y)
    radius : float

    Returns
    -------
    list of (x, y)
        In the order given; the first of those that meet stays where it is.
    """
    placed: list[tuple[float, float]] = []
    spiral = [(0.0, 0.0)]
    for ring in range(1, 40):
        turns = 6 * ring
        spiral += [
            (2 * radius * ring * math.cos(2 * math.pi * k / turns), 2 * radius * ring * math.sin(2 * math.pi * k / turns))
            for k in range(turns)
        ]
    for x, y in points:
        others = np.array(placed) if placed else np.empty((0, 2))
        for dx, dy in spiral:
            spot = (x + dx, y + dy)
            if not (np.hypot(*(others - spot).T) < 2 * radius - 1e-9).any():
                break
        placed.append(spot)
    return placed


def grey_firms(sheet: Sheet, frame: Frame) -> list[Row]:
    """Firms as small grey dots: where the chain is, behind what the sheet is about."""
    for p in frame.onto(sheet.read("chain").geometry):
        if frame.has(p.x, p.y, inner=1):
            sheet.page.disc(p.x, p.y, 0.6, fill="#7d868c", line=WHITE, weight=0.3, z=frame.z + 14, alpha=0.75)
    return [Row("dot", sheet.words("firm"), {"fill": "#7d868c", "radius": 0.6})]


def anchor(sheet: Sheet, frame: Frame) -> list[Row]:
    """Where R&D is: a star, always named."""
    row = sheet.study.anchor
    x, y = frame.point(row.geometry.x, row.geometry.y)
    if frame.has(x, y, inner=1):
        glyph_star(sheet.page, x, y, 2.3, sheet.colour["anchor"], z=frame.z + 27)
        sheet.names[frame].keep_off(x, y, 2.2)
        lines = sheet.page.wrapped(sheet.short(row[f"name_{sheet.language}"]), 7.4, NAME_MM[sheet.language], most=3)
        look = {"bold": True, "halo": WHITE, "color": sheet.colour["anchor"]}
        sheet.names[frame].want(Name(lines, x, y, 2.3, 7.4, 0, must=True, look=look))
    return [Row("star", sheet.words("anchor"), {"fill": sheet.colour["anchor"]})]


def glyph_star(page: Any, x: float, y: float, radius: float, fill: str, *, z: float) -> None:
    """A five-pointed star with a white edge."""
    turns = np.pi / 2 + np.arange(10) * np.pi / 5
    far = np.where(np.arange(10) % 2 == 0, radius, radius * 0.42)
    page.area(shapely.Polygon(np.column_stack([x + far * np.cos(turns), y + far * np.sin(turns)])), fill=fill, line=WHITE, weight=0.8, z=z)


def supply(sheet: Sheet, frame: Frame) -> list[Row]:
    """Land that each site may have: a disc of the likely area in the colour of its evidence, rings of low and high."""
    offers = tables.offers_table(sheet.study.region)
    land = offers[offers["resource"] == "land"].set_index("site")[["low", "likely", "high", "basis", "within"]].dropna(subset=["likely"])
    power = offers[offers["resource"] == "power"].set_index("site")[["low", "high"]]
    colours, z, unit = toml.table("style")["evidence"], frame.z, sheet.words("mu")
    most = float(land["high"].max()) if len(land) else 1.0
    per = 9.0 / math.sqrt(max(most, 1e-9))
    own = sheet.study.sites.set_index("id")
    for site in land["likely"].sort_values(ascending=False).index:
        row, place = land.loc[site], own.geometry[site]
        x, y = frame.point(place.x, place.y)
        if not frame.has(x, y, inner=1) or row["within"]:
            continue
        low, likely, high = (per * math.sqrt(max(row[key], 0)) for key in ("low", "likely", "high"))
        colour = colours.get(row["basis"], "#c9c3b6")
        sheet.page.disc(x, y, high, fill=colour, z=z + 15, alpha=0.16)
        sheet.page.disc(x, y, high, line="#7a7466", weight=0.5, dash=(3, 2), z=z + 15.1)
        sheet.page.disc(x, y, max(likely, 0.7), fill=colour, line="#8d8468", weight=0.6, z=z + 16)
        sheet.page.disc(x, y, max(low, 0.25), fill=sheet.colour["site"], line=WHITE, weight=0.4, z=z + 17)
        sheet.names[frame].keep_off(x, y, max(likely, 0.7))
        notes = [f"{row['low']:,.0f}–{row['high']:,.0f} {unit}"]
        if site in power.index and power.loc[site, "high"] > 0:
            notes[0] += f" · {power.loc[site, 'low']:,.0f}–{power.loc[site, 'high']:,.0f} MVA"
        _site_name(sheet, frame, site, (x, y), away=max(likely, 0.7), rank=1 - row["likely"] / (2 * most), notes=notes)
    rows = [Row("sizes", sheet.words("land_sizes", unit=unit), {"per": per, "values": _round_values(most)})]
    rows += [Row("rings", sheet.words("land_rings"))]
    bases = [key for key in colours if (land["basis"] == key).any()]
    basis = vocabulary("basis")
    return [*rows, *(Row("dot", basis[key][sheet.language], {"fill": colours[key]}) for key in bases)]


def _round_values(most: float) -> list[float]:
    power = 10 ** math.floor(math.log10(max(most, 1)))
    top = next(step * power for step in (5, 2, 1) if step * power <= max(most, 1))
    return [top, top / 5]


def substations(sheet: Sheet, frame: Frame) -> list[Row]:
    """Substations whose place is known, by voltage."""
    colour, shown = sheet.colour["substation"], False
    found = sheet.read("substations")
    for row in found.to_dict("records"):
        x, y = frame.point(row["lon"], row["lat"])
        if frame.has(x, y, inner=1):
            half = 0.9 if row["voltage_kv"] < 500 else 1.25
            sheet.page.box(x - half, y - half, 2 * half, 2 * half, fill=WHITE, line=colour, weight=1.0, z=frame.z + 18)
            bolt = [(x + 0.2, y + half * 0.75), (x - half * 0.45, y - 0.1), (x + half * 0.4, y + 0.1), (x - 0.2, y - half * 0.75)]
            sheet.page.line(bolt, color=colour, weight=0.8, z=frame.z + 18.1)
            sheet.names[frame].keep_off(x, y, half)
            shown = True
    return [Row("substation", sheet.words("substation"), {"line": colour})] if shown else []


def ranked(sheet: Sheet, frame: Frame) -> list[Row]:
    """Sites with their place in the project's ranking, shaded by score; those refused with a cross."""
    found = tables.ranking(sheet.study).query("project == @sheet.project").set_index("site")
    shades, z = sheet.colour["shades"], frame.z
    own, top = sheet.study.sites.set_index("id"), toml.table("sheets")["named"]["ranks"]
    order = found.sort_values("rank", ascending=False, na_position="first").index
    spots = [frame.point(own.geometry[site].x, own.geometry[site].y) for site in order]
    radius = 2.1 * math.sqrt(sheet.page.text_scale)
    for site, (x, y) in zip(reversed(order), apart(spots[::-1], radius * 0.9), strict=True):
        row = found.loc[site]
        if not frame.has(x, y, inner=1):
            continue
        if not row["eligible"]:
            sheet.page.disc(x, y, radius * 0.62, fill=WHITE, line="#8b9298", weight=0.8, z=z + 19)
            arm = radius * 0.34
            for sign in (1, -1):
                sheet.page.line([(x - arm, y - arm * sign), (x + arm, y + arm * sign)], color="#8b9298", weight=0.9, z=z + 19.1)
            sheet.names[frame].keep_off(x, y, radius * 0.62)
            _site_name(sheet, frame, site, (x, y), away=radius * 0.62, rank=6, notes=[], faint=True)
            continue
        at = min(max(int((row["score"] - 50) // 10), 0), len(shades) - 1)
        best = row["rank"] == 1
        sheet.page.disc(x, y, radius * (1.35 if best else 1), fill=shades[at], line=sheet.colour["flow"] if best else WHITE, weight=1.8 if best else 0.8, z=z + 22)
        ink = WHITE if at >= 2 else "#1d2b36"
        sheet.page.text(x, y, f"{row['rank']:.0f}", 7.4 if best else 6.4, ha="center", va="center_baseline", bold=True, color=ink, z=z + 51)
        sheet.names[frame].keep_off(x, y, radius * (1.35 if best else 1))
        notes = [f"{row['score']:.1f} ({row['low']:.0f}–{row['high']:.0f})"] if row["rank"] <= top else []
        _site_name(sheet, frame, site, (x, y), away=radius * (1.35 if best else 1), rank=0.5 + row["rank"] / 100, notes=notes, faint=row["rank"] > top)
    bounds = [(None, 60), (60, 70), (70, 80), (80, 90), (90, None)]
    rows = [Row("dot", _class_words(*ends), {"fill": shade, "radius": 1.7}) for shade, ends in zip(shades, bounds, strict=True)]
    rows.insert(0, Row("best", sheet.words("rank_sign"), {"fill": shades[-1], "line": sheet.colour["flow"]}))
    return [*rows, Row("cross", sheet.words("refused"))]


def _class_words(low: float | None, high: float | None) -> str:
    return f"< {high}" if low is None else f"≥ {low}" if high is None else f"{low}–{high}"


def reach(sheet: Sheet, frame: Frame) -> list[Row]:
    """Outlines of what is within so many minutes of the R&D anchor, door to door."""
    at = sheet.study.anchor.geometry
    outlines, _ = isochrone_outlines(sheet.study.layers, at.x, at.y)
    colour = sheet.colour["reach"]
    for band, outline in zip(reversed(BANDS_MIN), outlines, strict=True):
        edge = frame.cut(pd.Series([shapely.boundary(shapely.from_geojson(json.dumps(outline)))]), margin=1)[0]
        if edge.is_empty:
            continue
        sheet.page.lines(edge, color=WHITE, weight=2.0, alpha=0.7, z=frame.z + 9, clip=frame.rect)
        sheet.page.lines(edge, color=colour, weight=0.9, dash=(1, 2.2), z=frame.z + 9.1, clip=frame.rect)
        coords = shapely.get_coordinates(edge)
        coords = coords[[frame.has(*point, inner=6) for point in coords]]
        if len(coords):
            x, y = coords[np.argmax(coords[:, 1])]
            look = {"color": colour, "halo": WHITE}
            sheet.names[frame].want(Name([f"{band} {sheet.words('min')}"], x, y, 0, 5.8, 1.2, look=look))
    return [Row("line", sheet.words("isochrone"), {"color": colour, "weight": 0.9, "dash": (1, 2.2)})]


def corridors(sheet: Sheet, frame: Frame) -> list[Row]:
    """Roads from the R&D anchor to the sites of the plan, as wide as the number of projects that use them."""
    flow, z = sheet.colour["flow"], frame.z
    found = _corridors(sheet.study)
    most = max((count for _, count in found), default=1)

    def wide(count: float) -> float:
        return 1.2 + 4.6 * math.sqrt(count / most)

    for shape, count in found:
        lines = frame.cut(pd.Series([shape]))[0]
        sheet.page.lines(lines, color=WHITE, weight=wide(count) + 1.6, z=z + 10, clip=frame.rect, alpha=0.9)
        sheet.page.lines(lines, color=flow, weight=wide(count), z=z + 10.5 + count / (100 * most), clip=frame.rect)
        sheet.names[frame].rather_off(lines)
    if not found:
        return []
    values = sorted({most, max(most // 4, 1)}, reverse=True)
    return [Row("widths", sheet.words("corridor"), {"color": flow, "widths": [(wide(one), str(one)) for one in values]})]


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
    counts, z, colour = plan["site"].value_counts(), frame.z, sheet.colour["site"]
    land, scale = plan.groupby("site")["land_mu"].sum(), math.sqrt(sheet.page.text_scale)
    outside = 0
    for site, place in own.geometry.items():
        x, y = frame.point(place.x, place.y)
        if not frame.has(x, y, inner=1):
            outside += 1
        elif site in counts.index:
            count = int(counts[site])
            radius = (2.2 + 1.9 * math.sqrt(count / counts.max())) * scale
            sheet.page.disc(x, y, radius, fill=colour, line=WHITE, weight=1.6, z=z + 24)
            sheet.page.text(x, y, str(count), 6.6 + 2.6 * math.sqrt(count / counts.max()), ha="center", va="center_baseline", bold=True, color=WHITE, z=z + 51)
            sheet.names[frame].keep_off(x, y, radius)
            notes = [sheet.words("takes", n=count, mu=f"{land[site]:,.0f}")]
            _site_name(sheet, frame, str(site), (x, y), away=radius, rank=0.5 - count / 1000, notes=notes, size=8.0)
        else:
            sheet.page.disc(x, y, 0.95, fill=WHITE, line=colour, weight=0.9, z=z + 19)
            sheet.names[frame].keep_off(x, y, 0.95)
            if not str(own.loc[site, "zone_id"]):
                _site_name(sheet, frame, str(site), (x, y), away=0.95, rank=6.5, notes=[], faint=True)
    if frame.z == 0 and not len(counts):
        sheet.notes.append(sheet.words("no_plan"))
    rows = [Row("count", sheet.words("placed"), {"fill": colour})] if len(counts) else []
    return [*rows, Row("ring", sheet.words("unused"), {"line": colour})]


def _site_name(
    sheet: Sheet, frame: Frame, site: str, at: tuple[float, float], *, away: float, rank: float, notes: list[str], size: float = 7.0, faint: bool = False
) -> None:
    name = sheet.short(sheet.study.region.names[site][sheet.language])
    size = 5.6 if faint else size
    lines = sheet.page.wrapped(name, size, NAME_MM[sheet.language] * sheet.page.text_scale, most=2 if faint else 3)
    look = {"halo": WHITE, "color": "#56636c" if faint else "#12303a", "bold": not faint}
    sheet.names[frame].want(Name(lines, *at, away, size, rank, must=not faint, look=look, notes=notes))


SIGNS: dict[str, Sign] = {
    "firms": firms,
    "grey_firms": grey_firms,
    "anchor": anchor,
    "supply": supply,
    "substations": substations,
    "ranked": ranked,
    "reach": reach,
    "corridors": corridors,
    "placed": placed,
}
"""Signs of the sheets' subjects by their name in `tables/sheets.toml`."""
