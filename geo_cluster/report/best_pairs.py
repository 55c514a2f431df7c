"""Of very many pairs of project and site the best few of each project: the same numbers, without the rest of the table.

All sites are looked at all the same: a rank is that among all sites that a project may go to, and so is a chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_cluster import parts
from geo_cluster.domain import Language
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.region import Region
from geo_cluster.scoring.information import Information, in_reach, of_choosers
from geo_cluster.study import Study
from geo_cluster.world import catalog

if TYPE_CHECKING:
    from geo_cluster.many.ground import Ground
    from geo_cluster.many.screening import Block

MOST_PAIRS = 500_000
"""So many pairs of project and site are all listed; of more, the best sites of each project and the one of the plan."""

LISTED = 10
"""So many of them."""

CHOOSERS = 100
"""So many projects, evenly spread over the portfolio, then ask for numbers."""


def is_short(study: Study) -> bool:
    """Whether not every pair of a study is listed."""
    return len(study.projects) * len(study.sites) > MOST_PAIRS


def note(study: Study, language: Language) -> str:
    """What is listed of the pairs, where not all are; '' where all are."""
    if not is_short(study):
        return ""
    pairs, most = f"{len(study.projects) * len(study.sites):,}", f"{MOST_PAIRS:,}"
    if language == "zh":
        return (
            f"项目与园区的组合共 {pairs} 组，超过 {most} 组：排名的表和图层及 contributions.csv 中每个项目只列可落地且"
            f"得分最高的 {LISTED} 处园区及方案安排的园区，名次和居首概率仍按全部可落地园区计算；"
            f"data_request.csv 按均匀抽取的 {CHOOSERS} 个项目测算。"
        )
    return (
        f"{pairs} pairs of project and site are more than {most}: tables and layers of the ranking, and "
        f"contributions.csv, list of each project the {LISTED} best sites that it may go to and the one of the plan, "
        f"with ranks and chances among all sites that it may go to; data_request.csv is what {CHOOSERS} projects ask "
        f"for, evenly spread over them all."
    )


def some_of(is_chooser: np.ndarray) -> np.ndarray:
    """(P,): at most `CHOOSERS` of those that choose, evenly spread."""
    at, found = np.flatnonzero(is_chooser), np.zeros_like(is_chooser)
    found[at[np.linspace(0, len(at) - 1, min(CHOOSERS, len(at))).round().astype(int)]] = True
    return found


def bearing(region: Region, is_open: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which open numbers each site's score rests on (S, M), by their place, -1 for none; and those of any site.

    Parameters
    ----------
    region : Region
        K observations.
    is_open : (K,) array of bool
    """
    place = np.append(np.where(is_open, np.cumsum(is_open) - 1, -1), -1)
    of_site = [place[at] for at in (*region.places.values(), *region.zone_places.values())]
    known, arriving = region.observations, region.arrivals
    keys = pd.MultiIndex.from_frame(known[["site_id", "attribute"]])
    there = keys.isin(pd.MultiIndex.from_frame(arriving[["station", "attribute"]]))
    found = place[:-1][there]
    return np.column_stack(of_site), found[found >= 0]


def informed(
    chosen: Iterable[tuple[np.ndarray, np.ndarray]], parameters: np.ndarray, rests_on: tuple[np.ndarray, np.ndarray]
) -> Iterator[tuple[np.ndarray, Information]]:
    """What numbers are worth to each chooser: places of those that bear on sites in reach, and it.

    Parameters
    ----------
    chosen : iterable of (N, A) array, (A,) int array
        Scores of sites in every draw, and places of the sites.
    parameters : (N, R) array
        Draws of the open numbers.
    rests_on : (S, M) array, array
        As of `bearing`.
    """
    of_site, of_any = rests_on
    for score, sites in chosen:
        near = in_reach(score)
        at = np.unique(np.concatenate([of_site[sites[near]].ravel(), of_any]))
        at = at[at >= 0]
        (one,) = of_choosers([score[:, near]], parameters[:, at])
        yield at, one


def ranking_of_best(study: Study) -> pd.DataFrame:
    """The ranking (`report.tables.ranking_table`) of the best sites of each project and of the site of its plan."""
    from geo_cluster.many.ground import Ground  # compiled, slow to import: for very many pairs alone
    from geo_cluster.many.screening import Asked, screen

    placed = np.flatnonzero(study.plan.site != UNPLACED)
    also = {str(study.projects.index[p]): int(study.plan.site[p]) for p in placed}
    ground, rows = Ground(study.region, certain=True), []
    for at, block in screen(ground, study.projects, Asked(LISTED, also, compared=False), parts.as_wholes):
        rows.append(_rows(ground, block).set_index(at[block.pairs[:, 0]]))
    return pd.concat(rows).sort_index(kind="stable").reset_index(drop=True)


def _rows(ground: Ground, block: Block) -> pd.DataFrame:
    project, site = block.pairs.T
    sites, projects = ground.region.sites, block.projects
    table = pd.DataFrame(
        {
            "project": projects.index.to_numpy()[project],
            "project_name": projects["name"].to_numpy()[project],
            "site": sites["id"].to_numpy()[site],
            "site_name": sites["name_zh"].to_numpy()[site],
            "score": block.score[project, site].round(4),
            "low": block.middle[:, -1, 0].round(4),
            "high": block.middle[:, -1, 1].round(4),
            "rank": pd.array(block.rank, dtype="Int64"),
            "chance_first": np.nan_to_num(block.chances[project, site, 0]).round(4),
        }
    )
    table.loc[table["rank"] == 0, "rank"] = pd.NA
    return table.assign(**block.told(ground))


def contributions_of(study: Study, listed: pd.DataFrame) -> pd.DataFrame:
    """One row a listed pair and criterion: as `report.tables.contributions_table` has it.

    Parameters
    ----------
    study : Study
    listed : DataFrame
        Pairs: `project`, `project_name`, `site`, `site_name`; by project, in the study's order.
    """
    decision, declared = study.decision, catalog.criteria()
    project = study.projects.index.get_indexer(listed["project"])
    site = pd.Index(study.sites["id"]).get_indexer(listed["site"])
    natural, value = (np.empty((len(listed), len(declared))) for _ in range(2))
    for rows in decision.parts():
        mine = slice(*np.searchsorted(project, [rows.start, rows.stop]))
        at = project[mine] - rows.start, site[mine]
        natural[mine], value[mine] = decision.natural_of(rows)[at], decision.value_of(rows)[at]
    count, names = len(declared), ["project", "project_name", "site", "site_name"]
    table = listed[names].loc[listed.index.repeat(count)].reset_index(drop=True)
    table["criterion"] = list(decision.criteria) * len(listed)
    table["criterion_name"] = [declared[key].name.zh for key in decision.criteria] * len(listed)
    table["natural"] = natural.ravel().round(4)
    table["unit"] = [declared[key].unit.zh for key in decision.criteria] * len(listed)
    table["value"] = value.ravel().round(6)
    table["weight"] = np.tile(decision.weight, len(listed)).round(6)
    table["points"] = (100 * value * decision.weight).ravel().round(6)
    return table
