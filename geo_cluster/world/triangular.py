"""How every number that is known as low, likely and high is drawn: the triangular distribution, by its quantiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quantiles(uniform: Floats, low: Floats, likely: Floats, high: Floats) -> Floats:
    """Inverse of the cumulative distribution, broadcast over arrays; the one number where low equals high.

    Parameters
    ----------
    uniform : array
        Probabilities, 0 to 1.
    low, likely, high : array
        With `low <= likely <= high`.

    Examples
    --------
    >>> quantiles(np.array([0.0, 0.5, 1.0]), np.array(0.0), np.array(5.0), np.array(10.0)).tolist()
    [0.0, 5.0, 10.0]
    """
    width = high - low
    rising = np.divide(likely - low, width, out=np.zeros_like(width), where=width > 0)
    below = low + np.sqrt(uniform * width * (likely - low))
    above = high - np.sqrt((1 - uniform) * width * (high - likely))
    return np.where(uniform < rising, below, above)
