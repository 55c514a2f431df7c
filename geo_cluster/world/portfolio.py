"""A portfolio of projects: read from a spreadsheet, checked row by row, needs estimated where not stated.

Only segment and output are required. Needs that are left empty are estimated from the segment's requirement ranges
(`tables/requirements.toml`) and stay intervals. Investment, tax, jobs and the year that power is needed are nobody's to
estimate: left empty they are unknown (nan), never zero.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.domain import ResourceKind, Segment
from geo_cluster.errors import A_SHEET, Fault, Faults, InputError, Place, refuse_if
from geo_cluster.world import catalog, plant_needs, spreadsheet
from geo_cluster.world.sheets import columns as columns_
from geo_cluster.world.sheets import table
from geo_cluster.world.sheets.calls import Calls
from geo_cluster.world.sheets.columns import Understood
from geo_cluster.world.sheets.words import head

_ABOUT = {
    "id": "编号",
    "name": "名称",
    "segment": "细分环节",
    "output_100m_yuan": "年产值(亿元)",
    "year": "投产年份",
}
_REQUIRED = ("segment", "output_100m_yuan")
STATED = ("investment_100m_yuan", "tax_100m_yuan", "jobs")
"""Amounts that only the project itself can state; each is `<amount>_low`, `<amount>_likely`, `<amount>_high`."""

PER_MU = {"investment_10k_yuan_per_mu": "investment_100m_yuan", "tax_10k_yuan_per_mu": "tax_100m_yuan"}
"""Amounts per mu of land, in 10,000 yuan, and the amount that each is made of."""
_10K_PER_100M = 1e4
_BESIDES = {
    "max_minutes": "最长门到门时间(分钟)",
    "investment_100m_yuan": "总投资(亿元)",
    "tax_100m_yuan": "年税收(亿元)",
    "jobs": "就业(人)",
    "power_year": "需电年份",
    "split_into": "可分几份",
    "notes": "备注",
}

PORTFOLIO = Place("", kind="portfolio")
"""Where the faults of a portfolio are that was read from no file."""

SPLIT = "split_into"
"""Into how many equal shares a project may be split; a column of the result only where some project may be."""

MOST_SHARES = 5
_LARGEST = 1e9  # no plant needs or yields more, in any of the units
_UNUSUAL = 5  # a stated need so many times outside its range is most likely in another unit
_OUTPUTS = (0.05, 600.0)  # 100 M yuan a year: announced laser plants and parks have 1.2 to 600
_ENDS = ("low", "likely", "high")
_SPAN = re.compile(r"^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?:-(\d+(?:\.\d+)?(?:e[+-]?\d+)?))?$")
_YEAR = re.compile(r"^(20\d\d|2100)$")


def columns() -> dict[str, str]:
    """Columns of a portfolio file: the key and its Chinese heading; either may be used, and those of `former`."""
    asked = {kind.asked.column: kind.asked.heading.zh for kind in catalog.resources().values()}
    return _ABOUT | asked | _BESIDES


def former() -> dict[str, str]:
    """Headings of files of earlier versions, which are still read, and the key of each (`tables/imports.toml`)."""
    return toml.table("imports")["former"]["projects"]


def declared() -> dict[str, dict[str, Any]]:
    """How each column is called and read (`tables/imports.toml`); those of resources follow from `resources.toml`."""
    said = toml.table("imports")["projects"]
    rows = dict(said["columns"])
    for one in (kind.asked for kind in catalog.resources().values()):
        row = {**one.heading.model_dump(), "example": one.example, "help": said["resource_help"], "unit": one.unit.zh}
        row["aliases"] = [one.name.zh, one.name.en, *said["resource_aliases"].get(one.column, ())]
        row |= {"also": said["resource_also"].get(one.column, [])}
        rows[one.column] = row | said["resource_reads"].get(one.column, {})
    earlier = former().items()
    return {
        key: {**rows[key], "aliases": [*rows[key].get("aliases", ()), *(one for one, meant in earlier if meant == key)]}
        for key in columns()
    }


def calls() -> Calls:
    """What the columns are called."""
    mark = tuple(columns().items())
    if mark not in _calls:
        _calls.clear()
        _calls[mark] = Calls(declared())
    return _calls[mark]


_calls: dict[tuple[tuple[str, str], ...], Calls] = {}


def needs() -> tuple[str, ...]:
    """Quantities a project takes; each is `<need>_low`, `<need>_likely`, `<need>_high` in the result."""
    return tuple(kind.asked.column for kind in catalog.resources().values())


def read(name_or_path: str | Path) -> pd.DataFrame:
    """Read and check a portfolio: a shipped one by name, or a CSV or XLSX file by path.

    Returns
    -------
    DataFrame
        One row a project, indexed by `id`: name, segment, output_100m_yuan, year, power_year, max_minutes, notes;
        low/likely/high of each of `STATED`, nan where the file doesn't state it; low/likely/high of each of `needs()`
        with `<need>_given` (True where the file states it).

    Raises
    ------
    InputError
        With every fault of every row.
    """
    path = toml.file_at(path_of(name_or_path), PORTFOLIO)
    if not path.exists():
        raise InputError(Fault("world.no_such_portfolio", path))
    return read_content(door.content_of(path), path.name)


def read_content(content: bytes, name: str) -> pd.DataFrame:
    """Read and check a portfolio from the bytes of a file; see `read`."""
    return checked(understood(content, name))


def understood(content: bytes, name: str) -> Understood:
    """A file of projects as people write them under our columns, with the faults of its headings and cells."""
    return columns_.understand(table.read(content, name, is_known), calls())


def is_known(heading: str) -> bool:
    """Whether a text is a heading of projects."""
    return bool(calls().of(heading).key)


def path_of(name_or_path: str | Path) -> Path:
    """Where a portfolio is: a shipped one by name, or a file of one's own."""
    shipped = catalog.PORTFOLIOS / f"{name_or_path}.csv"
    return shipped if toml.is_file(shipped) else Path(name_or_path)


