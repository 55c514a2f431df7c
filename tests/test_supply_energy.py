"""Connection, headroom, energy review and bill."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

import geo_cluster
from geo_cluster.errors import Place
from geo_cluster.supply.energy_review import coal_equivalent_tce, energy_review, heat_tce
from geo_cluster.supply.grid_connection import connection, needs_dual_supply
from geo_cluster.supply.interval import Interval
from geo_cluster.supply.substations import headroom, transformers
from geo_cluster.supply.tariff import (
    bill,
    bills,
    load_factor,
    period_hours,
    period_shares,
    power_factor_adjustment,
    price_yuan_kwh,
    remarks_on,
    tariff_on,
)
from tests.refusals import faults_of, refused

TABLES = Path(geo_cluster.__file__).parent / "tables"
GRID = tomllib.loads((TABLES / "grid.toml").read_text(encoding="utf-8"))
FOURTH, JANUARY = dt.date(2026, 8, 1), dt.date(2026, 1, 15)
ORDER_2, ORDER_31 = dt.date(2025, 8, 31), dt.date(2025, 9, 1)
TARIFFS = tomllib.loads((TABLES / "tariffs.toml").read_text(encoding="utf-8"))
HUBEI = tariff_on(TARIFFS, JANUARY)


def stations(**columns):
    data = {
        "name": ["East", "West", "North"],
        "voltage_kv": ["110/35/10", "110/10", "220/110"],
        "transformers_mva": ["2x50", "2x50", "3x180"],
        "peak_mva": [30.0, 20.0, 200.0],
        "peak_high_mva": [40.0, 20.0, 250.0],
        "commissioned": ["2010", None, "2026-06"],
    } | columns
    return gpd.GeoDataFrame(data, geometry=[Point(115.0, 30.0), Point(115.05, 30.0), Point(115.1, 30.1)], crs=4490)


@pytest.mark.parametrize(
    ("kv", "prices"),
    [(10, (0.816, 0.767, 0.740, 0.724)), (35, (0.796, 0.747, 0.721, 0.704)),
     (110, (0.767, 0.721, 0.696, 0.681)), (220, (0.748, 0.702, 0.677, 0.662))],
)  # fmt: skip
def test_average_price_of_the_two_part_tariff(kv, prices):
    """Hubei, January 2026, demand charge included, 730 h a month, load factors 35, 50, 65 and 80 %."""
    got = price_yuan_kwh([0.35, 0.5, 0.65, 0.8], tariff=HUBEI, voltage_kv=kv)
    assert got.round(3).tolist() == pytest.approx(prices, abs=1e-9)


def test_flat_prices_are_the_sum_of_their_parts():
    common = sum(HUBEI["parts"].values())
    for rate in HUBEI["rate"]:
        # the notice's own totals of the single-part tariff are 0.0002 off its parts
        assert rate["energy"] == pytest.approx(common + rate["network"], abs=2.1e-4)
        assert rate["valley"] < rate["flat"] < rate["peak"] < rate["sharp"]


def test_periods_of_the_day_and_the_summer_shift():
    hours = period_hours(HUBEI)
    assert (hours >= 0).all()
    january, july = hours[0], hours[6]
    assert january[[18, 19]].tolist() == [0, 0]
    assert july[[18, 19, 20, 21]].tolist() == [1, 1, 0, 0]
    assert january[[12, 13, 0, 5]].tolist() == [3, 3, 3, 3]
    assert period_shares(HUBEI).tolist() == pytest.approx([2 / 24, 6 / 24, 8 / 24, 8 / 24])


def test_a_night_shift_pays_less():
    night = np.where(np.arange(24) < 6, 1.0, 0.0)
    assert period_shares(HUBEI, night)[3] == 1.0
    options = {"tariff": HUBEI, "voltage_kv": 35}
    assert price_yuan_kwh(0.5, profile=night, **options) < price_yuan_kwh(0.5, profile=np.ones(24), **options)


def test_bill_and_what_a_higher_voltage_saves():
    got = bill(100.0, voltage_kv=10, tariffs=TARIFFS, load_factor=0.5, on=JANUARY)
    assert got.annual_wan_yuan.likely == pytest.approx(100 * 100 * (0.651886 + 42 / 365))
    assert got.annual_wan_yuan.likely == pytest.approx(got.energy_wan_yuan.likely + got.basic_wan_yuan.likely)
    assert got.savings_wan_yuan[35.0].likely == pytest.approx(100 * 100 * (0.1263 - 0.1065))
    wide = bill((80, 100, 130), voltage_kv=10, tariffs=TARIFFS, load_factor=(0.35, 0.5, 0.8), on=JANUARY)
    assert wide.price_yuan_kwh.low == pytest.approx(0.651886 + 42 / (730 * 0.8))
    assert wide.annual_wan_yuan.low < got.annual_wan_yuan.low < wide.annual_wan_yuan.high
    assert all(saving.low <= saving.likely <= saving.high for saving in wide.savings_wan_yuan.values())


def test_capacity_charge_instead_of_demand():
    by_kva = price_yuan_kwh(0.5, tariff=HUBEI, voltage_kv=10, transformer_loading=0.7)
    assert by_kva == pytest.approx(0.651886 + 26.3 / 0.7 / 365)


def test_a_month_without_notice_adds_the_periods_prices_to_the_last_known_purchase_price():
    """From 2026-08-01 line loss is 4.55 %: the loss item becomes 0.018327, 0.0047 more than in January."""
    assert HUBEI["id"] == "hubei-2026-01"
    august = tariff_on(TARIFFS, FOURTH)
    assert august["parts"]["losses"] == pytest.approx(0.018327, abs=5e-7)
    rates = {(row["scheme"], row["voltage_kv"]): row for row in august["rate"]}
    assert rates["single", 110]["network"] == 0.1503
    assert rates["single", 220]["network"] == 0.1303
    for row in HUBEI["rate"]:
        there = rates[row["scheme"], row["voltage_kv"]]
        assert there["network"] == row["network"], "prices did not change"
        assert there["energy"] - row["energy"] == pytest.approx(0.0047, abs=2.5e-4)
        assert there["valley"] < there["flat"] < there["peak"] < there["sharp"]
    assert [found.state for found in august["found"]] == ["open", "expired", "unknown"]
    before = tariff_on(TARIFFS, FOURTH - dt.timedelta(days=1))
    assert before["parts"]["losses"] == HUBEI["parts"]["losses"]
    assert ("single", 110) not in {(row["scheme"], row["voltage_kv"]) for row in before["rate"]}


@pytest.mark.parametrize("day", [dt.date(2024, 5, 1), FOURTH, dt.date(2027, 9, 1)])
def test_a_bill_says_what_is_not_in_force(day):
    got = bill(10, voltage_kv=10, tariffs=TARIFFS, on=day)
    said = next(one for one in got.remarks if str(day) in one.zh)
    assert "2026年1月" in said.zh
    assert "作参考" in said.zh
    assert "as an indication" in said.en
    assert "仅作参考" in got.tariff
    assert any("260" in one.zh for one in got.remarks) == (day >= FOURTH)
    in_month = bill(10, voltage_kv=10, tariffs=TARIFFS, on=JANUARY)
    assert not any("作参考" in one.zh for one in in_month.remarks)


@pytest.mark.parametrize(("day", "is_told"), [(dt.date(2026, 2, 28), False), (dt.date(2026, 3, 1), True)])
def test_the_bill_says_whom_time_of_use_is_for(day, is_told):
    assert any("代理购电用户" in one.zh and "1656" in one.zh for one in remarks_on(TARIFFS, day)) == is_told


@pytest.mark.parametrize(
    ("factor", "change"),
    [
        (1.0, -0.0075),
        (0.95, -0.0075),
        (0.91, -0.0015),
        (0.90, 0.0),
        (0.89, 0.005),
        (0.70, 0.10),
        (0.69, 0.11),
        (0.65, 0.15),
        (0.64, 0.17),
    ],
)
def test_adjustment_by_power_factor(factor, change):
    assert power_factor_adjustment(factor, tariffs=TARIFFS) == pytest.approx(change)
    assert refused(power_factor_adjustment, 0, tariffs=TARIFFS) == [("supply.load_factor_no_share", "power_factor")]


def test_an_own_table_of_notices_alone_still_works():
    old = {"tariff": [{**HUBEI, "valid_from": dt.date(2026, 1, 1)}]}
    assert tariff_on(old, JANUARY)["rate"] == HUBEI["rate"]
    del old["tariff"][0]["valid_from"]
    assert refused(bill, 10, voltage_kv=10, tariffs={"tariff": old["tariff"]})[0][0] == "rules.undated"


def test_what_no_bill_can_be_made_of_is_refused():
    for wrong, code in (
        ({"load_factor": 50}, "load_factor_no_share"),
        ({"voltage_kv": 66}, "no_rate"),
        ({"load_factor": 0}, "load_factor_no_share"),
        ({"transformer_loading": 9}, "loading_unusable"),
        ({"profile": -np.ones(24)}, "profile_unusable"),
    ):
        options = {"voltage_kv": 10, "tariffs": TARIFFS} | wrong
        assert refused(bill, 10, **options)[0] == (f"supply.{code}", next(iter(wrong)))
    assert refused(bill, -1, voltage_kv=10, tariffs=TARIFFS) == [("supply.energy_negative", "annual_gwh")]


@pytest.mark.parametrize(
    ("gwh", "review"),
    [(8.13, "exempt"), (8.14, "local"), (81.3, "local"), (10_000 / 122.9, "provincial"), (82, "provincial")],
)
def test_review_classes(gwh, review):
    """Order 31: 1,000 tce are 8.14 GWh of electricity, 10,000 tce are 81.4 GWh; the test of 5 GWh is gone."""
    assert energy_review(gwh, grid=GRID, on=ORDER_31).review == review


@pytest.mark.parametrize(("gwh", "review"), [(4.99, "exempt"), (5.0, "local"), (81.3, "local"), (82, "provincial")])
def test_review_classes_of_the_measures_before(gwh, review):
    assert energy_review(gwh, grid=GRID, on=ORDER_2).review == review


def test_coal_is_a_test_of_its_own():
    for coal, review in ((0, "exempt"), (999, "exempt"), (1000, "local"), (9999, "local"), (10_000, "provincial")):
        assert energy_review(1, grid=GRID, coal_t=coal, on=ORDER_31).review == review
        assert energy_review(1, grid=GRID, coal_t=coal, on=ORDER_2).review == "exempt"
    assert "不使用煤炭" in energy_review(1, grid=GRID, on=ORDER_31).words_zh
    assert "约500吨" in energy_review(1, grid=GRID, coal_t=500, on=ORDER_31).words_zh
    assert refused(energy_review, 1, grid=GRID, coal_t=-1) == [("supply.energy_negative", "coal_t")]


@pytest.mark.parametrize("gwh", [4, 20, 100])
def test_the_review_text_names_the_order_that_is_in_force_on_the_day(gwh):
    now, before = (energy_review(gwh, grid=GRID, on=day) for day in (ORDER_31, ORDER_2))
    assert "2025年第31号" in now.words_zh
    assert "第2号" not in now.words_zh
    assert "500万千瓦时" not in now.words_zh
    assert "湖北省按第31号令制定的实施办法未查到" in now.words_zh
    assert "2023年第2号" in before.words_zh
    assert "第31号" not in before.words_zh
    assert "order 31" in now.words_en
    assert "order 2 of 2023" in before.words_en
    early = energy_review(gwh, grid=GRID, on=dt.date(2023, 5, 31))
    assert early.words_zh.startswith("节能审查办法：没有已知于2023-05-31有效的规则")
    assert "as an indication" in early.words_en
    assert (early.rule.state, now.rule.state, before.rule.state) == ("not_yet", "open", "in_force")


def test_energy_review_in_words_and_over_an_interval():
    got = energy_review((2, 4, 20), grid=GRID, on=ORDER_31)
    assert got.tce.likely == pytest.approx(4 * 122.9)
    assert (got.review, got.review_low, got.review_high) == ("exempt", "exempt", "local")
    assert "492" in got.words_zh
    assert "省级以下" in got.words_zh
    assert "no separate" in got.words_en
    assert energy_review(3, other_tce=700, grid=GRID).review == "local"  # below 8.14 GWh, but not below 1,000 tce
    assert coal_equivalent_tce(np.array([1.0, 2.0]), grid=GRID).tolist() == pytest.approx([122.9, 245.8])


def test_gas_steam_and_green_power():
    heat = heat_tce(gas_m3=1e6, steam_gj=1e4, grid=GRID)
    assert (heat.low, heat.high) == pytest.approx((1100 + 341.2, 1330 + 341.2))
    got = energy_review(10, other_tce=100, green_share=(0.2, 0.3, 0.5), grid=GRID)
    assert got.tce.likely == pytest.approx(1329)
    assert (got.counted_tce.low, got.counted_tce.likely) == pytest.approx((714.5, 960.3))
    assert got.review == "local"
    assert refused(energy_review, 10, green_share=30, grid=GRID) == [("supply.no_share", "green_share")]


@pytest.mark.parametrize(
    ("mva", "levels"),
    [(0.2, (10,)), (7, (10, 35)), (12, (35,)), (30, (35, 110)), (90, (110,)), (100, (110, 220)), (300, (220,))],
)
def test_voltage_by_the_rule_table(mva, levels):
    assert connection(mva, grid=GRID).voltages_kv == levels


def test_without_35_kv_the_10_kv_reaches_further():
    assert connection(15, grid=GRID, has_35_kv=False).voltages_kv == (10,)


def test_who_can_connect_a_site():
    site = gpd.GeoSeries([Point(115.01, 30.0)], crs=4490)
    got = connection((25, 30, 35), grid=GRID, site=site, substations=stations())
    assert [option.voltage_kv for option in got.options] == [35, 110]
    assert got.options[0].substations == ("East",)
    assert got.options[0].distance_km[0] == pytest.approx(0.965, abs=0.005)
    line, cost = got.options[0].line_km, got.options[0].cost_wan_yuan
    assert cost.low == pytest.approx(line.low * 50)
    assert cost.high == pytest.approx(line.high * 150)


def test_dual_supply_takes_two_independent_stations():
    site = gpd.GeoSeries([Point(115.01, 30.0)], crs=4490)
    assert needs_dual_supply("laser_chip", grid=GRID)
    two = connection(9, grid=GRID, dual_supply=True, site=site, substations=stations()).options
    assert two[0].substations == ("East", "West")
    same = stations(upstream=["Hub", "Hub", "Hub"])
    got = connection(9, grid=GRID, dual_supply=True, site=site, substations=same)
    assert {code for code, _ in got.refusals} == {"no_second_substation"}
    assert got.best is None


def test_headroom_under_n_minus_1():
    promised = pd.DataFrame(
        {"substation": ["East", "East"], "mva": [5.0, 9.0], "high_mva": [6.0, 9.0], "from": ["2024", "2027"]}
    )
    now = headroom(stations(), promised, at=2025)
    assert now.loc["East", ["firm_mva", "headroom_low_mva", "headroom_likely_mva"]].tolist() == [50.0, 4.0, 15.0]
    assert now.loc["North", "headroom_high_mva"] == 0  # commissioned 2026-06
    later = headroom(stations(), promised, at="2027-12")
    assert later.loc["East", "headroom_likely_mva"] == 6.0
    assert later.loc["North", "headroom_low_mva"] == 110.0
    assert transformers("2×50+31.5") == [50.0, 50.0, 31.5]


def test_every_fault_of_a_substation_layer_is_named():
    bad = stations(name=["A", "A", "C"], peak_mva=[30.0, 170.0, 10.0], transformers_mva=["2x50", "2x50", "a few"])
    bad["peak_high_mva"] = [20.0, 170.0, 10.0]
    found = faults_of(headroom, bad, pd.DataFrame({"substation": ["Nowhere"], "mva": [1.0]}))
    assert [(fault.code, fault.place) for fault in found] == [
        ("supply.peak_out_of_order", Place("substations", row=1, entry="A")),
        ("supply.station_named_twice", Place("substations", row=2, entry="A")),
        ("supply.capacity_below_peak", Place("substations", row=2, entry="A")),
        ("supply.transformers_unreadable", Place("substations", row=3, entry="C")),
        ("supply.commitment_unknown", Place("committed", row=1)),
    ]
    assert [fault.values for fault in found[2:]] == [
        {"installed": 100.0, "peak": 170.0}, {"value": "a few"}, {"station": "Nowhere"},
    ]  # fmt: skip
    assert refused(headroom, stations().drop(columns="transformers_mva")) == [
        ("supply.transformers_missing", "substations")
    ]


def test_megawatts_taken_for_megavoltamperes():
    for mw, factor in ((12, 1.2), (5, 0.5)):
        (found,) = faults_of(connection, 10, power_mw=mw, grid=GRID)
        assert (found.code, found.values["factor"]) == ("supply.power_factor_unlikely", factor)
    connection(10, power_mw=9.5, grid=GRID)
    assert refused(connection, 0, grid=GRID) == [("supply.power_not_positive", "power_mva")]


numbers = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3).map(sorted)


@given(numbers, numbers, st.floats(0, 1), st.floats(0, 1))
def test_interval_arithmetic_holds_whatever_the_truth(a, b, s, t):
    x, y = Interval.of(a), Interval.of(b)
    p, q = x.low + s * (x.high - x.low), y.low + t * (y.high - y.low)
    for got, truth in ((x + y, p + q), (x - y, p - q), (x * y, p * q)):
        assert got.low - 1e-6 <= truth <= got.high + 1e-6


def test_an_interval_is_three_numbers_in_order():
    assert refused(Interval, 3.0, 2.0, 4.0) == [("supply.interval_out_of_order", "interval (3.0, 2.0, 4.0)")]
    assert refused(Interval.of, (1, 2, 3, 4)) == [("supply.interval_of_another_length", "interval (1, 2, 3, 4)")]


def test_load_factor_is_energy_over_what_the_capacity_carries_in_a_year():
    assert load_factor(8.76, 2, power_factor=1.0).likely == pytest.approx(0.5)
    spread = load_factor((8.76, 17.52), (2, 4), power_factor=0.5)
    assert (spread.low, spread.high) == pytest.approx((1.0, 1.0))
    (found,) = faults_of(load_factor, 17.6, 2, power_factor=1.0)
    assert (found.code, found.values["most"]) == ("supply.energy_beyond_capacity", pytest.approx(17.52))
    assert refused(load_factor, 0, 0, power_factor=1.0) == [
        ("supply.not_above_zero", "annual_gwh"),
        ("supply.not_above_zero", "power_mva"),
    ]


def test_bills_are_one_a_voltage_and_those_of_bill():
    found = bills((40, 60), tariffs=TARIFFS, load_factor=(0.4, 0.6))
    assert [one.voltage_kv for one in found] == [10, 35, 110, 220]
    for one in found:
        assert one == bill((40, 60), voltage_kv=one.voltage_kv, tariffs=TARIFFS, load_factor=(0.4, 0.6))
    assert found[0].annual_wan_yuan.likely > found[-1].annual_wan_yuan.likely


@pytest.mark.parametrize("shape", TARIFFS["shape"], ids=lambda row: row["id"])
def test_a_shape_of_the_table_is_a_day(shape):
    assert len(shape["load"]) == 24
    assert max(shape["load"]) == 1
    assert period_shares(HUBEI, shape["load"]).sum() == pytest.approx(1)
