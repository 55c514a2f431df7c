"""The examples of the docstrings give what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import geo_cluster

MODULES = ["geo_cluster", *sorted(one.name for one in pkgutil.walk_packages(geo_cluster.__path__, "geo_cluster."))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    module = importlib.import_module(name)
    done = doctest.testmod(module)
    assert done.failed == 0
    lines = Path(module.__file__).read_text(encoding="utf-8").splitlines()
    assert done.attempted == sum(line.lstrip().startswith(">>> ") for line in lines), "each of them is found"
