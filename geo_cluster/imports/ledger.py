"""Imports that a work accepted: kept in its file `imports.json`, each revertible on its own.

A work holds numbers (`scenario.known`) and files. An import puts its numbers in place of those that stood there and
remembers them; to revert it puts them back, or, where a later import stands on top, hands them down to that one.
Layers and land tables are composed anew from the rows of the imports that remain.
"""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import pandas as pd
import tomli_w

from geo_cluster.domain import KnownBetter, Text
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.imports import substations, surveys
from geo_cluster.imports.checked import Checked, Kind
from geo_cluster.region import Region
from geo_cluster.world import spreadsheet
from geo_cluster.world.layers import Layers

LEDGER = "imports.json"
ROWS = "imports"
PROJECTS = "projects.csv"
BEFORE = "before.csv"
REGISTRY = "layers/sources.toml"


class WorkData(NamedTuple):
    """What a work holds: its numbers, and its files by path."""

    known: tuple[KnownBetter, ...]
    files: dict[str, bytes]


@dataclass(frozen=True)
class AcceptedImport:
    """One import that was accepted.

    Attributes
    ----------
    id : str
        Number of the import, as text.
    kind, name, sha256, source : str
        What it was, the file and its hash, who said so.
    when : str
        ISO date and time of accepting it.
    rows : int
        Numbers, stations, parcels or projects in it.
    known : tuple of dict
        The numbers it brought.
    replaced : tuple of dict
        The numbers that stood in their place.
    adds : bool
        Of parcels: they add up with earlier ones of the same sites.
    """

    id: str
    kind: Kind
    name: str
    sha256: str
    source: str
    when: str
    rows: int
    known: tuple[dict[str, Any], ...]
    replaced: tuple[dict[str, Any], ...]
    adds: bool = False


def accepted(files: Mapping[str, bytes]) -> list[AcceptedImport]:
    """The imports that a work holds, the earliest first.

    Raises
    ------
    InputError
        When `imports.json` was damaged.
    """
    if LEDGER not in files:
        return []
    try:
        rows = json.loads(files[LEDGER])
        return [
            AcceptedImport(**{**row, "known": tuple(row["known"]), "replaced": tuple(row["replaced"])}) for row in rows
        ]
    except (ValueError, TypeError, KeyError) as problem:
        raise InputError(Fault("imports.damaged_ledger", LEDGER, reason=str(problem))) from None


def beside(
    files: Mapping[str, bytes], checked: Checked, *, adds: bool | None = None, region: Region | None = None
) -> Checked:
    """A checked file beside what a work holds: the same file again is told, parcels add up or replace earlier ones.

    Parameters
    ----------
    files : mapping of bytes
        What the work holds.
    checked : Checked
    adds : bool, optional
        Whether parcels add up; see `surveys.settled`.
    region : Region, optional
        What holds now, for the preview.
    """
    earlier = accepted(files)
    same = next((one for one in reversed(earlier) if (one.kind, one.sha256) == (checked.kind, checked.sha256)), None)
    if same:
        note = Text(
            zh=f"这份文件已于 {same.when[:16].replace('T', ' ')} 导入过：再导入一次不会多算。",
            en=f"This file was imported at {same.when[:16].replace('T', ' ')} before; again it counts but once.",
        )
        checked = replace(checked, notes=(note, *checked.notes))
    if checked.kind != "parcels" or not checked.is_ready or "land.csv" not in checked.files:
        return checked
    return surveys.settled(checked, [(one.name, *of) for one, of in _surveys(files, earlier)], adds=adds, region=region)


def _surveys(
    files: Mapping[str, bytes], some: Sequence[AcceptedImport]
) -> list[tuple[AcceptedImport, tuple[dict[str, bytes], bool]]]:
    """Imports of parcels with what each kept, and whether it adds up."""
    out = []
    for one in some:
        if one.kind == "parcels":
            start = f"{ROWS}/{one.id}/"
            kept = {name.removeprefix(start): content for name, content in files.items() if name.startswith(start)}
            out.append((one, (kept, one.adds)))
    return out


