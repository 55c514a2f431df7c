"""选址: up to four sites side by side, criterion by criterion."""

from __future__ import annotations

from html import escape
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.session import t
from app.texts import short
from app.views.score import case
from app.views.score.card import tag
from app.views.score.ranking import labelled
from app.widgets import marked
from geo_cluster.domain import Criterion, Language
from geo_cluster.intake import site_choice
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.scoring.explain import significant
from geo_cluster.supply.standard_land import DoorChecks
from geo_cluster.world import catalog

COLOURS = ("#0b6e75", "#b4541a", "#5b3f8c", "#37556e")
SHAPES = ("circle", "square", "triangle-up", "diamond")


def compare(weighed: Weighed, doors: DoorChecks) -> None:
    """Choose sites; a chart by theme, and every number with its worth, points, evidence and source."""
    language, sites = session.language(), [weighed.choice.sites[place] for place in weighed.order]
    names = {site: weighed.choice.names[site][language] for site in sites}
    if len(sites) < 2:
        st.caption(t("score.only_one"))
        return
    chosen = st.multiselect(
        t("score.pick"),
        sites,
        max_selections=case.MOST,
        format_func=names.__getitem__,
        placeholder=t("score.pick_some"),
        key=session.show("score-sites", case.chosen(weighed)),
        on_change=lambda: case.choose(session.chosen("score-sites")),
    )
    if not chosen:
        st.caption(t("score.pick_some"))
        return
    table = labelled(site_choice.side_by_side(weighed, chosen), weighed)
    st.subheader(t("score.theme_points"), anchor=False)
    st.altair_chart(_theme_chart(table), width="stretch")
    st.html(_table(table, weighed, language, doors))


def _theme_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Points of each site in each theme, told apart by colour and shape."""
    language, themes = session.language(), catalog.themes()
    points = table.groupby(["theme", "site_label"], sort=False)["points"].sum().reset_index()
    points["site_short"] = points["site_label"].map(short)
    points["name"] = [themes[key][language] for key in points["theme"]]
    order, sites = [name[language] for name in themes.values()], points["site_short"].drop_duplicates().tolist()
    base = alt.Chart(points).encode(
        y=alt.Y("name:N", sort=order, title=None),
        x=alt.X("points:Q", title=t("col.points"), scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5)),
    )
    span = base.mark_rule(color="#c9d2d2", strokeWidth=2).encode(x="min(points):Q", x2="max(points):Q")
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=260)
    dots = base.mark_point(size=120, filled=True, opacity=0.95).encode(
        color=alt.Color("site_short:N", scale=alt.Scale(domain=sites, range=list(COLOURS)), legend=legend),
        shape=alt.Shape("site_short:N", scale=alt.Scale(domain=sites, range=list(SHAPES)), legend=legend),
        tooltip=[
            alt.Tooltip("site_label:N", title=t("col.site")),
            alt.Tooltip("name:N", title=t("score.theme")),
            alt.Tooltip("points:Q", title=t("col.points"), format=".1f"),
        ],
    )
    return (span + dots).properties(height=290)


def _table(table: pd.DataFrame, weighed: Weighed, language: Language, doors: DoorChecks) -> str:
    """The table as HTML, everything from data escaped; on a phone each criterion becomes a block."""
    sites = table["site"].drop_duplicates().tolist()
    names = {site: escape(weighed.choice.names[site][language]) for site in sites}
    score = dict(zip(weighed.choice.sites, weighed.score, strict=True))
    head = "".join(f'<th scope="col">{names[site]}</th>' for site in sites)
    rows = []
    for key, cells in table.groupby("criterion", sort=False):
        declared = catalog.criteria()[str(key)]
        weight = t("score.of_weight", weight=f"{cells['weight'].iloc[0]:.1%}")
        note = weighed.choice.notes.get(str(key))
        small = f"<small>{weight}</small>" + (f"<small>{escape(note[language])}</small>" if note else "")
        first = f'<th scope="row">{escape(declared.name[language])}{small}</th>'
        rows.append(f"<tr>{first}{''.join(_cell(cell, names, declared) for cell in cells.itertuples())}</tr>")
    top = max(score[site] for site in sites)
    total = "".join(
        _boxed(f"<b>{score[site]:.1f}</b>", names[site], is_best=len(sites) > 1 and score[site] == top)
        for site in sites
    )
    rows.append(f'<tr><th scope="row">{t("score.total")}</th>{total}</tr>')
    asked = "".join(
        _boxed(
            f"<b>{escape(marked(doors.of(site)))}</b>",
            names[site],
            is_best=False,
            more=f"<small>{escape(doors.sentence(0, doors.sites.index(site), language))}</small>",
        )
        for site in sites
    )
    rows.append(f'<tr><th scope="row">{t("col.standard_land")}</th>{asked}</tr>')
    body = f'<thead><tr><th scope="col">{t("col.criterion")}</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'
    return f'<table class="gc-side" aria-label="{t("score.table_label")}">{body}</table>'


def _cell(cell: Any, names: dict[str, str], criterion: Criterion) -> str:
    known = not np.isnan(cell.natural)
    number = f"{significant(cell.natural):,.12g}"
    natural = escape(criterion.amount(number, session.language())) if known else t("score.unknown")
    low, high = f"{cell.value_low:.2f}", f"{cell.value_high:.2f}"
    value = (
        f"{cell.value:.2f}" if low == high else t("score.value_range", value=f"{cell.value:.2f}", low=low, high=high)
    )
    text = t("score.cell", value=value, points=f"{cell.points:.1f}")
    source = escape(getattr(cell, f"source_{session.language()}") or t("score.by_layer"))
    bar = f'<span class="gc-bar"><i style="width:{100 * cell.value:.0f}%"></i></span>'
    return _boxed(
        f"<b>{natural}</b>",
        names[cell.site],
        is_best=cell.best,
        more=f"{bar}<small>{text} · {tag(cell.evidence)}</small>"
        f'<small class="gc-source" title="{source}">{source}</small>',
    )


def _boxed(content: str, name: str, *, is_best: bool, more: str = "") -> str:
    """A cell; the best of its row says so in a word and a star, not by colour alone."""
    star = f" <b>★ {t('score.winner')}</b>" if is_best else ""
    return f'<td{" class=gc-win" if is_best else ""}><span class="gc-here">{name}</span>{content}{star}{more}</td>'
