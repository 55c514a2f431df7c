"""Every page by axe-core, frames included: nothing serious, nothing critical."""

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from app.texts import TEXTS
from app.texts.frame import PAIRS
from tests.browser.pages import PAGES, go, in_language, resized, settled, until
from tests.browser.painted import LAPTOP, PHONE

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
CJK = re.compile("[\u3000-\u9fff\uff00-\uffef]")
SETTINGS = [("zh", LAPTOP), ("en", PHONE)]
UNMENDED = {("scrollable-region-focusable", "st-emotion-cache"): "the frame that Streamlit puts around `st.table`"}
"""Findings that are not mended, each with its reason: rule and a part of the element's address."""


def findings(page, part=None):
    """Serious and critical findings in a part, or the page and its frames: rule, address, element, what is wrong."""
    found = []
    for frame in page.frames if part is None else [page.main_frame]:
        if not frame.evaluate("'axe' in window"):
            frame.evaluate(AXE)
        told = frame.evaluate("part => axe.run(part || document, {iframes: false, resultTypes: ['violations']})", part)
        assert told["passes"], "axe looked at nothing"
        for rule in told["violations"]:
            if rule["impact"] not in ("serious", "critical"):
                continue
            for node in rule["nodes"]:
                address = " ".join(map(str, node["target"]))
                if not any(rule["id"] == one and part in address for one, part in UNMENDED):
                    found.append((rule["id"], address, node["html"][:200], node["failureSummary"]))
    return found


@pytest.mark.parametrize(("language", "size"), SETTINGS, ids=["zh-laptop", "en-phone"])
def test_every_page_is_accessible(visit, server, language, size):
    page = visit(server[0], size)
    settled(page)
    in_language(page, language)
    for name in PAGES:
        go(page, name, language, size)
        if name == "explore":
            page.frame_locator("iframe").first.locator("[data-ready=true]").wait_for()
        if name == "match":
            page.get_by_role("button", name="运行" if language == "zh" else "Run").first.click()
            page.get_by_role("tab").first.wait_for()
        settled(page)
        assert findings(page) == []
        if name != "explore":
            resized(page, PHONE)
            says_its_name_and_status(page, name, language)
            resized(page, size)
        tabs = page.get_by_role("tab")
        for n in range(1, tabs.count() if size == LAPTOP else 0):  # a tab holds the same elements on both
            tabs.nth(n).click()
            settled(page)
            assert findings(page, "[role=tabpanel]:not([hidden])") == []


@pytest.mark.parametrize(("language", "size"), SETTINGS, ids=["zh-laptop", "en-phone"])
def test_the_sheet_of_a_site_is_accessible(visit, server, language, size):
    page = visit(f"{server[0]}/sheet?id=H01&language={language}", size)
    settled(page)
    assert findings(page) == []


def test_the_page_says_its_language_and_streamlit_s_own_words_are_in_it(visit, server):
    page = visit(f"{server[0]}/supply")
    settled(page)
    expect(page.get_by_label("显示或隐藏列").first).to_be_attached()
    lang = "() => document.documentElement.lang"
    names = "() => [...document.querySelectorAll('[aria-label]')].map((node) => node.ariaLabel)"
    ours, theirs = zip(*PAIRS, strict=True)
    assert page.evaluate(lang) == "zh-CN"
    said = [name.partition(": ")[0] for name in page.evaluate(names)]
    assert "显示或隐藏列" in set(said) & set(ours)
    assert "下载为 CSV" not in said, "a table's own CSV would have formulas as they came"
    assert set(said).isdisjoint(theirs)
    assert not [name for name in said if name.startswith("Help for")]
    page.get_by_text("English", exact=True).click()
    page.get_by_text("Sources: each point").wait_for()
    settled(page)
    expect(page.get_by_label("Show/hide columns").first).to_be_attached()
    assert page.evaluate(lang) == "en"
    said = [name.partition(": ")[0] for name in page.evaluate(names)]
    assert "Show/hide columns" in said
    assert "Download as CSV" not in said
    assert [name for name in said if CJK.search(name)] == []
    expect(page.locator("[data-testid=stMainMenu]")).to_have_count(0)


def test_a_file_that_is_not_read_is_refused_in_the_page_s_language(visit, server):
    page = visit(f"{server[0]}/score")
    settled(page)
    expect(page.get_by_test_id("stSkipToContent")).to_have_text("跳到正文")
    page.get_by_text("一批项目（表格）", exact=True).click()
    uploader = page.get_by_test_id("stFileUploader").first
    uploader.locator("input").set_input_files(
        {"name": "park.dwg", "mimeType": "application/octet-stream", "buffer": b"AC1032" + bytes(200)}
    )
    expect(uploader.get_by_label("移除 park.dwg")).to_be_attached()
    told = page.get_by_role("alert").filter(has_text="DWG")
    expect(told).to_contain_text("另存为")


def test_whatever_has_the_keyboard_s_focus_has_a_ring(visit, server):
    page = visit(f"{server[0]}/supply")
    settled(page)
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
    ring = """() => { const node = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(node);
      return [node.dataset.testid || node.tagName, outlineStyle === "solid" && parseFloat(outlineWidth) >= 2]; }"""
    ringed = []
    for _ in range(16):
        page.keyboard.press("Tab")
        ringed.append(page.evaluate(ring))
    assert [name for name, has_one in ringed if not has_one] == []
    assert {"stTopNavLink", "stMain", "stPopoverButton"} <= {name for name, _ in ringed}
    page.goto(f"{server[0]}/")
    frame = page.frame_locator("iframe").first
    frame.locator("[data-ready=true]").wait_for()
    for part in (".gc-search input", ".gc-places button", ".gc-tools button", "a.leaflet-control-zoom-in"):
        node = frame.locator(part).first
        node.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert node.evaluate("node => parseFloat(getComputedStyle(node).outlineWidth)") >= 2, part


def says_its_name_and_status(page, name, language):
    """On the phone the bar says the page's name, and the work's with its status; all of it can be tapped."""
    expect(page.locator(".gc-where")).to_have_text(TEXTS[name][language == "en"])
    boxes = until(  # all at one moment: what comes in above moves them together
        page,
        """() => { const found = [".gc-where", ".gc-kept"].map(part => document.querySelector(part));
          const buttons = [...document.querySelectorAll(".st-key-bar button:not([data-selected=true])")];
          return found.every(Boolean) && [...found, ...buttons].map(part => part.getBoundingClientRect().toJSON())
            .filter(box => box.width); }""",
    )
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] for box in boxes)
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 56 for box in boxes)
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes[2:])


def test_axe_finds_what_is_wrong(visit, tmp_path):
    """The check can fail: a button without a name, grey on grey."""
    path = tmp_path / "bad.html"
    path.write_text(
        '<html lang="en"><title>t</title><main><button></button><p style="color:#bbb">grey words</p></main>'
    )
    assert {rule for rule, *_ in findings(visit(path.as_uri()))} == {"button-name", "color-contrast"}