def read_text(content: bytes, name: str = "portfolio.csv") -> pd.DataFrame:
    """A portfolio file under the keys of `columns()`, in their units, and further columns as they came; for an editor.

    Cells that can't be read stay as they are, for `check` to name; what is to be told stands in `attrs["told"]`.

    Raises
    ------
    InputError
        Of headings; and of cells that would pass for right under our headings: without a unit, merged, formulas.
    """
    found = understood(content, name)
    refuse_if([*(fault for fault in found.faults if not fault.row), *_missing(found)])
    text = as_text(found)
    refuse_if(_hidden(found, text))
    text.attrs["told"] = [note.model_dump() for note in found.notes]
    return text.reset_index(drop=True)


def _hidden(found: Understood, text: pd.DataFrame) -> list[Fault]:
    """Faults of cells that have none once they stand under our headings."""
    if not found.faults:
        return []
    titles, rows = columns(), {row: k for k, row in enumerate(text.index, start=2)}
    ours = {heading: titles[key] for key, heading in found.headings.items()}
    again = columns_.understand(table.Table(own_table(text), PORTFOLIO), calls()).doubted
    return [one for one in found.faults if one.row in rows and (rows[one.row], ours.get(one.column)) not in again]


def kept_text(content: bytes) -> pd.DataFrame:
    """The text of a file that `write_text` wrote, every cell as it was; any other file as `read_text` gives it."""
    if not content.startswith(",".join(columns().values()).encode("utf-8-sig")):
        return read_text(content)
    keys = {heading: key for key, heading in columns().items()}
    return spreadsheet.read_csv(content).rename(columns=keys).astype(object)


def as_text(found: Understood) -> pd.DataFrame:
    """The text of an understood table with its further columns, those of one heading once."""
    extra = found.extra.loc[:, ~found.extra.columns.duplicated()]
    extra = extra[[one for one in extra if one not in columns() and str(one).strip() and not str(one).startswith("#")]]
    text = found.text.apply(lambda column: column.str.strip()).join(extra)
    return text[(found.text != "").any(axis=1)].astype(object)


def write_text(rows: pd.DataFrame) -> bytes:
    """Rows of `read_text` as a CSV file that spreadsheets open; each row gets an id that no other has."""
    ids, taken = [], set(rows["id"]) - {""}
    for one in rows["id"]:
        number = len(taken) + 1
        while not one:
            one = "" if f"P{number:02d}" in taken else f"P{number:02d}"
            number += 1
        taken.add(one)
        ids.append(one)
    further = [one for one in rows.columns if one not in columns()]
    return spreadsheet.as_csv(rows.assign(id=ids)[[*columns(), *further]].rename(columns=columns()))


def made_up(rows: pd.DataFrame) -> int:
    """How many of these projects are still those of the shipped sample (示例), by name or by note."""
    sample = rows["name"].astype(str).str.startswith("示例") | rows["notes"].astype(str).str.startswith("示例")
    return int(sample.sum())


