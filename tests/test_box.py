"""Hostile files through every door: nothing is read, written, asked or brought down, and each is refused in words."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geo_cluster import toml
from geo_cluster.box import door, limits, process
from geo_cluster.errors import InputError, Place
from geo_cluster.export import preview
from geo_cluster.imports.check import check_file, guess
from geo_cluster.imports.checked import KINDS
from geo_cluster.imports.ground import parcels_of
from geo_cluster.region import prepare
from geo_cluster.supply import land_survey
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers
from tests.fuzzing import fuzz
from tests.hostile_files import hostile
from tests.refusals import refusal_of

SECRET = "cookie_secret-3f9a"
TABLE = "编号,名称,细分环节,年产值(亿元)\nA,甲,激光雷达,3\n".encode()


@pytest.fixture(scope="module")
def region():
    return prepare(catalog.scenario(), Layers())


@pytest.fixture(scope="module")
def trap():
    """A server that nobody should ask; how often it was."""
    asked, listener = [], socket.create_server(("127.0.0.1", 0))

    def wait():
        while True:
            try:
                asked.append(listener.accept()[1])
            except OSError:
                return

    threading.Thread(target=wait, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/", asked
    listener.close()


@pytest.fixture(scope="module")
def bait(tmp_path_factory, trap):
    """A secret, a folder to write to, and the files that want them."""
    folder = tmp_path_factory.mktemp("bait")
    (folder / "secret.csv").write_text(f"site,name\nH01,{SECRET}\n", encoding="utf-8")
    out = folder / "out"
    out.mkdir()
    return folder, hostile(folder / "secret.csv", out, trap[0])


NAMES = sorted(hostile(Path("/nowhere/secret.csv"), Path("/nowhere"), "http://127.0.0.1:1/"))


def through_every_door(name, content, region):
    """What each door answers, as text."""
    doors = {
        "guess": lambda: guess(content, name),
        **{
            kind: lambda kind=kind: check_file(content, name, kind=kind, region=region, crs="EPSG:4326")
            for kind in KINDS
        },
        "rules": lambda: land_survey.rules_of(TABLE, "rules.csv", content, name),
        "rules table": lambda: land_survey.rules_of(content, name, TABLE, "a.gpkg"),
        "score": lambda: portfolio.read_content(content, name),
        "match": lambda: portfolio.read_text(content, name),
        "preview": lambda: preview.table_of(f"layers/{name}", content),
    }
    told = {}
    for way, go in doors.items():
        try:
            found = go()
            table = getattr(found, "table", found)
            shown = table.to_csv() if hasattr(table, "to_csv") else str(table)
            told[way] = f"{shown} {getattr(found, 'faults', '')} {getattr(found, 'preview', '')}"
        except InputError as refusal:
            assert all(one.where and one.what and one.remedy for one in refusal.faults)
            told[way] = str(refusal)
    return told


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_file_does_nothing(name, region, bait, trap, limited):
    limited(cpu_seconds=1, seconds=8)
    folder, there = bait
    before = sorted(folder.rglob("*"))
    told = through_every_door(name, there[name](), region)  # what a limit ends, ends: there is no other end of it
    assert SECRET not in "".join(told.values())
    assert sorted(folder.rglob("*")) == before
    assert trap[1] == []


def test_at_least_sixty_of_them():
    assert len(NAMES) >= 60


# ---- the box itself -----------------------------------------------------------------------------------------

ESCAPES = {
    "another file": "open('/etc/passwd').read()",
    "a file of the same user": "open({canary!r}).read()",
    "its parent's surroundings": "open(f'/proc/{{os.getppid()}}/environ').read()",
    "writing": "open({canary!r} + '2', 'w')",
    "deleting": "os.unlink({canary!r})",
    "renaming": "os.rename({canary!r}, {canary!r} + '3')",
    "a socket": "socket.socket()",
    "a pair of sockets": "socket.socketpair()",
    "a child": "os.fork()",
    "a program": "os.execv('/bin/true', ['true'])",
    "a signal": "os.kill(os.getppid(), 0)",
    "memory": "bytearray(700 * 2**20)",
    "looking around": "os.listdir('/home' if os.path.isdir('/home') else '/')",
    "limits": "resource.setrlimit(resource.RLIMIT_CPU, (999, 999))",
    "tracing": "(_ for _ in ()).throw(OSError()) if libc.ptrace(16, os.getppid(), 0, 0) == 0 else (1 / 0)",
}


CALLS = {
    "fchmodat2": (452, "-100, canary, 0o777, 0"),
    "chmod": (90, "canary, 0o777"),
    "fchmodat": (268, "-100, canary, 0o777"),
    "futimesat": (261, "-100, canary, 0"),
    "utimensat": (280, "-100, canary, 0, 0"),
    "setxattr": (188, "canary, b'user.a', b'b', 1, 0"),
    "truncate": (76, "canary, 0"),
    "creat": (85, "canary, 0o600"),
    "open to write": (2, "canary, 1"),
    "openat to write": (257, "-100, canary, 2"),
    "openat2": (437, "-100, canary, struct.pack('QQQ', 1, 0, 0), 24"),
    "mknod": (133, "canary + b'4', 0o10600, 0"),
    "kill": (62, "other, 0"),
    "tkill": (200, "other, 0"),
    "tgkill": (234, "other, other, 0"),
    "rt_sigqueueinfo": (129, "other, 12, struct.pack('iiiiii', 12, 0, -1, 0, 0, 0) + bytes(104)"),
    "rt_tgsigqueueinfo": (297, "other, other, 12, struct.pack('iiiiii', 12, 0, -1, 0, 0, 0) + bytes(104)"),
    "F_SETOWN": (72, "0, 8, other"),
    "F_SETSIG": (72, "0, 10, 12"),
    "F_SETOWN_EX": (72, "0, 15, struct.pack('ii', 1, other)"),
    "O_ASYNC": (72, "0, 4, 0o20000"),
    "FIOSETOWN": (16, "0, 0x8901, struct.pack('i', other)"),
    "setpriority": (141, "0, other, 19"),
    "sched_setaffinity": (203, "other, 8, struct.pack('Q', 1)"),
    "sched_setscheduler": (144, "other, 3, struct.pack('i', 0)"),
    "sched_setattr": (314, "other, struct.pack('IIQiIQQQ', 48, 3, 0, 0, 0, 0, 0, 0), 0"),
    "ioprio_set": (251, "1, other, (3 << 13)"),
    "prlimit64": (302, "other, 4, struct.pack('QQ', 0, 0), 0"),
    "pidfd_open": (434, "other, 0"),
    "process_vm_readv": (310, "other, 0, 0, 0, 0, 0"),
    "memfd_create": (319, "b'a', 0"),
    "socket": (41, "1, 1, 0"),
    "clone": (56, "17, 0, 0, 0, 0"),
    "clone3": (435, "struct.pack('QQQQQQQQ', 0, 0, 0, 0, 17, 0, 0, 0), 64"),
    "io_uring_setup": (425, "1, bytes(120)"),
    "chdir": (80, "b'/'"),
    "a call that is yet to come": (470, "0"),
}
"""Numbers on x86_64, and what they are called with."""


@pytest.mark.skipif(sys.platform != "linux", reason="what holds elsewhere is less, and told in docs/security.md")
def test_a_locked_process_can_only_read_and_answer(tmp_path):
    canary = tmp_path / "canary"
    canary.write_text(SECRET)
    told = locked("", (f"attempt({way!r}, lambda: {code.format(canary=str(canary))})" for way, code in ESCAPES.items()))
    assert "ESCAPED" not in told, told
    assert told.startswith("['limits'")
    assert canary.read_text() == SECRET
    assert "seccomp" in told


@pytest.mark.skipif(platform.machine() != "x86_64" or sys.platform != "linux", reason="numbers of its calls")
@pytest.mark.parametrize(
    "before", ["", "lock._landlock = lambda: False"], ids=["locked", "on a kernel without Landlock"]
)
def test_whatever_a_locked_process_calls_it_changes_no_file_and_reaches_no_other_process(tmp_path, before):
    canary = tmp_path / "canary"
    canary.write_text(SECRET)
    canary.chmod(0o640)
    was = canary.stat()
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            priority, processors = os.getpriority(os.PRIO_PROCESS, other.pid), os.sched_getaffinity(other.pid)
            begin = f"{before}\ncanary, other = {str(canary).encode()!r}, {other.pid}"
            told = locked(begin, (f"call({way!r}, {number}, {given})" for way, (number, given) in CALLS.items()))
            assert "ESCAPED" not in told, told
            assert other.poll() is None
            assert os.getpriority(os.PRIO_PROCESS, other.pid) == priority
            assert os.sched_getaffinity(other.pid) == processors
        finally:
            other.kill()
    assert "seccomp" in told
    assert before == "" or "landlock" not in told
    now = canary.stat()
    assert (now.st_mode, now.st_mtime_ns, now.st_ctime_ns) == (was.st_mode, was.st_mtime_ns, was.st_ctime_ns)
    assert [one.name for one in tmp_path.iterdir()] == ["canary"]


def locked(begin, tries):
    """What a locked process says after so many tries."""
    script = textwrap.dedent("""
        import ctypes, os, resource, socket, struct, sys
        libc = ctypes.CDLL(None, use_errno=True)
        from geo_cluster.box import lock
        from geo_cluster.box.limits import limits
        now = limits()
        def attempt(way, do):
            try:
                do()
                print("ESCAPED", way)
            except (OSError, MemoryError, ValueError, ZeroDivisionError, RuntimeError):
                pass
        def call(way, number, *given):
            done, why = libc.syscall(number, *given), ctypes.get_errno()
            if done != -1 or why not in (1, 13, 38):
                print("ESCAPED", way, done, why)
    """)
    end = "lock.leave_network()\nprint(lock.close(now))\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\n{begin}\n{end}" + "\n".join(tries)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=toml.PACKAGE.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_box_knows_nothing_of_our_surroundings(monkeypatch):
    monkeypatch.setenv("GEO_CLUSTER_WORKSPACE", f"postgresql://u:{SECRET}@h/d")
    assert SECRET not in str(process._environment())


def test_whoever_leaves_closes_the_box_and_its_turn():
    class LeftError(Exception):
        pass

    def leave():
        raise LeftError

    process.WAITS.append(leave)
    try:
        with pytest.raises(LeftError):
            door.sheets(b"a,b\n" + b"1,2\n" * 300_000, "long.csv")
    finally:
        process.WAITS.remove(leave)
    assert process._busy == 0
    assert door.sheets(b"a,b\n1,2\n", "short.csv")[0].rows[1] == (2, ["1", "2"])


@pytest.mark.slow
def test_a_box_ends_with_its_parent(tmp_path):
    """A box that would think for long is gone when whoever asked is killed."""
    script = textwrap.dedent("""
        import os, sys
        from geo_cluster.box import door, process
        process.WAITS.append(lambda: (print(*[p.pid for p in seen], flush=True), os.kill(os.getpid(), 9)))
        import subprocess
        seen, make = [], subprocess.Popen
        subprocess.Popen = lambda *a, **k: seen.append(make(*a, **k)) or seen[-1]
        door.sheets(b"a,b\\n" + b"1,2\\n" * 400_000, "long.csv")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pids = [int(one) for one in done.stdout.split()]
    assert pids
    until = time.monotonic() + 60
    while any(_is_alive(pid) for pid in pids):
        assert time.monotonic() < until, "a box outlived its parent"
        time.sleep(0.02)


