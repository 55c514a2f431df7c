"""The box from outside: a file goes in, tables and shapes come out, or what is wrong with it in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from geo_cluster.box.limits import limits
from geo_cluster.box.process import ask, broken
from geo_cluster.errors import Fault, InputError, Place

if TYPE_CHECKING:
    import pandas as pd

BOOKS = (".xlsx", ".xlsm")
OLD_BOOK = b"\xd0\xcf\x11\xe0"
"""How an old Excel file begins, and a new one under a password."""

MB = 2**20
LONGEST_CRS = 20_000
ELSEWHERE = ("nadgrids", "geoidgrids", "parameterfile", "://", "@")
"""Words of a coordinate reference system that would have other files opened."""


@dataclass(frozen=True)
class Rows:
    """A table as it came: rows with something in them, and cells that aren't what they show.

    Attributes
    ----------
    rows : list of (int, list of str)
        Number of the row in the file, from 1, and its cells; what is empty at the end is left out.
    odd : list of (int, int, str, str)
        Row and column, from 1, of a cell that is an `error` (with its text) or a formula `unsaved` without a value.
    """

    rows: list[tuple[int, list[str]]]
    odd: list[tuple[int, int, str, str]]


@dataclass(frozen=True)
class Shapes:
    """Layers of a vector file.

    Attributes
    ----------
    layers : mapping of str
        Kind of geometry by layer of the file; '' for a table without any.
    read : mapping of DataFrame
        What was asked for by name of its layer: GeoDataFrame, or DataFrame where it has no geometry.
    """

    layers: Mapping[str, str]
    read: Mapping[str, pd.DataFrame]


def suffix(name: str) -> str:
    """How a file's name ends, in small letters."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def rows(content: bytes, name: str) -> Rows:
    """Read a CSV (UTF-8, UTF-16, GB 18030; comma, tab or semicolon) or the first sheet of an XLSX.

    Raises
    ------
    InputError
        It is no such file, too large, or can't be read.
    """
    check_size(content, name)
    is_book, is_packed = suffix(name) in BOOKS, content[:2] == b"PK"
    if suffix(name) == ".xls":
        raise InputError(Fault(name, "is an old Excel file (.xls)", "save it as .xlsx or CSV"))
    if content[:4] == OLD_BOOK:
        raise InputError(Fault(name, "is guarded by a password", "save it without one"))
    if is_packed and not is_book:
        raise InputError(Fault(name, "is packed, and no text as its ending says", "give it the ending of what it is"))
    if is_book and not is_packed:
        raise InputError(Fault(name, "is no Excel workbook", "save it as .xlsx or CSV"))
    told, _ = ask("sheet" if is_book else "lines", {suffix(name): content}, name)
    with _believed(name):
        odd = [(int(row), int(column), str(kind), str(shown)) for row, column, kind, shown in told["odd"]]
        return Rows([(int(number), list(map(str, cells))) for number, cells in told["rows"]], odd)


def shapes(files: Mapping[str, bytes], name: str, *, layers: Sequence[str] = ()) -> Shapes:
    """Read GeoJSON, GeoPackage, a Shapefile or a ZIP of one, KML or DXF.

    Parameters
    ----------
    files : mapping of bytes
        Content by ending (`.geojson`); of a Shapefile, all of its files.
    name : str
        What the first of them is called.
    layers : sequence of str
        The layers to read, as far as they are there; none for the first that has geometry.
    """
    from geo_cluster.box.shapes import DRIVERS

    for content in files.values():
        check_size(content, name)
    ending = next(iter(files))
    if ending not in (*DRIVERS, ".zip"):
        what = f"is of a kind that isn't read here ({ending or 'no ending'})"
        raise InputError(Fault(name, what, f"use one of {', '.join((*DRIVERS, '.zip'))}"))
    told, arrays = ask("shapes", files, name, layers=list(layers))
    with _believed(name):
        kinds, read = {str(layer): str(kind or "") for layer, kind in told["layers"]}, {}
        for number, one in enumerate(told["read"]):
            mine = {
                key.removeprefix(f"{number}/"): array for key, array in arrays.items() if key.startswith(f"{number}/")
            }
            read[str(one["layer"])] = _frame(one, mine, name)
        return Shapes(kinds, read)


def outlines(texts: Sequence[str], name: str, places: Sequence[Place]) -> Any:
    """Geometry of outlines in WKT, None where there is none; `places` says where each stands in the file."""
    content = "\n".join(" ".join(text.split()) for text in texts).encode()
    _, arrays = ask(
        "shapes", {".txt": content}, name, places=[[one, one.row, one.column] for one in places], is_text=True
    )
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
            what = "is no file" if path.exists() else "no such file"
            raise InputError(Fault(str(path), what, "check the path"))
        limits().refuse(str(path), "megabytes", path.stat().st_size / MB, "has {} MB")
        return path.read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise InputError(Fault(str(path), f"can't be read ({reason})", "check the path and its rights")) from None


def check_size(content: bytes, name: str) -> None:
    """Refuse what is empty or larger than a file may be."""
    if not content:
        raise InputError(Fault(name, "is empty", "save the file again"))
    limits().refuse(name, "megabytes", len(content) / MB, "has {} MB")


def put_together(arrays: Mapping[str, Any]) -> Any:
    """(n,) geometry of what `box.shapes` took apart."""
    import numpy as np
    import shapely

    kinds = arrays["kinds"]
    out = np.full(len(kinds), None, dtype=object)
    parts, owners = [], []
    for kind in sorted({key.partition("/")[0] for key in arrays if "/" in key}):
        ends = [arrays[f"{kind}/end{k}"] for k in range(3) if f"{kind}/end{k}" in arrays]
        made = shapely.from_ragged_array(shapely.GeometryType(int(kind)), arrays[f"{kind}/at"], tuple(ends) or None)
        rows = arrays[f"{kind}/row"]
        alone = kinds[rows] == int(kind)
        out[rows[alone]] = made[alone]
        parts.append(made[~alone])
        owners.append(rows[~alone])
    if parts and sum(map(len, parts)):
        order = np.argsort(np.concatenate(owners), kind="stable")
        rows, which = np.unique(np.concatenate(owners)[order], return_inverse=True)
        out[rows] = shapely.geometrycollections(np.concatenate(parts)[order], indices=which)
    return out


def _frame(told: Mapping[str, Any], arrays: Mapping[str, Any], name: str) -> pd.DataFrame:
    import geopandas as gpd
    import pandas as pd

    columns = {}
    for number, column in enumerate(told["columns"]):
        values = arrays[f"column{number}"] if column["kind"] == "array" else column["texts"]
        if len(values) != told["rows"]:
            msg = "columns of different lengths"
            raise ValueError(msg)
        columns[str(column["name"])] = pd.Series(values, dtype=None if column["kind"] == "array" else object)
    table = pd.DataFrame(columns)
    if not told["is_shapes"]:
        return table
    return gpd.GeoDataFrame(table, geometry=put_together(arrays), crs=_system(told["crs"], name))


def _system(stated: object, name: str) -> Any:
    """A coordinate reference system that a file states; one that would have other files opened is refused."""
    import pyproj

    if not stated:
        return None
    text = str(stated)
    if len(text) > LONGEST_CRS or any(word in text.lower() for word in ELSEWHERE):
        what = "has a coordinate reference system that needs other files"
        raise InputError(Fault(name, what, "state it by its code"))
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        return None
