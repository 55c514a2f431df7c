"""A layer as it leaves: rows in WGS84, what its fields are called, how it looks, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.export.gis.look import Kind, Look

SHORT = 10
"""Characters that the name of a field of a Shapefile has at most."""
SHAPES: Mapping[Kind, str] = {"point": "Point", "line": "MultiLineString", "area": "MultiPolygon"}
_MULTIPOINT = 4
_DIMENSION: Mapping[int, Kind] = {0: "point", 1: "line", 2: "area"}


@dataclass(frozen=True, eq=False)
class GisLayer:
    """One layer, or one table where `look` is None.

    Attributes
    ----------
    name, title, group : str
        ASCII, for tables and files; for people; of the group that people find it under.
    frame : DataFrame or GeoDataFrame
        Its rows, WGS84; texts, numbers and whole numbers, and nothing else. Rows without a place have no geometry.
    titles : dict of str
        Field -> what it is called in the language; no two alike.
    about : dict of str
        `abstract`, `publishers`, `as_of`, `licence`, `attribution`, `notice`, ... in the language.
    look : Look or None
    """

    name: str
    title: str
    group: str
    frame: pd.DataFrame
    titles: Mapping[str, str]
    about: Mapping[str, str]
    look: Look | None = None

    @property
    def fields(self) -> list[str]:
        """Its columns but the geometry."""
        return list(self.titles)

    @property
    def placed(self) -> gpd.GeoDataFrame:
        """The rows that have a place."""
        frame = self.frame
        return frame[frame.geometry.notna() & ~frame.geometry.is_empty]

    @property
    def shapes(self) -> str:
        """What its geometries are, as OGC names them; '' of a table."""
        return SHAPES[self.look.kind] if self.look else ""

    def short(self) -> dict[str, str]:
        """Field -> its name in a Shapefile."""
        return short_names(self.fields)

    def kind_of(self, field: str) -> str:
        """`text`, `number` or `integer`."""
        kind = self.frame[field].dtype
        return (
            "integer"
            if pd.api.types.is_integer_dtype(kind)
            else "number"
            if pd.api.types.is_float_dtype(kind)
            else "text"
        )


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Names of ASCII and at most ten characters, no two alike whatever their case.

    >>> short_names(["name_zh", "coord_uncertainty_m", "coord_uncertainty_km", "面积"])
    {'name_zh': 'name_zh', 'coord_uncertainty_m': 'coord_unce', 'coord_uncertainty_km': 'coord_unc2', '面积': 'field'}
    """
    found: dict[str, str] = {}
    for name in names:
        plain = "".join(one for one in name if one.isascii() and (one.isalnum() or one == "_")).strip("_") or "field"
        short, number = plain[:SHORT], 1
        while short.lower() in {one.lower() for one in found.values()}:
            number += 1
            short = f"{plain[: SHORT - len(str(number))]}{number}"
        found[name] = short
    return found


def plain_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with columns that every format takes: text (None for nothing), float64, int64."""
    found = frame.copy()
    for name in found.columns:
        if isinstance(found, gpd.GeoDataFrame) and name == found.geometry.name:
            continue
        column = found[name]
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_integer_dtype(column):
            found[name] = column.astype("int64") if not column.isna().any() else column.astype("float64")
        elif pd.api.types.is_float_dtype(column):
            found[name] = column.astype("float64").replace([np.inf, -np.inf], np.nan)
        else:
            texts = [None if one is None or one is pd.NA or one != one else str(one) for one in column]
            found[name] = pd.Series([one or None for one in texts], index=found.index, dtype=object)
    return found


def by_kind(frame: gpd.GeoDataFrame) -> Iterator[tuple[Kind, gpd.GeoDataFrame]]:
    """The rows by their kind of shapes, lines and areas as multi-parts; rows without a place are with the first kind.

    A frame without any shape has points.
    """
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    dimension = shapely.get_dimensions(shapes)  # -1 where there is none
    present = [one for one in _DIMENSION if (dimension == one).any()] or [0]
    for one in present:
        rows = (dimension == one) | ((dimension < 0) & (one == present[0]))
        part, own = frame[rows].copy(), shapes[rows]
        own = _multi(own, one) if one else own
        part = part.set_geometry(gpd.GeoSeries(own, index=part.index, crs=frame.crs))
        several = shapely.get_type_id(own) == _MULTIPOINT
        if several.any():
            part = pd.concat([part[~several], part[several].explode(index_parts=False)]).sort_index(kind="stable")
        yield _DIMENSION[one], part


def _multi(shapes: np.ndarray, dimension: int) -> np.ndarray:
    build = shapely.multilinestrings if dimension == 1 else shapely.multipolygons
    found = np.full(len(shapes), None, dtype=object)
    for at, shape in enumerate(shapes):
        if shape is not None:
            parts = shapely.get_parts(shape)
            found[at] = build(parts[shapely.get_dimensions(parts) == dimension])
    return found


def unlike(titles: Mapping[str, str]) -> dict[str, str]:
    """The titles of fields, those that several fields share with the field's name behind."""
    count = pd.Series(titles, dtype=object).value_counts()
    return {key: title if count[title] == 1 else f"{title} [{key}]" for key, title in titles.items()}
