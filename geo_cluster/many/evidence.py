"""How much of the weight rests on numbers that are known in which way."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster.domain import BASES
from geo_cluster.supply.pools import number_behind
from geo_cluster.world import catalog


def evidence_shares(
    sites: gpd.GeoDataFrame, known: pd.DataFrame, weights: Mapping[str, float], *, theme: str | None = None
) -> dict[str, np.ndarray]:
    """Basis -> (S,): what share of the weight (of one theme, or of all) rests on numbers known in that way.

    A number that nobody could have told counts as assumed.

    Parameters
    ----------
    sites : GeoDataFrame
        S sites, with the station or supply area and the prefecture of each.
    known : DataFrame
        Observations, each with its basis.
    weights : mapping of float
        Weight in force of each criterion.
    theme : str, optional
        Theme of criteria; all of them when left out.
    """
    basis = known.set_index(["attribute", "site_id"])["basis"]
    shares = {name: np.zeros(len(sites)) for name in BASES}
    for key, weight in weights.items():
        criterion = catalog.criteria()[key]
        if theme not in (None, criterion.theme):
            continue
        if criterion.attribute is None:
            shares[criterion.basis] += weight
            continue
        found = basis.reindex(number_behind(criterion, sites)).fillna("assumed").to_numpy()
        for name in BASES:
            shares[name] += weight * (found == name)
    total = np.maximum(sum(shares.values()), 1e-12)
    return {name: share / total for name, share in shares.items()}
