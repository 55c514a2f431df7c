"""选址: what would change the choice, why one site is ahead of another, and whether other methods agree."""

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
from app.views.score.ranking import SITE_PX, labelled
from geo_cluster import toml
from geo_cluster.intake import site_choice
from geo_cluster.intake.site_choice import METHODS, Weighed
from geo_cluster.scoring.explain import significant
from geo_cluster.scoring.robustness import agreement
from geo_cluster.world import catalog

RANKED = 6


def reasons(weighed: Weighed) -> None:
    """One number, one weight; any two sites."""
    if len(weighed.choice.sites) < 2:
        st.caption(t("score.only_one"))
        return
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        _thresholds(weighed)
    with right:
        _stability(weighed)
    _pair(weighed)


def _thresholds(weighed: Weighed) -> None:
    language, criteria = session.language(), catalog.criteria()
    st.subheader(t("score.thresholds"), anchor=False)
    table = labelled(site_choice.thresholds(weighed), weighed)
    names, needed = [], []
    for row in table.to_dict("records"):
        if not row["datum"]:
            names.append(t("score.no_number"))
            needed.append("–")
            continue
        declared = criteria.get(row["datum"]) or catalog.attributes()[row["datum"]]
        whose = weighed.choice.names[row["subject"]][language] + " · " if row["subject"] else ""
        names.append(whose + declared.name[language])
        bound = "score.at_least" if row["above"] else "score.at_most"
        number = f"{significant(row['needed'], up=row['above']):,.12g} {row[f'unit_{language}']}".rstrip()
        needed.append(t(bound, needed=number))
    score = dict(zip(weighed.choice.sites, weighed.score.round(1), strict=True))  # as they are shown elsewhere
    best = score[weighed.choice.sites[weighed.order[0]]]
    shown = pd.DataFrame(
        {
            t("col.site"): table["site_label"].map(short),
            t("score.behind"): [round(best - score[site], 1) for site in table["site"]],
            t("score.number"): names,
            t("score.needed"): needed,
        }
    )
    st.dataframe(shown, hide_index=True, column_config=_narrow())
    st.caption(t("score.threshold_note"))


def _narrow() -> dict[str, Any]:
    return {t("col.site"): st.column_config.Column(width=SITE_PX)}


def _stability(weighed: Weighed) -> None:
    language, criteria = session.language(), catalog.criteria()
    st.subheader(t("score.stability"), anchor=False)
    table = site_choice.weight_intervals(weighed)
    if not np.isfinite(table["room"]).any():
        st.caption(t("score.robust_weights"))
        return
    names = weighed.choice.names
    shown = table.assign(
        name=[criteria[key].name[language] for key in table["criterion"]],
        below=[names[site][language] if site else "–" for site in table["low_site"]],
        above=[names[site][language] if site else "–" for site in table["high_site"]],
    )
    st.altair_chart(_stability_chart(shown), width="stretch")
    text = t("score.stability_note", first=weighed.name(int(weighed.order[0]), language))
    st.html(f'<p class="gc-note">{escape(text)}</p>')
    tight = shown[np.isfinite(shown["room"])].head(4)
    columns = {
        "name": "col.criterion",
        "weight": "score.weight",
        "below": "score.below_site",
        "above": "score.above_site",
    }
    inside = {"low": np.ceil(1000 * tight["low"]) / 1000, "high": np.floor(1000 * tight["high"]) / 1000}
    tight = tight.assign(**inside)  # rounded so that nobody else leads within
    rows = tight.assign(weight=[f"{row.weight:.1%} ({row.low:.1%}–{row.high:.1%})" for row in tight.itertuples()])
    st.dataframe(rows[list(columns)].rename(columns={key: t(label) for key, label in columns.items()}), hide_index=True)


def _stability_chart(shown: pd.DataFrame) -> alt.LayerChart:
    page = toml.table("style")["page"]
    order = shown["name"].tolist()
    base = alt.Chart(shown).encode(y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=150)))
    tips = [
        alt.Tooltip("name:N", title=t("col.criterion")),
        alt.Tooltip("weight:Q", title=t("score.weight"), format=".1%"),
        alt.Tooltip("low:Q", title=t("col.low"), format=".1%"),
        alt.Tooltip("high:Q", title=t("col.high"), format=".1%"),
        alt.Tooltip("below:N", title=t("score.below_site")),
        alt.Tooltip("above:N", title=t("score.above_site")),
    ]
    bar = base.mark_bar(height=9, color="#b9d5d6", cornerRadius=4).encode(
        x=alt.X("low:Q", title=None, axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])),
        x2="high:Q",
        tooltip=tips,
    )
    tick = base.mark_tick(thickness=3, size=17, color=page["ink"]).encode(x="weight:Q", tooltip=tips)
    return (bar + tick).properties(height=25 * len(order) + 30)


