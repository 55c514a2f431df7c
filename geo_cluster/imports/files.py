"""From the bytes of a file to its layers of shapes as they came; tables are read by `world.tabular`."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo_cluster.box import door, formats
from geo_cluster.box.formats import ending_of
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.world.coordinates import convert_geometry

__all__ = ["Layer", "Layered", "digest", "ending_of", "lone_part", "read_layers", "together"]

TABLES = (".csv", ".txt", ".xlsx", ".xlsm")
SHAPES = (*formats.DRIVERS, *formats.ARCHIVES)

LOCAL = ("LOCAL_CS", "ENGCRS", "ENGINEERINGCRS")
"""How a system begins that has no place on Earth."""

HOWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"xy": lambda at: at[:, ::-1], "mm": lambda at: at / 1000}
"""What may follow a code, as in `EPSG:4547 xy`: x and y are exchanged, or the numbers are millimetres."""


@dataclass(frozen=True)
class Layer:
    """A layer of a file: its name ('' where it has none), its kind of geometry, its rows, and whether it was read."""

    name: str
    kind: str
    rows: int
    is_read: bool


@dataclass(frozen=True, eq=False)
class Layered:
    """The layers of a file that were chosen, as one.

    Attributes
    ----------
    frame : GeoDataFrame
        In the CRS of the first, shifted systems brought to WGS 84; the index counts from 1 through all layers.
    layers : tuple of Layer
        All that the file has.
    of : Series of str
        Layer of each row; `row` its row in that layer, from 1.
    row : Series of int
    stated : str
        The CRS that the file states; '' where it states none.
    says : tuple of str
        What it says of its coordinates in its own words, with the names of its layers.
    cut : tuple of str
        Headings whose end is missing.
    told : mapping of int
        See `box.door.Shapes`.
    """

    frame: gpd.GeoDataFrame
    layers: tuple[Layer, ...]
    of: pd.Series
    row: pd.Series
    stated: str = ""
    says: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    told: Mapping[str, int] = field(default_factory=dict)

    def place(self, place: Place) -> Place:
        """A place whose row counts through all layers, in its layer."""
        if not 0 < place.row <= len(self.of) or len({*self.of}) < 2:
            return place
        return replace(place, sheet=str(self.of[place.row]), row=int(self.row[place.row]))


def digest(content: bytes) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()


def read_layers(content: bytes, name: str, *, crs: str = "", layers: Sequence[str] = ()) -> Layered:
    """Read the layers of a vector file of any kind in `box.formats`, found by its content.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    crs : str
        What the coordinates are in where the file doesn't say it, or says it wrongly: an EPSG code, with ` xy` or ` mm`
        where need be (`HOWS`), `gcj02` or `bd09`.
    layers : sequence of str
        Which of its layers; none for all that have geometry.

    Raises
    ------
    InputError
        What can't be read or has no geometry.
    """
    ending = ending_of(content, name) or PurePosixPath(name).suffix.lower()
    found = door.shapes({ending: content}, name, layers=layers, every=True)
    frames = {key: one for key, one in found.read.items() if isinstance(one, gpd.GeoDataFrame) and len(one)}
    if not frames or all(one.geometry.isna().all() for one in frames.values()):
        raise InputError(Fault("imports.no_geometry", name))
    first = next(iter(frames.values())).crs
    bare = [key for key, one in frames.items() if one.crs is None]
    if bare and not crs and len(bare) < len(frames):
        raise InputError(Fault("imports.no_crs", Place(name, sheet=bare[0])))
    stated = first.to_string() if first else str(next(iter(frames.values())).attrs["stated"])
    stated = "" if stated.startswith(LOCAL) else stated
    of = pd.concat([pd.Series(key, index=one.index, dtype=object) for key, one in frames.items()], ignore_index=True)
    row = pd.concat([pd.Series(range(1, len(one) + 1)) for one in frames.values()], ignore_index=True)
    frame = pd.concat([placed(one, first, crs, name) for one in frames.values()], ignore_index=True)
    frame = gpd.GeoDataFrame(frame, geometry="geometry")
    frame.index = of.index = row.index = pd.RangeIndex(1, len(frame) + 1)
    listed = tuple(
        Layer(key, kind, len(found.read.get(key, ())), key in found.read) for key, kind in found.layers.items()
    )
    says = dict.fromkeys(one for frame_ in frames.values() for one in (str(frame_.attrs["says"]),) if one)
    cut = dict.fromkeys(str(one) for frame_ in frames.values() for one in frame_.attrs["cut"])
    return Layered(frame, listed, of, row, stated, (*says, *filter(None, found.layers)), tuple(cut), found.told)


def placed(frame: gpd.GeoDataFrame, first: pyproj.CRS | None, crs: str, name: str) -> gpd.GeoDataFrame:
    """A layer in the CRS of the first one of its file, or in the one that was chosen.

    Parameters
    ----------
    frame : GeoDataFrame
    first : CRS or None
        Of the first layer.
    crs : str
        The one that was chosen, as for `read_layers`; shifted numbers may have been projected since.
    name : str
        Of the file.
    """
    frame = frame.rename_geometry("geometry") if frame.geometry.name != "geometry" else frame
    if crs in ("gcj02", "bd09"):
        degrees = frame.to_crs(4326) if frame.crs and frame.crs.is_projected else frame
        return convert_geometry(degrees.set_crs(4326, allow_override=True), source=crs, target="wgs84")
    if crs:
        code, _, how = crs.partition(" ")
        system = chosen_system(code, name)
        if how in HOWS:
            turned = shapely.transform(frame.geometry.to_numpy(), HOWS[how])
            frame = frame.set_geometry(gpd.GeoSeries(turned, index=frame.index))
        return frame.set_crs(system, allow_override=True)
    return frame if frame.crs == first else frame.to_crs(first)


def chosen_system(crs: str, name: str) -> pyproj.CRS:
    """The coordinate reference system that somebody chose for a file.

    Raises
    ------
    InputError
        There is no such system, or its points can't be placed on the map.
    """
    try:
        system = pyproj.CRS.from_user_input(crs)
        pyproj.Transformer.from_crs(system, 4490, always_xy=True).transform(0.0, 0.0)
    except pyproj.exceptions.CRSError:
        raise InputError(Fault("imports.unknown_crs", name, crs=crs)) from None
    except pyproj.exceptions.ProjError:
        raise InputError(Fault("imports.crs_places_nothing", name, crs=crs)) from None
    return system


# ---- files that belong together -----------------------------------------------------------------------------


def together(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Files as they were dropped, with those that are parts of one thing as one archive.

    The parts of a Shapefile or a MapInfo table by their common name; everything that lies in a file geodatabase.

    Parameters
    ----------
    files : sequence of (name, content)

    Returns
    -------
    list of (name, content)
        In the order in which each was dropped first.
    """
    groups: dict[tuple[str, str], dict[str, bytes]] = {}
    parts = {part: main for main, others in formats.BESIDE.items() if main != ".gml" for part in (main, *others)}
    mains = {_stem(name): ending for name, _ in files if (ending := door.suffix(name)) in formats.BESIDE}
    out: list[tuple[tuple[str, str], tuple[str, bytes] | None]] = []
    for name, content in files:
        ending, stem = door.suffix(name), _stem(name)
        if formats.GDB_PART.search(PurePosixPath(name).name):
            key, member = ("geodatabase", ".gdb"), f"geodatabase.gdb/{PurePosixPath(name).name}"
        elif ending in parts and stem in mains and ending in (mains[stem], *formats.BESIDE[mains[stem]]):
            key, member = (PurePosixPath(name).stem, mains[stem]), PurePosixPath(name).name
        else:
            out.append((("", ""), (name, content)))
            continue
        if key not in groups:
            out.append((key, None))
        groups.setdefault(key, {})[member] = content
    return [one if one is not None else (f"{key[0]}{key[1]}.zip", _packed(groups[key])) for key, one in out]


def lone_part(name: str) -> Fault | None:
    """The fault of a file that is but a part of one, such as the .dbf of a Shapefile, and came without the rest."""
    ending = door.suffix(name)
    main = next((main for main, others in formats.BESIDE.items() if ending in others and main != ".gml"), None)
    if main is None:
        return None
    return Fault("imports.lone_part", name, parts=[main, *formats.BESIDE[main]])


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.lower()


def _packed(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return out.getvalue()
