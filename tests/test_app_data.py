"""The data page: layers, import with a checked preview, what was taken over, revert."""

import csv
import datetime
import io
import json
from html import escape

import pandas as pd
import pytest

from app import cached
from app.texts import text
from app.views.data import rows
from geo_cluster import toml
from geo_cluster.imports import ledger
from geo_cluster.imports.check import check_file
from geo_cluster.intake import appraise
from geo_cluster.validation import check as validation
from geo_cluster.workspace import headings
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.world import catalog, layers, portfolio
from geo_cluster.world.layers import Layers
from tests.test_app import CJK, LANGUAGES, opened, says

SAMPLE = toml.PACKAGE.parent / "data" / "sample"
HEADS = ("对象", "指标", "最可能", "单位", "依据", "来源")
NASTY = "</script>*a*_b_[c](d)$e$"


def table(*rows):
    out = io.StringIO()
    csv.writer(out).writerows([HEADS, *rows])
    return out.getvalue().encode()


def dropped(*given, language="zh", **session):
    """The page with files in its drop zone."""
    page = opened("data", language, **session)
    page.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in given])
    return page.run()


def sample(name):
    return name, (SAMPLE / name).read_bytes()


def work_with(name, kind):
    region = cached.region(catalog.scenario())
    found = check_file((SAMPLE / name).read_bytes(), name, kind=kind, region=region)
    held = ledger.accept((), {}, found, when=datetime.datetime(2026, 11, 23))
    row = catalog.scenario().model_dump() | {"known": [one.model_dump() for one in held.known]}
    return Work(catalog.scenario_from(row), held.files)


def button(page, key, language="zh"):
    return next(one for one in page.button if one.label == text(key, language))


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_previewed_taken_over_and_reverted(language):
    good = table(("H01", "可供工业用地", "3-5", "公顷", "上报", NASTY))
    page = dropped((f"{NASTY}.csv", good), language=language)
    assert not page.exception
    assert not page.error
    shown = next(one.value for one in page.dataframe if text("data.preview.new", language) in one.value.columns)
    assert "60.0 (45.0–75.0)" in shown[text("data.preview.new", language)].iloc[0]
    assert text("data.effect.replaces", language) in shown[text("data.preview.effect", language)].tolist()
    assert "work" not in page.session_state or not page.session_state["work"].files, "nothing is taken over by looking"
    button(page, "data.import.accept", language).click().run()
    assert not page.exception
    (known,) = page.session_state["work"].scenario.known
    assert (known.subject, known.likely, known.source) == ("H01", 4.0, NASTY)
    assert len(page.file_uploader[0].value) == 0, "the drop zone is empty again"
    assert any(NASTY in one.value for one in page.text)
    button(page, "data.revert", language).click().run()
    assert not page.exception
    assert page.session_state["work"].scenario == catalog.scenario()
    assert dict(page.session_state["work"].files) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_faults_stand_in_the_way_and_are_said_in_the_readers_language(language):
    bad = table(("H99", "可供工业用地", "about", "斤", "听说", "x"), ("H01", "可供工业用地", "5", "公顷", "上报", "x"))
    page = dropped(("bad.csv", bad), language=language)
    assert not page.exception
    assert [one.value for one in page.error] == [text("data.import.faults", language, count=4)]
    assert not [one for one in page.button if one.label == text("data.import.accept", language)]
    what = text("data.fault.what", language)
    faults = next(one.value for one in page.dataframe if what in one.value.columns)
    assert faults[text("data.fault.row", language)].tolist() == ["2"] * 4
    if language == "zh":
        assert all(CJK.search(said) for said in faults[what])
        assert all(CJK.search(said) for said in faults[text("data.fault.remedy", language)])
    else:
        # what a layer is may name places in Chinese; the faults may not
        assert [one for one in says(page) if CJK.search(one) and "gc-about" not in one] == []


