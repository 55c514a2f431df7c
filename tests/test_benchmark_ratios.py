"""The measure of speed: what is half as fast as in the last release is named, and nothing else."""

import datetime
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def ratios(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import ratios

    return ratios


def test_half_as_fast_is_named_and_a_slower_machine_is_not(ratios, tmp_path):
    before = [ratios.Row("plan", "HiGHS", 1.0, 8.0), ratios.Row("tables", "fixed work", 2.0, 1.0)]
    (tmp_path / "release.json").write_text(ratios.as_json(before), encoding="utf-8")
    release = ratios.read(tmp_path / "release.json")
    assert release == {"plan | HiGHS": 8.0, "tables | fixed work": 0.5}
    twice_as_slow_a_machine = [row._replace(ours_s=2 * row.ours_s, theirs_s=2 * row.theirs_s) for row in before]
    assert ratios.too_slow(twice_as_slow_a_machine, release) == []
    assert ratios.too_slow([before[0]._replace(ours_s=1.9)], release) == []
    (told,) = ratios.too_slow([before[0]._replace(ours_s=2.1), before[1]], release)
    assert told.startswith("plan (HiGHS)")
    assert ratios.too_slow([ratios.Row("new", "HiGHS", 9.0, 1.0)], release) == []
    slower = ratios.table([before[0]._replace(ours_s=2.0)], release).splitlines()[1]
    assert slower.split()[-3:] == ["4.00", "8.00", "0.50"]
    assert ratios.table([before[0]], {}).splitlines()[1].split()[-1] == "new"


def test_what_is_kept_says_which_day_commit_and_machine(ratios):
    kept = json.loads(ratios.as_json([ratios.Row("plan", "HiGHS", 1.0, 8.0)]))
    assert kept["day"] == datetime.date.today().isoformat()
    assert kept["commit"]
    assert kept["machine"]["processor"]
    assert kept["rows"]["plan | HiGHS"]["ratio"] == 8.0


def test_the_last_release_is_kept_with_its_machine(ratios):
    kept = json.loads(ratios.RELEASE.read_text(encoding="utf-8"))
    assert kept["machine"]["cores"] >= 1
    assert kept["commit"]
    assert all(
        row["ratio"] == pytest.approx(row["theirs_s"] / row["ours_s"], rel=0.01) for row in kept["rows"].values()
    )
