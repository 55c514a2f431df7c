"""The default study, to the last digit: no change of the code moves a number by chance.

Who changes a number on purpose (a fact, a prior, a rule) changes these, and says so in the CHANGELOG.
"""

import hashlib

import numpy as np
import pytest

from geo_cluster.report import tables
from tests.studies import run

SHAPES = {
    "ranking": (990, 35),
    "contributions": (11880, 12),
    "assignment": (30, 34),
    "unplaced": (0, 9),
    "pools": (52, 9),
    "requests": (63, 20),
}
DIGESTS = {
    "ranking": "6b5a37bfac158210819a7c9bc6a23f52a6f7376177544246a359833069a6fe65",
    "contributions": "1e6f74d90b6478491dc4b91cf5a119a41e7b6cb52337b14e1049abb73d968a0f",
    "assignment": "23d8c815e35df0b882d9f73e4d36a22426dd64085dbd733966831afe443718d5",
    "unplaced": "797ac7dc54bf95d7d835be5104754f8119e72102b7c55bd83c7a180c6537bd2a",
    "pools": "37af62e3a3ba417a519bbf04e9073289edcc9651a6d89443ed4e28be94d217e7",
    "requests": "0485352b5b4c8bd3db9d511971270cb9e5ea6403b9f825d65ba433c9c66e1b77",
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
    assert study.plan.objective == pytest.approx(4097.98679821919, rel=1e-12)
    assert study.plan.bound == pytest.approx(4097.986798219191, rel=1e-12)
    assert study.plan.status == "optimal" and not study.violations
