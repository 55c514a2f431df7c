"""Part of 推进: projects under way: lights, table, lists, what changed, map, files."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.delivery import ledger_files, ledger_lists, ledger_map, promises
from app.views.delivery.ledger_project import project
from app.views.delivery.ledger_shown import Shown
from app.widgets import open_tab
from geo_cluster import toml
from geo_cluster.policy.lights import colours, rules
from geo_cluster.policy.lit import picked
from geo_cluster.policy.stages import stages

PER_PAGE = 50
TABS = ("table", "lists", "changes", "map", "stated", "files")


def draw() -> None:
    """Draw the part."""
    seq, kept = cached.ledger_now()
    day, known = datetime.date.today(), rules()
    rule = session.kept("ledger-rule", next(iter(known)))
    projects = {id_: one.entry for id_, one in kept.items() if one.entry is not None}
    shown = Shown(
        seq, kept, day, rule, cached.ledger_lights(seq, day, rule, projects), cached.ledger_places(state.layers())
    )
    _headline(shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        _rule(known)
        promises.switch(shown.projects)
    drawn = {
        "table": _table,
        "lists": ledger_lists.lists,
        "changes": ledger_lists.changes,
        "map": ledger_map.chart,
        "stated": ledger_lists.stated,
        "files": ledger_files.files,
    }
    name, tab = open_tab("ledger", {one: t(f"ledger.tab.{one}") for one in TABS})
    with tab:
        drawn[name](shown)


def _rule(known: Mapping[str, Mapping[str, Any]]) -> None:
    """Which rule the lights go by, what it says, and which ones could not be used."""
    language, key = session.language(), session.spoken("ledger-rule")
    st.selectbox(
        t("ledger.rule"),
        list(known),
        format_func=lambda one: t("ledger.rule_is", name=known[one]["name"][language]),
        key=session.show(key, session.kept("ledger-rule", next(iter(known)))),
        on_change=lambda: session.keep("ledger-rule", session.chosen(key)),
        label_visibility="collapsed",
        width=320,
    )
    with st.popover(t("ledger.rule_about"), type="tertiary", icon=":material/info:"):
        for one in known.values():
            st.text(t("ledger.rule_source", said=one["said"][language], source=one["source"]))
        st.caption(t("ledger.uncounted"))
        for other in toml.table("lights")["uncounted"]:
            name, why = other["name"][language], other["why"][language]
            st.text(t("ledger.rule_unused", name=name, why=why, source=other["source"]))


def _headline(shown: Shown) -> None:
    table = shown.lit.table
    boxes = st.columns(6)
    boxes[0].metric(t("ledger.count"), f"{len(table)}")
    for box, colour in zip(boxes[1:5], ("red", "yellow", "green", "none"), strict=True):
        box.metric(colours()[colour][session.language()], int((table["colour"] == colour).sum()))
    late = int(table["late"].sum())
    boxes[5].metric(t("ledger.open_points"), f"{int(table['points'].sum())}", help=t("ledger.late_points", n=late))


def _table(shown: Shown) -> None:
    if shown.lit.table.empty:
        st.info(t("ledger.empty"), icon=":material/playlist_add:")
    else:
        _rows(shown)
    project(shown.kept, shown.places, shown.day)


def _rows(shown: Shown) -> None:
    """A page of the rows that were asked for; choosing one opens it below."""
    language, table = session.language(), _picked(shown)
    pages = max(-(-len(table) // PER_PAGE), 1)
    page = 1
    if pages > 1:
        label = t("ledger.page", pages=pages, n=len(table))
        page = st.number_input(label, 1, pages, 1, key=f"ledger-page-{pages}", width=320)
    part = table.iloc[(page - 1) * PER_PAGE : page * PER_PAGE]
    names, words = stages(), colours()
    rows = pd.DataFrame(
        {
            "light": [f"● {words[one][language]}" for one in part["colour"]],
            "name": part["name"].to_numpy(),
            "stage": [names[one][language] if one in names else "" for one in part["stage"]],
            "why": part[f"why_{language}"].to_numpy(),
            "points": [_count(*both) for both in zip(part["points"], part["late"], strict=True)],
            "city": [shown.places.city_name(one, language) for one in part["city"]],
            "firm": part["firm"].to_numpy(),
            "plan": part["plan"].to_numpy(),
            "done": part["done"].to_numpy(),
            "unit": part["unit"].to_numpy(),
            "owner": part["owner"].to_numpy(),
        }
    )  # fmt: skip
    st.caption(t("ledger.pick"))
    fills = {f"● {one[language]}": one["fill"] for one in words.values()}
    chosen = st.dataframe(
        rows.style.map(lambda said: f"color: {fills[said]}", subset=["light"]),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=min(36 * (len(rows) + 1) + 2, 420),
        column_config=_columns(),
        placeholder="—",
        key=f"ledger-rows-{shown.seq}-{page}-{language}",
        alt=t("ledger.tab.table"),
    )
    if chosen.selection.rows:
        session.keep("ledger-open", part.index[chosen.selection.rows[0]])


def _count(points: int, late: int) -> str:
    """How many blocked points are open, and how many of them are late."""
    return (f"{points} ⚠{late}" if late else f"{points}") if points else ""


def _columns() -> dict[str, Any]:
    config: dict[str, Any] = {
        key: st.column_config.TextColumn(t(f"ledger.col.{key}"))
        for key in ("city", "firm", "stage", "points", "unit", "owner")
    }
    config |= {key: st.column_config.NumberColumn(t(f"ledger.col.{key}"), format="%.2f") for key in ("plan", "done")}
    config["name"] = st.column_config.TextColumn(t("ledger.col.name"), width="medium")
    config["light"] = st.column_config.TextColumn(t("ledger.light"), width="small")
    return config | {"why": st.column_config.TextColumn(t("ledger.why"), width="large")}


def _picked(shown: Shown) -> pd.DataFrame:
    """The rows that were asked for."""
    language, table = session.language(), shown.lit.table
    names, words = stages(), colours()
    boxes = st.columns([2, 1.4, 1.4, 1.4, 1], vertical_alignment="bottom")
    text = boxes[0].text_input(t("ledger.search"), key="ledger-search", persist_state="session")
    there = [one for one in shown.places.cities if one in set(table["city"])]
    cities = boxes[1].multiselect(
        t("ledger.cities"),
        there,
        format_func=lambda one: shown.places.city_name(one, language),
        placeholder=t("ledger.any"),
        key=session.spoken("ledger-cities"),
    )
    at = boxes[2].multiselect(
        t("ledger.stages"),
        list(names),
        format_func=lambda one: names[one][language],
        placeholder=t("ledger.any"),
        key=session.spoken("ledger-stages"),
    )
    lights = boxes[3].multiselect(
        t("ledger.colours"),
        list(words),
        format_func=lambda one: words[one][language],
        placeholder=t("ledger.any"),
        key=session.spoken("ledger-colours"),
    )
    blocked = boxes[4].toggle(t("ledger.blocked"), key="ledger-blocked")
    return picked(table, text=text, cities=cities, stages=at, colours=lights, blocked=blocked)
