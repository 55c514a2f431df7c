"""What is declared of a screening: grid, sources, exclusions in order, criteria, need. A TOML file, or our own table.

A file of one's own stands in place of `tables/suitability.toml`, key by key: what it leaves out is as declared there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from geo_cluster import toml
from geo_cluster.domain import Declared, FieldError, Text
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.scoring.values import ValueFunction
from geo_cluster.world import catalog

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

MOST_RULES = 250
"""A cell's code is the number of the rule that takes it, in one byte."""

NETWORK = ("rd_minutes", "supplier_access", "customer_access")
"""Measures that need the road network of the layers."""


class Tests(Declared):
    """Which numbers or words count; meeting any one of the tests is enough."""

    at_least: float | None = None
    """`>=`."""
    above: float | None = None
    """`>`."""
    at_most: float | None = None
    """`<=`."""
    below: float | None = None
    """`<`."""
    classes: tuple[int | str, ...] = ()
    """Classes of a raster, or words of a column."""

    @property
    def tested(self) -> bool:
        """Whether anything is tested."""
        limits = (self.at_least, self.above, self.at_most, self.below)
        return bool(self.classes) or any(limit is not None for limit in limits)


class Where(Tests):
    """Which features of a source of outlines count, by one of their columns."""

    column: str = Field(min_length=1)


class GridSpec(Declared):
    """The cells and the area that is screened."""

    crs: str = Field(min_length=1)
    """Coordinate reference system in metres; areas are true only in an equal-area one."""
    cell_m: Positive
    """Side of a cell, metres."""
    area: str = ""
    """Source whose outlines are the area; shares are of it. Without it, all of the bounds."""
    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north in `crs`; those of the area when left out."""


class Source(Declared):
    """A raster or outlines, and who owes them to whom."""

    file: str = ""
    """Path of a GeoTIFF, COG, Zarr or another raster, or of a vector file; beside the spec's file if relative."""
    layer: str = ""
    """Registered layer of the product, instead of a file."""
    sheet: str = ""
    """Layer of a vector file that has several."""
    crs: str = ""
    """Where the file doesn't say its coordinate reference system, or says a wrong one."""
    nodata: float | Literal["none"] | None = None
    """The number that means unknown where the file states none; `"none"` where every pixel is known."""
    unit: Literal["", "m", "ft"] = ""
    """Unit of elevations where the file doesn't state it; feet are brought to metres."""
    band: Annotated[int, Field(ge=1)] = 1
    resampling: Literal["nearest", "bilinear", "average"] = "nearest"
    """How a cell gets its number: the pixel at its centre, between pixel centres, or the mean of the pixels in it."""
    legend: tuple[int, ...] = ()
    """All classes there are; another one is a fault. Empty where the numbers are no classes."""
    where: Where | None = None
    """Which features count; all when left out."""
    source: str = Field(min_length=1)
    """Who made it, and of when; it shows wherever the answer does."""
    licence: str = Field(min_length=1)
    """Under what licence; `not stated` where nobody says."""

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if bool(self.file) == bool(self.layer):
            raise FieldError(Fault("suitability.file_or_layer", ""))
        return self


class Exclusion(Tests):
    """A rule that takes land; of a source of outlines every feature that counts does, without any test."""

    source: str
    """Name of the source."""
    slope: bool = False
    """The source is elevation; the tests are of its slope in percent (Horn)."""
    buffer_m: NonNegative = 0.0
    """Land within so many metres (<=) is taken too."""
    beyond_m: Positive | None = None
    """Instead: land further away than that is taken."""
    measured_from: Literal["centre", "edge"] = "centre"
    """Of a raster, a cell lies within a distance of a taken cell's centre, or of its nearest edge."""
    takes_most: bool = False
    """It is meant to take nearly all land; without this, a mask that does counts as turned round."""
    name: Text
    reason: Text | None = None
    """Why, and where the distance or threshold comes from."""

    @model_validator(mode="after")
    def _one_distance(self) -> Exclusion:
        if self.buffer_m and self.beyond_m:
            raise FieldError(Fault("suitability.buffer_and_beyond", ""))
        return self


class CriterionSpec(Declared):
    """A criterion: how it is measured at a cell, and what the number is worth."""

    measure: Literal["number", "slope", "distance_km", "rd_minutes", "supplier_access", "customer_access"]
    """A raster's number, slope of an elevation in percent, straight line to the nearest feature of a source; or as the
    study measures them: minutes to R&D by road, access to suppliers and to customers, with the last kilometres."""
    source: str = ""
    """Name of the source of a number, slope or distance."""
    worst: float
    """Natural value that is worth 0."""
    best: float
    """Natural value that is worth 1."""
    value: dict[str, Any] = Field(default_factory=lambda: {"kind": "linear"})
    """Value function: kind and parameters, as in `criteria.toml`."""
    weight: NonNegative
    """Relative weight; divided by the sum of all."""
    unit: Text
    name: Text
    reason: Text | None = None

    @model_validator(mode="after")
    def _measured(self) -> CriterionSpec:
        if (self.measure in NETWORK) == bool(self.source):
            raise FieldError(Fault("suitability.measure_of_what", "", measure=self.measure))
        return self

    @property
    def function(self) -> ValueFunction:
        """The value function."""
        return ValueFunction.from_dict({**self.value, "worst": self.worst, "best": self.best})


