"""One site or firm on one page, as its address says (`/sheet?id=H01`); the same as a paper or PDF."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import cached, comments, session, state
from app.page import footer, heading
from app.session import t
from app.widgets import plain, refusals, text_table
from geo_cluster.export import print as prints
from geo_cluster.export.outline import Block, Drawing, Facts, Grid, Lines, Outline
from geo_cluster.export.paper import typeset
from geo_cluster.workspace.comments import Subject

STYLE = """<style>
dl.gc-known { display: grid; gap: .6rem; margin: 0 !important; padding: 0 !important;
  grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
.gc-known div { background: #fff; border: 1px solid #dfe4e3; border-radius: 10px; padding: .5rem .9rem; }
.gc-known dt { color: #56636c; font-size: .85rem; font-weight: 400; }
.gc-known dd { margin: 0; font-size: 1.1rem; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) {
  .st-key-sheet .gc-text td:not(:first-child) { display: inline; padding-right: .7rem; }
}
</style>"""


def draw() -> None:
    """Draw the page."""
    named, language = st.query_params.get("id", ""), session.language()
    heading("sheet")
    st.query_params["language"] = language
    with refusals():
        _choose(named)
        if not named:
            st.info(t("sheet.none"), icon=":material/arrow_upward:")
        else:
            study = state.last_study()
            stale = t("sheet.stale") if state.is_stale() else ""
            _sheet(named, cached.place_sheet(state.scenario(), named, language, study, stale))
    footer()


def _choose(named: str) -> None:
    names = cached.places_with_sheets(state.scenario(), session.language())
    key = f"sheet-choose-{named}-{session.language()}"
    st.selectbox(
        t("sheet.choose"),
        list(names),
        index=list(names).index(named) if named in names else None,
        format_func=lambda one: f"{one} {names[one]}",
        placeholder=t("sheet.choose"),
        key=key,
        on_change=lambda: _go(session.chosen(key)),
    )


def _go(chosen: str | None) -> None:
    if chosen:
        st.query_params["id"] = chosen


def _sheet(named: str, made: Outline) -> None:
    """Title, files and parts."""
    language, day = session.language(), state.work().scenario.date
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(made.title, anchor=False, width="content")
        with st.container(horizontal=True, width="content", gap="small"):
            kind = "site" if named in set(cached.region(state.scenario()).sites["id"]) else "firm"
            name = cached.places_with_sheets(state.scenario(), language)[named]
            comments.button(Subject(kind, named, name=f"{named} {name}"))
            files = {
                "docx": lambda: typeset(made, language),
                "pdf": lambda: prints.set_in_type(made, language, day=day),
            }
            for kind, make in files.items():
                st.download_button(
                    t(f"sheet.{kind}"),
                    make,
                    file_name=f"{named}_{language}.{kind}",
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"sheet-{kind}",
                )
    st.caption(made.subtitle)
    if made.stale:
        st.warning(made.stale, icon=":material/history:")
    st.html(STYLE)
    with st.container(key="sheet"):
        _parts(made)


def _parts(made: Outline) -> None:
    for part in made.parts:
        if part.key != "about":
            st.subheader(part.title, anchor=False)
        if part.key == "plan" and made.sample:
            st.html(f'<span class="gc-sample">{escape(made.sample)}</span>')
        st.markdown(plain(part.message))
        if part.key == "about":
            _about(part.blocks)
        else:
            for block in part.blocks:
                _block(block, captioned=sum(isinstance(one, Grid) for one in part.blocks) > 1)


def _about(blocks: tuple[Block, ...]) -> None:
    """What is known in large; below it the table beside the map."""
    for block in blocks:
        if isinstance(block, Facts):
            _block(block)
    left, right = st.columns([1, 1.15], gap="medium")
    for block in blocks:
        if not isinstance(block, Facts):
            with left if isinstance(block, Grid) else right:
                _block(block)


def _block(block: Block, *, captioned: bool = False) -> None:
    if isinstance(block, Facts):
        told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in block.rows)
        st.html(f'<dl class="gc-known">{told}</dl>')
    elif isinstance(block, Grid):
        if captioned:
            st.caption(block.title)
        text_table(block.headings, block.texts, named=True)
    elif isinstance(block, Drawing):
        st.image(block.png, caption=block.title, alt=block.title, width="stretch")
    elif isinstance(block, Lines) and len(block.lines) == 1:
        st.caption(plain(block.lines[0]))
    elif isinstance(block, Lines):
        st.markdown("\n".join(f"- {plain(one)}" for one in block.lines))
