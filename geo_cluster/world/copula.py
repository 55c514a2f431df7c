"""Numbers that share part of what is not known about them: a Gaussian copula over draws with exact margins.

Sklar 1959: a joint distribution is its margins and a copula. Here the copula is that of normals with one common factor,
so that one number, the correlation, says how far they hang together (Clemen & Reilly 1999). Only the ranks of the
normals are used (Iman & Conover 1982): each number keeps one draw from each slice of its own distribution.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


def stream(name: str, *, seed: int) -> np.random.Generator:
    """The random stream of what is called so."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def stratified(names: Iterable[str], *, draws: int, seed: int) -> tuple[Floats, Floats]:
    """Uniform draws of each name from a stream of its own, one from each of `draws` equally likely slices.

    Parameters
    ----------
    names : iterable of str, K
        What is drawn; with the seed they begin the streams.
    draws : int
    seed : int

    Returns
    -------
    uniform : array, (K, draws)
    within : array, (K, draws)
        Where in its slice each draw lies, 0 to 1.
    """
    strata, uniform, within = np.arange(draws), [], []
    for name in names:
        rng = stream(name, seed=seed)
        order, inside = rng.permutation(strata), rng.random(draws)
        uniform.append((order + inside) / draws)
        within.append(inside)
    shape = (len(uniform), draws)
    return np.array(uniform).reshape(shape), np.array(within).reshape(shape)


def normals(names: Iterable[str], *, draws: int, seed: int) -> Floats:
    """(K, draws): the uniform draws that `stratified` gives for `names`, `draws` and `seed`, as standard normals."""
    return to_normal(stratified(names, draws=draws, seed=seed)[0])


def to_normal(uniform: Floats) -> Floats:
    """The standard normal whose cumulative distribution is `uniform`; finite at 0, which a stream may draw."""
    return ndtri(np.maximum(uniform, np.finfo(float).tiny))


def by_rank(normal: Floats, within: Floats) -> Floats:
    """Uniform draws in the order of normals, along the last axis: one from each slice, at its place `within`."""
    order = np.argsort(normal, axis=-1, kind="stable")  # ties keep their order
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(normal.shape[-1]), order.shape), axis=-1)
    return (rank + within) / normal.shape[-1]


def with_causes(names: Iterable[str], causes: ArrayLike, common: ArrayLike, *, draws: int, seed: int) -> Floats:
    """Uniform draws of K numbers, those of one cause correlated.

    Numbers i and j of one cause have normals of correlation `sqrt(common_i · common_j)`, hence the rank correlation
    `6/π · asin(ρ/2)`. Where `common` is 0 the draws are those of the number's own stream, to the last digit.

    Parameters
    ----------
    names : iterable of str, K
        What is drawn.
    causes : array_like of str, (K,)
        Name of what each number shares its error with.
    common : array_like, (K,)
        0 to 1: the share of the variance of its normal that is the cause's, which is the correlation of two with the
        same share.
    draws : int
    seed : int

    Returns
    -------
    array, (K, draws)
    """
    uniform, within = stratified(names, draws=draws, seed=seed)
    share, cause = np.asarray(common, dtype=float), np.asarray(causes, dtype=str)
    at = np.flatnonzero(share > 0)
    if not len(at):
        return uniform
    shared, member = np.unique(cause[at], return_inverse=True)
    factor = normals([f"cause of {one}" for one in shared], draws=draws, seed=seed)
    own = to_normal(uniform[at])
    mixed = np.sqrt(share[at])[:, None] * factor[member] + np.sqrt(1 - share[at])[:, None] * own
    uniform[at] = by_rank(mixed, within[at])
    return uniform
