"""The map as a tool: filter, measure, draw, share; base maps of a tile server that is there, shifts, or is not."""

import csv
import http.server
import io
import itertools
import json
import threading

import pytest
from playwright.sync_api import expect
from pyproj import Geod

from geo_cluster.maps import page as maps_page
from geo_cluster.maps import payload as maps_payload
from geo_cluster.maps import words as maps_words
from geo_cluster.world.coordinates import convert
from geo_cluster.world.layers import Layers
from tests.browser.pages import at_rest, until
from tests.browser.painted import LAPTOP, PHONE

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763b0b0b00000016200b15e0a5ea30000000049454e44ae426082"
)
THE_MAP = "const map = window[Object.keys(window).find((key) => /^map_/.test(key))];"
ZOOM = "map => map.querySelector('.leaflet-proxy').style.transform.match(/scale.*/)[0]"
HOSTILE = "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>'\" 🔬"


@pytest.fixture(scope="module")
def overview():
    return json.loads(maps_page.as_json(maps_payload.payload(Layers(), "zh")))


@pytest.fixture
def opened(visit, tmp_path):
    """A payload as a page by itself."""

    def at(payload, size=LAPTOP, **more):
        (tmp_path / "map.html").write_text(maps_page.standalone(payload), encoding="utf-8")
        page = visit((tmp_path / "map.html").as_uri(), size, **more)
        page.locator("[data-ready=true]").wait_for()
        return page

    return at


@pytest.fixture
def tiles():
    """A tile server on this machine, and what it was asked for."""
    asked = []

    class Tiles(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def the_map(page):
    """The map's frame, the card of the first hour closed."""
    frame = page.frame_locator("iframe").first
    frame.locator("[data-ready=true]").wait_for()
    page.locator(".gc-footer").wait_for()
    if page.locator(".st-key-hour").count():
        page.locator(".st-key-hour-close button").click()
        expect(page.locator(".st-key-hour")).to_have_count(0)
    return frame


def legend(page):
    """Unfold the legend, which is folded beside a list."""
    page.get_by_role("button", name=maps_words.WORDS["zh"]["layers"]).click()


def base(url, **more):
    urls = [url + "/{z}/{x}/{y}.png?tk={key}"]
    return {"id": "own", "name": "own", "urls": urls, "system": "wgs84", "attribution": "the house", **more}


# ---- the journey: explore, and share a link -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "size", "other_size"), [("zh", LAPTOP, PHONE), ("en", PHONE, LAPTOP)], ids=["zh-laptop", "en-phone"]
)
def test_what_was_explored_opens_again_from_its_link(visit, server, language, size, other_size):
    words = maps_words.WORDS[language]
    page = visit(f"{server[0]}/?language={language}", size, permissions=["clipboard-read", "clipboard-write"])
    frame = the_map(page)
    frame.locator(".gc-map").scroll_into_view_if_needed()
    if size == PHONE:
        frame.locator(".gc-tab-firms").click()
    frame.locator("[data-filter=segment]").select_option("cutting_welding")
    rows = Layers().read("chain")
    fits = rows[rows["segments"].str.split(";").map(lambda of: "cutting_welding" in of)]
    expect(frame.locator(".gc-told-of")).to_contain_text(words["listed"].format(n=len(fits), all=len(rows)))
    expect(frame.locator(".gc-rows li")).to_have_count(len(fits))
    if size == PHONE:
        frame.locator(".gc-fold").click()
    frame.get_by_role("button", name=words["layers"]).click()
    frame.locator("[data-layer=chain_counties]").check()
    frame.locator("[data-layer=railways]").uncheck()
    frame.get_by_role("button", name=words["layers"]).click()
    frame.get_by_role("button", name=words["circle"], exact=True).press("Enter")
    canvas = frame.locator(".gc-map")
    canvas.press("Enter")
    expect(frame.locator(".gc-told")).to_contain_text(words["more"])
    canvas.press("ArrowRight")
    at_rest(frame)
    canvas.press("Enter")
    told = frame.locator(".gc-result")
    expect(told).to_contain_text(words["radius"])
    measured = told.inner_text()
    search = frame.get_by_role("searchbox")
    search.fill("F02")
    search.press("Enter")
    name = rows.set_index("id").loc["F02", f"name_{language}"]
    expect(frame.locator(".leaflet-popup h3").first).to_have_text(name)
    at_rest(frame)
    frame.get_by_role("button", name=words["link"]).dispatch_event("click")
    until(page, "navigator.clipboard.readText().then((text) => text.includes('#at='))")
    link = page.evaluate("navigator.clipboard.readText()")

    other = visit(link, other_size)
    again = the_map(other)
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    expect(again.locator("[data-filter=segment]")).to_have_value("cutting_welding")
    expect(again.locator("[data-layer=chain_counties]")).to_be_checked()
    expect(again.locator("[data-layer=railways]")).not_to_be_checked()
    expect(again.locator(".gc-result")).to_have_text(measured)
    expect(again.locator(".leaflet-popup h3").first).to_have_text(name)
    assert other.evaluate("document.querySelector('iframe').contentDocument.documentElement.lang")[:2] == language
    at_rest(again)
    other.wait_for_timeout(300)  # the map has written its own view by now
    (at, rest), (was, kept) = opens_at(until(other, "location.hash")), opens_at(link[link.index("#") :])
    assert rest == kept
    assert at == pytest.approx(was, abs=0.0005), "more than a pixel away, which a frame that finds its size may move it"
    sideways = other.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0, "the page scrolls sideways"


