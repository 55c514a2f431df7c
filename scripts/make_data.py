"""Rebuild `data/geo` from pinned data packages and the tables of facts in `data/facts`.

::

    python scripts/make_data.py [OUT]      # OUT defaults to data/geo

The same packages and facts give the same bytes; nothing is downloaded. What it makes:

- boundaries (`boundaries.py`), networks (`networks.py`) and water (`water.py`), out of data packages;
- points: tables of facts, each point checked against the county it is said to lie in;
- rows: tables of facts without a place of their own;
- observations: facts with low, likely and high, and what follows from the tables;
- the publisher of each row's sources, from `publishers.csv`; a source of nobody stops the build;
- `sources.toml`: what `data/facts/layers.toml` declares of each layer, and what the files themselves say.

A fact that contradicts the map stops the build. What is corrected on purpose says so in its `notes`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import airportsdata
import numpy as np
import pandas as pd
import pyproj
import shapely
import tomli_w
from boundaries import make_boundaries
from networks import make_networks
from water import make_water

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT / "data" / "facts"
GEOD = pyproj.Geod(ellps="WGS84")

POINT_LAYERS = ("chain", "anchors", "power_plants", "substations", "stations", "airports", "ports", "geonames")
SHAPES = {"roads": "LineString", "railways": "LineString", "water": "any"}
POINT_LAYERS += ("demand", "outside", "clusters", "park_land")
ROW_LAYERS = ("reference_projects", "siting_decisions", "durations", "progress", "targets", "electricity_use")
ROW_LAYERS += ("land_deals", "zone_changes", "grid_lines", "rules")
SOURCE_COLUMNS = ["source", "source_class", "publisher", "source_is_copy", "confidence", "as_of", "notes"]

CATALOGUE = "中国开发区审核公告目录（2018年版）"
# Beyond this a geocode of the catalogue gives way to the anchor of the site that it belongs to.
GEOCODE_TOLERANCE_KM = 3.0
GEOCODE_UNCERTAINTY_M = {"住宅区": "3000", "兴趣点": "3000", "区县": "5000", "未知": "5000"}


def read_facts(name: str) -> pd.DataFrame:
    """A table of facts, every cell as it is written, so that figures keep their digits."""
    return pd.read_csv(FACTS / f"{name}.csv", dtype=str, keep_default_na=False)


def put_sources_last(table: pd.DataFrame) -> pd.DataFrame:
    """The same table, the columns that say where a row comes from at its end."""
    last = [column for column in SOURCE_COLUMNS if column in table]
    return table[[column for column in table if column not in SOURCE_COLUMNS] + last]


@dataclass(frozen=True)
class Publishers:
    """Who published a source: `publishers.csv`, by the start of an address or of the text that stands for one."""

    by_start: dict[str, tuple[str, str]]

    @classmethod
    def read(cls) -> Publishers:
        """Those of `data/facts`."""
        rows = read_facts("publishers")
        if rows["host"].duplicated().any() or not rows["is_copy"].isin(("yes", "no", "unknown")).all():
            msg = "publishers: a host twice, or is_copy other than yes, no, unknown"
            raise SystemExit(msg)
        return cls(dict(zip(rows["host"], zip(rows["publisher_zh"], rows["is_copy"], strict=True), strict=True)))

    def of(self, source: str) -> tuple[str, str]:
        """Publisher and whether it is a copy (yes, no, unknown) of one source; empty where nobody is known."""
        start = re.sub(r"^https?://(www\.)?", "", source)
        fits = [key for key in self.by_start if start.startswith(key)]
        if start != source:  # a host ends where its name ends
            fits = [key for key in fits if "/" in key or start[len(key) : len(key) + 1] in ("", "/", "?", ":")]
        return self.by_start[max(fits, key=len)] if fits else ("", "")

    def name(self, layer: str, table: pd.DataFrame) -> pd.DataFrame:
        """Set `publisher` and `source_is_copy` where the facts leave them empty; a copy among several makes a row one.

        Parameters
        ----------
        layer : str
            Its name, for the message.
        table : DataFrame
            With `source`: one or more, joined by ` ; `.
        """
        table = table.assign(**{column: table.get(column, "") for column in ("publisher", "source_is_copy")})
        sources = table["source"].map(lambda cell: [part.strip() for part in cell.split(" ; ")])
        found = {source: self.of(source) for source in {part for parts in sources for part in parts}}
        stated = (table["publisher"] != "") & (table["source_is_copy"] != "")
        nobody = sorted({part for parts in sources[~stated] for part in parts if not found[part][0]})
        if nobody:
            msg = f"{layer}: publishers.csv names no publisher of {nobody}"
            raise SystemExit(msg)
        names = sources.map(lambda parts: "；".join(dict.fromkeys(filter(None, (found[part][0] for part in parts)))))
        copies = sources.map(lambda parts: {found[part][1] for part in parts})
        copy = copies.map(lambda kinds: next((kind for kind in ("yes", "unknown", "no") if kind in kinds), ""))
        table["publisher"] = table["publisher"].where(table["publisher"] != "", names)
        table["source_is_copy"] = table["source_is_copy"].where(table["source_is_copy"] != "", copy)
        return put_sources_last(table)


def distance_km(a: pd.DataFrame, b: pd.DataFrame) -> np.ndarray:
    """Geodesic distances (A, B) in km between all rows of two tables with `lon` and `lat`."""
    (lon1, lat1), (lon2, lat2) = (table[["lon", "lat"]].astype(float).to_numpy().T for table in (a, b))
    shape = len(a), len(b)
    pairs = [np.broadcast_to(values, shape) for values in (lon1[:, None], lat1[:, None], lon2, lat2)]
    return GEOD.inv(*pairs)[2] / 1000


@dataclass(frozen=True)
class Counties:
    """The counties' table and polygons, to find where a point lies."""

    table: pd.DataFrame
    polygons: np.ndarray

    def locate(self, name: str, points: pd.DataFrame) -> pd.DataFrame:
        """Set `prefecture_code` and `county_code` from the map; empty outside Hubei, as claimed without coordinates."""
        geometry = shapely.points(pd.to_numeric(points["lon"]), pd.to_numeric(points["lat"]))
        point, county = shapely.STRtree(self.polygons).query(geometry, predicate="intersects")
        found = {column: np.full(len(points), "", dtype=object) for column in ("prefecture_code", "county_code")}
        found["prefecture_code"][point] = self.table["prefecture_code"].to_numpy()[county]
        found["county_code"][point] = self.table["code"].to_numpy()[county]
        nowhere = (points["lon"] == "").to_numpy()
        claims = points.reindex(columns=list(found), fill_value="")
        county = claims["county_code"].map(self.table.set_index("code")["prefecture_code"])
        claims["prefecture_code"] = claims["prefecture_code"].where(claims["prefecture_code"] != "", county.fillna(""))
        for column, code in found.items():
            claimed = claims[column].to_numpy()
            code[nowhere] = claimed[nowhere]
            wrong = points.loc[(claimed != "") & (claimed != code)]
            if len(wrong):
                msg = f"{name}: {column} contradicts the point in rows {wrong.iloc[:, 0].tolist()}"
                raise SystemExit(msg)
        return put_sources_last(points.assign(**found))


