"""Which project may go where; if not, which rule and by how much.

A quantity refuses only what can't be ruled in: the least that the project needs is more than the most that the site
may have. Rules are declared in `tables/exclusions.toml`, one function each here, and with the resources in
`tables/resources.toml`, which share a function; the first that refuses gives the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language, ResourceKind, Text
from geo_cluster.scoring.explain import significant
from geo_cluster.supply.pools import is_factory
from geo_cluster.world import catalog


@dataclass(frozen=True)
class Facts:
    """What the rules look at: P projects, S sites, intervals as (·, 3) arrays of low, likely, high."""

    projects: pd.DataFrame
    sites: gpd.GeoDataFrame
    needs: Mapping[str, np.ndarray]
    offers: Mapping[str, np.ndarray]
    forbidden: frozenset[tuple[str, str]] = frozenset()
    more: Mapping[str, np.ndarray] = field(default_factory=dict)
    """By attribute (P, S): the most that may have arrived by the year in which each project begins."""
    dual_required: bool = False
    """Whether segments that need two independent feeds go only where these are known."""
    opens: np.ndarray | None = None
    """(S,): the year from which each site stands open, where some open later than the study begins."""
    begins: np.ndarray | None = None
    """(P,): the year from which each project takes its land, where some sites open later."""


@dataclass(frozen=True)
class Refusals:
    """One rule over all pairs: `hit` (P, S) and the numbers that a sentence about a hit needs, each (P, S)."""

    hit: np.ndarray
    sentence: Callable[[int, int, Language], str]


def _constrained(facts: Facts, rule: str) -> np.ndarray:
    """(S,): whether a site carries a constraint that triggers the rule."""
    ruled = set(catalog.rules()[rule].constraints)
    return np.array([bool(ruled & set(text.split(";"))) for text in facts.sites["constraints"].fillna("")])


def _names(facts: Facts, site: int, rule: str, language: Language) -> str:
    ruled = set(catalog.rules()[rule].constraints)
    found = [word for word in facts.sites["constraints"].iloc[site].split(";") if word in ruled]
    return ("、" if language == "zh" else ", ").join(catalog.constraint_names()[word][language] for word in found)


def constraints_checked(sites: pd.DataFrame) -> np.ndarray:
    """(S,): whether anybody looked into the constraints of each site: `yes`, `partly`, `no`.

    Layers without the column `constraints_checked` don't say: what they list is known to be there, what they don't
    list may be, so words make a site `partly` looked into and a blank `no`.
    """
    listed = sites["constraints"].fillna("") != ""
    said = sites["constraints_checked"].fillna("") if "constraints_checked" in sites else pd.Series("", sites.index)
    return said.where(said.isin(["yes", "partly", "no"]), listed.map({True: "partly", False: "no"})).to_numpy(object)


def site_ruled_out(facts: Facts) -> Refusals:
    """Planning orientation or ecological protection, by the site's constraints or its preliminary grade."""
    graded = facts.sites["fit_grade"].isin(catalog.rules()["site_ruled_out"].grades).to_numpy()
    hit = np.broadcast_to(_constrained(facts, "site_ruled_out") | graded, (len(facts.projects), len(facts.sites)))

    def sentence(_: int, site: int, language: Language) -> str:
        names = _names(facts, site, "site_ruled_out", language)
        if language == "zh":
            return f"该园区不承接制造项目：{names or facts.sites['fit_note_zh'].iloc[site]}"
        return f"the site takes no manufacturing: {names or 'ruled out by its planning or ecological position'}"

    return Refusals(hit, sentence)


def process_restricted(facts: Facts) -> Refusals:
    """Hazardous processes stay out of the water-source area."""
    segments = catalog.segments()
    hazardous = np.array([segments[key].hazardous_process for key in facts.projects["segment"]])
    hit = hazardous[:, None] & _constrained(facts, "process_restricted")[None, :]

    def sentence(project: int, site: int, language: Language) -> str:
        names = _names(facts, site, "process_restricted", language)
        segment = segments[facts.projects["segment"].iloc[project]].name[language]
        if language == "zh":
            return f"{segment}涉特气、酸雾或粉末工艺，不进{names}"
        return f"{segment}: special gases, acid mist or powders are kept out of the {names}"

    return Refusals(hit, sentence)


def _short(kind: ResourceKind, facts: Facts) -> Refusals:
    """More of a resource than there may be: the lowest need exceeds the highest offer."""
    if kind.attribute not in facts.offers:  # no site can have it, so none is short of it
        return Refusals(np.zeros((len(facts.projects), len(facts.sites)), dtype=bool), lambda *_: "")
    need, offer = facts.needs[kind.need], facts.offers[kind.attribute] * kind.times
    more = facts.more.get(kind.attribute, np.zeros(1)) * kind.times
    there = np.broadcast_to(offer[:, 2][None, :] + more, (len(need), len(offer)))
    hit = need[:, 0][:, None] > there
    unit, what = kind.unit, kind.short.what or kind.offer

    def sentence(project: int, site: int, language: Language) -> str:
        least = _plain(need[project, 0], up=True)
        most = f"{_plain(offer[site, 0], up=False)}–{_plain(there[project, site], up=False)}"
        if language == "zh":
            return f"至少需要{what.zh} {least} {unit.zh}，此处只有 {most} {unit.zh}"
        return f"needs at least {least} {unit.en} of {what.en}; here there are {most}"

    return Refusals(hit, sentence)


