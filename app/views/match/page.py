"""布局: projects to sites: portfolio, settings, run, and the plan with everything that can be asked of it."""

from __future__ import annotations

import datetime

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cached, charts, session, state
from app.page import footer, heading
from app.session import t
from app.views.match import change, cities, division, edit, openings, others, parts, plan, pools, portfolio, run, years
from app.widgets import open_tab, plain, plan_name, refusals, show_map
from geo_cluster.domain import FIRST_YEAR, LAST_YEAR
from geo_cluster.report import tables
from geo_cluster.report.spread import leading_cause, spread
from geo_cluster.study import Study
from geo_cluster.world import catalog, layers

STYLE = """
<style>
.gc-faults { background: #fdf1ea; border: 1px solid #e6b89a; border-radius: 8px; padding: .5rem .9rem; color: #6b2f0c; }
.gc-faults ul { margin: .3rem 0 0; padding-left: 1.2rem; overflow-wrap: anywhere; font-size: .9rem; }
.st-key-match-settings [data-testid="stButtonGroup"] button { min-height: 2.5rem; }
.st-key-match-settings [data-testid="stButtonGroup"] [data-testid="stWidgetLabel"] { max-height: 1.5rem; }
.gc-chips { display: flex; flex-wrap: wrap; gap: .2rem .9rem; color: #56636c; font-size: .82rem; }
.gc-chip i { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px; margin-right: .35rem; }
</style>
"""
TABS = ("plan", "unplaced", "pools", "cities", "division", "others", "changes", "robustness", "ranking")


def draw() -> None:
    """Draw the page."""
    heading("match")
    st.html(STYLE)
    with refusals():
        with st.container(key="match-settings"):
            _settings()
        edit.show_refusal()
        run.start()
        run.show()
        study, is_running = state.last_study(), run.is_running()
        with st.container(key="match-portfolio"):
            portfolio.panel(expanded=study is None and not is_running, runs=run.count())
        with st.container(key="match-years"), refusals():
            years.panel()
        with st.container(key="match-openings"), refusals():
            openings.panel()
        with st.container(key="match-parts"), refusals():
            parts.panel()
        with st.container(key="match-notice"):
            _notice(study, is_running=is_running)
        if study is not None:
            with st.container(key="match-label"):
                portfolio.label(study)
            with st.container(key="match-results"):
                _results(study)
    footer()


def _notice(study: Study | None, *, is_running: bool) -> None:
    """What to do first, or whose results are below."""
    if study is None:
        if not is_running:
            st.info(t("match.first"), icon=":material/play_circle:")
    elif is_running:
        st.info(t("match.meanwhile", of=plan_name(study)), icon=":material/hourglass_top:")
    elif state.is_stale():
        key = "match.stale" if portfolio.is_of(study) else "match.other_projects"
        st.warning(t(key, of=plan_name(study)), icon=":material/history:")


def _settings() -> None:
    """Scenario, level, anchor, the finer settings, and the button that runs it."""
    language, scenario = session.language(), state.work().scenario
    anchors = cached.layer_table(state.layers(), "anchors").set_index("id")[f"name_{language}"].to_dict()
    levels = layers.words("planning_level")
    base, level, anchor, more, button = st.columns([2.3, 1.7, 2.2, 1, 1], vertical_alignment="bottom")
    _shipped(base)
    level.segmented_control(
        t("match.level"),
        list(levels),
        format_func=lambda key: levels[key][language],
        help=t("match.level_help"),
        key=session.show(session.spoken("level"), scenario.planning_level),
        on_change=edit.setting(session.spoken("level"), "planning_level"),
        required=True,
    )
    anchor.selectbox(
        t("match.anchor"),
        list(anchors),
        format_func=anchors.__getitem__,
        key=session.show(session.spoken("anchor"), scenario.anchor),
        on_change=edit.setting(session.spoken("anchor"), "anchor"),
    )
    with more.popover(t("match.more"), icon=":material/tune:", width="stretch"):
        for key, low, high, step, kind in (
            ("placing_bonus", 0.0, 1000.0, 5.0, float),
            ("division", 0.0, 1000.0, 1.0, float),
            ("time_limit_s", 1.0, 3600.0, 5.0, float),
            ("mip_gap", 0.0, 0.2, 0.001, float),
            ("draws", 10, 10_000, 50, int),
        ):
            st.number_input(
                t(f"match.set_{key}"),
                low,
                high,
                step=step,
                format="%.6g" if kind is float else "%d",
                help=t(f"match.set_{key}_help"),
                key=session.show(key, kind(getattr(scenario, key))),
                on_change=edit.setting(key, key),
            )
        st.date_input(
            t("match.set_day"),
            None,
            min_value=datetime.date(FIRST_YEAR, 1, 1),
            max_value=datetime.date(LAST_YEAR, 12, 31),
            format="YYYY-MM-DD",
            help=t("match.set_day_help"),
            key=session.show("day", scenario.day),
            on_change=edit.setting("day", "day"),
        )
    button.button(t("match.run"), type="primary", width="stretch", on_click=run.ask)


