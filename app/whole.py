"""Changes happen whole and no click is lost, however fast a visitor goes on and however busy the machine is.

Streamlit ends a script at its next look into the session's state once the visitor has clicked again, be it between
saving a change and remembering that it was saved; it folds the requests that wait into the newest, which knows only
the widgets of the page that is opened. It has no switch for either; where a release of it no longer has what is
changed here, it stays as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.state import safe_session_state

_here = threading.local()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let nothing that the visitor does meanwhile come between the steps of a change; it comes right after."""
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1


def install() -> None:
    """Make Streamlit heed `undisturbed`, run the callbacks of widgets so, and keep clicks on a page that is left."""
    _wrap(script_runner.ScriptRunner, "_maybe_handle_execution_control_request", _when_free)
    _wrap(safe_session_state.SafeSessionState, "on_script_will_rerun", _whole)
    _wrap(script_requests, "_coalesce_widget_states", _all)


def _wrap(owner: Any, name: str, how: Any) -> None:
    if hasattr(owner, name):
        setattr(owner, name, how(getattr(owner, name)))


def _when_free(look: Any) -> Any:
    def look_when_free(runner: Any) -> None:
        if not getattr(_here, "depth", 0):
            look(runner)

    return look_when_free


def _whole(call: Any) -> Any:
    def call_whole(*given: Any, **named: Any) -> Any:
        with undisturbed():
            return call(*given, **named)

    return call_whole


def _all(fold: Any) -> Any:
    def fold_all(old_states: Any, new_states: Any) -> Any:
        folded = fold(old_states, new_states)
        if old_states is not None and new_states is not None:
            named = {state.id for state in folded.widgets}
            folded.widgets.extend(state for state in old_states.widgets if state.id not in named)
        return folded

    return fold_all
