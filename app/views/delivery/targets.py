"""目标进度: the policy's targets beside actual values of the same scope, who could climb, what the plan would add."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, charts, session, state
from app.session import t
from app.views.delivery import entered, entry
from app.widgets import plain, text_table
from geo_cluster import toml
from geo_cluster.domain import Language, Text
from geo_cluster.export import policy_tables
from geo_cluster.policy import targets
from geo_cluster.policy.forms import ACTUALS, MONEY
from geo_cluster.policy.rules import chosen

AHEAD = 10
"""So many years after the day of the study firms are followed."""


def draw() -> None:
    """Draw the part."""
    layers, year = state.layers(), state.work().scenario.date.year
    scope = chosen(entered.choices())["revenue"]
    firms = cached.policy_entries(layers, entered.content(MONEY.file))
    content = entered.content(ACTUALS.file)
    actuals = targets.read(content, ACTUALS.file) if content else targets.NO_ACTUALS
    table = targets.targets(layers, firms, actuals, scope=scope)
    climbers = targets.climbers(firms, until=year + AHEAD, scope=scope)
    others, study = targets.others(layers, actuals), state.last_study()
    added = None if study is None else cached.asked(targets.added, study)
    _ours(table)
    entry.panel(ACTUALS, targets.checked, name="targets")
    _climbers(climbers, year + AHEAD)
    notes = (policy_tables.WORDS["sample"],) if study is not None and study.scenario.is_sample else ()
    _added(added, notes)
    _others(others)
    language = session.language()
    entered.downloads(
        lambda: policy_tables.targets_files(table, others, climbers, added=added, language=language, notes=notes),
        "policy_targets",
    )


def _ours(table: pd.DataFrame) -> None:
    """Each target of the province with its actual value, what is still to come, and whom to ask."""
    language = session.language()
    st.subheader(t("targets.ours"), anchor=False)
    st.caption(t("targets.ours_note"))
    columns = ("target", "year", "aim", "actual", "state", "open", "whom", "source")
    rows = [_row(row, language) for row in table.to_dict("records")]
    text_table([t(f"targets.{one}") for one in columns], rows, named=True)


def _row(row: dict[str, Any], language: Language) -> list[str]:
    unit, name, told = row[f"unit_{language}"], row[f"name_{language}"], targets.STATES[row["state"]][language]
    actual = told
    if row["state"] == "unknown":
        told = "–"
    else:
        actual = f"{_span(row['low'], row['high'])} {unit}"
        left = t("targets.left", n=_span(row["left_low"], row["left_high"]), unit=unit)
        told = {"reached": told, "short": left, "open": t("targets.open_left", state=told, left=left)}[row["state"]]
    if row["tier"] == row["tier"]:
        name = t("targets.tier", tier=row["tier"])
        actual = t("targets.by_laser", value=actual, laser=f"{row['by_laser']:g}")
    elif row["actual_source"]:
        actual = f"{actual} · {row['actual_source']}"
    if row["needed"] == row["needed"] and row["state"] != "reached":
        needed = t("targets.needed", growth=f"{row['needed']:.0f}")
        told = needed if told == "–" else t("targets.open_left", state=told, left=needed)
    aim, whom = f"{row['aim']:g} {unit}", row[f"whom_{language}"]
    return [name, str(row["year"]), aim, actual, told, row[f"open_{language}"], whom, row["publisher"]]


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def _climbers(table: pd.DataFrame, until: int) -> None:
    """When firms could reach their next tier: those that could as a chart, all as a table."""
    st.subheader(t("targets.climb"), anchor=False)
    st.caption(t("targets.climb_note", until=until))
    there = table[table["earliest"].notna()]
    if len(there):
        charts.draw(_figure(there, until), alt=t("targets.climb_alt"))
    language = session.language()
    shown = pd.DataFrame(
        {
            t("targets.firm"): table[f"name_{language}"],
            t("targets.revenue"): [_revenue(row) for row in table.to_dict("records")],
            t("targets.growth"): [_growth(row) for row in table.to_dict("records")],
            t("targets.next"): ["–" if tier != tier else f"{tier:g}" for tier in table["tier"]],
            t("targets.when"): [_when(row, until) for row in table.to_dict("records")],
            t("targets.source"): table["source"],
        }
    )
    st.dataframe(shown, hide_index=True, height=min(36 * (len(shown) + 1) + 2, 330), alt=t("targets.climb_alt"))


def _revenue(row: dict[str, Any]) -> str:
    mark = "" if row["is_verified"] else t("targets.unverified")
    return f"{row['revenue']:g} ({row['year']}{mark})"


def _growth(row: dict[str, Any]) -> str:
    if row["growth_likely"] != row["growth_likely"]:
        return t("targets.unknown")
    return f"{row['growth_low']:.0f} … {row['growth_likely']:.0f} … {row['growth_high']:.0f}"


def _when(row: dict[str, Any], until: int) -> str:
    if row["growth_likely"] != row["growth_likely"]:
        return t("targets.unknown")
    if row["earliest"] != row["earliest"]:
        return t("targets.never", until=until)
    if row["latest"] != row["latest"]:
        return t("targets.when_from", first=f"{row['earliest']:.0f}")
    return _span(row["earliest"], row["latest"])


def _figure(table: pd.DataFrame, until: int) -> charts.Figure:
    language = session.language()
    rows = pd.DataFrame(
        {
            "firm": [f"{_short(row[f'name_{language}'])} → {row['tier']:g}" for row in table.to_dict("records")],
            "earliest": table["earliest"],
            "likely": table["likely"],
            "latest": table["latest"].fillna(until),
        }
    )
    return charts.Figure(rows, _bars, (len(rows), until))


def _short(name: str) -> str:
    """A firm's name as it fits beside a bar: the short one in its brackets, else how it begins."""
    _, _, short = name.rstrip(")").partition("(")
    return short or name[:18]


