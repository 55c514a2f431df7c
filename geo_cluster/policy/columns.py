"""The columns of the ledger and of its blocked points, as `tables/ledger.toml` and the stages have them."""

from __future__ import annotations

from functools import cache
from typing import Any

from geo_cluster import toml
from geo_cluster.policy.stages import stages
from geo_cluster.world.sheets.calls import Calls

KINDS = ("ledger", "points")
"""The project's table, and that of the blocked points."""
BEFORE = "investment_100m_yuan"
"""The columns of the stages stand before this one."""


def columns(kind: str) -> dict[str, dict[str, Any]]:
    """Key -> declared column, in order; of the ledger with two a stage: `planned.start`, `actual.start`."""
    table: dict[str, dict[str, Any]] = toml.table("ledger")[kind]["columns"]
    if kind != "ledger":
        return table
    keys = list(table)
    cut = keys.index(BEFORE)
    dated = {f"{which}.{key}": _dated(which, name.zh, name.en) for key, name in stages().items() for which in WHICH}
    first, rest = keys[:cut], keys[cut:]
    return {key: table[key] for key in first} | dated | {key: table[key] for key in rest}


WHICH = {"planned": ("计划", "planned"), "actual": ("实际", "actual")}


def _dated(which: str, zh: str, en: str) -> dict[str, Any]:
    word, english = WHICH[which]
    names = [
        f"{word}{zh}日期",
        f"{word}{zh}时间",
        f"{word}{zh}",
        f"{zh}({word})",
        f"{zh}{word}日期",
        f"{zh}日期({word})",
    ]
    if which == "planned":
        names += [f"预计{zh}时间", f"预计{zh}日期", f"拟{zh}时间"]
    said = {"zh": "年、年月或年月日；仪式日期不填", "en": "Year, month or day; not that of a ceremony"}
    return {"zh": names[0], "en": f"{en}, {english}", "aliases": names[1:], "reads": "day", "help": said, "example": ""}


def column(key: str) -> dict[str, Any]:
    """A declared column of the ledger."""
    return columns("ledger")[key]


def titles(kind: str, language: str) -> dict[str, str]:
    """Key -> heading in a language."""
    return {key: one[language] for key, one in columns(kind).items()}


def calls(kind: str) -> Calls:
    """What the columns are called."""
    return _calls(kind, tuple(stages()))


@cache
def _calls(kind: str, known: tuple[str, ...]) -> Calls:  # noqa: ARG001
    return Calls(columns(kind))
