"""Whether rows and layers agree: ids that exist, counties, lives of rules, states of stations, things said twice.

Each layer by itself is checked where it is opened (`layers`); what is asked beyond that is in
`tables/consistency.toml`. A layer or column that is not there asks for nothing.
"""

from __future__ import annotations

import datetime
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Place
from geo_cluster.world import catalog, rule_life, sources
from geo_cluster.world.layers import KM_PER_DEGREE, KM_PER_DEGREE_LON, Layers, check_all, row_layers

Tables = Mapping[str, pd.DataFrame]
Own = Mapping[str, object] | Sequence[str]

_BRACKETS = re.compile(r"[(\[【〔].*?[)\]】〕]")
_DATE = re.compile(r"\d{4}(-\d{2}){0,2}")
_OF_SOURCE = ("source_class", "confidence", "as_of")
PLANE = 4547
"""EPSG code of the metric plane that distances to a county are taken in: CGCS2000, 114° E."""


class Summary(NamedTuple):
    """What the rows of all layers but base map and networks say of themselves, and what they leave open.

    Attributes
    ----------
    rows : int
    filled : int
        Rows with publisher, class, date and confidence, `未载` and the like counted as said.
    copies : int
        Rows known from a copy of what was published.
    unnamed : int
        Rows of which nobody is named who published them.
    undated : int
        Rows whose date is not stated.
    stations_nowhere, stations : int
        Substations without a point, and all of them.
    sites_unseen, sites_in_part, sites : int
        Sites whose constraints were not looked into, or in part only, and all of them.
    possibly_one : tuple of str
        Pairs of rows that may be one thing, `G05=G09`.
    """

    rows: int
    filled: int
    copies: int
    unnamed: int
    undated: int
    stations_nowhere: int
    stations: int
    sites_unseen: int
    sites_in_part: int
    sites: int
    possibly_one: tuple[str, ...]

    def words(self) -> list[Text]:
        """A line for each thing that is told, in both languages."""
        share = f"{self.filled / self.rows:.1%}" if self.rows else "–"
        pairs = ", ".join(self.possibly_one)
        return [
            Text(
                zh=f"{self.rows:,} 行事实，{share} 写明发布者、来源类别、时点与可信度",
                en=f"{self.rows:,} rows of facts, {share} with publisher, class, date and confidence",
            ),
            Text(
                zh=f"{self.copies:,} 行的网址是转载；{self.unnamed:,} 行没有具名的发布者；{self.undated:,} 行时点未载",
                en=f"{self.copies:,} from copies, {self.unnamed:,} of no named publisher, {self.undated:,} undated",
            ),
            Text(
                zh=f"{self.stations} 座变电站中 {self.stations_nowhere} 座位置不明",
                en=f"{self.stations_nowhere} of {self.stations} substations without a place",
            ),
            Text(
                zh=f"{self.sites} 个园区中 {self.sites_unseen} 个未查约束，{self.sites_in_part} 个只查了部分",
                en=f"{self.sites_unseen} of {self.sites} sites not looked into, {self.sites_in_part} in part only",
            ),
            Text(zh=f"可能是同一事物，未证实：{pairs or '无'}", en=f"may be one thing, not proven: {pairs or 'none'}"),
        ]


def check(layers: Layers, tables: dict[str, pd.DataFrame] | None = None) -> list[Fault]:
    """Every fault of the layers by themselves, between them, and of the rules in tables.

    Parameters
    ----------
    layers : Layers
    tables : dict of DataFrame, optional
        Is filled with the sound tables by name, so that nobody has to read them again.
    """
    tables = {} if tables is None else tables
    return check_all(layers, tables) + faults_between(tables, own=layers.own) + rule_life.check_tables()


def faults_between(tables: Tables, *, own: Own = ()) -> list[Fault]:
    """Every way in which rows and layers contradict each other.

    Parameters
    ----------
    tables : mapping of DataFrame
        Sound layers by name.
    own : collection of str
        Names of those that are somebody's own: shipped layers need not fit them.
    """
    checks = (
        _unknown_ids(tables, own), _one_sided(tables), _ids_elsewhere(tables, own), _said_twice(tables),
        _one_in_two_layers(tables, own), _elsewhere(tables), _stations(tables), _parks(tables), _lives(tables),
        _numbers(tables), _signed_by_nobody(tables),
    )  # fmt: skip
    return list(itertools.chain.from_iterable(checks))


