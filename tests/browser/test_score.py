"""From intake to a ranking that is kept, in both languages, on a laptop and on a phone."""

import io
import zipfile

from playwright.sync_api import expect

from app.texts import text
from app.views.score.ranking import SHOWN
from geo_cluster.world import catalog
from tests.browser.pages import stays_within, turned
from tests.browser.painted import PHONE


def test_from_intake_to_a_ranking(visit, server):
    """In English on the phone; what came of it in Chinese on the laptop, too."""
    language, size = "en", PHONE

    def say(key, **values):
        return text(key, language, **values)

    page = visit(f"{server[0]}/score", size)
    verdict = page.locator(".gc-verdict").first
    verdict.wait_for(timeout=120_000)
    page.get_by_text("English", exact=True).click()
    expect(verdict).to_contain_text("leads")
    segment = catalog.segments()["fiber_laser"].name.en
    expect(page.get_by_role("combobox", name=say("score.segment"))).to_have_value(segment)
    before = verdict.text_content()
    land = page.get_by_role("textbox", name=catalog.resources()["land"].asked.title(language))
    land.fill("300-400")
    land.press("Enter")
    expect(page.get_by_text(say("score.instead", range="21–48"))).to_be_visible()
    expect(verdict).not_to_have_text(before)
    expect(page.locator("[data-testid=stVegaLiteChart]").nth(1)).to_be_visible()
    dots = page.locator("[data-testid=stVegaLiteChart]").first.locator(".mark-symbol.role-mark path")
    expect(dots).to_have_count(SHOWN)
    page.get_by_role("tab", name=say("score.weights"), exact=True).click()
    keep = page.get_by_role("button", name=say("score.keep_weights"))
    expect(keep).to_be_disabled()
    criterion = catalog.criteria()["rd_minutes"].name[language]
    slider = page.get_by_role("slider", name=criterion)
    slider.focus()
    slider.press("Home")
    expect(keep).to_be_enabled()
    told = verdict.text_content()
    keep.click()
    expect(verdict).not_to_have_text(told)
    expect(keep).to_be_disabled()
    page.get_by_role("tab", name=say("score.compare"), exact=True).click()
    expect(page.locator(".gc-side")).to_contain_text(say("score.winner"))
    stays_within(page)
    other, _ = turned(page, language, size)
    page.get_by_role("tab", name=text("score.compare", other), exact=True).click()
    expect(page.locator(".gc-side")).to_contain_text(text("score.winner", other))
    stays_within(page)


def test_a_spreadsheet_is_dropped_in_and_its_results_taken_home(visit, server):
    page = visit(f"{server[0]}/score", accept_downloads=True)
    page.get_by_text("一批项目（表格）", exact=True).click()
    table = "名称,细分环节,年产值(亿元),用地(亩)\n甲,激光雷达,5,\n乙,光纤激光器,3,若干\n"
    drop = page.locator("input[type=file]")
    drop.set_input_files({"name": "项目.csv", "mimeType": "text/csv", "buffer": table.encode("gb18030")})
    expect(page.get_by_role("alert")).to_contain_text("“若干”只说了一头")
    table = table.replace("若干", "25-35")
    drop.set_input_files({"name": "项目.csv", "mimeType": "text/csv", "buffer": table.encode("gb18030")})
    expect(page.locator(".gc-verdict").first).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载全部结果").click()
    archive = zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))
    assert archive.read("verdicts.csv").decode("utf-8-sig").count("\r\n") == 3
