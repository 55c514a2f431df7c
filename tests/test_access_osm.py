import hashlib
import os
import socket
import sqlite3
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo_cluster.access import osm, osm_servers, roads
from geo_cluster.access.osm_servers import Servers
from geo_cluster.access.travel import matrix
from geo_cluster.errors import DataError, Fault
from tests.fake_osm import SOUTH, STEP, WEST, FakeOSM, fake_osm
from tests.refusals import faults_of, refused

BOX = (WEST - STEP, SOUTH - STEP, WEST + 5 * STEP, SOUTH + 5 * STEP)


@pytest.fixture
def server() -> Iterator[FakeOSM]:
    with fake_osm() as running:
        yield running


def ask(server: FakeOSM, folder: Path, area: Any = BOX, **options: Any) -> osm.Refresh:
    patience = {"pause_s": 0.0, "attempts": 2, "timeout_s": 0.7}
    patience |= {key: options.pop(key) for key in patience if key in options}
    return osm.refresh(area, folder, servers=Servers(server.overpass_url, server.url, **patience), **options)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_all_layers_of_a_prefecture_come_with_their_sources(server: FakeOSM, tmp_path: Path) -> None:
    said: list[tuple[str, float]] = []
    done = ask(server, tmp_path / "osm", "黄石市", progress=lambda text, share: said.append((text, share)))
    assert set(done.sources) == set(osm.WANTED) - {"protected_areas"}
    assert any(change.en.startswith("protected_areas: nothing in this area") for change in done.changes)
    registry = tomllib.loads((tmp_path / "osm" / "sources.toml").read_text(encoding="utf-8"))["layers"]
    assert registry == done.sources
    for entry in registry.values():
        content = (tmp_path / "osm" / entry["file"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest() and entry["bytes"] == len(content)
        assert entry["licence"] == "ODbL-1.0" and "OpenStreetMap" in entry["attribution_en"]
        assert entry["as_of"] == "2026-11-01" and len(gpd.read_file(tmp_path / "osm" / entry["file"])) == entry["rows"]
    shares = [share for _, share in said]
    assert shares == sorted(shares) and shares[-1] == 1.0 and any("roads" in text for text, _ in said)


@pytest.mark.slow
def test_roads_have_speeds_of_their_pieces_and_both_ways(server: FakeOSM, tmp_path: Path) -> None:
    ask(server, tmp_path / "osm", layers=["roads"])
    found = gpd.read_file(tmp_path / "osm" / "roads.gpkg")
    # 40 pieces of streets less 3 corners that are no crossings (the fourth lies on the one-way street) and the island
    assert found["oneway"].sum() > 0 and not found["oneway"].all()
    assert set(found.loc[found["highway"] == "residential", "speed_kmh"].round(3)) == {30.0}
    assert set(found.loc[found["highway"] == "primary", "speed_kmh"].round(3)) == {55.0}
    network = roads.from_layer(found)
    assert any("dropped" in note for note in network.notes)
    low = np.array([[WEST + STEP, SOUTH], [WEST + 3 * STEP, SOUTH]])
    there = matrix(network, low[:1], low[1:])
    back = matrix(network, low[1:], low[:1])
    km = 2 * STEP * np.pi / 180 * 6371.009 * np.cos(np.radians(SOUTH))
    assert there.km[0, 0] == pytest.approx(km, rel=1e-3) and there.minutes[0, 0] == pytest.approx(
        km / 55 * 60, rel=1e-3
    )
    assert back.km[0, 0] > km * 1.5  # round the block


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["429", "504", "html", "truncated", "cut", "remark", "slow"])
def test_a_fault_that_passes_is_waited_out(server: FakeOSM, tmp_path: Path, fault: str) -> None:
    server.faults = [fault]
    done = ask(server, tmp_path / "osm", layers=["industrial_land"])
    assert done.sources["industrial_land"]["rows"] == 1
    assert len(server.seen) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "code", "values"),
    [
        ("429", "server_busy", {"status": 429}),
        ("504", "server_busy", {"status": 504}),
        ("html", "server_shows_a_page", {"status": 200}),
        ("truncated", "server_breaks_off", {"status": 200}),
        ("cut", "server_silent", {"reason": "ChunkedEncodingError"}),
        ("remark", "server_gives_up", {}),
        ("slow", "server_silent", {"reason": "ReadTimeout"}),
        ("400", "server_shows_a_page", {"status": 400}),
        ("empty", "no_roads", {}),
        ("elsewhere", "answer_unreadable", {}),
    ],
)
def test_a_fault_that_stays_leaves_the_old_layers_and_says_so(
    server: FakeOSM, tmp_path: Path, fault: str, code: str, values: dict[str, Any]
) -> None:
    folder = tmp_path / "osm"
    ask(server, folder, layers=["roads", "water"])
    before = snapshot(folder)
    server.always = fault
    found = faults_of(ask, server, folder, layers=["water", "roads"])[-1]
    assert found.code == f"access.{code}" and values.items() <= found.values.items()
    assert "old layers stay" in found.remedy and "旧图层保留" in found.words("zh").remedy
    assert snapshot(folder) == before
    assert {p.name for p in tmp_path.iterdir()} <= {"osm", ".osm-answers"}


