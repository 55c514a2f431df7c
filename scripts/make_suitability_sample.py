"""Write the sample of the page 找地 (示例) under data/sample/suitability: made-up rasters and the spec that reads them.

    python scripts/make_suitability_sample.py [--out data/sample/suitability]

The rasters cover the outlines of Ezhou and Huangshi on cells of 100 m. Elevation, land cover and built-up share are
drawn with a fixed seed and say nothing of the ground there: each file's tags and the spec's name and sources say so.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import rasterio
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy.ndimage import gaussian_filter

from geo_cluster import toml
from geo_cluster.suitability.grid import Grid
from geo_cluster.world.layers import Layers

MARK = "示例，合成数据，非真实地面 / sample, synthetic data, not the real ground"
CITIES = ("420700", "420200")
CELL = 100.0
TREES, CROPS, BUILT, BARE, WATER, WETLAND, UNKNOWN = 10, 40, 50, 60, 80, 90, 0
"""Classes as WorldCover numbers them."""
SEED = 27

SPEC = """# 示例：用合成栅格演示“找地”。由 scripts/make_suitability_sample.py 生成；栅格不是真实地面，不得引用。
# Sample: synthetic rasters that show how land is found. Not the real ground; never quote it.

name = { zh = "示例：鄂州与黄石（合成数据）", en = "Sample: Ezhou and Huangshi (synthetic data)" }
anchor = "future_city"

[grid]
crs = "%(crs)s"
cell_m = 100.0
area = "cities"

[sources.cities]
layer = "prefectures"
where = { column = "code", classes = ["420700", "420200"] }
source = "图层 prefectures / layer prefectures"
licence = "见图层登记 / as registered"

[sources.water]
layer = "water"
source = "图层 water / layer water"
licence = "见图层登记 / as registered"

[sources.railways]
layer = "railways"
source = "图层 railways / layer railways"
licence = "见图层登记 / as registered"

[sources.substations]
layer = "substations"
where = { column = "coord_uncertainty_m", at_most = 5000 }
source = "图层 substations，位置误差不超过 5 公里 / layer substations, known to 5 km"
licence = "见图层登记 / as registered"

[sources.elevation]
file = "sample_elevation_100m.tif"
unit = "m"
resampling = "bilinear"
source = "%(mark)s"
licence = "CC0"

[sources.cover]
file = "sample_cover_100m.tif"
legend = [10, 40, 50, 60, 80, 90]
source = "%(mark)s"
licence = "CC0"

[sources.built]
file = "sample_built_100m.tif"
source = "%(mark)s"
licence = "CC0"

[exclusions.water]
source = "water"
buffer_m = 100
name = { zh = "河湖及岸线", en = "Rivers and lakes" }
reason = { zh = "假定；河湖管理范围以批准的划定成果为准", en = "Assumed; the approved management lines decide" }

[exclusions.wet]
source = "cover"
classes = [80, 90]
name = { zh = "水面与湿地", en = "Water and wetland" }
reason = { zh = "示例地类 80、90", en = "Sample classes 80 and 90" }

[exclusions.steep]
source = "elevation"
slope = true
above = 15.0
name = { zh = "坡度大于 15%%", en = "Slope above 15 %%" }
reason = { zh = "假定；大厂房场平的经验上限", en = "Assumed; what a large hall's ground is usually levelled from" }

[exclusions.trees]
source = "cover"
classes = [10]
name = { zh = "林地", en = "Trees" }
reason = { zh = "示例地类 10", en = "Sample class 10" }

[exclusions.built]
source = "built"
at_least = 50.0
buffer_m = 100
name = { zh = "建成区", en = "Built-up land" }
reason = { zh = "示例；建成占比 50%% 以上", en = "Sample; half or more of the cell is built" }

[exclusions.railways]
source = "railways"
buffer_m = 50
name = { zh = "铁路两侧", en = "Railways" }
reason = { zh = "假定；铁路线路安全保护区以公告为准", en = "Assumed; the announced safety zones decide" }

[criteria.rd_minutes]
like = "rd_minutes"
measure = "rd_minutes"

[criteria.supplier_access]
like = "supplier_access"
measure = "supplier_access"

[criteria.customer_access]
like = "customer_access"
measure = "customer_access"

[criteria.grid_km]
like = "grid_km"
measure = "distance_km"
source = "substations"

