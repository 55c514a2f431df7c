"""What is computed once and shared by all visitors: layers, maps, studies. The only file that caches."""

from __future__ import annotations

import datetime
import hashlib
import inspect
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st
import streamlit.components.v1 as components
from sqlalchemy.engine import Engine
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import small_maps
from app.jobs import Job, Jobs
from app.packing import Packing, Packings
from app.plan_view import plan_view
from app.questions import Question, Questions
from app.screening import Screening
from app.texts import text
from geo_cluster import scenarios, scratch, toml
from geo_cluster import study as pipeline
from geo_cluster.archive import zipped
from geo_cluster.box import process
from geo_cluster.box.foreign import foreign_fault
from geo_cluster.domain import Language, PlanningLevel, Scenario, Text
from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.export import bundle, preview
from geo_cluster.export import place_sheet as place_sheets
from geo_cluster.export.outline import Outline
from geo_cluster.export.pack import Order
from geo_cluster.export.phone_list import phone_list
from geo_cluster.export.template import Template
from geo_cluster.imports import effect, ledger, tables, templates
from geo_cluster.imports.check import check_file, guess
from geo_cluster.imports.checked import KINDS, Checked, Kind
from geo_cluster.imports.files import digest, ending_of
from geo_cluster.imports.tables import TableChoice
from geo_cluster.intake import appraise, site_choice
from geo_cluster.intake.site_choice import Choice, Weighed
from geo_cluster.maps import page as maps_page
from geo_cluster.maps import payload as maps_payload
from geo_cluster.maps import site_map
from geo_cluster.region import Region, prepare, subject_names
from geo_cluster.report import questions
from geo_cluster.report import tables as report_tables
from geo_cluster.report.cities import LEVELS
from geo_cluster.study import Study
from geo_cluster.supply import land_survey
from geo_cluster.supply.tariff import Bill, bills
from geo_cluster.validation import check
from geo_cluster.validation.check import Validation
from geo_cluster.workspace import database
from geo_cluster.workspace.repository import LAYERS, PROJECTS, KeptPlan, Work
from geo_cluster.world import catalog, portfolio, sources, spreadsheet
from geo_cluster.world.layers import Layers, by_content, row_layers


class Source(NamedTuple):
    """A map's payload as the page fetches it; its file is there as long as a visitor, or what is cached, holds on."""

    address: str
    scripts: tuple[str, ...]
    file: scratch.Held


@st.cache_resource(show_spinner=False)
def _served() -> tuple[Path, tuple[str, ...]]:
    """A folder that the app serves for payloads, and where pages find our scripts: on this server, nowhere else."""
    payloads = scratch.folder() / "maps"
    payloads.mkdir(mode=0o700, exist_ok=True)
    folders = {
        "maps": payloads,
        "assets": maps_page.ASSETS,
        "leaflet": maps_page.leaflet_file("leaflet.js").parent,
    }
    names = {key: components.declare_component(f"gc_{key}", path=str(path)).name for key, path in folders.items()}
    scripts = (
        f"../{names['leaflet']}/leaflet.js",
        *(f"../{names['assets']}/{script}" for script in maps_page.SCRIPTS),
    )
    return payloads, (*scripts, f"../{names['maps']}")


def map_source(payload: dict[str, Any]) -> Source:
    """Put a payload where the page can fetch it: its address (named by its content) and our scripts."""
    return served(maps_page.as_json(payload).encode(), "json")


def served(content: bytes, ending: str) -> Source:
    """Put a payload or a picture (`png`) where the page can fetch it, and say where our scripts are."""
    folder, (*scripts, address) = _served()
    name = f"{hashlib.sha256(content).hexdigest()[:24]}.{ending}"
    held = scratch.hold(folder / name)
    if not held.path.exists():
        scratch.write(held.path, content)
    return Source(f"{address}/{name}", tuple(scripts), held)


def own_files() -> Path:
    """Where the files of works are laid out for a run."""
    return scratch.folder() / "works"


def settled(work: Work) -> tuple[Scenario, list[scratch.Held]]:
    """A work's scenario ready to run, and its files: they are there as long as somebody holds on to them."""
    held = [scratch.hold(work.place(own_files()))] if work.files else []
    return work.settled(own_files()), held


