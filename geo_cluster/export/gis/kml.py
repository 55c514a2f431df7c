"""KML 2.2 (OGC 07-147r2) with folders and styles, by itself or with its signs as KMZ: Google Earth, 奥维."""

from __future__ import annotations

import html
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from itertools import groupby
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo_cluster.archive import archived
from geo_cluster.domain import Language
from geo_cluster.export.gis.content import group_title
from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.look import Look, Rule
from geo_cluster.export.gis.markup import add, written
from geo_cluster.export.gis.package import described

_SIGN_PX, _SIGN_MM = 32, 5.0
"""A sign of this many pixels shows at scale 1 as large as a symbol of so many millimetres on paper."""
_PX_PER_MM = 3.0
_ICON = re.compile(r'(<Style id="([^"]+-)\d+">\s*<IconStyle>.*?)(</IconStyle>)', re.DOTALL)
"""The part of a style that a sign goes into; ids are of `GisLayer.name`."""


def kml(layers: Iterable[GisLayer], about: Mapping[str, str], language: Language) -> str:
    """The layers as KML, a folder a group and a layer; globes have their own backdrop, so ours is left out.

    Parameters
    ----------
    layers : iterable of GisLayer
    about : mapping of str
        What `content.notices` says.
    language : {"zh", "en"}
    """
    root = Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = add(root, "Document")
    add(document, "name", about["scenario"])
    add(document, "open", 1)
    add(document, "description", "<br/>".join(html.escape(one) for one in about.values()))
    shown = [one for one in layers if one.look and not one.look.backdrop]
    for layer in shown:
        assert layer.look is not None
        for number, rule in enumerate(layer.look.rules):
            _add_style(add(document, "Style", id_=f"{layer.name}-{number}"), layer.look, rule)
    for group, members in groupby(shown, key=lambda one: one.group):
        folder = add(document, "Folder")
        add(folder, "name", group_title(group, language))
        for layer in members:
            _add_folder(folder, layer)
    return written(root, heading='<?xml version="1.0" encoding="UTF-8"?>\n')


def kmz(document: str, layers: Iterable[GisLayer]) -> bytes:
    """A `document` of `kml` and the signs of its `layers`, which need no network."""
    shapes = {f"{one.name}-": one.look.shape for one in layers if one.look and one.look.kind == "point"}

    def with_sign(style: re.Match[str]) -> str:
        picture = f"<Icon><href>signs/{shapes[style[2]]}.png</href></Icon>"
        return f'{style[1]}{picture}<hotSpot x="0.5" y="0.5" xunits="fraction" yunits="fraction" />{style[3]}'

    signed = _ICON.sub(with_sign, document)
    pictures = {f"signs/{shape}.png": sign(shape) for shape in ("circle", "square", "diamond", "triangle")}
    return archived({"doc.kml": signed.encode()} | pictures)


