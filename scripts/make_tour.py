"""Photograph the running app for `docs/tour.md`: six screens of a first visit, in Chinese, from an empty workspace.

uv run python scripts/make_tour.py            # writes docs/tour/*.png; needs the dev group and a Chromium
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from app.texts import text

ROOT = Path(__file__).resolve().parent.parent
TOUR = ROOT / "docs" / "tour"
SIZE = {"width": 1280, "height": 800}
COLOURS = 96
MOST_BYTES = 200_000


@contextmanager
def running() -> Iterator[str]:
    """The app by itself, with nothing kept; its address."""
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "geo_cluster.cli", "app", "--headless", "--port", str(port)]
        kept = os.environ | {"GEO_CLUSTER_WORKSPACE": f"{folder}/workspace.sqlite"}
        process = subprocess.Popen(command, cwd=ROOT, env=kept, stdout=subprocess.DEVNULL)
        try:
            _wait(f"http://localhost:{port}/_stcore/health")
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    msg = f"nothing answers at {address}"
    raise TimeoutError(msg)


def photograph(page: Page, name: str) -> None:
    """Keep what is on the screen as a small PNG."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=120_000)
    page.wait_for_timeout(2500)  # tiles of a chart and fonts are told to nobody
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = TOUR / f"{name}.png"
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)} {size // 1000} kB")
    if size > MOST_BYTES:
        msg = f"{file} is larger than {MOST_BYTES} bytes"
        raise ValueError(msg)


def _go(page: Page, name: str) -> None:
    page.get_by_role("link", name=text(name, "zh"), exact=True).first.click()
    page.locator(".gc-where", has_text=text(name, "zh")).wait_for(state="attached")


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=text(name, "zh"), exact=True).first.click()


def _map(page: Page) -> None:
    page.frame_locator("iframe").first.locator("[data-ready=true]").wait_for(timeout=120_000)


def visit(page: Page, address: str) -> None:
    """The way of a first visit."""
    page.goto(address)
    _map(page)
    photograph(page, "1-start")
    _press(page, "hour.one_sample")
    page.locator(".gc-where", has_text=text("score", "zh")).wait_for(state="attached")
    photograph(page, "2-score")
    _go(page, "supply")
    photograph(page, "3-supply")
    _go(page, "match")
    _press(page, "match.run")
    page.locator("iframe").first.scroll_into_view_if_needed(timeout=120_000)
    _map(page)
    photograph(page, "4-match")
    _go(page, "brief")
    photograph(page, "5-brief")
    page.goto(f"{address}/sheet?id=H01")
    page.locator(".gc-footer").wait_for(timeout=120_000)
    photograph(page, "6-sheet")


def main() -> None:
    """Make all of them."""
    TOUR.mkdir(exist_ok=True)
    browser = next(found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name)))
    with running() as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        visit(chromium.new_page(viewport=SIZE, locale="zh-CN"), address)
        chromium.close()


if __name__ == "__main__":
    main()
