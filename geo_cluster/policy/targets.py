"""The policy's targets beside what is known: actual values of the same scope, what is still to come, who could climb.

A number of another scope never stands beside the province's: it is listed apart, with why.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.errors import Fault, refuse_if
from geo_cluster.policy import tiers
from geo_cluster.policy.entries import ENDS, Entries
from geo_cluster.policy.forms import ACTUALS, RANGE
from geo_cluster.study import Study
from geo_cluster.world.layers import Layers
from geo_cluster.world.sheets.columns import Understood

OURS = ("", "湖北", "湖北省", "全省", "hubei", "hubei province")
"""Scopes that are the province's."""


STATES: Mapping[str, Text] = {
    "reached": Text(zh="已达到", en="reached"),
    "short": Text(zh="还差", en="short of it"),
    "open": Text(zh="是否达到要看口径和数据", en="reached or not by what is counted"),
    "unknown": Text(zh="实际值未知", en="actual value unknown"),
}


def declared() -> list[dict[str, Any]]:
    """Every target as it stands in the table."""
    return list(toml.table("targets")["target"])


# ---- actual values that are entered ----------------------------------------------------------------------------------


def read(content: bytes, name: str) -> pd.DataFrame:
    """Read and check a file of actual values; see `checked`."""
    return checked(ACTUALS.understood(content, name))


def checked(found: Understood) -> pd.DataFrame:
    """Check a table of actual values, from `ACTUALS.understood` or `ACTUALS.typed`.

    Returns
    -------
    DataFrame
        `target`, `year`, `low`, `likely`, `high`, `scope`, `is_ours` (of the province), `source`.

    Raises
    ------
    InputError
        With every fault of headings and cells.
    """
    text, faults = ACTUALS.text(found)
    ids = {one["id"]: one["id"] for one in declared()}
    ids |= {one["name"][language].lower(): one["id"] for one in declared() for language in LANGUAGES}
    rows = pd.DataFrame(index=text.index)
    rows["target"] = [ids.get(one.lower(), "") for one in text["target"]]
    rows["year"] = pd.to_numeric(text["year"].str[:4], errors="coerce")
    parts = text["value"].str.extract(RANGE.pattern)
    rows["low"] = pd.to_numeric(parts[0], errors="coerce")
    rows["high"] = pd.to_numeric(parts[1], errors="coerce").fillna(rows["low"])
    rows["likely"] = (rows["low"] + rows["high"]) / 2
    rows["scope"], rows["source"] = text["scope"], text["source"]
    rows["is_ours"] = text["scope"].str.lower().isin(OURS)

    at = partial(ACTUALS.place, found)
    for row, one in rows.iterrows():
        if not one["target"]:
            value = text.loc[row, "target"]
            faults.append(Fault("policy.no_target", at(row, "target"), value=value, known=sorted(ids)))
        if np.isnan(one["year"]):
            faults.append(Fault("policy.no_year", at(row, "year"), value=text.loc[row, "year"]))
        if np.isnan(one["low"]):
            faults.append(Fault("policy.no_amount", at(row, "value"), value=text.loc[row, "value"]))
        elif one["low"] > one["high"]:
            faults.append(Fault("policy.range_backwards", at(row, "value"), value=text.loc[row, "value"]))
        if not one["source"]:
            faults.append(Fault("policy.actual_without_source", at(row, "source")))
    for row in rows.index[rows.duplicated(["target", "year", "scope"])]:
        name, year = text.loc[row, "target"], text.loc[row, "year"]
        faults.append(Fault("policy.actual_twice", at(row, "target"), name=name, year=year))
    refuse_if(faults)
    return rows.astype({"year": int}).reset_index(drop=True)


NO_ACTUALS = pd.DataFrame(columns=["target", "year", "low", "high", "likely", "scope", "source", "is_ours"])


# ---- targets beside them ---------------------------------------------------------------------------------------------


