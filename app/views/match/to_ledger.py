"""Projects of a plan go into the ledger of projects under way, with their site and what they are promised."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.match import edit
from app.widgets import plain, text_table
from geo_cluster.policy.ledger import PROMISED, Entry, same
from geo_cluster.report import tables
from geo_cluster.report.promised import promised_table
from geo_cluster.study import ENDS, Study
from geo_cluster.workspace.under_way import Change
from geo_cluster.world import catalog, layers


def send(study: Study) -> None:
    """Choose projects that have a site, and send them; those that are there already are told."""
    if not state.person().may("planner"):
        return
    with st.expander(t("ledger.send"), icon=":material/playlist_add:"):
        st.caption(t("ledger.send_how"))
        _, kept = cached.ledger_now()
        there = {same(one.entry.name) for one in kept.values() if one.entry}
        plan, names = tables.assignment(study), edit.site_names(study)
        at = dict(zip(plan["project"], plan["site"], strict=True))
        called = study.projects["name"]
        free = [one for one in at if same(called[one] or one) not in there]
        known = [called[one] for one in at if one not in free]
        if known:
            st.caption(plain(t("ledger.sent_known", names=t("comma").join(known))))
        picked = st.multiselect(
            t("ledger.send_which"),
            free,
            format_func=lambda one: f"{called[one] or one} → {names[at[one]]}",
            key=f"ledger-send-{study.key}",
        )
        if st.button(t("ledger.send_go", n=len(picked)), disabled=not picked, key="ledger-send-go"):
            state.ledger().save(
                [Change(secrets.token_hex(4), _entry(study, one, at[one]), 0) for one in picked],
                note=t("ledger.send_note", id=study.scenario.id),
            )
            st.toast(t("ledger.sent", n=len(picked)), icon=":material/check:")
            st.rerun()


def _entry(study: Study, project: str, site: str) -> Entry:
    """A project of the plan as one under way: in talks, with what it was planned with at its site."""
    row, end = study.projects.loc[project], ENDS[study.scenario.planning_level]
    at = study.projects.index.get_loc(project)
    site_row = study.sites.set_index("id").loc[site]
    promised: dict[str, Any] = {
        column: round(float(study.facts.needs[catalog.resources()[name].need][at, end]), 2)
        for name, column in PROMISED.items()
        if name in catalog.resources() and _draws(study, name, site)
    }
    invested = row.get("investment_100m_yuan_likely")
    level = layers.words("planning_level")[study.scenario.planning_level][session.language()]
    return Entry(
        name=str(row["name"] or project),
        city=str(site_row["prefecture_code"]),
        site=site,
        stage="talks",
        planned={} if row.isna()["year"] else {"production": str(int(row["year"]))},
        investment_100m_yuan=None if invested is None or invested != invested else round(float(invested), 4),
        source=t("ledger.send_source", id=study.scenario.id, day=study.day, level=level),
        **promised,
    )


def _draws(study: Study, resource: str, site: str) -> bool:
    """Whether a project at a site takes of a resource there: none takes land in a standard factory."""
    place = study.sites["id"].tolist().index(site)
    return any(one.pool[place] >= 0 for one in study.resources if one.name.partition(":")[0] == resource)


def story(study: Study) -> None:
    """What was promised to projects under way before this plan, pool by pool."""
    table = promised_table(study, session.language())
    if table.empty:
        return
    st.caption(t("ledger.pools"))
    heads = [
        t("col.pool"),
        t("match.resource"),
        t("ledger.pools.amount"),
        t("ledger.col.name"),
        t("ledger.pools.source"),
    ]
    text_table(
        heads,
        [(row.pool, row.kind, f"{row.amount:,.1f} {row.unit}", row.project, row.source) for row in table.itertuples()],
    )
