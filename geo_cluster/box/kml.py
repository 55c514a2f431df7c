"""KML as planners save it from Google Earth, 奥维 or ArcGIS: every folder a layer, names and values as written.

Read here and not by GDAL, whose reader makes outlines of pictures and underscores of Chinese field names.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import numpy as np
import shapely

from geo_cluster.box.limits import Limits

LEFT_OUT = ("GroundOverlay", "ScreenOverlay", "PhotoOverlay", "NetworkLink", "Model", "Tour")
"""What has no outline of its own: pictures, links to other files, bodies, journeys."""

_CELL = r"((?:(?!<t[rdh][\s>]).)*?)"
_CELLS = re.compile(
    rf"<tr[^>]*>\s*<t[dh][^>]*>{_CELL}</t[dh]>\s*<td[^>]*>{_CELL}</td>\s*</tr>", re.DOTALL | re.IGNORECASE
)
"""Rows of two cells; a cell that holds a table is none."""
_TAGS = re.compile(r"<[^>]+>")
_COMMA = re.compile(r"\s*[,，]\s*")


@dataclass
class Folder:
    """Placemarks of one folder: what each says and its shape."""

    rows: list[dict[str, str]] = field(default_factory=list)
    shapes: list[Any] = field(default_factory=list)


def folders(content: bytes, name: str, limits: Limits) -> tuple[dict[str, Folder], Counter[str]]:
    """Placemarks by folder, and how many pictures, links and bodies there are besides.

    Parameters
    ----------
    content : bytes
        UTF-8, looked at before: no entities, nesting within its limit.
    name : str
        Of the file.
    limits : Limits
    """
    root = ElementTree.fromstring(content)
    limits.refuse(name, "vertices", content.count(b","), "box.too_many_vertices")
    titles = {
        str(one.get("name")): (_child_text(one, "displayName") or str(one.get("name")))
        for one in root.iter()
        if _tag(one) == "SimpleField" and one.get("name")
    }
    found: dict[str, Folder] = {}
    left_out: Counter[str] = Counter()
    _walk(root, (), found, left_out, titles)
    left_out["hidden"] += _hidden(root)
    return found, left_out


def _hidden(node: ElementTree.Element) -> int:
    """How many placemarks are switched off, by themselves or with a folder around them."""
    if _child_text(node, "visibility") in ("0", "false"):
        return sum(_tag(one) == "Placemark" for one in node.iter())
    return sum(_hidden(one) for one in node if _tag(one) in ("kml", "Document", "Folder", "Placemark"))


def _walk(
    node: ElementTree.Element,
    path: tuple[str, ...],
    found: dict[str, Folder],
    left_out: Counter[str],
    titles: dict[str, str],
) -> None:
    for one in node:
        tag = _tag(one)
        if tag in ("Document", "Folder"):
            own = _child_text(one, "name")
            inner = (*path, own) if tag == "Folder" and own else path
            _walk(one, inner, found, left_out, titles)
        elif tag == "Placemark":
            folder = found.setdefault("/".join(path), Folder())
            folder.rows.append(_said(one, titles))
            folder.shapes.append(_shape(one, left_out))
        elif tag in LEFT_OUT:
            left_out[tag] += 1
        elif len(one):
            _walk(one, path, found, left_out, titles)


def _tag(node: ElementTree.Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _child_text(node: ElementTree.Element, tag: str) -> str:
    return next(("".join(one.itertext()).strip() for one in node if _tag(one) == tag), "")


def _said(placemark: ElementTree.Element, titles: dict[str, str]) -> dict[str, str]:
    """Name, and the values of `ExtendedData`; of ArcGIS, those of the table that stands in the description."""
    out = {"name": _child_text(placemark, "name")}
    about = _child_text(placemark, "description")
    for heading, value in _CELLS.findall(about):
        key = _TAGS.sub("", heading).strip()
        if key:
            out[key] = _TAGS.sub("", value).strip().replace("&lt;Null&gt;", "").replace("<Null>", "")
    if about and len(out) == 1:
        out["description"] = _TAGS.sub(" ", about).strip()
    for one in placemark.iter():
        tag, key = _tag(one), str(one.get("name") or "")
        if tag == "Data" and key:
            out[_child_text(one, "displayName") or key] = _child_text(one, "value")
        elif tag == "SimpleData" and key:
            out[titles.get(key, key)] = "".join(one.itertext()).strip()
    return out


def _shape(node: ElementTree.Element, left_out: Counter[str]) -> Any:
    """The shape of a placemark; several as a collection; None where it has none."""
    shapes = [shape for shape in _shapes(node, left_out) if shape is not None]
    if len(shapes) < 2:
        return shapes[0] if shapes else None
    if all(shape.geom_type == "Polygon" for shape in shapes):
        return shapely.MultiPolygon(shapes)
    return shapely.GeometryCollection(shapes)


def _shapes(node: ElementTree.Element, left_out: Counter[str]) -> list[Any]:
    out: list[Any] = []
    for one in node:
        tag = _tag(one)
        if tag == "Polygon":
            out.append(_polygon(one))
        elif tag in ("LineString", "LinearRing"):
            at = _corners(_child_text(one, "coordinates"))
            out.append(shapely.LineString(at) if len(at) > 1 else None)
        elif tag == "Point":
            at = _corners(_child_text(one, "coordinates"))
            out.append(shapely.Point(at[0]) if len(at) else None)
        elif tag in ("MultiGeometry", "MultiTrack"):
            out += _shapes(one, left_out)
        elif tag == "Track":
            at = _numbers(["".join(c.itertext()).split()[:2] for c in one if _tag(c) == "coord"])
            out.append(shapely.LineString(at) if len(at) > 1 else None)
        elif tag in LEFT_OUT:
            left_out[tag] += 1
    return out


def _polygon(node: ElementTree.Element) -> Any:
    rings: dict[str, list[Any]] = {"outerBoundaryIs": [], "innerBoundaryIs": []}
    for side in node:
        for ring in side:
            at = _corners(_child_text(ring, "coordinates"))
            if _tag(side) in rings and len(at) > 2:
                rings[_tag(side)].append(at)
    outer, inner = rings["outerBoundaryIs"], rings["innerBoundaryIs"]
    if len(outer) > 1:  # more than may be: what lies in another is its hole
        return shapely.build_area(shapely.MultiLineString([*outer, *inner]))
    return shapely.Polygon(outer[0], inner) if outer else None


def _corners(text: str) -> np.ndarray:
    """Longitude and latitude of the corners; commas may have blanks around them."""
    return _numbers([part.split(",")[:2] for part in _COMMA.sub(",", text.strip()).split()])


def _numbers(pairs: list[list[str]]) -> np.ndarray:
    return np.array([[float(one) for one in pair] for pair in pairs], dtype=float).reshape(len(pairs), -1)


def columns(rows: list[dict[str, str]]) -> dict[str, list[str]]:
    """What the placemarks of a folder say, by heading."""
    return {key: [row.get(key, "") for row in rows] for key in dict.fromkeys(key for row in rows for key in row)}
