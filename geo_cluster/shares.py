"""City shares: what each prefecture must and may get, as rules; and the least to lower where they can't all be met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from geo_cluster.domain import Share, Text
from geo_cluster.eligibility import Facts
from geo_cluster.errors import Fault, Place
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import Resource, Titles
from geo_cluster.matching.rules import group_limits
from geo_cluster.region import Region
from geo_cluster.world import catalog, splitting

TOTAL = "projects"
"""Name of the rule on all projects; that on a segment is called `projects:<segment>`."""

PROJECTS = Text(zh="个项目", en="projects")
"""What a prefecture's share of the projects is counted in."""

_MINIMA = {f"matching.{code}" for code in ("minimum_out_of_reach", "minima_out_of_reach", "minimum_impossible")}
_LOWERING_S = 10.0
_CHANGE = {
    True: Text(zh="改动最小的办法", en="the smallest change that works"),
    False: Text(zh="可行的办法", en="a change that works"),
}


def rule_name(segment: str) -> str:
    """Name of the rule on the projects of a segment, or '' for all."""
    return f"{TOTAL}:{segment}" if segment else TOTAL


def rules(region: Region, facts: Facts) -> list[Resource]:
    """What prefectures must and may get: one resource for all projects, `projects`, or one a segment.

    Parameters
    ----------
    region : Region
    facts : Facts
        Projects and sites.
    """
    codes = list(dict.fromkeys(facts.sites["prefecture_code"]))
    group = np.array([codes.index(code) for code in facts.sites["prefecture_code"]])
    by_segment: dict[str, list[Share]] = {}
    for share in region.scenario.shares:
        by_segment.setdefault(share.segment, []).append(share)
    found = []
    for segment, shares in by_segment.items():
        least, most = np.zeros(len(codes)), np.full(len(codes), np.inf)
        for share in shares:
            least[codes.index(share.prefecture)] = share.least
            most[codes.index(share.prefecture)] = np.inf if share.most is None else share.most
        counted = facts.projects["segment"].isin([segment] if segment else catalog.segments()).to_numpy(float)
        counted *= splitting.share_of(facts.projects)
        name, count = rule_name(segment), len(facts.projects)
        rule = group_limits(name, group, projects=count, maximum=most, minimum=least, weight=counted, groups=codes)
        titles = Titles(catalog.share_name(segment), PROJECTS, tuple(region.names[code] for code in codes))
        found.append(replace(rule, unit="projects", titles=titles))
    return found


def told(region: Region, problem: Problem, faults: Sequence[Fault]) -> list[Fault]:
    """Faults of minima that can't be met, as people need them: the least that has to be lowered so that they can.

    Parameters
    ----------
    region : Region
    problem : Problem
        That was refused, with the rules of the scenario's shares.
    faults : sequence of Fault
        Why.

    Returns
    -------
    list of Fault
        The faults themselves where they are of something else, or where lowering shares doesn't help.
    """
    asked = [share for share in region.scenario.shares if share.least]
    if not asked or not {fault.code for fault in faults} <= _MINIMA:
        return list(faults)
    from geo_cluster.matching.engine.minima import reached  # slow to import, and only a refusal needs it

    had, is_smallest = reached(problem, time_limit_s=_LOWERING_S)
    codes = {one.name: list(one.pools) for one in problem.resources if one.name in had}
    lower = []
    for share in asked:
        name = rule_name(share.segment)
        most = round(float(had[name][codes[name].index(share.prefecture)]))
        if most < share.least:
            lower.append((share, most))
    if not lower:
        return list(faults)
    listed = [_words(region, share, share.least, ("至少 ", "at least ")) for share in asked]
    to = [_words(region, share, most, ("降到 ", "to ")) for share, most in lower]
    place = Place("", kind="scenario", key="shares")
    return [
        Fault(
            "world.shares_not_together",
            place,
            asked=listed,
            lower=to,
            projects=problem.shape[0],
            change=_CHANGE[is_smallest],
        )
    ]


def _words(region: Region, share: Share, count: int, how: tuple[str, str]) -> Text:
    """A prefecture with a number of projects, of a segment where the share is of one."""
    city, words = region.names[share.prefecture], catalog.segments()[share.segment].name if share.segment else None
    kind, of = (f" ({words.en})", words.zh) if words else ("", "")
    return Text(zh=f"{city.zh}{of}{how[0]}{count} 个", en=f"{city.en}{kind} {how[1]}{count}")
