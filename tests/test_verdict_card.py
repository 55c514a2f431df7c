"""The card of a verdict: what it says is what carrying it out gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo_cluster.intake.site_choice import Weighed, choices, weigh
from geo_cluster.intake.verdict_card import MOST_AGAINST, MOST_FOR, card, reasons, turning
from geo_cluster.region import Region, prepare
from geo_cluster.scoring.weights import sample_around
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers

PROJECTS = (("fiber_laser", "6"), ("fiber_laser", "60"), ("semiconductor_laser", "1"), ("solid_state_laser", "60"))


@pytest.fixture(scope="module")
def region() -> Region:
    return prepare(catalog.scenario_from({"name": {"zh": "甲", "en": "a"}, "draws": 300}), Layers())


@pytest.fixture(scope="module")
def weighed(region) -> list[Weighed]:
    rows = [{"segment": segment, "output_100m_yuan": output} for segment, output in PROJECTS]
    return [weigh(one, {}) for one in choices(region, portfolio.check(pd.DataFrame(rows)))]


def made(one: Weighed, value, utilities=None) -> Weighed:
    """The same choice among fewer sites with given values (A, C)."""
    value = np.asarray(value, float)
    draws = np.broadcast_to(value, (50, *value.shape)) if utilities is None else utilities
    count = len(value)
    blank = np.full(value.shape, "assumed", dtype=object)
    return weigh(
        replace(
            one.choice,
            sites=one.choice.sites[:count],
            value=value,
            natural=value,
            utilities=draws,
            evidence=blank,
            source=blank,
            alike=frozenset(),
            remarks={"zh": np.full(count, ""), "en": np.full(count, "")},
        ),
        {},
    )


def test_sides_are_what_brute_force_finds(weighed):
    for one in weighed:
        found, first = card(one), int(one.order[0])
        scores = [100 * sum(draw[first, c] * w for c, w in enumerate(one.weight)) for draw in one.choice.utilities]
        around = sample_around(one.weight, len(scores), concentration=200.0, seed=one.choice.seed)
        wins = [(draw @ w).argmax() == first for draw, w in zip(one.choice.utilities, around, strict=True)]
        assert found.first.site == one.choice.sites[first]
        assert found.first.mean == pytest.approx(np.mean(scores))
        assert found.first.chance == pytest.approx(np.mean(wins))
        assert (found.first.low, found.first.high) == pytest.approx(tuple(np.quantile(scores, [0.05, 0.95])))


def test_reasons_are_true_of_the_numbers(weighed):
    for one in weighed:
        for place in map(int, one.order[:4]):
            pros, cons = reasons(one, place)
            others = np.delete(one.points, place, axis=0)
            keys = list(catalog.criteria())
            assert len(pros) <= MOST_FOR and len(cons) <= MOST_AGAINST
            for reason in pros:
                at = keys.index(reason.criterion)
                assert reason.points == pytest.approx(one.points[place, at] - one.points[:, at].mean())
                assert reason.place == 1 + (one.choice.value[:, at] > one.choice.value[place, at] + 1e-9).sum()
                assert reason.place <= len(one.choice.sites) / 2 + 1
                assert f"{reason.points:.1f} 分" in reason.words.zh
            for reason in cons:
                at = keys.index(reason.criterion)
                assert reason.points == pytest.approx(others[:, at].max() - one.points[place, at])
            assert [one.points for one in pros] == sorted((one.points for one in pros), reverse=True)


def test_a_weight_that_turns_it_does_when_it_is_carried_out(weighed):
    tried = 0
    for one in weighed:
        pair = int(one.order[0]), int(one.order[1])
        told = turning(one)["zh"].weight
        if told is None:
            continue
        tried += 1
        keys = [criterion.name.zh for criterion in catalog.criteria().values()]
        at = keys.index(told.criterion)
        beyond = told.needed + (1e-6 if told.above else -1e-6)
        weight = one.weight * (1 - beyond) / (1 - one.weight[at])
        weight[at] = beyond
        scores = one.choice.value[list(pair)] @ weight
        assert scores[1] > scores[0]
        assert any(told.criterion in turn.zh for turn in card(one).turns)
    assert tried


def test_a_lead_that_the_unknown_eats_up_is_explained(weighed):
    seen = set()
    for one in weighed:
        found = card(one)
        lead, mean = found.first.score - found.second.score, found.first.mean - found.second.mean
        seen.add(found.grade)
        if found.grade == "sure":
            assert "重叠" not in found.how_sure.zh
        elif mean < 0:
            assert f"平均反而落后 {-mean:.1f} 分" in found.how_sure.zh
        elif mean < 0.75 * lead:
            assert f"平均只领先 {mean:.1f} 分" in found.how_sure.zh
    assert {"sure", "behind"} <= seen


def test_fifty_fifty_says_so_with_both_intervals(weighed):
    """A lead of two points at the likely numbers, and nothing of it left over the draws: 50:50."""
    count = len(catalog.criteria())
    value = np.full((2, count), 0.9)
    value[1] = 0.88
    rng = np.random.default_rng(1)
    draws = np.clip(np.full((2000, 2, count), 0.85) + rng.normal(0, 0.03, (2000, 2, 1)), 0, 1)
    found = card(made(weighed[0], value, draws))
    assert found.grade == "close"
    assert found.how_sure.zh.startswith("两者难分")
    assert "重叠" in found.how_sure.zh and "按最可能值领先 2.0 分" in found.how_sure.zh
    assert abs(found.first.chance - 0.5) < 0.05


def test_a_third_site_that_is_first_most_often_is_named(weighed):
    """Two sites ahead at the likely numbers by little, a third ahead in most draws."""
    count = len(catalog.criteria())
    value = np.repeat([[0.62], [0.61], [0.6]], count, axis=1)
    draws = np.broadcast_to(np.repeat([[0.5], [0.5], [0.7]], count, axis=1), (200, 3, count))
    found = card(made(weighed[0], value, draws))
    third = weighed[0].choice.names[weighed[0].choice.sites[2]]
    assert f"居首机会最大的是{third.zh}（100%）" in found.how_sure.zh
    assert f"most often first is {third.en}, in 100 %" in found.how_sure.en


def test_a_site_alone_has_nothing_to_compare(weighed):
    found = card(made(weighed[0], np.full((1, len(catalog.criteria())), 0.5)))
    assert found.second is None and found.turns == ()
    assert "无从比较" in found.how_sure.zh
    assert found.pros and found.cons, "points it has, points it lacks"


def test_the_best_on_everything_lacks_only_full_marks(weighed):
    value = np.full((2, len(catalog.criteria())), 0.4)
    value[0] = 0.8
    found = card(made(weighed[0], value))
    assert all("离该项满分差" in one.words.zh for one in found.cons)
    assert [one.zh for one in found.turns] == [
        "任何单个数、单个权重的变化都不足以让" + weighed[0].name(1, "zh") + "领先"
    ]


def test_no_site_has_no_card(weighed):
    assert card(made(weighed[0], np.empty((0, len(catalog.criteria()))))) is None
