"""Regions of a finished screening in the background: of one need, or of each project or segment."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import geopandas as gpd

from app.background import Task
from app.finding import Finding
from geo_cluster.suitability import asks
from geo_cluster.suitability.asks import Ask
from geo_cluster.suitability.headroom import Headroom

KEPT = 16
"""Lists that are kept; each is a small table."""


@dataclass(eq=False)
class Listing(Task):
    """Regions on their way.

    Attributes
    ----------
    share : float
        How much is done, 0 to 1.
    regions : GeoDataFrame
        As `asks.find` gives them, once done.
    """

    share: float = 0.0
    regions: gpd.GeoDataFrame | None = None

    def run(self, job: Finding, wanted: list[Ask], headroom: Headroom) -> None:
        """Find them on the screening that `job` finished; `wanted` each by its own need and weights."""
        with self.under_way("a list of regions"):
            assert job.found is not None  # lists are of what is done
            found = asks.find(job.found.answer, job.found.screen, wanted, headroom=headroom, progress=self._tell)
            self.regions = found

    def _tell(self, share: float) -> None:
        self.share = share
        self.look_up()


class Listings:
    """The lists of this server by what they are of; one is made at a time."""

    def __init__(self) -> None:
        self._listings = dict[str, Listing]()
        self._lock, self._slot = threading.Lock(), threading.Semaphore(1)

    def start(self, key: str, job: Finding, wanted: list[Ask], headroom: Headroom) -> Listing:
        """The list of this key; it is begun where there is none, or the last one was stopped or refused.

        Parameters
        ----------
        key : str
        job : Finding
            Done.
        wanted : list of Ask
        headroom : Headroom
        """
        with self._lock:
            there = self._listings.get(key)
            if there is not None and not (there.ended and there.regions is None):
                return there
            new = self._listings[key] = Listing()
            for old in [one for one, listing in self._listings.items() if listing.ended][:-KEPT]:
                del self._listings[old]
        threading.Thread(target=self._work, args=[new, job, wanted, headroom], daemon=True, name=f"list-{key}").start()
        return new

    def _work(self, listing: Listing, job: Finding, wanted: list[Ask], headroom: Headroom) -> None:
        with self._slot:
            listing.run(job, wanted, headroom)
