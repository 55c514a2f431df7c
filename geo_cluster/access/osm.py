"""Refresh layers from OpenStreetMap through osmnx: all of them, or none.

What comes is checked before anything is replaced. A server that refuses, is slow, breaks off or answers something else
leaves the old layers where they are, and the refusal says so. Answers that did come are kept for a second try, which
then asks only for the rest. Data © OpenStreetMap contributors, ODbL 1.0.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import socket
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlparse

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import tomli_w
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo_cluster.access.network import EARTH_RADIUS_KM, HIGHWAY_KMH, OFF_NETWORK_KMH, unit_vectors
from geo_cluster.errors import DataError, Fault, InputError, refuse_if

OVERPASS_URL = "https://overpass-api.de/api"
NOMINATIM_URL = "https://nominatim.openstreetmap.org/"
USER_AGENT = "geo-cluster (industrial site planning; uses OSMnx)"
LARGEST_KM2 = 60_000.0
"""A larger area is refused: it is no prefecture, and a burden on a server that others share."""
KNOCK_S, KNOCK_PAUSE_S = 10.0, 3.0
"""How long a server may take to answer at all, and how long to wait before trying one that didn't again.

A busy server is worth a minute; one that isn't there, or that a firewall hides, is told within a minute in all.
"""
KEEP_ANSWERS_H = 48.0
"""Answers of an interrupted refresh are used again for so long."""

Area: TypeAlias = str | shapely.Polygon | shapely.MultiPolygon | Sequence[float]
Progress: TypeAlias = Callable[[str, float], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """A layer to be had from OpenStreetMap: its tags, the kinds of geometry to keep, and its titles."""

    title_zh: str
    title_en: str
    tags: dict[str, bool | str | list[str]]
    kinds: tuple[str, ...]


_AREAS = ("Polygon", "MultiPolygon")
_LINES = ("LineString", "MultiLineString")
WANTED: Mapping[str, Wanted] = {
    "roads": Wanted("机动车道路网", "Drivable road network", {}, ("LineString",)),
    "industrial_land": Wanted("工业用地", "Industrial land", {"landuse": "industrial"}, _AREAS),
    "osm_substations": Wanted("变电站", "Substations", {"power": "substation"}, ("Point", *_AREAS)),
    "power_lines": Wanted("输电线路", "Power lines", {"power": "line"}, _LINES),
    "water": Wanted("水面", "Water", {"natural": "water", "waterway": "riverbank"}, _AREAS),
    "protected_areas": Wanted(
        "自然保护地",
        "Protected areas",
        {"boundary": ["protected_area", "national_park"], "leisure": "nature_reserve"},
        _AREAS,
    ),
    "osm_stations": Wanted("火车站", "Railway stations", {"railway": "station"}, ("Point", *_AREAS)),
}
"""The layers that `refresh` knows. `roads` has the columns of the embedded layer and can stand in its place."""

_COLUMNS = ("name", "name:en", "voltage", "operator", "landuse", "power", "natural", "protect_class", "railway")


@dataclass(frozen=True)
class Refresh:
    """What a refresh wrote.

    Attributes
    ----------
    folder : Path
        Holds the files and their registry, `sources.toml`.
    sources : dict
        The registry's entries of the layers written, by name, with producer, licence, hash and dates.
    changes : tuple of str
        One sentence a layer: what was there, what is there now; also what nothing was found of.
    """

    folder: Path
    sources: dict[str, dict[str, Any]]
    changes: tuple[str, ...]


@dataclass
class _Session:
    """What to tell the person, and what the servers said."""

    progress: Progress
    attempts: int
    pause_s: float
    timeout_s: float
    as_of: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    now: str = ""
    share: float = 0.0

    def say(self, text: str) -> None:
        self.progress(f"{self.now}: {text}" if self.now else text, self.share)


class _Refused(Exception):  # noqa: N818  (a signal between the two halves of this module)
    """A server answered, or didn't, in a way that another try may mend."""

    def __init__(self, what: str, wait_s: float | None = None):
        super().__init__(what)
        self.wait_s = wait_s


