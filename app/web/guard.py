"""The guard at the door: who may ask for what, and whom Streamlit may obey."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from app import signin
from app.streamlit_patches import Hook, wrap
from app.web import entry, requests, tickets, tiles
from app.web.answers import HEADERS, OF_A_VISITOR, baked, kept_where, policy
from app.web.requests import VISITOR, Receive, Scope, Send, values_of
from app.web.uploads import Uploads
from geo_cluster.errors import GeoClusterError
from geo_cluster.serving import Serving

_OPEN = ("_stcore/health", "_stcore/host-config", "_stcore/stream")
"""What Streamlit has of its own and the app needs; its metrics, checks of scripts and API are closed."""
_HEARD = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request")
"""What a browser may ask of its session. Streamlit would also empty everybody's caches, and tell of our files."""
_STRANGER_BYTES = 64 * 1024
"""What may be said at once by somebody who has yet to sign in: nothing much is kept of them."""
_UPLOAD = re.compile(r"_stcore/upload_file/([^/]+)/[^/]+")
_CORS = b"access-control-"


def install() -> None:
    """Have Streamlit give what can be downloaded addresses that only their visitor can use, and obey no stranger.

    Raises
    ------
    InputError
        A release of it no longer has what is changed here: nothing is served without it.
    """
    entry.index("zh")
    wrap(
        (
            Hook(MediaFileManager, "add", _for_visitor),
            Hook(MediaFileManager, "execute_deferred", _for_visitor_of_session),
            Hook(AppSession, "handle_backmsg", _if_heard),
        )
    )


def _for_visitor(add: Any) -> Any:
    def add_for_visitor(manager: MediaFileManager, *args: Any, **kwargs: Any) -> str:
        return tickets.ticketed(add(manager, *args, **kwargs))

    return add_for_visitor


def _for_visitor_of_session(execute: Any) -> Any:
    def execute_for_visitor(manager: MediaFileManager, file_id: str) -> str:
        entry = manager._deferred_callables.get(file_id)
        client = Runtime.instance().get_client(entry["session_id"]) if entry else None
        return tickets.ticketed_for(execute(manager, file_id), requests.visitor_of(client) if client else "")

    return execute_for_visitor


