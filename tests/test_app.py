import ast
import re
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from app import cached
from app.texts import TEXTS, text
from geo_cluster import catalog, layers
from geo_cluster import study as pipeline
from geo_cluster.errors import DataError, Fault, InputError
from geo_cluster.workspace import Work
from tests.studies import run

APP = Path(cached.__file__).parent
CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
PAGES = ("explore", "supply", "score", "match", "data", "brief")
LANGUAGES = ("zh", "en")


def _script(name):
    """A page by itself, as the frame of the app draws it."""
    import importlib

    import streamlit

    streamlit.set_page_config(layout="wide")
    importlib.import_module(f"app.views.{name}").page()


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
        return run(name) if name and not more and not options else real(scenario, *more, **options)

    monkeypatch.setattr(cached.pipeline, "run", once)


def says(page):
    """Everything a page says in elements that are text."""
    kinds = (page.title, page.subheader, page.caption, page.info, page.warning, page.error, page.success, page.markdown)
    told = [element.value for kind in kinds for element in kind]
    told += [element.proto.body for element in page.get("html")]
    told += [part for metric in page.metric for part in (metric.label, metric.value, metric.help) if part]
    told += [one.label for kind in (page.selectbox, page.button, page.tabs, page.expander) for one in kind]
    return [one for one in told if one]


def run_button(page):
    labels = [text("match.run", language) for language in LANGUAGES]
    return next(button for button in page.button if button.label in labels)


# ---- each page, both languages ------------------------------------------------------------------------------


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_frame_opens_on_the_map(language):
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90)
    page.session_state["language"] = language
    page.run()
    assert not page.exception
    assert page.title[0].value == text("explore.title", language)


@pytest.mark.parametrize("name", PAGES)
def test_english_pages_have_no_chinese_label(name):
    page = opened(name, "en", study=run("cautious"))
    assert not page.exception
    assert [one for one in says(page) if CJK.search(one)] == []
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
    shown = {metric.label: metric.value for metric in opened("explore").metric}
    for key, layer in (("firms", "chain"), ("sites", "sites"), ("stations", "substations")):
        assert shown[text(f"explore.{key}", "zh")] == str(len(layers.read(layer)))


def test_the_data_page_names_every_layer():
    page = opened("data")
    registry = page.dataframe[0].value
    assert set(registry[text("data.layer", "zh")]) == {layer.title_zh for layer in catalog.layers().values()}
    assert set(registry[text("data.hash", "zh")]) == {layer.sha256 for layer in catalog.layers().values()}
    for name in catalog.layers():
        page.selectbox[0].set_value(name).run()
        assert not page.exception, name
        assert len(page.dataframe[1].value) == catalog.layers()[name].rows


# ---- the study page -----------------------------------------------------------------------------------------


def test_a_run_shows_its_own_results():
    page = opened("match")
    assert text("match.first", "zh") in [info.value for info in page.info]
    assert not page.metric
    run_button(page).click().run()
    assert not page.exception
    result = run()
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown[text("match.placed", "zh")] == f"{len(result.assignment)} / {len(result.projects)}"
    assert shown[text("match.worth", "zh")] == f"{result.plan.objective:,.1f}"
    assert shown[text("match.check", "zh")] == text("match.check_ok", "zh")
    assert not page.warning
    assert any("示例" in one for one in says(page))
    plan = page.dataframe[0].value
    assert plan["score"].tolist() == result.assignment["score"].tolist()
    assert plan["site"].tolist() == result.assignment["site_name"].tolist()


def test_changed_settings_make_the_results_stale():
    page = opened("match", study=run())
    assert not page.warning
    page.segmented_control(key="level").set_value("hopeful").run()
    assert [warning.value for warning in page.warning] == [text("match.stale", "zh", id=run().scenario.id)]
    assert page.metric[0].value == f"{len(run().assignment)} / {len(run().projects)}"
    page.segmented_control(key="level").set_value("likely").run()
    assert not page.warning
    page.selectbox[0].set_value("cautious").run()
    assert page.warning
    run_button(page).click().run()
    assert not page.exception
    assert not page.warning
    assert page.session_state["study"].scenario.id == catalog.scenario("cautious").id


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_stays_out_is_told_why(language):
    result = run("cautious")
    assert len(result.unplaced)
    page = opened("match", language, study=result)
    assert not page.exception
    heading = text("col.reason", language)
    tables = [table.value for table in page.dataframe if heading in table.value.columns]
    reasons = result.unplaced["reason" if language == "zh" else "reason_en"].tolist()
    assert reasons in [table[heading].tolist() for table in tables]


def test_segment_and_output_suffice_for_a_score():
    page = opened("score")
    assert not page.exception
    (sentence,) = [one.value for one in page.info]
    assert "领先" in sentence
    page.number_input(key="intake-output").set_value(60.0).run()
    assert page.info[0].value != sentence
    assert any("节能审查" in one.value for one in page.code)


def test_what_is_not_a_number_at_intake_is_told_with_its_remedy():
    page = opened("score")
    page.text_input(key="intake-land_mu").set_value("about 30").run()
    assert not page.exception
    assert "'about 30' is not a number" in page.error[0].value
    page.text_input(key="intake-land_mu").set_value("25-35").run()
    assert not page.error


def test_a_project_that_fits_nowhere_at_intake_is_an_answer():
    page = opened("score")
    page.text_input(key="intake-land_mu").set_value("90000").run()
    assert not page.exception
    assert "没有可去的园区" in page.info[0].value


def test_ways_in_are_found_on_request():
    page = opened("match", work=Work(catalog.scenario("cautious")))
    run_button(page).click().run()
    (find,) = [button for button in page.button if "落地办法" in button.label]
    find.click().run(timeout=120)
    assert not page.exception
    ways = [table.value for table in page.dataframe if "怎样才能落地（重算验证）" in table.value.columns]
    assert len(ways) == 1
    assert ways[0]["怎样才能落地（重算验证）"].str.startswith("进").all()


def test_every_project_can_be_looked_at():
    page = opened("match", study=run())
    choice = next(box for box in page.selectbox if box.label == text("match.project", "zh"))
    for project in ("P02", "P30"):
        choice.set_value(project).run()
        assert not page.exception
        choice = next(box for box in page.selectbox if box.label == text("match.project", "zh"))


@pytest.mark.parametrize("error", [InputError, DataError])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_shown_as_sentences(error, language):
    faults = [Fault("row 3", "is odd", "mend it"), Fault("row 4", "is odder", "mend that")]
    page = opened("match", language)
    with patch.object(cached.pipeline, "run", side_effect=error(faults)):
        page.selectbox[0].set_value("rd_first").run()
        cached._study.clear()
        run_button(page).click().run()
    assert not page.exception
    (shown,) = [one.value for one in page.error]
    assert shown.startswith(text("error", language))
    assert all(str(fault) in shown for fault in faults)
    assert "Traceback" not in shown
    assert text("footer", language) in "\n".join(says(page)), "the rest of the page is there"


def test_a_spoilt_layer_is_told_on_the_page():
    refusal = DataError(Fault("chain.csv", "is missing", "run `make data`"))
    with patch.object(cached.layers, "read", side_effect=refusal):
        cached.layer_table.clear()
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
