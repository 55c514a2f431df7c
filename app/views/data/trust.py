"""Part of 数据: 可信度自检, the checks of the settings in hand, where the model is wrong, what its answers rest on."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, charts, session, state
from app.charts import BY_ROW, ROWS, Figure
from app.session import t
from app.texts import short
from app.widgets import plain
from geo_cluster import toml
from geo_cluster.validation import check
from geo_cluster.validation.check import Validation

MOST = 12
"""So many classes of assumptions are drawn."""


def draw() -> None:
    """Draw the tab: a button, then each check with its sentences, its chart and its rows."""
    st.caption(t("trust.lead"))
    scenario = state.scenario()
    study = None if state.is_stale() else state.last_study()
    asked = (scenario.id, study.key if study else "")
    if st.button(t("trust.run"), icon=":material/fact_check:", type="primary", key="trust-run"):
        session.keep("trust", asked)
    if session.kept("trust") != asked:
        return
    with st.spinner(t("trust.running")):
        found = cached.validation_of(scenario, study)
    language = session.language()
    about = {"id": found.scenario_id, "projects": found.projects, "day": found.day}
    st.caption(plain(t("trust.of", name=found.scenario[language], **about)))
    titles = check.titles(language)
    for name, sentences in found.sentences(language).items():
        st.subheader(titles[name], anchor=False)
        st.markdown("\n".join(f"- {plain(one)}" for one in sentences))
        _chart(name, found)
        if len(found.tables[name]):
            with st.expander(t("trust.table", name=titles[name])):
                table = check.as_read(found.tables[name], language)
                st.dataframe(table, hide_index=True, height="content" if len(table) < 40 else 420, alt=titles[name])
    st.download_button(
        t("trust.save"),
        data=lambda: check.files(found, language)[check.WORKBOOK],
        file_name=f"validation_{found.scenario_id}_{language}.xlsx",
        icon=":material/download:",
        on_click="ignore",
        key="trust-save",
    )


def _chart(name: str, found: Validation) -> None:
    if name == "travel":
        _times(found.tables[name])
    elif name == "tornado":
        _tornado(found.tables[name])


def _times(table: pd.DataFrame) -> None:
    """Published ranges and the model's minutes."""
    language = session.language()
    rows = table[table["mode"].isin(["road", "rail"])]
    if rows.empty:
        return
    mode = rows["mode"].map({key: one[language] for key, one in toml.table("validation")["words"]["mode"].items()})
    ends = rows[f"origin_{language}"].map(short) + " – " + rows[f"destination_{language}"].map(short) + " · " + mode
    st.caption(t("trust.times"))
    shown = rows[["published_low", "published", "published_high", "modelled"]].assign(pair=ends)
    charts.draw(Figure(shown, _times_look, (len(shown),)))


def _times_look(rows: int) -> alt.LayerChart:
    page = toml.table("style")["page"]
    base = alt.Chart(ROWS).encode(y=alt.Y("pair:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=200)))
    tips = [alt.Tooltip("pair:N", title=t("trust.pair"))]
    tips += [
        alt.Tooltip(f"{field}:Q", title=t(f"trust.{label}"), format=",.0f")
        for field, label in (("published", "reference"), ("modelled", "model"))
    ]
    bar = base.mark_rule(strokeWidth=7, color="#b9d5d6").encode(
        x=alt.X("published_low:Q", title=t("trust.minutes"), scale=alt.Scale(type="sqrt")),
        x2="published_high:Q",
        tooltip=tips,
    )
    dot = base.mark_circle(size=80, color=page["accent"], opacity=1).encode(x="modelled:Q", tooltip=tips)
    return (bar + dot).properties(height=26 * rows + 40)


def _tornado(table: pd.DataFrame) -> None:
    """First places that change, by class of assumptions."""
    language = session.language()
    rows = table[(table["scope"] == "class") & (table["changed"] > 0)].head(MOST)
    if rows.empty:
        return
    name = rows[f"assumption_{language}"] + " · " + rows[f"subject_{language}"]
    parts = [
        pd.DataFrame({"name": name, "end": t(f"trust.{end}"), "changed": sign * rows[f"changed_{end}"]})
        for end, sign in (("low", -1), ("high", 1))
    ]
    st.caption(t("trust.tornado"))
    charts.draw(Figure(pd.concat(parts, ignore_index=True), _tornado_look, (len(rows),)))


def _tornado_look(rows: int) -> alt.Chart:
    colours = alt.Scale(domain=[t("trust.low"), t("trust.high")], range=["#e08a1e", "#0b6e75"])
    count = alt.Axis(labelExpr="abs(datum.value)", tickMinStep=1)
    return (
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=200)),
            x=alt.X("changed:Q", title=t("trust.changed"), axis=count),
            color=alt.Color("end:N", scale=colours, legend=alt.Legend(title=None, orient="bottom")),
        )
        .properties(height=30 * rows + 70)
    )
