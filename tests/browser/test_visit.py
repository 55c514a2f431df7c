"""The app as a visitor has it: a real server, a real browser, no network."""

import re

import pytest
from playwright.sync_api import expect

from geo_cluster.supply.pools import is_factory
from geo_cluster.world.layers import Layers
from tests.browser.pages import settled
from tests.browser.painted import LAPTOP, PHONE, Painted, on_white


@pytest.fixture
def explore(visit, server):
    def opened(size=LAPTOP):
        page = visit(server[0], size)
        return page, the_map(page)

    return opened


def the_map(page):
    """The map's frame, once all of it is drawn."""
    page.locator("iframe").first.scroll_into_view_if_needed()
    frame = page.frame_locator("iframe").first
    frame.locator("[data-ready=true]").wait_for()
    frame.locator(".gc-donut").first.wait_for()
    return frame


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_the_map_is_painted_and_an_empty_home_asked_for_nothing(explore, server, palette, size):
    page, frame = explore(size)
    painted = Painted(frame.locator(".gc-map"))
    ground = palette["map"]
    for name in ("province", "target", "wuhan"):
        assert painted.share(ground[name]) > 0.03, f"{name} is not painted"
    for name in ("road", "site"):
        assert painted.share(ground[name], 12) > 0.0003, f"{name} is not painted"
    stages = [stage for stage, colour in palette["stage"].items() if painted.share(colour) > 0]
    assert len(stages) >= 4, stages
    assert painted.share("#ffffff", 0) < 0.5
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0, "the page scrolls sideways"
    if size == LAPTOP:
        layers_can_be_switched(frame, painted, palette)
    log = server[1].read_text(encoding="utf-8", errors="replace")
    assert "mail" not in log.lower(), log
    assert "Traceback" not in log, log


def layers_can_be_switched(frame, before, palette):
    """Areas, points and rings go and come with their boxes in the legend."""
    head = frame.get_by_role("button", name="图层与图例")
    if head.get_attribute("aria-expanded") == "false":  # folded where list and matrix leave the map little room
        head.click()
    frame.locator("[data-layer=prefectures]").uncheck()
    frame.locator("[data-layer=counties]").uncheck()
    bare = Painted(frame.locator(".gc-map"))
    assert bare.share(palette["map"]["target"]) < 0.001
    assert before.differs(bare) > 0.2
    markers = frame.locator(".gc-diamond")
    assert markers.count() == len(Layers().read("sites"))
    frame.locator("[data-layer=sites]").uncheck()
    expect(markers).to_have_count(int(is_factory(Layers().read("sites")).sum()))
    frame.locator("[data-layer=factories]").uncheck()
    expect(markers).to_have_count(0)
    rings = frame.locator(".gc-unsure-pane path")
    assert rings.count() == 0
    frame.locator("[data-layer=rings]").check()
    assert rings.count() > 50, "uncertainty rings"


def test_search_flies_to_a_place_and_a_click_on_a_site_opens_its_card(explore):
    _, frame = explore()
    before = Painted(frame.locator(".gc-map"))
    search = frame.get_by_role("searchbox")
    search.fill("华工激光")
    expect(frame.locator(".gc-found button").first).to_contain_text("华工激光")
    search.press("Enter")
    card = frame.locator(".leaflet-popup .gc-pop")
    expect(card).to_be_visible()
    expect(card.locator("h3")).to_contain_text("华工激光")
    expect(card.locator(".gc-source")).to_contain_text("发布者：")
    expect(card.locator(".gc-source")).to_contain_text("可信度")
    assert before.differs(Painted(frame.locator(".gc-map"))) > 0.2, "the map did not move"
    search.fill("没有这个地方")
    expect(frame.locator(".gc-found")).to_have_text("没有找到")
    names = set(Layers().read("sites")["name_zh"])
    frame.locator(".gc-diamond").last.dispatch_event("click")
    expect(card).to_have_count(1)  # once the one before has faded
    expect(card.locator("h3")).not_to_contain_text("华工激光")
    assert card.locator("h3").inner_text() in names
    expect(card.locator(".gc-source")).to_contain_text("发布者：")


def test_the_keyboard_is_enough(explore):
    page, frame = explore()
    search = frame.get_by_role("searchbox", name="搜索企业、园区、地名")
    search.fill("葛店")
    search.press("ArrowDown")
    expect(frame.locator(".gc-found button").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(frame.locator(".gc-found button").nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    head = frame.get_by_role("button", name="图层与图例")
    expect(head).to_have_attribute("aria-expanded", "false")  # little room beside list and matrix
    head.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "true")
    head.press("Enter")
    expect(frame.locator(".gc-body")).to_be_hidden()
    head.press("Enter")
    frame.get_by_role("checkbox", name="公路", exact=True).press("Space")
    expect(frame.locator("[data-layer=roads]")).not_to_be_checked()
    credits_ = frame.locator(".gc-owed summary")
    credits_.press("Enter")
    expect(frame.locator(".gc-owed")).to_contain_text("审图号")


def test_language_and_settings_stay_from_page_to_page(visit, server):
    page = visit(server[0])
    the_map(page)
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", name="The laser value chain and candidate sites")).to_be_visible()
    settled(page)  # the frame of the map is another one now
    expect(the_map(page).get_by_role("searchbox", name="Find firm, site, place")).to_be_visible()
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_role("heading", name="Data and sources")).to_be_visible()
    page.get_by_role("link", name="Match", exact=True).click()
    expect(page.get_by_role("heading", name="Projects to sites")).to_be_visible()
    page.get_by_text("cautious", exact=True).click()
    expect(page).to_have_url(re.compile("work="))  # it is saved
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_role("heading", name="Data and sources")).to_be_visible()
    page.get_by_role("link", name="Match", exact=True).click()
    expect(page.get_by_role("radio", name="cautious")).to_be_checked()
    page.get_by_text("中文", exact=True).click()
    expect(page.get_by_role("heading", name="项目与园区匹配")).to_be_visible()


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_study_runs_and_draws_its_plan(visit, server, palette, size):
    page = visit(f"{server[0]}/match", size, accept_downloads=True)
    expect(page.get_by_text("项目组合：30 个项目（示例）")).to_be_visible()
    page.get_by_role("button", name="运行").click()
    frame = the_map(page)
    assert Painted(frame.locator(".gc-map")).share(on_white(palette["map"]["flow"], 0.85), 6) > 0.001, "no plan lines"
    expect(frame.locator(".gc-title")).to_contain_text("示例")
    expect(page.get_by_text("示例项目组合：30 个虚构项目")).to_be_visible()
    expect(page.get_by_text("已证最优")).to_be_visible()
    page.get_by_role("tab", name="项目排名").click()
    expect(page.locator("[data-testid=stVegaLiteChart]").first).to_be_visible()
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0, "the page scrolls sideways"
