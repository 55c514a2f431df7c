"""Pieces that several pages share: map, header, footer, refusals, charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
import pandas as pd
import streamlit as st
from streamlit_folium import st_folium

from app import cached, page_scripts, signin, state, web
from app.state import t
from app.texts import short
from app.texts.faults import told
from geo_cluster import toml
from geo_cluster.box.limits import limits
from geo_cluster.domain import Language
from geo_cluster.errors import GeoClusterError
from geo_cluster.maps import page as maps_page
from geo_cluster.study import Study
from geo_cluster.world import catalog

FONT = '"Source Han Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "Segoe UI", Roboto, sans-serif'
STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding: 4.2rem 2rem 2rem; max-width: 1500px; }
h1 { font-size: 1.55rem !important; font-weight: 650 !important; padding: 0 0 .1rem !important; }
h3 { font-size: 1.05rem !important; font-weight: 600 !important; }
[data-testid="stMetric"] { background: #fff; border: 1px solid #dfe4e3; border-radius: 10px; padding: .55rem .9rem; }
[data-testid="stMetricValue"] { font-size: 1.4rem; line-height: 2.1rem; font-variant-numeric: tabular-nums; }
[data-testid="stMetricLabel"] { color: #56636c; }
[data-testid="stStatusWidget"] { display: none; }
[data-test-script-state="running"]::before { content: ""; position: fixed; inset: 0 0 auto; height: 3px;
  background: #0b6e75; z-index: 1000000; }
iframe { border-radius: 10px; border: 1px solid #dfe4e3; }
button[data-variant="segmented_control"][data-selected="true"] p { color: #07494f; }
.gc-footer { color: #56636c; font-size: .78rem; border-top: 1px solid #dfe4e3; margin-top: 1rem; padding-top: .6rem; }
.gc-sample { background: #fff3d6; color: #7a5200; border: 1px solid #e9cf8f; border-radius: 6px; padding: .1rem .6rem; }
.gc-sample { display: inline-block; font-size: .85rem; }
.st-key-workbar { border-bottom: 1px solid #dfe4e3; padding-bottom: .45rem; }
.st-key-workbar button { min-height: 2.1rem; }
.st-key-steps { background: #eef4f4; border-radius: 10px; padding: .3rem .9rem; }
.st-key-steps p { font-size: .9rem; }
.st-key-steps [data-testid="stPageLink"] p { white-space: normal; }
.st-key-steps [data-testid="stPageLink"] strong { color: #07494f; text-decoration: underline; }
.st-key-work-revisions [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; }
.st-key-work-revisions [data-testid="stColumn"] { min-width: 0; }
.gc-kept { color: #56636c; font-size: .82rem; white-space: nowrap; }
[data-testid="stCaptionContainer"] { opacity: 1; }
[data-testid="stCaptionContainer"] p { color: #56636c; }
.gc-lead { color: #56636c; margin: 0 0 .6rem; }
:is(a, button, summary, iframe, [tabindex], [role="slider"]):focus-visible,
label:has(input:is([type="checkbox"], [type="radio"]):focus-visible) {
  outline: 2px solid #0b6e75 !important; outline-offset: 2px !important; }
:is([data-testid="stMain"], [data-testid="stTopNavLink"], [role="tab"]):focus-visible {
  outline-offset: -2px !important; }
.gc-where { display: none; }
.st-key-counts [data-testid="stMetric"] { padding: .1rem .9rem; }
.st-key-counts [data-testid="stMetric"] > div { display: flex; justify-content: space-between; align-items: center; }
.st-key-counts [data-testid="stMetricValue"] { font-size: 1.2rem; }
.st-key-overview { --above: 15.4rem; }
[data-testid="stMain"]:has(.st-key-steps) .st-key-overview { --above: 19.3rem; }
.st-key-overview iframe { height: calc(max(26rem, 100vh - var(--above)) + 360px) !important; }
[data-testid="stLayoutWrapper"]:has(> :is(.st-key-way, .st-key-own-words)) { display: none; }
[data-stale="true"] { opacity: 1 !important; transition: none !important; }
@media (max-width: 640px) {
  .st-key-overview iframe { height: calc(max(26rem, 100vh - var(--above)) + 400px) !important; }
  .st-key-workbar { flex-wrap: nowrap; gap: .2rem; }
  .st-key-workbar > .st-key-work-menu { flex: 0 1 auto; min-width: 4.5rem; }
  .st-key-workbar > [data-testid="stElementContainer"]:has(.gc-kept) { flex: 1 0 auto; max-width: 50vw; }
  .gc-kept { display: block; overflow: hidden; text-overflow: ellipsis; text-align: right; }
  .gc-wide { display: none; }
  .gc-where { display: block; position: fixed; top: 0; left: 3.6rem; z-index: 999990; line-height: 3.75rem; margin: 0;
    font-weight: 600; pointer-events: none; }
  .st-key-workbar :is(.st-key-work-undo, .st-key-work-redo, .st-key-work-history) button p {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }
  .st-key-steps { gap: .2rem; padding: .5rem .9rem; }
  [data-testid="stMainBlockContainer"] { padding: 4rem .9rem 1.5rem; }
  [data-testid="stHorizontalBlock"]:has([data-testid="stMetric"]) { display: grid; gap: .5rem; }
  [data-testid="stHorizontalBlock"]:has([data-testid="stMetric"]) { grid-template-columns: 1fr 1fr; }
  [data-testid="stColumn"]:has([data-testid="stMetric"]) { min-width: 0; width: auto; }
  [data-testid="stMetricLabel"] :is(div, p) { white-space: normal; overflow: visible; }
}
</style>
"""


