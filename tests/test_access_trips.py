import copy
import re
import tomllib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import geo_cluster
from geo_cluster.access import roads, travel_cost
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.rail import Rail, rail_trips
from geo_cluster.access.road_calibration import RoadCalibration, Span, calibrate
from geo_cluster.access.travel import matrix
from tests.refusals import faults_of, refused

ROOT = Path(__file__).parent.parent
TABLE: dict[str, Any] = tomllib.loads((Path(geo_cluster.__file__).parent / "tables/travel.toml").read_text("utf-8"))


def shipped() -> tuple[RoadNetwork, dict[str, tuple[float, float]]]:
    places = {}
    for layer in ("anchors", "sites", "stations", "ports", "airports"):
        rows = pd.read_csv(ROOT / f"data/geo/{layer}.csv")
        places |= {i: (x, y) for i, x, y in zip(rows["id"], rows["lon"], rows["lat"], strict=True)}
    return roads.from_layer(gpd.read_file(ROOT / "data/geo/roads.geojson")), places


@pytest.fixture(scope="module")
def world() -> tuple[RoadNetwork, dict[str, tuple[float, float]], RoadCalibration]:
    network, places = shipped()
    return network, places, calibrate(network, table=TABLE, places=places)


def line() -> tuple[RoadNetwork, dict[str, tuple[float, float]]]:
    """Nodes 0..9 on the equator of a small world, ten minutes and ten km apart."""
    lon = 114 + np.arange(10) / 10
    network = RoadNetwork.from_edges(
        range(9), range(1, 10), np.full(9, 10.0), km=np.full(9, 10.0), places=[(x, 30.0) for x in lon]
    )
    return network, {f"p{i}": (x, 30.0) for i, x in enumerate(lon)}


def road(*rows: tuple[str, str, float, float, float, bool]) -> dict[str, Any]:
    keys = ("origin", "destination", "minutes", "fit")
    return {"road": [dict(zip(keys, (a, b, [c, d, e], f), strict=True)) for a, b, c, d, e, f in rows]}


def test_calibration_finds_a_line_that_is_there_and_keeps_every_pair() -> None:
    network, places = line()
    table = road(
        ("p0", "p1", 15, 17, 20, True),
        ("p0", "p5", 60, 65, 70, True),
        ("p2", "p9", 85, 89, 95, True),
        ("p0", "p9", 1, 2, 3, False),
    )
    found = calibrate(network, table=table, places=places)
    assert_allclose([found.intercept_min, found.factor], [5, 1.2])
    assert_allclose(found.pairs["residual_min"], [0, 0, 0, 111], atol=1e-9)
    assert found.pairs["fit"].tolist() == [True, True, True, False]
    minutes = found.minutes([10.0, np.inf])
    assert_allclose(minutes.likely, [17, np.inf])
    assert minutes.low[0] < 17 < minutes.high[0]


def test_a_narrow_range_binds_more_than_a_wide_one_and_nothing_is_negative() -> None:
    network, places = line()
    wide = road(("p0", "p1", 9, 10, 11, True), ("p0", "p2", 19, 20, 21, True), ("p0", "p9", 10, 60, 110, True))
    found = calibrate(network, table=wide, places=places)
    assert abs(found.minutes([10.0]).likely[0] - 10) < 1 and found.pairs["residual_min"][2] > 20
    steep = road(("p0", "p1", 1, 1, 1, True), ("p0", "p2", 15, 15, 15, True), ("p0", "p3", 30, 30, 30, True))
    assert calibrate(network, table=steep, places=places).intercept_min == 0
    falling = road(("p0", "p1", 30, 30, 30, True), ("p0", "p2", 20, 20, 20, True), ("p0", "p3", 10, 10, 10, True))
    assert calibrate(network, table=falling, places=places).factor == 0


def test_every_fault_of_published_times_is_named_at_once() -> None:
    network, places = line()
    table = road(("p0", "nowhere", 1, 2, 3, True), ("p0", "p1", 5, 2, 3, True))
    unknown, falling, few = faults_of(calibrate, network, table=table, places=places)
    assert (unknown.code, unknown.where) == ("access.place_unknown", "travel.toml, road 1")
    assert unknown.values == {"place": "nowhere"}
    assert (falling.code, falling.where) == ("access.minutes_not_ascending", "travel.toml, road 2")
    assert falling.values == {"minutes": [5, 2, 3]}
    assert (few.code, few.values) == ("access.too_few_pairs", {"count": 2})