def check(rows: pd.DataFrame, *, where: Place | str = PORTFOLIO) -> pd.DataFrame:
    """Check a table of projects with headings as people write them, and estimate what it leaves open; see `read`."""
    return checked(columns_.understand(table.Table(own_table(rows), where), calls()))


def own_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Text under the keys of `columns()` as a table under our headings, its first row the second."""
    frame = rows.rename(columns=columns()).reset_index(drop=True)
    frame.index += 2
    return frame.astype(object).where(frame.notna(), "").astype(str)


def checked(found: Understood) -> pd.DataFrame:
    """Check an understood table; what is to be told of it stands in `attrs["told"]`.

    Raises
    ------
    InputError
        With every fault of headings and cells.
    """
    faults = Faults(found.faults)
    faults += _missing(found)
    faults += _on_two_sheets(found)
    text = found.text[(found.text != "").any(axis=1)]
    if text.empty:
        raise InputError(faults or [Fault("world.no_project", found.table.place())])
    sound = dict(zip(_REQUIRED, (next(iter(catalog.segments())), "1"), strict=True))
    absent = {key: cell for key, cell in sound.items() if key not in found.headings}
    text = pd.DataFrame({key: cells.str.strip() for key, cells in text.items()} | absent, index=text.index)
    ours = Faults()
    try:
        projects = _projects(text, Written(found), ours)
    except InputError as refusal:
        faults += found.without(refusal.faults)
        raise InputError(faults) from None
    refuse_if(faults)
    projects.attrs["told"] = [note.model_dump() for note in found.notes]
    return projects


def _missing(found: Understood) -> list[Fault]:
    """Faults of required columns that there are not."""
    titles = columns()
    return [
        Fault("world.column_required", found.table.place(0, titles[key]))
        for key in _REQUIRED
        if key not in found.headings
    ]


def _on_two_sheets(found: Understood) -> list[Fault]:
    """Faults of projects that two sheets of a workbook name: the same, or as they were and are."""
    names, out = found.text["name"], []
    sheets = [row // A_SHEET for row in found.text.index]
    first: dict[str, int] = {}
    for row, sheet, name in zip(found.text.index, sheets, names, strict=True) if sheets[-1:] > [0] else ():
        if name and first.setdefault(name, sheet) != sheet:
            earlier = found.table.parts[first[name]]
            out.append(Fault("world.on_two_sheets", Written(found).place(row, "name"), value=name, earlier=earlier))
    return out


class Written:
    """Where the cells of an understood table stand, under its own headings, and what stands there."""

    def __init__(self, found: Understood):
        self.found = found

    def place(self, row: int, key: str) -> Place:
        """Of a cell."""
        return self.found.table.place(int(row), self.found.headings.get(key, columns()[key]))

    def cell(self, row: int, key: str) -> str:
        """The text as it came."""
        heading = self.found.headings.get(key)
        if heading is None:
            return ""
        return str(self.found.table.frame.iloc[:, self.found.position(key)].loc[row]).strip()


def _projects(text: pd.DataFrame, where: Written, faults: Faults) -> pd.DataFrame:
    ids = text["id"].where(text["id"] != "", [f"P{number:02d}" for number in range(1, len(text) + 1)])
    faults += (Fault("world.id_twice", where.place(row, "id"), value=ids[row]) for row in _where(ids.duplicated()))
    segment = _segments(text["segment"], where, faults)
    output = _intervals(text["output_100m_yuan"], where, faults, positive=True)
    faults += (
        Fault("world.no_output", where.place(row, "output_100m_yuan")) for row in _where(text["output_100m_yuan"] == "")
    )
    stated = {need: _intervals(text[need], where, faults, positive=True) for need in needs()}
    amounts = {key: _intervals(text[key], where, faults, positive=True) for key in STATED}
    faults += (
        Fault("world.not_whole", where.place(text.index[number], "jobs"), value=where.cell(text.index[number], "jobs"))
        for number in np.flatnonzero(
            (np.abs(amounts["jobs"] - np.round(amounts["jobs"])) > 1e-6)[:, [0, 2]].any(axis=1)
        )
    )
    years = {key: _years(text[key], where, faults) for key in ("year", "power_year")}
    minutes = _intervals(text["max_minutes"], where, faults, positive=True)
    shares = _shares(text[SPLIT], where, faults)
    faults += _beyond_capacity(stated, text.index, where)
    refuse_if(faults)

    declared = catalog.segments()
    estimated = estimate(segment, output, stated)
    made: dict[str, Any] = {"name": text["name"].where(text["name"] != "", ids), "segment": segment}
    made["output_100m_yuan"] = output[:, 1]
    for key, bounds in amounts.items():
        made |= _ends(key, bounds)
    for key, year in years.items():
        made[key] = pd.array(year, dtype="Float64").astype("Int64")
    usual = np.array([declared[key].max_minutes for key in segment])
    made["max_minutes"] = np.where(np.isnan(minutes[:, 1]), usual, minutes[:, 1])
    made["max_minutes_given"] = ~np.isnan(minutes[:, 1])
    for need in needs():
        is_stated = ~np.isnan(stated[need][:, 1])
        made |= _ends(need, np.where(is_stated[:, None], stated[need], estimated[need]))
        made[f"{need}_given"] = is_stated
    if shares.any():
        made[SPLIT] = shares
    made["notes"] = text["notes"]
    projects = pd.DataFrame(made, index=text.index)
    projects.index = pd.Index(ids, name="id")
    return projects


def _ends(key: str, bounds: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of a quantity: (P, 3) low, likely, high."""
    return dict(zip((f"{key}_low", f"{key}_likely", f"{key}_high"), bounds.T, strict=True))


