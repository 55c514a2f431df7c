"""The web side, from outside: a real server that people sign in to, asked by whoever has no business there."""

import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from http.cookies import SimpleCookie
from pathlib import Path

import anyio
import httpx
import pytest
import tomli_w
import uvicorn
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app import serve, signin
from app.web import answers, uploads
from app.web import guard as guards
from app.web.impatient import Impatient
from app.web.requests import VISITOR
from geo_cluster import serving
from geo_cluster.errors import InputError
from geo_cluster.serving import HERE, Doors, Serving, checked
from geo_cluster.workspace.roles import Person
from tests.browser.conftest import _free_port, _wait_for
from tests.refusals import refusal_of

pytestmark = pytest.mark.slow  # a server of its own

HOST = "siting.example"
SECRET = "cookie-secret-of-the-test-that-is-long-enough"
AUTH = {
    "redirect_uri": f"https://{HOST}/siting/oauth2callback",
    "cookie_secret": SECRET,
    "client_id": "siting",
    "client_secret": "s",
    "server_metadata_url": "http://127.0.0.1:9/openid",
}
LI, WU = "li@plan.example", "wu@plan.example"


def claims(email, nonce="1", **more):
    told = {"iss": "https://login.example", "sub": email, "email": email, "email_verified": True, "nonce": nonce}
    return told | {"provider": "default", "origin": f"https://{HOST}", "is_logged_in": True} | more


class Server:
    """The app with the tests' own small page, on a machine from which nothing gets out."""

    def __init__(self, place):
        self.place, self.port = place, _free_port()
        self.trap, self.log = place / "trap.txt", place / "log.txt"
        self.url = f"http://127.0.0.1:{self.port}/siting"

    @contextmanager
    def running(self):
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("STREAMLIT", "GEO_CLUSTER"))}
        trap = str(Path(__file__).with_name("trap"))
        own = {"HOME": str(self.place), "PYTHONPATH": trap, "GEO_CLUSTER_TRAP": str(self.trap)}
        own |= {"GEO_CLUSTER_WORKSPACE": str(self.place / "kept.sqlite")}
        told = checked(
            Doors(AUTH, {}),
            port=self.port,
            address="0.0.0.0",
            headless=True,
            hosts=["10.1.2.3"],
            prefix="/siting",
            proxies=[],
        )
        page = str(Path(__file__).with_name("guarded_page.py"))
        command = [sys.executable, "-m", "app.serve", told.model_dump_json(), page]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=keep | own, cwd=serve.__file__[:-12]
            )
        try:
            _wait_for(f"{self.url}/_stcore/health", process, self.log)
            yield process
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    place = tmp_path_factory.mktemp("guarded")
    (place / ".streamlit").mkdir()
    secrets = {"auth": AUTH, "roles": {"planner": [LI, WU]}}
    (place / ".streamlit" / "secrets.toml").write_text(tomli_w.dumps(secrets), encoding="utf-8")
    server = Server(place)
    with server.running():
        server.half = socket.create_connection(("127.0.0.1", server.port))
        server.half.sendall(b"GET / HTTP/1.1\r\nHost: ")
        yield server
        assert closed_after(server.half, 15) < 15, "half a request is never closed"
        server.half.close()
    said = server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in said
    assert "missing ScriptRunContext" not in said
    assert SECRET not in said
    assert not server.trap.exists(), f"it wanted to leave the machine: {server.trap.read_text()}"


