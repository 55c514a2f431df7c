"""Rows and layers agree: what contradicts itself, another row or another layer is named."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import pandas as pd
import pytest

from geo_cluster import toml
from geo_cluster.domain import LANGUAGES
from geo_cluster.world import consistency, rule_life
from geo_cluster.world.layers import Layers
from tests import own

NEXT_YEAR = f"{datetime.date.today().year + 1}-01"


def tables(*names):
    layers = Layers()
    return {name: layers.read(name) for name in names}


def row_of(table, one):
    return int((table[table.columns[0]] == one).to_numpy().argmax())


def spoken(fault):
    """Both sentences of a fault can be made."""
    return all(part for language in LANGUAGES for part in fault.words(language))


@pytest.mark.slow
def test_what_is_shipped_agrees():
    found: dict = {}
    layers = Layers()
    assert consistency.check(layers, found) == []
    assert set(found) == set(layers.registry)


def test_what_is_asked_is_there_so_that_no_misspelt_name_asks_for_nothing():
    asked, layers = toml.table("consistency"), Layers()
    columns = {(name, column) for name, of in asked["one_row_per"].items() for column in of}
    columns |= set(asked["mutual"].items())
    columns |= {tuple(place.split(".")) for place in asked["names"] if not place.startswith("*")}
    columns |= {(one["said_in"], one["column"]) for one in asked["one_thing"]}
    assert {(name, column) for name, column in columns if column not in layers.read(name)} == set()
    named = {name for target in asked["names"].values() for name in target}
    named |= {name for space in asked["name_spaces"] for name in space} | {*asked["numbers"], asked["lives"]["layer"]}
    assert named <= set(layers.registry)
    assert set(asked["zone_classes"]) < set(toml.table("layers")["words"]["site_class"])


@dataclass
class Broken:
    """A cell of a shipped layer that is changed, and the fault that has to be found there."""

    layer: str
    row: str
    cells: dict
    code: str
    column: str
    values: dict = field(default_factory=dict)
    beside: tuple = ()
    at: str = ""

    def __str__(self):
        return f"{self.code}:{self.layer}.{self.column}"


BROKEN = [
    Broken(
        "land_deals",
        "LD01",
        {"site_id": "S99"},
        "no_such_id",
        "site_id",
        {"value": "S99", "layers": ["sites"]},
        ("sites",),
    ),
    Broken("park_land", "PL01", {"site_id": "Q1"}, "no_such_id", "site_id", {"value": "Q1"}, ("sites",)),
    Broken("siting_decisions", "L001", {"site_id": "Q1"}, "no_such_id", "site_id", {"value": "Q1"}, ("sites",)),
    Broken("substations", "G10", {"feeds_sites": "E01;E77"}, "no_such_id", "feeds_sites", {"value": "E77"}, ("sites",)),
    Broken("sites", "E01", {"stations": "G10;G99"}, "no_such_id", "stations", {"value": "G99"}, ("substations",)),
    Broken("sites", "E01", {"catalogue_code": "G0"}, "no_such_id", "catalogue_code", {"value": "G0"}, ("dev_zones",)),
    Broken("sites", "H02", {"zone_id": "H77"}, "no_such_id", "zone_id", {"value": "H77"}),
    Broken("anchors", "base", {"chain_id": "F99"}, "no_such_id", "chain_id", {"value": "F99"}, ("chain",)),
    Broken("demand", "D01", {"county_code": "429999"}, "no_such_id", "county_code", {"value": "429999"}, ("counties",)),
    Broken(
        "observations",
        "E01",
        {"site_id": "A420799"},
        "no_such_id",
        "site_id",
        {"value": "A420799"},
        ("sites", "substations", "prefectures", "counties"),
        at="A420799",
    ),
    Broken(
        "substations",
        "G05",
        {"possibly_same_as": ""},
        "not_mutual",
        "possibly_same_as",
        {"id": "G09", "other": "G05"},
        at="G09",
    ),
    Broken("substations", "G04", {"possibly_same_as": "G04"}, "not_mutual", "possibly_same_as", {"other": "G04"}),
    Broken(
        "substations",
        "G01",
        {"id": "E01"},
        "id_elsewhere",
        "id",
        {"value": "E01", "layer": "sites"},
        ("sites",),
        at="E01",
    ),
    Broken("demand", "D57", {"chain_id": ""}, "in_two_layers", "chain_id", {"layer": "chain", "id": "M27"}, ("chain",)),
    Broken("demand", "D07", {"notes": ""}, "far_from_county", "county_zh", {"county": "开发区·铁山区"}, ("counties",)),
    Broken("substations", "G10", {"voltage_kv": float("nan")}, "no_voltage", "voltage_kv"),
    Broken(
        "substations", "G10", {"status": "operating"}, "planned_yet_operating", "planned_from", {"date": "2026-06-30"}
    ),
    Broken(
        "substations",
        "G02",
        {"in_service_from": NEXT_YEAR},
        "not_in_service_yet",
        "in_service_from",
        {"date": NEXT_YEAR},
    ),
    Broken("substations", "G02", {"status": "planned"}, "in_service_yet_planned", "status", {"date": "2025-12-18"}),
    Broken("substations", "G02", {"in_service_from": "2025年底"}, "no_date", "in_service_from", {"value": "2025年底"}),
    Broken("sites", "H02", {"zone_id": ""}, "park_without_zone", "zone_id", {"id": "H02"}),
    Broken("sites", "H03", {"zone_id": "H01"}, "zone_of_no_park", "zone_id", {"id": "H03", "zone": "H01"}),
    Broken("sites", "E02", {"zone_id": "H02"}, "zone_is_none", "zone_id", {"id": "E02", "zone": "H02"}),
    Broken("rules", "RE001", {"issuer_zh": ""}, "rule_without_life", "issuer_zh"),
    Broken("rules", "RE001", {"valid_from": ""}, "rule_without_life", "valid_from"),
    Broken("rules", "RE001", {"valid_from": "去年"}, "no_date", "valid_from", {"value": "去年"}),
    Broken("rules", "RE002", {"valid_from": "2026-01"}, "rule_ends_early", "valid_to", {"end": "2025-08-31"}),
    Broken(
        "rules",
        "RE002",
        {"name_zh": "固定资产投资项目节能审查和碳排放评价办法", "valid_to": "2025-09-01"},
        "rules_at_once",
        "valid_from",
        {"other": 2},
    ),
    Broken("observations", "H05", {"low": 9e9}, "not_in_order", "likely", {"low": 9e9}),
    Broken("observations", "H05", {"unit": "mu"}, "other_unit", "unit", {"value": "mu"}),
    Broken("observations", "H05", {"confidence": "high"}, "signed_by_nobody", "confidence", {"value": "high"}),
]
"""One broken copy for each check of a cell."""


def broken(table, row, **cells):
    """A copy with other cells in the row of an id."""
    table = table.copy()
    for column, value in cells.items():
        table[column] = table[column].astype(object)
        table.loc[row_of(table, row), column] = value
    return table


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_a_broken_copy_is_named(case):
    found = tables(case.layer, *case.beside)
    assert consistency.faults_between(found) == []
    found[case.layer] = broken(found[case.layer], case.row, **case.cells)
    faults = consistency.faults_between(found)
    assert all(spoken(fault) for fault in faults)
    (fault,) = (one for one in faults if (one.code, one.column) == (f"world.{case.code}", case.column))
    row = row_of(found[case.layer], case.at or case.row)
    assert (fault.place.name, fault.place.kind, fault.place.row) == (case.layer, "layer", row + 2)
    assert case.values.items() <= fault.values.items()


def test_no_two_rows_of_one_thing():
    chain = tables("chain")["chain"]
    first, second = row_of(chain, "F20"), row_of(chain, "F21")
    chain.loc[first, "name_zh"] = "逸飞激光CNAS实验室有限公司"
    chain.loc[second, "name_zh"] = "逸飞激光ＣＮＡＳ实验室（武汉）"
    (fault,) = consistency.faults_between({"chain": chain})
    assert (fault.code, fault.place.row, fault.values["other"]) == ("world.said_twice", second + 2, first + 2)
    assert spoken(fault)
    # two branches with points that lie apart are two places, two with points close by are not
    chain.loc[[first, second], ["lon", "lat"]] = [[114.5, 30.5], [114.6, 30.5]]
    assert consistency.faults_between({"chain": chain}) == []
    chain.loc[second, "lon"] = 114.5005
    assert [fault.code for fault in consistency.faults_between({"chain": chain})] == ["world.said_twice"]


def test_two_rows_that_may_be_one_are_two_if_both_say_so():
    stations = tables("substations")["substations"]
    name = stations.loc[row_of(stations, "G05"), "name_zh"]
    stations = broken(stations, "G09", name_zh=name)
    assert consistency.faults_between({"substations": stations}) == []
    stations["possibly_same_as"] = ""
    assert [fault.code for fault in consistency.faults_between({"substations": stations})] == ["world.said_twice"]


def test_one_number_in_two_years_is_said_once_each():
    targets = tables("targets")["targets"]
    again = targets.iloc[[0]].assign(id="T999")
    twice = pd.concat([targets, again], ignore_index=True)
    assert [fault.code for fault in consistency.faults_between({"targets": twice})] == ["world.said_twice"]
    twice.loc[len(targets), "year"] = "1999"
    assert consistency.faults_between({"targets": twice}) == []


@pytest.mark.parametrize(
    "written", ["锐科激光", "锐科激光有限公司", "锐科激光（武汉）股份有限公司", "锐科 激光 (集团)", "「锐科」激光"]
)
def test_names_are_compared_without_brackets_and_kind_of_company(written):
    assert (consistency.bare_name(written) == "锐科激光") == ("「" not in written)
    assert consistency.bare_name("ＣＮＡＳ实验室") == "cnas实验室"


def test_what_is_open_is_told():
    found = tables("substations", "sites", "ports")
    told = consistency.summary(found)
    assert told.rows == told.filled == sum(map(len, found.values()))
    assert told.possibly_one == ("G05=G09",)
    assert (told.stations, told.sites) == (25, 33)
    assert told.sites_unseen + told.sites_in_part == 33
    nameless = consistency.summary(found | {"ports": found["ports"].assign(confidence="")})
    assert nameless.filled == told.filled - len(found["ports"])
    assert all(line[language] for line in told.words() for language in LANGUAGES)


# ---- layers of one's own ------------------------------------------------------------------------------------------


def test_own_layers_need_no_column_that_they_never_had():
    found = tables("sites", "counties", "prefectures", "dev_zones", "substations", "airports", "observations")
    found["sites"] = own.sites().drop(columns=["zone_id", "publisher", "source_is_copy", "stations", "nearest_airport"])
    assert consistency.faults_between(found, own=["sites"]) == []


def test_shipped_layers_need_not_fit_one_s_own_but_one_s_own_have_to_fit():
    found = tables("sites", "land_deals")
    found["sites"] = found["sites"].query("id == 'E08'")
    assert consistency.faults_between(found, own=["sites"]) == []
    both = consistency.faults_between(found, own=["sites", "land_deals"])
    assert {fault.code for fault in both} == {"world.no_such_id"}


def test_an_own_row_gives_way_where_its_id_is_taken():
    found = tables("sites", "substations")
    found["sites"] = own.sites().replace({"id": {own.SITE: "G01"}})
    (fault,) = (one for one in consistency.faults_between(found, own=["sites"]) if one.code == "world.id_elsewhere")
    assert (fault.place.name, fault.values["layer"]) == ("sites", "substations")


# ---- rules in tables ----------------------------------------------------------------------------------------------


@pytest.fixture
def rules(monkeypatch):
    """Replace tables by others, for as long as a test."""

    def replace(**others):
        shipped = toml.table
        monkeypatch.setattr(toml, "table", lambda name: others.get(name) or shipped(name))
        rule_life.topics.cache_clear()

    yield replace
    rule_life.topics.cache_clear()


def test_a_rule_of_a_table_says_who_issued_it_and_where_it_was_read(rules):
    doors = dict(toml.table("doors"))
    first = {key: value for key, value in doors["door"][0].items() if key not in ("issuer", "publisher")}
    rules(doors=doors | {"door": [first, *doors["door"][1:]]})
    (fault,) = rule_life.check_tables()
    assert (fault.code, fault.place.name, fault.place.row) == ("rules.unsigned", "doors.toml", 1)
    assert fault.values["names"] == ["issuer", "publisher"]
    assert spoken(fault)


def test_a_rule_is_of_one_topic(rules):
    declared = toml.table("rules")
    rules(rules=declared | {"again": declared["door"]})
    (fault,) = rule_life.check_tables()
    assert (fault.code, fault.place.sheet, fault.values["other"]) == ("rules.same_rows", "[again]", "door")
    assert spoken(fault)
