"""What stands beside the map: the legend, small tables, and the province with the sheet's windows."""

from __future__ import annotations

import math

import numpy as np
import shapely

from geo_cluster.export.map_frame import Frame, frame_around
from geo_cluster.export.map_glyphs import GLYPHS, WHITE
from geo_cluster.export.map_ground import Row, Sheet
from geo_cluster.export.map_labels import Name, Names
from geo_cluster.export.map_page import POINT_MM, shade
from geo_cluster.world.layers import city_name

SIZE = 6.4
"""Of the legend's texts, points."""
HEAD = 8.0
TABLE = 6.0
LADDERS = ("sizes", "widths", "ramp")
"""Signs of the legend that stand alone in a row."""
GLYPH_MM = 7.5
"""Width of a glyph, mm on A4."""


class Column:
    """A column that is filled from its top."""

    def __init__(self, sheet: Sheet, x: float, top: float, width: float) -> None:
        self.sheet, self.page = sheet, sheet.page
        self.x, self.y, self.width = x, top, width
        self.em = sheet.page.text_scale * POINT_MM

    def heading(self, words: str) -> None:
        """A heading with a rule under it."""
        self.y -= HEAD * self.em * 1.05
        self.page.text(self.x, self.y, words, HEAD, bold=True, va="baseline", z=80)
        self.y -= 1.5
        self.page.line([(self.x, self.y), (self.x + self.width, self.y)], color=self.page.ink, weight=0.6, z=80)
        self.y -= 1.0

    def legend(self, rows: list[Row], *, columns: int = 1) -> None:
        """Signs with what they mean, in one or two columns."""
        step, gap = SIZE * self.em * 1.62, 2.0
        width = (self.width - gap * (columns - 1)) / columns
        left = list(rows)
        while left:
            taken = left[:columns]
            if any(row.glyph in LADDERS for row in taken):
                taken = taken[:1]
            left = left[len(taken) :]
            high = max(self._row(row, self.x + at * (width + gap), width, step) for at, row in enumerate(taken))
            self.y -= high

    def _row(self, row: Row, x: float, width: float, step: float) -> float:
        """Draw one row from the present height down; its height."""
        if row.glyph == "ramp":
            return self._ramp(row, x, width, step)
        if row.glyph in LADDERS:
            return self._ladder(row, x, step)
        lines = self.page.wrapped(
            row.words[:1].upper() + row.words[1:], SIZE, width - GLYPH_MM * self.page.text_scale - 1, most=3
        )
        GLYPHS[row.glyph](self.page, x + 3.2 * self.page.text_scale, self.y - step / 2, row.look)
        for number, line in enumerate(lines):
            self.page.text(
                x + GLYPH_MM * self.page.text_scale,
                self.y - step / 2 - number * SIZE * self.em * 1.2,
                line,
                SIZE,
                va="center_baseline",
                z=80,
            )
        return step + (len(lines) - 1) * SIZE * self.em * 1.2

    def _ramp(self, row: Row, x: float, width: float, step: float) -> float:
        """A bar of colours with the numbers at its ends and middle, and what they are over it."""
        page, colours, (low, high) = self.page, row.look["colours"], row.look["ends"]
        page.text(x, self.y - step / 2, row.words, SIZE, va="center_baseline", z=80)
        part, top, tall = min(width, 60 * page.text_scale) / len(colours), self.y - step, 2.6 * page.text_scale
        for at, fill in enumerate(colours):
            page.box(x + at * part, top - tall, part, tall, fill=fill, line=fill, weight=0.2, z=80)
        page.box(x, top - tall, part * len(colours), tall, line=shade("rule"), weight=0.4, z=80.1)
        for share, ha in ((0.0, "left"), (0.5, "center"), (1.0, "right")):
            end, words = x + share * part * len(colours), f"{low + share * (high - low):g}"
            page.text(end, top - tall - SIZE * self.em * 1.05, words, SIZE, ha=ha, va="baseline", z=80)
        return step + tall + SIZE * self.em * 1.55

    def _ladder(self, row: Row, x: float, step: float) -> float:
        """A row of sizes or widths with their numbers, and what they are under it."""
        page, at = self.page, x
        if row.glyph == "widths":
            for weight, words in row.look["widths"]:
                page.line(
                    [(at + 0.5, self.y - step / 2), (at + 9, self.y - step / 2)],
                    color=row.look["color"],
                    weight=weight,
                    z=80,
                    cap="butt",
                )
                page.text(at + 10.3, self.y - step / 2, words, SIZE, va="center_baseline", z=80)
                at += 12 + page.wide(words, SIZE) + 3
            page.text(at, self.y - step / 2, row.words, SIZE, va="center_baseline", z=80)
            return step
        radii = [row.look["per"] * math.sqrt(value) for value in row.look["values"]]
        high = 2 * max(radii) + 0.8
        for radius, value in zip(radii, row.look["values"], strict=True):
            page.disc(
                at + radius,
                self.y - high + radius + 0.4,
                radius,
                fill=shade("sized"),
                line=shade("ring"),
                weight=0.6,
                z=80,
            )
            words = f"{value:,.0f}"
            page.text(at + 2 * radius + 1, self.y - high + radius + 0.4, words, SIZE, va="center_baseline", z=80)
            at += 2 * radius + page.wide(words, SIZE) + 3.5
        page.text(at, self.y - high / 2, row.words, SIZE, va="center_baseline", z=80)
        return high + 0.6

    def words(self, text: str, size: float = 5.8, color: str = shade("muted")) -> None:
        """A note: its `text` is broken into lines, `size` in points, `color`."""
        for line in self.page.wrapped(text, size, self.width):
            self.y -= size * self.em * 1.3
            self.page.text(self.x, self.y, line, size, color=color, va="baseline", z=80)
        self.y -= 0.5

    def high(self, rows: int) -> float:
        """Height of a table with so many rows, mm."""
        return 8 * self.page.text_scale + rows * TABLE * self.em * 1.55

    def table(self, headings: list[str], rows: list[list[str]], *, until: float) -> None:
        """A table: words to the left, numbers to the right, as many rows as there is room for.

        Parameters
        ----------
        headings : list of str
        rows : list of list of str
            One without a first cell goes on with the one above and isn't parted from it.
        until : float
            How far down it may reach, mm.
        """
        page, size = self.page, TABLE
        step = size * self.em * 1.55
        fit, every = min(max(int((self.y - until - 8 * page.text_scale) / step), 0), len(rows)), len(rows)
        fit -= fit < every
        while 0 < fit < len(rows) and not rows[fit][0]:
            fit -= 1
        rows = rows[: max(fit, 0)]
        if not rows:
            return
        self.y -= 1.6
        wanted = [max([page.wide(row[at], size) for row in rows] or [0]) for at in range(len(headings))]
        heads = [
            page.wrapped(head, 5.4, max(wide + 3, self.width / len(headings) * 0.8))
            for head, wide in zip(headings, wanted, strict=True)
        ]
        need = [
            max([wide, *(page.wide(line, 5.4) for line in lines)]) for wide, lines in zip(wanted, heads, strict=True)
        ]
        gap = max((self.width - sum(need)) / max(len(need) - 1, 1), 1.2)
        gap = min(gap, 3.0) if headings[-1] == self.sheet.heading("lacking") else gap
        most, room = max(need), self.width - gap * (len(need) - 1)
        while sum(min(one, most) for one in need) > room and most > 12:
            most -= 0.5
        need = [min(one, most) for one in need]
        edges = np.cumsum([wide + gap for wide in need]) - gap
        lefts = [self.x + edge - wide for edge, wide in zip(edges, need, strict=True)]
        deep, words = (
            max(len(lines) for lines in heads),
            {self.sheet.heading(key) for key in ("site", "number", "lacking", "where")},
        )
        for at, lines in enumerate(heads):
            for number, line in enumerate(lines):
                y = self.y - 5.4 * self.em * 1.2 * (number + 1 + deep - len(lines))
                self._cell(
                    line, lefts[at], need[at], y, 5.4, left=at == 0 or headings[at] in words, color=shade("muted")
                )
        self.y -= deep * 5.4 * self.em * 1.2 + 1.2
        page.line([(self.x, self.y), (self.x + self.width, self.y)], color=shade("rule"), weight=0.4, z=80)
        shown = 0
        for row in rows:
            cells = [page.wrapped(cell, size, wide + 0.3, most=3) for cell, wide in zip(row, need, strict=True)]
            fit -= (deep := max(len(lines) for lines in cells))
            if fit < 0:
                break
            for at, lines in enumerate(cells):
                for number, line in enumerate(lines):
                    y = self.y - step * (0.72 + 0.8 * number)
                    self._cell(line, lefts[at], need[at], y, size, left=at == 0 or headings[at] in words)
            self.y -= step * (0.2 + 0.8 * deep)
            shown += 1
        page.line([(self.x, self.y), (self.x + self.width, self.y)], color=shade("rule"), weight=0.4, z=80)
        if shown < every:
            self.words(self.sheet.words("more_rows", n=every - shown))
        self.y -= 1.2

    def _cell(
        self, text: str, x: float, wide: float, y: float, size: float, *, left: bool, color: str = shade("ink")
    ) -> None:
        at, ha = (x, "left") if left else (x + wide, "right")
        self.page.text(at, y, text, size, ha=ha, va="baseline", color=color, z=80)


