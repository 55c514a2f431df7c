"""A sheet of paper to draw on, in millimetres from its lower left corner: shapes, marks and texts with a halo.

Texts are texts: a halo is drawn under each as a stroke, so that a PDF can be searched and its fonts are embedded.
"""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.image import AxesImage
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Normal, Stroke
from matplotlib.textpath import text_to_path
from PIL import Image

from geo_cluster import toml
from geo_cluster.export import fonts

MM = 25.4
POINT_MM = MM / 72
MISSING = "〓"
"""Stands for a character that the font has not, as printers do."""
DPI = 300


def shade(name: str) -> str:
    """A colour of sheets by its name in `tables/style.toml`."""
    return toml.table("style")["sheet"][name]


class Page:
    """A sheet of `width` by `height` mm; `text_scale` enlarges texts, lines, marks; `outlined` sets texts as shapes."""

    def __init__(self, width: float, height: float, *, text_scale: float = 1.0, outlined: bool = False):
        self.width, self.height, self.text_scale, self.outlined, self.ink = (
            width,
            height,
            text_scale,
            outlined,
            shade("ink"),
        )
        self.figure = Figure((width / MM, height / MM), facecolor="white")
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.axis("off")

    def area(
        self, shape: Any, *, fill: str | None = None, line: str | None = None, weight: float = 0.3, **more: Any
    ) -> None:
        """Draw polygons.

        Parameters
        ----------
        shape : geometry or array of geometry
            In mm.
        fill, line : str, optional
            Colours.
        weight : float
            Of the line, points.
        **more
            `z`, `clip` (a polygon), `alpha`, `dash` (in line widths).
        """
        outline = outline_of(shape)
        if outline is not None:
            look = {
                "facecolor": fill or "none",
                "edgecolor": line or "none",
                "linewidth": weight * self.text_scale if line else 0,
            }
            self._add(PathPatch(outline, joinstyle="round", **look, **_style(more)), more)

    def box(self, x: float, y: float, width: float, height: float, **look: Any) -> None:
        """Draw a rectangle from `x`, `y` of `width` and `height` mm; `look` as for `area`."""
        self.area(shapely.box(x, y, x + width, y + height), **look)

    def lines(self, shape: Any, *, color: str, weight: float | Sequence[float] = 0.5, **more: Any) -> None:
        """Draw lines of a `shape` in mm in a `color`; `weight` in points, or one each; `more` as for `area`, `cap`."""
        parts = shapely.get_parts(shape)
        parts = [
            shapely.get_coordinates(part) for part in parts if part.geom_type == "LineString" and not part.is_empty
        ]
        if parts:
            weights = np.asarray(weight) * self.text_scale
            drawn = LineCollection(
                parts, colors=color, linewidths=weights, capstyle=more.pop("cap", "round"), **_style(more)
            )
            drawn.set_joinstyle("round")
            self._add(drawn, more)

    def line(self, points: Iterable[tuple[float, float]], **look: Any) -> None:
        """Draw one line through points."""
        self.lines(np.array([shapely.LineString(list(points))]), **look)

    def disc(self, x: float, y: float, radius: float, **look: Any) -> None:
        """Draw a disc around `x`, `y` of a `radius` in mm; `look` as for `area`."""
        self.area(shapely.Point(x, y).buffer(radius, quad_segs=12), **look)

    def mark(self, x: float, y: float, radius: float, **look: Any) -> None:
        """Draw a disc around `x`, `y` whose `radius` in mm grows as texts do; `look` as for `area`."""
        self.disc(x, y, radius * self.text_scale, **look)

    def picture(self, png: bytes, box: tuple[float, float, float, float], *, z: float) -> None:
        """Lay a picture, a `png` file, into a `box` of x, y, width and height in mm, at height `z`."""
        x, y, width, height = box
        drawn = AxesImage(self.axes, extent=(x, x + width, y, y + height), origin="upper", interpolation="none")
        with Image.open(io.BytesIO(png)) as opened:
            drawn.set_data(np.asarray(opened.convert("RGBA")))
        drawn.set_zorder(z)
        self._add(drawn, {})

    def text(self, x: float, y: float, words: str, size: float, **look: Any) -> None:
        """Set a line of text.

        Parameters
        ----------
        x, y : float
            Where it stands, mm.
        words : str
        size : float
            Points, before `text_scale`.
        **look
            `color`, `halo` (a colour), `bold`, `serif`, `ha`, `va`, `angle`, `z`, `clip`, `alpha`.
        """
        if not (words := self.plain(words)):
            return
        size *= self.text_scale
        color, z = look.get("color", self.ink), look.get("z", 50)
        common = {
            "fontproperties": font(serif=look.get("serif", False), size=size),
            "ha": look.get("ha", "left"),
            "va": look.get("va", "center_baseline"),
            "rotation": look.get("angle", 0),
            "rotation_mode": "anchor",
            "parse_math": False,
            "alpha": look.get("alpha"),
        }
        strokes = [(look["halo"], 0.30 * size, z - 0.2)] if look.get("halo") else []
        strokes += [(color, 0.045 * size, z - 0.1)] if look.get("bold") else []
        for colour, width, at in strokes:
            effect = [Stroke(linewidth=min(width, 3.2), foreground=colour, joinstyle="round")]
            self._clip(self.axes.text(x, y, words, zorder=at, path_effects=effect, **common), look)
        drawn = self.axes.text(x, y, words, color=color, zorder=z, **common)
        if self.outlined:  # laid out as its halo is: hinted letters of a picture would drift off it
            drawn.set_path_effects([Normal()])
        self._clip(drawn, look)

    def wide(self, words: str, size: float, *, serif: bool = False) -> float:
        """Width in mm of `words` at a `size` in points, `serif` or not."""
        return width_em(self.plain(words), serif) * size * self.text_scale * POINT_MM

    def wrapped(self, words: str, size: float, width: float, *, most: int = 99) -> list[str]:
        """Lines of `words` at a `size`, each at most `width` mm; what goes beyond `most` lines ends in an ellipsis."""
        lines, line = [], ""
        for piece in re.findall(r"[^\u2e80-\uffef\s]+\s*|[\u2e80-\uffef]\s*", self.plain(words)):
            pieces = [piece] if self.wide(piece, size) <= width else list(piece)
            for one in pieces:
                stays = one.strip() and one.strip()[0] in "，。；：、）)」”》"
                if line and not stays and self.wide((line + one).rstrip(), size) > width:
                    lines.append(line.rstrip())
                    line = ""
                line += one
        lines = [*lines, line.rstrip()] if line.strip() else lines
        if len(lines) <= most:
            return lines
        last = lines[most - 1]
        while last and self.wide(last + "…", size) > width:
            last = last[:-1]
        return [*lines[: most - 1], last.rstrip() + "…"]

    def plain(self, words: str) -> str:
        """A text in one line; of characters that the font has not, `MISSING`."""
        shown = re.sub(r"[\s\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+", " ", str(words)).strip()
        return "".join(letter if _has(letter) else MISSING for letter in shown)

    def saved(self, form: str, *, title: str, day: datetime.date, dpi: int = DPI) -> bytes:
        """The sheet as a file of a `form`, pdf, png or svg, with its `title` and `day`: the same bytes each time.

        Parameters
        ----------
        form : {"pdf", "png", "svg"}
        title : str
        day : date
        dpi : int
            Of a PNG.
        """
        out, at = io.BytesIO(), datetime.datetime.combine(day, datetime.time())
        about: dict[str, Any] = {"Title": title}
        about |= {"CreationDate": at} if form == "pdf" else {"Date": day.isoformat()} if form == "svg" else {}
        options: Any = {"pdf.fonttype": 3, "svg.fonttype": "path", "svg.hashsalt": "sheet"}
        with mpl.rc_context(options):
            self.figure.savefig(out, format=form, dpi=dpi, metadata=about)
        return out.getvalue()

    def _add(self, drawn: Any, look: dict[str, Any]) -> None:
        self.axes.add_artist(drawn)  # unlike add_patch it doesn't look for limits, which are those of the paper
        self._clip(drawn, look)

    def _clip(self, drawn: Any, look: dict[str, Any]) -> None:
        if (clip := look.get("clip")) is not None:
            drawn.set_clip_path(PathPatch(Outline(np.array(clip.exterior.coords)), transform=self.axes.transData))


