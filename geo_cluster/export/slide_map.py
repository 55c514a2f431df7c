"""The map of the plan on a slide as native shapes, which can be moved and recoloured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_CONNECTOR, MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Pt
from shapely.affinity import affine_transform

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.geopackage import plan_lines
from geo_cluster.report import tables
from geo_cluster.study import Study

COARSE_DEG = 0.004
"""Outlines are simplified to this: a slide is looked at from afar."""
SMALL = 0.0004
"""Water smaller than this share of the window is left out."""
MARGIN = 0.08
LABEL = Inches(2.6)
"""Names longer than this are set in two lines."""

Text = Callable[..., Any]


def draw(slide: Any, box: Any, study: Study, language: Language, text: Text) -> None:
    """Put the map of the plan into a box of a slide.

    Parameters
    ----------
    slide : Slide
    box : Box
        Place on the slide, EMU.
    study : Study
    language : {"zh", "en"}
    text : callable
        Puts lines into a box in the deck's faces.
    """
    colour = toml.table("style")["map"]
    lines = plan_lines(study).drop_duplicates("site").geometry
    onto, frame = _frame(lines, box)
    outlines = study.layers.read("prefectures")
    for shape in outlines.geometry.simplify(COARSE_DEG).intersection(frame):
        _area(slide, affine_transform(shape, onto), colour["province"], colour["prefecture_line"])
    water = study.layers.read("water")
    lakes = water[water["kind"] != "river"].geometry.simplify(COARSE_DEG).intersection(frame).to_numpy()
    for shape in lakes[shapely.area(lakes) > SMALL * frame.area]:
        _area(slide, affine_transform(shape, onto), colour["water"], None)
    for line in lines:
        _line(slide, affine_transform(line, onto), colour["route"])
    _names(slide, study, onto, frame, language, text)
    _sites(slide, box, study, onto, language, text, colour)


def _frame(lines: Any, box: Any) -> tuple[list[float], shapely.Polygon]:
    """What puts degrees onto the slide, and the window shown."""
    west, south, east, north = lines.total_bounds
    pad = max(east - west, north - south, 0.4) * MARGIN + 0.05
    west, south, east, north = west - pad, south - pad, east + pad, north + pad
    across = np.cos(np.radians((south + north) / 2))
    scale = min(box.width / ((east - west) * across), box.height / (north - south))
    x, y = (west + east) / 2, (south + north) / 2
    middle = box.left + box.width / 2, box.top + box.height / 2
    onto = [scale * across, 0, 0, -scale, middle[0] - x * scale * across, middle[1] + y * scale]
    wide, high = box.width / 2 / scale / across, box.height / 2 / scale
    return onto, shapely.box(x - wide, y - high, x + wide, y + high)


def _area(slide: Any, shape: shapely.Geometry, fill: str, line: str | None) -> None:
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        corners = shapely.get_coordinates(part.exterior).round().astype(int)
        builder = slide.shapes.build_freeform(*map(int, corners[0]), scale=1.0)
        builder.add_line_segments([tuple(map(int, one)) for one in corners[1:]], close=True)
        drawn = builder.convert_to_shape()
        drawn.fill.solid()
        drawn.fill.fore_color.rgb = _rgb(fill)
        drawn.shadow.inherit = False
        if line is None:
            drawn.line.fill.background()
        else:
            drawn.line.color.rgb, drawn.line.width = _rgb(line), Pt(0.75)


def _line(slide: Any, line: shapely.Geometry, colour: str) -> None:
    (x0, y0), *_, (x1, y1) = shapely.get_coordinates(line)
    drawn = slide.shapes.add_connector(MSO_CONNECTOR.STRAIGHT, *(Emu(int(one)) for one in (x0, y0, x1, y1)))
    drawn.line.color.rgb, drawn.line.width = _rgb(colour), Pt(1.5)


def _names(slide: Any, study: Study, onto: list[float], frame: Any, language: Language, text: Text) -> None:
    outlines = study.layers.read("prefectures")
    for name, shape in zip(outlines[f"name_{language}"], outlines.geometry.intersection(frame), strict=True):
        if shape.area > 0.03 * frame.area:
            at = affine_transform(shape.representative_point(), onto)
            text(slide, _around(at, Inches(1.6), Inches(0.3)), [name], 12, colour="#8a8478", align=PP_ALIGN.CENTER)


def _sites(
    slide: Any, box: Any, study: Study, onto: list[float], language: Language, text: Text, colour: dict[str, Any]
) -> None:
    """Marks with their counts, then names where they cover neither a mark nor each other."""
    places = study.sites.set_index("id").geometry
    counts = tables.assignment(study)["site"].value_counts(ascending=True)
    anchor = affine_transform(study.anchor.geometry, onto)
    mark = slide.shapes.add_shape(MSO_SHAPE.DIAMOND, *_around(anchor, Inches(0.24), Inches(0.24)))
    _filled(mark, colour["anchor"])
    marks = [(anchor, int(Inches(0.24)), study.anchor[f"name_{language}"])]
    for site, count in counts.items():
        at, size = affine_transform(places[site], onto), Inches(0.3 + 0.03 * min(int(count), 12))
        mark = slide.shapes.add_shape(MSO_SHAPE.OVAL, *_around(at, size, size))
        _filled(mark, colour["site"])
        frame = mark.text_frame
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        frame.text = str(count)
        frame.paragraphs[0].alignment = PP_ALIGN.CENTER
        frame.paragraphs[0].runs[0].font.size, frame.paragraphs[0].runs[0].font.bold = Pt(12), True
        marks.append((at, int(size), study.region.names[str(site)][language]))
    taken = [shapely.box(*at.buffer(size / 2).bounds) for at, size, _ in marks]
    window = shapely.box(box.left, box.top, box.left + box.width, box.top + box.height)
    for at, size, name in reversed(marks):
        label = _free(at, size, name, taken, window)
        taken.append(label)
        west, north, east, south = label.bounds
        text(slide, (int(west), int(north), int(east - west), int(south - north)), [name], 12, bold=True)


def _free(at: shapely.Point, size: int, name: str, taken: list[Any], window: Any) -> Any:
    """The first place around a mark, right, left, below, above and further away, that covers least."""
    wide = Pt(12) * sum(1.05 if ord(letter) > 0x2E80 else 0.65 for letter in name) + Pt(6)
    lines = 1 if wide < LABEL else 2
    wide, high, best = min(wide, max(LABEL, wide / 2 + Pt(14))), Pt(18 * lines), None
    for away in (0.05, 0.25, 0.5):
        gap = size / 2 + Inches(away)
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            left = at.x + gap if x > 0 else at.x - gap - wide if x < 0 else at.x - wide / 2
            top = at.y + gap * 0.7 if y > 0 else at.y - gap * 0.7 - high if y < 0 else at.y - high / 2
            label = shapely.box(left, top, left + wide, top + high)
            covered = sum(label.intersection(one).area for one in taken) + label.difference(window).area
            if best is None or covered < best[0]:
                best = covered, label
            if covered == 0:
                return label
    return best[1] if best else shapely.box(0, 0, 1, 1)


def _filled(mark: Any, colour: str) -> None:
    mark.fill.solid()
    mark.fill.fore_color.rgb = _rgb(colour)
    mark.line.color.rgb, mark.line.width = _rgb("ffffff"), Pt(1)
    mark.shadow.inherit = False


def _around(at: shapely.Point, width: int, height: int) -> Any:
    return _box(int(at.x - width / 2), int(at.y - height / 2), int(width), int(height))


def _box(*numbers: int) -> tuple[int, ...]:
    return numbers


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.lstrip("#").upper())
