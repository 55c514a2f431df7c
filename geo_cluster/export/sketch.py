"""The plan as a small drawing for print: outlines, lines from the R&D anchor, a dot a site with its projects."""

from __future__ import annotations

import html
import math

import geopandas as gpd
import shapely
from shapely.affinity import affine_transform

from geo_cluster.domain import Language
from geo_cluster.export.geopackage import plan_lines
from geo_cluster.report import tables
from geo_cluster.study import Study

WIDTH, HEIGHT = 1000.0, 460.0
MARGIN_DEG = 0.15
COARSE_DEG = 0.002
"""Outlines are simplified to this: the drawing is a hand wide."""


def sketch(study: Study, language: Language) -> str:
    """The plan as inline SVG; empty when nobody is placed. The full map is `map.html`."""
    if tables.assignment(study).empty:
        return ""
    lines = plan_lines(study).drop_duplicates("site").geometry
    onto, frame = _frame(lines)
    outlines = study.layers.read("prefectures")
    outlines = outlines.set_geometry(outlines.geometry.simplify(COARSE_DEG).intersection(frame))
    outlines = outlines[~outlines.geometry.is_empty]
    ground = [affine_transform(one, onto).svg(fill_color="#f4f6f6", opacity=1) for one in outlines.geometry]
    ties = [affine_transform(one, onto).svg(stroke_color="#0b6e75", opacity=0.6) for one in lines]
    drawn = [*ground, *_names(outlines, onto, language), *ties, *_dots(study, onto, language)]
    label = html.escape(
        " · ".join(study.region.names[one][language] for one in tables.assignment(study)["site"].unique())
    )
    return f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{label}">{"".join(drawn)}</svg>'


def _frame(lines: gpd.GeoSeries) -> tuple[list[float], shapely.Polygon]:
    """What puts degrees onto the drawing, and the window that it shows: the plan's lines in its middle."""
    west, south, east, north = lines.total_bounds
    x, y, across = (west + east) / 2, (south + north) / 2, math.cos(math.radians((south + north) / 2))
    scale = min(WIDTH / ((east - west + 2 * MARGIN_DEG) * across), HEIGHT / (north - south + 2 * MARGIN_DEG))
    onto = [scale * across, 0, 0, -scale, WIDTH / 2 - x * scale * across, HEIGHT / 2 + y * scale]
    wide, high = WIDTH / 2 / scale / across, HEIGHT / 2 / scale
    return onto, shapely.box(x - wide, y - high, x + wide, y + high)


def _names(outlines: gpd.GeoDataFrame, onto: list[float], language: Language) -> list[str]:
    """Names of the prefectures, each in its middle; of a sliver at the edge there is none."""
    names = []
    for name, shape in zip(outlines[f"name_{language}"], outlines.geometry, strict=True):
        drawn = affine_transform(shape, onto)
        at = drawn.representative_point()
        if drawn.area > 8000:
            place = f'x="{at.x:.0f}" y="{at.y:.0f}" text-anchor="middle" font-size="22" fill="#56636c"'
            names.append(f"<text {place}>{html.escape(name)}</text>")
    return names


def _dots(study: Study, onto: list[float], language: Language) -> list[str]:
    """The anchor, and each site with how many projects it gets; where dots touch, the larger is on top."""
    places, names = study.sites.set_index("id").geometry, study.region.names
    anchor = affine_transform(study.anchor.geometry, onto)
    dots = [f'<circle cx="{anchor.x:.0f}" cy="{anchor.y:.0f}" r="11" fill="#b3223e" stroke="#fff"/>']
    for site, count in tables.assignment(study)["site"].value_counts(ascending=True).items():
        at = affine_transform(places[site], onto)
        title = html.escape(f"{names[str(site)][language]}: {count}")
        circle = f'<circle cx="{at.x:.0f}" cy="{at.y:.0f}" r="17" fill="#0b6e75" stroke="#fff"/>'
        place = f'x="{at.x:.0f}" y="{at.y + 7:.0f}" text-anchor="middle" font-size="20" fill="#fff"'
        dots.append(f"<g><title>{title}</title>{circle}<text {place}>{count}</text></g>")
    return dots
