"""How a layer looks, in one place: QGIS, SLD, KML and DXF draw what `tables/gis.toml` and `tables/style.toml` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.world.layers import words as vocabulary

Kind = Literal["point", "line", "area"]
PARTS: Mapping[Kind, str] = {"point": "points", "line": "lines", "area": "areas"}
"""What the shapes of a kind are called in the plural."""


@dataclass(frozen=True)
class Rule:
    """How some rows are drawn: all of them, those with a value, or those with a number from `low` to below `high`.

    Attributes
    ----------
    title : str
        What the legend says; '' for the only rule of a layer.
    colour, fill : str
        ``#rrggbb``; no fill is ''.
    size_mm : float
        Diameter of a point, width of a line or an outline.
    field, value, low, high : str, str, float, float
        Which rows; no `field` is all, `missing` those without a number.
    """

    title: str
    colour: str
    size_mm: float
    fill: str = ""
    field: str = ""
    value: str = ""
    low: float = np.nan
    high: float = np.inf
    missing: bool = False

    def of(self, frame: pd.DataFrame) -> np.ndarray:
        """(n,) array of bool: the rows that it draws."""
        if not self.field:
            return np.ones(len(frame), dtype=bool)
        if self.value:
            return (frame[self.field] == self.value).to_numpy(bool)
        numbers = frame[self.field].to_numpy(float, na_value=np.nan)
        return np.isnan(numbers) if self.missing else (numbers >= self.low) & (numbers < self.high)


@dataclass(frozen=True)
class Look:
    """How a layer is drawn.

    Attributes
    ----------
    kind : {"point", "line", "area"}
    rules : tuple of Rule
    shape : str
        Of points: circle, square, diamond or triangle.
    opacity : float
        Of the fill of areas.
    dash, visible, backdrop : bool
        Broken lines; shown when a project is opened; what globes and portals have themselves.
    label : str
        The field that names features, '' for none.
    label_below : int
        Names show at scales larger than 1 to this; 0 at every scale.
    """

    kind: Kind
    rules: tuple[Rule, ...]
    shape: str = "circle"
    opacity: float = 1.0
    dash: bool = False
    visible: bool = False
    backdrop: bool = False
    label: str = ""
    label_below: int = 0

    def rule_of(self, frame: pd.DataFrame) -> np.ndarray:
        """(n,) array of int: the first rule that draws each row, -1 for none."""
        found = np.full(len(frame), -1)
        for number, rule in reversed(list(enumerate(self.rules))):
            found[rule.of(frame)] = number
        return found


def colour(name: str) -> str:
    """A colour of `tables/style.toml` by its path, as ``#rrggbb``.

    >>> colour("map.site"), colour("map.shades.0")
    ('#0b6e75', '#dcebea')
    """
    found: Any = toml.table("style")
    for part in name.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return str(found)


def red_green_blue(colour: str) -> tuple[int, int, int]:
    """The parts of ``#rrggbb``, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def look_of(name: str, kind: Kind, frame: gpd.GeoDataFrame, language: Language) -> Look:
    """How a layer looks, as declared, or as layers of its kind of shapes do.

    Parameters
    ----------
    name : str
        Of the layer.
    kind : {"point", "line", "area"}
    frame : GeoDataFrame
        Its rows in the language.
    language : {"zh", "en"}
    """
    tables = toml.table("gis")
    about = tables["layers"].get(name) or tables["others"][kind]
    label = f"name_{language}" if about.get("label") == "name" and "name" not in frame else about.get("label", "")
    keys = ("shape", "opacity", "dash", "visible", "backdrop", "label_below")
    more = {key: about[key] for key in keys if key in about}
    return Look(kind, tuple(_rules(about, frame, language)), label=label if label in frame else "", **more)


def _rules(about: Mapping[str, Any], frame: pd.DataFrame, language: Language) -> list[Rule]:
    size, fill = float(about.get("size", 2.0)), about.get("fill", "")
    if "by" in about:
        rules = [
            Rule(title, one, size, one if about["kind"] == "area" else "", about["by"], title)
            for title, one in _values(about, frame, language)
        ]
    elif "classes" in about:
        rules = _ranges(about["classes"], language)
    else:
        return [Rule("", colour(about["color"]), size, colour(fill) if fill else "")]
    if other := about.get("other"):
        field = about["classes"]["field"]
        rules.append(Rule(other["name"][language], colour(other["color"]), other["size"], field=field, missing=True))
    return rules


def _values(about: Mapping[str, Any], frame: pd.DataFrame, language: Language) -> list[tuple[str, str]]:
    """The values of a layer's field with their colours; of a vocabulary only those that a colour is declared for."""
    if "words" not in about:
        values = list(dict.fromkeys(frame[about["by"]]))
        return [(one, colour(about["colors"][min(at, len(about["colors"]) - 1)])) for at, one in enumerate(values)]
    colours, words = toml.table("style")[about["colors"]], vocabulary(about["words"])
    return [(words[key][language], one) for key, one in colours.items() if key in words]


def _ranges(classes: Mapping[str, Any], language: Language) -> list[Rule]:
    """One rule a range; its title says it in whole numbers, or in percent, and the last as it is declared."""
    starts, colours = classes["from"], classes["colors"]
    unit, prefix = (classes.get(key, {}).get(language, "") for key in ("unit", "prefix"))
    space, rules = " " if language == "en" else "", []
    for at, low in enumerate(starts):
        high = starts[at + 1] if at + 1 < len(starts) else np.inf
        if np.isinf(high):
            title = classes["last"][language]
        elif classes.get("percent"):
            title = f"{low:.0%}–{high:.0%}"
        else:
            said = f"{low}" if high - 1 == low else f"{low}–{high - 1}"
            title = space.join(filter(None, (prefix, said, unit)))
        one, size = colour(colours[min(at, len(colours) - 1)]), float(classes["sizes"][at])
        rules.append(Rule(title, one, size, field=classes["field"], low=float(low), high=float(high)))
    return rules
