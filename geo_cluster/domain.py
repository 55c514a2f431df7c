"""The declared types: what a table row or a scenario may say, and what each field means.

Everything here is frozen and refuses unknown keys. The text under a field is its explanation wherever the
field shows: on the screen, in the docs, in an exported data dictionary.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from geo_cluster.archive import file_name
from geo_cluster.errors import Fault
from geo_cluster.toml import shown

Basis = Literal["reported", "published", "derived", "assumed"]
"""How a number is known, best first: a prefecture or grid company said so; a public document says so;
a named formula gives it; it is the prior of its class."""

BASES: tuple[Basis, ...] = ("reported", "published", "derived", "assumed")
Stage = Literal["materials", "components", "lasers", "equipment", "applications", "support"]
Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
PlanningLevel = Literal["cautious", "likely", "hopeful"]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Points = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
"""Score points: a score is 0 … 100, so that a thousand million outweighs whatever there is."""
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class FieldError(ValueError):
    """What a validator of a declared type raises: faults, which get their place where the row was read."""

    def __init__(self, *faults: Fault):
        super().__init__("; ".join(fault.what for fault in faults))
        self.faults = faults


class Declared(BaseModel):
    """Base of all declarations: frozen, no unknown keys, field docstrings are the help texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Declared):
    """A text in Chinese and English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def __getitem__(self, language: Language) -> str:
        return self.en if language == "en" else self.zh


class Avoided(Declared):
    """Words that no text may use for a term."""

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class Term(Text):
    """A term of the glossary: what it is called in both languages, what it means, and where that is fixed."""

    group: Literal["land", "energy", "reach", "decision", "matching", "provenance", "industry"]
    means: Text
    source: str = Field(min_length=1)
    """Standard, rule or paper; `usage` where none fixes it, `here` where this product does."""
    avoid: Avoided = Avoided()
    but: tuple[str, ...] = ()
    """Phrases in which a word to be avoided may stand."""
    paired: bool = False
    """Whether a text that has the English term says the Chinese one, too."""


def both(text: object) -> object:
    """Let a plain string stand for the same text in both languages (units, mostly)."""
    return {"zh": text, "en": text} if isinstance(text, str) else text


def _refuse_disorder(low: float, likely: float, high: float) -> None:
    if not low <= likely <= high:
        raise FieldError(Fault("world.not_in_order", "", low=low, likely=likely, high=high))


class Prior(Declared):
    """What is assumed of a subject's attribute while nobody knows it."""

    class_: str = Field(alias="class")
    """Class of subject it holds for, `*` for any other."""
    share_of: str | None = None
    """Attribute of the same subject that the bounds are shares of."""
    up_to: Positive | None = None
    """The share holds as long as that attribute is no more than this."""
    as_of: str = "2026-11"
    """When it was assumed."""
    low: NonNegative
    likely: NonNegative
    high: NonNegative
    reason: Text
    """Why this interval."""
    common: Fraction = 0.0
    """Correlation of the errors of two subjects of the class: what makes the guess wrong for all of them at once."""
    common_reason: Text | None = None
    """Why they have so much in common."""

    @model_validator(mode="after")
    def _ordered(self) -> Prior:
        _refuse_disorder(self.low, self.likely, self.high)
        return self


class Spoken(Text):
    """The unit in which people ask and answer, where it isn't the one that is reckoned in."""

    times: Positive
    """So many of it are one of the attribute's own."""


