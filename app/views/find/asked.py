"""找地 · what is asked: which ground, what is needed, what counts how much, what takes land."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from app import cached_find, cached_listing, session, state
from app.session import t
from app.widgets import plain
from geo_cluster.errors import GeoClusterError
from geo_cluster.suitability.asks import Ask, By
from geo_cluster.suitability.spec import Need, Spec
from geo_cluster.world import portfolio

KEPT: dict[str, Any] = {"persist_state": "session"}
MOST_WEIGHT, MOST_BUFFER_M = 40.0, 5000.0
BY: tuple[By, ...] = ("segment", "project")
LIMITS = {"land": (5.0, 20_000.0), "mva": (0.0, 2000.0), "hall_width": (0.0, 1000.0), "hall_length": (0.0, 2000.0)}
"""Of the numbers of a need: least and most."""


class Asked(NamedTuple):
    """The spec that was chosen as it was declared, and as it is set on the page; the power that is needed, MVA.

    Power is no part of the spec: it changes no cell, so regions are listed anew without another screening.
    """

    key: str
    declared: Spec
    spec: Spec
    mva: float

    @property
    def weights(self) -> dict[str, float]:
        """Relative weight of each criterion; all alike where every one was set to nothing."""
        said = {key: one.weight for key, one in self.spec.criteria.items()}
        return said if sum(said.values()) > 0 else dict.fromkeys(said, 1.0)


def which() -> str:
    """Choose the ground: the sample, our own table, or a spec of the house."""
    offered = [*cached_find.offered(), cached_find.OWN]
    names = {key: cached_find.name_of(key)[session.language()] for key in offered}
    return st.selectbox(
        t("find.ground"),
        offered,
        format_func=lambda key: names.get(key, key),
        help=t("find.ground_help"),
        key=session.spoken("find-ground"),
    )


def asked(key: str) -> Asked:
    """Draw the settings of a spec, and what they come to."""
    declared = cached_find.spec_of(key)
    need, weight, rule = st.tabs([t("find.need"), t("find.weights"), t("find.rules")])
    with weight:
        weights = _weights(key, declared)
    with rule:
        rules = _rules(key, declared)
    with need:
        wanted, mva = _need(declared)
    criteria = {name: one.model_copy(update={"weight": weights[name]}) for name, one in declared.criteria.items()}
    spec = declared.model_copy(update={"criteria": criteria, "exclusions": rules, "need": wanted})
    return Asked(key, declared, spec, mva)


def projects() -> pd.DataFrame:
    """Projects of the work; none where they can't be read, which their own page says."""
    try:
        return portfolio.read(state.scenario().portfolio)
    except GeoClusterError:
        return pd.DataFrame()


def _need(spec: Spec) -> tuple[Need, float]:
    """The need: typed, or taken from a segment or a project of the work by one choice."""
    offered = {f"{by}:{ask.key}": ask for by in BY for ask in cached_listing.asked(spec, projects(), by)}
    names = {"": t("find.typed")}
    names |= {key: t(f"find.of_{key.partition(':')[0]}", name=plain(_name(ask))) for key, ask in offered.items()}

    def take() -> None:
        if (ask := offered.get(session.chosen(session.spoken("find-project")))) is not None:
            hall = ask.need.hall_m or (0.0, 0.0)
            taken = {"land": ask.need.land_mu, "mva": ask.need.mva, "hall_width": hall[0], "hall_length": hall[1]}
            for name, value in taken.items():
                low, high = LIMITS[name]
                session.put(f"find-{name}", min(max(float(value), low), high))

    st.selectbox(
        t("find.project"),
        list(names),
        format_func=names.__getitem__,
        help=t("find.project_help"),
        key=session.spoken("find-project"),
        on_change=take,
    )
    declared = spec.need
    hall = declared.hall_m or (0.0, 0.0)
    land, mva = _two(
        ("land", *LIMITS["land"], declared.land_mu, 10.0, "%.0f"),
        ("mva", *LIMITS["mva"], declared.mva, 1.0, "%.1f"),
    )
    width, length = _two(
        ("hall_width", *LIMITS["hall_width"], float(hall[0]), 10.0, "%.0f"),
        ("hall_length", *LIMITS["hall_length"], float(hall[1]), 10.0, "%.0f"),
    )
    count, spacing = _two(
        ("count", 1, 50, declared.count, 1, "%d"),
        ("spacing", 0.0, 100.0, declared.spacing_km, 0.5, "%.1f"),
    )
    needs = {"land_mu": land, "hall_m": (width, length) if width and length else None, "count": count}
    return declared.model_copy(update=needs | {"spacing_km": spacing}), mva


def _name(ask: Ask) -> str:
    return ask.name[session.language()]


def _two(*fields: tuple[str, Any, Any, Any, Any, str]) -> list[Any]:
    """Two numbers side by side: name, least, most, at first, step, format."""
    return [
        column.number_input(
            t(f"find.{name}"),
            *bounds,
            format=form,
            help=t("find.mva_help") if name == "mva" else None,
            key=f"find-{name}",
            **KEPT,
        )
        for column, (name, *bounds, form) in zip(st.columns(2), fields, strict=True)
    ]


def _weights(key: str, declared: Spec) -> dict[str, float]:
    language, said = session.language(), {}
    for name, one in declared.criteria.items():
        said[name] = st.slider(
            one.name[language],
            0.0,
            MOST_WEIGHT,
            min(float(one.weight), MOST_WEIGHT),
            1.0,
            help=one.reason[language] if one.reason else None,
            key=f"find-weight-{key}-{name}",
            **KEPT,
        )
    if not sum(said.values()):
        st.caption(t("find.no_weight"))
    return said


def _rules(key: str, declared: Spec) -> dict[str, Any]:
    """The rules that are on, with their distances."""
    language, kept = session.language(), {}
    for name, rule in declared.exclusions.items():
        on, metres = st.columns([3, 2], vertical_alignment="center")
        is_on = on.checkbox(
            rule.name[language],
            value=True,
            help=rule.reason[language] if rule.reason else None,
            key=f"find-rule-{key}-{name}",
            **KEPT,
        )
        if rule.beyond_m:
            buffer = rule.buffer_m
        else:
            buffer = metres.number_input(
                t("find.buffer", rule=rule.name[language]),
                0.0,
                MOST_BUFFER_M,
                min(rule.buffer_m, MOST_BUFFER_M),
                50.0,
                format="%.0f",
                disabled=not is_on,
                label_visibility="collapsed",
                key=f"find-buffer-{key}-{name}",
                **KEPT,
            )
        if is_on:
            kept[name] = rule.model_copy(update={"buffer_m": buffer})
    st.caption(t("find.buffer_note"))
    return kept
