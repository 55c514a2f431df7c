"""Where shapes lie, checked before they count: degrees or metres, which zone, longitude first, shifted or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place
from geo_cluster.imports import shifts
from geo_cluster.supply.land import Exclusion
from geo_cluster.world import layers

SHIFTED = re.compile(r"gcj|bd-?0?9|火星|百度|高德|baidu|amap|autonavi|tencent|腾讯", re.IGNORECASE)
"""Words of coordinates that are shifted by law or by a map's maker, hundreds of metres off."""

SAID = re.compile(r"坐标系|坐标系统|坐标基准|大地基准|^crs$|^datum$|^srs$|coordinate", re.IGNORECASE)
"""Headings under which a table says what its coordinates are in."""

OLDER = {"xian": Text(zh="1980 西安坐标系", en="Xi'an 1980"), "beijing": Text(zh="1954 北京坐标系", en="Beijing 1954")}
"""Datums whose parameters are not public: some tens of metres are left."""

CLOSE_KM = 15.0
"""A system fits where the shapes lie no farther than this from a site that the planner has."""

FAR_KM = 50.0
"""An exclusion layer farther than this from every parcel is in a wrong system, or of another place."""

DEGREES = {"EPSG:4326", "EPSG:4490"}
"""Systems in degrees, which differ by less than a metre."""

Numbers = NDArray[np.float64]


def faults(
    frame: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    place: Place,
    *,
    chosen: str,
    says: Sequence[str] = (),
    stated: str = "",
) -> Iterator[Fault]:
    """What is wrong with the coordinates of a file; its remedies name the systems in which it would lie near a site.

    Parameters
    ----------
    frame : GeoDataFrame
        Its shapes that count; the index is the row.
    sites : GeoDataFrame
        With points in degrees.
    place : Place
        The file, and the column of its outlines.
    chosen : str
        The system that the planner chose; '' for none.
    says : sequence of str
        What the file says of its coordinates.
    stated : str
        The CRS that it states, which may place its numbers nowhere.
    """
    said = _shift_said(says, frame)
    if said and not chosen:
        yield Fault("imports.says_shifted", place, said=said)
        return
    x, y = _middles(frame)
    if frame.crs is None:
        codes = systems(x, y, sites)
        if codes and stated:
            yield Fault("imports.lies_elsewhere", place, crs=stated[:40], codes=codes)
        else:
            yield Fault("imports.no_crs_but", place, codes=codes) if codes else Fault("imports.no_crs", place)
        return
    lon, lat = _degrees(frame.crs, x, y)
    outside = ~_is_inside(lon, lat)
    if outside.any():
        yield from _outside(frame, outside, place, systems(x[outside], y[outside], sites))


def _outside(frame: gpd.GeoDataFrame, outside: NDArray[np.bool_], place: Place, codes: list[str]) -> Iterator[Fault]:
    x, y = _middles(frame)
    crs = frame.crs.to_string()
    crs = crs if len(crs) < 40 else str(frame.crs.name)
    swapped = outside & _is_inside(*_degrees(frame.crs, y, x))
    if len(frame) > 1 and swapped.all() and frame.crs.to_epsg():
        yield Fault("imports.all_swapped", place, codes=[f"EPSG:{frame.crs.to_epsg()} xy"])
        return
    for row in frame.index[swapped]:
        yield Fault("imports.swapped_shape", replace(place, row=int(row)))
    rest = outside & ~swapped
    if codes and rest.all():
        yield Fault("imports.lies_elsewhere", place, crs=crs, codes=codes)
        return
    if frame.crs.is_geographic and np.abs(x[rest]).max(initial=0.0) > 360 and rest.all():
        yield Fault("imports.not_in_degrees", place, crs=crs)
        return
    lon, lat = _degrees(frame.crs, x, y)
    for k in np.flatnonzero(rest):
        here = replace(place, row=int(frame.index[k]))
        if np.isfinite(lon[k]) and np.isfinite(lat[k]):
            yield Fault("imports.outside", here, lon=float(lon[k]), lat=float(lat[k]))
        else:
            yield Fault("imports.nowhere", here, x=float(x[k]), y=float(y[k]), crs=crs)


def offered(wrong: Iterable[Fault]) -> tuple[str, ...]:
    """The systems that faults offer, to choose from."""
    codes: list[str] = []
    for one in wrong:
        said = one.values.get("codes", ()) if one.code != "imports.rule_far_but" else ()  # noqa: PD011  # of a fault
        codes += [str(code) for code in said] if isinstance(said, list) else []
        codes += ["gcj02", "bd09", "EPSG:4326"] if one.code == "imports.says_shifted" and not one.place.sheet else []
        codes += _choices(one) if one.code == "imports.shifted_beside" else []
    return tuple(dict.fromkeys(codes))


def _choices(shifted: Fault) -> list[str]:
    """Of a shift that was found: its system, and the one that the file states."""
    said = dict(shifted.values)
    return [code for code, name in shifts.NAMES.items() if name == said["code"]] + [str(said["own"])]


