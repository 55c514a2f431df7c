"""The life of rules: which law, price or support is in force on a day, and what is said where none is.

Rules stand in tables, each row with issuer, number, `valid_from` and `valid_to`; `tables/rules.toml` names the tables.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from typing import Any

import pandas as pd
from pydantic import ValidationError

from geo_cluster import toml
from geo_cluster.domain import LANGUAGES, Language, RuleLife, RuleState, RuleTopic, Text
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.world import catalog

Table = Mapping[str, Any]

VALID: tuple[RuleState, ...] = ("in_force", "open")
"""States in which a rule may be applied without a word."""

STATES: Mapping[RuleState, Text] = {
    "in_force": Text(zh="有效", en="in force"),
    "open": Text(zh="有效（未载截止日期）", en="in force (no end stated)"),
    "not_yet": Text(zh="尚未施行", en="not yet in force"),
    "expired": Text(zh="已失效", en="expired"),
    "unknown": Text(zh="有效期未知", en="life unknown"),
}

USES: Mapping[str, Text] = {
    "applied": Text(zh="适用", en="applied"),
    "indication": Text(zh="仅作参考", en="an indication only"),
    "left_out": Text(zh="不计入", en="left out"),
}

_OF_LIFE = ("issuer", "number", "publisher", "source", "source_class", "confidence")


@dataclass(frozen=True)
class Found:
    """The rule that was looked up for a day.

    Attributes
    ----------
    row : mapping
        As it stands in its table.
    life : RuleLife
    day : date
    topic : RuleTopic
    """

    row: Table
    life: RuleLife
    day: datetime.date
    topic: RuleTopic

    @property
    def state(self) -> RuleState:
        """Where it is in its life on the day."""
        return self.life.state(self.day)

    @property
    def use(self) -> str:
        """What is made of it: a key of `USES`."""
        if self.state in VALID:
            return "applied"
        return "indication" if self.state == "unknown" else self.topic.otherwise

    @property
    def item(self) -> Text | None:
        """What of the document the row is, where it holds several things."""
        titled = "title" in self.row or "title_zh" in self.row
        return (
            _title({key: self.row[key] for key in self.row if key.startswith("name")})
            if titled and _named(self.row)
            else None
        )

    def words(self, language: Language) -> str:
        """What has to be said of it on that day; '' where it is in force."""
        return "" if self.state in VALID else _SAY[language](self)


def _zh(found: Found) -> str:
    title, span = found.life.title.zh, span_of(found.life, "zh")
    title = title if title.startswith("《") else f"《{title}》"
    name, used = found.topic.name.zh, found.use == "indication"
    if found.state == "unknown":
        return f"{name}：{title}的施行日期未查到，{found.day}是否有效未知，{USES[found.use].zh}。"
    last = "最近一份" if found.state == "expired" else "其后最早一份"
    what = f"以{last}{title}（{span}）作参考" if used else f"{title}（{span}）不计入"
    return f"{name}：没有已知于{found.day}有效的规则，{what}。"


def _en(found: Found) -> str:
    title, span = found.life.title.en, span_of(found.life, "en")
    name, used = found.topic.name.en, found.use == "indication"
    if found.state == "unknown":
        return f"{name}: since when {title} is in force was not found, so on {found.day} it is an indication only."
    last = "the last one" if found.state == "expired" else "the next one"
    what = f"{last}, {title} ({span}), is used as an indication" if used else f"{title} ({span}) is left out"
    return f"{name}: on {found.day} none is known to be in force; {what}."


_SAY = {"zh": _zh, "en": _en}


def span_of(life: RuleLife, language: Language) -> str:
    """Number of a rule and its life, to show in brackets."""
    if language == "zh":
        start = f"{life.valid_from}" if life.valid_from else "施行日期未载"
        begun = "起，" if life.valid_from else "，"
        end = f"至{life.valid_to}" if life.valid_to else f"{begun}未载截止日期"
        return "，".join(part for part in (life.number, f"{start}{end}") if part)
    start = f"{life.valid_from}" if life.valid_from else "start not stated,"
    begun = "on, " if life.valid_from else ""
    end = f"to {life.valid_to}" if life.valid_to else f"{begun}no end stated"
    number = life.number if life.number.isascii() else ""  # one in Chinese says nothing to who reads English
    return ", ".join(part for part in (number, f"{start} {end}") if part)


def life_of(row: Table, *, where: Place | str) -> RuleLife:
    """The life of a row of a table of rules.

    Parameters
    ----------
    row : mapping
        With `valid_from` (a date, or '' where the day is not known), optional `valid_to`, and issuer, number,
        publisher, source, source_class, confidence as far as they are known.
    where : Place or str
        Where the row is, for faults.

    Raises
    ------
    InputError
        For a rule without `valid_from`, what is no date, an end before the beginning, a title or issuer that isn't in
        both languages, a class of source that there isn't.
    """
    at = where if isinstance(where, Place) else Place(where)
    faults = [] if "valid_from" in row else [Fault("rules.undated", at)]
    for name in ("valid_from", "valid_to"):
        value = row.get(name, "")
        if value != "" and (not isinstance(value, datetime.date) or isinstance(value, datetime.datetime)):
            faults.append(Fault("rules.no_date", at, name=name, got=toml.shown(value)))
    refuse_if(faults)
    start, end = (row.get(name) or None for name in ("valid_from", "valid_to"))
    if start and end and end < start:
        raise InputError(Fault("rules.ends_before_it_begins", at, start=str(start), end=str(end)))
    kept = {key: row[key] for key in _OF_LIFE if key in row}
    try:
        return RuleLife(title=_title(row), valid_from=start, valid_to=end, **kept)
    except ValidationError as problem:
        raise InputError(catalog.faults_of(problem, at)) from None


def _title(row: Table) -> Text:
    """What a row calls itself in both languages: `title`, `title_zh` and `title_en`, or the same of `name`."""
    for name in ("title", "name"):
        if name in row:
            return Text.model_validate(row[name])
        if f"{name}_zh" in row:
            return Text(zh=row[f"{name}_zh"], en=row.get(f"{name}_en", ""))
    return Text(zh=str(row.get("id", "未命名")), en=str(row.get("id", "unnamed")))


def _named(row: Table) -> bool:
    return "name" in row or "name_zh" in row


@cache
def topics() -> dict[str, RuleTopic]:
    """Every kind of rule by name (`tables/rules.toml`)."""
    return {name: RuleTopic.model_validate(row) for name, row in toml.table("rules").items()}


def rows_of(topic: str, table: Table) -> list[dict[str, Any]]:
    """Rows of a topic in its parsed table, each with what `[life]` of the table says of all of them."""
    found: Any = reduce(lambda inner, key: inner.get(key, {}), topics()[topic].rows.split("."), table)
    rows = [found] if isinstance(found, Mapping) and found else list(found)
    return [{**table.get("life", {}), **row} for row in rows]


def versions(topic: str, table: Table) -> dict[tuple[str, ...], list[tuple[dict[str, Any], RuleLife]]]:
    """Rows of a topic with their lives, by the thing that they are versions of.

    Parameters
    ----------
    topic : str
        Key of `tables/rules.toml`.
    table : mapping
        The parsed table, shipped or somebody's own.

    Raises
    ------
    InputError
        With every fault: rules without a date, an end before the beginning, two versions in force at once.
    """
    return _versions(topic, _Kept(table))


class _Kept:
    """A parsed table as a key of a cache: the same object is read once."""

    def __init__(self, table: Table):
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.table is self.table


@lru_cache(maxsize=64)
def _versions(topic: str, kept: _Kept) -> dict[tuple[str, ...], list[tuple[dict[str, Any], RuleLife]]]:
    declared, faults = topics()[topic], []
    found: dict[tuple[str, ...], list[tuple[dict[str, Any], RuleLife]]] = {}
    rows = rows_of(topic, kept.table)
    at: dict[int, int] = {}
    for number, row in enumerate(rows, start=1):
        try:
            life = life_of(row, where=Place(f"{declared.table}.toml", sheet=f"[{declared.rows}]", row=number))
        except InputError as refusal:
            faults += refusal.faults
            continue
        at[id(row)] = number
        found.setdefault(tuple(str(row.get(key, "")) for key in declared.key), []).append((row, life))
    for same in found.values():
        faults += _overlaps(same, at, declared)
    if not rows:
        faults.append(Fault("rules.no_rule", Place(f"{declared.table}.toml", sheet=f"[{declared.rows}]")))
    refuse_if(faults)
    return found


def _overlaps(
    same: Sequence[tuple[dict[str, Any], RuleLife]], at: Mapping[int, int], declared: RuleTopic
) -> list[Fault]:
    """Versions of one thing that are in force at once, each with the one before it."""
    dated = sorted(
        ((life.valid_from, at[id(row)], life) for row, life in same if life.valid_from), key=lambda one: one[:2]
    )
    faults = []
    for (_, before, earlier), (start, number, _) in itertools.pairwise(dated):
        if earlier.valid_to is None or earlier.valid_to >= start:
            place = Place(f"{declared.table}.toml", sheet=f"[{declared.rows}]", row=number)
            faults.append(Fault("rules.lives_overlap", place, other=before, since=str(start)))
    return faults


def found_on(topic: str, day: datetime.date, *, table: Table | None = None, key: tuple[str, ...] = ()) -> Found:
    """The rule of a topic for a day: the newest in force, else the nearest in time, which says so.

    Parameters
    ----------
    topic : str
        Key of `tables/rules.toml`.
    day : date
    table : mapping, optional
        The parsed table, the shipped one when left out.
    key : tuple of str
        Which thing, where the topic has several.

    Raises
    ------
    InputError
        For faults of the table, see `versions`; a thing that has no row.
    """
    declared = topics()[topic]
    there = versions(topic, toml.table(declared.table) if table is None else table)
    if key not in there:
        raise InputError(
            Fault("rules.no_rule", Place(f"{declared.table}.toml", sheet=f"[{declared.rows}]", entry=" ".join(key)))
        )
    row, life = _nearest(there[key], day)
    return Found(row, life, day, declared)


def _nearest(same: Sequence[tuple[dict[str, Any], RuleLife]], day: datetime.date) -> tuple[dict[str, Any], RuleLife]:
    """In force (the newest), else of unknown life, else the last that expired, else the first to come."""
    first, last = datetime.date.min, datetime.date.max

    def order(one: tuple[dict[str, Any], RuleLife]) -> tuple[int, int]:
        life = one[1]
        state = life.state(day)
        if state in VALID:
            return 0, -(life.valid_from or first).toordinal()
        if state == "unknown":
            return 1, 0
        if state == "expired":
            return 2, -(life.valid_to or last).toordinal()
        return 3, (life.valid_from or last).toordinal()

    return min(same, key=order)


def applied(day: datetime.date, *, of: Sequence[str] = ()) -> list[Found]:
    """Each rule that a study or an intake of a day goes by, with its state on the day; see `found_on`.

    Parameters
    ----------
    day : date
    of : sequence of str
        Topics; all when empty.
    """
    found = []
    for topic, declared in topics().items():
        if not of or topic in of:
            table = toml.table(declared.table)
            found += [found_on(topic, day, table=table, key=key) for key in versions(topic, table)]
    return found


def warnings(day: datetime.date, *, of: Sequence[str] = (), in_full: bool = False) -> list[Text]:
    """A sentence for each kind of rule that is not in force on a day; none where all are.

    Parameters
    ----------
    day : date
    of : sequence of str
        Topics; all when empty.
    in_full : bool
        Where the rules are shown: also of prices of one month, and of rules whose life is not known.
    """
    said: dict[tuple[str, str], list[Found]] = {}
    for one in applied(day, of=of):
        if one.state in VALID or (not in_full and (one.state == "unknown" or one.topic.monthly)):
            continue
        if one.state == "not_yet" and one.topic.quiet_before:
            continue
        said.setdefault((one.topic.name.zh, one.life.number), []).append(one)
    return [_together(group) for group in said.values()]


def _together(group: Sequence[Found]) -> Text:
    """One sentence for the rows of one document, of which the first is named."""
    first, more = group[0], len(group) - 1
    zh, en = first.words("zh"), first.words("en")
    if more:
        zh, en = f"{zh[:-1]}；同一文件另有 {more} 条。", f"{en[:-1]}; likewise {more} more of the same document."
    return Text(zh=zh, en=en)


def notice(day: datetime.date) -> str:
    """One line for every file of a study whose day some rule is not in force on; '' where all are."""
    found = warnings(day)
    if not found:
        return ""
    zh, en = f"{day}：{len(found)} 类规则不在有效期内", f"kinds of rules not in force: {len(found)}"
    return f"{zh}，见 rules.csv / {en}, see rules.csv"


def table(day: datetime.date) -> pd.DataFrame:
    """Every rule that is gone by on a day, in both languages.

    Parameters
    ----------
    day : date

    Returns
    -------
    DataFrame
        One row a rule: `topic`, `topic_zh`, `topic_en`, `rule_zh`, `rule_en`, `item_zh`, `item_en` (what of the
        document it is), `issuer_zh`, `issuer_en`, `number`, `valid_from`, `valid_to`, `day`, `state` (`RuleState`),
        `state_zh`, `state_en`, `use` (`applied`, `indication`, `left_out`), `use_zh`, `use_en`, `publisher`, `source`,
        `source_class`, `confidence`.
    """
    names = {id(declared): name for name, declared in topics().items()}
    rows = [_listed(names[id(one.topic)], one) for one in applied(day)]
    return pd.DataFrame(rows)


def _listed(topic: str, one: Found) -> dict[str, str]:
    life = one.life
    texts = {"topic": one.topic.name, "rule": life.title, "item": one.item, "issuer": life.issuer}
    row = {"topic": topic}
    row |= {f"{name}_{lang}": text[lang] if text else "" for name, text in texts.items() for lang in LANGUAGES}
    row |= {"number": life.number, "valid_from": str(life.valid_from or ""), "valid_to": str(life.valid_to or "")}
    row |= {"day": str(one.day), "state": one.state}
    row |= {f"state_{lang}": STATES[one.state][lang] for lang in LANGUAGES}
    row |= {"use": one.use} | {f"use_{lang}": USES[one.use][lang] for lang in LANGUAGES}
    return row | {key: getattr(life, key) for key in ("publisher", "source", "source_class", "confidence")}


_ASKED = ("publisher", "source", "source_class", "confidence")
"""What every shipped rule says of where it was read."""


def check_tables() -> list[Fault]:
    """What is wrong with the shipped rules and their lives, for `geo-cluster check-data` and the tests."""
    faults: list[Fault] = []
    seen: dict[tuple[str, str], str] = {}
    for topic, declared in topics().items():
        first = seen.setdefault((declared.table, declared.rows), topic)
        if first != topic:
            faults.append(Fault("rules.same_rows", Place("rules.toml", sheet=f"[{topic}]"), other=first))
        try:
            versions(topic, toml.table(declared.table))
        except InputError as refusal:
            faults += refusal.faults
        faults += _unsigned(topic, toml.table(declared.table))
    return faults


def _unsigned(topic: str, table: Table) -> list[Fault]:
    """Rules that don't say where they were read, or since when they hold but not who issued them."""
    declared, faults = topics()[topic], []
    for number, row in enumerate(rows_of(topic, table), start=1):
        place = Place(f"{declared.table}.toml", sheet=f"[{declared.rows}]", row=number)
        absent = [key for key in _ASKED if not row.get(key)]
        if row.get("valid_from") and not row.get("issuer"):
            absent.insert(0, "issuer")
        if absent:
            faults.append(Fault("rules.unsigned", place, names=absent))
    return faults
