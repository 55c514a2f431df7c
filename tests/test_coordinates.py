import geopandas as gpd
import numpy as np
import prcoords
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod

from geo_cluster.errors import InputError
from geo_cluster.world.coordinates import (
    SYSTEMS,
    area_ha,
    area_mu,
    cgcs2000_zone,
    convert,
    convert_geometry,
)

lons, lats = st.floats(73.0, 136.0), st.floats(3.0, 54.0)


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [  # test vectors of the open implementation "eviltransform"
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_published_points(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    np.testing.assert_allclose(convert(*wgs84, source="wgs84", target="gcj02"), gcj02, atol=2e-6)
    np.testing.assert_allclose(convert(*gcj02, source="gcj02", target="wgs84"), wgs84, atol=2e-6)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=20))
def test_arrays_give_what_the_library_gives_point_by_point(points: list[tuple[float, float]]) -> None:
    lon, lat = np.array(points).T
    for target, one in (("gcj02", prcoords.wgs_gcj), ("bd09", prcoords.wgs_bd)):
        expected = np.array([one((y, x)) for x, y in points])
        x, y = convert(lon, lat, source="wgs84", target=target)
        np.testing.assert_allclose(np.column_stack([y, x]), expected, rtol=0, atol=1e-12)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=20))
def test_the_inverse_is_good_to_a_tenth_of_a_millimetre_and_agrees_with_the_library(
    points: list[tuple[float, float]],
) -> None:
    lon, lat = np.array(points).T
    for source, back in (("gcj02", prcoords.gcj_wgs_bored), ("bd09", prcoords.bd_wgs_bored)):
        x, y = convert(*convert(lon, lat, source="wgs84", target=source), source=source, target="wgs84")
        np.testing.assert_allclose([x, y], [lon, lat], rtol=0, atol=1e-9)
        shifted = np.column_stack(convert(lon, lat, source="wgs84", target=source))
        theirs = np.array([back((b, a)) for a, b in shifted])  # stops when it is within 1e-5 degrees
        np.testing.assert_allclose([y, x], theirs.T, rtol=0, atol=1e-6)


@pytest.mark.slow
@settings(deadline=None)
@given(lons, lats, st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS))
def test_ways_over_a_third_system_lead_to_the_same_place(lon: float, lat: float, a: str, b: str, c: str) -> None:
    direct = convert(lon, lat, source=a, target=c)
    over = convert(*convert(lon, lat, source=a, target=b), source=b, target=c)
    np.testing.assert_allclose(over, direct, rtol=0, atol=1e-9)


def test_points_outside_china_and_missing_ones_stay_in_an_array_with_others() -> None:
    lon, lat = np.array([-0.1276, 114.5, np.nan]), np.array([51.5072, 30.5, 30.0])
    x, y = convert(lon, lat, source="wgs84", target="gcj02")
    assert (x[0], y[0]) == (-0.1276, 51.5072)
    assert x[1] != 114.5 and np.isnan(x[2]) and y[2] == 30.0
    assert lon[1] == 114.5  # the caller's array is untouched


def test_all_faults_at_once() -> None:
    with pytest.raises(InputError) as refusal:
        convert([30.5, 114.0], [114.5, 30.0], source="gcj", target="baidu")
    codes = [fault.code for fault in refusal.value.faults]
    assert codes == ["world.no_such_system", "world.no_such_system", "world.not_degrees"]
    assert refusal.value.faults[-1].values == {"lon": 30.5, "lat": 114.5}
    with pytest.raises(InputError) as refusal:
        convert([0, 200, 300], [0, 0, 0], source="wgs84", target="gcj02")
    (fault,) = refusal.value.faults
    assert (fault.code, fault.values["more"], fault.where) == ("world.not_degrees_with_more", 1, "point 1")