def opens_at(state):
    """Where the fragment of an address opens the map, and the rest of it."""
    at, _, rest = state.removeprefix("#at=").partition("&")
    return [float(part) for part in at.split(",")], rest


def moved(frame, before):
    """Whether the map comes to another scale within ten seconds; then it stands still."""
    drawn = frame.locator(".gc-map")
    for _ in range(100):
        if drawn.evaluate(ZOOM) != before:
            at_rest(frame)
            return True
        drawn.page.wait_for_timeout(100)
    return False


def test_a_cell_of_the_matrix_filters_the_map_and_names_who_is_there(visit, server):
    frame, matrix = the_map(visit(server[0])), maps_payload.payload(Layers(), "zh")["matrix"]
    known = [city["key"] for city in matrix["cities"] if city["key"]]
    gaps = [not ids for cells in matrix["cells"] for ids in cells[: len(known)]]
    expect(frame.locator(".gc-gap")).to_have_count(sum(gaps))
    rows = {(row["stage"], row["segment"]): cells for row, cells in zip(matrix["rows"], matrix["cells"], strict=True)}
    lasers = rows["lasers", ""][known.index("420100")]
    button = frame.get_by_role("button", name=f"激光器 · 武汉 {len(lasers)}")
    before = frame.locator(".gc-map").evaluate(ZOOM)
    button.press("Enter")
    names = Layers().read("chain").set_index("id")["name_zh"]
    for one in lasers:
        expect(frame.locator(".gc-names")).to_contain_text(names[one])
    expect(frame.locator("[data-filter=stage]")).to_have_value("lasers")
    expect(frame.locator(".gc-rows li")).to_have_count(len(lasers))
    assert moved(frame, before), "the map moves to who is in the cell"
    button.press("Enter")
    expect(frame.locator("[data-filter=stage]")).to_have_value("")
    lead = frame.locator("a.gc-gap").first.get_attribute("href")
    assert "/delivery?" in lead
    assert "part=chain" in lead
    assert "link=" in lead


def test_list_and_map_know_each_other_and_the_first_click_works(visit, server):
    frame = the_map(visit(server[0]))
    before = frame.locator(".gc-map").evaluate(ZOOM)
    frame.locator(".leaflet-marker-icon", has=frame.locator(".gc-donut text")).last.click()
    assert moved(frame, before), "a cluster opens at the first click"
    frame.locator(".gc-tab-sites").click()
    row = frame.locator(".gc-rows button", has_text="竹溪工业园")
    row.click()
    expect(frame.locator(".leaflet-popup h3")).to_have_text("竹溪工业园")
    expect(row).to_have_attribute("aria-current", "true")
    frame.locator(".gc-places button", has_text="光谷").click()
    expect(frame.locator(".leaflet-popup")).to_have_count(0)
    at_rest(frame)
    frame.locator(".gc-edges button:visible", has_text="十堰").click()
    at_rest(frame)
    frame.get_by_role("button", name="竹溪工业园", exact=True).press("Enter")
    expect(frame.locator(".gc-rows [aria-current]")).to_contain_text("竹溪工业园")


