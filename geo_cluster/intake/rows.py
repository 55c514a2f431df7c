"""Rows of the tables of an intake, made of arrays: one a pair of project and site, one a project."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES
from geo_cluster.intake import verdicts
from geo_cluster.intake.site_choice import Lever, levers
from geo_cluster.intake.switching import Pairs, Told, switching_values, weight_moves
from geo_cluster.many.ground import Ground
from geo_cluster.many.screening import Block
from geo_cluster.supply.pools import is_factory
from geo_cluster.supply.standard_land import door_checks


def scores(ground: Ground, block: Block, day: dt.date) -> pd.DataFrame:
    """One row a pair that is asked for, the best of each project first; see `appraise.Appraisal`.

    Parameters
    ----------
    ground : Ground
    block : Block
        Of its projects.
    day : date
        Whose standard-land doors apply.
    """
    project, site = block.pairs.T
    sites, projects = ground.region.sites, block.projects
    chance = block.chances[project, site]
    table = {
        "project": projects.index.to_numpy(object)[project],
        "project_name": projects["name"].to_numpy(object)[project],
        "site": sites["id"].to_numpy(object)[site],
        "site_name": sites["name_zh"].to_numpy(object)[site],
        "score": block.score[project, site].round(4),
        "low": block.middle[:, -1, 0].round(4),
        "high": block.middle[:, -1, 1].round(4),
        "rank": pd.array(np.where(block.rank > 0, block.rank, 0), dtype="Int64"),
        "chance_first": chance[:, 0].round(4),
        "chance_top3": chance[:, 1].round(4),
        "chance_error": np.sqrt(chance[:, 0] * (1 - chance[:, 0]) / ground.region.scenario.draws).round(4),
    }
    table["rank"][block.rank == 0] = pd.NA
    table |= block.told(ground)
    doors = door_checks(projects, sites, day)
    table["standard_land"] = doors.result_of(project, site)
    for language in LANGUAGES:
        table[f"standard_land_{language}"] = doors.sentences_of(project, site, language)
    return pd.DataFrame(table)


def verdict_rows(ground: Ground, block: Block) -> pd.DataFrame:
    """One row a project: the verdict on it; see `verdicts.COLUMNS`."""
    region, counts = ground.region, block.counts
    ids, rows = region.sites["id"].to_numpy(object), np.flatnonzero(counts > 1)
    first = ids[block.order[:, 0]]
    chosen = {}
    if len(rows):
        pairs = _pairs(ground, block, rows)
        firsts = np.take_along_axis(block.chances[rows, :, 0], block.order[rows, :2], axis=1)
        told = Told(switching_values(pairs), weight_moves(pairs), firsts=firsts)
        found = verdicts.Found(block.entropy[rows], block.agreement[rows], ids[block.by_method[rows]])
        chosen = verdicts.of_pairs(pairs, told, found, region.names)
    said = []
    for p in np.flatnonzero(counts < 2):
        refusing = block.ruled.rule(np.full(len(ids), p), np.arange(len(ids)))
        rules = {str(rule): int(count) for rule, count in pd.Series(refusing).value_counts().items() if rule}
        said.append(verdicts.without_choice(region.names, first[p] if counts[p] else "", rules))
    return verdicts.table(block.projects.index, counts, first, said, chosen)


def _pairs(ground: Ground, block: Block, rows: np.ndarray) -> Pairs:
    """The best two sites of some projects."""
    sites, at = ground.region.sites, block.order[rows, :2]
    both = [_at(lever, rows, at) for lever in levers(ground.region, block.likely)]
    bears = block.projects["max_minutes"].to_numpy(float)
    return Pairs(
        site=sites["id"].to_numpy(object)[at],
        value=block.value[rows[:, None], at],
        score=np.take_along_axis(block.score[rows], at, axis=1),
        weight=ground.weight,
        bearable=bears[rows],
        needs={key: bounds[rows] for key, bounds in block.ruled.facts.needs.items()},
        instead=is_factory(sites)[at[:, 1]],
        subject=np.stack([one.subject for one in both], axis=2),
        other=np.stack([one.other[:, 0] for one in both], axis=1),
        arrives=np.stack([one.arrives[:, 1] for one in both], axis=1).astype(float),
        most=np.stack([one.most[:, 1] for one in both], axis=1).astype(float),
    )


def _at(lever: Lever, rows: np.ndarray, at: np.ndarray) -> Lever:
    """(R, 2) each: a lever of some projects at two sites of each."""
    return Lever(*(part[np.minimum(rows, len(part) - 1)[:, None], at] for part in lever))
