"""What lies under every sheet: land and boundaries, water, roads and railways, with their names by size.

Each function draws one sign of `tables/sheets.toml` on a frame and says what it needs in the legend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.map_frame import Frame
from geo_cluster.export.map_glyphs import WHITE, seat
from geo_cluster.export.map_labels import Name, Names
from geo_cluster.export.map_page import POINT_MM, Page, shade
from geo_cluster.study import Study


@dataclass(frozen=True)
class Row:
    """A sign in the legend: `glyph` of `map_glyphs.GLYPHS` with its look, and what it means."""

    glyph: str
    words: str
    look: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Sheet:
    """A map sheet in the making.

    Attributes
    ----------
    study : Study
    kind : str
    language : {"zh", "en"}
    page : Page
    size : str
    project : str
        Id of the project that is ranked, '' for none.
    names : dict of Frame to Names
    rows, ground : list of Row
        The legend so far, of the subject and of what lies under it.
    notes : list of str
        What the legend adds in words.
    """

    study: Study
    kind: str
    language: Language
    page: Page
    size: str
    project: str = ""
    names: dict[Frame, Names] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    ground: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def colour(self) -> dict[str, Any]:
        """Colours of the map of `tables/style.toml`."""
        return toml.table("style")["map"]

    def words(self, key: str, **values: Any) -> str:
        """A text of `tables/sheets.toml`."""
        return toml.table("sheets")["words"][key][self.language].format(**values)

    def heading(self, key: str) -> str:
        """The heading of a column of a table."""
        return toml.table("sheets")["headings"][key][self.language]

    def read(self, layer: str) -> gpd.GeoDataFrame:
        """The rows of a layer that have a place."""
        found = self.study.layers.read(layer)
        return found[found.geometry.notna()]

    def short(self, name: str) -> str:
        """A name as maps write it: without what is in brackets, usual words shortened."""
        for opening, closing in ("（）", "()"):
            while opening in name and closing in name[name.index(opening) :] and name.index(opening) > 0:
                start = name.index(opening)
                name = name[:start] + name[name.index(closing, start) + 1 :]
        for long, brief in toml.table("sheets")["shorten"][self.language].items():
            name = name.replace(long, brief)
        return " ".join(name.split())


Sign = Callable[[Sheet, Frame], list[Row]]


def land(sheet: Sheet, frame: Frame) -> list[Row]:
    """The province, the cities of the study tinted."""
    page, colour, z = sheet.page, sheet.colour, frame.z
    page.area(frame.rect, fill=shade("outside"), z=z + 1)
    prefectures = sheet.read("prefectures")
    tints = _tints(sheet)
    for code, shape in zip(prefectures["code"], frame.cut(prefectures.geometry), strict=True):
        page.area(shape, fill=tints.get(code, colour["province"]), z=z + 2, clip=frame.rect)
    return [Row("area", sheet.words("target"), {"fill": colour["target"], "line": colour["prefecture_line"]})]


def _tints(sheet: Sheet) -> dict[str, str]:
    tints = dict.fromkeys(sheet.study.sites["prefecture_code"], sheet.colour["target"])
    return tints | {sheet.study.anchor["prefecture_code"]: sheet.colour["wuhan"]}


def boundaries(sheet: Sheet, frame: Frame) -> list[Row]:
    """Counties thin, prefectures as a soft band with a dashed line in it, the province stronger."""
    page, colour, z = sheet.page, sheet.colour, frame.z
    line, words = colour["prefecture_line"], sheet.words
    counties = shapely.boundary(frame.cut(sheet.read("counties").geometry))
    page.lines(counties, color=colour["county_line"], weight=0.45, dash=(6, 2), z=z + 4, clip=frame.rect)
    prefectures = shapely.union_all(shapely.boundary(frame.cut(sheet.read("prefectures").geometry)))
    page.lines(prefectures, color=shade("band"), weight=3.2, alpha=0.30, z=z + 4.2, clip=frame.rect)
    page.lines(prefectures, color=line, weight=0.75, dash=(7, 2, 1.2, 2), z=z + 4.4, clip=frame.rect, cap="butt")
    province = shapely.boundary(frame.cut(sheet.read("province").geometry))
    page.lines(
        province, color=shade("province_line"), weight=1.2, dash=(9, 2, 1.5, 2), z=z + 4.6, clip=frame.rect, cap="butt"
    )
    rows = [("province_line", {"color": shade("province_line"), "weight": 1.2, "dash": (9, 2, 1.5, 2)})]
    rows += [("prefecture_line", {"color": line, "weight": 0.75, "dash": (7, 2, 1.2, 2), "band": shade("band")})]
    rows += [("county_line", {"color": colour["county_line"], "weight": 0.6, "dash": (6, 2)})]
    return [Row("line", words(key), look) for key, look in rows]


def water(sheet: Sheet, frame: Frame) -> list[Row]:
    """Lakes and the Yangtze as areas with a quiet shore, other rivers as lines."""
    page, colour, z = sheet.page, sheet.colour, frame.z
    frame_water = sheet.read("water")
    is_line = frame_water["kind"] == "river"
    rivers = shapely.line_merge(frame.cut(frame_water.geometry[is_line]))
    areas = shapely.union_all(frame.cut(frame_water.geometry[~is_line]))
    page.lines(rivers, color=colour["river"], weight=1.3, z=z + 3, clip=frame.rect)
    page.area(areas, fill=colour["water"], line=colour["river"], weight=0.4, z=z + 3.2, clip=frame.rect)
    rows = [Row("area", sheet.words("water"), {"fill": colour["water"], "line": colour["river"]})]
    return [*rows, Row("line", sheet.words("river"), {"color": colour["river"], "weight": 1.3})]


def roads(sheet: Sheet, frame: Frame) -> list[Row]:
    """Roads by speed, the fast ones cased; railways as fine dark lines."""
    page, colour, z = sheet.page, sheet.colour, frame.z
    fast, middling = 100, 60
    shown, found = sheet.read("roads"), {}
    for key, part in (
        ("minor", shown[shown["speed_kmh"] < middling]),
        ("major", shown[shown["speed_kmh"].between(middling, fast, inclusive="left")]),
        ("motorway", shown[shown["speed_kmh"] >= fast]),
    ):
        mine = _near(part, frame)
        found[key] = shapely.line_merge(shapely.union_all(frame.cut(mine.geometry)))
    page.lines(found["minor"], color=shade("minor_road"), weight=0.35, z=z + 5, clip=frame.rect)
    page.lines(found["major"], color=colour["road"], weight=0.6, z=z + 5.1, clip=frame.rect)
    page.lines(found["motorway"], color=shade("motorway"), weight=1.15, z=z + 5.3, clip=frame.rect)
    page.lines(found["motorway"], color=shade("motorway_core"), weight=0.6, z=z + 5.4, clip=frame.rect)
    rails = shapely.line_merge(shapely.union_all(frame.cut(_near(sheet.read("railways"), frame).geometry)))
    page.lines(rails, color=colour["railway"], weight=0.9, z=z + 5.5, clip=frame.rect)
    page.lines(rails, color=WHITE, weight=0.5, dash=(5, 5), z=z + 5.6, clip=frame.rect, cap="butt")
    rows = [
        Row(
            "line", sheet.words("motorway"), {"color": shade("motorway"), "weight": 1.3, "core": shade("motorway_core")}
        )
    ]
    rows += [Row("line", sheet.words("road"), {"color": colour["road"], "weight": 0.75})]
    rail = {"color": colour["railway"], "weight": 0.9, "core": WHITE, "core_dash": (5, 5)}
    return [*rows, Row("line", sheet.words("railway"), rail)]


def _near(lines: gpd.GeoDataFrame, frame: Frame) -> gpd.GeoDataFrame:
    west, south, east, north = frame.degrees()
    return lines.iloc[lines.sindex.query(shapely.box(west - 0.05, south - 0.05, east + 0.05, north + 0.05))]


def names(sheet: Sheet, frame: Frame) -> list[Row]:
    """Names of cities, counties and towns, each smaller and paler than what it lies in."""
    places, rows = sheet.read("geonames"), []
    key, page = f"name_{sheet.language}", sheet.page
    named: list[tuple[str, float, float]] = []
    for code, size, rank in (("PPLA", 13.0, 2.0), ("PPLA2", 10.5, 2.2)):
        for row in places[places["feature_code"] == code].to_dict("records"):
            x, y = frame.point(row["lon"], row["lat"])
            if frame.has(x, y, inner=2):
                seat(page, x, y, 1.25 if code == "PPLA" else 1.0, z=frame.z + 13)
                sheet.names[frame].keep_off(x, y, 1.4 * page.text_scale)
                shown = _of_city(sheet, row)
                look = {"bold": True, "halo": WHITE, "color": shade("city")}
                sheet.names[frame].want(Name([shown], x, y, 1.5 * page.text_scale, size, rank, must=True, look=look))
                named.append((row["prefecture_code"], x, y))
                rows.append(Row("seat", sheet.words("seat"), {"code": "PPLA2"}))
    seen = {code for code, _, _ in named}
    _areas(
        sheet,
        frame,
        "prefectures",
        seen,
        size=9.5,
        rank=3,
        look={"color": shade("prefecture"), "halo": WHITE, "alpha": 0.95},
    )
    _areas(
        sheet, frame, "counties", set(), size=6.6, rank=5, look={"color": shade("county"), "halo": shade("soft_halo")}
    )
    towns = places[~places["feature_code"].isin(["PPLA", "PPLA2"])]
    towns = towns[~towns["name_zh"].isin(places.loc[~places.index.isin(towns.index), "name_zh"])]
    drawn = 0
    for row in towns.to_dict("records"):
        x, y = frame.point(row["lon"], row["lat"])
        if frame.has(x, y, inner=3) and frame.scale < 1.6e6:
            page.mark(x, y, 0.45, fill=WHITE, line=shade("town"), weight=0.5, z=frame.z + 12)
            name = Name(
                [row[key] or row["name_zh"]],
                x,
                y,
                0.6,
                5.2,
                7,
                look={"color": shade("town"), "halo": shade("soft_halo")},
            )
            sheet.names[frame].want(name)
            drawn += 1
    return [*rows[:1], *([Row("town", sheet.words("town"))] if drawn else [])]


def _of_city(sheet: Sheet, row: dict[str, Any]) -> str:
    """The city's name as the boundaries have it, without the word for city in English."""
    prefectures = sheet.read("prefectures").set_index("code")[f"name_{sheet.language}"]
    return str(prefectures.get(row["prefecture_code"], row[f"name_{sheet.language}"])).removesuffix(" City")


