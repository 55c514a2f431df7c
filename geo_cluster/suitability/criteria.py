"""The criteria on a window: natural units, values 0 to 1, scores 0 to 100 with their low and high.

Values and weights are those of the study's scoring. A criterion that isn't known at a cell stands at 0.5 in the likely
score, at 0 in the low and at 1 in the high one. A cell of which no criterion is known has no score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import geopandas as gpd
import numpy as np

from geo_cluster.reach import Fading, access_at_nodes
from geo_cluster.region import LAYERS, travel_of
from geo_cluster.suitability.sources import Outlines, Tile
from geo_cluster.suitability.spec import NETWORK, CriterionSpec, Spec
from geo_cluster.world.layers import Layers

HUNDREDTHS, NO_SCORE = 100, 65535
"""Scores are kept in hundredths of a point, 0 to 10000; this is none."""

BATCH = 1 << 16
"""Cells whose values are worked out at a time."""


@dataclass(frozen=True, eq=False)
class Roads:
    """What the road network says at its nodes, in the grid's reference system.

    Parameters
    ----------
    nodes : (n, 4) array
        As segments of no length.
    minutes : (n,) array
        From the R&D anchor, door to door.
    per_km : float
        Minutes a kilometre off the network, in the same measure.
    off_kmh : float
        Speed off the network.
    fading : mapping of Fading
        Access by measure.
    """

    nodes: np.ndarray
    minutes: np.ndarray
    per_km: float
    off_kmh: float
    fading: Mapping[str, Fading] = field(default_factory=dict)


def roads_of(spec: Spec) -> Roads | None:
    """What the criteria need of the road network; None where they need none.

    Raises
    ------
    InputError
        There is no such anchor.
    """
    wanted = {one.measure for one in spec.criteria.values()} & set(NETWORK)
    if not wanted:
        return None
    from geo_cluster.access.travel import minutes_to_all
    from geo_cluster.errors import Fault, InputError, Place

    layers = Layers(spec.layers)
    world = {name: layers.read(name) for name in LAYERS}
    network, calibration = travel_of(world)
    anchors = world["anchors"].set_index("id")
    if spec.anchor not in anchors.index:
        known = list(anchors.index)
        raise InputError(Fault("suitability.no_such_anchor", Place("", key="anchor"), name=spec.anchor, known=known))
    main = np.flatnonzero(network.component == 0)
    assert network.lon is not None and network.lat is not None  # the layer's have places
    points = gpd.GeoSeries.from_xy(network.lon[main], network.lat[main], crs=4326).to_crs(spec.grid.crs)
    xy = np.column_stack([points.x, points.y])
    minutes = minutes_to_all(network, anchors.loc[[spec.anchor]].geometry)[0, main]
    fading = access_at_nodes(network, calibration, world) if wanted - {"rd_minutes"} else {}
    return Roads(
        np.column_stack([xy, xy]),
        calibration.minutes(minutes).likely,
        60 / network.off_network_kmh * calibration.factor,
        network.off_network_kmh,
        {name: Fading(one.at_node[main], one.half_off_min) for name, one in fading.items()},
    )


class Scores(NamedTuple):
    """Hundredths of a point, `NO_SCORE` for none: (rows, columns) uint16 each."""

    likely: np.ndarray
    low: np.ndarray
    high: np.ndarray


def natural(spec: Spec, roads: Roads | None, tile: Tile, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Each criterion in natural units at the cells of a mask, nan where unknown; (n,) each, row by row.

    Parameters
    ----------
    spec : Spec
    roads : Roads, optional
    tile : Tile
    mask : (rows, columns) bool
    """
    from geo_cluster.suitability import kernels_outlines

    on_road = kernels_outlines.nearest(mask, tile.at, roads.nodes, True) if roads else None
    found: dict[str, np.ndarray] = {}
    for key, criterion in spec.criteria.items():
        if roads and on_road and criterion.measure in NETWORK:
            found[key] = _by_road(criterion.measure, roads, on_road[0][mask], on_road[1][mask] / 1000)
        else:
            found[key] = _of_source(criterion, tile, mask)
    return found


def _by_road(measure: str, roads: Roads, node: np.ndarray, km: np.ndarray) -> np.ndarray:
    if measure == "rd_minutes":
        return np.asarray(roads.minutes[node] + km * roads.per_km)
    fading = roads.fading[measure]
    return np.asarray(fading.at_node[node] * 0.5 ** (km * 60 / roads.off_kmh / fading.half_off_min))


def _of_source(criterion: CriterionSpec, tile: Tile, mask: np.ndarray) -> np.ndarray:
    from geo_cluster.suitability import kernels_outlines, kernels_scores

    source = tile.sources[criterion.source]
    if isinstance(source, Outlines):
        _, metres = kernels_outlines.nearest(mask, tile.at, source.segments, False)
        if source.some_areas:
            metres[source.burnt(tile.grid, tile.window, 0.0) == 1] = 0.0
        return np.asarray(kernels_scores.picked(metres, mask, 0.001))
    numbers = tile.numbers(criterion.source, slope=criterion.measure == "slope")
    return np.asarray(kernels_scores.picked(numbers, mask, 1.0))


def values(spec: Spec, measured: Mapping[str, np.ndarray]) -> np.ndarray:
    """(criteria, n): values of natural ones, nan where unknown."""
    from geo_cluster.suitability import kernels_scores

    count = len(next(iter(measured.values())))
    out = np.empty((len(spec.criteria), count), np.float32)
    for at, (key, criterion) in enumerate(spec.criteria.items()):
        function = criterion.function
        if function.kind == "linear":
            kernels_scores.straight(np.asarray(measured[key]), float(function.worst), float(function.best), out[at])
            continue
        for begin in range(0, count, BATCH):
            out[at, begin : begin + BATCH] = function.value(measured[key][begin : begin + BATCH])
    return out


def weights(spec: Spec, instead: Mapping[str, float] | None = None) -> np.ndarray:
    """(criteria,): weights that sum to 1, some replaced by name."""
    raw = np.array([(instead or {}).get(key, one.weight) for key, one in spec.criteria.items()])
    return np.asarray(raw / raw.sum())


def scores(code: np.ndarray, valued: np.ndarray, weight: np.ndarray) -> Scores:
    """Scores of a window, each a view of one of `bands`."""
    return Scores(*bands(code, valued, weight))


def bands(code: np.ndarray, valued: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(3, rows, columns) likely, low and high score of a window, as in `Scores`.

    Parameters
    ----------
    code : (rows, columns) uint8
        Of the exclusions. Where they can't say whether the land is free, it has a high score only.
    valued : (criteria, n) array
        Of the cells that are free or where one can't say, row by row.
    weight : (criteria,) array
        Sums to 1.
    """
    from geo_cluster.suitability import kernels_scores

    return np.asarray(kernels_scores.weigh(code, valued, weight, HUNDREDTHS, NO_SCORE))
