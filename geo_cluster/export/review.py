"""The map review number, 审图号: in which forms it is taken, and what files say of it."""

from __future__ import annotations

import re

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, Place

REVIEW = re.compile(
    r"(?:审图号)?[:：]?(GS[\u4e00-\u9fff]{0,2}|[\u4e00-\u9fff]{1,3}S)[(（〔\[]((?:19|20)\d\d)[)）〕\]]0*(\d{1,5})号"
)
"""国审 GS(2024)0650号, 省级受托 GS京(2024)0123号, 省审 鄂S(2026)001号."""
PLACE = Place("", kind="map_sheet", key="review")


def review_number(text: str) -> str:
    """A map review number as it is printed, '' for none.

    Raises
    ------
    InputError
        It has another form.

    Examples
    --------
    >>> review_number("审图号：GS（2024）0650号"), review_number(" ")
    ('GS(2024)0650号', '')
    """
    bare = re.sub(r"\s", "", text)
    if not bare:
        return ""
    found = REVIEW.fullmatch(bare.upper() if bare.isascii() else bare.replace("gs", "GS"))
    if not found:
        shown = text if len(text) <= 40 else f"{text[:39]}…"
        raise InputError(Fault("export.odd_review_number", PLACE, value=shown))
    number = bare[bare.rindex(found[2]) + 5 : -1]
    return f"{found[1]}({found[2]}){number}号"


def review_words(review: str, language: Language) -> str:
    """What a map says of its review."""
    words, number = toml.table("sheets")["words"], review_number(review)
    return words["reviewed"][language].format(number=number) if number else words["review"][language]
