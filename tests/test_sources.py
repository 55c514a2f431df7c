"""Who published a row, as people read it; how many rows say so."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_cluster.world import sources
from geo_cluster.world.layers import Layers, row_layers


def rows(**columns):
    common = {"source": ["甲", "乙"], "source_class": "b", "confidence": "high", "as_of": "2026", "notes": ""}
    return pd.DataFrame(common | columns)


def test_a_publisher_stands_before_the_source_and_addresses_are_left_out():
    assert sources.publishers(rows()).tolist() == ["甲", "乙"]
    assert sources.publishers(rows(publisher=["丙", ""])).tolist() == ["丙", "乙"]
    assert sources.publishers(rows(source=["https://a.cn/x", "港务局 ; http://b.cn"])).tolist() == [
        sources.NOT_NAMED,
        "港务局",
    ]
    assert sources.publishers(rows().drop(columns="source")).tolist() == ["", ""]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("黄石经开区招商局 2026-10", "黄石经开区招商局 2026-10"),
        ("HTTP://A.CN/1 ; https://a.cn/2", sources.NOT_NAMED),
        ("湖北日报 https://a.cn/1 ; 湖北日报", "湖北日报"),
        ("见 www.a.cn/b，黄石", "见"),
        ("", ""),
    ],
)
def test_a_text_without_its_addresses(text, left):
    assert sources.without_addresses(text) == left


@given(st.lists(st.sampled_from(["https://a.cn/1", "甲", "http://b.cn", "www.c.cn", "乙报 2026"]), max_size=5))
def test_no_address_is_left(parts):
    told = sources.without_addresses(" ; ".join(parts))
    assert "://" not in told
    assert "www." not in told
    assert all(part in told for part in parts if part in ("甲", "乙报 2026"))


def test_what_stands_for_nobody_is_translated_and_names_are_as_they_are():
    told = sources.publisher_in("en", f"湖北日报；{sources.NOT_NAMED}")
    assert told == "湖北日报；copied, original publisher not named"
    assert sources.publisher_in("zh", "无（背景知识，未核实）") == "背景知识，未核实"


def test_rows_are_counted_by_what_they_say():
    table = rows(
        source=["甲"] * 5,
        publisher=["甲", sources.NOT_NAMED, f"{sources.NOT_NAMED}；乙", "无（背景知识，未核实）", "丙"],
        as_of=["2026", "2026", "未载", "2026", "2026"],
        confidence=["high", "high", "low", "low", ""],
        source_is_copy=["no", "yes", "yes", "no", "unknown"],
        source_class="b",
        notes="",
    )
    assert sources.tally([table]) == (5, 1, 2, 2, 1)
    assert sources.tally([table, table]) == (10, 2, 4, 4, 2)
    assert sources.tally([]) == (0, 0, 0, 0, 0)


def test_every_shipped_row_has_class_and_confidence():
    tables = [Layers().read(name) for name in row_layers(Layers().registry)]
    found = sources.tally(tables)
    assert found.rows == sum(map(len, tables))
    assert found.rows - found.complete <= found.unnamed + found.undated, "nothing else is left out"
