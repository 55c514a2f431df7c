import numpy as np
import pytest

from geo_cluster.matching import Problem, Resource, solve, verify

SCORE = np.array([[9.0, 5.0], [8.0, np.nan], [4.0, 7.0]])


def land(**changes):
    given = {"demand": [2, 2, 2], "pool": [0, 1], "capacity": [2, 4]} | changes
    return Resource("land", "mu", **given)


def test_a_small_plan_is_proven():
    problem = Problem(SCORE, [land()], bonus=1.0)
    plan = solve(problem)
    assert plan.site.tolist() == [1, 0, 1]
    assert plan.objective == pytest.approx(5 + 8 + 7 + 3)
    assert plan.status == "optimal"
    assert verify(problem, plan) == ()
