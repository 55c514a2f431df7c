"""A portfolio of projects: read from a spreadsheet, checked row by row, needs estimated where not stated.

Only segment and output are required. Whatever else is left empty is estimated from the segment's requirement
ranges (`tables/requirements.toml`) and stays an interval.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.box import door
from geo_cluster.domain import ResourceKind, Segment
from geo_cluster.errors import Fault, Faults, InputError, Place, place, refuse_if
from geo_cluster.world import catalog, plant_needs, spreadsheet, tabular

_ABOUT = {
    "id": "编号",
    "name": "名称",
    "segment": "环节",
    "output_100m_yuan": "年产值(亿元)",
    "year": "投产年份",
}
_REQUIRED = ("segment", "output_100m_yuan")
_BESIDES = {"max_minutes": "最长车程(分钟)", "notes": "备注"}

PORTFOLIO = Place("", kind="portfolio")
"""Where the faults of a portfolio are that was read from no file."""

_NUMBER = r"(\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?)"
_LARGEST = 1e9  # no plant needs or yields more, in any of the units
_UNUSUAL = 5  # a stated need so many times outside its range is most likely in another unit
_ENDS = ("low", "likely", "high")
_POINT = re.compile(rf"^(-?{_NUMBER})$")
_RANGE = re.compile(rf"^{_NUMBER}\s*(?:-|–|—|~|至|to)\s*{_NUMBER}$")


def columns() -> dict[str, str]:
    """Columns of a portfolio file: the key and its Chinese heading; either may be used."""
    asked = {kind.asked.column: kind.asked.heading.zh for kind in catalog.resources().values()}
    return _ABOUT | asked | _BESIDES


def needs() -> tuple[str, ...]:
    """Quantities a project takes; each is `<need>_low`, `<need>_likely`, `<need>_high` in the result."""
    return tuple(kind.asked.column for kind in catalog.resources().values())


def read(name_or_path: str | Path) -> pd.DataFrame:
    """Read and check a portfolio: a shipped one by name, or a CSV or XLSX file by path.

    Returns
    -------
    DataFrame
        One row a project, indexed by `id`: name, segment, output_100m_yuan, year, max_minutes, notes and
        low/likely/high of each of `needs()` with `<need>_given` (True where the file states it).

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
    """Read and check a portfolio from the bytes of a CSV or XLSX file; see `read`."""
    return _checked(_open(content, name), name)


def path_of(name_or_path: str | Path) -> Path:
    """Where a portfolio is: a shipped one by name, or a file of one's own."""
    shipped = catalog.PORTFOLIOS / f"{name_or_path}.csv"
    return shipped if toml.is_file(shipped) else Path(name_or_path)


def read_text(content: bytes, name: str = "portfolio.csv") -> pd.DataFrame:
    """A portfolio file as it is written: the text of its cells under the keys of `columns()`, for an editor.

    Only the headings are checked; cells are what `check` is for. Rows without any text are left out.
    """
    return headed(_open(content, name), where=name).reset_index(drop=True)


def write_text(table: pd.DataFrame) -> bytes:
    """A table of `read_text` as a CSV file that spreadsheets open; each row gets an id that no other has."""
    ids, taken = [], set(table["id"])
    for one in table["id"]:
        number = len(taken) + 1
        while not one:
            one = "" if f"P{number:02d}" in taken else f"P{number:02d}"
            number += 1
        taken.add(one)
        ids.append(one)
    return spreadsheet.as_csv(table.assign(id=ids)[list(columns())].rename(columns=columns()))


def made_up(table: pd.DataFrame) -> int:
    """How many of these projects are still those of the shipped sample (示例), by name or by note."""
    sample = table["name"].astype(str).str.startswith("示例") | table["notes"].astype(str).str.startswith("示例")
    return int(sample.sum())


def _open(content: bytes, name: str) -> pd.DataFrame:
    """The table of a file; the index says which row of a table that begins with its headings each is, from 0."""
    table = tabular.read(content, name)
    return table.set_axis(table.index - 2)


def check(table: pd.DataFrame, *, where: Place | str = PORTFOLIO) -> pd.DataFrame:
    """Check a table of projects with the headings of `columns()` and estimate what it leaves open; see `read`."""
    return _checked(table.reset_index(drop=True), where)


def _checked(table: pd.DataFrame, where: Place | str) -> pd.DataFrame:
    text, faults = _by_key(table, where)
    if text.empty and not faults:
        raise InputError(Fault("world.no_project", where))
    return _projects(text, where, faults)


def headed(table: pd.DataFrame, *, where: Place | str) -> pd.DataFrame:
    """The text of a table's cells under the keys of `columns()`; refused when its headings aren't a portfolio's.

    Rows without any text are left out; the index stays.
    """
    text, faults = _by_key(table, where)
    refuse_if(faults)
    return text


