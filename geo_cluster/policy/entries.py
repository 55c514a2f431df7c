"""What was entered of firms, products, projects and platforms: read, checked, and put beside what is shipped.

One row a subject and year; the columns are declared in `tables/support.toml`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.policy.forms import MONEY, RANGE
from geo_cluster.world.sheets.columns import Understood

AMOUNTS = ("revenue", "growth", "passed", "claimed", "price", "rd", "task", "task_rd", "challenge")
"""Columns that hold a number or a range: `<column>_low`, `_likely`, `_high` in checked rows, nan where empty."""
ENDS = ("low", "likely", "high")
FLAGS = ("platform", "alike")
WORDS = ("scope", "place", "parent", "source")

SCOPES: Mapping[str, tuple[str, ...]] = {
    "consolidated": ("", "consolidated", "合并", "合并报表", "合并口径", "企业"),
    "entity": ("entity", "单体", "法人单体", "单体报表", "母公司报表"),
    "laser": ("laser", "激光", "激光业务", "激光业务收入"),
    "group": ("group", "集团", "集团合并", "集团口径"),
}
YES = ("是", "yes", "y", "true", "1", "省级", "国家级")
NO = ("", "否", "no", "n", "false", "0")

SAME = 0.02
"""A revenue this close to the group's own of that year is taken for the group's."""


@dataclass(frozen=True, eq=False)
class Entries:
    """Checked rows.

    Attributes
    ----------
    rows : DataFrame
        One row a subject and year, numbered as in its file: `subject`, `year`, `scope`, `place` (code of a prefecture),
        `parent`, `source`, `is_verified` (of what is shipped), `platform`, `alike`, and `<amount>_low`, `_likely`,
        `_high` of each of `AMOUNTS`.
    names : mapping
        Subject -> what it is called.
    notes : list of Text
        How a file was read.
    """

    rows: pd.DataFrame
    names: Mapping[str, Text] = field(default_factory=dict)
    notes: list[Text] = field(default_factory=list)

    @cached_property
    def key(self) -> str:
        """Names the rows: the same key, the same rows."""
        return hashlib.sha256(self.rows.to_csv().encode()).hexdigest()[:16]

    def with_(self, others: Entries) -> Entries:
        """These rows and others; of a subject, year and scope the other's stand."""
        key = ["subject", "year", "scope"]
        both = pd.concat([self.rows, others.rows])
        kept = both[~both.duplicated(key, keep="last")] if len(self.rows) else both
        return Entries(kept.reset_index(drop=True), {**self.names, **others.names}, [*self.notes, *others.notes])

    def of(self, subjects: set[str]) -> Entries:
        """The rows of some subjects and of their groups."""
        return Entries(self.rows[self.rows["subject"].isin(subjects)], self.names, self.notes)


@dataclass(frozen=True)
class Known:
    """Whom names mean.

    Attributes
    ----------
    firms : mapping
        Name, other name or id, each folded -> id.
    places : mapping
        Name or code of a prefecture -> code.
    parents : mapping
        Firm -> its group.
    revenue : mapping
        Firm and year -> its published revenue, 100 M yuan.
    names : mapping of Text
        What each firm and prefecture is called.
    """

    firms: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    revenue: Mapping[tuple[str, int], float] = field(default_factory=dict)
    names: Mapping[str, Text] = field(default_factory=dict)

    def name(self, subject: str) -> Text:
        """What a subject is called."""
        return self.names.get(subject) or Text(zh=subject or "–", en=subject or "–")


def read(content: bytes, name: str, known: Known) -> Entries:
    """Read and check a file of entries: `name` and `content` of it, firms and places in `known`; see `checked`."""
    return checked(MONEY.understood(content, name), known)


def checked(found: Understood, known: Known) -> Entries:
    """Check a table of entries.

    Parameters
    ----------
    found : Understood
        From `MONEY.understood` or `MONEY.typed`.
    known : Known
        Firms and places that rows may name.

    Raises
    ------
    InputError
        With every fault of headings and rows.
    """
    text, faults = MONEY.text(found)
    made = _Rows(found, text, known)
    rows = made.frame()
    faults += found.without([*made.faults, *duplicates(rows, known, made.place), *groups(rows, known, made.place)])
    refuse_if(faults)
    return Entries(rows, {}, list(found.notes))


