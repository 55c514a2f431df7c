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
        (
            one[language],
            one[other],
            one.means[language],
            t(f"data.{one.source}") if one.source in ("usage", "here") else one.source,
        )
        for one in catalog.glossary().values()
    ]
    st.subheader(t("data.glossary"), anchor=False)
    keys = ("term", "other_language", "meaning", "term_source")
    table = pd.DataFrame(rows, columns=[t(f"data.{key}") for key in keys])
    st.table(table.set_index(t("data.term")))
