"""One project's choice among its sites: worked out once, then weighed with any weights in milliseconds.

A `Choice` is what no weight changes about a project and the sites it may go to. `weigh` adds weights: scores, rank
acceptability, what would change them, and the sentences that say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from geo_cluster import eligibility
from geo_cluster.domain import LANGUAGES, Criterion, Language, Text
from geo_cluster.eligibility import Eligibility, Facts
from geo_cluster.intake import verdicts
from geo_cluster.intake.switching import Pairs, Told, sentences, switching_values, weight_moves
from geo_cluster.many.ground import CONCENTRATION
from geo_cluster.many.methods import LEAST, METHODS
from geo_cluster.region import Region, facts_of, settings_of
from geo_cluster.scoring.aggregate import aggregate
from geo_cluster.scoring.criteria import (
    Setting,
    drawn_values,
    known_values,
    natural_values,
    own_and_zone,
    weights_of,
)
from geo_cluster.scoring.robustness import Smaa, agreement, smaa, weight_stability
from geo_cluster.scoring.weights import sample_around
from geo_cluster.supply.pools import is_factory, subject_of, zone_of
from geo_cluster.world import catalog


@dataclass(frozen=True, eq=False)
class Choice:
    """One project and the A sites it may go to, before any weight; C criteria, N draws.

    Attributes
    ----------
    project : str
    sites : tuple of str, length A
        Ids of the sites, in the region's order.
    names : mapping of Text
        Names of the sites, by id.
    needs : mapping of (3,) arrays
        Low, likely and high of what the project takes.
    natural : (A, C) array
        Likely values in natural units; nan where unknown.
    value : (A, C) array
        The same on the value functions, 0 to 1; 0.5 where unknown.
    utilities : (N, A, C) array
        Draws of `value`; what is unknown lies anywhere from 0 to 1.
    evidence : (A, C) array of str
        How each number is known (`domain.BASES`).
    source : (A, C) array of str
        Who says so; empty where a criterion is measured on the layers.
    same_everywhere : frozenset of str
        Criteria that rest on one assumption for all sites of the region, and so tell none apart.
    alike : frozenset of str
        Criteria that tell no two sites of the region apart, for whatever reason: they give their weight back.
    bearable : float
        Minutes to R&D that the project bears; beyond them the value of the trip decays.
    notes : mapping of Text
        What to know beside a criterion (`Region.criterion_notes`).
    remarks : mapping of language to (A,) array of str
        What nobody looked into at a site; empty where all was.
    refused : DataFrame
        One row a site that the project may not go to: `site`, `rule`, `reason_zh`, `reason_en`.
    seed : int
        Of the weights that are drawn around the stated ones.
    factories : frozenset of str
        Sites that offer floor in a standard factory in place of land.
    levers : tuple of Lever, length C
        Whose number each criterion goes by.
    """

    project: str
    sites: tuple[str, ...]
    names: Mapping[str, Text]
    needs: Mapping[str, np.ndarray]
    natural: np.ndarray
    value: np.ndarray
    utilities: np.ndarray
    evidence: np.ndarray
    source: np.ndarray
    same_everywhere: frozenset[str]
    alike: frozenset[str]
    bearable: float
    notes: Mapping[str, Text]
    remarks: Mapping[Language, np.ndarray]
    refused: pd.DataFrame
    seed: int
    factories: frozenset[str] = frozenset()
    levers: tuple[Lever, ...] = ()


class Lever(NamedTuple):
    """One criterion at A sites: whose number would have to change, and what a change of it alone can do.

    Attributes
    ----------
    subject : (A,) array of str
        Site, zone, station, supply area or prefecture whose number binds.
    other : (A,) array of str
        The zone of a park whose own number binds, the park whose zone's does; '' where there is none.
    arrives : (A,) array
        What arrives there before the project begins, in the unit of the resource; it counts beside the number.
    most : (A,) array
        Natural value that no change of this number alone exceeds: what the other has.
    """

    subject: np.ndarray
    other: np.ndarray
    arrives: np.ndarray
    most: np.ndarray

    def at(self, project: int, sites: np.ndarray) -> Lever:
        """The same for one project at some sites, of (P, S) arrays."""
        return Lever(*(part[min(project, len(part) - 1), sites] for part in self))


def levers(region: Region, likely: Setting) -> tuple[Lever, ...]:
    """One lever a criterion, of (P or 1, S) arrays."""
    return tuple(_lever(region, likely, criterion) for criterion in catalog.criteria().values())


def _lever(region: Region, likely: Setting, criterion: Criterion) -> Lever:
    sites, none = region.sites, np.full((1, len(region.sites)), "", dtype=object)
    if not criterion.resource:
        column = "prefecture_code" if criterion.measure == "same_segment" else "id"
        if criterion.attribute:
            subject = subject_of(criterion.attribute, sites).to_numpy(object)
        else:
            subject = sites[column].to_numpy(object)
        return Lever(subject[None, :], none, np.zeros(none.shape), np.full(none.shape, np.inf))
    parts = [_pool_lever(region, likely, criterion.resource)]
    if other := catalog.alternative(criterion.resource):
        parts.append(_pool_lever(region, likely, other))
    is_other = (subject_of(catalog.resources()[criterion.resource].attribute, sites) == "").to_numpy()[None, :]
    return Lever(*(np.where(is_other, second, first) for first, second in zip(parts[0], parts[-1], strict=True)))


def _pool_lever(region: Region, likely: Setting, resource: str) -> Lever:
    """Of a resource: the park's own number or its zone's, whichever is less when a project begins."""
    kind = catalog.resources()[resource]
    subject = subject_of(kind.attribute, region.sites).to_numpy(object)[None, :]
    if kind.attribute not in likely.offers:
        return Lever(subject, subject, np.zeros(subject.shape), np.full(subject.shape, np.inf))
    zones = zone_of(region.sites)[None, :] if kind.zone_pool else np.full(subject.shape, "", dtype=object)
    own, zone = (part[0] * kind.times for part in own_and_zone(kind.attribute, likely))
    before, zone_before = (part[0] * kind.times for part in own_and_zone(kind.attribute, replace(likely, later={})))
    by_zone, need = zone < own, likely.needs[kind.need][0][:, None]
    most = np.where(by_zone, own, np.where(np.isnan(zone), np.inf, zone)) / need
    arrives = np.where(by_zone, zone - zone_before, own - before)
    shape = np.broadcast_shapes(by_zone.shape, most.shape)
    subject, zones = np.broadcast_to(subject, shape), np.broadcast_to(zones, shape)
    return Lever(
        np.where(by_zone, zones, subject), np.where(by_zone, subject, zones), np.broadcast_to(arrives, shape), most
    )


def choices(region: Region, projects: pd.DataFrame) -> Iterator[Choice]:
    """The choice of each checked project (`portfolio.check`), in order."""
    facts = facts_of(region, projects)
    likely, drawn = settings_of(region, facts)
    yield from choices_of(region, facts, eligibility.judge(facts), likely, drawn)


def choices_of(region: Region, facts: Facts, allowed: Eligibility, likely: Setting, drawn: Setting) -> Iterator[Choice]:
    """The same from what has been worked out of the projects before.

    Parameters
    ----------
    region : Region
    facts : Facts
        Of P projects and S sites.
    allowed : Eligibility
    likely, drawn : Setting
        Likely values and N draws of needs and offers (`region.settings_of`).
    """
    criteria = catalog.criteria()
    natural = natural_values(likely, criteria)
    known = known_values(likely, criteria)
    bearable = facts.projects["max_minutes"].to_numpy(float)
    value = np.where(np.isnan(known), 0.5, known)
    evidence, source = region.evidence
    same_everywhere, notes = region.same_everywhere, region.criterion_notes
    behind = levers(region, likely)
    for p, project in enumerate(allowed.projects):
        here = np.flatnonzero(allowed.allowed[p])
        yield Choice(
            project=project,
            sites=tuple(region.sites["id"].iloc[here]),
            names=region.names,
            needs={key: bounds[p] for key, bounds in facts.needs.items()},
            natural=natural[p, here],
            value=value[p, here],
            utilities=_utilities(drawn, p, here),
            evidence=evidence[here],
            source=source[here],
            same_everywhere=same_everywhere,
            alike=region.alike,
            bearable=float(bearable[p]),
            notes=notes,
            remarks={language: allowed.remark[language][p, here] for language in LANGUAGES},
            refused=_refused(region, allowed, p),
            seed=region.scenario.seed,
            factories=frozenset(region.sites["id"][is_factory(region.sites)]),
            levers=tuple(one.at(p, here) for one in behind),
        )


def _refused(region: Region, allowed: Eligibility, p: int) -> pd.DataFrame:
    reasons = {f"reason_{language}": allowed.reason[language][p] for language in LANGUAGES}
    table = pd.DataFrame({"site": region.sites["id"].to_numpy(), "rule": allowed.rule[p], **reasons})
    return table[~allowed.allowed[p]].reset_index(drop=True)


def _utilities(drawn: Setting, project: int, sites: np.ndarray) -> np.ndarray:
    """(N, A, C): values of one project at its eligible sites in every draw."""
    one = drawn.only(slice(project, project + 1))
    count, everywhere = next(iter(drawn.offers.values())).shape
    values = [drawn_values(one, criterion, c) for c, criterion in enumerate(catalog.criteria().values())]
    return np.stack([np.broadcast_to(v, (count, 1, everywhere))[:, 0, sites] for v in values], axis=2)


@dataclass(frozen=True, eq=False)
class Weighed:
    """A choice under one set of weights; each part is made when first asked for.

    Attributes
    ----------
    choice : Choice
    weight : (C,) array
        Weights in force, which sum to 1.
    stated : (C,) array
        Weights as stated, which sum to 1; they differ where a criterion that is alike at every site gave its weight
        back.
    """

    choice: Choice
    weight: np.ndarray
    stated: np.ndarray

    @cached_property
    def points(self) -> np.ndarray:
        """(A, C): what each criterion adds to the score."""
        return 100 * self.choice.value * self.weight

    @cached_property
    def score(self) -> np.ndarray:
        """(A,): weighted sum at the likely values, 0 to 100."""
        return self.points.sum(axis=1)

    @cached_property
    def order(self) -> np.ndarray:
        """(A,): places of the sites, best first."""
        return np.argsort(-self.score, kind="stable")

    @cached_property
    def interval(self) -> np.ndarray:
        """(2, A): the middle 90 % of the draws of the data, at these weights."""
        return np.quantile(100 * self.choice.utilities @ self.weight, [0.05, 0.95], axis=0)

    @cached_property
    def robust(self) -> Smaa:
        """Chances over the draws of the data and weights drawn around these."""
        count = len(self.choice.utilities)
        around = sample_around(self.weight, count, concentration=CONCENTRATION, seed=self.choice.seed)
        return smaa(self.choice.utilities, around)

    @cached_property
    def acceptability(self) -> np.ndarray:
        """(A, A): rank acceptability, the share of draws in which each site takes each rank; 1 where it is alone."""
        return self.robust.acceptability if len(self.choice.sites) > 1 else np.ones((len(self.choice.sites),) * 2)

    @cached_property
    def found(self) -> dict[tuple[int, int], Told]:
        """By leader and rival, what was found of them: several sentences ask for the same."""
        return {}

    def name(self, place: int, language: Language) -> str:
        """Name of a site."""
        return self.choice.names[self.choice.sites[place]][language]


def weigh(choice: Choice, weights: Mapping[str, float]) -> Weighed:
    """Weigh a choice with the declared weights, replaced where `weights` says so."""
    criteria = catalog.criteria()
    return Weighed(choice, weights_of(criteria, weights, choice.alike), weights_of(criteria, weights))


def ranking(weighed: Weighed) -> pd.DataFrame:
    """One row a site, best first: `site`, `score`, `low`, `high`, `chance_first`, `chance_top3`, theme sub-scores.

    `chance_error` is the sampling error of `chance_first`; `assumed` the share of the weight that rests on assumptions;
    `remark_zh` and `remark_en` say what nobody looked into.
    """
    low, high = weighed.interval
    first = weighed.acceptability[:, 0]
    table = pd.DataFrame({"site": weighed.choice.sites, "score": weighed.score, "low": low, "high": high})
    table["chance_first"], table["chance_top3"] = first, weighed.acceptability[:, :3].sum(axis=1)
    table["chance_error"] = np.sqrt(first * (1 - first) / len(weighed.choice.utilities))
    theme = np.array([one.theme for one in catalog.criteria().values()])
    for key in catalog.themes():
        total = max(weighed.weight[theme == key].sum(), 1e-12)
        table[key] = weighed.points[:, theme == key].sum(axis=1) / total
    table["assumed"] = (weighed.choice.evidence == "assumed") @ weighed.weight
    for language in LANGUAGES:
        table[f"remark_{language}"] = weighed.choice.remarks[language]
    return table.iloc[weighed.order].reset_index(drop=True)


def rank_acceptability(weighed: Weighed, *, sites: int = 8, ranks: int = 5) -> pd.DataFrame:
    """Rank acceptability of the best sites, one row a rank: `site`, `rank`, `chance`; rank 0 is any after `ranks`.

    Parameters
    ----------
    weighed : Weighed
    sites : int
        How many sites, best first.
    ranks : int
        How many ranks.

    Returns
    -------
    DataFrame
        `chance` is the share of draws in which a site takes a rank; of a site they add up to 1.
    """
    rows = []
    for place in weighed.order[:sites]:
        chances = weighed.acceptability[place]
        rows += [(weighed.choice.sites[place], rank + 1, chance) for rank, chance in enumerate(chances[:ranks])]
        rows.append((weighed.choice.sites[place], 0, max(1 - chances[:ranks].sum(), 0.0)))
    return pd.DataFrame(rows, columns=["site", "rank", "chance"])


def side_by_side(weighed: Weighed, sites: list[str]) -> pd.DataFrame:
    """Criterion by site, for a few sites: natural value, value, points, evidence, source, and whether it is the best.

    `same_everywhere` marks a criterion that rests on one assumption for all sites. `value_low` and `value_high` hold
    nine of ten draws of the value. Sources are in both languages. Nobody is the best where all are equal, or where the
    value is unknown.
    """
    places = [weighed.choice.sites.index(site) for site in sites]
    value = weighed.choice.value[places]
    low, high = np.quantile(weighed.choice.utilities[:, places], (0.05, 0.95), axis=0)
    best = (value == value.max(axis=0)) & (np.ptp(value, axis=0) > 1e-9) & ~np.isnan(weighed.choice.natural[places])
    rows = [
        {
            "criterion": key,
            "theme": criterion.theme,
            "site": site,
            "natural": weighed.choice.natural[place, c],
            "value": weighed.choice.value[place, c],
            "value_low": low[at, c],
            "value_high": high[at, c],
            "points": weighed.points[place, c],
            "weight": weighed.weight[c],
            "evidence": weighed.choice.evidence[place, c],
            "same_everywhere": key in weighed.choice.same_everywhere,
            **{
                f"source_{language}": catalog.source_in(
                    language, criterion.attribute or "", weighed.choice.source[place, c]
                )
                for language in LANGUAGES
            },
            "best": bool(best[at, c]),
        }
        for c, (key, criterion) in enumerate(catalog.criteria().items())
        for at, (site, place) in enumerate(zip(sites, places, strict=True))
    ]
    return pd.DataFrame(rows)


def weight_intervals(weighed: Weighed) -> pd.DataFrame:
    """Weight stability intervals: how far each may move, others in proportion, before another site leads.

    Returns
    -------
    DataFrame
        One row a criterion, the most sensitive first: `criterion`, `weight`, `low`, `high`, the site that leads
        below and above (empty where nobody does), `room` to the nearer of both (inf where there is none).
    """
    found = weight_stability(weighed.choice.value, weighed.weight)
    table = pd.DataFrame({"criterion": list(catalog.criteria()), "weight": found.weights})
    for end, rival in (("low", found.low_rival), ("high", found.high_rival)):
        table[end] = getattr(found, end)
        table[f"{end}_site"] = [weighed.choice.sites[at] if at >= 0 else "" for at in rival]
    below = np.where(found.low_rival >= 0, found.weights - found.low, np.inf)
    above = np.where(found.high_rival >= 0, found.high - found.weights, np.inf)
    table["room"] = np.minimum(below, above)
    return table.sort_values("room", kind="stable", ignore_index=True)


def thresholds(weighed: Weighed, *, rivals: int = 5) -> pd.DataFrame:
    """Switching value of each of the next sites: the one number that would put it first.

    Parameters
    ----------
    weighed : Weighed
    rivals : int
        How many sites after the best one.

    Returns
    -------
    DataFrame
        `site`, `lead` (points it is behind), `datum` (attribute or criterion, empty where no single number would do),
        `subject` (whose number, empty where it is the site's own), `needed`, `unit_zh`, `unit_en`, `above`.
    """
    rows = []
    for place in weighed.order[1 : rivals + 1]:
        switching = switching_value(weighed, int(weighed.order[0]), int(place))
        lead = weighed.score[weighed.order[0]] - weighed.score[place]
        rows.append({"site": weighed.choice.sites[place], "lead": lead, **switching})
    return pd.DataFrame(rows)


def method_ranks(weighed: Weighed) -> pd.DataFrame:
    """(A, methods): rank of every site by each of `METHODS`, in the order of the weighted sum."""
    value = np.maximum(weighed.choice.value, LEAST)  # lifted a little where a method multiplies
    ranks = {method: aggregate(value, weighed.weight, method=method).rank for method in METHODS}
    return pd.DataFrame(ranks, index=pd.Index(weighed.choice.sites, name="site")).iloc[weighed.order]


def why(weighed: Weighed, first: str, second: str, language: Language) -> str:
    """One sentence on two sites: who leads, by what, how sure that is, and what would change it.

    Parameters
    ----------
    weighed : Weighed
    first, second : str
        Ids of two sites, in any order.
    language : {"zh", "en"}
    """
    a, b = weighed.choice.sites.index(first), weighed.choice.sites.index(second)
    leads = weighed.score[a] >= weighed.score[b]
    pair = (a, b) if leads else (b, a)
    told = _told(weighed, *pair)._replace(chance=weighed.robust.pairwise[None, pair[0], pair[1]])
    return sentences(_pair(weighed, *pair), told, weighed.choice.names, language)[0]


def verdict(weighed: Weighed) -> dict[str, Any]:
    """First and second choice, a sentence in each language, what would put the second first, what each method says.

    Of one project as `verdicts.table` has it of many.
    """
    choice, order = weighed.choice, weighed.order
    if len(choice.sites) < 2:
        rules = {str(rule): int(count) for rule, count in choice.refused["rule"].value_counts().items()}
        only = {"first": choice.sites[0]} if choice.sites else {}
        said = verdicts.without_choice(choice.names, only.get("first", ""), rules)
        return {"project": choice.project, **only, **said}
    pair = int(order[0]), int(order[1])
    ranks = method_ranks(weighed).reindex(list(choice.sites))
    agree = agreement({method: ranks[method].to_numpy() for method in METHODS})
    entropy = np.array([[weighed.robust.choice_entropy, weighed.robust.rank_entropy]])
    mean = np.array([agree.to_numpy()[np.triu_indices(len(METHODS), 1)].mean()])
    found = verdicts.Found(entropy, mean, np.array([[ranks[method].idxmin() for method in METHODS]], dtype=object))
    told = _told(weighed, *pair)._replace(firsts=weighed.acceptability[None, pair, 0])
    columns = verdicts.of_pairs(_pair(weighed, *pair), told, found, choice.names)
    plain = {name: column[0] for name, column in columns.items()}
    missing = {name: None for name in verdicts.NUMBERS if name not in ("agreement",) and np.isnan(plain[name])}
    numbers = {name: float(plain[name]) for name in verdicts.NUMBERS}
    return {"project": choice.project, **plain, **numbers, **missing}


def _pair(weighed: Weighed, leader: int, rival: int) -> Pairs:
    """Two sites of a choice, by place."""
    choice, places = weighed.choice, [leader, rival]
    levers = choice.levers
    return Pairs(
        site=np.array([[choice.sites[leader], choice.sites[rival]]], dtype=object),
        value=choice.value[None, places],
        score=weighed.score[None, places],
        weight=weighed.weight,
        bearable=np.array([choice.bearable]),
        needs={key: bounds[None] for key, bounds in choice.needs.items()},
        instead=np.array([choice.sites[rival] in choice.factories]),
        subject=np.array([[[one.subject[at] for one in levers] for at in places]], dtype=object),
        other=np.array([[one.other[leader] for one in levers]], dtype=object),
        arrives=np.array([[one.arrives[rival] for one in levers]], dtype=float),
        most=np.array([[one.most[rival] for one in levers]], dtype=float),
    )


def _told(weighed: Weighed, leader: int, rival: int) -> Told:
    """What would turn the order of two sites, found once: several sentences ask for the same."""
    if (leader, rival) not in weighed.found:
        pair = _pair(weighed, leader, rival)
        weighed.found[leader, rival] = Told(switching_values(pair), weight_moves(pair))
    return weighed.found[leader, rival]


def switching_value(weighed: Weighed, leader: int, rival: int) -> dict[str, Any]:
    """Switching value: the one number of the rival that would put it level, in an attribute's unit where it has one.

    Parameters
    ----------
    weighed : Weighed
    leader, rival : int
        Places of two sites.
    """
    found = {name: column[0] for name, column in _told(weighed, leader, rival).switching._asdict().items()}
    needed = float(found["needed"]) if found["datum"] else None
    return found | {"needed": needed, "above": bool(found["above"])}
