"""Several surveys of one site: the same ground again replaces, other ground adds up, or as the planner chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.domain import KnownBetter, Text
from geo_cluster.errors import Fault, Place
from geo_cluster.imports import shifts, whereabouts
from geo_cluster.imports.checked import Checked
from geo_cluster.imports.observations import compared
from geo_cluster.region import Region
from geo_cluster.supply import land_survey
from geo_cluster.supply.layer import zones_of
from geo_cluster.supply.parcels import OVERLAP_M2, SLIVER_M, offered
from geo_cluster.world import layers, spreadsheet

LAND, SITES, OUTLINES = "land.csv", "sites.csv", "outlines.csv"
"""What an import of parcels keeps: its parcels, their sums by site, their outlines in WKT (degrees)."""

DIGITS = 8
"""Digits of degrees in an outline that is kept: a millimetre."""


def outlines(parcels: gpd.GeoDataFrame) -> bytes:
    """The outlines of parcels as they are kept, with site and name; '' where that is but the number of the row."""
    names = parcels["parcel"].astype(str).where(parcels["parcel"].astype(str) != parcels.index.astype(str), "")
    shapes = parcels.geometry.to_crs(layers.CRS).to_numpy()
    table = pd.DataFrame(
        {
            "site": parcels["site"].to_numpy(), "parcel": names.to_numpy(),
            "outline": shapely.to_wkt(shapes, rounding_precision=DIGITS),
        }
    )  # fmt: skip
    return spreadsheet.as_csv(table)


def joined(kept: Sequence[tuple[Mapping[str, bytes], bool]], name: str) -> pd.DataFrame:
    """Rows of the surveys that count, the earliest first: one that adds up leaves earlier ones of its sites.

    Parameters
    ----------
    kept : sequence of (files, adds)
        What each survey kept, and whether it adds up.
    name : str
        `LAND` or `SITES`; of `SITES`, sums of a site are added.
    """
    out = pd.DataFrame()
    for files, adds in kept:
        rows = spreadsheet.read_csv(files[name], dtype=object)
        out = pd.concat([out if adds or not len(out) else out[~out["site"].isin(rows["site"])], rows])
    if name == SITES and len(out) and out["site"].duplicated().any():
        return _summed(out)
    return out


def _summed(sites: pd.DataFrame) -> pd.DataFrame:
    numbers = sites.drop(columns="site").apply(pd.to_numeric, errors="coerce").fillna(0.0)
    how = {key: "max" if key == "largest_piece_ha" else "sum" for key in numbers}
    return numbers.groupby(sites["site"].to_numpy(), sort=True).agg(how).round(4).rename_axis("site").reset_index()


def known(
    kept: Sequence[tuple[Mapping[str, bytes], bool]], latest: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Numbers of the latest survey's sites with the earlier ones that it adds to.

    Parameters
    ----------
    kept : sequence of (files, adds)
        As for `joined`; the latest is the last.
    latest : sequence of mapping
        What it says alone, as fields of `KnownBetter`.
    """
    land = joined(kept, LAND)
    numeric = [key for key in land if key.endswith("_ha")]
    land[numeric] = land[numeric].apply(pd.to_numeric, errors="coerce").fillna(0.0)
    totals = land_survey.totals(land[offered(land, land=toml.table("land"))])
    rows = {(row["subject"], row["attribute"]): row for row in land_survey.known(totals, "")}
    sums = ("low", "likely", "high")
    return [dict(one) | {key: rows[one["subject"], one["attribute"]][key] for key in sums} for one in latest]


def named_again(files: Mapping[str, bytes], checked: Checked) -> int:
    """How many parcels of a checked file have the site and name of a parcel of an earlier survey.

    Parameters
    ----------
    files : mapping of bytes
        What the earlier survey kept.
    checked : Checked
    """
    tables = (spreadsheet.read_csv(one.get(OUTLINES, one[LAND]), dtype=object) for one in (checked.files, files))
    mine, theirs = (set(zip(one["site"], one["parcel"].fillna(""), strict=True)) for one in tables)
    return len({pair for pair in mine & theirs if pair[1]})


