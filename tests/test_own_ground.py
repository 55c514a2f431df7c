"""Files that a planner drops on 找地: told what they are, refused in words, made a screening that the CLI repeats."""

import io
import zipfile
from dataclasses import replace

import anyio
import geopandas as gpd
import httpx
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from app import cached_find, finding
from app.finding import Finding
from app.texts import text
from app.web import guard as guards
from app.web import requests, tickets, tiles
from geo_cluster import scratch, serving
from geo_cluster.box import pixels
from geo_cluster.box.limits import ENVIRONMENT
from geo_cluster.errors import InputError
from geo_cluster.imports.files import together
from geo_cluster.suitability import misuses, own, picture, pieces, run, screen, uses
from geo_cluster.suitability import spec as specs
from geo_cluster.suitability.brought import DECLARED, SPEC, Brought
from geo_cluster.suitability.criteria import NO_SCORE
from geo_cluster.suitability.exclusions import OUTSIDE, UNKNOWN
from geo_cluster.suitability.grid import Grid
from tests.test_app import opened, says

HUBEI = "+proj=aea +lat_1=29.75 +lat_2=32.5 +lat_0=31 +lon_0=112 +ellps=GRS80 +units=m"
WEST, NORTH, CELL, SHAPE = 270_000, -60_000, 30.0, (80, 100)
MOST = 10**8
RANDOM = np.random.default_rng(7)
HEIGHTS = (np.add.outer(np.arange(80), np.arange(100)) * 1.5 + RANDOM.random(SHAPE)).astype("float32")
COVER = RANDOM.choice(np.array([10, 40, 50, 80], np.uint8), SHAPE)
MASK = (RANDOM.random(SHAPE) < 0.2).astype("uint8")


def tif(band, *, west=WEST, north=NORTH, cell=CELL, crs=HUBEI, driver="GTiff", units="", more=(), **options):
    """A GeoTIFF of one band, or of more, as bytes."""
    options |= {"driver": driver, "dtype": band.dtype, "height": band.shape[0], "width": band.shape[1]}
    options |= {"count": 1 + len(more), "crs": crs}
    if west is not None:
        options["transform"] = from_origin(west, north, cell, cell)
    with MemoryFile() as memory:
        with memory.open(**options) as file:
            for at, one in enumerate((band, *more), start=1):
                file.write(one, at)
            if units:
                file.units = [units] * file.count
        return memory.read()


def outlines(kind="polygon", crs=HUBEI):
    shape = shapely.box(WEST + 300, NORTH - 2000, WEST + 2700, NORTH - 300)
    shape = shape if kind == "polygon" else shapely.LineString(shape.exterior.coords)
    return gpd.GeoDataFrame({"a": [1]}, geometry=[shape], crs=crs).to_json(to_wgs84=True).encode()


FILES = {
    "武汉 DEM.tif": tif(HEIGHTS, nodata=-9999, driver="COG"),
    "cover.tif": tif(COVER, nodata=0),
    "mask.tif": tif(MASK, nbits=1),
    "roads.geojson": outlines("line"),
}


def dropped(folder, files=FILES):
    """Files taken in, each used as proposed, with a source."""
    brought = Brought(folder / "brought")
    assert brought.add(list(files.items())) == []
    used = {key: replace(uses.proposed(piece), source="made up") for key, piece in brought.pieces.items()}
    return brought, used


def codes(brought, used, **ground):
    """What is wrong, as codes by file."""
    ground = replace(uses.proposed_ground(brought.pieces, used, "test", most=MOST), **ground)
    found = misuses.faults(brought.pieces, used, ground, most=ground_most(ground))
    for fault in found:
        assert fault.words("zh").remedy and fault.words("en").remedy
    return {(fault.place.name, fault.code.removeprefix("suitability.")) for fault in found}


def ground_most(_ground):
    return MOST


def refusal(content, name="a.tif", **more):
    with pytest.raises(InputError) as refused:
        pixels.look(content, name, **more)
    return [fault.code for fault in refused.value.faults]


# ---- the box ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_pixels_come_out_of_the_box_as_they_stand_in_the_file(dtype, monkeypatch):
    band = (RANDOM.random((70, 45)) * 200).astype(dtype)
    band[3, 4] = 7
    content = tif(band, nodata=7, tiled=True, blockxsize=16, blockysize=16, compress="deflate")
    looked = pixels.look(content, "a.tif")
    assert (looked.shape, looked.dtype, looked.nodata) == ((70, 45), dtype, 7)
    known = band[band != 7]
    assert (looked.least, looked.most, looked.known) == (known.min(), known.max(), known.size)
    monkeypatch.setattr(pixels, "AT_ONCE", 2048)
    parts = list(pixels.rows(content, "a.tif", looked))
    assert len(parts) > 1 and (np.concatenate(parts) == band).all()


