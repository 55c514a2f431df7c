"""What is wrong with the rings of a shape, by the reasons that GEOS gives for it."""

from __future__ import annotations

import re

import shapely
from shapely.geometry.base import BaseGeometry

from geo_cluster.errors import Fault, Place

CODES = {
    "Self-intersection": "supply.ring_crosses_itself",
    "Ring Self-intersection": "supply.ring_touches_itself",
    "Too few points in geometry component": "supply.ring_of_too_few_points",
    "Hole lies outside shell": "supply.hole_outside",
    "Holes are nested": "supply.holes_nested",
    "Nested shells": "supply.shells_nested",
    "Duplicate Rings": "supply.rings_duplicate",
    "Interior is disconnected": "supply.interior_parted",
    "Invalid Coordinate": "supply.coordinate_no_number",
}
"""Codes by the reasons of GEOS (`TopologyValidationError`), which come with a place."""

_REASON = re.compile(r"(?P<reason>[^\[]+)\[(?P<x>\S+) (?P<y>[^\s\]]+)")


def ring_fault(place: Place | str, shape: BaseGeometry) -> Fault:
    """Say what is wrong with the rings of a shape that isn't valid, and where.

    Parameters
    ----------
    place : Place or str
        Of the shape.
    shape : geometry
        Not valid; the coordinates of the fault are those of its own reference system.
    """
    said = shapely.is_valid_reason(shape)
    found = _REASON.match(said)
    if found is None or found["reason"] not in CODES:
        return Fault("supply.ring_not_valid", place, reason=said)
    return Fault(CODES[found["reason"]], place, x=float(found["x"]), y=float(found["y"]))
