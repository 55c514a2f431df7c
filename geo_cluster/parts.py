"""What is said of phases and of projects that may be split, as parts of the problem."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geo_cluster.domain import ProjectParts, Scenario
from geo_cluster.eligibility import Facts
from geo_cluster.matching.parts import Order, Parts
from geo_cluster.scoring.criteria import Setting
from geo_cluster.world import portfolio, splitting

MOST_SITES = 2
"""Sites over which a project may be split."""


def declared(scenario: Scenario, projects: pd.DataFrame) -> tuple[ProjectParts, ...]:
    """What the scenario says, then projects that may be split by their own table.

    Parameters
    ----------
    scenario : Scenario
    projects : DataFrame
        Checked projects, as they are or in shares.
    """
    named = {project for one in scenario.parts for project in one.projects}
    if portfolio.SPLIT not in projects:
        return scenario.parts
    into = dict(zip(splitting.whole_of(projects), projects[portfolio.SPLIT], strict=True))
    own = (
        ProjectParts(projects=(one,), rule="split", into=int(n)) for one, n in into.items() if n and one not in named
    )
    return (*scenario.parts, *own)


def split(scenario: Scenario, projects: pd.DataFrame) -> pd.DataFrame:
    """Projects with those that may be split in shares; the same where there are none.

    Parameters
    ----------
    scenario : Scenario
    projects : DataFrame
        Checked projects.
    """
    said = declared(scenario, projects)
    return splitting.split(projects, {one.projects[0]: one.into for one in said if one.rule == "split"})


def parts(scenario: Scenario, projects: pd.DataFrame) -> tuple[Parts, ...]:
    """Parts with numbers for names.

    Parameters
    ----------
    scenario : Scenario
    projects : DataFrame
        As `split` makes them.
    """
    found = []
    for one in declared(scenario, projects):
        rows = [row for project in one.projects for row in splitting.rows_of(projects, project)]
        order: Order = "in_order" if one.rule == "in_order" else "together"
        most = MOST_SITES if one.rule == "split" else 1 if one.one_site else None
        found.append(Parts(tuple(rows), order, most))
    return tuple(found)


def as_wholes(facts: Facts) -> Facts:
    """Facts by which projects are scored: a share at what the whole needs, so that allowing a split changes no score.

    Its draws are those of the whole too, as shares of one project are off by the same.
    """
    if splitting.SHARE not in facts.projects:
        return facts
    share = splitting.share_of(facts.projects)
    wholes = facts.projects.set_axis(pd.Index(splitting.whole_of(facts.projects), name="id"), axis=0)
    return replace(facts, projects=wholes, needs={key: each / share[:, None] for key, each in facts.needs.items()})


def as_shares(drawn: Setting, projects: pd.DataFrame) -> Setting:
    """Draws of what shares need, from those of the wholes.

    Parameters
    ----------
    drawn : Setting
    projects : DataFrame
        As `split` makes them.
    """
    if splitting.SHARE not in projects:
        return drawn
    share = splitting.share_of(projects)
    return replace(drawn, needs={key: each * share for key, each in drawn.needs.items()})
