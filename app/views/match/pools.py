"""The resources as gauges, the value of one more unit, and what if a pool had another amount."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.charts import BY_ROW, ROWS, Figure, draw, pool_chart
from app.session import t
from app.texts import short
from app.views.match import asking, change, edit, to_ledger
from app.widgets import plain
from geo_cluster import toml
from geo_cluster.region import pool_name
from geo_cluster.report import comparison, explanation, over_time, what_if
from geo_cluster.report.tables import pool_title, words_of
from geo_cluster.study import Study
from geo_cluster.world import catalog, layers

FULLEST = 9
"""Pools that the gauges show unless all are asked for."""

SOLVED = 6
"""Pools that bind and are solved again for."""
NAMED = 3
"""Pools that bind and are named in the sentence above the gauges."""
MOST = 2.0
"""Where the gauges end, as a share of what was planned with."""


def _table(study: Study) -> pd.DataFrame:
    language = session.language()
    table = cached.asked(explanation.gauge_table, study)
    words = layers.words("basis")
    table = table.assign(label=table[f"pool_{language}"], basis_label=[words[one][language] for one in table["basis"]])
    said = [words_of(one, language) for one in table["resource"]]
    table["kind"], table["unit"] = [offer for offer, _ in said], [unit for _, unit in said]
    table["gauge"] = table["kind"] + " · " + table["label"].map(short)
    return table


def stuck_at(study: Study) -> tuple[str, str]:
    """The pool that most projects wait for, in a few words, and all that is to say of pools that bind."""
    table = _table(study)
    binding = table[table["waiting"] > 0].sort_values("waiting", ascending=False)
    if binding.empty:
        away = explanation.away_from_best(study)
        said = t("match.none_binding_away", n=away) if away else t("match.none_binding")
        return t("match.stuck_nowhere"), said
    wanted = [t("match.binding_one", pool=row.gauge, n=row.waiting) for row in binding.head(NAMED).itertuples()]
    key = "match.binding_most" if len(binding) > NAMED else "match.binding"
    first = binding.iloc[0]
    return f"{short(first['label'])} · {first['kind']}", t(key, n=len(binding), pools=t("comma").join(wanted))


def _gauges_of(study: Study, table: pd.DataFrame) -> None:
    """The fullest pools, and which of them bind."""
    st.subheader(t("match.gauges"), anchor=False)
    st.caption(plain(stuck_at(study)[1]))
    used = table[(table["used"] > 0) | (table["waiting"] > 0)].head(FULLEST)
    with st.container(key="gauges"):
        if st.toggle(t("match.gauges_all", n=len(table)), key="gauges-all", persist_state="session"):
            used = table
        if len(used):
            with st.container(height="content" if len(used) <= FULLEST else 360, border=False):
                draw(_gauge_chart(used))
            st.caption(t("match.gauge_note"))
    basis = layers.words("basis")
    colours = toml.table("style")["evidence"]
    chips = "".join(
        f'<span class="gc-chip"><i style="background:{colours[one]}"></i>{basis[one][session.language()]}</span>'
        for one in colours
        if one in set(used["basis"])
    )
    st.html(f'<div class="gc-chips">{chips}</div>')


def _gauge_chart(pools: pd.DataFrame) -> Figure:
    """Used as a share of what was planned with; behind it what the pool may have, in the colour of its evidence."""
    most = MOST
    planned = pools["planned"].where(pools["planned"] > 0)  # of nothing there are no shares to draw
    pools = pools.assign(
        a=(pools["low"] / planned).clip(upper=most).fillna(0.0),
        b=(pools["high"] / planned).clip(upper=most).fillna(0.0),
        full=(pools["used"] / planned).clip(upper=most).fillna(0.0),
        beyond=np.where(pools["high"] > MOST * planned, "▸", ""),
        percent=[f"{a:.0%}" if b > 0 else t("match.gauge_none") for a, b in zip(pools["share"], planned, strict=True)],
    )
    return Figure(pools, _gauges, (max(len(pools), 2),))


def _gauges(rows: int) -> alt.LayerChart:
    style, most = toml.table("style"), MOST
    base = alt.Chart(ROWS).encode(y=alt.Y("gauge:N", sort=BY_ROW, title=None, axis=alt.Axis(labelLimit=300)))
    evidence = style["evidence"]
    colour = alt.Color("basis:N", scale=alt.Scale(domain=list(evidence), range=list(evidence.values())), legend=None)
    axis = alt.Axis(format=".0%", values=[0, 0.5, 1, 1.5, 2], grid=True)
    x = alt.X("a:Q", title=None, scale=alt.Scale(domain=[0, most]), axis=axis)
    tips = [alt.Tooltip("gauge:N", title=t("col.pool"))]
    tips += [
        alt.Tooltip(f"{key}:Q", title=t(f"col.{key}"), format=",.1f") for key in ("low", "planned", "high", "used")
    ]
    tips += [alt.Tooltip("waiting:Q", title=t("match.waiting")), alt.Tooltip("basis_label:N", title=t("col.basis"))]
    span = base.mark_bar(height=17, opacity=0.8).encode(x=x, x2="b:Q", color=colour, tooltip=tips)
    used = base.mark_bar(height=8, color=style["page"]["accent"]).encode(x="full:Q", tooltip=tips)
    tick = base.mark_tick(thickness=2.5, size=20, color=style["page"]["ink"]).encode(x=alt.datum(1))
    beyond = base.mark_text(align="right", dx=1, color=style["page"]["ink"], fontSize=15).encode(
        x=alt.datum(most), text="beyond:N"
    )
    text = base.mark_text(align="right", dx=-12, color=style["page"]["ink"], fontSize=11).encode(
        x=alt.datum(most), text="percent:N"
    )
    return (span + used + tick + beyond + text).properties(height=32 * rows + 26)


def pools(study: Study) -> None:
    """Every pool: how full, what if, the value of one more unit, year by year."""
    table = _table(study)
    _gauges_of(study, table)
    to_ledger.story(study)
    _what_if(study, table)
    _capacity_value(study, table)
    _years(study)
    st.caption(t("match.pool_note"))
    for resource, kind in catalog.resources().items():
        mine = table["resource"].str.partition(":")[0] == resource
        rows = table[mine & ((table["used"] > 0) | (kind.subject != "site"))]
        if len(rows):
            st.subheader(kind.offer_title(session.language()), anchor=False)
            draw(pool_chart(folded(rows.sort_values("used", ascending=False, kind="stable"))))


def folded(rows: pd.DataFrame) -> pd.DataFrame:
    """Pools that nothing takes of and that have the same amounts on the same evidence as one row."""
    keys = ["low", "planned", "high", "basis"]
    alike = rows[rows["used"] == 0].groupby(keys)["label"].transform("size")
    many = rows.index.isin(alike[alike > 1].index)
    first = rows[many].drop_duplicates(keys)
    labels = [
        f"{t('match.folded', n=alike[at])} · {row.low:,.0f}–{row.planned:,.0f}–{row.high:,.0f} {row.unit} · "
        f"{row.basis_label}"
        for at, row in zip(first.index, first.itertuples(), strict=True)
    ]
    return pd.concat([rows[~many], first.assign(label=labels)])


def _years(study: Study) -> None:
    """Pools in use, year by year: what is drawn of what there is, and when more arrives."""
    years, language = over_time.pool_years(study), session.language()
    ever: pd.DataFrame = years.groupby(["resource", "pool"], sort=False)[["used", "arrives"]].max().reset_index()
    ever = ever[(ever["used"] > 0) | (ever["arrives"] > 0)].sort_values("arrives", ascending=False, kind="stable")
    if ever.empty:
        return
    st.subheader(t("match.pool_years"), anchor=False)
    rows = []
    for one in ever.itertuples():
        mine = years[(years["resource"] == one.resource) & (years["pool"] == one.pool)]
        kind, more = catalog.known_kind(one.resource), mine["arrives"].diff().fillna(mine["arrives"]) > 0
        cells = [
            f"{used:,.{kind.digits}f} / {planned:,.{kind.digits}f}{' ▲' if arrived else ''}"
            for used, planned, arrived in zip(mine["used"], mine["planned"], more, strict=True)
        ]
        pool = pool_name(study.region, one.resource, one.pool)[language]
        rows.append((pool, pool_title(one.resource, language), *cells))
    heads = [t("col.pool"), t("match.resource"), *(str(year) for year in sorted(set(years["year"])))]
    height = min(36 * (len(rows) + 1) + 2, 440)
    st.dataframe(pd.DataFrame(rows, columns=heads), hide_index=True, height=height, alt=t("match.pool_years"))
    st.caption(t("match.pool_years_note"))


def _capacity_value(study: Study, table: pd.DataFrame) -> None:
    """The value of one more unit of each binding pool, by solving again."""
    binding = table[table["waiting"] > 0].sort_values("waiting", ascending=False).head(SOLVED)
    if binding.empty:
        return
    st.subheader(t("match.capacity_value"), anchor=False)
    label = t("match.capacity_step")
    step = st.number_input(label, 1.0, 10_000.0, 10.0, 5.0, key="capacity-step", persist_state="session")
    begin = st.button(t("match.capacity_run"), icon=":material/add_circle:")
    keys = tuple(zip(binding["resource"], binding["pool"], strict=True))
    found = asking.ended(explanation.pool_values, study, keys, step, begin=begin)
    if found is None:
        return
    rows = [
        (row.label, row.kind, f"+{step:g} {row.unit}", round(gain, 2), t(f"match.is_{proven}"))
        for row, (gain, proven) in zip(binding.itertuples(), found.answer, strict=True)
    ]
    heads = ["col.pool", "match.resource", "match.more_units", "match.gain", "match.proof"]
    st.dataframe(pd.DataFrame(rows, columns=[t(key) for key in heads]), hide_index=True)
    st.caption(t("match.capacity_note", n=len(rows)))


def _what_if(study: Study, table: pd.DataFrame) -> None:
    """Another amount in one pool: who gets in, who loses its place, and whether to keep the number."""
    st.subheader(t("match.what_if"), anchor=False)
    choose, amount, run = st.columns([2.4, 1.4, 1], vertical_alignment="bottom")
    keys = [f"{row.resource}·{row.pool}" for row in table.itertuples()]
    labels = dict(zip(keys, table["gauge"], strict=True))
    key = choose.selectbox(
        t("col.pool"), keys, format_func=lambda one: labels.get(one, one), key="what-if-pool", persist_state="session"
    )
    row = table.iloc[keys.index(key)]
    value = amount.number_input(
        t("match.amount", unit=row["unit"]),
        min_value=0.0,
        value=float(round(row["planned"], 2)),
        step=float(max(round(row["planned"] / 10, 1), 1.0)),
        key=f"what-if-{key}",
        help=t("match.amount_help", low=row["low"], planned=row["planned"], high=row["high"]),
    )
    asked = (study.key, key, value)
    if begin := run.button(t("match.try"), icon=":material/experiment:", width="stretch"):
        session.keep("what-if", asked)
    if session.kept("what-if") != asked:
        return
    trial = what_if.pool_scenario(
        study, resource=row["resource"], pool=row["pool"], amount=value, source=t("match.supposed")
    )
    job = cached.jobs().start(trial) if begin else cached.jobs().find(trial)
    if job is None or not asking.shown(job, soon=begin):
        return
    after = job.study
    if after is None:
        if job.refusal is not None:
            raise job.refusal
        st.info(t("match.stopped"), icon=":material/stop_circle:")
        return
    gain, placed = after.plan.objective - study.plan.objective, change.placed(study, after)
    st.text(t("match.what_if_text", pool=row["gauge"], amount=value, unit=row["unit"], gain=gain, placed=placed))
    change.show(comparison.difference_table(study, after), study, after)
    _keep(study, row, value)


def _keep(study: Study, row: pd.Series, value: float) -> None:
    """Keep the number, with who said so."""
    who, act = st.columns([3, 1], vertical_alignment="bottom")
    source = who.text_input(t("match.source"), placeholder=t("match.source_hint"), key="what-if-source")
    note = t("match.kept", pool=row["gauge"], amount=value, unit=row["unit"])
    basis = "reported" if source.strip() else "assumed"
    own = max(value - over_time.beside(study, row["resource"], row["pool"]), 0.0)
    known = what_if.known_with(
        state.work().scenario.known,
        resource=row["resource"],
        pool=row["pool"],
        bounds=own,
        source=source.strip() or t("match.supposed"),
        basis=basis,
    )
    rows = [one.model_dump() for one in known]
    act.button(
        t("match.keep_number"),
        icon=":material/push_pin:",
        width="stretch",
        help=t("match.keep_number_help"),
        on_click=edit.keep(lambda: state.change(note, known=rows)),
    )