def refresh(
    area: Area,
    folder: Path | str,
    *,
    layers: Sequence[str] = tuple(WANTED),
    around: gpd.GeoDataFrame | None = None,
    overpass_url: str = OVERPASS_URL,
    nominatim_url: str = NOMINATIM_URL,
    timeout_s: float = 180.0,
    attempts: int = 4,
    pause_s: float = 15.0,
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
    overpass_url, nominatim_url : str
        Servers. A server on this machine is not asked for a free slot first.
    timeout_s : float
        How long a server may be silent.
    attempts, pause_s : int, float
        How often to ask again after a refusal, and how long to wait before; the wait doubles each time, or is what the
        server asks for.
    progress : callable of (str, float), optional
        Told what is going on, and the share done.

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
    refuse_if(_option_faults(layers, timeout_s, attempts, pause_s))
    session = _Session(progress or (lambda *_: None), attempts, pause_s, timeout_s)
    answers = folder.parent / f".{folder.name}-answers"
    try:
        answers.mkdir(parents=True, exist_ok=True)
        _forget_old(answers)
        with _osmnx(session, answers, overpass_url, nominatim_url) as ox:
            polygon = _polygon(area, session, ox)
            frames, empty = _download(polygon, layers, session, ox)
        if "roads" in frames and around is not None:
            frames["roads"] = join_roads(frames["roads"], around, polygon)
        done = _replace(folder, frames, empty, area, session)
    except OSError as error:
        what = f"can't be written: {error.strerror or error}"
        raise DataError(Fault(str(folder), what, "free some space or pick another folder; old layers stay")) from error
    shutil.rmtree(answers, ignore_errors=True)
    return done


def join_roads(
    new: gpd.GeoDataFrame, around: gpd.GeoDataFrame, area: shapely.Polygon | shapely.MultiPolygon
) -> gpd.GeoDataFrame:
    """Put new roads in the place of old ones inside an area, and join both networks at its edge.

    An old edge is kept if one of its ends is outside. Where it crosses the edge of the area, its inner end is joined
    to the nearest new node by a straight edge at the off-network speed.

    Parameters
    ----------
    new, around : GeoDataFrame
        Columns u, v, length_km, speed_kmh, optionally oneway; WGS 84.
    area : Polygon or MultiPolygon

    Returns
    -------
    GeoDataFrame
        Nodes renumbered: new ones keep their labels, old ones get negative ones.
    """
    lines = around.geometry.to_numpy()
    shapely.prepare(area)
    inside = [shapely.contains(area, shapely.get_point(lines, i)) for i in (0, -1)]
    kept = around.loc[~(inside[0] & inside[1]), ["u", "v", "length_km", "speed_kmh", "geometry"]].copy()
    kept["u"], kept["v"] = -1 - kept["u"].to_numpy(), -1 - kept["v"].to_numpy()
    kept["oneway"] = around["oneway"].loc[kept.index] if "oneway" in around else False
    stays = kept.index
    crossing = [pd.Series(inside[i], index=around.index).loc[stays].to_numpy() for i in (0, 1)]
    ends = [shapely.get_coordinates(shapely.get_point(kept.geometry.to_numpy(), i)) for i in (0, -1)]
    label = np.concatenate([kept["u"].to_numpy()[crossing[0]], kept["v"].to_numpy()[crossing[1]]])
    place = np.concatenate([ends[0][crossing[0]], ends[1][crossing[1]]])
    label, first = np.unique(label, return_index=True)
    parts = [new, kept]
    if label.size and len(new):
        parts.append(_connectors(new, label, place[first]))
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=new.crs)


def _connectors(new: gpd.GeoDataFrame, label: np.ndarray, place: np.ndarray) -> gpd.GeoDataFrame:
    main = _main_nodes(new)
    gap, near = cKDTree(unit_vectors(*main[["lon", "lat"]].to_numpy().T)).query(unit_vectors(*place.T))
    to = main.iloc[near]
    lines = shapely.linestrings(np.stack([place, to[["lon", "lat"]].to_numpy()], axis=1))
    return gpd.GeoDataFrame(
        {
            "u": label,
            "v": to.index.to_numpy(),
            "length_km": np.maximum(gap * EARTH_RADIUS_KM, 0.001),
            "speed_kmh": OFF_NETWORK_KMH,
            "oneway": False,
        },
        geometry=lines,
        crs=new.crs,
    )


def _main_nodes(roads: gpd.GeoDataFrame) -> pd.DataFrame:
    """Places of the nodes of the largest part in which one can get from everywhere to everywhere."""
    lines = roads.geometry.to_numpy()
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines, i)) for i in (0, -1)])
    label, first, number = np.unique(np.concatenate([roads["u"], roads["v"]]), return_index=True, return_inverse=True)
    tail, head = number[: len(roads)], number[len(roads) :]
    back = ~roads["oneway"].to_numpy(dtype=bool)
    arcs = np.concatenate([tail, head[back]]), np.concatenate([head, tail[back]])
    graph = coo_array((np.ones(arcs[0].size), arcs), shape=(label.size, label.size))
    _, member = connected_components(graph, directed=True, connection="strong")
    main = member == np.bincount(member).argmax()
    return pd.DataFrame(ends[first][main], columns=["lon", "lat"], index=label[main])