def files_of(scenario: Scenario) -> list[scratch.Held]:
    """The files that were laid out for a scenario, to hold on to."""
    named = [Path(one) for one in (scenario.portfolio, scenario.layers) if one]
    return [scratch.hold(path.parent) for path in named if path.parent.parent == own_files()]


@st.cache_resource(show_spinner=False, max_entries=8)
def _overview(_layers: Layers, key: str, language: Language) -> Source:  # noqa: ARG001
    payload = overview_payload(_layers, language)
    payload = payload | {"matrix": payload["matrix"] | {"leads": True}}
    more = {"link": "explore", "sheet": text("sheet.open", language), "basemaps": maps_payload.basemaps(language)}
    return map_source(payload | more)


def overview(layers: Layers, language: Language) -> Source:
    """The map of the whole chain."""
    return _overview(layers, layers.key, language)


@st.cache_resource(show_spinner=False, max_entries=8)
def _sites_map(_layers: Layers, key: str, language: Language) -> Source:  # noqa: ARG001
    return map_source(site_map.sites_payload(_layers, language))


def sites_map(layers: Layers, language: Language) -> Source:
    """The map of the sites on which values are laid."""
    return _sites_map(layers, layers.key, language)


@st.cache_resource(show_spinner=False, max_entries=32)
def _plan_map(_study: Study, key: str, language: Language) -> Source:  # noqa: ARG001
    return map_source(plan_view(_study, language) | {"basemaps": maps_payload.basemaps(language)})


def plan_map(study: Study, language: Language) -> Source:
    """The map of a plan."""
    return _plan_map(study, study.key, language)


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Runs in the background, shared by all visitors."""

    def run(scenario: Scenario, **callbacks: Any) -> Study:
        held = files_of(scenario)  # whoever began may have left meanwhile
        try:
            return pipeline.run(scenario, **callbacks)
        finally:
            held.clear()

    return Jobs(run)


def study_of(scenario: Scenario) -> Study:
    """Run a scenario to its end; the same settings are run once, whoever began."""
    job = jobs().start(scenario)
    while not job.wait(1.0):
        pass
    if job.study is None:
        raise job.refusal or RuntimeError
    return job.study


LEVEL_S = 10.0
"""Seconds that a plan at another planning level may take, for what stands beside the visitor's own."""


@st.cache_resource(show_spinner=False)
def _level_runs() -> Jobs:
    """Plans at other levels in the background, one at a time: what visitors ask for comes first."""
    return Jobs(pipeline.run, at_once=1)


def level_jobs(study: Study) -> dict[PlanningLevel, Job]:
    """The study's runs at the other planning levels by level; begun when first asked for."""
    found = {}
    for level in LEVELS:
        if level != study.scenario.planning_level:
            scenario = study.scenario.model_copy(update={"planning_level": level})
            found[level] = _level_runs().find(scenario) or _level_runs().start(scenario, _at_level(study, level))
    return found


def _at_level(study: Study, level: PlanningLevel) -> Callable[..., Study]:
    return lambda _, **told: pipeline.at_level(study, level, time_limit_s=LEVEL_S, **told)


def levels_of(study: Study) -> tuple[Study, ...]:
    """The study and, of its plans at other planning levels, those that are there."""
    jobs = level_jobs(study)
    found = [study if level == study.scenario.planning_level else jobs[level].study for level in LEVELS]
    return tuple(one for one in found if one is not None)


@st.cache_resource(show_spinner=False, max_entries=16)
def _region(scenario: str) -> Region:
    return prepare(Scenario.model_validate_json(scenario))


def placeless(scenario: Scenario) -> Scenario:
    """The scenario without what names projects."""
    return scenario.model_copy(update=dict.fromkeys(("locked", "forbidden", "partners", "present"), ()))


def region(scenario: Scenario) -> Region:
    """What a scenario makes of the layers, before any project."""
    return _region(placeless(scenario).model_dump_json())


@st.cache_data(show_spinner=False, max_entries=8)
def _arriving(layers: str, sha256: str, sites: tuple[str, ...]) -> dict[str, dict[str, Text]]:  # noqa: ARG001
    world = scenarios.named_layers(Layers(layers))
    names = subject_names(world)
    subjects = scenarios.arrival_subjects(world, set(sites or world["sites"]["id"]))
    return {attribute: {one: names[one] for one in sorted(found)} for attribute, found in subjects.items()}


