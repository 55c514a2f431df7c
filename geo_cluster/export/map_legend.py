"""What stands beside the map: the legend, a small table, the province with the windows, scale and north."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from geo_cluster import toml
from geo_cluster.export.briefing_tables import TABLES
from geo_cluster.export.map_frame import Frame, frame_around
from geo_cluster.export.map_ground import WHITE, Row, Sheet
from geo_cluster.export.map_labels import Name, Names
from geo_cluster.export.map_page import POINT_MM, Page
from geo_cluster.export.map_themes import glyph_star
from geo_cluster.report import tables

SIZE = 6.4
"""Of the legend's texts, points."""
HEAD = 8.0
GLYPH_MM = 7.5


def _line(page: Page, x: float, y: float, look: dict[str, Any]) -> None:
    ends = [(x - 3, y), (x + 3, y)]
    if "band" in look:
        page.line(ends, color=look["band"], weight=3.2, alpha=0.3, z=80)
    page.line(ends, color=look["color"], weight=look["weight"], dash=look.get("dash"), z=80.1, cap="butt")
    if "core" in look:
        page.line(ends, color=look["core"], weight=look["weight"] * 0.55, dash=look.get("core_dash"), z=80.2, cap="butt")


def _seat(page: Page, x: float, y: float, _: dict[str, Any]) -> None:
    page.disc(x, y, 1.15, fill=WHITE, line="#2a3a45", weight=0.8, z=80)
    page.disc(x, y, 0.5, fill="#2a3a45", z=80.1)


def _cross(page: Page, x: float, y: float, _: dict[str, Any]) -> None:
    page.disc(x, y, 1.25, fill=WHITE, line="#8b9298", weight=0.8, z=80)
    for sign in (1, -1):
        page.line([(x - 0.7, y - 0.7 * sign), (x + 0.7, y + 0.7 * sign)], color="#8b9298", weight=0.9, z=80.1)


def _count(page: Page, x: float, y: float, look: dict[str, Any]) -> None:
    page.disc(x, y, 1.9, fill=look["fill"], line=WHITE, weight=0.8, z=80)
    page.text(x, y, "8", 6, bold=True, color=WHITE, ha="center", va="center_baseline", z=81)


def _best(page: Page, x: float, y: float, look: dict[str, Any]) -> None:
    page.disc(x, y, 1.7, fill=look["fill"], line=look["line"], weight=1.5, z=80)
    page.text(x, y, "1", 5.6, bold=True, color=WHITE, ha="center", va="center_baseline", z=81)


def _substation(page: Page, x: float, y: float, look: dict[str, Any]) -> None:
    page.box(x - 1, y - 1, 2, 2, fill=WHITE, line=look["line"], weight=1, z=80)
    page.line([(x + 0.2, y + 0.7), (x - 0.4, y - 0.1), (x + 0.4, y + 0.1), (x - 0.2, y - 0.7)], color=look["line"], weight=0.8, z=80.1)


def _rings(page: Page, x: float, y: float, _: dict[str, Any]) -> None:
    page.disc(x, y, 1.9, line="#7a7466", weight=0.5, dash=(3, 2), z=80)
    page.disc(x, y, 1.2, fill="#c9a227", line=WHITE, weight=0.6, z=80.1)
    page.disc(x, y, 0.45, fill="#1d2b36", z=80.2)


GLYPHS: dict[str, Callable[[Page, float, float, dict[str, Any]], None]] = {
    "line": _line,
    "area": lambda page, x, y, look: page.box(x - 3, y - 1.3, 6, 2.6, fill=look["fill"], line=look["line"], weight=0.5, z=80),
    "dot": lambda page, x, y, look: page.disc(x, y, look.get("radius", 1.2), fill=look["fill"], line=WHITE, weight=0.4, z=80),
    "ring": lambda page, x, y, look: page.disc(x, y, 1.0, fill=WHITE, line=look["line"], weight=1.2, z=80),
    "town": lambda page, x, y, _: page.disc(x, y, 0.5, fill=WHITE, line="#8a8478", weight=0.6, z=80),
    "star": lambda page, x, y, look: glyph_star(page, x, y, 1.9, look["fill"], z=80),
    "seat": _seat,
    "cross": _cross,
    "count": _count,
    "best": _best,
    "substation": _substation,
    "rings": _rings,
}
"""How each sign looks in the legend."""


