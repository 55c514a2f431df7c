"""A week of a 专班: the table of Monday with a mistake, a new project, Friday's table, what changed, the paper."""

import datetime
import io
import os
import sqlite3

from docx import Document
from playwright.sync_api import expect

from app.texts import text
from geo_cluster.policy import frames
from geo_cluster.policy.places import places
from geo_cluster.world.layers import Layers
from geo_cluster.world.spreadsheet import as_xlsx
from tests.browser.pages import in_language, settled, stays_within, turned
from tests.browser.painted import LAPTOP
from tests.ledgers import sample

NEW = "示例 周三新建项目"


def book(week, *, wrong=False):
    """The table of a week; with a blocked point that nobody is responsible for, where it is to be wrong."""
    where, projects = places(Layers()), sample(week)
    points = frames.points_frame(projects, "zh")
    if wrong:
        points["责任单位"] = ""
    return as_xlsx({"台账": frames.ledger_frame(projects, where, "zh"), "卡点": points})


def give(page, content):
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [{"name": "ledger.xlsx", "mimeType": kind, "buffer": content}]
    )


def tab(page, name, language="zh"):
    page.get_by_role("tab", name=text(f"ledger.tab.{name}", language), exact=True).click()
    settled(page)


def accept(page, count):
    page.get_by_role("button", name=text("ledger.accept", "zh", n=count)).click()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(str(count), timeout=60_000)
    settled(page)


def test_a_week_of_the_ledger(visit, server):
    url, _ = server
    page = visit(f"{url}/delivery", LAPTOP)
    in_language(page, "zh")
    tab(page, "files")
    give(page, book(1, wrong=True))
    expect(page.get_by_text("没有责任单位").first).to_be_visible(timeout=60_000)
    give(page, book(1))
    accept(page, 7)
    with sqlite3.connect(os.environ["GEO_CLUSTER_WORKSPACE"]) as kept:  # a week goes by
        week_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=9)
        kept.execute("UPDATE geo_cluster_ledger SET at = ?", [f"{week_ago:%Y-%m-%d %H:%M:%S}.000000"])
    tab(page, "table")
    page.get_by_role("button", name=text("ledger.new", "zh")).click()
    page.get_by_label("项目名称", exact=True).fill(NEW)
    page.get_by_role("button", name=text("ledger.form.save", "zh"), exact=True).click()
    expect(page.get_by_text(text("ledger.saved", "zh", name=NEW))).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("8")
    tab(page, "files")
    give(page, book(2))
    page.get_by_role("button", name=text("ledger.accept", "zh", n=8)).click()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("9", timeout=60_000)
    tab(page, "changes")
    for told in ("销号：示例 110千伏线路未批", "签约 → 供地", NEW):
        expect(page.get_by_text(told).first).to_be_visible()
    page.get_by_role("button", name=text("ledger.weekly_make", "zh")).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=text("ledger.weekly", "zh")).click()
    paper = Document(io.BytesIO(download.value.path().read_bytes()))
    assert any("应开未开" in one.text for one in paper.paragraphs)
    assert any(NEW in cell.text for table in paper.tables for cell in table._cells)
    tab(page, "map")
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    stays_within(page)
    turned(page, "zh", LAPTOP)
    for name in ("lists", "stated", "table"):
        tab(page, name, "en")
        stays_within(page)
