"""Developable land: closed forms, properties, and what must be refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.supply.land import Exclusion, developable
from geo_cluster.supply.layer import measured_faults
from geo_cluster.supply.rings import ring_fault
from tests.refusals import refused

CRS = 4547  # CGCS2000, zone about 114 E
X, Y = 550_000.0, 3_350_000.0


def at(shape, x=0.0, y=0.0):
    return affinity.translate(shape, X + x, Y + y)


def sites(*shapes, crs=CRS):
    return gpd.GeoDataFrame(geometry=[at(s) if s is not None else None for s in shapes], crs=crs)


def layer(*shapes):
    return gpd.GeoSeries([at(s) for s in shapes], crs=CRS)


HECTARE = box(0, 0, 100, 100)
LOCAL = 'LOCAL_CS["site",UNIT["metre",1]]'


def test_atlites_quarter():
    """Excluding a quarter leaves three quarters (the check of atlite's test_shape_availability_exclude_geometry)."""
    out = developable(sites(HECTARE), [Exclusion("quarter", layer(box(50, 50, 100, 100)))])
    assert out.net_ha[0] == pytest.approx(0.75, abs=1e-9)


def test_overlaps_are_charged_once_in_declared_order():
    farmland = Exclusion("farmland", layer(box(0, 0, 60, 100)))
    water = Exclusion("water", layer(box(40, 0, 100, 50), box(50, 0, 80, 40)))
    out = developable(sites(HECTARE), [farmland, water]).iloc[0]
    assert (out.lost_farmland_ha, out.lost_water_ha) == pytest.approx((0.60, 0.20))
    assert (out.total_farmland_ha, out.total_water_ha) == pytest.approx((0.60, 0.30))
    swapped = developable(sites(HECTARE), [water, farmland]).iloc[0]
    assert (swapped.lost_water_ha, swapped.lost_farmland_ha) == pytest.approx((0.30, 0.50))
    assert out.net_ha == pytest.approx(swapped.net_ha) == pytest.approx(0.20)


def test_a_buffer_reaches_in_from_outside():
    out = developable(sites(HECTARE), [Exclusion("river", layer(LineString([(-30, -500), (-30, 500)])), 50.0)]).iloc[0]
    assert out.lost_river_ha == pytest.approx(0.20)
    assert developable(sites(HECTARE), [Exclusion("river", layer(box(-40, 0, -30, 9)), 29.9)]).lost_river_ha[0] == 0


def test_buffer_of_a_point_is_a_circle():
    out = developable(sites(HECTARE), [Exclusion("mast", layer(Point(50, 50)), 20.0)], quad_segs=256).iloc[0]
    assert out.lost_mast_ha == pytest.approx(np.pi * 400 / 1e4, rel=1e-4)


def test_pieces_and_largest_piece():
    road = Exclusion("road", layer(box(30, -10, 40, 110)))
    out = developable(sites(HECTARE), [road]).iloc[0]
    assert out.pieces == 2
    assert out.largest_piece_ha == pytest.approx(0.6)
    assert (out.rectangle_width_m, out.rectangle_length_m) == pytest.approx((60, 100), rel=1e-3)


def test_pieces_that_meet_in_a_corner_are_two():
    cross = Exclusion("cross", layer(box(0, 50, 50, 100), box(50, 0, 100, 50)))
    assert developable(sites(HECTARE), [cross]).pieces[0] == 2


def test_geometry_of_every_kind():
    bow_tie = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    nested = MultiPolygon([box(0, 0, 100, 100), box(20, 20, 40, 40)])  # a shell inside a shell
    overlapping = MultiPolygon([box(0, 0, 60, 100), box(40, 0, 100, 100)])
    ring = HECTARE.difference(box(40, 40, 60, 60))
    frame = sites(bow_tie, nested, overlapping, ring, Polygon(), None)
    frame.index = list("abcdef")
    out = developable(frame, [])
    assert list(out.index) == list("abcdef")
    assert out.gross_ha.tolist() == pytest.approx([0.5, 1.0, 1.0, 0.96, 0.0, 0.0])
    assert out.pieces.tolist()[3:] == [1, 0, 0]
    mended = out.attrs["repairs"][0]
    assert (mended.code, mended.place) == ("supply.ring_crosses_itself", Place("sites", entry="a"))
    assert (mended.values["x"], mended.values["y"]) == (X + 50, Y + 50)
    cut = developable(frame, [Exclusion("island", layer(bow_tie))])
    assert cut.net_ha["d"] == pytest.approx(0.96 - 0.48)
    assert ("supply.ring_crosses_itself", "island, 0") in [(one.code, one.where) for one in cut.attrs["repairs"]]


def test_an_exclusion_with_a_hole_leaves_an_island():
    ring = box(20, 20, 80, 80).difference(box(40, 40, 60, 60))
    out = developable(sites(HECTARE), [Exclusion("moat", layer(ring))]).iloc[0]
    assert out.pieces == 2
    assert out.lost_moat_ha == pytest.approx(0.32)


def test_no_data_is_unknown_and_not_excluded():
    survey = Exclusion("pits", layer(box(0, 0, 10, 100)), unknown=layer(box(5, 0, 50, 100)))
    out = developable(sites(HECTARE), [survey]).iloc[0]
    assert out.net_ha == pytest.approx(0.9)
    assert out.unknown_ha == pytest.approx(0.4)


def test_each_site_is_measured_in_its_own_zone():
    """Planar area in the right zone is the ellipsoid's area to the zone's scale error; in the wrong one it is not."""
    shapes = [box(lon, 32.0, lon + 0.01, 32.01) for lon in (110.8, 114.9)]
    out = developable(gpd.GeoDataFrame(geometry=shapes, crs=4490))
    geod = shapely_geod_area(shapes)
    assert out.gross_ha.to_numpy() == pytest.approx(geod, rel=2.5e-4)
    wrong = gpd.GeoSeries(shapes, crs=4490).to_crs(4550).area / 1e4
    assert abs(wrong[0] / geod[0] - 1) > 5e-3
    assert out.crs == 4490


def shapely_geod_area(shapes):
    import pyproj

    geod = pyproj.Geod(ellps="GRS80")
    return [abs(geod.geometry_area_perimeter(shapely.segmentize(s, 1e-4))[0]) / 1e4 for s in shapes]


@pytest.mark.parametrize(("crs", "code"), [(6933, "lengths_not_true"), (LOCAL, "no_crs"), (25832, ""), (3035, "")])
def test_a_system_of_other_lengths_or_without_a_place_is_refused(crs, code):
    """An equal-area cylinder keeps areas and squeezes shapes; UTM and the area system of Europe do neither."""
    field = gpd.GeoDataFrame(geometry=[box(500000, 5650000, 500200, 5650500)], crs=32632)
    field = field.set_crs(LOCAL, allow_override=True) if crs == LOCAL else field.to_crs(crs)
    assert [one.code for one in measured_faults(field, "sites")] == ([f"supply.{code}"] if code else [])


@pytest.mark.slow
@pytest.mark.parametrize("crs", [3857, 3395, "+proj=lcc +lat_1=48 +lat_2=52 +lat_0=50 +lon_0=9 +units=us-ft"])
def test_a_system_in_which_areas_are_not_true_is_refused(crs):
    """Web Mercator at 51 degrees north, the ellipsoid's Mercator, feet: 10 ha in Hesse."""
    field = gpd.GeoDataFrame(geometry=[box(500000, 5650000, 500200, 5650500)], crs=32632)
    with pytest.raises(InputError) as refusal:
        developable(field.to_crs(crs), [Exclusion("a", gpd.GeoSeries([HECTARE]))])
    untrue, other = refusal.value.faults
    assert (untrue.code, other.code) == ("supply.areas_not_true", "supply.no_crs")
    assert untrue.values["times"] == pytest.approx(field.to_crs(crs).area[0] / 1e5, rel=0.01)
    metric = untrue.values["metric"]
    assert developable(field.to_crs(crs).to_crs(metric)).gross_ha[0] == pytest.approx(10, rel=2e-3)


def test_layers_may_come_in_any_crs():
    frame, water = sites(HECTARE, box(300, 0, 500, 100)), layer(box(50, 0, 400, 30))
    here = developable(frame, [Exclusion("water", water, 12.0)])
    there = developable(frame, [Exclusion("water", water.to_crs(4326), 12.0)])
    degrees = developable(frame.to_crs(4326), [Exclusion("water", water.to_crs(32650), 12.0)])
    columns = ["gross_ha", "net_ha", "lost_water_ha", "rectangle_width_m"]
    np.testing.assert_allclose(there[columns], here[columns], rtol=1e-5)
    np.testing.assert_allclose(degrees[columns], here[columns], rtol=1e-3)
    assert shapely.covers(here.geometry.to_numpy(), here["rectangle"].to_numpy()).all()


def test_the_callers_frames_are_left_alone():
    frame, water = sites(HECTARE), gpd.GeoDataFrame(geometry=layer(box(0, 0, 10, 10)))
    before = frame.copy(), water.copy()
    developable(frame, [Exclusion("water", water, 5.0)])
    assert frame.equals(before[0])
    assert water.equals(before[1])


def test_every_fault_is_named_at_once():
    naked = gpd.GeoSeries([HECTARE])
    degrees = gpd.GeoSeries([box(114.9, 30.2, 115.0, 30.3)], crs=CRS)
    metres = gpd.GeoSeries([at(HECTARE)], crs=4490)
    swapped = gpd.GeoSeries([box(30.2, 114.9, 30.3, 115.0)], crs=4490)
    rules = [
        Exclusion("a", naked),
        Exclusion("a", degrees),
        Exclusion("b", metres, float("nan")),
        Exclusion("d", swapped),
        Exclusion("c", layer(LineString([(0, 0), (1, 1)]))),
    ]
    assert refused(developable, gpd.GeoDataFrame(geometry=[Point(0, 0)]), rules) == [
        ("supply.no_crs", "sites"),
        ("supply.no_area", "sites, row 1"),
        ("supply.no_crs", "exclusion 1, a"),
        ("supply.rule_without_name", "exclusion 2, a"),
        ("supply.degrees_in_metres", "exclusion 2, a"),
        ("supply.buffer_no_distance", "exclusion 3, b"),
        ("supply.metres_in_degrees", "exclusion 3, b"),
        ("supply.degrees_swapped", "exclusion 4, d"),
        ("supply.no_area", "exclusion 5, c, row 1"),
    ]


@pytest.mark.parametrize(
    ("shape", "code", "x", "y"),
    [
        ("POLYGON((0 0,1 1,1 0,0 1,0 0))", "ring_crosses_itself", 0.5, 0.5),
        ("POLYGON((0 0,2 0,2 2,1 0,0 2,0 0))", "ring_touches_itself", 1, 0),
        ("POLYGON((0 0,1 0,0 0,0 0))", "ring_of_too_few_points", 0, 0),
        ("POLYGON((0 0,9 0,9 9,0 9,0 0),(20 20,21 20,21 21,20 20))", "hole_outside", 20, 20),
        ("POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,8 1,8 8,1 8,1 1),(2 2,3 2,3 3,2 2))", "holes_nested", 2, 2),
        ("MULTIPOLYGON(((0 0,9 0,9 9,0 9,0 0)),((1 1,2 1,2 2,1 1)))", "shells_nested", 1, 1),
        ("POLYGON((0 0,10 0,10 10,0 10,0 0),(0 5,5 0,10 5,5 10,0 5))", "interior_parted", 5, 0),
    ],
)
def test_what_is_wrong_with_a_ring_has_a_code_and_a_place(shape, code, x, y):
    found = ring_fault("here", shapely.from_wkt(shape))
    assert found == Fault(f"supply.{code}", "here", x=x, y=y)
    assert f"{x:g}，{y:g}" in found.words("zh").what


def naive(frame, rules):
    """Rule by rule and site by site, nothing clever."""
    rows = []
    for shape in frame.geometry:
        net, row = shape, {"gross_ha": shape.area / 1e4}
        for rule in rules:
            taken = shapely.union_all(rule.geometries.buffer(rule.buffer_m).to_numpy())
            row[f"total_{rule.name}_ha"] = shape.intersection(taken).area / 1e4
            row[f"lost_{rule.name}_ha"] = net.intersection(taken).area / 1e4
            net = net.difference(taken)
        rows.append(row | {"net_ha": net.area / 1e4})
    return rows


boxes = st.builds(
    lambda x, y, w, h, turn: affinity.rotate(box(x, y, x + w, y + h), turn),
    *[st.integers(-30, 110)] * 2, *[st.integers(1, 60)] * 2, st.sampled_from([0, 0, 17, 45]),
)  # fmt: skip
rule_lists = st.lists(st.tuples(st.lists(boxes, min_size=1, max_size=5), st.sampled_from([0.0, 0.0, 7.5])), max_size=3)


def as_rules(drawn):
    return [Exclusion(f"r{k}", layer(*shapes), buffer_m) for k, (shapes, buffer_m) in enumerate(drawn)]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(rule_lists)
def test_same_as_the_naive_way_and_nothing_gets_lost(drawn):
    frame, rules = sites(HECTARE, affinity.rotate(box(30, 30, 160, 90), 20)), as_rules(drawn)
    out = developable(frame, rules, rectangles=False)
    for (_, got), want in zip(out.iterrows(), naive(frame, rules), strict=True):
        for column, value in want.items():
            assert got[column] == pytest.approx(value, abs=1e-8), column
    lost = sum((out[f"lost_{rule.name}_ha"] for rule in rules), start=out.net_ha)
    np.testing.assert_allclose(lost, out.gross_ha, atol=1e-9)
    np.testing.assert_allclose(shapely.area(out.geometry.to_numpy()) / 1e4, out.net_ha, atol=1e-9)
    assert shapely.is_valid(out.geometry.to_numpy()).all()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(rule_lists, boxes)
def test_order_keeps_net_and_more_rules_never_add_land(drawn, extra):
    frame, rules = sites(HECTARE), as_rules(drawn)
    out = developable(frame, rules, rectangles=False)
    back = developable(frame, rules[::-1], rectangles=False)
    assert out.net_ha[0] == pytest.approx(back.net_ha[0], abs=1e-9)
    more = developable(frame, [*rules, Exclusion("extra", layer(extra))], rectangles=False)
    assert more.net_ha[0] <= out.net_ha[0] + 1e-9


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(rule_lists, st.floats(0, 360), st.integers(-2000, 2000))
def test_moving_and_turning_everything_changes_nothing(drawn, turn, shift):
    def moved(series):
        shapes = [affinity.translate(affinity.rotate(s, turn, origin=(X, Y)), shift, -shift) for s in series]
        return gpd.GeoSeries(shapes, crs=CRS)

    rules = as_rules(drawn)
    out = developable(sites(HECTARE), rules, rectangles=False)
    frame = gpd.GeoDataFrame(geometry=moved(sites(HECTARE).geometry))
    there = developable(frame, [Exclusion(r.name, moved(r.geometries), r.buffer_m) for r in rules], rectangles=False)
    assert there.net_ha[0] == pytest.approx(out.net_ha[0], abs=1e-6)
