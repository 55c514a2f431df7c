"""What is declared is tested: a criterion, rule, attribute or word without its function, reason or name fails here."""

from __future__ import annotations

import datetime
import errno
import os
import re
import tomllib
from typing import get_args

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from geo_cluster import eligibility, toml
from geo_cluster.domain import Stage
from geo_cluster.errors import DataError, InputError, reason_of
from geo_cluster.scoring import criteria
from geo_cluster.world import catalog
from geo_cluster.world import layers as layer_contracts
from geo_cluster.world.layers import Layers


@pytest.mark.parametrize("key", list(catalog.criteria()))
def test_criterion_has_measure_reason_unit_and_a_value_function_on_its_range(key):
    criterion = catalog.criteria()[key]
    if criterion.resource:
        assert criterion.attribute == catalog.resources()[criterion.resource].attribute
    else:
        assert criteria.MEASURES[criterion.measure].__doc__
    assert criterion.theme in catalog.themes()
    assert len(criterion.reason.zh) > 15
    assert len(criterion.reason.en) > 30
    value = criteria.value_function(criterion).value(np.array([criterion.worst, criterion.best]))
    assert np.allclose(value, [0, 1])
    between = criteria.value_function(criterion).value(np.linspace(criterion.worst, criterion.best, 50))
    assert (np.diff(between) >= -1e-12).all(), "better is never worth less"


def test_every_measure_is_used_by_a_criterion():
    named = {criterion.measure for criterion in catalog.criteria().values() if not criterion.resource}
    assert named == set(criteria.MEASURES)


def test_every_exclusion_has_a_rule_and_every_rule_is_declared():
    assert set(eligibility.rules()) == set(catalog.rules())
    words = set(catalog.constraint_names())
    assert all(set(rule.constraints) <= words for rule in catalog.rules().values())


@pytest.mark.parametrize("key", list(catalog.attributes()))
def test_attribute_is_explained_and_its_priors_reasoned(key):
    attribute = catalog.attributes()[key]
    assert attribute.question.zh.endswith("？"), "the question is ready to be sent"
    assert attribute.question.en.endswith("?")
    assert ("亩" in attribute.question.zh) <= ("亩" in attribute.display_unit()[1].zh), "asked and answered in one unit"
    for prior in attribute.priors:
        assert len(prior.reason.zh) > 15
        assert len(prior.reason.en) > 30


@pytest.mark.parametrize("key", list(catalog.segments()))
def test_segment_ranges_rise_and_its_words_are_in_the_stage_vocabulary(key):
    segment = catalog.segments()[key]
    assert segment.stage in get_args(Stage)
    ranges = [segment.density_mw_per_10k_m2, segment.trips_per_month, *segment.needs.values()]
    assert all(0 < low < high for low, high in ranges)
    assert set(segment.needs) == {"land_mu"}, "the rest follows, see test_requirements"
    assert segment.confidence
    assert segment.source_class in ("c", "b+c")


def test_conversion_to_standard_coal_is_the_equivalent_value():
    assert toml.table("requirements")["tce_per_gwh"] == pytest.approx(0.1229 * 1e6 / 1e3)  # kgce/kWh to tce/GWh


def test_contracts_exist_for_exactly_the_registered_layers():
    assert set(toml.table("layers")["layers"]) == set(Layers().registry)
    for name, layer in toml.table("layers")["layers"].items():
        assert set(layer["popup"]) <= set(layer_contracts.columns(name))
        for rule in layer_contracts.columns(name).values():
            assert rule["zh"]
            assert rule["en"]


def test_stage_vocabulary_is_the_closed_one_and_has_colours():
    assert tuple(layer_contracts.words("stage")) == get_args(Stage)
    assert set(toml.table("style")["stage"]) == set(get_args(Stage))


def test_scenarios_are_valid_named_in_both_languages_and_say_sample():
    assert catalog.scenario_names()[0] == "default"
    for name in catalog.scenario_names():
        scenario = catalog.scenario(name)
        assert "示例" in scenario.name.zh
        assert "sample" in scenario.name.en


def test_scenario_id_follows_every_setting():
    base = catalog.scenario()
    assert catalog.scenario().id == base.id
    for change in ({"seed": 1}, {"weights": {"rd_minutes": 3.0}}, {"planning_level": "cautious"}, {"sites": ("E01",)}):
        assert base.model_copy(update=change).id != base.id


