"""What is known already: firms of the chain with their published revenue and growth, and the projects of a plan."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.policy.entries import AMOUNTS, ENDS, Entries, Known, folded
from geo_cluster.study import Study
from geo_cluster.world.layers import Layers

PROVINCE = "42"
"""Codes of Hubei's prefectures begin so."""

_BRACKETS = re.compile(r"[（(][^（()）]*[）)]")
_WHOLE_YEAR = "全年"
_UNVERIFIED = "背景知识|未核实"
"""Of revenue that nobody could check."""


def names(layers: Layers) -> Known:
    """Whom names in rows mean: firms of the chain by id, name and other names; prefectures by code and name."""
    firms: dict[str, str] = {}
    for one in _firms(layers).itertuples():
        for name in (one.id, one.name_zh, one.name_en, *str(one.alias_zh).split(";")):
            if isinstance(name, str) and name and name != "nan":
                firms.setdefault(folded(name), one.id)
    places: dict[str, str] = {}
    for one in layers.read("prefectures").itertuples():
        short = one.name_zh.removesuffix("市")
        places |= dict.fromkeys((one.code, one.name_zh, one.name_en, short), one.code)
    known = Known(firms, places, _parents())
    told = _published(layers, known).dropna(subset="value")
    told = told[told["scope"] == "consolidated"]
    revenue = dict(zip(zip(told["subject"], told["year"], strict=True), told["value"], strict=True))
    words = {one.id: Text(zh=one.name_zh, en=one.name_en) for one in _firms(layers).itertuples()}
    words |= {one.code: Text(zh=one.name_zh, en=one.name_en) for one in layers.read("prefectures").itertuples()}
    return replace(known, revenue=revenue, names=words)


def _firms(layers: Layers) -> pd.DataFrame:
    chain = layers.read("chain")
    return pd.DataFrame(chain[chain["kind"] == "firm"].drop(columns="geometry", errors="ignore"))


def firms(layers: Layers) -> Entries:
    """Firms of Hubei whose products are of a laser segment, with their published revenue of whole years.

    Growth is an interval: the lowest, middle and highest of the yearly rates that are published or follow from two
    years' revenue; of a year that isn't over, the rate of the longest part. A firm without any is asked for it.
    """
    chain = _firms(layers)
    of_lasers = chain["segments"].fillna("").astype(str).ne("") & chain["prefecture_code"].fillna("").str.startswith(
        PROVINCE
    )
    chain = chain[of_lasers]
    told = _published(layers, names(layers))
    own = pd.DataFrame(
        {
            "subject": chain["id"],
            "year": pd.to_numeric(chain["revenue_year"], errors="coerce"),
            "scope": "consolidated",
            "value": chain["revenue_100m_yuan"],
            "source": chain["publisher"],
            "is_verified": ~chain["revenue_note"].fillna("").str.contains(_UNVERIFIED),
            "growth": np.nan,
        }
    )
    both = pd.concat([told[told["subject"].isin(chain["id"])], own.dropna(subset=["year", "value"])])
    both = both.sort_values(["subject", "scope", "year"], kind="stable")
    whole = both[both["value"].notna()].drop_duplicates(["subject", "year", "scope"]).reset_index(drop=True)
    rows = pd.DataFrame({key: whole[key] for key in ("subject", "scope", "source", "is_verified")})
    rows["year"] = whole["year"].astype(int)
    rows["place"] = rows["subject"].map(chain.set_index("id")["prefecture_code"])
    rows["parent"] = rows["subject"].map(_parents()).fillna("")
    rows = _blank(rows)
    for end in ENDS:
        rows[f"revenue_{end}"] = whole["value"]
    growth = rates(both)
    last = ~rows.duplicated(["subject", "scope"], keep="last")
    whose = pd.MultiIndex.from_frame(rows.loc[last, ["subject", "scope"]])
    rows.loc[last, [f"growth_{end}" for end in ENDS]] = growth.reindex(whose).to_numpy(float)
    words = {one.id: Text(zh=one.name_zh, en=one.name_en) for one in chain.itertuples()}
    return Entries(rows.assign(platform=False, alike=False), words)