def test_pan_zoom_filters_and_layers_ask_the_server_for_nothing(visit, server):
    page = visit("about:blank")
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(data)))
    page.goto(server[0])
    frame = the_map(page)
    page.wait_for_timeout(1000)
    before = len(sent)
    assert before > 0
    frame.locator(".gc-map").press("ArrowRight")
    frame.locator(".leaflet-control-zoom-in").click()
    frame.get_by_role("button", name=maps_words.WORDS["zh"]["layers"]).click()
    frame.locator("[data-layer=sites]").uncheck()
    frame.locator(".gc-rows button").first.click()
    frame.locator("[data-filter=stage]").select_option("lasers")
    page.wait_for_timeout(800)
    assert len(sent) == before


# ---- measuring ----------------------------------------------------------------------------------------------


def test_lengths_areas_and_the_shift_are_those_of_the_libraries(opened, overview):
    page, geod = opened(overview), Geod(ellps="WGS84")
    points = [(30.5, 114.4), (30.2, 115.0), (32.6, 110.8), (30.5001, 114.4001)]
    at = [{"lat": lat, "lng": lng} for lat, lng in points]
    for one, other in itertools.pairwise(at):
        found = page.evaluate("([p, q]) => geoCluster.geodesy.distance(p, q)", [one, other])
        _, _, true = geod.inv(one["lng"], one["lat"], other["lng"], other["lat"])
        assert found == pytest.approx(true, abs=0.001)
    for ring in (
        [(30.5, 114.4), (30.2, 115.0), (31.2, 115.2)],
        [(30.5, 114.4), (30.5, 114.41), (30.51, 114.41), (30.51, 114.4)],
    ):
        found = page.evaluate("(r) => geoCluster.geodesy.area(r)", [{"lat": lat, "lng": lng} for lat, lng in ring])
        true, _ = geod.polygon_area_perimeter([lng for _, lng in ring], [lat for lat, _ in ring])
        assert found == pytest.approx(abs(true), rel=2e-4)
    rim = page.evaluate("(p) => geoCluster.geodesy.circle(p, 40000)", at[0])
    for one in rim:
        assert geod.inv(at[0]["lng"], at[0]["lat"], one["lng"], one["lat"])[2] == pytest.approx(40000, abs=5)
    for lat, lng in [*points, (10.0, 60.0)]:
        found = page.evaluate("([lat, lng]) => geoCluster.geodesy.toGcj(lat, lng)", [lat, lng])
        true = convert(lng, lat, source="wgs84", target="gcj02")
        assert (found["lng"], found["lat"]) == pytest.approx((float(true[0]), float(true[1])), abs=1e-9)
        home = page.evaluate("([lat, lng]) => geoCluster.geodesy.fromGcj(lat, lng)", [found["lat"], found["lng"]])
        assert (home["lat"], home["lng"]) == pytest.approx((lat, lng), abs=1e-9)


def test_an_area_drawn_with_the_mouse_lists_what_lies_inside_and_escape_ends(opened, overview):
    page = opened(overview)
    page.get_by_role("button", name="全省", exact=True).click()
    at_rest(page)
    page.get_by_role("button", name="矩形").click()
    page.mouse.click(310, 150)
    page.mouse.click(1090, 700)
    told = page.locator(".gc-told")
    expect(told.locator(".gc-result")).to_contain_text("平方公里")
    inside = told.locator("li").count()
    assert inside > 0
    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载 CSV").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))
    assert len(rows) == inside
    known = set(Layers().read("chain")["name_zh"]) | set(Layers().read("sites")["name_zh"])
    known |= set(Layers().read("anchors")["name_zh"])
    assert {row["名称"] for row in rows} <= known
    assert {row["是否在内"] for row in rows} <= {"在内", "可能"}
    page.get_by_role("button", name="测距").click()
    expect(told).to_contain_text("双击结束")
    page.keyboard.press("Escape")
    expect(told).to_be_hidden()


