"""Value functions: from a natural unit (minutes, MVA, hectares) to a value in [0, 1].

A value function is declared against a fixed range, `worst … best`, not against the data at hand, so that adding a
site never changes another site's value (Belton & Stewart 2002, *Multiple Criteria Decision Analysis*, ch. 5: global
scales). `worst` may be the larger number: then less is better. Outside the range the value stays 0 or 1; unknown
(nan) stays unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_cluster.errors import Fault, Place, refuse_if

Kind = Literal["linear", "piecewise", "target", "log", "sigmoid", "step"]

# What each kind may be given beside `kind`, `worst` and `best`.
OPTIONS: dict[str, tuple[str, ...]] = {
    "linear": (),
    "piecewise": ("points",),
    "target": ("worst_beyond", "tolerance"),
    "log": (),
    "sigmoid": ("midpoint", "steepness"),
    "step": ("points",),
}


DECLARATION = Place("", kind="value_function")
"""Where a fault of a declaration is that came from no file."""


@dataclass(frozen=True)
class ValueFunction:
    """One criterion's way from natural unit to value, as declared in its row.

    Parameters
    ----------
    kind : {"linear", "piecewise", "target", "log", "sigmoid", "step"}
        - ``linear``: straight from 0 at `worst` to 1 at `best`.
        - ``piecewise``: straight lines through `points`; monotone only if the points are.
        - ``target``: 1 within `tolerance` of `best`, falling straight to 0 at `worst` on one side and at
          `worst_beyond` on the other.
        - ``log``: equal *ratios* count equally; both ends must be above 0.
        - ``sigmoid``: logistic, steepest at `midpoint`, stretched so that it is 0 at `worst` and 1 at `best`.
        - ``step``: the value of the last of `points` that was reached on the way from `worst` to `best`
          (a threshold counts as reached when met exactly), 0 before the first.
    worst, best : float
        Natural values that are worth 0 and 1.
    points : tuple of (x, value), optional
        Breakpoints; x strictly from `worst` towards `best`. A step's default is one step, at `best`.
    worst_beyond : float, optional
        Where a target's far side is worth 0; default as far beyond `best` as `worst` is before it.
    tolerance : float
        Half-width of a target's plateau, natural units.
    midpoint : float, optional
        Where a sigmoid is steepest, natural units; default half-way.
    steepness : float
        Logistic slope over the whole range; about 1 is nearly straight, 20 nearly a step.

    Raises
    ------
    InputError
        With every fault of the declaration.
    """

    kind: Kind
    worst: float
    best: float
    points: tuple[tuple[float, float], ...] = ()
    worst_beyond: float | None = None
    tolerance: float = 0.0
    midpoint: float | None = None
    steepness: float = 10.0

    def __post_init__(self) -> None:
        refuse_if(_faults({field.name: getattr(self, field.name) for field in fields(self)}, DECLARATION))

    @classmethod
    def from_dict(cls, row: Mapping[str, Any], *, where: Place = DECLARATION) -> ValueFunction:
        """Read a declaration, such as a row of a TOML table.

        Parameters
        ----------
        row : mapping
            `kind`, `worst`, `best` and the options of that kind; `points` as a list of ``[x, value]``.
        where : Place
            What a fault is to be put down to: file and row.

        Raises
        ------
        InputError
            With every fault: missing and unknown keys, options of another kind, numbers that can't be.
        """
        known = {field.name for field in fields(cls)}
        faults = [
            Fault("scoring.no_key", replace(where, key=key), known=sorted(known)) for key in row if key not in known
        ]
        faults += [
            Fault("scoring.idle_key", replace(where, key=key), kind=str(row["kind"]))
            for key in row
            if key in known - {"kind", "worst", "best", *OPTIONS.get(str(row.get("kind")), known)}
        ]
        faults += [
            Fault("scoring.missing_key", replace(where, key=key)) for key in ("kind", "worst", "best") if key not in row
        ]
        declared = {key: value for key, value in row.items() if key in known}
        if not faults:
            faults = _faults({"points": (), "tolerance": 0.0, "steepness": 10.0, **declared}, where)
        refuse_if(faults)
        if "points" in declared:
            declared["points"] = tuple((float(x), float(value)) for x, value in declared["points"])
        return cls(**declared)

    def value(self, x: ArrayLike) -> NDArray[np.float64]:
        """Value of each natural value.

        Parameters
        ----------
        x : array-like
            Natural values, any shape.

        Returns
        -------
        ndarray
            Same shape, in [0, 1]; nan where `x` is nan.

        Examples
        --------
        >>> drive = ValueFunction("linear", worst=120, best=20)  # minutes
        >>> drive.value([10, 45, 150, np.nan]).tolist()
        [1.0, 0.75, 0.0, nan]
        """
        x = np.asarray(x, dtype=np.float64)
        match self.kind:
            case "piecewise" | "step":
                return self._from_points(x)
            case "target":
                return self._target(x)
            case "log":
                inside = np.clip(x, min(self.worst, self.best), max(self.worst, self.best))
                return np.clip(np.log(inside / self.worst) / math.log(self.best / self.worst), 0.0, 1.0)
            case "sigmoid":
                return self._sigmoid(x)
            case _:
                return _along(x, self.worst, self.best)

    def inverse(self, value: ArrayLike) -> NDArray[np.float64]:
        """Natural value nearest to `worst` that is worth at least `value`.

        Parameters
        ----------
        value : array-like
            In [0, 1], any shape.

        Returns
        -------
        ndarray
            Same shape; nan where the function never gets there. Of a target, the side of `worst`.
        """
        wanted = np.asarray(value, dtype=np.float64)
        inside = np.where((wanted >= 0) & (wanted <= 1), wanted, np.nan)
        match self.kind:
            case "piecewise" | "step":
                return self._reach(inside)
            case "target":
                edge = self.best - math.copysign(self.tolerance, self.best - self.worst)
                return self.worst + inside * (edge - self.worst)
            case "log":
                return self.worst * (self.best / self.worst) ** inside
            case "sigmoid":
                bottom, top, position = self._logistic()
                raw = np.arctanh(np.clip(bottom + inside * (top - bottom), -1, 1)) * 2 / self.steepness + position
                return self.worst + np.clip(raw, 0.0, 1.0) * (self.best - self.worst)
            case _:
                return self.worst + inside * (self.best - self.worst)

    @property
    def knots(self) -> tuple[float, ...] | None:
        """Where the straight lines of a piecewise linear function meet; None if it is not one."""
        if self.kind == "linear":
            return (self.worst, self.best)
        if self.kind == "piecewise":
            return tuple(x for x, _ in self.points)
        if self.kind == "target":
            return (self.worst, self.best - self.tolerance, self.best + self.tolerance, self._beyond)
        return None

    @property
    def monotone(self) -> bool:
        """Whether going from `worst` to `best` never lowers the value."""
        if self.kind == "target":
            return False
        return all(later >= sooner for (_, sooner), (_, later) in pairwise(self.points))

    def _from_points(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        points = np.array(self.points or ((self.best, 1.0),))
        sign = 1.0 if self.best > self.worst else -1.0
        at, value = sign * points[:, 0], points[:, 1]
        if self.kind == "piecewise":
            return np.interp(sign * x, at, value)
        reached = np.concatenate(([0.0], value))[np.searchsorted(at, sign * x, side="right")]
        return np.where(np.isnan(x), np.nan, reached)

    @property
    def _beyond(self) -> float:
        return 2 * self.best - self.worst if self.worst_beyond is None else self.worst_beyond

    def _target(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        sign = 1.0 if self.best > self.worst else -1.0
        near = _along(x, self.worst, self.best - sign * self.tolerance)
        far = _along(x, self._beyond, self.best + sign * self.tolerance)
        return np.minimum(near, far)

    def _sigmoid(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        bottom, top, position = self._logistic()
        raw = np.tanh(self.steepness / 2 * (_along(x, self.worst, self.best) - position))
        return np.clip((raw - bottom) / (top - bottom), 0.0, 1.0)

    def _logistic(self) -> tuple[float, float, float]:
        """Raw values at worst and best, and how far along the midpoint is (tanh form: no overflow)."""
        middle = (self.worst + self.best) / 2 if self.midpoint is None else self.midpoint
        position = (middle - self.worst) / (self.best - self.worst)
        bottom, top = (math.tanh(self.steepness / 2 * (end - position)) for end in (0.0, 1.0))
        return bottom, top, position

    def _reach(self, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the highest value so far, going from worst to best, first reaches `wanted`."""
        points = np.array(self.points or ((self.best, 1.0),))
        peak = np.maximum.accumulate(points[:, 1])
        at = np.searchsorted(peak, np.nan_to_num(wanted, nan=2.0), side="left")
        after = np.minimum(at, len(points) - 1)
        if self.kind == "step":
            reached = np.where(wanted <= 0, self.worst, points[after, 0])
        else:
            before = np.maximum(after - 1, 0)
            rise = points[after, 1] - points[before, 1]
            share = np.divide(wanted - points[before, 1], rise, out=np.zeros_like(wanted), where=rise > 0)
            reached = points[before, 0] + np.clip(share, 0.0, 1.0) * (points[after, 0] - points[before, 0])
        return np.where(at < len(points), reached, np.nan)


