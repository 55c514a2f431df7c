"""要素 · who shares a substation: stations at the left, the sites that draw on them at the right."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.texts import short
from app.views.supply.offers import legend, shown
from geo_cluster import toml
from geo_cluster.world import layers

ROW = 25
"""Height of a site, pixels."""


def show() -> None:
    """Draw the tab."""
    st.caption(t("supply.network_note"))
    legend()
    rows = shown(state.scenario())
    rows = rows[(rows["resource"] == "power")]
    fed = rows[rows["basis"] != ""]
    if len(fed):
        st.altair_chart(
            _drawing(fed),
            width="stretch",
            alt=t("supply.network_alt", sites=len(fed), stations=fed["subject"].nunique()),
        )
    if len(rows) > len(fed):
        st.info(t("supply.no_station"))
        for name in rows.loc[rows["basis"] == "", "label"]:
            st.text(name)
    st.subheader(t("supply.network_table"), anchor=False)
    st.dataframe(_table(fed), hide_index=True, alt=t("supply.network_table"))
    st.subheader(t("supply.stations"), anchor=False)
    st.caption(t("supply.stations_note"))
    st.dataframe(_stations(), hide_index=True, placeholder="", alt=t("supply.stations"))


STATIONS: tuple[str, ...] = (
    "id",
    "name",
    "place",
    "voltage_kv",
    "status",
    "in_service_from",
    "planned_from",
    "last_reported_zh",
)
STATIONS += ("transformer_mva", "feeds_zh", "feeds_sites")
"""Columns of a station that the tab lists, as far as the layer has them."""


def _stations() -> pd.DataFrame:
    """Every station of the layer, those without a place too, with what a source says that it feeds."""
    table, language = cached.layer_table(state.layers(), "substations"), session.language()
    shown = layers.as_read("substations", table, language).assign(name=table[f"name_{language}"])
    shown = shown.sort_values("voltage_kv", ascending=False, kind="stable")
    shown["place"] = [t("supply.place_known" if known else "supply.place_unknown") for known in shown["lon"].notna()]
    heads = layers.headings("substations") | {"name": {language: t("supply.station")}}
    heads |= {"place": {language: t("supply.place")}}
    columns = [key for key in STATIONS if key in shown]
    return shown[columns].set_axis([heads[key][language] for key in columns], axis=1)


def _placed(fed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sites in the order of their stations, stations in the middle of their sites."""
    fed = fed.sort_values(["prefecture", "subject", "km"], kind="stable")
    fed = fed.assign(y=np.arange(len(fed)) + fed.groupby("subject", sort=False).ngroup() * 0.7)
    stations = fed.groupby("subject", sort=False).agg(
        y=("y", "mean"),
        name=("from", "first"),
        low=("low", "first"),
        likely=("likely", "first"),
        high=("high", "first"),
        basis_label=("basis_label", "first"),
        basis=("basis", "first"),
        sharers=("sharers", "first"),
        source=("source", "first"),
        as_of=("as_of", "first"),
    )
    return fed, stations.reset_index()


