"""How every page looks: colours of `tables/style.toml` as CSS variables, `assets/page.css`, a file for each page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import quote

from geo_cluster import toml

ASSETS = Path(__file__).with_name("assets")
ICON = ASSETS / "icon.svg"
NAMES = {
    "ink": "ink",
    "quiet": "muted",
    "line": "line",
    "card": "paper",
    "tint": "tint",
    "accent": "accent",
    "accent-dark": "accent_dark",
    "warn": "warning",
    "bad": "bad",
}
"""CSS variable (`--gc-…`) -> colour of `[page]` in `tables/style.toml`."""


@cache
def variables() -> str:
    """The colours as a rule of CSS."""
    page = toml.table("style")["page"]
    return f":root {{ {'; '.join(f'--gc-{name}: {page[colour]}' for name, colour in NAMES.items())} }}"


@cache
def sheet() -> str:
    """All style of the app: variables first, then what every page has, then the files of single pages by name."""
    files = sorted(ASSETS.glob("*.css"), key=lambda file: (file.name != "page.css", file.name))
    rules = "\n".join([variables(), *(file.read_text(encoding="utf-8").strip() for file in files)])
    return rules.replace("@icon", f"data:image/svg+xml,{quote(ICON.read_text(encoding='utf-8').strip())}")
