"""Part of 数据: the rows of one layer, as a table or one below the other; words in place of keys, addresses last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from app import session
from app.session import t
from geo_cluster.world import layers, sources, spreadsheet

STYLE = """
<style>
.gc-about { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.2rem; font-size: .9rem; }
dl.gc-about { margin: 0 !important; padding: 0 !important; }
.gc-about dt { color: #56636c; } .gc-about dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.gc-one { border: 1px solid #d5dad9; border-radius: 10px; padding: .7rem 1rem; margin-bottom: .7rem; }
.gc-one h4 { margin: 0 0 .4rem; padding: 0; font-size: 1rem; overflow-wrap: anywhere; }
.gc-one .gc-about { grid-template-columns: minmax(6em, 11em) 1fr; gap: .15rem 1.2rem; }
@media (max-width: 640px) {
  .gc-about { grid-template-columns: 1fr; gap: 0; }
  .gc-about dd { margin-bottom: .5rem; }
  .gc-one .gc-about { grid-template-columns: minmax(4.5em, 6.5em) 1fr; gap: .1rem .8rem; }
  .gc-one .gc-about dd { margin-bottom: 0; }
}
</style>
"""
PER_PAGE = 20
"""So many rows one below the other at a time."""

ORIGIN = ("publisher", "source_class", "as_of", "confidence")
"""What is told of a row's source wherever it shows."""

MOST_STYLED = 2000
"""Longer tables show their empty numbers as Streamlit does: styled they are slow."""

CJK_PX, LATIN_PX = 13, 7.5
NARROWEST_PX, WIDEST_PX = 70, 300


def draw(name: str, table: pd.DataFrame, *, as_table: bool) -> None:
    """Draw a layer's rows with a search, its main columns or all, and what is shown as a file."""
    language = session.language()
    shown = _published(layers.as_read(name, table, language), language)
    other = "name_en" if language == "zh" and "name_zh" in shown else "name_zh" if "name_en" in shown else ""
    main = [column for column in layers.main_columns(name) if column in shown and column != other]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(t("data.find"), placeholder=t("data.find_hint"), key=f"data-find-{name}", width=300)
        every = st.toggle(t("data.every_column"), key=f"data-every-{name}") if main else True
        hits = found(shown, wanted)
        kept = _ordered(hits, main, every=every)
        headings = _headings(name, kept)
        st.download_button(
            t("data.save_shown"),
            lambda: spreadsheet.as_csv(kept.rename(columns=headings)),
            file_name=f"{name}_{language}.csv",
            icon=":material/table_view:",
            on_click="ignore",
            key=f"data-save-{name}",
        )
    st.caption(t("data.hits", shown=len(hits), all=len(table)))
    if as_table:
        st.dataframe(_blank(kept), hide_index=True, column_config=_columns(kept, headings))
    else:
        _one_below_the_other(name, kept, headings)


def found(table: pd.DataFrame, wanted: str) -> pd.DataFrame:
    """Rows of which some cell contains every word that is looked for, whatever its case."""
    words = wanted.lower().split()
    if not words:
        return table
    text = ("\n".join(map(str, row)).lower() for row in table.itertuples(index=False))
    return table[[all(word in row for word in words) for row in text]]


def _published(table: pd.DataFrame, language: str) -> pd.DataFrame:
    """The table with a publisher of each row in the language; of one's own too, where there is only a source."""
    if "source" not in table:
        return table
    named = [sources.publisher_in("en" if language == "en" else "zh", one) for one in sources.publishers(table)]
    return table.assign(publisher=named)


def _ordered(table: pd.DataFrame, main: list[str], *, every: bool) -> pd.DataFrame:
    """The main columns, who says so and when; then all others, the addresses last."""
    first = [*main, *(column for column in ORIGIN if column in table and column not in main)]
    if not main:
        first = []
    if not every:
        return table[first]
    rest = [column for column in table if column not in (*first, "source")]
    return table[[*first, *rest, *(["source"] if "source" in table else [])]]


def _headings(name: str, table: pd.DataFrame) -> dict[str, str]:
    """What the columns are called, without what follows a colon; the addresses say what they are for."""
    called = {column: _short(rule[session.language()]) for column, rule in layers.headings(name).items()}
    called["source"] = t("data.for_checking")
    return {column: called.get(column, column) for column in table}


def _short(meaning: str) -> str:
    """What a column means as a heading: without what follows the colon."""
    return meaning.partition("：")[0].partition(": ")[0]


def _columns(table: pd.DataFrame, headings: Mapping[str, str]) -> dict[str, Any]:
    """Columns as wide as most of their cells, within bounds."""
    config: dict[str, Any] = {}
    for column in table:
        widths = table[column].map(_cell).map(_px)
        wide = max(float(widths.quantile(0.8)) if len(widths) else 0, _px(headings[column])) + 24
        config[column] = st.column_config.Column(headings[column], width=int(min(max(wide, NARROWEST_PX), WIDEST_PX)))
    return config


def _blank(table: pd.DataFrame) -> Any:
    """The table with nothing where there is no number; a long one as it is."""
    numbers = [column for column in table if pd.api.types.is_float_dtype(table[column])]
    if not numbers or len(table) > MOST_STYLED:
        return table
    return table.style.format(_cell, subset=numbers)


def _px(text: str) -> float:
    wide = len(re.findall(r"[\u2e80-\uffef]", text))
    return CJK_PX * wide + LATIN_PX * (len(text) - wide)


def _one_below_the_other(name: str, table: pd.DataFrame, headings: Mapping[str, str]) -> None:
    """Rows as lists that wrap, a page at a time; empty cells and addresses are left out."""
    pages = max(1, -(-len(table) // PER_PAGE))
    at = 1
    if pages > 1:
        at = st.number_input(t("data.page", pages=pages), 1, pages, 1, key=f"data-page-{name}-{pages}", width=180)
    title = next((column for column in ("name_zh", "name_en", "id", "code") if column in table), None)
    if session.language() == "en" and "name_en" in table:
        title = "name_en"
    cards = []
    for row in table.iloc[(at - 1) * PER_PAGE : at * PER_PAGE].to_dict("records"):
        told = {
            headings[str(column)]: escape(_cell(cell))
            for column, cell in row.items()
            if column not in ("source", title) and _cell(cell)
        }
        head = f"<h4>{escape(str(row[title]))}</h4>" if title else ""
        cards.append(f'<div class="gc-one">{head}{listed(told)}</div>')
    st.html(STYLE + "".join(cards))


def _cell(cell: object) -> str:
    """A cell as text; empty where there is nothing."""
    if cell is None or (isinstance(cell, float) and pd.isna(cell)):
        return ""
    return f"{cell:,.6g}" if isinstance(cell, float) else str(cell).strip()


def listed(told: Mapping[str, str]) -> str:
    """Names and texts, which are markup, as a list that wraps on a phone."""
    return f'<dl class="gc-about">{"".join(f"<dt>{escape(key)}</dt><dd>{of}</dd>" for key, of in told.items())}</dl>'
