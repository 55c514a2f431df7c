"""Land anywhere: cells against brute force and scipy, whatever the tiles, from spec to a site that is matched."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from unittest import mock

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt, label

from geo_cluster import cluster as crew
from geo_cluster import study
from geo_cluster.errors import InputError, Place
from geo_cluster.scenarios import read_for_others
from geo_cluster.suitability import (
    asks,
    candidates,
    criteria,
    exclusions,
    kernels_rules,
    rasters,
    regions,
    run,
    screen,
    sources,
)
from geo_cluster.suitability import spec as specs
from geo_cluster.suitability import surfaces as files
from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.supply.raster import slope_percent
from geo_cluster.world import portfolio

CRS, CELL, WEST, NORTH, ROWS, COLUMNS = "EPSG:3035", 20.0, 4_040_000, 3_100_000, 60, 75
NAME = {"zh": "示例", "en": "sample"}
ABOUT = {"source": "made up", "licence": "CC0"}


def raster(path, band, *, nodata=255, crs=CRS, cell=CELL, west=WEST, north=NORTH, **more):
    profile = {"driver": "GTiff", "count": 1, "dtype": band.dtype, "height": band.shape[0], "width": band.shape[1]}
    with rasterio.open(
        path, "w", **profile, crs=crs, nodata=nodata, transform=from_origin(west, north, cell, cell), **more
    ) as file:
        file.write(band, 1)
    return path


def surfaces(seed=1):
    rng = np.random.default_rng(seed)
    cover = rng.choice([10, 20, 50], (ROWS, COLUMNS), p=[0.86, 0.1, 0.04]).astype(np.uint8)
    cover[30:33, 40:44] = 255
    y, x = np.mgrid[:ROWS, :COLUMNS]
    dem = (200 + 30 * np.sin(x / 9) + 20 * np.cos(y / 7) + rng.normal(0, 0.3, x.shape)).astype(np.float32)
    dem[5, 60] = -9999
    return cover, dem


@pytest.fixture
def row(tmp_path):
    cover, dem = surfaces()
    raster(tmp_path / "cover.tif", cover)
    raster(tmp_path / "dem.tif", dem, nodata=-9999)
    spot = [shapely.Point(WEST + 700, NORTH - 600), shapely.LineString([(WEST, NORTH - 50), (WEST + 900, NORTH - 990)])]
    gpd.GeoDataFrame({"kind": ["a", "b"]}, geometry=spot, crs=CRS).to_file(tmp_path / "roads.gpkg")
    criterion = {"weight": 1.0, "unit": {"zh": "公里", "en": "km"}, "name": NAME}
    return {
        "name": NAME,
        "folder": str(tmp_path),
        "grid": {
            "crs": CRS,
            "cell_m": CELL,
            "bounds": [WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH],
        },
        "sources": {
            "cover": {"file": "cover.tif", **ABOUT},
            "dem": {"file": "dem.tif", **ABOUT},
            "roads": {"file": "roads.gpkg", **ABOUT},
        },
        "exclusions": {
            "built": {"source": "cover", "classes": [50], "buffer_m": 70, "name": NAME},
            "roads": {"source": "roads", "buffer_m": 45, "name": NAME},
            "steep": {"source": "dem", "slope": True, "above": 14, "name": NAME},
        },
        "criteria": {
            "near": {"measure": "distance_km", "source": "roads", "worst": 1.2, "best": 0.1, **criterion},
            "low": {"measure": "number", "source": "dem", "worst": 260, "best": 150, **criterion, "weight": 3.0},
        },
        "need": {"land_mu": 12, "hall_m": [40, 60], "count": 4, "spacing_km": 0.1},
    }


def same_bytes(one, other):
    for name in (run.SCORE, run.CODE, run.TABLE, run.ABOUT):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def ready(row):
    return screen.ready(specs.parse(row, where=Place("spec.toml")))


def whole(row, tile=2048):
    """Codes and scores of all the grid, put together from tiles."""
    made = ready(row)
    code, likely = np.zeros((ROWS, COLUMNS), np.uint8), np.zeros((3, ROWS, COLUMNS), np.uint16)
    for one in made.grid.tiles(tile):
        part = made.part(one)
        here = (slice(one.row, one.row + one.rows), slice(one.column, one.column + one.columns))
        code[here], likely[(slice(None), *here)] = part.stack.code, np.stack(part.scores(made.weight))
    return code, likely


def faults(row):
    with pytest.raises(InputError) as refusal:
        ready(row)
    return [fault.code for fault in refusal.value.faults]


def test_cells_are_those_of_scipy_and_shapely(row):
    code, (likely, low, high) = whole(row)
    cover, dem = surfaces()
    near = distance_transform_edt(cover != 50) * CELL <= 70
    unknown = (distance_transform_edt(cover != 255) * CELL <= 70) & ~near
    z = np.where(dem == -9999, np.nan, dem)
    slope = slope_percent(z, CELL, CELL)
    lines = gpd.read_file(f"{row['folder']}/roads.gpkg").geometry
    road = rasterize(lines.buffer(45, quad_segs=30), (ROWS, COLUMNS), transform=from_origin(WEST, NORTH, CELL, CELL))
    first = np.select([near, road == 1, slope > 14], [1, 2, 3], 0)
    first[(first == 0) & (unknown | np.isnan(slope))] = exclusions.UNKNOWN
    assert (code == first).all()
    y, x = np.nonzero(code == exclusions.FREE)
    at = shapely.points(WEST + (x + 0.5) * CELL, NORTH - (y + 0.5) * CELL)
    km = np.array([lines.distance(one).min() for one in at]) / 1000
    value = 0.25 * np.clip((km - 1.2) / -1.1, 0, 1) + 0.75 * np.clip((z[y, x] - 260) / -110, 0, 1)
    np.testing.assert_allclose(likely[y, x] / 100, 100 * value, atol=0.006)
    assert (low[y, x] == likely[y, x]).all() and (high[y, x] == likely[y, x]).all()
    assert (likely[code != exclusions.FREE] == criteria.NO_SCORE).all()
    assert (high[code == exclusions.UNKNOWN] != criteria.NO_SCORE).any()


@pytest.mark.parametrize("tile", [7, 32, 59])
def test_no_cell_depends_on_the_tiles(row, tile):
    for one, other in zip(whole(row), whole(row, tile), strict=True):
        assert np.array_equal(one, other)


def test_another_system_and_cell_size_reads_the_pixel_at_each_centre_whatever_the_tiles(row, tmp_path):
    rng = np.random.default_rng(5)
    fine = rng.integers(0, 3, (220, 260)).astype(np.uint8)
    raster(tmp_path / "degrees.tif", fine, crs=4326, cell=0.0001, west=6.13, north=50.87)
    corner = gpd.GeoSeries.from_xy([6.135], [50.865], crs=4326).to_crs(CRS).iloc[0]
    west, north = corner.x // CELL * CELL, corner.y // CELL * CELL
    row["grid"]["bounds"] = [west, north - 40 * CELL, west + 50 * CELL, north]
    row["sources"] = {"degrees": {"file": "degrees.tif", **ABOUT}}
    row["exclusions"] = {"one": {"source": "degrees", "classes": [1], "name": NAME}}
    row["criteria"] = {"low": row["criteria"]["low"] | {"source": "degrees", "worst": 2, "best": 0}}
    made = ready(row)
    got = made.sources["degrees"].read(made.grid, made.grid.whole)
    y, x = np.mgrid[: made.grid.rows, : made.grid.columns]
    centre = gpd.GeoSeries.from_xy(
        (made.grid.west + (x + 0.5) * CELL).ravel(), (made.grid.north - (y + 0.5) * CELL).ravel(), crs=CRS
    ).to_crs(4326)
    column, line = (centre.x - 6.13) / 0.0001, (50.87 - centre.y) / 0.0001
    sure = np.minimum(column % 1, line % 1).between(0.01, 0.99) & np.maximum(column % 1, line % 1).lt(0.99)
    inside = sure & column.between(0, 260) & line.between(0, 220)
    expected = fine[line[inside].astype(int), column[inside].astype(int)]
    assert inside.sum() > 1000 and (got.ravel()[inside] == expected).all()
    assert np.isnan(got.ravel()[sure & ~inside]).all()
    for part in made.grid.tiles(13):
        piece = made.sources["degrees"].read(made.grid, part)
        whole_ = got[part.row : part.row + part.rows, part.column : part.column + part.columns]
        assert np.array_equal(piece, whole_, equal_nan=True)


def test_an_exclusion_adds_no_land_and_their_order_changes_no_net(row):
    code, _ = whole(row)
    net = code == exclusions.FREE
    row["exclusions"] = dict(reversed(row["exclusions"].items()))
    assert np.array_equal(whole(row)[0] == exclusions.FREE, net)
    del row["exclusions"]["built"]
    more = whole(row)[0] == exclusions.FREE
    assert (more | ~net).all() and more.sum() > net.sum()


def test_beyond_a_distance_is_the_rest_of_within(row):
    row["exclusions"] = {"far": {"source": "cover", "classes": [50], "beyond_m": 70, "name": NAME}}
    code, _ = whole(row)
    cover, _ = surfaces()
    away = distance_transform_edt(cover != 50) * CELL
    maybe = distance_transform_edt(cover != 255) * CELL <= 70
    assert np.array_equal(code == 0, away <= 70)
    assert np.array_equal(code == exclusions.UNKNOWN, (away > 70) & maybe)


def test_what_is_unknown_widens_the_score(row):
    row["exclusions"] = {}
    code, (likely, low, high) = whole(row)
    assert (code == 0).all()
    assert low[5, 60] + 3750 == likely[5, 60] == high[5, 60] - 3750  # of a criterion that weighs three quarters
    row["criteria"] = {"low": row["criteria"]["low"]}
    assert (whole(row)[1][:, 5, 60] == criteria.NO_SCORE).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 90), st.booleans())
def test_circles_are_those_of_the_distance_transform(seed, metres, of_edge):
    rng = np.random.default_rng(seed)
    taken = rng.random((23, 31)) < 0.02
    reach, spans = kernels_rules.circle(metres, 10.0, of_edge=of_edge)
    got = kernels_rules.within(np.pad(taken, reach).astype(np.uint8), 1, reach, spans)
    y, x = np.nonzero(taken)
    rows, columns = np.mgrid[:23, :31]
    off = np.abs(rows[..., None] - y), np.abs(columns[..., None] - x)
    gap = np.maximum(np.stack(off) - (0.5 if of_edge else 0.0), 0) * 10.0
    expected = (np.hypot(*gap) <= metres + 1e-7).any(axis=-1)
    assert np.array_equal(got, expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_outlines_are_burnt_as_points_in_polygons(seed):
    rng = np.random.default_rng(seed)
    shape = shapely.make_valid(shapely.Polygon(rng.uniform(0, 300, (9, 2))))
    holed = shapely.difference(shape, shapely.Point(150, 150).buffer(40))
    parts = shapely.get_parts(np.array([shapely.buffer(holed, 0), shapely.box(35.5, 20.25, 90.25, 77)]))
    parts = shapely.get_parts(parts[~shapely.is_empty(parts)])
    grid = Grid(CRS, 10.0, 0.0, 300.0, 30, 30)
    found = sources.Outlines("o", parts, None).burnt(grid, Window(3, 4, 20, 19), 0.0)
    y, x = np.mgrid[3:23, 4:23]
    inside = shapely.contains_xy(shapely.union_all(parts), (x + 0.5) * 10, 300 - (y + 0.5) * 10)
    assert np.array_equal(found == 1, inside)


def test_a_run_writes_surfaces_and_the_table_and_goes_on_where_it_stopped(row, tmp_path):
    made, out = ready(row), tmp_path / "out"
    code, scores = whole(row)

    def stop(done, of):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run(made, out, tile=30, on_tile=stop)
    assert not list(out.glob("*.*"))[1:]  # the hidden folder alone
    begun = []
    answer = run.run(made, out, tile=30, on_tile=lambda done, of: begun.append((done, of)))
    assert begun[0] == (3, 6) and begun[-1] == (6, 6)
    assert not list(out.glob(".tiles*"))
    with rasterio.open(answer.score) as file:
        assert np.array_equal(file.read(), scores) and file.descriptions == files.BANDS and file.scales[0] == 0.01
        assert file.crs.to_epsg() == 3035 and file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    with rasterio.open(answer.code) as file:
        assert np.array_equal(file.read(1), code) and "made up (CC0)" in file.tags()["SOURCES"]
    taken = answer.exclusions.set_index("rule")
    assert taken["after_pct"].sum() == pytest.approx(100 - answer.free_pct - 100 * answer.unknown / answer.cells)
    assert taken.loc["roads", "after_pct"] == pytest.approx(100 * (code == 2).mean())
    assert (taken["alone_pct"] >= taken["after_pct"]).all()
    run.run(made, tmp_path / "again", tile=2048)
    same_bytes(out, tmp_path / "again")
    assert run.opened(out).free == answer.free


@pytest.mark.slow
def test_a_cluster_of_two_workers_writes_the_same_bytes(row, tmp_path, cluster):
    made, (address, _) = ready(row), cluster
    run.run(made, tmp_path / "here", tile=30)
    run.run(made, tmp_path / "there", tile=30, scheduler=address)
    (tmp_path / "cover.tif").write_bytes((tmp_path / "cover.tif").read_bytes()[:3000])
    with pytest.raises(InputError) as refusal:
        run.run(made, tmp_path / "cut", tile=30, scheduler=address)
    assert {fault.code for fault in refusal.value.faults} == {"suitability.unreadable_here"}
    same_bytes(tmp_path / "here", tmp_path / "there")


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_no_byte_and_the_last_one_is_named(row, tmp_path, cluster, monkeypatch):
    made, (address, client) = ready(row), cluster
    run.run(made, tmp_path / "here", tile=7)
    first, second = client.run(os.getpid).values()
    run.run(
        made,
        tmp_path / "there",
        tile=7,
        scheduler=address,
        on_tile=lambda done, _: os.kill(first, signal.SIGKILL) if done == 10 else None,
    )
    assert len(client.nthreads()) == 1
    same_bytes(tmp_path / "here", tmp_path / "there")
    monkeypatch.setattr(crew, "PATIENCE_S", 0.3)
    with pytest.raises(InputError) as refusal:
        run.run(
            made,
            tmp_path / "dead",
            tile=7,
            scheduler=address,
            on_tile=lambda done, _: os.kill(second, signal.SIGKILL) if done == 10 else None,
        )
    assert [fault.code for fault in refusal.value.faults] == ["suitability.worker_died"]
    assert not [one for one in (tmp_path / "dead").iterdir() if not one.name.startswith(".tiles")]
    run.run(made, tmp_path / "dead", tile=7)  # goes on here
    same_bytes(tmp_path / "here", tmp_path / "dead")


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(row, tmp_path):
    path, out = tmp_path / "spec.toml", tmp_path / "out"
    path.write_text(tomli_w.dumps({key: one for key, one in row.items() if key != "folder"}), encoding="utf-8")
    code = (
        "import sys, time; from pathlib import Path; from geo_cluster.suitability import run, screen, spec;"
        "run.run(screen.ready(spec.read(sys.argv[1])), Path(sys.argv[2]), tile=7, on_tile=lambda *_: time.sleep(0.02))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(out)])
    while len(list(out.glob(".tiles-*/*.json"))) < 20:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert all(one.name.startswith(".tiles") for one in out.iterdir())
    made, begun = screen.ready(specs.read(path)), []
    run.run(made, out, tile=7, on_tile=lambda done, of: begun.append(done))
    assert 20 <= begun[0] < begun[-1] == 99
    run.run(made, tmp_path / "whole", tile=30)
    same_bytes(out, tmp_path / "whole")


def test_overviews_are_means_of_what_has_a_score(row, tmp_path):
    dem = np.random.default_rng(3).uniform(150, 260, (531, 1101)).astype(np.float32)
    dem[100:110, 200:201] = -9999
    raster(tmp_path / "dem.tif", dem, nodata=-9999)
    row["grid"]["bounds"] = [WEST, NORTH - 531 * CELL, WEST + 1101 * CELL, NORTH]
    row["exclusions"] = {"low": {"source": "dem", "below": 160, "name": NAME}}
    row["criteria"] = {"low": row["criteria"]["low"]}
    answer = run.run(ready(row), tmp_path / "out", tile=256)
    with rasterio.open(answer.score) as file, rasterio.open(answer.code) as codes:
        assert file.overviews(1) == codes.overviews(1) == [2, 4]
        above, code = file.read(), codes.read(1)
    for level in (0, 1):
        wide = np.pad(above, ((0, 0), (0, above.shape[1] % 2), (0, above.shape[2] % 2)), constant_values=65535)
        four = np.stack([wide[:, a::2, b::2] for a in (0, 1) for b in (0, 1)]).astype(float)
        known = four != criteria.NO_SCORE
        mean = np.floor((four * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1) + 0.5)
        with rasterio.open(answer.score, overview_level=level) as file:
            above = file.read()
        assert np.array_equal(above, np.where(known.any(axis=0), mean, criteria.NO_SCORE))
        with rasterio.open(answer.code, overview_level=level) as file:
            assert np.array_equal(file.read(1), code[:: 2 ** (level + 1), :: 2 ** (level + 1)])


def test_an_overview_is_read_from_one_pixel_in_so_many(row, tmp_path):
    y, x = np.mgrid[:ROWS, :COLUMNS]
    raster(tmp_path / "dem.tif", (150 + x + y).astype(np.float32), nodata=-9999)
    row["exclusions"] = {"built": {"source": "cover", "classes": [50], "name": NAME}}
    row["criteria"] = {"low": row["criteria"]["low"]}
    exact = ready(row)
    wide = exact.coarser(5 * CELL)
    part = wide.part(wide.grid.whole)
    assert part.stack.code.shape == (12, 15)
    heights = wide.tile(wide.grid.whole).numbers("dem")
    assert np.array_equal(heights, (150 + x + y)[2::5, 2::5])  # the pixel in the middle, as where all are read
    assert np.array_equal(part.stack.code == 1, surfaces()[0][2::5, 2::5] == 50)
    assert np.array_equal(heights, replace(exact, grid=wide.grid).tile(wide.grid.whole).numbers("dem"))
    with mock.patch.object(rasters.Raster, "_numbers", side_effect=rasters.Raster._numbers, autospec=True) as read:
        wide.tile(wide.grid.whole).numbers("dem")
    assert read.call_args.args[1].shape == (12, 15)  # no more than the picture has


def test_each_project_and_segment_has_regions_by_its_own_need_and_weights(row, tmp_path):
    row["segments"] = {"laser_chip": {"weights": {"near": 9.0}, "hall_m": [20, 20]}}
    made = ready(row)
    answer = run.run(made, tmp_path / "out", tile=30)
    projects = (
        portfolio.read("sample")
        .iloc[:3]
        .assign(
            segment=["laser_chip", "optics_crystal", "laser_chip"],
            land_mu_likely=[9.0, 12.0, 18.0],
            power_mva_likely=[1.0, 2.0, 3.0],
        )
    )
    by_segment = asks.asked(made.spec, projects, "segment")
    assert [(one.key, one.need.land_mu, one.need.mva) for one in by_segment] == [
        ("laser_chip", 18.0, 3.0),
        ("optics_crystal", 12.0, 2.0),
    ]
    found = asks.find(answer, made, by_segment)
    # the oracle: a screening whose own weights and need are the segment's
    row["criteria"]["near"]["weight"] = 9.0
    other = ready(row)
    alone = regions.find(run.run(other, tmp_path / "other"), by_segment[0].need, screen=other)
    chip = found[found["asked_by"] == "laser_chip"].reset_index(drop=True)
    assert len(chip) and chip["score"].tolist() == alone["score"].tolist()
    assert chip.geometry.geom_equals(alone.geometry).all()
    assert list(chip["rank"]) == list(range(1, len(chip) + 1)) and (chip["power_mva"] == 3.0).all()
    plain = regions.find(answer, made.spec.need, screen=made)
    assert found[found["asked_by"] == "optics_crystal"]["score"].tolist() == plain["score"].tolist()
    apart = asks.find(answer, made, asks.asked(made.spec, projects, "project"), apart=True)
    assert set(apart["asked_by"]) >= {projects.index[0]}
    gaps = [a.distance(b) for k, a in enumerate(apart.geometry) for b in apart.geometry[:k]]
    assert min(gaps) >= 0.1 * 1000
    row["segments"] = {"no": {"weights": {"far": 1.0}}}
    assert faults(row) == ["suitability.no_such_segment", "suitability.no_such_criterion"]


def test_regions_are_of_the_need_in_one_piece_on_free_land_apart_and_ranked(row, tmp_path):
    made = ready(row)
    answer = run.run(made, tmp_path / "out", tile=30)
    found = regions.find(answer, made.spec.need, screen=made)
    assert len(found) >= 2
    assert (found["land_mu"] >= 12).all() and (found["land_mu"] < 12.7).all()
    assert (found.geometry.geom_type == "Polygon").all()
    assert found["score"].is_monotonic_decreasing
    assert ((found["hall_width_m"] >= 39.9) & (found["hall_length_m"] >= 59.9)).all()
    code, (likely, *_) = whole(row)
    for one in found.itertuples():
        inside = rasterize([one.geometry], code.shape, transform=from_origin(WEST, NORTH, CELL, CELL)) == 1
        assert (code[inside] == exclusions.FREE).all() and label(inside)[1] == 1
        assert one.score == pytest.approx(likely[inside].mean() / 100)
        assert one.low == pytest.approx(surfaces()[1][inside].mean(), rel=1e-5)
    gaps = [a.distance(b) for k, a in enumerate(found.geometry) for b in found.geometry[:k]]
    assert min(gaps) >= 100
    whole_park = gpd.GeoDataFrame(geometry=[found.geometry.iloc[0]], crs=CRS)
    over = regions.over(answer, whole_park)
    assert over["score"].iloc[0] == pytest.approx(found["score"].iloc[0], abs=1e-6)
    huge = made.spec.need.model_copy(update={"land_mu": 5000.0})
    assert regions.find(answer, huge).empty


def test_the_story_of_a_cell_is_what_the_surfaces_say(row):
    code, (likely, _, _) = whole(row)
    made = ready(row)
    y, x = (int(one[40]) for one in np.nonzero(code == 0))
    at = gpd.GeoSeries.from_xy([WEST + (x + 0.5) * CELL], [NORTH - (y + 0.5) * CELL], crs=CRS).to_crs(4326).iloc[0]
    told = made.story(at.x, at.y)
    assert (told["row"], told["column"], told["code"]) == (y, x, 0)
    assert told["score"] == likely[y, x] / 100 == pytest.approx(sum(told["points"].values()), abs=0.006)
    assert set(told["rules"].values()) == {0}
    with pytest.raises(InputError):
        made.story(0.0, 0.0)


@pytest.mark.slow
def test_a_region_of_the_province_is_scored_and_matched_like_any_site(tmp_path):
    made = screen.ready(specs.read().of_grid(cell_m=500))
    answer = run.run(made, tmp_path / "out")
    need = made.spec.need.model_copy(update={"count": 1})
    found = regions.find(answer, need, screen=made)
    scenario = read_for_others("default")
    result = study.run(candidates.as_sites(scenario, found, made.spec, tmp_path / "own"))
    assert result.violations == ()
    (at,) = np.flatnonzero(result.sites["id"] == "L01")
    known = result.observations.query("site_id == 'L01'").set_index("attribute")
    assert known.loc["available_land_ha", ["low", "likely", "high"]].tolist() == pytest.approx([0, 25, 25])
    assert known.loc["available_land_ha", "basis"] == "derived"
    assert np.isfinite(result.decision.score[:, at]).all()
    # the surface and the study agree on what both measure
    minutes = known.loc["supplier_access", "likely"]
    assert found["supplier_access"].iloc[0] == pytest.approx(minutes, rel=0.05)


def refused(row, out):
    with pytest.raises(InputError) as refusal:
        run.run(ready(row), out, tile=30)
    assert not [one for one in out.glob("*") if not one.name.startswith(".tiles")]  # nothing half written
    return [fault.code for fault in refusal.value.faults]


def test_rasters_that_say_too_little_are_refused_all_at_once(row, tmp_path):
    cover, dem = surfaces()
    raster(tmp_path / "cover.tif", cover, nodata=None)
    raster(tmp_path / "dem.tif", dem, crs=None, nodata=-9999)
    assert faults(row) == ["suitability.no_nodata", "suitability.no_crs"]
    row["sources"]["cover"]["nodata"] = "none"
    row["sources"]["dem"]["crs"] = CRS
    ready(row)
    row["sources"]["dem"]["crs"] = "EPSG:0"
    row["sources"]["cover"]["file"] = "missing.tif"
    assert faults(row) == ["common.no_such_file", "suitability.no_such_crs"]
    (tmp_path / "missing.tif").write_text("no raster")
    assert faults(row) == ["supply.raster_unreadable", "suitability.no_such_crs"]


def test_feet_are_brought_to_metres_or_noticed(row, tmp_path):
    dem = surfaces()[1]
    metres = whole(row)
    raster(tmp_path / "dem.tif", np.where(dem == -9999, dem, dem / np.float32(rasters.FOOT_M)), nodata=-9999)
    with rasterio.open(tmp_path / "dem.tif", "r+") as file:
        file.units = ("ft",)
    feet = whole(row)
    assert np.array_equal(feet[0], metres[0])
    assert np.abs(feet[1].astype(int) - metres[1]).max() <= 1
    raster(tmp_path / "dem.tif", np.where(dem == -9999, dem, dem * 60), nodata=-9999)
    assert refused(row, tmp_path / "out") == ["suitability.no_such_height"]
    row["sources"]["dem"] |= {"unit": "ft"}
    whole(row)


def test_classes_outside_the_legend_are_named(row, tmp_path):
    row["sources"]["cover"]["legend"] = [10, 50]
    assert refused(row, tmp_path / "out") == ["suitability.class_not_in_legend"]
    row["sources"]["cover"]["legend"] = [10, 20, 50]
    run.run(ready(row), tmp_path / "out")


def test_a_mask_of_one_bit_that_is_turned_round_is_noticed(row, tmp_path):
    taken = (surfaces()[0] == 50).astype(np.uint8)
    row["exclusions"] = {"mask": {"source": "cover", "classes": [1], "name": NAME}}
    raster(tmp_path / "cover.tif", taken, nodata=None, nbits=1)
    row["sources"]["cover"]["nodata"] = "none"
    assert run.run(ready(row), tmp_path / "right").free_pct == pytest.approx(100 - 100 * taken.mean())
    raster(tmp_path / "cover.tif", 1 - taken, nodata=None, nbits=1)
    assert refused(row, tmp_path / "out") == ["suitability.turned_round"]
    row["exclusions"]["mask"]["takes_most"] = True
    run.run(ready(row), tmp_path / "meant")


def test_a_raster_that_is_cut_off_or_elsewhere_is_refused(row, tmp_path):
    content = (tmp_path / "cover.tif").read_bytes()
    (tmp_path / "cover.tif").write_bytes(content[:3000])
    assert refused(row, tmp_path / "out") == ["suitability.unreadable_here"]
    raster(tmp_path / "cover.tif", surfaces()[0], west=WEST + 10**5)
    assert faults(row) == ["suitability.no_overlap"]


def test_a_disk_that_is_full_or_fills_leaves_nothing_half_written(row, tmp_path, monkeypatch):
    usage = run.shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(run.shutil, "disk_usage", lambda _: usage._replace(free=1000))
        assert refused(row, tmp_path / "out") == ["suitability.no_room"]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_tile", full)
        assert refused(row, tmp_path / "out") == ["suitability.not_written"]
    with monkeypatch.context() as patch:
        patch.setattr(files, "assemble", full)
        assert refused(row, tmp_path / "out") == ["suitability.not_written"]

    def broken(*_, **__):
        raise SystemError("Unknown GDAL Error")  # what comes of a disk that fills while GDAL writes

    with monkeypatch.context() as patch:
        patch.setattr("rasterio.shutil.copy", broken)
        assert refused(row, tmp_path / "out") == ["suitability.not_written"]
    run.run(ready(row), tmp_path / "out", tile=30)


def test_a_cluster_that_is_not_there_or_whose_workers_die_is_named(row, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    made = ready(row)
    with pytest.raises(InputError) as refusal:
        run.run(made, tmp_path / "out", scheduler="tcp:/nowhere")
    assert refusal.value.faults[0].code == "intake.no_scheduler"

    def dead(*_):
        raise distributed.KilledWorker("tile", None, 3)
        yield

    monkeypatch.setattr(distributed, "Client", mock.MagicMock())
    monkeypatch.setattr(run, "_in_turn", dead)
    with pytest.raises(InputError) as refusal:
        run.run(made, tmp_path / "out", scheduler="tcp://somewhere:8786")
    assert refusal.value.faults[0].code == "suitability.worker_died"


def test_rules_that_ask_for_what_a_source_has_not_are_refused_at_once(row):
    row["exclusions"]["built"] = {"source": "cover", "name": NAME}
    row["exclusions"]["roads"] = {"source": "roads", "above": 3, "name": NAME}
    row["criteria"]["near"]["measure"] = "number"
    row["criteria"]["low"]["measure"] = "distance_km"
    assert sorted(faults(row)) == [
        "suitability.distance_to_raster",
        "suitability.needs_a_buffer",
        "suitability.number_of_outlines",
        "suitability.rule_tests_nothing",
        "suitability.rule_tests_outlines",
    ]


def test_names_and_grids_that_are_not_there_are_refused_with_their_place(row):
    row["exclusions"]["built"]["source"] = "covr"
    row["criteria"]["near"]["worst"] = row["criteria"]["near"]["best"]
    assert set(faults(row)) >= {"suitability.no_such_source"}
    row["exclusions"]["built"]["source"] = "cover"
    row["criteria"]["near"]["worst"] = 9.0
    row["sources"]["roads"]["where"] = {"column": "kind", "classes": ["z"]}
    assert faults(row) == ["suitability.nothing_to_reach"]
    row["sources"]["roads"]["where"] = {"column": "sort", "classes": ["z"]}
    assert faults(row) == ["suitability.no_such_column"]
    row["grid"]["crs"] = "EPSG:4326"
    assert faults(row) == ["suitability.not_in_metres"]
    row["grid"] |= {"crs": CRS, "bounds": [0, 10, 10, 0]}
    assert faults(row) == ["suitability.odd_extent"]


def test_the_command_screens_and_a_spec_stands_in_place_of_ours(row, tmp_path, call):
    path = tmp_path / "spec.toml"
    path.write_text(tomli_w.dumps({key: one for key, one in row.items() if key != "folder"}), encoding="utf-8")
    code, told, complained = call("suitability", path, "--out", tmp_path / "out", "--lang", "en")
    assert code == 0, complained
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        *(run.SCORE, run.CODE, run.TABLE, run.ABOUT),
        *("regions.geojson", "regions.csv"),
    }
    assert told.count("sample") == 3
