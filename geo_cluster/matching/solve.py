"""The best plan, or a good one with a true bound.

How: `model` takes out what is decided and strikes what can't happen; `bound` prices the pools; `search` places
greedily at those prices, `anneal` walks on from there; `cuts` describe the pools exactly; what all that leaves open
goes to HiGHS as one exact programme. Usual portfolios are proven that way in about a second.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.matching.arguments import amount_faults, rounded
from geo_cluster.matching.engine.bound import Bound, price_knapsacks, price_pools, price_relaxed
from geo_cluster.matching.engine.model import Model, compile_model
from geo_cluster.matching.engine.search import Neighbourhoods, Program, greedy, improve, program
from geo_cluster.matching.plan import Assignment, Progress, relative_gap
from geo_cluster.matching.problem import UNPLACED, Bools, Floats, Ints, Problem, plan_of
from geo_cluster.matching.verify import objective, verify

_WORKERS = 2
_DIRECT = 2_000  # columns of a problem that is proven rather than searched
_TINY, _QUICK = 150, 100  # columns up to which HiGHS alone may take milliseconds, and nodes of its tree by then
_SILENCE_S = 0.5  # whoever wants to stop is asked at least so often
_TRIES = 2_000  # nodes of branching where it may lead nowhere
_BITS = 63  # of the sets of options that branching works with; one is for staying unplaced
_WALKS = 6  # before branching begins
_FIRST_WALKS, _MOST_WALKS = 3, 9  # before the exact programme of a small problem
_PER_WALK = 50  # columns left for which another walk may pay
_FILLINGS = 300, 1_000, 3_000  # of a pool, looked at for one cut: first, and again where much is left
_PATIENCE_S = 3.0  # before walks look for plans beside it
_EXACT = 6_000  # columns up to which the exact programme begins at once
_KERNEL = 220  # projects of a kernel
_EACH = (2.0, 5.0, 3.0, 2.0, 8.0, 4.0)  # options of each project in it, on average, taken in turn
_EARLY_S = 8.0  # how long both workers look for plans before one turns to the exact programme
_SWEEP = 1_000_000  # columns beyond which small neighbourhoods are too many to wait for
_FIRST, _LAST = 5_000, 160_000  # moves per project in the first and the longest walks
_TRIED = 20  # options of a project that walks try
_HEAT = 1.1, 0.3  # first and last temperature of a walk, in units of what third choices lose
_THRIFT = {100: (0.2, 0.0), 400: (0.4, 0.2)}  # shares of the pools' prices that walks pay, up to so many projects
_MANY_HEAT, _MANY_THRIFT = (0.8, 0.2), (0.8,)  # and beyond: the fewer moves a pool gets, the more its price has to tell
_MANY_LAST, _MANY_MOVES = 80_000, 100_000_000  # moves per project, and in all, after which walks there become gentle:
_GENTLE_HEAT, _GENTLE_THRIFT = (0.3, 0.1), (0.4, 0.2, 0.0)  # they keep most of the plan in hand
_GENTLE_LAST = 40_000
_PROOF = 30_000  # columns beyond which the exact programme isn't begun


def solve(
    problem: Problem,
    *,
    time_limit_s: float = 60.0,
    mip_gap: float = 0.0,
    seed: int = 0,
    start: ArrayLike | None = None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Assignment:
    """The plan of greatest worth.

    Parameters
    ----------
    problem : Problem
        What is to be decided.
    time_limit_s : float
        When to stop with the plan in hand. Ctrl-C does the same.
    mip_gap : float
        Relative gap at which a plan counts as proven.
    seed : int
        Same seed, same plan, when the problem is solved to proof; a time limit may cut the same walk elsewhere.
    start : (P,) int array, optional
        A plan to begin with, where it keeps the rules.
    progress : callable, optional
        Told of each improvement, and of none now and then, in the caller's thread; returning False stops with the plan
        in hand.

    Returns
    -------
    Assignment

    Raises
    ------
    InputError
        When the minima can't be met together: with the most that can be had of each. On a limit, gap or seed that is
        none, and on a start of another shape or with sites that there aren't.
    """
    refuse_if(_call_faults(time_limit_s=time_limit_s, mip_gap=mip_gap, seed=seed))
    before = None if start is None else plan_of(problem, start, "start")
    refuse_if(_out_of_reach(problem))
    run = _Run(problem, time_limit_s, mip_gap, progress)
    try:
        if before is not None:
            run.offer(_option_of(run.model, before))
        _solve(run, seed)
    except KeyboardInterrupt:
        run.progress = None  # who interrupts has heard enough
    return run.assignment()


def warm() -> None:
    """Compile what `solve` needs and keep it on disk: else the first solve on a machine does, for some ten seconds."""
    from geo_cluster.matching.engine import anneal, branch, cuts, knapsack

    for each in (anneal, branch, cuts, knapsack):
        each.warm()


def _call_faults(*, seed: int, **amounts: float) -> list[Fault]:
    faults = amount_faults(**amounts)
    if not isinstance(seed, int | np.integer) or seed < 0:
        faults.append(Fault("seed", f"is {seed!r}", "Give a whole number, zero or more."))
    return faults


def _option_of(model: Model, site: Ints) -> Ints:
    """The first option that each project has at its site; -1 where it has none."""
    here = (model.site[None, :] == site[:, None]) & np.isfinite(model.value)
    return np.where(here.any(axis=1), here.argmax(axis=1), UNPLACED)


class _Run:
    """The plan in hand, the bound, and when to stop."""

    def __init__(
        self, problem: Problem, time_limit_s: float, mip_gap: float, progress: Callable[[Progress], bool | None] | None
    ) -> None:
        self.started = time.monotonic()
        self.problem, self.until, self.mip_gap, self.progress = problem, self.started + time_limit_s, mip_gap, progress
        self.model, self.unit, self.cut = compile_model(problem).rescaled()
        self.stop, self.lock, self.halt = threading.Event(), threading.Lock(), np.zeros(1, dtype=bool)
        finite = self.model.value[np.isfinite(self.model.value)]
        gains = [link.gain for link in self.model.links]
        self.grain = _grain(np.concatenate([finite, gains])) if finite.size < 10**6 else None
        tops = self.model.value.max(axis=1, initial=-np.inf)
        self.bound = self.model.base + float(np.maximum(tops[np.isfinite(tops)], 0).sum()) + sum(gains)
        self.penalty = 1.0 + 2 * (abs(self.bound) + float(np.abs(finite).max(initial=0.0)))
        self.option = np.full(len(self.model.value), UNPLACED, dtype=np.intp)
        self.worth, self.short = self.model.worth(self.option), self.model.short(self.option)
        self.told: tuple[float, float] | None = None
        self.told_at = 0.0

    def left_s(self) -> float:
        return max(self.until - time.monotonic(), 0.0)

    def offer(self, option: Ints) -> None:
        """Take a plan when it is better than the one in hand."""
        option = np.where(self.model.held == UNPLACED, option, UNPLACED)
        worth, short = self.model.worth(option), self.model.short(option)
        with self.lock:
            gain = worth - self.worth if short == self.short else self.short - short
            better = gain > (1e-9 * max(1.0, abs(self.worth)) if short == self.short else 0.0)
            if better and self.model.fits(option):
                self.option, self.worth, self.short = option, worth, short

    def lower(self, bound: float) -> None:
        """Take a bound when it is lower; rounded to what worths can be."""
        if self.grain:
            steps = np.floor((bound - self.model.base) / self.grain + 1e-6)
            bound = min(bound, self.model.base + float(steps) * self.grain)
        with self.lock:
            self.bound = min(self.bound, bound)

    def missing(self) -> float:
        """What a better plan could be worth more, in the problem's own numbers."""
        more = self.unit * (self.bound - self.worth)
        if self.cut:
            value = self.model.value
            least = float(value[np.isfinite(value)].min())
            most = min(len(self.model.open), int((self.bound - self.model.base) / least + 1e-6))
            more += self.cut * (most - np.count_nonzero(self.option != UNPLACED))
        return max(more, 0.0)

    @property
    def earned(self) -> float:
        """Worth of the plan in hand, in the problem's own numbers."""
        return self.unit * self.worth + self.cut * np.count_nonzero(self.option != UNPLACED)

    @property
    def proven(self) -> bool:
        slack = self.unit * max(1e-9 * max(1.0, abs(self.worth)), 1e-6 if self.grain else 1e-7)
        return self.short <= 0 and self.missing() <= max(self.mip_gap * abs(self.earned), slack)

    def tick(self) -> bool:
        """Report what is new, and now and then that nothing is; True when it is time to stop."""
        elapsed, now = time.monotonic() - self.started, (self.worth, self.bound)
        if self.progress and (self.told != now or elapsed > self.told_at + _SILENCE_S):
            news = Progress(elapsed, self.earned, self.earned + self.missing(), is_new=self.told != now)
            self.told, self.told_at = now, elapsed
            if self.progress(news) is False:
                self.stop.set()
        if self.proven or self.left_s() <= 0:
            self.stop.set()
        self.halt[0] = self.stop.is_set()
        return self.stop.is_set()

    def wait(self, jobs: list[Future[Ints]]) -> None:
        """Wait for jobs, reporting meanwhile."""
        open_jobs = set(jobs)
        while open_jobs:
            _, open_jobs = wait(open_jobs, timeout=0.05, return_when=FIRST_COMPLETED)
            self.tick()
        for job in jobs:
            self.offer(job.result())

    def assignment(self) -> Assignment:
        self.tick()
        model = self.model
        option = np.where(model.held != UNPLACED, model.held, self.option)
        placed = np.flatnonzero(option != UNPLACED)
        site = np.full(len(option), UNPLACED, dtype=np.intp)
        site[placed] = model.site[option[placed]]
        pools = {}
        for r, resource in enumerate(self.problem.resources):
            if resource.several and not resource.split:
                pools[resource.name] = np.full(len(option), UNPLACED, dtype=np.intp)
                pools[resource.name][placed] = model.pools[option[placed], r]
        worth = objective(self.problem, site)
        bound = worth if self.proven and self.mip_gap == 0 else worth + self.missing()
        plan = Assignment(
            site, worth, bound, relative_gap(worth, bound), "optimal" if self.proven else "feasible", pools=pools
        )
        return Assignment(**{**vars(plan), "violations": verify(self.problem, plan)})


