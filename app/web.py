"""What goes in and out by HTTP: who may ask for what, and what an answer may do in a browser. Stands around Streamlit.

Streamlit serves whoever reaches it: by any name, to any page, with any file. Here a request has to name a host that
people open the app by; what belongs to a visitor (maps, downloads, uploads) is theirs alone; and no page may fetch
anything from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from anyio import to_thread
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import PlainTextResponse
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME, XSRF_COOKIE_NAME

from app import page_scripts, signin
from geo_cluster.errors import Fault, GeoClusterError, InputError
from geo_cluster.serving import Serving
from geo_cluster.workspace import sessions
from geo_cluster.workspace.roles import LOCAL, Person

VISITOR = "geo_cluster_visitor"
"""Cookie that tells browsers apart; no script can read it, and none but the server can make one."""
FILES, FILES_BYTES = 100, 500 * 2**20
"""How many files a visitor may have on the server at once, and how large they may be together."""
EVERYBODY_BYTES = 4 * FILES_BYTES
"""How large all files of all visitors may be together."""

_KEY = secrets.token_bytes(32)
_OPEN = ("_stcore/health", "_stcore/host-config", "_stcore/stream")
"""What Streamlit has of its own and the app needs; its metrics, checks of scripts and API are closed."""
_HEARD = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request")
"""What a browser may ask of its session. Streamlit would also empty everybody's caches, and tell of our files."""
_STRANGER_BYTES = 64 * 1024
"""What may be said at once by somebody who has yet to sign in: nothing much is kept of them."""
_UPLOAD = re.compile(r"_stcore/upload_file/([^/]+)/[^/]+")
_OF_A_VISITOR = re.compile(r"(?:media|component/[^/]*gc_maps)(?:/.*)?", re.DOTALL)
_COOKIE_OF_SCRIPTS = XSRF_COOKIE_NAME.encode()
"""The one cookie that scripts have to read: they send it back in a header, which no other site can."""
_CORS = b"access-control-"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[MutableMapping[str, Any]], Any]


# ---- addresses that only their visitor can use ----------------------------------------------------------------


def ticketed(address: str) -> str:
    """An address that only the browser of this visitor can fetch, and only while the same person is signed in."""
    claims = st.user.to_dict() if st.user.get("is_logged_in") else {}
    return _ticketed(address, _visitor(st.context.cookies, claims))


def _ticketed(address: str, visitor: str) -> str:
    return f"{address}?for={_ticket(address, visitor)}"


def _ticket(address: str, visitor: str) -> str:
    """Goes with the last two parts of an address: a page knows no more of it than they are."""
    name = "/".join(address.split("/")[-2:])
    return hmac.new(_KEY, f"{visitor}/{name}".encode(), hashlib.sha256).hexdigest()[:32]


def _visitor(cookies: Mapping[str, str], claims: Mapping[str, Any]) -> str:
    """A browser with whoever is signed in there; empty for a browser that has no cookie of ours."""
    browser = _browser(cookies)
    return f"{browser}/{sessions.login_of(claims) if claims else ''}" if browser else ""


def _browser(cookies: Mapping[str, str]) -> str:
    """What we call a browser; whatever it calls itself is nothing."""
    return (decode_signed_value(get_cookie_secret(), VISITOR, cookies.get(VISITOR, "")) or b"").decode()


