"""A small Overpass and Nominatim look-alike on 127.0.0.1 that can misbehave on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

SIDE = 5
WEST, SOUTH, STEP = 115.0, 30.1, 0.01


def elements_for(query: str) -> list[dict[str, Any]]:
    """Roads are a 5 x 5 grid of streets, its lowest a one-way primary; one polygon, line or point of all else."""
    if '["highway"]' in query:
        nodes = [
            {"type": "node", "id": 100 + i * SIDE + j, "lat": SOUTH + i * STEP, "lon": WEST + j * STEP}
            for i in range(SIDE)
            for j in range(SIDE)
        ]
        rows = [[100 + i * SIDE + j for j in range(SIDE)] for i in range(SIDE)]
        columns = [list(c) for c in zip(*rows, strict=True)]
        ways = [
            {"type": "way", "id": 900 + k, "nodes": way, "tags": {"highway": "residential", "maxspeed": "30"}}
            for k, way in enumerate([*rows, *columns])
        ]
        ways[0]["tags"] = {"highway": "primary", "oneway": "yes"}
        island = [{"type": "node", "id": 1 + k, "lat": SOUTH + 0.035, "lon": WEST + 0.035 + k / 1e3} for k in (0, 1)]
        ways.append({"type": "way", "id": 990, "nodes": [1, 2], "tags": {"highway": "service"}})
        return [*nodes, *island, *ways]
    corners = [(0.011, 0.011), (0.011, 0.019), (0.019, 0.019), (0.019, 0.011)]
    nodes = [{"type": "node", "id": 500 + k, "lat": SOUTH + y, "lon": WEST + x} for k, (y, x) in enumerate(corners)]
    ring = {"type": "way", "id": 600, "nodes": [500, 501, 502, 503, 500]}
    for key, value in (("landuse", "industrial"), ("natural", "water"), ("power", "substation")):
        if f"['{key}'='{value}']" in query:
            return [*nodes, ring | {"tags": {key: value, "name": "示例"}}]
    if "['power'='line']" in query:
        return [*nodes, ring | {"nodes": [500, 501, 502], "tags": {"power": "line", "voltage": "220000"}}]
    if "['railway'='station']" in query:
        return [nodes[0] | {"tags": {"railway": "station", "name": "示例站"}}]
    return []  # no protected area


class FakeOSM:
    """Requests seen, and what to do wrong with the next ones: names of methods of the handler, first one first."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.always = ""
        self.seen: list[str] = []
        self.url = ""

    @property
    def overpass_url(self) -> str:
        return self.url + "/api"


class _Handler(BaseHTTPRequestHandler):
    osm: FakeOSM

    def log_message(self, *args: Any) -> None:
        pass

    def reply(self, body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["data"][0]
        self.answer(query, {"version": 0.6, "osm3s": {"timestamp_osm_base": "2026-11-01T00:00:00Z"}, "elements": []})

    def do_GET(self) -> None:
        asked = parse_qs(urlparse(self.path).query).get("q", [""])[0]
        x, y, far = WEST - STEP / 2, SOUTH - STEP / 2, SIDE * STEP
        ring = [[x, y], [x + far, y], [x + far, y + far], [x, y + far], [x, y]]
        place = {
            "osm_type": "relation", "osm_id": 1, "place_id": 1, "lat": str(SOUTH), "lon": str(WEST),
            "boundingbox": [str(y), str(y + far), str(x), str(x + far)], "display_name": asked, "name": asked,
            "class": "boundary", "type": "administrative", "place_rank": 10, "importance": 0.5,
            "addresstype": "city", "geojson": {"type": "Polygon", "coordinates": [ring]},
        }  # fmt: skip
        self.answer(asked, [place] if "黄石" in asked else [])

    def answer(self, query: str, good: Any) -> None:
        self.osm.seen.append(query)
        fault = self.osm.always or (self.osm.faults.pop(0) if self.osm.faults else "")
        if isinstance(good, dict):
            good["elements"] = elements_for(query)
        body = json.dumps(good).encode()
        if fault in ("429", "504"):
            self.reply(b"<html>busy</html>", status=int(fault), kind="text/html", Retry_After="0")
        elif fault == "400":
            self.reply(b"<html>parse error</html>", status=400, kind="text/html")
        elif fault == "html":
            self.reply(b"<!DOCTYPE html><html>runtime error</html>", kind="text/html")
        elif fault == "truncated":
            self.reply(body[: len(body) // 2])
        elif fault == "cut":
            self.close_connection = True
            self.reply(body[: len(body) // 2], length=str(len(body)))
        elif fault == "remark":
            half = {"elements": elements_for(query)[:10], "remark": "runtime error: Query timed out"}
            self.reply(json.dumps(half).encode())
        elif fault == "empty":
            self.reply(json.dumps({"elements": []} if isinstance(good, dict) else []).encode())
        elif fault == "elsewhere":
            self.reply(body.replace(b'"lat": 30.', b'"lat": 10.'))
        elif fault == "slow":
            time.sleep(1.5)
            self.reply(body)
        else:
            self.reply(body)


@contextmanager
def fake_osm() -> Iterator[FakeOSM]:
    osm = FakeOSM()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"osm": osm}))
    osm.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield osm
    finally:
        server.shutdown()
        server.server_close()
