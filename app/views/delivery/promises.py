"""Whether what projects under way were promised counts in the pools of the plan."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app import cached, session, state
from app.session import t
from geo_cluster.errors import InputError
from geo_cluster.policy.ledger import Entry, promised_settings
from geo_cluster.world import catalog, portfolio


def switch(projects: Mapping[str, Entry]) -> None:
    """The switch, what it takes, and that the ledger has moved on since."""
    there = cached.ledger_places(state.layers()).sites
    wanted = promised_settings((one for one in projects.values() if one.site in there), but=_at_hand())
    now = [one.model_dump() for one in state.work().scenario.promised]
    st.toggle(
        t("ledger.promises"),
        help=t("ledger.promises_help", said=_said(wanted)),
        key=session.show("ledger-promises", bool(now)),
        disabled=not (wanted or now),
        on_change=lambda: _turn(wanted),
    )
    if now and now != wanted:
        st.warning(t("ledger.promises_old"), icon=":material/sync:")
        st.button(
            t("ledger.promises_renew"),
            key="ledger-promises-renew",
            on_click=lambda: state.change(t("ledger.promises_renew"), promised=wanted),
        )


def _turn(wanted: list[dict]) -> None:
    is_on = session.chosen("ledger-promises")
    state.change(t("ledger.promises_on" if is_on else "ledger.promises_off"), promised=wanted if is_on else [])


def _said(wanted: list[dict]) -> str:
    if not wanted:
        return t("ledger.promises_none")
    language, kinds = session.language(), catalog.resources()
    sums: dict[str, float] = {}
    for one in wanted:
        for name, amount in one["amounts"].items():
            sums[name] = sums.get(name, 0.0) + amount
    told = [f"{kinds[name].offer_title(language)} {amount:,.{kinds[name].digits}f}" for name, amount in sums.items()]
    return t("ledger.promises_said", n=len(wanted), amounts=t("comma").join(told))


def _at_hand() -> list[str]:
    """Names of the projects of the portfolio at hand, which the plan places itself."""
    try:
        return portfolio.read(state.scenario().portfolio)["name"].tolist()
    except InputError:
        return []