def install() -> None:
    """Have Streamlit give what can be downloaded addresses that only their visitor can use, and obey no stranger.

    Raises
    ------
    InputError
        A release of it no longer has what is changed here: nothing is served without it.
    """
    wanted = {MediaFileManager: ("add", "execute_deferred"), AppSession: ("handle_backmsg",)}
    missing = [
        f"{owner.__name__}.{name}" for owner, names in wanted.items() for name in names if not hasattr(owner, name)
    ]
    if missing:
        what = f"{st.__version__} has no {', '.join(missing)}: the app can't be guarded"
        raise InputError(Fault("streamlit", what, "install the release that geo-cluster was made for"))
    handle: Any = AppSession.handle_backmsg

    def handle_if_heard(session: AppSession, message: Any) -> None:
        if message.WhichOneof("type") in _HEARD:
            handle(session, message)

    add, execute = MediaFileManager.add, MediaFileManager.execute_deferred

    def add_for_visitor(manager: MediaFileManager, *given: Any, **named: Any) -> str:
        return ticketed(add(manager, *given, **named))

    def execute_for_visitor(manager: MediaFileManager, file_id: str) -> str:
        entry = manager._deferred_callables.get(file_id)
        client = Runtime.instance().get_client(entry["session_id"]) if entry else None
        return _ticketed(execute(manager, file_id), _visitor_of(client) if client else "")

    manager, session = cast("Any", MediaFileManager), cast("Any", AppSession)
    manager.add, manager.execute_deferred = add_for_visitor, execute_for_visitor
    session.handle_backmsg = handle_if_heard


# ---- the guard ------------------------------------------------------------------------------------------------


