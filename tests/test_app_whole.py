"""Nothing that a visitor clicked or that a script drew is lost while the machine is busy."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner_utils import script_requests

from app import streamlit_patches

ROOT = Path(streamlit_patches.__file__).parents[1]


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "running"])
def test_what_a_page_drew_arrives_though_a_part_of_it_is_asked_for_next(tmp_path, ended):
    def told(mended):
        command = [sys.executable, "-m", "tests.busy_page", str(tmp_path), str(int(ended)), str(int(mended))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd=ROOT)
        return json.loads(done.stdout.splitlines()[-1])

    page, part = ["first 2", "place", "part 2", "last 2", "page done"], ["place", "part 2", "part done"]
    assert told(mended=True) == page + part
    assert told(mended=False) != page + part, "Streamlit loses nothing any more: app/whole.py can do less"


def test_settings_on_a_page_that_is_left_outlive_the_request_for_the_next():
    """Streamlit alone keeps the newest request's widgets only, and what buttons say."""
    first, second = WidgetStates(), WidgetStates()
    first.widgets.add(id="level", string_value="cautious")
    first.widgets.add(id="both", int_value=1)
    second.widgets.add(id="both", int_value=2)
    folded = streamlit_patches._all(script_requests._coalesce_widget_states)(first, second)
    assert {one.id: one.string_value or one.int_value for one in folded.widgets} == {"level": "cautious", "both": 2}


def test_who_asked_for_another_page_gets_there_whatever_is_asked_for_meanwhile():
    """Streamlit alone goes back to the page of the newest request."""
    asked = script_requests.ScriptRequests()
    asked._pages = SimpleNamespace(current_page_script_hash="score")
    fold = streamlit_patches._to_the_page_asked_for(type(asked)._request_rerun_locked)

    def requested(page, part=None):
        return script_requests.RerunData(page_script_hash=page, fragment_id=part, query_string=f"from={page}")

    for pages, there in (
        ([("supply",), ("score",)], "supply"),
        ([("supply",), ("score", "part")], "supply"),
        ([("supply",), ("match",)], "match"),
        ([("score",), ("supply",)], "supply"),
    ):
        for page in pages:
            fold(asked, requested(*page))
        got = asked.on_scriptrunner_ready().rerun_data
        assert (got.page_script_hash, got.query_string, got.fragment_id_queue) == (there, f"from={there}", [])
        asked._state = script_requests.ScriptRequestType.CONTINUE


def test_a_part_of_a_page_that_was_left_becomes_the_page_that_is_there():
    ran = []
    runner = SimpleNamespace(_pages_manager=SimpleNamespace(current_page_script_hash="score"), _requests=Mock())
    run = streamlit_patches._on_its_page(lambda _, asked: ran.append((asked.page_script_hash, asked.fragment_id_queue)))
    for page in ("supply", "score"):
        run(runner, script_requests.RerunData(page_script_hash=page, fragment_id_queue=["part"]))
    assert ran == [("score", []), ("score", ["part"])]