def agreement_of_methods(weighed: Weighed) -> None:
    """Kendall's tau of each pair of methods, and the ranks that each gives to the best sites."""
    ranks = site_choice.method_ranks(weighed)
    tau = agreement({method: ranks[method].to_numpy() for method in METHODS})
    words = {method: _method(method) for method in METHODS}
    cells = tau.rename(index=words, columns=words).rename_axis("one").reset_index().melt("one", var_name="other")
    mean = np.nanmean(tau.to_numpy()[np.triu_indices(len(METHODS), 1)])
    language = session.language()
    table = ranks.head(RANKED).rename(columns=words)
    table.insert(0, t("col.site"), [short(weighed.choice.names[site][language]) for site in table.index])
    st.text(_others_first(weighed, ranks))
    left, right = st.columns([1, 1.3], gap="large")
    left.altair_chart(_tau_chart(cells, list(words.values())), width="stretch")
    right.dataframe(table, hide_index=True, column_config=_narrow())
    st.caption(t("score.agreement_help", mean=f"{mean:.2f}"))


def _method(key: str) -> str:
    return t(f"method.{key}")


def _others_first(weighed: Weighed, ranks: pd.DataFrame) -> str:
    """How many of the methods put another site first than the weighted sum does, and which."""
    language, firsts = session.language(), ranks.idxmin()
    others = firsts[firsts != ranks.index[0]]
    name = short(weighed.choice.names[ranks.index[0]][language])
    if others.empty:
        return t("score.methods_agree", n=len(firsts), site=name)
    comma, by_site = t("comma"), others.groupby(others.to_numpy()).groups
    text = comma.join(
        t("score.method_says", site=short(weighed.choice.names[site][language]), methods=comma.join(map(_method, by)))
        for site, by in by_site.items()
    )
    return t("score.methods_differ", n=len(firsts), agree=len(firsts) - len(others), site=name, others=text)


def _tau_chart(cells: pd.DataFrame, order: list[str]) -> alt.LayerChart:
    base = alt.Chart(cells).encode(
        x=alt.X("other:N", sort=order, title=None, axis=alt.Axis(labelAngle=-35, labelLimit=110, labelOverlap=False)),
        y=alt.Y("one:N", sort=order, title=None, axis=alt.Axis(labelOverlap=False)),
        tooltip=[
            alt.Tooltip("one:N", title=t("score.method")),
            alt.Tooltip("other:N", title=t("score.other_method")),
            alt.Tooltip("value:Q", title="τ", format=".2f"),
        ],
    )
    scale = alt.Scale(domain=[0, 1], range=["#f4f0e6", "#0b6e75"], clamp=True)
    squares = base.mark_rect(stroke="white").encode(color=alt.Color("value:Q", scale=scale, legend=None))
    colour = alt.condition(alt.datum.value > 0.6, alt.value("white"), alt.value("#1d2b36"))
    return (
        squares + base.mark_text(fontSize=12).encode(text=alt.Text("value:Q", format=".2f"), color=colour)
    ).properties(height=250)


@st.fragment
def _pair(weighed: Weighed) -> None:
    """One sentence on any two sites, and the parts of the lead."""
    language, sites = session.language(), [weighed.choice.sites[place] for place in weighed.order]
    names = {site: weighed.choice.names[site][language] for site in sites}
    st.subheader(t("score.pairwise"), anchor=False)
    left, right = st.columns(2)
    one = left.selectbox(t("score.site_a"), sites, format_func=names.__getitem__, key="score-pair-a")
    rest = [site for site in sites if site != one]
    other = right.selectbox(t("score.site_b"), rest, format_func=names.__getitem__, key="score-pair-b")
    st.html(f'<div class="gc-told" role="status">{escape(site_choice.why(weighed, one, other, language))}</div>')
    a, b = weighed.choice.sites.index(one), weighed.choice.sites.index(other)
    parts = pd.DataFrame({"points": weighed.points[a] - weighed.points[b]})
    parts["name"] = [criterion.name[language] for criterion in catalog.criteria().values()]
    parts["side"] = np.where(parts["points"] >= 0, names[one], names[other])
    shown = parts[parts["points"].abs() > 0.05].sort_values("points", ascending=False)
    scale = alt.Scale(domain=[names[one], names[other]], range=["#0b6e75", "#b4541a"])
    chart = (
        alt.Chart(shown)
        .mark_bar(height=13)
        .encode(
            y=alt.Y(
                "name:N",
                sort=shown["name"].tolist(),
                title=None,
                axis=alt.Axis(labelLimit=150, labelOverlap=False),
            ),
            x=alt.X("points:Q", title=None),
            color=alt.Color(
                "side:N", scale=scale, legend=alt.Legend(title=None, orient="bottom", columns=1, labelLimit=290)
            ),
            tooltip=[
                alt.Tooltip("name:N", title=t("col.criterion")),
                alt.Tooltip("points:Q", title=t("col.points"), format="+.1f"),
            ],
        )
        .properties(height=25 * max(len(shown), 2) + 90)
    )
    st.html(f'<p class="gc-note">{escape(t("score.lead_parts", one=names[one], other=names[other]))}</p>')
    st.altair_chart(chart, width="stretch")
