"""选址: the ranking of one project's sites with its chances, and the sites that are ruled out."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app import session
from app.charts import BY_ROW, ROWS, Figure, draw, score_chart
from app.session import t
from app.texts import short
from app.widgets import marked, sheet_links
from geo_cluster.intake import site_choice
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.supply.standard_land import DoorChecks
from geo_cluster.world import catalog

SHOWN = 12
HARDLY = 0.02
"""A site with less chance to be among the first five is not drawn: its bar says nothing."""
SITE_PX = 190
"""Width of a column of site names: they are long, and a phone has to show a number beside them."""
SHADES = ("#0b4f55", "#1f7d84", "#57a3a8", "#95c6c9", "#c9e2e3", "#e3e6e6")
"""Ranks from first to fifth, then any later one."""


def labelled(table: pd.DataFrame, weighed: Weighed) -> pd.DataFrame:
    """The table with the names of its sites in the visitor's language."""
    language = session.language()
    return table.assign(site_label=[weighed.choice.names[site][language] for site in table["site"]])


def ranking(weighed: Weighed, doors: DoorChecks) -> None:
    """Scores with intervals, chances of ranks, the table of both, with what standard land of each site asks."""
    if weighed.choice.sites:
        best = labelled(site_choice.ranking(weighed), weighed).head(SHOWN)
        left, right = st.columns([1.15, 1], gap="medium")
        with left:
            st.subheader(t("col.score"), anchor=False)
            draw(score_chart(best))
        with right:
            st.subheader(t("score.rank_acceptability"), anchor=False)
            _acceptability_of(weighed)
        _table(best.assign(standard_land=[marked(doors.of(site)) for site in best["site"]]))
        sheet_links(dict(zip(best["site"], best["site_label"], strict=True)), key="score-sheets")
        st.caption(t("score.acceptability_note", error=f"{best['chance_error'].max():.1%}"))
    _refused(weighed)


def _acceptability_of(weighed: Weighed) -> None:
    """The chances of ranks; sites that are hardly ever among the first five are folded into a line, not drawn alike."""
    table = labelled(site_choice.rank_acceptability(weighed, sites=SHOWN), weighed)
    late = table[(table["rank"] == 0) & (table["chance"] > 1 - HARDLY)]["site"]
    draw(_acceptability_chart(table[~table["site"].isin(late)]))
    if len(late):
        st.caption(t("score.hardly", n=len(late), chance=f"{HARDLY:.0%}"))


def _acceptability_chart(acceptability: pd.DataFrame) -> Figure:
    """The chance of each rank, stacked to 100 % a site."""
    words = _places()
    shown = acceptability.assign(
        site_short=acceptability["site_label"].map(short),
        place=[words[rank - 1] for rank in acceptability["rank"]],
        position=[rank or 6 for rank in acceptability["rank"]],
    )
    return Figure(shown, _acceptability, (max(acceptability["site_label"].nunique(), 2),))


def _places() -> list[str]:
    return [t("score.place", n=rank) for rank in range(1, 6)] + [t("score.later")]


def _acceptability(rows: int) -> alt.Chart:
    words = _places()
    return (
        alt.Chart(ROWS)
        .mark_bar(stroke="white", strokeWidth=0.6, height=17)
        .encode(
            y=alt.Y("site_short:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=190)),
            x=alt.X("chance:Q", title=None, axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])),
            color=alt.Color(
                "place:N",
                sort=words,
                scale=alt.Scale(domain=words, range=list(SHADES)),
                legend=alt.Legend(title=None, orient="bottom", columns=2),
            ),
            order=alt.Order("position:Q"),
            tooltip=[
                alt.Tooltip("site_label:N", title=t("col.site")),
                alt.Tooltip("place:N", title=t("score.place_name")),
                alt.Tooltip("chance:Q", title=t("score.acceptability"), format=".0%"),
            ],
        )
        .properties(height=28 * rows + 100)
    )


def _table(best: pd.DataFrame) -> None:
    columns = {
        "site_label": "col.site",
        "score": "col.score",
        "interval": "col.interval",
        "chance_first": "col.acceptability",
    }
    columns |= {"chance_top3": "score.top3"} | {theme: f"score.{theme}" for theme in catalog.themes()}
    columns |= {"standard_land": "col.standard_land", "assumed": "score.assumed"}
    remark = f"remark_{session.language()}"
    if best[remark].ne("").any():
        columns[remark] = "score.remark"
    table = best.assign(
        site_label=best["site_label"].map(short),  # as in the charts above
        assumed=best["assumed"].round(2),
        interval=[f"{row.low:.0f}–{row.high:.0f}" for row in best.itertuples()],
    )
    config: dict[str, Any] = {key: st.column_config.Column(t(label)) for key, label in columns.items()}
    config["site_label"] = st.column_config.Column(t("col.site"), width=SITE_PX)
    config["standard_land"] = st.column_config.Column(t("col.standard_land"), help=t("col.standard_land_help"))
    for key in ("score", *catalog.themes()):
        config[key] = st.column_config.NumberColumn(t(columns[key]), format="%.1f")
    for key in ("chance_first", "chance_top3", "assumed"):
        config[key] = st.column_config.NumberColumn(t(columns[key]), format="percent")
    st.dataframe(table[list(columns)], hide_index=True, column_config=config)


def _refused(weighed: Weighed) -> None:
    refused = labelled(weighed.choice.refused, weighed)
    if refused.empty:
        return
    columns = {"site_label": t("col.site"), f"reason_{session.language()}": t("col.reason")}
    with st.expander(t("score.refused", n=len(refused)), key="score-refused-sites", on_change="rerun") as fold:
        if fold.open:
            st.dataframe(refused[list(columns)].rename(columns=columns), hide_index=True)
