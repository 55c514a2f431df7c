"""Trips door to door: calibrated road minutes, rail, the better of the two, how often, at what cost; freight.

What is declared about them (published times, services, thresholds, prices) stands in `tables/travel.toml`; the
functions take that table, parsed. A number of minutes is always three: low, likely, high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix
from geo_cluster.errors import DataError, Fault, InputError, refuse_if

MODES = ("road", "rail")
VISITS = ("several_a_day", "same_day", "overnight")
"""How often an engineer can be at the line and back, best first."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = Mapping[str, tuple[float, float]]


class Span(NamedTuple):
    """Low, likely and high of the same quantity: three arrays of one shape."""

    low: Floats
    likely: Floats
    high: Floats

    @classmethod
    def of(cls, values: ArrayLike) -> Span:
        """From an array whose last axis is low, likely, high."""
        low, likely, high = np.moveaxis(np.asarray(values, dtype=float), -1, 0)
        return cls(low, likely, high)

    def as_array(self) -> Floats:
        """Return one array whose last axis is low, likely, high."""
        return np.stack(self, axis=-1)


@dataclass(frozen=True, eq=False)
class RoadCalibration:
    """Door-to-door minutes by road from minutes on the network: `intercept_min + factor * network minutes`.

    Attributes
    ----------
    intercept_min : float
        Getting away, parking, the first and last streets.
    factor : float
        By how much the network's assumed speeds are too fast (above 1) or too slow.
    low_spread, high_spread : float
        The interval is the likely minutes and so many times their square root to either side, as errors of
        independent stretches add up; nine in ten lower and upper ends of the fitted pairs' ranges lie within.
    pairs : DataFrame
        Every published pair with `network_min`, `fitted_min`, `residual_min` (fitted less published likely), whether
        it was fitted, source and note; none is left out.
    """

    intercept_min: float
    factor: float
    low_spread: float
    high_spread: float
    pairs: pd.DataFrame

    def minutes(self, network_min: ArrayLike) -> Span:
        """Door-to-door minutes with their interval; inf stays inf."""
        likely = self.intercept_min + self.factor * np.asarray(network_min, dtype=float)
        root = np.sqrt(likely)
        with np.errstate(invalid="ignore"):  # inf - inf
            low = np.where(np.isinf(likely), np.inf, np.maximum(likely - self.low_spread * root, 0.0))
        return Span(low, likely, likely + self.high_spread * root)


def calibrate(network: RoadNetwork, table: Mapping[str, Any], places: Places) -> RoadCalibration:
    """Fit the network's minutes to published ones.

    Least squares on the published likely minutes, each weighted by half the width of its range (a range of 15-25 min
    binds more than one of 300-340), with neither intercept nor factor negative. The interval comes from the published
    ranges, not from a normal law that so few pairs can't support.

    Parameters
    ----------
    network : RoadNetwork
        With the speeds assumed for it.
    table : mapping
        `tables/travel.toml`; its `road` rows are used.
    places : mapping of str to (lon, lat)
        Where the ids that the rows name are.

    Raises
    ------
    DataError
        When a row names an unknown place, its minutes aren't low <= likely <= high, or fewer than three are to be
        fitted; all faults at once.
    """
    rows = table.get("road", [])
    faults = [f for i, row in enumerate(rows) for f in _row_faults(f"travel.toml, road {i + 1}", row, places)]
    fit = np.array([row.get("fit", True) for row in rows], dtype=bool)
    if fit.sum() < 3:
        faults.append(Fault("travel.toml, road", f"has {fit.sum()} pairs to fit", "give at least three"))
    refuse_if(faults, DataError)
    ends = [np.array([places[row[end]] for row in rows]) for end in ("origin", "destination")]
    drive = np.array([matrix(network, [a], [b]).minutes[0, 0] for a, b in zip(*ends, strict=True)])
    low, likely, high = np.array([row["minutes"] for row in rows], dtype=float).T
    intercept, factor = _line(drive[fit], likely[fit], np.maximum((high - low)[fit] / 2, 1.0))
    fitted = intercept + factor * drive
    pairs = pd.DataFrame(
        {
            "origin": [row["origin"] for row in rows],
            "destination": [row["destination"] for row in rows],
            "low_min": low,
            "likely_min": likely,
            "high_min": high,
            "network_min": drive,
            "fitted_min": fitted,
            "residual_min": fitted - likely,
            "fit": fit,
            **{key: [row.get(key, "") for row in rows] for key in ("basis", "confidence", "source", "note")},
        }
    )
    return RoadCalibration(
        intercept,
        factor,
        _spread(fitted[fit] - low[fit], fitted[fit]),
        _spread(high[fit] - fitted[fit], fitted[fit]),
        pairs,
    )


def _spread(excess: Floats, minutes: Floats) -> float:
    """Nine in ten of the excesses are smaller than so many times the square root of the minutes."""
    return float(max(0.0, np.quantile(excess / np.sqrt(np.maximum(minutes, 1.0)), 0.9)))


