"""What the policy offers a project, and how much where the base of the amount is known (`tables/policy.toml`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, refuse_if
from geo_cluster.world.rule_life import Found, found_on, versions

Table = Mapping[str, Any]

BASES = ("revenue", "cost", "input")
"""What an amount may be worked out from; see the table."""


@dataclass(frozen=True)
class Support:
    """What one row of the policy offers.

    Attributes
    ----------
    rule : Found
        The row, with its state on the day.
    amount_10k_yuan : float or None
        What the known base gives; None where it is not known, or the clause names no formula.
    by_place_10k_yuan : float or None
        Of it, what the firm's place pays.
    """

    rule: Found
    amount_10k_yuan: float | None
    by_place_10k_yuan: float | None

    @property
    def words(self) -> Text:
        """Clause and offer in both languages, and the amount where it is known."""
        row, amount = self.rule.row, self.amount_10k_yuan
        zh, en = f"第{row['clause']}条 {row['name']['zh']}", f"clause {row['clause']}: {row['name']['en']}"
        if amount is not None:
            zh, en = f"{zh}（按所填基数为{amount:g}万元）", f"{en} (with the base given: {amount:g} x 10,000 yuan)"
        return Text(zh=zh, en=en)


def support(
    stage: str,
    *,
    on: dt.date | None = None,
    policy: Table | None = None,
    paid_before: float = 0.0,
    **bases: float | None,
) -> list[Support]:
    """What the policy offers a project of a stage of the chain, clause by clause.

    Parameters
    ----------
    stage : str
        Stage of the value chain.
    on : date, optional
        A day; today when left out.
    policy : mapping, optional
        Parsed `policy.toml`.
    paid_before : float
        What the firm has been paid for a lower step of revenue, 10,000 yuan.
    **bases : float, optional
        What amounts are worked out from, as far as it is known: `revenue` of the firm, 100 M yuan a year; `cost` of the
        first set (price or R&D) and `input` of a task, 10,000 yuan.

    Raises
    ------
    InputError
        For a base below 0 or of another name, rows without dates.

    Examples
    --------
    >>> [one.amount_10k_yuan for one in support("lasers", cost=2000.0) if one.rule.row["base"] == "cost"]
    [300.0]
    """
    faults = [
        Fault("intake.no_base", name, value=str(value), known=list(BASES))
        for name, value in {**bases, "paid_before": paid_before}.items()
        if name not in (*BASES, "paid_before") or (value is not None and not 0 <= value < float("inf"))
    ]
    refuse_if(faults)
    table, day = toml.table("policy") if policy is None else policy, on or dt.date.today()
    found = [found_on("support", day, table=table, key=key) for key in versions("support", table)]
    return [_offered(one, bases, paid_before) for one in found if stage in one.row["stages"]]


def _offered(rule: Found, bases: Mapping[str, float | None], paid_before: float) -> Support:
    row = rule.row
    base = bases.get(row["base"])
    if base is None or rule.use == "left_out":
        return Support(rule, None, None)
    if row["base"] == "revenue":
        reached = max((most for from_, most in row["steps"] if base >= from_), default=0.0)
        amount = max(0.0, reached - paid_before)
        return Support(rule, amount, amount * row["paid_by_place"])
    return Support(rule, min(float(row["most_10k_yuan"]), row["share"] * base), None)