class Guard:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGI app
    serving : Serving
    auth : mapping, optional
        `[auth]` with which the app was started.
    """

    def __init__(self, app: Any, serving: Serving, auth: Mapping[str, Any] | None) -> None:
        self.app, self.serving = app, serving
        self.signs_in = auth is not None
        self.is_secure = str((auth or {}).get("redirect_uri", "")).startswith("https:")
        self.uploads = Uploads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what may pass."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            answer = self._answers(scope, send)
            with suppress(ClientDisconnect):  # gone in the midst of a file
                await self._http(scope, receive, answer)
        else:
            await self.app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        host, origins = self._host(scope), _all(scope, b"origin")
        same = len(origins) < 2 and {origin.lower() for origin in origins} <= {f"http://{host}", f"https://{host}"}
        if not host or not same:
            await send({"type": "websocket.close", "code": 1008})
            return
        is_in = await self._is_in(scope)
        if not is_in:
            _forget_login(scope)

        async def heard() -> MutableMapping[str, Any]:
            message: MutableMapping[str, Any] = await receive()
            if not is_in and len(message.get("bytes") or b"") > _STRANGER_BYTES:
                await send({"type": "websocket.close", "code": 1009})
                return {"type": "websocket.disconnect", "code": 1009}
            return message

        await self.app(scope, heard, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(self.serving.prefix).lstrip("/")
        if not self._host(scope):
            told = "该主机名未登记：请管理者用 --host 指明 / this host is not known: its owner names it with --host\n"
            await PlainTextResponse(told, 421)(scope, receive, send)
        elif _all(scope, b"content-length") and _all(scope, b"transfer-encoding"):
            told = "one length, please\n"  # what reads the other one, a proxy say, would see another request in it
            await PlainTextResponse(told, 400, {"connection": "close"})(scope, receive, send)
        elif upload := _UPLOAD.fullmatch(path):
            await self._upload(upload[1], scope, receive, send)
        elif _OF_A_VISITOR.fullmatch(path):
            await self._private(scope, receive, send)
        elif path == "auth/logout" and self.signs_in:
            await self._sign_out(scope, receive, send)
        elif self._is_closed(path):
            await PlainTextResponse("Not Found\n", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_closed(self, path: str) -> bool:
        if path.startswith(("auth/", "oauth2callback")):
            return not self.signs_in
        return path.startswith("_stcore") and path not in _OPEN

    def _host(self, scope: Scope) -> str:
        """The host and port that a request names, if it is one that people open the app by; else nothing."""
        named = _all(scope, b"host")
        match = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?", named[0].lower()) if named else None
        known = match and len(named) == 1 and match[1].strip("[]").rstrip(".") in self.serving.hosts
        return named[0].lower() if known else ""

    async def _is_in(self, scope: Scope) -> bool:
        """Whether the request is of somebody who is let in."""
        return await to_thread.run_sync(_let_in, _claims(_cookies(scope))) is not None

    async def _private(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What a visitor was shown, for them, at the very address that they were told."""
        cookies = _cookies(scope)
        visitor = _visitor(cookies, _claims(cookies))
        given = parse_qs(scope["query_string"].decode("latin-1")).get("for", [""])[0]
        fits = hmac.compare_digest(given.encode(), _ticket(scope["path"], visitor).encode())
        if visitor and fits and await self._is_in(scope):
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse("Not Found\n", 404)(scope, receive, send)

    async def _upload(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A file from a visitor to a session of theirs, as many and as large as they may have."""
        client, cookies = Runtime.instance().get_client(session), _cookies(scope)
        claims = _claims(cookies)
        visitor, person = _visitor(cookies, claims), await to_thread.run_sync(_let_in, claims)
        if person is None:
            await PlainTextResponse("sign in first\n", 401)(scope, receive, send)
        elif client is None or not visitor or visitor != _visitor_of(client):
            await PlainTextResponse("no such session of yours\n", 403)(scope, receive, send)
        elif scope["method"] != "PUT":
            await self.app(scope, receive, send)
        else:
            whose = person.name if self.signs_in else visitor  # one person has as many browsers as they like
            await self.uploads.take(whose, session, self.app, scope, receive, send)

    async def _sign_out(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sign out here, and wherever the same cookie has got to."""
        if _all(scope, b"sec-fetch-site") == ["cross-site"]:
            await PlainTextResponse("not from another site\n", 403)(scope, receive, send)
            return
        claims = _claims(_cookies(scope))
        try:
            if claims:
                await to_thread.run_sync(signin.leave, claims)
        except GeoClusterError:
            told = "退出未成 / not signed out: the workspace can't be used\n"
            await PlainTextResponse(told, 503)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _answers(self, scope: Scope, send: Send) -> Send:
        """Answers with what a browser needs to know to keep them safe."""
        secure = self.is_secure or scope.get("scheme") in ("https", "wss")
        path = scope["path"].removeprefix(self.serving.prefix).lstrip("/")
        policy = _policy(path, self._host(scope))
        entry = "/" not in path or path == "_stcore/health"  # which a page that lost its server asks before all else
        newcomer = scope["method"] == "GET" and entry and not _browser(_cookies(scope))

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = [(name.lower(), value) for name, value in message.get("headers", [])]
                kept = [(name, value) for name, value in given if not name.startswith(_CORS)]
                kept = [(name, _baked(value, secure) if name == b"set-cookie" else value) for name, value in kept]
                if newcomer:
                    named = create_signed_value(get_cookie_secret(), VISITOR, secrets.token_urlsafe(24)).decode()
                    cookie = f"{VISITOR}={named}; Path={self.serving.prefix or '/'}"
                    kept.append((b"set-cookie", _baked(cookie.encode(), secure)))
                cached = dict(kept).get(b"cache-control", b"")
                own = HEADERS | {b"content-security-policy": policy, b"cache-control": _kept_where(path, cached)}
                if path.startswith("component/"):  # who serves a base map may want to know for whom
                    own[b"referrer-policy"] = b"strict-origin-when-cross-origin"
                kept = [(name, value) for name, value in kept if name not in own]
                message = {**message, "headers": [*kept, *own.items()]}
            await send(message)

        return answer


class Uploads:
    """What is on the server, or on its way there, of each visitor: a person, or a browser where nobody signs in."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}  # session -> visitor
        self.coming: dict[object, tuple[str, int]] = {}  # request -> visitor, bytes

    def _held(self) -> Iterator[tuple[str, int]]:
        """Visitor and bytes of each file."""
        yield from self.coming.values()
        for session, files in list(_storage().items()):
            for file in list(files.values()):
                yield self.of.get(session, ""), len(file.data)

    def _room(self, visitor: str) -> int:
        """How many bytes the visitor may still send; none once they have too many files."""
        held = list(self._held())
        own = [size for whose, size in held if whose == visitor]
        most = min(FILES_BYTES - sum(own), EVERYBODY_BYTES - sum(size for _, size in held))
        return max(most, 0) if len(own) < FILES else -1

    async def take(self, visitor: str, session: str, app: Any, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a file in, or say why not."""
        self.of = {one: whose for one, whose in self.of.items() if one in _storage()} | {session: visitor}
        room = self._room(visitor)
        told = _all(scope, b"content-length")
        size = int(told[0]) if told and told[0].isdecimal() else 0
        if room < 0:
            await PlainTextResponse("too many files: reload the page to start anew\n", 429)(scope, receive, send)
            return
        if not room or size > room:
            await PlainTextResponse("too large, with the files that are here\n", 413)(scope, receive, send)
            return
        with self._coming(visitor, size) as count:
            began = False

            async def bounded() -> MutableMapping[str, Any]:
                message: MutableMapping[str, Any] = await receive()
                if count(len(message.get("body", b""))) > room:
                    return {"type": "http.disconnect"}
                return message

            async def answer(message: MutableMapping[str, Any]) -> None:
                nonlocal began
                began = True
                await send(message)

            try:
                await app(scope, bounded, answer)
            except ClientDisconnect:
                if began or count(0) <= room:
                    raise
                await PlainTextResponse("too large, with the files that are here\n", 413)(scope, receive, send)

    @contextmanager
    def _coming(self, visitor: str, size: int) -> Iterator[Callable[[int], int]]:
        """A file on its way; what is yielded counts what has come."""
        request, come = object(), 0
        self.coming[request] = visitor, size

        def count(more: int) -> int:
            nonlocal come
            come += more
            self.coming[request] = visitor, max(size, come)
            return come

        try:
            yield count
        finally:
            del self.coming[request]


def _storage() -> Mapping[str, Mapping[str, Any]]:
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager.file_storage


def _visitor_of(client: Any) -> str:
    cookies = dict(client.client_context.cookies)
    return _visitor(cookies, _claims(cookies))


def _let_in(claims: Mapping[str, Any]) -> Person | None:
    """Who has these claims, maybe none; None for somebody who may see nothing."""
    try:
        return signin.who(claims) if signin.is_on() else LOCAL
    except GeoClusterError:
        return None


# ---- cookies and headers --------------------------------------------------------------------------------------

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=()",
    b"x-robots-tag": b"noindex, nofollow",
}


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _cookies(scope: Scope) -> dict[str, str]:
    return {name: value for line in _all(scope, b"cookie") for name, value in cookie_parser(line).items()}


