"""Regions: compact land in one piece, of at least the need, that holds the hall, best first and spaced.

Two steps. The whole surface is looked over once for seeds: in each block of the grid, the square of the needed size
with the most score on free land. From the best seed on, a region grows cell by cell to the need, by score and by
nearness to its seed; what is too small, too close to a better one, or holds no hall, is passed over. Where power is
needed, what the supply area may spare counts beside the score, and land whose area is known to have less is passed
over; land of which nobody knows is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster import scratch
from geo_cluster.suitability.criteria import HUNDREDTHS, NO_SCORE
from geo_cluster.suitability.exclusions import FREE
from geo_cluster.suitability.grid import TILE, Grid, Window
from geo_cluster.suitability.headroom import Headroom
from geo_cluster.suitability.run import Answer
from geo_cluster.suitability.screen import Screen
from geo_cluster.suitability.spec import Need
from geo_cluster.supply.parcels import hall_fits
from geo_cluster.supply.rectangle import largest_rectangles
from geo_cluster.world import spreadsheet

MU_PER_HA = 15.0
SEED_CELLS = 64
"""Side of the blocks of the grid that have one seed each."""
REACH = 2.0
"""A region stays within so many sides of a square of the need from its seed."""
MOST_TRIED = 5000
"""Seeds from which a region is grown at most."""
AROUND_M = 1000.0
"""A listed park is a point: the land within so many metres counts as its."""
COLUMNS: tuple[str, ...] = (
    "rank",
    "land_mu",
    "area_ha",
    "score",
    "score_low",
    "score_high",
    "compactness",
    "hall_width_m",
)
COLUMNS += ("hall_length_m", "lon", "lat")
TOTALS = ("total", "total_low", "total_high")
"""Score of land and power together."""


def find(
    answer: Answer,
    need: Need,
    *,
    screen: Screen | None = None,
    weight: np.ndarray | None = None,
    keep_off: Any = None,
    headroom: Headroom | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> gpd.GeoDataFrame:
    """Find the best regions of a finished screening.

    Parameters
    ----------
    answer : Answer
    need : Need
    screen : Screen, optional
        What the answer was made of; with it, each region has the mean of every criterion in natural units.
    weight : (criteria,) array, optional
        Other weights than the answer's, summing to 1; scores are then worked out anew, which needs `screen`.
    keep_off : geometry, optional
        In the grid's reference system: no region meets it, such as regions of another need.
    headroom : Headroom, optional
        What each region may get of power; with it and `need.mva` regions are sought and ranked by land and power.
    progress : callable
        Called with the share of the surface that was looked over.

    Returns
    -------
    GeoDataFrame
        At most `need.count` rows, best first, in the grid's reference system: `COLUMNS`; `score` is the mean of the
        likely score of its cells, and its `hall` the largest rectangle inside; with `screen`, a column of each
        criterion; with `headroom`, its columns, and where power is needed `mva_fits` (`headroom.Verdict`) and `TOTALS`,
        by which they are then ranked. Compactness is Polsby and Popper's: 4 pi area over the square of the perimeter,
        pi / 4 of a square.
    """
    grid = answer.grid
    cells = max(math.ceil(need.land_mu / MU_PER_HA / grid.cell_ha - 1e-9), 1)
    side = max(math.ceil(math.sqrt(cells)), 1)
    found: list[dict[str, Any]] = []
    halls: dict[Any, bool] = {}
    taken: list[Any] = [] if keep_off is None else [keep_off]
    power = headroom if need.mva else None
    with _Surface(answer, screen, weight) as surface:
        seeds = _seeds(surface, grid, side, progress)
        if power is not None:
            seeds = _powered(seeds, power, need.mva, grid, side)
        for _, *seed in seeds[:MOST_TRIED]:
            here = shapely.Point(grid.west + (seed[1] + 0.5) * grid.cell_m, grid.north - (seed[0] + 0.5) * grid.cell_m)
            if any(shapely.dwithin(here, one, need.spacing_km * 1000) for one in taken):
                continue
            region = _grown(surface, grid, (seed[0], seed[1]), cells, side, need.compact)
            if region is None or not _holds(region, need, taken, halls):
                continue
            region["power"] = _power(region, headroom, need.mva)
            if region["power"].get("mva_fits") == "short":
                continue
            found.append(region)
            taken.append(region["geometry"])
            if len(found) == need.count:
                break
    return _described(found, grid, screen)


def _holds(region: dict[str, Any], need: Need, taken: list[Any], halls: dict[Any, bool]) -> bool:
    """Whether a region keeps its distance from the better ones and holds the hall; `halls` by shape, as many recur."""
    shape, mask = region["geometry"], region["mask"]
    if any(shape.distance(one) < max(need.spacing_km * 1000, 1e-6) for one in taken):
        return False
    if not need.hall_m:
        return True
    key = mask.shape, np.packbits(mask).tobytes()
    if key not in halls:
        halls[key] = hall_fits(shape, need.hall_m)
    return halls[key]


def _power(region: dict[str, Any], headroom: Headroom | None, need_mva: float) -> dict[str, Any]:
    """What a region may get of power, and where some is needed whether it will do and the score of both together."""
    if headroom is None:
        return {}
    place = shapely.point_on_surface(region["geometry"])
    rows = headroom.at(np.array([place.x]), np.array([place.y]))
    told: dict[str, Any] = dict(rows.iloc[0])
    if need_mva:
        scores = np.array([[region[key]] for key in ("score", "score_low", "score_high")])
        told["mva_fits"] = headroom.verdicts(rows, need_mva)[0]
        told |= dict(zip(TOTALS, headroom.totals(scores, rows, need_mva)[:, 0].tolist(), strict=True))
    return told


def _powered(
    seeds: list[tuple[int, int, int]], power: Headroom, need_mva: float, grid: Grid, side: int
) -> list[tuple[int, int, int]]:
    """Seeds by land and power, best first; without those whose supply area is known to have too little."""
    if not seeds:
        return seeds
    points, row, column = np.array(seeds).T
    rows = power.at(grid.west + (column + 0.5) * grid.cell_m, grid.north - (row + 0.5) * grid.cell_m)
    mean = points / (side**2 * HUNDREDTHS)
    total = power.totals(np.broadcast_to(mean, (3, len(mean))), rows, need_mva)[0]
    kept = np.array(power.verdicts(rows, need_mva)) != "short"
    return [seeds[at] for at in np.argsort(-total, kind="stable") if kept[at]]


class _Surface:
    """The files of an answer, open; scores under other weights than its own are worked out."""

    def __init__(self, answer: Answer, screen: Screen | None, weight: np.ndarray | None) -> None:
        self.answer, self.screen, self.weight = answer, screen, weight

    def __enter__(self) -> _Surface:
        import rasterio

        self.score, self.code = rasterio.open(self.answer.score), rasterio.open(self.answer.code)
        return self

    def __exit__(self, *_: object) -> None:
        self.score.close()
        self.code.close()

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """(3, rows, columns) scores and codes of a window that lies on the grid."""
        if self.screen is not None and self.weight is not None:
            found = self.screen.part(window)
            return found.bands(self.weight), found.stack.code
        part = ((window.row, window.row + window.rows), (window.column, window.column + window.columns))
        return self.score.read(window=part), self.code.read(1, window=part)

    def on_grid(self, window: Window) -> Window:
        """The part of a window that lies on the grid."""
        grid = self.answer.grid
        row, column = max(window.row, 0), max(window.column, 0)
        last, end = min(window.row + window.rows, grid.rows), min(window.column + window.columns, grid.columns)
        return Window(row, column, max(last - row, 0), max(end - column, 0))


def _seeds(surface: _Surface, grid: Grid, side: int, progress: Callable[[float], None]) -> list[tuple[int, int, int]]:
    """Sum of scores of the best square of each block, row and column of its middle, best first."""
    tiles = list(grid.tiles(TILE))
    best: list[tuple[int, int, int]] = []
    for done, tile in enumerate(tiles):
        reach = surface.on_grid(Window(tile.row, tile.column, tile.rows + side - 1, tile.columns + side - 1))
        best += _best_squares(*surface.read(reach), tile, side)
        progress((done + 1) / len(tiles))
    return sorted(best, key=lambda one: (-one[0], one[1], one[2]))


def _best_squares(scores: np.ndarray, code: np.ndarray, tile: Window, side: int) -> Iterator[tuple[int, int, int]]:
    """Sum of scores of the best square in each block of a tile, and where its middle is."""
    from geo_cluster.suitability import kernels_regions

    points = np.where((code == FREE) & (scores[0] != NO_SCORE), scores[0], 0).astype(np.int64)
    if min(points.shape) < side:
        return
    best = kernels_regions.best_squares(
        points, side, tile.row % SEED_CELLS, tile.column % SEED_CELLS, tile.shape, SEED_CELLS
    )
    for total, row, column in best:
        if total > 0:
            yield int(total), tile.row + int(row) + side // 2, tile.column + int(column) + side // 2


def _grown(
    surface: _Surface, grid: Grid, seed: tuple[int, int], cells: int, side: int, compact: float
) -> dict[str, Any] | None:
    """A region from a seed; None where land runs out before the need is met."""
    from rasterio.features import shapes

    from geo_cluster.suitability import kernels_regions

    reach = math.ceil(side * REACH)
    window = surface.on_grid(Window(seed[0] - reach, seed[1] - reach, 2 * reach + 1, 2 * reach + 1))
    scores, code = surface.read(window)
    free = (code == FREE) & (scores[0] != NO_SCORE)
    row, column = seed[0] - window.row, seed[1] - window.column
    mask = kernels_regions.grow(free, scores[0], row, column, cells, compact, 100 * HUNDREDTHS, side)
    if mask.sum() < cells:
        return None
    outline = [
        shapely.geometry.shape(shape)
        for shape, _ in shapes(mask.astype(np.uint8), mask=mask, transform=grid.transform(window))
    ]
    shape = shapely.union_all(outline)
    if shape.geom_type != "Polygon":
        return None
    likely, low, high = (float(band[mask].mean()) / HUNDREDTHS for band in scores)
    return {
        "geometry": shape,
        "score": likely,
        "score_low": low,
        "score_high": high,
        "mask": mask,
        "window": window,
    }


def _described(found: list[dict[str, Any]], grid: Grid, screen: Screen | None) -> gpd.GeoDataFrame:
    """The regions as a table, ranked."""
    found = sorted(found, key=lambda one: -one["power"].get("total", one["score"]))
    shapes = np.array([one["geometry"] for one in found], dtype=object)
    frame = gpd.GeoDataFrame({"geometry": shapes}, geometry="geometry", crs=grid.crs)
    frame["rank"] = np.arange(1, len(found) + 1)
    frame["area_ha"] = shapely.area(shapes) / 1e4 if len(found) else []
    frame["land_mu"] = frame["area_ha"] * MU_PER_HA
    frame["compactness"] = 4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2 if len(found) else []
    for key in ("score", "score_low", "score_high"):
        frame[key] = [one[key] for one in found]
    halls = largest_rectangles(shapes)
    frame["hall_width_m"], frame["hall_length_m"] = halls.width_m, halls.length_m
    places = gpd.GeoSeries(shapely.point_on_surface(shapes), crs=grid.crs).to_crs(4326)
    frame["lon"], frame["lat"] = places.x, places.y
    frame = frame[[*COLUMNS, "geometry"]]
    for key in found[0]["power"] if found else ():
        frame.insert(len(frame.columns) - 1, key, [one["power"][key] for one in found])
    if screen is not None and len(found):
        means = [_means(screen, one["window"], one["mask"]) for one in found]
        for key in screen.spec.criteria:
            frame.insert(len(frame.columns) - 1, key, [one[key] for one in means])
    return frame


def _means(screen: Screen, window: Window, mask: np.ndarray) -> dict[str, float]:
    """Mean of each criterion over a region's cells, natural units; nan where some is unknown."""
    from geo_cluster.suitability import criteria

    measured = criteria.natural(screen.spec, screen.roads, screen.tile(window), mask)
    return {key: float(np.mean(one)) for key, one in measured.items()}


