"""What arrives when: pools over the years, plans that keep every year, who comes later, what a plan depends on."""

from __future__ import annotations

import datetime
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster import study, toml
from geo_cluster.domain import Scenario
from geo_cluster.eligibility import FEEDS
from geo_cluster.errors import InputError
from geo_cluster.export.csv_tables import csv_tables
from geo_cluster.export.phone_list import phone_list
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import LEVELS, Resource
from geo_cluster.matching.solve import solve
from geo_cluster.matching.verify import objective, usage, verify
from geo_cluster.matching.years import Arriving, by_year, capacity_in, year_violations
from geo_cluster.region import area_class, prepare
from geo_cluster.report import explanation, over_time, tables, what_if
from geo_cluster.report.questions import structural_questions
from geo_cluster.supply.arrivals import station_years
from geo_cluster.supply.serving_station import zones_of_areas
from geo_cluster.world import catalog
from tests import world

DAY, FIRST = datetime.date(2026, 6, 1), 2026
AREA = f"A{world.PREFECTURE}"


def scenario(**changes: object) -> Scenario:
    return world.scenario(day=DAY, **changes)


def arrival(**changes: object) -> dict:
    row = {"subject": "G1", "attribute": "spare_mva", "low": 10.0, "likely": 20.0, "high": 30.0, "year": 2028}
    return row | {"source": "供电公司 2026-05"} | changes


def power(low: float, likely: float, high: float) -> dict:
    """What G1 can spare today."""
    return {"subject": "G1", "attribute": "spare_mva", "low": low, "likely": likely, "high": high, "source": "x"}


def with_station(**more: object) -> dict[str, pd.DataFrame]:
    """The tiny country with a second station, G2, that feeds both sites."""
    layers = world.layers()
    row = {"id": "G2", "name_zh": "二号站", "name_en": "Station two", "kind": "substation", "voltage_kv": 220.0}
    row |= {"prefecture_code": world.PREFECTURE, "at": world.C, "status": "planned", "feeds_sites": "X1;X2"}
    layers["substations"] = pd.concat([layers["substations"], world.points([row | more])], ignore_index=True)
    layers["substations"] = layers["substations"].assign(planned_from=["", more.get("planned_from", "")])
    layers["substations"]["feeds_sites"] = layers["substations"]["feeds_sites"].fillna("")
    return layers


# ---- the years of a problem ------------------------------------------------------------------------------------


@st.composite
def tiny(draw):
    """Two sites, a pool each or one for both; up to four projects and three arrivals."""
    count = draw(st.integers(1, 4))
    whole = st.integers(0, 6)
    ends = st.lists(whole, min_size=3, max_size=3).map(sorted).map(lambda one: np.array(one, dtype=float))
    years = st.lists(st.integers(FIRST - 1, 2030), min_size=3, max_size=3).map(sorted).map(np.array)
    pool = np.array(draw(st.sampled_from([[0, 0], [0, 1], [1, 0], [0, -1]])))
    capacity = np.array([draw(ends), draw(ends)])
    demand = np.array(draw(st.lists(whole, min_size=count, max_size=count)), dtype=float)
    resource = Resource("power", "MVA", demand, pool, capacity, pools=("a", "b"))
    arriving = draw(st.lists(st.builds(Arriving, st.integers(0, 1), ends, years), max_size=3))
    begins = np.array(draw(st.lists(st.integers(FIRST, 2030), min_size=count, max_size=count)))
    score = np.array(
        draw(st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=2), min_size=count, max_size=count))
    )
    return resource, arriving, begins, score.astype(float), draw(st.sampled_from(LEVELS))


def fits(resources, site, level) -> bool:
    return all((usage(one, site) <= one.at(level) + 1e-9).all() for one in resources)


@settings(deadline=None, max_examples=60)
@given(tiny())
def test_a_plan_fits_the_years_of_the_problem_exactly_if_it_fits_every_year_by_itself(case):
    resource, arriving, begins, _, level = case
    found = by_year(resource, arriving, begins, level=level, first=FIRST)
    years = range(FIRST, int(begins.max()) + 1)
    for plan in product((-1, 0, 1), repeat=len(begins)):
        site = np.array(plan)
        wrong = year_violations(resource, arriving, begins, site, level=level, years=years)
        assert fits(found, site, level) == (not wrong)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(tiny())
