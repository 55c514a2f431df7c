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
        key = asked.column
        bounds = " – ".join(f"{significant(found[f'{key}_{end}']):,.12g}" for end in ("low", "likely", "high"))
        rows.append((asked.title(language), bounds, t("score.stated" if found[f"{key}_given"] else "score.estimated")))
    bounds = " – ".join(f"{found[f'load_factor_{end}']:.2f}" for end in ("low", "likely", "high"))
    is_stated = found["power_mva_given"] and found["energy_gwh_given"]
    rows.append((t("score.load_factor"), bounds, t("score.load_stated" if is_stated else "score.load_segment")))
    bounds = " – ".join(f"{found[f'bill_10k_yuan_{end}']:,.0f}" for end in ("low", "likely", "high"))
    rows.append((t("score.bill"), bounds, t("score.by_demand", notice=_notice())))
    bounds = " – ".join(f"{found[f'bill_by_capacity_10k_yuan_{end}']:,.0f}" for end in ("low", "likely", "high"))
    loading = f"{found['transformer_loading']:g}"
    rows.append((t("score.bill_by_capacity"), bounds, t("score.by_capacity", loading=loading)))
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


def _notice() -> str:
    """The notice of prices behind a bill: its name and the months that it was valid."""
    row = tariff_on(toml.table("tariffs"))
    months = dict.fromkeys(f"{day:%Y-%m}" for day in (row["valid_from"], row["valid_to"]))
    return t("score.tariff", title=row[f"title_{session.language()}"], months="–".join(months))
