"""The pages of docs/ agree with the code: names, constants, links, commands, fields; the notebook runs."""

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import geo_cluster
from scripts import make_docs

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])
WRITTEN = [page for page in PAGES if page.name != "CHANGELOG.md"]


@pytest.mark.slow
def test_what_the_code_writes_is_up_to_date():
    done = subprocess.run([sys.executable, "scripts/make_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def resolved(name: str) -> object:
    """What a dotted name of the docs stands for."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_and_paths_in_the_docs_are_there(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`(geo_cluster(?:\.\w+)+)`", text):
        assert resolved(name) is not None, name
    for path in re.findall(r"`((?:geo_cluster|app|data|docs|scripts|tests|deploy|benchmarks)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_in_the_docs_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_constants_in_the_methods_are_those_of_the_code():
    found = 0
    for page in (ROOT / "docs" / "methods").glob("*.md"):
        for value, name in re.findall(r"\| ([\d.e-]+) \| `(geo_cluster[\w.]+)` \|", page.read_text(encoding="utf-8")):
            assert float(value) == pytest.approx(resolved(name), rel=1e-6), name
            found += 1
    assert found >= 6


@pytest.mark.slow
def test_every_room_and_every_field_of_a_scenario_is_described():
    assert [name for name, data in make_docs.rooms().nodes(data=True) if not data["doc"]] == []
    assert make_docs.undescribed() == []


INNER = ("geo_cluster.box.", "geo_cluster.matching.engine.", "geo_cluster.cli", "geo_cluster.policy_cli")
"""Rooms that nobody calls from outside, and the commands, whose options have their own help."""


def public_functions():
    """Functions and methods that somebody may call, by name."""
    for info in pkgutil.walk_packages(geo_cluster.__path__, "geo_cluster."):
        module = importlib.import_module(info.name)
        for key, one in vars(module).items() if not info.name.startswith(INNER) else ():
            if key.startswith("_") or getattr(one, "__module__", "") != info.name:
                continue
            if inspect.isfunction(one):
                yield f"{info.name}.{key}", inspect.unwrap(one)
            elif inspect.isclass(one):
                methods = {part: each for part, each in vars(one).items() if inspect.isfunction(each)}
                yield from ((f"{info.name}.{key}.{part}", each) for part, each in methods.items() if part[0] != "_")


def test_functions_of_three_and_more_parameters_say_what_each_of_them_is():
    silent = {}
    for name, function in public_functions():
        parameters = [one for one in inspect.signature(function).parameters if one not in ("self", "cls")]
        doc = inspect.getdoc(function) or ""
        section = re.search(r"Parameters\n-+\n(.*?)(?:\n\n\w+\n-+\n|\Z)", doc, re.S)
        heads = re.findall(r"^\*{0,2}([\w, *]+?)(?: :.*)?$", section[1], re.M) if section else []
        said = {word.strip("* ") for head in heads for word in head.split(",")} | set(re.findall(r"`(\w+)`", doc))
        if len(parameters) >= 3 and set(parameters) - said:
            silent[name] = sorted(set(parameters) - said)
    assert silent == {}


@pytest.mark.slow
def test_the_rooms_and_modules_import_in_no_circle():
    import networkx as nx

    assert list(nx.simple_cycles(make_docs.imports())) == []
    assert list(nx.simple_cycles(make_docs.rooms())) == []


@pytest.mark.slow
def test_the_notebook_runs_from_facts_to_plan(monkeypatch, tmp_path):
    notebook = json.loads((ROOT / "docs" / "from_facts_to_plan.ipynb").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells):
        exec(compile(cell, f"cell {number}", "exec"), names)
    assert len(cells) >= 6
    assert not names["result"].violations
