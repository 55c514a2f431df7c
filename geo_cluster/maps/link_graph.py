"""Suppliers, a place, and its buyers as a drawing: two columns and lines, readable on a phone."""

from __future__ import annotations

import textwrap
import unicodedata
from html import escape

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language, Text
from geo_cluster.policy.links import Linkage, sentence, within

WIDE, ROW, HEAD = 390, 26, 34
"""Pixels of the drawing on a phone; elsewhere it is scaled."""
LEFT, RIGHT, BOX = 132, 258, (162, 228)
"""Where the dots of both columns stand, and the sides of the box between them."""
UNITS, LINE = 13, 9
"""Half widths of letters that a name may take in a column, and in a line of the box."""

WORDS = {
    "suppliers": Text(zh="供应商", en="Suppliers"),
    "buyers": Text(zh="买家", en="Buyers"),
    "minutes": Text(zh="{n:.0f}分", en="{n:.0f} min"),
    "unknown": Text(zh="位置未知", en="place unknown"),
    "more": Text(zh="另{n}家见表", en="{n} more in the table"),
}
COMMON = (
    "湖北省",
    "湖北",
    "武汉市",
    "武汉",
    "鄂州",
    "股份有限公司",
    "有限责任公司",
    "有限公司",
    "(集团)",
    "Wuhan ",
    "Hubei ",
)
"""Words that most names share, left out of a long one."""

LINES = {
    "yes": 'stroke="#0b6e75" stroke-width="1.5"',
    "maybe": 'stroke="#0b6e75" stroke-width="1.2" stroke-dasharray="5 3"',
    "no": 'stroke="#c3cbca"',
    "unknown": 'stroke="#c3cbca" stroke-dasharray="1 4"',
}
"""How a line looks, by whether what it leads to is within reach."""


def link_graph(found: Linkage, minutes: float, language: Language) -> str:
    """An SVG of the nearest suppliers and buyers: full lines within reach, dashed perhaps, grey beyond.

    Parameters
    ----------
    found : Linkage
    minutes : float
        What counts as within reach.
    language : {"zh", "en"}
    """
    shown = int(toml.table("chain")["reach"]["shown"])
    sides = {"suppliers": found.suppliers, "buyers": found.buyers}
    most = max(1, *(min(shown, len(table)) for table in sides.values()))
    high = HEAD + most * ROW + 24
    middle = HEAD + most * ROW / 2
    parts = []
    for side, table in sides.items():
        nearest = table.head(shown)
        for at, (row, reach) in enumerate(zip(nearest.to_dict("records"), within(nearest, minutes), strict=True)):
            y = HEAD + at * ROW + ROW / 2 + (most - len(nearest)) * ROW / 2
            parts.append(_row(row, reach, side == "suppliers", y, middle, language))
        x, anchor = (4, "start") if side == "suppliers" else (WIDE - 4, "end")
        parts.append(_text(x, 20, f"{WORDS[side][language]} {len(table)}", anchor))
        if len(table) > shown:
            more = WORDS["more"][language].format(n=len(table) - shown)
            parts.append(_text(x, high - 6, more, anchor, strong=False))
    box = _box(found.focus.name[language], middle)
    label = escape(sentence(found, minutes)[language], quote=True)
    return (
        f'<svg viewBox="0 0 {WIDE} {high:.0f}" role="img" aria-label="{label}" width="100%" '
        f'style="max-width:720px;display:block" font-size="12" font-family="sans-serif" xmlns="http://www.w3.org/2000/svg">'
        f"{''.join(parts)}{box}</svg>"
    )


def _row(row: dict, reach: str, is_left: bool, y: float, middle: float, language: Language) -> str:
    """One partner: its line, its name, its minutes."""
    dot, side, bend = (LEFT, BOX[0], 20) if is_left else (RIGHT, BOX[1], -20)
    way = f"M{dot} {y:.0f} C{dot + bend} {y:.0f} {side - bend} {middle:.0f} {side} {middle:.0f}"
    line = f'<path d="{way}" fill="none" {LINES[reach]}/>'
    known = not pd.isna(row["likely"])
    time = WORDS["minutes"][language].format(n=row["likely"]) if known else WORDS["unknown"][language]
    name = _short(str(row[f"name_{language}"]))
    x, anchor = (dot - 4, "end") if is_left else (dot + 4, "start")
    full = escape(f"{row[f'name_{language}']} · {time}")
    said = f'{escape(name)} <tspan fill="{_ink("muted")}" font-size="11">{time if known else "?"}</tspan>'
    text = f'<text x="{x}" y="{y + 4:.0f}" text-anchor="{anchor}" fill="{_ink("ink")}">{said}</text>'
    return f"<g><title>{full}</title>{line}{text}</g>"


def _units(text: str) -> int:
    """How wide a text is, in half widths."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _short(name: str) -> str:
    """A name cut to the column, first without what most names share."""
    for word in COMMON:
        if _units(name) > UNITS:
            name = name.replace(word, "")
    cut = name
    while _units(cut) > UNITS:
        cut = cut[:-1]
    return name if cut == name else cut[:-1] + "…"


def _lines(name: str) -> list[str]:
    """A name over up to five lines: at blanks where it has any, else where a line is full."""
    if " " in name:
        return textwrap.wrap(name, LINE)[:5]
    lines = [""]
    for one in name:
        if _units(lines[-1] + one) > LINE - 1:
            lines.append("")
        lines[-1] += one
    return lines[:5]


def _ink(name: str) -> str:
    return str(toml.table("style")["page"][name])


def _text(x: float, y: float, said: str, anchor: str, *, strong: bool = True) -> str:
    look = f'fill="{_ink("ink")}" font-weight="600"' if strong else f'fill="{_ink("muted")}" font-size="11"'
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {look}>{escape(said)}</text>'


def _box(name: str, middle: float) -> str:
    """The place itself."""
    lines, wide = _lines(name), BOX[1] - BOX[0]
    high = 16 * len(lines) + 12
    top, x = middle - high / 2, (BOX[0] + BOX[1]) / 2
    said = "".join(_text(x, top + 20 + 16 * at, one, "middle") for at, one in enumerate(lines))
    look = 'rx="6" fill="#e8f2f2" stroke="#0b6e75"'
    return f'<rect x="{BOX[0]}" y="{top:.0f}" width="{wide}" height="{high}" {look}/>{said}'
