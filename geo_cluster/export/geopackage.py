"""The map's layers and the plan as one GeoPackage for QGIS and ArcGIS, each layer with its source in its metadata."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.world import layers, rule_life, sources
from geo_cluster.world.spreadsheet import undate_package

INDEXED = 1_000
"""From so many rows a layer has a spatial index: making one takes longer than looking through fewer."""


def write_geopackage(study: Study, path: Path) -> None:
    """Write every registered layer and the plan's lines from the R&D anchor to each site, in WGS84.

    Raises
    ------
    OSError
        The file can't be written or the disk is full.
    """
    pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})  # once at the end is enough for a new file
    for name, layer in study.layers.registry.items():
        about = {"source": layer.producer, "licence": layer.licence, "attribution": layer.attribution_en}
        rows = study.layers.read(name)
        about |= {"publishers": _publishers(rows), "as_of": layer.as_of, "notes": layer.notes}
        _write(rows, path, name, about)
    notice = {"scenario_id": study.scenario.id, "notice": SAMPLE if study.scenario.is_sample else ""}
    notice |= {"day": study.day.isoformat(), "rules_notice": rule_life.notice(study.day)}
    _write(plan_lines(study), path, "plan", notice)
    undate_package(path)
    with path.open("rb+") as file:
        os.fsync(file)


def _publishers(rows: pd.DataFrame) -> str:
    """Who published the rows of a layer, each once, who has most rows first."""
    told = Counter(one for named in sources.publishers(rows) for one in named.split("；") if one)
    return "；".join(one for one, _ in told.most_common())


def plan_lines(study: Study) -> gpd.GeoDataFrame:
    """One line a placed project, from the R&D anchor to its site, with the assignment's columns."""
    ends = study.sites.set_index("id").geometry.reindex(tables.assignment(study)["site"])
    start = study.anchor.geometry
    lines = [shapely.LineString([start, end]) for end in ends]
    frame = gpd.GeoDataFrame(tables.assignment(study).copy(), geometry=gpd.GeoSeries(lines, crs=layers.CRS))
    return frame.assign(notice=SAMPLE if study.scenario.is_sample else "")


def _write(frame: pd.DataFrame, path: Path, layer: str, about: dict[str, str]) -> None:
    """Append one layer; an empty one keeps its columns, rows without a place keep an empty geometry."""
    kind, indexed = "LineString" if frame.empty else None, "YES" if len(frame) > INDEXED else "NO"
    try:
        pyogrio.write_dataframe(
            frame, path, layer=layer, driver="GPKG", layer_metadata=about, geometry_type=kind, SPATIAL_INDEX=indexed
        )
    except (DataSourceError, DataLayerError, FeatureError) as problem:
        raise OSError(errno.EIO, str(problem)) from problem
