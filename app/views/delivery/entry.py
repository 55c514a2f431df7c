"""A table to fill in for the policy, typed or uploaded; it is checked as a whole and kept with the work."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app import session, state
from app.session import t
from app.views.delivery import entered
from app.widgets import listed, refusals, upload_words
from geo_cluster.errors import GeoClusterError
from geo_cluster.policy.forms import Form
from geo_cluster.world import spreadsheet
from geo_cluster.world.sheets.columns import Understood


def panel(form: Form, check: Callable[[Understood], object], *, name: str) -> None:
    """The table, its template, and a file in its place.

    Parameters
    ----------
    form : Form
    check : callable
        Refuses an understood table with every fault.
    name : {"money", "targets"}
        Whose words it speaks.
    """
    content = entered.content(form.file)
    count = len(spreadsheet.read_csv(content)) if content else 0
    with st.expander(t(f"{name}.enter", n=count), icon=":material/edit_note:", key=f"{name}-enter"):
        st.caption(t(f"{name}.enter_note"))
        rows = _rows(form, content)
        config = {
            key: st.column_config.TextColumn(column[session.language()], help=column["help"][session.language()])
            for key, column in form.columns.items()
        }
        mark = f"{name}-rows-{hash(content)}-{session.language()}"
        typed = st.data_editor(rows, column_config=config, num_rows="dynamic", hide_index=True, key=mark, height=200)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if st.button(t("delivery.keep"), icon=":material/check:", key=f"{name}-keep"):
                with refusals():
                    _keep(form, form.typed(typed.fillna("")), check, name)
            language = session.language()
            st.download_button(
                t("delivery.template"),
                form.template(language),
                form.file,
                icon=":material/download:",
                on_click="ignore",
                key=f"{name}-template",
            )
        upload_words()
        st.file_uploader(
            t("delivery.upload"),
            key=f"{name}-upload",
            on_change=_upload,
            args=(form, check, name),
            type=["csv", "xlsx"],
        )
        refused = session.kept(f"{name}-refused")
        if refused:
            st.error(listed(refused), icon=":material/error:")


def _rows(form: Form, content: bytes) -> pd.DataFrame:
    keys = {column["zh"]: key for key, column in form.columns.items()}
    rows = spreadsheet.read_csv(content).rename(columns=keys) if content else pd.DataFrame()
    return rows.reindex(columns=list(form.columns)).fillna("").astype(object)


def _keep(form: Form, found: Understood, check: Callable[[Understood], object], name: str) -> None:
    """Keep a table that has no fault; an empty one is taken out."""
    if (found.text == "").all(axis=None):
        state.attach(t(f"{name}.note_empty"), **{form.file: None})
    else:
        check(found)
        state.attach(t(f"{name}.note_entered", n=len(found.text)), **{form.file: form.kept(found)})
    st.rerun()


def _upload(form: Form, check: Callable[[Understood], object], name: str) -> None:
    file = session.chosen(f"{name}-upload")
    session.keep(f"{name}-refused", None)
    if file is None:
        return
    try:
        found = form.understood(file.getvalue(), file.name)
        check(found)
        state.attach(t(f"{name}.note_entered", n=len(found.text)), **{form.file: form.kept(found)})
    except GeoClusterError as refusal:
        session.keep(f"{name}-refused", refusal.faults)
