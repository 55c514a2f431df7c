"""What a plant of a segment takes, from ranges that can't contradict each other (`tables/requirements.toml`).

Floor follows from land and plot ratio, capacity from floor, installed density and demand factor, energy from capacity
and load factor. Factors are combined as logarithms in quadrature: the bounds of a product are as wide as those of its
factors at the same quantile, were they independent and log-normal. (P, 3) arrays are low, likely, high of P plants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo_cluster import toml
from geo_cluster.domain import Segment
from geo_cluster.world.coordinates import MU_PER_HA

M2_PER_MU = 10_000.0 / MU_PER_HA
GWH_PER_MW = 8.76
"""1 MW for the 8,760 hours of a year."""


def power_factor() -> float:
    """MW for each MVA, the likely one of `tables/grid.toml`."""
    return float(toml.table("grid")["power_factor"]["likely"])


def spread(ranges: Sequence[tuple[float, float]]) -> np.ndarray:
    """(P, 3) low, likely, high of ranges: the likely value is the geometric mean of the bounds."""
    low, high = np.array(ranges, dtype=float).T
    return np.column_stack([low, np.sqrt(low * high), high])


def product(*factors: np.ndarray) -> np.ndarray:
    """(P, 3) product of independent (P, 3) factors above 0: likely by likely, logarithms of bounds in quadrature."""
    stacked = np.stack(np.broadcast_arrays(*factors))
    likely = stacked[..., 1].prod(axis=0)
    down = np.sqrt((np.log(stacked[..., 1] / stacked[..., 0]) ** 2).sum(axis=0))
    up = np.sqrt((np.log(stacked[..., 2] / stacked[..., 1]) ** 2).sum(axis=0))
    return np.column_stack([likely * np.exp(-down), likely, likely * np.exp(up)])


def inverse(values: np.ndarray) -> np.ndarray:
    """(P, 3) one over values above 0."""
    return 1.0 / values[:, ::-1]


def floor_m2(segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) m² of floor per 100 M yuan of annual output: land × plot ratio."""
    return M2_PER_MU * product(*_factors(segments, "plot_ratio"))


def floor_of_land(mu: np.ndarray, plot_ratio: np.ndarray) -> np.ndarray:
    """(P, 3) m² of floor of plants from their land and plot ratio, both (P, 3)."""
    return M2_PER_MU * product(mu, plot_ratio)


def land_of_floor(m2: np.ndarray, plot_ratio: np.ndarray) -> np.ndarray:
    """(P, 3) mu of land of plants from their floor and plot ratio, both (P, 3)."""
    return product(m2, inverse(plot_ratio)) / M2_PER_MU


def capacity_mva(segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) MVA per 100 M yuan of annual output: floor × installed density × demand factor ÷ power factor."""
    of = ("plot_ratio", "density_mw_per_10k_m2", "demand_factor")
    return M2_PER_MU / 1e4 / power_factor() * product(*_factors(segments, *of))


def energy_gwh(segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) GWh a year per 100 M yuan of annual output: capacity × power factor × load factor × 8,760 h."""
    of = ("plot_ratio", "density_mw_per_10k_m2", "demand_factor", "load_factor")
    return M2_PER_MU / 1e4 * GWH_PER_MW * product(*_factors(segments, *of))


def energy_of_capacity(mva: np.ndarray, load: np.ndarray) -> np.ndarray:
    """(P, 3) GWh a year of plants from their capacity and load factor, both (P, 3)."""
    return GWH_PER_MW * power_factor() * product(mva, load)


def capacity_of_energy(gwh: np.ndarray, load: np.ndarray) -> np.ndarray:
    """(P, 3) MVA of plants from their energy a year and load factor, both (P, 3)."""
    return product(gwh, inverse(load)) / (GWH_PER_MW * power_factor())


def load_factor(gwh: np.ndarray, mva: np.ndarray) -> np.ndarray:
    """(P, 3) mean load over what the capacity carries: low with low, likely with likely, high with high, in order.

    Low energy goes with low capacity, both are the same plant's. Above 1 where so much energy does not pass.
    """
    return np.sort(gwh / (mva * power_factor() * GWH_PER_MW), axis=1)


def _factors(segments: Sequence[Segment], *names: str) -> list[np.ndarray]:
    land = spread([one.needs["land_mu"] for one in segments])
    return [land, *(spread([getattr(one, name) for one in segments]) for name in names)]
