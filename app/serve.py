"""Starts Streamlit, and beside it the work that the first visitor would otherwise wait for: imports and the first map.

Nothing that declares a component is imported here: one that is declared before the server runs is not served.
"""

from __future__ import annotations

import gc
import threading
import time
from contextlib import suppress

from streamlit.web.cli import main

from app import ending, whole
from geo_cluster.errors import GeoClusterError

_FIRST_PAGE_S = 10  # until the first page is there, and matching may be made ready


def _warm() -> None:
    """Import and compute, with the collector of garbage at rest; what is there by then is never looked through again.

    Streamlit collects after every run of a page: 0.15 s for the libraries alone, twice what drawing a page takes.
    """
    try:
        from app import cached

        with suppress(GeoClusterError):  # it is told on the page
            cached.kept_in()  # now, for a workspace that is gone when the first visitor comes is not to be made anew
        cached.overview_payload("zh")
    finally:
        gc.freeze()
        gc.enable()
    time.sleep(_FIRST_PAGE_S)
    from geo_cluster.matching.solve import warm

    warm()


if __name__ == "__main__":
    whole.install()
    gc.disable()
    threading.Thread(target=_warm, daemon=True).start()
    with ending.at_once():
        main()
