"""How first places move when each uncertain number goes to either end of its interval, all others at their likely."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geo_cluster import eligibility, toml
from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.eligibility import Facts
from geo_cluster.region import Region, facts_of, settings_of
from geo_cluster.scoring.aggregate import TIE
from geo_cluster.scoring.criteria import Later, Setting, measure, valued, weights_of
from geo_cluster.world import catalog, need_draws
from geo_cluster.world.layers import words

AT_ONCE = 4_000_000
"""Scores that are held at once."""


@dataclass(frozen=True)
class Assumption:
    """What moves together.

    Attributes
    ----------
    scope : {"class", "number"}
    side : {"offer", "need"}
    key : str
        Attribute, or the range of a segment.
    name : Text
    subject : Text
        Whose number it is; of a class, which class.
    basis : str
    rows : tuple of int
        Observations that move; empty for needs.
    factor, segments : str, tuple of str
        The range and the segments that it is of; empty for offers.
    """

    scope: str
    side: str
    key: str
    name: Text
    subject: Text
    basis: str
    rows: tuple[int, ...] = ()
    factor: str = ""
    segments: tuple[str, ...] = ()


def moves(region: Region, projects: pd.DataFrame) -> pd.DataFrame:
    """A row for each class of uncertain numbers moved together, and for each number: whose first place changes.

    Who may go where stays as it is. Numbers that somebody reported or published as a single value have no interval.

    Parameters
    ----------
    region : Region
    projects : DataFrame
        Checked projects.

    Returns
    -------
    DataFrame
        Most changes first: `scope`, `side`, `assumption_zh`, `assumption_en`, `subject_zh`, `subject_en`, `basis`,
        `numbers` (how many move), `low`, `high` (of a single number), `changed_low`, `changed_high`, `changed`:
        projects whose first place changes at its low, its high, or either; `shift_low`, `shift_high`: mean change of
        the first place's score, points; `projects`: ids, `;`-separated.
    """
    facts = facts_of(region, projects)
    allowed = eligibility.judge(facts).allowed
    each = [*_offers(region), *_needs(projects, facts)]
    score = _scores(region, facts, each)
    able = allowed.any(axis=1)
    base = np.where(allowed, next(score), -np.inf)
    first = base.argmax(axis=1)
    best, rows, at = base.max(axis=1), [], np.arange(len(projects))
    for one in each:
        told: dict[str, object] = {}
        changed = np.zeros(len(projects), dtype=bool)
        for end in ("low", "high"):
            moved = np.where(allowed, next(score), -np.inf)
            other = able & (moved.max(axis=1) > moved[at, first] + TIE)
            changed |= other
            told[f"changed_{end}"] = int(other.sum())
            told[f"shift_{end}"] = float((moved[at, first] - best)[able].mean()) if able.any() else 0.0
        rows.append(
            _told(region, one) | told | {"changed": int(changed.sum()), "projects": ";".join(projects.index[changed])}
        )
    table = pd.DataFrame(rows)
    swing = table[["shift_low", "shift_high"]].abs().max(axis=1)
    order = np.lexsort((-swing, -table["changed"], table["scope"]))
    return table.iloc[order].reset_index(drop=True).round({"shift_low": 2, "shift_high": 2})


def _told(region: Region, one: Assumption) -> dict[str, object]:
    row: dict[str, object] = {"scope": one.scope, "side": one.side}
    for language in LANGUAGES:
        row[f"assumption_{language}"], row[f"subject_{language}"] = one.name[language], one.subject[language]
    row |= {"basis": one.basis, "numbers": len(one.rows) or len(one.segments), "low": np.nan, "high": np.nan}
    if one.side == "offer" and len(one.rows) == 1:
        number = region.observations.iloc[one.rows[0]]
        row |= {"low": number["low"], "high": number["high"]}
    return row


def _offers(region: Region) -> Iterator[Assumption]:
    """Every uncertain number that a criterion goes by, and their classes: what one prior or one method stands for."""
    known, criteria = region.observations, set(region.places) | {"spare_mva"}
    used = {
        int(at) for places in (region.places, region.zone_places) for rows in places.values() for at in rows if at >= 0
    }
    arriving = set(zip(region.arrivals["station"], region.arrivals["attribute"], strict=True))
    keys = list(zip(known["site_id"], known["attribute"], strict=True))
    wide = known["high"].to_numpy(float) > known["low"].to_numpy(float)
    rows = [at for at, key in enumerate(keys) if wide[at] and key[1] in criteria and (at in used or key in arriving)]
    groups: dict[tuple[str, str, str], list[int]] = {}
    for at in rows:
        basis, attribute = known["basis"].iloc[at], known["attribute"].iloc[at]
        class_ = known["cause"].iloc[at].rpartition("/")[2] if basis == "assumed" else ""
        groups.setdefault((attribute, class_, basis), []).append(at)
    for (attribute, class_, basis), together in groups.items():
        name = catalog.attributes()[attribute].name
        yield Assumption("class", "offer", attribute, name, _class(class_, basis), basis, tuple(together))
        for at in together:
            one = str(known["site_id"].iloc[at])
            subject = region.names.get(one, Text(zh=one, en=one))
            yield Assumption("number", "offer", attribute, name, subject, basis, (at,))


def _class(class_: str, basis: str) -> Text:
    """What a class is called; numbers that are no prior go by how they are known."""
    named = words("site_class").get(class_) or (words("basis")[basis] if not class_ else None)
    if class_ == "*":
        return Text(zh="其他", en="any other")
    if (shared := class_.rpartition("_")[2]).isdigit() and not named:
        return Text(zh=f"{shared} 个园区共用、供电站未知的供电区", en=f"supply area of {shared} sites, station unknown")
    return Text(**named) if named else Text(zh=class_, en=class_)


def _needs(projects: pd.DataFrame, facts: Facts) -> Iterator[Assumption]:
    """Every range of a segment that an estimated need follows from: of all segments together, and of each."""
    named = toml.table("validation")["words"]["factor"]
    made_of = need_draws.sources(projects, facts.needs)
    segment = projects["segment"].to_numpy(str)
    for factor, name in named.items():
        moving = sum(
            (np.abs(widths[factor]) for widths in made_of.values() if factor in widths), np.zeros(len(segment))
        )
        present = tuple(dict.fromkeys(segment[moving > 0]))
        if not present:
            continue
        said = Text(zh=name["zh"], en=name["en"])
        everyone = Text(zh="全部细分环节", en="every segment")
        yield Assumption("class", "need", factor, said, everyone, "assumed", factor=factor, segments=present)
        for one in present:
            of = catalog.segments()[one].name
            yield Assumption("number", "need", factor, said, of, "assumed", factor=factor, segments=(one,))


def _scores(region: Region, facts: Facts, each: list[Assumption]) -> Iterator[np.ndarray]:
    """(P, S) scores: as they are, then with each assumption at its low and at its high."""
    likely, _ = settings_of(region, facts)
    weight = weights_of(catalog.criteria(), region.scenario.weights, region.alike)
    many = max(AT_ONCE // max(len(facts.projects) * len(region.sites), 1), 1)
    variants: list[tuple[Assumption | None, int]] = [(None, 0), *((one, end) for one in each for end in (0, 2))]
    made_of = need_draws.sources(facts.projects, facts.needs)
    for start in range(0, len(variants), many):
        some = variants[start : start + many]
        offers, later = _moved_offers(region, likely, some)
        setting = replace(likely, needs=_moved_needs(facts, made_of, some), offers=offers, later=later)
        score = np.zeros((len(some), len(facts.projects), len(region.sites)))
        for c, criterion in enumerate(catalog.criteria().values()):
            if weight[c] > 0:
                value = valued(criterion, measure(criterion, setting), setting.bearable)
                score += 100 * weight[c] * np.where(np.isnan(value), 0.5, value)
        yield from score


def _moved_offers(
    region: Region, likely: Setting, some: list[tuple[Assumption | None, int]]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[Later, ...]]]:
    """What sites have in each variant, attribute -> (M, S), and what arrives."""
    bounds = region.observations[["low", "likely", "high"]].to_numpy(float)
    numbers = np.repeat(bounds[:, 1:2], len(some), axis=1)
    for m, (one, end) in enumerate(some):
        rows = list(one.rows) if one else []
        numbers[rows, m] = bounds[rows, end]
    offers = {key: np.ascontiguousarray(found.T) for key, found in region.offered(numbers).items()}
    keys = zip(region.observations["site_id"], region.observations["attribute"], strict=True)
    of, later = {pair: at for at, pair in enumerate(keys)}, {}
    for attribute, arriving in likely.later.items():
        rows = region.arrivals[region.arrivals["attribute"] == attribute]
        own = [of.get((one.station, attribute)) for one in rows.itertuples()]
        later[attribute] = tuple(
            one if at is None else Later(one.at, numbers[at], np.broadcast_to(one.year, len(some)))
            for one, at in zip(arriving, own, strict=True)
        )
    return offers, later


def _moved_needs(
    facts: Facts, made_of: dict[str, need_draws.Widths], some: Iterable[tuple[Assumption | None, int]]
) -> dict[str, np.ndarray]:
    """What projects take in each variant, need -> (M, P): moved by the range's width, within the need's interval."""
    segment, found = facts.projects["segment"].to_numpy(str), {}
    for need, bounds in facts.needs.items():
        low, likely, high = bounds.T
        rows = []
        for one, end in some:
            width = made_of[need].get(one.factor, 0.0) if one and one.factor else 0.0
            theirs = np.isin(segment, one.segments) if one else np.zeros(len(segment), dtype=bool)
            rows.append(np.where(theirs, np.clip(likely * np.exp((end - 1) * width), low, high), likely))
        found[need] = np.array(rows)
    return found