class _Rows:
    """Checked rows in the making."""

    def __init__(self, found: Understood, text: pd.DataFrame, known: Known):
        self.found, self.text, self.known, self.faults = found, text, known, list[Fault]()

    def place(self, row: int, key: str) -> Place:
        """Of a cell."""
        return MONEY.place(self.found, row, key)

    def frame(self) -> pd.DataFrame:
        """The rows, with faults noted on the way."""
        text, known = self.text, self.known
        rows = pd.DataFrame(index=text.index)
        rows["subject"] = [known.firms.get(folded(one), one) for one in text["subject"]]
        self._say("policy.no_subject", text["subject"] == "", "subject")
        rows["year"] = pd.to_numeric(text["year"].str[:4], errors="coerce")
        self._say("policy.no_year", rows["year"].isna(), "year")
        rows["year"] = rows["year"].fillna(0).astype(int)
        scopes = {folded(name): scope for scope, names in SCOPES.items() for name in names}
        rows["scope"] = [scopes.get(folded(one), "") for one in text["scope"]]
        self._say("policy.no_scope", rows["scope"] == "", "scope", known=[one[1] for one in SCOPES.values()])
        for key in FLAGS:
            said = text[key].map(folded)
            rows[key] = said.isin(YES)
            self._say("policy.yes_or_no", ~said.isin((*YES, *NO)), key)
        rows["place"] = [known.places.get(one, known.places.get(one.removesuffix("市"), "")) for one in text["place"]]
        for row in text.index[(rows["place"] == "") & (text["place"] != "")]:
            cities = [known.name(code) for code in dict.fromkeys(known.places.values())]
            said = text.loc[row, "place"]
            self.faults.append(Fault("policy.unknown_city", self.place(row, "place"), city=said, known=cities))
        said = [known.firms.get(folded(one), one) for one in text["parent"]]
        rows["parent"] = [one or known.parents.get(of, "") for one, of in zip(said, rows["subject"], strict=True)]
        rows["source"], rows["is_verified"] = text["source"], True
        for key in AMOUNTS:
            rows[[f"{key}_{end}" for end in ENDS]] = self._bounds(key)
        return rows

    def _say(self, code: str, wrong: pd.Series, key: str, **more: object) -> None:
        for row in wrong.index[wrong.to_numpy(bool)]:
            self.faults.append(Fault(code, self.place(row, key), value=self.text.loc[row, key], **more))

    def _bounds(self, key: str) -> np.ndarray:
        """(N, 3) low, likely, high; nan where empty."""
        parts = self.text[key].str.extract(RANGE.pattern)
        low = pd.to_numeric(parts[0], errors="coerce")
        high = pd.to_numeric(parts[1], errors="coerce").fillna(low)
        self._say("policy.no_amount", low.isna() & (self.text[key] != ""), key)
        self._say("policy.range_backwards", low > high, key)
        if key == "growth":
            self._say("policy.shrinks_to_nothing", low <= -100, key)
        else:
            column = MONEY.columns[key]
            self._say("policy.below_zero", low < 0, key)
            self._say("policy.too_large", high > column["plausible"][1], key, unit=column["unit"])
        return np.column_stack([low, (low + high) / 2, high])


def folded(text: str) -> str:
    """A name however it is written: no case, no blanks, no legal form."""
    return re.sub(r"\s+", "", str(text)).lower().removesuffix("有限公司").removesuffix("股份").removesuffix("有限责任")


def duplicates(rows: pd.DataFrame, known: Known, place: Any) -> Iterator[Fault]:
    """What stands there twice: a year of a firm, a tier that is claimed, a product.

    Parameters
    ----------
    rows : DataFrame
        Checked rows.
    known : Known
        For the names.
    place : callable
        Row and column -> its place.
    """
    called = [known.name(one) for one in rows["subject"]]
    names = dict(zip(rows.index, called, strict=True))
    of_year = rows[rows["revenue_low"].notna()]
    for row in of_year.index[of_year.duplicated(["subject", "year", "scope"])]:
        yield Fault("policy.year_twice", place(row, "year"), name=names[row], year=rows.loc[row, "year"])
    tiers = rows[rows["claimed_low"].notna()]
    for row in tiers.index[tiers.duplicated(["subject", "claimed_likely"])]:
        yield Fault(
            "policy.tier_twice",
            place(row, "claimed"),
            name=names[row],
            tier=float(rows.loc[row, "claimed_likely"]),
        )
    for keys, code in ((("price", "rd"), "policy.product_twice"), (("task",), "policy.project_twice")):
        there = rows[rows[[f"{key}_low" for key in keys]].notna().any(axis=1)]
        for row in there.index[there.duplicated("subject")]:
            yield Fault(code, place(row, keys[0]), name=names[row])


def groups(rows: pd.DataFrame, known: Known, place: Any) -> Iterator[Fault]:
    """Revenue of a group that stands for a firm: it says so, or it is as large as the group's own of that year.

    Parameters
    ----------
    rows : DataFrame
        Checked rows.
    known : Known
        With the published revenue of groups.
    place : callable
        Row and column -> its place.
    """
    wrong = (rows["scope"] == "group") & rows["revenue_low"].notna()
    for row in rows.index[wrong]:
        yield Fault("policy.group_revenue", place(row, "scope"), name=known.name(rows.loc[row, "subject"]))
    entered = rows[rows["revenue_likely"].notna() & (rows["scope"] != "laser")]
    own = zip(entered["subject"], entered["year"], entered["revenue_likely"], strict=True)
    revenue = {**known.revenue, **{(subject, year): value for subject, year, value in own}}
    for row, one in entered[(entered["parent"] != "") & (entered["parent"] != entered["subject"])].iterrows():
        its = revenue.get((one["parent"], one["year"]), np.nan)
        if one["revenue_likely"] >= (1 - SAME) * its:
            said = {"name": known.name(one["subject"]), "group": known.name(one["parent"])}
            at = place(row, "revenue")
            yield Fault("policy.as_large_as_group", at, **said, year=one["year"], value=float(its))
