"""Tables as people bring them: the sheet that is meant, read by `world.sheets`, with what was mended by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from geo_cluster.imports.checked import KINDS, Kind
from geo_cluster.imports.headings import calls_of, is_known, kind_of
from geo_cluster.imports.wide import attribute_names, named
from geo_cluster.world.sheets import table as sheets
from geo_cluster.world.sheets.calls import Calls
from geo_cluster.world.sheets.table import Table


@dataclass(frozen=True)
class TableChoice:
    """What somebody chose of a table, or of a file of shapes.

    Attributes
    ----------
    sheets : tuple of str
        Those that are read; none for all that fit.
    mapping : mapping of str
        Heading -> key of our column; `-` for one that isn't to be used.
    mended : mapping of str
        Row and position of the column (from 0) -> what is to stand there.
    without : frozenset of int
        Rows that are left out.
    layers : tuple of str
        Of a file of shapes, the layers that are read; none for all.
    """

    sheets: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    mended: Mapping[tuple[int, int], str] = field(default_factory=dict)
    without: frozenset[int] = frozenset()
    layers: tuple[str, ...] = ()


NO_NAMES: Mapping[str, str] = MappingProxyType({})

AS_IT_IS = TableChoice()
"""Nothing chosen, nothing mended."""


def read(content: bytes, name: str, kind: Kind, choice: TableChoice = AS_IT_IS) -> Table:
    """The table of a file that is to be read as a kind, as it was mended.

    Parameters
    ----------
    content, name
        The file.
    kind : Kind
        What its rows are.
    choice : TableChoice
        Sheet, headings and cells as the planner set them.

    Raises
    ------
    InputError
        See `world.sheets.table.read`.
    """
    return read_as(content, name, calls_of(kind), choice, names=attribute_names() if kind == "observations" else {})


def read_as(
    content: bytes, name: str, calls: Calls, choice: TableChoice = AS_IT_IS, *, names: Mapping[str, str] = NO_NAMES
) -> Table:
    """The table of a file whose columns are called so; else as `read`.

    Parameters
    ----------
    content, name
        The file.
    calls : Calls
        What its columns are called.
    choice : TableChoice
    names : mapping of str
        Further headings that are ours; see `wide.attribute_names`.

    Raises
    ------
    InputError
        See `world.sheets.table.read`.
    """
    chosen = set(choice.mapping)

    def is_ours(heading: str) -> bool:
        return heading in chosen or bool(calls.of(heading).key or named(heading, names))

    found = sheets.read(content, name, is_ours, chosen=choice.sheets)
    if not choice.mended and not choice.without:
        return found
    frame = found.frame.copy()
    rows = {row: k for k, row in enumerate(frame.index)}
    for (row, column), text in choice.mended.items():
        if row in rows and column < frame.shape[1]:
            frame.iloc[rows[row], column] = text
    odd = {at: fault for at, fault in found.odd.items() if at not in choice.mended}
    filled = frozenset(at for at in found.filled if at not in choice.mended)
    return replace(found, frame=frame[~frame.index.isin(choice.without)], odd=odd, filled=filled)


def kind(content: bytes, name: str) -> str:
    """Which kind of table a file has: one of `KINDS`, `rules`, '' for none.

    Raises
    ------
    InputError
        It is no table.
    """
    names = attribute_names()
    found = sheets.read(content, name, lambda head: is_known(head) or bool(named(head, names)))
    headings = [str(one) for one in found.frame.columns]
    best = kind_of(headings)
    if best in KINDS:
        ours = sum(bool(calls_of(best).of(one).key) for one in headings)  # a table that runs to the right has few
        best = "observations" if sum(bool(named(one, names)) for one in headings) >= max(ours - 1, 1) else best
    return "" if best in KINDS and found.score < 2 else best
