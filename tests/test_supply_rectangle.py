"""The largest rectangle against shapes whose optimum is known, and against a fine search."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box

from geo_cluster.supply.rectangle import largest_rectangles


def regular(corners, radius=100.0):
    turn = 2 * np.pi * np.arange(corners) / corners
    return Polygon(np.column_stack([radius * np.cos(turn), radius * np.sin(turn)]))


def grid_of_lir():
    """The binary grid printed in the README of largestinteriorrectangle: its answer is x 2, y 2, width 4, height 7."""
    rows = ["001000000", "001011000", "001111100", "001111110", "011111110", "011111100",
            "001111000", "001111000", "111111000", "111000111", "000000000"]  # fmt: skip
    return shapely.union_all(
        [box(c, -r - 1, c + 1, -r) for r, row in enumerate(rows) for c in range(9) if row[c] == "1"]
    )


KNOWN = {
    "rectangle": (box(0, 0, 200, 80), 16_000),
    "square": (box(0, 0, 100, 100), 10_000),
    "right triangle: half of it": (Polygon([(0, 0), (400, 0), (0, 300)]), 30_000),
    "equilateral triangle: half of it": (Polygon([(0, 0), (100, 0), (50, 50 * 3**0.5)]), 100 * 50 * 3**0.5 / 4),
    "obtuse triangle: half of it": (Polygon([(0, 0), (100, 0), (-50, 40)]), 1_000),
    "disc: the square in it": (regular(720), 2 * 100**2),
    "octagon": (regular(8), 2 * 100**2),
    "hexagon": (regular(6), 100 * 100 * 3**0.5),
    "ellipse: 2ab": (affinity.scale(regular(360, 1.0), 200, 50), 2 * 200 * 50),
    "half disc: r squared": (regular(720).intersection(box(-100, 0, 100, 100)), 100**2),
    "half disc of few corners": (regular(256).intersection(box(-100, 0, 100, 100)), 100**2),
    "quarter disc": (regular(256).intersection(box(0, 0, 100, 100)), 100**2 / 2),
    "L": (box(0, 0, 100, 40).union(box(0, 0, 30, 100)), 4_000),
    "thin L": (box(0, 0, 1000, 3).union(box(0, 0, 3, 800)), 3_000),
    "plus": (box(0, 40, 100, 60).union(box(40, 0, 60, 100)), 2_000),
    "square with a square hole": (box(0, 0, 100, 100).difference(box(40, 40, 60, 60)), 4_000),
    "strip": (box(0, 0, 1000, 5), 5_000),
    "thread": (box(0, 0, 1000, 0.5), 500),
    "two parts": (MultiPolygon([box(0, 0, 25, 20), box(100, 0, 130, 20)]), 600),
}


@pytest.mark.parametrize("turn", [0.0, 17.0, 37.3, 71.3])
@pytest.mark.parametrize("name", KNOWN)
def test_known_optimum_within_one_percent_at_any_angle(name, turn):
    shape, optimum = KNOWN[name]
    shape = affinity.translate(affinity.rotate(shape, turn), 500_000, 3_300_000)
    found = largest_rectangles(np.array([shape]))
    assert 0.99 * optimum <= found.width_m[0] * found.length_m[0] <= optimum * (1 + 1e-6)
    assert shape.covers(found.geometry[0])
    assert found.geometry[0].area == pytest.approx(found.width_m[0] * found.length_m[0], rel=1e-6)


def test_angle_and_sides_describe_the_rectangle():
    found = largest_rectangles(np.array([affinity.rotate(box(0, 0, 200, 80), 33)]))
    assert (found.width_m[0], found.length_m[0]) == pytest.approx((80, 200), rel=1e-3)
    assert found.angle_deg[0] == pytest.approx(33, abs=0.1)


def test_grid_of_the_lir_readme():
    found = largest_rectangles(np.array([grid_of_lir()]))
    assert found.width_m[0] * found.length_m[0] >= 28 * 0.99


def test_nothing_in_nothing():
    found = largest_rectangles(np.array([Polygon(), box(0, 0, 1, 1)]))
    assert found.width_m[0] == 0
    assert np.isnan(found.angle_deg[0])
    assert found.width_m[1] == pytest.approx(1, rel=1e-3)


def best_at_any_angle(hull, angles=90):
    """In a convex polygon the largest rectangle of given angle and ratio of sides is a linear programme."""
    points = shapely.get_coordinates(hull)[:-1] - shapely.get_coordinates(hull.centroid)
    span = np.roll(points, -1, axis=0) - points
    normal = np.column_stack([span[:, 1], -span[:, 0]]) / np.hypot(*span.T)[:, None]
    offset = (normal * points).sum(axis=1)
    normal, offset = normal * np.sign(offset)[:, None], np.abs(offset)
    best = 0.0
    for turn in np.linspace(0, np.pi / 2, angles, endpoint=False):
        u, v = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        for ratio in np.geomspace(0.1, 10, 9):
            reach = np.abs(normal @ u) + ratio * np.abs(normal @ v)
            fit = linprog(
                [0, 0, -1], A_ub=np.column_stack([normal, reach]), b_ub=offset, bounds=[(None, None)] * 2 + [(0, None)]
            )
            best = max(best, 4 * ratio * fit.x[2] ** 2)
    return best


@pytest.mark.slow
def test_convex_polygons_against_a_fine_search():
    rng = np.random.default_rng(3)
    hulls = [Polygon([(0, 0), (100, 0), (150, 50), (50, 50)])]
    hulls += [
        shapely.convex_hull(shapely.multipoints(rng.uniform(0, 100, (n, 2)) * [1, f])) for n, f in ((5, 0.3), (8, 1))
    ]
    found = largest_rectangles(np.array(hulls))
    for area, hull in zip(found.width_m * found.length_m, hulls, strict=True):
        assert area >= best_at_any_angle(hull) * 0.99


def messy(rng, holes):
    """A convex ground with bites and holes."""
    shape = shapely.convex_hull(shapely.multipoints(rng.uniform(0, 300, (9, 2))))
    for x, y, w, h in rng.uniform(0, 1, (holes, 4)) * [300, 300, 80, 80]:
        shape = shape.difference(affinity.rotate(box(x, y, x + w, y + h), 90 * w))
    return shape


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4))
def test_it_lies_inside_whatever_the_ground(seed, holes):
    shape = affinity.translate(messy(np.random.default_rng(seed), holes), 500_000, 3_300_000)
    found = largest_rectangles(np.array([shape]))
    assert shape.covers(found.geometry[0])
    circle = shapely.length(shapely.maximum_inscribed_circle(shape))
    assert found.width_m[0] * found.length_m[0] >= 2 * circle**2 * 0.98  # the square in the largest circle


@pytest.mark.parametrize("seed", range(6))
def test_turning_and_moving_the_ground_turns_and_moves_the_rectangle(seed):
    shape = messy(np.random.default_rng(seed), 3)
    turned = affinity.translate(affinity.rotate(shape, 40.0 + seed, origin=(0, 0)), 1000, -2000)
    found = largest_rectangles(np.array([shape, turned]))
    areas = found.width_m * found.length_m
    assert areas[1] == pytest.approx(areas[0], rel=1e-3)


def test_an_outline_of_very_many_corners_is_simplified_inside_itself():
    """A ring of 24,000 corners took nine seconds."""
    turn = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    ring = shapely.Polygon(np.column_stack([np.cos(turn), np.sin(turn)]) * 1000)
    found = largest_rectangles(np.array([ring], dtype=object))
    assert ring.covers(found.geometry[0])
    assert found.width_m[0] * found.length_m[0] == pytest.approx(2e6, rel=0.005)
