"""The layers as a drawing, DXF R2004 in GBK: metres, layers by their titles, text at the scale of an A3 sheet."""

from __future__ import annotations

import contextlib
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import ezdxf
import numpy as np
import shapely
from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic
from ezdxf.enums import TextEntityAlignment
from ezdxf.layouts import Modelspace
from shapely.geometry.base import BaseGeometry

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.look import Rule, colour, red_green_blue
from geo_cluster.export.gis.sheet_frame import SheetFrame

APP = "GEO_CLUSTER"
"""Whose data the entities carry: layer and row, as `layer:row`."""
_FORBIDDEN = re.compile(r'[<>/\\":;?*|=,`\x00-\x1f]')
_STYLE = "CJK"


@contextlib.contextmanager
def _undated() -> Iterator[None]:
    """Leave the time of its making out of a drawing: the same content gives the same bytes."""
    before = ezdxf.options.write_fixed_meta_data_for_testing
    ezdxf.options.write_fixed_meta_data_for_testing = True
    try:
        yield
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = before


@_undated()
def dxf(layers: Iterable[GisLayer], frame: SheetFrame, about: Mapping[str, str], language: Language) -> bytes:
    """The drawing as bytes.

    Parameters
    ----------
    layers : iterable of GisLayer
        Those on top first.
    frame : SheetFrame
        Its system, and the scale for which text and signs are sized.
    about : mapping of str
        What `content.notices` says.
    language : {"zh", "en"}
    """
    drawing = ezdxf.new("R2004", units=6)
    drawing.encoding = "gbk"  # ANSI_936: what every Chinese CAD reads; other characters leave as \\U+XXXX
    drawing.header["$LTSCALE"] = frame.scale / 1000
    drawing.styles.add(_STYLE, font=toml.table("gis")["paper"]["cad_font"])
    drawing.linetypes.add("DASHES", [6.0, 4.0, -2.0], description="_ _ _")
    drawing.appids.add(APP)
    space = drawing.modelspace()
    taken: set[str] = set()
    for layer in reversed([one for one in layers if one.look]):
        _draw(drawing, space, layer, frame, _layer_name(layer.title, taken))
    _write_notes(drawing, space, frame, about, language)
    west, south, east, north = frame.bounds
    space.reset_extents((west, south, 0), (east, north, 0))
    drawing.set_modelspace_vport(height=north - south, center=((west + east) / 2, (south + north) / 2))
    for key, value in about.items():
        drawing.header.custom_vars.append(key, cad_text(value))
    packed = io.StringIO()
    drawing.write(packed)
    return drawing.encode(packed.getvalue())


def _layer_name(title: str, taken: set[str]) -> str:
    """A title as the name of a layer, which may not have some characters; no two alike."""
    title = cad_text(_FORBIDDEN.sub("-", title))
    name = title
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{title} {number}"
    taken.add(name.casefold())
    return name


def _draw(drawing: Drawing, space: Modelspace, layer: GisLayer, frame: SheetFrame, name: str) -> None:
    look = layer.look
    assert look is not None
    first = look.rules[0]
    entry = drawing.layers.add(name, linetype="DASHES" if look.dash else "CONTINUOUS")
    entry.rgb, entry.description = red_green_blue(first.colour), cad_text(layer.about.get("notice", "") or layer.title)
    entry.dxf.lineweight = _lineweight(first.size_mm) if look.kind != "point" else 0
    if not look.visible:
        entry.off()
    for row, (rule, shape) in enumerate(_drawn(layer, frame)):
        given: dict[str, Any] = {"layer": name}
        if rule.colour != first.colour:
            given["true_color"] = ezdxf.colors.rgb2int(red_green_blue(rule.colour))
        for part in shapely.get_parts(shape):
            entity = _entity(drawing, space, part, look.shape, rule.size_mm * frame.scale / 1000, given)
            if not look.backdrop:
                entity.set_xdata(APP, [(1000, f"{layer.name}:{row}")])
    if look.label:
        _label(space, layer, frame, name)


def _drawn(layer: GisLayer, frame: SheetFrame) -> Iterator[tuple[Rule, BaseGeometry]]:
    """Each row's shape in metres and how it looks; lines of a backdrop are joined end to end."""
    look, metres = layer.look, layer.placed.to_crs(frame.crs)
    assert look is not None
    if look.backdrop and look.kind == "line" and len(metres):
        merged = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(metres.geometry)))
        yield look.rules[0], shapely.multilinestrings(trails(shapely.get_parts(merged)))
        return
    for number, shape in zip(look.rule_of(metres), metres.geometry, strict=True):
        yield look.rules[max(number, 0)], shape


def trails(lines: Iterable[shapely.LineString]) -> list[shapely.LineString]:
    """Lines joined end to end through crossings, each drawn once, into few long ones.

    A walk takes the first line that is left at each end that it comes to; walks begin where an odd number of lines end.
    """
    points = [shapely.get_coordinates(line) for line in lines]
    at: dict[tuple[float, ...], list[int]] = {}
    for number, one in enumerate(points):
        for end in (one[0], one[-1]):
            at.setdefault(tuple(end), []).append(number)
    left, found = set(range(len(points))), []
    for start in [*(end for end, here in at.items() if len(here) % 2), *at]:
        while walk := _walk(start, at, points, left):
            found.append(shapely.LineString(np.vstack([walk[0], *(one[1:] for one in walk[1:])])))
    return found