def arriving(scenario: Scenario) -> dict[str, dict[str, Text]]:
    """Attribute of each resource -> id and name of whoever can get more of it in a later year."""
    return _arriving(scenario.layers, scenario.layers_sha256, scenario.sites)


@st.cache_data(show_spinner=False, max_entries=8)
def _openable(layers: str, sha256: str, sites: tuple[str, ...]) -> dict[str, dict[str, Text]]:  # noqa: ARG001
    world = scenarios.named_layers(Layers(layers))
    names, chosen = subject_names(world), set(sites or world["sites"]["id"])
    subjects = scenarios.opening_subjects(world, chosen) | {"": chosen}
    return {attribute: {one: names[one] for one in sorted(found)} for attribute, found in subjects.items()}


def openable(scenario: Scenario) -> dict[str, dict[str, Text]]:
    """Attribute of each resource -> id and name of its pools; under '' the sites considered."""
    return _openable(scenario.layers, scenario.layers_sha256, scenario.sites)


# ---- the page 数据 ------------------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=32)
def _layer_table(_layers: Layers, name: str, sha256: str) -> Any:  # noqa: ARG001
    frame = _layers.read(name)
    return frame.drop(columns="geometry") if "geometry" in frame else frame


def layer_table(layers: Layers, name: str) -> Any:
    """A layer's rows without geometry, for the preview."""
    return _layer_table(layers, name, layers.registry[name].sha256)


@st.cache_data(show_spinner=False, max_entries=8)
def _tally(_layers: Layers, key: str) -> sources.Tally:  # noqa: ARG001
    return sources.tally(_layers.read(name) for name in row_layers(_layers.registry))


def tally_of(layers: Layers) -> sources.Tally:
    """How many rows there are beside the base map and the networks, and what they say of their sources."""
    return _tally(layers, layers.key)


# ---- score: one project's choice, and a table of projects on its way through intake ----


def ground(scenario: Scenario) -> Scenario:
    """The scenario without what changes neither a site nor a draw: weights, projects, how the plan is made."""
    kept = scenario.model_dump(include={"anchor", "sites", "layers", "layers_sha256", "known", "draws", "seed"})
    return Scenario(name=catalog.scenario().name, **kept)


@st.cache_resource(show_spinner=False, max_entries=32)
def _choice(scenario: str, project: str, _projects: pd.DataFrame) -> Choice:  # noqa: ARG001
    return next(site_choice.choices(region(Scenario.model_validate_json(scenario)), _projects))


@st.cache_resource(show_spinner=False, max_entries=32)
def _weighed(scenario: str, weights: str, project: str, _projects: pd.DataFrame) -> Weighed:
    return site_choice.weigh(_choice(scenario, project, _projects), json.loads(weights))


def weighed_of(scenario: Scenario, project: pd.DataFrame) -> Weighed:
    """One checked project (a table of one row) under the scenario's weights."""
    nameless = project.drop(columns=["name", "notes"])  # shared, so nobody's names are in it
    return _weighed(ground(scenario).model_dump_json(), json.dumps(scenario.weights), nameless.to_json(), nameless)


@st.cache_resource(show_spinner=False, max_entries=8)
def _screening(scenario: str, name: str, content: bytes) -> Screening:
    _refuse_other_kinds(content, name)
    projects, parsed = portfolio.read_content(content, name), Scenario.model_validate_json(scenario)
    refuse_if([] if portfolio.made_up(projects) else portfolio.past_faults(projects, parsed.date))
    return Screening(region(parsed), projects)


def screening_of(scenario: Scenario, name: str, content: bytes) -> Screening:
    """The projects of a CSV or XLSX file under a scenario; refuses the file with all of its faults."""
    weighed = ground(scenario).model_copy(update={"weights": scenario.weights, "day": scenario.day})
    return _screening(weighed.model_dump_json(), name, content)


def own_projects(content: bytes, name: str) -> pd.DataFrame:
    """The text of projects in a file that somebody drops in; refused in words where it is of another kind."""
    _refuse_other_kinds(content, name)
    return portfolio.read_text(content, name)


