"""Screenings at full size in the background: all tiles, then regions and what the surface says of the listed parks."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd

from app.background import Task
from geo_cluster import scratch
from geo_cluster.suitability import regions, run
from geo_cluster.suitability.run import Answer
from geo_cluster.suitability.screen import Screen

KEPT = 4
"""Screenings that are kept: their files are as large as their grid."""
AROUND_M = 1000.0
"""A listed park is a point: the land within so many metres counts as its."""
TILES_SHARE = 0.8
"""Of the progress bar."""


class Found(NamedTuple):
    """What a screening came to: its files, its regions, and each listed park with the land around it."""

    screen: Screen
    answer: Answer
    regions: gpd.GeoDataFrame
    parks: gpd.GeoDataFrame


@dataclass(eq=False)
class Finding(Task):
    """One screening on its way; stopped, it ends at the next tile, and goes on from there when asked again.

    Attributes
    ----------
    share : float
        How much is done, 0 to 1.
    tiles : (int, int)
        Tiles done, of how many.
    found : Found
        Once done.
    folder : str
        Of the spec's files.
    """

    share: float = 0.0
    tiles: tuple[int, int] = (0, 0)
    found: Found | None = None
    folder: str = ""
    held: scratch.Held | None = None

    def run(self, screen: Screen, parks: gpd.GeoDataFrame) -> None:
        """Do it, unless it was stopped before it could begin."""
        with self.under_way("a screening"):
            self.look_up()
            self.found = self._find(screen, parks)

    def _find(self, screen: Screen, parks: gpd.GeoDataFrame) -> Found:
        assert self.held is not None  # `Findings.start` gave it one
        answer = run.run(screen, self.held.path, on_tile=self._tile)
        found = regions.find(answer, screen.spec.need, screen=screen, progress=self._looked)
        ground = parks.to_crs(answer.grid.crs)
        west, south, east, north = answer.grid.bounds(answer.grid.whole)
        near = ground.cx[west:east, south:north]
        near = near.set_geometry(near.geometry.buffer(AROUND_M))
        if near.empty:
            return Found(screen, answer, found, near.assign(score=[], free_ha=[]))
        return Found(screen, answer, found, regions.over(answer, near).sort_values("score", ascending=False))

    def _tile(self, done: int, of: int) -> None:
        self.tiles, self.share = (done, of), TILES_SHARE * done / max(of, 1)
        self.look_up()

    def _looked(self, share: float) -> None:
        self.share = TILES_SHARE + (1 - TILES_SHARE) * share
        self.look_up()


class Findings:
    """The screenings of this server by what they are of; one runs at a time, on all cores."""

    def __init__(self) -> None:
        self._findings = dict[str, Finding]()
        self._lock, self._slot = threading.Lock(), threading.Semaphore(1)

    def find(self, key: str) -> Finding | None:
        """The screening of this key, if it was asked for and is still kept."""
        with self._lock:
            return self._findings.get(key)

    def start(self, key: str, screen: Screen, parks: gpd.GeoDataFrame) -> Finding:
        """The screening of this key; it is begun where there is none, or the last one was stopped or refused.

        Parameters
        ----------
        key : str
        screen : Screen
        parks : GeoDataFrame
            Points, in any reference system.
        """
        with self._lock:
            there = self._findings.get(key)
            if there is not None and not (there.ended and there.found is None):
                return there
            new = self._findings[key] = Finding(
                held=scratch.hold(scratch.folder() / "screenings" / key), folder=screen.spec.folder
            )
            for old in [one for one, finding in self._findings.items() if finding.ended][:-KEPT]:
                del self._findings[old]
        threading.Thread(target=self._work, args=[new, screen, parks], daemon=True, name=f"find-{key}").start()
        return new

    def forget(self, folder: str) -> None:
        """Stop and drop the screenings of the specs in a folder; their files go once nobody shows them."""
        with self._lock:
            for key in [one for one, finding in self._findings.items() if finding.folder == folder]:
                self._findings.pop(key).stop()

    def _work(self, finding: Finding, screen: Screen, parks: gpd.GeoDataFrame) -> None:
        with self._slot:
            finding.run(screen, parks)