class Column:
    """A column that is filled from its top."""

    def __init__(self, sheet: Sheet, x: float, top: float, width: float, bottom: float) -> None:
        self.sheet, self.page = sheet, sheet.page
        self.x, self.y, self.width, self.bottom = x, top, width, bottom
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
            if any(row.glyph in ("sizes", "widths") for row in taken):
                taken = taken[:1]
            left = left[len(taken) :]
            high = max(self._row(row, self.x + at * (width + gap), width, step) for at, row in enumerate(taken))
            self.y -= high

    def _row(self, row: Row, x: float, width: float, step: float) -> float:
        """Draw one row from the present height down; its height."""
        if row.glyph in ("sizes", "widths"):
            return self._ladder(row, x, step)
        lines = self.page.wrapped(row.words, SIZE, width - GLYPH_MM - 1, most=3)
        GLYPHS[row.glyph](self.page, x + 3.2, self.y - step / 2, row.look)
        for number, line in enumerate(lines):
            self.page.text(x + GLYPH_MM, self.y - step / 2 - number * SIZE * self.em * 1.2, line, SIZE, va="center_baseline", z=80)
        return step + (len(lines) - 1) * SIZE * self.em * 1.2

    def _ladder(self, row: Row, x: float, step: float) -> float:
        """A row of sizes or widths with their numbers, and what they are under it."""
        page, at = self.page, x
        if row.glyph == "widths":
            for weight, words in row.look["widths"]:
                page.line([(at + 0.5, self.y - step / 2), (at + 9, self.y - step / 2)], color=row.look["color"], weight=weight, z=80, cap="butt")
                page.text(at + 10.3, self.y - step / 2, words, SIZE, va="center_baseline", z=80)
                at += 12 + page.wide(words, SIZE) + 3
            page.text(at, self.y - step / 2, row.words, SIZE, va="center_baseline", z=80)
            return step
        radii = [row.look["per"] * math.sqrt(value) for value in row.look["values"]]
        high = 2 * max(radii) + 0.8
        for radius, value in zip(radii, row.look["values"], strict=True):
            page.disc(at + radius, self.y - high + radius + 0.4, radius, fill="#efe7cf", line="#7a7466", weight=0.6, z=80)
            words = f"{value:,.0f}"
            page.text(at + 2 * radius + 1, self.y - high + radius + 0.4, words, SIZE, va="center_baseline", z=80)
            at += 2 * radius + page.wide(words, SIZE) + 3.5
        page.text(at, self.y - high / 2, row.words, SIZE, va="center_baseline", z=80)
        return high + 0.6

    def words(self, text: str, size: float = 5.8, color: str = "#56636c") -> None:
        """A note, wrapped."""
        for line in self.page.wrapped(text, size, self.width):
            self.y -= size * self.em * 1.3
            self.page.text(self.x, self.y, line, size, color=color, va="baseline", z=80)
        self.y -= 0.5

    def table(self, headings: list[str], rows: list[list[str]], *, until: float) -> None:
        """A table: words to the left, numbers to the right, as many rows as there is room for."""
        page, size = self.page, 6.0
        step = size * self.em * 1.55
        rows = rows[: max(int((self.y - until - 8 * page.text_scale) / step), 0)]
        if not rows:
            return
        self.y -= 1.6
        wanted = [max([page.wide(row[at], size) for row in rows] or [0]) for at in range(len(headings))]
        heads = [page.wrapped(head, 5.4, max(wide + 3, self.width / len(headings) * 0.8)) for head, wide in zip(headings, wanted, strict=True)]
        need = [max([wide, *(page.wide(line, 5.4) for line in lines)]) for wide, lines in zip(wanted, heads, strict=True)]
        gap = max((self.width - sum(need)) / max(len(need) - 1, 1), 1.2)
        gap = min(gap, 3.0) if headings[-1] == self.sheet.heading("lacking") else gap
        if sum(need) + gap * (len(need) - 1) > self.width:
            wide = [at for at, one in enumerate(need) if one == max(need)][0]
            need[wide] = max(self.width - sum(need) + need[wide] - gap * (len(need) - 1), 12)
        edges = np.cumsum([wide + gap for wide in need]) - gap
        lefts = [self.x + edge - wide for edge, wide in zip(edges, need, strict=True)]
        deep, words = max(len(lines) for lines in heads), {self.sheet.heading(key) for key in ("site", "number", "lacking")}
        for at, lines in enumerate(heads):
            for number, line in enumerate(lines):
                y = self.y - 5.4 * self.em * 1.2 * (number + 1 + deep - len(lines))
                self._cell(line, lefts[at], need[at], y, 5.4, left=at == 0 or headings[at] in words, color="#56636c")
        self.y -= deep * 5.4 * self.em * 1.2 + 1.2
        page.line([(self.x, self.y), (self.x + self.width, self.y)], color="#a3aab0", weight=0.4, z=80)
        for row in rows:
            for at, cell in enumerate(row):
                left = at == 0 or headings[at] in words
                self._cell(page.wrapped(cell, size, need[at] + 0.3, most=1)[0] if cell else "", lefts[at], need[at], self.y - step * 0.72, size, left=left)
            self.y -= step
        page.line([(self.x, self.y), (self.x + self.width, self.y)], color="#a3aab0", weight=0.4, z=80)
        self.y -= 1.2

    def _cell(self, text: str, x: float, wide: float, y: float, size: float, *, left: bool, color: str = "#1d2b36") -> None:
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
    page.area(frame.rect, fill="#f3f5f5", line="#a3aab0", weight=0.4, z=z)
    prefectures = sheet.read("prefectures")
    hosts = set(sheet.study.sites["prefecture_code"])
    for code, shape in zip(prefectures["code"], frame.cut(prefectures.geometry), strict=True):
        fill = colour["target"] if code in hosts else colour["wuhan"] if code == sheet.study.anchor["prefecture_code"] else WHITE
        page.area(shape, fill=fill, line="#b9b3a5", weight=0.4, z=z + 1, clip=frame.rect)
    names, water = Names(page, frame), sheet.read("water")
    rivers = frame.cut(water.geometry[water["kind"] == "river"])
    page.lines(rivers, color=colour["river"], weight=0.6, z=z + 2, clip=frame.rect)
    page.area(shapely.union_all(frame.cut(water.geometry[water["kind"] != "river"])), fill=colour["water"], z=z + 2, clip=frame.rect)
    for code, name, shape in zip(prefectures["code"], prefectures[f"name_{sheet.language}"], frame.onto(prefectures.geometry), strict=True):
        if code in hosts or code == sheet.study.anchor["prefecture_code"]:
            at = shape.representative_point()
            shown = name.removesuffix("市").removesuffix(" City")
            names.want(Name([shown], at.x, at.y, 0, 5.4, -shape.area, look={"halo": WHITE, "color": "#2a3a45"}))
    names.set()
    for window in windows:
        west, south, east, north = window.degrees()
        page.area(frame.onto([shapely.box(west, south, east, north)])[0], line="#b3223e", weight=1.0, z=z + 52, clip=frame.rect)
    page.area(frame.rect, line="#56636c", weight=0.6, z=z + 6)