[criteria.slope]
measure = "slope"
source = "elevation"
worst = 15.0
best = 0.0
weight = 8
unit = { zh = "%%", en = "%%" }
name = { zh = "地面坡度", en = "Slope of the ground" }
reason = { zh = "场平土方随坡度增加", en = "Earthwork grows with the slope" }

[criteria.services]
measure = "number"
source = "built"
worst = 0.0
best = 40.0
weight = 4
unit = { zh = "%%", en = "%%" }
name = { zh = "周边建成占比", en = "Built-up share" }
reason = { zh = "示例；靠近城镇，配套较近", en = "Sample; near a town services are near" }

[need]
land_mu = 300
hall_m = [60, 120]
count = 8
spacing_km = 2
compact = 0.5
"""


def grid_of(layers: Layers, crs: str) -> tuple[Grid, np.ndarray]:
    """The grid over the cities with 2 km around, and their outlines' mask on it."""
    cities = layers.read("prefectures")
    cities = cities[cities["code"].isin(CITIES)].to_crs(crs)
    west, south, east, north = cities.total_bounds
    grid = Grid.around((west - 2000, south - 2000, east + 2000, north + 2000), crs, CELL)
    transform = from_origin(grid.west, grid.north, CELL, CELL)
    near = rasterize(cities.buffer(2000), (grid.rows, grid.columns), transform=transform)
    return grid, near == 1


def waters(layers: Layers, grid: Grid) -> np.ndarray:
    """Where the layer has a lake or a river."""
    shapes = layers.read("water").to_crs(grid.crs).buffer(80)
    shapes = shapes[shapes.intersects(shapes.union_all().envelope)]
    return rasterize(shapes, (grid.rows, grid.columns), transform=from_origin(grid.west, grid.north, CELL, CELL)) == 1


def made_up(grid: Grid, water: np.ndarray) -> dict[str, np.ndarray]:
    """Elevation (m), land cover (classes) and built-up share (%) of nothing real."""
    random = np.random.default_rng(SEED)
    shape = (grid.rows, grid.columns)

    def noise(cells: float) -> np.ndarray:
        drawn = gaussian_filter(random.standard_normal(shape), cells, mode="wrap")
        return drawn / drawn.std()

    hills = np.clip(noise(45) + 0.45 * noise(14) - 0.1, 0, None)
    near_water = gaussian_filter(water.astype(float), 8)
    height = 22 + 170 * hills**1.4 * np.clip(1 - 2 * near_water, 0, 1) + 3 * noise(9)
    height = np.round(np.where(water, 18, np.clip(height, 18, None)))
    town = np.clip(noise(20) - 1.2 - 0.6 * hills, 0, None)
    built = np.round(np.clip(90 * town + 6 * np.clip(noise(3), 0, None), 0, 100) / 5) * 5
    cover = np.full(shape, CROPS, np.uint8)
    cover[hills > 0.55] = TREES
    cover[noise(6) > 2.6] = BARE
    cover[(near_water > 0.25) & (noise(5) > 1.4)] = WETLAND
    cover[built >= 50] = BUILT
    cover[water] = WATER
    return {"elevation": height.astype(np.int16), "cover": cover, "built": built.astype(np.uint8)}


def main() -> None:
    """Write three rasters and the spec."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "data" / "sample" / "suitability")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    layers, crs = Layers(), toml.table("suitability")["grid"]["crs"]
    grid, near = grid_of(layers, crs)
    nodata = {"elevation": -9999, "cover": UNKNOWN, "built": 255}
    for name, band in made_up(grid, waters(layers, grid)).items():
        profile = {"driver": "GTiff", "dtype": band.dtype, "count": 1, "height": grid.rows, "width": grid.columns}
        profile |= {
            "crs": grid.crs,
            "transform": from_origin(grid.west, grid.north, CELL, CELL),
            "nodata": nodata[name],
        }
        profile |= {
            "compress": "DEFLATE",
            "zlevel": 9,
            "predictor": 2,
            "tiled": True,
            "blockxsize": 256,
            "blockysize": 256,
        }
        with rasterio.open(out / f"sample_{name}_100m.tif", "w", **profile) as file:
            file.write(np.where(near, band, nodata[name]).astype(band.dtype), 1)
            file.update_tags(NOTE=MARK, LICENCE="CC0", MADE_BY="scripts/make_suitability_sample.py")
    (out / "sample.toml").write_text(SPEC % {"crs": crs, "mark": MARK}, encoding="utf-8")


if __name__ == "__main__":
    main()
