"""选址: what a project was taken to need, and what that means for connection, review and bill."""

from __future__ import annotations

import datetime as dt
from html import escape

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.views.score.references import beside
from app.widgets import plain
from geo_cluster import toml
from geo_cluster.domain import RuleLife
from geo_cluster.intake import appraise
from geo_cluster.scoring.explain import significant
from geo_cluster.supply.tariff import tariff_on
from geo_cluster.world import catalog


def needs(project: pd.DataFrame) -> None:
    """Needs, given or estimated; voltage, bill, policy money; the energy review to paste."""
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
    if found[f"check_{language}"]:
        text = escape(t("score.check", text=found[f"check_{language}"]))
        st.html(f'<div class="gc-check" role="status">{text}</div>')
    headings = [t("score.quantity"), t("score.range"), t("score.basis")]
    st.dataframe(pd.DataFrame(rows, columns=headings), hide_index=True)
    st.caption(plain(found[f"tariff_{language}"]))
    support = [f"- {plain(line)}" for line in found[f"support_{language}"].split("\n")]
    st.caption("\n".join([t("score.support", day=day), "", *support]))
    st.caption(t("score.paste"))
    st.code(found[f"review_{language}"], language=None, wrap_lines=True)
    beside(project)


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
