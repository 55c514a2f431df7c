"""Projects at intake, one or thousands: where each would go, how sure that is, and why; nothing is matched.

Only segment and output are required. Weights are uncertain too: they are drawn around the stated ones, so that the
chance of a rank covers both what we don't know of the sites and what people don't agree on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import eligibility, toml
from geo_cluster.domain import LANGUAGES, Language, Text
from geo_cluster.errors import Fault, Faults, InputError, Place, refuse_if
from geo_cluster.intake import rows
from geo_cluster.intake.references import beside
from geo_cluster.many.ground import ground_of
from geo_cluster.many.screening import Asked, screen
from geo_cluster.policy.offers import offers
from geo_cluster.region import Region, facts_of, settings_of
from geo_cluster.report import tables
from geo_cluster.scoring.criteria import decide
from geo_cluster.supply.energy_review import energy_review
from geo_cluster.supply.grid_connection import voltages
from geo_cluster.supply.tariff import costs, label_of, remarks_on, tariff_on
from geo_cluster.world import catalog, plant_needs, portfolio, rule_life, spreadsheet

BATCH = 1000
"""Projects appraised at once; bounds memory, changes nothing else."""

MOST_PAIRS = 60_000
"""Where every site is listed of every project, so many rows at once."""

MOST_LISTED = 1000
"""Of more projects only the best sites are listed, unless somebody asks for all."""

TOP = 10
"""So many of them."""


@dataclass(frozen=True)
class Appraisal:
    """What intake says of a batch of projects.

    Attributes
    ----------
    scores : DataFrame
        One row a project and site, best first: the ranking's columns, `chance_first`, `chance_top3` over data and
        weights with `chance_error`, and `standard_land` (pass, fail, unknown) with a sentence in each language.
    verdicts : DataFrame
        One row a project: first and second choice, a sentence in each language, the smallest change of one weight and
        of one number that puts the second first, what each method would choose, their mean Kendall tau.
    needs : DataFrame
        One row a project: what it was taken to need and whether that was given or estimated; voltage, review and bill,
        by the rules of the region's day.
    references : DataFrame
        Reference projects beside the ranges behind the estimates; see `references.beside`.
    day : date
        The day of the scenario.
    """

    scores: pd.DataFrame
    verdicts: pd.DataFrame
    needs: pd.DataFrame
    references: pd.DataFrame
    day: dt.date = field(default_factory=dt.date.today)


TABLES = ("scores", "verdicts", "needs", "references")
"""Tables of an `Appraisal`, a file each."""


def appraise(region: Region, projects: pd.DataFrame) -> Appraisal:
    """Appraise checked projects (`portfolio.check`) in a region; see `Appraisal`."""
    parts = list(batches(region, projects))
    scores, verdicts, needs, compared = (
        pd.concat([getattr(part, name) for part in parts], ignore_index=True) for name in TABLES
    )
    return Appraisal(scores, verdicts, needs, compared, region.scenario.date)


def batches(region: Region, projects: pd.DataFrame, *, top: int = 0) -> Iterator[Appraisal]:
    """Appraise many projects a batch at a time, in order, so that thousands fit into memory.

    Parameters
    ----------
    region : Region
    projects : DataFrame
        Checked projects (`portfolio.check`).
    top : int
        As of `batch`.
    """
    for piece in pieces(projects, sites=len(region.sites), top=top):
        yield batch(region, piece, top)


def pieces(projects: pd.DataFrame, *, sites: int, top: int = 0) -> list[pd.DataFrame]:
    """Projects in batches, in order.

    Parameters
    ----------
    projects : DataFrame
        Checked projects.
    sites : int
        How many sites there are.
    top : int
        As of `batch`.
    """
    size = BATCH if top else max(min(BATCH, MOST_PAIRS // sites), 1)
    return [projects.iloc[start : start + size] for start in range(0, len(projects), size)]


def appraise_one(region: Region, project: Mapping[str, Any]) -> dict[str, Any]:
    """Appraise one project given as a mapping with the keys of `portfolio.columns()`; plain data, ready for JSON.

    Raises
    ------
    InputError
        With every fault of the project.
    """
    found = appraise(region, checked(project))
    plain = {name: getattr(found, name).astype(object) for name in TABLES}
    rows = {name: table.where(table.notna(), None).to_dict("records") for name, table in plain.items()}
    rules = rule_life.table(found.day).to_dict("records")
    one = {"verdict": rows["verdicts"][0], "needs": rows["needs"][0]}
    return one | {name: rows[name] for name in ("scores", "references")} | {"rules": rules}


def checked(project: Mapping[str, Any]) -> pd.DataFrame:
    """One project as `portfolio.check` gives it; null is as good as empty, and a field of another name is refused."""
    text = {key: "" if value is None else str(value) for key, value in project.items()}
    known = list(portfolio.columns())
    faults = Faults(
        Fault("intake.unknown_field", Place("project", column=key), known=known)
        for key in text
        if not portfolio.is_known(key)
    )
    try:
        found = portfolio.check(pd.DataFrame([text]), where="project")
    except InputError as refusal:
        raise InputError([*faults, *refusal.faults]) from None
    refuse_if(faults)
    return found


def estimated(
    segment: str, output_100m_yuan: float, stated: Mapping[str, str] | None = None
) -> dict[str, tuple[float, float, float]]:
    """Low, likely and high of what a project is taken to need where nobody says: `portfolio.needs()`, `max_minutes`.

    Parameters
    ----------
    segment : str
        Key of `catalog.segments()`.
    output_100m_yuan : float
        Annual output.
    stated : mapping of str, optional
        Needs that somebody typed; capacity and energy follow from one another, land and floor too. What can't be read
        is left out.
    """
    output = np.full((1, 3), output_100m_yuan)
    usual = catalog.segments()[segment].max_minutes
    known = {}
    for need in ("power_mva", "energy_gwh", "land_mu", "floor_m2"):
        if not (stated or {}).get(need, "").strip():
            continue
        try:
            one = checked({"segment": segment, "output_100m_yuan": output_100m_yuan, need: (stated or {})[need]})
        except InputError:
            continue  # said where the project is checked
        if one[f"{need}_given"].all():
            known[need] = one[[f"{need}_{end}" for end in ("low", "likely", "high")]].to_numpy(float)
    found = portfolio.estimate([segment], output, known)
    needs = {need: (low, likely, high) for need, ((low, likely, high),) in found.items()}
    return needs | {"max_minutes": (usual, usual, usual)}


def shortlist(part: Appraisal) -> pd.DataFrame:
    """One row a project: name, segment, output, best site with score and interval, runner-up, sentences."""
    about = part.needs[["project", "name", "segment", "output_100m_yuan"]].merge(part.verdicts, on="project")
    best = part.scores[part.scores["eligible"]].drop_duplicates("project")[["project", "score", "low", "high"]]
    columns = [*about.columns[:4], "first", "score", "low", "high", "chance_first", "second"]
    return about.merge(best, on="project", how="left").reindex(columns=[*columns, "sentence_zh", "sentence_en"])


def template() -> bytes:
    """An empty portfolio file: the headings."""
    return spreadsheet.as_csv(pd.DataFrame(columns=list(portfolio.columns().values())))


def sample_table() -> bytes:
    """The shipped sample portfolio, whose names and notes say 示例."""
    return (catalog.PORTFOLIOS / "sample.csv").read_bytes()


def count(table: bytes) -> int:
    """How many projects a portfolio file has."""
    return len(_rows(table))


def has_project(table: bytes, name: str) -> bool:
    """Whether a portfolio file has a project of this name."""
    rows, title = _rows(table), portfolio.columns()["name"]
    return any(name in set(rows[column]) for column in (title, "name") if column in rows)


def _rows(table: bytes) -> pd.DataFrame:
    return spreadsheet.read_csv(table)


def with_project(table: bytes, project: Mapping[str, str]) -> bytes:
    """A portfolio file with one more project, everything else as it was.

    Parameters
    ----------
    table : bytes
        A CSV with headings of `portfolio.columns()`; empty begins a new one.
    project : mapping
        Keys of `portfolio.columns()`; without `id` it gets the next free one.

    Raises
    ------
    InputError
        With every fault of the portfolio with the project.
    """
    rows = pd.DataFrame(columns=list(portfolio.columns().values()), dtype=str)
    if table:
        rows = _rows(table)
    titles = portfolio.columns()
    columns = {key: titles[key] if titles[key] in rows or key not in rows else key for key in titles}
    taken = set(rows[columns["id"]]) if columns["id"] in rows else set()
    free = next(name for n in range(len(rows) + 1, 2 * len(rows) + 3) if (name := f"P{n:02d}") not in taken)
    row = {columns[key]: value for key, value in {"id": free, **project}.items()}
    longer = pd.concat([rows, pd.DataFrame([row])], ignore_index=True).fillna("")
    portfolio.check(longer)
    return spreadsheet.as_csv(longer)


def requests(region: Region, projects: pd.DataFrame) -> pd.DataFrame:
    """The numbers to go and ask for, were these checked projects to choose today; see `report.tables.request_table`."""
    facts = facts_of(region, projects)
    decision = decide(*settings_of(region, facts), catalog.criteria(), region.scenario.weights, region.alike)
    return tables.request_table(region, eligibility.judge(facts), decision)


def batch(region: Region, projects: pd.DataFrame, top: int = 0) -> Appraisal:
    """Appraise checked projects in one piece, in their order; see `Appraisal`.

    Parameters
    ----------
    region : Region
    projects : DataFrame
        Checked projects (`portfolio.check`).
    top : int
        Best sites that are listed of each project; 0 lists all, also those where it may not go, and why not.
    """
    ground, day = ground_of(region), region.scenario.date
    scores, told = [], []
    for at, block in screen(ground, projects, Asked(top)):
        scores.append(rows.scores(ground, block, day).set_index(at[block.pairs[:, 0]]))
        told.append(rows.verdict_rows(ground, block).set_index(at))
    listed, verdicts = (pd.concat(parts).sort_index(kind="stable") for parts in (scores, told))
    needs, compared = needs_table(projects, day=day), beside(region.layers, projects)
    return Appraisal(listed.reset_index(drop=True), verdicts.reset_index(drop=True), needs, compared, day)


def needs_table(projects: pd.DataFrame, *, day: dt.date | None = None) -> pd.DataFrame:
    """One row a project: what it was taken to need, how it is connected, which review it triggers, what it draws.

    Parameters
    ----------
    projects : DataFrame
        Checked projects (`portfolio.check`).
    day : date, optional
        Day whose measures, prices and support apply; today when left out.
    """
    needs = projects.drop(columns="notes").round(4).reset_index(names="project")
    for key, bounds in portfolio.per_mu(projects).items():
        needs[[f"{key}_low", f"{key}_likely", f"{key}_high"]] = bounds.round(2)
    return needs.join(_energy(projects, day or dt.date.today()))


def _energy(projects: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """How each project is connected, which energy review it triggers, and what its electricity costs a year.

    The bill is that of the project's own load factor, by demand; `bill_by_capacity_…` where the basic charge goes by
    the capacity of its transformers, used in full at the peak: as many kW a kVA as the power factor.
    """
    grid, segments, load = toml.table("grid"), catalog.segments(), portfolio.load_factors(projects)
    power, gwh = (portfolio.amount(projects, need) for need in ("power_mva", "energy_gwh"))
    levels = [voltages(one, grid=grid) for one in power.tolist()]
    reviews = [energy_review(one, grid=grid, on=day) for one in gwh.tolist()]
    said: dict[str, list[Fault]] = {}
    for fault in portfolio.warnings(projects):
        said.setdefault(str(fault.place.name), []).append(fault)
    doubts = [said.get(str(one), []) for one in projects.index]
    offered = {stage: _support(stage, day) for stage in {segments[key].stage for key in projects["segment"]}}
    of_stage = [offered[segments[key].stage] for key in projects["segment"]]
    table = {
        "voltage_kv": ["/".join(f"{kv:g}" for kv in one) for one in levels],
        "dual_supply": [segments[key].dual_supply for key in projects["segment"]],
        **{f"energy_tce_{end}": [getattr(one.tce, end) for one in reviews] for end in _ENDS},
        "review": [one.review for one in reviews],
        "review_zh": [one.words_zh for one in reviews],
        "review_en": [one.words_en for one in reviews],
        **{f"load_factor_{end}": load[:, at] for at, end in enumerate(_ENDS)},
        **_bills(gwh, load, np.array([max(one[0], 10.0) for one in levels]), day),
        **{f"check_{language}": [_said(one, language) for one in doubts] for language in LANGUAGES},
        **{name: [one[name] for one in of_stage] for name in _SUPPORT},
    }
    return pd.DataFrame(table, index=range(len(projects))).round(4)


def _bills(gwh: np.ndarray, load: np.ndarray, voltage: np.ndarray, day: dt.date) -> dict[str, Any]:
    """What P plants pay a year, charged by demand and by capacity, and by which notices."""
    tariffs, loading = toml.table("tariffs"), plant_needs.power_factor()
    tariff, remarks = tariff_on(tariffs, day), remarks_on(tariffs, day)
    demand, capacity, price = np.empty(gwh.shape), np.empty(gwh.shape), np.empty(gwh.shape)
    for kv in np.unique(voltage):
        mine = voltage == kv
        plants: dict[str, Any] = {"tariff": tariff, "voltage_kv": float(kv)}
        found = costs(gwh[mine], load[mine], **plants)
        other = costs(gwh[mine], load[mine], **plants, transformer_loading=loading)
        demand[mine], price[mine] = found.energy_wan_yuan + found.basic_wan_yuan, found.price_yuan_kwh
        capacity[mine] = other.energy_wan_yuan + other.basic_wan_yuan
    return {
        "transformer_loading": loading,
        **{f"bill_10k_yuan_{end}": demand[:, at] for at, end in enumerate(_ENDS)},
        "price_yuan_kwh": price[:, 1],
        "tariff": label_of(tariff),
        **{f"bill_by_capacity_10k_yuan_{end}": capacity[:, at] for at, end in enumerate(_ENDS)},
        "tariff_zh": "".join(one.zh for one in remarks),
        "tariff_en": " ".join(one.en for one in remarks),
    }


_ENDS = ("low", "likely", "high")
_SUPPORT = ("support_most_10k_yuan", "support_zh", "support_en")


def _said(faults: list[Fault], language: Language) -> str:
    """What is outside sense, and what to do, in one text."""
    colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
    words = [fault.words(language) for fault in faults]
    return stop.join(f"{one.where}{colon}{one.what}{stop}{one.remedy}" for one in words)


def _support(stage: str, day: dt.date) -> dict[str, str | float]:
    """What the policy offers in the clauses' own words; no amount, as none of its bases is asked of a project."""
    offered = offers(stage, on=day)
    first = [one.rule.found for one in offered[:1]]
    said = [one.words for one in offered if one.is_counted] or [Text(zh=o.words("zh"), en=o.words("en")) for o in first]
    words = {"support_zh": "\n".join(one.zh for one in said), "support_en": "\n".join(one.en for one in said)}
    return {"support_most_10k_yuan": float("nan"), **words}
