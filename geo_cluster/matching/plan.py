"""A plan, how good it is, and what is wrong with it: what solving gives and checking takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from geo_cluster.errors import Fault, Spoken, Words
from geo_cluster.matching.resource import Ints

Kind = Literal[
    "site",
    "eligibility",
    "forbidden",
    "lock",
    "capacity",
    "minimum",
    "objective",
    "bound",
    "opening",
    "at_most",
    "parts",
]

Ended = Literal["proof", "clock", "asked", "given"]


@dataclass(frozen=True)
class Violation:
    """One way in which a plan breaks the problem it claims to solve.

    Attributes
    ----------
    kind : str
        site, eligibility, forbidden, lock, capacity, minimum, objective, bound, opening, at_most or parts.
    amount : float
        By how much, in the resource's unit or in score; 1 for a pair that may not be.
    fault : Fault
        Where (the project, or the resource and pool), what, and what to do.
    project, pool : int
        Position of the project or pool, -1 when it isn't about one.
    """

    kind: Kind
    amount: float
    fault: Fault
    project: int = -1
    pool: int = -1

    @property
    def where(self) -> str:
        """The project, or the resource and pool."""
        return self.fault.where

    def words(self, language: Spoken = "en") -> Words:
        """Where, what and what to do about it, in a language."""
        return self.fault.words(language)

    def __str__(self) -> str:
        return f"{self.where}: {self.fault.what}"


@dataclass(frozen=True)
class Progress:
    """News while solving.

    Attributes
    ----------
    elapsed_s : float
        Seconds since the start.
    objective, bound : float
        Objective value of the plan in hand; what no plan exceeds.
    gap : float
        As of an `Assignment`.
    is_new : bool
        False when nothing changed since the last time.
    """

    elapsed_s: float
    objective: float
    bound: float
    gap: float
    is_new: bool = True


@dataclass(frozen=True, eq=False)
class Assignment:
    """A plan and how good it is.

    Attributes
    ----------
    site : (P,) int array
        Site of each project, -1 when it stays unplaced.
    objective : float
        Sum of score and bonus of placed projects and of what links earn, less what openings cost.
    bound : float
        No plan has a higher objective value.
    gap : float
        How much more a plan that places as many could earn, as a share of `score`. Bonuses aren't part of it: they are
        the same for all such plans.
    status : {"optimal", "feasible"}
        `optimal` only when proven at the gap that was asked for.
    violations : tuple of Violation
        What `verify` found: empty, unless time ended before the minima could be met.
    pools : dict
        For each resource that offers a site several undivided pools: the pool each project draws on, (P,), -1 for none.
    score : float
        What is decided once it is settled how many are placed: scores of placed projects and what links earn, less what
        openings cost.
    most_placed : int
        No better plan places more projects; where the plan places as many, their number is settled.
    opened : tuple of int
        Numbers of the openings that are opened.
    ended : {"proof", "clock", "asked", "given"}
        Why the search ended: `clock` where time cut it, so that another machine may find another plan; `asked` where
        somebody stopped it; `given` for a plan that nobody searched for.
    """

    site: Ints
    objective: float
    bound: float
    gap: float
    status: Literal["optimal", "feasible"]
    violations: tuple[Violation, ...] = ()
    pools: dict[str, Ints] = field(default_factory=dict)
    score: float = 0.0
    most_placed: int = 0
    opened: tuple[int, ...] = ()
    ended: Ended = "given"

    @property
    def is_best(self) -> bool:
        """Whether it is proven that no plan has a higher objective value, whatever gap was asked for."""
        return self.bound <= self.objective + 1e-6 * max(1.0, abs(self.objective))

    @property
    def sha256(self) -> str:
        """Names the plan: where each project is, on which pools it draws, and how far it is proven."""
        proof = f"{self.objective!r} {self.bound!r} {self.gap!r} {self.status}"
        proof += f" {self.opened!r}" if self.opened else ""
        found = hashlib.sha256(proof.encode())
        for name, at in [("", self.site), *sorted(self.pools.items())]:
            found.update(name.encode() + b"\0" + np.asarray(at, np.int64).tobytes())
        return found.hexdigest()


def relative_gap(missing: float, score: float) -> float:
    """What a plan may lack of the best as a share of what is decided; never below zero."""
    return max(missing, 0.0) / max(abs(score), 1e-9)
