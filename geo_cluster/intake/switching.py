"""What would turn a choice: the smallest change of one weight, and the one number that would put the rival level.

R pairs of a leader and a rival, C criteria.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from geo_cluster.domain import LANGUAGES, Criterion, Language, Text
from geo_cluster.scoring.aggregate import TIE
from geo_cluster.scoring.criteria import value_function
from geo_cluster.scoring.explain import Certainty, Style, SwitchingValue, pair_sentences
from geo_cluster.scoring.robustness import level_steps, single_changes
from geo_cluster.world import catalog

STYLES: dict[Language, Style] = {
    "zh": Style("zh", digits=1, unit=" 分"),
    "en": Style("en", digits=1, unit=" points"),
}


@dataclass(frozen=True, eq=False)
class Pairs:
    """R pairs of sites.

    Attributes
    ----------
    site : (R, 2) array of str
        Leader and rival.
    value : (R, 2, C) array
        Likely values, 0 to 1.
    score : (R, 2) array
    weight : (C,) array
        Adds up to 1.
    bearable : (R,) array
        Minutes that the project bears.
    needs : mapping of (R, 3) arrays
        Low, likely and high of what the project takes.
    instead : (R,) array of bool
        Whether the rival is a standard factory.
    subject : (R, 2, C) array of str
        Whose number binds at each; see `site_choice.Lever`.
    other : (R, C) array of str
        Of the leader.
    arrives, most : (R, C) arrays
        Of the rival.
    """

    site: np.ndarray
    value: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    bearable: np.ndarray
    needs: Mapping[str, np.ndarray]
    instead: np.ndarray
    subject: np.ndarray
    other: np.ndarray
    arrives: np.ndarray
    most: np.ndarray

    @property
    def lead(self) -> np.ndarray:
        """(R, C): what each criterion adds to the lead, points."""
        return 100 * (self.value[:, 0] - self.value[:, 1]) * self.weight


class Switching(NamedTuple):
    """The one number that would put each rival level, in the unit that people give it in; arrays of R.

    Attributes
    ----------
    datum, subject : array of str
        Attribute or criterion, '' where no single number would do; whose number it is, '' where the site's own.
    needed : array
        nan where none would do.
    unit_zh, unit_en : array of str
    above : array of bool
        Whether the number has to be so much at least, or at most.
    """

    datum: np.ndarray
    subject: np.ndarray
    needed: np.ndarray
    unit_zh: np.ndarray
    unit_en: np.ndarray
    above: np.ndarray


def switching_values(pairs: Pairs) -> Switching:
    """Find the switching value of each pair: the least change of a value of the rival that some number can make."""
    criteria = list(catalog.criteria().items())
    count, weight = len(pairs.value), pairs.weight / pairs.weight.sum()
    leader, rival = pairs.value[:, 0], pairs.value[:, 1]
    ahead = ((leader - rival) * weight).sum(axis=1)
    needed = rival + level_steps(ahead, weight)
    within = (needed >= -TIE) & (needed <= 1 + TIE)
    shared = (pairs.subject[:, 1] == pairs.subject[:, 0]) | (pairs.subject[:, 1] == pairs.other)
    natural = np.stack(
        [_inverse(one, np.clip(needed[:, c], 0, 1), pairs.bearable) for c, (_, one) in enumerate(criteria)], axis=1
    )
    turns = within & ~shared & (natural <= pairs.most * (1 + 1e-9)) & (ahead >= 0)[:, None]
    change = np.where(turns, np.abs(needed - rival), np.inf)
    chosen = np.where(turns.any(axis=1), change.argmin(axis=1), -1)
    blank = [np.full(count, "", dtype=object) for _ in range(4)]
    found = Switching(blank[0], blank[1], np.full(count, np.nan), blank[2], blank[3], np.ones(count, dtype=bool))
    for c, (key, criterion) in enumerate(criteria):
        rows = np.flatnonzero(chosen == c)
        for instead in (False, True) if len(rows) else ():
            _tell(found, pairs, rows[pairs.instead[rows] == instead], c, (key, criterion, instead), natural[:, c])
    return found


def _inverse(criterion: Criterion, value: np.ndarray, bearable: np.ndarray) -> np.ndarray:
    """(R,) natural values that are worth so much to who bears so much."""
    if criterion.halves_every is None:
        return value_function(criterion).inverse(value)
    natural = np.empty(len(value))
    for limit in np.unique(bearable):
        mine = bearable == limit
        natural[mine] = value_function(criterion, limit).inverse(value[mine])
    return natural


def _tell(
    found: Switching, pairs: Pairs, rows: np.ndarray, c: int, what: tuple[str, Criterion, bool], natural: np.ndarray
) -> None:
    """Put numbers of one criterion into people's units, rounded to the side on which they do."""
    key, criterion, instead = what
    needed, above, digits = natural[rows], criterion.best > criterion.worst, 2
    datum, units = key, {language: criterion.unit_in(language) for language in LANGUAGES}
    if criterion.resource:
        other = catalog.alternative(criterion.resource) if instead else ""
        kind = catalog.resources()[other or criterion.resource]
        least, likely = pairs.needs[kind.need][rows, 0], pairs.needs[kind.need][rows, 1]
        needed = np.maximum(needed * likely - pairs.arrives[rows, c], least)  # with less it may not go there at all
        datum, above, digits = kind.attribute, True, 1
        units = {language: kind.unit[language] for language in LANGUAGES}
    scaled = needed * 10**digits
    found.needed[rows] = (np.ceil(scaled - 1e-7) if above else np.floor(scaled + 1e-7)) / 10**digits
    subject = pairs.subject[rows, 1, c]
    found.datum[rows], found.above[rows] = datum, above
    found.subject[rows] = np.where(subject == pairs.site[rows, 1], "", subject)
    found.unit_zh[rows], found.unit_en[rows] = units["zh"], units["en"]


