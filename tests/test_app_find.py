"""The page 找地: the sample at first start, weights and rules that move the surface, a region that becomes a site."""

import html
import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest

from app import cached_find, finding
from app.finding import Finding
from app.texts import text
from app.views.find.surface import CLICKED
from geo_cluster import scratch, study
from geo_cluster.export.outline import outline
from geo_cluster.export.screened import screening
from geo_cluster.report import tables
from geo_cluster.suitability import asks, picture, run
from geo_cluster.suitability.candidates import CLASS
from geo_cluster.suitability.criteria import NO_SCORE
from geo_cluster.suitability.exclusions import OUTSIDE, UNKNOWN
from geo_cluster.suitability.grid import Grid
from geo_cluster.suitability.headroom import headroom_of
from geo_cluster.world import catalog, portfolio
from tests.test_app import CJK, LANGUAGES, opened, says


def found(page):
    """The page once its regions are there."""
    end = time.monotonic() + 120
    while page.get("progress") and time.monotonic() < end:
        time.sleep(0.2)
        page.run()
    return page


# ---- the picture ------------------------------------------------------------------------------------------------


GRID = Grid("+proj=aea +lat_1=29.75 +lat_2=32.5 +lat_0=31 +lon_0=112 +ellps=GRS80 +units=m", 250.0, 2e5, -5e4, 200, 160)


def test_a_pixel_shows_the_cell_that_lies_at_its_place():
    laid = picture.laid_out(GRID)
    (south, west), (north, east) = laid.bounds
    height, width = laid.cell.shape
    (left, right), (bottom, top) = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(
        [west, east], [south, north]
    )
    x, y = np.meshgrid(
        left + (np.arange(width) + 0.5) * (right - left) / width,
        top - (np.arange(height) + 0.5) * (top - bottom) / height,
    )
    x, y = pyproj.Transformer.from_crs(3857, GRID.crs, always_xy=True).transform(x, y)
    column, row = (x - GRID.west) / GRID.cell_m, (GRID.north - y) / GRID.cell_m
    inside = (column >= 0) & (column < GRID.columns) & (row >= 0) & (row < GRID.rows)
    shown_row, shown_column = np.divmod(laid.cell, GRID.columns)
    both = inside & (laid.cell < GRID.rows * GRID.columns)
    assert (inside == (laid.cell < GRID.rows * GRID.columns)).mean() > 0.998
    assert np.abs(row - shown_row - 0.5)[both].max() < 0.52  # within its cell, but for a fiftieth at an edge
    assert np.abs(column - shown_column - 0.5)[both].max() < 0.52
    few = picture.laid_out(GRID, most=1000)
    assert few.cell.size < 1300 and few.bounds == pytest.approx(np.array(laid.bounds), abs=0.05)


def test_colours_say_score_rule_unknown_and_outside():
    from PIL import Image

    code = np.zeros((200, 160), np.uint8)
    code[:50], code[50:80], code[80:100] = OUTSIDE, 3, UNKNOWN
    likely = np.full(code.shape, NO_SCORE, np.uint16)
    likely[100:] = np.linspace(2000, 8000, 100)[:, None]
    ramp = ["#000000", "#404040", "#808080", "#c0c0c0"]
    laid = picture.laid_out(GRID)
    png = picture.drawn(laid, code, likely, span=(20, 80), colours=ramp, taken="#0000ff80", unknown="#ff00ffff")
    got = np.array(Image.open(io.BytesIO(png)).convert("RGBA")).reshape(-1, 4)
    cell = laid.cell.ravel()
    row = cell // GRID.columns
    expected = np.zeros((len(cell), 4), np.uint8)
    expected[(row >= 50) & (row < 80)] = (0, 0, 255, 128)
    expected[(row >= 80) & (row < 100)] = (255, 0, 255, 255)
    for at in np.flatnonzero((row >= 100) & (row < 200)):
        grey = 0x40 * min(int((likely[row[at], 0] / 100 - 20) / 15), 3)
        expected[at] = (grey, grey, grey, 255)
    assert (got == expected).all()
    assert picture.classes(likely, count=4) == (20.0, 80.0)
    low, cells = picture.histogram(likely)
    assert cells.sum() == 100 * 160
    for lower, count in zip(low, cells, strict=True):
        assert count == ((likely >= lower * 100) & (likely < (lower + 2) * 100)).sum()
    assert picture.classes(np.full((2, 2), NO_SCORE, np.uint16), count=10) == (0.0, 100.0)


