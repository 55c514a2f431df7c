"""Work that outlives its window and its server: a real server on a workspace file, killed and started again."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from app.texts import text
from geo_cluster.workspace import database
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.world import catalog, layers
from tests.browser.conftest import _free_port, _wait_for
from tests.browser.pages import go, in_language, settled, stays_within, turned
from tests.browser.painted import LAPTOP, PHONE

LEVELS = layers.words("planning_level")
HOSTILE = "</script><b>x</b> *y* :smile: $z$ \"'"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@contextmanager
def app(place, port, *, prefix=""):
    """The app on one workspace file; ended as a power cut would end it."""
    command = [sys.executable, "-m", "geo_cluster.cli", "app", "--headless", "--port", str(port)]
    command += ["--workspace", str(place / "workspace.sqlite"), "--prefix", prefix]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STREAMLIT", "GEO_CLUSTER"))}
    log = place / f"log-{port}.txt"
    with log.open("ab") as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=told, stdin=subprocess.DEVNULL, env=environment | {"HOME": str(place)}
        )
    try:
        _wait_for(f"http://localhost:{port}{prefix}/_stcore/health", process, log)
        yield process
    finally:
        process.kill()
        process.wait(20)
    assert "Traceback" not in log.read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="module")
def running(place):
    port = _free_port()
    with app(place, port):
        yield f"http://localhost:{port}"


def level(page, key, language):
    """The button of a planning level."""
    return page.get_by_role("radio", name=LEVELS[key][language], exact=True)


def choose(page, key, language="zh"):
    page.get_by_text(LEVELS[key][language], exact=True).first.click()


def saved(page, language="zh"):
    expect(page.locator(".gc-kept")).to_contain_text(text("work.saved", language, at="").strip())


def drawn(page):
    """Wait for the map of the plan: leaving while its scripts load is an error of its own."""
    page.locator("iframe").first.scroll_into_view_if_needed()
    page.frame_locator("iframe").first.locator("[data-ready=true]").wait_for(timeout=90_000)


def placed(page, language):
    """How many projects the plan places."""
    metric = page.locator("[data-testid=stMetric]", has_text=text("match.placed", language))
    return metric.get_by_test_id("stMetricValue")


def test_after_a_kill_everything_is_found_again(visit, place):
    """Change, run, kill -9, start again, open the same address: in both languages and sizes."""
    port, left = _free_port(), []
    views = [(LAPTOP, "zh"), (PHONE, "en")]
    with app(place, port) as server:
        for size, language in views:
            page = visit(f"http://localhost:{port}/match", size)
            in_language(page, language)
            choose(page, "cautious", language)
            saved(page, language)
            page.get_by_role("button", name=text("match.run", language), exact=True).click()
            expect(placed(page, language)).to_contain_text("/ 30", timeout=90_000)
            drawn(page)
            left.append((page.url, placed(page, language).inner_text()))
            page.context.close()
        os.kill(server.pid, signal.SIGKILL)
        server.wait(20)
    assert len({url for url, _ in left}) == len(views), "each visitor has a work of their own"
    with app(place, port):
        for (url, before), (size, language) in zip(left, views, strict=True):
            page = visit(url, size)
            in_language(page, language)
            expect(level(page, "cautious", language)).to_be_checked(timeout=90_000)
            expect(placed(page, language)).to_have_text(before, use_inner_text=True, timeout=90_000)
            drawn(page)
            if size == LAPTOP:  # once is enough: as it is on the other screen, and what was there before
                other, _ = turned(page, language, size)
                expect(level(page, "cautious", other)).to_be_checked()
                expect(placed(page, other)).to_have_text(before, use_inner_text=True)
                drawn(page)
                page.get_by_role("button", name=text("work.undo", other)).click()
                expect(level(page, "likely", other)).to_be_checked()
                page.locator(".st-key-work-history button").first.click()
                expect(page.locator(".st-key-work-revisions")).to_contain_text(text("work.began", language))
            stays_within(page)
            page.context.close()  # before its server is gone


def test_what_was_clicked_just_before_leaving_a_page_is_kept(visit, running):
    """The next page is asked for while the server is still at work on the click."""
    page = visit(f"{running}/match")
    settled(page)
    clicks = """async ([level, link]) => {
        const find = (what, name) => [...document.querySelectorAll(what)].find(one => one.textContent.includes(name));
        find('button[role=radio]', level).click();
        await new Promise(done => setTimeout(done, 30));
        find('a', link).click();
    }"""
    for key in ("cautious", "hopeful", "likely", "cautious"):
        page.evaluate(clicks, [LEVELS[key]["zh"], text("supply", "zh")])
        expect(page.get_by_role("heading", name=text("supply.title", "zh"), exact=True)).to_be_visible()
        go(page, "match", "zh", LAPTOP)
        expect(level(page, key, "zh")).to_be_checked()
    assert not page.get_by_text("另一个窗口已于").is_visible()


def test_two_windows_and_the_second_is_told(visit, running, place):
    first = visit(f"{running}/match")
    choose(first, "cautious")
    saved(first)
    second = visit(first.url)
    saved(second)
    choose(first, "hopeful")
    expect(level(first, "hopeful", "zh")).to_be_checked()
    engine = database.connect(str(place / "workspace.sqlite"))
    while Workspace(engine).head(first.url.split("work=")[1]).number < 3:
        first.wait_for_timeout(100)
    engine.dispose()
    choose(second, "likely")
    expect(second.get_by_text("另一个窗口已于")).to_be_visible()
    expect(level(second, "likely", "zh")).to_be_checked()
    second.get_by_role("button", name="把我的存为副本").click()
    saved(second)
    assert second.url != first.url
    first.reload()
    expect(level(first, "hopeful", "zh")).to_be_checked()


def test_the_address_stays_from_page_to_page(visit, running):
    page = visit(f"{running}/match")
    choose(page, "cautious")
    saved(page)
    work = page.url.split("work=")[1]
    page.get_by_role("link", name="数据", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(text("data.title", "zh"))
    page.wait_for_url(f"**/data?work={work}")
    page.reload()
    saved(page)


def test_a_hostile_name_is_shown_as_it_is(visit, running, place):
    engine = database.connect(str(place / "workspace.sqlite"))
    kept = Workspace(engine).create(Work(catalog.scenario()).named(HOSTILE), note=HOSTILE)
    engine.dispose()
    page = visit(f"{running}/match?work={kept.id}")
    saved(page)
    shown = re.compile(r"\u2060?".join(map(re.escape, HOSTILE)))  # an invisible joiner keeps :smile: from smiling
    expect(page.locator(".st-key-work-menu button").first).to_contain_text(shown)
    page.locator(".st-key-work-history button").first.click()
    expect(page.locator(".st-key-work-revisions")).to_contain_text(shown)
    page.keyboard.press("Escape")
    page.locator(".st-key-work-menu button").first.click()
    expect(page.get_by_role("textbox", name="方案名称")).to_have_value(HOSTILE)
    page.get_by_role("textbox", name="方案名称").fill("十堰方案")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-work-menu button").first).to_contain_text("十堰方案")