def _style(more: dict[str, Any]) -> dict[str, Any]:
    dash = {"linestyle": (0, more["dash"])} if more.get("dash") else {}
    return {"zorder": more.get("z", 10), "alpha": more.get("alpha"), **dash}


def outline_of(shape: Any) -> Outline | None:
    """Polygons as one compound path; None for nothing."""
    parts = shapely.get_parts(shape)
    rings = shapely.get_rings(parts[shapely.get_type_id(parts) == 3])
    rings = [ring for ring in rings if not ring.is_empty]
    if not rings:
        return None
    found = [Outline(shapely.get_coordinates(ring), closed=True) for ring in rings]
    return Outline.make_compound_path(*found)


@cache
def _file(serif: bool) -> Path:
    return fonts.serif() if serif else fonts.chinese()


def font(*, serif: bool = False, size: float = 10) -> FontProperties:
    """The sheet's face at a size in points."""
    return FontProperties(fname=str(_file(serif)), size=size)


@cache
def _face(serif: bool) -> FT2Font:
    return FT2Font(str(_file(serif)))


@cache
def _has(letter: str) -> bool:
    return letter == " " or bool(_face(False).get_char_index(ord(letter)))


@cache
def width_em(words: str, serif: bool = False) -> float:
    """Width of a text in its own size."""
    if not words:
        return 0.0
    return float(text_to_path.get_text_width_height_descent(words, font(serif=serif, size=100), False)[0]) / 100
