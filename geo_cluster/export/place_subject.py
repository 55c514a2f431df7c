"""What the parts of a sheet of a place are made with: whose sheet it is, tables, lines of a layer, reasons."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import place_lines
from geo_cluster.export.outline import NONE, Block, Grid, Lines, Part
from geo_cluster.region import Region
from geo_cluster.study import Study
from geo_cluster.world.layers import as_read, headings


@dataclass(frozen=True, eq=False)
class Subject:
    """Whose sheet it is, and what it is made of."""

    region: Region
    layer: str
    row: gpd.GeoDataFrame
    language: Language
    study: Study | None
    day: datetime.date

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.row["id"].iloc[0])

    @property
    def name(self) -> str:
        """Its name, the Chinese one where it has no other."""
        first = self.row.iloc[0]
        return str(first[f"name_{self.language}"] or first["name_zh"])

    @property
    def city(self) -> str:
        """City and county."""
        found = []
        for layer, column in (("prefectures", "prefecture_code"), ("counties", "county_code")):
            known = self.region.layers.read(layer).drop_duplicates("code").set_index("code")[f"name_{self.language}"]
            found += [known[code] for code in self.row.get(column, pd.Series([""])) if code in known.index]
        ordered = found if self.language == "zh" else found[::-1]
        return ("" if self.language == "zh" else ", ").join(ordered) or self.say("city_unknown")

    def say(self, key: str, **values: object) -> str:
        """A text of `tables/place_sheet.toml`."""
        return str(toml.table("place_sheet")["words"][key][self.language]).format(**values)


def part(subject: Subject, key: str, message: str, *blocks: Block | None) -> Part:
    """A part under its declared title.

    Parameters
    ----------
    subject : Subject
    key : str
        Of its title.
    message : str
        The sentence that it is there for.
    *blocks : Block or None
        None is left out.
    """
    title = subject.say(key)
    return Part(key, title, title, message, tuple(one for one in blocks if one is not None))


def table_of(
    subject: Subject, name: str, heads: Sequence[str], rows: Sequence[Sequence[object]], numeric: str, title: str = ""
) -> Grid | None:
    """A table; None where it has no row.

    Parameters
    ----------
    subject : Subject
    name : str
    heads : sequence of str
        Keys of the headings.
    rows : sequence of sequences
    numeric : str
        A 1 for each column of numbers.
    title : str
        What it is called, if not as its name says.
    """
    titles = tuple(subject.say(one) for one in heads)
    texts = tuple(tuple(str(cell) for cell in row) for row in rows)
    values = pd.DataFrame([list(row) for row in rows], columns=list(titles))
    marks = tuple(one == "1" for one in numeric)
    return Grid(name, title or subject.say(name), titles, values, texts, marks, len(texts)) if texts else None


def cells_of(subject: Subject, columns: Sequence[str]) -> list[tuple[str, str]]:
    """(heading, cell) of columns of the layer; what is empty is unknown, unless it needn't be there."""
    shown = as_read(subject.layer, pd.DataFrame(subject.row.drop(columns="geometry")), subject.language).iloc[0]
    heads, optional = headings(subject.layer), toml.table("place_sheet")["about"]["optional"]
    found = []
    for column in columns:
        cell = shown.get(column)
        is_empty = cell is None or cell == "" or pd.isna(cell)
        if not is_empty or column not in optional:
            text = subject.say("unknown") if is_empty else _cell(cell, subject.language)
            found.append((heads[column][subject.language], text))
    return found


def _cell(cell: object, language: Language) -> str:
    if isinstance(cell, int | float | np.number):
        return f"{cell:,.10g}"
    return str(cell).replace("; ", "；") if language == "zh" else str(cell)


def ends(subject: Subject, one: place_lines.Line) -> tuple[str, str, str]:
    """Low, likely, high as shown; of what isn't there or isn't known the word in the middle."""
    if one.state:
        return NONE, subject.say(one.state), NONE
    low, likely, high = (place_lines.number(end) for end in one.ends)
    return low, likely, high


def reasons(subject: Subject, found: Sequence[place_lines.Line]) -> Lines | None:
    """What each number rests on, a line each."""
    said = [
        subject.say("source_line", what=one.name, source=one.source, as_of=one.as_of or subject.say("undated"))
        for one in found
        if one.source
    ]
    return Lines(tuple(dict.fromkeys(said))) if said else None


def interval(subject: Subject, one: place_lines.Line) -> str:
    """Low, likely, high and unit in one; or why there is none."""
    if one.state:
        return subject.say(one.state)
    low, likely, high = (place_lines.number(end) for end in one.ends)
    return subject.say("fact_value", low=low, likely=likely, high=high, unit=one.unit)
