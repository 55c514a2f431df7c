"""Projects under way: what is known of each, where it stands, and what is wrong with what was entered.

An entry is one project as of one moment; the workspace keeps every one that was ever saved.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import Field

from geo_cluster.domain import Declared, NonNegative
from geo_cluster.errors import Fault, Place
from geo_cluster.policy.stages import point_kinds, role, span, stage_of, stages

At = Callable[[str], Place]
"""Where a field of an entry stands, as people know it: a cell, or a field of a form."""

PROMISED = {"land": "land_mu", "power": "power_mva", "energy": "energy_tce"}
"""Resource (tables/resources.toml) -> field of what was promised of it."""
GIVEN = {"land": "land_given_mu", "power": "power_given_mva", "energy": "energy_given_tce"}
"""Resource -> field of what was delivered."""

AMOUNTS: tuple[str, ...] = ("investment_100m_yuan", "invested_100m_yuan", "year_plan_100m_yuan", "year_done_100m_yuan")
AMOUNTS += (*PROMISED.values(), *GIVEN.values())
"""Fields that are numbers."""


class Point(Declared):
    """What holds a project up, and who has to solve it by when."""

    kind: str = "other"
    """A key of the kinds of `tables/stages.toml`."""
    what: str = Field(min_length=1)
    unit: str = ""
    """The responsible unit."""
    owner: str = ""
    raised: str = ""
    """Year, month or day."""
    deadline: str = ""
    closed: str = ""
    """When it was solved （销号）; '' while it is open."""
    notes: str = ""

    def is_late(self, day: datetime.date) -> bool:
        """Whether it is open after its deadline."""
        return bool(not self.closed and self.deadline and span(self.deadline)[1] < day)


class Entry(Declared):
    """One project under way. Days are texts: a year, a month or a day."""

    name: str = Field(min_length=1)
    firm: str = ""
    city: str = ""
    """Code of the prefecture."""
    site: str = ""
    """Id of the site; '' where it is not known."""
    stage: str = ""
    """Stage that somebody said, where no date says it."""
    planned: dict[str, str] = Field(default_factory=dict)
    """Stage -> when it is to be reached."""
    actual: dict[str, str] = Field(default_factory=dict)
    """Stage -> when it was reached."""
    investment_100m_yuan: NonNegative | None = None
    invested_100m_yuan: NonNegative | None = None
    year_plan_100m_yuan: NonNegative | None = None
    year_done_100m_yuan: NonNegative | None = None
    registered: str = ""
    """When it entered the investment statistics （入库）."""
    land_mu: NonNegative | None = None
    land_given_mu: NonNegative | None = None
    power_mva: NonNegative | None = None
    power_given_mva: NonNegative | None = None
    energy_tce: NonNegative | None = None
    energy_given_tce: NonNegative | None = None
    unit: str = ""
    owner: str = ""
    counts: bool = True
    """Whether what it was promised counts in the pools of later plans."""
    points: tuple[Point, ...] = ()
    source: str = ""
    notes: str = ""

    @property
    def at(self) -> str:
        """The stage that it has reached: the last with an actual date, or a later one that was said; '' for none."""
        known = list(stages())
        reached = [known.index(key) for key in (*self.actual, self.stage) if key in known]
        return known[max(reached)] if reached else ""

    def has_reached(self, what: str) -> bool:
        """Whether it has reached the stage of a role (`signed`, `start`, `production`)."""
        known = list(stages())
        return bool(self.at) and known.index(self.at) >= known.index(role(what))

    @property
    def open_points(self) -> list[Point]:
        """Blocked points that are not solved."""
        return [one for one in self.points if not one.closed]

    @property
    def promised(self) -> dict[str, float]:
        """Resource -> how much was promised, in its unit; nothing where it doesn't count or has no site."""
        if not (self.site and self.counts):
            return {}
        amounts = {name: getattr(self, column) for name, column in PROMISED.items()}
        return {name: float(amount) for name, amount in amounts.items() if amount}