def test_a_raster_says_its_classes_bands_bits_and_unit():
    looked = pixels.look(FILES["cover.tif"], "cover.tif")
    assert dict(looked.classes) == {int(one): int(np.count_nonzero(one == COVER)) for one in np.unique(COVER)}
    assert pixels.look(FILES["mask.tif"], "mask.tif").bits == 1
    assert pixels.look(FILES["武汉 DEM.tif"], "dem.tif").is_cog
    two = tif(HEIGHTS, more=(HEIGHTS + 100,), units="ft")
    second = pixels.look(two, "two.tif", band=2)
    assert (second.bands, second.unit) == (2, "ft") and second.least == pytest.approx(HEIGHTS.min() + 100)
    assert pixels.look(FILES["cover.tif"], "cover.tif", unknown="10").known == (COVER != 10).sum()
    assert pixels.look(FILES["cover.tif"], "cover.tif", unknown="none").known == COVER.size
    assert refusal(two, band=3) == ["box.no_such_band"]


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:4490", "EPSG:4547", "EPSG:3035", "EPSG:32650", HUBEI])
def test_a_reference_system_comes_out_as_it_is(crs):
    looked = pixels.look(tif(COVER, crs=crs, west=100.0, north=30.0, cell=0.01), "a.tif")
    assert pyproj.CRS.from_wkt(looked.crs).equals(pyproj.CRS.from_user_input(crs), ignore_axis_order=True)


