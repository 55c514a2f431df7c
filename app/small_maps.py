"""Small maps as charts: shapes on a plain ground, for previews; nothing is fetched for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import altair as alt
import geopandas as gpd
import pandas as pd
import shapely

from geo_cluster import toml

MOST_SHAPES = 2000
"""More shapes than this are thinned: a preview, not a map."""


def _features(shapes: gpd.GeoDataFrame, *, tolerance: float = 0.0) -> alt.Data:
    """Shapes for a chart, in degrees, thinned evenly to `MOST_SHAPES`."""
    few = shapes.iloc[:: max(1, -(-len(shapes) // MOST_SHAPES))].to_crs(4326)
    if tolerance:
        few = few.set_geometry(few.geometry.simplify(tolerance))
    few = few[~few.geometry.is_empty & few.geometry.notna()]
    few = few.set_geometry(shapely.orient_polygons(few.geometry.to_numpy(), exterior_cw=True))  # as d3 wants its rings
    return alt.Data(values=json.loads(few.to_json())["features"])


def _drawn(features: alt.Data, **look: Any) -> alt.Chart:
    return alt.Chart(features).mark_geoshape(**look)


def outline(
    layer: gpd.GeoDataFrame, ground: gpd.GeoDataFrame, water: gpd.GeoDataFrame, *, label: str
) -> alt.TopLevelMixin:
    """A layer on the outlines of an area and its waters; the label shows on hovering."""
    colour = toml.table("style")["page"]["accent"]
    under = _drawn(_features(ground[["geometry"]], tolerance=0.005), fill="#f4f6f6", stroke="#b9c4c6", strokeWidth=0.8)
    kept = layer[[label, "geometry"]] if label in layer else layer[["geometry"]]
    areal = layer.geom_type.str.contains("Polygon").all()
    look: dict[str, Any] = {
        "fill": colour if not layer.geom_type.str.contains("Line").any() else None,
        "stroke": colour,
    }
    look |= {"fillOpacity": 0.12 if areal else 0.9, "strokeWidth": 1}
    over = _drawn(_features(kept, tolerance=0.002 if areal else 0.0), **look)
    if label in layer:
        over = over.encode(tooltip=alt.Tooltip(f"properties.{label}:N", title=" "))
    return alt.layer(under, *_wet(water), over).project("mercator", pointRadius=4).properties(height=430)


def _wet(water: gpd.GeoDataFrame) -> list[alt.Chart]:
    """Lakes as areas, rivers as lines, for what lies on top."""
    colour, is_line = toml.table("style")["map"], water["kind"] == "river"
    lakes, rivers = (_features(part[["geometry"]], tolerance=0.002) for part in (water[~is_line], water[is_line]))
    return [
        _drawn(lakes, fill=colour["water"], stroke=None, tooltip=False),
        _drawn(rivers, fill=None, stroke=colour["river"], strokeWidth=1, tooltip=False),
    ]


def parcels(gross: gpd.GeoDataFrame, net: gpd.GeoDataFrame) -> dict[str, alt.TopLevelMixin]:
    """By site: outlines of its parcels, and in them the land that the rules leave."""
    accent = toml.table("style")["page"]["accent"]
    panels: dict[str, alt.TopLevelMixin] = {}
    for site, rows in gross.groupby("site"):
        left = net.loc[net["site"] == site, ["geometry"]]
        edge = _drawn(_features(rows[["parcel", "geometry"]]), fill="#f4ead6", stroke="#7a5200", strokeWidth=1)
        edge = edge.encode(tooltip=alt.Tooltip("properties.parcel:N", title=" "))
        over = _drawn(_features(left), fill=accent, fillOpacity=0.75, stroke=None, tooltip=False)
        panels[str(site)] = (edge + over).project("mercator").properties(height=280)
    return panels


def dots(
    points: pd.DataFrame, ground: gpd.GeoDataFrame, water: gpd.GeoDataFrame, *, colours: Mapping[str, str], title: str
) -> alt.TopLevelMixin:
    """Dots on the outlines of an area and its waters, coloured by what each is.

    Parameters
    ----------
    points : DataFrame
        `lon`, `lat`, `label`, `what` and `kind`, a row each.
    ground, water : GeoDataFrame
    colours : mapping
        Kind -> colour, in the order of the legend.
    title : str
        Of the legend.
    """
    under = _drawn(_features(ground[["geometry"]], tolerance=0.005), fill="#f4f6f6", stroke="#b9c4c6", strokeWidth=0.8)
    there = [kind for kind in colours if kind in set(points["kind"])]
    scale = alt.Scale(domain=there, range=[colours[kind] for kind in there])
    over = alt.Chart(points).mark_circle(size=95, opacity=0.95, stroke="white", strokeWidth=0.7)
    over = over.encode(
        longitude="lon:Q",
        latitude="lat:Q",
        color=alt.Color("kind:N", scale=scale, legend=alt.Legend(title=title, orient="bottom", columns=4)),
        tooltip=[alt.Tooltip("label:N", title=" "), alt.Tooltip("what:N", title=" ")],
    )
    return alt.layer(under, *_wet(water), over).project("mercator").properties(height=460)
