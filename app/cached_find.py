"""What the page 找地 computes once and shares: screens, what a window comes to, pictures of surfaces, screenings."""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import streamlit as st

from app import cached, session
from app.finding import Finding, Findings
from app.texts import TEXTS
from app.web import tiles
from geo_cluster import scratch, toml
from geo_cluster.box.limits import limits
from geo_cluster.domain import Language, Text
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.maps import site_map
from geo_cluster.suitability import picture, run, screen
from geo_cluster.suitability import spec as specs
from geo_cluster.suitability.brought import Brought
from geo_cluster.suitability.candidates import CLASS
from geo_cluster.suitability.criteria import weights
from geo_cluster.suitability.grid import TILE
from geo_cluster.suitability.picture import Layout
from geo_cluster.suitability.screen import Part, Screen
from geo_cluster.suitability.spec import Spec
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers

MOST_CELLS = 6_000_000
"""A grid of more is looked at with larger cells; a county of 5 million cells of 30 m is not."""
FOLDER = "GEO_CLUSTER_SCREENINGS"
"""Environment variable with a folder of specs (`*.toml`) that the page offers beside the sample and our own table."""
SAMPLE, OURS = "sample", "ours"
OWN = "own"
"""Stands for what the visitor dropped."""
BROUGHT = "find-brought"


def offered() -> dict[str, Path | None]:
    """Key -> file of every spec that can be chosen; None for our own table."""
    found: dict[str, Path | None] = {SAMPLE: catalog.sample_dir() / "suitability" / "sample.toml", OURS: None}
    house = os.environ.get(FOLDER, "").strip()
    return found | {one.stem: one for one in (sorted(Path(house).glob("*.toml")) if house else [])}


@st.cache_resource(show_spinner=False, max_entries=16)
def _spec(path: str, changed: float) -> Spec:  # noqa: ARG001
    return specs.read(path)


def spec_of(key: str) -> Spec:
    """A spec that is offered; the sample in place of one that is there no longer.

    Raises
    ------
    InputError
        With every fault of it.
    """
    path = brought().spec if key == OWN else offered().get(key, offered()[SAMPLE])
    return _spec(str(path or ""), path.stat().st_mtime if path else 0.0)


def name_of(key: str) -> Text:
    """What a spec is called; its file's name where it can't be read."""
    if key == OWN:
        return Text(**dict(zip(("zh", "en"), TEXTS["own.choice"], strict=True)))
    try:
        return spec_of(key).name
    except InputError:
        return Text(zh=key, en=key)


def brought() -> Brought:
    """What this visitor dropped; it goes with the visit."""
    kept = session.kept(BROUGHT)
    if kept is None:
        held = scratch.hold(scratch.folder() / "brought" / secrets.token_hex(12))
        kept = Brought(held.path), held
        weakref.finalize(kept[0], _findings().forget, str(held.path)).atexit = False
        session.keep(BROUGHT, kept)
    return kept[0]


def let_go() -> None:
    """Take away what this visitor dropped, and what was found on it."""
    _findings().forget(str(brought().folder))
    session.keep(BROUGHT, None)


def check_own() -> None:
    """Open what the visitor's spec names.

    Raises
    ------
    GeoClusterError
        With every fault of it, or more cells than the page screens.
    """
    grid, most = ground_of(spec_of(OWN)).exact.grid, limits().pixels
    if (cells := grid.rows * grid.columns) > most:
        raise InputError(Fault("suitability.too_many_cells", Place(""), cells=cells, cell=grid.cell_m, most=most))


class Ground(NamedTuple):
    """A spec's screen at its own cells, and the one that the page shows: the same, or with larger cells."""

    exact: Screen
    shown: Screen
    layout: Layout
    key: str

    @property
    def is_overview(self) -> bool:
        """Whether what is shown has larger cells than the spec says."""
        return self.shown.grid.cell_m != self.exact.grid.cell_m


@st.cache_resource(show_spinner=False, max_entries=3)
def _ground(spec: str, key: str) -> Ground:
    parsed = Spec.model_validate_json(spec)
    exact = screen.ready(parsed)
    cells = exact.grid.rows * exact.grid.columns
    times = math.ceil(math.sqrt(cells / MOST_CELLS) - 1e-9)
    shown = exact if times <= 1 else exact.coarser(exact.grid.cell_m * times)
    return Ground(exact, shown, picture.laid_out(shown.grid), key)


def ground_of(spec: Spec) -> Ground:
    """The screen of a spec as it was declared; its files and layers are read when they have changed."""
    files = [spec.path(row) for row in spec.sources.values() if row.file]
    marks = [(str(one), one.stat().st_mtime_ns) for one in files if one.exists()]
    said = json.dumps([spec.model_dump_json(), marks, Layers(spec.layers).key])
    return _ground(spec.model_dump_json(), hashlib.sha256(said.encode()).hexdigest()[:24])


@st.cache_resource(show_spinner=False, max_entries=4)
def _part(_screen: Screen, key: str, rules: str) -> Part:  # noqa: ARG001
    return _screen.part(_screen.grid.whole)


def part_of(ground: Ground, spec: Spec) -> Part:
    """What the cells come to under the rules of a spec; weights and need change nothing of it."""
    rules = {key: rule.model_dump(mode="json") for key, rule in spec.exclusions.items()}
    return _part(replace(ground.shown, spec=spec), ground.key, json.dumps(rules))


