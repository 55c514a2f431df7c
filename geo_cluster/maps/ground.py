"""What lies under a map: boundaries, reach, water, roads and names, drawn as `tables/style.toml` declares them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster import region, toml
from geo_cluster.access.isochrones import isochrones
from geo_cluster.access.travel import route
from geo_cluster.domain import Language
from geo_cluster.maps.words import WORDS
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.supply.pools import with_prefecture
from geo_cluster.supply.serving_station import distance_km
from geo_cluster.world.layers import CRS, Layers, by_content, city_name

BANDS_MIN = (30, 60, 90, 240)
"""Isochrones of the R&D anchor, minutes door to door."""

FAST_KMH = 80
"""Roads from this speed on are drawn as main roads."""

ROAD_DEG = 2e-4
"""Roads and counties are drawn to about 20 metres."""


def look() -> dict[str, str]:
    """Colours of names and signs that the style sheet of the map takes, by the name of its variable."""
    style = toml.table("style")
    return {key.replace("_", "-"): colour for key, colour in style["label"].items()}


def base(layers: Layers, language: Language) -> list[dict[str, Any]]:
    """Boundaries, water, roads, railways and names: our own backdrop, since there are no tiles."""
    style, names = toml.table("style"), toml.table("layers")["layers"]
    colour, lines = style["map"], style["line"]
    prefectures, counties = layers.read("prefectures"), layers.read("counties")
    drawn, group = _backdrop(layers), WORDS[language]["base"]

    def layer(key: str, kind: str, features: Any, **more: Any) -> dict[str, Any]:
        common = {"key": key, "group": group, "name": names.get(key, {}).get("name", {}).get(language, "")}
        shown = {"kind": kind, "features": features, "visible": True, "legend": True}
        return {**common, **shown, **lines.get(key, {}), **more}

    label: dict[str, Any] = {"kind": "label", "legend": False}
    wet = _water_labels(layers.read("water"), (prefectures, counties), language)
    road = {"color": colour["road"], "core": colour["road_core"]}
    return [
        layer("prefectures", "area", drawn["prefectures"], color=colour["prefecture_line"], fill=colour["province"]),
        layer("water", "area", drawn["water"], color=colour["river"], fill=colour["water"], fillOpacity=1, tiled=True),
        layer("counties", "area", drawn["counties"], color=colour["county_line"]),
        layer("minor_roads", "line", drawn["minor_roads"], color=colour["minor_road"], legend=False, of="roads"),
        layer("railways", "line", drawn["railways"], color=colour["railway"]),
        layer("roads", "line", drawn["roads"], **road),
        layer("prefecture_labels", features=_city_names(layers, language), look="city", weight=80, **label),
        layer("county_labels", features=named(counties, language), look="county", weight=20, from_zoom=9.5, **label),
        layer("water_labels", features=wet, look="wet", weight=30, from_zoom=8, **label),
    ]


@by_content("prefectures", "counties", "province", "roads", "railways", "water", "sites", "anchors", most=8)
def _backdrop(layers: Layers) -> dict[str, dict[str, Any]]:
    """Shapes of the base map, the same for every plan: simplifying them takes as long as all the rest of a payload."""
    colour, prefectures, counties = toml.table("style")["map"], layers.read("prefectures"), layers.read("counties")
    home, targets = cities_of(layers)
    tints = dict.fromkeys(targets, colour["target"]) | dict.fromkeys(home, colour["wuhan"])
    fills = [tints.get(code, colour["province"]) for code in prefectures["code"]]
    roads = layers.read("roads")
    fast = roads["speed_kmh"] >= FAST_KMH
    inside = layers.read("province").geometry.iloc[0].simplify(0.01)
    thinned = shapely.coverage_simplify(counties.geometry.to_numpy(), ROAD_DEG)
    return {
        "prefectures": shapes(prefectures, fill=fills),
        "counties": shapes(counties.assign(geometry=thinned), codes=True),
        "roads": shapes(_clipped(roads[fast], inside), merge=True),
        "minor_roads": shapes(_clipped(roads[~fast], inside), merge=True),
        "railways": shapes(_clipped(layers.read("railways"), inside), merge=True),
        "water": _water(layers.read("water")),
    }


def _clipped(lines: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    """What of lines lies in an area: only those that cross its edge are cut, which are few."""
    shapely.prepare(area)
    found = lines.geometry.to_numpy()
    whole = shapely.covers(area, found)
    cut = shapely.intersection(found[~whole & shapely.intersects(area, found)], area)
    return gpd.GeoDataFrame(geometry=[*found[whole], *cut], crs=lines.crs)


def _water(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """All areas as one shape, all lines as another."""
    is_line = frame["kind"] == "river"
    together = [frame.geometry[~is_line].union_all(), frame.geometry[is_line].union_all()]
    return shapes(gpd.GeoDataFrame(geometry=[shape for shape in together if not shape.is_empty], crs=CRS))


NAME_DEG = 0.1
"""A name at the zoom at which rivers are named takes about so much."""
RIVER_NAME_DEG = 0.6
"""A river is named again after so many degrees."""


def _water_labels(
    frame: gpd.GeoDataFrame, taken_by: Iterable[gpd.GeoDataFrame], language: Language
) -> list[dict[str, Any]]:
    """Names of lakes and rivers that are known: a lake in its middle, a river again and again along its course.

    No river is named where an area of `taken_by` has its name.
    """
    spots: list[dict[str, Any]] = []
    taken = shapely.union_all([area.geometry.representative_point().union_all() for area in taken_by])
    for row in frame[frame["name_zh"] != ""].to_dict("records"):
        is_lake = row["kind"] == "lake"
        at = _name_spots(row["geometry"], is_lake=is_lake)
        spots += [{**row, "geometry": one} for one in at if is_lake or one.distance(taken) > NAME_DEG]
    return named(gpd.GeoDataFrame(spots, columns=frame.columns, geometry="geometry", crs=CRS), language)


def _name_spots(shape: shapely.Geometry, *, is_lake: bool) -> list[shapely.Point]:
    parts = shapely.get_parts(shape)
    if is_lake:
        return [max(parts, key=lambda part: part.area).representative_point()]
    if not shape.area:
        whole = max(parts, key=lambda part: part.length)
        number = max(round(whole.length / RIVER_NAME_DEG), 1)
        return [whole.interpolate((at + 0.5) / number, normalized=True) for at in range(number)]
    west, south, east, north = shape.bounds
    number = max(round((east - west) / RIVER_NAME_DEG), 1)
    edges = [west + (east - west) * at / number for at in range(number + 1)]
    strips = [shapely.clip_by_rect(shape, a, south, b, north) for a, b in itertools.pairwise(edges)]
    return [max(shapely.get_parts(strip), key=lambda part: part.area).representative_point() for strip in strips]


def shapes(
    frame: gpd.GeoDataFrame, *, fill: list[str] | None = None, codes: bool = False, merge: bool = False
) -> dict[str, Any]:
    """GeoJSON without attributes but a fill or a code; `merge` joins lines into one feature: much faster to draw.

    Parameters
    ----------
    frame : GeoDataFrame
    fill : list of str, optional
        A colour a row.
    codes : bool
        Whether the rows' `code` goes along.
    merge : bool
        All lines as one feature, to about 20 metres.
    """
    parts = [shapely.union_all(frame.geometry.to_numpy())] if merge else frame.geometry.tolist()
    parts = [shapely.simplify(shapely.line_merge(shape), ROAD_DEG) for shape in parts] if merge else parts
    features = [
        {
            "type": "Feature",
            "properties": {"fill": fill[i]} if fill else {"code": frame["code"].iloc[i]} if codes else {},
            "geometry": json.loads(shapely.to_geojson(shapely.set_precision(shape, 1e-4))),
        }
        for i, shape in enumerate(parts)
    ]
    return {"type": "FeatureCollection", "features": features}


def named(frame: gpd.GeoDataFrame, language: Language) -> list[dict[str, Any]]:
    """Labels in the middle of shapes, with their names in the language."""
    middles = frame.geometry.representative_point()
    return [
        {"at": [round(at.y, 4), round(at.x, 4)], "p": {"title": name}}
        for at, name in zip(middles, frame[f"name_{language}"], strict=True)
    ]


def _city_names(layers: Layers, language: Language) -> list[dict[str, Any]]:
    """Cities by name where their seat is, or in the middle of their area; that of the anchors is the capital."""
    prefectures, places = layers.read("prefectures"), layers.read("geonames")
    seats = places[places["feature_code"].isin(("PPLA", "PPLA2"))].drop_duplicates("prefecture_code")
    seats = seats.set_index("prefecture_code").geometry
    spots = prefectures.geometry.representative_point()
    found = [seats.get(code, spot) for code, spot in zip(prefectures["code"], spots, strict=True)]
    column, (home, _) = f"name_{language}", cities_of(layers)
    names = {column: prefectures[column].map(city_name)}
    labels = named(prefectures.set_geometry(found, crs=CRS).assign(**names), language)
    for label, code in zip(labels, prefectures["code"], strict=True):
        label["p"] |= {"look": "city capital", "weight": 100} if code in home else {}
    return labels


def reach_layers(layers: Layers, study: Study | None, language: Language) -> list[dict[str, Any]]:
    """Bands of so many minutes from the R&D anchor by road, door to door; shown with a plan, and the roads it takes.

    Parameters
    ----------
    layers : Layers
    study : Study or None
        None draws around the R&D anchor of the layers, and no roads.
    language : {"zh", "en"}
    """
    words, style = WORDS[language], toml.table("style")
    anchor = study.anchor if study else layers.read("anchors").set_index("id").loc["future_city"]
    bands, tops = reach_bands(layers, anchor.geometry.x, anchor.geometry.y)
    colours = style["map"]["bands"]
    features = [
        {"type": "Feature", "properties": {"fill": fill}, "geometry": band}
        for band, fill in zip(bands, reversed(colours), strict=True)
    ]
    labels = [
        {"at": top, "p": {"title": f"{band} {words['minutes']}"}}
        for band, top in zip(reversed(BANDS_MIN), tops, strict=True)
    ]
    base: dict[str, Any] = {"group": words["reach"], "visible": study is not None, "legend": True}
    base["color"] = style["map"]["reach"]
    shown = [
        {**base, "key": "reach", "name": words["isochrones"], "kind": "area", "ramp": colours}
        | {"features": {"type": "FeatureCollection", "features": features}, **style["line"]["reach"]},
        {**base, "key": "reach_labels", "name": "", "kind": "label", "legend": False, "features": labels}
        | {"from_zoom": 8, "look": "minutes", "weight": 10, "of": "reach"},
    ]
    if study:
        places = study.sites.set_index("id").geometry[tables.assignment(study)["site"].unique()]
        lines = [route(study.region.network, study.anchor.geometry, place).line for place in places]
        ways = shapes(gpd.GeoDataFrame(geometry=lines, crs=CRS), merge=True)
        look = {"color": style["map"]["route"], "core": style["map"]["route_core"], **style["line"]["routes"]}
        about = {"key": "routes", "name": words["routes"], "group": words["plan"]}
        shown.append({**base, **about, **look, "kind": "line", "features": ways})
    return shown


@by_content("roads", *region.TIMED, "province", most=32)
def reach_bands(layers: Layers, lon: float, lat: float) -> tuple[list[dict[str, Any]], list[list[float]]]:
    """Bands between the limits of `reach` around a place, for display, the widest first; the northern tip of each.

    They are smooth and without small holes: good to about two kilometres.

    Parameters
    ----------
    layers : Layers
    lon, lat : float
        The place, degrees.
    """
    found = [_smooth(shape) for shape in reach(layers, lon, lat).values()]
    tops = [max(shapely.get_coordinates(shape).tolist(), key=lambda point: point[1]) for shape in found]
    inner = [*found[1:], shapely.MultiPolygon()]
    bands = [shapely.set_precision(one.difference(less), 1e-4) for one, less in zip(found, inner, strict=True)]
    return [json.loads(shapely.to_geojson(one)) for one in bands], [[round(y, 4), round(x, 4)] for x, y in tops]


SOFT_DEG = 0.012
"""Corners of bands are rounded, gaps and splinters closed, at about this size."""


def _smooth(shape: shapely.Geometry) -> shapely.Geometry:
    closed = shape.buffer(2 * SOFT_DEG).buffer(-3 * SOFT_DEG).buffer(SOFT_DEG)
    least = (6 * SOFT_DEG) ** 2
    parts = [
        shapely.Polygon(part.exterior, [hole for hole in part.interiors if shapely.Polygon(hole).area > least])
        for part in shapely.get_parts(closed)
        if part.area > least
    ]
    return shapely.union_all(parts).simplify(SOFT_DEG / 6)


@by_content("roads", *region.TIMED, "province", most=32)
def reach(layers: Layers, lon: float, lat: float) -> dict[int, shapely.MultiPolygon]:
    """What is within `BANDS_MIN` of a point by road, door to door.

    Parameters
    ----------
    layers : Layers
    lon, lat : float
        The point, degrees.

    Returns
    -------
    dict
        Minutes -> area in WGS84, the widest first.
    """
    network, calibration = region.travel(layers)
    at = gpd.GeoSeries([shapely.Point(lon, lat)], crs=CRS)
    driving = [(band - calibration.intercept_min) / calibration.factor for band in BANDS_MIN]
    areas = isochrones(network, at, within_min=driving, clip=layers.read("province").geometry.iloc[0])
    return dict(zip(reversed(BANDS_MIN), reversed(list(areas.geometry)), strict=True))


@by_content("anchors", "prefectures", "sites", most=8)
def cities_of(layers: Layers) -> tuple[list[str], list[str]]:
    """Prefectures of the anchors, and the others that have sites, those with a site nearest to an anchor first."""
    anchors, known = layers.read("anchors"), set(layers.read("prefectures")["code"])
    home = [code for code in dict.fromkeys(with_prefecture(anchors)["prefecture_code"]) if code in known]
    sites = with_prefecture(layers.read("sites"))
    km = pd.DataFrame(distance_km(sites.geometry, anchors.geometry)).min(axis=1).fillna(np.inf)
    near = km.groupby(sites["prefecture_code"].to_numpy()).min().sort_values(kind="stable").index
    return home, [code for code in near if code in known and code not in home]
