"""A QGIS project that opens the GeoPackage beside it: groups, styles, labels, and a layout for A3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from xml.etree.ElementTree import Element

import pyproj

from geo_cluster.archive import archived
from geo_cluster.domain import Language
from geo_cluster.export.gis.content import group_title
from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.layout import add_layout
from geo_cluster.export.gis.markup import add, written
from geo_cluster.export.gis.qml import DOCTYPE, VERSION, add_style, identifier
from geo_cluster.export.gis.sheet_frame import SheetFrame

MOST_RANKED = 60
"""So many projects get a layer of their own in the group of rankings; the layer of all has every one."""
_GEOMETRY = {"point": "Point", "line": "Line", "area": "Polygon"}


def project(
    layers: Iterable[GisLayer],
    *,
    package: str,
    crs: str,
    frame: SheetFrame,
    about: Mapping[str, str],
    language: Language,
) -> bytes:
    """The project as the bytes of a .qgz.

    Parameters
    ----------
    layers : iterable of GisLayer
        Those in the package; tables are left out.
    package : str
        Name of the GeoPackage, which lies beside the project.
    crs : str
        The system of the package.
    frame : SheetFrame
        What the window and the sheet show.
    about : mapping of str
        What `content.notices` says.
    language : {"zh", "en"}
    """
    shown = [_Shown(layer, package) for layer in layers if layer.look]
    shown = [one for layer in shown for one in (layer, *_by_project(layer, package))]
    root = Element("qgis", projectname=about["scenario"], version=VERSION)
    add(root, "homePath", path="")
    add(root, "title", about["scenario"])
    _add_system(add(root, "projectCrs"), frame.crs)
    _add_tree(root, shown, language)
    canvas = add(root, "mapcanvas", name="theMapCanvas", annotationsVisible=1)
    add(canvas, "units", "meters")
    extent = add(canvas, "extent")
    for key, value in zip(("xmin", "ymin", "xmax", "ymax"), frame.bounds, strict=True):
        add(extent, key, value)
    add(canvas, "rotation", 0)
    _add_system(add(canvas, "destinationsrs"), frame.crs)
    held = add(root, "projectlayers")
    for one in shown:
        _add_layer(held, one, crs, about)
    order = add(root, "layerorder")
    for one in shown:
        add(order, "layer", id_=one.key)
    _add_properties(root)
    told = add(root, "projectMetadata")
    add(told, "title", about["scenario"])
    add(told, "abstract", "\n".join(about.values()))
    add_layout(root, frame, about, language)
    return archived({"project.qgs": written(root, heading=DOCTYPE).encode()})


class _Shown:
    """A layer of the project: rows of a table of the package, all or those of one project."""

    def __init__(self, layer: GisLayer, package: str, *, project: str = "", title: str = ""):
        quoted = project.replace("'", "''")
        self.layer, self.title = layer, title or layer.title
        self.key = f"{layer.name}_{identifier(layer.name, project)[1:9]}"
        self.source = f"./{package}|layername={layer.name}"
        self.source += f"|subset=\"project\" = '{quoted}'" if project else ""
        self.visible = bool(layer.look and layer.look.visible and not project)


def _by_project(shown: _Shown, package: str) -> list[_Shown]:
    """The ranking once more a project, so that one can be switched on by itself."""
    if shown.layer.name != "ranking":
        return []
    frame = shown.layer.frame
    names = dict(zip(frame["project"], frame["project_name"], strict=True))
    return [
        _Shown(shown.layer, package, project=key, title=f"{key} {name}"[:60])
        for key, name in list(names.items())[:MOST_RANKED]
    ]


def _add_tree(root: Element, shown: list[_Shown], language: Language) -> None:
    tree = add(root, "layer-tree-group")
    for group, members in groupby(shown, key=lambda one: one.layer.group):
        of = list(members)
        checked = "Qt::Checked" if any(one.visible for one in of) else "Qt::Unchecked"
        opened = int(group in ("plan", "reach"))
        branch = add(tree, "layer-tree-group", name=group_title(group, language), checked=checked, expanded=opened)
        for one in of:
            checked = "Qt::Checked" if one.visible else "Qt::Unchecked"
            more = {"providerKey": "ogr", "source": one.source, "checked": checked, "expanded": 0}
            add(branch, "layer-tree-layer", id_=one.key, name=one.title, legend_exp="", **more)
    add(tree, "custom-order", enabled=0)


def _add_layer(parent: Element, shown: _Shown, crs: str, about: Mapping[str, str]) -> None:
    layer, look = shown.layer, shown.layer.look
    assert look is not None
    form = {"wkbType": layer.shapes, "geometry": _GEOMETRY[look.kind], "labelsEnabled": int(bool(look.label))}
    element = add(parent, "maplayer", type="vector", autoRefreshEnabled=0, hasScaleBasedVisibilityFlag=0, **form)
    add(element, "id", shown.key)
    add(element, "datasource", shown.source)
    add(element, "layername", shown.title)
    _add_system(add(element, "srs"), crs)
    told = add(element, "resourceMetadata")
    add(told, "identifier", layer.name)
    add(told, "title", shown.title)
    add(told, "abstract", "\n".join(layer.about.values()))
    add(told, "rights", layer.about.get("attribution", about["review"]))
    add(told, "licence", layer.about.get("licence", ""))
    add(element, "provider", "ogr", encoding="UTF-8")
    manager = add(element, "map-layer-style-manager", current="default")
    add(manager, "map-layer-style", name="default")
    add_style(element, layer)


def _add_system(parent: Element, crs: str) -> None:
    """A coordinate system by its code, and in full for who doesn't know it."""
    known = pyproj.CRS(crs)
    system, number = add(parent, "spatialrefsys"), crs.partition(":")[2]
    add(system, "wkt", known.to_wkt("WKT2_2019"))
    add(system, "srid", number)
    add(system, "authid", crs)
    add(system, "description", known.name)
    add(system, "projectionacronym", "longlat" if known.is_geographic else "tmerc")
    add(system, "ellipsoidacronym", "EPSG:7030" if crs == "EPSG:4326" else "EPSG:1024")
    add(system, "geographicflag", str(known.is_geographic).lower())


def _add_properties(root: Element) -> None:
    properties = add(root, "properties")
    add(add(properties, "Paths"), "Absolute", "false", type="bool")
    add(add(properties, "SpatialRefSys"), "ProjectionsEnabled", 1, type="int")
    add(add(properties, "Measure"), "Ellipsoid", "EPSG:1024", type="QString")
    measurement = add(properties, "Measurement")
    add(measurement, "DistanceUnits", "km", type="QString")
    add(measurement, "AreaUnits", "ha", type="QString")