def _grain(values: Floats) -> float | None:
    """The largest of 1, 0.5, 0.1 … of which every value is a multiple."""
    for grain in (1.0, 0.5, 0.1, 0.05, 0.01):
        if np.allclose(values / grain, np.rint(values / grain), rtol=0, atol=1e-7):
            return grain
    return None


def _solve(run: _Run, seed: int) -> None:
    model = run.model
    if not np.isfinite(model.value).any():
        if run.short:
            raise InputError(_impossible(run))
        run.lower(run.worth)
        return
    columns = int(np.isfinite(model.value).sum())
    relaxed = model.relaxed()
    soft = relaxed.softened()
    zero = [np.zeros(len(draw.capacity)) for draw in model.draws]
    run.offer(greedy(model, zero))
    direct = columns <= _DIRECT and soft is relaxed
    if not direct:
        first = price_pools(soft, stop=run.tick)
        run.offer(greedy(model, first.prices))
        if soft is relaxed:
            run.lower(first.value)
    if run.tick():
        return
    with ThreadPoolExecutor(_WORKERS) as workers:
        try:
            if direct:
                _small(run, workers, seed)
            elif columns <= _EXACT and _branches(model):
                run.wait([workers.submit(_branch, run, seed)])
            if not direct and not run.tick():
                _large(run, workers, first, soft is not relaxed, columns, seed)
        finally:
            run.stop.set()
            run.halt[0] = True


