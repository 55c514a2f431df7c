"""Temporary files: of one process, for its owner alone, and gone with it, however it ends."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

from geo_cluster import scratch
from geo_cluster.errors import DataError
from geo_cluster.workspace.repository import PROJECTS, Work
from geo_cluster.world import catalog

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has it")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for temporary files of its own, in which this process has no folder yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_own", {})
    yield tmp_path
    scratch.remove()


def run(place, code, end=None):
    """Run a program that says when it is ready; how it ended."""
    command = [sys.executable, "-c", f"from geo_cluster import scratch\n{code}"]
    environment = os.environ | {"TMPDIR": str(place), "TEMP": str(place)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        process.stdout.readline()
        if end:
            process.send_signal(end)
    return process.returncode


HELD = (
    "folder = scratch.folder()\nscratch.write(folder / 'maps' / 'a.json', b'1')\nprint('ready', flush=True)\ninput()\n"
)


def test_the_folder_goes_when_the_process_ends(place):
    assert run(place, HELD.replace("input()", "")) == 0
    assert list(place.iterdir()) == []


@POSIX
def test_what_a_killed_process_left_goes_at_the_next_start(place):
    assert run(place, HELD, signal.SIGKILL) == -signal.SIGKILL
    (left,) = place.iterdir()
    (place / "geo-cluster-of-somebody-else").mkdir()
    (place / "other").mkdir()
    own = scratch.folder()
    assert {path.name for path in place.iterdir()} == {own.name, "geo-cluster-of-somebody-else", "other"}
    assert not left.exists()


@POSIX
def test_what_is_in_use_stays(place):
    own = scratch.folder()
    scratch.write(own / "a", b"1")
    assert run(place, HELD.replace("input()", "")) == 0
    assert (own / "a").read_bytes() == b"1"
    child = os.fork()
    if child == 0:  # a process that was forked makes a folder of its own, and takes away only that
        is_other = scratch.folder() != own
        scratch.remove()
        os._exit(0 if is_other and own.exists() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert own.exists()


@POSIX
@pytest.mark.parametrize("umask", [0, 0o077])
def test_only_the_owner_reads_them(place, umask):
    before = os.umask(umask)
    try:
        Work(catalog.scenario(), {PROJECTS: b"a", "layers/b.csv": b"b"}).settled(scratch.folder() / "works")
        with scratch.temporary() as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
        assert not folder.exists()
    finally:
        os.umask(before)
    for path in [scratch.folder(), *scratch.folder().rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@POSIX
def test_on_a_full_disk_nothing_is_half_and_it_is_told(place):
    """The audit's payload: written half, it was served so until the server started again."""
    resource = pytest.importorskip("resource")
    target = scratch.folder() / "a.json"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    was = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(DataError) as refusal:
            scratch.write(target, b"x" * 5000)
        (fault,) = refusal.value.faults
        assert (fault.code, fault.values["reason"].zh) == ("world.scratch_not_written", "文件太大")
        with pytest.raises(DataError):
            Work(catalog.scenario(), {PROJECTS: b"x" * 5000}).settled(scratch.folder())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, was)
    assert [path for path in scratch.folder().rglob("*") if path.is_file()] == [scratch.folder() / scratch.LOCK]
    scratch.write(target, b"x" * 5000)
    assert len(target.read_bytes()) == 5000


def test_no_place_for_temporary_files_is_told(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(place / "missing"))
    with pytest.raises(DataError) as refusal:
        scratch.folder()
    assert [(one.code, one.where) for one in refusal.value.faults] == [("world.scratch_not_written", "temporary files")]


@pytest.mark.slow
def test_a_file_is_there_as_long_as_somebody_holds_on_to_it(place):
    path = scratch.folder() / "a.json"
    scratch.write(path, b"1")
    first, second = scratch.hold(path), scratch.hold(path)
    del first
    gc.collect()
    assert path.exists()
    del second
    gc.collect()
    assert not path.exists()


def test_who_takes_hold_while_another_lets_go_finds_it(place):
    """Visitors come and go: whoever holds on and then sees a file keeps it."""
    path, missing = scratch.folder() / "a.json", []

    def visit():
        for _ in range(300):
            held = scratch.hold(path)
            if not path.exists():
                scratch.write(path, b"1")
            if not path.exists():
                missing.append(path)
            del held

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missing == []
    assert not path.exists()
