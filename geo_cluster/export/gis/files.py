"""The folder `layers/`: one file a format, and a dictionary of its layers and fields."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from geo_cluster import toml
from geo_cluster.archive import archived
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.export.all_or_none import write_files
from geo_cluster.export.gis import vector
from geo_cluster.export.gis.content import gis_layers, notices
from geo_cluster.export.gis.dxf import dxf
from geo_cluster.export.gis.kml import kml, kmz
from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.package import write_package
from geo_cluster.export.gis.project import project
from geo_cluster.export.gis.sheet_frame import sheet_frame
from geo_cluster.export.gis.sld import sld
from geo_cluster.export.gis.systems import DEFAULT_CRS, checked_crs
from geo_cluster.export.gis.tiles import tiles
from geo_cluster.export.sheet import owed
from geo_cluster.study import Study
from geo_cluster.supply.land_survey import Survey
from geo_cluster.world.spreadsheet import as_csv, as_xlsx

FIELDS = "fields"
"""Name of the dictionary, as CSV and XLSX."""


def formats() -> tuple[str, ...]:
    """The formats there are."""
    return tuple(toml.table("gis")["formats"])


def file_of(form: str) -> str:
    """What the file of a format is called."""
    return toml.table("gis")["formats"][form]["file"]


def gis_files(
    study: Study,
    out: Path,
    *,
    language: Language = "zh",
    formats: Iterable[str] = (),
    crs: str = DEFAULT_CRS,
    survey: Survey | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the layers of a study into a folder, all or nothing.

    Parameters
    ----------
    study : Study
    out : Path
        Made when it isn't there; other files in it are left alone.
    language : {"zh", "en"}
        Of titles, texts and the names of fields that people see.
    formats : iterable of str
        Keys of `tables/gis.toml`; all of them when none is named. A project needs its GeoPackage, which comes with it.
    crs : str
        ``EPSG:4490`` or another of `tables/gis.toml`; the number alone will do. GeoJSON, KML and PMTiles have
        their own, and a drawing is in metres whatever is asked.
    survey : Survey, optional
        A survey of parcels: adds its net land and the largest rectangles.
    on_step : callable
        Called with each format as it begins.

    Raises
    ------
    InputError
        A format or a system that there isn't, with those that there are; a folder that can't be written to.
    """
    wanted, system = _checked(formats, crs)
    layers = gis_layers(study, language, survey=survey)
    about = notices(study, language) | {"sources": " · ".join(owed(study, language))}

    def make(folder: Path) -> None:
        for form in wanted:
            on_step(form)
            _make(form, folder, study, layers, about, language, system)
        _write_dictionary(layers, folder, language)

    write_files(out, make)


def _checked(asked: Iterable[str], crs: str) -> tuple[list[str], str]:
    """The formats in order, a GeoPackage with a project, and the system by its full code."""
    known = formats()
    asked, system = list(asked) or list(known), ""
    faults = [
        Fault("export.no_such_format", Place(str(one)), known=list(known))
        for one in dict.fromkeys(asked)
        if one not in known
    ]
    try:
        system = checked_crs(crs)
    except InputError as refusal:
        faults += refusal.faults
    refuse_if(faults)
    return [one for one in known if one in asked or (one == "gpkg" and "qgz" in asked)], system


def _make(
    form: str,
    folder: Path,
    study: Study,
    layers: tuple[GisLayer, ...],
    about: dict[str, str],
    language: Language,
    crs: str,
) -> None:
    path, shown = folder / file_of(form), [one for one in layers if one.look]
    if form == "gpkg":
        write_package(layers, path, crs=crs)
    elif form == "qgz":
        frame = sheet_frame(study, crs)
        path.write_bytes(project(layers, package=file_of("gpkg"), crs=crs, frame=frame, about=about, language=language))
    elif form == "dxf":
        path.write_bytes(dxf(layers, sheet_frame(study, crs), about, language))
    elif form in ("kml", "kmz"):
        other = folder / file_of("kml")
        document = other.read_text(encoding="utf-8") if other.exists() else kml(layers, about, language)
        path.write_bytes(document.encode() if form == "kml" else kmz(document, layers))
    elif form == "sld":
        path.write_bytes(archived({f"{one.name}.sld": sld(one).encode() for one in shown}))
    else:
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            if form == "pmtiles":
                path.write_bytes(tiles(shown, Path(work), about=" · ".join(about.values())))
            else:
                vector.MAKERS[form](shown, Path(work), crs=crs)
                path.write_bytes(vector.zip_of(Path(work)))


def _write_dictionary(layers: tuple[GisLayer, ...], folder: Path, language: Language) -> None:
    """What layers and fields are called, here and in Shapefiles, as CSV and as a workbook of two sheets."""
    headings = toml.table("gis")["dictionary"]
    tables = {"layers": vector.inventory(layers), "fields": vector.dictionary(layers)}
    tables = {
        headings["sheets"][name][language]: table.rename(columns={key: headings[key][language] for key in table})
        for name, table in tables.items()
    }
    (folder / f"{FIELDS}.csv").write_bytes(as_csv(tables[headings["sheets"]["fields"][language]]))
    (folder / f"{FIELDS}.xlsx").write_bytes(as_xlsx(tables))
