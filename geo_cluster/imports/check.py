"""One door for every kind of file: bytes in, `Checked` out; what can't even be read is a fault like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from geo_cluster.box import door
from geo_cluster.box.door import suffix
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError
from geo_cluster.imports import tables
from geo_cluster.imports.checked import Checked, ImportContext, Kind
from geo_cluster.imports.files import SHAPES, digest, read_shapes
from geo_cluster.imports.observations import check_observations
from geo_cluster.imports.parcels import check_parcels
from geo_cluster.imports.projects import check_projects
from geo_cluster.imports.substations import check_substations
from geo_cluster.imports.tables import AS_IT_IS, TableChoice
from geo_cluster.region import Region
from geo_cluster.supply import land_survey

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
    table : TableChoice
        Of a table: which sheet, which heading means what, and cells that were mended.

    Returns
    -------
    Checked
        With every fault; nothing is raised for what the file says.
    """
    context = ImportContext(kind, name, digest(content), region, source.strip() or name, crs, belongs=belongs or {})
    context = replace(context, mapping=table.mapping)
    try:
        is_shapes = suffix(name) in SHAPES
        rows = read_shapes(content, name, crs=crs) if is_shapes else tables.read(content, name, kind, table)
        if rules and kind == "parcels":
            context = replace(
                context, rules=tuple(land_survey.rules_of(rules[0], "rules.csv", rules[1], "exclusions.gpkg"))
            )
        headings = rows.columns if isinstance(rows, pd.DataFrame) else rows.frame.columns
        made_up = any(str(column).strip().lower() in ("sample", "示例") for column in headings)
        if made_up and SAMPLE not in context.source:
            context = replace(context, source=f"{SAMPLE}：{context.source}")
        checked = _checked(rows, context)
    except InputError as refusal:
        return Checked(kind, name, context.sha256, pd.DataFrame(), tuple(refusal.faults))
    if not made_up:
        return checked
    note = Text(
        zh="这是示例数据，不是真实数据；采用后来源注明示例。", en="Sample data, not real; its source will say so."
    )
    return replace(checked, notes=(note, *checked.notes))


def _checked(rows: Any, context: ImportContext) -> Checked:
    """Rows or shapes, by the checker of their kind."""
    if context.kind == "parcels":
        return check_parcels(rows, context)
    shapes = suffix(context.name) in SHAPES
    table = as_table(rows) if shapes else rows
    if context.kind == "substations":
        shifted = context.crs in ("gcj02", "bd09") and not shapes  # shapes are in WGS 84 already
        return check_substations(table, replace(context, crs=context.crs if shifted else ""))
    if shapes:
        fault = Fault("imports.shapes", context.name)
        return Checked(context.kind, context.name, context.sha256, table, (fault,))
    return check_observations(table, context) if context.kind == "observations" else check_projects(table, context)


def as_table(shapes: pd.DataFrame) -> pd.DataFrame:
    """Points as a table of text with `lon` and `lat` in WGS 84."""
    points = shapes.geometry.to_crs(4326).representative_point()
    flat = pd.DataFrame(shapes.drop(columns=shapes.geometry.name)).astype(object)
    flat = flat.where(flat.notna(), "").astype(str)
    return flat.drop(columns=[one for one in flat if str(one).lower() in ("lon", "lat")]).assign(
        lon=points.x.map("{:.7f}".format), lat=points.y.map("{:.7f}".format)
    )


def guess(content: bytes, name: str) -> str:
    """Which kind a file is: one of `KINDS`, `rules` (exclusion rules), `exclusions` (their layers), '' if none.

    It is read in the box, as it will be when it is checked, and what came out is looked at.
    """
    try:
        if suffix(name) in SHAPES:
            return _kind_of_shapes(door.shapes({suffix(name): content}, name), name)
        return tables.kind(content, name)
    except InputError:
        return "parcels" if suffix(name) in SHAPES else ""


def _kind_of_shapes(found: door.Shapes, name: str) -> str:
    kinds = list(found.layers.values())
    if suffix(name) == ".gpkg" and len(kinds) > 1:
        return "exclusions"
    return "substations" if kinds and "Point" in kinds[0] else "parcels"