def _option_faults(layers: Sequence[str], timeout_s: float, attempts: int, pause_s: float) -> list[Fault]:
    known = ", ".join(WANTED)
    faults = [
        Fault("layers", f"{name!r} is not known", f"use some of {known}") for name in layers if name not in WANTED
    ]
    if not layers:
        faults.append(Fault("layers", "there are none", f"use some of {known}"))
    if not timeout_s > 0:
        faults.append(Fault("timeout_s", f"is {timeout_s:g}", "give seconds above zero"))
    if attempts < 1:
        faults.append(Fault("attempts", f"is {attempts}", "give at least 1"))
    if pause_s < 0:
        faults.append(Fault("pause_s", f"is {pause_s:g}", "give seconds, zero or more"))
    return faults


def _forget_old(answers: Path) -> None:
    """Delete answers that are too old to be used again, or that a full disk cut short."""
    for path in answers.glob("*.json"):
        old = time.time() - path.stat().st_mtime > KEEP_ANSWERS_H * 3600
        if old or path.read_bytes()[-1:] not in (b"}", b"]"):
            path.unlink()


@contextmanager
def _osmnx(session: _Session, answers: Path, overpass_url: str, nominatim_url: str) -> Iterator[Any]:
    """Lend osmnx, which has one set of settings for a whole process, with ours; give it back as it was."""
    import osmnx as ox

    local = urlparse(overpass_url).hostname in ("127.0.0.1", "localhost", "::1")
    ours = {
        "overpass_url": overpass_url,
        "nominatim_url": nominatim_url,
        "overpass_rate_limit": not local,
        "requests_timeout": session.timeout_s,
        "requests_kwargs": {"hooks": {"response": lambda answer, **_: _inspect(answer, session)}},
        "use_cache": True,
        "cache_folder": answers,
        "cache_only_mode": False,
        "http_user_agent": USER_AGENT,
        "http_referer": USER_AGENT,
        "http_accept_language": "zh,en",
        "doh_url_template": None,
    }
    before = {key: getattr(ox.settings, key) for key in ours}
    resolve = socket.getaddrinfo  # osmnx replaces it to hold on to one server
    try:
        for key, value in ours.items():
            setattr(ox.settings, key, value)
        yield ox
    finally:
        socket.getaddrinfo = resolve
        for key, value in before.items():
            setattr(ox.settings, key, value)


def _inspect(answer: Any, session: _Session) -> None:
    """Look at an answer before osmnx does: it would sleep 55 s on a refusal, for ever, and take half an answer."""
    if urlparse(answer.url).path.endswith("/status"):
        return
    if answer.status_code in (429, 502, 503, 504):
        wait = answer.headers.get("Retry-After", "")
        what = f"refuses for now ({answer.status_code} {answer.reason})"
        raise _Refused(what, float(wait) if wait.isdigit() else None)
    content = answer.content  # read here, so that a broken connection shows here
    try:
        said = json.loads(content)
    except ValueError:
        kind = "a web page" if content.lstrip()[:1] == b"<" else "something that breaks off or isn't JSON"
        what = f"answered {kind} ({answer.status_code}, {len(content):,} bytes)"
        raise _Refused(what) from None
    if isinstance(said, dict):
        if "remark" in said:
            what = f"gave up half way: {said['remark']}"
            raise _Refused(what)
        session.as_of.append(str(said.get("osm3s", {}).get("timestamp_osm_base", "")))
        session.say(f"{len(content) / 1e6:.2f} MB, {len(said.get('elements', [])):,} elements")


def _patiently(session: _Session, url: str, ask: Callable[[], T]) -> T:
    """Ask again after a refusal, waiting longer each time; what was answered before is not asked again."""
    from requests.exceptions import RequestException

    pause, host = session.pause_s, str(urlparse(url).netloc)
    for attempt in range(1, session.attempts + 1):
        try:
            _knock(session, url, host)
            return ask()
        except (_Refused, RequestException) as refusal:
            what = str(refusal) if isinstance(refusal, _Refused) else f"can't be reached ({type(refusal).__name__})"
            if attempt == session.attempts:
                remedy = "old layers stay; try again later, what has come is kept for two days"
                if host not in session.reached:
                    remedy = "old layers stay; check the address, the network and its proxy, or name another server"
                raise DataError(Fault(host, f"{what}, {attempt} times", remedy)) from refusal
            wait = pause if not isinstance(refusal, _Refused) or refusal.wait_s is None else refusal.wait_s
            session.say(f"{host} {what}; asking again in {wait:.0f} s")
            time.sleep(min(wait, 300))
            pause *= 2
    raise AssertionError  # pragma: no cover


