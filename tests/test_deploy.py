"""What runs geo_cluster as a service: the units are sound, and backups neither pile up nor go too early."""

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("geo-cluster*.*"))
PROGRAM = """#!/usr/bin/env bash
[ "$1" = backup ] && echo "$GEO_CLUSTER_WORKSPACE" > "$2" && exit "${FAIL:-0}"
"""
OLD = [f"geo-cluster-2026-0{month}-01T023000.backup" for month in range(1, 7)]


@pytest.fixture
def installed(tmp_path):
    """The folder of an installation, with a program that writes what it is told to."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "geo-cluster").write_text(PROGRAM)
    (tmp_path / "geo-cluster").chmod(0o755)
    (tmp_path / "backups").mkdir()
    for name in [*OLD, "mine.backup"]:
        (tmp_path / "backups" / name).touch()
    return tmp_path


def backed_up(folder, **environment):
    command = ["bash", folder / "deploy" / "backup.sh", folder / "backups", "4"]
    environment = {"PATH": "/usr/bin:/bin", "GEO_CLUSTER_WORKSPACE": "plans.sqlite"} | environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, sorted(path.name for path in (folder / "backups").iterdir())


def test_a_backup_takes_the_place_of_the_oldest(installed):
    code, (*kept, new, own) = backed_up(installed)
    assert code == 0
    assert (kept, own) == (OLD[-3:], "mine.backup")
    assert (installed / "backups" / new).read_text() == "plans.sqlite\n"


def test_a_backup_that_fails_takes_nothing_away(installed):
    code, names = backed_up(installed, FAIL="2")
    assert code == 2
    assert set(names) >= {*OLD, "mine.backup"}


def settings(name):
    """Sections of a unit, each a list of its lines."""
    lines = (line.split("=", 1) for line in (DEPLOY / name).read_text().splitlines() if "=" in line and line[0] != "#")
    return [(key, value) for key, value in lines]


def test_the_service_may_box_the_files_that_people_bring():
    told = settings("geo-cluster.service")
    (namespaces,) = [value for key, value in told if key == "RestrictNamespaces"]
    assert {"user", "net", "ipc", "pid"} <= set(namespaces.split())
    calls = {call for key, value in told if key == "SystemCallFilter" and value[0] != "~" for call in value.split()}
    assert {"unshare", "seccomp", "prlimit64", "landlock_create_ruleset"} <= calls
    assert {"landlock_add_rule", "landlock_restrict_self"} <= calls


def test_the_services_have_no_rights_to_spare():
    for name in ("geo-cluster.service", "geo-cluster-backup.service"):
        told = dict(settings(name))
        assert (told["User"], told["CapabilityBoundingSet"], told["UMask"]) == ("geo-cluster", "", "0077")
        assert (told["NoNewPrivileges"], told["ProtectSystem"], told["ProtectHome"]) == ("yes", "strict", "yes")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_the_unit(name, installed):
    unit = installed / name
    unit.write_text((DEPLOY / name).read_text().replace("/opt/geo-cluster", str(installed)))
    if name.endswith(".timer"):
        shutil.copy(DEPLOY / "geo-cluster-backup.service", installed)
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
