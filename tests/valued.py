"""A plan's value by hand: the rules of a problem spelt out, for enumeration."""

import numpy as np


def keeps(parts, site):
    """What binds parts, read off its definition."""
    at = [site[p] for p in parts.projects]
    placed = [s >= 0 for s in at]
    if parts.order == "together" and any(placed) and not all(placed):
        return False
    if parts.order == "in_order" and placed != sorted(placed, reverse=True):
        return False
    return parts.most_sites is None or len({s for s in at if s >= 0}) <= parts.most_sites


def value_of(problem, site, opened):
    """Value of a plan by hand, or None where it breaks a rule."""
    worth = -sum(problem.openings[o].cost for o in opened)
    if any(lock not in (-1, s) for lock, s in zip(problem.locked, site, strict=True)):
        return None
    for p, s in enumerate(site):
        if s < 0:
            continue
        if np.isnan(problem.score[p, s]):
            return None
        worth += problem.score[p, s] + problem.bonus[p]
        if any(s in one.sites and o not in opened for o, one in enumerate(problem.openings)):
            return None
    for resource in problem.resources:
        room = dict(enumerate(resource.capacity.tolist()))
        for o in opened:
            for k, amount in problem.openings[o].adds.get(resource.name, {}).items():
                room[k] += amount
        used = dict.fromkeys(room, 0.0)
        for p, s in enumerate(site):
            if s >= 0 and resource.pool[s] >= 0:
                used[resource.pool[s]] += resource.demand[p]
        least = resource.minimum if resource.minimum is not None else np.zeros(len(room))
        if any(used[k] > room[k] + 1e-9 or used[k] < least[k] - 1e-9 for k in room):
            return None
    if any(len({*site} & {*one.sites}) + len({*opened} & {*one.openings}) > one.most for one in problem.at_most):
        return None
    if not all(keeps(one, site) for one in problem.parts):
        return None
    return worth + sum(link.gain * (site[link.first] == site[link.second] >= 0) for link in problem.links)
