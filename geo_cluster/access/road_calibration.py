"""Door-to-door minutes by road: network minutes fitted to published ones (`road` rows of `tables/travel.toml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.points import Floats, Places
from geo_cluster.access.travel import matrix
from geo_cluster.errors import DataError, Fault, Place, refuse_if


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
        """Door-to-door minutes with their interval.

        Parameters
        ----------
        network_min : array_like
            Minutes on the network.

        Returns
        -------
        Span
            Shaped like `network_min`; inf stays inf.
        """
        likely = self.intercept_min + self.factor * np.asarray(network_min, dtype=float)
        root = np.sqrt(likely)
        with np.errstate(invalid="ignore"):  # inf - inf
            low = np.where(np.isinf(likely), np.inf, np.maximum(likely - self.low_spread * root, 0.0))
        return Span(low, likely, likely + self.high_spread * root)


def calibrate(network: RoadNetwork, *, table: Mapping[str, Any], places: Places) -> RoadCalibration:
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

    Returns
    -------
    RoadCalibration

    Raises
    ------
    DataError
        When a row names an unknown place, its minutes aren't low <= likely <= high, or fewer than three are to be
        fitted; all faults at once.
    """
    rows = table.get("road", [])
    faults = [fault for i, row in enumerate(rows) for fault in _row_faults(f"road {i + 1}", row, places)]
    fit = np.array([row.get("fit", True) for row in rows], dtype=bool)
    if fit.sum() < 3:
        faults.append(Fault("access.too_few_pairs", Place("travel.toml", key="road"), count=int(fit.sum())))
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


def left_out(calibration: RoadCalibration) -> Floats:
    """(F,): minutes of each of the F fitted pairs, predicted by a line that is fitted to the others alone.

    nan where fewer than two others are left.
    """
    pairs = calibration.pairs[calibration.pairs["fit"].astype(bool)]
    drive, likely = pairs["network_min"].to_numpy(float), pairs["likely_min"].to_numpy(float)
    sigma = np.maximum((pairs["high_min"] - pairs["low_min"]).to_numpy(float) / 2, 1.0)
    predicted = np.full(len(pairs), np.nan)
    for at in range(len(pairs) if len(pairs) > 2 else 0):
        others = np.arange(len(pairs)) != at
        intercept, factor = _line(drive[others], likely[others], sigma[others])
        predicted[at] = intercept + factor * drive[at]
    return predicted


def _spread(excess: Floats, minutes: Floats) -> float:
    """Nine in ten of the excesses are smaller than so many times the square root of the minutes."""
    return float(max(0.0, np.quantile(excess / np.sqrt(np.maximum(minutes, 1.0)), 0.9)))


def _row_faults(key: str, row: Mapping[str, Any], places: Places) -> list[Fault]:
    here = Place("travel.toml", key=key)
    faults = [
        Fault("access.place_unknown", here, place=str(row.get(end)))
        for end in ("origin", "destination")
        if row.get(end) not in places
    ]
    minutes = row.get("minutes", [])
    if len(minutes) != 3 or not 0 <= minutes[0] <= minutes[1] <= minutes[2]:
        faults.append(Fault("access.minutes_not_ascending", here, minutes=list(minutes)))
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
