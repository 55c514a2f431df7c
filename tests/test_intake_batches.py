"""Many projects at intake: the same numbers as one by one, kept when a run stops, the same bytes of processes."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo_cluster import eligibility
from geo_cluster.errors import InputError
from geo_cluster.export import intake_files
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.intake import appraise, runner, site_choice
from geo_cluster.many import kernels, methods
from geo_cluster.region import Region, facts_of, prepare, settings_of
from geo_cluster.report import tables
from geo_cluster.scoring.aggregate import aggregate, competition_rank
from geo_cluster.scoring.criteria import decide
from geo_cluster.scoring.explain import Certainty, Style, pair_sentence, pair_sentences
from geo_cluster.scoring.robustness import agreement, smaa, smallest_weight_change
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers
from geo_cluster.world.spreadsheet import read_csv

EXACT = 1e-9


def mixed(count: int, seed: int = 0) -> pd.DataFrame:
    """Projects of every segment in turn, each stating some of all that a project may state."""
    rng, keys = np.random.default_rng(seed), list(catalog.segments())
    output = rng.lognormal(1.3, 0.9, count).round(1) + 0.3
    stated = {
        "year": rng.integers(2027, 2034, count),
        "land_mu": [f"{size}-{int(1.3 * size) + 1}" for size in (12 * output).astype(int) + 1],
        "floor_m2": (9000 * output).round(),
        "power_mva": (output * rng.uniform(0.2, 0.6, count) + 0.1).round(2),
        "energy_gwh": (output * rng.uniform(0.05, 0.3, count) + 0.01).round(3),
        "max_minutes": rng.integers(30, 240, count),
        "investment_100m_yuan": (output * rng.uniform(0.3, 1.2, count)).round(2),
        "tax_100m_yuan": (output * 0.04).round(3),
        "jobs": (40 * output).astype(int) + 1,
        "power_year": rng.integers(2027, 2030, count),
    }
    rows = pd.DataFrame({"id": [f"Q{n:05d}" for n in rng.permutation(count)], "output_100m_yuan": output.astype(str)})
    rows["segment"] = [keys[n % len(keys)] for n in range(count)]
    for key, values in stated.items():
        rows[key] = [str(value) if say else "" for value, say in zip(values, rng.random(count) < 0.4, strict=True)]
    rows.loc[0, "land_mu"] = "90000"  # nowhere is so much
    return portfolio.check(rows)


@pytest.fixture
def main_of_its_own(monkeypatch):
    """Processes begin with what `__main__` is; pages that were played before leave theirs there, which is a page."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture(scope="module")
def region() -> Region:
    forbidden = [{"project": "Q00003", "site": "E01"}]
    settings_ = {"name": {"zh": "甲", "en": "a"}, "draws": 160, "forbidden": forbidden}
    return prepare(catalog.scenario_from(settings_), Layers(), projects=["Q00003"])


@pytest.fixture(scope="module")
def projects() -> pd.DataFrame:
    return mixed(45)


@pytest.fixture(scope="module")
def found(region, projects) -> appraise.Appraisal:
    return appraise.batch(region, projects)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=0, atol=EXACT)


def test_many_projects_have_the_numbers_and_words_of_each_by_itself(region, projects, found):
    scores, verdicts = found.scores.set_index(["project", "site"]), found.verdicts.set_index("project")
    alone = 0
    for choice in site_choice.choices(region, projects):
        weighed = site_choice.weigh(choice, region.scenario.weights)
        told = site_choice.verdict(weighed)
        for name, value in told.items():
            mine = choice.project if name == "project" else verdicts.loc[choice.project, name]
            if isinstance(value, float):
                assert mine == pytest.approx(value, abs=EXACT), (choice.project, name)
            else:
                assert (mine == value) or (value is None and pd.isna(mine)), (choice.project, name)
        alone += "second" not in told
        if not choice.sites:
            continue
        ranking = site_choice.ranking(weighed).set_index("site")
        mine = scores.loc[choice.project].loc[ranking.index]
        for name, digits in {"score": 4, "low": 4, "high": 4, "chance_first": 4, "chance_top3": 4, "reach": 2}.items():
            assert (mine[name] - ranking[name]).abs().max() <= 0.5 * 10.0**-digits + EXACT, name
        assert mine["remark"].tolist() == ranking["remark_zh"].tolist()
        assert mine["rank"].tolist() == competition_rank(ranking["score"]).tolist()
    assert 0 < alone < len(projects)


