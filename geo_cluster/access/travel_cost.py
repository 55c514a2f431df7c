"""Trips door to door by the better mode: how long, how often one can go, at what cost; and freight by truck.

What is declared about them (published times, services, thresholds, prices) stands in `tables/travel.toml`; the
functions take that table, parsed. A number of minutes is always three: low, likely, high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.points import Floats, Ints, Places
from geo_cluster.access.rail import Rail, RailTrip, rail_trips, station_minutes
from geo_cluster.access.road_calibration import RoadCalibration, Span
from geo_cluster.access.travel import matrix
from geo_cluster.errors import DataError, Fault, InputError, Place, refuse_if

MODES = ("road", "rail")
VISITS = ("several_a_day", "same_day", "overnight")
"""How often an engineer can be at the line and back, best first."""


def better_mode(road: Span, rail: Span) -> tuple[Span, NDArray[np.str_]]:
    """Minutes of the mode that is likely faster for each pair, and which it is.

    Parameters
    ----------
    road, rail : Span
        Minutes, of one shape.

    Returns
    -------
    minutes : Span
    mode : ndarray of str
        One of `MODES`; "road" on a tie.
    """
    by_rail = rail.likely < road.likely
    minutes = Span(*(np.where(by_rail, a, b) for a, b in zip(rail, road, strict=True)))
    return minutes, np.where(by_rail, MODES[1], MODES[0])


def visit_class(minutes: ArrayLike, table: Mapping[str, Any]) -> NDArray[np.str_]:
    """How often one can go: "several_a_day", "same_day" or "overnight".

    Parameters
    ----------
    minutes : array_like
        One way; any shape, which the answer has too.
    table : mapping
        `tables/travel.toml`: `visit`.

    Returns
    -------
    ndarray of str
        Of `VISITS`.

    Raises
    ------
    DataError
        For limits of the table that don't ascend.
    """
    limits = [table["visit"]["several_a_day_max"], table["visit"]["same_day_max"]]
    if not 0 < limits[0] < limits[1]:
        raise DataError(Fault("access.visit_limits", Place("travel.toml", key="visit"), limits=limits))
    return np.array(VISITS)[np.searchsorted(limits, np.asarray(minutes, dtype=float), side="left")]


def road_trip_yuan(minutes: Span, km: ArrayLike, table: Mapping[str, Any]) -> Span:
    """Cost of one person's return trip by car, a night included where it takes one; low with low, high with high.

    Parameters
    ----------
    minutes : Span
        One way.
    km : array_like
        One way.
    table : mapping
        `tables/travel.toml`: `cost` and `visit`.

    Returns
    -------
    Span
        Yuan, shaped like the minutes.
    """
    fares = [2 * np.asarray(km, dtype=float) * rate for rate in table["cost"]["car_yuan_per_km"]]
    return _trip_yuan(minutes, fares, table)


def rail_trip_yuan(trip: RailTrip, table: Mapping[str, Any]) -> Span:
    """Cost of one person's return trip by rail: fares, time, a night where it takes one. Taxis are not counted.

    Parameters
    ----------
    trip : RailTrip
        One way.
    table : mapping
        `tables/travel.toml`: `cost` and `visit`.

    Returns
    -------
    Span
        Yuan, shaped like the minutes.
    """
    return _trip_yuan(trip.minutes, [2 * trip.fare_yuan] * 3, table)


def _trip_yuan(minutes: Span, fares: Sequence[Floats], table: Mapping[str, Any]) -> Span:
    cost = table["cost"]
    spans = []
    for level, (time, fare) in enumerate(zip(minutes, fares, strict=True)):
        night = visit_class(time, table) == VISITS[2]
        spans.append(fare + 2 * time / 60 * cost["person_yuan_per_h"][level] + night * cost["night_yuan"][level])
    return Span(*spans)


def trips(
    network: RoadNetwork,
    calibration: RoadCalibration,
    *,
    table: Mapping[str, Any],
    places: Places,
    origins: Sequence[str],
    destinations: Sequence[str],
) -> pd.DataFrame:
    """Door to door between places by road and by rail, the better of both, how often, and what it costs.

    Parameters
    ----------
    network, calibration
        For the road.
    table : mapping
        `tables/travel.toml`.
    places : mapping of str to (lon, lat)
        Of origins, destinations and rail stops.
    origins, destinations : sequence of str
        Ids in `places`.

    Returns
    -------
    DataFrame
        One row a pair, origins first: `origin`, `destination`, `road_km`; minutes one way `road_*_min`, `rail_*_min`
        and, of the better mode, `*_min`, with low, likely, high for *; `mode`, `board`, `alight` (of the best trip by
        rail), `visit` (at the likely minutes), and the return trip's `*_yuan` by that mode.

    Raises
    ------
    InputError
        For ids without a place, all of them.
    """
    rail = Rail.from_table(table)
    faults = [
        Fault("access.id_without_place", Place(str(name), kind=kind))
        for kind, names in (("origin", origins), ("destination", destinations), ("rail_stop", rail.stops))
        for name in names
        if name not in places
    ]
    refuse_if(faults)
    start, end = (np.array([places[name] for name in names]).reshape(-1, 2) for names in (origins, destinations))
    links = table.get("rail", {}).get("link", [])
    drive = matrix(network, start, end)
    road = calibration.minutes(drive.minutes)
    by_road = partial(station_minutes, network, calibration, rail=rail, places=places, links=links)
    access, egress = by_road(points=start, ids=origins), by_road(points=end, ids=destinations)
    by_rail = rail_trips(rail, access, Span(*(minutes.T for minutes in egress)))
    minutes, mode = better_mode(road, by_rail.minutes)
    yuan = zip(rail_trip_yuan(by_rail, table), road_trip_yuan(road, drive.km, table), strict=True)
    cost = Span(*(np.where(mode == "rail", rail_yuan, road_yuan) for rail_yuan, road_yuan in yuan))
    stop = np.array([*rail.stops, ""])
    columns: dict[str, Any] = {"origin": np.repeat(origins, len(destinations)), "road_km": drive.km}
    columns["destination"] = np.tile(destinations, len(origins))
    for name, span in (("road_{}_min", road), ("rail_{}_min", by_rail.minutes), ("{}_min", minutes), ("{}_yuan", cost)):
        columns |= {name.format(level): values for level, values in span._asdict().items()}
    columns |= {"mode": mode, "board": stop[by_rail.board], "alight": stop[by_rail.alight]}
    columns["visit"] = visit_class(minutes.likely, table)
    first = ["origin", "destination", "mode"]
    frame = pd.DataFrame({key: np.ravel(values) for key, values in columns.items()})
    return frame[first + [c for c in frame if c not in first]]


class Freight(NamedTuple):
    """Truck minutes from each site to the nearest terminal of a kind, and its position (-1: none can be reached)."""

    minutes: Span
    terminal: Ints


def freight_minutes(
    network: RoadNetwork, calibration: RoadCalibration, *, sites: Any, terminals: Any, table: Mapping[str, Any]
) -> Freight:
    """Truck minutes from each site to the nearest of some ports, rail stations or airports.

    Parameters
    ----------
    network, calibration
        For the road there.
    sites, terminals : points
        As in `travel.matrix`; call once a kind of terminal.
    table : mapping
        `tables/travel.toml`: `freight.truck_factor`.

    Returns
    -------
    Freight
        (S,) arrays.

    Raises
    ------
    InputError
        When there is no terminal.
    """
    drive = matrix(network, sites, terminals).minutes
    if not drive.shape[1]:
        raise InputError(Fault("access.no_terminal", "terminals"))
    nearest = drive.argmin(axis=1)
    car = calibration.minutes(np.take_along_axis(drive, nearest[:, None], axis=1)[:, 0])
    minutes = Span(*(m * f for m, f in zip(car, table["freight"]["truck_factor"], strict=True)))
    return Freight(minutes, np.where(np.isinf(minutes.likely), -1, nearest))
