"""Parcels of the planner's own: to which site each belongs, what the rules leave of it, what a site can offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.domain import KnownBetter, Text
from geo_cluster.errors import Fault, Faults, InputError, place
from geo_cluster.imports.files import Checked, chosen_system, keyed, plain, spans
from geo_cluster.imports.observations import compared, named, subjects, unit_factor
from geo_cluster.region import Region
from geo_cluster.supply import land_survey
from geo_cluster.supply.land import Exclusion
from geo_cluster.supply.parcels import offered, parcel_faults
from geo_cluster.supply.serving_station import distance_km
from geo_cluster.world import layers, spreadsheet
from geo_cluster.world.coordinates import convert_geometry

NEAR_KM = 10.0
"""Parcels farther from every site than this, its own extent and the doubt of its position, belong to none of them."""

FAR_KM = 50.0
"""Where the site was named, only this far is a mistake: a zone runs several parks."""

_SHIFTED = re.compile(r"gcj|bd-?09|火星|百度|高德|baidu|amap|tencent|腾讯", re.IGNORECASE)
_CURVED = re.compile("linearring|circular|curve|surface", re.IGNORECASE)
"""Kinds of WKT that are no outline of corners."""

_OPTIONAL = ("status", "use", "plot_ratio_max", "height_max_m", "price_wan_yuan_per_mu", "notes")


def check_parcels(
    given: pd.DataFrame,
    region: Region,
    *,
    name: str,
    sha256: str = "",
    source: str = "",
    rules: Sequence[Exclusion] = (),
    belongs: Mapping[str, str] | None = None,
    crs: str = "",
) -> Checked:
    """Check parcels, subtract the rules, sum up by site.

    Parameters
    ----------
    given : GeoDataFrame or DataFrame
        Shapes as `read_shapes` gives them, or a table: with outlines (WKT, in `crs`), or with areas only, which are
        then taken as net land that was stated.
    rules : sequence of Exclusion
        In the order in which ground is charged.
    belongs : mapping, optional
        Site by what the column `site` says ('' where it says nothing), for names that no site has; what it leaves
        open goes to the nearest site.

    Returns
    -------
    Checked
        Preview: one row a site and attribute as for observations, with what each rule took in `extra["sites"]`; which
        parcel went to which site by name or by place in `extra["belongs"]`; the ground in `extra["land"]`.
    """
    shapes = isinstance(given, gpd.GeoDataFrame)
    table = pd.DataFrame(given.drop(columns=given.geometry.name)).astype(object) if shapes else given
    table = table.where(table.notna(), "").astype(str) if shapes else table
    text, headings, faults, notes = keyed(table, "parcels", name)
    source = source or name
    if not faults and len(text):
        geometry = given.geometry if shapes else _outlines(text, name, headings, faults, crs)
        if geometry is not None:
            return _surveyed(text, headings, gpd.GeoSeries(geometry).loc[text.index], table, region, faults, notes,
                             name=name, sha256=sha256, source=source, rules=rules, belongs=belongs or {})  # fmt: skip
        return _listed(text, headings, table, region, faults, notes, name, sha256, source, belongs or {})
    return Checked("parcels", name, sha256, table, tuple(faults), tuple(notes))


def _outlines(
    text: pd.DataFrame, name: str, headings: Mapping[str, str], faults: Faults, crs: str
) -> gpd.GeoSeries | None:
    """Outlines of a table's rows; None where it has none."""
    if not text["outline"].ne("").any():
        return None
    places = [place(name, row, headings["outline"]) for row in text.index]
    plain_ones = ["" if _CURVED.search(outline) else outline for outline in text["outline"]]
    shapes = door.outlines(plain_ones, name, places)
    for here, shape in zip(places, shapes, strict=True):
        if shape is None:
            faults.append(
                Fault(here, "is no outline in WKT", "write POLYGON ((x y, x y, …)), the first corner again at its end")
            )
    if not crs and not faults:
        faults.append(Fault(name, "has no coordinate reference system", "choose the one that it was drawn in"))
    if crs in ("gcj02", "bd09"):
        outlines = gpd.GeoSeries(shapes, index=text.index, crs=layers.CRS)
        return convert_geometry(outlines, source=crs, target="wgs84")
    return gpd.GeoSeries(shapes, index=text.index, crs=chosen_system(crs, name) if crs else None)


