"""What may be opened at a cost as a table to type in, limits on sites, and what the plan opens."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.match import asking, edit
from app.views.match import rows as typed
from app.views.match.rows import AMOUNTS, times
from geo_cluster.domain import FIRST_YEAR, LAST_YEAR, Opening, Text
from geo_cluster.errors import Fault
from geo_cluster.openings import names
from geo_cluster.report import explanation, openings
from geo_cluster.scenarios import arrival_faults
from geo_cluster.study import Study

COSTS = ("points", "price_10k_yuan")
COLUMNS = ("name", *COSTS, "sites", "attribute", "subject", *AMOUNTS, "from_year", "source")
Subjects = dict[str, dict[str, Text]]


def panel() -> None:
    """The table, which keeps every row that is complete, and the limits."""
    scenario, subjects = state.work().scenario, cached.openable(state.scenario())
    now = _rows(scenario.openings, subjects)
    rows, key, faults = typed.begun("openings", now, lambda table: _read(table, subjects), Opening)
    title = t("openings.title", n=len(names(scenario)))
    title += t("openings.not_counted", n=len({fault.row for fault in faults})) if faults else ""
    with st.expander(title, key="openings", icon=":material/add_business:"):
        _limits(subjects)
        st.caption(t("openings.note"))
        typed.editor(rows, key, _config(subjects), lambda table: _take(table, subjects), alt=t("openings.alt"))
    edit.told(faults, t("openings.faults"), "alert")


def plan_table(study: Study) -> None:
    """What the plan opens and what it doesn't; nothing where nothing may be opened."""
    if not study.scenario.openings:
        return
    language, table = session.language(), openings.openings_table(study)
    shown = table.assign(opened=[openings.OPENED[one][language] for one in table["opened"]])
    columns = {"opening": "name", "opened": "opened", "points": "cost", f"brings_{language}": "brings"}
    columns |= {"projects": "projects", "source": "source"}
    st.subheader(t("openings.table"), anchor=False)
    begin = st.button(t("openings.worth"), icon=":material/sell:", help=t("openings.worth_help"))
    if found := asking.ended(explanation.opening_worth, study, begin=begin):
        worth = found.answer.set_index("opening").reindex(shown["opening"])
        shown.insert(3, "worth", [_worth(*row) for row in zip(worth["worth"], worth["proven"], strict=True)])
        columns = dict(list(columns.items())[:3]) | {"worth": "break_even"} | dict(list(columns.items())[3:])
    st.dataframe(
        shown[list(columns)].set_axis([t(f"openings.{key}") for key in columns.values()], axis=1),
        hide_index=True,
        alt=t("openings.table"),
    )


def _worth(points: float, is_proven: bool) -> str:
    """The cost up to which an opening pays; what time didn't reach is left open."""
    if pd.isna(points):
        return "—"
    if points == float("inf"):
        return t("openings.needed")
    return f"{points:,.1f}" + ("" if is_proven else t("match.unproven"))


def _limits(subjects: Subjects) -> None:
    """The rate of prices, how many sites at most, and what excludes each other: the groups there are, and one more."""
    scenario, labels = state.work().scenario, _labels(subjects)["sites"]
    rate, most, either = st.columns([1, 1, 2])
    rate.number_input(
        t("openings.rate"),
        0.0,
        1e6,
        format="%.6g",
        help=t("openings.rate_help"),
        key=session.show("points_per_10k_yuan", scenario.points_per_10k_yuan),
        on_change=edit.keep(
            lambda: state.change(
                t("openings.limits_changed"), points_per_10k_yuan=session.chosen("points_per_10k_yuan")
            )
        ),
    )
    most.number_input(
        t("openings.at_most"),
        1,
        len(subjects[""]),
        step=1,
        placeholder="—",
        help=t("openings.at_most_help"),
        key=session.show("at_most_sites", scenario.at_most_sites),
        on_change=edit.keep(
            lambda: state.change(t("openings.limits_changed"), at_most_sites=session.chosen("at_most_sites"))
        ),
    )
    known = {name: name for name in names(scenario)} | labels
    for number in range(len(scenario.either) + 1):
        is_new = number == len(scenario.either)
        names_now = session.kept("either-begun") or () if is_new else scenario.either[number].names
        most_now = 1 if is_new else scenario.either[number].most
        key = f"either-{number}"
        either.multiselect(
            t("openings.either") if most_now == 1 else t("openings.either_most", most=most_now),
            list(known),
            format_func=known.__getitem__,
            help=t("openings.either_help"),
            placeholder=t("openings.either_more"),
            key=session.show(key, [name for name in names_now if name in known]),
            on_change=edit.keep(partial(_take_either, number)),
        )