def test_the_map_with_its_tools_fits_the_window_and_stages_come_first_in_the_legend(visit, server):
    page = visit(f"{server[0]}/explore")
    frame = the_map(page)
    for part in (".gc-tools", ".leaflet-control-scale", ".gc-owed"):
        box = frame.locator(part).bounding_box()
        assert box["y"] + box["height"] <= LAPTOP[1], f"{part} is below the window"
    expect(frame.locator(".gc-body h4").first).to_have_text(maps_words.WORDS["zh"]["chain"])
    expect(frame.locator(".gc-told-of")).to_contain_text(
        maps_words.WORDS["zh"]["listed_adrift"].format(n=int(Layers().read("chain").geometry.isna().sum()))
    )
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator('[data-testid="stTopNavLink"][aria-current]')).to_contain_text("总览")


BOXES = """panel => {
  const boxes = [[...document.querySelectorAll(".leaflet-popup-content-wrapper")].at(-1), document.querySelector(panel)]
    .map(node => node && node.getBoundingClientRect().toJSON());
  return boxes.every(box => box && box.width > 0) && boxes; }"""


def test_a_card_stays_clear_of_the_panels(opened, overview):
    page = opened(overview)
    for corner in ([30.6, 115.3], [30.6, 114.3], [30.05, 114.3]):
        page.evaluate(f"() => {{ {THE_MAP} map.setView({corner}, 10, {{ animate: false }}); }}")
        search = page.get_by_role("searchbox")
        search.fill("F02")
        search.press("Enter")
        page.locator(".leaflet-popup-content-wrapper").last.wait_for()
        at_rest(page)
        for panel in (".gc-panel", ".gc-search", ".gc-tools"):
            boxes = until(page, BOXES, panel)
            assert not overlap(*boxes), f"{corner} {panel}"
        page.keyboard.press("Escape")


def overlap(one, other):
    across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return across > 0 and down > 0


@pytest.mark.parametrize(
    ("tool", "corners", "touch"), [("矩形", 2, False), ("圆", 2, True), ("圈地", 4, False), ("圈地", 4, True)]
)
def test_an_area_is_drawn_from_press_to_release_and_the_map_stays(opened, overview, tool, corners, touch):
    page = opened(overview, PHONE if touch else LAPTOP, has_touch=touch)
    page.get_by_role("button", name=tool, exact=True).click()
    before = page.evaluate(f"() => {{ {THE_MAP} return map.getCenter(); }}")
    way = [(90, 230), (200, 240), (300, 260), (310, 400), (300, 520)]
    way = way if touch else [(330 + 2 * x, y - 50) for x, y in way]
    if touch:
        finger = page.context.new_cdp_session(page)
        for n, (x, y) in enumerate(way):
            points = [{"x": x, "y": y}]
            finger.send("Input.dispatchTouchEvent", {"type": "touchMove" if n else "touchStart", "touchPoints": points})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    else:
        page.mouse.move(*way[0])
        page.mouse.down()
        for x, y in way[1:]:
            page.mouse.move(x, y)
        page.mouse.up()
    expect(page.locator(".gc-result")).to_contain_text("平方公里")
    expect(page.locator(".gc-told li").first).to_be_visible()
    assert page.evaluate(f"() => {{ {THE_MAP} return map.getCenter(); }}") == before
    until(page, "location.hash.includes('drawn=')")
    assert len(page.url.partition("drawn=")[2].split(";")) >= corners
    bullets = page.locator(".gc-told ul").first.evaluate("node => parseFloat(getComputedStyle(node).paddingLeft)")
    assert bullets >= 18, "bullets are cut off"


def test_between_two_corners_a_drag_moves_the_map(opened, overview):
    page = opened(overview)
    page.get_by_role("button", name="矩形").click()
    page.mouse.click(450, 300)
    before = page.evaluate(f"() => {{ {THE_MAP} return map.getCenter(); }}")
    page.mouse.move(600, 400)
    page.mouse.down()
    page.mouse.move(700, 450, steps=4)
    page.mouse.up()
    assert page.evaluate(f"() => {{ {THE_MAP} return map.getCenter(); }}") != before
    expect(page.locator(".gc-told")).to_contain_text("继续点选")
    page.mouse.click(850, 420)
    expect(page.locator(".gc-result")).to_contain_text("平方公里")