def _surveyed(
    text: pd.DataFrame,
    headings: Mapping[str, str],
    geometry: gpd.GeoSeries,
    table: pd.DataFrame,
    region: Region,
    faults: Faults,
    notes: list[Text],
    *,
    name: str,
    sha256: str,
    source: str,
    rules: Sequence[Exclusion],
    belongs: Mapping[str, str],
) -> Checked:
    used = [key for key in _OPTIONAL if key in headings]
    parcels = gpd.GeoDataFrame(text[["site", "parcel", *used]], geometry=geometry)
    for key in ("plot_ratio_max", "height_max_m", "price_wan_yuan_per_mu"):
        if key in parcels:
            parcels[key] = parcels[key].where(parcels[key] != "", None)
    if "parcel" not in headings:
        parcels["parcel"] = [f"{row}" for row in parcels.index]
    told = parcel_faults(parcels, land=toml.table("land"), where=name) if parcels.crs is not None else []
    faults += (_moved(fault, name, parcels.index, headings) for fault in told)
    hint = _SHIFTED.search(name)
    if hint:
        notes.append(
            Text(
                zh=f"文件名含“{hint[0]}”：坐标可能是 GCJ-02 或 BD-09（偏移数百米）。若是，请在坐标系中选。",
                en="The file's name speaks of GCJ-02 or BD-09, hundreds of metres off. If it is, choose it as its CRS.",
            )
        )
    if faults:
        return Checked("parcels", name, sha256, table, tuple(faults), tuple(notes))
    parcels["site"], where = _sites(parcels, region, belongs, name, headings, faults)
    if faults:
        return Checked("parcels", name, sha256, table, tuple(faults), tuple(notes), extra={"belongs": where})
    try:
        found = land_survey.survey(parcels, list(rules))
    except InputError as refusal:
        again = tuple(_moved(fault, name, parcels.index, headings) for fault in refusal.faults)
        return Checked("parcels", name, sha256, table, again, tuple(notes), extra={"belongs": where})
    if not rules:
        notes.append(
            Text(zh="没有约束规则：净面积等于边界面积。", en="No exclusion rules: net area is the area of the outline.")
        )
    if len(found.sites) == 0:
        notes.append(Text(zh="没有可供的地块（状态或用途）。", en="No parcel is on offer, by status or use class."))
    known = tuple(KnownBetter(**row) for row in land_survey.known(found.sites, source))
    return Checked(
        "parcels",
        name,
        sha256,
        table,
        (),
        tuple(notes),
        preview=compared(known, region),
        known=known,
        files=land_survey.tables(found),
        source=source,
        extra={"belongs": where, "land": found.land, "sites": found.sites, "gross": parcels},
    )


def _listed(
    text: pd.DataFrame,
    headings: Mapping[str, str],
    table: pd.DataFrame,
    region: Region,
    faults: Faults,
    notes: list[Text],
    name: str,
    sha256: str,
    source: str,
    belongs: Mapping[str, str],
) -> Checked:
    """A list of areas: net land as it was stated, the largest parcel as the largest piece."""
    calls = named(subjects(region).query("kind == 'site'"))
    bounds, bad = spans(text["area"])
    unit = _unit_in(headings.get("area", ""))
    area = np.full(len(text), np.nan)
    sites = []
    for k, (row, cells) in enumerate(zip(text.index, text.to_dict("records"), strict=True)):
        factor = unit_factor("available_land_ha", cells["unit"] or unit)
        if "area" not in headings or not cells["area"]:
            faults.append(
                Fault(place(name, row, headings.get("area", "面积")), "is empty", "give an area, or an outline")
            )
        elif bad[k] or not bounds[k, 0] > 0:
            faults.append(
                Fault(
                    place(name, row, headings["area"]), f"{cells['area']!r} is not a number", "write one number above 0"
                )
            )
        elif factor is None:
            what = f"{cells['unit']!r} is no unit of area" if cells["unit"] else "says no unit"
            faults.append(
                Fault(place(name, row, headings.get("unit", headings["area"])), what, "write 亩, 公顷 or 平方米")
            )
        else:
            area[k] = bounds[k, 1] * factor
        site = calls.get(cells["site"].lower()) or belongs.get(cells["site"], "")
        sites.append(site)
        if not site:
            what = f"{cells['site']!r} is no site" if cells["site"] else "is empty"
            faults.append(Fault(place(name, row, headings.get("site", "园区")), what, "write its id or name, e.g. H01"))
    faults += _worded(text, name, headings)
    repeated = text["parcel"].duplicated() & (text["parcel"] != "")
    faults += (
        Fault(place(name, row, headings["parcel"]), "has the name of an earlier row", "give it its own name")
        for row in text.index[repeated]
    )
    if faults:
        return Checked("parcels", name, sha256, table, tuple(faults), tuple(notes))
    used = [key for key in _OPTIONAL if key in headings]
    land = text[["parcel", *used]].assign(site=sites, gross_ha=area, net_ha=area, unknown_ha=0.0, largest_piece_ha=area)
    stated = land.assign(status=land["status"].replace("", "净地")) if "status" in land else land
    stated = stated.assign(use=stated["use"].replace("", "M1")) if "use" in stated else stated
    free = land[offered(stated, land=toml.table("land"))]
    totals = land_survey.totals(free)
    known = tuple(KnownBetter(**{**row, "basis": "reported"}) for row in land_survey.known(totals, source))
    notes.append(
        Text(
            zh="只有面积、没有边界：面积按所报净面积计入。",
            en="Areas without outlines: they count as net land, as stated.",
        )
    )
    files = {"land.csv": _csv(land), "sites.csv": _csv(totals)}
    return Checked(
        "parcels",
        name,
        sha256,
        table,
        (),
        tuple(notes),
        preview=compared(known, region),
        known=known,
        files=files,
        source=source,
        extra={"sites": totals},
    )


