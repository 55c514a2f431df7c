"""Part of 数据: every layer, shipped or one's own, with source, licence, date, hash, preview and columns."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from app import cached, state
from app.widgets import t
from geo_cluster.domain import Layer
from geo_cluster.imports.substations import MADE_BY
from geo_cluster.world import layers

STYLE = """
<style>
.gc-about { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.2rem; font-size: .9rem; }
dl.gc-about { margin: 0 !important; padding: 0 !important; }
.gc-about dt { color: #56636c; } .gc-about dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
@media (max-width: 640px) { .gc-about { grid-template-columns: 1fr; gap: 0; } .gc-about dd { margin-bottom: .5rem; } }
</style>
"""
NAME_PX = 260
"""Wide enough for the name of a layer in either language."""

SHOWN = ("producer", "licence", "as_of", "retrieved", "rows", "crs", "made_by", "hash", "attribution", "notes")


def draw() -> None:
    """Draw the registry, then one layer."""
    registered = state.layers()
    own = {name for name, layer in registered.registry.items() if layer.made_by == MADE_BY}
    _registry(registered.registry, own)
    _one_layer(registered)


def _title(layer: Layer) -> str:
    return layer.title_en if state.language() == "en" else layer.title_zh


def _facts(layer: Layer) -> dict[str, object]:
    """What the registry says of a layer, under the keys of `SHOWN`."""
    row, language = layer.model_dump(), state.language()
    said = {key: layer.text_in(key, language) for key in ("producer", "licence", "notes")}
    return {**row, **said, "hash": layer.sha256, "attribution": row[f"attribution_{language}"]}


def _registry(registry: dict[str, Layer], own: set[str]) -> None:
    keys = ("origin", "rows", "as_of", "licence", "producer", "attribution", "hash")
    rows = [
        {
            "layer": _title(layer),
            "origin": t("data.own") if name in own else t("data.shipped"),
            **{key: _facts(layer)[key] for key in keys[1:]},
        }
        for name, layer in registry.items()
    ]
    table = pd.DataFrame(rows).rename(columns={key: t(f"data.{key}") for key in ("layer", *keys)})
    narrow = {t(f"data.{key}"): st.column_config.Column(width="small") for key in ("origin", "rows", "as_of", "hash")}
    first = {t("data.layer"): st.column_config.TextColumn(width=NAME_PX)}
    st.dataframe(table, hide_index=True, column_config=narrow | first)


def _one_layer(registered: layers.Layers) -> None:
    registry = registered.registry
    names = {name: _title(layer) for name, layer in registry.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(t("data.preview"), list(names), format_func=names.__getitem__, width=420)
        st.download_button(
            t("data.save"),
            cached.layer_file(registered, name),
            file_name=registry[name].file,
            icon=":material/download:",
            on_click="ignore",
        )
    table, chart = cached.layer_table(registered, name), None
    kinds = {"table": t("data.as_table"), "map": t("data.as_map")}
    if registry[name].geometry != "none":
        view = st.segmented_control(
            t("data.view"), list(kinds), format_func=kinds.__getitem__, default="table", key="data-view",
            persist_state="session", label_visibility="collapsed", required=True,
        )  # fmt: skip
        chart = cached.layer_chart(registered, name, state.language()) if view == "map" else None
    if chart is not None:
        st.altair_chart(chart, width="stretch")
    else:
        headings = {column: _short(rule[state.language()]) for column, rule in layers.headings(name).items()}
        told = layers.as_read(name, table, state.language())
        st.dataframe(told, hide_index=True, column_config={column: headings.get(column, column) for column in told})
    st.subheader(t("data.about"), anchor=False)
    _about(registry[name])
    with st.expander(t("data.columns")):
        rows = [(column, rule[state.language()]) for column, rule in layers.columns(name).items()]
        heads = [t("data.column"), t("data.meaning")]
        first = {heads[0]: st.column_config.TextColumn(width=130)}
        st.dataframe(pd.DataFrame(rows, columns=heads), hide_index=True, column_config=first)


def _short(meaning: str) -> str:
    """What a column means as a heading: without what follows the colon."""
    return meaning.partition("：")[0].partition(": ")[0]


def _about(layer: Layer) -> None:
    """Where a layer comes from and on what terms, as a list that wraps on a phone."""
    facts = _facts(layer)
    told = {t(f"data.{key}"): escape(str(facts[key])) for key in SHOWN if str(facts[key]).strip()}
    st.html(STYLE + f'<dl class="gc-about">{"".join(f"<dt>{key}</dt><dd>{of}</dd>" for key, of in told.items())}</dl>')
