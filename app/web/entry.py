"""The page that a browser gets first: Streamlit's, with our name, language and style in it; 404 for what is no page.

The style stands in it because words that come before their style flash by in the browser's own.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qs

import streamlit
from starlette.responses import HTMLResponse, Response
from streamlit import file_util

from app import look, page_scripts
from app.texts import text
from app.web.requests import Scope, values_of
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError

PAGES = ("", "explore", "supply", "score", "match", "delivery", "data", "brief", "sheet")
"""Addresses of the pages that `app.main` has."""
_FILES = re.compile(r"(?:_stcore|static|media|component|auth|app|oauth2callback)(?:/.*)?|.*\.[^/]*|.*/|/.*", re.DOTALL)
"""What Streamlit answers by itself: its own paths, files, and addresses with a slash at their end."""
_NOT_FOUND = """<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>{style}
body {{ font: 1rem/1.6 sans-serif; color: var(--gc-ink); max-width: 34rem; margin: 18vh auto 0; padding: 0 1.2rem; }}
a {{ color: var(--gc-accent-dark); display: inline-block; padding: .7rem 0; }}</style></head>
<body><main><h1>{title}</h1><p>{said}</p><p><a href="{start}">{go}</a></p></main></body></html>"""


def answer(scope: Scope, prefix: str) -> Response | None:
    """What a browser that opens an address gets; None for all that isn't ours to answer."""
    path = scope["path"].removeprefix(f"{prefix}/")
    if scope["method"] not in ("GET", "HEAD") or path == scope["path"]:
        return None
    if path not in PAGES and _FILES.fullmatch(path):
        return None
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("language", [""])[0]
    language: Language = "en" if asked == "en" else "zh"
    if path not in PAGES:
        return HTMLResponse(_not_found(language, f"{prefix}/"), 404)
    headers = {"cache-control": "no-cache", "vary": "accept-encoding"}
    if any("gzip" in value.lower() for value in values_of(scope, b"accept-encoding")):
        return HTMLResponse(_packed(language), headers=headers | {"content-encoding": "gzip"})
    return HTMLResponse(index(language), headers=headers)


@cache
def index(language: Language) -> str:
    """Streamlit's page, with ours in it.

    Raises
    ------
    InputError
        The page of this release of Streamlit is another one.
    """
    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    style = f"<style>{look.sheet()}</style>"  # in the body: what Streamlit adds to the head goes before it
    for old, new in (
        ('<html lang="en">', f'<html lang="{page_scripts.LANG[language]}">'),
        ("<title>Streamlit</title>", f"<title>{escape(text('app', language))}</title>"),
        ('<div id="root"></div>', f'{style}<div id="root"></div><script>{page_scripts.own_words(language)}</script>'),
    ):
        if page.count(old) != 1:
            raise InputError(Fault("app.hook_is_gone", "streamlit", version=streamlit.__version__, names=[old]))
        page = page.replace(old, new)
    return page


@cache
def _packed(language: Language) -> bytes:
    return gzip.compress(index(language).encode(), mtime=0)


def _not_found(language: Language, start: str) -> str:
    """A page that says that there is none; in both languages, for who comes by a wrong address chose none."""
    order = sorted(get_args(Language), key=lambda one: one != language)
    said = "<br>".join(escape(text("no_page", one)) for one in order)
    go = " / ".join(escape(text("no_page.go", one)) for one in order)
    title, lang = escape(text("no_page.title", language)), page_scripts.LANG[language]
    style = look.variables()
    return _NOT_FOUND.format(lang=lang, title=title, said=said, go=go, start=escape(start, quote=True), style=style)
