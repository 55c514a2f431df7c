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
        st.progress(min(0.05 + len(packing.done) / (len(pack.formats()) + 2), 1.0))


def _status(packing: Packing) -> str:
    if packing.stopped:
        return t("brief.stopping")
    if not packing.done:
        return t("brief.at_work", n=packing.elapsed_s)
    names = [pack.name_of(form, session.language()) for form in packing.done[-3:]]
    joint = "、" if session.language() == "zh" else ", "
    return t(
        "brief.done", n=packing.elapsed_s, count=len(packing.done), of=len(pack.formats()) + 1, names=joint.join(names)
    )


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
