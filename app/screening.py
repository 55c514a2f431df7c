"""A table of projects on its way through intake, batch by batch."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pandas as pd

from geo_cluster import scratch
from geo_cluster.archive import zipped
from geo_cluster.export import intake_files
from geo_cluster.intake import appraise
from geo_cluster.intake.appraise import Appraisal
from geo_cluster.region import Region


class Screening:
    """A table of projects on its way through intake, batch by batch; what is done stays done if a visitor leaves."""

    def __init__(self, region: Region, projects: pd.DataFrame) -> None:
        self.region, self.projects = region, projects
        self.done: list[Appraisal] = []
        self.lock = threading.Lock()
        self.table, self.archive = pd.DataFrame(), b""
        self.order = intake_files.Order(region)

    def run(self, tell: Callable[[float], object]) -> None:
        """Do what is left and pack the files; `tell` hears how much is done, 0 to 1."""
        with self.lock:
            while not self.archive:
                start = appraise.BATCH * len(self.done)
                if start < len(self.projects):
                    tell(start / len(self.projects))
                    self.done.append(appraise.appraise(self.region, self.projects.iloc[start : start + appraise.BATCH]))
                    continue
                self.table = pd.concat([appraise.shortlist(part) for part in self.done], ignore_index=True)
                with scratch.temporary() as folder:
                    paths = sorted(intake_files.write_appraisal(self.done, folder, self.order))
                    self.archive = zipped({path.name: path.read_bytes() for path in paths})
                self.done = []
