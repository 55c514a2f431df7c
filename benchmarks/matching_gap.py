"""Generalised assignment of the literature through `solve`: sixty instances as gap1 … gap12, and types a to e,
and single-source facility location with its facilities open.

    python benchmarks/matching_gap.py [SECONDS]

SECONDS is the limit of each solver, 5 when left out (the README's figures: 30), so that all takes some two minutes.
A line a size: how many are proven, the slowest, and how many of those HiGHS alone finds another optimum for.
"""

import sys
import time

from matching import with_highs, worth
from matching_instances import instance

from geo_cluster.matching import solve

SIZES = [(5, 15), (5, 20), (5, 25), (5, 30), (8, 24), (8, 32), (8, 40), (8, 48), (10, 30), (10, 40), (10, 50), (10, 60)]
TYPES = [(kind, agents, 60) for kind in "abcdef" for agents in (5, 10, 20)]


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    for family, agents, jobs in [*[("gap", *size) for size in SIZES], *TYPES]:
        proven, wrong, slowest, peer_slowest, gaps = 0, 0, 0.0, 0.0, []
        seeds = range(1, 6) if family == "gap" else range(1, 2)
        for seed in seeds:
            problem = instance(family, jobs, agents, seed)
            begun = time.perf_counter()
            ours = solve(problem, time_limit_s=limit)
            slowest = max(slowest, time.perf_counter() - begun)
            proven += ours.status == "optimal"
            gaps.append(ours.bound - ours.objective)
            begun = time.perf_counter()
            plan, bound = with_highs(problem, limit)
            peer_slowest = max(peer_slowest, time.perf_counter() - begun)
            value = worth(problem, plan)
            wrong += value > ours.bound + 1e-6 or bound < ours.objective - 1e-6 * abs(bound)
        print(
            f"{family:3} {agents:2} × {jobs}  proven {proven} of {len(seeds)}, slowest {slowest:5.1f} s,",
            f"HiGHS {peer_slowest:5.1f} s, contradicted {wrong}, widest gap {max(gaps):g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
