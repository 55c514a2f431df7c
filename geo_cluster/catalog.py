"""The only file that knows paths: declared tables, the registry of layers, scenarios.

Tables are TOML files in `geo_cluster/tables`; layers are files in `data/geo` of a checkout, or
`geo_cluster/_data` of an installed wheel, each registered in `sources.toml`.
"""

from __future__ import annotations

import hashlib
import re
import reprlib
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from geo_cluster.domain import Attribute, Criterion, Exclusion, Language, Layer, Scenario, Segment, Text
from geo_cluster.errors import DataError, Fault, GeoClusterError, InputError, refuse_if

PACKAGE = Path(__file__).parent
TABLES = PACKAGE / "tables"
SCENARIOS = TABLES / "scenarios"
TOML_MB = 2
"""No scenario, registry or table of settings is larger."""

TOML_DEPTH = 20
"""None has tables in tables, or a key of so many parts: reading a dotted key takes the square of its length."""

PORTFOLIOS = TABLES / "portfolios"

SHOWN = 80
"""Of what was given, so many characters are told at most."""

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

_short = reprlib.Repr()
_short.maxstring = _short.maxother = SHOWN

Declaration = TypeVar("Declaration", bound=BaseModel)


def data_dir() -> Path:
    """Folder of the shipped layers: inside the wheel, else the checkout's `data/geo`."""
    packaged = PACKAGE / "_data"
    return packaged if packaged.is_dir() else PACKAGE.parent / "data" / "geo"


def sample_dir() -> Path:
    """Folder of the sample data pack (示例): inside the wheel, else the checkout's `data/sample`."""
    packaged = PACKAGE / "_sample"
    return packaged if packaged.is_dir() else PACKAGE.parent / "data" / "sample"


def read_toml(path: Path, *, error: type[GeoClusterError] = InputError) -> dict[str, Any]:
    """Read one TOML file; what can't be read or parsed is refused with its place."""
    try:
        if path.exists() and not path.is_file():  # reading from a device or a pipe may never end
            raise error(Fault(str(path), "is no file", "check the path"))
        if path.stat().st_size > TOML_MB * 2**20:
            raise error(Fault(str(path), f"has more than {TOML_MB} MB", "give a file of settings"))
        content = path.read_bytes()
    except FileNotFoundError:
        raise error(Fault(str(path), "no such file", "check the path")) from None
    except (OSError, ValueError) as problem:
        raise error(_unreadable(problem, cut(str(path)))) from None
    return toml_of(content, str(path), error=error)


def toml_of(content: bytes, where: str, *, error: type[GeoClusterError] = InputError) -> dict[str, Any]:
    """The content of a TOML file; what can't be parsed is refused with its place."""
    try:
        text = content.decode("utf-8-sig")
        if any(piece.lastgroup for piece in _PIECES.finditer(text)):
            raise RecursionError
        told = tomllib.loads(text)
        _check_values(told)
    except UnicodeDecodeError:
        raise error(Fault(where, "is not UTF-8 text", "save it as UTF-8")) from None
    except tomllib.TOMLDecodeError as problem:
        raise error(Fault(where, f"is not valid TOML ({cut(str(problem))})", "mend the line named")) from None
    except RecursionError:
        raise error(Fault(where, "is nested too deeply", "mend it, or make it again")) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise error(Fault(where, "holds a whole number that is too large", "correct the value")) from None
    return told


def _check_values(told: dict[str, Any]) -> None:
    """Refuse what would be too deep to show or to check, and whole numbers beyond those of TOML."""
    level: list[Any] = [told]
    for _ in range(TOML_DEPTH + 1):
        if any(isinstance(one, int) and not -(2**63) <= one < 2**63 for one in level):
            raise ValueError
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [one for values in inner for one in values]
    if level:
        raise RecursionError


