import ast
import json
import re
from pathlib import Path
from unittest.mock import patch

import altair as alt
import pytest
from streamlit.testing.v1 import AppTest

from app import cached, charts
from app.texts import TEXTS, short, text
from app.views.match import asking
from geo_cluster import study as pipeline
from geo_cluster import toml
from geo_cluster.errors import DataError, Fault
from geo_cluster.world import catalog, layers
from geo_cluster.world.layers import Layers
from tests.studies import run

APP = Path(cached.__file__).parent
CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
NUMBERS = re.compile(r"\d{4}年网挂第\d+号|[\u4e00-\u9fff]+〔\d{4}〕\d+号")
"""Numbers of documents, which no language translates."""
CELL = re.compile(r"<td[^>]*>.*?</td>")
PAGES = ("explore", "supply", "find", "score", "match", "delivery", "data", "brief")
LANGUAGES = ("zh", "en")


def _script(name):
    """A page by itself, as the frame of the app draws it."""
    import importlib

    import streamlit

    streamlit.set_page_config(layout="wide")
    importlib.import_module(f"app.views.{name}").draw()


def opened(name, language="zh", **session):
    page = AppTest.from_function(_script, kwargs={"name": name}, default_timeout=90)
    page.session_state["language"] = language
    for key, value in session.items():
        page.session_state[key] = value
    return page.run()


@pytest.fixture(autouse=True)
def no_second_run(monkeypatch):
    """The shipped scenarios are run once for all tests."""
    real = pipeline.run

    def once(scenario, *more, **options):
        name = next((key for key in catalog.scenario_names() if catalog.scenario(key) == scenario), None)
        return run(name) if name and not more and "projects" not in options else real(scenario, *more, **options)

    monkeypatch.setattr(cached.pipeline, "run", once)
    monkeypatch.setattr(cached, "LEVEL_S", 0.5)  # of plans at other levels, in the background, tests need no proof
    cached.jobs().clear()
    cached.long_questions().clear()
    monkeypatch.setattr(asking, "SOON_S", 60.0)  # questions about a plan are waited for


def says(page):
    """Everything a page says in elements that are text."""
    kinds = (page.title, page.subheader, page.caption, page.info, page.warning, page.error, page.success, page.markdown)
    told = [element.value for kind in kinds for element in kind]
    told += [element.proto.body for element in page.get("html")]
    told += [part for metric in page.metric for part in (metric.label, metric.value, metric.help) if part]
    told += [one.label for kind in (page.selectbox, page.button, page.tabs, page.expander) for one in kind]
    return [one for one in told if one]


# ---- each page, both languages ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens(name, language):
    page = opened(name, language)
    assert not page.exception
    assert not page.error
    assert [title.value for title in page.title] == [text(f"{name}.title", language)]
    told = "\n".join(says(page))
    assert text(f"{name}.lead", language) in told
    assert text("footer", language) in told


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_frame_opens_on_the_map(language):
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90)
    page.session_state["language"] = language
    page.run()
    assert not page.exception
    assert page.title[0].value == text("explore.title", language)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_english_pages_have_no_chinese_label(name):
    page = opened(name, "en", study=run("cautious"))
    assert not page.exception
    told = [CELL.sub("", one) for one in says(page) if "gc-about" not in one]  # notes name places, cells quote sources
    own = re.compile("|".join([NUMBERS.pattern, *map(re.escape, run("cautious").projects["name"])]))
    assert [one for one in told if CJK.search(own.sub("", one))] == []  # projects are called as their planner did
    for table in page.dataframe:
        headings = [str(heading) for heading in table.value.columns]
        assert not [heading for heading in headings if CJK.search(heading)]


def test_the_switch_changes_the_language():
    page = opened("explore")
    page.segmented_control(key="language").set_value("en").run()
    assert not page.exception
    assert page.title[0].value == text("explore.title", "en")
    assert page.session_state["language"] == "en"


def test_the_explore_page_counts_what_is_shipped():
    """What the page is given: every entity is in a cell of the matrix, every site has a sign."""
    payload = cached.overview_payload(Layers(), "zh")
    drawn = {layer["key"]: layer["features"] for layer in payload["layers"]}
    assert {one for cells in payload["matrix"]["cells"] for ids in cells for one in ids} == {
        *Layers().read("chain")["id"]
    }
    assert len(drawn["sites"]) + len(drawn.get("factories", ())) == len(Layers().read("sites"))


