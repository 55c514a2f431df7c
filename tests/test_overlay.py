"""Overlays that would take too much are refused before they are worked out; what is honest goes on working."""

from __future__ import annotations

import sys
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo_cluster import toml
from geo_cluster.errors import Fault
from geo_cluster.supply import overlay
from geo_cluster.supply.land import Exclusion, developable
from geo_cluster.supply.parcels import OVERLAPS, fitting, parcel_faults
from tests.refusals import refused

X, Y = 550_000.0, 3_350_000.0


def layer(*shapes):
    moved = shapely.transform(np.array(shapes, dtype=object), lambda points: np.add(points, [X, Y]))
    return gpd.GeoDataFrame(geometry=moved, crs=4547)


def comb(teeth, *, across=False, side=1000.0):
    """A comb as large as a square: two of them, one across the other, cross 4 · teeth² times."""
    width = side / (2 * teeth)
    at = 2 * width * np.arange(teeth)
    corners = [(at, side), (at + width, side), (at + width, width / 2), (at + 2 * width, width / 2)]
    points = np.stack([np.broadcast_arrays(*pair) for pair in corners]).transpose(2, 0, 1).reshape(-1, 2)
    points = np.concatenate([[(0, 0)], points, [(side, 0)]])
    return shapely.Polygon(points[:, ::-1] if across else points)


