"""What the supply area may spare counts in regions; the screening that stays with a work is the one that was run."""

import shutil
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from geo_cluster.domain import KnownBetter
from geo_cluster.errors import DataError, InputError
from geo_cluster.export import map_sheets, pack, screened
from geo_cluster.export.outline import Grid, Sheet, outline
from geo_cluster.scoring.values import ValueFunction
from geo_cluster.suitability import headroom, kept, regions, run, screen
from geo_cluster.suitability.criteria import NO_SCORE
from geo_cluster.suitability.headroom import Headroom
from geo_cluster.world import catalog
from tests import screenings
from tests.test_suitability import CELL, COLUMNS, CRS, NORTH, ROWS, WEST, ready, row

__all__ = ["row"]
MIDDLE, EAST, SOUTH = WEST + 64 * CELL, WEST + COLUMNS * CELL, NORTH - ROWS * CELL


def halves(west, east, share=0.5):
    """Two counties: in each (low, likely, high) MVA and how one knows."""
    boxes = [shapely.box(WEST, SOUTH, MIDDLE, NORTH), shapely.box(MIDDLE, SOUTH, EAST, NORTH)]
    rows = [
        {"pool": pool, "pool_zh": "", "pool_en": "", "mva_basis": basis, **dict(zip(headroom.ENDS, ends, strict=True))}
        for pool, (ends, basis) in (("A0", west), ("A1", east))
    ]
    return Headroom(gpd.GeoDataFrame(rows, geometry=boxes, crs=CRS), share)


@pytest.fixture
def found(row, tmp_path):
    made = ready(row)
    answer = run.run(made, tmp_path / "out", tile=30)

    def find(power, mva=10.0):
        need = made.spec.need.model_copy(update={"mva": mva, "count": 6})
        return regions.find(answer, need, screen=made, headroom=power)

    return find


PLENTY, NONE = (300.0, 400.0, 500.0), (0.0, 1.0, 2.0)


def test_only_land_whose_area_is_known_to_have_too_little_is_left_out(found):
    plain = found(None)
    assert {True, False} == set(plain.centroid.x < MIDDLE), "the best land lies in both counties"
    known = found(halves((NONE, "published"), (PLENTY, "published")))
    assert len(known) and set(known["pool"]) == {"A1"} and set(known["mva_fits"]) == {"enough"}
    assumed = found(halves((NONE, "assumed"), (NONE, "assumed")))
    assert set(assumed["mva_fits"]) == {"doubtful"}
    assert sorted(assumed["score"]) == sorted(plain["score"]), "what is assumed leaves out nothing"
    nowhere = halves((NONE, "published"), (NONE, "published"))
    nowhere = replace(nowhere, counties=nowhere.counties.set_geometry(nowhere.counties.translate(1e6)))
    unknown = found(nowhere)
    assert set(unknown["mva_fits"]) == {"unknown"} and sorted(unknown["score"]) == sorted(plain["score"])
    without = found(halves((NONE, "published"), (PLENTY, "published")), mva=0.0)
    assert without["score"].tolist() == plain["score"].tolist() and "total" not in without


def test_regions_rank_by_land_and_power_as_the_study_weighs_them(found):
    west, east = (5.0, 10.0, 300.0), (20.0, 40.0, 80.0)
    got = found(halves((west, "assumed"), (east, "published"), share=0.9))
    assert got["total"].is_monotonic_decreasing and not got["score"].is_monotonic_decreasing
    assert got["pool"].iloc[0] == "A1", "the county with more comes first"
    declared = catalog.criteria()["power_cover"]
    worth = ValueFunction.from_dict({**declared.value, "worst": declared.worst, "best": declared.best})
    for one in got.itertuples():
        low, likely, high = west if one.pool == "A0" else east
        ends = zip((one.total_low, one.total, one.total_high), (one.score_low, one.score, one.score_high), strict=True)
        for (total, score), mva in zip(ends, (low, likely, high), strict=True):
            assert total == pytest.approx(0.1 * score + 0.9 * 100 * float(worth.value(mva / 10.0)))


