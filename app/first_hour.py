"""Three ways in for who is here for the first time, each with a sample: a card over the map that goes once used."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import session, state
from app.session import t
from geo_cluster.intake import appraise

MARK = "first-steps"
"""Once a way was taken, or the card was closed, it stays away."""
SITE = "H01"
"""The site whose sheet is shown as an example."""
ICONS = {"look": ":material/map:", "one": ":material/ads_click:", "many": ":material/table_view:"}


def first_hour() -> None:
    """Draw the card; nothing for who has a work of their own, or has seen it."""
    if state.saved() is not None or state.is_marked(MARK):
        return
    with st.container(key="hour"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{t('hour.title')}**", width="content")
            _button("close", "hour.close", lambda: state.mark(MARK), icon=":material/close:", type="tertiary")
        with st.container(key="hour-ways"):
            for way, icon in ICONS.items():
                with st.container(key=f"hour-{way}", gap=None):
                    st.markdown(f"{icon} **{t(f'hour.{way}')}**")
                    st.caption(t(f"hour.{way}_about"))
                    with st.container(horizontal=True, gap="small"):
                        _way(way)


def _way(way: str) -> None:
    """What a way offers: to go it, and to see a sample of it."""
    own, sample = f"hour.{way}_go", f"hour.{way}_sample"
    if way == "look":
        _button(own, own, lambda: state.mark(MARK), type="primary")
        _button(sample, sample, lambda: _go("sheet", id=SITE))
    elif way == "one":
        _button(own, own, lambda: _score("one"), type="primary")
        _button(sample, sample, lambda: _score("one", name=t("hour.sample_project")))
    else:
        _button(own, own, lambda: _score("many"), type="primary")
        _button(sample, sample, lambda: _score("many", table=True))


def _button(key: str, label: str, does: Callable[[], None], **how: str) -> None:
    if st.button(t(label), key=key.replace(".", "-") if "." in key else f"hour-{key}", **how):  # type: ignore[arg-type]
        does()
        st.rerun()


def _score(mode: str, *, name: str = "", table: bool = False) -> None:
    """To the intake: of one project or of many, empty or with a sample in it."""
    session.put("score-mode", mode)
    if name:
        session.put("intake-name", name)
    if table:
        session.keep("score-table", ("sample.csv", appraise.sample_table()))
    _go("score")


def _go(page: str, **query: str) -> None:
    state.mark(MARK)
    if page in session.pages():
        st.switch_page(session.pages()[page], query_params=query or None)
