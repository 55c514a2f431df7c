"""Rivers and lakes: what the reader makes of GSHHG, and the shipped backdrop."""

import importlib

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_cluster import toml
from geo_cluster.world.layers import Layers

LAKE = [(114.0, 30.0), (114.4, 30.0), (114.4, 30.4), (114.0, 30.4), (114.0, 30.0)]
ISLAND = [(114.1, 30.1), (114.2, 30.1), (114.2, 30.2), (114.1, 30.2), (114.1, 30.1)]
WIDE = [(114.5, 30.0), (114.6, 30.0), (114.6, 30.5), (114.5, 30.5), (114.5, 30.0)]
RIVER = [(113.8, 30.3), (114.2, 30.3), (114.8, 30.3)]
FAR = [(10.0, 50.0), (11.0, 50.0), (11.0, 51.0), (10.0, 50.0)]
SQUARE = shapely.box(113.7, 29.9, 114.7, 30.6)


@pytest.fixture
def water(tmp_path, monkeypatch):
    """The script, reading a package of five outlines."""
    monkeypatch.syspath_prepend(str(toml.PACKAGE.parent / "scripts"))
    module = importlib.import_module("water")
    write(tmp_path, "gshhs", [("2", 900, LAKE), ("3", 90, ISLAND), ("2", -500, WIDE), ("1", 9, FAR)])
    write(tmp_path, "rivers", [("-1", -1, RIVER), ("-1", -1, WIDE)])
    monkeypatch.setattr(module, "package_dir", lambda _: tmp_path)
    monkeypatch.setattr(module, "MARGIN_M", 0.0)
    return module


def write(folder, name, outlines):
    lines, offset, parts = [], 0, []
    for number, (level, area, points) in enumerate(outlines):
        part = np.array(points, "<f4")
        south, north = part[:, 1].min(), part[:, 1].max()
        lines.append(f"{level} {area} {len(part)} {south:.5f} {north:.5f} {offset} {part.nbytes} {number}")
        offset += part.nbytes
        parts.append(part.tobytes())
    (folder / f"{name}_f.dat").write_bytes(b"".join(parts))
    (folder / f"{name}meta_f.dat").write_text("\n".join(lines), encoding="ascii")


def test_lakes_have_no_islands_and_rivers_end_at_the_water(water):
    found = water.read_water(SQUARE.bounds).set_index("record")
    assert found["kind"].to_dict() == {"gshhs/0": "lake", "gshhs/2": "river_area", "rivers/0": "river"}
    assert found.loc["gshhs/0", "shape"].area == pytest.approx(0.4 * 0.4 - 0.1 * 0.1, rel=1e-4)
    assert found.loc["rivers/0", "shape"].length == pytest.approx(1.0 - 0.4 - 0.1, rel=1e-4)


def test_names_are_given_where_they_are_known_and_the_rest_is_clipped(water):
    names = pd.DataFrame([("rivers/0", "某河", "Some River")], columns=["record", "name_zh", "name_en"])
    table, shapes = water.make_water(SQUARE, names)["water"]
    assert table.set_index("id")["name_zh"].to_dict() == {"gshhs/0": "", "gshhs/2": "", "rivers/some": "某河"}
    assert all(shapely.covers(SQUARE.buffer(1e-3), shape) for shape in shapes)
    bare, _ = water.make_water(SQUARE, names.head(0))["water"]
    assert "rivers/other" in set(bare["id"])
    with pytest.raises(SystemExit, match="rivers/7"):
        water.make_water(SQUARE, names.assign(record="rivers/7"))


def test_the_shipped_backdrop_is_small_and_says_what_it_is_not():
    entry, rows = Layers().registry["water"], Layers().read("water")
    assert entry.bytes < 400_000
    assert "丹江口" in entry.notes_zh
    assert "1 km" in entry.notes
    assert "LGPL" in entry.licence
    assert "Wessel" in entry.attribution_en
    assert rows.geometry.is_valid.all()
    areas = rows[rows["kind"] != "river"]
    assert areas.geom_type.str.contains("Polygon").all()
    assert rows[rows["kind"] == "river"].geom_type.str.contains("Line").all()
    lakes = areas[areas["name_zh"] != ""].set_index("name_zh").to_crs(4547).area / 1e6
    assert 250 < lakes["洪湖"] < 400  # published 348 km2
    assert 280 < lakes["梁子湖"] < 460  # published 304 km2 and more with its bays
    assert 25 < lakes["东湖"] < 80  # published 33 km2, with the ponds around it
