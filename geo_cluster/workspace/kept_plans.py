"""Plans as they are kept: a line of the list, or everything, as far as it can be read."""

from __future__ import annotations

import json
from datetime import UTC
from typing import get_args

import numpy as np
from sqlalchemy.engine import Row

from geo_cluster.domain import Text
from geo_cluster.errors import DataError, Fault, Place
from geo_cluster.matching.plan import Assignment, Ended
from geo_cluster.workspace.works import NAME_LENGTH, NOTE_LENGTH, KeptPlan, ListedPlan, Work, plain_text

SPOILT = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What reading something that isn't what was written ends in."""


def read_plan(row: Row, work: Work) -> KeptPlan:
    """Everything of a plan.

    Parameters
    ----------
    row : Row
        Of the table of plans.
    work : Work
        As it was when the plan was run.
    """
    try:
        content = json.loads(row.content)
        plan = Assignment(
            site=np.array(content["site"], dtype=np.intp),
            pools={name: np.array(pool, dtype=np.intp) for name, pool in content["pools"].items()},
            objective=float(content["objective"]),
            bound=float(content["bound"]),
            gap=float(content["gap"]),
            status="optimal" if content["status"] == "optimal" else "feasible",
            score=float(content.get("score", content["objective"])),  # plans kept before 2026-12 have none
            most_placed=int(content.get("most_placed", len(content["placed"]))),
            opened=tuple(int(one) for one in content.get("opened", ())),
            ended=next((why for why in get_args(Ended) if why == content.get("ended")), "given"),
        )
        placed = {str(project): str(site) for project, site in content["placed"].items()}
        return KeptPlan(
            work=work,
            scenario_id=row.scenario_id,
            plan=plan,
            hashes=content["hashes"],
            violations=content["violations"],
            seconds=content["seconds"],
            author=_text(row.author, NAME_LENGTH),
            at=row.at.replace(tzinfo=UTC),
            version=_text(content.get("version"), 40),
            placed=placed,
        )
    except SPOILT:
        raise DataError(Fault("workspace.plan_unreadable", Place(repr(row.work), kind="work"))) from None


def list_plan(row: Row) -> ListedPlan | None:
    """A plan as a line of the list; None where it can't be read.

    Parameters
    ----------
    row : Row
        Of the table of plans, with note and scenario of its revision.
    """
    try:
        content, scenario = json.loads(row.content), json.loads(row.scenario)
        return ListedPlan(
            id=row.id,
            work=row.work,
            scenario_id=row.scenario_id,
            name=Text.model_validate(scenario["name"]),
            note=_text(row.note, NOTE_LENGTH),
            level=str(scenario["planning_level"]),
            placed=len(content["placed"]),
            of=len(content["site"]),
            author=_text(row.author, NAME_LENGTH),
            at=row.at.replace(tzinfo=UTC),
        )
    except SPOILT:
        return None


def _text(value: object, length: int) -> str:
    return plain_text(value, length) if isinstance(value, str) else ""
