"""The only file that knows paths: declared tables, the registry of layers, scenarios.

Tables are TOML files in `geo_cluster/tables`; layers are files in `data/geo` of a checkout, or
`geo_cluster/_data` of an installed wheel, each registered in `sources.toml`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from geo_cluster import toml
from geo_cluster.domain import (
    Attribute,
    Criterion,
    Door,
    DoorIndicator,
    FieldError,
    Language,
    Layer,
    ResourceKind,
    Rule,
    Scenario,
    Segment,
    Term,
    Text,
)
from geo_cluster.errors import DataError, Fault, Place, refuse_if
from geo_cluster.toml import PACKAGE, TABLES, cut, file_at, is_file, sha256_of, shown, table
from geo_cluster.world import sources

SCENARIO = Place("", kind="scenario")
"""Where the faults of a scenario are that was read from no file."""

SCENARIOS = TABLES / "scenarios"


PORTFOLIOS = TABLES / "portfolios"


Declaration = TypeVar("Declaration", bound=BaseModel)


def data_dir() -> Path:
    """Folder of the shipped layers: inside the wheel, else the checkout's `data/geo`."""
    packaged = PACKAGE / "_data"
    return packaged if packaged.is_dir() else PACKAGE.parent / "data" / "geo"


def sample_dir() -> Path:
    """Folder of the sample data pack (示例): inside the wheel, else the checkout's `data/sample`."""
    packaged = PACKAGE / "_sample"
    return packaged if packaged.is_dir() else PACKAGE.parent / "data" / "sample"


FINDINGS = {
    "missing": "world.key_missing",
    "extra_forbidden": "world.key_unknown",
    "string_type": "world.not_text",
    "string_unicode": "world.not_text",
    "string_too_short": "world.empty_text",
    "string_pattern_mismatch": "world.not_of_pattern",
    "tuple_type": "world.not_a_list",
    "too_long": "world.list_too_long",
    "dict_type": "world.not_a_table",
    "model_type": "world.not_a_table",
    "literal_error": "world.not_a_choice",
    "int_type": "world.not_an_integer",
    "int_parsing": "world.not_an_integer",
    "int_parsing_size": "world.not_an_integer",
    "int_from_float": "world.not_an_integer",
    "float_type": "world.not_a_number",
    "float_parsing": "world.not_a_number",
    "finite_number": "world.not_finite",
    "bool_type": "world.not_a_boolean",
    "bool_parsing": "world.not_a_boolean",
    "greater_than": "world.not_above",
    "greater_than_equal": "world.below_least",
    "less_than_equal": "world.above_most",
}
"""Pydantic's types of errors that declared types can have, and our codes."""


def faults_of(problem: ValidationError, where: Place | str) -> list[Fault]:
    """Translate pydantic's findings, one fault each, with the key they concern."""
    faults = []
    for found in problem.errors():
        context = found.get("ctx", {})
        key = cut(".".join(str(part) for part in found["loc"]))
        at = replace(where, key=key) if isinstance(where, Place) else Place(where, key=key)
        if isinstance(context.get("error"), FieldError):
            faults += [fault.at(at) for fault in context["error"].faults]
            continue
        code = FINDINGS.get(found["type"], "world.unfit_value")
        faults.append(Fault(code, at, got=shown(found["input"]), bound=_bound(context), reason=found["msg"]))
    return faults


def _bound(context: dict[str, Any]) -> object:
    """What pydantic held a value against: a number, a pattern or a list of choices; '' where nothing."""
    if "expected" in context:
        return re.findall(r"'([^']*)'", context["expected"])
    bound = next((context[key] for key in ("ge", "gt", "le", "max_length", "pattern") if key in context), "")
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _declared(file: str, kind: type[Declaration], rows: dict[str, Any]) -> dict[str, Declaration]:
    declared, faults = {}, []
    for key, row in rows.items():
        try:
            declared[key] = kind.model_validate(row)
        except ValidationError as problem:
            faults += faults_of(problem, Place(file, sheet=f"[{key}]"))
    refuse_if(faults, DataError)
    return declared


@cache
def attributes() -> dict[str, Attribute]:
    """What we want to know of sites, substations and prefectures, with priors."""
    return _declared("attributes.toml", Attribute, table("attributes"))


@cache
def _source_words() -> dict[tuple[str, str], Text]:
    """What is declared in both languages of where a number comes from: reasons of priors, ways of deriving."""
    return {
        (key, words.zh): words
        for key, attribute in attributes().items()
        for words in (*(prior.reason for prior in attribute.priors), *attribute.sources)
    }