@pytest.mark.slow
def test_parcels_with_rules_change_the_scores_once_confirmed(tmp_path):
    page = dropped(sample("sample_parcels.geojson"), sample("sample_rules.csv"), sample("sample_exclusions.gpkg"))
    assert not page.exception
    assert not page.error
    take = button(page, "data.import.accept")
    assert take.disabled, "sites were guessed by place"
    assert any("示例数据" in one.value for one in page.caption)
    belongs = next(one for one in page.selectbox if "Sample Park A" in one.label)
    assert belongs.value == "H05", "the nearest is proposed"
    belongs.set_value("H01").run()
    next(one for one in page.checkbox if one.label == text("data.import.sure", "zh")).check().run()
    button(page, "data.import.accept").click().run()
    assert not page.exception
    work = page.session_state["work"]
    assert {"land/land.csv", "land/sites.csv", "imports.json"} <= set(work.files)
    assert {one.subject for one in work.scenario.known} == {"H01", "S01"}
    project = portfolio.check(pd.DataFrame([{"segment": "fiber_laser", "output_100m_yuan": "20"}]))
    scores = [
        appraise.appraise(cached.region(one), project).scores.set_index("site")["score"]
        for one in (catalog.scenario(), work.settled(tmp_path))
    ]
    assert scores[1]["H01"] < scores[0]["H01"] - 1
    assert scores[1]["E01"] == scores[0]["E01"]


def test_half_of_the_rules_is_told():
    page = dropped(sample("sample_rules.csv"))
    assert [one.value for one in page.warning] == [text("data.import.half_rules", "zh")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_stations_appear_beside_the_shipped_ones(language):
    page = opened("data", language, work=work_with("sample_substations.csv", "substations"))
    assert not page.exception
    registry = page.dataframe[0].value
    own = registry[registry[text("data.origin", language)] == text("data.own", language)]
    assert len(own) == 1
    page.selectbox[0].set_value("substations").run()
    assert not page.exception
    assert "U01" in page.dataframe[1].value["id"].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["roads", "counties", "chain", "sites", "demand", "water"])
def test_a_layer_is_drawn(name):
    page = opened("data")
    page.selectbox[0].set_value(name).run()
    page.segmented_control(key="data-view-True").set_value("map").run()
    assert not page.exception
    assert len(page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")) == 1


def layer_page(name, language="zh", **widgets):
    """The data page with one layer open."""
    page = opened("data", language)
    page.selectbox[0].set_value(name).run()
    return page


NEW = ("demand", "outside", "clusters", "siting_decisions", "progress", "park_land", "rules", "water")


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NEW)
def test_a_layer_s_rows_are_read_in_words_and_by_publisher(name, language):
    page = layer_page(name, language)
    assert not page.exception
    shown, rows = page.dataframe[1].value, Layers().read(name)
    assert len(shown) == len(rows)
    if layers.main_columns(name):
        assert "source" not in shown, "the address is not shown before it is asked for"
        assert shown["publisher"].str.len().gt(0).all()
        assert "://" not in shown.to_csv()
    if page.toggle:
        page.toggle[0].set_value(True).run()
    every = page.dataframe[1].value
    assert set(every) == {*rows} - {"geometry"}
    assert list(every)[-1] == "source"
    heads = json.loads(page.dataframe[1].proto.columns)
    assert heads["source"]["label"] == text("data.for_checking", language)
    if language == "zh":
        assert all(CJK.search(heads[column]["label"]) for column in every)


