"""Part of 数据: the priors of each attribute, and why each is what it is."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import session
from app.session import t
from geo_cluster.scoring.explain import significant
from geo_cluster.world import catalog, layers


def draw() -> None:
    """One row an attribute and class of places."""
    language, classes = session.language(), layers.words("site_class")
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
            why = f"{prior.common:g} · {prior.common_reason[language]}" if prior.common_reason else f"{prior.common:g}"
            rows.append((attribute.name[language], class_, " – ".join(bounds) + of, prior.reason[language], why))
    st.subheader(t("data.assumed"), anchor=False)
    keys = ("attribute", "class", "range", "reason", "common")
    st.dataframe(
        pd.DataFrame(rows, columns=[t(f"data.{key}") for key in keys]),
        hide_index=True,
        height="content",
        column_config={
            t("data.attribute"): st.column_config.TextColumn(width=150),
            t("data.common"): st.column_config.TextColumn(help=t("data.common_help")),
        },
    )