def _knock(session: _Session, url: str, host: str) -> None:
    """See once whether a server is there; for one that isn't, osmnx would wait minutes and say nothing."""
    import requests

    if host in session.reached:
        return
    session.say(f"trying {host}")
    try:
        requests.head(url, timeout=KNOCK_S, headers={"User-Agent": USER_AGENT})
    except requests.ReadTimeout:  # it is there and thinks
        pass
    except requests.RequestException as problem:
        what = f"can't be reached ({type(problem).__name__})"
        raise _Refused(what, min(KNOCK_PAUSE_S, session.pause_s)) from None
    session.reached.add(host)


def _polygon(area: Area, session: _Session, ox: Any) -> shapely.Polygon | shapely.MultiPolygon:
    if isinstance(area, str):
        session.now = area
        session.say("looking up its boundary")
        host = str(urlparse(ox.settings.nominatim_url).netloc)
        try:
            found = _patiently(session, ox.settings.nominatim_url, partial(ox.geocode_to_gdf, area))
        except (ox._errors.InsufficientResponseError, ox._errors.ResponseStatusCodeError, TypeError, KeyError) as error:
            what = f"is no place with a boundary, says {host}"
            raise DataError(Fault(repr(area), what, "spell it as OpenStreetMap does, or draw the area")) from error
        polygon = found.geometry.iloc[0]
    elif isinstance(area, shapely.Polygon | shapely.MultiPolygon):
        polygon = area
    else:
        polygon = _box(area)
    faults = []
    bounds = polygon.bounds if not polygon.is_empty else (0, 0, 0, 0)
    if polygon.is_empty or not polygon.is_valid:
        faults.append(Fault("area", "is empty or crosses itself", "draw it again"))
    elif abs(bounds[1]) > 90 or abs(bounds[3]) > 90:
        faults.append(Fault("area", f"has latitudes up to {bounds[3]:g}", "give longitude first, in degrees"))
    elif (km2 := _km2(polygon)) > LARGEST_KM2:
        faults.append(Fault("area", f"has {km2:,.0f} km2", f"take one prefecture, at most {LARGEST_KM2:,.0f} km2"))
    refuse_if(faults)
    return polygon


def _box(area: Any) -> shapely.Polygon:
    try:
        west, south, east, north = (float(x) for x in area)
    except (TypeError, ValueError):
        what = f"is {area!r}"
        raise InputError(Fault("area", what, "give a name, a polygon, or (west, south, east, north)")) from None
    if not (west < east and south < north):
        what = f"runs from {west:g} to {east:g} and from {south:g} to {north:g}"
        raise InputError(Fault("area", what, "give west, south, east, north in degrees"))
    return shapely.box(west, south, east, north)


def _km2(polygon: shapely.Polygon | shapely.MultiPolygon) -> float:
    return float(gpd.GeoSeries([polygon], crs=4326).to_crs(6933).area.iloc[0] / 1e6)  # equal area


def _download(
    polygon: shapely.Polygon | shapely.MultiPolygon, layers: Sequence[str], session: _Session, ox: Any
) -> tuple[dict[str, gpd.GeoDataFrame], list[str]]:
    """Frames by layer, and the layers of which there is nothing in the area."""
    host = str(urlparse(ox.settings.overpass_url).netloc)
    frames, empty, faults = {}, [], []
    for number, name in enumerate(layers):
        session.now, session.share = name, number / len(layers)
        session.say("asking")
        ask = _roads if name == "roads" else _features
        try:
            frame = _patiently(session, ox.settings.overpass_url, partial(ask, polygon, WANTED[name], ox))
        except ox._errors.InsufficientResponseError:
            if name == "roads":
                faults.append(Fault("roads", f"{host} knows no road in this area", "check the area; old layers stay"))
            empty.append(name)
            continue
        except (ox._errors.ResponseStatusCodeError, ValueError, TypeError, KeyError, AttributeError) as error:
            what = f"{host} answered what osmnx can't read ({type(error).__name__}: {str(error)[:80]})"
            faults.append(Fault(name, what, "try again later or another server; old layers stay"))
            continue
        faults += _content_faults(name, frame, polygon)
        if len(frame):
            frames[name] = frame
        else:
            empty.append(name)
    refuse_if(faults, DataError)
    session.now, session.share = "", 1.0
    return frames, empty


