"""City by city: what each gets at the three planning levels, the price of giving it more, and its share to set."""

from __future__ import annotations

from html import escape

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, charts, session, state
from app.session import t
from app.views.match import asking, edit, portfolio
from app.widgets import plain
from geo_cluster import toml
from geo_cluster.domain import Share
from geo_cluster.report import cities as report
from geo_cluster.study import Study
from geo_cluster.world import layers

MORE = (1, 2, 3, 5, 8, 12)
"""So many projects more than in the plan each city is priced at in the table; the chart has every number."""


def headline(study: Study) -> None:
    """What each city gets at every planning level; levels that are being solved are filled in when they are there."""
    jobs = cached.level_jobs(study)
    if all(job.ended for job in jobs.values()):
        _table(study)
    else:
        _waiting(study)


@st.fragment(run_every=1.0)
def _waiting(study: Study) -> None:
    if all(job.ended for job in cached.level_jobs(study).values()):
        st.rerun()
    _table(study)


def _table(study: Study) -> None:
    """One row a city, the three levels of each amount side by side, the plan's own in bold."""
    language, words = session.language(), layers.words("planning_level")
    known = cached.levels_of(study)
    table, jobs = report.cities_table(known), cached.level_jobs(study)
    own = report.LEVELS.index(study.scenario.planning_level)
    names = table.drop_duplicates("prefecture").set_index("prefecture")[f"prefecture_{language}"]
    heads = [t("cities.city"), *(one[language] for one in report.AMOUNTS.values())]
    rows = []
    for code, name in names.items():
        cells = [escape(name)]
        for key in report.AMOUNTS:
            parts = report.side_by_side(table, key, code).split("–")
            parts[own] = f"<b>{parts[own]}</b>"
            cells.append("–".join(parts))
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    st.html(f'<table class="gc-cities"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>')
    said = [t("cities.levels", levels="–".join(words[level][language] for level in report.LEVELS))]
    running = [level for level, job in jobs.items() if not job.ended]
    missing = [level for level, job in jobs.items() if job.ended and job.study is None]
    for key, levels in (("cities.running", running), ("cities.none", missing)):
        if levels:
            said.append(t(key, levels=t("comma").join(words[level][language] for level in levels)))
    said.append(report.unproven(table, language))
    st.caption(plain("；".join(filter(None, said)) if language == "zh" else "; ".join(filter(None, said))))


def cities(study: Study) -> None:
    """The price of giving each city at least n projects, on request, and the share of each to set."""
    st.caption(t("cities.note"))
    begin = st.button(t("cities.run"), icon=":material/price_check:")
    if found := asking.ended(report.city_prices, study, begin=begin):
        table = found.answer
        if table.empty:
            st.info(t("cities.nobody"))
        else:
            charts.draw(_figure(table))
            _prices(table)
    _shares(study)


def _figure(table: pd.DataFrame) -> charts.Figure:
    """What is lost by city and number of projects; a band where it lies between two bounds."""
    language = session.language()
    rows = pd.DataFrame(
        {
            "city": table[f"prefecture_{language}"],
            "least": table["least"],
            "loss": table["loss_high"].fillna(table["loss_low"]),
            "low": table["loss_low"],
            "share": table["share_high"].fillna(table["share_low"]),
            "status": table[f"status_{language}"],
        }
    )
    return charts.Figure(rows, _curves)


def _curves() -> alt.LayerChart:
    colours, top = list(toml.table("style")["stage"].values()), alt.Legend(title=None, orient="top")
    base = alt.Chart(charts.ROWS).encode(
        x=alt.X("least:Q", title=t("cities.least"), axis=alt.Axis(tickMinStep=1, format=",.0f")),
        color=alt.Color("city:N", sort=charts.BY_ROW, scale=alt.Scale(range=colours), legend=top),
    )
    y = alt.Y("loss:Q", title=t("cities.loss"), axis=alt.Axis(format=",.0f", tickCount=5))
    tips = [
        alt.Tooltip("city:N", title=t("cities.city")),
        alt.Tooltip("least:Q", title=t("cities.least"), format=",.0f"),
        alt.Tooltip("low:Q", title=t("cities.loss_low"), format=",.1f"),
        alt.Tooltip("loss:Q", title=t("cities.loss_high"), format=",.1f"),
        alt.Tooltip("share:Q", title=t("cities.share"), format=".1%"),
        alt.Tooltip("status:N", title=t("match.proof")),
    ]
    band = base.mark_area(opacity=0.25, interpolate="linear").encode(y=y, y2="low:Q")
    line = base.mark_line(strokeWidth=2).encode(y=y)
    dots = base.mark_point(size=34, filled=True).encode(y=y, tooltip=tips)
    return (band + line + dots).properties(height=260)