def accept(
    known: Sequence[KnownBetter], files: Mapping[str, bytes], checked: Checked, *, when: datetime.datetime
) -> WorkData:
    """What a work holds with a checked file accepted.

    Parameters
    ----------
    known, files : sequence of KnownBetter, mapping of bytes
        What it holds now.
    checked : Checked
    when : datetime

    Raises
    ------
    InputError
        With the file's faults when it has any: nothing is accepted then.
    """
    if "adds" not in checked.extra:
        checked = beside(files, checked)
    refuse_if(list(checked.faults))
    if not checked.is_ready:
        raise InputError(Fault("imports.nothing_to_accept", checked.name))
    earlier = accepted(files)
    number = str(max((int(one.id) for one in earlier), default=0) + 1)
    keys = {_key(one) for one in checked.known}
    replaced = [one for one in known if _key(one) in keys]
    held = [one for one in known if _key(one) not in keys]
    latest = AcceptedImport(
        number, checked.kind, checked.name, checked.sha256, checked.source, when.isoformat(timespec="seconds"),
        _count(checked), tuple(one.model_dump() for one in checked.known), tuple(one.model_dump() for one in replaced),
        bool(checked.extra.get("adds")),
    )  # fmt: skip
    kept = dict(files) | {f"{ROWS}/{number}/{name}": content for name, content in checked.files.items()}
    if checked.kind == "projects":
        if PROJECTS in files:
            kept[f"{ROWS}/{number}/{BEFORE}"] = files[PROJECTS]
        kept[PROJECTS] = checked.files[PROJECTS]
    return WorkData((*held, *checked.known), _composed(kept, [*earlier, latest]))


def revert(known: Sequence[KnownBetter], files: Mapping[str, bytes], number: str) -> WorkData:
    """What a work holds without one import.

    Parameters
    ----------
    known, files : sequence of KnownBetter, mapping of bytes
        What it holds now.
    number : str
        `AcceptedImport.id` of the one to revert.

    Raises
    ------
    InputError
        When there is no such import, or other numbers speak of a station that only it brought.
    """
    imports = accepted(files)
    gone = next((one for one in imports if one.id == number), None)
    if gone is None:
        raise InputError(Fault("imports.no_such_import", LEDGER, number=number))
    later = imports[imports.index(gone) + 1 :]
    remaining = [one for one in imports if one is not gone]
    held = list(known)
    before = {(row["subject"], row["attribute"]): row for row in gone.replaced}
    for row in gone.known:
        key = (row["subject"], row["attribute"])
        at = next((k for k, one in enumerate(held) if _key(one) == key), None)
        above = next((one for one in later if any(_key_of(r) == key for r in one.known)), None)
        if above is not None:
            handed = tuple(r for r in above.replaced if _key_of(r) != key)
            handed += (before[key],) if key in before else ()
            remaining = [replace(one, replaced=handed) if one.id == above.id else one for one in remaining]
            later = [replace(one, replaced=handed) if one.id == above.id else one for one in later]
        elif at is not None and held[at] == KnownBetter(**row):
            held[at : at + 1] = [KnownBetter(**before[key])] if key in before else []
    kept = {name: content for name, content in files.items() if not name.startswith(f"{ROWS}/{number}/")}
    if gone.kind == "projects":
        _hand_down_projects(kept, files, number, later)
    if gone.kind == "parcels":
        remaining = _added_anew(kept, remaining, held)
    result = WorkData(tuple(held), _composed(kept, remaining))
    refuse_if(_orphans(result, files, gone))
    return result


def _added_anew(
    files: Mapping[str, bytes], remaining: list[AcceptedImport], held: list[KnownBetter]
) -> list[AcceptedImport]:
    """Imports of parcels that add up with numbers of the surveys that are left; those that hold are changed too."""
    out = list(remaining)
    rows = _surveys(files, remaining)
    for k, (one, _) in enumerate(rows):
        if not one.adds:
            continue
        numbers = tuple(surveys.known([of for _, of in rows[: k + 1]], one.known))
        for old, new in zip(one.known, numbers, strict=True):
            if KnownBetter(**old) in held:
                held[held.index(KnownBetter(**old))] = KnownBetter(**new)
        out[out.index(one)] = replace(one, known=numbers)
    return out


