"""Rasters from outside the box: a GeoTIFF goes in; what it says of itself and bare pixels come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geo_cluster.box import door
from geo_cluster.box.limits import limits
from geo_cluster.box.process import ask
from geo_cluster.errors import Fault, InputError

BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How a TIFF begins, and one of more than 4 GB."""
AT_ONCE = 48 * door.MB
"""So many bytes of pixels come out at a time."""


@dataclass(frozen=True)
class Looked:
    """What a raster says of itself, and which numbers one of its bands holds.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns.
    bands, band : int
        How many there are, and which one was looked at.
    dtype : str
        Type of its pixels as numpy calls it.
    bits : int
        Of a pixel; 1 for a mask of bits.
    crs : str
        WKT; '' where it states none.
    transform : tuple of six floats, optional
        Affine, in rasterio's order; None where it lies nowhere.
    nodata : float, optional
        The stored number that means unknown.
    unit : str
        Of its numbers; '' where it states none.
    scale, offset : float
        What brings stored numbers to those that are meant.
    least, most : float, optional
        Of the known pixels, stored; None where there is none.
    known : int
        How many pixels are known, as far as the file says.
    classes : tuple of (int, int)
        Whole numbers and how many pixels have each, where they are few.
    is_cog : bool
    """

    shape: tuple[int, int]
    bands: int
    band: int
    dtype: str
    bits: int
    crs: str
    transform: tuple[float, ...] | None
    nodata: float | None
    unit: str
    scale: float
    offset: float
    least: float | None
    most: float | None
    known: int
    classes: tuple[tuple[int, int], ...]
    is_cog: bool
    block_rows: int


def is_raster(content: bytes) -> bool:
    """Whether a file begins as a TIFF does."""
    return content[:4] in BEGINNINGS


def look(content: bytes, name: str, *, band: int = 1, unknown: str = "") -> Looked:
    """Read all of a GeoTIFF, in the box, and say what it is.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    band : int
        Which band is looked at, from 1.
    unknown : str
        The number that means unknown in place of the one that the file states, `none` for no number at all.

    Raises
    ------
    InputError
        It is no GeoTIFF, too large, cut short or damaged, or holds no real numbers.
    """
    door.check_size(content, name)
    if not is_raster(content):
        raise InputError(Fault("box.not_a_raster", name))
    said, _ = ask("raster", {".tif": content}, name, band=band, unknown=unknown, rows=None)
    with door._believed(name):
        height, width = map(int, said["shape"])
        at = said["transform"]
        found = Looked(
            (height, width),
            int(said["bands"]),
            band,
            np.dtype(str(said["dtype"])).name,
            int(said["bits"]),
            _crs(said["crs"], name, at),
            None if at is None else tuple(float(one) for one in at),
            None if said["nodata"] is None else float(said["nodata"]),
            str(said["unit"])[:40],
            float(said["scale"]),
            float(said["offset"]),
            None if said["least"] is None else float(said["least"]),
            None if said["most"] is None else float(said["most"]),
            int(said["known"]),
            tuple((int(value), int(count)) for value, count in said["classes"]),
            bool(said["is_cog"]),
            int(said["block_rows"]),
        )
        if (
            found.dtype not in KINDS
            or height < 1
            or width < 1
            or (found.transform is not None and (len(found.transform) != 6 or not np.isfinite(found.transform).all()))
        ):
            raise ValueError
        return found


KINDS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")
"""Kinds of pixels."""


def _crs(stated: object, name: str, at: Sequence[float] | None) -> str:
    """A reference system in WKT, if it is one that opens no other file; '' for none or one of no place on Earth."""
    if not stated:
        return ""
    corner = [0.0, 0.0] if at is None else [float(at[2]), float(at[5])]
    system = door._system(stated, name, np.array(corner))
    return "" if system is None else str(system.to_wkt())


def rows(content: bytes, name: str, looked: Looked) -> Iterator[np.ndarray]:
    """The pixels as they stand in the file, some rows at a time, from the north.

    Parameters
    ----------
    content, name : bytes, str
    looked : Looked
        As `look` found it.
    """
    height, width = looked.shape
    dtype = np.dtype(looked.dtype)
    block = min(max(looked.block_rows, 1), height)
    at_once = max(AT_ONCE // (width * dtype.itemsize) // block, 1) * block
    for top in range(0, height, at_once):
        bottom = min(top + at_once, height)
        _, arrays = ask("raster", {".tif": content}, name, band=looked.band, rows=[top, bottom])
        with door._believed(name):
            pixels = arrays["bytes"]
            if pixels.dtype != np.uint8 or pixels.nbytes != (bottom - top) * width * dtype.itemsize:
                raise ValueError
            yield pixels.reshape(-1).view(dtype).reshape(bottom - top, width)


def unpacked(content: bytes, name: str) -> list[tuple[str, bytes]]:
    """What lies in a ZIP that has rasters or a spec in it, by name without folders; any other file is itself.

    Parameters
    ----------
    content, name : bytes, str
        The file.

    Raises
    ------
    InputError
        It unpacks to more than may be, is damaged, or guarded by a password.
    """
    if content[:2] != b"PK":
        return [(name, content)]
    from geo_cluster.box import datasets, sizes

    door.check_size(content, name)
    with sizes.archive(content, name, limits()) as packed:
        paths = list(datasets.members(packed))
        if not any(path.suffix.lower() in WANTED for path, _ in paths):
            return [(name, content)]
        return [(path.name, datasets.unpacked(packed, one, name)) for path, one in paths]


WANTED = (".tif", ".tiff", ".toml")
"""What makes a ZIP one that is unpacked here; one of outlines alone is read as it is."""