def _if_heard(handle: Any) -> Any:
    def handle_if_heard(session: AppSession, message: Any) -> None:
        if message.WhichOneof("type") in _HEARD:
            handle(session, message)

    return handle_if_heard


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
        self.drawing = CapacityLimiter(tiles.AT_ONCE)

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
        host, origins = self._host(scope), values_of(scope, b"origin")
        same = len(origins) < 2 and {origin.lower() for origin in origins} <= {f"http://{host}", f"https://{host}"}
        if not host or not same:
            await send({"type": "websocket.close", "code": 1008})
            return
        is_in = await self._is_in(scope)
        if not is_in:
            requests.forget_login(scope)

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
            words = "该主机名未登记：请管理者用 --host 指明 / this host is not known: its owner names it with --host\n"
            await PlainTextResponse(words, 421)(scope, receive, send)
        elif values_of(scope, b"content-length") and values_of(scope, b"transfer-encoding"):
            words = "one length, please\n"  # what reads the other one, a proxy say, would see another request in it
            await PlainTextResponse(words, 400, {"connection": "close"})(scope, receive, send)
        elif upload := _UPLOAD.fullmatch(path):
            await self._upload(upload[1], scope, receive, send)
        elif tile := tiles.PATH.fullmatch(path):
            await self._tile(tile, scope, receive, send)
        elif OF_A_VISITOR.fullmatch(path):
            await self._private(scope, receive, send)
        elif path == "auth/logout" and self.signs_in:
            await self._sign_out(scope, receive, send)
        elif self._is_closed(path):
            await PlainTextResponse("Not Found\n", 404)(scope, receive, send)
        elif page := entry.answer(scope, self.serving.prefix):
            await page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_closed(self, path: str) -> bool:
        if path.startswith(("auth/", "oauth2callback")):
            return not self.signs_in
        return path.startswith("_stcore") and path not in _OPEN

    def _host(self, scope: Scope) -> str:
        """The host and port that a request names, if it is one that people open the app by; else nothing."""
        kwargs = values_of(scope, b"host")
        match = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?", kwargs[0].lower()) if kwargs else None
        known = match and len(kwargs) == 1 and match[1].strip("[]").rstrip(".") in self.serving.hosts
        return kwargs[0].lower() if known else ""

    async def _is_in(self, scope: Scope) -> bool:
        """Whether the request is of somebody who is let in."""
        return await to_thread.run_sync(requests.let_in, requests.claims_of(requests.cookies_of(scope))) is not None

    async def _private(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What a visitor was shown, for them, at the very address that they were told."""
        if await self._was_told(scope["path"], scope):
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse("Not Found\n", 404)(scope, receive, send)

    async def _tile(self, tile: re.Match[str], scope: Scope, receive: Receive, send: Send) -> None:
        """A tile of a surface that a visitor is shown."""
        png = None
        if scope["method"] == "GET" and await self._was_told(f"surface/{tile[1]}", scope):
            with suppress(GeoClusterError, OSError):
                where = (int(tile[2]), int(tile[3]), int(tile[4]))
                png = await to_thread.run_sync(tiles.drawn, tile[1], *where, limiter=self.drawing)
        answer = Response(png, media_type="image/png") if png else PlainTextResponse("Not Found\n", 404)
        await answer(scope, receive, send)

    async def _was_told(self, address: str, scope: Scope) -> bool:
        """Whether the request is of somebody who is let in and was told this address."""
        cookies = requests.cookies_of(scope)
        visitor = requests.visitor_named(cookies, requests.claims_of(cookies))
        args = parse_qs(scope["query_string"].decode("latin-1")).get("for", [""])[0]
        fits = hmac.compare_digest(args.encode(), tickets.ticket(address, visitor).encode())
        return bool(visitor) and fits and await self._is_in(scope)

    async def _upload(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A file from a visitor to a session of theirs, as many and as large as they may have."""
        client, cookies = Runtime.instance().get_client(session), requests.cookies_of(scope)
        claims = requests.claims_of(cookies)
        visitor, person = requests.visitor_named(cookies, claims), await to_thread.run_sync(requests.let_in, claims)
        if person is None:
            await PlainTextResponse("sign in first\n", 401)(scope, receive, send)
        elif client is None or not visitor or visitor != requests.visitor_of(client):
            await PlainTextResponse("no such session of yours\n", 403)(scope, receive, send)
        elif scope["method"] != "PUT":
            await self.app(scope, receive, send)
        else:
            whose = person.name if self.signs_in else visitor  # one person has as many browsers as they like
            await self.uploads.take(whose, session, self.app, scope, receive, send)

    async def _sign_out(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sign out here, and wherever the same cookie has got to."""
        if values_of(scope, b"sec-fetch-site") == ["cross-site"]:
            await PlainTextResponse("not from another site\n", 403)(scope, receive, send)
            return
        claims = requests.claims_of(requests.cookies_of(scope))
        try:
            if claims:
                await to_thread.run_sync(signin.leave, claims)
        except GeoClusterError:
            words = "退出未成 / not signed out: the workspace can't be used\n"
            await PlainTextResponse(words, 503)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _answers(self, scope: Scope, send: Send) -> Send:
        """Answers with what a browser needs to know to keep them safe."""
        secure = self.is_secure or scope.get("scheme") in ("https", "wss")
        path = scope["path"].removeprefix(self.serving.prefix).lstrip("/")
        may_load = policy(path, self._host(scope))
        entry = "/" not in path or path == "_stcore/health"  # which a page that lost its server asks before all else
        newcomer = scope["method"] == "GET" and entry and not requests.browser_of(requests.cookies_of(scope))

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                args = [(name.lower(), value) for name, value in message.get("headers", [])]
                kept = [(name, value) for name, value in args if not name.startswith(_CORS)]
                kept = [(name, baked(value, secure) if name == b"set-cookie" else value) for name, value in kept]
                if newcomer:
                    kwargs = create_signed_value(get_cookie_secret(), VISITOR, secrets.token_urlsafe(24)).decode()
                    cookie = f"{VISITOR}={kwargs}; Path={self.serving.prefix or '/'}"
                    kept.append((b"set-cookie", baked(cookie.encode(), secure)))
                cached = dict(kept).get(b"cache-control", b"")
                own = HEADERS | {
                    b"content-security-policy": may_load,
                    b"cache-control": kept_where(path, cached),
                }
                if path.startswith("component/"):  # who serves a base map may want to know for whom
                    own[b"referrer-policy"] = b"strict-origin-when-cross-origin"
                kept = [(name, value) for name, value in kept if name not in own]
                message = {**message, "headers": [*kept, *own.items()]}
            await send(message)

        return answer