def _is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_many_at_once_wait_for_their_turn(limited):
    limited(at_once=2)
    most, told = [], []
    seen = process._busy

    def look():
        most.append(process._busy)

    process.WAITS.append(look)
    try:
        content = [b"a,b\n" + f"{k},2\n".encode() * 20_000 for k in range(6)]
        readers = [
            threading.Thread(target=lambda c=c, k=k: told.append(door.sheets(c, f"{k}.csv")))
            for k, c in enumerate(content)
        ]
        for one in readers:
            one.start()
        for one in readers:
            one.join()
    finally:
        process.WAITS.remove(look)
    assert len(told) == 6
    assert max(most, default=seen) <= 2


# ---- limits -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "most", "content", "code"),
    [
        ("rows", 5, TABLE * 9, "box.too_many_lines"),
        ("cells", 20, TABLE * 9, "box.more_than_so_many_cells"),
        ("columns", 3, TABLE, "box.row_too_wide"),
        ("characters", 10, TABLE + b"x" * 50, "box.cell_too_long"),
    ],
)
def test_a_limit_is_named_and_can_be_raised(limited, key, most, content, code):
    limited(**{key: most})
    with refusal_of(code, error=InputError, most=most, limit=key):
        door.sheets(content, "a.csv")
    limited(**{key: 10_000})
    assert door.sheets(content, "a.csv")[0].rows


