"""A ledger of projects under way as people bring it: a sheet of projects, and one of blocked points where there is one.

What the file has no column for stays as it is known; a project is known again by its id, else by name and city.
"""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pandas as pd
from pydantic import ValidationError

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults, InputError, Place
from geo_cluster.imports.headings import EXAMPLE
from geo_cluster.imports.tables import AS_IT_IS, TableChoice, read_as
from geo_cluster.policy.columns import calls, columns, titles
from geo_cluster.policy.frames import template_rows
from geo_cluster.policy.ledger import AMOUNTS, Entry, Point, duplicates, faults, same, stage_word
from geo_cluster.policy.places import Places
from geo_cluster.policy.stages import point_kinds, stages
from geo_cluster.world.sheets.cells import day as written_day
from geo_cluster.world.sheets.columns import Understood, understand
from geo_cluster.world.sheets.table import Table
from geo_cluster.world.sheets.words import plain
from geo_cluster.world.spreadsheet import as_xlsx

STAGE_HEADING = re.compile(r"^(?:计划|预计|实际)(.{1,8}?)(?:日期|时间)$")
ID = re.compile(r"[\w.\-]{1,40}")
DATED = ("registered", "raised", "deadline", "closed")
SHEETS = {"ledger": ("台账", "Ledger"), "points": ("卡点", "Blocked points")}


@dataclass(frozen=True, eq=False)
class LedgerFile:
    """A file of projects under way, read and checked.

    Attributes
    ----------
    name : str
    tables : dict of Table
        As they came, by kind: `ledger` and, where there is one, `points`.
    entries : dict of Entry
        Id -> project as it would be; nothing where there are faults.
    fresh : frozenset of str
        Ids that the ledger doesn't have yet.
    faults : tuple of Fault
    notes : tuple of Text
    changed : DataFrame
        Cells that were read otherwise than they stand there.
    """

    name: str
    tables: dict[str, Table]
    entries: dict[str, Entry] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    notes: tuple[Text, ...] = ()
    changed: pd.DataFrame = field(default_factory=pd.DataFrame)


def read_ledger(
    content: bytes,
    name: str,
    *,
    places: Places,
    day: datetime.date,
    known: Mapping[str, Entry],
    choices: Mapping[str, TableChoice] | None = None,
) -> LedgerFile:
    """Read and check a ledger.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    places : Places
        Cities and sites that there are.
    day : date
        Today.
    known : mapping of Entry
        Id -> project that the ledger has.
    choices : mapping of TableChoice, optional
        By kind of table, what was mended.

    Raises
    ------
    InputError
        It is no table.
    """
    chosen = choices or {}
    table = read_as(content, name, calls("ledger"), chosen.get("ledger", AS_IT_IS))
    read = _Read(places, day, known, table)
    tables = {"ledger": table}
    points = _points_sheet(content, name, table, chosen.get("points", AS_IT_IS))
    if points is not None:
        tables["points"] = points
        read.points(points)
        both = (table.sheet, points.sheet)  # each was read, though neither knows of the other
        read.notes[:] = [one for one in read.notes if not all(f"“{sheet}”" in one.zh for sheet in both)]
    read.check()
    found = read.faults
    if not found and not read.entries:
        found.append(Fault("policy.no_project", name))
    entries = {} if found else read.entries
    fresh = frozenset(one for one in read.entries if one not in known)
    if not found:
        read.notes.append(_counted(len(entries), len(fresh), sum(len(one.points) for one in entries.values())))
    changed = pd.concat(read.changed, ignore_index=True)
    return LedgerFile(name, tables, entries, fresh, tuple(found), tuple(read.notes), changed)


def _counted(projects: int, fresh: int, points: int) -> Text:
    return Text(
        zh=f"{projects} 个项目：新增 {fresh} 个，更新 {projects - fresh} 个；卡点 {points} 条。",
        en=f"{projects} projects: {fresh} new, {projects - fresh} updated; {points} blocked points.",
    )


def _points_sheet(content: bytes, name: str, main: Table, choice: TableChoice) -> Table | None:
    """The sheet of blocked points: another one that has all the columns that these need."""
    needed = {key for key, one in columns("points").items() if one.get("required")} - {"unit", "deadline"}
    for sheet in main.sheets:
        if sheet == main.sheet:
            continue
        try:
            found = read_as(content, name, calls("points"), replace(choice, sheets=(sheet,)))
        except InputError:
            continue  # no table on it
        if needed <= {calls("points").of(head).key for head in found.frame.columns}:
            return found
    return None


