"""Part 补链对接, the local supporting rate （本地配套率） of a bill of materials that is dropped in."""

from __future__ import annotations

import streamlit as st

from app import session, state
from app.session import t
from app.widgets import plain, text_table, upload_words
from geo_cluster.export import chain_book
from geo_cluster.policy import bom, chain

SHOWN = 40
"""Of the parts that none makes here so many are told, the most valuable first; all stand in the table below."""


def draw() -> None:
    """Template, drop zone, the rate with its interval, its lines, and the parts that none makes here."""
    language, layers = session.language(), state.layers()
    st.caption(t("chain.bom_note"))
    upload_words()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        file = st.file_uploader(t("chain.bom_drop"), key="bom-file")
    with right:
        cities = {"": t("chain.hubei")} | {code: name[language] for code, name in chain.cities(layers).items()}
        city = st.selectbox(t("chain.local"), list(cities), format_func=cities.__getitem__, key=f"bom-city-{language}")
        st.download_button(
            t("chain.bom_template"),
            bom.template(),
            file_name="bom_template.xlsx",
            icon=":material/download:",
            on_click="ignore",
        )
    if file is None:
        return
    rate = bom.read(file.getvalue(), file.name, layers, city=city or "")
    metrics = st.columns(3)
    for place, key, value in zip(metrics, ("low", "likely", "high"), (rate.low, rate.likely, rate.high), strict=True):
        place.metric(t(f"chain.rate_{key}"), "—" if value != value else f"{value:.0%}")
    st.markdown(plain(bom.sentence(rate)[language]))
    for note in rate.notes:
        st.caption(plain(note[language]))
    columns = ("part", "amount", "supplier", "place", "where", "basis", "link", "state")
    heads = {key: chain_book.heading(key, language) for key in columns}
    st.subheader(t("chain.bom_missing", n=len(rate.missing)), anchor=False)
    rows = chain_book.lines_of(rate.missing.head(SHOWN), language)[list(columns)].astype(str).to_numpy().tolist()
    text_table(list(heads.values()), rows, named=True)
    st.subheader(t("chain.bom_lines", n=len(rate.lines)), anchor=False)
    shown = chain_book.lines_of(rate.lines, language)[list(columns)].rename(columns=heads)
    st.dataframe(shown, hide_index=True, alt=t("chain.bom_lines", n=len(rate.lines)))
    st.download_button(
        t("chain.bom_book"),
        chain_book.rate_book(rate, language),
        file_name="rate.xlsx",
        icon=":material/download:",
        on_click="ignore",
    )