def source_in(language: Language, attribute: str, source: str) -> str:
    """Where a number comes from, in a language; a document or a person is named as they are.

    Parameters
    ----------
    language : {"zh", "en"}
    attribute : str
        Whose number it is.
    source : str
        As the observation has it: its publisher, a reason, a way of deriving.
    """
    words = _source_words().get((attribute, source))
    return words[language] if words else sources.publisher_in(language, source)


@cache
def resources() -> dict[str, ResourceKind]:
    """What projects take and sites, stations or prefectures have, in the order in which tables list it."""
    rows, faults = {}, []
    for key, row in table("resources").items():
        attribute = attributes().get(row.get("attribute", ""))
        if attribute is None:
            at = Place("resources.toml", sheet=f"[{key}]", key="attribute")
            faults.append(
                Fault("world.no_such_attribute", at, name=shown(row.get("attribute")), known=list(attributes()))
            )
            continue
        times, unit = attribute.display_unit()
        rows[key] = row | {"subject": attribute.subject, "times": times, "unit": Text(zh=unit.zh, en=unit.en)}
    refuse_if(faults, DataError)
    return _declared("resources.toml", ResourceKind, rows)


PARK = ":park"
"""Ends the name of a resource whose pools are those of parks inside zones, such as `land:park`."""


def _key_of(name: str) -> str:
    """Key of the declared resource that one of a problem is of: of a park, of sites apart, of a year."""
    return re.split("[:@~]", name, maxsplit=1)[0]


def is_park(name: str) -> bool:
    """Whether the pools of a resource of a problem are those of parks inside zones.

    >>> is_park("land:park@2028"), is_park("land@2028")
    (True, False)
    """
    return re.split("[@~]", name, maxsplit=1)[0].endswith(PARK)


def resource_kind(name: str) -> ResourceKind | None:
    """The kind behind a resource of a problem: of `land:park@2028` that of `land`; None of what isn't declared."""
    return resources().get(_key_of(name))


def known_kind(name: str) -> ResourceKind:
    """The kind behind a resource that is one of the declared ones; KeyError where it isn't."""
    return resources()[_key_of(name)]


def offer_of(name: str) -> Text | None:
    """What there is of a resource of a problem is called; None of what isn't declared."""
    kind = resource_kind(name)
    if kind is None:
        return None
    if not is_park(name):
        return kind.offer
    return Text(zh=f"园中园{kind.offer.zh}", en=f"{kind.offer.en} inside the park")


def alternative(resource: str) -> str:
    """The resource that some sites offer in place of this one, '' where none is declared."""
    return next((key for key, kind in resources().items() if kind.instead_of == resource), "")


@cache
def glossary() -> dict[str, Term]:
    """The terms of the product with their definitions."""
    return _declared("glossary.toml", Term, table("glossary"))


@cache
def criteria() -> dict[str, Criterion]:
    """The columns of the decision matrix; behind a coverage ratio is the attribute of its resource."""
    behind = {key: {"attribute": kind.attribute} for key, kind in resources().items()}
    rows = {
        key: row | behind.get(row.get("resource", ""), {})
        for key, row in table("criteria").items()
        if key not in ("themes", "retired")
    }
    return _declared("criteria.toml", Criterion, rows)


@cache
def themes() -> dict[str, Text]:
    """Names of the criteria's themes."""
    return _declared("criteria.toml", Text, table("criteria")["themes"])


@cache
def rules() -> dict[str, Rule]:
    """Why a project may not go to a site."""
    rows = {key: row for key, row in table("exclusions").items() if key != "constraint_names"}
    short = {kind.short.rule: Rule(name=kind.short.name, reason=kind.short.reason) for kind in resources().values()}
    return _declared("exclusions.toml", Rule, rows) | short


@cache
def door_indicators() -> dict[str, DoorIndicator]:
    """What standard-land thresholds are of."""
    return _declared("doors.toml", DoorIndicator, table("doors")["indicators"])


@cache
def door_verdicts() -> dict[str, Text]:
    """What `pass`, `fail` and `unknown` are called."""
    return _declared("doors.toml", Text, table("doors")["verdicts"])


@cache
def doors() -> tuple[Door, ...]:
    """Standard-land thresholds of parks that a source states."""
    rows = {f"door {number}": row for number, row in enumerate(table("doors")["door"], start=1)}
    return tuple(_declared("doors.toml", Door, rows).values())