class Visitor:
    """A browser behind the proxy that ends TLS: cookies, requests, a window."""

    client = httpx.Client(verify=False, timeout=30)

    def __init__(self, server, email="", **more):
        headers = {"Host": HOST, "Origin": f"https://{HOST}", "X-Forwarded-Proto": "https"}
        self.server, self.headers, self.cookies = server, headers, {}
        self.get("/")
        self.get("/_stcore/health")
        if email:
            told = create_signed_value(SECRET, "_streamlit_user", json.dumps(claims(email, **more)))
            self.cookies["_streamlit_user"] = told.decode()

    def send(self, method, path, **more):
        line = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers = self.headers | line | more.pop("headers", {})
        answer = self.client.request(method, self.server.url + path, headers=headers, **more)
        self.client.cookies.clear()
        for cookie in answer.headers.get_list("set-cookie"):
            self.cookies |= {name: one.value for name, one in SimpleCookie(cookie).items() if one.value}
        return answer

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def put(self, session, content, name="f1", **more):
        xsrf = {"X-Xsrftoken": self.cookies.get("_streamlit_xsrf", "")}
        return self.send(
            "PUT", f"/_stcore/upload_file/{session}/{name}", files={"f": ("a.csv", content)}, headers=xsrf, **more
        )

    @contextmanager
    def window(self, **headers):
        """A websocket, and the number of its session; a script has run through."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = self.headers | {"Cookie": cookie} | headers
        url = f"ws://{own.pop('Host')}/siting/_stcore/stream"
        spoken = ["streamlit", self.cookies.get("_streamlit_xsrf", "x")]
        origin = own.pop("Origin")
        there = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        with connect(
            url, sock=there, origin=origin, additional_headers=own, subprotocols=spoken, max_size=None, max_queue=None
        ) as opened:
            yield Window(opened)


class Window:
    def __init__(self, opened):
        self.opened = opened

    def run(self):
        """Ask for the page: number of the session, and what the page says."""
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        self.opened.send(asked.SerializeToString())
        session, said, later = "", [], ""
        while True:
            message = ForwardMsg.FromString(self.opened.recv(timeout=60))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                session = message.new_session.initialize.session_id
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                if element.WhichOneof("type") == "text":
                    said.append(element.text.body)
                elif element.WhichOneof("type") == "download_button":
                    said.append(element.download_button.url)
                    later = element.download_button.deferred_file_id or later
            elif kind == "script_finished":
                return session, said, later

    def fetch(self, session, deferred):
        asked = BackMsg()
        asked.backend_operation_request.request_id = "1"
        asked.backend_operation_request.session_id = session
        asked.backend_operation_request.deferred_file.file_id = deferred
        self.opened.send(asked.SerializeToString())
        while True:
            message = ForwardMsg.FromString(self.opened.recv(timeout=60))
            if message.WhichOneof("type") == "backend_operation_response":
                assert not message.backend_operation_response.error_msg
                return message.backend_operation_response.deferred_file.url


def test_the_names_by_which_people_open_it_are_served_and_no_others(server):
    for host in (HOST, HOST.upper(), f"{HOST}:8443", "10.1.2.3", f"localhost:{server.port}", "[::1]:1"):
        answer = Visitor.client.get(server.url + "/", headers={"Host": host})
        assert answer.status_code == 200, host
    for host in (
        "evil.example",
        f"{HOST}.evil.example",
        f"evil.{HOST}",
        "10.1.2.4",
        f"{HOST}@evil",
        f"{HOST}:x",
        "a b",
        "0.0.0.0",
    ):
        for path in ("/", "/_stcore/health", "/_stcore/host-config"):
            assert Visitor.client.get(server.url + path, headers={"Host": host}).status_code in (400, 421), host


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": f"https://{HOST}.evil.example"},
        {"Origin": f"https://{HOST}:9999"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://["},
        {"Origin": f"https://{HOST}/"},
        {"Host": "evil.example", "Origin": "https://evil.example"},
    ],
    ids=str,
)
def test_a_websocket_of_another_site_or_name_is_refused_and_nobody_is_asked_who_we_are(server, headers):
    with pytest.raises(InvalidStatus) as refusal_of, Visitor(server, LI).window(**headers):
        pass
    assert refusal_of.value.response.status_code == 403


def test_a_request_of_two_lengths_is_refused_and_nothing_comes_after_it(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as opened:
        head = f"GET /siting/_stcore/health HTTP/1.1\r\nHost: {HOST}\r\n".encode()
        opened.sendall(head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + head + b"\r\n")
        said = b"".join(iter(lambda: opened.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 400")
    assert said.count(b"HTTP/1.1 ") == 1


def test_tiles_come_only_from_servers_that_the_owner_named_and_only_into_the_frame_of_the_map(monkeypatch, tmp_path):
    own = tmp_path / "own.toml"
    name = {"zh": "自有", "en": "own"}
    row = {"name": name, "attribution": name, "system": "wgs84", "subdomains": "ab"}
    urls = ["https://t{s}.house.example:8443/{z}/{x}/{y}.png?k={key}", "http://10.0.0.5/{z}/{x}/{y}"]
    own.write_text(tomli_w.dumps({"house": row | {"urls": urls}}), encoding="utf-8")
    monkeypatch.setenv("GEO_CLUSTER_BASEMAPS", str(own))
    monkeypatch.setattr(answers, "_tiles", answers._tiles.__wrapped__)
    frame, page = (answers.policy(path, "localhost:1").decode() for path in ("component/x/index.html", "explore"))
    images = next(rule for rule in frame.split("; ") if rule.startswith("img-src")).split()
    shipped = {f"https://t{n}.tianditu.gov.cn" for n in range(8)} | {"https://tile.openstreetmap.org"}
    named = {"https://ta.house.example:8443", "https://tb.house.example:8443", "http://10.0.0.5"}
    assert set(images[4:]) == shipped | named
    assert "house" not in page
    assert "https:" not in page
    own.write_text("[house\n", encoding="utf-8")
    assert "house" not in answers.policy("component/x/index.html", "localhost:1").decode()


def test_what_the_app_does_not_need_is_closed(server):
    for path in (
        "metrics",
        "script-health-check",
        "agent/openapi.json",
        "agent/run",
        "bidi-components/x/y",
        "nonsense",
    ):
        assert Visitor(server).get(f"/_stcore/{path}").status_code == 404, path
    assert Visitor(server).get("/_stcore/health").status_code == 200


def test_each_answer_says_what_it_may_do(server):
    visitor = Visitor(server)
    for path in ("/", "/explore", "/_stcore/health", "/_stcore/metrics", "/static/nothing.js", "/media/x.csv"):
        answer = visitor.get(path)
        policy = dict(
            rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; ") if " " in rule
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        assert "private" in answer.headers["cache-control"] or path.startswith("/static/")
        assert "noindex" in answer.headers["x-robots-tag"]
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control")]
        sources = " ".join(policy.values()).replace(f"ws://{HOST}", "").replace(f"wss://{HOST}", "")
        sources = re.sub(r"'sha256-[\w+/=]+'", "", sources)  # two slashes are no address there
        assert not re.search(r"https?:|\*|//", sources), f"sources from outside: {policy}"
        assert "'unsafe-eval'" not in policy.get("script-src", "")
        assert "'unsafe-inline'" not in policy.get("script-src", "")
    assert policy["default-src"] == "'none'", "what a visitor downloads is data, not a page"


def test_behind_tls_cookies_are_secure_and_only_one_can_be_read_by_scripts(server):
    seen = {}
    for path in ("/", "/_stcore/health", "/auth/logout", "/oauth2callback?state=x", "/auth/login"):
        answer = Visitor(server, LI, nonce="cookies").get(path)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            words = {word.partition("=")[0].strip().lower() for word in rest.split(";")[1:]}
            assert {"secure", "samesite"} <= words, line
            seen[name] = "httponly" in words
    first = Visitor.client.get(server.url + "/", headers={"Host": HOST})
    assert {VISITOR} == {line.partition("=")[0] for line in first.headers.get_list("set-cookie")}
    assert "Path=/siting" in first.headers["set-cookie"]
    assert "Secure" in first.headers["set-cookie"], "the address people sign in by is https"
    assert seen.pop("_streamlit_xsrf", None) in (False, None)
    assert seen["_streamlit_user"]
    assert all(seen.values()), seen


def test_uploads_are_taken_from_those_who_signed_in_to_sessions_of_theirs(server):
    li, wu, nobody = Visitor(server, LI, nonce="up"), Visitor(server, WU), Visitor(server)
    with li.window() as window, nobody.window() as bare:
        session, said, _ = window.run()
        assert said[0] == f"{LI} planner"
        assert li.put(session, b"a,b\n1,2\n").status_code == 204
        assert wu.put(session, b"a").status_code == 403
        assert wu.send("DELETE", f"/_stcore/upload_file/{session}/f1").status_code == 403
        assert nobody.put(session, b"a").status_code == 401
        own, said, _ = bare.run()
        assert said == ["nobody"]
        assert nobody.put(own, b"x" * 10**6).status_code == 401
        assert li.put(own, b"a").status_code == 403
        stolen = Visitor(server)
        stolen.cookies["_streamlit_user"] = li.cookies["_streamlit_user"]
        assert stolen.put(session, b"a").status_code == 403, "another browser"
        forged = Visitor(server)
        forged.cookies["_streamlit_user"] = li.cookies["_streamlit_user"][:-4] + "AAAA"
        assert forged.put(own, b"a").status_code == 401


def test_a_browser_is_called_what_we_call_it_and_not_what_it_calls_itself(server):
    li = Visitor(server, LI, nonce="called")
    ours = li.cookies[VISITOR]
    for made_up in (
        "mine",
        "",
        ours[:-1],
        f"{ours[:-8]}AAAAAAAA",
        create_signed_value("x" * 40, VISITOR, "mine").decode(),
    ):
        for path in ("/", "/_stcore/health"):
            answer = Visitor.client.get(server.url + path, headers={"Host": HOST, "Cookie": f"{VISITOR}={made_up}"})
            assert VISITOR in answer.headers.get("set-cookie", ""), made_up
    li.cookies[VISITOR] = "mine"
    with li.window() as window:
        session, said, _ = window.run()
        assert said[0] == f"{LI} planner"
        assert li.put(session, b"a").status_code == 403
        assert li.cookies[VISITOR] == "mine", "only a page names a browser anew"
    li.get("/")
    assert li.cookies[VISITOR] not in ("mine", ours)
    named = li.cookies[VISITOR]
    li.get("/")
    assert li.cookies[VISITOR] == named
    with li.window() as window:
        assert li.put(window.run()[0], b"a").status_code == 204


def test_no_visitor_empties_what_is_kept_for_all_or_is_told_of_our_files(server):
    li, nobody = Visitor(server, LI, nonce="orders"), Visitor(server)
    for visitor in (li, nobody):
        with visitor.window() as window:
            _, before, _ = window.run()
            for order in ("clear_cache", "load_git_info"):
                asked = BackMsg()
                setattr(asked, order, True)
                window.opened.send(asked.SerializeToString())
            asked = BackMsg()
            asked.app_heartbeat = True
            window.opened.send(asked.SerializeToString())
            answers = []
            while "heartbeat_ack" not in answers:
                answers.append(ForwardMsg.FromString(window.opened.recv(timeout=30)).WhichOneof("type"))
            assert "git_info_changed" not in answers
            assert window.run()[1] == before
    assert before == ["nobody"]
    assert "filled once" in (server.log.read_text(encoding="utf-8"))
    assert server.log.read_text(encoding="utf-8").count("filled once") == 1, "the caches were emptied"


def test_a_bare_websocket_leaves_nothing_large_behind(server):
    with Visitor(server).window() as window:
        window.run()
        asked = BackMsg()
        asked.rerun_script.query_string = "x" * 100_000
        window.opened.send(asked.SerializeToString())
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                window.opened.recv(timeout=30)
    assert closed.value.rcvd.code == 1009
    with Visitor(server, LI).window() as window:
        window.opened.send(asked.SerializeToString())
        window.run()


def test_what_a_visitor_was_shown_is_fetched_by_nobody_else(server):
    li, wu, nobody = Visitor(server, LI, nonce="show"), Visitor(server, WU), Visitor(server)
    with li.window() as window:
        session, said, later = window.run()
        shown = [address.removeprefix("..") for address in said[1:] if address]
        assert len(shown) == 2, said
        shown = [address if address.startswith("/media") else f"/component{address}" for address in shown]
        shown.append(window.fetch(session, later))
        contents = [li.get(address) for address in shown]
        assert [one.status_code for one in contents] == [200] * 3
        assert json.loads(contents[0].content) == {"map of": LI}
        assert [one.text for one in contents[1:]] == [f"for {LI}", f"made for {LI}"]
        assert {one.headers["cache-control"] for one in contents} == {"private, no-store"}
        for address in shown:
            for other in (wu, nobody):
                assert other.get(address).status_code == 404
            bare, _, ticket = address.partition("?")
            folder, _, name = bare.rpartition("/")
            for forged in (
                bare,
                f"{bare}?for=",
                f"{bare}?for={'0' * 32}",
                f"{bare}?for=x&{ticket}",
                f"{bare}#{ticket}",
            ):
                assert li.get(forged).status_code == 404, forged
            for way in (
                f"{folder}/%2e/{name}",
                f"{folder}//{name}",
                f"{folder}/x/%2e%2e/{name}",
                f"/{bare}",
                f"/%2e{bare}",
            ):
                for said in ("", f"?{ticket}"):
                    answer = nobody.get(way + said)
                    assert answer.status_code in (400, 404) or b"<title>Streamlit" in answer.content, way
            copied = Visitor(server, LI, nonce="show")
            assert copied.get(address).status_code == 404, "another browser"
            left = Visitor(server)
            left.cookies = {name: value for name, value in li.cookies.items() if name != "_streamlit_user"}
            assert left.get(address).status_code == 404, "the same browser, signed out"
            left.cookies["_streamlit_user"] = wu.cookies["_streamlit_user"]
            assert left.get(address).status_code == 404, "the same browser, somebody else"


def test_signing_out_ends_every_copy_of_the_cookie_and_a_restart_revives_none(server):
    li = Visitor(server, LI, nonce="leaving")
    copied, again = Visitor(server, LI, nonce="leaving"), Visitor(server, LI, nonce="again")
    with copied.window() as open_window:
        session, said, _ = open_window.run()
        assert said[0] == f"{LI} planner"
        assert li.get("/auth/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert open_window.run()[1][0] == f"{LI} planner", "another site signs nobody out"
        assert li.get("/auth/logout").status_code == 302
        assert open_window.run()[1] == ["nobody"], "an open window"
        assert copied.put(session, b"a").status_code == 401
        shown = [one for one in said if one.startswith("/media")]
        assert copied.get(shown[0]).status_code == 404
    with copied.window() as window:
        assert window.run()[1] == ["nobody"], "a copied cookie"
    with again.window() as window:
        assert window.run()[1][0] == f"{LI} planner", "another sign-in of the same person"
    other = Server(server.place)
    with other.running():
        copied.server = again.server = other
        assert copied.put("a-session-of-nobody", b"a").status_code == 401, "after a restart"
        assert again.put("a-session-of-nobody", b"a").status_code == 403, "signed in, but that is no session of theirs"


def test_a_role_taken_away_is_gone_in_open_windows_and_secrets_that_vanish_open_no_door(server):
    file = server.place / ".streamlit" / "secrets.toml"
    before = file.read_text(encoding="utf-8")
    wu = Visitor(server, WU, nonce="role")
    with wu.window() as window:
        session, said, _ = window.run()
        assert said[0] == f"{WU} planner"
        try:
            file.write_text(tomli_w.dumps({"auth": AUTH, "roles": {"planner": [LI]}}), encoding="utf-8")
            assert window.run()[1][0] == f"{WU} viewer"
            file.unlink()
            assert window.run()[1] == ["closed"]
            assert wu.put(session, b"a").status_code == 401
            assert wu.get(next(one for one in said if one.startswith("/media"))).status_code == 404
        finally:
            file.write_text(before, encoding="utf-8")
        assert window.run()[1][0] == f"{WU} planner"


# ---- quotas and headers, without a server ---------------------------------------------------------------------


def cookies_of(browser):
    """What a browser sends along; `li+phone` is one that Li is signed in to."""
    person, plus, _ = browser.partition("+")
    told = {VISITOR: browser} | ({"_streamlit_user": json.dumps(claims(person, browser))} if plus else {})
    return {name: create_signed_value(get_cookie_secret(), name, value).decode() for name, value in told.items()}


class Kept:
    """Streamlit's runtime as far as an upload needs it."""

    def __init__(self):
        self.file_storage = {}

    def get_client(self, session):
        cookies = cookies_of(session.partition("-")[0])
        return type("Client", (), {"client_context": type("Context", (), {"cookies": cookies})})


