"""Numbers as multiples of a step of their own, so that no tolerance depends on the unit in which they are counted."""

from __future__ import annotations

import numpy as np

from geo_cluster.matching.resource import Floats

_FINEST = 2.0**20  # steps in the largest number; what needs more has none worth knowing
_NEAR, _ROUNDING = 1e-4, 1e-10  # of a step: how far from a multiple a number may be while searching, and in the end


def common_step(numbers: Floats, *, rounding: float = 0.0) -> float | None:
    """The largest step of which all numbers are multiples; None where they have none, or only a very fine one.

    They carry rounding: their own, and `rounding` of what they were worked out from.

    >>> f"{common_step(np.array([0.6, 1.5, -0.9]) * 1e-9):.6g}"
    '3e-10'
    """
    found = np.unique(np.abs(numbers[np.isfinite(numbers) & (numbers != 0)]))
    if not len(found):
        return None
    step, most = float(found[0]), float(found[-1])
    while step * _FINEST >= most:
        others = found[np.abs(found - np.rint(found / step) * step) > _NEAR * step]
        if len(others):
            step = _divisor(step, float(others[0]), most / _FINEST)
            continue
        whole = np.rint(found / step)
        step = float(found / most @ whole / (whole @ whole)) * most  # without the rounding of the smallest
        is_near = np.abs(found - whole * step) <= _ROUNDING * step + 1e-15 * most + rounding
        return step if is_near.all() else None
    return None


def _divisor(first: float, second: float, least: float) -> float:
    """The greatest common divisor of two numbers with rounding, as far as it isn't below `least` (Euclid)."""
    larger, smaller = max(first, second), min(first, second)
    while smaller > 1e-3 * least:
        larger, smaller = smaller, abs(larger - np.rint(larger / smaller) * smaller)
    return second / float(np.rint(second / larger)) if larger >= least else 0.0