class Moves(NamedTuple):
    """The smallest change of one weight that puts each rival level; arrays of R.

    Attributes
    ----------
    criterion : array of int
        Whose weight moves; -1 where none has to or none would do.
    target : array
        Where to; nan where none.
    distance : array
        By how much: 0 where they are level, inf where no weight would do.
    """

    criterion: np.ndarray
    target: np.ndarray
    distance: np.ndarray


def weight_moves(pairs: Pairs) -> Moves:
    """Find the smallest change of one weight of each pair; see `robustness.smallest_weight_change`."""
    weight = pairs.weight / pairs.weight.sum()
    gain = pairs.value[:, 1] - pairs.value[:, 0]
    level, hopeless = (gain * weight).sum(axis=1) >= -TIE, gain.max(axis=1, initial=-1.0) < 0
    target, criterion = single_changes(gain, weight)
    moves = ~level & ~hopeless
    distance = np.where(level, 0.0, np.where(hopeless, np.inf, np.abs(target - weight[criterion])))
    return Moves(np.where(moves, criterion, -1), np.where(moves, target, np.nan), distance)


class Told(NamedTuple):
    """What sentences on R pairs say beside the lead: chances, and what was found of switching values and weights."""

    switching: Switching
    moves: Moves
    firsts: np.ndarray | None = None
    chance: np.ndarray | None = None


def sentences(pairs: Pairs, told: Told, names: Mapping[str, Text], language: Language) -> list[str]:
    """Why the first of each pair leads the second, how sure that is, and what would change it.

    Parameters
    ----------
    pairs : Pairs
    told : Told
        `firsts` are (R, 2) chances of being first of all, `chance` (R,) those that the first beats the second.
    names : mapping of Text
        Of sites, stations, supply areas and prefectures by id.
    language : {"zh", "en"}
    """
    criteria = [one.name[language] for one in catalog.criteria().values()]
    both = [(names[one][language], names[other][language]) for one, other in pairs.site.tolist()]
    sure = _certainty(pairs, told, names, language, criteria)
    return pair_sentences(both, criteria, pairs.lead, pairs.score, certainty=sure, style=STYLES[language])


def _certainty(
    pairs: Pairs, told: Told, names: Mapping[str, Text], language: Language, criteria: Sequence[str]
) -> list[Certainty]:
    declared = {key: one.name[language] for key, one in catalog.attributes().items()}
    declared |= dict(zip(catalog.criteria(), criteria, strict=True))
    switching, moves, count = told.switching, told.moves, len(pairs.value)
    units = switching.unit_zh if language == "zh" else switching.unit_en
    above = moves.target > pairs.weight[moves.criterion]
    firsts = [None] * count if told.firsts is None else [(a, b) for a, b in told.firsts.tolist()]
    chance = [None] * count if told.chance is None else told.chance.tolist()
    found = []
    for r in range(count):
        datum = weight = None
        if key := switching.datum[r]:
            whose = names[switching.subject[r]][language] if switching.subject[r] else ""
            needed = float(switching.needed[r])
            datum = SwitchingValue(declared[key], needed, units[r], bool(switching.above[r]), whose)
        if moves.criterion[r] >= 0:
            name = criteria[moves.criterion[r]]
            weight = SwitchingValue(name, float(moves.target[r]), "%", above=bool(above[r]))
        found.append(Certainty(chance=chance[r], firsts=firsts[r], weight=weight, datum=datum))
    return found