@pytest.fixture
def guard(monkeypatch):
    """A guard before an app that keeps what is sent, with small quotas and nobody to sign in."""
    kept = Kept()
    runtime = type("Runtime", (), {"instance": staticmethod(lambda: kept)})
    monkeypatch.setattr(guards, "Runtime", runtime)
    monkeypatch.setattr(uploads, "_storage", lambda: kept.file_storage)
    monkeypatch.setattr(uploads, "FILES", 3)
    monkeypatch.setattr(uploads, "FILES_BYTES", 1000)
    monkeypatch.setattr(uploads, "EVERYBODY_BYTES", 1500)
    monkeypatch.setattr(serving, "secret_files", lambda: ())

    async def app(scope, receive, send):
        from starlette.requests import Request
        from starlette.responses import Response

        session, file = scope["path"].split("/")[-2:]
        body = await Request(scope, receive).body()
        kept.file_storage.setdefault(session, {})[file] = type("File", (), {"data": body})
        await Response(status_code=204)(scope, receive, send)

    told = guards.Guard(app, serving=Serving(), auth=None)
    told.kept = kept.file_storage
    return told


def sent(guard, session, file, content, visitor=None, chunked=False):
    """Status of the answer to an upload."""

    async def go():
        transport = httpx.ASGITransport(app=guard)
        cookies = cookies_of(visitor or session.partition("-")[0])
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", cookies=cookies) as client:

            async def pieces():
                for start in range(0, len(content), 100):
                    yield content[start : start + 100]

            body = pieces() if chunked else content
            return (await client.put(f"/_stcore/upload_file/{session}/{file}", content=body)).status_code

    return anyio.run(go)


