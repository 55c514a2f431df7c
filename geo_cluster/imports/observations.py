"""Numbers that planners were told of sites, substations and prefectures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import BASES, KnownBetter, Text
from geo_cluster.errors import Fault, place
from geo_cluster.imports.files import Checked, day, keyed, plain, spans
from geo_cluster.region import Region
from geo_cluster.world import catalog, layers

Wrong = Callable[[int, str, str, str], None]
"""Told of a fault: row, key of the column, what, remedy."""

_ENDS = ("low", "likely", "high")
PREVIEW = ["row", "subject", "attribute", *_ENDS, "old_low", "old_likely", "old_high", "old_basis", "basis", "effect"]
"""Columns of the preview; `effect` is `new`, `replaces`, `same` or `weaker` (a better basis or a later date stands)."""


def subjects(region: Region) -> pd.DataFrame:
    """Everything that a number can be about: id, kind (site, substation, prefecture) and names."""
    ids = {"site": ("sites", "id"), "substation": ("substations", "id"), "prefecture": ("prefectures", "code")}
    parts = []
    for kind, (layer, key) in ids.items():
        table = region.layers.read(layer)
        parts.append(
            pd.DataFrame({"id": table[key], "kind": kind, "name_zh": table["name_zh"], "name_en": table["name_en"]})
        )
    return pd.concat(parts, ignore_index=True)


def named(rows: pd.DataFrame) -> dict[str, str]:
    """Id by everything a subject may be called: its id and names, a city with or without 市; '' where two share it."""
    ids: dict[str, str] = {}
    for one in rows.itertuples():
        calls = {str(one.id), one.name_zh, one.name_en, str(one.name_zh).removesuffix("市")}
        calls |= {str(one.name_en).removesuffix(" City")}
        for call in {plain(call).lower() for call in calls}:
            ids[call] = str(one.id) if ids.get(call, str(one.id)) == str(one.id) else ""
    return ids


def unit_factor(attribute: str, unit: str) -> float | None:
    """How many of the attribute's own unit one `unit` is; None when it isn't understood."""
    known = toml.table("imports")["units"].get(attribute, {})
    factors = {plain(name).lower().replace(" ", ""): value for name, value in known.items()}
    return factors.get(plain(unit).lower().replace(" ", ""))


def check_observations(table: pd.DataFrame, region: Region, *, name: str, sha256: str = "") -> Checked:
    """Check a table of numbers; see `tables/imports.toml` for its columns.

    Parameters
    ----------
    table : DataFrame
        As `read_table` gives it.
    region : Region
        What holds now: whose numbers there are, and what they are.

    Returns
    -------
    Checked
        With all faults; preview columns are `PREVIEW`.
    """
    text, headings, faults, notes = keyed(table, "observations", name)
    if faults:
        return Checked("observations", name, sha256, table, tuple(faults), tuple(notes))
    everyone = subjects(region)
    calls, kinds = named(everyone), dict(zip(everyone["id"].astype(str), everyone["kind"], strict=True))
    attributes = catalog.attributes()
    asked = {plain(call).lower(): key for key, one in attributes.items() for call in (key, one.name.zh, one.name.en)}
    bases = {call: key for key, word in layers.words("basis").items() for call in (key, word["zh"], word["en"])}

    def wrong(row: int, key: str, what: str, remedy: str) -> None:
        faults.append(Fault(place(name, row, headings.get(key, key)), what, remedy))

    bounds = {end: spans(text[end]) for end in _ENDS}
    found: dict[int, dict] = {}
    seen: dict[tuple[str, str], int] = {}
    converted: dict[tuple[str, str], int] = {}
    for k, (row, cells) in enumerate(zip(text.index, text.to_dict("records"), strict=True)):
        before = len(faults)
        subject, attribute = calls.get(cells["subject"].lower()), asked.get(cells["attribute"].lower())
        for key in ("subject", "attribute", "likely", "unit", "basis", "source"):
            if not cells[key]:
                wrong(row, key, "is empty", "fill it in")
        if cells["subject"] and not subject:
            what = "is the name of several" if subject == "" else "is no site, substation or prefecture"
            wrong(row, "subject", f"{cells['subject']!r} {what}", "write its id, e.g. H01, G10 or 420700")
        if cells["attribute"] and not attribute:
            wrong(
                row,
                "attribute",
                f"{cells['attribute']!r} is no attribute",
                f"use one of {'、'.join(one.name.zh for one in attributes.values())}",
            )
        if subject and attribute and kinds[subject] != attributes[attribute].subject:
            whose = attributes[attribute].subject
            what = f"{attributes[attribute].name.zh} belongs to a {whose}, and {subject} is a {kinds[subject]}"
            wrong(row, "subject", what, f"name a {whose}")
        factor = unit_factor(attribute, cells["unit"]) if attribute and cells["unit"] else None
        if attribute and cells["unit"] and factor is None:
            units = "、".join(toml.table("imports")["units"].get(attribute, {}))
            wrong(
                row, "unit", f"{cells['unit']!r} is no unit of {attributes[attribute].name.zh}", f"use one of {units}"
            )
        basis = bases.get(cells["basis"].lower())
        if cells["basis"] and not basis:
            wrong(row, "basis", f"{cells['basis']!r} is no basis", "write 上报, 公开, 推算 or 假定")
        as_of = day(cells["as_of"]) if cells["as_of"] else ""
        if as_of is None:
            wrong(row, "as_of", f"{cells['as_of']!r} is no date", "write 2026, 2026-06 or 2026-06-15")
        interval = _interval(k, bounds, row, cells, wrong)
        if subject and attribute:
            earlier = seen.setdefault((subject, attribute), row)
            if earlier != row:
                wrong(row, "subject", f"says the same thing of {subject} as row {earlier}", "keep one of the rows")
        if len(faults) == before and subject and attribute and interval is not None and factor:
            if factor != 1.0:
                converted[attribute, cells["unit"]] = converted.get((attribute, cells["unit"]), 0) + 1
            low, likely, high = (round(float(value) * factor, 9) for value in interval)
            found[row] = {
                "subject": subject,
                "attribute": attribute,
                "low": low,
                "likely": likely,
                "high": high,
                "basis": basis,
                "source": cells["source"],
                "as_of": as_of,
            }
    for (attribute, unit), count in converted.items():
        own = attributes[attribute].unit
        notes.append(
            Text(
                zh=f"{attributes[attribute].name.zh}：{count} 个数由{unit}换算为{own.zh}。",
                en=f"{attributes[attribute].name.en}: {count} numbers converted to {own.en}.",
            )
        )
    known = tuple(KnownBetter(**row) for row in found.values())
    return Checked(
        "observations",
        name,
        sha256,
        table,
        tuple(faults),
        tuple(notes),
        preview=compared(known, region, rows=list(found)),
        known=known,
        source="；".join(dict.fromkeys(one.source for one in known))[:200],
    )


def _interval(k: int, bounds: dict, row: int, cells: dict, wrong: Wrong) -> np.ndarray | None:
    """Low, likely, high of a row: bounds of its own, else those of a range in the likely cell, else a point."""
    bad = [end for end in _ENDS if bounds[end][1][k]]
    for end in bad:
        wrong(row, end, f"{cells[end]!r} is not a number", "write 30, or 25-35 for a range")
    if bad or not cells["likely"]:
        return None
    low, likely, high = bounds["likely"][0][k]
    low = bounds["low"][0][k][0] if cells["low"] else low
    high = bounds["high"][0][k][2] if cells["high"] else high
    if min(low, likely, high) < 0:
        wrong(row, "likely", "is below zero", "give a number from 0 on")
        return None
    if not low <= likely <= high:
        end = "low" if low > likely else "high"
        wrong(row, end, f"{low:g} ≤ {likely:g} ≤ {high:g} does not hold", "put low, likely and high in order")
        return None
    return np.array([low, likely, high])


def compared(known: tuple[KnownBetter, ...], region: Region, *, rows: list[int] | None = None) -> pd.DataFrame:
    """Each number beside what holds now, and whether it would count; columns `PREVIEW`."""
    now = region.observations.set_index(["site_id", "attribute"])
    stated = {(one.subject, one.attribute) for one in region.scenario.known}
    table = []
    for k, one in enumerate(known):
        key = (one.subject, one.attribute)
        old = now.loc[key] if key in now.index else None
        effect = "new"
        if old is not None:
            rank, theirs = BASES.index(one.basis), BASES.index(old["basis"])
            later = rank == theirs and str(old["as_of"]) > one.as_of
            same = (one.low, one.likely, one.high) == (old["low"], old["likely"], old["high"])
            beaten = key not in stated and old["basis"] != "assumed" and (theirs < rank or later)
            effect = "weaker" if beaten else "same" if same and one.basis == old["basis"] else "replaces"
        olds = [np.nan] * 3 + [""] if old is None else [old["low"], old["likely"], old["high"], old["basis"]]
        row = rows[k] if rows else 0
        table.append((row, one.subject, one.attribute, one.low, one.likely, one.high, *olds, one.basis, effect))
    return pd.DataFrame(table, columns=PREVIEW)
