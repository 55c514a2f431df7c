"""Nothing unknown counts as none, zero, near or good."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster import study
from geo_cluster.domain import LANGUAGES
from geo_cluster.eligibility import UNCHECKED, constraints_checked
from geo_cluster.intake import site_choice
from geo_cluster.region import Region, facts_of, prepare, settings_of
from geo_cluster.report import tables
from geo_cluster.scoring.criteria import decide
from geo_cluster.world import catalog
from tests import world

Layers = dict[str, pd.DataFrame]


def region_of(layers: Layers, **changes: object) -> Region:
    return prepare(world.scenario(draws=50, **changes), layers)


def score_of(region: Region) -> np.ndarray:
    """(S,): score at the likely values of one project."""
    facts = facts_of(region, world.projects(1))
    return decide(*settings_of(region, facts), catalog.criteria(), {}).score[0]


def measures_of(region: Region) -> dict[str, list]:
    return {key: np.nan_to_num(rows, nan=-1).tolist() for key, rows in {**region.offers, **region.by_segment}.items()}


def constraints(checked: str | None, listed: str = "") -> tuple[list[float], str]:
    """Low, likely, high of the constraints of X1, and how they are known."""
    layers = world.layers()
    layers["sites"]["constraints"] = [listed, "lake"]
    layers["sites"]["constraints_checked"] = checked
    if checked is None:
        layers["sites"] = layers["sites"].drop(columns="constraints_checked")
    row = region_of(layers).observations.set_index(["site_id", "attribute"]).loc[("X1", "open_constraints")]
    return row[["low", "likely", "high"]].tolist(), row["basis"]


# ---- constraints --------------------------------------------------------------------------------------------------


def test_a_site_that_was_looked_into_has_what_is_listed():
    assert constraints("yes") == ([0, 0, 0], "derived")
    assert constraints("yes", "lake;flood") == ([2, 2, 2], "derived")


@pytest.mark.parametrize("checked", ["no", "partly", None])
def test_a_site_that_was_not_looked_into_has_an_interval_not_none(checked):
    (low, likely, high), basis = constraints(checked)
    assert (low, basis) == (0, "assumed")
    assert 0 < likely < high


@pytest.mark.slow
@given(st.sets(st.sampled_from(sorted(catalog.constraint_names())), max_size=7))
@settings(max_examples=12, deadline=None)
def test_there_are_at_least_as_many_as_are_listed_and_more_words_never_make_fewer(words):
    listed = sorted(words)
    (low, likely, high), _ = constraints("partly", ";".join(listed))
    assert low == len(listed) < likely < high
    (_, fewer, _), _ = constraints("partly", ";".join(listed[:-1]))
    assert fewer <= likely


def test_a_blank_never_beats_a_site_where_nothing_was_found():
    layers = world.layers()
    layers["sites"]["constraints"] = ""
    known = score_of(region_of(layers))
    layers["sites"]["constraints_checked"] = "no"
    assert (score_of(region_of(layers)) < known).all()


def test_own_layers_without_the_column_say_what_is_there_not_that_it_is_all():
    sites = world.layers()["sites"].drop(columns="constraints_checked").assign(constraints=["", "lake"])
    assert constraints_checked(sites).tolist() == ["no", "partly"]
    assert constraints_checked(sites.assign(constraints_checked=["yes", ""])).tolist() == ["yes", "partly"]


@pytest.mark.slow
def test_unchecked_constraints_are_drawn_asked_for_and_may_be_known():
    layers = world.layers()
    layers["sites"]["constraints_checked"] = ["no", "yes"]
    result = study.run(world.scenario(), layers, projects=world.projects(1))
    at = result.region.places["open_constraints"]
    assert np.ptp(result.region.draws[:, at], axis=0).tolist() == [pytest.approx(5, abs=1), 0]
    known = {"subject": "X1", "attribute": "open_constraints", "low": 1, "likely": 1, "high": 1, "source": "电话"}
    region = region_of(layers, known=[known])
    assert region.offers["open_constraints"][0].tolist() == [1, 1, 1]
    wanted = dict.fromkeys(catalog.criteria(), 0.0) | {"open_constraints": 1.0}
    asked = tables.requests(study.run(world.scenario(weights=wanted), layers, projects=world.projects(1)))
    assert asked.iloc[0][["subject", "attribute"]].tolist() == ["X1", "open_constraints"]


@pytest.mark.slow
def test_where_nobody_looked_no_rule_passes_in_silence():
    layers = world.layers()
    layers["sites"]["constraints_checked"] = ["no", "yes"]
    powder = study.run(world.scenario(draws=20), layers, projects=world.projects(1, segment="additive_powder"))
    plain = study.run(world.scenario(draws=20), layers, projects=world.projects(1))
    for language, column in zip(LANGUAGES, ("remark", "remark_en"), strict=True):
        said = tables.ranking(plain).set_index("site")[column]
        assert UNCHECKED["no"][language] in said["X1"]
        assert said["X2"] == ""
        assert tables.ranking(powder).set_index("site").loc["X1", column] != said["X1"], "it names the water source"
    assert "remark" in tables.assignment(plain)
    ranked = site_choice.ranking(site_choice.weigh(next(site_choice.choices(plain.region, plain.projects)), {}))
    assert ranked.set_index("site")["remark_en"].ne("").to_dict() == {"X1": True, "X2": False}


# ---- places -------------------------------------------------------------------------------------------------------


def added(layers: Layers, layer: str, row: dict, *, has_place: bool) -> Layers:
    """The layers with one row more."""
    more = world.points([row | {"at": world.B}])
    if not has_place:
        more["geometry"] = None
    both = pd.concat([layers[layer], more], ignore_index=True)
    return layers | {layer: both.fillna({"stage": "", "segments": "", "prefecture_code": "", "iata": ""})}


ENTITIES = {
    "chain": {"id": "F9", "kind": "platform", "stage": "support", "segments": "", "prefecture_code": ""},
    "ports": {"id": "Q9"},
    "airports": {"id": "WUH", "iata": "WUH"},
    "substations": {"id": "G9", "kind": "substation", "status": "operating", "voltage_kv": 220.0}
    | {"prefecture_code": world.PREFECTURE, "name_zh": "九号站", "name_en": "Station nine"},
    "supplier": {"id": "F9", "kind": "firm", "stage": "lasers", "segments": "fiber_laser", "prefecture_code": ""},
}


@pytest.mark.parametrize("kind", ENTITIES)
def test_a_thing_without_a_place_changes_no_measure(kind):
    layer = "chain" if kind == "supplier" else kind
    more = added(world.layers(), layer, ENTITIES[kind], has_place=False)
    assert measures_of(region_of(more)) == measures_of(region_of(world.layers()))


def test_with_a_place_it_would_have():
    more = added(world.layers(), "chain", ENTITIES["supplier"], has_place=True)
    assert measures_of(region_of(more)) != measures_of(region_of(world.layers()))


@pytest.mark.parametrize(("layer", "one"), [("chain", "F1"), ("ports", "Q1"), ("airports", "EHU")])
def test_taking_a_place_away_never_improves_a_score(layer, one):
    layers = added(world.layers(), "ports", {"id": "Q2"}, has_place=True)
    layers = added(layers, "airports", ENTITIES["airports"], has_place=True)
    gone = {**layers, layer: layers[layer].copy()}
    gone[layer].loc[gone[layer]["id"] == one, "geometry"] = None
    assert (score_of(region_of(gone)) <= score_of(region_of(layers)) + 1e-9).all()


def test_a_site_beside_its_station_is_not_as_near_once_nobody_knows_where_the_station_is():
    layers = world.layers()
    before = score_of(region_of(layers))[0]
    layers["substations"]["geometry"] = None
    region = region_of(layers)
    assert score_of(region)[0] < before
    assert region.sites["station"].tolist() == ["G1", "G1"], "it keeps who a source names for it"


def test_a_gate_that_stands_for_a_city_is_nearest_to_nothing_and_said_to_be_left_out():
    rough = ENTITIES["ports"] | {"coord_uncertainty_m": 8000.0}
    region = region_of(added(world.layers(), "ports", rough, has_place=True))
    near = region_of(added(world.layers(), "ports", ENTITIES["ports"], has_place=True))
    assert region.offers["river_min"].tolist() == region_of(world.layers()).offers["river_min"].tolist()
    assert near.offers["river_min"][0, 1] < region.offers["river_min"][0, 1]
    assert "另有 1 处" in region.criterion_notes["freight_minutes"].zh
    assert "另有" not in near.criterion_notes["freight_minutes"].zh


def test_a_supplier_known_by_district_counts_as_an_interval():
    """A firm at X1 whose point may be off by 40 km: there, or 40 minutes away."""
    rough = ENTITIES["supplier"] | {"coord_uncertainty_m": 40_000.0}
    region = region_of(added(world.layers(), "chain", rough, has_place=True))
    without = region_of(world.layers()).offers["supplier_access"]
    low, likely, high = region.offers["supplier_access"][0]
    assert likely == pytest.approx(without[0, 1] + 1)
    assert likely - low == pytest.approx(1 - 0.5 ** (40 / 60), rel=0.01)
    assert high - likely < 0.1, "nearer than at the gate it can't be"
    assert "1 家只知区县" in region.criterion_notes["supplier_access"].zh


def test_without_any_placed_gate_freight_is_unknown_not_near():
    layers = world.layers()
    layers["airports"]["geometry"] = None
    air = [segment.freight == "air" for segment in catalog.segments().values()]
    region = region_of(layers)
    assert np.isnan(region.offers["air_min"]).all()
    assert not np.isnan(region.offers["river_min"]).any()
    assert (region.by_segment["air_share"][:, 0] == np.array(air)).all(), "still by air, from nobody knows where"


def test_industries_that_nobody_states_are_unknown_not_unfit():
    layers = world.layers()
    layers["sites"]["industries_zh"] = ["", "食品"]
    fit = region_of(layers).by_segment["industry_fit"]
    assert np.isnan(fit[:, 0]).all()
    assert not np.isnan(fit[:, 1]).any()


# ---- the same assumption everywhere -------------------------------------------------------------------------------


def test_what_is_assumed_alike_at_every_site_is_marked_until_somebody_knows_one():
    region = region_of(world.layers())
    assert {"quota_cover", "land_price"} <= region.same_everywhere
    assert "grid_km" not in region.same_everywhere, "derived"
    assert "land_cover" not in region.same_everywhere, "the priors of two classes"
    assert "各园区同一假定" in region.criterion_notes["quota_cover"].zh
    assert "land_price" not in region_of(world.layers(), known=[world.price_known()]).same_everywhere


def test_one_site_alone_is_not_compared():
    assert region_of(world.layers(), sites=["X1"]).same_everywhere == frozenset()


def test_the_mark_is_in_tables_and_in_the_comparison():
    result = study.run(world.scenario(draws=20), world.layers(), projects=world.projects(1))
    marked = tables.contributions(result).query("same_everywhere")["criterion"]
    assert set(marked) == set(result.region.same_everywhere)
    choice = next(site_choice.choices(result.region, result.projects))
    table = site_choice.side_by_side(site_choice.weigh(choice, {}), list(choice.sites))
    assert set(table.query("same_everywhere")["criterion"]) == set(result.region.same_everywhere)


# ---- priors that are shares ---------------------------------------------------------------------------------------


def test_the_share_of_a_small_zone_is_not_taken_of_a_large_one():
    layers = world.layers()
    layers["sites"]["site_class"] = "provincial_zone"
    for area, share in ((100.0, 0.25), (1867.99, 0.15)):
        layers["observations"][["low", "likely", "high"]] = area
        assert region_of(layers).offers["available_land_ha"][0, 2] == pytest.approx(share * area)