def _parents() -> dict[str, str]:
    return {row["firm"]: row["group"] for row in toml.table("targets")["group"]}


def _published(layers: Layers, known: Known) -> pd.DataFrame:
    """Revenue of firms as published: `subject`, `year`, `scope`, `value` (100 M yuan, nan of a part), `growth`."""
    scopes: dict[str, str] = toml.table("targets")["scopes"]
    rows = layers.read("targets")
    rows = rows[(rows["entity_kind"] == "firm") & rows["metric_zh"].isin(scopes) & (rows["value_kind"] != "forecast")]
    subject = [known.firms.get(folded(_BRACKETS.sub("", name)), "") for name in rows["name_zh"]]
    is_whole = rows["period_zh"] == _WHOLE_YEAR
    table = pd.DataFrame(
        {
            "subject": subject,
            "year": rows["year"].astype(int),
            "scope": rows["metric_zh"].map(scopes),
            "value": rows["value"].where(is_whole),
            "growth": rows["growth_pct"],
            "source": rows["publisher"],
            "is_verified": True,
        }
    )
    return table[table["subject"] != ""]


def rates(published: pd.DataFrame) -> pd.DataFrame:
    """Growth of firms, per cent a year: `low`, `likely`, `high` are the lowest, median and highest yearly rates.

    Parameters
    ----------
    published : DataFrame
        `subject`, `year`, `scope`, `value`, `growth`, as of one year or part of it.

    Returns
    -------
    DataFrame
        By subject and scope; those with no rate are left out.
    """
    found = {}
    for key, own in published.groupby(["subject", "scope"]):
        value = own.dropna(subset="value").drop_duplicates("year").set_index("year")["value"]
        rate = {year: 100 * (value[year] / value[year - 1] - 1) for year in value.index if year - 1 in value.index}
        rate |= own.dropna(subset="growth").drop_duplicates("year", keep="last").set_index("year")["growth"].to_dict()
        if rate:
            found[key] = np.quantile([*rate.values()], [0.0, 0.5, 1.0])
    table = pd.DataFrame.from_dict(found, orient="index", columns=list(ENDS), dtype=float)
    table.index = pd.MultiIndex.from_tuples(table.index, names=["subject", "scope"])
    return table


def projects(study: Study) -> Entries:
    """The placed projects of a plan that state their investment, as if each entered an open challenge.

    Nobody says which of them carry a task of original innovation, make a first set, or whose revenue grows by them:
    for these there is no base, and nothing is counted.
    """
    placed = np.flatnonzero(study.plan.site >= 0)
    of, sites = study.projects.iloc[placed], study.sites
    rows = _blank(pd.DataFrame({"subject": of.index.astype(str), "year": of["year"].to_numpy()}))
    for end in ENDS:
        rows[f"challenge_{end}"] = of[f"investment_100m_yuan_{end}"].to_numpy(float) * 1e4
    rows["place"] = sites["prefecture_code"].to_numpy(object)[study.plan.site[placed]]
    words = {str(one): Text(zh=name, en=name) for one, name in zip(of.index, of["name"], strict=True)}
    return Entries(rows.assign(**_PLAIN), words)


def plant(name: str, project: pd.DataFrame, *, year: int, place: str) -> Entries:
    """One assumed plant: its output as a firm's revenue, its investment as if it entered an open challenge.

    Parameters
    ----------
    name : str
    project : DataFrame
        Of `portfolio.check`, one row.
    year : int
    place : str
        Code of the prefecture; '' where unknown.
    """
    rows = _blank(pd.DataFrame({"subject": [name], "year": [year], "place": [place]}))
    for end in ENDS:
        rows[f"revenue_{end}"] = project["output_100m_yuan"].to_numpy(float)
        rows[f"challenge_{end}"] = project[f"investment_100m_yuan_{end}"].to_numpy(float) * 1e4
    return Entries(rows.assign(**_PLAIN), {name: Text(zh=name, en=name)})


_PLAIN = {"scope": "consolidated", "parent": "", "source": "", "is_verified": True, "platform": False, "alike": False}


def _blank(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with every amount unknown."""
    return rows.assign(**{f"{key}_{end}": np.nan for key in AMOUNTS for end in ENDS})