def _areas(
    sheet: Sheet, frame: Frame, layer: str, but: set[str], *, size: float, rank: float, look: dict[str, Any]
) -> None:
    """Names of areas in the middle of what the frame shows of them, letters apart."""
    shown = sheet.read(layer)
    for row, shape in zip(shown.to_dict("records"), frame.cut(shown.geometry, margin=-2), strict=True):
        if row["code"] in but or shape.is_empty or shape.area < 90:
            continue
        at, name = (
            shape.representative_point(),
            row[f"name_{sheet.language}"].removesuffix(" City").removesuffix(" County"),
        )
        if layer == "prefectures":
            name = "\u2002".join(name) if sheet.language == "zh" else name.upper()
        sheet.names[frame].want(Name([name], at.x, at.y, 0, size, rank, look=look))


def water_names(sheet: Sheet, frame: Frame) -> list[Row]:
    """Lakes in blue in or beside the water, rivers letter by letter along their course."""
    found = sheet.read("water")
    found = found[found["name_zh"] != ""]
    look, key = {"color": shade("water_name"), "serif": True, "halo": WHITE}, f"name_{sheet.language}"
    lakes = found[found["kind"] == "lake"]
    for name, shape in zip(lakes[key], frame.cut(lakes.geometry), strict=True):
        if not shape.is_empty and shape.area > 0.8:
            at = shape.representative_point()
            wide = sheet.page.wide(name, 6.4)
            inside = shape.area > 0.6 * wide**2
            sheet.names[frame].want(Name([name], at.x, at.y, 0 if inside else 0.9, 6.4, 4, look=look))
    rivers = found[found["kind"] != "lake"]
    for name, shape in zip(rivers[key], frame.cut(rivers.geometry, margin=-6), strict=True):
        _along(sheet, frame, name, _middle_line(shape))
    return []


