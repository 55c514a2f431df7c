"""Verdicts on projects: first and second choice, how sure, what would turn it, what other methods say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.intake.switching import Pairs, Told, sentences
from geo_cluster.many.methods import METHODS
from geo_cluster.world import catalog

SAID = tuple(f"sentence_{language}" for language in LANGUAGES)
COLUMNS: tuple[str, ...] = (
    "project",
    "first",
    "second",
    "chance_first",
    "choice_entropy",
    "rank_entropy",
    "weight_criterion",
)
COLUMNS += ("weight_change", "datum", "datum_subject", "datum_needed", "datum_unit_zh", "datum_unit_en", "agreement")
COLUMNS += (*(f"by_{method}" for method in METHODS), *SAID)
NUMBERS = ("chance_first", "choice_entropy", "rank_entropy", "weight_change", "datum_needed", "agreement")
"""Columns of a verdict, and those that are numbers."""


class Found(NamedTuple):
    """What was found of R projects that have a choice.

    Attributes
    ----------
    entropy : (R, 2) array
        Of the first place and of the ranking, bits.
    agreement : (R,) array
    by_method : (R, M) array of str
        Site that each of `METHODS` puts first.
    """

    entropy: np.ndarray
    agreement: np.ndarray
    by_method: np.ndarray


def of_pairs(pairs: Pairs, told: Told, found: Found, names: Mapping[str, Text]) -> dict[str, Any]:
    """Columns of the verdicts on R projects that have a choice; the first and second site of each are the pairs.

    Parameters
    ----------
    pairs : Pairs
    told : Told
        With `firsts`.
    found : Found
    names : mapping of Text
        By id.
    """
    switching, moves = told.switching, told.moves
    assert told.firsts is not None
    criteria = np.array([*catalog.criteria(), ""], dtype=object)
    return {
        "first": pairs.site[:, 0],
        "second": pairs.site[:, 1],
        "chance_first": told.firsts[:, 0].round(4),
        "choice_entropy": found.entropy[:, 0].round(4),
        "rank_entropy": found.entropy[:, 1].round(4),
        "weight_criterion": criteria[moves.criterion],
        "weight_change": np.where(np.isfinite(moves.distance), moves.distance.round(4), np.nan),
        "datum": switching.datum,
        "datum_subject": switching.subject,
        "datum_needed": switching.needed,
        "datum_unit_zh": switching.unit_zh,
        "datum_unit_en": switching.unit_en,
        "agreement": found.agreement.round(4),
        **{f"by_{method}": found.by_method[:, m] for m, method in enumerate(METHODS)},
        **{f"sentence_{language}": sentences(pairs, told, names, language) for language in LANGUAGES},
    }


def without_choice(names: Mapping[str, Text], only: str, rules: Mapping[str, int]) -> dict[str, str]:
    """Both sentences on a project that may go to one site, or to none.

    Parameters
    ----------
    names : mapping of Text
        By id.
    only : str
        The site; '' where there is none.
    rules : mapping of int
        Rule -> how many sites it refuses, in the order in which they are named.
    """
    if only:
        return {"sentence_zh": f"只有{names[only].zh}可落地。", "sentence_en": f"Only {names[only].en} is eligible."}
    declared = catalog.rules()
    zh, en = (
        "；".join(f"{declared[rule].name[language]} {count}" for rule, count in rules.items()) for language in LANGUAGES
    )
    return {"sentence_zh": f"没有可落地的园区：{zh}。", "sentence_en": f"No eligible site: {en}."}


def table(projects: pd.Index, counts: np.ndarray, first: np.ndarray, said: list[dict[str, str]], chosen: dict) -> Any:
    """One row a project, in the columns of `COLUMNS`; what a project without a choice has none of is missing.

    Parameters
    ----------
    projects : Index of P
    counts : (P,) array
        To how many sites each may go.
    first : (P,) array of str
        The best of them.
    said : list of mapping
        Sentences of those that have no choice, in order; see `without_choice`.
    chosen : mapping
        Columns of those that have; see `of_pairs`.
    """
    rows = np.flatnonzero(counts > 1)
    found: dict[str, np.ndarray] = {"project": projects.to_numpy(object)}
    for name in COLUMNS[1:]:
        blank = np.nan if name in NUMBERS else None
        found[name] = np.full(len(projects), blank, dtype=float if name in NUMBERS else object)
        found[name][rows] = chosen.get(name, [])
    found["first"][counts == 1] = first[counts == 1]
    for at, words in zip(np.flatnonzero(counts < 2), said, strict=True):
        for name in SAID:
            found[name][at] = words[name]
    return pd.DataFrame(found)