def _years(column: pd.Series, where: Written, faults: Faults) -> np.ndarray:
    """(P,) whole years from 2000 to 2100, with or without 年; nan where empty."""
    found = column.map(lambda cell: _YEAR.match(cell))
    odd = (column != "") & found.isna()
    faults += (
        Fault("world.not_a_year", where.place(row, str(column.name)), value=where.cell(row, str(column.name)))
        for row in _where(odd)
    )
    return np.array([float(one[1]) if one else np.nan for one in found])


def _shares(column: pd.Series, where: Written, faults: Faults) -> np.ndarray:
    """(P,) numbers of equal shares, 0 where a project goes whole: empty, 0 or 1."""
    known = {"": 0, "0": 0, "1": 0} | {str(count): count for count in range(2, MOST_SHARES + 1)}
    faults += (
        Fault("world.not_shares", where.place(row, SPLIT), value=where.cell(row, SPLIT), most=MOST_SHARES)
        for row in _where(~column.isin(known))
    )
    return np.array([known.get(cell, 0) for cell in column])


def amount(projects: pd.DataFrame, key: str) -> np.ndarray:
    """(P, 3) low, likely, high of a quantity of checked projects: one of `needs()` or of `STATED`."""
    return projects[[f"{key}_low", f"{key}_likely", f"{key}_high"]].to_numpy(float)


def per_mu(projects: pd.DataFrame) -> dict[str, np.ndarray]:
    """What projects bring per mu of the land they need.

    Parameters
    ----------
    projects : DataFrame
        P checked projects.

    Returns
    -------
    dict
        (P, 3) array of each of `PER_MU`: low, likely, high in 10,000 yuan a mu (tax: a year); the least amount over
        the most land is the low end. nan where the amount is unknown.
    """
    land = amount(projects, "land_mu")[:, ::-1]
    return {key: amount(projects, source) * _10K_PER_100M / land for key, source in PER_MU.items()}


MOST_TIMES = {"investment_100m_yuan": 50.0, "tax_100m_yuan": 0.5, "jobs": 2000.0}
"""From how many times the annual output (of jobs: per 100 M yuan of it) on an amount is questioned.

Announced laser plants have 0.04 to 8.2 times their output of investment, and at most about 900 jobs per 100 M yuan.
"""


