"""选址: a spreadsheet of many projects, each scored; one of them can be looked at."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import cached, dropped, session, state
from app.screening import Screening
from app.session import t
from app.widgets import upload_words
from geo_cluster.errors import InputError
from geo_cluster.intake import appraise
from geo_cluster.world import catalog

SAMPLE = "sample.csv"


def spreadsheet() -> pd.DataFrame | None:
    """Take a table, score it with progress, list what it says; the project chosen, None before there is one."""
    file = session.kept("score-table")
    if file is None:
        _upload()
        return None
    try:
        screening = cached.screening_of(state.scenario(), *file)
    except InputError:
        session.keep("score-table", None)  # a refused table is not asked for again
        _upload()
        raise
    if not screening.archive:
        label = t("score.progress", n=len(screening.projects))
        bar = st.progress(0.0, label)
        screening.run(lambda share: bar.progress(share, f"{label} · {share:.0%}"))
        bar.empty()
    chosen = _list(screening, is_sample=file[0] == SAMPLE)
    return screening.projects.loc[[chosen]]


def _upload() -> None:
    upload_words()
    st.file_uploader(t("score.upload"), key="score-upload", on_change=_take, accept_multiple_files=True)
    dropped.told(lambda name, content: session.keep("score-table", (name, content)))
    st.caption(t("score.upload_help"))
    with st.container(horizontal=True):
        st.download_button(
            t("score.template"),
            appraise.template(),
            "projects.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        if st.button(t("score.sample_table"), icon=":material/science:", key="score-sample"):
            session.keep("score-table", (SAMPLE, appraise.sample_table()))
            st.rerun()


def _take() -> None:
    """Keep what was dropped in; a refused file is taken once, not on each run of the page."""
    file = dropped.projects(session.chosen("score-upload"))
    if file is not None:
        session.keep("score-table", file)


def _list(screening: Screening, *, is_sample: bool) -> str:
    """What was found for each project, and which one to look at."""
    language, table = session.language(), screening.table
    sites = {site: name[language] for site, name in screening.region.names.items()}
    if is_sample:
        st.html(f'<span class="gc-sample">{t("score.sample_note")}</span>')
    st.caption(t("score.table_done", n=len(table), placed=int(table["first"].notna().sum())))
    shown = table.assign(
        segment=[catalog.segments()[key].name[language] for key in table["segment"]],
        first=table["first"].map(sites),
        second=table["second"].map(sites),
        interval=[f"{row.low:.0f}–{row.high:.0f}" if pd.notna(row.low) else "" for row in table.itertuples()],
        sentence=table[f"sentence_{language}"],
    )
    columns = {"project": "score.table_name", "name": "score.name_column", "segment": "score.segment"}
    columns |= {
        "first": "score.best",
        "score": "col.score",
        "interval": "col.interval",
        "chance_first": "col.acceptability",
    }
    columns |= {"second": "score.second", "sentence": "score.sentence"}
    config: dict[str, Any] = {key: st.column_config.Column(t(label)) for key, label in columns.items()}
    config["score"] = st.column_config.NumberColumn(t("col.score"), format="%.1f")
    config["chance_first"] = st.column_config.NumberColumn(t("col.acceptability"), format="percent")
    picked = st.dataframe(
        shown[list(columns)],
        hide_index=True,
        column_config=config,
        height=min(36 * len(shown) + 38, 380),
        on_select="rerun",
        selection_mode="single-row",
        key="score-list",
    )
    rows = picked["selection"]["rows"] or [0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = "geo_cluster_score.zip"
        st.download_button(
            t("score.save"), screening.archive, name, "application/zip", icon=":material/download:", on_click="ignore"
        )
        if st.button(t("score.close"), icon=":material/refresh:", key="score-close"):
            session.keep("score-table", None)
            st.rerun()
    names = dict(zip(table["project"], table["name"], strict=True))
    ids = list(names)
    return st.selectbox(
        t("score.detail"),
        ids,
        index=rows[0] if rows[0] < len(ids) else 0,
        format_func=lambda one: one if names[one] == one else f"{one} · {names[one]}",
        key=f"score-detail-{rows[0]}",
    )
