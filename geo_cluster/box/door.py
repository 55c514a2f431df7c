"""The box from outside: a file goes in, tables and shapes come out, or what is wrong with it in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from geo_cluster.box.foreign import foreign_fault
from geo_cluster.box.limits import limits
from geo_cluster.box.process import ask, broken
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError, Place, reason_of

if TYPE_CHECKING:
    import pandas as pd

OLD_BOOK = b"\xd0\xcf\x11\xe0"
"""How an old Excel file begins, and a new one under a password."""

MB = 2**20
LONGEST_CRS = 20_000
ELSEWHERE = ("nadgrids", "geoidgrids", "parameterfile", "://", "@")
"""Words of a coordinate reference system that would have other files opened."""


@dataclass(frozen=True)
class Sheet:
    """A sheet as it came: rows with something in them, cells that aren't what they show, what is hidden or merged.

    Attributes
    ----------
    name : str
        '' where a file has but one, as a text does.
    rows : list of (int, list of str)
        Number of the row in the file, from 1, and its cells; what is empty at the end is left out.
    odd : list of (int, int, str, str)
        Row and column, from 1, of a cell that is an `error` (with its text) or a formula `unsaved` without a value.
    hidden : bool
        Whether the sheet is hidden.
    hidden_rows, hidden_columns : tuple of int
        Of those with something in them, the ones that are hidden or filtered away.
    merged : list of (int, int, int, int)
        Top, left, bottom and right of cells merged into one.
    """

    name: str
    rows: list[tuple[int, list[str]]]
    odd: list[tuple[int, int, str, str]] = field(default_factory=list)
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Shapes:
    """Layers of a vector file.

    Attributes
    ----------
    layers : mapping of str
        Kind of geometry by layer of the file; '' for a table without any.
    read : mapping of DataFrame
        What was asked for by name of its layer: GeoDataFrame, or DataFrame where it has no geometry. In `attrs`:
        `says` (what the file says of its coordinates, in its words), `stated` (its CRS, even where that places nothing)
        and `cut` (headings whose end is missing).
    told : mapping of int
        What was left alone and how much of it: pictures and links of a KML, sheets of a drawing, other files of an
        archive (by ending); and how many lines were taken for outlines (`closed`, `joined`).
    """

    layers: Mapping[str, str]
    read: Mapping[str, pd.DataFrame]
    told: Mapping[str, int] = field(default_factory=dict)


def suffix(name: str) -> str:
    """How a file's name ends, in small letters."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def sheets(content: bytes, name: str) -> list[Sheet]:
    """Read every sheet of a table: text in any encoding and separator, HTML, .xlsx, .xlsm, .xls, .et, .xlsb, .ods.

    What the file is, its content says, whatever it is called.

    Raises
    ------
    InputError
        It is no such file, too large, guarded by a password, or can't be read.
    """
    check_size(content, name)
    if (alien := foreign_fault(content, name)) is not None:
        raise InputError(alien)
    is_book = content[:2] == b"PK" or content[:4] == OLD_BOOK
    found, _ = ask("sheet" if is_book else "lines", {suffix(name): content}, name)
    with _believed(name):
        return [
            Sheet(
                str(one["name"]),
                [(int(number), list(map(str, cells))) for number, cells in one["rows"]],
                [(int(row), int(column), str(kind), str(shown)) for row, column, kind, shown in one["odd"]],
                bool(one["hidden"]),
                tuple(map(int, one["hidden_rows"])),
                tuple(map(int, one["hidden_columns"])),
                [(int(top), int(left), int(bottom), int(right)) for top, left, bottom, right in one["merged"]],
            )
            for one in found["sheets"]
        ]


def shapes(files: Mapping[str, bytes], name: str, *, layers: Sequence[str] = (), every: bool = False) -> Shapes:
    """Read a vector file: GeoJSON, GeoPackage, Shapefile and what else `box.formats` has, or a ZIP of such.

    Parameters
    ----------
    files : mapping of bytes
        Content by ending (`.geojson`); of a Shapefile, all of its files.
    name : str
        What the first of them is called.
    layers : sequence of str
        The layers to read, as far as they are there; none for the first that has geometry.
    every : bool
        Without `layers`, read all that have geometry.
    """
    from geo_cluster.box.formats import ARCHIVES, DRIVERS

    for content in files.values():
        check_size(content, name)
    ending = next(iter(files))
    if (alien := foreign_fault(files[ending], name)) is not None:
        raise InputError(alien)
    if ending not in (*DRIVERS, *ARCHIVES):
        shown = ending or Text(zh="没有扩展名", en="no ending")
        raise InputError(Fault("box.unknown_kind", name, ending=shown, known=[*DRIVERS, *ARCHIVES]))
    question = "columnar" if ending == ".parquet" else "shapes"
    said, arrays = ask(question, files, name, layers=list(layers), every=every)
    with _believed(name):
        kinds, read = {str(layer): str(kind or "") for layer, kind in said["layers"]}, {}
        for number, one in enumerate(said["read"]):
            mine = {
                key.removeprefix(f"{number}/"): array for key, array in arrays.items() if key.startswith(f"{number}/")
            }
            read[str(one["layer"])] = _frame(one, mine, name)
        return Shapes(kinds, read, {str(what): int(count) for what, count in said.get("told", {}).items() if count})


def outlines(texts: Sequence[str], name: str, places: Sequence[Place]) -> Any:
    """Geometry of outlines in WKT, None where there is none; `places` says where each stands in the file."""
    content = "\n".join(" ".join(text.split()) for text in texts).encode()
    _, arrays = ask("shapes", {".txt": content}, name, places=[vars(one) for one in places], is_text=True)
    with _believed(name):
        return put_together(arrays)


