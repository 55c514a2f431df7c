"""What is computed once and shared by all visitors: layers, maps, studies. The only file that caches."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
import streamlit.components.v1 as components

from geo_cluster import catalog, choice, explained, inputs, intake, layers, maps, portfolio
from geo_cluster import study as pipeline
from geo_cluster.choice import Choice, Weighed
from geo_cluster.domain import Language, Scenario
from geo_cluster.export import bundle
from geo_cluster.inputs import Region
from geo_cluster.intake import Appraisal
from geo_cluster.study import Study


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


@st.cache_data(show_spinner=False)
def layer_table(name: str) -> Any:
    """A layer's rows without geometry, for the preview."""
    frame = layers.read(name)
    return frame.drop(columns="geometry") if "geometry" in frame else frame


@st.cache_data(show_spinner=False)
def layer_file(name: str) -> bytes:
    """A layer's file as it is shipped."""
    return (catalog.data_dir() / catalog.layers()[name].file).read_bytes()


# ---- score: one project's choice, and a table of projects on its way through intake ----


def ground(scenario: Scenario) -> Scenario:
    """The scenario without what changes neither a site nor a draw: weights, projects, how the plan is made."""
    kept = scenario.model_dump(include={"anchor", "sites", "layers", "layers_sha256", "known", "draws", "seed"})
    return Scenario(name=catalog.scenario().name, **kept)


@st.cache_resource(show_spinner=False, max_entries=32)
def _choice(scenario: str, project: str, _projects: pd.DataFrame) -> Choice:  # noqa: ARG001
    return next(choice.choices(region(Scenario.model_validate_json(scenario)), _projects))


@st.cache_resource(show_spinner=False, max_entries=32)
def _weighed(scenario: str, weights: str, project: str, _projects: pd.DataFrame) -> Weighed:
    return choice.weigh(_choice(scenario, project, _projects), json.loads(weights))


def weighed_of(scenario: Scenario, project: pd.DataFrame) -> Weighed:
    """One checked project (a table of one row) under the scenario's weights."""
    nameless = project.drop(columns=["name", "notes"])  # shared, so nobody's names are in it
    return _weighed(ground(scenario).model_dump_json(), json.dumps(scenario.weights), nameless.to_json(), nameless)


class Screening:
    """A table of projects on its way through intake, batch by batch; what is done stays done if a visitor leaves."""

    def __init__(self, region: Region, projects: pd.DataFrame) -> None:
        self.region, self.projects = region, projects
        self.done: list[Appraisal] = []
        self.lock = threading.Lock()
        self.table, self.archive = pd.DataFrame(), b""

    def run(self, tell: Callable[[float], object]) -> None:
        """Do what is left and pack the files; `tell` hears how much is done, 0 to 1."""
        with self.lock:
            while not self.archive:
                start = intake.BATCH * len(self.done)
                if start < len(self.projects):
                    tell(start / len(self.projects))
                    self.done.append(intake.appraise(self.region, self.projects.iloc[start : start + intake.BATCH]))
                    continue
                self.table = pd.concat([intake.shortlist(part) for part in self.done], ignore_index=True)
                self.archive = _zip(lambda folder: bundle.write_appraisal(self.done, folder))
                self.done = []


def _zip(write: Callable[[Path], list[Path]]) -> bytes:
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(write(Path(folder) / "files")):
            archive.write(path, path.name)
    return packed.getvalue()


@st.cache_resource(show_spinner=False, max_entries=8)
def _screening(scenario: str, suffix: str, content: bytes) -> Screening:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"projects{suffix}"
        path.write_bytes(content)
        projects = portfolio.read(path)
    return Screening(region(Scenario.model_validate_json(scenario)), projects)


def screening_of(scenario: Scenario, name: str, content: bytes) -> Screening:
    """The projects of a CSV or XLSX file under a scenario; refuses the file with all of its faults."""
    given = ground(scenario).model_copy(update={"weights": scenario.weights})
    return _screening(given.model_dump_json(), Path(name).suffix.lower(), content)
