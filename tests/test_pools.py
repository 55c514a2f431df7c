"""Which station a site is counted to, and how far it is."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from geo_cluster.supply.serving_station import distance_km, feeding_station
from geo_cluster.world.layers import Layers
from tests import world


def station(id_: str, at: tuple[float, float], **more: object) -> dict:
    return {"id": id_, "kind": "substation", "voltage_kv": 220.0, "prefecture_code": world.PREFECTURE, "at": at} | more


def test_nearest_of_the_prefecture_unless_a_source_names_another():
    sites = world.layers()["sites"]
    stations = world.points([station("G1", world.B), station("G2", world.C)])
    assert feeding_station(sites, stations).station.tolist() == ["G1", "G2"]
    named = sites.assign(stations=["G2", "G2;G1"])
    feed = feeding_station(named, stations)
    assert feed.station.tolist() == ["G2", "G2"], "the named one, and the nearest of two named ones"
    assert feed.km[1] == pytest.approx(0)
    assert feed.km[0] == pytest.approx(Geod(ellps="WGS84").inv(*world.B, *world.C)[2] / 1000)


@pytest.mark.parametrize(
    "other", [{"kind": "converter"}, {"voltage_kv": 1000.0}, {"prefecture_code": "420200"}], ids=str
)
def test_converters_extra_high_voltage_and_other_prefectures_serve_nobody(other):
    feed = feeding_station(world.layers()["sites"], world.points([station("G9", world.B, **other)]))
    assert feed.station.tolist() == ["", ""]
    assert np.isnan(feed.km).all()


def test_named_stations_exist_and_every_site_of_the_three_prefectures_has_one():
    sites, stations = Layers().read("sites"), Layers().read("substations")
    known = set(stations["id"])
    assert all(set(text.split(";")) <= known for text in sites["stations"] if text)
    assert (feeding_station(sites, stations).station != "").all()


def test_a_missing_point_is_unknown():
    sites = world.layers()["sites"]
    sites.loc[0, "geometry"] = None
    assert np.isnan(distance_km(sites.geometry, sites.geometry)[0]).all()
