"""`map.html` as somebody has it who was sent the file: opened from disk, no network."""

import itertools
import json

import pytest
from playwright.sync_api import expect

from geo_cluster.export import bundle
from geo_cluster.maps import page as maps_page
from geo_cluster.maps import payload as maps_payload
from geo_cluster.maps import words
from geo_cluster.report import tables
from geo_cluster.world import spreadsheet
from geo_cluster.world.layers import Layers
from tests.browser.pages import at_rest
from tests.browser.painted import LAPTOP, PHONE, Painted, on_white
from tests.studies import run
from tests.test_written import INNER, RISKS


@pytest.fixture(scope="module")
def result():
    return run()


@pytest.fixture(scope="module")
def file(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out 结果 #1")
    bundle.write(result, folder)
    return folder / "map.html"


@pytest.fixture
def opened(visit, file):
    def at(size=LAPTOP):
        page = visit(file.as_uri(), size)
        page.locator("[data-ready=true]").wait_for()
        page.locator(".gc-donut").first.wait_for()
        return page

    return at


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_the_map_is_painted_and_nothing_lies_on_something_else(opened, palette, size):
    page = opened(size)
    banded = Painted(page.locator(".gc-map"))
    page.locator("[data-layer=reach]").evaluate("tick => tick.click()")
    painted = Painted(page.locator(".gc-map"))
    assert banded.differs(painted) > 0.2, "no bands of reach"
    for name in ("province", "target", "wuhan"):
        assert painted.share(palette["map"][name]) > 0.015, f"{name} is not painted"
    assert painted.share(palette["map"]["water"]) > 0.01, "no water"
    assert painted.share(on_white(palette["map"]["flow"], 0.85), 6) > 0.001, "no plan lines"
    assert painted.share(palette["map"]["road"], 12) > 0.0003, "no roads"
    expect(page.locator(".gc-title")).to_contain_text("示例")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the map fills the window, no more"
    nothing_lies_on_something_else(page, size)


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_the_whole_plan_is_in_the_frame(visit, tmp_path, size):
    """Some of the cautious plan is in Shiyan, 400 km from the rest."""
    payload = maps_payload.payload(run("cautious"), "zh")
    (tmp_path / "map.html").write_text(maps_page.standalone(payload), encoding="utf-8")
    page = visit((tmp_path / "map.html").as_uri(), size)
    page.locator("[data-ready=true]").wait_for()
    if size == PHONE:  # the legend of the plan waits until it is asked for, and covers neither title nor search
        expect(page.get_by_label("研发 → 制造")).to_be_hidden()
    else:
        expect(page.get_by_label("研发 → 制造")).to_be_visible()
    expect(page.locator("[data-layer=roads]")).to_be_hidden()
    used = next(layer for layer in payload["layers"] if layer["key"] == "sites")["features"]
    titles = [feature["p"]["title"] for feature in used if feature["p"]["mark"]]
    cards = [page.locator(card).bounding_box() for card in (".gc-title", ".gc-search", ".gc-panel")]
    assert all(lie_apart(a, b) for a, b in itertools.combinations(cards, 2)), "cards lie on each other"
    for title in titles:
        box = page.get_by_label(title, exact=True).first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        assert 0 < x < size[0], title
        assert 0 < y < size[1], title
        hidden = [a["x"] < x < a["x"] + a["width"] and a["y"] < y < a["y"] + a["height"] for a in cards]
        assert not any(hidden), f"{title} is under a card"


def lie_apart(a, b):
    apart = a["x"] + a["width"] <= b["x"] or a["y"] + a["height"] <= b["y"]
    return apart or b["x"] + b["width"] <= a["x"] or b["y"] + b["height"] <= a["y"]


def nothing_lies_on_something_else(page, size):
    """Controls lie within the window, side by side."""
    selectors = [".gc-title", ".gc-search", ".gc-panel", ".leaflet-control-zoom", ".gc-owed", ".leaflet-control-scale"]
    boxes = {selector: page.locator(selector).bounding_box() for selector in selectors}
    for one, a in boxes.items():
        assert a["x"] >= 0
        assert a["x"] + a["width"] <= size[0], one
        for other, b in boxes.items():
            assert one == other or lie_apart(a, b), f"{one} and {other} overlap"


BOXES = """() => [...document.querySelectorAll('.gc-label')]
  .filter((name) => name.checkVisibility({ visibilityProperty: true }))
  .map((name) => name.getBoundingClientRect().toJSON()).filter((box) => box.width)"""


def test_names_lie_apart(opened):
    page = opened(PHONE)
    for place in ("全省", "黄石"):
        page.get_by_role("button", name=place, exact=True).click()
        page.wait_for_timeout(1_000)  # the flight has begun by then
        at_rest(page)
        boxes = page.evaluate(BOXES)
        assert len(boxes) > 5
        for a, b in itertools.combinations(boxes, 2):
            assert lie_apart(a, b)


def test_layers_and_rings_can_be_switched(opened, palette):
    page = opened()
    page.get_by_role("button", name=words.WORDS["zh"]["layers"]).click()
    page.locator("[data-layer=reach]").uncheck()
    before = Painted(page.locator(".gc-map"))
    page.locator("[data-layer=prefectures]").uncheck()
    bare = Painted(page.locator(".gc-map"))
    assert bare.share(palette["map"]["target"]) < 0.001
    assert before.differs(bare) > 0.2
    page.locator("[data-layer=flows]").uncheck()
    assert Painted(page.locator(".gc-map")).share(on_white(palette["map"]["flow"], 0.85), 6) < 0.0005
    rings = page.locator(".gc-unsure-pane path")
    assert rings.count() == 0
    page.locator("[data-layer=rings]").check()
    rows = [Layers().read(name) for name in ("chain", "sites", "substations")]
    drawn = {
        (row.lat, row.lon, row.coord_uncertainty_m)
        for frame in rows
        for row in frame.dropna(subset=["lon"]).itertuples()
    }
    assert rings.count() >= len(drawn) > 0


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_what_has_no_place_is_found_and_points_at_nothing(opened, size):
    page = opened(size)
    search = page.get_by_role("searchbox")
    search.fill("鸭儿湖")
    expect(page.locator(".gc-found small").first).to_contain_text(words.WORDS["zh"]["adrift"])
    search.press("Enter")
    popup = page.locator(".leaflet-popup")
    expect(popup.locator("h3")).to_contain_text("鸭儿湖")
    expect(popup.locator("dl")).to_contain_text(words.WORDS["zh"]["adrift"])
    expect(popup.locator(".leaflet-popup-tip-container")).to_be_hidden()
    box = popup.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= size[1]
    if size == LAPTOP:
        page.get_by_role("button", name=words.WORDS["zh"]["layers"]).click()
        page.locator(".gc-unplaced summary").filter(has_text="变电站").click()
        page.locator(".gc-unplaced button").filter(has_text="磁湖").click()
        expect(page.locator(".leaflet-popup h3").filter(has_text="磁湖")).to_be_visible()


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_search_flies_to_a_place_and_opens_its_card(opened, size):
    page = opened(size)
    before = Painted(page.locator(".gc-map"))
    search = page.get_by_role("searchbox")
    search.fill("武当山")
    search.press("Enter")
    card = page.locator(".leaflet-popup .gc-pop")
    expect(card.locator("h3").first).to_contain_text("武当山")
    expect(card.locator(".gc-source").first).to_contain_text("可信度")
    box = page.locator(".leaflet-popup").bounding_box()
    assert box["x"] >= -1
    assert box["x"] + box["width"] <= size[0] + 1, "the card hangs out of the window"
    assert before.differs(Painted(page.locator(".gc-map"))) > 0.2, "the map did not move"


def test_a_plan_line_says_what_it_carries(opened, result):
    page = opened()
    page.locator(".leaflet-overlay-pane path.leaflet-interactive").first.dispatch_event("click")
    card = page.locator(".leaflet-popup .gc-pop")
    expect(card.locator("h3")).to_contain_text("→")
    expect(card.locator(".gc-sample")).to_have_text("示例")
    projects = set(card.locator("dt").all_inner_texts())
    assert projects in [set(group["project"]) for _, group in tables.assignment(result).groupby("site")]


def test_hostile_names_stay_text(visit, result, tmp_path):
    attack = "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>{{ 7 * 7 }}"
    payload = json.loads(maps_page.as_json(maps_payload.payload(result, "zh")))
    for layer in payload["layers"]:
        for feature in layer["features"] if isinstance(layer["features"], list) else ():
            feature["p"] |= {"title": attack, "sub": attack, "source": attack, "rows": [[attack, attack]]}
        layer["name"] = attack
    payload["title"]["text"] = attack
    payload["attribution"] = [attack]
    (tmp_path / "map.html").write_text(maps_page.standalone(payload), encoding="utf-8")
    page = visit((tmp_path / "map.html").as_uri())
    page.locator("[data-ready=true]").wait_for()
    page.locator(".gc-diamond").last.dispatch_event("click")
    expect(page.locator(".leaflet-popup h3").first).to_have_text(attack)
    page.locator(".gc-owed summary").click()
    page.get_by_role("searchbox").fill("script")
    expect(page.locator(".gc-found button").first).to_contain_text("</script>")
    assert page.title() == attack
    assert page.evaluate("window.broken") is None
    assert page.locator("img").count() == 0


def test_the_gate_sees_what_wants_to_leave(visit, tmp_path):
    (tmp_path / "page.html").write_text("<img src='https://tiles.invalid/1.png'><img src='data:,'>", encoding="utf-8")
    visit((tmp_path / "page.html").as_uri())
    assert visit.left == ["https://tiles.invalid/1.png"]
    visit.left.clear()


def test_cells_of_the_list_of_an_area_are_guarded_as_those_of_all_tables(opened):
    texts = [*RISKS, *INNER, ";=1", ";\t=1", "甲, -5", "-5", 'a"b']
    assert opened().evaluate("texts => texts.map(geoCluster.cell)", texts) == [
        '"' + spreadsheet.inert(text).replace('"', '""') + '"' for text in texts
    ]


def test_printed_the_map_is_a_sheet_and_then_the_screen_s_again(opened):
    page = opened()
    page.locator(".gc-panel > button").click()
    page.locator("[data-layer=water]").uncheck()
    view = "[map.getCenter().lat, map.getZoom(), map.getSize().x].join()".replace(
        "map", "Object.values(window).find((one) => one instanceof L.Map)"
    )
    before = page.evaluate(view)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".gc-sheet-head")).to_contain_text("示例")
    expect(page.locator(".gc-sheet-foot")).to_contain_text("内部使用，未经审图")
    expect(page.locator(".gc-sheet-foot")).to_contain_text("GSHHG")
    legend = page.locator(".gc-sheet-legend")
    expect(legend).to_contain_text("候选制造园区")
    expect(legend).not_to_contain_text("河流与湖泊")
    for hidden in (".gc-panel", ".gc-side", ".gc-search", ".gc-toolbox", ".leaflet-control-zoom"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".leaflet-control-scale")).to_be_visible()
    sheet, side = page.locator(".gc-map").bounding_box(), legend.bounding_box()
    assert sheet["x"] + sheet["width"] <= side["x"] and side["x"] + side["width"] <= 281 / 25.4 * 96 + 1
    assert page.locator(".gc-of-plan").count() > 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".gc-sheet-head")).to_have_count(0)
    expect(page.locator(".gc-of-plan")).to_have_count(0)
    assert page.evaluate(view) == before
