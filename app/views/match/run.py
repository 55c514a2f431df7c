"""A run as it goes: the step, the plan in hand and its bound as they come, a queue, a stop."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.jobs import Job
from app.session import t
from app.widgets import refusals
from geo_cluster import toml

SOON_S = 1.0
"""A run that ends within this many seconds shows its results at once."""

NEWS_OF_A_CURVE = 4
"""Before so much is known a curve says less than the numbers above it."""


def ask() -> None:
    """Remember that a run is wanted: a click may come in the middle of a rerun, and another rerun may follow it."""
    session.keep("run-wanted", True)


def start() -> None:
    """Run what is wanted, or join its run."""
    if session.kept("run-wanted"):
        job = cached.jobs().start(state.scenario())
        session.keep("run", job)
        session.keep("runs", count() + 1)
        session.keep("run-wanted", None)  # last: what is broken off before is done again
        job.wait(SOON_S)


def count() -> int:
    """How many runs the visitor has asked for."""
    return session.kept("runs", 0)


def is_running() -> bool:
    """Whether the visitor waits for a run."""
    return session.kept("run") is not None


def show() -> None:
    """Show the run that the visitor waits for; take its result when it is there.

    It stands above all that depends on the result, so that a page shows either a run or what came of it.
    """
    with st.container(key="match-run"):
        job = _joined()
        if job is None:
            return
        if not job.ended:
            _progress(job)
            return
        session.keep("run", None)
        if job.study is not None:
            state.take_study(job.study)
            return
        if job.refusal is None:
            st.info(t("match.stopped"), icon=":material/stop_circle:")
            return
        with refusals():
            raise job.refusal


def _joined() -> Job | None:
    """The run that the visitor waits for; after a reload what was begun before is found again."""
    job: Job | None = session.kept("run")
    if job is None and state.last_study() is None:
        job = cached.jobs().find(state.scenario())
        job = None if job is None or job.state == "failed" else job
        session.keep("run", job)
    return job


@st.fragment(run_every=0.7)
def _progress(job: Job) -> None:
    if job.ended:
        st.rerun()
    with st.container(border=True):
        head, button = st.columns([5, 1], vertical_alignment="center")
        head.markdown(f"**{_status(job)}**")
        if button.button(
            t("match.stop"), icon=":material/stop_circle:", width="stretch", disabled=job.stopped, key="stop-run"
        ):
            job.stop()
        if not job.news:
            st.progress(0.0 if job.state == "queued" else 0.15)
            return
        last = job.news[-1]
        columns = st.columns(4)
        columns[0].metric(t("match.objective"), f"{last.objective:,.1f}")
        columns[1].metric(t("match.bound_now"), f"{last.bound:,.1f}")
        columns[2].metric(t("match.gap"), f"{last.gap:.2%}")
        columns[3].metric(t("match.elapsed"), t("match.seconds", n=job.elapsed_s))
        if len(job.news) >= NEWS_OF_A_CURVE:
            st.altair_chart(_curve(job), width="stretch")


def _status(job: Job) -> str:
    if job.stopped:
        return t("match.stopping" if job.news else "match.stopping_early")
    if job.state == "queued":
        return t("match.queued", n=cached.jobs().ahead(job))
    return t(f"step.{job.step}") if job.step else t("match.running")


def _curve(job: Job) -> alt.Chart:
    """Objective of the plan in hand and its bound against time; the bound from where it is near enough to be read."""
    page, news = toml.table("style")["page"], list(job.news)
    near = news[-1].objective + 3 * max(news[-1].bound - news[-1].objective, 0.002 * abs(news[-1].objective), 1e-6)
    names = (t("match.objective"), t("match.bound_now"))
    rows = [(one.elapsed_s, one.objective, names[0]) for one in news]
    rows += [(one.elapsed_s, min(one.bound, near), names[1]) for one in news]
    rows += [(rows[-1][0] + 0.01, news[-1].objective, names[0])]
    table = pd.DataFrame(rows, columns=["s", "points", "line"])
    table = table[table["points"] >= news[-1].objective - 2 * (near - news[-1].objective)]
    return (
        alt.Chart(table)
        .mark_line(interpolate="step-after", strokeWidth=2, point={"size": 18})
        .encode(
            x=alt.X("s:Q", title=t("match.axis_seconds"), scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6)),
            y=alt.Y("points:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=",.1~f", tickCount=4)),
            color=alt.Color(
                "line:N",
                scale=alt.Scale(domain=list(names), range=[page["accent"], page["warning"]]),
                legend=alt.Legend(title=None, orient="top"),
            ),
        )
        .properties(height=190)
    )
