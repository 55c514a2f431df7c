"""Projects to sites under shared capacities: build, solve, verify, explain.

::

    problem  ->  solve  ->  verify      who goes where; what is wrong with it; how often it is feasible
                        ->  explain     placement options, values of pools, locks and sites, why here
                        ->  alternatives, tradeoffs  other good plans; what is traded for what
    openings                            what may be opened at a cost, at most so many sites
    parts                               phases of one project, or one that may be split over two sites
    rules                               limits of groups, caps, budgets, phases, spelt as parts of a problem
    stable                              plans that no firm and city would leave together

`engine` is how `solve` works.
"""

from geo_cluster.matching.openings import AtMost, Opening
from geo_cluster.matching.parts import Parts, split
from geo_cluster.matching.plan import Assignment, Progress, Violation
from geo_cluster.matching.problem import Link, Problem
from geo_cluster.matching.resource import Resource
from geo_cluster.matching.rules import budget, group_limits, keep, phase, segment_cap
from geo_cluster.matching.solve import solve
from geo_cluster.matching.verify import FeasibleShare, feasible_share, verify

__all__ = [
    "Assignment",
    "AtMost",
    "FeasibleShare",
    "Link",
    "Opening",
    "Parts",
    "Problem",
    "Progress",
    "Resource",
    "Violation",
    "budget",
    "feasible_share",
    "group_limits",
    "keep",
    "phase",
    "segment_cap",
    "solve",
    "split",
    "verify",
]
