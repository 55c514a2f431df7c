"""The journey from a planner's parcels to a changed score, and files with faults, as a visitor sees them."""

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlparse

import geopandas as gpd
import pytest
from playwright.sync_api import expect
from shapely import box

from app.texts import text
from geo_cluster.world.layers import Layers
from tests.browser.pages import go, stays_within, turned
from tests.browser.painted import LAPTOP, PHONE
from tests.test_import_cases import messy

BAD = "对象,指标,最可能,单位,依据,来源\nH99,可供工业用地,about,斤,听说,</script>\n"


@pytest.fixture
def small(tmp_path):
    """Two small parcels on offer in Gedian, where the shipped numbers put most projects first; made up."""
    site = Layers().read("sites").set_index("id").loc[["E01"]].to_crs(4547).geometry.iloc[0]
    squares = [box(site.x + 60 * k, site.y, site.x + 60 * k + 50, site.y + 50) for k in range(2)]
    names = {"示例": "示例，非真实数据", "site": "E01", "parcel": ["<b>甲</b>", "乙*2*"], "status": "净地"}
    frame = gpd.GeoDataFrame(names, geometry=squares, crs=4547).to_crs(4326)
    path = tmp_path / "示例_葛店.geojson"
    path.write_text(json.dumps(json.loads(frame.to_json()), ensure_ascii=False), encoding="utf-8")
    return path


def opened(visit, address, language, size, heading):
    page = visit(address, size, accept_downloads=True)
    if language == "en":
        page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", name=text(heading, language), exact=True)).to_be_visible()
    return page


def test_parcels_to_a_changed_score_and_back(visit, server, small):
    """In English on the phone, midway in Chinese on the laptop, then back."""
    language, size = "en", PHONE
    page = opened(visit, f"{server[0]}/score", language, size, "score.title")
    first = page.locator(".gc-verdict").first
    expect(first).to_contain_text("Gedian" if language == "en" else "葛店")
    before = first.inner_text()
    go(page, "data", language, size)
    page.get_by_role("tab", name=text("data.tab.import", language)).click()
    page.locator("input[type=file]").set_input_files(small)
    take = page.get_by_role("button", name=text("data.import.accept", language), exact=True)
    expect(take).to_be_enabled()
    expect(page.get_by_text("示例数据" if language == "zh" else "Sample data")).to_be_visible()
    stays_within(page)
    take.click()
    page.get_by_role("tab", name=text("data.tab.accepted", language)).click()
    expect(page.get_by_text("示例_葛店.geojson").first).to_be_visible()
    go(page, "score", language, size)
    expect(page.locator(".gc-verdict").first).not_to_have_text(before, use_inner_text=True)
    other, screen = turned(page, language, size)
    go(page, "data", other, screen)
    page.get_by_role("tab", name=text("data.tab.accepted", other)).click()
    page.get_by_role("button", name=text("data.revert", other), exact=True).click()
    expect(page.get_by_text(text("data.none_accepted", other))).to_be_visible()
    go(page, "score", other, screen)
    turned(page, other, screen)
    expect(page.locator(".gc-verdict").first).to_have_text(before, use_inner_text=True)


@pytest.mark.parametrize(("language", "size"), [("zh", LAPTOP), ("en", PHONE)], ids=["zh-laptop", "en-phone"])
def test_faults_are_shown_and_can_be_taken_away(visit, server, tmp_path, language, size):
    bad = tmp_path / "bad *b* $x$.csv"
    bad.write_bytes(BAD.encode("gb18030"))
    page = opened(visit, f"{server[0]}/data", language, size, "data.title")
    page.get_by_role("tab", name=text("data.tab.import", language)).click()
    page.locator("input[type=file]").set_input_files(bad)
    expect(page.get_by_text(text("data.import.faults", language, count=4))).to_be_visible()
    expect(page.get_by_text("bad *b* $x$.csv").first).to_be_visible()
    expect(page.get_by_role("button", name=text("data.import.accept", language), exact=True)).to_have_count(0)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=text("data.import.save_faults", language)).click()
    told = waiting.value.path().read_text(encoding="utf-8-sig")
    assert "H99" in told
    assert text("data.fault.remedy", language) in told
    stays_within(page)


