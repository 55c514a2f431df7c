"""Loops over draws of many projects, compiled: who ranks where, intervals, what other methods say.

Each project is worked out by itself and in one order, so its numbers do not depend on who is beside it. S sites, N
draws, C criteria; A sites that a project may go to; K criteria that a project changes by what it needs: their value is
the cut of `layers[which] - need` to 0..1 (logarithms of what there is and of what is needed, in parts of the range).
"""

from __future__ import annotations

import numpy as np

from geo_cluster.matching.engine.compiled import compiled, inlined
from geo_cluster.scoring.aggregate import TIE as _TIE

TIE = float(_TIE)

SORTED = 48
"""Of more sites the first few ranks are followed, and the whole order only where that of the best leaves it open."""

TOGETHER = 16
"""Projects whose many sites are looked at together."""


@compiled
def add(base, points, value, weight, full):  # type: ignore[no-untyped-def]
    """Add a criterion's values (S, N) to scores, by weights that are drawn (N,), and to points, by the one in force."""
    for s in range(len(base)):
        total, part, one = base[s], points[s], value[s]
        for n in range(len(weight)):
            total[n] += one[n] * weight[n]
            part[n] += one[n] * full


@inlined
def _cut(value: float) -> float:
    return min(max(value, 0.0), 1.0)


@inlined
def _mixed(a: int, b: int) -> np.uint64:
    """A number of 64 bits that stands for a pair of small ones (splitmix64)."""
    z = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(b + 1) * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def _scores(base, layers, which, need, weight, here, first, out):  # type: ignore[no-untyped-def]
    """Scores (A, block) of some sites in a block of draws that begins at `first`."""
    count, size = out.shape
    for a in range(count):
        s = here[a]
        row, total = base[s, first : first + size], out[a]
        for n in range(size):
            total[n] = row[n]
        for k in range(len(which)):
            layer, taken = layers[which[k], s, first : first + size], need[k, first : first + size]
            times = weight[k, first : first + size]
            if layer[0] == -np.inf and layer[size - 1] == -np.inf and layer.max() == -np.inf:
                continue  # nobody's number, in any of these draws
            for n in range(size):
                total[n] += times[n] * _cut(layer[n] - taken[n])


@compiled
def _order(score, n, value, at):  # type: ignore[no-untyped-def]
    """Sort one draw's scores, best first, into `value` with their places; what lies in order already is quick."""
    for a in range(len(value)):
        one, b = score[a, n], a
        while b > 0 and value[b - 1] < one:
            value[b], at[b] = value[b - 1], at[b - 1]
            b -= 1
        value[b], at[b] = one, a


@compiled
def _long_order(score, n, value, at):  # type: ignore[no-untyped-def]
    """The same for many sites, of which the nearly sorted order is not known."""
    order = np.argsort(-score[:, n], kind="mergesort")
    for a in range(len(value)):
        at[a] = order[a]
        value[a] = score[order[a], n]


@compiled
def _entropy(sign):  # type: ignore[no-untyped-def]
    """Bits of how often each number occurs."""
    sign = np.sort(sign)
    total, bits, run = len(sign), 0.0, 1
    for n in range(1, total + 1):
        if n < total and sign[n] == sign[n - 1]:
            run += 1
            continue
        bits -= run / total * np.log2(run / total)
        run = 1
    return abs(bits)


@compiled
def _tell(value, at, first, top3, leads):  # type: ignore[no-untyped-def]
    """Count who is first and among the first three of a sorted draw, ties sharing the better rank; the ranking's sign.

    `leads` shares the draw among those who tie at the top.
    """
    count = len(value)
    tolerance = TIE * max(abs(value[0]), abs(value[count - 1]), TIE)
    level = value[0] - TIE * max(abs(value[0]), abs(value[count - 1]))
    ties = 1
    while ties < count and value[ties] >= level:
        ties += 1
    for a in range(ties):
        leads[at[a]] += 1.0 / ties
    sign, rank = np.uint64(0), 1
    for a in range(count):
        if a > 0 and value[a - 1] - value[a] > tolerance:
            rank = a + 1
        if rank == 1:
            first[at[a]] += 1
        if rank <= 3:
            top3[at[a]] += 1
        sign += _mixed(at[a], rank)
    return sign