def test_every_fault_of_a_scenario_is_listed(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(
        'nmae = "x"\ndraws = "many"\n[weights]\nrd_minutes = -1\nbeauty = 3\n'
        '[[known]]\nsubject = "E01"\nattribute = "beauty"\nlow = 3\nlikely = 2\nhigh = 1\nsource = "s"\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError) as refusal:
        catalog.scenario(path)
    assert {(fault.code, fault.place.key) for fault in refusal.value.faults} == {
        ("world.key_missing", "name"),
        ("world.not_an_integer", "draws"),
        ("world.below_least", "weights.rd_minutes"),
        ("world.not_in_order", "known.0"),
        ("world.key_unknown", "nmae"),
        ("world.no_such_criterion", "weights.beauty"),
        ("world.no_such_attribute", "known.0.attribute"),
    }
    assert {fault.place.name for fault in refusal.value.faults} == {"s.toml"}


def test_all_weights_zero_is_refused():
    weights = dict.fromkeys(catalog.criteria(), 0.0)
    with pytest.raises(InputError) as refusal:
        catalog.scenario_from({"name": {"zh": "零", "en": "zero"}, "weights": weights})
    assert [fault.code for fault in refusal.value.faults] == ["world.no_weight"]


VALUES = {
    "name": ("x", "world.not_a_table"),
    "portfolio": (3, "world.not_text"),
    "sites": ("a", "world.not_a_list"),
    "weights": ([1], "world.not_a_table"),
    "planning_level": ("z", "world.not_a_choice"),
    "placing_bonus": (1e12, "world.above_most"),
    "draws": (5.5, "world.not_an_integer"),
    "time_limit_s": (float("inf"), "world.not_finite"),
    "mip_gap": (None, "world.not_a_number"),
    "moving_price": (-1, "world.below_least"),
    "known": (
        [{"subject": "a", "attribute": "spare_mva", "low": 1, "likely": 1, "high": 1, "source": ""}],
        "world.empty_text",
    ),
    "shares": ([{"prefecture": "a", "least": 3, "most": 1}], "world.most_below_least"),
    "partners": ([{"first": "a", "second": "b", "gain": 0}], "world.not_above"),
    "zz": (1, "world.key_unknown"),
}


@pytest.mark.parametrize("key", VALUES)
def test_what_pydantic_finds_has_a_code_and_no_english_in_chinese(key):
    value, code = VALUES[key]
    with pytest.raises(InputError) as refusal:
        catalog.scenario_from({"name": {"zh": "a", "en": "b"}, key: value})
    fault = next(one for one in refusal.value.faults if one.place.key.startswith(key))
    assert fault.code == code
    assert not re.search(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", "".join(fault.words("zh")[1:]))


def test_choices_and_bounds_are_values():
    with pytest.raises(InputError) as refusal:
        catalog.scenario_from({"name": {"zh": "a", "en": "b"}, "planning_level": "z", "moving_price": -1})
    choice, bound = refusal.value.faults
    assert choice.values["bound"] == ["cautious", "likely", "hopeful"]
    assert (bound.values["bound"], bound.remedy) == (0, "give a number from 0 on")


def test_an_unforeseen_finding_keeps_its_reason_for_english_alone():
    class Odd(BaseModel):
        day: datetime.date

    with pytest.raises(ValidationError) as problem:
        Odd.model_validate({"day": "x"})
    (fault,) = catalog.faults_of(problem.value, "odd.toml")
    assert (fault.code, fault.where) == ("world.unfit_value", "odd.toml, day")
    assert "valid date" in fault.what
    assert "valid date" not in fault.words("zh").what


def test_a_broken_table_is_refused_with_its_place(tmp_path):
    path = tmp_path / "t.toml"
    path.write_text("a = \n", encoding="utf-8")
    with pytest.raises(DataError) as refusal:
        toml.read(path, error=DataError)
    (fault,) = refusal.value.faults
    assert (fault.code, fault.place.name) == ("common.not_toml", str(path))
    assert (fault.values["line"], fault.values["column"]) == (1, 5)


def test_a_table_that_ends_too_early_or_is_no_text():
    for content, code in ((b'a = "', "common.not_toml_at_end"), (b"\xff", "common.not_utf8")):
        with pytest.raises(InputError) as refusal:
            toml.parse(content, "t.toml")
        assert [fault.code for fault in refusal.value.faults] == [code]


def test_what_the_system_will_not_read_is_refused_with_its_reason(tmp_path):
    (tmp_path / "file").write_text("a = 1", encoding="utf-8")
    paths = {
        tmp_path / "none.toml": ("common.no_such_file", ""),
        tmp_path: ("common.not_a_file", ""),
        tmp_path / ("n" * 300): ("common.unreadable", "名称太长"),
        tmp_path / "a\0b": ("common.unreadable", "系统不认这个名称"),
        tmp_path / "file" / "in": ("common.unreadable", "不是文件夹"),
    }
    for path, (code, reason) in paths.items():
        with pytest.raises(InputError) as refusal:
            toml.read(path)
        (fault,) = refusal.value.faults
        assert fault.code == code
        assert reason in fault.words("zh").what


def test_every_reason_of_the_system_has_words_in_both_languages():
    full = reason_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert (full.zh, full.en) == ("磁盘已满", os.strerror(errno.ENOSPC))
    odd = reason_of(OSError(9999, "Odd thing"))
    assert (odd.zh, odd.en) == ("系统错误 9999", "Odd thing")
    assert reason_of(OSError("no number")).zh == "系统错误 OSError"


DOTS = ".".join(["a"] * 50_000)
BOMBS = {
    "dots": (f"{DOTS} = 1", "nested_too_deep"),
    "header": (f"[{DOTS}]", "nested_too_deep"),
    "quoted": (" . ".join(['"a"', "''"] * 9_000) + " = 1", "nested_too_deep"),
    "inside": (f"x = {{ {DOTS} = 1 }}", "nested_too_deep"),
    "after a text": (f'x = [ """a"""", {{ {DOTS} = 1 }} ]', "nested_too_deep"),
    "after a quote": (f'x = \'a"\'\n# """\n{DOTS} = 1', "nested_too_deep"),
    "brackets": ("a = " + "[" * 100_000, "nested_too_deep"),
    "lists": ("a = " + "[" * 50 + "]" * 50, "nested_too_deep"),
    "digits": ("a = " + "9" * 5_000, "integer_too_large"),
    "hex": ("a = 0x" + "f" * 10_000, "integer_too_large"),
    "65 bits": ("a = 9223372036854775808", "integer_too_large"),
    "key": (f"x = {{ {'k' * 5_000} = 1, {'k' * 5_000} = 2 }}", "not_toml"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_takes_neither_time_nor_memory(bomb):
    text, code = BOMBS[bomb]
    with pytest.raises(InputError) as refusal:
        toml.parse(text.encode(), "t.toml")
    assert [fault.code for fault in refusal.value.faults] == [f"common.{code}"]
    assert len(str(refusal.value)) < 200


def test_dots_in_texts_and_remarks_and_many_numbers_are_no_dotted_key():
    dots = ".".join("a" * 99)
    numbers = "1.5, " * 99
    text = f"""# {dots}\nx = "{dots}"\ny = '{dots}'\nz = [{numbers}]\nu = \"\"\"\n{dots}\"\"\"\"\"\n{dots[:39]} = 1\n"""
    told = toml.parse(text.encode(), "t.toml")
    assert (told["x"], told["y"], len(told["z"]), told["u"]) == (dots, dots, 99, f'{dots}""')
    assert told["a"] == tomllib.loads(f"{dots[:39]} = 1")["a"]


def test_a_file_larger_than_settings_are_is_not_read(tmp_path):
    path = tmp_path / "t.toml"
    path.write_bytes(b"#" * (2 * 2**20 + 1))
    with pytest.raises(InputError) as refusal:
        toml.read(path)
    assert (refusal.value.faults[0].code, refusal.value.faults[0].values) == ("common.settings_too_large", {"most": 2})


def test_of_what_was_given_little_is_told():
    deep = list[object]()
    for _ in range(5_000):
        deep = [deep]
    rows = {"draws": "9" * 10_000, "seed": deep, "k" * 10_000: 1, "weights": {"w" * 10_000: 1}, "name": {"zh": 1}}
    with pytest.raises(InputError) as told:
        catalog.scenario_from(rows | {"known": [{"attribute": []}, {"attribute": "a" * 10_000}]})
    assert max(len(str(fault)) for fault in told.value.faults) < 600, "the longest lists what may be written"
    assert "\n".join(fault.what for fault in told.value.faults).count("9" * 10) >= 1
    assert all(len(fault.what) < 250 and len(fault.where) < 150 for fault in told.value.faults)


@pytest.mark.slow
def test_of_long_lists_the_first_few_are_named():
    pairs = [{"project": f"P{number}", "site": "E01"} for number in range(20_000)]
    partners = [{"first": f"P{number}", "second": "Q", "gain": 1} for number in range(20_000)]
    shares = [{"prefecture": f"{number}"} for number in range(20_000)]
    rows = {"present": pairs, "locked": pairs, "forbidden": pairs[1:], "partners": partners, "shares": shares}
    with pytest.raises(InputError) as refusal:
        catalog.scenario_from({"name": {"zh": "长", "en": "long"}} | rows)
    (fault,) = (one for one in refusal.value.faults if one.code == "world.locked_and_forbidden")
    assert fault.values["names"].en == "P10000–E01, P10001–E01, P10002–E01, P10003–E01, P10004–E01 and 19994 more"
    assert fault.values["names"].zh.endswith("P10004–E01 等 19999 个")


def test_tables_are_plain_toml_without_code():
    for path in toml.TABLES.rglob("*.toml"):
        tomllib.loads(path.read_text(encoding="utf-8"))