def estimate(
    segment: list[str], output: np.ndarray, stated: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Needs of plants from the requirement ranges of their segments.

    Parameters
    ----------
    segment : list of str, length P
        Keys of `catalog.segments()`.
    output : (P, 3) array
        Annual output in 100 M yuan: low, likely, high.
    stated : mapping of (P, 3) arrays, optional
        What is known, nan where nothing is. Of capacity and energy the one that isn't stated follows from the one that
        is, by the segment's load factor, so that they agree; of land and floor likewise, by its plot ratio.

    Returns
    -------
    dict
        (P, 3) array of each of `needs()`: low, likely, high, in its unit.
    """
    segments = [catalog.segments()[key] for key in segment]
    found = {
        kind.asked.column: plant_needs.product(ESTIMATES[kind.estimate](kind, segments), output)
        for kind in catalog.resources().values()
    }
    plot = plant_needs.spread([one.plot_ratio for one in segments])
    land, floor = ((stated or {}).get(need, np.full(output.shape, np.nan)) for need in ("land_mu", "floor_m2"))
    is_land, is_floor = ~np.isnan(land[:, [1]]), ~np.isnan(floor[:, [1]])
    found["floor_m2"] = np.where(is_land & ~is_floor, plant_needs.floor_of_land(land, plot), found["floor_m2"])
    found["land_mu"] = np.where(is_floor & ~is_land, plant_needs.land_of_floor(floor, plot), found["land_mu"])
    mva, gwh = ((stated or {}).get(need, np.full(output.shape, np.nan)) for need in ("power_mva", "energy_gwh"))
    is_mva, is_gwh = ~np.isnan(mva[:, [1]]), ~np.isnan(gwh[:, [1]])
    load = plant_needs.spread([one.load_factor for one in segments])
    energy, capacity = plant_needs.energy_of_capacity(mva, load), plant_needs.capacity_of_energy(gwh, load)
    found["energy_gwh"] = np.where(is_mva & ~is_gwh, energy, found["energy_gwh"])
    found["power_mva"] = np.where(is_gwh & ~is_mva, capacity, found["power_mva"])
    return found


def _of(project: str, heading: str) -> Place:
    """A quantity of a checked project."""
    return Place(str(project), kind="project", column=heading)


def warnings(projects: pd.DataFrame) -> list[Fault]:
    """What of checked projects is possible but outside sense; said, not refused.

    A load factor outside that of `tables/requirements.toml`, where capacity and energy are both stated; a stated need
    that is less than a fifth or more than five times what the segment's range spans; an amount out of proportion to the
    output (mostly 万元 written for 亿元), an output far from that of plants; power that is needed only after production
    has begun.
    """
    usual, faults, titles = toml.table("requirements")["load_factor"], [], columns()
    factor = load_factors(projects)[:, 1]
    both = projects["power_mva_given"].to_numpy() & projects["energy_gwh_given"].to_numpy()
    for number in np.flatnonzero(both & ~((usual["low"] <= factor) & (factor <= usual["high"]))):
        row, at = projects.iloc[number], _of(projects.index[number], titles["energy_gwh"])
        about = {"gwh": row["energy_gwh_likely"], "mva": row["power_mva_likely"], "factor": float(factor[number])}
        faults.append(Fault("world.load_factor_unusual", at, **about, low=usual["low"], high=usual["high"]))
    output = np.repeat(projects[["output_100m_yuan"]].to_numpy(float), 3, axis=1)
    for need, guess in estimate(projects["segment"].tolist(), output).items():
        stated, (low, _, high) = amount(projects, need)[:, 1], guess.T
        odd = projects[f"{need}_given"].to_numpy() & ~((low / _UNUSUAL <= stated) & (stated <= high * _UNUSUAL))
        for number in np.flatnonzero(odd):
            said = {"value": float(stated[number]), "low": _rough(low[number]), "high": _rough(high[number])}
            faults.append(Fault("world.need_unusual", _of(projects.index[number], titles[need]), **said))
    for number in np.flatnonzero((output[:, 1] < _OUTPUTS[0]) | (output[:, 1] > _OUTPUTS[1])):
        at = _of(projects.index[number], titles["output_100m_yuan"])
        faults.append(Fault("world.output_unusual", at, value=float(output[number, 1])))
    for key, most in MOST_TIMES.items():
        value = projects[f"{key}_likely"].to_numpy(float)
        for number in np.flatnonzero(value > most * output[:, 1]):
            said = {"value": float(value[number]), "output": float(output[number, 1])}
            faults.append(Fault("world.amount_beyond_output", _of(projects.index[number], titles[key]), **said))
    late = (projects["power_year"] > projects["year"]).fillna(False).to_numpy(bool)
    for project, power, year in projects.loc[late, ["power_year", "year"]].itertuples():
        at = _of(project, titles["power_year"])
        faults.append(Fault("world.power_after_start", at, power=int(power), year=int(year)))
    return faults


def past_faults(projects: pd.DataFrame, day: datetime.date) -> list[Fault]:
    """Checked projects that begin, or need power, in a year before that of a day."""
    return [
        Fault("world.project_before", Place("", kind="project", entry=str(one), key=key), year=int(year), day=str(day))
        for key in ("year", "power_year")
        for one, year in (projects[key].items() if key in projects else ())
        if not pd.isna(year) and year < day.year
    ]


def _rough(number: float) -> float:
    """A number to three digits, to be shown."""
    return float(f"{number:.3g}")


def load_factors(projects: pd.DataFrame) -> np.ndarray:
    """(P, 3) load factor of checked projects: of energy and capacity where both are stated, else the segment's."""
    mva, gwh = (projects[[f"{need}_{end}" for end in _ENDS]].to_numpy(float) for need in ("power_mva", "energy_gwh"))
    both = projects["power_mva_given"].to_numpy() & projects["energy_gwh_given"].to_numpy()
    usual = plant_needs.spread([catalog.segments()[key].load_factor for key in projects["segment"]])
    return np.where(both[:, None], np.minimum(plant_needs.load_factor(gwh, mva), 1.0), usual)


def by_output(kind: ResourceKind, segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) per 100 M yuan of annual output: the range of the segment."""
    return plant_needs.spread([segment.needs[kind.asked.column] for segment in segments])


def installed_power(_: ResourceKind, segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) MVA per 100 M yuan of annual output: see `plant_needs.capacity_mva`."""
    return plant_needs.capacity_mva(segments)


def built_floor(_: ResourceKind, segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) m² of floor per 100 M yuan of annual output: see `plant_needs.floor_m2`."""
    return plant_needs.floor_m2(segments)


def used_energy(_: ResourceKind, segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) GWh per 100 M yuan of annual output: see `plant_needs.energy_gwh`."""
    return plant_needs.energy_gwh(segments)


ESTIMATES: dict[str, Callable[[ResourceKind, Sequence[Segment]], np.ndarray]] = {
    function.__name__: function for function in (by_output, built_floor, installed_power, used_energy)
}
"""What projects take where nobody says, by the name in `tables/resources.toml`."""


def _beyond_capacity(stated: Mapping[str, np.ndarray], rows: pd.Index, where: Written) -> Iterator[Fault]:
    """Projects whose energy does not pass through their capacity in a year, both stated."""
    mva, gwh = stated["power_mva"], stated["energy_gwh"]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = gwh[:, 1] / (mva[:, 1] * plant_needs.power_factor() * plant_needs.GWH_PER_MW)
    for number in np.flatnonzero(factor > 1):
        most = mva[number, 1] * plant_needs.power_factor() * plant_needs.GWH_PER_MW
        at = where.place(rows[number], "energy_gwh")
        yield Fault("world.energy_beyond_capacity", at, gwh=gwh[number, 1], mva=mva[number, 1], most=most)


def _where(mask: pd.Series) -> list[int]:
    return mask.index[mask].tolist()


def _segments(column: pd.Series, where: Written, faults: Faults) -> list[str]:
    keys: dict[str, str] = {}
    for key, segment in catalog.segments().items():
        keys |= dict.fromkeys((head(key), head(segment.name.zh), head(segment.name.en)), key)
    known = [segment.name for segment in catalog.segments().values()]
    found = [keys.get(head(value), "") for value in column]
    faults += (
        Fault("world.not_a_segment", where.place(row, "segment"), value=column[row], known=known)
        for row, key in zip(column.index, found, strict=True)
        if not key
    )
    return found


def _intervals(column: pd.Series, where: Written, faults: Faults, *, positive: bool) -> np.ndarray:
    """(P, 3) low, likely, high of cells like `30` or `25-35`; nan where empty."""
    key, bounds = str(column.name), np.full((len(column), 3), np.nan)
    for number, (row, cell) in enumerate(column.items()):
        if cell == "":
            continue
        span = _SPAN.match(cell)
        low, high = (float(span[1]), float(span[2] or span[1])) if span else (np.nan, np.nan)
        bounds[number] = low, (low + high) / 2, high
        if not (0 < low <= high <= _LARGEST):  # where a cell stands takes long to say, so only of those that are wrong
            faults += _beyond(low, high, where.place(row, key), where.cell(row, key), positive=positive)
    return bounds


def _beyond(low: float, high: float, at: Place, said: str, *, positive: bool) -> list[Fault]:
    """What is wrong with a range; nan where it is none."""
    if np.isnan(low):
        return [Fault("world.not_a_number_or_range", at, value=said)]
    if low > high:
        return [Fault("world.range_backwards", at, value=said)]
    if high > _LARGEST:
        return [Fault("world.number_too_large", at, value=said)]
    return [Fault("world.number_not_above_zero", at, value=said)] if positive and low <= 0 else []
