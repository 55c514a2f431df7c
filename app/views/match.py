"""布局: projects to sites: portfolio, settings, run, and the plan with everything that can be asked of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cached, state
from app.views import match_change, match_edit, match_others, match_plan, match_pools, match_portfolio, match_run
from app.widgets import draw, footer, heading, open_tab, points_chart, refusals, score_chart, show_map, t, told_of
from geo_cluster.report import tables
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
TABS = ("plan", "unplaced", "pools", "others", "changes", "holds", "ranking")


def page() -> None:
    """Draw the page."""
    heading("match")
    st.html(STYLE)
    with refusals():
        with st.container(key="match-settings"):
            _settings()
        match_edit.show_refusal()
        match_run.start()
        match_run.show()
        study, is_running = state.last_study(), match_run.is_running()
        with st.container(key="match-portfolio"):
            match_portfolio.panel(expanded=study is None and not is_running, runs=match_run.count())
        with st.container(key="match-notice"):
            _notice(study, is_running=is_running)
        if study is not None:
            with st.container(key="match-label"):
                match_portfolio.label(study)
            with st.container(key="match-results"):
                _results(study)
    footer()


def _notice(study: Study | None, *, is_running: bool) -> None:
    """What to do first, or whose results are below."""
    if study is None:
        if not is_running:
            st.info(t("match.first"), icon=":material/play_circle:")
    elif is_running:
        st.info(t("match.meanwhile", of=told_of(study)), icon=":material/hourglass_top:")
    elif state.is_stale():
        key = "match.stale" if match_portfolio.is_of(study) else "match.other_projects"
        st.warning(t(key, of=told_of(study)), icon=":material/history:")


def _settings() -> None:
    """Scenario, level, anchor, the finer settings, and the button that runs it."""
    language, scenario = state.language(), state.work().scenario
    anchors = cached.layer_table(state.layers(), "anchors").set_index("id")[f"name_{language}"].to_dict()
    levels = layers.words("planning_level")
    base, level, anchor, more, button = st.columns([2.3, 1.7, 2.2, 1, 1], vertical_alignment="bottom")
    _shipped(base)
    level.segmented_control(
        t("match.level"),
        list(levels),
        format_func=lambda key: levels[key][language],
        help=t("match.level_help"),
        key=state.show(state.spoken("level"), scenario.planning_level),
        on_change=match_edit.setting(state.spoken("level"), "planning_level"),
        required=True,
    )
    anchor.selectbox(
        t("match.anchor"),
        list(anchors),
        format_func=anchors.__getitem__,
        key=state.show(state.spoken("anchor"), scenario.anchor),
        on_change=match_edit.setting(state.spoken("anchor"), "anchor"),
    )
    with more.popover(t("match.more"), icon=":material/tune:", width="stretch"):
        for key, low, high, step, kind in (
            ("placing_bonus", 0.0, 1000.0, 5.0, float),
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
                key=state.show(key, kind(getattr(scenario, key))),
                on_change=match_edit.setting(key, key),
            )
    button.button(t("match.run"), type="primary", width="stretch", on_click=match_run.ask)


def _shipped(place: DeltaGenerator) -> None:
    """Put the settings of a shipped scenario in place of the work's."""
    language = state.language()
    scenarios = {name: catalog.scenario(name) for name in catalog.scenario_names()}
    place.selectbox(
        t("match.scenario"),
        list(scenarios),
        format_func=lambda key: scenarios[key].name[language],
        placeholder=t("work.choose"),
        help=t("match.scenario_help"),
        key=state.show(state.spoken("scenario"), None),  # to choose is to act: what the work is called is in its bar
        on_change=match_edit.shipped(state.spoken("scenario")),
    )


def _results(study: Study) -> None:
    _headline(study)
    left, right = st.columns([1.75, 1])
    with left:
        show_map(cached.plan_map(study, state.language()), key="plan-map", height=560)
    with right:
        match_pools.gauges(study)
    drawn = {
        "plan": match_plan.table,
        "unplaced": match_plan.unplaced,
        "pools": match_pools.pools,
        "others": match_others.others,
        "changes": match_change.changes,
        "holds": match_others.holds,
        "ranking": _ranking,
    }
    name, tab = open_tab("match", {name: t(f"match.{name}") for name in TABS})
    with tab, refusals():
        drawn[name](study)


def _headline(study: Study) -> None:
    plan, shares = study.plan, study.observations["basis"].value_counts(normalize=True)
    columns = st.columns(6)
    columns[0].metric(t("match.placed"), f"{len(tables.assignment(study))} / {len(study.projects)}")
    columns[1].metric(t("match.worth"), f"{plan.objective:,.1f}", help=t("match.worth_help"))
    proof = t("match.optimal") if plan.status == "optimal" else t("match.feasible", gap=plan.gap)
    columns[2].metric(t("match.proof"), proof, help=t("match.bound", bound=plan.bound))
    count = len(study.violations)
    columns[3].metric(t("match.check"), t("match.check_bad", n=count) if count else t("match.check_ok"))
    held, help_ = match_others.holding(study)
    columns[4].metric(t("match.held"), held, help=help_)
    columns[5].metric(t("match.assumed"), f"{shares.get('assumed', 0):.0%}", help=t("match.assumed_help"))
    if seldom := match_others.seldom(study):
        st.warning(seldom, icon=":material/casino:")


def _ranking(study: Study) -> None:
    language, names = state.language(), match_edit.site_names(study)
    project = st.selectbox(
        t("match.project"), study.projects.index, format_func=lambda one: f"{one} · {study.projects.loc[one, 'name']}"
    )
    rows = tables.ranking(study)[tables.ranking(study)["project"] == project]
    rows = rows.assign(site_label=rows["site"].map(names), label_rank=rows["rank"])
    best = rows[rows["eligible"]].sort_values("rank").head(12)
    left, right = st.columns(2)
    with left:
        st.subheader(t("match.by_score"), anchor=False)
        draw(score_chart(best))
    with right:
        st.subheader(t("match.why"), anchor=False)
        draw(points_chart(_points(study, project, best.head(6))))
    refused = rows[~rows["eligible"]]
    if len(refused):
        st.subheader(t("match.refused"), anchor=False)
        reason = "reason_en" if language == "en" else "reason"
        table = refused[["site_label", reason]].set_axis([t("col.site"), t("col.reason")], axis=1)
        st.dataframe(table, hide_index=True)


def _points(study: Study, project: str, best: pd.DataFrame) -> pd.DataFrame:
    language, criteria = state.language(), catalog.criteria()
    rows = tables.contributions(study)
    rows = rows[(rows["project"] == project) & rows["site"].isin(best["site"])].merge(
        best[["site", "site_label", "rank"]]
    )
    rows["theme"] = [catalog.themes()[criteria[key].theme][language] for key in rows["criterion"]]
    rows["criterion_label"] = [criteria[key].name[language] for key in rows["criterion"]]
    rows["natural_text"] = [f"{row.natural:,.1f} {criteria[row.criterion].unit[language]}" for row in rows.itertuples()]
    rows["position"] = [list(catalog.themes()).index(criteria[key].theme) for key in rows["criterion"]]
    return rows.sort_values("rank", kind="stable")
