"""Numbers that planners know of sites, substations and prefectures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import BASES, KnownBetter, Text
from geo_cluster.errors import Fault, row_of
from geo_cluster.imports.cells import day, plain, unit_factor, units_of
from geo_cluster.imports.checked import Checked, ImportContext
from geo_cluster.imports.headings import Rows, frame_of, recognise
from geo_cluster.imports.wide import across, attribute_names, one_a_row, readings, told
from geo_cluster.region import Region, supply_areas
from geo_cluster.world import catalog, layers
from geo_cluster.world.observations import date_of
from geo_cluster.world.sheets.cells import amount, is_empty
from geo_cluster.world.sheets.table import Table
from geo_cluster.world.sheets.units import factor

_ENDS = ("low", "likely", "high")
PREVIEW = ["row", "subject", "attribute", *_ENDS, "old_low", "old_likely", "old_high", "old_basis", "basis", "effect"]
"""Columns of the preview; `effect` is `new`, `replaces`, `same` or `weaker` (a better basis or a later date stands)."""

SUBJECTS = {
    "site": Text(zh="园区", en="site"),
    "substation": Text(zh="变电站", en="substation"),
    "prefecture": Text(zh="市州", en="prefecture"),
}
"""What kinds of subjects are called."""


def subjects(region: Region) -> pd.DataFrame:
    """Everything that a number can be about: id, kind (site, substation, prefecture) and names."""
    ids = {"site": ("sites", "id"), "substation": ("substations", "id"), "prefecture": ("prefectures", "code")}
    parts = []
    for kind, (layer, key) in ids.items():
        table = region.layers.read(layer)
        parts.append(
            pd.DataFrame({"id": table[key], "kind": kind, "name_zh": table["name_zh"], "name_en": table["name_en"]})
        )
    areas = supply_areas({name: region.layers.read(name) for name in ("sites", "counties", "prefectures")})
    return pd.concat([*parts, areas.assign(kind="substation")], ignore_index=True)


def named(rows: pd.DataFrame) -> dict[str, str]:
    """Id by everything a subject may be called: its id and names, a city with or without 市; '' where two share it."""
    ids: dict[str, str] = {}
    for one in rows.itertuples():
        calls = {str(one.id), one.name_zh, one.name_en, *map(layers.city_name, (str(one.name_zh), str(one.name_en)))}
        for call in {plain(call).lower() for call in calls}:
            ids[call] = str(one.id) if ids.get(call, str(one.id)) == str(one.id) else ""
    return ids


def check_observations(table: Table | pd.DataFrame, context: ImportContext) -> Checked:
    """Check a table of numbers; see `tables/imports.toml` for its columns.

    Parameters
    ----------
    table : Table or DataFrame
    context : ImportContext

    Returns
    -------
    Checked
        With all faults; preview columns are `PREVIEW`.
    """
    words, headings = _Words.of(context.region), [str(one) for one in frame_of(table).columns]
    wide = across(headings, context.mapping, words.subjects, words.attributes)
    rows = recognise(
        table, context, elsewhere=wide.headings(headings) if wide else (), without=wide.without if wide else ()
    )
    if rows.halted:
        return rows.checked()
    today = context.region.scenario.date.isoformat()
    if wide:
        rows.notes.extend(told(wide, headings, today))
    found: list[tuple[int, KnownBetter]] = []
    first: dict[tuple[str, str], int] = {}
    converted: Counter[tuple[str, str]] = Counter()
    for view, row, cells in readings(rows, wide, today) if wide else one_a_row(rows):
        number, unit, times = _read(view, row, cells, words, first)
        if number is not None:
            converted[number.attribute, unit] += times != 1.0
            found.append((row, number))
    rows.notes.extend(_conversion(attribute, unit, count) for (attribute, unit), count in converted.items() if count)
    known = tuple(one for _, one in found)
    source = "；".join(dict.fromkeys(one.source for one in known))[:200]
    preview = compared(known, context.region, rows=[row for row, _ in found])
    return rows.checked(preview=preview, known=known, source=source)


def _read(
    rows: Rows, row: int, cells: dict[str, str], words: _Words, first: dict[tuple[str, str], int]
) -> tuple[KnownBetter | None, str, float]:
    """The number that a row says, its unit and what turns that into our own; None with its faults added."""
    before = len(rows.faults)
    bounds = {end: _bounds(rows, row, end, cells[end]) for end in _ENDS}
    unit = _unit(rows, row, cells, bounds)
    for key in ("subject", "attribute", "likely", "basis", "source"):
        if not cells[key] or (key == "likely" and is_empty(cells[key])):
            rows.faults.append(Fault("imports.empty", rows.at(row, key)))
    if not unit:
        rows.faults.append(Fault("imports.empty", rows.at(row, "unit")))
    subject, attribute = words.about(rows, row, cells)
    times = _factor(rows, row, unit, attribute)
    basis = words.bases.get(cells["basis"].lower())
    if cells["basis"] and not basis:
        rows.faults.append(Fault("imports.unknown_basis", rows.at(row, "basis"), basis=cells["basis"]))
    as_of = day(cells["as_of"]) if cells["as_of"] else ""
    if as_of is None:
        rows.faults.append(Fault("imports.not_a_date", rows.at(row, "as_of"), value=cells["as_of"]))
    interval = _interval(rows, row, bounds)
    earlier = first.setdefault((subject, attribute), row) if subject and attribute else row
    if earlier != row:
        rows.faults.append(
            Fault("imports.same_number", rows.at(row, "subject"), subject=subject, earlier=row_of(earlier))
        )
    if len(rows.faults) != before or interval is None:
        return None, unit, times
    low, likely, high = (round(float(value) * times, 9) for value in interval)
    about: dict[str, Any] = {"subject": subject, "attribute": attribute, "basis": basis, "as_of": as_of}
    return KnownBetter(**about, low=low, likely=likely, high=high, source=cells["source"]), unit, times


@dataclass(frozen=True)
class _Words:
    """What words of a row mean: id by name of a subject and its kind by id, key by name of an attribute, of a basis."""

    subjects: dict[str, str]
    kinds: dict[str, str]
    attributes: dict[str, str]
    bases: dict[str, str]

    @classmethod
    def of(cls, region: Region) -> _Words:
        everyone, former = subjects(region), toml.table("imports")["former"]
        return cls(
            named(everyone),
            dict(zip(everyone["id"].astype(str), everyone["kind"], strict=True)),
            attribute_names(),
            former["basis"]
            | {call: key for key, word in layers.words("basis").items() for call in (key, word["zh"], word["en"])},
        )

    def about(self, rows: Rows, row: int, cells: dict[str, str]) -> tuple[str, str]:
        """Whose number a row is, and of what; '' where it isn't understood."""
        subject = self.subjects.get(cells["subject"].lower())
        attribute = self.attributes.get(cells["attribute"].lower(), "")
        declared, place = catalog.attributes(), rows.at(row, "subject")
        if cells["subject"] and subject == "":
            rows.faults.append(Fault("imports.ambiguous_subject", place, subject=cells["subject"]))
        elif cells["subject"] and not subject:
            rows.faults.append(Fault("imports.unknown_subject", place, subject=cells["subject"]))
        if cells["attribute"] and not attribute:
            at, names = rows.at(row, "attribute"), [one.name for one in declared.values()]
            rows.faults.append(Fault("imports.unknown_attribute", at, attribute=cells["attribute"], attributes=names))
        if subject and attribute and self.kinds[subject] != declared[attribute].subject:
            name, whose = declared[attribute].name, SUBJECTS[declared[attribute].subject]
            kind = SUBJECTS[self.kinds[subject]]
            rows.faults.append(
                Fault("imports.wrong_subject", place, attribute=name, whose=whose, subject=subject, kind=kind)
            )
        return subject or "", attribute