def _claims(cookies: Mapping[str, str]) -> dict[str, Any]:
    """What the identity provider said of whoever is signed in, from the cookie that Streamlit signed; else nothing."""

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1")) if value else None

    try:
        told = json.loads(get_cookie_with_chunks(one, USER_COOKIE_NAME) or b"{}")
    except (ValueError, UnicodeError):
        return {}
    return told if isinstance(told, dict) and told.get("is_logged_in") is True else {}


def _forget_login(scope: Scope) -> None:
    """Take out of a request who it is of: Streamlit would believe it."""
    kept = {name: value for name, value in _cookies(scope).items() if not name.startswith(USER_COOKIE_NAME)}
    others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    line = "; ".join(f"{name}={value}" for name, value in kept.items())
    scope["headers"] = [*others, (b"cookie", line.encode("latin-1"))]


def _baked(cookie: bytes, secure: bool) -> bytes:
    """A cookie that goes back here only, over TLS where there is TLS, and that no script reads unless it has to."""
    said = {part.partition(b"=")[0].strip().lower() for part in cookie.split(b";")[1:]}
    wanted = {b"samesite": b"SameSite=Lax"} | ({b"secure": b"Secure"} if secure else {})
    if cookie.partition(b"=")[0] != _COOKIE_OF_SCRIPTS:
        wanted[b"httponly"] = b"HttpOnly"
    return b"; ".join([cookie, *(word for key, word in wanted.items() if key not in said)])


def _kept_where(path: str, said: bytes) -> bytes:
    """Where an answer may be kept: what is a visitor's nowhere, what is named by its content for long."""
    if _OF_A_VISITOR.fullmatch(path):
        return b"private, no-store"
    return said if path.startswith("static/") and b"immutable" in said else b"private, no-cache"


def _policy(path: str, host: str) -> bytes:
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
