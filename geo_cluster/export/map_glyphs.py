"""Signs of a map sheet, each drawn by one function on the map and in the legend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from geo_cluster.export.map_page import Page, shade

WHITE = "#ffffff"
LEGEND_Z = 80.0


def star(page: Page, x: float, y: float, radius: float, fill: str, *, z: float = LEGEND_Z) -> None:
    """Draw a star on a `page` around `x`, `y`: `radius` in mm, colour `fill`, height `z`; its edge is white."""
    turns = np.pi / 2 + np.arange(10) * np.pi / 5
    far = np.where(np.arange(10) % 2 == 0, radius, radius * 0.42)
    shape = shapely.Polygon(np.column_stack([x + far * np.cos(turns), y + far * np.sin(turns)]))
    page.area(shape, fill=fill, line=WHITE, weight=0.8, z=z)


def substation(page: Page, x: float, y: float, half: float, line: str, *, z: float = LEGEND_Z) -> None:
    """Draw a square with a bolt on a `page` around `x`, `y`: `half` its side in mm, colour `line`, height `z`."""
    page.box(x - half, y - half, 2 * half, 2 * half, fill=WHITE, line=line, weight=1.0, z=z)
    bolt = [(0.2, 0.75), (-0.45, -0.1), (0.4, 0.1), (-0.2, -0.75)]
    page.line([(x + half * dx, y + half * dy) for dx, dy in bolt], color=line, weight=0.8, z=z + 0.1)


def crossed(page: Page, x: float, y: float, radius: float, *, z: float = LEGEND_Z) -> None:
    """Draw a crossed disc, refused, on a `page` around `x`, `y`: `radius` in mm, height `z`."""
    page.disc(x, y, radius, fill=WHITE, line=shade("refused"), weight=0.8, z=z)
    arm = radius * 0.55
    for sign in (1, -1):
        ends = [(x - arm, y - arm * sign), (x + arm, y + arm * sign)]
        page.line(ends, color=shade("refused"), weight=0.9, z=z + 0.1)


def diamond(page: Page, x: float, y: float, half: float, fill: str, *, z: float = LEGEND_Z) -> None:
    """Draw a diamond on a `page` around `x`, `y`: `half` its height in mm, colour `fill`, height `z`."""
    shape = shapely.Polygon([(x, y + half), (x + half, y), (x, y - half), (x - half, y)])
    page.area(shape, fill=fill, line=shade("title"), weight=0.8, z=z)


def numbered(page: Page, x: float, y: float, radius: float, words: str, look: dict[str, Any]) -> None:
    """Draw a disc with a number in it.

    Parameters
    ----------
    page : Page
    x, y, radius : float
        mm.
    words : str
    look : dict
        `fill`, `line`, `weight` of the disc, `ink`, `size` of the number, `z` and `text_z`.
    """
    z = look.get("z", LEGEND_Z)
    page.disc(x, y, radius, fill=look["fill"], line=look.get("line", WHITE), weight=look.get("weight", 0.8), z=z)
    text = {"ha": "center", "va": "center_baseline", "bold": True, "color": look.get("ink", WHITE)}
    page.text(x, y, words, look.get("size", 6.0), **text, z=max(z + 1, look.get("text_z", 0)))


def seat(page: Page, x: float, y: float, size: float = 1.0, *, z: float = LEGEND_Z) -> None:
    """Draw the seat of a city, a disc in a ring, on a `page` around `x`, `y`; `size` 1 is usual, height `z`."""
    page.mark(x, y, 1.1 * size, fill=WHITE, line=shade("city"), weight=0.8, z=z)
    page.mark(x, y, 0.48 * size, fill=shade("city"), z=z + 0.1)


def _line(page: Page, x: float, y: float, look: dict[str, Any]) -> None:
    half = 3 * page.text_scale
    ends = [(x - half, y), (x + half, y)]
    if "band" in look:
        page.line(ends, color=look["band"], weight=3.2, alpha=0.3, z=LEGEND_Z)
    page.line(ends, color=look["color"], weight=look["weight"], dash=look.get("dash"), z=LEGEND_Z + 0.1, cap="butt")
    if "core" in look:
        core = {"weight": look["weight"] * 0.55, "dash": look.get("core_dash")}
        page.line(ends, color=look["core"], **core, z=LEGEND_Z + 0.2, cap="butt")


def _area(page: Page, x: float, y: float, look: dict[str, Any]) -> None:
    half, high = 3 * page.text_scale, 1.3 * page.text_scale
    page.box(x - half, y - high, 2 * half, 2 * high, fill=look["fill"], line=look["line"], weight=0.5, z=LEGEND_Z)


def _rings(page: Page, x: float, y: float, _: dict[str, Any]) -> None:
    page.mark(x, y, 1.9, line=shade("ring"), weight=0.5, dash=(3, 2), z=LEGEND_Z)
    page.mark(x, y, 1.2, fill=shade("sized"), line=shade("ring"), weight=0.6, z=LEGEND_Z + 0.1)
    page.mark(x, y, 0.45, fill=shade("low"), line=WHITE, weight=0.4, z=LEGEND_Z + 0.2)


def _dot(page: Page, x: float, y: float, look: dict[str, Any]) -> None:
    page.mark(x, y, look.get("radius", 1.2), fill=look["fill"], line=look.get("line", WHITE), weight=0.4, z=LEGEND_Z)


GLYPHS: dict[str, Callable[[Page, float, float, dict[str, Any]], None]] = {
    "line": _line,
    "area": _area,
    "dot": _dot,
    "rings": _rings,
    "ring": lambda page, x, y, look: page.mark(x, y, 1.0, fill=WHITE, line=look["line"], weight=1.2, z=LEGEND_Z),
    "town": lambda page, x, y, _: page.mark(x, y, 0.5, fill=WHITE, line=shade("town"), weight=0.6, z=LEGEND_Z),
    "seat": lambda page, x, y, _: seat(page, x, y),
    "star": lambda page, x, y, look: star(page, x, y, 1.9 * page.text_scale, look["fill"]),
    "cross": lambda page, x, y, _: crossed(page, x, y, 1.25 * page.text_scale),
    "substation": lambda page, x, y, look: substation(page, x, y, page.text_scale, look["line"]),
    "count": lambda page, x, y, look: numbered(page, x, y, 1.9 * page.text_scale, look.get("words", "8"), look),
    "diamond": lambda page, x, y, look: diamond(page, x, y, 1.35 * page.text_scale, look["fill"]),
    "best": lambda page, x, y, look: numbered(page, x, y, 1.7 * page.text_scale, "1", {**look, "weight": 1.5}),
}
"""How each sign looks in the legend."""