def _factor(rows: Rows, row: int, unit: str, attribute: str) -> float:
    """What turns a number into the attribute's own unit; nan where that isn't known."""
    if not unit or not attribute:
        return np.nan
    times = unit_factor(attribute, unit)
    if times is None:
        rows.faults.append(unknown_unit(rows, row, unit, attribute))
    return np.nan if times is None else times


def unknown_unit(rows: Rows, row: int, unit: str, attribute: str) -> Fault:
    """A unit that is none of an attribute's.

    Parameters
    ----------
    rows : Rows
    row : int
        As a spreadsheet counts it.
    unit : str
        As it stands there.
    attribute : str
    """
    name = catalog.attributes()[attribute].name
    return Fault(
        "imports.unknown_unit", rows.at(row, "unit"), unit=unit, attribute=name, units=list(units_of(attribute))
    )


def _conversion(attribute: str, unit: str, count: int) -> Text:
    declared = catalog.attributes()[attribute]
    return Text(
        zh=f"{declared.name.zh}：{count} 个数由{unit}换算为{declared.unit.zh}。",
        en=f"{declared.name.en}: {count} numbers converted to {declared.unit.en}.",
    )


def _bounds(rows: Rows, row: int, key: str, cell: str) -> tuple[float, float, str] | None:
    """Low, high and unit of a cell; None where it says nothing or can't be read, and a fault in the latter case."""
    if is_empty(cell):
        return None
    found = amount(cell)
    if isinstance(found, Fault):
        unread = found.code == "sheets.not_a_number"
        at = rows.at(row, key)
        rows.faults.append(Fault("imports.not_a_number", at, value=cell) if unread else found.at(at))
        return None
    unit = found.high_unit or rows.understood.unit(key)
    if found.low_unit != found.high_unit:
        at = rows.at(row, key)
        rows.faults.append(Fault("sheets.two_units", at, value=cell, one=found.low_unit, other=found.high_unit))
    return found.low, found.high, unit


