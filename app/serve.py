"""Starts Streamlit, and beside it the work that the first visitor would otherwise wait for: imports and the first map.

Nothing that declares a component is imported here: one that is declared before the server runs is not served.
"""

from __future__ import annotations

import sys
import threading

from streamlit.web.cli import main


def _warm() -> None:
    from app import cached

    cached.overview_payload("zh")


if __name__ == "__main__":
    threading.Thread(target=_warm, daemon=True).start()
    sys.exit(main())