@compiled
def _few(base, layers, which, need, weight, here, first, top3, leads, sign, level):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Ranks of a few sites in every draw; `level` gets the fourth best score of each."""
    count, draws = len(here), base.shape[1]
    score = np.empty((count, draws))
    _scores(base, layers, which, need, weight, here, 0, score)
    value, at = np.empty(count), np.empty(count, dtype=np.int64)
    for n in range(draws):
        _order(score, n, value, at)
        sign[n] = _tell(value, at, first, top3, leads)
        level[n] = value[3] if count > 3 else -np.inf


@compiled
def _within(base, most, which, need, weight, asked, level):  # type: ignore[no-untyped-def]
    """(G, S) which of the sites that are `asked` for may reach `level` (G, N) in some draw, for a few projects.

    The bound takes the most that there is of each resource in any draw against the least that is needed: adding and
    multiplying round in order, so no score that is worked out exceeds it, to the last bit.
    """
    projects, covers = which.shape
    sites, draws, size = len(base), base.shape[1], 128
    found = np.zeros((projects, sites), dtype=np.bool_)
    least, share, top = np.empty((projects, covers)), np.empty(covers), np.empty(size)
    for g in range(projects):
        for k in range(covers):
            least[g, k] = need[g, k].min()
    for s in range(sites):  # a site's draws stay near while all projects look at them
        for g in range(projects):
            if not asked[g, s]:
                continue
            for k in range(covers):
                share[k] = _cut(most[which[g, k], s] - least[g, k])
            for first in range(0, draws, size):
                width = min(size, draws - first)
                row, line, reached = base[s, first : first + width], level[g, first : first + width], 0
                for n in range(width):
                    top[n] = row[n]
                for k in range(covers):
                    times, each = share[k], weight[k, first : first + width]
                    for n in range(width):
                        top[n] += each[n] * times
                for n in range(width):
                    reached += top[n] >= line[n]
                if reached > 0:
                    found[g, s] = True
                    break
    return found


@compiled
def _many(base, layers, which, need, weight, here, some, level, first, top3, leads):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Who is first and among the first three of many sites, draw by draw; close draws are sorted in full.

    Sites that are not among `some` places of `here` are below `level` in every draw, and four or more are not.
    """
    few = here[some]
    count, draws, size = len(few), base.shape[1], 128
    best, place = np.empty((4, size)), np.empty((4, size), dtype=np.int64)
    block, whole, part = np.empty((1, size)), np.empty((len(here), 1)), np.empty((count, 1))
    value, at = np.empty(len(here)), np.empty(len(here), dtype=np.int64)
    for start in range(0, draws, size):
        width = min(size, draws - start)
        best[:] = -np.inf
        for a in range(count):
            _scores(base, layers, which, need, weight, few[a : a + 1], start, block[:, :width])
            for n in range(width):
                one = block[0, n]
                if one <= best[3, n]:
                    continue
                b = 3
                while b > 0 and best[b - 1, n] < one:
                    best[b, n], place[b, n] = best[b - 1, n], place[b - 1, n]
                    b -= 1
                best[b, n], place[b, n] = one, some[a]
        for n in range(width):
            tolerance = 2 * TIE * max(abs(best[0, n]), TIE)
            gap = min(best[0, n] - best[1, n], best[1, n] - best[2, n], best[2, n] - best[3, n])
            if gap <= tolerance or best[3, n] < 0:
                _scores(base, layers, which, need, weight, few, start + n, part)
                _long_order(part, 0, value[:count], at[:count])
                if _ends_above(value[:count], level[start + n]):
                    at[:count] = some[at[:count]]
                    _tell(value[:count], at[:count], first, top3, leads)
                    continue
                _scores(base, layers, which, need, weight, here, start + n, whole)
                _long_order(whole, 0, value, at)
                _tell(value, at, first, top3, leads)
                continue
            first[place[0, n]] += 1
            leads[place[0, n]] += 1.0
            for b in range(3):
                top3[place[b, n]] += 1


@compiled
def _ends_above(value, level):  # type: ignore[no-untyped-def]
    """Whether who shares the first three ranks is settled among sorted scores that are complete down to `level`."""
    if value[0] < 0 or value[len(value) - 1] < 0:
        return False
    tolerance = TIE * max(value[0], TIE)
    for a in range(3, len(value)):
        if value[a] < level:
            return False
        if value[a - 1] - value[a] > tolerance:
            return True
    return False


