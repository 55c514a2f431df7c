"""Many visitors at once: does each get an own answer, how soon, and what does a visitor cost in memory?

    python benchmarks/app_visitors.py [VISITORS] [ROUNDS] [WINDOWS]

Each visitor opens the score page, then again and again thinks for some seconds, types another output and waits for the
sentence that belongs to it and for the end of the script. At the end each must still find what it typed and no other's.
Ends with 1 where one of them doesn't, or a page had an error.

WINDOWS of them (1 unless told) are windows of one headless Chromium, which also change the planning level of their own
work. The rest say to the server what a browser would, in Streamlit's own messages: planners' browsers have processors
of their own, whereas here every window takes its share of the two cores that the server is measured on. Whatever wants
to leave the machine is blocked.
"""

import asyncio
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import websockets
from playwright.async_api import async_playwright, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LEVELS = ("从紧", "最可能", "乐观")
THINK_S = (2.0, 8.0)


def serve(home: Path) -> tuple[subprocess.Popen, str]:
    """Start the app as `make run` does, for somebody with an empty home."""
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "geo_cluster.cli", "app", "--headless", "--port", str(port)]
    log = (home / "log.txt").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"HOME": str(home)})
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1)
            return process, f"http://localhost:{port}"
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit((home / "log.txt").read_text())


def resident_mb(pid: int) -> float:
    """Resident memory of a process (Linux)."""
    told = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", told).group(1)) / 1024


class Window:
    """A visitor with a browser window on this machine."""

    def __init__(self, number: int):
        self.number, self.errors = number, []

    async def arrive(self, browser, url: str) -> float:
        """Open the score page; the seconds until its conclusion is there."""
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(120_000)
        self.page = await context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        begun = time.perf_counter()
        await self.page.goto(f"{url}/score")
        await expect(self._sentence()).to_be_visible(timeout=120_000)
        return time.perf_counter() - begun

    async def ask(self, output: float) -> float:
        """Type an output; the seconds until its own answer is there."""
        field, before = self.page.get_by_label("年产值"), await self._sentence().inner_text()
        await field.fill(f"{output:.1f}")
        begun = time.perf_counter()
        await field.press("Enter")
        await expect(self._sentence()).not_to_have_text(before, use_inner_text=True, timeout=60_000)
        done = self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
        await expect(done).to_be_visible(timeout=60_000)
        return time.perf_counter() - begun

    async def own(self) -> bool:
        """Whether the visitor, after a walk through the pages, finds the level and the output it chose itself."""
        page, level, output = self.page, LEVELS[self.number % 3], self.number + 1.5
        await self.ask(output)
        await page.get_by_role("link", name="布局", exact=True).click()
        await page.get_by_text(level, exact=True).first.click()
        await asyncio.sleep(1)
        await page.get_by_role("link", name="选址", exact=True).click()
        await expect(page.get_by_label("年产值")).to_be_visible(timeout=60_000)
        await asyncio.sleep(1)
        kept = await page.get_by_label("年产值").input_value()
        await page.get_by_role("link", name="布局", exact=True).click()
        await expect(page.get_by_role("radio", name=level)).to_be_visible(timeout=60_000)
        return float(kept) == output and await page.get_by_role("radio", name=level).is_checked()

    def _sentence(self):
        return self.page.locator(".gc-verdict").first