def sign(shape: str) -> bytes:
    """A white sign as PNG, which a globe colours."""
    middle = (_SIGN_PX - 1) / 2
    y, x = (np.mgrid[:_SIGN_PX, :_SIGN_PX] - middle) / middle
    inside = {
        "circle": np.hypot(x, y) <= 0.9,
        "square": np.maximum(abs(x), abs(y)) <= 0.75,
        "diamond": abs(x) + abs(y) <= 0.95,
        "triangle": (y <= 0.8) & (y >= 2 * abs(x) - 0.9),
    }[shape]
    pixels = np.full((_SIGN_PX, _SIGN_PX, 4), 255, dtype=np.uint8)
    pixels[..., 3] = np.where(inside, 255, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", _SIGN_PX, _SIGN_PX, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def abgr(colour: str, opacity: float = 1.0) -> str:
    """A colour as KML writes it.

    >>> abgr("#0b6e75", 0.5)
    '80756e0b'
    """
    return f"{round(255 * opacity):02x}{colour[5:7]}{colour[3:5]}{colour[1:3]}"


def _add_style(style: Element, look: Look, rule: Rule) -> None:
    if look.kind == "point":
        icon = add(style, "IconStyle")
        add(icon, "color", abgr(rule.colour))
        add(icon, "scale", f"{rule.size_mm / _SIGN_MM:.2f}")
        add(add(style, "LabelStyle"), "scale", 0.8 if look.label else 0)
        return
    line = add(style, "LineStyle")
    add(line, "color", abgr(rule.colour))
    add(line, "width", f"{max(rule.size_mm * _PX_PER_MM, 1):.1f}")
    if look.kind == "area":
        area = add(style, "PolyStyle")
        add(area, "color", abgr(rule.fill or rule.colour, look.opacity if rule.fill else 0))
        add(area, "fill", int(bool(rule.fill) and look.opacity < 1))
        add(area, "outline", 1)


def _add_folder(parent: Element, layer: GisLayer) -> None:
    """A folder a layer; the ranking has one a project inside."""
    folder = add(parent, "Folder")
    add(folder, "name", layer.title)
    visible = int(bool(layer.look and layer.look.visible))
    add(folder, "visibility", visible)
    add(folder, "description", html.escape(described(layer.about)))
    frame = layer.placed
    if layer.name != "ranking":
        _add_places(folder, layer, frame, visible)
        return
    for (_, name), rows in frame.groupby(["project", "project_name"], sort=False):
        inner = add(folder, "Folder")
        add(inner, "name", name)
        add(inner, "visibility", 0)
        _add_places(inner, layer, rows, visible)


def _add_places(folder: Element, layer: GisLayer, frame: pd.DataFrame, visible: int) -> None:
    assert layer.look is not None
    rules = layer.look.rule_of(frame)
    named = _named_by(layer)
    for number, row, shape in zip(rules, frame[layer.fields].to_dict("records"), frame.geometry, strict=True):
        place = add(folder, "Placemark")
        if named:
            add(place, "name", row[named] or "")
        add(place, "visibility", visible)
        told = {field: _said(value) for field, value in row.items()}
        told = {field: text for field, text in told.items() if text}
        lines = (f"<b>{html.escape(layer.titles[one])}</b>：{html.escape(text)}" for one, text in told.items())
        add(place, "description", "<br/>".join(lines))
        if number >= 0:
            add(place, "styleUrl", f"#{layer.name}-{number}")
        data = add(place, "ExtendedData")
        for field, text in told.items():
            one = add(data, "Data", name=field)
            add(one, "displayName", layer.titles[field])
            add(one, "value", text)
        _add_shape(place, shape)


def _named_by(layer: GisLayer) -> str:
    """The field that names places: the label's where that is text, else the first that is a name."""
    assert layer.look is not None
    names = [layer.look.label, "site_name", "project_name", "name_zh", *layer.fields[:1]]
    return next((one for one in names if one in layer.fields and layer.kind_of(one) == "text"), "")


def _said(value: object) -> str:
    """A value as people read it, '' for none."""
    if value is None or value != value:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _add_shape(parent: Element, shape: BaseGeometry) -> None:
    parts = shapely.get_parts(shape)
    holder = add(parent, "MultiGeometry") if len(parts) > 1 else parent
    for part in parts:
        if part.geom_type == "Point":
            add(add(holder, "Point"), "coordinates", _coordinates(part))
        elif part.geom_type == "LineString":
            line = add(holder, "LineString")
            add(line, "tessellate", 1)
            add(line, "coordinates", _coordinates(part))
        else:
            _add_polygon(holder, part)


def _add_polygon(parent: Element, polygon: shapely.Polygon) -> None:
    area = add(parent, "Polygon")
    add(area, "tessellate", 1)
    add(add(add(area, "outerBoundaryIs"), "LinearRing"), "coordinates", _coordinates(polygon.exterior))
    for hole in polygon.interiors:
        add(add(add(area, "innerBoundaryIs"), "LinearRing"), "coordinates", _coordinates(hole))


def _coordinates(shape: BaseGeometry) -> str:
    return " ".join(f"{x:.6f},{y:.6f}" for x, y in shapely.get_coordinates(shape).tolist())
