"""A real Chromium without any network but this machine, the app's own server, and a study's `map.html`."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.parse import urlparse

import pytest
from playwright.sync_api import expect, sync_playwright

from geo_cluster import toml
from tests.browser.painted import LAPTOP

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
FLAGS += ("--disable-component-update", "--disable-sync")
FEATURES = (  # what playwright leaves out too: of two such flags the last one counts
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
)
OWN_PAGES = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"  # it draws them, unseen, for every window
FLAGS += (f"--disable-features={FEATURES},{OWN_PAGES}",)
FLAGS += ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",)
expect.set_options(timeout=30_000)  # for a busy machine; it waits no longer than it has to


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))  # on a busy machine; the summary counts such reruns


@pytest.fixture(scope="package")
def chromium():
    path = next((found for found in map(shutil.which, NAMES) if found), None)
    if path is None:
        pytest.fail(f"no browser on the PATH: install one of {', '.join(NAMES)}, e.g. apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open an address at a size; whatever wants to leave the machine finds no host there and fails the test."""
    opened, left, broken, forbidden = [], [], [], []

    def is_outside(url):
        address = urlparse(url)
        return address.scheme not in ("file", "data", "blob") and address.hostname not in ("localhost", "127.0.0.1")

    def told(request):
        if is_outside(request.url):
            left.append(request.url)

    def heard(message):
        if "Content Security Policy" in message.text:
            forbidden.append(message.text)

    def open_page(url, size=LAPTOP, **more):
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **more)
        context.set_default_timeout(45_000)
        context.on("request", told)
        context.on("console", heard)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("websocket", lambda socket: left.append(socket.url) if is_outside(socket.url) else None)
        opened.append(context)
        page.goto(url)
        return page

    open_page.left = left
    yield open_page
    for context in opened:
        context.close()
    assert left == [], "the page wanted something from outside"
    assert broken == [], "a script of the page failed"
    assert forbidden == [], "the page wanted what its server forbids"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The app, started as `make run` does, by somebody with an empty home."""
    home, port = tmp_path_factory.mktemp("home"), _free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STREAMLIT", "XDG"))}
    command = [sys.executable, "-m", "geo_cluster.cli", "app", "--headless", "--port", str(port)]
    log = home / "log.txt"
    with log.open("wb") as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=told, stdin=subprocess.DEVNULL, env=environment | {"HOME": str(home)}
        )
    url = f"http://localhost:{port}"
    try:
        _wait_for(f"{url}/_stcore/health", process, log)
        yield url, log
    finally:
        process.terminate()
        process.wait(20)


def _free_port():
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return one.getsockname()[1]


def _wait_for(url, process, log):
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


@pytest.fixture(scope="session")
def palette():
    return toml.table("style")
