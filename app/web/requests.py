"""What a request says: its headers and cookies, which browser it is of, and who is signed in there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from starlette.requests import cookie_parser
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app import signin
from geo_cluster.errors import GeoClusterError
from geo_cluster.workspace import sessions
from geo_cluster.workspace.roles import LOCAL, Person

VISITOR = "geo_cluster_visitor"
"""Cookie that tells browsers apart; no script can read it, and none but the server can make one."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[MutableMapping[str, Any]], Any]


def values_of(scope: Scope, name: bytes) -> list[str]:
    """What the headers of a name say."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def cookies_of(scope: Scope) -> dict[str, str]:
    """Cookies by name."""
    return {name: value for line in values_of(scope, b"cookie") for name, value in cookie_parser(line).items()}


def claims_of(cookies: Mapping[str, str]) -> dict[str, Any]:
    """What the identity provider said of whoever is signed in, from the cookie that Streamlit signed; else nothing."""

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1")) if value else None

    try:
        claims = json.loads(get_cookie_with_chunks(one, USER_COOKIE_NAME) or b"{}")
    except (ValueError, UnicodeError):
        return {}
    return claims if isinstance(claims, dict) and claims.get("is_logged_in") is True else {}


def visitor_named(cookies: Mapping[str, str], claims: Mapping[str, Any]) -> str:
    """A browser with whoever is signed in there; empty for a browser that has no cookie of ours."""
    browser = browser_of(cookies)
    return f"{browser}/{sessions.login_of(claims) if claims else ''}" if browser else ""


def browser_of(cookies: Mapping[str, str]) -> str:
    """What we call a browser; whatever it calls itself is nothing."""
    return (decode_signed_value(get_cookie_secret(), VISITOR, cookies.get(VISITOR, "")) or b"").decode()


def visitor_of(client: Any) -> str:
    """The visitor of one of Streamlit's sessions."""
    cookies = dict(client.client_context.cookies)
    return visitor_named(cookies, claims_of(cookies))


def let_in(claims: Mapping[str, Any]) -> Person | None:
    """Who has these claims, maybe none; None for somebody who may see nothing."""
    try:
        return signin.who(claims) if signin.is_on() else LOCAL
    except GeoClusterError:
        return None


def forget_login(scope: Scope) -> None:
    """Take out of a request who it is of: Streamlit would believe it."""
    kept = {name: value for name, value in cookies_of(scope).items() if not name.startswith(USER_COOKIE_NAME)}
    others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    line = "; ".join(f"{name}={value}" for name, value in kept.items())
    scope["headers"] = [*others, (b"cookie", line.encode("latin-1"))]
