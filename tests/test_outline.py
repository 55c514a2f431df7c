"""The outline of a briefing: each number of it stands in the study's tables, each word in both languages."""

import collections
import io
import re
import string
from html import unescape

import numpy as np
import pandas as pd
import pytest

from geo_cluster import toml
from geo_cluster.export import bundle
from geo_cluster.export import deck as decks
from geo_cluster.export import outline as outlines
from geo_cluster.export.briefing_tables import TABLES, levels_of
from geo_cluster.export.csv_tables import csv_tables
from geo_cluster.report import cities
from tests.briefings import small

DECLARED = toml.table("briefing")


@pytest.fixture(scope="module")
def done():
    return small()


@pytest.fixture(scope="module", params=["zh", "en"])
def made(done, request):
    return outlines.outline(done, language=request.param)


def test_what_is_declared_is_there_and_named_in_both_languages():
    fields, columns, tables = DECLARED["fields"], DECLARED["columns"], {*TABLES, "remarks"}
    assert list(dict.fromkeys(row["chapter"] for row in DECLARED["parts"])) == list(DECLARED["chapters"])
    for row in DECLARED["parts"]:
        assert set(row["title"]) == set(row["message"]) == set(row["without"]) == {"zh", "en"}
        sentences = [row["message"], row["without"], *(one for block in row["blocks"] for one in block.get("text", []))]
        for words in sentences:
            used = [{name for _, name, _, _ in string.Formatter().parse(words[at]) if name} for at in ("zh", "en")]
            assert used[0] == used[1] <= set(fields), words
        for block in row["blocks"]:
            assert set(block.get("facts", ())) <= set(fields)
            assert set(block.get("columns", ())) <= set(columns)
            assert {block.get("table", "run"), block.get("of", "run")} <= tables
    assert {of["table"] for of in fields.values()} <= tables == set(DECLARED["tables"])
    files = {*bundle.FILES, *bundle.OTHERS}
    assert {file for row in DECLARED["tables"].values() for file in row["files"]} <= files


UNITS = re.compile(r"10,000 yuan|110/220")


@pytest.mark.slow
def test_every_number_of_a_sentence_is_a_field(made):
    """What is declared has no digit outside its fields, and a message is what is declared with its fields put in."""
    declared = {row["key"]: row for row in DECLARED["parts"]}
    for part in made.parts:
        (words,) = [
            words
            for words in (declared[part.key]["message"], declared[part.key]["without"])
            if part.message
            in {text.format_map(collections.defaultdict(str, made.fields)) for text in words.values() if text}
        ]
        for text in words.values():
            assert not re.search(r"\d", UNITS.sub("", re.sub(r"\{\w+\}", "", text)))


@pytest.mark.slow
def test_the_fields_are_the_numbers_of_the_files(done, made):
    """Worked out again from the CSV files that are handed over."""
    files = {name: pd.read_csv(io.BytesIO(content)) for name, content in csv_tables(done).items()}
    plan, pools = files["assignment.csv"], files["pools.csv"]
    expected = {
        "placed": f"{len(plan)}",
        "projects": f"{len(plan) + len(files['unplaced.csv'])}",
        "land": f"{plan['land_mu'].sum():,.0f}",
        "power": f"{plan['power_mva'].sum():,.1f}",
        "objective": f"{done.plan.objective:,.1f}",
        "sites_used": f"{plan['site'].nunique()}",
        "first_choice": f"{(plan['rank'] == 1).sum()}",
        "years": f"{plan['from_year'].min()}–{plan['from_year'].max()}",
        "full_pools": f"{(pools['used'] / pools['planned'] >= 0.9).sum()}",
        "asked": f"{files['data_request.csv']['is_clear'].eq(True).sum()}",
        "assumed": f"{(files['observations.csv']['basis'] == 'assumed').mean():.0%}",
    }
    assert {key: made.fields[key] for key in expected} == expected
    counts = plan["prefecture"].value_counts()
    assert re.findall(r"\d+", made.fields["by_city"]) == [str(n) for n in counts]


@pytest.mark.slow
def test_tables_and_charts_hold_what_they_are_made_of(made):
    grids = {block.name: block for part in made.parts for block in part.blocks if isinstance(block, outlines.Grid)}
    charts = [block for part in made.parts for block in part.blocks if isinstance(block, outlines.Chart)]
    cities = grids["cities"]
    for at, column in enumerate(cities.values):
        if at:
            total = cities.values[column].sum()
            assert float(cities.total[at].replace(",", "")) == pytest.approx(total, abs=0.51)
    for grid in grids.values():
        assert len(grid.headings) == len(grid.numeric) == len(grid.values.columns)
        assert all(len(row) == len(grid.headings) for row in grid.texts) and len(grid.texts) == len(grid.values)
    assert {chart.kind for chart in charts} == {"bar", "stacked", "range"}
    for chart in charts:
        assert all(len(values) == len(chart.categories) for values in chart.series.values())
        if chart.kind == "range":
            low, likely, high = (np.array(values) for values in chart.series.values())
            assert (low <= likely).all() and (likely <= high).all()
    assert made.sample


