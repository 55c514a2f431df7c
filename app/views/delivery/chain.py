"""Part 补链对接: what is missing where, who could come, who supplies whom; tabs, each in a file beside this one."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from app import cached_policy, session, state
from app.session import t
from app.views.delivery import bills, candidate, partner_links, specialities
from app.widgets import open_tab, refusals, text_table
from geo_cluster.export import chain_book
from geo_cluster.policy import chain
from geo_cluster.world.layers import Layers

TABS = "chain-tabs"

COLOURS = {
    "several": "#d9ebea",
    "one": "#f6edcf",
    "project": "#f6e3c0",
    "elsewhere": "#eef1f0",
    "outside": "#f3cdb4",
    "nothing": "#e0a08a",
}
"""Fill of a cell by its state; the word in it says the same."""

STYLE = """<style>
.gc-gaps { border-collapse: collapse; width: 100%; max-width: 58rem; font-size: .84rem; line-height: 1.35; }
.gc-gaps :is(th, td) { border: 1px solid #fff; padding: .22rem .4rem; text-align: center; }
.gc-gaps :is(th, td):first-child { text-align: left; }
.gc-gaps :is(td, th[scope="col"]) { white-space: nowrap; }
.gc-gaps th { color: #56636c; font-weight: 400; border-bottom-color: #dfe4e3; }
.gc-legend { display: flex; flex-wrap: wrap; gap: .3rem .9rem; font-size: .8rem; color: #56636c; margin: .3rem 0; }
.gc-legend i { display: inline-block; width: .9em; height: .9em; border-radius: 2px; margin-right: .3em; }
@media (max-width: 640px) {
  .gc-gaps { font-size: .78rem; }
  .gc-gaps :is(th, td) { padding: .22rem .15rem; }
}
</style>"""


def draw() -> None:
    """Draw the part; of the tabs only the open one."""
    tabs = {
        "gaps": gaps,
        "sheet": candidate.draw,
        "links": partner_links.draw,
        "bom": bills.draw,
        "special": specialities.draw,
    }
    if (asked := st.query_params.pop("link", None)) in chain.links():
        session.show(f"chain-link-{session.language()}", asked)
        session.show(session.spoken(TABS), t("chain.gaps"))
    name, tab = open_tab(TABS, {one: t(f"chain.{one}") for one in tabs})
    with tab, refusals():
        tabs[name]()


def gaps() -> None:
    """The matrix, and who could come for one link."""
    layers, language = state.layers(), session.language()
    st.caption(t("chain.gaps_note"))
    st.html(STYLE + _matrix(layers) + _legend())
    links = chain.links()
    missing = set(chain.missing(layers)["link"])
    order = sorted(links, key=lambda key: key not in missing)
    link = st.selectbox(
        t("chain.link"), order, format_func=lambda key: links[key].name[language], key=f"chain-link-{language}"
    )
    if link is None:
        return
    _one(layers, link)
    st.download_button(
        t("chain.book"),
        cached_policy.chain_book(layers, language),
        file_name="chain.xlsx",
        icon=":material/download:",
        on_click="ignore",
    )


def _matrix(layers: Layers) -> str:
    """Links by city as a table; each cell says its state in a word, and who it is when pointed at."""
    table, language = chain.gaps(layers), session.language()
    names = chain.makers(layers).drop_duplicates("id").set_index("id")[f"name_{language}"]
    cities = {chain.ANYWHERE: t("chain.hubei")} | {
        code: name[language].removesuffix("市").removesuffix(" City") for code, name in chain.cities(layers).items()
    }
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in (t("chain.link"), *cities.values()))
    rows = [f"<tr>{heads}</tr>"]
    for key, one in chain.links().items():
        of = table[table["link"] == key].set_index("city")
        cells = [_cell(of.loc[code], names) for code in cities]
        head = escape(t("chain.of_clause", name=one.name[language], clause=one.clause))
        rows.append(f'<tr><th scope="row">{head}</th>{"".join(cells)}</tr>')
    return f'<table class="gc-gaps" aria-label="{t("chain.gaps")}">{"".join(rows)}</table>'


def _cell(row: pd.Series, names: pd.Series) -> str:
    """A cell of the matrix."""
    state = row["state"]
    seen = t("comma").join(names[one] for one in (*row["firms"], *row["projects"]))
    title = escape(" · ".join(filter(None, [chain.states()[state][session.language()], seen])), quote=True)
    said = t(f"chain.short_{state}", n=len(row["firms"]))
    return f'<td style="background:{COLOURS[state]}" title="{title}">{said}</td>'


def _legend() -> str:
    said = [
        f'<span><i style="background:{COLOURS[key]}"></i>{escape(one[session.language()])}</span>'
        for key, one in chain.states().items()
    ]
    return f'<p class="gc-legend">{"".join(said)}</p>'


def _one(layers: Layers, link: str) -> None:
    """One link: what it is in Hubei, and its candidates."""
    language, one = session.language(), chain.links()[link]
    row = chain.gaps(layers).set_index(["link", "city"]).loc[(link, chain.ANYWHERE)]
    names = chain.makers(layers).drop_duplicates("id").set_index("id")[f"name_{language}"]
    seen = t("comma").join(names[one] for one in (*row["firms"], *row["projects"])) or t("chain.none_seen")
    st.markdown(t("chain.link_state", state=chain.states()[row["state"]][language], clause=one.clause))
    st.text(t("chain.seen", names=seen))
    if one.note:
        st.caption(one.note[language])
    found = chain.candidates_for(layers, link)
    if found.empty:
        st.info(t("chain.no_candidate"), icon=":material/search_off:")
        return
    table = chain_book.candidates_of(layers, language, found)
    gap = "" if language == "zh" else " "
    place = table["province"] + (gap + table["city"]).where(
        found["city_zh"].to_numpy() != found["province_zh"].to_numpy(), ""
    )
    told = table["publisher"] + " · " + table["as_of"]
    foot = table["foothold_said"].where(found["foothold"].to_numpy() != "none", t("chain.no_foothold"))
    columns = ("name", "seat", "products", "clause", "basis", "foothold", "source")
    cells = (table["name"], place, table["products"], table["clause"], table["basis"], foot, told)
    rows = zip(*cells, strict=True)
    text_table([chain_book.heading(key, language) for key in columns], rows, named=True)
    named = dict(zip(found["id"], found["name_zh"], strict=True))
    chosen, act = st.columns([3, 1], vertical_alignment="bottom")
    who = chosen.selectbox(t("chain.candidate"), list(named), format_func=named.__getitem__, key=f"chain-who-{link}")
    act.button(
        t("chain.to_sheet"), icon=":material/description:", width="stretch", on_click=lambda: _to_sheet(who, link)
    )


def _to_sheet(who: str | None, link: str) -> None:
    """Open the sheet of a candidate for a link."""
    session.keep("chain-candidate", (who, link))
    session.put(session.spoken(TABS), t("chain.sheet"))
