"""The three lists, what changed since last week, the weekly paper, and what was said in public."""

from __future__ import annotations

import datetime

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.views.delivery.ledger_shown import Shown
from app.widgets import plain, text_table
from geo_cluster.export.ledger_book import statements_book, statements_frame
from geo_cluster.export.weekly import Week, weekly
from geo_cluster.policy.durations import conversion_note
from geo_cluster.policy.lists import LISTS, Change
from geo_cluster.policy.lists import changes as changed_since

MOST = 200
"""Rows of a list on screen; the workbook has them all."""


def lists(shown: Shown) -> None:
    """应开未开, 进度滞后, 未入库."""
    language = session.language()
    for name in LISTS:
        found = shown.lit.three[name]
        st.subheader(f"{t(f'ledger.{name}')} · {len(found)}", anchor=False)
        if not found:
            st.caption(t("ledger.list_none"))
            continue
        names = ("ledger.list.name", "ledger.col.city", "ledger.list.why", "ledger.col.unit", "ledger.col.owner")
        heads = [t(key) for key in names]
        rows = [
            (
                one.entry.name,
                shown.places.city_name(one.entry.city, language),
                one.why[language],
                one.entry.unit,
                one.entry.owner,
            )
            for one in found[:MOST]
        ]
        st.dataframe(pd.DataFrame(rows, columns=heads), hide_index=True, height=min(36 * (len(rows) + 1) + 2, 330))


def changes(shown: Shown) -> None:
    """What is other than it was a week ago, and the paper."""
    first = shown.day - datetime.timedelta(days=7)
    first = st.date_input(
        t("ledger.since"), first, max_value=shown.day, format="YYYY-MM-DD", key="ledger-since", width=220
    )
    found = _changed(shown, first)
    st.subheader(f"{t('ledger.week', day=first)} · {len(found)}", anchor=False)
    if found:
        language = session.language()
        text_table(
            [t("ledger.list.name"), t("ledger.change")], [(one.name, one.what[language]) for one in found[:MOST]]
        )
    else:
        st.caption(t("ledger.week_none"))
    week = Week(shown.projects, found, first, shown.day, shown.places, shown.rule)
    mark = f"{shown.seq}-{shown.day}-{first}-{shown.rule}-{session.language()}"
    if st.button(t("ledger.weekly_make"), icon=":material/description:", type="primary", key="ledger-weekly"):
        session.keep("ledger-weekly", (mark, weekly(week, session.language())))
    made = session.kept("ledger-weekly")
    if made and made[0] == mark:
        st.download_button(
            t("ledger.weekly"),
            made[1],
            file_name=f"weekly_{shown.day}.docx",
            icon=":material/download:",
            key="ledger-weekly-save",
            on_click="ignore",
        )


def _changed(shown: Shown, first: datetime.date) -> list[Change]:
    """What changed since the end of a day."""
    end = datetime.datetime.combine(first, datetime.time.max).astimezone()
    before = {id_: one.entry for id_, one in state.ledger().projects(at=end).items() if one.entry is not None}
    return changed_since(before, shown.projects, days=(first, shown.day), rule=shown.rule)


def stated(shown: Shown) -> None:  # noqa: ARG001
    """What was said in public of the policy's own projects."""
    language = session.language()
    st.caption(t("ledger.stated_note"))
    table = statements_frame(language)
    st.dataframe(table, hide_index=True, height=460, alt=t("ledger.tab.stated"))
    st.caption(plain(f"{t('ledger.conversion')}：{conversion_note()[language]}"))
    st.download_button(
        t("ledger.stated_save"),
        lambda: statements_book(language),
        file_name="policy_projects.xlsx",
        icon=":material/download:",
        key="ledger-stated-save",
        on_click="ignore",
    )
