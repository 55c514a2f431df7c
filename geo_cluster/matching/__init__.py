"""Projects to sites under shared capacities: build, solve, verify, explain.

::

    problem  ->  solve  ->  verify      who goes where; what is wrong with a plan; how it stands when numbers are drawn
                        ->  explain     ways in, worth of a pool, why here, price of a lock, importance of a site
                        ->  alternatives  other good plans, trade-offs, differences
    rules                                 quotas, caps, budgets, phases, spelt as parts of a problem
    stable                                plans that no firm and city would leave together

`model`, `bound`, `search` and `milp` are how `solve` works.
"""

from geo_cluster.matching.plan import Assignment, Progress, Violation
from geo_cluster.matching.problem import Link, Problem, Resource
from geo_cluster.matching.rules import budget, keep, phase, quota, segment_cap
from geo_cluster.matching.solve import solve
from geo_cluster.matching.verify import Holding, hold, verify

__all__ = [
    "Assignment",
    "Holding",
    "Link",
    "Problem",
    "Progress",
    "Resource",
    "Violation",
    "budget",
    "hold",
    "keep",
    "phase",
    "quota",
    "segment_cap",
    "solve",
    "verify",
]
