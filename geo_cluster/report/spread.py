"""What makes the difference between sites, by criterion, beside the weights stated and in force."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.scoring.spread import NAMED_ABOVE, spread_shares
from geo_cluster.study import Study, once
from geo_cluster.world import catalog


@once
def spread(study: Study) -> pd.DataFrame:
    """One row a criterion: see `spread_table`; the mean over projects, each over the sites that it may go to."""
    decision, shares = study.decision, []
    for rows in decision.parts():
        points = 100 * decision.value_of(rows) * decision.weight
        both = zip(points, study.eligibility.allowed[rows], strict=True)
        shares += [spread_shares(mine[here]) for mine, here in both if here.sum() > 1]
    share = np.mean(shares, axis=0) if shares else np.zeros(len(decision.criteria))
    return spread_table(share, study.decision.stated, study.decision.weight, study.region.criterion_notes)


def spread_table(share: np.ndarray, stated: np.ndarray, weight: np.ndarray, notes: Mapping[str, Text]) -> pd.DataFrame:
    """One row a criterion, what makes most of the difference first.

    Parameters
    ----------
    share : (C,) array
        `spread_shares`, of one project or the mean of several.
    stated, weight : (C,) array
        Weights as stated and in force.
    notes : mapping of Text
        What to know beside a criterion.

    Returns
    -------
    DataFrame
        `criterion`, `name_zh`, `name_en`, `theme`, `weight_stated`, `weight`, `share`, `note_zh`, `note_en`.
    """
    criteria = catalog.criteria()
    table = pd.DataFrame({"criterion": list(criteria)})
    for language in LANGUAGES:
        table[f"name_{language}"] = [one.name[language] for one in criteria.values()]
    table["theme"] = [one.theme for one in criteria.values()]
    table["weight_stated"], table["weight"], table["share"] = stated.round(6), weight.round(6), share.round(6)
    for language in LANGUAGES:
        table[f"note_{language}"] = [notes[key][language] if key in notes else "" for key in criteria]
    return table.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def leading_cause(table: pd.DataFrame) -> Text:
    """A sentence on what makes the difference: any single criterion or theme above `NAMED_ABOVE` is named.

    Parameters
    ----------
    table : DataFrame
        As `spread_table` makes it.
    """
    if not table["share"].any():
        return Text(
            zh="各园区得分相同，没有指标造成差别。", en="All sites score alike: no criterion makes a difference."
        )
    first, limit = table.iloc[0], f"{NAMED_ABOVE:.0%}"
    by_theme = table.groupby("theme", sort=False)["share"].sum().sort_values(ascending=False)
    theme, part = catalog.themes()[str(by_theme.index[0])], float(by_theme.iloc[0])
    share, name = f"{first['share']:.0%}", Text(zh=first["name_zh"], en=first["name_en"])
    if first["share"] > NAMED_ABOVE:
        zh = f"园区之间的得分差别有 {share} 来自“{name.zh}”一项，超过 {limit}：结论主要由它决定。"
        en = f"{share} of the difference between sites comes from “{name.en}” alone, more than {limit}: it decides."
    else:
        zh = f"园区之间的得分差别没有任何一项超过 {limit}；最大的是“{name.zh}”，{share}。"
        en = f"No criterion makes more than {limit} of the difference between sites; “{name.en}” makes most, {share}."
    if part > NAMED_ABOVE:
        zh += f"按主题合计，“{theme.zh}”占 {part:.0%}。"
        en += f" By theme, “{theme.en}” makes {part:.0%}."
    return Text(zh=zh, en=en)
