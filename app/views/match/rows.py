"""A list of the scenario as a table to type in (分年新增, 新开园区): rows that can count are kept, others are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pydantic import BaseModel, ValidationError

from app import session
from app.session import t
from app.views.match import edit
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place
from geo_cluster.world import catalog

AMOUNTS = ("low", "likely", "high")
Entries = list[dict[str, Any]]
Read = Callable[[pd.DataFrame], tuple[Entries, list[Fault]]]
Columns = Callable[..., Place]


def begun(name: str, now: pd.DataFrame, read: Read, model: type[BaseModel]) -> tuple[pd.DataFrame, str, list[Fault]]:
    """Rows and key to give to an editor, see `edit.opened`, and what is wrong with what is typed in it.

    Parameters
    ----------
    name : str
        Of the editor.
    now : DataFrame
        The rows that the scenario has.
    read : callable
        Entries of the rows that can count, and the faults of the others.
    model : type
        Of an entry.
    """
    counted = canonical(model, read(now)[0])

    def agrees(table: pd.DataFrame) -> bool:
        return canonical(model, read(table)[0]) == counted

    rows, key = edit.opened(name, now, mark=session.language(), agrees=agrees)
    return rows, key, read(edit.applied(rows, session.edits(key)))[1]


def editor(
    rows: pd.DataFrame, key: str, config: dict[str, Any], take: Callable[[pd.DataFrame], None], *, alt: str
) -> None:
    """The table; `take` is given its rows as soon as one is changed.

    Parameters
    ----------
    rows, key
        As of `begun`.
    config : dict
        What each column is.
    take : callable
        Puts rows into the scenario.
    alt : str
        What the table is, for who doesn't see it.
    """
    st.data_editor(
        rows.set_axis(pd.RangeIndex(1, len(rows) + 1, name=t("match.row")), axis=0),
        key=key,
        num_rows="dynamic",
        hide_index=False,
        placeholder="",
        column_config=config,
        on_change=edit.keep(lambda: take(edit.applied(rows, session.edits(key)))),
        alt=alt,
    )


def times(attribute: object) -> float:
    """How many of the unit that people speak in make one of the attribute's own."""
    known = catalog.attributes()
    return known[attribute].display_unit()[0] if isinstance(attribute, str) and attribute in known else 1.0


def spoken(attributes: Iterable[str], subjects: Iterable[Mapping[str, Text]]) -> dict[str, dict[str, str]]:
    """Attribute and subject -> what each is called in the reader's language, with its unit or id."""
    language, known = session.language(), catalog.attributes()
    named = {key: (known[key].name[language], known[key].display_unit()[1][language]) for key in attributes}
    return {
        "attribute": {key: bracketed(name, unit) for key, (name, unit) in named.items()},
        "subject": {one: bracketed(name[language], one) for found in subjects for one, name in found.items()},
    }


def bracketed(name: str, more: str) -> str:
    """A name and what stands behind it in brackets, as the reader's language has them."""
    return f"{name}（{more}）" if session.language() == "zh" else f"{name} ({more})"


def entry(cells: Mapping[Any, Any], labels: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What a row says, ids for names; without blank cells."""
    ids = {key: {name: one for one, name in named.items()} for key, named in labels.items()}
    said = {key: value for key, value in cells.items() if not (pd.isna(value) or str(value).strip() == "")}
    return {key: ids[key].get(value, value) if key in ids else value for key, value in said.items()}


def place(words: str, number: int) -> Columns:
    """What gives the place of a fault in some columns of a row, as the page names them under `words`."""
    stop = "、" if session.language() == "zh" else ", "
    return lambda *columns: Place(
        t(f"{words}.place"), row=number, column=stop.join(t(f"{words}.{key}") for key in columns if key)
    )


def faults(model: type[BaseModel], said: Mapping[str, Any], needed: Iterable[str], at: Columns) -> list[Fault]:
    """What is wrong with a row by itself: first what it lacks, else what can't be.

    Parameters
    ----------
    model : type
        Of an entry.
    said : mapping
        The row's entry.
    needed : iterable of str
        Columns that have to be filled.
    at : callable
        As `place` gives it.
    """
    if lacking := [key for key in needed if key not in said]:
        return [Fault("world.key_missing", at(*lacking))]
    try:
        model.model_validate(said)
    except ValidationError as problem:
        return [fault.at(at(str(fault.place.key))) for fault in catalog.faults_of(problem, "")]
    return []


def canonical(model: type[BaseModel], entries: Iterable[Mapping[str, Any]]) -> Entries:
    """Entries so that two are equal that differ by what is lost in changing units."""
    told = [model.model_validate(one).model_dump() for one in entries]
    return [one | {end: f"{one[end]:.9g}" for end in AMOUNTS} for one in told]
