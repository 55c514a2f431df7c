"""What is to be opened of a file: itself, or everything with shapes in an archive, each with what belongs to it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from geo_cluster.box import sizes
from geo_cluster.box.drawing import as_drawing
from geo_cluster.box.formats import ARCHIVES, BESIDE, GDB_PART, SAME, ending_of
from geo_cluster.box.limits import Limits
from geo_cluster.box.looks import LOOKS, plain
from geo_cluster.box.texts import as_utf8
from geo_cluster.errors import Fault, InputError

TEXTS = (".geojson", ".json", ".kml", ".gpx", ".gml", ".txt")
TABLES = (".csv", ".xlsx", ".xls", ".et", ".dwg", ".rar", ".zip", ".7z")
"""What may lie beside the shapes of an archive and is told when it isn't read."""

INSIDE = (".zip", ".kmz", ".ovkmz")
"""Archives that are looked into where they lie in an archive; one in such a one is told."""

NEEDED = {".tab": ".dat", ".mif": ".mid"}
"""What a kind that is several files can't do without."""


@dataclass(frozen=True)
class Dataset:
    """Something that one reader opens.

    Attributes
    ----------
    title : str
        What it is called in its archive, without folder and ending; '' where it came alone.
    ending : str
    source : bytes
        What the reader is handed: the file, or an archive of its parts under plain names.
    stated : str
        The encoding that it says its texts are in.
    says : str
        What it says of its coordinates, in its own words.
    """

    title: str
    ending: str
    source: bytes
    stated: str = ""
    says: str = ""


def datasets(files: dict[str, bytes], name: str, limits: Limits) -> tuple[list[Dataset], Counter[str]]:
    """Everything in a file that has shapes, and how much of what else it holds is left alone, by ending."""
    ending = next(iter(files))
    if ending not in ARCHIVES:
        return [_dataset("", files, name, limits)], Counter()
    members, unread = _members(files[ending], ARCHIVES[ending], name, limits)
    if not members:
        raise InputError(Fault("box.nothing_to_read", name, known=", ".join(ARCHIVES[ending])))
    titles = Counter(PurePosixPath(path).stem for path in members)
    found = []
    for path, parts in members.items():
        pure = PurePosixPath(path)
        title = pure.stem if titles[pure.stem] == 1 else str(pure.with_suffix(""))
        found.append(_dataset(title if len(members) > 1 else "", parts, name, limits))
    return found, unread


# ---- archives -----------------------------------------------------------------------------------------------


def _members(
    content: bytes, endings: tuple[str, ...], name: str, limits: Limits, *, spent_mb: float = 0.0
) -> tuple[dict[str, dict[str, bytes]], Counter[str]]:
    """Parts by ending of everything in an archive that has one of these endings, by path.

    Archives in it are looked into, those in them are not; all of them together unpack to no more than one may.
    """
    out: dict[str, dict[str, bytes]] = {}
    with sizes.archive(content, name, limits) as packed:
        paths = dict(members(packed))
        databases = _databases(paths) if ".gdb" in endings else {}
        for path, folder in databases.items():
            out.setdefault(folder, {".gdb": b""})[path.name] = unpacked(packed, paths[path], name)
        beside = {(str(path.with_suffix("")).lower(), path.suffix.lower()): one for path, one in paths.items()}
        used: set[PurePosixPath] = {*databases}
        for path, one in paths.items():
            ending = SAME.get(path.suffix.lower(), path.suffix.lower())
            if path in used or ending not in endings or ending == ".gdb":
                continue
            if ending == ".txt" and not ending_of(unpacked(packed, one, name), path.name):
                continue
            used.add(path)
            out[str(path)] = {ending: unpacked(packed, one, name)}
            for further in BESIDE.get(ending, ()):
                part = beside.get((str(path.with_suffix("")).lower(), further))
                if part is not None:
                    out[str(path)][further] = unpacked(packed, part, name)
        inside = [path for path in paths if path.suffix.lower() in INSIDE and not spent_mb and ".shp" in endings]
        spent_mb = sum(one.file_size for one in paths.values()) / sizes.MB
        for path in inside:
            inner, mb = _inside(unpacked(packed, paths[path], name), path, name, limits, spent_mb)
            out |= {f"{path.with_suffix('')}/{one}": parts for one, parts in inner.items()}
            used |= {path} if inner else set()
            spent_mb += mb
        unread = Counter(path.suffix.lower() for path in paths if path not in used and path.suffix.lower() in TABLES)
    return out, unread


def _inside(
    content: bytes, path: PurePosixPath, name: str, limits: Limits, spent_mb: float
) -> tuple[dict[str, dict[str, bytes]], float]:
    """What an archive in an archive holds, and how much it unpacks to, within the limit with what was before."""
    with sizes.archive(content, name, limits) as packed:
        mb = sum(one.file_size for one in packed.infolist()) / sizes.MB
    limits.refuse(name, "unpacked_megabytes", spent_mb + mb, "box.unpacks_too_large")
    ending = SAME.get(path.suffix.lower(), path.suffix.lower())
    return _members(content, ARCHIVES[ending], name, limits, spent_mb=spent_mb)[0], mb


