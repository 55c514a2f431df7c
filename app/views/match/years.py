"""What arrives in later years as a table to type in, and whether dual supply is a condition or required."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from app import cached, session, state
from app.session import t
from app.views.match import edit
from geo_cluster.domain import FIRST_YEAR, LAST_YEAR, Arrival, Text
from geo_cluster.errors import Fault, Place
from geo_cluster.scenarios import arrival_faults
from geo_cluster.world import catalog, layers

AMOUNTS = ("low", "likely", "high")
YEARS = ("year_low", "year", "year_high")
SOME = 8
COLUMNS = ("attribute", "subject", *AMOUNTS, *YEARS, "basis", "source")


def panel() -> None:
    """The table, which keeps every row that is complete, and the switch."""
    scenario, language = state.work().scenario, session.language()
    subjects = cached.arriving(state.scenario())
    now = _rows(scenario.arrivals, subjects)
    counted = _canonical(_read(now, subjects)[0])
    rows, key = edit.opened(
        "arrivals", now, mark=language, agrees=lambda table: _canonical(_read(table, subjects)[0]) == counted
    )
    _, faults = _read(edit.applied(rows, session.edits(key)), subjects)
    with st.expander(_title(faults), key="years", icon=":material/event_upcoming:"):
        st.toggle(
            t("years.dual"),
            help=t("years.dual_help"),
            key=session.show("dual-supply", scenario.dual_supply == "required"),
            on_change=edit.keep(_take_dual),
        )
        st.caption(t("years.note"))
        st.data_editor(
            rows.set_axis(pd.RangeIndex(1, len(rows) + 1, name=t("match.row")), axis=0),
            key=key,
            num_rows="dynamic",
            hide_index=False,
            placeholder="",
            column_config=_config(subjects),
            on_change=edit.keep(lambda: _take(edit.applied(rows, session.edits(key)), subjects)),
            alt=t("years.alt"),
        )
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
    language, attributes = session.language(), catalog.attributes()
    units = {key: attributes[key].display_unit()[1][language] for key in subjects}
    bracket = "{}（{}）" if language == "zh" else "{} ({})"
    names = {one: name[language] for found in subjects.values() for one, name in found.items()}
    return {
        "attribute": {key: bracket.format(attributes[key].name[language], units[key]) for key in subjects},
        "subject": {one: bracket.format(name, one) for one, name in names.items()},
        "basis": {key: words[language] for key, words in layers.words("basis").items()},
    }


def _rows(arrivals: tuple[Arrival, ...], subjects: dict[str, dict[str, Text]]) -> pd.DataFrame:
    """What arrives as the table shows it: names for ids, amounts in the unit that people speak in."""
    labels, rows = _labels(subjects), []
    for one in arrivals:
        row: dict[str, Any] = one.model_dump()
        row |= {end: round(row[end] * _times(one.attribute), 6) for end in AMOUNTS}
        rows.append(row | {key: names.get(row[key], row[key]) for key, names in labels.items()})
    kinds = dict.fromkeys(COLUMNS, "object") | dict.fromkeys(AMOUNTS, "float64") | dict.fromkeys(YEARS, "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(kinds)


def _times(attribute: object) -> float:
    """How many of the unit that people speak in make one of the attribute's own."""
    known = catalog.attributes()
    return known[attribute].display_unit()[0] if isinstance(attribute, str) and attribute in known else 1.0


def _read(table: pd.DataFrame, subjects: dict[str, dict[str, Text]]) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The entries of the rows that can count, and what is wrong with the others; rows without anything are left out."""
    labels, entries, faults = _labels(subjects), [], []
    ids = {key: {name: one for one, name in names.items()} for key, names in labels.items()}
    day = str(state.work().scenario.date)
    for number, cells in enumerate(table.to_dict("records"), start=1):
        said = {key: value for key, value in cells.items() if not (pd.isna(value) or str(value).strip() == "")}
        if not set(said) - {"basis"}:
            continue
        entry = {key: ids[key].get(value, value) if key in ids else value for key, value in said.items()}
        entry |= {key: int(entry[key]) for key in YEARS if key in entry}
        if found := _faults(entry, subjects, number=number, day=day):
            faults += found
        else:
            times = _times(entry["attribute"])
            entries.append(entry | {end: entry[end] / times for end in AMOUNTS})
    return entries, faults


def _faults(entry: dict[str, Any], subjects: dict[str, dict[str, Text]], *, number: int, day: str) -> list[Fault]:
    """What is wrong with a row: first what it lacks, else what can't be."""

    def at(*columns: str) -> Place:
        named = "、" if session.language() == "zh" else ", "
        return Place(t("years.place"), row=number, column=named.join(t(f"years.{key}") for key in columns))

    if lacking := [key for key in COLUMNS if key not in entry and key not in ("year_low", "year_high", "basis")]:
        return [Fault("world.key_missing", at(*lacking))]
    try:
        Arrival.model_validate(entry)
    except ValidationError as problem:
        return [fault.at(at(*filter(None, [str(fault.place.key)]))) for fault in catalog.faults_of(problem, "")]
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


def _canonical(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries so that two are equal that differ by what is lost in changing units."""
    told = [Arrival.model_validate(one).model_dump() for one in entries]
    return [one | {end: f"{one[end]:.9g}" for end in AMOUNTS} for one in told]


def _take(table: pd.DataFrame, subjects: dict[str, dict[str, Text]]) -> None:
    """Put the rows that can count into the scenario."""
    entries, _ = _read(table, subjects)
    if _canonical(entries) != _canonical(one.model_dump() for one in state.work().scenario.arrivals):
        state.change(t("years.changed"), arrivals=entries)


def _take_dual() -> None:
    required = session.chosen("dual-supply")
    state.change(t("years.dual_changed"), dual_supply="required" if required else "condition")