class Attribute(Declared):
    """One thing we want to know of a site, a substation or a prefecture."""

    subject: Literal["site", "substation", "prefecture"]
    unit: Text
    spoken: Spoken | None = None
    """Unit of the question, where it isn't `unit`."""
    name: Text
    help: Text
    question: Text
    """The question to send to whoever knows."""
    whom: Text
    """Who knows, to be asked."""
    digits: int = 1
    """Decimals shown."""
    sources: tuple[Text, ...] = ()
    """How it is derived, where it is: roads first."""
    common: Fraction = 0.0
    """Correlation of the errors of two subjects' numbers that are derived in the same way."""
    common_reason: Text | None = None
    """Why they have so much in common."""
    priors: tuple[Prior, ...] = ()
    only: tuple[str, ...] = ()
    """Classes of site that can have it; any can where none is named."""
    never: tuple[str, ...] = ()
    """Classes of site that can't have it."""

    def applies(self, site_class: str) -> bool:
        """Whether a subject of this class can have it."""
        return site_class not in self.never and (not self.only or site_class in self.only)

    @model_validator(mode="before")
    @classmethod
    def _unit(cls, row: dict) -> dict:
        return {**row, "unit": both(row["unit"])} if isinstance(row, dict) and "unit" in row else row

    def display_unit(self) -> tuple[float, Text]:
        """How many of the unit that is displayed make one of the attribute's own, and that unit's name."""
        return (self.spoken.times, self.spoken) if self.spoken else (1.0, self.unit)


class Criterion(Declared):
    """One column of the decision matrix and how its value is judged."""

    theme: Literal["land", "energy", "reach", "chain"]
    measure: str = ""
    """Function in `scoring/criteria.py` that gives the criterion in natural units."""
    resource: str = ""
    """Resource whose coverage ratio, what there is over what is needed, is the criterion; instead of a measure."""
    attribute: str | None = None
    """Attribute whose observation is behind the criterion; its basis counts as evidence."""
    attributes: tuple[str, ...] = ()
    """Attributes that the measure adds up, where it is more than one."""
    halves_every: Positive | None = None
    """Beyond what a project bears (`max_minutes`) the value halves with every so many units more."""
    basis: Basis = "derived"
    """How the criterion is known where no observed attribute is behind it."""
    unit: Text
    worst: float
    """Natural value that is worth 0."""
    best: float
    """Natural value that is worth 1."""
    weight: NonNegative
    """Relative weight; divided by the sum of all."""
    value: dict = Field(default_factory=lambda: {"kind": "linear"})
    """Value function between worst and best: kind and parameters (see `scoring/values.py`)."""
    name: Text
    reason: Text
    """Why it counts and where its range comes from."""

    @model_validator(mode="before")
    @classmethod
    def _unit(cls, row: dict) -> dict:
        return {**row, "unit": both(row["unit"])} if isinstance(row, dict) and "unit" in row else row

    @model_validator(mode="after")
    def _measured(self) -> Criterion:
        if bool(self.measure) == bool(self.resource):
            raise FieldError(Fault("world.measure_or_resource", ""))
        return self

    def unit_in(self, language: Language) -> str:
        """The unit as people read it; '' for a pure number (unit 1)."""
        return "" if self.unit.en == "1" else self.unit[language]

    def amount(self, number: str, language: Language) -> str:
        """A number with its unit."""
        return f"{number} {self.unit_in(language)}".rstrip()


class Rule(Declared):
    """A rule by which a project may not go to a site."""

    name: Text
    reason: Text
    constraints: tuple[str, ...] = ()
    """Site constraints that trigger the rule, where it is triggered by one."""
    grades: tuple[str, ...] = ()
    """Preliminary grades of a site that trigger the rule."""


class Asked(Declared):
    """How a portfolio says what a project takes of a resource."""

    column: str
    """Key of the column; in checked projects `<column>_low`, `<column>_likely`, `<column>_high`, `<column>_given`."""
    name: Text
    unit: Text
    constant: str = ""
    """Constant of `requirements.toml`: so many of the resource's unit are one of this one."""
    example: str = ""
    """What the template shows."""

    @model_validator(mode="before")
    @classmethod
    def _unit(cls, row: dict) -> dict:
        return {**row, "unit": both(row["unit"])} if isinstance(row, dict) and "unit" in row else row

    @property
    def heading(self) -> Text:
        """Heading of the column in a file."""
        return Text(zh=f"{self.name.zh}({self.unit.zh})", en=f"{self.name.en} ({self.unit.en})")

    def title(self, language: Language) -> str:
        """Heading of the column on a page."""
        return _titled(self.name, self.unit, language)


