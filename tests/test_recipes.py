"""The recipes of CONTRIBUTING.md, carried out to the letter on a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## (Add .+?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
FENCE = re.compile(r"^```(\w+) (?:(append|create|run|check)|)[ ]?([\w./]*)\n(.*?)^```$", re.M | re.S)


def carried_out(body: str, copy: Path) -> list[str]:
    """Do what each block of a recipe says; the checks are given back."""
    checks = []
    for language, verb, file, content in FENCE.findall(body):
        path = copy / file
        if language == "diff":
            old, new = ("".join(re.findall(rf"^\{sign}(.*\n)", content, re.M)) for sign in "-+")
            old, new = (old.rstrip("\n"), new.rstrip("\n"))
            source = path.read_text(encoding="utf-8")
            assert source.count(old) == 1, f"{file}: {old!r} stands there {source.count(old)} times"
            path.write_text(source.replace(old, new), encoding="utf-8")
        elif verb == "append":
            path.write_text(path.read_text(encoding="utf-8") + content, encoding="utf-8")
        elif verb == "create":
            assert not path.exists(), file
            path.write_text(content, encoding="utf-8")
        elif verb == "run":
            run([sys.executable, *content.split()[1:]], copy)
        elif verb == "check":
            checks.append(content)
    return checks


def run(command: list[str], copy: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_a_recipe_for_whatever_is_added_most_often():
    assert [title.split()[-1] for title in RECIPES] == ["criterion", "rule", "resource", "layer", "export", "page"]


@pytest.mark.slow
@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_does_what_it_says(title, tmp_path):
    copy = tmp_path / "copy"
    for folder in ("geo_cluster", "app", "data", "scripts", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("browser"))
    checks = carried_out(RECIPES[title], copy)
    assert checks
    for number, check in enumerate(checks):
        (copy / f"check_{number}.py").write_text(check, encoding="utf-8")
        run([sys.executable, f"check_{number}.py"], copy)