def rule_systems(wrong: Iterable[Fault]) -> tuple[str, ...]:
    """The systems that faults offer for exclusion layers, to choose from."""
    codes: list[str] = []
    for one in wrong:
        codes += _choices(one) if one.code == "imports.rule_shifted" else []
        codes += ["gcj02", "bd09", "EPSG:4326"] if one.code == "imports.says_shifted" and one.place.sheet else []
        said = one.values.get("codes", ()) if one.code == "imports.rule_far_but" else ()  # noqa: PD011  # of a fault
        codes += [str(code) for code in said] if isinstance(said, list) else []
    return tuple(dict.fromkeys(codes))


def column_fault(frame: gpd.GeoDataFrame, table: pd.DataFrame, place: Place) -> Fault | None:
    """The fault, at `place`, of shapes of `frame` that are shifted from the degrees that their own `table` says."""
    found = shifts.from_columns(frame, table)
    if found is None:
        return None
    (code, count), lon, lat = found
    known = Text(zh=f"“{lon}”“{lat}”两列所写", en=f"what the columns {lon} and {lat} say")
    return shifted_fault(place, shifts.Shift(code, count), known, frame.crs)


def shifted_fault(place: Place, shift: shifts.Shift, known: Text, crs: pyproj.CRS) -> Fault:
    """The fault of shapes that miss something by a shift.

    Parameters
    ----------
    place : Place
    shift : Shift
    known : Text
        What they miss.
    crs : CRS
        What the file states.
    """
    return Fault(
        "imports.shifted_beside", place, known=known, code=shifts.NAMES[shift.code], count=shift.shapes, own=_own(crs)
    )


def _own(crs: pyproj.CRS) -> str:
    return f"EPSG:{crs.to_epsg()}" if crs.to_epsg() else "EPSG:4326"


def far_but(frame: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, place: Place) -> Fault | None:
    """The fault, at `place`, of shapes of `frame` that would lie near one of the `sites` in another system, or None."""
    own = frame.crs.to_string() if frame.crs else ""
    codes = [one for one in systems(*_middles(frame), sites) if one != own and not ({one, own} <= DEGREES)]
    return Fault("imports.far_but", place, codes=codes) if codes else None


def systems(x: Numbers, y: Numbers, sites: gpd.GeoDataFrame) -> list[str]:
    """The systems in which all points `x`, `y` would lie near one of the `sites`, the likeliest first.

    `EPSG:4547` and its like as the planner may choose them; `xy` where x and y are exchanged besides, `mm` where the
    numbers are millimetres.
    """
    at = np.column_stack([sites.geometry.x, sites.geometry.y])
    at = at[np.isfinite(at).all(axis=1)]
    out = []
    for row in toml.table("imports")["crs"]:
        code = row["code"]
        if code.startswith("EPSG:"):
            crs = pyproj.CRS(code)
            for how, (a, b) in {"": (x, y), " xy": (y, x), " mm": (x / 1000, y / 1000)}.items():
                if _near(*_degrees(crs, a, b), at):
                    out.append(f"{code}{how}")
    plain = [one for one in out if " " not in one]
    return plain or out


def _near(lon: Numbers, lat: Numbers, at: Numbers) -> bool:
    if not len(at) or not _is_inside(lon, lat).all():
        return False
    east, north = np.subtract.outer(lon, at[:, 0]) * 96.0, np.subtract.outer(lat, at[:, 1]) * 111.0
    return bool((np.hypot(east, north).min(axis=1) < CLOSE_KM).all())


