"""Each patch of Streamlit does what it is for, and Streamlit alone does not: a patch that it can do without goes."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner_utils import script_requests

from app import streamlit_patches
from geo_cluster.errors import InputError

ROOT = Path(streamlit_patches.__file__).parents[1]
PAGE, PART = ["first 2", "place", "part 2", "last 2", "page done"], ["place", "part 2", "part done"]
HEARD_OUT = ("_create_scriptrunner", "_handle_scriptrunner_event_on_event_loop")
NEEDLESS = "Streamlit does so by itself: this patch can go"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "patches", "expected"),
    [
        ("change", ["_maybe_handle_execution_control_request"], ["saved 1", "remembered 1", "saved 2", "remembered 2"]),
        ("callback", ["on_script_will_rerun"], ["saved", "remembered"]),
        ("ended", HEARD_OUT, PAGE + PART),
        ("running", ["clear"], PAGE + PART),
        ("left", ["_run_script"], ["broken off", "there", "page done", True]),
    ],
)
def test_nothing_is_lost_or_half_done_while_the_machine_is_busy(tmp_path, scenario, patches, expected):
    def told(*without):
        command = [sys.executable, "-m", "tests.busy_page", str(tmp_path), scenario, *without]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd=ROOT)
        return json.loads(done.stdout.splitlines()[-1])

    assert told() == expected
    assert told(*patches) != expected, NEEDLESS


def test_settings_on_a_page_that_is_left_outlive_the_request_for_the_next():
    """Streamlit alone keeps the newest request's widgets only, and what buttons say."""
    first, second = WidgetStates(), WidgetStates()
    first.widgets.add(id="level", string_value="cautious")
    first.widgets.add(id="both", int_value=1)
    second.widgets.add(id="both", int_value=2)

    def folded(fold):
        return {one.id: one.string_value or one.int_value for one in fold(first, second).widgets}

    alone = script_requests._coalesce_widget_states
    assert folded(streamlit_patches._all(alone)) == {"level": "cautious", "both": 2}
    assert folded(alone) == {"both": 2}, NEEDLESS


@pytest.mark.parametrize(
    ("pages", "there", "alone"),
    [
        ([("supply",), ("score",)], "supply", "score"),
        ([("supply",), ("score", "part")], "supply", "score"),
        ([("supply",), ("match",)], "match", "match"),
        ([("score",), ("supply",)], "supply", "supply"),
    ],
)
def test_who_asked_for_another_page_gets_there_whatever_is_asked_for_meanwhile(pages, there, alone):
    """Streamlit alone goes back to the page of the newest request."""

    def got(fold):
        asked = script_requests.ScriptRequests()
        asked._pages = SimpleNamespace(current_page_script_hash="score")
        for page, *part in pages:
            fold(
                asked,
                script_requests.RerunData(page_script_hash=page, fragment_id=(part or [None])[0], query_string=page),
            )
        data = asked.on_scriptrunner_ready().rerun_data
        return data.page_script_hash, data.query_string, data.fragment_id_queue

    fold = script_requests.ScriptRequests._request_rerun_locked
    assert got(streamlit_patches._to_the_page_asked_for(fold)) == (there, there, [])
    assert got(fold)[0] == alone, NEEDLESS


def test_every_hook_is_tried_here():
    own = Path(__file__).read_text(encoding="utf-8")
    assert [hook.name for hook in streamlit_patches.hooks() if hook.name not in own] == []


def test_a_hook_that_is_gone_is_named_and_nothing_is_wrapped():
    owner = type("Runner", (), {"there": "as it was"})
    hooks = [streamlit_patches.Hook(owner, name, lambda _: "wrapped") for name in ("there", "gone", "too")]
    with pytest.raises(InputError) as refused:
        streamlit_patches.wrap(hooks)
    (fault,) = refused.value.faults
    assert (fault.code, fault.values["names"]) == ("app.hook_is_gone", ["Runner.gone", "Runner.too"])
    assert owner.there == "as it was"
