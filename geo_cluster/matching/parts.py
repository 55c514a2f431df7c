"""Projects of a problem that are parts of one: its phases, or the equal shares into which it may be split.

Each part is a row of the problem with its own amounts, score and bonus: a project that may go half here and half there
is two rows of half of each. `Parts` says what binds them: all or none, or each only after the one before; and on how
many sites they may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.matching.arguments import integers, several, shown
from geo_cluster.matching.resource import UNPLACED, Ints

Posed = Any
"""A `Problem`, which stands above this file."""

Order = Literal["together", "in_order"]


@dataclass(frozen=True, eq=False)
class Parts:
    """Projects that are parts of one.

    Parameters
    ----------
    projects : sequence of int
        The parts, two or more; no project is part of two.
    order : {"together", "in_order"}
        All of them are placed or none; or each only if the one before it is.
    most_sites : int, optional
        On how many different sites they may be: 1 keeps them together. Any number when left out.
    """

    projects: tuple[int, ...]
    order: Order = "together"
    most_sites: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "projects", several(self.projects))


def split(problem: Posed, project: int, *, into: int = 2, most_sites: int = 2) -> Posed:
    """The problem with a project in equal shares, all placed or none; the last `into` - 1 rows are the further shares.

    Parameters
    ----------
    problem : Problem
    project : int
        Who may be split. Its score, bonus and demand are shared out; what its locks and prohibitions say holds for each
        share. Links and parts of which it is one are refused.
    into : int
        Number of shares, two or more: the least share of a site is 1 / `into`.
    most_sites : int
        On how many sites the shares may be.

    Raises
    ------
    InputError
        When there is no such project, fewer than two shares, or it has links or parts.
    """
    rows, place = problem.shape[0], Place("split")
    if integers(project).dtype.kind not in "iu" or not 0 <= project < rows:
        refuse_if([Fault("matching.no_such_project", place, value=shown(project), projects=rows)])
    bound = any(project in (one.first, one.second) for one in problem.links)
    bound |= any(project in one.projects for one in problem.parts)
    if bound or not _is_count(into, least=2):
        refuse_if([Fault("matching.cannot_split", place, project=problem.project_name(project), into=shown(into))])
    more, share = into - 1, np.ones(rows)
    share[project] = 1.0 / into

    def shared(each: ArrayLike) -> np.ndarray:
        whole = np.asarray(each, dtype=float)
        whole = whole * (share if whole.ndim == 1 else share[:, None])
        return np.concatenate([whole, np.repeat(whole[[project]], more, axis=0)])

    def again(each: np.ndarray | None) -> np.ndarray | None:
        return None if each is None else np.concatenate([each, np.repeat(each[[project]], more, axis=0)])

    names = [f"{problem.project_name(project)} ({number}/{into})" for number in range(1, into + 1)]
    known = [problem.project_name(p) for p in range(rows)]
    known[project] = names[0]
    return problem.but(
        score=shared(problem.score),
        bonus=shared(problem.bonus),
        resources=tuple(replace(one, demand=shared(one.demand)) for one in problem.resources),
        locked=again(problem.locked),
        forbidden=again(problem.forbidden),
        projects=(*known, *names[1:]),
        parts=(*problem.parts, Parts((project, *range(rows, rows + more)), most_sites=most_sites)),
    )


def broken(parts: Parts, site: Ints) -> Iterator[tuple[str, int]]:
    """What of some parts a plan breaks: `together`, `in_order` or `most_sites`, and the project that shows it.

    Parameters
    ----------
    parts : Parts
    site : (P,) int array
        Site of each project, -1 where unplaced.
    """
    at = [int(site[p]) for p in parts.projects]
    if parts.order == "together" and UNPLACED in at and max(at) != UNPLACED:
        yield "together", int(parts.projects[at.index(UNPLACED)])
    if parts.order == "in_order":
        late = [p for p, before, here in zip(parts.projects[1:], at, at[1:], strict=False) if before < 0 <= here]
        yield from (("in_order", int(p)) for p in late)
    used = list(dict.fromkeys(s for s in at if s != UNPLACED))
    if parts.most_sites is not None and len(used) > parts.most_sites:
        yield "most_sites", int(parts.projects[at.index(used[-1])])


def _is_count(value: Any, *, least: int) -> bool:
    return bool(isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least)


# ---- refusals --------------------------------------------------------------------------------------------------


def parts_faults(problem: Posed) -> list[Fault]:
    """Everything wrong with parts, once locks and scores are sound."""
    faults, owner, projects = list[Fault](), dict[int, int](), problem.shape[0]
    for number, one in enumerate(problem.parts, start=1):
        place = Place(str(number), kind="parts")
        if not isinstance(one, Parts):
            faults.append(Fault("matching.not_parts", place, value=shown(one)))
            continue
        wrong = [p for p in one.projects if not _is_count(p, least=0) or p >= projects]
        faults += [Fault("matching.no_such_project", place, value=shown(p), projects=projects) for p in wrong]
        if one.order not in get_args(Order):
            faults.append(Fault("matching.parts_order", place, value=shown(one.order), orders=list(get_args(Order))))
        if len(one.projects) < 2:
            faults.append(Fault("matching.parts_of_one", place))
        if one.most_sites is not None and not _is_count(one.most_sites, least=1):
            faults.append(Fault("matching.parts_sites", place, value=shown(one.most_sites)))
            continue
        for p in () if wrong else one.projects:
            if p in owner:
                faults.append(Fault("matching.parts_twice", place, project=problem.project_name(p)))
            owner[p] = number
        faults += [] if wrong else _locked_apart(problem, one, place)
    return faults


def _locked_apart(problem: Posed, parts: Parts, place: Place) -> list[Fault]:
    """Locks that parts can't keep: on too many sites, or of one whose fellow can't go anywhere."""
    at = {p: int(problem.locked[p]) for p in parts.projects if problem.locked[p] != UNPLACED}
    if not at:
        return []
    sites = list(dict.fromkeys(at.values()))
    if parts.most_sites is not None and len(sites) > parts.most_sites:
        names = [problem.site_name(s) for s in sites]
        return [Fault("matching.parts_locked_apart", place, most=int(parts.most_sites), names=names)]
    last = max(parts.projects.index(p) for p in at)
    needed = parts.projects if parts.order == "together" else parts.projects[:last]
    locked = problem.project_name(next(iter(at)))
    return [
        Fault("matching.parts_locked_alone", place, project=problem.project_name(p), locked=locked)
        for p in needed
        if not problem.eligible[p].any()
    ]


def is_kept(problem: Posed, site: Ints) -> bool:
    """Whether a plan breaks no parts."""
    return not any(found for one in problem.parts for found in broken(one, site))
