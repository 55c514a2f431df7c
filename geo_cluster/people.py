"""Who is at work and what they may do. Without sign-in everybody is the local person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from geo_cluster.errors import Fault, InputError, refuse_if

Role = Literal["viewer", "planner", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""What a person may do, each role what the one before may and more: look and try out; save; look after all."""


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


def check_rules(rules: Mapping[str, object], *, where: str = "secrets.toml, [roles]") -> dict[str, list[str]]:
    """The rules of `role_of` as a person wrote them, with every fault at once."""
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