class _Read:
    """What is read of a file, with every fault at its cell."""

    def __init__(self, places: Places, day: datetime.date, known: Mapping[str, Entry], table: Table):
        self.places, self.day, self.known = places, day, known
        self.faults, self.notes, self.changed = Faults(), list[Text](), list[pd.DataFrame]()
        self.entries: dict[str, Entry] = {}
        self.rows: dict[str, int] = {}
        self.point_rows: dict[str, list[int]] = {}
        self.spoken: set[str] = set()  # names and ids of all rows, those with faults too
        self.table = self._understood(table, "ledger")
        self.points_table: Understood | None = None
        self._headings()
        by_name = {(same(one.name), one.city): id_ for id_, one in known.items()}
        for row, cells in self.table.text.to_dict("index").items():
            self._entry(int(str(row)), cells, by_name)

    def _understood(self, table: Table, kind: str) -> Understood:
        found = understand(table, calls(kind))
        example = (found.text == EXAMPLE).any(axis=1)
        gone = set(found.text.index[example])
        self.faults.extend(fault for fault in found.faults if fault.row not in gone)
        self.notes.extend(found.notes)
        self.changed.append(found.changed)
        declared = toml.table("ledger")[kind]
        for key, column in columns(kind).items():
            if column.get("required") and key not in found.headings and key not in ("unit", "deadline"):
                place = table.place(0, column["zh"])
                self.faults.append(Fault("imports.no_column", place, zh_name=column["zh"], en_name=column["en"]))
        if len(found.text) > declared["most_rows"]:
            more = {"rows": len(found.text), "most": declared["most_rows"]}
            self.faults.append(Fault("imports.too_many_rows", table.name, **more))
        return replace(found, text=found.text[~example])

    def _headings(self) -> None:
        """Dates of stages that there are not."""
        names = list(stages().values())
        for heading in self.table.extra.columns:
            dated = STAGE_HEADING.match(plain(str(heading)))
            if dated:
                place = self.table.table.place(0, str(heading))
                self.faults.append(Fault("policy.unknown_stage", place, stage=dated[1], known=names))

    def at(self, kind: str, row: int, key: str) -> Place:
        """The cell of a field; a column that the file hasn't is called by its Chinese name."""
        found = self.table if kind == "ledger" or self.points_table is None else self.points_table
        return found.table.place(row, found.headings.get(key) or titles(kind, "zh")[key])

    def _entry(self, row: int, cells: Mapping[str, str], by_name: Mapping[tuple[str, str], str]) -> None:
        if not any(cells.values()):
            return
        self.spoken |= {same(cells["name"]), cells["id"]}
        before = len(self.faults)
        said = {key: cells[key] for key in self.table.headings}
        values = self._values(row, said)
        if not said.get("name"):
            self.faults.append(Fault("policy.no_name", self.at("ledger", row, "name")))
        if len(self.faults) > before:
            return
        id_ = said.get("id", "")
        if id_ and not ID.fullmatch(id_):
            self.faults.append(Fault("policy.odd_id", self.at("ledger", row, "id"), id=id_))
            return
        id_ = id_ or by_name.get((same(said["name"]), values.get("city", "")), "") or secrets.token_hex(4)
        if id_ in self.rows:
            self.faults.append(Fault("policy.same_id", self.at("ledger", row, "id"), id=id_, earlier=self.rows[id_]))
            return
        old = self.known.get(id_)
        base: dict[str, Any] = old.model_dump() if old else {"source": str(self.table.table.name)}
        dated = {which: dict(base.get(which, {})) for which in ("planned", "actual")}
        for key, value in values.items():
            which, _, stage = key.partition(".")
            if stage:
                dated[which].pop(stage, None)
                dated[which] |= {stage: value} if value else {}
            elif key != "source" or value:
                base[key] = value
        base |= dated
        if base.get("stage") and _is_told(base["stage"], base["actual"], old):
            base["stage"] = ""
        try:
            self.entries[id_] = Entry.model_validate(base)
        except ValidationError:
            self.faults.append(Fault("policy.no_entry", self.at("ledger", row, "name")))
            return
        self.rows[id_] = row

    def _values(self, row: int, said: Mapping[str, str]) -> dict[str, Any]:
        """What a row says, checked cell by cell."""
        values: dict[str, Any] = {}
        for key, text in said.items():
            place = self.at("ledger", row, key)
            if key == "id" or self._is_doubted(row, key):
                continue
            if key in AMOUNTS:
                values[key] = self._number(text, place)
            elif "." in key or key in DATED:
                values[key] = self._day(text, place)
            elif key == "city":
                values[key] = self._place(text, place)
            elif key == "site":
                values[key] = self._site(text, place)
            elif key == "stage":
                values[key] = stage_word(text)
            elif key == "counts":
                values[key] = self._yes(text, place)
            else:
                values[key] = text
        if values.get("site") and not values.get("city"):
            values["city"] = self.places.city_of[values["site"]]
        return values

    def _is_doubted(self, row: int, key: str) -> bool:
        """Whether the cell has a fault already."""
        return (row, self.table.headings[key]) in self.table.doubted

    def _number(self, text: str, place: Place) -> float | None:
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            wrong = "policy.one_number" if re.fullmatch(r"[\d.]+-[\d.]+", text) else "policy.not_an_amount"
            self.faults.append(Fault(wrong, place, value=text))
            return None
        if not 0 <= value < 1e12:
            self.faults.append(Fault("policy.not_an_amount", place, value=text))
            return None
        return value

    def _day(self, text: str, place: Place) -> str:
        if text and written_day(text) != text:
            self.faults.append(Fault("policy.not_a_date", place, value=text))
            return ""
        return text

    def _place(self, text: str, place: Place) -> str:
        found = self.places.city(text) if text else ""
        if text and not found:
            known = list(self.places.cities.values())
            self.faults.append(Fault("policy.unknown_city", place, city=text, known=known))
        return found

    def _site(self, text: str, place: Place) -> str:
        found = self.places.site(text) if text else ""
        if text and not found:
            self.faults.append(Fault("policy.unknown_site", place, site=text))
        return found

    def _yes(self, text: str, place: Place) -> bool:
        words, said = toml.table("ledger")["words"], text.lower()
        if said in words["no"]:
            return False
        if said and said not in words["yes"]:
            self.faults.append(Fault("policy.yes_or_no", place, value=text))
        return True

    def points(self, table: Table) -> None:
        """Put the blocked points in place of those that the projects of the sheet had."""
        self.points_table = found = self._understood(table, "points")
        by_name = {same(one.name): id_ for id_, one in self.entries.items()}
        kept: dict[str, list[Point]] = {id_: [] for id_ in self.entries}
        for at, cells in found.text.to_dict("index").items():
            row = int(str(at))
            id_ = cells["project"] if cells["project"] in self.entries else by_name.get(same(cells["project"]), "")
            if not any(cells.values()):
                continue
            if not id_ or not cells["what"]:
                if cells["what"] and ({same(cells["project"]), cells["project"]} & self.spoken):
                    continue  # its project has faults of its own
                code = "policy.point_of_nobody" if not id_ else "policy.point_without_text"
                self.faults.append(
                    Fault(code, self.at("points", row, "what" if id_ else "project"), name=cells["project"])
                )
                continue
            said = {key: cells[key] for key in cells if key != "project"}
            said |= {key: self._day(said[key], self.at("points", row, key)) for key in DATED if key in said}
            kept[id_].append(Point(**said | {"kind": _kind(said["kind"])}))
            self.point_rows.setdefault(id_, []).append(row)
        for id_, points in kept.items():
            self.entries[id_] = self.entries[id_].model_copy(update={"points": tuple(points)})

    def check(self) -> None:
        """What contradicts itself in a project, and projects that stand there twice."""
        for id_, entry in self.entries.items():
            self.faults.extend(faults(entry, partial(self._of, id_), day=self.day))
        others = {id_: one for id_, one in self.known.items() if id_ not in self.entries}
        self.faults.extend(duplicates([*others.items(), *self.entries.items()], lambda id_: self._of(id_, "name")))

    def _of(self, id_: str, key: str) -> Place:
        """The cell of a field of a project or of one of its blocked points."""
        if not key.startswith("points."):
            return self.at("ledger", self.rows.get(id_, 0), key if key in columns("ledger") else "stage")
        _, number, column = key.split(".")
        rows = self.point_rows.get(id_, [])
        if int(number) < len(rows):
            return self.at("points", rows[int(number)], column)
        return self.at("ledger", self.rows[id_], "name")


