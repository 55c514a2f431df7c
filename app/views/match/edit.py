"""Editable tables that follow the work: what is typed is kept at once, what changes elsewhere shows here."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.widgets import refusals
from geo_cluster.errors import Fault, GeoClusterError
from geo_cluster.study import Study
from geo_cluster.world import catalog

SHOWN_FAULTS = 12


@dataclass(frozen=True, eq=False)
class _Opened:
    """The rows that an editor was opened with; edits count from here until it is opened anew."""

    mark: str
    number: int
    rows: pd.DataFrame


def applied(rows: pd.DataFrame, edits: dict[str, Any]) -> pd.DataFrame:
    """Rows with what was edited in them: cells changed, rows taken out, rows added."""
    table = rows.copy()
    for position, cells in edits.get("edited_rows", {}).items():
        for column, value in cells.items():
            table.isetitem(table.columns.get_loc(column), _with(table[column], int(position), value))
    table = table.drop(table.index[edits.get("deleted_rows", [])])
    added = pd.DataFrame(edits.get("added_rows", []), columns=table.columns)
    return pd.concat([table, added], ignore_index=True) if len(added) else table.reset_index(drop=True)


def _with(column: pd.Series, position: int, value: Any) -> list[Any]:
    cells = column.tolist()
    cells[position] = value
    return cells


def opened(
    name: str, now: pd.DataFrame, *, mark: str, agrees: Callable[[pd.DataFrame], bool]
) -> tuple[pd.DataFrame, str]:
    """Rows and key to give to an editor.

    An editor that is given other rows forgets where the reader was. So it keeps the rows it was opened with for as long
    as these and its edits make up what the work says (`agrees`); after an undo or an import it is opened anew.
    """
    before: _Opened | None = session.kept(name)
    if before and before.mark == mark:
        key = f"{name}-{before.number}"
        if agrees(applied(before.rows, session.edits(key))):
            return before.rows, key
    number = before.number + 1 if before else 0
    session.keep(name, _Opened(mark, number, now))
    return now, f"{name}-{number}"


def keep(action: Callable[[], None]) -> Callable[[], None]:
    """A callback that remembers a refusal, to be shown on the page."""

    def tried() -> None:
        try:
            action()
        except GeoClusterError as refusal:
            session.keep("refused", refusal)

    return tried


def show_refusal() -> None:
    """What the last change was refused for, once."""
    refusal = session.kept("refused")
    if refusal is not None:
        session.keep("refused", None)
        with refusals():
            raise refusal


def told(faults: list[Fault], head: str, role: str) -> None:
    """Faults of a table, row by row, under a head."""
    if not faults:
        return
    rows = "".join(f"<li>{html.escape(str(session.words(fault)))}</li>" for fault in faults[:SHOWN_FAULTS])
    rest = len(faults) - SHOWN_FAULTS
    rows += f"<li>{t('match.more_faults', n=rest)}</li>" if rest > 0 else ""
    st.html(f'<div class="gc-faults" role="{role}"><b>{html.escape(head)}</b><ul>{rows}</ul></div>')


def setting(widget: str, field: str) -> Callable[[], None]:
    """A callback that puts what a widget says into the scenario."""
    note = t(f"match.changed_{field}")
    return keep(lambda: state.change(note, **{field: session.chosen(widget)}))


def shipped(widget: str) -> Callable[[], None]:
    """A callback that begins with a shipped scenario."""
    note = t("match.changed_scenario")
    return keep(lambda: state.change(note, **catalog.scenario(session.chosen(widget)).model_dump()))


def site_names(study: Study) -> dict[str, str]:
    """Names of a study's sites in the reader's language."""
    return study.sites.set_index("id")[f"name_{session.language()}"].to_dict()
