"""What is tried when: greedy, annealing, kernels, cuts, branching and HiGHS, by the size of the problem.

Each constant names the instances of `benchmarks/matching_instances.py` that set it, as `benchmarks/README.md` and the
history record; "all" stands where they record no single one. A column is an eligible pair of project and option.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import numpy as np

from geo_cluster.errors import InputError
from geo_cluster.matching.engine import kernels, targets
from geo_cluster.matching.engine.bound import Bound, price_knapsacks, price_pools, price_relaxed
from geo_cluster.matching.engine.milp import Limits, Relaxation
from geo_cluster.matching.engine.minima import impossible
from geo_cluster.matching.engine.model import Model
from geo_cluster.matching.engine.run import Run
from geo_cluster.matching.engine.search import Neighbourhoods, Program, greedy, improve, program
from geo_cluster.matching.plan import Assignment, Progress
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints

_WORKERS = 2

# Sizes in columns.
_TINY_COLUMNS, _TINY_NODES = 150, 100  # up to which HiGHS alone may take milliseconds, nodes of its tree by then; all
_ALONE_COLUMNS = 200_000  # up to which HiGHS seeks a proof while the kernels are made; all
_SMALL_COLUMNS = 2_000  # up to which a problem is proven rather than searched; all
_EXACT_COLUMNS = 6_000  # up to which the exact programme begins at once; all
_PROOF_COLUMNS = 30_000  # beyond which the exact programme isn't begun; all
_SWEEP_COLUMNS = 1_000_000  # beyond which small neighbourhoods are too many to wait for; region 10,000 × 2,500, seed 1

# Where HiGHS alone may take milliseconds all the same.
_FEW_SPLIT = 2  # projects that the linear relaxation splits; the shipped scenarios
_WHOLE = 1e-6  # a share that is none

# Before a proof.
_RUNS_BEFORE_BRANCHING = 6  # gap 5 × 15 to 10 × 60 and a to f with 60 jobs
_RUNS_BEFORE_CUTS, _MOST_RUNS = 3, 9  # random and region 30 × 15, 40 × 20 and 60 × 29
_COLUMNS_PER_RUN = 50  # columns left for which another annealing run may pay; the same
_FILLINGS = 300, 1_000, 3_000  # of a pool, looked at for one cut: first, and again where much is left; the same
_ALONE_S = 3.0  # that a proof has before annealing begins beside it; all
_LOADED_S = 2.0  # that kernels have to be loaded before HiGHS begins beside their compilation; all
_ROUNDS_BESIDE_PRICES = 1  # of the search while prices are found; all
_EARLY_ROUNDS = 2  # in which both workers look for plans before one turns to the exact programme; all

# Kernels.
_KERNEL_PROJECTS = 220  # all
_KERNEL_OPTIONS = (2.0, 5.0, 3.0, 2.0, 8.0, 4.0)  # of each project in it, on average, taken in turn; all

# Annealing: moves a project, temperatures in units of what third choices lose, shares of the pools' prices.
_ANNEALED_OPTIONS = 20  # of a project that are tried, unless many are alike; all
_FIRST_MOVES, _LAST_MOVES = 5_000, 160_000  # in the first and the longest runs; all
_HEAT = 1.1, 0.3  # first and last temperature; all
_PRICE_SHARES = {100: (0.2, 0.0), 400: (0.4, 0.2)}
"""Up to so many projects; random 60 × 29, seeds 1 and 2, and region 200 × 60, seed 1."""
_MANY_HEAT, _MANY_PRICE_SHARES = (0.8, 0.2), (0.8,)
"""Beyond: the fewer moves a pool gets, the more its price has to count; random 1000 × 200, seed 2."""
_MANY_LAST_MOVES, _MANY_MOST_MOVES = 80_000, 100_000_000  # a project and in all, then runs turn gentle; 1000 × 200
_GENTLE_HEAT, _GENTLE_PRICE_SHARES = (0.3, 0.1), (0.4, 0.2, 0.0)  # keep most of the plan in hand; the same
_GENTLE_LAST_MOVES = 40_000  # the same


def best(
    problem: Problem,
    limits: Limits,
    *,
    start: Ints | None = None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Assignment:
    """The best plan of a problem without openings that time allows, verified.

    Parameters
    ----------
    problem : Problem
    limits : Limits
        Time, gap and seed.
    start : (P,) int array, optional
        A plan to begin with, where it keeps the rules.
    progress : callable, optional
        As of `solve`.
    """
    run = Run(problem, limits.time_limit_s, limits.mip_gap, progress)
    try:
        if start is not None:
            run.offer_sites(start)
        search(run, limits.seed)
        if run.take_whole():
            search(run, limits.seed)
    except KeyboardInterrupt:
        run.progress = None  # who interrupts has seen enough
    return run.assignment()


def search(run: Run, seed: int) -> None:
    """Look for better plans and lower bounds until one is proven or the time ends.

    Parameters
    ----------
    run : Run
        Takes the plans and bounds.
    seed : int

    Raises
    ------
    InputError
        When the minima can't be met together.
    """
    model = run.model
    if not np.isfinite(model.value).any():
        if run.short:
            raise InputError(impossible(run))
        run.lower(run.objective)
        return
    columns = int(np.isfinite(model.value).sum())
    relaxed = model.relaxed()
    soft = relaxed.softened()
    zero = [np.zeros(len(draw.capacity)) for draw in model.draws]
    run.offer(greedy(model, zero))
    direct = columns <= _SMALL_COLUMNS and soft is relaxed
    if not direct:
        first = price_pools(soft, stop=run.tick)
        run.offer(greedy(model, first.prices))
        if soft is relaxed:
            run.lower(first.value)
    if run.tick():
        return
    with ThreadPoolExecutor(_WORKERS) as workers:
        try:
            if direct and _easy(run, seed):
                return
            if not kernels.ready() and not _ready_beside(run, workers, seed):
                return
            branches = columns <= _EXACT_COLUMNS and targets.applies(model)
            if branches:
                _branch(run, workers, seed)
            elif direct:
                _small(run, workers, seed)
            if not direct and not run.tick():
                _large(run, workers, first, soft is not relaxed, columns, seed)
        finally:
            run.stop.set()
            run.halt[0] = True


def _easy(run: Run, seed: int) -> bool:
    """HiGHS alone where that takes milliseconds; True when that was enough."""
    model = run.model
    p, s = np.nonzero(np.isfinite(model.value))
    task = program(model, p, s, np.full(len(model.value), UNPLACED))
    if len(p) > _TINY_COLUMNS and _split(task) > _FEW_SPLIT:
        return False
    limits = Limits(time_limit_s=run.left_s(), nodes=_TINY_NODES, mip_gap=run.share, seed=seed, light=True)
    option, outcome = task.solve(limits=limits)
    if outcome.infeasible:
        raise InputError(impossible(run))
    run.lower(outcome.bound + model.base)
    if option is not None:
        run.offer(option)
    return run.tick()


def _split(task: Program) -> float:
    """How many projects the linear relaxation, milliseconds, shares out among sites; inf where it has no solution."""
    found = Relaxation(task).solve()
    if found is None:
        return np.inf
    share = found[0][: len(task.p)]
    return len(np.unique(task.p[(share > _WHOLE) & (share < 1 - _WHOLE)]))


def _ready_beside(run: Run, workers: ThreadPoolExecutor, seed: int) -> bool:
    """Have the kernels made while HiGHS seeks a proof without them; False when that, or the time, ended the search.

    What HiGHS finds counts once they have taken half the time: until then the plan is that of every later solve.
    """
    begun, time_limit_s, p, s = time.monotonic(), run.left_s(), *np.nonzero(np.isfinite(run.model.value))
    proof: Future[Ints] | None = None
    while not kernels.ready(0.05):
        if run.tick():
            return False
        waited = time.monotonic() - begun
        if proof is None and waited > min(_LOADED_S, time_limit_s / 4) and len(p) <= _ALONE_COLUMNS:
            alone = run.beside()
            task = program(run.model, p, s, np.full(len(run.model.value), UNPLACED))
            proof = workers.submit(_finish, alone, task, run.option, run.model.base, seed)
        if proof is not None and waited > time_limit_s / 2:
            run.take(alone)
            if proof.done():
                proof.result()
    if proof is not None:
        alone.stop.set()
    return not run.tick()


def _small(run: Run, workers: ThreadPoolExecutor, seed: int) -> None:
    """Annealing, cuts and then HiGHS.

    Meanwhile the other worker goes on annealing. Its plans count when time is over: where there is a proof, the plan
    doesn't depend on the clock.
    """
    proof = workers.submit(_thorough, run, seed)
    found_beside: list[Ints] = []
    try:
        _anneal_beside(run, workers, proof, found_beside, seed)
        run.wait([proof])
    finally:
        for option in found_beside:
            run.offer(option)


def _thorough(run: Run, seed: int) -> Ints:
    """Annealing runs for a plan, blind to links and minima, then the exact programme."""
    model = run.model
    first = price_relaxed(model.relaxed())
    annealing = Annealing(run, first, Neighbourhoods(model, first, seed=seed), seed)
    for _ in range(_RUNS_BEFORE_CUTS):
        annealing.take(run)
    return _prove(run, model, None, seed, annealing)


def _anneal_beside(
    run: Run, workers: ThreadPoolExecutor, proof: Future[Ints], found_beside: list[Ints], seed: int
) -> None:
    """Anneal beside a proof that takes long; the plans go to `found_beside`."""
    while time.monotonic() - run.started < _ALONE_S:
        if wait([proof], timeout=0.05).done or run.tick():
            return
    if run.model.links or run.model.minima or run.model.must.any():
        return
    first = price_pools(run.model, stop=run.tick)
    annealing = Annealing(run, first, Neighbourhoods(run.model, first, seed=seed), seed)
    annealing.count = _MOST_RUNS  # others than those before the proof
    while not (proof.done() or run.tick()):
        (job,) = annealing.submit(run, workers, 1)
        while not wait([job], timeout=0.05).done:
            run.tick()
        found_beside.append(job.result())


def _polish(run: Run, workers: ThreadPoolExecutor, near: Neighbourhoods, *, count: int = _WORKERS) -> bool:
    """A small neighbourhood for each of `count` workers; True when the plan got better."""
    before, plan = (run.objective, run.short), run.option
    size = min(15, max(len(near.open) // 3, 6))
    freed = [near.related(plan, size) for _ in range(count)]
    jobs = [
        workers.submit(
            improve,
            run.model,
            plan,
            each,
            near.columns(each, plan, each=16),
            penalty=run.penalty,
            limits=Limits(time_limit_s=run.left_s(), nodes=100, light=True),
            stop=run.stop,
        )
        for each in freed
    ]
    for each, job in zip(freed, jobs, strict=True):
        trial = run.option.copy()
        trial[each] = job.result()[each]
        run.offer(trial)
    return (run.objective, run.short) != before


def _kernels(run: Run, workers: ThreadPoolExecutor, near: Neighbourhoods, first: int, *, count: int = _WORKERS) -> None:
    """A kernel for each of `count` workers, numbered from `first`."""
    plan, jobs, states = run.option, [], [run.apart() for _ in range(count)]
    for number, state in enumerate(states, first):
        freed = near.related(
            plan, _KERNEL_PROJECTS if len(near.open) <= 2 * _KERNEL_PROJECTS else _KERNEL_PROJECTS // 2
        )
        listed = near.columns(
            freed,
            plan,
            each=_KERNEL_OPTIONS[number % len(_KERNEL_OPTIONS)],
            noise=3.0 * (number >= len(_KERNEL_OPTIONS)),
        )
        jobs.append(
            workers.submit(
                improve,
                run.model,
                plan,
                freed,
                listed,
                penalty=run.penalty,
                limits=Limits(time_limit_s=run.left_s(), nodes=300),
                stop=state.stop,
                on_plan=state.offer,
            )
        )
    run.wait(jobs, states)


def _prove(run: Run, model: Model, forced: Floats | None, seed: int, annealing: Annealing | None = None) -> Ints:
    """The exact programme of what bounds and the plan in hand leave open, with cuts.

    While that is much, annealing may find a better plan, which leaves less.
    """
    from geo_cluster.matching.engine.cuts import cut

    def open_to(forced: Floats) -> Bools:
        return forced >= (-np.inf if run.short else run.objective - 1e-6 * max(1.0, abs(run.objective)))

    keep = np.isfinite(model.value)
    p, s = np.nonzero(keep if forced is None else keep & open_to(forced))
    task = program(model, p, s, np.full(len(model.value), UNPLACED))
    for fillings in _FILLINGS:
        cuts = cut(model, task, fillings=fillings, stop=run.stop.is_set)
        if cuts is None or run.stop.is_set():
            break
        bound = cuts.bound + model.base
        run.lower(bound if run.short else max(bound, run.objective))
        left = open_to(cuts.forced + model.base)
        most = 0 if annealing is None or model.links else min(left.sum() * left.mean() // _COLUMNS_PER_RUN, _MOST_RUNS)
        while annealing and annealing.count < most and not run.stop.is_set():
            annealing.take(run)
            left = open_to(cuts.forced + model.base)
            most = min(most, left.sum() * left.mean() // _COLUMNS_PER_RUN)
        task = cuts.task.narrowed(left)
        if not left.any():  # no pair is in a better plan
            run.lower(run.objective)
            return run.option
        if annealing and annealing.count <= _RUNS_BEFORE_CUTS:
            break
    return _finish(run, task, run.option, model.base, seed)


def _finish(run: Run, task: Program, start: Ints | None, base: float, seed: int) -> Ints:
    """Solve the exact programme; its bound counts, with the plan in hand, for all columns."""
    in_hand, start = (run.objective, start) if not run.short else (-np.inf, None)

    def improved(x: Floats | None, bound: float) -> None:
        if x is not None:
            run.offer(task.plan(x))
        if np.isfinite(bound):
            run.lower(max(bound + base, in_hand))

    light = len(task.p) <= _SMALL_COLUMNS
    limits = Limits(time_limit_s=run.left_s(), mip_gap=run.share, seed=seed, light=light)
    option, outcome = task.solve(start, limits, stop=run.stop, on_improvement=improved)
    if outcome.infeasible and not np.isfinite(in_hand):
        raise InputError(impossible(run))
    run.lower(max(outcome.bound + base, in_hand) if not outcome.infeasible else in_hand)
    return run.option if option is None else option


def _branch(run: Run, workers: ThreadPoolExecutor, seed: int) -> None:
    """A few annealing runs for a plan, then branching."""
    first = price_pools(run.model.softened(), stop=run.stop.is_set)
    annealing = Annealing(run, first, Neighbourhoods(run.model, first, seed=seed), seed)
    for _ in range(_RUNS_BEFORE_BRANCHING // _WORKERS):
        run.wait(annealing.submit(run, workers, _WORKERS, lengthen=False))
    targets.prove(run, workers, seed)


def _large(run: Run, workers: ThreadPoolExecutor, first: Bound, overwhelmed: bool, columns: int, seed: int) -> None:
    """A good plan early, then annealing and kernels beside the exact programme until one is proven or the time ends.

    `overwhelmed` says that bonuses drown the differences between options: once a plan places everyone, the rows
    of projects become equations and the bonuses drop out.
    """
    model = run.model
    near = Neighbourhoods(model, first, seed=seed)
    annealing = None if model.links or model.minima else Annealing(run, first, near, seed)
    for _ in range(2 if annealing or columns <= _SMALL_COLUMNS else 20):
        if run.tick():
            return
        _better(run, workers, near, annealing, _WORKERS)
    tight = model.tightened(run.objective) if overwhelmed and not run.short else model
    relaxed = tight.relaxed()
    # what was priced without the overwhelming part of bonuses says nothing of all of it
    start = price_pools(relaxed, stop=run.tick) if overwhelmed or relaxed is not model else first
    run.lower(start.value)
    asked: Callable[[], bool] = run.stop.is_set
    job = workers.submit(price_knapsacks, relaxed, start, plan=run.objective, stop=asked, on_bound=run.lower_later)
    pricing: Future[Bound] | None = job
    bound, small = start, columns <= _EXACT_COLUMNS and len(near.open) <= 100
    proof: Future[Ints] | None = None
    # the more there is to do, the sooner wide neighbourhoods pay
    patience = (
        20 + len(near.open) // 10
        if _SMALL_COLUMNS < columns <= _PROOF_COLUMNS
        else 10
        if _PROOF_COLUMNS < columns <= _SWEEP_COLUMNS
        else 0
    )
    failed, number, rounds, side = 0, 0, 0, run
    while not run.tick():
        # taken over after so many rounds, done or not, so that the search is the same each time
        if pricing is not None and (small or rounds >= _ROUNDS_BESIDE_PRICES):
            _idle(run, pricing)
            bound, pricing, failed = pricing.result(), None, 0
            run.lower(bound.value)
            run.offer(greedy(model, start.prices, bound.filling))
            near = Neighbourhoods(model, bound, seed=seed)
        free = _WORKERS - (pricing is not None) - (proof is not None)
        late, rounds = rounds >= _EARLY_ROUNDS, rounds + 1
        if not late and annealing and not small:
            _better(side, workers, near, annealing, free)
            continue
        if failed <= patience and not annealing:
            failed = 0 if _better(side, workers, near, annealing, free) else failed + 1
            continue
        if proof is None and pricing is None and columns <= _PROOF_COLUMNS and (small or late):
            if targets.applies(tight) and tight.softened() is tight:
                proof = workers.submit(targets.Dives(run, tight, bound).plans, run, run.option, sys.maxsize)
            else:
                proof = workers.submit(_prove, run, tight, bound.forced, seed)
            free, side = free - 1, run.apart()
        if proof is not None and (
            proof.done()
            or side.is_settled
            or columns <= _EXACT_COLUMNS // 6
            or (small and number > 2 * len(_KERNEL_OPTIONS))
        ):
            break
        if annealing and (columns > _PROOF_COLUMNS or number % 2):
            _better(side, workers, near, annealing, free)
            number += 1
        else:
            _kernels(side, workers, near, number, count=free)
            number += free
    if proof is not None:
        run.wait([proof])
        run.take(side)


def _idle(run: Run, job: Future[Any]) -> None:
    """Wait for a job, reporting meanwhile."""
    while not wait([job], timeout=0.05).done:
        run.catch_up()
        run.tick()


class Annealing:
    """Annealing runs, round after round, each longer than the last."""

    def __init__(self, run: Run, first: Bound, near: Neighbourhoods, seed: int) -> None:
        from geo_cluster.matching.engine import anneal

        self.terrain, self.anneal = anneal.flatten(run.model, first.prices, penalty=run.penalty), anneal.anneal
        tried = near.listed if run.model.tied else near.listed[:, :_ANNEALED_OPTIONS]
        self.schedule, self.listed, self.heat = anneal.Schedule, tried, near.spread()
        self.seed, self.count = 1_000_003 * seed, 0
        projects = len(self.terrain.rows)
        few: tuple[float, ...] | None = next((pair for most, pair in _PRICE_SHARES.items() if projects <= most), None)
        # each run takes the next share
        self.heats, self.price_shares = (_HEAT, few) if few else (_MANY_HEAT, _MANY_PRICE_SHARES)
        last = _LAST_MOVES if few else min(_MANY_LAST_MOVES, _MANY_MOST_MOVES // projects)
        self.becomes_gentle, self.moves, self.most = not few, _FIRST_MOVES * projects, last * projects

    def submit(self, run: Run, workers: ThreadPoolExecutor, count: int, *, lengthen: bool = True) -> list[Future[Ints]]:
        """A run for each of `count` workers."""
        moves = self.moves
        jobs = [workers.submit(self.next(run, moves)) for _ in range(count)]
        if lengthen:
            self._lengthen()
        return jobs

    def _lengthen(self) -> None:
        """The next round is longer; of many projects gentle after the longest."""
        if self.becomes_gentle and self.moves >= self.most:
            projects = len(self.terrain.rows)
            self.heats, self.price_shares, self.becomes_gentle = _GENTLE_HEAT, _GENTLE_PRICE_SHARES, False
            self.moves, self.most = _FIRST_MOVES * projects, _GENTLE_LAST_MOVES * projects
        else:
            self.moves = min((4 if self.becomes_gentle else 2) * self.moves, self.most)

    def take(self, run: Run) -> None:
        """A run here and now."""
        run.offer(self.next(run)())
        self._lengthen()

    def next(self, run: Run, moves: int | None = None) -> Callable[[], Ints]:
        """The next run from the plan in hand, ready to be called."""
        self.count += 1
        hot, cold = (each * self.heat for each in self.heats)
        price_share = self.price_shares[self.count % len(self.price_shares) - 1]
        schedule, seed = self.schedule(moves or self.moves, hot, cold, price_share), self.seed + self.count - 1
        return partial(self.anneal, self.terrain, run.option, self.listed, schedule=schedule, seed=seed, stop=run.halt)


def _better(
    run: Run, workers: ThreadPoolExecutor, near: Neighbourhoods, annealing: Annealing | None, count: int
) -> bool:
    """An annealing run for each worker, or a small neighbourhood where there can be none; True when that was better."""
    if annealing is None:
        return _polish(run, workers, near, count=count)
    before = run.objective, run.short
    run.wait(annealing.submit(run, workers, count))
    return (run.objective, run.short) != before
