"""What parks ask of projects per mu before they get standard land （标准地门槛）: pass, fail or unknown.

The thresholds are `tables/doors.toml`: only those that a source states. A project that fails is not ruled out by it.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from geo_cluster.domain import Door, Language, Text
from geo_cluster.supply import pools
from geo_cluster.world import catalog, portfolio

Verdict = Literal["pass", "fail", "unknown"]
NO_LAND = Text(
    zh="标准厂房不供地，标准地门槛不适用；租用条件须问",
    en="A standard factory grants no land, so no threshold applies; ask for its terms",
)
NOT_FOUND = Text(zh="未查到本园区的标准地门槛", en="No standard-land threshold of this site was found")
_OF_RULE = ("number", "valid_from", "valid_to", "publisher", "source", "source_class", "confidence", "note")
NEARLY = 1e-9
"""Share of a threshold that rounding may take."""


@dataclass(frozen=True, eq=False)
class DoorChecks:
    """P projects against the D doors of S sites.

    Attributes
    ----------
    projects, sites : tuple of str
    doors : tuple of Door
    day : date
        When it is asked.
    holds : (D, S) array of bool
        Which sites a door is of.
    inherited : (D, S) array of bool
        Where it is the door of the zone that the site lies in.
    value : (D, P, 3) array
        Low, likely and high of what each project brings; nan where unknown.
    verdict : (D, P) array of str
        `pass`, `fail` or `unknown` of each project at each door, wherever it stands.
    """

    projects: tuple[str, ...]
    sites: tuple[str, ...]
    doors: tuple[Door, ...]
    day: datetime.date
    holds: np.ndarray
    inherited: np.ndarray
    value: np.ndarray
    verdict: np.ndarray
    without_land: tuple[str, ...] = ()
    """Sites that are standard factories: no door applies to them."""

    @cached_property
    def result(self) -> np.ndarray:
        """(P, S) array of str: `fail` where a door of the site is failed, `pass` where it has doors and all are passed.

        Anything else is `unknown`, a site of which no door is known above all.
        """
        at = self.holds.astype(int)
        failed, passed = ((self.verdict == word).T.astype(int) @ at for word in ("fail", "pass"))
        found = np.where((passed == at.sum(axis=0)) & (passed > 0), "pass", "unknown")
        return np.where(failed > 0, "fail", found)

    def result_of(self, project: np.ndarray, site: np.ndarray) -> np.ndarray:
        """(E,) array of str: `result` of pairs.

        Parameters
        ----------
        project, site : (E,) int arrays
            Places in `projects` and `sites`.
        """
        at, verdict = self.holds[:, site], self.verdict[:, project]
        failed, passed = ((at & (verdict == word)).sum(axis=0) for word in ("fail", "pass"))
        found = np.where((passed == at.sum(axis=0)) & (passed > 0), "pass", "unknown")
        return np.where(failed > 0, "fail", found)

    def of(self, site: str, project: int = 0) -> Verdict:
        """The verdict of one project at a site, by the site's id."""
        return self.result[project, self.sites.index(site)]

    @cached_property
    def known(self) -> np.ndarray:
        """(S,) array of bool: whether any door of the site is known."""
        return np.asarray(self.holds.any(axis=0))

    def sentence(self, project: int, site: int, language: Language) -> str:
        """Every door of a site for a project: the value, the threshold, by how much, the rule and its date.

        Parameters
        ----------
        project, site : int
            Places in `projects` and `sites`.
        language : {"zh", "en"}
        """
        at = np.flatnonzero(self.holds[:, site]).tolist()
        if not at:
            return (NO_LAND if self.sites[site] in self.without_land else NOT_FOUND)[language]
        found: dict[str, list[str]] = {}
        for door in at:
            value, verdict = self.value[door, project], str(self.verdict[door, project])
            said = _said(self.doors[door], value, verdict, self.day, language)
            found.setdefault(self._rule(door, site, language), []).append(said)
        end, rule = ("；", "{}（{}）") if language == "zh" else ("; ", "{} ({})")
        return end.join(rule.format(end.join(said), basis) for basis, said in found.items())

    def sentences_of(self, project: np.ndarray, site: np.ndarray, language: Language) -> np.ndarray:
        """(E,) array of str: `sentence` of pairs.

        Parameters
        ----------
        project, site : (E,) int arrays
            Places in `projects` and `sites`.
        language : {"zh", "en"}
        """
        without = np.isin(self.sites, self.without_land)
        found = np.where(without, NO_LAND[language], NOT_FOUND[language]).astype(object)[site]
        said: dict[tuple[object, ...], str] = {}  # most projects state nothing, and are told the same
        for at in np.flatnonzero(self.known[site]).tolist():
            p, s = int(project[at]), int(site[at])
            mine = (s, self.value[self.holds[:, s], p].tobytes())
            if mine not in said:
                said[mine] = self.sentence(p, s, language)
            found[at] = said[mine]
        return found

    def _rule(self, door: int, site: int, language: Language) -> str:
        """The rule of a door: title, number, dates, whose it is, how far it binds."""
        one, is_zh = self.doors[door], language == "zh"
        parts = [one.title[language], one.number]
        parts.append(f"{one.valid_from:%Y-%m-%d}" + ("起" if is_zh else " on"))
        if one.valid_to:
            parts.append(f"至 {one.valid_to}" if is_zh else f"until {one.valid_to}")
        else:
            parts.append("有效期未载" if is_zh else "no end stated")
        if not one.binds:
            parts.append("仅对公告地块有约束，其余比照" if is_zh else "binds the listed parcels only")
        if self.inherited[door, site]:
            parts.append(f"随所在开发区 {one.site}" if is_zh else f"of the zone it lies in, {one.site}")
        return ("，" if is_zh else ", ").join(part for part in parts if part)

    def table(self) -> pd.DataFrame:
        """One row a project, site and door: who, what, the threshold, the value, `result`, `short`, the rule.

        `short` is how much the likely value is below the threshold (negative where above); nan where unknown.
        """
        door, site = np.nonzero(self.holds)
        count = len(self.projects)
        d, s, p = np.tile(door, count), np.tile(site, count), np.repeat(np.arange(count), len(door))
        doors, declared = [self.doors[one] for one in d], catalog.door_indicators()
        value = self.value[d, p].reshape(-1, 3)
        table = pd.DataFrame({"project": np.array(self.projects, dtype=object)[p]})
        table["site"] = np.array(self.sites, dtype=object)[s]
        table["indicator"] = [one.indicator for one in doors]
        table["indicator_zh"] = [declared[one.indicator].name.zh for one in doors]
        table["indicator_en"] = [declared[one.indicator].name.en for one in doors]
        table["unit"] = [unit.zh if (unit := declared[one.indicator].unit) else "" for one in doors]
        table["least"] = [one.least for one in doors]
        table[["low", "likely", "high"]] = value.round(2)
        table["result"] = self.verdict[d, p]
        table["short"] = (table["least"] - value[:, 1]).round(2)
        table["binds"] = [one.binds for one in doors]
        table["counts"] = [one.counts for one in doors]
        table["inherited_from"] = [
            self.doors[a].site if self.inherited[a, b] else "" for a, b in zip(d, s, strict=True)
        ]
        table["rule"] = [one.title.zh for one in doors]
        table["issuer"] = [one.issuer.zh for one in doors]
        for key in _OF_RULE:
            table[key] = ["" if getattr(one, key) is None else str(getattr(one, key)) for one in doors]
        return table