def cut(text: str) -> str:
    """A text that isn't ours, short enough to be told: its beginning and its end."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 + 1 :]}"


def shown(value: object) -> str:
    """What was given, short enough to be told."""
    return cut(_short.repr(value))


def is_file(path: Path) -> bool:
    """Whether there is such a file; what no file can be called is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def file_at(path: Path, where: str) -> Path:
    """A path that somebody wrote, whether or not a file is there; what no file can be called is refused."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as problem:
        raise InputError(_unreadable(problem, where)) from None
    return path


def sha256_of(path: Path, *, error: type[GeoClusterError] = InputError) -> str:
    """The hash of a file, a piece at a time."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise error(_unreadable(problem, str(path))) from None


def _unreadable(problem: OSError | ValueError, where: str) -> Fault:
    reason = getattr(problem, "strerror", None) or str(problem)
    return Fault(where, f"can't be read ({reason})", "check the path and its rights")


def faults_of(problem: ValidationError, where: str) -> list[Fault]:
    """Translate pydantic's findings, one fault each, with the key they concern."""
    remedies = {
        "extra_forbidden": "remove the key or correct its spelling",
        "missing": "add the key",
        "file_name": "name a file that lies beside sources.toml, such as sites.csv",
    }
    faults = []
    for found in problem.errors():
        key = cut(".".join(str(part) for part in found["loc"])) or "the whole entry"
        got = "" if found["type"] == "missing" else f" (got {shown(found['input'])})"
        remedy = remedies.get(found["type"], "correct the value")
        if "ge" in found.get("ctx", {}):
            remedy = f"give a number from {found['ctx']['ge']} on"
        faults.append(Fault(f"{where}, {key}", f"{found['msg']}{got}", remedy))
    return faults


def _declared(file: str, kind: type[Declaration], rows: dict[str, Any]) -> dict[str, Declaration]:
    declared, faults = {}, []
    for key, row in rows.items():
        try:
            declared[key] = kind.model_validate(row)
        except ValidationError as problem:
            faults += faults_of(problem, f"{file}, [{key}]")
    refuse_if(faults, DataError)
    return declared


@cache
def table(name: str) -> dict[str, Any]:
    """One declared table as it stands, e.g. `table("requirements")`."""
    return read_toml(TABLES / f"{name}.toml", error=DataError)


@cache
def attributes() -> dict[str, Attribute]:
    """What we want to know of sites, substations and prefectures, with priors."""
    return _declared("attributes.toml", Attribute, table("attributes"))


@cache
def _source_words() -> dict[tuple[str, str], Text]:
    """What is declared in both languages of where a number comes from: reasons of priors, ways of deriving."""
    return {
        (key, said.zh): said
        for key, attribute in attributes().items()
        for said in (*(prior.reason for prior in attribute.priors), *attribute.sources)
    }


def source_in(language: Language, attribute: str, source: str) -> str:
    """Where a number comes from, in a language; a document or a person is named as they are."""
    words = _source_words().get((attribute, source)) or table("layers")["words"]["source"].get(source)
    return words[language] if words else source


@cache
def criteria() -> dict[str, Criterion]:
    """The columns of the decision matrix."""
    rows = {key: row for key, row in table("criteria").items() if key != "themes"}
    return _declared("criteria.toml", Criterion, rows)


@cache
def themes() -> dict[str, Text]:
    """Names of the criteria's themes."""
    return _declared("criteria.toml", Text, table("criteria")["themes"])


@cache
def exclusions() -> dict[str, Exclusion]:
    """Why a project may not go to a site."""
    rows = {key: row for key, row in table("exclusions").items() if key != "constraint_names"}
    return _declared("exclusions.toml", Exclusion, rows)


@cache
def constraint_names() -> dict[str, Text]:
    """Closed vocabulary of site constraints."""
    return _declared("exclusions.toml", Text, table("exclusions")["constraint_names"])


@cache
def segments() -> dict[str, Segment]:
    """Requirements of each segment of the laser industry."""
    return _declared("requirements.toml", Segment, table("requirements")["segments"])


