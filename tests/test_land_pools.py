"""Land that a park shares with its zone, and floor in standard factories in place of land."""

from __future__ import annotations

import datetime
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster import study
from geo_cluster.errors import InputError
from geo_cluster.matching.verify import objective, usage, verify
from geo_cluster.region import prepare
from geo_cluster.report import explanation, over_time, tables
from geo_cluster.report.what_if import pool_scenario
from geo_cluster.scoring.criteria import coverage_ratio
from geo_cluster.supply import pools, standard_land
from geo_cluster.supply.serving_station import supply_area, zones_of_areas
from geo_cluster.world import catalog, portfolio
from tests import world

MU = 1 / 15


def country(*, zone: str = "X1", **of_park: object) -> dict[str, pd.DataFrame]:
    """The tiny country with X2 as a park inside X1; more columns of X2 by name."""
    layers = world.layers()
    sites = layers["sites"].assign(zone_id=["", zone])
    for column, value in {"site_class": "park_in_zone", **of_park}.items():
        sites[column] = [sites[column].iloc[0] if column in sites else "", value]
    layers["sites"] = sites
    return layers


def with_factory(**given: object) -> dict[str, pd.DataFrame]:
    """The tiny country with X2 as a standard factory of 20,000 m² in X1."""
    layers = country(site_class="standard_factory", constraints="", **given)
    columns = layers["observations"].columns
    row = ("X2", "factory_floor_m2", 20000.0, 20000.0, 20000.0, "m2", "published", "made up", "2026", "b", "high")
    layers["observations"] = pd.concat([layers["observations"], pd.DataFrame([row], columns=columns)])
    return layers


def known(**mu: float) -> list[dict]:
    """Land that somebody reported of sites, in mu."""
    row = {"attribute": "available_land_ha", "source": "电话"}
    return [row | {"subject": site} | dict.fromkeys(("low", "likely", "high"), n * MU) for site, n in mu.items()]


def floor(m2: float) -> dict:
    ends = dict.fromkeys(("low", "likely", "high"), m2)
    return {"attribute": "available_floor_m2", "source": "电话", "subject": "X2", **ends}


def run(layers: dict, projects: pd.DataFrame | None = None, **changes: object) -> study.Study:
    projects = world.projects() if projects is None else projects
    return study.run(world.scenario(**changes), layers, projects=projects)


def plants(*mu: float) -> pd.DataFrame:
    row = {"segment": "fiber_laser", "output_100m_yuan": "5", "power_mva": "1", "energy_gwh": "1"}
    return portfolio.check(pd.DataFrame([row | {"land_mu": f"{one:g}"} for one in mu]))


def best_by_hand(result: study.Study, needs: list[float], zone: float, park: float) -> float:
    """Objective of the best of all plans that keep both pools, found by trying every one."""
    best = -np.inf
    for plan in itertools.product((-1, 0, 1), repeat=len(needs)):
        at = np.array(plan)
        drawn = [sum(need for need, site in zip(needs, plan, strict=True) if site == one) for one in (0, 1)]
        if drawn[1] <= park and sum(drawn) <= zone:
            best = max(best, objective(result.problem, at))
    return best


# ---- the two pools of a park inside a zone ----


@pytest.mark.parametrize(("zone", "park"), [(60, 45), (90, 30), (30, 90), (100, 0.1), (25, 100), (75, 75)])
def test_the_plan_is_the_best_of_all_that_keep_both_pools(zone, park):
    needs = [30.0, 20.0, 40.0, 25.0]
    result = run(country(), plants(*needs), known=known(X1=zone, X2=park))
    assert result.violations == ()
    assert result.plan.status == "optimal"
    assert result.plan.objective == pytest.approx(best_by_hand(result, needs, zone, park))