def _shipped(place: DeltaGenerator) -> None:
    """Put the settings of a shipped scenario in place of the work's."""
    language = session.language()
    scenarios = {name: catalog.scenario(name) for name in catalog.scenario_names()}
    place.selectbox(
        t("match.scenario"),
        list(scenarios),
        format_func=lambda key: scenarios[key].name[language],
        placeholder=t("work.choose"),
        help=t("match.scenario_help"),
        key=session.show(
            session.spoken("scenario"), None
        ),  # to choose is to act: what the work is called is in its bar
        on_change=edit.shipped(session.spoken("scenario")),
    )


def _results(study: Study) -> None:
    _headline(study)
    with st.container(key="match-cities"):  # what changes inside moves nothing below: the map is not loaded again
        cities.headline(study)
    left, right = st.columns([1.75, 1])
    with left:
        show_map(cached.plan_map(study, session.language()), key="plan-map", height=560)
    with right:
        pools.gauges(study)
    drawn = {
        "plan": plan.table,
        "unplaced": plan.unplaced,
        "pools": pools.pools,
        "cities": cities.cities,
        "division": division.division,
        "others": others.others,
        "changes": change.changes,
        "robustness": others.robustness,
        "ranking": _ranking,
    }
    name, tab = open_tab("match", {name: t(f"match.{name}") for name in TABS})
    with tab, refusals():
        drawn[name](study)


def _headline(study: Study) -> None:
    plan, shares = study.plan, study.observations["basis"].value_counts(normalize=True)
    columns = st.columns(6)
    columns[0].metric(t("match.placed"), f"{study.counts[0]} / {study.counts[1]}")
    columns[1].metric(t("match.objective"), f"{plan.objective:,.1f}", help=t("match.objective_help"))
    proof = t("match.optimal") if plan.status == "optimal" else t("match.feasible", gap=plan.gap)
    columns[2].metric(t("match.proof"), proof, help=t("match.bound", bound=plan.bound, most=study.most_placed))
    count = len(study.violations)
    columns[3].metric(t("match.check"), t("match.check_bad", n=count) if count else t("match.check_ok"))
    feasible, help_ = others.feasible_share(study)
    columns[4].metric(t("match.feasible_share"), feasible, help=help_)
    columns[5].metric(t("match.assumed"), f"{shares.get('assumed', 0):.0%}", help=t("match.assumed_help"))
    with st.container(key="match-seldom"):
        if seldom := others.seldom(study):
            st.warning(seldom, icon=":material/casino:")
    if "data" in session.pages() and st.button(
        t("trust.link"), icon=":material/fact_check:", type="tertiary", help=t("trust.link_help"), key="match-trust"
    ):
        session.keep("data-open", "data.tab.trust")
        st.switch_page(session.pages()["data"])


def _ranking(study: Study) -> None:
    language, names = session.language(), edit.site_names(study)
    project = st.selectbox(
        t("match.project"), study.projects.index, format_func=lambda one: f"{one} · {study.projects.loc[one, 'name']}"
    )
    rows = tables.ranking(study)[tables.ranking(study)["project"] == project]
    rows = rows.assign(site_label=rows["site"].map(names), label_rank=rows["rank"])
    best = rows[rows["eligible"]].sort_values("rank").head(12)
    left, right = st.columns(2)
    with left:
        st.subheader(t("match.by_score"), anchor=False)
        charts.draw(charts.score_chart(best))
    with right:
        st.subheader(t("match.why"), anchor=False)
        charts.draw(charts.points_chart(_points(study, project, best.head(6))))
        st.caption(leading_cause(spread(study))[language])
    remark = "remark_en" if language == "en" else "remark"
    unchecked = best[best[remark] != ""]
    if len(unchecked):
        sites = unchecked.groupby(remark, sort=False)["site_label"].agg(t("comma").join)
        for text, where in sites.items():
            st.caption(plain(f"{text} · {where}"))
    refused = rows[~rows["eligible"]]
    if len(refused):
        st.subheader(t("match.refused"), anchor=False)
        reason = "reason_en" if language == "en" else "reason"
        table = refused[["site_label", reason]].set_axis([t("col.site"), t("col.reason")], axis=1)
        st.dataframe(table, hide_index=True)


def _points(study: Study, project: str, best: pd.DataFrame) -> pd.DataFrame:
    language, criteria = session.language(), catalog.criteria()
    rows = tables.contributions(study)
    rows = rows[(rows["project"] == project) & rows["site"].isin(best["site"])].merge(
        best[["site", "site_label", "rank"]]
    )
    rows["theme"] = [catalog.themes()[criteria[key].theme][language] for key in rows["criterion"]]
    notes = study.region.criterion_notes
    rows["criterion_label"] = [
        " · ".join([criteria[key].name[language], *([notes[key][language]] if key in notes else [])])
        for key in rows["criterion"]
    ]
    rows["natural_text"] = [
        criteria[row.criterion].amount(f"{row.natural:,.1f}", language) for row in rows.itertuples()
    ]
    rows["position"] = [list(catalog.themes()).index(criteria[key].theme) for key in rows["criterion"]]
    return rows.sort_values("rank", kind="stable")