def over(answer: Answer, outlines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What the surface says of outlines, such as parks and parcels: each cell by the fraction that lies inside.

    Parameters
    ----------
    answer : Answer
    outlines : GeoDataFrame
        Areas, in any reference system.

    Returns
    -------
    GeoDataFrame
        As handed in, with `score` (mean likely score of its free land, nan for none) and `free_ha`.
    """
    from exactextract import exact_extract

    moved = outlines.to_crs(answer.grid.crs).reset_index(drop=True)
    found = exact_extract(str(answer.score), moved, ["mean", "count"], output="pandas")
    mean, count = (
        found[next(one for one in found if one.startswith("band_1") and key in one)] for key in ("mean", "count")
    )
    return outlines.assign(score=mean.to_numpy(float), free_ha=count.to_numpy(float) * answer.grid.cell_ha)


def around(answer: Answer, points: gpd.GeoDataFrame, metres: float = AROUND_M) -> gpd.GeoDataFrame:
    """The same of the land around points within the grid, such as listed parks, which are no more than points.

    Parameters
    ----------
    answer : Answer
    points : GeoDataFrame
        In any reference system.
    metres : float
        The land within so many counts as a point's.
    """
    west, south, east, north = answer.grid.bounds(answer.grid.whole)
    near = points.to_crs(answer.grid.crs).cx[west:east, south:north]
    near = near.set_geometry(near.geometry.buffer(metres))
    return near.assign(score=[], free_ha=[]) if near.empty else over(answer, near)


def write(found: gpd.GeoDataFrame, folder: Path) -> list[Path]:
    """Regions as GeoJSON (WGS 84) and CSV."""
    made = {"regions.geojson": found.to_crs(4326).to_json(ensure_ascii=False).encode()}
    made["regions.csv"] = spreadsheet.as_csv(pd.DataFrame(found.drop(columns="geometry")))
    for name, content in made.items():
        scratch.write(folder / name, content)
    return [folder / name for name in made]
