"""Who is at work and what they may do. Without sign-in everybody is the local person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from geo_cluster.errors import Fault, InputError, refuse_if

Role = Literal["viewer", "planner", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""What a person may do, each role what the one before may and more: look and try out; save; look after all."""
SHARED = {
    "redirect_uri": (
        r"https?://[^/\s]+(/\S*)?/oauth2callback",
        "is not the address of the app with /oauth2callback",
        "write the address that people open, e.g. https://siting.example/oauth2callback",
    ),
    "cookie_secret": (
        r"(?s).{32,}",
        "is shorter than 32 characters",
        "write a long random text; whoever guesses it can be anybody",
    ),
}
PROVIDER = {
    "client_id": (".+", "is spread over lines", "write it on one line"),
    "client_secret": (".+", "is spread over lines", "write it on one line"),
    "server_metadata_url": (
        r"https?://\S+",
        "is not an address",
        "write e.g. https://login.example/.well-known/openid-configuration",
    ),
}
"""Settings of signing in, shared and by provider: what they look like, what is wrong otherwise, what to do."""


@dataclass(frozen=True)
class Person:
    """Somebody at work.

    Attributes
    ----------
    name : str
        E-mail address, or `local` without sign-in.
    role : {"viewer", "planner", "admin"}
    """

    name: str
    role: Role = "viewer"

    def may(self, role: Role) -> bool:
        """Whether the person may do what this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


LOCAL = Person("local", "admin")
"""Whoever sits at a machine without sign-in."""


def role_of(email: str, groups: Iterable[str], rules: Mapping[str, Iterable[str]]) -> Role:
    """The highest role that the rules give to an e-mail address or one of its groups; `viewer` to the unknown.

    Parameters
    ----------
    email : str
        Confirmed by the identity provider; empty where it wasn't.
    groups : iterable of str
    rules : mapping
        Role -> e-mail addresses (`li@plan.example`), whole domains (`*@plan.example`) and groups.

    Examples
    --------
    >>> role_of("Li@plan.example", [], {"planner": ["*@plan.example"], "admin": ["wu@plan.example"]})
    'planner'
    """
    email = email.casefold()
    names = {email, "*@" + email.rpartition("@")[2]} if "@" in email else set()
    names |= {group.casefold() for group in groups if "@" not in group}  # no group passes for an address
    held = [role for role in ROLES if names & {str(name).casefold() for name in rules.get(role, ())}]
    return held[-1] if held else "viewer"


def check_rules(rules: object, *, where: str = "secrets.toml, [roles]") -> dict[str, list[str]]:
    """The rules of `role_of` as a person wrote them, with every fault at once."""
    if not isinstance(rules, Mapping):
        raise InputError(Fault(where, "is no section", "write [roles], and one line for each role"))
    faults = [
        Fault(f"{where}, {role}", "is no role", f"use one of {', '.join(ROLES)}") for role in rules if role not in ROLES
    ]
    lists = {role: names for role, names in rules.items() if isinstance(names, list | tuple)}
    faults += [
        Fault(f"{where}, {role}", "is no list", 'write ["li@plan.example", "*@plan.example", "a-group"]')
        for role in rules
        if role not in lists
    ]
    refuse_if(faults, InputError)
    return {role: [str(name) for name in names] for role, names in lists.items()}


def providers(auth: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """Identity providers of an `[auth]` section: its named ones, or the one without a name."""
    named = {name: value for name, value in auth.items() if isinstance(value, Mapping) and name != "client_kwargs"}
    return named or {"": auth}


def check_sign_in(auth: object, *, where: str = "secrets.toml, [auth]") -> dict[str, Mapping[str, object]]:
    """The identity providers, or every fault of the settings at once; no fault tells a value.

    Examples
    --------
    >>> check_sign_in({"cookie_secret": "x" * 32, "client_id": "a", "client_secret": "b"})
    Traceback (most recent call last):
    geo_cluster.errors.InputError: secrets.toml, [auth], redirect_uri: is missing → add it
    secrets.toml, [auth], server_metadata_url: is missing → add it
    """
    if not isinstance(auth, Mapping):
        raise InputError(Fault(where, "is no section", "write [auth], and the settings below it"))
    faults, named = _faults(auth, SHARED, where), providers(auth)
    for name, settings in named.items():
        place = where.replace("]", f".{name}]") if name else where
        if "_" in name:
            faults.append(Fault(place, "has an underscore in its name", "use letters and digits"))
        faults += _faults(settings, PROVIDER, place)
    refuse_if(faults, InputError)
    return named


def _faults(settings: Mapping[str, object], wanted: Mapping[str, tuple[str, str, str]], where: str) -> list[Fault]:
    faults = []
    for key, (pattern, what, remedy) in wanted.items():
        value = settings.get(key)
        if not isinstance(value, str) or not value:
            faults.append(Fault(f"{where}, {key}", "is missing", "add it"))
        elif not re.fullmatch(pattern, value):
            faults.append(Fault(f"{where}, {key}", what, remedy))
    return faults
