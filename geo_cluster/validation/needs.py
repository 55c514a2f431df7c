"""The ranges of what plants need, beside announced projects that state a figure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo_cluster.intake.references import of_segment
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers

COLUMNS = ["segment", "ratio", "low", "likely", "high", "reference", "name", "figure", "place", "times", "behind"]
COLUMNS += ["publisher", "as_of", "confidence"]


def beside_references(layers: Layers) -> pd.DataFrame:
    """A row for each segment, ratio and reference project that states it; ratios without any are one row.

    Returns
    -------
    DataFrame
        `segment`, `ratio` (land, floor, plot_ratio), `low`, `likely`, `high` of the range, `reference`, `name`,
        `figure`, `place` (below, within, above, ''), `times`: the figure over the end that it is beyond, or that end
        over the figure, 1 within; `behind`: whether the range was made from this project, so that it proves nothing.
    """
    parts = [of_segment(layers, segment).assign(segment=segment) for segment in catalog.segments()]
    table = pd.concat(parts, ignore_index=True).rename(columns={"name_zh": "name"})
    low, high, figure = (table[key].to_numpy(float) for key in ("low", "high", "figure"))
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.where(figure > high, figure / high, np.where(figure < low, low / figure, 1.0))
    table["times"] = np.where(np.isnan(figure), np.nan, beyond).round(2)
    resting = [
        _rests(segment, ratio, reference)
        for segment, ratio, reference in zip(table["segment"], table["ratio"], table["reference"], strict=True)
    ]
    return table.assign(behind=resting)[COLUMNS].rename_axis(None, axis=1)


def _rests(segment: str, ratio: str, reference: object) -> bool:
    """Whether the range of a ratio, or one that it is a product of, rests on a reference project."""
    keys = {"land": ("land_mu",), "floor": ("land_mu", "plot_ratio"), "plot_ratio": ("plot_ratio",)}[ratio]
    basis = catalog.segments()[segment].basis
    return any(reference in (*basis[key].references, *basis[key].siting) for key in keys if key in basis)
