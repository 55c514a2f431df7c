"""Write the sample data pack (示例) under data/sample: two made-up sites, in the formats that the app imports.

    python scripts/make_sample.py [--out data/sample]

Nothing in it is real: names, boundaries, substations and prices are invented, and each file and row says so. The same
script gives the same bytes with the same versions of GDAL and openpyxl.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pyogrio
import rasterio
import shapely
from rasterio.transform import from_origin
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box

MARK = "示例 sample, not real"
# site, its CGCS2000 zone, south-west corner in that zone (m), turn of its street grid (degrees)
SITES = (
    ("示例园区甲 Sample Park A", 4547, (600_000.0, 3_331_000.0), 12.0),
    ("示例园区乙 Sample Park B", 4546, (481_000.0, 3_603_000.0), -20.0),
)
DATE = "2026-01-31T00:00:00.000Z"

README = """# 示例数据包 Sample data pack

**示例,非真实数据。** 两个虚构园区的地块、约束图层、变电站,用来演示几何计算与导入格式;名称、边界、容量、价格全为虚构,
不得与真实图层混用,不得引用。由 `scripts/make_sample.py` 生成。

**Made up, not real.** Parcels, exclusions and substations of two invented sites, to see the geometric path work and
to show the formats that the app imports. Never mix it with real layers, never quote it. Written by
`scripts/make_sample.py`.

- `sample_parcels.geojson` (GeoJSON, WGS 84): site, parcel, status, use class, plot ratio, height, price
- `sample_exclusions.gpkg` (GeoPackage, EPSG:4490): layers farmland, red_line, water (lines), buildings, subsidence
- `sample_rules.csv` (CSV, UTF-8): the exclusion rules in order, with name, layer, buffer in metres
- `sample_elevation.tif` (GeoTIFF, EPSG:4546): elevation about site B, 30 m cells, one corner without data
- `sample_substations.csv` (CSV, lon and lat in WGS 84): voltages, transformers, peak load, commissioned, upstream
- `sample_committed.xlsx` (Excel): capacity already promised, with substation, MVA low/likely/high, from
- `suitability/` (GeoTIFF, 100 m, and a TOML): made-up elevation, land cover and built-up share for the page 找地,
  written by `scripts/make_suitability_sample.py`

The app's page Data takes the parcels (with the rules and the exclusions) and the substations. `sample_committed.xlsx`
and `sample_elevation.tif` are for Python: `supply.substations.headroom`, `supply.raster.raster_exclusion`.
应用“数据”页可导入地块(连同规则与约束图层)和变电站;`sample_committed.xlsx`、`sample_elevation.tif` 只供 Python 使用。

The sample portfolio (示例项目组合, 30 made-up plants, 97 亿元 of output in all) is
`geo_cluster/tables/portfolios/sample.csv`, written by `scripts/make_portfolio.py`: sizes drawn with a fixed seed from
the range of announced laser projects of each segment, investment, tax and jobs by ratios of such projects.
示例项目组合由 `scripts/make_portfolio.py` 按固定随机种子生成:各细分环节的产值取自已公布激光项目的量级,投资、税收、
就业按同类项目的比例推出;名称只描述工厂,不指任何企业。

Each row carries `sample` = "示例 sample, not real". Licence: CC0.
"""


def placed(shape, site):
    """Shape of local metres turned and moved to its site's zone."""
    _, _, (x, y), turn = site
    return affinity.translate(affinity.rotate(shape, turn, origin=(0, 0)), x, y)


def degrees(shapes, zone, crs):
    """In longitude and latitude, rounded to a millimetre or so."""
    return shapely.set_precision(gpd.GeoSeries(shapes, crs=zone).to_crs(crs).to_numpy(), 1e-8, mode="pointwise")


def parcel_rows():
    """Three by four blocks between streets, one of them cut by a slanting lane."""
    status = ("净地", "净地", "毛地", "净地", "已供", "闲置", "净地", "净地", "净地", "毛地", "净地", "已供")
    rows = []
    for number, site in enumerate(SITES):
        blocks = [
            box(c * 240, r * 170, c * 240 + (240 if r == 2 else 220), r * 170 + 150) for r in range(3) for c in range(4)
        ]
        blocks[5] = Polygon([(240, 170), (460, 170), (460, 260), (360, 320), (240, 320)])
        for k, (block, geometry) in enumerate(
            zip(blocks, degrees([placed(b, site) for b in blocks], site[1], 4326), strict=True)
        ):
            properties = {
                "sample": MARK,
                "site": site[0],
                "parcel": f"示例-{'AB'[number]}{k + 1:02d}",
                "status": status[(k + number) % 12],
                "use": ("M1", "100102", "M1", "100101")[k % 4],
                "plot_ratio_max": (1.5, 2.0, 2.5)[k % 3],
                "height_max_m": (24.0, 45.0)[k % 2],
                "price_wan_yuan_per_mu": round(14.0 + 3 * number + 0.5 * (k % 5), 1),
            }
            assert block.is_valid
            rows.append((properties, geometry))
    return rows


