"""From a table to the text of its cells under our columns, in our units; what may mean two things is a fault.

How a column is read is declared with it (`tables/imports.toml`): `reads` names a function of `READERS`, `unit` is its
own unit, `unit_column` the column that may say the unit of each row, `plausible` what it may be without any unit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults
from geo_cluster.world.sheets import cells, units
from geo_cluster.world.sheets.calls import OWN, QUALIFIED, Call, Calls
from geo_cluster.world.sheets.table import Table
from geo_cluster.world.sheets.words import head, plain

SAMPLES = 3
"""Values that are shown of a column."""

NOT_USED = "-"
"""What a column is mapped to by hand that isn't to be used."""

IN = "@"
"""Between a key and the unit that its column is in, where it is mapped by hand: `energy_gwh@万千瓦时`."""


@dataclass(frozen=True, eq=False)
class Understood:
    """A table under our columns.

    Attributes
    ----------
    table : Table
        As it came.
    text : DataFrame
        Text by key, in the columns' own units and in one way of writing (`30-35`, `2027-06`, `2x63`); what can't be
        read stays as it is, for the checkers to name.
    headings : mapping
        Key -> the heading that stands for it; only keys that the table has.
    calls : mapping of Call
        Of each position of a column.
    extra : DataFrame
        Further columns, as they came.
    faults : Faults
        Of headings and cells.
    notes : list of Text
        What was converted, and read otherwise than it is written.
    changed : DataFrame
        `row`, `column`, `written`, `understood`: cells that are read otherwise than they stand there.
    elsewhere : frozenset of str
        Further headings that somebody else reads.
    """

    table: Table
    text: pd.DataFrame
    headings: Mapping[str, str]
    calls: tuple[Call, ...]
    extra: pd.DataFrame
    faults: Faults
    notes: list[Text]
    changed: pd.DataFrame = field(default_factory=pd.DataFrame)
    elsewhere: frozenset[str] = frozenset()

    def position(self, key: str) -> int:
        """Where the column of a key stands in the table."""
        return next(k for k, call in enumerate(self.calls) if call.key == key)

    def unit(self, key: str) -> str:
        """The unit that the heading of a column says; '' where it says none."""
        return next((call.unit for call in self.calls if call.key == key), "")

    def meant(self) -> pd.DataFrame:
        """One row a heading: `heading`, `key`, `how`, three values, the `unit` it says, whether it is `elsewhere`."""
        rows = []
        for k, call in enumerate(self.calls):
            column = self.table.frame.iloc[:, k]
            said = list(dict.fromkeys(one for one in column if one))[:SAMPLES]
            heading, samples = str(self.table.frame.columns[k]), " · ".join(one[:30] for one in said)
            rows.append((heading, call.key, call.rank, samples, call.unit, heading in self.elsewhere))
        return pd.DataFrame(rows, columns=["heading", "key", "how", "samples", "unit", "elsewhere"])

    @property
    def doubted(self) -> set[tuple[int, str]]:
        """Row and heading of cells that have a fault already."""
        return {(fault.row, fault.column) for fault in self.faults if fault.row}

    def without(self, faults: Any) -> list[Fault]:
        """Faults but those of cells that have one already."""
        return [fault for fault in faults if (fault.row, fault.column) not in self.doubted]


def understand(
    table: Table, calls: Calls, *, mapping: Mapping[str, str] | None = None, elsewhere: Iterable[str] = ()
) -> Understood:
    """Bring a table under our columns.

    Parameters
    ----------
    table : Table
    calls : Calls
        What the columns are called.
    mapping : mapping of str, optional
        Heading -> key, chosen by hand, with `IN` its unit; `NOT_USED` for a column that isn't to be used.
    elsewhere : iterable of str
        Further headings that somebody else reads; of the others it is told that they aren't used.
    """
    faults, notes, elsewhere = Faults(), list(table.notes), set(elsewhere)
    frame, chosen = table.frame, dict(mapping or {})
    meant = [_meant(str(heading), calls, chosen) for heading in frame.columns]
    meant = [_by_cells(call, frame.iloc[:, k], calls) if call.either else call for k, call in enumerate(meant)]
    meant = _one_each(meant, frame, table, faults)
    headings = {call.key: str(frame.columns[k]) for k, call in reversed(list(enumerate(meant))) if call.key}
    text = pd.DataFrame("", index=frame.index, columns=list(calls.columns), dtype=object)
    at = {call.key: k for k, call in reversed(list(enumerate(meant))) if call.key}
    for key, k in at.items():
        text[key] = frame.iloc[:, k].to_numpy()
    for k, call in enumerate(meant):
        if call.strange:
            place = table.place(0, str(frame.columns[k]))
            faults.append(
                Fault("sheets.unit_not_understood", place, unit=call.strange, known=units.known(calls.unit(call.key)))
            )
    _less(meant, table, calls, chosen, faults)
    _which(meant, table, calls, faults)
    changes: list[Change] = []
    read = [_Column(key, meant[k], table, k, calls) for key, k in at.items()]
    for column in read:
        beside = at.get(str(column.declared.get("unit_column", "")))
        _read_column(column, text, None if beside is None else frame.iloc[:, beside], faults, changes)
    extra = frame.iloc[:, [k for k, call in enumerate(meant) if not call.key]]
    _tell(notes, frame, meant, calls, chosen)
    _tell_units(notes, read)
    _tell_further(notes, frame, meant, elsewhere)
    changed = pd.DataFrame(changes, columns=["row", "column", "written", "understood"])
    changed = changed.sort_values("row", kind="stable", ignore_index=True)
    return Understood(table, text, headings, tuple(meant), extra, faults, notes, changed, frozenset(elsewhere))