def make_dev_zones() -> pd.DataFrame:
    """The catalogue's zones, each with its site; a geocode far from the site's anchor is replaced by it."""
    zones = read_facts("dev_zones").assign(source=f"{CATALOGUE} ; map-service geocode of the name", site_id="")
    zones = zones.assign(source_class="b", confidence="high", as_of="2018", coord_basis="map-service geocode")
    zones["coord_uncertainty_m"] = zones["geocode_precision_zh"].map(GEOCODE_UNCERTAINTY_M)
    sites = read_facts("sites")
    for site in sites[sites["catalogue_code"] != ""].to_dict("records"):
        row = zones.index[zones["code"] == site["catalogue_code"]].item()
        zone = zones.loc[row]
        km = distance_km(zones.loc[[row]], pd.DataFrame([site])).item()
        moved = km > GEOCODE_TOLERANCE_KM and not zone["keep_geocode"]
        if moved:
            position = ["lon", "lat", "coord_uncertainty_m"]
            zones.loc[row, position] = [site[column] for column in position]
            zones.loc[row, "coord_basis"] = f"anchor of site {site['id']}"
        note = f"地理编码({zone['lon']},{zone['lat']})与候选园区 {site['id']} 锚点相距{km:.1f} km，"
        note += "已改用后者" if moved else "保留原编码"
        zones.loc[row, ["site_id", "notes"]] = [site["id"], "；".join(filter(None, [note, zone["notes"]]))]
    changed = zones["change_source"] != ""
    zones.loc[changed, "source"] += " ; " + zones.loc[changed, "change_source"]
    return zones.drop(columns=["seq", "geocode_precision_zh", "keep_geocode", "change_source"])


def make_sites(tables: dict[str, pd.DataFrame], names: pd.Series) -> pd.DataFrame:
    """Candidate sites with what the catalogue says of them, and straight distances."""
    sites = read_facts("sites")
    inside = sites["zone_id"] != ""
    hosted = sites["site_class"].isin(["park_in_zone", "standard_factory"])
    if (inside != hosted).any() or not sites.loc[inside, "zone_id"].isin(sites.loc[~inside, "id"]).all():
        msg = "sites: a park inside a zone or a standard factory, and it alone, names its zone in zone_id"
        raise SystemExit(msg)
    zone = tables["dev_zones"].set_index("code").reindex(sites["catalogue_code"]).fillna("")
    sites["catalogue_name"] = zone["name_zh"].to_numpy()
    sites["catalogue_level"] = zone["level"].to_numpy()
    sites["catalogue_year"] = np.where(sites["catalogue_code"] == "", "", "2018")
    sites["approved_ha"] = zone["approved_ha"].to_numpy()
    sites["catalogue_industries_zh"] = zone["industries_zh"].to_numpy()
    sites["prefecture_zh"] = sites["prefecture_code"].map(names)
    sites["county_zh"] = sites["county_code"].map(names)

    start = tables["anchors"].query("id == 'future_city'")
    sites["straight_km_future_city"] = distance_km(sites, start)[:, 0].round(1).astype(str)
    airports = tables["airports"].query("status == 'operating'")
    km = distance_km(sites, airports)
    sites["nearest_airport"] = airports["id"].to_numpy()[km.argmin(axis=1)]
    sites["straight_km_airport"] = km.min(axis=1).round(1).astype(str)
    return sites