class Need(Declared):
    """What a region has to be."""

    land_mu: Positive
    """Land, mu."""
    hall_m: tuple[Positive, Positive] | None = None
    """Width and length of the hall that has to fit, in any direction, metres."""
    mva: NonNegative = 0.0
    """Power, MVA; where some is needed, what the supply area may spare counts (`headroom`)."""
    count: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many regions."""
    spacing_km: NonNegative = 2.0
    """How far apart they are at least, edge to edge."""
    compact: Annotated[float, Field(ge=0, le=1)] = 0.5
    """0 takes the best cells that hang together, 1 the nearest ones."""


class SegmentSpec(Declared):
    """What a segment asks for in place of what all do."""

    hall_m: tuple[Positive, Positive] | None = None
    """Width and length of its hall, metres."""
    weights: dict[str, NonNegative] = Field(default_factory=dict)
    """Relative weights by criterion; the others keep theirs."""


class Spec(Declared):
    """A screening."""

    name: Text
    grid: GridSpec
    sources: dict[str, Source]
    exclusions: dict[str, Exclusion]
    criteria: dict[str, CriterionSpec]
    need: Need
    segments: dict[str, SegmentSpec] = Field(default_factory=dict)
    """Needs and weights of segments, where regions are ranked for each (`asks`)."""
    layers: str = ""
    """Folder of layers of one's own, as in a scenario."""
    anchor: str = "future_city"
    """R&D anchor that minutes are measured from."""
    folder: str = ""
    """Where relative paths begin; filled in when a file is read."""

    @property
    def used(self) -> frozenset[str]:
        """Names of the sources that the area, a rule or a criterion goes by."""
        named = [rule.source for rule in self.exclusions.values()] + [one.source for one in self.criteria.values()]
        return frozenset([self.grid.area, *named]) - {""}

    def path(self, source: Source) -> Path:
        """Where the file of a source is."""
        return Path(self.folder) / source.file

    def of_grid(self, **changes: Any) -> Spec:
        """The same on another grid: `cell_m`, `bounds`, `crs`."""
        return self.model_copy(update={"grid": GridSpec.model_validate(self.grid.model_dump() | changes)})


def read(path: Path | str = "") -> Spec:
    """Read a spec's file; the declared default when there is none.

    Raises
    ------
    InputError
        With every fault of it.
    """
    row = toml.table("suitability")
    if not path:
        return parse(row, where=Place("suitability.toml"))
    file = Path(path)
    own = toml.read(file)
    for key in ("layers",):
        if isinstance(own.get(key), str) and own[key]:
            own[key] = str((file.parent / own[key]).resolve())
    return parse({**row, **own, "folder": str(file.parent.resolve())}, where=Place(file.name))


def parse(row: dict[str, Any], *, where: Place) -> Spec:
    """A spec from its tables; every fault of types, names and value functions at once."""
    faults: list[Fault] = []
    row = {**row, "criteria": _as_declared(row.get("criteria"))}
    spec = None
    try:
        spec = Spec.model_validate(row)
    except ValidationError as problem:
        faults += catalog.faults_of(problem, where)
    if spec:
        faults += list(_names(spec, where))
    refuse_if(faults)
    assert spec is not None  # no fault means it was read
    return spec


def _as_declared(criteria: Any) -> Any:
    """Criteria with what they leave out as `criteria.toml` declares it for the measure of that name."""
    if not isinstance(criteria, dict):
        return criteria
    known = toml.table("criteria")
    filled = {}
    for key, row in criteria.items():
        like = known.get(row.get("like", ""), {}) if isinstance(row, dict) else {}
        kept = {
            name: like[name] for name in ("unit", "worst", "best", "weight", "value", "name", "reason") if name in like
        }
        filled[key] = {**kept, **{name: one for name, one in row.items() if name != "like"}} if kept else row
    return filled


def _names(spec: Spec, where: Place) -> Iterator[Fault]:
    """Names that aren't there, rules that test nothing, value functions that can't be."""
    known = list(spec.sources)

    def at(key: str) -> Place:
        return replace(where, key=key)

    if spec.grid.area and spec.grid.area not in known:
        yield Fault("suitability.no_such_source", at("grid.area"), name=spec.grid.area, known=known)
    if not spec.grid.area and spec.grid.bounds is None:
        yield Fault("suitability.no_extent", at("grid.bounds"))
    if len(spec.exclusions) > MOST_RULES:
        yield Fault("suitability.too_many_rules", at("exclusions"), most=MOST_RULES)
    for key, rule in spec.exclusions.items():
        if rule.source not in known:
            yield Fault("suitability.no_such_source", at(f"exclusions.{key}.source"), name=rule.source, known=known)
    for key, criterion in spec.criteria.items():
        if criterion.source and criterion.source not in known:
            place = at(f"criteria.{key}.source")
            yield Fault("suitability.no_such_source", place, name=criterion.source, known=known)
        try:
            _ = criterion.function
        except InputError as refusal:
            yield from (fault.at(at(f"criteria.{key}.value")) for fault in refusal.faults)
    yield from _segments(spec, at)
    if not sum(one.weight for one in spec.criteria.values()) > 0:
        yield Fault("suitability.no_weight", at("criteria"))


def _segments(spec: Spec, at: Callable[[str], Place]) -> Iterator[Fault]:
    """Segments and criteria that aren't there, weights that sum to nothing."""
    for key, own in spec.segments.items():
        if key not in catalog.segments():
            known_segments = list(catalog.segments())
            yield Fault("suitability.no_such_segment", at(f"segments.{key}"), name=key, known=known_segments)
        for name in own.weights:
            if name not in spec.criteria:
                place = at(f"segments.{key}.weights")
                yield Fault("suitability.no_such_criterion", place, name=name, known=list(spec.criteria))
        if not sum(own.weights.get(name, one.weight) for name, one in spec.criteria.items()) > 0:
            yield Fault("suitability.no_weight", at(f"segments.{key}.weights"))
