"""What arrives in later years as a table to type in, and whether dual supply is a condition or required."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.match import edit
from app.views.match import rows as typed
from app.views.match.rows import AMOUNTS, times
from geo_cluster.domain import FIRST_YEAR, LAST_YEAR, Arrival, Text
from geo_cluster.errors import Fault
from geo_cluster.scenarios import arrival_faults
from geo_cluster.world import layers

YEARS = ("year_low", "year", "year_high")
SOME = 8
COLUMNS = ("attribute", "subject", *AMOUNTS, *YEARS, "basis", "source")


def panel() -> None:
    """The table, which keeps every row that is complete, and the switch."""
    scenario, subjects = state.work().scenario, cached.arriving(state.scenario())
    now = _rows(scenario.arrivals, subjects)
    rows, key, faults = typed.begun("arrivals", now, lambda table: _read(table, subjects), Arrival)
    with st.expander(_title(faults), key="years", icon=":material/event_upcoming:"):
        st.toggle(
            t("years.dual"),
            help=t("years.dual_help"),
            key=session.show("dual-supply", scenario.dual_supply == "required"),
            on_change=edit.keep(_take_dual),
        )
        st.caption(t("years.note"))
        typed.editor(rows, key, _config(subjects), lambda table: _take(table, subjects), alt=t("years.alt"))
    edit.told(faults, t("years.faults"), "alert")


def _title(faults: list[Fault]) -> str:
    scenario, rows = state.work().scenario, {fault.row for fault in faults}
    title = t("years.title", n=len(scenario.arrivals), dual=t(f"years.dual_{scenario.dual_supply}"))
    return title + (t("years.not_counted", n=len(rows)) if rows else "")


def _config(subjects: dict[str, dict[str, Text]]) -> dict[str, Any]:
    column, labels = st.column_config, _labels(subjects)
    helps = dict.fromkeys(AMOUNTS, "amount_help") | dict.fromkeys(("year_low", "year_high"), "year_end_help")
    helps |= {"subject": "subject_help"}
    words = {key: (t(f"years.{key}"), t(f"years.{helps[key]}") if key in helps else None) for key in COLUMNS}
    config: dict[str, Any] = {
        key: column.NumberColumn(label, help=said, min_value=0.0, format="%.6g")
        for key, (label, said) in words.items()
        if key in AMOUNTS
    }
    config |= {
        key: column.NumberColumn(label, help=said, min_value=FIRST_YEAR, max_value=LAST_YEAR, step=1, format="%d")
        for key, (label, said) in words.items()
        if key in YEARS
    }
    for key, width in (("attribute", "medium"), ("subject", "medium"), ("basis", "small")):
        label, said = words[key]
        first = labels["basis"]["reported"] if key == "basis" else None
        options = list(labels[key].values())
        config[key] = column.SelectboxColumn(label, help=said, width=width, options=options, default=first)  # type: ignore[arg-type]
    return config | {"source": column.TextColumn(words["source"][0], width="medium", max_chars=500)}


def _labels(subjects: dict[str, dict[str, Text]]) -> dict[str, dict[str, str]]:
    """Of each column with a list to choose from: value -> what it is called in the reader's language."""
    language = session.language()
    basis = {key: words[language] for key, words in layers.words("basis").items()}
    return typed.spoken(subjects, subjects.values()) | {"basis": basis}


def _rows(arrivals: tuple[Arrival, ...], subjects: dict[str, dict[str, Text]]) -> pd.DataFrame:
    """What arrives as the table shows it: names for ids, amounts in the unit that people speak in."""
    labels, rows = _labels(subjects), []
    for one in arrivals:
        row: dict[str, Any] = one.model_dump()
        row |= {end: round(row[end] * times(one.attribute), 6) for end in AMOUNTS}
        rows.append(row | {key: names.get(row[key], row[key]) for key, names in labels.items()})
    kinds = dict.fromkeys(COLUMNS, "object") | dict.fromkeys(AMOUNTS, "float64") | dict.fromkeys(YEARS, "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(kinds)


def _read(table: pd.DataFrame, subjects: dict[str, dict[str, Text]]) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The entries of the rows that can count, and what is wrong with the others; rows without anything are left out."""
    labels, entries, faults = _labels(subjects), [], []
    day = str(state.work().scenario.date)
    for number, cells in enumerate(table.to_dict("records"), start=1):
        entry = typed.entry(cells, labels)
        if not set(entry) - {"basis"}:
            continue
        entry |= {key: int(entry[key]) for key in YEARS if key in entry}
        if found := _faults(entry, subjects, number=number, day=day):
            faults += found
        else:
            entries.append(entry | {end: entry[end] / times(entry["attribute"]) for end in AMOUNTS})
    return entries, faults


def _faults(entry: dict[str, Any], subjects: dict[str, dict[str, Text]], *, number: int, day: str) -> list[Fault]:
    """What is wrong with a row: first what it lacks, else what can't be."""
    at = typed.place("years", number)
    needed = [key for key in COLUMNS if key not in ("year_low", "year_high", "basis")]
    if found := typed.faults(Arrival, entry, needed, at):
        return found
    ids = {key: set(names) for key, names in subjects.items()}
    return [
        _named(fault, subjects, entry).at(at(str(fault.place.name))) for fault in arrival_faults(entry, ids, day=day)
    ]


def _named(fault: Fault, subjects: dict[str, dict[str, Text]], entry: dict[str, Any]) -> Fault:
    """A fault that names subjects by their names, of many the first few."""
    if fault.code != "world.arrives_for_nobody":
        return fault
    names = [name[session.language()] for name in subjects[entry["attribute"]].values()]
    known = [*names[:SOME], "…"] if len(names) > SOME else names
    return Fault(
        "world.arrives_for_nobody",
        "",
        name=_labels(subjects)["subject"].get(entry["subject"], entry["subject"]),
        known=known,
    )


def _take(table: pd.DataFrame, subjects: dict[str, dict[str, Text]]) -> None:
    """Put the rows that can count into the scenario."""
    entries, _ = _read(table, subjects)
    kept = [one.model_dump() for one in state.work().scenario.arrivals]
    if typed.canonical(Arrival, entries) != typed.canonical(Arrival, kept):
        state.change(t("years.changed"), arrivals=entries)


def _take_dual() -> None:
    required = session.chosen("dual-supply")
    state.change(t("years.dual_changed"), dual_supply="required" if required else "condition")