def test_what_is_refused_and_the_subscores_are_those_of_the_ranking(region, projects, found):
    facts = facts_of(region, projects)
    allowed = eligibility.judge(facts)
    decided = decide(*settings_of(region, facts), catalog.criteria(), region.scenario.weights, region.alike)
    ranking = tables.ranking_table(projects, region.sites, allowed, decided, region.observations)
    ranking, mine = (one.set_index(["project", "site"]) for one in (ranking, found.scores))
    both = [name for name in ranking if name not in ("chance_first",)]
    same(mine.loc[ranking.index, both], ranking[both])
    assert (ranking["rule"] == "forbidden").any()


def test_a_project_is_the_same_wherever_it_stands_and_whoever_stands_beside_it(region, projects, found):
    shuffled = projects.sample(frac=1, random_state=1)
    again = appraise.batch(region, shuffled)
    for name, keys in {"scores": ["project", "site"], "verdicts": ["project"], "needs": ["project"]}.items():
        one, other = (getattr(part, name).set_index(keys) for part in (found, again))
        pd.testing.assert_frame_equal(other.loc[one.index], one)
    assert again.verdicts["project"].tolist() == shuffled.index.tolist()
    (single,) = (appraise.batch(region, projects.iloc[[7]]) for _ in range(1))
    assert single.verdicts.iloc[0].astype(str).tolist() == found.verdicts.iloc[7].astype(str).tolist()


def test_the_best_are_the_head_of_all(region, projects, found):
    few = appraise.batch(region, projects, 3).scores
    best = found.scores[found.scores["eligible"]].groupby("project", sort=False).head(3)
    same(few, best.reset_index(drop=True))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.integers(1, 90), st.integers(1, 6), st.integers(1, 60), st.booleans())
def test_chances_are_those_of_smaa(seed, sites, covers, draws, coarse):
    """Few sites and many, few draws, values that tie: ranks, entropies and middles against the plain formulas."""
    rng = np.random.default_rng(seed)
    layers, need = rng.normal(0.4, 0.5, (covers, sites, draws)), rng.normal(0, 0.3, (1, covers, draws))
    base, weight = rng.random((sites, draws)), rng.random((covers, draws))
    if coarse:
        layers, need, base, weight = (one.round() for one in (layers, need, base, weight))
    layers[0, : sites // 3] = -np.inf
    value = np.clip(layers - need[0][:, None, :], 0, 1)
    score = (base + (value * weight[:, None, :]).sum(axis=0)).T
    utilities, ones = score[:, :, None], np.array([1.0])
    here, which = rng.permutation(sites), np.arange(covers)[None]
    ends = np.array([0, sites])
    first, top3, best, choice, ranking = kernels.chances(
        base, layers, layers.max(axis=2), which, need, weight, here, ends
    )
    expected = smaa(utilities, ones)
    acceptability = expected.acceptability if sites > 1 else np.ones((1, 1))
    assert np.allclose(first, acceptability[here, 0], atol=EXACT)
    assert np.allclose(top3, acceptability[here, :3].sum(axis=1), atol=EXACT)
    ahead = score >= score.max(axis=1, keepdims=True) * (1 - kernels.TIE)
    assert np.allclose(best, (ahead / ahead.sum(axis=1, keepdims=True)).mean(axis=0)[here], atol=EXACT)
    assert choice[0] == pytest.approx(expected.choice_entropy, abs=EXACT)
    assert ranking[0] == pytest.approx(expected.rank_entropy, abs=EXACT)
    tables_ = np.stack([base, np.zeros_like(base)])
    known = np.full((2, sites, 2), np.nan)
    points, theme = rng.random(covers), np.zeros(covers, dtype=int)
    middle = kernels.spans(
        tables_[:, here], known, layers, which, need, points, theme, here, np.arange(sites), ends,
        np.array([0.05, 0.95]),
    )  # fmt: skip
    total = base + (value * points[:, None, None]).sum(axis=0)
    assert np.allclose(middle[:, 2], np.quantile(total[here], [0.05, 0.95], axis=1).T, atol=EXACT)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 90), st.booleans())
