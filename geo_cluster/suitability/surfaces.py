"""The surfaces as files: tiles that are done, joined into cloud-optimised GeoTIFFs with overviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any
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
STRIP = 2 * BLOCK
"""Rows that are read at a time to make the next overview."""


def write_tile(path: Path, grid: Grid, window: Window, bands: np.ndarray) -> None:
    """Write the (bands, rows, columns) of a tile as they are."""
    import rasterio

    with rasterio.open(
        path, "w", **_raw(bands.shape, bands.dtype), crs=grid.crs, transform=grid.transform(window)
    ) as file:
        file.write(bands)


def _raw(shape: tuple[int, ...], dtype: Any) -> dict[str, Any]:
    """Profile of a file on the way: not compressed, band by band."""
    profile = {"driver": "GTiff", "dtype": dtype, "count": shape[0], "height": shape[1], "width": shape[2]}
    return profile | {
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "interleave": "band",
        "bigtiff": "if_safer",
    }


def assemble(screen: Screen, work: Path, windows: list[Window], name: str) -> None:
    """One cloud-optimised GeoTIFF of all tiles in the work folder, through a virtual mosaic with its overviews.

    Parameters
    ----------
    screen : Screen
    work : Path
    windows : list of Window
    name : str
        `SCORE` or `CODE`.
    """
    import rasterio
    import rasterio.shutil

    mosaic = work / f"{name}.vrt"
    options = {"compress": "DEFLATE", "level": "1", "predictor": "2", "blocksize": str(BLOCK), "bigtiff": "IF_SAFER"}
    with rasterio.Env(GDAL_PAM_ENABLED="NO", GDAL_NUM_THREADS="ALL_CPUS"):
        mosaic.write_text(_mosaic(screen, windows, name, 0), encoding="utf-8")
        levels = _overviews(mosaic, work, name)
        mosaic.write_text(_mosaic(screen, windows, name, levels), encoding="utf-8")
        rasterio.shutil.copy(str(mosaic), str(work / name), driver="COG", num_threads="ALL_CPUS", **options)


def _overviews(mosaic: Path, work: Path, name: str) -> int:
    """Write each overview beside the mosaic, half the one before it; how many there are.

    Scores are the mean of the cells that have one, exclusions those of the north-west cell of four.
    """
    import rasterio
    from affine import Affine

    from geo_cluster.suitability import kernels_scores

    above, level = mosaic, 0
    while True:
        with rasterio.open(above) as source:
            rows, columns = source.height, source.width
            if max(rows, columns) <= BLOCK:
                return level
            level += 1
            below = work / f"{name}.{level}.tif"
            shape = (source.count, (rows + 1) // 2, (columns + 1) // 2)
            place = {"crs": source.crs, "transform": source.transform @ Affine.scale(2)}
            with rasterio.open(below, "w", **_raw(shape, source.dtypes[0]), **place) as file:
                for top in range(0, rows, STRIP):
                    bands = source.read(window=((top, min(top + STRIP, rows)), (0, columns)))
                    half = bands[:, ::2, ::2] if name == CODE else kernels_scores.halved(bands, NO_SCORE)
                    file.write(half, window=((top // 2, top // 2 + half.shape[1]), (0, half.shape[2])))
        above = below


def _mosaic(screen: Screen, windows: list[Window], name: str, levels: int) -> str:
    """The virtual mosaic of the tiles of one file."""
    import rasterio.crs

    grid = screen.grid
    crs = rasterio.crs.CRS.from_user_input(grid.crs).to_wkt()
    lines = [f'<VRTDataset rasterXSize="{grid.columns}" rasterYSize="{grid.rows}"><SRS>{escape(crs)}</SRS>']
    lines.append(f"<GeoTransform>{grid.west!r}, {grid.cell_m!r}, 0, {grid.north!r}, 0, {-grid.cell_m!r}</GeoTransform>")
    lines.append(f"<Metadata>{_tags(screen, name)}</Metadata>")
    for band, title in enumerate(BANDS if name == SCORE else ("exclusion",), start=1):
        kind, none = ("UInt16", NO_SCORE) if name == SCORE else ("Byte", exclusions.OUTSIDE)
        lines.append(f'<VRTRasterBand dataType="{kind}" band="{band}"><Description>{title}</Description>')
        lines.append(f"<NoDataValue>{none}</NoDataValue>")
        lines.append(f"<Scale>{1 / HUNDREDTHS}</Scale>" if name == SCORE else "")
        for one in windows:
            size = f'xSize="{one.columns}" ySize="{one.rows}"'
            lines.append(
                f'<SimpleSource><SourceFilename relativeToVRT="1">{one}.{name}</SourceFilename>'
                f'<SourceBand>{band}</SourceBand><SrcRect xOff="0" yOff="0" {size}/>'
                f'<DstRect xOff="{one.column}" yOff="{one.row}" {size}/></SimpleSource>'
            )
        lines += [
            f'<Overview><SourceFilename relativeToVRT="1">{name}.{level}.tif</SourceFilename>'
            f"<SourceBand>{band}</SourceBand></Overview>"
            for level in range(1, levels + 1)
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
