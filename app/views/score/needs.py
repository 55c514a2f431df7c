"""选址: what a project was taken to need, and what that means for connection, review and bill."""

from __future__ import annotations

import datetime as dt
from html import escape

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.widgets import marked, plain, text_table
from geo_cluster import toml
from geo_cluster.domain import RuleLife
from geo_cluster.intake import appraise
from geo_cluster.report import tables
from geo_cluster.scoring.explain import significant
from geo_cluster.supply.standard_land import DoorChecks
from geo_cluster.supply.tariff import tariff_on
from geo_cluster.world import catalog, portfolio


def needs(project: pd.DataFrame, doors: DoorChecks) -> None:
    """Needs, given or estimated; voltage, bill, policy money, standard land; the energy review to paste."""
    day, language = state.work().scenario.date, session.language()
    found = appraise.needs_table(project, day=day).iloc[0]
    rows = []
    for asked in (kind.asked for kind in catalog.resources().values()):
        stated = t("score.stated" if found[f"{asked.column}_given"] else "score.estimated")
        rows.append((asked.title(language), _span(found, asked.column), stated))
    is_stated = found["power_mva_given"] and found["energy_gwh_given"]
    basis = t("score.load_stated" if is_stated else "score.load_segment")
    rows.append((t("score.load_factor"), _span(found, "load_factor", digits=2), basis))
    rows.append((t("score.bill"), _span(found, "bill_10k_yuan"), t("score.by_demand", notice=_notice(day))))
    by_capacity = t("score.by_capacity", loading=f"{found['transformer_loading']:g}")
    rows.append((t("score.bill_by_capacity"), _span(found, "bill_by_capacity_10k_yuan"), by_capacity))
    rows.append((t("score.voltage"), f"{found['voltage_kv']} kV", t("score.dual") if found["dual_supply"] else ""))
    amounts, names = tables.stated_words(project, language).iloc[0], catalog.door_indicators()
    rows += [(t(f"field.{key}"), amounts[key], "") for key in (*portfolio.STATED, "power_year")]
    rows += [(names[key].title(language), amounts[key], t("score.per_mu")) for key in portfolio.PER_MU]
    if found[f"check_{language}"]:
        text = escape(t("score.check", text=found[f"check_{language}"]))
        st.html(f'<div class="gc-check" role="status">{text}</div>')
    headings = [t("score.quantity"), t("score.range"), t("score.basis")]
    st.dataframe(pd.DataFrame(rows, columns=headings), hide_index=True, height=36 * (len(rows) + 1) + 2)
    st.caption(plain(found[f"tariff_{language}"]))
    support = [f"- {plain(line)}" for line in found[f"support_{language}"].split("\n")]
    st.caption("\n".join([t("score.support", day=day), "", *support]))
    _standard_land(doors)
    st.caption(t("score.paste"))
    st.code(found[f"review_{language}"], language=None, wrap_lines=True)


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


def _span(found: pd.Series, key: str, *, digits: int = 3) -> str:
    """Low, likely and high in words; one number where they are alike."""
    ends = [f"{significant(found[f'{key}_{end}'], digits):,.12g}" for end in ("low", "likely", "high")]
    return " – ".join(ends) if len(set(ends)) > 1 else ends[0]


def _notice(day: dt.date) -> str:
    """The notices behind a bill of a day, each with its life."""
    language = session.language()
    found = tariff_on(toml.table("tariffs"), day)["found"][:2]
    told = [f"{one.life.title[language]}{_life(one.life)}" for one in found]
    return " + ".join(told)


def _life(life: RuleLife) -> str:
    start, end = (f"{one:%Y-%m}" if one else "" for one in (life.valid_from, life.valid_to))
    if not end:
        return t("score.life", life=t("score.since", start=start))
    return t("score.life", life=start if start == end else f"{start}–{end}")
