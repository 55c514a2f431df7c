"""The sample data pack: written the same each time, declared as a sample, and seen working from file to answer."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

import geo_cluster
from geo_cluster.supply.grid_connection import connection
from geo_cluster.supply.land import Exclusion, developable
from geo_cluster.supply.parcels import fitting, parcel_faults
from geo_cluster.supply.raster import CellRule, raster_exclusion
from geo_cluster.supply.substations import headroom

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
TABLES = Path(geo_cluster.__file__).parent / "tables"
LAND = tomllib.loads((TABLES / "land.toml").read_text(encoding="utf-8"))
GRID = tomllib.loads((TABLES / "grid.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def parcels():
    return gpd.read_file(SAMPLE / "sample_parcels.geojson").set_index("parcel")


@pytest.fixture(scope="module")
def rules():
    table = pd.read_csv(SAMPLE / "sample_rules.csv")
    layers = {name: gpd.read_file(SAMPLE / "sample_exclusions.gpkg", layer=name) for name in table["layer"]}
    return [Exclusion(row.name, layers[row.layer], row.buffer_m) for row in table.itertuples(index=False, name="Rule")]


@pytest.fixture(scope="module")
def stations():
    table = pd.read_csv(SAMPLE / "sample_substations.csv")
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.lon, table.lat), crs=4326)


@pytest.mark.slow
def test_written_again_it_is_the_same_bytes(tmp_path):
    for out in (tmp_path / "a", tmp_path / "b"):
        subprocess.run([sys.executable, ROOT / "scripts" / "make_sample.py", "--out", out], check=True)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
        if path.suffix in (".md", ".csv", ".geojson"):  # binary formats carry the version of their writer
            assert path.read_bytes() == (SAMPLE / path.name).read_bytes(), path.name


def test_every_file_and_row_says_that_it_is_a_sample(parcels, stations):
    assert "非真实数据" in (SAMPLE / "README.md").read_text(encoding="utf-8")
    layers = [
        gpd.read_file(SAMPLE / "sample_exclusions.gpkg", layer=name)
        for name, _ in pyogrio.list_layers(SAMPLE / "sample_exclusions.gpkg")
    ]
    tables = [
        parcels,
        stations,
        *layers,
        pd.read_csv(SAMPLE / "sample_rules.csv"),
        pd.read_excel(SAMPLE / "sample_committed.xlsx"),
    ]
    for table in tables:
        assert table["sample"].str.contains("示例").all()
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert all(path.name.startswith("sample") or path.name == "README.md" for path in files)


@pytest.mark.slow
def test_from_parcels_to_what_fits(parcels, rules):
    assert parcel_faults(parcels.reset_index(), land=LAND) == []
    out = developable(parcels, rules)
    lost = out.filter(like="lost_").sum(axis=1)
    assert (out.net_ha + lost).to_numpy() == pytest.approx(out.gross_ha.to_numpy(), abs=1e-9)
    assert 0.5 < out.net_ha.sum() / out.gross_ha.sum() < 0.95
    assert (out.filter(like="lost_").sum() > 0).all()
    columns = ["site", "status", "use", "plot_ratio_max", "height_max_m", "price_wan_yuan_per_mu"]
    net = gpd.GeoDataFrame(parcels[columns], geometry=out.geometry)
    site_a = net[net.site.str.contains("Park A")]
    got = fitting(site_a, 60, hall=(60, 150), land=LAND, touch_m=1.0)
    assert set(got["count"]) <= {1, 2, 3, 4}
    assert (got.area_mu >= 60).all()


@pytest.mark.slow
def test_steep_ground_and_ground_nobody_surveyed(parcels):
    site_b = parcels[parcels.site.str.contains("Park B")]
    steep = raster_exclusion("steep", SAMPLE / "sample_elevation.tif", CellRule(at_least=8), slope=True, within=site_b)
    out = developable(site_b, [steep])
    assert out.lost_steep_ha.sum() > 0
    assert out.unknown_ha.sum() > 0


def test_from_stations_to_a_connection(parcels, stations):
    promised = pd.read_excel(SAMPLE / "sample_committed.xlsx", dtype={"from": str})
    spare = headroom(stations, promised, at=2025)
    assert spare.headroom_likely_mva.tolist() == pytest.approx([0, 16, 0, 0, 16, 0])
    sites = parcels.dissolve("site")
    site = gpd.GeoSeries([sites.geometry.iloc[0]], crs=sites.crs)
    assert len(connection(9, grid=GRID, dual_supply=True, site=site, substations=stations).best.substations) == 2
