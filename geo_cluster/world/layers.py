"""Opens a registered layer: hash, columns, closed vocabularies, geometry, CRS -> (Geo)DataFrame.

Nothing downstream reads a file of `data/geo` by itself, so what a study used is what the registry says.
"""

from __future__ import annotations

import functools
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
from scipy.spatial import cKDTree

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.domain import Language, Layer, Text
from geo_cluster.errors import DataError, Fault, InputError, Place, reason_of, refuse_if
from geo_cluster.world import catalog, spreadsheet, tabular
from geo_cluster.world.coordinates import SYSTEMS, convert

CRS = "EPSG:4326"
HUBEI = (107.0, 28.0, 118.0, 35.0)
"""Bounds every shipped coordinate has to lie in: the province and its neighbours, degrees."""

SHIFT_EVIDENCE = 3
"""So many points more in place make a shift of the whole layer likelier than single mistakes."""

_FILLED, _KNOWN = "filled", "known"
"""Names of the contract's checks of text: that there is some, and that its words are in the vocabulary."""

_TYPES = {"str": Text(zh="文本", en="text"), "float": Text(zh="数", en="number"), "int": Text(zh="整数", en="integer")}

GAZETTEER = "geonames"
ANCHOR_KM = 0.1
KM_PER_DEGREE, KM_PER_DEGREE_LON = 111.2, 95.5
"""Kilometres in a degree of latitude, and of longitude at 31° N: near enough to tell 100 m from a shift of 500."""


@lru_cache(maxsize=64)  # the shipped ones, and own ones of the works that are looked at
def _read(name: str, folder: str) -> pd.DataFrame:
    path, layer = catalog.layer_path(name, folder), catalog.registry(folder)[name]
    refuse_if(file_faults(path, layer), DataError)
    table = _unpacked(path) if folder else parse(path)
    refuse_if(contract_faults(name, table) + _count_faults(layer, table), DataError)
    refuse_if(_misplaced(name, table), DataError)
    return table


def _misplaced(name: str, table: pd.DataFrame) -> list[Fault]:
    """Faults of place of a point layer; the gazetteer is what it is held against."""
    if not isinstance(table, gpd.GeoDataFrame) or "county_code" not in table or name == GAZETTEER:
        return []
    return place_faults(name, table, read("counties"), read(GAZETTEER).geometry)


def read(name: str, folder: str | Path = "") -> Any:
    """Open a registered layer, checked: points, lines and areas as GeoDataFrame in WGS84, else DataFrame.

    One that is registered in `folder` stands in place of the shipped one.

    Raises
    ------
    DataError
        The file is missing, truncated, changed, or breaks its contract; every fault is listed.
    """
    own = bool(folder) and name in catalog.layers(Path(folder))
    return _read(name, str(folder) if own else "").copy()


def file_faults(path: Path, layer: Layer) -> list[Fault]:
    """Whether a file is there and is, byte for byte, the one that the registry names."""
    if not path.is_file():
        return [Fault("world.layer_missing", path)]
    size = path.stat().st_size
    if size != layer.bytes:  # seen before a byte of it is read
        return [Fault("world.other_size", path, size=size, registered=layer.bytes)]
    if toml.sha256_of(path, error=DataError) != layer.sha256:
        return [Fault("world.other_hash", path)]
    return []


def parse(path: Path) -> pd.DataFrame:
    """Read a shipped CSV (points by lon/lat where it has them) or a vector file; unreadable ones are refused."""
    try:
        if path.suffix == ".csv":
            table = spreadsheet.read_csv(path.read_bytes())
            return _points(table) if {"lon", "lat"} <= set(table.columns) else table
        frame = gpd.read_file(path)
    except OSError as problem:
        raise DataError(Fault("common.unreadable", path, reason=reason_of(problem))) from None
    except UnicodeDecodeError:
        raise DataError(Fault("common.not_utf8", path)) from None
    except pd.errors.EmptyDataError:
        raise DataError(Fault("world.layer_empty", path)) from None
    except Exception as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise DataError(Fault("world.layer_unreadable", path, reason=reason)) from None
    if frame.crs is None:
        raise DataError(Fault("world.layer_without_crs", path))
    return frame.to_crs(CRS)


def _unpacked(path: Path) -> pd.DataFrame:
    """`parse` for a file of somebody's own, which is opened in the box."""
    try:
        content = door.content_of(path)
        if path.suffix == ".csv":
            table = tabular.read(content, path.name).reset_index(drop=True)
            return _points(table) if {"lon", "lat"} <= set(table.columns) else table
        frame = next(iter(door.shapes({path.suffix: content}, path.name).read.values()), None)
    except InputError as refusal:
        raise DataError(refusal.faults) from None
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        raise DataError(Fault("world.layer_without_crs", path))
    return frame.to_crs(CRS)


