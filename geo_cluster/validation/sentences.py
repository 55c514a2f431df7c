"""What the checks found in plain words, and where the model is wrong; the words are `[say]` of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.world import catalog
from geo_cluster.world.layers import words

Tables = Mapping[str, pd.DataFrame]
FAR_OFF = 20.0
"""Minutes by which a published time and the model may differ before the pair is named."""


def sentences(tables: Tables, projects: int, language: Language) -> dict[str, list[str]]:
    """Name of a table -> what it says.

    Parameters
    ----------
    tables : mapping of DataFrame
        See `check.Validation`.
    projects : int
        How many projects there are.
    language : {"zh", "en"}
    """
    tables = {name: in_language(table, language) for name, table in tables.items()}
    return {
        "travel": _travel(tables["travel_summary"], tables["travel"], language),
        "decisions": _decisions(tables["decisions"], language),
        "needs": _needs(tables["needs"], language),
        "printed": _printed(tables["printed"], language),
        "assumptions": _assumptions(tables["assumptions"], language),
        "plan": _plan(tables["plan"], language),
        "tornado": _tornado(tables["tornado"], projects, language),
    }


def in_language(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """A table with its columns in one language under their plain names, in place of ids: `origin` for `origin_zh`."""
    other = {"zh": "_en", "en": "_zh"}[language]
    kept = table[[one for one in table if not one.endswith(other) and f"{one}_{language}" not in table]]
    return kept.rename(columns=lambda one: one.removesuffix(f"_{language}"))


def named(language: Language) -> dict[str, dict[str, str]]:
    """Column -> word of a cell -> what people read."""
    declared = toml.table("validation")
    known = {
        key: {**words(key)} if key in ("basis", "confidence") else {} for key in (*declared["words"], "confidence")
    }
    for key, own in declared["words"].items():
        known[key] |= own
    known["ratio"] = declared["ratios"]
    known["segment"] = {key: one.name.model_dump() for key, one in catalog.segments().items()}
    known["resource"] = {key: kind.offer.model_dump() for key, kind in catalog.resources().items()}
    return {key: {one: said[language] for one, said in cells.items()} for key, cells in known.items()}


def _say(key: str, language: Language, row: Any = None, **values: Any) -> str:
    """One sentence; `row` of a table gives values by its columns, words as people read them."""
    if row is not None:
        known = named(language)
        cells = {str(column): known.get(str(column), {}).get(cell, cell) for column, cell in row.items()}
        values = cells | values
    return toml.table("validation")["say"][key][language].format(**values)


def _joined(parts: list[str], language: Language) -> str:
    return {"zh": "；", "en": "; "}[language].join(parts)


def _rows(table: pd.DataFrame) -> list[dict]:
    return table.to_dict("records")


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _travel(summary: pd.DataFrame, pairs: pd.DataFrame, language: Language) -> list[str]:
    if summary.empty:
        return [_say("no_travel", language)]
    said = [_say("travel", language, row, pair=row["worst_pair"]) for row in _rows(summary)]
    far = pairs[(pairs["outside"] != 0) & (pairs["residual"].abs() > FAR_OFF)]
    if len(far):
        told = _joined([_say("pair", language, row) for row in _rows(far)], language)
        said.append(_say("far_off", language, most=FAR_OFF, count=len(far), pairs=told))
    return said


def _decisions(table: pd.DataFrame, language: Language) -> list[str]:
    if table.empty:
        return [_say("no_decision", language)]
    of = {key: table[table["known_to"] == key] for key in ("site", "outside", "ruled_out")}
    loose = table[table["known_to"].isin(["county", "city"])]
    said = [_say("decisions", language, count=len(table))]
    if len(exact := of["site"]):
        ranks = {"zh": "、", "en": ", "}[language].join(_say("rank", language, row) for row in _rows(exact))
        said.append(_say("exact", language, count=len(exact), ranks=ranks))
    if len(loose):
        said.append(_say("loose", language, count=len(loose), better=int((loose["rank"] < loose["by_chance"]).sum())))
    if len(of["outside"]):
        said.append(_say("outside", language, count=len(of["outside"])))
    said += [_say("ruled_out", language, row) for row in _rows(of["ruled_out"])]
    return said + [_say("worse", language, row) for row in _rows(exact[exact["rank"] > exact["by_chance"]])]


def _needs(table: pd.DataFrame, language: Language) -> list[str]:
    has = table[table["figure"].notna()]
    fresh = has[~has["behind"].astype(bool)]
    counts = {"count": len(has), "behind": len(has) - len(fresh), "fresh": len(fresh)}
    inside, none = int((fresh["place"] == "within").sum()), int(table["figure"].isna().sum())
    off = has[has["place"] != "within"].sort_values("times", ascending=False)
    numbers = off.assign(**{key: off[key].map(_plain) for key in ("figure", "low", "high")})
    first = _say("needs", language, **counts, inside=inside, none=none)
    return [first, *(_say("need", language, row) for row in _rows(numbers))]


def _printed(table: pd.DataFrame, language: Language) -> list[str]:
    wrong = table[~table["agrees"]]
    if wrong.empty:
        return [_say("agrees", language, count=len(table))]
    return [_say("disagrees", language, count=len(wrong), names=_joined(wrong["name"].tolist(), language))]


def _assumptions(table: pd.DataFrame, language: Language) -> list[str]:
    if table.empty:
        return [_say("no_first", language)]
    rests = {"mean": table["rests"].mean(), "low": table["rests"].min(), "high": table["rests"].max()}
    return [_say("rests", language, **rests, weight=table["weight_assumed"].mean(), width=table["width"].mean())]


def _plan(table: pd.DataFrame, language: Language) -> list[str]:
    if table.empty:
        return [_say("no_plan", language)]
    return [_say("plan", language, shares=_joined([_say("share", language, row) for row in _rows(table)], language))]


def _tornado(table: pd.DataFrame, projects: int, language: Language) -> list[str]:
    said = []
    for scope in ("class", "number"):
        part = table[table["scope"] == scope]
        if len(part):
            counts = {"count": len(part), "still": int((part["changed"] == 0).sum()), "projects": projects}
            said.append(_say(f"{scope}_moves", language, {**_rows(part)[0], **counts}))
    return said or [_say("no_number", language)]
