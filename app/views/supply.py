"""要素: land and energy of each site, on what evidence, and what to ask for."""

from __future__ import annotations

from app.widgets import footer, heading


def page() -> None:
    """Draw the page."""
    heading("supply")
    footer()
