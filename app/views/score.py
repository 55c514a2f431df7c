"""选址: one project at intake: where it would go, how sure that is, why, and what would change it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import cached, state
from app.widgets import footer, heading, refusals, score_chart, t, value_chart
from geo_cluster import catalog
from geo_cluster.choice import METHODS
from geo_cluster.intake import Appraisal


def page() -> None:
    """Draw the page."""
    heading("score")
    with refusals():
        project = _form()
        found = cached.appraisal_of(state.scenario(), project)
        _verdict(found)
        ranking, why, needs, values = st.tabs([t(f"score.{tab}") for tab in ("ranking", "change", "needs", "values")])
        with ranking:
            _ranking(found)
        with why:
            _change(found)
        with needs:
            _needs(found)
        with values:
            st.altair_chart(value_chart(), width="content")
    footer()


def _form() -> dict[str, str]:
    """Segment and output suffice; what is left empty is estimated and shown."""
    language, segments = state.language(), catalog.segments()
    first, second, *rest = st.columns([2.4, 1.3, 1, 1, 1, 1], vertical_alignment="bottom")
    kept: dict[str, Any] = {"persist_state": "session"}
    segment = first.selectbox(
        t("score.segment"),
        list(segments),
        format_func=lambda key: segments[key].name[language],
        key="intake-segment",
        **kept,
    )
    output = second.number_input(t("score.output"), 0.1, 1000.0, 6.0, 0.5, key="intake-output", **kept)
    project = {"segment": segment, "output_100m_yuan": f"{output:g}"}
    estimated = t("score.estimated")
    for column, key in zip(rest, ("land_mu", "power_mva", "energy_gwh", "max_minutes"), strict=True):
        given = column.text_input(t(f"score.{key}"), placeholder=estimated, key=f"intake-{key}", **kept)
        if given.strip():
            project[key] = given
    return project


def _verdict(found: Appraisal) -> None:
    st.info(found.verdicts[f"sentence_{state.language()}"].iloc[0], icon=":material/flag:")


def _named(found: Appraisal) -> pd.DataFrame:
    names = cached.layer_table("sites").set_index("id")[f"name_{state.language()}"]
    return found.scores.assign(site_label=found.scores["site"].map(names))


def _ranking(found: Appraisal) -> None:
    scores = _named(found)
    best = scores[scores["eligible"]].head(12)
    if best.empty:
        return
    st.altair_chart(score_chart(best), width="stretch")
    columns = {"site_label": "col.site", "score": "col.score", "interval": "col.interval", "chance_first": "col.chance"}
    columns |= {"chance_top3": "score.top3", "land": "score.land", "energy": "score.energy"}
    columns |= {"reach": "score.reach", "chain": "score.chain", "assumed": "match.assumed"}
    table = best.assign(interval=[f"{row.low:.0f}–{row.high:.0f}" for row in best.itertuples()])
    config: dict[str, Any] = {key: st.column_config.Column(t(label)) for key, label in columns.items()}
    for key in ("score", "land", "energy", "reach", "chain"):
        config[key] = st.column_config.NumberColumn(t(columns[key]), format="%.1f")
    for key in ("chance_first", "chance_top3", "assumed"):
        config[key] = st.column_config.NumberColumn(t(columns[key]), format="percent")
    st.dataframe(table[list(columns)], hide_index=True, column_config=config)
    st.caption(t("score.chance_note"))
    refused = scores[~scores["eligible"]]
    reason = "reason_en" if state.language() == "en" else "reason"
    with st.expander(t("match.refused")):
        table = refused[["site_label", reason]].set_axis([t("col.site"), t("col.reason")], axis=1)
        st.dataframe(table, hide_index=True)


def _change(found: Appraisal) -> None:
    """What would put the second first, and how far the methods agree."""
    verdict = found.verdicts.iloc[0]
    if "second" not in verdict:
        return
    language, criteria = state.language(), catalog.criteria()
    names = cached.layer_table("sites").set_index("id")[f"name_{language}"]
    weight, number, agree = st.columns(3)
    name = criteria[verdict["weight_criterion"]].name[language] if verdict["weight_criterion"] else "–"
    change = verdict["weight_change"]
    weight.metric(t("score.weight_change"), "–" if pd.isna(change) else f"{name} ±{change:.2f}")
    needed = verdict["datum_needed"]
    unit = verdict[f"datum_unit_{language}"]
    declared = criteria.get(verdict["datum"]) or catalog.attributes().get(verdict["datum"])
    told = declared.name[language] if declared else "–"
    number.metric(
        t("score.datum", site=names[verdict["second"]]), "–" if pd.isna(needed) else f"{needed:g} {unit}", help=told
    )
    agree.metric(t("score.agreement"), f"{verdict['agreement']:.2f}", help=t("score.agreement_help"))
    rows = [(t(f"method.{method}"), names[verdict[f"by_{method}"]]) for method in METHODS]
    st.dataframe(pd.DataFrame(rows, columns=[t("score.method"), t("score.first_by")]), hide_index=True)


def _needs(found: Appraisal) -> None:
    """What the project was taken to need, given or estimated, and what that means for power and energy."""
    needs, language = found.needs.iloc[0], state.language()
    rows = []
    for key in ("land_mu", "power_mva", "energy_gwh"):
        bounds = " – ".join(f"{needs[f'{key}_{end}']:,.1f}" for end in ("low", "likely", "high"))
        rows.append((t(f"score.{key}"), bounds, t("score.given" if needs[f"{key}_given"] else "score.estimated")))
    bounds = " – ".join(f"{needs[f'bill_10k_yuan_{end}']:,.0f}" for end in ("low", "likely", "high"))
    rows.append((t("score.bill"), bounds, needs["tariff"]))
    rows.append((t("score.voltage"), f"{needs['voltage_kv']} kV", t("score.dual") if needs["dual_supply"] else ""))
    st.dataframe(pd.DataFrame(rows, columns=[t("score.quantity"), t("data.range"), t("score.basis")]), hide_index=True)
    st.caption(t("score.support", most=f"{needs['support_most_10k_yuan']:,.0f}", told=needs[f"support_{language}"]))
    st.caption(t("score.paste"))
    st.code(needs[f"review_{language}"], language=None, wrap_lines=True)
