"""The whole pipeline on numbers that a person can check, and on the real layers."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pandas as pd
import pytest
import tomli_w

from geo_cluster import study
from geo_cluster.errors import DataError, InputError
from geo_cluster.matching.verify import verify
from geo_cluster.region import prepare
from geo_cluster.report import explanation, tables
from geo_cluster.scenarios import read_scenario
from geo_cluster.world import catalog, observations
from geo_cluster.world.coordinates import MU_PER_HA
from geo_cluster.world.layers import Layers
from tests import own, world
from tests.studies import run


@pytest.fixture(scope="module")
def tiny() -> study.Study:
    return study.run(world.scenario(), world.layers(), projects=world.projects())


@pytest.fixture(scope="module")
def real() -> study.Study:
    return run()


def natural(result: study.Study, project: str, site: str) -> pd.Series:
    rows = tables.contributions(result).query("project == @project and site == @site")
    return rows.set_index("criterion")["natural"]


def test_natural_values_are_those_worked_out_by_hand(tiny):
    near = natural(tiny, "P01", "X1")
    assert near["land_cover"] == pytest.approx(60 / 30)
    assert near["power_cover"] == pytest.approx(60 / 10)
    assert near["quota_cover"] == pytest.approx(30_000 / 122.9, rel=1e-4)
    assert near["rd_minutes"] == pytest.approx(10, abs=1e-6)
    assert near["freight_minutes"] == pytest.approx(0, abs=1e-6), "the cargo airport stands at X1"
    assert near["supplier_access"] == pytest.approx(0.5 ** (10 / 60), abs=1e-4), "F4 is upstream, F1 to F3 are not"
    assert near["customer_access"] == pytest.approx(0.5 ** (26 / 120), abs=1e-4), "D1 welds; nobody makes machines"
    assert near["industry_fit"] == 1
    far = natural(tiny, "P01", "X2")
    assert far["rd_minutes"] == pytest.approx(30, abs=1e-6)
    assert far["land_cover"] == pytest.approx(150 / 30)
    assert far["open_constraints"] == 2
    assert far["industry_fit"] == 0


def test_score_is_the_weighted_sum_worked_out_by_hand(tiny):
    given_back = {"power_cover", "quota_cover", "land_price", "same_segment"}  # the same at both sites
    weights = {key: one.weight for key, one in catalog.criteria().items() if key not in given_back}
    share = weights["land_cover"] / sum(weights.values())
    row = tables.contributions(tiny).query("project == 'P01' and site == 'X1' and criterion == 'land_cover'").iloc[0]
    value = np.log(2 / 0.5) / np.log(10 / 0.5)  # equal ratios count equally between 0.5 and 10
    assert row["value"] == pytest.approx(value, abs=1e-6)
    assert row["points"] == pytest.approx(100 * share * value, abs=1e-5)


@pytest.mark.slow
def test_contributions_add_up_to_the_score(tiny, real):
    for result in (tiny, real):
        total = tables.contributions(result).groupby(["project", "site"])["points"].sum()
        score = tables.ranking(result).set_index(["project", "site"])["score"]
        assert np.allclose(total.reindex(score.index), score, atol=1e-3)


def test_land_is_shared_two_go_to_x1_and_the_third_elsewhere(tiny):
    assert tiny.plan.status == "optimal"
    assert sorted(tables.assignment(tiny)["site"]) == ["X1", "X1", "X2"]
    used = tables.pools(tiny).set_index(["resource", "pool"])["used"]
    assert used["land", "X1"] == pytest.approx(60)
    assert used["power", "G1"] == pytest.approx(30)
    assert used["energy", world.PREFECTURE] == pytest.approx(3 * 122.9)


def test_a_shared_station_leaves_the_fourth_out_and_says_what_is_missing():
    result = study.run(world.scenario(), world.layers(), projects=world.projects(4, power_mva="20"))
    assert len(tables.assignment(result)) == 3, "60 MVA serve three projects of 20 MVA, wherever they stand"
    (left,) = tables.unplaced(result).itertuples()
    assert "20.0 MVA" in left.reason
    assert "一号站" in left.reason
    assert "power short at Station one" in left.reason_en


def test_cautious_planning_takes_low_capacities_and_high_needs():
    result = study.run(world.scenario(planning_level="cautious"), world.layers(), projects=world.projects(2))
    planned = tables.pools(result).set_index(["resource", "pool"])["planned"]
    assert planned["land", "X1"] == pytest.approx(15)
    assert planned["power", "G1"] == pytest.approx(15)
    assert len(tables.assignment(result)) == 1, "15 MVA serve one project of 10"


@pytest.mark.slow
def test_a_known_number_replaces_the_prior_and_narrows_the_interval():
    known = [{"subject": "X1", "attribute": "available_land_ha", "low": 8, "likely": 8, "high": 8, "source": "电话"}]
    before = study.run(world.scenario(), world.layers(), projects=world.projects(1))
    after = study.run(world.scenario(known=known), world.layers(), projects=world.projects(1))
    row = after.observations.query("site_id == 'X1' and attribute == 'available_land_ha'").iloc[0]
    assert (row["likely"], row["basis"], row["source"]) == (8, "reported", "电话")
    width = [tables.ranking(r).query("site == 'X1'").eval("high - low").iloc[0] for r in (before, after)]
    assert width[1] < width[0]


def test_locked_and_forbidden_pairs_are_kept():
    pairs = {"locked": [{"project": "P01", "site": "X2"}], "forbidden": [{"project": "P02", "site": "X1"}]}
    result = study.run(world.scenario(**pairs), world.layers(), projects=world.projects(2))
    at = tables.assignment(result).set_index("project")["site"]
    assert at["P01"] == "X2"
    assert at["P02"] == "X2"
    reason = tables.ranking(result).query("project == 'P02' and site == 'X1'").iloc[0]
    assert (reason["eligible"], reason["rule"]) == (False, "forbidden")


def test_every_unknown_name_is_named_at_once():
    wrong = {"anchor": "nowhere", "sites": ["X9"], "locked": [{"project": "P77", "site": "X1"}]}
    wrong |= {"known": [{"subject": "Z", "attribute": "spare_mva", "low": 1, "likely": 1, "high": 1, "source": "s"}]}
    with pytest.raises(InputError) as refusal:
        study.run(world.scenario(**wrong), world.layers(), projects=world.projects(1))
    found = {(fault.code, fault.place.key, fault.values["name"]) for fault in refusal.value.faults}
    wanted = {"anchor": "nowhere", "sites": "X9", "locked.project": "P77", "known.subject": "Z"}
    assert found == {("world.no_such_name", key, repr(name)) for key, name in wanted.items()}


def test_adding_a_site_changes_nobody_elses_score_or_interval_while_the_same_criteria_tell_sites_apart():
    alike = study.run(world.scenario(draws=20), world.layers(), projects=world.projects(1)).region.alike
    assert alike == {"power_cover", "quota_cover", "land_price", "same_segment"}
    weights = dict.fromkeys(alike, 0.0)
    both, one = (
        study.run(world.scenario(sites=sites, weights=weights), world.layers(), projects=world.projects(1))
        for sites in (["X1", "X2"], ["X1"])
    )
    assert one.region.alike == frozenset(), "one site alone is not compared"
    columns = ["score", "low", "high"]
    assert tables.ranking(both).query("site == 'X1'")[columns].equals(tables.ranking(one)[columns])
    stated = [
        study.run(world.scenario(sites=sites, draws=20), world.layers(), projects=world.projects(1))
        for sites in (["X1", "X2"], ["X1"])
    ]
    assert np.array_equal(stated[0].decision.value[:, 0], stated[1].decision.value[:, 0]), (
        "values never depend on others"
    )


@pytest.mark.slow
def test_interval_holds_the_draws_and_chances_add_up(real):
    chance = tables.ranking(real).groupby("project")["chance_first"].sum()
    assert np.allclose(chance, 1, atol=1e-2)
    assert (tables.ranking(real)["low"] <= tables.ranking(real)["high"]).all()


def test_real_plan_holds_under_the_independent_check(real):
    assert real.violations == ()
    assert verify(real.problem, real.plan) == ()
    assert real.plan.status == "optimal"
    assert real.plan.bound >= real.plan.objective - 1e-6
    refused = tables.ranking(real)[~tables.ranking(real)["eligible"]]
    assert (refused["reason"].str.len() > 5).all()
    assert (refused["reason_en"].str.len() > 5).all()
    assert refused["rank"].isna().all()


def test_capacities_recomputed_from_the_tables(real):
    """Once more by spreadsheet arithmetic: no code of the matching in between."""
    plan = tables.assignment(real).merge(real.sites[["id", "prefecture_code"]], left_on="site", right_on="id")
    known = real.observations.set_index(["attribute", "site_id"])["likely"]
    for key, by, need, times in (
        ("available_land_ha", "site", "land_mu", 15),
        ("spare_mva", "station", "power_mva", 1),
        ("energy_quota_tce", "prefecture_code", "energy_tce", 1),
    ):
        used = plan.groupby(by)[need].sum()
        assert (used <= known[key].reindex(used.index) * times + 1e-2).all()


def test_summary_names_versions_counts_proof_and_inputs(real):
    summary = real.summary()
    assert summary["sample"] is True
    assert summary["placed"] + summary["unplaced"] == summary["projects"] == 30
    assert summary["sites"] == 33
    assert set(summary["inputs"]) == {"portfolio", *study.LAYERS}
    assert summary["violations"] == []


@pytest.mark.slow
def test_every_shipped_scenario_runs():
    for name in catalog.scenario_names():
        result = run(name)
        assert result.violations == ()
        assert len(tables.assignment(result)) + len(tables.unplaced(result)) == 30


def test_a_station_that_nobody_knows_is_an_assumed_interval_neither_zero_nor_without_bounds():
    layers = world.layers()
    layers["sites"]["stations"] = ""
    result = study.run(world.scenario(), layers, projects=world.projects(1))
    spare = result.facts.offers["spare_mva"][0]
    assert 0 < spare[0] < spare[1] < spare[2] < np.inf
    assert natural(result, "P01", "X1")["power_cover"] == pytest.approx(spare[1] / 10)
    with_station = study.run(world.scenario(), world.layers(), projects=world.projects(1))
    width = [tables.ranking(r).query("site == 'X1'").eval("high - low").iloc[0] for r in (with_station, result)]
    assert width[1] > width[0]


def test_the_data_request_list_names_the_number_that_decides():
    """Only X1's land is uncertain enough to turn the choice: it stands first, with its question and range."""
    known = [{"subject": "X2", "attribute": "available_land_ha", "low": 4, "likely": 4, "high": 4, "source": "电话"}]
    weights = dict.fromkeys(catalog.criteria(), 0.0) | {"land_cover": 1.0}
    scenario = world.scenario(known=known, weights=weights, draws=2000)
    result = study.run(scenario, world.layers(), projects=world.projects(1))
    first = tables.requests(result).iloc[0]
    assert (first["subject"], first["attribute"]) == ("X1", "available_land_ha")
    assert (first["low"], first["likely"], first["high"]) == (1, 4, 12)
    assert first["question_zh"].endswith("？")
    assert first["gain"] > 5 * first["gain_error"] > 0
    assert len(tables.requests(result)) == 1, "nothing else could change the choice"


