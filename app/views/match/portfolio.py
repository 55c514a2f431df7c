"""The portfolio as a table to type in: every edit is kept, faults are told by row and column, nothing is lost."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, dropped, session, state
from app.session import t
from app.views.match import edit
from app.widgets import plain, upload_words
from geo_cluster.errors import Fault, GeoClusterError
from geo_cluster.region import unused
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.workspace.repository import PROJECTS
from geo_cluster.world import catalog, portfolio, splitting

MANY = 300_000
"""Projects × draws from which a run takes minutes: draws are then lowered, and the page says so."""

REFUSED = "projects-refused"
"""Kept: why the last upload was refused, its name and content."""


def panel(*, expanded: bool, runs: int) -> None:
    """The table with what is done to it as a whole; each run closes it, for there is a plan to look at."""
    content = _content()
    text = cached.projects_text(content)
    checked, faults = cached.projects_faults(content)
    key = f"portfolio-{expanded}-{runs}"  # under a new one it is as it says, not as it was left
    with st.expander(_title(text, faults), expanded=expanded, key=key, icon=":material/table_rows:"):
        _editor(text)
        _table_actions(text)
        if checked is not None:
            _needs(checked)
    _faults(faults)
    if checked is not None:
        doubts(checked)


def label(study: Study) -> None:
    """Say when projects are made up (示例), or derived from those that are; and which numbers count for nothing."""
    edit.told(unused(study.region), t("match.unused"), "status")
    wholes = study.projects[~splitting.whole_of(study.projects).duplicated().to_numpy()]
    made_up = portfolio.made_up(wholes)
    if not made_up:
        return
    key = "match.sample" if study.scenario.is_sample else "match.sample_changed"
    st.html(f'<span class="gc-sample">{t(key, n=made_up, all=len(wholes))}</span>')


def is_of(study: Study) -> bool:
    """Whether a study's projects are those of the table now, by id and name, so that its plan can be decided on."""
    checked, _ = cached.projects_faults(_content())
    return checked is not None and splitting.names_of_wholes(study.projects).equals(checked["name"])


def refused() -> str | None:
    """Name of the file that was uploaded last, when it was refused and is still there."""
    kept = session.kept(REFUSED)
    return kept[1] if kept else None


def leave_refused() -> None:
    """Go on without the file that was refused."""
    session.keep(REFUSED, None)


def names() -> dict[str, str]:
    """Names of the projects of the table now, by id; none while it has faults."""
    checked, _ = cached.projects_faults(_content())
    return {} if checked is None else checked["name"].to_dict()


def _content() -> bytes:
    work = state.work()
    return work.files.get(PROJECTS) or portfolio.path_of(work.scenario.portfolio).read_bytes()


def _title(text: pd.DataFrame, faults: list[Fault]) -> str:
    title = t("match.portfolio", n=len(text))
    if portfolio.made_up(text):
        title += t("match.is_sample" if PROJECTS not in state.work().files else "match.is_changed")
    return title + (t("match.has_faults", n=len(faults)) if faults else "")


def _editor(text: pd.DataFrame) -> None:
    language, names = session.language(), {key: one.name for key, one in catalog.segments().items()}
    now = _localised(text)
    wanted = portfolio.write_text(_canonical(now))
    rows, key = edit.opened(
        "projects", now, mark=language, agrees=lambda table: portfolio.write_text(_canonical(table)) == wanted
    )
    note = t("match.edited")
    asked = {kind.asked.column: kind.asked.title(language) for kind in catalog.resources().values()}
    config: dict[str, Any] = {
        column: st.column_config.TextColumn(asked.get(column) or t(f"field.{column}"), help=t(_help(column, asked)))
        for column in portfolio.columns()
    }
    options = [name[language] for name in names.values()]
    config["segment"] = st.column_config.SelectboxColumn(
        t("field.segment"), options=options, help=t("field.segment_help"), required=True
    )
    st.data_editor(
        rows.set_axis(pd.RangeIndex(2, len(rows) + 2, name=t("match.row")), axis=0),
        key=key,
        num_rows="dynamic",
        hide_index=False,
        placeholder="",
        column_config=config,
        column_order=_order(),
        height=min(38 * (len(rows) + 2) + 2, 400),
        on_change=edit.keep(lambda: _take(edit.applied(rows, session.edits(key)), note)),
        alt=t("match.editor_alt"),
    )
    st.caption(t("match.editor_note"))


def _order() -> list[str]:
    """Columns as they are read: amounts beside the output, the year of power beside that of production."""
    columns = [key for key in portfolio.columns() if key not in (*portfolio.STATED, "power_year")]
    at = columns.index("year")
    return [*columns[:at], *portfolio.STATED, "year", "power_year", *columns[at + 1 :]]


def _help(column: str, asked: dict[str, str]) -> str:
    """Key of the text that explains a column."""
    if column in asked:
        return "field.need_help"
    return "field.stated_help" if column in portfolio.STATED else f"field.{column}_help"


def _localised(text: pd.DataFrame) -> pd.DataFrame:
    """Segments by their names in the reader's language; what is no segment stays as it is written."""
    language = session.language()
    known: dict[str, str] = {}
    for key, one in catalog.segments().items():
        known |= dict.fromkeys((key, one.name.zh, one.name.en.lower()), one.name[language])
    names = [known.get(cell) or known.get(cell.lower()) or cell for cell in text["segment"]]
    return text.assign(segment=names)


