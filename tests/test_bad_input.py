"""What people hand in that can't be meant: years gone by, feeds of nobody, zones that aren't there, other units."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from geo_cluster.errors import GeoClusterError
from geo_cluster.region import prepare, unused
from geo_cluster.study import run
from geo_cluster.world import catalog, portfolio
from tests import world


def codes(call):
    with pytest.raises(GeoClusterError) as refusal:
        call()
    return [(fault.code, fault.place.key or fault.place.column) for fault in refusal.value.faults]


def country(layer, **columns):
    layers = world.layers()
    return layers | {layer: layers[layer].assign(**columns)}


def owned(tmp_path, **changes):
    """A scenario with a portfolio of one's own: not the sample, which grows old with the day."""
    (tmp_path / "own.csv").write_text("细分环节,年产值(亿元)\n光纤激光器,5\n", encoding="utf-8")
    return world.scenario(portfolio=str(tmp_path / "own.csv"), **changes)


def test_a_project_that_begins_before_the_day_is_refused(tmp_path):
    old = world.projects(1, year="2020", power_year="2019")
    scenario = owned(tmp_path, day="2026-11-30")
    found = codes(lambda: run(scenario, world.layers(), projects=old))
    assert found == [("world.project_before", "year"), ("world.project_before", "power_year")]
    run(owned(tmp_path, day="2019-06-01"), world.layers(), projects=old)


@pytest.mark.slow
def test_intake_refuses_a_year_gone_by(tmp_path):
    row = {"segment": "fiber_laser", "output_100m_yuan": "5", "year": "2020"}
    (tmp_path / "own.csv").write_text("细分环节,年产值(亿元),投产年份\n光纤激光器,5,2020\n", encoding="utf-8")
    for given in (["--json", json.dumps(row)], [str(tmp_path / "own.csv"), "--out", str(tmp_path / "out")]):
        command = [sys.executable, "-m", "geo_cluster.cli", "score", *given, "--lang", "en"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "is 2020, before the day of the study" in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_what_arrived_before_the_day_is_refused():
    gone = {"subject": "X1", "attribute": "available_land_ha", "source": "x", "low": 1, "likely": 1, "high": 1}
    scenario = world.scenario(arrivals=[gone | {"year": 2020}])
    assert codes(lambda: prepare(scenario, world.layers())) == [("world.arrived_before", "arrivals.0.year")]


def test_a_station_that_feeds_a_site_which_is_not_there_is_refused():
    layers = country("substations", feeds_sites="X1;ZZ9")
    assert codes(lambda: prepare(world.scenario(), layers)) == [("supply.feeds_no_site", "feeds_sites")]


def test_a_site_fed_by_a_station_which_is_not_there_is_refused():
    layers = country("sites", stations=["G1", "G1;G77"])
    assert codes(lambda: prepare(world.scenario(), layers)) == [("supply.fed_by_no_station", "stations")]


def test_the_number_of_a_station_that_feeds_nothing_is_told():
    bounds = {"low": 1, "likely": 2, "high": 3, "source": "电话"}
    idle = {"subject": "G1", "attribute": "spare_mva", **bounds}
    used = prepare(world.scenario(known=[idle]), world.layers())
    assert unused(used) == []
    region = prepare(world.scenario(known=[idle, world.price_known()]), country("sites", stations=""))
    (fault,) = unused(region)
    assert (fault.code, fault.place.key, fault.place.entry) == ("world.known_unused", "known.0", "G1 spare_mva")
    study = run(world.scenario(known=[idle]), country("sites", stations=""), projects=world.projects(1))
    assert "counts for nothing" in " ".join(one["en"] for one in study.summary()["to_check"])


def test_no_number_of_the_shipped_scenarios_is_idle():
    for name in catalog.scenario_names():
        assert catalog.scenario(name).known == ()


def test_a_zone_that_is_not_there_is_refused():
    layers = country("sites", zone_id=["", "Q7"])
    assert codes(lambda: prepare(world.scenario(), layers)) == [("supply.zone_unknown", "zone_id")]


@pytest.mark.parametrize(
    ("heading", "cell", "expected"),
    [
        ("总投资(万元)", "50000", 5.0),
        ("总投资(亿元)", "5", 5.0),
        ("总投资(亿元)", "50000", "world.amount_beyond_output"),
        ("总投资(亿元)", "50000万元", 5.0),
        ("总投资(万美元)", "50000", "sheets.unit_not_understood"),
        ("总投资", "50000", "sheets.no_unit"),
    ],
)
def test_investment_in_another_unit_is_converted_told_or_refused(heading, cell, expected):
    table = pd.DataFrame([{"细分环节": "光纤激光器", "年产值(亿元)": "5", heading: cell}])
    if isinstance(expected, float):
        projects = portfolio.check(table)
        assert projects["investment_100m_yuan_likely"].tolist() == [expected]
        assert portfolio.warnings(projects) == []
        return
    try:
        found = portfolio.warnings(portfolio.check(table))
    except GeoClusterError as refusal:
        found = refusal.faults
    assert [fault.code for fault in found] == [expected]