def _databases(paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """What lies in file geodatabases, with the folder of each, whatever it is called."""
    tables = {path.parent for path in paths if path.suffix.lower() == ".gdbtable"}
    return {
        path: str(path.parent)
        for path in paths
        if path.parent in tables and (path.parent.suffix.lower() == ".gdb" or GDB_PART.search(path.name))
    }


def members(packed: zipfile.ZipFile) -> Iterator[tuple[PurePosixPath, zipfile.ZipInfo]]:
    """What lies in an archive, under names as they were written; without what macOS adds."""
    for one in packed.infolist():
        path = PurePosixPath(_named(one).replace("\\", "/"))
        if not one.is_dir() and "__MACOSX" not in path.parts and not path.name.startswith("."):
            yield path, one


def unpacked(packed: zipfile.ZipFile, one: zipfile.ZipInfo, name: str) -> bytes:
    """A member of an archive."""
    try:
        return packed.read(one)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        raise InputError(Fault("box.damaged_archive", name)) from None


def _named(one: zipfile.ZipInfo) -> str:
    """The name of a member: Windows in Chinese writes GBK without saying so."""
    if one.flag_bits & 0x800 or one.filename.isascii():
        return one.filename
    try:
        raw = one.filename.encode("cp437")
    except UnicodeEncodeError:
        return one.filename
    for code in ("utf-8", "gb18030"):
        try:
            return raw.decode(code)
        except UnicodeDecodeError:
            continue
    return one.filename


# ---- one of them --------------------------------------------------------------------------------------------


def _dataset(title: str, files: dict[str, bytes], name: str, limits: Limits) -> Dataset:
    ending = next(iter(files))
    if ending == ".gdb":
        parts = {f"layer.gdb/{part}": content for part, content in files.items() if part != ".gdb"}
        return Dataset(title, ending, _packed(parts))
    content = as_utf8(files[ending], name) if ending in TEXTS else files[ending]
    if ending == ".dxf":
        content = as_drawing(content)
    if ending in LOOKS:
        LOOKS[ending](content, name, limits)
    if ending in (".shp", ".tab", ".mif"):
        _refuse_torn(ending, files, name)
        return _of_parts(title, ending, files)
    return Dataset(title, ending, plain(content), says=_coordinates_said(content, ending))


def _of_parts(title: str, ending: str, files: dict[str, bytes]) -> Dataset:
    """A kind that is several files, under plain names; its .cpg stays out, for it may be wrong."""
    parts = {f"layer{part}": content for part, content in files.items() if part != ".cpg"}
    if ending == ".shp" and ".shx" not in files:
        parts["layer.shx"] = _index(files[ending])
    stated = files.get(".cpg", b"")[:40].decode("ascii", "ignore").strip()
    says = files.get(".prj", b"")[:4000].decode("utf-8", "ignore")
    return Dataset(title, ending, _packed(parts), stated, says)


def _refuse_torn(ending: str, files: dict[str, bytes], name: str) -> None:
    """Refuse a kind that is several files of which one is missing, cut short, or counts other rows than the rest."""
    if (part := NEEDED.get(ending)) and part not in files:
        raise InputError(Fault("box.part_missing", name, part=part))
    if ending != ".shp":
        return
    shapes, table = files[ending], files.get(".dbf", b"")
    if len(shapes) < 100 or int.from_bytes(shapes[24:28], "big") * 2 > len(shapes):
        raise InputError(Fault("box.cut_short", name, part=ending))
    index = files.get(".shx") or _index(shapes)
    count, rows = (len(index) - 100) // 8, int.from_bytes(table[4:8], "little")
    if len(table) >= 32 and count != rows:
        raise InputError(Fault("box.parts_differ", name, shapes=count, rows=rows))


def _packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return out.getvalue()


def _index(shapes: bytes) -> bytes:
    """The .shx of a .shp that came without: where each record begins (ESRI Shapefile Technical Description, 1998)."""
    rows, at = [], 100
    while at + 8 <= len(shapes):
        (length,) = struct.unpack(">i", shapes[at + 4 : at + 8])
        if length < 2 or at + 8 + 2 * length > len(shapes):
            break
        rows.append(struct.pack(">ii", at // 2, length))
        at += 8 + 2 * length
    size = struct.pack(">i", 50 + 4 * len(rows))
    return shapes[:24] + size + shapes[28:100] + b"".join(rows)


def _coordinates_said(content: bytes, ending: str) -> str:
    """What a GeoJSON calls itself and its coordinate reference system; the title of a KML."""
    import re

    if ending in (".geojson", ".json"):
        head = content[:4096].partition(b'"features"')[0]
        crs = re.findall(rb'"crs"\s*:\s*\{[^{}]*\{[^{}]*"name"\s*:\s*"([^"]{1,200})"', content)
        titles = re.findall(rb'"name"\s*:\s*"([^"]{1,200})"', head)
        return " ".join(one.decode("utf-8", "replace") for one in dict.fromkeys([*crs[:1], *titles]))
    if ending == ".kml":
        found = re.search(rb"<Document[^>]*>\s*<name>([^<]{1,200})</name>", content)
        return found[1].decode() if found else ""
    return ""