def _along(x: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    """How far `x` is from `start` (0) to `end` (1), clipped; nan stays nan."""
    return np.clip((x - start) / (end - start), 0.0, 1.0) + 0.0  # no -0.0


def _faults(row: Mapping[str, Any], where: Place) -> list[Fault]:
    """Everything wrong with a declaration that has `kind`, `worst` and `best`."""
    kinds = get_args(Kind)
    if row["kind"] not in kinds:
        place = replace(where, key="kind")
        return [Fault("scoring.unknown_option", place, value=str(row["kind"]), known=list(kinds))]
    faults = [
        Fault("scoring.no_finite_number", replace(where, key=key), value=repr(row[key]))
        for key in ("worst", "best", "worst_beyond", "tolerance", "midpoint", "steepness")
        if not (_is_number(row.get(key)) or (key in ("worst_beyond", "midpoint") and row.get(key) is None))
    ]
    points = row["points"]
    well_formed = isinstance(points, list | tuple) and all(
        isinstance(point, list | tuple) and len(point) == 2 and all(map(_is_number, point)) for point in points
    )
    if not well_formed:
        faults.append(Fault("scoring.no_pairs", replace(where, key="points")))
    if faults:
        return faults
    worst, best = row["worst"], row["best"]
    if worst == best:
        return [Fault("scoring.no_range", replace(where, key="worst, best"), value=worst)]
    sign = 1.0 if best > worst else -1.0
    beyond, midpoint = row.get("worst_beyond"), row.get("midpoint")
    far_enough = beyond is None or sign * (beyond - best - sign * row["tolerance"]) > 0
    checks = [
        ("points", row["kind"] != "piecewise" or len(points) >= 2, "scoring.few_points"),
        (
            "points",
            all(sign * (later[0] - sooner[0]) > 0 for sooner, later in pairwise(points)),
            "scoring.points_unsorted",
        ),
        ("points", all(0 <= value <= 1 for _, value in points), "scoring.points_outside"),
        ("worst", row["kind"] != "log" or min(worst, best) > 0, "scoring.log_not_positive"),
        ("worst_beyond", far_enough, "scoring.not_beyond"),
        ("tolerance", 0 <= row["tolerance"] < abs(best - worst), "scoring.tolerance_outside"),
        ("steepness", row["steepness"] > 0, "scoring.steepness_not_positive"),
        ("midpoint", midpoint is None or min(worst, best) <= midpoint <= max(worst, best), "scoring.midpoint_outside"),
    ]
    return [Fault(code, replace(where, key=key)) for key, is_right, code in checks if not is_right]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
