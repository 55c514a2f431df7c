"""Tables of numbers that run to the right: attributes, subjects or years as headings, instead of one number a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault
from geo_cluster.imports.cells import unit_factor
from geo_cluster.imports.headings import Rows, key_of
from geo_cluster.world import catalog
from geo_cluster.world.sheets import calls
from geo_cluster.world.sheets.cells import is_empty
from geo_cluster.world.sheets.columns import IN, NOT_USED
from geo_cluster.world.sheets.words import plain

_YEAR = re.compile(r"^(20\d\d)\s*年?(?:度|末|底|实际|完成)?$")

_WITH_UNIT = re.compile(r"^([^(/_]*[^(/_ ])\s*[(/_]([^()]*)\)?$")

Reading = tuple[Rows, int, dict[str, str]]
"""Rows whose places are those of one column, a row, and its cells by key."""


@dataclass(frozen=True)
class Across:
    """What the headings of a table name one by one.

    Attributes
    ----------
    key : str
        The column of a long table that they stand for: `attribute`, `subject` or `as_of`.
    columns : mapping
        Position of each column, with what it names and the unit that its heading says.
    """

    key: str
    columns: Mapping[int, tuple[str, str]]

    def headings(self, headings: list[str]) -> list[str]:
        """The headings of its columns."""
        return [headings[k] for k in self.columns]

    @property
    def without(self) -> tuple[str, ...]:
        """Columns that such a table needn't have."""
        return ("likely", self.key)


def across(
    headings: list[str], mapping: Mapping[str, str], subjects: Mapping[str, str], attributes: Mapping[str, str]
) -> Across | None:
    """What runs to the right in a table; None in a table with one number a row.

    Parameters
    ----------
    headings : list of str
    mapping : mapping
        Heading -> key, as chosen by hand.
    subjects, attributes : mapping
        Id by name, key by name.
    """
    meant = [mapping.get(one, key_of("observations", one)).partition(IN)[0].strip(NOT_USED) for one in headings]
    keys = set(meant)
    if "likely" in keys:
        return None
    further = {k: one for k, (one, key) in enumerate(zip(headings, meant, strict=True)) if not key}
    if "attribute" not in keys:
        found = {k: named(one, attributes) for k, one in further.items()}
        return Across("attribute", {k: one for k, one in found.items() if one}) if any(found.values()) else None
    if "subject" not in keys:
        own = {k: (one, "") for k, one in further.items() if subjects.get(plain(one).lower())}
        return Across("subject", own) if own else None
    years = {k: (year[1], "") for k, one in further.items() if (year := _YEAR.match(plain(one)))}
    return Across("as_of", years) if years else None


def attribute_names() -> dict[str, str]:
    """Key of an attribute by everything it is called, in small letters."""
    names = {
        plain(call).lower(): key
        for key, one in catalog.attributes().items()
        for call in (key, one.name.zh, one.name.en)
    }
    return toml.table("imports")["former"]["attribute"] | names


def named(heading: str, attributes: Mapping[str, str]) -> tuple[str, str] | None:
    """The attribute that a heading names, with the unit in its brackets; None where it names none.

    >>> named("可供工业用地（亩）", {"可供工业用地": "available_land_ha"})
    ('可供工业用地', '亩')
    """
    last = heading.rpartition(calls.JOINT)[2] or heading
    whole = plain(last).lower()
    if whole in attributes:
        return whole, ""
    found = _WITH_UNIT.match(whole) if len(whole) < calls.LONGEST else None
    base, unit = found.groups() if found else (whole, "")
    key = attributes.get(base)
    return (base, unit) if key and (not unit or unit_factor(key, unit) is not None) else None


def one_a_row(rows: Rows) -> Iterator[Reading]:
    """The rows of a long table."""
    yield from (
        (rows, int(row), cells) for row, cells in zip(rows.text.index, rows.text.to_dict("records"), strict=True)
    )


def readings(rows: Rows, found: Across, today: str) -> Iterator[Reading]:
    """Each number of a table that runs to the right, as a row of a long one.

    Parameters
    ----------
    rows : Rows
    found : Across
    today : str
        Of years, the latest with a number counts that isn't later.
    """
    table = rows.understood.table
    frame = table.frame.loc[rows.text.index]
    order = list(found.columns)
    if found.key == "as_of":
        order = sorted((k for k in order if found.columns[k][0] <= today[:4]), key=lambda k: found.columns[k][0])[::-1]
    for number, (row, cells) in enumerate(zip(rows.text.index, rows.text.to_dict("records"), strict=True)):
        for k in order:
            cell = frame.iat[number, k]
            if is_empty(cell) and (row, k) not in table.odd:
                continue
            name, unit = found.columns[k]
            heading = str(table.frame.columns[k])
            own = dict.fromkeys(("likely", found.key, *(("unit",) if not cells["unit"] else ())), heading)
            view = replace(rows, headings={**rows.headings, **own})
            if (row, k) in table.odd:
                rows.faults.append(table.odd[row, k].at(table.place(int(row), heading)))
            elif (row, k) in table.filled:
                rows.faults.append(Fault("sheets.merged_amount", table.place(int(row), heading), value=cell))
            else:
                yield view, int(row), cells | {found.key: name, "likely": cell, "unit": cells["unit"] or unit}
            if found.key == "as_of":
                break


def told(found: Across, headings: list[str], today: str) -> list[Text]:
    """How such a table is read, and which years of it aren't.

    Parameters
    ----------
    found : Across
    headings : list of str
        Of the whole table.
    today : str
        A day, as in `readings`.
    """
    names = found.headings(headings)
    zh, en = "、".join(names), ", ".join(names)
    if found.key != "as_of":
        return [Text(zh=f"按列读取：{zh}，每格一个数。", en=f"Read by columns, one number a cell: {en}.")]
    zh = f"{zh}：每行只取 {today[:4]} 年及以前最近一年的数，其余年份不读。"
    return [Text(zh=zh, en=f"{en}: of each row only the latest year up to {today[:4]} counts.")]