@lru_cache(maxsize=64)
def layers(folder: Path | None = None) -> dict[str, Layer]:
    """The registry of a folder, by default of `data_dir()`: every file with producer, licence, dates and hash."""
    rows = read_toml((folder or data_dir()) / "sources.toml", error=DataError)
    return _declared("sources.toml", Layer, rows.get("layers", {}))


def registry(folder: str = "") -> dict[str, Layer]:
    """The shipped layers, those registered in `folder` in place of them and beside them."""
    return layers() | (layers(Path(folder)) if folder else {})


def layer_path(name: str, folder: str = "") -> Path:
    """Where the file of a registered layer is; that of one's own folder has to lie in it, and not be a way out of it.

    Raises
    ------
    DataError
        There is no such layer, or its file is a link to another place.
    """
    declared = registry(folder)
    if name not in declared:
        raise DataError(Fault("sources.toml", f"no layer named {name!r}", f"use one of {', '.join(declared)}"))
    if not folder or name not in layers(Path(folder)):
        return data_dir() / declared[name].file
    path = Path(folder) / declared[name].file
    if path.resolve().parent != Path(folder).resolve():
        raise DataError(
            Fault(
                f"sources.toml, [{name}], file", f"{path.name} is a link to another place", "put the file itself there"
            )
        )
    return path


def scenario_names() -> list[str]:
    """Shipped scenarios, the default one first."""
    return sorted((path.stem for path in SCENARIOS.glob("*.toml")), key=lambda name: (name != "default", name))


def scenario(name_or_path: str | Path = "default") -> Scenario:
    """Read a shipped scenario by name, or a TOML file by path; all faults at once."""
    row, where = scenario_row(name_or_path)
    return scenario_from(row, where=where)


def scenario_row(name_or_path: str | Path) -> tuple[dict[str, Any], str]:
    """A scenario's TOML as it stands and its file's name; a portfolio file is found beside it and hashed."""
    path = SCENARIOS / f"{name_or_path}.toml"
    if not is_file(path):
        path = file_at(Path(name_or_path), cut(str(name_or_path)))
    row = read_toml(path)
    portfolio = row.get("portfolio")
    if isinstance(portfolio, str) and not is_file(PORTFOLIOS / f"{portfolio}.csv"):
        file = file_at(path.parent / portfolio, f"{path.name}, portfolio").resolve()
        row["portfolio"] = str(file)
        row["portfolio_sha256"] = sha256_of(file) if file.is_file() else ""
    if isinstance(row.get("layers"), str) and row["layers"]:
        folder = file_at(path.parent / row["layers"], f"{path.name}, layers").resolve()
        registered = folder / "sources.toml"
        row["layers"] = str(folder)
        row["layers_sha256"] = sha256_of(registered) if registered.is_file() else ""
    return row, path.name


def scenario_from(row: dict[str, Any], *, where: str = "scenario") -> Scenario:
    """Validate a scenario given as a dict, against the types and the names in the shipped tables."""
    faults: list[Fault] = []
    parsed = None
    try:
        parsed = Scenario.model_validate(row)
    except ValidationError as problem:
        faults += faults_of(problem, where)
    weights = row.get("weights")
    for key in weights if isinstance(weights, dict) else ():
        if key not in criteria():
            remedy = f"use one of {', '.join(criteria())}"
            faults.append(Fault(f"{where}, weights.{cut(str(key))}", "no such criterion", remedy))
    known = row.get("known")
    for number, entry in enumerate(known if isinstance(known, list | tuple) else ()):
        named = entry.get("attribute") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and not (isinstance(named, str) and named in attributes()):
            remedy = f"use one of {', '.join(attributes())}"
            what = f"{shown(named)} is no attribute"
            faults.append(Fault(f"{where}, known.{number}.attribute", what, remedy))
    if parsed and not any({**{k: c.weight for k, c in criteria().items()}, **parsed.weights}.values()):
        faults.append(Fault(f"{where}, weights", "every weight is zero", "give at least one criterion weight"))
    refuse_if(faults)
    assert parsed is not None  # no fault means it was parsed
    return parsed
