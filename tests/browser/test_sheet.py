"""From the card of a site on the map to its sheet, whose address can be sent, and to a file."""

import io

import pypdf
from playwright.sync_api import expect

from app.texts import text
from tests.browser.pages import settled, stays_within
from tests.browser.painted import PHONE


def test_a_card_opens_a_sheet_that_its_address_restores(server, visit):
    page = visit(f"{server[0]}/?language=zh#at=30.42,115.08,10&card=sites:H01")
    card = page.frame_locator("iframe").first.locator(".gc-open")
    with page.context.expect_page() as opened:
        card.click()
    sheet = opened.value
    settled(sheet)
    assert sheet.url.endswith("/sheet?id=H01&language=zh")
    expect(sheet.get_by_role("heading", name="园区一张表：黄石经济技术开发区·铁山区")).to_be_visible()
    with sheet.expect_download() as kept:
        sheet.get_by_role("button", name=text("sheet.pdf", "zh")).click()
    assert kept.value.suggested_filename == "H01_zh.pdf"
    assert "H01" in pypdf.PdfReader(io.BytesIO(kept.value.path().read_bytes())).pages[0].extract_text()
    again = visit(sheet.url.replace("=zh", "=en"), PHONE)
    settled(again)
    expect(again.get_by_role("heading", name="Site sheet: Huangshi")).to_be_visible()
    stays_within(again)