@pytest.mark.parametrize("text", ["cells = 0", "cells = true", 'cells = "many"', "cell = 5", "cells = 1.5", "cells ="])
def test_limits_that_are_none_are_refused(tmp_path, monkeypatch, text):
    (tmp_path / "l.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv(limits.ENVIRONMENT, str(tmp_path / "l.toml"))
    with refusal_of("box.odd_limit", "box.no_limit", "common.not_toml", "common.not_toml_at_end") as refusal:
        limits.limits()
    assert all(fault.place.name.endswith("l.toml") for fault in refusal.value.faults)


def test_every_limit_has_its_words():
    for key, row in toml.table("limits").items():
        assert row["zh"]
        assert key in limits.Limits.__annotations__


BROKEN_FILES = [
    ("a.csv", b'a,b\n"1,2\n', "box.broken_csv"),
    ("a.csv", b"a,b\n\xff\xff\xff\n", "box.not_text"),
    ("a.xlsx", b"PK\x03\x04" + bytes(50), "box.damaged_archive"),
    ("a.kml", b"<kml>\n <a></kml>", "box.broken_xml"),
    ("a.gpkg", b"SQLite format 3\0" + bytes(4000), "box.broken_package"),
    ("a.geojson", b'{"type": "Point"', "box.broken_shapes"),
    ("a.dxf", b"0\nSECTION\n2\nENTITIES\n", "box.broken_shapes"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "content", "code"), BROKEN_FILES, ids=[code for *_, code in BROKEN_FILES])
def test_what_a_library_can_not_read_has_a_code_of_ours(name, content, code):
    ending = Path(name).suffix
    with refusal_of(code, error=InputError) as refusal:
        _ = door.sheets(content, name) if ending in (".csv", ".xlsx") else door.shapes({ending: content}, name)
    (fault,) = refusal.value.faults
    assert fault.place.name == name
    assert not re.search("[a-z]{4,} [a-z]{3,}", fault.words("zh").what)


@pytest.mark.slow
def test_a_broken_workbook_has_a_code_of_ours():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook>")
    with refusal_of("box.broken_book", error=InputError):
        door.sheets(packed.getvalue(), "a.xlsx")


# ---- what is honest is read as before -----------------------------------------------------------------------


@pytest.mark.slow
def test_geometry_comes_out_as_it_went_in(tmp_path):
    shapes = [
        shapely.Point(1, 2),
        shapely.LineString([(0, 0), (1, 1), (2, 0)]),
        shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(1, 1), (2, 1), (2, 2)], [(3, 3), (4, 3), (4, 4)]]),
        shapely.MultiPoint([(1, 2), (3, 4)]),
        shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]),
        shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.Point(5, 5)]),
        None,
    ]
    frame = gpd.GeoDataFrame({"n": range(8), "t": [*"abcdefg", None]}, geometry=shapes, crs=4326)
    for ending, driver in ((".geojson", "GeoJSON"), (".gpkg", "GPKG")):
        path = tmp_path / f"a{ending}"
        frame.to_file(path, driver=driver)
        plain = gpd.read_file(path)
        (read,) = door.shapes({ending: path.read_bytes()}, path.name).read.values()
        assert read.crs == plain.crs
        assert read["n"].tolist() == plain["n"].tolist()
        assert read["t"].fillna("").tolist() == plain["t"].fillna("").tolist()
        for one, other in zip(read.geometry, plain.geometry, strict=True):
            assert (one is None and other is None) or shapely.equals(one, other), (one, other)
            assert one is None or one.geom_type == other.geom_type