def _bars(rows: int, until: int) -> alt.LayerChart:
    page = toml.table("style")["page"]
    scale = alt.Scale(zero=False, nice=False, domainMax=until)
    axis = alt.Axis(format="d", tickMinStep=1)
    base = alt.Chart(charts.ROWS).encode(
        y=alt.Y("firm:N", sort=charts.BY_ROW, title=None, axis=alt.Axis(labelLimit=260))
    )
    tips = [alt.Tooltip("firm:N", title=t("targets.firm"))]
    tips += [alt.Tooltip(f"{end}:Q", format="d") for end in ("earliest", "likely", "latest")]
    span = base.mark_rule(strokeWidth=6, color="#b9d5d6", strokeCap="round").encode(
        x=alt.X("earliest:Q", scale=scale, axis=axis, title=t("targets.axis")), x2="latest:Q", tooltip=tips
    )
    dots = base.mark_circle(size=95, color=page["accent"], opacity=1).encode(
        x=alt.X("likely:Q", scale=scale), tooltip=tips
    )
    return (span + dots).properties(height=28 * rows + 50)


def _added(added: pd.DataFrame | None, notes: tuple[Text, ...]) -> None:
    """What the plan's projects add in output by year."""
    st.subheader(t("targets.added"), anchor=False)
    if added is None or added.empty:
        st.info(t("targets.no_plan"))
        return
    st.caption(t("targets.added_note", share=toml.table("targets")["conversion"]["low"]))
    for note in notes:
        st.caption(plain(note[session.language()]))
    charts.draw(charts.Figure(added, _output), alt=t("targets.added_alt"))


def _output() -> alt.Chart:
    page = toml.table("style")["page"]
    tips = [
        alt.Tooltip("year:O", title=t("targets.year")),
        alt.Tooltip("low:Q", title=t("money.low"), format=",.1f"),
        alt.Tooltip("high:Q", title=t("money.high"), format=",.1f"),
    ]
    return (
        alt.Chart(charts.ROWS)
        .mark_bar(color=page["accent"], opacity=0.55, width=26)
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("low:Q", title=t("targets.added_axis")),
            y2="high:Q",
            tooltip=tips,
        )
        .properties(height=200)
    )


def _others(table: pd.DataFrame) -> None:
    """Targets and values of other scopes, apart from the province's, each with why."""
    language = session.language()
    with st.expander(t("targets.others", n=len(table)), icon=":material/call_split:"):
        columns = {
            "name_zh": "whose",
            "metric_zh": "metric",
            "year": "year",
            "value": "value",
            "kind": "kind",
            f"why_{language}": "why",
            "publisher": "source",
        }
        kinds = {"target": t("targets.kind_target"), "actual": t("targets.kind_actual")}
        shown = table.assign(kind=table["value_kind"].map(kinds))
        shown["value"] = [f"{value:g} {unit}" for value, unit in zip(table["value"], table["unit_zh"], strict=True)]
        kept = {column: t(f"targets.{key}") for column, key in columns.items()}
        st.dataframe(shown[list(kept)].rename(columns=kept), hide_index=True, alt=t("targets.others", n=len(table)))