def _refuse_other_kinds(content: bytes, name: str) -> None:
    """Say where a file belongs that holds something other than projects."""
    kind = kind_of(content, name)
    if kind in KINDS and kind != "projects":
        called = Text(**toml.table("imports")[kind]["name"])
        raise InputError(Fault("app.another_kind", name, kind=called))


# ---- the workspace --------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _kept_in(address: str) -> Engine:
    return database.connect(address)


def kept_in() -> Engine:
    """The workspace that the app was started with, else the default one; opened once."""
    return _kept_in(os.environ.get(database.ENVIRONMENT, "").strip())


@st.cache_resource(show_spinner=False, max_entries=16)
def _study_again(_plan: KeptPlan, scenario: str, plan: str, at: str) -> Study | None:  # noqa: ARG001
    return _plan.study(own_files())


def study_again(plan: KeptPlan) -> Study | None:
    """The study of a kept plan, checked anew; None when the data is other now."""
    scenario, held = settled(plan.work)
    study = _study_again(plan, scenario.model_dump_json(), plan.plan.sha256, plan.at.isoformat())
    held.clear()
    return study


@st.cache_data(show_spinner=False, max_entries=8)
def _work_file(scenario: str, files: tuple[tuple[str, bytes], ...]) -> bytes:
    row = Scenario.model_validate_json(scenario)
    own = dict(files)
    if PROJECTS in own:
        row = row.model_copy(update={"portfolio": PROJECTS, "portfolio_sha256": ""})
    if any(name.startswith(f"{LAYERS}/") for name in own):
        row = row.model_copy(update={"layers": LAYERS, "layers_sha256": ""})
    return zipped({"scenario.toml": bundle.scenario_toml(row).encode(), **own})


def work_file(work: Work) -> bytes:
    """A work as a ZIP: its scenario, which runs with `geo-cluster study`, and its files beside it."""
    return _work_file(work.scenario.model_dump_json(), tuple(sorted(work.files.items())))


# ---- the supply page ------------------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=16)
def _offers(scenario: str) -> pd.DataFrame:
    return report_tables.offers_table(_region(scenario))


def offers_of(scenario: Scenario) -> pd.DataFrame:
    """What each site can draw on, and on whose word."""
    return _offers(placeless(scenario).model_dump_json())


@st.cache_data(show_spinner=False, max_entries=16)
def _requests(scenario: str) -> pd.DataFrame:
    parsed = Scenario.model_validate_json(scenario)
    return appraise.requests(replace(region(parsed), scenario=parsed), portfolio.read(parsed.portfolio))


def requests_of(scenario: Scenario) -> pd.DataFrame:
    """The numbers to go and ask for, without matching anything."""
    return _requests(scenario.model_dump_json())


def questions_of(scenario: Scenario) -> pd.DataFrame:
    """What to ask that is no number; see `report.questions`."""
    return questions.structural_questions(replace(region(scenario), scenario=scenario))


@st.cache_data(show_spinner=False, max_entries=16)
def phone_files(scenario: str, language: Language) -> tuple[bytes, bytes]:
    """The list to telephone with as CSV and as XLSX, of a scenario as JSON."""
    table = phone_list(_requests(scenario), language, questions_of(Scenario.model_validate_json(scenario)))
    sheet = {"zh": "数据请求", "en": "Data request"}[language]
    return spreadsheet.as_csv(table), spreadsheet.as_xlsx({sheet: table})


@st.cache_data(show_spinner=False, max_entries=8)
def land_losses(land_csv: bytes | None) -> pd.DataFrame:
    """What each rule takes of each site: of the planner's own survey, or of the sample pack (示例)."""
    return land_survey.losses(_surveyed(land_csv))


@st.cache_data(show_spinner=False, max_entries=8)
def land_on_offer(land_csv: bytes | None) -> pd.Series:
    """Net mu by site that can be given to a project, of the same survey."""
    return land_survey.on_offer(_surveyed(land_csv))


@st.cache_data(show_spinner=False, max_entries=4)
def _surveyed(land_csv: bytes | None) -> pd.DataFrame:
    if land_csv is not None:
        return land_survey.read_land(land_csv)
    land = land_survey.sample().land
    return pd.DataFrame(land.drop(columns=["geometry", "rectangle"]))


