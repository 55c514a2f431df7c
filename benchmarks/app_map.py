"""First map, warm visit, toggles and 20,000 features, beside a bare st_folium page with the same layers.

    python benchmarks/app_map.py [ROUNDS]

Every request that would leave this machine is refused. The bare page is what anyone would write: the layers read with
geopandas, put into `folium.GeoJson` and `folium.CircleMarker`, shown with st_folium; only its scripts are local too.
The 20,000 features are synthetic points in the box of the map.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

OURS = "import sys; from geo_cluster.cli import main; main()"
BARE = """
import folium, geopandas as gpd, pandas as pd, streamlit as st, streamlit.components.v1 as components
from streamlit_folium import st_folium
from geo_cluster.maps import page
from geo_cluster.world import catalog
leaflet = components.declare_component("leaflet", path=str(page.leaflet_file("leaflet.js").parent)).name
class Bare(folium.Map):
    default_js, default_css = [("leaflet", f"../{leaflet}/leaflet.js")], [("leaflet", f"../{leaflet}/leaflet.css")]
m = Bare(location=(30.35, 114.8), zoom_start=10, tiles=None, prefer_canvas=True)
for name in ("prefectures", "counties", "roads", "railways"):
    folium.GeoJson(gpd.read_file(catalog.data_dir() / f"{name}.geojson")[["geometry"]]).add_to(m)
for name in ("chain", "sites", "anchors", "substations", "power_plants", "stations", "airports", "ports"):
    for row in pd.read_csv(catalog.data_dir() / f"{name}.csv").dropna(subset="lon").itertuples():
        folium.CircleMarker((row.lat, row.lon), radius=5).add_to(m)
st_folium(m, key="bare", height=650, use_container_width=True, returned_objects=[])
st.button("again")
"""
MANY = """
import numpy as np, streamlit as st
at = np.random.default_rng(7).uniform((30.02, 114.32), (30.68, 115.32), (20_000, 2)).round(5).tolist()
"""
MANY_OURS = (
    MANY
    + """
from app import cached
from app.widgets import show_map
from geo_cluster.world.layers import Layers
@st.cache_resource
def source():
    payload = dict(cached.overview_payload(Layers(), "zh"))
    features = [{"at": one, "p": {"title": f"synthetic {i}", "id": f"S{i}", "rows": []}} for i, one in enumerate(at)]
    layer = {"key": "many", "group": "synthetic", "name": "synthetic", "kind": "point", "color": "#b3223e"}
    payload["layers"] = [*payload["layers"], {**layer, "visible": True, "legend": True, "features": features}]
    return cached.map_source(payload)
show_map(source(), key="many", height=650)
if st.button("again"):
    st.session_state["n"] = st.session_state.get("n", 0) + 1
st.write(f"run {st.session_state.get('n', 0)}.")
"""
)
MANY_BARE = (
    MANY
    + """
import folium, streamlit.components.v1 as components
from streamlit_folium import st_folium
from geo_cluster.maps import page
leaflet = components.declare_component("leaflet", path=str(page.leaflet_file("leaflet.js").parent)).name
class Bare(folium.Map):
    default_js, default_css = [("leaflet", f"../{leaflet}/leaflet.js")], [("leaflet", f"../{leaflet}/leaflet.css")]
