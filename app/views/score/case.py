"""选址: what is set for the project on the page, as it comes with a link and goes into the address."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import cached, session, state
from app.session import t
from app.views.score import link
from app.widgets import listed
from geo_cluster.domain import Scenario
from geo_cluster.errors import InputError
from geo_cluster.intake.site_choice import Weighed
from geo_cluster.world import catalog

MOST = 4
"""Sites side by side."""
OUTPUT = "6"
"""Output of the empty form."""


def key_of(field: str) -> str:
    """Key of the widget of a field."""
    return "intake-output" if field == "output_100m_yuan" else f"intake-{field}"


def restore() -> None:
    """Take over what a link brings that isn't from this visit; say so where it can't be read."""
    text = st.query_params.get(link.PARAMETER, "")
    seen = session.kept("score-links", frozenset())
    if text and text not in seen:
        session.keep("score-links", seen | {text})
        session.keep("score-link-refused", None)
        try:
            _take(link.unpacked(text))
        except InputError as refusal:
            session.keep("score-link-refused", refusal)
    if refused := session.kept("score-link-refused"):
        st.error(listed(refused.faults), icon=":material/link_off:")


def _take(case: dict[str, Any]) -> None:
    """Set the form, the weights, the sites side by side and the open tab."""
    typed = case.get("fields", {})
    session.show("score-mode", "one")
    for field in link.fields():
        value = typed.get(field, "")
        if field == "segment":
            value = value or next(iter(catalog.segments()))
        session.show(key_of(field), float(value or OUTPUT) if field == "output_100m_yuan" else value)
    weights = case.get("weights", {})
    session.keep("score-linked-weights", weights if weights != dict(state.scenario().weights) else None)
    session.keep("score-chosen", case.get("sites") or None)
    session.keep("score-trial", case.get("trial"))
    session.show("score-way", method())
    if part := case.get("part"):
        session.keep("score-tabs", (part, ""))  # drawn anew by name, in whichever language
    other = case.get("ground", "") not in ("", stamp())
    session.keep("score-other-ground", other)


def stamp() -> str:
    """Tells apart data on which the same project would score otherwise."""
    ground = cached.ground(state.scenario()).model_copy(update={"layers": ""})  # where they are laid out is nobody's
    return hashlib.sha256(ground.model_dump_json().encode()).hexdigest()[:8]


def told() -> None:
    """Say what a link brought along: weights other than the work's, numbers of other data."""
    if session.kept("score-other-ground"):
        st.warning(t("score.link_ground"), icon=":material/database:")
    linked = session.kept("score-linked-weights")
    if linked is not None:
        with st.container(horizontal=True, vertical_alignment="center", key="score-linked"):
            st.html(f'<p class="gc-note">{t("score.link_weights")}</p>', width="content")
            if st.button(t("score.link_keep"), key="link-keep"):
                keep_weights(linked, t("score.noted_link"))
                st.rerun()
            if st.button(t("score.link_drop"), key="link-drop"):
                session.keep("score-linked-weights", None)
                st.rerun(scope="fragment")


def scenario() -> Scenario:
    """The work's scenario under the weights of this page: its own, or those that a link brought along."""
    linked = session.kept("score-linked-weights")
    return state.scenario() if linked is None else state.scenario().model_copy(update={"weights": linked})


def keep_weights(weights: dict[str, float], note: str) -> None:
    """Keep weights with the work; a trial and a link's weights are done with."""
    session.keep("score-linked-weights", None)
    session.keep("score-trial", None)
    state.change(note, weights=weights)


def chosen(weighed: Weighed) -> list[str]:
    """Sites side by side: those that were chosen and are still eligible, else the first three."""
    ranked = [weighed.choice.sites[place] for place in weighed.order]
    wanted = session.kept("score-chosen")
    if wanted is None:
        return ranked[:3]
    return [site for site in wanted if site in ranked][:MOST]


def choose(sites: Sequence[str]) -> None:
    """Put other sites side by side."""
    session.keep("score-chosen", list(sites))


def turn(weighed: Weighed, site: str) -> None:
    """Add a site to those side by side, the last making room for it, or take it out."""
    now = chosen(weighed)
    if site in now:
        choose([one for one in now if one != site])
    elif site in weighed.choice.sites:
        choose([*now[: MOST - 1], site])


def try_weights(method: str, moved: dict[str, float]) -> None:
    """Remember which judgements of the trial differ from where it began."""
    session.keep("score-trial", [method, moved] if moved or method != link.METHODS[0] else None)


def method() -> str:
    """How weights are tried."""
    return (session.kept("score-trial") or [link.METHODS[0]])[0]


def tried(way: str) -> dict[str, float]:
    """The judgements of the trial, where it goes this way."""
    return session.kept("score-trial")[1] if session.kept("score-trial") and method() == way else {}


def into_address() -> None:
    """Let the address say what is set, so that it can be sent; an empty form leaves it as it was."""
    typed = session.kept("score-typed") or {}
    typed = typed | {field: str(session.typed(key_of(field), "") or "") for field in ("year", "notes")}
    empty = {"segment": next(iter(catalog.segments())), "output_100m_yuan": OUTPUT}
    part = session.kept("score-tabs", ("ranking", ""))[0]
    case = {
        "fields": {key: value for key, value in typed.items() if value and empty.get(key) != value},
        "weights": dict(scenario().weights),
        "sites": session.kept("score-chosen"),
        "part": "" if part == "ranking" else part,
        "trial": session.kept("score-trial"),
        "ground": stamp(),
    }
    text = link.packed(case)
    if text == st.query_params.get(link.PARAMETER, ""):
        return
    session.keep("score-links", session.kept("score-links", frozenset()) | {text})
    if text:
        st.query_params[link.PARAMETER] = text
    else:
        st.query_params.pop(link.PARAMETER, None)
