"""Policy money: what each rule pays a firm, product, project or platform by year, who pays, and what is not known.

An amount is an interval: bounds of what was entered, and of what the text leaves open. Where one text can be read in
several ways, one reading is taken, named, and can be switched.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place
from geo_cluster.policy import grants, tiers
from geo_cluster.policy.entries import ENDS, Entries
from geo_cluster.policy.rules import LIFE_OF_TARGETS, PAYERS, Rule, Table, chosen, rules

LINE = ["subject", "rule", "year", "place", *ENDS]
AHEAD = 3
"""So many years after the day of the study are looked at."""

GAPS: Mapping[str, Text] = {
    "growth": Text(zh="预计增速未知，{year}年以后不算", en="growth is not known: nothing after {year} is counted"),
    "passed": Text(zh="政策前已突破哪些档次未知", en="which tiers were passed before the policy is not known"),
    "scope": Text(zh="没有这一口径的营业收入", en="its revenue of that scope is not known"),
    "place": Text(zh="所在地未知，由哪个市承担未知", en="its place, and so which city pays, is not known"),
    "base": Text(zh="另一项基数（单价或研发费用）未知", en="the other base (price or R&D cost) is not known"),
    "input": Text(zh="“项目投入”按这一口径未知", en="its input as read here is not known"),
}
"""What may be unknown of a subject."""


@dataclass(frozen=True, eq=False)
class Money:
    """What is paid under the readings taken.

    Attributes
    ----------
    lines : DataFrame
        By year: `subject`, `rule`, `year`, `payer` (a key of `PAYERS`), `place` (prefecture that pays, '' where none or
        unknown), `low`, `likely`, `high`, 10,000 yuan; likely is nan where it can't be told.
    totals : DataFrame
        The same over all years; its bounds are tighter than sums of those of the years.
    gaps : DataFrame
        `subject`, `rule`, `gap` (a key of `GAPS`), `year`: what is not known, for asking.
    taken : mapping
        Reading -> option.
    doubts : tuple of Fault
        What was counted and should be looked at, or was not counted and why.
    rules : mapping
        Every rule by id.
    years : range
    """

    lines: pd.DataFrame
    totals: pd.DataFrame
    gaps: pd.DataFrame
    taken: Mapping[str, str]
    doubts: tuple[Fault, ...]
    rules: Mapping[str, Rule]
    years: range


class _Run:
    """One calculation: entries, rules, readings, and what is found on the way."""

    def __init__(self, entries: Entries, known: Mapping[str, Rule], taken: Mapping[str, str], years: range):
        self.rows, self.names = entries.rows[entries.rows["year"] <= years[-1]], entries.names
        self.rules, self.taken, self.years = known, taken, years
        self.lines: list[pd.DataFrame] = []
        self.exact: list[pd.DataFrame] = []
        self.gaps: list[pd.DataFrame] = []
        self.doubts: list[Fault] = []

    def place(self, rule: str) -> Place:
        """A rule by its name, as the place of a doubt."""
        return Place(Text.model_validate(self.rules[rule].row["short"]))

    def name(self, subject: object) -> Text:
        """What a subject is called."""
        return self.names.get(str(subject)) or Text(zh=str(subject), en=str(subject))

    def in_force(self, rule: str) -> np.ndarray:
        """(Y,) whether it pays for each year."""
        return np.array([self.rules[rule].pays_in(year, self.taken) for year in self.years])

    def ask(self, gap: str, rule: str, subjects: Sequence[str], year: int = 0) -> None:
        """Note what is not known of some subjects."""
        if len(subjects):
            self.gaps.append(pd.DataFrame({"subject": subjects, "rule": rule, "gap": gap, "year": year}))

    def add(self, rule: str, rows: pd.DataFrame, bounds: np.ndarray) -> None:
        """Note amounts of single years; those of years that the rule does not pay for are told and left out."""
        holds = {year: self.rules[rule].pays_in(int(year), self.taken) for year in rows["year"].unique()}
        paid = rows["year"].map(holds).to_numpy(bool)
        self.late(rule, rows[~paid], bounds[~paid, 2])
        table = pd.DataFrame(bounds[paid], columns=list(ENDS))
        for key in ("subject", "year", "place"):
            table[key] = rows[key].to_numpy()[paid]
        self.lines.append(table.assign(rule=rule)[LINE])

    def late(self, rule: str, rows: pd.DataFrame, lost: np.ndarray) -> None:
        """Tell of amounts in years that the rule is not in force in."""
        rows = rows[lost > 0]
        if not len(rows):
            return
        year = int(rows["year"].max())
        said = {"year": year, "subjects": len(rows), "first": self.name(rows["subject"].iloc[0])}
        end = self.rules[rule].of_year(year).life.valid_to
        if end is None:
            self.doubts.append(Fault("policy.after_targets", self.place(rule), **said))
        else:
            self.doubts.append(Fault("policy.expired", self.place(rule), **said, end=str(end)))


def money(
    entries: Entries,
    *,
    on: datetime.date,
    until: int | None = None,
    choices: Mapping[str, str] | None = None,
    table: Table | None = None,
) -> Money:
    """What policy pays for what was entered.

    Parameters
    ----------
    entries : Entries
        Firms, products, projects, platforms (`entries.read`, `known.firms`).
    on : date
        Day of the study: the rules of that day.
    until : int, optional
        Last year that is looked at; `AHEAD` years after the day when left out.
    choices : mapping of str, optional
        Reading -> option, see `rules.readings`; defaults for the others.
    table : mapping, optional
        Parsed `support.toml`; the shipped one when left out.

    Raises
    ------
    InputError
        For readings that there are not, or a table whose rules have no dates.
    """
    known, taken, rows = rules(on, table), chosen(choices), entries.rows
    starts = [known["18-revenue"].first_year() or on.year, *rows.loc[rows["year"] > 0, "year"]]
    last = max(on.year + AHEAD if until is None else until, min(starts))
    years = range(int(min(starts)), int(last) + 1)
    run = _Run(entries, known, taken, years)
    _revenue(run)
    _products(run)
    _projects(run)
    _platforms(run)
    lines = _joined(run.lines, LINE)
    lines = lines[lines["high"] > 0]
    _endless(run, lines)
    gaps = _joined(run.gaps, ["subject", "rule", "gap", "year"])
    in_all = _in_all(lines, _joined(run.exact, ["subject", "rule", *ENDS]))
    return Money(
        _shared(lines, known),
        _shared(in_all, known, years=False),
        gaps,
        taken,
        tuple(run.doubts),
        known,
        run.years,
    )


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Tables as one, with the same kinds of columns where there are none."""
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    kinds = {column: float if column in ENDS else int if column == "year" else object for column in columns}
    return table[columns].astype(kinds)


