"""Where rows come from, as people read it: publisher, class, date, confidence; addresses stay in the data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language

NOT_NAMED = "转载，原发布者未注明"
"""The publisher of what was found as a copy that names nobody; also where nothing but an address is known."""

NOT_DATED = "未载"
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


class Tally(NamedTuple):
    """Rows, how many of them say all of publisher, class, date and confidence, and how many are known from copies.

    `unnamed` of them name no publisher (background knowledge, copies of nobody); `undated` bear no date.
    """

    rows: int
    complete: int
    copies: int
    unnamed: int
    undated: int


def publishers(table: pd.DataFrame) -> pd.Series:
    """Who published each row: its `publisher`, else its `source` without addresses, as in tables of one's own."""
    told = table["source"] if "source" in table else pd.Series("", index=table.index)
    told = told.fillna("").astype(str)
    told = told.map({one: without_addresses(one) for one in told.unique()})
    if "publisher" not in table:
        return told
    named = table["publisher"].fillna("").astype(str).str.strip()
    return named.where(named != "", told)


def without_addresses(text: str) -> str:
    """A text that names sources, its addresses left out; `NOT_NAMED` where there is nothing else."""
    if not _ADDRESS.search(text):
        return text
    parts = (_ADDRESS.sub("", part).strip(" ;；,，") for part in text.split(" ; "))
    return "；".join(dict.fromkeys(filter(None, parts))) or NOT_NAMED


def publisher_in(language: Language, publisher: str) -> str:
    """A publisher in a language: what stands for nobody is translated, names are as they are."""
    words = toml.table("layers")["words"]["source"]
    return "；".join(words[part][language] if part in words else part for part in publisher.split("；"))


def tally(tables: Iterable[pd.DataFrame]) -> Tally:
    """Count the rows of tables by what they say of their sources."""
    words = toml.table("layers")["words"]["source"]
    counts = Tally(0, 0, 0, 0, 0)
    for table in tables:
        class_, confidence, as_of, copied = (
            table[name].astype(object).fillna("").astype(str).to_numpy(object)
            if name in table
            else np.full(len(table), "")
            for name in ("source_class", "confidence", "as_of", "source_is_copy")
        )
        told = [any(part and part not in words for part in one.split("；")) for one in publishers(table)]
        named = np.array(told, dtype=bool)
        dated = np.array([one.strip() not in ("", NOT_DATED) for one in as_of], dtype=bool)
        hits = (named & dated & (class_ != "") & (confidence != ""), copied == "yes", ~named, ~dated)
        found = (len(table), *(int(hit.sum()) for hit in hits))
        counts = Tally(*(before + more for before, more in zip(counts, found, strict=True)))
    return counts
