"""Resources are rows: a fourth one, steam, is seen in scores, rules, matching, report, files and on the pages."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import streamlit as st

from app.texts import TEXTS, text
from geo_cluster import study as pipeline
from geo_cluster import toml
from geo_cluster.domain import LANGUAGES
from geo_cluster.errors import DataError
from geo_cluster.export import csv_tables, geopackage, sheet, workbook
from geo_cluster.imports import cells, headings, templates
from geo_cluster.imports.check import check_file
from geo_cluster.intake import appraise
from geo_cluster.maps import page, payload
from geo_cluster.matching.verify import verify
from geo_cluster.report import explanation, what_if
from geo_cluster.report import tables as report_tables
from geo_cluster.workspace.repository import Work
from geo_cluster.world import catalog, portfolio
from tests import world
from tests.test_app import no_second_run, opened, says

__all__ = ["no_second_run"]

ROWS = {
    "attributes": """
[steam_t_per_h]
subject = "site"
unit = { zh = "吨/小时", en = "t/h" }
name = { zh = "可供蒸汽", en = "Steam on offer" }
help = { zh = "园区集中供热可新增的蒸汽。", en = "Steam that the zone's heating plant could add." }
question = { zh = "贵园区可新增供汽多少吨/小时？", en = "How many t/h of steam can the zone add?" }
whom = { zh = "园区管委会", en = "the zone's administration" }
digits = 0
[[steam_t_per_h.priors]]
class = "*"
low = 2.0
likely = 10.0
high = 30.0
reason = { zh = "试验用：一台小锅炉到两台中型锅炉。", en = "For this test: from one small boiler to two." }
""",
    "resources": """
[steam]
attribute = "steam_t_per_h"
need = "steam_t"
symbol = "t/h"
name = { zh = "蒸汽", en = "steam" }
digits = 1
total = { zh = "{n} 个园区可供蒸汽之和。", en = "Steam of {n} sites in all." }
asked = { column = "steam_t", name = { zh = "用汽", en = "steam" }, unit = { zh = "吨/小时", en = "t/h" } }
usual = [0.1, 0.4]
[steam.short]
rule = "steam_short"
name = { zh = "蒸汽不足", en = "Too little steam" }
reason = { zh = "项目最低用汽超过园区可供的上限。", en = "The least steam it needs is more than there may be." }
""",
    "criteria": """
