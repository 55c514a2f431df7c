"""找地 · what the surface says: how its scores are spread, and the story of the cell that was clicked."""

from __future__ import annotations

import math

import altair as alt
import streamlit as st

from app import cached_find, session
from app.cached_find import Ground, Surface
from app.charts import ROWS, Figure, draw
from app.session import t
from app.views.find.surface import CLICKED
from app.widgets import text_table
from geo_cluster.errors import InputError
from geo_cluster.suitability.exclusions import FREE, OUTSIDE, UNKNOWN
from geo_cluster.suitability.spec import Spec

TAKEN = 1
"""State of a cell under a rule."""


def histogram(surface: Surface) -> None:
    """How much free land has which score; the colours are the map's."""
    if surface.free_ha:
        alt_text = t("find.spread_alt", km2=surface.free_ha / 100, best=surface.best)
        draw(Figure(surface.bins[surface.bins["share"] > 0], _bars), alt=alt_text)
    else:
        st.warning(t("find.none_free"), icon=":material/block:")


def _bars() -> alt.Chart:
    return (
        alt.Chart(ROWS)
        .mark_bar(stroke="#56636c", strokeWidth=0.3)
        .encode(
            x=alt.X(
                "low:Q",
                bin="binned",
                scale=alt.Scale(domain=[0, 100]),
                title=t("find.score"),
                axis=alt.Axis(tickCount=5),
            ),
            x2="high:Q",
            y=alt.Y("share:Q", stack=None, title=t("find.share"), axis=alt.Axis(tickCount=4)),
            color=alt.Color("colour:N", scale=None),
            tooltip=[
                alt.Tooltip("low:Q", title=t("find.score")),
                alt.Tooltip("share:Q", title=t("find.share"), format=".1f"),
                alt.Tooltip("km2:Q", title=t("find.km2"), format=",.1f"),
            ],
        )
        .properties(height=190)
    )


def story(ground: Ground, spec: Spec) -> None:
    """The cell that was clicked: its score, each rule, each number."""
    clicked, language = session.kept(CLICKED), session.language()
    st.subheader(t("find.story"), anchor=False)
    if clicked is None:
        st.caption(t("find.click"))
        return
    try:
        told = cached_find.story_of(ground, spec, *clicked)
    except InputError:
        st.caption(t("find.beyond"))
        return
    where = f"{clicked[1]:.4f}, {clicked[0]:.4f}"
    rules = list(spec.exclusions.values())
    if told["code"] == OUTSIDE:
        st.caption(t("find.beyond"))
        return
    if told["code"] == FREE:
        said = t("find.is_free", score=told["score"], low=told["low"], high=told["high"])
    elif told["code"] == UNKNOWN:
        said = t("find.is_unknown")
    else:
        said = t("find.is_taken", rule=rules[told["code"] - 1].name[language])
    st.markdown(f"**{said}**")
    st.caption(t("find.cell", where=where, cell=ground.exact.grid.cell_m))
    states = {0: t("find.rule_free"), TAKEN: t("find.rule_takes"), 2: t("find.rule_unknown")}
    text_table(
        [t("find.rule"), t("find.state")],
        [(rule.name[language], states[told["rules"][key]]) for key, rule in spec.exclusions.items()],
    )
    text_table(
        [t("find.criterion"), t("find.number"), t("find.worth"), t("find.points")],
        [
            (
                one.name[language],
                _number(told["numbers"][key], one.unit[language]),
                _number(100 * told["values"][key], "%"),
                _number(told["points"][key], ""),
            )
            for key, one in spec.criteria.items()
        ],
        named=True,
    )


def _number(value: float, unit: str) -> str:
    return t("find.not_known") if math.isnan(value) else f"{value:,.1f} {unit}".strip()
