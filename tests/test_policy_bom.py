"""The local supporting rate of a bill of materials: an interval that holds every case, and faults with remedies."""

import itertools
import tomllib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster import toml
from geo_cluster.errors import InputError
from geo_cluster.imports.headings import EXAMPLE
from geo_cluster.policy import bom, chain
from geo_cluster.world.layers import Layers


@pytest.fixture(scope="module")
def layers():
    return Layers("")


def rate(text, layers, **more):
    return bom.read(text.encode(), "物料.csv", layers, **more)


BILL = """物料,采购额(万元),供应商,产地
泵浦源,100,长光华芯,
光纤,50-70,长飞光纤,
非线性晶体 LBO,30,福晶科技,
激光切割头,40,柏楚电子,上海
激光反射镜,20,,
机架,25,,鄂州葛店
控制系统,60,华中数控,
"""


def test_a_bill_worked_out_by_hand(layers):
    found = rate(BILL, layers)
    assert found.low == pytest.approx((50 + 25 + 60) / (50 + 25 + 60 + 170 + 20))
    assert found.likely == pytest.approx((60 + 25 + 60) / (60 + 25 + 60 + 170))
    assert found.high == pytest.approx((70 + 25 + 60 + 20) / (70 + 25 + 60 + 20 + 170))
    assert found.value.tolist() == [325, 335, 345]
    assert found.lines["where"].tolist() == [*["elsewhere", "local"], *["elsewhere"] * 2, "unknown", "local", "local"]
    assert found.lines["basis"].tolist() == ["list", "list", "list", "place", "none", "place", "list"]


def test_parts_that_none_makes_here(layers):
    found = rate(BILL, layers).missing
    assert found[["part", "link", "state"]].to_numpy().tolist() == [
        ["激光切割头", "processing_head", "outside"],
        ["非线性晶体 LBO", "crystal_nlo", "outside"],
        ["激光反射镜", "mirror", "project"],
    ]
    said = bom.sentence(rate(BILL, layers))
    assert "省内未见企业生产：激光切割头、非线性晶体 LBO、激光反射镜" in said.zh
    assert "No firm is seen here" in said.en


def test_one_city_counts_hubei_alone_as_unknown(layers):
    text = "物料,采购额(万元),供应商,产地\n甲,10,,湖北\n乙,10,,武汉市东湖高新区\n丙,10,,鄂州\n"
    assert rate(text, layers).low == 1
    wuhan = rate(text, layers, city="420100")
    assert wuhan.lines["where"].tolist() == ["unknown", "local", "elsewhere"]
    assert (wuhan.low, wuhan.high) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("supplier", "place", "where"),
    [
        ("", "湖北省武汉市", "local"),
        ("", "广东深圳", "elsewhere"),
        ("", "武汉（德国进口）", "unknown"),  # one here and one elsewhere
        ("锐科激光", "", "local"),
        ("武汉某某光学有限公司", "", "local"),
        ("深圳某某光学有限公司", "", "elsewhere"),
        ("某某光学有限公司", "", "unknown"),
        ("光学", "", "unknown"),  # too short to stand for a firm
        ("华工激光", "江苏宿迁", "elsewhere"),  # the place goes before the list
    ],
)
def test_where_a_line_comes_from(layers, supplier, place, where):
    assert rate(f"物料,采购额(万元),供应商,产地\n甲,10,{supplier},{place}\n", layers).lines["where"].item() == where


AMOUNTS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 100), st.sampled_from(["local", "elsewhere", "unknown"])),
    min_size=1,
    max_size=4,
)


@given(AMOUNTS)
@settings(max_examples=40, deadline=None)
def test_the_interval_holds_every_case_and_is_reached(drawn):
    ends = [(min(a, b), max(a, b), where) for a, b, where in drawn]
    lines = pd.DataFrame(ends, columns=["low", "high", "where"])
    found = bom.rated(lines.assign(likely=(lines["low"] + lines["high"]) / 2))
    cases = []
    for values in itertools.product(*[{low, high} for low, high, _ in ends]):
        for origin in itertools.product(*[["local", "elsewhere"] if w == "unknown" else [w] for *_, w in ends]):
            total = sum(values)
            if total > 1e-6:
                cases.append(sum(v for v, w in zip(values, origin, strict=True) if w == "local") / total)
    if cases:
        assert found.low <= min(cases) + 1e-9
        assert found.high >= max(cases) - 1e-9
        if lines["low"].min() > 1e-3:
            assert found.low == pytest.approx(min(cases))
            assert found.high == pytest.approx(max(cases))


def test_unknown_suppliers_widen_the_interval(layers):
    told = rate("物料,采购额(万元),产地\n甲,10,武汉\n乙,10,上海\n", layers)
    open_ = rate("物料,采购额(万元),产地\n甲,10,武汉\n乙,10,\n", layers)
    assert (told.low, told.high, told.unknown) == (0.5, 0.5, 0)
    assert (open_.low, open_.high, open_.unknown) == (0.5, 1, 0.5)
    assert open_.likely == 1


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("物料,供应商\n甲,乙\n", ["policy.bom_column_missing"]),
        ("物料,采购额(万元)\n,5\n甲,\n乙,-3\n丙,abc\n", ["no_part", "no_value", "not_an_amount", "not_an_amount"]),
        ("物料,采购额(万元)\n甲,5公斤\n", ["sheets.unknown_unit"]),
        ("物料,采购额(万元)\n甲,0\n", ["policy.bom_all_nothing"]),
        ("物料,采购额(万元)\n,\n", ["policy.bom_empty"]),
    ],
)
def test_each_fault_is_named_all_at_once(layers, text, codes):
    with pytest.raises(InputError) as refusal:
        rate(text, layers)
    assert [fault.code for fault in refusal.value.faults] == [
        one if "." in one else f"policy.bom_{one}" for one in codes
    ]
    assert all(fault.words(language).remedy for fault in refusal.value.faults for language in ("zh", "en"))


def test_units_are_read_as_everywhere(layers):
    found = rate("零部件,金额（元）\n甲,100000\n", layers)
    assert found.value.tolist() == [10, 10, 10]


def test_the_template_comes_back_without_its_example(layers):
    assert bom.columns()["notes"]["example"] == EXAMPLE
    with pytest.raises(InputError) as refusal:
        bom.read(bom.template(), "模板.xlsx", layers)
    assert [fault.code for fault in refusal.value.faults] == ["policy.bom_empty"]


def test_a_city_that_is_none_is_refused(layers):
    with pytest.raises(InputError) as refusal:
        rate(BILL, layers, city="110000")
    assert refusal.value.faults[0].code == "policy.unknown_city"


def test_a_part_belongs_to_the_longest_word_in_it():
    assert bom.link_of("高功率光纤激光器") == "fiber_laser"  # not 光纤
    assert bom.link_of("Nd:YAG 晶体棒") == "crystal_laser"
    assert bom.link_of("螺钉") == ""
    declared = tomllib.loads((toml.TABLES / "chain.toml").read_text(encoding="utf-8"))["links"]
    words = [word.casefold() for link in declared.values() for word in link["parts"]]
    assert len(words) == len(set(words))
    assert {bom.link_of(word) for word in words} == set(chain.links())
