"""Draws of what projects take: needs of one plant rise together, those of a segment are guessed wrong together.

A need that follows from ranges is a product of factors (`plant_needs`), whose logarithms add up; so do their errors.
The normal of a need is the sum of its factors' normals, each in proportion to its width: what two needs of a plant have
in common is the factors that they have in common. The error of a factor is partly the segment's (nobody knows how much
land the industry takes) and partly the plant's, as `[common]` of `tables/requirements.toml` says. What a project states
is its own and hangs together with nothing; what follows from it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import ResourceKind, Segment
from geo_cluster.world import catalog, copula, plant_needs, triangular

_FLOOR = ("land_mu", "plot_ratio")
_POWER = (*_FLOOR, "density_mw_per_10k_m2", "demand_factor")
FACTORS = {"built_floor": _FLOOR, "installed_power": _POWER, "used_energy": (*_POWER, "load_factor")}
"""Ranges of a segment that a need is the product of, by `estimate` of the resource; `by_output` has one of its own."""

FOLLOWS = {
    "energy_gwh": ("power_mva", "load_factor", 1.0),
    "power_mva": ("energy_gwh", "load_factor", -1.0),
    "floor_m2": ("land_mu", "plot_ratio", 1.0),
    "land_mu": ("floor_m2", "plot_ratio", -1.0),
}
"""Column -> the one that it follows from where that is stated, by which range; -1: the more of that, the less of it."""

LOAD, OUTPUT, STATED = "load_factor", "output", "stated "

Widths = dict[str, np.ndarray]
"""Source of error -> (P,) how wide it makes a need, in logarithms; below 0 where more of it makes the need less."""


def draw(projects: pd.DataFrame, needs: Mapping[str, np.ndarray], *, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draw what projects take, from the triangular distribution over low, likely and high of each need.

    Each project has streams of its own and each segment one for every range: adding a project changes nobody else's
    draws.

    Parameters
    ----------
    projects : DataFrame
        P checked projects (`portfolio.check`).
    needs : mapping of (P, 3) arrays
        Low, likely, high by `need` of `catalog.resources()`.
    draws : int
        N.
    seed : int

    Returns
    -------
    dict of (N, P) arrays
        By need; each has one draw from each of N equally likely slices of its own distribution.
    """
    made_of, size = sources(projects, needs), {"draws": draws, "seed": seed}
    factors, zero = factor_names(), np.zeros(len(projects))
    everything = [*factors, *(f"{STATED}{need}" for need in needs)]
    width = np.array([[made_of[need].get(source, zero) for source in everything] for need in needs]).swapaxes(1, 2)
    common = np.array([common_of(source) for source in everything])
    segments, member = np.unique(projects["segment"].to_numpy(str), return_inverse=True)
    causes = [f"cause of {segment}/{source}" for segment in segments for source in factors]
    cause = copula.normals(causes, **size).reshape(len(segments), len(factors), draws)
    names, ends = list(needs), np.stack([needs[need] for need in needs])
    found = np.empty((len(names), len(projects), draws))
    used = (width != 0).any(axis=0)[:, len(factors) :]
    for p, project in enumerate(projects.index):
        own = copula.stream(f"{project}/factors", seed=seed).standard_normal((len(factors), draws))
        uniform, within = copula.stratified([f"{project}/{need}" for need in names], **size)
        stated = np.zeros((len(names), draws))
        stated[used[p]] = copula.to_normal(uniform[used[p]])
        shared = width[:, p, : len(factors)] * np.sqrt(common[: len(factors)])
        normal = (width[:, p] * np.sqrt(1 - common)) @ np.concatenate([own, stated])
        normal += shared @ cause[member[p]]
        low, likely, high = ends[:, p, :, None].swapaxes(0, 1)
        found[:, p] = triangular.quantiles(copula.by_rank(normal, within), low, likely, high)
    return {need: one.T for need, one in zip(names, found, strict=True)}


def factor_names() -> list[str]:
    """Every source of error that is not a stated need, always in the same order."""
    columns = [kind.asked.column for kind in catalog.resources().values() if kind.estimate == "by_output"]
    return list(dict.fromkeys([OUTPUT, *_POWER, LOAD, *columns]))


def common_of(source: str) -> float:
    """Correlation of the errors of a range at two plants of a segment: `[common]` of `tables/requirements.toml`."""
    return toml.table("requirements").get("common", {}).get(source, {}).get("share", 0.0)


def sources(projects: pd.DataFrame, needs: Mapping[str, np.ndarray]) -> dict[str, Widths]:
    """What the error of each need is made of.

    Parameters
    ----------
    projects : DataFrame
        P checked projects.
    needs : mapping of (P, 3) arrays
        Low, likely, high by `need`.

    Returns
    -------
    dict
        Need -> source -> (P,) widths: ranges of the segment, `output` (of the project, known to it alone), or a need
        that is stated.
    """
    segments = [catalog.segments()[key] for key in projects["segment"]]
    kinds, found = {kind.asked.column: kind for kind in catalog.resources().values()}, {}
    for column, kind in kinds.items():
        widths = _of_ranges(kind, segments, _width(needs[kind.need]))
        other, by, sign = FOLLOWS.get(column, ("", "", 0.0))
        if other in kinds:
            base = kinds[other].need
            converted = {STATED + base: _width(needs[base]), by: sign * _range_width(segments, by)}
            widths = _either(projects[f"{other}_given"].to_numpy(bool), converted, widths)
        itself = {STATED + kind.need: np.ones(len(projects))}
        found[kind.need] = _either(projects[f"{column}_given"].to_numpy(bool), itself, widths)
    return found


def _of_ranges(kind: ResourceKind, segments: Sequence[Segment], width: np.ndarray) -> Widths:
    """Widths of a need that follows from ranges; what these don't explain is the output's."""
    names = FACTORS.get(kind.estimate, (kind.asked.column,) if kind.estimate == "by_output" else ())
    widths = {name: _range_width(segments, name) for name in names}
    left = width**2 - sum(one**2 for one in widths.values())
    return {**widths, OUTPUT: np.sqrt(np.where(left > 1e-9, left, 0.0))}


def _either(where: np.ndarray, one: Widths, other: Widths) -> Widths:
    """One set of widths where a project says so, else the other; sources that count nowhere are left out."""
    zero = np.zeros(len(where))
    merged = {
        name: np.where(where, one.get(name, zero), other.get(name, zero)) for name in dict.fromkeys([*one, *other])
    }
    return {name: width for name, width in merged.items() if width.any()}


def _range_width(segments: Sequence[Segment], name: str) -> np.ndarray:
    ranges = [getattr(one, name, None) or one.needs.get(name, (1.0, 1.0)) for one in segments]
    return _width(plant_needs.spread(ranges))


def _width(bounds: np.ndarray) -> np.ndarray:
    """(P,): half the distance of the logarithms of the bounds."""
    return np.log(bounds[:, 2] / bounds[:, 0]) / 2
