"""Changes happen whole, no click is lost and no answer, however fast a visitor goes on and however busy the machine is.

Streamlit ends a script at its next look into the session's state once the visitor has clicked again, be it between
saving a change and remembering that it was saved. It folds the requests that wait into the newest, which knows only
the widgets of the page that is opened, or would go back to the page that is left. Where a script has ended but what it
drew is still on its way, a part of the page (a fragment) that is asked for next throws that away and then finds no page
to stand on ("Bad delta path"), as does a part of a page that has been left meanwhile. It has no switch for any of
these; where a release of it no longer has what is changed here, it stays as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from streamlit.runtime import app_session, forward_msg_queue
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
    """Make Streamlit heed `undisturbed`, run the callbacks of widgets so, and keep clicks and answers."""
    _wrap(script_runner.ScriptRunner, _maybe_handle_execution_control_request=_when_free, _run_script=_on_its_page)
    _wrap(safe_session_state.SafeSessionState, on_script_will_rerun=_whole)
    _wrap(script_requests, _coalesce_widget_states=_all)
    _wrap(script_requests.ScriptRequests, _request_rerun_locked=_to_the_page_asked_for)
    _wrap(
        app_session.AppSession,
        _create_scriptrunner=_after_the_last,
        _handle_scriptrunner_event_on_event_loop=_then_the_next,
    )
    _wrap(forward_msg_queue.ForwardMsgQueue, clear=_beside_parts)


def _wrap(owner: Any, **hows: Any) -> None:
    """Wrap what is named, all of it or nothing."""
    if all(hasattr(owner, name) for name in hows):
        for name, how in hows.items():
            setattr(owner, name, how(getattr(owner, name)))


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

    def begin_in_turn(session: Any, asked: Any) -> None:
        waiting = vars(session).setdefault("_waiting", [])
        if session._scriptrunner is None and not waiting:
            begin(session, asked)
        else:
            waiting.append(asked)

    return begin_in_turn


def _then_the_next(hear: Any) -> Any:
    """What waited until the last runner was heard out comes after it, in the order in which it was asked."""

    def hear_and_go_on(session: Any, *given: Any, **named: Any) -> None:
        hear(session, *given, **named)
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