@st.cache_data(show_spinner=False, max_entries=64)
def bills_of(
    annual_gwh: tuple[float, ...],
    load: tuple[float, ...],
    shape: tuple[float, ...] | None,
    loading: float | None,
    day: datetime.date,
) -> list[Bill]:
    """A year's electricity at each voltage of the two-part tariff, at the prices of a day."""
    options: dict[str, Any] = {"load_factor": load, "profile": shape, "transformer_loading": loading, "on": day}
    return bills(annual_gwh, tariffs=toml.table("tariffs"), **options)


@st.cache_resource(show_spinner=False, max_entries=8)
def _validation(_study: Study | None, scenario: str, key: str) -> Validation:  # noqa: ARG001
    parsed = Scenario.model_validate_json(scenario)
    found = _study.region if _study else replace(region(parsed), scenario=parsed)
    return check.validate(found, portfolio.read(parsed.portfolio), study=_study)


def validation_of(scenario: Scenario, study: Study | None) -> Validation:
    """The checks of a scenario, with its plan where it was run."""
    return _validation(study, scenario.model_dump_json(), study.key if study else "")


# ---- the brief page -------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _packings() -> Packings:
    return Packings()


def _pack_key(order: Order) -> str:
    asked = [order.study.key, order.language, order.stale, order.review, order.project, order.crs, repr(order.remarks)]
    asked += [hashlib.sha256(one.content).hexdigest() for one in order.templates if isinstance(one, Template)]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:24]


@st.cache_data(show_spinner=False, max_entries=32)
def review_number(text: str) -> str:
    """A map review number as it is printed; refused when it has another form."""
    if not text.strip():
        return ""
    from geo_cluster.export.review import review_number as checked_number

    return checked_number(text)


@st.cache_data(show_spinner=False, max_entries=8)
def checked_template(name: str, content: bytes) -> Template:
    """A house's own .pptx or .docx that can be used; refused in words where it can't."""
    from geo_cluster.export import pack

    found = Template(name, content)
    is_deck = name.lower().endswith(".pptx")
    pack.check(found if is_deck else None, None if is_deck else found, "")
    return found


def packing(order: Order) -> Packing | None:
    """The briefing pack of an order, made or on its way; None before somebody asks for it."""
    return _packings().find(_pack_key(order))


def begin_pack(order: Order) -> None:
    """Begin a briefing pack, or join whoever did; it has the plan at the other planning levels too."""
    jobs, held = level_jobs(order.study), files_of(order.study.scenario)  # whoever began may leave meanwhile

    def with_levels() -> Order:
        for job in jobs.values():
            job.wait(2 * LEVEL_S)
        found = [order.study if level not in jobs else jobs[level].study for level in LEVELS]
        return replace(order, levels=tuple(one for one in found if one is not None))

    def let_go() -> None:
        held.clear()

    _packings().start(_pack_key(order), with_levels, let_go)


@st.cache_resource(show_spinner=False, max_entries=4)
def _study_files(_levels: tuple[Study, ...], _study: Study, keys: list[str], language: Language) -> dict[str, bytes]:  # noqa: ARG001
    return bundle.study_files(_study, levels=_levels, language=language)


def study_files(study: Study, language: Language) -> dict[str, bytes]:
    """Every file of a study by name, with the planning levels that are solved by now."""
    levels = levels_of(study)
    return _study_files(levels, study, [study.key, *(one.key for one in levels)], language)


@st.cache_resource(show_spinner=False, max_entries=4)
def _layer_files(_layers: Layers, key: str, language: Language) -> dict[str, bytes]:  # noqa: ARG001
    return bundle.layer_files(_layers, language=language)


def layer_files(layers: Layers, language: Language) -> dict[str, bytes]:
    """Every layer's file by name."""
    return _layer_files(layers, layers.key, language)


@st.cache_resource(show_spinner=False, max_entries=4)
def packed(_files: dict[str, bytes], key: str) -> bytes:  # noqa: ARG001
    """The files as one ZIP."""
    return zipped(_files)


@st.cache_data(show_spinner=False, max_entries=32)
def file_table(name: str, digest: str, _content: bytes) -> pd.DataFrame | None:  # noqa: ARG001
    """The first rows of a file, or None; `digest` names the content."""
    return preview.table_of(name, _content)


