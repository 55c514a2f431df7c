"""Division of labour among cities, before and after the plan, and how to make it a cap."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app import charts, session, state
from app.session import t
from app.texts import short
from app.views.match import edit
from app.widgets import plain
from geo_cluster import toml
from geo_cluster.domain import Share
from geo_cluster.report import division as report
from geo_cluster.study import Study
from geo_cluster.world import catalog

SHOWN = ("share", "lq")


def division(study: Study) -> None:
    """Sentences, heat maps, overlaps, specialisation, caps."""
    st.info(t("division.indicative"), icon=":material/info:")
    said = report.sentences(study, session.language())
    for sentence in said:
        st.text(sentence)
    if not said:
        st.caption(t("division.none"))
    _heatmaps(study)
    _pairs(study)
    _cities(study)
    _caps(study)


def _heatmaps(study: Study) -> None:
    shown = st.segmented_control(
        t("division.shown"),
        SHOWN,
        default="share",
        format_func=lambda key: t(f"division.{key}"),
        help=t("division.shown_help"),
        required=True,
        key=f"division-shown-{session.language()}",
        persist_state="session",
    )
    table = report.division_table(study)
    table = table[table["measure"] == report.COUNT]
    for place, when in zip(st.columns(2), (report.BEFORE, report.AFTER), strict=True):
        with place:
            st.subheader(t(f"division.{when}"), anchor=False)
            charts.draw(_heatmap(table[table["when"] == when], shown))


def _heatmap(table: pd.DataFrame, shown: str) -> charts.Figure:
    """City by segment; the number in each cell, in grey where there are few."""
    language = session.language()
    form = "{:.0%}" if shown == "share" else "{:.1f}"
    cells = pd.DataFrame(
        {
            "city": table[f"prefecture_{language}"],
            "segment": table[f"segment_{language}"].map(short),
            "value": table[shown].where(table["value"] > 0),
            "few": table["few"],
            "number": table["value"],
            "range": [_range(row, shown) for row in table.to_dict("records")],
            "basis": np.where(table["few"], t("division.few"), t("division.enough")),
        }
    )
    cells["label"] = [form.format(one) if pd.notna(one) else "" for one in cells["value"]]
    cells["strong"] = cells["value"].where(~cells["few"]) if shown == "lq" else cells["value"]
    return charts.Figure(cells, _cells, (shown, cells["segment"].nunique()))


def _range(row: dict[str, float], shown: str) -> str:
    low, high = row[f"{shown}_low"], row[f"{shown}_high"]
    if np.isnan(low):
        return "—"
    return f"{low:.0%}–{high:.0%}" if shown == "share" else f"{low:.1f}–{high:.1f}"


def _cells(shown: str, rows: int) -> alt.LayerChart:
    page = toml.table("style")["page"]
    base = alt.Chart(charts.ROWS).encode(
        x=alt.X("city:N", sort=charts.BY_ROW, title=None, axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("segment:N", sort=charts.BY_ROW, title=None, axis=alt.Axis(labelLimit=150)),
    )
    shades = toml.table("style")["map"]["shades"][:4]
    most = 0.3 if shown == "share" else 3.0
    scale = alt.Scale(domain=[0, most], range=shades[:3], clamp=True)
    tips = [
        alt.Tooltip("city:N", title=t("division.city")),
        alt.Tooltip("segment:N", title=t("division.cap_segment")),
        alt.Tooltip("number:Q", title=t("division.count"), format=",.0f"),
        alt.Tooltip("label:N", title=t(f"division.{shown}")),
        alt.Tooltip("range:N", title=t("division.range")),
        alt.Tooltip("basis:N", title=t("division.basis")),
    ]
    grey = base.transform_filter("datum.few && isValid(datum.value)").mark_rect(stroke="white", color="#eceeee")
    fill = base.transform_filter("isValid(datum.strong)").mark_rect(stroke="white")
    fill = fill.encode(color=alt.Color("strong:Q", scale=scale, legend=None))
    faint = alt.condition("datum.few", alt.value(page["muted"]), alt.value(page["ink"]))
    text = base.mark_text(fontSize=11).encode(
        text="label:N", color=faint if shown == "lq" else alt.value(page["ink"]), tooltip=tips
    )
    return (text + grey + fill + text).properties(height=24 * rows + 30)


def _pairs(study: Study) -> None:
    st.subheader(t("division.pairs"), anchor=False)
    table, language = report.overlaps(study), session.language()
    if table.empty:
        st.caption(t("division.none"))
        return
    band = [
        f"{a:.2f}–{b:.2f}" if a == a else None for a, b in zip(table["chance_low"], table["chance_high"], strict=True)
    ]
    shown = pd.DataFrame(
        {
            "cities": table[f"first_{language}"] + "–" + table[f"second_{language}"],
            "before": table["before"],
            "after": table["after"],
            "change": table["after"] - table["before"],
            "chance": table["chance"],
            "chance_range": band,
            "plan_output": table["plan_output"],
        }
    )
    helps = {"before": "before_help", "after": "before_help", "change": "change_help", "chance": "chance_help"}
    helps |= {"chance_range": "chance_help", "plan_output": "before_help"}
    config = {
        key: st.column_config.NumberColumn(
            t(f"division.{key}"),
            format="%+.2f" if key == "change" else "%.2f",
            help=t(f"division.{helps[key]}"),
        )
        for key in ("before", "after", "change", "chance", "plan_output")
    }
    config |= {"cities": st.column_config.Column(t("division.cities"))}
    config |= {"chance_range": st.column_config.Column(t("division.chance_range"), help=t("division.chance_help"))}
    st.dataframe(shown, hide_index=True, column_config=config, placeholder="—")


def _cities(study: Study) -> None:
    st.subheader(t("division.special"), anchor=False)
    table, language = report.cities_table(study), session.language()
    table = table[table["measure"] == report.COUNT]
    now, then = (table[table["when"] == when].set_index("prefecture") for when in (report.BEFORE, report.AFTER))
    shown = pd.DataFrame(
        {
            "city": then[f"prefecture_{language}"],
            "total_before": now["total"],
            "total_after": then["total"],
            "specialisation_before": now["specialisation"],
            "specialisation_after": then["specialisation"],
            "herfindahl_after": then["herfindahl"],
            "unknown": now["segment_unknown"],
        }
    )
    helps = {
        key: f"division.{key.split('_')[0]}_help" for key in shown if key not in {"city", "total_before", "total_after"}
    }
    config = {
        key: st.column_config.NumberColumn(
            t(f"division.{key}"),
            format="%d" if key in {"total_before", "total_after", "unknown"} else "%.2f",
            help=t(helps[key]) if key in helps else None,
        )
        for key in shown
        if key != "city"
    }
    config |= {"city": st.column_config.Column(t("division.city"))}
    st.dataframe(shown, hide_index=True, column_config=config, placeholder="—")


def _caps(study: Study) -> None:
    """The most of a segment that a city may get: a share of the scenario."""
    st.subheader(t("division.aim"), anchor=False)
    st.caption(t("division.aim_note"))
    names, language = study.region.names, session.language()
    codes = list(dict.fromkeys(study.sites["prefecture_code"]))
    segments = {key: one.name[language] for key, one in catalog.segments().items()}
    used = [key for key in segments if key in set(study.projects["segment"])]
    city, segment, most, act = st.columns([1.2, 1.6, 1, 1], vertical_alignment="bottom")
    code = city.selectbox(
        t("division.cap_city"), codes, format_func=lambda one: names[one][language], key=f"cap-city-{language}"
    )
    key = segment.selectbox(
        t("division.cap_segment"), used, format_func=segments.__getitem__, key=f"cap-segment-{language}"
    )
    if code is None or key is None:
        return
    number = int(most.number_input(t("division.cap_most"), 0, 1000, 1, key="cap-most"))
    words = {"city": names[code][language], "segment": segments[key]}
    act.button(
        t("division.cap_set"),
        icon=":material/vertical_align_top:",
        width="stretch",
        on_click=edit.keep(lambda: _cap(t("division.capped", n=number, **words), code, key, number)),
    )
    capped = {
        (one.prefecture, one.segment): one for one in state.scenario().shares if one.segment and one.most is not None
    }
    if capped:
        told = [
            t("division.cap_one", city=names[one.prefecture][language], segment=segments[one.segment], n=one.most)
            for one in capped.values()
            if one.prefecture in names and one.segment in segments
        ]
        st.markdown(plain(t("division.cap_now", caps=t("comma").join(told))))
    if (code, key) in capped:
        st.button(
            t("division.cap_drop"),
            icon=":material/close:",
            on_click=edit.keep(lambda: _cap(t("division.uncapped", **words), code, key, None)),
        )


def _cap(note: str, code: str, segment: str, most: int | None) -> None:
    """Put a cap into the scenario, or take it out (None); what the city must get at least stays."""
    shares = {(one.prefecture, one.segment): one for one in state.work().scenario.shares}
    least = shares[code, segment].least if (code, segment) in shares else 0
    shares.pop((code, segment), None)
    if most is not None or least:
        shares[code, segment] = Share(prefecture=code, segment=segment, least=least, most=most)
    state.change(note, shares=[one.model_dump() for one in shares.values()])
