"""What might be opened: which of it the plan opens, what it brings, who needs it, and what it is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language, Opening, Text
from geo_cluster.matching.explain import opening_values
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.openings import names
from geo_cluster.report import over_time
from geo_cluster.study import Study, once
from geo_cluster.world import catalog

OPENED = {True: Text(zh="实施", en="opened"), False: Text(zh="不实施", en="not opened")}


@once
def openings_table(study: Study) -> pd.DataFrame:
    """One row an opening of the scenario.

    Returns
    -------
    DataFrame
        `opening`, `opened` (true or false), `points` (its cost), `price_10k_yuan`, `brings_zh`, `brings_en`, `projects`
        (ids of those whose place depends on it, joined by `;`), `source`.
    """
    said, rows = study.scenario.openings, []
    for o, name in enumerate(names(study.scenario)):
        parts = [one for one in said if one.name == name]
        price = sum(one.price_10k_yuan for one in parts)
        points = sum(one.points for one in parts) + price * study.scenario.points_per_10k_yuan
        is_opened = o in study.plan.opened
        needs = over_time.needs_opening(study, o) if is_opened else np.zeros(len(study.projects), dtype=bool)
        brought = [_brings(study, parts, language) for language in LANGUAGES]
        who = ";".join(study.projects.index[needs])
        source = "; ".join(dict.fromkeys(one.source for one in parts))
        rows.append((name, is_opened, points, price, *brought, who, source))
    columns = ["opening", "opened", "points", "price_10k_yuan", *(f"brings_{one}" for one in LANGUAGES)]
    return pd.DataFrame(rows, columns=[*columns, "projects", "source"])


def _brings(study: Study, parts: list[Opening], language: Language) -> str:
    """The sites that open with it, and what pools have more."""
    found, attributes = [], catalog.attributes()
    sites = study.sites.set_index("id")[f"name_{language}"]
    for one in parts:
        found += [f"{sites[site]}（{site}）" if language == "zh" else f"{sites[site]} ({site})" for site in one.sites]
        if one.attribute:
            times, unit = attributes[one.attribute].display_unit()
            amounts = [f"{each * times:,.6g}" for each in dict.fromkeys((one.low, one.likely, one.high))]
            what, about = attributes[one.attribute].name[language], f"{'–'.join(amounts)} {unit[language]}"
            found.append(f"{one.subject} {what} +{about}")
        if one.from_year:
            found[-1] += f"（{one.from_year} 年起）" if language == "zh" else f" (from {one.from_year})"
    return ("、" if language == "zh" else ", ").join(found)


def worth_table(study: Study, *, clock: TimeBudget) -> pd.DataFrame:
    """Up to which cost each opening pays, by solving again.

    Parameters
    ----------
    study : Study
    clock : TimeBudget

    Returns
    -------
    DataFrame
        `opening`, `opened`, `points` (its cost), `worth` in points (inf where locks or minima need it), `proven`. What
        time didn't reach has no row.
    """
    columns = ["opening", "opened", "points", "worth", "proven"]
    if study.posed is None:
        return pd.DataFrame(columns=columns)
    rows = [
        (one.name, one.is_opened, one.cost, round(one.worth, 4), one.proven)
        for one in opening_values(study.posed, study.plan, time_limit_s=clock)
        if not np.isnan(one.worth)
    ]
    return pd.DataFrame(rows, columns=columns)