@pytest.mark.slow
@pytest.mark.parametrize("area", ["黄石市", BOX])
def test_a_server_that_is_not_there_is_named_at_once_and_soon_given_up(
    tmp_path: Path, area: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osm_servers, "KNOCK_PAUSE_S", 0.1)
    with socket.socket() as hole:  # bound, but nobody listens: connections are refused
        hole.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{hole.getsockname()[1]}"
        said, began = [], time.monotonic()
        servers = Servers(f"http://{host}/api", f"http://{host}")
        options = {"servers": servers, "progress": lambda text, _: said.append(text)}
        (found,) = faults_of(osm.refresh, area, tmp_path / "osm", **options)
    assert time.monotonic() - began < osm_servers.KNOCK_S
    assert any(f"trying {host}" in one for one in said)
    assert found == Fault("access.server_not_there", host, reason="ConnectionError", attempt=4)
    assert not (tmp_path / "osm").exists()


@pytest.mark.slow
def test_what_came_before_a_refusal_is_not_asked_again(server: FakeOSM, tmp_path: Path) -> None:
    server.faults = ["", "429", "429"]
    with pytest.raises(DataError):
        ask(server, tmp_path / "osm", layers=["industrial_land", "water"])
    assert not (tmp_path / "osm").exists()
    server.seen.clear()
    done = ask(server, tmp_path / "osm", layers=["industrial_land", "water"])
    assert set(done.sources) == {"industrial_land", "water"}
    assert len(server.seen) == 1 and "water" in server.seen[0]
    assert not (tmp_path / ".osm-answers").exists()


