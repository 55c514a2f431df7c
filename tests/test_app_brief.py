"""The page 汇报: the briefing pack as a shelf, made at one press; every file with a preview."""

import dataclasses
import io
import threading
import zipfile

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape

from app import cached, packing
from app.texts import text
from geo_cluster import toml
from geo_cluster.errors import Fault, InputError
from geo_cluster.export import bundle, pack
from geo_cluster.export.outline import outline
from geo_cluster.workspace.repository import PROJECTS, Work
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers
from tests import own
from tests.studies import run
from tests.test_app import CJK, LANGUAGES, opened, says
from tests.test_pack import ARCHIVED

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


@pytest.fixture
def made(monkeypatch):
    """A shelf without what takes long, made at one press."""
    kept = {form: row for form, row in pack.formats().items() if form in ("slides", "sheet", "tables", "archive")}
    monkeypatch.setattr(pack, "formats", lambda: kept)

    def press(language="zh", **session):
        page = opened("brief", language, **session)
        if any(one.key == "pack-make" for one in page.button):
            page.button(key="pack-make").click().run()
            (packing,) = cached._packings()._packs.values()
            assert packing.wait(120)
            page.run()
        return page

    yield press
    cached._packings.clear()


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_one_press_makes_the_shelf(language, made):
    page = made(language, study=run())
    assert not page.exception
    assert not page.warning
    headings = [one.value for one in page.subheader]
    assert headings[:3] == [row["name"][language] for row in toml.table("pack")["groups"].values()]
    assert set(files(page)[text("brief.file", language)]) == ARCHIVED
    strip = next(one.proto.body for one in page.get("html") if "gc-strip" in one.proto.body)
    parts = outline(run(), language=language).parts
    assert strip.count("<figure") == 1 + len(parts)
    assert all(str(escape(part.title)) in strip for part in parts)
    labels = [one.label for one in page.get("download_button")]
    assert len([one for one in labels if one.startswith(("PPTX", "XLSX", "HTML"))]) == 3
    assert text("brief.sample", language) in "\n".join(says(page))
    assert run().scenario.id in "\n".join(one.value for one in page.text)
    if language == "en":
        assert [one for one in files(page)[text("brief.what", "en")] if CJK.search(one)] == []


@pytest.mark.slow
def test_each_file_has_a_preview(made):
    page = made(study=run())
    for name in (*ARCHIVED, "sheet.html", "tables.xlsx"):
        page.selectbox(key="brief-file-study-zh").set_value(name).run()
        assert not page.exception
        assert not page.error
        shown = [*page.code, *page.dataframe[1:], *page.get("iframe"), *page.get("component_instance")]
        shown += [one for one in page.info if one.value == text("brief.no_rows", "zh")]
        assert len(shown) == 1, name


@pytest.mark.slow
def test_a_pack_is_made_once_and_another_is_asked_for_when_what_is_asked_changes(made):
    page = made(study=run())
    (first,) = cached._packings()._packs.values()
    assert "pack-make" not in [one.key for one in opened("brief", study=run()).button]
    page.text_input(key="pack-review").set_value("鄂S(2026)001号").run()
    assert "pack-make" in [one.key for one in page.button]
    page.text_input(key="pack-review").set_value("one").run()
    assert "export" not in [one.value for one in page.error]
    assert len(page.error) == 1
    page.text_input(key="pack-review").set_value("").run()
    assert not page.error
    assert list(cached._packings()._packs.values()) == [first]


def test_a_pack_that_is_stopped_keeps_nothing_and_can_be_begun_again(monkeypatch):
    at, go = threading.Event(), threading.Event()

    def one_by_one(_):
        for form in ("sheet", "tables"):
            at.set()
            go.wait(10)
            yield form, {}

    monkeypatch.setattr(packing.pack, "made", one_by_one)
    packs, ended = packing.Packings(), threading.Event()
    begun = packs.start("key", lambda: None, ended.set)
    assert packs.start("key", lambda: None, ended.set) is begun
    at.wait(10)
    begun.stop()
    go.set()
    assert begun.wait(10)
    assert ended.wait(10)
    assert begun.shelf is None
    assert begun.refusal is None
    assert len(begun.done) == 1
    assert packs.start("key", lambda: None, ended.set) is not begun


def test_a_pack_that_is_refused_says_why():
    fault = Fault("export.template_missing", "house.pptx")
    packs = packing.Packings()

    def refuse():
        raise InputError(fault)

    begun = packs.start("key", refuse, lambda: None)
    assert begun.wait(10)
    assert begun.refusal.faults == [fault]


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
def test_hostile_names_stay_text(made):
    sheet = f'编号,名称,细分环节,年产值(亿元)\nP01,"{HOSTILE}",fiber_laser,5\n'.encode()
    page = opened("brief", work=Work(catalog.scenario(), {PROJECTS: sheet}))
    assert not page.exception
    from geo_cluster import study

    settled = Work(catalog.scenario(), {PROJECTS: sheet}).settled(cached.own_files())
    result = study.run(settled)
    page = made(study=result, work=Work(catalog.scenario(), {PROJECTS: sheet}))
    assert not page.exception
    assert not page.warning
    strip = next(one.proto.body for one in page.get("html") if "gc-strip" in one.proto.body)
    assert "<img src=x" not in strip
    assert "</script>" not in strip
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
