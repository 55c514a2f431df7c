"""Values on the map of sites: colours by class, unknown hollow, what is muted, and what the map is given."""

import json
from math import nan

import pytest

from geo_cluster import toml
from geo_cluster.maps import site_map
from geo_cluster.maps.site_map import Classes, Told
from geo_cluster.world.layers import Layers

SCORES = Classes("得分", (0, 60, 70, 80), unit="分", unknown="没有数据")


def test_a_value_takes_the_colour_of_its_class():
    laid = site_map.values_of({"a": 60, "b": 59.9, "c": 95, "d": -5}, SCORES)
    colours = [colour for colour, _ in laid["legend"]]
    found = {site: colours.index(one["color"]) for site, one in laid["sites"].items()}
    assert found == {"a": 1, "b": 0, "c": 3, "d": 0}
    assert [said for _, said in laid["legend"]] == ["0–60 分", "60–70 分", "70–80 分", "≥ 80 分"]
    shades = toml.table("style")["map"]["shades"]
    assert (colours[0], colours[-1]) == (shades[0], shades[-1])
    assert len(set(colours)) == len(colours)


def test_what_is_unknown_is_never_zero():
    laid = site_map.values_of({"a": None, "b": nan, "c": 0}, SCORES)
    assert [one["color"] == "" for one in laid["sites"].values()] == [True, True, False]
    assert laid["sites"]["a"]["text"] == "没有数据"
    assert laid["legend"][-1] == ["", "没有数据"]
    json.dumps(laid, allow_nan=False)


def test_marks_rows_and_muted_sites_reach_the_map():
    told = Told(marks={"a": "1"}, rows={"a": [("门到门", "45 分钟")]}, muted=["b"])
    laid = site_map.values_of({"a": 71.26, "b": 3}, Classes("x", (0,), digits=1), told=told, chosen="a")
    assert laid["chosen"] == "a"
    assert laid["sites"]["a"] | {"color": ""} == {
        "color": "",
        "text": "71.3",
        "mark": "1",
        "rows": [["门到门", "45 分钟"]],
        "muted": False,
    }
    assert laid["sites"]["b"]["muted"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_site_is_on_the_map_with_its_name(language):
    shown, sites = site_map.sites_payload(Layers(), language), Layers().read("sites")
    assert {one["id"]: one["name"] for one in shown["sites"]} == dict(
        zip(sites["id"], sites[f"name_{language}"], strict=True)
    )
    assert {layer["key"] for layer in shown["layers"]} >= {"prefectures", "water", "roads", "prefecture_labels"}
    assert shown["attribution"]
