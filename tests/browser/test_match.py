"""Portfolio to plan to lock to new plan to difference, and a run stopped with its plan in hand."""

import contextlib

from playwright.sync_api import expect

from app.texts import text
from geo_cluster.world import catalog
from tests.browser.pages import in_language, stays_within, turned, until
from tests.browser.painted import LAPTOP


def upload(page, content):
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [{"name": "own.csv", "mimeType": "text/csv", "buffer": content}]
    )


def own(count):
    """A portfolio of nobody: every segment in turn."""
    segments = list(catalog.segments())
    rows = "".join(f"{segments[n % len(segments)]},{0.1 + n % 7 / 10:.1f}\n" for n in range(count))
    return f"segment,output_100m_yuan\n{rows}".encode()


def test_portfolio_to_plan_to_lock_to_new_plan(visit, server):
    """In Chinese on the laptop; what came of it in English on the phone, too."""
    size, language, count = LAPTOP, "zh", 21
    page = visit(f"{server[0]}/match", size)
    in_language(page, language)
    head = page.get_by_test_id("stExpander").first
    opener = head.locator("summary")
    if not head.get_by_test_id("stFileUploader").is_visible():
        opener.click()
    upload(page, own(count))
    expect(opener).to_contain_text(text("match.portfolio", language, n=count))
    page.get_by_role("button", name=text("match.run", language), exact=True).click()
    placed = page.get_by_test_id("stMetricValue").first
    # until now the last run of the same settings may have been shown, or how far this one is
    expect(placed).to_contain_text(f"/ {count}", timeout=120_000)
    expect(page.locator("[data-test-script-state=notRunning]").first).to_be_visible()
    expect(page.get_by_text(text("match.optimal", language), exact=True)).to_be_visible()
    until(  # once what told of the run has gone: the result is above the fold
        page,
        "() => document.querySelector('[data-testid=stMetricValue]')?.getBoundingClientRect().top < innerHeight",
    )
    stays_within(page)
    plan = page.get_by_role("region", name=text("match.plan", language), exact=True)
    plan.scroll_into_view_if_needed()
    stale = page.get_by_text(text("match.stale", language, of="·").split("·")[1]).first
    for _ in range(4):  # the table is a canvas that draws itself anew while the page settles
        plan.locator(".dvn-scroller").first.click(position={"x": 40, "y": 55})  # the first project's name
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):  # site, lock, ban: tick it
            page.keyboard.press(key)
            page.wait_for_timeout(300)
        with contextlib.suppress(AssertionError):
            expect(stale).to_be_visible(timeout=10_000)
            break
    expect(stale).to_be_visible()
    page.get_by_role("button", name=text("match.run", language), exact=True).click()
    expect(stale).to_be_hidden(timeout=60_000)
    expect(page.get_by_role("button", name=text("match.stop", language), exact=True)).to_have_count(0, timeout=60_000)
    page.get_by_role("tab", name=text("match.changes", language)).click()
    expect(page.get_by_text("个项目有变")).to_be_visible()
    stays_within(page)
    other, _ = turned(page, language, size)
    expect(page.get_by_text(text("match.optimal", other), exact=True)).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_contain_text(f"/ {count}")
    page.get_by_role("tab", name=text("match.changes", other)).click()
    expect(page.get_by_text("projects differ")).to_be_visible()
    stays_within(page)


def test_a_long_run_is_stopped_with_the_plan_in_hand(visit, server):
    page = visit(f"{server[0]}/match")
    in_language(page, "zh")
    if not page.get_by_test_id("stFileUploader").is_visible():
        page.get_by_test_id("stExpander").first.locator("summary").click()
    upload(page, own(260))
    expect(page.get_by_test_id("stExpander").first.locator("summary")).to_contain_text("260 个项目")
    page.get_by_role("button", name="运行", exact=True).click()
    expect(page.get_by_text("求解最优方案…")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(text("match.bound_now", "zh"), exact=True).first).to_be_visible()
    page.get_by_role("button", name="停止").click()
    expect(page.get_by_text("260 / 260").or_(page.get_by_text("/ 260")).first).to_be_visible(timeout=60_000)
    page.locator(".st-key-match-proof button").click()
    expect(page.get_by_text(text("match.check_ok", "zh"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=text("match.title", "zh"))).to_be_visible()
