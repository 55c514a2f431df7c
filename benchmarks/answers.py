"""What the model answers, beside what makes the difference: run it on two checkouts to see what a change did.

uv run python benchmarks/answers.py                                # this checkout, its sample
uv run python benchmarks/answers.py mine.csv                       # other projects
PYTHONPATH=/another/checkout uv run python benchmarks/answers.py   # the same questions to another one

Each line is one study: projects placed in each prefecture, unplaced, objective, gap, status, first places by
prefecture. `equal land`: 20 ha (300 mu) at every site. 60 and 200 projects are the sample repeated under other ids.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import numpy as np
import pandas as pd

from geo_cluster import study
from geo_cluster.domain import KnownBetter
from geo_cluster.study import Study
from geo_cluster.world import catalog, portfolio

NAMES = {"420200": "Huangshi", "420700": "Ezhou", "420300": "Shiyan"}


def repeated(projects: pd.DataFrame, count: int) -> pd.DataFrame:
    """The first `count` of the projects, again and again."""
    at = np.arange(count) % len(projects)
    return projects.iloc[at].set_axis(pd.Index([f"R{number:03d}" for number in range(count)], name="id"))


def spread(result: Study) -> pd.Series:
    """Share of each criterion in the variance of the score over the sites open to a project, mean over projects."""
    points, allowed, shares = result.decision.contributions, result.eligibility.allowed, []
    for project in np.flatnonzero(allowed.sum(axis=1) > 1):
        apart = points[project, allowed[project]]
        apart = apart - apart.mean(axis=0)
        score = apart.sum(axis=1)
        shares.append(apart.T @ score / (score @ score))
    return pd.Series(np.mean(shares, axis=0), index=result.decision.criteria).sort_values(ascending=False)


def told(name: str, result: Study, seconds: float) -> str:
    """One study in a line."""
    code = result.sites["prefecture_code"].to_numpy()
    placed = Counter(NAMES.get(code[site], code[site]) for site in result.plan.site if site >= 0)
    allowed = result.eligibility.allowed
    first = np.where(allowed, result.decision.score, -np.inf).argmax(axis=1)[allowed.any(axis=1)]
    firsts = Counter(NAMES.get(code[site], code[site]) for site in first)
    out, plan = int((result.plan.site < 0).sum()), result.plan
    where, leads = (", ".join(f"{one} {many}" for one, many in found.most_common()) for found in (placed, firsts))
    proof = f"{plan.objective:.2f}, gap {plan.gap:.2%}, {plan.status}, {seconds:.1f} s CPU"
    return f"{name:<16} {where}; out {out} | first: {leads} | {proof}"


def main() -> None:
    """Print what makes the difference, then a line a study."""
    base, projects = catalog.scenario(), portfolio.read(*sys.argv[1:] or ["sample"])
    sites = study.run(base.model_copy(update={"draws": 10, "time_limit_s": 1.0})).sites
    codes = sites["prefecture_code"].to_numpy()
    about = {"attribute": "available_land_ha", "low": 20.0, "likely": 20.0, "high": 20.0, "source": "equal land"}
    equal = tuple(KnownBetter(subject=one, **about) for one in sites["id"])
    shiyan = tuple(sites["id"][codes == "420300"])
    cases = {
        "likely": ({}, projects),
        "cautious": ({"planning_level": "cautious"}, projects),
        "hopeful": ({"planning_level": "hopeful"}, projects),
        "equal land": ({"known": equal}, projects),
        "60 projects": ({}, repeated(projects, 60)),
        "200 projects": ({}, repeated(projects, 200)),
        "Shiyan only": ({"sites": shiyan}, projects),
    }
    for name, (change, chosen) in cases.items():
        began = time.process_time()
        result = study.run(base.model_copy(update=change), projects=chosen)
        if name == "likely":
            print(spread(result).round(3).to_string())
        print(told(name, result, time.process_time() - began))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