def _plain(number: float, *, up: bool) -> str:
    """A number as people read it: what is needed rounded up, so that so much is enough; what there is down."""
    if number < 100:
        return f"{significant(number, up=up):.3g}"
    return f"{math.ceil(number * (1 - 1e-9)) if up else math.floor(number * (1 + 1e-9)):,d}"


def too_far(facts: Facts) -> Refusals:
    """Further from R&D than a limit that the project states itself; a segment's usual one excludes nothing."""
    most = facts.projects["max_minutes"].to_numpy(float)
    is_stated = facts.projects["max_minutes_given"].to_numpy(bool)
    drive = facts.offers["trip_min"]
    hit = is_stated[:, None] & (drive[:, 0][None, :] > most[:, None])

    def sentence(project: int, site: int, language: Language) -> str:
        low, high = math.ceil(drive[site, 0]), math.ceil(drive[site, 2])  # with so many allowed it may go there
        if language == "zh":
            return f"距研发锚点 {low:.0f}–{high:.0f} 分钟，项目写明最长 {most[project]:.0f} 分钟；留空即不排除"
        stated = f"the project states {most[project]:.0f} at most; left empty, nothing is ruled out"
        return f"{low:.0f}–{high:.0f} min from R&D; {stated}"

    return Refusals(hit, sentence)


def factory_unfit(facts: Facts) -> Refusals:
    """Segments that can't work in a standard factory, at the sites that offer nothing else."""
    segments = [catalog.segments()[key] for key in facts.projects["segment"]]
    unfit = np.array([not segment.standard_factory for segment in segments], dtype=bool)
    hit = unfit[:, None] & is_factory(facts.sites)[None, :]

    def sentence(project: int, _site: int, language: Language) -> str:
        name, why = segments[project].name[language], segments[project].standard_factory_reason
        if language == "zh":
            return f"{name}不宜进标准厂房" + (f"：{why.zh}" if why else "")
        return f"{name}: not for a standard factory" + (f" ({why.en})" if why else "")

    return Refusals(hit, sentence)


def forbidden(facts: Facts) -> Refusals:
    """Pairs that the scenario forbids, and sites that it opens only after the project begins."""
    hit = np.zeros((len(facts.projects), len(facts.sites)), dtype=bool)
    for project, site in facts.forbidden:
        hit |= np.outer(facts.projects.index == project, facts.sites["id"] == site)
    late = np.zeros((len(facts.projects), len(facts.sites)), dtype=bool)
    if facts.opens is not None and facts.begins is not None:
        late = facts.begins[:, None] < facts.opens[None, :]

    def sentence(project: int, site: int, language: Language) -> str:
        if late[project, site] and facts.opens is not None and facts.begins is not None:
            opens, begins = facts.opens[site], facts.begins[project]
            if language == "zh":
                return f"园区 {opens} 年起才能用，项目 {begins} 年开始"
            return f"the site opens in {opens}, the project begins in {begins}"
        return "情景文件禁止这一组合" if language == "zh" else "the scenario forbids this pair"

    return Refusals(hit | late, sentence)


FEEDS = 2
"""Independent feeds that are a dual supply."""


def single_feed(facts: Facts) -> Refusals:
    """Fewer known feeds than a segment needs, where the scenario insists; else it is a condition of the plan."""
    needs = np.array([catalog.segments()[key].dual_supply for key in facts.projects["segment"]], dtype=bool)
    known = known_feeds(facts.sites)
    hit = (needs & facts.dual_required)[:, None] & (known < FEEDS)[None, :]

    def sentence(project: int, site: int, language: Language) -> str:
        segment = catalog.segments()[facts.projects["segment"].iloc[project]].name[language]
        if language == "zh":
            return f"{segment}须有两路独立电源，来源写明给该园区供电且已投运的站有 {known[site]} 座"
        return f"{segment} needs two independent feeds; stations in service known to feed the site: {known[site]}"

    return Refusals(hit, sentence)


def known_feeds(sites: gpd.GeoDataFrame) -> np.ndarray:
    """(S,): how many stations in service are known to feed each site."""
    return sites["independent_feeds"].to_numpy(int) if "independent_feeds" in sites else np.zeros(len(sites), dtype=int)


RULES: dict[str, Callable[[Facts], Refusals]] = {
    function.__name__: function
    for function in (site_ruled_out, forbidden, process_restricted, factory_unfit, too_far, single_feed)
}
"""The rules of `tables/exclusions.toml` by name, in the order in which reasons are given."""


def rules() -> dict[str, Callable[[Facts], Refusals]]:
    """Every rule by name, in the order in which reasons are given: `RULES`, then one for each resource."""
    return RULES | {kind.short.rule: partial(_short, kind) for kind in catalog.resources().values()}


