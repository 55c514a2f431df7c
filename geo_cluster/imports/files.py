"""From the bytes of a file to a table of text or to shapes, as they came; and which kind of thing it holds."""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.box.door import suffix
from geo_cluster.domain import KnownBetter, Text
from geo_cluster.errors import Fault, Faults, InputError, place
from geo_cluster.world import tabular
from geo_cluster.world.coordinates import convert_geometry

Kind = Literal["observations", "parcels", "substations", "projects"]
KINDS: tuple[Kind, ...] = ("observations", "parcels", "substations", "projects")

TABLES = (".csv", ".txt", ".xlsx", ".xlsm")
SHAPES = (".geojson", ".json", ".gpkg", ".zip", ".kml", ".kmz", ".dxf")

EXAMPLE = "示例行，导入时略过 / example row, left out at import"
"""Marks the row of a template that is never taken over."""

_SPAN = re.compile(r"^(-?\d+(?:\.\d+)?)(?:\s*(?:-|–|—|~|至|to)\s*(\d+(?:\.\d+)?))?$")
_DAY = re.compile(r"^((?:19|20)\d\d)(?:\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})日?|月?)|年?)$")


@dataclass(frozen=True, eq=False)
class Checked:
    """A file that was read and checked: what it says, what is wrong, and what would be taken over.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    name, sha256 : str
        Of the file.
    table : DataFrame
        The rows as they came, as text; the index is the row in the file.
    faults : tuple of Fault
        Everything wrong; while there is any, nothing may be taken over.
    notes : tuple of Text
        What was converted, guessed or left out.
    preview : DataFrame
        What would be taken over, one row a number, station, site or project.
    known : tuple of KnownBetter
        Numbers for the scenario.
    files : mapping of bytes
        The rows to keep, by file name.
    source : str
        Who said so.
    extra : mapping
        Of parcels: `land` (a GeoDataFrame of net land).
    """

    kind: Kind
    name: str
    sha256: str
    table: pd.DataFrame
    faults: tuple[Fault, ...] = ()
    notes: tuple[Text, ...] = ()
    preview: pd.DataFrame = field(default_factory=pd.DataFrame)
    known: tuple[KnownBetter, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether there is something to take over and nothing wrong."""
        return not self.faults and len(self.preview) > 0


def fault_table(faults: tuple[Fault, ...]) -> pd.DataFrame:
    """Faults with the row (0 for the whole file) and the column heading that each concerns."""
    names = ["row", "column", "where", "what", "remedy"]
    return pd.DataFrame([[getattr(fault, name) for name in names] for fault in faults], columns=names)


def digest(content: bytes) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()


def plain(text: object) -> str:
    """Full-width letters, digits and punctuation as half-width ones (NFKC), trimmed."""
    return unicodedata.normalize("NFKC", str(text)).strip()


# ---- tables -------------------------------------------------------------------------------------------------


def keyed(table: pd.DataFrame, kind: Kind, name: str) -> tuple[pd.DataFrame, dict[str, str], Faults, list[Text]]:
    """Bring a table under the keys of its kind: text by key, heading by key, faults of the headings, notes.

    A heading may be a key, a name in either language, an alias, or both names with a slash between.
    """
    declared = toml.table("imports")[kind]
    known: dict[str, str] = {}
    for key, column in declared["columns"].items():
        for one in (key, column["zh"], column["en"], *column.get("aliases", ())):
            known.setdefault(_head(one), key)
    found = {heading: _key_of(heading, known) for heading in dict.fromkeys(table.columns)}
    headings: dict[str, str] = {}
    faults = Faults()
    for heading in table.columns:
        key = found[heading]
        if key and key in headings:
            faults.append(
                Fault(
                    place(name, 0, str(heading)), f"is a second column for {declared['columns'][key]['zh']}", "keep one"
                )
            )
        elif key:
            headings[key] = heading
    faults += (
        Fault(place(name, 0, column["zh"]), "is missing", f"add a column {column['zh']} or {column['en']}")
        for key, column in declared["columns"].items()
        if column.get("required") and key not in headings
    )
    if len(table) > declared["most_rows"]:
        what = f"has {len(table):,} rows, more than the {declared['most_rows']:,} that are read at once"
        faults.append(Fault(name, what, "split the file"))
    notes = []
    unused = [str(heading) for heading in table.columns if not found[heading]]
    if unused:
        notes.append(Text(zh=f"未用到的列：{'、'.join(unused)}。", en=f"Columns not used: {', '.join(unused)}."))
    text = pd.DataFrame("", index=table.index, columns=list(declared["columns"]), dtype=object)
    for key, heading in headings.items():
        first = table.loc[:, heading]
        text[key] = (first if isinstance(first, pd.Series) else first.iloc[:, 0]).to_numpy()
        if key not in ("name", "notes", "source", "outline"):
            text[key] = text[key].map(plain)
    example = (text == EXAMPLE).any(axis=1)
    if example.any():
        notes.append(Text(zh="模板的示例行不会导入。", en="The example row of the template is left out."))
    return text[~example], headings, faults, notes


def _head(text: object) -> str:
    return plain(text).lower().replace(" ", "").replace("_", "")


def _key_of(heading: object, known: Mapping[str, str]) -> str:
    """The key that a heading means: as a whole, else by either side of a slash, else without its bracket."""
    whole = plain(heading)
    for part in (whole, *whole.split(" / "), whole.split("(")[0]):
        if _head(part) in known:
            return known[_head(part)]
    return ""


def spans(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) low, likely, high of cells like `30`, `1,200` or `25-35`, nan where empty; and which are no number."""
    bounds, bad = np.full((len(column), 3), np.nan), np.zeros(len(column), dtype=bool)
    for k, cell in enumerate(column):
        if cell == "":
            continue
        found = _SPAN.match(plain(cell).replace(",", ""))
        if not found:
            bad[k] = True
            continue
        low = float(found[1])
        high = float(found[2]) if found[2] else low
        bounds[k] = low, (low + high) / 2, high
    return bounds, bad


def day(text: str) -> str | None:
    """A year, month or day as `2026`, `2026-06` or `2026-06-15`; None when it is none of them."""
    found = _DAY.match(plain(text))
    if not found:
        return None
    parts = [found[1]] + [f"{int(part):02d}" for part in found.groups()[1:] if part]
    try:
        datetime.date(*(int(part) for part in [*parts, "1", "1"][:3]))
    except ValueError:
        return None
    return "-".join(parts)


# ---- shapes -------------------------------------------------------------------------------------------------


def read_shapes(content: bytes, name: str, *, crs: str = "") -> gpd.GeoDataFrame:
    """Read GeoJSON, GeoPackage, a zipped Shapefile, KML or DXF; the first layer that has geometry.

    Parameters
    ----------
    crs : str
        What the coordinates are in where the file doesn't say it, or says it wrongly: an EPSG code, `gcj02` or `bd09`.

    Returns
    -------
    GeoDataFrame
        In its own CRS, shifted systems brought to WGS 84; the index counts from 1; `attrs["crs"]` says what the file
        states.

    Raises
    ------
    InputError
        What can't be read, has no geometry, or has no CRS while none is chosen.
    """
    frame = next(iter(door.shapes({suffix(name): content}, name).read.values()), None)
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.isna().all():
        raise InputError(Fault(name, "has no geometry", "give a layer of polygons or points"))
    stated = frame.crs.to_string() if frame.crs else ""
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    if crs in ("gcj02", "bd09"):
        frame = convert_geometry(frame.set_crs(4326, allow_override=True), source=crs, target="wgs84")
    elif crs:
        frame = frame.set_crs(chosen_system(crs, name), allow_override=True)
    elif frame.crs is None or (frame.crs.is_geographic and np.abs(frame.total_bounds).max() > 360):
        what = "has no coordinate reference system" if frame.crs is None else f"is not in degrees, as {stated} would be"
        raise InputError(Fault(name, what, "choose the one that it was drawn in"))
    frame.attrs["crs"] = stated
    return frame


def chosen_system(crs: str, name: str) -> pyproj.CRS:
    """The coordinate reference system that somebody chose for a file; one whose points can't be placed is refused."""
    try:
        system = pyproj.CRS.from_user_input(crs)
        pyproj.Transformer.from_crs(system, 4490, always_xy=True).transform(0.0, 0.0)
    except pyproj.exceptions.CRSError:
        raise InputError(Fault(name, f"{crs!r} is no coordinate reference system", "give e.g. EPSG:4547")) from None
    except pyproj.exceptions.ProjError:
        raise InputError(Fault(name, f"{crs!r} places nothing on the map", "give e.g. EPSG:4547")) from None
    return system


# ---- which kind ---------------------------------------------------------------------------------------------


def guess(content: bytes, name: str) -> str:
    """Which kind a file is: one of `KINDS`, `rules` (exclusion rules), `exclusions` (their layers), '' if none.

    It is read in the box, as it will be when it is checked, and what came out is looked at.
    """
    try:
        if suffix(name) in SHAPES:
            return _kind_of_shapes(door.shapes({suffix(name): content}, name), name)
        if suffix(name) not in TABLES:
            return ""
        headings = [_head(heading) for heading in tabular.read(content, name).columns]
    except InputError:
        return "parcels" if suffix(name) in SHAPES else ""
    if {"name", "layer", "bufferm"} <= set(headings):
        return "rules"
    best, most = "", 1.0
    for kind in KINDS:
        columns = toml.table("imports")[kind]["columns"]
        names = {_head(one) for key, of in columns.items() for one in (key, of["zh"], of["en"], *of.get("aliases", ()))}
        halves = {_head(part) for heading in headings for part in str(heading).split("/")}
        hit = len(names & halves) / len(halves) + len(names & halves) / 100
        required = [of for key, of in columns.items() if of.get("required")]
        has = sum(bool({_head(o) for o in (of["zh"], of["en"], *of.get("aliases", ()))} & halves) for of in required)
        share = hit + has / max(len(required), 1)
        if share > most or (kind == "observations" and share >= most):
            best, most = kind, share
    return best


def _kind_of_shapes(found: door.Shapes, name: str) -> str:
    kinds = list(found.layers.values())
    if suffix(name) == ".gpkg" and len(kinds) > 1:
        return "exclusions"
    return "substations" if kinds and "Point" in kinds[0] else "parcels"
