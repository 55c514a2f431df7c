"""Projects that may be split: each in equal shares, rows of their own with their share of every amount."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geo_cluster.errors import Fault, refuse_if
from geo_cluster.world import portfolio

WHOLE, SHARE, NAME = "whole", "share", "whole_name"
"""Columns of projects of which one is split: id of the whole, share of it, and its name."""


def share_id(project: str, number: int) -> str:
    """Id of one share of a project, from 1.

    >>> share_id("P07", 2)
    'P07-2'
    """
    return f"{project}-{number}"


def share_ids(projects: pd.DataFrame) -> set[str]:
    """Ids of the shares of projects that may be split by their own table."""
    into = projects[portfolio.SPLIT] if portfolio.SPLIT in projects else pd.Series(dtype=int)
    return {share_id(str(project), n) for project, count in into.items() for n in range(1, int(count) + 1)}


def split(projects: pd.DataFrame, into: Mapping[str, int]) -> pd.DataFrame:
    """Projects with those that may be split in equal shares, one after the other; the same where none is.

    Parameters
    ----------
    projects : DataFrame
        Checked projects (`portfolio.check`).
    into : mapping
        Number of shares of each project that may be split, by id.

    Raises
    ------
    InputError
        Where the id of a share is that of another project.
    """
    into = {project: count for project, count in into.items() if project in projects.index}
    if not into:
        return projects
    taken = [share_id(p, n) for p, count in into.items() for n in range(1, count + 1)]
    refuse_if([Fault("world.share_id_taken", portfolio.PORTFOLIO, value=p) for p in taken if p in projects.index])
    counts = np.array([into.get(p, 1) for p in projects.index])
    rows = projects.loc[projects.index.repeat(counts)].copy()
    number = np.concatenate([np.arange(1, count + 1) for count in counts])
    count, share = counts.repeat(counts), 1.0 / counts.repeat(counts)
    amounts = ["output_100m_yuan"]
    amounts += [f"{key}_{end}" for key in (*portfolio.needs(), *portfolio.STATED) for end in ("low", "likely", "high")]
    rows[amounts] = rows[amounts].mul(share, axis=0)
    rows[WHOLE], rows[SHARE], rows[NAME] = rows.index, share, rows["name"]
    marks = [f" {n}/{of}" if of > 1 else "" for n, of in zip(number, count, strict=True)]
    rows["name"] = rows["name"] + marks
    ids = [share_id(p, n) if of > 1 else p for p, n, of in zip(rows.index, number, count, strict=True)]
    return rows.set_index(pd.Index(ids, name="id"))


def share_of(projects: pd.DataFrame) -> np.ndarray:
    """(P,): which share of its project each row is; 1 where it isn't split."""
    return projects[SHARE].to_numpy(float) if SHARE in projects else np.ones(len(projects))


def whole_of(projects: pd.DataFrame) -> pd.Series:
    """Id of the whole of each row; its own where it isn't split."""
    return projects[WHOLE] if WHOLE in projects else projects.index.to_series()


def rows_of(projects: pd.DataFrame, project: str) -> list[int]:
    """Rows of a project, or of one share, by id."""
    is_it = (projects.index == project) | (whole_of(projects) == project).to_numpy()
    return [int(row) for row in np.flatnonzero(is_it)]


def names_of_wholes(projects: pd.DataFrame) -> pd.Series:
    """Name of each project by its id, split or not, in their order."""
    if WHOLE not in projects:
        return projects["name"]
    once = projects.drop_duplicates(WHOLE)
    return once.set_index(pd.Index(once[WHOLE], name="id"))[NAME].rename("name")
