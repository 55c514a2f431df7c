"""选址: the value functions, with the project's best sites on them."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.session import t
from geo_cluster import toml
from geo_cluster.domain import Criterion
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.scoring.criteria import value_function
from geo_cluster.world import catalog

MARKED = 6
ACROSS = 3


def values(weighed: Weighed) -> None:
    """One chart a criterion, its declared range and the reason for it."""
    language = session.language()
    st.caption(t("score.values_note"))
    places = weighed.order[:MARKED]
    names = [weighed.name(place, language) for place in places]
    for c, criterion in enumerate(catalog.criteria().values()):
        if c % ACROSS == 0:
            columns = st.columns(ACROSS, gap="medium")  # a row of its own, so that cards stand level
        marks = pd.DataFrame({"site": names, "x": weighed.choice.natural[places, c]}).dropna()
        with columns[c % ACROSS]:
            st.subheader(f"{criterion.name[language]} · {weighed.weight[c]:.1%}", anchor=False)
            st.altair_chart(
                _curve(criterion, marks, criterion.unit_in(language), weighed.choice.bearable), width="stretch"
            )
            worst, best = (criterion.amount(f"{end:g}", language) for end in (criterion.worst, criterion.best))
            st.caption(t("score.span", worst=worst, best=best, reason=criterion.reason[language]))


def _curve(criterion: Criterion, marks: pd.DataFrame, unit: str, bearable: float) -> alt.LayerChart:
    function = value_function(criterion, bearable)
    low, high = sorted((criterion.worst, criterion.best))
    at = np.linspace(low, high, 41)
    curve = pd.DataFrame({"x": at, "value": function.value(at)})
    shown = marks.assign(value=function.value(marks["x"].to_numpy(float)), at=marks["x"].clip(low, high))
    axis = alt.Axis(tickCount=4)
    x = alt.X("x:Q", title=unit, scale=alt.Scale(domain=[low, high], nice=False), axis=axis)
    y = alt.Y("value:Q", title=t("score.value"), scale=alt.Scale(domain=[0, 1]), axis=axis)
    line = alt.Chart(curve).mark_line(color=toml.table("style")["page"]["accent"]).encode(x=x, y=y)
    dots = (
        alt.Chart(shown)
        .mark_circle(size=75, color=toml.table("style")["page"]["warning"], opacity=0.75)
        .encode(
            x=alt.X("at:Q"),
            y="value:Q",
            tooltip=[
                alt.Tooltip("site:N", title=t("col.site")),
                alt.Tooltip("x:Q", title=t("col.natural"), format=",.4~g"),
                alt.Tooltip("value:Q", title=t("score.value"), format=".2f"),
            ],
        )
    )
    return (line + dots).properties(height=190)