def _by_key(table: pd.DataFrame, where: Place | str) -> tuple[pd.DataFrame, Faults]:
    """The text of a table's cells under the keys of `columns()`, and the faults of its headings.

    A required column that is missing is a fault, and filled so that its cells are none.
    """
    titles = columns()
    names = {title: key for key, title in titles.items()} | {key: key for key in titles}
    headings = [_plain(str(heading)) for heading in table.columns]
    faults = Faults(
        Fault("world.not_a_portfolio_column", place(where, 0, heading), known=list(titles.values()))
        for heading in headings
        if heading not in names
    )
    table = table.set_axis([names.get(heading, heading) for heading in headings], axis=1)
    faults += (
        Fault("world.column_twice", place(where, 0, titles[key])) for key in titles if (table.columns == key).sum() > 1
    )
    faults += (
        Fault("world.column_required", place(where, 0, titles[key])) for key in _REQUIRED if key not in table.columns
    )
    sound = zip(_REQUIRED, (next(iter(catalog.segments())), "1"), strict=True)
    absent = {key: cell for key, cell in sound if key not in table.columns}
    table = table.loc[:, ~table.columns.duplicated()]
    text = table.reindex(columns=list(titles)).astype(object).fillna("").astype(str)
    text = text.apply(lambda column: column.str.strip())
    return text[(text != "").any(axis=1)].assign(**absent), faults


def _projects(text: pd.DataFrame, where: Place | str, faults: Faults) -> pd.DataFrame:
    ids = text["id"].where(text["id"] != "", [f"P{number:02d}" for number in range(1, len(text) + 1)])
    faults += (Fault("world.id_twice", _place(where, row, "id"), value=ids[row]) for row in _where(ids.duplicated()))
    segment = _segments(text["segment"], where, faults)
    output = _intervals(text["output_100m_yuan"], where, faults, positive=True)
    faults += (
        Fault("world.no_output", _place(where, row, "output_100m_yuan"))
        for row in _where(text["output_100m_yuan"] == "")
    )
    stated = {need: _intervals(text[need], where, faults, positive=True) for need in needs()}
    years = _intervals(text["year"], where, faults, positive=True)
    first, year, last = years.T
    is_none = (year < 2000) | (year > 2100) | (first != last) | (year != np.floor(year))
    odd = pd.Series(~np.isnan(year) & is_none, index=text.index)
    faults += (Fault("world.not_a_year", _place(where, row, "year"), value=text["year"][row]) for row in _where(odd))
    minutes = _intervals(text["max_minutes"], where, faults, positive=True)
    faults += _beyond_capacity(stated, text.index, where)
    refuse_if(faults)

    declared = catalog.segments()
    estimated = estimate(segment, output, stated)
    projects = pd.DataFrame({"name": text["name"].where(text["name"] != "", ids), "segment": segment})
    projects["output_100m_yuan"] = output[:, 1]
    projects["year"] = pd.array(years[:, 1], dtype="Float64").astype("Int64")
    usual = np.array([declared[key].max_minutes for key in segment])
    projects["max_minutes"] = np.where(np.isnan(minutes[:, 1]), usual, minutes[:, 1])
    for need in needs():
        is_stated = ~np.isnan(stated[need][:, 1])
        bounds = np.where(is_stated[:, None], stated[need], estimated[need])
        projects[[f"{need}_low", f"{need}_likely", f"{need}_high"]] = bounds
        projects[f"{need}_given"] = is_stated
    projects["notes"] = text["notes"]
    return projects.set_index(pd.Index(ids, name="id"))


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
        is, by the segment's load factor, so that they agree.

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
    mva, gwh = ((stated or {}).get(need, np.full(output.shape, np.nan)) for need in ("power_mva", "energy_gwh"))
    is_mva, is_gwh = ~np.isnan(mva[:, [1]]), ~np.isnan(gwh[:, [1]])
    load = plant_needs.spread([one.load_factor for one in segments])
    energy, capacity = plant_needs.energy_of_capacity(mva, load), plant_needs.capacity_of_energy(gwh, load)
    found["energy_gwh"] = np.where(is_mva & ~is_gwh, energy, found["energy_gwh"])
    found["power_mva"] = np.where(is_gwh & ~is_mva, capacity, found["power_mva"])
    return found