@compiled
def _finer(base, layers, which, need, weight, here, sign):  # type: ignore[no-untyped-def]
    """Tell apart the rankings of all sites in draws of one and the same ranking of the best; others differ anyway."""
    count, order = len(here), np.argsort(sign)
    whole, value, at = np.empty((count, 1)), np.empty(count), np.empty(count, dtype=np.int64)
    first, leads = np.zeros(count, dtype=np.int64), np.zeros(count)
    found = sign.copy()
    for k in range(len(order)):
        n = order[k]
        alone = (k == 0 or sign[order[k - 1]] != sign[n]) and (k + 1 == len(order) or sign[order[k + 1]] != sign[n])
        if not alone:
            _scores(base, layers, which, need, weight, here, n, whole)
            _long_order(whole, 0, value, at)
            found[n] = _tell(value, at, first, first, leads)
    return found


@compiled
def chances(base, layers, most, which, need, weight, here, ends):  # type: ignore[no-untyped-def]
    """Rank acceptability and entropies of G projects of one class.

    Parameters
    ----------
    base : (S, N) array
        Score of what does not depend on what a project needs.
    layers : (X, S, N) array
    most : (X, S) array
        The most of each layer in any draw.
    which : (G, K) array of int
        Layer of each criterion that a project changes.
    need : (G, K, N) array
    weight : (K, N) array
        Drawn weights of these criteria.
    here : (E,) array of int
        Sites that each project may go to, one project after the other, likely best first.
    ends : (G + 1,) array of int
        Where those of each project begin and end.

    Returns
    -------
    first, top3 : (E,) arrays
        Share of the draws in which each ranks first, or among the first three; ties share the better rank.
    best : (E,) array
        Share of the draws in which each is the best; ties share the draw.
    choice, ranking : (G,) arrays
        Entropy of the first place and of the whole ranking, bits.
    """
    draws, projects = base.shape[1], len(ends) - 1
    first, top3, best = np.zeros(len(here)), np.zeros(len(here)), np.zeros(len(here))
    choice, ranking = np.zeros(projects), np.zeros(projects)
    sign, level = np.empty((TOGETHER, draws), dtype=np.uint64), np.empty((TOGETHER, draws))
    for start in range(0, projects, TOGETHER):
        stop = min(start + TOGETHER, projects)
        asked = np.zeros((stop - start, len(base)), dtype=np.bool_)
        ranks = np.zeros((2, ends[stop] - ends[start]), dtype=np.int64)
        leads = np.zeros(ends[stop] - ends[start])
        for g in range(start, stop):
            begin, end = ends[g] - ends[start], ends[g + 1] - ends[start]
            mine = here[ends[g] : ends[g + 1]]
            for a in range(SORTED, len(mine)):
                asked[g - start, mine[a]] = True
            if len(mine) > SORTED:
                spare = np.zeros((2, SORTED), dtype=np.int64)
                _few(
                    base, layers, which[g], need[g], weight, mine[:SORTED], spare[0], spare[1],
                    np.zeros(SORTED), sign[g - start], level[g - start],
                )  # fmt: skip
            elif len(mine) > 0:
                _few(
                    base, layers, which[g], need[g], weight, mine, ranks[0, begin:end], ranks[1, begin:end],
                    leads[begin:end], sign[g - start], level[g - start],
                )  # fmt: skip
        reach = asked
        if asked.any():
            reach = _within(base, most, which[start:stop], need[start:stop], weight, asked, level[: stop - start])
        for g in range(start, stop):
            begin, end = ends[g] - ends[start], ends[g + 1] - ends[start]
            mine = here[ends[g] : ends[g + 1]]
            if len(mine) > SORTED:
                kept = np.ones(len(mine), dtype=np.bool_)
                for a in range(SORTED, len(mine)):
                    kept[a] = reach[g - start, mine[a]]
                _many(
                    base, layers, which[g], need[g], weight, mine, np.flatnonzero(kept), level[g - start],
                    ranks[0, begin:end], ranks[1, begin:end], leads[begin:end],
                )  # fmt: skip
                sign[g - start] = _finer(base, layers, which[g], need[g], weight, mine, sign[g - start])
            if len(mine) > 0:
                ranking[g] = _entropy(sign[g - start])
            bits = 0.0
            for a in range(begin, end):
                share = best[ends[start] + a] = leads[a] / draws
                if share > 0:
                    bits -= share * np.log2(share)
                first[ends[start] + a], top3[ends[start] + a] = ranks[0, a] / draws, ranks[1, a] / draws
            choice[g] = abs(bits)
    return first, top3, best, choice, ranking


