"""Opens a registered layer: hash, columns, closed vocabularies, geometry, CRS -> (Geo)DataFrame.

Nothing downstream reads a file of `data/geo` by itself, so what a study used is what the registry says.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.domain import Language, Layer, Text
from geo_cluster.errors import DataError, Fault, InputError, Place, reason_of, refuse_if
from geo_cluster.world import catalog, spreadsheet, tabular
from geo_cluster.world.coordinates import SYSTEMS, convert

Result = TypeVar("Result")

SOURCES = "sources.toml"
"""Name of the registry in a folder of layers."""

CRS = "EPSG:4326"
HUBEI = (107.0, 28.0, 118.0, 35.0)
"""Bounds that coordinates have to lie in where a layer's contract states no others: the province and its neighbours."""

SHIFT_EVIDENCE = 3
"""So many points more in place make a shift of the whole layer likelier than single mistakes."""

_TYPES = {"str": Text(zh="文本", en="text"), "float": Text(zh="数", en="number"), "int": Text(zh="整数", en="integer")}

GAZETTEER = "geonames"
LOCATING = ("counties", GAZETTEER)
"""Layers that the places of all others are held against."""

ANCHOR_KM = 0.1
KM_PER_DEGREE, KM_PER_DEGREE_LON = 111.2, 95.5
"""Kilometres in a degree of latitude, and of longitude at 31° N: near enough to tell 100 m from a shift of 500."""


