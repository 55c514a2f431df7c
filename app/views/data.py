"""数据: layers with their sources, import of one's own with a checked preview, what was taken over, what is assumed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import state
from app.views import data_history, data_import, data_layers
from app.widgets import footer, heading, refusals, t
from geo_cluster.scoring.explain import significant
from geo_cluster.world import catalog, layers


def page() -> None:
    """Draw the page."""
    heading("data")
    parts = {
        "data.tab.layers": data_layers.draw,
        "data.tab.import": data_import.draw,
        "data.tab.taken": data_history.draw,
        "data.tab.assumed": _priors,
    }
    for tab, draw in zip(st.tabs([t(key) for key in parts]), parts.values(), strict=True):
        with tab, refusals():
            draw()
    footer()


def _priors() -> None:
    language, classes = state.language(), layers.words("site_class")
    rows = []
    for attribute in catalog.attributes().values():
        for prior in attribute.priors:
            ends, (factor, unit) = (prior.low, prior.likely, prior.high), attribute.display_unit()
            if prior.share_of:
                bounds, of = [f"{end:.0%}" for end in ends], f" × {catalog.attributes()[prior.share_of].name[language]}"
            else:
                bounds, of = [f"{significant(end * factor, 4):,.12g}" for end in ends], f" {unit[language]}"
            named = classes.get(prior.class_, {}).get(language)
            class_ = named or (f"{prior.class_} kV" if prior.class_.isdigit() else t("data.any_class"))
            rows.append((attribute.name[language], class_, " – ".join(bounds) + of, prior.reason[language]))
    st.subheader(t("data.assumed"), anchor=False)
    keys = ("attribute", "class", "range", "reason")
    st.dataframe(
        pd.DataFrame(rows, columns=[t(f"data.{key}") for key in keys]),
        hide_index=True,
        height="content",
        column_config={t("data.attribute"): st.column_config.TextColumn(width=150)},
    )
