"""What is computed once and shared by all visitors: layers, maps, studies. The only file that caches."""

from __future__ import annotations

import functools
import hashlib
import io
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
import streamlit.components.v1 as components

from app.jobs import Jobs
from geo_cluster import catalog, explained, inputs, intake, layers, maps, portfolio
from geo_cluster import study as pipeline
from geo_cluster.domain import Language, Scenario
from geo_cluster.errors import Fault, InputError
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
    scripts = (f"../{names['leaflet']}/leaflet.js", *(f"../{names['assets']}/{script}" for script in maps.SCRIPTS))
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
    return map_source(overview_payload(language) | {"link": "explore", "basemaps": maps.basemaps(language)})


@st.cache_resource(show_spinner=False, max_entries=32)
def plan_map(_study: Study, scenario_id: str, language: Language) -> tuple[str, tuple[str, ...]]:  # noqa: ARG001
    """The map of a plan."""
    return map_source(maps.payload(language, _study) | {"basemaps": maps.basemaps(language)})


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Runs in the background, shared by all visitors."""
    return Jobs(lambda scenario, **told: pipeline.run(scenario, **told))


def study_of(scenario: Scenario) -> Study:
    """Run a scenario to its end; the same settings are run once, whoever began."""
    job = jobs().start(scenario)
    while not job.wait(1.0):
        pass
    if job.study is None:
        raise job.refusal or RuntimeError
    return job.study


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


# ---- match: what is asked of a plan ---------------------------------------------------------------------------


@st.cache_resource(show_spinner=False, max_entries=64)
def asked(_study: Study, key: str, question: str, *about: Any) -> Any:  # noqa: ARG001
    """The answer of one of the functions of `explained` on a plan (see `plan_key`)."""
    return getattr(explained, question)(_study, *about)


def plan_key(study: Study) -> str:
    """Names a study and its plan: a stopped run and a whole one differ."""
    return f"{study.scenario.id}-{hashlib.sha256(study.plan.site.tobytes()).hexdigest()[:12]}"


@st.cache_resource(show_spinner=False, max_entries=32)
def compared_map(
    _study: Study,
    key: str,  # noqa: ARG001
    language: Language,
    _before: dict[str, str],
    before_key: str,  # noqa: ARG001
) -> tuple[str, tuple[str, ...]]:
    """The map of a plan beside an earlier one: `_before` is the site of each project then."""
    return map_source(maps.payload(language, _study, before=_before))


@st.cache_data(show_spinner=False, max_entries=32)
def projects_text(content: bytes) -> pd.DataFrame:
    """The text of a portfolio's cells."""
    return portfolio.read_text(content)


@st.cache_data(show_spinner=False, max_entries=32)
def projects_faults(content: bytes) -> tuple[pd.DataFrame | None, list[Fault]]:
    """A portfolio with its needs estimated, or what is wrong with it."""
    try:
        return portfolio.check(projects_text(content)), []
    except InputError as refusal:
        return None, refusal.faults


# ---- explore ------------------------------------------------------------------------------------------------

_overview_payload = functools.cache(maps.payload)
_one_at_a_time = threading.Lock()


def overview_payload(language: Language) -> dict[str, Any]:
    """The payload of the whole chain's map; made once, whether a visitor or the start of the server asks first."""
    with _one_at_a_time:
        return _overview_payload(language)
