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
    "assignment": (30, 30),
    "unplaced": (0, 5),
    "pools": (48, 9),
    "requests": (65, 19),
}
DIGESTS = {
    "ranking": "9a6143d076f7c924c599e7a8d608909f7affe7e609a6d147415bd57535b4657a",
    "contributions": "63929767ba75a134154b9e2b894caeb33281643ed3f8ce087b21638e079d4b29",
    "assignment": "d7f49d98e427eaca3a4f2a1a038786a7dc85b654d089f88e3415bed96d663933",
    "unplaced": "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "pools": "d43398459002c23d37b7b97b4ededd229887c187b1bb9df7114836467cd70eb9",
    "requests": "4bce59ae6fd5e2eb1a333b6cc1fa4798b549ed6f82e039024ee6d30551adb5fe",
}
SITES = {
    "E01": "P01 P03 P04 P05 P06 P08 P09 P12 P14 P15 P16 P17 P19 P20 P21 P23 P24 P25 P27 P28 P29",
    "E08": "P18 P30",
    "H04": "P02 P07 P10 P11 P13 P22 P26",
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
    assert study.plan.objective == pytest.approx(4137.460408223299, rel=1e-15)
    assert study.plan.bound == pytest.approx(np.float64(4137.464545683707), rel=1e-15)
    assert study.plan.status == "optimal" and not study.violations
