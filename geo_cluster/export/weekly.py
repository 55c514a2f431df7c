"""The weekly paper on projects under way （推进周报）: where they stand, what changed, lists, blocked points."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.export.outline import Block, Grid, Lines, Outline, Part
from geo_cluster.export.paper import typeset
from geo_cluster.policy.durations import ahead, conversion_note, expected, starts_among
from geo_cluster.policy.ledger import GIVEN, PROMISED, Entry
from geo_cluster.policy.lights import DEFAULT, colours, light, rules
from geo_cluster.policy.lists import LISTS, Change, open_points, the_three
from geo_cluster.policy.places import Places
from geo_cluster.policy.stages import point_kinds, role, stages
from geo_cluster.world import catalog
from geo_cluster.world.spreadsheet import inert

MOST = 60
"""Rows of a table at most; the sentence says how many there are in all."""

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "激光产业项目推进周报",
        "about": "{first}至{last}",
        "rule": "亮灯口径：{rule}",
        "state": "总体情况",
        "state_said": "台账在推项目 {n} 个，{stages}；亮灯：{lights}。未销号卡点 {points} 条，其中超期 {late} 条。",
        "money": "计划总投资 {plan:,.1f} 亿元（{known} 个项目填报），累计完成 {done:,.1f} 亿元。",
        "changed": "本周变化",
        "changed_said": "与{first}相比有 {n} 处变化，涉及 {projects} 个项目。",
        "nothing": "与{first}相比没有变化。",
        "uncompared": "没有上周台账，未作比较。",
        "lists": "三张清单",
        "not_started": "应开未开",
        "behind": "进度滞后",
        "unregistered": "未入库",
        "list_said": "{name} {n} 个。",
        "points": "卡点与销号",
        "points_said": "未销号 {n} 条，超期 {late} 条{closed}。",
        "closed_said": "；本周销号 {n} 条",
        "promised": "要素兑现",
        "promised_said": "承诺与兑现（只计已填报的项目）。",
        "no_promise": "台账没有填报承诺。",
        "expected": "预计节点",
        "expected_said": "未投产项目 {n} 个可按同类项目用时推算开工、投产时间。"
        "以下是基率，不是预测：样本只有几个项目；“—”为该日期已过而节点未到。",
        "conversion": "已签约未开工 {n} 个，按签约到开工的基率约有 {low}–{high} 个会开工。{note}。",
        "notes": "说明",
        "rule_said": "{said}。来源：{source}。仪式日期不算阶段。",
        "none": "—",
        "more": "表中列前 {most} 个。",
        "and": "、",
        "to": "至",
    },
    "en": {
        "title": "Weekly paper on laser projects under way",
        "about": "{first} to {last}",
        "rule": "Lights: {rule}",
        "state": "Where they stand",
        "state_said": "{n} projects in the ledger: {stages}. Lights: {lights}. "
        "{points} open blocked points, {late} late.",
        "money": "{plan:,.1f} hundred M yuan planned ({known} projects say so), {done:,.1f} invested so far.",
        "changed": "What changed",
        "changed_said": "{n} changes in {projects} projects since {first}.",
        "nothing": "Nothing changed since {first}.",
        "uncompared": "There is no ledger of last week to compare with.",
        "lists": "The three lists",
        "not_started": "Should have started",
        "behind": "Behind schedule",
        "unregistered": "Not registered",
        "list_said": "{name}: {n}.",
        "points": "Blocked points",
        "points_said": "{n} open, {late} of them late{closed}.",
        "closed_said": "; {n} solved this week",
        "promised": "Promised and delivered",
        "promised_said": "Promised and delivered (of the projects that say so).",
        "no_promise": "The ledger states no promise.",
        "expected": "What to expect",
        "expected_said": "For {n} projects not in production, start or production follows from how long others took. "
        "These are base rates of a few projects, no forecast; — is a date that is past.",
        "conversion": "{n} are signed and not started; by the base rates {low}–{high} of them start. {note}.",
        "notes": "How it was told",
        "rule_said": "{said}. Source: {source}. The date of a ceremony is no stage.",
        "none": "—",
        "more": "The first {most} are listed.",
        "and": ", ",
        "to": "to",
    },
}
HEADS: dict[str, dict[Language, tuple[str, ...]]] = {
    "changed": {"zh": ("项目", "变化"), "en": ("Project", "What")},
    "list": {
        "zh": ("项目", "市州", "情况", "责任单位", "责任人"),
        "en": ("Project", "City", "What", "Unit in charge", "Owner"),
    },
    "points": {
        "zh": ("项目", "类别", "卡点", "责任单位", "时限"),
        "en": ("Project", "Kind", "Blocked point", "Responsible unit", "Deadline"),
    },
    "promised": {
        "zh": ("要素", "承诺", "已兑现", "兑现率", "项目（个）"),
        "en": ("Resource", "Promised", "Delivered", "Share", "Projects"),
    },
    "expected": {
        "zh": ("项目", "阶段", "最早", "居中", "最晚", "样本（个）"),
        "en": ("Project", "Stage", "Earliest", "Middle", "Latest", "n"),
    },
}


@dataclass(frozen=True, eq=False)
class Week:
    """What a weekly paper is about.

    Attributes
    ----------
    projects : mapping of Entry
        Now.
    changed : sequence of Change, optional
        Since the first day; None where there is nothing to compare with.
    first, day : date
        The days that are compared.
    places : Places
    rule : str
        By which lights are given.
    """

    projects: Mapping[str, Entry]
    changed: Sequence[Change] | None
    first: datetime.date
    day: datetime.date
    places: Places
    rule: str = DEFAULT


def weekly(week: Week, language: Language = "zh") -> bytes:
    """The paper as a .docx file."""
    return typeset(weekly_outline(week, language), language)


def weekly_outline(week: Week, language: Language = "zh") -> Outline:
    """The paper as it is laid out."""
    words, rule = WORDS[language], rules()[week.rule]
    about = (
        words["about"].format(first=written(week.first, language), last=written(week.day, language)),
        words["rule"].format(rule=rule["name"][language]),
    )
    parts = [_state(week, language), _changed(week, language), *_lists(week, language), _points(week, language)]
    parts += [_promised(week, language), _expected(week, language)]
    said = words["rule_said"].format(said=rule["said"][language], source=rule["source"])
    parts.append(Part("notes", words["notes"], words["notes"], said))
    return Outline(title=words["title"], about=about, parts=tuple(parts))


def written(day: datetime.date, language: Language) -> str:
    """A day as a paper writes it: 2026年11月30日, 2026-11-30."""
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else str(day)


def _grid(name: str, title: str, heads: tuple[str, ...], rows: Iterable[Sequence[object]], numeric: int = 0) -> Grid:
    """A table of texts; the last `numeric` columns stand to the right."""
    texts = tuple(tuple(inert(str(cell)) for cell in row) for row in rows)[:MOST]
    right = tuple(number >= len(heads) - numeric for number in range(len(heads)))
    return Grid(name, title, heads, pd.DataFrame(texts, columns=list(heads)), texts, right, len(texts))


def _state(week: Week, language: Language) -> Part:
    words, names, lit = WORDS[language], stages(), colours()
    at = Counter(one.at for one in week.projects.values())
    stop = words["and"]
    told = stop.join(f"{name[language]} {at[key]}" for key, name in names.items() if at[key]) or words["none"]
    seen = Counter(light(one, week.day, week.rule).colour for one in week.projects.values())
    shown = stop.join(f"{one[language]} {seen[key]}" for key, one in lit.items() if seen[key]) or words["none"]
    late = sum(point.is_late(week.day) for one in week.projects.values() for point in one.points)
    count = sum(len(one.open_points) for one in week.projects.values())
    message = words["state_said"].format(n=len(week.projects), stages=told, lights=shown, points=count, late=late)
    planned = [one.investment_100m_yuan for one in week.projects.values() if one.investment_100m_yuan is not None]
    done = sum(one.invested_100m_yuan or 0.0 for one in week.projects.values())
    money = words["money"].format(plan=sum(planned), known=len(planned), done=done)
    return Part("state", words["state"], words["state"], message, (Lines((money,)),) if planned else ())


def _changed(week: Week, language: Language) -> Part:
    words = WORDS[language]
    if not week.changed:
        said = words["uncompared" if week.changed is None else "nothing"].format(first=written(week.first, language))
        return Part("changed", words["changed"], words["changed"], said)
    many = len({one.id for one in week.changed})
    said = words["changed_said"].format(n=len(week.changed), projects=many, first=written(week.first, language))
    rows = [(one.name, one.what[language]) for one in week.changed]
    return Part("changed", words["changed"], words["changed"], said + _more(rows, language), (
        _grid("changed", words["changed"], HEADS["changed"][language], rows),
    ))  # fmt: skip


def _more(rows: Sequence[object], language: Language) -> str:
    return WORDS[language]["more"].format(most=MOST) if len(rows) > MOST else ""


def _lists(week: Week, language: Language) -> list[Part]:
    words, three = WORDS[language], the_three(week.projects, week.day, week.rule)
    parts = []
    for name in LISTS:
        rows = [
            (
                one.entry.name,
                week.places.city_name(one.entry.city, language),
                one.why[language],
                one.entry.unit,
                one.entry.owner,
            )
            for one in three[name]
        ]
        said = words["list_said"].format(name=words[name], n=len(rows)) + _more(rows, language)
        blocks: tuple[Block, ...] = (_grid(name, words[name], HEADS["list"][language], rows),) if rows else ()
        parts.append(Part(name, words[name], words["lists"], said, blocks))
    return parts


def _points(week: Week, language: Language) -> Part:
    words, kinds, found = WORDS[language], point_kinds(), open_points(week.projects, week.day)
    late = sum(point.is_late(week.day) for *_, point in found)
    count = sum(one.kind == "closed" for one in week.changed or ())
    closed = "" if week.changed is None else words["closed_said"].format(n=count)
    said = words["points_said"].format(n=len(found), late=late, closed=closed)
    rows = [(one.name, kinds[point.kind][language], point.what, point.unit, point.deadline) for _, one, point in found]
    blocks = (_grid("points", words["points"], HEADS["points"][language], rows),) if rows else ()
    return Part("points", words["points"], words["points"], said + _more(rows, language), blocks)


def _promised(week: Week, language: Language) -> Part:
    words, kinds = WORDS[language], catalog.resources()
    rows = []
    for name, column in PROMISED.items():
        said = [(getattr(one, column), getattr(one, GIVEN[name]) or 0.0) for one in week.projects.values()]
        said = [(asked, given) for asked, given in said if asked]
        if said and name in kinds:
            asked, given = (sum(one) for one in zip(*said, strict=True))
            title = kinds[name].offer_title(language)
            rows.append((title, f"{asked:,.1f}", f"{given:,.1f}", f"{given / asked:.0%}", len(said)))
    blocks = (_grid("promised", words["promised"], HEADS["promised"][language], rows, 4),) if rows else ()
    return Part(
        "promised", words["promised"], words["promised"], words["promised_said" if rows else "no_promise"], blocks
    )


def _expected(week: Week, language: Language) -> Part:
    words, names = WORDS[language], stages()
    wanted = (role("start"), role("production"))
    rows = [
        (one.name, names[found.stage][language], *(ahead(end, week.day) for end in found.ends), found.count)
        for one in week.projects.values()
        if not one.has_reached("production")
        for found in expected(one)
        if found.stage in wanted
    ]
    signed, low, high = starts_among(list(week.projects.values()))
    note = conversion_note()[language]
    said = words["expected_said"].format(n=len({row[0] for row in rows})) if rows else words["none"]
    blocks: list[Block] = [_grid("expected", words["expected"], HEADS["expected"][language], rows, 4)] if rows else []
    if signed:
        blocks.append(Lines((words["conversion"].format(n=signed, low=math.floor(low), high=math.ceil(high), note=note),)))
    return Part("expected", words["expected"], words["expected"], said + _more(rows, language), tuple(blocks))


__all__ = ["Week", "weekly", "weekly_outline"]