def test_the_best_plan_over_years_is_that_of_brute_force(case):
    resource, arriving, begins, score, level = case
    found = by_year(resource, arriving, begins, level=level, first=FIRST)
    problem = Problem(np.zeros_like(score), found[:0], level=level).suppose(score=score, resources=found)
    years = range(FIRST, 2031)
    best = max(
        objective(problem, np.array(plan))
        for plan in product((-1, 0, 1), repeat=len(begins))
        if not year_violations(resource, arriving, begins, np.array(plan), level=level, years=years)
    )
    plan = solve(problem, time_limit_s=5)
    assert plan.objective == pytest.approx(best)
    assert verify(problem, plan) == ()


@settings(deadline=None, max_examples=60)
@given(tiny(), st.integers(1, 3))
def test_a_later_year_never_has_less_and_a_later_arrival_never_helps(case, years_later):
    resource, arriving, begins, _, level = case
    before = capacity_in(resource.capacity, arriving, FIRST)
    for year in range(FIRST + 1, 2032):
        now = capacity_in(resource.capacity, arriving, year)
        assert (now >= before).all()
        assert (np.diff(now, axis=1) >= 0).all()
        before = now
    late = [replace(one, year=one.year + years_later) for one in arriving]
    soon, slow = (by_year(resource, each, begins, level=level, first=FIRST) for each in (arriving, late))
    for plan in product((-1, 0, 1), repeat=len(begins)):
        assert fits(soon, np.array(plan), level) or not fits(slow, np.array(plan), level)


def test_the_cautious_level_has_the_least_in_the_latest_year():
    one = Arriving(0, np.array([1.0, 2.0, 3.0]), np.array([2027, 2028, 2029]))
    assert [one.at(level) for level in LEVELS] == [(1.0, 2029), (2.0, 2028), (3.0, 2027)]


# ---- a study over years ----------------------------------------------------------------------------------------