def test_nothing_to_ask_when_everything_is_known():
    numbers = {"available_land_ha": ["X1", "X2"], "land_price_10k_yuan_per_mu": ["X1", "X2"], "trip_min": ["X1", "X2"]}
    numbers |= {"spare_mva": ["G1"], "energy_quota_tce": [world.PREFECTURE]}
    known = [
        {"subject": one, "attribute": key, "low": 9, "likely": 9, "high": 9, "source": "电话"}
        for key, subjects in numbers.items()
        for one in subjects
    ]
    result = study.run(world.scenario(known=known), world.layers(), projects=world.projects(1))
    assert tables.requests(result).empty


def test_a_region_without_any_interval_asks_for_nothing(tiny):
    exact = tiny.region.observations.assign(low=tiny.region.observations["likely"])
    exact["high"] = exact["likely"]
    region = dataclasses.replace(tiny.region, observations=exact)
    asked = tables.request_table(region, tiny.eligibility, tiny.decision)
    assert asked.empty
    assert list(asked) == list(tables.requests(tiny))


def test_evidence_shares_say_what_rests_on_assumptions(tiny):
    assumed = tables.ranking(tiny)["assumed"].iloc[0]
    given_back = tiny.region.alike
    weights = {key: c.weight for key, c in catalog.criteria().items() if key not in given_back}
    assert assumed == pytest.approx(weights["land_cover"] / sum(weights.values()), abs=1e-4)
    reported = [{"subject": "X1", "attribute": "available_land_ha", "low": 1, "likely": 2, "high": 3, "source": "电话"}]
    after = study.run(world.scenario(known=reported), world.layers(), projects=world.projects(1))
    assert tables.ranking(after)["assumed"].tolist() == [0, pytest.approx(assumed, abs=1e-4)]


