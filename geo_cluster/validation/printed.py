"""Published worked examples and published rules, recomputed by the code that the product uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.scoring.aggregate import aggregate
from geo_cluster.scoring.weights import ahp, critic, entropy, rank_order_centroid
from geo_cluster.supply.energy_review import coal_equivalent_tce
from geo_cluster.supply.rectangle import largest_rectangles

Row = Mapping[str, Any]


def examples() -> pd.DataFrame:
    """A row for each example of `[[printed]]` in `tables/validation.toml`, recomputed now.

    Returns
    -------
    DataFrame
        `example`, `name_zh`, `name_en`, `source`, `published`, `recomputed` (as text), `difference` (the largest),
        `allowed` (by the rounding of what is printed), `agrees`.
    """
    rows = []
    for row in toml.table("validation")["printed"]:
        printed, found = BY[row["by"]](row)
        difference = float(np.max(np.abs(found - printed)))
        about = {"example": row["id"], "name_zh": row["name"]["zh"], "name_en": row["name"]["en"]}
        told = {"source": row["source"], "published": _text(printed), "recomputed": _text(found)}
        check = {"difference": difference, "allowed": row["within"], "agrees": difference <= row["within"]}
        rows.append(about | told | check)
    return pd.DataFrame(rows)


def _text(numbers: np.ndarray) -> str:
    return " ".join(f"{one:.4g}" for one in numbers)


def _said(row: Row, found: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.array(row["printed"], dtype=float), np.atleast_1d(np.asarray(found, dtype=float))


def _aggregate(row: Row) -> tuple[np.ndarray, np.ndarray]:
    objectives = row.get("objectives", ["max"] * len(row["weights"]))
    return _said(row, aggregate(row["values"], row["weights"], objectives, **row["options"]).score)


def _ahp(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Judgements above the diagonal; those below are their inverses."""
    count = len(row["values"]) + 1
    matrix = np.eye(count)
    for at, judged in enumerate(row["values"]):
        matrix[at, at + 1 :] = judged
        matrix[at + 1 :, at] = 1 / np.array(judged)
    return _said(row, ahp(matrix).weights)


def _rectangle(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a grid: `1` is land, a cell is 1 m."""
    cells = [(c, r) for r, line in enumerate(row["values"]) for c, cell in enumerate(line) if cell == "1"]
    ground = shapely.union_all([shapely.box(c, -r - 1, c + 1, -r) for c, r in cells])
    found = largest_rectangles(np.array([ground]))
    return _said(row, found.width_m * found.length_m)


def _tariff_total(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """The notice's own totals of each voltage, and the sums of its parts."""
    ((notice, scheme),) = row["values"]
    tariff = next(one for one in toml.table("tariffs")["tariff"] if one["id"] == notice)
    rates = [one for one in tariff["rate"] if one["scheme"] == scheme]
    common = sum(tariff["parts"].values())
    return np.array([one["energy"] for one in rates]), np.array([common + one["network"] for one in rates])


BY: dict[str, Callable[[Row], tuple[np.ndarray, np.ndarray]]] = {
    "aggregate": _aggregate,
    "ahp": _ahp,
    "entropy": lambda row: _said(row, entropy(row["values"])),
    "critic": lambda row: _said(row, critic(row["values"])),
    "roc": lambda row: _said(row, rank_order_centroid(row["values"][0][0])),
    "rectangle": _rectangle,
    "tce": lambda row: _said(row, coal_equivalent_tce(np.array(row["values"][0]), grid=toml.table("grid"))),
    "tariff_total": _tariff_total,
}
"""How each kind of example is recomputed."""
