"""Part of 数据: imports that the work accepted, each revertible on its own."""

from __future__ import annotations

import datetime

import streamlit as st

from app import state
from app.session import t
from app.widgets import refusals
from geo_cluster.imports import ledger


def draw() -> None:
    """List the imports, the latest first, each with its button."""
    accepted = ledger.accepted(state.work().files)
    if not accepted:
        st.info(t("data.none_accepted"), icon=":material/inventory_2:")
        return
    for entry in reversed(accepted):
        with st.container(border=True):
            _entry(entry)


def _entry(entry: ledger.AcceptedImport) -> None:
    when = datetime.datetime.fromisoformat(entry.when)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.text(f"{t(f'data.kind.{entry.kind}')} · {entry.name}", width="content")
        if st.button(t("data.revert"), icon=":material/undo:", key=f"revert-{entry.id}"):
            with refusals():
                held = ledger.revert(state.scenario().known, state.work().files, entry.id)
                state.change_data(t("data.note.revert", name=entry.name), known=held.known, files=held.files)
                st.rerun()
    summary = t(
        "data.entry", rows=entry.rows, numbers=len(entry.known), when=f"{when:%Y-%m-%d %H:%M}", hash=entry.sha256[:12]
    )
    st.caption(summary)
    st.text(t("data.from_whom", source=entry.source[:200]))
    replaced = len(entry.replaced)
    if replaced:
        st.caption(t("data.stands_on", count=replaced))
