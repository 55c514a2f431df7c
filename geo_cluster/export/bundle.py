"""Everything a study hands over, written all or nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import tomli_w

from geo_cluster import scratch, toml
from geo_cluster.archive import file_name, path_faults
from geo_cluster.domain import LANGUAGES, Language, Scenario
from geo_cluster.errors import DataError, Fault, InputError, refuse_if
from geo_cluster.export.all_or_none import check_writable as check_writable
from geo_cluster.export.all_or_none import write_files as write_files
from geo_cluster.export.attribution import attribution, layers_attribution
from geo_cluster.export.csv_tables import SAMPLE, csv_tables, marked
from geo_cluster.export.geopackage import write_geopackage
from geo_cluster.maps import page, payload
from geo_cluster.report import best_pairs, explanation
from geo_cluster.study import Study
from geo_cluster.workspace.works import LAYERS
from geo_cluster.world import catalog
from geo_cluster.world.layers import SOURCES, Layers
from geo_cluster.world.spreadsheet import as_csv

FILES: tuple[str, ...] = (
    "ranking.csv",
    "contributions.csv",
    "assignment.csv",
    "unplaced.csv",
    "pools.csv",
    "cities.csv",
    "division.csv",
    "division_cities.csv",
    "division_pairs.csv",
    "pool_years.csv",
    "standard_land.csv",
    "observations.csv",
    "data_request.csv",
    "rules.csv",
)
DRAWN = ("layers.gpkg", "map.html")
FILES += (*DRAWN, "scenario.toml", "ATTRIBUTION.md", "study.json")
OTHERS: tuple[str, ...] = (
    "sheet.html",
    "tables.xlsx",
    f"{LAYERS}/{SOURCES}",
    "openings.csv",
    "parts.csv",
    "listed.txt",
)
OTHERS += tuple(f"{name}.csv" for name in (*explanation.TABLES, explanation.OPENINGS, explanation.PARTS))
"""Files that some of the results have besides."""


def write(study: Study, out: Path, *, language: Language = "zh") -> list[Path]:
    """Write every file of a study into `out`; see `write_files`.

    Parameters
    ----------
    study : Study
    out : Path
        The folder.
    language : {"zh", "en"}
        Of the map.

    Returns
    -------
    list of Path
        What was written, by name.
    """
    return write_files(out, lambda folder: _make(study, folder, language))


def write_match(
    study: Study,
    out: Path,
    *,
    levels: Sequence[Study] = (),
    language: Language = "zh",
    on_step: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write every file of a study and its explanations (`report.explanation`); see `write_files`.

    Parameters
    ----------
    study : Study
    out : Path
        Folder.
    levels : sequence of Study
        It at each planning level, for `cities.csv`.
    language : {"zh", "en"}
        Of the map and the sheet.
    on_step : callable
        Called with the name of each explanation as it begins.
    """

    def make(folder: Path) -> None:
        _make(study, folder, language, levels)
        for name, table in explanation.explain(study, on_step=on_step).items():
            (folder / f"{name}.csv").write_bytes(as_csv(marked(table, study)))

    return write_files(out, make)


def study_files(study: Study, *, levels: Sequence[Study] = (), language: Language = "zh") -> dict[str, bytes]:
    """Every file of a study by name, `sheet.html`, the briefing sheet to print, and `tables.xlsx` to read and sort.

    Parameters
    ----------
    study : Study
    levels : sequence of Study
        It at each planning level (`report.cities.at_levels`), for what cities get; by default at its own alone.
    language : {"zh", "en"}
        Of the map, the sheet and the tables for people.
    """
    from geo_cluster.export.sheet import sheet  # slow to import: not for those who only want the tables
    from geo_cluster.export.workbook import workbook

    for_people = {
        "sheet.html": sheet(study, levels=levels, language=language).encode(),
        "tables.xlsx": workbook(study, levels=levels, language=language),
    }
    return for_people | archive_files(study, levels=levels, language=language)


