"""Which station a site draws on, or which supply area while nobody knows the station, and how far it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from geo_cluster import study
from geo_cluster.domain import KnownBetter
from geo_cluster.errors import InputError
from geo_cluster.imports.observations import subjects
from geo_cluster.region import prepare
from geo_cluster.report import tables
from geo_cluster.supply.serving_station import area_names, distance_km, feeding_station
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers
from tests import world

AREA = f"A{world.PREFECTURE}"


def station(id_: str, at: tuple[float, float] = world.B, **more: object) -> dict:
    row = {"id": id_, "kind": "substation", "voltage_kv": 220.0, "prefecture_code": world.PREFECTURE, "at": at}
    return row | {"name_zh": id_, "name_en": id_, "status": "operating"} | more


def fed(stations: str, *rows: dict, unplaced: tuple[str, ...] = ()):
    """What X1 (at B) and X2 (at C) draw on, where a source names these stations for both."""
    layer = world.points(list(rows))
    layer.loc[layer["id"].isin(unplaced), "geometry"] = None
    return feeding_station(world.layers()["sites"].assign(stations=stations), layer, within_km=5)


def test_the_nearest_of_those_that_a_source_names():
    feed = fed("G2;G1", station("G1", world.B), station("G2", world.C))
    assert feed.station.tolist() == ["G1", "G2"]
    assert feed.km == pytest.approx([0, 0])
    far = fed("G2", station("G1", world.B), station("G2", world.C))
    assert far.station.tolist() == ["G2", "G2"]
    assert far.km[0] == pytest.approx(Geod(ellps="WGS84").inv(*world.B, *world.C)[2] / 1000)
    assert far.doubt_km == pytest.approx([0.2, 0.2]), "100 m of the site and 100 m of the station"


def test_nobody_is_fed_by_a_station_because_it_is_near():
    feed = fed("", station("G1", world.B))
    assert feed.station.tolist() == [AREA, AREA]
    assert np.isnan(feed.km).all()


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "converter"},
        {"voltage_kv": 1000.0},
        {"voltage_kv": 500.0},
        {"status": "planned"},
        {"status": "unknown"},
    ],
    ids=str,
)
def test_what_cannot_feed_a_zone_or_is_not_known_to_be_in_service_leaves_the_feed_unknown(other):
    assert fed("G9", station("G9", **other)).station.tolist() == [AREA, AREA]


def test_a_planner_may_say_that_a_station_feeds_a_site():
    mine = station("U01", status="unknown", voltage_kv=500.0, source_class="user")
    assert fed("U01", mine).station.tolist() == ["U01", "U01"]


def test_a_station_without_a_place_is_never_the_nearest_but_keeps_who_is_named_for_it():
    both = [station("G1", world.B), station("G2", world.B)]
    assert fed("G2;G1", *both, unplaced=("G2",)).station.tolist() == ["G1", "G1"]
    alone = fed("G2", *both, unplaced=("G2",))
    assert alone.station.tolist() == ["G2", "G2"]
    assert np.isnan(alone.km).all()


def test_no_distance_from_a_point_that_stands_for_a_city():
    feed = fed("G1", station("G1", coord_uncertainty_m=12000.0))
    assert feed.station.tolist() == ["G1", "G1"]
    assert np.isnan(feed.km).all()


def test_a_supply_area_goes_by_its_county_else_its_prefecture():
    sites = world.layers()["sites"].assign(county_code=["420704", ""], stations="")
    assert feeding_station(sites, world.points([station("G1")])).station.tolist() == ["A420704", AREA]
    counties = pd.DataFrame({"code": ["420704"], "name_zh": ["鄂城区"], "name_en": ["Echeng"]})
    names = area_names(sites, counties).set_index("id")
    assert names.loc["A420704", "name_zh"].startswith("鄂城区")
    assert "420700" in names.loc[AREA, "name_en"], "a code that no layer names goes by itself"


def test_a_supply_area_is_a_subject_wherever_a_station_is():
    layers = world.layers()
    layers["sites"]["stations"] = ""
    said = {"subject": AREA, "attribute": "spare_mva", "low": 25, "likely": 25, "high": 25, "source": "电话"}
    result = study.run(world.scenario(known=[said]), layers, projects=world.projects(3))
    assert result.facts.offers["spare_mva"][:, 1].tolist() == [25, 25]
    power = next(one for one in result.resources if one.name == "power")
    assert power.pools == (AREA,)
    assert (result.plan.site >= 0).sum() == 2, "three projects of 10 MVA, and 25 MVA in all"
    assert AREA in set(subjects(result.region)["id"])
    offers = tables.offers_table(result.region).query("resource == 'power'")
    assert offers["named"].tolist() == [False, False]
    assert offers["km"].isna().all()
    with pytest.raises(InputError, match="A999999"):
        prepare(world.scenario(known=[said | {"subject": "A999999"}]), layers)


def test_an_unknown_feed_has_a_prior_and_is_asked_for():
    layers = world.layers()
    layers["sites"]["stations"] = ""
    region = prepare(world.scenario(), layers)
    rows = region.observations.set_index(["site_id", "attribute"])
    spare, km = rows.loc[(AREA, "spare_mva")], rows.loc[("X1", "grid_km")]
    assert spare["basis"] == km["basis"] == "assumed"
    assert spare["low"] < spare["likely"] < spare["high"]
    assert km["low"] < km["likely"] < km["high"]
    question = catalog.attributes()["grid_km"].question
    assert "哪座" in question.zh and "Which" in question.en


def test_where_both_places_are_known_the_distance_is_derived_with_its_error():
    rows = prepare(world.scenario(), world.layers()).observations.set_index(["site_id", "attribute"])
    far = rows.loc[("X2", "grid_km")]
    km = Geod(ellps="WGS84").inv(*world.B, *world.C)[2] / 1000
    assert (far["low"], far["likely"], far["high"]) == pytest.approx((km - 0.2, km, km + 0.2))
    assert far["basis"] == "derived"
    assert rows.loc[("X1", "grid_km"), "low"] == 0, "never below nothing"


def test_somebody_may_say_how_far_it_is():
    said = KnownBetter(subject="X2", attribute="grid_km", low=3, likely=4, high=5, source="电话")
    region = prepare(world.scenario(known=[said.model_dump()]), world.layers())
    assert region.offers["grid_km"][1].tolist() == [3, 4, 5]


def test_named_stations_exist_and_every_site_of_the_three_prefectures_has_one():
    sites, stations = Layers().read("sites"), Layers().read("substations")
    known = set(stations["id"])
    assert all(set(text.split(";")) <= known for text in sites["stations"] if text)
    assert (feeding_station(sites, stations).station != "").all()


def test_a_missing_point_is_unknown():
    sites = world.layers()["sites"]
    sites.loc[0, "geometry"] = None
    assert np.isnan(distance_km(sites.geometry, sites.geometry)[0]).all()
