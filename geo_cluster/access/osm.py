"""Refresh layers from OpenStreetMap: all of them, or none.

What comes is checked before anything is replaced. A server that refuses, is slow, breaks off or answers something else
leaves the old layers where they are, and the refusal says so. Answers that did come are kept for a second try, which
then asks only for the rest. Data © OpenStreetMap contributors, ODbL 1.0.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import shutil
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlparse

import geopandas as gpd
import pyogrio
import shapely
import tomli_w

from geo_cluster.access import roads
from geo_cluster.access.osm_layers import WANTED, Outline, download
from geo_cluster.access.osm_servers import PUBLIC, Progress, Servers, Session, lent_osmnx
from geo_cluster.domain import Text
from geo_cluster.errors import DataError, Fault, InputError, refuse_if

LARGEST_KM2 = 60_000.0
"""A larger area is refused: it is no prefecture, and a burden on a server that others share."""
KEEP_ANSWERS_H = 48.0
"""Answers of an interrupted refresh are used again for so long."""

Area: TypeAlias = str | Outline | Sequence[float]


@dataclass(frozen=True)
class Refresh:
    """What a refresh wrote.

    Attributes
    ----------
    folder : Path
        Holds the files and their registry, `sources.toml`.
    sources : dict
        The registry's entries of the layers written, by name, with producer, licence, hash and dates.
    changes : tuple of Text
        One sentence a layer: what was there, what is there now; also what nothing was found of.
    """

    folder: Path
    sources: dict[str, dict[str, Any]]
    changes: tuple[Text, ...]


def refresh(
    area: Area,
    folder: Path | str,
    *,
    layers: Sequence[str] = tuple(WANTED),
    around: gpd.GeoDataFrame | None = None,
    servers: Servers = PUBLIC,
    progress: Progress | None = None,
) -> Refresh:
    """Download layers of an area from OpenStreetMap and put them in a folder, all or nothing.

    Parameters
    ----------
    area : str, Polygon, MultiPolygon or (west, south, east, north)
        Name of a prefecture, which Nominatim is asked for, or an area drawn in WGS 84.
    folder : Path
        Made if missing. Layers there that are not asked for stay.
    layers : sequence of str
        Keys of `WANTED`.
    around : GeoDataFrame, optional
        The embedded roads. Outside the area they are kept and joined to the new ones at its edge, so that the way to
        Wuhan doesn't end at a prefecture's boundary.
    servers : Servers
        Whom to ask, and how patiently.
    progress : callable of (str, float), optional
        Shown what is going on, and the share done.

    Returns
    -------
    Refresh

    Raises
    ------
    InputError
        The area, a layer's name or a number can't be used.
    DataError
        A server refused or answered wrongly, or the layers can't be written; the old ones are in place.
    """
    folder = Path(folder)
    refuse_if(_layer_faults(layers) + servers.faults())
    session = Session(servers, progress or (lambda *_: None))
    answers = folder.parent / f".{folder.name}-answers"
    try:
        answers.mkdir(parents=True, exist_ok=True)
        _forget_old(answers)
        with lent_osmnx(session, answers) as ox:
            outline = _outline(area, session, ox)
            frames, empty = download(outline, layers, session, ox)
        if "roads" in frames and around is not None:
            frames["roads"] = roads.join(frames["roads"], around, outline)
        done = _replace(folder, frames, empty, area, session)
    except OSError as error:
        raise DataError(_not_written(folder, error)) from error
    shutil.rmtree(answers, ignore_errors=True)
    return done


def _layer_faults(layers: Sequence[str]) -> list[Fault]:
    known = list(WANTED)
    faults = [
        Fault("access.layer_unknown", "layers", layer=str(name), known=known) for name in layers if name not in WANTED
    ]
    if not layers:
        faults.append(Fault("access.no_layers", "layers", known=known))
    return faults


def _not_written(folder: Path, error: OSError) -> Fault:
    reason = error.strerror or str(error)
    if error.errno == errno.ENOSPC:
        return Fault("access.disk_full", folder, reason=reason)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Fault("access.no_right_to_write", folder, reason=reason)
    return Fault("access.not_written", folder, reason=reason)


def _forget_old(answers: Path) -> None:
    """Delete answers that are too old to be used again, or that a full disk cut short."""
    for path in answers.glob("*.json"):
        old = time.time() - path.stat().st_mtime > KEEP_ANSWERS_H * 3600
        if old or path.read_bytes()[-1:] not in (b"}", b"]"):
            path.unlink()


def _outline(area: Area, session: Session, ox: Any) -> Outline:
    """Outline of an area, asked for where only its name is there."""
    if isinstance(area, str):
        session.subject = area
        session.report("looking up its boundary")
        try:
            found = session.ask(ox.settings.nominatim_url, partial(ox.geocode_to_gdf, area))
        except (ox._errors.InsufficientResponseError, ox._errors.ResponseStatusCodeError, TypeError, KeyError) as error:
            host = str(urlparse(ox.settings.nominatim_url).netloc)
            raise DataError(Fault("access.no_boundary", area, host=host)) from error
        outline = found.geometry.iloc[0]
    elif isinstance(area, shapely.Polygon | shapely.MultiPolygon):
        outline = area
    else:
        outline = _box(area)
    faults = []
    bounds = outline.bounds if not outline.is_empty else (0, 0, 0, 0)
    if outline.is_empty or not outline.is_valid:
        faults.append(Fault("access.area_broken", "area"))
    elif abs(bounds[1]) > 90 or abs(bounds[3]) > 90:
        faults.append(Fault("access.area_latitudes", "area", latitude=float(bounds[3])))
    elif (km2 := _km2(outline)) > LARGEST_KM2:
        faults.append(Fault("access.area_too_large", "area", km2=km2, most=LARGEST_KM2))
    refuse_if(faults)
    return outline


def _box(area: Any) -> shapely.Polygon:
    try:
        west, south, east, north = (float(x) for x in area)
    except (TypeError, ValueError):
        raise InputError(Fault("access.no_area", "area", value=repr(area))) from None
    if not (west < east and south < north):
        raise InputError(Fault("access.area_backwards", "area", west=west, east=east, south=south, north=north))
    return shapely.box(west, south, east, north)


def _km2(outline: Outline) -> float:
    return float(gpd.GeoSeries([outline], crs=4326).to_crs(6933).area.iloc[0] / 1e6)  # equal area


def _replace(
    folder: Path, frames: dict[str, gpd.GeoDataFrame], empty: list[str], area: Area, session: Session
) -> Refresh:
    """Write a whole new folder beside the old one, read it back, and only then put it in its place."""
    registry = _registry(folder)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    sources, changes = {}, []
    try:
        if folder.exists():
            shutil.copytree(folder, fresh, dirs_exist_ok=True)
        for name, frame in frames.items():
            session.report(f"writing {name}")
            sources[name] = _write(fresh, name, frame, area, session)
            changes.append(_change(name, len(frame), registry.get(name)))
        changes += [_nothing(name) for name in empty]
        (fresh / "sources.toml").write_text(tomli_w.dumps({"layers": registry | sources}), encoding="utf-8")
        _swap(folder, fresh)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise OSError(str(error)) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Refresh(folder, sources, tuple(changes))


def _change(name: str, rows: int, old: dict[str, Any] | None) -> Text:
    if old is None:
        return Text(zh=f"{name}：{rows:,} 行，新增", en=f"{name}: {rows:,} rows, new")
    was, day = old["rows"], old["retrieved"]
    return Text(
        zh=f"{name}：{rows:,} 行，替换 {day} 的 {was:,} 行",
        en=f"{name}: {rows:,} rows, replaces {was:,} rows of {day}",
    )


def _nothing(name: str) -> Text:
    return Text(zh=f"{name}：此范围内没有，旧图层保留", en=f"{name}: nothing in this area, the old layer stays")


def _registry(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "sources.toml"
    if not path.is_file():
        return {}
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")).get("layers", {}))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(Fault("access.registry_unreadable", path, reason=str(error))) from error


def _write(fresh: Path, name: str, frame: gpd.GeoDataFrame, area: Area, session: Session) -> dict[str, Any]:
    path = fresh / f"{name}.gpkg"
    path.unlink(missing_ok=True)
    frame.to_file(path, driver="GPKG", layer=name)
    if len(gpd.read_file(path)) != len(frame):
        msg = f"{path.name} came back with fewer rows than were written"
        raise OSError(msg)
    content = path.read_bytes()
    dates = sorted(filter(None, session.as_of))
    today = dt.date.today().isoformat()
    return {
        "file": path.name,
        "title_zh": WANTED[name].title_zh,
        "title_en": WANTED[name].title_en,
        "producer": "OpenStreetMap contributors",
        "producer_zh": "OpenStreetMap 贡献者",
        "licence": "ODbL-1.0",
        "licence_url": "https://opendatacommons.org/licenses/odbl/1-0/",
        "attribution_zh": "© OpenStreetMap 贡献者（ODbL 1.0）",
        "attribution_en": "© OpenStreetMap contributors (ODbL 1.0)",
        "urls": ["https://www.openstreetmap.org/copyright"],
        "retrieved": today,
        "as_of": dates[0][:10] if dates else today,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rows": len(frame),
        "crs": "EPSG:4326",
        "geometry": "/".join(sorted(frame.geom_type.unique())),
        "made_by": "geo-cluster refresh-osm",
        "notes": f"Area: {area if isinstance(area, str) else 'drawn'}. What nobody has mapped is missing.",
        "notes_zh": f"范围：{area if isinstance(area, str) else '手绘'}。无人测绘的没有。",
    }


def _swap(folder: Path, fresh: Path) -> None:
    """Put the fresh folder in the place of the old one; put the old one back if that fails."""
    aside = fresh.with_name(fresh.name + "-old")
    if folder.exists():
        folder.rename(aside)
    try:
        fresh.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)