def _unit(rows: Rows, row: int, cells: dict[str, str], bounds: dict[str, tuple[float, float, str] | None]) -> str:
    """The unit of a row: what its column says, else the one behind its numbers; a fault where they differ."""
    said = cells["unit"]
    for key, found in bounds.items():
        unit = found[2] if found else ""
        if unit and said and factor(said, unit) != 1.0:
            rows.faults.append(Fault("sheets.two_units", rows.at(row, key), value=cells[key], one=said, other=unit))
        said = said or unit
    return said


def _interval(
    rows: Rows, row: int, bounds: dict[str, tuple[float, float, str] | None]
) -> tuple[float, float, float] | None:
    """Low, likely, high of a row: bounds of its own, else those of a range in the likely cell, else a point."""
    found = bounds["likely"]
    if found is None:
        return None
    low, high = found[:2]
    likely = (low + high) / 2
    if not low <= high:
        rows.faults.append(Fault("imports.out_of_order", rows.at(row, "likely"), low=low, likely=likely, high=high))
        return None
    low = bounds["low"][0] if bounds["low"] else low
    high = bounds["high"][1] if bounds["high"] else high
    if min(low, likely, high) < 0:
        rows.faults.append(Fault("imports.below_zero", rows.at(row, "likely")))
        return None
    if not low <= likely <= high:
        place = rows.at(row, "low" if low > likely else "high")
        rows.faults.append(Fault("imports.out_of_order", place, low=low, likely=likely, high=high))
        return None
    return low, likely, high


def compared(known: tuple[KnownBetter, ...], region: Region, *, rows: list[int] | None = None) -> pd.DataFrame:
    """Each number beside what holds now, and whether it would count; columns `PREVIEW`.

    Parameters
    ----------
    known : tuple of KnownBetter
        Numbers of a file.
    region : Region
        What holds now.
    rows : list of int, optional
        Row of each number in its file; 0 when left out.
    """
    now = region.observations.set_index(["site_id", "attribute"])
    stated = {(one.subject, one.attribute) for one in region.scenario.known}
    table = []
    for k, one in enumerate(known):
        key = (one.subject, one.attribute)
        old = now.loc[key] if key in now.index else None
        effect = "new"
        if old is not None:
            rank, theirs = BASES.index(one.basis), BASES.index(old["basis"])
            later = rank == theirs and date_of(str(old["as_of"])) > one.as_of
            same = (one.low, one.likely, one.high) == (old["low"], old["likely"], old["high"])
            beaten = key not in stated and old["basis"] != "assumed" and (theirs < rank or later)
            effect = "weaker" if beaten else "same" if same and one.basis == old["basis"] else "replaces"
        olds = [np.nan] * 3 + [""] if old is None else [old["low"], old["likely"], old["high"], old["basis"]]
        row = rows[k] if rows else 0
        table.append((row, one.subject, one.attribute, one.low, one.likely, one.high, *olds, one.basis, effect))
    return pd.DataFrame(table, columns=PREVIEW)