def test_what_is_no_whole_geotiff_is_refused_in_words(monkeypatch, tmp_path):
    whole = FILES["武汉 DEM.tif"]
    vrt = b'<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand><SourceFilename>/etc/passwd</SourceFilename>'
    assert refusal(vrt) == ["box.not_a_raster"]
    assert refusal(b"") == ["box.empty"]
    assert refusal(whole[: len(whole) * 2 // 3])[0] in ("box.cut_raster", "box.broken_raster")
    assert refusal(whole[:300])[0] in ("box.cut_raster", "box.broken_raster")
    assert refusal(b"II*\0" + RANDOM.bytes(4000))[0] == "box.broken_raster"
    assert refusal(tif(HEIGHTS.astype("complex64"))) == ["box.no_real_numbers"]
    own_limits = tmp_path / "limits.toml"
    own_limits.write_text("pixels = 1000", encoding="utf-8")
    monkeypatch.setenv(ENVIRONMENT, str(own_limits))
    assert refusal(whole) == ["box.too_many_pixels"]


# ---- what they are, and what is wrong -----------------------------------------------------------------------


def test_a_role_is_suggested_by_name_or_by_numbers(tmp_path):
    brought, used = dropped(tmp_path)
    assert [one.role for one in used.values()] == ["slope", "cover", "mask", "near"]
    assert [pieces.suggested(one)[1] for one in brought.pieces.values()] == ["name", "numbers", "numbers", "name"]
    assert used["own2"].legend == "worldcover" and used["own2"].takes == (10, 50, 80)
    clcd = tif(RANDOM.choice(np.array([1, 2, 5, 8], np.uint8), SHAPE), nodata=0)
    more = {"x.tif": tif(HEIGHTS, nodata=-9999), "price.tif": tif(HEIGHTS + 20_000), "c.tif": clcd}
    more |= {"研究范围.geojson": outlines(), "feet.tif": tif(HEIGHTS, units="US survey foot")}
    brought, used = dropped(tmp_path / "more", more)
    assert [one.role for one in used.values()] == ["slope", "number", "cover", "area", "slope"]
    assert used["own3"].legend == "clcd" and used["own5"].unit == "ft"


def test_every_fault_of_every_file_is_named_at_once(tmp_path):
    bad = {
        "nocrs.tif": tif(COVER, nodata=0, crs=None),
        "nowhere.tif": tif(COVER, nodata=0, crs=None, west=None),
        "feet_dem.tif": tif(HEIGHTS * 80, nodata=-9999),
        "says_feet_dem.tif": tif(HEIGHTS, nodata=-9999, units="ft"),
        "worldcover.tif": tif(np.where(COVER == 40, 37, COVER).astype("uint8"), nodata=0),
        "round.tif": tif((RANDOM.random(SHAPE) < 0.98).astype("uint8")),
        "far.tif": tif(HEIGHTS, nodata=-9999, west=WEST + 90_000),
        "unknown.tif": tif(np.zeros(SHAPE, "uint8"), nodata=0),
        "线.geojson": outlines("line"),
        "fine.tif": tif(COVER, nodata=0),
    }
    brought, used = dropped(tmp_path, bad)
    key = {piece.name: one for one, piece in brought.pieces.items()}
    used[key["says_feet_dem.tif"]] = replace(used[key["says_feet_dem.tif"]], unit="m")
    used[key["线.geojson"]] = replace(used[key["线.geojson"]], role="mask", buffer_m=0.0, source=" ")
    used[key["unknown.tif"]] = replace(used[key["unknown.tif"]], role="mask")
    expected = {
        ("nocrs.tif", "choose_crs"),
        ("nowhere.tif", "choose_crs"),
        ("nowhere.tif", "lies_nowhere"),
        ("feet_dem.tif", "choose_unit"),
        ("says_feet_dem.tif", "other_unit"),
        ("worldcover.tif", "other_legend"),
        ("round.tif", "choose_unknown"),
        ("round.tif", "turn_it_round"),
        ("far.tif", "meets_no_other"),
        ("unknown.tif", "nothing_known"),
        ("线.geojson", "choose_buffer"),
        ("线.geojson", "whose_is_it"),
    }
    found = codes(brought, used)
    assert expected <= found
    assert not [one for one in found if one[0] == "fine.tif"]


def test_faults_go_as_they_are_mended(tmp_path):
    brought, used = dropped(tmp_path)
    assert codes(brought, used) == {("mask.tif", "choose_unknown")}
    mended = {**used, "own3": replace(used["own3"], unknown="none")}
    assert codes(brought, mended) == set()
    most = {**mended, "own3": replace(mended["own3"], takes=(0, 1))}
    assert codes(brought, most) == {("mask.tif", "turn_it_round")}
    assert codes(brought, {**most, "own3": replace(most["own3"], takes_most=True)}) == set()
    assert codes(brought, {**mended, "own2": replace(mended["own2"], takes=())}) == {("cover.tif", "takes_nothing")}
    assert codes(brought, {**mended, "own1": replace(mended["own1"], crs="EPSG:9999999")}) >= {
        ("武汉 DEM.tif", "no_such_crs")
    }
    aside = {key: replace(use, role="aside") for key, use in mended.items()}
    assert {code for _, code in codes(brought, aside)} == {"nothing_used"}
    assert {code for _, code in codes(brought, mended, cell_m=0.01)} == {"too_many_cells"}
    only = {key: replace(use, role="mask" if key == "own3" else "aside") for key, use in mended.items()}
    assert {code for _, code in codes(brought, only, with_layers=False)} == {"nothing_counts"}
    assert {code for _, code in codes(brought, mended, crs="EPSG:4326")} == {"not_in_metres"}


def test_germany_is_not_refused_and_gets_an_equal_area_grid_of_its_own(tmp_path):
    files = {"dem.tif": tif(HEIGHTS, crs="EPSG:3035", west=4_100_000, north=3_100_000, nodata=-9999)}
    brought, used = dropped(tmp_path, files)
    ground = uses.proposed_ground(brought.pieces, used, "Aachen", most=MOST)
    assert ground.crs.startswith("+proj=laea") and ground.cell_m == 30 and not ground.with_layers
    assert codes(brought, used) == set()


# ---- the spec -----------------------------------------------------------------------------------------------


def ready(tmp_path, **ground):
    brought, used = dropped(tmp_path)
    used["own3"] = replace(used["own3"], unknown="none")
    ground = replace(uses.proposed_ground(brought.pieces, used, "试", most=MOST), with_layers=False, **ground)
    brought.build(own.row_of(brought.pieces, used, ground))
    return brought


def test_the_spec_and_files_that_are_taken_along_give_the_same_bytes(tmp_path):
    brought = ready(tmp_path)
    here = run.run(screen.ready(specs.read(brought.spec)), tmp_path / "here")
    zipfile.ZipFile(io.BytesIO(brought.packed())).extractall(tmp_path / "away")
    away = run.run(screen.ready(specs.read(tmp_path / "away" / SPEC)), tmp_path / "there")
    assert 0 < here.free < here.cells
    assert here.score.read_bytes() == away.score.read_bytes()
    assert here.code.read_bytes() == away.code.read_bytes()
    with rasterio.open(here.code) as file:
        taken = file.read(1)
    slope = list(specs.read(brought.spec).exclusions)
    assert slope == ["own1", "own2", "own3"]
    rows, columns = np.nonzero((taken == 2) | (taken == 3))
    assert rows.size and np.isin(COVER[rows, columns], (10, 50, 80)).sum() >= (taken == 2).sum()


def test_a_zip_of_a_spec_and_its_files_is_dropped_again(tmp_path):
    first = ready(tmp_path)
    files = together(pixels.unpacked(first.packed(), "screening.zip"))
    again = Brought(tmp_path / "again")
    assert again.add(files) == []
    again.build(again.brought)
    ours, theirs = (specs.read(one.spec).model_dump(exclude={"folder"}) for one in (first, again))
    for spec in (ours, theirs):
        for source in spec["sources"].values():
            source.pop("file")  # a copy of its own
    assert ours == theirs
    assert "copy-" not in again.declared.decode() and (again.folder / DECLARED).exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (('file = "cover.tif"', 'file = "/etc/passwd"'), "suitability.file_not_brought"),
        (('file = "cover.tif"', 'file = "../other/geheim.tif"'), "suitability.file_not_brought"),
        (('anchor = "future_city"', 'layers = "/srv/layers"'), "suitability.layers_elsewhere"),
        (('crs = "+proj', 'crs = "+nadgrids=/tmp/x +proj'), "box.system_elsewhere"),
    ],
)
def test_a_spec_that_is_dropped_reaches_no_file_but_those_that_came_with_it(tmp_path, change, code):
    spec = ready(tmp_path).declared.decode()
    assert change[0] in spec
    brought = Brought(tmp_path / "other")
    found = brought.add([(SPEC, spec.replace(*change).encode()), *FILES.items()])
    assert [fault.code for fault in found] == [code] and not brought.brought


