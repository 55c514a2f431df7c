"""The map on which a plan is decided: the payload of its study with firms in grey and the planned sites named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.texts import short
from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.maps.payload import payload
from geo_cluster.maps.words import WORDS
from geo_cluster.study import Study

QUIET = ("chain-", "demand-")
"""Layers of firms, by the beginning of their key: what surrounds a plan, not the plan."""


def plan_view(study: Study, language: Language, *, before: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The payload of a study's map for who decides on its plan.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    before : mapping of str, optional
        As of `payload`.
    """
    found, grey = payload(study, language, before=before), toml.table("style")["stage"]["support"]
    shown = [one | {"color": grey} if one["key"].startswith(QUIET) else one for one in found["layers"]]
    return found | {"layers": [*shown, _names(found["layers"], language)]}


def _names(layers: list[dict[str, Any]], language: Language) -> dict[str, Any]:
    """Names of the sites that take projects, under their signs, at every zoom."""
    sites = [one for layer in layers if layer["kind"] == "site" for one in layer["features"] if one["p"].get("mark")]
    names = [{"at": one["at"], "p": {"title": short(one["p"]["title"])}} for one in sites]
    look = {"kind": "label", "look": "site", "weight": 90, "visible": True, "legend": False}
    return {"key": "plan_names", "group": WORDS[language]["plan"], "name": "", **look, "features": names}
