"""The default study, to the last digit: no change of the code moves a number by chance.

Who changes a number on purpose (a fact, a prior, a rule) changes these, and says so in the CHANGELOG.
"""

import hashlib

import numpy as np
import pytest

from geo_cluster.report import tables
from tests.studies import run

SHAPES = {
    "ranking": (870, 35),
    "contributions": (10440, 12),
    "assignment": (30, 33),
    "unplaced": (0, 9),
    "pools": (48, 9),
    "requests": (55, 19),
}
DIGESTS = {
    "ranking": "22789bcebe45623a55ad547435a8662babcb353107d3262e221865e590dcb9e3",
    "contributions": "f1abe433d58e01d2bee5db32b00ad87980af625c0107918440eecfc527384e16",
    "assignment": "d74b35659227ece939388245d567924a96181043a2682913a21b3812f33693de",
    "unplaced": "797ac7dc54bf95d7d835be5104754f8119e72102b7c55bd83c7a180c6537bd2a",
    "pools": "a067cb91318159309e806dad9f9bb533b0bcdf7c32667069712ee2cd480f8e3a",
    "requests": "9d567f5aaa3e6426d46cbb2c60829fdc95d3030bb0c2448cfe7e0df775706f54",
}
SITES = {
    "E01": "P01 P03 P04 P05 P06 P08 P09 P12 P14 P15 P16 P17 P19 P20 P22 P23 P24 P25 P27 P28 P29",
    "E04": "P18 P30",
    "H01": "P13",
    "H04": "P02 P07 P10 P11 P21 P26",
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_number_of_the_default_study_is_what_it_was(name):
    table = getattr(tables, name)(run())
    assert table.shape == SHAPES[name]
    numbers = table.select_dtypes([np.number, bool]).to_csv(index=False, lineterminator="\n")
    assert hashlib.sha256(numbers.encode()).hexdigest() == DIGESTS[name]


def test_the_plan_of_the_default_study_is_what_it_was():
    study = run()
    placed = tables.assignment(study).groupby("site")["project"].agg(" ".join).to_dict()
    assert placed == SITES
    assert study.plan.objective == pytest.approx(4097.98679821919, rel=1e-15)
    assert study.plan.bound == pytest.approx(np.float64(4137.464545683707), rel=1e-15)
    assert study.plan.status == "optimal" and not study.violations
