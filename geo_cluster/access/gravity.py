"""Access by gravity: what lies around, each counting less the longer it takes (Hansen 1959), with its interval.

Hansen, W. G. 1959, "How accessibility shapes land use", Journal of the American Institute of Planners 25: 73-76:
`A_i = sum_j m_j f(t_ij)`, here with `f(t) = 0.5 ** (t / half_min)`: no radius inside which all count and outside none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.access.points import Floats


def decay(minutes: ArrayLike, half_min: float) -> Floats:
    """What something so far away counts: 1 at no distance, half at `half_min`, 0 where no way leads."""
    return 0.5 ** (np.asarray(minutes, dtype=float) / half_min)


def gravity(
    minutes: Floats, mass: Floats, *, half_min: float, off_min: tuple[Floats, Floats], doubt: ArrayLike = 0.0
) -> Floats:
    """Access of each place to all points, low, likely and high.

    The error of the place itself moves all of its points at once; the errors of the points are independent of each
    other, so that their effects add up as squares, and so do doubts of the masses.

    Parameters
    ----------
    minutes : (S, n) array
        From each place to each point; inf where no way leads.
    mass : (n,) array
        What each point counts at no distance.
    half_min : float
        Minutes that halve it.
    off_min : ((S,) array, (n,) array)
        By how many minutes the places and the points may be off.
    doubt : (n,) array_like
        By how much each mass may be off.

    Returns
    -------
    (S, 3) array
        0 <= low <= likely <= high; zeros where there is no point.
    """
    here, there = (np.asarray(one, dtype=float) for one in off_min)
    mass, doubt = np.asarray(mass, dtype=float), np.broadcast_to(np.asarray(doubt, dtype=float), mass.shape)
    at = decay(minutes, half_min)
    likely = at @ mass
    bounds = [likely]
    for sign in (1.0, -1.0):  # further away, nearer
        moved = decay(np.maximum(minutes + sign * here[:, None], 0.0), half_min) @ mass - likely
        apart = (decay(np.maximum(minutes + sign * there, 0.0), half_min) - at) * mass
        off = np.sqrt(moved**2 + (apart**2).sum(axis=1) + ((at * doubt) ** 2).sum(axis=1))
        bounds.insert(0 if sign > 0 else 2, np.maximum(likely - sign * off, 0.0))
    return np.stack(bounds, axis=1)
