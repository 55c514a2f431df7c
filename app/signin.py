"""Who is there. Sign-in is off until `secrets.toml` has an `[auth]` section (OIDC, `st.login`).

`[roles]` beside it says who may do what: role -> e-mail addresses, `*@domain`, names of groups. The file is read at
every step: roles hold at once. `[auth]` is that with which the app was started; once it is another one, or the file is
spoilt or gone, nobody is let in until it is as it was or the app is started again.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app import page_scripts
from geo_cluster import serving
from geo_cluster.errors import DataError, Fault, InputError, Place
from geo_cluster.workspace import database, sessions
from geo_cluster.workspace.roles import LOCAL, Person, check_sign_in, person_of

ANSWER_S = 5.0
"""How long an identity provider may take, as when Streamlit asks it."""


def is_on() -> bool:
    """Whether people have to sign in.

    Raises
    ------
    InputError
        What `secrets.toml` says can't be relied on: nobody is let in rather than everybody.
    """
    return _doors().auth is not None


def _doors() -> serving.Doors:
    try:
        doors = serving.doors(serving.secret_files())
    except InputError as refusal:  # a visitor needn't know where on the server the file lies
        paths = {str(file) for file in serving.secret_files()}
        faults = [
            one.at(replace(one.place, name="secrets.toml")) if one.place.name in paths else one
            for one in refusal.faults
        ]
        raise InputError(faults) from None
    if doors.auth != begun_with():
        raise InputError(Fault("app.other_sign_in", Place("secrets.toml", key="[auth]")))
    return doors


def begun_with() -> Mapping[str, Any] | None:
    """`[auth]` as it was when the app was started: Streamlit has it from `app.serve` and reads no file of its own."""
    return st.secrets.to_dict().get("auth") if st.secrets.load_if_toml_exists() else None


def person() -> Person | None:
    """Whoever is there; None until they have signed in, and once they have signed out, in any window.

    Raises
    ------
    InputError
        The settings of signing in or the roles have faults.
    DataError
        The workspace can't tell whether somebody has signed out.
    """
    return who(st.user.to_dict() if st.user.get("is_logged_in") else {}) if is_on() else LOCAL


def who(claims: Mapping[str, Any]) -> Person | None:
    """The person of what an identity provider said; None for nothing, and where it no longer counts."""
    doors = _doors()
    if doors.auth is None or not claims or _has_ended(claims):
        return None
    return person_of(claims, check_sign_in(doors.auth), doors.rules)


def _has_ended(claims: Mapping[str, Any]) -> bool:
    return sessions.has_ended(database.default_address(), sessions.login_of(claims))


def leave(claims: Mapping[str, Any]) -> None:
    """End a sign-in: from now on what the identity provider said then counts no more, whoever has a copy of it."""
    sessions.end(database.default_address(), sessions.login_of(claims))


def providers() -> list[str]:
    """Names of the identity providers to choose from; an empty one where there is one without a name."""
    return list(check_sign_in(st.secrets["auth"]))


def go(provider: str) -> None:
    """Send the visitor to an identity provider.

    Raises
    ------
    DataError
        It can't be used; Streamlit would leave the visitor on a blank page.
    """
    _check_answer(str(check_sign_in(st.secrets["auth"])[provider]["server_metadata_url"]))
    st.login(provider or None)


def _check_answer(url: str) -> None:
    """Ask an identity provider for its settings, with the library that Streamlit asks it with."""
    import httpx  # takes a fifth of a second

    place = Place("secrets.toml", sheet="[auth]", key=url)
    try:
        answer = httpx.get(url, timeout=ANSWER_S).raise_for_status().json()
    except httpx.HTTPStatusError as problem:
        raise DataError(Fault("app.provider_status", place, status=problem.response.status_code)) from None
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        if _is_about_certificates(problem):
            raise DataError(Fault("app.provider_not_trusted", place, reason=str(problem))) from None
        raise DataError(Fault("app.provider_silent", place, reason=str(problem))) from None
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or "authorization_endpoint" not in answer:
        raise DataError(Fault("app.no_provider", place))


def _is_about_certificates(problem: BaseException | None) -> bool:
    """Whether a certificate that was not trusted is behind a failure."""
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def remember_way() -> None:
    """Have the browser remember the link that the visitor came by."""
    _run(page_scripts.REMEMBER)


def go_on() -> None:
    """Lead whoever signed in to the link that they came by."""
    _run(page_scripts.GO_ON)


def _run(script: str) -> None:
    with st.container(key="way"):
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
