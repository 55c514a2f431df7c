"""Part of 数据: what each term means and which standard fixes it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import session
from app.session import t
from geo_cluster.domain import Language
from geo_cluster.world import catalog


def draw() -> None:
    """One row a term, in the order of the glossary."""
    language = session.language()
    other: Language = "zh" if language == "en" else "en"
    rows = [
        (one[language], one[other], one.means[language], t("data.usage") if one.source == "usage" else one.source)
        for one in catalog.glossary().values()
    ]
    st.subheader(t("data.glossary"), anchor=False)
    keys = ("term", "other_language", "meaning", "term_source")
    st.dataframe(
        pd.DataFrame(rows, columns=[t(f"data.{key}") for key in keys]),
        hide_index=True,
        height="content",
        column_config={
            t("data.term"): st.column_config.TextColumn(width=150),
            t("data.other_language"): st.column_config.TextColumn(width=180),
            t("data.meaning"): st.column_config.TextColumn(width="large"),
        },
    )
