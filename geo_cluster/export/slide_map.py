"""The map of the plan on a slide as native shapes, which can be moved and recoloured."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import geopandas as gpd
import shapely
from pptx.enum.shapes import MSO_CONNECTOR, MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt
from shapely.affinity import affine_transform

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import measure
from geo_cluster.export.geopackage import plan_lines
from geo_cluster.export.slide_text import WARNING, Box, Pen, fill, flat, paint, panel
from geo_cluster.report import tables
from geo_cluster.study import Study

COARSE_DEG = 0.004
"""Outlines are simplified to this: a slide is looked at from afar."""
SMALL = 0.0004
"""Water smaller than this share of the window is left out."""
MARGIN = 0.08
KM_PER_DEG = 111.32
NAME_EM, NAME_LINES, NAMES = 17.0, 3, 24
"""A site's name is broken after this width, in font sizes, and has so many lines; so many names at most."""
NAME_PT, WATER_PT = 12, 11
WATER_INK = "#3f7fa8"

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "anchor": "研发锚点",
        "site": "园区，数字为落地项目数",
        "line": "研发锚点与园区的联系",
        "water": "水域（示意）",
    },
    "en": {
        "anchor": "R&D anchor",
        "site": "site, with its number of projects",
        "line": "anchor to site",
        "water": "water (backdrop)",
    },
}


class Mark(NamedTuple):
    """A sign on the map with its name; of a site, with its number of projects."""

    at: shapely.Point
    size: int
    name: str
    projects: int = 0


def draw(pen: Pen, slide: Any, box: Box, study: Study, review: str) -> None:
    """Put the map of the plan into a box of a slide.

    Parameters
    ----------
    pen : Pen
    slide : Slide
    box : Box
    study : Study
        With a plan that places somebody.
    review : str
        What the map says of its review.
    """
    colour, words = toml.table("style")["map"], WORDS[pen.language]
    lines = plan_lines(study).drop_duplicates("site").geometry
    onto, window = frame_of(lines.total_bounds, box)
    panel(slide.shapes, box, "paper", line="#a9a396").name = "frame"
    ground, water, links = (slide.shapes.add_group_shape() for _ in range(3))
    outlines = study.layers.read("prefectures")
    outlines = outlines.set_geometry(outlines.geometry.simplify(COARSE_DEG).intersection(window))
    for name, shape in zip(outlines[f"name_{pen.language}"], outlines.geometry, strict=True):
        put_area(ground, affine_transform(shape, onto), colour["province"], colour["prefecture_line"], name)
    for shape in _water(study, window).geometry:
        put_area(water, affine_transform(shape, onto), colour["water"], "", words["water"])
    for line in lines:
        put_line(links, affine_transform(line, onto), colour["route"])
    for group, name in ((ground, "prefectures"), (water, "water"), (links, "links")):
        name_group(group, name)
    marks = _marks(study, onto, pen.language)
    legend = _legend(pen, slide, box, colour, words, 1 / onto[3])
    for mark in marks:
        _mark(pen, slide, mark, colour)
    reviewed = put_review(pen, slide, box, review)
    taken = [shapely.box(*_ends(one)) for one in (legend, reviewed)]
    _names(pen, slide, outlines, onto, window, marks, taken, box)
    _water_names(pen, slide, _water(study, window), onto, taken)


def frame_of(bounds: Any, box: Box) -> tuple[list[float], shapely.Polygon]:
    """What puts degrees onto a `box` of a slide, and the window shown, which holds `bounds`: west to north."""
    west, south, east, north = bounds
    pad = max(east - west, north - south, 0.4) * MARGIN + 0.05
    west, south, east, north = west - pad, south - pad, east + pad, north + pad
    across = math.cos(math.radians((south + north) / 2))
    scale = min(box.width / ((east - west) * across), box.height / (north - south))
    x, y = (west + east) / 2, (south + north) / 2
    middle = box.left + box.width / 2, box.top + box.height / 2
    onto = [scale * across, 0, 0, -scale, middle[0] - x * scale * across, middle[1] + y * scale]
    wide, high = box.width / 2 / scale / across, box.height / 2 / scale
    return onto, shapely.box(x - wide, y - high, x + wide, y + high)