def test_rail_by_hand() -> None:
    service = {
        "id": "x", "boarding_min": [5, 10, 20], "leaving_min": [1, 2, 3], "yuan_per_km": 0.5,
        "stop": [{"at": "a", "minutes": [0, 0, 0], "km": 0}, {"at": "b", "minutes": [10, 12, 15], "km": 40},
                 {"at": "c", "minutes": [20, 25, 30], "km": 90}],
    }  # fmt: skip
    express = service | {
        "id": "e",
        "yuan_per_km": 1.0,
        "stop": [service["stop"][0], {"at": "c", "minutes": [14, 15, 16], "km": 90}],
    }
    rail = Rail.from_table({"rail": {"service": [service, express]}})
    assert rail.stops == ("a", "b", "c")
    assert rail.ride_min[2, 1].tolist() == [16, 25, 38]  # both ways: 10, 13, 15 between b and c
    assert (rail.service[0, 2], rail.fare_yuan[0, 2]) == ("e", 90) and rail.ride_min[0, 2].tolist() == [20, 27, 39]
    access_min = Span.of([[[1, 2, 3], [3, 4, 5], [50, 60, 70]]])  # one origin, three stops
    egress_min = Span.of([[[90, 90, 90]], [[1, 1, 1]], [[9, 9, 9]]])
    trip = rail_trips(rail, access_min, egress_min)
    assert (rail.stops[trip.board[0, 0]], rail.stops[trip.alight[0, 0]]) == ("a", "b")
    assert [float(m[0, 0]) for m in trip.minutes] == [18, 27, 42] and trip.fare_yuan[0, 0] == 20
    none = rail_trips(rail, access_min, Span(*(np.full((3, 1), np.inf) for _ in range(3))))
    assert none.board[0, 0] == -1 and np.isinf(none.minutes.likely).all() and np.isnan(none.fare_yuan).all()


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_rail_trips_are_the_best_of_all_pairs_of_stops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ride = np.sort(rng.uniform(1, 50, (4, 4, 3)), axis=-1)
    ride[np.diag_indices(4)] = np.inf
    rail = Rail(tuple("abcd"), ride, rng.uniform(1, 9, (4, 4)), np.full((4, 4), "x"))
    to, away = np.sort(rng.uniform(1, 50, (2, 4, 3)), axis=-1), np.sort(rng.uniform(1, 50, (4, 3, 3)), axis=-1)
    trip = rail_trips(rail, Span.of(to), Span.of(away))
    every = to[:, :, None, None] + ride[None, :, :, None] + away[None, None]
    for o in range(2):
        for d in range(3):
            board, alight = np.unravel_index(every[o, :, :, d, 1].argmin(), (4, 4))
            assert (trip.board[o, d], trip.alight[o, d]) == (board, alight)
            assert_allclose([m[o, d] for m in trip.minutes], every[o, board, alight, d])


def test_faults_of_services_are_named_at_once() -> None:
    table = copy.deepcopy(TABLE)
    first, second, third = table["rail"]["service"]
    first["stop"].reverse()
    del second["boarding_min"]
    third["leaving_min"] = [9, 5, 1]
    codes = [code for code, _ in refused(Rail.from_table, table)]
    assert codes == ["access.stops_out_of_order", "access.service_incomplete", "access.not_three_ascending"]


def test_classes_and_better_mode() -> None:
    assert travel_cost.visit_class([0, 60, 60.1, 180, 181, np.inf], TABLE).tolist() == [
        *["several_a_day"] * 2, *["same_day"] * 2, *["overnight"] * 2,
    ]  # fmt: skip
    by_road, by_rail = Span.of([[1, 5, 9], [1, 5, 9], [1, 5, 9]]), Span.of([[2, 4, 30], [2, 5, 6], [2, 6, 7]])
    minutes, mode = travel_cost.better_mode(by_road, by_rail)
    assert mode.tolist() == ["rail", "road", "road"]
    assert minutes.high.tolist() == [30, 9, 9]
    limits = {"visit": {"several_a_day_max": 90, "same_day_max": 60}}
    assert refused(travel_cost.visit_class, [1], limits) == [("access.visit_limits", "travel.toml, visit")]


