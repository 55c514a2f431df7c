from itertools import pairwise

import numpy as np
import pytest

from geo_cluster.errors import InputError
from geo_cluster.scoring.aggregate import aggregate
from geo_cluster.scoring.screen import OfClass, OfMargin, OfSite, screen

PROJECTS, SITES, TOP = 300, 90, 7


def nation(required=False):
    rng = np.random.default_rng(4)
    segment, origin = rng.integers(0, 5, PROJECTS), rng.integers(0, 3, PROJECTS)
    return [
        OfSite(rng.random(SITES)),
        OfClass(rng.random((5, SITES)), segment),
        OfMargin(rng.gamma(2, 10, SITES), rng.gamma(0.6, 40, PROJECTS) + 0.1, required=required),
        OfClass(rng.random((3, SITES)), origin),
        OfClass(rng.random((5, SITES)), segment),
        OfMargin(rng.gamma(2, 10, SITES), rng.gamma(2, 4, PROJECTS) + 0.1, worst=0.5, best=4),
    ]


def table(criteria, project):
    """Values (S, C) of one project, the plain way."""
    columns = []
    for criterion in criteria:
        if isinstance(criterion, OfSite):
            columns.append(criterion.values)
        elif isinstance(criterion, OfClass):
            columns.append(criterion.values[criterion.class_of[project]])
        else:
            ratio = criterion.offer / criterion.need[project]
            columns.append(np.clip((ratio - criterion.worst) / (criterion.best - criterion.worst), 0, 1))
    return np.column_stack(columns)


def joined(blocks):
    blocks = list(blocks)
    return [
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("project", "site", "score", "contributions")
    ]


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("weights", ["shared", "own"])
def test_the_best_sites_are_those_of_the_full_table(weights, required):
    criteria = nation(required)
    rng = np.random.default_rng(1)
    w = rng.dirichlet(np.ones(6), None if weights == "shared" else PROJECTS)
    project, site, score, contributions = joined(screen(criteria, w, top=TOP, block=64))
    np.testing.assert_array_equal(project, np.arange(PROJECTS))
    for p in range(PROJECTS):
        values = table(criteria, p)
        expected = aggregate(values, w if w.ndim == 1 else w[p], method="weighted_sum").score
        if required:
            expected = np.where(criteria[2].offer >= criteria[2].need[p], expected, -np.inf)
        best = np.argsort(-expected, kind="stable")[:TOP]
        fits = np.isfinite(expected[best])
        np.testing.assert_array_equal(site[p], np.where(fits, best, -1))
        np.testing.assert_allclose(score[p][fits], expected[best][fits], rtol=1e-12)
        assert np.isnan(score[p][~fits]).all()
        assert np.isnan(contributions[p][~fits]).all()
    np.testing.assert_array_equal(contributions.sum(axis=-1)[site >= 0], score[site >= 0])
    if required:
        assert (site == -1).any()


def test_how_the_work_is_cut_up_changes_nothing():
    criteria, w = nation(True), [1, 2, 3, 4, 5, 6]
    one = joined(screen(criteria, w, block=1000, workers=1))
    for block, workers in ((1, 2), (37, 3)):
        for a, b in zip(one, joined(screen(criteria, w, block=block, workers=workers)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_ties_go_by_place_and_few_sites_are_all_kept():
    project, site, score, _ = joined(screen([OfSite(np.full(4, 0.5))], [1], projects=2, top=10))
    assert project.tolist() == [0, 1]
    assert site.tolist() == [[0, 1, 2, 3]] * 2
    assert (score == 0.5).all()


def test_blocks_are_made_as_they_are_taken():
    stream = screen(nation(), np.ones(6), block=1, workers=1)
    first = [next(stream), next(stream)]
    assert [block.project.tolist() for block in first] == [[0], [1]]
    stream.close()


def test_faults_are_named_before_anything_is_scored():
    with pytest.raises(InputError) as refusal:
        screen(
            [
                OfSite(np.array([0.5, 1.5])),
                OfClass(np.ones((2, 3)), np.array([0, 2])),
                OfMargin(np.array([1, np.nan]), np.array([0, 1, 2]), worst=2, best=1),
            ],
            [1, 1],
            top=0,
        )
    where = [fault.where for fault in refusal.value.faults]
    for expected in (
        "weights",
        "criteria[0], values",
        "criteria[1], class_of",
        "criteria[2], need",
        "criteria[2], offer",
        "criteria[2], worst, best",
        "criteria[1]",
        "criteria[2]",
        "top",
    ):
        assert expected in where
    with pytest.raises(InputError, match="how many projects"):
        screen([OfSite(np.ones(3))], [1])


@pytest.mark.slow
def test_a_dask_cluster_of_two_workers_gives_the_same(cluster):
    address, client = cluster
    assert len(client.scheduler_info()["workers"]) == 2
    criteria, w = nation(True), [1, 2, 3, 4, 5, 6]
    here, there = joined(screen(criteria, w, block=16)), joined(screen(criteria, w, block=16, scheduler=address))
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)
    assert all(a < b for a, b in pairwise(there[0]))
