"""Vector tiles of all layers as one PMTiles, for the portal of an intranet; backdrop layers are left out."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
from pmtiles.reader import MemorySource, Reader, all_tiles
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.package import described
from geo_cluster.export.gis.vector import refusing_as_os

MIN_ZOOM, MAX_ZOOM = 5, 10


def tiles(layers: Iterable[GisLayer], folder: Path, *, about: str) -> bytes:
    """The layers that have rows, each tiled by GDAL, put together tile by tile.

    A tile of several layers is the tiles of each, one after the other (Mapbox Vector Tile 2.1, protobuf).

    Parameters
    ----------
    layers : iterable of GisLayer
    folder : Path
        To work in.
    about : str
        What the archive says of itself.
    """
    parts: dict[int, bytes] = {}
    told: list[dict[str, Any]] = []
    shown = [one for one in layers if one.look and not one.look.backdrop and len(one.placed)]
    pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})  # GDAL tiles in a database of its own
    for layer in shown:
        path = folder / f"{layer.name}.pmtiles"
        with refusing_as_os():
            how = {"MINZOOM": MIN_ZOOM, "MAXZOOM": MAX_ZOOM, "NAME": layer.name}
            pyogrio.write_dataframe(layer.placed, path, layer=layer.name, driver="PMTiles", **how)
        source = MemorySource(path.read_bytes())
        for place, tile in all_tiles(source):
            key = zxy_to_tileid(*place)
            parts[key] = parts.get(key, b"") + gzip.decompress(tile)
        described_as = {"description": described(layer.about)}
        told += [one | described_as for one in Reader(source).metadata()["vector_layers"]]
        path.unlink()
    bounds = np.array([one.placed.total_bounds for one in shown])
    extent = (*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0))
    return _archive(parts, extent, {"name": about, "description": about, "attribution": about, "vector_layers": told})


def _archive(parts: dict[int, bytes], extent: tuple[float, ...], about: dict[str, Any]) -> bytes:
    packed = io.BytesIO()
    writer = Writer(packed)
    for key in sorted(parts):
        writer.write_tile(key, gzip.compress(parts[key], mtime=0))
    west, south, east, north = (round(one * 1e7) for one in extent)
    header = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP, "center_zoom": 7}
    header |= {"min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north}
    header |= {"center_lon_e7": (west + east) // 2, "center_lat_e7": (south + north) // 2}
    writer.finalize(header, about)
    return packed.getvalue()
