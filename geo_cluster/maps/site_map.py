"""A map of the sites coloured by a value: the map is fetched once, and values are laid on it without loading it anew.

A page writes ``site_maps.show_sites({site: score, ...}, Classes("得分", (0, 60, 70, 80), unit="分"), key="score-map",
told=Told(marks={site: "1"}), chosen=site, on_pick=choose)`` and hears of a click through `choose(site)`.

`sites_payload` is what lies below and the sites, the same for everybody; `values_of` is the little that changes: the
colour, number and rows of each site, the legend, the chosen one. `app/site_maps.py` shows both on a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Any

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.maps import payload
from geo_cluster.maps.words import SPOKEN, WORDS
from geo_cluster.world.layers import Layers


@dataclass(frozen=True)
class Classes:
    """How values become colours and text.

    Attributes
    ----------
    title : str
        What is shown, in the reader's language: the heading of the legend.
    starts : tuple of float
        Lower bound of each class, rising, at most as many as the colours `map.shades` of `tables/style.toml`; what is
        below the first is in the first.
    unit : str
        Said after each bound.
    digits : int
        Decimals of values and bounds.
    unknown : str
        What the legend says of sites without a value.
    """

    title: str
    starts: tuple[float, ...]
    unit: str = ""
    digits: int = 0
    unknown: str = ""

    def at(self, value: float) -> int:
        """The class of a value."""
        return max(sum(value >= start for start in self.starts) - 1, 0)

    def colours(self) -> list[str]:
        """A colour a class, light to dark, spread over all that are declared."""
        shades, last = toml.table("style")["map"]["shades"], max(len(self.starts) - 1, 1)
        return [shades[round(at * (len(shades) - 1) / last)] for at in range(len(self.starts))]

    def texts(self) -> list[str]:
        """What the legend says of each class."""
        bounds = [f"{start:,.{self.digits}f}" for start in self.starts]
        spoken = [f"{low}–{high}" for low, high in pairwise(bounds)] + [f"≥ {bounds[-1]}"]
        return [f"{one} {self.unit}".strip() for one in spoken]


@dataclass(frozen=True)
class Told:
    """What the map says of sites besides their values.

    Attributes
    ----------
    marks : mapping
        Site id -> a short text in its sign, such as its rank.
    rows : mapping
        Site id -> rows (heading, text) of what shows while one points at it.
    muted : iterable of str
        Sites drawn small and grey: those that may not take the project.
    """

    marks: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    muted: Iterable[str] = ()


def sites_payload(layers: Layers, language: Language) -> dict[str, Any]:
    """Boundaries, water, roads and names, and the sites by id, name and place; no values yet."""
    whole = payload.payload(layers, language)
    under = [one for one in whole["layers"] if one["key"] in _UNDER]
    sites = [
        {"id": one["p"]["id"], "name": one["p"]["title"], "at": one["at"]}
        for layer in whole["layers"]
        if layer["kind"] == "site"
        for one in layer["features"]
        if "at" in one
    ]
    keys = ("lang", "places", "bounds", "attribution", "look")
    return {
        **{key: whole[key] for key in keys if key in whole},
        "words": {key: WORDS[language][key] for key in SPOKEN},
        "layers": under,
        "sites": sites,
    }


_UNDER = (
    *("prefectures", "water", "counties", "roads", "minor_roads", "railways"),
    *("prefecture_labels", "county_labels", "water_labels"),
)


def values_of(
    values: Mapping[str, float | None], classes: Classes, *, told: Told | None = None, chosen: str = ""
) -> dict[str, Any]:
    """Values as they are laid on the map.

    Parameters
    ----------
    values : mapping
        Site id -> its value; sites that are not in it are not drawn, those with None or nan are hollow: unknown.
    classes : Classes
    told : Told, optional
    chosen : str
        The site that is marked, '' for none; the map moves to it where it is out of sight.
    """
    told, colours = told or Told(), classes.colours()
    muted, sites = set(told.muted), {}
    for site, value in values.items():
        known = value is not None and isfinite(value)
        text = f"{value:,.{classes.digits}f} {classes.unit}".strip() if known else classes.unknown
        sites[site] = {
            "color": colours[classes.at(float(value))] if value is not None and known else "",
            "text": text,
            "mark": told.marks.get(site, ""),
            "rows": [list(row) for row in told.rows.get(site, [])],
            "muted": site in muted,
        }
    legend = [list(pair) for pair in zip(colours, classes.texts(), strict=True)]
    if classes.unknown and any(not one["color"] for one in sites.values()):
        legend.append(["", classes.unknown])
    return {"title": classes.title, "legend": legend, "sites": sites, "chosen": chosen}
