"""Land anywhere on a made-up province: cells a second and memory, beside scipy and xarray-spatial on the same files.

    python benchmarks/suitability.py --million 20            all three, and whether every cell agrees
    python benchmarks/suitability.py --million 400 --alone   a province at 30 m, without the peers

Twelve exclusions (seven with buffers) and six criteria. Rasters and outlines are sums of waves and random walks: 示例.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import rasterio
import shapely
import tomli_w
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from geo_cluster import toml
from geo_cluster.suitability.criteria import NO_SCORE

CELL = 30.0
CRS = toml.table("suitability")["grid"]["crs"]
STRIP = 512
NAME = {"zh": "示例", "en": "sample"}
RULES = {
    "water": {"source": "cover", "classes": [80], "buffer_m": 100},
    "built": {"source": "cover", "classes": [50], "buffer_m": 300},
    "wetland": {"source": "cover", "classes": [90]},
    "steep": {"source": "dem", "slope": True, "above": 15},
    "high": {"source": "dem", "above": 1500},
    "farmland": {"source": "farmland", "classes": [1]},
    "redline": {"source": "redline", "classes": [1], "buffer_m": 200},
    "flood": {"source": "flood", "at_least": 1},
    "mines": {"source": "mines", "classes": [1], "buffer_m": 1000},
    "rivers": {"source": "rivers", "buffer_m": 200},
    "lakes": {"source": "lakes", "buffer_m": 500},
    "roads": {"source": "roads", "buffer_m": 50},
}
CRITERIA = {
    "stations": ("distance_km", "stations", 40.0, 2.0),
    "suppliers": ("distance_km", "suppliers", 60.0, 5.0),
    "customers": ("distance_km", "customers", 80.0, 5.0),
    "slope": ("slope", "dem", 15.0, 0.0),
    "price": ("number", "price", 40.0, 8.0),
    "height": ("number", "dem", 1500.0, 20.0),
}


def waves(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, km: float) -> np.ndarray:
    """A smooth field about 0 with hills of so many kilometres, as far as a row and a column allow."""
    out = np.zeros((len(y), len(x)), np.float32)
    for _ in range(4):
        turn, phase, size = (
            rng.uniform(0, 2 * np.pi),
            rng.uniform(0, 2 * np.pi, 2),
            2 * np.pi / (km * rng.uniform(0.5, 1.5)),
        )
        across, down = size * np.cos(turn) * x + phase[0], size * np.sin(turn) * y + phase[1]
        out += np.outer(np.sin(down), np.cos(across)).astype(np.float32)
        out += np.outer(np.cos(down), np.sin(across)).astype(np.float32)
    return out / 4


def made(folder: Path, rows: int, columns: int) -> dict[str, dict]:
    """Write rasters and outlines; their rows in a spec."""
    profile = {"driver": "GTiff", "count": 1, "height": rows, "width": columns, "crs": CRS, "tiled": True}
    profile |= {"blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1, "bigtiff": "if_safer"}
    profile |= {"transform": from_origin(0, rows * CELL, CELL, CELL)}
    kinds = {"dem": ("float32", -9999), "price": ("float32", -9999)}
    kinds |= dict.fromkeys(("cover", "farmland", "redline", "flood", "mines"), ("uint8", 255))
    files = {
        name: rasterio.open(folder / f"{name}.tif", "w", dtype=dtype, nodata=none, **profile)
        for name, (dtype, none) in kinds.items()
    }
    x = (np.arange(columns) + 0.5) * CELL / 1000
    for top in range(0, rows, STRIP):
        y = (np.arange(top, min(top + STRIP, rows)) + 0.5) * CELL / 1000

        def field(seed: int, km: float, y: np.ndarray = y) -> np.ndarray:
            return waves(np.random.default_rng(seed), x, y, km)

        height = 700 + 500 * field(1, 60) + 60 * field(2, 4)
        lie, spots = field(3, 3), field(4, 1.2)
        cover = np.select([lie > 0.75, spots > 0.85, lie < -0.9], [80, 50, 90], 40).astype(np.uint8)
        bands = {"dem": height, "price": 20 + 10 * field(5, 50), "cover": cover}
        bands |= {"farmland": field(6, 2) > 0.45, "redline": field(7, 9) > 0.7, "flood": field(8, 5) > 0.7}
        bands["mines"] = field(9, 6) > 0.8
        for name, band in bands.items():
            part = band.astype(kinds[name][0])
            part[field(10, 30) > 0.95] = kinds[name][1]
            files[name].write(part, 1, window=((top, top + len(y)), (0, columns)))
    for file in files.values():
        file.close()
    rng = np.random.default_rng(11)
    size = np.array([columns, rows]) * CELL
    km2 = rows * columns * CELL**2 / 1e6

    def walks(count: float, steps: int, stride: float) -> list:
        turn = np.cumsum(rng.normal(0, 0.3, (max(int(count), 3), steps)), axis=1) + rng.uniform(
            0, 7, (max(int(count), 3), 1)
        )
        path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], axis=2) * stride, axis=1)
        return list(shapely.linestrings(path + rng.uniform(0, 1, (len(path), 1, 2)) * size))

    def points(count: int) -> list:
        return list(shapely.points(rng.uniform(0, 1, (count, 2)) * size))

    shapes = {"rivers": walks(km2 / 600, 300, 200), "roads": walks(km2 / 150, 200, 150)}
    shapes["lakes"] = [one.buffer(rng.uniform(100, 1500)) for one in points(max(int(km2 / 300), 3))]
    shapes |= {"stations": points(40), "suppliers": points(100), "customers": points(150)}
    for name, found in shapes.items():
        gpd.GeoDataFrame(geometry=found, crs=CRS).to_file(folder / f"{name}.gpkg")
    said = {"source": "示例", "licence": "CC0"}
    return {one: {"file": f"{one}.{end}", **said} for end, names in (("tif", kinds), ("gpkg", shapes)) for one in names}


def spec_of(folder: Path, rows: int, columns: int) -> Path:
    """The files and the spec of a province."""
    row = {
        "name": NAME,
        "grid": {"crs": CRS, "cell_m": CELL, "bounds": [0.0, 0.0, columns * CELL, rows * CELL]},
        "sources": made(folder, rows, columns),
        "exclusions": {key: {**rule, "name": NAME} for key, rule in RULES.items()},
        "criteria": {
            key: {"measure": measure, "source": source, "worst": worst, "best": best, "weight": 1.0, "name": NAME}
            | {"unit": {"zh": "公里", "en": "km"}}
            for key, (measure, source, worst, best) in CRITERIA.items()
        },
        "need": {"land_mu": 300, "hall_m": [60, 120]},
    }
    (folder / "spec.toml").write_text(tomli_w.dumps(row), encoding="utf-8")
    return folder / "spec.toml"


class Tools(NamedTuple):
    """What a peer does a step with."""

    slope: Callable[[np.ndarray], np.ndarray]
    """Percent, of elevations with nan."""
    metres: Callable[[np.ndarray], np.ndarray]
    """From the nearest cell of a mask."""
    km: Callable[[np.ndarray, np.ndarray], np.ndarray]
    """From the nearest of some places, at free cells."""


def _horn(z: np.ndarray) -> np.ndarray:
    shape, z = z.shape, np.pad(z.astype(float), 1, constant_values=np.nan)
    a, b, c, d, f, g, h, i = (
        z[top : top + shape[0], left : left + shape[1]]
        for top, left in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2))
    )
    east, north = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * CELL), ((a + 2 * b + c) - (g + 2 * h + i)) / (8 * CELL)
    slope = (100 * np.hypot(east, north)).astype(np.float32)
    slope[np.isnan(z[1:-1, 1:-1])] = np.nan
    return slope


def _to_places(free: np.ndarray, places: np.ndarray) -> np.ndarray:
    y, x = np.nonzero(free)
    at = np.column_stack([(x + 0.5) * CELL, (free.shape[0] - y - 0.5) * CELL])
    return cKDTree(places).query(at)[0] / 1000


def scipy_tools() -> Tools:
    """By scipy: exact distances to places."""
    return Tools(_horn, lambda mask: distance_transform_edt(~mask) * CELL, _to_places)


def xarray_tools() -> Tools:
    """By xarray-spatial: distances run from the cells that places lie in."""
    import xarray
    import xrspatial

    def raster(band: np.ndarray) -> xarray.DataArray:
        rows, columns = band.shape
        y, x = (rows - np.arange(rows) - 0.5) * CELL, (np.arange(columns) + 0.5) * CELL
        return xarray.DataArray(band, {"y": y, "x": x}, ("y", "x"), attrs={"res": (CELL, CELL)})

    def slope(z: np.ndarray) -> np.ndarray:
        degrees = xrspatial.slope(raster(z)).to_numpy()
        return 100 * np.tan(np.radians(degrees))

    def metres(mask: np.ndarray) -> np.ndarray:
        return xrspatial.proximity(raster(mask.astype(np.float32))).to_numpy()

    def km(free: np.ndarray, places: np.ndarray) -> np.ndarray:
        cells = np.zeros(free.shape, bool)
        cells[(free.shape[0] - places[:, 1] / CELL).astype(int), (places[:, 0] / CELL).astype(int)] = True
        return metres(cells)[free] / 1000

    return Tools(slope, metres, km)


def plain(folder: Path, tools: Tools) -> tuple[np.ndarray, np.ndarray]:
    """The same with a peer's tools: what is free, and the score."""
    grids, known = {}, {}
    for name in ("dem", "price", "cover", "farmland", "redline", "flood", "mines"):
        with rasterio.open(folder / f"{name}.tif") as file:
            band = file.read(1)
            known[name], grids[name] = band != file.nodata, band
            shape, transform = band.shape, file.transform
    slope = tools.slope(np.where(known["dem"], grids["dem"], np.float32(np.nan)))
    free = np.ones(shape, bool)
    for rule in RULES.values():
        buffer = rule.get("buffer_m", 0)
        if rule["source"] in ("rivers", "lakes", "roads"):
            outlines = gpd.read_file(folder / f"{rule['source']}.gpkg").buffer(buffer, quad_segs=30)
            free &= rasterize(outlines, shape, transform=transform) == 0
            continue
        values, there = grids[rule["source"]], known[rule["source"]]
        if rule.get("slope"):
            values, there = slope, ~np.isnan(slope)
        taken = np.isin(values, rule.get("classes", []))
        taken |= values > rule["above"] if "above" in rule else False
        taken |= values >= rule["at_least"] if "at_least" in rule else False
        taken &= there
        closed = taken | ~there
        free &= tools.metres(closed) > buffer if buffer else ~closed
    score = np.zeros(int(free.sum()))
    for measure, source, worst, best in CRITERIA.values():
        if measure == "distance_km":
            places = shapely.get_coordinates(gpd.read_file(folder / f"{source}.gpkg").geometry.to_numpy())
            natural = tools.km(free, places)
        else:
            natural = (slope if measure == "slope" else grids[source])[free].astype(float)
        score += np.clip((natural - worst) / (best - worst), 0, 1) * 100 / len(CRITERIA)
    out = np.full(shape, np.nan)
    out[free] = score
    points = np.full(shape, 65535, np.uint16)
    points[free] = np.round(score * 100)
    profile = {"driver": "COG", "dtype": "uint16", "count": 1, "nodata": 65535, "crs": CRS, "transform": transform}
    with rasterio.open(
        folder / "plain.tif", "w", height=shape[0], width=shape[1], compress="DEFLATE", level=1, predictor=2, **profile
    ) as file:
        file.write(points, 1)
    return free, out