def test_what_is_drawn_in_a_park_is_drawn_from_its_zone_too():
    result = run(country(), known=known(X1=90, X2=60), locked=[{"project": "P01", "site": "X2"}])
    at, land = result.plan.site, {one.name: one for one in result.resources}
    assert (at == 1).any()
    assert land["land"].pools == ("X1",)
    assert land["land:park"].pools == ("X2",)
    assert usage(land["land"], at) == pytest.approx([30 * (at >= 0).sum()])
    assert usage(land["land:park"], at) == pytest.approx([30 * (at == 1).sum()])


@settings(max_examples=8, deadline=None)
@given(
    needs=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    zone=st.integers(1, 150),
    park=st.integers(1, 150),
)
@pytest.mark.slow
def test_adding_a_park_in_a_zone_never_increases_what_the_zone_can_take(needs, zone, park):
    alone = run(country(), plants(*needs), known=known(X1=zone, X2=park), sites=["X1"])
    both = run(country(), plants(*needs), known=known(X1=zone, X2=park))
    assert (both.plan.site >= 0).sum() <= (alone.plan.site >= 0).sum()
    assert sum(need for need, at in zip(needs, both.plan.site, strict=True) if at >= 0) <= zone + 1e-6


def test_a_zone_that_nobody_chose_still_limits_its_park():
    result = run(country(), known=known(X1=30, X2=600), sites=["X2"])
    assert (result.plan.site >= 0).sum() == 1
    assert [(one.name, one.pools) for one in result.resources][:2] == [("land", ("X1",)), ("land:park", ("X2",))]
    free = run(country(zone=""), known=known(X2=600), sites=["X2"])
    assert (free.plan.site >= 0).all()


def test_a_zone_that_nobody_chose_has_the_interval_of_its_class():
    region = prepare(world.scenario(sites=["X2"]), country())
    assert region.bounds_of("available_land_ha", ["X1"]).tolist() == [[1.0, 4.0, 12.0]]
    assert set(tables.offers_table(region)["site"]) == {"X2"}


def test_a_park_has_no_more_than_its_zone_in_scores_and_rules():
    result = run(country(), known=known(X1=20, X2=600))
    assert result.region.offers["available_land_ha"][1] == pytest.approx([20 * MU] * 3)
    assert (result.drawn.offers["available_land_ha"][:, 1] <= 20 * MU + 1e-12).all()
    assert set(result.eligibility.rule.ravel()) == {"land_short"}
    less = run(country(), known=known(X1=600, X2=20))
    assert less.region.offers["available_land_ha"][:, 1] == pytest.approx([600 * MU, 20 * MU])


def test_the_draws_of_a_park_are_the_less_of_both_draw_by_draw():
    region = prepare(world.scenario(), country())
    at, zone = region.places["available_land_ha"][1], region.zone_places["available_land_ha"][1]
    drawn = region.offered(region.draws.T)["available_land_ha"][1]
    assert (drawn == np.minimum(region.draws[:, at], region.draws[:, zone])).all()
    assert (region.draws[:, at] > region.draws[:, zone]).any()


def test_the_check_names_the_pool_that_a_plan_overdraws():
    result = run(country(), known=known(X1=60, X2=45))
    (zone,) = verify(result.problem, np.array([0, 0, 1]))
    (park,) = verify(result.problem, np.array([1, 1, -1]))
    assert [one.fault.words("zh").where for one in (zone, park)] == ["用地，甲园（含园中园）", "园中园用地，乙园"]
    assert "超出 30" in zone.fault.words("zh").what
    assert "超出 15" in park.fault.words("zh").what


def test_tables_name_both_pools_and_count_land_once():
    result = run(country(), known=known(X1=90, X2=60))
    gauges = explanation.gauge_table(result).set_index(["resource", "pool"])
    assert gauges.loc[("land", "X1"), "pool_zh"] == "甲园（含园中园）"
    assert gauges.loc[("land:park", "X2"), "pool_zh"] == "乙园"
    assert tables.words_of("land:park", "zh") == ("园中园用地", "亩")
    offers = tables.offers_table(result.region)
    land = offers[offers["resource"] == "land"]
    assert land["within"].tolist() == ["", "X1"]
    assert tables.supply_totals(offers).loc["land", "likely"] == pytest.approx(90)
    assert set(explanation.feasibility_table(result)["resource"]) <= {
        "plan",
        "",
        "land",
        "land:park",
        "power",
        "energy",
    }