class Voice:
    """A visitor whose browser is elsewhere: the same questions in Streamlit's messages, nothing drawn."""

    def __init__(self, number: int):
        self.number, self.errors = number, []
        self.page = self.address = self.sentence = ""
        self.field = self.typed = None

    async def arrive(self, _browser, url: str) -> float:
        """Open the score page; the seconds until its script has ended."""
        self.socket = await websockets.connect(
            url.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit"], max_size=None, ping_interval=None
        )
        begun = time.perf_counter()
        await self._run(page_name="score")
        return time.perf_counter() - begun

    async def ask(self, output: float) -> float:
        """Send an output; the seconds until its own answer is there."""
        before, self.typed = self.sentence, output
        begun = time.perf_counter()
        await self._run(fragment_id=self.field.fragment)
        if self.sentence == before:
            self.errors.append(f"visitor {self.number}: no answer of its own to {output}")
        return time.perf_counter() - begun

    async def own(self) -> bool:
        """Whether the visitor, after another page, finds the output it typed itself."""
        await self.ask(self.number + 1.5)
        self.typed, self.page = None, ""
        await self._run(page_name="match")
        self.page = ""
        await self._run(page_name="score")
        return self.field.value == self.number + 1.5

    async def _run(self, **asked: str) -> None:
        """Ask for the page or a fragment of it, and read what comes until its script has ended."""
        message = BackMsg()
        state = message.rerun_script
        state.MergeFrom(type(state)(query_string=self.address, page_script_hash=self.page, **asked))
        if self.typed is not None:
            state.widget_states.widgets.add(id=self.field.id, double_value=self.typed)
        await self.socket.send(message.SerializeToString())
        ended, first = ForwardMsg.FINISHED_EARLY_FOR_RERUN, True
        while ended == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            told = ForwardMsg.FromString(await self.socket.recv())
            match told.WhichOneof("type"):
                case "new_session":
                    self.page = told.new_session.page_script_hash
                case "page_info_changed":
                    self.address = told.page_info_changed.query_string
                case "script_finished":
                    ended = told.script_finished
                case "delta":
                    element = told.delta.new_element
                    if element.number_input.label.startswith("年产值"):
                        self.field = Field(element.number_input, told.delta.fragment_id)
                    elif 'class="gc-verdict ' in element.html.body and first:
                        self.sentence, first = element.html.body, False
                    elif element.WhichOneof("type") == "exception":
                        self.errors.append(element.exception.message)


class Field:
    """What a number field is known by: its name, the fragment that it belongs to, what stands in it."""

    def __init__(self, field, fragment: str):
        self.id, self.fragment = field.id, fragment
        self.value = field.value if field.set_value or not field.HasField("default") else field.default


async def visit(visitor, rounds: int) -> list[float]:
    """One visitor's morning: the seconds of each answer."""
    chance, seconds = random.Random(visitor.number), []
    for _ in range(rounds):
        await asyncio.sleep(chance.uniform(*THINK_S))
        seconds.append(await visitor.ask(round(chance.uniform(1, 90), 1)))
    return seconds


def summary(seconds: list[list[float]]) -> str:
    """What the answers to some visitors took."""
    each = np.concatenate(seconds)
    middle, most, longest = np.quantile(each, [0.5, 0.95, 1])
    return f"{len(each)} answers, median {middle:.2f} s, 95 % within {most:.2f} s, longest {longest:.2f} s"


async def main() -> None:
    visitors, rounds, windows = map(int, sys.argv[1:4] + ["20", "6", "1"][len(sys.argv) - 1 :])
    browser_path = next((found for found in map(shutil.which, NAMES) if found), None)
    if browser_path is None:
        print("skipped: this needs chromium on the PATH")
        return
    with tempfile.TemporaryDirectory() as folder:
        server, url = serve(Path(folder))
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
                people = [Window(k) if k < windows else Voice(k) for k in range(visitors)]
                took = [await people[0].arrive(browser, url)]
                one = resident_mb(server.pid)
                print(f"first visitor {took[0]:.1f} s; server with one visitor {one:.0f} MB", flush=True)
                took += [await visitor.arrive(browser, url) for visitor in people[1:]]
                print(f"{visitors} arrive: median {np.median(took[1:]):.2f} s")
                seconds = await asyncio.gather(*(visit(visitor, rounds) for visitor in people))
                for who, some in (("in windows", seconds[:windows]), ("the others, of the server", seconds[windows:])):
                    if some:
                        print(f"{who}: {summary(some)}", flush=True)
                kept = await asyncio.gather(*(visitor.own() for visitor in people))
                many = resident_mb(server.pid)
                broken = [error for visitor in people for error in visitor.errors]
                log = (Path(folder) / "log.txt").read_text(errors="replace")
                print(f"memory {many:.0f} MB, {(many - one) / max(visitors - 1, 1):.1f} MB a further visitor")
                print(
                    f"errors in pages {len(broken)}, in the log {log.count('Traceback')}; own work seen by {sum(kept)}",
                    *broken[:5],
                    sep="\n",
                )
                await browser.close()
                if broken or sum(kept) < visitors:
                    sys.exit(1)
        finally:
            server.terminate()


if __name__ == "__main__":
    asyncio.run(main())