def test_evidence_of_a_theme_and_of_all_bases(tiny):
    row, criteria = tables.ranking(tiny).iloc[0], catalog.criteria()
    land = {key: c.weight for key, c in criteria.items() if c.theme == "land"}
    by_hand = land["land_cover"] / (land["land_cover"] + land["open_constraints"])  # the price is alike: not in force
    assert row["land_assumed"] == pytest.approx(by_hand, abs=1e-4)
    assert row["reach_assumed"] == 0
    assert row[["reported", "published", "derived", "assumed"]].sum() == pytest.approx(1, abs=1e-3)


def test_sub_scores_are_the_weighted_means_of_their_criteria(tiny):
    points = tables.contributions(tiny).query("project == 'P01' and site == 'X1'")
    points = points.assign(theme=[catalog.criteria()[key].theme for key in points["criterion"]])
    by_theme = points.groupby("theme").apply(lambda rows: 100 * rows["points"].sum() / (100 * rows["weight"].sum()))
    row = tables.ranking(tiny).query("project == 'P01' and site == 'X1'").iloc[0]
    for theme in catalog.themes():
        assert row[theme] == pytest.approx(by_theme[theme], abs=0.01)
        assert row[f"{theme}_low"] <= row[f"{theme}_high"]


@pytest.mark.slow
def test_layers_of_ones_own_stand_in_place_of_the_shipped_ones(tmp_path, real):
    """Other speeds in a folder that the scenario names: other trips; the shipped layers stay as they are."""
    layer = Layers().registry["roads"]
    text = (catalog.data_dir() / layer.file).read_text(encoding="utf-8").replace('"speed_kmh":100', '"speed_kmh":50')
    folder = tmp_path / "osm"
    folder.mkdir()
    (folder / layer.file).write_text(text, encoding="utf-8", newline="\n")
    content = (folder / layer.file).read_bytes()
    entry = layer.model_dump() | {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "sources.toml").write_text(tomli_w.dumps({"layers": {"roads": entry}}), encoding="utf-8")
    file = tmp_path / "s.toml"
    file.write_text('name = { zh = "慢", en = "slow" }\nlayers = "osm"\n', encoding="utf-8")
    slow = study.run(catalog.scenario(file))
    before, after = (result.region.trips.set_index("destination")["road_likely_min"] for result in (real, slow))
    assert (np.abs(after - before) > 0.1).mean() > 0.9
    assert slow.summary()["inputs"]["roads"] == entry["sha256"]
    assert prepare(catalog.scenario(), Layers()).trips.equals(real.region.trips)


