"""要素 · which number to telephone about first, and the place to write the answer down."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.widgets import text_table
from geo_cluster.region import Region, offers
from geo_cluster.report import tables
from geo_cluster.world import catalog
from geo_cluster.world.observations import KEY


def show() -> None:
    """Draw the tab."""
    scenario = state.scenario()
    if scenario.is_sample:
        st.html(f'<span class="gc-sample">{t("supply.requests_sample")}</span>')
    st.caption(t("supply.requests_note"))
    asked = cached.requests_of(scenario)
    clear, others = asked[asked["is_clear"]], asked[~asked["is_clear"]]
    picked = _list(clear)
    if len(others):
        with st.expander(t("supply.unclear", n=len(others)), icon=":material/hourglass_empty:"):
            st.caption(t("supply.unclear_note"))
            st.dataframe(
                _table(others, len(clear)), hide_index=True, column_config=_columns(), alt=t("supply.requests")
            )
    _files(asked)
    _questions(cached.questions_of(scenario))
    st.subheader(t("supply.better"), anchor=False)
    st.caption(t("supply.better_note"))
    _known_better(cached.region(scenario), picked)
    _known()


def _list(asked: pd.DataFrame) -> tuple[str, str] | None:
    """The list, most useful first; subject and attribute of the row that was clicked."""
    if asked.empty:
        st.success(t("supply.nothing_to_ask"))
        return None
    clicked = st.dataframe(
        _table(asked),
        hide_index=True,
        height=min(36 * (len(asked) + 1) + 2, 340),
        column_config=_columns(),
        key=f"supply-list-{state.scenario().id}-{session.language()}",
        on_select="rerun",
        selection_mode="single-row",
        alt=t("supply.requests"),
    )
    rows = clicked["selection"]["rows"]
    return (asked["subject"].iloc[rows[0]], asked["attribute"].iloc[rows[0]]) if rows else None


def _table(asked: pd.DataFrame, before: int = 0) -> pd.DataFrame:
    """Requests as people read them, numbered after `before` others."""
    language, declared = session.language(), catalog.attributes()
    return pd.DataFrame(
        {
            "supply.ask": range(before + 1, before + len(asked) + 1),
            "col.subject": asked[f"subject_{language}"],
            "supply.attribute": asked[f"name_{language}"],
            "col.range": [_range(row) for row in tables.displayed_requests(asked).to_dict("records")],
            "col.gain": [f"{row.gain:.2f} ± {row.gain_error:.2f}" for row in asked.itertuples()],
            "col.change": [f"{row.change:.1%} ± {row.change_error:.1%}" for row in asked.itertuples()],
            "col.question": asked[f"question_{language}"],
            "supply.whom": [declared[key].whom[language] for key in asked["attribute"]],
        }
    )


def _columns() -> dict[str, Any]:
    """Headings of `_table`."""
    keys = ["supply.ask", "col.subject", "supply.attribute", "col.range"]
    keys += ["col.gain", "col.change", "col.question", "supply.whom"]
    return {key: st.column_config.Column(t(key)) for key in keys}


def _questions(questions: pd.DataFrame) -> None:
    """What to ask that is no number: feeds, energising, dual supply, quota."""
    language = session.language()
    with st.expander(t("supply.questions", n=len(questions)), icon=":material/help:"):
        st.caption(t("supply.questions_note"))
        said = [f"{key}_{language}" for key in ("subject", "name", "question", "changes", "whom")]
        heads = ("col.subject", "supply.attribute", "col.question", "supply.changes", "supply.whom")
        text_table([t(key) for key in heads], questions[said].itertuples(index=False))


def _range(row: dict[str, Any]) -> str:
    span = " – ".join(f"{row[end]:,.12g}" for end in ("low", "likely", "high"))
    return f"{span} {row[f'unit_{session.language()}']}"


def _files(asked: pd.DataFrame) -> None:
    """The list to take to the telephone."""
    scenario, language = state.scenario(), session.language()
    csv, xlsx = cached.phone_files(scenario.model_dump_json(), language)
    with st.container(horizontal=True):
        for kind, content in (("xlsx", xlsx), ("csv", csv)):
            st.download_button(
                t("supply.save", kind=kind.upper()),
                content,
                file_name=f"data_request_{scenario.id}.{kind}",
                icon=":material/download:",
                on_click="ignore",
                disabled=asked.empty,
                key=f"supply-save-{kind}",
            )


def _known_better(region: Region, picked: tuple[str, str] | None) -> None:
    """A small form for one number; it opens on the row that was clicked, with the interval that is used now."""
    language, declared, names = session.language(), catalog.attributes(), region.names
    known = region.observations.set_index(KEY)
    whose, what_of = known.index.get_level_values(0), known.index.get_level_values(1)
    subjects = {key: sorted(set(whose[what_of == key])) for key in offers()}
    labels = {key: declared[key].name[language] for key in subjects}
    what, who = st.columns(2)
    start = picked or ("", next(iter(subjects)))
    attribute = what.selectbox(
        t("supply.attribute"),
        list(subjects),
        index=list(subjects).index(start[1]),
        format_func=labels.__getitem__,
        key=f"supply-what-{picked}-{language}",
    )
    choices = [one for one in subjects[attribute] if one in names]
    subject = who.selectbox(
        t("col.subject"),
        choices,
        index=choices.index(start[0]) if start[0] in choices else 0,
        format_func=lambda one: f"{names[one][language]} ({one})",
        key=f"supply-who-{picked}-{attribute}-{language}",
    )
    if subject is None:
        return
    st.text(declared[attribute].question[language])
    row, (times, unit) = known.loc[(subject, attribute)], _unit(attribute)
    with st.form(f"supply-better-{subject}-{attribute}", border=True):
        ends: dict[str, float] = {}
        for column, end in zip(st.columns(3), ("low", "likely", "high"), strict=True):
            label = f"{t('supply.likely' if end == 'likely' else f'col.{end}')} ({unit})"
            ends[end] = column.number_input(
                label,
                min_value=0.0,
                value=round(float(row[end]) * times, 2),
                key=f"supply-{end}-{subject}-{attribute}-{region.scenario.id}",
            )
        source, day = st.columns([3, 1])
        said = source.text_input(
            t("supply.who_said"), max_chars=500, placeholder=t("supply.who_said_example"), key="supply-said"
        )
        as_of = day.date_input(t("supply.as_of"), dt.date.today(), key="supply-day")
        if st.form_submit_button(t("supply.take"), icon=":material/edit_note:", type="primary"):
            faults = [] if said.strip() else [t("supply.no_source")]
            faults += [] if ends["low"] <= ends["likely"] <= ends["high"] else [t("supply.no_order")]
            if faults:
                st.error("\n\n".join(faults), icon=":material/error:")
                return
            entry: dict[str, Any] = {end: value / times for end, value in ends.items()}
            entry |= {"subject": subject, "attribute": attribute, "source": said.strip(), "as_of": str(as_of)}
            _take(entry, t("supply.taken", what=labels[attribute], subject=names[subject][language]))


def _unit(attribute: str) -> tuple[float, str]:
    """How many of the unit that people speak in make one of the attribute's own, and that unit's name."""
    times, unit = catalog.attributes()[attribute].display_unit()
    return times, unit[session.language()]


def _take(entry: dict[str, Any], note: str) -> None:
    """Put one number among the known ones, in place of an earlier one of the same."""
    same = (entry["subject"], entry["attribute"])
    kept = [one.model_dump() for one in state.work().scenario.known if (one.subject, one.attribute) != same]
    state.change(note, known=[*kept, entry])
    st.rerun()


def _known() -> None:
    """What the planner said so far, each with a way back."""
    known, language = state.work().scenario.known, session.language()
    if not known:
        return
    st.subheader(t("supply.known"), anchor=False)
    names = cached.region(state.scenario()).names
    for number, one in enumerate(known):
        attribute = catalog.attributes()[one.attribute]
        times, unit = _unit(one.attribute)
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            span = " – ".join(f"{end * times:,.5g}" for end in (one.low, one.likely, one.high))
            name = names[one.subject][language] if one.subject in names else one.subject
            st.text(f"{name} · {attribute.name[language]}: {span} {unit}\n{one.source} · {one.as_of}", width="stretch")
            if st.button(
                t("supply.drop"), key=f"supply-drop-{number}", help=t("supply.drop_help"), icon=":material/undo:"
            ):
                kept = [other.model_dump() for other in known if other is not one]
                state.change(t("supply.dropped", what=attribute.name[language], subject=name), known=kept)
                st.rerun()
