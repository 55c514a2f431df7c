"""Nothing that a visitor clicked or that a script drew is lost while the machine is busy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner_utils import script_requests

from app import whole

ROOT = Path(whole.__file__).parents[1]


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
    folded = whole._all(script_requests._coalesce_widget_states)(first, second)
    assert {one.id: one.string_value or one.int_value for one in folded.widgets} == {"level": "cautious", "both": 2}