def _middles(frame: gpd.GeoDataFrame) -> tuple[Numbers, Numbers]:
    bounds = shapely.bounds(frame.geometry.to_numpy())
    return (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2


def _degrees(crs: pyproj.CRS, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Longitude and latitude; what a system can't place is infinite."""
    if crs.is_geographic:
        is_some = (np.abs(x) <= 360) & (np.abs(y) <= 360)
        return np.where(is_some, x, np.inf), np.where(is_some, y, np.inf)
    lon, lat = _to_degrees(crs).transform(x, y)
    return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)


@lru_cache(maxsize=64)
def _to_degrees(crs: pyproj.CRS) -> pyproj.Transformer:
    """Kept, for making one takes a twentieth of a second."""
    return pyproj.Transformer.from_crs(crs, layers.CRS, always_xy=True)


def _is_inside(lon: Numbers, lat: Numbers) -> NDArray[np.bool_]:
    west, south, east, north = layers.HUBEI
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _shift_said(says: Sequence[str], frame: gpd.GeoDataFrame) -> str:
    """What says that the coordinates are shifted: the file, a layer's name, or a column about them; '' if nothing."""
    cells = (
        str(cell)
        for heading in frame.columns
        if heading != frame.geometry.name and SAID.search(str(heading))
        for cell in frame[heading].dropna().unique()[:20]
    )
    return next((one[:80] for one in (*says, *cells) if SHIFTED.search(one)), "")


def notes(frame: gpd.GeoDataFrame, name: str) -> Iterator[Text]:
    """What may be wrong with coordinates that lie where they may."""
    hint = SHIFTED.search(name)
    if hint:
        yield Text(
            zh=f"文件名含“{hint[0]}”：坐标可能是 GCJ-02 或 BD-09（偏移数百米）。若是，请在坐标系中选。",
            en="The file's name speaks of GCJ-02 or BD-09, hundreds of metres off. If it is, choose it as its CRS.",
        )
    datum = str(frame.crs.datum.name if frame.crs and frame.crs.datum else "").lower()
    for word, called in OLDER.items():
        if word in datum:
            yield Text(
                zh=f"坐标系是{called.zh}，换算后可能仍偏数十米；请索取 CGCS2000 成果。",
                en=f"It is in {called.en}: some tens of metres may be left. Ask for CGCS2000.",
            )


# ---- exclusion layers ---------------------------------------------------------------------------------------


def rule_faults(
    rules: Iterable[Exclusion], parcels: gpd.GeoDataFrame, name: str, *, chosen: str = "", of_parcels: str = ""
) -> Iterator[Fault]:
    """Which rules say that they are shifted, are so by what lies beside them, or lie far from all parcels.

    Parameters
    ----------
    rules : sequence of Exclusion
    parcels : GeoDataFrame
    name : str
        Of the file of parcels.
    chosen, of_parcels : str
        The system that was chosen for the layers of the rules, and for the parcels; '' for none.
    """
    here = parcels.geometry.to_crs(layers.CRS)
    west, south, east, north = here.total_bounds
    near = gpd.GeoDataFrame(geometry=here.representative_point(), crs=layers.CRS)
    for rule in rules:
        ground = rule.geometries
        if not isinstance(ground, gpd.GeoDataFrame) or ground.crs is None or ground.geometry.isna().all():
            continue
        said = str(ground.attrs.get("says", ""))
        if SHIFTED.search(said) and not chosen:
            yield Fault("imports.says_shifted", Place(name, sheet=rule.name), said=said[:80])
            continue
        if (shifted := _shifted_beside(rule, here, Place(name), chosen=chosen, of_parcels=of_parcels)) is not None:
            yield shifted
            continue
        x, y = _middles(ground[ground.geometry.notna()])
        lon, lat = _degrees(ground.crs, x, y)
        bounds = shapely.bounds(ground.geometry.to_crs(layers.CRS).dropna().to_numpy())
        gap_x = np.maximum(np.maximum(west - bounds[:, 2], bounds[:, 0] - east), 0.0) * 96.0
        gap_y = np.maximum(np.maximum(south - bounds[:, 3], bounds[:, 1] - north), 0.0) * 111.0
        km = float(np.nanmin(np.where(np.isfinite(lon) & np.isfinite(lat), np.hypot(gap_x, gap_y), np.inf)))
        if km > FAR_KM:
            codes = [one for one in systems(x, y, near) if one != ground.crs.to_string()]
            code = "imports.rule_far_but" if codes else "imports.rule_far"
            yield Fault(code, Place(name, sheet=rule.name), km=min(km, 99_999.0), crs=str(ground.crs.name), codes=codes)


def _shifted_beside(
    rule: Exclusion, parcels: gpd.GeoSeries, place: Place, *, chosen: str, of_parcels: str
) -> Fault | None:
    """The fault of a rule whose outlines come to lie on those of parcels by a shift, or the other way round."""
    ground = rule.geometries.geometry.dropna()
    if not chosen and (shift := shifts.outlines_onto(ground, parcels)) is not None:
        how = {"code": shifts.NAMES[shift.code], "count": shift.shapes, "own": _own(ground.crs)}
        return Fault("imports.rule_shifted", replace(place, sheet=rule.name), **how)
    if not of_parcels and (shift := shifts.outlines_onto(parcels, ground)) is not None:
        known = Text(zh=f"约束图层“{rule.name}”", en=f"the exclusion layer {rule.name}")
        return shifted_fault(place, shift, known, parcels.crs)
    return None


def rule_notes(rules: Iterable[Exclusion], land: pd.DataFrame) -> Iterator[Text]:
    """Rules whose layer is empty, or touches no parcel."""
    for rule in rules:
        if len(rule.geometries) == 0:
            yield Text(
                zh=f"约束规则“{rule.name}”的图层是空的，什么也没扣。",
                en=f"The layer of the rule {rule.name} is empty: it takes nothing.",
            )
        elif not float(land[f"total_{rule.name}_ha"].sum()) > 0:
            yield Text(
                zh=f"约束规则“{rule.name}”不碰任何地块，什么也没扣；请核对其位置。",
                en=f"The rule {rule.name} touches no parcel and takes nothing; check where its layer lies.",
            )
