"""Scenarios as people write them: read with their projects, every name in them held against the layers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import FIRST_YEAR, Scenario, Text
from geo_cluster.errors import DataError, Fault, InputError, Place, refuse_if
from geo_cluster.supply.arrivals import pools_of_stations
from geo_cluster.supply.pools import fed_as_zones, pools_of, with_prefecture
from geo_cluster.supply.serving_station import feeding_station, supply_area
from geo_cluster.world import catalog, portfolio, splitting
from geo_cluster.world.layers import Layers


def read_scenario(name_or_path: str | Path) -> tuple[Scenario, pd.DataFrame]:
    """Read a scenario and its projects; the faults of the file, of the portfolio and of every name at once."""
    row, where = catalog.scenario_row(name_or_path)
    projects, faults = None, []
    named = row.get("portfolio", "sample")
    try:
        projects = portfolio.read(named) if isinstance(named, str) else None
    except InputError as refusal:
        faults = refusal.faults
    known = None if projects is None else {*projects.index} | splitting.share_ids(projects)
    scenario = _scenario(row, where, known, faults)
    assert projects is not None  # no fault means it was read
    return scenario, projects


def read_for_others(name_or_path: str | Path) -> Scenario:
    """Read a scenario for projects that are not its own: what it says of its own by name is left aside."""
    row, where = catalog.scenario_row(name_or_path)
    scenario = _scenario(row, where, None, [])
    return scenario.model_copy(update=dict.fromkeys(("locked", "forbidden", "partners", "present", "parts"), ()))


def _scenario(row: Mapping[str, Any], where: str, projects: set[str] | None, more: list[Fault]) -> Scenario:
    """A scenario from its dict; every fault of it, of the names in it, and those found elsewhere, at once."""
    scenario, faults = None, []
    try:
        scenario = catalog.scenario_from(dict(row), where=where)
    except InputError as refusal:
        faults = refusal.faults
    try:
        layers = Layers(row["layers"] if isinstance(row.get("layers"), str) else "")
        world = named_layers(layers)
    except DataError as damage:
        refuse_if([*faults, *more, *damage.faults] if faults or more else [])
        raise
    refuse_if(faults + more + name_faults(row, world, projects, where=where))
    assert scenario is not None  # no fault means it was read
    return scenario


def named_layers(layers: Layers) -> dict[str, pd.DataFrame]:
    """The layers, by name, of what a scenario may name."""
    world = {name: layers.read(name) for name in ("sites", "substations", "prefectures", "anchors", "counties")}
    return world | {"sites": with_prefecture(world["sites"])}


def name_faults(
    row: Mapping[str, Any], world: Mapping[str, pd.DataFrame], projects: set[str] | None, *, where: Place | str
) -> list[Fault]:
    """Every anchor, site, subject or project that a scenario, as a dict, names and that there isn't.

    Parameters
    ----------
    row : mapping
        The scenario, as its TOML or JSON has it.
    world : mapping of DataFrame
        Layers by name, those of `LAYERS`.
    projects : set of str or None
        Ids of the projects; None where they couldn't be read, and then nothing is said of them.
    where : Place or str
        Where the scenario stands.
    """
    sites = set(world["sites"]["id"])
    picked = _texts(row.get("sites"))
    chosen = (picked & sites) or sites
    subjects = {*sites, *world["substations"]["id"], *world["prefectures"]["code"], *supply_area(world["sites"])}
    named = [("anchor", _texts([row.get("anchor", "future_city")]), set(world["anchors"]["id"]))]
    named.append(("sites", picked, sites))
    named.append(("known.subject", _values(row, "known", "subject"), subjects))
    named.append(("promised.site", _values(row, "promised", "site"), sites))
    named.append(("promised.amounts", _keyed(row, "promised", "amounts"), set(catalog.resources())))
    shares = {splitting.share_id(one, number) for one in _listed(row, "parts", "projects") for number in range(1, 6)}
    for key in ("locked", "forbidden", "present"):
        named.append((f"{key}.site", _values(row, key, "site"), chosen))
        if projects is not None:
            named.append((f"{key}.project", _values(row, key, "project"), projects | shares))
    if projects is not None:
        named.append(("parts.projects", _listed(row, "parts", "projects"), projects))
        named += [(f"partners.{key}", _values(row, "partners", key), projects) for key in ("first", "second")]
    cities = set(world["sites"].loc[world["sites"]["id"].isin(chosen), "prefecture_code"])
    named.append(("shares.segment", _values(row, "shares", "segment") - {""}, set(catalog.segments())))
    at = where if isinstance(where, Place) else Place(where)
    faults = _opening_faults(row, world, chosen, at)
    named.append(("either.names", _listed(row, "either", "names"), chosen | _values(row, "openings", "name")))
    named.append(("openings.sites", _listed(row, "openings", "sites"), chosen))
    faults += _arrival_faults(row, world, chosen, at) + _share_faults(row, world, cities, replace(at, key="shares"))
    return faults + [
        Fault("world.no_such_name", replace(at, key=key), name=toml.shown(name), known=sorted(names))
        for key, used, names in named
        for name in sorted(used - names)
    ]


def _fed_sites(world: Mapping[str, pd.DataFrame], chosen: set[str]) -> pd.DataFrame:
    """The sites considered, each with its prefecture and the station that feeds it."""
    sites = with_prefecture(world["sites"][world["sites"]["id"].isin(chosen)])
    sites = fed_as_zones(sites, world["sites"])
    return sites.assign(station=feeding_station(sites, world["substations"]).station)


def arrival_subjects(world: Mapping[str, pd.DataFrame], chosen: set[str]) -> dict[str, set[str]]:
    """Attribute of each resource -> who can get more of it: its pools, and stations that are said to feed a site.

    Parameters
    ----------
    world : mapping of DataFrame
        Layers by name: `sites`, `substations`.
    chosen : set of str
        Ids of the sites considered.
    """
    sites = _fed_sites(world, chosen)
    feeding = set(pools_of_stations(sites, world["substations"]))
    kinds = catalog.resources().values()
    return {
        kind.attribute: pools_of(kind.attribute, sites) | (feeding if kind.subject == "substation" else set())
        for kind in kinds
    }


def _share_faults(
    row: Mapping[str, Any], world: Mapping[str, pd.DataFrame], cities: set[str], at: Place
) -> list[Fault]:
    """Shares of prefectures without a site in the study, or that there aren't."""
    table = world["prefectures"].drop_duplicates("code").set_index("code")
    names = {code: Text(zh=f"{one.name_zh}（{code}）", en=f"{one.name_en} ({code})") for code, one in table.iterrows()}
    known = [names.get(code, code) for code in sorted(cities)]
    return [
        Fault("world.share_without_site", at, city=names[code], known=known)
        if code in names
        else Fault("world.no_such_name", replace(at, key="shares.prefecture"), name=toml.shown(code), known=known)
        for code in sorted(_values(row, "shares", "prefecture") - cities)
    ]


