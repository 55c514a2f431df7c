"""Substations: what they feed, and what they can spare under N-1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo_cluster.errors import Fault, Faults, Place, refuse_if

Table = Mapping[str, Any]

MOST_TRANSFORMERS = 100
"""Of a kind at one station; more is a slip of the pen."""


def feeding_levels(text: Any) -> frozenset[float]:
    """Voltages (kV) that a station feeds customers at.

    >>> sorted(feeding_levels("110/35/10 kV"))
    [10.0, 35.0, 110.0]
    """
    return frozenset(float(part) for part in str(text).replace("kV", "").split("/") if part.strip())


def transformers(value: Any) -> list[float]:
    """Ratings of a station's transformers in MVA.

    Raises
    ------
    ValueError
        For what can't be read so.

    Examples
    --------
    >>> transformers("2x50+31.5")
    [50.0, 50.0, 31.5]
    """
    ratings: list[float] = []
    for part in str(value).replace("×", "x").replace("*", "x").replace(";", "+").split("+"):
        count, _, rating = part.strip().partition("x")
        if rating and not 0 < int(count) <= MOST_TRANSFORMERS:
            msg = f"no station has {int(count)} transformers of a kind"
            raise ValueError(msg)
        ratings += [float(rating)] * int(count) if rating else [float(count)]
    return ratings


def substation_faults(stations: pd.DataFrame, *, where: str = "substations") -> list[Fault]:
    """List everything wrong with a substation layer, each with row and remedy.

    Two stations of one name, transformers that can't be read, installed capacity below peak load, bounds out
    of order.

    Parameters
    ----------
    stations : DataFrame
        Columns `name` and `voltage_kv`, optionally `transformers_mva`, `peak_mva`, `peak_low_mva`, `peak_high_mva`.
    where : str
        Name of the layer in the faults.
    """
    missing = [column for column in ("name", "voltage_kv") if column not in stations]
    if missing:
        return [Fault("supply.station_column_missing", where, column=column) for column in missing]
    faults = Faults()
    names = stations["name"].astype(str)
    for row, (name, repeated) in enumerate(zip(names, names.duplicated(), strict=True)):
        here = Place(where, row=row + 1, entry=name)
        if repeated:
            faults.append(Fault("supply.station_named_twice", here))
        record = stations.iloc[row]
        try:
            installed = sum(transformers(record.get("transformers_mva", 0.0)))
        except ValueError:
            value = str(record["transformers_mva"])
            faults.append(Fault("supply.transformers_unreadable", here, value=value))
            continue
        low, likely, high = _peak_bounds(record)
        if not low <= likely <= high:
            faults.append(Fault("supply.peak_out_of_order", here, low=low, likely=likely, high=high))
        elif "transformers_mva" in record and installed < low:
            faults.append(Fault("supply.capacity_below_peak", here, installed=installed, peak=low))
    return list(faults)


def _peak_bounds(record: pd.Series) -> tuple[float, float, float]:
    likely = float(record.get("peak_mva", 0.0))
    return float(record.get("peak_low_mva", likely)), likely, float(record.get("peak_high_mva", likely))


def end_of(period: Any) -> pd.Timestamp:
    """Last moment of a year, month or day: ``2025``, ``"2026-06"`` or ``"2026-06-15"``."""
    if isinstance(period, float) and not np.isnan(period):
        period = int(period)
    return pd.Period(str(period)).end_time


def headroom(
    substations: pd.DataFrame,
    committed: pd.DataFrame | None = None,
    *,
    at: Any = None,
    overload: float = 1.0,
) -> pd.DataFrame:
    """Spare capacity of each substation under N-1, as an interval.

    Firm capacity is what the transformers carry with the largest one out, times `overload`. Peak load and
    what is committed are taken off by interval arithmetic: low = firm - high peak - high committed.

    Parameters
    ----------
    substations : DataFrame
        Columns `name`, `transformers_mva` (``"2x50"``), `peak_mva`, optionally `peak_low_mva`, `peak_high_mva` and
        `commissioned` (year, month or day; empty = in service).
    committed : DataFrame, optional
        Columns `substation`, `mva`, optionally `low_mva`, `high_mva` and `from` (year, month or day; empty = now).
    at : int, str or date, optional
        Year, month or day the project needs its power. A station commissioned later offers nothing yet, a
        commitment that begins later takes nothing yet. None counts every station and every commitment.
    overload : float
        Short-term loading that the remaining transformers may take, 1.0 = their rating (1.3 for two hours is
        usual in Chinese practice; the prudent default is none).

    Returns
    -------
    DataFrame
        Indexed by `name`: `installed_mva`, `firm_mva`, `peak_*`, `committed_*`, `headroom_low_mva`,
        `headroom_likely_mva`, `headroom_high_mva` (never below 0), `in_service`.

    Raises
    ------
    InputError
        All faults of the layer at once, and commitments at stations that do not exist.
    """
    faults = substation_faults(substations)
    names = pd.Index(substations["name"].astype(str), name="name") if "name" in substations else pd.Index([])
    if "transformers_mva" not in substations:
        faults.append(Fault("supply.transformers_missing", "substations"))
    if committed is not None:
        faults += [
            Fault("supply.commitment_unknown", Place("committed", row=row + 1), station=name)
            for row, name in enumerate(committed["substation"].astype(str))
            if name not in names
        ]
    refuse_if(faults)

    ratings = [transformers(value) for value in substations["transformers_mva"]]
    out = pd.DataFrame(index=names)
    out["installed_mva"] = [sum(units) for units in ratings]
    out["in_service"] = True
    if at is not None and "commissioned" in substations:
        out["in_service"] = [
            pd.isna(c) or str(c).strip() == "" or end_of(c) <= end_of(at) for c in substations["commissioned"]
        ]
    firm = np.array([sum(units) - max(units) for units in ratings]) * overload
    out["firm_mva"] = np.where(out["in_service"], firm, 0.0)
    peaks = np.array([_peak_bounds(record) for _, record in substations.iterrows()]).reshape(-1, 3)
    out[["peak_low_mva", "peak_likely_mva", "peak_high_mva"]] = peaks
    promised = _committed(committed, names, at)
    out[["committed_low_mva", "committed_likely_mva", "committed_high_mva"]] = promised
    spare = out["firm_mva"].to_numpy()[:, None] - peaks[:, ::-1] - promised[:, ::-1]
    out[["headroom_low_mva", "headroom_likely_mva", "headroom_high_mva"]] = np.maximum(spare, 0.0)
    return out


def _committed(committed: pd.DataFrame | None, names: pd.Index, at: Any) -> NDArray[np.float64]:
    """Low, likely and high MVA promised at each station by the time asked for, shape (stations, 3)."""
    total = np.zeros((len(names), 3))
    if committed is None or committed.empty:
        return total
    rows = committed
    if at is not None and "from" in rows:
        rows = rows[[pd.isna(f) or str(f).strip() == "" or end_of(f) <= end_of(at) for f in rows["from"]]]
    likely = rows["mva"].to_numpy(float)
    bounds = np.column_stack([rows.get("low_mva", rows["mva"]), likely, rows.get("high_mva", rows["mva"])]).astype(
        float
    )
    np.add.at(total, names.get_indexer(pd.Index(rows["substation"].astype(str))), bounds)
    return total
