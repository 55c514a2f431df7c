"""The surfaces as files: tiles that are done, joined into cloud-optimised GeoTIFFs with overviews."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from geo_cluster.suitability import exclusions
from geo_cluster.suitability.criteria import HUNDREDTHS, NO_SCORE
from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.suitability.screen import Screen
from geo_cluster.suitability.spec import Spec
from geo_cluster.world.layers import Layers

SCORE, CODE = "score.tif", "exclusions.tif"
BANDS = ("likely", "low", "high")
BLOCK = 512
KIND = {SCORE: ("UInt16", "<u2", len(BANDS)), CODE: ("Byte", "u1", 1)}
"""Type of the numbers as GDAL and numpy call it, and how many of a cell."""
STRIP = 1024
"""Rows of which a part of an overview is made at a time."""


def write_tile(work: Path, name: str, grid: Grid, window: Window, bands: np.ndarray) -> None:
    """Put a tile into its places of a file of plain numbers, cell by cell.

    Parameters
    ----------
    work : Path
        Folder of the file.
    name : str
        Of the surface, a key of `KIND`.
    grid : Grid
    window : Window
        Which rows and columns of the grid.
    bands : (bands, rows, columns) array
    """
    rows = np.ascontiguousarray(np.moveaxis(bands, 0, 2), KIND[name][1])
    cell = rows[:1, :1].nbytes
    path = work / f"{name}.0"
    path.touch()
    with path.open("r+b", buffering=0) as file:  # mapped into memory, a full disk would end the process
        for at, row in enumerate(rows, start=window.row):
            file.seek((at * grid.columns + window.column) * cell)
            if file.write(row.data) != row.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def assemble(screen: Screen, work: Path, name: str) -> None:
    """A cloud-optimised GeoTIFF with overviews of all tiles in the work folder.

    Parameters
    ----------
    screen : Screen
    work : Path
    name : str
        `SCORE` or `CODE`.
    """
    import rasterio
    import rasterio.shutil

    sizes = [(screen.grid.rows, screen.grid.columns)]
    while max(sizes[-1]) > BLOCK:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        _halve(work, name, len(sizes) - 1, sizes[-2])
    for level, size in reversed(list(enumerate(sizes))):
        rest = range(1, len(sizes)) if level == 0 else ()
        (work / f"{name}.{level}.vrt").write_text(_described(screen, name, level, size, rest), encoding="utf-8")
    options = {"compress": "DEFLATE", "level": "1", "predictor": "2", "blocksize": str(BLOCK), "bigtiff": "IF_SAFER"}
    try:
        with rasterio.Env(GDAL_PAM_ENABLED="NO", GDAL_NUM_THREADS="ALL_CPUS"):
            rasterio.shutil.copy(str(work / f"{name}.0.vrt"), str(work / name), driver="COG", **options)
    except Exception as problem:  # errors of every kind, which don't say why: all but always the disk is full
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from problem


def _halve(work: Path, name: str, level: int, size: tuple[int, int]) -> None:
    """Write an overview, half the one before it: scores are means, exclusions those of the north-west cell of four."""
    from geo_cluster.suitability import kernels_scores

    _, kind, count = KIND[name]
    with (work / f"{name}.{level - 1}").open("rb") as source, (work / f"{name}.{level}").open("wb") as file:
        for top in range(0, size[0], STRIP):
            part = np.fromfile(source, kind, min(STRIP, size[0] - top) * size[1] * count).reshape(-1, size[1], count)
            half = part[::2, ::2] if name == CODE else kernels_scores.halved(part, NO_SCORE)
            file.write(np.ascontiguousarray(half).data)


def _described(screen: Screen, name: str, level: int, size: tuple[int, int], overviews: Iterable[int]) -> str:
    """What GDAL has to know of a file of plain numbers."""
    import rasterio.crs

    grid, (kind, numpy_kind, count) = screen.grid, KIND[name]
    crs, cell, bytes_ = rasterio.crs.CRS.from_user_input(grid.crs).to_wkt(), grid.cell_m * 2**level, int(numpy_kind[-1])
    lines = [f'<VRTDataset rasterXSize="{size[1]}" rasterYSize="{size[0]}"><SRS>{escape(crs)}</SRS>']
    lines.append(f"<GeoTransform>{grid.west!r}, {cell!r}, 0, {grid.north!r}, 0, {-cell!r}</GeoTransform>")
    lines.append(f"<Metadata>{_tags(screen, name)}</Metadata>")
    for band, title in enumerate(BANDS if name == SCORE else ("exclusion",), start=1):
        lines.append(f'<VRTRasterBand dataType="{kind}" band="{band}" subClass="VRTRawRasterBand">')
        lines.append(f"<Description>{title}</Description>")
        lines.append(f"<NoDataValue>{NO_SCORE if name == SCORE else exclusions.OUTSIDE}</NoDataValue>")
        lines.append(f"<Scale>{1 / HUNDREDTHS}</Scale>" if name == SCORE else "")
        lines.append(f'<SourceFilename relativeToVRT="1">{name}.{level}</SourceFilename>')
        lines.append(f"<ImageOffset>{(band - 1) * bytes_}</ImageOffset><PixelOffset>{count * bytes_}</PixelOffset>")
        lines.append(f"<LineOffset>{size[1] * count * bytes_}</LineOffset>")
        lines.append("<ByteOrder>LSB</ByteOrder>")
        lines += [
            f'<Overview><SourceFilename relativeToVRT="1">{name}.{one}.vrt</SourceFilename>'
            f"<SourceBand>{band}</SourceBand></Overview>"
            for one in overviews
        ]
        lines.append("</VRTRasterBand>")
    return "\n".join([*lines, "</VRTDataset>"])


def _tags(screen: Screen, name: str) -> str:
    """What the file says of itself: whose data it is made of, and what its numbers mean."""
    made_by = "; ".join(f"{key}: {row['source']} ({row['licence']})" for key, row in owed(screen.spec).items())
    tags = {"SOURCES": made_by, "NAME": screen.spec.name.zh}
    if name == CODE:
        tags |= {f"CODE_{at}": rule.name.zh for at, rule in enumerate(screen.spec.exclusions.values(), start=1)}
        tags |= {"CODE_0": "可用", f"CODE_{exclusions.UNKNOWN}": "未知"}
    return "".join(f'<MDI key="{key}">{escape(value)}</MDI>' for key, value in tags.items())


def owed(spec: Spec) -> dict[str, dict[str, str]]:
    """Who made each source that is used, and under what licence."""
    registry = Layers(spec.layers).registry
    owed = {}
    for name, row in spec.sources.items():
        owed[name] = {"source": row.source, "licence": row.licence}
        if row.layer:
            owed[name] |= {"attribution": registry[row.layer].attribution_zh, "licence": registry[row.layer].licence}
    return owed