@pytest.mark.parametrize("chunked", [False, True], ids=["length told", "in pieces"])
def test_a_visitor_sends_as_much_as_is_allowed_in_all_their_windows_and_no_more(guard, chunked):
    assert sent(guard, "li-1", "a", b"x" * 600, chunked=chunked) == 204
    assert sent(guard, "li-2", "b", b"x" * 600, chunked=chunked) == 413
    assert sent(guard, "li-2", "b", b"x" * 400, chunked=chunked) == 204
    assert sent(guard, "li-1", "c", b"x", chunked=chunked) == 413
    assert sent(guard, "wu-1", "a", b"x" * 600, chunked=chunked) == 413, "all visitors together"
    assert sent(guard, "wu-1", "a", b"x" * 400, chunked=chunked) == 204
    assert {session: sorted(files) for session, files in guard.kept.items()} == {
        "li-1": ["a"],
        "li-2": ["b"],
        "wu-1": ["a"],
    }
    del guard.kept["li-1"]
    assert sent(guard, "li-2", "d", b"x" * 500, chunked=chunked) == 204, "what is gone counts no more"


def test_a_visitor_has_so_many_files_and_no_more(guard):
    assert [sent(guard, "li-1", name, b"x") for name in "abcd"] == [204, 204, 204, 429]
    assert sent(guard, "wu-1", "a", b"x") == 204
    assert sent(guard, "wu-1", "b", b"x", visitor="li") == 403, "a session of somebody else"
    assert sent(guard, "wu-1", "c", b"x", visitor="-") == 403
    assert len(guard.kept["li-1"]) == 3