class Layers:
    """Registered layers: the shipped ones, and those of a folder of one's own in place of them and beside them.

    What the registry says is read once, so all who are handed the same `Layers` see the same data, whatever happens
    to the folder meanwhile. A file is checked when its layer is first read. Tables are shared by content: the shipped
    ones stay in memory, those of one's own as long as some `Layers` that read them.

    Parameters
    ----------
    folder : str or Path
        Folder with a `sources.toml` of one's own; '' for the shipped layers alone.
    tables : mapping of DataFrame, optional
        Tables that stand in place of layers, taken as they are, as tests and notebooks make them.

    Attributes
    ----------
    own : dict of Layer
        What is registered in `folder`, by name.
    registry : dict of Layer
        All of it: producer, licence, dates and SHA-256 of every layer, by name.
    sources : bytes
        The `sources.toml` of `folder`; empty where there is no folder.

    Raises
    ------
    DataError
        A registry is missing or damaged.
    """

    def __init__(self, folder: str | Path = "", *, tables: Mapping[str, pd.DataFrame] | None = None):
        self.folder = str(folder)
        self.sources = toml.content_of(Path(folder) / SOURCES, error=DataError) if self.folder else b""
        self.own = catalog.registered(self.sources, str(Path(folder) / SOURCES)) if self.folder else {}
        shipped = catalog.data_dir() / SOURCES
        registry = catalog.registered(toml.content_of(shipped, error=DataError), str(shipped)) | self.own
        self._tables: dict[str, pd.DataFrame] = dict(tables or {})
        self._handed_in = frozenset(self._tables)
        self.registry = registry | {name: _described(name, table) for name, table in self._tables.items()}

    @property
    def not_shipped(self) -> frozenset[str]:
        """Names of the layers that are one's own or were handed in."""
        return frozenset(self.own) | self._handed_in

    @property
    def sha256(self) -> str:
        """SHA-256 of the folder's registry, which names the files by theirs; '' where there is no folder."""
        return hashlib.sha256(self.sources).hexdigest() if self.folder else ""

    @property
    def key(self) -> str:
        """Names all layers by content, 24 hex digits."""
        return hashlib.sha256(repr(sorted(self.hashes().items())).encode()).hexdigest()[:24]

    def hashes(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """SHA-256 of each layer, or of those named."""
        return {name: self._entry(name).sha256 for name in (self.registry if names is None else names)}

    def path(self, name: str) -> Path:
        """Where the file of a layer is; that of one's own has to lie in the folder, and not be a way out of it.

        Raises
        ------
        DataError
            There is no such layer, it is no file, or its file is a link to another place.
        """
        layer = self._entry(name)
        if name in self._handed_in:
            raise DataError(Fault("world.layer_handed_in", _place(name)))
        if name not in self.own:
            return catalog.data_dir() / layer.file
        path = Path(self.folder) / layer.file
        if path.resolve().parent != Path(self.folder).resolve():
            at = Place(SOURCES, sheet=f"[{name}]", key="file")
            raise DataError(Fault("world.link_elsewhere", at, file=path.name))
        return path

    def content(self, name: str) -> bytes:
        """The file of a layer as it is, checked against its hash."""
        path, layer = self.path(name), self.registry[name]
        refuse_if(file_faults(path, layer, own=name in self.own), DataError)
        return path.read_bytes()

    def read(self, name: str) -> Any:
        """Open a layer, checked: points, lines and areas as GeoDataFrame in WGS84, else DataFrame; a copy each time.

        Raises
        ------
        DataError
            The file is missing, truncated, changed, or breaks its contract; every fault is listed.
        """
        if name not in self._tables:
            self._tables[name] = self._opened(name)
        return self._tables[name].copy()

    def _entry(self, name: str) -> Layer:
        if name not in self.registry:
            raise DataError(Fault("world.no_such_layer", SOURCES, name=name, known=list(self.registry)))
        return self.registry[name]

    def _opened(self, name: str) -> pd.DataFrame:
        path, own, layer = self.path(name), name in self.own, self.registry[name]
        refuse_if(file_faults(path, layer, own=True) if own else _shipped_faults(path, layer, _stat(path)), DataError)
        located_by = (one for one in LOCATING if one in self.registry)
        mark = (f"{name}{path.suffix}", own, layer.sha256, *self.hashes(located_by).values())
        table = _tables.get(mark)
        if table is None:
            table = _unpacked(path, layer) if own else _cast(name, parse(path))
            if own:  # a shipped file is, by its hash, the one that `check_all` and the tests found sound
                refuse_if(contract_faults(name, table) + _count_faults(layer, table), DataError)
            if own or not set(LOCATING).isdisjoint(self.own):  # nobody held it against counties of one's own
                refuse_if(self._misplaced(name, table), DataError)
            _tables[mark] = table
        refuse_if(_count_faults(layer, table), DataError)
        if not own:
            _shipped[name] = table
        return table

    def _misplaced(self, name: str, table: pd.DataFrame) -> list[Fault]:
        """Faults of place of a point layer, held against the counties and the gazetteer."""
        if not isinstance(table, gpd.GeoDataFrame) or "county_code" not in table or name in LOCATING:
            return []
        counties, gazetteer = (self.read(one) for one in LOCATING)
        return place_faults(name, table, counties, gazetteer.geometry)


_tables: WeakValueDictionary[tuple[Hashable, ...], pd.DataFrame] = WeakValueDictionary()
"""Checked tables by layer and SHA-256, as long as somebody holds them."""

_shipped: dict[str, pd.DataFrame] = {}
"""The shipped layers by name, held."""


def _described(name: str, table: pd.DataFrame) -> Layer:
    """A registry entry for a table that was handed in: nobody knows whose it is."""
    flat, shapes = pd.DataFrame(table), isinstance(table, gpd.GeoDataFrame)
    content = flat.drop(columns=table.geometry.name if shapes else []).to_csv(lineterminator="\n").encode()
    content += b"".join(shape or b"" for shape in table.geometry.to_wkb()) if shapes else b""
    row: dict[str, Any] = {"file": f"{name}.csv", "title_zh": name, "title_en": name, "producer": "?", "licence": "?"}
    row |= {"licence_url": "", "attribution_zh": "", "attribution_en": "", "urls": (), "retrieved": "", "as_of": ""}
    row |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": len(table)}
    row |= {"crs": CRS if shapes else "none", "geometry": "any" if shapes else "none", "made_by": "handed in"}
    return Layer.model_validate(row)


def _stat(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file: size, time and place on the disk; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


@lru_cache(maxsize=128)
def _shipped_faults(path: Path, layer: Layer, _: tuple[int, int, int] | None) -> tuple[Fault, ...]:
    """`file_faults` of a shipped file, which isn't hashed again while nothing touched it."""
    return tuple(file_faults(path, layer))


def by_content(*names: str, most: int) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Keep what a function makes of layers, by the SHA-256 of those named and by its other arguments.

    Parameters
    ----------
    *names : str
        The layers that the function reads; all when none is named.
    most : int
        So many answers are kept, those asked for last; of the layers themselves nothing is.
    """

    def keeping(function: Callable[..., Result]) -> Callable[..., Result]:
        kept: OrderedDict[Any, Result] = OrderedDict()
        lock = threading.Lock()

        @functools.wraps(function)
        def answer(layers: Layers, *about: Hashable) -> Result:
            key = (*layers.hashes(names or None).values(), *about)
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            made = function(layers, *about)
            with lock:
                kept[key] = made
                while len(kept) > most:
                    kept.popitem(last=False)
            return made

        return answer

    return keeping


def file_faults(path: Path, layer: Layer, *, own: bool = False) -> list[Fault]:
    """Whether the file at `path` is there and is, byte for byte, the one that its registry entry `layer` names.

    A file of one's own (`own`) has other remedies than a shipped one.
    """
    if not path.is_file():
        return [Fault("world.own_layer_missing" if own else "world.layer_missing", path)]
    size = path.stat().st_size
    if size != layer.bytes:  # seen before a byte of it is read
        code = "world.own_other_size" if own else "world.other_size"
        return [Fault(code, path, size=size, registered=layer.bytes)]
    if toml.sha256_of(path, error=DataError) != layer.sha256:
        return [Fault("world.own_other_hash" if own else "world.other_hash", path)]
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


def _unpacked(path: Path, layer: Layer) -> pd.DataFrame:
    """`parse` for a file of somebody's own, which is opened in the box."""
    try:
        content = door.content_of(path)
        if hashlib.sha256(content).hexdigest() != layer.sha256:  # it changed since it was looked at
            raise DataError(Fault("world.own_other_hash", path))
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


def groups(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of layers by the group that people find them under, in the order of `tables/layers.toml`; none is empty."""
    left, found = list(names), {}
    declared = toml.table("layers")["groups"]
    for key, group in declared.items():
        found[key] = [name for name in group["layers"] if name in left]
    found["other"] += [name for name in left if not any(name in group for group in found.values())]
    return {key: group for key, group in found.items() if group}


def name_of(name: str) -> dict[str, str]:
    """What a layer with a contract is called: {zh, en}; empty for any other."""
    return toml.table("layers")["layers"].get(name, {}).get("name", {})


def main_columns(name: str) -> list[str]:
    """What a table of a layer shows first: its names, and what its popup shows; nothing where it has no popup."""
    layer = toml.table("layers")["layers"].get(name, {})
    names = [column for column in ("id", "code", "name_zh", "name_en") if column in layer.get("columns", {})]
    return [*names, *layer["popup"]] if layer.get("popup") else []


def row_layers(names: Iterable[str]) -> list[str]:
    """Those layers that are tables of facts, a row each: all but the base map and the networks."""
    apart = {*toml.table("layers")["groups"]["base"]["layers"], "roads", "railways"}
    return [name for name in names if name not in apart]


def group_names() -> dict[str, dict[str, str]]:
    """What the groups of layers are called: key -> {zh, en}."""
    return {key: group["name"] for key, group in toml.table("layers")["groups"].items()}


def headings(name: str) -> dict[str, dict[str, str]]:
    """What people call the columns of a layer, those beyond its contract too: column -> {zh, en}."""
    return toml.table("layers")["headings"] | columns(name)


def as_read(name: str, table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """A layer's rows with words in place of the keys of its vocabularies; columns keep their names.

    Parameters
    ----------
    name : str
        Of the layer.
    table : DataFrame
        Its rows; they stay as they are.
    language : {"zh", "en"}
    """
    rules, shown = headings(name), table.copy()
    for column in set(table) & set(rules):
        vocabulary = rules[column].get("words") or rules[column].get("read")
        if vocabulary:
            known = {key: word[language] for key, word in words(vocabulary).items()}
            shown[column] = [_worded(str(cell), known) for cell in table[column].fillna("")]
    return shown


def _worded(cell: str, known: dict[str, str]) -> str:
    """A cell of words joined by `;` or `+`, each by its name where it has one."""
    joint = "+" if "+" in cell and ";" not in cell else ";"
    return {"+": " + ", ";": "; "}[joint].join(known.get(part, part) for part in cell.split(joint))


def city_name(name: str) -> str:
    """A city as a map names it: 鄂州 for 鄂州市, Ezhou for Ezhou City."""
    return name.removesuffix("市").removesuffix(" City")


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


def _column_faults(name: str, column: str, cells: pd.Series) -> Iterator[Fault]:
    """Every cell of a column that breaks its rule: type, filled, in the vocabulary, there once only."""
    rule, is_null = columns(name)[column], cells.isna().to_numpy()
    kind, text = rule["type"], ["" if null else str(one) for one, null in zip(cells.tolist(), is_null, strict=True)]
    is_empty, is_odd = np.array([not one.strip() for one in text], dtype=bool), np.zeros(len(cells), dtype=bool)
    if kind != "str":
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(float)
        is_odd = ~is_empty & (np.isnan(numbers) | (kind == "int") & (numbers != np.round(numbers)))

    def those(rows: np.ndarray) -> Iterator[tuple[Place, Any]]:
        for row in np.flatnonzero(rows):
            value = cells.iloc[row]
            yield _place(name, int(row) + 2, column), value.item() if isinstance(value, np.generic) else value

    yield from (Fault("world.wrong_type", at, value=value, expected=_TYPES[kind]) for at, value in those(is_odd))
    if not rule.get("null", False):
        yield from (Fault("world.cell_empty", at) for at, _ in those(is_empty))
    if "words" in rule:
        vocabulary = words(rule["words"])
        known = sorted(vocabulary)
        sound = {one for one in set(text) if set(one.split(";")) <= {"", *vocabulary}}
        unknown = those(np.array([one not in sound for one in text], dtype=bool))
        yield from (Fault("world.not_in_vocabulary", at, value=value, known=known) for at, value in unknown)
    if rule.get("unique", False):
        twice = those(cells.duplicated(keep=False).to_numpy() & ~is_null)
        yield from (Fault("world.not_unique", at, value=value) for at, value in twice)


def contract_faults(name: str, table: pd.DataFrame, *, shipped: bool = False) -> list[Fault]:
    """Every way in which a table breaks the contract of its layer; numbers are cast in place.

    Parameters
    ----------
    name : str
        Of the layer.
    table : DataFrame
        Its rows.
    shipped : bool
        Whether its optional columns have to be there, as in every shipped layer.
    """
    _cast(name, table)
    asked = [column for column, rule in columns(name).items() if shipped or not rule.get("optional", False)]
    absent = [column for column in asked if column not in table]
    if absent:
        return [Fault("world.column_missing", _place(name, column=column)) for column in absent]
    there = [column for column in columns(name) if column in table]
    faults = [fault for column in there for fault in _column_faults(name, column, table[column])]
    if isinstance(table, gpd.GeoDataFrame):
        faults += _geometry_faults(name, table)
    return faults


def _place(name: str, row: int = 0, column: str = "") -> Place:
    return Place(name, kind="layer", row=row, column=column)


def _geometry_faults(name: str, table: gpd.GeoDataFrame) -> list[Fault]:
    own = toml.table("layers")["layers"].get(name, {}).get("bounds")
    west, south, east, north = own or HUBEI
    bounds = table.geometry.bounds
    outside = (bounds.minx < west) | (bounds.miny < south) | (bounds.maxx > east) | (bounds.maxy > north)
    places = [_place(name, int(row) + 2) for row in outside.to_numpy().nonzero()[0]]
    faults = [Fault("world.outside_bounds", at) if own else Fault("world.outside_hubei", at) for at in places]
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
    name : str
        Of the layer.
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
    near = _near(anchors)
    placed = {system: _in_place(at, system, areas, near) for system in SYSTEMS}
    likely = [system for system in SYSTEMS if placed[system] - placed["wgs84"] >= SHIFT_EVIDENCE]
    if likely:
        named = [system.upper() for system in likely]
        systems = Text(zh=" 或 ".join(named), en=" or ".join(named))
        more = max(placed.values()) - placed["wgs84"]
        faults.insert(0, Fault("world.looks_shifted", _place(name), systems=systems, more=more))
    return faults


def _near(anchors: gpd.GeoSeries) -> Callable[[gpd.GeoSeries], int]:
    """Counts how many points lie on an anchor."""
    if not len(anchors):
        return lambda _: 0
    from scipy.spatial import cKDTree  # slow to import, and a refused input needs none

    def plane(points: gpd.GeoSeries) -> np.ndarray:
        return shapely.get_coordinates(points.to_numpy()) * (KM_PER_DEGREE_LON, KM_PER_DEGREE)

    tree = cKDTree(plane(anchors))
    return lambda points: int((tree.query(plane(points))[0] < ANCHOR_KM).sum())


def _in_place(points: gpd.GeoSeries, system: str, areas: gpd.GeoSeries, near: Callable[[gpd.GeoSeries], int]) -> int:
    """How many points, taken as being in a system, lie in their area, and how many on an anchor."""
    lon, lat = convert(points.x.to_numpy(), points.y.to_numpy(), source=system, target="wgs84")
    home = gpd.GeoSeries.from_xy(lon, lat, crs=CRS)
    return int(areas.covers(home).sum()) + near(home)


def _count_faults(layer: Layer, table: pd.DataFrame) -> list[Fault]:
    if len(table) == layer.rows:
        return []
    return [Fault("world.other_length", layer.file, rows=len(table), registered=layer.rows)]


def check_all(layers: Layers, tables: dict[str, pd.DataFrame] | None = None) -> list[Fault]:
    """Check every registered file against hash and contract, and that no file lies unregistered beside the shipped.

    Parameters
    ----------
    layers : Layers
    tables : dict of DataFrame, optional
        Is filled with the sound tables by name.
    """
    faults: list[Fault] = []
    for name, layer in layers.registry.items():
        path = layers.path(name)
        found = file_faults(path, layer)
        if not found:
            try:
                table = parse(path)
                shipped = name not in layers.own
                found = contract_faults(name, table, shipped=shipped) + _count_faults(layer, table)
                found = found or layers._misplaced(name, table)
                if not found and tables is not None:
                    tables[name] = table
            except DataError as problem:
                found = problem.faults
        faults += found
    folder = catalog.data_dir()
    known = {layer.file for layer in layers.registry.values()} | {SOURCES}
    strays = sorted({path.name for path in folder.iterdir() if not path.name.startswith(".")} - known)
    faults += [Fault("world.unregistered", folder / stray) for stray in strays]
    return faults
