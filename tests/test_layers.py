"""Opening a layer: what is missing, damaged, changed or against its contract is named, not used."""

from __future__ import annotations

import hashlib
import re
import shutil
import tracemalloc
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo_cluster.errors import DataError, Fault
from geo_cluster.world import catalog, layers
from geo_cluster.world.coordinates import convert


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the shipped data that a test may damage; `register` makes the registry agree with a file again."""
    folder = tmp_path / "geo"
    shutil.copytree(catalog.data_dir(), folder)
    monkeypatch.setattr(catalog, "data_dir", lambda: folder)
    clear()
    yield folder
    clear()


def clear() -> None:
    catalog.layers.cache_clear()
    layers._read.cache_clear()


def register(folder, name: str) -> None:
    layer, registry = catalog.layers()[name], folder / "sources.toml"
    content = (folder / layer.file).read_bytes()
    text = registry.read_text(encoding="utf-8").replace(layer.sha256, hashlib.sha256(content).hexdigest())
    start = text.index(f"[layers.{name}]")
    text = text[:start] + re.sub(r"bytes = \d+", f"bytes = {len(content)}", text[start:], count=1)
    registry.write_text(text, encoding="utf-8")
    clear()


def change(folder, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def test_shipped_layers_are_sound():
    assert layers.check_all() == []


def test_a_layer_is_a_copy_so_that_nobody_spoils_it_for_others():
    first = layers.read("sites")
    first.loc[0, "name_zh"] = "spoilt"
    assert layers.read("sites").loc[0, "name_zh"] != "spoilt"


def test_missing_truncated_and_changed_files(copy):
    (copy / "ports.csv").unlink()
    truncated = copy / "sites.csv"
    truncated.write_bytes(truncated.read_bytes()[:-500])
    change(copy, "stations.csv", "武汉站", "汉口站")
    assert {(Path(fault.place.name).name, fault.code) for fault in layers.check_all()} == {
        ("ports.csv", "world.layer_missing"),
        ("sites.csv", "world.other_size"),
        ("stations.csv", "world.other_hash"),
    }
    with pytest.raises(DataError) as refusal:
        layers.read("stations")
    assert [fault.code for fault in refusal.value.faults] == ["world.other_hash"]


def test_a_file_of_another_length_is_not_read(tmp_path):
    path = tmp_path / "sites.csv"
    with path.open("wb") as file:
        file.truncate(2**28)  # a hole
    layer = catalog.layers()["sites"]
    tracemalloc.start()
    (fault,) = layers.file_faults(path, layer)
    assert (fault.code, fault.values["size"]) == ("world.other_size", 2**28)
    (fault,) = layers.file_faults(path, layer.model_copy(update={"bytes": 2**28}))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fault.code == "world.other_hash"
    assert most < 2**23, "it was read as a whole"


def test_unregistered_file(copy):
    (copy / "stray.csv").write_text("a\n")
    assert layers.check_all() == [Fault("world.unregistered", copy / "stray.csv")]


def test_registered_but_unreadable(copy):
    (copy / "counties.geojson").write_text("{ half a file")
    register(copy, "counties")
    with pytest.raises(DataError) as refusal:
        layers.read("counties")
    (fault,) = refusal.value.faults
    assert (Path(fault.where).name, fault.code) == ("counties.geojson", "world.layer_unreadable")
    assert "GDAL" not in fault.words("zh").what and fault.values["reason"] not in fault.words("zh").what


def test_contract_faults_are_all_listed_with_row_and_column(copy):
    change(copy, "substations.csv", ",substation,500,", ",windmill,500,")
    change(copy, "substations.csv", ",substation,220,", ",substation,two-twenty,")
    register(copy, "substations")
    faults = layers.check_all()
    (kind,) = (fault for fault in faults if fault.column == "kind")
    assert (kind.code, kind.values["value"]) == ("world.not_in_vocabulary", "windmill")
    assert kind.where.startswith("layer substations, row ")
    assert {"substation", "switching"} & set(kind.values["known"])
    assert {fault.code for fault in faults if fault.column == "voltage_kv"} == {"world.wrong_type"}


def test_missing_column_and_repeated_id(copy):
    change(copy, "ports.csv", "confidence", "trust")
    change(copy, "stations.csv", "T02,", "T01,")
    register(copy, "ports")
    register(copy, "stations")
    found = {(fault.place.name, fault.column, fault.code) for fault in layers.check_all()}
    assert ("ports", "confidence", "world.column_missing") in found
    assert ("stations", "id", "world.not_unique") in found


def test_swapped_coordinates_are_outside(copy):
    text = (copy / "stations.csv").read_text(encoding="utf-8")
    (copy / "stations.csv").write_text(text.replace("lon,lat", "lat,lon", 1), encoding="utf-8", newline="\n")
    register(copy, "stations")
    assert "world.outside_hubei" in {fault.code for fault in layers.check_all()}


def test_points_outside_the_county_they_claim(copy):
    change(copy, "sites.csv", "114.6550,30.5050", "114.3000,30.6000")  # Gedian moved to downtown Wuhan
    register(copy, "sites")
    (fault,) = layers.check_all()
    assert (fault.code, fault.where) == ("world.outside_county", "layer sites, row 12")
    assert fault.values["county"].endswith("区")


def test_points_that_look_shifted_are_named_as_such():
    square = gpd.GeoDataFrame(
        {"code": ["1"], "name_zh": ["方县"]}, geometry=[shapely.box(114.0, 30.0, 114.1, 30.1)], crs="EPSG:4326"
    )
    inside = gpd.points_from_xy(np.full(20, 114.0995), np.linspace(30.01, 30.09, 20))  # 50 m from the eastern edge
    points = gpd.GeoDataFrame({"county_code": ["1"] * 20}, geometry=inside, crs="EPSG:4326")
    nowhere = gpd.GeoSeries([], crs="EPSG:4326")
    assert layers.place_faults("mine", points, square, nowhere) == []
    lon, lat = convert(points.geometry.x, points.geometry.y, source="wgs84", target="gcj02")
    shifted = points.set_geometry(gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    first, *rest = layers.place_faults("mine", shifted, square, nowhere)
    assert first.code == "world.looks_shifted"
    assert first.values["systems"].en == "GCJ02 or BD09"
    assert len(rest) == 20


def test_unknown_layer_is_named():
    with pytest.raises(DataError) as refusal:
        layers.read("rivers")
    (fault,) = refusal.value.faults
    assert (fault.code, fault.values["name"]) == ("world.no_such_layer", "rivers")
    assert "sites" in fault.values["known"]


def test_sites_shifted_as_a_whole_are_noticed_by_the_gazetteer_even_deep_inside_their_counties(copy):
    sites = layers.read("sites")
    lon, lat = convert(sites.geometry.x, sites.geometry.y, source="wgs84", target="gcj02")
    table = sites.drop(columns="geometry").assign(lon=lon.round(6), lat=lat.round(6))
    table.to_csv(copy / "sites.csv", index=False, lineterminator="\n")
    register(copy, "sites")
    with pytest.raises(DataError) as refusal:
        layers.read("sites")
    assert refusal.value.faults[0].code == "world.looks_shifted"
    assert refusal.value.faults[0].values["systems"].en == "GCJ02"


@pytest.mark.parametrize("name", list(catalog.layers()))
def test_every_column_of_a_shipped_layer_has_a_name_that_people_read(name):
    columns = set(layers.read(name)) - {"geometry"}
    assert columns <= set(layers.headings(name))
    assert all(rule["zh"] and rule["en"] for rule in layers.headings(name).values())
