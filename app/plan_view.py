"""The map on which a plan is decided: the payload of its study, with firms in grey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.maps.payload import payload
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
    return found | {"layers": shown}
