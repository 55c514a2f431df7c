"""What can go wrong, as a tree.

::

    GeoClusterError              anything this package refuses on purpose
    ├── InputError               a person's input has faults: every one of them, each with place and remedy
    ├── DataError                a shipped or imported layer is missing, damaged or not what it claims
    ├── Refused                  this person may not do that, or there is no such work for them
    └── Conflict                 somebody else saved first; nothing was overwritten

Each error carries a list of `Fault`: a code, a place and values. What a fault says, and what to do about it, stands in
`tables/faults/` by code, in Chinese and English. The command line prints it and exits with code 2; the app shows it in
place. Nothing here is for programming mistakes: those stay `TypeError` etc.
"""

from __future__ import annotations

import errno
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, get_args

FAULTS = Path(__file__).parent / "tables" / "faults"
"""One TOML file a room, one table a code: `what` and `remedy`, each in `zh` and `en`, with `{names}` for the values."""

Spoken = Literal["zh", "en"]

A_SHEET = 10_000_000
"""Rows of a second sheet that is read with a first count on from here, those of a third from twice as many."""


class Bilingual(Protocol):
    """A text in both languages, such as `domain.Text`."""

    @property
    def zh(self) -> str:
        """In Chinese."""

    @property
    def en(self) -> str:
        """In English."""


@dataclass(frozen=True)
class Place:
    """Where a fault is, so that a person can put a finger on it.

    Parameters
    ----------
    name : str or Bilingual
        Name of a file, an option, an argument or a resource, as people know it.
    kind : str
        What sort of thing it is where the name alone doesn't say: a key of `tables/faults/places.toml`.
    sheet : str
        Sheet of a workbook, layer of a file of shapes, or table of a TOML file.
    key : str or Bilingual
        Key of a setting, as it stands in the file; pool of a resource.
    row : int
        Row as a spreadsheet counts it, 0 for none; of further sheets more by `A_SHEET` each, which isn't shown.
    entry : str
        What stands in that row: a name, an id.
    column : str
        Heading, '' for none.

    Examples
    --------
    >>> Place("plan.xlsx", sheet="parcels", row=7, column="area").words()
    'plan.xlsx, parcels, row 7, column area'
    >>> Place("plan.xlsx", row=7, column="面积").words("zh")
    'plan.xlsx 第 7 行“面积”列'
    """

    name: str | Bilingual
    kind: str = ""
    sheet: str = ""
    key: str | Bilingual = ""
    row: int = 0
    entry: str = ""
    column: str = ""

    def words(self, language: Spoken = "en") -> str:
        """The place in a language."""
        name, key = str(_shown(self.name, language)), str(_shown(self.key, language))
        name = f"{_places()[self.kind][language]} {name}".rstrip() if self.kind else name
        if language == "en":
            row = f"row {row_of(self.row)}" + (f" ({self.entry})" if self.entry else "") if self.row else self.entry
            column = f"column {self.column}" if self.column else ""
            return ", ".join(part for part in (name, self.sheet, key, row, column) if part)
        row = (
            f" 第 {row_of(self.row)} 行" + (f"（{self.entry}）" if self.entry else "")
            if self.row
            else f" {self.entry}".rstrip()
        )
        column = f"“{self.column}”列" if self.column else ""
        return "，".join(part for part in (name, self.sheet, key) if part) + row + column


def row_of(number: int) -> int:
    """The row in its own sheet."""
    return number % A_SHEET


class Words(NamedTuple):
    """A fault in a language: where it is, what is wrong, what to do."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} → {self.remedy}"


class Fault:
    """One thing that is wrong.

    Parameters
    ----------
    code : str
        `file.key` of `tables/faults/<file>.toml`, e.g. `table.not_a_number`.
    place : Place, str or Path
        Where it is; a text or a path is a place by that name.
    **values
        What the sentences name: texts, numbers, `Text` in both languages, or lists of them.

    Examples
    --------
    >>> fault = Fault("matching.is_forbidden", "P01", site="E02")
    >>> print(fault)
    P01: is forbidden at E02 → Place it elsewhere, or lift the prohibition.
    >>> fault.words("zh").what
    '被禁止去 E02'
    """

    def __init__(self, code: str, place: Place | str | Path, /, **values: object):
        self.place = place if isinstance(place, Place) else Place(str(place))
        self.code, self.values = code, values
        self._sentences()  # an unknown code is a mistake of ours, and shows at once

    def _sentences(self) -> dict[str, dict[Spoken, str]]:
        room, _, key = self.code.partition(".")
        return _room(room)[key]

    def words(self, language: Spoken = "en") -> Words:
        """Where, what and what to do about it, in a language."""
        spoken = {name: _shown(value, language) for name, value in self.values.items()}
        what, remedy = (self._sentences()[part][language].format(**spoken) for part in ("what", "remedy"))
        return Words(self.place.words(language), what, remedy)

    @property
    def where(self) -> str:
        """The place in English."""
        return self.place.words()

    @property
    def what(self) -> str:
        """What is there and why it can't be used, in English."""
        return self.words().what

    @property
    def remedy(self) -> str:
        """What to do about it, in English."""
        return self.words().remedy

    @property
    def row(self) -> int:
        """Row of the place, 0 for none."""
        return self.place.row

    @property
    def column(self) -> str:
        """Heading of the place, '' for none."""
        return self.place.column

    def at(self, place: Place) -> Fault:
        """The same fault in another place."""
        return Fault(self.code, place, **self.values)

    def __str__(self) -> str:
        return str(self.words())

    def __repr__(self) -> str:
        return f"Fault({self.code!r}, {self.place!r}, {self.values!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.code, self.place))