@st.cache_data(show_spinner=False, max_entries=32)
def _layer_file(_layers: Layers, name: str, sha256: str) -> bytes:  # noqa: ARG001
    return _layers.content(name)


def layer_file(layers: Layers, name: str) -> bytes:
    """A layer's file as it is."""
    return _layer_file(layers, name, layers.registry[name].sha256)


@st.cache_resource(show_spinner=False, max_entries=16)
def _layer_chart(_layers: Layers, name: str, hashes: str, language: Language) -> Any:  # noqa: ARG001
    frame = _layers.read(name)
    ground, water = _layers.read("prefectures"), _layers.read("water")
    return small_maps.outline(frame[frame.geometry.notna()], ground, water, label=f"name_{language}")


def layer_chart(layers: Layers, name: str, language: Language) -> Any:
    """A layer drawn small, on the outlines of the prefectures; a large one thinned."""
    return _layer_chart(layers, name, repr(layers.hashes((name, "prefectures", "water"))), language)


@st.cache_data(show_spinner=False, max_entries=8)
def template(kind: Kind, ending: str) -> bytes:
    """A template to fill in."""
    return templates.as_xlsx(kind) if ending == "xlsx" else templates.as_csv(kind)


def _while_somebody_waits() -> None:
    """End the run of a page whose visitor has left, and with it the file that is being read."""
    here = get_script_run_ctx(suppress_warning=True)
    if here is not None and runtime.exists() and not runtime.get_instance().is_active_session(here.session_id):
        st.stop()


process.WAITS[:] = [_while_somebody_waits]


@st.cache_data(show_spinner=False, max_entries=64)
def kind_of(content: bytes, name: str) -> str:
    """What a dropped file seems to hold."""
    return guess(content, name)


def is_table(content: bytes, name: str) -> bool:
    """Whether a dropped file can be read as a table, whatever is in it."""
    try:
        tables.kind(content, name)
    except InputError:
        return False
    return True


def foreign(content: bytes, name: str) -> Fault | None:
    """Why a dropped file of shapes or pictures can't be read here; None where it may be."""
    return None if ending_of(content, name) else foreign_fault(content, name)


@st.cache_resource(show_spinner=False, max_entries=8)
def _checked(_content: bytes, sha256: str, name: str, kind: Kind, scenario: str, options: str, _rules: Any) -> Checked:  # noqa: ARG001
    said = json.loads(options)
    if "table" in said:
        mended = {(row, column): text for row, column, text in said["table"]["mended"]}
        without = frozenset(said["table"]["without"])
        said["table"] = TableChoice(tuple(said["table"]["sheets"]), said["table"]["mapping"], mended, without)
    if "layers" in said:
        said["table"] = TableChoice(layers=tuple(said.pop("layers")))
    return check_file(
        _content,
        name,
        kind=kind,
        region=region(Scenario.model_validate_json(scenario)),
        rules=_rules,
        **said,
    )


def checked(
    file: tuple[str, bytes], kind: Kind, scenario: Scenario, *, rules: tuple[bytes, bytes] | None, **options: Any
) -> Checked:
    """A dropped file, read and checked once for the same settings."""
    name, content = file
    mark = [digest(one) for one in rules or ()]
    key = digest(content + json.dumps(mark).encode())
    return _checked(content, key, name, kind, scenario.model_dump_json(), json.dumps(options, sort_keys=True), rules)


@st.cache_resource(show_spinner=False, max_entries=8)
def _effect(_before: Region, _after: Region, before: str, after: str, own: str) -> pd.DataFrame:  # noqa: ARG001
    return effect.changes(_before, _after, portfolio.read(_before.scenario.portfolio))


def import_effect(checked: Checked, scenario: Scenario, work: Work) -> pd.DataFrame:
    """What accepting a checked file would change in the scores of the work's projects."""
    held = ledger.accept(scenario.known, work.files, checked, when=datetime.datetime(2000, 1, 1))
    row = work.scenario.model_dump() | {"known": [one.model_dump() for one in held.known]}
    after, files = settled(Work(catalog.scenario_from(row), held.files))
    try:
        return _effect(region(scenario), region(after), scenario.id, after.id, scenario.portfolio)
    finally:
        files.clear()


