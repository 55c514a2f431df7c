"""One door for every kind of file: bytes in, `Checked` out; what can't even be read is a fault like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd

from geo_cluster.box import door
from geo_cluster.box.door import suffix
from geo_cluster.box.foreign import foreign_fault
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults, InputError, More, Place, refuse_if
from geo_cluster.imports import drawn, plausible, tables, whereabouts
from geo_cluster.imports.checked import Checked, ImportContext, Kind
from geo_cluster.imports.files import Layered, digest, ending_of, lone_part, placed, read_layers
from geo_cluster.imports.headings import columns_of, key_of
from geo_cluster.imports.observations import SUBJECTS, check_observations, subjects
from geo_cluster.imports.parcels import check_parcels, site_calls
from geo_cluster.imports.projects import check_projects
from geo_cluster.imports.substations import check_substations
from geo_cluster.imports.tables import AS_IT_IS, TableChoice
from geo_cluster.region import Region
from geo_cluster.supply import land_survey
from geo_cluster.supply.land import Exclusion

SAMPLE = "示例 sample"


def check_file(  # noqa: PLR0913  # the one door, with everything that may be chosen
    content: bytes,
    name: str,
    *,
    kind: Kind,
    region: Region,
    source: str = "",
    crs: str = "",
    belongs: Mapping[str, str] | None = None,
    rules: tuple[bytes, bytes] | None = None,
    rules_crs: str = "",
    table: TableChoice = AS_IT_IS,
) -> Checked:
    """Read and check one file.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    kind : str
        What it is to be read as; `guess` proposes one.
    region : Region
        What holds now.
    source : str
        Who says so; the file's name when empty.
    crs : str
        What the coordinates are in, where the file doesn't say it.
    belongs : mapping, optional
        Site by what the parcels' column `site` says, where no site has that name.
    rules : (bytes, bytes), optional
        The CSV of exclusion rules and the GeoPackage of their layers, for parcels.
    rules_crs : str
        What those layers are in, where they don't say it or say it wrongly; as `crs`.
    table : TableChoice
        Of a table: which sheet, which heading means what, and cells that were mended; of shapes: which layers.

    Returns
    -------
    Checked
        With every fault; nothing is raised for what the file says.
    """
    context = ImportContext(kind, name, digest(content), region, source.strip() or name, crs, belongs=belongs or {})
    context = replace(context, mapping=table.mapping)
    try:
        if rules and kind == "parcels":
            read = land_survey.rules_of(rules[0], "rules.csv", rules[1], "exclusions.gpkg")
            read = [rule_in(one, rules_crs) for one in read]
            context = replace(context, rules=tuple(read), rules_crs=rules_crs)
        if not ending_of(content, name):
            refuse_if([one for one in (lone_part(name), foreign_fault(content, name)) if one is not None])
        if ending_of(content, name):
            found = read_layers(content, name, crs=crs, layers=table.layers)
            made_up, context = _said_sample(found.frame.columns, context)
            checked = _checked_shapes(found, context)
        else:
            rows = tables.read(content, name, kind, table)
            made_up, context = _said_sample(rows.frame.columns, context)
            checked = _checked(rows, context)
    except InputError as refusal:
        return Checked(kind, name, context.sha256, pd.DataFrame(), tuple(refusal.faults))
    if not made_up:
        return checked
    note = Text(
        zh="这是示例数据，不是真实数据；采用后来源注明示例。", en="Sample data, not real; its source will say so."
    )
    return replace(checked, notes=(note, *checked.notes))


def rule_in(rule: Exclusion, crs: str) -> Exclusion:
    """A rule whose layer is in the system that was chosen for it; '' for the one that it states."""
    ground = rule.geometries
    if not crs or not isinstance(ground, gpd.GeoDataFrame):
        return rule
    return replace(rule, geometries=placed(ground, ground.crs, crs, rule.name))


def _said_sample(headings: Iterable[object], context: ImportContext) -> tuple[bool, ImportContext]:
    """Whether a column says that a file is a sample, and the context whose source says so then."""
    made_up = any(str(one).strip().lower() in ("sample", "示例") for one in headings)
    if made_up and SAMPLE not in context.source:
        context = replace(context, source=f"{SAMPLE}：{context.source}")
    return made_up, context


def _checked(rows: Any, context: ImportContext) -> Checked:
    """A table, by the checker of its kind."""
    if context.kind == "parcels":
        return check_parcels(rows, context)
    if context.kind == "substations":
        return check_substations(rows, context)
    if context.kind == "observations":
        return check_observations(rows, context)
    found = check_projects(rows, context)
    return replace(found, faults=(*found.faults, *_ids_of_others(found, context)))


def _ids_of_others(projects: Checked, context: ImportContext) -> list[Fault]:
    """Projects under the id of a site, a station or a prefecture: tables and maps name all of them by their ids."""
    taken = dict(subjects(context.region)[["id", "kind"]].astype(str).itertuples(index=False))
    ids = projects.preview["id"].astype(str) if "id" in projects.preview else ()
    place = Place(context.name, column=columns_of("projects")["id"]["zh"])
    return [Fault("imports.id_of_another", place, id=one, kind=SUBJECTS[taken[one]]) for one in ids if one in taken]


def _checked_shapes(found: Layered, context: ImportContext) -> Checked:
    """Shapes, by the checker of their kind; what was left out of them and where they lie is told."""
    name, kind, sites = context.name, context.kind, context.region.layers.read("sites")
    frame, notes = drawn.usable(found, kind, is_track=ending_of(b"", name) == ".gpx")
    table = drawn.headed(drawn.as_text(frame), kind, found.cut)
    about = {"layers": found.layers}
    empty = Checked(kind, name, context.sha256, table, notes=tuple(notes), extra=about)
    if kind not in ("parcels", "substations"):
        return replace(empty, faults=(Fault("imports.shapes", name),))
    if frame.empty:
        return replace(
            empty, faults=(Fault("imports.no_outlines" if kind == "parcels" else "imports.no_points", name),)
        )
    place = Place(name)
    how: dict[str, Any] = {"chosen": context.crs, "says": found.says, "stated": found.stated}
    if wrong := Faults(whereabouts.faults(frame, sites, place, **how)):
        return replace(empty, faults=_placed(wrong, found), extra=about | {"offered": whereabouts.offered(wrong)})
    if not context.crs and (shifted := whereabouts.column_fault(frame, table, place)) is not None:
        return replace(empty, faults=(shifted,), extra=about | {"offered": whereabouts.offered([shifted])})
    notes += whereabouts.notes(frame, name)
    if kind == "parcels":
        site = next((key for key in table if key_of(kind, key) == "site"), None)
        if site is None:
            table[columns_of(kind)["site"]["zh"]] = drawn.site_by_layer(found, site_calls(context.region))[table.index]
        table = plausible.with_unit(table, frame.geometry)
        checked = check_parcels(gpd.GeoDataFrame(table, geometry=frame.geometry), context)
        is_far = any(one.code == "imports.far_from_site" for one in checked.faults)
        if is_far and not context.crs and (other := whereabouts.far_but(frame, sites, place)):
            checked = replace(checked, faults=(*checked.faults, other), extra={"offered": whereabouts.offered([other])})
    else:
        checked = check_substations(drawn.points_of(frame, table, kind), replace(context, crs=""))
    return replace(
        checked,
        faults=_placed(checked.faults, found),
        notes=(*notes, *checked.notes),
        extra={**about, **checked.extra},
    )


def _placed(faults: Iterable[Fault], found: Layered) -> tuple[Fault, ...]:
    """Faults under the layer that their row is in."""
    return tuple(one if isinstance(one, More) else one.at(found.place(one.place)) for one in faults)


def guess(content: bytes, name: str) -> str:
    """Which kind a file is: one of `KINDS`, `rules` (exclusion rules), `exclusions` (their layers), '' if none.

    It is read in the box, as it will be when it is checked, and what came out is looked at.
    """
    ending = ending_of(content, name)
    try:
        if ending:
            return _kind_of_shapes(door.shapes({ending: content}, name), name)
        return tables.kind(content, name)
    except InputError:
        return "parcels" if ending else ""


def _kind_of_shapes(found: door.Shapes, name: str) -> str:
    kinds = [kind for kind in found.layers.values() if kind]
    if suffix(name) == ".gpkg" and len(kinds) > 1:
        return "exclusions"
    return "substations" if kinds and all("Point" in kind for kind in kinds) else "parcels"
