"""City by city: what each gets, the price of more, shares that can't be met, and cities of one's own."""

import itertools
import tomllib

import numpy as np
import pandas as pd
import pytest

from geo_cluster import study
from geo_cluster.errors import InputError
from geo_cluster.export import bundle
from geo_cluster.intake import appraise
from geo_cluster.maps import payload
from geo_cluster.matching import Problem, Resource, solve
from geo_cluster.matching.engine.minima import reached
from geo_cluster.matching.rules import group_limits
from geo_cluster.matching.shares import share_curve
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.matching.verify import objective, verify
from geo_cluster.region import prepare
from geo_cluster.report import cities, tables
from geo_cluster.scenarios import read_scenario
from geo_cluster.study import at_level
from geo_cluster.world import consistency
from geo_cluster.world.layers import Layers
from tests import own, world
from tests.test_division import EAST, WEST, two_cities

REGION = np.array([0, 0, 1])


def small(seed):
    """Five projects, three sites in two regions, land for some; scores of both signs."""
    rng = np.random.default_rng(seed)
    score = np.round(rng.uniform(-10, 90, (5, 3)), 1)
    score[rng.random(score.shape) < 0.15] = np.nan
    land = rng.integers(10, 40, 5)
    room = Resource("land", "mu", land, np.arange(3), np.array([0.5, 0.4, 0.6]) * land.sum())
    return Problem(score, [room], bonus=5.0)


def every(problem):
    plans = (np.array(one) for one in itertools.product(range(-1, 3), repeat=5))
    return [one for one in plans if not verify(problem, one)]


def best_with(problem, plans, least, at):
    """The highest objective value of plans with so many in a region, -inf without one."""
    counts = [(REGION[one[one >= 0]] == at).sum() for one in plans]
    return max((objective(problem, one) for one, n in zip(plans, counts, strict=True) if n >= least), default=-np.inf)


@pytest.mark.parametrize("seed", range(4))
def test_the_price_of_n_is_that_of_all_plans_listed(seed):
    problem = small(seed)
    plans, best = every(problem), solve(problem)
    for at in (0, 1):
        curve = share_curve(problem, best, REGION, at)
        assert [one.least for one in curve] == list(range(len(curve)))
        for one in curve:
            assert one.value == pytest.approx(best_with(problem, plans, one.least, at))
            assert one.proven
            assert objective(problem, one.site) == pytest.approx(one.value)
        assert best_with(problem, plans, len(curve), at) == -np.inf


def test_without_time_every_number_still_has_bounds_that_hold():
    problem = small(1)
    plans, best = every(problem), solve(problem)
    curve = share_curve(problem, best, REGION, 1, time_limit_s=TimeBudget(0.0, 0.0))
    assert not curve[-1].proven
    assert all(one.value <= best_with(problem, plans, one.least, 1) + 1e-9 <= one.bound + 1e-6 for one in curve)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_lowered_is_the_least_that_can_be(seed):
    problem = small(seed)
    asked = np.array([4.0, 3.0])
    rule = group_limits("projects", REGION, projects=5, minimum=asked)
    had, proven = reached(problem.but(resources=(*problem.resources, rule)), time_limit_s=5.0)
    counts = [np.bincount(REGION[one[one >= 0]], minlength=2) for one in every(problem)]
    assert proven
    assert np.maximum(asked - had["projects"], 0).sum() == min(np.maximum(asked - one, 0).sum() for one in counts)


# ---- in a study ---------------------------------------------------------------------------------------------


def test_another_level_is_the_study_run_at_that_level():
    likely, hopeful = two_cities(), two_cities(planning_level="hopeful")
    again = at_level(likely, "hopeful")
    assert (again.key, again.violations) == (hopeful.key, ())
    assert at_level(likely, "likely") is likely
    for a, b in zip(again.resources, hopeful.resources, strict=True):
        assert a.demand.tolist() == b.demand.tolist()


