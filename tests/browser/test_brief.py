"""汇报 as a visitor has it: run, one press, a shelf; one file and all of them are downloaded."""

import io
import zipfile

import pytest
from playwright.sync_api import expect

from app.texts import text
from tests.browser.pages import go, resized, settled, stays_within
from tests.browser.painted import LAPTOP, PHONE


@pytest.mark.slow
def test_one_press_makes_a_shelf_and_a_file_is_downloaded(visit, server):
    page = visit(f"{server[0]}/match", LAPTOP, accept_downloads=True)
    page.get_by_role("button", name=text("match.run", "zh"), exact=True).click()
    expect(page.locator("[data-testid=stMetric]").first).to_be_visible(timeout=120_000)
    expect(page.get_by_role("button", name=text("match.stop", "zh"), exact=True)).to_have_count(0, timeout=120_000)
    settled(page)
    go(page, "brief", "zh", LAPTOP)
    page.get_by_role("button", name=text("brief.make", "zh")).click()
    everything = page.get_by_role("button", name="打包下载全部")
    expect(everything).to_be_visible(timeout=240_000)
    settled(page)
    strip = page.locator(".gc-strip")
    assert strip.locator("figure").count() > 10
    assert page.evaluate("[...document.querySelectorAll('.gc-sheet')].map((one) => one.naturalWidth)") == [640] * 4
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PPTX").click()
    assert waiting.value.suggested_filename == "激光产业布局方案_汇报.pptx"
    assert "ppt/presentation.xml" in zipfile.ZipFile(waiting.value.path()).namelist()
    with page.expect_download() as waiting:
        everything.click()
    archive = zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))
    assert archive.testzip() is None
    assert "说明.txt" in archive.namelist()
    for size in (LAPTOP, (1024, 768), PHONE):
        resized(page, size)
        settled(page)
        stays_within(page)