def test_offers_say_whose_number_it_is_and_totals_count_each_pool_once():
    result = run()
    offers = tables.offers_table(result.region)
    assert len(offers) == 4 * len(result.sites)
    for resource, attribute, times in (
        ("land", "available_land_ha", MU_PER_HA),
        ("floor", "available_floor_m2", 1.0),
        ("power", "spare_mva", 1.0),
        ("energy", "energy_quota_tce", 1.0),
    ):
        rows = offers[offers["resource"] == resource]
        assert rows["site"].tolist() == result.sites["id"].tolist()
        bounds = result.region.offers[attribute] * times
        assert rows[["low", "likely", "high"]].to_numpy() == pytest.approx(bounds, nan_ok=True)
    power = offers[offers["resource"] == "power"]
    assert power.groupby("subject")["site"].size().to_dict() == power.groupby("subject")["sharers"].first().to_dict()
    totals = tables.supply_totals(offers)
    base = {one.name: one.capacity.sum(axis=0) for one in study.base_resources(result.region, result.facts)}
    for resource in catalog.resources():
        expected = base[resource]
        assert totals.loc[resource, ["low", "likely", "high"]].to_numpy(float) == pytest.approx(expected, rel=1e-6)


def test_a_prefecture_without_station_offers_no_power_and_says_so():
    region = run().region
    lone = region.sites.assign(station=["", *region.sites["station"].iloc[1:]])
    offers = tables.offers_table(dataclasses.replace(region, sites=lone))
    row = offers[(offers["resource"] == "power") & (offers["site"] == lone["id"].iloc[0])].iloc[0]
    assert np.isnan(row["likely"])
    assert row["basis"] == ""
    assert row["subject_zh"] == ""