@pytest.mark.slow
def test_layers_that_are_not_asked_for_stay(server: FakeOSM, tmp_path: Path) -> None:
    ask(server, tmp_path / "osm", layers=["water"])
    done = ask(server, tmp_path / "osm", layers=["roads", "water"])
    assert any(change.en.startswith("water: 1 rows, replaces 1 rows of ") for change in done.changes)
    ask(server, tmp_path / "osm", layers=["industrial_land"])
    registry = tomllib.loads((tmp_path / "osm" / "sources.toml").read_text(encoding="utf-8"))["layers"]
    assert set(registry) == {"roads", "water", "industrial_land"}


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_layers(server: FakeOSM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(server, tmp_path / "osm", layers=["water"])
    before = snapshot(tmp_path / "osm")

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(gpd.GeoDataFrame, "to_file", full)
    assert refused(ask, server, tmp_path / "osm", layers=["water", "roads"]) == [
        ("access.disk_full", str(tmp_path / "osm"))
    ]
    assert snapshot(tmp_path / "osm") == before
    assert {p.name for p in tmp_path.iterdir()} == {"osm", ".osm-answers"}


@pytest.mark.slow
def test_a_failed_exchange_of_folders_puts_the_old_one_back(
    server: FakeOSM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "osm"
    ask(server, folder, layers=["water"])
    before = snapshot(folder)
    rename = Path.rename

    def held(self: Path, target: Path) -> Path:
        if Path(target) == folder and not self.name.endswith("-old"):
            raise PermissionError(13, "held by another program")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", held)
    assert refused(ask, server, folder, layers=["roads"]) == [("access.no_right_to_write", str(folder))]
    assert snapshot(folder) == before


def test_osmnx_and_the_resolver_are_given_back_as_they_were(server: FakeOSM, tmp_path: Path) -> None:
    import osmnx as ox

    before = {key: getattr(ox.settings, key) for key in dir(ox.settings) if not key.startswith("_")}
    resolver = socket.getaddrinfo
    server.always = "html"
    with pytest.raises(DataError):
        ask(server, tmp_path / "osm", layers=["water"])
    assert {key: getattr(ox.settings, key) for key in before} == before
    assert socket.getaddrinfo is resolver


@pytest.mark.slow
def test_a_place_without_boundary_is_named(server: FakeOSM, tmp_path: Path) -> None:
    assert refused(ask, server, tmp_path / "osm", "Atlantis") == [("access.no_boundary", "Atlantis")]


@pytest.mark.parametrize(
    ("area", "code"),
    [
        ((30.1, 115.0, 30.2, 115.1), "area_latitudes"),
        ((115.1, 30.1, 115.0, 30.2), "area_backwards"),
        ((1, 2, 3), "no_area"),
        (shapely.Polygon(), "area_broken"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "area_broken"),
        (shapely.box(110, 25, 118, 33), "area_too_large"),
    ],
)
def test_areas_that_can_not_be_asked_for(server: FakeOSM, tmp_path: Path, area: Any, code: str) -> None:
    assert refused(ask, server, tmp_path / "osm", area) == [(f"access.{code}", "area")]
    assert not server.seen


def test_all_wrong_options_are_named_at_once(server: FakeOSM, tmp_path: Path) -> None:
    wrong = {"layers": ["castles"], "timeout_s": 0.0, "attempts": 0, "pause_s": -1.0}
    assert [where for _, where in refused(ask, server, tmp_path / "osm", **wrong)] == list(wrong)


@pytest.mark.slow
def test_new_roads_join_the_old_ones_at_the_edge_of_the_area(server: FakeOSM, tmp_path: Path) -> None:
    # the old network: far west - inside the area - inside; the new one replaces what is inside
    places = {0: (WEST - 0.5, SOUTH), 1: (WEST + 0.001, SOUTH + 0.001), 2: (WEST + 0.02, SOUTH + 0.02)}
    old = gpd.GeoDataFrame(
        {"u": [0, 1], "v": [1, 2], "length_km": [50.0, 3.0], "speed_kmh": [100.0, 45.0]},
        geometry=[shapely.LineString([places[0], places[1]]), shapely.LineString([places[1], places[2]])],
        crs=4326,
    )
    ask(server, tmp_path / "osm", layers=["roads"], around=old)
    found = gpd.read_file(tmp_path / "osm" / "roads.gpkg")
    assert (found["length_km"] == 50).sum() == 1 and not (found["length_km"] == 3).any()
    network = roads.from_layer(found)
    trip = matrix(network, [places[0]], [(WEST + 2 * STEP, SOUTH + 2 * STEP)])
    assert 50 < trip.km[0, 0] < 55 and 30 < trip.minutes[0, 0] < 50


def test_the_written_file_is_a_sound_geopackage(server: FakeOSM, tmp_path: Path) -> None:
    ask(server, tmp_path / "osm", layers=["power_lines"])
    with sqlite3.connect(tmp_path / "osm" / "power_lines.gpkg") as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert gpd.read_file(tmp_path / "osm" / "power_lines.gpkg")["voltage"].tolist() == ["220000"]