def _csv(table: pd.DataFrame) -> bytes:
    return spreadsheet.as_csv(table.round(4))


def _unit_in(heading: str) -> str:
    """The unit that a heading such as 面积(亩) or area_ha says."""
    found = plain(heading).lower()
    return next(
        (unit for mark, unit in (("亩", "亩"), ("mu", "亩"), ("公顷", "公顷"), ("ha", "公顷")) if mark in found), ""
    )


def _worded(text: pd.DataFrame, name: str, headings: Mapping[str, str]) -> Iterator[Fault]:
    land = toml.table("land")
    allowed = {
        "status": {row[f"name_{tongue}"] for row in land["status"] for tongue in ("zh", "en")} | {""},
        "use": {row[code] for row in land["use"] for code in ("code", "new_code")} | {""},
    }
    return (
        Fault(
            place(name, row, headings[key]), f"{value!r} is not known", f"use one of {', '.join(sorted(words - {''}))}"
        )
        for key, words in allowed.items()
        if key in headings
        for row, value in text[key].items()
        if value not in words
    )


def _sites(
    parcels: gpd.GeoDataFrame,
    region: Region,
    belongs: Mapping[str, str],
    name: str,
    headings: Mapping[str, str],
    faults: Faults,
) -> tuple[list[str], pd.DataFrame]:
    """Site of each parcel: by the name it says, by what was decided for that name, else the nearest in reach."""
    everyone = region.layers.read("sites")
    calls = named(everyone[["id", "name_zh", "name_en"]])
    middle = parcels.geometry.to_crs(layers.CRS).representative_point()
    groups = []
    site = pd.Series("", index=parcels.index, dtype=object)
    for said, members in parcels.groupby("site", sort=False).groups.items():
        own = calls.get(plain(said).lower(), "") if said else ""
        decided = own or belongs.get(str(said), "")
        km = np.nan_to_num(distance_km(middle[members], everyone.geometry), nan=np.inf)
        radius = np.sqrt(pd.to_numeric(everyone["approved_ha"]).fillna(0).to_numpy() * 1e4 / np.pi) / 1000
        doubt = pd.to_numeric(everyone["coord_uncertainty_m"]).fillna(0).to_numpy() / 1000
        by = "name" if own else "chosen" if decided else "place"
        nearest = km.argmin(axis=1)
        if decided:
            at = int(np.flatnonzero(everyone["id"] == decided)[0])
            chosen = np.full(len(members), at)
        else:
            chosen = nearest if not said else np.full(len(members), np.bincount(nearest).argmax())
        reach = np.maximum(FAR_KM if decided else NEAR_KM, (radius + doubt)[chosen])
        away = km[np.arange(len(members)), chosen]
        site[members] = everyone["id"].to_numpy()[chosen]
        far = away > reach
        for row, distance in zip(members[far], away[far], strict=True):
            what = f"lies {distance:.0f} km from {everyone['id'].iloc[chosen[0]]}, the site it would belong to"
            here = place(name, row, headings["site"]) if "site" in headings else place(name, row)
            faults.append(Fault(here, what, "name its site, or check the coordinate reference system"))
        for at in np.unique(chosen):
            here = chosen == at
            groups.append((str(said), everyone["id"].iloc[at], by, int(here.sum()), float(away[here].max())))
    return site.tolist(), pd.DataFrame(groups, columns=["said", "site", "by", "parcels", "km"])


def _moved(fault: Fault, name: str, rows: pd.Index, headings: Mapping[str, str]) -> Fault:
    """The fault under the row and the heading of the file."""
    if not 0 < fault.row <= len(rows):
        return fault
    row, column = int(rows[fault.row - 1]), headings.get(fault.column, fault.column)
    return fault.at(replace(fault.place, name=name, row=row, column=column))