def _drawing(fed: pd.DataFrame) -> alt.LayerChart:
    style = toml.table("style")
    sites, stations = _placed(fed)
    bend = np.linspace(0.0, 1.0, 13)
    links = sites[["site", "label", "from", "far", "feed", "y", "subject", "named"]].merge(
        stations[["subject", "y"]], on="subject", suffixes=("", "_station")
    )
    links = links.loc[links.index.repeat(len(bend))].reset_index(drop=True)
    step = np.tile(bend, len(sites))
    share = step * step * (3 - 2 * step)
    links = links.assign(x=step, height=links["y_station"] * (1 - share) + links["y"] * share)
    y = alt.Scale(domain=[-0.8, float(sites["y"].max()) + 0.8], reverse=True, nice=False)
    x = alt.Scale(domain=[-0.94, 2.19], nice=False)  # names at both sides take two thirds of the width

    def layer(rows: pd.DataFrame) -> alt.Chart:
        return alt.Chart(rows)

    line = (
        layer(links[["site", "x", "height", "named", "label", "from", "far", "feed"]])
        .mark_line(interpolate="monotone", strokeWidth=2.2, opacity=0.75)
        .encode(
            x=alt.X("x:Q", scale=x, axis=None),
            y=alt.Y("height:Q", scale=y, axis=None),
            detail="site:N",
            order="x:Q",
            strokeDash=alt.StrokeDash(
                "named:N", scale=alt.Scale(domain=[True, False], range=[[1, 0], [5, 4]]), legend=None
            ),
            color=alt.value(style["map"]["substation"]),
        )
    )
    stations = stations.assign(
        x=0.0, spare=[f"{row.low:,.0f}–{row.likely:,.0f}–{row.high:,.0f} MVA" for row in stations.itertuples()]
    )
    sites = sites.assign(x=1.0, short=sites["label"].map(short))
    about_station = [("name", "supply.station"), ("spare", "supply.headroom"), ("basis_label", "col.basis")]
    about_station += [("sharers", "supply.sharers"), ("as_of", "supply.as_of"), ("source", "supply.source")]
    about_site = [("label", "col.site"), ("from", "supply.station"), ("feed", "supply.feed"), ("far", "supply.km")]
    station = layer(stations).encode(
        x=alt.X("x:Q", scale=x, axis=None),
        y=alt.Y("y:Q", scale=y, axis=None),
        tooltip=[alt.Tooltip(key, title=t(label)) for key, label in about_station],
    )
    site = layer(sites[["x", "y", "label", "short", "from", "feed", "far"]]).encode(
        x=alt.X("x:Q", scale=x, axis=None),
        y=alt.Y("y:Q", scale=y, axis=None),
        tooltip=[alt.Tooltip(key, title=t(label)) for key, label in about_site],
    )
    evidence = alt.Color(
        "basis:N", scale=alt.Scale(domain=list(style["evidence"]), range=list(style["evidence"].values())), legend=None
    )
    ink, muted = style["page"]["ink"], style["page"]["muted"]
    parts = [
        line,
        station.mark_square(size=260, opacity=1, stroke=ink, strokeWidth=1).encode(color=evidence),
        station.mark_text(
            align="right", dx=-14, dy=-7, limit=alt.ExprRef("width * 0.27"), fontSize=12, fontWeight=600, color=ink
        ).encode(text="name:N"),
        station.mark_text(
            align="right", dx=-14, dy=8, limit=alt.ExprRef("width * 0.27"), fontSize=11, color=muted
        ).encode(text="spare:N"),
        site.mark_circle(size=70, opacity=1, color=style["map"]["site"]),
        site.mark_text(align="left", dx=9, limit=alt.ExprRef("width * 0.36"), fontSize=12, color=ink).encode(
            text="short:N"
        ),
    ]
    return alt.layer(*parts).properties(height=int(ROW * (float(y.domain[1]) + 1.6))).configure_view(stroke=None)


def _table(fed: pd.DataFrame) -> pd.DataFrame:
    """One row a station: what it spares, and who draws on it."""
    sites, stations = _placed(fed)
    drawing = sites.assign(
        one=[t("supply.drawer", site=row.label, far=row.far) if row.named else row.label for row in sites.itertuples()]
    )
    stations["sites"] = stations["subject"].map(drawing.groupby("subject")["one"].agg("; ".join))
    columns = {"name": "supply.station", "low": "col.low", "likely": "supply.likely", "high": "col.high"}
    columns |= {"basis_label": "col.basis", "sharers": "supply.sharers", "sites": "supply.drawers"}
    columns |= {"as_of": "supply.as_of", "source": "supply.source"}
    return stations[list(columns)].set_axis([t(label) for label in columns.values()], axis=1)