def _take_either(number: int) -> None:
    """A group as it is chosen: of a new one a single name is being chosen still, one that is left with fewer goes."""
    chosen, groups = session.chosen(f"either-{number}"), [one.model_dump() for one in state.work().scenario.either]
    is_new, is_group = number == len(groups), len(chosen) > 1
    if is_new:
        session.keep("either-begun", [] if is_group else chosen)
        groups += [{"names": chosen}] if is_group else []
    elif is_group:
        groups[number] = {"names": chosen, "most": min(groups[number]["most"], len(chosen) - 1)}
    else:
        del groups[number]
    state.change(t("openings.limits_changed"), either=groups)


def _config(subjects: Subjects) -> dict[str, Any]:
    column, labels = st.column_config, _labels(subjects)
    helps = dict.fromkeys(AMOUNTS, "amount_help") | {"price_10k_yuan": "price_help", "sites": "sites_help"}
    words = {key: (t(f"openings.{key}"), t(f"openings.{helps[key]}") if key in helps else None) for key in COLUMNS}
    config: dict[str, Any] = {
        key: column.NumberColumn(words[key][0], help=words[key][1], min_value=0.0, format="%.6g")
        for key in (*COSTS, *AMOUNTS)
    }
    config["from_year"] = column.NumberColumn(
        t("openings.from_year"),
        help=t("openings.from_year_help"),
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        format="%d",
    )
    config |= {
        key: column.SelectboxColumn(words[key][0], help=words[key][1], width="medium", options=list(named.values()))
        for key, named in labels.items()
    }
    return config | {key: column.TextColumn(words[key][0], width="medium", max_chars=500) for key in ("name", "source")}


def _labels(subjects: Subjects) -> dict[str, dict[str, str]]:
    """Of each column with a list to choose from: value -> what it is called in the reader's language."""
    language, pools = session.language(), {key: found for key, found in subjects.items() if key}
    sites = {one: typed.bracketed(name[language], one) for one, name in subjects[""].items()}
    return {"sites": sites} | typed.spoken(pools, pools.values())


def _rows(said: tuple[Opening, ...], subjects: Subjects) -> pd.DataFrame:
    """What may be opened as the table shows it: a site a row, names for ids, the unit that people speak in."""
    labels, rows = _labels(subjects), []
    for one in said:
        for number, site in enumerate(one.sites or ("",)):
            row: dict[str, Any] = one.model_dump() | {"sites": site}
            if number:  # costs and amounts stand in the first row
                row |= dict.fromkeys((*COSTS, *AMOUNTS), 0.0) | {"attribute": "", "subject": ""}
            row |= {end: round(row[end] * times(one.attribute), 6) or None for end in AMOUNTS}
            row |= {key: row[key] or None for key in COSTS}
            rows.append(row | {key: named.get(row[key], row[key] or None) for key, named in labels.items()})
    kinds = dict.fromkeys(COLUMNS, "object") | dict.fromkeys((*COSTS, *AMOUNTS), "float64") | {"from_year": "Int64"}
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(kinds)


def _read(table: pd.DataFrame, subjects: Subjects) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The entries of the rows that can count, and what is wrong with the others; rows without anything are left out."""
    labels, entries, faults = _labels(subjects), [], []
    for number, cells in enumerate(table.to_dict("records"), start=1):
        entry = typed.entry(cells, labels)
        if not entry:
            continue
        entry |= {"sites": [entry["sites"]]} if "sites" in entry else {}
        entry |= {"from_year": int(entry["from_year"])} if "from_year" in entry else {}
        if found := _faults(entry, subjects, number=number):
            faults += found
        else:
            spoken = times(entry.get("attribute"))
            entries.append(entry | {end: entry[end] / spoken for end in AMOUNTS if end in entry})
    return entries, faults


def _faults(entry: dict[str, Any], subjects: Subjects, *, number: int) -> list[Fault]:
    """What is wrong with a row: first what it lacks, else what can't be."""
    at = typed.place("openings", number)
    if found := typed.faults(Opening, entry, ("name", "source"), at):
        return found
    if "attribute" not in entry:
        return []
    pools = {key: set(found) for key, found in subjects.items() if key}
    return [fault.at(at(str(fault.place.name))) for fault in arrival_faults(entry, pools, day="")]


def _take(table: pd.DataFrame, subjects: Subjects) -> None:
    """Put the rows that can count into the scenario."""
    entries, _ = _read(table, subjects)
    kept = [one.model_dump() for one in state.work().scenario.openings]
    if typed.canonical(Opening, entries) != typed.canonical(Opening, kept):
        state.change(t("openings.changed"), openings=entries)