def exact_of(ground: Ground, spec: Spec, surface: Surface, job: Finding | None) -> tiles.Pyramid | None:
    """The surface at its own cells, as map tiles, where an overview is shown and a finished screening is of it.

    Parameters
    ----------
    ground : Ground
    spec : Spec
        With its rules and weights as they are set.
    surface : Surface
        What is shown of it: its colours are the tiles' too.
    job : Finding, optional
        The last one that was done.
    """
    if not ground.is_overview or job is None or job.found is None or job.held is None:
        return None
    done = job.found.screen.spec
    if done.model_copy(update={"need": spec.need}) != spec:
        return None
    said = json.dumps([str(job.held.path), ground.key, surface.span])
    key = hashlib.sha256(said.encode()).hexdigest()[:24]
    look, answer, span = toml.table("style")["surface"], job.found.answer, surface.span

    def draw(zoom: int, column: int, row: int) -> bytes:
        return picture.tile(
            answer,
            (zoom, column, row),
            span=span,
            colours=look["ramp"],
            taken=look["taken"],
            unknown=look["unknown"],
        )

    return tiles.pyramid(key) or tiles.Pyramid(key, draw, job.held)


class Surface(NamedTuple):
    """A picture of a surface where the page can fetch it, and what its colours and cells say."""

    source: cached.Source
    span: tuple[float, float]
    bins: pd.DataFrame
    best: float
    free_ha: float


@st.cache_resource(show_spinner=False, max_entries=24)
def _surface(_ground: Ground, _part: Part, key: str, rules: str, weight: tuple[float, ...]) -> Surface:  # noqa: ARG001
    look, scores = toml.table("style")["surface"], _part.scores(np.array(weight))
    span = picture.classes(scores.likely, count=len(look["ramp"]))
    png = picture.drawn(
        _ground.layout,
        _part.stack.code,
        scores.likely,
        span=span,
        colours=look["ramp"],
        taken=look["taken"],
        unknown=look["unknown"],
    )
    low, cells = picture.histogram(scores.likely)
    ramp, step = look["ramp"], (span[1] - span[0]) / len(look["ramp"])
    at = np.clip(np.floor((low + 1 - span[0]) / step), 0, len(ramp) - 1).astype(int)
    share = 100 * cells / max(cells.sum(), 1)
    bins = pd.DataFrame({"low": low, "high": low + 2, "share": share, "colour": [ramp[one] for one in at]})
    bins["km2"] = cells * _ground.shown.grid.cell_ha / 100
    best = float(low[cells > 0].max() + 2) if cells.any() else 0.0
    return Surface(cached.served(png, "png"), span, bins, best, float(cells.sum() * _ground.shown.grid.cell_ha))


def surface_of(ground: Ground, spec: Spec, weight: Mapping[str, float]) -> Surface:
    """The surface under weights, as a picture."""
    rules = {key: rule.model_dump(mode="json") for key, rule in spec.exclusions.items()}
    part = part_of(ground, spec)
    return _surface(ground, part, ground.key, json.dumps(rules), tuple(weights(spec, weight).tolist()))


def weighted(spec: Spec, weight: Mapping[str, float]) -> Spec:
    """A spec with these weights in place of its own."""
    rows = {key: one.model_copy(update={"weight": weight[key]}) for key, one in spec.criteria.items()}
    return spec.model_copy(update={"criteria": rows})


def story_of(ground: Ground, spec: Spec, lon: float, lat: float) -> dict[str, Any]:
    """What is known of a cell of the declared size; `spec` has the rules and weights as they are set."""
    return replace(ground.exact, spec=spec).story(lon, lat)


@st.cache_resource(show_spinner=False, max_entries=6)
def _base_map(_layers: Layers, key: str, language: Language, bounds: tuple[Any, ...]) -> cached.Source:  # noqa: ARG001
    return cached.map_source(site_map.sites_payload(_layers, language) | {"bounds": [list(one) for one in bounds]})


def base_map(layers: Layers, language: Language, ground: Ground) -> cached.Source:
    """Outlines, waters, roads and names to lie around a surface, and the sites that values are laid on."""
    return _base_map(layers, layers.key, language, ground.layout.bounds)


# ---- at full size ---------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _findings() -> Findings:
    return Findings()


def _parks(layers: Layers, sites: tuple[str, ...]) -> pd.DataFrame:
    """The listed parks of a work: its sites, but for land that a screening made one."""
    listed = cached.layer_table(layers, "sites")
    listed = listed[listed["site_class"] != CLASS]
    return listed[listed["id"].isin(sites)] if sites else listed


def _key(ground: Ground, spec: Spec, layers: Layers, sites: tuple[str, ...]) -> str:
    parks = _parks(layers, sites)[["id", "lon", "lat"]].to_numpy().tolist()
    said = json.dumps([run.key_of(replace(ground.exact, spec=spec), TILE), ground.key, parks])
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def finding(ground: Ground, spec: Spec, layers: Layers, sites: tuple[str, ...]) -> Finding | None:
    """The screening of a spec at full size, done or on its way; None before somebody asks for it; see `begin`."""
    return _findings().find(_key(ground, spec, layers, sites))


def begin(ground: Ground, spec: Spec, layers: Layers, sites: tuple[str, ...]) -> Finding:
    """Begin a screening at full size, or join whoever did.

    Parameters
    ----------
    ground : Ground
    spec : Spec
        With its rules, weights and need as they are set.
    layers : Layers
        Whose sites the regions are compared with.
    sites : tuple of str
        Only these; all where empty.
    """
    parks = _parks(layers, sites)[["id", "name_zh", "name_en", "lon", "lat"]]
    placed = gpd.GeoDataFrame(parks, geometry=gpd.points_from_xy(parks["lon"], parks["lat"]), crs=4326)
    placed = placed[placed["lon"].notna()].drop(columns=["lon", "lat"])
    return _findings().start(_key(ground, spec, layers, sites), replace(ground.exact, spec=spec), placed)
