"""Knapsacks with choices, against all fillings."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster.matching.engine.knapsack import fill

items = st.lists(st.tuples(st.integers(0, 3), st.floats(0.01, 9.0), st.integers(0, 6)), max_size=9)


@settings(deadline=None)  # the first call compiles
@given(items, st.integers(6, 14))
def test_the_best_filling_of_each_room(found, room):
    found.sort(key=lambda item: item[0])
    row, weight = (np.array([item[at] for item in found], dtype=np.int64) for at in (0, 2))
    profit = np.array([item[1] for item in found], dtype=float)
    taken, best = fill(row, profit, weight, room)
    exact = np.zeros(room + 1)
    groups = [[None, *np.flatnonzero(row == each)] for each in np.unique(row)]
    for choice in itertools.product(*groups):
        at = [one for one in choice if one is not None]
        takes = weight[at].sum()
        exact[takes:] = np.maximum(exact[takes:], profit[at].sum())
    np.testing.assert_allclose(best, exact, atol=1e-9)
    assert len(np.unique(row[taken])) == len(taken)
    assert weight[taken].sum() <= room
    np.testing.assert_allclose(profit[taken].sum(), exact[room], atol=1e-9)