def _hand_down_projects(
    kept: dict[str, bytes], files: Mapping[str, bytes], number: str, later: list[AcceptedImport]
) -> None:
    """What stood before a portfolio stands again, or stands before the next one."""
    before = files.get(f"{ROWS}/{number}/{BEFORE}")
    above = next((one for one in later if one.kind == "projects"), None)
    path = f"{ROWS}/{above.id}/{BEFORE}" if above else PROJECTS
    kept.pop(path, None)
    if before is not None:
        kept[path] = before


def _orphans(held: WorkData, files: Mapping[str, bytes], gone: AcceptedImport) -> list[Fault]:
    """Numbers that speak of a station which went with the import."""
    if gone.kind != "substations":
        return []
    left = {row.id for row in _stations(held.files, accepted(held.files))} | set(Layers().read("substations")["id"])
    brought = set(substations.read_rows(files[f"{ROWS}/{gone.id}/{substations.FILE}"])["id"]) - left
    return [
        Fault("imports.about_its_station", Place(one.subject, key=one.attribute), source=one.source)
        for one in held.known
        if one.subject in brought
    ]


def _stations(files: Mapping[str, bytes], some: Sequence[AcceptedImport]) -> list[Any]:
    frames = [
        substations.read_rows(files[f"{ROWS}/{one.id}/{substations.FILE}"]) for one in some if one.kind == "substations"
    ]
    return [row for frame in frames for row in frame.itertuples()]


def _composed(files: Mapping[str, bytes], remaining: Sequence[AcceptedImport]) -> dict[str, bytes]:
    """Files with the layers, the land tables and the ledger that the imports make together."""
    kept = {name: content for name, content in files.items() if not name.startswith("land/") and name != LEDGER}
    registry = tomllib.loads(kept[REGISTRY].decode()) if REGISTRY in kept else {}
    declared = registry.get("layers", {})
    for name, row in list(declared.items()):
        if row["made_by"] == substations.MADE_BY:
            kept.pop(f"layers/{row['file']}", None)
            del declared[name]
    added: dict[str, pd.DataFrame] = {}
    for one in remaining:
        if one.kind == "substations":
            added[f"{one.source} #{one.id}" if one.source in added else one.source] = substations.read_rows(
                files[f"{ROWS}/{one.id}/{substations.FILE}"]
            )
    if added:
        own, described = substations.own_layers(added, Layers())
        taken = sorted(set(described) & set(declared))
        refuse_if([Fault("imports.layer_is_own", Place(name, kind="layer")) for name in taken])
        kept |= {f"layers/{name}": content for name, content in own.items()}
        declared |= {name: _plain(layer.model_dump()) for name, layer in described.items()}
    kept.pop(REGISTRY, None)
    if declared:
        kept[REGISTRY] = tomli_w.dumps({"layers": declared}).encode()
    kept |= _land(files, remaining)
    if remaining:
        kept[LEDGER] = json.dumps([asdict(one) for one in remaining], ensure_ascii=False, indent=1).encode()
    return kept


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in row.items()}


def _land(files: Mapping[str, bytes], some: Sequence[AcceptedImport]) -> dict[str, bytes]:
    """`land/land.csv` and `land/sites.csv` of all imports of parcels, as `surveys.joined` has it."""
    kept = [of for _, of in _surveys(files, some)]
    return {
        f"land/{name}": spreadsheet.as_csv(surveys.joined(kept, name)) for name in ("land.csv", "sites.csv") if kept
    }


def _count(checked: Checked) -> int:
    land = checked.extra.get("land")
    return len(checked.preview) if land is None else len(land)


def _key(one: KnownBetter) -> tuple[str, str]:
    return one.subject, one.attribute


def _key_of(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["subject"], row["attribute"]
