"""A screening as it stays with a work: small enough to travel with its layers, for maps and papers, not for answers.

Beside the layers that have its regions as sites lies one file: the surface in half points on at most 4 million cells,
the regions, what the land around listed parks is worth, and whose data it is. The last screening counts.
"""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from geo_cluster import scratch
from geo_cluster.archive import archived
from geo_cluster.errors import DataError, Fault
from geo_cluster.suitability import surfaces
from geo_cluster.suitability.criteria import HUNDREDTHS, NO_SCORE
from geo_cluster.suitability.grid import Grid
from geo_cluster.suitability.headroom import county_of
from geo_cluster.suitability.run import Answer
from geo_cluster.suitability.spec import Spec
from geo_cluster.world.layers import Layers

FILE = "screening.zip"
"""Name of the file beside the layers' registry."""
FORM = 1
MOST_CELLS = 4_000_000
HALF = HUNDREDTHS // 2
NONE = 255
"""In half points: no score."""
ABOUT, CODE, POINTS = "about.json", "code", "half_points"


@dataclass(frozen=True, eq=False)
class Kept:
    """A screening that was kept.

    Parameters
    ----------
    grid : Grid
        Of the surface as it was kept: cells of the screening, or larger ones.
    code : (rows, columns) uint8
        Of the exclusions.
    likely : (rows, columns) uint16
        Score in hundredths, rounded down to half points; `NO_SCORE` for none.
    regions : GeoDataFrame
        As `regions.find` gave them, in degrees, with `county_zh`, `county_en` and, of those that became one, `site`.
    about : dict
        `name`, `day`, `cell_m`, `crs`, `cells`, `free`, `unknown`, `rules`, `sources`, `need`, `parks` (id and score).
    """

    grid: Grid
    code: np.ndarray
    likely: np.ndarray
    regions: gpd.GeoDataFrame
    about: dict[str, Any]

    @property
    def is_sample(self) -> bool:
        """Whether the screening, or a source of it, is made up (示例)."""
        said = [self.about["name"]["zh"], *(row["source"] for row in self.about["sources"].values())]
        return any("示例" in one for one in said)

    @property
    def free_share(self) -> float:
        """Share of the area that no rule takes."""
        return float(self.about["free"]) / max(self.about["cells"], 1)


def keep(
    answer: Answer, spec: Spec, regions: gpd.GeoDataFrame, folder: Path, *, sites: Sequence[str], parks: pd.DataFrame
) -> Path:
    """Put a finished screening beside the layers that have its regions as sites.

    Parameters
    ----------
    answer : Answer
    spec : Spec
        That it is of.
    regions : GeoDataFrame
        All that were found, numbered in this order.
    folder : Path
        With a registry of layers.
    sites : sequence of str
        Id of the site that each region became, '' for those that didn't.
    parks : DataFrame
        `id` and `score` of listed parks, the score nan where there is no free land around.
    """
    level = 0
    while -(-answer.grid.rows >> level) * -(-answer.grid.columns >> level) > MOST_CELLS:
        level += 1
    code, likely = _read(answer.code, level), _read(answer.score, level)
    half = np.where(likely == NO_SCORE, NONE, likely // HALF).astype(np.uint8)
    county = county_of(Layers(folder), regions["lon"].to_numpy(), regions["lat"].to_numpy())
    number = np.arange(1, len(regions) + 1)  # those of several needs have the same ranks
    named = regions.assign(
        rank=number, site=list(sites), county_zh=county["name_zh"].to_numpy(), county_en=county["name_en"]
    )
    about = {
        "form": FORM,
        "name": spec.name.model_dump(),
        "day": datetime.date.today().isoformat(),
        "grid": vars(answer.grid)
        | {"cell_m": answer.grid.cell_m * 2**level, "rows": len(code), "columns": len(code.T)},
        "cell_m": answer.grid.cell_m,
        "cells": answer.cells,
        "free": answer.free,
        "unknown": answer.unknown,
        "crs": _crs_name(answer.grid.crs),
        "rules": [rule.name.model_dump() for rule in spec.exclusions.values()],
        "sources": {
            key: row | {"layer": spec.sources[key].layer}
            for key, row in surfaces.owed(spec).items()
            if key in spec.used
        },
        "need": spec.need.model_dump(mode="json"),
        "parks": [
            {"id": str(row.id), "score": None if np.isnan(row.score) else round(float(row.score), 2)}
            for row in parks.itertuples()
        ],
        "regions": json.loads(named.to_crs(4326).to_json(drop_id=True)),
    }
    said = json.dumps(about, ensure_ascii=False, allow_nan=False).encode()
    scratch.write(folder / FILE, archived({ABOUT: said, CODE: code.tobytes(), POINTS: half.tobytes()}))
    return folder / FILE


def _crs_name(crs: str) -> str:
    """EPSG code of a reference system, or what its projection is called."""
    found = pyproj.CRS.from_user_input(crs)
    code = found.to_epsg()
    operation = found.coordinate_operation
    return f"EPSG:{code}" if code else operation.method_name if operation else found.name


def _read(path: Path, level: int) -> np.ndarray:
    """The first band of a surface, or of its overview of this level."""
    import rasterio

    with rasterio.open(path, **({"overview_level": level - 1} if level else {})) as file:
        return np.asarray(file.read(1))


def opened(folder: str | Path) -> Kept | None:
    """The screening that is kept beside layers; None where there is none.

    Raises
    ------
    DataError
        The file is none that was written by `keep`.
    """
    path = Path(folder) / FILE
    if not str(folder) or not path.is_file():
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as file:
            about = json.loads(_part(file, ABOUT, 4 * MOST_CELLS))
            grid = Grid(**about.pop("grid"))
            shape = grid.rows, grid.columns
            code, half = (_plain(_part(file, name, MOST_CELLS), shape) for name in (CODE, POINTS))
        regions = gpd.GeoDataFrame.from_features(about.pop("regions"), crs=4326)
        if about["form"] != FORM:
            raise ValueError
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, OSError):
        raise DataError(Fault("suitability.kept_damaged", path)) from None
    likely = np.where(half == NONE, NO_SCORE, half.astype(np.uint16) * HALF).astype(np.uint16)
    return Kept(grid, code, likely, regions, about)


def _part(file: zipfile.ZipFile, name: str, most: int) -> bytes:
    if file.getinfo(name).file_size > most:
        raise ValueError(name)
    return file.read(name)


def _plain(content: bytes, shape: tuple[int, int]) -> np.ndarray:
    return np.frombuffer(content, np.uint8).reshape(shape)