def test_without_arrivals_years_change_nothing():
    dated = study.run(scenario(), world.layers(), projects=world.projects(4, year="2029", power_year="2028"))
    plain = study.run(scenario(), world.layers(), projects=world.projects(4))
    for one, other in zip(dated.problem.resources, plain.problem.resources, strict=True):
        assert (one.name, one.pools) == (other.name, other.pools)
        for part in ("demand", "pool", "capacity"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
    np.testing.assert_array_equal(dated.problem.score, plain.problem.score)
    assert [one.name for one in plain.problem.resources] == ["land", "power", "energy"]  # no floor, as no factory
    assert plain.region.arrivals.empty


def test_scenarios_without_the_new_fields_keep_their_id():
    old = catalog.scenario("default")
    assert old.id == "f3e217fb7a73"
    assert old.model_copy(update={"dual_supply": "required"}).id != old.id
    assert scenario(arrivals=[arrival()]).id != scenario().id


def test_power_binds_until_it_arrives_and_is_there_from_its_year_on():
    """15 MVA now, 20 more from 2028: of three projects of 10 MVA one may begin in 2027, three have room by 2028."""
    now = {"known": [power(15, 15, 15)], "arrivals": [arrival()]}
    early = study.run(scenario(**now), world.layers(), projects=world.projects(3, year="2027"))
    assert (early.plan.site >= 0).sum() == 1, "nothing arrives before anybody begins"
    late = study.run(scenario(**now), world.layers(), projects=world.projects(3, year="2028"))
    assert (late.plan.site >= 0).sum() == 3
    mixed = world.projects(3, year="2027")
    mixed["year"] = pd.array([2027, 2027, 2028], dtype="Int64")
    result = study.run(scenario(**now), world.layers(), projects=mixed)
    assert [one.name for one in result.problem.resources] == ["land", "power", "energy", "power@2027"]
    assert (result.plan.site >= 0).tolist().count(True) == 2
    assert result.plan.site[2] >= 0
    assert result.violations == ()
    years = over_time.pool_years(result).set_index(["resource", "pool", "year"])
    assert years.loc[("power", "G1")]["planned"].tolist() == [15, 15, 35]
    assert years.loc[("power", "G1")]["used"].tolist() == [0, 10, 20]


@pytest.mark.parametrize(("level", "placed"), [("cautious", 1), ("likely", 3), ("hopeful", 3)])
def test_each_level_plans_with_its_year(level, placed):
    said = arrival(year_low=2027, year_high=2029, low=20.0)
    given_ = {"known": [power(15, 15, 15)], "arrivals": [said], "planning_level": level}
    result = study.run(scenario(**given_), world.layers(), projects=world.projects(3, year="2028"))
    assert (result.plan.site >= 0).sum() == placed


def test_power_is_needed_from_its_own_year_and_unknown_years_count_from_the_first():
    now = {"known": [power(15, 15, 15)], "arrivals": [arrival()]}
    waits = world.projects(3, year="2029", power_year="2027")
    assert (study.run(scenario(**now), world.layers(), projects=waits).plan.site >= 0).sum() == 1
    nobody_says = study.run(scenario(**now), world.layers(), projects=world.projects(3))
    assert (nobody_says.plan.site >= 0).sum() == 1
    assert tables.assignment(nobody_says)["from_year"].tolist() == [FIRST]


@pytest.mark.parametrize(
    ("attribute", "subject", "need"),
    [("available_land_ha", "X1", {"land_mu": "20"}), ("energy_quota_tce", world.PREFECTURE, {"energy_gwh": "80"})],
)
def test_land_and_quota_arrive_too(attribute, subject, need):
    """Land of X1 likely 60 mu, 30,000 tce: three projects of 20 mu and 9,832 tce begin in 2027, four from 2028 on."""
    more = {"available_land_ha": 4.0, "energy_quota_tce": 20_000.0}[attribute]
    said = arrival(subject=subject, attribute=attribute, low=more, likely=more, high=more)
    counts = []
    for year in ("2027", "2028"):
        projects = world.projects(4, year=year, **({"land_mu": "5"} | need))
        result = study.run(scenario(arrivals=[said], sites=("X1",)), world.layers(), projects=projects)
        assert result.violations == ()
        counts.append((result.plan.site >= 0).sum())
    assert counts == [3, 4]


def test_who_is_left_out_is_told_from_when_it_would_fit_and_then_it_does():
    now = {"known": [power(15, 15, 15)], "arrivals": [arrival()], "sites": ("X1",)}
    projects = world.projects(2, year="2027")
    result = study.run(scenario(**now), world.layers(), projects=projects)
    (row,) = tables.unplaced(result).to_dict("records")
    assert (row["later_year"], row["later_site"]) == (2028, "X1")
    assert "2028年起" in row["later"] and "from 2028 on" in row["later_en"]
    moved = projects.copy()
    moved.loc[row["project"], "year"] = 2028
    after = study.run(scenario(**now), world.layers(), projects=moved)
    assert (after.plan.site >= 0).all(), "carried out, it comes true"
    assert (
        study.run(scenario(**(now | {"arrivals": []})), world.layers(), projects=projects).plan.site.tolist().count(-1)
    )


def test_nothing_is_said_of_later_where_no_year_helps():
    result = study.run(scenario(known=[power(15, 15, 15)]), world.layers(), projects=world.projects(2, year="2027"))
    assert tables.unplaced(result)["later"].tolist() == [""]
    assert tables.unplaced(result)["later_year"].isna().all()


def test_the_independent_check_finds_what_a_year_lacks():
    now = {"known": [power(15, 15, 15)], "arrivals": [arrival()]}
    projects = world.projects(2, year="2027")
    good = study.run(scenario(**now), world.layers(), projects=projects)
    both = replace(good.plan, site=np.array([0, 0]), objective=1.0, bound=1e9)
    found = study.run(scenario(**now), world.layers(), projects=projects, plan=both).violations
    assert any(one.fault.code == "matching.overdrawn_in_year" for one in found)


def test_the_chance_of_a_plan_draws_the_year():
    """A project of 10 MVA in 2028 with nothing there but what may arrive in 2027, 2028 or 2029."""
    said = arrival(low=10.0, likely=10.0, high=10.0, year_low=2027, year_high=2029)
    zero = power(0, 0, 0)
    result = study.run(
        scenario(known=[zero], arrivals=[said], draws=2000),
        world.layers(),
        projects=world.projects(1, year="2028", land_mu="5"),
    )
    assert (result.plan.site >= 0).all()
    breaks = explanation.feasibility_table(result)["breaks"].iloc[0]
    assert breaks == pytest.approx(0.125, abs=0.02), "the triangle beyond 2028.5"
    by_2029 = study.run(
        scenario(known=[zero], arrivals=[said]), world.layers(), projects=world.projects(1, year="2029", land_mu="5")
    )
    assert explanation.feasibility_table(by_2029)["breaks"].iloc[0] == 0


def test_a_placement_option_of_a_year_can_be_carried_out():
    now = {"known": [power(15, 15, 15)], "arrivals": [arrival()], "sites": ("X1",)}
    projects = world.projects(3, year="2027")
    projects["year"] = pd.array([2027, 2027, 2028], dtype="Int64")
    result = study.run(scenario(**now), world.layers(), projects=projects)
    out = result.projects.index[result.plan.site < 0][0]
    option = next(one for one in explanation.placement_options_of(result, out) if one.more)
    assert "2027年底前" in explanation.option_row(result, option)["way"]
    settings = what_if.option_settings(result, option, source="试算")
    after = study.run(result.scenario.model_copy(update=settings), world.layers(), projects=projects)
    assert (after.plan.site >= 0).all()
    assert after.violations == ()


def test_another_amount_of_a_pool_is_that_with_what_arrives():
    result = study.run(
        scenario(known=[power(15, 15, 15)], arrivals=[arrival()]),
        world.layers(),
        projects=world.projects(2, year="2029"),
    )
    trial = what_if.pool_scenario(result, resource="power", pool="G1", amount=50.0, source="x")
    after = study.run(trial, world.layers(), projects=world.projects(2, year="2029"))
    pools = tables.pools(after).set_index(["resource", "pool"])
    assert pools.loc[("power", "G1"), "planned"] == 50


# ---- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"year": 2025}, "world.arrived_before"),
        ({"year_low": 2020}, "world.arrived_before"),
        ({"attribute": "trip_min"}, "world.does_not_arrive"),
        ({"subject": "G7"}, "world.arrives_for_nobody"),
        ({"subject": "X1"}, "world.arrives_for_nobody"),
        ({"attribute": "available_land_ha", "subject": "G1"}, "world.arrives_for_nobody"),
    ],
)
def test_what_cannot_arrive_is_refused_by_name(changes, code):
    with pytest.raises(InputError) as refusal:
        prepare(scenario(arrivals=[arrival(**changes)]), world.layers())
    assert code in {fault.code for fault in refusal.value.faults}


