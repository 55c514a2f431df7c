"""汇报: what can be taken along, with a preview of each."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from app import cached, state
from app.widgets import footer, heading, refusals, show_map, t
from geo_cluster.domain import Language
from geo_cluster.export import bundle
from geo_cluster.report import tables

FIRST = ("sheet.html", "tables.xlsx", "map.html")
"""What is asked for most often comes first."""

KINDS = {".md": "markdown", ".toml": "toml", ".json": "json"}
SHOWN = 60_000
"""Characters of a text that are shown; a longer one is downloaded."""


def page() -> None:
    """Draw the page."""
    heading("brief")
    with refusals():
        group = _group()
        language = _language()
        with st.spinner(t("brief.making")):
            files = _files(group, language)
        _whole(group, language, files)
        _one(group, language, files)
    footer()


def _group() -> str:
    """Results of the last run, or the layers; says which scenario, and whether settings moved on."""
    study, language = state.last_study(), state.language()
    if study is None:
        st.info(t("brief.no_study"), icon=":material/play_circle:")
        return "layers"
    groups = {key: t(f"brief.{key}") for key in ("study", "layers")}
    group = st.segmented_control(
        t("brief.group"),
        list(groups),
        default="study",
        format_func=groups.__getitem__,
        required=True,
        key="brief-group",
        persist_state="session",
    )
    if group == "study":
        if state.is_stale():
            st.warning(t("brief.stale", id=study.scenario.id), icon=":material/history:")
        if study.scenario.is_sample:
            st.html(f'<span class="gc-sample">{t("brief.sample")}</span>')
        name = study.scenario.name[language]
        placed, projects = len(tables.assignment(study)), len(study.projects)
        st.text(t("brief.about", name=name, id=study.scenario.id, placed=placed, projects=projects))
    return group


def _language() -> Language:
    """The language of the files, at first that of the page."""
    names: dict[Language, str] = {"zh": t("brief.in_zh"), "en": t("brief.in_en")}
    return st.segmented_control(
        t("brief.language"),
        list(names),
        default=state.language(),
        format_func=names.__getitem__,
        required=True,
        key=f"brief-language-{state.language()}",
        persist_state="session",
    )


def _files(group: str, language: Language) -> dict[str, bytes]:
    study = state.last_study()
    if group == "study" and study is not None:
        files = cached.study_files(study, language)
    else:
        files = cached.layer_files(state.layers(), language)
    return dict(sorted(files.items(), key=lambda one: FIRST.index(one[0]) if one[0] in FIRST else len(FIRST)))


def _what(group: str, name: str) -> str:
    """What a file is, in a few words."""
    if group == "layers":
        for layer in state.layers().registry.values():
            if layer.file == name:
                return layer.title_en if state.language() == "en" else layer.title_zh
    if name in (*bundle.FILES, "sheet.html", "tables.xlsx", "sources.toml"):
        return t(f"brief.file_{name.split('.')[0].lower()}")
    return t("brief.file_layer" if "/" in name else "brief.file_portfolio")


def _whole(group: str, language: Language, files: dict[str, bytes]) -> None:
    """The list of all files, and all of them at once."""
    scenario, study = state.scenario(), state.last_study()
    stem = study.scenario.id if group == "study" and study else f"layers_{scenario.layers_sha256[:12]}".rstrip("_")
    key = study.key if group == "study" and study else state.layers().key
    rows = [(_what(group, name), name, _size(len(content))) for name, content in files.items()]
    table = pd.DataFrame(rows, columns=[t("brief.what"), t("brief.file"), t("brief.size")])
    st.dataframe(table, hide_index=True, height=36 * min(len(rows), 9) + 38, alt=t("brief.list"))
    st.download_button(
        t("brief.all", n=len(files)),
        data=lambda: cached.packed(files, f"{group}-{key}-{language}"),
        file_name=f"geo_cluster_{stem}_{language}.zip",
        mime="application/zip",
        icon=":material/folder_zip:",
        type="primary",
        on_click="ignore",
        help=t("brief.all_help"),
    )


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):,.1f} kB"


def _one(group: str, language: Language, files: dict[str, bytes]) -> None:
    """One file: what it looks like, and the file itself."""
    st.subheader(t("brief.preview"), anchor=False)
    labels = {name: f"{_what(group, name)} · {name}" for name in files}
    pick, save = st.columns([4, 1], vertical_alignment="bottom")
    name = pick.selectbox(
        t("brief.pick"), list(files), format_func=labels.__getitem__, key=f"brief-file-{group}-{state.language()}"
    )
    save.download_button(
        t("brief.save"),
        files[name],
        file_name=name.rsplit("/", 1)[-1],
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
        key="brief-save",
    )
    _preview(group, language, name, files[name])


def _preview(group: str, language: Language, name: str, content: bytes) -> None:
    study = state.last_study()
    if name == "map.html":
        plan = study if group == "study" else None
        source = cached.plan_map(plan, language) if plan else cached.overview(state.layers(), language)
        show_map(source, key=f"brief-map-{group}-{language}", height=600 if group == "study" else 900)
    elif name == "sheet.html":
        st.iframe(content.decode(), height=760, alt=t("brief.file_sheet"))
    elif name.endswith((".md", ".toml", ".json")):
        text = content.decode()
        st.code(text[:SHOWN], language=KINDS[f".{name.rsplit('.', 1)[1]}"], wrap_lines=True, height=420)
    else:
        table = cached.file_table(name, hashlib.sha256(content).hexdigest(), content)
        if table is None:
            st.info(t("brief.no_preview"))
        elif table.empty:
            st.info(t("brief.no_rows"))
        else:
            st.dataframe(table, hide_index=True, height=420, alt=f"{t('brief.preview')}: {name}")
