"""要素 and 汇报 as a visitor has them."""

import io
import zipfile

import openpyxl
import pytest
from playwright.sync_api import expect

from geo_cluster.world.layers import Layers
from tests.browser.painted import LAPTOP, PHONE, Painted

SIZES = pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])


def is_within(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def chart(page, number=0):
    found = page.locator("[data-testid=stVegaLiteChart]:visible").nth(number)
    expect(found.locator("canvas, svg").first).to_be_visible(timeout=120_000)  # the first visit prepares the region
    return found


@SIZES
def test_supply_is_painted_in_the_colours_of_its_evidence(visit, server, palette, size):
    page = visit(f"{server[0]}/supply", size)
    painted = Painted(chart(page))
    assert painted.share(palette["evidence"]["assumed"]) > 0.03
    assert is_within(page), "the page scrolls sideways"
    page.get_by_role("tab", name="变电站共用").click()
    expect(page.get_by_role("heading", name="分站明细")).to_be_visible()
    drawn = Painted(chart(page))
    assert drawn.share(palette["map"]["site"], 12) > 0.0004, "no sites"
    assert drawn.share(palette["evidence"]["assumed"]) > 0.001, "no stations"
    assert is_within(page), "the page scrolls sideways"
    page.get_by_role("tab", name="约束扣除").click()
    expect(page.get_by_text("示例：两个虚构园区")).to_be_visible()
    expect(page.get_by_label("从毛面积到净面积").first).to_be_visible()
    expect(page.get_by_role("heading", name="分站明细")).to_have_count(0)
    assert Painted(chart(page)).share(palette["page"]["accent"]) > 0.03
    assert is_within(page), "the page scrolls sideways"
    page.get_by_role("tab", name="电价测算").click()
    expect(page.get_by_text("到户均价").first).to_be_visible()
    assert is_within(page), "the page scrolls sideways"


def test_the_request_list_is_downloaded_and_an_answer_taken(visit, server):
    page = visit(f"{server[0]}/supply", LAPTOP, accept_downloads=True)
    page.get_by_role("tab", name="须问询的数据").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载 XLSX").click()
    sheet = openpyxl.load_workbook(io.BytesIO(waiting.value.path().read_bytes())).active
    assert [cell.value for cell in sheet[1]][:2] == ["序号", "对象"]
    page.get_by_label("数据提供者").fill("园区管委会 <b>电话</b> *核实*")
    page.get_by_role("button", name="采用这个数").click()
    expect(page.get_by_text("园区管委会 <b>电话</b> *核实*")).to_be_visible()
    expect(page.get_by_text("已补充 1 个")).to_be_visible()
    page.get_by_role("button", name="撤回").click()
    expect(page.get_by_text("已补充 0 个")).to_be_visible()


@SIZES
def test_layers_are_listed_previewed_and_downloaded(visit, server, palette, size):
    page = visit(f"{server[0]}/brief", size, accept_downloads=True)
    frame = page.frame_locator("iframe").first
    frame.locator("[data-ready=true]").wait_for()
    assert Painted(frame.locator(".gc-map")).share(palette["map"]["province"]) > 0.02
    assert is_within(page), "the page scrolls sideways"
    if size == LAPTOP:
        with page.expect_download() as waiting:
            page.get_by_role("button", name="打包下载全部").click()
        archive = zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))
        assert archive.testzip() is None
        assert {layer.file for layer in Layers().registry.values()} < set(archive.namelist())