def targets(layers: Layers, firms: Entries, actuals: pd.DataFrame = NO_ACTUALS, *, scope: str) -> pd.DataFrame:
    """Each target of the province beside its actual value of the same year and scope.

    Parameters
    ----------
    layers : Layers
    firms : Entries
        Whose latest known revenue is counted for the tiers.
    actuals : DataFrame
        As `checked` gives them; those of other scopes are left out.
    scope : str
        Whose revenue counts: an option of the reading `revenue`.

    Returns
    -------
    DataFrame
        One row a target and year (of the tiers: and tier): `target`, `name_…`, `scope_…`, `unit_…`, `year`, `aim`,
        `tier` (nan), `low`, `likely`, `high` (actual; nan where unknown), `left_low`, `left_high` (still to come),
        `needed` (% a year from the target, or actual value, before), `state` (a key of `STATES`), `actual_source`,
        `by_laser` (firms of the tier by their laser business), `open_…`, `whom_…`, `publisher`, `source`.
    """
    known = layers.read("targets").set_index("id")
    ours = actuals[actuals["is_ours"].astype(bool)].set_index(["target", "year"])
    rows: list[dict[str, Any]] = []
    for one in declared():
        for id_ in one["rows"]:
            told = known.loc[id_]
            base = {"target": one["id"], "year": int(told["year"]), "tier": np.nan, "actual_source": ""}
            base |= {"publisher": told["publisher"], "source": told["source"], "by_laser": np.nan}
            for language in LANGUAGES:
                base |= {f"{key}_{language}": one[key][language] for key in ("name", "scope", "unit", "open", "whom")}
            if one["kind"] == "firms":
                rows += [base | line for line in _tiers(firms, one["least"], scope)]
            else:
                rows.append(base | {"aim": float(told["value"])} | _actual(ours, one["id"], base["year"]))
    found = pd.DataFrame(rows)
    found["left_low"] = (found["aim"] - found["high"]).clip(lower=0)
    found["left_high"] = (found["aim"] - found["low"]).clip(lower=0)
    found["state"] = np.select(
        [found["low"].isna(), found["low"] >= found["aim"], found["high"] < found["aim"]],
        ["unknown", "reached", "short"],
        "open",
    )
    found["needed"] = _needed(found)
    return found


def _actual(ours: pd.DataFrame, target: str, year: int) -> dict[str, Any]:
    if (target, year) not in ours.index:
        return dict.fromkeys(ENDS, np.nan)
    row = ours.loc[(target, year)]
    row = row.iloc[0] if isinstance(row, pd.DataFrame) else row
    return {end: float(row[end]) for end in ENDS} | {"actual_source": row["source"]}


def _tiers(firms: Entries, least: list[list[float]], scope: str) -> list[dict[str, Any]]:
    """Firms whose latest known revenue is in each tier and below the next.

    At least those that are verified, or that are there by their laser business alone, whichever are fewer: which of it
    counts is not said. At most all.
    """
    latest, by_laser = _latest(firms, scope), _latest(firms, "laser")
    rows, above = [], np.inf
    for tier, count in least:

        def inside(table: pd.DataFrame, end: str, tier: float = tier, above: float = above) -> pd.Series:
            return (table[end] >= tier) & (table[end] < above)

        laser = int(inside(by_laser, "likely").sum())
        sure = int((inside(latest, "low") & inside(latest, "high") & latest["is_verified"].astype(bool)).sum())
        may = int((inside(latest, "low") | inside(latest, "likely") | inside(latest, "high")).sum())
        row: dict[str, Any] = {"tier": tier, "aim": float(count), "low": min(sure, laser), "likely": np.nan}
        rows.append(row | {"high": max(may, laser), "by_laser": laser})
        above = tier
    return rows


def _latest(firms: Entries, scope: str) -> pd.DataFrame:
    """The latest known revenue of each firm: `year`, `low`, `likely`, `high`, `source`, `is_verified`, by subject."""
    rows = firms.rows[(firms.rows["scope"] == scope) & firms.rows["revenue_likely"].notna()]
    rows = rows.sort_values("year", kind="stable").drop_duplicates("subject", keep="last").set_index("subject")
    more = ["source", "is_verified"]
    return rows[["year", *(f"revenue_{end}" for end in ENDS), *more]].set_axis(["year", *ENDS, *more], axis=1)


def _needed(found: pd.DataFrame) -> np.ndarray:
    """Growth a year that leads from the year before to each target: from its actual value, else from its target."""
    needed = np.full(len(found), np.nan)
    of_scale = found["target"] == "scale"
    before: pd.Series | None = None
    for row in found.index[of_scale]:
        if before is not None:
            start = before["likely"] if before["likely"] > 0 else before["aim"]
            needed[row] = 100 * ((found.loc[row, "aim"] / start) ** (1 / (found.loc[row, "year"] - before["year"])) - 1)
        before = found.loc[row]
    return needed


