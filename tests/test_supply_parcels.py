"""Parcels that fit, prices, standard land, rasters."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely import affinity
from shapely.geometry import Polygon, box

import geo_cluster
from geo_cluster.errors import Fault, Place
from geo_cluster.supply.land import developable
from geo_cluster.supply.parcels import fitting, hall_fits, offered, parcel_faults, status_of, use_of
from geo_cluster.supply.raster import CellRule, excluded_share, raster_exclusion, slope_percent
from geo_cluster.supply.standards import floor_price, standard_land
from tests.refusals import refused

LAND = tomllib.loads((Path(geo_cluster.__file__).parent / "tables" / "land.toml").read_text(encoding="utf-8"))
CRS = 4547
X, Y = 550_000.0, 3_350_000.0


def parcels(*shapes, **columns):
    moved = [affinity.translate(shape, X, Y) for shape in shapes]
    return gpd.GeoDataFrame(columns, geometry=moved, crs=CRS)


ROW = [
    box(0, 0, 100, 100),
    box(100, 0, 200, 100),
    box(200, 0, 300, 100),
    box(300, 100, 400, 200),
    box(600, 0, 800, 100),
]


def test_unions_are_connected_minimal_and_bounded():
    got = fitting(parcels(*ROW), 30)  # 15 mu a parcel, the last one 30
    assert got["parcels"].tolist() == [(0, 1), (1, 2), (4,)]
    assert got["area_mu"].tolist() == pytest.approx([30, 30, 30])
    # the fourth parcel meets the third in a corner only
    assert fitting(parcels(*ROW), 45)["parcels"].tolist() == [(0, 1, 2)]
    assert fitting(parcels(*ROW), 45, largest_union=2).empty


def test_the_hall_has_to_fit_across_the_joint():
    got = fitting(parcels(*ROW[:3]), 15, hall=(60, 180))
    assert got["parcels"].tolist() == [(0, 1), (1, 2)]
    assert fitting(parcels(*ROW[:3]), 15, hall=(110, 180)).empty
    gap = parcels(box(0, 0, 100, 100), box(100.2, 0, 200, 100))
    assert fitting(gap, 25, hall=(60, 180)).shape[0] == 1


def test_hall_of_another_shape_than_the_largest_rectangle():
    shape = box(0, 0, 150, 28).union(box(0, 0, 30, 95))
    turned = affinity.rotate(shape, 21)
    assert hall_fits(turned, (29, 94))  # only in the smaller arm
    assert not hall_fits(turned, (31, 94))
    assert not hall_fits(turned, (29, 96))
    assert hall_fits(turned, (27.9, 149.9))


def test_status_use_and_limits_choose():
    frame = parcels(*ROW[:3], status=["净地", "已供", "净地"], use=["M1", "M1", "100102"], height_max_m=[24, 24, 60])
    assert fitting(frame, 15, land=LAND)["parcels"].tolist() == [(0,), (2,)]
    assert fitting(frame, 15, land=LAND, height_m=30)["parcels"].tolist() == [(2,)]
    dense = parcels(*ROW[:3], plot_ratio_max=[1.0, 1.0, 2.0], price_wan_yuan_per_mu=[10.0, 12.0, 20.0])
    got = fitting(dense, 10, floor_area_m2=15_000)
    assert got["parcels"].tolist() == [(2,), (0, 1)]
    assert got["price_wan_yuan"].tolist() == pytest.approx([300, 330])


def test_every_fault_of_a_parcel_layer_is_named():
    bow_tie = Polygon([(400, 0), (500, 100), (500, 0), (400, 100)])
    bad = parcels(box(0, 0, 100, 100), bow_tie, parcel=["A", "A"], status=["空地", "净地"], plot_ratio_max=[-1.0, 2.0])
    first, second = (Place("parcels", row=row, entry="A") for row in (1, 2))
    assert [(fault.code, fault.place) for fault in parcel_faults(bad, land=LAND)] == [
        ("supply.ring_crosses_itself", second),
        ("supply.parcel_named_twice", second),
        ("supply.word_unknown", replace(first, column="status")),
        ("supply.no_positive_number", replace(first, column="plot_ratio_max")),
    ]
    (overlap,) = parcel_faults(parcels(box(0, 0, 100, 100), box(90, 0, 200, 100)), land=LAND)
    assert overlap == Fault(
        "supply.parcels_overlap", Place("parcels", row=2), other="1", m2=pytest.approx(1000), ha=pytest.approx(0.1)
    )
    assert parcel_faults(parcels(*ROW), land=LAND) == []


def test_a_boundary_that_was_drawn_twice_is_no_overlap():
    slivers = []
    drawn_twice = parcels(box(0, 0, 100, 100), box(99.95, 0, 200, 100))
    assert parcel_faults(drawn_twice, land=LAND, slivers=slivers) == []
    assert slivers == [(0, 1, pytest.approx(5))]
    assert len(parcel_faults(parcels(box(0, 0, 100, 100), box(99.85, 0, 200, 100)), land=LAND)) == 1


def test_words_of_status_and_use_are_known_as_people_write_them():
    words = {"净地": "净地", "已出让": "已供", "granted": "已供", "未供": "净地", "怪地": ""}
    assert {word: status_of(word, LAND) for word in words} == words
    uses = {
        "M1": "M1",
        "二类工业用地": "M2",
        "100101": "100101",
        "R2": "other",
        "0701": "other",
        "绿地": "other",
        "?": "",
    }
    assert {word: use_of(word, LAND) for word in uses} == uses
    land = parcels(*ROW[:3], status=["已出让", "", None], use=["M1", "R2", ""])
    assert offered(land, land=LAND).tolist() == [False, False, True]


def test_floor_price_and_the_seventy_percent_rule():
    assert floor_price(4, land=LAND).yuan_per_m2 == 480  # Wuhan's inner districts
    assert [floor_price(k, land=LAND).wan_yuan_per_mu for k in (1, 4, 15)] == pytest.approx([56, 32, 4])
    both = floor_price(9, land=LAND, priority_industry=True, intensive=True)
    assert both.yuan_per_m2 == pytest.approx(204 * 0.7)
    assert len(both.documents) == 2
    assert floor_price(9, land=LAND, priority_industry=True).share == 1
    assert floor_price(9, land=LAND, priority_industry=True, intensive=True, cost_yuan_per_m2=180).yuan_per_m2 == 180
    assert refused(floor_price, 16, land=LAND, cost_yuan_per_m2=-1) == [
        ("supply.land_class_unknown", "land_class"),
        ("supply.cost_negative", "cost_yuan_per_m2"),
    ]


def test_standard_land_is_met_failed_open_or_unknown():
    project = {"plot_ratio": 1.6, "investment_wan_yuan_per_mu": (180, 260, 400), "office_land_share": 0.09}
    got = standard_land(project, land=LAND).set_index("indicator")
    asked = ["plot_ratio", "investment_wan_yuan_per_mu", "office_land_share", "tax_wan_yuan_per_mu"]
    assert got.result[asked].tolist() == ["met", "open", "failed", "unknown"]
    assert got.gap["office_land_share"] == pytest.approx(0.02)
    assert got.binds[["plot_ratio", "building_coefficient", "office_land_share"]].all()
    assert not got.binds[["investment_wan_yuan_per_mu", "tax_wan_yuan_per_mu", "green_share"]].any()
    assert refused(standard_land, {"floor": 1}, land=LAND) == [("supply.indicator_unknown", "project, column floor")]


@pytest.mark.parametrize(
    ("day", "limit", "state"),
    [("2023-06-24", 0.30, "in_force"), ("2023-06-25", 0.40, "open"), ("2008-01-30", 0.30, "not_yet")],
)
def test_building_coefficient_is_that_of_the_set_in_force(day, limit, state):
    got = standard_land({}, land=LAND, on=datetime.date.fromisoformat(day)).set_index("indicator")
    row = got.loc["building_coefficient"]
    assert (row.limit_likely, row.state) == (limit, state)
    assert bool(row.remark_zh) == (state == "not_yet")
    assert bool(row.remark_en) == (state == "not_yet")


def test_a_floor_price_before_there_was_one_says_so():
    early, now = (floor_price(9, land=LAND, on=datetime.date(year, 6, 1)) for year in (2006, 2026))
    assert early.yuan_per_m2 == now.yuan_per_m2
    assert "作参考" in early.words_zh
    assert "indication" in early.words_en
    assert "作参考" not in now.words_zh


def test_own_checks_without_dates_are_named():
    own = {"check": [{key: value for key, value in LAND["check"][0].items() if key != "valid_from"}]}
    assert refused(standard_land, {}, land=own)[0][0] == "rules.undated"


def test_tables_carry_date_source_class_and_confidence():
    for row in (*LAND["check"], *LAND["use"], *LAND["land_class"]):
        assert {"as_of", "source", "source_class", "confidence"} <= set(row), row
    assert LAND["floor_price"]["yuan_per_m2"] == sorted(LAND["floor_price"]["yuan_per_m2"], reverse=True)


@pytest.fixture
def raster(tmp_path):
    def write(values, size=10.0, nodata=-1, crs=CRS):
        path = tmp_path / "r.tif"
        values = np.asarray(values, dtype="float32")
        shape = {"height": values.shape[0], "width": values.shape[1]}
        place = from_origin(X, Y + size * values.shape[0], size, size)
        with rasterio.open(
            path, "w", driver="GTiff", count=1, dtype="float32", nodata=nodata, crs=crs, transform=place, **shape
        ) as out:
            out.write(values, 1)
        return path

    return write


def test_thresholds_say_whether_they_hold_at_the_limit():
    values = np.array([24.0, 25.0, 26.0, np.nan])
    assert CellRule(at_least=25).excludes(values).tolist() == [False, True, True, False]
    assert CellRule(above=25).excludes(values).tolist() == [False, False, True, False]
    assert CellRule(at_most=25).excludes(values).tolist() == [True, True, False, False]
    assert CellRule(below=25).excludes(values).tolist() == [True, False, False, False]
    assert CellRule(classes=[24, 26]).excludes(values).tolist() == [True, False, True, False]


def test_cell_centre_exact_fraction_and_polygons(raster):
    path = raster([[50, 10, 10, 10], [50, 10, -1, 10], [10, 10, 10, 10]])
    site = parcels(box(4, 4, 34, 26))
    rule = CellRule(classes=[50])
    exact = excluded_share(site, path, rule).iloc[0]
    cells = 6 * 6 + 6 * 10
    assert exact.excluded == pytest.approx(cells / (30 * 22))
    assert exact.unknown == pytest.approx(100 / (30 * 22))
    assert exact.sum() == pytest.approx(1)
    centre = excluded_share(site, path, rule, mode="cell_centre").iloc[0]
    assert (centre.excluded, centre.unknown) == pytest.approx((2 / 9, 1 / 9))
    out = developable(site, [raster_exclusion("built", path, rule, within=site)]).iloc[0]
    assert out.lost_built_ha == pytest.approx(cells / 1e4)
    assert out.unknown_ha == pytest.approx(100 / 1e4)


def test_ground_beyond_the_raster_is_unknown(raster):
    path = raster(np.full((3, 3), 10.0))
    site = parcels(box(10, 10, 50, 20))
    for mode in ("exact", "cell_centre"):
        assert excluded_share(site, path, CellRule(classes=[50]), mode=mode).unknown[0] == pytest.approx(0.5)
    out = developable(site, [raster_exclusion("built", path, CellRule(classes=[50]), within=site)])
    assert out.unknown_ha[0] == pytest.approx(0.02)


def test_slope_of_a_tilted_plane(raster):
    x, y = np.meshgrid(np.arange(6) * 10.0, np.arange(5) * 10.0)
    plane = 0.3 * x + 0.4 * y
    assert slope_percent(plane, 10, 10)[1:-1, 1:-1] == pytest.approx(np.full((3, 4), 50.0))
    path = raster(plane + 100)
    got = excluded_share(parcels(box(10, 10, 50, 40)), path, CellRule(at_least=49.9), slope=True).iloc[0]
    assert got.excluded == pytest.approx(1.0)
    in_degrees = raster(plane, crs=4490)
    assert refused(excluded_share, parcels(*ROW[:1]), in_degrees, CellRule(above=1), slope=True, band=2) == [
        ("supply.slope_in_degrees", str(in_degrees)),
        ("supply.raster_without_band", str(in_degrees)),
    ]


def test_a_raster_is_opened_by_what_its_ending_says_only(tmp_path):
    secret = tmp_path / "secret.tif"
    described = f"<VRTDataset><VRTRasterBand><SourceFilename>{secret}</SourceFilename></VRTRasterBand></VRTDataset>"
    (tmp_path / "r.vrt").write_text(described)
    (tmp_path / "r.tif").write_text(described)
    for name, code in (
        ("r.vrt", "supply.raster_of_another_kind"),
        ("r.tif", "supply.raster_unreadable"),
        ("s.tif", "common.no_such_file"),
    ):
        path = tmp_path / name
        assert refused(raster_exclusion, "a", path, CellRule(classes=[1])) == [(code, str(path))]
