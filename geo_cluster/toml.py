"""TOML files, ours and other people's: read completely or refused with their place."""

from __future__ import annotations

import datetime
import hashlib
import re
import reprlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from geo_cluster.errors import DataError, Fault, GeoClusterError, InputError, Place, reason_of

PACKAGE = Path(__file__).parent


TABLES = PACKAGE / "tables"


TOML_MB = 2
"""No scenario, registry or table of settings is larger."""


TOML_DEPTH = 20
"""None has tables in tables, or a key of so many parts: reading a dotted key takes the square of its length."""


SHOWN = 80
"""Of a value that isn't ours, so many characters are shown at most."""


_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\[^\n])*+"?|'[^'\n]*+'?)"""


_PIECES = re.compile(
    rf"""
    \"{{3}}(?:[^"\\]++|\\.|"(?!""))*+"{{0,5}}  # texts of several lines
    | \'{{3}}(?:[^']++|'(?!''))*+'{{0,5}}
    | \#[^\n]*+
    | (?P<deep>{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{TOML_DEPTH},}}+)
    | {_PART}
    """,
    re.VERBOSE | re.DOTALL,
)
"""What a TOML file is made of, as far as it takes to tell a dotted key from dots in a text or a remark."""


_AT = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


_short = reprlib.Repr()
_short.maxstring = _short.maxother = SHOWN


def read(path: Path, *, error: type[GeoClusterError] = InputError) -> dict[str, Any]:
    """Read one TOML file; what can't be read or parsed is refused with its place."""
    return parse(content_of(path, error=error), str(path), error=error)


def content_of(path: Path, *, error: type[GeoClusterError] = InputError) -> bytes:
    """The bytes of a file of settings; what can't be read, or is too large for one, is refused with its place."""
    try:
        if path.exists() and not path.is_file():  # reading from a device or a pipe may never end
            raise error(Fault("common.not_a_file", path))
        if path.stat().st_size > TOML_MB * 2**20:
            raise error(Fault("common.settings_too_large", path, most=TOML_MB))
        return path.read_bytes()
    except FileNotFoundError:
        raise error(Fault("common.no_such_file", path)) from None
    except (OSError, ValueError) as problem:
        raise error(Fault("common.unreadable", cut(str(path)), reason=reason_of(problem))) from None


def parse(content: bytes, where: Place | str, *, error: type[GeoClusterError] = InputError) -> dict[str, Any]:
    """The content of a TOML file; what can't be parsed is refused with its place.

    Parameters
    ----------
    content : bytes
    where : Place or str
        What a fault is put down to.
    error : type
        Of the refusal.
    """
    try:
        text = content.decode("utf-8-sig")
        if any(piece.lastgroup for piece in _PIECES.finditer(text)):
            raise RecursionError
        parsed = tomllib.loads(text)
        _check_values(parsed)
    except UnicodeDecodeError:
        raise error(Fault("common.not_utf8", where)) from None
    except tomllib.TOMLDecodeError as problem:
        raise error(_syntax_fault(problem, where)) from None
    except RecursionError:
        raise error(Fault("common.nested_too_deep", where)) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise error(Fault("common.integer_too_large", where)) from None
    return parsed


def _syntax_fault(problem: tomllib.TOMLDecodeError, where: Place | str) -> Fault:
    """What `tomllib` says is wrong, with line and column, which it only puts into its text before Python 3.14."""
    at = _AT.search(str(problem))
    reason = cut(str(problem)[: at.start()] if at else str(problem))
    if at and at["line"]:
        return Fault("common.not_toml", where, reason=reason, line=int(at["line"]), column=int(at["column"]))
    return Fault("common.not_toml_at_end", where, reason=reason)


def _check_values(parsed: dict[str, Any]) -> None:
    """Refuse what would be too deep to show or to check, and whole numbers beyond those of TOML."""
    level: list[Any] = [parsed]
    for _ in range(TOML_DEPTH + 1):
        if any(isinstance(one, int) and not -(2**63) <= one < 2**63 for one in level):
            raise ValueError
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [one for values in inner for one in values]
    if level:
        raise RecursionError


def cut(text: str) -> str:
    """A text that isn't ours, short enough to be shown: its beginning and its end."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 + 1 :]}"


def shown(value: object) -> str:
    """A value that isn't ours, short enough to be shown; days and times as TOML writes them."""
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else cut(_short.repr(value))


def is_file(path: Path) -> bool:
    """Whether there is such a file; what no file can be called is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def file_at(path: Path, where: Place | str) -> Path:
    """A path that somebody wrote, whether or not a file is there; what no file can be called is refused."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as problem:
        raise InputError(Fault("common.unreadable", where, reason=reason_of(problem))) from None
    return path


def sha256_of(path: Path, *, error: type[GeoClusterError] = InputError) -> str:
    """The hash of a file, a piece at a time."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise error(Fault("common.unreadable", path, reason=reason_of(problem))) from None


@cache
def table(name: str) -> dict[str, Any]:
    """One declared table as it stands, e.g. `table("requirements")`."""
    return read(TABLES / f"{name}.toml", error=DataError)