def own_words() -> None:
    """Tell the browser the page's language, and give Streamlit's own words in it."""
    with st.container(key="own-words"):
        st.html(f"<script>{page_scripts.own_words(state.language())}</script>", unsafe_allow_javascript=True)


def heading(page: str) -> None:
    """Top of a page, its first steps and the work bar."""
    state.name_in_address()
    top(page, named=t(page))
    from app.steps import first_steps  # these are made of the pieces below
    from app.workbar import work_bar

    first_steps(page)
    if page != "explore":
        work_bar()


def top(page: str, *, named: str = "") -> None:
    """Title and lead of a page, with the language switch at the right, and the way out for who signed in.

    The name of the page, as it stands in the menu, is for phones: there the menu is closed.
    """
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(t(f"{page}.title"), anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            _leave()
            _languages()
    st.html(f'<p class="gc-where">{named}</p><p class="gc-lead">{t(f"{page}.lead")}</p>')


def _languages() -> None:
    st.segmented_control(
        t("language"),
        ("zh", "en"),
        format_func={"zh": "中文", "en": "English"}.__getitem__,
        default=state.language(),
        key="language",
        persist_state="session",
        label_visibility="collapsed",
        required=True,
    )


def _leave() -> None:
    who = signin.person() if signin.is_on() else None
    if who is not None:
        told = t("signin.as", name=plain(who.name), role=t(f"signin.{who.role}"))
        st.button(
            t("signin.leave"), icon=":material/logout:", type="tertiary", on_click=st.logout, help=told, key="leave"
        )


def open_tab(key: str, labels: Mapping[str, str]) -> tuple[str, Any]:
    """Draw tabs by name; the open one, by name and as a container. It stays open in the other language too."""
    language, (last, spoken) = state.language(), state.kept(key, ("", ""))
    at = state.spoken(key)
    if last in labels and spoken != language:
        state.show(at, labels[last])
    tabs = dict(zip(labels, st.tabs(list(labels.values()), key=at, on_change="rerun"), strict=True))
    name = next((name for name, tab in tabs.items() if tab.open), next(iter(tabs)))
    state.keep(key, (name, language))
    return name, tabs[name]


def footer() -> None:
    """Whom the data is owed to, on every page."""
    st.html(f'<div class="gc-footer">{t("footer")}</div>')


def show_map(source: cached.Source, *, key: str, height: int = 640) -> None:
    """A map that pans and zooms without asking the server for anything.

    Under the same key it shows another source without going blank in between.
    """
    address, scripts, file = source
    state.keep(f"map-{key}", file)
    st_folium(
        maps_page.canvas_of(scripts=scripts),
        key=key,
        height=height,
        feature_group_to_add=maps_page.FetchedPayload(web.ticketed(address)),
        use_container_width=True,
        returned_objects=[],
    )


_SPOKEN = re.compile(r":(?=[\w/+-]*[:\[])|:(?=//)|@|(?<=www)(?=\.)|(?<=[<>~-])(?=[<>=-])", re.IGNORECASE)
"""What Streamlit makes more of, even where it is escaped: icons, colours, bare addresses, arrows."""
_MARKDOWN = re.compile(r"[\\`*_\[\]<>$~|#]|&(?=#?\w+;)|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|(?<=^\d{3})[.)]")
"""What Markdown makes more of where it isn't escaped: marks, entities, and the beginning of an item or a rule."""


def plain(text: str) -> str:
    """Text from data as markdown that shows it as it is, on one line: no link, formula, icon, list or colour."""
    apart = _SPOKEN.sub("\\g<0>\u2060", re.sub(r"\s*[\r\n]\s*", " ", text).strip())
    return _MARKDOWN.sub(r"\\\g<0>", apart)


def clock(at: datetime) -> str:
    """A time as the visitor's clock shows it; the day too, unless it is today."""
    here, now = at.astimezone(), datetime.now().astimezone()
    return f"{here:%H:%M}" if here.date() == now.date() else f"{here:%m-%d %H:%M}"


def told_of(study: Study) -> str:
    """Which plan it is, as people say it: the name of its scenario and when it was run."""
    at = state.run_at(study)
    return plain(study.scenario.name[state.language()]) + (f" · {clock(at)}" if at else "")


@contextmanager
def refusals() -> Iterator[None]:
    """Show what was refused as sentences with remedies; never a traceback."""
    try:
        yield
    except GeoClusterError as refusal:
        faults = [told(fault, state.language()) for fault in refusal.faults]
        st.error(t("error") + "\n\n" + "\n".join(f"- {plain(str(fault))}" for fault in faults), icon=":material/error:")


@alt.theme.register("geo_cluster", enable=True)
def _chart_theme() -> Any:
    """Texts of every chart in a grey that can be read on white; Streamlit's own is too faint (3.7:1)."""
    page = toml.table("style")["page"]
    text = {"labelColor": page["muted"], "titleColor": page["muted"]}
    return {
        "config": {"axis": text | {"labelFlush": False}, "legend": text | {"labelColor": page["ink"]}, "header": text}
    }


ROWS = alt.NamedData("source")
"""Stands in the look of a chart for its data; by this name Streamlit knows the rows that it is given."""
BY_ROW = alt.EncodingSortField(field="row", op="min")
"""As the rows stand. Without it what was drawn first stays first, whatever rows come later."""


class Drawn(NamedTuple):
    """Data, and a function that says how it looks; it goes by what stands in `about` and by nothing of the data."""

    data: pd.DataFrame
    look: Callable[..., alt.Chart | alt.LayerChart]
    about: tuple[Hashable, ...] = ()


def draw(drawn: Drawn, **how: Any) -> None:
    """Show data so that the next run of the page changes it in place.

    Streamlit embeds a chart anew, at some cost to the browser, whenever its specification differs. Making one costs
    the server more than all else on a page, so each is made once for all visitors: the function names the type of
    every field, and has rows in their order by `BY_ROW`.
    """
    specification = _specification(drawn.look, state.language(), *drawn.about)
    st.vega_lite_chart(drawn.data.assign(row=range(len(drawn.data))), specification, width="stretch", **how)


@lru_cache(maxsize=256)
def _specification(look: Callable[..., alt.Chart], language: Language, *about: Hashable) -> dict[str, Any]:  # noqa: ARG001
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


def score_chart(ranking: pd.DataFrame) -> Drawn:
    """Score and interval of a project's eligible sites, best first."""
    return Drawn(ranking.assign(site_short=ranking["site_label"].map(short)), _scores, (max(len(ranking), 2),))


def _scores(rows: int) -> alt.LayerChart:
    page = toml.table("style")["page"]
    base = alt.Chart(ROWS).encode(y=alt.Y("site_short:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=190)))
    scale = alt.Scale(zero=False, nice=True)
    rule = base.mark_rule(strokeWidth=5, color="#b9d5d6", strokeCap="round").encode(
        x=alt.X("low:Q", scale=scale, title=t("col.score")), x2="high:Q"
    )
    tips = _tips(site_label="col.site", score="col.score", low="col.low", high="col.high")
    tips.append(alt.Tooltip("chance_first:Q", title=t("col.chance"), format=".0%"))
    dots = base.mark_circle(size=95, color=page["accent"], opacity=1).encode(
        x=alt.X("score:Q", scale=scale), tooltip=tips
    )
    return (rule + dots).properties(height=28 * rows + 30)


def points_chart(points: pd.DataFrame) -> Drawn:
    """Stacked contributions of the criteria to the score of a few sites."""
    points = points.assign(site_short=points["site_label"].map(short))
    return Drawn(points, _points, (max(points["site_short"].nunique(), 2),))


def _points(rows: int) -> alt.Chart:
    themes = {"land": "#5b3f8c", "energy": "#e08a1e", "reach": "#0b6e75", "chain": "#b3223e"}
    names = catalog.themes()
    labels = [names[key][state.language()] for key in themes]
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


def pool_chart(pools: pd.DataFrame) -> Drawn:
    """What each pool may have (low to high), what was planned with, and what the plan uses."""
    return Drawn(pools.assign(label_short=pools["label"].map(short)), _pools, (max(len(pools), 2),))


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


def upload_words() -> None:
    """Give the drop zones of a page words in the visitor's language; Streamlit only has its own."""
    zone = '[data-testid="stFileUploaderDropzone'
    choose, told = f'{zone}"] > span button p', f'{zone}Instructions"]'
    words = {choose: t("upload.choose"), told: t("upload.drop", mb=limits().megabytes)}
    rules = [f"{choose} {{ font-size: 0 !important; }}", f"{told} > * {{ display: none; }}"]
    rules += [f'{place}::after {{ content: "{word}"; font-size: .875rem; }}' for place, word in words.items()]
    st.html(f"<style>{' '.join(rules)}</style>")