def fault_of(code: str, place: Mapping[str, Any], values: Mapping[str, object]) -> Fault:
    """A fault that was taken apart into its code, `vars` of its place, and its values.

    Parameters
    ----------
    code : str
        As of `Fault`.
    place : mapping
        `vars` of a `Place`.
    values : mapping
        What its sentences name.

    Raises
    ------
    KeyError, TypeError, ValueError
        There is no such code, the place has other parts, or a sentence can't be made of the values.
    """
    fault = Fault(code, Place(**place), **values)
    for language in get_args(Spoken):
        fault.words(language)
    return fault


def _shown(value: object, language: Spoken) -> object:
    """A value as a sentence names it: lists joined, texts in the language, numbers as they are for the format."""
    if isinstance(value, list | tuple | set | frozenset):
        shown = (str(_shown(one, language)) for one in value)
        return ("、" if language == "zh" else ", ").join(sorted(shown) if isinstance(value, set | frozenset) else shown)
    spoken = getattr(value, language, None)
    return spoken if isinstance(spoken, str) else value


@dataclass(frozen=True)
class Reason:
    """Why a library or the system refused, in both languages: a value that a fault's sentence may name."""

    zh: str
    en: str


def reason_of(problem: OSError | ValueError) -> Reason:
    """Why the system would not read or write something; a `ValueError` is a name that no file can have."""
    words, number = _reasons(), getattr(problem, "errno", None)
    if isinstance(problem, ValueError):
        return Reason(words["no_name"]["zh"], str(problem) or words["no_name"]["en"])
    found = words.get(errno.errorcode.get(number or 0, ""), words["other"])
    shown = {language: said.format(number=number or type(problem).__name__) for language, said in found.items()}
    return Reason(shown["zh"], problem.strerror or str(problem) or shown["en"])


@cache
def _reasons() -> dict[str, dict[Spoken, str]]:
    """What the system's reasons are called."""
    return tomllib.loads((FAULTS / "reasons.toml").read_text(encoding="utf-8"))


@cache
def _room(name: str) -> dict[str, dict[str, dict[Spoken, str]]]:
    """The sentences of a room by key."""
    return tomllib.loads((FAULTS / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def _places() -> dict[str, dict[Spoken, str]]:
    """What kinds of places are called."""
    return tomllib.loads((FAULTS / "places.toml").read_text(encoding="utf-8"))


MOST = 1000
"""Faults that are kept of one thing: nobody mends more at a time, and a file may have a million."""


class More(Fault):
    """How many faults there are besides those that are kept."""

    def __init__(self, count: int):
        super().__init__("common.more", Place("", kind="beyond"), count=count)
        self.count = count


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
            yield More(self._more)


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

    def __init__(self, place: Place | str, *, author: str, at: str, note: str, number: int):
        self.author, self.at, self.note, self.number = author, at, note, number
        super().__init__(Fault("common.saved_by_another", place, author=author, at=at, note=note))


def refuse_if(faults: Collection[Fault] | Faults, error: type[GeoClusterError] = InputError) -> None:
    """Raise `error` with all `faults`, or return when there are none."""
    if faults:
        raise error(faults)


def place(where: Place | str, row: int = 0, column: str = "") -> Place:
    """A row (0 for none) and a column ('' for none) of a file.

    Parameters
    ----------
    where : Place or str
        The file.
    row : int
        As a spreadsheet counts it; 0 for none.
    column : str
        Heading; '' for none.
    """
    return replace(where, row=row, column=column) if isinstance(where, Place) else Place(where, row=row, column=column)