def warnings(projects: pd.DataFrame) -> list[Fault]:
    """What of checked projects is possible but outside sense; said, not refused.

    A load factor outside that of `tables/requirements.toml`, where capacity and energy are both stated; a stated need
    that is less than a fifth or more than five times what the segment's range spans.
    """
    usual, faults = toml.table("requirements")["load_factor"], []
    output = np.repeat(projects[["output_100m_yuan"]].to_numpy(float), 3, axis=1)
    guess = estimate(projects["segment"].tolist(), output)
    factor = load_factors(projects)[:, 1]
    both = projects["power_mva_given"].to_numpy() & projects["energy_gwh_given"].to_numpy()
    for number, (name, row) in enumerate(projects.iterrows()):
        at = Place(str(name), kind="project", column=columns()["energy_gwh"])
        if both[number] and not usual["low"] <= factor[number] <= usual["high"]:
            about = {"gwh": row["energy_gwh_likely"], "mva": row["power_mva_likely"], "factor": float(factor[number])}
            faults.append(Fault("world.load_factor_unusual", at, **about, low=usual["low"], high=usual["high"]))
        for need in needs():
            low, _, high = guess[need][number]
            stated = row[f"{need}_likely"]
            if row[f"{need}_given"] and not low / _UNUSUAL <= stated <= high * _UNUSUAL:
                there = replace(at, column=columns()[need])
                faults.append(Fault("world.need_unusual", there, value=float(stated), low=float(low), high=float(high)))
    return faults


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


def used_energy(_: ResourceKind, segments: Sequence[Segment]) -> np.ndarray:
    """(P, 3) GWh per 100 M yuan of annual output: see `plant_needs.energy_gwh`."""
    return plant_needs.energy_gwh(segments)


ESTIMATES: dict[str, Callable[[ResourceKind, Sequence[Segment]], np.ndarray]] = {
    function.__name__: function for function in (by_output, installed_power, used_energy)
}
"""What projects take where nobody says, by the name in `tables/resources.toml`."""


def _beyond_capacity(stated: Mapping[str, np.ndarray], rows: pd.Index, where: Place | str) -> Iterator[Fault]:
    """Projects whose energy does not pass through their capacity in a year, both stated."""
    mva, gwh = stated["power_mva"], stated["energy_gwh"]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = gwh[:, 1] / (mva[:, 1] * plant_needs.power_factor() * plant_needs.GWH_PER_MW)
    for number in np.flatnonzero(factor > 1):
        most = mva[number, 1] * plant_needs.power_factor() * plant_needs.GWH_PER_MW
        at = _place(where, rows[number], "energy_gwh")
        yield Fault("world.energy_beyond_capacity", at, gwh=gwh[number, 1], mva=mva[number, 1], most=most)


def _plain(text: str) -> str:
    """Full-width letters, digits and punctuation as half-width ones (NFKC)."""
    return unicodedata.normalize("NFKC", text).strip()


def _place(where: Place | str, row: int, key: str) -> Place:
    return place(where, row + 2, columns()[key])


def _where(mask: pd.Series) -> list[int]:
    return mask.index[mask].tolist()


def _segments(column: pd.Series, where: Place | str, faults: Faults) -> list[str]:
    keys: dict[str, str] = {}
    for key, segment in catalog.segments().items():
        keys |= dict.fromkeys((key, segment.name.zh, segment.name.en.lower()), key)
    known = [segment.name for segment in catalog.segments().values()]
    found = [keys.get(value) or keys.get(value.lower(), "") for value in column]
    faults += (
        Fault("world.not_a_segment", _place(where, row, "segment"), value=column[row], known=known)
        for row, key in zip(column.index, found, strict=True)
        if not key
    )
    return found


def _intervals(column: pd.Series, where: Place | str, faults: Faults, *, positive: bool) -> np.ndarray:
    """(P, 3) low, likely, high of cells like `30` or `25-35`; nan where empty."""
    bounds = np.full((len(column), 3), np.nan)
    for number, (row, cell) in enumerate(column.items()):
        if cell == "":
            continue
        value = _plain(cell)
        point, span = _POINT.match(value), _RANGE.match(value)
        if point:
            bounds[number] = _number(point[1])
        elif span:
            low, high = _number(span[1]), _number(span[2])
            bounds[number] = low, (low + high) / 2, high
        place = _place(where, row, str(column.name))
        if not point and not span:
            faults.append(Fault("world.not_a_number_or_range", place, value=cell))
        elif bounds[number, 0] > bounds[number, 2]:
            faults.append(Fault("world.range_backwards", place, value=cell))
        elif bounds[number, 2] > _LARGEST:
            faults.append(Fault("world.number_too_large", place, value=cell))
        elif positive and bounds[number, 0] <= 0:
            faults.append(Fault("world.number_not_above_zero", place, value=cell))
    return bounds


def _number(text: str) -> float:
    return float(text.replace(",", ""))
