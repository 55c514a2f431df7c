"""The page that a browser gets first, whatever the address: Streamlit's, with our name, language and style in it.

The style stands in it because words that come before their style flash by in the browser's own.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import streamlit
from starlette.responses import HTMLResponse, Response
from streamlit import file_util

from app import look, page_scripts
from app.texts import text
from app.web.requests import Scope, values_of
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError

_PAGE = re.compile(r"(?!_stcore$|oauth2callback$)[^/.]*")
"""One word: all else are files, and paths by which Streamlit's own page looks for its server."""


def answer(scope: Scope, prefix: str) -> Response | None:
    """What a browser that opens an address gets; None for all that isn't ours to answer."""
    path = scope["path"].removeprefix(f"{prefix}/")
    if scope["method"] not in ("GET", "HEAD") or path == scope["path"] or not _PAGE.fullmatch(path):
        return None
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("language", [""])[0]
    language: Language = "en" if asked == "en" else "zh"
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