def _row_faults(where: str, row: Mapping[str, Any], places: Places) -> list[Fault]:
    faults = [
        Fault(where, f"names the unknown place {row.get(end)!r}", "use an id of the layers")
        for end in ("origin", "destination")
        if row.get(end) not in places
    ]
    minutes = row.get("minutes", [])
    if len(minutes) != 3 or not 0 <= minutes[0] <= minutes[1] <= minutes[2]:
        faults.append(Fault(where, f"minutes are {minutes}", "give [low, likely, high], ascending"))
    return faults


def _line(x: Floats, y: Floats, sigma: Floats) -> tuple[float, float]:
    """Weighted least squares of y on x, neither intercept nor slope negative."""
    weight = 1 / sigma**2
    mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
    spread = np.average((x - mean_x) ** 2, weights=weight)
    factor = np.average((x - mean_x) * (y - mean_y), weights=weight) / spread if spread > 0 else 1.0
    intercept = mean_y - factor * mean_x
    if intercept < 0:
        return 0.0, float(np.sum(weight * x * y) / np.sum(weight * x * x))
    if factor < 0:
        return float(mean_y), 0.0
    return float(intercept), float(factor)


@dataclass(frozen=True, eq=False)
class Rail:
    """Rail services as one table of rides between stops.

    Attributes
    ----------
    stops : tuple of str
        Ids of the T places where one can get on or off.
    ride_min : (T, T, 3) ndarray
        Boarding, riding and leaving the station with the best service, low, likely, high; inf where none runs.
    fare_yuan : (T, T) ndarray
    service : (T, T) ndarray of str
        Id of that service, "" where none runs.
    """

    stops: tuple[str, ...]
    ride_min: Floats
    fare_yuan: Floats
    service: NDArray[np.str_]

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Rail:
        """Read the `rail.service` rows of `tables/travel.toml`.

        Raises
        ------
        DataError
            With every fault: stops out of order, minutes or km that fall along the line.
        """
        services = table.get("rail", {}).get("service", [])
        refuse_if([fault for service in services for fault in _service_faults(service)], DataError)
        stops = tuple(dict.fromkeys(stop["at"] for service in services for stop in service["stop"]))
        ride = np.full((len(stops), len(stops), 3), np.inf)
        fare = np.full(ride.shape[:2], np.nan)
        name = np.full(ride.shape[:2], "", dtype="U32")
        for service in services:
            at = np.array([stops.index(stop["at"]) for stop in service["stop"]])
            minutes = np.array([stop["minutes"] for stop in service["stop"]], dtype=float)
            km = np.array([stop["km"] for stop in service["stop"]], dtype=float)
            on_foot = np.add(service["boarding_min"], service["leaving_min"])
            between = np.abs(minutes[:, None] - minutes[None]) + on_foot
            i, j = np.nonzero(~np.eye(at.size, dtype=bool))
            faster = between[i, j, 1] < ride[at[i], at[j], 1]
            i, j = i[faster], j[faster]
            ride[at[i], at[j]] = between[i, j]
            fare[at[i], at[j]] = np.abs(km[i] - km[j]) * service["yuan_per_km"]
            name[at[i], at[j]] = service["id"]
        return cls(stops, ride, fare, name)


def _service_faults(service: Mapping[str, Any]) -> list[Fault]:
    where = f"travel.toml, rail.service {service.get('id', '?')}"
    missing = [key for key in ("id", "boarding_min", "leaving_min", "yuan_per_km", "stop") if key not in service]
    if missing:
        return [Fault(where, f"has no {', '.join(missing)}", "add it")]
    minutes = np.array([stop["minutes"] for stop in service["stop"]], dtype=float)
    faults = []
    if len(minutes) < 2:
        faults.append(Fault(where, "has fewer than two stops", "list the stops in order"))
    elif (np.diff(minutes, axis=0) < 0).any() or (np.diff([stop["km"] for stop in service["stop"]]) < 0).any():
        faults.append(Fault(where, "minutes or km fall along the line", "list the stops in order, from the first"))
    on_foot = [(key, np.array([service[key]], dtype=float)) for key in ("boarding_min", "leaving_min")]
    for name, rows in (("minutes", minutes), *on_foot):
        if rows.shape[1:] != (3,) or (np.diff(rows, axis=1) < 0).any():
            faults.append(Fault(where, f"{name} aren't [low, likely, high]", "give three ascending numbers"))
    return faults


class RailTrip(NamedTuple):
    """Door to door by rail: minutes, the ride's fare, and positions of the stops used in `Rail.stops` (-1: none)."""

    minutes: Span
    fare_yuan: Floats
    board: Ints
    alight: Ints