def summary(tables: Tables) -> Summary:
    """Count what `Summary` says.

    Parameters
    ----------
    tables : mapping of DataFrame
        Layers by name.
    """
    facts = [tables[name] for name in row_layers(tables)]
    told = sources.tally(facts)
    filled = sum(
        int((_text(table, *_OF_SOURCE) != "").all(axis=1).mul(sources.publishers(table) != "").sum()) for table in facts
    )
    stations, sites = (tables.get(name, pd.DataFrame()) for name in ("substations", "sites"))
    looked = _text(sites, "constraints_checked")["constraints_checked"]
    nowhere = int(stations["geometry"].isna().sum()) if "geometry" in stations else 0
    pairs = {
        "=".join(sorted((row, other)))
        for name, column in _declared()["mutual"].items()
        for row, others in _ids(tables.get(name, pd.DataFrame()), column)
        for other in others
    }
    counts = (told.rows, filled, told.copies, told.unnamed, told.undated, nowhere, len(stations))
    return Summary(
        *counts, int((looked == "no").sum()), int((looked == "partly").sum()), len(sites), tuple(sorted(pairs))
    )


def _declared() -> dict[str, Any]:
    return toml.table("consistency")


def _at(name: str, row: int, column: str = "") -> Place:
    return Place(name, kind="layer", row=row + 2, column=column)


