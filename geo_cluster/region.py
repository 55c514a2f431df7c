"""From layers and scenario to what rules and measures look at.

`prepare` does once what no project changes (sites, travel, observations and their draws): a `Region`. `facts_of` and
`settings_of` then add projects, thousands of them or one, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.access import roads
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.road_calibration import RoadCalibration, calibrate
from geo_cluster.access.travel_cost import trips
from geo_cluster.domain import Scenario, Text
from geo_cluster.eligibility import Facts, constraints_checked
from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.reach import Reach, firms, reach_of
from geo_cluster.scenarios import name_faults
from geo_cluster.scoring import industry_fit
from geo_cluster.scoring.criteria import Later, Setting, alike_everywhere
from geo_cluster.supply import arrivals as arriving_stations
from geo_cluster.supply import pools
from geo_cluster.supply.arrivals import COLUMNS as ARRIVAL_COLUMNS
from geo_cluster.supply.arrivals import pools_of_stations
from geo_cluster.supply.pools import number_behind, pools_of, subject_of, with_prefecture
from geo_cluster.supply.serving_station import (
    Feed,
    area_names,
    distance_km,
    doubt_km,
    feed_faults,
    feeding_station,
    feeds_of,
    independent_feeds,
    supply_area,
    zones_of_areas,
)
from geo_cluster.world import catalog, need_draws, observations, splitting
from geo_cluster.world.layers import Layers, by_content

LAYERS: tuple[str, ...] = ("sites", "substations", "prefectures", "chain", "anchors", "roads")
LAYERS += ("stations", "ports", "airports", "counties", "observations", "demand")
"""Layers that a study reads."""

TIMED = ("airports", "ports", "stations", "sites", "anchors")
"""Layers whose ids the travel table names."""

SAME_PLACE_KM = 20.0
"""A place of one's own may stand so far from the shipped one of the same id; points are off by up to 10 km."""

_ENDS = ("low", "likely", "high")

PROMISE_COLUMNS = ("attribute", "subject", "resource", "amount", "project", "source")
"""Columns of what was promised; the amount is in the unit of the resource."""


def offers() -> tuple[str, ...]:
    """Attributes that rules and measures use, by site: those of the resources, then those of criteria."""
    of_resources = (kind.attribute for kind in catalog.resources().values())
    behind = (one.attribute for one in catalog.criteria().values() if one.attribute is not None)
    parts = (attribute for one in catalog.criteria().values() for attribute in one.attributes)
    return tuple(dict.fromkeys([*of_resources, "trip_min", *behind, *parts]))


