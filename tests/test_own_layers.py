"""Layers of one's own: what they lack is said or filled in, never a number that is quietly wrong."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo_cluster import study
from geo_cluster.errors import InputError
from geo_cluster.export import attribution
from geo_cluster.region import prepare
from geo_cluster.supply.pools import with_prefecture
from geo_cluster.world import sources
from tests import world


def refused(layers: dict[str, pd.DataFrame], **changes: object) -> list[tuple[str, str]]:
    """Code of each fault, and the row that it is of."""
    with pytest.raises(InputError) as refusal:
        prepare(world.scenario(**changes), layers)
    return [(fault.code, fault.place.entry) for fault in refusal.value.faults]


@pytest.mark.parametrize("name", ["chain", "substations", "ports", "airports", "stations", "observations"])
def test_a_layer_may_be_empty(name):
    layers = world.layers()
    layers[name] = layers[name].iloc[:0].copy()
    result = study.run(world.scenario(draws=20), layers, projects=world.projects(1))
    assert result.violations == ()
    assert attribution.attribution(result)


def test_nothing_is_counted_in_an_empty_table():
    empty = pd.DataFrame({"source": pd.Series(dtype=str), "source_is_copy": pd.Series(dtype=str)})
    assert sources.tally([empty]) == (0, 0, 0, 0, 0)


def test_no_site_is_refused():
    layers = world.layers()
    layers["sites"] = layers["sites"].iloc[:0].copy()
    assert refused(layers) == [("world.no_site", "")]


def test_sites_without_place_or_prefecture_are_refused_at_once():
    layers = world.layers()
    layers["sites"].loc[0, "geometry"] = None
    layers["sites"].loc[1, "prefecture_code"] = ""
    assert refused(layers) == [("world.site_without_place", "X1"), ("world.site_without_prefecture", "X2")]
    assert [site for _, site in refused(layers, sites=["X2"])] == ["X2"]


def test_a_prefecture_left_empty_is_that_of_the_county():
    layers = world.layers()
    layers["sites"]["county_code"] = ["420704", "420704"]
    before = prepare(world.scenario(), layers)
    layers["sites"]["prefecture_code"] = ["", np.nan]
    after = prepare(world.scenario(), layers)
    assert after.sites["prefecture_code"].tolist() == [world.PREFECTURE] * 2
    pd.testing.assert_frame_equal(after.observations, before.observations)


def test_a_county_that_is_none_gives_no_prefecture():
    sites = gpd.GeoDataFrame({"id": ["X1"], "prefecture_code": [""], "county_code": ["华容区"]})
    assert with_prefecture(sites)["prefecture_code"].tolist() == [""]


def test_an_id_of_a_shipped_place_means_that_place():
    layers = world.layers()
    layers["sites"]["id"] = ["E01", "S01"]  # E01 is within 20 km of where it stands here, S01 is 350 km away
    assert refused(layers) == [("world.id_of_another_place", "S01")]
    layers["sites"]["id"] = ["E01", "X2"]
    assert prepare(world.scenario(), layers).sites["id"].tolist() == ["E01", "X2"]