m = Bare(location=(30.35, 114.8), zoom_start=10, tiles=None, prefer_canvas=True)
points = [{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": one[::-1]}} for one in at]
folium.GeoJson({"type": "FeatureCollection", "features": points}, marker=folium.CircleMarker(radius=4)).add_to(m)
st_folium(m, key="many", height=650, use_container_width=True, returned_objects=[])
if st.button("again"):
    st.session_state["n"] = st.session_state.get("n", 0) + 1
st.write(f"run {st.session_state.get('n', 0)}.")
"""
)
PAINTED = {"ours": "[data-ready=true]", "bare": ".leaflet-overlay-pane canvas"}
TOGGLE = """async (node) => {
  const frame = () => new Promise(requestAnimationFrame), start = performance.now();
  if (node.type === "checkbox") node.click();
  else { node.selectedIndex = 1; node.dispatchEvent(new Event("change")); }
  await frame(); await frame();
  return (performance.now() - start) / 1000;
}"""


def start(kind, folder, script=None):
    """A server on a free port, and the moment its start was asked for."""
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port = one.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STREAMLIT", "XDG"))}
    environment |= {"HOME": str(folder), "PYTHONPATH": str(Path.cwd())}
    if script is None and kind == "ours":
        command = ["-c", OURS, "app", "--headless", "--port", str(port)]
    else:
        path = Path(folder) / f"{kind}.py"
        path.write_text(script or BARE, encoding="utf-8")
        command = ["-m", "streamlit", "run", str(path), "--server.port", str(port), "--server.headless", "true"]
        command += ["--browser.gatherUsageStats", "false", "--server.showEmailPrompt", "false"]
    began = time.perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *command], stdout=quiet, stderr=quiet, stdin=quiet, env=environment)
    url = f"http://localhost:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            return process, url, began
        except OSError:
            time.sleep(0.05)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(20)


def visit(browser, url, kind):
    """A fresh visitor: page, the map's frame, seconds to the painted map, bytes that came, messages sent."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.route("**/*", lambda route: route.continue_() if "localhost" in route.request.url else route.abort())
    page, sent, weight = context.new_page(), [], []
    page.on("websocket", lambda one: one.on("framesent", lambda data: sent.append(data)))
    page.on("websocket", lambda one: one.on("framereceived", lambda data: weight.append(len(data))))
    page.on("requestfinished", lambda request: weight.append(request.sizes()["responseBodySize"]))
    began = time.perf_counter()
    page.goto(url, timeout=120_000)
    frame = page.frame_locator("iframe").first
    frame.locator(PAINTED[kind]).first.wait_for(timeout=120_000, state="attached")
    return page, frame, time.perf_counter() - began, weight, sent


def row(what, ours, bare=None, target=""):
    ratio = f"{ours / bare:6.2f}x" if bare else " " * 7
    print(f"{what:44} {ours:8.2f} {f'{bare:8.2f}' if bare is not None else ' ' * 8} {ratio}  {target}", flush=True)


def main(rounds=3):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("skipped: this needs chromium on the PATH")
        return
    print(f"{'seconds (median)':44} {'ours':>8} {'bare':>8} {'ratio':>7}  target")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        first, warm, weights = {"ours": [], "bare": []}, {"ours": [], "bare": []}, {}
        for _ in range(rounds):
            for kind in ("bare", "ours"):
                process, url, began = start(kind, folder)
                page, *_ = visit(browser, url, kind)
                first[kind].append(time.perf_counter() - began)
                page.context.close()
                page, frame, seconds, weight, sent = visit(browser, url, kind)
                warm[kind].append(seconds)
                page.wait_for_timeout(1500)
                weights[kind] = sum(weight)
                if kind == "ours":
                    toggles = interact(page, frame, sent)
                page.context.close()
                stop(process)
        medians = {name: {kind: statistics.median(of[kind]) for kind in of} for name, of in (("f", first), ("w", warm))}
        row("first map from server start", medians["f"]["ours"], medians["f"]["bare"], "<= 1.3x the bare page")
        row("warm visit", medians["w"]["ours"], medians["w"]["bare"], "<= 3 s")
        for name, seconds in toggles.items():
            row(name, seconds, target="none" if "messages" in name else "<= 0.5 s")
        row("page weight, MB (all that came)", weights["ours"] / 1e6, weights["bare"] / 1e6)
        paint, again = {}, {}
        for kind, script in (("bare", MANY_BARE), ("ours", MANY_OURS)):
            process, url, _ = start(kind, folder, script)
            visit(browser, url, kind)[0].context.close()
            page, _, paint[kind], *_ = visit(browser, url, kind)
            page.get_by_text("run 0.").wait_for(timeout=60_000)
            page.wait_for_timeout(2000)
            began = time.perf_counter()
            page.get_by_role("button", name="again").click()
            page.get_by_text("run 1.").wait_for(timeout=60_000)
            again[kind] = time.perf_counter() - began
            page.context.close()
            stop(process)
        row("20,000 synthetic features: paint", paint["ours"], paint["bare"], "<= 3.5 s")
        row("20,000 synthetic features: rerun", again["ours"], again["bare"], "<= 0.5 s")
        browser.close()


def interact(page, frame, sent):
    """Seconds that a layer and a filter take, and messages to the server that pan and zoom cause."""
    layer = frame.locator("[data-layer=sites]").evaluate(TOGGLE)
    chosen = frame.locator("[data-filter=stage]").evaluate(TOGGLE)
    before = len(sent)
    frame.locator(".gc-map").press("ArrowRight")
    frame.locator(".leaflet-control-zoom-in").click()
    page.wait_for_timeout(1000)
    return {"a layer": layer, "a filter": chosen, "messages to the server by pan and zoom": len(sent) - before}


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
