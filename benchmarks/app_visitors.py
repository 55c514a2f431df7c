"""Many visitors at once: does each get an own answer, how soon, and what does a visitor cost in memory?

    python benchmarks/app_visitors.py [VISITORS] [ROUNDS]

Each visitor is a window of its own in one headless Chromium (on the same two cores as the server, which makes the
seconds pessimistic): it opens the score page, then again and again thinks for some seconds, types another output and
waits for the sentence that belongs to it; in between it changes the planning level of its own work. At the end each
must still see what it typed and no other's. Whatever wants to leave the machine is blocked.
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
from playwright.async_api import async_playwright, expect

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


async def arrive(browser, url: str):
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(120_000)
    page = await context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    begun = time.perf_counter()
    await page.goto(f"{url}/score")
    await expect(sentence(page)).to_be_visible(timeout=120_000)
    return page, time.perf_counter() - begun


def sentence(page):
    """What the page concludes."""
    return page.locator(".gc-verdict").first


async def ask(page, output: str) -> float:
    """Type an output; the seconds until its own answer is there."""
    field, before = page.get_by_label("年产值"), await sentence(page).inner_text()
    await field.fill(output)
    begun = time.perf_counter()
    await field.press("Enter")
    await expect(sentence(page)).not_to_have_text(before, use_inner_text=True, timeout=60_000)
    done = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
    await expect(done).to_be_visible(timeout=60_000)
    return time.perf_counter() - begun


async def visit(page, number: int, rounds: int) -> list[float]:
    """One visitor's morning: the seconds of each answer."""
    chance, seconds = random.Random(number), []
    for _ in range(rounds):
        await asyncio.sleep(chance.uniform(*THINK_S))
        seconds.append(await ask(page, f"{chance.uniform(1, 90):.1f}"))
    return seconds


async def own(page, number: int) -> bool:
    """Whether the visitor, after a walk through the pages, finds the level and the output it chose itself."""
    level, output = LEVELS[number % 3], f"{number + 1}.5"
    await ask(page, output)
    await page.get_by_role("link", name="布局", exact=True).click()
    await page.get_by_text(level, exact=True).first.click()
    await asyncio.sleep(1)
    await page.get_by_role("link", name="选址", exact=True).click()
    await expect(page.get_by_label("年产值")).to_be_visible(timeout=60_000)
    await asyncio.sleep(1)
    kept = await page.get_by_label("年产值").input_value()
    await page.get_by_role("link", name="布局", exact=True).click()
    await expect(page.get_by_role("radio", name=level)).to_be_visible(timeout=60_000)
    mine = float(kept) == float(output) and await page.get_by_role("radio", name=level).is_checked()
    if not mine:
        print(f"visitor {number} typed {output} and finds {kept}")
    return mine


async def main() -> None:
    visitors, rounds = (int(value) for value in (sys.argv[1:3] + ["20", "6"][len(sys.argv) - 1 :]))
    browser_path = next(found for found in map(shutil.which, NAMES) if found)
    with tempfile.TemporaryDirectory() as folder:
        server, url = serve(Path(folder))
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
                first, took = await arrive(browser, url)
                one = resident_mb(server.pid)
                print(f"first visitor {took:.1f} s; server with one visitor {one:.0f} MB", flush=True)
                rest = [await arrive(browser, url) for _ in range(visitors - 1)]
                pages = [first, *(page for page, _ in rest)]
                print(f"{visitors} arrive: median {np.median([s for _, s in rest]):.2f} s")
                answers = await asyncio.gather(*(visit(page, k, rounds) for k, page in enumerate(pages)))
                seconds = np.concatenate(answers)
                print(
                    f"{len(seconds)} answers: median {np.median(seconds):.2f} s, 95 % within "
                    f"{np.quantile(seconds, 0.95):.2f} s, longest {seconds.max():.2f} s",
                    flush=True,
                )
                kept = await asyncio.gather(*(own(page, k) for k, page in enumerate(pages)))
                many = resident_mb(server.pid)
                broken = [error for page in pages for error in page.errors]
                log = (Path(folder) / "log.txt").read_text(errors="replace")
                print(f"memory {many:.0f} MB, {(many - one) / max(visitors - 1, 1):.1f} MB a further visitor")
                print(
                    f"errors in pages {len(broken)}, in the log {log.count('Traceback')}; own work seen by {sum(kept)}"
                )
                await browser.close()
        finally:
            server.terminate()


if __name__ == "__main__":
    asyncio.run(main())
