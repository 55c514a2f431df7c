"""汇报: what can be taken along, with a preview of each."""

from __future__ import annotations

from app.widgets import footer, heading


def page() -> None:
    """Draw the page."""
    heading("brief")
    footer()
