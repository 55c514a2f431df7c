"""总览: the map of the whole chain and of the sites that could take its manufacturing."""

from __future__ import annotations

import streamlit as st

from app import cached, state
from app.widgets import footer, heading, refusals, show_map, t


def page() -> None:
    """Draw the page."""
    heading("explore")
    with refusals():
        layers = state.layers()
        counts = {name: len(cached.layer_table(layers, name)) for name in ("chain", "sites", "substations")}
        with st.container(key="counts"):
            columns = st.columns(4)
        nowhere = int((cached.layer_table(layers, "chain")["lon"].isna()).sum())
        columns[0].metric(t("explore.firms"), counts["chain"], help=t("explore.firms_help", n=nowhere))
        columns[1].metric(t("explore.sites"), counts["sites"])
        columns[2].metric(t("explore.stations"), counts["substations"])
        columns[3].metric(t("explore.unknown"), cached.assumed_count(state.scenario()), help=t("explore.unknown_help"))
        with st.container(key="overview"):  # as high as the window leaves room for, and the matrix below
            show_map(cached.overview(layers, state.language()), key=f"overview-{state.language()}", height=1010)
    footer()
