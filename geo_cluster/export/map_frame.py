"""A window on the world on a page: its projection, its frame with the graticule, scale bar and true north."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Proj, Transformer

from geo_cluster.domain import Language
from geo_cluster.export.map_page import Page, shade
from geo_cluster.world.coordinates import cgcs2000_zone

STEPS_MIN = (1, 2, 5, 10, 15, 20, 30, 60, 120)
"""Minutes of arc that a graticule may step by."""
FINE_MM = 0.06
"""Shapes are simplified to this on paper."""


@dataclass(frozen=True)
class Frame:
    """A rectangle on the page that shows a part of the world.

    Attributes
    ----------
    x, y, width, height : float
        On the page, mm.
    epsg : int
        CGCS2000 zone that it is drawn in.
    middle : tuple of float
        Easting and northing in its middle, m.
    scale : float
        Denominator, 600000 for 1:600 000.
    z : float
        Insets lie above what they cover.
    """

    x: float
    y: float
    width: float
    height: float
    epsg: int
    middle: tuple[float, float]
    scale: float
    z: float = 0.0

    @cached_property
    def rect(self) -> shapely.Polygon:
        """The rectangle, mm."""
        return shapely.box(self.x, self.y, self.x + self.width, self.y + self.height)

    @property
    def _there(self) -> Transformer:
        return _into(self.epsg)

    def onto(self, shapes: Any, *, simplify: bool = False) -> np.ndarray:
        """Shapes in degrees as shapes in mm on the page, none cut off."""
        mm = 1000 / self.scale

        def put(points: np.ndarray) -> np.ndarray:
            east, north = self._there.transform(points[:, 0], points[:, 1])
            x = self.x + self.width / 2 + (np.asarray(east) - self.middle[0]) * mm
            y = self.y + self.height / 2 + (np.asarray(north) - self.middle[1]) * mm
            return np.column_stack([x, y])

        found = shapely.transform(np.asarray(shapes, dtype=object), put)
        return shapely.simplify(found, FINE_MM) if simplify else found

    def cut(self, shapes: gpd.GeoSeries, *, margin: float = 3.0) -> np.ndarray:
        """Shapes on the page, cut to the rectangle and a margin; empty where there is nothing of one."""
        found, (west, south, east, north) = self.onto(shapes, simplify=True), self.rect.bounds
        return shapely.clip_by_rect(found, west - margin, south - margin, east + margin, north + margin)

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        """A place on the page, mm."""
        at = self.onto([shapely.Point(lon, lat)])[0]
        return at.x, at.y

    def has(self, x: float, y: float, *, inner: float = 0.0) -> bool:
        """Whether a spot `x`, `y` of the page is inside, by `inner` mm."""
        west, south, east, north = self.rect.bounds
        return west + inner <= x <= east - inner and south + inner <= y <= north - inner

    def degrees(self) -> tuple[float, float, float, float]:
        """West, south, east, north of what it shows, degrees."""
        x, y = self.middle
        dx, dy = self.width * self.scale / 2000, self.height * self.scale / 2000
        return self._there.transform_bounds(x - dx, y - dy, x + dx, y + dy, direction="INVERSE")

    def convergence_deg(self) -> float:
        """Angle from true north to grid north in the middle, clockwise."""
        lon, lat = self._there.transform(*self.middle, direction="INVERSE")
        return float(Proj(self.epsg).get_factors(lon, lat).meridian_convergence)

    @property
    def meridian(self) -> float:
        """Central meridian of the zone, degrees."""
        return float(3 * (25 + self.epsg - cgcs2000_zone(75.0)))


@cache
def _into(epsg: int) -> Transformer:
    return Transformer.from_crs(4326, epsg, always_xy=True)  # CGCS2000 and WGS 84 are treated as one


def frame_around(
    points: np.ndarray,
    box: tuple[float, float, float, float],
    *,
    pad_mm: float = 14.0,
    least: float = 250_000,
    z: float = 0.0,
) -> Frame:
    """The frame in a box of the page (x, y, width, height) that shows points in degrees as large as it can.

    Parameters
    ----------
    points : array (n, 2)
        Longitude, latitude.
    box : tuple
    pad_mm : float
        Room to leave around them.
    least : float
        No larger scale than this denominator.
    z : float
    """
    middle_lon = float(points[:, 0].min() + points[:, 0].max()) / 2
    epsg = cgcs2000_zone(middle_lon)
    east, north = _into(epsg).transform(points[:, 0], points[:, 1])
    wide, high = np.ptp(east), np.ptp(north)
    width, height = box[2] - 2 * pad_mm, box[3] - 2 * pad_mm
    scale = round_scale(max(wide / width, high / height) * 1000, least)
    middle = (float(np.min(east) + np.max(east)) / 2, float(np.min(north) + np.max(north)) / 2)
    return Frame(*box, epsg, middle, scale, z)


def round_scale(denominator: float, least: float) -> float:
    """The next denominator above that a person would choose."""
    wanted = max(denominator, least)
    power = 10 ** math.floor(math.log10(wanted))
    steps = (
        1,
        1.1,
        1.2,
        1.3,
        1.4,
        1.5,
        1.6,
        1.8,
        2,
        2.2,
        2.5,
        2.8,
        3,
        3.3,
        3.6,
        4,
        4.5,
        5,
        5.5,
        6,
        6.5,
        7,
        7.5,
        8,
        9,
        10,
    )
    return next(power * step for step in steps if power * step >= wanted - 1e-6)


def draw_frame(page: Page, frame: Frame, *, band: float) -> None:
    """The neat line with the degrees between its two lines.

    Parameters
    ----------
    page : Page
    frame : Frame
    band : float
        Between the lines, mm.
    """
    z, color = frame.z + 60, page.ink
    outer = frame.rect.buffer(band, join_style="mitre")
    page.area(outer.difference(frame.rect), fill="#ffffff", z=z)
    page.area(frame.rect, line=color, weight=0.5, z=z + 1)
    page.area(outer, line=color, weight=1.1, z=z + 1)
    for meridian, degrees, line in _graticule(frame):
        for end in (0, 1):
            at = _crossing(frame, line, meridian, end)
            if at is None:
                continue
            out = -1 if end == 0 else 1
            x, y = at
            inward = [(x, y), (x, y + out * band)] if meridian else [(x, y), (x + out * band, y)]
            page.line(inward, color=color, weight=0.35, z=z + 2, cap="butt")
            label = degree_words(degrees, "E" if meridian else "N")
            x, y = (x + 0.8, y + out * band / 2) if meridian else (x + out * band / 2, y + 0.8)
            page.text(x, y, label, 5.0, angle=0 if meridian else 90, va="center", color=color, z=z + 3)


def draw_graticule(page: Page, frame: Frame) -> None:
    """Meridians and parallels across the map, thin."""
    lines = np.array([line for _, _, line in _graticule(frame)])
    page.lines(lines, color=shade("graticule"), weight=0.35, z=frame.z + 8.5, clip=frame.rect, alpha=0.55)


def _graticule(frame: Frame) -> list[tuple[bool, float, shapely.LineString]]:
    """Whether it is a meridian, its degrees, and the line on the page, beyond the frame by a little."""
    west, south, east, north = frame.degrees()
    wanted = max(east - west, (north - south) * 1.2) * 60 / 5.2
    step = next((one for one in STEPS_MIN if one >= wanted), STEPS_MIN[-1]) / 60
    found = []
    for degree in np.arange(math.ceil(west / step), math.floor(east / step) + 1) * step:
        points = [(degree, lat) for lat in np.linspace(south - 0.2, north + 0.2, 24)]
        found.append((True, float(degree), frame.onto([shapely.LineString(points)])[0]))
    for degree in np.arange(math.ceil(south / step), math.floor(north / step) + 1) * step:
        points = [(lon, degree) for lon in np.linspace(west - 0.2, east + 0.2, 24)]
        found.append((False, float(degree), frame.onto([shapely.LineString(points)])[0]))
    return found


def _crossing(frame: Frame, line: shapely.LineString, meridian: bool, end: int) -> tuple[float, float] | None:
    """Where a line leaves the frame: at the bottom or left (0), top or right (1); None in a corner."""
    west, south, east, north = frame.rect.bounds
    if meridian:
        y = (south, north)[end]
        side = shapely.LineString([(west, y), (east - 11, y)])
    else:
        x = (west, east)[end]
        side = shapely.LineString([(x, south), (x, north - 11)])
    met = line.intersection(side)
    return None if met.is_empty or met.geom_type != "Point" else (met.x, met.y)


def degree_words(degrees: float, side: str) -> str:
    """114°30′E."""
    minutes = round(degrees * 60)
    whole, rest = divmod(minutes, 60)
    return f"{whole}°{rest:02d}′{side}" if rest else f"{whole}°{side}"


def scale_bar(page: Page, frame: Frame, x: float, y: float, width: float, language: Language) -> None:
    """A bar of four parts with its kilometres, at most so wide, and the numeric scale above it.

    Parameters
    ----------
    page : Page
    frame : Frame
        Whose scale it is.
    x, y, width : float
        Lower left corner and width, mm.
    language : {"zh", "en"}
    """
    most = width * frame.scale / 1e6
    power = 10 ** math.floor(math.log10(most))
    whole = next(power * step for step in (8, 6, 4, 2, 1) if power * step <= most)
    part = whole / 4 * 1e6 / frame.scale
    for number in range(4):
        page.box(
            x + number * part,
            y,
            part,
            1.3,
            fill=page.ink if number % 2 == 0 else "#ffffff",
            line=page.ink,
            weight=0.4,
            z=80,
        )
    for number in (0, 1, 2, 4):
        last = {"zh": " 千米", "en": " km"}[language] if number == 4 else ""
        value = f"{whole * number / 4:g}"
        at = x + number * part
        page.text(at, y + 2.6, value, 5.6, ha="center", va="baseline", z=80)
        page.text(at + page.wide(value, 5.6) / 2 + 0.7, y + 2.6, last, 5.6, va="baseline", z=80)


def true_north(page: Page, frame: Frame, x: float, y: float, high: float, language: Language) -> None:
    """An arrow to true north, turned by the convergence of the meridians.

    Parameters
    ----------
    page : Page
    frame : Frame
    x, y : float
        Its middle, mm.
    high : float
    language : {"zh", "en"}
    """
    turn = math.radians(frame.convergence_deg())

    def at(right: float, up: float) -> tuple[float, float]:
        return x + right * math.cos(turn) + up * math.sin(turn) * -1, y + up * math.cos(turn) + right * math.sin(turn)

    tip, half = at(0, high / 2), high * 0.17
    left, right, notch = at(-half, -high / 2), at(half, -high / 2), at(0, -high * 0.30)
    page.area(shapely.Polygon([tip, left, notch]), fill=page.ink, line=page.ink, weight=0.5, z=80)
    page.area(shapely.Polygon([tip, right, notch]), fill="#ffffff", line=page.ink, weight=0.5, z=80)
    page.text(*at(0, high / 2 + 2.2), "N", 8, bold=True, ha="center", va="center", z=80)
    page.text(x, y - high / 2 - 2.4, {"zh": "真北", "en": "True north"}[language], 5, ha="center", va="center", z=80)
