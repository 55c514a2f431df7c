"""The briefing as declared in `tables/briefing.toml`, filled with a study: what slides, paper and PDF are made from.

A part has a title, the sentence that it is there for, and blocks. Each number in a sentence is a field: a cell,
count or sum of a table of `export.briefing_tables`. Renderers only lay out what is here.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import measure
from geo_cluster.export.briefing_tables import TABLES, kept_table
from geo_cluster.export.csv_tables import sample_notice
from geo_cluster.export.review import review_number
from geo_cluster.export.told import WORDS, about
from geo_cluster.study import Study


class Remark(NamedTuple):
    """A comment to be carried along: on what, what was said, by whom, on which day, its status in words."""

    subject: str
    remark: str
    author: str
    said_on: str
    status: str
    is_settled: bool


NONE = "—"
"""What stands where a number is not known."""
SAID: dict[Language, dict[str, str]] = {
    "zh": {"files": "数字出自：{files}。", "owed": "来源：{owed}。"},
    "en": {"files": "Numbers from {files}.", "owed": "Source: {owed}."},
}


@dataclass(frozen=True)
class Facts:
    """Headline numbers: (name, value with its unit), both as shown."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Lines:
    """Sentences, a paragraph each."""

    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Grid:
    """A table to lay out.

    Attributes
    ----------
    name : str
        Its name in `briefing_tables.TABLES`.
    title : str
        What it is called.
    headings : tuple of str
    values : DataFrame
        One column a heading, unrounded; `texts` has the same cells as shown.
    texts : tuple of tuple of str
    numeric : tuple of bool
        Which columns are numbers or intervals and stand to the right.
    rows : int
        So many rows at most on a slide; a paper has them all.
    total : tuple of str
        The last row with sums, empty for none.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    values: pd.DataFrame
    texts: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    rows: int
    total: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart to draw natively.

    Attributes
    ----------
    kind : {"bar", "stacked", "range"}
        Bars; stacked bars; low–high bars with a mark at the likely value.
    name : str
        Its table.
    title, unit : str
    categories : tuple of str
    series : dict of str to tuple of float
        Name -> a value a category; a range has `low`, `likely`, `high`, named in the language in `names`.
    percent : bool
    """

    kind: str
    name: str
    title: str
    unit: str
    categories: tuple[str, ...]
    series: dict[str, tuple[float, ...]]
    percent: bool = False

    @property
    def axis(self) -> tuple[float, float]:
        """Top of the axis of values, from 0, and the distance of its gridlines."""
        together = sum if self.kind == "stacked" else max
        highest = max((together(values) for values in zip(*self.series.values(), strict=True)), default=0.0)
        return measure.steps(highest, whole=not self.percent)

    def tick(self, value: float) -> str:
        """A number as it stands at the axis and at bars."""
        return f"{value:.0%}" if self.percent else f"{value:,.0f}"


@dataclass(frozen=True)
class Sheet:
    """A map sheet by its name, and what it is called."""

    name: str
    title: str


@dataclass(frozen=True)
class Drawing:
    """A small map that stands in the text: its name, what it is called, and a PNG file."""

    name: str
    title: str
    png: bytes


Block = Facts | Lines | Grid | Chart | Sheet | Drawing


