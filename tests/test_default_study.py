"""The default study as it was in 0.1.0, to the last digit: putting the house in order changes no number.

Who changes a number on purpose (a fact, a prior, a rule) changes these, and says so in the CHANGELOG.
"""

import hashlib

import numpy as np
import pytest

from geo_cluster.report import tables
from tests.studies import run

SHAPES = {
    "ranking": (870, 33),
    "contributions": (10440, 11),
    "assignment": (30, 15),
    "unplaced": (0, 5),
    "pools": (40, 9),
    "requests": (53, 19),
}
DIGESTS = {
    "ranking": "26c57faea384fd55db82a61b4368fd8fe1a531669650f76d74abb329c4af1a4f",
    "contributions": "aa6d6cf9601a29e856898e6473378dd7c27eea3d3122902e430f84bdaaa4457b",
    "assignment": "7da8554283b7fd1f7c461db8d130720be9b49d810409c01fd83869cd3a76526e",
    "unplaced": "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "pools": "1e50156a2a517ff78c00cfa74a22bb35dd72b9b7414f495cedeb050158bccc21",
    "requests": "7ea6a70e585907e8ae71a9e3ae785a334e9e06cda25603a4f1d69e6ecf0a59f2",
}
SITES = {
    "E01": "P05 P06 P08 P09 P10 P14 P15 P19 P20 P27 P28",
    "E05": "P12 P23",
    "E08": "P04 P17 P18",
    "H01": "P01 P02 P24 P25 P30",
    "H04": "P03 P07 P11 P16 P21 P22 P26 P29",
    "H07": "P13",
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
    assert study.plan.objective == pytest.approx(4025.424226168754, rel=1e-15)
    assert study.plan.bound == pytest.approx(4025.424254141902, rel=1e-15)
    assert study.plan.status == "optimal" and not study.violations
