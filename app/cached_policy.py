"""What the page 推进 shares between visitors and between clicks: the ledger, the chain, policy money."""

from __future__ import annotations

import datetime
import json
import os
import threading
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, small_maps
from geo_cluster.domain import Language, Scenario
from geo_cluster.export import chain_book as chain_books
from geo_cluster.imports import under_way
from geo_cluster.imports.tables import TableChoice
from geo_cluster.imports.under_way import LedgerFile
from geo_cluster.policy import entries as policy_entry
from geo_cluster.policy import known as policy_known
from geo_cluster.policy import links as partner_links
from geo_cluster.policy import summary as policy_summary
from geo_cluster.policy import why_here as sheets_of_firms
from geo_cluster.policy.entries import Entries
from geo_cluster.policy.ledger import Entry
from geo_cluster.policy.lit import Lit, lit
from geo_cluster.policy.money import Money, money
from geo_cluster.policy.places import Places, places
from geo_cluster.region import Region
from geo_cluster.study import Study
from geo_cluster.workspace import database
from geo_cluster.workspace.under_way import Kept, Ledger
from geo_cluster.world.layers import Layers

# ---- projects under way ----------------------------------------------------------------------------------------------


class _Known:
    """The ledger as this process knows it: the newest state of each project, brought up to date with what is new."""

    def __init__(self) -> None:
        self.seq, self.kept, self.lock = 0, dict[str, Kept](), threading.Lock()

    def now(self) -> tuple[int, dict[str, Kept]]:
        with self.lock:
            self.seq, fresh = Ledger(cached.kept_in()).since(self.seq)
            self.kept |= {one.id: one for one in fresh}
            return self.seq, {id_: one for id_, one in self.kept.items() if one.entry is not None}


@st.cache_resource(show_spinner=False)
def _ledger_known(address: str) -> _Known:  # noqa: ARG001
    return _Known()


def ledger_now() -> tuple[int, dict[str, Kept]]:
    """A number that rises with every change, and every project of the ledger by id."""
    return _ledger_known(os.environ.get(database.ENVIRONMENT, "").strip()).now()


@st.cache_resource(show_spinner=False, max_entries=4)
def _ledger_places(_layers: Layers, key: str) -> Places:  # noqa: ARG001
    return places(_layers)


def ledger_places(layers: Layers) -> Places:
    """Cities and sites that a ledger may name."""
    return _ledger_places(layers, repr(layers.hashes(("sites", "prefectures"))))


@st.cache_resource(show_spinner=False, max_entries=8)
def _ledger_lights(address: str, seq: int, day: datetime.date, rule: str, _projects: Mapping[str, Entry]) -> Lit:  # noqa: ARG001
    return lit(_projects, day, rule)


def ledger_lights(seq: int, day: datetime.date, rule: str, projects: Mapping[str, Entry]) -> Lit:
    """Lights, lists and what the table shows of every project, worked out once for a state of the ledger."""
    return _ledger_lights(os.environ.get(database.ENVIRONMENT, "").strip(), seq, day, rule, projects)


@st.cache_data(show_spinner=False, max_entries=16)
def ledger_template(language: Language) -> bytes:
    """A workbook to fill in."""
    return under_way.template(language)


@st.cache_resource(show_spinner=False, max_entries=4)
def ledger_file(
    content: bytes,
    name: str,
    seq: int,  # noqa: ARG001
    day: datetime.date,
    mended: str,
    *,
    _known: Mapping[str, Entry],
    _places: Places,
) -> LedgerFile:
    """A file of projects under way, read and checked once for a state of the ledger and what was mended."""
    said = json.loads(mended)
    choices = {
        kind: TableChoice(
            mended={(row, column): text for row, column, text in one["mended"]}, without=frozenset(one["without"])
        )
        for kind, one in said.items()
    }
    return under_way.read_ledger(content, name, places=_places, day=day, known=_known, choices=choices)


@st.cache_resource(show_spinner=False, max_entries=8)
def ledger_chart(key: str, language: Language, _points: pd.DataFrame, _layers: Layers, _look: dict[str, Any]) -> Any:  # noqa: ARG001
    """Projects or blocked points on the small map; `key` names the points and the look."""
    return small_maps.dots(_points, _layers.read("prefectures"), _layers.read("water"), **_look)


