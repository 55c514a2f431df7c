"""What leaves as a table: nothing of it is a formula anywhere, and it comes back as it was."""

import io
import re
import sys
import time
import unicodedata
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from geo_cluster import toml
from geo_cluster.world import portfolio, spreadsheet

LEADS = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.normalize("NFKC", one)[:1] in (*"=+-@−",)]
BLANKS = [
    one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(one) in ("Cc", "Cf", "Zs", "Zl", "Zp")
]
RISKS = ["=1+1", "+86 27", "-5", "@SUM(A1)", "＝1", "－1", "＋1", "＠a", "−1", "﹦1", "⁺1", "\t=1"]
RISKS += ["\rx", "\nx", "\n=1"]
RISKS += [" =1", "\u3000=1", "\ufeff=1", "\u200b=1", "\x0b=1", "'=1", "''=1", "=cmd|' /C calc'!A0", '=HYPERLINK("x")']
INNER = ["a;=1", "a; =1", "a\t=1", "a\n=1", "a\r\n＝1", "a;\u200b@x", 'x";=1;"', "a;'=1", "\t;\t=1"]

LETTERS = some.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = some.text(LETTERS | some.sampled_from("=+-@＝＋－＠';,\t\r\n \"|\ufeff\u200b"), max_size=12)


def cells_of(content, mark):
    """What a spreadsheet makes of a CSV whose cells it takes to be apart by `mark`: quotes within a cell are no end."""
    return [cell.strip('"') for cell in re.split(rf"[{mark}\r\n]", content.decode("utf-8-sig"))]


def is_formula(cell):
    return bool(cell.lstrip("".join(BLANKS))[:1] in LEADS)


def test_every_form_of_a_lead_and_every_blank_is_known():
    assert [one for one in LEADS if spreadsheet.inert(f"{one}1") != f"'{one}1"] == []
    assert [one for one in BLANKS if not spreadsheet.inert(f"{one}=1").startswith("'")] == []


@pytest.mark.parametrize("text", [*RISKS, *INNER])
def test_nothing_begins_a_formula_whatever_separates_the_cells(text):
    content = spreadsheet.as_csv(pd.DataFrame({"name": [text], text: ["x"], "n": [-1.5]}))
    told = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", dtype=str, keep_default_na=False)
    assert not any(is_formula(cell) for cell in [*told.columns, told.iloc[0, 0]])
    assert told["n"].tolist() == ["-1.5"], "numbers stay numbers"
    for mark in (";", "\t"):
        assert [cell for cell in cells_of(content, mark) if is_formula(cell)] == []


@given(TEXTS)
@example("''\t;=")
@settings(max_examples=500, deadline=None)
def test_taking_the_guard_away_gives_the_text(text):
    assert spreadsheet.bare(spreadsheet.inert(text)) == text
    for cell in re.split(r"[;\t\r\n]", spreadsheet.inert(text)):
        assert not is_formula(cell)


@pytest.mark.slow
@given(some.lists(some.tuples(TEXTS, TEXTS), min_size=1, max_size=5), TEXTS)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_what_is_read(rows, heading):
    table = pd.DataFrame(rows, columns=["id", f"{heading}x"], dtype=object)
    pd.testing.assert_frame_equal(spreadsheet.read_csv(spreadsheet.as_csv(table)).astype(object), table)


CELLS = TEXTS.map(str.strip)


