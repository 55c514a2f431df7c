"""Styles as SLD 1.0 (OGC 02-070), as GeoServer and ArcGIS read them; sizes in pixels of 0.28 mm."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.look import Look, Rule, colour
from geo_cluster.export.gis.markup import add, written

PIXEL_MM = 0.28
_NAMESPACES = {
    "version": "1.0.0",
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": "http://www.opengis.net/sld http://schemas.opengis.net/sld/1.0.0/StyledLayerDescriptor.xsd",
}


def sld(layer: GisLayer) -> str:
    """The style of a layer; names show where its `label_below` says so."""
    assert layer.look is not None
    root = Element("StyledLayerDescriptor", _NAMESPACES)
    named = add(root, "NamedLayer")
    add(named, "Name", layer.name)
    style = add(named, "UserStyle")
    add(style, "Title", layer.title)
    rules = add(style, "FeatureTypeStyle")
    for rule in layer.look.rules:
        element = add(rules, "Rule")
        if rule.title:
            add(element, "Title", rule.title)
        _add_filter(element, rule)
        _add_symbolizer(element, layer.look, rule)
    if layer.look.label:
        element = add(rules, "Rule")
        if layer.look.label_below:
            add(element, "MaxScaleDenominator", layer.look.label_below)
        _add_text(element, layer.look)
    return written(root, heading='<?xml version="1.0" encoding="UTF-8"?>\n')


def _add_filter(parent: Element, rule: Rule) -> None:
    if not rule.field:
        return
    element = add(parent, "ogc:Filter")
    if rule.missing:
        add(add(element, "ogc:PropertyIsNull"), "ogc:PropertyName", rule.field)
    elif rule.value:
        _add_comparison(element, "ogc:PropertyIsEqualTo", rule.field, rule.value)
    elif rule.high == float("inf"):
        _add_comparison(element, "ogc:PropertyIsGreaterThanOrEqualTo", rule.field, f"{rule.low:g}")
    else:
        both = add(element, "ogc:And")
        _add_comparison(both, "ogc:PropertyIsGreaterThanOrEqualTo", rule.field, f"{rule.low:g}")
        _add_comparison(both, "ogc:PropertyIsLessThan", rule.field, f"{rule.high:g}")


def _add_comparison(parent: Element, kind: str, field: str, value: str) -> None:
    element = add(parent, kind)
    add(element, "ogc:PropertyName", field)
    add(element, "ogc:Literal", value)


def _add_symbolizer(parent: Element, look: Look, rule: Rule) -> None:
    if look.kind == "point":
        graphic = add(add(parent, "PointSymbolizer"), "Graphic")
        mark = add(graphic, "Mark")
        add(mark, "WellKnownName", "square" if look.shape == "diamond" else look.shape)
        add(add(mark, "Fill"), "CssParameter", rule.colour, name="fill")
        _add_stroke(mark, colour("page.paper"), 0.2, dash=False)
        add(graphic, "Size", _pixels(rule.size_mm))
        if look.shape == "diamond":
            add(graphic, "Rotation", 45)
    elif look.kind == "line":
        _add_stroke(add(parent, "LineSymbolizer"), rule.colour, rule.size_mm, dash=look.dash)
    else:
        area = add(parent, "PolygonSymbolizer")
        if rule.fill:
            fill = add(area, "Fill")
            add(fill, "CssParameter", rule.fill, name="fill")
            add(fill, "CssParameter", f"{look.opacity:g}", name="fill-opacity")
        _add_stroke(area, rule.colour, rule.size_mm, dash=look.dash)


def _add_stroke(parent: Element, colour: str, width_mm: float, *, dash: bool) -> None:
    stroke = add(parent, "Stroke")
    add(stroke, "CssParameter", colour, name="stroke")
    add(stroke, "CssParameter", _pixels(width_mm), name="stroke-width")
    if dash:
        add(stroke, "CssParameter", "6 4", name="stroke-dasharray")


def _add_text(parent: Element, look: Look) -> None:
    text = add(parent, "TextSymbolizer")
    add(add(text, "Label"), "ogc:PropertyName", look.label)
    font = add(text, "Font")
    for family in ("Microsoft YaHei", "Noto Sans CJK SC"):
        add(font, "CssParameter", family, name="font-family")
    add(font, "CssParameter", 11, name="font-size")
    halo = add(text, "Halo")
    add(halo, "Radius", 1.5)
    add(add(halo, "Fill"), "CssParameter", colour("page.paper"), name="fill")
    add(add(text, "Fill"), "CssParameter", colour("page.ink"), name="fill")


def _pixels(millimetres: float) -> str:
    return f"{millimetres / PIXEL_MM:.3g}"