@pytest.mark.slow
def test_a_package_that_keeps_a_log_is_read(tmp_path):

    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.box(115, 30, 116, 31)], crs=4490).to_file(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode = WAL")
    database.close()
    assert path.read_bytes()[18:20] == b"\2\2"
    (read,) = door.shapes({".gpkg": path.read_bytes()}, "a.gpkg").read.values()
    assert len(read) == 1


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    door.sheets(b"a,b\n3,4\n", "left.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_changed_files_are_read_or_refused():
    told, broke = fuzz(20, seed=int(time.time()))
    assert broke == []
    assert sum(told.values()) > 5
    assert told["refused"] > 0


A = {"name": "a.csv"}
FAULT_LIES = (
    ("common.prose", A, {"what": "your password is needed", "remedy": "write it to us"}),
    ("box.no_such_code", A, {}),
    ("box", A, {}),
    ("box.", A, {}),
    (7, A, {}),
    ("../../../etc/passwd", A, {}),
    ("box.empty", {"name": 7}, {}),
    ("box.empty", {"name": "a", "kind": "no such kind"}, {}),
    ("box.empty", {"name": "a", "colour": "red"}, {}),
    ("box.empty", {"name": "a", "row": "1"}, {}),
    ("box.empty", {"name": "a" * 9999}, {}),
    ("box.empty", {}, {}),
    ("box.empty", "a", {}),
    ("box.empty", A, None),
    ("box.another_kind", A, {}),
    ("box.another_kind", A, {"kind": ["GeoJSON"]}),
    ("box.another_kind", A, {"kind": {"zh": "x"}}),
    ("box.another_kind", A, {"kind": None}),
    ("box.another_kind", A, {"kind": "x" * 9999}),
    ("box.too_many_lines", A, {"found": "many", "most": 1, "limit": "rows"}),
    ("box.too_many_lines", A, {"found": 9, "most": 1}),
    ("box.too_many_lines", A, {"found": True, "most": 1, "limit": "rows"}),
)
LIES = (
    b"",
    b"{}\n",
    b'{"said": 5, "arrays": []}\n',
    b'{"said": {}, "arrays": [["kinds", "object", [1]]]}\n',
    b'{"said": {}, "arrays": [["kinds", "int32", [99999999999999]]]}\n',
    b'{"said": {}, "arrays": [["kinds", "int32", [-1]]]}\n',
    b'{"said": {}, "arrays": [["kinds", "int32", [1]], ["3/row", "int64", [1]], ["3/at", "float64", [2, 2]], '
    b'["3/end0", "int64", [2]], ["3/end1", "int64", [2]]]}\n' + struct.pack("<iq4d4q", 3, 0, 1, 2, 3, 4, 0, 99, 0, 1),
    b'{"said": {"rows": [["x", 1]], "odd": [], "layers": [[1]], "read": [{"layer": 1}]}, "arrays": []}\n',
    b'{"said": {"layers": [], "read": [{"layer": 1, "columns": [], "rows": 9e15, "is_shapes": true}]}, "arrays": []}\n',
    b'{"said": {"faults": [[1]]}, "arrays": []}\n',
    b'{"said": {"faults": 7}, "arrays": []}\n',
    b'{"said": {"faults": {"a": 1}}, "arrays": []}\n',
    b'{"said": {"failed": "unreadable", "reason": "trust me"}, "arrays": []}\n',
    *(json.dumps({"said": {"faults": [lie]}, "arrays": []}).encode() + b"\n" for lie in FAULT_LIES),
    b"[" * 100_000,
)


@pytest.mark.parametrize("lie", range(len(LIES)))
def test_a_box_that_was_taken_over_is_not_believed(lie, monkeypatch):
    monkeypatch.setattr(process, "_run", lambda *_: LIES[lie])
    monkeypatch.setattr(process, "_kept", type(process._kept)())
    with refusal_of("box.broken", error=InputError):
        door.sheets(b"a,b\n1,2\n", f"{lie}.csv")
    with refusal_of("box.broken", error=InputError):
        door.shapes({".geojson": b"{}"}, f"{lie}.geojson")
    with refusal_of("box.broken", error=InputError):
        door.outlines(["x"], f"{lie}.csv", [Place("a")])


@pytest.mark.slow
def test_a_box_that_is_killed_is_no_fault_of_the_file(monkeypatch):
    """As the system does when memory is short: the next try reads the file."""
    killed = []

    def kill():
        if not killed:
            killed.append(seen[-1])
            os.kill(seen[-1], signal.SIGKILL)

    seen, make = [], process._taken
    monkeypatch.setattr(process, "_taken", lambda *given: seen.append((box := make(*given)).pid) or box)
    monkeypatch.setattr(process, "WAITS", [kill])
    content = b"a,b\n" + b"1,2\n" * 200_000
    with refusal_of("box.broken", error=InputError):
        door.sheets(content, "killed.csv")
    assert len(door.sheets(content, "killed.csv")[0].rows) == 200_001


@pytest.mark.slow
def test_where_no_box_can_begin_it_is_told_and_tried_again(monkeypatch):
    with monkeypatch.context() as gone:
        gone.setattr(sys, "executable", "/nowhere/python")
        process._spare.clear()
        with refusal_of("box.not_now", error=InputError):
            door.sheets(b"a,b\n9,2\n", "a.csv")
    assert door.sheets(b"a,b\n9,2\n", "a.csv")[0].rows


@pytest.mark.slow
@pytest.mark.parametrize("upper", [True, False])
def test_a_shapefile_is_found_with_what_lies_beside_it(tmp_path, upper):
    frame = gpd.GeoDataFrame({"site": ["H01"]}, geometry=[shapely.box(115, 30, 115.01, 30.01)], crs=4490)
    frame.to_file(tmp_path / "a.shp")
    if upper:
        for one in list(tmp_path.iterdir()):
            one.rename(tmp_path / one.name.upper())
    read, _ = parcels_of(tmp_path / ("A.SHP" if upper else "a.shp"))
    assert read["site"].tolist() == ["H01"]
    assert read.crs == frame.crs


@pytest.mark.slow
def test_a_packed_kml_is_read(region):
    place = "<coordinates>115.08,30.15 115.09,30.15 115.09,30.16 115.08,30.15</coordinates>"
    ring = f"<outerBoundaryIs><LinearRing>{place}</LinearRing></outerBoundaryIs>"
    kml = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>甲</name><Polygon>{ring}</Polygon></Placemark></kml>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("doc.kml", kml)
    assert check_file(packed.getvalue(), "a.kmz", kind="parcels", region=region).is_ready