def test_methods_are_those_of_the_library(seed, sites, coarse):
    rng = np.random.default_rng(seed)
    value, weight = rng.random((1, sites, 5)), rng.dirichlet(np.ones(5))
    value = value.round(1) if coarse else value
    here, ends = np.arange(sites), np.array([0, sites])
    first, agree = methods.compared(value, weight, here, ends)
    lifted = np.maximum(value[0], methods.LEAST)
    ranks = {name: aggregate(lifted, weight, method=name).rank for name in methods.METHODS}
    assert first[0].tolist() == [int(np.argmin(rank)) for rank in ranks.values()]
    tau = agreement(ranks).to_numpy()[np.triu_indices(len(ranks), 1)].mean()
    assert agree[0] == pytest.approx(tau, abs=EXACT, nan_ok=True)


def test_sentences_of_many_are_those_of_each():
    rng = np.random.default_rng(3)
    lead, scores = rng.normal(0, 2, (30, 6)).round(3), rng.uniform(40, 90, (30, 2))
    lead[:5, :4] = 0
    names, sure = [(f"甲{n}", f"乙{n}") for n in range(30)], [Certainty(chance=n / 30) for n in range(30)]
    style, criteria = Style("zh", digits=1, unit=" 分"), list("abcdef")
    many = pair_sentences(names, criteria, lead, scores, certainty=sure, style=style)
    for n, one in enumerate(many):
        both = (float(scores[n, 0]), float(scores[n, 1]))
        assert one == pair_sentence(names[n], criteria, lead[n], both, certainty=sure[n], style=style)


def test_the_weight_that_moves_least_turns_the_pair():
    rng = np.random.default_rng(4)
    for _ in range(30):
        value, weight = rng.random((2, 6)), rng.dirichlet(np.ones(6))
        value = value[np.argsort(-(value @ weight))]
        change = smallest_weight_change(value, weight, rival=1)
        if change.criterion >= 0:
            gap = value @ change.weights
            assert gap[0] == pytest.approx(gap[1], abs=EXACT)
            assert change.weights.sum() == pytest.approx(1)


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(region, projects, tmp_path_factory):
    """What an uninterrupted run in one process writes, in batches of ten."""
    out = tmp_path_factory.mktemp("whole") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appraise, "BATCH", 10)
        intake_files.write(intake_files.Order(region, 4), projects, out, workers=1)
    return contents(out)


@pytest.mark.parametrize("problem", [KeyboardInterrupt, SystemExit, OSError(28, "No space left on device")])
def test_a_run_that_stops_is_gone_on_with(region, projects, whole, tmp_path, monkeypatch, problem):
    monkeypatch.setattr(appraise, "BATCH", 10)
    order, news = intake_files.Order(region, 4), []

    def stop(now):
        if now.done >= 20:
            raise problem

    with pytest.raises(InputError if isinstance(problem, OSError) else problem):
        intake_files.write(order, projects, tmp_path, workers=1, on_done=stop)
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith(intake_files.KEPT)
    (kept / ".000002").mkdir()  # as a run leaves it that is killed
    (kept / ".000002" / "scores.csv").write_text("half")
    intake_files.write(order, projects, tmp_path, workers=1, on_done=news.append)
    assert [one.done for one in news] == [20, 30, 40, 45]
    assert {one.earlier for one in news} == {20}
    assert contents(tmp_path) == whole


def test_other_projects_or_another_order_begin_anew(region, projects, tmp_path, monkeypatch):
    monkeypatch.setattr(appraise, "BATCH", 10)
    begun = []

    def stop(now):
        begun.append(now.earlier)
        if now.done - now.earlier >= 10:
            raise KeyboardInterrupt

    for order, rows in [(4, projects), (4, projects), (5, projects), (4, projects.assign(jobs_likely=1.0))]:
        with pytest.raises(KeyboardInterrupt):
            intake_files.write(intake_files.Order(region, order), rows, tmp_path, workers=1, on_done=stop)
    assert [one for one in begun if one][:1] == [10]
    assert begun[::2] == [0, 10, 0, 0]


def test_a_full_disk_leaves_no_half_a_batch_and_what_was_there(region, projects, tmp_path, monkeypatch):
    monkeypatch.setattr(appraise, "BATCH", 10)
    (tmp_path / "scores.csv").write_text("before")
    from pathlib import Path

    write, left = Path.write_bytes, [9]

    def full(path, content):
        left[0] -= 1
        if left[0] < 0:
            write(path, content[:10])
            raise OSError(28, "No space left on device", str(path))
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match="space"):
            intake_files.write(intake_files.Order(region, 4), projects, tmp_path, workers=1)
    assert (tmp_path / "scores.csv").read_text() == "before"
    (kept,) = tmp_path.glob(f"{intake_files.KEPT}*")
    assert sorted(path.name for path in kept.iterdir()) == ["000000", "000001"]


