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
    from geo_cluster.suitability import kernels_scores

    on_road = _on_road(roads, tile, mask)
    return {
        key: _by_road(one.measure, roads, *on_road)
        if roads and on_road and one.measure in NETWORK
        else np.asarray(kernels_scores.picked(*_of_source(one, tile, mask), mask))
        for key, one in spec.criteria.items()
    }


def values(spec: Spec, roads: Roads | None, tile: Tile, mask: np.ndarray) -> np.ndarray:
    """(criteria, n): the value of each criterion at the cells of a mask, nan where unknown; see `natural`.

    Parameters
    ----------
    spec : Spec
    roads : Roads or None
        None where no criterion goes by road.
    tile : Tile
    mask : (rows, columns) array of bool
    """
    from geo_cluster.suitability import kernels_scores

    on_road = _on_road(roads, tile, mask)
    out = np.empty((len(spec.criteria), int(mask.sum())), np.float32)
    for line, one in zip(out, spec.criteria.values(), strict=True):
        function = one.function
        if roads and on_road and one.measure in NETWORK:
            numbers = _by_road(one.measure, roads, *on_road)
        elif function.kind == "linear":
            ends = float(function.worst), float(function.best)
            kernels_scores.straight(*_of_source(one, tile, mask), mask, *ends, line)
            continue
        else:
            numbers = kernels_scores.picked(*_of_source(one, tile, mask), mask)
        for begin in range(0, len(line), BATCH):
            line[begin : begin + BATCH] = function.value(numbers[begin : begin + BATCH])
    return out


def _on_road(roads: Roads | None, tile: Tile, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The node nearest to each cell of a mask, and the kilometres to it."""
    from geo_cluster.suitability import kernels_outlines

    if roads is None:
        return None
    node, metres = kernels_outlines.nearest(mask, tile.at, roads.nodes, True)
    return node[mask], metres[mask] / 1000


def _by_road(measure: str, roads: Roads, node: np.ndarray, km: np.ndarray) -> np.ndarray:
    if measure == "rd_minutes":
        return np.asarray(roads.minutes[node] + km * roads.per_km)
    fading = roads.fading[measure]
    return np.asarray(fading.at_node[node] * 0.5 ** (km * 60 / roads.off_kmh / fading.half_off_min))


def _of_source(criterion: CriterionSpec, tile: Tile, mask: np.ndarray) -> tuple[np.ndarray, float]:
    """Numbers of a source at all cells (only those of the mask count), and what brings them to the natural unit."""
    from geo_cluster.suitability import kernels_outlines

    source = tile.sources[criterion.source]
    if not isinstance(source, Outlines):
        return tile.numbers(criterion.source, slope=criterion.measure == "slope"), 1.0
    _, metres = kernels_outlines.nearest(mask, tile.at, source.segments, False)
    if source.some_areas:
        metres[source.burnt(tile.grid, tile.window, 0.0) == 1] = 0.0
    return metres, 0.001


def weights(spec: Spec, instead: Mapping[str, float] | None = None) -> np.ndarray:
    """(criteria,): weights that sum to 1, some replaced by name."""
    raw = np.array([(instead or {}).get(key, one.weight) for key, one in spec.criteria.items()])
    return np.asarray(raw / raw.sum())


def scores(code: np.ndarray, valued: np.ndarray, weight: np.ndarray) -> Scores:
    """Scores of a window, each a view of one of `bands`.

    Parameters
    ----------
    code, valued, weight : array
        As in `bands`.
    """
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