def ours(spec: Path, out: Path) -> dict:
    """Run it in a process of its own, for its memory."""
    code = (
        "import sys, time, json, resource; from pathlib import Path;"
        "from geo_cluster.suitability import run, screen, spec, regions;"
        "at = time.perf_counter(), time.process_time(); ready = screen.ready(spec.read(sys.argv[1]));"
        "a = run.run(ready, Path(sys.argv[2])); ran = time.perf_counter() - at[0], time.process_time() - at[1];"
        "at = time.perf_counter(); r = regions.find(a, ready.spec.need); "
        "print(json.dumps({'seconds': ran[0], 'cpu_s': ran[1], 'regions_s': time.perf_counter() - at,"
        "'free_pct': a.free_pct, 'peak_gb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(spec), str(out)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", type=float, default=10.0, help="cells")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    asked = parser.parse_args()
    rows = round((asked.million * 1e6 / 1.6) ** 0.5)
    columns = round(asked.million * 1e6 / rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = spec_of(folder, rows, columns)
        warm = Path(name) / "warm"
        warm.mkdir()
        ours(spec_of(warm, 200, 300), warm / "out")  # compiled before the clock runs
        told = ours(spec, folder / "out")
        cells = rows * columns
        print(f"{rows} x {columns} = {cells / 1e6:.1f} million cells, free {told['free_pct']:.2f} %")
        print(
            f"{'ours':15s} {told['seconds']:7.1f} s  {cells / told['seconds'] / 1e6:6.2f} million cells/s  "
            f"CPU {told['cpu_s']:.1f} s, {told['cpu_s'] / cells * 1e8:.1f} s a 100 million cells; "
            f"peak {told['peak_gb']:.2f} GB, regions {told['regions_s']:.1f} s"
        )
        if asked.alone:
            return
        with rasterio.open(folder / "out" / "score.tif") as file:
            got = file.read(1)
        for name, tools in (("scipy", scipy_tools()), ("xarray-spatial", xarray_tools())):
            plain(warm, tools)  # compiled before the clock runs
            wall, cpu = time.perf_counter(), time.process_time()
            free, score = plain(folder, tools)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(
                f"{name:15s} {wall:7.1f} s  {cells / wall / 1e6:6.2f} million cells/s  CPU {cpu:.1f} s: "
                f"{wall / told['seconds']:.1f} times our time, {cpu / told['cpu_s']:.1f} times our CPU time"
            )
            apart = (got != NO_SCORE) != free
            off = np.abs(got[free & ~apart] / 100 - score[free & ~apart])
            print(
                f"cells that differ: {int(apart.sum())}; scores differ by at most {off.max():.4f} points, "
                f"{off.mean():.4f} on average"
            )


if __name__ == "__main__":
    main()
