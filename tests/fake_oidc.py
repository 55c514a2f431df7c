"""A small OpenID Connect provider on 127.0.0.1: asks who to be, and is strict about what an app sends it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlparse

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "siting", "client-secret-that-nobody-may-see"
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)

Answer = tuple[int, Any, dict[str, str]]
"""Status, body (a text is HTML, everything else JSON) and headers."""


class FakeOIDC:
    """People who can sign in with their claims, requests seen, and whether anything is to be answered."""

    def __init__(self, people: dict[str, dict[str, Any]]) -> None:
        self.people = people
        self.is_down = False
        self.seen: list[str] = []
        self.url = ""
        self.granted: dict[str, dict[str, str]] = {}

    @property
    def metadata_url(self) -> str:
        return self.url + "/.well-known/openid-configuration"

    def metadata(self, asked: dict[str, str]) -> Answer:
        there = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/end_session",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        return 200, there, {}

    def authorize(self, asked: dict[str, str]) -> Answer:
        """A page with a link for each person; each link is a code that can be used once."""
        if asked["client_id"] != CLIENT_ID or asked["code_challenge_method"] != "S256":
            return 400, "<h1>no such client</h1>", {}
        links = []
        for name in self.people:
            code = secrets.token_urlsafe(16)
            self.granted[code] = asked | {"name": name}
            back = urlencode({"code": code, "state": asked["state"]})
            links.append(f'<a href="{escape(asked["redirect_uri"])}?{back}">{escape(name)}</a>')
        back = urlencode({"error": "access_denied", "state": asked["state"]})
        links.append(f'<a href="{escape(asked["redirect_uri"])}?{back}">nobody</a>')
        return 200, "<h1>Who are you?</h1>" + "<br>".join(links), {}

    def token(self, asked: dict[str, str]) -> Answer:
        granted = self.granted.pop(asked.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
        if asked.get("client_secret") != CLIENT_SECRET:
            return 401, {"error": "invalid_client"}, {}
        if granted is None or granted["code_challenge"] != challenge.decode().rstrip("="):
            return 400, {"error": "invalid_grant"}, {}
        if granted["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}, {}
        now, name = int(time.time()), granted["name"]
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": granted["nonce"]}
        id_token = jwt.encode(
            {"alg": "RS256", "kid": KEY.kid}, claims | {"sub": f"sub-{name}"} | self.people[name], KEY
        )
        tokens = {"access_token": name, "token_type": "Bearer", "expires_in": 300, "id_token": id_token}
        return 200, tokens, {"Cache-Control": "no-store"}

    def jwks(self, asked: dict[str, str]) -> Answer:
        return 200, {"keys": [KEY.as_dict(private=False)]}, {}

    def userinfo(self, asked: dict[str, str]) -> Answer:
        name = asked.get("bearer", "")
        return (200, {"sub": f"sub-{name}"} | self.people[name], {}) if name in self.people else (401, {}, {})

    def end_session(self, asked: dict[str, str]) -> Answer:
        return 302, "", {"Location": asked["post_logout_redirect_uri"]}


class _Handler(BaseHTTPRequestHandler):
    oidc: FakeOIDC

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer(urlparse(self.path).query)

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def asked(self, form: str) -> dict[str, str]:
        """What was sent as a form or query, and in the header `Authorization`."""
        asked = {key: values[0] for key, values in parse_qs(form).items()}
        kind, _, told = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            client, _, secret = base64.b64decode(told).decode().partition(":")
            asked |= {"client_id": unquote(client), "client_secret": unquote(secret)}
        return asked | ({"bearer": told} if kind == "Bearer" else {})

    def answer(self, form: str) -> None:
        path = urlparse(self.path).path.strip("/")
        self.oidc.seen.append(path)
        if self.oidc.is_down:
            self.close_connection = True
            return
        ways = {way.__name__: way for way in (self.oidc.authorize, self.oidc.token, self.oidc.jwks)}
        ways |= {way.__name__: way for way in (self.oidc.userinfo, self.oidc.end_session)}
        way = ways.get(path, self.oidc.metadata)
        status, told, headers = way(self.asked(form))
        body = (told if isinstance(told, str) else json.dumps(told)).encode()
        kind = "text/html; charset=utf-8" if isinstance(told, str) else "application/json"
        self.send_response(status)
        for key, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake_oidc(people: dict[str, dict[str, Any]]) -> Iterator[FakeOIDC]:
    oidc = FakeOIDC(people)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"oidc": oidc}))
    oidc.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield oidc
    finally:
        server.shutdown()
        server.server_close()
