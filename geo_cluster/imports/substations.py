"""Substations of the planner's own: what they can spare, and a layer in which they stand beside the shipped ones."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from geo_cluster.domain import Basis, KnownBetter, Layer, Text
from geo_cluster.errors import Fault, InputError, Place, row_of
from geo_cluster.imports import stations as named_stations
from geo_cluster.imports.cells import day, plain, spans, unit_factor
from geo_cluster.imports.checked import Checked, ImportContext
from geo_cluster.imports.files import HOWS, chosen_system, digest
from geo_cluster.imports.headings import Rows, recognise
from geo_cluster.imports.observations import named, subjects, unknown_unit
from geo_cluster.imports.whereabouts import systems
from geo_cluster.region import Region
from geo_cluster.supply.serving_station import feeding_station
from geo_cluster.supply.substations import feeding_levels, headroom, substation_faults, transformers
from geo_cluster.world import layers, spreadsheet
from geo_cluster.world.coordinates import convert
from geo_cluster.world.sheets.table import Table

FILE = "substations.csv"
MADE_BY = "import"
SHIFTS = ("gcj02", "bd09")
NUMBERS = ("peak_low_mva", "peak_mva", "peak_high_mva", "lon", "lat")
BASIS: dict[str, Basis] = {"stated": "reported", "N-1": "derived"}


def check_substations(
    table: Table | pd.DataFrame, context: ImportContext, *, today: datetime.date | None = None
) -> Checked:
    """Check a table of substations; see `tables/imports.toml` for its columns.

    A station whose id or name is in the layer updates it, any other is added. What it can spare is what the grid
    company stated, else what N-1 leaves (`supply.substations.headroom`).

    Parameters
    ----------
    table : Table or DataFrame
    context : ImportContext
        Its `crs` may be `gcj02`, `bd09` or an EPSG code; coordinates are in WGS 84 otherwise.
    today : date, optional
        Stations commissioned later are planned: what they can spare counts from their date on.

    Returns
    -------
    Checked
        Preview: one row a station; `files` has the stations as `read_rows` reads them.
    """
    today = today or datetime.date.today()
    rows = recognise(table, context)
    if rows.halted or rows.text.empty:
        return rows.checked()
    region, text = context.region, rows.text
    base = region.layers.read("substations")
    numbers = _numbers(rows)
    if offered := _place(rows, numbers):
        return rows.checked(extra={"offered": offered})
    stations = _stations(rows, numbers, base)
    spare = _spare(rows, numbers, stations)
    stations["feeds"] = _feeds(rows)
    rows.faults.extend(named_stations.id_faults(rows))
    rows.faults.extend(named_stations.position_faults(rows, stations, base))
    if rows.faults:
        return rows.checked()
    rows.notes.extend(named_stations.notes(rows, stations, spare, base))
    source = context.source or context.name
    stations["source"] = text["source"].where(text["source"] != "", source).to_numpy()
    stations["as_of"] = today.isoformat()
    if context.crs in SHIFTS:
        stations["lon"], stations["lat"] = convert(stations["lon"], stations["lat"], source=context.crs, target="wgs84")
    if context.crs:
        system = context.crs.upper()
        rows.notes.append(Text(zh=f"坐标由 {system} 换算为 WGS 84。", en=f"Converted from {system} to WGS 84."))
    _locate(rows, stations)
    if rows.faults:
        return rows.checked()
    found = _merged(base, [stations])
    rows.faults.extend(layers.contract_faults("substations", found))
    if rows.faults:
        return rows.checked()
    preview = _preview(stations, spare, region, found)
    if not preview["sites"].ne("").any():
        rows.notes.append(
            Text(
                zh="没有园区由这些站供电：站不在园区所列供电站中。可在“供电园区”列写明。",
                en="No site draws on these stations: sources name others. Say so in the column feeds.",
            )
        )
    files = {FILE: spreadsheet.as_csv(stations)}
    return rows.checked(preview=preview, known=_known(stations, spare), files=files, source=source)


def _known(stations: pd.DataFrame, spare: pd.DataFrame) -> tuple[KnownBetter, ...]:
    """What each station can spare, as numbers of the scenario."""
    return tuple(
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
        for one in pd.concat([stations, spare], axis=1).itertuples()
        if one.by
    )


def _numbers(rows: Rows) -> pd.DataFrame:
    """The cells of `NUMBERS`, each one number; nan where there is none."""
    out = pd.DataFrame(index=rows.text.index)
    for key in NUMBERS:
        cells = rows.text[key]
        bounds, bad = spans(cells)
        bad |= bounds[:, 0] != bounds[:, 2]
        bad &= cells.to_numpy() != ""
        out[key] = np.where(bad, np.nan, bounds[:, 1])
        rows.faults.extend(
            Fault("imports.not_one_number", rows.at(row, key), value=cells[row]) for row in cells.index[bad]
        )
    return out


def _place(rows: Rows, numbers: pd.DataFrame) -> tuple[str, ...]:
    """Bring `lon` and `lat` from a projected system to degrees; the systems to choose from where none was chosen."""
    context = rows.context
    x, y = numbers["lon"].to_numpy(float), numbers["lat"].to_numpy(float)
    if context.crs and context.crs not in SHIFTS:
        code, _, how = context.crs.partition(" ")
        if how in HOWS:
            x, y = HOWS[how](np.column_stack([x, y])).T
        to_degrees = pyproj.Transformer.from_crs(chosen_system(code, context.name), layers.CRS, always_xy=True)
        numbers["lon"], numbers["lat"] = to_degrees.transform(x, y)
        numbers[["lon", "lat"]] = numbers[["lon", "lat"]].replace([np.inf, -np.inf], 999.0)
        return ()
    metric = np.abs(x) > 1000
    if not metric.any():
        return ()
    codes = systems(x[metric], y[metric], context.region.layers.read("sites"))
    if codes:
        rows.faults.append(Fault("imports.no_crs_but", rows.at(0, "lon"), codes=codes))
    else:
        rows.faults.append(Fault("imports.no_crs", rows.at(0, "lon")))
    return tuple(codes)


def _stations(rows: Rows, numbers: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """One row a station under the id that it has or gets."""
    calls, spoken = named(base[["id", "name_zh", "name_en"]]), named_stations.by_spoken_name(base)
    taken, fresh = set(subjects(rows.context.region)["id"].astype(str)), 0
    seen: dict[str, int] = {}
    out = []
    for row, cells in zip(rows.text.index, rows.text.to_dict("records"), strict=True):
        rows.faults.extend(
            Fault("imports.empty", rows.at(row, key)) for key in ("name", "voltage_kv") if not cells[key]
        )
        equipment = _equipment(rows, row, cells)
        also = (named_stations.spoken_name(cells["name"]), float(equipment["voltage_kv"]))
        existing = calls.get(cells["id"].lower(), "") or calls.get(cells["name"].lower(), "")
        existing = existing or ("" if cells["id"] else spoken.get(also, ""))
        one = existing or cells["id"]
        while not one or (not existing and not cells["id"] and one in taken):
            fresh += 1
            one = f"U{fresh:02d}"
        taken.add(one)
        for call in (one, str(also)) if cells["name"] else (one,):
            if call in seen:
                rows.faults.append(Fault("imports.same_station", rows.at(row, "name"), earlier=row_of(seen[call])))
                break
            seen[call] = row
        _check_position(rows, row, *numbers.loc[row, ["lon", "lat"]], is_new=not existing)
        out.append(
            {
                "id": one,
                "is_new": not existing,
                "name": cells["name"],
                **equipment,
                "lon": numbers.loc[row, "lon"],
                "lat": numbers.loc[row, "lat"],
            }
        )
    return pd.DataFrame(out, index=rows.text.index)


def _equipment(rows: Rows, row: int, cells: Mapping[str, str]) -> dict[str, float | str]:
    """Highest voltage, installed capacity and beginning of service."""
    levels: frozenset[float] = frozenset()
    try:
        levels = feeding_levels(cells["voltage_kv"].lower().replace("kv", "").replace("千伏", ""))
    except ValueError:
        rows.faults.append(Fault("imports.unknown_voltage", rows.at(row, "voltage_kv"), value=cells["voltage_kv"]))
    installed = np.nan
    try:
        installed = sum(transformers(cells["transformers_mva"])) if cells["transformers_mva"] else np.nan
    except ValueError:
        place = rows.at(row, "transformers_mva")
        rows.faults.append(Fault("imports.unreadable_ratings", place, value=cells["transformers_mva"]))
    begun = day(cells["commissioned"]) if cells["commissioned"] else ""
    if begun is None:
        rows.faults.append(Fault("imports.not_a_date", rows.at(row, "commissioned"), value=cells["commissioned"]))
    found: dict[str, float | str] = {"voltage_kv": max(levels, default=np.nan), "transformer_mva": installed}
    found["in_service_from"] = begun or ""
    return found


def _check_position(rows: Rows, row: int, lon: float, lat: float, *, is_new: bool) -> None:
    """Faults of a position, in degrees: a new station has one, and it is where it may be."""
    if is_new and not (lon > 0 and lat > 0):
        rows.faults.append(Fault("imports.no_position", rows.at(row, "lon")))
    elif not (np.isnan(lon) and np.isnan(lat)):
        west, south, east, north = layers.HUBEI
        if west <= lat <= east and south <= lon <= north:
            rows.faults.append(Fault("imports.swapped_position", rows.at(row, "lon")))
        elif not (west <= lon <= east and south <= lat <= north):
            rows.faults.append(Fault("imports.far_position", rows.at(row, "lon")))


def _spare(rows: Rows, numbers: pd.DataFrame, stations: pd.DataFrame) -> pd.DataFrame:
    """Low, likely, high of what each can spare once it is in service, and by what; '' where nothing is stated."""
    text = rows.text
    out = pd.DataFrame({"low": np.nan, "likely": np.nan, "high": np.nan, "by": ""}, index=text.index)
    stated, bad = spans(text["spare_mva"])
    for k, (row, cells) in enumerate(zip(text.index, text.to_dict("records"), strict=True)):
        if bad[k] or stated[k, 0] < 0 or stated[k, 0] > stated[k, 2]:
            rows.faults.append(Fault("imports.not_a_number", rows.at(row, "spare_mva"), value=cells["spare_mva"]))
        factor = unit_factor("spare_mva", cells["unit"] or "MVA")
        if factor is None:
            rows.faults.append(unknown_unit(rows, row, cells["unit"], "spare_mva"))
        elif cells["spare_mva"] and not bad[k]:
            out.loc[row, ["low", "likely", "high"]] = np.round(stated[k] * factor, 6)
            out.loc[row, "by"] = "stated"
    measured = (out["by"] == "") & (text["transformers_mva"] != "") & numbers["peak_mva"].notna()
    measured &= stations["voltage_kv"].notna() & stations["transformer_mva"].notna()
    if measured.any():
        peaks = numbers[["peak_low_mva", "peak_mva", "peak_high_mva"]][measured]
        peaks = peaks.assign(**{key: peaks[key].fillna(peaks["peak_mva"]) for key in peaks})
        own = text.loc[measured, ["name", "voltage_kv", "transformers_mva"]].join(peaks)
        own["name"] = stations["id"]
        rows.faults.extend(
            fault.at(rows.at(own.index[max(fault.row, 1) - 1], "peak_mva")) for fault in substation_faults(own)
        )
        try:
            spare = headroom(own)
        except InputError:
            return out
        out.loc[measured, ["low", "likely", "high"]] = (
            spare[[f"headroom_{e}_mva" for e in ("low", "likely", "high")]].to_numpy().round(3)
        )
        out.loc[measured, "by"] = "N-1"
    return out


def _feeds(rows: Rows) -> list[str]:
    """The sites that each station is said to feed, as ids joined by semicolons."""
    everyone = subjects(rows.context.region)
    calls = named(everyone[everyone["kind"] == "site"])
    out = []
    for row, cell in rows.text["feeds"].items():
        parts = [part.strip() for part in cell.replace("、", ";").replace(",", ";").split(";") if part.strip()]
        rows.faults.extend(
            Fault("imports.unknown_feed", rows.at(row, "feeds"), site=part)
            for part in parts
            if not calls.get(part.lower())
        )
        out.append(";".join(calls.get(part.lower()) or part for part in parts))
    return out


def _locate(rows: Rows, stations: pd.DataFrame) -> None:
    """Prefecture and county by position; a county that a row claims is held against it, and shifts are told."""
    base = rows.context.region.layers
    counties = base.read("counties")
    codes = {
        plain(call).lower(): code
        for code, *names in counties[["code", "name_zh", "name_en"]].itertuples(index=False)
        for call in (code, *names)
    }
    points = gpd.GeoDataFrame(
        stations[["id"]],
        geometry=gpd.GeoSeries.from_xy(stations["lon"], stations["lat"], index=stations.index, crs=layers.CRS),
    )
    points.loc[stations["lon"].isna(), "geometry"] = None
    for row, cell in rows.text["county"].items():
        if cell and cell.lower() not in codes:
            rows.faults.append(Fault("imports.unknown_county", rows.at(row, "county"), county=cell))
    points["county_code"] = [codes.get(cell.lower(), "") for cell in rows.text["county"]]
    at = gpd.sjoin(
        points, counties[["code", "prefecture_code", "geometry"]], predicate="within", how="left", rsuffix="in"
    )
    at = at[~at.index.duplicated()]
    stations["county_code"] = at["code"].fillna("").to_numpy()
    stations["prefecture_code"] = at["prefecture_code"].fillna("").to_numpy()
    claims = points.reset_index(drop=True)
    for fault in layers.place_faults("substations", claims, counties, base.read(layers.GAZETTEER).geometry):
        here = rows.at(stations.index[fault.row - 2], "county") if fault.row else Place(rows.context.name)
        rows.faults.append(fault.at(here))


def _preview(stations: pd.DataFrame, spare: pd.DataFrame, region: Region, found: pd.DataFrame) -> pd.DataFrame:
    """One row a station: new or updated, what it can spare now and then, and which sites would draw on it."""
    now = region.observations.query("attribute == 'spare_mva'").set_index("site_id")
    feed = feeding_station(_fed(region.sites, [stations]), found)
    sites = region.sites["id"].to_numpy()
    out = stations[["id", "name", "is_new", "voltage_kv"]].join(spare)
    for end in ("low", "likely", "high"):
        out[f"old_{end}"] = [now[end].get(one, np.nan) for one in stations["id"]]
    out["sites"] = ["、".join(sites[feed.station == one]) for one in stations["id"]]
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
                "lon": one.lon,
                "lat": one.lat,
                "county_code": one.county_code,
                "prefecture_code": one.prefecture_code,
                "source": one.source,
                "as_of": one.as_of,
                "source_class": "user",
                "publisher": one.source,
                "source_is_copy": "no",
                "confidence": "as stated",
                "feeds_sites": one.feeds,
            }
            own = {column: value for column, value in own.items() if not (pd.isna(value) or value == "")}
            own |= _service(one.in_service_from, one.as_of)
            if "transformer_mva" in own:
                own["transformers_mva"] = ""  # the sum is theirs, the list was another's
            if pd.notna(one.lon):
                own |= {"coord_basis": one.source, "coord_uncertainty_m": np.nan}
            if one.id in base["id"].to_numpy():
                own.pop("name_zh")
            for column in own.keys() & {*found.columns}:
                found.loc[one.id, column] = own[column]
    found = found.reset_index()
    text = [column for column in found if column not in ("geometry", *_numeric(base))]
    found[text] = found[text].fillna("")
    points = gpd.GeoSeries.from_xy(pd.to_numeric(found["lon"]), pd.to_numeric(found["lat"]), crs=layers.CRS)
    points[pd.to_numeric(found["lon"]).isna()] = None
    return gpd.GeoDataFrame(found.drop(columns="geometry"), geometry=points)


def _service(begun: str, today: str) -> dict[str, str]:
    """Status and dates of a station by when it begins to serve, ISO dates; nothing where nobody says when."""
    if not begun:
        return {}
    planned = begun > today
    dates = {"in_service_from": "" if planned else begun, "planned_from": begun if planned else ""}
    return {"status": "planned" if planned else "operating", "last_reported_zh": "", **dates}


def _numeric(table: pd.DataFrame) -> list[str]:
    return [column for column in table if column != "geometry" and pd.api.types.is_numeric_dtype(table[column])]


def _fed(sites: gpd.GeoDataFrame, added: Sequence[pd.DataFrame]) -> gpd.GeoDataFrame:
    """Sites with the stations that the planner says feed them, or the zone that they are fed as, in place of others."""
    stated: dict[str, list[str]] = {}
    for rows in added:
        for one in rows.itertuples():
            for site in filter(None, str(one.feeds).split(";")):
                stated.setdefault(site, []).append(one.id)
    named = sites["id"]
    if "fed_as" in sites:
        named = named.where(named.isin(stated) | (sites["fed_as"] == ""), sites["fed_as"])
    stations = sites["stations"].where(~named.isin(stated), named.map(lambda one: ";".join(stated.get(one, []))))
    return sites.assign(stations=stations)


def read_rows(content: bytes) -> pd.DataFrame:
    """Stations as `Checked.files` keeps them."""
    rows = spreadsheet.read_csv(content)
    numeric = ["voltage_kv", "transformer_mva", "lon", "lat"]
    return rows.assign(**{key: pd.to_numeric(rows[key].where(rows[key] != ""), errors="coerce") for key in numeric})


def own_layers(added: Mapping[str, pd.DataFrame], base: layers.Layers) -> tuple[dict[str, bytes], dict[str, Layer]]:
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
                "producer_zh": f"{shipped.text_in('producer', 'zh')} + {who}",
                "licence": f"{shipped.licence}; own: not stated",
                "licence_zh": f"{shipped.text_in('licence', 'zh')}；自有：未说明",
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
