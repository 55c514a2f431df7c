"""Part of 汇报: the pack before it is there: what will be in it, the one button, and how far it is."""

from __future__ import annotations

import streamlit as st

from app import cached, session
from app.packing import Packing
from app.session import t
from app.widgets import refusals
from geo_cluster import toml
from geo_cluster.export import pack
from geo_cluster.export.pack import Order


def draw(order: Order, packing: Packing | None) -> None:
    """The button and the contents, or the progress of what was begun."""
    if packing is not None and not packing.ended:
        _progress(packing)
    else:
        if packing is not None and packing.refusal is not None:
            with refusals():
                raise packing.refusal
        if packing is not None and packing.stopped:
            st.info(t("brief.stopped"), icon=":material/stop_circle:")
        st.button(
            t("brief.make"),
            icon=":material/auto_awesome_motion:",
            type="primary",
            on_click=cached.begin_pack,
            args=[order],
            key="pack-make",
        )
    _contents()


@st.fragment(run_every=0.7)
def _progress(packing: Packing) -> None:
    if packing.ended:
        st.rerun()
    forms = [*pack.formats(), "contents", "thumbnails"]
    with st.container(border=True):
        head, button = st.columns([5, 1], vertical_alignment="center")
        head.markdown(f"**{_status(packing)}**")
        if button.button(
            t("brief.stop"),
            icon=":material/stop_circle:",
            width="stretch",
            disabled=packing.stopped,
            key="pack-stop",
        ):
            packing.stop()
        st.progress(min(len(packing.steps), len(forms)) / (len(forms) + 1))


def _status(packing: Packing) -> str:
    if packing.stopped:
        return t("brief.stopping")
    at = packing.steps[-1] if packing.steps else ""
    name = pack.formats()[at]["name"][session.language()] if at in pack.formats() else t("brief.the_rest")
    return t("brief.at_work", name=name, n=packing.elapsed_s)


def _contents() -> None:
    """For whom what will be there."""
    language, groups = session.language(), toml.table("pack")["groups"]
    with st.container(key="pack-contents"):
        for group, declared in groups.items():
            with st.container(border=True, height="stretch"):
                st.subheader(declared["name"][language], anchor=False)
                st.caption(declared["what"][language])
                for row in pack.formats().values():
                    if row["group"] == group:
                        st.markdown(
                            f":material/{row['icon']}: **{row['name'][language]}**"
                            f"{'：' if language == 'zh' else ': '}{row['what'][language]}"
                        )
