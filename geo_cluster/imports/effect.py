"""What an import changes in the scores: every project in the region before and after."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo_cluster import eligibility
from geo_cluster.region import Region, facts_of, settings_of
from geo_cluster.scoring.criteria import decide
from geo_cluster.world import catalog


def changes(before: Region, after: Region, projects: pd.DataFrame) -> pd.DataFrame:
    """Each project's first choice and ranking before and after.

    Parameters
    ----------
    before, after : Region
        Without and with the import.
    projects : DataFrame
        Checked projects.

    Returns
    -------
    DataFrame
        Indexed as `projects`: `name`, `first_before`, `first_after` (ids, '' where no site is eligible),
        `order_changes` (whether the order of its eligible sites is another), `most_points` (the largest change of a
        score, in points of 100; nan where nothing was or is eligible).
    """
    old, new = _scores(before, projects), _scores(after, projects)
    ids = before.sites["id"].to_numpy()
    order = [np.argsort(-np.nan_to_num(score, nan=-1.0), axis=1, kind="stable") for score in (old, new)]
    first = [
        np.where(np.isnan(score).all(axis=1), "", ids[rank[:, 0]])
        for score, rank in zip((old, new), order, strict=True)
    ]
    moved = (order[0] != order[1]).any(axis=1) | (np.isnan(old) != np.isnan(new)).any(axis=1)
    gap = np.abs(new - old)
    most = np.where(np.isnan(gap).all(axis=1), np.nan, np.nanmax(np.nan_to_num(gap, nan=0.0), axis=1))
    return pd.DataFrame(
        {
            "name": projects["name"], "first_before": first[0], "first_after": first[1],
            "order_changes": moved, "most_points": most,
        },
        index=projects.index,
    )  # fmt: skip


def _scores(region: Region, projects: pd.DataFrame) -> np.ndarray:
    """(P, S) scores of likely values; nan where a project may not go."""
    facts = facts_of(region, projects)
    likely, _ = settings_of(region, facts)
    decision = decide(likely, likely, catalog.criteria(), region.scenario.weights, region.alike)
    return np.where(eligibility.judge(facts).allowed, decision.score, np.nan)
