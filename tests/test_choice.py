"""A choice under any weights: what it says would change it does, when it is carried out."""

import re

import numpy as np
import pytest

from geo_cluster import region
from geo_cluster.intake import site_choice
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers


@pytest.fixture(scope="module")
def one():
    scenario = catalog.scenario_from({"name": {"zh": "甲", "en": "a"}, "draws": 300})
    return next(site_choice.choices(region.prepare(scenario, Layers()), portfolio.read("sample").head(1)))


@pytest.fixture(scope="module")
def weighed(one):
    return site_choice.weigh(one, {})


def test_rank_chances_of_a_site_add_up_to_one(weighed):
    table = site_choice.rank_acceptability(weighed, sites=99, ranks=5)
    assert table.groupby("site")["chance"].sum().to_numpy() == pytest.approx(1)
    assert table[table["rank"] == 1]["chance"].sum() == pytest.approx(1, abs=0.01)


def test_beyond_its_stability_interval_the_named_site_leads(one, weighed):
    """Each end of each interval, a little beyond: the weight moves, the others keep their proportions."""
    leader = one.sites[weighed.order[0]]
    moved = 0
    for row in site_choice.weight_intervals(weighed).to_dict("records"):
        at = list(catalog.criteria()).index(row["criterion"])
        for end, sign in (("low", -1), ("high", 1)):
            if not row[f"{end}_site"] or not 1e-3 < row[end] < 1 - 1e-3:
                continue
            for beyond, expected in ((1e-4, row[f"{end}_site"]), (-1e-4, leader)):
                weight = weighed.weight * (1 - row[end] - sign * beyond) / (1 - weighed.weight[at])
                weight[at] = row[end] + sign * beyond
                found = site_choice.weigh(one, dict(zip(catalog.criteria(), weight, strict=True)))
                assert one.sites[found.order[0]] == expected
            moved += 1
    assert moved


def test_side_by_side_is_the_score_taken_apart(weighed, one):
    sites = [one.sites[place] for place in weighed.order[:4]]
    table = site_choice.side_by_side(weighed, sites)
    assert table.groupby("site", sort=False)["points"].sum().to_numpy() == pytest.approx(
        weighed.score[weighed.order[:4]]
    )
    for _, row in table[table["best"]].iterrows():
        others = table[(table["criterion"] == row["criterion"]) & (table["site"] != row["site"])]
        assert (row["value"] >= others["value"]).all()
        assert (row["value"] > others["value"]).any()
    assert (table["value_low"] <= table["value_high"]).all()
    assumed = table[table["evidence"] == "assumed"]
    assert (assumed["value_low"] < assumed["value_high"]).any(), "what is assumed is an interval"
    assert set(table["evidence"]) <= {"reported", "published", "derived", "assumed"}


def test_two_sites_are_told_the_same_way_round(weighed, one):
    first, last = one.sites[weighed.order[0]], one.sites[weighed.order[-1]]
    for language, word in (("zh", "领先"), ("en", "leads")):
        told = site_choice.why(weighed, first, last, language)
        assert told == site_choice.why(weighed, last, first, language)
        assert told.index(one.names[first][language]) < told.index(word) < told.rindex(one.names[last][language])


def test_beyond_the_weight_that_the_verdict_names_the_second_leads(weighed, one):
    """The verdict is carried out: that weight, a little further, and the others in proportion."""
    told = re.search(r"若([^；]+)的权重(高于|低于) ([\d.]+)%，则", site_choice.verdict(weighed)["sentence_zh"])
    assert told, "the verdict names no weight"
    at = [criterion.name.zh for criterion in catalog.criteria().values()].index(told[1])
    for step, leads in ((-0.002, 0), (0.002, 1)):
        weight = weighed.weight.copy()
        moved = float(told[3]) / 100 + (step if told[2] == "高于" else -step)
        weight *= (1 - moved) / (1 - weight[at])
        weight[at] = moved
        first, second = one.value[weighed.order[:2]] @ weight
        assert (second > first) == leads


def test_methods_rank_all_sites_and_the_sum_comes_first(weighed, one):
    ranks = site_choice.method_ranks(weighed)
    assert set(ranks.index) == set(one.sites)
    assert ranks["weighted_sum"].is_monotonic_increasing


def test_an_unknown_value_is_never_the_best(one):
    bare = site_choice.Choice(**vars(one) | {"natural": np.full_like(one.natural, np.nan)})
    assert not site_choice.side_by_side(site_choice.weigh(bare, {}), list(one.sites[:3]))["best"].any()
