"""Part of 数据: what is particular to files of shapes, and to files that can't be read or came before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import streamlit as st

from app import cached, session, state
from app.session import t
from app.widgets import plain
from geo_cluster import toml
from geo_cluster.errors import Fault
from geo_cluster.imports import ledger
from geo_cluster.imports.checked import Checked
from geo_cluster.imports.files import digest, ending_of, lone_part, together

MOST_LAYERS = 60
"""So many layers can be chosen from; of more, all are read."""


RULES = "rules"
"""Key of what is chosen for exclusion layers."""


class Rules(NamedTuple):
    """Exclusion rules and their layers, with the system that was chosen for these."""

    files: tuple[bytes, bytes]
    crs: str


class Dropped(NamedTuple):
    """A file as the visitor dropped it, or several that belong together."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its hash."""
        return digest(self.content)


def gathered(files: Iterable[tuple[str, bytes]]) -> list[Dropped]:
    """Files that belong together as one, each content once; what was put together or left out is told."""
    given = list(files)
    found = [Dropped(*one) for one in together(given)]
    once = list({one.sha256: one for one in reversed(found)}.values())[::-1]
    if len(found) < len(given):
        st.caption(f":material/info: {t('data.import.together', count=len(given) - len(found) + 1)}")
    if len(once) < len(found):
        st.caption(f":material/info: {t('data.import.same_twice', count=len(found) - len(once))}")
    return once


def unreadable(file: Dropped) -> Fault | None:
    """Why a file can't be read at all, for the page to say."""
    return lone_part(file.name) or cached.foreign(file.content, file.name)


def format_of(file: Dropped) -> str:
    """What kind of file of shapes it is, in words; '' for a table."""
    ending = ending_of(file.content, file.name)
    return t(f"data.format.{ending[1:]}") if ending else ""


def layers(file: Dropped, checked: Checked, key: str) -> list[str]:
    """Which layers are read: all, until the visitor chooses."""
    there = [one for one in checked.extra.get("layers", ()) if one.kind]
    if not 1 < len(there) <= MOST_LAYERS:
        return []
    session.show(f"layers-{key}", session.typed(f"layers-{key}", [one.name for one in there]))
    counts = {one.name: one.rows for one in there}
    return st.multiselect(
        t("data.import.layers", name=plain(file.name[:60])),
        list(counts),
        key=f"layers-{key}",
        format_func=lambda name: f"{name or '—'}（{counts[name]}）" if counts[name] else name or "—",
    )


def crs(key: str, label: str = "") -> str:
    """What the coordinates are in: as the file says, one of the list, or one that was offered and taken."""
    offered = {"": t("data.import.crs_file")}
    offered |= {
        row["code"]: f"{row['name'][session.language()]} · {row['code']}" for row in toml.table("imports")["crs"]
    }
    taken = session.typed(f"crs-{key}", "")
    if taken not in offered:
        offered[taken] = taken
    return st.selectbox(
        label or t("data.import.crs"), list(offered), format_func=offered.__getitem__, key=f"crs-{key}", width=420
    )


def offers(codes: Sequence[str], key: str, how: str = "data.import.crs_offered") -> None:
    """Systems that fit, a button each."""
    if not codes:
        return
    st.caption(t(how))
    with st.container(horizontal=True):
        for code in codes[:6]:
            st.button(
                t("data.import.crs_take", code=code.upper() if code in ("gcj02", "bd09") else code),
                key=f"take-crs-{key}-{code}",
                icon=":material/my_location:",
                on_click=session.put,
                args=(f"crs-{key}", code),
            )


def beside(checked: Checked, key: str) -> Checked:
    """A checked file beside what the work holds; where parcels were surveyed before, added up or in their place."""
    region = cached.region(state.scenario())
    found = ledger.beside(state.work().files, checked, region=region)
    if not found.extra.get("earlier"):
        return found
    names = "、".join(plain(one[:40]) for one in found.extra["earlier"])
    adds = st.radio(
        t("data.import.earlier", names=names),
        [True, False],
        index=0 if found.extra["adds"] else 1,
        format_func=lambda one: t("data.import.adds" if one else "data.import.replaces"),
        horizontal=True,
        key=f"adds-{key}",
    )
    return (
        found if adds == found.extra["adds"] else ledger.beside(state.work().files, checked, adds=adds, region=region)
    )
