"""要素 · what a year of electricity costs at each voltage, from the notice that is in the tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.widgets import plain, refusals
from geo_cluster import toml
from geo_cluster.intake import references
from geo_cluster.supply.energy_review import energy_review
from geo_cluster.supply.grid_connection import needs_dual_supply, voltages
from geo_cluster.supply.interval import Interval
from geo_cluster.supply.tariff import Bill, load_factor, tariff_on
from geo_cluster.world import catalog, plant_needs, portfolio
from geo_cluster.world.rule_life import span_of

KEPT: dict[str, Any] = {"persist_state": "session"}


def show() -> None:
    """Draw the tab."""
    _alone()


@st.fragment
def _alone() -> None:
    with refusals():
        _calculator()


def _calculator() -> None:
    st.caption(t("supply.tariff_note"))
    day, headline = state.work().scenario.date, st.container()
    asked, answer = st.columns([2, 3], gap="large")
    with asked:
        options = {key: t(f"supply.way_{key}") for key in ("segment", "load")}
        option = _either("supply-way", t("supply.way"), options)
        power, gwh, load, loading = _by_segment() if option == "segment" else _by_load()
        shape, levels = _shape(), voltages(_ends(power), grid=toml.table("grid"))
        rated = [float(row["voltage_kv"]) for row in tariff_on(toml.table("tariffs"), day)["rate"]]
        known = sorted({kv for kv in rated if kv >= 10})
        usual = min(known, key=lambda kv: abs(kv - levels[0]))
        label = {kv: f"{kv:g} kV" + (t("supply.usual") if kv in levels else "") for kv in known}
        voltage = st.selectbox(
            t("supply.voltage"),
            known,
            index=known.index(usual),
            format_func=label.__getitem__,
            key=f"supply-kv-{usual:g}-{session.language()}",
        )
    bills = cached.bills_of(_ends(gwh), _ends(load), shape, loading, day)
    bill = next(one for one in bills if one.voltage_kv == voltage)
    with headline:
        _headline(bill)
    with answer:
        _answer(bills, bill, gwh, day)


def _either(key: str, label: str, options: dict[str, str]) -> str:
    """One of a few, the first until the visitor says otherwise."""
    first = next(iter(options))
    return st.segmented_control(
        label, list(options), default=first, format_func=options.__getitem__, required=True, key=key, **KEPT
    )


def _ends(value: Interval) -> tuple[float, float, float]:
    return value.low, value.likely, value.high


def _by_segment() -> tuple[Interval, Interval, Interval, float | None]:
    """Capacity of a plant of a segment, its load factor, and the yearly energy that follows from both."""
    segments, language = catalog.segments(), session.language()
    names = {key: one.name[language] for key, one in segments.items()}
    segment = st.selectbox(
        t("col.segment"), list(names), format_func=names.__getitem__, key=f"supply-segment-{language}", **KEPT
    )
    output = st.number_input(t("supply.output"), 0.1, 1000.0, 5.0, 0.5, key="supply-output", **KEPT)
    needs = portfolio.estimate([segment], np.full((1, 3), output))
    begins, key = segments[segment].load_factor, f"supply-load-{segment}"
    load = st.slider(t("supply.load"), 0.05, 1.0, begins, 0.05, help=t("supply.load_segment_help"), key=key, **KEPT)
    spread = plant_needs.spread([load])
    energy = plant_needs.energy_of_capacity(needs["power_mva"], spread)
    power, gwh, factor = (Interval.of(one[0].tolist()) for one in (needs["power_mva"], energy, spread))
    basis = references.basis_words(references.basis_of(segments[segment], "land_mu"))[language]
    st.caption(t("supply.estimated", power=f"{power:.3g}", gwh=f"{gwh:.3g}", basis=basis))
    if needs_dual_supply(segment, grid=toml.table("grid")):
        st.caption(t("supply.dual"))
    return power, gwh, factor, _loading()


def _by_load() -> tuple[Interval, Interval, Interval, float | None]:
    """Capacity and energy as the visitor states them; the load factor follows."""
    factor = plant_needs.power_factor()
    mva = st.number_input(t("supply.mva"), 0.1, 2000.0, 20.0, 1.0, key="supply-mva", **KEPT)
    gwh = st.number_input(t("supply.gwh"), 0.1, 15000.0, 60.0, 5.0, key="supply-gwh", **KEPT)
    loading = _loading()
    load = load_factor(gwh, mva, power_factor=factor)
    st.caption(t("supply.load_found", load=f"{load.likely:.2f}", factor=f"{factor:g}"))
    return Interval.of(mva), Interval.of(gwh), load, loading


def _loading() -> float | None:
    """Peak kW for each kVA where the basic charge goes by capacity, whose transformers are used in full; else None."""
    options = {key: t(f"supply.charged_{key}") for key in ("demand", "capacity")}
    charged = _either("supply-charged", t("supply.charged"), options)
    return plant_needs.power_factor() if charged == "capacity" else None


def _shape() -> tuple[float, ...] | None:
    """Load of each hour, or None for the price without time of use."""
    shapes = {row["id"]: row for row in toml.table("tariffs")["shape"]}
    names = {"none": t("supply.no_shape")} | {key: row[f"name_{session.language()}"] for key, row in shapes.items()}
    chosen = st.selectbox(
        t("supply.shape"), list(names), format_func=names.__getitem__, key=f"supply-shape-{session.language()}", **KEPT
    )
    return tuple(shapes[chosen]["load"]) if chosen in shapes else None


def _headline(bill: Bill) -> None:
    price, year = st.columns(2)
    span: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off"}
    cost = bill.annual_wan_yuan
    headline = f"{bill.price_yuan_kwh.low:.3f} – {bill.price_yuan_kwh.high:.3f}"
    price.metric(t("supply.price"), f"{bill.price_yuan_kwh.likely:.3f}", delta=headline, **span)
    year.metric(t("supply.bill"), f"{cost.likely:,.0f}", delta=f"{cost.low:,.0f} – {cost.high:,.0f}", **span)


def _answer(bills: list[Bill], bill: Bill, gwh: Interval, day: dt.date) -> None:
    """Every voltage beside the chosen one, the energy review in words, the notice."""
    table = pd.DataFrame([_row(one, bill) for one in bills])
    st.altair_chart(_chart(table, bill.voltage_kv), width="stretch", alt=t("supply.by_voltage"))
    words = ("voltage", "price", "energy_part", "basic_part", "bill", "saves")
    st.dataframe(table[list(words)].set_axis([t(f"supply.{key}") for key in words], axis=1), hide_index=True)
    review = energy_review(_ends(gwh), grid=toml.table("grid"), on=day)
    st.text(review.words_en if session.language() == "en" else review.words_zh)
    _source(bill, day)


def _with_bounds(value: Interval, spec: str = ",.0f") -> str:
    """The likely value, and the bounds where they differ."""
    span = f"{value:{spec}}".replace("-", "–")
    return span if value.low == value.high else f"{format(value.likely, spec)} ({span})"


def _row(one: Bill, chosen: Bill) -> dict[str, Any]:
    """One voltage, and what it would save a year against the chosen one."""
    saved = chosen.savings_wan_yuan.get(one.voltage_kv)
    return {
        "kv": f"{one.voltage_kv:g} kV",
        "voltage": f"{one.voltage_kv:g} kV",
        "low_": one.annual_wan_yuan.low,
        "likely_": one.annual_wan_yuan.likely,
        "high_": one.annual_wan_yuan.high,
        "price": _with_bounds(one.price_yuan_kwh, ".3f"),
        "energy_part": _with_bounds(one.energy_wan_yuan),
        "basic_part": _with_bounds(one.basic_wan_yuan),
        "bill": _with_bounds(one.annual_wan_yuan),
        "saves": _with_bounds(saved) if saved else "",
    }


def _chart(table: pd.DataFrame, voltage: float) -> alt.LayerChart:
    page = toml.table("style")["page"]
    rows = table[["kv", "low_", "likely_", "high_", "price"]]
    base = alt.Chart(rows).encode(
        y=alt.Y("kv:N", sort=None, title=None),
        tooltip=[
            alt.Tooltip("kv", title=t("supply.voltage")),
            alt.Tooltip("low_", title=t("col.low"), format=",.0f"),
            alt.Tooltip("likely_", title=t("supply.likely"), format=",.0f"),
            alt.Tooltip("high_", title=t("col.high"), format=",.0f"),
            alt.Tooltip("price", title=t("supply.price")),
        ],
    )
    chosen = alt.condition(alt.datum.kv == f"{voltage:g} kV", alt.value(page["accent"]), alt.value("#b9d5d6"))
    bar = base.mark_bar(height=15, cornerRadius=2).encode(
        x=alt.X("low_:Q", title=t("supply.bill"), scale=alt.Scale(zero=False)), x2="high_:Q", color=chosen
    )
    tick = base.mark_tick(thickness=2.5, size=20, color=page["ink"]).encode(x="likely_:Q")
    return (bar + tick).properties(height=30 * len(rows) + 50)


def _source(bill: Bill, day: dt.date) -> None:
    """The notices with their lives and publishers, and what has to be said of the bill."""
    language, notice = session.language(), tariff_on(toml.table("tariffs"), day)
    for one in notice["found"]:
        life = one.life
        publisher = life.issuer.en if language == "en" else life.publisher
        st.caption(
            plain(t("supply.notice", title=life.title[language], life=span_of(life, language), publisher=publisher))
        )
        if one.state in ("expired", "not_yet"):
            st.warning(plain(one.words(language)), icon=":material/event_busy:")
    told = {one.words(language) for one in notice["found"] if one.state in ("expired", "not_yet")}
    for said in bill.remarks:
        if said[language] not in told:
            st.caption(plain(said[language]))