@dataclass(frozen=True)
class Part:
    """A slide, or a section of the paper.

    Attributes
    ----------
    key, title : str
    chapter : str
        What it stands under on paper.
    message : str
        The sentence that it is there for.
    blocks : tuple of Block
    sources : tuple of str
        Which files its numbers stand in, and whom the layers behind them are owed to.
    """

    key: str
    title: str
    chapter: str
    message: str
    blocks: tuple[Block, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outline:
    """A briefing.

    Attributes
    ----------
    title : str
    about : tuple of str
        Scenario, planning level and day.
    parts : tuple of Part
    sample : str
        What every page has to say of a sample, '' for none.
    stale : str
        What every page has to say when the study is older than its settings or its version, '' for none.
    review : str
        The line about the map review number.
    """

    title: str
    about: tuple[str, ...]
    parts: tuple[Part, ...]
    sample: str = ""
    stale: str = ""
    review: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def chapters(self) -> dict[str, list[Part]]:
        """The parts by chapter, in order."""
        found: dict[str, list[Part]] = {}
        for part in self.parts:
            found.setdefault(part.chapter, []).append(part)
        return found

    @property
    def subtitle(self) -> str:
        """Scenario, planning level and day in one line."""
        return " · ".join(self.about)


class _Filled:
    """Tables and fields of one study, each made when it is first asked for."""

    def __init__(self, study: Study, language: Language, remarks: Sequence[Remark] = ()) -> None:
        self.study, self.language = study, language
        self.declared = toml.table("briefing")
        self._tables = {"remarks": pd.DataFrame(remarks, columns=list(Remark._fields))}
        self.shown: dict[str, str] = {}
        self.used: dict[str, None] = {}

    def table(self, name: str) -> pd.DataFrame:
        self.used[name] = None
        if name not in self._tables:
            known = name in TABLES
            self._tables[name] = kept_table(self.study, name, self.language) if known else pd.DataFrame()
        return self._tables[name]

    def field(self, key: str) -> str:
        declared = self.declared["fields"][key]
        self.used[declared["table"]] = None
        if key not in self.shown:
            self.shown[key] = _shown(value_of(declared, self.table(declared["table"])), declared, self.language)
        return self.shown[key]

    def sentence(self, words: Mapping[str, str]) -> str:
        return words[self.language].format(**{name: self.field(name) for name in _fields(words)})

    def sources(self) -> tuple[str, ...]:
        """Of the tables used since this was last asked: the files, and whom their layers are owed to."""
        rows = [self.declared["tables"][name] for name in self.used]
        self.used = {}
        files = dict.fromkeys(file for row in rows for file in row["files"])
        layers, registry = dict.fromkeys(one for row in rows for one in row["layers"]), self.study.layers.registry
        owed = (getattr(registry[one], f"attribution_{self.language}") for one in layers if one in registry)
        words, stop = SAID[self.language], {"zh": "、", "en": ", "}[self.language]
        said = [words["files"].format(files=stop.join(files))] if files else []
        return (*said, *(words["owed"].format(owed=one) for one in dict.fromkeys(filter(None, owed))))


def _fields(words: Mapping[str, str]) -> set[str]:
    """Names of the fields of a sentence."""
    return {name for text in (words["zh"], words["en"]) for _, name, _, _ in string.Formatter().parse(text) if name}


def value_of(declared: Mapping[str, Any], table: pd.DataFrame) -> Any:
    """The value of a field: what `take` makes of the cells that it names; nan or '' where there are none.

    Parameters
    ----------
    declared : mapping
        A row of `[fields]` of `briefing.toml`.
    table : DataFrame
        The table that it names.

    Returns
    -------
    float, int, str, pair of ends or list of (label, number or words)
    """
    for column, wanted in declared.get("where", {}).items():
        table = table[table[column] == wanted] if column in table else table.iloc[:0]
    take = declared["take"]
    if take == "rows":
        return len(table)
    if declared["column"] not in table or table.empty:
        return [] if take in ("listed", "joined") else np.nan
    cells = table[declared["column"]]
    if take in ("first", "top"):
        return cells.iloc[0]
    if take == "joined":
        return list(zip(table[declared["label"]], cells, strict=True))
    if take == "listed":
        rows = table[cells > 0].sort_values(declared["column"], ascending=False, kind="stable")
        return list(zip(rows[declared["label"]], rows[declared["column"]], strict=True))
    if take == "span":
        return (cells.min(), cells.max())
    return getattr(cells, take)()


def number(value: Any, declared: Mapping[str, Any]) -> str:
    """A number as shown: `digits` after the point, `percent`, or `plain` (a year: no thousands); text as it is."""
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return NONE
    if declared.get("percent"):
        return f"{value:.{declared.get('digits', 0)}%}"
    return f"{value:.0f}" if declared.get("plain") else f"{value:,.{declared.get('digits', 0)}f}"


def _shown(value: Any, declared: Mapping[str, Any], language: Language) -> str:
    if isinstance(value, list):
        stop, joint = ("、", "") if language == "zh" else (", ", " ")
        return stop.join(f"{label}{joint}{number(n, declared)}" for label, n in value) or NONE
    if isinstance(value, tuple):
        return "–".join(dict.fromkeys(number(end, declared) for end in value))
    words = declared.get("words", {}).get(value) if isinstance(value, str) else None
    return words[language] if words else number(value, declared)


def outline(
    study: Study,
    *,
    language: Language = "zh",
    stale: str = "",
    review: str = "",
    remarks: Sequence[Remark] = (),
) -> Outline:
    """The briefing of a study, made once and kept with it.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    stale : str
        What to say on every page when the study is out of date.
    review : str
        Map review number, '' for none.
    remarks : sequence of Remark
        Comments to carry along, in their order.

    Raises
    ------
    InputError
        The number has another form.
    """
    key = "\n".join((__name__, language, stale, review, repr(remarks)))
    if key not in study.memo:
        study.memo[key] = _made(study, language, stale, review, remarks)
    return study.memo[key]


def _made(study: Study, language: Language, stale: str, review: str, remarks: Sequence[Remark]) -> Outline:
    filled, words = _Filled(study, language, remarks), WORDS[language]
    parts = [part for row in filled.declared["parts"] if (part := _part(row, filled)) is not None]
    colon = "：" if language == "zh" else ": "
    told = [f"{words[key]}{colon}{value}" for key, value in about(study, language).items()]
    return Outline(
        words["title"],
        tuple(told),
        tuple(parts),
        sample=sample_notice(study, language),
        stale=stale,
        review=words["reviewed"].format(number=review_number(review)) if review.strip() else words["review"],
        fields=dict(filled.shown),
    )


def conclusion(study: Study, language: Language) -> str:
    """The sentence that the briefing begins with."""
    row, filled = toml.table("briefing")["parts"][0], _Filled(study, language)
    return filled.sentence(row["without"] if filled.table(row["needs"]).empty else row["message"])


def _part(row: Mapping[str, Any], filled: _Filled) -> Part | None:
    """A part of the outline; None where its table is empty and nothing is to be said of that."""
    title, chapter = row["title"][filled.language], filled.declared["chapters"][row["chapter"]][filled.language]
    filled.used = {}
    if filled.table(row["needs"]).empty:
        said = filled.sentence(row["without"])
        return Part(row["key"], title, chapter, said, sources=filled.sources()) if said else None
    blocks = [_BLOCKS[kind](block, filled, title) for block in row["blocks"] for kind in _BLOCKS if kind in block]
    kept = tuple(block for block in blocks if block is not None)
    return Part(row["key"], title, chapter, filled.sentence(row["message"]), kept, filled.sources())


def _facts(block: Mapping[str, Any], filled: _Filled, _: str) -> Facts:
    rows = []
    for key in block["facts"]:
        declared, value = filled.declared["fields"][key], filled.field(key)
        unit = declared.get("unit", {}).get(filled.language, "")
        name, joint = declared["name"][filled.language], "" if filled.language == "zh" else " "
        rows.append((name, value if not unit or value == NONE else f"{value}{joint}{unit}"))
    return Facts(tuple(rows))


def _lines(block: Mapping[str, Any], filled: _Filled, _: str) -> Lines:
    return Lines(tuple(filled.sentence(words) for words in block["text"] if _is_known(words, filled)))


def _is_known(words: Mapping[str, str], filled: _Filled) -> bool:
    """Whether every field of a sentence is known, and the one it is about, if it names one, isn't 0."""
    about = words.get("unless_none_of", "")
    return NONE not in map(filled.field, _fields(words)) and (not about or filled.field(about) != "0")


def _grid(block: Mapping[str, Any], filled: _Filled, title: str) -> Grid | None:
    table, declared = filled.table(block["table"]), filled.declared["columns"]
    columns = [column for column in block["columns"] if column in table]
    if table.empty:
        return None
    values = table[columns].reset_index(drop=True)
    texts = tuple(
        tuple(number(cell, declared[column]) for column, cell in zip(columns, row, strict=True))
        for row in values.itertuples(index=False)
    )
    numeric = tuple(
        pd.api.types.is_numeric_dtype(values[column]) or declared[column].get("right", False) for column in columns
    )
    total: tuple[str, ...] = ()
    if block.get("total"):
        sums = values.sum(numeric_only=True)
        total = tuple(number(sums[column], declared[column]) if column in sums else "" for column in columns)
        total = ({"zh": "合计", "en": "Total"}[filled.language], *total[1:])
    headings = tuple(declared[column][filled.language] for column in columns)
    title = filled.sentence(block["title"]) if "title" in block else title
    return Grid(block["table"], title, headings, values, texts, numeric, block["rows"], total)


def _chart(block: Mapping[str, Any], filled: _Filled, title: str) -> Chart | None:
    table = filled.table(block["of"])
    if table.empty:
        return None
    kind, category = block["chart"], block["category"]
    columns, language = filled.declared["columns"], filled.language
    if kind == "range":
        series = {columns[end][language]: tuple(table[end].astype(float)) for end in ("low", "likely", "high")}
        categories = tuple(table[category].astype(str))
    elif kind == "stacked":
        wide = table.pivot_table(
            index=category, columns=block["series"], values=block["value"], aggfunc="sum", fill_value=0, sort=False
        )
        wide = wide.sort_index() if category == "year" else wide
        categories = tuple(wide.index.astype(str))
        series = {str(name): tuple(wide[name].astype(float)) for name in wide}
    else:
        categories = tuple(table[category].astype(str))
        series = {block["unit"][language]: tuple(table[block["value"]].astype(float))}
    title = filled.sentence(block["title"]) if "title" in block else title
    return Chart(kind, block["of"], title, block["unit"][language], categories, series, bool(block.get("percent")))


def _sheet(block: Mapping[str, Any], _: _Filled, title: str) -> Sheet:
    return Sheet(block["map"], title)


_BLOCKS: dict[str, Callable[[Mapping[str, Any], _Filled, str], Block | None]] = {
    "facts": _facts,
    "text": _lines,
    "chart": _chart,
    "table": _grid,
    "map": _sheet,
}