def _water(study: Study, window: shapely.Polygon) -> gpd.GeoDataFrame:
    """Lakes and rivers wide enough to be areas, cut to the window; the large ones."""
    found = study.layers.read("water")
    found = found[found["kind"] != "river"]
    found = found.set_geometry(found.geometry.simplify(COARSE_DEG).intersection(window))
    return found[shapely.area(found.geometry.to_numpy()) > SMALL * window.area]


def _water_names(pen: Pen, slide: Any, water: gpd.GeoDataFrame, onto: list[float], taken: list[Any]) -> None:
    """Names of lakes and rivers, the largest first, each once, where the water has room and nothing is covered."""
    names = water[f"name_{pen.language}"].fillna("")
    shapes = water.geometry[names != ""].groupby(names[names != ""]).agg(shapely.union_all)
    for name in shapes.map(shapely.area).sort_values(ascending=False).index:
        drawn = affine_transform(shapes[name], onto)
        wide, high = int(Pt(WATER_PT) * (measure.width(name) + 0.4)), int(Pt(WATER_PT * measure.LINE))
        for at in _within(max(shapely.get_parts(drawn), key=shapely.area)):
            label = shapely.box(*_ends(around(at, wide, high)))
            inside = drawn.intersection(label).area > 0.6 * label.area
            if inside and not any(label.intersects(one) for one in taken):
                taken.append(label)
                pen.text(slide.shapes, _box(label), [name], WATER_PT, colour=WATER_INK, align=PP_ALIGN.CENTER)
                break


def put_review(pen: Pen, slide: Any, box: Box, review: str) -> Box:
    """What the map says of its review, at the lower right.

    Parameters
    ----------
    pen : Pen
    slide : Slide
    box : Box
        Of the map.
    review : str
    """
    wide, high = int(Pt(11) * (measure.width(review, bold=True) + 1)), int(Pt(18))
    left, top = box.left + box.width - wide - int(Inches(0.08)), box.top + box.height - high - int(Inches(0.05))
    place = Box(left, top, wide, high)
    pen.text(slide.shapes, place, [review], 11, bold=True, colour=WARNING, align=PP_ALIGN.RIGHT)
    return place


def put_area(group: Any, shape: shapely.Geometry, colour: str, line: str, name: str) -> None:
    """Draw an area in EMU as native shapes.

    Parameters
    ----------
    group : GroupShape
    shape : geometry
    colour, line : str
        `#rrggbb`; '' for no fill, or no line.
    name : str
        Of the shape.
    """
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        corners = shapely.get_coordinates(part.exterior).round().astype(int)
        builder = group.shapes.build_freeform(*map(int, corners[0]), scale=1.0)
        builder.add_line_segments([tuple(map(int, one)) for one in corners[1:]], close=True)
        drawn = builder.convert_to_shape()
        drawn.name = name
        if colour:
            fill(drawn, colour)
        else:
            drawn.fill.background()
        flat(drawn)
        if line:
            paint(drawn.line, line)
            drawn.line.width = Pt(0.75 if colour else 1.5)
        else:
            drawn.line.fill.background()


def put_line(group: Any, line: shapely.Geometry, colour: str) -> None:
    """Draw a straight `line` in EMU of a `colour` into a `group`."""
    (x0, y0), *_, (x1, y1) = shapely.get_coordinates(line)
    drawn = group.shapes.add_connector(MSO_CONNECTOR.STRAIGHT, *(Emu(int(one)) for one in (x0, y0, x1, y1)))
    paint(drawn.line, colour)
    drawn.line.width = Pt(1.25)
    for effect in drawn._element.iter(qn("a:effectRef")):
        effect.set("idx", "0")