@pytest.mark.slow
def test_prices_and_shares_of_cities_are_those_that_were_proven(done, made):
    grids = {block.name: block for part in made.parts for block in part.blocks if isinstance(block, outlines.Grid)}
    table = cities.cities_table(levels_of(done))
    for city, projects, *_ in grids["levels"].texts:
        own = table[(table["prefecture_zh"] == city) | (table["prefecture_en"] == city)]
        assert projects == "–".join(f"{n:.0f}" for n in own["projects"])
    prices = cities.city_prices(done)
    for city, inside, least, lost, *_ in grids["prices"].texts:
        own = prices[((prices["prefecture_zh"] == city) | (prices["prefecture_en"] == city))]
        (row,) = own[own["least"] == int(least)].to_dict("records")
        assert lost == cities.loss_words(row) and int(inside) == row["in_plan"] < row["least"]


def test_a_sentence_about_what_is_not_known_is_left_out(done):
    filled = outlines._Filled(done, "zh")
    filled.shown["ask_first"] = outlines.NONE
    words = [{"zh": "先问{ask_first}。", "en": "Ask {ask_first}."}, {"zh": "{placed}个。", "en": "{placed}."}]
    assert outlines._lines({"text": words}, filled, "").lines == (f"{filled.field('placed')}个。",)


def test_fields_take_what_they_say():
    table = pd.DataFrame({"city": ["a", "b", "c"], "n": [2, 0, 5], "kind": [1, 1, 2]})
    take = {name: outlines.value_of({"take": name, "column": "n", "label": "city"}, table) for name in ("sum", "max")}
    assert take == {"sum": 7, "max": 5}
    assert outlines.value_of({"take": "listed", "column": "n", "label": "city"}, table) == [("c", 5), ("a", 2)]
    assert outlines.value_of({"take": "rows", "where": {"kind": 1}}, table) == 2
    assert np.isnan(outlines.value_of({"take": "max", "column": "n", "where": {"kind": 9}}, table))
    assert outlines.value_of({"take": "rows", "where": {"none": 1}}, table) == 0
    assert outlines.value_of({"take": "joined", "column": "kind", "label": "city"}, table[:1]) == [("a", 1)]
    assert outlines.value_of({"take": "span", "column": "n"}, table) == (0, 5)
    assert outlines.number(np.nan, {}) == outlines.NONE
    assert outlines.number(0.126, {"percent": True, "digits": 1}) == "12.6%"
    assert outlines.number(2030, {"plain": True}) == "2030"
    assert outlines.number(1234.5, {"digits": 1}) == "1,234.5"


def test_comments_are_carried_along_when_they_are_handed_in(done):
    one = outlines.Remark("H01 大冶湖", "红线要再核。", "李明", "2026-11-30", "待办", is_settled=False)
    other = one._replace(remark="已核，不占。", status="已办结", is_settled=True)
    assert "remarks" not in {part.key for part in outlines.outline(done).parts}
    (part,) = [one for one in outlines.outline(done, remarks=[one, other]).parts if one.key == "remarks"]
    assert part.message == "各方意见2条，其中1条已办结。"
    (grid,) = part.blocks
    assert grid.texts == (tuple(one[:5]), tuple(other[:5]))


def test_slides_to_present_hold_what_the_outline_holds(made):
    """Every title, sentence and shown cell, escaped; a bar as long as its number."""
    drawn = str(decks.deck(made, {"plan": "data:,"}, language="zh"))
    shown = unescape(drawn)
    assert drawn.count("<section") == len(made.parts) + 1
    for part in made.parts:
        assert part.title in shown and part.message in shown
        for block in part.blocks:
            if isinstance(block, outlines.Grid):
                assert all(cell in shown for row in block.texts[: decks.MOST] for cell in row)
            if isinstance(block, outlines.Chart) and block.kind != "range":
                bars = decks._bars(block)
                totals = [sum(row) for row in zip(*block.series.values(), strict=True)]
                lengths = [sum(share for share, _ in bar.pieces) for bar in bars.bars]
                assert lengths == pytest.approx([100 * one / (max(totals) or 1) for one in totals], abs=0.3)
