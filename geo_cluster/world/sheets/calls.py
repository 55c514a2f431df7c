"""What a heading means: which declared column, by which of its names, in which unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geo_cluster.world.sheets import units
from geo_cluster.world.sheets.words import fold, head

Columns = Mapping[str, Mapping[str, Any]]

JOINT = "｜"
"""Between a heading and the one above it, where headings take several rows."""

OWN, OTHER, WEAK, QUALIFIED = range(4)
"""How well a heading names a column: by our title or key, by another name, by one that may mean more, with words
before or behind it such as 拟 or 需求. The better name wins; two as good as each other are a fault."""

LONGEST = 300
"""Characters of a heading; a longer text is none, and would take long to look through."""

KEPT = 20_000
"""Headings whose meaning is remembered."""

_BRACKETS = re.compile(r"[(\[{【〔<《]([^()\[\]{}【】〔〕<>《》]*)[)\]}】〕>》]")
_BEFORE = re.compile(
    r"^(?:拟|预计|预期|预估|计划|规划|项目|企业|申请|新增|达产后|达产年|达产|投产后|建成后|所属|所在|主要|总|全年|年度|年均|意向|需要|所需|需|要求|本期|设计|正式|其中)"
)
_BEHIND = re.compile(
    r"(?:需求量?|需要|要求|情况|规模|数量|估算|预计|预测|总量|总额|意向|合计|名称|代码|信息|类型|类别)$"
)
_HARMLESS = re.compile(
    r"^(?:单位|台数?(?:[×x*、/·]?(?:容量|mva))?|必填|选填|可空|可选|预计|估计|估算|预测|计划|规划|拟|达产|达产后|达产年|投产后|"
    r"含税|不含税|年|每年|月|约|左右|全部|合计|总计|一期|二期|平均|上限|下限|最[高低大小多少]|净|净地|可写区间|20\d\d年?|"
    r"required|optional|estimated|est|planned|total|net|gross|wgs ?84|cgcs2000)$"
)
"""What may stand in the brackets of a heading and is no unit."""


@dataclass(frozen=True)
class Call:
    """What a heading means.

    Attributes
    ----------
    key : str
        Of the column; '' for none.
    rank : int
        One of `OWN`, `OTHER`, `WEAK`, `QUALIFIED`.
    unit : str
        That the heading says; '' for none.
    strange : str
        What stands where a unit would and is none of this column.
    """

    key: str = ""
    rank: int = QUALIFIED
    unit: str = ""
    strange: str = ""


class Calls:
    """What the columns of a kind are called."""

    def __init__(self, columns: Columns):
        self.columns = columns
        self.whole: dict[str, list[tuple[str, int, str]]] = {}
        self.bases: dict[str, list[tuple[str, int, str]]] = {}
        self.known: dict[str, Call] = {}
        for key, column in columns.items():
            names = [(key, OWN), (column["zh"], OWN), (column["en"], OWN)]
            names += [(name, OTHER) for name in column.get("aliases", ())]
            names += [(name, WEAK) for name in column.get("also", ())]
            for name, rank in names:
                base, pieces = _split(name)
                unit = next((one for one in pieces if units.kind_of(one)), "")
                own = self.unit(key) if name == key and "_" in key else unit
                self._add(self.whole, head(name), key, rank, own)
                if base and base != head(name):
                    self._add(self.bases, base, key, max(rank, OTHER) if rank != OWN else OWN, "")
                else:
                    self._add(self.bases, head(name), key, rank, "")

    @staticmethod
    def _add(where: dict[str, list[tuple[str, int, str]]], call: str, key: str, rank: int, unit: str) -> None:
        held = where.setdefault(call, [])
        if not any(one[0] == key for one in held):
            held.append((key, rank, unit))

    def unit(self, key: str) -> str:
        """The unit of a column; '' where it has none."""
        return str(self.columns[key].get("unit", ""))

    def unit_in(self, heading: str, key: str) -> str:
        """The unit that a heading says, as far as it is one of a column's."""
        whole = [*_split(heading)[1], *(piece for _, pieces in _tails(heading) for piece in pieces)]
        return next((one for one in whole if self._fits(key, one)), "")

    def of(self, heading: object) -> Call:
        """What a heading means; see `Call`."""
        text = str(heading)
        if len(text) > LONGEST:
            return Call()
        if text not in self.known:
            if len(self.known) >= KEPT:
                self.known.clear()
            self.known[text] = self._of(text)
        return self.known[text]

    def _of(self, heading: str) -> Call:
        above, _, below = heading.rpartition(JOINT)
        texts = [heading]
        if above:
            texts = [heading.replace(JOINT, ""), below]
        texts += [part for part in re.split(r" / |\n", fold_lines(heading)) if part != heading]
        for text in texts:
            found = self._named(text)
            if found.key:
                return found
        if above:
            over = self._of(above) if JOINT in above else self._named(above)
            if over.key and not over.unit and (not below or self._fits(over.key, below)):
                return Call(over.key, over.rank, below)
            if over.key and _HARMLESS.match(head(below)):
                return Call(over.key, QUALIFIED, over.unit)
        return Call()

    def _fits(self, key: str, unit: str) -> bool:
        return units.factor(self.unit(key), unit) is not None if self.unit(key) else False

    def _named(self, text: str) -> Call:
        """What a heading in one row means."""
        call = head(text)
        if call in self.whole:
            return self._chosen(self.whole[call], [])
        base, pieces = _split(text)
        for name, said in ((base, pieces), *_tails(text)):
            if name in self.bases:
                return self._chosen(self.bases[name], said)
        for length in range(min(len(call) - 1, 12), 0, -1):  # 年产值亿元
            name, unit = call[:-length], call[-length:]
            if name in self.bases and any(self._fits(key, unit) for key, *_ in self.bases[name]):
                return self._chosen(self.bases[name], [unit])
        while base:
            shorter = _BEFORE.sub("", base) if _BEFORE.match(base) else _BEHIND.sub("", base)
            if shorter == base or not shorter:
                return Call()
            base = shorter
            if base in self.bases:
                return self._chosen(self.bases[base], pieces, qualified=True)
        return Call()

    def _chosen(self, held: list[tuple[str, int, str]], pieces: Iterable[str], *, qualified: bool = False) -> Call:
        """Of the columns of a name, the one that its unit is of; none where the unit doesn't say which."""
        pieces = list(pieces)
        if len(held) > 1:
            fitting = [one for one in held if any(self._fits(one[0], piece) for piece in pieces)]
            best = min(rank for _, rank, _ in held)
            alone = [one for one in held if one[1] == best]
            held = fitting if len(fitting) == 1 else alone if len(alone) == 1 and not fitting else []
        if not held:
            return Call()
        ((key, rank, unit),) = held
        own = self.unit(key)
        said = [piece for piece in pieces if own and units.factor(own, piece) is not None]
        strange = [piece for piece in pieces if piece not in said and not _HARMLESS.match(piece.lower())] if own else []
        said = said if own else [piece for piece in pieces if units.kind_of(piece)]
        if own and len({units.factor(own, piece) for piece in said}) > 1:
            strange = said
        elif said and not any(units.kind_of(piece) or "元" in piece for piece in strange):
            strange, qualified = [], qualified or bool(strange)
        return Call(key, QUALIFIED if qualified else rank, said[0] if said else unit, "、".join(strange))


