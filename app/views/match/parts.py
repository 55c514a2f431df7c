"""Phases of one project, and projects that may be split over two sites: what is asked for, and where the parts went."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app import session, state
from app.session import t
from app.views.match import asking, edit, portfolio
from geo_cluster.domain import ProjectParts
from geo_cluster.report import explanation
from geo_cluster.report import parts as report
from geo_cluster.study import Study

_SPLIT, _MOST_PHASES = "split", 10


def panel() -> None:
    """What is asked for, each to be taken out, and the fields of one more."""
    said, names, language = state.work().scenario.parts, portfolio.names(), session.language()
    with st.expander(t("parts.title", n=len(said)), key="parts", icon=":material/account_tree:"):
        st.caption(t("parts.note"))
        for number, one in enumerate(said):
            what, drop = st.columns([5, 1], vertical_alignment="center")
            listed = t("comma").join(f"{project} {names.get(project, '')}".strip() for project in one.projects)
            what.text(
                f"{report.said(one)[language]}：{listed}" if language == "zh" else f"{report.said(one).en}: {listed}"
            )
            drop.button(t("parts.drop"), key=f"parts-drop-{number}", on_click=edit.keep(_dropped(number)))
        _more(said, names)


def _more(said: tuple[ProjectParts, ...], names: dict[str, str]) -> None:
    """Fields of one more; projects that are parts already aren't offered."""
    language, taken = session.language(), {project for one in said for project in one.projects}
    how, which, finer, add = st.columns([2, 3, 2, 1], vertical_alignment="bottom")
    rule = how.selectbox(
        t("parts.rule"), list(report.RULES), format_func=lambda one: report.RULES[one][language], key="parts-rule"
    )
    open_ = {one: f"{one} {name}" for one, name in names.items() if one not in taken}
    which.multiselect(
        t("parts.projects"),
        list(open_),
        format_func=lambda one: open_.get(one, one),
        max_selections=1 if rule == _SPLIT else _MOST_PHASES,
        help=t("parts.projects_help"),
        placeholder=t("parts.choose"),
        key=f"parts-projects-{rule == _SPLIT}",
    )
    if rule == _SPLIT:
        finer.number_input(t("parts.into"), 2, 5, 2, help=t("parts.into_help"), key="parts-into")
    else:
        finer.checkbox(t("parts.one_site"), key="parts-one-site")
    add.button(t("parts.add"), key="parts-add", on_click=edit.keep(_added), width="stretch")


def _added() -> None:
    """Put what the fields say into the scenario."""
    rule = session.chosen("parts-rule")
    key = f"parts-projects-{rule == _SPLIT}"
    row: dict[str, Any] = {"projects": session.chosen(key), "rule": rule}
    row |= {"into": session.chosen("parts-into")} if rule == _SPLIT else {"one_site": session.chosen("parts-one-site")}
    _change([*_rows(), row])
    session.put(key, [])


def _dropped(number: int) -> Any:
    return lambda: _change([one for at, one in enumerate(_rows()) if at != number])


def _rows() -> list[dict[str, Any]]:
    return [one.model_dump() for one in state.work().scenario.parts]


def _change(rows: list[dict[str, Any]]) -> None:
    state.change(t("parts.changed"), parts=rows)


def _named(cell: str, names: dict[str, str]) -> str:
    """`1/2 X1; 1/2 X2` with the names of the sites; a whole one is its site."""
    parted = [one.split(" ", 1) for one in cell.split("; ") if one]
    return t("semicolon").join(f"{part} {names[site]}".removeprefix("1 ") for part, site in parted)


def plan_table(study: Study) -> None:
    """Where the parts went, and on request what asking for them costs; nothing where nothing is asked for."""
    if not study.parts:
        return
    language, table = session.language(), report.parts_table(study)
    names = dict(zip(study.sites["id"], study.sites[f"name_{language}"], strict=True))
    shown = {
        t("parts.projects"): table["projects"].str.replace(";", t("comma")),
        t("parts.rule"): table[f"rule_{language}"],
        t("parts.placed"): [t("parts.count", placed=row.placed, of=row.of) for row in table.itertuples()],
        t("parts.sites"): [_named(cell, names) for cell in table["sites"]],
    }
    st.subheader(t("parts.table"), anchor=False)
    begin = st.button(t("parts.worth"), icon=":material/sell:")
    if found := asking.ended(explanation.parts_worth, study, begin=begin):
        worth = found.answer.set_index("projects").reindex(table["projects"])
        for key in ("cost", "apart"):
            shown[t(f"parts.{key}")] = [_points(value) for value in worth[key]]
    st.dataframe(shown, hide_index=True, alt=t("parts.table"))


def _points(value: float) -> str:
    """Points as people read them; what time didn't reach is left open."""
    return "—" if np.isnan(value) else t("parts.never") if np.isinf(value) else f"{value:,.1f}"