def name_group(group: Any, name: str) -> None:
    """A group by its name; an empty one goes."""
    group.name = name
    if not len(group.shapes):
        group._element.getparent().remove(group._element)


def _marks(study: Study, onto: list[float], language: Language) -> list[Mark]:
    """The anchor, then the sites of the plan, the one with the most projects last and on top."""
    places = study.sites.set_index("id").geometry
    counts = tables.assignment(study)["site"].value_counts(ascending=True)
    anchor = Mark(affine_transform(study.anchor.geometry, onto), int(Inches(0.24)), study.anchor[f"name_{language}"])
    return [anchor] + [
        Mark(
            affine_transform(places[site], onto),
            int(Inches(0.28 + 0.02 * min(int(count), 12))),
            study.region.names[str(site)][language],
            int(count),
        )
        for site, count in counts.items()
    ]


def _mark(pen: Pen, slide: Any, mark: Mark, colour: dict[str, Any]) -> None:
    kind = MSO_SHAPE.OVAL if mark.projects else MSO_SHAPE.DIAMOND
    shape = slide.shapes.add_shape(kind, *around(mark.at, mark.size, mark.size))
    shape.name = mark.name[:60]
    fill(shape, colour["site"] if mark.projects else colour["anchor"])
    paint(shape.line, "paper")
    shape.line.width = Pt(1)
    flat(shape)
    if mark.projects:
        frame = shape.text_frame
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        pen.say(frame, [str(mark.projects)], NAME_PT, bold=True, colour="paper", align=PP_ALIGN.CENTER)
        frame.word_wrap = False


def _names(
    pen: Pen,
    slide: Any,
    outlines: gpd.GeoDataFrame,
    onto: list[float],
    window: Any,
    marks: list[Mark],
    taken: list[Any],
    box: Box,
) -> None:
    """Names of sites where they cover neither a mark nor each other, then of prefectures where there is room left."""
    taken += [shapely.box(*mark.at.buffer(mark.size / 2).bounds) for mark in marks]
    frame = shapely.box(*_ends(box))
    named = [marks[0], *marks[:0:-1]][:NAMES]
    for mark in named:
        label, text = free_place(mark, taken, frame, must=len(marks) < NAMES)
        if label is not None:
            taken.append(label)
            pen.text(slide.shapes, _box(label), [text], NAME_PT, bold=True)
    for name, shape in zip(outlines[f"name_{pen.language}"], outlines.geometry, strict=True):
        drawn = affine_transform(shape, onto)
        wide = int(Pt(NAME_PT) * (measure.width(name) + 0.6))
        for at in _within(drawn) if shape.area > 0.02 * window.area else ():
            label = shapely.box(*_ends(around(at, wide, int(Pt(20)))))
            if drawn.contains(label) and not any(label.intersects(one) for one in taken):
                taken.append(label)
                pen.text(slide.shapes, _box(label), [name], NAME_PT, colour="#8a8478", align=PP_ALIGN.CENTER)
                break


def _within(shape: shapely.Geometry) -> list[shapely.Point]:
    """Places for a name: a point inside, then a lattice over the bounds."""
    west, north, east, south = shape.bounds
    lattice = [
        (west + (east - west) * x / 7, north + (south - north) * y / 7) for y in range(1, 7) for x in range(1, 7)
    ]
    return [shape.representative_point(), *map(shapely.Point, lattice)]


