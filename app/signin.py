"""Who is there. Sign-in is off until `secrets.toml` has an `[auth]` section (OIDC, `st.login`).

`[roles]` beside it says who may do what: role -> e-mail addresses, `*@domain`, names of groups.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from geo_cluster.errors import DataError, Fault, InputError
from geo_cluster.people import LOCAL, Person, check_rules, check_sign_in, role_of

ANSWER_S = 5.0
"""How long an identity provider may take, as when Streamlit asks it."""
REMEMBER = "sessionStorage.setItem('way', location.href)"
GO_ON = """
const [page, view] = (sessionStorage.getItem('way') ?? '').split('#'), here = location.href.split('#')[0];
sessionStorage.removeItem('way');
if (page && (page !== here || (view && view !== location.hash.slice(1)))) {
  location.replace(view ? page + '#' + view : page);
  if (page === here) location.reload();
}
"""
"""Signing in ends on the first page: the browser's tab remembers which link a visitor came by."""


def is_on() -> bool:
    """Whether people have to sign in.

    Raises
    ------
    InputError
        The secrets can't be read: nobody is let in rather than everybody.
    """
    if st.secrets.load_if_toml_exists():
        return "auth" in st.secrets
    spoilt = [file for file in st.get_option("secrets.files") if Path(file).is_file()]
    if spoilt:
        raise InputError(Fault("secrets.toml", "can't be read", "mend it; until then nobody is let in"))
    return False


def person() -> Person | None:
    """Whoever is there; None until they have signed in.

    Raises
    ------
    InputError
        The settings of signing in or the roles have faults.
    """
    if not is_on():
        return LOCAL
    check_sign_in(st.secrets["auth"])
    rules = check_rules(st.secrets.get("roles", {}))
    if not st.user.get("is_logged_in"):
        return None
    claims = st.user.to_dict()
    confirmed = claims.get("email_verified", True) is not False
    email = str(claims.get("email") or "").casefold() if confirmed else ""
    told: object = claims.get("groups")
    groups: list[str] = [str(group) for group in told] if isinstance(told, list | tuple) else []
    return Person(email or str(claims.get("sub", "")), role_of(email, groups, rules))


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

    where = f"secrets.toml, [auth], {url}"
    try:
        told = httpx.get(url, timeout=ANSWER_S).raise_for_status().json()
    except httpx.HTTPStatusError as problem:
        what = f"answers with status {problem.response.status_code}"
        raise DataError(Fault(where, what, "check the address")) from None
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        what, remedy = f"does not answer ({problem})", "check the address, and the way there from this server"
        if "CERTIFICATE" in str(problem):
            remedy = "name the file of your own certificates in SSL_CERT_FILE and start the app again"
        raise DataError(Fault(where, what, remedy)) from None
    except ValueError:
        told = None
    if not isinstance(told, dict) or "authorization_endpoint" not in told:
        raise DataError(Fault(where, "does not answer as an identity provider does", "check the address"))


def remember_way() -> None:
    """Have the browser remember the link that the visitor came by."""
    _script(REMEMBER)


def go_on() -> None:
    """Lead whoever signed in to the link that they came by."""
    _script(GO_ON)


def _script(script: str) -> None:
    with st.container(key="way"):
        st.html(f"<script>{{{script}}}</script>", unsafe_allow_javascript=True)
