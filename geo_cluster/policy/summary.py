"""Policy money in tables: by year, by who pays, by firm, by rule, what a reading costs, what is to be asked."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language, Text
from geo_cluster.policy.entries import ENDS, Entries
from geo_cluster.policy.money import GAPS, Money, money
from geo_cluster.policy.rules import PAYERS, readings
from geo_cluster.world.layers import Layers
from geo_cluster.world.rule_life import STATES, span_of

NO_PLACE = Text(zh="企业所在地（哪个市未知）", en="the firm's place (which city is not known)")


def prefectures(layers: Layers) -> dict[str, Text]:
    """Names of the prefectures by code."""
    return {one.code: Text(zh=one.name_zh, en=one.name_en) for one in layers.read("prefectures").itertuples()}


def government(payer: str, place: str, places: Mapping[str, Text]) -> Text:
    """Who pays, by name.

    Parameters
    ----------
    payer : str
        A key of `PAYERS`.
    place : str
        Code of a prefecture.
    places : mapping of Text
        Names of prefectures.
    """
    if payer != "place":
        return PAYERS[payer]  # type: ignore[index]
    return places.get(place, NO_PLACE)


def amounts(low: float, likely: float, high: float) -> str:
    """An amount as people read it: one number where `low` is `high`, else both, with the `likely` one where known.

    Examples
    --------
    >>> amounts(0, 250, 500), amounts(200, 200, 200), amounts(0, float("nan"), 500)
    ('0–500 (250)', '200', '0–500')
    """
    if low == high:
        return f"{low:,.4g}"
    span = f"{_short(low)}–{_short(high)}"
    return span if np.isnan(likely) else f"{span} ({_short(likely)})"


def span_of_years(first: float, last: float) -> str:
    """The first to the last year as people read it.

    >>> span_of_years(2027, 2029), span_of_years(2024, 2024)
    ('2027–2029', '2024')
    """
    return f"{first:.0f}" if first == last else f"{first:.0f}–{last:.0f}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:,.1f}"


def _summed(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sums of bounds by some columns; the likely one is nan where one of it is."""
    grouped = table.assign(open=table["likely"].isna()).groupby(by, sort=False, dropna=False)
    found = grouped[list(ENDS)].sum().assign(open=grouped["open"].any()).reset_index()
    found.loc[found["open"].astype(bool), "likely"] = np.nan
    return found.drop(columns="open")


def by_year(found: Money, layers: Layers) -> pd.DataFrame:
    """Year and government: `year`, `payer`, `place`, `government_zh`, `government_en`, `low`, `likely`, `high`."""
    table = _summed(found.lines, ["year", "payer", "place"]).sort_values(["year", "payer", "place"], kind="stable")
    return _with_government(table, layers)


def by_government(found: Money, layers: Layers) -> pd.DataFrame:
    """The cost to each government over all years, as `by_year` without the year; bounds are tighter than its sums."""
    return _with_government(_summed(found.totals, ["payer", "place"]), layers)


def _with_government(table: pd.DataFrame, layers: Layers) -> pd.DataFrame:
    places = prefectures(layers)
    who = [government(payer, place, places) for payer, place in zip(table["payer"], table["place"], strict=True)]
    order = table["payer"].map({name: k for k, name in enumerate(PAYERS)})
    named = table.assign(
        **{f"government_{language}": [one[language] for one in who] for language in LANGUAGES}, o=order
    )
    keys = [*(["year"] if "year" in table else []), "o", "place"]
    return named.sort_values(keys, kind="stable").drop(columns="o").reset_index(drop=True)


def by_subject(found: Money, names: Mapping[str, Text]) -> pd.DataFrame:
    """Firm, product, project or platform, and rule.

    Returns
    -------
    DataFrame
        `subject`, `name_zh`, `name_en`, `rule`, `clause`, `low`, `likely`, `high` over all years, `province_…`,
        `place_…`, `unknown_…` (low and high), `first_year`, `last_year`: in which it may be paid.
    """
    table = _summed(found.totals, ["subject", "rule"])
    for payer in PAYERS:
        own = found.totals[found.totals["payer"] == payer].groupby(["subject", "rule"])[["low", "high"]].sum()
        own = own.reindex(pd.MultiIndex.from_frame(table[["subject", "rule"]])).fillna(0.0).to_numpy()
        table[f"{payer}_low"], table[f"{payer}_high"] = own[:, 0], own[:, 1]
    years = found.lines.groupby(["subject", "rule"])["year"].agg(["min", "max"])
    years = years.reindex(pd.MultiIndex.from_frame(table[["subject", "rule"]])).to_numpy()
    table["first_year"], table["last_year"] = years[:, 0], years[:, 1]
    table["clause"] = [found.rules[one].clause for one in table["rule"]]
    for language in LANGUAGES:
        table[f"name_{language}"] = [names[one][language] if one in names else one for one in table["subject"]]
    return table.sort_values(["high", "subject"], ascending=[False, True], kind="stable", ignore_index=True)


