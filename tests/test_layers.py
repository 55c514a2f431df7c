"""Opening a layer: what is missing, damaged, changed or against its contract is named, not used."""

from __future__ import annotations

import gc
import hashlib
import re
import shutil
import tracemalloc
import weakref
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo_cluster.errors import DataError, Fault
from geo_cluster.world import catalog, layers
from geo_cluster.world.coordinates import convert
from geo_cluster.world.layers import Layers, by_content
from tests import own


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the shipped data that a test may damage; `register` makes the registry agree with a file again."""
    folder = tmp_path / "geo"
    shutil.copytree(catalog.data_dir(), folder)
    monkeypatch.setattr(catalog, "data_dir", lambda: folder)
    return folder


def register(folder, name: str) -> None:
    layer, registry = Layers().registry[name], folder / "sources.toml"
    content = (folder / layer.file).read_bytes()
    text = registry.read_text(encoding="utf-8").replace(layer.sha256, hashlib.sha256(content).hexdigest())
    start = text.index(f"[layers.{name}]")
    text = text[:start] + re.sub(r"bytes = \d+", f"bytes = {len(content)}", text[start:], count=1)
    registry.write_text(text, encoding="utf-8")


def change(folder, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


@pytest.mark.slow
def test_shipped_layers_are_sound():
    assert layers.check_all(Layers()) == []


def test_a_layer_is_a_copy_so_that_nobody_spoils_it_for_others():
    first = Layers().read("sites")
    first.loc[0, "name_zh"] = "spoilt"
    assert Layers().read("sites").loc[0, "name_zh"] != "spoilt"


@pytest.mark.slow
def test_missing_truncated_and_changed_files(copy):
    (copy / "ports.csv").unlink()
    truncated = copy / "sites.csv"
    truncated.write_bytes(truncated.read_bytes()[:-500])
    change(copy, "stations.csv", "武汉站", "汉口站")
    assert {(Path(fault.place.name).name, fault.code) for fault in layers.check_all(Layers())} == {
        ("ports.csv", "world.layer_missing"),
        ("sites.csv", "world.other_size"),
        ("stations.csv", "world.other_hash"),
    }
    with pytest.raises(DataError) as refusal:
        Layers().read("stations")
    assert [fault.code for fault in refusal.value.faults] == ["world.other_hash"]


@pytest.mark.slow
def test_a_file_of_another_length_is_not_read(tmp_path):
    path = tmp_path / "sites.csv"
    with path.open("wb") as file:
        file.truncate(2**28)  # a hole
    layer = Layers().registry["sites"]
    tracemalloc.start()
    (fault,) = layers.file_faults(path, layer)
    assert (fault.code, fault.values["size"]) == ("world.other_size", 2**28)
    (fault,) = layers.file_faults(path, layer.model_copy(update={"bytes": 2**28}))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fault.code == "world.other_hash"
    assert most < 2**23, "it was read as a whole"


@pytest.mark.slow
def test_unregistered_file(copy):
    (copy / "stray.csv").write_text("a\n")
    assert layers.check_all(Layers()) == [Fault("world.unregistered", copy / "stray.csv")]


def test_registered_but_unreadable(copy):
    (copy / "counties.geojson").write_text("{ half a file")
    register(copy, "counties")
    with pytest.raises(DataError) as refusal:
        Layers().read("counties")
    (fault,) = refusal.value.faults
    assert (Path(fault.where).name, fault.code) == ("counties.geojson", "world.layer_unreadable")
    assert "GDAL" not in fault.words("zh").what and fault.values["reason"] not in fault.words("zh").what


@pytest.mark.slow
def test_contract_faults_are_all_listed_with_row_and_column(copy):
    change(copy, "substations.csv", ",substation,500,", ",windmill,500,")
    change(copy, "substations.csv", ",substation,220,", ",substation,two-twenty,")
    register(copy, "substations")
    faults = layers.check_all(Layers())
    (kind,) = (fault for fault in faults if fault.column == "kind")
    assert (kind.code, kind.values["value"]) == ("world.not_in_vocabulary", "windmill")
    assert kind.where.startswith("layer substations, row ")
    assert {"substation", "switching"} & set(kind.values["known"])
    assert {fault.code for fault in faults if fault.column == "voltage_kv"} == {"world.wrong_type"}


@pytest.mark.slow
def test_missing_column_and_repeated_id(copy):
    change(copy, "ports.csv", "confidence", "trust")
    change(copy, "stations.csv", "T02,", "T01,")
    register(copy, "ports")
    register(copy, "stations")
    found = {(fault.place.name, fault.column, fault.code) for fault in layers.check_all(Layers())}
    assert ("ports", "confidence", "world.column_missing") in found
    assert ("stations", "id", "world.not_unique") in found


def test_optional_columns_may_be_absent_but_not_from_shipped_layers():
    ports = Layers().read("ports").drop(columns=["publisher", "source_is_copy"])
    assert layers.contract_faults("ports", ports.copy()) == []
    missing = layers.contract_faults("ports", ports.copy(), shipped=True)
    assert {(fault.code, fault.column) for fault in missing} == {
        ("world.column_missing", "publisher"),
        ("world.column_missing", "source_is_copy"),
    }
    wrong = layers.contract_faults("ports", ports.assign(source_is_copy="perhaps"))
    assert {(fault.code, fault.column) for fault in wrong} == {("world.not_in_vocabulary", "source_is_copy")}


@pytest.mark.slow
def test_swapped_coordinates_are_outside(copy):
    text = (copy / "stations.csv").read_text(encoding="utf-8")
    (copy / "stations.csv").write_text(text.replace("lon,lat", "lat,lon", 1), encoding="utf-8", newline="\n")
    register(copy, "stations")
    assert "world.outside_hubei" in {fault.code for fault in layers.check_all(Layers())}


@pytest.mark.slow
def test_points_outside_the_county_they_claim(copy):
    change(copy, "sites.csv", "114.6550,30.5050", "114.3000,30.6000")  # Gedian moved to downtown Wuhan
    register(copy, "sites")
    (fault,) = layers.check_all(Layers())
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
        Layers().read("rivers")
    (fault,) = refusal.value.faults
    assert (fault.code, fault.values["name"]) == ("world.no_such_layer", "rivers")
    assert "sites" in fault.values["known"]


def test_sites_shifted_as_a_whole_are_noticed_by_the_gazetteer_even_deep_inside_their_counties(copy):
    sites = Layers().read("sites")
    lon, lat = convert(sites.geometry.x, sites.geometry.y, source="wgs84", target="gcj02")
    table = sites.drop(columns="geometry").assign(lon=lon.round(6), lat=lat.round(6))
    table.to_csv(copy / "sites.csv", index=False, lineterminator="\n")
    register(copy, "sites")
    first, *_ = layers.check_all(Layers())
    assert (first.code, first.values["systems"].en) == ("world.looks_shifted", "GCJ02")


@pytest.mark.parametrize("name", list(Layers().registry))
def test_every_column_of_a_shipped_layer_has_a_name_that_people_read(name):
    columns = set(Layers().read(name)) - {"geometry"}
    assert columns <= set(layers.headings(name))
    assert all(rule["zh"] and rule["en"] for rule in layers.headings(name).values())


# ---- layers of one's own: seen when they are refreshed, gone when nobody needs them -----------------------------


def test_shipped_points_are_held_against_a_gazetteer_of_ones_own(tmp_path):
    places = Layers().read("geonames")
    lon, lat = convert(places.geometry.x, places.geometry.y, source="gcj02", target="wgs84")
    moved = places.drop(columns="geometry").assign(lon=lon.round(6), lat=lat.round(6))
    mine = Layers(own.register(tmp_path / "own", geonames=moved))
    with pytest.raises(DataError) as refusal:
        mine.read("sites")
    assert refusal.value.faults[0].code == "world.looks_shifted"


def test_own_layers_stand_in_place_of_the_shipped_ones(tmp_path):
    mine, shipped = Layers(own.register(tmp_path / "own", sites=own.sites())), Layers()
    assert set(mine.own) == {"sites"}
    assert set(mine.registry) == set(shipped.registry)
    assert own.SITE in set(mine.read("sites")["id"])
    assert own.SITE not in set(shipped.read("sites")["id"])
    assert mine.hashes(["ports"]) == shipped.hashes(["ports"])
    assert mine.hashes(["sites"]) != shipped.hashes(["sites"])
    assert len({mine.key, shipped.key, Layers(tmp_path / "own").key}) == 2


@pytest.mark.slow
def test_a_folder_refreshed_in_place_is_seen(tmp_path):
    folder = own.register(tmp_path / "own", sites=own.sites("旧名"))
    before = Layers(folder)
    assert "旧名" in set(before.read("sites")["name_zh"])
    own.register(folder, sites=own.sites("新名"))
    after = Layers(folder)
    assert "新名" in set(after.read("sites")["name_zh"])
    assert before.key != after.key
    assert "旧名" in set(before.read("sites")["name_zh"]), "what was read stays what it was"


def test_an_own_file_that_changed_under_its_registry_is_told(tmp_path):
    folder = own.register(tmp_path / "own", sites=own.sites("旧名"))
    assert len(Layers(folder).read("sites"))
    change(folder, "sites.csv", "旧名", "新名")
    for read in (lambda: Layers(folder).read("sites"), lambda: Layers(folder).content("sites")):
        with pytest.raises(DataError) as refusal:
            read()
        assert [fault.code for fault in refusal.value.faults] == ["world.own_other_hash"], "no repository has it"


def test_own_files_that_are_missing_or_longer_are_told_as_ones_own(tmp_path):
    folder = own.register(tmp_path / "own", sites=own.sites())
    with (folder / "sites.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(DataError) as refusal:
        Layers(folder).read("sites")
    assert [fault.code for fault in refusal.value.faults] == ["world.own_other_size"]
    (folder / "sites.csv").unlink()
    with pytest.raises(DataError) as refusal:
        Layers(folder).read("sites")
    assert [fault.code for fault in refusal.value.faults] == ["world.own_layer_missing"]


def test_a_cell_that_is_no_number_is_told_once(tmp_path):
    table = own.sites().astype({"lon": object})
    table.loc[0, "lon"] = "abc"
    with pytest.raises(DataError) as refusal:
        Layers(own.register(tmp_path / "own", sites=table)).read("sites")
    assert [(fault.code, fault.row, fault.column) for fault in refusal.value.faults] == [("world.wrong_type", 2, "lon")]


@pytest.mark.slow
def test_own_tables_are_shared_by_content_and_go_with_who_read_them(tmp_path):
    first = Layers(own.register(tmp_path / "a", sites=own.sites()))
    second = Layers(own.register(tmp_path / "b", sites=own.sites()))
    first.read("sites")
    second.read("sites")
    table = weakref.ref(first._tables["sites"])
    assert table() is second._tables["sites"]
    del first
    gc.collect()
    assert table() is not None
    del second
    gc.collect()
    assert table() is None, "a work that was closed stays in memory"


def test_a_shipped_file_is_not_hashed_again_while_nothing_touched_it(copy, monkeypatch):
    Layers().read("ports")
    hashed = []
    monkeypatch.setattr(layers.toml, "sha256_of", lambda path, **_: hashed.append(path) or "0" * 64)
    assert len(Layers().read("ports"))
    assert hashed == []
    (copy / "ports.csv").touch()
    with pytest.raises(DataError):
        Layers().read("ports")
    assert [path.name for path in hashed] == ["ports.csv"]


def test_tables_that_are_handed_in_are_layers_like_any_other():
    table = Layers().read("sites").iloc[:3]
    mine = Layers(tables={"sites": table})
    assert mine.read("sites").equals(table)
    assert mine.registry["sites"].rows == 3
    assert mine.key not in (Layers().key, Layers(tables={"sites": table.iloc[:2]}).key)
    assert mine.key == Layers(tables={"sites": table.copy()}).key
    moved = table.set_geometry(table.geometry.translate(0.01))
    assert mine.key != Layers(tables={"sites": moved}).key
    with pytest.raises(DataError) as refusal:
        mine.path("sites")
    assert [fault.code for fault in refusal.value.faults] == ["world.layer_handed_in"]


def test_what_is_made_of_layers_is_kept_by_their_content(tmp_path):
    asked = []

    @by_content("sites", most=2)
    def count(layers, factor):
        asked.append(factor)
        return factor * len(layers.read("sites"))

    mine = Layers(own.register(tmp_path / "own", sites=own.sites()))
    assert count(Layers(), 1) == count(Layers(), 1) == count(mine, 1) - 1
    assert asked == [1, 1]
    count(mine, 2)
    count(Layers(), 1)
    assert asked == [1, 1, 2, 1], "more were kept than was said"


def test_each_shipped_layer_is_found_under_one_group_and_ones_own_under_other():
    registry = Layers().registry
    grouped = layers.groups([*registry, "halls"])
    assert sorted(name for group in grouped.values() for name in group) == sorted([*registry, "halls"])
    assert grouped["other"] == ["halls"]
    assert list(grouped) == [key for key in layers.group_names() if key in grouped]
    assert "other" not in layers.groups(registry)
    assert {"province", "water", "roads"}.isdisjoint(layers.row_layers(registry))
    assert {"chain", "demand", "observations"} <= set(layers.row_layers(registry))


def test_main_columns_are_of_the_layer():
    for name in Layers().registry:
        assert set(layers.main_columns(name)) <= set(Layers().read(name)), name
    assert layers.main_columns("halls") == []
    assert layers.name_of("halls") == {}
    assert layers.name_of("chain")["zh"]