@pytest.mark.parametrize(
    "changes",
    [{"low": 30.0}, {"year_low": 2029}, {"year_high": 2027}, {"year": 1999}, {"year": "soon"}, {"source": ""}],
)
def test_an_arrival_out_of_order_is_refused(changes):
    with pytest.raises(InputError):
        scenario(arrivals=[arrival(**changes)])


def test_projects_of_years_gone_by_are_refused_all_at_once():
    projects = world.projects(2, year="2025", power_year="2024")
    with pytest.raises(InputError) as refusal:
        study.run(scenario(portfolio="own.csv"), world.layers(), projects=projects)
    assert [fault.code for fault in refusal.value.faults] == ["world.project_before"] * 4
    past = scenario(portfolio="own.csv").model_copy(update={"day": datetime.date(2024, 1, 1)})
    assert study.run(past, world.layers(), projects=projects).plan is not None


# ---- stations --------------------------------------------------------------------------------------------------


def test_a_station_to_come_adds_to_the_pool_of_the_sites_that_it_feeds_from_its_date():
    layers = with_station(planned_from="2028-03-01", source_class="user")
    result = study.run(
        scenario(known=[power(15, 15, 15)]), layers, projects=world.projects(6, year="2028", power_mva="10")
    )
    (row,) = result.region.arrivals.to_dict("records")
    assert (row["subject"], row["station"]) == ("G1", "G2")
    assert [row[f"year_{end}"] for end in ("low", "likely", "high")] == [2028] * 3, "the planner's own date"
    assert [row[end] for end in ("low", "likely", "high")] == [0, 60, 160], "the prior of what isn't confirmed"
    assert (result.plan.site >= 0).sum() == 6
    assert all("二号站2028年投运" in one for one in tables.assignment(result)["conditions"])
    assert "二号站2028年投运" in tables.assignment(result)["conditions"].iloc[0]
    assert (
        study.run(scenario(known=[power(15, 15, 15)]), layers, projects=world.projects(6, year="2027")).plan.site >= 0
    ).sum() == 1
    cautious = scenario(known=[power(15, 15, 15)], planning_level="cautious")
    assert (study.run(cautious, layers, projects=world.projects(6, year="2040")).plan.site >= 0).sum() == 1


