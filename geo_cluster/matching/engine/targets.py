"""Generalised assignment, all capacities of one kind: branching on knapsacks for what is worth more than a target.

A tree is small where little is worth more than the target. So it is set a little below what no plan exceeds: where
nothing is worth more, that is a lower bound, soon proven; else what is found is soon proven to be best. Depth first
with a poor plan in hand would lose itself, but finds better plans on its way. Each round does both, in so many nodes,
while HiGHS looks for plans among the pairs that prices favour; then both know what either has found.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from geo_cluster.matching.engine.bound import Bound, price_knapsacks, price_pools
from geo_cluster.matching.engine.milp import Limits
from geo_cluster.matching.engine.model import Model
from geo_cluster.matching.engine.run import Run
from geo_cluster.matching.engine.search import program
from geo_cluster.matching.resource import UNPLACED, Floats, Ints

_MOST_BITS = 63  # of the sets of options that branching works with; one is for staying unplaced
_MOST_NODES = 2_000  # of branching where it may lead nowhere; gap 5 × 15 to 10 × 60 and a to f with 60 jobs
_NODES, _LONGER = 2_000, 3  # of the trees of the first round, and so many times as many in the next; d 10 and 20 × 100
_GROWTH = 1.4  # so many times e the nodes of a tree grow from one target to the next; e 20 × 100 and 20 × 200
_PAIRS = (3.0, 2.0, 4.0, 2.5, 6.0)  # of each project that HiGHS looks at, on average, taken in turn; e 20 × 200
_KERNEL_NODES = 200  # of its tree in the first round; e 10 × 200 and 20 × 200


def applies(model: Model) -> bool:
    """Whether branching on knapsacks beats HiGHS: capacities of one kind, a generalised assignment problem."""
    if len(model.draws) != 1 or model.links or model.minima or model.value.shape[1] >= _MOST_BITS:
        return False
    pool = model.draws[0].pool[model.draws[0].pool >= 0]
    return model.draws[0].demand.ndim == 1 or len(np.unique(pool)) == len(pool)


def prove(run: Run, workers: ThreadPoolExecutor, seed: int) -> None:
    """Branch, round after round, until the plan in hand is proven or the time ends; of what may lead nowhere, a little.

    Parameters
    ----------
    run : Run
        With a good plan in hand.
    workers : ThreadPoolExecutor
    seed : int
    """
    model = run.model if run.short else run.model.tightened(run.objective)
    # where bonuses drown the rest and not everyone fits, what counts is how many do: that may be HiGHS's strength
    doubtful = model.softened() is not model
    start = price_pools(model, stop=run.stop.is_set)
    run.lower(start.value)
    priced = price_knapsacks(model, start, plan=run.objective, stop=run.stop.is_set, on_bound=run.lower)
    dives, kernels = Dives(run, model, start), not doubtful
    run.wait([workers.submit(dives.begin, run, run.option)])
    for number in range(sys.maxsize):
        if run.tick():
            return
        nodes, before, states = _NODES * _LONGER**number, run.option, [run.apart() for _ in range(2 + kernels)]
        jobs = [workers.submit(dives.bounds, states[0], before, nodes)]
        if kernels:
            jobs.append(workers.submit(_kernel, states[1], model, before, priced.forced, number, seed))
        run.wait([*jobs, workers.submit(dives.plans, states[-1], before, nodes)], states)
        kernels = kernels and jobs[-1].result() is not before
        if doubtful and nodes >= _MOST_NODES:
            return


class Dives:
    """Trees of a model from given prices; how far below the bound at the root has been searched.

    What is found is told to the `run` that each tree is given, which also says when to stop.
    """

    def __init__(self, run: Run, model: Model, start: Bound) -> None:
        self.model, self.start = model, start
        self.step = max(run.allowed, 0.999 * run.grain) if run.grain else 0.999 * run.allowed
        # where values are multiples, so are targets: what is nowhere exceeded by a multiple is the bound
        self.unit = max(run.grain or 0.0, self.step)
        self.below, self.root = self.unit, np.inf

    def begin(self, run: Run, hand: Ints) -> Ints:
        """The bound at the root, before anything runs beside that lowers it sooner or later."""
        self._dive(run, hand, _worth(run, hand), 1)
        self.root = run.bound
        return hand

    def plans(self, run: Run, hand: Ints, nodes: int) -> Ints:
        """So many nodes, depth first, for plans better than the one in hand; the best."""
        return self._dive(run, hand, _worth(run, hand), nodes)[0]

    def bounds(self, run: Run, hand: Ints, nodes: int) -> Ints:
        """Targets further and further below the bound at the root, each in so many nodes; the best plan found."""
        option, worth = hand, _worth(run, hand)
        while option is hand and not run.halt[0] and self.root - self.below > worth + self.step:
            option, done = self._dive(run, hand, self.root - self.below, nodes)
            if done >= nodes:
                break
            further = self.below * min(1.0, _GROWTH / np.log(max(done, 2)))
            self.below += self.unit * max(np.rint(further / self.unit), 1.0)
        return option

    def _dive(self, run: Run, hand: Ints, target: float, nodes: int) -> tuple[Ints, int]:
        from geo_cluster.matching.engine.branch import search  # compiled, slow to import

        found = [hand]
        done = search(
            self.model,
            self.start,
            plan=lambda: target,
            step=self.step,
            on_plan=found.append,
            on_bound=run.lower,
            halt=run.halt,
            limit=nodes,
        )
        return found[-1], done


def _worth(run: Run, option: Ints) -> float:
    return -np.inf if run.model.short(option) else run.model.objective(option)


def _kernel(run: Run, model: Model, hand: Ints, forced: Floats, number: int, seed: int) -> Ints:
    """The best plan that HiGHS finds among the pairs that prices favour, or the one in hand."""
    worth = np.where(np.isfinite(model.value), forced, -np.inf)
    count = min(int(_PAIRS[number % len(_PAIRS)] * len(model.open)), worth.size - 1)
    keep = (worth > -np.inf) & (worth >= -np.partition(-worth, count, axis=None)[count])
    placed = np.flatnonzero(hand != UNPLACED)
    keep[placed, hand[placed]] = True
    p, s = np.nonzero(keep)
    task = program(model, p, s, np.full(len(model.value), UNPLACED))
    nodes = _KERNEL_NODES * 2 ** (number // len(_PAIRS))
    limits = Limits(time_limit_s=run.left_s(), nodes=nodes, seed=seed + number)
    found, _ = task.solve(None if run.model.short(hand) else hand, limits, stop=run.stop)
    better = found is not None and run.model.objective(found) > run.model.objective(hand)
    return found if found is not None and (better or run.model.short(hand)) else hand
