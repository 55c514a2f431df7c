"""Projects by light and blocked points by kind on the small map."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.delivery.ledger_shown import Shown
from geo_cluster.policy.lights import colours
from geo_cluster.policy.stages import point_kinds

MOST_AT = 60
"""Dots around one place at most."""
STEP = 0.028
"""Degrees between dots of one place."""
KINDS = (
    "#5b3f8c",
    "#3b7dd8",
    "#b3223e",
    "#e08a1e",
    "#38a874",
    "#6b7785",
    "#7a4b1f",
    "#a3127a",
    "#0b6e75",
    "#94a33a",
    "#1d2b36",
)
"""A colour for each kind of blocked point, in their order."""

Dot = tuple[str, str, str, str]
"""Place, label, what it is, kind."""


def chart(shown: Shown) -> None:
    """Draw the map."""
    what = st.segmented_control(
        t("ledger.map_what"),
        ["lights", "points"],
        format_func=lambda one: t(f"ledger.map_{one}"),
        default="lights",
        required=True,
        key="ledger-map-what",
        persist_state="session",
    )
    language = session.language()
    if what == "lights":
        fills = {one[language]: one["fill"] for one in colours().values()}
        found = _lights(shown)
    else:
        named = [one[language] for one in point_kinds().values()]
        fills = {name: KINDS[number % len(KINDS)] for number, name in enumerate(named)}
        found = _points(shown)
    points, left = _spread(shown, list(found))
    if points.empty:
        st.caption(t("ledger.map_nothing"))
        return
    look = {"colours": fills, "title": t(f"ledger.map_{what}")}
    key = hashlib.sha256(points.to_json().encode()).hexdigest() + what
    st.altair_chart(cached.ledger_chart(key, language, points, state.layers(), look), width="stretch")
    st.caption(t("ledger.map_note", left=t("ledger.map_left", n=left) if left else ""))


def _lights(shown: Shown) -> Iterable[Dot]:
    language, words = session.language(), colours()
    table = shown.lit.table.sort_values("colour", key=lambda one: one.map(list(words).index), kind="stable")
    for one in table.itertuples():
        why = one.why_en if language == "en" else one.why_zh
        yield one.site or one.city, one.name, why, words[one.colour][language]


def _points(shown: Shown) -> Iterable[Dot]:
    language, kinds = session.language(), point_kinds()
    for one in shown.projects.values():
        for point in one.open_points:
            what = f"{point.what} · {point.unit} · {point.deadline}"
            yield one.site or one.city, one.name, what, kinds[point.kind][language]


def _spread(shown: Shown, dots: list[Dot]) -> tuple[pd.DataFrame, int]:
    """Dots around their places, as seeds of a sunflower lie; and how many have no place or no room."""
    count: dict[str, int] = {}
    rows = []
    for place, label, what, kind in dots:
        number = count.get(place, 0)
        if place not in shown.places.points or number >= MOST_AT:
            continue
        count[place] = number + 1
        lon, lat = shown.places.points[place]
        radius, turn = STEP * np.sqrt(number), number * 2.399963
        rows.append((lon + radius * np.cos(turn), lat + radius * np.sin(turn) * 0.86, label, what, kind))
    return pd.DataFrame(rows, columns=["lon", "lat", "label", "what", "kind"]), len(dots) - len(rows)
