"""What changed from one plan to another: who moved, how its score changed, and why."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached, state
from app.views import match_edit
from app.widgets import show_map, t, told_of
from geo_cluster.report import comparison, tables
from geo_cluster.study import Study


def changes(study: Study) -> None:
    """The difference to the plan before."""
    before = state.previous_study()
    if before is None or before.key == study.key:
        st.info(t("match.no_before"), icon=":material/compare_arrows:")
        return
    gain = study.plan.objective - before.plan.objective
    table = comparison.difference_table(before, study)
    more = placed(before, study)
    st.markdown(
        t("match.changed_told", n=len(table), before=told_of(before), after=told_of(study), gain=gain, placed=more)
    )
    show(table, before, study)
    both_plans(study, before)


def placed(before: Study, after: Study) -> str:
    """How many more or fewer projects have a place."""
    more = len(tables.assignment(after)) - len(tables.assignment(before))
    return t(f"match.placed_{'same' if not more else 'more' if more > 0 else 'less'}", n=abs(more))


def both_plans(study: Study, before: Study) -> None:
    """Both plans on one map."""
    sites = dict(zip(tables.assignment(before)["project"], tables.assignment(before)["site"], strict=True))
    source = cached.compared_map(study, state.language(), sites)
    show_map(source, key="compared-map", height=460)


def show(table: pd.DataFrame, before: Study, after: Study) -> None:
    """A difference as a table."""
    if table.empty:
        st.caption(t("match.same_plan"))
        return
    names = match_edit.site_names(before) | match_edit.site_names(after) | {"": t("match.nowhere")}
    why = "why_en" if state.language() == "en" else "why"
    shown = table.assign(**{key: table[key].map(lambda one: names.get(one, one)) for key in ("from", "to")})
    columns = {"project_name": "match.project", "from": "match.from", "to": "match.to", "score_before": "match.before"}
    columns |= {"score_after": "match.after", "change": "match.score_change", why: "match.reason"}
    config = {
        key: st.column_config.NumberColumn(t(columns[key]), format="%.1f") for key in ("score_before", "score_after")
    }
    config["change"] = st.column_config.NumberColumn(t("match.score_change"), format="%+.1f")
    widths = {"from": "medium", "to": "medium", why: "large"}
    config |= {
        key: st.column_config.Column(t(label), width=widths.get(key))  # type: ignore[arg-type]
        for key, label in columns.items()
        if key not in config
    }
    st.dataframe(shown[list(columns)], hide_index=True, column_config=config, placeholder="—")