@pytest.mark.slow
def test_rows_are_found_by_every_word_and_saved_as_shown():
    page = layer_page("demand")
    page.text_input(key="data-find-demand").set_value("鄂州 来源写明").run()
    shown, rows = page.dataframe[1].value, Layers().read("demand")
    cells = pd.Series([" ".join(map(str, row)) for row in rows.itertuples(index=False)])
    expected = rows[cells.str.contains("鄂州") & (rows["use_basis"] == "source")]
    assert shown["id"].tolist() == expected["id"].tolist()
    assert len(expected)
    assert f"{len(expected)} / {len(rows)}" in "".join(says(page))


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_one_below_the_other_have_no_address(language):
    page = layer_page("siting_decisions", language)
    page.segmented_control(key="data-view-False").set_value("rows").run()
    assert not page.exception
    markup = "".join(one.value for one in page.get("html") if "gc-one" in one.value)
    assert markup.count('class="gc-one"') == 20
    assert "://" not in markup
    assert "<a " not in markup
    for one in Layers().read("siting_decisions")["name_zh"].head(20):
        assert escape(one) in markup
    page.number_input(key="data-page-siting_decisions-4").set_value(4).run()
    rest = "".join(one.value for one in page.get("html") if "gc-one" in one.value)
    assert escape(Layers().read("siting_decisions")["name_zh"].iloc[-1]) in rest


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_layers_are_found_by_group_and_rows_are_counted(language):
    page = opened("data", language)
    grouped = layers.groups(Layers().registry)
    assert len(page.dataframe[0].value) == len(Layers().registry)
    page.segmented_control(key="data-group").set_value("demand").run()
    assert page.dataframe[0].value[text("data.group", language)].unique().tolist() == [
        layers.group_names()["demand"][language]
    ]
    assert page.selectbox[0].options == [layers.name_of(name)[language] for name in grouped["demand"]]
    tally = cached.tally_of(Layers())
    told = next(one.value for one in page.text if f"{tally.rows:,}" in one.value)
    assert f"{tally.copies:,}" in told
    assert f"{tally.complete / tally.rows:.1%}" in told


def test_a_search_takes_no_pattern():
    table = pd.DataFrame({"a": ["x.y", "xzy"], "b": [1, 2]})
    assert rows.found(table, "X.Y")["b"].tolist() == [1]
    assert rows.found(table, " ")["b"].tolist() == [1, 2]
    assert rows.found(table.head(0), "x").empty


@pytest.mark.slow
def test_what_cannot_be_read_is_a_sentence():
    page = dropped(("broken.xlsx", b"PK\x03\x04 nothing"), ("empty.geojson", b"{}"))
    assert not page.exception
    assert len(page.error) == 2
    assert "/tmp" not in "".join(str(one.value.to_dict()) for one in page.dataframe)


def test_every_template_can_be_had():
    for kind in ("observations", "parcels", "substations", "projects"):
        assert cached.template(kind, "xlsx")[:2] == b"PK"
        assert cached.template(kind, "csv")[:3] == b"\xef\xbb\xbf"


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_checks_are_made_when_asked_for(language):
    page = opened("data", language)
    button(page, "trust.run", language).click().run()
    assert not page.exception
    assert not page.error
    titles = validation.titles(language)
    shown = [one.value for one in page.subheader]
    assert {title for name, title in titles.items() if name != "travel_summary"} <= set(shown)
    prove = {"zh": "不能证明模型正确", "en": "they prove nothing"}[language]
    assert any(prove in one.value for one in page.markdown)


@pytest.mark.slow
def test_headings_matched_before_are_read_so_again_and_can_be_forgotten(language="en"):
    heads = ["名称", "赛道", "规模", "年产值(亿元)"]
    content = (",".join(heads) + "\n甲,激光雷达,2,6\n").encode()
    space = Workspace(cached.kept_in())
    headings.remember(space, "projects", heads, {"赛道": "segment", "规模": "land_mu@公顷"})
    page = dropped(("p.csv", content), language=language)
    ours = "细分环节" if language == "zh" else "segment"
    assert any(text("data.table.as_before", language, yours="赛道", ours=ours) in one for one in says(page))
    assert not page.error
    assert any("30" in str(table.value.to_dict()) for table in page.dataframe), "2 公顷 are 30 亩"
    button(page, "data.table.forget", language).click()
    page.run()
    assert page.error
    assert headings.matched(space, "projects", heads) == {}