def share_name(segment: str) -> Text:
    """What a limit on the number of projects is called: of a segment, or '' for all."""
    name = segments()[segment].name if segment else Text(zh="项目", en="projects")
    return Text(zh=f"{name.zh}项目名额" if segment else f"{name.zh}名额", en=f"the share of {name.en}")


@cache
def constraint_names() -> dict[str, Text]:
    """Closed vocabulary of site constraints."""
    return _declared("exclusions.toml", Text, table("exclusions")["constraint_names"])


@cache
def segments() -> dict[str, Segment]:
    """Requirements of each segment of the laser industry."""
    usual = {kind.asked.column: kind.usual for kind in resources().values() if kind.estimate == "by_output"}
    rows = {
        name: {key: value for key, value in row.items() if key not in usual}
        | {"needs": {column: row.get(column, span) for column, span in usual.items()}}
        for name, row in table("requirements")["segments"].items()
    }
    return _declared("requirements.toml", Segment, rows)


@lru_cache(maxsize=64)
def registered(content: bytes, where: str) -> dict[str, Layer]:
    """What a `sources.toml` says: every file with producer, licence, dates and hash; read by `layers.Layers`."""
    rows = toml.parse(content, where, error=DataError)
    return _declared("sources.toml", Layer, rows.get("layers", {}))


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
    row = toml.read(path)
    portfolio = row.get("portfolio")
    if isinstance(portfolio, str) and not is_file(PORTFOLIOS / f"{portfolio}.csv"):
        file = file_at(path.parent / portfolio, Place(path.name, key="portfolio")).resolve()
        row["portfolio"] = str(file)
        row["portfolio_sha256"] = sha256_of(file) if file.is_file() else ""
    if isinstance(row.get("layers"), str) and row["layers"]:
        folder = file_at(path.parent / row["layers"], Place(path.name, key="layers")).resolve()
        registered = folder / "sources.toml"
        row["layers"] = str(folder)
        row["layers_sha256"] = sha256_of(registered) if registered.is_file() else ""
    return row, path.name


def _contradictions(row: dict[str, Any], problem: ValidationError, at: Place) -> list[Fault]:
    """What contradicts itself among the fields that are sound; pydantic looks at that only where all are."""
    broken = {found["loc"][0] for found in problem.errors() if found["loc"]}
    sound = {key: value for key, value in row.items() if key not in broken}
    try:
        Scenario.model_validate({"name": {"zh": "?", "en": "?"}, **sound})
    except ValidationError as other:
        return faults_of(other, at) if broken else []
    return []


def _in_force(weights: dict[Any, Any]) -> dict[Any, Any]:
    """Weights by the criteria there are: of one that is no more, its weight counts for the one that took it over."""
    retired = table("criteria")["retired"]
    found = {key: value for key, value in weights.items() if key not in retired}
    for old, new in retired.items():
        if old in weights and new not in weights:
            found[new] = weights[old]
    return found


def scenario_from(row: dict[str, Any], *, where: Place | str = SCENARIO) -> Scenario:
    """Validate a scenario as a dict, against the types and the names in the shipped tables.

    A weight of a criterion that is no more (`criteria.toml`, `retired`) weighs the one that took it over, unless that
    one has a weight of its own.

    Raises
    ------
    InputError
        With every fault of the types, and every criterion or attribute that there isn't.
    """
    at = where if isinstance(where, Place) else Place(where)
    faults: list[Fault] = []
    parsed = None
    if isinstance(row.get("weights"), dict):
        row = row | {"weights": _in_force(row["weights"])}
    try:
        parsed = Scenario.model_validate(row)
    except ValidationError as problem:
        faults += faults_of(problem, at) + _contradictions(row, problem, at)
    weights = row.get("weights")
    for key in weights if isinstance(weights, dict) else ():
        if key not in criteria():
            faults.append(
                Fault("world.no_such_criterion", replace(at, key=f"weights.{cut(str(key))}"), known=list(criteria()))
            )
    known = row.get("known")
    for number, entry in enumerate(known if isinstance(known, list | tuple) else ()):
        named = entry.get("attribute") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and not (isinstance(named, str) and named in attributes()):
            place = replace(at, key=f"known.{number}.attribute")
            faults.append(Fault("world.no_such_attribute", place, name=shown(named), known=list(attributes())))
    if parsed and not any({**{k: c.weight for k, c in criteria().items()}, **parsed.weights}.values()):
        faults.append(Fault("world.no_weight", replace(at, key="weights")))
    refuse_if(faults)
    assert parsed is not None  # no fault means it was parsed
    return parsed