def test_the_table_adds_up_to_the_plan_at_each_level():
    levels = cities.at_levels(two_cities())
    table = cities.cities_table(levels)
    assert [one.scenario.planning_level for one in levels] == list(cities.LEVELS)
    assert list(table["prefecture"].unique()) == [EAST, WEST]
    for one in levels:
        rows, plan = table[table["level"] == one.scenario.planning_level], tables.assignment(one)
        assert rows["projects"].sum() == len(plan)
        for key in ("land_mu", "power_mva"):
            assert rows[key].sum() == pytest.approx(plan[key].sum(), abs=0.01)
    side = cities.side_by_side(table, "projects", EAST)
    assert [int(part) for part in side.split("–")] == table[table["prefecture"] == EAST]["projects"].tolist()
    assert cities.side_by_side(table[table["level"] == "likely"], "projects", EAST).count("…") == 2
    for language in ("zh", "en"):
        assert len(cities.sentences(table, language)) == 2
        assert cities.unproven(table, language) == ""
        assert cities.unproven(table.assign(status="feasible", gap=0.02), language).count("2.00%") == 3


@pytest.mark.slow
def test_a_level_at_which_shares_cannot_be_met_is_left_out():
    result = two_cities(shares=[{"prefecture": WEST, "least": 3}])
    assert [one.scenario.planning_level for one in cities.at_levels(result)] == list(cities.LEVELS)
    tight = {"subject": "X2", "attribute": "available_land_ha", "low": 1, "likely": 20, "high": 20, "source": "试算"}
    scenario = result.scenario.model_dump() | {"known": [*result.scenario.model_dump()["known"][:1], tight]}
    known = study.run(
        world.scenario(**{k: scenario[k] for k in ("known", "shares")}), result.layers, projects=result.projects
    )
    assert [one.scenario.planning_level for one in cities.at_levels(known)] == ["likely", "hopeful"]


def test_prices_are_the_losses_of_studies_with_such_shares():
    free = two_cities()
    table = cities.city_prices(free).set_index(["prefecture", "least"])
    assert table["proven"].all()
    for code, least in ((WEST, 2), (WEST, 3), (EAST, 3)):
        forced = two_cities(shares=[{"prefecture": code, "least": least}])
        assert table.loc[(code, least), "loss_high"] == pytest.approx(
            free.plan.objective - forced.plan.objective, abs=1e-3
        )
        own_minima = cities.prices_table(forced, cities.price_curves(forced)).set_index(["prefecture", "least"])
        assert own_minima["loss_high"].tolist() == pytest.approx(table["loss_high"].tolist(), abs=1e-3)
    assert cities.price_sentences(table.reset_index(), "zh")[0].startswith("鄂州市现得")


@pytest.mark.slow
def test_an_open_price_says_its_bounds():
    row = {"loss_low": 1.0, "loss_high": 2.0, "proven": False}
    assert cities.loss_words(row) == "1.0–2.0"
    assert cities.loss_words(row | {"loss_high": np.nan}) == "≥ 1.0"
    assert cities.loss_words(row | {"proven": True}) == "2.0"
    nobody = study.run(world.scenario(), world.layers(), projects=world.projects(1, land_mu="5000"))
    assert cities.city_prices(nobody).empty
    hasty = cities.prices_table(two_cities(), cities.price_curves(two_cities(), clock=TimeBudget(0.0, 0.0)))
    assert not hasty["proven"].all()
    assert hasty["loss_low"].notna().all()


def test_shares_that_cannot_be_met_name_the_smallest_change_and_it_works():
    with pytest.raises(InputError) as refusal:
        two_cities(shares=[{"prefecture": EAST, "least": 2}, {"prefecture": WEST, "least": 2}])
    (fault,) = refusal.value.faults
    assert fault.code == "world.shares_not_together"
    (lower,) = fault.values["lower"]
    code, other = (EAST, WEST) if lower.zh.startswith("鄂州市") else (WEST, EAST)
    assert lower.zh.endswith("降到 1 个")
    assert fault.values["change"].en == "the smallest change that works"
    shares = [{"prefecture": code, "least": 1}, {"prefecture": other, "least": 2}]
    assert two_cities(shares=shares).violations == ()


