"""Rules have a life: which one a day takes, what is said where none is in force, on screen and in every file."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import tomllib

import pandas as pd
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_cluster import study, toml
from geo_cluster.domain import LANGUAGES, LATER_FIELDS
from geo_cluster.export import bundle
from geo_cluster.world import catalog, rule_life
from tests.refusals import faults_of, refusal_of, refused

DAY = datetime.date(2024, 1, 1)
"""Before the policy of 2024-07: its support is not in force."""
TODAY = datetime.date(2026, 11, 30)
FIELDS = ("issuer", "number", "valid_from", "publisher", "source", "source_class", "confidence")


def review(*lives):
    return {"review": [row("规则", *life) for life in lives]}


def row(name, start, end=None):
    dates = {"valid_from": start} | ({"valid_to": end} if end else {})
    return {"title_zh": name, "title_en": "rule", **dates}


def day(text):
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize("topic", list(rule_life.topics()))
def test_every_shipped_rule_says_who_made_it_and_when_it_holds(topic):
    declared = rule_life.topics()[topic]
    for one in rule_life.rows_of(topic, toml.table(declared.table)):
        assert set(FIELDS) - set(one) <= {"issuer"}, one  # of usual thresholds nobody is the issuer
        assert not one["publisher"].startswith("http")
    assert rule_life.check_tables() == []


def test_the_state_of_a_rule_on_both_sides_of_its_borders():
    life = rule_life.life_of(row("甲", day("2023-06-01"), day("2025-08-31")), where="test")
    states = [life.state(day(text)) for text in ("2023-05-31", "2023-06-01", "2025-08-31", "2025-09-01")]
    assert states == ["not_yet", "in_force", "in_force", "expired"]
    assert rule_life.life_of(row("乙", day("2023-06-01")), where="test").state(day("2099-01-01")) == "open"
    assert rule_life.life_of(row("丙", ""), where="test").state(TODAY) == "unknown"


@pytest.mark.parametrize(
    ("topic", "on", "number"),
    [
        ("review", "2025-08-31", "第2号"), ("review", "2025-09-01", "第31号"), ("review", "2023-06-01", "第2号"),
        ("network_price", "2026-08-01", "2026-26113"), ("purchase_price", "2026-01-31", ""),
    ],
)  # fmt: skip
def test_the_newest_that_is_in_force_is_taken(topic, on, number):
    found = rule_life.found_on(topic, day(on))
    assert found.state in rule_life.VALID
    assert number in found.life.number
    assert found.words("zh") == found.words("en") == ""


@pytest.mark.parametrize(
    ("on", "start", "zh"),
    [("2027-09-01", "2026-01-01", "以最近一份"), ("2024-01-01", "2026-01-01", "以其后最早一份")],
)
def test_where_none_is_in_force_the_nearest_is_an_indication_and_says_so(on, start, zh):
    found = rule_life.found_on("purchase_price", day(on))
    assert str(found.life.valid_from) == start
    assert (found.state in rule_life.VALID, found.use) == (False, "indication")
    assert f"没有已知于{on}有效的规则" in found.words("zh")
    assert zh in found.words("zh")
    assert f"on {on} none is known to be in force" in found.words("en")


days = st.dates(datetime.date(2000, 1, 1), datetime.date(2030, 12, 31))


@given(st.lists(days, min_size=2, max_size=8, unique=True), days)
def test_lookup_agrees_with_going_through_all_lives(borders, on):
    """Lives side by side and with gaps: the one that holds the day, else the last before it, else the first after."""
    starts = sorted(borders)
    lives = [(a, b - datetime.timedelta(days=1)) for a, b in itertools.pairwise(starts)][::2]
    found = rule_life.found_on("review", on, table=review(*lives[::-1]))
    holds = [life for life in lives if life[0] <= on <= life[1]]
    before = [life for life in lives if life[1] < on]
    expected = holds[0] if holds else before[-1] if before else lives[0]
    assert (found.life.valid_from, found.life.valid_to) == expected
    assert (found.state in rule_life.VALID) == bool(holds)
    assert bool(found.words("zh")) == bool(found.words("en")) == (not holds)


def test_all_that_is_wrong_with_own_rules_is_named():
    own = {
        "review": [
            {"title_zh": "甲", "title_en": "a"},
            row("乙", day("2025-01-01"), day("2024-01-01")),
            row("丙", "2025"),
            row("丁", day("2020-01-01")),
            row("戊", day("2023-01-01"), day("2023-12-31")),
        ]
    }
    assert refused(rule_life.found_on, "review", TODAY, table=own) == [
        ("rules.undated", "grid.toml, [review], row 1"),
        ("rules.ends_before_it_begins", "grid.toml, [review], row 2"),
        ("rules.no_date", "grid.toml, [review], row 3"),
        ("rules.lives_overlap", "grid.toml, [review], row 5"),
    ]
    overlap = faults_of(rule_life.found_on, "review", TODAY, table=own)[-1]
    assert overlap.values == {"other": 4, "since": "2023-01-01"}
    assert refused(rule_life.found_on, "review", TODAY, table={"review": []})[0][0] == "rules.no_rule"


# ---- the day of a study ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [("2026-13-01", "not_a_day"), (2026, "not_a_day"), ("明天", "not_a_day"), ("1999-12-31", "day_too_far"),
     ("2101-01-01", "day_too_far"), (datetime.datetime(2026, 1, 1), "not_a_day"), (True, "not_a_day")],
)  # fmt: skip
def test_what_is_no_day_is_refused_in_words(written, code):
    assert refused(catalog.scenario_from, {"name": {"zh": "甲", "en": "a"}, "day": written}) == [
        (f"world.{code}", "scenario, day")
    ]


def test_a_scenario_without_a_day_keeps_its_id_and_is_of_today():
    plain = catalog.scenario_from({"name": {"zh": "甲", "en": "a"}})
    assert plain.date == datetime.date.today()
    dated = plain.model_copy(update={"day": DAY})
    assert dated.id != plain.id
    assert dated.date == DAY
    assert "day" not in tomllib.loads(bundle.scenario_toml(plain))
    assert tomllib.loads(bundle.scenario_toml(dated))["day"] == DAY
    again = catalog.scenario_from(tomllib.loads(bundle.scenario_toml(dated)))
    assert again.id == dated.id


def test_the_id_of_the_default_scenario_is_the_one_it_had_before_there_were_days():
    row = catalog.scenario().model_dump(mode="json")
    assert {key: row.pop(key) for key in LATER_FIELDS} == LATER_FIELDS
    canonical = json.dumps(row, sort_keys=True, ensure_ascii=False)
    assert catalog.scenario().id == hashlib.sha256(canonical.encode()).hexdigest()[:12]


@pytest.fixture(scope="module")
def dated():
    settings = {"sites": ("E01", "H01"), "draws": 20, "day": DAY}
    return study.run(catalog.scenario().model_copy(update=settings))


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_of_a_study_says_what_is_not_in_force(dated, tmp_path, language):
    files = bundle.study_files(dated, language=language)
    notice = rule_life.notice(DAY)
    assert notice
    warned = rule_life.warnings(DAY)
    assert len(warned) == 2, "the policy, and the challenges that ended with 2023"
    for name, content in files.items():
        if name == "layers.gpkg":
            (tmp_path / name).write_bytes(content)
            assert pyogrio.read_info(tmp_path / name, layer="plan")["layer_metadata"]["rules_notice"] == notice
        elif name == "tables.xlsx":
            (tmp_path / name).write_bytes(content)
            about, *_, rules = pd.read_excel(tmp_path / name, sheet_name=None).values()
            assert all(said[language] in about.to_string(max_colwidth=None) for said in warned)
            assert len(rules) == len(rule_life.table(DAY))
        elif name == "scenario.toml":
            assert tomllib.loads(content.decode())["day"] == DAY
        elif name == "rules.csv":
            assert "2024-01-01" in content.decode()
        elif name in ("sheet.html", "ATTRIBUTION.md"):
            assert all(said[language].split("；")[0].split("'")[0][:12] in content.decode() for said in warned), name
        elif name == "map.html":
            assert notice.split(" / ")[language == "en"] in content.decode()
        elif name.endswith(".csv") and len(content.splitlines()) > 1:
            assert notice in content.decode(), name
    summary = json.loads(files["study.json"])
    assert (summary["day"], summary["rules_notice"]) == (str(DAY), notice)
    assert {one["topic"] for one in summary["rules"]} == set(rule_life.topics())


def test_the_key_of_a_study_holds_its_day(dated):
    assert dated.day == DAY


def test_a_day_on_which_all_is_in_force_adds_no_words():
    assert rule_life.notice(TODAY) == ""
    assert rule_life.warnings(TODAY) == []
    monthly = rule_life.warnings(TODAY, of=("purchase_price",), in_full=True)
    assert ["2026年1月" in one.zh for one in monthly] == [True]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ({"title": "办法"}, "world.not_a_table"),
        ({"title": {"zh": "办法"}}, "world.key_missing"),
        ({"source_class": "z"}, "world.not_a_choice"),
        ({"name_zh": "办法"}, "world.empty_text"),
    ],
)
def test_a_rule_in_one_language_or_of_no_class_is_refused_by_name(cell, code):
    row = {"title": {"zh": "办法", "en": "rule"}} if "source_class" in cell else {}
    with refusal_of(code) as refusal:
        rule_life.life_of({"valid_from": datetime.date(2026, 1, 1)} | row | cell, where="own.toml")
    assert all(fault.where.startswith("own.toml") for fault in refusal.value.faults)


def test_a_time_that_is_no_day_is_shown_as_it_was_written():
    written = datetime.datetime(2026, 8, 1, 10, 0)
    with refusal_of("world.not_a_day", got="2026-08-01T10:00:00"):
        catalog.scenario_from({"name": {"zh": "试", "en": "try"}, "day": written})
