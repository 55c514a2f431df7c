"""选址: the intake form, what is estimated beside what is typed, and the way into the portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.views.score import case
from app.widgets import listed, plain
from geo_cluster.domain import Segment
from geo_cluster.errors import InputError
from geo_cluster.intake import appraise, references
from geo_cluster.workspace.repository import PROJECTS
from geo_cluster.world import catalog, plant_needs, portfolio

OTHER = {"power_mva": "energy_gwh", "energy_gwh": "power_mva", "land_mu": "floor_m2", "floor_m2": "land_mu"}
"""Need -> the one that it follows from where that is stated."""


def quantities() -> dict[str, str]:
    """What a project takes and bears: key and heading."""
    language = session.language()
    asked = {kind.asked.column: kind.asked.title(language) for kind in catalog.resources().values()}
    return asked | {"max_minutes": t("score.max_minutes")}


def form(bar: Any) -> pd.DataFrame:
    """Segment and output suffice; what is estimated stands beside its field until somebody knows better.

    What else is asked, and the way into the portfolio, go into `bar`. What can't be read is told beside its field, and
    the page goes on with the last project that could be read.
    """
    language, segments = session.language(), catalog.segments()
    names = {key: segment.name[language] for key, segment in segments.items()}
    first, second, third = st.columns([1.6, 1.6, 1], vertical_alignment="bottom")
    name = first.text_input(t("score.name"), key="intake-name", max_chars=500, persist_state="session")
    segment = second.selectbox(
        t("score.segment"),
        list(segments),
        format_func=names.__getitem__,
        key=session.show("intake-segment", session.typed("intake-segment", next(iter(segments)))),
        persist_state="session",
    )
    output = third.number_input(
        t("score.output"),
        0.1,
        1000.0,
        step=0.5,
        key=session.show("intake-output", session.typed("intake-output", float(case.OUTPUT))),
        persist_state="session",
    )
    typed = {"name": name.strip(), "segment": segment, "output_100m_yuan": f"{output:g}"}
    told = {key: str(session.typed(f"intake-{key}", "")) for key in OTHER.values()}
    guess = appraise.estimated(segment, output, told)
    wanted, under = quantities(), {}
    with st.container(key="score-needs"):
        columns = st.columns(len(wanted))
    for column, (key, label) in zip(columns, wanted.items(), strict=True):
        with column, st.container(gap="xxsmall"):
            follows = bool(told.get(OTHER.get(key, ""), "").strip())
            typed[key] = _quantity(label, key, guess[key], _basis(key, segments[segment], follows=follows))
            under[key] = st.container()
    with bar:
        typed |= _stated()
        into_portfolio(typed)
        if any(typed[key] for key in wanted):
            st.button(t("score.reset"), icon=":material/undo:", on_click=_forget, key="intake-reset")
    session.keep("score-typed", typed)
    return _checked(typed, under)


def _checked(typed: dict[str, str], under: Mapping[str, Any]) -> pd.DataFrame:
    """The project as typed, or as it last could be read, or all estimated; with what is to be told of it."""
    sound, project, told = session.kept("score-sound", ({}, None, ()))
    if typed != sound:
        try:
            project = portfolio.check(pd.DataFrame([{key: value for key, value in typed.items() if value}]))
        except InputError as refusal:
            _refused(refusal, under, t("score.as_estimated" if project is None else "score.as_before"))
            bare = {key: typed[key] for key in ("segment", "output_100m_yuan")}
            return portfolio.check(pd.DataFrame([bare])) if project is None else project
        shown = {portfolio.columns()[key] for key in (*portfolio.STATED, "power_year") if typed[key]}
        told = ()
        if shown:  # what is to be told of needs stands with them
            told = tuple(one for one in portfolio.warnings(project) if one.place.column in shown)
        session.keep("score-sound", (dict(typed), project, told))
    for doubt in told:
        said = session.words(doubt)
        st.warning(t("score.doubt", column=doubt.place.column, what=said.what, remedy=said.remedy))
    return project


def _refused(refusal: InputError, under: Mapping[str, Any], shown: str) -> None:
    """What can't be read, each beside its field; a fault of no field, and what is shown instead, below them."""
    titles, others = {title: key for key, title in portfolio.columns().items()}, []
    for fault in refusal.faults:
        said = session.words(fault)
        text = plain(t("score.field_refused", what=said.what, remedy=said.remedy))
        if place := under.get(titles.get(fault.place.column, "")):
            place.error(text)
        else:
            others.append(f"{plain(fault.place.column)} · {text}" if fault.place.column else text)
    for text in others:
        st.error(text)
    st.html(f'<p class="gc-note" role="status">{escape(shown)}</p>')


def _stated() -> dict[str, str]:
    """What only the project can say, folded away: it changes no score, and is checked against standard land."""
    keys = (*portfolio.STATED, "power_year")
    typed = {key: str(session.typed(f"intake-{key}", "")).strip() for key in keys}
    count = sum(map(bool, typed.values()))
    label = t("score.stated_group") + (f" · {count}" if count else "")
    with st.popover(label, icon=":material/request_quote:", key="intake-stated"):
        st.caption(t("score.stated_note"))
        return {
            key: st.text_input(
                t(f"field.{key}"),
                key=f"intake-{key}",
                help=t("field.stated_help" if key in portfolio.STATED else f"field.{key}_help"),
                max_chars=40,
                persist_state="session",
            ).strip()
            for key in keys
        }