def again(files: Mapping[str, bytes], checked: Checked) -> int:
    """How many parcels of a checked file are ground of an earlier survey; by name, where one has no outlines.

    Parameters
    ----------
    files : mapping of bytes
        What the earlier survey kept.
    checked : Checked
    """
    if OUTLINES not in checked.files or OUTLINES not in files:
        return named_again(files, checked)
    new, old = (_ground(one[OUTLINES]) for one in (checked.files, files))
    zone = int(zones_of(new)[0])
    ground, before = (one.geometry.to_crs(zone or one.crs).make_valid().to_numpy() for one in (new, old))
    one, other = shapely.STRtree(before).query(ground, predicate="intersects")
    shared = shapely.intersection(ground[one], before[other])
    area = shapely.area(shared)
    over = (area > OVERLAP_M2) & (2 * area >= SLIVER_M * shapely.length(shared))
    return len(np.unique(one[over]))


def _ground(content: bytes) -> gpd.GeoDataFrame:
    table = spreadsheet.read_csv(content)
    return gpd.GeoDataFrame(
        table[["site", "parcel"]], geometry=gpd.GeoSeries.from_wkt(table["outline"]), crs=layers.CRS
    )


def _shifted(here: Sequence[tuple[str, Mapping[str, bytes]]], checked: Checked) -> list[Fault]:
    """The fault of parcels that come to lie on those of an earlier survey when GCJ-02 or BD-09 is undone."""
    if OUTLINES not in checked.files or checked.extra.get("crs"):
        return []
    mine = checked.extra["gross"].geometry
    for name, files in here:
        if OUTLINES in files and (shift := shifts.onto_parcels(mine, _ground(files[OUTLINES]).geometry)) is not None:
            known = Text(zh=f"先前导入的“{name}”", en=f"the parcels imported before from {name}")
            return [whereabouts.shifted_fault(Place(checked.name), shift, known, mine.crs)]
    return []


def settled(
    checked: Checked,
    surveys: Sequence[tuple[str, Mapping[str, bytes], bool]],
    *,
    adds: bool | None = None,
    region: Region | None = None,
) -> Checked:
    """A checked file of parcels beside the surveys that a work holds: added up, or in place of them.

    Parameters
    ----------
    checked : Checked
        Of parcels, without faults.
    surveys : sequence of (name, files, adds)
        Earlier ones, the earliest first.
    adds : bool, optional
        What the planner chose. Left out, the file adds up where none of its ground and names was surveyed before.
    region : Region, optional
        What holds now; with it the preview is made anew.

    Returns
    -------
    Checked
        `extra["adds"]` says what holds, `extra["earlier"]` the names of earlier surveys of the same sites.
    """
    sites = {one.subject for one in checked.known}
    here = [
        (name, files)
        for name, files, _ in surveys
        if sites & set(spreadsheet.read_csv(files[LAND], dtype=object)["site"])
    ]
    if wrong := _shifted(here, checked):
        offered = whereabouts.offered(wrong)
        return replace(checked, faults=tuple(wrong), extra={**checked.extra, "adds": False, "offered": offered})
    counts = {name: again(files, checked) for name, files in here}
    twice = {name: count for name, count in counts.items() if count}
    likely = not twice and not any(named_again(files, checked) for _, files in here)
    adding = bool(here) and (likely if adds is None else adds)
    extra = {**checked.extra, "adds": adding, "earlier": tuple(counts), "again": sum(twice.values())}
    if adding and twice:
        faults = tuple(
            Fault("imports.parcels_again", checked.name, name=name, count=count) for name, count in twice.items()
        )
        return replace(checked, faults=faults, extra=extra)
    if not here:
        return replace(checked, extra=extra)
    names = "、".join(counts)
    note = (
        Text(zh=f"与已导入的“{names}”合计。", en=f"Added to what was imported before: {names}.")
        if adding
        else Text(
            zh=f"取代已导入的“{names}”中这些园区的地块（{sum(twice.values())} 块相同或重叠）。",
            en=f"In place of the parcels of these sites imported before: {names} "
            f"({sum(twice.values())} are the same ground).",
        )
    )
    found = replace(checked, notes=(*checked.notes, note), extra=extra)
    if not adding:
        return found
    kept = [*((files, how) for _, files, how in surveys), (checked.files, True)]
    rows = known(kept, [one.model_dump() for one in checked.known])
    numbers = tuple(KnownBetter(**row) for row in rows)
    return replace(found, known=numbers, preview=compared(numbers, region) if region else checked.preview)