RuleState = Literal["in_force", "open", "not_yet", "expired", "unknown"]
"""Where a rule is in its life on a day: in force, in force with no end stated, not yet, expired, life unknown."""


class RuleLife(Declared):
    """Who made a rule of law, price or support, under which number, and from when to when it holds."""

    title: Text
    issuer: Text = Text(zh="未载", en="not stated")
    """Who issued it."""
    number: str = ""
    """Number of the document, empty where it has none or none was found."""
    valid_from: datetime.date | None
    """First day in force; None where it is not known."""
    valid_to: datetime.date | None = None
    """Last day in force; None where no end is stated."""
    publisher: str = ""
    """Who published what was read."""
    source: str = ""
    source_class: Literal["a", "b", "c", ""] = ""
    confidence: str = ""

    def state(self, day: datetime.date) -> RuleState:
        """Where it is in its life on a day."""
        if self.valid_to is not None and day > self.valid_to:
            return "expired"
        if self.valid_from is None:
            return "unknown"
        if day < self.valid_from:
            return "not_yet"
        return "open" if self.valid_to is None else "in_force"


class RuleTopic(Declared):
    """One kind of rule: the table that holds its rows, and what is done on a day when none is in force."""

    table: str
    """Table of `geo_cluster/tables`."""
    rows: str
    """Key of its rows in the table; dots lead inwards."""
    key: tuple[str, ...]
    """Columns that name one thing; its rows are its versions."""
    otherwise: Literal["indication", "left_out"]
    """Where none is in force: use the nearest one in time and say so, or count nothing."""
    monthly: bool = False
    """A price of one month, told where the price stands and not in every file of a plan."""
    quiet_before: bool = False
    """Before the first of them there is nothing to say."""
    name: Text


class ResourceRule(Declared):
    """The rule that refuses a site for want of a resource."""

    rule: str
    """Name of the rule in tables."""
    what: Text | None = None
    """What is wanting, where the resource's `offer` won't do."""
    name: Text
    reason: Text


class ResourceKind(Declared):
    """Something that projects take and that sites, stations or prefectures have: land, power, energy."""

    attribute: str
    """Attribute that says how much there is."""
    subject: Literal["site", "substation", "prefecture"]
    """Whose attribute it is."""
    need: str
    """Column that says what a project takes, in `unit`."""
    unit: Text
    """What it is counted in: the unit in which people speak of the attribute."""
    times: Positive
    """So many of it are one of the attribute's own unit."""
    symbol: str
    """The unit in files for programs."""
    name: Text
    offer: Text
    """What there is of it is called."""
    digits: int
    """Decimals shown of what a project takes."""
    total: Text
    """What the sum over all pools is; {n} is how many pools there are."""
    asked: Asked
    estimate: str = "by_output"
    """Function in `world/portfolio.py` that says what a project takes when nobody does."""
    usual: tuple[Positive, Positive] | None = None
    """What a plant takes per 100 M yuan of annual output where its segment doesn't say: lowest, highest."""
    short: ResourceRule
    zone_pool: bool = False
    """A park inside a zone draws on its own and on its zone's."""
    instead_of: str = ""
    """Resource that a project takes none of where it takes this one."""
    year: Literal["year", "power_year"] = "year"
    """Column that says from which year a project takes it; where that is empty, `year`."""

    @model_validator(mode="before")
    @classmethod
    def _offer(cls, row: dict) -> dict:
        return {"offer": row["name"], **row} if isinstance(row, dict) and "name" in row else row

    def title(self, language: Language) -> str:
        """Heading of what projects take."""
        return _titled(self.name, self.unit, language)

    def offer_title(self, language: Language) -> str:
        """Heading of what there is."""
        return _titled(self.offer, self.unit, language)


def _titled(name: Text, unit: Text, language: Language) -> str:
    return f"{name.zh}（{unit.zh}）" if language == "zh" else f"{name.en[:1].upper()}{name.en[1:]} ({unit.en})"