def test_a_share_of_a_city_without_sites_is_refused():
    layers = world.layers()
    other = {"code": [world.PREFECTURE, "421200"], "name_zh": ["鄂州市", "咸宁市"], "name_en": ["Ezhou", "Xianning"]}
    layers["prefectures"] = pd.DataFrame(other)
    with pytest.raises(InputError) as refusal:
        study.run(world.scenario(shares=[{"prefecture": "421200", "least": 1}]), layers, projects=world.projects(1))
    assert [fault.code for fault in refusal.value.faults] == ["world.share_without_site"]
    layers["sites"]["prefecture_code"] = "360400"
    with pytest.raises(InputError) as refusal:
        study.run(world.scenario(), layers, projects=world.projects(1))
    assert {fault.code for fault in refusal.value.faults} == {"world.prefecture_without_name"}


# ---- a city of one's own ------------------------------------------------------------------------------------

XIANNING = "421200"


def with_xianning(folder):
    """A folder with the shipped sites and a made-up one in Xianning, named by its county alone."""
    sites = pd.DataFrame(Layers().read("sites").drop(columns="geometry"))
    row = dict.fromkeys(sites, "") | {"approved_ha": None, "later_ha": None}
    row |= {"id": "X01", "name_zh": "示例咸宁园区", "name_en": "Sample site in Xianning", "county_code": "421202"}
    row |= {"site_class": "national_zone", "lon": 114.32, "lat": 29.85, "coord_basis": "示例"}
    row |= {"coord_uncertainty_m": 500, "source": "示例", "publisher": "示例", "source_class": "c"}
    row |= {"source_is_copy": "no", "confidence": "low", "as_of": "2026-11", "notes": "示例，非真实园区"}
    own.register(folder / "own", sites=pd.concat([sites, pd.DataFrame([row])], ignore_index=True))
    few = 'sites = ["X01", "E01", "H04"]'
    return own.scenario(folder / "s.toml", few, f'shares = [{{ prefecture = "{XIANNING}", least = 2 }}]')


@pytest.mark.slow
def test_a_city_of_ones_own_is_a_city_as_any(tmp_path):
    scenario, projects = read_scenario(with_xianning(tmp_path))
    layers = Layers(scenario.layers)
    assert not consistency.check(layers, {})
    result = study.run(scenario, projects=projects)
    assert result.violations == ()
    known = result.observations.set_index(["site_id", "attribute"])
    assert known.loc[(XIANNING, "energy_quota_tce"), "basis"] == "assumed"
    assert result.sites.set_index("id").loc["X01", "prefecture_zh"] == "咸宁市"
    assert result.sites.set_index("id").loc["X01", "station"] == "A421202"
    got = cities.cities_table([result]).set_index("prefecture")
    assert got.loc[XIANNING, "projects"] >= 2
    assert got.loc[XIANNING, "prefecture_en"] == "Xianning City"
    files = bundle.study_files(result)
    assert "咸宁市" in files["cities.csv"].decode() and "咸宁市" in files["sheet.html"].decode()
    assert tomllib.loads(files["scenario.toml"].decode())["shares"] == [
        {"prefecture": XIANNING, "segment": "", "least": 2}
    ]
    drawn = payload.payload(layers, "zh")
    assert [one["name"] for one in drawn["places"]] == ["全省", "光谷", "鄂州", "黄石", "咸宁", "十堰"]
    assert XIANNING in [one["key"] for one in drawn["matrix"]["cities"]]
    assert "X01" in str(
        appraise.appraise_one(prepare(scenario), {"name": "甲", "segment": "fiber_laser", "output_100m_yuan": 5})
    )


@pytest.mark.slow
def test_shipped_maps_have_the_cities_of_the_shipped_sites():
    drawn = payload.payload(Layers(), "en")
    assert [one["name"] for one in drawn["places"]] == ["Hubei", "Optics Valley", "Ezhou", "Huangshi", "Shiyan"]
    assert [one["key"] for one in drawn["matrix"]["cities"]] == [
        "420100",
        "420700",
        "420200",
        "420300",
        "",
    ]  # elsewhere