def test_geometries_keep_their_shape_index_and_crs() -> None:
    box = shapely.Polygon([(114, 30), (115, 30), (115, 31)], [[(114.5, 30.2), (114.8, 30.2), (114.8, 30.4)]])
    series = gpd.GeoSeries([box, shapely.Point(114.5, 30.5)], index=[7, 9], crs=4326)
    moved = convert_geometry(series, source="wgs84", target="gcj02")
    assert moved.index.tolist() == [7, 9] and moved.crs == series.crs
    assert len(moved[7].interiors) == 1
    expected = convert(114.5, 30.5, source="wgs84", target="gcj02")
    assert (moved[9].x, moved[9].y) == (expected[0], expected[1])
    frame = gpd.GeoDataFrame({"a": [1, 2]}, geometry=series.to_numpy(), crs=4326)
    assert convert_geometry(frame, source="wgs84", target="gcj02")["a"].tolist() == [1, 2]


@pytest.mark.parametrize("zone", range(25, 46))
def test_zones_are_those_that_epsg_names(zone: int) -> None:
    meridian = 3.0 * zone
    for lon in (meridian - 1.49, meridian, meridian + 1.49):
        plain, prefixed = CRS.from_epsg(cgcs2000_zone(lon)), CRS.from_epsg(cgcs2000_zone(lon, prefix=True))
        assert plain.name == f"CGCS2000 / 3-degree Gauss-Kruger CM {meridian:.0f}E"
        assert prefixed.name == f"CGCS2000 / 3-degree Gauss-Kruger zone {zone}"


def test_zones_of_geometries_and_places_without_one() -> None:
    series = gpd.GeoSeries([shapely.box(110.5, 32, 110.9, 33), shapely.Point(115.04, 30.2)], index=["s", "h"], crs=4326)
    assert cgcs2000_zone(series).to_dict() == {"s": 4546, "h": 4547}
    assert cgcs2000_zone(series.to_crs(4547)).to_dict() == {"s": 4546, "h": 4547}
    assert cgcs2000_zone(series.iloc[0]) == 4546
    assert cgcs2000_zone([110.0, 115.0]).tolist() == [4546, 4547]
    with pytest.raises(InputError) as refusal:
        cgcs2000_zone([114.0, 30.0])
    assert (refusal.value.faults[0].code, refusal.value.faults[0].values) == ("world.in_no_zone", {"lon": 30.0})
    with pytest.raises(InputError) as refusal:
        area_ha(gpd.GeoSeries([shapely.box(114, 30, 115, 31)]))
    assert refusal.value.faults[0].code == "world.no_crs"


def test_a_square_of_a_thousand_metres_is_a_hundred_hectares_and_1500_mu() -> None:
    square = gpd.GeoSeries([shapely.box(500_000, 3_350_000, 501_000, 3_351_000)], crs=4547)
    assert area_ha(square)[0] == pytest.approx(100, rel=1e-9)
    assert area_mu(square)[0] == pytest.approx(1500, rel=1e-9)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(74, 135), st.floats(18, 53)), min_size=1, max_size=8))
def test_areas_across_zones_agree_with_the_ellipsoid_to_the_zone_s_distortion(
    corners: list[tuple[float, float]],
) -> None:
    shapes = [shapely.box(x, y, x + 0.02, y + 0.02) for x, y in corners]
    series = gpd.GeoSeries(shapes, index=range(100, 100 + len(shapes)), crs=4326)
    exact = np.array([abs(Geod(ellps="GRS80").geometry_area_perimeter(shape)[0]) / 1e4 for shape in shapes])
    ratio = area_ha(series) / exact
    assert ratio.index.tolist() == series.index.tolist()
    assert (ratio > 0.9998).all() and (ratio < 1.0007).all()


def test_missing_and_empty_geometries_have_no_area_and_none() -> None:
    series = gpd.GeoSeries([None, shapely.Polygon(), shapely.box(114, 30, 114.01, 30.01)], crs=4326)
    area = area_ha(series)
    assert np.isnan(area[0]) and area[1] == 0 and area[2] > 100
