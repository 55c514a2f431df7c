"""Hostile names in every place where data shows: nothing runs, nothing is interpreted, nothing breaks the layout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from geo_cluster.serving import Serving
from tests.browser.conftest import _free_port, _wait_for
from tests.browser.hostile import NAMES, SCRIPT
from tests.browser.pages import PAGES, go, in_language, settled, stays_within, turned
from tests.browser.painted import LAPTOP, PHONE

SCRIPT_PATH = Path(__file__).with_name("hostile_app.py")


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory):
    """The app with a work full of hostile names for every visitor."""
    home, port = tmp_path_factory.mktemp("home"), _free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STREAMLIT", "XDG"))}
    serving = Serving(port=port, headless=True).model_dump_json()
    command = [sys.executable, "-m", "app.serve", serving, str(SCRIPT_PATH)]
    log = home / "log.txt"
    with log.open("wb") as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=told, stdin=subprocess.DEVNULL, env=environment | {"HOME": str(home)}
        )
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health", process, log)
        yield f"http://localhost:{port}", log
    finally:
        process.kill()
        process.wait()


def is_harmless(page):
    """No script of a name ran, none of its markup became an element, and the page does not scroll sideways."""
    for frame in page.frames:
        assert frame.evaluate("window.top.hacked") is None, "a name ran as a script"
        marked = "img[src='x'], a[href^='javascript'], .katex, [onerror]"
        assert frame.locator(marked).count() == 0, "a name became an element"
    for words in ("bold", "gone"):
        inside = page.locator(f"strong:text-is('{words}'), del:text-is('{words}')")
        assert inside.count() == 0, "a name was taken for markdown"
    stays_within(page)
    assert page.locator("[data-testid=stException]").count() == 0


def test_hostile_names_are_only_names(visit, hostile_server):
    """Every page and tab on the phone, where what is as wide as a name shows first; every page on the laptop, too."""
    page, language = visit(hostile_server[0], PHONE), "en"
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    settled(page)
    in_language(page, language)
    for name in PAGES:
        go(page, name, language, PHONE)
        settled(page)
        is_harmless(page)
        turned(page, language, PHONE)
        is_harmless(page)
        turned(page, "zh", LAPTOP)
        is_harmless(page)
        tabs = page.get_by_role("tab")
        for n in range(1, tabs.count()):
            tabs.nth(n).click()
            settled(page)
            is_harmless(page)
    assert dialogs == []


def test_the_names_are_shown_as_they_are(visit, hostile_server):
    page = visit(f"{hostile_server[0]}/score")
    settled(page)
    expect(page.locator(".gc-verdict").first).to_contain_text("onerror=")
    page.get_by_role("tab", name="并排比较").click()
    settled(page)
    told = page.locator(".gc-side").inner_text()
    assert [name for name in NAMES if name[:20] in told], "no hostile site is among the best"


def test_a_file_and_its_faults_may_be_called_anything(visit, hostile_server):
    page = visit(f"{hostile_server[0]}/score", PHONE)
    settled(page)
    page.get_by_text("一张表", exact=True).click()
    bad = f"环节,年产值(亿元)\n{NAMES[3]},{NAMES[4]}\n{SCRIPT},5\n{'庚' * 500},x\n"
    page.locator("input[type=file]").set_input_files(
        {"name": f"{'unbroken' * 20}$x$ {SCRIPT.replace('/', '')}.csv", "mimeType": "text/csv", "buffer": bad.encode()}
    )
    expect(page.get_by_role("alert")).to_contain_text("不是产业链环节")
    is_harmless(page)
    page.locator("input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": table_of(NAMES).encode()}
    )
    expect(page.get_by_text("下载全部结果")).to_be_visible()
    settled(page)
    is_harmless(page)


def table_of(names):
    rows = [f'"{name.replace(chr(34), chr(34) * 2)}",光纤激光器,2' for name in names]
    return "\n".join(["名称,环节,年产值(亿元)", *rows])


def test_a_name_typed_at_intake_stays_a_name(visit, hostile_server):
    page = visit(f"{hostile_server[0]}/score")
    settled(page)
    page.get_by_label("项目名称").fill(SCRIPT)
    page.get_by_label("项目名称").press("Enter")
    settled(page)
    page.get_by_text("加入项目组合").first.click()
    page.get_by_role("button", name="加入项目组合").last.click()
    expect(page.get_by_text("已加入")).to_contain_text(SCRIPT)
    is_harmless(page)