class RangeBasis(Declared):
    """What a range of a segment rests on."""

    kind: Literal["references", "derived", "analogy", "estimate"]
    """Reference projects lie within it, it is computed from their figures, a neighbour's, or practice (class c)."""
    references: tuple[str, ...] = ()
    """Ids of the layer `reference_projects`."""
    siting: tuple[str, ...] = ()
    """Ids of the layer `siting_decisions`."""
    zh: str = ""
    en: str = ""

    @property
    def sample(self) -> int:
        """How many projects stand behind it."""
        return len(self.references) + len(self.siting)


class Segment(Declared):
    """What a plant of one segment of the laser industry needs per 100 M yuan of annual output."""

    name: Text
    stage: Stage
    """Stage of the value chain."""
    needs: dict[str, tuple[Positive, Positive]]
    """What it takes per 100 M yuan, by column of a portfolio (mu of land): lowest, highest."""
    plot_ratio: tuple[Positive, Positive]
    """Floor area over land area."""
    plot_ratio_class: str
    """Row of `plot_ratio.class` in `requirements.toml`: the least that the rule asks."""
    reason: Text | None = None
    """Why its plot ratio may lie below what parks ask."""
    density_mw_per_10k_m2: tuple[Positive, Positive]
    """Installed power, MW per 10,000 m² of floor."""
    demand_factor: tuple[Positive, Annotated[Positive, Field(le=1)]]
    """Peak load over installed power."""
    load_factor: tuple[Positive, Annotated[Positive, Field(le=1)]]
    """Mean load over peak load."""
    basis: dict[str, RangeBasis] = Field(default_factory=dict)
    """What each range rests on; a range without one is an engineering estimate (class c)."""
    trips_per_month: tuple[Positive, Positive]
    """Round trips of R&D staff a month per 100 M yuan."""
    cleanroom: str
    """Cleanroom class (ISO 14644-1)."""
    max_minutes: Positive
    """One-way trip to R&D that the segment usually bears, minutes; beyond it the value of the trip decays."""
    freight: Literal["port", "air"]
    """Main gate of its goods."""
    dual_supply: bool
    """Needs two independent supplies."""
    standard_factory: bool = False
    """Can work in a standard factory built for nobody in particular."""
    standard_factory_reason: Text | None = None
    """Why it can or can't."""
    hazardous_process: bool
    """Special gases, acid mist or explosive dust: kept out of the water-source area."""
    industries: tuple[str, ...]
    """Words that a zone's lead industries share with this segment."""
    confidence: str
    source_class: str
    note: str


class DoorIndicator(Declared):
    """What a standard-land threshold is of."""

    name: Text
    unit: Text | None = None
    """None of a mere ratio."""

    def title(self, language: Language) -> str:
        """Name with unit."""
        return _titled(self.name, self.unit, language) if self.unit else self.name[language]


