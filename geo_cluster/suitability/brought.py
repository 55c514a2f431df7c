"""What a planner brought to one visit: files in a folder of its own, copies that are safe to open, the spec of them.

A file that came is opened in the box alone. What the screening reads of a raster is a copy, made here of the bare
pixels that come out of the box.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geo_cluster import scratch, toml
from geo_cluster.box import door, pixels
from geo_cluster.box.formats import ending_of
from geo_cluster.box.pixels import Looked
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.suitability import misuses, own
from geo_cluster.suitability.pieces import Piece, file_name, looked_at, plain_name

MOST_MB = 500
"""So much may be brought to a visit."""
SPEC, DECLARED = "screening.toml", "declared.toml"
LARGE = 4_000_000
"""A copy of more pixels gets overviews."""
BLOCK = 512


class Brought:
    """Files of one visit, what each is, and the spec that is made of them.

    Parameters
    ----------
    folder : Path
        Of its own; made here, and taken away by whoever holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pieces: dict[str, Piece] = {}
        self.brought: dict[str, Any] = {}
        self._looks: dict[tuple[str, int, str], Piece] = {}
        self._copies: dict[tuple[str, int], str] = {}
        self._count = 0

    def add(self, files: Sequence[tuple[str, bytes]]) -> list[Fault]:
        """Take files in, each looked at in the box; the faults of those that are refused.

        Parameters
        ----------
        files : sequence of (name, content)
            A spec (`.toml`) among them stands for the uses of the files that came with it.
        """
        found: list[Fault] = []
        specs = [(name, content) for name, content in files if door.suffix(name) == ".toml"]
        for name, content in files:
            if door.suffix(name) == ".toml":
                continue
            try:
                self._add(name, content)
            except InputError as refusal:
                found += refusal.faults
        if len(specs) > 1:
            known = [plain_name(name) for name, _ in specs]
            found.append(Fault("suitability.several_specs", Place(known[0]), known=known))
        elif specs and not found:
            found += self._read(*specs[0])
        return found

    def _add(self, name: str, content: bytes) -> None:
        name = plain_name(name)[:120]
        mb = (self.size + len(content)) / door.MB
        if mb > MOST_MB:
            raise InputError(Fault("suitability.too_much_dropped", name, found=mb, most=float(MOST_MB)))
        is_raster = pixels.is_raster(content) or door.suffix(name) in (".tif", ".tiff")
        ending = ".tif" if is_raster else ending_of(content, name)
        file = file_name(name, {one.file for one in self.pieces.values()}, ending)
        piece = looked_at(content, name, file)
        self._count += 1
        key = f"own{self._count}"
        scratch.write(self.folder / file, content)
        self.pieces[key] = self._looks[key, 1, ""] = piece

    def _read(self, name: str, content: bytes) -> list[Fault]:
        """A spec that came along."""
        try:
            row = toml.parse(content, plain_name(name))
        except InputError as refusal:
            return refusal.faults
        files = {one.name: one.file for one in self.pieces.values()}
        found = misuses.brought_faults(row, files, plain_name(name))
        if not found:
            self.brought = {**toml.table("suitability"), **own.with_files(row, files)}
        return found

    @property
    def size(self) -> int:
        """How much is kept of what was brought."""
        return sum((self.folder / one.file).stat().st_size for one in self.pieces.values())

    def remove(self, key: str) -> None:
        """Take a file away, and what was made of it."""
        piece = self.pieces.pop(key)
        self.brought = {}
        self.unbuild()
        (self.folder / piece.file).unlink(missing_ok=True)
        for at in [one for one in self._copies if one[0] == piece.file]:
            (self.folder / self._copies.pop(at)).unlink(missing_ok=True)

    def look(self, key: str, *, band: int = 1, unknown: str = "") -> Piece:
        """What a file is under another band, or another number for unknown; looked at once.

        Parameters
        ----------
        key : str
            Of the file.
        band : int
        unknown : str
            As in `pixels.look`.

        Raises
        ------
        InputError
            There is no such band, or no such number.
        """
        at = key, band, unknown
        if at not in self._looks:
            first = self.pieces[key]
            content = (self.folder / first.file).read_bytes()
            self._looks[at] = looked_at(content, first.name, first.file, band=band, unknown=unknown)
        return self._looks[at]

    def build(self, row: Mapping[str, Any]) -> Path:
        """Make the copies that a spec reads, and write it: the path of its file.

        Parameters
        ----------
        row : mapping
            As of `own.row_of`, or one that was brought.
        """
        key_of = {one.file: key for key, one in self.pieces.items()}
        for one in row["sources"].values():
            file, band = str(one.get("file", "")), one.get("band", 1)
            if file in key_of and self.pieces[key_of[file]].looked and (file, band) not in self._copies:
                self._copies[file, band] = self._copy(key_of[file], band)
        scratch.write(self.folder / DECLARED, own.written(row))
        scratch.write(self.folder / SPEC, own.written(own.kept_as(row, self._copies)))
        return self.folder / SPEC

    def unbuild(self) -> None:
        """Take the spec away: it can't be used."""
        (self.folder / SPEC).unlink(missing_ok=True)

    def _copy(self, key: str, band: int) -> str:
        """A raster of the bare pixels of a band, which came out of the box."""
        piece = self.look(key, band=band)
        assert piece.looked is not None  # `build` asks for rasters only
        content = (self.folder / piece.file).read_bytes()
        name = f"copy-{key}-{band}.tif"
        write_raster(self.folder / name, content, piece.name, piece.looked)
        return name

    @property
    def spec(self) -> Path | None:
        """The spec's file, once it was built."""
        path = self.folder / SPEC
        return path if path.exists() else None

    @property
    def declared(self) -> bytes:
        """The spec as a person takes it along: with the files as they were brought."""
        return (self.folder / DECLARED).read_bytes()

    def packed(self) -> bytes:
        """The spec and its files as a ZIP, which can be dropped again or unpacked for the command line."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(zipfile.ZipInfo(SPEC), self.declared)
            for one in self.pieces.values():
                archive.write(self.folder / one.file, one.file)
        return out.getvalue()


def write_raster(path: Path, content: bytes, name: str, looked: Looked) -> None:
    """A GeoTIFF of the pixels that come out of the box, with what the file said of them.

    Parameters
    ----------
    path : Path
    content, name : bytes, str
        The file that somebody brought.
    looked : Looked
        As the box found it.

    Raises
    ------
    InputError
        Its pixels can't be read.
    """
    import rasterio
    from rasterio.enums import Resampling
    from rasterio.transform import Affine

    height, width = looked.shape
    profile: dict[str, Any] = {"driver": "GTiff", "count": 1, "dtype": looked.dtype, "height": height, "width": width}
    profile |= {"compress": "DEFLATE", "zlevel": 1, "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
    profile |= {"crs": looked.crs or None, "nodata": looked.nodata, "bigtiff": "IF_SAFER"}
    profile |= {"transform": Affine(*looked.transform)} if looked.transform else {}
    part = path.with_suffix(".part")
    try:
        with rasterio.Env(GDAL_PAM_ENABLED="NO"), rasterio.open(part, "w", **profile) as file:
            top = 0
            for rows in pixels.rows(content, name, looked):
                file.write(np.ascontiguousarray(rows), 1, window=((top, top + len(rows)), (0, width)))
                top += len(rows)
            file.scales, file.offsets, file.units = (looked.scale,), (looked.offset,), (looked.unit or None,)
            if height * width > LARGE:
                file.build_overviews([2, 4, 8, 16], Resampling.nearest if looked.classes else Resampling.average)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
