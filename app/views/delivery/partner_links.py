"""Part 补链对接, suppliers and buyers of a place （整零对接） as a drawing and a table."""

from __future__ import annotations

import base64
from html import escape

import streamlit as st

from app import cached, session, state
from app.session import t
from geo_cluster.export import chain_book
from geo_cluster.maps.link_graph import link_graph
from geo_cluster.policy import links
from geo_cluster.world import catalog

KINDS = ("demand", "chain", "sites")


def draw() -> None:
    """Choose a place; who supplies it and who buys there."""
    language, layers = session.language(), state.layers()
    st.caption(t("chain.links_note"))
    kinds = {one: t(f"chain.kind_{one}") for one in KINDS}
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    kind = left.selectbox(t("chain.kind"), list(kinds), format_func=kinds.__getitem__, key=f"links-kind-{language}")
    table = cached.layer_table(layers, kind or KINDS[0])
    table = table[table["lon"].notna()]
    if kind == "chain":
        table = table[table["kind"].isin(["firm", "plant"])]
    name = f"name_{language}" if f"name_{language}" in table else "name_zh"
    named = dict(zip(table["id"], table[name], strict=True))
    place = right.selectbox(
        t("chain.place"), list(named), format_func=named.__getitem__, key=f"links-place-{kind}-{language}"
    )
    if place is None:
        return
    one, other = st.columns(2, vertical_alignment="bottom")
    segment = ""
    if kind == "sites":
        known = {"": t("chain.any_segment")} | {key: s.name[language] for key, s in catalog.segments().items()}
        segment = one.selectbox(
            t("chain.segment"), list(known), format_func=known.__getitem__, key=f"links-segment-{language}"
        )
    minutes = other.segmented_control(
        t("chain.minutes"), links.reach_minutes(), default=links.reach_minutes()[1], required=True,
        key="links-minutes", persist_state="session",
    )  # fmt: skip
    found = cached.linkage(state.scenario(), place, segment or "")
    st.markdown(links.sentence(found, minutes)[language])
    drawing(found, minutes)
    for side, partners in (("suppliers", found.suppliers), ("buyers", found.buyers)):
        st.subheader(t(f"chain.{side}", n=len(partners)), anchor=False)
        if side == "buyers" and found.focus.kind == "user":
            st.caption(t("chain.same_users"))
        shown = chain_book.partners_of(partners, language)
        config = {
            key: st.column_config.NumberColumn(chain_book.heading(key, language), format="%.0f")
            if key in ("minutes", "low", "high")
            else st.column_config.Column(chain_book.heading(key, language))
            for key in shown
        }
        st.dataframe(
            shown, hide_index=True, column_config=config, placeholder="—", alt=t(f"chain.{side}", n=len(partners))
        )
    st.download_button(
        t("chain.links_book"),
        chain_book.links_book(found, language),
        file_name="links.xlsx",
        icon=":material/download:",
        on_click="ignore",
    )


def drawing(found: links.Linkage, minutes: float) -> None:
    """The nearest suppliers and buyers, drawn; what it shows is said in its alternative text, too."""
    language = session.language()
    content = base64.b64encode(link_graph(found, minutes, language).encode()).decode()
    said = escape(links.sentence(found, minutes)[language], quote=True)
    st.html(f'<img style="width:100%;max-width:720px" alt="{said}" src="data:image/svg+xml;base64,{content}">')
