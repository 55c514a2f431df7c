"""The archive of `make bundle`: what is in it, and that it installs, starts and plans where no network is."""

import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from geo_cluster.domain import Scenario

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "{}.{}".format(*sys.version_info)
BEFORE = "this is what was installed before"


def loaded(path):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


make_bundle = loaded(ROOT / "scripts" / "make_bundle.py")
installer = loaded(ROOT / "deploy" / "offline" / "install.py")


# ---- what goes in ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked():
    return make_bundle.packages()


@pytest.mark.parametrize("python", make_bundle.PYTHONS)
@pytest.mark.parametrize("platform", make_bundle.PLATFORMS)
def test_the_lock_has_a_wheel_of_everything_for_every_platform_and_python(locked, platform, python, monkeypatch):
    built = []
    monkeypatch.setattr(make_bundle, "_built", lambda package: built.append(package["name"]) or True)
    chosen, lacking = make_bundle.choose(platform, python, locked)
    assert lacking == []
    assert built == ["prcoords"], "the one that is published as source alone; another has to be pure Python too"
    names = [wheel.name for wheel in chosen if wheel is not True]
    assert {name.split("-")[0] for name in names} >= {"numpy", "pyogrio", "streamlit", "psycopg_binary", "pip"}
    other = "win" if platform == "linux" else "linux"
    assert not [name for name in names if f"{other}_" in name or "aarch64" in name or "musl" in name]
    assert ("colorama" in {name.split("-")[0] for name in names}) == (platform == "windows")


def test_a_package_without_a_wheel_is_named(locked):
    without = [
        (each, package | {"wheels": [wheel for wheel in package["wheels"] if "win" not in wheel["url"]]})
        for each, package in locked
        if each.name == "highspy"
    ]
    assert make_bundle.choose("windows", "3.12", without)[1] == [f"highspy=={without[0][1]['version']}"]
    assert make_bundle.choose("linux", "3.12", without)[1] == []


def test_scripts_for_windows_are_what_cmd_and_notepad_read():
    papers = make_bundle.papers("windows")
    for name, content in papers.items():
        assert content.count(b"\n") == content.count(b"\r\n"), name
    for name in ("install.bat", "start.bat", "geo-cluster.bat"):
        papers[name].decode("ascii")
        used = papers[name].count(b"%~dp0")
        assert used
        assert used == papers[name].count(b'"%~dp0'), "a path with spaces is quoted"
    assert papers["安装说明.txt"].startswith(b"\xef\xbb\xbf")
    assert not [name for name in papers if name.endswith((".sh", ".service"))]


# ---- what the install script refuses --------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An unpacked archive of next to nothing, of which the installer thinks it lies in it."""
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "thing-1.0-py3-none-any.whl").write_bytes(b"PK\5\6" + bytes(18))
    (tmp_path / f"requirements-{PYTHON}.txt").write_text("thing==1.0 --hash=sha256:00\n")
    summed(tmp_path)
    (tmp_path / "install.sh").touch()
    for name, given in {"HERE": "", "WHEELS": "wheels", "VENV": "venv", "OLD": "venv.old"}.items():
        monkeypatch.setattr(installer, name, tmp_path / given)
    return tmp_path


def summed(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def test_a_python_that_fits_is_taken(folder):
    installer.check_python()


def glibc(version):
    return lambda: ("glibc", version)


@pytest.mark.parametrize(
    ("owner", "name", "value", "words"),
    [
        (platform, "machine", lambda: "aarch64", "the processor is aarch64"),
        (struct, "calcsize", lambda _: 4, "32-bit"),
        (sys, "version_info", (3, 10, 13), f"Python 3.10 does not fit; the archive is for {PYTHON}"),
        (sys, "version_info", (3, 14, 0), "Python 3.14 does not fit"),
        (sys, "platform", "win32", "this archive is for linux, not windows"),
        (sys, "platform", "darwin", "this archive is for linux, not darwin"),
        (sysconfig, "get_config_var", lambda _: 1, "the usual CPython"),
        (platform, "libc_ver", glibc("2.17"), "glibc 2.28 or later"),
        (platform, "libc_ver", lambda: ("", ""), "glibc 2.28 or later"),
    ],
)
def test_a_machine_that_does_not_fit_is_refused_in_words(folder, monkeypatch, capsys, owner, name, value, words):
    monkeypatch.setattr(owner, name, value)
    monkeypatch.setattr(sys, "argv", ["install.py"])
    code = installer.main()
    monkeypatch.undo()
    assert code == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["SHA256SUMS", "install.sh", f"requirements-{PYTHON}.txt", "wheels"]
    )


def spoil(folder):
    with (folder / "wheels" / "thing-1.0-py3-none-any.whl").open("ab") as wheel:
        wheel.write(b"\0")


def full(_):
    return shutil._ntuple_diskusage(10**9, 10**9, 10)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (spoil, "damaged or missing, copy and unpack the archive again: wheels/thing-1.0-py3-none-any.whl"),
        (lambda folder: (folder / f"requirements-{PYTHON}.txt").unlink(), "does not fit"),
        (lambda folder: (folder / "wheels" / "thing-1.0-py3-none-any.whl").unlink(), "damaged or missing"),
        (lambda folder: (folder / "SHA256SUMS").unlink(), "SHA256SUMS is missing"),
        (lambda folder: (folder / "SHA256SUMS").write_text(""), "SHA256SUMS is missing"),
    ],
)
def test_a_damaged_archive_is_refused_and_nothing_is_installed(folder, monkeypatch, capsys, harm, words):
    harm(folder)
    monkeypatch.setattr(sys, "argv", ["install.py"])
    assert installer.main() == 2
    assert words in capsys.readouterr().err
    assert not (folder / "venv").exists()


