"""Real files, changed at random, through every reader: `make fuzz`, or `python -m tests.fuzzing --seconds 300`.

What a reader refuses, it refuses with an `InputError`; anything else is a defect, and the file is kept to look at.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path

import geopandas as gpd
from shapely import box

from geo_cluster.errors import InputError
from geo_cluster.export import preview
from geo_cluster.imports import files, templates
from geo_cluster.imports.check import check_file, guess
from geo_cluster.imports.checked import KINDS
from geo_cluster.region import Region, prepare
from geo_cluster.supply import land_survey
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers
from tests import drawings as made

BOOKS = Path(__file__).parent / "data" / "tables"

KEPT = Path("fuzz")
"""Where files that something broke on are put."""

ODD = (b"", b"\0", b"\xff\xff", b"-1", b"1e999", b"nan", b"\n", b'"', b",", b"<", b"]", b"{", b"=cmd|", b"\xe2\x80\xae")
INTEGERS = (b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x01\x00\x00\x00", b"\x00\x00\x00\x80")


FURTHER = {".fgb": "FlatGeobuf", ".gml": "GML", ".gdb": "OpenFileGDB"}
"""Formats that GDAL writes without further ado."""


def corpus() -> dict[str, bytes]:
    """Honest files of every kind, by name."""
    found = {path.name: path.read_bytes() for path in sorted(catalog.sample_dir().glob("*.*")) if path.suffix != ".md"}
    for kind in KINDS:
        found |= {f"{kind}.csv": templates.as_csv(kind), f"{kind}.xlsx": templates.as_xlsx(kind)}
    found |= {path.name: path.read_bytes() for path in sorted(BOOKS.glob("*.*s"))}
    found["portfolio.csv"] = (catalog.PORTFOLIOS / "sample.csv").read_bytes()
    frame = gpd.GeoDataFrame({"site": ["H01"], "地块": ["甲"]}, geometry=[box(115.08, 30.15, 115.09, 30.16)], crs=4326)
    with tempfile.TemporaryDirectory() as folder:
        for ending, driver in (("kml", "KML"), ("gpkg", "GPKG"), ("geojson", "GeoJSON"), ("shp", "ESRI Shapefile")):
            frame.to_file(Path(folder, f"a.{ending}"), driver=driver)
        frame[["geometry"]].to_file(Path(folder, "a.dxf"), driver="DXF")
        parts = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    found |= {name: content for name, content in parts.items() if name.endswith((".kml", ".gpkg", ".geojson", ".dxf"))}
    found |= {
        f"a{one}{'.zip' if one == '.gdb' else ''}": made.written(frame, one, driver=driver)
        for one, driver in FURTHER.items()
    }
    found["a.parquet"] = made.written(frame, ".parquet")
    found["mif.zip"] = made.packed(made.mapinfo(made.squares()))
    found["stakes.txt"] = made.stakes(made.RECTANGLE).encode("gbk")
    found["block.dxf"] = made.dxf(made.insert("b", (0, 0)), blocks=made.block("b", made.polyline(made.RECTANGLE)))
    found["folder.kml"] = made.kml(
        made.folder("甲", made.placemark("a", frame.geometry[0], made.extended(状态="已供")))
    )
    found["a.zip"] = _packed({name: parts[name] for name in parts if name[2:] in ("shp", "shx", "dbf", "prj", "cpg")})
    return {name: content for name, content in found.items() if Path(name).suffix in (*files.TABLES, *files.SHAPES)}


def _packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def changed(content: bytes, chance: random.Random) -> bytes:
    """The file with a few changes; of an archive, mostly of what is in it."""
    if content[:2] == b"PK" and chance.random() < 0.8:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = chance.choice(sorted(members))
        return _packed(members | {name: changed(members[name], chance)})
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at, length = chance.randrange(len(content) + 1), int(2 ** chance.uniform(0, 12))
        piece = content[at : at + length]
        new = chance.choice(
            (b"", piece * 2, piece[::-1], chance.choice(ODD), chance.choice(INTEGERS), chance.randbytes(4))
        )
        content = content[:at] + new + content[at + (len(new) if chance.random() < 0.5 else length) :]
    return content


def tried(content: bytes, name: str, region: Region) -> str:
    """What the readers make of a file: `read`, `refused`, or the text of what broke."""
    ways = [lambda: guess(content, name), lambda: preview.table_of(f"layers/{name}", content)]
    ways += [lambda kind=kind: check_file(content, name, kind=kind, region=region, crs="EPSG:4326") for kind in KINDS]
    ways += [lambda: portfolio.read_content(content, name), lambda: land_survey.rules_of(content, name, b"x", "x.gpkg")]
    said = "refused"
    for way in ways:
        try:
            found = way()
            said = "read" if getattr(found, "is_ready", False) else said
        except InputError:
            continue
        except Exception:
            return traceback.format_exc()
    return said


def fuzz(seconds: float, seed: int) -> tuple[Counter[str], list[str]]:
    """Go on for so many seconds; how many files were read and refused, and what broke."""
    chance, honest = random.Random(seed), corpus()
    region = prepare(catalog.scenario(), Layers())
    told: Counter[str] = Counter()
    broke, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        name = chance.choice(sorted(honest))
        content = changed(honest[name], chance)
        said = tried(content, name, region)
        told[said if said in ("read", "refused") else "broke"] += 1
        if said not in ("read", "refused"):
            KEPT.mkdir(exist_ok=True)
            (KEPT / f"{sum(told.values())}_{name}").write_bytes(content)
            broke.append(f"{name}, seed {seed}, file {sum(told.values())}\n{said}")
    return told, broke


def main() -> None:
    """Fuzz from the command line; exit code 1 if anything broke."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--seed", type=int, default=int(time.time()))
    asked = options.parse_args()
    told, broke = fuzz(asked.seconds, asked.seed)
    print(f"seed {asked.seed}: " + ", ".join(f"{count} {what}" for what, count in sorted(told.items())))
    print("\n".join(broke))
    sys.exit(1 if broke else 0)


if __name__ == "__main__":
    main()
