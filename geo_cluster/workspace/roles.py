"""Who is at work and what they may do. Without sign-in everybody is the local person.

A person is named by an e-mail address that their identity provider confirmed, else by provider and subject
(`https://login.example|42`). The two can't be mistaken for each other: an address has no `|`, a subject always has.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal, get_args

from geo_cluster.errors import Fault, InputError, Place, refuse_if

Role = Literal["viewer", "planner", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""What a person may do, each role what the one before may and more: look and try out; save; look after all."""
SHARED = {
    "redirect_uri": (
        r"https?://[^/\s]+(/\S*)?/oauth2callback",
        "workspace.odd_redirect",
    ),
    "cookie_secret": (r"(?s).{32,}", "workspace.short_secret"),
}
PROVIDER = {
    "client_id": (".+", "workspace.several_lines"),
    "client_secret": (".+", "workspace.several_lines"),
    "server_metadata_url": (r"https?://\S+", "workspace.odd_metadata_url"),
}
"""Settings of signing in, shared and by provider: what they look like, and what is wrong otherwise."""
MORE = ("client_kwargs", "trust_email")
"""Settings of a provider that may be there.

`trust_email = true` is for a provider that never says whether it confirmed an address (the claim `email_verified` is
missing): its addresses count all the same. It doesn't help where the claim is there and isn't `true`.
"""
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'+=?^_`{}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
"""An address as it may name a person: plain ASCII, so that no two that look alike are one, or one is two."""
NAME_LENGTH = 160
"""The longest name of a person; a longer one is named by its hash, so that none is cut to be another's."""


AUTH_SECTION = Place("secrets.toml", sheet="[auth]")
ROLES_SECTION = Place("secrets.toml", sheet="[roles]")


@dataclass(frozen=True)
class Person:
    """Somebody at work.

    Attributes
    ----------
    name : str
        E-mail address, provider and subject, or `local` without sign-in.
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
    email = email.lower() if EMAIL.fullmatch(email) else ""
    names = {email, "*@" + email.rpartition("@")[2]} if email else set()
    names |= {_folded(group) for group in groups if group and "@" not in group}  # no group passes for an address
    held = [role for role in ROLES if names & {_folded(name) for name in rules.get(role, ())}]
    return held[-1] if held else "viewer"


def _folded(name: str) -> str:
    """A name without its case. Beyond ASCII the case stays: there a `K` (Kelvin) would become somebody's `k`."""
    return name.lower() if name.isascii() else name


def person_of(
    claims: Mapping[str, object], providers: Mapping[str, Mapping[str, object]], rules: Mapping[str, Iterable[str]]
) -> Person | None:
    """Whoever an identity provider says is there; None if it is no longer one of the providers.

    Every provider named is trusted: an address that one of them confirmed is the same person as by another.

    Parameters
    ----------
    claims : mapping
        Of the ID token, and `provider`: the name of the provider, `default` for the one without a name.
    providers : mapping
        From `check_sign_in`.
    rules : mapping
        From `check_rules`.

    Raises
    ------
    InputError
        The claims name nobody.

    Examples
    --------
    >>> claims = {"iss": "https://login.example", "sub": "42", "email": "li@plan.example", "provider": "default"}
    >>> person_of(claims, {"": {}}, {}).name
    'https://login.example|42'
    >>> person_of(claims | {"email_verified": True}, {"": {}}, {}).name
    'li@plan.example'
    """
    named = str(claims.get("provider"))
    provider = providers.get("" if named == "default" and named not in providers else named)
    if provider is None:
        return None
    email, claimed = _email(claims, trusted=provider.get("trust_email") is True), claims.get("groups")
    groups = [one for one in claimed if isinstance(one, str)] if isinstance(claimed, list | tuple) else []
    return Person(email or _subject(claims), role_of(email, groups, rules))


def _email(claims: Mapping[str, object], *, trusted: bool) -> str:
    """The confirmed address, else an empty text. Confirmed is `true` and nothing that looks like it."""
    email = claims.get("email")
    confirmed = claims["email_verified"] is True if "email_verified" in claims else trusted
    return email.lower() if confirmed and isinstance(email, str) and EMAIL.fullmatch(email) else ""


