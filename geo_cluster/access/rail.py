"""Trips by rail, door to door: declared services (`rail` rows of `tables/travel.toml`), and ways to stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.points import Floats, Ints, Places
from geo_cluster.access.road_calibration import RoadCalibration, Span
from geo_cluster.access.travel import matrix
from geo_cluster.errors import DataError, Fault, Place, refuse_if


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

        Parameters
        ----------
        table : mapping
            `tables/travel.toml`.

        Returns
        -------
        Rail

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
    here = Place("travel.toml", key=f"rail.service {service.get('id', '?')}")
    missing = [key for key in ("id", "boarding_min", "leaving_min", "yuan_per_km", "stop") if key not in service]
    if missing:
        return [Fault("access.service_incomplete", here, keys=missing)]
    minutes = np.array([stop["minutes"] for stop in service["stop"]], dtype=float)
    faults = []
    if len(minutes) < 2:
        faults.append(Fault("access.service_without_stops", here))
    elif (np.diff(minutes, axis=0) < 0).any() or (np.diff([stop["km"] for stop in service["stop"]]) < 0).any():
        faults.append(Fault("access.stops_out_of_order", here))
    on_foot = [(key, np.array([service[key]], dtype=float)) for key in ("boarding_min", "leaving_min")]
    for name, rows in (("minutes", minutes), *on_foot):
        if rows.shape[1:] != (3,) or (np.diff(rows, axis=1) < 0).any():
            faults.append(Fault("access.not_three_ascending", here, key=name))
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
    *,
    rail: Rail,
    points: Any,
    places: Places,
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