def test_who_stays_out_is_told_which_pool_is_short():
    result = run(country(), known=known(X1=60, X2=600), sites=["X2"])
    reason = tables.unplaced(result)["reason"].iloc[0]
    assert "用地（甲园（含园中园））还缺 30.0 亩" in reason


def test_another_amount_in_either_pool_can_be_tried():
    result = run(country(), known=known(X1=600, X2=30), locked=[{"project": "P01", "site": "X2"}])
    more = pool_scenario(result, resource="land:park", pool="X2", amount=90, source="试算")
    row = next(one for one in more.known if one.subject == "X2")
    assert (row.attribute, row.likely) == ("available_land_ha", pytest.approx(6))
    assert explanation.pool_value(result, "land:park", "X2", 60.0)[0] >= 0


# ---- zones that aren't there ----


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        (country(zone="X9"), "supply.zone_unknown"),
        (country(zone="X2"), "supply.zone_in_zone"),
    ],
)
def test_a_zone_that_cannot_be_is_refused_by_name(layers, code):
    with pytest.raises(InputError) as refusal:
        prepare(world.scenario(), layers)
    (fault,) = refusal.value.faults
    assert (fault.code, fault.place.row, fault.place.entry) == (code, 3, "X2")


def test_a_standard_factory_is_no_zone_and_a_zone_lies_in_none():
    sites = pd.DataFrame(
        {
            "id": ["A", "B", "C", "D"],
            "site_class": ["national_zone", "park_in_zone", "park_in_zone", "standard_factory"],
            "zone_id": [None, "A", "B", "A"],
        }
    )
    assert [fault.code for fault in pools.zone_faults(sites)] == ["supply.zone_in_zone"]
    assert [fault.code for fault in pools.zone_faults(sites.assign(zone_id=[None, "A", "D", "A"]))] == [
        "supply.zone_without_land"
    ]
    assert pools.zone_faults(sites.assign(zone_id=[None, "A", "A", "B"])) == [], "a factory may stand in a park"
    assert pools.zone_of(sites.drop(columns="zone_id")).tolist() == [""] * 4


def test_layers_without_zones_are_as_they_were():
    result = run(world.layers())
    assert [one.name for one in result.resources] == ["land", "power", "energy"]
    assert "available_floor_m2" not in result.region.places
    assert set(tables.offers_table(result.region)["resource"]) == {"land", "power", "energy"}
    assert list(tables.supply_totals(tables.offers_table(result.region)).index) == ["land", "power", "energy"]


# ---- standard factories ----


def lidar(count: int = 3, **given: str) -> pd.DataFrame:
    row = {"segment": "lidar", "output_100m_yuan": "1", "land_mu": "30", "floor_m2": "4000", "energy_gwh": "1"}
    return portfolio.check(pd.DataFrame([row | {"power_mva": "1"} | given] * count))


def test_a_factory_takes_floor_and_no_land():
    result = run(with_factory(), lidar(), known=[*known(X1=0.1), floor(8000)])
    assert result.plan.site.tolist().count(1) == 2
    assert result.violations == ()
    land, room = (next(one for one in result.resources if one.name == name) for name in ("land", "floor"))
    assert (land.pools, room.pools) == (("X1",), ("X2",))
    assert usage(land, result.plan.site).tolist() == [0]
    assert usage(room, result.plan.site).tolist() == [8000]
    placed = tables.assignment(result)
    assert placed[["land_mu", "floor_m2"]].to_numpy().tolist() == [[0, 4000]] * 2
    assert "标准厂房（乙园）还缺 4,000.0 平方米" in tables.unplaced(result)["reason"].iloc[0]


