"""Part of 汇报: files as a list, all of them at once, and a look into each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.widgets import show_map
from geo_cluster.domain import Language
from geo_cluster.export import bundle

KINDS = {".md": "markdown", ".toml": "toml", ".json": "json"}
TOLD = ("holds.csv", "city_prices.csv", "alternatives.csv")
"""Tables of the archive that the briefing tells of, beyond those of a study."""
SHOWN = 60_000
"""Characters of a text that are shown; a longer one is downloaded."""


def _what(group: str, name: str) -> str:
    """What a file is, in a few words."""
    if group == "layers":
        for layer in state.layers().registry.values():
            if layer.file == name:
                return layer.title_en if session.language() == "en" else layer.title_zh
    if name in (*bundle.FILES, *TOLD, "sheet.html", "tables.xlsx", "sources.toml"):
        return t(f"brief.file_{name.split('.')[0].lower()}")
    return t("brief.file_layer" if "/" in name else "brief.file_portfolio")


def table(group: str, files: Mapping[str, bytes]) -> None:
    """The list of the files."""
    rows = [(_what(group, name), name, size(len(content))) for name, content in files.items()]
    shown = pd.DataFrame(rows, columns=[t("brief.what"), t("brief.file"), t("brief.size")])
    st.dataframe(shown, hide_index=True, height=36 * min(len(rows), 9) + 38, alt=t("brief.list"))


def listed(group: str, files: dict[str, bytes], stem: str, key: str) -> None:
    """The list of all files, and all of them at once.

    Parameters
    ----------
    group : {"study", "layers"}
    files : dict of str to bytes
    stem : str
        What the archive is called.
    key : str
        Names the content.
    """
    table(group, files)
    st.download_button(
        t("brief.all", n=len(files)),
        data=lambda: cached.packed(files, f"{group}-{key}"),
        file_name=f"geo_cluster_{stem}.zip",
        mime="application/zip",
        icon=":material/folder_zip:",
        type="primary",
        on_click="ignore",
        help=t("brief.all_help"),
    )


def size(count: int) -> str:
    """A number of bytes as people read it."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):,.1f} kB"


def one(group: str, language: Language, files: dict[str, bytes]) -> None:
    """One file: what it looks like, and the file itself."""
    st.subheader(t("brief.preview"), anchor=False)
    labels = {name: f"{_what(group, name)} · {name}" for name in files}
    pick, save = st.columns([4, 1], vertical_alignment="bottom")
    name = pick.selectbox(
        t("brief.pick"), list(files), format_func=labels.__getitem__, key=f"brief-file-{group}-{session.language()}"
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
