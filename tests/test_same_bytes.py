"""What is handed over is the same, byte for byte: in another process, another time zone, on another day."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys

import geopandas as gpd
import pytest
import shapely

from geo_cluster import toml
from geo_cluster.world.spreadsheet import undate_package
from tests.handed_over import everything


@pytest.mark.slow
def test_everything_handed_over_is_the_same_in_another_process(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    environment = os.environ | {"PYTHONHASHSEED": "12345", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    command = [sys.executable, "-m", "tests.handed_over", str(there)]
    other = subprocess.Popen(command, cwd=toml.PACKAGE.parent, env=environment)
    everything(here)
    assert other.wait(300) == 0
    files = sorted(path.relative_to(here) for path in here.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(there) for path in there.rglob("*") if path.is_file())
    assert {path.suffix for path in files} >= {".gpkg", ".html", ".csv", ".zip", ".json", ".toml", ".md"}
    assert [str(path) for path in files if (here / path).read_bytes() != (there / path).read_bytes()] == []


def test_a_package_is_the_same_however_often_it_was_written_to(tmp_path):
    once, twice = tmp_path / "once.gpkg", tmp_path / "twice.gpkg"
    gpd.GeoDataFrame({"name": ["武汉"]}, geometry=[shapely.Point(114.3, 30.6)], crs=4326).to_file(once, layer="at")
    shutil.copyfile(once, twice)
    for day in ("2026-11-30", "2026-12-01"):
        with contextlib.closing(sqlite3.connect(twice)) as package, package:
            package.execute("UPDATE gpkg_contents SET last_change = ?", [f"{day}T00:00:00.000Z"])
    assert once.read_bytes() != twice.read_bytes()
    for package in (once, twice):
        undate_package(package)
    assert once.read_bytes() == twice.read_bytes()
    assert gpd.read_file(twice)["name"].tolist() == ["武汉"]
    with contextlib.closing(sqlite3.connect(twice)) as package:
        assert package.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