def _revenue(run: _Run) -> None:
    """晋档补差 on the yearly revenue of firms."""
    rule, rows, years = run.rules["18-revenue"], run.rows, run.years
    of_scope = rows[(rows["scope"] == run.taken["revenue"]) & rows["revenue_likely"].notna()]
    run.ask("scope", rule.id, sorted({*rows.loc[rows["revenue_likely"].notna(), "subject"]} - {*of_scope["subject"]}))
    if not len(of_scope):
        return
    code, subjects = pd.factorize(of_scope["subject"])
    shape = (len(subjects), len(years), len(ENDS))
    revenue = np.full(shape, np.nan)
    revenue[code, of_scope["year"].to_numpy() - years[0]] = _bounds(of_scope, "revenue")
    same = rows[rows["scope"] == run.taken["revenue"]]
    growth, passed = _said(same, "growth", subjects) / 100, _said(same, "passed", subjects)
    _growth_gaps(run, revenue, growth, subjects)
    revenue = tiers.projected(revenue, growth)
    first = max(rule.first_year() - years[0], 0)
    how = {
        "first": first,
        "passed": passed,
        "steps": rule.row["steps"],
        "only_paid": run.taken["settled"] == "paid_only",
    }
    paid = tiers.awards(revenue, is_paid=run.in_force(rule.id), **how)
    run.ask("passed", rule.id, list(subjects[paid.is_open]))
    ever = tiers.awards(revenue, is_paid=np.ones(len(years), dtype=bool), **how)
    lost = np.maximum(ever.by_year[:, :, 2] - paid.by_year[:, :, 2], 0) * ~run.in_force(rule.id)
    who, when = np.nonzero(lost)
    gone = pd.DataFrame({"subject": subjects[who], "year": when + years[0]})
    run.late(rule.id, gone, lost[who, when])
    places = _places(rows, subjects, years, later=run.taken["seat"] == "when_paid")
    who, when = np.nonzero(paid.by_year[:, :, 2] > 0)
    seats = places[who, when]
    table = pd.DataFrame(paid.by_year[who, when], columns=list(ENDS))
    table = table.assign(subject=subjects[who], year=when + years[0], place=seats, rule=rule.id)
    run.lines.append(table[LINE])
    run.ask("place", rule.id, sorted({*subjects[who[seats == ""]]}))
    exact = pd.DataFrame(paid.in_all, columns=list(ENDS)).assign(subject=subjects, rule=rule.id)
    run.exact.append(exact)
    _claims(run, rows, subjects, paid.tier[:, :, tiers.HIGH], passed)