@contextmanager
def _believed(name: str) -> Iterator[None]:
    """What the box said, as far as it makes sense: one that was taken over by its file may say anything."""
    from shapely.errors import ShapelyError

    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, ShapelyError):
        raise InputError(broken(name)) from None


def content_of(path: Path) -> bytes:
    """The bytes of a file that somebody names: of a plain file, and of none that is larger than may be.

    Raises
    ------
    InputError
        There is none, it is no plain file, or too large.
    """
    try:
        if not path.is_file():  # reading from a device or a pipe may never end
            raise InputError(Fault("common.not_a_file" if path.exists() else "common.no_such_file", path))
        limits().refuse(str(path), "megabytes", path.stat().st_size / MB, "box.too_large")
        return path.read_bytes()
    except (OSError, ValueError) as problem:
        raise InputError(Fault("common.unreadable", path, reason=reason_of(problem))) from None


def check_size(content: bytes, name: str) -> None:
    """Refuse what is empty or larger than a file may be."""
    if not content:
        raise InputError(Fault("box.empty", name))
    limits().refuse(name, "megabytes", len(content) / MB, "box.too_large")


ENDS = {0: 0, 1: 1, 3: 2, 4: 1, 5: 2, 6: 3}
"""How many levels of ends a kind of shape has (GEOS types; GeoArrow)."""


def put_together(arrays: Mapping[str, Any]) -> Any:
    """(n,) geometry of what `box.shapes` took apart.

    Raises
    ------
    ValueError
        The arrays describe none. Nothing is made of them before: the library that does so trusts them.
    """
    import numpy as np
    import shapely

    kinds = arrays["kinds"]
    out = np.full(len(kinds), None, dtype=object)
    parts, owners = [], []
    for kind in sorted({int(key.partition("/")[0]) for key in arrays if "/" in key}):
        ends = [arrays[f"{kind}/end{level}"] for level in range(ENDS[kind])]
        rows, corners = arrays[f"{kind}/row"], arrays[f"{kind}/at"]
        _check_ends(ends, corners, rows, len(kinds))
        made = shapely.from_ragged_array(shapely.GeometryType(kind), corners, tuple(ends) or None)
        alone = kinds[rows] == kind
        out[rows[alone]] = made[alone]
        parts.append(made[~alone])
        owners.append(rows[~alone])
    if parts and sum(map(len, parts)):
        order = np.argsort(np.concatenate(owners), kind="stable")
        rows, which = np.unique(np.concatenate(owners)[order], return_inverse=True)
        out[rows] = shapely.geometrycollections(np.concatenate(parts)[order], indices=which)
    return out


def _check_ends(ends: Sequence[Any], corners: Any, rows: Any, count: int) -> None:
    """Refuse ends that are not those of rings, parts and shapes one after the other, and rows that are none."""
    length, least = len(corners), 0
    is_right = corners.ndim == 2 and corners.shape[1] == 2 and corners.dtype == "float64"
    for end in ends:
        is_right = is_right and end.ndim == 1 and len(end) > 0 and end[0] == 0 and end[-1] == length
        is_right = is_right and bool((end[1:] - end[:-1] >= least).all())
        length, least = len(end) - 1, 1
    if not is_right or rows.shape != (length,) or not ((rows >= 0) & (rows < count)).all():
        msg = "no geometry"
        raise ValueError(msg)


def _frame(said: Mapping[str, Any], arrays: Mapping[str, Any], name: str) -> pd.DataFrame:
    import geopandas as gpd
    import pandas as pd

    columns: dict[str, pd.Series] = {}
    about: dict[str, Any] = {"says": str(said.get("says", "")), "cut": [], "stated": str(said["crs"] or "")[:200]}
    for column in said["columns"]:
        values = arrays[str(column["array"])] if column["kind"] == "array" else column["texts"]
        if len(values) != said["rows"]:
            msg = "columns of different lengths"
            raise ValueError(msg)
        key = str(column["name"])
        while key in columns or key == "geometry":  # a second one of a name, or of the name that the shapes go by
            key += "_"
        columns[key] = pd.Series(values, dtype=None if column["kind"] == "array" else object)
        about["cut"] += [key] if column.get("cut") else []
    table = pd.DataFrame(columns, index=pd.RangeIndex(int(said["rows"])))
    if said["is_shapes"]:
        geometry = gpd.GeoSeries(put_together(arrays))
        table = gpd.GeoDataFrame(table, geometry=geometry, crs=_system(said["crs"], name, geometry.total_bounds))
    table.attrs.update(about)
    return table


def _system(stated: object, name: str, bounds: Any) -> Any:
    """A coordinate reference system that a file states; None where the file's numbers have no place on Earth in it.

    Raises
    ------
    InputError
        It would have other files opened.
    """
    import numpy as np
    import pyproj

    if not stated:
        return None
    text = str(stated)
    if len(text) > LONGEST_CRS or any(word in text.lower() for word in ELSEWHERE):
        raise InputError(Fault("box.system_elsewhere", name))
    try:
        system, to_degrees = _known_system(text)
        placed = to_degrees.transform(*np.nan_to_num(bounds[:2]))
    except pyproj.exceptions.ProjError:
        return None
    return system if np.isfinite(placed).all() else None


@lru_cache(maxsize=64)
def _known_system(text: str) -> tuple[Any, Any]:
    """A system and the way from it to degrees: most files state one of a few, and making both takes 30 ms."""
    import pyproj

    system = pyproj.CRS.from_user_input(text)
    return system, pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
