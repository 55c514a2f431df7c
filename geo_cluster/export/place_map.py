"""The small map of one place in the style of the map sheets, with Optics Valley where it is near."""

from __future__ import annotations

import datetime
from typing import NamedTuple, cast

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Geod

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import fonts, map_ground, map_themes
from geo_cluster.export.map_frame import Frame, frame_around, scale_bar
from geo_cluster.export.map_glyphs import WHITE
from geo_cluster.export.map_ground import Sheet
from geo_cluster.export.map_labels import Name, Names
from geo_cluster.export.map_margin import ratio
from geo_cluster.export.map_page import Page, shade
from geo_cluster.region import Region
from geo_cluster.study import Study

SIZE_MM = (162.0, 92.0)
DPI = 200
LEAST = 250_000
SCALE_BOX = (3.0, 3.0, 45.0, 11.5)
KM_A_DEGREE = 111.2
GROUND = (map_ground.land, map_ground.water, map_ground.boundaries, map_ground.roads, map_ground.water_names)


class Drawn(NamedTuple):
    """A PNG file, its scale as told, whether Optics Valley is on it, and how far that is as the crow flies."""

    png: bytes
    ratio: str
    has_anchor: bool
    anchor_km: float


def place_map(region: Region, place: gpd.GeoDataFrame, *, language: Language, day: datetime.date) -> Drawn | None:
    """The map around one point; None where its place is unknown.

    Parameters
    ----------
    region : Region
    place : GeoDataFrame
        Its one row with `id` and names.
    language : {"zh", "en"}
    day : date
        Of the file.

    Raises
    ------
    InputError
        There is no Chinese font.
    """
    point = place.geometry.iloc[0]
    if point is None or point.is_empty:
        return None
    fonts.chinese()
    page = Page(*SIZE_MM)
    anchor = region.anchor.geometry
    km = Geod(ellps="WGS84").inv(point.x, point.y, anchor.x, anchor.y)[2] / 1000
    near = km <= toml.table("place_sheet")["map"]["anchor_km"]
    frame = frame_around(
        _window(region, point, with_anchor=near), (0.3, 0.3, SIZE_MM[0] - 0.6, SIZE_MM[1] - 0.6), least=LEAST
    )
    # signs of the ground ask a study for its layers, sites, anchor and names alone, which a region has
    sheet = Sheet(cast(Study, region), "place", language, page, "a4")
    sheet.names[frame] = Names(page, frame)
    sheet.names[frame].keep_off_box(shapely.box(*SCALE_BOX))
    _mark(sheet, frame, place)
    _sites(sheet, frame, region, str(place["id"].iloc[0]))
    for sign in (map_themes.substations, map_themes.anchor, map_themes.grey_firms, *GROUND, map_ground.names):
        sign(sheet, frame)
    sheet.names[frame].set()
    page.area(frame.rect, line=shade("muted"), weight=0.6, z=90)
    page.area(shapely.box(*SCALE_BOX), fill=WHITE, alpha=0.85, z=79)
    scale_bar(page, frame, 5, 4.2, 30, language)
    title = str(place[f"name_{language}"].iloc[0] or place["name_zh"].iloc[0])
    return Drawn(page.saved("png", title=title, day=day, dpi=DPI), ratio(sheet, frame), near, km)


def _window(region: Region, point: shapely.Point, *, with_anchor: bool) -> np.ndarray:
    """Corners of what has to be seen, (n, 2) degrees: some km around the place, and Optics Valley where it is near."""
    high = toml.table("place_sheet")["map"]["around_km"] / KM_A_DEGREE / 2
    wide = high / np.cos(np.radians(point.y))
    corners = [(point.x + x * wide, point.y + y * high) for x in (-1, 1) for y in (-1, 1)]
    if with_anchor:
        corners.append((region.anchor.geometry.x, region.anchor.geometry.y))
    return np.array(corners)


def _mark(sheet: Sheet, frame: Frame, place: gpd.GeoDataFrame) -> None:
    """The place itself, large and named."""
    row = place.iloc[0]
    x, y = frame.point(row.geometry.x, row.geometry.y)
    _diamond(sheet.page, (x, y, 2.6), shade("window"), frame.z + 40)
    sheet.names[frame].keep_off(x, y, 2.6)
    name = sheet.short(str(row[f"name_{sheet.language}"] or row["name_zh"]))
    lines = sheet.page.wrapped(name, 8.0, map_themes.NAME_MM[sheet.language] * 1.3, most=3)
    look = {"bold": True, "halo": WHITE, "color": shade("window")}
    sheet.names[frame].want(Name(lines, x, y, 2.6, 8.0, -1, must=True, look=look))


def _sites(sheet: Sheet, frame: Frame, region: Region, but: str) -> None:
    """The other sites in the window, named where there is room."""
    for row in region.sites[region.sites["id"] != but].itertuples():
        x, y = frame.point(row.geometry.x, row.geometry.y)
        if frame.has(x, y, inner=2):
            _diamond(sheet.page, (x, y, 1.5), sheet.colour["site"], frame.z + 30)
            sheet.names[frame].keep_off(x, y, 1.5)
            name = sheet.short(region.names[row.id][sheet.language])
            lines = sheet.page.wrapped(name, 6.2, map_themes.NAME_MM[sheet.language], most=2)
            look = {"halo": WHITE, "color": shade("title")}
            sheet.names[frame].want(Name(lines, x, y, 1.5, 6.2, 1, look=look))


def _diamond(page: Page, mark: tuple[float, float, float], fill: str, z: float) -> None:
    x, y, half = mark
    shape = shapely.Polygon([(x, y + half), (x + half, y), (x, y - half), (x - half, y)])
    page.area(shape, fill=fill, line=WHITE, weight=0.8, z=z)
