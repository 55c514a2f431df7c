"""What other methods than the weighted sum would choose, for many projects at once: compiled.

The methods are those of `scoring.aggregate` with their defaults, of values above 0 and at most 1, more is better; the
tests hold each against it. A sites that a project may go to, C criteria.
"""

from __future__ import annotations

import numpy as np

from geo_cluster.many.kernels import TIE, _ranked_by
from geo_cluster.matching.engine.compiled import compiled

METHODS = ("weighted_sum", "weighted_product", "topsis", "vikor", "promethee", "edas")
"""Methods whose agreement is shown; the score itself is the weighted sum."""

LEAST = 1e-6
"""Values are lifted so much where a method multiplies."""

PAIRS = 64
"""Of more sites, pairs in the same order are counted by a sum over ranks, not one by one."""


@compiled
def _topsis(value, weight):  # type: ignore[no-untyped-def]
    """Minus the relative closeness to the ideal."""
    count, criteria = value.shape
    far, near = np.zeros(count), np.zeros(count)
    alike = 0.0
    for c in range(criteria):
        largest = value[:, c].max()
        scale = largest if largest > 0 else 1.0
        total = 0.0
        for a in range(count):
            total += (value[a, c] / scale) ** 2
        norm = scale * np.sqrt(total)
        norm = norm if norm > 0 else 1.0
        best, worst = largest / norm, value[:, c].min() / norm
        squared, most = weight[c] * weight[c], 0.0
        for a in range(count):
            scaled = value[a, c] / norm
            ideal, anti = (best - scaled) ** 2, (scaled - worst) ** 2
            far[a] += squared * ideal
            near[a] += squared * anti
            most = max(most, ideal + anti)
        alike += squared * most
    cost = np.empty(count)
    for a in range(count):
        if alike == 0:
            cost[a] = -1.0
        else:
            cost[a] = -1 / (1 + np.sqrt(far[a] / near[a])) if near[a] > 0 else -0.0
    return cost


@compiled
def _parts(measure):  # type: ignore[no-untyped-def]
    """(x - min) / (max - min); 0 where all are alike."""
    low = measure.min()
    span = measure.max() - low
    if not span > TIE * max(abs(low), TIE):
        return np.zeros(len(measure))
    return (measure - low) / span


@compiled
def _vikor(value, weight):  # type: ignore[no-untyped-def]
    """Q, from group utility and individual regret in equal parts."""
    count, criteria = value.shape
    group, single = np.zeros(count), np.zeros(count)
    for c in range(criteria):
        best = value[:, c].max()
        span = best - value[:, c].min()
        if span == 0:
            continue
        for a in range(count):
            regret = weight[c] * ((best - value[a, c]) / span)
            group[a] += regret
            single[a] = max(single[a], regret)
    return 0.5 * _parts(group) + 0.5 * _parts(single)


@compiled
def _promethee(value, weight):  # type: ignore[no-untyped-def]
    """Minus the net flow, with the usual preference: how many are worse less how many are better."""
    count, criteria = value.shape
    flow = np.zeros(count)
    others = max(count - 1, 1)
    for c in range(criteria):
        order = np.argsort(value[:, c])
        start = 0
        while start < count:
            end = start
            while end < count and value[order[end], c] == value[order[start], c]:
                end += 1
            for a in range(start, end):
                flow[order[a]] -= weight[c] * (start - (count - end)) / others
            start = end
    return flow


@compiled
def _edas(value, weight):  # type: ignore[no-untyped-def]
    """Minus the appraisal score, from distances to the average."""
    count, criteria = value.shape
    above, below = np.zeros(count), np.zeros(count)
    for c in range(criteria):
        average = value[:, c].mean()
        for a in range(count):
            distance = (value[a, c] - average) / average
            if distance > 0:
                above[a] += weight[c] * distance
            else:
                below[a] -= weight[c] * distance
    high, low = above.max(), below.max()
    cost = np.empty(count)
    for a in range(count):
        good = above[a] / high if high > 0 else 0.0
        bad = below[a] / low if low > 0 else 0.0
        cost[a] = -(good + 1 - bad) / 2
    return cost


