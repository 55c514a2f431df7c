"""How much room a text takes, without a font at hand: a little more than any common face needs; gridlines of an axis.

Used where a layout has to be fixed before anyone opens the file: slides and printed pages.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

WIDE, NARROW, BROAD, PLAIN, SPACE = 1.0, 0.38, 0.95, 0.66, 0.34
"""Widths in font sizes: Chinese characters, thin letters, broad ones, others, blanks."""
APART = 0.25
"""Blank that some programs put between Chinese and other letters."""
LINE = 1.38
"""Height of a line in font sizes; Chinese faces have 1.3 to 1.45."""
BOLD = 1.06
"""So much wider bold letters are; Chinese ones stay."""

GRIDLINES = 5
"""About so many gridlines a chart has."""

_THIN = frozenset("il.,:;'|!()[]-·j")
_BROAD = frozenset("mwMW%@—…“”‘’")
_NO_START = frozenset("，。；：、！？）》〕」』”’%,.;:!?)")
_MEET = re.compile(r"[\u2e80-\uffff](?=[^\s\u2e80-\uffff])|[^\s\u2e80-\uffff](?=[\u2e80-\uffff])")
_TOKEN = re.compile(r"[^\S\n]+|[\u2e80-\uffff]|[^\s\u2e80-\uffff]+|\n")


def _letter(letter: str) -> float:
    if letter >= "\u2e80" or letter in "—…“”‘’":
        return WIDE
    if letter.isspace():
        return SPACE
    return NARROW if letter in _THIN else BROAD if letter in _BROAD else PLAIN


@lru_cache(maxsize=50_000)
def width(text: str, *, bold: bool = False) -> float:
    """Width of a line of text in font sizes."""
    return (sum(map(_letter, text)) + APART * len(_MEET.findall(text))) * (BOLD if bold else 1.0)


@lru_cache(maxsize=20_000)
def longest_word(text: str) -> float:
    """Width of what can't be broken: the longest run without a blank or a Chinese character."""
    return max((width(token) for token in _TOKEN.findall(text)), default=0.0)


@lru_cache(maxsize=50_000)
def lines(text: str, room: float, *, bold: bool = False) -> int:
    """How many lines a text takes.

    Parameters
    ----------
    text : str
    room : float
        Width of the column in font sizes.
    bold : bool
    """
    room = max(room, 1.0) / (BOLD if bold else 1.0)
    count, filled, before = 1, 0.0, ""
    for token in _TOKEN.findall(text):
        if token == "\n":
            count, filled, before = count + 1, 0.0, ""
            continue
        wide = width(token) + (APART if _MEET.search(before + token[0]) else 0.0)
        before = token[-1]
        if filled and filled + wide > room:
            if token.isspace():
                continue
            count, filled = count + 1, WIDE if token in _NO_START else 0.0  # a stop takes the letter before it along
        extra = int(wide // room) if wide > room else 0
        count, filled = count + extra, filled + wide - extra * room
    return count


def cut(text: str, room: float, most: int, *, bold: bool = False) -> str:
    """The text, or so much of its beginning as goes into `most` lines, with an ellipsis.

    Parameters
    ----------
    text : str
    room : float
        Width of the column in font sizes.
    most : int
        Lines.
    bold : bool
    """
    if lines(text, room, bold=bold) <= most:
        return text
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if lines(text[:middle] + "…", room, bold=bold) <= most else (low, middle - 1)
    return text[:low].rstrip() + "…"


def steps(highest: float, *, whole: bool = False) -> tuple[float, float]:
    """Top of an axis from 0 and the distance of its gridlines, of which there are four to six.

    Parameters
    ----------
    highest : float
        What has to go below the top.
    whole : bool
        Gridlines are at whole numbers, fewer where there are not so many.
    """
    if not highest > 0:
        return 1.0, 1.0
    rough = max(highest / GRIDLINES, 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(rough))
    nice = (1, 2, 5, 10) if whole and power < 10 else (1, 2, 2.5, 5, 10)
    unit = next(one * power for one in nice if one * power >= rough * 0.999)
    return math.ceil(highest / unit * 0.999) * unit, unit
