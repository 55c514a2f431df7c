"""What is handed over is the same, byte for byte: in another process, another time zone, on another day."""

import os
import subprocess
import sys

import pytest

from geo_cluster import toml
from tests.handed_over import everything


@pytest.mark.slow
def test_everything_handed_over_is_the_same_in_another_process(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    environment = os.environ | {"PYTHONHASHSEED": "12345", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    command = [sys.executable, "-m", "tests.handed_over", str(there)]
    other = subprocess.Popen(command, cwd=toml.PACKAGE.parent, env=environment)
    everything(here)
    assert other.wait(300) == 0
    files = sorted(path.relative_to(here) for path in here.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(there) for path in there.rglob("*") if path.is_file())
    assert {path.suffix for path in files} >= {".gpkg", ".html", ".csv", ".zip", ".json", ".toml", ".md"}
    assert [str(path) for path in files if (here / path).read_bytes() != (there / path).read_bytes()] == []
