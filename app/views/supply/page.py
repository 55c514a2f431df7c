"""要素: land and energy of each site, on what evidence, and which number to ask for next."""

from __future__ import annotations

import streamlit as st

from app import cached, session, state
from app.page import footer, heading
from app.session import t
from app.views.supply import losses, network, offers, requests, tariff
from app.widgets import open_tab, refusals
from geo_cluster.report import tables
from geo_cluster.world import catalog

TABS = {
    "offers": offers.show,
    "requests": requests.show,
    "losses": losses.show,
    "network": network.show,
    "tariff": tariff.show,
}


def draw() -> None:
    """Draw the page; of the tabs only the open one."""
    heading("supply")
    with refusals():
        _headline()
        name, tab = open_tab("supply-tabs", {name: t(f"supply.{name}") for name in TABS})
        with tab, refusals():
            TABS[name]()
    footer()


def _headline() -> None:
    scenario = state.scenario()
    totals = tables.supply_totals(cached.offers_of(scenario))
    language, kinds = session.language(), catalog.resources()
    kinds = {key: kinds[key] for key in totals.index}
    *columns, last = st.columns(len(kinds) + 1)
    for column, kind, (_, row) in zip(columns, kinds.values(), totals.iterrows(), strict=True):
        column.metric(
            kind.offer_title(language),
            f"{row['likely']:,.0f}",
            delta=f"{row['low']:,.0f} – {row['high']:,.0f}",
            delta_color="off",
            delta_arrow="off",
            help=kind.total[language].format(n=int(row["pools"])),
        )
    pools, assumed = int(totals["pools"].sum()), int(totals["assumed"].sum())
    offers = t("comma").join(kind.offer[language] for kind in kinds.values())
    last.metric(
        t("supply.unconfirmed"),
        f"{assumed} / {pools}",
        delta=t("supply.known_count", n=len(scenario.known)),
        delta_color="off",
        delta_arrow="off",
        help=t("supply.unconfirmed_help", kinds=offers),
    )
