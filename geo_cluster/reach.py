"""What lies within reach of each site: suppliers and customers by gravity, and the gates by which goods leave.

Goods go to customers by road, which is what access to customers measures in truck minutes, and further by the gates.

Decays and gates are declared in `tables/travel.toml`, whom a segment buys of and sells to and how its goods travel in
`tables/reach.toml`. Firms count alike, as most revenues are unknown; points known by district widen the interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.access.gravity import decay, gravity
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.road_calibration import RoadCalibration, Span
from geo_cluster.access.travel import matrix
from geo_cluster.domain import Text
from geo_cluster.supply.serving_station import doubt_km
from geo_cluster.world import catalog


@dataclass(frozen=True, eq=False)
class Reach:
    """What S sites reach, for G segments.

    Attributes
    ----------
    numbers : mapping of (S, 3) arrays
        Low, likely, high by attribute: `supplier_access`, `customer_access`, `river_min`, `rail_min`, `air_min`;
        nan where no point of a kind has a place.
    by_segment : mapping of (G, S or 1) arrays
        `supplier_share`, `customer_share`: which part of an access is upstream of a segment, or can use what it makes;
        `river_share` and so on: by which gate its goods leave. In the order of `catalog.segments()`.
    left_out : mapping of Text
        Criterion -> what it leaves out, as nobody knows where it is, or as the layers have none of it.
    """

    numbers: Mapping[str, np.ndarray]
    by_segment: Mapping[str, np.ndarray]
    left_out: Mapping[str, Text]


def firms(chain: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Firms and plants of the chain, wherever they are."""
    return chain[chain["kind"].isin(["firm", "plant"])]


def reach_of(
    network: RoadNetwork, calibration: RoadCalibration, world: Mapping[str, pd.DataFrame], sites: gpd.GeoDataFrame
) -> Reach:
    """Measure suppliers, customers and gates of every site.

    Parameters
    ----------
    network, calibration
        For the road there.
    world : mapping of DataFrame
        Layers by name: `chain`, `demand`, `ports`, `airports`, `stations`.
    sites : GeoDataFrame of S points
    """
    travel, table, segments = toml.table("travel"), toml.table("reach"), catalog.segments().values()
    suppliers, customers = _suppliers(world, table), _customers(world, table)
    gates = _gates(world, travel["freight"]["gates"])
    by = _Roads(network, calibration, sites, [suppliers.placed, customers.placed, *gates.values()])
    half = {key: travel["gravity"][key]["half_min"] for key in ("suppliers", "customers")}
    truck = Span(*travel["freight"]["truck_factor"])
    cars, lorries = by.minutes[0].likely, by.minutes[1].likely * truck.likely
    upstream = np.stack([suppliers.is_of("stage", table["stages"][one.stage]["suppliers"]) for one in segments])
    downstream = np.stack([_uses(customers, key, table) for key in catalog.segments()])
    numbers = {
        "supplier_access": gravity(
            cars, suppliers.mass, half_min=half["suppliers"], off_min=(by.off, by.off_by[0]), doubt=suppliers.doubt
        ),
        "customer_access": gravity(
            lorries,
            customers.mass,
            half_min=half["customers"],
            off_min=(by.off * truck.likely, by.off_by[1] * truck.likely),
            doubt=customers.doubt,
        ),
        **{f"{mode}_min": by.to_nearest(at, truck) for at, mode in enumerate(gates, start=2)},
    }
    there = {mode: len(points) > 0 for mode, points in gates.items()}
    by_segment = {
        "supplier_share": _share(upstream * suppliers.mass, decay(cars, half["suppliers"]), suppliers.mass),
        "customer_share": _share(downstream * customers.mass, decay(lorries, half["customers"]), customers.mass),
        **_mode_shares(table["freight"], there),
    }
    return Reach(numbers, by_segment, _left_out(suppliers, customers, gates, there))


class Fading(NamedTuple):
    """Likely access from every node of the network, and in how many minutes off it it halves.

    Parameters
    ----------
    at_node : (N,) array
        In the order of `network.label`; of a place further off, so much less.
    half_off_min : float
    """

    at_node: np.ndarray
    half_off_min: float


def access_at_nodes(
    network: RoadNetwork, calibration: RoadCalibration, world: Mapping[str, pd.DataFrame]
) -> dict[str, Fading]:
    """Likely `supplier_access` and `customer_access` of places on the network, as `reach_of` has them for sites.

    Parameters
    ----------
    network, calibration
        For the road there.
    world : mapping of DataFrame
        Layers by name: `chain`, `demand`.
    """
    travel, table = toml.table("travel"), toml.table("reach")
    found = {}
    for name, points, factor in (
        ("suppliers", _suppliers(world, table), 1.0),
        ("customers", _customers(world, table), Span(*travel["freight"]["truck_factor"]).likely),
    ):
        half = travel["gravity"][name]["half_min"] / factor
        minutes = matrix(network, network.label, points.placed.geometry).minutes
        at = decay(calibration.minutes(minutes).likely, half) @ points.mass
        found[f"{name[:-1]}_access"] = Fading(at, half / calibration.factor)
    return found


