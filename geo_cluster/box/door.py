"""The box from outside: a file goes in, tables and shapes come out, or what is wrong with it in words."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from geo_cluster.box import wire
from geo_cluster.box.limits import REMEDY, limits
from geo_cluster.errors import Fault, InputError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

BOOKS = (".xlsx", ".xlsm")
OLD_BOOK = b"\xd0\xcf\x11\xe0"
"""How an old Excel file begins, and a new one under a password."""

MB = 2**20
LOOK_S = 0.1
"""So often `WAITS` are called."""

KEPT, KEPT_MB = 16, 8
"""So many answers of up to so many MB are kept, for a page asks for the same file again and again."""

WAITS: list[Callable[[], None]] = []
"""Called again and again while an answer is awaited; whatever one raises ends the box: whoever asked may have left."""

LONGEST_CRS = 20_000
ELSEWHERE = ("nadgrids", "geoidgrids", "parameterfile", "://", "@")
"""Words of a coordinate reference system that would have other files opened."""

BEGIN = (
    "import sys, json; setting = json.loads(sys.stdin.buffer.readline()); sys.path[:] = setting['path'];"
    "from geo_cluster.box.inside import main; main(setting)"
)

GDAL = {
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_PYTHON_DRIVER_PATH": "",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "OGR_SQLITE_PRAGMA": "trusted_schema=OFF",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "PROJ_NETWORK": "OFF",
}
"""No plug-ins, no Python, no network; which drivers there are is decided inside, by the ending of the file."""

_waiting = threading.Condition()
_beginner = ThreadPoolExecutor(1, "geo-cluster-box")
_spare: dict[tuple[int, str, str], Future[subprocess.Popen[bytes]]] = {}
_busy = 0
_kept: OrderedDict[str, bytes | InputError] = OrderedDict()


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
    told, _ = _asked("sheet" if is_book else "lines", {suffix(name): content}, name)
    return Rows([(int(n), [str(c) for c in cells]) for n, cells in told["rows"]], [tuple(o) for o in told["odd"]])


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
    told, arrays = _asked("shapes", files, name, layers=list(layers))
    read = {}
    for number, one in enumerate(told["read"]):
        mine = {key.partition("/")[2]: array for key, array in arrays.items() if key.partition("/")[0] == str(number)}
        read[str(one["layer"])] = _frame(one, mine, name)
    return Shapes({str(layer): str(kind or "") for layer, kind in told["layers"]}, read)


def outlines(texts: Sequence[str], name: str, places: Sequence[Place]) -> Any:
    """Geometry of outlines in WKT, None where there is none; `places` says where each stands in the file."""
    content = "\n".join(" ".join(text.split()) for text in texts).encode()
    _, arrays = _asked(
        "shapes", {".txt": content}, name, places=[[one, one.row, one.column] for one in places], is_text=True
    )
    return put_together(arrays)


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
        columns[str(column["name"])] = pd.Series(values, dtype=None if column["kind"] == "array" else object)
    table = pd.DataFrame(columns, index=pd.RangeIndex(int(told["rows"])))
    if not told["is_shapes"]:
        return table
    return gpd.GeoDataFrame(table, geometry=put_together(arrays), crs=_system(told["crs"], name))


def _system(stated: object, name: str) -> Any:
    """A coordinate reference system that a file states; one that would have other files opened is refused."""
    import pyproj

    if not stated:
        return None
    text = str(stated)
    if len(text) > 20_000 or any(
        word in text.lower() for word in ("nadgrids", "geoidgrids", "@", "://", "parameterfile")
    ):
        raise InputError(
            Fault(name, "has a coordinate reference system that needs other files", "state it by its code")
        )
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        return None


# ---- the process --------------------------------------------------------------------------------------------


def _asked(question: str, files: Mapping[str, bytes], name: str, **more: Any) -> tuple[Any, dict[str, Any]]:
    """What the box answers; kept as it came for a while, for the same file is asked about more than once."""
    mark = hashlib.sha256(json.dumps([question, name, more, vars(limits())]).encode())
    for file, content in files.items():
        mark.update(file.encode() + b"\0" + hashlib.sha256(content).digest())
    key = mark.hexdigest()
    with _waiting:
        answer = _kept.get(key)
        if answer is not None:
            _kept.move_to_end(key)
    if answer is None:
        try:
            answer = _run(question, files, name, more)
        except _SlowError:  # which may be the machine's fault, and another time not
            raise
        except InputError as refusal:
            answer = refusal
        if isinstance(answer, InputError) or len(answer) < KEPT_MB * MB:
            with _waiting:
                _kept[key] = answer
                while len(_kept) > KEPT:
                    _kept.popitem(last=False)
    if isinstance(answer, InputError):
        raise InputError(answer.faults)
    return _opened(answer, name)


class _SlowError(InputError):
    """It took too long."""


def _opened(content: bytes, name: str) -> tuple[Any, dict[str, Any]]:
    try:
        told, arrays = wire.receive(content)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(_broken(name)) from None
    if not isinstance(told, dict):
        raise InputError(_broken(name))
    if told.get("faults"):
        faults = told["faults"]
        raise InputError([Fault(str(a), str(b), str(c), int(row), str(column)) for a, b, c, row, column in faults])
    if "failed" in told:
        raise InputError(_failed(str(told["failed"]), str(told.get("reason", "")), name))
    return told, arrays


def _broken(name: str) -> Fault:
    return Fault(name, "brings down what reads it", "save it again in the program it was made with")


def _failed(how: str, reason: str, name: str) -> Fault:
    now = limits()
    if how == "memory":
        what = f"takes more than {now.memory_megabytes:,} MB of memory to read"
        return Fault(name, what, REMEDY.format(key="memory_megabytes"))
    if how == "nesting":
        return Fault(name, "is nested too deeply", "save it again in the program it was made with")
    return Fault(name, f"can't be read ({reason})", "check that it opens where it was made, and save it again")


def _wait_on() -> None:
    for one in WAITS:
        one()


@contextmanager
def _turn() -> Iterator[None]:
    """Only so many boxes at once, whoever asks."""
    global _busy
    with _waiting:
        while _busy >= limits().at_once:
            _waiting.wait(LOOK_S)
            _wait_on()
        _busy += 1
    try:
        yield
    finally:
        with _waiting:
            _busy -= 1
            _waiting.notify()


def _run(question: str, files: Mapping[str, bytes], name: str, more: Mapping[str, Any]) -> bytes:
    asked = {"name": name, "files": [(ending, len(content)) for ending, content in files.items()], **more}
    with _turn():
        process, told = _taken(question), bytearray()
        talk = [
            threading.Thread(target=_say, args=(process.stdin, [_line(asked), *files.values()])),
            threading.Thread(target=_listen, args=(process.stdout, told, limits().output_megabytes * MB)),
        ]
        try:
            for one in talk:
                one.start()
            return _heard(process, talk[-1], told, name)
        finally:
            process.kill()
            process.wait()
            for one in talk:
                one.join()


def _taken(question: str) -> subprocess.Popen[bytes]:
    """A box that is ready, or will be in a moment; another is made ready for whoever asks next.

    All begin in one thread that stays: on Linux they end with the thread that they were begun by.
    """
    key = (os.getpid(), question, json.dumps(vars(limits())))
    with _waiting:
        ready = _spare.pop(key, None)
        for other in [one for one in _spare if one[2] != key[2]]:
            _spare.pop(other).add_done_callback(lambda box: box.result().kill())
        if ready is not None and ready.done() and ready.result().poll() is not None:
            ready = None
        ready = ready or _beginner.submit(_begin, question)
        _spare[key] = _beginner.submit(_begin, question)
    return ready.result()


def make_ready() -> None:
    """Have a box of each kind ready for the first file; for a server, whose visitors would wait."""
    now = json.dumps(vars(limits()))
    with _waiting:
        for question in ("lines", "sheet", "shapes"):
            _spare.setdefault((os.getpid(), question, now), _beginner.submit(_begin, question))


def _begin(question: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", BEGIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    if sys.platform == "win32":
        from geo_cluster.box import windows

        windows.confine(process, limits())
    setting = {"question": question, "limits": vars(limits()), "parent": os.getpid()}
    with suppress(OSError):  # it ended at once; whoever takes it hears so
        process.stdin.write(_line(setting | {"path": [one for one in sys.path if Path(one).is_absolute()]}))  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    return process


def _line(told: object) -> bytes:
    return json.dumps(told).encode() + b"\n"


def _heard(process: subprocess.Popen[bytes], listener: threading.Thread, told: bytearray, name: str) -> bytes:
    """What the process says, as long as it keeps to its limits and somebody waits for it."""
    now = limits()
    until = time.monotonic() + now.seconds
    while listener.is_alive() and time.monotonic() < until:
        listener.join(LOOK_S)
        _wait_on()
    if listener.is_alive():
        raise _SlowError(Fault(name, f"takes more than {now.seconds:,} s to read", REMEDY.format(key="seconds")))
    now.refuse(name, "output_megabytes", len(told) / MB, "gives {} MB")
    code = process.wait()
    if code in (-signal.SIGKILL, -signal.SIGXCPU) if os.name == "posix" else False:
        what = f"takes more than {now.cpu_seconds:,} s of processor time to read"
        raise InputError(Fault(name, what, REMEDY.format(key="cpu_seconds")))
    if code:
        raise InputError(_broken(name))
    return bytes(told)


def _say(pipe: Any, parts: Sequence[bytes]) -> None:
    with suppress(OSError), pipe:  # it may end before it has heard everything
        for part in parts:
            pipe.write(part)


def _listen(pipe: Any, told: bytearray, most: int) -> None:
    with suppress(OSError), pipe:
        while len(told) <= most and (piece := pipe.read1(MB)):
            told += piece


def _environment() -> dict[str, str]:
    """What the process knows of its surroundings: nothing of ours, and GDAL without what no file needs."""
    kept = {key: os.environ[key] for key in ("SYSTEMROOT", "WINDIR", "PATH", "LD_LIBRARY_PATH") if key in os.environ}
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS"), "1")
    return kept | quiet | GDAL
