"""Colours that stand for different things are told apart: by the colour-blind, in grey print, as ordered classes."""

import itertools

import numpy as np
import pytest

from geo_cluster import toml

SEEN = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.1124, 0.8876, 0], [0.1124, 0.8876, 0], [0.0040, -0.0040, 1]]),
    "deuteranopia": np.array([[0.2927, 0.7073, 0], [0.2927, 0.7073, 0], [-0.0223, 0.0223, 1]]),
}
"""Linear RGB as seen, by the matrices of Viénot, Brettel & Mollon (1999)."""
LEAST = 15
"""Distance in CIELAB (1976) at which two signs on a map are told apart at a glance."""
LEAST_GREY = 7
"""Difference in lightness that a grey print keeps."""


def lab(colour, eye=SEEN["normal"]):
    """CIELAB of ``#rrggbb``, white D65."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.clip(eye @ np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 1e-6))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_distances_are_those_of_known_colours():
    assert lab("#ffffff") == pytest.approx([100, 0, 0], abs=0.1)
    assert lab("#ff0000") == pytest.approx([53.2, 80.1, 67.2], abs=0.2)
    red, green = (lab(one, SEEN["deuteranopia"]) for one in ("#b3443c", "#6a6f2d"))
    assert np.linalg.norm(red[1:] - green[1:]) < 12, "a red and a green that the green-blind take for one"


@pytest.mark.parametrize("eye", SEEN)
@pytest.mark.parametrize("table", ["stage", "evidence"])
def test_what_colours_stand_for_is_told_apart(table, eye):
    for (one, a), (other, b) in itertools.combinations(toml.table("style")[table].items(), 2):
        distance = np.linalg.norm(lab(a, SEEN[eye]) - lab(b, SEEN[eye]))
        assert distance > LEAST, f"{one} and {other} look alike ({distance:.0f})"


@pytest.mark.parametrize("table", ["stage", "evidence"])
def test_a_grey_print_keeps_them_apart(table):
    for (one, a), (other, b) in itertools.combinations(toml.table("style")[table].items(), 2):
        assert abs(lab(a)[0] - lab(b)[0]) > LEAST_GREY, f"{one} and {other} print alike"


@pytest.mark.parametrize(("classes", "least"), [("shades", 8), ("bands", 2)])
def test_classes_go_one_way_in_lightness_for_every_eye(classes, least):
    colours = toml.table("style")["map"][classes]
    for eye in SEEN.values():
        steps = np.diff([lab(one, eye)[0] for one in colours])
        assert (np.sign(steps) == np.sign(steps[0])).all()
        assert np.abs(steps).min() > least


@pytest.mark.parametrize("sign", ["site", "factory", "anchor", "flow", "route_core", "changed"])
@pytest.mark.parametrize("eye", SEEN)
def test_signs_stand_out_from_every_ground(sign, eye):
    style = toml.table("style")["map"]
    grounds = {name: style[name] for name in ("province", "target", "wuhan", "water", "road_core")}
    for name, ground in (grounds | dict(enumerate(style["bands"]))).items():
        assert np.linalg.norm(lab(style[sign], SEEN[eye]) - lab(ground, SEEN[eye])) > 30, f"{sign} on {name}"


@pytest.mark.parametrize("eye", SEEN)
def test_water_is_told_from_land(eye):
    style = toml.table("style")["map"]
    for land in (style["province"], style["target"], style["wuhan"], *style["bands"]):
        assert np.linalg.norm(lab(style["water"], SEEN[eye]) - lab(land, SEEN[eye])) > 10, land


def test_names_are_read_on_every_ground():
    """Contrast of 4.5 to 1 against land and water, halo or not (WCAG AA)."""

    def light(colour):
        srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    style = toml.table("style")
    for name in ("city", "county", "site_name", "reach"):
        for ground in ("province", "target", "wuhan"):
            ratio = (light(style["map"][ground]) + 0.05) / (light(style["label"][name]) + 0.05)
            assert ratio >= 4.5, f"{name} on {ground}: {ratio:.1f}"
