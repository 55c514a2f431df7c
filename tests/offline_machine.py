"""Install, start and use what `make bundle` made, on a machine without a network: run by test_bundle.py in a namespace.

    unshare --map-root-user --net python tests/offline_machine.py FOLDER PYTHON

FOLDER is where the archive was unpacked. What came of each step is printed as JSON; a step that fails ends it in words.
"""

import errno
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, NAMES

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def main(folder: Path, python: str) -> None:
    home = folder.parent / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHON": python, "LANG": "C.UTF-8"}
    told = {"network": _only_loopback()}
    told["installed"] = _run([folder / "install.sh"], home, environment)
    told["study"] = _run([folder / "geo-cluster", "study", "--out", "out"], home, environment)
    told["files"] = sorted(path.name for path in (home / "out").iterdir())
    told |= _visit(folder, environment)
    told["works"] = sorted(str(path.relative_to(home)) for path in home.rglob("*.sqlite"))
    print(json.dumps(told))


def _run(command: list[str | Path], at: Path, environment: dict) -> str:
    done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _only_loopback() -> str:
    """Raise the loopback; the error of whoever wants to leave."""
    with socket.socket() as one:
        fcntl.ioctl(one, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        return errno.errorcode[one.connect_ex(("192.0.2.1", 443))]


def _visit(folder: Path, environment: dict) -> dict[str, str]:
    """Start the app and look at its first page."""
    log = folder.parent / "log.txt"
    command = [str(folder / "start.sh"), "--headless", "--port", "8599"]
    with log.open("wb") as into:
        server = subprocess.Popen(command, cwd="/", env=environment, stdout=into, stderr=into)
    try:
        begun = time.monotonic()
        while True:
            try:
                with urllib.request.urlopen("http://localhost:8599/_stcore/health", timeout=1) as answer:
                    health = answer.read().decode()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() - begun > 120:
                    sys.exit(f"the app did not start:\n{log.read_text()}")
                time.sleep(0.1)
        seconds = time.monotonic() - begun
        with sync_playwright() as playwright:
            path = next(found for found in map(shutil.which, NAMES) if found)
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            page = browser.new_page()
            page.goto("http://localhost:8599/")
            page.frame_locator("iframe").first.locator(".leaflet-container path").first.wait_for(timeout=60_000)
            title = page.title()
            if shown := os.environ.get("SCREENSHOT"):
                page.screenshot(path=shown)
            browser.close()
        return {"health": health, "title": title, "started_s": f"{seconds:.1f}", "log": log.read_text()}
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
