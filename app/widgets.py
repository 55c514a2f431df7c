"""Pieces that several pages share: map, header, footer, refusals, charts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st
from streamlit_folium import st_folium

from app import cached, session, state
from app.session import t
from app.web.tickets import ticketed
from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, GeoClusterError
from geo_cluster.maps import canvas
from geo_cluster.study import Study
from geo_cluster.world import catalog


def open_tab(key: str, labels: Mapping[str, str]) -> tuple[str, Any]:
    """Draw tabs by name; the open one, by name and as a container. It stays open in the other language too."""
    language, (last, spoken) = session.language(), session.kept(key, ("", ""))
    at = session.spoken(key)
    if last in labels and spoken != language:
        session.show(at, labels[last])
    tabs = dict(zip(labels, st.tabs(list(labels.values()), key=at, on_change="rerun"), strict=True))
    name = next((name for name, tab in tabs.items() if tab.open), next(iter(tabs)))
    session.keep(key, (name, language))
    return name, tabs[name]


def show_map(source: cached.Source, *, key: str, height: int = 640) -> None:
    """A map that pans and zooms without asking the server for anything.

    Under the same key it shows another source without going blank in between.
    """
    address, scripts, file = source
    session.keep(f"map-{key}", file)
    st_folium(
        canvas.canvas_of(scripts=scripts),
        key=key,
        height=height,
        feature_group_to_add=canvas.FetchedPayload(ticketed(address)),
        use_container_width=True,
        returned_objects=[],
    )


_SPOKEN = re.compile(r":(?=[\w/+-]*[:\[])|:(?=//)|@|(?<=www)(?=\.)|(?<=[<>~-])(?=[<>=-])", re.IGNORECASE)
"""What Streamlit makes more of, even where it is escaped: icons, colours, bare addresses, arrows."""
_MARKDOWN = re.compile(r"[\\`*_\[\]<>$~|#]|&(?=#?\w+;)|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|(?<=^\d{3})[.)]")
"""What Markdown makes more of where it isn't escaped: marks, entities, and the beginning of an item or a rule."""


def plain(text: str) -> str:
    """Text from data as markdown that shows it as it is, on one line: no link, formula, icon, list or colour."""
    apart = _SPOKEN.sub("\\g<0>\u2060", re.sub(r"\s*[\r\n]\s*", " ", text).strip())
    return _MARKDOWN.sub(r"\\\g<0>", apart)


def clock(at: datetime) -> str:
    """A time as the visitor's clock shows it; the day too, unless it is today."""
    here, now = at.astimezone(), datetime.now().astimezone()
    return f"{here:%H:%M}" if here.date() == now.date() else f"{here:%m-%d %H:%M}"


def plan_name(study: Study) -> str:
    """Which plan it is, as people say it: the name of its scenario and when it was run."""
    at = state.run_at(study)
    return plain(study.scenario.name[session.language()]) + (f" · {clock(at)}" if at else "")


@contextmanager
def refusals() -> Iterator[None]:
    """Show what was refused as sentences with remedies; never a traceback."""
    try:
        yield
    except GeoClusterError as refusal:
        st.error(f"{t('error')}\n\n{listed(refusal.faults)}", icon=":material/error:")


def listed(faults: Iterable[Fault]) -> str:
    """Faults as a list in markdown, in the visitor's language."""
    return "\n".join(f"- {plain(str(session.words(fault)))}" for fault in faults)


def sheet_links(sites: Mapping[str, str], *, key: str) -> None:
    """A list that opens the sheet of a site (id -> name); nothing where a page is drawn without the frame."""
    pages = session.pages()
    if "sheet" in pages and sites:
        with st.popover(t("sheet.list"), icon=":material/description:", key=key):
            for site, name in sites.items():
                st.page_link(pages["sheet"], label=plain(name), query_params={"id": site})


def upload_words() -> None:
    """Give the drop zones of a page words in the visitor's language; Streamlit only has its own."""
    zone = '[data-testid="stFileUploaderDropzone'
    choose, drop = f'{zone}"] > span button p', f'{zone}Instructions"]'
    words = {choose: t("upload.choose"), drop: t("upload.drop", mb=limits().megabytes)}
    rules = [f"{choose} {{ font-size: 0 !important; }}", f"{drop} > * {{ display: none; }}"]
    rules += [f'{place}::after {{ content: "{word}"; font-size: .875rem; }}' for place, word in words.items()]
    st.html(f"<style>{' '.join(rules)}</style>")


def marked(verdict: str) -> str:
    """A verdict on standard land in a word, a fail with a sign that is seen in a long table."""
    word = catalog.door_verdicts()[verdict][session.language()]
    return {"pass": f"✓ {word}", "fail": f"⚠ {word}"}.get(verdict, word)


def text_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, named: bool = False) -> None:
    """A table of sentences, which wrap; on a phone each row is a block. Everything is escaped.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequences of str
    named : bool
        Each cell of a block says its heading, for cells that don't speak for themselves.
    """
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in headings)
    names = [f' data-name="{escape(one, quote=True)}"' if named and at else "" for at, one in enumerate(headings)]
    body = "".join(
        f"<tr>{''.join(f'<td{name}>{escape(cell)}</td>' for name, cell in zip(names, row, strict=True))}</tr>"
        for row in rows
    )
    st.html(f'<table class="gc-text"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')