@dataclass(frozen=True, eq=False)
class _Points:
    """Firms that count: `all` of them, those `placed`, what each of these counts and how much that is in doubt."""

    all: pd.DataFrame
    placed: gpd.GeoDataFrame
    mass: np.ndarray
    doubt: np.ndarray

    def is_of(self, column: str, words: Iterable[str]) -> np.ndarray:
        """(n,): whether a column of lists (joined by `;`) says one of the words."""
        wanted = set(words)
        cells = (
            self.placed[column].astype(object).fillna("").astype(str)
            if column in self.placed
            else pd.Series("", index=self.placed.index)
        )
        return np.array([bool(wanted & set(cell.split(";"))) for cell in cells], dtype=bool)


def _points(rows: pd.DataFrame, mass: np.ndarray, doubt: np.ndarray) -> _Points:
    placed = np.isfinite(doubt_km(rows)) if len(rows) else np.zeros(0, dtype=bool)
    return _Points(rows, rows[placed], mass[placed], doubt[placed])


def _suppliers(world: Mapping[str, pd.DataFrame], table: Mapping[str, Any]) -> _Points:
    """Firms of every stage that some segment buys of."""
    stages = {stage for row in table["stages"].values() for stage in row["suppliers"]} | {"equipment"}
    rows = firms(world["chain"])
    rows = rows[rows["stage"].isin(stages)]
    return _points(rows, np.ones(len(rows)), np.zeros(len(rows)))


def _customers(world: Mapping[str, pd.DataFrame], table: Mapping[str, Any]) -> _Points:
    """Plants that use lasers, and firms of every stage that some segment sells to."""
    use = toml.table("travel")["gravity"]["use"]
    users = world["demand"]
    users = users[users["row_kind"].isin(use["row_kinds"])]
    stages = {stage for row in table["stages"].values() for stage in row["customers"]}
    chain = firms(world["chain"])
    chain = chain[chain["stage"].isin(stages)]
    inferred = (users["use_basis"] != "source").to_numpy(bool)
    mass = np.concatenate([np.where(inferred, use["inferred"], use["source"]), np.ones(len(chain))]).astype(float)
    doubt = np.concatenate([np.where(inferred, use["inferred"], 0.0), np.zeros(len(chain))]).astype(float)
    columns = ["laser_use", "industry_zh", "stage", "coord_uncertainty_m", "geometry"]
    both = [part.reindex(columns=columns) for part in (users.assign(stage=""), chain) if len(part)]
    rows = pd.concat(both, ignore_index=True) if both else chain.reindex(columns=columns)
    return _points(gpd.GeoDataFrame(rows, geometry="geometry"), mass, doubt)


def _uses(customers: _Points, segment: str, table: Mapping[str, Any]) -> np.ndarray:
    """(n,): whether each customer can use what a segment makes, or builds it in."""
    stages = table["stages"][catalog.segments()[segment].stage]["customers"]
    words = table["industries"].get(segment, ())
    industry = customers.placed["industry_zh"].astype(object).fillna("").astype(str)
    by_industry = np.array([any(word in cell for word in words) for cell in industry], dtype=bool)
    by_use = customers.is_of("laser_use", table["uses"].get(segment, ()))
    return by_use | by_industry | customers.is_of("stage", stages)


def _gates(world: Mapping[str, pd.DataFrame], table: Mapping[str, Any]) -> dict[str, gpd.GeoDataFrame]:
    """Where goods leave, by mode."""
    ports, airports, stations = world["ports"], world["airports"], world["stations"]
    is_public = ports["kind"].isin(table["port_kinds"]) if "kind" in ports else np.ones(len(ports), dtype=bool)
    kinds = stations["kind"].fillna("").str.split(";") if "kind" in stations else pd.Series([[]] * len(stations))
    is_yard = np.array([table["yard_kind"] in kind for kind in kinds], dtype=bool)
    is_cargo = airports["iata"].isin(table["cargo_airports"])
    return {"river": ports[is_public], "rail": stations[is_yard], "air": airports[is_cargo]}


def is_placed(points: gpd.GeoDataFrame) -> np.ndarray:
    """(n,): whether a point is known well enough to be the nearest to something; see `tables/travel.toml`."""
    return doubt_km(points) <= toml.table("travel")["points"]["rough_m"] / 1000