def _subject(claims: Mapping[str, object]) -> str:
    """The subject with its issuer before it; one that is long or odd, by its hash."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and isinstance(subject, str) and issuer.strip() and subject.strip()):
        raise InputError(Fault("workspace.no_claims", Place("", kind="sign_in")))
    name = f"{issuer}|{subject}"
    if len(name) > NAME_LENGTH or "|" in issuer or not name.isprintable() or name != name.strip():
        return "sha256|" + hashlib.sha256(json.dumps([issuer, subject]).encode()).hexdigest()
    return name


def check_secrets(secrets: Mapping[str, object]) -> tuple[Mapping[str, object] | None, dict[str, list[str]]]:
    """`[auth]` and the rules of `[roles]` of a `secrets.toml`, or every fault at once; no `[auth]`: no sign-in.

    A section that only looks like one of the two is a fault: with it, everybody would be let in without a word.
    Others belong to other programs.
    """
    faults, auth, rules = [], secrets.get("auth"), {}
    for name in secrets.keys() - {"auth", "roles"}:
        meant = _meant(name, ("auth", "roles"))
        if meant:
            faults.append(Fault("workspace.unknown_section", Place("secrets.toml", sheet=f"[{name}]"), meant=meant))
    if "roles" in secrets and "auth" not in secrets:
        faults.append(Fault("workspace.roles_alone", ROLES_SECTION))
    try:
        rules = check_rules(secrets.get("roles", {}))
    except InputError as refusal:
        faults += refusal.faults
    try:
        if "auth" in secrets:
            check_sign_in(auth)
    except InputError as refusal:
        faults += refusal.faults
    refuse_if(faults)
    return (auth if isinstance(auth, Mapping) else None), rules


def _meant(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant who wrote another name; an empty text if nothing like it is known."""
    plain = name.casefold().replace("-", "_")
    close = get_close_matches(plain, known, n=1, cutoff=0.6)
    return close[0] if close else next((one for one in known if one.removesuffix("s") in plain), "")


def check_rules(rules: object, *, where: Place = ROLES_SECTION) -> dict[str, list[str]]:
    """The rules of `role_of` as a person wrote them, with every fault at once."""
    if not isinstance(rules, Mapping):
        raise InputError(Fault("workspace.roles_no_section", where))
    faults = [
        Fault("workspace.unknown_role", replace(where, key=str(role)), roles=list(ROLES))
        for role in rules
        if role not in ROLES
    ]
    lists = {role: names for role, names in rules.items() if isinstance(names, list | tuple)}
    faults += [Fault("workspace.role_no_list", replace(where, key=str(role))) for role in rules if role not in lists]
    for role, names in lists.items():
        faults += [
            Fault("workspace.odd_role_name", replace(where, key=str(role)), name=repr(name))
            for name in names
            if not _is_rule(name)
        ]
    refuse_if(faults, InputError)
    return {role: list(names) for role, names in lists.items()}


def _is_rule(name: object) -> bool:
    if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
        return False
    address = "x" + name.removeprefix("*") if name.startswith("*@") else name
    return bool(EMAIL.fullmatch(address)) if "@" in name else "*" not in name


def providers(auth: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """Identity providers of an `[auth]` section: its named ones, or the one without a name."""
    named = {name: value for name, value in auth.items() if isinstance(value, Mapping) and name != "client_kwargs"}
    return named or {"": auth}


def check_sign_in(auth: object, *, where: Place = AUTH_SECTION) -> dict[str, Mapping[str, object]]:
    """The identity providers, or every fault of the settings at once; no fault repeats a value.

    Examples
    --------
    >>> check_sign_in({"cookie_secret": "x" * 32, "client_id": "a", "client_secret": "b"})
    Traceback (most recent call last):
    geo_cluster.errors.InputError: secrets.toml, [auth], redirect_uri: is missing → add it
    secrets.toml, [auth], server_metadata_url: is missing → add it
    """
    if not isinstance(auth, Mapping):
        raise InputError(Fault("workspace.auth_no_section", where))
    faults, named = _faults(auth, SHARED, where), providers(auth)
    shared = {key: value for key, value in auth.items() if key not in named}
    faults += _unknown(shared, (*SHARED, *(() if "" not in named else (*PROVIDER, *MORE))), where)
    for name, settings in named.items():
        place = replace(where, sheet=where.sheet.replace("]", f".{name}]")) if name else where
        if "_" in name:
            faults.append(Fault("workspace.underscore", place))
        faults += _faults(settings, PROVIDER, place)
        faults += _unknown(settings, (*PROVIDER, *MORE), place) if name else []
        if not isinstance(settings.get("trust_email", False), bool):
            faults.append(Fault("workspace.no_true_or_false", replace(place, key="trust_email")))
        kwargs = settings.get("client_kwargs", {})
        if not isinstance(kwargs, Mapping) or not all(isinstance(value, str) for value in kwargs.values()):
            faults.append(Fault("workspace.no_texts", replace(place, key="client_kwargs")))
    refuse_if(faults, InputError)
    return named


def _unknown(settings: Mapping[str, object], known: tuple[str, ...], where: Place) -> list[Fault]:
    """Settings that nobody knows; a misspelt one would be no setting at all."""
    faults = []
    for key in settings:
        if key not in known:
            meant, place = _meant(key, known), replace(where, key=key)
            faults.append(
                Fault("workspace.misspelt_setting", place, meant=meant)
                if meant
                else Fault("workspace.unknown_setting", place, known=list(known))
            )
    return faults


def _faults(settings: Mapping[str, object], wanted: Mapping[str, tuple[str, str]], where: Place) -> list[Fault]:
    faults = []
    for key, (pattern, code) in wanted.items():
        value = settings.get(key)
        if not isinstance(value, str) or not value:
            faults.append(Fault("workspace.missing_setting", replace(where, key=key)))
        elif not re.fullmatch(pattern, value):
            faults.append(Fault(code, replace(where, key=key)))
    return faults
