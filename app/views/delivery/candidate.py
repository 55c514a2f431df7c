"""Part 补链对接, one sheet of a firm （招商一张表）: needs, the best sites, whom it would work with, support."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.delivery.partner_links import drawing
from app.widgets import plain, text_table
from geo_cluster.export import candidate_paper
from geo_cluster.export.outline import Grid, Lines
from geo_cluster.policy import chain, links
from geo_cluster.policy.why_here import no_plan


def draw() -> None:
    """Choose a firm, its link and an output; the sheet, and the same as a file."""
    language, layers = session.language(), state.layers()
    table = chain.candidates(layers)
    who, link = session.kept("chain-candidate", ("", ""))
    wanted = [one for ids in chain.missing(layers)["outside"] for one in ids]  # those that fill a gap stand first
    named = {
        one: f"{table.loc[one, 'name_zh']} · {_text(table.loc[one, 'province_zh'])}"
        for one in dict.fromkeys([*wanted, *table.index])
    }
    first = list(named).index(who) if who in named else 0
    left, middle, right = st.columns([3, 2, 1], vertical_alignment="bottom")
    who = left.selectbox(
        t("chain.candidate"), list(named), index=first, format_func=named.__getitem__, key=f"sheet-who-{first}"
    )
    own = list(table.loc[who, "links"])
    at = own.index(link) if link in own else 0
    link = middle.selectbox(
        t("chain.link"), own, index=at, format_func=lambda key: chain.links()[key].name[language],
        key=f"sheet-link-{who}-{at}-{language}",
    )  # fmt: skip
    output = right.number_input(
        t("chain.output"), min_value=0.1, max_value=500.0, value=1.0, step=1.0, help=t("chain.output_help"),
        key="sheet-output",
    )  # fmt: skip
    st.info(no_plan()[language], icon=":material/info:")
    sheet = cached.why_here(state.scenario(), who, link, float(output))
    day = str(state.work().scenario.date)
    made = candidate_paper.outline_of(sheet, language, day=day)
    st.download_button(
        t("chain.paper"),
        candidate_paper.candidate_paper(sheet, language=language, day=day),
        file_name=f"{who}.docx",
        icon=":material/download:",
        on_click="ignore",
    )
    for part in made.parts:
        st.subheader(part.title, anchor=False)
        st.markdown(plain(part.message))
        for block in part.blocks:
            if isinstance(block, Lines):
                st.markdown("\n".join(f"- {plain(one)}" for one in block.lines if one != no_plan()[language]))
            elif isinstance(block, Grid):
                if part.key == "near":
                    st.caption(block.title)
                text_table(block.headings, block.texts, named=True)
        if part.key == "near":
            drawing(next(iter(sheet.linkages.values())), links.reach_minutes()[1])


def _text(cell: object) -> str:
    return "" if pd.isna(cell) else str(cell)
