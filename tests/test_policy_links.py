"""Suppliers and buyers within reach, and the sheet of one firm; the audit's Dongfeng question."""

import csv
import io
import tomllib

import numpy as np
import pandas as pd
import pytest
from docx import Document
from typer.testing import CliRunner

from geo_cluster import cli, toml
from geo_cluster.access.travel import matrix
from geo_cluster.errors import InputError
from geo_cluster.export.candidate_paper import candidate_paper, outline_of
from geo_cluster.intake import appraise
from geo_cluster.maps.link_graph import link_graph
from geo_cluster.policy import chain, links
from geo_cluster.policy.why_here import no_plan, why_here
from geo_cluster.region import prepare
from geo_cluster.world import catalog, portfolio
from tests import world
from tests.studies import run
from tests.test_cli import geo_cluster


@pytest.fixture(scope="module")
def region():
    return run().region


def rows(name):
    with (catalog.data_dir() / f"{name}.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def dongfeng(region):
    return links.linkage(region, links.focus_of(region, "F77"))


def test_suppliers_of_dongfeng_are_those_whose_segment_serves_its_uses(dongfeng):
    """Which laser suppliers are within reach of Dongfeng in Shiyan: counted from the files."""
    reach = tomllib.loads((toml.TABLES / "reach.toml").read_text(encoding="utf-8"))
    own = [one for one in rows("demand") if one["chain_id"] == "F77"]
    uses = {use for one in own for use in one["laser_use"].split(";")}
    assert uses == {"welding", "measurement", "cutting", "marking", "cladding"}
    industry = "；".join(one["industry_zh"] for one in own)
    segments = {key for key, served in reach["uses"].items() if set(served) & uses}
    segments |= {key for key, said in reach["industries"].items() if any(word in industry for word in said)}
    firms = [one for one in rows("chain") if one["kind"] in ("firm", "plant") and one["id"] != "F77"]
    fit = {one["id"] for one in firms if set(one["segments"].split(";")) & segments}
    unstated = {one["id"] for one in firms if not one["segments"] and one["stage"] in ("lasers", "equipment")}
    found = dongfeng.suppliers
    assert set(found[found["basis"] == "segment"]["id"]) == fit
    assert set(found[found["basis"] == "stage"]["id"]) == unstated


def test_none_of_them_is_within_two_hours_and_the_nearest_are_told(dongfeng):
    """All that have a place are in and around Wuhan: five hours away, as the road published between them has it."""
    placed = dongfeng.suppliers.dropna(subset="likely")
    assert links.counts(dongfeng.suppliers, 240)["yes"] == 0
    assert placed["likely"].between(290, 400).all()
    assert set(placed["city_zh"]) == {"武汉市", "鄂州市", "黄石市"}
    said = links.sentence(dongfeng, 120)
    assert "供应商 0 家" in said.zh
    assert "武汉金运激光股份有限公司" in said.zh
    assert "suppliers 0" in said.en


def test_who_buys_there_are_its_own_plants_and_those_of_shiyan(dongfeng):
    near = dongfeng.buyers[dongfeng.buyers["likely"] <= 60]
    said = [one for one in rows("demand") if one["city_zh"] == "十堰" and one["row_kind"] == "plant"]
    assert set(near["id"]) == {one["id"] for one in said}
    assert {"D01", "D02", "D03", "D04"} <= set(near["id"])
    assert near.set_index("id")["basis"]["D01"] == "source"  # the only one whose use a source states
    assert near["basis"].value_counts()["inferred"] == len(near) - 1


def test_minutes_are_those_of_the_road_network(region):
    """One by one, by the network and its calibration, with the errors of both points in quadrature."""
    found = links.linkage(region, links.focus_of(region, "E01", segment="optics_crystal"))
    site = region.layers.read("sites").set_index("id").loc[["E01"]]
    chain_ = region.layers.read("chain").set_index("id")
    travel = toml.table("travel")["points"]
    for row in found.suppliers.dropna(subset="likely").head(5).to_dict("records"):
        one = chain_.loc[[row["id"]]]
        span = region.calibration.minutes(matrix(region.network, site.geometry, one.geometry).minutes)
        off = np.hypot(site["coord_uncertainty_m"].iloc[0], one["coord_uncertainty_m"].iloc[0]) / 1000
        off /= travel["km_per_min"]
        likely = span.likely.item()
        assert row["likely"] == pytest.approx(likely, abs=0.06)
        assert row["low"] == pytest.approx(max(likely - np.hypot(likely - span.low.item(), off), 0), abs=0.06)
        assert row["high"] == pytest.approx(likely + np.hypot(span.high.item() - likely, off), abs=0.06)


def test_a_country_that_a_person_can_check():
    """The engineers' town has a maker of lasers; the plant at C, half an hour on, welds: it is served by that maker."""
    layers = world.layers()
    columns = ("name_zh", "name_en", "products_zh", "publisher")
    layers["chain"] = layers["chain"].assign(**dict.fromkeys(columns, "某厂"))
    layers["demand"] = layers["demand"].assign(chain_id="", laser_use_zh="焊接", publisher="", prefecture_code="")
    region = prepare(world.scenario(), layers)
    found = links.linkage(region, links.focus_of(region, "D1"))
    assert found.suppliers["id"].tolist() == ["F1"]
    assert found.suppliers["likely"].tolist() == [30.0]
    assert links.counts(found.suppliers, 30) == {"yes": 1, "maybe": 0, "no": 0, "unknown": 0}
    assert links.counts(found.suppliers, 29.95)["yes"] == 0


def test_within_reach_has_four_answers():
    table = pd.DataFrame({"low": [1, 50, 90, np.nan], "likely": [10, 70, 100, np.nan]})
    assert links.within(table, 60).tolist() == ["yes", "maybe", "no", "unknown"]


@pytest.mark.parametrize(
    ("named", "segment", "code"),
    [("Z9", "", "policy.no_focus"), ("F18", "", "policy.place_unknown"), ("E01", "cheese", "policy.no_segment")],
)
def test_what_is_no_place_is_refused(region, named, segment, code):
    with pytest.raises(InputError) as refusal:
        links.focus_of(region, named, segment=segment)
    assert [fault.code for fault in refusal.value.faults] == [code]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_drawing_names_the_nearest_and_how_many_more(dongfeng, language):
    drawn = link_graph(dongfeng, 120, language)
    assert drawn.count("<path") == 24
    assert drawn.count("#0b6e75") == 12 + 1  # the buyers within reach, and the box
    assert f'aria-label="{links.sentence(dongfeng, 120)[language][:6]}' in drawn
    assert str(len(dongfeng.suppliers) - 12) in drawn


@pytest.mark.slow
def test_the_sheet_is_ranked_by_the_studys_own_scoring(region):
    sheet = why_here(region, "X48", output_100m_yuan=3.0)
    assert (sheet.link, sheet.segment) == ("crystal_laser", "optics_crystal")
    project = portfolio.check(pd.DataFrame([{"segment": "optics_crystal", "output_100m_yuan": "3"}]))
    scores = appraise.appraise(region, project).scores
    best = scores[scores["eligible"]].head(3)
    assert sheet.sites["site"].tolist() == best["site"].tolist()
    assert sheet.sites["score"].tolist() == pytest.approx(best["score"].tolist(), abs=0.06)
    assert sheet.eligible == int(scores["eligible"].sum())
    assert set(sheet.linkages) == set(sheet.sites["site"])
    land = sheet.needs.set_index("need").loc["land_mu", ["low", "high"]].tolist()
    assert land == pytest.approx([3 * end for end in catalog.segments()["optics_crystal"].needs["land_mu"]])


def test_a_peer_is_told_as_one(region):
    (first, *_) = outline_of(why_here(region, "X01"), "zh", day="2026-11-30").parts
    assert "短板对照：不补短板（同行）" in first.message


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"output_100m_yuan": 0.0}, "policy.output_not_positive"),
        ({"output_100m_yuan": float("nan")}, "policy.output_not_positive"),
        ({"link": "lidar"}, "policy.no_link"),
    ],
)
def test_a_sheet_is_refused_in_words(region, more, code):
    with pytest.raises(InputError) as refusal:
        why_here(region, "X48", **more)
    assert [fault.code for fault in refusal.value.faults] == [code]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_paper_says_that_it_is_no_plan_of_the_firm(region, language):
    sheet = why_here(region, "X43")
    made = outline_of(sheet, language, day="2026-11-30")
    told = [made.title, *made.about, *(part.message for part in made.parts)]
    told += [line for part in made.parts for block in part.blocks for line in getattr(block, "lines", ())]
    assert no_plan()[language] in told
    assert any(chain.bases()["background"][language] in one for one in told)
    assert "medium" not in " ".join(told) or language == "en"
    paper = candidate_paper(sheet, language=language, day="2026-11-30")
    file = Document(io.BytesIO(paper))
    text = "\n".join(one.text for one in file.paragraphs)
    assert sheet.candidate["name_zh"] in text
    assert no_plan()[language] in text
    assert len(file.tables) == sum(len(part.blocks) for part in made.parts) - sum(
        1 for part in made.parts for block in part.blocks if hasattr(block, "lines")
    )


@pytest.mark.slow
def test_the_command_answers_and_writes(tmp_path):
    told = CliRunner().invoke(
        cli.cli, ["policy", "chain", "--near", "F77", "--candidate", "X48", "--out", str(tmp_path / "o")]
    )
    assert told.exit_code == 0, told.output
    assert "供应商 0 家" in told.output
    assert "招商一张表：福建福晶科技股份有限公司" in told.output
    assert {one.name for one in (tmp_path / "o").iterdir()} == {"links.xlsx", "X48.docx"}


@pytest.mark.slow
def test_a_refused_command_writes_nothing(tmp_path):
    bill = tmp_path / "bill.csv"
    bill.write_text("物料,供应商\n甲,乙\n", encoding="utf-8")
    told = geo_cluster("policy", "chain", "--bom", str(bill), "--out", str(tmp_path / "o"), "--lang", "en")
    assert told.returncode == 2
    assert "bill.csv, column 采购额(万元): there is no such column" in told.stderr
    assert not (tmp_path / "o").exists()