def _meant(heading: str, calls: Calls, chosen: Mapping[str, str]) -> Call:
    """What a heading means: as chosen by hand, else by its words."""
    key = chosen.get(heading)
    if key is None:
        return calls.of(heading)
    key, _, unit = key.partition(IN)
    if key not in calls.columns:
        return Call()
    return Call(key, OWN, unit or calls.unit_in(heading, key))


def _less(meant: list[Call], table: Table, calls: Calls, chosen: Mapping[str, str], faults: Faults) -> None:
    """A fault where a further column, not left out by hand, says that one isn't net: 已供面积 beside 总面积."""
    further = [str(other) for other, one in zip(table.frame.columns, meant, strict=True) if not one.key]
    areas = [one for one in further if one not in chosen and re.search("面积|用地|土地|亩|公顷", head(one))]
    for k, call in enumerate(meant):
        said = tuple(calls.columns[call.key].get("less", ())) if call.key else ()
        place = table.place(0, str(table.frame.columns[k]))
        faults.extend(Fault("sheets.not_net", place, other=one) for one in areas if said and head(one).startswith(said))


def _by_cells(call: Call, column: pd.Series, calls: Calls) -> Call:
    """Of the columns that a heading may mean, the one that the units of all its cells are of."""
    found = [cells.amount(cell) for cell in column if not cells.is_empty(cell)]
    said = {"" if isinstance(one, Fault) else one.low_unit for one in found}
    fits = [key for key in call.either if said and all(units.factor(calls.unit(key), unit) for unit in said)]
    return Call(fits[0]) if len(fits) == 1 else call


def _which(meant: list[Call], table: Table, calls: Calls, faults: Faults) -> None:
    """A fault where a heading with cells below it may name two columns, of which the table lacks one."""
    taken = {call.key for call in meant}
    for k, call in enumerate(meant):
        if not taken >= {*call.either} and not table.frame.iloc[:, k].map(cells.is_empty).all():
            first, other = (Text(zh=calls.columns[one]["zh"], en=calls.columns[one]["en"]) for one in call.either[:2])
            place = table.place(0, str(table.frame.columns[k]))
            faults.append(Fault("sheets.which_column", place, first=first, other=other))


def _one_each(meant: list[Call], frame: pd.DataFrame, table: Table, faults: Faults) -> list[Call]:
    """One column for each key, the best named; two as well named as each other are a fault."""
    best = {call.key: min(one.rank for one in meant if one.key == call.key) for call in meant if call.key}
    seen: set[str] = set()
    out = []
    for k, call in enumerate(meant):
        if call.key and (call.rank > best[call.key] or call.key in seen):
            if call.rank == best[call.key]:
                at = table.place(0, str(frame.columns[k]))
                first = next(str(frame.columns[j]) for j, one in enumerate(meant) if one.key == call.key)
                faults.append(Fault("sheets.second_column", at, first=first))
            out.append(Call())
            continue
        seen.add(call.key)
        out.append(call)
    return out


class Read(NamedTuple):
    """A cell that was read: its text, how many numbers without a unit it has, and what was converted how often."""

    text: str | Fault
    no_unit: int
    times: Mapping[tuple[str, float], int]


