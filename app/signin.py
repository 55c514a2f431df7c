"""Who is there. Sign-in is off until `secrets.toml` has an `[auth]` section (OIDC, `st.login`).

`[roles]` beside it says who may do what: role -> e-mail addresses, `*@domain`, names of groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from geo_cluster.errors import Fault, InputError
from geo_cluster.people import LOCAL, Person, check_rules, role_of


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
    """Whoever is there; None until they have signed in."""
    if not is_on():
        return LOCAL
    if not st.user.get("is_logged_in"):
        return None
    claims = st.user.to_dict()
    confirmed = claims.get("email_verified", True) is not False
    email = str(claims.get("email") or "").casefold() if confirmed else ""
    told: object = claims.get("groups")
    groups: list[str] = [str(group) for group in told] if isinstance(told, list | tuple) else []
    rules = check_rules(st.secrets.get("roles", {}))
    return Person(email or str(claims.get("sub", "")), role_of(email, groups, rules))


def providers() -> list[str]:
    """Names of the identity providers to choose from; empty where there is one without a name."""
    return [name for name, value in st.secrets["auth"].items() if isinstance(value, Mapping) and "client_id" in value]
