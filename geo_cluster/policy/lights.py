"""Red, yellow, green: each project held against a declared rule (`tables/lights.toml`) on a day."""

from __future__ import annotations

import calendar
import datetime
from dataclasses import dataclass
from functools import cache
from typing import Any

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.policy.ledger import Entry
from geo_cluster.policy.stages import months_between, role, span

WORST = ("red", "yellow", "green")


@dataclass(frozen=True)
class Reason:
    """One part of a rule and what it said of a project.

    Attributes
    ----------
    part : {"progress", "start", "registration"}
    colour : {"red", "yellow", "green"}
    why : Text
    """

    part: str
    colour: str
    why: Text


@dataclass(frozen=True)
class Light:
    """The light of a project on a day.

    Attributes
    ----------
    colour : {"red", "yellow", "green", "done", "none"}
    reasons : tuple of Reason
        The worst first.
    lacks : Text or None
        What is not known, where nothing could be told.
    """

    colour: str
    reasons: tuple[Reason, ...] = ()
    lacks: Text | None = None

    @property
    def why(self) -> Text:
        """The first reason, or what is lacking."""
        if self.reasons:
            return self.reasons[0].why
        return self.lacks or Text(zh="已投产，不再亮灯", en="in production: no light any more")


@dataclass(frozen=True)
class Progress:
    """What was done beside what the schedule wants by a day, both as shares.

    Attributes
    ----------
    done, due : float
    by : {"year", "whole"}
        The year's plan by the days of the year, or the whole investment between planned start and production.
    """

    done: float
    due: float
    by: str


def rules() -> dict[str, dict[str, Any]]:
    """Key -> rule, the default first."""
    return {row["key"]: row for row in toml.table("lights")["rule"]}


def colours() -> dict[str, dict[str, str]]:
    """Colour -> its words and fill."""
    found: dict[str, dict[str, str]] = toml.table("lights")["colours"]
    return found


DEFAULT = "wuhan"


def progress(entry: Entry, day: datetime.date) -> Progress | None:
    """How far a project is beside its schedule; None where the numbers for it are missing.

    The year's plan counts where it is given, else the whole investment from planned start to planned production.
    """
    if entry.year_plan_100m_yuan and entry.year_done_100m_yuan is not None:
        days = 366 if calendar.isleap(day.year) else 365
        due = day.timetuple().tm_yday / days
        return Progress(entry.year_done_100m_yuan / entry.year_plan_100m_yuan, due, "year")
    start, end = entry.planned.get(role("start")), entry.planned.get(role("production"))
    if not (entry.investment_100m_yuan and entry.invested_100m_yuan is not None and start and end):
        return None
    first, last = span(start)[1], span(end)[1]
    due = 1.0 if last <= first else (day - first).days / (last - first).days
    return Progress(entry.invested_100m_yuan / entry.investment_100m_yuan, min(max(due, 0.0), 1.0), "whole")


def light(entry: Entry, day: datetime.date, rule: str = DEFAULT) -> Light:
    """The light of a project by a rule.

    Parameters
    ----------
    entry : Entry
    day : date
    rule : str
        A key of `rules()`.
    """
    if entry.has_reached("production"):
        return Light("done")
    declared = rules()[rule]
    found = [part(entry, day, declared[name]) for name, part in _PARTS.items() if name in declared]
    reasons = sorted((one for one in found if one), key=lambda one: WORST.index(one.colour))
    if not reasons:
        return Light("none", lacks=_lacks(declared))
    return Light(reasons[0].colour, tuple(reasons))


def _progress(entry: Entry, day: datetime.date, limits: dict[str, Any]) -> Reason | None:
    found = progress(entry, day)
    if found is None:
        return None
    done, due = found.done, found.due
    if limits["by"] == "ratio":
        value = done / due if due > 0 else 1.0
        colour = "red" if value < limits["red"] else "yellow" if value < limits["yellow"] else "green"
    else:
        value = round(100 * (due - done), 9)
        colour = "red" if value > limits["red"] else "yellow" if value >= limits["yellow"] else "green"
    of_zh, of_en = ("年度计划", "of the year's plan") if found.by == "year" else ("总投资", "of the investment")
    share = f"{done / due:.0%}" if due > 0 else "—"
    return Reason(
        "progress",
        colour,
        Text(
            zh=f"完成{of_zh}的 {done:.0%}，时序 {due:.0%}，为时序的 {share}",
            en=f"{done:.0%} {of_en} done, {due:.0%} due: {share} of schedule",
        ),
    )


def _start(entry: Entry, day: datetime.date, limits: dict[str, Any]) -> Reason | None:
    planned = entry.planned.get(role("start"))
    if not planned or entry.has_reached("start"):
        return None
    due = span(planned[:7])[1]  # it is counted in months, of which the planned one is the first
    missed = max((day.year - due.year) * 12 + day.month - due.month, 0)
    colour = "red" if missed >= limits["red"] else "yellow" if missed >= limits["yellow"] else "green"
    why = Text(zh=f"计划 {planned} 开工", en=f"planned to start {planned}")
    if missed:
        why = Text(
            zh=f"计划 {planned} 开工，{missed} 个月应开未开", en=f"planned to start {planned}, {missed} months missed"
        )
    return Reason("start", colour, why)


def _registration(entry: Entry, day: datetime.date, limits: dict[str, Any]) -> Reason | None:
    started = entry.actual.get(role("start"))
    if not started:
        return None
    if entry.registered:
        return Reason("registration", "green", Text(zh=f"{entry.registered} 入库", en=f"registered {entry.registered}"))
    months = months_between(span(started)[1], day)
    is_above = months_between(span(started)[1], day - datetime.timedelta(days=1)) >= limits["red"]
    colour = "red" if is_above else "yellow" if months >= limits["yellow"] else "green"
    return Reason(
        "registration",
        colour,
        Text(
            zh=f"{started} 开工，满 {max(months, 0)} 个月未入库",
            en=f"started {started}, not registered {max(months, 0)} months on",
        ),
    )


_PARTS = {"progress": _progress, "start": _start, "registration": _registration}


@cache
def _words(parts: tuple[str, ...]) -> Text:
    lacking_zh = ["投资计划与完成额、计划开工和投产日期（或年度计划与本年完成额）"]
    lacking_en = [
        "planned and made investment with planned start and production (or the year's plan and what was made)"
    ]
    if "start" in parts:
        lacking_zh.append("计划开工日期")
        lacking_en.append("the planned start")
    return Text(zh=f"缺{'、'.join(lacking_zh)}", en=f"lacks {', '.join(lacking_en)}")


def _lacks(declared: dict[str, Any]) -> Text:
    """What a rule would have needed of a project of which it can say nothing."""
    return _words(tuple(name for name in _PARTS if name in declared))
