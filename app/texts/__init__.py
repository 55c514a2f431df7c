"""Every word of the screen, in Chinese and English, one file a page. A text missing in one language fails the tests."""

from __future__ import annotations

import re

from app.texts import (
    brief,
    chain,
    cities,
    comments,
    common,
    data,
    delivery,
    division,
    explore,
    find,
    ledger,
    match,
    money,
    openings,
    own,
    partners,
    parts,
    plans,
    score,
    sheet,
    supply,
    targets,
    trust,
    work,
    years,
)
from geo_cluster.domain import Language

TEXTS: dict[str, tuple[str, str]] = {
    key: words
    for page in (
        common,
        work,
        explore,
        supply,
        find,
        score,
        match,
        years,
        openings,
        own,
        cities,
        division,
        delivery,
        chain,
        partners,
        parts,
        plans,
        money,
        targets,
        ledger,
        comments,
        data,
        trust,
        brief,
        sheet,
    )
    for key, words in page.TEXTS.items()
}


def text(key: str, language: Language, **values: object) -> str:
    """A text in a language, with values filled in."""
    words = TEXTS[key][1 if language == "en" else 0]
    return words.format(**values) if values else words


def short(name: str) -> str:
    """The name of a site for a chart: usual abbreviations, nothing in brackets."""
    for words, letters in common.SHORT.items():
        name = name.replace(words, letters)
    return re.sub(r"\s*[（(][^（）()]*[)）]", "", name)