def _small(run: _Run, workers: ThreadPoolExecutor, seed: int) -> None:
    """HiGHS alone where that takes milliseconds, else walks, cuts and then HiGHS.

    Meanwhile the other worker goes on walking. Its plans are heard when time is over: where there is a proof, the
    plan doesn't depend on the clock.
    """
    p, s = np.nonzero(np.isfinite(run.model.value))
    if len(p) <= _TINY:
        task = program(run.model, p, s, np.full(len(run.model.value), UNPLACED))
        option, outcome = task.solve(
            nodes=_QUICK, light=True, time_limit_s=run.left_s(), mip_gap=run.mip_gap, seed=seed
        )
        if outcome.infeasible:
            raise InputError(_impossible(run))
        run.lower(outcome.bound + run.model.base)
        if option is not None:
            run.offer(option)
        if run.tick():
            return
    proof = workers.submit(_branch if _branches(run.model) else _thorough, run, seed)
    heard: list[Ints] = []
    try:
        _stroll(run, workers, proof, heard, seed)
        run.wait([proof])
    finally:
        for option in heard:
            run.offer(option)


def _thorough(run: _Run, seed: int) -> Ints:
    """Walks for a plan, blind to links and minima, then the exact programme."""
    model = run.model
    first = price_relaxed(model.relaxed())
    walks = _Walks(run, first, Neighbourhoods(model, first, seed=seed), seed)
    for _ in range(_FIRST_WALKS):
        walks.take(run)
    return _prove(run, model, None, seed, walks)