def make_observations(sites: pd.DataFrame) -> pd.DataFrame:
    """The facts, with those for `each` site with land, and the catalogue's approved areas where a site has no other."""
    facts = read_facts("observations")
    is_each, with_land = facts["site_id"] == "each", sites.loc[sites["site_class"] != "standard_factory", "id"]
    repeated = facts[is_each].drop(columns="site_id").merge(with_land.rename("site_id"), how="cross")
    key = ["site_id", "attribute"]
    repeated = repeated[~repeated.set_index(key).index.isin(facts.set_index(key).index)]
    newer = facts.loc[facts["attribute"] == "approved_ha", "site_id"]  # approved since the catalogue
    zoned = sites[(sites["approved_ha"] != "") & ~sites["id"].isin(newer)]
    area = dict.fromkeys(("low", "likely", "high"), zoned["approved_ha"])
    approved = pd.DataFrame({"site_id": zoned["id"], **area}).assign(
        attribute="approved_ha",
        unit="ha",
        basis="published",
        source=CATALOGUE,
        source_class="b",
        confidence="high",
        as_of="2018",
        notes="核准面积是法定范围，不是可用地；其后可能扩区调区",
    )
    rows = pd.concat([approved, facts[~is_each], repeated])[facts.columns]
    return rows.sort_values(["site_id", "attribute"], kind="stable", ignore_index=True)


def check_airports(airports: pd.DataFrame) -> None:
    """Stop where a position is not the data package's, unless its row names another basis."""
    package = airportsdata.load("ICAO")
    for airport in airports[airports["coord_basis"].str.startswith("airportsdata")].itertuples():
        known = package[airport.id]
        if not np.allclose([float(airport.lon), float(airport.lat)], [known["lon"], known["lat"]], atol=1e-5):
            msg = f"airports: {airport.id} is not where the data package has it"
            raise SystemExit(msg)


def write_geojson(path: Path, table: pd.DataFrame, geometry: np.ndarray) -> None:
    """RFC 7946, one feature a line: longitude first, outer rings counter-clockwise."""
    features = (
        {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}
        for properties, shape in zip(table.to_dict("records"), shapely.orient_polygons(geometry), strict=True)
    )
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', encoding="utf-8", newline="\n")


def describe(path: Path, rows: int, geometry: str) -> dict[str, str | int]:
    """What the registry says of a file beyond what a person declared."""
    return {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "rows": rows,
        "crs": "" if geometry == "none" else "EPSG:4326",
        "geometry": geometry,
        "made_by": "scripts/make_data.py",
    }


def main(out: Path) -> None:
    """Make every layer and the registry in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    boundaries = make_boundaries(read_facts("divisions").set_index("code")["name_en"])
    province = boundaries["province"][1][0]
    shapes = boundaries | make_networks(province) | make_water(province, read_facts("water"))
    counties = Counties(*boundaries["counties"])
    divisions = pd.concat([table for table, _ in boundaries.values()]).drop_duplicates("code").set_index("code")

    tables = {name: read_facts(name) for name in POINT_LAYERS} | {"dev_zones": make_dev_zones()}
    check_airports(tables["airports"])
    tables["sites"] = make_sites(tables, divisions["name_zh"])
    tables = {name: counties.locate(name, table) for name, table in tables.items()}
    tables |= {name: read_facts(name) for name in ROW_LAYERS}
    tables["observations"] = make_observations(tables["sites"])
    publishers = Publishers.read()
    tables = {name: publishers.name(name, table) for name, table in tables.items()}
    shapes = {name: (publishers.name(name, table), geometry) for name, (table, geometry) in shapes.items()}

    declared = tomllib.loads((FACTS / "layers.toml").read_text(encoding="utf-8"))["layers"]
    if declared.keys() != shapes.keys() | tables.keys():
        msg = f"layers.toml and the layers made differ: {sorted(declared.keys() ^ (shapes.keys() | tables.keys()))}"
        raise SystemExit(msg)
    registry = {}
    for name, (table, geometry) in shapes.items():
        path = out / f"{name}.geojson"
        write_geojson(path, table, geometry)
        kind = SHAPES.get(name, "Polygon")
        registry[name] = {"file": path.name, **declared[name], **describe(path, len(table), kind)}
    for name, table in tables.items():
        path = out / f"{name}.csv"
        table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        kind = "Point" if "lon" in table else "none"
        registry[name] = {"file": path.name, **declared[name], **describe(path, len(table), kind)}
    head = "# Written by scripts/make_data.py from data/facts/layers.toml and the files beside it. Do not edit.\n\n"
    (out / "sources.toml").write_text(head + tomli_w.dumps({"layers": registry}), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "data" / "geo")
