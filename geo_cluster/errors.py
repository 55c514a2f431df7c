"""What can go wrong, as a tree.

::

    GeoClusterError              anything this package refuses on purpose
    ├── InputError               a person's input has faults: every one of them, each with place and remedy
    ├── DataError                a shipped or imported layer is missing, damaged or not what it claims
    ├── Refused                  this person may not do that, or there is no such work for them
    └── Conflict                 somebody else saved first; nothing was overwritten

Each error carries a list of `Fault`; its text is that list. The command line prints it and exits with
code 2; the app shows it in place. Nothing here is for programming mistakes: those stay `TypeError` etc.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass


class Place(str):
    """A place in words that knows the row and the column it speaks of: names may hold any words, so none are parsed."""

    row: int
    column: str

    def __new__(cls, words: str, row: int = 0, column: str = "") -> Place:  # noqa: D102
        place = super().__new__(cls, words)
        place.row, place.column = row, column
        return place


def place(name: str, row: int = 0, column: str = "") -> Place:
    """A row (0 for none) and a column ('' for none) of a file."""
    words = name + (f", row {row}" if row else "") + (f", column {column}" if column else "")
    return Place(words, row, column)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Parameters
    ----------
    where : str
        File, row, column or key, so that a person can put a finger on it.
    what : str
        What is there and why it can't be used.
    remedy : str
        What to do about it.
    row, column : int, str
        The row (0 for none) and the heading ('' for none) that `where` speaks of; a `Place` brings them along.
    """

    where: str
    what: str
    remedy: str
    row: int = 0
    column: str = ""

    def __post_init__(self) -> None:
        """Take over what a place knows."""
        if isinstance(self.where, Place):
            object.__setattr__(self, "row", self.row or self.where.row)
            object.__setattr__(self, "column", self.column or self.where.column)
            object.__setattr__(self, "where", str(self.where))

    def __str__(self) -> str:
        """One line: where, what, what to do."""
        return f"{self.where}: {self.what} → {self.remedy}"


MOST = 1000
"""Faults that are kept of one thing: nobody mends more at a time, and a file may have a million."""


@dataclass(frozen=True)
class More(Fault):
    """How many faults there are besides those that are told."""

    count: int = 0


class Faults:
    """Everything found wrong: the first `MOST`, and how many more there are; its length counts them all."""

    def __init__(self, found: Iterable[Fault] = ()):
        self._kept: list[Fault] = []
        self._more = 0
        self.extend(found)

    def append(self, fault: Fault) -> None:
        """Keep a fault, or count it."""
        if isinstance(fault, More):
            self._more += fault.count
        elif len(self._kept) < MOST:
            self._kept.append(fault)
        else:
            self._more += 1

    def extend(self, found: Iterable[Fault]) -> None:
        """Keep or count each; give a generator, so that those which are only counted are gone at once."""
        for fault in found:
            self.append(fault)

    def __iadd__(self, found: Iterable[Fault]) -> Faults:
        self.extend(found)
        return self

    def __len__(self) -> int:
        return len(self._kept) + self._more

    def __iter__(self) -> Iterator[Fault]:
        yield from self._kept
        if self._more:
            what = f"there are {self._more:,} more faults"
            yield More("beyond these", what, "mend these first", count=self._more)


class GeoClusterError(Exception):
    """Base of all refusals; `faults` lists every one found, not just the first, and counts those beyond `MOST`."""

    def __init__(self, faults: Iterable[Fault] | Fault):
        self.faults: list[Fault] = list(Faults([faults] if isinstance(faults, Fault) else faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InputError(GeoClusterError):
    """A scenario, portfolio, option or array that a person gave can't be used."""


class DataError(GeoClusterError):
    """A layer is missing, truncated, changed or breaks its contract."""


class Refused(GeoClusterError):  # noqa: N818  (nothing failed: somebody was told no)
    """A person may not do that with this work, or there is no such work for them."""


class Conflict(GeoClusterError):  # noqa: N818  (nothing failed: somebody was first)
    """Somebody else saved first: nothing was overwritten.

    Attributes
    ----------
    author, at, note : str
        Who changed it, when (UTC, ISO 8601), and what they did.
    number : int
        Number of the newest revision.
    """

    def __init__(self, where: str, *, author: str, at: str, note: str, number: int):
        self.author, self.at, self.note, self.number = author, at, note, number
        what = f"{author} changed it at {at} UTC ({note}) since you opened it"
        super().__init__(Fault(where, what, "open theirs, or save yours as a copy"))


def refuse_if(faults: Collection[Fault] | Faults, error: type[GeoClusterError] = InputError) -> None:
    """Raise `error` with all `faults`, or return when there are none."""
    if faults:
        raise error(faults)