def _middle_line(shape: Any) -> Any:
    """Lines as they are; of areas the middle, from the Voronoi edges of points on their banks."""
    if shape.is_empty or not shape.geom_type.endswith("Polygon"):
        return shape
    banks = shapely.MultiPoint(shapely.get_coordinates(shapely.segmentize(shape, 1.0)))
    edges = shapely.get_parts(shapely.voronoi_polygons(banks, only_edges=True))
    shapely.prepare(shape)
    inside = edges[shapely.contains_properly(shape, edges)]
    ends = shapely.distance(shapely.boundary(shape), shapely.points(shapely.get_coordinates(inside).reshape(-1, 2)))
    inside = inside[(ends.reshape(-1, 2) > 0.5).all(axis=1)]
    return shapely.line_merge(shapely.multilinestrings([shapely.get_coordinates(edge) for edge in inside]))


def _along(sheet: Sheet, frame: Frame, name: str, shape: Any) -> None:
    """Letters along the straightest free stretch of a river, once, and again on a long one."""
    parts = [part for part in shapely.get_parts(shapely.line_merge(shape)) if part.geom_type == "LineString"]
    parts = sorted(parts, key=lambda part: part.length, reverse=True)[:1]
    page, size, taken = sheet.page, 7.6, sheet.names[frame].taken
    em = size * page.text_scale * POINT_MM
    widths = [page.wide(letter, size, serif=True) or 0.3 * em for letter in name]
    gap = 1.6 * em if sheet.language == "zh" else 0.12 * em
    need = sum(widths) + gap * (len(name) - 1)
    for part in parts:
        line = part.simplify(0.8)
        starts = np.arange(2, max(line.length - need - 2, 0), 3.0)
        best: tuple[float, float] | None = None
        for start in starts:
            points = [line.interpolate(start + need * share) for share in np.linspace(0, 1, 7)]
            straight = points[0].distance(points[-1]) / need
            blocked = sum(
                box[0] - em < p.x < box[2] + em and box[1] - em < p.y < box[3] + em for p in points for box in taken
            )
            cost = (1 - straight) * 10 + blocked * 5 + abs(start + need / 2 - line.length / 2) / line.length
            if best is None or cost < best[0]:
                best = cost, float(start)
        if best is not None and best[0] < 5:
            _letters(sheet, frame, name, line, best[1], widths, gap)


