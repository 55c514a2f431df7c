"""Parcels of the planner's own: to which site each belongs, what the rules leave of it, what a site can offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.domain import LANGUAGES, KnownBetter, Text
from geo_cluster.errors import Fault, InputError
from geo_cluster.imports import plausible, surveys, whereabouts
from geo_cluster.imports.cells import plain, spans
from geo_cluster.imports.checked import Checked, ImportContext
from geo_cluster.imports.files import HOWS, chosen_system
from geo_cluster.imports.headings import Rows, recognise
from geo_cluster.imports.observations import compared, named
from geo_cluster.region import Region
from geo_cluster.supply import land_survey
from geo_cluster.supply.parcels import Sliver, offered, parcel_faults, status_of, use_of
from geo_cluster.supply.serving_station import distance_km
from geo_cluster.world import layers, spreadsheet
from geo_cluster.world.coordinates import convert_geometry

NEAR_KM = 10.0
"""Parcels farther from every site than this, its own extent and the doubt of its position, belong to none of them."""

FAR_KM = 50.0
"""Where the site was named, only this far is a mistake: a zone runs several parks."""

_SRID = r"^\s*SRID=(\d{4,6})\s*;"
_CURVED = re.compile("linearring|circular|curve|surface", re.IGNORECASE)
"""Kinds of WKT that are no outline of corners."""

_OPTIONAL = ("status", "use", "plot_ratio_max", "height_max_m", "price_wan_yuan_per_mu", "notes")


def check_parcels(parcels: pd.DataFrame, context: ImportContext) -> Checked:
    """Check parcels, subtract the rules, sum up by site.

    Parameters
    ----------
    parcels : GeoDataFrame or DataFrame
        Shapes as `read_shapes` gives them, or a table: with outlines (WKT, in the context's `crs`), or with areas
        only, which are then taken as net land that was stated.
    context : ImportContext
        With `rules`, and `belongs` for names that no site has; what that leaves open goes to the nearest site.

    Returns
    -------
    Checked
        Preview: one row a site and attribute as for observations, with what each rule took in `extra["sites"]`; which
        parcel went to which site by name or by place in `extra["belongs"]`; the ground in `extra["land"]`.
    """
    shapes = isinstance(parcels, gpd.GeoDataFrame)
    table = pd.DataFrame(parcels.drop(columns=parcels.geometry.name)).astype(object) if shapes else parcels
    table = table.where(table.notna(), "").astype(str) if shapes else table
    rows = recognise(table, context)
    if rows.halted or rows.text.empty:
        return rows.checked()
    geometry = parcels.geometry if shapes else _outlines(rows)
    if geometry is None:
        return _listed(rows)
    if rows.faults:
        return rows.checked(extra={"offered": whereabouts.offered(rows.faults)})
    return _surveyed(rows, gpd.GeoSeries(geometry).loc[rows.text.index])


def site_calls(region: Region) -> dict[str, str]:
    """Id by everything that a site of a region may be called."""
    return named(region.layers.read("sites")[["id", "name_zh", "name_en"]])


def _outlines(rows: Rows) -> gpd.GeoSeries | None:
    """Outlines of a table's rows; None where it has none."""
    outlines, name, crs = rows.text["outline"], rows.context.name, rows.context.crs
    if not outlines.ne("").any():
        return None
    places = [rows.at(row, "outline") for row in outlines.index]
    coded = outlines.str.extract(_SRID)
    outlines = outlines.str.replace(_SRID, "", regex=True)
    shapes = door.outlines(["" if _CURVED.search(outline) else outline for outline in outlines], name, places)
    rows.faults.extend(
        Fault("imports.not_an_outline", here) for here, shape in zip(places, shapes, strict=True) if shape is None
    )
    said = set(coded[0].dropna()) if len(coded) else set()
    crs = crs or (f"EPSG:{said.pop()}" if len(said) == 1 and coded[0].notna().all() else "")
    found = gpd.GeoSeries(shapes, index=outlines.index, crs=None)
    if crs in ("gcj02", "bd09"):
        found = convert_geometry(found.set_crs(layers.CRS), source=crs, target="wgs84")
    elif crs:
        code, _, how = crs.partition(" ")
        system = chosen_system(code, name)
        found = gpd.GeoSeries(shapely.transform(shapes, HOWS[how]), index=found.index) if how in HOWS else found
        found = found.set_crs(system)
    if not rows.faults:
        frame = gpd.GeoDataFrame(rows.table.loc[found.index], geometry=found)
        sites = rows.context.region.layers.read("sites")
        rows.faults.extend(whereabouts.faults(frame, sites, rows.at(0, "outline"), chosen=crs))
    return found


def _surveyed(rows: Rows, geometry: gpd.GeoSeries) -> Checked:
    """Outlines: each at its site, what the rules leave of it, and the sums."""
    context, parcels = rows.context, _parcels(rows, geometry)
    slivers: list[Sliver] = []
    if parcels.crs is not None:
        found = parcel_faults(parcels, land=toml.table("land"), where=context.name, slivers=slivers)
        rows.faults.extend(_moved(fault, rows) for fault in found)
    if rows.faults:
        return rows.checked()
    area = plausible.hectares(parcels)
    rows.faults.extend(plausible.size_faults(rows, area))
    parcels["site"], belongs = _sites(rows, parcels)
    how = {"chosen": context.rules_crs, "of_parcels": context.crs}
    rows.faults.extend(whereabouts.rule_faults(context.rules, parcels, context.name, **how))
    if rows.faults:
        offers = {"offered": whereabouts.offered(rows.faults), "of_rules": whereabouts.rule_systems(rows.faults)}
        return rows.checked(extra={"belongs": belongs, **offers})
    try:
        survey = land_survey.survey(parcels, list(context.rules))
    except InputError as refusal:
        rows.faults.extend(_moved(fault, rows) for fault in refusal.faults)
        return rows.checked(extra={"belongs": belongs})
    rows.notes.extend(plausible.sliver_notes(slivers, parcels["parcel"].tolist()))
    rows.notes.extend(plausible.area_notes(rows, area))
    rows.notes.extend(plausible.small_notes(area))
    rows.notes.extend(plausible.far_notes(belongs, NEAR_KM))
    rows.notes.extend(plausible.sum_notes(survey.sites, context.region.layers.read("sites")))
    rows.notes.extend(whereabouts.rule_notes(context.rules, survey.land))
    if not context.rules:
        rows.notes.append(
            Text(zh="没有约束规则：净面积等于边界面积。", en="No exclusion rules: net area is the area of the outline.")
        )
    rows.notes.extend(_not_offered(parcels))
    source = context.source or context.name
    known = tuple(KnownBetter(**row) for row in land_survey.known(survey.sites, source))
    return rows.checked(
        preview=compared(known, context.region),
        known=known,
        files={**land_survey.tables(survey), surveys.OUTLINES: surveys.outlines(parcels)},
        source=source,
        extra={
            "belongs": belongs,
            "land": survey.land,
            "sites": survey.sites,
            "gross": parcels,
            "crs": context.crs,
        },
    )


def _not_offered(parcels: pd.DataFrame) -> list[Text]:
    """How many parcels are not on offer, by status or use class."""
    count = int((~offered(parcels, land=toml.table("land"))).sum())
    if count == len(parcels):
        return [Text(zh="没有可供的地块（状态或用途）。", en="No parcel is on offer, by status or use class.")]
    note = Text(
        zh=f"{count} 块地已供或非工业用途，不计。", en=f"{count} parcels are granted or of another use and don't count."
    )
    return [note] if count else []


def _parcels(rows: Rows, geometry: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """The columns that a survey reads, with outlines; a parcel without a name has its row's number."""
    used = [key for key in _OPTIONAL if key in rows.headings]
    parcels = gpd.GeoDataFrame(rows.text[["site", "parcel", *used]], geometry=geometry)
    for key in ("plot_ratio_max", "height_max_m", "price_wan_yuan_per_mu"):
        if key in parcels:
            parcels[key] = parcels[key].where(parcels[key] != "", None)
    if "parcel" not in rows.headings:
        parcels["parcel"] = [f"{row}" for row in parcels.index]
    return parcels


def _listed(rows: Rows) -> Checked:
    """A list of areas: net land as it was stated, the largest parcel as the largest piece."""
    context, text = rows.context, rows.text
    calls = site_calls(context.region)
    bounds, bad = spans(text["area"])  # hectares by now
    sites = []
    for k, (row, cells) in enumerate(zip(text.index, text.to_dict("records"), strict=True)):
        if not cells["area"]:
            rows.faults.append(Fault("imports.no_area", rows.at(row, "area")))
        elif bad[k] or not bounds[k, 0] > 0:
            rows.faults.append(Fault("imports.not_positive", rows.at(row, "area"), value=cells["area"]))
        site = calls.get(cells["site"].lower()) or context.belongs.get(cells["site"], "")
        sites.append(site)
        if not site and cells["site"]:
            rows.faults.append(Fault("imports.unknown_site", rows.at(row, "site"), site=cells["site"]))
        elif not site:
            rows.faults.append(Fault("imports.no_site", rows.at(row, "site")))
    rows.faults.extend(_unknown_words(rows))
    called = text[["parcel"]].assign(site=[site or said for site, said in zip(sites, text["site"], strict=True)])
    repeated = called.duplicated() & (text["parcel"] != "")
    rows.faults.extend(Fault("imports.repeated_parcel", rows.at(row, "parcel")) for row in text.index[repeated])
    rows.faults.extend(plausible.size_faults(rows, pd.Series(bounds[:, 2], index=text.index)))
    if rows.faults:
        return rows.checked()
    used = [key for key in _OPTIONAL if key in rows.headings]
    land = text[["parcel", *used]].assign(
        site=sites, gross_ha=bounds[:, 2], net_ha=bounds[:, 2], unknown_ha=bounds[:, 2] - bounds[:, 0],
        largest_piece_ha=bounds[:, 1],
    )  # fmt: skip
    free = offered(land, land=toml.table("land"))
    totals = land_survey.totals(land[free])
    rows.notes.extend(_not_offered(land))
    source = context.source or context.name
    middle = pd.Series(bounds[:, 1], index=text.index)[free].groupby(land["site"][free]).sum()
    known = tuple(
        KnownBetter(**{**row, "basis": "reported"} | _likely(row, middle)) for row in land_survey.known(totals, source)
    )
    rows.notes.append(
        Text(
            zh="只有面积、没有边界：面积按所报净面积计入。",
            en="Areas without outlines: they count as net land, as stated.",
        )
    )
    return rows.checked(
        preview=compared(known, context.region),
        known=known,
        files={"land.csv": spreadsheet.as_csv(land.round(4)), "sites.csv": spreadsheet.as_csv(totals.round(4))},
        source=source,
        extra={"sites": totals},
    )


def _likely(row: Mapping[str, Any], middle: pd.Series) -> dict[str, float]:
    """Of areas that were stated as ranges, the sum of their middles."""
    return {"likely": round(float(middle[row["subject"]]), 3)} if row["attribute"] == "available_land_ha" else {}


def _unknown_words(rows: Rows) -> Iterator[Fault]:
    """Faults of words that mean no status and no use; nothing may be said."""
    land = toml.table("land")
    allowed = {
        "status": [row[f"name_{language}"] for row in land["status"] for language in LANGUAGES],
        "use": [row[code] for row in land["use"] for code in ("code", "new_code")],
    }
    means = {"status": status_of, "use": use_of}
    return (
        Fault("imports.unknown_word", rows.at(row, key), value=value, words=sorted(words))
        for key, words in allowed.items()
        if key in rows.headings
        for row, value in rows.text[key].items()
        if value and not means[key](value, land)
    )


def _sites(rows: Rows, parcels: gpd.GeoDataFrame) -> tuple[list[str], pd.DataFrame]:
    """Site of each parcel: by the name it says, by what was decided for that name, else the nearest in reach."""
    everyone = rows.context.region.layers.read("sites")
    calls = named(everyone[["id", "name_zh", "name_en"]])
    middle = parcels.geometry.to_crs(layers.CRS).representative_point()
    ids, groups = everyone["id"].to_numpy(), []
    radius = np.sqrt(pd.to_numeric(everyone["approved_ha"]).fillna(0).to_numpy() * 1e4 / np.pi) / 1000
    doubt = pd.to_numeric(everyone["coord_uncertainty_m"]).fillna(0).to_numpy() / 1000
    site = pd.Series("", index=parcels.index, dtype=object)
    for name, members in parcels.groupby("site", sort=False).groups.items():
        own = calls.get(plain(name).lower(), "") if name else ""
        decided = own or rows.context.belongs.get(str(name), "")
        km = np.nan_to_num(distance_km(middle[members], everyone.geometry), nan=np.inf)
        nearest = km.argmin(axis=1)
        if decided:
            chosen = np.full(len(members), int(np.flatnonzero(ids == decided)[0]))
        else:
            chosen = nearest if not name else np.full(len(members), np.bincount(nearest).argmax())
        reach = np.maximum(FAR_KM if decided else NEAR_KM, (radius + doubt)[chosen])
        away = km[np.arange(len(members)), chosen]
        site[members] = ids[chosen]
        far = away > reach
        for row, distance, at in zip(members[far], away[far], chosen[far], strict=True):
            place = rows.at(row, "site" if "site" in rows.headings else "")
            rows.faults.append(Fault("imports.far_from_site", place, km=float(distance), site=str(ids[at])))
        by = "name" if own else "chosen" if decided else "place"
        for at in np.unique(chosen):
            here = chosen == at
            beyond = float(away[here].max() - (radius + doubt)[at])
            groups.append((str(name), ids[at], by, int(here.sum()), float(away[here].max()), beyond))
    return site.tolist(), pd.DataFrame(groups, columns=["said", "site", "by", "parcels", "km", "beyond"])


def _moved(fault: Fault, rows: Rows) -> Fault:
    """The fault under the row and the heading of the file."""
    index = rows.text.index
    if not 0 < fault.row <= len(index):
        return fault
    row, column = int(index[fault.row - 1]), rows.headings.get(fault.column, fault.column)
    return fault.at(replace(fault.place, name=rows.context.name, row=row, column=column))