def _roads(polygon: shapely.Polygon | shapely.MultiPolygon, _: Wanted, ox: Any) -> gpd.GeoDataFrame:
    """Edges as the embedded layer has them; speeds set before simplifying, while each piece still has one limit."""
    graph = ox.graph_from_polygon(polygon, network_type="drive", simplify=False, retain_all=True)
    graph = ox.add_edge_speeds(graph, hwy_speeds=dict(HIGHWAY_KMH), fallback=25)
    graph = ox.add_edge_travel_times(graph)
    graph = ox.simplify_graph(graph, edge_attr_aggs={"length": sum, "travel_time": sum})
    edges = ox.graph_to_gdfs(graph, nodes=False).reset_index()
    edges = edges[(edges["length"] > 0) & (edges["travel_time"] > 0)]
    lengths = edges["length"].round(2), edges["travel_time"].round(2)
    low, high = np.minimum(edges["u"], edges["v"]), np.maximum(edges["u"], edges["v"])
    pair = pd.DataFrame({"low": low, "high": high, "m": lengths[0], "s": lengths[1]})
    both = pair.groupby(list(pair.columns))["low"].transform("size") > 1
    back = both & (edges["u"] > edges["v"])  # the other direction of a street that is kept as passable both ways
    out = gpd.GeoDataFrame(
        {
            "u": edges["u"].astype("int64"),
            "v": edges["v"].astype("int64"),
            "length_km": edges["length"] / 1000,
            "speed_kmh": edges["length"] / edges["travel_time"] * 3.6,
            "oneway": ~both,
            "highway": edges["highway"].map(lambda h: h if isinstance(h, str) else ";".join(map(str, h))),
        },
        geometry=edges.geometry,
        crs=4326,
    )
    return out[~back].reset_index(drop=True)


def _features(polygon: shapely.Polygon | shapely.MultiPolygon, wanted: Wanted, ox: Any) -> gpd.GeoDataFrame:
    found = ox.features_from_polygon(polygon, wanted.tags)
    found = found[found.geometry.geom_type.isin(wanted.kinds)].reset_index()
    columns = {c: found[c].astype("string").fillna("") for c in _COLUMNS if c in found}
    osm_id = found["element"].str[0] + found["id"].astype(str)
    return gpd.GeoDataFrame({"osm_id": osm_id, **columns}, geometry=found.geometry, crs=4326)


def _content_faults(name: str, frame: gpd.GeoDataFrame, polygon: shapely.Polygon | shapely.MultiPolygon) -> list[Fault]:
    """Whether what came is about the area that was asked for, and roads hang together."""
    if not len(frame):
        return []
    shapes = frame.geometry.to_numpy()
    faults = []
    remedy = "the server answered something else; old layers stay"
    if not shapely.intersects(polygon, shapes).any():
        faults.append(Fault(name, "nothing that came is in the area", remedy))
    if (shapely.is_missing(shapes) | shapely.is_empty(shapes)).any():
        faults.append(Fault(name, "some of what came has no geometry", remedy))
    if name == "roads" and not faults:
        share = len(_main_nodes(frame)) / np.unique(frame[["u", "v"]].to_numpy()).size
        if share < 0.5:
            what = f"only {share:.0%} of the road nodes are connected: half of the answer is missing"
            faults.append(Fault(name, what, remedy))
    return faults


def _replace(
    folder: Path, frames: dict[str, gpd.GeoDataFrame], empty: list[str], area: Area, session: _Session
) -> Refresh:
    """Write a whole new folder beside the old one, read it back, and only then put it in its place."""
    registry = _registry(folder)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    sources, changes = {}, []
    try:
        if folder.exists():
            shutil.copytree(folder, fresh, dirs_exist_ok=True)
        for name, frame in frames.items():
            session.say(f"writing {name}")
            sources[name] = _write(fresh, name, frame, area, session)
            old = registry.get(name)
            was = f"replaces {old['rows']:,} rows of {old['retrieved']}" if old else "new"
            changes.append(f"{name}: {len(frame):,} rows, {was}")
        changes += [f"{name}: nothing in this area, the old layer stays" for name in empty]
        (fresh / "sources.toml").write_text(tomli_w.dumps({"layers": registry | sources}), encoding="utf-8")
        _swap(folder, fresh)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise OSError(str(error)) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Refresh(folder, sources, tuple(changes))


def _registry(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "sources.toml"
    if not path.is_file():
        return {}
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")).get("layers", {}))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(Fault(str(path), f"can't be read ({error})", "mend or remove it")) from error


def _write(fresh: Path, name: str, frame: gpd.GeoDataFrame, area: Area, session: _Session) -> dict[str, Any]:
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