def _growth_gaps(run: _Run, revenue: np.ndarray, growth: np.ndarray, subjects: np.ndarray) -> None:
    """Firms whose growth is not known, by the last year that is known of them; and those that shrink."""
    there = ~np.isnan(revenue[:, :, tiers.LIKELY])
    last = run.years[0] + len(run.years) - 1 - np.argmax(there[:, ::-1], axis=1)
    unknown = np.isnan(growth[:, tiers.LIKELY]) & there.any(axis=1) & (last < run.years[-1])
    for year in np.unique(last[unknown]):
        run.ask("growth", "18-revenue", list(subjects[unknown & (last == year)]), int(year))
    shrinks = growth[:, tiers.HIGH] < 0
    if shrinks.any():
        said = {"subjects": int(shrinks.sum()), "first": run.name(subjects[shrinks][0])}
        run.doubts.append(Fault("policy.shrinks", run.place("18-revenue"), **said))


def _said(rows: pd.DataFrame, key: str, subjects: np.ndarray) -> np.ndarray:
    """(F, 3) what the latest row of each firm says of it; nan where none does."""
    columns = [f"{key}_{end}" for end in ENDS]
    there = rows[rows[columns[1]].notna()].sort_values("year", kind="stable").drop_duplicates("subject", keep="last")
    return there.set_index("subject")[columns].reindex(subjects).to_numpy(float)


def _places(rows: pd.DataFrame, subjects: np.ndarray, years: range, *, later: bool) -> np.ndarray:
    """(F, Y) prefecture of each firm's seat: the last that was said; of the year after where `later`."""
    seats = np.full((len(subjects), len(years) + 1), None, dtype=object)
    at = pd.Series(np.arange(len(subjects)), index=subjects).reindex(rows["subject"]).to_numpy(float)
    there = (rows["place"] != "").to_numpy() & ~np.isnan(at)
    seats[at[there].astype(int), rows["year"].to_numpy()[there] - years[0]] = rows["place"].to_numpy(object)[there]
    seats = pd.DataFrame(seats).ffill(axis=1).bfill(axis=1).fillna("").to_numpy(object)
    return seats[:, 1:] if later else seats[:, :-1]


def _claims(run: _Run, rows: pd.DataFrame, subjects: np.ndarray, tier: np.ndarray, passed: np.ndarray) -> None:
    """Doubts on tiers that were claimed: none of the rule's, not passed, or passed before the policy."""
    limits = [one[0] for one in run.rules["18-revenue"].row["steps"]]
    at = {one: k for k, one in enumerate(subjects)}
    for row in rows[rows["claimed_likely"].notna()].itertuples():
        value, place = float(row.claimed_likely), Place(run.name(row.subject))
        if value not in limits:
            run.doubts.append(Fault("policy.no_tier", place, tier=value, known=[f"{one:g}" for one in limits]))
            continue
        k = at.get(row.subject)
        if k is None:
            continue
        if np.nan_to_num(passed[k, tiers.LOW]) >= value:
            run.doubts.append(Fault("policy.tier_settled", place, tier=value))
        elif row.year in run.years and tier[k, row.year - run.years[0]] < limits.index(value) + 1:
            run.doubts.append(Fault("policy.tier_not_passed", place, tier=value, year=int(row.year)))


def _bounds(rows: pd.DataFrame, key: str) -> np.ndarray:
    return rows[[f"{key}_{end}" for end in ENDS]].to_numpy(float)


def _products(run: _Run) -> None:
    """15 % of first sets and first batches."""
    rows = run.rows[run.rows[["price_likely", "rd_likely"]].notna().any(axis=1)]
    if len(rows):
        price, rd = _bounds(rows, "price"), _bounds(rows, "rd")
        run.ask("base", "19-first", list(rows["subject"][np.isnan(price[:, 1]) | np.isnan(rd[:, 1])]))
        run.add("19-first", rows, grants.product(run.rules["19-first"].row, price, rd, run.taken))