def test_parquet_holds_what_csv_holds(region, projects, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(appraise, "BATCH", 10)
    order = intake_files.Order(region, 4, "parquet", sample=True)
    intake_files.write(order, projects, tmp_path, workers=1)
    for name in appraise.TABLES:
        text = read_csv(whole[f"{name}.csv"])
        there = pq.read_table(io.BytesIO((tmp_path / f"{name}.parquet").read_bytes())).to_pandas()
        assert set(there.pop("notice")) == {SAMPLE}
        assert list(text) == list(there)
        for column in text:
            if pd.api.types.is_float_dtype(there[column]) or pd.api.types.is_integer_dtype(there[column]):
                numbers = text[column].replace("", np.nan).astype(float)
                assert np.allclose(numbers, there[column].astype(float), rtol=0, atol=EXACT, equal_nan=True), column
            else:
                assert text[column].tolist() == there[column].fillna("").astype(str).tolist(), column
    assert intake_files.first_sentences(tmp_path, order, "zh", 2)[0].endswith("。")


@pytest.mark.slow
@pytest.mark.usefixtures("main_of_its_own")
def test_processes_give_the_same_bytes(region, projects, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(appraise, "BATCH", 10)
    intake_files.write(intake_files.Order(region, 4), projects, tmp_path, workers=2)
    assert contents(tmp_path) == whole


def _dies(_shared: object, piece: int) -> int:
    if piece == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return piece


@pytest.mark.slow
@pytest.mark.usefixtures("main_of_its_own")
def test_a_process_that_is_killed_is_said(tmp_path):
    with pytest.raises(InputError, match="killed"):
        list(runner.in_order(_dies, None, list(range(6)), workers=2))


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed(
    region, projects, whole, tmp_path, monkeypatch, cluster
):
    monkeypatch.setattr(appraise, "BATCH", 10)
    address, client = cluster
    pids, seen = client.run(os.getpid), []

    def kill(now):
        seen.append(now.done)
        if len(seen) == 2:
            os.kill(next(iter(pids.values())), signal.SIGKILL)

    intake_files.write(intake_files.Order(region, 4), projects, tmp_path, scheduler=address, on_done=kill)
    assert contents(tmp_path) == whole


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.booleans())
def test_sites_that_are_left_out_are_among_the_first_in_no_draw(seed, coarse):
    """Several projects of a class at many sites: the bound leaves most out, and nothing changes."""
    rng = np.random.default_rng(seed)
    projects, sites, covers, draws = 3, 150, 2, 40
    layers, need = rng.normal(0.4, 0.2, (covers, sites, draws)), rng.normal(0, 0.1, (projects, covers, draws))
    base = rng.random((sites, 1)) * 3 + rng.random((sites, draws)) * 0.5
    weight = rng.random((covers, draws))
    if coarse:
        layers, need, base, weight = (one.round(1) for one in (layers, need, base, weight))
    most, which = layers.max(axis=2), np.tile(np.arange(covers), (projects, 1))
    cover = np.clip(layers[None] - need[:, :, None, :], 0, 1) * weight[None, :, None, :]
    score = base + cover.sum(axis=1)
    heres = [rng.permutation(sites)[: rng.integers(60, sites)] for _ in range(projects)]
    heres = [one[np.argsort(-score[p, one].mean(axis=1), kind="stable")] for p, one in enumerate(heres)]
    ends = np.cumsum([0, *map(len, heres)])
    found = kernels.chances(base, layers, most, which, need, weight, np.concatenate(heres), ends)
    for p, here in enumerate(heres):
        mine = slice(ends[p], ends[p + 1])
        expected = smaa(score[p, here].T[:, :, None], np.array([1.0]))
        assert np.allclose(found[0][mine], expected.acceptability[:, 0], atol=EXACT)
        assert np.allclose(found[1][mine], expected.acceptability[:, :3].sum(axis=1), atol=EXACT)
        assert found[3][p] == pytest.approx(expected.choice_entropy, abs=EXACT)
        level = np.sort(score[p, here[: kernels.SORTED]], axis=0)[-4][None]
        asked = np.isin(np.arange(sites), here[kernels.SORTED :])[None]
        reach = kernels._within(base, most, which[:1], need[p : p + 1], weight, asked, level)[0]
        assert not ((score[p] >= level).any(axis=1) & asked[0] & ~reach).any()
        assert reach.sum() < asked.sum(), "some are left out"
