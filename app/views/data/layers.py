"""Part of 数据: every layer by group, shipped or one's own: its rows, its source and licence, what its columns mean."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.data import rows
from geo_cluster.domain import Layer
from geo_cluster.imports.substations import MADE_BY
from geo_cluster.world import layers

NAME_PX = 230
"""Wide enough for the name of a layer in either language."""

SHOWN = ("producer", "licence", "as_of", "retrieved", "rows", "crs", "made_by", "hash", "attribution", "notes")
ALL = "all"


def draw() -> None:
    """Draw the registry of a group of layers, then one layer of it."""
    registered = state.layers()
    own = {name for name, layer in registered.registry.items() if layer.made_by == MADE_BY}
    _told(registered)
    group = _group(registered)
    shown = {name: registered.registry[name] for name in group}
    _registry(shown, own)
    _one_layer(registered, list(shown))


def _told(registered: layers.Layers) -> None:
    """How many rows there are, and how many of them say where they come from."""
    tally = cached.tally_of(registered)
    st.text(
        t(
            "data.tally",
            layers=len(registered.registry),
            rows=tally.rows,
            share=f"{tally.complete / max(tally.rows, 1):.1%}",
            copies=tally.copies,
            unnamed=tally.unnamed,
            undated=tally.undated,
        )
    )


def _group(registered: layers.Layers) -> list[str]:
    """Names of the layers of the group that the visitor chose, or of all, in the groups' order."""
    grouped, names = layers.groups(registered.registry), layers.group_names()
    options = {ALL: t("data.all_groups")} | {key: names[key][session.language()] for key in grouped}
    chosen = st.segmented_control(
        t("data.group"), list(options), format_func=options.__getitem__, default=ALL, required=True,
        key="data-group", persist_state="session",
    )  # fmt: skip
    if chosen in grouped:  # an own layer's group goes with it
        return grouped[chosen]
    return [name for group in grouped.values() for name in group]


def _title(name: str, layer: Layer) -> str:
    """What people call a layer: shortly as on the map; one that only its registry knows by its title."""
    short = layers.name_of(name)
    return short[session.language()] if short else _full_title(layer)


def _full_title(layer: Layer) -> str:
    return layer.title_en if session.language() == "en" else layer.title_zh


def _facts(layer: Layer) -> dict[str, object]:
    """What the registry says of a layer, under the keys of `SHOWN`."""
    row, language = layer.model_dump(), session.language()
    said = {key: layer.text_in(key, language) for key in ("producer", "licence", "notes")}
    return {**row, **said, "hash": layer.sha256, "attribution": row[f"attribution_{language}"]}


def _registry(registry: dict[str, Layer], own: set[str]) -> None:
    keys = ("group", "rows", "as_of", "producer", "licence", "attribution", "origin", "hash")
    names = layers.group_names()
    group_of = {name: key for key, group in layers.groups(registry).items() for name in group}
    told = [
        {
            "layer": _title(name, layer),
            **_facts(layer),
            "group": names[group_of[name]][session.language()],
            "origin": t("data.own") if name in own else t("data.shipped"),
        }
        for name, layer in registry.items()
    ]
    table = pd.DataFrame(told)[["layer", *keys]].rename(columns={key: t(f"data.{key}") for key in ("layer", *keys)})
    narrow = {t(f"data.{key}"): st.column_config.Column(width="small") for key in ("rows", "as_of", "origin", "hash")}
    first = {t("data.layer"): st.column_config.TextColumn(width=NAME_PX)}
    first |= {t("data.group"): st.column_config.TextColumn(width=110)}
    height = 36 * min(len(table), 10) + 38
    st.dataframe(table, hide_index=True, height=height, column_config=narrow | first)


def _one_layer(registered: layers.Layers, offered: list[str]) -> None:
    registry = registered.registry
    names = {name: _title(name, registry[name]) for name in offered}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(t("data.preview"), offered, format_func=names.__getitem__, width=420)
        st.download_button(
            t("data.save"),
            cached.layer_file(registered, name),
            file_name=registry[name].file,
            icon=":material/download:",
            on_click="ignore",
        )
    kinds = {key: t(f"data.as_{key}") for key in ("table", "rows", "map")}
    if registry[name].geometry == "none":
        del kinds["map"]
    view = st.segmented_control(
        t("data.view"), list(kinds), format_func=kinds.__getitem__, default="table", key=f"data-view-{'map' in kinds}",
        persist_state="session", label_visibility="collapsed", required=True,
    )  # fmt: skip
    if view == "map":
        st.altair_chart(cached.layer_chart(registered, name, session.language()), width="stretch")
    else:
        rows.draw(name, cached.layer_table(registered, name), as_table=view == "table")
    st.subheader(t("data.about"), anchor=False)
    _about(registry[name])
    with st.expander(t("data.columns")):
        meanings = [(column, rule[session.language()]) for column, rule in layers.columns(name).items()]
        heads = [t("data.column"), t("data.meaning")]
        first = {heads[0]: st.column_config.TextColumn(width=130)}
        st.dataframe(pd.DataFrame(meanings, columns=heads), hide_index=True, column_config=first)


def _about(layer: Layer) -> None:
    """Where a layer comes from and on what terms, as a list that wraps on a phone."""
    facts = _facts(layer)
    told = {t("data.layer"): escape(_full_title(layer))}
    told |= {t(f"data.{key}"): escape(str(facts[key])) for key in SHOWN if str(facts[key]).strip()}
    st.html(rows.STYLE + rows.listed(told))