def _prices(table: pd.DataFrame) -> None:
    """What the plan gives each city, and what some more would cost."""
    language = session.language()
    more = table["least"] - table["in_plan"]
    last = table.groupby("prefecture")["least"].transform("max")
    rows = table[more.isin(MORE) | (table["least"] == last) & (more > 0)]
    shown = pd.DataFrame(
        {
            "city": rows[f"prefecture_{language}"],
            "in_plan": rows["in_plan"],
            "least": rows["least"],
            "loss": [report.loss_words(row) for row in rows.to_dict("records")],
            "share": rows["share_high"].fillna(rows["share_low"]),
            "status": rows[f"status_{language}"],
        }
    )
    config = {
        "city": st.column_config.Column(t("cities.city")),
        "in_plan": st.column_config.NumberColumn(t("cities.in_plan"), format="%d"),
        "least": st.column_config.NumberColumn(t("cities.least"), format="%d"),
        "loss": st.column_config.Column(t("cities.loss"), help=t("cities.loss_help")),
        "share": st.column_config.NumberColumn(t("cities.share"), format="percent"),
        "status": st.column_config.Column(t("match.proof")),
    }
    st.dataframe(shown, hide_index=True, column_config=config, height=min(36 * (len(shown) + 1) + 2, 330))


def _shares(study: Study) -> None:
    """How many projects a city must and may get: a share of the scenario."""
    st.subheader(t("cities.shares"), anchor=False)
    st.caption(t("cities.shares_note"))
    names, language = study.region.names, session.language()
    codes = list(report.prefectures(study))
    now = {one.prefecture: one for one in state.scenario().shares if not one.segment}
    city, least, most, act = st.columns([1.4, 1, 1, 1], vertical_alignment="bottom")
    code = city.selectbox(
        t("cities.city"), codes, format_func=lambda one: names[one][language], key=f"share-city-{language}"
    )
    if code is None:
        return
    share = now.get(code) or Share(prefecture=code)
    low = int(least.number_input(t("cities.at_least"), 0, 1000, share.least, key=f"share-least-{code}-{share.least}"))
    high = most.number_input(
        t("cities.at_most"),
        0,
        1000,
        share.most,
        placeholder=t("cities.any"),
        key=f"share-most-{code}-{share.most}",
    )
    act.button(
        t("cities.set"),
        icon=":material/check:",
        width="stretch",
        disabled=not portfolio.is_of(study),
        on_click=edit.keep(lambda: _set(code, names[code][language], low, None if high is None else int(high))),
    )
    told = [_told(names[one.prefecture][language], one) for one in now.values() if one.prefecture in names]
    if told:
        st.markdown(plain(t("cities.now", shares=t("semicolon").join(told))))


def _told(city: str, share: Share) -> str:
    """A share in words."""
    if share.most is None:
        return t("cities.said_least", city=city, least=share.least)
    return t("cities.said_both", city=city, least=share.least, most=share.most)


def _set(code: str, city: str, least: int, most: int | None) -> None:
    """Put a share of all projects into the scenario; none where it asks for nothing."""
    shares = {(one.prefecture, one.segment): one.model_dump() for one in state.work().scenario.shares}
    shares.pop((code, ""), None)
    note = t("cities.dropped", city=city)
    if least or most is not None:
        row = {"prefecture": code, "segment": "", "least": least, "most": most}
        shares[code, ""] = row
        note = t("cities.changed", city=city, least=least, most=t("cities.any") if most is None else most)
    state.change(note, shares=list(shares.values()))