def _walk(
    end: tuple[float, ...], at: Mapping[tuple[float, ...], list[int]], points: list[np.ndarray], left: set[int]
) -> list[np.ndarray]:
    """Lines from an `end` on, each turned to go on from the one before; they are taken from those `left`."""
    walk = []
    while (number := next((one for one in at[end] if one in left), None)) is not None:
        left.remove(number)
        one = points[number]
        walk.append(one if tuple(one[0]) == end else one[::-1])
        end = tuple(walk[-1][-1])
    return walk


def _entity(
    drawing: Drawing, space: Modelspace, part: Any, shape: str, size_m: float, given: dict[str, Any]
) -> DXFGraphic:
    """One shape as an insert of a sign, a line or outlines."""
    if part.geom_type == "Point":
        scales = {"xscale": size_m, "yscale": size_m, "zscale": size_m}
        return space.add_blockref(_sign(drawing, shape), (part.x, part.y), dxfattribs=given | scales)
    if part.geom_type == "LineString":
        return space.add_lwpolyline(shapely.get_coordinates(part), dxfattribs=given)
    for hole in part.interiors:
        space.add_lwpolyline(shapely.get_coordinates(hole)[:-1], close=True, dxfattribs=given)
    return space.add_lwpolyline(shapely.get_coordinates(part.exterior)[:-1], close=True, dxfattribs=given)


def _sign(drawing: Drawing, shape: str) -> str:
    """The block of a sign, 1 m across, in the colour of what it is inserted in."""
    name = f"SIGN_{shape.upper()}"
    if name not in drawing.blocks:
        block = drawing.blocks.new(name)
        corners = {"square": 4, "diamond": 4, "triangle": 3}.get(shape, 24)
        turn = {"square": np.pi / 4, "triangle": np.pi / 2}.get(shape, 0.0)
        angle = np.arange(corners) * 2 * np.pi / corners + turn
        ring = np.column_stack([np.cos(angle), np.sin(angle)]) / 2
        block.add_lwpolyline(ring, close=True, dxfattribs={"layer": "0"})
    return name


def _label(space: Modelspace, layer: GisLayer, frame: SheetFrame, name: str) -> None:
    """Names beside points and in the middle of areas and lines, as high as on paper at the sheet's scale."""
    look = layer.look
    assert look is not None
    metres = layer.placed.to_crs(frame.crs)
    height = toml.table("gis")["paper"]["text_mm"] * frame.scale / 1000
    beside = look.kind == "point"
    places = metres.geometry if beside else metres.geometry.representative_point()
    sizes = np.array([rule.size_mm for rule in look.rules])[np.maximum(look.rule_of(metres), 0)]
    align = TextEntityAlignment.MIDDLE_LEFT if beside else TextEntityAlignment.MIDDLE_CENTER
    for text, place, size in zip(metres[look.label], places, sizes, strict=True):
        if text is None or text != text:
            continue
        said = f"{text:g}" if isinstance(text, float) else str(text)
        shift = size * frame.scale / 2000 + height / 2 if beside else 0
        entity = space.add_text(cad_text(said), height=height, dxfattribs={"layer": name, "style": _STYLE})
        entity.set_placement((place.x + shift, place.y), align=align)


def _write_notes(
    drawing: Drawing, space: Modelspace, frame: SheetFrame, about: Mapping[str, str], language: Language
) -> None:
    """What the drawing is, below the sheet: scenario, system, scale, sample, review."""
    tables = toml.table("gis")
    known = tables["crs"].get(frame.crs, {}).get(language, "")
    lines = [about["scenario"], f"{frame.crs} {known}", f"{tables['words']['scale'][language]} 1:{frame.scale:,}"]
    lines += [about[key] for key in ("day", "notice", "rules_notice", "review") if key in about]
    lines += about.get("sources", "").split(" · ")
    name = tables["words"]["notes"][language]
    drawing.layers.add(name).rgb = red_green_blue(colour("page.ink"))
    height = tables["paper"]["text_mm"] * frame.scale / 1000
    west, south, east, north = frame.bounds
    corners = [(west, south), (east, south), (east, north), (west, north)]
    space.add_lwpolyline(corners, close=True, dxfattribs={"layer": name})
    for number, line in enumerate(lines):
        entity = space.add_text(cad_text(line), height=height, dxfattribs={"layer": name, "style": _STYLE})
        entity.set_placement((west, south - (number + 1) * 1.8 * height), align=TextEntityAlignment.LEFT)


def cad_text(text: str) -> str:
    """A text of one line that no program takes for a code; what GBK lacks is plainer, or the code of the character.

    >>> cad_text("12 m²; a%%d")
    '12 m2; a% %d'
    """
    line = (
        re.sub(r"\s+", " ", text).replace("%%", "% %").replace("^", "^ ").replace("\\", "/").replace("©", "(C)").strip()
    )
    try:
        line.encode("gbk")
        return line
    except UnicodeEncodeError:
        return "".join(one if _in_gbk(one) else f"\\U+{ord(one):04X}" for one in unicodedata.normalize("NFKC", line))


def _in_gbk(character: str) -> bool:
    try:
        character.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def _lineweight(millimetres: float) -> int:
    """The nearest weight that DXF knows, hundredths of a millimetre."""
    known = np.array(
        [0, 5, 9, 13, 15, 18, 20, 25, 30, 35, 40, 50, 53, 60, 70, 80, 90, 100, 106, 120, 140, 158, 200, 211]
    )
    return int(known[np.abs(known - millimetres * 100).argmin()])
