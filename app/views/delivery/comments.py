"""Part of 推进: all comments in one list, to be answered and settled; those on places of the map are made here."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from app import cached_policy, session, state
from app import comments as drawn
from app.session import t
from geo_cluster import toml
from geo_cluster.export.outline import Remark
from geo_cluster.workspace import comments
from geo_cluster.workspace.comments import Subject, Thread
from geo_cluster.world.layers import HUBEI
from geo_cluster.world.spreadsheet import as_xlsx

MOST = 30
"""Comments on screen; the workbook has them all."""


def draw() -> None:
    """Draw the part."""
    names = {kind: t(f"comments.kind.{kind}") for kind in comments.KINDS}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = st.pills(
            t("comments.kinds"), list(names), format_func=names.__getitem__, selection_mode="multi", key="comment-kinds"
        )
        settled = st.toggle(t("comments.show_settled"), key="comment-settled")
        found = [
            one
            for one in comments.threads(state.desk(), status=None if settled else "open")
            if one.subject.kind in (kinds or names)
        ]
        if found:
            st.download_button(
                t("comments.xlsx"),
                lambda: _book(found),
                file_name="comments.xlsx",
                icon=":material/download:",
                on_click="ignore",
                key="comments-xlsx",
            )
    _place()
    if not found:
        st.caption(t("comments.nothing"))
        return
    left, right = st.columns([1.2, 1], gap="medium")
    with right:
        _map(found)
    with left:
        drawn.threads(found[:MOST], named=True)


def _map(found: list[Thread]) -> None:
    """Comments on sites, firms and places, where these are; how many are nowhere."""
    layers, language = state.layers(), session.language()
    chain = layers.read("chain").set_index("id").geometry
    points = {one: (at.x, at.y) for one, at in chain[chain.notna() & ~chain.is_empty].items()}
    points |= cached_policy.ledger_places(layers).points
    rows = []
    for one in found:
        at = one.subject.point or points.get(one.subject.id if one.subject.kind in ("site", "firm") else "")
        if at is not None:
            words = next(said.text for said in reversed(one.said) if said.text)
            rows.append((*at, one.subject.name, words, t(f"comments.{one.status}")))
    if rows:
        shown = pd.DataFrame(rows, columns=["lon", "lat", "label", "what", "kind"])
        colours = toml.table("style")["page"]
        fills = {t("comments.open"): colours["warning"], t("comments.settled"): colours["accent"]}
        key = hashlib.sha256(shown.to_json().encode()).hexdigest()
        look = {"colours": fills, "title": t("comments.map")}
        st.altair_chart(cached_policy.ledger_chart(key, language, shown, layers, look), width="stretch")
    if len(rows) < len(found):
        st.caption(t("comments.map_left", n=len(found) - len(rows)))


def _book(found: list[Thread]) -> bytes:
    names = [t(f"comments.col.{one}") for one in Remark._fields[:-1]]
    rows = [one[:-1] for one in drawn.remarks(found)]
    return as_xlsx({t("delivery.comments"): pd.DataFrame(rows, columns=names)})


def _place() -> None:
    """Where on the map, and the comments on that place."""
    if not state.person().may("planner"):
        return
    with st.expander(t("comments.place"), icon=":material/add_location_alt:"):
        typed = st.text_input(t("comments.place_how"), key="comment-place")
        if not typed.strip():
            return
        point = _read(typed)
        if point is None:
            west, south, east, north = HUBEI
            said = t("comments.place_odd", west=west, east=east, south=south, north=north)
            st.error(said, icon=":material/error:")
        else:
            at = ",".join(f"{one:.5f}" for one in point)
            drawn.button(Subject("place", at, name=at))


def _read(typed: str) -> tuple[float, float] | None:
    """Longitude and latitude as typed, in and around Hubei; None for anything else."""
    try:
        longitude, latitude = (float(one) for one in typed.replace("，", ",").split(","))
    except ValueError:
        return None
    west, south, east, north = HUBEI
    return (longitude, latitude) if west <= longitude <= east and south <= latitude <= north else None
