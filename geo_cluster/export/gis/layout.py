"""The A3 sheet of a QGIS project: map with graticule, title, legend, scale, north, sources and notices."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.gis.markup import add
from geo_cluster.export.gis.qml import add_symbol, add_text_style, identifier, rgba
from geo_cluster.export.gis.sheet_frame import MAP_MM, PAGE_MM, SheetFrame

_PAGE, _MAP, _PICTURE, _LABEL, _LEGEND, _SCALE_BAR = 65638, 65639, 65640, 65641, 65642, 65646
_SIDE_MM = 326.0
"""Where the column beside the map begins."""


def add_layout(root: Element, frame: SheetFrame, about: Mapping[str, str], language: Language) -> None:
    """Add the sheet to a project.

    Parameters
    ----------
    root : Element
        Of the project.
    frame : SheetFrame
    about : mapping of str
        What `content.notices` says.
    language : {"zh", "en"}
    """
    layout = add(add(root, "Layouts"), "Layout", name="A3", units="mm", printResolution=300, worldFileMap="")
    add(layout, "Grid", resolution=10, resUnits="mm", offsetX=0, offsetY=0, offsetUnits="mm")
    pages = add(layout, "PageCollection")
    paper = {"color": rgba("#ffffff"), "style": "solid", "outline_style": "no"}
    add_symbol(pages, "area", paper)
    add_symbol(_item(pages, _PAGE, "page", (0, 0, *PAGE_MM), zValue=0, background="true"), "area", paper)
    _add_map(layout, frame)
    _add_label(layout, "title", about["scenario"], (10, 6, 400, 14), size_pt=24)
    _add_legend(layout)
    _add_north(layout)
    _add_scale_bar(layout, frame)
    words = toml.table("gis")
    known = words["crs"].get(frame.crs, {}).get(language, "")
    scale = f"{words['words']['scale'][language]} 1:{frame.scale:,}"
    lines = [" · ".join([scale, f"{frame.crs} {known}".strip(), f"{words['words']['dated'][language]} {about['day']}"])]
    lines += [about[key] for key in ("notice", "rules_notice", "review") if key in about]
    _add_label(layout, "notes", "\n".join(lines), (10, 276, 400, 18), size_pt=8)
    told = f"{words['words']['sources'][language]}: {about.get('sources', '')}"
    _add_label(layout, "sources", told, (_SIDE_MM, 190, 88, 56), size_pt=6)


def _item(parent: Element, kind: int, name: str, at: tuple[float, ...], **more: object) -> Element:
    """An item of a layout by its name, at left, top, width and height in millimetres."""
    left, top, width, height = at
    place = {"position": f"{left},{top},mm", "positionOnPage": f"{left},{top},mm", "size": f"{width},{height},mm"}
    key = identifier("layout", name)
    same = {"uuid": key, "templateUuid": key, "groupUuid": "", "id_": name, "referencePoint": 0, "itemRotation": 0}
    look = {
        "visibility": 1,
        "opacity": 1,
        "blendMode": 0,
        "excludeFromExports": 0,
        "positionLock": "false",
        "zValue": 2,
    }
    look |= {"frame": "false", "background": "false", "frameJoinStyle": "miter", "outlineWidthM": "0.2,mm"}
    return add(parent, "LayoutItem", type=kind, **{**place, **same, **look, **more})


def _add_map(layout: Element, frame: SheetFrame) -> None:
    drawn = {"frame": "true", "background": "true", "zValue": 1, "mapRotation": 0, "drawCanvasItems": "true"}
    item = _item(layout, _MAP, "map", MAP_MM, keepLayerSet="false", followPreset="false", **drawn)
    add(item, "Extent", **dict(zip(("xmin", "ymin", "xmax", "ymax"), frame.bounds, strict=True)))
    step = next(one for one in (5, 10, 20, 25, 50, 100, 200) if one * 1000 * 8 >= frame.bounds[2] - frame.bounds[0])
    lines = {"intervalX": step * 1000, "intervalY": step * 1000, "unit": 0, "position": 3, "gridStyle": 2}
    sides = ("left", "right", "top", "bottom")
    told = {f"{side}AnnotationDisplay": 0 for side in sides} | {f"{side}AnnotationPosition": 0 for side in sides}
    turned = {"leftAnnotationDirection": 1, "rightAnnotationDirection": 1}
    turned |= {"topAnnotationDirection": 0, "bottomAnnotationDirection": 0}
    more = {"showAnnotation": 1, "annotationFormat": 0, "annotationPrecision": 0, "frameAnnotationDistance": 0.6}
    key = identifier("layout", "grid")
    grid = add(item, "ComposerMapGrid", name="grid", uuid=key, show=1, crossLength=2, **lines, **told, **turned, **more)
    add_symbol(add(grid, "lineStyle"), "line", {"line_color": "140,140,140,255", "line_width": 0.1})
    add_symbol(add(grid, "markerStyle"), "point", {"name": "cross", "size": 2, "outline_color": "140,140,140,255"})
    add_text_style(grid, size_pt=6, halo=True)


def _add_label(layout: Element, name: str, text: str, at: tuple[float, ...], *, size_pt: float) -> None:
    align = {"halign": 1, "valign": 32, "marginX": 0, "marginY": 0, "htmlState": 0}
    item = _item(layout, _LABEL, name, at, labelText=text, **align)
    add(item, "LabelFont", description=_font(size_pt), style="")
    add_text_style(item, size_pt=size_pt, halo=False)


def _add_legend(layout: Element) -> None:
    size = {"symbolWidth": 6, "symbolHeight": 3.5, "boxSpace": 1, "columnCount": 1, "wmsLegendWidth": 50}
    how = {"legendFilterByMap": 1, "resizeToContents": 1, "title": "", "wrapChar": "", "splitLayer": 0}
    at = (_SIDE_MM, MAP_MM[1], 88, 180)
    item = _item(layout, _LEGEND, "legend", at, map_uuid=identifier("layout", "map"), **size, **how)
    styles = add(item, "styles")
    points = {"title": 12, "group": 9, "subgroup": 8, "symbol": 8, "symbolLabel": 7.5}
    margins: dict[str, dict[str, float]] = {
        "group": {"marginTop": 2},
        "subgroup": {"marginTop": 1.5},
        "symbol": {"marginTop": 1},
    }
    margins["symbolLabel"] = {"marginTop": 1, "marginLeft": 2}
    for name, size_pt in points.items():
        style = add(styles, "style", name=name, alignment=1, indent=0, **margins.get(name, {}))
        add(style, "styleFont", description=_font(size_pt), style="")
        add_text_style(style, size_pt=size_pt, halo=False)


def _add_north(layout: Element) -> None:
    picture = {"file": ":/images/north_arrows/layout_default_north_arrow.svg", "mode": 2, "northMode": 1}
    colours = {"svgFillColor": "29,43,54,255", "svgBorderColor": "29,43,54,255", "svgBorderWidth": 0.2}
    size = {"resizeMode": 0, "anchorPoint": 4, "pictureWidth": 12, "pictureHeight": 14, "northOffset": 0}
    at = (_SIDE_MM, 248, 12, 16)
    _item(layout, _PICTURE, "north", at, mapUuid=identifier("layout", "map"), **picture, **colours, **size)


def _add_scale_bar(layout: Element, frame: SheetFrame) -> None:
    """A bar of two parts of a round number of kilometres, about 50 mm long."""
    kilometres = max(frame.scale // 40_000, 1)
    bar = {"style": "Single Box", "unitType": "km", "unitLabel": "km", "numSegments": 2, "numSegmentsLeft": 0}
    bar |= {"numUnitsPerSegment": kilometres, "numMapUnitsPerScaleBarUnit": 1, "segmentSizeMode": 0, "alignment": 0}
    bar |= {"segmentMillimeters": kilometres * 1e6 / frame.scale}
    bar |= {"height": 2, "boxContentSpace": 1, "labelBarSpace": 1.5, "minBarWidth": 30, "maxBarWidth": 80}
    at = (_SIDE_MM + 18, 250, 70, 12)
    item = _item(layout, _SCALE_BAR, "scale", at, mapUuid=identifier("layout", "map"), outlineWidth=0.2, **bar)
    add_text_style(item, size_pt=8, halo=False)
    for tag, shade in (("fillColor", 0), ("fillColor2", 255), ("strokeColor", 0)):
        add(item, tag, red=shade, green=shade, blue=shade, alpha=255)


def _font(size_pt: float) -> str:
    return f"{toml.table('gis')['paper']['font']},{size_pt:g},-1,5,50,0,0,0,0,0"
