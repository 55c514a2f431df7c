"""Parcels of a file, as the command line surveys them: every layer, headings in either language."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo_cluster.box import door, formats
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.imports import drawn, whereabouts
from geo_cluster.imports.files import ending_of, read_layers, together
from geo_cluster.imports.headings import calls_of
from geo_cluster.imports.observations import named
from geo_cluster.supply import land_survey
from geo_cluster.world.layers import Layers
from geo_cluster.world.sheets.columns import understand
from geo_cluster.world.sheets.table import Table


def parcels_of(path: Path, crs: str = "") -> tuple[gpd.GeoDataFrame, list[Text]]:
    """Parcels that can be surveyed, counted from 1, and what was left out of the file or read otherwise.

    Parameters
    ----------
    path : Path
        A vector file of any kind in `box.formats`; of a Shapefile, what lies beside it belongs to it.
    crs : str
        What its coordinates are in where it doesn't say it, or says it wrongly; as for `files.read_layers`.

    Raises
    ------
    InputError
        What can't be read, lies nowhere, or can't be surveyed: every fault.
    """
    name, content = _whole(path)
    found = read_layers(content, name, crs=crs)
    frame, notes = drawn.usable(found, "parcels", is_track=ending_of(content, name) == ".gpx")
    refuse_if([Fault("imports.no_outlines", name)] if frame.empty else [])
    refuse_if(list(whereabouts.faults(frame, Layers().read("sites"), Place(name), chosen=crs, says=found.says)))
    table = drawn.headed(drawn.as_text(frame), "parcels", found.cut)
    if not any(calls_of("parcels").of(key).key == "site" for key in table):
        calls = named(Layers().read("sites")[["id", "name_zh", "name_en"]])
        sites = drawn.site_by_layer(found, calls)[table.index]
        table = table.assign(site=sites) if sites.ne("").all() else table
    shifted = None if crs else whereabouts.column_fault(frame, table, Place(name))
    refuse_if([shifted] if shifted else [])
    said = understand(Table(table.drop(columns=_areas(table)), name), calls_of("parcels"))
    refuse_if(list(said.faults))
    text = said.text[[key for key in said.text if key in said.headings]]
    rest = said.extra[[key for key in said.extra if key not in text]]
    parcels = gpd.GeoDataFrame(pd.concat([text, rest], axis=1), geometry=frame.geometry)
    for key in ("plot_ratio_max", "height_max_m", "price_wan_yuan_per_mu"):
        if key in parcels:
            parcels[key] = parcels[key].where(parcels[key] != "", None)
    _check(parcels)
    return parcels, [*notes, *whereabouts.notes(frame, name), *said.notes]


def _check(parcels: gpd.GeoDataFrame) -> None:
    """Refuse what can't be surveyed, under the rows of the file."""
    try:
        land_survey.check(parcels)
    except InputError as refusal:
        rows = list(parcels.index)
        raise InputError(
            [one.at(replace(one.place, row=int(rows[one.row - 1]))) if one.row else one for one in refusal.faults]
        ) from None


def _areas(table: pd.DataFrame) -> list[str]:
    """Columns of areas: outlines have their own."""
    return [key for key in table if calls_of("parcels").of(key).key in ("area", "unit")]


def _whole(path: Path) -> tuple[str, bytes]:
    """A file with what lies beside it under its name, whatever the case of the letters."""
    if path.is_dir() and path.suffix.lower() == ".gdb":
        members = [(f"{path.name}/{one.name}", door.content_of(one)) for one in sorted(path.iterdir()) if one.is_file()]
        ((_, content),) = together(members)
        return path.name, content
    content = door.content_of(path)
    parts = formats.BESIDE.get(path.suffix.lower(), ())
    beside = [
        (one.name, door.content_of(one))
        for one in sorted(path.parent.iterdir() if parts else ())
        if one.stem.lower() == path.stem.lower() and one.suffix.lower() in parts and one.is_file()
    ]
    return (path.name, together([(path.name, content), *beside])[0][1]) if beside else (path.name, content)
