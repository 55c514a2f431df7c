"""Where not every pair is listed, what is listed is what the whole table says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geo_cluster import study
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.report import best_pairs, tables
from geo_cluster.world import catalog


@pytest.fixture(scope="module")
def result():
    scenario = catalog.scenario("default").model_copy(update={"draws": 500})
    return study.run(scenario)


def test_the_best_pairs_are_rows_of_the_whole_ranking(result, monkeypatch):
    whole, parts = tables.ranking(result), tables.contributions(result)
    assigned = tables.assignment(result)
    monkeypatch.setattr(best_pairs, "LISTED", 2)
    monkeypatch.setattr(best_pairs, "MOST_PAIRS", 100)
    result.memo.clear()
    few, some = tables.ranking(result), tables.contributions(result)
    keys = ["project", "site"]
    mine = whole.set_index(keys).loc[pd.MultiIndex.from_frame(few[keys])].reset_index()
    pd.testing.assert_frame_equal(few, mine[few.columns.tolist()], rtol=0, atol=1.01e-4)  # the last digit
    placed = {
        (result.projects.index[p], result.sites["id"][s]) for p, s in enumerate(result.plan.site) if s != UNPLACED
    }
    best = whole[whole["eligible"]].sort_values(["project", "score"], ascending=[True, False], kind="stable")
    best = {*best.groupby("project").head(2)[keys].itertuples(index=False, name=None)}
    assert {*few[keys].itertuples(index=False, name=None)} == best | placed
    keys.append("criterion")
    same = parts.set_index(keys).loc[pd.MultiIndex.from_frame(some[keys])].reset_index()
    pd.testing.assert_frame_equal(some, same[some.columns.tolist()])
    pd.testing.assert_frame_equal(tables.assignment(result), assigned, rtol=0, atol=1.01e-4)
    assert f" {len(result.projects) * len(result.sites):,} 组" in best_pairs.note(result, "zh")
    result.memo.clear()


def test_few_projects_ask_for_numbers_where_there_are_very_many(result, monkeypatch):
    everybody = tables.requests(result)
    monkeypatch.setattr(best_pairs, "MOST_PAIRS", 100)
    monkeypatch.setattr(best_pairs, "CHOOSERS", 3)
    result.memo.clear()
    asked = tables.requests(result)
    result.memo.clear()
    assert 0 < asked["projects"].max() <= 3 < everybody["projects"].max()
    assert np.isfinite(asked["gain"]).all()


def test_numbers_are_worth_the_same_where_only_those_that_bear_on_the_choice_are_asked(result, monkeypatch):
    everybody = tables.requests(result).set_index(["subject", "attribute"])
    monkeypatch.setattr(best_pairs, "MOST_PAIRS", 100)
    monkeypatch.setattr(best_pairs, "CHOOSERS", len(result.projects))
    result.memo.clear()
    asked = tables.requests(result).set_index(["subject", "attribute"])
    result.memo.clear()
    both = asked.join(everybody["gain"].rename("whole"), how="left")
    assert (both["gain"] <= both["whole"] + 1e-9).all(), "no project counts what has no bearing on it"
    clear = everybody[everybody["is_clear"]]
    assert len(clear)
    assert (both["gain"].reindex(clear.index) == clear["gain"]).all(), "what tells something tells the same"