class Door(Declared):
    """A threshold that a park sets for projects on standard land （标准地门槛）."""

    site: str
    """Id of the site; parks inside it inherit it."""
    indicator: str
    """Key of the table's `indicators`."""
    least: Positive
    """The threshold, in the indicator's unit."""
    counts: Literal["total", "fixed"]
    """Whether it counts total or fixed investment."""
    binds: bool
    """Whether every project of the site has to meet it; otherwise it is there to compare with."""
    title: Text
    """What the rule is called."""
    issuer: Text
    number: str
    valid_from: datetime.date
    valid_to: datetime.date | None = None
    """The last day that it is valid; None where no end is stated."""
    publisher: str
    source: str
    source_class: str
    confidence: str
    note: str = ""

    def is_valid(self, day: datetime.date) -> bool:
        """Whether the rule is valid on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Pair(Declared):
    """A project and a site, named in a scenario."""

    project: str
    """Id of the project (P01)."""
    site: str
    """Id of the site (H01)."""


class Share(Declared):
    """How many projects a prefecture must and may get; of one segment, where one is named."""

    prefecture: str
    """Code of the prefecture (420700)."""
    segment: str = ""
    """Segment that the numbers are for; empty for all projects."""
    least: Annotated[int, Field(ge=0)] = 0
    """Projects that it must get, as long as any plan can."""
    most: Annotated[int, Field(ge=0)] | None = None
    """Projects that it may get; without it, any number."""

    @model_validator(mode="after")
    def _ordered(self) -> Share:
        if self.most is not None and self.most < self.least:
            raise FieldError(Fault("world.most_below_least", "", most=self.most, least=self.least))
        return self


class Partners(Declared):
    """Two projects that gain from being close, supplier and customer for instance."""

    first: str
    """Id of one project."""
    second: str
    """Id of the other."""
    gain: Annotated[Points, Field(gt=0)]
    """What being close is worth, in score points."""
    close: Literal["site", "prefecture"] = "site"
    """What counts as close: the same site, or the same prefecture."""


class KnownBetter(Declared):
    """A number that the user knows better than the shipped tables."""

    subject: str
    """Site (H01), substation (G11), supply area (A420704) or prefecture (420700)."""
    attribute: str
    """Which number: a key of `tables/attributes.toml`, in that attribute's unit."""
    low: NonNegative
    """What it is at least."""
    likely: NonNegative
    """What it most likely is."""
    high: NonNegative
    """What it is at most."""
    basis: Basis = "reported"
    """Who says so: reported (told to us), published, derived or assumed."""
    source: str = Field(min_length=1)
    """Who said so; it shows wherever the number does."""
    as_of: str = ""
    """Day or month that the number speaks of."""

    @model_validator(mode="after")
    def _ordered(self) -> KnownBetter:
        _refuse_disorder(self.low, self.likely, self.high)
        return self


FIRST_YEAR, LAST_YEAR = 2000, 2100
"""A study is of a day between these years."""

LATER_FIELDS: dict[str, object] = {
    "day": None,
    "arrivals": [],
    "dual_supply": "condition",
    "division": 0.0,
    "openings": [],
    "points_per_10k_yuan": 0.0,
    "at_most_sites": None,
    "either": [],
    "promised": [],
    "parts": [],
}
"""Fields that scenarios of earlier editions don't have, and what leaves a scenario's id as it was."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def _day(value: object) -> object:
    """A day as TOML or JSON writes it; numbers, times and far years are refused."""
    if isinstance(value, str) and _DAY.match(value):
        try:
            value = datetime.date.fromisoformat(value)
        except ValueError:
            raise FieldError(Fault("world.not_a_day", "", got=shown(value))) from None
    if value is None:
        return None
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise FieldError(Fault("world.not_a_day", "", got=shown(value)))
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise FieldError(Fault("world.day_too_far", "", got=str(value), first=FIRST_YEAR, last=LAST_YEAR))
    return value


class Arrival(Declared):
    """Land, power or energy quota that is not there yet: how much more there is from a year on."""

    subject: str
    """Site (E01), supply area (A420703), substation (G10) or prefecture (420700) that has more then."""
    attribute: str
    """What arrives: `available_land_ha`, `spare_mva` or `energy_quota_tce`, in that attribute's unit."""
    low: NonNegative
    """What arrives at least."""
    likely: NonNegative
    """What most likely arrives."""
    high: NonNegative
    """What arrives at most."""
    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    """Year from which it most likely counts."""
    year_low: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] | None = None
    """Year from which it counts at the earliest; `year` when left out."""
    year_high: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] | None = None
    """Year from which it counts at the latest; `year` when left out."""
    basis: Basis = "reported"
    """Who says so: reported (told to us), published, derived or assumed."""
    source: str = Field(min_length=1)
    """Who said so; it shows wherever the number does."""

    @model_validator(mode="after")
    def _ordered(self) -> Arrival:
        _refuse_disorder(self.low, self.likely, self.high)
        _refuse_disorder(*self.years)
        return self

    @property
    def years(self) -> tuple[int, int, int]:
        """Earliest, most likely and latest year."""
        low = self.year if self.year_low is None else self.year_low
        return low, self.year, self.year if self.year_high is None else self.year_high