def _canonical(table: pd.DataFrame) -> pd.DataFrame:
    """What the file says: text, segments in Chinese like the headings, no empty rows."""
    language = session.language()
    zh = {one.name[language]: one.name.zh for one in catalog.segments().values()}
    text = table.fillna("").astype(str).apply(lambda column: column.str.strip())
    text = text.assign(segment=text["segment"].map(lambda cell: zh.get(cell, cell)))
    return text[(text != "").any(axis=1)].reset_index(drop=True)


def _take(table: pd.DataFrame, note: str) -> None:
    """Keep a table as the work's portfolio; locks of projects that are gone go too."""
    text = _canonical(table)
    content = portfolio.write_text(text)
    ids = set(portfolio.kept_text(content)["id"])
    scenario = state.work().scenario
    changes: dict[str, Any] = {}
    for kind in ("locked", "forbidden"):
        pairs = getattr(scenario, kind)
        if any(pair.project not in ids for pair in pairs):
            changes[kind] = [pair.model_dump() for pair in pairs if pair.project in ids]
    if len(ids) * scenario.draws > MANY and len(ids) > MANY / 1000:
        changes["draws"] = max(MANY // len(ids), 50)
    if changes:
        state.change(note, **changes)
    state.attach(note, **{PROJECTS: content})


def _faults(faults: list[Fault]) -> None:
    """What can't be run yet, row by row; the table keeps it all the same."""
    edit.told(faults, t("match.faults"), "alert")


def doubts(projects: pd.DataFrame) -> None:
    """What can hardly be meant as it is written; it is run all the same."""
    edit.told(portfolio.warnings(projects), t("match.doubts"), "status")


def _table_actions(text: pd.DataFrame) -> None:
    """Upload, download, back to the sample."""
    note_upload, note_back = t("match.uploaded"), t("match.back_done")
    upload, download, back = st.columns([2, 1, 1], vertical_alignment="bottom")

    def read(name: str, content: bytes) -> None:
        session.keep("projects-told", None)
        try:
            table = cached.own_projects(content, name)
        except GeoClusterError as refusal:
            session.keep(REFUSED, (refusal, name, content))
            return
        _take(_localised(table), note_upload)
        session.keep("projects-told", (name, table.attrs["told"]))
        state.name_after(PurePath(name).stem)

    def uploaded() -> None:
        file = dropped.projects(session.chosen("projects-file"))
        session.keep(REFUSED, None)
        if file is not None:
            read(*file)

    upload_words()
    upload.file_uploader(
        t("match.upload"),
        key="projects-file",
        help=t("match.upload_help"),
        on_change=uploaded,
        accept_multiple_files=True,
    )
    dropped.told(read)
    dropped.refused(REFUSED)  # beside the file, where it is seen
    _told()
    download.download_button(
        t("match.portfolio_download"),
        data=portfolio.write_text(_canonical(_localised(text))),
        file_name="projects.csv",
        mime="text/csv",
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )

    def to_sample() -> None:
        state.change(note_back, locked=[], forbidden=[])
        state.attach(note_back, **{PROJECTS: None})

    back.button(
        t("match.back"),
        icon=":material/undo:",
        width="stretch",
        disabled=PROJECTS not in state.work().files,
        on_click=edit.keep(to_sample),
    )


def _told() -> None:
    """How the table that was dropped in last is read."""
    name, told = session.kept("projects-told") or ("", [])
    if told:
        with st.expander(t("match.read_as", name=plain(name)), icon=":material/info:"):
            for note in told:
                st.caption(plain(note[session.language()]))


def _amount(value: float) -> str:
    """Four digits, and those before the point: 23,660."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _needs(projects: pd.DataFrame) -> None:
    """What each project is taken to need: given, or estimated from its segment and output."""
    st.subheader(t("match.needs"), anchor=False)
    table = pd.DataFrame({"id": projects.index, "name": projects["name"].to_numpy()})
    kinds = catalog.resources().values()
    for need in portfolio.needs():
        low, likely, high = (projects[f"{need}_{end}"].to_numpy() for end in ("low", "likely", "high"))
        stated = projects[f"{need}_given"].to_numpy()
        table[need] = [
            _amount(b) if a == c else f"{_amount(b)} ({_amount(a)}–{_amount(c)})"
            for a, b, c in zip(low, likely, high, strict=True)
        ]
        table[f"{need}_how"] = [t("match.stated") if one else t("match.estimated") for one in stated]
    table["max_minutes"] = [
        f"{one:g} ({t('match.stated') if given else t('match.estimated')})"
        for one, given in zip(projects["max_minutes"], projects["max_minutes_given"], strict=True)
    ]
    stated = tables.stated_words(projects, session.language())
    table = table.join(stated.reset_index(drop=True))
    shown = ("id", "name", "max_minutes", *(key for key in stated if key not in portfolio.PER_MU))
    config = {column: st.column_config.Column(t(f"field.{column}")) for column in shown}
    config |= {
        key: st.column_config.Column(catalog.door_indicators()[key].title(session.language()))
        for key in portfolio.PER_MU
    }
    for asked in (kind.asked for kind in kinds):
        config |= {
            asked.column: st.column_config.Column(asked.title(session.language())),
            f"{asked.column}_how": st.column_config.Column(t("match.how")),
        }
    st.dataframe(table, hide_index=True, column_config=config, height=min(36 * (len(table) + 1) + 2, 250))