def star(points, radius=500.0):
    turn = np.arange(points) * 2 * np.pi * (points // 2) / points
    return shapely.Polygon(radius * np.column_stack([np.cos(turn), np.sin(turn)]) + radius)


def grid(side, metres=100.0):
    x, y = (part.ravel() * metres for part in np.meshgrid(np.arange(side), np.arange(side)))
    return shapely.box(x, y, x + metres, y + metres)


def most_memory():
    """Bytes that this process held at most; Windows doesn't tell."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def faults(frame):
    return parcel_faults(frame, land=toml.table("land"))


SQUARE = layer(shapely.box(0, 0, 1000, 1000))
COMBS = comb(1000), comb(1000, across=True)


@pytest.fixture(autouse=True)
def _is_quick_and_small():
    """Each of these took minutes or gigabytes, or ended in std::bad_alloc."""
    memory, since = most_memory(), time.process_time()
    yield
    assert time.process_time() - since < 20
    assert most_memory() - memory < 500 * 2**20


def test_combs_that_cross_a_million_times_are_told_by_their_row():
    (fault,) = faults(layer(*COMBS))
    assert (fault.code, fault.row) == ("supply.too_many_crossings", 2)
    assert all("crossings" in fault.words(language).remedy for language in ("zh", "en"))


@pytest.mark.slow
def test_a_layer_that_is_drawn_over_and_over_tells_its_first_overlaps():
    found = faults(layer(*[shapely.box(0, 0, 100, 100)] * 3000))
    assert len(found) == OVERLAPS + 1
    assert found[-1] == Fault("supply.more_overlaps", "parcels", count=OVERLAPS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sites", "rules"),
    [
        (SQUARE, [Exclusion("a", layer(*COMBS))]),
        (SQUARE, [Exclusion("a", layer(COMBS[0])), Exclusion("b", layer(COMBS[1]))]),
        (layer(COMBS[0]), [Exclusion("a", layer(COMBS[1]))]),
        (SQUARE, [Exclusion("a", layer(star(50_001)))]),
        (layer(star(50_001)), []),
        (SQUARE, [Exclusion("a", layer(shapely.boundary(star(3_001))), 1.0)]),
        (SQUARE, [Exclusion("a", layer(shapely.boundary(COMBS[0])), 30.0)]),
    ],
    ids=["one layer", "two layers", "the ground", "a star", "a star of ground", "a buffer", "a wide buffer"],
)
def test_exclusions_that_cross_too_often_are_refused(sites, rules):
    assert refused(developable, sites, rules, rectangles=False)[0][0] == "supply.too_many_crossings"


def test_exclusions_that_all_meet_are_refused(limited):
    limited(pairs=10_000)
    rules = [Exclusion("a", layer(*[shapely.box(0, 0, 900, 900)] * 500))]
    assert refused(developable, layer(*grid(10)), rules)[0][0] == "supply.too_many_pairs"


def test_what_takes_too_long_is_told(limited, monkeypatch):
    limited(overlay_seconds=1)
    begun, clock = time.monotonic(), iter(range(0, 10_000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: begun + next(clock))
    found = faults(layer(*grid(3)))
    monkeypatch.undo()
    assert found == [Fault("supply.overlay_too_slow", "parcels", most=1)]


@pytest.mark.parametrize(
    ("reason", "code"),
    [("std::bad_alloc", "overlay_out_of_memory"), ("TopologyException: side location conflict", "overlay_failed")],
)
def test_what_geos_gives_up_has_a_code(monkeypatch, reason, code):
    def gives_up(*_):
        raise shapely.errors.GEOSException(reason)

    monkeypatch.setattr(shapely, "intersection", gives_up)
    (found,) = faults(layer(*grid(2)))
    assert found.code == f"supply.{code}"
    assert reason not in found.words("zh").what


def test_a_street_with_very_many_neighbours_has_too_many_unions(limited):
    limited(unions=5_000)
    street = shapely.box(0, -100, 30_000, 0)
    parcels = layer(street, *(shapely.box(100 * k, 0, 100 * k + 100, 100) for k in range(300)))
    assert refused(fitting, parcels, 1e6) == [("supply.too_many_unions", "parcels")]


def test_parts_of_a_batch_measure_the_same_as_the_whole(limited):
    sites, rules = layer(*grid(8)), [Exclusion("a", layer(comb(40, side=800))), Exclusion("b", layer(*grid(9, 77)))]
    whole = developable(sites, rules, rectangles=False)
    limited(crossings=400)
    parted = developable(sites, rules, rectangles=False)
    for column in ("net_ha", "lost_a_ha", "lost_b_ha", "total_b_ha"):
        np.testing.assert_allclose(parted[column], whole[column], atol=1e-9)


@pytest.mark.slow
def test_what_is_honest_goes_on_working():
    """Parcels that share edges, a large one under many small ones, a long river of very many corners."""
    assert faults(layer(*grid(100))) == []
    at = np.linspace(0, 10_000, 200_000)
    shore = np.column_stack([at, 5_000 + 300 * np.sin(at / 500)])
    river = shapely.Polygon(np.concatenate([shore, np.add(shore[::-1], [0, 80])]))
    found = developable(layer(*grid(20, 500)), [Exclusion("river", layer(river), 5.0)], rectangles=False)
    assert found["lost_river_ha"].sum() == pytest.approx(
        (shapely.area(river) + 5 * shapely.length(river)) / 1e4, rel=0.01
    )
    north, south = (
        shapely.Polygon([*shore, (10_000, 9_000), (0, 9_000)]),
        shapely.Polygon([*shore, (10_000, 0), (0, 0)]),
    )
    assert faults(layer(north, south)) == []


def test_crossings_are_counted_and_corners_that_are_shared_are_not(limited):
    limited(crossings=1)
    assert overlay.crossings(np.array([comb(1), shapely.box(2000, 0, 3000, 9)])) == 0
    limited(crossings=5)
    assert overlay.crossings(grid(4)) == 0
    limited(crossings=100)
    pair = np.array([comb(4), shapely.transform(comb(4, across=True), lambda points: np.add(points, [3.3, 7.7]))])
    assert overlay.crossings(pair) == shapely.get_num_geometries(shapely.intersection(*shapely.boundary(pair))) > 40
    limited(crossings=50)
    assert overlay.crossings(np.array([star(11)]), of_each=True) == 44  # each point's two edges cross 8 others