def _is_told(stage: str, actual: Mapping[str, str], old: Entry | None) -> bool:
    """Whether the dates say the stage that was said, or one beyond it where the cell only stayed as it went out."""
    known = list(stages())
    reached = max((known.index(key) for key in actual if key in known), default=-1)
    if stage not in known:
        return False
    said = known.index(stage)
    return said == reached or (old is not None and stage == old.at and said < reached)


def _kind(text: str) -> str:
    """Kind of a blocked point; what is none stays, to be refused by name."""
    said = plain(text).lower()
    if not said:
        return "other"
    return next((key for key, name in point_kinds().items() if said in (key, name.zh, name.en.lower())), text)


def template(language: str) -> bytes:
    """A workbook to fill in: projects, blocked points, what each column means, and the words that may be written."""
    sheets = {}
    for kind, names in SHEETS.items():
        row = template_rows(kind)
        keys = list(columns(kind))
        row[keys.index("source" if "source" in keys else "notes")] = EXAMPLE
        sheets[names[language == "en"]] = pd.DataFrame([row], columns=list(titles(kind, language).values()))
    sheets |= dict(_guide(language))
    return as_xlsx(sheets)


def _guide(language: str) -> Iterator[tuple[str, pd.DataFrame]]:
    zh = language == "zh"
    rows = [
        (
            SHEETS[kind][language == "en"],
            one[language],
            ("是" if zh else "yes") * bool(one.get("required")),
            one["help"][language],
        )
        for kind in SHEETS
        for one in columns(kind).values()
    ]
    heads = ["表", "列", "必填", "说明"] if zh else ["sheet", "column", "required", "meaning"]
    yield ("说明" if zh else "Guide"), pd.DataFrame(rows, columns=heads)
    words = {"阶段" if zh else "stage": stages(), "卡点类别" if zh else "kind of point": point_kinds()}
    lists = {head: pd.Series([one[language] for one in known.values()]) for head, known in words.items()}  # type: ignore[index]
    yield ("取值" if zh else "Values"), pd.DataFrame(lists).fillna("")


__all__ = ["LedgerFile", "read_ledger", "template"]