def locator(sheet: Sheet, box: tuple[float, float, float, float], windows: list[Frame]) -> None:
    """The province with what the sheet's windows show of it, and the roads of a plan.

    Parameters
    ----------
    sheet : Sheet
    box : tuple
        x, y, width, height on the page, mm.
    windows : list of Frame
    """
    page, colour, z = sheet.page, sheet.colour, 100.0
    bounds = sheet.read("province").total_bounds
    corners = np.array([(bounds[0], bounds[1]), (bounds[2], bounds[3]), (bounds[0], bounds[3]), (bounds[2], bounds[1])])
    frame = frame_around(corners, box, pad_mm=1.5, least=1e4, z=z)
    page.area(frame.rect, fill=shade("inset"), line=shade("rule"), weight=0.4, z=z)
    prefectures = sheet.read("prefectures")
    hosts = set(sheet.study.sites["prefecture_code"])
    for code, shape in zip(prefectures["code"], frame.cut(prefectures.geometry), strict=True):
        fill = (
            colour["target"]
            if code in hosts
            else colour["wuhan"]
            if code == sheet.study.anchor["prefecture_code"]
            else WHITE
        )
        page.area(shape, fill=fill, line=shade("inset_line"), weight=0.4, z=z + 1, clip=frame.rect)
    names, water = Names(page, frame), sheet.read("water")
    rivers = frame.cut(water.geometry[water["kind"] == "river"])
    page.lines(rivers, color=colour["river"], weight=0.6, z=z + 2, clip=frame.rect)
    page.area(
        shapely.union_all(frame.cut(water.geometry[water["kind"] != "river"])),
        fill=colour["water"],
        z=z + 2,
        clip=frame.rect,
    )
    for code, name, shape in zip(
        prefectures["code"], prefectures[f"name_{sheet.language}"], frame.onto(prefectures.geometry), strict=True
    ):
        if code in hosts or code == sheet.study.anchor["prefecture_code"]:
            at = shape.representative_point()
            names.want(
                Name([city_name(name)], at.x, at.y, 0, 5.4, -shape.area, look={"halo": WHITE, "color": shade("city")})
            )
    names.set()
    for window in windows:
        west, south, east, north = window.degrees()
        page.area(
            frame.onto([shapely.box(west, south, east, north)])[0],
            line=shade("window"),
            weight=1.0,
            z=z + 60,  # over the names: their halo would break it
            clip=frame.rect,
        )
    page.area(frame.rect, line=shade("muted"), weight=0.6, z=z + 6)