def door_checks(projects: pd.DataFrame, sites: pd.DataFrame, day: datetime.date) -> DoorChecks:
    """Check every project against the standard-land doors of every site.

    Parameters
    ----------
    projects : DataFrame
        P checked projects (`portfolio.check`).
    sites : DataFrame
        S sites, with `id`, and `zone_id` where the zone is known that a park lies in. A standard factory has no door.
    day : date
        A rule that isn't valid on it gives no verdict.

    Returns
    -------
    DoorChecks
        A project passes at a door when its low end reaches the threshold, fails when its high end doesn't, and is
        unknown where its interval straddles it, where it states no amount, or where the rule isn't valid on the day.
    """
    doors, ids = _on(day), sites["id"].to_numpy(object)
    zones, factory = pools.zone_of(sites), pools.is_factory(sites)
    own = np.array([(ids == door.site) & ~factory for door in doors], dtype=bool).reshape(len(doors), len(ids))
    asked = np.array([door.indicator for door in doors])
    has_own = np.array([own[asked == one].any(axis=0) for one in asked], dtype=bool).reshape(own.shape)
    inherited = np.array([zones == door.site for door in doors], dtype=bool).reshape(own.shape) & ~has_own
    amounts = portfolio.per_mu(projects)
    unknown = np.full((len(projects), 3), np.nan)
    value = np.stack([amounts.get(door.indicator, unknown) for door in doors])
    verdict = np.stack([_verdict(door, found, day) for door, found in zip(doors, value, strict=True)])
    without_land, holds = tuple(ids[factory]), own | inherited
    return DoorChecks(tuple(projects.index), tuple(ids), doors, day, holds, inherited, value, verdict, without_land)


