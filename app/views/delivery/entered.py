"""What was entered for the policy and which readings were chosen: files of the work, so with its history and roles."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from app import state
from app.session import t
from geo_cluster.archive import zipped
from geo_cluster.policy.rules import readings

READINGS = "policy_readings.json"
"""Name of the readings that were chosen, among the files of a work: reading -> option."""


def content(name: str) -> bytes:
    """A file of the work; nothing where there is none."""
    return state.work().files.get(name, b"")


def choices() -> dict[str, str]:
    """The readings that were chosen, as far as there are such."""
    said = json.loads(content(READINGS) or b"{}")
    known = readings()
    return {name: option for name, option in said.items() if name in known and option in known[name].options}


def choose(name: str, option: str, spoken: str) -> None:
    """Take a reading, and keep that with the work.

    Parameters
    ----------
    name, option : str
    spoken : str
        What is taken, in words, for the history.
    """
    taken = choices() | {name: option}
    own = {key: value for key, value in taken.items() if value != readings()[key].default}
    file = json.dumps(own, ensure_ascii=False, indent=1).encode() if own else None
    state.attach(t("money.note_reading", what=spoken), **{READINGS: file})


def downloads(make: Callable[[], dict[str, bytes]], stem: str) -> None:
    """The tables to take along: the first file is a spreadsheet, the others go together; made when they are asked for.

    Parameters
    ----------
    make : callable
        Gives the files by name.
    stem : str
        What they are called.
    """

    def others() -> bytes:
        return zipped({name: it for name, it in make().items() if not name.endswith(".xlsx")})

    how: dict[str, Any] = {"on_click": "ignore", "width": "content"}
    with st.container(horizontal=True):
        book = f"{stem}.xlsx"
        icon = ":material/table_view:"
        st.download_button(t("delivery.xlsx"), lambda: make()[book], book, icon=icon, key=f"{stem}-xlsx", **how)
        icon = ":material/folder_zip:"
        st.download_button(t("delivery.csv"), others, f"{stem}_csv.zip", icon=icon, key=f"{stem}-csv", **how)