def test_the_key_names_scenario_projects_layers_and_plan(tiny):
    again = study.run(world.scenario(), world.layers(), projects=world.projects())
    assert again.key == tiny.key
    shorter = dataclasses.replace(tiny.plan, site=np.where(np.arange(3) == 0, -1, tiny.plan.site))
    looser = dataclasses.replace(tiny.plan, bound=tiny.plan.bound + 1, status="feasible")
    layers = world.layers()
    layers["sites"] = layers["sites"].assign(name_zh=["丙园", "丁园"])
    others = [
        dataclasses.replace(tiny, plan=shorter),
        dataclasses.replace(tiny, plan=looser),
        study.run(world.scenario(seed=7), world.layers(), projects=world.projects()),
        study.run(world.scenario(), layers, projects=world.projects()),
        study.run(world.scenario(), world.layers(), projects=world.projects().assign(name="另一个")),
    ]
    assert len({one.key for one in others} | {tiny.key}) == 6


@pytest.mark.slow
def test_a_scenario_read_before_its_layers_were_refreshed_gets_another_id(tmp_path):
    own.register(tmp_path / "own", sites=own.sites("旧名"))
    scenario = catalog.scenario(own.scenario(tmp_path / "s.toml", 'sites = ["E01"]'))
    first = study.run(scenario)
    assert first.scenario == scenario
    own.register(tmp_path / "own", sites=own.sites("新名"))
    second = study.run(scenario)
    assert second.scenario.id != first.scenario.id
    assert second.key != first.key
    assert second.scenario.id == catalog.scenario(tmp_path / "s.toml").id


def test_damaged_layers_are_told_with_all_other_faults(tmp_path):
    own.register(tmp_path / "own", sites=own.sites())
    (tmp_path / "own" / "sites.csv").unlink()
    file = own.scenario(tmp_path / "s.toml")
    with pytest.raises(DataError, match=r"sites\.csv"):
        read_scenario(file)
    with pytest.raises(InputError) as refusal:
        read_scenario(own.scenario(tmp_path / "s.toml", "wrong = 1", 'portfolio = "nowhere.csv"'))
    told = "\n".join(map(str, refusal.value.faults))
    assert all(name in told for name in ("wrong", "nowhere.csv", "sites.csv"))


def test_draws_and_whether_the_plan_holds_are_worked_out_once(tiny, monkeypatch):
    first = explanation.feasibility_table(tiny)
    monkeypatch.setattr(observations, "draw", lambda *_, **__: pytest.fail("drawn again"))
    assert explanation.feasibility_table(tiny) is first
    assert explanation.feasibility_table(dataclasses.replace(tiny)).equals(first)


def test_a_fault_of_a_field_hides_no_contradiction_of_others(tmp_path):
    twice = 'locked = [{project = "P01", site = "E01"}, {project = "P01", site = "E08"}]'
    file = tmp_path / "s.toml"
    file.write_text(f'name = {{ zh = "甲", en = "a" }}\ndraws = 3\nportfolio = ["a"]\n{twice}\n', encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_scenario(file)
    assert {(fault.code, fault.place.key) for fault in refusal.value.faults} == {
        ("world.below_least", "draws"),
        ("world.not_text", "portfolio"),
        ("world.locked_twice", ""),
    }
