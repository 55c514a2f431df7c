"""要素: land and energy of each site, on what evidence, and which number to ask for next."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, session, state
from app.page import footer, heading
from app.session import t
from app.views.supply import losses, network, offers, requests, tariff
from app.widgets import open_tab, plain, refusals
from geo_cluster.domain import Scenario
from geo_cluster.report import tables
from geo_cluster.world import catalog

TABS = {
    "offers": offers.show,
    "requests": requests.show,
    "losses": losses.show,
    "network": network.show,
    "tariff": tariff.show,
}

FIRST = 3
"""So many numbers to ask for stand above all else."""


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
    top = st.container(key="supply-first", gap="small")
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
    _first(scenario, pools, assumed, at=top)
    offers = t("comma").join(kind.offer[language] for kind in kinds.values())
    last.metric(
        t("supply.unconfirmed"),
        f"{assumed} / {pools}",
        delta=t("supply.known_count", n=len(scenario.known)),
        delta_color="off",
        delta_arrow="off",
        help=t("supply.unconfirmed_help", kinds=offers),
    )


def _first(scenario: Scenario, pools: int, assumed: int, *, at: Any) -> None:
    """How many numbers nobody has confirmed, and whom to ask for which first."""
    language, declared = session.language(), catalog.attributes()
    asked = cached.requests_of(scenario)
    asked = asked[asked["is_clear"]].head(FIRST)
    with at:
        if not assumed:
            st.markdown(f"**{t('supply.first_known', pools=pools)}**")
            return
        st.markdown(f"**{t('supply.first', pools=pools, assumed=assumed, n=len(asked))}**")
        said = [
            t(
                "supply.first_one",
                subject=plain(row[f"subject_{language}"]),
                what=row[f"name_{language}"],
                whom=declared[row["attribute"]].whom[language],
            )
            for row in asked.to_dict("records")
        ]
        st.markdown("\n".join(f"{number}. {one}" for number, one in enumerate(said, start=1)))
