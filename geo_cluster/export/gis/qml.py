"""Styles of QGIS: symbols, labels and titles of fields of a layer, as a QML document or inside a project."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from geo_cluster import toml
from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.look import Look, Rule, colour, red_green_blue
from geo_cluster.export.gis.markup import add, written

VERSION = "3.22.16"
"""Version of QGIS whose form this is; later ones read it."""
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
GEOMETRY = {"point": 0, "line": 1, "area": 2}
SYMBOL = {"point": "marker", "line": "line", "area": "fill"}
_PLACEMENT = {"point": 6, "line": 2, "area": 1}


def qml(layer: GisLayer) -> str:
    """The style of a layer as a document that QGIS loads, also from `layer_styles` of a GeoPackage."""
    assert layer.look is not None
    root = Element("qgis", version=VERSION, styleCategories="LayerConfiguration|Symbology|Labeling|Fields|Forms")
    root.set("labelsEnabled", str(int(bool(layer.look.label))))
    add_style(root, layer)
    add(root, "layerGeometryType", GEOMETRY[layer.look.kind])
    return written(root, heading=DOCTYPE)


def add_style(parent: Element, layer: GisLayer) -> None:
    """Renderer, labels and titles of fields, as QML and projects have them."""
    assert layer.look is not None
    _add_renderer(parent, layer.look)
    if layer.look.label:
        _add_labels(parent, layer.look)
    options = add(add(parent, "customproperties"), "Option", type="Map")
    add(options, "Option", name="embeddedWidgets/count", type="int", value=0)
    add(parent, "layerOpacity", 1)
    fields, aliases = add(parent, "fieldConfiguration"), add(parent, "aliases")
    for index, (field, title) in enumerate(layer.titles.items()):
        widget = add(add(fields, "field", name=field, configurationFlags="None"), "editWidget", type="")
        add(add(widget, "config"), "Option")
        add(aliases, "alias", index=index + 1, field=field, name=title)  # 0 is the fid
    if layer.look.label:
        add(parent, "previewExpression", f'"{layer.look.label}"')


def identifier(*parts: str) -> str:
    """A UUID in braces that is the same for the same parts."""
    return f"{{{uuid.uuid5(uuid.NAMESPACE_URL, '/'.join(parts))}}}"


def filter_of(rule: Rule) -> str:
    """The rows of a rule as an expression of QGIS and of SQL; '' for all.

    >>> filter_of(Rule("", "#000000", 1, field="share", low=0.5, high=0.9))
    '"share" >= 0.5 AND "share" < 0.9'
    """
    if not rule.field:
        return ""
    if rule.missing:
        return f'"{rule.field}" IS NULL'
    if rule.value:
        quoted = rule.value.replace("'", "''")
        return f"\"{rule.field}\" = '{quoted}'"
    upper = "" if rule.high == float("inf") else f' AND "{rule.field}" < {rule.high:g}'
    return f'"{rule.field}" >= {rule.low:g}{upper}'


def add_symbol(parent: Element, kind: str, values: Mapping[str, object], *, name: str = "") -> None:
    """One symbol of one layer: SimpleMarker, SimpleLine or SimpleFill, by the kind of shapes.

    Parameters
    ----------
    parent : Element
    kind : {"point", "line", "area"}
    values : mapping
        Options of the symbol's layer.
    name : str
        Of the symbol.
    """
    symbol = add(parent, "symbol", type=SYMBOL[kind], name=name, alpha=1, clip_to_extent=1, force_rhr=0)
    simple = {"point": "SimpleMarker", "line": "SimpleLine", "area": "SimpleFill"}[kind]
    layer = add(symbol, "layer", class_=simple, enabled=1, locked=0, pass_=0)
    options = add(layer, "Option", type="Map")
    for key, value in values.items():
        add(options, "Option", type="QString", name=key, value=value)
        add(layer, "prop", k=key, v=value)


def rgba(colour: str, opacity: float = 1.0) -> str:
    """A colour as QGIS writes it.

    >>> rgba("#0b6e75", 0.5)
    '11,110,117,128'
    """
    return ",".join(str(part) for part in (*red_green_blue(colour), round(255 * opacity)))


def add_text_style(parent: Element, *, size_pt: float, field: str = "", halo: bool = True) -> None:
    """How text looks, with a halo in the colour of the paper.

    Parameters
    ----------
    parent : Element
    size_pt : float
    field : str
        The field that is shown, where it is one.
    halo : bool
    """
    font = toml.table("gis")["paper"]["font"]
    look = {"fontFamily": font, "fontSize": size_pt, "fontSizeUnit": "Point", "fontWeight": 50, "textOpacity": 1}
    style = add(parent, "text-style", fieldName=field, isExpression=0, textColor=rgba(colour("page.ink")), **look)
    buffer = {"bufferDraw": int(halo), "bufferSize": 0.8, "bufferSizeUnits": "MM", "bufferOpacity": 1}
    add(style, "text-buffer", bufferColor=rgba(colour("page.paper")), **buffer)


def _add_renderer(parent: Element, look: Look) -> None:
    single = len(look.rules) == 1 and not look.rules[0].field
    common = {"symbollevels": 0, "enableorderby": 0, "forceraster": 0, "referencescale": -1}
    renderer = add(parent, "renderer-v2", type="singleSymbol" if single else "RuleRenderer", **common)
    if not single:
        rules = add(renderer, "rules", key=identifier("root"))
        for number, rule in enumerate(look.rules):
            key = identifier(str(number), rule.title)
            add(rules, "rule", key=key, symbol=number, label=rule.title, filter=filter_of(rule))
    symbols = add(renderer, "symbols")
    for number, rule in enumerate(look.rules):
        add_symbol(symbols, look.kind, _options(look, rule), name=str(number))


def _options(look: Look, rule: Rule) -> dict[str, object]:
    width = {"width_unit": "MM", "joinstyle": "round"}
    if look.kind == "point":
        outline = {"outline_color": rgba(colour("page.paper")), "outline_width": 0.2, "outline_width_unit": "MM"}
        size = {"size": rule.size_mm, "size_unit": "MM", "scale_method": "diameter"}
        return {"name": look.shape, "color": rgba(rule.colour), "outline_style": "solid", **outline, **size}
    if look.kind == "line":
        dash = {"line_style": "dash" if look.dash else "solid", "capstyle": "round"}
        return {"line_color": rgba(rule.colour), "line_width": rule.size_mm, "line_width_unit": "MM", **dash, **width}
    fill = {"color": rgba(rule.fill or rule.colour, look.opacity), "style": "solid" if rule.fill else "no"}
    outline = {"outline_color": rgba(rule.colour), "outline_style": "dash" if look.dash else "solid"}
    return {**fill, **outline, "outline_width": rule.size_mm, "outline_width_unit": "MM", "joinstyle": "round"}


def _add_labels(parent: Element, look: Look) -> None:
    settings = add(add(parent, "labeling", type="simple"), "settings", calloutType="simple")
    add_text_style(settings, size_pt=8, field=look.label)
    add(settings, "text-format", multilineAlign=3, autoWrapLength=22 if look.kind == "point" else 0)
    how = {"dist": 0.6, "distUnits": "MM", "quadOffset": 4, "predefinedPositionOrder": "R,L,TR,BR,TL,BL,TSR,BSR"}
    add(settings, "placement", placement=_PLACEMENT[look.kind], priority=5, offsetType=1, placementFlags=10, **how)
    scales = {"scaleVisibility": int(bool(look.label_below)), "scaleMin": 0, "scaleMax": look.label_below}
    drawn = {"drawLabels": 1, "obstacle": 1, "mergeLines": int(look.kind == "line"), "labelPerPart": 0}
    add(settings, "rendering", fontLimitPixelSize=0, displayAll=0, **scales, **drawn)
