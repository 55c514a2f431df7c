"""Facts with low, likely and high: who says so, what is assumed where nobody does, and draws of both.

An observation is one row: `site_id, attribute, low, likely, high, unit, basis, source, as_of`, with class, confidence
and publisher of the source, which is what people see; `site_id` is a site, a substation, a supply area or a
prefecture. Of several rows for the same number the best basis wins (reported > published > derived > assumed), then
the later date. Unknown is never zero and never the mean: it is the prior of its class. What numbers of one class have
in common of their spread (`cause`, `common`) is drawn once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from geo_cluster.domain import BASES, Attribute, KnownBetter
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.world import copula, sources, triangular

COLUMNS = ["site_id", "attribute", "low", "likely", "high", "unit", "basis", "source", "as_of"]
COLUMNS += ["source_class", "confidence", "publisher"]
SHARED = ["cause", "common"]
"""What a number shares part of its spread with, and the correlation of two that do; '' and 0 where nothing."""
KEY = ["site_id", "attribute"]


USER = "user"
"""Class of the source of a number that the scenario states: it goes before any other."""


def known_rows(known: Sequence[KnownBetter], attributes: Mapping[str, Attribute]) -> pd.DataFrame:
    """Rows for the numbers that a scenario states."""
    source = {"source_class": USER, "confidence": "as stated"}
    rows = [
        one.model_dump() | {"unit": attributes[one.attribute].unit.zh, "publisher": one.source} | source
        for one in known
    ]
    return pd.DataFrame(rows, columns=["subject", *COLUMNS[1:]]).set_axis(COLUMNS, axis=1)


def date_of(as_of: str) -> str:
    """The date of a row, '' where it states none (`未载`), which is earlier than any."""
    return as_of if as_of[:1].isdigit() else ""


def best(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep one row for each subject and attribute: the scenario's, the best basis, the latest date, the last row."""
    rows = rows.assign(publisher=sources.publishers(rows))
    order = rows.assign(_basis=rows["basis"].map({basis: rank for rank, basis in enumerate(BASES)}))
    order["_date"] = rows["as_of"].astype(str).map(date_of)
    cause = order["cause"] if "cause" in order else pd.Series("", index=order.index)
    common = order["common"] if "common" in order else pd.Series(0.0, index=order.index)
    order["cause"], order["common"] = cause.fillna("").astype(str), common.astype(float).fillna(0.0)
    order["_own"] = order["source_class"] == USER
    order = order.iloc[::-1].sort_values(["_own", "_basis", "_date"], ascending=[False, True, False], kind="stable")
    return order.drop_duplicates(KEY)[COLUMNS + SHARED].sort_values(KEY, kind="stable").reset_index(drop=True)


def complete(
    rows: pd.DataFrame, subjects: Mapping[str, Mapping[str, str]], attributes: Mapping[str, Attribute]
) -> pd.DataFrame:
    """Best observation of every attribute with priors for every subject that can have it, priors filling the gaps.

    Parameters
    ----------
    rows : DataFrame
        Observations with `COLUMNS`.
    subjects : mapping
        Kind of subject (site, substation, prefecture) -> subject id -> class for the prior.
    attributes : mapping
        Declared attributes.

    Returns
    -------
    DataFrame
        `COLUMNS` and `SHARED`, one row a subject and attribute, sorted.
    """
    rows = best(rows)
    have = rows.set_index(KEY)
    filled = []
    for key, attribute in attributes.items():
        for subject, class_ in subjects[attribute.subject].items() if attribute.priors else ():
            if attribute.applies(class_) and (subject, key) not in have.index:
                filled.append((subject, key, *_prior(key, attribute, subject, class_, have)))
    return pd.concat([rows, pd.DataFrame(filled, columns=COLUMNS + SHARED)], ignore_index=True).sort_values(
        KEY, kind="stable", ignore_index=True
    )


def _prior(key: str, attribute: Attribute, subject: str, class_: str, have: pd.DataFrame) -> tuple:
    """The first prior of the subject's class that applies: a share needs what it is a share of, in its range."""
    for prior in sorted(attribute.priors, key=lambda one: (one.class_ == "*", one.share_of is None)):
        if prior.class_ not in (class_, "*"):
            continue
        if prior.share_of is None:
            low, likely, high = prior.low, prior.likely, prior.high
        elif (subject, prior.share_of) in have.index:
            total = have.loc[(subject, prior.share_of)]
            if prior.up_to is not None and total.likely > prior.up_to:
                continue
            low, likely, high = prior.low * total.low, prior.likely * total.likely, prior.high * total.high
        else:
            continue
        return (
            low,
            likely,
            high,
            attribute.unit.zh,
            "assumed",
            prior.reason.zh,
            prior.as_of,
            "c",
            "low",
            prior.reason.zh,
            cause_of(key, prior.class_),
            prior.common,
        )
    place = Place("attributes.toml", sheet=f"[{key}]")
    raise InputError(Fault("world.no_prior", place, subject=subject, group=class_))


def cause_of(attribute: str, class_: str) -> str:
    """Name of what the numbers of an attribute share that rest on the prior of one class, or are derived one way."""
    return f"{attribute}/{class_}"


def draw(observations: pd.DataFrame, *, draws: int, seed: int) -> np.ndarray:
    """Draw every observation from the triangular distribution over its low, likely and high.

    Each row has a stream of its own, seeded by subject and attribute, and is stratified (one draw from each
    of `draws` equally likely slices): adding a site changes nobody else's draws. Rows of one `cause` hang together as
    their `common` says (see `copula.with_causes`); the cause has a stream of its own, too.

    Parameters
    ----------
    observations : DataFrame
        With `site_id`, `attribute`, `low`, `likely`, `high` and, where numbers have something in common, `SHARED`.
    draws : int
        How many.
    seed : int

    Returns
    -------
    array, shape (draws, rows)
        Constant where low equals high.
    """
    low, likely, high = (observations[column].to_numpy(float) for column in ("low", "likely", "high"))
    names = (observations["site_id"].astype(str) + "/" + observations["attribute"].astype(str)).tolist()
    shares = "cause" in observations
    causes = observations["cause"].to_numpy(str) if shares else np.full(len(names), "")
    common = observations["common"].to_numpy(float) if shares else np.zeros(len(names))
    uniform = copula.with_causes(names, causes, common, draws=draws, seed=seed)
    return triangular.quantiles(uniform.T, low, likely, high)