[steam_cover]
theme = "energy"
resource = "steam"
unit = "×"
worst = 0.5
best = 10.0
weight = 4
value = { kind = "log" }
name = { zh = "蒸汽保障倍数", en = "Steam coverage ratio" }
reason = { zh = "可供蒸汽÷项目用汽。", en = "Steam on offer over steam needed." }
""",
}


SMALL = {"sites": ("E01", "H01", "H04"), "draws": 50, "seed": 4}


def forget():
    """What was read of the tables is read again."""
    toml.table.cache_clear()
    for known in vars(catalog).values():
        if hasattr(known, "cache_clear") and known.__module__ == catalog.__name__:
            known.cache_clear()
    st.cache_data.clear()


@pytest.fixture
def own_tables(tmp_path, monkeypatch):
    """Rows to add to the tables by file: what is read afterwards has them."""
    folder = shutil.copytree(toml.TABLES, tmp_path / "tables")
    monkeypatch.setattr(toml, "TABLES", folder)

    def add(**rows: str) -> None:
        for name, more in rows.items():
            path = folder / f"{name}.toml"
            path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
        forget()

    yield add
    monkeypatch.undo()
    forget()


@pytest.fixture
def steam(own_tables):
    """Steam is a resource; 2, 10, 30 t/h at each site."""
    own_tables(**ROWS)


def tiny(count=3, *, steam_t="6", **changes):
    """The tiny country: equal projects that take steam."""
    return pipeline.run(world.scenario(**changes), world.layers(), projects=world.projects(count, steam_t=steam_t))


def test_it_scores_like_any_other(steam):
    study = tiny()
    rows = report_tables.contributions(study).query("project == 'P01' and criterion == 'steam_cover'")
    assert rows["natural"].tolist() == pytest.approx([10 / 6] * 2, abs=1e-4)
    by_hand = np.log((10 / 6) / 0.5) / np.log(10 / 0.5)
    assert rows["value"].tolist() == pytest.approx([by_hand] * 2, abs=1e-6)
    at = list(catalog.criteria()).index("steam_cover")
    assert study.decision.stated[at] == pytest.approx(4 / 107)
    assert study.decision.weight[at] == 0, "the same at both sites: it gives its weight back"
    assert catalog.criteria()["steam_cover"].attribute == "steam_t_per_h", "its evidence is that of the attribute"
    shares = report_tables.evidence_shares(study.sites, study.observations, study.decision.weights, theme="energy")
    assert shares["assumed"].tolist() == [0, 0], "only the distance to the station tells the sites apart"
    said = [{"subject": "X1", "attribute": "steam_t_per_h", "low": 8, "likely": 8, "high": 8, "source": "电话"}]
    again = tiny(known=said)
    assert again.decision.weight[at] > 0, "one number known, and the weight returns"
    shares = report_tables.evidence_shares(again.sites, again.observations, again.decision.weights, theme="energy")
    assert shares["reported"].tolist() == pytest.approx([4 / 9, 0])
    assert shares["assumed"].tolist() == pytest.approx([0, 4 / 9])


def test_a_project_that_needs_more_than_there_may_be_goes_nowhere(steam):
    study = tiny(1, steam_t="31-40")
    assert (study.eligibility.rule == "steam_short").all()
    assert study.eligibility.reason["zh"][0, 0] == "至少需要蒸汽 31 吨/小时，此处只有 2–30 吨/小时"
    assert study.eligibility.reason["en"][0, 0] == "needs at least 31 t/h of steam; here there are 2–30"
    assert report_tables.unplaced(study)["reason"].tolist() == ["没有可落地的园区：蒸汽不足 2 处"]


def test_what_nobody_says_is_estimated_from_the_usual_range_or_that_of_the_segment(steam, own_tables):
    usual = portfolio.check(pd.DataFrame([{"segment": "fiber_laser", "output_100m_yuan": "5"}])).iloc[0]
    assert [usual[f"steam_t_{end}"] for end in ("low", "likely", "high")] == pytest.approx([0.5, 1.0, 2.0])
    assert not usual["steam_t_given"]
    table = toml.TABLES / "requirements.toml"
    told = table.read_text(encoding="utf-8").replace("land_mu = [3.5, 8]", "land_mu = [3.5, 8]\nsteam_t = [1, 4]", 1)
    table.write_text(told, encoding="utf-8")
    forget()
    assert appraise.estimated("fiber_laser", 5)["steam_t"] == pytest.approx((5, 10, 20))
    assert appraise.estimated("medical", 5)["steam_t"] == pytest.approx((0.5, 1.0, 2.0))


def test_it_binds_and_says_what_is_short(steam):
    study = tiny()
    problem = study.problem
    assert [resource.name for resource in problem.resources] == ["land", "power", "energy", "steam"]
    assert problem.resources[-1].unit == "t/h"
    assert (study.plan.site >= 0).sum() == 2, "10 t/h a site suffice for one project of 6"
    together = dataclasses.replace(study.plan, site=np.array([0, 0, -1]))
    assert [one.where for one in verify(problem, together) if "steam" in str(one)]
    (left,) = report_tables.unplaced(study).itertuples()
    assert "蒸汽（" in left.reason and "还缺 2.0 吨/小时" in left.reason
    assert "2.0 t/h of steam short at" in left.reason_en


def test_every_table_of_the_report_lists_it(steam):
    study = tiny()
    pools = report_tables.pools(study).query("resource == 'steam'")
    assert pools[["pool", "unit", "low", "likely", "high", "used"]].to_numpy().tolist() == [
        ["X1", "t/h", 2, 10, 30, 6],
        ["X2", "t/h", 2, 10, 30, 6],
    ]
    offers = report_tables.offers_table(study.region).query("resource == 'steam'")
    assert offers["likely"].tolist() == [10, 10] and offers["basis"].tolist() == ["assumed"] * 2
    assert report_tables.supply_totals(report_tables.offers_table(study.region)).loc["steam", "likely"] == 20
    assert report_tables.assignment(study)["steam_t"].tolist() == [6, 6]
    assert {"steam"} < set(explanation.feasibility_table(study)["resource"])
    gauges = explanation.gauge_table(study).query("resource == 'steam'")
    assert (gauges["waiting"] > 0).all(), "it binds"
    assert gauges["share"].tolist() == [0.6, 0.6]
    wider = what_if.pool_scenario(study, resource="steam", pool="X1", amount=12, source="试")
    assert [(one.attribute, one.likely) for one in wider.known] == [("steam_t_per_h", 12)]
    again = pipeline.run(wider, world.layers(), projects=world.projects(3, steam_t="6"))
    assert (again.plan.site >= 0).all()


def test_an_intake_tells_the_amount_that_would_turn_a_choice_in_its_unit(steam):
    better = world.scenario(
        weights=dict.fromkeys(catalog.criteria(), 0.0) | {"steam_cover": 1.0},
        known=[{"subject": "X2", "attribute": "steam_t_per_h", "source": "试", "low": 20, "likely": 20, "high": 20}],
    )
    region = pipeline.prepare(better, world.layers())
    found = appraise.appraise_one(region, {"segment": "fiber_laser", "output_100m_yuan": "5", "steam_t": "6"})
    verdict = found["verdict"]
    assert (verdict["first"], verdict["second"], verdict["datum"]) == ("X2", "X1", "steam_t_per_h")
    assert verdict["datum_needed"] == pytest.approx(20, abs=0.1)
    assert (verdict["datum_unit_zh"], verdict["datum_unit_en"]) == ("吨/小时", "t/h")
    assert found["needs"]["steam_t_likely"] == 6


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_handed_over_has_it(steam, tmp_path, language):
    few = catalog.scenario().model_copy(update=SMALL)
    study = pipeline.run(few, projects=world.projects(3, steam_t="6"))
    placed = len(report_tables.assignment(study))
    assert placed
    name, title = {"zh": ("蒸汽", "蒸汽（吨/小时）"), "en": ("steam", "Steam (t/h)")}[language]
    csv = {key: pd.read_csv(io.BytesIO(content)) for key, content in csv_tables.csv_tables(study).items()}
    before = ["segment", "land_mu", "floor_m2", "power_mva", "energy_tce"]
    assert list(csv["assignment.csv"].columns)[9:15] == [*before, "steam_t"], "the columns of the others stay"
    assert "steam" in set(csv["pools.csv"]["resource"])
    assert "steam_cover" in set(csv["contributions.csv"]["criterion"])
    assert "steam_t_per_h" in set(csv["observations.csv"]["attribute"])
    book = openpyxl.load_workbook(io.BytesIO(workbook.workbook(study, language=language)))
    plan, pools = (list(book[workbook.SHEETS[key][language == "en"]].values) for key in ("plan", "pools"))
    assert [row[plan[0].index(title)] for row in plan[1:]] == [6] * placed + [6 * placed], "and their total"
    assert (name, "吨/小时" if language == "zh" else "t/h") in {(row[0], row[2]) for row in pools[1:]}
    assert re.search(f"<th[^>]*>{re.escape(title)}</th>", sheet.sheet(study, language=language))
    assert f"{name} 6.0 {'吨/小时' if language == 'zh' else 't/h'}" in page.as_json(payload.payload(study, language))
    geopackage.write_geopackage(study, tmp_path / "layers.gpkg")
    assert gpd.read_file(tmp_path / "layers.gpkg", layer="plan")["steam_t"].tolist() == [6] * placed


def test_it_can_be_imported(steam):
    columns = headings.columns_of("projects")
    assert list(columns)[4:10] == ["year", "land_mu", "floor_m2", "power_mva", "energy_gwh", "steam_t"]
    assert "用汽(吨/小时) / steam (t/h)" in templates.as_csv("projects").decode("utf-8-sig")
    assert cells.units_of("steam_t_per_h")[0] == "吨/小时"
    assert [cells.unit_factor("steam_t_per_h", unit) for unit in ("吨/小时", "t/h")] == [1.0, 1.0]
    table = pd.DataFrame([{"细分环节": "光纤激光器", "年产值": "5", "用汽(吨/小时)": "2-3"}])
    region = pipeline.prepare(world.scenario(), world.layers())
    found = check_file(table.to_csv(index=False).encode(), "own.csv", kind="projects", region=region)
    assert not found.faults
    assert found.preview[["steam_t_low", "steam_t_high"]].to_numpy().tolist() == [[2, 3]]


@pytest.fixture
def study_of_a_few_sites(steam):
    return pipeline.run(catalog.scenario().model_copy(update=SMALL))


@pytest.mark.slow
@pytest.mark.usefixtures("steam", "no_second_run")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_show_it(study_of_a_few_sites, language):
    study, work = study_of_a_few_sites, Work(study_of_a_few_sites.scenario)
    title, name = {"zh": ("蒸汽（吨/小时）", "蒸汽"), "en": ("Steam (t/h)", "steam")}[language]
    page = opened("supply", language, work=work)
    assert not page.exception
    assert title in [metric.label for metric in page.metric]
    (choice,) = (one for one in page.get("button_group") if one.key == f"supply-resource-{language}")
    page.session_state[choice.key] = "steam"
    page.run(timeout=120)
    assert not page.exception
    assert title in [one.value for one in page.subheader]
    assert title in [cell for table in page.dataframe for cell in table.value.get("resource_label", ())]
    page = opened("match", language, study=study, work=work)
    assert not page.exception
    assert any("steam_t" in table.value.columns for table in page.dataframe), "in the editor and in the plan"
    page.session_state[f"match-{language}"] = text("match.pools", language)
    page.run(timeout=120)
    assert not page.exception
    assert title in says(page)
    assert any(f"{name} · " in one for box in page.selectbox for one in box.options)
    page = opened("score", language, work=work)
    assert not page.exception
    assert {"zh": "用汽（吨/小时）", "en": "Steam (t/h)"}[language] in [one.label for one in page.text_input]


def test_a_row_that_does_not_fit_is_refused_with_its_place(own_tables):
    own_tables(**ROWS | {"resources": ROWS["resources"].replace("usual = [0.1, 0.4]\n", "")})
    with pytest.raises(DataError, match=r"requirements\.toml, \[fiber_laser\], needs\.steam_t"):
        catalog.segments()
    own_tables(resources='\n[water]\nattribute = "rain"\n')
    with pytest.raises(DataError, match=r"resources\.toml, \[water\], attribute: 'rain' is no attribute"):
        catalog.resources()


@pytest.mark.parametrize("key", list(catalog.resources()))
def test_the_row_is_whole(key):
    kind = catalog.resources()[key]
    assert kind.attribute in catalog.attributes()
    assert kind.estimate in portfolio.ESTIMATES
    assert f"score.basis_{kind.estimate}" in TEXTS, "the page says where an estimate comes from"
    assert not kind.asked.constant or kind.asked.constant in toml.table("requirements")
    assert kind.short.rule in catalog.rules()
    scored_as = kind.instead_of or key
    assert [one for one in catalog.criteria().values() if one.resource == scored_as]
    assert all("{n}" in kind.total[language] for language in LANGUAGES)
