"""Headings, tables, figures, maps and notes of a paper, numbered; alike in .docx and PDF."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geo_cluster.domain import Language
from geo_cluster.export.outline import Chart, Drawing, Grid, Outline, Part, Sheet

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "facts": "主要指标：{facts}。",
        "fact": "{name}{value}",
        "stop": "；",
        "table": "表{n}　{title}",
        "figure": "图{n}　{title}（{unit}）",
        "map": "附图{n}　{title}",
        "drawing": "示意图{n}　{title}",
        "see_table": "表{n}",
        "see_figure": "图{n}",
        "see_map": "附图{n}",
        "see_drawing": "示意图{n}",
        "see": "（见{refs}）",
        "joint": "、",
        "notes": "附注",
        "item": "{n}．{text}",
        "note": "〔{n}〕",
    },
    "en": {
        "facts": "In figures: {facts}.",
        "fact": "{name} {value}",
        "stop": "; ",
        "table": "Table {n}. {title}",
        "figure": "Figure {n}. {title} ({unit})",
        "map": "Map {n}. {title}",
        "drawing": "Sketch {n}. {title}",
        "see_table": "Table {n}",
        "see_figure": "Figure {n}",
        "see_map": "Map {n}",
        "see_drawing": "Sketch {n}",
        "see": " ({refs})",
        "joint": ", ",
        "notes": "Notes",
        "item": "{n}. {text}",
        "note": "[{n}]",
    },
}
DIGITS = "零一二三四五六七八九"


@dataclass
class Numbers:
    """What has been numbered so far, and where: captions by block, maps, notes.

    Attributes
    ----------
    captions : dict
        Id of a block -> key of `WORDS` and number.
    notes : list of str
    """

    captions: dict[int, tuple[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, made: Outline) -> Numbers:
        """Tables, figures and maps numbered in order."""
        kinds: dict[type, str] = {Grid: "table", Chart: "figure", Sheet: "map", Drawing: "drawing"}
        count, numbers = dict.fromkeys(kinds.values(), 0), cls()
        for block in (block for part in made.parts for block in part.blocks if type(block) in kinds):
            kind = kinds[type(block)]
            count[kind] += 1
            numbers.captions[id(block)] = kind, count[kind]
        return numbers

    def caption(self, block: Any, language: Language) -> str:
        """Number and title of a table, figure or map."""
        kind, n = self.captions[id(block)]
        return WORDS[language][kind].format(n=n, title=block.title, unit=getattr(block, "unit", ""))

    def references(self, part: Part, language: Language) -> str:
        """What a part's sentence points to, '' for nothing."""
        words = WORDS[language]
        found = [self.captions[id(block)] for block in part.blocks if id(block) in self.captions]
        refs = words["joint"].join(words[f"see_{kind}"].format(n=n) for kind, n in found)
        return words["see"].format(refs=refs) if refs else ""

    def note(self, text: str) -> int:
        """Number of a note, a new one unless it has been said."""
        if text not in self.notes:
            self.notes.append(text)
        return self.notes.index(text) + 1


def heading(level: int, number: int, title: str, language: Language) -> str:
    """A heading with its number: 一、 or （一）; 1 or (1) in English.

    Parameters
    ----------
    level : {1, 2}
    number : int
        From 1.
    title : str
    language : {"zh", "en"}
    """
    if language == "en":
        return f"{number}. {title}" if level == 1 else f"({number}) {title}"
    return f"{chinese_number(number)}、{title}" if level == 1 else f"（{chinese_number(number)}）{title}"


def chinese_number(number: int) -> str:
    """1 to 99 in Chinese: 一, 十, 十二, 二十."""
    tens, ones = divmod(number, 10)
    return ("" if not tens else "十" if tens == 1 else f"{DIGITS[tens]}十") + (DIGITS[ones] if ones or not tens else "")
