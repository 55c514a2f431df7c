"""What makes the difference between sites: the share of each criterion in the spread of the score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

NAMED_ABOVE = 0.45
"""A single criterion or theme that makes more of the spread than this is named on screen."""


def spread_shares(points: ArrayLike) -> NDArray[np.float64]:
    """Share of each criterion in the variance of the score over sites: its covariance with the score over the variance.

    For a sum of parts this is the Shapley value of the variance (each pair's covariance halved between the two). Shares
    sum to 1; one below 0 evens out what the others make.

    Parameters
    ----------
    points : (A, C) array_like
        Points that C criteria add to the score at A sites.

    Returns
    -------
    (C,) array
        Zeros where all sites score alike or there is only one.

    Examples
    --------
    >>> spread_shares([[0, 0], [3, 1]]).tolist()
    [0.75, 0.25]
    """
    points = np.asarray(points, dtype=float)
    if len(points) < 2:
        return np.zeros(points.shape[1])
    apart = points - points.mean(axis=0)
    score = apart.sum(axis=1)
    variance = float(score @ score)
    return apart.T @ score / variance if variance > 1e-12 else np.zeros(points.shape[1])
