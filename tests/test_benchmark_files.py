"""Files of the literature as `benchmarks/matching_files.py` reads them: each form written by hand."""

from pathlib import Path

import pytest

from geo_cluster.matching import solve

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
ROOT = Path(__file__).resolve().parents[1]
FILES = {
    # two problems, of two agents and three jobs: costs, what a job takes, capacities
    "gapa.txt": "2\n 2 3\n 1 5 9\n 4 2 3\n 2 2 2\n 2 2 2\n 4 4\n 2 3\n 1 5 9\n 4 2 3\n 2 2 2\n 2 2 2\n 2 4\n",
    "gap1.txt": "1\n 2 3\n 1 5 9\n 4 2 3\n 2 2 2\n 2 2 2\n 2 2\n",
    # two sites of capacity 10 and 6, three customers: demand, then costs
    "cap41.txt": "2 3\n10 7.5\n6 1.0\n4\n1.0 3.0\n3\n2.0 2.5\n5\n8.0 1.0\n",
    "p1": "2 3\n10 7.5\n6 1.0\n4 3 5\n1.0 2.0 8.0\n3.0 2.5 1.0\n",
    # a path of four vertices, its first edge named twice: the last counts
    "pmed1.txt": "4 4 2\n1 2 9\n1 2 3\n2 3 1\n3 4 5\n",
    "readme.md": "nothing to read",
    "gapopt.txt": "nor here",
}
LEAST = {"gapa 1": 6.0, "gapa 2": 6.0, "cap41": 12.5, "p1": 12.5, "pmed1": 4.0}


def test_each_form_is_read_and_solved(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from matching_files import read

    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    plans = {name: solve(problem) for name, problem in read(tmp_path)}
    assert list(plans) == ["p1", "gap1 1", "gapa 1", "gapa 2", "cap41", "pmed1"]
    assert {plan.status for plan in plans.values()} == {"optimal"}
    assert plans.pop("gap1 1").score == 9 + 4  # profits: one job an agent
    assert {name: -plan.score for name, plan in plans.items()} == LEAST
    assert plans["cap41"].opened == (0, 1)
