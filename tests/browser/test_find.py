"""找地 as a planner uses it: the picture, the weights, a cell, a region that becomes a site."""

import re

from playwright.sync_api import expect

from tests.browser.pages import until

PICTURE = "img.leaflet-image-layer[data-ready]"


def test_a_weight_moves_the_picture_a_cell_tells_its_story_and_a_region_becomes_a_site(visit, server):
    page = visit(f"{server[0]}/find")
    frame = page.frame_locator("iframe[title*=folium]")
    frame.locator(PICTURE).wait_for()
    first = frame.locator(PICTURE).get_attribute("data-ready")
    expect(page.get_by_role("button", name="设为候选点")).to_be_enabled()
    page.get_by_role("tab", name="权重").click()
    page.get_by_role("slider").first.press("ArrowRight")
    expect(frame.locator(PICTURE)).not_to_have_attribute("data-ready", first)
    expect(page.get_by_text("在图上点击一处。")).to_be_visible()
    frame.locator(".gc-map").click(position={"x": 430, "y": 450})
    expect(page.get_by_text(re.compile(r"^(可用，|不可用：)"))).to_be_visible()
    expect(page.get_by_role("cell", name="不涉及", exact=True).first).to_be_visible()
    page.get_by_role("button", name="设为候选点").click()
    expect(page.get_by_text(re.compile(r"^已有 1 个初筛地块作为候选点：示例 "))).to_be_visible()
    assert until(page, "location.search.includes('work=')"), "the work was changed and has an address"
