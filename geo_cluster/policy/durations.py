"""When a project may reach its next stages: from how long others took (`data/geo/durations.csv`), few as they are.

These are base rates of a handful of projects, not forecasts: with n of them, one more lies between the shortest and the
longest with a chance of (n - 1) / (n + 1), whatever the distribution, if it is one of the same kind.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache

import pandas as pd

from geo_cluster.domain import Text
from geo_cluster.policy.ledger import Entry
from geo_cluster.policy.stages import after_months, declared, is_ceremony, span, stages
from geo_cluster.world.layers import Layers

ACTUAL = ("actual", "actual_below")
"""Kinds of durations that came to pass; what was planned says nothing of how long it takes."""


LEAST = 2
"""Fewer projects give no interval."""


@dataclass(frozen=True)
class Rate:
    """How long it took others from one stage to another.

    Attributes
    ----------
    start, end : str
        Stages.
    low, middle, high : float
        Shortest, median and longest, months.
    count : int
        How many they are.
    ceremonies : int
        How many of them end at a ceremony or begin with one.
    ids : tuple of str
        Rows of the layer.
    """

    start: str
    end: str
    low: float
    middle: float
    high: float
    count: int
    ceremonies: int
    ids: tuple[str, ...]

    @property
    def chance(self) -> float:
        """Chance that one more lies between the shortest and the longest."""
        return (self.count - 1) / (self.count + 1)


@dataclass(frozen=True)
class Expected:
    """When a project may reach a stage.

    Attributes
    ----------
    stage : str
    since : str
        The stage from whose date it is counted.
    early, middle, late : date
    rates : tuple of Rate
        What it is the sum of.
    """

    stage: str
    since: str
    early: datetime.date
    middle: datetime.date
    late: datetime.date
    rates: tuple[Rate, ...]

    @property
    def ends(self) -> tuple[datetime.date, datetime.date, datetime.date]:
        """The earliest, the middle and the latest day."""
        return self.early, self.middle, self.late

    @property
    def count(self) -> int:
        """The fewest projects that a step of it rests on."""
        return min(rate.count for rate in self.rates)

    @property
    def basis(self) -> Text:
        """What it rests on, in a sentence."""
        names = stages()
        zh, en = [], []
        for one in self.rates:
            told = f"{one.low:g}–{one.high:g}"
            shown = f"，其中 {one.ceremonies} 个为仪式日期" if one.ceremonies else ""
            shown_en = f", {one.ceremonies} by the date of a ceremony" if one.ceremonies else ""
            zh.append(f"{names[one.start].zh}到{names[one.end].zh} {told} 个月（n={one.count}{shown}）")
            en.append(f"{names[one.start].en} to {names[one.end].en} {told} months (n={one.count}{shown_en})")
        chance = f"{min(one.chance for one in self.rates):.0%}"
        return Text(
            zh=f"基率，不是预测：{'，'.join(zh)}；每一步落在区间内的把握约 {chance}",
            en=f"base rates, no forecast: {', '.join(en)}; each step lies within with a chance of about {chance}",
        )


@cache
def table() -> pd.DataFrame:
    """The shipped durations with the stages that they speak of: `start`, `end` ('' for none of ours)."""
    spoken = {word: row["key"] for row in declared()["stage"] for word in row.get("spoken", ())}
    found = Layers().read("durations")
    return found.assign(
        start=found["from_stage_zh"].map(spoken).fillna(""), end=found["to_stage_zh"].map(spoken).fillna("")
    )


@cache
def rates() -> dict[tuple[str, str], Rate]:
    """From and to -> how long it took those that are known."""
    known, names = table(), list(stages())
    known = known[known["kind"].isin(ACTUAL) & (known["start"] != "") & (known["end"] != "")]
    found = {}
    for (start, end), rows in known.groupby(["start", "end"], sort=False):
        if start in names and end in names and names.index(start) < names.index(end):
            shown = rows["from_stage_zh"].map(is_ceremony) | rows["to_stage_zh"].map(is_ceremony)
            months = rows["months"].astype(float)
            ends = (float(months.min()), float(months.median()), float(months.max()))
            found[str(start), str(end)] = Rate(
                str(start), str(end), *ends, len(rows), int(shown.sum()), tuple(rows["id"])
            )
    return found


@cache
def _ways(start: str, end: str) -> tuple[Rate, ...]:
    """The steps from one stage to another that rest on most projects, then the fewest; none where a step is unknown.

    One project alone gives no interval.
    """
    best: tuple[Rate, ...] = ()
    for (first, between), rate in rates().items():
        if first != start or rate.count < LEAST:
            continue
        rest = () if between == end else _ways(between, end)
        way = (rate, *rest)
        if between == end or rest:
            best = max(best, way, key=lambda one: (min((r.count for r in one), default=0), -len(one)))
    return best


def expected(entry: Entry) -> list[Expected]:
    """When a project may reach the stages that it hasn't: by the last of its dates from which a way is known.

    Stages to which no way is known are left out.
    """
    names = list(stages())
    at = names.index(entry.at) if entry.at else -1
    dated = [key for key in reversed(names[: at + 1]) if entry.actual.get(key)]
    found = []
    for stage in names[at + 1 :]:
        since = next((key for key in dated if _ways(key, stage)), "")
        if since:
            steps, (first, last) = _ways(since, stage), span(entry.actual[since])
            middle = after_months(first + (last - first) / 2, sum(one.middle for one in steps))
            early = after_months(first, sum(one.low for one in steps))
            late = after_months(last, sum(one.high for one in steps))
            found.append(Expected(stage, since, early, middle, late, steps))
    return found


@dataclass(frozen=True)
class Conversion:
    """How many of the signed projects of a place and a period had started."""

    where: Text
    signed: int
    started: int
    source: str

    @property
    def share(self) -> float:
        """Started of signed."""
        return self.started / self.signed


def conversions() -> list[Conversion]:
    """The counts of `tables/stages.toml`."""
    rows = declared()["conversion"]
    return [Conversion(Text(**row["where"]), row["signed"], row["started"], row["source"]) for row in rows]


def starts_among(entries: list[Entry]) -> tuple[int, float, float]:
    """How many projects are signed and not started, and how many of them may start: at the lowest and highest rate."""
    signed = sum(one.has_reached("signed") and not one.has_reached("start") for one in entries)
    shares = [one.share for one in conversions()]
    return signed, signed * min(shares), signed * max(shares)


def conversion_note() -> Text:
    """What the conversion rests on, in a sentence."""
    known = conversions()
    low, high = min(one.share for one in known), max(one.share for one in known)
    zh = "、".join(f"{one.where.zh} {one.share:.0%}" for one in known)
    en = ", ".join(f"{one.where.en} {one.share:.0%}" for one in known)
    return Text(
        zh=f"签约到开工 {low:.0%}–{high:.0%}：{zh}；都是同期个数之比，不是同一批项目的追踪，只作基率",
        en=f"signed to started {low:.0%}–{high:.0%}: {en}; counts of one period, not of the same projects: a base rate",
    )


def ahead(day: datetime.date, today: datetime.date) -> str:
    """A day of an interval that is still to come; — for one that is past without the stage being reached."""
    return str(day) if day >= today else "—"