def test_a_person_sends_no_more_with_many_browsers_and_sign_ins(guard, monkeypatch):
    guard.signs_in = True
    monkeypatch.setattr(signin, "is_on", lambda: True)
    monkeypatch.setattr(signin, "who", lambda told: Person(told["email"]) if told else None)
    assert sent(guard, "li+phone-1", "a", b"x" * 600) == 204
    assert sent(guard, "li+desk-1", "b", b"x" * 600) == 413
    assert sent(guard, "li+desk-1", "b", b"x" * 400) == 204
    assert sent(guard, "wu+desk-1", "c", b"x" * 400) == 204
    assert sent(guard, "wu-1", "d", b"x") == 401


# ---- how it is to be served -----------------------------------------------------------------------------------

PLAIN = {"port": 8501, "address": "localhost", "headless": True, "hosts": [], "prefix": "", "proxies": []}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"address": "0.0.0.0"}, "--host"),
        ({"address": "::"}, "--host"),
        ({"address": "0.0.0.0", "hosts": ["localhost"]}, "--host"),
        ({"hosts": ["*"]}, "--host *"),
        ({"hosts": ["*.example"]}, "--host *.example"),
        ({"hosts": ["https://siting.example"]}, "--host https"),
        ({"hosts": ["siting.example:443"]}, "--host siting.example:443"),
        ({"hosts": ["siting.example/x"]}, "--host"),
        ({"hosts": [""]}, "--host"),
        ({"prefix": "siting"}, "--prefix"),
        ({"prefix": "/../x"}, "--prefix"),
        ({"prefix": "/a b"}, "--prefix"),
        ({"proxies": ["*"]}, "--proxy *"),
        ({"proxies": ["proxy.example"]}, "--proxy"),
    ],
    ids=str,
)
def test_a_way_to_serve_that_would_let_in_anybody_is_refused(asked, named):
    with pytest.raises(InputError) as refusal:
        checked(Doors(None, {}), **PLAIN | asked)
    assert named in str(refusal.value)