def _text(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Columns as text, empty where nothing stands or there is no such column."""
    told = {
        name: [str(cell).strip() if pd.notna(cell) else "" for cell in table[name].tolist()]
        for name in columns
        if name in table
    }
    return pd.DataFrame(told, index=range(len(table)), columns=list(columns), dtype=object).fillna("")


def _key(table: pd.DataFrame) -> str:
    return "id" if "id" in table else "code"


def _ids(table: pd.DataFrame, column: str) -> list[tuple[str, list[str]]]:
    """The id of each row and those that a column of it names, where it names any."""
    cells = _text(table, _key(table), column)
    return [(one, cell.split(";")) for one, cell in cells.itertuples(index=False) if cell]


# ---- ids --------------------------------------------------------------------------------------------------------


def _unknown_ids(tables: Tables, own: Own) -> Iterator[Fault]:
    """Ids that no layer has which should have them."""
    area = _declared()["supply_area"]
    for place, targets in _declared()["names"].items():
        layer, _, column = place.partition(".")
        if not set(targets) <= set(tables):
            continue
        known = {one for target in targets for one in _text(tables[target], _key(tables[target])).iloc[:, 0]}
        if layer == "observations":
            known |= {area + code for name in ("counties", "prefectures") for code in tables.get(name, _NONE)["code"]}
        for name in tables if layer == "*" else [layer]:
            asked = name in tables and column in tables[name] and (name in own or not set(targets) & set(own))
            for row, cell in enumerate(_text(tables[name], column)[column]) if asked else ():
                for one in sorted({part.strip() for part in cell.split(";")} - known - {""}):
                    yield Fault("world.no_such_id", _at(name, row, column), value=one, layers=list(targets))


_NONE = pd.DataFrame({"code": []})


def _one_sided(tables: Tables) -> Iterator[Fault]:
    """Rows that name another as possibly the same, which doesn't name them."""
    for name, column in _declared()["mutual"].items():
        table = tables.get(name, pd.DataFrame())
        named = dict(_ids(table, column))
        for row, one in enumerate(_text(table, _key(table)).iloc[:, 0]):
            for other in named.get(one, ()):
                if other == one or one not in named.get(other, ()):
                    yield Fault("world.not_mutual", _at(name, row, column), id=one, other=other)


def _ids_elsewhere(tables: Tables, own: Own) -> Iterator[Fault]:
    """Ids that stand for things of two layers that share their ids; a row of one's own gives way."""
    for space in _declared()["name_spaces"]:
        seen: dict[str, str] = {}
        for name in sorted(space, key=lambda one: one in own):
            table = tables.get(name, pd.DataFrame())
            for row, one in enumerate(_text(table, _key(table)).iloc[:, 0]):
                if one and seen.setdefault(one, name) != name:
                    yield Fault("world.id_elsewhere", _at(name, row, _key(table)), value=one, layer=seen[one])


# ---- two rows of one thing ----------------------------------------------------------------------------------------


def bare_name(name: str) -> str:
    """A name as it is compared: half width, without brackets, blanks, marks and the kind of company.

    Examples
    --------
    >>> bare_name("武汉锐科（光纤）激光 技术股份有限公司") == bare_name("武汉锐科激光技术")
    True
    """
    bare = _BRACKETS.sub("", unicodedata.normalize("NFKC", name))
    bare = re.sub(r"[\s·•,，。“”\"']", "", bare).casefold()
    for suffix in _declared()["suffixes"]:
        bare = bare.removesuffix(suffix)
    return bare


def _same(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of rows, the earlier first, that name one thing in the same place."""
    cells = _text(table, *columns)
    if "name_zh" in columns:
        cells["name_zh"] = cells["name_zh"].map(bare_name)
    for rows in cells.groupby(list(columns), sort=False).indices.values():
        for first, second in itertools.combinations(rows, 2):
            if cells.iloc[first, 0] and not _apart(table, first, second):
                yield int(first), int(second)


def _apart(table: pd.DataFrame, first: int, second: int) -> bool:
    """Whether two rows have points that lie apart."""
    if not {"lon", "lat"} <= set(table.columns):
        return False
    (x1, y1), (x2, y2) = table[["lon", "lat"]].iloc[[first, second]].to_numpy(float)
    km = np.hypot((x2 - x1) * KM_PER_DEGREE_LON, (y2 - y1) * KM_PER_DEGREE)
    return bool(km > _declared()["apart_km"])


def _said_twice(tables: Tables) -> Iterator[Fault]:
    """Rows that name what an earlier row names, unless they say that they may be one."""
    for name, columns in _declared()["one_row_per"].items():
        table = tables.get(name, pd.DataFrame())
        if not set(columns) <= set(table.columns):
            continue
        pairs = dict(_ids(table, _declared()["mutual"].get(name, "")))
        ids = _text(table, _key(table)).iloc[:, 0]
        for first, second in _same(table, columns):
            if ids[first] not in pairs.get(ids[second], ()):
                about = _text(table, columns[0]).iloc[second, 0]
                yield Fault("world.said_twice", _at(name, second, columns[0]), value=about, other=first + 2)


def _one_in_two_layers(tables: Tables, own: Own) -> Iterator[Fault]:
    """Names that stand in two layers, where no row says that it is the other."""
    for one in _declared()["one_thing"]:
        names, column = one["layers"], one["said_in"]
        other = next(name for name in names if name != column)
        if not {column, other} <= set(tables) or (column not in own and other in own):
            continue
        listed = tables[column]
        if one["column"] not in listed:
            continue
        known = {
            bare_name(zh): i for i, zh in _text(tables[other], _key(tables[other]), "name_zh").itertuples(index=False)
        }
        for row, (zh, said) in enumerate(_text(listed, "name_zh", one["column"]).itertuples(index=False)):
            there = known.get(bare_name(zh))
            if there and there not in said.split(";"):
                values = {"value": zh, "layer": other, "id": there, "heading": one["column"]}
                yield Fault("world.in_two_layers", _at(column, row, one["column"]), **values)


# ---- places -------------------------------------------------------------------------------------------------------


def _elsewhere(tables: Tables) -> Iterator[Fault]:
    """Points far from every county that the text of their row names."""
    counties = tables.get("counties")
    if counties is None:
        return
    plain = {
        code: zh if len(zh) == 2 else zh[:-1] for code, zh in counties[["code", "name_zh"]].itertuples(index=False)
    }
    excused = _declared()["lies_elsewhere"]
    for name, table in tables.items():
        if "county_zh" not in table or not isinstance(table, gpd.GeoDataFrame):
            continue
        cells = _text(table, "county_zh", "county_code", "notes")
        for row in table.geometry.notna().to_numpy().nonzero()[0]:
            said, code, notes = cells.iloc[row]
            named = [one for one, zh in plain.items() if zh in said.replace("武汉", "")]
            if not named or code in named or any(word in notes for word in excused):
                continue
            km = _km(table.iloc[[row]], counties[counties["code"].isin(named)])
            stated = pd.to_numeric(_text(table, "coord_uncertainty_m").iloc[row, 0], errors="coerce") / 1000
            if km > np.fmax(stated, _declared()["boundary_km"]):
                yield Fault("world.far_from_county", _at(name, int(row), "county_zh"), county=said, km=f"{km:.1f}")


def _km(point: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> float:
    """Kilometres from a point to the nearest of some areas."""
    return float(areas.to_crs(PLANE).distance(point.geometry.to_crs(PLANE).iloc[0]).min() / 1000)


def _stations(tables: Tables) -> Iterator[Fault]:
    """Stations of no voltage, and such whose state and dates contradict each other."""
    table, today = tables.get("substations", pd.DataFrame()), str(datetime.date.today())
    cells = _text(table, "voltage_kv", "status", "in_service_from", "planned_from")
    for row, (voltage, status, begun, planned) in enumerate(cells.itertuples(index=False)):
        if not pd.to_numeric(voltage, errors="coerce") > 0:
            yield Fault("world.no_voltage", _at("substations", row, "voltage_kv"))
        if planned and status == "operating":
            yield Fault("world.planned_yet_operating", _at("substations", row, "planned_from"), date=planned)
        if begun and begun > today:
            yield Fault("world.not_in_service_yet", _at("substations", row, "in_service_from"), date=begun)
        elif begun and status == "planned":
            yield Fault("world.in_service_yet_planned", _at("substations", row, "status"), date=begun)
        for column, date in (("in_service_from", begun), ("planned_from", planned)):
            if date and not _DATE.fullmatch(date):
                yield Fault("world.no_date", _at("substations", row, column), value=date)


def _parks(tables: Tables) -> Iterator[Fault]:
    """Parks in a zone that name none, and others that do; zones that are none."""
    table = tables.get("sites", pd.DataFrame())
    if "zone_id" not in table:
        return
    cells = _text(table, "id", "site_class", "zone_id")
    classes = dict(zip(cells["id"], cells["site_class"], strict=True))
    for row, (one, kind, zone) in enumerate(cells.itertuples(index=False)):
        if kind == "park_in_zone" and not zone:
            yield Fault("world.park_without_zone", _at("sites", row, "zone_id"), id=one)
        elif zone and kind not in _declared()["hosted_classes"]:
            yield Fault("world.zone_of_no_park", _at("sites", row, "zone_id"), id=one, zone=zone)
        elif zone in classes and classes[zone] not in _declared()["zone_classes"]:
            yield Fault("world.zone_is_none", _at("sites", row, "zone_id"), id=one, zone=zone)


# ---- rules and numbers --------------------------------------------------------------------------------------------


def _lives(tables: Tables) -> Iterator[Fault]:
    """Rules in force, or once in force, that don't say by whom and since when; two of one name in force at once."""
    declared = _declared()["lives"]
    name = declared["layer"]
    cells = _text(
        tables.get(name, pd.DataFrame()), "status", "issuer_zh", "valid_from", "valid_to", "kind", "place_zh", "name_zh"
    )
    alive = cells["status"].isin(declared["alive"])
    for row, (status, issuer, start, end, *_) in enumerate(cells.itertuples(index=False)):
        for column, cell in (("issuer_zh", issuer), ("valid_from", start)):
            if status in declared["alive"] and not cell:
                yield Fault("world.rule_without_life", _at(name, row, column), unknown=sources.NOT_DATED)
        for column, cell in (("valid_from", start), ("valid_to", end)):
            if cell not in ("", sources.NOT_DATED) and not _DATE.fullmatch(cell):
                yield Fault("world.no_date", _at(name, row, column), value=cell)
        if _DATE.fullmatch(start) and _DATE.fullmatch(end) and end < start:
            yield Fault("world.rule_ends_early", _at(name, row, "valid_to"), start=start, end=end)
    for rows in cells[alive].groupby(["kind", "place_zh", "name_zh"], sort=False).groups.values():
        for first, second in itertools.combinations(rows, 2):
            if _overlap(cells.loc[first], cells.loc[second]):
                about = cells.loc[second, "name_zh"]
                yield Fault("world.rules_at_once", _at(name, second, "valid_from"), value=about, other=first + 2)


def _overlap(first: pd.Series, second: pd.Series) -> bool:
    """Whether two lives share a day; one of unknown beginning began with time, one without an end goes on."""
    (start, end), (other, its_end) = (
        (one["valid_from"] if _DATE.fullmatch(one["valid_from"]) else "", one["valid_to"] or "9999")
        for one in (first, second)
    )
    return start <= its_end and other <= end


def _numbers(tables: Tables) -> Iterator[Fault]:
    """Observations out of order, or in another unit than their attribute has or has elsewhere."""
    table = tables.get("observations", pd.DataFrame())
    if not {"low", "likely", "high"} <= set(table.columns):
        return
    units = {key: {one.unit.zh, one.unit.en} for key, one in catalog.attributes().items()}
    for row, one in enumerate(table.itertuples()):
        if not one.low <= one.likely <= one.high:
            values = {"low": one.low, "likely": one.likely, "high": one.high}
            yield Fault("world.not_in_order", _at("observations", row, "likely"), **values)
        known = units.setdefault(one.attribute, {one.unit})
        if one.unit not in known:
            yield Fault("world.other_unit", _at("observations", row, "unit"), value=one.unit, known=sorted(known))


def _signed_by_nobody(tables: Tables) -> Iterator[Fault]:
    """Numbers of the study that only a copy of nobody known bears, and that are trusted all the same."""
    for name in _declared()["numbers"]:
        table = tables.get(name, pd.DataFrame())
        cells = _text(table, "publisher", "source_is_copy", "confidence")
        for row, (publisher, copy, confidence) in enumerate(cells.itertuples(index=False)):
            nobody = set(publisher.split("；")) == {sources.NOT_NAMED}
            if nobody and copy == "yes" and confidence not in _declared()["nobody_at_most"]:
                yield Fault("world.signed_by_nobody", _at(name, row, "confidence"), value=confidence)
