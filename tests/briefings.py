"""A small study for the tests of the briefing's files: the first projects of the default scenario."""

from __future__ import annotations

from functools import cache

from geo_cluster import study
from geo_cluster.scenarios import read_scenario
from geo_cluster.study import Study

PROJECTS = 8


@cache
def small() -> Study:
    """The default scenario with its first projects: everything that a briefing needs is worked out in a second."""
    scenario, projects = read_scenario("default")
    return study.run(scenario, projects=projects.iloc[:PROJECTS])
