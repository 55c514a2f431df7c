"""Other plans to set beside this one, what is traded for what, and how the plan stands when numbers are drawn."""

from __future__ import annotations

import math

import altair as alt
import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.match import asking, change, edit, plan, portfolio
from app.widgets import plain
from geo_cluster import toml
from geo_cluster.region import pool_name
from geo_cluster.report import comparison, explanation
from geo_cluster.report.comparison import Other, PlanStability
from geo_cluster.report.tables import words_of
from geo_cluster.study import Study
from geo_cluster.world import layers

MANY = 100
"""With more projects than this, who would walk away takes minutes to find: only when asked."""


def others(study: Study) -> None:
    """Alternatives nearly as good and the fronts, on request; one of them compared and adopted."""
    st.caption(t("match.others_note"))
    first, second, run = st.columns([1.4, 1.4, 1], vertical_alignment="bottom")
    count = first.slider(t("match.count"), 1, 6, 3, key="others-count", persist_state="session")
    within = second.slider(t("match.within"), 0.5, 10.0, 2.0, 0.5, key="others-within", persist_state="session")
    begin = run.button(t("match.others_run"), icon=":material/alt_route:", width="stretch")
    found = asking.ended(comparison.other_plans, study, count, within / 100, begin=begin)
    if found is None:
        return
    plans: tuple[Other, ...] = found.answer
    _fronts(plans)
    plans = comparison.distinct(plans)
    _list(plans, len(study.projects))
    labels = [_label(one) for one in plans]
    at = st.selectbox(t("match.choose_plan"), range(1, len(plans)), format_func=lambda number: labels[number])
    if at is None:
        st.info(t("match.no_others"))
        return
    _chosen(study, plans[at], labels[at])


def _label(one: Other) -> str:
    plan = t(f"match.other_{one.kind}", value=one.value)
    return t("match.other", plan=plan, objective=one.objective, elsewhere=one.elsewhere)


def _fronts(plans: tuple[Other, ...]) -> None:
    """Objective against commuting, division of labour, balance; hollow points are not proven, whiskers their bounds."""
    kinds = ("commuting", "division", "balance")
    for place, kind in zip(st.columns(3), kinds, strict=True):
        rows = [one for one in plans if one.kind == kind]
        if not rows:
            continue
        with place:
            st.subheader(t(f"match.front_{kind}"), anchor=False)
            is_complete = all(one.complete for one in rows)
            if not is_complete:
                st.caption(t("match.not_complete"))
            if len({(round(one.value), round(one.objective, 1)) for one in rows}) > 1:
                st.altair_chart(_front(rows, kind), width="stretch")
            elif is_complete:
                st.text(t(f"match.only_{kind}", value=rows[0].value, objective=rows[0].objective))


def _list(plans: tuple[Other, ...], projects: int) -> None:
    """Every plan found, the study's own first; a bound only where it is what is left to prove."""
    table = pd.DataFrame(
        [
            (
                t(f"match.other_{one.kind}", value=one.value),
                one.objective,
                None if one.proven else one.bound,
                t("match.of", n=round(one.elsewhere * projects), of=projects),
                None if math.isnan(one.overlap) else one.overlap,
                t(f"match.is_{one.proven}"),
            )
            for one in plans
        ],
        columns=["plan", "objective", "bound", "elsewhere", "overlap", "proof"],
    )
    config = {
        "plan": st.column_config.Column(t("match.plan")),
        "objective": st.column_config.NumberColumn(t("match.objective"), format="%,.1f"),
        "bound": st.column_config.NumberColumn(t("match.bound_now"), format="%,.1f"),
        "elsewhere": st.column_config.Column(t("match.elsewhere")),
        "overlap": st.column_config.NumberColumn(t("match.overlap"), format="%.2f", help=t("match.overlap_help")),
        "proof": st.column_config.Column(t("match.proof"), help=t("match.proof_of_others")),
    }
    st.dataframe(table, hide_index=True, column_config=config, placeholder="—")


def _front(rows: list[Other], kind: str) -> alt.LayerChart:
    page = toml.table("style")["page"]
    table = pd.DataFrame(
        {
            "value": [one.value for one in rows],
            "objective": [one.objective for one in rows],
            "bound": [one.bound for one in rows],
            "fill": [page["accent"] if one.proven else "#ffffff" for one in rows],
            "proof": [t(f"match.is_{one.proven}") for one in rows],
            "overlap": [one.overlap for one in rows],
        }
    )
    axis = alt.Axis(format=",.0f", tickCount=6, tickMinStep=1)
    base = alt.Chart(table).encode(x=alt.X("value:Q", title=t(f"match.axis_{kind}"), axis=axis))
    y = alt.Y(
        "objective:Q",
        title=t("match.objective"),
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=",.1~f", tickCount=5),
    )
    line = base.mark_line(color="#b9d5d6", strokeWidth=2).encode(y=y)
    whisker = base.mark_rule(color=page["warning"], strokeDash=[3, 2]).encode(y=y, y2="bound:Q")
    tips = [
        alt.Tooltip("value", title=t(f"match.axis_{kind}"), format=",.0f"),
        alt.Tooltip("objective", title=t("match.objective"), format=",.1f"),
        alt.Tooltip("bound", title=t("match.bound_now"), format=",.1f"),
        alt.Tooltip("overlap", title=t("match.overlap"), format=".2f"),
        alt.Tooltip("proof", title=t("match.proof")),
    ]
    dots = base.mark_point(size=90, filled=True, stroke=page["accent"], strokeWidth=2, opacity=1).encode(
        y=y, fill=alt.Fill("fill:N", scale=None), tooltip=tips
    )
    return (line + whisker + dots).properties(height=230)