def _points(table: pd.DataFrame) -> gpd.GeoDataFrame:
    lon, lat = (pd.to_numeric(table[axis], errors="coerce") for axis in ("lon", "lat"))
    points = gpd.GeoSeries.from_xy(lon, lat, crs=CRS)
    points[lon.isna() | lat.isna()] = None
    return gpd.GeoDataFrame(table, geometry=points)


def _cast(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Turn declared float and int columns from text into numbers; what is no number becomes a fault later."""
    for column, rule in columns(name).items():
        if column in table and rule["type"] in ("float", "int") and not pd.api.types.is_numeric_dtype(table[column]):
            text = table[column].astype(str).str.strip()
            numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
            table[column] = numbers if numbers.notna().eq(text != "").all() else table[column]
    return table


def columns(name: str) -> dict[str, dict]:
    """Declared columns of a layer with those common to every row table."""
    declared = toml.table("layers")
    layer = declared["layers"].get(name, {})
    return layer.get("columns", {}) | (declared["common"] if layer.get("row_source", True) else {})


def headings(name: str) -> dict[str, dict[str, str]]:
    """What people call the columns of a layer, those beyond its contract too: column -> {zh, en}."""
    return toml.table("layers")["headings"] | columns(name)


def as_read(name: str, table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """A layer's rows with words in place of the keys of its vocabularies; columns keep their names."""
    rules, told = headings(name), table.copy()
    for column in set(table) & set(rules):
        vocabulary = rules[column].get("words") or rules[column].get("read")
        if vocabulary:
            known = {key: word[language] for key, word in words(vocabulary).items()}
            told[column] = [_worded(str(cell), known) for cell in table[column].fillna("")]
    return told


def _worded(cell: str, known: dict[str, str]) -> str:
    """A cell of words joined by `;` or `+`, each by its name where it has one."""
    joint = "+" if "+" in cell and ";" not in cell else ";"
    return {"+": " + ", ";": "; "}[joint].join(known.get(part, part) for part in cell.split(joint))


def words(vocabulary: str) -> dict[str, dict[str, str]]:
    """A closed vocabulary: value -> {zh, en}; constraints, segments and clauses are declared in tables of their own."""
    if vocabulary == "clause":
        clauses = toml.table("policy")["clauses"]
        return {key: {"zh": f"第{key}条 {of['zh']}", "en": f"clause {key}, {of['en']}"} for key, of in clauses.items()}
    if vocabulary == "constraint":
        return toml.table("exclusions")["constraint_names"]
    if vocabulary == "attribute":
        return {key: one.name.model_dump() for key, one in catalog.attributes().items()}
    if vocabulary == "segment":
        return {key: segment["name"] for key, segment in toml.table("requirements")["segments"].items()}
    return toml.table("layers")["words"][vocabulary]


def contract(name: str) -> pa.DataFrameSchema:
    """The pandera schema of a layer, made from `tables/layers.toml`."""
    checks: dict[str, pa.Column] = {}
    for column, rule in columns(name).items():
        nullable = rule.get("null", False)
        rules = []
        if rule["type"] == "str" and not nullable:
            rules.append(pa.Check(lambda text: text.str.strip() != "", element_wise=False, error=_FILLED))
        if "words" in rule:
            known = {"", *words(rule["words"])}
            split = functools.partial(_within, known=known)
            rules.append(pa.Check(split, error=_KNOWN))
        kind = {"str": str, "float": float, "int": int}[rule["type"]]
        checks[column] = pa.Column(kind, rules, nullable=nullable, unique=rule.get("unique", False), coerce=True)
    return pa.DataFrameSchema(checks, strict=False)


def _within(text: pd.Series, known: set[str]) -> pd.Series:
    """Whether every `;`-joined word is in the vocabulary."""
    return text.str.split(";").map(lambda parts: set(parts) <= known)


def contract_faults(name: str, table: pd.DataFrame) -> list[Fault]:
    """Every way in which a table breaks the contract of its layer; numbers are cast in place."""
    _cast(name, table)
    present = [column for column in columns(name) if column not in table]
    if present:
        return [Fault("world.column_missing", _place(name, column=column)) for column in present]
    faults = []
    try:
        contract(name).validate(table, lazy=True)
    except pa.errors.SchemaErrors as problem:
        for found in problem.failure_cases.itertuples():
            row = 0 if pd.isna(found.index) else int(found.index) + 2
            faults.append(_broken_rule(name, row, str(found.column), str(found.check), found.failure_case))
    if isinstance(table, gpd.GeoDataFrame):
        faults += _geometry_faults(name, table)
    return faults


def _place(name: str, row: int = 0, column: str = "") -> Place:
    return Place(name, kind="layer", row=row, column=column)


def _broken_rule(name: str, row: int, column: str, check: str, value: object) -> Fault:
    """One of pandera's failure cases: the check that failed, by its name, and the value that it failed on."""
    at, rule = _place(name, row, column), columns(name)[column]
    value = value.item() if isinstance(value, np.generic) else value
    if check in (_FILLED, "not_nullable"):
        return Fault("world.cell_empty", at)
    if check == _KNOWN:
        return Fault("world.not_in_vocabulary", at, value=value, known=sorted(words(rule["words"])))
    if check == "field_uniqueness":
        return Fault("world.not_unique", at, value=value)
    return Fault("world.wrong_type", at, value=value, expected=_TYPES[rule["type"]])


def _geometry_faults(name: str, table: gpd.GeoDataFrame) -> list[Fault]:
    west, south, east, north = HUBEI
    bounds = table.geometry.bounds
    outside = (bounds.minx < west) | (bounds.miny < south) | (bounds.maxx > east) | (bounds.maxy > north)
    faults = [Fault("world.outside_hubei", _place(name, int(row) + 2)) for row in outside.to_numpy().nonzero()[0]]
    invalid = ~table.geometry.is_valid & table.geometry.notna()
    faults += [Fault("world.invalid_geometry", _place(name, int(row) + 2)) for row in invalid.to_numpy().nonzero()[0]]
    return faults


def place_faults(
    name: str, points: gpd.GeoDataFrame, counties: gpd.GeoDataFrame, anchors: gpd.GeoSeries
) -> list[Fault]:
    """Points outside the county that their row claims, and layers that look shifted to GCJ-02 or BD-09.

    Two kinds of evidence are counted for each system that the points might be in: how many lie in the county they
    claim, and how many lie where a place of the gazetteer is. `SHIFT_EVIDENCE` points more than as WGS84 tell.

    Parameters
    ----------
    points : GeoDataFrame
        With `county_code`; rows without one, or without a point, claim nothing.
    counties : GeoDataFrame
        With `code` and `name_zh`.
    anchors : GeoSeries
        Trusted places in WGS84.
    """
    claims = points[(points["county_code"] != "") & points.geometry.notna()]
    at = claims.geometry.reset_index(drop=True)
    areas = counties.set_index("code").geometry.reindex(claims["county_code"]).reset_index(drop=True)
    names = counties.set_index("code")["name_zh"]
    faults = [
        Fault("world.outside_county", _place(name, row + 2), county=names.get(county, county))
        for row, county in claims.loc[~areas.covers(at).to_numpy(), "county_code"].items()
    ]
    placed = {system: _in_place(at, system, areas, anchors) for system in SYSTEMS}
    likely = [system for system in SYSTEMS if placed[system] - placed["wgs84"] >= SHIFT_EVIDENCE]
    if likely:
        named = [system.upper() for system in likely]
        systems = Text(zh=" 或 ".join(named), en=" or ".join(named))
        more = max(placed.values()) - placed["wgs84"]
        faults.insert(0, Fault("world.looks_shifted", _place(name), systems=systems, more=more))
    return faults


def _in_place(points: gpd.GeoSeries, system: str, areas: gpd.GeoSeries, anchors: gpd.GeoSeries) -> int:
    """How many points, taken as being in a system, lie in their area, and how many on an anchor."""
    lon, lat = convert(points.x.to_numpy(), points.y.to_numpy(), source=system, target="wgs84")
    home = gpd.GeoSeries.from_xy(lon, lat, crs=CRS)
    on_anchor = 0
    if len(anchors):
        plane = cKDTree(np.column_stack([anchors.x * KM_PER_DEGREE_LON, anchors.y * KM_PER_DEGREE]))
        km, _ = plane.query(np.column_stack([home.x * KM_PER_DEGREE_LON, home.y * KM_PER_DEGREE]))
        on_anchor = int((km < ANCHOR_KM).sum())
    return int(areas.covers(home).sum()) + on_anchor


def _count_faults(layer: Layer, table: pd.DataFrame) -> list[Fault]:
    if len(table) == layer.rows:
        return []
    return [Fault("world.other_length", layer.file, rows=len(table), registered=layer.rows)]


def check_all() -> list[Fault]:
    """Check every registered file against hash and contract, and that no file lies there unregistered."""
    declared, folder = catalog.layers(), catalog.data_dir()
    faults: list[Fault] = []
    for name, layer in declared.items():
        found = file_faults(folder / layer.file, layer)
        if not found:
            try:
                table = parse(folder / layer.file)
                found = contract_faults(name, table) + _count_faults(layer, table)
                found = found or _misplaced(name, table)
            except DataError as problem:
                found = problem.faults
        faults += found
    known = {layer.file for layer in declared.values()} | {"sources.toml"}
    strays = sorted({path.name for path in folder.iterdir() if not path.name.startswith(".")} - known)
    faults += [Fault("world.unregistered", folder / stray) for stray in strays]
    return faults
