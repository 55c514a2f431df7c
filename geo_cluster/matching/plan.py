"""A plan, how good it is, and what is wrong with it: what solving gives and checking takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from geo_cluster.matching.problem import Ints

Kind = Literal["site", "eligibility", "forbidden", "lock", "capacity", "minimum", "objective", "bound"]


@dataclass(frozen=True)
class Violation:
    """One way in which a plan breaks the problem it claims to solve.

    Attributes
    ----------
    kind : str
        site, eligibility, forbidden, lock, capacity, minimum, objective or bound.
    where : str
        The project, or the resource and pool.
    amount : float
        By how much, in the resource's unit or in score; 1 for a pair that may not be.
    what : str
        The sentence for people.
    project, pool : int
        Position of the project or pool, -1 when it isn't about one.
    """

    kind: Kind
    where: str
    amount: float
    what: str
    project: int = -1
    pool: int = -1

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Progress:
    """News while solving.

    Attributes
    ----------
    elapsed_s : float
        Seconds since the start.
    objective, bound : float
        Worth of the plan in hand; what no plan exceeds.
    is_new : bool
        False when nothing changed since the last time.
    """

    elapsed_s: float
    objective: float
    bound: float
    is_new: bool = True

    @property
    def gap(self) -> float:
        """`(bound - objective) / |objective|`."""
        return relative_gap(self.objective, self.bound)


@dataclass(frozen=True, eq=False)
class Assignment:
    """A plan and how good it is.

    Attributes
    ----------
    site : (P,) int array
        Site of each project, -1 when it stays unplaced.
    objective : float
        Sum of score and bonus of placed projects and of what links earn.
    bound : float
        No plan is worth more.
    gap : float
        `(bound - objective) / |objective|`.
    status : {"optimal", "feasible"}
        `optimal` only when proven at the gap that was asked for.
    violations : tuple of Violation
        What `verify` found: empty, unless time ended before the minima could be met.
    pools : dict
        For each resource that offers a site several whole pools: the pool each project draws on, (P,), -1 for none.
    """

    site: Ints
    objective: float
    bound: float
    gap: float
    status: Literal["optimal", "feasible"]
    violations: tuple[Violation, ...] = ()
    pools: dict[str, Ints] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Names the plan: where each project is, on which pools it draws, and how far it is proven."""
        proof = f"{self.objective!r} {self.bound!r} {self.gap!r} {self.status}"
        found = hashlib.sha256(proof.encode())
        for name, at in [("", self.site), *sorted(self.pools.items())]:
            found.update(name.encode() + b"\0" + np.asarray(at, np.int64).tobytes())
        return found.hexdigest()


def relative_gap(worth: float, bound: float) -> float:
    """`(bound - worth) / |worth|`, never below zero."""
    return max(bound - worth, 0.0) / max(abs(worth), 1e-9)
