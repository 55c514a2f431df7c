"""Substations of the planner's own: what they can spare, and a layer in which they stand beside the shipped ones."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Basis, KnownBetter, Layer, Text
from geo_cluster.errors import Fault, Faults, InputError, place
from geo_cluster.imports.files import Checked, day, digest, keyed, plain, spans
from geo_cluster.imports.observations import Wrong, named, subjects, unit_factor
from geo_cluster.region import Region
from geo_cluster.supply.serving_station import feeding_station
from geo_cluster.supply.substations import feeding_levels, headroom, substation_faults, transformers
from geo_cluster.world import layers, spreadsheet
from geo_cluster.world.coordinates import convert

FILE = "substations.csv"
MADE_BY = "import"
NUMBERS = ("peak_low_mva", "peak_mva", "peak_high_mva", "lon", "lat")
BASIS: dict[str, Basis] = {"stated": "reported", "N-1": "derived"}


def check_substations(
    table: pd.DataFrame,
    region: Region,
    *,
    name: str,
    sha256: str = "",
    source: str = "",
    system: str = "wgs84",
    today: datetime.date | None = None,
) -> Checked:
    """Check a table of substations; see `tables/imports.toml` for its columns.

    A station whose id or name is in the layer updates it, any other is added. What it can spare is what the grid
    company stated, else what N-1 leaves (`supply.substations.headroom`).

    Parameters
    ----------
    source : str
        Who says so, where a row doesn't; the file's name when empty.
    system : {"wgs84", "gcj02", "bd09"}
        What the coordinates are in.
    today : date
        Stations commissioned later offer nothing yet.
    """
    today = today or datetime.date.today()
    text, headings, faults, notes = keyed(table, "substations", name)

    def refused() -> Checked:
        return Checked("substations", name, sha256, table, tuple(faults), tuple(notes))

    if faults or text.empty:
        return refused()

    def wrong(row: int, key: str, what: str, remedy: str) -> None:
        faults.append(Fault(place(name, row, headings.get(key, key)), what, remedy))

    base = region.layers.read("substations")
    numbers = _numbers(text, wrong)
    rows = _rows(text, numbers, base, wrong)
    spare = _spare(text, numbers, rows, wrong, today)
    rows["feeds"] = _feeds(text, region, wrong)
    if faults:
        return refused()
    rows["source"] = text["source"].where(text["source"] != "", source or name).to_numpy()
    rows["as_of"] = today.isoformat()
    if system != "wgs84":
        rows["lon"], rows["lat"] = convert(rows["lon"], rows["lat"], source=system, target="wgs84")
        notes.append(
            Text(zh=f"坐标由 {system.upper()} 换算为 WGS 84。", en=f"Converted from {system.upper()} to WGS 84.")
        )
    _locate(rows, text, region.layers, faults, wrong, name)
    if faults:
        return refused()
    found = _merged(base, [rows])
    faults += layers.contract_faults("substations", found)
    if faults:
        return refused()
    known = tuple(
        KnownBetter(
            subject=one.id,
            attribute="spare_mva",
            low=one.low,
            likely=one.likely,
            high=one.high,
            basis=BASIS[one.by],
            source=one.source if one.by == "stated" else f"{one.source}（N-1）",
            as_of="",
        )
        for one in pd.concat([rows, spare], axis=1).itertuples()
        if one.by
    )
    preview = _preview(rows, spare, region, found)
    if not preview["sites"].ne("").any():
        notes.append(
            Text(
                zh="没有园区由这些站供电：站不在园区所列供电站中。可在“供电园区”列写明。",
                en="No site draws on these stations: sources name others. Say so in the column feeds.",
            )
        )
    content = spreadsheet.as_csv(rows)
    return Checked(
        "substations",
        name,
        sha256,
        table,
        (),
        tuple(notes),
        preview=preview,
        known=known,
        files={FILE: content},
        source=source or name,
    )


def _numbers(text: pd.DataFrame, wrong: Wrong) -> pd.DataFrame:
    out = pd.DataFrame(index=text.index)
    for key in NUMBERS:
        bounds, bad = spans(text[key])
        bad |= bounds[:, 0] != bounds[:, 2]
        bad &= text[key].to_numpy() != ""
        out[key] = np.where(bad, np.nan, bounds[:, 1])
        for row in text.index[bad]:
            wrong(row, key, f"{text.loc[row, key]!r} is not a number", "write one number")
    return out


def _rows(text: pd.DataFrame, numbers: pd.DataFrame, base: pd.DataFrame, wrong: Wrong) -> pd.DataFrame:
    """One row a station under the id that it has or gets."""
    calls = named(base[["id", "name_zh", "name_en"]])
    taken, fresh = set(base["id"]), 0
    seen: dict[str, int] = {}
    out = []
    for row, cells in zip(text.index, text.to_dict("records"), strict=True):
        for key in ("name", "voltage_kv"):
            if not cells[key]:
                wrong(row, key, "is empty", "fill it in")
        existing = calls.get(cells["id"].lower(), "") or calls.get(cells["name"].lower(), "")
        one = cells["id"] or existing
        if existing:
            one = existing
        while not one or (not existing and not cells["id"] and one in taken):
            fresh += 1
            one = f"U{fresh:02d}"
        taken.add(one)
        if one in seen:
            wrong(row, "name", f"is the station of row {seen[one]} again", "keep one of the rows")
        seen[one] = row
        levels: frozenset[float] = frozenset()
        try:
            levels = feeding_levels(cells["voltage_kv"].lower().replace("kv", "").replace("千伏", ""))
        except ValueError:
            wrong(row, "voltage_kv", f"{cells['voltage_kv']!r} is no voltage", "write e.g. 220/110/35")
        installed = np.nan
        try:
            installed = sum(transformers(cells["transformers_mva"])) if cells["transformers_mva"] else np.nan
        except ValueError:
            wrong(
                row,
                "transformers_mva",
                f"{cells['transformers_mva']!r} can't be read",
                "write ratings in MVA, e.g. 2x50+31.5",
            )
        begun = day(cells["commissioned"]) if cells["commissioned"] else ""
        if begun is None:
            wrong(row, "commissioned", f"{cells['commissioned']!r} is no date", "write 2026, 2026-06 or 2026-06-15")
        if not existing and not (numbers.loc[row, "lon"] > 0 and numbers.loc[row, "lat"] > 0):
            wrong(row, "lon", "is needed for a new station", "give longitude and latitude in degrees")
        elif not numbers.loc[row, ["lon", "lat"]].isna().all():
            lon, lat = numbers.loc[row, ["lon", "lat"]]
            west, south, east, north = layers.HUBEI
            if not (west <= lon <= east and south <= lat <= north):
                swapped = west <= lat <= east and south <= lon <= north
                what = "has longitude and latitude swapped" if swapped else "lies outside Hubei and its neighbours"
                wrong(row, "lon", what, "give longitude first, in degrees")
        out.append(
            {
                "id": one,
                "is_new": not existing,
                "name": cells["name"],
                "voltage_kv": max(levels, default=np.nan),
                "transformer_mva": installed,
                "in_service_from": begun or "",
                "lon": numbers.loc[row, "lon"],
                "lat": numbers.loc[row, "lat"],
            }
        )
    return pd.DataFrame(out, index=text.index)


def _spare(
    text: pd.DataFrame, numbers: pd.DataFrame, rows: pd.DataFrame, wrong: Wrong, today: datetime.date
) -> pd.DataFrame:
    """Low, likely, high of what each can spare, and by what; '' where nothing is said."""
    out = pd.DataFrame({"low": np.nan, "likely": np.nan, "high": np.nan, "by": ""}, index=text.index)
    stated, bad = spans(text["spare_mva"])
    for k, row in enumerate(text.index):
        if bad[k] or stated[k, 0] < 0 or stated[k, 0] > stated[k, 2]:
            wrong(row, "spare_mva", f"{text.loc[row, 'spare_mva']!r} is not a number", "write 30, or 20-40 for a range")
        factor = unit_factor("spare_mva", text.loc[row, "unit"] or "MVA")
        if factor is None:
            units = "、".join(toml.table("imports")["units"]["spare_mva"])
            wrong(row, "unit", f"{text.loc[row, 'unit']!r} is no unit of 可开放容量", f"use one of {units}")
        elif text.loc[row, "spare_mva"] and not bad[k]:
            out.loc[row, ["low", "likely", "high"]] = np.round(stated[k] * factor, 6)
            out.loc[row, "by"] = "stated"
    measured = (out["by"] == "") & (text["transformers_mva"] != "") & numbers["peak_mva"].notna()
    measured &= rows["voltage_kv"].notna() & rows["transformer_mva"].notna()
    if measured.any():
        peaks = numbers[["peak_low_mva", "peak_mva", "peak_high_mva"]][measured]
        peaks = peaks.assign(**{key: peaks[key].fillna(peaks["peak_mva"]) for key in peaks})
        stations = text.loc[measured, ["name", "voltage_kv", "transformers_mva"]].join(peaks)
        stations["name"] = rows["id"]
        stations["commissioned"] = rows["in_service_from"]
        for fault in substation_faults(stations):
            wrong(stations.index[max(fault.row, 1) - 1], "peak_mva", fault.what, fault.remedy)
        try:
            spare = headroom(stations, at=today.isoformat())
        except InputError:
            return out
        out.loc[measured, ["low", "likely", "high"]] = (
            spare[[f"headroom_{e}_mva" for e in ("low", "likely", "high")]].to_numpy().round(3)
        )
        out.loc[measured, "by"] = "N-1"
    return out


def _feeds(text: pd.DataFrame, region: Region, wrong: Wrong) -> list[str]:
    everyone = subjects(region)
    calls = named(everyone[everyone["kind"] == "site"])
    out = []
    for row, cell in text["feeds"].items():
        parts = [part.strip() for part in cell.replace("、", ";").replace(",", ";").split(";") if part.strip()]
        for part in parts:
            if not calls.get(part.lower()):
                wrong(row, "feeds", f"{part!r} is no site", "write ids such as H01;H03")
        out.append(";".join(calls.get(part.lower()) or part for part in parts))
    return out


def _locate(
    rows: pd.DataFrame, text: pd.DataFrame, base: layers.Layers, faults: Faults, wrong: Wrong, name: str
) -> None:
    """Prefecture and county by position; a county that a row claims is held against it, and shifts are told."""
    counties = base.read("counties")
    codes = {
        plain(call).lower(): code
        for code, *names in counties[["code", "name_zh", "name_en"]].itertuples(index=False)
        for call in (code, *names)
    }
    points = gpd.GeoDataFrame(
        rows[["id"]], geometry=gpd.GeoSeries.from_xy(rows["lon"], rows["lat"], index=rows.index, crs=layers.CRS)
    )
    points.loc[rows["lon"].isna(), "geometry"] = None
    for row, cell in text["county"].items():
        if cell and cell.lower() not in codes:
            wrong(row, "county", f"{cell!r} is no county of Hubei", "write its name or code, e.g. 大冶市 or 420281")
    points["county_code"] = [codes.get(cell.lower(), "") for cell in text["county"]]
    at = gpd.sjoin(
        points, counties[["code", "prefecture_code", "geometry"]], predicate="within", how="left", rsuffix="in"
    )
    at = at[~at.index.duplicated()]
    rows["county_code"] = at["code"].fillna("").to_numpy()
    rows["prefecture_code"] = at["prefecture_code"].fillna("").to_numpy()
    claims = points.reset_index(drop=True)
    for fault in layers.place_faults("substations", claims, counties, base.read(layers.GAZETTEER).geometry):
        here = place(name, int(rows.index[fault.row - 2]), "县区") if fault.row else name
        faults.append(Fault(here, fault.what, fault.remedy))


def _preview(rows: pd.DataFrame, spare: pd.DataFrame, region: Region, found: pd.DataFrame) -> pd.DataFrame:
    """One row a station: new or updated, what it can spare now and then, and which sites would draw on it."""
    now = region.observations.query("attribute == 'spare_mva'").set_index("site_id")
    feed = feeding_station(_fed(region.sites, [rows]), found)
    sites = region.sites["id"].to_numpy()
    out = rows[["id", "name", "is_new", "voltage_kv"]].join(spare)
    for end in ("low", "likely", "high"):
        out[f"old_{end}"] = [now[end].get(one, np.nan) for one in rows["id"]]
    out["sites"] = ["、".join(sites[feed.station == one]) for one in rows["id"]]
    return out.reset_index(names="row")


# ---- the layer ----------------------------------------------------------------------------------------------


def _merged(base: pd.DataFrame, added: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The layer with stations updated and added, the later over the earlier."""
    found = base.set_index("id")
    for rows in added:
        for one in rows.itertuples():
            if one.id not in found.index:
                found.loc[one.id, "name_en"] = one.name
                found.loc[one.id, "kind"] = "substation"
                found.loc[one.id, "status"] = "unknown"
            own = {
                "name_zh": one.name,
                "voltage_kv": one.voltage_kv,
                "transformer_mva": one.transformer_mva,
                "in_service_from": one.in_service_from,
                "lon": one.lon,
                "lat": one.lat,
                "county_code": one.county_code,
                "prefecture_code": one.prefecture_code,
                "source": one.source,
                "as_of": one.as_of,
                "source_class": "user",
                "confidence": "as stated",
            }
            if one.in_service_from:
                own["status"] = "operating" if one.in_service_from <= one.as_of else "planned"
            if pd.notna(one.lon):
                own |= {"coord_basis": one.source, "coord_uncertainty_m": np.nan}
            if one.id in base["id"].to_numpy():
                own.pop("name_zh")
            for column, value in own.items():
                if not (pd.isna(value) or value == "") or column == "coord_uncertainty_m":
                    found.loc[one.id, column] = value
    found = found.reset_index()
    text = [column for column in found if column not in ("geometry", *_numeric(base))]
    found[text] = found[text].fillna("")
    points = gpd.GeoSeries.from_xy(pd.to_numeric(found["lon"]), pd.to_numeric(found["lat"]), crs=layers.CRS)
    points[pd.to_numeric(found["lon"]).isna()] = None
    return gpd.GeoDataFrame(found.drop(columns="geometry"), geometry=points)