def test_a_plan_that_fills_a_factory_twice_is_caught():
    result = run(with_factory(), lidar(), known=[floor(8000)])
    (broken,) = verify(result.problem, np.array([1, 1, 1]))
    assert broken.fault.words("zh").where == "标准厂房，乙园"
    assert "12000 平方米" in broken.fault.words("zh").what


def test_floor_to_let_is_a_share_of_what_a_source_states():
    region = prepare(world.scenario(), with_factory())
    prior = catalog.attributes()["available_floor_m2"].priors[0]
    assert prior.low == 0, "nobody says that any is vacant"
    assert region.offers["available_floor_m2"][1] == pytest.approx([0, prior.likely * 20000, prior.high * 20000])
    assert np.isnan(region.offers["available_floor_m2"][0]).all()
    assert np.isnan(region.offers["available_land_ha"][1]).all()
    assert region.sites["station"].tolist() == ["G1", "G1"]


@pytest.mark.parametrize("segment", list(catalog.segments()))
def test_who_may_go_to_a_factory(segment):
    declared = catalog.segments()[segment]
    assert declared.standard_factory_reason, "each says why"
    assert not (declared.standard_factory and declared.hazardous_process)
    result = run(with_factory(), lidar(1, segment=segment, output_100m_yuan="0.1", max_minutes="600"))
    rule, reason = result.eligibility.rule[0, 1], result.eligibility.reason["zh"][0, 1]
    assert rule == ("" if declared.standard_factory else "factory_unfit")
    assert declared.standard_factory or declared.standard_factory_reason.zh in reason
    assert result.eligibility.rule[0, 0] != "factory_unfit"


def test_a_project_larger_than_the_factory_is_refused_with_both_numbers():
    result = run(with_factory(), lidar(1, floor_m2="30000"))
    assert result.eligibility.rule[0].tolist() == ["", "floor_short"]
    assert "30,000" in result.eligibility.reason["zh"][0, 1]
    assert "10,000" in result.eligibility.reason["zh"][0, 1]


def test_land_cover_of_a_factory_is_floor_over_floor_and_its_price_is_unknown():
    result = run(with_factory(), lidar(), known=[floor(8000)])
    cover = list(result.decision.criteria).index("land_cover")
    assert result.decision.natural[0, 1, cover] == pytest.approx(2.0)
    price = list(result.decision.criteria).index("land_price")
    assert np.isnan(result.decision.natural[0, 1, price])
    assert result.decision.value[0, 1, price] == 0.5
    assert coverage_ratio("land", result.drawn)[:, :, 1] == pytest.approx(2.0)
    evidence, source = result.region.evidence
    at = list(catalog.criteria()).index("land_cover")
    assert evidence[1, at] == "reported"
    assert source[1, at] == "电话"


def test_standard_land_thresholds_do_not_apply_to_a_factory():
    sites = pd.DataFrame(
        {"id": ["E01", "E01F"], "zone_id": ["", "E01"], "site_class": ["national_zone", "standard_factory"]}
    )
    checks = standard_land.door_checks(lidar(1, investment_100m_yuan="0.1"), sites, datetime.date(2026, 11, 30))
    assert checks.known.tolist() == [True, False]
    assert checks.result[0].tolist() == ["fail", "unknown"]
    assert checks.sentence(0, 1, "zh") == standard_land.NO_LAND.zh
    assert checks.sentences_of(np.array([0]), np.array([1]), "en")[0] == standard_land.NO_LAND.en


def test_floor_and_land_of_a_plant_agree():
    from_land, from_floor, stated = (
        lidar(1, **given)
        for given in ({"floor_m2": ""}, {"land_mu": "", "floor_m2": "20000"}, {"land_mu": "9", "floor_m2": "7000"})
    )
    low, high = catalog.segments()["lidar"].plot_ratio
    per_mu = 10000 / 15
    ratio = np.sqrt(low * high)
    assert from_land["floor_m2_likely"].iloc[0] == pytest.approx(30 * per_mu * ratio)
    assert from_floor["land_mu_likely"].iloc[0] == pytest.approx(20000 / per_mu / ratio)
    assert stated[["land_mu_likely", "floor_m2_likely"]].iloc[0].tolist() == [9, 7000]


