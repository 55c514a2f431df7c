"""Numbers that are not well known: low, likely and high, and their arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo_cluster.errors import Fault, InputError, Place


@dataclass(frozen=True)
class Interval:
    """A quantity with its bounds, ``low <= likely <= high``.

    Sums and differences are those of interval arithmetic (Moore, 1966): bounds hold whatever the
    dependence between the operands, so they are never too narrow.

    Examples
    --------
    >>> room, need = Interval.of((40, 60, 80)), Interval.of((20, 30))
    >>> room - need
    Interval(low=10.0, likely=35.0, high=60.0)
    >>> f"{2 * need} MVA"
    '40-60 MVA'
    """

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.likely <= self.high:
            here = Place(f"({self.low}, {self.likely}, {self.high})", kind="interval")
            raise InputError(Fault("supply.interval_out_of_order", here))

    @classmethod
    def of(cls, value: Interval | float | Sequence[float]) -> Interval:
        """Read a number, ``(low, high)`` with the middle as likely, or ``(low, likely, high)``.

        Raises
        ------
        InputError
            For another count of numbers, or an order other than low <= likely <= high.
        """
        if isinstance(value, Interval):
            return value
        if not isinstance(value, Sequence | np.ndarray):
            return cls(float(value), float(value), float(value))
        if len(value) == 2:
            return cls(float(value[0]), (value[0] + value[1]) / 2, float(value[1]))
        if len(value) != 3:
            here = Place(str(tuple(value)), kind="interval")
            raise InputError(Fault("supply.interval_of_another_length", here))
        return cls(float(value[0]), float(value[1]), float(value[2]))

    def __add__(self, other: Interval | float) -> Interval:
        other = Interval.of(other)
        return Interval(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def __sub__(self, other: Interval | float) -> Interval:
        other = Interval.of(other)
        return Interval(self.low - other.high, self.likely - other.likely, self.high - other.low)

    def __rsub__(self, other: float) -> Interval:
        return Interval.of(other) - self

    def __mul__(self, other: Interval | float) -> Interval:
        other = Interval.of(other)
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), self.likely * other.likely, max(corners))

    __radd__ = __add__
    __rmul__ = __mul__

    def clip(self, floor: float) -> Interval:
        """Bounds raised to `floor` where they lie below it."""
        return Interval(max(self.low, floor), max(self.likely, floor), max(self.high, floor))

    def __format__(self, spec: str) -> str:
        """``21-28`` where the bounds differ as printed, one number where they do not."""
        low, high = format(self.low, spec or "g"), format(self.high, spec or "g")
        return low if low == high else f"{low}-{high}"
