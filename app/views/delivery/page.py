"""推进: what the policy pays, aims at and watches, part by part."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import session
from app.page import footer, heading
from app.session import t
from app.views.delivery import chain, comments, ledger, money, partners, targets
from app.widgets import refusals

PARTS: dict[str, Callable[[], None]] = {
    "ledger": ledger.draw,
    "money": money.draw,
    "targets": targets.draw,
    "chain": chain.draw,
    "partners": partners.draw,
    "comments": comments.draw,
}
"""Parts of the page in their order; `delivery.<part>` is the name of one on screen."""


def draw() -> None:
    """Draw the page."""
    heading("delivery")
    if (asked := st.query_params.pop("part", None)) in PARTS:
        session.show("delivery-part", asked)
    part = st.segmented_control(
        t("delivery.part"),
        list(PARTS),
        format_func=lambda one: t(f"delivery.{one}"),
        default=next(iter(PARTS)),
        required=True,
        label_visibility="collapsed",
        key="delivery-part",
        persist_state="session",
    )
    with refusals():
        PARTS[part]()
    footer()