@dataclass(frozen=True, eq=False)
class Region:
    """What a scenario makes of the layers before any project: S sites, K observations, N draws, G segments.

    Attributes
    ----------
    scenario : Scenario
    layers : Layers
        What it was made of.
    sites : GeoDataFrame
        S sites, with the `station` or supply area that feeds each.
    anchor : Series
        Where R&D is.
    network : RoadNetwork
    calibration : RoadCalibration
        From minutes on the network to minutes door to door.
    trips : DataFrame
        Anchor to each site by road and rail, the better of both, how often one can go, what it costs, and `off_min`,
        minutes that the site's point may be off by.
    observations : DataFrame
        K numbers of sites, stations and prefectures: the user's, the published, the derived, the assumed.
    by_segment : mapping of (G, S or 1) arrays
        Measures that depend on the project's segment, in the order of `catalog.segments()`.
    names : mapping of Text
        Names of sites, stations, supply areas and prefectures by id.
    left_out : mapping of Text
        Criterion -> what its measure leaves out because nobody knows where it is.
    arrivals : DataFrame
        What pools have more from a year on: the user's, and stations that are not known to be in service; see
        `supply.arrivals.COLUMNS`.
    promises : DataFrame
        What projects under way were promised, one row a pool that it is taken from (`PROMISE_COLUMNS`): it is no more
        there for others, whatever the observations say.
    """

    scenario: Scenario
    layers: Layers
    sites: gpd.GeoDataFrame
    anchor: pd.Series
    network: RoadNetwork
    calibration: RoadCalibration
    trips: pd.DataFrame
    observations: pd.DataFrame
    by_segment: Mapping[str, np.ndarray]
    names: Mapping[str, Text]
    left_out: Mapping[str, Text] = field(default_factory=dict)
    arrivals: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=ARRIVAL_COLUMNS))
    promises: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PROMISE_COLUMNS))

    @cached_property
    def zones(self) -> frozenset[str]:
        """Ids of the zones whose land a park among the sites draws on."""
        return frozenset(pools.zone_of(self.sites)) - {""}

    @cached_property
    def promised(self) -> dict[tuple[str, str], float]:
        """Attribute and subject -> what projects under way were promised of it, in the attribute's unit."""
        return _sums(self.promises)

    @cached_property
    def draws(self) -> np.ndarray:
        """(N, K): draws of every observation."""
        return observations.draw(self.observations, draws=self.scenario.draws, seed=self.scenario.seed)

    @cached_property
    def arrival_draws(self) -> tuple[np.ndarray, np.ndarray]:
        """(N, A) draws of how much arrives, in the attribute's unit, and from which year on."""
        settings = {"draws": self.scenario.draws, "seed": self.scenario.seed}
        key = [f"{one.subject}>{one.station}>{one.Index}" for one in self.arrivals.itertuples()]
        named = pd.DataFrame({"site_id": key, "attribute": self.arrivals["attribute"]})
        amount = observations.draw(named.join(self.arrivals[list(_ENDS)]), **settings)
        years = self.arrivals[[f"year_{end}" for end in _ENDS]].set_axis(list(_ENDS), axis=1)
        year = observations.draw(named.assign(attribute=named["attribute"] + ">year").join(years), **settings)
        keys = zip(self.observations["site_id"], self.observations["attribute"], strict=True)
        of = {pair: at for at, pair in enumerate(keys)}
        for at, one in enumerate(zip(self.arrivals["station"], self.arrivals["attribute"], strict=True)):
            if one in of:  # a number of its own, drawn once whatever it is used for
                amount[:, at] = self.draws[:, of[one]]
        return amount, np.rint(year).astype(int)

    @cached_property
    def evidence(self) -> tuple[np.ndarray, np.ndarray]:
        """(S, C) arrays of str: basis and publisher of every number that criteria go by."""
        known = self.observations.set_index(["attribute", "site_id"])
        evidence, source = [], []
        for criterion in catalog.criteria().values():
            if criterion.attribute is None:
                evidence.append(np.full(len(self.sites), criterion.basis, dtype=object))
                source.append(np.full(len(self.sites), "", dtype=object))
                continue
            rows = known.reindex(number_behind(criterion, self.sites))
            evidence.append(rows["basis"].fillna("assumed").to_numpy(object))
            source.append(rows["publisher"].fillna("").to_numpy(object))
        return np.stack(evidence, axis=1), np.stack(source, axis=1)

    @cached_property
    def arriving(self) -> list[np.ndarray]:
        """Of each row of the arrivals, (S,): the sites that it is for."""
        found = []
        for one in self.arrivals.to_dict("records"):
            here = (subject_of(one["attribute"], self.sites) == one["subject"]).to_numpy()
            named = self.sites["id"].isin(one["sites"].split(";")).to_numpy() if one["sites"] else True
            found.append(here & named)
        return found

    @cached_property
    def likely(self) -> tuple[dict[str, tuple[Later, ...]], dict]:
        """Likely values of what no project changes: `later` and `parks` of a `Setting`."""
        arrive, numbers = self.arrivals, self.observations[["likely"]].to_numpy(float)
        ends = (arrive[name].to_numpy(float)[None] for name in ("likely", "year_likely"))
        return _later(self, *ends), _parks(self, numbers)

    @cached_property
    def drawn(self) -> tuple[dict[str, np.ndarray], dict[str, tuple[Later, ...]], dict]:
        """Draws of what no project changes: `offers`, `later` and `parks` of a `Setting`."""
        offers = {key: np.ascontiguousarray(drawn.T) for key, drawn in self.offered(self.draws.T).items()}
        return offers, _later(self, *self.arrival_draws), _parks(self, self.draws.T)

    @cached_property
    def drawn_by_segment(self) -> dict[str, np.ndarray]:
        """(N, G, S) draws of measures that depend on the segment."""
        sites, size = self.sites["id"].tolist(), {"draws": self.scenario.draws, "seed": self.scenario.seed}
        return {"industry_fit": industry_fit.draw(_fits(self.sites), sites, **size)}

    @cached_property
    def same_assumption(self) -> dict[str, int]:
        """Criterion -> at how many sites its number is one and the same assumed interval, by the most common one."""
        bounds = self.observations[list(_ENDS)].to_numpy(float)
        assumed = (self.observations["basis"] == "assumed").to_numpy()
        found = {}
        for key, criterion in catalog.criteria().items():
            at = self.places.get(criterion.attribute or "", np.array([], dtype=int))
            at = at[at >= 0]
            _, counts = np.unique(bounds[at[assumed[at]]], axis=0, return_counts=True)
            found[key] = int(counts.max(initial=0))
        return found

    @property
    def same_everywhere(self) -> frozenset[str]:
        """Criteria that tell no two sites apart: one assumed interval stands for all of them."""
        return frozenset(key for key, count in self.same_assumption.items() if count == len(self.sites) > 1)

    @cached_property
    def alike(self) -> frozenset[str]:
        """Criteria that are the same at every site for every segment, and so give their weight back."""
        needs = {kind.need: np.ones((3, len(catalog.segments()))) for kind in catalog.resources().values()}
        ends = Setting(needs, {key: bounds.T for key, bounds in self.offers.items()}, self.by_segment)
        return alike_everywhere(ends, catalog.criteria()) | self.same_everywhere

    @property
    def criterion_notes(self) -> dict[str, Text]:
        """What to know beside a criterion: that it rests on one assumption for many sites, and what it leaves out."""
        notes = dict(self.left_out)
        for key, count in self.same_assumption.items():
            if 2 * count <= len(self.sites) or count < 2:
                continue
            zh = "各园区同一假定，不区分园区，权重让给其余指标，有一处核实即恢复"
            en = "the same assumption at every site: it tells none apart and gives its weight back until one is known"
            if key not in self.same_everywhere:
                zh = f"{len(self.sites)} 个园区中有 {count} 个同一假定，彼此不区分"
                en = f"{count} of {len(self.sites)} sites rest on one assumption, which tells none of them apart"
            notes[key] = _joined(zh, en, notes.get(key))
        for key in sorted(self.alike - self.same_everywhere):
            zh = "各园区数值相同，不区分园区，权重让给其余指标，有一处不同即恢复"
            en = "the same number at every site: it tells none apart and gives its weight back until one differs"
            notes[key] = _joined(zh, en, self.left_out.get(key))
        return notes

    @cached_property
    def places(self) -> dict[str, np.ndarray]:
        """Attribute -> (S,): which observation counts for each site; -1 where nobody's could.

        Attributes that no site of the study can have, such as floor to let without a standard factory, are left out.
        """
        keys = zip(self.observations["attribute"], self.observations["site_id"], strict=True)
        row = {key: i for i, key in enumerate(keys)}
        subjects = {attribute: subject_of(attribute, self.sites) for attribute in offers()}
        return {
            attribute: np.array([row.get((attribute, one), -1) for one in subject])
            for attribute, subject in subjects.items()
            if (subject != "").any()
        }

    @cached_property
    def zone_places(self) -> dict[str, np.ndarray]:
        """Attribute -> (S,): which observation is that of the zone that a park lies in; -1 where there is none.

        Of what a park has to share with its zone: see `zone_pool` in `tables/resources.toml`.
        """
        keys = zip(self.observations["attribute"], self.observations["site_id"], strict=True)
        row = {key: i for i, key in enumerate(keys)}
        shared = [kind.attribute for kind in catalog.resources().values() if kind.zone_pool]
        zones = pools.zone_of(self.sites)
        return {attribute: np.array([row.get((attribute, zone), -1) for zone in zones]) for attribute in shared}

    def offered(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Attribute -> (S, …): what each site has; nan where nobody's number could be it.

        A park inside a zone has no more than the zone.

        Parameters
        ----------
        numbers : (K, …) array
            Of every observation: its bounds, or draws of it.
        """
        found = {key: self._left(key, _at(places, numbers)) for key, places in self.places.items()}
        return found | {key: pools.within(*both) for key, both in self.of_parks(numbers).items()}

    def _left(self, attribute: str, there: np.ndarray) -> np.ndarray:
        """(S, …): what is there at each site less what was promised to projects under way."""
        return _less(there, self.promised_of(attribute, subject_of(attribute, self.sites)))

    def promised_of(self, attribute: str, subjects: Iterable[str]) -> np.ndarray:
        """(n,): what projects under way were promised of an attribute of n subjects."""
        return np.array([self.promised.get((attribute, one), 0.0) for one in subjects])

    def of_parks(self, numbers: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Attribute -> (S, …) what each site has itself and what its zone has, nan for none; of what parks share.

        Parameters
        ----------
        numbers : (K, …) array
            As of `offered`.
        """
        shared = {key: places for key, places in self.zone_places.items() if key in self.places}
        zones = pools.zone_of(self.sites)
        return {
            key: (
                self._left(key, _at(self.places[key], numbers)),
                _less(_at(places, numbers), self.promised_of(key, zones)),
            )
            for key, places in shared.items()
        }

    @cached_property
    def offers(self) -> dict[str, np.ndarray]:
        """Attribute -> (S, 3): low, likely, high of what each site has; see `offered`."""
        return self.offered(self.observations[list(_ENDS)].to_numpy(float))

    def bounds_of(self, attribute: str, subjects: Iterable[str]) -> np.ndarray:
        """(n, 3): low, likely, high of what n subjects have left of an attribute; nan where there is no number.

        Parameters
        ----------
        attribute : str
        subjects : iterable of str
            Ids of sites, stations, supply areas or prefectures.
        """
        known = self.observations.set_index(["attribute", "site_id"])[list(_ENDS)]
        subjects = list(subjects)
        there = known.reindex([(attribute, one) for one in subjects]).to_numpy(float)
        return _less(there, self.promised_of(attribute, subjects))


def _less(there: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """(n, …) less (n,), at least 0; as it is where nothing is taken."""
    if not taken.any():
        return there
    return np.maximum(there - taken.reshape(-1, *(1,) * (there.ndim - 1)), 0.0)


def _at(places: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(S, …): the number at each place, nan where it is -1."""
    return np.where((places >= 0).reshape(-1, *(1,) * (numbers.ndim - 1)), numbers[places], np.nan)


def _joined(zh: str, en: str, more: Text | None) -> Text:
    """A note before another one, where there is one."""
    return Text(zh=f"{zh}；{more.zh}" if more else zh, en=f"{en}; {more.en}" if more else en)


def prepare(
    scenario: Scenario,
    layers: Layers | Mapping[str, pd.DataFrame] | None = None,
    *,
    projects: Iterable[str] = (),
) -> Region:
    """Choose sites, measure travel, complete the observations.

    Parameters
    ----------
    scenario : Scenario
    layers : Layers or mapping of DataFrame, optional
        What to make it of; tables by name stand in place of the scenario's layers. By default the scenario's.
    projects : iterable of str
        Ids of the projects to come, which locked and forbidden pairs may name.

    Raises
    ------
    InputError
        Naming every anchor, site, project or subject of the scenario that there isn't.
    """
    layers = layers if isinstance(layers, Layers) else Layers(scenario.layers, tables=layers)
    world = {name: layers.read(name) for name in LAYERS}
    world["sites"] = with_prefecture(world["sites"], world["prefectures"])
    refuse_if(name_faults(scenario.model_dump(mode="json"), world, set(projects), where=catalog.SCENARIO))
    sites = world["sites"]
    sites = (sites[sites["id"].isin(scenario.sites)] if scenario.sites else sites).reset_index(drop=True)
    faults = _site_faults(sites, set(world["prefectures"]["code"]))
    unfed = feed_faults(world["sites"], world["substations"], own=layers.not_shipped)
    refuse_if(faults + _moved_faults(world) + pools.zone_faults(world["sites"]) + unfed)
    sites = pools.fed_as_zones(sites, world["sites"])
    anchor = world["anchors"].loc[world["anchors"]["id"] == scenario.anchor].set_index("id")
    network, calibration = travel(layers)
    trips = _trips(network, calibration, world, scenario.anchor, sites)
    rough_km = toml.table("travel")["points"]["rough_m"] / 1000
    feed = feeding_station(sites, world["substations"], within_km=rough_km)
    everywhere = feeding_station(pools.fed_as_zones(world["sites"], world["sites"]), world["substations"])
    feeds = independent_feeds(sites, world["substations"])
    sites = sites.assign(station=feed.station, constraints_checked=constraints_checked(sites), independent_feeds=feeds)
    stations = arriving_stations.station_years(
        sites, world["substations"], day=scenario.date, table=toml.table("arrivals")
    )
    reach = reach_of(network, calibration, world, sites)
    derived = [_trip_rows(trips), _distance_rows(sites, feed), *_reach_rows(sites, reach)]
    feeds_area = zones_of_areas(world["sites"], everywhere.station)
    found = _observe(scenario, world, sites, [*derived, _constraint_rows(sites)], feeds_area, stations["station"])
    promises = _promises(scenario, world["sites"].assign(station=everywhere.station))
    return Region(
        scenario=scenario,
        layers=layers,
        sites=sites,
        anchor=anchor.iloc[0],
        network=network,
        calibration=calibration,
        trips=trips,
        observations=found,
        by_segment={**_measures(world, sites), **reach.by_segment},
        names=subject_names(world),
        left_out=reach.left_out,
        arrivals=_still_arriving(
            _arrivals(scenario, sites, world["substations"], stations, found), _sums(promises), found
        ),
        promises=promises,
    )


def _still_arriving(
    arrivals: pd.DataFrame, promised: Mapping[tuple[str, str], float], known: pd.DataFrame
) -> pd.DataFrame:
    """What arrives less what was promised beyond what is there, which is served first."""
    if not promised or arrivals.empty:
        return arrivals
    there = known.set_index(["attribute", "site_id"])[list(_ENDS)]
    arrivals = arrivals.copy()
    for key, amount in promised.items():
        beyond = np.maximum(amount - there.loc[key].to_numpy(float), 0.0) if key in there.index else np.zeros(3)
        rows = arrivals[(arrivals["attribute"] == key[0]) & (arrivals["subject"] == key[1])].sort_values("year_likely")
        for at in rows.index:
            comes = arrivals.loc[at, list(_ENDS)].to_numpy(float)
            arrivals.loc[at, list(_ENDS)] = np.maximum(comes - beyond, 0.0)
            beyond = np.maximum(beyond - comes, 0.0)
    return arrivals


def _promises(scenario: Scenario, sites: gpd.GeoDataFrame) -> pd.DataFrame:
    """What was promised at any site of the layer, a row a pool that it is taken from: of a park, its zone too."""
    rows: list[tuple[object, ...]] = []
    ids, zones = sites["id"].tolist(), pools.zone_of(sites)
    for promise in scenario.promised:
        at = ids.index(promise.site)
        for name, amount in promise.amounts.items():
            kind = catalog.resources()[name]
            own = subject_of(kind.attribute, sites.iloc[[at]]).iloc[0]
            subjects = dict.fromkeys([own, zones[at] if kind.zone_pool and own else ""])
            rows += [(kind.attribute, one, name, amount, promise.project, promise.source) for one in subjects if one]
    return pd.DataFrame(rows, columns=list(PROMISE_COLUMNS))


def _sums(promises: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Attribute and subject -> what was promised of it, in the attribute's unit."""
    found: dict[tuple[str, str], float] = {}
    for one in promises.itertuples():
        key = str(one.attribute), str(one.subject)
        found[key] = found.get(key, 0.0) + float(one.amount) / catalog.resources()[str(one.resource)].times
    return found


def _site_faults(sites: gpd.GeoDataFrame, prefectures: set[str]) -> list[Fault]:
    """Why sites can't be compared: there are none, or some have no place or no prefecture, whose quota they share."""
    if sites.empty:
        return [Fault("world.no_site", Place("sites", kind="layer"))]
    ids, prefecture = sites["id"].astype(str), sites["prefecture_code"]
    nowhere = (sites.geometry.isna() | sites.geometry.is_empty).to_numpy()
    at = [Place("sites", kind="layer", entry=one) for one in ids]
    faults = [Fault("world.site_without_place", at[row]) for row in np.flatnonzero(nowhere)]
    faults += [Fault("world.site_without_prefecture", at[row]) for row in np.flatnonzero(prefecture == "")]
    strange = np.flatnonzero((prefecture != "") & ~prefecture.isin(prefectures))
    return faults + [Fault("world.prefecture_without_name", at[row], code=prefecture.iloc[row]) for row in strange]


def _moved_faults(world: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Places of one's own with the id of a shipped place far away, whose published times and numbers are not theirs."""
    faults = []
    for name in TIMED:
        own, shipped = world[name].set_index("id"), _shipped_points(name)
        both = [one for one in own.index if one in shipped.index and own.geometry.notna()[one]]
        km = np.diagonal(distance_km(own.geometry[both], shipped[both]))
        for one, apart in zip(both, km, strict=True):
            if apart > SAME_PLACE_KM:
                faults.append(Fault("world.id_of_another_place", Place(name, kind="layer", entry=one), km=float(apart)))
    return faults


@cache
def _shipped_points(name: str) -> gpd.GeoSeries:
    """Points of a shipped layer by id."""
    points = Layers().read(name)
    return points[points.geometry.notna()].set_index("id").geometry


def _arrivals(
    scenario: Scenario,
    sites: gpd.GeoDataFrame,
    substations: pd.DataFrame,
    stations: pd.DataFrame,
    known: pd.DataFrame,
) -> pd.DataFrame:
    """What the scenario says arrives, and what stations bring that it says nothing of."""
    spare = known[known["attribute"] == "spare_mva"].set_index("site_id")
    said = {one.subject for one in scenario.arrivals if one.attribute == "spare_mva"}
    pool_of, fed, rows = pools_of_stations(sites, substations), feeds_of(sites, substations), []
    drawing = dict(zip(sites["id"], sites["station"], strict=True))

    def reach(station: str) -> str:
        """The sites of its pool that a station feeds."""
        return ";".join(site for site in fed.get(station, ()) if drawing.get(site) == pool_of.get(station))

    for one in stations[~stations["station"].isin(said)].to_dict("records"):
        number = spare.loc[one["station"]]
        years = [one[f"year_{end}"] for end in _ENDS]
        about = [number["basis"], number["source"], number["publisher"], one["station"], reach(one["station"])]
        rows.append((one["subject"], "spare_mva", *number[list(_ENDS)], *years, *about))
    for arrival in scenario.arrivals:
        is_pool = arrival.subject in pools_of(arrival.attribute, sites)
        pool = arrival.subject if is_pool else pool_of.get(arrival.subject, arrival.subject)
        bounds = (arrival.low, arrival.likely, arrival.high, *arrival.years)
        station = "" if is_pool else arrival.subject
        about = [arrival.basis, arrival.source, arrival.source, station, reach(station)]
        rows.append((pool, arrival.attribute, *bounds, *about))
    return pd.DataFrame(rows, columns=ARRIVAL_COLUMNS)


def unused(region: Region) -> list[Fault]:
    """Numbers that the scenario states and nothing goes by, such as the capacity of a station that feeds no site."""
    drawn = {(name, one) for name in offers() for one in subject_of(name, region.sites)}
    drawn |= {(kind.attribute, zone) for kind in catalog.resources().values() for zone in pools.zone_of(region.sites)}
    drawn |= set(zip(region.arrivals["attribute"], region.arrivals["station"], strict=True))
    shares = {(prior.share_of, one) for name, one in drawn for prior in catalog.attributes()[name].priors}
    at = catalog.SCENARIO
    return [
        Fault("world.known_unused", replace(at, key=f"known.{number}", entry=f"{one.subject} {one.attribute}"))
        for number, one in enumerate(region.scenario.known)
        if (one.attribute, one.subject) not in drawn | shares
    ]


def arrives_at(region: Region, row: int) -> np.ndarray:
    """(S,): the sites that one row of the region's arrivals is for."""
    return region.arriving[row]


def begins(region: Region, projects: pd.DataFrame, resource: str) -> np.ndarray:
    """(P,): year from which each project draws on a resource; the first year of the study where nobody says.

    Parameters
    ----------
    region : Region
    projects : DataFrame
        P checked projects.
    resource : str
        Name of a resource of the problem.
    """
    first, column = region.scenario.date.year, catalog.known_kind(resource).year
    known = projects[column].fillna(projects["year"]) if column in projects else projects["year"]
    return np.maximum(known.fillna(first).to_numpy(int), first)


@by_content("roads", *TIMED, most=4)
def travel(layers: Layers) -> tuple[RoadNetwork, RoadCalibration]:
    """`travel_of` what layers hold."""
    return travel_of({name: layers.read(name) for name in ("roads", *TIMED)})


def travel_of(world: Mapping[str, pd.DataFrame]) -> tuple[RoadNetwork, RoadCalibration]:
    """The road network and its calibration on the published times whose places are in the layers.

    Where fewer than three of them are (a country of one's own), minutes on the network count as they are.
    """
    network = roads.from_layer(world["roads"])
    places, table = _places(world), toml.table("travel")
    rows = [row for row in table["road"] if {row["origin"], row["destination"]} <= set(places)]
    if sum(row.get("fit", True) for row in rows) < 3:
        return network, RoadCalibration(0.0, 1.0, 0.0, 0.0, pd.DataFrame(rows))
    return network, calibrate(network, table={**table, "road": rows}, places=places)


def _places(world: Mapping[str, pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """Where the ids are that the travel table names."""
    places: dict[str, tuple[float, float]] = {}
    for name in TIMED:
        points = world[name][world[name].geometry.notna()]
        places |= dict(zip(points["id"], zip(points.geometry.x, points.geometry.y, strict=True), strict=True))
    return places


def _trips(
    network: RoadNetwork,
    calibration: RoadCalibration,
    world: Mapping[str, pd.DataFrame],
    anchor: str,
    sites: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Anchor to each site, with what its point may be off by; by road alone where the railway's stops are missing."""
    places, table = _places(world), toml.table("travel")
    services = [
        service
        for service in table.get("rail", {}).get("service", [])
        if {stop["at"] for stop in service["stop"]} <= set(places)
    ]
    table = {**table, "rail": {**table["rail"], "service": services}}
    names = {"origins": [anchor], "destinations": sites["id"].tolist()}
    return trips(network, calibration, table=table, places=places, **names).assign(off_min=_off_min(sites))


def facts_of(region: Region, projects: pd.DataFrame) -> Facts:
    """What the rules look at."""
    wholes = splitting.whole_of(projects)  # ruled out for one share, ruled out for all
    banned = {(wholes.get(pair.project, pair.project), pair.site) for pair in region.scenario.forbidden}
    forbidden = frozenset((row, site) for row, whole in wholes.items() for one, site in banned if one == whole)
    dual = region.scenario.dual_supply == "required"
    facts = Facts(projects, region.sites, _needs(projects), region.offers, forbidden, _more(region, projects), dual)
    opens = {site: one.from_year for one in region.scenario.openings if one.from_year for site in one.sites}
    if not opens:
        return facts
    year = np.array([opens.get(site, 0) for site in region.sites["id"]])
    return replace(facts, opens=year, begins=begins(region, projects, "land"))


def _more(region: Region, projects: pd.DataFrame) -> dict[str, np.ndarray]:
    """Attribute -> (P, S): the most that may have arrived for each project at each site, and that may be opened."""
    found: dict[str, np.ndarray] = {}
    for name, kind in catalog.resources().items():
        rows = region.arrivals[region.arrivals["attribute"] == kind.attribute]
        start, of_zone = begins(region, projects, name), np.zeros((len(projects), len(region.sites)))
        for at, one in rows.iterrows():
            begun = (one.year_low <= start)[:, None]
            there = begun & arrives_at(region, at)[None, :]
            found[kind.attribute] = found.get(kind.attribute, 0.0) + np.where(there, one.high, 0.0)
            of_zone += np.where(begun & (pools.zone_of(region.sites) == one.subject)[None, :], one.high, 0.0)
        opened = [one for one in region.scenario.openings if one.attribute == kind.attribute]
        for said in opened:
            here = (subject_of(kind.attribute, region.sites) == said.subject).to_numpy()
            begun = (start >= (said.from_year or 0))[:, None]
            there = begun & here[None, :]
            found[kind.attribute] = found.get(kind.attribute, 0.0) + np.where(there, said.high, 0.0)
            of_zone += np.where(begun & (pools.zone_of(region.sites) == said.subject)[None, :], said.high, 0.0)
        if kind.zone_pool and (len(rows) or opened):
            found[kind.attribute] = _within_zone(region, kind.attribute, found[kind.attribute], of_zone)
    return found


def _within_zone(region: Region, attribute: str, own: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """(P, S): what arrives for sites and for the zones that parks lie in, as far as it is more for the site.

    A park has the less of its own and its zone's, before and after.
    """
    mine, theirs = region.of_parks(region.observations["high"].to_numpy(float))[attribute]
    return pools.within(mine + own, theirs + zone) - pools.within(mine, theirs)


def _later(region: Region, amount: np.ndarray, year: np.ndarray) -> dict[str, tuple[Later, ...]]:
    """Attribute -> what arrives at which sites, from (N, A) amounts and years."""
    found: dict[str, tuple[Later, ...]] = {}
    for at, one in enumerate(region.arrivals.itertuples()):
        here, zone = arrives_at(region, at), pools.zone_of(region.sites) == one.subject
        found[one.attribute] = (*found.get(one.attribute, ()), Later(here, amount[:, at], year[:, at], zone))
    return found


def settings_of(region: Region, facts: Facts) -> tuple[Setting, Setting]:
    """What the measures look at: the likely values, and the draws of all that is uncertain."""
    likely = likely_setting(region, facts)
    segment = [list(catalog.segments()).index(key) for key in facts.projects["segment"]]
    needs = need_draws.draw(facts.projects, facts.needs, draws=region.scenario.draws, seed=region.scenario.seed)
    offers, later, parks = region.drawn
    drawn = replace(likely, needs=needs, offers=offers, later=later, parks=parks)
    return likely, replace(drawn, by_segment=region.drawn_by_segment, segment=np.array(segment, dtype=int))


def likely_setting(region: Region, facts: Facts) -> Setting:
    """What the measures look at, at the likely values alone."""
    segment = [list(catalog.segments()).index(key) for key in facts.projects["segment"]]
    later, parks = region.likely
    return Setting(
        {key: bounds[:, 1:2].T for key, bounds in facts.needs.items()},
        {key: bounds[:, 1:2].T for key, bounds in facts.offers.items()},
        {key: rows[segment] for key, rows in region.by_segment.items()},
        facts.projects["max_minutes"].to_numpy(float),
        later,
        parks=parks,
        begins={kind.attribute: begins(region, facts.projects, name) for name, kind in catalog.resources().items()},
    )


def _parks(region: Region, numbers: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Attribute -> (N, S) what each site has itself and what its zone has, from (K, N) numbers."""
    return {key: (own.T, zone.T) for key, (own, zone) in region.of_parks(numbers).items()}


def supply_areas(world: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`id`, `name_zh`, `name_en` of the supply area of every county with a site, which may be unknown to no source.

    Parameters
    ----------
    world : mapping of DataFrame
        Layers by name: `sites`, `counties`, `prefectures`.
    """
    columns = ["code", "name_zh", "name_en"]
    return area_names(world["sites"], pd.concat([world["counties"][columns], world["prefectures"][columns]]))


def pool_name(region: Region, resource: str, pool: str) -> Text:
    """What a pool is called: a zone's that parks share says so.

    Parameters
    ----------
    region : Region
    resource : str
        Name of the resource in the problem.
    pool : str
        Id of the site, station, supply area or prefecture whose pool it is.
    """
    name, kind = region.names[pool], catalog.resource_kind(resource)
    if kind is None or not kind.zone_pool or catalog.is_park(resource):
        return name
    if pool not in region.zones:
        return name
    return Text(zh=f"{name.zh}（含园中园）", en=f"{name.en} with the parks inside it")


def subject_names(world: Mapping[str, pd.DataFrame]) -> dict[str, Text]:
    """Names of everything that an observation can be about, from the layers by name."""
    ids = {"sites": "id", "substations": "id", "prefectures": "code"}
    rows = [world[layer].set_index(key)[["name_zh", "name_en"]] for layer, key in ids.items()]
    rows.append(supply_areas(world).set_index("id"))
    return {one: Text(zh=zh, en=en) for one, zh, en in pd.concat(rows).itertuples()}


def _measures(world: Mapping[str, pd.DataFrame], sites: gpd.GeoDataFrame) -> dict[str, np.ndarray]:
    """(G, S) measures that depend on the segment and on no road."""
    fit = [np.minimum(bounds[:, 1], 1.0) for bounds in _fits(sites).values()]
    there = firms_by_segment(world["chain"]).reindex(sites["prefecture_code"], fill_value=0.0)
    return {"industry_fit": np.array(fit), "same_segment": there.to_numpy(float).T}


def firms_by_segment(chain: pd.DataFrame) -> pd.DataFrame:
    """Firms and plants of each prefecture and segment, wherever they are: prefectures × G.

    One that is in two segments counts in each; one without a prefecture or a segment in none.
    """
    known = firms(chain)
    known = known[known["prefecture_code"].fillna("") != ""]
    parts = known["segments"].fillna("").str.split(";")
    member = pd.DataFrame({key: parts.map(lambda one, key=key: key in one) for key in catalog.segments()}, dtype=float)
    return member.groupby(known["prefecture_code"]).sum()


def _fits(sites: gpd.GeoDataFrame) -> dict[str, np.ndarray]:
    """Segment -> (S, 3) low, likely, high of how far the lead industries match it; see `industry_fit.fit`."""
    own, listed = (sites[column].fillna("").tolist() for column in ("industries_zh", "catalogue_industries_zh"))
    return {key: industry_fit.fit(own, listed, segment.industries) for key, segment in catalog.segments().items()}


def _derived(subjects: Any, attribute: str, bounds: np.ndarray, source: Any, **more: Any) -> pd.DataFrame:
    """Observations that are derived here: (n, 3) bounds of n subjects, with the words of where they come from."""
    rows = {"site_id": subjects, "attribute": attribute, **dict(zip(_ENDS, bounds.T, strict=True))}
    about = {"unit": catalog.attributes()[attribute].unit.zh, "basis": "derived", "source": source}
    return pd.DataFrame(rows | about | {"as_of": "2026-11", "source_class": "c", "confidence": "medium"} | more)


def _trip_rows(trips: pd.DataFrame) -> pd.DataFrame:
    """Door to door to each site, by the faster way, give or take what its point may be off by."""
    sources = catalog.attributes()["trip_min"].sources
    way = {mode: words.zh for mode, words in zip(("road", "rail"), sources, strict=True)}
    bounds = off_by(trips[[f"{end}_min" for end in _ENDS]].to_numpy(float), trips["off_min"].to_numpy(float))
    source = trips["mode"].map(way).to_numpy()
    cause = [observations.cause_of("trip_min", mode) for mode in trips["mode"]]
    shared = {"cause": cause, "common": catalog.attributes()["trip_min"].common}
    return _derived(trips["destination"].to_numpy(), "trip_min", bounds, source, **shared)


def off_by(bounds: np.ndarray, off: np.ndarray) -> np.ndarray:
    """Widen intervals of minutes by what the point may be off by; both errors are independent and add in quadrature.

    Parameters
    ----------
    bounds : (n, 3) array
        Low, likely, high.
    off : (n,) array
        Minutes; where that is without end there is no point, and nothing is added.
    """
    low, likely, high = bounds.T
    off = np.where(np.isfinite(off), off, 0.0)
    with np.errstate(invalid="ignore"):  # inf - inf where nothing leads there
        wider = np.stack([likely - np.hypot(likely - low, off), likely, likely + np.hypot(high - likely, off)], axis=1)
    return np.where(np.isfinite(likely)[:, None], np.maximum(wider, 0.0), bounds)


def _off_min(sites: gpd.GeoDataFrame) -> np.ndarray:
    """(S,): minutes by road that the point of each site may be off by."""
    return doubt_km(sites) / toml.table("travel")["points"]["km_per_min"]


def _distance_rows(sites: gpd.GeoDataFrame, feed: Feed) -> pd.DataFrame:
    """Distance to the feeding station, where both points are known, give or take what both may be off by."""
    known = ~np.isnan(feed.km)
    km, doubt = feed.km[known], feed.doubt_km[known]
    bounds = np.stack([np.maximum(km - doubt, 0.0), km, km + doubt], axis=1)
    return _derived(sites["id"].to_numpy()[known], "grid_km", bounds, catalog.attributes()["grid_km"].sources[0].zh)


def _reach_rows(sites: gpd.GeoDataFrame, found: Reach) -> list[pd.DataFrame]:
    """Access to suppliers and customers and the ways of freight, where anything has a place."""
    ids, declared, rows = sites["id"].to_numpy(), catalog.attributes(), []
    for attribute, bounds in found.numbers.items():
        known = ~np.isnan(bounds).any(axis=1)
        rows.append(_derived(ids[known], attribute, bounds[known], declared[attribute].sources[0].zh))
    return [one for one in rows if len(one)]


def _constraint_rows(sites: gpd.GeoDataFrame) -> pd.DataFrame:
    """How many constraints each site has: the list's where it was looked into, else at least so many."""
    declared = catalog.attributes()["open_constraints"]
    prior = declared.priors[0]
    listed = np.array([len({*filter(None, text.split(";"))}) for text in sites["constraints"].fillna("")], dtype=float)
    known = (sites["constraints_checked"] == "yes").to_numpy()
    likely, high = np.maximum(listed + 1, prior.likely), np.maximum(listed + 2, prior.high)
    bounds = np.stack([listed, np.where(known, listed, likely), np.where(known, listed, high)], axis=1)
    trust: dict[str, Any] = {
        "basis": np.where(known, "derived", "assumed"),
        "confidence": np.where(known, "medium", "low"),
    }
    trust |= {"cause": observations.cause_of("open_constraints", prior.class_)}
    trust |= {"common": np.where(known, 0.0, prior.common)}
    source = np.where(known, declared.sources[0].zh, prior.reason.zh)
    return _derived(sites["id"].to_numpy(), "open_constraints", bounds, source, **trust)


def _observe(
    scenario: Scenario,
    world: Mapping[str, pd.DataFrame],
    sites: gpd.GeoDataFrame,
    derived: Iterable[pd.DataFrame],
    zones: Mapping[str, int],
    arriving: Iterable[str],
) -> pd.DataFrame:
    """Every number of sites, stations and prefectures: the user's, the published, the derived, the assumed."""
    declared = catalog.attributes()
    stated = observations.known_rows(scenario.known, declared)
    rows = pd.concat([world["observations"].reindex(columns=observations.COLUMNS), *derived, stated], ignore_index=True)
    stations = world["substations"]
    subjects = {
        "site": _classes(world["sites"], {*sites["id"], *pools.zone_of(sites)}),
        "substation": {
            area: area_class(zones.get(area, 1)) for area in sorted({*sites["station"]} & {*supply_area(sites)})
        }
        | {
            one: f"{kv:.0f}" if status == "operating" else "unconfirmed"
            for one, kv, status in zip(stations["id"], stations["voltage_kv"], stations["status"], strict=True)
            if one in {*sites["station"], *arriving}
        },
        "prefecture": dict.fromkeys(sorted(set(sites["prefecture_code"])), "*"),
    }
    return observations.complete(rows, subjects, declared)


def _classes(sites: gpd.GeoDataFrame, wanted: set[str]) -> dict[str, str]:
    """Id -> class of the sites that are wanted: those of the study, and the zones that its parks lie in."""
    return {one: kind for one, kind in zip(sites["id"], sites["site_class"], strict=True) if one in wanted}


def area_class(zones: int) -> str:
    """Class of the prior of a supply area by how many zones draw on it; see `tables/attributes.toml`."""
    classes = {prior.class_ for prior in catalog.attributes()["spare_mva"].priors}
    for count in range(zones, 1, -1):
        if f"unknown_feed_{count}" in classes:
            return f"unknown_feed_{count}"
    return "unknown_feed"


def _needs(projects: pd.DataFrame) -> dict[str, np.ndarray]:
    """(P, 3) low, likely, high of what each project takes."""
    constants, needs = toml.table("requirements"), {}
    for kind in catalog.resources().values():
        asked = projects[[f"{kind.asked.column}_{end}" for end in _ENDS]].to_numpy(float)
        needs[kind.need] = asked * constants[kind.asked.constant] if kind.asked.constant else asked
    return needs
