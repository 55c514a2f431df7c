"""How far a zone's lead industries match a segment: words found in statements, with the interval of that judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from geo_cluster import toml
from geo_cluster.world import copula, triangular

Floats = NDArray[np.float64]


def fit(own: Sequence[str], catalogue: Sequence[str], words: Iterable[str]) -> Floats:
    """Fit of S sites with one segment: words found over words that make a full fit, before it is cut to 0 to 1.

    Parameters
    ----------
    own : sequence of str, length S
        Lead industries that each zone states itself; blank where it says nothing.
    catalogue : sequence of str, length S
        Those that the catalogue of 2018 states.
    words : iterable of str
        What the segment is called among industries.

    Returns
    -------
    array, (S, 3)
        Low: a strict reading of the zone's own statement; likely: every word found in either; high: a generous reading.
        nan where neither states anything.
    """
    table, wanted = toml.table("fit"), list(words)
    full, doubtful = table["full"], table["doubtful"]
    rows = []
    for said, listed in zip(own, catalogue, strict=True):
        both = sum(word in said + listed for word in wanted)
        strict = sum(word in (said if said.strip() else listed) for word in wanted)
        known = bool((said + listed).strip())
        rows.append([strict - doubtful, both, both + doubtful] if known else [np.nan] * 3)
    return np.array(rows, dtype=float).reshape(-1, 3) / full


def draw(fits: Mapping[str, Floats], sites: Sequence[str], *, draws: int, seed: int) -> Floats:
    """Draw the fit of every segment and site, 0 to 1; what is unknown lies anywhere in it.

    Parameters
    ----------
    fits : mapping of (S, 3) arrays
        Segment -> low, likely, high of each site, as `fit` gives them.
    sites : sequence of str, length S
    draws : int
        N.
    seed : int

    Returns
    -------
    array, (N, G, S)
        Correlated from site to site as `tables/fit.toml` says.
    """
    names = [f"{site}/industry_fit/{segment}" for segment in fits for site in sites]
    common = np.full(len(names), toml.table("fit")["common"])
    uniform = copula.with_causes(names, ["industry_fit"] * len(names), common, draws=draws, seed=seed)
    bounds = np.concatenate([*fits.values()]).reshape(-1, 3)
    found = np.clip(triangular.quantiles(uniform.T, *np.nan_to_num(bounds).T), 0.0, 1.0)
    drawn = np.where(np.isnan(bounds[:, 1]), uniform.T, found)
    return drawn.reshape(draws, len(fits), len(sites))
