"""What planners work on, and how it is kept: the works, revisions and plans of `workspace.repository`."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from geo_cluster import scratch
from geo_cluster import study as pipeline
from geo_cluster.domain import Scenario, Text
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.matching.plan import Assignment
from geo_cluster.study import Study
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers

PROJECTS = "projects.csv"
"""Name of a work's own portfolio among its files; the scenario's stands where there is none."""

LAYERS = "layers"
"""Folder of a work's own layers among its files, with their `sources.toml`."""


NAME_LENGTH = 200
NOTE_LENGTH = 500

_PATH = re.compile(r"^[^/\\:\x00-\x1f]+(/[^/\\:\x00-\x1f]+)*\Z")

Kind = Literal["new", "save", "undo", "redo"]


def plain_text(text: str, length: int) -> str:
    """A text as any database keeps it: no control characters, no halves of characters, at most so long."""
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in text)
    return kept[:length]


@dataclass(frozen=True)
class Work:
    """A scenario and the planner's own files.

    Attributes
    ----------
    scenario : Scenario
        Its name is the work's name.
    files : mapping of bytes
        Content by path: `projects.csv`, `layers/sources.toml`, `layers/substations.geojson`, …
    """

    scenario: Scenario
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse paths that would lead out of the work."""
        refuse_if(
            [
                Fault("workspace.no_path_in_work", repr(name))
                for name in self.files
                if not _PATH.match(name) or ".." in PurePosixPath(name).parts
            ]
        )

    @property
    def is_sample(self) -> bool:
        """Whether its projects are the made-up ones (示例)."""
        return self.scenario.is_sample and PROJECTS not in self.files

    def named(self, name: str) -> Work:
        """The same work under another name."""
        plain = plain_text(name, NAME_LENGTH).strip()
        if not plain:
            raise InputError(Fault("workspace.no_name", Place("", kind="name")))
        return replace(self, scenario=self.scenario.model_copy(update={"name": Text(zh=plain, en=plain)}))

    def place(self, folder: Path) -> Path:
        """Where its files are laid out in `folder`: a place named by their content."""
        content = hashlib.sha256()
        for name in sorted(self.files):
            content.update(name.encode() + b"\0" + hashlib.sha256(self.files[name]).digest())
        return folder / content.hexdigest()[:24]

    def settled(self, folder: Path) -> Scenario:
        """The scenario ready to run, its files laid out in `folder`."""
        if not self.files:
            return self.scenario
        place = self.place(folder)
        for name, data in self.files.items():
            path = place / PurePosixPath(name)
            if not path.exists():
                scratch.write(path, data)
        row = self.scenario.model_dump()
        if PROJECTS in self.files:
            row["portfolio"] = str(place / PROJECTS)
            row["portfolio_sha256"] = hashlib.sha256(self.files[PROJECTS]).hexdigest()
        if f"{LAYERS}/sources.toml" in self.files:
            row["layers"] = str(place / LAYERS)
            row["layers_sha256"] = hashlib.sha256(self.files[f"{LAYERS}/sources.toml"]).hexdigest()
        return catalog.scenario_from(row)


@dataclass(frozen=True)
class Revision:
    """One version of a work, as the history shows it.

    Attributes
    ----------
    number : int
        1 for the first; each save, undo and redo adds one.
    kind : {"new", "save", "undo", "redo"}
    note : str
        What was done; of an undo or redo, what was undone or redone.
    author : str
    at : datetime
        In UTC.
    """

    number: int
    kind: Kind
    note: str
    author: str
    at: datetime


@dataclass(frozen=True)
class Saved:
    """A work as it is kept.

    Attributes
    ----------
    id : str
    work : Work
    revision : Revision
    owner : str
    shared : bool
        Whether others see it.
    undoes, redoes : str or None
        What undo and redo would undo and redo; None where there is nothing.
    """

    id: str
    work: Work
    revision: Revision
    owner: str
    shared: bool
    undoes: str | None
    redoes: str | None


@dataclass(frozen=True)
class ListedWork:
    """A work in the list of works; of a damaged one the name, and whatever else can't be read, is made up."""

    id: str
    name: Text
    is_sample: bool
    owner: str
    shared: bool
    revision: Revision
    is_damaged: bool = False


@dataclass(frozen=True)
class ListedPlan:
    """A kept plan in the list of plans: which one, of what, how many projects have a place.

    `name`, `note` and `level` are those of the revision that was run: its name, what was done last, planning level.
    """

    id: int
    work: str
    scenario_id: str
    name: Text
    note: str
    level: str
    placed: int
    of: int
    author: str
    at: datetime


@dataclass(frozen=True, eq=False)
class KeptPlan:
    """A plan that was run, and what it was run on.

    Attributes
    ----------
    work : Work
        As it was.
    scenario_id : str
        Of the scenario that was run.
    plan : Assignment
    hashes : dict
        SHA-256 of layers and portfolio (`Study.hashes`).
    violations : list of str
        What the independent check said at the time.
    seconds : dict
        Where the time went.
    author : str
    at : datetime
        In UTC.
    version : str
        Of the program that made it; '' where that was not kept yet.
    placed : mapping of str
        Project id -> site id, which tells where projects went even when the data is other now.
    """

    work: Work
    scenario_id: str
    plan: Assignment
    hashes: dict[str, str]
    violations: list[str]
    seconds: dict[str, float]
    author: str
    at: datetime
    version: str = ""
    placed: Mapping[str, str] = field(default_factory=dict)

    def study(self, folder: Path) -> Study | None:
        """The study of this plan without solving it again, checked anew; its files are laid out in `folder`.

        Returns
        -------
        Study or None
            None when the data or the program are others than those it was made with.
        """
        scenario = self.work.settled(folder)
        projects, layers = portfolio.read(scenario.portfolio), Layers(scenario.layers)
        if pipeline.hashes(projects, layers) != self.hashes:
            return None
        result = pipeline.run(scenario, layers, projects=projects, plan=self.plan)
        same = scenario.id == self.scenario_id and [str(one) for one in result.violations] == self.violations
        day = scenario.day or self.at.astimezone().date()
        return replace(result, seconds=self.seconds, day=day, version=self.version) if same else None