def free_place(mark: Mark, taken: list[Any], frame: Any, *, must: bool) -> tuple[Any, str]:
    """The first place around a mark, right, left, below, above and further away, that covers nothing, and the text.

    Parameters
    ----------
    mark : Mark
    taken : list of Polygon
        What mustn't be covered.
    frame : Polygon
        Of the map.
    must : bool
        The one that covers least where all cover something; else None then.
    """
    rows = min(measure.lines(mark.name, NAME_EM, bold=True), NAME_LINES)
    text = measure.cut(mark.name, NAME_EM, NAME_LINES, bold=True)
    wide = Pt(NAME_PT) * (min(measure.width(text, bold=True), NAME_EM) + 0.4)
    high, best = Pt(NAME_PT * measure.LINE * rows), None
    for away in (0.04, 0.25, 0.5):
        gap = mark.size / 2 + Inches(away)
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            left = mark.at.x + gap if x > 0 else mark.at.x - gap - wide if x < 0 else mark.at.x - wide / 2
            top = mark.at.y + gap * 0.7 if y > 0 else mark.at.y - gap * 0.7 - high if y < 0 else mark.at.y - high / 2
            label = shapely.box(left, top, left + wide, top + high)
            covered = sum(label.intersection(one).area for one in taken) + 4 * label.difference(frame).area
            if covered == 0:
                return label, text
            if best is None or covered < best[0]:
                best = covered, label
    return (best[1] if must and best else None), text


def _legend(pen: Pen, slide: Any, box: Box, colour: dict[str, Any], words: dict[str, str], deg_per_emu: float) -> Box:
    """Signs with their names and a scale bar, at the lower left."""
    row, wide = int(Inches(0.27)), int(Pt(12) * (max(map(measure.width, words.values())) + 4.5))
    place = Box(box.left + Inches(0.12), box.top + box.height - 5 * row - Inches(0.3), wide, 5 * row + Inches(0.18))
    panel(slide.shapes, place, "paper", line="#a9a396").name = "legend"
    at = place.inside(int(Inches(0.09)))
    for number, (key, text) in enumerate(words.items()):
        y = at.top + row * number + row // 2
        middle = shapely.Point(at.left + Inches(0.17), y)
        if key == "line":
            put_line(slide, shapely.LineString([(at.left, y), (at.left + Inches(0.34), y)]), colour["route"])
        else:
            kind = {"anchor": MSO_SHAPE.DIAMOND, "site": MSO_SHAPE.OVAL, "water": MSO_SHAPE.RECTANGLE}[key]
            sign = slide.shapes.add_shape(kind, *around(middle, int(Inches(0.17)), int(Inches(0.17))))
            fill(sign, colour[key])
            sign.line.fill.background()
            flat(sign)
        label = Box(at.left + int(Inches(0.45)), y - int(Pt(8)), wide, int(Pt(16)))
        pen.text(slide.shapes, label, [text], 11)
    put_scale(pen, slide, Box(at.left, at.top + 4 * row + row // 2, at.width, 0), abs(deg_per_emu))
    return place


def put_scale(pen: Pen, slide: Any, at: Box, deg_per_emu: float) -> None:
    """Draw a scale bar with its kilometres.

    Parameters
    ----------
    pen : Pen
    slide : Slide
    at : Box
    deg_per_emu : float
        Of latitude.
    """
    km_per_emu = deg_per_emu * KM_PER_DEG
    km = max((one for one in (1, 2, 5, 10, 20, 50, 100, 200) if one / km_per_emu < at.width * 0.6), default=1)
    end = at.left + int(km / km_per_emu)
    line = shapely.LineString([(at.left, at.top), (end, at.top)])
    put_line(slide, line, "#1d2b36")
    for x in (at.left, end):
        put_line(slide, shapely.LineString([(x, at.top - Inches(0.05)), (x, at.top)]), "#1d2b36")
    label = Box(end + int(Inches(0.1)), at.top - int(Pt(9)), int(Inches(0.8)), int(Pt(16)))
    pen.text(slide.shapes, label, [f"{km} km"], 11)


def around(at: shapely.Point, width: int, height: int) -> Box:
    """The box of `width` and `height` around a point.

    Parameters
    ----------
    at : Point
        EMU.
    width, height : int
    """
    return Box(int(at.x - width / 2), int(at.y - height / 2), int(width), int(height))


def _ends(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.left + box.width, box.top + box.height


def _box(shape: Any) -> Box:
    west, north, east, south = map(int, shape.bounds)
    return Box(west, north, east - west, south - north)