def fold_lines(text: str) -> str:
    """Line ends kept, the rest folded."""
    return "\n".join(fold(line) for line in str(text).split("\n"))


def _split(text: str) -> tuple[str, list[str]]:
    """A heading without what is in its brackets, and that, piece by piece.

    >>> _split("年产值（预计，万元）"), _split("用地[单位：亩]")
    (('年产值', ['预计', '万元']), ('用地', ['亩']))
    """
    folded = fold(text)
    pieces = []
    for bracket in _BRACKETS.findall(folded):
        whole = re.sub(r"^单位[:是为]?\s*", "", bracket.strip())
        parts = [whole] if units.kind_of(whole) else re.split(r"[,，、;；:：]\s*", whole)
        pieces += [re.sub(r"^单位[:是为]?\s*", "", part).strip() for part in parts]
    return head(_BRACKETS.sub("", folded)), [piece for piece in pieces if piece]


def _tails(text: str) -> list[tuple[str, list[str]]]:
    """Ways to part a heading from a unit at its end, or its beginning: 年产值/万元, area_mu, 面积 亩, 单位：亩."""
    folded = fold(text)
    found = []
    for mark in re.finditer(r"[_/ \-:,，:]+(?:单位[:是为]?)?", folded):
        before, after = folded[: mark.start()], folded[mark.end() :]
        if before and after and units.kind_of(after):
            found.append((head(before), [after]))
    return found


def table_units(text: str) -> list[str]:
    """Units that a line above a table states for all of it: 单位：万元、亩.

    >>> table_units("单位：万元、亩"), table_units("（金额单位: 亿元）"), table_units("填报单位：招商局")
    (['万元', '亩'], ['亿元'], [])
    """
    out = []
    for stated in re.findall(r"单位\s*[:：为]\s*([^)）\s]+)", fold(text)):
        out += [part for part in re.split(r"[,，、;；和/]", stated) if units.kind_of(part)]
    return out