def _letters(sheet: Sheet, frame: Frame, name: str, line: Any, start: float, widths: list[float], gap: float) -> None:
    need = sum(widths) + gap * (len(name) - 1)
    first, last = line.interpolate(start), line.interpolate(start + need)
    backwards = last.x < first.x
    at = start
    for letter, width in zip(name, widths, strict=True):
        middle = at + width / 2
        spot = 2 * start + need - middle if backwards else middle
        a, b = line.interpolate(max(spot - 2, 0)), line.interpolate(spot + 2)
        a, b = (b, a) if backwards else (a, b)
        angle = float(np.degrees(np.arctan2(b.y - a.y, b.x - a.x)))
        p = line.interpolate(spot)
        sheet.page.text(
            p.x,
            p.y,
            letter,
            7.6,
            angle=angle,
            ha="center",
            va="center_baseline",
            serif=True,
            color=shade("water_name"),
            halo=WHITE,
            z=frame.z + 48,
        )
        sheet.names[frame].keep_off(p.x, p.y, width / 2)
        at += width + gap


SIGNS: dict[str, Sign] = {
    "land": land,
    "water": water,
    "boundaries": boundaries,
    "roads": roads,
    "names": names,
    "water_names": water_names,
}
"""Signs of the ground by their name in `tables/sheets.toml`."""