def test_names_come_from_options_the_address_and_where_people_sign_in():
    doors = Doors(AUTH, {})
    assert checked(Doors(None, {}), **PLAIN).hosts == HERE
    asked = {"address": "0.0.0.0", "hosts": ["Gis.Plan.Example.", "[fd00::1]"], "prefix": "/siting/"}
    told = checked(doors, **PLAIN | asked | {"proxies": ["10.0.0.0/24"]})
    assert set(told.hosts) == {*HERE, "gis.plan.example", "fd00::1", HOST}
    assert told.prefix == "/siting"
    assert told.proxies == ("127.0.0.1", "::1", "10.0.0.0/24")
    assert checked(Doors(None, {}), **PLAIN | {"address": "10.0.0.7"}).hosts == (*HERE, "10.0.0.7")
    with refusal_of("workspace.redirect_elsewhere", error=InputError, below="/siting"):
        checked(doors, **PLAIN)


@pytest.mark.parametrize(
    ("client", "seen"),
    [("127.0.0.1", ("https", "1.2.3.4")), ("10.0.0.7", ("https", "1.2.3.4")), ("10.0.1.9", ("http", "10.0.1.9"))],
)
def test_the_word_of_a_proxy_counts_and_what_others_say_of_themselves_does_not(client, seen):
    told = checked(Doors(None, {}), **PLAIN | {"proxies": ["10.0.0.0/24"]})
    heard = []

    async def inner(scope, receive, send):
        heard.append((scope["scheme"], scope["client"][0]))

    scope = {"type": "http", "scheme": "http", "client": (client, 1)}
    scope["headers"] = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"1.2.3.4")]
    anyio.run(ProxyHeadersMiddleware(inner, trusted_hosts=list(told.proxies)), scope, None, None)
    assert heard == [seen]