class Opening(Declared):
    """What may be opened at a cost: a park, a transformer, a line. Rows of one name are one opening, paid in sum."""

    name: str = Field(min_length=1)
    """What it is called."""
    points: Points = 0.0
    """What it costs, in score points."""
    price_10k_yuan: NonNegative = 0.0
    """What it costs, in 10,000 yuan; `points_per_10k_yuan` of the scenario says how many points that is."""
    sites: tuple[str, ...] = ()
    """Sites (E09) that nobody can go to without it."""
    attribute: str = ""
    """What it adds: `available_land_ha`, `spare_mva`, `energy_quota_tce` …, in that attribute's unit."""
    subject: str = ""
    """Site (E01), supply area (A420703), substation (G10) or prefecture (420700) whose pool has more with it."""
    low: NonNegative = 0.0
    """What it adds at least."""
    likely: NonNegative = 0.0
    """What it most likely adds."""
    high: NonNegative = 0.0
    """What it adds at most."""
    from_year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] | None = None
    """Year from which what it brings counts; from the first year on when left out."""
    source: str = Field(min_length=1)
    """Who said so; it shows wherever the number does."""

    @model_validator(mode="after")
    def _brings_something(self) -> Opening:
        _refuse_disorder(self.low, self.likely, self.high)
        adds = (bool(self.attribute), bool(self.subject), self.high > 0)
        if any(adds) and not all(adds):
            raise FieldError(Fault("world.opening_adds_part", "", name=self.name))
        if not any(adds) and not self.sites:
            raise FieldError(Fault("world.opening_brings_nothing", "", name=self.name))
        return self


class Promise(Declared):
    """What a project under way was promised at a site: it is taken before the projects of the scenario choose."""

    project: str = Field(min_length=1)
    """What it is called."""
    site: str
    """Id of the site (H01)."""
    amounts: dict[str, NonNegative]
    """Resource (`land`, `power`, `energy` …) and how much of it, in the unit of `tables/resources.toml`."""
    source: str = Field(min_length=1)
    """Who promised it; it shows with the pools."""


class Either(Declared):
    """One or the other: no more than `most` of some sites get projects, or of some openings are opened."""

    names: tuple[str, ...]
    """Ids of sites and names of openings, two or more."""
    most: Annotated[int, Field(ge=1)] = 1
    """How many of them at most."""

    @model_validator(mode="after")
    def _limits(self) -> Either:
        count = len(set(self.names))
        if count < 2 or self.most >= count:
            raise FieldError(Fault("world.either_of_one", "", names=_some(list(self.names)), most=self.most))
        return self


class ProjectParts(Declared):
    """Projects that are phases of one, or one project that may be split over at most two sites."""

    projects: tuple[str, ...]
    """Ids of the phases, in their order; or the one project that may be split."""
    rule: Literal["in_order", "together", "split"] = "in_order"
    """`in_order`: a phase is placed only if the one before it is; `together`: all of them or none; `split`: one project
    in equal shares, all or none, on at most two sites."""
    one_site: bool = False
    """Whether all phases go to one site."""
    into: Annotated[int, Field(ge=2, le=5)] = 2
    """Number of equal shares of a project that may be split; the least that goes to a site is one of them."""

    @model_validator(mode="after")
    def _binds(self) -> ProjectParts:
        names = _some(list(self.projects))
        if self.rule == "split" and (len(self.projects) != 1 or self.one_site):
            raise FieldError(Fault("world.split_of_one", "", names=names))
        if self.rule != "split" and len(set(self.projects)) < 2:
            raise FieldError(Fault("world.phases_of_one", "", names=names))
        return self