def faults(entry: Entry, at: At, *, day: datetime.date) -> Iterator[Fault]:
    """What contradicts itself in an entry.

    Parameters
    ----------
    entry : Entry
    at : callable
        Where a field stands: `investment_100m_yuan`, `planned.start`, `points.0.unit`, ….
    day : date
        Today: nothing actual is later.
    """
    yield from _order(entry.planned, at, "planned")
    yield from _order(entry.actual, at, "actual")
    ended = {f"actual.{key}": said for key, said in entry.actual.items()} | {"registered": entry.registered}
    for key, said in ended.items():
        if said and span(said)[0] > day:
            yield Fault("policy.not_yet", at(key), said=said, day=str(day))
    yield from _said_stage(entry, at)
    plan, done = entry.investment_100m_yuan, entry.invested_100m_yuan
    if plan is not None and done is not None and done > plan:
        yield Fault("policy.invested_above_plan", at("invested_100m_yuan"), done=done, plan=plan)
    start = entry.actual.get(role("start"), "")
    if entry.registered and start and span(entry.registered)[1] < span(start)[0]:
        yield Fault("policy.registered_before_start", at("registered"), said=entry.registered, start=start)
    for number, point in enumerate(entry.points):
        yield from _point(point, _within(at, f"points.{number}"))


def _within(at: At, key: str) -> At:
    """Where the fields of something within an entry stand."""
    return lambda inner: at(f"{key}.{inner}")


def _order(days: Mapping[str, str], at: At, which: str) -> Iterator[Fault]:
    """Each stage that surely comes before one that should come before it."""
    names = stages()
    for key in days:
        if key not in names:
            yield Fault("policy.unknown_stage", at(f"{which}.{key}"), stage=key, known=list(names.values()))
    dated = [(key, days[key]) for key in names if days.get(key)]
    for number, (key, said) in enumerate(dated):
        late = next(((one, day) for one, day in dated[:number] if span(day)[0] > span(said)[1]), None)
        if late:
            more = {"stage": names[key], "said": said, "before": names[late[0]], "earlier": late[1]}
            yield Fault("policy.stages_out_of_order", at(f"{which}.{key}"), **more)


def _said_stage(entry: Entry, at: At) -> Iterator[Fault]:
    """The stage that was said, where it is none or one that was left behind."""
    names = stages()
    if entry.stage and entry.stage not in names:
        yield Fault("policy.unknown_stage", at("stage"), stage=entry.stage, known=list(names.values()))
    elif entry.stage and entry.at != entry.stage:
        more = {"stage": names[entry.stage], "later": names[entry.at], "said": entry.actual[entry.at]}
        yield Fault("policy.stage_left_behind", at("stage"), **more)


def _point(point: Point, at: At) -> Iterator[Fault]:
    """What a blocked point lacks or contradicts."""
    if point.kind not in point_kinds():
        yield Fault("policy.unknown_point", at("kind"), kind=point.kind, known=list(point_kinds().values()))
    if not point.unit.strip():
        yield Fault("policy.point_without_unit", at("unit"), what=point.what)
    if not point.deadline:
        yield Fault("policy.point_without_deadline", at("deadline"), what=point.what)
    for key, said in (("deadline", point.deadline), ("closed", point.closed)):
        if said and point.raised and span(said)[1] < span(point.raised)[0]:
            yield Fault("policy.ends_before_start", at(key), what=point.what, raised=point.raised, said=said)


def same(name: str) -> str:
    """A name without what doesn't tell two projects apart: spaces, width, case, brackets.

    >>> same("激光器 扩产（二期）") == same("激光器扩产(二期)")
    True
    """
    return "".join(one for one in name.replace("（", "(").replace("）", ")").lower() if not one.isspace())


def duplicates(entries: Iterable[tuple[str, Entry]], at: Callable[[str], Place]) -> Iterator[Fault]:
    """Projects that stand there twice, by name and city.

    Parameters
    ----------
    entries : iterable of (str, Entry)
        Id and project.
    at : callable
        Where the project with an id stands.
    """
    first: dict[tuple[str, str], str] = {}
    for id_, entry in entries:
        key = same(entry.name), entry.city
        earlier = first.setdefault(key, id_)
        if earlier != id_:
            yield Fault("policy.same_project", at(id_), name=entry.name, earlier=earlier)


def stage_word(text: str) -> str:
    """The key of a stage as somebody wrote it; what is none stays as it is, to be refused by name."""
    return stage_of(text) or text


def promised_settings(entries: Iterable[Entry], *, but: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Entries of the scenario's `promised`: what each project was promised at its site.

    Parameters
    ----------
    entries : iterable of Entry
    but : iterable of str
        Names of projects that are left out, such as those of the portfolio at hand.
    """
    left = {same(name) for name in but}
    return [
        {"project": one.name, "site": one.site, "amounts": one.promised, "source": one.source or one.name}
        for one in entries
        if one.promised and same(one.name) not in left
    ]