def rule_table(found: Money) -> pd.DataFrame:
    """One row a rule: `rule`, clause, name, who qualifies, ceiling, who pays, papers, what is open, life, sums.

    Returns
    -------
    DataFrame
        `rule`, `clause`, `number`, `valid_from`, `valid_to`, `publisher`, `source`, `confidence`, `most`, `low`,
        `likely`, `high`, and in both languages `short_…`, `name_…`, `who_…`, `pays_…`, `papers_…`, `open_…`,
        `issuer_…`, `state_…`, `reading_…`.
    """
    sums = _summed(found.totals, ["rule"]).set_index("rule")
    rows = []
    for rule in found.rules.values():
        life, row = rule.found.life, rule.row
        said = {"short": row["short"], "name": row["name"], "open": row["open"]}
        said |= {key: row.get(key) or {"zh": "", "en": ""} for key in ("who", "papers")}
        line: dict[str, object] = {"rule": rule.id, "clause": rule.clause, "number": life.number}
        line |= {"most": row.get("most_10k_yuan", np.nan)}
        line |= {end: sums[end].get(rule.id, np.nan) for end in ENDS}
        for language in LANGUAGES:
            line |= {f"{key}_{language}": text[language] for key, text in said.items()}
            line[f"issuer_{language}"] = life.issuer[language]
            line[f"state_{language}"] = STATES[rule.found.state][language]
            line[f"life_{language}"] = span_of(life, language)
            line[f"pays_{language}"] = " + ".join(
                f"{PAYERS[payer][language]} {share:.0%}" for payer, share in row.get("pays", {}).items()
            )
            line[f"reading_{language}"] = _taken(rule.id, found.taken, language)
        line |= {key: getattr(life, key) for key in ("publisher", "source", "confidence")}
        line |= {"valid_from": str(life.valid_from or ""), "valid_to": str(life.valid_to or "")}
        rows.append(line)
    return pd.DataFrame(rows)


def _taken(rule: str, taken: Mapping[str, str], language: Language) -> str:
    """The readings of a rule, in words."""
    colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
    said = [(one, taken[name]) for name, one in readings().items() if rule in one.rules]
    return stop.join(f"{one.name[language]}{colon}{one.options[option][language]}" for one, option in said)


def reading_costs(
    entries: Entries, *, on: datetime.date, until: int | None = None, choices: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """What each reading costs beside the one taken, all others as they are.

    Parameters
    ----------
    entries, on, until, choices
        As of `money.money`.

    Returns
    -------
    DataFrame
        One row a reading and option: `reading`, `option`, `reading_zh`, `option_zh` …, `is_taken`, `low`, `likely`,
        `high` of everything, and `more_low`, `more_likely`, `more_high` beside what is taken; `unknown`: of how many
        subjects more than now the base is not known under it, so that the difference says nothing.
    """
    base = money(entries, on=on, until=until, choices=choices)
    at, now = _all(base), _without_base(base)
    rows = []
    for name, reading in readings().items():
        for option, words in reading.options.items():
            is_taken = base.taken[name] == option
            run = base if is_taken else money(entries, on=on, until=until, choices={**base.taken, name: option})
            other = _all(run)
            row: dict[str, object] = {"reading": name, "option": option, "is_taken": is_taken}
            row |= {f"reading_{language}": reading.name[language] for language in LANGUAGES}
            row |= {f"option_{language}": words[language] for language in LANGUAGES}
            row |= dict(zip(ENDS, other, strict=True))
            row |= {f"more_{end}": other[k] - at[k] for k, end in enumerate(ENDS)}
            rows.append(row | {"unknown": max(_without_base(run) - now, 0)})
    return pd.DataFrame(rows)


def _without_base(found: Money) -> int:
    """Subjects whose base is not known as it is read."""
    return int(found.gaps["gap"].isin(["scope", "input"]).sum())


def _all(found: Money) -> tuple[float, float, float]:
    table = found.totals
    low, likely, high = (float(table[end].sum(skipna=False)) for end in ENDS)
    return low, likely, high


def asked(found: Money, names: Mapping[str, Text]) -> pd.DataFrame:
    """What is not known of whom: `subject`, `name_zh`, `name_en`, `rule`, `gap_zh`, `gap_en`."""
    table = found.gaps.copy()
    for language in LANGUAGES:
        table[f"name_{language}"] = [names[one][language] if one in names else one for one in table["subject"]]
        said = zip(table["gap"], table["year"], strict=True)
        table[f"gap_{language}"] = [GAPS[gap][language].format(year=year) for gap, year in said]
    return table.reset_index(drop=True)
