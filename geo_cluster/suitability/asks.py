"""Who asks for land: each project of a portfolio, or each segment; with its own need and weights.

Land and power are the project's, likely. A segment has no size of its own: it asks for what the largest of its projects
does. Hall and weights are those that the spec declares for the segment, else those of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.domain import Text
from geo_cluster.suitability import criteria, regions
from geo_cluster.suitability.headroom import Headroom
from geo_cluster.suitability.run import Answer
from geo_cluster.suitability.screen import Screen
from geo_cluster.suitability.spec import Need, Spec
from geo_cluster.world import catalog

By = Literal["segment", "project"]
COLUMNS = ("asked_by", "asked_by_zh", "asked_by_en", "segment", "power_mva")
"""Stand before those of `regions.COLUMNS`."""


@dataclass(frozen=True, eq=False)
class Ask:
    """Land that is asked for.

    Parameters
    ----------
    key : str
        Id of a project, or key of a segment.
    name : Text
    segment : str
    need : Need
    weight : (criteria,) array
        Sums to 1.
    """

    key: str
    name: Text
    segment: str
    need: Need
    weight: np.ndarray


def asked(spec: Spec, projects: pd.DataFrame, by: By) -> list[Ask]:
    """What the projects of a portfolio ask for, by project or by segment, in the portfolio's order.

    Parameters
    ----------
    spec : Spec
    projects : DataFrame
        As `portfolio.read` gives them.
    by : {"segment", "project"}
    """
    return list(_each(spec, projects, by))


def _each(spec: Spec, projects: pd.DataFrame, by: By) -> Iterator[Ask]:
    for key, group in projects.groupby("segment" if by == "segment" else projects.index, sort=False):
        segment = str(group["segment"].iloc[0])
        own = spec.segments.get(segment)
        changes: dict[str, Any] = {"land_mu": float(group["land_mu_likely"].max())}
        changes["mva"] = float(group["power_mva_likely"].max())
        if own and own.hall_m:
            changes["hall_m"] = own.hall_m
        said = str(group["name"].iloc[0])
        name = catalog.segments()[segment].name if by == "segment" else Text(zh=said, en=said)
        weight = criteria.weights(spec, own.weights if own else None)
        need = spec.need.model_copy(update=changes)
        yield Ask(str(key), name, segment, need, weight)


def find(
    answer: Answer,
    screen: Screen,
    asks: list[Ask],
    *,
    apart: bool = False,
    headroom: Headroom | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> gpd.GeoDataFrame:
    """The best regions for each, ranked by its own weights.

    Parameters
    ----------
    answer : Answer
    screen : Screen
        That the answer is of; surfaces under other weights than its own are worked out from it.
    asks : list of Ask
    apart : bool
        Whether regions of one keep the spacing from those of the ones before it, as where all become sites; else each
        has the best there is.
    headroom : Headroom, optional
        What each region may get of power; it counts for those that need some.
    progress : callable
        Called with the share that is done.

    Returns
    -------
    GeoDataFrame
        `COLUMNS`, and those of `regions.find`; `rank` begins anew for each.
    """
    tables: list[gpd.GeoDataFrame] = []
    taken: list[Any] = []
    for done, ask in enumerate(asks):
        weight = None if np.array_equal(ask.weight, screen.weight) else ask.weight
        off = shapely.union_all(taken) if apart and taken else None
        found = regions.find(
            answer,
            ask.need,
            screen=screen,
            weight=weight,
            keep_off=off,
            headroom=headroom,
            progress=partial(_share, progress, done, len(asks)),
        )
        taken += list(found.geometry)
        told = (ask.key, ask.name.zh, ask.name.en, ask.segment, ask.need.mva)
        for at, (column, value) in enumerate(zip(COLUMNS, told, strict=True)):
            found.insert(at, column, value)
        tables.append(found)
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), geometry="geometry", crs=answer.grid.crs)


def _share(progress: Callable[[float], None], done: int, of: int, share: float) -> None:
    """Say how much of all is done where a share of one is."""
    progress((done + share) / of)