@dataclass(frozen=True)
class Ruled:
    """Which rule refuses which pair; what is said of a pair is made when it is asked for.

    Attributes
    ----------
    facts : Facts
    number : (P, S) int array
        Place in `rules()` of the first rule that refuses, -1 where none does.
    refusals : tuple of Refusals
        Of every rule.
    """

    facts: Facts
    number: np.ndarray
    refusals: tuple[Refusals, ...]

    def __reduce__(self) -> tuple[Callable[[Facts], Ruled], tuple[Facts]]:
        """It travels as its facts: what makes a sentence is a function within a rule."""
        return ruled, (self.facts,)

    @cached_property
    def allowed(self) -> np.ndarray:
        """(P, S) bool array: who may go where."""
        return self.number < 0

    def rule(self, project: np.ndarray, site: np.ndarray) -> np.ndarray:
        """Name of the rule that refuses each pair of places, '' where none does."""
        return np.array([*rules(), ""], dtype=object)[self.number[project, site]]

    def reason(self, project: np.ndarray, site: np.ndarray, language: Language) -> np.ndarray:
        """The sentence with its numbers for each pair of places, '' where eligible.

        Parameters
        ----------
        project, site : (E,) int arrays
            Places of the pairs.
        language : {"zh", "en"}
        """
        number, said = self.number[project, site], np.full(len(project), "", dtype=object)
        for at in np.flatnonzero(number >= 0):
            said[at] = self.refusals[number[at]].sentence(int(project[at]), int(site[at]), language)
        return said

    def remark(self, project: np.ndarray, site: np.ndarray, language: Language) -> np.ndarray:
        """For each pair of places, that a rule on constraints was held against nothing, or against a part of them.

        Parameters
        ----------
        project, site : (E,) int arrays
            Places of the pairs.
        language : {"zh", "en"}
        """
        segments, ruled = catalog.segments(), catalog.rules()["process_restricted"]
        names = [catalog.constraint_names()[word][language] for word in ruled.constraints]
        kept = ("、" if language == "zh" else ", ").join(names)
        text = np.full((2, self.number.shape[1]), "", dtype=object)
        for at, checked in enumerate(constraints_checked(self.facts.sites)):
            if checked in UNCHECKED:
                what = UNCHECKED[checked][language]
                text[0, at] = f"{what}，选址前须查" if language == "zh" else f"{what}: look before siting"
                text[1, at] = f"{what}，是否在{kept}未知" if language == "zh" else f"{what}: it may lie in a {kept}"
        hazardous = np.array([segments[key].hazardous_process for key in self.facts.projects["segment"]], dtype=int)
        return np.where(self.number[project, site] < 0, text[hazardous[project], site], "")


@dataclass(frozen=True, eq=False)
class Eligibility:
    """Who may go where; what is said of all pairs is made when first asked for.

    Attributes
    ----------
    projects : tuple of str
        Ids of the P projects.
    ruled : Ruled
        Which rule refuses which pair; of a few pairs ask it.
    """

    projects: tuple[str, ...]
    ruled: Ruled

    @property
    def allowed(self) -> np.ndarray:
        """(P, S) bool array."""
        return self.ruled.allowed

    @cached_property
    def rule(self) -> np.ndarray:
        """(P, S) object array: name of the first rule that refuses, '' where none does."""
        return self.ruled.rule(*self._pairs).reshape(self.allowed.shape)

    def rules_of(self, project: int) -> np.ndarray:
        """(S,) object array: the same of one project, by its place."""
        sites = np.arange(self.allowed.shape[1])
        return self.ruled.rule(np.full(len(sites), project), sites)

    @cached_property
    def reason(self) -> Mapping[Language, np.ndarray]:
        """By language, (P, S) object array: the sentence with its numbers, '' where eligible."""
        return {one: self.ruled.reason(*self._pairs, one).reshape(self.allowed.shape) for one in LANGUAGES}

    @cached_property
    def remark(self) -> Mapping[Language, np.ndarray]:
        """By language, (P, S) object array: what no rule could be held against, as nobody looked into it.

        '' where all was, or where a rule refuses.
        """
        return {one: self.ruled.remark(*self._pairs, one).reshape(self.allowed.shape) for one in LANGUAGES}

    @property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        projects, sites = self.allowed.shape
        return np.repeat(np.arange(projects), sites), np.tile(np.arange(sites), projects)


def ruled(facts: Facts) -> Ruled:
    """Apply every rule to every pair of project and site."""
    refusals = tuple(function(facts) for function in rules().values())
    number = np.full((len(facts.projects), len(facts.sites)), -1, dtype=np.int8)
    for at, one in enumerate(refusals):
        number[one.hit & (number < 0)] = at
    return Ruled(facts, number, refusals)


def judge(facts: Facts) -> Eligibility:
    """Apply every rule to every pair of project and site."""
    return Eligibility(tuple(facts.projects.index), ruled(facts))


UNCHECKED: Mapping[str, Text] = {
    "no": Text(zh="约束未查", en="constraints not looked into"),
    "partly": Text(zh="约束只查了部分", en="constraints looked into in part only"),
}
"""What is said of a site by `constraints_checked`."""
