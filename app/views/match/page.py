"""布局: projects to sites: portfolio, settings, run, and the plan with everything that can be asked of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached, charts, session, state
from app.page import footer, heading
from app.session import t
from app.views.match import (
    change,
    cities,
    compare,
    controls,
    division,
    edit,
    headline,
    openings,
    others,
    parts,
    plan,
    pools,
    portfolio,
    remarks,
    run,
    years,
)
from app.widgets import open_tab, plain, plan_name, refusals, show_map
from geo_cluster.report import best_pairs, tables
from geo_cluster.report.spread import leading_cause, spread
from geo_cluster.study import Study
from geo_cluster.world import catalog

TABS = ("plan", "unplaced", "pools", "cities", "division", "others", "changes", "compare", "robustness", "ranking")


def draw() -> None:
    """Draw the page."""
    heading("match")
    with refusals():
        with st.container(key="match-head"):  # numbers of the plan, then what can be done
            numbers, actions = st.container(key="match-numbers"), st.container(key="match-actions")
        with actions:
            proof = st.container(key="match-badge")
            controls.controls()
        edit.show_refusal()
        run.start()
        run.show()
        study, is_running = state.last_study(), run.is_running()
        if study is not None:
            with numbers:
                headline.numbers(study)
            with proof:
                headline.badge(study)
        _drawer(study, expanded=study is None and not is_running)
        with st.container(key="match-notice"):
            _notice(study, is_running=is_running)
        if study is not None:
            headline.seldom(study)
            with st.container(key="match-results"):
                _results(study)
    footer()


def _drawer(study: Study | None, *, expanded: bool) -> None:
    """What is planned with, a line of lids over the map: one that is opened takes the whole width."""
    with st.container(key="match-drawer"):
        with st.container(key="match-portfolio"):
            portfolio.panel(expanded=expanded, runs=run.count())
        for name, panel in (("years", years.panel), ("openings", openings.panel), ("parts", parts.panel)):
            with st.container(key=f"match-{name}"), refusals():
                panel()
        if study is not None:
            with st.container(key="match-label"):
                portfolio.label(study)


def _notice(study: Study | None, *, is_running: bool) -> None:
    """What to do first, or whose results are below."""
    if (file := portfolio.refused()) is not None:
        said, act = st.columns([4, 1], vertical_alignment="center")
        said.error(t("match.not_taken", name=plain(file)), icon=":material/upload_file:")
        act.button(t("match.without"), width="stretch", on_click=portfolio.leave_refused, key="match-without")
    elif study is None:
        if not is_running:
            st.info(t("match.first"), icon=":material/play_circle:")
    elif is_running:
        st.info(t("match.meanwhile", of=plan_name(study)), icon=":material/hourglass_top:")
    elif state.is_stale():
        key = "match.stale" if portfolio.is_of(study) else "match.other_projects"
        st.warning(t(key, of=plan_name(study)), icon=":material/history:")


def _results(study: Study) -> None:
    with st.container(key="match-map"):  # as high as the window leaves room for
        show_map(cached.plan_map(study, session.language()), key="plan-map", height=560)
    with st.container(key="match-cities"):  # what changes inside moves nothing below
        cities.headline(study)
    drawn = {
        "plan": plan.table,
        "unplaced": plan.unplaced,
        "pools": pools.pools,
        "cities": cities.cities,
        "division": division.division,
        "others": others.others,
        "changes": change.changes,
        "compare": compare.compare,
        "robustness": others.robustness,
        "ranking": _ranking,
    }
    name, tab = open_tab("match", {name: t(f"match.{name}") for name in TABS})
    with tab, refusals():
        if name in ("plan", "ranking") and (short := best_pairs.note(study, session.language())):
            st.caption(short)  # of very many pairs not all can be listed, nor chosen
        drawn[name](study)
        if name == "plan":
            remarks.draw(study)


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
