"""A real server that is told to end: at once, with a run under way and a visitor there, and no file of it stays."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app.texts import text
from geo_cluster.workspace import database
from geo_cluster.workspace.repository import PROJECTS, Work, Workspace
from geo_cluster.world import catalog

SOON_S = 30.0
"""For a busy machine; the run would take `time_limit_s`."""
LONG = {"draws": 50, "time_limit_s": 120.0, "mip_gap": 0.0}
MANY = {
    PROJECTS: "细分环节,年产值(亿元)\n".encode()
    + b"".join(f"光纤激光器,{1 + n % 97 / 10}\n".encode() for n in range(900))
}
"""Settings and projects with which a run takes minutes."""


def serve(folder, **environment):
    """The app on a workspace, with a folder of its own for temporary files: its process and address."""
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "geo_cluster.cli", "app", "--headless", "--port", str(port)]
    command += ["--workspace", str(folder / "workspace.sqlite")]
    (folder / "tmp").mkdir()
    environment = os.environ | {"HOME": str(folder), "TMPDIR": str(folder / "tmp")} | environment
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1)
            return process, f"localhost:{port}"
        except OSError:
            time.sleep(0.1)
    process.kill()
    pytest.fail((folder / "log.txt").read_text(encoding="utf-8", errors="replace"))


async def run_something(server, work):
    """Open a work, press the button that runs it and wait until the server says that it runs."""
    address = f"ws://{server}/_stcore/stream"
    async with websockets.connect(address, subprotocols=["streamlit"], max_size=None, ping_interval=None) as visitor:
        message = BackMsg()
        message.rerun_script.MergeFrom(type(message.rerun_script)(page_name="match", query_string=f"work={work}"))
        await visitor.send(message.SerializeToString())
        button = await _told(visitor, lambda delta: delta.button.label == text("match.run", "zh"))
        await _told(visitor)
        state = BackMsg().rerun_script
        state.MergeFrom(type(state)(page_name="match", query_string=f"work={work}"))
        state.widget_states.widgets.add(id=button.button.id, trigger_value=True)
        await visitor.send(BackMsg(rerun_script=state).SerializeToString())
        await _told(visitor, lambda delta: text("match.stop", "zh") in delta.button.label)


async def _told(visitor, wanted=None):
    """Read until an element comes, or until the script has ended."""
    while True:
        told = ForwardMsg.FromString(await asyncio.wait_for(visitor.recv(), 60))
        if wanted is None and told.WhichOneof("type") == "script_finished":
            return None
        if wanted is not None and wanted(told.delta.new_element):
            return told.delta.new_element


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_told_to_end_it_ends_soon_and_leaves_nothing(tmp_path):
    space = Workspace(database.connect(str(tmp_path / "workspace.sqlite")))
    scenario = catalog.scenario().model_copy(update=LONG)
    kept = space.create(Work(scenario, MANY), note="new")
    process, server = serve(tmp_path)
    try:
        asyncio.run(run_something(server, kept.id))
        files = [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]
        assert any(path.name == PROJECTS for path in files), "the files of the work are laid out"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert time.monotonic() - began < SOON_S
    finally:
        process.kill()
        process.wait(20)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert [path.name for path in tmp_path.glob("workspace*")] == ["workspace.sqlite"]
    log = (tmp_path / "log.txt").read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log, log
    assert space.head(kept.id).number == 1
