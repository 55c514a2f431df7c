"""Everything a study hands over, written all or nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import tomli_w

from geo_cluster import catalog, maps
from geo_cluster.domain import Language, Scenario
from geo_cluster.errors import Fault, InputError
from geo_cluster.export.attribution import attribution
from geo_cluster.export.geopackage import write_geopackage
from geo_cluster.export.tables import SAMPLE, as_csv, csv_tables
from geo_cluster.intake import Appraisal
from geo_cluster.study import Study

FILES: tuple[str, ...] = (
    "ranking.csv",
    "contributions.csv",
    "assignment.csv",
    "unplaced.csv",
    "pools.csv",
    "observations.csv",
)
FILES += ("layers.gpkg", "map.html", "scenario.toml", "ATTRIBUTION.md", "study.json")


def check_writable(out: Path) -> None:
    """Refuse a folder that can't be written to, before any work is done."""
    remedy = "choose another folder with --out"
    try:
        if out.exists() and not out.is_dir():
            raise InputError(Fault(str(out), "is a file, not a folder", remedy))
        nearest = next(parent for parent in (out, *out.absolute().parents) if parent.is_dir())
        with tempfile.TemporaryDirectory(dir=nearest):
            pass
    except OSError as problem:
        raise InputError(Fault(str(out), f"can't be written to ({problem.strerror})", remedy)) from None


def write(study: Study, out: Path, *, language: Language = "zh") -> list[Path]:
    """Write every file of a study into `out`; see `write_files`."""
    return write_files(out, lambda folder: _make(study, folder, language))


def write_appraisal(parts: Iterable[Appraisal], out: Path, *, sample: bool = False) -> list[Path]:
    """Write `scores.csv`, `verdicts.csv` and `needs.csv` of an intake, a batch at a time; see `write_files`."""

    def make(folder: Path) -> None:
        for number, part in enumerate(parts):
            for name in ("scores", "verdicts", "needs"):
                table = getattr(part, name)
                content = as_csv(table.assign(notice=SAMPLE) if sample else table, heading=number == 0)
                with (folder / f"{name}.csv").open("ab") as file:
                    file.write(content)

    return write_files(out, make)


def write_files(out: Path, make: Callable[[Path], None]) -> list[Path]:
    """Let `make` write files into a folder, and move them into `out` when all of them are there.

    Other files in `out` are left alone; those of the same name are each replaced in one step.

    Raises
    ------
    InputError
        The folder can't be written to or the disk is full; what was there before is still there.
    """
    check_writable(out)
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=f".{out.name}-") as draft:
            folder = Path(draft)
            make(folder)
            out.mkdir(exist_ok=True)
            names = sorted(path.name for path in folder.iterdir())
            for name in names:
                os.replace(folder / name, out / name)  # noqa: PTH105 - one step, also on Windows
            return [out / name for name in names]
    except OSError as problem:
        reason = problem.strerror or str(problem)
        remedy = "free space or choose another folder with --out"
        raise InputError(Fault(str(out), f"could not be written ({reason})", remedy)) from None


def _make(study: Study, folder: Path, language: Language) -> None:
    for name, content in csv_tables(study).items():
        (folder / name).write_bytes(content)
    write_geopackage(study, folder / "layers.gpkg")
    (folder / "map.html").write_text(maps.standalone(maps.payload(language, study)), encoding="utf-8")
    portfolio = Path(study.scenario.portfolio)
    if portfolio.is_file():
        shutil.copyfile(portfolio, folder / f"portfolio{portfolio.suffix}")
    (folder / "scenario.toml").write_text(scenario_toml(study.scenario), encoding="utf-8")
    (folder / "ATTRIBUTION.md").write_text(attribution(study), encoding="utf-8")
    summary = {**study.summary(), "files": sorted(path.name for path in folder.iterdir())}
    (folder / "study.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def scenario_toml(scenario: Scenario) -> str:
    """A scenario as the TOML file that gives it again; a portfolio of the user's own lies beside it."""
    row = scenario.model_dump(mode="json")
    if not (catalog.PORTFOLIOS / f"{scenario.portfolio}.csv").is_file():
        row["portfolio"] = f"portfolio{Path(scenario.portfolio).suffix}"
    heading = "# 重算：geo-cluster study scenario.toml --out DIR / run it again with this command\n\n"
    return heading + tomli_w.dumps({key: value for key, value in row.items() if value not in ([], {})})
