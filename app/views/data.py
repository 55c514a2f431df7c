"""数据: every layer with producer, licence, date and hash; what its columns mean; what is assumed and why."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached, state
from app.widgets import footer, heading, refusals, t
from geo_cluster import catalog, layers


def page() -> None:
    """Draw the page."""
    heading("data")
    with refusals():
        _registry()
        _one_layer()
        _priors()
    footer()


def _title(name: str) -> str:
    layer = catalog.layers()[name]
    return layer.title_en if state.language() == "en" else layer.title_zh


def _registry() -> None:
    attribution = f"attribution_{state.language()}"
    rows = [
        (
            _title(name),
            layer.rows,
            layer.as_of,
            layer.licence,
            layer.producer,
            getattr(layer, attribution),
            layer.sha256,
        )
        for name, layer in catalog.layers().items()
    ]
    keys = ("layer", "rows", "as_of", "licence", "producer", "attribution", "hash")
    st.dataframe(pd.DataFrame(rows, columns=[t(f"data.{key}") for key in keys]), hide_index=True)


def _one_layer() -> None:
    pick, save = st.columns([4, 1], vertical_alignment="bottom")
    name = pick.selectbox(t("data.preview"), list(catalog.layers()), format_func=_title)
    file = catalog.layers()[name].file
    save.download_button(
        t("data.save"),
        cached.layer_file(name),
        file_name=file,
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )
    st.dataframe(cached.layer_table(name), hide_index=True)
    with st.expander(t("data.columns")):
        rows = [(column, rule[state.language()]) for column, rule in layers.columns(name).items()]
        st.dataframe(pd.DataFrame(rows, columns=[t("data.column"), t("data.meaning")]), hide_index=True)


def _priors() -> None:
    language, classes = state.language(), layers.words("site_class")
    rows = []
    for attribute in catalog.attributes().values():
        for prior in attribute.priors:
            share = prior.share_of is not None
            bounds = [f"{bound:.0%}" if share else f"{bound:g}" for bound in (prior.low, prior.likely, prior.high)]
            of = f" × {catalog.attributes()[prior.share_of].name[language]}" if prior.share_of else f" {attribute.unit}"
            class_ = classes.get(prior.class_, {}).get(language) or prior.class_.replace("*", t("data.any_class"))
            rows.append((attribute.name[language], class_, " – ".join(bounds) + of, prior.reason[language]))
    st.subheader(t("data.assumed"), anchor=False)
    keys = ("attribute", "class", "range", "reason")
    st.dataframe(pd.DataFrame(rows, columns=[t(f"data.{key}") for key in keys]), hide_index=True)
