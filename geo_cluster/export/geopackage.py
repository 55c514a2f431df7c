"""The map's layers and the plan as one GeoPackage for QGIS and ArcGIS, each layer with its source in its metadata."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

from geo_cluster import catalog, layers
from geo_cluster.export.tables import SAMPLE
from geo_cluster.study import Study

CONTEXT: tuple[str, ...] = ("sites", "chain", "anchors", "substations", "power_plants", "stations", "airports", "ports")
CONTEXT += ("prefectures", "counties", "roads", "railways")


def write_geopackage(study: Study, path: Path) -> None:
    """Write the registered layers and the plan's lines from the R&D anchor to each site, in WGS84."""
    for name in CONTEXT:
        layer = catalog.layers()[name]
        frame = layers.read(name)
        about = {"source": layer.producer, "licence": layer.licence, "attribution": layer.attribution_en}
        _write(frame[frame.geometry.notna()], path, name, {**about, "as_of": layer.as_of, "notes": layer.notes})
    notice = {"scenario_id": study.scenario.id, "notice": SAMPLE if study.scenario.is_sample else ""}
    _write(plan_lines(study), path, "plan", notice)


def plan_lines(study: Study) -> gpd.GeoDataFrame:
    """One line a placed project, from the R&D anchor to its site, with the assignment's columns."""
    ends = study.sites.set_index("id").geometry.reindex(study.assignment["site"])
    start = study.anchor.geometry
    lines = [shapely.LineString([start, end]) for end in ends]
    frame = gpd.GeoDataFrame(study.assignment.copy(), geometry=gpd.GeoSeries(lines, crs=layers.CRS))
    return frame.assign(notice=SAMPLE if study.scenario.is_sample else "")


def _write(frame: gpd.GeoDataFrame, path: Path, layer: str, about: dict[str, str]) -> None:
    """Append one layer; an empty one keeps its columns."""
    kind = "Unknown" if frame.empty else None
    pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG", layer_metadata=about, geometry_type=kind)
