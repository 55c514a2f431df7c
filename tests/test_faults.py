"""Every fault has its sentences: the source is read, and each code with its values is held against the tables."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import pytest

from geo_cluster.errors import FAULTS, Fault, Place

ROOT = FAULTS.parents[2]
PACKAGES = ("geo_cluster", "app")
WORDS = {"places", "reasons"}
"""Tables beside those of the rooms: what kinds of places, and the reasons of the system, are called."""


CARRIERS = {"Fault"}
"""What takes a code as its first argument."""

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z']+(?:\s+[A-Za-z']+){2,}")
CODE = re.compile(r"[a-z_]+\.[a-z0-9_]+")


@cache
def sentences() -> dict[str, dict[str, dict[str, str]]]:
    """Code -> what and remedy -> language -> sentence."""
    rooms = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FAULTS.glob("*.toml"))}
    return {f"{room}.{key}": said for room, keys in rooms.items() if room not in WORDS for key, said in keys.items()}


@cache
def rooms() -> set[str]:
    return {code.partition(".")[0] for code in sentences()}


@cache
def placeholders(code: str, language: str) -> set[str]:
    """Names of the values in the sentences of a code."""
    said = sentences()[code]
    fields = string.Formatter().parse(said["what"][language] + said["remedy"][language])
    return {name for _, name, _, _ in fields if name is not None}


class Source(NamedTuple):
    """A file of the product."""

    name: str
    tree: ast.Module


@cache
def sources() -> tuple[Source, ...]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths
    )


@dataclass(frozen=True, eq=False)
class Raised:
    """One place in the source where a fault is made."""

    source: Source
    call: ast.Call
    function: ast.FunctionDef | None

    def __str__(self) -> str:
        return f"{self.source.name}:{self.call.lineno}"

    @property
    def keywords(self) -> set[str]:
        return {keyword.arg for keyword in self.call.keywords if keyword.arg}

    @property
    def is_open(self) -> bool:
        """Whether values come from a mapping, so that the source does not name them."""
        return any(keyword.arg is None for keyword in self.call.keywords)

    @cached_property
    def codes(self) -> set[str]:
        first = self.call.args[0]
        return {str(first.value)} if isinstance(first, ast.Constant) else codes_in(first, self.source, self.function)


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def raised_in(source: Source) -> Iterator[Raised]:
    def visit(node: ast.AST, function: ast.FunctionDef | None) -> Iterator[Raised]:
        if isinstance(node, ast.Call) and name_of(node) in CARRIERS and node.args:
            yield Raised(source, node, function)
        inner = node if isinstance(node, ast.FunctionDef) else function
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inner)

    yield from visit(source.tree, None)


@cache
def raised() -> list[Raised]:
    """Every fault that the source makes; `errors.py` makes them of others, too."""
    found = (one for source in sources() for one in raised_in(source))
    return [one for one in found if one.source.name != "geo_cluster/errors.py" or literals(one.call.args[0])]


def literals(node: ast.AST) -> set[str]:
    """Texts in an expression that could be codes."""
    texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {text for text in texts if CODE.fullmatch(text) and text.partition(".")[0] in rooms()}


def codes_in(node: ast.expr, source: Source, function: ast.FunctionDef | None, depth: int = 3) -> set[str]:
    """Codes that an expression can have: literals in it, in what its names stand for, in what callers hand in.

    Names are followed to what they are assigned in the file, functions of the file to what they return.
    """
    if isinstance(node, ast.IfExp):
        return codes_in(node.body, source, function, depth) | codes_in(node.orelse, source, function, depth)
    found = literals(node)
    for name in {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} if depth else ():
        for value in assigned(source.tree, name):
            found |= codes_in(value, source, function, depth - 1)
        for value in returned(source.tree, name):
            found |= codes_in(value, source, function, depth - 1)
        parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs] if function else []
        at = next((number for number, one in enumerate(parameters) if one.arg == name), None)
        if function and at is not None:
            found |= handed_in(function.name, name, at - (parameters[0].arg in ("self", "cls")))
    return found


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


def assigned(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    """What a name of a file stands for, wherever it gets a value."""
    for node in nodes(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value is not None:
            targets, value = [node.target], node.value
        elif isinstance(node, ast.For | ast.comprehension):
            targets, value = [node.target], node.iter
        if any(isinstance(one, ast.Name) and one.id == name for target in targets for one in ast.walk(target)):
            yield value


def returned(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    """What a function of a file returns."""
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value)


@cache
def handed_in(function: str, name: str, at: int) -> set[str]:
    """Codes that callers give a function for a parameter."""
    calls = (
        (source, node)
        for source in sources()
        for node in nodes(source.tree)
        if isinstance(node, ast.Call) and name_of(node) == function
    )
    found: set[str] = set()
    for source, call in calls:
        given = [keyword.value for keyword in call.keywords if keyword.arg == name] or call.args[at : at + 1]
        for value in given:
            found |= codes_in(value, source, None, 1)
    return found


def test_every_code_has_what_and_remedy_in_both_languages():
    for code, said in sentences().items():
        assert set(said) == {"what", "remedy"}, code
        for part in said.values():
            assert set(part) == {"zh", "en"}, code
            assert all(text.strip() == text and text for text in part.values()), code
        assert placeholders(code, "zh") <= placeholders(code, "en"), code


def test_chinese_sentences_are_chinese():
    for code, said in sentences().items():
        for part in said.values():
            own = re.sub(r"\{[^}]*\}|`[^`]*`", "", part["zh"])
            assert CHINESE.search(own), code
            assert not ENGLISH.search(own), code


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_code_can_be_shown_with_its_values(language):
    for code, said in sentences().items():
        values: dict[str, object] = {}
        for _, name, form, _ in string.Formatter().parse("".join(part["en"] + part["zh"] for part in said.values())):
            if name is not None and (form or name not in values):
                values[name] = 1234 if form else "甲"
        words = Fault(code, Place("a.csv", row=2, column="b"), **values).words(language)
        assert words.what and words.remedy, code
        assert not re.search(r"\{\w*\}", words.what + words.remedy), code


def test_every_fault_has_a_code_that_there_is():
    found = raised()
    assert len(found) > 50
    assert [str(one) for one in found if not one.codes] == [], "whose code can't be read off the source"
    assert [f"{one}: {code}" for one in found for code in one.codes - sentences().keys()] == []


def test_faults_are_given_the_values_that_their_sentences_name():
    for one in raised():
        if one.is_open or not one.codes <= sentences().keys():
            continue
        named = set().union(*(placeholders(code, "en") for code in one.codes))
        assert named <= one.keywords, f"{one} lacks values"
        assert len(one.codes) > 1 or named == one.keywords, f"{one} has values that no sentence names"


def test_no_text_of_a_library_or_in_english_alone_reaches_a_chinese_sentence():
    for one in raised():
        shown = set().union(*(placeholders(code, "zh") for code in one.codes & sentences().keys()))
        for keyword in one.call.keywords:
            if keyword.arg in shown:
                assert not english_in(keyword.value), f"{one}: {keyword.arg}"
                assert not errors_in(keyword.value, one.source), f"{one}: {keyword.arg}"


def english_in(value: ast.expr) -> bool:
    """Whether a value is, in part, an English phrase of ours."""
    if isinstance(value, ast.IfExp):
        return english_in(value.body) or english_in(value.orelse)
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    texts = [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return any(re.search(r"[A-Za-z]{2,} | [A-Za-z]{2,}", text) for text in texts)


def errors_in(value: ast.expr, source: Source) -> bool:
    """Whether a value is the text of an exception that was caught."""
    caught = {node.name for node in ast.walk(source.tree) if isinstance(node, ast.ExceptHandler)} - {None}
    for node in ast.walk(value):
        inner = node.args[0] if isinstance(node, ast.Call) and name_of(node) == "str" and node.args else node
        inner = node.value if isinstance(node, ast.FormattedValue) else inner
        if isinstance(inner, ast.Attribute) and inner.attr in ("strerror", "args", "orig"):
            inner = inner.value
        if inner is not node and isinstance(inner, ast.Name) and inner.id in caught:
            return True
    return isinstance(value, ast.Name) and value.id in caught


def test_every_code_is_used():
    used = set().union(*(literals(source.tree) for source in sources()))
    assert sorted(sentences().keys() - used) == []


def test_kinds_of_places_and_reasons_of_the_system_have_both_languages():
    for name in WORDS:
        for key, said in tomllib.loads((FAULTS / f"{name}.toml").read_text(encoding="utf-8")).items():
            assert set(said) == {"zh", "en"}, key
            assert CHINESE.search(said["zh"]) and not CHINESE.search(said["en"]), key


def test_every_kind_of_place_is_known():
    kinds = tomllib.loads((FAULTS / "places.toml").read_text(encoding="utf-8"))
    for source in sources():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and name_of(node) in ("Place", "replace"):
                given = [one.value for one in node.keywords if one.arg == "kind"]
                for value in given:
                    assert not isinstance(value, ast.Constant) or value.value in kinds, f"{source.name}:{node.lineno}"