def _chosen(study: Study, one: Other, label: str) -> None:
    """One plan beside the study's: what would change; adopt it as locks."""
    after = comparison.with_plan(study, one.site)
    loss, act = st.columns([4, 1], vertical_alignment="center")
    loss.text(t("match.give_up", loss=study.plan.objective - one.objective, elsewhere=one.elsewhere))
    rows, note = plan.locks(comparison.plan_locks(after)), t("match.adopted", plan=label)
    act.button(
        t("match.adopt"),
        icon=":material/check:",
        width="stretch",
        help=t("match.adopt_help"),
        disabled=not portfolio.is_of(study),
        on_click=edit.keep(lambda: state.change(note, locked=rows, forbidden=[])),
    )
    change.show(comparison.difference_table(study, after), study, after)
    change.both_plans(after, study)


def feasible_share(study: Study) -> tuple[str, str]:
    """In what share of the draws the plan is feasible, for the headline, what that means, which pool is short first."""
    table = _feasibility(study)
    if table.empty:
        return "—", t("match.all_out")
    meaning = t("match.feasible_share_help", draws=study.scenario.draws)
    return f"{1 - table['breaks'].iloc[0]:.0%}", meaning + _first(table)


def seldom(study: Study) -> str:
    """What to think of a plan that is feasible in fewer than half of the draws; nothing of a safer one."""
    table = _feasibility(study)
    if table.empty or (share := 1 - table["breaks"].iloc[0]) >= explanation.SELDOM:
        return ""
    level = layers.words("planning_level")[study.scenario.planning_level][session.language()]
    return t("match.seldom", share=share, level=level) + _first(table)


def _feasibility(study: Study) -> pd.DataFrame:
    """The plan when numbers are drawn: its own row, then the pools that break, in the reader's words."""
    table, language = cached.asked(explanation.feasibility_table, study), session.language()
    if table.empty:
        return table
    label = [
        f"{pool_name(study.region, row.resource, row.pool)[language]} · {words_of(row.resource, language)[0]}"
        if row.pool
        else ""
        for row in table.itertuples()
    ]
    over = [f"{row.over:,.1f} {words_of(row.resource, language)[1]}" if row.pool else "" for row in table.itertuples()]
    return table.assign(pool=label, over=over)


def _first(table: pd.DataFrame) -> str:
    """Which pool gives way first; nothing when none does."""
    broken = float(table["breaks"].iloc[0])
    if len(table) < 2 or not broken:
        return ""
    return t("match.breaks_first", pool=plain(table["pool"].iloc[1]), share=table["first"].iloc[1] / broken)


def robustness(study: Study) -> None:
    """How the plan stands when numbers are drawn, and when firms and cities may walk away together."""
    table = _feasibility(study)
    if table.empty:
        return
    text = t("match.feasible_text", share=1 - table["breaks"].iloc[0], draws=study.scenario.draws)
    st.info(text + _first(table), icon=":material/casino:")
    if len(table) > 1:
        shown = table.iloc[1:][["pool", "breaks", "first", "over"]]
        config = {
            "pool": st.column_config.Column(t("col.pool")),
            "breaks": st.column_config.NumberColumn(t("match.breaks"), format="percent"),
            "first": st.column_config.NumberColumn(t("match.first_breaks"), format="percent"),
            "over": st.column_config.Column(t("match.over")),
        }
        st.dataframe(shown, hide_index=True, column_config=config)
    st.subheader(t("match.stable"), anchor=False)
    begin = len(study.projects) <= MANY and cached.question(comparison.plan_stability, study) is None
    begin = begin or (len(study.projects) > MANY and st.button(t("match.stable_run"), icon=":material/group:"))
    if found := asking.ended(comparison.plan_stability, study, begin=begin):
        _stable(study, found.answer)


def _stable(study: Study, found: PlanStability | None) -> None:
    if found is None:
        return
    names = edit.site_names(study) | {"": t("match.nowhere")}
    count = len(found.blocking)
    sentence = t("match.blocking", n=count) if count else t("match.no_blocking")
    if count:
        key = "match.stability_cost" if not found.remaining else "match.stability_none"
        sentence += t(key, cost=found.cost, n=found.remaining)
    st.text(sentence)
    st.caption(t("match.stable_note"))
    if not count:
        return
    shown = found.blocking.assign(**{key: found.blocking[key].map(names) for key in ("from", "to")})
    projects, comma = study.projects["name"], t("comma")
    shown["displaced"] = [comma.join(projects[list(ids)]) for ids in shown["displaced"]]
    heads = ["match.project", "match.from", "match.rather", "match.displaced"]
    shown = shown[["project_name", "from", "to", "displaced"]].set_axis([t(key) for key in heads], axis=1)
    st.dataframe(shown, hide_index=True, height=min(36 * (count + 1) + 2, 330))