@pytest.mark.slow
def test_the_headroom_of_a_place_is_what_the_study_goes_by_and_whom_to_ask_is_said():
    after, spec, _, found, _ = screenings.screened()
    study = screenings.done()
    spare = study.region.observations.query("attribute == 'spare_mva'").set_index("site_id")
    station = study.sites.set_index("id").loc["L01", "station"]
    first = found.iloc[0]
    assert first["pool"] == station
    assert [first[end] for end in headroom.ENDS] == spare.loc[station, ["low", "likely", "high"]].tolist()
    assert first["mva_basis"] == spare.loc[station, "basis"] == "assumed"
    for language in ("zh", "en"):
        assert headroom.whom(language) in headroom.said(first, language)
    knows = KnownBetter(subject=station, attribute="spare_mva", low=1, likely=2, high=3, source="test")
    better = headroom.headroom_of(after.model_copy(update={"known": (knows,)}), spec)
    (now,) = better.counties[better.counties["pool"] == station].to_dict("records")
    assert [now[end] for end in headroom.ENDS] == [1, 2, 3]
    assert Headroom.verdicts(better.counties[better.counties["pool"] == station], 20.0) == ["short"]
    assert headroom.whom("zh") not in headroom.said(now, "zh")


# ---- what stays with a work -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_kept_is_the_surface_in_half_points_with_its_regions():
    after, spec, answer, found, _ = screenings.screened()
    there = kept.opened(after.layers)
    with rasterio.open(answer.score) as score, rasterio.open(answer.code) as code:
        likely, taken = score.read(1), code.read(1)
    assert np.array_equal(there.code, taken)
    assert np.array_equal(there.likely, np.where(likely == NO_SCORE, NO_SCORE, likely // 50 * 50))
    assert there.regions["site"].tolist() == ["L01", "", ""]
    assert there.regions["score"].tolist() == pytest.approx(found["score"].tolist())
    assert (there.regions.geometry.distance(found.to_crs(4326).geometry) < 1e-9).all()
    assert there.is_sample and there.free_share == pytest.approx(answer.free_pct / 100)
    assert set(there.about["sources"]) == {*spec.sources}


@pytest.mark.slow
def test_a_large_surface_is_kept_by_its_overview(monkeypatch, tmp_path):
    after, spec, *_ = screenings.screened()
    spec = spec.of_grid(cell_m=200)
    answer = run.run(screen.ready(spec), tmp_path / "out")
    found, own = regions.find(answer, spec.need).iloc[:1], tmp_path / "own"
    shutil.copytree(after.layers, own)
    monkeypatch.setattr(kept, "MOST_CELLS", answer.grid.rows * answer.grid.columns // 2)
    kept.keep(answer, spec, found, own, sites=["L01"], parks=regions.around(answer, found.iloc[:0]))
    there = kept.opened(own)
    assert there.grid.cell_m == 400 and there.about["cell_m"] == 200
    assert there.code.shape == (-(-answer.grid.rows // 2), -(-answer.grid.columns // 2))


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_kept_screening_that_is_damaged_is_named(tmp_path, damage):
    whole = (Path(screenings.screened()[0].layers) / kept.FILE).read_bytes()
    (tmp_path / kept.FILE).write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with pytest.raises(DataError) as refusal:
        kept.opened(tmp_path)
    assert [one.code for one in refusal.value.faults] == ["suitability.kept_damaged"]
    assert kept.opened("") is None


@pytest.mark.slow
def test_the_briefing_tells_of_the_screening_where_the_work_has_a_site_of_it():
    study = screenings.done()
    made = outline(study, language="en")
    parts = {part.key: part for part in made.parts}
    assert [type(block) for block in parts["suitability"].blocks] == [Sheet]
    (grid,) = parts["regions"].blocks
    assert isinstance(grid, Grid) and [line[2] for line in grid.texts] == ["L01", "—", "—"]
    assert "made-up rasters" in parts["suitability"].message
    assert "suitability" in made.chapters()["Where the chain and supply stand"][2].key
    bare = replace(study, region=replace(study.region, layers=type(study.layers)("")))
    assert screened.screening(bare) is None
    assert "suitability" not in {part.key for part in outline(bare).parts}
    with pytest.raises(InputError) as refusal:
        map_sheets.map_sheet(bare, "suitability")
    assert [one.code for one in refusal.value.faults] == ["export.no_screening"]
    with pytest.raises(InputError) as refusal:
        list(pack.made(pack.Order(bare), ("suitability_map",)))
    assert [one.code for one in refusal.value.faults] == ["export.no_screening"]
    assert pack.MAKERS["suitability_map"](pack.Order(bare)) == {}
