"""Part 补链对接, who does what: location quotients, Krugman's index, segments found together; indicative."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from geo_cluster.domain import Language
from geo_cluster.export import chain_book
from geo_cluster.policy import specialities
from geo_cluster.scoring.structure import INDICATIVE
from geo_cluster.world.layers import Layers

TABLES: dict[str, Callable[[Layers, Language], pd.DataFrame]] = {
    "quotients": chain_book.quotients_of,
    "cities": chain_book.cities_of,
    "pairs": chain_book.pairs_of,
    "related": chain_book.related_of,
}
PLACES = {"share": "percent", "lq": "%.1f", "krugman": "%.2f", "overlap": "%.2f", "chance": "%.2f", "proximity": "%.2f"}
PLACES |= {"specialisation": "%.2f", "herfindahl": "%.2f", "value": "%.0f", "total": "%.0f"}


def draw() -> None:
    """Four tables, each with how many firms it rests on and what chance would give."""
    language, layers = session.language(), state.layers()
    st.info(INDICATIVE[language], icon=":material/info:")
    related = specialities.relatedness(layers)
    st.markdown(
        t("chain.tells", n=int(related["tells"].sum()), pairs=len(related), cities=int(related["cities"].max()))
    )
    for name, make in TABLES.items():
        st.subheader(t(f"chain.{name}"), anchor=False)
        st.caption(t(f"chain.{name}_note"))
        table = make(layers, language).drop(columns="note")
        config = {
            key: st.column_config.NumberColumn(chain_book.heading(key, language), format=PLACES[key])
            if key in PLACES
            else st.column_config.Column(chain_book.heading(key, language))
            for key in table
        }
        st.dataframe(table, hide_index=True, column_config=config, placeholder="—", alt=t(f"chain.{name}"))