def rail_trips(rail: Rail, access: Span, egress: Span) -> RailTrip:
    """Best trip by rail for each pair: to a stop, one ride, from a stop.

    Parameters
    ----------
    rail : Rail
    access : Span of (O, T)
        Minutes from each origin to each stop, see `station_minutes`.
    egress : Span of (T, D)
        Minutes from each stop to each destination.

    Returns
    -------
    RailTrip
        (O, D) arrays; inf where no ride leads. The best by likely minutes; low and high are of that same trip.
    """
    if not rail.stops:
        shape = (access.low.shape[0], egress.low.shape[1])
        never, nowhere = np.full(shape, np.inf), np.full(shape, -1)
        return RailTrip(Span(never, never, never), np.full(shape, np.nan), nowhere, nowhere)
    to = access.as_array()[:, :, None] + rail.ride_min[None]  # (O, board, alight, 3)
    board = to[..., 1].argmin(axis=1)
    to = np.take_along_axis(to, board[:, None, :, None], axis=1)[:, 0]  # (O, alight, 3)
    door = to[:, :, None] + egress.as_array()[None]  # (O, alight, D, 3)
    alight = door[..., 1].argmin(axis=1)
    door = np.take_along_axis(door, alight[:, None, :, None], axis=1)[:, 0]
    board = np.take_along_axis(board, alight, axis=1)
    none = np.isinf(door[..., 1])
    fare = np.where(none, np.nan, rail.fare_yuan[board, alight])
    return RailTrip(Span.of(door), fare, np.where(none, -1, board), np.where(none, -1, alight))


def station_minutes(
    network: RoadNetwork,
    calibration: RoadCalibration,
    rail: Rail,
    points: Any,
    places: Places,
    *,
    ids: Sequence[str] = (),
    links: Sequence[Mapping[str, Any]] = (),
) -> Span:
    """Minutes between points and the stops of the railway: by road, or by a declared link where that is faster.

    Parameters
    ----------
    network, calibration
        For the road there.
    rail : Rail
    points : (n,) points
        As in `travel.matrix`.
    places : mapping of str to (lon, lat)
        Of the stops.
    ids : sequence of str, optional
        Ids of the points, by which `links` name them.
    links : sequence of mapping, optional
        The `rail.link` rows: `from`, `to`, `minutes`.

    Returns
    -------
    Span of (n, T)
        The network is taken as equally fast both ways; transpose for the way from the stops.
    """
    stops = np.array([places[stop] for stop in rail.stops])
    minutes = calibration.minutes(matrix(network, points, stops).minutes).as_array()
    for link in links:
        if link["from"] in ids and link["to"] in rail.stops:
            at = list(ids).index(link["from"]), rail.stops.index(link["to"])
            if link["minutes"][1] < minutes[at][1]:
                minutes[at] = link["minutes"]
    return Span.of(minutes)


def better_mode(road: Span, rail: Span) -> tuple[Span, NDArray[np.str_]]:
    """Minutes of the mode that is likely faster for each pair, and which it is ("road" on a tie)."""
    by_rail = rail.likely < road.likely
    minutes = Span(*(np.where(by_rail, a, b) for a, b in zip(rail, road, strict=True)))
    return minutes, np.where(by_rail, MODES[1], MODES[0])


def visit_class(minutes: ArrayLike, table: Mapping[str, Any]) -> NDArray[np.str_]:
    """How often one can go: "several_a_day", "same_day" or "overnight", by minutes one way and the table's `visit`."""
    limits = [table["visit"]["several_a_day_max"], table["visit"]["same_day_max"]]
    if not 0 < limits[0] < limits[1]:
        raise DataError(Fault("travel.toml, visit", f"limits are {limits}", "give two ascending numbers of minutes"))
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
    """
    fares = [2 * np.asarray(km, dtype=float) * rate for rate in table["cost"]["car_yuan_per_km"]]
    return _trip_yuan(minutes, fares, table)


def rail_trip_yuan(trip: RailTrip, table: Mapping[str, Any]) -> Span:
    """Cost of one person's return trip by rail: fares, time, a night where it takes one. Taxis are not counted."""
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
    table: Mapping[str, Any],
    places: Places,
    *,
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
        Fault(f"{what} {name!r}", "has no place", "use an id of the layers")
        for what, names in (("origin", origins), ("destination", destinations), ("rail stop", rail.stops))
        for name in names
        if name not in places
    ]
    refuse_if(faults)
    start, end = (np.array([places[name] for name in names]).reshape(-1, 2) for names in (origins, destinations))
    links = table.get("rail", {}).get("link", [])
    drive = matrix(network, start, end)
    road = calibration.minutes(drive.minutes)
    access = station_minutes(network, calibration, rail, start, places, ids=origins, links=links)
    egress = station_minutes(network, calibration, rail, end, places, ids=destinations, links=links)
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
    network: RoadNetwork, calibration: RoadCalibration, sites: Any, terminals: Any, table: Mapping[str, Any]
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
    """
    drive = matrix(network, sites, terminals).minutes
    if not drive.shape[1]:
        raise InputError(Fault("terminals", "there are none", "give at least one port, station or airport"))
    nearest = drive.argmin(axis=1)
    car = calibration.minutes(np.take_along_axis(drive, nearest[:, None], axis=1)[:, 0])
    minutes = Span(*(m * f for m, f in zip(car, table["freight"]["truck_factor"], strict=True)))
    return Freight(minutes, np.where(np.isinf(minutes.likely), -1, nearest))
