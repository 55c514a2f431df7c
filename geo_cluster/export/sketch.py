"""The plan as a small drawing for print: outlines, lines from the R&D anchor, a dot a site with its projects."""

from __future__ import annotations

import math
from typing import NamedTuple

import geopandas as gpd
import shapely
from markupsafe import Markup
from shapely.affinity import affine_transform

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.geopackage import plan_lines
from geo_cluster.export.render import render
from geo_cluster.report import tables
from geo_cluster.study import Study

WIDTH, HEIGHT = 1000.0, 460.0
MARGIN_DEG = 0.15
COARSE_DEG = 0.002
"""Outlines are simplified to this: the drawing is a hand wide."""


class Mark(NamedTuple):
    """A name on the drawing, at `x` and `y`; of a site, with the number of its projects."""

    name: str
    x: float
    y: float
    projects: int = 0


def sketch(study: Study, language: Language) -> Markup:
    """The plan as inline SVG; empty when nobody is placed. The full map is `map.html`."""
    if tables.assignment(study).empty:
        return Markup()
    lines = plan_lines(study).drop_duplicates("site").geometry
    onto, frame = _frame(lines)
    outlines = study.layers.read("prefectures")
    outlines = outlines.set_geometry(outlines.geometry.simplify(COARSE_DEG).intersection(frame))
    outlines = outlines[~outlines.geometry.is_empty]
    return render(
        "sketch.svg",
        width=f"{WIDTH:.0f}",
        height=f"{HEIGHT:.0f}",
        label=" · ".join(study.region.names[one][language] for one in tables.assignment(study)["site"].unique()),
        ground=[Markup(affine_transform(one, onto).svg(fill_color="#f4f6f6", opacity=1)) for one in outlines.geometry],
        water=_water(study.layers.read("water"), onto, frame),
        names=_names(outlines, onto, language),
        lines=[Markup(affine_transform(one, onto).svg(stroke_color="#0b6e75", opacity=0.6)) for one in lines],
        anchor=affine_transform(study.anchor.geometry, onto),
        sites=_sites(study, onto, language),
    )


def _frame(lines: gpd.GeoSeries) -> tuple[list[float], shapely.Polygon]:
    """What puts degrees onto the drawing, and the window that it shows: the plan's lines in its middle."""
    west, south, east, north = lines.total_bounds
    x, y, across = (west + east) / 2, (south + north) / 2, math.cos(math.radians((south + north) / 2))
    scale = min(WIDTH / ((east - west + 2 * MARGIN_DEG) * across), HEIGHT / (north - south + 2 * MARGIN_DEG))
    onto = [scale * across, 0, 0, -scale, WIDTH / 2 - x * scale * across, HEIGHT / 2 + y * scale]
    wide, high = WIDTH / 2 / scale / across, HEIGHT / 2 / scale
    return onto, shapely.box(x - wide, y - high, x + wide, y + high)


def _water(water: gpd.GeoDataFrame, onto: list[float], frame: shapely.Polygon) -> list[dict[str, str]]:
    """Two paths with fill and stroke, of lakes and of rivers within the window; of what there is."""
    colour, is_line = toml.table("style")["map"], water["kind"] == "river"
    looks = ({"fill": colour["water"], "stroke": "none"}, {"fill": "none", "stroke": colour["river"]})
    paths = []
    for part, look in zip((water[~is_line], water[is_line]), looks, strict=True):
        shape = affine_transform(part.geometry.simplify(COARSE_DEG).intersection(frame).union_all(), onto)
        if not shape.is_empty:
            paths.append({"d": _path(shape), **look})
    return paths


def _path(shape: shapely.Geometry) -> str:
    """The rings of areas, or lines, as an SVG path."""
    parts = shapely.get_parts(shape)
    areal = shape.geom_type.endswith("Polygon")
    lines = shapely.get_rings(parts) if areal else parts
    drawn = ("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in shapely.get_coordinates(line)) for line in lines)
    return "".join(f"{line}Z" if areal else line for line in drawn)


def _names(outlines: gpd.GeoDataFrame, onto: list[float], language: Language) -> list[Mark]:
    """Names of the prefectures, each in its middle; of a sliver at the edge there is none."""
    drawn = [affine_transform(shape, onto) for shape in outlines.geometry]
    middle = [shape.representative_point() for shape in drawn]
    named = zip(outlines[f"name_{language}"], drawn, middle, strict=True)
    return [Mark(name, at.x, at.y) for name, shape, at in named if shape.area > 8000]


def _sites(study: Study, onto: list[float], language: Language) -> list[Mark]:
    """Each site with how many projects it gets; where marks touch, the larger is on top."""
    places, names = study.sites.set_index("id").geometry, study.region.names
    counts = tables.assignment(study)["site"].value_counts(ascending=True)
    at = {site: affine_transform(places[site], onto) for site in counts.index}
    return [Mark(names[str(site)][language], at[site].x, at[site].y, count) for site, count in counts.items()]