class _Roads:
    """Minutes by car from S sites to several sets of points, of one search, and by how many minutes points are off.

    `minutes[k]` has the (S, n) low, likely and high minutes to set k; `off` (S,) and `off_by[k]` (n,) the errors.
    """

    def __init__(
        self,
        network: RoadNetwork,
        calibration: RoadCalibration,
        sites: gpd.GeoDataFrame,
        sets: list[gpd.GeoDataFrame],
    ) -> None:
        km_per_min = toml.table("travel")["points"]["km_per_min"]
        self.most = float(toml.table("travel")["freight"]["gates"]["most_min"])
        self.off = np.where(np.isinf(doubt_km(sites)), 0.0, doubt_km(sites)) / km_per_min
        self.off_by = [doubt_km(points) / km_per_min for points in sets]
        self.placed = [is_placed(points) if len(points) else np.zeros(0, dtype=bool) for points in sets]
        there = [points.geometry[np.isfinite(off)] for points, off in zip(sets, self.off_by, strict=True)]
        every = gpd.GeoSeries(pd.concat([one for one in there if len(one)])) if any(map(len, there)) else None
        drive = np.empty((len(sites), 0)) if every is None else matrix(network, sites.geometry, every).minutes
        ends = np.cumsum([len(one) for one in there])[:-1]
        self.minutes = [calibration.minutes(part) for part in np.split(drive, ends, axis=1)]
        self.placed = [mark[np.isfinite(off)] for mark, off in zip(self.placed, self.off_by, strict=True)]
        self.off_by = [off[np.isfinite(off)] for off in self.off_by]

    def to_nearest(self, k: int, truck: Span) -> np.ndarray:
        """(S, 3) truck minutes to the nearest point of set k that has a place, errors of both points included."""
        span, at = self.minutes[k], np.flatnonzero(self.placed[k])
        if not len(at):
            return np.full((len(self.off), 3), np.nan)
        nearest = at[span.likely[:, at].argmin(axis=1)]
        off = np.hypot(self.off, self.off_by[k][nearest])
        each = [np.take_along_axis(minutes, nearest[:, None], axis=1)[:, 0] for minutes in span]
        return self._spread(Span(*each), off, truck)

    def _spread(self, minutes: Span, off: np.ndarray, truck: Span) -> np.ndarray:
        low = np.maximum(minutes.low - off, 0.0) * truck.low
        found = np.stack([low, minutes.likely * truck.likely, (minutes.high + off) * truck.high], axis=1)
        return np.sort(np.minimum(found, self.most), axis=1)


def _share(chosen: np.ndarray, at: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """(G, S): which part of each site's access the chosen (G, n) masses are; 0 where there is none."""
    part, total = chosen @ at.T, (at @ mass)[None, :]
    return np.divide(part, total, out=np.zeros_like(part), where=total > 0)


def _mode_shares(table: Mapping[str, Any], there: Mapping[str, bool]) -> dict[str, np.ndarray]:
    """(G, 1) share of each mode; one of which the layers have no gate leaves its share to the others."""
    rows = [table[segment.freight] for segment in catalog.segments().values()]
    share = np.array([[row.get(mode, 0.0) * there[mode] for mode in there] for row in rows])
    total = share.sum(axis=1, keepdims=True)
    share = np.divide(share, total, out=np.full_like(share, np.nan), where=total > 0)
    return {f"{mode}_share": share[:, at : at + 1] for at, mode in enumerate(there)}


def _left_out(
    suppliers: _Points, customers: _Points, gates: Mapping[str, gpd.GeoDataFrame], there: Mapping[str, bool]
) -> dict[str, Text]:
    """Criterion -> what its measure leaves out, or counts by its error only."""
    found = {}
    for key, points in (("supplier_access", suppliers), ("customer_access", customers)):
        nowhere = len(points.all) - len(points.placed)
        rough = int((~is_placed(points.placed)).sum()) if len(points.placed) else 0
        if nowhere or rough:
            found[key] = Text(
                zh=f"另有 {nowhere} 家位置未知，未计入；{rough} 家只知区县，按误差计入上下限",
                en=f"{nowhere} firms without a place are left out; {rough} known by district only count by their error",
            )
    zh, en = [], []
    if not there["rail"]:
        zh.append("图层中没有铁路货运站，铁路占比让给其余方式")
        en.append("the layers have no freight yard: rail's share goes to the other modes")
    if rough := sum(int((~is_placed(points)).sum()) for points in gates.values() if len(points)):
        zh.append(f"另有 {rough} 处货运口岸位置未知或只知区县，未计入")
        en.append(f"{rough} more gates, known by district only or not at all, are left out")
    if zh:
        found["freight_minutes"] = Text(zh="；".join(zh), en="; ".join(en))
    return found