def test_the_switching_value_of_a_factory_is_in_square_metres():
    from geo_cluster.intake import site_choice

    region = prepare(world.scenario(known=[*known(X1=600), floor(4000)]), with_factory())
    (choice,) = site_choice.choices(region, lidar(1))
    assert choice.factories == {"X2"}
    weight = np.array([float(key == "land_cover") for key in catalog.criteria()])
    weighed = site_choice.Weighed(choice, weight, weight)
    found = site_choice.switching_value(weighed, 0, 1)
    assert (found["datum"], found["unit_zh"]) == ("available_floor_m2", "平方米")


# ---- with years, and with stations of one's own ----


def arrival(site: str, mu: float, year: int) -> dict:
    ends = dict.fromkeys(("low", "likely", "high"), mu * MU)
    return {"subject": site, "attribute": "available_land_ha", **ends, "year": year, "source": "园区 2026-05"}


DAY = datetime.date(2026, 6, 1)


@pytest.mark.parametrize(("site", "placed"), [("X1", True), ("X2", False)])
def test_more_land_of_the_zone_lets_a_park_take_what_it_has_itself(site, placed):
    given = {"known": known(X1=10, X2=100), "forbidden": [{"project": "P01", "site": "X1"}], "day": DAY}
    plant = world.projects(1, land_mu="30", year="2029")
    result = run(country(), plant, arrivals=[arrival(site, 50, 2028)], **given)
    assert (result.plan.site == [1 if placed else -1]).all()
    assert not result.violations
    early = run(country(), world.projects(1, land_mu="30", year="2027"), arrivals=[arrival(site, 50, 2028)], **given)
    assert (early.plan.site == -1).all()


def test_a_park_that_gets_land_later_has_a_pool_of_the_year_before():
    early, late = (world.projects(count, land_mu="20", year=year) for count, year in ((2, "2026"), (1, "2029")))
    plants = pd.concat([early, late]).set_axis(["P01", "P02", "P03"])
    given = {"known": known(X1=100, X2=30), "forbidden": [{"project": one, "site": "X1"} for one in plants.index]}
    result = run(country(), plants, arrivals=[arrival("X2", 30, 2028)], day=DAY, **given)
    names = [one.name for one in result.problem.resources]
    assert "land:park@2027" in names and "land@2027" not in names
    assert sorted(result.plan.site.tolist()) == [-1, 1, 1] and result.plan.site[2] == 1
    assert not result.violations
    assert tables.words_of("land:park@2027", "en")[0] == f"{catalog.offer_of('land:park').en} by the end of 2027"
    breaking = explanation.feasibility_table(result)
    assert not breaking["resource"].str.startswith("land").any(), "its land is known for sure"
    known_years = over_time.pool_years(result).set_index(["resource", "pool", "year"])["planned"]
    assert known_years["land:park", "X2", 2027] == pytest.approx(30)
    assert known_years["land:park", "X2", 2028] == pytest.approx(60)
    assert known_years["land", "X1", 2028] == pytest.approx(100)


def test_the_stations_of_a_zone_feed_its_factory():
    layers = with_factory()
    layers["sites"]["stations"] = ["G1", ""]
    second = layers["substations"].assign(id="G2")
    layers["substations"] = pd.concat([layers["substations"], second], ignore_index=True)
    layers["substations"]["feeds_sites"] = ["", "X1"]
    sites = prepare(world.scenario(), layers).sites
    assert sites["station"].tolist() == ["G1", "G1"]
    assert sites["independent_feeds"].tolist() == [2, 2]
    assert zones_of_areas(sites.assign(station=supply_area(sites)), supply_area(sites)) == {supply_area(sites)[0]: 1}