def others(layers: Layers, actuals: pd.DataFrame = NO_ACTUALS) -> pd.DataFrame:
    """Targets and values of other scopes, which never stand beside the province's; those that were entered last.

    Parameters
    ----------
    layers : Layers
    actuals : DataFrame
        As `checked` gives them.

    Returns
    -------
    DataFrame
        `name_zh`, `metric_zh`, `year`, `period_zh`, `value`, `unit_zh`, `value_kind`, `publisher`, `source`,
        `confidence`, `why_zh`, `why_en`.
    """
    known = layers.read("targets").set_index("id")
    columns = ["name_zh", "metric_zh", "year", "period_zh", "value", "unit_zh", "value_kind", "publisher", "source"]
    parts = []
    for one in toml.table("targets")["other"]:
        part = known.loc[one["rows"], [*columns, "confidence"]]
        parts.append(part.assign(**{f"why_{language}": one["why"][language] for language in LANGUAGES}))
    names = {one["id"]: one for one in declared()}
    apart = actuals[~actuals["is_ours"].astype(bool)]
    entered = pd.DataFrame(
        {
            "name_zh": apart["scope"],
            "metric_zh": [names[one]["name"]["zh"] for one in apart["target"]],
            "year": apart["year"],
            "period_zh": "",
            "value": apart["likely"],
            "unit_zh": [names[one]["unit"]["zh"] for one in apart["target"]],
            "value_kind": "actual",
            "publisher": apart["source"],
            "source": "",
            "confidence": "",
            "why_zh": "填报的实际值，口径与省目标不同",
            "why_en": "entered, of another scope than the province's target",
        }
    )
    return pd.concat([*parts, entered] if len(entered) else parts, ignore_index=True)


# ---- what could come -------------------------------------------------------------------------------------------------


def climbers(firms: Entries, *, until: int, scope: str) -> pd.DataFrame:
    """When each firm could pass its next tier of revenue at its growth.

    Parameters
    ----------
    firms : Entries
    until : int
        Last year that is looked at.
    scope : str
        Whose revenue counts: an option of the reading `revenue`.

    Returns
    -------
    DataFrame
        `subject`, `name_…`, `year` and `revenue` (the latest known), `growth_low`, `growth_likely`, `growth_high`
        (% a year; nan where unknown), `tier` (the next), `earliest`, `likely`, `latest` (nan: not until then, or growth
        is not known), `source`, `is_verified`; the nearest first.
    """
    limits = sorted(tier for one in declared() if one["kind"] == "firms" for tier, _ in one["least"])
    latest = _latest(firms, scope)
    if latest.empty:
        return pd.DataFrame(columns=["subject", "year", "revenue", "tier", "earliest", "likely", "latest", "source"])
    rows = firms.rows[firms.rows["scope"] == scope].sort_values("year", kind="stable")
    growth = rows[rows["growth_likely"].notna()].drop_duplicates("subject", keep="last").set_index("subject")
    rate = growth[[f"growth_{end}" for end in ENDS]].reindex(latest.index).to_numpy(float) / 100
    years = range(int(latest["year"].min()), max(until, int(latest["year"].max())) + 1)
    revenue = np.full((len(latest), len(years), len(ENDS)), np.nan)
    revenue[np.arange(len(latest)), latest["year"].to_numpy(int) - years[0]] = latest[list(ENDS)].to_numpy(float)
    revenue = tiers.projected(revenue, rate)
    now = np.searchsorted(limits, latest["likely"], side="right")
    aim = np.array([*limits, np.nan])[now]
    with np.errstate(invalid="ignore"):
        passed = revenue >= aim[:, None, None]
    first = np.where(passed.any(axis=1), years[0] + np.argmax(passed, axis=1), np.nan)
    found = pd.DataFrame(
        {"subject": latest.index, "year": latest["year"].to_numpy(), "revenue": latest["likely"].to_numpy()}
    )
    for k, end in enumerate(ENDS):
        found[f"growth_{end}"] = 100 * rate[:, k]
    found["tier"] = aim
    found["earliest"], found["likely"], found["latest"] = first[:, 2], first[:, 1], first[:, 0]
    found["source"], found["is_verified"] = latest["source"].to_numpy(), latest["is_verified"].to_numpy()
    for language in LANGUAGES:
        found[f"name_{language}"] = [firms.names[one][language] if one in firms.names else one for one in latest.index]
    order = ["earliest", "revenue"]
    return found.sort_values(order, ascending=[True, False], kind="stable", ignore_index=True)


def added(study: Study) -> pd.DataFrame:
    """What the placed projects of a plan add in output by year: of planned projects, not the industry's total.

    Returns
    -------
    DataFrame
        `year`, `projects`, `low`, `high`: 100 M yuan a year of those that produce by then; high is all of it, low the
        share that begins of what is signed in Hubei (`tables/targets.toml`): a base rate, no forecast.
    """
    placed = study.projects[study.plan.site >= 0]
    by_year = placed.groupby("year")["output_100m_yuan"].agg(["count", "sum"]).sort_index().cumsum()
    share = toml.table("targets")["conversion"]["low"]
    return pd.DataFrame(
        {
            "year": by_year.index.astype(int),
            "projects": by_year["count"].to_numpy(),
            "low": (share * by_year["sum"]).to_numpy(),
            "high": by_year["sum"].to_numpy(),
        }
    )