def _numeric(table: pd.DataFrame) -> list[str]:
    return [column for column in table if column != "geometry" and pd.api.types.is_numeric_dtype(table[column])]


def _fed(sites: gpd.GeoDataFrame, added: Sequence[pd.DataFrame]) -> gpd.GeoDataFrame:
    """Sites with the stations that the planner says feed them in place of those that a source names."""
    said: dict[str, list[str]] = {}
    for rows in added:
        for one in rows.itertuples():
            for site in filter(None, str(one.feeds).split(";")):
                said.setdefault(site, []).append(one.id)
    stations = sites["stations"].where(
        ~sites["id"].isin(said), sites["id"].map(lambda one: ";".join(said.get(one, [])))
    )
    return sites.assign(stations=stations)


def read_rows(content: bytes) -> pd.DataFrame:
    """Stations as `Checked.files` keeps them."""
    rows = spreadsheet.read_csv(content)
    numeric = ["voltage_kv", "transformer_mva", "lon", "lat"]
    return rows.assign(**{key: pd.to_numeric(rows[key].where(rows[key] != ""), errors="coerce") for key in numeric})


def layer_files(added: Mapping[str, pd.DataFrame], base: layers.Layers) -> tuple[dict[str, bytes], dict[str, Layer]]:
    """The layers `substations` and, where a feed is stated, `sites` with the stations of each source: files, registry.

    Parameters
    ----------
    added : mapping
        Source -> stations as `read_rows` gives them, in the order of their import.
    base : Layers
        What they are added to.
    """
    frames = list(added.values())
    tables = {"substations": _merged(base.read("substations"), frames)}
    if any(rows["feeds"].ne("").any() for rows in frames):
        tables["sites"] = _fed(base.read("sites"), frames)
    files, registry = {}, {}
    for name, table in tables.items():
        flat = pd.DataFrame(table.drop(columns="geometry"))
        content = spreadsheet.as_csv(flat)
        shipped, who = base.registry[name], "；".join(added)
        files[f"{name}.csv"] = content
        registry[name] = shipped.model_copy(
            update={
                "file": f"{name}.csv",
                "title_zh": f"{shipped.title_zh}（含自有）",
                "title_en": f"{shipped.title_en} (own added)",
                "producer": f"{shipped.producer} + {who}",
                "producer_zh": f"{shipped.said('producer', 'zh')} + {who}",
                "licence": f"{shipped.licence}; own: not stated",
                "licence_zh": f"{shipped.said('licence', 'zh')}；自有：未说明",
                "attribution_zh": f"{shipped.attribution_zh}；{who}",
                "attribution_en": f"{shipped.attribution_en}; {who}",
                "as_of": max(rows["as_of"].max() for rows in frames),
                "sha256": digest(content),
                "bytes": len(content),
                "rows": len(flat),
                "made_by": MADE_BY,
                "notes": f"own rows from: {who}",
                "notes_zh": f"自有各行来自：{who}",
            }
        )
    return files, registry