@st.cache_resource(show_spinner=False, max_entries=8)
def parcel_charts(_checked: Checked, sha256: str, sites: str) -> Any:  # noqa: ARG001
    """By site, its parcels and what the rules leave of them; nothing where there are no outlines."""
    if "gross" not in _checked.extra:
        return {}
    return small_maps.parcels(_checked.extra["gross"], _checked.extra["land"])


# ---- explore ------------------------------------------------------------------------------------------------

_overview_payload = by_content(most=4)(maps_payload.payload)
_one_at_a_time = threading.Lock()


def overview_payload(layers: Layers, language: Language) -> dict[str, Any]:
    """The payload of the whole chain's map; made once, whether a visitor or the start of the server asks first."""
    with _one_at_a_time:
        return _overview_payload(layers, language)


# ---- match: what is asked of a plan ---------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def long_questions() -> Questions:
    """Questions in the background, shared by all visitors."""
    return Questions()


def question(ask: Callable[..., Any], study: Study, *about: Any) -> Question | None:
    """A long question about a plan, if it was begun: under way, or with its answer."""
    return long_questions().find((ask.__name__, study.key, *about))


def begin(ask: Callable[..., Any], study: Study, *about: Any) -> Question:
    """Begin a long question about a plan, or join it; `ask` is told of each step where it wants to tell."""
    tells = "on_step" in inspect.signature(ask).parameters

    def work(step: Callable[[str], None]) -> Any:
        if tells:
            return ask(study, *about, on_step=step)
        step(ask.__name__)
        return ask(study, *about)

    return long_questions().begin((ask.__name__, study.key, *about), work)


def asked(question: Callable[..., Any], study: Study, *about: Any) -> Any:
    """What a function of `explained` or `compared` says of a plan; worked out once for a plan."""
    return _asked(question, study, question.__name__, study.key, *about)


@st.cache_resource(show_spinner=False, max_entries=64)
def _asked(_question: Callable[..., Any], _study: Study, name: str, key: str, *about: Any) -> Any:  # noqa: ARG001
    return _question(_study, *about)


@st.cache_resource(show_spinner=False, max_entries=32)
def _compared_map(_study: Study, key: str, language: Language, before: tuple[tuple[str, str], ...]) -> Source:  # noqa: ARG001
    return map_source(plan_view(_study, language, before=dict(before)))


def compared_map(study: Study, language: Language, before: Mapping[str, str]) -> Source:
    """The map of a plan beside an earlier one: `before` is the site of each project then."""
    return _compared_map(study, study.key, language, tuple(sorted(before.items())))


@st.cache_data(show_spinner=False, max_entries=32)
def projects_text(content: bytes) -> pd.DataFrame:
    """The text of the cells of a work's portfolio."""
    return portfolio.kept_text(content)


@st.cache_data(show_spinner=False, max_entries=32)
def projects_faults(content: bytes) -> tuple[pd.DataFrame | None, list[Fault]]:
    """A portfolio with its needs estimated, or what is wrong with it."""
    try:
        return portfolio.check(projects_text(content)), []
    except InputError as refusal:
        return None, refusal.faults


# ---- the sheet of a site or a firm ---------------------------------------------------------------------------


@st.cache_resource(show_spinner=False, max_entries=32)
def _place_sheet(scenario: str, named: str, language: Language, stale: str, key: str, _study: Study | None) -> Outline:  # noqa: ARG001
    return place_sheets.place_sheet(_region(scenario), named, language=language, study=_study, stale=stale)


def place_sheet(scenario: Scenario, named: str, language: Language, study: Study | None, stale: str) -> Outline:
    """The sheet of a site or a firm.

    Parameters
    ----------
    scenario : Scenario
    named : str
        Its id.
    language : {"zh", "en"}
    study : Study or None
        Whose plan it tells.
    stale : str
        What to say when that plan is out of date.
    """
    about = placeless(scenario).model_dump_json()
    return _place_sheet(about, named, language, stale, study.key if study else "", study)


def places_with_sheets(scenario: Scenario, language: Language) -> dict[str, str]:
    """Id -> name of every site and firm that has a sheet."""
    return place_sheets.places(region(scenario), language)