@pytest.mark.slow
def test_the_data_page_names_every_layer():
    page = opened("data")
    registry = page.dataframe[0].value
    assert set(registry[text("data.layer", "zh")]) == {
        short_name["zh"] if (short_name := layers.name_of(name)) else layer.title_zh
        for name, layer in Layers().registry.items()
    }
    assert len(registry) == len(Layers().registry)
    assert set(registry[text("data.hash", "zh")]) == {layer.sha256 for layer in Layers().registry.values()}
    for name in Layers().registry:
        page.selectbox[0].set_value(name).run()
        assert not page.exception, name
        assert len(page.dataframe[1].value) == Layers().registry[name].rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_data_page_speaks_of_layers_in_the_visitor_s_language(language):
    page = opened("data", language)
    registry = page.dataframe[0].value
    whom, terms = registry[text("data.producer", language)], registry[text("data.licence", language)]
    if language == "en":
        assert not whom.str.contains(CJK).any()
        return
    assert whom.str.contains(CJK).mean() > 0.8, "all but names such as GeoNames"
    assert not terms.str.contains("terms|official").any()
    page.selectbox[0].set_value("counties").run()
    assert "审图号" in "\n".join(one for one in says(page) if "gc-about" in one)


def test_rows_are_read_in_words_under_headings():
    page = opened("data")
    page.selectbox[0].set_value("substations").run()
    table = page.dataframe[1]
    assert set(table.value["confidence"]) == {"高", "中"}
    assert set(table.value["source_class"]) == {"公开来源"}
    assert {"待核", "在运"} == set(table.value["status"])
    headings = layers.headings("substations")
    assert [column for column in table.value if column not in headings] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["score", "supply", "match"])
def test_charts_show_the_rows_they_are_given_and_keep_their_looks(name):
    page = opened(name, study=run("cautious"), **{"match-zh": text("match.pools", "zh")})  # where its charts are
    charts = [one.proto for one in page.get("vega_lite_chart")]
    assert charts
    for chart in charts:
        told = json.loads(chart.spec)
        assert "datasets" not in told
        assert told["data"] == {"name": "source"}
        assert not [layer for layer in told.get("layer", ()) if "data" in layer]
        assert chart.data.data
        assert not chart.datasets, "rows beside those given"
        channels = [layer["encoding"]["y"] for layer in told.get("layer", [told])]
        sorts = {json.dumps(y.get("sort")) for y in channels if y["type"] == "nominal"}
        assert sorts == {json.dumps({"field": "row", "op": "min"})}, "else what was drawn first stays first"
    assert [one.proto.spec for one in page.run().get("vega_lite_chart")] == [chart.spec for chart in charts]


def test_a_spoilt_layer_is_told_on_the_page():
    refusal = DataError(Fault("world.layer_missing", "chain.csv"))
    made_anew = patch.object(cached, "_overview_payload", cached.maps_payload.payload)
    with patch.object(cached.Layers, "read", side_effect=refusal), made_anew:
        cached._layer_table.clear()
        cached._overview.clear()
        page = opened("explore")
    assert not page.exception
    assert "chain.csv" in page.error[0].value


# ---- texts --------------------------------------------------------------------------------------------------


def used_keys():
    """Keys given to `t(...)` or `text(...)` in the app; those made with an f-string as patterns."""
    keys, patterns = set(), set()
    for path in APP.rglob("*.py"):
        if path.parent.name == "texts":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                keys.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [re.escape(p.value) if isinstance(p, ast.Constant) else r"\w+" for p in node.values]
                patterns.add("".join(parts))
    return keys, {pattern for pattern in patterns if pattern != r"\w+" and "\n" not in pattern}


def test_every_text_is_there_in_both_languages():
    fields = re.compile(r"{(\w+)[^}]*}")
    for key, (zh, en) in TEXTS.items():
        assert zh.strip(), key
        assert en.strip(), key
        assert sorted(fields.findall(zh)) == sorted(fields.findall(en)), key
        assert not CJK.search(en), key


def test_every_text_is_used():
    keys, patterns = used_keys()
    unused = [key for key in TEXTS if key not in keys and not any(re.fullmatch(one, key) for one in patterns)]
    assert unused == []


def test_every_text_asked_for_is_there():
    asked = set()
    for path in APP.rglob("*.py"):
        asked |= set(re.findall(r'\b(?:t|text)\(\s*"([\w.]+)"', path.read_text(encoding="utf-8")))
    assert len(asked) > 30
    assert asked - set(TEXTS) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_names_of_sites_are_short_and_still_tell_them_apart(language):
    names = [short(name) for name in Layers().read("sites")[f"name_{language}"]]
    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) <= {"zh": 13, "en": 46}[language]


def test_charts_are_written_in_a_grey_that_can_be_read():
    assert charts.alt is alt, "the theme is registered where charts are made"
    config = alt.Chart(alt.Data(values=[{"x": 1}])).mark_point().encode(x="x:Q").to_dict()["config"]
    muted = toml.table("style")["page"]["muted"]
    assert {config[part]["titleColor"] for part in ("axis", "legend")} == {muted}
    assert config["axis"]["labelColor"] == muted
