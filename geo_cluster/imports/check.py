"""One door for every kind of file: bytes in, `Checked` out; what can't even be read is a fault like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from geo_cluster.box.door import suffix
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError
from geo_cluster.imports.files import SHAPES, Checked, Kind, digest, read_shapes
from geo_cluster.imports.observations import check_observations
from geo_cluster.imports.parcels import check_parcels
from geo_cluster.imports.projects import check_projects
from geo_cluster.imports.substations import check_substations
from geo_cluster.region import Region
from geo_cluster.supply import land_survey
from geo_cluster.supply.land import Exclusion
from geo_cluster.world import tabular

SAMPLE = "示例 sample"


def check_file(
    content: bytes,
    name: str,
    kind: Kind,
    region: Region,
    *,
    source: str = "",
    crs: str = "",
    belongs: Mapping[str, str] | None = None,
    rules: tuple[bytes, bytes] | None = None,
) -> Checked:
    """Read and check one file.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    kind : str
        What it is to be read as; `files.guess` proposes one.
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
    """
    sha256 = digest(content)
    try:
        given = read_shapes(content, name, crs=crs) if suffix(name) in SHAPES else tabular.read(content, name)
        exclusions = read_rules(*rules) if rules and kind == "parcels" else []
    except InputError as refusal:
        return Checked(kind, name, sha256, pd.DataFrame(), tuple(refusal.faults))
    source = source.strip() or name
    made_up = next((column for column in given.columns if str(column).strip().lower() in ("sample", "示例")), None)
    if made_up is not None and SAMPLE not in source:
        source = f"{SAMPLE}：{source}"
    try:
        checked = _checked(given, name, kind, region, sha256, source, crs, belongs, exclusions)
    except InputError as refusal:
        return Checked(kind, name, sha256, pd.DataFrame(), tuple(refusal.faults))
    if made_up is None:
        return checked
    said = Text(
        zh="这是示例数据，不是真实数据；采用后来源注明示例。", en="Sample data, not real; its source will say so."
    )
    return replace(checked, notes=(said, *checked.notes))


def _checked(
    given: pd.DataFrame,
    name: str,
    kind: Kind,
    region: Region,
    sha256: str,
    source: str,
    crs: str,
    belongs: Mapping[str, str] | None,
    exclusions: list[Exclusion],
) -> Checked:
    if kind == "parcels":
        return check_parcels(
            given, region, name=name, sha256=sha256, source=source, rules=exclusions, belongs=belongs, crs=crs
        )
    table = as_table(given) if suffix(name) in SHAPES else given
    if kind == "substations":
        system = crs if crs in ("gcj02", "bd09") and suffix(name) not in SHAPES else "wgs84"
        return check_substations(table, region, name=name, sha256=sha256, source=source, system=system)
    if suffix(name) in SHAPES:
        fault = Fault(name, "is a file of shapes", "read it as parcels or substations")
        return Checked(kind, name, sha256, table, (fault,))
    if kind == "observations":
        return check_observations(table, region, name=name, sha256=sha256)
    return check_projects(table, name=name, sha256=sha256)


def as_table(shapes: pd.DataFrame) -> pd.DataFrame:
    """Points as a table of text with `lon` and `lat` in WGS 84."""
    points = shapes.geometry.to_crs(4326).representative_point()
    flat = pd.DataFrame(shapes.drop(columns=shapes.geometry.name)).astype(object)
    flat = flat.where(flat.notna(), "").astype(str)
    return flat.drop(columns=[one for one in flat if str(one).lower() in ("lon", "lat")]).assign(
        lon=points.x.map("{:.7f}".format), lat=points.y.map("{:.7f}".format)
    )


def read_rules(rules: bytes, layers: bytes) -> list[Exclusion]:
    """Exclusion rules and their layers from the bytes of both files."""
    return land_survey.rules_of(rules, "rules.csv", layers, "exclusions.gpkg")
