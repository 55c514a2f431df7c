"""Going from page to page of the app as a person does."""

import time

from playwright.sync_api import expect

from app.texts import text
from tests.browser.painted import LAPTOP, PHONE

PAGES = ("explore", "supply", "find", "score", "match", "delivery", "data", "brief")


def settled(page):
    """Once the script has run through and what it drew is there."""
    page.locator(".gc-footer").wait_for(timeout=120_000)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.evaluate(QUIET)


QUIET = """() => new Promise((go) => {
  const end = () => { changes.disconnect(); go(); };
  let soon = setTimeout(end, 200);
  const changes = new MutationObserver(() => { clearTimeout(soon); soon = setTimeout(end, 200); });
  changes.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  setTimeout(end, 3000);  // for what never stands still
})"""


STILL = """async (map) => {
  const place = () => ["transform", "width"].map((name) => [...map.querySelectorAll(".leaflet-pane, .leaflet-proxy")]
    .map((pane) => getComputedStyle(pane)[name]).join()).join() + map.className;
  for (let last = "", same = 0; same < 5;) {
    await new Promise((go) => setTimeout(go, 50));
    const now = place();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}"""


def until(page, expression, arg=None, seconds=30):
    """What an expression of the page comes to, once that is true: asked from here, for the app allows no eval."""
    end = time.monotonic() + seconds
    while not (value := page.evaluate(expression, arg)):
        assert time.monotonic() < end, f"never came true: {expression} on {page.url}"
        page.wait_for_timeout(50)
    return value


def at_rest(view):
    """Once the map of a page or frame stands still."""
    view.locator(".gc-map").evaluate(STILL)


def in_language(page, language):
    """The page in a language: switched to it, unless its link was of that language."""
    settled(page)
    footer = page.locator(".gc-footer").first
    footer.wait_for()
    own = "Sources: each point" if language == "en" else "数据来源见各点"
    if own not in footer.inner_text():
        page.get_by_text("English" if language == "en" else "中文", exact=True).click()
    page.get_by_text(own).first.wait_for()
    settled(page)


def resized(page, size):
    """The same window in another size."""
    page.set_viewport_size({"width": size[0], "height": size[1]})


def turned(page, language, size):
    """The same visit in the other language, on the other screen; nothing scrolls sideways there. Says which."""
    language, size = "zh" if language == "en" else "en", PHONE if size == LAPTOP else LAPTOP
    resized(page, size)
    in_language(page, language)
    stays_within(page)
    return language, size


def go(page, key, language, size):
    """To another page of the app within the same visit; on a phone by the sheet, which closes itself."""
    if size == PHONE:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name=text(key, language), exact=True).first.click()
    expect(page.get_by_role("heading", name=text(f"{key}.title", language), exact=True)).to_be_visible()
    if size == PHONE:
        expect(page.locator("[data-testid=stSidebar][data-collapsed=false]")).to_have_count(0)


def stays_within(page):
    """The page does not scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
