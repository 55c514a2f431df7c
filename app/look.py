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
def sheet() -> str:
    """All style of the app: variables first, then what every page has, then the files of single pages by name."""
    page = toml.table("style")["page"]
    colours = "; ".join(f"--gc-{name}: {page[colour]}" for name, colour in NAMES.items())
    files = sorted(ASSETS.glob("*.css"), key=lambda file: (file.name != "page.css", file.name))
    rules = [f":root {{ {colours} }}", *(file.read_text(encoding="utf-8").strip() for file in files)]
    icon = quote(ICON.read_text(encoding="utf-8").strip())
    return "\n".join(rules).replace("@icon", f"data:image/svg+xml,{icon}")