class _Column:
    """One column that is being read."""

    def __init__(self, key: str, call: Call, table: Table, k: int, calls: Calls):
        self.key, self.call, self.table, self.k = key, call, table, k
        self.declared, self.own = calls.columns[key], calls.unit(key)
        self.heading = str(table.frame.columns[k])
        stated = (unit for unit in table.units if self.own and units.factor(self.own, unit) is not None)
        self.above = next(stated, "")
        self.no_unit = 0
        self.times: Counter[tuple[str, float]] = Counter()

    @property
    def reads(self) -> str:
        """How it is read."""
        return str(self.declared.get("reads", "amount" if self.own else "text"))

    def amount(self, cell: str, said: str) -> str | Fault:
        """A number or range in the column's own unit; `said` is what the unit column says of the row."""
        if cells.is_empty(cell):
            asked = self.declared.get("asks_nothing") and cell.strip()
            return Fault("sheets.nothing_or_zero", cells.NOWHERE, value=cell) if asked else ""
        found = cells.amount(cell)
        if isinstance(found, Fault):
            return found
        stated = said or self.call.unit or self.above
        if said and self.call.unit and units.factor(self.call.unit, said) != 1:
            return Fault("sheets.two_units", cells.NOWHERE, value=cell, one=self.call.unit, other=said)
        ends = []
        for value, unit in ((found.low, found.low_unit), (found.high, found.high_unit)):
            times = self._times(cell, value, unit, stated, said)
            if isinstance(times, Fault):
                return times
            ends.append(float(f"{value * times:.12g}"))
        if not (found.low_unit or stated) and self.own:
            self.no_unit += 1
            low, high = self.declared.get("plausible", (float("-inf"), float("inf")))
            if not low <= min(ends) <= max(ends) <= high and ends[0] > 0 and not self.call.strange:
                return Fault("sheets.no_unit", cells.NOWHERE, value=cell, own=self.own)
            if self.declared.get("needs_unit") and not self.call.strange:
                return Fault("sheets.no_unit_of_row", cells.NOWHERE, value=cell, known=units.known(self.own))
        return f"{ends[0]:.12g}" if ends[0] == ends[1] else f"{ends[0]:.12g}-{ends[1]:.12g}"

    def _times(self, cell: str, value: float, unit: str, stated: str, said: str) -> float | Fault:
        """What turns a number with this unit behind it into the column's own."""
        own, strange = self.own, unit or stated
        prefix = units.prefix(unit) if unit and own and units.kind_of(own) != "money" else None
        if not unit or prefix is not None:  # 3万 under 面积(平方米)
            times = units.factor(own, stated) if stated else 1.0
            if stated and times is not None:
                self.times[stated, times] += 1
            times = times if times is None else times * (prefix or 1.0)
        else:
            times = units.factor(own, unit) if own else None
            bare = units.prefix(unit) if stated else None
            low, high = self.declared.get("plausible", (0.0, 0.0))
            if (
                bare
                and low <= bare * value * (units.factor(own, stated) or 0.0) <= high
                and units.factor(stated, unit) == 1
            ):
                return Fault("sheets.ambiguous_unit", cells.NOWHERE, value=cell, unit=stated)
            if said and times is not None and units.factor(own, said) not in (None, times):
                return Fault("sheets.two_units", cells.NOWHERE, value=cell, one=unit, other=said)
        if times is None:
            known = units.known(own) if own else []
            return Fault("sheets.unknown_unit", cells.NOWHERE, value=cell, unit=strange, known=known)
        if unit and units.by_power_factor(own, unit):
            self.times[unit, times] += 1
        return times

    def once(self, cell: str, said: str) -> Read:
        """What `one` gives, and what it counts; nothing is counted yet."""
        if self.reads != "amount":
            return Read(self.one(cell, said), 0, {})
        before = self.no_unit, self.times
        self.no_unit, self.times = 0, Counter()
        read = self.one(cell, said)
        found = Read(read, self.no_unit, dict(self.times))
        self.no_unit, self.times = before
        return found

    def one(self, cell: str, said: str) -> str | Fault:
        """The text of a cell in our way of writing."""
        if self.reads == "amount":
            return self.amount(cell, said)
        if self.reads in ("text", "verbatim"):
            return cell if self.reads == "verbatim" else plain(cell)
        if self.reads == "word":
            return plain(cell).strip("-—–_/\\… ") and plain(cell)
        if cells.is_empty(cell):
            return ""
        if self.reads == "ratings":
            return cells.ratings(cell, self.own or "MVA", self.call.unit)
        if self.reads == "voltages":
            return cells.voltages(cell, self.call.unit)
        return READERS[self.reads](cell)


def _day(cell: str) -> str | Fault:
    return cells.day(cell) or Fault("sheets.not_a_day", cells.NOWHERE, value=cell)


READERS: dict[str, Callable[[str], str | Fault]] = {
    "year": cells.year,
    "day": _day,
    "degrees": cells.degrees,
}
"""How cells are read that have no unit and are neither words nor text."""

Change = tuple[int, str, str, str]
"""Row, heading, what is written, what was understood."""

