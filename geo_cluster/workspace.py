"""What planners work on, kept safe: a scenario with the files it needs, every version of it.

A `Work` is everything that a person can change; a study depends on nothing else but the shipped data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from geo_cluster import catalog
from geo_cluster.domain import Scenario

PROJECTS = "projects.csv"
"""Name of a work's own portfolio among its files; the scenario's stands where there is none."""

LAYERS = "layers"
"""Folder of a work's own layers among its files, with their `sources.toml`."""


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

    def settled(self, folder: Path) -> Scenario:
        """The scenario ready to run: its files laid out in `folder`, in a place named by their content."""
        if not self.files:
            return self.scenario
        content = hashlib.sha256()
        for name in sorted(self.files):
            content.update(name.encode() + b"\0" + hashlib.sha256(self.files[name]).digest())
        place = folder / content.hexdigest()[:24]
        for name, data in self.files.items():
            path = place / PurePosixPath(name)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                partial = path.with_name(f"{path.name}.{id(data)}.part")
                partial.write_bytes(data)
                partial.replace(path)
        row = self.scenario.model_dump()
        if PROJECTS in self.files:
            row["portfolio"] = str(place / PROJECTS)
            row["portfolio_sha256"] = hashlib.sha256(self.files[PROJECTS]).hexdigest()
        if f"{LAYERS}/sources.toml" in self.files:
            row["layers"] = str(place / LAYERS)
            row["layers_sha256"] = hashlib.sha256(self.files[f"{LAYERS}/sources.toml"]).hexdigest()
        return catalog.scenario_from(row)
