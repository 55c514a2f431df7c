"""Hostile names in every place where data shows: nothing runs, nothing is interpreted, nothing breaks the layout."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from geo_cluster.serving import Serving
from tests.browser.conftest import _free_port, _wait_for
from tests.browser.hostile import NAMES, SCRIPT
from tests.browser.pages import PAGES, go, in_language, resized, settled, stays_within, turned
from tests.browser.painted import PHONE

LEADS_OUT = """() => [...document.querySelectorAll("[href], [src], [action], [ping]")]
  .map((node) => node.href?.baseVal ?? node.href ?? node.src ?? node.action)
  .filter((url) => url && !/^(about|blob|data:(image|font)|https?:..(localhost|127.0.0.1)[:/])/.test(url))
  .filter((url) => url !== "https://leafletjs.com/")"""
"""What leads elsewhere: links, images, forms; but Leaflet's own link, which is there until our script is."""

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
        assert frame.evaluate(LEADS_OUT) == [], "a name became a link"
        assert frame.locator("li, p, span").get_by_text(re.compile("^[己庚辛]$")).count() == 0, "a name became a list"
    for words in ("bold", "gone"):
        inside = page.locator(f"strong:text-is('{words}'), del:text-is('{words}')")
        assert inside.count() == 0, "a name was taken for markdown"
    stays_within(page)
    assert page.locator("[data-testid=stException]").count() == 0


def test_hostile_names_are_only_names(visit, hostile_server):
    """Every page and tab on the phone, where what is as wide as a name shows first; every page on the laptop, too.

    From page to page the languages change places: a page is on the phone in one, on the laptop in the other.
    """
    page, language = visit(hostile_server[0], PHONE), "en"
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    settled(page)
    in_language(page, language)
    for name in PAGES:
        go(page, name, language, PHONE)
        settled(page)
        is_harmless(page)
        language, _ = turned(page, language, PHONE)
        is_harmless(page)
        resized(page, PHONE)
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
    page.get_by_text("一批项目（表格）", exact=True).click()
    bad = f"细分环节,年产值(亿元)\n{NAMES[3]},{NAMES[4]}\n{SCRIPT},5\n{'庚' * 500},x\n"
    bad += "".join(f"{name},{name}\n" for name in NAMES[10:16])
    page.locator("input[type=file]").set_input_files(
        {"name": f"{'unbroken' * 20}$x$ {SCRIPT.replace('/', '')}.csv", "mimeType": "text/csv", "buffer": bad.encode()}
    )
    expect(page.get_by_role("alert")).to_contain_text("不是细分环节")
    is_harmless(page)
    page.locator("input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": table_of(NAMES).encode()}
    )
    expect(page.get_by_text("下载全部结果")).to_be_visible()
    settled(page)
    is_harmless(page)


def test_what_was_done_and_what_is_dropped_in_is_told_without_a_link(visit, hostile_server):
    page = visit(f"{hostile_server[0]}/data")
    settled(page)
    page.get_by_role("button", name="历史").click()
    expect(page.get_by_test_id("stPopoverBody")).to_contain_text(NAMES[12].replace("www", "www\u2060"))
    is_harmless(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="撤销").hover()
    expect(page.get_by_role("tooltip")).to_be_visible()
    is_harmless(page)
    page.get_by_role("tab", name="导入自有数据").click()
    name = "www.evil.example a@evil.example http:evil.csv"
    rows = table_of(NAMES).replace("光纤激光器,2", "https://evil.example www.evil.example,a@evil.example")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": rows.encode()})
    expect(page.get_by_role("alert").first).to_be_visible()
    settled(page)
    is_harmless(page)
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": table_of(NAMES).encode()}
    )
    take = page.get_by_role("button", name="采用", exact=True).last
    expect(take).to_be_enabled()
    is_harmless(page)
    take.click()
    expect(page.get_by_test_id("stToast")).to_contain_text("evil")
    is_harmless(page)
    settled(page)
    is_harmless(page)


def table_of(names):
    rows = [f'"{name.replace(chr(34), chr(34) * 2)}",光纤激光器,2' for name in names]
    return "\n".join(["名称,细分环节,年产值(亿元)", *rows])


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
