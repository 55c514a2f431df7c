"""The screening on a slide: the surface of scores as a picture, its regions and the listed parks as native shapes."""

from __future__ import annotations

import io
from typing import Any

import shapely
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Inches, Pt
from shapely.affinity import affine_transform

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import measure, screened
from geo_cluster.export.map_themes import apart
from geo_cluster.export.slide_map import (
    COARSE_DEG,
    NAME_PT,
    Mark,
    around,
    frame_of,
    free_place,
    name_group,
    put_area,
    put_review,
    put_scale,
)
from geo_cluster.export.slide_text import Box, Pen, fill, flat, paint, panel
from geo_cluster.study import Study

PIXELS = 1600
"""Of the surface across the map."""
WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "score": "可用地得分",
        "taken": "约束扣除",
        "region": "地块（名次）",
        "park": "已列园区",
    },
    "en": {
        "score": "score of free land",
        "taken": "taken by a rule",
        "region": "region, by rank",
        "park": "listed park",
    },
}


def draw(pen: Pen, slide: Any, box: Box, study: Study, review: str) -> None:
    """Put the map of the screening into a box of a slide.

    Parameters
    ----------
    pen : Pen
    slide : Slide
    box : Box
    study : Study
        With a screening.
    review : str
        What the map says of its review.
    """
    colour, region = toml.table("style")["map"], screened.look()["region"]
    corners = screened.corners(study)
    onto, window = frame_of((*corners.min(axis=0), *corners.max(axis=0)), box)
    panel(slide.shapes, box, "paper", line="#a9a396").name = "frame"
    ground = slide.shapes.add_group_shape()
    outlines = study.layers.read("prefectures")
    for name, shape in zip(outlines[f"name_{pen.language}"], outlines.geometry, strict=True):
        cut = shape.simplify(COARSE_DEG).intersection(window)
        put_area(ground, affine_transform(cut, onto), colour["province"], colour["prefecture_line"], name)
    name_group(ground, "prefectures")
    png = screened.drawn(study, 4326, window.bounds, (round(PIXELS * box.height / box.width), PIXELS))
    slide.shapes.add_picture(io.BytesIO(png), *box).name = "surface"
    parks = _parks(slide, study, onto, box)
    marks = _regions(pen, slide, study, onto, region)
    legend = _legend(pen, slide, box, study, 1 / onto[3])
    reviewed = put_review(pen, slide, box, review)
    taken = [_shape(legend), _shape(reviewed), *parks]
    taken += [_shape(around(mark.at, mark.size, mark.size)) for mark in marks]
    for mark in marks:
        if mark.name:
            label, text = free_place(mark, taken, _shape(box), must=True)
            taken.append(label)
            west, north, east, south = map(int, label.bounds)
            place = Box(west, north, east - west, south - north)
            fill(pen.text(slide.shapes, place, [text], NAME_PT, bold=True), "paper")


def _regions(pen: Pen, slide: Any, study: Study, onto: list[float], colour: str) -> list[Mark]:
    """Outlines of the regions, and their numbers; those that are sites have their id and score beside it."""
    found = screened.screening(study)
    assert found is not None  # the outline has no such part without one
    group, size, there = slide.shapes.add_group_shape(), int(Inches(0.24)), set(study.sites["id"])
    shapes = [affine_transform(shape, onto) for shape in found.regions.geometry]
    spots = apart([(at.x, at.y) for at in map(shapely.point_on_surface, shapes)], size * 0.53)
    marks = []
    for row, shape, spot in zip(found.regions.itertuples(), shapes, spots, strict=True):
        put_area(group, shape, "", colour, str(row.rank))
        name = f"{row.site} · {row.score:.1f}" if row.site in there else ""
        marks.append(Mark(shapely.Point(spot), size, name, int(row.rank)))
    name_group(group, "regions")
    for mark in marks:
        _number(pen, slide, mark, colour)
    return marks


def _number(pen: Pen, slide: Any, mark: Mark, colour: str) -> None:
    shape = slide.shapes.add_shape(MSO_SHAPE.OVAL, *around(mark.at, mark.size, mark.size))
    shape.name = mark.name[:60] or str(mark.projects)
    fill(shape, colour if mark.name else "paper")
    paint(shape.line, "paper" if mark.name else colour)
    shape.line.width = Pt(1)
    flat(shape)
    frame = shape.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    ink = "paper" if mark.name else colour
    pen.say(frame, [str(mark.projects)], 10, bold=True, colour=ink, align=PP_ALIGN.CENTER)
    frame.word_wrap = False


def _parks(slide: Any, study: Study, onto: list[float], box: Box) -> list[shapely.Polygon]:
    """Listed parks in the colour of the free land around them; where they stand."""
    found, places = screened.screening(study), study.sites.set_index("id").geometry
    assert found is not None
    stand, size = [], int(Inches(0.15))
    for row in found.about["parks"]:
        if row["id"] not in places.index or places[row["id"]].is_empty:
            continue
        at = affine_transform(places[row["id"]], onto)
        if _shape(box).contains(at):
            sign = slide.shapes.add_shape(MSO_SHAPE.DIAMOND, *around(at, size, size))
            stand.append(_shape(around(at, size, size)))
            sign.name = row["id"]
            fill(sign, screened.colour_of(study, row["score"]) or "paper")
            paint(sign.line, "ink")
            sign.line.width = Pt(0.75)
            flat(sign)
    return stand


def _legend(pen: Pen, slide: Any, box: Box, study: Study, deg_per_emu: float) -> Box:
    """The ramp with its ends, signs with their names and a scale bar, at the lower left."""
    words, look, (low, high) = WORDS[pen.language], screened.look(), screened.span(study)
    row, wide = int(Inches(0.27)), int(Pt(12) * (max(map(measure.width, words.values())) + 8))
    place = Box(box.left + int(Inches(0.12)), box.top + box.height - 5 * row - int(Inches(0.3)), wide, 5 * row)
    place = place._replace(height=place.height + int(Inches(0.18)))
    panel(slide.shapes, place, "paper", line="#a9a396").name = "legend"
    at, size = place.inside(int(Inches(0.09))), int(Inches(0.17))
    part = int(Inches(0.08))
    for number, shade in enumerate(look["ramp"]):
        panel(slide.shapes, Box(at.left + number * part, at.top + row // 4, part, row // 2), shade)
    told = [f"{words['score']} {low:g}–{high:g}", words["taken"], words["region"], words["park"]]
    for number, text in enumerate(told):
        y = at.top + row * number + row // 2
        left = at.left + int(Inches(0.3) if number else len(look["ramp"]) * part + Inches(0.1))
        pen.text(slide.shapes, Box(left, y - int(Pt(8)), wide, int(Pt(16))), [text], 11)
        middle = shapely.Point(at.left + Inches(0.1), y)
        if number == 1:
            panel(slide.shapes, around(middle, size, size), look["taken"][:7])
        elif number:
            kind = MSO_SHAPE.OVAL if number == 2 else MSO_SHAPE.DIAMOND
            sign = slide.shapes.add_shape(kind, *around(middle, size, size))
            fill(sign, look["region"] if number == 2 else look["ramp"][5])
            sign.line.fill.background()
            flat(sign)
    put_scale(pen, slide, Box(at.left, at.top + 4 * row + row // 2, at.width, 0), abs(deg_per_emu))
    return place


def _shape(box: Box) -> shapely.Polygon:
    return shapely.box(box.left, box.top, box.left + box.width, box.top + box.height)
