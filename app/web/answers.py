"""What an answer tells a browser to keep it safe: headers, cookies, where it may be kept, what a page may load."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from app import page_scripts
from geo_cluster.errors import GeoClusterError

OF_A_VISITOR = re.compile(r"(?:media|component/[^/]*gc_maps)(?:/.*)?", re.DOTALL)
"""Paths of what belongs to one visitor."""
_COOKIE_OF_SCRIPTS = XSRF_COOKIE_NAME.encode()
"""The one cookie that scripts have to read: they send it back in a header, which no other site can."""

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=()",
    b"x-robots-tag": b"noindex, nofollow",
}


def baked(cookie: bytes, secure: bool) -> bytes:
    """A cookie that goes back here only, over TLS where there is TLS, and that no script reads unless it has to."""
    said = {part.partition(b"=")[0].strip().lower() for part in cookie.split(b";")[1:]}
    wanted = {b"samesite": b"SameSite=Lax"} | ({b"secure": b"Secure"} if secure else {})
    if cookie.partition(b"=")[0] != _COOKIE_OF_SCRIPTS:
        wanted[b"httponly"] = b"HttpOnly"
    return b"; ".join([cookie, *(word for key, word in wanted.items() if key not in said)])


def kept_where(path: str, said: bytes) -> bytes:
    """Where an answer may be kept: what is a visitor's nowhere, what is named by its content for long."""
    if OF_A_VISITOR.fullmatch(path) or path.startswith("surface/"):
        return b"private, no-store"
    return said if path.startswith("static/") and b"immutable" in said else b"private, no-cache"


def policy(path: str, host: str) -> bytes:
    """What a page may load and run: what is served here, and our own scripts by their hashes."""
    if path.startswith("media/"):  # opened by itself it is data, whatever it says
        return b"default-src 'none'; style-src 'unsafe-inline'; sandbox"
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' {_hashes()}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' ws://{host} wss://{host}" if host else "'self'",
        "worker-src": "'self' blob:",
        "frame-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    if path.startswith("component/"):  # the frame of a map, which evaluates the scripts that the page tells it
        rules |= {
            "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
            "img-src": f"'self' data: blob: {_tiles()}".strip(),
        }
    return "; ".join(f"{name} {value}" for name, value in rules.items()).encode("latin-1", "replace")


@cache
def _hashes() -> str:
    """Hashes of the scripts that our pages and Streamlit's own have inside them."""
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in page_scripts.every()
    )


@cache
def _tiles() -> str:
    """Servers of the base maps that a person may switch on."""
    from geo_cluster.maps import payload

    try:
        rows = payload.basemaps("en")
    except GeoClusterError:
        return ""
    return " ".join(sorted({origin for row in rows for url in row["urls"] for origin in _origins(url, row)}))


def _origins(url: str, row: Mapping[str, Any]) -> Iterable[str]:
    hosts = [url.replace("{s}", one) for one in row.get("subdomains", "abc")] if "{s}" in url else [url]
    return (f"{split.scheme}://{split.netloc}" for split in map(urlsplit, hosts))
