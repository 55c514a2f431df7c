"""汇报: what can be taken along: the briefing pack of the last run as a shelf, or the layers."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cached, session, state
from app import comments as drawn_comments
from app.page import footer, heading
from app.session import t
from app.views.brief import files, making, shelf
from app.widgets import refusals, upload_words
from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export.pack import Order
from geo_cluster.export.template import Template
from geo_cluster.study import PROGRAM, Study
from geo_cluster.workspace import comments


def draw() -> None:
    """Draw the page."""
    heading("brief")
    with refusals():
        study = _study()
        if study is None:
            _layers()
        else:
            _pack(study)
    footer()


def _study() -> Study | None:
    """The last run, or None for the layers; says which scenario, and whether settings moved on."""
    study, language = state.last_study(), session.language()
    if study is None:
        st.info(t("brief.no_study"), icon=":material/play_circle:")
        return None
    groups = {key: t(f"brief.{key}") for key in ("study", "layers")}
    with st.container(horizontal=True, vertical_alignment="center"):
        group = st.segmented_control(
            t("brief.group"),
            list(groups),
            default="study",
            format_func=groups.__getitem__,
            required=True,
            label_visibility="collapsed",
            key="brief-group",
            persist_state="session",
        )
        if group == "layers":
            return None
        placed, projects = study.counts
        name = study.scenario.name[language]
        st.text(t("brief.about", name=name, id=study.scenario.id, placed=placed, projects=projects), width="content")
        if study.scenario.is_sample:
            st.html(f'<span class="gc-sample">{t("brief.sample")}</span>', width="content")
    if state.is_stale():
        st.warning(t("brief.stale", id=study.scenario.id), icon=":material/history:")
    if study.version != PROGRAM:
        st.warning(Order(study, language).stale, icon=":material/history:")
    return study


def _pack(study: Study) -> None:
    with st.container(key="pack-order"):
        order = _order(study)
    packing = cached.packing(order)
    if packing is not None and packing.shelf is not None:
        shelf.draw(packing.shelf, study.scenario.id, order.language)
    else:
        making.draw(order, packing)


def _order(study: Study) -> Order:
    """What is asked for: language of the files, map review number, whose ranking is drawn."""
    language, number, project = st.columns([2, 3, 3], vertical_alignment="bottom")
    with language:
        chosen = _language()
    review = number.text_input(
        t("brief.review"),
        placeholder=t("brief.review_none"),
        help=t("brief.review_help"),
        max_chars=60,
        key="pack-review",
    )
    names = study.projects.sort_values("output_100m_yuan", ascending=False, kind="stable")["name"]
    ranked = project.selectbox(
        t("brief.ranked"), list(names.index), format_func=lambda one: f"{one} {names[one]}", key="pack-project"
    )
    carried = comments.threads(state.desk(), status="open")
    takes = bool(carried) and st.toggle(t("comments.take_along", count=len(carried)), key="pack-comments")
    upload_words()
    with st.expander(t("brief.house"), key="pack-house"):
        deck, paper, system = st.columns(3)
        systems = {one: f"{one} {row[session.language()]}" for one, row in toml.table("gis")["crs"].items()}
        crs = system.selectbox(
            t("brief.crs"),
            list(systems),
            format_func=systems.__getitem__,
            help=t("brief.crs_help"),
            key="pack-crs",
        )
        slide_template = _template(deck, "pptx")
        paper_template = _template(paper, "docx")
    return Order(
        study,
        chosen,
        is_stale=state.is_stale(),
        slide_template=slide_template,
        paper_template=paper_template,
        review=cached.review_number(review),
        project=ranked or "",
        crs=crs,
        remarks=drawn_comments.remarks(carried) if takes else (),
    )


def _template(place: DeltaGenerator, kind: str) -> Template | None:
    """A house's own template as it was uploaded; the refusal of one that can't be used stands beside it."""
    uploaded = place.file_uploader(t(f"brief.template_{kind}"), type=kind, key=f"pack-{kind}", help=t("brief.template"))
    if uploaded is None:
        return None
    with place, refusals():
        return cached.checked_template(uploaded.name, uploaded.getvalue())
    return None


def _layers() -> None:
    language = _language()
    with st.spinner(t("brief.making")):
        found = cached.layer_files(state.layers(), language)
    content = dict(sorted(found.items(), key=lambda one: one[0] != "map.html"))
    own = state.scenario().layers_sha256[:12]
    files.listed("layers", content, f"layers_{own}".rstrip("_") + f"_{language}", state.layers().key)
    files.one("layers", language, content)


def _language() -> Language:
    """The language of the files, at first that of the page."""
    names: dict[Language, str] = {"zh": t("brief.in_zh"), "en": t("brief.in_en")}
    return st.segmented_control(
        t("brief.language"),
        list(names),
        default=session.language(),
        format_func=names.__getitem__,
        required=True,
        key=f"brief-language-{session.language()}",
        persist_state="session",
    )
