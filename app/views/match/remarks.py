"""Comments on the plan and on its projects."""

from __future__ import annotations

import streamlit as st

from app import comments, session, state
from app.session import t
from geo_cluster.study import Study
from geo_cluster.workspace.comments import Subject


def draw(study: Study) -> None:
    """Choose the plan or a project of it, and open its comments."""
    kept = state.saved()
    work = kept.id if kept is not None else ""
    subjects = {"": Subject("plan", study.scenario.id, study.scenario.name[session.language()], work)}
    names = study.projects["name"]
    subjects |= {one: Subject("project", one, f"{one} {names[one]}", work) for one in names.index}
    words = {one: subject.name if one else t("comments.whole_plan") for one, subject in subjects.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", key="match-comments"):
        chosen = st.selectbox(
            t("comments.about"),
            list(subjects),
            format_func=words.__getitem__,
            key=session.spoken("match-comment-about"),
            width=360,
        )
        comments.button(subjects[chosen])
