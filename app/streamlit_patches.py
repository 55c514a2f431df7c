"""Wraps insides of Streamlit, so that a change happens whole and no click or answer is lost on a busy machine.

Streamlit has no switch for any of this. Read against 1.67.0, the newest release at the time; `pyproject.toml` allows no
later one before it has been read too. `install` refuses to start the app where a name is gone. Each patch has a test in
`tests/test_app_streamlit_patches.py` that fails once Streamlit does without it.

============================================== =================================================================
what is wrapped                                what happens without
============================================== =================================================================
ScriptRunner                                   a script is ended at its next look into the session once the
`._maybe_handle_execution_control_request`     visitor has clicked again: between saving a change and remembering
                                               that it was saved
SafeSessionState `.on_script_will_rerun`       the same in the midst of the callback of a widget
script_requests `._coalesce_widget_states`     requests that wait are folded into the newest, which knows only the
                                               widgets of its own page: what was set on a page that is left is lost
ScriptRequests `._request_rerun_locked`        a script that asks for its page anew takes back a visitor who has
                                               just asked for another
ScriptRunner `._run_script`                    a part of a page (a fragment) that was left is run on the page that
                                               is there, and finds no place ("Bad delta path")
AppSession `._create_scriptrunner`,            what a script drew is thrown away if a part is asked for after it
`._handle_scriptrunner_event_on_event_loop`    has ended and before it was heard out
ForwardMsgQueue `.clear`                       what is on its way to the browser is thrown away, or overtaken, when
                                               a part is drawn anew
============================================== =================================================================
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime import app_session, forward_msg_queue
from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.state import safe_session_state

from geo_cluster.errors import Fault, InputError

_here = threading.local()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let nothing that the visitor does meanwhile come between the steps of a change; it comes right after."""
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1


class Hook(NamedTuple):
    """A name of Streamlit's, and what is put in its place, made of what stood there."""

    owner: Any
    name: str
    replacement: Callable[[Any], Any]


def wrap(hooks: Iterable[Hook]) -> None:
    """Put the replacements in place, all of them or none.

    Raises
    ------
    InputError
        This release of Streamlit has no such name.
    """
    hooks = list(hooks)
    missing = [f"{hook.owner.__name__}.{hook.name}" for hook in hooks if not hasattr(hook.owner, hook.name)]
    if missing:
        raise InputError(Fault("app.hook_is_gone", "streamlit", version=st.__version__, names=missing))
    for hook in hooks:
        setattr(hook.owner, hook.name, hook.replacement(getattr(hook.owner, hook.name)))


def install(*, without: Collection[str] = ()) -> None:
    """Wrap every name of `hooks`, but for those that a test leaves out.

    Raises
    ------
    InputError
        This release of Streamlit has no such name.
    """
    wrap(hook for hook in hooks() if hook.name not in without)


def hooks() -> tuple[Hook, ...]:
    """What is wrapped, and by what."""
    return (
        Hook(script_runner.ScriptRunner, "_maybe_handle_execution_control_request", _when_free),
        Hook(safe_session_state.SafeSessionState, "on_script_will_rerun", _undisturbed),
        Hook(script_requests, "_coalesce_widget_states", _all),
        Hook(script_requests.ScriptRequests, "_request_rerun_locked", _to_the_page_asked_for),
        Hook(script_runner.ScriptRunner, "_run_script", _on_its_page),
        Hook(app_session.AppSession, "_create_scriptrunner", _after_the_last),
        Hook(app_session.AppSession, "_handle_scriptrunner_event_on_event_loop", _then_the_next),
        Hook(forward_msg_queue.ForwardMsgQueue, "clear", _beside_parts),
    )


def _when_free(look: Any) -> Any:
    def look_when_free(runner: Any) -> None:
        if not getattr(_here, "depth", 0):
            look(runner)

    return look_when_free


def _on_its_page(run: Any) -> Any:
    """A part of a page that is no longer there becomes the page that is."""

    def run_on_its_page(runner: Any, asked: Any) -> None:
        runner._requests._pages = runner._pages_manager
        here = runner._pages_manager.current_page_script_hash
        if asked.fragment_id_queue and here and asked.page_script_hash not in ("", here):
            asked = replace(asked, fragment_id_queue=[], is_fragment_scoped_rerun=False, page_script_hash=here)
        run(runner, asked)

    return run_on_its_page


def _undisturbed(call: Any) -> Any:
    def call_undisturbed(*args: Any, **kwargs: Any) -> Any:
        with undisturbed():
            return call(*args, **kwargs)

    return call_undisturbed


def _all(fold: Any) -> Any:
    def fold_all(old_states: Any, new_states: Any) -> Any:
        folded = fold(old_states, new_states)
        if old_states is not None and new_states is not None:
            kwargs = {state.id for state in folded.widgets}
            folded.widgets.extend(state for state in old_states.widgets if state.id not in kwargs)
        return folded

    return fold_all


def _to_the_page_asked_for(fold: Any) -> Any:
    """Who has asked for another page gets there, whatever is clicked, or asked for by a script, before it is there."""

    def fold_for_it(requests: Any, new: Any) -> Any:
        here = getattr(vars(requests).get("_pages"), "current_page_script_hash", "")
        waits = requests._rerun_data if requests._state == script_requests.ScriptRequestType.RERUN else new
        if here and waits.page_script_hash not in ("", here) and new.page_script_hash in ("", here):
            there: dict[str, Any] = {
                name: getattr(waits, name) for name in ("page_script_hash", "page_name", "query_string")
            }
            new = replace(new, fragment_id=None, fragment_id_queue=[], is_fragment_scoped_rerun=False, **there)
        return fold(requests, new)

    return fold_for_it


def _after_the_last(begin: Any) -> Any:
    """A new runner, when there is one that has ended but hasn't been heard out, waits until it has."""

    def begin_when_free(session: Any, asked: Any) -> None:
        waiting = vars(session).setdefault("_waiting", [])
        if session._scriptrunner is None and not waiting:
            begin(session, asked)
        else:
            waiting.append(asked)

    return begin_when_free


def _then_the_next(hear: Any) -> Any:
    """What waited until the last runner was heard out comes after it, in the order in which it was asked."""

    def hear_and_go_on(session: Any, *args: Any, **kwargs: Any) -> None:
        hear(session, *args, **kwargs)
        if session._scriptrunner is not None or session._state == app_session.AppSessionState.SHUTDOWN_REQUESTED:
            return
        waiting, session._waiting = vars(session).get("_waiting", []), []
        for asked in waiting:
            if session._scriptrunner is None or not session._scriptrunner.request_rerun(asked):
                session._create_scriptrunner(asked)

    return hear_and_go_on


def _beside_parts(clear: Any) -> Any:
    """A part of the page that is drawn anew takes nothing away of what is on its way to the browser."""

    def clear_for_pages(queue: Any, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: Any = None) -> None:
        if fragment_ids_this_run:
            queue._delta_index_map = {}  # what comes now stands behind what waits, and isn't put in its place
        else:
            clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)

    return clear_for_pages
