"""Charts that are drawn in place when their data change, and those that several pages share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
import pandas as pd
import streamlit as st

from app.session import language, t
from app.texts import short
from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.world import catalog


@alt.theme.register("geo_cluster", enable=True)
def _chart_theme() -> Any:
    """Every chart in the colours and sizes of the page, with some five lines; Streamlit's own grey is too faint."""
    style = toml.table("style")
    page = style["page"]
    text = {"labelColor": page["muted"], "titleColor": page["muted"], "labelFontSize": 12, "titleFontSize": 12}
    text |= {"titleFontWeight": "normal"}
    axis = text | {"labelFlush": False, "tickCount": 5, "gridColor": page["line"], "domainColor": page["line"]}
    return {
        "config": {
            "axis": axis | {"tickColor": page["line"]},
            "legend": text | {"labelColor": page["ink"]},
            "header": text,
            "range": {"category": list(style["stage"].values())},
        }
    }


ROWS = alt.NamedData("source")
"""Stands in the look of a chart for its data; by this name Streamlit knows the rows that it is given."""
BY_ROW = alt.EncodingSortField(field="row", op="min")
"""As the rows stand. Without it what was drawn first stays first, whatever rows come later."""


class Figure(NamedTuple):
    """Data, and a function that says how it looks; it goes by what stands in `about` and by nothing of the data."""

    data: pd.DataFrame
    look: Callable[..., alt.Chart | alt.LayerChart]
    about: tuple[Hashable, ...] = ()


def draw(figure: Figure, **how: Any) -> None:
    """Show data so that the next run of the page changes it in place.

    Streamlit embeds a chart anew, at some cost to the browser, whenever its specification differs. Making one costs
    the server more than all else on a page, so each is made once for all visitors: the function names the type of
    every field, and has rows in their order by `BY_ROW`.
    """
    specification = _specification(figure.look, language(), *figure.about)
    st.vega_lite_chart(figure.data.assign(row=range(len(figure.data))), specification, width="stretch", **how)


@lru_cache(maxsize=256)
def _specification(look: Callable[..., alt.Chart], spoken: Language, *about: Hashable) -> dict[str, Any]:  # noqa: ARG001
    return look(*about).to_dict(validate=False)


def _tips(**labels: str) -> list[alt.Tooltip]:
    """Tooltip fields under the names that people read, numbers with one decimal."""
    numbers = ("score", "low", "high", "points", "planned", "used")
    return [
        alt.Tooltip(f"{field}:Q", title=t(label), format=",.1f")
        if field in numbers
        else alt.Tooltip(f"{field}:N", title=t(label))
        for field, label in labels.items()
    ]


def score_chart(ranking: pd.DataFrame) -> Figure:
    """Score and interval of a project's eligible sites, best first."""
    return Figure(ranking.assign(site_short=ranking["site_label"].map(short)), _scores, (max(len(ranking), 2),))


def _scores(rows: int) -> alt.LayerChart:
    page = toml.table("style")["page"]
    base = alt.Chart(ROWS).encode(y=alt.Y("site_short:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=190)))
    scale = alt.Scale(zero=False, nice=True)
    tips = _tips(site_label="col.site", score="col.score", low="col.low", high="col.high")
    tips.append(alt.Tooltip("chance_first:Q", title=t("col.acceptability"), format=".0%"))
    rule = base.mark_rule(strokeWidth=5, color="#b9d5d6", strokeCap="round").encode(
        x=alt.X("low:Q", scale=scale, title=t("col.score")), x2="high:Q", tooltip=tips
    )
    dots = base.mark_circle(size=95, color=page["accent"], opacity=1).encode(
        x=alt.X("score:Q", scale=scale), tooltip=tips
    )
    return (rule + dots).properties(height=28 * rows + 30)


def points_chart(points: pd.DataFrame) -> Figure:
    """Stacked contributions of the criteria to the score of a few sites."""
    points = points.assign(site_short=points["site_label"].map(short))
    return Figure(points, _points, (max(points["site_short"].nunique(), 2),))


def _points(rows: int) -> alt.Chart:
    themes = {"land": "#5b3f8c", "energy": "#e08a1e", "reach": "#0b6e75", "chain": "#b3223e"}
    names = catalog.themes()
    labels = [names[key][language()] for key in themes]
    scale = alt.Scale(domain=labels, range=list(themes.values()))
    return (
        alt.Chart(ROWS)
        .mark_bar(stroke="white", strokeWidth=0.8)
        .encode(
            y=alt.Y("site_short:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=190)),
            x=alt.X("sum(points):Q", title=None),
            color=alt.Color("theme:N", scale=scale, legend=alt.Legend(title=None, orient="bottom", columns=2)),
            order=alt.Order("position:Q"),
            detail=alt.Detail("criterion_label:N"),
            tooltip=_tips(
                site_label="col.site", criterion_label="col.criterion", points="col.points", natural_text="col.natural"
            ),
        )
        .properties(height=34 * rows + 100)
    )


def pool_chart(pools: pd.DataFrame) -> Figure:
    """What each pool may have (low to high), what was planned with, and what the plan uses."""
    return Figure(pools.assign(label_short=pools["label"].map(short)), _pools, (max(len(pools), 2),))


def _pools(rows: int) -> alt.LayerChart:
    style = toml.table("style")
    base = alt.Chart(ROWS).encode(y=alt.Y("label_short:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=190)))
    colour = alt.Color(
        "basis:N",
        scale=alt.Scale(domain=list(style["evidence"]), range=list(style["evidence"].values())),
        legend=None,
    )
    span = base.mark_bar(height=15, opacity=0.75).encode(x=alt.X("low:Q", title=None), x2="high:Q", color=colour)
    used = base.mark_bar(height=7, color=style["page"]["accent"]).encode(x="used:Q")
    tick = base.mark_tick(thickness=2.5, size=20, color=style["page"]["ink"]).encode(x="planned:Q")
    tips = _tips(label="col.pool", low="col.low", planned="col.planned", high="col.high", used="col.used")
    tips += _tips(basis_label="col.basis")
    return (span + used + tick).encode(tooltip=tips).properties(height=30 * rows + 20)
