"""The page 汇报: every file that can be taken along, with a preview."""

import dataclasses
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from app import cached
from app.texts import text
from geo_cluster.export import bundle
from geo_cluster.workspace.repository import PROJECTS, Work
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers
from tests import own
from tests.studies import run
from tests.test_app import CJK, LANGUAGES, opened, says

HOSTILE = "</script><img src=x onerror=alert(1)> **x** $y$ =1+1"


def files(page):
    return page.dataframe[0].value


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_run_the_layers_are_there(language):
    page = opened("brief", language)
    assert not page.exception
    assert text("brief.no_study", language) in [one.value for one in page.info]
    names = set(files(page)[text("brief.file", language)])
    assert names == {layer.file for layer in Layers().registry.values()} | {
        "map.html",
        "sources.toml",
        "ATTRIBUTION.md",
    }
    if language == "en":
        assert [one for one in says(page) if CJK.search(one)] == []
        assert [one for one in files(page)[text("brief.what", "en")] if CJK.search(one)] == []


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_after_a_run_every_file_of_the_bundle_is_listed(language):
    page = opened("brief", language, study=run())
    assert not page.exception
    assert not page.warning
    assert set(files(page)[text("brief.file", language)]) == {*bundle.FILES, "sheet.html", "tables.xlsx"}
    assert text("brief.sample", language) in "\n".join(says(page))
    assert run().scenario.id in "\n".join(one.value for one in page.text)
    if language == "en":
        assert [one for one in files(page)[text("brief.what", "en")] if CJK.search(one)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [*bundle.FILES, "sheet.html", "tables.xlsx"])
def test_each_file_has_a_preview(name):
    page = opened("brief", study=run())
    page.selectbox(key="brief-file-study-zh").set_value(name).run()
    assert not page.exception
    assert not page.error
    shown = [*page.code, *page.dataframe[1:], *page.get("iframe"), *page.get("component_instance")]
    shown += [one for one in page.info if one.value == text("brief.no_rows", "zh")]
    assert len(shown) == 1


@pytest.mark.slow
def test_moved_settings_are_said():
    page = opened("brief", study=run("cautious"))
    assert [one.value for one in page.warning] == [text("brief.stale", "zh", id=run("cautious").scenario.id)]


def test_the_zip_holds_what_is_listed():
    made = cached.study_files(run(), "zh")
    archive = zipfile.ZipFile(io.BytesIO(cached.packed(made, "test")))
    assert archive.testzip() is None
    assert set(archive.namelist()) == {*bundle.FILES, "sheet.html", "tables.xlsx"}
    assert archive.read("assignment.csv") == made["assignment.csv"]


@pytest.mark.slow
def test_hostile_names_stay_text():
    sheet = f'编号,名称,细分环节,年产值(亿元)\nP01,"{HOSTILE}",fiber_laser,5\n'.encode()
    page = opened("brief", work=Work(catalog.scenario(), {PROJECTS: sheet}))
    assert not page.exception
    from geo_cluster import study

    settled = Work(catalog.scenario(), {PROJECTS: sheet}).settled(cached.own_files())
    result = study.run(settled)
    page = opened("brief", study=result, work=Work(catalog.scenario(), {PROJECTS: sheet}))
    assert not page.exception
    assert not page.warning
    (frame,) = page.get("iframe")
    assert "onerror=alert" in frame.proto.srcdoc
    assert "<img" not in frame.proto.srcdoc
    assert "projects.csv" in set(files(page)[text("brief.file", "zh")])
    page.selectbox(key="brief-file-study-zh").set_value("assignment.csv").run()
    shown = page.dataframe[1].value
    assert isinstance(shown, pd.DataFrame)
    assert shown["project_name"].tolist() == [HOSTILE]
    read_as_markup = [page.markdown, page.caption, page.info, page.subheader]
    assert not [one for kind in read_as_markup for one in kind if "onerror" in one.value]


@pytest.mark.slow
def test_a_stopped_plans_files_never_come_for_a_full_one():
    full = run()
    left_out = np.flatnonzero(full.plan.site >= 0)[:3]
    site = full.plan.site.copy()
    site[left_out] = -1
    plan = dataclasses.replace(full.plan, site=site, status="feasible")
    stopped = dataclasses.replace(full, plan=plan)
    lines = [len(cached.study_files(one, "zh")["assignment.csv"].splitlines()) for one in (stopped, full)]
    assert lines[1] - lines[0] == 3
    packed = [cached.packed(cached.study_files(one, "zh"), one.key) for one in (stopped, full)]
    assert packed[0] != packed[1]


@pytest.mark.slow
def test_the_layers_of_a_work_are_on_the_map_that_goes_with_them(tmp_path):
    mine = Layers(own.register(tmp_path / "own", sites=own.sites()))
    files = cached.layer_files(mine, "zh")
    assert "自有园区" in files["map.html"].decode()
    assert "自有园区" not in cached.layer_files(Layers(), "zh")["map.html"].decode()
    assert cached.overview(mine, "zh").address != cached.overview(Layers(), "zh").address
