"""Starts Streamlit, and beside it the work that the first visitor would otherwise wait for: imports and the first map.

Nothing that declares a component is imported here: one that is declared before the server runs is not served.
"""

from __future__ import annotations

import gc
import sys
import threading

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.web.cli import main


def keep_clicks() -> None:
    """Lose no click of someone who leaves a page before it was dealt with, as happens on a busy machine.

    Streamlit folds the requests that wait into one and takes the settings of the newest alone, which knows only the
    widgets of the page that is opened. Those of the page that is left are kept here, so that their callbacks run.
    """
    fold = script_requests._coalesce_widget_states

    def fold_all(old: WidgetStates | None, new: WidgetStates | None) -> WidgetStates | None:
        folded = fold(old, new)
        if old is not None and folded is not None and folded is not old:
            named = {state.id for state in folded.widgets}
            folded.widgets.extend(state for state in old.widgets if state.id not in named)
        return folded

    script_requests._coalesce_widget_states = fold_all


def _warm() -> None:
    """Import and compute, with the collector of garbage at rest; what is there by then is never looked through again.

    Streamlit collects after every run of a page: 0.15 s for the libraries alone, twice what drawing a page takes.
    """
    try:
        from app import cached

        cached.overview_payload("zh")
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    keep_clicks()
    gc.disable()
    threading.Thread(target=_warm, daemon=True).start()
    sys.exit(main())