def _quantity(label: str, key: str, bounds: tuple[float, float, float], basis: str) -> str:
    """One field: what is typed; empty, its placeholder is the estimate, and below it what that rests on."""
    low, likely, high = (f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in bounds)
    typed = st.text_input(
        label,
        placeholder=t("score.about", likely=likely),
        key=f"intake-{key}",
        help=t("score.type_range"),
        max_chars=40,
        persist_state="session",
    ).strip()
    note = t("score.instead" if typed else "score.estimate", range=low if low == high else f"{low}–{high}")
    st.html(f'<details class="gc-basis"><summary>{escape(note)}</summary>{escape(basis)}</details>')
    return typed


def _basis(key: str, segment: Segment, *, follows: bool) -> str:
    """Where an estimate comes from; capacity `follows` from energy that is stated, and land from floor."""
    kind = {kind.asked.column: kind for kind in catalog.resources().values()}.get(key)
    if kind is None:
        return t("score.basis_max_minutes")
    if kind.estimate == "used_energy" or (kind.estimate == "installed_power" and follows):
        way = "power_of_energy" if kind.estimate == "installed_power" else kind.estimate
        low, high = segment.load_factor
        return t(f"score.basis_{way}", low=f"{low:g}", high=f"{high:g}")
    if kind.estimate == "built_floor" or (key == OTHER["floor_m2"] and follows):
        way = "built_floor" if kind.estimate == "built_floor" else "land_of_floor"
        low, high = segment.plot_ratio
        return t(f"score.basis_{way}", low=f"{low:g}", high=f"{high:g}")
    if kind.estimate == "installed_power":
        ((low, _, high),) = plant_needs.floor_m2([segment])
        (less, more), (few, many) = segment.density_mw_per_10k_m2, segment.demand_factor
        parts = {"less": less, "more": more, "few": few, "many": many}
        floor = {"low": f"{low:,.0f}", "high": f"{high:,.0f}"}
        return t("score.basis_installed_power", **floor, **{name: f"{part:g}" for name, part in parts.items()})
    (low, high), language = segment.needs[key], session.language()
    basis = references.basis_words(references.basis_of(segment, key))[language]
    return t("score.basis_by_output", low=f"{low:g}", high=f"{high:g}", unit=kind.asked.unit[language], basis=basis)


def _forget() -> None:
    for key in quantities():
        session.show(f"intake-{key}", "")


def into_portfolio(typed: dict[str, str]) -> None:
    """Take the project over into the work's portfolio; what was taken over can't be a second time as it is."""
    if session.kept("score-whole"):  # the bar of the work is to say it too
        session.keep("score-whole", None)
        st.rerun()
    own, is_in = state.work().files.get(PROJECTS), _is_in(typed)
    with st.popover(t("score.add"), icon=":material/playlist_add:", key="intake-into", on_change="rerun"):
        if own is None:
            words = {key: t(f"score.add_{key}") for key in ("new", "sample")}
            st.radio(
                t("score.add_where"), list(words), format_func=words.__getitem__, key="intake-where", width="content"
            )
        else:
            st.caption(t("score.add_own", n=appraise.count(own)))
        for key, most in (("year", 4), ("notes", 500)):
            st.text_input(t(f"score.{key}"), key=f"intake-{key}", max_chars=most, persist_state="session")
        st.button(t("score.add"), type="primary", key="intake-add", disabled=is_in, on_click=_add, args=(dict(typed),))
        if refusal := session.kept("score-add-refused"):
            st.error(listed(refusal.faults))
    if is_in:
        note = t("score.added", name=typed["name"] or t("score.unnamed"))
        st.html(f'<p class="gc-note gc-added" role="status">✓ {escape(note)}</p>', width="content")


def _add(typed: dict[str, str]) -> None:
    """Add the project once, close the popover, and name a work after the project that its portfolio begins with."""
    own = state.work().files.get(PROJECTS)
    if _is_in(typed):
        return
    table = own or (appraise.sample_table() if session.typed("intake-where", "new") == "sample" else b"")
    named = typed["name"] or t("score.unnamed")
    more = {key: str(session.typed(f"intake-{key}", "")).strip() for key in ("year", "notes")}
    session.keep("score-add-refused", None)
    try:
        state.attach(
            t("score.noted_add", name=named),
            **{PROJECTS: appraise.with_project(table, {**typed, "name": named, **more})},
        )
    except InputError as refusal:
        session.keep("score-add-refused", refusal)
        return
    session.put("intake-into", False)
    session.keep("score-whole", True)
    if not table:
        what = catalog.segments()[typed["segment"]].name[session.language()]
        state.name_after(typed["name"] or t("score.work_name", segment=what, output=typed["output_100m_yuan"]))
    session.keep("score-added", (_work(), typed))


def _is_in(typed: dict[str, str]) -> bool:
    """Whether the project as typed was added to this work, and is still there."""
    own = state.work().files.get(PROJECTS)
    if own is None or session.kept("score-added") != (_work(), typed):
        return False
    return appraise.has_project(own, typed["name"] or t("score.unnamed"))


def _work() -> str:
    kept = state.saved()
    return kept.id if kept else ""