@compiled
def _quantiles(values, shares, room):  # type: ignore[no-untyped-def]
    """Quantiles by linear interpolation, as `numpy.quantile` has them: counts in bins, then what lies in one bin."""
    total, bins = len(values), len(room)
    low, high = values.min(), values.max()
    found = np.empty(len(shares))
    if not high > low:
        found[:] = low
        return found
    scale = (bins - 1) / (high - low)
    room[:] = 0
    for value in values:
        room[int((value - low) * scale)] += 1
    for q in range(len(shares)):
        place = shares[q] * (total - 1)
        k = int(np.floor(place))
        rest = place - k
        below = _ranked(values, low, scale, room, k)
        above = _ranked(values, low, scale, room, min(k + 1, total - 1))
        step = above - below
        found[q] = above - step * (1 - rest) if rest >= 0.5 else below + step * rest
    return found


@compiled
def _ranked(values, low, scale, room, k):  # type: ignore[no-untyped-def]
    """The number that k others of `values` are below of, from how many lie in each bin."""
    b, before = 0, 0
    while before + room[b] <= k:
        before += room[b]
        b += 1
    inside, count = np.empty(room[b]), 0
    for value in values:
        if int((value - low) * scale) == b:
            inside[count] = value
            count += 1
    return np.sort(inside)[k - before]


@compiled
def spans(tables, known, layers, which, need, weight, theme, sites, at, ends, shares):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """The middle of the draws of the score and of each theme, at some sites of G projects of one class.

    Parameters
    ----------
    tables : (T, A, N) array
        Points of each theme at A sites but for what depends on what a project needs.
    known : (T, A, 2) array
        What was found of themes that no need changes; nan where nothing was yet. Filled in.
    layers, which, need
        As of `chances`.
    weight : (K,) array
        Points of these criteria.
    theme : (K,) array of int
        Theme of each of them.
    sites : (A,) array of int
    at : (E,) array of int
        Places in `sites` of those of each project, one after the other.
    ends : (G + 1,) array of int
    shares : (2,) array
        Which quantiles.

    Returns
    -------
    (E, T + 1, 2) array
        The score's last.
    """
    themes, _, draws = tables.shape
    found = np.empty((len(at), themes + 1, 2))
    room, one, total = np.empty(256, dtype=np.int64), np.empty(draws), np.empty(draws)
    moves = np.zeros(themes, dtype=np.bool_)
    for k in range(len(theme)):
        moves[theme[k]] = True
    for g in range(len(ends) - 1):
        for e in range(ends[g], ends[g + 1]):
            a, s = at[e], sites[at[e]]
            total[:] = 0.0
            for t in range(themes):
                one[:] = tables[t, a]
                for k in range(len(theme)):
                    if theme[k] == t:
                        layer, taken = layers[which[g, k], s], need[g, k]
                        for n in range(draws):
                            one[n] += weight[k] * _cut(layer[n] - taken[n])
                for n in range(draws):
                    total[n] += one[n]
                if moves[t] or np.isnan(known[t, a, 0]):
                    found[e, t] = _quantiles(one, shares, room)
                    if not moves[t]:
                        known[t, a] = found[e, t]
                else:
                    found[e, t] = known[t, a]
            found[e, themes] = _quantiles(total, shares, room)
    return found


@compiled
def ranks(score, here, ends):  # type: ignore[no-untyped-def]
    """(E,) competition ranks of the sites of each project by their score; see `aggregate.competition_rank`."""
    found = np.empty(len(here), dtype=np.int64)
    for g in range(len(ends) - 1):
        found[ends[g] : ends[g + 1]] = _ranked_by(-score[ends[g] : ends[g + 1]])
    return found


@compiled
def _ranked_by(cost):  # type: ignore[no-untyped-def]
    """Competition rank of costs, the least first; closer than rounding is a tie."""
    count = len(cost)
    found = np.empty(count, dtype=np.int64)
    if count == 0:
        return found
    order = np.argsort(cost, kind="mergesort")
    tolerance = TIE * max(abs(cost[order[0]]), abs(cost[order[count - 1]]), TIE)
    rank = 1
    for a in range(count):
        if a > 0 and cost[order[a]] - cost[order[a - 1]] > tolerance:
            rank = a + 1
        found[order[a]] = rank
    return found