def test_uncertain_points_are_hollow_once_their_area_is_larger_than_a_pin(opened, overview):
    page = opened(overview)
    legend(page)
    page.locator("[data-layer=sites]").uncheck()
    page.get_by_role("button", name="光谷", exact=True).click()
    at_rest(page)
    assert page.locator(".gc-vague").count() > 0
    for layer in overview["layers"]:
        if layer["kind"] == "point":
            for feature in layer["features"]:
                feature["p"]["within_m"] = 1
    page = opened(overview)
    page.get_by_role("button", name="光谷", exact=True).click()
    at_rest(page)
    assert page.locator(".gc-donut").count() > 0
    assert page.locator(".gc-vague").count() == 0


def test_hostile_names_stay_text_in_filters_matrix_lists_and_table(opened, overview):
    for layer in overview["layers"]:
        for feature in layer["features"] if isinstance(layer["features"], list) else ():
            feature["p"]["title"] = HOSTILE
    for facet in overview["filters"]:
        facet["name"] = HOSTILE
        facet["options"] = [[value, HOSTILE] for value, _ in facet["options"]]
    for row in overview["matrix"]["rows"]:
        row["name"] = HOSTILE
    page = opened(overview)
    expect(page.locator(".gc-rows b").first).to_contain_text(HOSTILE)
    page.locator(".gc-matrix td button:not(.gc-gap)").first.click()
    expect(page.locator(".gc-names")).to_contain_text(HOSTILE)
    page.wait_for_timeout(300)
    at_rest(page)
    page.get_by_role("button", name="矩形").click()
    page.mouse.click(310, 150)
    page.mouse.click(1090, 700)
    expect(page.locator(".gc-told li").first).to_contain_text("</script>")
    assert page.evaluate("window.broken") is None
    assert page.locator("img").count() == 0


# ---- base maps ----------------------------------------------------------------------------------------------


def test_tiles_come_with_their_attribution_and_the_key_stays_here(opened, overview, tiles):
    url, asked = tiles
    page = opened(overview | {"basemaps": [base(url, key=True)]})
    legend(page)
    assert asked == [], "off by default"
    page.get_by_role("radio", name="own").check()
    expect(page.locator(".gc-tiles [role=status]")).to_contain_text("密钥")
    assert asked == []
    secret = page.get_by_label("天地图密钥")
    secret.fill("my-secret")
    secret.press("Tab")
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_attached()
    assert asked
    assert all(path.endswith("tk=my-secret") for path in asked)
    page.locator(".gc-owed summary").click()
    expect(page.locator(".gc-owed li").first).to_have_text("the house")
    page.locator(".gc-owed summary").click()
    assert "my-secret" not in page.url
    page.get_by_role("radio", name="离线底图").check()
    expect(page.locator("img.leaflet-tile")).to_have_count(0)
    assert "my-secret" not in page.content()


def test_on_shifted_tiles_the_data_is_shifted_and_links_are_not(opened, overview, tiles):
    page = opened(overview | {"basemaps": [base(tiles[0], system="gcj02")]})
    legend(page)
    at = THE_MAP + "const p = L.latLng(30.5, 114.4);"
    plain = page.evaluate(f"() => {{ {at} return map.project(p, 12); }}")
    page.get_by_role("radio", name="own").check()
    shifted = page.evaluate(f"() => {{ {at} return map.project(p, 12); }}")
    lng, lat = convert(114.4, 30.5, source="wgs84", target="gcj02")
    true = page.evaluate(
        "([lat, lng]) => L.CRS.EPSG3857.latLngToPoint(L.latLng(lat, lng), 12)", [float(lat), float(lng)]
    )
    assert (shifted["x"], shifted["y"]) == pytest.approx((true["x"], true["y"]), abs=0.01)
    assert abs(shifted["x"] - plain["x"]) > 5
    home = page.evaluate(f"() => {{ {at} return map.unproject(map.project(p, 12), 12); }}")
    assert (home["lat"], home["lng"]) == pytest.approx((30.5, 114.4), abs=1e-9)


def test_tiles_that_cannot_be_reached_are_told_and_the_map_goes_on(opened, overview):
    page = opened(overview | {"basemaps": [base("http://127.0.0.1:9")]})
    legend(page)
    page.get_by_role("radio", name="own").click()
    expect(page.locator(".gc-tiles [role=status]")).to_contain_text("连不上")
    expect(page.get_by_role("radio", name="离线底图")).to_be_checked()
    expect(page.locator("img.leaflet-tile")).to_have_count(0)