# ---- chain, suppliers and buyers -------------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=4)
def _chain_book(_layers: Layers, key: str, language: Language) -> bytes:  # noqa: ARG001
    return chain_books.chain_book(_layers, language)


def chain_book(layers: Layers, language: Language) -> bytes:
    """Gaps, candidates, measures and clusters as a workbook."""
    return _chain_book(layers, layers.key, language)


@st.cache_resource(show_spinner=False, max_entries=32)
def _why_here(_region: Region, key: str, named: str, link: str, output_100m_yuan: float) -> sheets_of_firms.Sheet:  # noqa: ARG001
    return sheets_of_firms.why_here(_region, named, link=link, output_100m_yuan=output_100m_yuan)


def why_here(scenario: Scenario, named: str, link: str, output_100m_yuan: float) -> sheets_of_firms.Sheet:
    """The sheet of one firm outside Hubei.

    Parameters
    ----------
    scenario : Scenario
    named, link : str
        Firm and link, by their ids.
    output_100m_yuan : float
        Assumed.
    """
    key = cached.placeless(scenario).model_dump_json()
    return _why_here(cached.region(scenario), key, named, link, output_100m_yuan)


@st.cache_resource(show_spinner=False, max_entries=64)
def _linkage(_region: Region, key: str, place: str, segment: str) -> partner_links.Linkage:  # noqa: ARG001
    return partner_links.linkage(_region, partner_links.focus_of(_region, place, segment=segment))


def linkage(scenario: Scenario, place: str, segment: str) -> partner_links.Linkage:
    """Suppliers and buyers of a place; `segment` is what would be made at a site, '' for anything."""
    return _linkage(cached.region(scenario), cached.placeless(scenario).model_dump_json(), place, segment)


# ---- money and targets -----------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False, max_entries=8)
def _policy_names(_layers: Layers, key: str) -> policy_entry.Known:  # noqa: ARG001
    return policy_known.names(_layers)


def policy_names(layers: Layers) -> policy_entry.Known:
    """Whom rows of policy money may name."""
    return _policy_names(layers, layers.key)


@st.cache_resource(show_spinner=False, max_entries=32)
def _policy_entries(_layers: Layers, key: str, entered: bytes) -> Entries:  # noqa: ARG001
    found = policy_known.firms(_layers)
    if not entered:
        return found
    return found.with_(policy_entry.read(entered, policy_entry.MONEY.file, policy_names(_layers)))


def policy_entries(layers: Layers, entered: bytes) -> Entries:
    """Firms with what is published of them, and what was entered in the work.

    Raises
    ------
    InputError
        What was entered can't be read any more.
    """
    return _policy_entries(layers, layers.key, entered)


def policy_projects(study: Study) -> Entries:
    """The projects of a plan as policy money sees them."""
    return cached.asked(policy_known.projects, study)


@st.cache_resource(show_spinner=False, max_entries=64)
def _policy_money(
    _entries: Entries,
    key: str,  # noqa: ARG001
    on: datetime.date,
    until: int,
    choices: tuple[tuple[str, str], ...],
) -> Money:
    return money(_entries, on=on, until=until, choices=dict(choices))


def policy_money(entries: Entries, *, on: datetime.date, until: int, choices: Mapping[str, str]) -> Money:
    """What policy pays under the readings chosen."""
    return _policy_money(entries, entries.key, on, until, tuple(sorted(choices.items())))


@st.cache_resource(show_spinner=False, max_entries=64)
def _policy_costs(
    _entries: Entries,
    key: str,  # noqa: ARG001
    on: datetime.date,
    until: int,
    choices: tuple[tuple[str, str], ...],
) -> pd.DataFrame:
    return policy_summary.reading_costs(_entries, on=on, until=until, choices=dict(choices))


def policy_costs(entries: Entries, *, on: datetime.date, until: int, choices: Mapping[str, str]) -> pd.DataFrame:
    """What the other readings cost."""
    return _policy_costs(entries, entries.key, on, until, tuple(sorted(choices.items())))