class Scenario(Declared):
    """Everything a study depends on besides the shipped data. A change is a new scenario."""

    name: Text
    """What it is called, in Chinese and English: `{ zh = "…", en = "…" }`."""
    portfolio: str = "sample"
    """Name of a shipped portfolio (`sample` is made up: 示例) or the path of a CSV or XLSX file."""
    portfolio_sha256: str = ""
    """Hash of the portfolio's file, filled in when the scenario is read: other projects, another scenario."""
    layers: str = ""
    """Folder of layers (with their `sources.toml`) that stand in place of the shipped ones of the same name."""
    layers_sha256: str = ""
    """Hash of that folder's `sources.toml`, which has the hash of each layer; filled in like the portfolio's."""
    day: Annotated[datetime.date | None, BeforeValidator(_day)] = None
    """Day of the study (`day = 2026-08-01`): laws, prices and support are those in force then; today when left out."""
    anchor: str = "future_city"
    """R&D anchor that travel is measured from (anchors layer)."""
    sites: tuple[str, ...] = ()
    """Sites to consider; empty means all."""
    weights: dict[str, NonNegative] = Field(default_factory=dict)
    """Weights by criterion that replace the declared ones."""
    planning_level: PlanningLevel = "likely"
    """Which end of the intervals capacities and needs are planned with."""
    placing_bonus: Points = 50.0
    """What placing a project is worth on top of its score, in score points."""
    draws: Annotated[int, Field(ge=10, le=100_000)] = 1000
    """How many draws carry the uncertainty of the data into score and rank."""
    seed: Annotated[int, Field(ge=0)] = 20260101
    """Where all random streams begin: the same seed, the same digits."""
    time_limit_s: Positive = 20.0
    """When matching stops with the plan in hand."""
    mip_gap: NonNegative = 1e-6
    """Relative gap at which a plan counts as proven."""
    known: tuple[KnownBetter, ...] = ()
    """Numbers the user knows better."""
    arrivals: tuple[Arrival, ...] = ()
    """Land, power and quota that arrive in a later year; stations that are being built are found in the layers."""
    dual_supply: Literal["condition", "required"] = "condition"
    """Segments that need two independent feeds: `condition` places them and names the condition, `required` only
    where two stations in service are known to feed the site."""
    locked: tuple[Pair, ...] = ()
    """Pairs that are decided."""
    forbidden: tuple[Pair, ...] = ()
    """Pairs that are ruled out."""
    shares: tuple[Share, ...] = ()
    """What each prefecture must and may get: clause 16's division of labour among cities."""
    partners: tuple[Partners, ...] = ()
    """Projects that gain from being close."""
    present: tuple[Pair, ...] = ()
    """The present plan, which is kept where moving is not worth its price."""
    moving_price: Points = 0.0
    """What it costs to move one project away from the present plan, in score points."""
    division: Points = 0.0
    """What two of one segment earn in one prefecture rather than in two (错位竞争), in score points a pair."""
    openings: tuple[Opening, ...] = ()
    """What may be opened at a cost: parks, transformers, lines."""
    points_per_10k_yuan: Points = 0.0
    """How many score points 10,000 yuan of an opening's price are worth; needed where openings have a price."""
    at_most_sites: Annotated[int, Field(ge=1)] | None = None
    """No more sites than that get projects; any number when left out."""
    either: tuple[Either, ...] = ()
    """This site or that, this opening or that."""
    promised: tuple[Promise, ...] = ()
    """What projects under way were promised; their sites, stations and prefectures have so much less."""
    parts: tuple[ProjectParts, ...] = ()
    """Phases of one project, and projects that may be split over two sites."""

    @model_validator(mode="after")
    def _openings_make_sense(self) -> Scenario:
        owner: dict[str, str] = {}
        for one in self.openings:
            for site in one.sites:
                if owner.setdefault(site, one.name) != one.name:
                    raise FieldError(
                        Fault("world.site_opened_twice", "", site=site, names=_some([owner[site], one.name]))
                    )
        unpriced = sorted({one.name for one in self.openings if one.price_10k_yuan > 0})
        if unpriced and not self.points_per_10k_yuan:
            raise FieldError(Fault("world.price_without_rate", "", names=_some(unpriced)))
        return self

    @model_validator(mode="after")
    def _no_contradiction(self) -> Scenario:
        sites = {pair.project: pair.site for pair in self.locked}
        twice = sorted({pair.project for pair in self.locked if sites[pair.project] != pair.site})
        both_ways = sorted(f"{pair.project}–{pair.site}" for pair in {*self.locked} & {*self.forbidden})
        named = [(share.prefecture, share.segment) for share in self.shares]
        again = sorted(" ".join(one).strip() for one, times in Counter(named).items() if times > 1)
        alone = sorted({one.first for one in self.partners if one.first == one.second})
        placed = Counter(pair.project for pair in self.present)
        moved = sorted(project for project, times in placed.items() if times > 1)
        joined = Counter("–".join(sorted((one.first, one.second))) for one in self.partners)
        doubled = sorted(pair for pair, times in joined.items() if times > 1)
        faults = [Fault("world.locked_twice", "", names=_some(twice))] if twice else []
        faults += [Fault("world.locked_and_forbidden", "", names=_some(both_ways))] if both_ways else []
        faults += [Fault("world.shares_twice", "", names=_some(again))] if again else []
        faults += [Fault("world.own_partner", "", names=_some(alone))] if alone else []
        faults += [Fault("world.placed_twice", "", names=_some(moved))] if moved else []
        faults += [Fault("world.partners_twice", "", names=_some(doubled))] if doubled else []
        named_parts = Counter(project for one in self.parts for project in one.projects)
        again = sorted(project for project, times in named_parts.items() if times > 1)
        faults += [Fault("world.parts_twice", "", names=_some(again))] if again else []
        if faults:
            raise FieldError(*faults)
        return self

    @property
    def id(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical scenario: the same settings, the same id."""
        row = self.model_dump(mode="json")
        row = {key: value for key, value in row.items() if key not in LATER_FIELDS or value != LATER_FIELDS[key]}
        for one in row.get("openings", []):  # of an earlier edition than the year
            if one["from_year"] is None:
                del one["from_year"]
        if self.portfolio_sha256:  # wherever the file lies and whatever it is called
            row["portfolio"] = ""
        if self.layers_sha256:
            row["layers"] = ""
        canonical = json.dumps(row, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def date(self) -> datetime.date:
        """The day of the study: `day`, or else today."""
        return self.day or datetime.date.today()

    @property
    def is_sample(self) -> bool:
        """Whether the projects are the made-up ones (示例)."""
        return self.portfolio == "sample"


def _some(names: list[str]) -> Text:
    """The first few of many names."""
    zh, en, more = "、".join(names[:5]), ", ".join(names[:5]), len(names) - 5
    return Text(zh=f"{zh} 等 {len(names)} 个", en=f"{en} and {more} more") if more > 0 else Text(zh=zh, en=en)


def _plain_name(name: str) -> str:
    """Refuse the name of a file that leads elsewhere or that some system could not have."""
    if file_name(name) != name:
        raise FieldError(Fault("world.not_a_file_name", "", got=shown(name)))
    return name


class Layer(Declared):
    """How a registered layer came to be: one entry of `data/geo/sources.toml`."""

    file: Annotated[str, AfterValidator(_plain_name)]
    """Name of the file, which lies beside the registry."""
    title_zh: str
    title_en: str
    producer: str
    producer_zh: str = ""
    licence: str
    licence_zh: str = ""
    licence_url: str
    attribution_zh: str
    attribution_en: str
    urls: tuple[str, ...]
    retrieved: str
    as_of: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int
    rows: int
    crs: str
    geometry: str
    made_by: str
    notes: str = ""
    notes_zh: str = ""

    def text_in(self, what: Literal["producer", "licence", "notes"], language: Language) -> str:
        """A text of the entry in a language; as it is where nobody has put it into that language."""
        translated = getattr(self, f"{what}_zh") if language == "zh" else ""
        return translated or getattr(self, what)
