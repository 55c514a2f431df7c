"""选址: what a project was taken to need, and what that means for connection, review and bill."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from app import session
from app.session import t
from app.views.score.references import beside
from geo_cluster import toml
from geo_cluster.intake import appraise
from geo_cluster.scoring.explain import significant
from geo_cluster.supply.tariff import tariff_on
from geo_cluster.world import catalog


def needs(project: pd.DataFrame) -> None:
    """Needs, given or estimated; voltage, bill, policy money; the energy review to paste."""
    found, language = appraise.needs_table(project).iloc[0], session.language()
    rows = []
    for asked in (kind.asked for kind in catalog.resources().values()):
        stated = t("score.stated" if found[f"{asked.column}_given"] else "score.estimated")
        rows.append((asked.title(language), _span(found, asked.column), stated))
    is_stated = found["power_mva_given"] and found["energy_gwh_given"]
    basis = t("score.load_stated" if is_stated else "score.load_segment")
    rows.append((t("score.load_factor"), _span(found, "load_factor", digits=2), basis))
    rows.append((t("score.bill"), _span(found, "bill_10k_yuan"), t("score.by_demand", notice=_notice())))
    by_capacity = t("score.by_capacity", loading=f"{found['transformer_loading']:g}")
    rows.append((t("score.bill_by_capacity"), _span(found, "bill_by_capacity_10k_yuan"), by_capacity))
    rows.append((t("score.voltage"), f"{found['voltage_kv']} kV", t("score.dual") if found["dual_supply"] else ""))
    if found[f"check_{language}"]:
        text = escape(t("score.check", text=found[f"check_{language}"]))
        st.html(f'<div class="gc-check" role="status">{text}</div>')
    headings = [t("score.quantity"), t("score.range"), t("score.basis")]
    st.dataframe(pd.DataFrame(rows, columns=headings), hide_index=True)
    st.caption(t("score.support", most=f"{found['support_most_10k_yuan']:,.0f}", support=found[f"support_{language}"]))
    st.caption(t("score.paste"))
    st.code(found[f"review_{language}"], language=None, wrap_lines=True)
    beside(project)


def _span(found: pd.Series, key: str, *, digits: int = 3) -> str:
    """Low, likely and high in words; one number where they are alike."""
    ends = [f"{significant(found[f'{key}_{end}'], digits):,.12g}" for end in ("low", "likely", "high")]
    return " – ".join(ends) if len(set(ends)) > 1 else ends[0]


def _notice() -> str:
    """The notice of prices behind a bill: its name and the months that it was valid."""
    row = tariff_on(toml.table("tariffs"))
    months = dict.fromkeys(f"{day:%Y-%m}" for day in (row["valid_from"], row["valid_to"]))
    return t("score.tariff", title=row[f"title_{session.language()}"], months="–".join(months))