def test_a_station_that_a_source_only_plans_slips_and_never_comes_before_the_day_of_the_study():
    table, sites = toml.table("arrivals"), world.layers()["sites"].assign(station=AREA)
    layer = with_station(planned_from="2020-05", status="unknown")["substations"]
    found = station_years(sites, layer, day=datetime.date(2026, 11, 30), table=table)
    assert found.iloc[0].tolist() == ["G2", AREA, 2026, 2027, 2028]
    in_2029 = layer.assign(planned_from=["", "2029-06-30"])
    found = station_years(sites, in_2029, day=DAY, table=table)
    assert found.iloc[0].tolist() == ["G2", AREA, 2029, 2030, 2031]
    assert station_years(sites, layer.assign(planned_from=""), day=DAY, table=table).empty
    assert station_years(sites, layer.assign(status="operating"), day=DAY, table=table).empty
    assert station_years(sites, layer.assign(feeds_sites=""), day=DAY, table=table).empty
    assert station_years(sites, layer.assign(voltage_kv=500.0), day=DAY, table=table).empty


def test_what_the_planner_says_of_a_station_replaces_what_is_assumed():
    layers = with_station(planned_from="2020", status="unknown")
    said = arrival(subject="G2", year=2029)
    region = prepare(scenario(arrivals=[said]), layers)
    (row,) = region.arrivals.to_dict("records")
    assert (row["subject"], row["station"], row["likely"], row["year_likely"]) == ("G1", "G2", 20, 2029)
    amount, year = region.arrival_draws
    assert amount.min() >= 0
    assert set(year[:, 0]) == {2029}


def test_a_supply_area_has_more_with_more_zones_and_a_park_inside_one_is_none():
    sites = world.layers()["sites"].assign(stations="")
    area = np.array([AREA, AREA], dtype=object)
    assert zones_of_areas(sites, area) == {AREA: 2}
    assert zones_of_areas(sites.assign(site_class=["national_zone", "park_in_zone"]), area) == {AREA: 1}
    assert [area_class(count) for count in (0, 1, 2, 5, 9)] == ["unknown_feed"] * 2 + [
        f"unknown_feed_{count}" for count in (2, 5, 5)
    ]
    priors = {one.class_: one for one in catalog.attributes()["spare_mva"].priors}
    first, further = priors["unknown_feed"], priors["110"]
    for count in (2, 3, 4, 5):
        prior = priors[f"unknown_feed_{count}"]
        for end in ("low", "likely", "high"):
            assert getattr(prior, end) == getattr(first, end) + (count - 1) * getattr(further, end)


# ---- dual supply -----------------------------------------------------------------------------------------------


def test_dual_supply_is_a_condition_that_the_plan_names_until_two_feeds_are_known():
    chips = world.projects(1, segment="laser_chip", land_mu="20", power_mva="8")
    one = study.run(scenario(), world.layers(), projects=chips)
    row = tables.assignment(one).iloc[0]
    assert row["conditions"] == over_time.DUAL.zh
    assert row["conditions_en"] == over_time.DUAL.en
    two = study.run(scenario(), with_station(status="operating", source_class="b"), projects=chips)
    assert two.sites["independent_feeds"].tolist() == [FEEDS, FEEDS]
    assert tables.assignment(two)["conditions"].tolist() == [""]
    other = study.run(scenario(), world.layers(), projects=world.projects(1))
    assert tables.assignment(other)["conditions"].tolist() == [""], "other segments need one feed"


