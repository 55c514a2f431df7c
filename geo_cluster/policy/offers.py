"""What policy offers a project of a stage of the chain, in the clauses' own words; amounts are those of `money`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from geo_cluster.domain import Text
from geo_cluster.policy.rules import Rule, Table, rules


@dataclass(frozen=True)
class Offer:
    """What one rule offers.

    Attributes
    ----------
    rule : Rule
        With its state on the day.
    """

    rule: Rule

    @property
    def is_counted(self) -> bool:
        """Whether it is in force on the day."""
        return self.rule.found.use != "left_out"

    @property
    def words(self) -> Text:
        """Clause and offer in both languages."""
        row, clause = self.rule.row, self.rule.clause
        zh, en = row["name"]["zh"], row["name"]["en"]
        if clause:
            zh, en = f"第{clause}条 {zh}", f"clause {clause}: {en}"
        return Text(zh=zh, en=en)


def offers(stage: str, *, on: datetime.date | None = None, table: Table | None = None) -> list[Offer]:
    """What policy offers a project of a stage of the chain, rule by rule.

    Parameters
    ----------
    stage : str
        Stage of the value chain.
    on : date, optional
        A day; today when left out.
    table : mapping, optional
        Parsed `support.toml`; the shipped one when left out.

    Raises
    ------
    InputError
        For rows without dates.

    Examples
    --------
    >>> day = datetime.date(2026, 11, 30)
    >>> [one.rule.id for one in offers("support", on=day)]
    ['17-platform', '17-task']
    """
    known = rules(on or datetime.date.today(), table)
    return [Offer(one) for one in known.values() if stage in one.row["stages"]]