@compiled
def _concordance(one, other, order):  # type: ignore[no-untyped-def]
    """Sum over all pairs, both ways, of the products of the signs of their orders; `order` sorts the one."""
    count, total = len(one), 0
    if count <= PAIRS:
        for a in range(count):
            for b in range(a):
                total += np.sign(one[a] - one[b]) * np.sign(other[a] - other[b])
        return 2 * total
    seen = np.zeros(count + 2, dtype=np.int64)  # how many of each rank of the other came before: a Fenwick tree
    same = np.zeros(count + 2, dtype=np.int64)
    start = 0
    while start < count:
        end = start
        while end < count and one[order[end]] == one[order[start]]:
            end += 1
        for a in range(start, end):
            rank = other[order[a]]
            fewer, b = 0, rank - 1
            while b > 0:
                fewer += seen[b]
                b -= b & -b
            total += fewer - (start - fewer - same[rank])
        for a in range(start, end):
            b = other[order[a]]
            same[b] += 1
            while b < len(seen):
                seen[b] += 1
                b += b & -b
        start = end
    return 2 * total


@compiled
def _untied(rank, order):  # type: ignore[no-untyped-def]
    """How many ordered pairs do not tie; `order` sorts them."""
    count = len(rank)
    pairs, run = count * (count - 1), 1
    for a in range(1, count + 1):
        if a < count and rank[order[a]] == rank[order[a - 1]]:
            run += 1
            continue
        pairs -= run * (run - 1)
        run = 1
    return pairs


@compiled
def compared(value, weight, here, ends):  # type: ignore[no-untyped-def]
    """What each of `METHODS` puts first, and how far they agree.

    Parameters
    ----------
    value : (G, S, C) array
        Of G projects.
    weight : (C,) array
        Adds up to 1.
    here : (E,) array of int
        Sites that each project may go to, one project after the other, in the order of the sites.
    ends : (G + 1,) array of int

    Returns
    -------
    first : (G, 6) array of int
        Place of the site, -1 where there is none.
    agreement : (G,) array
        Mean of Kendall's tau-b over the pairs of methods; nan where one ties all sites, or there are none.
    """
    projects, criteria = value.shape[0], value.shape[2]
    first = np.full((projects, 6), -1, dtype=np.int64)
    agreement = np.full(projects, np.nan)
    for g in range(projects):
        mine = here[ends[g] : ends[g + 1]]
        count = len(mine)
        if count == 0:
            continue
        lifted = np.empty((count, criteria))
        total, product = np.zeros(count), np.zeros(count)
        for a in range(count):
            for c in range(criteria):
                lifted[a, c] = max(value[g, mine[a], c], LEAST)
                total[a] -= weight[c] * lifted[a, c]
                product[a] += weight[c] * np.log(lifted[a, c])
        rank = np.empty((6, count), dtype=np.int64)
        rank[0], rank[1] = _ranked_by(total), _ranked_by(-np.exp(product))
        rank[2], rank[3] = _ranked_by(_topsis(lifted, weight)), _ranked_by(_vikor(lifted, weight))
        rank[4], rank[5] = _ranked_by(_promethee(lifted, weight)), _ranked_by(_edas(lifted, weight))
        for m in range(6):
            first[g, m] = mine[np.argmin(rank[m])]
        pairs, tau = 0, 0.0
        order = np.empty((6, count), dtype=np.int64)
        for m in range(6):
            order[m] = np.argsort(rank[m])
        untied = np.array([_untied(rank[m], order[m]) for m in range(6)])
        for m in range(6):
            for o in range(m):
                length = np.sqrt(untied[m]) * np.sqrt(untied[o])
                tau += min(max(_concordance(rank[m], rank[o], order[m]) / length, -1.0), 1.0) if length > 0 else np.nan
                pairs += 1
        agreement[g] = tau / pairs
    return first, agreement