def test_names_of_files_are_plain_and_apart():
    taken = set()
    for name in ("../../etc/x.tif", "C:\\data\\x.TIF", "a\nb*[c](d).tif", "....tif"):
        found = pieces.file_name(name, taken, ".tif")
        assert found not in taken and "/" not in found and "\\" not in found and "\n" not in found
        assert found.endswith(".tif") and not found.startswith(".")
        taken.add(found)


def test_a_file_that_is_removed_is_gone_with_its_copy(tmp_path):
    brought = ready(tmp_path)
    assert len(list(brought.folder.glob("copy-*"))) == 3
    brought.remove("own2")
    assert len(list(brought.folder.glob("copy-*"))) == 2 and not (brought.folder / "cover.tif").exists()


# ---- the surface, cell by cell ------------------------------------------------------------------------------


def overview(path, level):
    """A surface at one of its overviews."""
    with rasterio.open(path, **({"overview_level": level - 1} if level else {})) as file:
        return file.read(1)


def test_a_tile_shows_each_cell_and_the_overview_from_afar(tmp_path):
    grid = Grid(HUBEI, 30.0, 270_000, -60_000, 1300, 1100)
    likely = RANDOM.integers(0, 10_000, (1300, 1100)).astype("uint16")
    code = RANDOM.choice(np.array([0, 0, 0, 1, UNKNOWN, OUTSIDE], np.uint8), likely.shape)
    likely[code != 0] = NO_SCORE
    for name, band in (("score.tif", likely), ("exclusions.tif", code)):
        (tmp_path / name).write_bytes(tif(band, crs=HUBEI, driver="COG", blocksize=256, overview_resampling="nearest"))
    answer = run.Answer(tmp_path, grid, 1, 1, 1, None)
    look = {"span": (0.0, 100.0), "colours": [f"#{one:02x}{one:02x}{one:02x}" for one in range(0, 250, 10)]}
    look |= {"taken": "#0000ff80", "unknown": "#ff00ffff"}
    lon, lat = pyproj.Transformer.from_crs(HUBEI, 4326, always_xy=True).transform(285_000, -80_000)
    for zoom, level in ((15, 0), (11, 1)):
        side = 2 * picture.EDGE_M / 2**zoom
        x, y = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
        at = zoom, int((x + picture.EDGE_M) // side), int((picture.EDGE_M - y) // side)
        got = np.array(Image.open(io.BytesIO(picture.tile(answer, at, **look))).convert("RGBA"))
        place = (np.arange(256) + 0.5) / 256 * side
        x, y = np.meshgrid(at[1] * side - picture.EDGE_M + place, picture.EDGE_M - at[2] * side - place)
        east, north = pyproj.Transformer.from_crs(3857, HUBEI, always_xy=True).transform(x, y)
        column, row = (east - grid.west) / 30, (grid.north - north) / 30
        row, column = (np.floor(one).astype(int) >> level for one in (row, column))
        likely, code = (overview(tmp_path / name, level) for name in ("score.tif", "exclusions.tif"))
        inside = (row >= 0) & (column >= 0) & (row < likely.shape[0]) & (column < likely.shape[1])
        assert inside.mean() > 0.2
        row, column = np.where(inside, row, 0), np.where(inside, column, 0)
        expected = np.zeros((256, 256, 4), np.uint8)
        shade = (likely[row, column] // 400 * 10).astype("uint8")
        free = likely[row, column] != NO_SCORE
        expected[free] = np.stack([shade, shade, shade, np.full_like(shade, 255)], axis=-1)[free]
        expected[~free] = (0, 0, 255, 128)
        expected[code[row, column] == UNKNOWN] = (255, 0, 255, 255)
        expected[~inside | (code[row, column] == OUTSIDE)] = 0
        assert (got == expected).all(axis=-1).mean() > 0.995
    far = np.array(Image.open(io.BytesIO(picture.tile(answer, (3, 6, 3), **look))).convert("RGBA"))
    assert (far[..., 3] > 0).sum() < 20, "all of it is a few pixels of the world"
    beyond = np.array(Image.open(io.BytesIO(picture.tile(answer, (9, 0, 0), **look))).convert("RGBA"))
    assert not beyond[..., 3].any()


def test_tiles_are_there_as_long_as_the_surface_is_shown():
    shown = tiles.Pyramid("0" * 24, lambda *_: b"png", None)
    assert tiles.drawn("0" * 24, 3, 7, 7) == b"png"
    assert tiles.drawn("0" * 24, 3, 8, 7) is None and tiles.drawn("1" * 24, 3, 7, 7) is None
    assert tiles.PATH.fullmatch(f"{shown.address}/3/7/7.png") and not tiles.PATH.fullmatch("surface/../3/7/7.png")
    del shown
    assert tiles.drawn("0" * 24, 3, 7, 7) is None


def test_a_tile_is_for_the_visitor_whose_page_was_told_its_address():
    shown = tiles.Pyramid("a" * 24, lambda zoom, column, row: f"{zoom} {column} {row}".encode(), None)

    async def streamlit(scope, receive, send):
        raise AssertionError(scope["path"])

    guard = guards.Guard(streamlit, serving=serving.Serving(), auth=None)

    async def asked(visitor, ticket, at="/3/7/6.png"):
        cookies = {requests.VISITOR: create_signed_value(get_cookie_secret(), requests.VISITOR, visitor).decode()}
        transport = httpx.ASGITransport(app=guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", cookies=cookies) as client:
            answer = await client.get(f"/{shown.address}{at}", params={"for": ticket})
            return answer.status_code, answer.content, answer.headers["cache-control"]

    async def go():
        told = tickets.ticket(shown.address, "li/")
        assert await asked("li", told) == (200, b"3 7 6", "private, no-store")
        assert [(await asked(*one))[0] for one in (("wu", told), ("li", "0" * 32), ("li", told, "/3/8/6.png"))] == [
            404
        ] * 3

    anyio.run(go)


def test_what_was_found_on_files_goes_with_them():
    every = finding.Findings()
    job = Finding(held=scratch.hold(scratch.folder() / "screenings" / "x"), folder="/a")
    every._findings["x"] = job
    every.forget("/b")
    assert every.find("x") is job
    every.forget("/a")
    assert every.find("x") is None and job.stopped


# ---- the page -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_files_dropped_on_the_page_become_its_screening_and_nobody_elses():
    page = opened("find", **{"find-ground-zh": cached_find.OWN})
    files = {**FILES, "cut.tif": FILES["武汉 DEM.tif"][:9000]}
    page.file_uploader[0].set_value([(name, content, "image/tiff") for name, content in files.items()])
    page.run()
    assert not page.exception
    assert "cut.tif" in page.error[0].value and "重新取得" in page.error[0].value
    assert page.button(key="find-own-build").disabled and "mask.tif" in page.warning[0].value
    for key in ("own1", "own2", "own3", "own4"):
        page.text_input(key=f"find-own-{key}-source").set_value("某局，2026 年")
    page.text_input(key="find-own-own3-unknown").set_value("none")
    page.run()
    assert not page.warning
    page.button(key="find-own-build").click().run()
    assert not page.exception and not page.error
    assert text("own.edit", "zh") in [one.label for one in page.button]
    assert "坡度大于 15%（武汉 DEM）" in [one.label for one in page.checkbox]
    other = opened("find", **{"find-ground-zh": cached_find.OWN})
    assert text("own.none", "zh") in says(other)
    page.button(key="find-own-remove-all").click().run()
    assert text("own.none", "zh") in says(page)