def test_a_full_disk_is_refused_before_anything_is_written(folder, monkeypatch, capsys):
    monkeypatch.setattr(installer.shutil, "disk_usage", full)
    monkeypatch.setattr(sys, "argv", ["install.py"])
    assert installer.main() == 2
    assert "the disk is too full: 100 MB needed, 0 MB free" in capsys.readouterr().err
    assert not (folder / "venv").exists()


def test_a_path_too_long_for_windows_is_refused(folder, monkeypatch, capsys):
    with zipfile.ZipFile(folder / "wheels" / "thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing/" + "x" * 230, "")
    summed(folder)
    (folder / "install.bat").touch()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "argv", ["install.py"])
    code = installer.main()
    monkeypatch.undo()
    assert code == 2
    assert "characters too long" in capsys.readouterr().err


def half_filled(requirements):
    installer.VENV.mkdir()
    (installer.VENV / "half").touch()


@pytest.mark.parametrize("problem", [installer.InstallError("坏", "bad"), OSError(28, "No space"), KeyboardInterrupt()])
@pytest.mark.parametrize("had_one", [True, False])
def test_a_failed_installation_leaves_what_was_there(folder, monkeypatch, problem, had_one):
    def fill(requirements):
        half_filled(requirements)
        raise problem

    if had_one:
        (folder / "venv").mkdir()
        (folder / "venv" / "complete").write_text(BEFORE)
    monkeypatch.setattr(installer, "fill", fill)
    monkeypatch.setattr(sys, "argv", ["install.py"])
    assert installer.main() in (2, 130)
    assert not (folder / "venv.old").exists()
    if had_one:
        assert (folder / "venv" / "complete").read_text() == BEFORE
    else:
        assert not (folder / "venv").exists()


def test_what_a_killed_installation_left_is_taken_away_and_the_old_one_comes_back(folder, monkeypatch):
    (folder / "venv.old").mkdir()
    (folder / "venv.old" / "complete").write_text(BEFORE)
    half_filled(None)
    seen = []

    def fill(_):
        seen.append((folder / "venv.old" / "complete").read_text())
        raise installer.InstallError("坏", "bad")

    monkeypatch.setattr(installer, "fill", fill)
    monkeypatch.setattr(sys, "argv", ["install.py"])
    assert installer.main() == 2
    assert seen == [BEFORE]
    assert sorted(path.name for path in (folder / "venv").iterdir()) == ["complete"]


@pytest.mark.skipif(sys.platform == "win32", reason="a script for Linux")
def test_without_a_python_that_fits_the_script_says_what_to_install(tmp_path):
    for name in ("install.sh", "install.py", "no-python.txt", "geo-cluster", "start.sh"):
        shutil.copy(ROOT / "deploy" / "offline" / name, tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "cat", "tail", "env", "readlink"):
        (tools / name).symlink_to(shutil.which(name))

    def told(script):
        done = subprocess.run([tmp_path / script], env={"PATH": str(tools)}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        return done.stderr

    assert "Install 64-bit Python 3.11, 3.12 or 3.13" in told("install.sh")
    (tmp_path / "requirements-2.7.txt").touch()  # an archive for another Python than the one that is here
    (tools / "python3").symlink_to(sys.executable)
    assert f"python3:\n✗ Python {PYTHON} 不合适" in told("install.sh")
    assert "run install.sh first" in told("start.sh")


# ---- the whole way --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return made(tmp_path_factory.mktemp("dist"))


def made(out):
    command = [sys.executable, ROOT / "scripts" / "make_bundle.py", "--platform", "linux", "--python", PYTHON]
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = out.iterdir()
    return path


def no_namespace():
    """Why a machine without a network can't be had here; empty if it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "the archive is for Linux on x86-64"
    if shutil.which("unshare") is None:
        return "no unshare"
    done = subprocess.run(["unshare", "--map-root-user", "--net", "true"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


@pytest.mark.offline
@pytest.mark.browser
@pytest.mark.skipif(bool(no_namespace()), reason=no_namespace())
def test_it_installs_starts_and_plans_without_a_network(archive, tmp_path):
    place = tmp_path / "离线 安装"
    place.mkdir()
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    (folder,) = place.iterdir()
    python = getattr(sys, "_base_executable", sys.executable)
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-m", "tests.offline_machine", folder, python]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["network"] == "ENETUNREACH"
    assert told["health"] == "ok"
    assert told["title"] == "湖北激光产业布局"
    proof = re.search(r"gap (\d\.\d{4})%, optimal, violations 0", told["study"])
    least = round(100 * Scenario.model_fields["mip_gap"].default, 4)  # where a proof may end, as told
    assert proof and float(proof[1]) <= least
    assert {"ranking.csv", "assignment.csv", "layers.gpkg", "map.html"} <= set(told["files"])
    assert told["works"] == [".local/share/geo_cluster/workspace.sqlite"]
    assert "Traceback" not in told["log"]


@pytest.mark.offline
def test_the_same_bytes_again(archive, tmp_path):
    again = made(tmp_path)
    assert again.name == archive.name
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(archive.read_bytes()).digest()
    with tarfile.open(archive) as packed:
        members = packed.getmembers()
    assert {member.mtime for member in members} == {int(os.environ.get("SOURCE_DATE_EPOCH", make_bundle.EPOCH))}
    assert [member.name for member in members if member.mode & 0o100] == [
        f"{archive.stem}/{name}" for name in ("geo-cluster", "install.sh", "start.sh")
    ]
