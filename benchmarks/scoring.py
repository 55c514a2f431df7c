"""TOPSIS and rank acceptability over draws of weights, against the peers, in the same run.

Run: ``uv run --group bench python benchmarks/scoring.py``
"""

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import skcriteria
from pymcdm.methods import TOPSIS
from pymcdm.normalizations import vector_normalization
from skcriteria.agg.similarity import TOPSIS as SkTopsis  # noqa: N811
from skcriteria.pipeline import mkpipe
from skcriteria.preprocessing.invert_objectives import NegateMinimize
from skcriteria.preprocessing.scalers import VectorScaler

from geo_cluster.scoring.aggregate import aggregate
from geo_cluster.scoring.robustness import rank_acceptability, smaa
from geo_cluster.scoring.weights import sample_uniform

DRAWS, SITES, CRITERIA = 10_000, 200, 12
PYMCDM_DRAWS, SKCRITERIA_DRAWS = 1_000, 100  # of the same draws; scaled linearly: each draw is one call, all alike


def timed(what: Callable[[], object], *, repeats: int = 7) -> float:
    """Median seconds; one call first, to warm up."""
    what()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        what()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def topsis(values: np.ndarray, weights: np.ndarray, objectives: list[str]) -> None:
    types = np.where(np.array(objectives) == "max", 1, -1)
    ours = aggregate(values, weights, objectives, method="topsis").score
    seconds = timed(lambda: aggregate(values, weights, objectives, method="topsis"))
    print(f"geo_cluster      {seconds * 1e3:10.1f} ms   {DRAWS} draws in one call")

    method = TOPSIS(vector_normalization)
    subset = weights[:PYMCDM_DRAWS]
    theirs = np.array([method(values, w, types) for w in subset])
    peer = timed(lambda: [method(values, w, types) for w in subset], repeats=3) * DRAWS / PYMCDM_DRAWS
    difference = np.abs(theirs - ours[:PYMCDM_DRAWS]).max()
    print(f"pymcdm           {peer * 1e3:10.1f} ms   {peer / seconds:8.0f} times   largest difference {difference:.1e}")

    pipe = mkpipe(NegateMinimize(), VectorScaler(target="matrix"), SkTopsis())
    senses = [max if objective == "max" else min for objective in objectives]

    def one(w: np.ndarray) -> np.ndarray:
        return pipe.evaluate(skcriteria.mkdm(values, senses, weights=w)).e_.similarity

    subset = weights[:SKCRITERIA_DRAWS]
    theirs = np.array([one(w) for w in subset])
    peer = timed(lambda: [one(w) for w in subset], repeats=3) * DRAWS / SKCRITERIA_DRAWS
    difference = np.abs(theirs - ours[:SKCRITERIA_DRAWS]).max()
    print(f"scikit-criteria  {peer * 1e3:10.1f} ms   {peer / seconds:8.0f} times   largest difference {difference:.1e}")


def acceptability(values: np.ndarray, weights: np.ndarray) -> None:
    seconds = timed(lambda: rank_acceptability(aggregate(values, weights, method="weighted_sum").score), repeats=31)
    print(f"geo_cluster, all ranks counted       {seconds * 1e3:6.1f} ms")
    for name, order in (("np.sort", np.sort), ("np.argsort", np.argsort)):
        bare = timed(lambda order=order: order(weights @ values.T, axis=1), repeats=31)  # type: ignore[misc]
        print(f"bare product and one {name:11s}     {bare * 1e3:6.1f} ms   {bare / seconds:5.2f} times")
    seconds = timed(lambda: smaa(values, weights), repeats=5)
    print(f"smaa, with central weights, confidence, pairwise  {seconds * 1e3:6.1f} ms")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    rng = np.random.default_rng(0)
    matrix = rng.uniform(1, 10, (SITES, CRITERIA))
    drawn = sample_uniform(CRITERIA, DRAWS, seed=1)
    print(f"TOPSIS, {DRAWS} draws of weights x {SITES} sites x {CRITERIA} criteria")
    topsis(matrix, drawn, ["min" if at % 3 == 0 else "max" for at in range(CRITERIA)])
    print(f"\nWeighted sum and rank acceptability, {DRAWS} x {SITES} x {CRITERIA}")
    acceptability(rng.random((SITES, CRITERIA)), drawn)