def test_the_spec_of_the_docs_reads_and_a_folder_of_specs_is_offered(tmp_path, monkeypatch):
    page = (Path(__file__).parent.parent / "docs" / "rasters.md").read_text(encoding="utf-8")
    (tmp_path / "hubei.toml").write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    monkeypatch.setenv(cached_find.FOLDER, str(tmp_path))
    assert list(cached_find.offered()) == [cached_find.SAMPLE, cached_find.OURS, "hubei"]
    spec = cached_find.spec_of("hubei")
    assert spec.grid.cell_m == 30 and spec.exclusions["steep"].slope and "GLO-30" in spec.sources["dem"].source
    (tmp_path / "hubei.toml").write_text("name = 1", encoding="utf-8")
    assert cached_find.name_of("hubei").zh == "hubei", (
        "one that can't be read is still listed, and says why when chosen"
    )


# ---- the sample -------------------------------------------------------------------------------------------------


def test_the_sample_is_small_and_says_that_it_is_one():
    import rasterio

    folder = catalog.sample_dir() / "suitability"
    assert sum(one.stat().st_size for one in folder.iterdir()) < 1.5e6
    for one in folder.glob("*.tif"):
        with rasterio.open(one) as file:
            assert "示例" in file.tags()["NOTE"]
    spec = cached_find.spec_of(cached_find.SAMPLE)
    assert spec.name.zh.startswith("示例") and spec.name.en.startswith("Sample")
    assert all("示例" in row.source for row in spec.sources.values() if row.file)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_land_is_found_at_first_start_and_a_click_tells_why(language):
    page = found(opened("find", language))
    assert not page.exception and not page.error
    assert text("find.sample", language) in "\n".join(says(page))
    regions = page.dataframe[0].value
    assert len(regions) == 8
    spec = cached_find.spec_of(cached_find.SAMPLE)
    page.session_state[f"kept-{CLICKED}"] = (114.8, 30.2)
    page.run()
    told = html.unescape("\n".join(says(page)))
    for one in (*spec.exclusions.values(), *spec.criteria.values()):
        assert one.name[language] in told
    if language == "en":
        assert not [one for one in says(page) if CJK.search(one) and "gc-text" not in one]


@pytest.mark.slow
def test_weights_and_rules_move_surface_and_histogram_and_are_said_to_be_newer_than_the_regions():
    page = found(opened("find"))
    spec = cached_find.spec_of(cached_find.SAMPLE)
    ground = cached_find.ground_of(spec)
    first = cached_find.surface_of(ground, spec, {key: one.weight for key, one in spec.criteria.items()})
    assert text("find.earlier", "zh") not in says(page)
    page.slider(key="find-weight-sample-rd_minutes").set_value(0.0).run()
    assert text("find.earlier", "zh") in says(page)
    assert text("find.go", "zh") in [one.label for one in page.button]
    heavy = {key: float(key == "slope") for key in spec.criteria}
    moved = cached_find.surface_of(ground, spec, heavy)
    assert moved.source.address != first.source.address
    assert not np.allclose(moved.bins["share"], first.bins["share"])
    page.checkbox(key="find-rule-sample-trees").set_value(False).run()
    assert not page.exception
    without = spec.model_copy(update={"exclusions": {k: v for k, v in spec.exclusions.items() if k != "trees"}})
    assert cached_find.surface_of(ground, without, heavy).free_ha > first.free_ha


