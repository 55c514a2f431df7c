"""What several test files share: a real cluster of processes on this machine, the command line."""

import gc
import os
import subprocess
import sys
import time
from functools import cache

import pytest
from hypothesis import settings

from geo_cluster.box import limits

gc.disable()  # while tests are collected; see pytest_collection_finish
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

os.environ.setdefault("GEO_CLUSTER_LANG", "en")  # refusals in one language, whatever the machine's


LONGEST = ("browser", "browser, own servers", "test_bundle", "test_box", "test_cli", "test_matching_solve")
"""What takes longest, begun first: a process takes each whole, and none is to be alone with one at the end."""

OWN_SERVERS = ("test_workspace", "test_hostile", "test_signin", "test_proxy", "test_map_file")
"""Browser tests that start servers of their own; all others share one, and one process has them."""


def share(nodeid):
    """What one process takes whole: a file, or all browser tests that share a server and a Chromium."""
    file = nodeid.split("::")[0]
    if "browser/" not in file:
        return file
    return "browser, own servers" if file.rpartition("/")[2].removesuffix(".py") in OWN_SERVERS else "browser"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Shares(LoadScopeScheduling):
        _split_scope = staticmethod(share)

    return Shares(config, log)


def pytest_collection_modifyitems(items):
    """What is long first; marks that a test has by what it asks for: a cluster, or a PostgreSQL server."""

    def rank(item):
        name = share(item.nodeid).rpartition("/")[2].removesuffix(".py")
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=rank)
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if "cluster" in item.fixturenames:
            item.add_marker("cluster")
        if "postgres" in item.fixturenames or str(params.get("address")) == "postgresql":
            item.add_marker("db")


def pytest_collection_finish():
    """What is there by now stays: the collector of garbage is not to look through it again and again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and two workers, each a process of its own, as on two machines."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    address = ["--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    worker = [*dask, "worker", *address, "--nthreads", "1", "--no-dashboard", "--nanny-port", "0"]
    processes = [
        subprocess.Popen(
            [*dask, "scheduler", *address, "--host", "127.0.0.1", "--port", "0", "--no-dashboard"], **quiet
        ),
        *(subprocess.Popen([*worker, "--no-nanny"], **quiet) for _ in range(2)),
    ]
    from distributed import Client

    try:
        while not file.exists():
            assert processes[0].poll() is None, "the scheduler ended"
            time.sleep(0.1)
        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2, timeout=60)
            yield client.scheduler.address, client
    finally:
        for process in processes:
            process.kill()  # a worker asked to end would first wait for its scheduler
            process.wait()


@pytest.fixture(autouse=True, scope="session")
def packages_looked_through_once():
    """For each run of a page `AppTest` starts a runtime that reads every package's metadata: a quarter of a second."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True, scope="session")
def own_workspace(tmp_path_factory):
    """No test writes into the workspace of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEO_CLUSTER_WORKSPACE", str(tmp_path_factory.mktemp("kept") / "workspace.sqlite"))
        yield


@pytest.fixture
def limited(monkeypatch, tmp_path):
    """Put limits of the owner's in force: `limited(cells=10)`."""

    def put(**own):
        file = tmp_path / "limits.toml"
        file.write_text("".join(f"{key} = {value}\n" for key, value in own.items()))
        monkeypatch.setenv("GEO_CLUSTER_LIMITS", str(file))
        limits._limits.cache_clear()

    yield put
    limits._limits.cache_clear()


@pytest.fixture
def call(capsys, monkeypatch):
    """Run `geo-cluster ...` in this process: exit code, what was printed, what was complained about."""
    from geo_cluster import cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["geo-cluster", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        told = capsys.readouterr()
        return code, told.out, told.err

    return run
