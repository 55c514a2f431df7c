"""A project as somebody typed it in a form: read, checked with every fault at once."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults
from geo_cluster.policy.ledger import AMOUNTS, At, Entry, Point, faults
from geo_cluster.world.sheets import cells

DAYS = ("raised", "deadline", "closed")


def typed(said: Mapping[str, Any], at: At, *, day: datetime.date) -> tuple[Entry | None, list[Fault]]:
    """The project that a form says, or what is wrong with it.

    Parameters
    ----------
    said : mapping
        Fields of `Entry` as they were typed: days as text, `points` as rows; blank cells are None, nan or ''.
    at : callable
        Where a field stands.
    day : date
        Today.

    Returns
    -------
    Entry or None
        None where something is wrong.
    list of Fault
    """
    found, row = Faults(), dict(said)
    for which in ("planned", "actual"):
        dated = {key: _day(text, at, f"{which}.{key}", found) for key, text in said.get(which, {}).items()}
        row[which] = {key: text for key, text in dated.items() if text}
    row["registered"] = _day(said.get("registered"), at, "registered", found)
    for key in AMOUNTS:
        row[key] = _amount(said.get(key), at, key, found)
    row["points"] = _points(said.get("points", ()), at, found)
    row["name"] = _text(said.get("name"))
    if not row["name"]:
        found.append(Fault("policy.no_name", at("name")))
    if found:
        return None, list(found)
    entry = Entry.model_validate(row)
    found.extend(faults(entry, at, day=day))
    return (None if found else entry), list(found)


def _name(number: int) -> Text:
    return Text(zh=f"第 {number + 1} 行", en=f"row {number + 1}")


def _text(value: Any) -> str:
    blank = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if blank else str(value).strip()


def _day(value: Any, at: At, key: str, found: Faults) -> str:
    text = _text(value)
    read = cells.day(text) if text else ""
    if read is None:
        found.append(Fault("policy.not_a_date", at(key), value=text))
    return read or ""


def _amount(value: Any, at: At, key: str, found: Faults) -> float | None:
    text = _text(value)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        found.append(Fault("policy.not_an_amount", at(key), value=text))
        return None
    return number


def _points(rows: Sequence[Mapping[str, Any]], at: At, found: Faults) -> list[Point]:
    points = []
    for number, row in enumerate(rows):
        said = {key: _text(value) for key, value in row.items()}
        if not any(value for key, value in said.items() if key != "kind"):
            continue
        for key in DAYS:
            said[key] = _day(said.get(key), at, f"points.{number}.{key}", found)
        if not said.get("what"):
            found.append(Fault("policy.point_without_text", at(f"points.{number}.what"), name=_name(number)))
            continue
        points.append(Point.model_validate(said | {"kind": said.get("kind") or "other"}))
    return points
