"""The coordinate systems that layers leave in."""

from __future__ import annotations

from geo_cluster import toml
from geo_cluster.errors import Fault, InputError, Place

DEFAULT_CRS = "EPSG:4490"


def checked_crs(text: str) -> str:
    """The full code of a system of `tables/gis.toml`; the number alone will do, and '' is CGCS2000 in degrees.

    Raises
    ------
    InputError
        There is none of this code, with those that there are.

    Examples
    --------
    >>> checked_crs("4547"), checked_crs("")
    ('EPSG:4547', 'EPSG:4490')
    """
    system, known = text.strip().upper(), list(toml.table("gis")["crs"])
    system = f"EPSG:{system}" if system.isdigit() else system or DEFAULT_CRS
    if system not in known:
        raise InputError(Fault("export.no_such_crs", Place(text[:40]), known=known))
    return system