def _projects(run: _Run) -> None:
    """10 % of tasks of original innovation and of open challenges, at discretion; of the two the larger, if alike."""
    taken, key = run.taken, "task" if run.taken["input"] == "total" else "task_rd"
    tasks = run.rows[run.rows[["task_likely", "task_rd_likely"]].notna().any(axis=1)]
    challenges = run.rows[run.rows["challenge_likely"].notna()]
    refused = challenges[challenges["alike"]]
    for one in refused["subject"]:
        run.doubts.append(Fault("policy.alike_under_way", Place(run.name(one))))
    challenges = challenges[~challenges["alike"]]
    task, challenge = run.rules["17-task"].row, run.rules["challenge"].row
    base = _bounds(tasks, key)
    run.ask("input", "17-task", list(tasks["subject"][np.isnan(base[:, 1])]))
    by_task = grants.project(task, base, taken, most=task["most_10k_yuan"])
    most = challenge["most_10k_yuan"]
    if taken["review"] == "special":
        most = challenge.get("most_reviewed_10k_yuan", most)
    by_challenge = grants.project(challenge, _bounds(challenges, "challenge"), taken, most=most)
    if taken["alike"] == "exclusive":
        of_task = pd.Series(by_task[:, 2], index=tasks["subject"]).groupby(level=0).max()
        of_challenge = pd.Series(by_challenge[:, 2], index=challenges["subject"]).groupby(level=0).max()
        by_task[tasks["subject"].map(of_challenge).to_numpy(float) > by_task[:, 2]] = 0.0
        by_challenge[challenges["subject"].map(of_task).to_numpy(float) >= by_challenge[:, 2]] = 0.0
    run.add("17-task", tasks, by_task)
    run.add("challenge", challenges, by_challenge)


def _platforms(run: _Run) -> None:
    """Public platforms: up to the ceiling, once or each year."""
    rows = run.rows[run.rows["platform"]].drop_duplicates("subject")
    if len(rows) and run.taken["times"] == "yearly":
        each = [rows.assign(year=year)[rows["year"] <= year] for year in run.years]
        rows = pd.concat(each)
    if len(rows):
        run.add("17-platform", rows, grants.service(run.rules["17-platform"].row, len(rows)))


def _endless(run: _Run, lines: pd.DataFrame) -> None:
    """Amounts in years that no text says the rule still holds in: counted, and said."""
    for rule, own in lines.groupby("rule"):
        life = run.rules[str(rule)].found.life
        after = own[own["year"] > LIFE_OF_TARGETS]
        if life.valid_to is None and len(after):
            said = {"year": int(after["year"].max()), "subjects": int(after["subject"].nunique())}
            run.doubts.append(Fault("policy.no_end", run.place(str(rule)), **said))


def _in_all(lines: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Sums over the years by subject, rule and place; of firms that stay where they are by their own bounds."""
    key = ["subject", "rule", "place"]
    grouped = lines.assign(open=lines["likely"].isna()).groupby(key, sort=False)
    added = grouped[list(ENDS)].sum().assign(open=grouped["open"].any()).reset_index()
    added.loc[added.pop("open"), "likely"] = np.nan
    stays = ~added.duplicated(["subject", "rule"], keep=False)
    better = added[["subject", "rule"]].merge(exact, how="left", on=["subject", "rule"])
    for end in ENDS:
        known = stays.to_numpy() & better["low"].notna().to_numpy()
        added.loc[known, end] = better.loc[known, end]
    return added


def _shared(lines: pd.DataFrame, known: Mapping[str, Rule], *, years: bool = True) -> pd.DataFrame:
    """Each amount by who pays it."""
    columns = ["subject", "rule", *(["year"] if years else []), "payer", "place", *ENDS]
    parts = []
    for rule, own in lines.groupby("rule", sort=False):
        for payer, share in known[str(rule)].row["pays"].items():
            part = own.assign(payer=payer, place=own["place"] if payer == "place" else "")
            parts.append(part.assign(**{end: own[end] * share for end in ENDS})[columns])
    table = _joined(parts, columns)
    order = {name: k for k, name in enumerate(PAYERS)}
    keys = [name for name in ("subject", "year", "rule") if name in columns]
    table = table.assign(order=table["payer"].map(order)).sort_values([*keys, "order"], kind="stable")
    return table.drop(columns="order").reset_index(drop=True)
