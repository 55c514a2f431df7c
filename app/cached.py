"""What is computed once and shared by all visitors: layers, maps, studies. The only file that caches."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
import streamlit.components.v1 as components

from app import charts
from geo_cluster import catalog, explained, inputs, intake, layers, maps, portfolio
from geo_cluster import study as pipeline
from geo_cluster.domain import Language, Scenario
from geo_cluster.export import bundle
from geo_cluster.imports import effect, ledger, templates
from geo_cluster.imports.check import check_file
from geo_cluster.imports.files import Checked, Kind, digest, guess
from geo_cluster.inputs import Region
from geo_cluster.intake import Appraisal
from geo_cluster.study import Study
from geo_cluster.workspace import Work


@st.cache_resource(show_spinner=False)
def _served() -> tuple[Path, tuple[str, ...]]:
    """A folder that the app serves for payloads, and where pages find our scripts: on this server, nowhere else."""
    payloads = Path(tempfile.mkdtemp(prefix="geo-cluster-"))
    folders = {"maps": payloads, "assets": maps.ASSETS, "leaflet": maps.leaflet_file("leaflet.js").parent}
    names = {key: components.declare_component(f"gc_{key}", path=str(path)).name for key, path in folders.items()}
    scripts = (f"../{names['leaflet']}/leaflet.js", f"../{names['assets']}/map.js")
    return payloads, (*scripts, f"../{names['maps']}")


def map_source(payload: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Put a payload where the page can fetch it: its address (named by its content) and our scripts."""
    folder, (*scripts, address) = _served()
    content = maps.as_json(payload).encode()
    name = f"{hashlib.sha256(content).hexdigest()[:24]}.json"
    if not (folder / name).exists():
        (folder / name).write_bytes(content)
    return f"{address}/{name}", tuple(scripts)


@st.cache_resource(show_spinner=False)
def own_files() -> Path:
    """Where the files of works are laid out for a run."""
    return Path(tempfile.mkdtemp(prefix="geo-cluster-"))


@st.cache_resource(show_spinner=False)
def overview(language: Language) -> tuple[str, tuple[str, ...]]:
    """The map of the whole chain."""
    return map_source(maps.payload(language))


@st.cache_resource(show_spinner=False, max_entries=32)
def plan_map(_study: Study, scenario_id: str, language: Language) -> tuple[str, tuple[str, ...]]:  # noqa: ARG001
    """The map of a plan."""
    return map_source(maps.payload(language, _study))


@st.cache_resource(show_spinner=False, max_entries=32)
def _study(scenario: str) -> Study:
    return pipeline.run(Scenario.model_validate_json(scenario))


def study_of(scenario: Scenario) -> Study:
    """Run a scenario; the same settings are run once."""
    return _study(scenario.model_dump_json())


@st.cache_resource(show_spinner=False, max_entries=16)
def _region(scenario: str) -> Region:
    given = Scenario.model_validate_json(scenario)
    return inputs.prepare(given, pipeline.read_layers(given.layers))


def region(scenario: Scenario) -> Region:
    """What a scenario makes of the layers, before any project."""
    return _region(scenario.model_copy(update={"locked": (), "forbidden": ()}).model_dump_json())


def assumed_count(scenario: Scenario) -> int:
    """How many of the numbers that decide are assumed because nobody publishes them."""
    known = region(scenario).observations
    return int((known["attribute"].isin(inputs.OFFERS) & (known["basis"] == "assumed")).sum())


@st.cache_resource(show_spinner=False, max_entries=256)
def _appraisal(scenario: str, project: tuple[tuple[str, str], ...]) -> Appraisal:
    known = region(Scenario.model_validate_json(scenario))
    return intake.appraise(known, portfolio.check(pd.DataFrame([dict(project)]), where="project"))


def appraisal_of(scenario: Scenario, project: dict[str, str]) -> Appraisal:
    """One project at intake; the same answers are worked out once."""
    return _appraisal(scenario.model_dump_json(), tuple(sorted(project.items())))