def test_streamlit_reads_no_secrets_that_were_not_checked(tmp_path, monkeypatch):
    own, other = tmp_path / "own" / ".streamlit", tmp_path / "other.toml"
    own.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "own")
    monkeypatch.setenv("HOME", str(tmp_path))
    (own / "config.toml").write_text(f"[secrets]\nfiles = [{str(other)!r}]\n", encoding="utf-8")
    command = [sys.executable, "-m", "app.serve", Serving(port=0, headless=True).model_dump_json()]
    environment = os.environ | {"PYTHONPATH": str(Path(serve.__file__).parents[1])}

    def told():
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, encoding="utf-8")
        return done.returncode, done.stderr

    other.write_text('[auth]\ncookie_secret = "geheim"\n', encoding="utf-8")
    code, said = told()
    assert code == 2
    assert f"✗ {other}: is not read" in said
    assert "Traceback" not in said
    assert "geheim" not in said


def test_streamlit_is_told_to_open_nothing():
    options = serve._options(Serving())
    assert options["server.headless"], "else a visitor of this machine could have it install files"
    assert options["server.enableXsrfProtection"]
    assert options["server.enableCORS"]
    assert not options["server.enableStaticServing"]
    assert not options["server.scriptHealthCheckEnabled"]
    assert options["server.trustedUserHeaders"] == {}
    assert options["client.allowedOrigins"] == []