@pytest.mark.slow
def test_the_need_comes_from_a_segment_by_one_choice_and_regions_are_listed_by_segment():
    page = found(opened("find"))
    spec, projects = cached_find.spec_of(cached_find.SAMPLE), portfolio.read("sample")
    wanted = asks.asked(spec, projects, "segment")
    plain = page.dataframe[0].value
    assert "可开放容量（MVA）" in plain and "含用电得分" not in plain
    page.selectbox(key="find-project-zh").set_value(f"segment:{wanted[0].key}").run()
    need = wanted[0].need
    told = [page.number_input(key=f"find-{key}").value for key in ("land", "mva", "hall_width", "hall_length")]
    assert told == pytest.approx([need.land_mu, need.mva, *need.hall_m])
    page.button(key="find-go").click().run()
    found(page)
    with_power = page.dataframe[0].value
    assert with_power["含用电得分"].is_monotonic_decreasing and set(with_power["用电"]) <= {"够用", "多半够用"}
    assert (with_power["面积（亩）"] < plain["面积（亩）"].min()).all()
    found(page.segmented_control(key="find-by-zh").set_value("segment").run())
    page.selectbox(key="find-whose-segment-zh").set_value(wanted[1].key).run()
    assert not page.exception and not page.error
    screened = replace(cached_find.ground_of(spec).exact, spec=spec)
    answer = run.run(screened, scratch.folder() / "by-segment")
    alone = asks.find(answer, screened, [wanted[1]], headroom=headroom_of(catalog.scenario(), spec))
    assert page.dataframe[0].value["含用电得分"].tolist() == pytest.approx(alone["total"].round(1).tolist())
    assert all(html.escape(one.name.zh) in "\n".join(says(page)) for one in wanted)


@pytest.mark.slow
def test_a_region_goes_all_the_way_to_score_plan_and_briefing(tmp_path):
    page = found(opened("find"))
    page.button(key="find-make").click().run()
    assert not page.exception and not page.error
    work = page.session_state["work"]
    (made,) = [name for name in work.files if name.endswith("sites.csv")]
    sites = pd.read_csv(io.BytesIO(work.files[made]), encoding="utf-8-sig")
    (new,) = sites.loc[sites["site_class"] == CLASS, "id"]
    told = "\n".join(says(page) + [one.value for one in page.success])
    assert sites.set_index("id").loc[new, "name_zh"] in told
    scenario = work.settled(tmp_path)
    rival = [one for one in sites["id"] if one.startswith("H")][:1]
    kept = scenario.model_copy(update={"draws": 50, "sites": (new, *rival)})
    result = study.run(kept)
    assert result.violations == ()
    at = result.sites["id"].tolist().index(new)
    scored = np.isfinite(result.decision.score[:, at])
    assert scored.any()
    assert new in set(tables.assignment(result)["site"])
    name = sites.set_index("id").loc[new, "name_zh"]
    assert name.startswith("示例")
    told = outline(result)
    assert name in repr(told)
    assert screening(result).regions["site"].tolist() == [new, *[""] * 7]
    assert "suitability" in [part.key for part in told.parts]
    # what was found stays found, and the same region can't be pressed into a second site
    assert text("find.go", "zh") not in [one.label for one in page.button]
    assert 1 not in page.multiselect[0].options and "1" not in page.multiselect[0].options


def test_a_screening_that_is_stopped_ends_at_the_next_tile_without_an_answer(monkeypatch):
    job, seen = Finding(held=scratch.hold(scratch.folder() / "screenings" / "test")), []

    def tiles(_screen, _folder, *, on_tile):
        for done in range(4):
            seen.append((done, job.share))
            if done == 2:
                job.stop()
            on_tile(done, 4)

    monkeypatch.setattr(finding.run, "run", tiles)
    job.run(None, None)
    assert job.ended and job.found is None and job.refusal is None
    assert [done for done, _ in seen] == [0, 1, 2]
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    early = Finding()
    early.stop()
    early.run(None, None)
    assert early.ended and early.found is None and early.refusal is None
