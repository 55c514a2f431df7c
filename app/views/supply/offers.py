"""要素 · what each site can draw on: bars from low to high in the colour of their evidence, and the same as a table."""

from __future__ import annotations

import html
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.charts import BY_ROW, ROWS, Figure, draw
from app.session import t
from app.texts import short
from app.views.supply import place
from app.widgets import plain, refusals, sheet_links
from geo_cluster import toml
from geo_cluster.domain import Scenario
from geo_cluster.world import catalog, layers

SORTS = ("likely", "doubt", "ask", "listed")
MARKED = 10
"""So many numbers of the request list are marked in the bars."""
ALIKE = 3
"""So many bars that are alike are one."""
_SAME = ("low", "likely", "high", "basis_label")


def show() -> None:
    """Draw the tab."""
    _alone()


@st.fragment
def _alone() -> None:
    with refusals():
        _offers()


def _offers() -> None:
    rows = shown(state.scenario())
    resource, rows = _chosen(rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        legend()
        with st.popover(t("supply.how"), icon=":material/help:", type="tertiary"):
            st.markdown(t("supply.offers_note"))
            st.markdown(t("supply.map_note"))
    where, bars = st.columns([3, 2])
    with where:
        place.show(rows[rows["resource"] == resource], resource)
    with bars:
        _bars(rows, resource)
    st.subheader(t("supply.table"), anchor=False)
    st.dataframe(
        _table(rows), hide_index=True, height=380, column_config=_config(), placeholder="", alt=t("supply.table")
    )
    sheet_links(dict(zip(rows["site"], rows["label"], strict=True)), key="supply-sheets")


def _which(offered: set[str]) -> str:
    """Which resource the map and the bars show."""
    kinds = {key: kind.offer_title(session.language()) for key, kind in catalog.resources().items() if key in offered}
    return st.segmented_control(
        t("supply.resource"),
        list(kinds),
        format_func=lambda key: kinds.get(key, key),
        default=next(iter(kinds)),
        required=True,
        key=session.spoken("supply-resource"),
        persist_state="session",
    )


def shown(scenario: Scenario) -> pd.DataFrame:
    """The offers in the visitor's language, with the place of each number in the request list."""
    language, words = session.language(), layers.words("basis")
    rows = cached.offers_of(scenario).copy()
    asked = cached.requests_of(scenario)
    place = {key: n for n, key in enumerate(zip(asked["subject"], asked["attribute"], strict=True), start=1)}
    rows["ask"] = [place.get(key) for key in zip(rows["subject"], rows["attribute"], strict=True)]
    rows["ask"] = rows["ask"].astype("Int64")
    rows["label"], rows["from"] = rows[f"site_{language}"], rows[f"subject_{language}"]
    rows["source"] = rows[f"source_{language}"]
    names = cached.region(scenario).names
    rows["city"] = [names[code][language] for code in rows["prefecture"]]
    rows["basis_label"] = [words[one][language] if one else t("supply.nobody") for one in rows["basis"]]
    fed = {key for key, kind in catalog.resources().items() if kind.subject == "substation"}
    rows["feed"] = [
        "" if key not in fed else t("supply.feed_named" if named else "supply.feed_unknown")
        for key, named in zip(rows["resource"], rows["named"], strict=True)
    ]
    rows["far"] = [
        "" if key not in fed else _far(km, named)
        for key, km, named in zip(rows["resource"], rows["km"], rows["named"], strict=True)
    ]
    return rows


def _far(km: float, named: bool) -> str:
    """How far a site's station is, or why nobody can say."""
    if not pd.isna(km):
        return t("supply.far", km=f"{km:.1f}")
    return t("supply.place_unknown" if named else "supply.station_unknown")


def _chosen(rows: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The resource to show, and all rows by prefecture and sorted, as the visitor asks."""
    cities = rows.drop_duplicates("prefecture").set_index("prefecture")["city"].to_dict()
    labels = {key: t(f"supply.by_{key}") for key in SORTS}
    which, where, how = st.columns([5, 3, 2], vertical_alignment="bottom")
    with which:
        resource = _which(set(rows["resource"]))
    picked = where.pills(
        t("supply.where"),
        list(cities),
        selection_mode="multi",
        format_func=lambda code: plain(cities.get(code, code)),
        key="supply-where",
        persist_state="session",
    )
    sort = how.selectbox(
        t("supply.sort"),
        SORTS,
        format_func=labels.__getitem__,
        key=f"supply-sort-{session.language()}",
        persist_state="session",
    )
    rows = rows[rows["prefecture"].isin(picked)] if picked else rows
    if sort == "listed":
        return resource, rows
    by = {"likely": -rows["likely"], "doubt": rows["low"] - rows["high"], "ask": rows["ask"].astype(float)}[sort]
    first = rows["resource"].map({key: n for n, key in enumerate(catalog.resources())})
    order = ["_first", "_by"]
    return resource, rows.assign(_first=first, _by=by).sort_values(order, kind="stable", na_position="last")


def _bars(rows: pd.DataFrame, resource: str) -> None:
    """One bar a site, or, for what prefectures have, a prefecture."""
    kind, rows = catalog.resources()[resource], rows[(rows["resource"] == resource) & (rows["basis"] != "")]
    title = kind.offer_title(session.language())
    if kind.subject == "prefecture":
        rows = rows.drop_duplicates("subject").assign(label=lambda one: one["city"])
    st.subheader(title, anchor=False)
    if rows.empty:
        st.info(t("supply.nobody"))
        return
    spans = "; ".join(f"{row.label} {row.low:,.0f}–{row.high:,.0f}" for row in rows.head(5).itertuples())
    draw(offer_chart(rows), alt=f"{title}: {spans}")


def legend() -> None:
    """What the colours of the bars mean."""
    colours, words = toml.table("style")["evidence"], layers.words("basis")
    dot = "display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 0;background:"
    parts = [
        f'<span style="margin-right:1.2em;white-space:nowrap"><span style="{dot}{colours[key]}"></span>'
        f"{html.escape(words[key][session.language()])}</span>"
        for key in colours
    ]
    st.html(f'<div style="font-size:.85rem">{"".join(parts)}</div>')


def offer_chart(rows: pd.DataFrame) -> Figure:
    """Low to high in the evidence's colour, the likely value as a tick, a number where it pays to telephone."""
    rows = rows.assign(mark=["" if pd.isna(n) or n > MARKED else f"☎{n}" for n in rows["ask"]])
    rows = folded(rows.assign(short=rows["label"].map(short)))
    rows = rows[
        ["short", "label", "low", "likely", "high", "basis_label", "from", "far", "sharers", "source", "as_of", "mark"]
    ]
    far = float(rows["high"].max()) * 1.12 or 1.0  # room for a mark at the end
    return Figure(rows, _look, (max(len(rows), 2), far, bool(rows["far"].ne("").any())))


def folded(rows: pd.DataFrame) -> pd.DataFrame:
    """Bars alike, where they are `ALIKE` or more and none is to be telephoned about first, as one bar that says so."""
    alike = rows.groupby([*_SAME, "mark"], sort=False)["label"].transform("size")
    is_many = (alike >= ALIKE) & (rows["mark"] == "")
    many = rows[is_many]
    if many.empty:
        return rows
    groups = many.groupby(list(_SAME), sort=False)
    one = many.loc[groups.head(1).index]
    named = groups["label"].agg(t("comma").join).to_numpy()
    for column in ("from", "source", "as_of", "far"):
        one = one.assign(**{column: ["；".join(dict.fromkeys(part)) for _, part in groups[column]]})
    said = [
        t("supply.folded", n=n, low=row["low"], likely=row["likely"], high=row["high"], basis=row["basis_label"])
        for n, row in zip(groups.size(), one.to_dict("records"), strict=True)
    ]
    kept = pd.concat([rows[~is_many], one.assign(short=said, label=named)])
    return kept.loc[[at for at in rows.index if at in kept.index]]


def _look(rows: int, far: float, is_fed: bool) -> alt.LayerChart:
    style, words, language = toml.table("style"), layers.words("basis"), session.language()
    base = alt.Chart(ROWS).encode(
        y=alt.Y("short:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=215, labelPadding=6, labelOverlap=False))
    )
    evidence = alt.Scale(
        domain=[words[one][language] for one in style["evidence"]], range=list(style["evidence"].values())
    )
    colour = alt.Color("basis_label:N", scale=evidence, legend=None)
    bar = base.mark_bar(height=13, cornerRadius=2).encode(
        x=alt.X("low:Q", title=None, scale=alt.Scale(domain=[0, far], nice=False), axis=alt.Axis(tickCount=5)),
        x2="high:Q",
        color=colour,
    )
    tick = base.mark_tick(thickness=2.5, size=17, color=style["page"]["ink"]).encode(x="likely:Q")
    mark = base.mark_text(align="left", dx=6, fontSize=11, fontWeight=600, color=style["page"]["warning"])
    fields = {"label": "col.site", "low": "col.low", "likely": "supply.likely", "high": "col.high"}
    fields |= {"basis_label": "col.basis", "from": "supply.from", "sharers": "supply.sharers"}
    fields |= {"far": "supply.km"} if is_fed else {}
    fields |= {"as_of": "supply.as_of", "source": "supply.source"}
    numbers = {"low": ",.0f", "likely": ",.0f", "high": ",.0f", "sharers": ""}
    tips = [
        alt.Tooltip(f"{key}:{'Q' if key in numbers else 'N'}", title=t(label), format=numbers.get(key, ""))
        for key, label in fields.items()
    ]
    chart = (bar + tick + mark.encode(x="high:Q", text="mark:N")).encode(tooltip=tips)
    return chart.properties(height=20 * rows + 52)


COLUMNS = {
    "label": "col.site",
    "city": "col.prefecture",
    "resource_label": "supply.resource",
    "low": "col.low",
    "likely": "supply.likely",
    "high": "col.high",
    "basis_label": "col.basis",
    "ask": "supply.ask",
    "from": "supply.from",
    "feed": "supply.feed",
    "far": "supply.km",
    "sharers": "supply.sharers",
    "as_of": "supply.as_of",
    "source": "supply.source",
}


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    labels = {key: kind.offer_title(session.language()) for key, kind in catalog.resources().items()}
    rows = rows.round({"low": 0, "likely": 0, "high": 0})
    return rows.assign(resource_label=rows["resource"].map(labels))[list(COLUMNS)]


def _config() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    config: dict[str, Any] = {key: number(t(COLUMNS[key]), format="localized") for key in ("low", "likely", "high")}
    config |= {"ask": number(t("supply.ask"), help=t("supply.ask_help"))}
    return config | {key: st.column_config.Column(t(label)) for key, label in COLUMNS.items() if key not in config}