def table_of(sheet: Sheet, name: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a table beside the map."""
    return _TABLES[name](sheet)


def _heads(sheet: Sheet, *keys: str) -> list[str]:
    return [sheet.heading(key) for key in keys]


def _chain(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    found = TABLES["chain"](sheet.study, sheet.language)
    wide = found.pivot_table(index="stage", columns="city", values="count", sort=False)
    rows = [[str(stage), *(f"{count:.0f}" if count else sheet.words("gap") for count in counts)] for stage, counts in zip(wide.index, wide.to_numpy(), strict=True)]
    total = [sheet.words("total"), *(f"{count:.0f}" for count in wide.sum())]
    return [sheet.heading("stage"), *(str(city).removesuffix("市").removesuffix(" City") for city in wide.columns)], [*rows, total]


def _supply(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    found = TABLES["supply"](sheet.study, sheet.language)
    found = found[found["resource"].isin(["land", "power"])]
    rows = []
    for city in found["city"].unique():
        of = found[found["city"] == city].set_index("resource")
        cells = [f"{of.loc[key, 'low']:,.0f}–{of.loc[key, 'high']:,.0f}" if key in of.index else "—" for key in ("land", "power")]
        rows.append([_city(city), *cells])
    return _heads(sheet, "city", "land", "power"), rows


def _cities(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    found = TABLES["cities"](sheet.study, sheet.language)
    rows = [[_city(row.city), f"{row.projects:.0f}", f"{row.output:,.1f}", f"{row.land_mu:,.0f}", f"{row.power_mva:,.1f}"] for row in found.itertuples()]
    sums = found[["projects", "output", "land_mu", "power_mva"]].sum()
    total = [sheet.words("total"), f"{sums['projects']:.0f}", f"{sums['output']:,.1f}", f"{sums['land_mu']:,.0f}", f"{sums['power_mva']:,.1f}"]
    return _heads(sheet, "city", "projects", "output", "land_mu", "power_mva"), [*rows, total]


def _ranking(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    found = tables.ranking(sheet.study).query("project == @sheet.project and eligible").sort_values("rank")
    rows = []
    for row in found.itertuples():
        name = sheet.short(sheet.study.region.names[row.site][sheet.language])
        rows.append([f"{row.rank:.0f}", name, f"{row.score:.1f} ({row.low:.0f}–{row.high:.0f})", f"{row.chance_first:.0%}"])
    return _heads(sheet, "rank", "site", "score", "chance"), rows


def _sites(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    found = tables.assignment(sheet.study).groupby("site")[["land_mu", "power_mva"]].agg(["sum", "size"])
    found = found.sort_values(("land_mu", "size"), ascending=False, kind="stable")
    rows = [
        [sheet.short(sheet.study.region.names[str(site)][sheet.language]), f"{row['land_mu', 'size']:.0f}", f"{row['land_mu', 'sum']:,.0f}", f"{row['power_mva', 'sum']:,.1f}"]
        for site, row in found.iterrows()
    ]
    return _heads(sheet, "site", "projects", "land_mu", "power_mva"), rows


def _asked(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    found = TABLES["asked"](sheet.study, sheet.language)
    rows = [[sheet.short(row.subject), row.name_, row.interval] for row in found.rename(columns={"name": "name_"}).itertuples()]
    return _heads(sheet, "ask", "number", "interval"), rows


def _gaps(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    found = TABLES["gaps"](sheet.study, sheet.language)
    rows = []
    width = toml.table("sheets")["sizes"]["a4"]["column"] * sheet.page.text_scale - 18 * sheet.page.text_scale
    for row in found.itertuples():
        lines = sheet.page.wrapped(row.lacking, 6.0, width)
        rows += [[_city(row.city) if at == 0 else "", line] for at, line in enumerate(lines)]
    return _heads(sheet, "city", "lacking"), rows


def _city(name: str) -> str:
    return name.removesuffix(" City")


_TABLES = {"chain": _chain, "gaps": _gaps, "supply": _supply, "asked": _asked, "cities": _cities, "sites": _sites, "ranking": _ranking}