def _stroll(run: _Run, workers: ThreadPoolExecutor, proof: Future[Ints], heard: list[Ints], seed: int) -> None:
    """Walks beside a proof that takes long; their plans go to `heard`."""
    while time.monotonic() - run.started < _PATIENCE_S:
        if wait([proof], timeout=0.05).done or run.tick():
            return
    if run.model.links or run.model.minima or run.model.must.any():
        return
    first = price_pools(run.model, stop=run.tick)
    walks = _Walks(run, first, Neighbourhoods(run.model, first, seed=seed), seed)
    walks.count = _MOST_WALKS  # others than those before the proof
    while not (proof.done() or run.tick()):
        (job,) = walks.submit(run, workers, 1)
        while not wait([job], timeout=0.05).done:
            run.tick()
        heard.append(job.result())


def _polish(run: _Run, workers: ThreadPoolExecutor, near: Neighbourhoods, *, count: int = _WORKERS) -> bool:
    """A small neighbourhood for each of `count` workers; True when the plan got better."""
    before, plan = (run.worth, run.short), run.option
    size = min(15, max(len(near.open) // 3, 6))
    freed = [near.related(plan, size) for _ in range(count)]
    jobs = [
        workers.submit(
            improve, run.model, plan, each, near.columns(each, plan, each=16), penalty=run.penalty, nodes=100,
            light=True, time_limit_s=run.left_s(), stop=run.stop,
        )
        for each in freed
    ]  # fmt: skip
    for each, job in zip(freed, jobs, strict=True):
        trial = run.option.copy()
        trial[each] = job.result()[each]
        run.offer(trial)
    return (run.worth, run.short) != before


def _kernels(run: _Run, workers: ThreadPoolExecutor, near: Neighbourhoods, turn: int, *, count: int = _WORKERS) -> None:
    """A kernel for each of `count` workers."""
    plan, jobs = run.option, []
    for number in range(turn, turn + count):
        freed = near.related(plan, _KERNEL if len(near.open) <= 2 * _KERNEL else _KERNEL // 2)
        listed = near.columns(freed, plan, each=_EACH[number % len(_EACH)], noise=3.0 * (number >= len(_EACH)))
        jobs.append(
            workers.submit(
                improve, run.model, plan, freed, listed, penalty=run.penalty, nodes=300, light=False,
                time_limit_s=run.left_s(), stop=run.stop, news=run.offer,
            )
        )  # fmt: skip
    run.wait(jobs)


def _prove(run: _Run, model: Model, forced: Floats | None, seed: int, walks: _Walks | None = None) -> Ints:
    """The exact programme of what bounds and the plan in hand leave open, with cuts.

    While that is much, walks may find a better plan, which leaves less.
    """
    from geo_cluster.matching.engine.cuts import cut

    def open_to(forced: Floats) -> Bools:
        return forced >= (-np.inf if run.short else run.worth - 1e-6 * max(1.0, abs(run.worth)))

    keep = np.isfinite(model.value)
    p, s = np.nonzero(keep if forced is None else keep & open_to(forced))
    task = program(model, p, s, np.full(len(model.value), UNPLACED))
    for fillings in _FILLINGS:
        cuts = cut(model, task, fillings=fillings, stop=run.stop.is_set)
        if cuts is None or run.stop.is_set():
            break
        bound = cuts.bound + model.base
        run.lower(bound if run.short else max(bound, run.worth))
        left = open_to(cuts.forced + model.base)
        most = 0 if walks is None or model.links else min(left.sum() * left.mean() // _PER_WALK, _MOST_WALKS)
        while walks and walks.count < most and not run.stop.is_set():
            walks.take(run)
            left = open_to(cuts.forced + model.base)
            most = min(most, left.sum() * left.mean() // _PER_WALK)
        task = cuts.task.narrowed(left)
        if not left.any():  # no pair is in a better plan
            run.lower(run.worth)
            return run.option
        if walks and walks.count <= _FIRST_WALKS:
            break
    return _finish(run, task, run.option, model.base, seed)


def _finish(run: _Run, task: Program, start: Ints | None, base: float, seed: int) -> Ints:
    """Solve the exact programme; its bound counts, with the plan in hand, for all columns."""
    in_hand, start = (run.worth, start) if not run.short else (-np.inf, None)

    def news(x: Floats | None, bound: float) -> None:
        if x is not None:
            run.offer(task.plan(x))
        if np.isfinite(bound):
            run.lower(max(bound + base, in_hand))

    option, outcome = task.solve(
        start, time_limit_s=run.left_s(), mip_gap=run.mip_gap, seed=seed, stop=run.stop, news=news,
        light=len(task.p) <= _DIRECT,
    )  # fmt: skip
    if outcome.infeasible and not np.isfinite(in_hand):
        raise InputError(_impossible(run))
    run.lower(max(outcome.bound + base, in_hand) if not outcome.infeasible else in_hand)
    return run.option if option is None else option


def _branches(model: Model) -> bool:
    """Whether branching on knapsacks beats HiGHS: capacities of one kind, a generalised assignment problem."""
    if len(model.draws) != 1 or model.links or model.minima or model.value.shape[1] >= _BITS:
        return False
    pool = model.draws[0].pool[model.draws[0].pool >= 0]
    return model.draws[0].demand.ndim == 1 or len(np.unique(pool)) == len(pool)


def _branch(run: _Run, seed: int, model: Model | None = None, start: Bound | None = None) -> Ints:
    """Branch on knapsacks of a model from given prices; by default of the whole, after a few walks."""
    from geo_cluster.matching.engine.branch import search

    if model is None or start is None:
        model = run.model
        first = price_pools(model.softened(), stop=run.stop.is_set)
        walks = _Walks(run, first, Neighbourhoods(model, first, seed=seed), seed)
        for _ in range(_WALKS):
            run.offer(walks.next(run)())
        model = model if run.short else model.tightened(run.worth)
        start = price_pools(model, stop=run.stop.is_set)
    # where bonuses drown the rest and not everyone fits, what counts is how many do: that may be HiGHS's strength
    limit = _TRIES if model.softened() is not model else sys.maxsize
    slack = max(run.mip_gap * abs(run.worth), 0.999 * run.grain if run.grain else 5e-10 * max(1.0, abs(run.worth), 100))
    search(
        model, start, plan=lambda: -np.inf if run.short else run.worth, step=slack, stop=run.stop.is_set,
        found=run.offer, told=run.lower, halt=run.halt, limit=limit,
    )  # fmt: skip
    return run.option


def _out_of_reach(problem: Problem) -> list[Fault]:
    """Minima beyond what all projects together could draw, each pool's and those of a resource together."""
    faults = []
    for resource in problem.resources:
        if resource.minimum is None or not (resource.minimum > 0).any():
            continue
        demand = np.where(
            problem.eligible, resource.demand if resource.demand.ndim == 2 else resource.demand[:, None], 0
        )
        wanted = np.flatnonzero(resource.minimum > 0)
        reach = resource.pool[:, wanted] if resource.several else resource.pool[:, None] == wanted
        most = [float(demand[:, at].max(axis=1, initial=0.0).sum()) for at in reach.T]
        where, unit = f"resource {resource.name!r}", resource.unit
        for k, had in zip(wanted, most, strict=True):
            if had < resource.minimum[k] * (1 - 1e-7):
                what = f"{resource.pool_name(k)} can't reach its minimum of {resource.minimum[k]:g} {unit}"
                remedy = (
                    f"Lower it to {rounded(had)}, which all who may come draw, or make more projects eligible there."
                )
                faults.append(Fault(where, what, remedy))
        asked, had = (
            float(resource.minimum[wanted].sum()),
            float(demand[:, reach.any(axis=1)].max(axis=1, initial=0.0).sum()),
        )
        if not faults and had < asked * (1 - 1e-7):
            what = f"the minima add up to {asked:g} {unit}; all projects together draw at most {had:g}"
            faults.append(Fault(where, what, f"Lower them to {rounded(had)} in all, or make more projects eligible."))
    return faults


def _impossible(run: _Run) -> list[Fault]:
    """Minima that can't be met together: what each could have at the least shortfall of all."""
    model = run.model
    p, s = np.nonzero(np.isfinite(model.value))
    option: Ints | None = run.option
    if len(p):
        option, _ = program(model, p, s, np.full(len(model.value), UNPLACED), penalty=run.penalty).solve(
            time_limit_s=max(run.left_s(), 1.0)
        )
    option = np.where(model.held != UNPLACED, model.held, run.option if option is None else option)
    placed = np.flatnonzero(option != UNPLACED)
    faults = []
    for r, resource in enumerate(run.problem.resources):
        if resource.minimum is None:
            continue
        pool, demand = model.pools[option[placed], r], resource.demand
        drawn = demand[placed] if demand.ndim == 1 else demand[placed, model.site[option[placed]]]
        load = np.bincount(pool[pool >= 0], weights=drawn[pool >= 0], minlength=len(resource.minimum))
        for k in np.flatnonzero(load < resource.minimum * (1 - 1e-7)):
            what = f"{resource.pool_name(k)} can't reach its minimum of {resource.minimum[k]:g} {resource.unit}"
            had = rounded(float(load[k]))
            remedy = f"Lower it to {had}, which can be had, or make more projects eligible or more capacity available."
            faults.append(Fault(f"resource {resource.name!r}", what, remedy))
    if not faults:
        what = "locked projects, minima and capacities contradict each other"
        faults.append(Fault("problem", what, "Drop a lock or a minimum, or enlarge a pool."))
    return faults


def _large(run: _Run, workers: ThreadPoolExecutor, first: Bound, overwhelmed: bool, columns: int, seed: int) -> None:
    """A good plan early, then annealing and kernels beside the exact programme until one is proven or the time ends.

    `overwhelmed` says that bonuses drown the differences between options: once a plan places everyone, the rows
    of projects become equations and the bonuses drop out.
    """
    model = run.model
    near = Neighbourhoods(model, first, seed=seed)
    walks = None if model.links or model.minima else _Walks(run, first, near, seed)
    for _ in range(2 if walks or columns <= _DIRECT else 20):
        if run.tick():
            return
        _better(run, workers, near, walks, _WORKERS)
    tight = model.tightened(run.worth) if overwhelmed and not run.short else model
    relaxed = tight.relaxed()
    # what was priced without the overwhelming part of bonuses says nothing of the whole
    start = price_pools(relaxed, stop=run.tick) if overwhelmed or relaxed is not model else first
    run.lower(start.value)
    half = 0.5 * (run.started + run.until)

    def half_over() -> bool:
        return run.stop.is_set() or time.monotonic() > half

    job = workers.submit(price_knapsacks, relaxed, start, plan=run.worth, stop=half_over, told=run.lower)
    pricing: Future[Bound] | None = job
    bound, small = start, columns <= _EXACT and len(near.open) <= 100
    proof: Future[Ints] | None = None
    # the more there is to do, the sooner wide neighbourhoods pay
    patience = 20 + len(near.open) // 10 if _DIRECT < columns <= _PROOF else 10 if _PROOF < columns <= _SWEEP else 0
    failed, turn = 0, 0
    if small:
        job.exception()  # wait for it, so that the walk is the same each time
    while not run.tick():
        if pricing is not None and pricing.done():
            bound, pricing, failed = pricing.result(), None, 0
            run.lower(bound.value)
            run.offer(greedy(model, start.prices, bound.filling))
            near = Neighbourhoods(model, bound, seed=seed)
        free = _WORKERS - (pricing is not None) - (proof is not None)
        late = time.monotonic() - run.started > _EARLY_S
        if not late and walks and not small:
            _better(run, workers, near, walks, free)
            continue
        if failed <= patience and not walks:
            failed = 0 if _better(run, workers, near, walks, free) else failed + 1
            continue
        if proof is None and pricing is None and columns <= _PROOF and (small or late):
            if _branches(tight) and tight.softened() is tight:
                proof = workers.submit(_branch, run, seed, tight, bound)
            else:
                proof = workers.submit(_prove, run, tight, bound.forced, seed)
            free -= 1
        if proof is not None and (proof.done() or columns <= _EXACT // 6 or (small and turn > 2 * len(_EACH))):
            run.wait([proof])
            return
        if walks and (columns > _PROOF or turn % 2):
            _better(run, workers, near, walks, free)
            turn += 1
        else:
            _kernels(run, workers, near, turn, count=free)
            turn += free


class _Walks:
    """Annealing, round after round, each longer than the last."""

    def __init__(self, run: _Run, first: Bound, near: Neighbourhoods, seed: int) -> None:
        from geo_cluster.matching.engine import anneal

        self.terrain = anneal.flatten(run.model, first.prices, penalty=run.penalty)
        self.walk, self.listed, self.heat = anneal.anneal, near.listed[:, :_TRIED], near.spread()
        self.seed, self.count = 1_000_003 * seed, 0
        open_projects = len(self.terrain.rows)
        few: tuple[float, ...] | None = next((pair for most, pair in _THRIFT.items() if open_projects <= most), None)
        self.heats, self.thrift = (_HEAT, few) if few else (_MANY_HEAT, _MANY_THRIFT)  # each walk takes the next share
        last = _LAST if few else min(_MANY_LAST, _MANY_MOVES // open_projects)
        self.becomes_gentle, self.moves, self.most = not few, _FIRST * open_projects, last * open_projects

    def submit(self, run: _Run, workers: ThreadPoolExecutor, count: int) -> list[Future[Ints]]:
        """A walk for each of `count` workers."""
        moves = self.moves
        jobs = [workers.submit(self.next(run, moves)) for _ in range(count)]
        self._lengthen()
        return jobs

    def _lengthen(self) -> None:
        """The next round is longer; of many projects gentle after the longest."""
        if self.becomes_gentle and self.moves >= self.most:
            projects = len(self.terrain.rows)
            self.heats, self.thrift, self.becomes_gentle = _GENTLE_HEAT, _GENTLE_THRIFT, False
            self.moves, self.most = _FIRST * projects, _GENTLE_LAST * projects
        else:
            self.moves = min((4 if self.becomes_gentle else 2) * self.moves, self.most)

    def take(self, run: _Run) -> None:
        """A walk here and now."""
        run.offer(self.next(run)())
        self._lengthen()

    def next(self, run: _Run, moves: int | None = None) -> Callable[[], Ints]:
        """The next walk from the plan in hand, ready to be called."""
        self.count += 1
        hot, cold = (each * self.heat for each in self.heats)
        return partial(
            self.walk, self.terrain, run.option, self.listed, moves=moves or self.moves, hot=hot, cold=cold,
            thrift=self.thrift[self.count % len(self.thrift) - 1], seed=self.seed + self.count - 1, stop=run.halt,
        )  # fmt: skip


def _better(run: _Run, workers: ThreadPoolExecutor, near: Neighbourhoods, walks: _Walks | None, count: int) -> bool:
    """A walk, or where that isn't possible a small neighbourhood, for each worker; True when the plan got better."""
    if walks is None:
        return _polish(run, workers, near, count=count)
    before = run.worth, run.short
    run.wait(walks.submit(run, workers, count))
    return (run.worth, run.short) != before
