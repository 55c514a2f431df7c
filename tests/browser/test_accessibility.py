"""Every page by axe-core, frames included: nothing serious, nothing critical."""

from pathlib import Path

import axe_playwright_python
import pytest

from tests.browser.painted import LAPTOP, PHONE

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PAGES = ("explore", "supply", "score", "match", "data", "brief")
SETTINGS = [("zh", LAPTOP), ("en", PHONE)]
UNMENDED = {("scrollable-region-focusable", "st-emotion-cache"): "the frame that Streamlit puts around `st.table`"}
"""Findings that are not mended, each with its reason: rule and a part of the element's address."""


def settled(page):
    page.locator(".gc-footer").wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(300)


def findings(page):
    """Serious and critical findings in the page and its frames: rule, address, element, what is wrong."""
    found = []
    for frame in page.frames:
        frame.evaluate(AXE)
        told = frame.evaluate("axe.run(document, {iframes: false, resultTypes: ['violations']})")
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
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible(visit, server, name, language, size):
    page = visit(f"{server[0]}/{name if name != 'explore' else ''}", size)
    settled(page)
    if language == "en":
        page.get_by_text("English", exact=True).click()
        page.get_by_text("Sources: each point").wait_for()
        settled(page)
    if name == "explore":
        page.frame_locator("iframe").first.locator("[data-ready=true]").wait_for()
    if name == "match":
        page.get_by_role("button", name="运行" if language == "zh" else "Run").first.click()
        page.get_by_role("tab").first.wait_for()
        settled(page)
    tabs = page.get_by_role("tab")
    for n in range(max(tabs.count(), 1)):
        if tabs.count():
            tabs.nth(n).click()
            settled(page)
        assert findings(page) == []


def test_axe_finds_what_is_wrong(visit, tmp_path):
    """The check can fail: a button without a name, grey on grey."""
    path = tmp_path / "bad.html"
    path.write_text(
        '<html lang="en"><title>t</title><main><button></button><p style="color:#bbb">grey words</p></main>'
    )
    assert {rule for rule, *_ in findings(visit(path.as_uri()))} == {"button-name", "color-contrast"}