def _on(day: datetime.date) -> tuple[Door, ...]:
    """The doors valid on a day, and those that aren't where no other version of them is."""
    valid = {(door.site, door.indicator) for door in catalog.doors() if door.is_valid(day)}
    return tuple(one for one in catalog.doors() if one.is_valid(day) or (one.site, one.indicator) not in valid)


def _verdict(door: Door, value: np.ndarray, day: datetime.date) -> np.ndarray:
    """(P,) verdicts of (P, 3) values at a door."""
    if not door.is_valid(day):
        return np.full(len(value), "unknown", dtype=object)
    least = door.least * (1 - NEARLY)
    passes = (value[:, 0] >= least) & (door.counts == "total")
    return np.where(value[:, 2] < least, "fail", np.where(passes, "pass", "unknown")).astype(object)


def shown(number: float) -> str:
    """A number as people read it: none of its digits before the point is lost, three count in all.

    >>> shown(0.035), shown(2.5), shown(24.64), shown(1250.4)
    ('0.035', '2.5', '24.6', '1,250')
    """
    if number == 0:
        return "0"
    digits = min(max(2 - math.floor(math.log10(abs(number))), 0), 6)
    text = f"{number:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval(value: np.ndarray) -> str:
    """Low to high of (3,) low, likely, high as text; one number where they are the same, '' where unknown.

    >>> interval(np.array([24.6, 30.0, 1250.4]))
    '24.6–1,250'
    """
    if np.isnan(value).any():
        return ""
    low, high = shown(value[0]), shown(value[2])
    return low if low == high else f"{low}–{high}"


def _said(door: Door, value: np.ndarray, verdict: str, day: datetime.date, language: Language) -> str:
    """What a door asks and what the project brings, in a clause."""
    about, brings = catalog.door_indicators()[door.indicator], interval(value)
    if not door.is_valid(day):
        kind = "outside"
    elif not brings:
        kind = "unstated"
    elif verdict == "unknown":
        kind = "fixed" if door.counts == "fixed" and value[0] >= door.least * (1 - NEARLY) else "straddles"
    else:
        kind = verdict
    gap = shown(door.least - value[2]) if kind == "fail" else ""
    unit = about.unit.zh if about.unit and language == "zh" else ""
    name = about.name.zh if language == "zh" else about.title("en")
    said = {"name": name, "brings": f"{brings} {unit}".rstrip(), "asked": f"{shown(door.least)} {unit}".rstrip()}
    return _CLAUSES[kind][language].format(**said, least=shown(door.least), gap=gap, day=day)


_CLAUSES = {
    "pass": Text(
        zh="{name} {brings}，达到门槛 {least}",
        en="{name} {brings}: meets the threshold of {least}",
    ),
    "fail": Text(
        zh="{name} {brings}，低于门槛 {least}，至少差 {gap}",
        en="{name} {brings}: below the threshold of {least} by {gap} at least",
    ),
    "straddles": Text(
        zh="{name} {brings}，门槛 {least} 落在区间内，用地和金额核实后才能定",
        en="{name} {brings}: the threshold of {least} lies within; open until land and amount are settled",
    ),
    "fixed": Text(
        zh="{name} {brings}（按总投资），门槛 {least} 按固定资产投资计，须另核",
        en="{name} {brings} by total investment; the threshold of {least} counts fixed investment: verify",
    ),
    "unstated": Text(zh="{name}未知，门槛 {asked}", en="{name} unknown; threshold {least}"),
    "outside": Text(
        zh="{name}门槛 {asked}在 {day} 不在有效期内，不作判断",
        en="{name}: the threshold of {least} is not valid on {day}, so no verdict",
    ),
}
