"""A question about the plan as it goes: what is worked out, for how long, a stop; it can be left and come back to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import cached
from app.background import Task
from app.jobs import Job
from app.questions import Question
from app.session import t
from geo_cluster.report.explanation import TOTAL_S
from geo_cluster.study import Study

SOON_S = 1.0
"""What is worked out within so many seconds shows at once."""


def ended(question: Callable[..., Any], study: Study, *about: Any, begin: bool = False) -> Question | None:
    """The question with its answer; None while nobody asked, or while it is worked out, which is shown.

    Parameters
    ----------
    question : callable
        Of a study and what the question is about.
    study : Study
    *about
        What else it is given.
    begin : bool
        Ask it, unless somebody did.
    """
    task = cached.begin(question, study, *about) if begin else cached.question(question, study, *about)
    if task is None or not shown(task, soon=begin):
        return None
    if task.refusal is not None:
        raise task.refusal
    if task.stopped:
        st.info(t("asking.stopped"), icon=":material/stop_circle:")
    return None if task.stopped and task.answer is None else task


def shown(task: Task, *, soon: bool) -> bool:
    """Whether it has ended; until then how far it is.

    Parameters
    ----------
    task : Task
    soon : bool
        Wait a moment first: many end at once.
    """
    if task.ended or (soon and task.wait(SOON_S)):
        return True
    _progress(task)
    return False


@st.fragment(run_every=0.7)
def _progress(task: Task) -> None:
    if task.ended:
        st.rerun()
    with st.container(border=True):
        said, button = st.columns([5, 1], vertical_alignment="center")
        step = getattr(task, "step", "")
        words = t(f"step.{step}" if isinstance(task, Job) else f"asking.{step}") if step else t("asking.waits")
        text = t("asking.stopping") if task.stopped else words
        said.progress(min(task.elapsed_s / TOTAL_S, 0.97), f"{text} · {t('match.seconds', n=task.elapsed_s)}")
        if button.button(t("match.stop"), icon=":material/stop_circle:", width="stretch", disabled=task.stopped):
            task.stop()
        st.caption(t("asking.leave"))