# ---- half a request -------------------------------------------------------------------------------------------


class Hasty(Impatient):
    wait_s = 1.0
    unread_s = 2.0
    rate = 10_000
    proxies = ("127.0.0.1",)


@pytest.fixture(scope="module")
def hasty():
    """A server with little patience; its app reads all that is sent, or answers much."""

    async def app(scope, receive, send):
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse

        if scope["type"] == "http":
            body = await Request(scope, receive).body()
            await PlainTextResponse("x" * 20_000_000 if scope["path"] == "/much" else f"{len(body)}")(
                scope, receive, send
            )

    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    asked = uvicorn.Config(
        app, http=Hasty, lifespan="off", log_level="critical", h11_max_incomplete_event_size=Hasty.most_head
    )
    server = uvicorn.Server(asked)
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join(10)


HALVES = {
    "nothing": b"",
    "a word": b"GET",
    "a head": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
    "a body": b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nxyz",
    "a chunk": b"PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nab",
    "a handshake": b"GET /_stcore/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
}


def closed_after(opened, wait):
    """Seconds until the server closes; fails if it doesn't in time."""
    began = time.monotonic()
    opened.settimeout(wait)
    with suppress(ConnectionError, TimeoutError):
        while opened.recv(65536):
            pass
    return time.monotonic() - began


def test_two_hundred_half_sent_requests_are_closed_and_others_are_answered_meanwhile(hasty):
    opened = [socket.create_connection(hasty) for _ in range(200)]
    for one, half in zip(opened, list(HALVES.values()) * 40, strict=False):
        one.sendall(half)
    assert httpx.put(f"http://127.0.0.1:{hasty[1]}/", content=b"x" * 1000, timeout=30).text == "1000"
    for one in opened:
        assert closed_after(one, 30) < 30
        one.close()


@pytest.mark.parametrize("half", [name for name in HALVES if name not in ("nothing", "a word")])
def test_a_byte_now_and_then_earns_no_time(hasty, half):
    with socket.create_connection(hasty) as opened:
        opened.sendall(HALVES[half])
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - began < 30:  # if each byte earned time, there would be no end
                opened.sendall(b"1")
                time.sleep(0.1)
        assert time.monotonic() - began > 0.9


def test_whoever_sends_slowly_but_steadily_is_heard_and_the_next_request_has_its_own_time(hasty):
    with socket.create_connection(hasty) as opened:
        opened.settimeout(30)
        head = b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
        for _ in range(2):
            opened.sendall(head)
            for _ in range(15):
                opened.sendall(b"x" * 4000)
                time.sleep(0.1)  # half a second more than a request has without earning time
            assert opened.recv(65536).endswith(b"60000")


def test_an_answer_that_nobody_takes_is_given_up(hasty):
    with socket.create_connection(hasty) as opened:
        opened.sendall(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(3.5)
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - began < 30:
                opened.sendall(b"x")
                time.sleep(0.02)


def test_one_address_takes_no_more_connections_than_it_may_unless_it_is_a_proxy(hasty, monkeypatch):
    def are_open(expected):
        opened, began = [socket.create_connection(hasty) for _ in range(5)], time.monotonic()
        while True:
            time.sleep(0.3)  # for one too many to be closed
            closed, _, _ = select.select(opened, [], [], 0)
            if len(closed) >= 5 - expected or time.monotonic() - began > 30:
                break
        for one in opened:
            one.close()
        return 5 - len(closed)

    for most, each, proxies, left in ((100, 3, ("10.0.0.0/24",), 3), (100, 3, ("127.0.0.0/8",), 5), (2, 3, (), 2)):
        for name, value in {"most": most, "most_each": each, "proxies": proxies}.items():
            monkeypatch.setattr(Hasty, name, value)
        assert are_open(left) == left


def test_bombs_of_headers_are_refused(hasty):
    for bomb in (b"X: " + b"y" * 200_000, b"".join(b"X%d: y\r\n" % n for n in range(20_000))):
        with socket.create_connection(hasty) as opened:
            opened.settimeout(5)
            try:
                opened.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + bomb)
                told = opened.recv(100)
            except ConnectionError:
                told = b""
            assert b" 200 " not in told