LEFT = ("sheets.not_a_number", "sheets.not_a_year", "sheets.not_a_day", "sheets.not_degrees")
"""Faults that are left to the checkers, which say what their kind takes in such a place."""


def _read_column(
    column: _Column,
    text: pd.DataFrame,
    said: pd.Series | None,
    faults: Faults,
    changes: list[Change],
) -> None:
    """Read every cell of a column into `text`."""
    table, out, with_unit = column.table, [], []
    known: dict[tuple[str, str], Read] = {}  # many cells say the same, or nothing
    unit_column = column.declared.get("unit_column", "")
    is_number, is_amount = column.reads not in ("text", "verbatim"), column.reads == "amount"
    for number, (row, cell) in enumerate(zip(text.index.tolist(), text[column.key].tolist(), strict=True)):
        at, unit = (int(row), column.k), plain(said.iloc[number]) if said is not None else ""
        if at in table.odd:
            faults.append(table.odd[at].at(table.place(int(row), column.heading)))
            out.append(cell)
            continue
        if at in table.filled and is_amount:
            faults.append(Fault("sheets.merged_amount", table.place(int(row), column.heading), value=cell))
        if (cell, unit) not in known:
            known[cell, unit] = column.once(cell, unit)
        read, no_unit, times = known[cell, unit]
        column.no_unit += no_unit
        if times:
            column.times.update(times)
        if isinstance(read, Fault):
            if read.code not in LEFT:
                faults.append(read.at(table.place(int(row), column.heading)))
            out.append(cell)
            continue
        out.append(read)
        if read and unit_column and is_amount:
            with_unit.append(number)
        if is_number and _differs(cell, read, column):
            changes.append((int(row), column.heading, cell, f"{read} {column.own}".strip() if read else ""))
    text[column.key] = out
    if with_unit:
        text.iloc[with_unit, text.columns.get_loc(unit_column)] = column.own


def _differs(cell: str, read: str, column: _Column) -> bool:
    """Whether a cell was read otherwise than it stands there; a conversion by its heading is told once for all."""
    if cell == read:
        return False
    written = plain(cell)
    if written == read or (column.reads == "amount" and written.replace(",", "").replace(".", "").isdigit()):
        return False
    return column.reads != "word"


def _tell(notes: list[Text], frame: pd.DataFrame, meant: list[Call], calls: Calls, chosen: Mapping[str, str]) -> None:
    """Notes of headings that were read by their sense."""
    loosely = [
        (str(heading), str(calls.columns[call.key]["zh"]), str(calls.columns[call.key]["en"]))
        for heading, call in zip(frame.columns, meant, strict=True)
        if call.key and call.rank == QUALIFIED and str(heading) not in chosen
    ]
    if loosely:
        zh = "、".join(f"“{heading}”作“{zh}”" for heading, zh, _ in loosely)
        en = ", ".join(f"{heading} as {en}" for heading, _, en in loosely)
        notes.append(
            Text(
                zh=f"按含义读取：{zh}；不对请在对照表里改。", en=f"Read by their sense: {en}; change it if it is wrong."
            )
        )


def _tell_units(notes: list[Text], read: list[_Column]) -> None:
    """Notes of units that were converted, and of numbers without any."""
    for column in read:
        title = column.declared
        for unit, times in column.times:
            if times != 1:
                factor = f"{times:.6g}"
                how = f"，功率因数按 {units.power_factor():g}" if units.by_power_factor(column.own, unit) else ""
                how_en = f", power factor {units.power_factor():g}" if how else ""
                unit = units.written(unit)
                notes.append(
                    Text(
                        zh=f"“{column.heading}”由{unit}换算为{column.own}，乘以 {factor}{how}。",
                        en=f"{column.heading}: {unit} converted to {column.own}, times {factor}{how_en}.",
                    )
                )
        if column.no_unit and not title.get("needs_unit"):
            zh, en = title["zh"], title["en"]
            notes.append(
                Text(
                    zh=f"“{column.heading}”没有写单位（{column.no_unit} 个数），按“{zh}”读。",
                    en=f"{column.heading}: {column.no_unit} numbers have no unit; read as {en}.",
                )
            )


def _tell_further(notes: list[Text], frame: pd.DataFrame, meant: list[Call], elsewhere: set[str]) -> None:
    """A note of the columns that aren't read."""
    further = [str(heading) for heading, call in zip(frame.columns, meant, strict=True) if not call.key]
    further = [heading for heading in further if not heading.startswith("#") and heading not in elsewhere]
    if further:
        zh, en = "、".join(further), ", ".join(further)
        notes.append(Text(zh=f"未用到的列：{zh}。", en=f"Columns not used: {en}."))
