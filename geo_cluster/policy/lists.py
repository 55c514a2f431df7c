"""The three lists of a week （三张清单）, and what changed since the last one."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from geo_cluster.domain import Text
from geo_cluster.policy.columns import column
from geo_cluster.policy.ledger import AMOUNTS, Entry, Point
from geo_cluster.policy.lights import DEFAULT, Light, colours, light, progress
from geo_cluster.policy.stages import months_between, role, span, stages

Projects = Mapping[str, Entry]
"""Id -> project."""

LISTS = ("not_started", "behind", "unregistered")
"""应开未开, 进度滞后, 未入库."""


@dataclass(frozen=True)
class Listed:
    """A project on one of the lists.

    Attributes
    ----------
    id : str
    entry : Entry
    since : str
        What was due: the planned start, or the start; '' for progress.
    months : float
        How long ago; of progress percentage points behind.
    why : Text
    """

    id: str
    entry: Entry
    since: str
    months: float
    why: Text


def not_started(projects: Projects, day: datetime.date) -> list[Listed]:
    """应开未开: the planned start is past and nothing has started; the longest first."""
    found = []
    for id_, one in projects.items():
        planned = one.planned.get(role("start"), "")
        if planned and span(planned)[1] < day and not one.has_reached("start"):
            months = months_between(span(planned)[1], day)
            why = Text(zh=f"计划 {planned} 开工，逾期 {months} 个月", en=f"planned {planned}, {months} months late")
            found.append(Listed(id_, one, planned, months, why))
    return sorted(found, key=lambda one: (-one.months, one.id))


def behind(projects: Projects, day: datetime.date, rule: str = DEFAULT) -> list[Listed]:
    """进度滞后: the progress part of a rule gives yellow or red; the farthest behind first.

    Parameters
    ----------
    projects : mapping of Entry
    day : date
    rule : str
        A key of `lights.rules()`.
    """
    found = []
    for id_, one in projects.items():
        told = next((part for part in light(one, day, rule).reasons if part.part == "progress"), None)
        share = progress(one, day)
        if told and share and told.colour != "green":
            found.append(Listed(id_, one, "", 100 * (share.due - share.done), told.why))
    return sorted(found, key=lambda one: (-one.months, one.id))


def unregistered(projects: Projects, day: datetime.date) -> list[Listed]:
    """未入库: started and not in the investment statistics; the longest first."""
    found = []
    for id_, one in projects.items():
        started = one.actual.get(role("start"), "")
        if one.has_reached("start") and not one.registered:
            months = max(months_between(span(started)[1], day), 0) if started else 0
            why = Text(zh=f"{started} 开工，{months} 个月未入库", en=f"started {started}, {months} months on")
            found.append(Listed(id_, one, started, months, why if started else _undated()))
    return sorted(found, key=lambda one: (-one.months, one.id))


def _undated() -> Text:
    return Text(zh="已开工，日期未填", en="started, the date is not given")


def the_three(projects: Projects, day: datetime.date, rule: str = DEFAULT) -> dict[str, list[Listed]]:
    """The three lists by name.

    Parameters
    ----------
    projects : mapping of Entry
    day : date
    rule : str
        As of `behind`.
    """
    return {
        "not_started": not_started(projects, day),
        "behind": behind(projects, day, rule),
        "unregistered": unregistered(projects, day),
    }


def open_points(projects: Projects, day: datetime.date) -> list[tuple[str, Entry, Point]]:
    """Every blocked point that is not solved, those past their deadline first, then by deadline."""
    found = [(id_, one, point) for id_, one in projects.items() for point in one.open_points]
    return sorted(found, key=lambda one: (not one[2].is_late(day), one[2].deadline or "9999", one[0]))


@dataclass(frozen=True)
class Change:
    """Something that is other than it was.

    Attributes
    ----------
    id, name : str
        The project.
    kind : {"new", "gone", "stage", "light", "point", "closed", "money", "delivered", "date", "other"}
    what : Text
    """

    id: str
    name: str
    kind: str
    what: Text


def changes(
    before: Projects, after: Projects, *, days: tuple[datetime.date, datetime.date], rule: str = DEFAULT
) -> list[Change]:
    """What is other now than it was, project by project.

    Parameters
    ----------
    before, after : mapping
        Id -> project then and now.
    days : (date, date)
        Then and now, for the lights.
    rule : str
    """
    found = []
    for id_, now in after.items():
        if id_ not in before:
            at = stages().get(now.at)
            zh = f"新增，当前{at.zh}" if at else "新增"
            en = f"new, {at.en}" if at else "new"
            found.append(Change(id_, now.name, "new", Text(zh=zh, en=en)))
            continue
        then = before[id_]
        told = (
            [] if then == now else [*_stages(then, now), *_points(then, now), *_numbers(then, now), *_dates(then, now)]
        )
        lit = light(then, days[0], rule), light(now, days[1], rule)
        if lit[0].colour != lit[1].colour:
            told.append(("light", _lit(*lit)))
        if not told and then != now:
            told.append(("other", Text(zh="其他内容有更正", en="other fields were corrected")))
        found += [Change(id_, now.name, kind, what) for kind, what in told]
    gone = Text(zh="移出台账", en="taken out of the ledger")
    return found + [Change(id_, one.name, "gone", gone) for id_, one in before.items() if id_ not in after]


Told = list[tuple[str, Text]]


def _lit(then: Light, now: Light) -> Text:
    words = colours()
    return Text(
        zh=f"灯由{words[then.colour]['zh']}转{words[now.colour]['zh']}：{now.why.zh}",
        en=f"light from {words[then.colour]['en']} to {words[now.colour]['en']}: {now.why.en}",
    )


def _stages(then: Entry, now: Entry) -> Told:
    names, nothing = stages(), Text(zh="（未填）", en="(none)")
    if then.at == now.at:
        return []
    old, new, day = names.get(then.at, nothing), names.get(now.at, nothing), now.actual.get(now.at, "")
    zh, en = f"{old.zh} → {new.zh}", f"{old.en} → {new.en}"
    return [("stage", Text(zh=f"{zh}（{day}）" if day else zh, en=f"{en} ({day})" if day else en))]


def _points(then: Entry, now: Entry) -> Told:
    known = {one.what: one for one in then.points}
    told: Told = []
    for one in now.points:
        old = known.get(one.what)
        if old is None:
            told.append(
                (
                    "point",
                    Text(
                        zh=f"新卡点：{one.what}（{one.unit}，{one.deadline} 前）",
                        en=f"new blocked point: {one.what} ({one.unit}, by {one.deadline})",
                    ),
                )
            )
        if one.closed and not (old and old.closed):
            told.append(
                ("closed", Text(zh=f"销号：{one.what}（{one.closed}）", en=f"solved: {one.what} ({one.closed})"))
            )
        elif old and old.deadline != one.deadline:
            told.append(
                (
                    "point",
                    Text(
                        zh=f"时限 {old.deadline} → {one.deadline}：{one.what}",
                        en=f"deadline {old.deadline} → {one.deadline}: {one.what}",
                    ),
                )
            )
    return told


def _numbers(then: Entry, now: Entry) -> Told:
    told: Told = []
    for key in AMOUNTS:
        old, new = getattr(then, key), getattr(now, key)
        if old != new:
            zh, en = (
                f"{column(key)[one]} {'—' if old is None else f'{old:g}'} → {'—' if new is None else f'{new:g}'}"
                for one in ("zh", "en")
            )
            told.append(("delivered" if "given" in key else "money", Text(zh=zh, en=en)))
    return told


def _dates(then: Entry, now: Entry) -> Told:
    names, told = stages(), []
    for key, name in names.items():
        old, new = then.planned.get(key, ""), now.planned.get(key, "")
        if old and old != new:
            zh, en = f"计划{name.zh} {old} → {new or '—'}", f"planned {name.en}: {old} → {new or '—'}"
            told.append(("date", Text(zh=zh, en=en)))
    if now.registered and not then.registered:
        told.append(("date", Text(zh=f"入库（{now.registered}）", en=f"registered ({now.registered})")))
    return told


def counted(changed: Iterable[Change]) -> dict[str, int]:
    """Kind -> how many changes."""
    found: dict[str, int] = {}
    for one in changed:
        found[one.kind] = found.get(one.kind, 0) + 1
    return found
