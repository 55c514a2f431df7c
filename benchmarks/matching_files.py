"""Problems of the literature from files as they come, of which we ship none.

    gap1.txt … gap12.txt, gapa.txt … gape.txt    generalised assignment (OR-Library, Beasley 1990)
    cap41.txt … cap134.txt                       facility location (the same), here with a single source
    pmed1.txt … pmed40.txt                       k-median of a graph (the same)
    p1 … p71                                     single-source facility location (Holmberg, Rönnqvist & Yuan 1999)

What a file is, its name says. Costs are minimised without a price: `Problem(-cost, …, bonus=None)`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from geo_cluster.matching import AtMost, Opening, Problem, Resource

Read = Iterator[tuple[str, Problem]]


def read(folder: Path) -> Read:
    """The problems of all files in a folder whose names say what they are, in the order of their numbers."""
    kinds = {r"gap(\d+|[a-e])": assignment, r"cap\d+": warehouses, r"pmed\d+": median, r"p\d+": holmberg}
    for path in sorted(folder.iterdir(), key=lambda each: (len(each.stem), each.stem)):
        for pattern, reader in kinds.items():
            if re.fullmatch(pattern, path.stem) and path.suffix in {"", ".txt", ".dat"}:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    yield from reader(path)


def assignment(path: Path) -> Read:
    """How many problems; of each agents, jobs, costs or profits, what a job takes, capacities."""
    numbers = _Numbers(path)
    for number in range(numbers.count()):
        agents, jobs = numbers.count(), numbers.count()
        worth, weight, room = numbers.table(agents, jobs), numbers.table(agents, jobs), numbers.table(agents)
        least = path.stem[3:] in set("abcde")  # costs; gap1 … gap12 have profits, and nothing need be placed
        hours = Resource("hours", "h", weight.T, np.arange(agents), room)
        yield (
            f"{path.stem} {number + 1}",
            Problem((-worth if least else worth).T, [hours], bonus=None if least else 0.0),
        )


def warehouses(path: Path) -> Read:
    """Sites, customers; capacity and cost of each site; of each customer the demand and what serving it costs."""
    numbers = _Numbers(path)
    sites, customers = numbers.count(), numbers.count()
    site, customer = numbers.table(sites, 2), numbers.table(customers, sites + 1)
    yield path.stem, single_source(customer[:, 1:], customer[:, 0], site[:, 0], site[:, 1])


def holmberg(path: Path) -> Read:
    """Sites, customers; capacity and cost of each site; all demands; costs, a row for each site."""
    numbers = _Numbers(path)
    sites, customers = numbers.count(), numbers.count()
    site, demand, cost = numbers.table(sites, 2), numbers.table(customers), numbers.table(sites, customers)
    yield path.stem, single_source(cost.T, demand, site[:, 0], site[:, 1])


def median(path: Path) -> Read:
    """Vertices, edges, how many medians; of each edge its ends and length, the last where one is named twice."""
    numbers = _Numbers(path)
    vertices, edges, medians = numbers.count(), numbers.count(), numbers.count()
    edge = numbers.table(edges, 3)
    graph = sparse.dok_array((vertices, vertices))
    for i, j, length in edge:
        graph[int(i) - 1, int(j) - 1] = graph[int(j) - 1, int(i) - 1] = length
    cost = shortest_path(graph.tocsr(), directed=False)
    yield path.stem, Problem(-cost, [], bonus=None, at_most=[AtMost(medians)])


def single_source(cost: np.ndarray, demand: np.ndarray, room: np.ndarray, fixed: np.ndarray) -> Problem:
    """Facility location, each customer served from one site.

    Parameters
    ----------
    cost : (C, S) array
        What it costs to serve a customer from a site.
    demand : (C,) array
    room, fixed : (S,) array
        What a site can serve, and what it costs to open it.
    """
    sites = cost.shape[1]
    opened = [Opening(f"site {s}", fixed[s], sites=[s]) for s in range(sites)]
    return Problem(-cost, [Resource("hours", "h", demand, np.arange(sites), room)], bonus=None, openings=opened)


class _Numbers:
    """The numbers of a file, one after the other."""

    def __init__(self, path: Path) -> None:
        self.all, self.at = np.array(path.read_text().split(), dtype=float), 0

    def table(self, *shape: int) -> np.ndarray:
        """The next of them as an array."""
        found = self.all[self.at : self.at + int(np.prod(shape))].reshape(shape)
        self.at += found.size
        return found

    def count(self) -> int:
        """The next, a whole number."""
        return int(self.table(1)[0])
