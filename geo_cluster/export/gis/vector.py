"""A ZIP of one file a layer: Shapefile in GBK, GeoJSON (RFC 7946), FlatGeobuf, GeoParquet 1.1."""

from __future__ import annotations

import contextlib
import errno
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from geo_cluster.archive import archived
from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.package import described

MOST_BYTES = 254
"""So many bytes a text of a DBF holds at most."""
_DASHES = str.maketrans("−‑", "--")


def _shapefiles(layers: Iterable[GisLayer], folder: Path, *, crs: str) -> None:
    """Write a Shapefile a layer into a folder: names of fields as `GisLayer.short`, texts that GBK has."""
    for layer in layers:
        frame = layer.placed.to_crs(crs)
        texts = [field for field in layer.fields if layer.kind_of(field) == "text"]
        frame = frame.assign(**{field: frame[field].map(gbk, na_action="ignore") for field in texts})
        frame = frame.rename(columns=layer.short())
        _write(frame, folder / f"{layer.name}.shp", layer, driver="ESRI Shapefile", encoding="GBK")


def _geojson(layers: Iterable[GisLayer], folder: Path, *, crs: str) -> None:  # noqa: ARG001
    """Write a GeoJSON a layer into a folder, in WGS84 whatever is asked: RFC 7946 knows no other."""
    for layer in layers:
        how = {"RFC7946": "YES", "DESCRIPTION": described(layer.about), "ID_GENERATE": "NO"}
        _write(layer.placed, folder / f"{layer.name}.geojson", layer, driver="GeoJSON", layer_options=how)


def _flatgeobuf(layers: Iterable[GisLayer], folder: Path, *, crs: str) -> None:
    """Write a FlatGeobuf a layer into a folder."""
    for layer in layers:
        how = {"TITLE": layer.title, "DESCRIPTION": described(layer.about)}
        frame = layer.placed.to_crs(crs)
        _write(frame, folder / f"{layer.name}.fgb", layer, driver="FlatGeobuf", layer_options=how)


def _geoparquet(layers: Iterable[GisLayer], folder: Path, *, crs: str) -> None:
    """Write a GeoParquet 1.1 a layer into a folder, with a bounding box a row; what it is is in `PANDAS_ATTRS`."""
    for layer in layers:
        frame = layer.placed.to_crs(crs)
        frame.attrs = {"title": layer.title, **layer.about}
        path = folder / f"{layer.name}.parquet"
        frame.to_parquet(path, index=False, write_covering_bbox=True, schema_version="1.1.0")


MAKERS: dict[str, Callable[..., None]] = {
    "shp": _shapefiles,
    "geojson": _geojson,
    "fgb": _flatgeobuf,
    "parquet": _geoparquet,
}
"""Format -> what writes layers into a folder in a system: `(layers, folder, crs=)`."""


def gbk(text: str) -> str:
    """The text as a DBF in GBK can hold it: what GBK lacks by what it stands for or `?`, cut at 254 bytes.

    >>> gbk("12 m²"), len(gbk("长" * 200).encode("gbk"))
    ('12 m2', 254)
    """
    plain = text.translate(_DASHES)
    try:
        found = plain.encode("gbk")
    except UnicodeEncodeError:
        found = unicodedata.normalize("NFKC", plain).encode("gbk", "replace")
    if len(found) <= MOST_BYTES:
        return found.decode("gbk")
    return found[: MOST_BYTES - 2].decode("gbk", "ignore") + "…"


def zip_of(folder: Path) -> bytes:
    """The files of a folder as one ZIP, by name."""
    return archived({path.name: path.read_bytes() for path in sorted(folder.iterdir())})


@contextlib.contextmanager
def refusing_as_os() -> Iterator[None]:
    """Make what GDAL says of files it can't write an `OSError`."""
    try:
        yield
    except (DataSourceError, DataLayerError, FeatureError) as problem:
        raise OSError(errno.EIO, str(problem)) from problem


def _write(frame: gpd.GeoDataFrame, path: Path, layer: GisLayer, *, driver: str, **how: object) -> None:
    with refusing_as_os(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # an empty layer is meant
        pyogrio.write_dataframe(frame, path, driver=driver, geometry_type=layer.shapes, **how)


def dictionary(layers: Iterable[GisLayer]) -> pd.DataFrame:
    """One row a field: `layer`, `title`, `field`, `shapefile`, `name`, `type`."""
    rows = [
        (layer.name, layer.title, field, short if layer.look else "", layer.titles[field], layer.kind_of(field))
        for layer in layers
        for field, short in layer.short().items()
    ]
    return pd.DataFrame(rows, columns=["layer", "title", "field", "shapefile", "name", "type"])


def inventory(layers: Iterable[GisLayer]) -> pd.DataFrame:
    """One row a layer: what it is, how many rows, how many of them without a place, and where it comes from."""
    keys = ("abstract", "publishers", "as_of", "source", "licence", "attribution", "notice", "rules_notice", "review")
    rows = []
    for layer in layers:
        adrift = len(layer.frame) - len(layer.placed) if isinstance(layer.frame, gpd.GeoDataFrame) else 0
        told = {"layer": layer.name, "title": layer.title, "shapes": layer.shapes, "rows": len(layer.frame)}
        rows.append(told | {"adrift": adrift} | {key: layer.about.get(key, "") for key in keys})
    return pd.DataFrame(rows)