def test_dual_supply_can_be_required():
    chips = world.projects(1, segment="laser_chip", land_mu="20", power_mva="8")
    result = study.run(scenario(dual_supply="required"), world.layers(), projects=chips)
    assert (result.eligibility.rule == "single_feed").all()
    assert (result.plan.site < 0).all()
    assert "两路独立电源" in result.eligibility.reason["zh"][0, 0]
    known = study.run(scenario(dual_supply="required"), with_station(status="operating"), projects=chips)
    assert (known.plan.site >= 0).all()
    planned = study.run(scenario(dual_supply="required"), with_station(planned_from="2027"), projects=chips)
    assert (planned.plan.site < 0).all(), "a station to come is no feed yet"
    other = study.run(scenario(dual_supply="required"), world.layers(), projects=world.projects(1))
    assert (other.plan.site >= 0).all()


# ---- what to ask -----------------------------------------------------------------------------------------------


def test_what_is_no_number_is_asked_too():
    layers = with_station(planned_from="2027", status="unknown")
    layers["sites"] = layers["sites"].assign(stations=["G1", ""])
    region = prepare(scenario(), layers)
    table = structural_questions(region)
    assert dict(table.groupby("topic").size()) == {"dual": 2, "energised": 1, "feed": 1, "quota": 1}
    at = table.set_index("topic")
    assert (at.loc["feed", "subject"], at.loc["feed", "sites"]) == (AREA, "X2")
    assert (at.loc["energised", "subject"], at.loc["energised", "sites"]) == ("G2", "X1;X2")
    assert not table.map(lambda cell: "{" in str(cell)).to_numpy().any()
    for language in ("zh", "en"):
        listed = phone_list(tables.requests(study.run(scenario(), layers, projects=world.projects(2))), language, table)
        assert listed.iloc[-len(table) :, 3].tolist() == table[f"question_{language}"].tolist()
        assert listed.iloc[:, 0].tolist() == list(range(1, len(listed) + 1))


def test_the_files_say_when_on_what_and_what_to_ask():
    result = study.run(scenario(arrivals=[arrival()]), world.layers(), projects=world.projects(2, year="2029"))
    files = {name: content.decode("utf-8-sig") for name, content in csv_tables(result).items()}
    assert {"2026", "2027", "2028", "2029"} <= set(files["pool_years.csv"].replace("\n", ",").split(","))
    assert "from_year" in files["assignment.csv"].splitlines()[0]
    assert "能耗指标是否仍约束" in files["data_request.csv"]


def test_a_station_to_come_is_not_for_sites_that_it_does_not_feed():
    """Nothing now, G2 from 2028 on with 60 MVA for X1 alone: what goes to X2, on the same pool, gets none of it."""
    layers = with_station(planned_from="2028", source_class="user", feeds_sites="X1")
    given_ = {"known": [power(10, 10, 10)]}
    result = study.run(scenario(**given_), layers, projects=world.projects(6, year="2029", land_mu="20"))
    used = np.bincount(result.plan.site[result.plan.site >= 0], minlength=2)
    assert used.tolist() == [3, 1], "X1 has 60 mu of land, X2 10 MVA of power"
    assert result.violations == ()
    assert [one.name for one in result.problem.resources] == ["land", "power", "energy", "power~apart"]
    everybody = study.run(
        scenario(**given_),
        with_station(planned_from="2028", source_class="user"),
        projects=world.projects(6, year="2029", land_mu="20"),
    )
    assert (everybody.plan.site >= 0).all()
    sites = np.where(result.plan.site == 0, 0, 1)
    wrong = study.run(
        scenario(**given_),
        layers,
        projects=world.projects(6, year="2029", land_mu="20"),
        plan=replace(result.plan, site=sites),
    )
    assert any(one.fault.code == "matching.overdrawn_in_year" for one in wrong.violations)
    assert explanation.feasibility_table(result)["breaks"].iloc[0] < 1
    assert "新建站不供" in tables.words_of("power~apart", "zh")[0]
