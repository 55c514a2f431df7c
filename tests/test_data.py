"""What is shipped in `data/geo` is whole, says where it comes from, and agrees with itself and with the map."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import prcoords
import pyproj
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo_cluster.supply.substations import transformers
from geo_cluster.world.layers import Layers, check_all

ROOT = Path(__file__).resolve().parents[1]
GEO = ROOT / "data" / "geo"
REGISTRY = tomllib.loads((GEO / "sources.toml").read_text(encoding="utf-8"))["layers"]
GEOD = pyproj.Geod(ellps="WGS84")

ROWS = {
    "province": 1,
    "prefectures": 17,
    "counties": 103,
    "chain": 107,
    "sites": 33,
    "dev_zones": 31,
    "power_plants": 26,
    "substations": 25,
    "stations": 15,
    "airports": 19,
    "geonames": 65,
    "reference_projects": 79,
    "demand": 72,
    "outside": 73,
    "clusters": 32,
    "siting_decisions": 66,
    "durations": 18,
    "progress": 37,
    "targets": 53,
    "electricity_use": 16,
    "park_land": 53,
    "land_deals": 27,
    "zone_changes": 9,
    "grid_lines": 13,
    "rules": 206,
}
POINTS = [name for name, layer in REGISTRY.items() if layer["geometry"] == "Point"]
TABLES = [name for name, layer in REGISTRY.items() if layer["geometry"] == "none"]
SOURCED = [*POINTS, *TABLES, "province", "prefectures", "counties", "roads", "railways"]
CHINESE_ONLY = {"demand", "outside", "clusters", "park_land"}
CONFIDENCE = {"high", "medium-high", "medium", "medium-low", "low-medium", "low", "very low"}
VOCABULARY = {
    ("sites", "fit_grade"): {"A", "B", "B-", "C", "D", "X"},
    ("dev_zones", "kind"): {"etdz", "hightech", "customs", "edz", "industrial_park"},
    ("power_plants", "status"): {"operating", "planned", "under_construction", "unknown"},
    ("airports", "status"): {"operating", "military", "under_construction"},
    ("stations", "passenger_service"): {"yes", "no", "unknown"},
}
"""Columns of few words that the contract doesn't declare, as only the data's makers read them."""


def read(name):
    path = GEO / REGISTRY[name]["file"]
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    return gpd.read_file(path)


@pytest.fixture(scope="module")
def counties():
    return read("counties")


@pytest.fixture(scope="module")
def roads():
    return Network(read("roads"))


class Network:
    """A network layer as a graph."""

    def __init__(self, edges):
        self.edges = edges
        self.ends = edges[["u", "v"]].to_numpy()
        self.xy = np.full((self.ends.max() + 1, 2), np.nan)
        line = shapely.get_coordinates(edges.geometry).reshape(-1, 2, 2)
        self.xy[self.ends[:, 0]], self.xy[self.ends[:, 1]] = line[:, 0], line[:, 1]
        self.km = edges["length_km"].to_numpy()

    def graph(self, weight):
        size = len(self.xy)
        return coo_array((weight, self.ends.T), shape=(size, size)).tocsr()

    def nearest(self, lon, lat):
        """Nearest node, and the km to it off the network: 1.3 times the straight line."""
        size = len(self.xy)
        km = GEOD.inv(np.full(size, lon), np.full(size, lat), *self.xy.T)[2] / 1000
        return km.argmin(), 1.3 * km.min()

    def trip(self, start, end):
        """Kilometres and minutes by the quickest way, 40 km/h off the network, 5 min to leave and park."""
        (a, off_a), (b, off_b) = self.nearest(*start), self.nearest(*end)
        minutes = self.km / self.edges["speed_kmh"].to_numpy() * 60
        time, before = dijkstra(self.graph(minutes), directed=False, indices=a, return_predecessors=True)
        length = self.graph(self.km)
        length = length + length.T
        km, node = off_a + off_b, b
        while before[node] >= 0:
            km += length[node, before[node]]
            node = before[node]
        return km, time[b] + (off_a + off_b) / 40 * 60 + 5


# --- the registry -------------------------------------------------------------------------------------


def test_files_keep_their_hashes_contracts_and_places():
    """What `geo-cluster check-data` checks: registry, hashes, columns, vocabularies, identifiers, counties."""
    assert check_all(Layers()) == []


@pytest.mark.parametrize("name", REGISTRY)
def test_files_are_small_and_end_their_lines_alike(name):
    data = (GEO / REGISTRY[name]["file"]).read_bytes()
    assert b"\r" not in data
    assert len(data) < 4_000_000


@pytest.mark.parametrize("name", REGISTRY)
def test_registry_entry_is_complete(name):
    layer = REGISTRY[name]
    texts = "file title_zh title_en producer licence licence_url attribution_zh attribution_en retrieved as_of notes"
    assert [key for key in texts.split() if not layer[key]] == []
    assert re.search(r"[\u4e00-\u9fff]", layer["notes_zh"])
    assert not re.search(r"[\u4e00-\u9fff]", layer["producer"] + layer["licence"]), "in English; Chinese is beside it"
    assert layer["urls"]
    assert layer["crs"] == ("" if layer["geometry"] == "none" else "EPSG:4326")
    assert layer["made_by"] == "scripts/make_data.py"


def test_licence_note_names_every_layer():
    note = (ROOT / "LICENSE-DATA.md").read_text(encoding="utf-8")
    assert [name for name in REGISTRY if f"`{name}`" not in note] == []


@pytest.mark.slow
def test_rebuilding_gives_the_same_bytes(tmp_path):
    subprocess.run([sys.executable, ROOT / "scripts" / "make_data.py", tmp_path], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shipped = {path.name: path.read_bytes() for path in GEO.iterdir()}
    assert [name for name in shipped.keys() | made.keys() if shipped.get(name) != made.get(name)] == []


# --- rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), ROWS.items())
def test_no_row_is_lost(name, count):
    assert len(read(name)) == count


@pytest.mark.parametrize("name", SOURCED)
def test_every_row_says_where_it_comes_from(name):
    table = read(name)
    assert (table["source"] != "").all()
    assert table["source_class"].str.fullmatch(r"[abc](\+[abc]){0,2}").all()
    assert set(table["confidence"]) <= CONFIDENCE
    assert table["as_of"].str.fullmatch(r"\d{4}(-\d{2}){0,2}|未载").all()
    assert (table["publisher"].str.strip() != "").all()
    assert set(table["source_is_copy"]) <= {"yes", "no", "unknown"}
    assert "notes" in table


def test_publishers_are_found_by_the_longest_start(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    make_data = importlib.import_module("make_data")
    known = make_data.Publishers({"a.cn": ("甲", "no"), "a.cn/copy": ("乙", "yes"), "GeoNames": ("GeoNames", "no")})
    cells = [
        "https://www.a.cn/p/1",
        "http://a.cn/copy/2",
        "GeoNames 7905757 ; http://a.cn",
        "http://a.cn/copy ; http://a.cn",
    ]
    table = pd.DataFrame(
        {"source": [*cells, "elsewhere"], "publisher": [""] * 4 + ["丙"], "source_is_copy": [""] * 4 + ["no"]}
    )
    named = known.name("x", table)
    assert named["publisher"].tolist() == ["甲", "乙", "GeoNames；甲", "乙；甲", "丙"]
    assert named["source_is_copy"].tolist() == ["no", "yes", "no", "yes", "no"]
    with pytest.raises(SystemExit, match=r"a\.cnx"):  # another host, which begins alike
        known.name("x", pd.DataFrame({"source": ["http://a.cnx/1"]}))


@pytest.mark.parametrize("name", sorted({*POINTS, "province", "prefectures", "counties"} - CHINESE_ONLY))
def test_names_are_in_both_languages(name):
    table = read(name)
    assert table["name_zh"].str.contains(r"[\u4e00-\u9fff]").all()
    assert not table["name_en"].str.contains(r"[\u4e00-\u9fff]").any()
    assert (table["name_en"].str.len() > 2).all()
    assert not table["name_en"].str.contains(r"verify|pinyin").any()


@pytest.mark.parametrize(("place", "allowed"), VOCABULARY.items())
def test_vocabulary_is_closed(place, allowed):
    name, column = place
    assert set(read(name)[column]) <= allowed


# --- the chain, sites and the catalogue ---------------------------------------------------------------


def test_stages_of_research_and_parks_are_support():
    chain = read("chain")
    research = chain["kind"].isin(["lab", "university", "platform", "park"])
    assert set(chain.loc[research, "stage"]) == {"support"}


def test_the_policy_names_what_it_names():
    clauses = read("chain").set_index("id")["policy_clauses"]
    assert clauses[["F01", "F02", "F07", "F13", "F14", "F18", "F71"]].tolist() == [
        "1;14",
        "3;4",
        "14;19",
        "14;19",
        "15",
        "3",
        "1;7",
    ]


def test_what_no_source_places_has_no_coordinates():
    chain = read("chain").set_index("id")
    nowhere = chain[chain["lon"] == ""]
    assert {"F10", "F11", "F18", "F20", "F21", "F22", "F23", "F24", "M05", "M29"} <= set(nowhere.index)
    assert (nowhere[["lat", "coord_uncertainty_m", "county_code"]] == "").all(axis=None)
    assert set(nowhere["coord_basis"]) == {"unknown"}
    assert nowhere.loc["F18", "prefecture_code"] == ""
    assert nowhere.loc[["M05", "M11", "M27"], "prefecture_code"].tolist() == ["420700", "420900", "420100"]
    assert not chain["notes"].str.contains("位置不明").where(chain["lon"] != "", other=False).any()


def test_a_point_of_a_district_covers_the_district():
    chain = read("chain")
    anchored = chain[
        chain["coord_basis"].str.startswith("district anchor") & chain["address_zh"].isin(["", "地址来源未写"])
    ]
    east_lake = anchored["coord_basis"].str.contains("East Lake High-tech Zone")
    assert east_lake.sum() >= 10
    assert set(anchored.loc[east_lake, "coord_uncertainty_m"]) == {"20000"}
    assert (anchored["coord_uncertainty_m"].astype(int) >= 6000).all()


def test_corrections_are_in_the_chain():
    chain = read("chain").set_index("id")
    assert chain.loc["F68", ["revenue_100m_yuan", "segments"]].tolist() == ["17.82", "cnc_system"]
    assert "华容区" in chain.loc["F68", "prefecture_sites_zh"]
    assert chain.loc["F45", ["revenue_100m_yuan", "county_code"]].tolist() == ["2.75", "420102"]
    assert "47652" in chain.loc["F08", "notes"]
    assert "2#厂房" in chain.loc["F26", "address_zh"]
    assert chain.loc[["M05", "F39", "F44"], "segments"].str.split(";").str[0].tolist() == [
        "semiconductor_laser",
        "solid_state_laser",
        "gas_laser",
    ]


def test_parks_inside_zones_name_them():
    sites = read("sites").set_index("id")
    inside = sites[sites["site_class"] == "park_in_zone"]
    assert inside["zone_id"].to_dict() == {"H02": "H01", "E02": "E01"}
    factories = sites[sites["site_class"] == "standard_factory"]
    assert factories["zone_id"].to_dict() == {"H10F": "H10", "E01F": "E01", "E05F": "E05", "S06F": "S06"}
    assert set(sites.index[sites["zone_id"] != ""]) == {*inside.index, *factories.index}


def test_a_standard_factory_has_a_floor_that_a_source_states_and_no_land():
    known = read("observations").set_index(["site_id", "attribute"])
    for factory in read("sites").query("site_class == 'standard_factory'")["id"]:
        floor = known.loc[(factory, "factory_floor_m2")]
        assert floor["basis"] == "published"
        stated = read("park_land").query("standard_factory_m2 != ''").set_index("source")["standard_factory_m2"]
        assert floor["likely"] == stated[floor["source"]]
        assert not {"land_price_10k_yuan_per_mu", "approved_ha"} & set(known.loc[factory].index)


def test_constraints_say_whether_they_were_looked_into():
    sites = read("sites").set_index("id")
    assert set(sites["constraints_checked"]) <= {"yes", "partly", "no"}
    assert (sites["constraints_checked_note_zh"] != "").all()
    assert set(sites.loc[sites["constraints"] == "", "constraints_checked"]) <= {"no"}
    assert "not_manufacturing" not in sites.loc["E06", "constraints"]


def test_the_park_north_of_the_river_is_there():
    park = read("sites").set_index("id").loc["H10"]
    assert (park["lon"], park["lat"], park["county_code"]) == ("115.1451", "30.2400", "420202")
    assert float(park["straight_km_airport"]) == pytest.approx(15.8, abs=0.1)
    assert {"exclave", "wetland"} <= set(park["constraints"].split(";"))


def test_no_site_twice():
    sites = read("sites")
    coded = sites.loc[sites["catalogue_code"] != "", "catalogue_code"]
    assert sites["name_zh"].is_unique
    assert coded.is_unique
    land = sites[sites["site_class"] != "standard_factory"]  # these stand where their zone does
    assert not land.duplicated(["lon", "lat"]).any()


def test_catalogue_and_sites_point_at_each_other():
    sites, zones = read("sites"), read("dev_zones")
    both = sites.merge(zones, left_on="catalogue_code", right_on="code", suffixes=("", "_of_zone"))
    assert (both["id"] == both["site_id"]).all()
    assert (both["approved_ha"] == both["approved_ha_of_zone"]).all()
    assert set(both["code"]) == set(zones.loc[~zones["prefecture_code"].isin(["420100"]), "code"])
    assert (sites.loc[~sites["id"].isin(both["id"]), ["approved_ha", "catalogue_name", "catalogue_year"]] == "").all(
        axis=None
    )


def test_approved_areas_of_the_catalogue():
    area = read("sites").set_index("id")["approved_ha"]
    known = {"H01": 1872.57, "H04": 744.18, "E01": 731.34, "E05": 370.91, "S01": 2002.97, "S04": 65.36, "S07": 22.89}
    assert area[list(known)].astype(float).to_dict() == known
    assert read("dev_zones")["approved_ha"].astype(float).sum() == pytest.approx(19_339.06)


def test_a_corrected_geocode_says_how_far_it_was_off():
    zones = read("dev_zones")
    moved = zones["coord_basis"].str.startswith("anchor of site")
    assert moved.sum() == 6
    off = zones.loc[moved, "notes"].str.extract(r"相距([\d.]+) km，已改用后者")[0].astype(float)
    assert (off > 3).all()
    kept = zones.loc[~moved & (zones["site_id"] != ""), "notes"].str.extract(r"相距([\d.]+) km，保留原编码")[0]
    assert (kept.astype(float) > 3).sum() == 1  # S427018, which GeoNames confirms


# --- points -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POINTS)
def test_points_have_a_basis_and_an_uncertainty(name):
    table = read(name)
    table = table[table["lon"] != ""]
    assert table["lon"].str.fullmatch(r"\d{3}(\.\d{1,6})?").all()
    assert table["lat"].str.fullmatch(r"\d{2}(\.\d{1,6})?").all()
    assert (table["coord_basis"] != "").all()
    assert table["coord_uncertainty_m"].astype(int).between(100, 35_000).all()


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("chain", "district_zh"),
        ("substations", "location_zh"),
        ("dev_zones", "name_zh"),
        ("demand", "city_zh"),
        ("park_land", "city_zh"),
    ],
)
def test_points_lie_in_the_prefecture_that_the_text_names(name, column):
    # a row that names two prefectures, or none, is bound by neither
    prefectures = {"武汉": "420100", "黄石": "420200", "十堰": "420300", "襄阳": "420600", "鄂州": "420700"}
    table = read(name)
    named = table[column].map(lambda text: [code for city, code in prefectures.items() if city in text])
    one = named.map(len) == 1
    assert one.mean() > 0.6
    assert (table.loc[one, "prefecture_code"] == named[one].str[0])[table.loc[one, "prefecture_code"] != ""].all()


@pytest.mark.parametrize(
    ("name", "column", "elsewhere"),
    [
        ("chain", "district_zh", {"F74", "F75", "F81", "F82"}),  # 铁山区 runs a town that belongs to 大冶市
        ("substations", "location_zh", set()),
        ("dev_zones", "name_zh", {"S427006"}),  # a geocode of 武昌 in 洪山, and nothing better
        ("airports", "name_zh", set()),
        ("park_land", "county_zh", set()),
        (
            "demand",
            "county_zh",
            {"D04", *(f"D{n:02}" for n in range(6, 16)), "D23", "D25", "D34", "D37", "D41", "D63", "D70"},
        ),
    ],
)
def test_points_lie_in_the_county_that_the_text_names(name, column, elsewhere, counties):
    table = read(name).set_index(read(name).columns[0])
    table = table[table["county_code"] != ""]
    short = {
        code: zh if len(zh) == 2 else zh[:-1] for code, zh in zip(counties["code"], counties["name_zh"], strict=True)
    }
    named = table[column].map(lambda text: {code for code, zh in short.items() if zh in text.replace("武汉", "")})
    apart = [i for i in table.index if named[i] and table.loc[i, "county_code"] not in named[i]]
    assert (named.map(len) > 0).any()
    assert set(apart) == elsewhere
    assert table.loc[apart, "notes"].str.contains("法定界|未改正").all()


@pytest.mark.parametrize(("letter", "code"), [("H", "420200"), ("E", "420700"), ("S", "420300")])
def test_sites_lie_in_their_prefecture(letter, code):
    sites = read("sites")
    assert set(sites.loc[sites["id"].str.startswith(letter), "prefecture_code"]) == {code}


def test_straight_distances_are_those_of_the_points():
    sites = read("sites").set_index("id")
    km = sites["straight_km_future_city"].astype(float)
    published = {"E01": 11.6, "E06": 9.2, "H01": 64.9, "H03": 80.0, "H08": 97.9, "S01": 415.7, "S08": 499.8}
    assert km[list(published)].to_numpy() == pytest.approx(list(published.values()), rel=0.01)
    assert sites.loc[["E04", "S03", "S08"], "nearest_airport"].tolist() == ["ZHEC", "ZHSY", "ZLAK"]


def test_the_start_of_travel_is_the_located_address():
    # 高新大道999号 was located in GCJ-02 and converted
    start = read("anchors").set_index("id").loc["future_city"]
    lat, lon = prcoords.gcj_wgs_bored((30.491428, 114.539352))
    assert GEOD.inv(lon, lat, float(start["lon"]), float(start["lat"]))[2] < 30


def test_the_base_has_an_area_but_no_shape():
    base = read("anchors").set_index("id").loc["base"]
    assert float(base["area_ha"]) == 3600 / 15


def test_installed_and_final_capacity_and_rating_are_kept_apart():
    substations = read("substations").set_index("id")
    mva = substations["transformer_mva"]
    assert mva[mva != ""].to_dict() == {"G01": "6000", "G10": "480", "G14": "2000", "G23": "180"}
    assert substations.index[substations["final_mva"] != ""].tolist() == ["G01", "G09"]
    assert substations["rated_mw"][substations["rated_mw"] != ""].to_dict() == {"G02": "8000"}, (
        "MW of a DC link, no MVA"
    )
    assert substations["voltage_kv"].astype(int).isin([110, 220, 500, 800, 1000]).all()
    listed = substations["transformers_mva"]
    for one in listed.index[listed != ""]:
        assert sum(transformers(listed[one])) == float(mva[one])


def test_what_is_in_service_and_what_is_planned_are_kept_apart():
    stations = read("substations").set_index("id")
    for column in ("in_service_from", "planned_from"):
        assert stations[column].str.fullmatch(r"(\d{4}(-\d{2}){0,2})?").all()
    begun, planned = (set(stations.index[stations[column] != ""]) for column in ("in_service_from", "planned_from"))
    assert not begun & planned
    assert (stations.loc[sorted(begun), "status"] == "operating").all()
    assert (stations.loc[sorted(planned), "status"] != "operating").all()
    assert stations.loc["G02", ["in_service_from", "status"]].tolist() == ["2025-12-18", "operating"]
    assert "2025-09-03" in stations.loc["G02", "notes"], "its first stage"
    assert stations.loc["G10", ["status", "planned_from", "in_service_from"]].tolist() == ["unknown", "2026-06-30", ""]
    unknown = stations[stations["status"] == "unknown"]
    assert (unknown["last_reported_zh"] != "").all(), "what was last seen of a station that may serve or not"
    assert (stations["feeds_zh"] != "").all()


def test_two_rows_that_may_be_one_station_name_each_other():
    same = read("substations").set_index("id")["possibly_same_as"]
    assert same[same != ""].to_dict() == {"G05": "G09", "G09": "G05"}


def test_a_site_has_the_stations_whose_source_names_it():
    stations, sites = read("substations").set_index("id"), read("sites").set_index("id")
    fed = stations["feeds_sites"].str.split(";").explode()
    named = fed[fed != ""].reset_index().groupby("feeds_sites")["id"].agg(";".join)
    assert sites["stations"].to_dict() == named.reindex(sites.index, fill_value="").to_dict()
    # the only link that a source backs: 葛华、红莲湖片区 are where these sites lie
    assert set(named.index) == {"E01", "E02", "E06", "E09"}
    assert stations.loc[fed[fed != ""].index, "voltage_kv"].astype(int).between(110, 220).all()


@pytest.mark.parametrize("name", POINTS)
def test_what_no_source_locates_has_no_point_and_says_why(name):
    table = read(name)
    nowhere = table["lon"] == ""
    assert (nowhere == (table["lat"] == "")).all()
    assert (table.loc[nowhere, "coord_uncertainty_m"] == "").all()
    if name in ("substations", "power_plants"):
        assert table.loc[nowhere, "coord_basis"].str.contains("来源").all()
        assert not table["coord_basis"].str.contains("guess|background").any()


def test_guessed_stations_have_lost_their_points():
    stations = read("substations").set_index("id")
    names = ["磁湖", "光谷", "高新", "凤凰山", "钢都", "鄂州首座", "十堰500", "鸭儿湖", "蒲团", "黄石1000", "卧龙"]
    for name in names:
        (row,) = stations[stations["name_zh"].str.startswith(name)].to_dict("records")
        assert (row["lon"], row["lat"], row["coord_uncertainty_m"]) == ("", "", ""), name


def test_a_claimed_county_holds_where_there_is_no_point(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    make_data = importlib.import_module("make_data")
    square = shapely.box(114, 30, 115, 31)
    table = pd.DataFrame({"code": ["420703"], "prefecture_code": ["420700"]})
    counties = make_data.Counties(table, np.array([square]))
    columns = ["id", "county_code", "lon", "lat", "source", "source_class", "confidence", "as_of", "notes"]
    rows = pd.DataFrame([["A", "420703", "", ""], ["B", "", "114.5", "30.5"], ["C", "", "", ""]], columns=columns[:4])
    rows = rows.reindex(columns=columns, fill_value="")
    found = counties.locate("x", rows)
    assert found["county_code"].tolist() == ["420703", "420703", ""]
    assert found["prefecture_code"].tolist() == ["420700", "420700", ""]
    rows.loc[1, "county_code"] = "420704"
    with pytest.raises(SystemExit, match="contradicts"):
        counties.locate("x", rows)


def test_a_capacity_without_a_source_is_empty():
    plants = read("power_plants").set_index("id")
    assert plants.index[plants["capacity_mw"] == ""].tolist() == ["P10"]
    assert "1900 MW" in plants.loc["P10", "notes"], "the figure of 2018, as a note"
    assert "2018" in plants.loc["P10", "notes"]
    assert plants.loc["P25", ["capacity_mw", "status", "lon"]].tolist() == ["500", "planned", ""]
    assert plants.loc["P26", ["capacity_mw", "fuel", "status"]].tolist() == ["98", "solar", "unknown"]


def test_an_airport_without_a_known_place_is_flagged():
    airport = read("airports").set_index("id").loc["_ZSP"]
    assert (airport["county_code"], airport["confidence"]) == ("420323", "low")
    assert "坐标不明" in airport["notes"]


# --- tables of facts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["siting_decisions", "park_land", "land_deals"])
def test_parks_named_are_candidate_sites(name):
    named = read(name)["site_id"]
    assert (named != "").any()
    assert set(named) - {""} <= set(read("sites")["id"])


@pytest.mark.parametrize(
    ("name", "column", "counts"),
    [
        ("reference_projects", "use_for_ranges", {"yes": 13, "weak": 24, "no": 42}),
        ("demand", "use_basis", {"source": 6, "inferred": 66}),
        ("demand", "row_kind", {"plant": 68, "aggregate": 4}),
        ("siting_decisions", "scope", {"target": 43, "other_hubei": 20, "outside_hubei": 3}),
        ("outside", "gap_basis", {"source": 35, "background": 7, "none": 31}),
    ],
)
def test_what_is_sourced_is_told_from_what_is_not(name, column, counts):
    assert read(name)[column].value_counts().to_dict() == counts


def test_a_planned_project_has_no_price():
    deals = read("land_deals")
    planned = deals[deals["row_type"] == "planned"]
    assert len(planned) == 9
    assert (planned[["price_10k_yuan", "price_10k_yuan_per_mu", "price_yuan_per_m2"]] == "").all(axis=None)
    assert (deals.loc[deals["price_yuan_per_m2"] != "", "price_kind"] != "none").all()


def test_rules_end_after_they_begin_and_holes_have_no_life():
    rules = read("rules")
    both = rules[(rules["valid_from"] != "") & (rules["valid_to"] != "")]
    assert (both["valid_from"] < both["valid_to"]).all()
    over = rules[rules["status"] == "superseded"]
    assert ((over["valid_to"] != "") | over["text_zh"].str.contains("取代")).all()
    assert (
        rules.loc[(rules["status"] == "not_found") & (rules["source_class"] == "b"), ["valid_from", "valid_to"]] == ""
    ).all(axis=None)


@pytest.mark.parametrize("name", TABLES)
def test_texts_carry_no_address(name):
    table = read(name).drop(columns=["source", "publisher"])
    assert not table.apply(lambda column: column.str.contains("http")).any(axis=None)


# --- observations -------------------------------------------------------------------------------------


def test_observations_are_ordered_ranges_of_known_places():
    table = read("observations")
    low, likely, high = (table[column].astype(float) for column in ("low", "likely", "high"))
    assert ((low <= likely) & (likely <= high)).all()
    assert not table.duplicated(["site_id", "attribute"]).any()
    places = set(read("sites")["id"]) | set(read("substations")["id"]) | set(read("prefectures")["code"])
    assert set(table["site_id"]) <= places
    assert not table[["attribute", "unit"]].drop_duplicates().duplicated("attribute").any()


def test_nobody_observed_what_nobody_published():
    attributes = set(read("observations")["attribute"])
    assert [a for a in attributes if re.search("free|spare|available|quota|headroom", a)] == []


def test_observed_areas_are_the_catalogue_s_or_newer():
    table = read("observations")
    approved = table[table["attribute"] == "approved_ha"].set_index("site_id")
    sites = read("sites").set_index("id")
    newer = sites["later_ha"].where(sites["later_ha"] != "", sites["approved_ha"])
    assert approved["likely"].to_dict() == newer[newer != ""].to_dict()
    assert set(approved["basis"]) == {"published"}
    assert approved.loc["H08", ["likely", "publisher"]].tolist() == ["1867.99", "黄石日报（黄石市招商网转载）"]
    assert sites.loc["H08", ["approved_ha", "later_ha"]].tolist() == ["42.31", "1867.99"]


# --- boundaries ---------------------------------------------------------------------------------------


def test_divisions_nest(counties):
    province, prefectures = read("province"), read("prefectures")
    assert province["code"].tolist() == ["420000"]
    for name, parts, whole in (
        ("counties", counties.set_index("prefecture_code"), prefectures.set_index("code")),
        ("prefectures", prefectures.assign(province="420000").set_index("province"), province.set_index("code")),
    ):
        union = parts[["geometry"]].dissolve(level=0).sort_index().geometry
        whole = whole.geometry.sort_index()
        assert union.index.tolist() == whole.index.tolist(), name
        difference = union.symmetric_difference(whole).to_crs(4547).area
        assert (difference / whole.to_crs(4547).area < 1e-6).all(), name


@pytest.mark.parametrize("name", ["prefectures", "counties"])
def test_neighbours_share_their_edges(name):
    assert shapely.coverage_is_valid(read(name).geometry.to_numpy())


def test_the_province_has_its_size():
    area_km2 = read("province").to_crs("ESRI:102025").area.item() / 1e6
    assert area_km2 == pytest.approx(185_900, rel=0.002)


def test_county_names_end_like_their_kind(counties):
    kind = {"区": "District", "县": "County", "市": "City"}
    plain = counties[~counties["code"].str.startswith("4290")]
    assert [row.name_en for row in plain.itertuples() if not row.name_en.endswith(kind[row.name_zh[-1]])] == []
    assert counties.set_index("code").loc["420528", "name_en"] == "Changyang Tujia Autonomous County"


# --- networks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["roads", "railways"])
def test_network_is_one_piece_of_simple_edges(name):
    network = Network(read(name))
    assert connected_components(network.graph(network.km), directed=False)[0] == 1
    assert not np.isnan(network.xy).any()
    assert (network.ends[:, 0] < network.ends[:, 1]).all()
    assert len(np.unique(network.ends, axis=0)) == len(network.ends)


@pytest.mark.parametrize("name", ["roads", "railways"])
def test_no_edge_is_shorter_than_the_straight_line(name):
    network = Network(read(name))
    a, b = network.xy[network.ends[:, 0]], network.xy[network.ends[:, 1]]
    straight = GEOD.inv(*a.T, *b.T)[2] / 1000
    assert (network.km > 0.98 * straight - 0.01).all()


@pytest.mark.parametrize("name", ["roads", "railways"])
def test_two_ways_to_a_node_end_at_the_same_place(name):
    network = Network(read(name))
    line = shapely.get_coordinates(network.edges.geometry).reshape(-1, 2, 2)
    assert np.array_equal(network.xy[network.ends], line)


@pytest.mark.parametrize(("lon", "lat", "known_km"), [(115.05, 30.20, 75), (114.89, 30.39, 50), (110.78, 32.65, 450)])
def test_known_road_distances_from_optics_valley(roads, lon, lat, known_km):
    km, _ = roads.trip((114.534, 30.494), (lon, lat))
    assert km == pytest.approx(known_km, rel=0.12)


@pytest.mark.parametrize("place", ["E01", "E04", "H01", "H03", "H04", "S01", "S02"])
def test_drive_times_fall_in_their_reference_range(roads, place):
    site = read("sites").set_index("id").loc[place]
    table = read("observations").set_index(["site_id", "attribute"])
    low, high = table.loc[(place, "reference_drive_min"), ["low", "high"]].astype(float)
    _, minutes = roads.trip((114.534, 30.494), (float(site["lon"]), float(site["lat"])))
    assert low - 2 <= minutes <= high + 2
