"""Part 省际协作: clusters of the provinces that clause 16 names, and who already ties them to Hubei."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.widgets import text_table
from geo_cluster.export import chain_book
from geo_cluster.policy import partners


def draw() -> None:
    """Provinces, clusters with their scale, firms with a foothold here, and plants of Hubei's firms elsewhere."""
    language, layers = session.language(), state.layers()
    st.caption(t("partners.note"))
    summary = partners.by_province(layers)
    for place, row in zip(st.columns(len(summary)), summary.itertuples(), strict=True):
        told = t("partners.fills", n=row.fills, tied=len(row.tied))
        place.metric(row.province, t("partners.firms", n=row.firms), delta=told, delta_color="off", delta_arrow="off")
    st.subheader(t("partners.clusters"), anchor=False)
    st.caption(t("partners.clusters_note"))
    everywhere = st.toggle(t("partners.everywhere"), key="partners-everywhere")
    table = chain_book.clusters_of(layers, language, everywhere=everywhere)
    columns = ("cluster", "province", "actual", "target", "year", "cluster_firms", "leading", "from_hubei", "publisher")
    shown = table.assign(**{key: [_number(one) for one in table[key]] for key in ("actual", "target")})
    rows = shown[list(columns)].astype(str).to_numpy().tolist()
    text_table([chain_book.heading(key, language) for key in columns], rows, named=True)
    st.subheader(t("partners.footholds"), anchor=False)
    found = chain_book.candidates_of(layers, language, partners.footholds(layers))
    about = ("name", "province", "city", "links", "foothold", "foothold_said", "publisher", "as_of")
    text_table([chain_book.heading(key, language) for key in about], found[list(about)].to_numpy().tolist(), named=True)
    st.subheader(t("partners.moved"), anchor=False)
    st.caption(t("partners.moved_note"))
    moved, names = partners.moved_out(layers), pd.DataFrame(layers.read("chain")).set_index("id")[f"name_{language}"]
    rows = [
        (names[row["hubei"]], row["name_zh"], row["place_zh"] or row["province_zh"], str(row["year"]), row["publisher"])
        for row in moved.astype(object).fillna("").to_dict("records")
    ]
    text_table(
        [t("partners.hubei_firm"), t("partners.plant"), t("partners.where"), t("partners.year"), t("partners.said")],
        rows,
    )


def _number(value: float) -> str:
    return "" if value != value else f"{value:,.10g}"
