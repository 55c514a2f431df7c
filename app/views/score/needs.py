"""选址: what a project was taken to need, and what that means for connection, review and bill."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.score.references import beside
from app.widgets import marked, text_table
from geo_cluster import toml
from geo_cluster.intake import appraise
from geo_cluster.report import tables
from geo_cluster.scoring.explain import significant
from geo_cluster.supply.standard_land import DoorChecks
from geo_cluster.supply.tariff import tariff_on
from geo_cluster.world import catalog, portfolio


def needs(project: pd.DataFrame, doors: DoorChecks) -> None:
    """Needs, given or estimated; voltage, bill, policy money, standard land; the energy review to paste."""
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
    stated = tables.stated_words(project, language).iloc[0]
    rows += [(t(f"field.{key}"), stated[key], "") for key in (*portfolio.STATED, "power_year")]
    rows += [
        (catalog.door_indicators()[key].title(language), stated[key], t("score.per_mu")) for key in portfolio.PER_MU
    ]
    if found[f"check_{language}"]:
        text = escape(t("score.check", text=found[f"check_{language}"]))
        st.html(f'<div class="gc-check" role="status">{text}</div>')
    headings = [t("score.quantity"), t("score.range"), t("score.basis")]
    st.dataframe(pd.DataFrame(rows, columns=headings), hide_index=True)
    st.caption(t("score.support", most=f"{found['support_most_10k_yuan']:,.0f}", support=found[f"support_{language}"]))
    _standard_land(doors)
    st.caption(t("score.paste"))
    st.code(found[f"review_{language}"], language=None, wrap_lines=True)
    beside(project)


def _standard_land(doors: DoorChecks) -> None:
    """The verdict at every site whose thresholds are known."""
    language = session.language()
    names = cached.region(state.scenario()).names
    at = [site for site, is_known in enumerate(doors.known) if is_known and doors.sites[site] in names]
    if not at:
        return
    st.subheader(t("col.standard_land"), anchor=False)
    st.caption(t("col.standard_land_help"))
    rows = [
        (names[doors.sites[site]][language], marked(doors.result[0, site]), doors.sentence(0, site, language))
        for site in at
    ]
    text_table([t("col.site"), t("col.standard_land"), t("col.reason")], rows)


def _notice() -> str:
    """The notice of prices behind a bill: its name and the months that it was valid."""
    row = tariff_on(toml.table("tariffs"))
    months = dict.fromkeys(f"{day:%Y-%m}" for day in (row["valid_from"], row["valid_to"]))
    return t("score.tariff", title=row[f"title_{session.language()}"], months="–".join(months))
