"""The plan in three numbers (how many are placed, how sure, what it is stuck at) and one badge with its proof."""

from __future__ import annotations

import streamlit as st

from app import session
from app.session import t
from app.views.match import others, pools
from app.widgets import plain
from geo_cluster.report import tables
from geo_cluster.study import Study


def numbers(study: Study) -> None:
    """Placed, chance that it holds, the pool most projects wait for."""
    placed, count = study.counts
    st.metric(t("match.placed"), f"{placed} / {count}", help=t("match.placed_help", most=study.most_placed))
    feasible, help_ = others.feasible_share(study)
    st.metric(t("match.feasible_share"), feasible, help=help_)
    stuck, more = pools.stuck_at(study)
    st.metric(t("match.stuck"), stuck, help=more)


def badge(study: Study) -> None:
    """How far the plan is proven, in a word; its details when asked for."""
    plan, count = study.plan, len(study.violations)
    if count:
        word, icon = t("match.check_bad", n=count), ":material/gpp_bad:"
    elif plan.status == "optimal":
        word, icon = t("match.optimal"), ":material/verified:"
    else:
        word, icon = t("match.gap_of", gap=plan.gap), ":material/gpp_maybe:"
    with st.popover(word, icon=icon, key="match-proof"):
        left, right = st.columns(2)
        left.metric(t("match.objective"), f"{plan.objective:,.1f}", help=t("match.objective_help"))
        right.metric(t("match.mean_score"), _mean(study), help=t("match.mean_score_help"))
        proof = t("match.optimal") if plan.status == "optimal" else t("match.feasible", gap=plan.gap)
        left.metric(t("match.proof"), proof)
        right.metric(t("match.check"), t("match.check_bad", n=count) if count else t("match.check_ok"))
        st.caption(plain(t("match.bound", bound=plan.bound, most=study.most_placed)))
        for violation in study.violations[:5]:
            st.text(str(violation))
        shares = study.observations["basis"].value_counts(normalize=True)
        st.caption(f"{t('match.assumed')} {shares.get('assumed', 0):.0%} · {plain(t('match.assumed_help'))}")
        if "data" in session.pages() and st.button(
            t("trust.link"), icon=":material/fact_check:", type="tertiary", help=t("trust.link_help"), key="match-trust"
        ):
            session.keep("data-open", "data.tab.trust")
            st.switch_page(session.pages()["data"])


def _mean(study: Study) -> str:
    """The mean score of the placed projects, of 100: a total with its bonus says little."""
    score = tables.assignment(study)["score"]
    return f"{score.mean():.1f}" if len(score) else "—"


def seldom(study: Study) -> None:
    """Warn of a plan that holds in few draws."""
    with st.container(key="match-seldom"):
        if said := others.seldom(study):
            st.warning(said, icon=":material/casino:")