def _arrival_faults(
    row: Mapping[str, Any], world: Mapping[str, pd.DataFrame], chosen: set[str], at: Place
) -> list[Fault]:
    """What can't arrive: another attribute than a resource's, for nobody, or before the day of the study."""
    entries = row.get("arrivals")
    if not (isinstance(entries, list | tuple) and entries):
        return []
    subjects, day = arrival_subjects(world, chosen), str(row.get("day") or datetime.date.today())
    faults: list[Fault] = []
    for number, one in enumerate(entries):
        found = arrival_faults(one, subjects, day=day) if isinstance(one, dict) else []
        faults += [fault.at(replace(at, key=f"arrivals.{number}.{fault.place.name}")) for fault in found]
    return faults


def _opening_faults(
    row: Mapping[str, Any], world: Mapping[str, pd.DataFrame], chosen: set[str], at: Place
) -> list[Fault]:
    """What openings can't add to, and a number of sites that limits nothing."""
    faults, most = [], row.get("at_most_sites")
    if isinstance(most, int) and most > len(chosen):
        faults.append(Fault("world.too_many_sites", replace(at, key="at_most_sites"), most=most, count=len(chosen)))
    said = row.get("openings")
    entries = dict(enumerate(said)) if isinstance(said, list | tuple) else {}
    entries = {at: one for at, one in entries.items() if isinstance(one, dict) and one.get("attribute")}
    pools = opening_subjects(world, chosen) if entries else {}
    for number, one in entries.items():
        found = arrival_faults(one, pools, day="")
        faults += [fault.at(replace(at, key=f"openings.{number}.{fault.place.name}")) for fault in found]
    return faults


def opening_subjects(world: Mapping[str, pd.DataFrame], chosen: set[str]) -> dict[str, set[str]]:
    """Attribute of each resource -> its pools, which an opening can add to.

    Parameters
    ----------
    world : mapping of DataFrame
        Layers by name: `sites`, `substations`.
    chosen : set of str
        Ids of the sites considered.
    """
    sites = _fed_sites(world, chosen)
    return {kind.attribute: pools_of(kind.attribute, sites) for kind in catalog.resources().values()}


def arrival_faults(one: Mapping[str, Any], subjects: Mapping[str, set[str]], *, day: str) -> list[Fault]:
    """What can't arrive of one entry of `arrivals`, each fault in the place of its field.

    Parameters
    ----------
    one : mapping
        The entry.
    subjects : mapping
        As `arrival_subjects` has it.
    day : str
        Day of the study.
    """
    subject, attribute, faults = str(one.get("subject")), one.get("attribute"), []
    if not isinstance(attribute, str) or attribute not in subjects:
        faults.append(Fault("world.does_not_arrive", "attribute", name=toml.shown(attribute), known=list(subjects)))
    elif subject not in subjects[attribute]:
        known = sorted(subjects[attribute])
        faults.append(Fault("world.arrives_for_nobody", "subject", name=toml.shown(subject), known=known))
    for column in ("year", "year_low", "year_high"):
        year = one.get(column)
        if isinstance(year, int) and FIRST_YEAR <= year < int(day[:4]):
            faults.append(Fault("world.arrived_before", column, year=year, day=day))
    return faults


def _texts(entries: Any) -> set[str]:
    """The texts of a list; what is no list of texts is a fault told elsewhere."""
    return {one for one in entries if isinstance(one, str)} if isinstance(entries, list | tuple) else set()


def _listed(row: Mapping[str, Any], key: str, field: str) -> set[str]:
    """The texts that the entries of a list of tables list in one field."""
    entries = row.get(key)
    tables = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list | tuple) else []
    return {text for one in tables for text in _texts(one.get(field))}


def _keyed(row: Mapping[str, Any], key: str, field: str) -> set[str]:
    """The keys of the tables that the entries of a list of tables have in one field."""
    entries = row.get(key)
    tables = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list | tuple) else []
    return {str(name) for one in tables if isinstance(one.get(field), dict) for name in one[field]}


def _values(row: Mapping[str, Any], key: str, field: str) -> set[str]:
    """What the entries of a list of tables say in one field; what is no list of tables is a fault told elsewhere."""
    entries = row.get(key)
    tables = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list | tuple) else []
    return {str(one[field]) for one in tables if field in one}