def test_costs_by_hand() -> None:
    table = {
        "visit": {"several_a_day_max": 60, "same_day_max": 180},
        "cost": {"car_yuan_per_km": [1, 2, 3], "person_yuan_per_h": [60, 90, 120], "night_yuan": [100, 200, 300]},
    }
    cost = travel_cost.road_trip_yuan(Span.of([[30, 60, 240]]), [50.0], table)
    assert [float(c[0]) for c in cost] == [100 + 60, 200 + 180, 300 + 960 + 300]


def test_freight_goes_to_the_nearest_terminal() -> None:
    network, places = line()
    calibration = RoadCalibration(5.0, 1.0, 1.0, 2.0, pd.DataFrame())
    sites = np.array([places["p0"], places["p6"]])
    ports = np.array([places["p9"], places["p2"]])
    table = {"freight": {"truck_factor": [1, 2, 3]}}
    found = travel_cost.freight_minutes(network, calibration, sites=sites, terminals=ports, table=table)
    assert found.terminal.tolist() == [1, 0]
    assert_allclose(found.minutes, [[20, 35 - 35**0.5], [50, 70], [105, 105 + 6 * 35**0.5]])
    nowhere = np.empty((0, 2))
    assert refused(travel_cost.freight_minutes, network, calibration, sites=sites, terminals=nowhere, table=table) == [
        ("access.no_terminal", "terminals")
    ]


@pytest.mark.slow
def test_trips_of_the_shipped_data(world: tuple[RoadNetwork, dict, RoadCalibration]) -> None:
    network, places, calibration = world
    sites = pd.read_csv(ROOT / "data/geo/sites.csv")["id"].tolist()
    rows = travel_cost.trips(
        network, calibration, table=TABLE, places=places, origins=["future_city", "hust"], destinations=sites
    )
    assert len(rows) == 2 * len(sites) and rows["destination"].tolist() == sites * 2
    for name in ("road_{}_min", "rail_{}_min", "{}_min", "{}_yuan"):
        low, likely, high = (rows[name.format(level)] for level in ("low", "likely", "high"))
        assert (low <= likely).all() and (likely <= high).all() and np.isfinite(high).all()
    assert_allclose(rows["likely_min"], rows[["road_likely_min", "rail_likely_min"]].min(axis=1))
    one = rows.set_index(["origin", "destination"])
    assert one.loc[("future_city", "S01"), "mode"] == "rail"  # 450 km
    assert one.loc[("future_city", "S01"), "visit"] == "overnight"
    assert one.loc[("future_city", "E01"), ["mode", "visit"]].tolist() == ["road", "several_a_day"]
    straight = matrix(network, [places["future_city"]], [places["H01"]])
    assert_allclose(one.loc[("future_city", "H01"), "road_km"], straight.km[0, 0])
    ends = {"origins": ["x"], "destinations": ["y", "z"]}
    assert refused(travel_cost.trips, network, calibration, table=TABLE, places=places, **ends) == [
        ("access.id_without_place", place) for place in ("origin x", "destination y", "destination z")
    ]


def test_the_docs_show_the_residual_of_every_published_time(
    world: tuple[RoadNetwork, dict, RoadCalibration],
) -> None:
    """`python benchmarks/access_residuals.py` prints the two tables of docs/methods/access.md."""
    network, places, calibration = world
    docs = (ROOT / "docs/methods/access.md").read_text(encoding="utf-8")
    shown = {
        (mode, a, b): float(residual)
        for mode, a, b, residual in re.findall(
            r"^\| (road|rail) \| (\S+) \| (\S+) \|.*\| ([+-]?\d+\.\d) \|", docs, re.M
        )
    }
    expected = {("road", r.origin, r.destination): r.residual_min for r in calibration.pairs.itertuples()}
    for pair in TABLE["rail"]["published"]:
        ends = {"origins": [pair["origin"]], "destinations": [pair["destination"]]}
        trip = travel_cost.trips(network, calibration, table=TABLE, places=places, **ends).iloc[0]
        expected["rail", pair["origin"], pair["destination"]] = trip["rail_likely_min"] - pair["minutes"][1]
    assert shown.keys() == expected.keys()
    assert shown == pytest.approx(expected, abs=0.11)