def test_a_template_is_downloaded_and_read_again(visit, server):
    page = opened(visit, f"{server[0]}/data", "zh", LAPTOP, "data.title")
    page.get_by_role("tab", name=text("data.tab.import", "zh")).click()
    page.get_by_text(text("data.import.templates", "zh"), exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="XLSX · 观测值").click()
    assert waiting.value.suggested_filename == "observations_template.xlsx"
    page.locator("input[type=file]").set_input_files(
        {"name": "t.xlsx", "mimeType": "application/octet-stream", "buffer": waiting.value.path().read_bytes()}
    )
    expect(page.get_by_text(text("data.import.nothing", "zh"))).to_be_visible()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_whoever_leaves_takes_the_file_that_is_being_read_along(visit, server):
    """The box would go on until its processor time is up; nobody waits for what it reads."""
    columns = dict.fromkeys(map(str, range(30_000)), 1)
    slow = {"type": "Feature", "properties": columns, "geometry": {"type": "Point", "coordinates": [115, 30]}}
    page = opened(visit, f"{server[0]}/data", "zh", LAPTOP, "data.title")
    page.get_by_role("tab", name=text("data.tab.import", "zh")).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "slow.geojson", "mimeType": "application/json", "buffer": json.dumps(slow).encode()}
    )
    port = urlparse(server[0]).port
    busy = _until(lambda: [pid for pid, seconds in _boxes(port).items() if seconds > 1.5])
    page.context.close()
    while there := [seconds for pid, seconds in _boxes(port).items() if pid in busy]:
        assert max(there) < 12, "the box was left to itself"  # its own processor time, whatever else the machine does
        time.sleep(0.05)


def _boxes(port):
    """Processor seconds of each box of the server at a port."""
    found, servers = {}, set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (place / "cmdline").read_bytes()
            parent, spent = _told(place)
            if b"geo_cluster.box" in command:
                found[int(place.name)] = parent, spent
            elif f'"port":{port}'.encode() in command:
                servers.add(int(place.name))
    return {pid: spent for pid, (parent, spent) in found.items() if parent in servers}


def _told(place):
    """Parent and processor seconds of a process."""
    fields = (place / "stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _until(what):
    until = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_messy_sheet_is_matched_mended_and_accepted_in_one_visit(visit, server, tmp_path, language):
    """A title, headings of two rows, units everywhere, a total, a note, and one cell that may mean anything."""
    path = tmp_path / "光谷项目.xlsx"
    path.write_bytes(messy(land="30余亩"))
    page = opened(visit, f"{server[0]}/data", language, LAPTOP, "data.title")
    page.get_by_role("tab", name=text("data.tab.import", language)).click()
    expect(page.get_by_role("button", name=text("data.import.template", language))).to_be_visible()
    page.locator("input[type=file]").set_input_files(path)
    take = page.get_by_role("button", name=text("data.import.accept", language), exact=True)
    expect(page.get_by_text(text("data.table.mend", language)).first).to_be_visible(timeout=60_000)
    expect(take).to_have_count(0)
    stays_within(page)
    table = page.locator('[data-testid="stDataFrame"]:visible').last
    page.wait_for_timeout(2000)  # the table draws itself anew while the page settles
    table.scroll_into_view_if_needed()
    table.click(position={"x": 140, "y": 55})  # what is wrong: a column that is only read
    for _ in range(6):  # to the land
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # opens the cell: typing at once would race the editor for the first letter
    cell = page.locator("textarea.gdg-input")
    expect(cell).to_have_value("30余亩")
    cell.fill("30-35")
    page.keyboard.press("Enter")
    expect(take).to_be_enabled(timeout=60_000)
    take.click()
    expect(page.get_by_test_id("stPopover").first).to_contain_text("光谷项目", timeout=60_000)