def archive_files(
    study: Study, *, levels: Sequence[Study] = (), language: Language = "zh", drawn: bool = True
) -> dict[str, bytes]:
    """Every file that a study is kept by, by name: tables, layers, map, sources, proof, and what runs it again.

    Layers of the user's own are under `layers/`, and `scenario.toml` looks for them there.

    Parameters
    ----------
    study : Study
    levels : sequence of Study
        It at each planning level (`report.cities.at_levels`), for what cities get; by default at its own alone.
    language : {"zh", "en"}
        Of the map.
    drawn : bool
        With `DRAWN`.
    """
    with scratch.temporary() as folder:
        _make(study, folder, language, levels, drawn=drawn)
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    if study.layers.folder:
        own = {layer.file: study.layers.content(name) for name, layer in study.layers.own.items()}
        own |= {SOURCES: study.layers.sources}
        files |= {f"{LAYERS}/{name}": own[name] for name in sorted(own)}
        files["scenario.toml"] = scenario_toml(study.scenario.model_copy(update={"layers": LAYERS})).encode()
    return files


def layer_files(layers: Layers, *, language: Language = "zh") -> dict[str, bytes]:
    """Every registered layer as it stands, and a map of the chain.

    `sources.toml` has the registry's entries of exactly these files, `ATTRIBUTION.md` says whom they are owed to.
    """
    declared = layers.registry
    about = ("map.html", SOURCES, "ATTRIBUTION.md")
    refuse_if(path_faults([*about, *(layer.file for layer in declared.values())]), DataError)
    rows = {name: layer.model_dump(mode="json") for name, layer in declared.items()}
    files = {layer.file: layers.content(name) for name, layer in declared.items()}
    return {
        "map.html": page.standalone(payload.payload(layers, language)).encode(),
        **files,
        SOURCES: tomli_w.dumps({"layers": rows}).encode(),
        "ATTRIBUTION.md": layers_attribution(layers).encode(),
    }


def _make(study: Study, folder: Path, language: Language, levels: Sequence[Study] = (), *, drawn: bool = True) -> None:
    portfolio = study.scenario.portfolio
    if not _is_shipped(study.scenario):
        name = _name_of(portfolio)
        if path_faults([*FILES, *OTHERS, name]):
            raise InputError(Fault("export.name_taken", portfolio))
        shutil.copyfile(portfolio, folder / name)
    for name, content in csv_tables(study, levels).items():
        (folder / name).write_bytes(content)
    if best_pairs.is_short(study):
        told = "\r\n".join(best_pairs.note(study, one) for one in LANGUAGES)
        (folder / "listed.txt").write_bytes(f"{told}\r\n".encode("utf-8-sig"))
    if drawn:
        write_geopackage(study, folder / "layers.gpkg")
        (folder / "map.html").write_text(page.standalone(payload.atlas(study, language)), encoding="utf-8")
    (folder / "scenario.toml").write_text(scenario_toml(study.scenario), encoding="utf-8")
    (folder / "ATTRIBUTION.md").write_text(attribution(study), encoding="utf-8")
    notice = {"notice": SAMPLE} if study.scenario.is_sample else {}
    files = sorted(path.name for path in folder.iterdir())
    summary = json.dumps(study.summary() | notice | {"files": files}, ensure_ascii=False, indent=2)
    (folder / "study.json").write_text(summary + "\n", encoding="utf-8")


def _is_shipped(scenario: Scenario) -> bool:
    return toml.is_file(catalog.PORTFOLIOS / f"{scenario.portfolio}.csv")


def _name_of(portfolio: str) -> str:
    """What a portfolio of one's own is called where it is handed over."""
    return file_name(Path(portfolio).name, "projects.csv")


def scenario_toml(scenario: Scenario) -> str:
    """A scenario as the TOML file that gives it again; a portfolio of the user's own lies beside it."""
    row = scenario.model_dump(mode="json", exclude={"day"}, exclude_none=True)
    if scenario.day:
        row["day"] = scenario.day
    if not _is_shipped(scenario):
        row["portfolio"] = _name_of(scenario.portfolio)
    heading = "# 重算：geo-cluster study scenario.toml --out DIR / run it again with this command\n\n"
    return heading + tomli_w.dumps({key: value for key, value in row.items() if value not in ([], {})})
