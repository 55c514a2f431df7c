"""Part of 汇报: the pack as a shelf: for leaders, for colleagues, for the archive."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import PurePosixPath

import streamlit as st

from app import cached, page_scripts, session
from app.packing import Shelf
from app.session import t
from app.views.brief import files
from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import pack
from geo_cluster.export.pack import Files

PAPERS = ("paper", "printed")
"""Formats that look like the paper."""
ARCHIVED = {"map": "map.html", "sheet": "sheet.html", "tables": "tables.xlsx"}
"""Formats that are looked into beside the archive, and what they are called there."""


def draw(shelf: Shelf, key: str, language: Language) -> None:
    """All at once, then group by group."""
    name = f"{toml.table('pack')['stem'][language]}_{key}.zip"
    everything = {path: one.content for path, one in shelf.files.items()}
    size = files.size(sum(map(len, everything.values())))
    st.download_button(
        t("brief.pack", n=len(everything), size=size),
        data=lambda: cached.packed(everything, key),
        file_name=name,
        mime="application/zip",
        icon=":material/folder_zip:",
        type="primary",
        on_click="ignore",
        help=t("brief.all_help"),
        key="pack-zip",
    )
    for group in pack.GROUPS:
        _group(group, shelf, language)


def _group(group: str, shelf: Shelf, language: Language) -> None:
    declared, its = (
        toml.table("pack")["groups"][group],
        {p: one for p, one in shelf.files.items() if one.group == group},
    )
    st.subheader(declared["name"][session.language()], anchor=False)
    st.caption(declared["what"][session.language()])
    if group == "archive":
        _archive(shelf.files, language)
        return
    if group == "leaders":
        how = t("brief.present_how")
        st.html(f'<button class="gc-begin" type="button">{t("brief.present")}</button><small>{how}</small>')
        st.html(shelf.slides)
        st.html(shelf.deck)
        with st.container(key="present"):
            script = page_scripts.present(session.language())
            st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
    with st.container(key=f"cards-{group}"):
        for paths in _cards(its):
            _card(paths, its, shelf)


def _cards(its: Files) -> list[list[str]]:
    """Paths by card: the files of a format stand on one, but of layers each has its own."""
    cards: dict[str, list[str]] = {}
    for path, one in its.items():
        cards.setdefault(path if one.form == "layers" else one.form, []).append(path)
    return list(cards.values())


def _card(paths: list[str], its: Files, shelf: Shelf) -> None:
    """What it is, how it looks, and its files."""
    first, language = its[paths[0]], session.language()
    row = pack.formats()[first.form]
    with st.container(border=True, height="stretch"):
        for path in paths:
            if path in shelf.pictures:
                st.html(f'<img class="gc-sheet" alt="{escape(first.name)}" src="{shelf.pictures[path]}">')
            elif first.form in PAPERS:
                st.html(shelf.paper)
        st.markdown(f":material/{row['icon']}: **{first.name}**")
        if first.form != "layers":
            st.caption(row["what"][language])
        with st.container(horizontal=True, gap="small"):
            for path in paths:
                name, content = PurePosixPath(path).name, its[path].content
                st.download_button(
                    f"{name.rpartition('.')[2].upper()} · {files.size(len(content))}",
                    data=partial(bytes, content),  # fetched when it is asked for
                    file_name=name,
                    icon=":material/download:",
                    on_click="ignore",
                    help=name,
                    key=f"pack-{path}",
                )


def _archive(made: Files, language: Language) -> None:
    """The list of its files, and a look into each."""
    its = {path.partition("/")[2]: one.content for path, one in made.items() if one.group == "archive"}
    looked = {ARCHIVED[one.form]: one.content for one in made.values() if one.form in ARCHIVED} | its
    files.table("study", its)
    files.one("study", language, looked)