def exclusion_layers():
    """Name to local shapes; the same for both sites but for their turn."""
    rng = np.random.default_rng(20260131)
    houses = [box(x, y, x + 14, y + 9) for x, y in np.round(rng.uniform((20, 20), (900, 480), (14, 2)), 1)]
    return {
        "farmland": [Polygon([(-80, -60), (150, -60), (95, 90), (-80, 140)]), box(700, 420, 1000, 600)],
        "red_line": [Polygon([(820, -50), (1100, -50), (1100, 260), (900, 180)])],
        "water": [LineString([(-100, 330), (200, 345), (480, 335), (700, 350), (1100, 325)])],
        "buildings": houses,
        "subsidence": [Point(600, 90).buffer(35, quad_segs=8)],
    }


def write_csv(path, rows):
    """UTF-8 with a byte-order mark, so that Excel reads the Chinese."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())


def write_xlsx(path, rows):
    """A workbook without the clock in it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "示例 sample"
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    raw = io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            data = source.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", DATE[:19].encode() + b"Z", data)
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def write_elevation(path):
    """A hill beside site B; the north-east corner was not surveyed."""
    zone, (x, y) = SITES[1][1:3]
    rows, columns = np.indices((40, 50))
    metres = 180 + 25 * np.exp(-(((columns - 42) / 9.0) ** 2 + ((rows - 26) / 7.0) ** 2)) + 0.05 * columns
    metres[:6, -8:] = -9999
    place = from_origin(x - 200, y + 900, 30, 30)
    shape = {
        "height": 40,
        "width": 50,
        "count": 1,
        "dtype": "float32",
        "nodata": -9999,
        "crs": zone,
        "transform": place,
    }
    with rasterio.open(path, "w", driver="GTiff", compress="deflate", **shape) as out:
        out.write(metres.round(2).astype("float32"), 1)
        out.update_tags(sample=MARK)


def substation_rows():
    """Three stations a site: two independent, one that hangs on the first, one not yet built."""
    local = (("1", "110/35/10", "2x50", 44, 48, 53, "2012", "上级1", (-900, 700)),
             ("2", "110/10", "2x63", 40, 47, 58, "2018", "上级2", (1900, 1500)),
             ("3", "220/110/35", "2x180", 90, 110, 150, "2026-06", "上级1", (-4200, 2600)))  # fmt: skip
    rows = []
    for number, site in enumerate(SITES):
        for name, kv, units, low, likely, high, year, upstream, xy in local:
            (point,) = degrees([placed(Point(xy), site)], site[1], 4326)
            rows.append(
                {
                    "sample": MARK,
                    "name": f"示例变{'甲乙'[number]}{name}",
                    "voltage_kv": kv,
                    "transformers_mva": units,
                    "peak_low_mva": low,
                    "peak_mva": likely,
                    "peak_high_mva": high,
                    "commissioned": year,
                    "upstream": f"示例{'甲乙'[number]}{upstream}",
                    "lon": f"{point.x:.6f}",
                    "lat": f"{point.y:.6f}",
                }
            )
    return rows


def main() -> None:
    """Write every file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "data" / "sample")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    (out / "README.md").write_text(README, encoding="utf-8", newline="\n")

    features = [
        {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(geometry))}
        for properties, geometry in parcel_rows()
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    text = f'{{"type": "FeatureCollection", "name": "sample_parcels", "features": [\n{lines}\n]}}\n'
    (out / "sample_parcels.geojson").write_text(text, encoding="utf-8", newline="\n")

    package = out / "sample_exclusions.gpkg"
    package.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": DATE})
    for name, shapes in exclusion_layers().items():
        pieces = [
            gpd.GeoDataFrame(
                {"sample": MARK, "site": site[0], "name": [f"示例-{name}-{k + 1}" for k in range(len(shapes))]},
                geometry=degrees([placed(shape, site) for shape in shapes], site[1], 4490),
                crs=4490,
            )
            for site in SITES
        ]
        frame = gpd.GeoDataFrame({c: np.concatenate([p[c] for p in pieces]) for c in pieces[0]}, crs=4490)
        pyogrio.write_dataframe(frame, package, layer=name, driver="GPKG")

    buffers = {"farmland": 0, "red_line": 0, "water": 30, "buildings": 5, "subsidence": 20}
    write_csv(
        out / "sample_rules.csv", [{"sample": MARK, "name": n, "layer": n, "buffer_m": b} for n, b in buffers.items()]
    )
    write_csv(out / "sample_substations.csv", substation_rows())
    promised = [("示例变甲1", 3, 4, 6, "2024"), ("示例变甲2", 5, 5, 5, "2027"), ("示例变乙1", 0, 2, 4, "2025")]
    keys = ("substation", "low_mva", "mva", "high_mva", "from")
    write_xlsx(
        out / "sample_committed.xlsx", [{"sample": MARK, **dict(zip(keys, row, strict=True))} for row in promised]
    )
    write_elevation(out / "sample_elevation.tif")


if __name__ == "__main__":
    main()