@st.cache_resource(show_spinner=False, max_entries=16)
def ways_in_of(_study: Study, scenario_id: str) -> pd.DataFrame:  # noqa: ARG001
    """The cheapest ways in for whoever a plan leaves out."""
    return explained.ways_in_table(_study)


@st.cache_data(show_spinner=False, max_entries=8)
def download_of(_study: Study, scenario_id: str, language: Language) -> bytes:  # noqa: ARG001
    """Every file of a study as one ZIP."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(bundle.write(_study, Path(folder) / "study", language=language)):
            archive.write(path, path.name)
    return packed.getvalue()


# ---- the page 数据 ------------------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=32)
def layer_table(name: str, folder: str = "", sha256: str = "") -> Any:  # noqa: ARG001
    """A layer's rows without geometry, for the preview."""
    frame = layers.read(name, folder)
    return frame.drop(columns="geometry") if "geometry" in frame else frame


@st.cache_data(show_spinner=False, max_entries=32)
def layer_file(name: str, folder: str = "", sha256: str = "") -> bytes:  # noqa: ARG001
    """A layer's file as it is."""
    place = Path(folder) if folder else catalog.data_dir()
    return (place / catalog.layers(Path(folder) if folder else None)[name].file).read_bytes()


@st.cache_resource(show_spinner=False, max_entries=16)
def layer_chart(name: str, folder: str, sha256: str, language: Language) -> Any:  # noqa: ARG001
    """A layer drawn small, on the outlines of the prefectures; a large one thinned."""
    frame = layers.read(name, folder)
    return charts.outline(frame[frame.geometry.notna()], layers.read("prefectures"), f"name_{language}")


@st.cache_data(show_spinner=False, max_entries=8)
def template(kind: Kind, ending: str) -> bytes:
    """A template to fill in."""
    return templates.as_xlsx(kind) if ending == "xlsx" else templates.as_csv(kind)


@st.cache_data(show_spinner=False, max_entries=64)
def kind_of(content: bytes, name: str) -> str:
    """What a dropped file seems to hold."""
    return guess(content, name)


@st.cache_resource(show_spinner=False, max_entries=8)
def _checked(_content: bytes, sha256: str, name: str, kind: Kind, scenario: str, options: str, _rules: Any) -> Checked:  # noqa: ARG001
    return check_file(
        _content, name, kind, region(Scenario.model_validate_json(scenario)), rules=_rules, **json.loads(options)
    )


def checked(
    file: tuple[str, bytes], kind: Kind, scenario: Scenario, *, rules: tuple[bytes, bytes] | None, **options: Any
) -> Checked:
    """A dropped file, read and checked once for the same settings."""
    name, content = file
    mark = [digest(one) for one in rules or ()]
    told = json.dumps(options, sort_keys=True)
    key = digest(content + json.dumps(mark).encode())
    return _checked(content, key, name, kind, scenario.model_dump_json(), told, rules)


@st.cache_resource(show_spinner=False, max_entries=8)
def _effect(_before: Region, _after: Region, before: str, after: str, own: str) -> pd.DataFrame:  # noqa: ARG001
    return effect.changes(_before, _after, portfolio.read(_before.scenario.portfolio))


def import_effect(checked: Checked, scenario: Scenario, work: Work) -> pd.DataFrame:
    """What taking a checked file over would change in the scores of the work's projects."""
    held = ledger.take_over(scenario.known, work.files, checked, when=datetime.datetime(2000, 1, 1))
    row = work.scenario.model_dump() | {"known": [one.model_dump() for one in held.known]}
    after = Work(catalog.scenario_from(row), held.files).settled(own_files())
    return _effect(region(scenario), region(after), scenario.id, after.id, scenario.portfolio)


@st.cache_resource(show_spinner=False, max_entries=8)
def parcel_charts(_checked: Checked, sha256: str, sites: str) -> Any:  # noqa: ARG001
    """By site, its parcels and what the rules leave of them; nothing where there are no outlines."""
    if "gross" not in _checked.extra:
        return {}
    return charts.parcels(_checked.extra["gross"], _checked.extra["land"])
