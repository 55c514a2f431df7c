"""找地: all ground, not only the listed parks: what is taken, what the rest is worth, which land holds a project."""

from __future__ import annotations

import streamlit as st

from app import cached_find, session
from app.page import footer, heading
from app.session import t
from app.views.find import asked as asking
from app.views.find import own, regions, surface, told
from app.widgets import refusals

HEIGHT = 600
"""Of the map, pixels; the style of the page makes it as high as the window leaves room for."""


def draw() -> None:
    """Draw the page."""
    heading("find")
    _alone()
    footer()


@st.fragment
def _alone() -> None:
    if session.kept(regions.MADE):
        session.keep(regions.MADE, None)
        st.rerun()
    with refusals():
        _page()


def _page() -> None:
    left, right = st.columns([1, 2.7])
    with left, st.container(key="find-asked"):
        key = asking.which()
        if key != cached_find.OWN:
            own.button()
        elif own.is_open():
            own.draw(st.container(), right)
            return
        else:
            own.aside()
        spread = st.container()
        asked = asking.asked(key)
    with st.spinner(t("find.reading")):
        ground = cached_find.ground_of(asked.declared)
        shown = cached_find.surface_of(ground, asked.spec, asked.weights)
    with spread:
        if key == cached_find.SAMPLE:
            st.html(f'<span class="gc-sample">{t("find.sample")}</span>')
        told.histogram(shown)
    with right:
        place = st.container(key="find-map")
        below = st.container(key="find-below")
    with below:
        found = regions.under_way(ground, asked)
    _, last = session.kept("find-last", ("", None))
    spec = cached_find.weighted(asked.spec, asked.weights)
    exact = cached_find.exact_of(ground, spec, shown, last if found is not None else None)
    with place:
        surface.show(ground, shown, found, exact, height=HEIGHT)
    with below:
        if ground.is_overview:
            said = "find.overview" if exact is None else "find.exact"
            st.caption(t(said, cell=ground.shown.grid.cell_m, exact=ground.exact.grid.cell_m))
        _below(ground, asked, found)


def _below(ground: cached_find.Ground, asked: asking.Asked, found: regions.Found | None) -> None:
    first, second = st.columns([3, 2])
    with first:
        if found is not None:
            regions.table(found, asked)
    with second:
        told.story(ground, cached_find.weighted(asked.spec, asked.weights))
    if found is not None:
        regions.beside_parks(found)
        regions.taken(found)
