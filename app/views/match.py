"""布局: pick a scenario, run it, see ranking, plan, pools and who stays out, take the files along."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cached, state
from app.widgets import footer, heading, points_chart, pool_chart, refusals, score_chart, show_map, t
from geo_cluster import catalog, layers
from geo_cluster.study import Study


def page() -> None:
    """Draw the page."""
    heading("match")
    with refusals():
        if _settings():
            with st.spinner(t("match.running")):
                state.keep_study(cached.study_of(state.scenario()))
        study = state.last_study()
        if study is None:
            st.info(t("match.first"), icon=":material/play_circle:")
        else:
            if state.is_stale():
                st.warning(t("match.stale", id=study.scenario.id), icon=":material/history:")
            _results(study)
    footer()


def _settings() -> bool:
    """Level and anchor of the scenario; True when it is to be run."""
    language, scenario = state.language(), state.work().scenario
    anchors = cached.layer_table("anchors").set_index("id")[f"name_{language}"].to_dict()
    levels = layers.words("planning_level")
    base, level, anchor, button = st.columns([2.4, 1.8, 2.4, 1], vertical_alignment="bottom")
    _shipped(base)
    level.segmented_control(
        t("match.level"),
        list(levels),
        format_func=lambda key: levels[key][language],
        help=t("match.level_help"),
        key=state.show("level", scenario.planning_level),
        on_change=lambda: state.change(t("match.changed"), planning_level=state.chosen("level")),
        required=True,
    )
    anchor.selectbox(
        t("match.anchor"),
        list(anchors),
        format_func=anchors.__getitem__,
        key=state.show("anchor", scenario.anchor),
        on_change=lambda: state.change(t("match.changed"), anchor=state.chosen("anchor")),
    )
    return button.button(t("match.run"), type="primary", width="stretch")


def _shipped(place: DeltaGenerator) -> None:
    """Begin with one of the shipped scenarios."""
    language = state.language()
    scenarios = {name: catalog.scenario(name) for name in catalog.scenario_names()}
    place.selectbox(
        t("match.scenario"),
        list(scenarios),
        format_func=lambda key: scenarios[key].name[language],
        key="scenario",
        persist_state="session",
        on_change=lambda: state.change(t("match.changed"), **catalog.scenario(state.chosen("scenario")).model_dump()),
    )


def _results(study: Study) -> None:
    if study.scenario.is_sample:
        st.html(f'<span class="gc-sample">{t("match.sample", n=len(study.projects))}</span>')
    _headline(study)
    show_map(
        cached.plan_map(study, study.scenario.id, state.language()),
        key=f"plan-{study.scenario.id}-{state.language()}",
        height=560,
    )
    tabs = ("plan", "ranking", "pools", "requests", "unplaced")
    plan, ranking, pools, requests, unplaced = st.tabs([t(f"match.{tab}") for tab in tabs])
    with plan:
        _plan(study)
    with ranking:
        _ranking(study)
    with pools:
        _pools(study)
    with requests:
        _requests(study)
    with unplaced:
        _unplaced(study)
    st.download_button(
        t("match.download"),
        data=lambda: cached.download_of(study, study.scenario.id, state.language()),
        file_name=f"geo_cluster_{study.scenario.id}.zip",
        mime="application/zip",
        help=t("match.download_help"),
        icon=":material/download:",
        on_click="ignore",
    )


def _headline(study: Study) -> None:
    plan, shares = study.plan, study.observations["basis"].value_counts(normalize=True)
    columns = st.columns(5)
    columns[0].metric(t("match.placed"), f"{len(study.assignment)} / {len(study.projects)}")
    columns[1].metric(t("match.worth"), f"{plan.objective:,.1f}", help=t("match.worth_help"))
    proof = t("match.optimal") if plan.status == "optimal" else t("match.feasible", gap=plan.gap)
    columns[2].metric(t("match.proof"), proof, help=t("match.bound", bound=plan.bound))
    count = len(study.violations)
    columns[3].metric(t("match.check"), t("match.check_bad", n=count) if count else t("match.check_ok"))
    columns[4].metric(t("match.assumed"), f"{shares.get('assumed', 0):.0%}", help=t("match.assumed_help"))


def _names(study: Study) -> dict[str, str]:
    return study.sites.set_index("id")[f"name_{state.language()}"].to_dict()


def _plan(study: Study) -> None:
    names, language = _names(study), state.language()
    prefectures = study.sites.set_index("id")["prefecture_code"].map(
        cached.layer_table("prefectures").set_index("code")[f"name_{language}"]
    )
    table = study.assignment.assign(
        project=study.assignment["project_name"],
        site=study.assignment["site"].map(names),
        prefecture=study.assignment["site"].map(prefectures),
        segment=[
            catalog.segments()[key].name[language] for key in study.projects.loc[study.assignment["project"], "segment"]
        ],
        interval=[f"{row.low:.0f}–{row.high:.0f}" for row in study.assignment.itertuples()],
    )
    shown = {"project": "match.project", "segment": "col.segment", "site": "col.site", "prefecture": "col.prefecture"}
    shown |= {"score": "col.score", "interval": "col.interval", "rank": "col.rank", "land_mu": "col.land"}
    shown |= {"power_mva": "col.power", "energy_tce": "col.energy", "trip_min": "col.drive"}
    formats = {"land_mu": "%.0f", "power_mva": "%.1f", "energy_tce": "%.0f", "trip_min": "%.0f"}
    config = {key: st.column_config.NumberColumn(t(shown[key]), format=form) for key, form in formats.items()}
    config["score"] = st.column_config.ProgressColumn(t("col.score"), format="%.1f", min_value=0, max_value=100)
    config |= {key: st.column_config.Column(t(label)) for key, label in shown.items() if key not in config}
    st.dataframe(table[list(shown)], hide_index=True, column_config=config, height=420)


def _ranking(study: Study) -> None:
    language, names = state.language(), _names(study)
    project = st.selectbox(
        t("match.project"), study.projects.index, format_func=lambda one: f"{one} · {study.projects.loc[one, 'name']}"
    )
    rows = study.ranking[study.ranking["project"] == project]
    rows = rows.assign(site_label=rows["site"].map(names), label_rank=rows["rank"])
    best = rows[rows["eligible"]].sort_values("rank").head(12)
    left, right = st.columns(2)
    with left:
        st.subheader(t("match.ranking"), anchor=False)
        st.altair_chart(score_chart(best), width="stretch")
    with right:
        st.subheader(t("match.why"), anchor=False)
        st.altair_chart(points_chart(_points(study, project, best.head(6))), width="stretch")
    refused = rows[~rows["eligible"]]
    if len(refused):
        st.subheader(t("match.refused"), anchor=False)
        reason = "reason_en" if language == "en" else "reason"
        table = refused[["site_label", reason]].set_axis([t("col.site"), t("col.reason")], axis=1)
        st.dataframe(table, hide_index=True)


def _points(study: Study, project: str, best: pd.DataFrame) -> pd.DataFrame:
    language, criteria = state.language(), catalog.criteria()
    rows = study.contributions
    rows = rows[(rows["project"] == project) & rows["site"].isin(best["site"])].merge(
        best[["site", "site_label", "rank"]]
    )
    rows["theme"] = [catalog.themes()[criteria[key].theme][language] for key in rows["criterion"]]
    rows["criterion_label"] = [criteria[key].name[language] for key in rows["criterion"]]
    rows["natural_text"] = [f"{row.natural:,.1f} {criteria[row.criterion].unit[language]}" for row in rows.itertuples()]
    rows["position"] = [list(catalog.themes()).index(criteria[key].theme) for key in rows["criterion"]]
    return rows.sort_values("rank", kind="stable")


def _pools(study: Study) -> None:
    language = state.language()
    names = _names(study) | cached.layer_table("substations").set_index("id")[f"name_{language}"].to_dict()
    names |= cached.layer_table("prefectures").set_index("code")[f"name_{language}"].to_dict()
    attribute = {"land": "available_land_ha", "power": "spare_mva", "energy": "energy_quota_tce"}
    basis = study.observations.set_index(["attribute", "site_id"])["basis"]
    words = layers.words("basis")
    st.caption(t("match.pool_note"))
    for resource, key in attribute.items():
        rows = study.pools[(study.pools["resource"] == resource) & ((study.pools["used"] > 0) | (resource != "land"))]
        rows = rows.assign(label=rows["pool"].map(names), basis=[basis[key, pool] for pool in rows["pool"]])
        rows["basis_label"] = [words[one][language] for one in rows["basis"]]
        st.subheader(t(f"resource.{resource}"), anchor=False)
        st.altair_chart(pool_chart(rows.sort_values("used", ascending=False)), width="stretch")


def _requests(study: Study) -> None:
    """The data request list: which number to phone about first."""
    language, asked = state.language(), study.requests
    st.caption(t("match.requests_note"))
    columns = ["col.subject", "data.attribute", "col.range", "col.gain", "col.change", "col.question"]
    rows = [
        (
            row[f"subject_{language}"],
            row[f"name_{language}"],
            f"{row['low']:,.4g} – {row['likely']:,.4g} – {row['high']:,.4g} {row[f'unit_{language}']}",
            f"{row['gain']:.2f} ± {row['gain_error']:.2f}",
            f"{row['change']:.1%} ± {row['change_error']:.1%}",
            row[f"question_{language}"],
        )
        for row in asked.to_dict("records")
    ]
    st.dataframe(pd.DataFrame(rows, columns=[t(key) for key in columns]), hide_index=True)


def _unplaced(study: Study) -> None:
    if study.unplaced.empty:
        st.success(t("match.all_placed"), icon=":material/check_circle:")
        return
    reason = "reason_en" if state.language() == "en" else "reason"
    table = study.unplaced[["project_name", reason]].set_axis([t("match.project"), t("col.reason")], axis=1)
    st.dataframe(table, hide_index=True)
    if st.button(t("match.ways_run"), icon=":material/route:"):
        ways = cached.ways_in_of(study, study.scenario.id)
        way = "way_en" if state.language() == "en" else "way"
        table = ways[["project_name", way]].set_axis([t("match.project"), t("match.ways")], axis=1)
        st.dataframe(table, hide_index=True)