@pytest.mark.slow
@given(some.lists(some.fixed_dictionaries(dict.fromkeys(portfolio.columns(), CELLS)), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_portfolio_is_read_as_it_was_written(rows):
    table = pd.DataFrame([row | {"id": row["id"] or f"n{n}", "name": f"甲{row['name']}"} for n, row in enumerate(rows)])
    again = portfolio.kept_text(portfolio.write_text(table[list(portfolio.columns())]))
    pd.testing.assert_frame_equal(again.astype(object), table[list(portfolio.columns())].astype(object))


def test_a_portfolio_guards_what_the_table_of_projects_was_given():
    rows = [dict.fromkeys(portfolio.columns(), text) | {"id": f"A{n}"} for n, text in enumerate(["=1", "＝1", "\n=1"])]
    content = portfolio.write_text(pd.DataFrame(rows))
    assert not any(is_formula(cell) for cell in pd.read_csv(io.BytesIO(content), dtype=str).to_numpy().ravel())


def test_a_long_run_of_blanks_is_looked_through_once():
    began = time.perf_counter()
    spreadsheet.inert("\t" * 500_000 + "x")
    spreadsheet.bare("'\t" * 500_000 + "x")
    assert time.perf_counter() - began < 3  # 2 * 10^11 steps if each began anew


# ---- workbooks ----------------------------------------------------------------------------------------------


def book_of(table):
    return openpyxl.load_workbook(io.BytesIO(spreadsheet.as_xlsx({"a": table})))["a"]


@pytest.mark.parametrize("text", [*RISKS, *INNER, "#REF!", "#N/A", "TRUE", "2026-01-01", "\x00\x08\x1f\ufffe"])
def test_a_cell_of_a_workbook_is_text_and_no_formula(text):
    page = book_of(pd.DataFrame({text: [text], "n": [-2]}))
    assert {cell.data_type for cell in (page["A1"], page["A2"])} == {"s"}
    assert not any(is_formula(page[cell].value) for cell in ("A1", "A2"))
    assert page["B2"].value == -2
    assert page["A2"].hyperlink is None


@pytest.mark.parametrize("text", ["甲" * 40_000, "😀" * 20_000])
def test_a_cell_of_a_workbook_is_no_longer_than_it_may_be(text):
    told = book_of(pd.DataFrame({"a": [text]}))["A2"].value
    assert len(told.encode("utf-16-le")) // 2 <= 32_767
    assert told.endswith("…")


def test_a_workbook_comes_back_as_it_was():
    texts = [*RISKS[:9], "'x", "x'", "a;=1"]
    content = spreadsheet.as_xlsx({"a": pd.DataFrame({"t": texts})})
    assert spreadsheet.bared(pd.read_excel(io.BytesIO(content), dtype=str))["t"].tolist() == texts


def test_a_workbook_does_not_say_when_it_was_made():
    content = spreadsheet.as_xlsx({"a": pd.DataFrame({"t": ["x"]})})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb"\d{4}-\d\d-\d\dT[\d:]+Z", archive.read("docProps/core.xml"))) == {
            b"1980-01-01T00:00:00Z"
        }


def test_a_table_keeps_what_is_no_text():
    table = pd.DataFrame({"a": [None, "=1", np.nan], "b": [1, 2, 3], "c": pd.Categorical(["=x", "y", "=x"])})
    told = spreadsheet.as_csv(table).decode("utf-8-sig").split("\r\n")
    assert told[1:4] == [",1,'=x", "'=1,2,y", ",3,'=x"]


# ---- one writer ---------------------------------------------------------------------------------------------

ROOT = toml.PACKAGE.parent
NO_WRITERS = {
    "geo_cluster/study.py": "the portfolio as it is hashed",
    "geo_cluster/world/layers.py": "tables handed in as they are hashed",
    "app/views/data/preview.py": "the key of a cache",
    "geo_cluster/imports/templates.py": "declared words alone, with drop-down lists",
    "geo_cluster/export/slide_charts.py": "numbers behind a chart, with names that are inert; tests/test_slides.py",
}
"""Where a table becomes text or a workbook without leaving, or without any text of a user's."""


@pytest.mark.slow
def test_no_table_leaves_by_another_door():
    writes = re.compile(r"\.to_csv\(|\.to_excel\(|csv\.writer|ExcelWriter|Workbook\(|write_only=")
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("geo_cluster", "app")
        for path in (ROOT / folder).rglob("*.py")
        if writes.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"geo_cluster/world/spreadsheet.py", *NO_WRITERS}
