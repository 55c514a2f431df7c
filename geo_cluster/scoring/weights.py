"""Weights: from what people say, from what data show, and draws of them for what nobody knows.

All weights are 0 or more and sum to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.scoring.aggregate import Array, as_floats, as_weights, checked, first_at, normalise

# Mean consistency index of random reciprocal matrices, by size.
RANDOM_INDEX: dict[str, tuple[float, ...]] = {
    # Saaty 1980, The Analytic Hierarchy Process, McGraw-Hill; sizes 1 to 15
    "saaty": (0, 0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59),
    # Alonso & Lamata 2006, Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems 14: 445-459; sizes 1 to 15
    "alonso-lamata": (
        *(0, 0, 0.5245, 0.8815, 1.1086, 1.2479, 1.3417, 1.4056, 1.4499, 1.4854),
        *(1.5141, 1.5365, 1.5551, 1.5713, 1.5838),
    ),
}

# Judgements are typed as 0.33 and 3, or 0.13 and 8: how far from 1 their product may be.
RECIPROCAL_TOLERANCE = 0.05


def direct(points: ArrayLike) -> Array:
    """Points given to each criterion, any scale, scaled to sum 1."""
    faults: list[Fault] = []
    weights = as_weights(as_floats(points, "points", (1,), faults), "points", 0, faults)
    refuse_if(faults)
    return weights


def swing(points: ArrayLike) -> Array:
    """Swing weights (von Winterfeldt & Edwards 1986): the most wanted swing from worst to best has 100, others less.

    Raises
    ------
    InputError
        If the largest is not 100: then the swings were not compared with the most wanted one.
    """
    weights = direct(points)
    largest = np.max(np.asarray(points, dtype=np.float64))
    refuse_if([] if largest == 100 else [Fault("scoring.largest_not_100", "points", largest=float(largest))])
    return weights


def rank_order_centroid(ranks: ArrayLike | int) -> Array:
    """Rank-order centroid weights (Barron & Barrett 1996, Management Science 42: 1515-1523).

    Parameters
    ----------
    ranks : array-like of int, (C,), or int
        1 = most important; equal ranks share the mean weight of the places they fill. A number: that many criteria,
        the most important first.

    Examples
    --------
    >>> rank_order_centroid(3).round(3).tolist()
    [0.611, 0.278, 0.111]
    """
    order = np.atleast_1d(np.arange(1, ranks + 1) if isinstance(ranks, int) else np.asarray(ranks, dtype=np.float64))
    refuse_if(
        [] if order.size and order.ndim == 1 and np.isfinite(order).all() else [Fault("scoring.no_ranks", "ranks")]
    )
    places = np.cumsum(1 / np.arange(order.size, 0, -1))[::-1] / order.size
    by_place = places[np.argsort(np.argsort(order, kind="stable"), kind="stable")]
    _, group = np.unique(order, return_inverse=True)
    return (np.bincount(group, by_place) / np.bincount(group))[group]


@dataclass(frozen=True)
class Ahp:
    """Priorities of the analytic hierarchy process.

    Parameters
    ----------
    weights : ndarray, (C,)
    consistency_ratio : float
        Consistency index over that of random matrices; below 0.1 is usual. Of a group whose priorities were
        aggregated: the largest of its members.
    consistency_index : float
        (λmax - C) / (C - 1) of the completed matrix.
    eigenvalue : float
        λmax of the completed matrix.
    completed : ndarray, (C, C) or (K, C, C)
        The reciprocal matrix with missing judgements filled in.
    random_index : str
        Name of the table in `RANDOM_INDEX`.
    """

    weights: Array
    consistency_ratio: float
    consistency_index: float
    eigenvalue: float
    completed: Array
    random_index: str

    @property
    def odd_judgement(self) -> tuple[int, int, float]:
        """The judgement of one person that agrees least with the rest: row, column, what the weights imply there.

        The largest factor between a judgement and the ratio of the two weights (Saaty 2003, EJOR 145: 85-91); the half
        of the pair that is 1 or more.
        """
        implied = self.weights[:, None] / self.weights
        factor = np.abs(np.log(self.completed / implied)) + 1e-9 * (self.completed >= 1)
        row, column = np.unravel_index(int(np.argmax(factor)), factor.shape)
        return int(row), int(column), float(implied[row, column])


def ahp(
    matrix: ArrayLike,
    *,
    method: str = "eigenvector",
    group: str = "judgements",
    importance: ArrayLike | None = None,
    random_index: str = "saaty",
) -> Ahp:
    """Weights from pairwise judgements (Saaty 1977, J. Mathematical Psychology 15: 234-281).

    Parameters
    ----------
    matrix : array-like, (C, C), or (K, C, C) for a group
        How many times criterion i is more important than j. nan where a judgement is missing, in one or both halves.
    method : {"eigenvector", "geometric_mean"}
        How priorities follow from the matrix. Missing judgements: the completion of smallest λmax, or logarithmic
        least squares over the judgements there are (both Bozóki, Fülöp & Rónyai 2010, Mathematical and Computer
        Modelling 52: 318-333).
    group : {"judgements", "priorities"}
        What a group's geometric mean is taken of (Forman & Peniwati 1998, EJOR 108: 165-169).
    importance : array-like, (K,), optional
        Of the members of a group; default equal.
    random_index : {"saaty", "alonso-lamata"}
        Table for the consistency ratio. Above 15 criteria, Alonso & Lamata's regression. With m of the judgements
        missing, times 1 - 2m / ((C-1)(C-2)) (Ágoston & Csató 2022, Omega 108: 102576).

    Raises
    ------
    InputError
        If the matrix is not square, positive and reciprocal, or the judgements do not connect all criteria.
    """
    faults: list[Fault] = []
    matrices = as_floats(matrix, "matrix", (2, 3), faults)
    members = matrices if matrices.ndim == 3 else matrices[None]
    share = as_weights(np.ones(len(members)) if importance is None else importance, "importance", len(members), faults)
    for name, value, known in (
        ("method", method, ("eigenvector", "geometric_mean")),
        ("group", group, ("judgements", "priorities")),
        ("random_index", random_index, tuple(RANDOM_INDEX)),
    ):
        if value not in known:
            faults.append(Fault("scoring.unknown_option", name, value=value, known=list(known)))
    refuse_if(faults)
    if members.shape[-1] != members.shape[-2]:
        faults.append(Fault("scoring.matrix_not_square", "matrix", shape=str(members.shape[-2:])))
    refuse_if(faults)
    reciprocal = np.stack(
        [_reciprocal(member, at if matrices.ndim == 3 else None, faults) for at, member in enumerate(members)]
    )
    refuse_if(faults)
    if group == "judgements":
        reciprocal = _mean_judgements(reciprocal, share)[None]
    faults += [fault for member in reciprocal for fault in _unconnected(member)]
    refuse_if(faults)
    results = [_priorities(member, method, random_index) for member in reciprocal]
    pooled = np.exp(share @ np.log([result.weights for result in results])) if len(results) > 1 else results[0].weights
    worst = max(results, key=lambda result: result.consistency_ratio)
    completed = worst.completed if len(results) == 1 else np.stack([result.completed for result in results])
    return Ahp(
        pooled / pooled.sum(),
        worst.consistency_ratio,
        worst.consistency_index,
        worst.eigenvalue,
        completed,
        random_index,
    )


def entropy(values: ArrayLike) -> Array:
    """Shannon entropy weights (Hwang & Yoon 1981): a criterion that tells alternatives apart weighs more.

    Parameters
    ----------
    values : array-like, (A, C)
        0 or more, natural units or values. A constant criterion gets weight 0.

    Raises
    ------
    InputError
        If values are unknown or negative, or no criterion tells the alternatives apart.
    """
    values = _known(values, "entropy", lowest=0.0)
    total = values.sum(axis=0)
    share = values / np.where(total > 0, total, 1.0)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    diversity = 1 + (share * logs).sum(axis=0) / np.log(len(values))
    return _data_weights(np.where(_constant(values), 0.0, diversity), "entropy")


def critic(values: ArrayLike, objectives: list[str] | None = None) -> Array:
    """CRITIC weights (Diakoulaki, Mavrotas & Papayannakis 1995): contrast times conflict with the other criteria.

    Parameters
    ----------
    values : array-like, (A, C)
    objectives : sequence of {"max", "min"}, optional
        Direction matters: it turns correlations round. Default all ``"max"``. A constant criterion gets weight 0.
    """
    known = _known(values, "CRITIC")
    _, _, maximise = checked(known, np.ones(known.shape[-1]), objectives)
    flat = _constant(known)
    scaled = normalise(known[:, ~flat], maximise[~flat], "minmax")
    information = np.zeros(known.shape[-1])
    if scaled.shape[1] == 1:
        information[~flat] = 1.0
    elif scaled.shape[1]:
        conflict = (1 - np.corrcoef(scaled, rowvar=False)).sum(axis=0)
        information[~flat] = scaled.std(axis=0, ddof=1) * np.where(conflict > 1e-12, conflict, 0.0)
    return _data_weights(information, "CRITIC")


def mix(expert: ArrayLike, data: ArrayLike, *, expert_share: float = 0.5, product: bool = False) -> Array:
    """Expert and data weights as one: ``s·e + (1-s)·d``, or the normalised product ``e^s · d^(1-s)``.

    The product lets either side veto a criterion with weight 0; the sum does not.

    Parameters
    ----------
    expert, data : array-like, (C,)
        Weights on any scale.
    expert_share : float
        How much the expert's count, 0 to 1.
    product : bool
        Multiply instead of adding.
    """
    faults: list[Fault] = []
    said = as_weights(expert, "expert", 0, faults)
    shown = as_weights(data, "data", said.shape[-1], faults)
    if not 0 <= expert_share <= 1:
        faults.append(Fault("scoring.outside_unit", "expert_share", value=expert_share))
    refuse_if(faults)
    mixed = (
        said**expert_share * shown ** (1 - expert_share)
        if product
        else expert_share * said + (1 - expert_share) * shown
    )
    refuse_if([] if mixed.any() else [Fault("scoring.veto", "weights")])
    return mixed / mixed.sum(axis=-1, keepdims=True)


def hierarchical(themes: Mapping[str, float], criteria: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Weights of criteria from those of themes and, within each theme, of its criteria.

    Parameters
    ----------
    themes : mapping of theme to weight
        Any scale.
    criteria : mapping of theme to mapping of criterion to weight
        Any scale within a theme. A theme of weight 0 may have all zeros.

    Returns
    -------
    dict of criterion to weight
        In the order given; sums to 1.
    """
    faults = [
        Fault("scoring.theme_without_criteria", Place(name, kind="theme")) for name in themes if not criteria.get(name)
    ]
    faults += [
        Fault("scoring.theme_without_weight", Place(name, kind="theme")) for name in criteria if name not in themes
    ]
    names = [name for theme in criteria.values() for name in theme]
    faults += [
        Fault("scoring.criterion_twice", Place(name, kind="criterion"))
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    refuse_if(faults)
    weight_of_theme = dict(zip(themes, as_weights(list(themes.values()), "themes", 0, faults), strict=True))
    result: dict[str, float] = {}
    for theme, within in criteria.items():
        if weight_of_theme[theme] == 0:
            result |= dict.fromkeys(within, 0.0)
            continue
        shares = as_weights(list(within.values()), f"criteria of theme {theme}", 0, faults)
        result |= {name: float(weight_of_theme[theme] * share) for name, share in zip(within, shares, strict=True)}
    refuse_if(faults)
    return result


def sample_uniform(criteria: int, draws: int, *, seed: int) -> Array:
    """Weights (N, C) of which nothing is known: uniform over the simplex.

    Parameters
    ----------
    criteria, draws : int
        C and N.
    seed : int
    """
    return np.random.default_rng(seed).dirichlet(np.ones(criteria), size=draws)


def sample_around(weights: ArrayLike, draws: int, *, concentration: float = 50.0, seed: int) -> Array:
    """Weights (N, C) around stated ones: Dirichlet with their mean.

    The standard deviation of a weight w is ``sqrt(w(1-w) / (concentration + 1))``: with 50, a weight of 0.2 is
    0.2 ± 0.056. A weight of 0 stays 0.

    Parameters
    ----------
    weights : array-like, (C,)
        On any scale.
    draws : int
        N.
    concentration : float
        Above 0; the larger, the closer to the stated weights.
    seed : int
    """
    stated = direct(weights)
    if not concentration > 0:
        refuse_if([Fault("scoring.concentration_not_positive", "concentration", value=concentration)])
    result = np.zeros((draws, stated.size))
    used = stated > 0
    # gamma of a tiny shape underflows to all zeros: a floor far below any weight that matters
    shape = np.maximum(concentration * stated[used], 1e-3)
    result[:, used] = np.random.default_rng(seed).dirichlet(shape, size=draws)
    return result


def sample_ordered(ranks: ArrayLike, draws: int, *, seed: int) -> Array:
    """Weights (N, C) of which only the order of importance is known: uniform over those that keep it.

    Parameters
    ----------
    ranks : array-like of int, (C,)
        1 = most important. Criteria of equal rank are in no order among themselves.
    draws : int
        N.
    seed : int
    """
    order = np.asarray(ranks)
    rng = np.random.default_rng(seed)
    descending = -np.sort(-rng.dirichlet(np.ones(order.size), size=draws), axis=-1)
    # equal ranks: a random order in each draw
    place = np.argsort(np.argsort(order + rng.random((draws, order.size)) * 0.5, axis=-1), axis=-1)
    return np.take_along_axis(descending, place, axis=-1)


def _reciprocal(matrix: Array, member: int | None, faults: list[Fault]) -> Array:
    """Both halves filled from each other, the judgement of 1 or more taken as the one that was meant."""
    where = "matrix" if member is None else f"matrix of member {member}"
    mirrored = matrix.T
    if (matrix <= 0).any() or np.isinf(matrix).any():
        wrong = (matrix <= 0) | np.isinf(matrix)
        faults.append(Fault("scoring.judgement_not_positive", first_at(where, wrong)))
        return matrix
    if (np.abs(np.diag(matrix) - 1) > 0).any():
        faults.append(Fault("scoring.diagonal_not_one", where))
    with np.errstate(over="ignore"):
        wrong = np.abs(matrix * mirrored - 1) > RECIPROCAL_TOLERANCE
    for i, j in np.argwhere(np.triu(wrong)):
        one, other = float(matrix[i, j]), float(matrix[j, i])
        faults.append(Fault("scoring.not_reciprocal", f"{where}[{i}, {j}]", one=one, other=other))
    filled = np.where(np.isnan(matrix), 1 / mirrored, matrix)
    return np.where(filled >= 1, filled, 1 / filled.T)


def _mean_judgements(members: Array, share: Array) -> Array:
    """Weighted geometric mean of each judgement over the members who gave it."""
    judged = ~np.isnan(members)
    weight = np.where(judged, share[:, None, None], 0.0)
    logs = np.log(np.where(judged, members, 1.0))
    total = weight.sum(axis=0)
    return np.where(total > 0, np.exp((weight * logs).sum(axis=0) / np.where(total > 0, total, 1.0)), np.nan)


def _unconnected(matrix: Array) -> list[Fault]:
    count, part = connected_components(~np.isnan(matrix), directed=False)
    if count == 1:
        return []
    groups = "; ".join(str(np.flatnonzero(part == at).tolist()) for at in range(count))
    return [Fault("scoring.unconnected", "matrix", groups=groups)]


def _priorities(matrix: Array, method: str, table: str) -> Ahp:
    count = len(matrix)
    missing = np.argwhere(np.triu(np.isnan(matrix)))
    logs = np.log(np.where(np.isnan(matrix), 1.0, matrix))
    known = ~np.isnan(matrix)
    # logarithmic least squares: the Laplacian of the graph of judgements; for a full matrix, row geometric means
    laplacian = np.diag(known.sum(axis=1)) - known
    level = np.linalg.lstsq(laplacian.astype(np.float64), logs.sum(axis=1), rcond=None)[0]
    completed = np.where(known, matrix, np.exp(level[:, None] - level))
    if method == "eigenvector" and len(missing):
        completed = _complete(completed, missing)
    eigenvalue, vector, _ = _perron(completed)
    weights = vector if method == "eigenvector" else np.exp(level - level.max())
    index = max(eigenvalue - count, 0.0) / max(count - 1, 1)
    random = _random_index(count, len(missing), table)
    # no judgement beyond a spanning tree: nothing can contradict
    ratio = index / random if random > 1e-9 else 0.0
    return Ahp(weights / weights.sum(), float(ratio), float(index), float(eigenvalue), completed, table)


def _random_index(count: int, missing: int, table: str) -> float:
    if count <= 2:
        return 0.0
    tabulated = RANDOM_INDEX[table]
    full = tabulated[count - 1] if count <= len(tabulated) else (1.7699 * count - 4.3513) / (count - 1)
    return full * (1 - 2 * missing / ((count - 1) * (count - 2)))


def _perron(matrix: Array) -> tuple[float, Array, Array]:
    """Largest eigenvalue with its right and left eigenvectors, positive."""
    values, right = np.linalg.eig(matrix)
    at = int(np.argmax(values.real))
    left_values, left = np.linalg.eig(matrix.T)
    return values[at].real, np.abs(right[:, at].real), np.abs(left[:, int(np.argmax(left_values.real))].real)


def _complete(matrix: Array, missing: NDArray[np.intp]) -> Array:
    """Fill missing pairs so that λmax is smallest: convex in their logarithms."""
    from scipy.optimize import minimize  # slow to import, rarely needed

    i, j = missing.T

    def filled(logs: Array) -> Array:
        trial = matrix.copy()
        trial[i, j], trial[j, i] = np.exp(logs), np.exp(-logs)
        return trial

    def eigenvalue(logs: Array) -> tuple[float, Array]:
        trial = filled(logs)
        value, right, left = _perron(trial)
        slope = left[i] * trial[i, j] * right[j] - left[j] * trial[j, i] * right[i]
        return value, slope / (left @ right)

    found = minimize(eigenvalue, np.log(matrix[i, j]), jac=True, method="BFGS", options={"gtol": 1e-10})
    return filled(found.x)


def _known(values: ArrayLike, method: str, *, lowest: float = -np.inf) -> Array:
    faults: list[Fault] = []
    array = as_floats(values, "values", (2,), faults)
    bad = ~np.isfinite(array) | (array < lowest)
    if bad.any():
        where = first_at("values", bad)
        faults.append(
            Fault("scoring.data_not_finite", where, method=method)
            if np.isinf(lowest)
            else Fault("scoring.data_too_low", where, method=method, lowest=lowest)
        )
    if not faults and len(array) < 2:
        faults.append(Fault("scoring.data_of_one", "values", method=method))
    refuse_if(faults)
    return array


def _constant(values: Array) -> NDArray[np.bool_]:
    """Columns whose range is no more than rounding."""
    return np.ptp(values, axis=0) <= 1e-12 * np.abs(values).max(axis=0)


def _data_weights(raw: Array, method: str) -> Array:
    refuse_if([] if raw.sum() > 0 else [Fault("scoring.data_all_alike", "values", method=method)])
    return raw / raw.sum()
