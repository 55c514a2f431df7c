"""Projects to sites under shared capacities: build, solve, verify, explain."""

from geo_cluster.matching.problem import Link, Problem, Resource
from geo_cluster.matching.solve import Assignment, Progress, solve
from geo_cluster.matching.verify import Violation, verify

__all__ = ["Assignment", "Link", "Problem", "Progress", "Resource", "Violation", "solve", "verify"]
