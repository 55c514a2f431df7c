"""What plants need: land, floor, plot ratio, capacity, energy, load factor and bill of a segment fit together."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_cluster import toml
from geo_cluster.errors import InputError
from geo_cluster.intake import appraise, references
from geo_cluster.supply.tariff import bill, load_factor
from geo_cluster.world import catalog, plant_needs, portfolio
from geo_cluster.world.layers import Layers, words

SEGMENTS = list(catalog.segments())
PF, HOURS = 0.95, 8760
RANGES = ("land_mu", "plot_ratio", "density_mw_per_10k_m2", "demand_factor", "load_factor")


def checked(segment: str = "cutting_welding", output: str = "8", **stated: str) -> pd.DataFrame:
    return portfolio.check(pd.DataFrame([{"segment": segment, "output_100m_yuan": output, **stated}]))


@pytest.mark.parametrize("key", SEGMENTS)
def test_the_load_factor_of_a_segment_is_that_of_a_plant(key):
    usual = toml.table("requirements")["load_factor"]
    low, high = catalog.segments()[key].load_factor
    assert 0.2 == usual["low"] <= low < high <= usual["high"] == 0.8
    row = checked(key).iloc[0]
    implied = row.energy_gwh_likely * 1000 / (row.power_mva_likely * PF * HOURS)
    assert low < implied < high
    assert implied == pytest.approx(np.sqrt(low * high))


@pytest.mark.parametrize("key", SEGMENTS)
def test_the_plot_ratio_keeps_the_rule_or_says_why_not(key):
    segment, rule = catalog.segments()[key], toml.table("requirements")["plot_ratio"]
    assert segment.plot_ratio[0] >= rule["class"][segment.plot_ratio_class]["at_least"]
    assert segment.plot_ratio[0] >= rule["park_door"] or segment.reason, "below what parks ask, and no reason stated"
    if segment.reason:
        assert len(segment.reason.zh) > 15 and len(segment.reason.en) > 30


def test_the_rules_of_plot_ratio_are_those_of_the_check():
    rule = toml.table("requirements")["plot_ratio"]
    for check in (row for row in toml.table("land")["check"] if row["indicator"] == "plot_ratio"):
        assert {row["at_least"] for row in rule["class"].values()} == set(check["limit"])
        assert rule["park_door"] == check["limit"][1]


@pytest.mark.parametrize("key", SEGMENTS)
def test_what_follows_agrees_with_what_is_stated(key):
    """Land × plot ratio is the floor, floor × density × demand ÷ power factor the capacity, within every bound."""
    one = catalog.segments()[key]
    spans = {"land_mu": one.needs["land_mu"]} | {name: getattr(one, name) for name in RANGES[1:]}
    assert all(0 < low < high for low, high in spans.values())
    middle = {name: np.sqrt(low * high) for name, (low, high) in spans.items()}
    (floor,), (mva,), (gwh,) = (
        of([one]) for of in (plant_needs.floor_m2, plant_needs.capacity_mva, plant_needs.energy_gwh)
    )
    for derived in (floor, mva, gwh):
        assert derived[0] < derived[1] < derived[2]
        assert derived[2] / derived[0] < 20, "an interval that says nothing"
    assert floor[1] == pytest.approx(middle["land_mu"] * 10_000 / 15 * middle["plot_ratio"])
    peak = floor[1] / 1e4 * middle["density_mw_per_10k_m2"] * middle["demand_factor"]
    assert mva[1] == pytest.approx(peak / PF)
    assert gwh[1] == pytest.approx(peak * middle["load_factor"] * HOURS / 1000)
    worst = np.prod([[low, high] for low, high in (spans["land_mu"], spans["plot_ratio"])], axis=0) * 10_000 / 15
    assert worst[0] < floor[0] and floor[2] < worst[1], "not all at their worst at once"


@pytest.mark.parametrize("key", SEGMENTS)
def test_every_range_states_what_it_rests_on(key):
    segment, layers = catalog.segments()[key], Layers()
    layer = layers.read("reference_projects").set_index("id")
    shown = references.references(layers, key).set_index("id")
    assert set(segment.basis) <= set(RANGES)
    for name, basis in segment.basis.items():
        assert bool(basis.sample) == (basis.kind in ("references", "derived")), name
        assert basis.zh and basis.en, name
        assert set(basis.references) <= set(layer.index)
        assert {*basis.references, *basis.siting} <= set(shown.index), "what a range rests on is shown beside it"
        assert (layer.loc[list(basis.references), "segment_group"] != "optics").all(), "optical modules are no plants"
        column = {"land_mu": "mu_per_100m_output", "plot_ratio": "plot_ratio"}.get(name)
        if basis.kind == "references":
            figures = shown.loc[[*basis.references, *basis.siting], column].astype(float)
            low, high = segment.needs["land_mu"] if name == "land_mu" else segment.plot_ratio
            assert figures.between(low, high).all(), f"a range that leaves out what it rests on: {figures.to_dict()}"
    for name in ("density_mw_per_10k_m2", "demand_factor", "load_factor"):
        assert not references.basis_of(segment, name).sample, "no reference project states its power"


def test_the_derived_range_is_what_its_projects_give():
    """Semiconductor lasers: investment per output of two over investment per mu of three."""
    layer = Layers().read("reference_projects").set_index("id")
    basis = catalog.segments()["semiconductor_laser"].basis["land_mu"]
    figures = layer.loc[list(basis.references)]
    of_output = figures["investment_per_output"].astype(float).loc[["P02", "P06"]]
    of_land = figures["investment_10k_yuan_per_mu"].astype(float).dropna()
    assert len(of_land) == 3
    found = of_output.min() * 1e4 / of_land.max(), of_output.max() * 1e4 / of_land.min()
    assert found == pytest.approx((2.79, 9.09), abs=0.01)
    assert catalog.segments()["semiconductor_laser"].needs["land_mu"] == pytest.approx(found, rel=0.08)


def test_the_segments_of_the_layer_are_segments_here():
    assert set(Layers().read("reference_projects")["segment"].dropna()) - {""} <= set(SEGMENTS)
    assert {"semiconductor_laser", "gas_laser", "solid_state_laser", "cnc_system"} <= set(words("segment"))


positive = st.floats(0.01, 1000)


@given(st.lists(st.tuples(positive, positive, positive).map(sorted), min_size=1, max_size=5))
def test_a_product_is_ordered_and_no_wider_than_the_worst(factors):
    low, likely, high = plant_needs.product(*(np.array([one]) for one in factors))[0]
    worst = np.prod(factors, axis=0)
    assert likely == pytest.approx(worst[1])
    assert worst[0] <= low * (1 + 1e-9) and low <= likely * (1 + 1e-9)
    assert likely <= high * (1 + 1e-9) and high <= worst[2] * (1 + 1e-9)


def test_of_capacity_and_energy_one_follows_from_the_other():
    low, high = catalog.segments()["cutting_welding"].load_factor
    by_mva = checked(power_mva="3").iloc[0]
    assert by_mva.energy_gwh_low == pytest.approx(3 * PF * low * 8.76)
    assert by_mva.energy_gwh_high == pytest.approx(3 * PF * high * 8.76)
    by_gwh = checked(energy_gwh="5").iloc[0]
    assert by_gwh.power_mva_low == pytest.approx(5 / (PF * high * 8.76))
    assert by_gwh.power_mva_high == pytest.approx(5 / (PF * low * 8.76))
    typed = appraise.estimated("cutting_welding", 8, {"power_mva": "3", "energy_gwh": ""})
    assert typed["energy_gwh"] == pytest.approx(
        (by_mva.energy_gwh_low, by_mva.energy_gwh_likely, by_mva.energy_gwh_high)
    )
    assert appraise.estimated("cutting_welding", 8, {"power_mva": "many"}) == appraise.estimated("cutting_welding", 8)


def test_the_bill_is_that_of_the_lines_own_numbers():
    """8 亿元 of cutting and welding as it was, 1.789 GWh through 2.249 MVA: 137 at a load factor of 0.5."""
    tariffs, day = toml.table("tariffs"), dt.date(2026, 1, 15)

    def costs(load: object) -> float:
        return bill(1.789, voltage_kv=10, tariffs=tariffs, load_factor=load, on=day).annual_wan_yuan.likely

    assert costs(0.5) == pytest.approx(137, abs=0.5)
    assert costs(load_factor(1.789, 2.249, power_factor=0.9)) == pytest.approx(219, abs=0.5)
    row = appraise.needs_table(checked(power_mva="2.249", energy_gwh="1.789"), day=day).iloc[0]
    assert row.load_factor_likely == pytest.approx(1.789 / (2.249 * PF * 8.76), abs=1e-4)
    assert row.bill_10k_yuan_likely == pytest.approx(costs(load_factor(1.789, 2.249, power_factor=PF)), abs=0.01)
    assert row.bill_10k_yuan_likely > 219
    assert row.transformer_loading == PF
    assert row.bill_by_capacity_10k_yuan_likely < row.bill_10k_yuan_likely, "26.3 yuan/kVA ÷ 0.95 < 42 yuan/kW"


@pytest.mark.parametrize("key", SEGMENTS)
def test_the_bill_of_an_estimate_has_the_load_factor_of_its_segment(key):
    row = appraise.needs_table(checked(key)).iloc[0]
    low, high = catalog.segments()[key].load_factor
    assert (row.load_factor_low, row.load_factor_high) == pytest.approx((low, high))
    assert 0 < row.bill_10k_yuan_low < row.bill_10k_yuan_likely < row.bill_10k_yuan_high
    assert row.check_zh == row.check_en == ""


def test_energy_that_does_not_pass_through_the_capacity_is_refused_with_both_numbers():
    table = pd.DataFrame({"细分环节": ["激光清洗"] * 2, "年产值(亿元)": ["2"] * 2})
    table = table.assign(**{"报装容量(MVA)": ["2", "1"], "年用电(GWh)": ["4", "9-11"]})
    with pytest.raises(InputError) as refusal:
        portfolio.check(table, where="own.csv")
    (fault,) = refusal.value.faults
    assert (fault.code, fault.row, fault.column) == ("world.energy_beyond_capacity", 3, "年用电(GWh)")
    assert "10 GWh" in fault.what and "1 MVA" in fault.what and "8.3 GWh" in fault.what
    assert "单位" in fault.words("zh").remedy
    just = f"{1 * PF * 8.76:.4f}"
    assert checked(power_mva="1.0001", energy_gwh=just)["energy_gwh_given"].all()


@pytest.mark.parametrize(
    ("stated", "codes"),
    [
        ({}, []),
        ({"power_mva": "1", "energy_gwh": "2.5"}, []),
        ({"power_mva": "10", "energy_gwh": "1"}, ["world.load_factor_unusual"]),
        ({"power_mva": "1", "energy_gwh": "7.5"}, ["world.load_factor_unusual"]),
        ({"land_mu": "4.6"}, ["world.need_unusual"]),  # hectares where mu are meant
        ({"energy_gwh": "178.9"}, ["world.need_unusual"]),  # 万千瓦时 where GWh are meant
        ({"land_mu": "25-200"}, []),
    ],
)
def test_a_need_outside_sense_is_said_and_not_refused(stated, codes):
    found = portfolio.warnings(checked(**stated))
    assert [fault.code for fault in found] == codes
    row = appraise.needs_table(checked(**stated)).iloc[0]
    assert bool(row.check_zh) == bool(row.check_en) == bool(codes)
    for fault in found:
        assert fault.place.name == "P01" and fault.words("zh").remedy and fault.remedy


def test_reference_projects_stand_beside_the_ranges():
    layers, projects = Layers(), checked(land_mu="20")
    found = references.references(layers, "cutting_welding")
    assert {"P40", "P41"} <= set(found["id"]), "also a park that a range rests on"
    assert found["id"].iloc[0] == "P41" and found["publisher"].str.len().min() > 0
    assert "P30" not in set(found["id"])
    beside = references.beside(layers, projects)
    land = beside[beside["ratio"] == "land"].set_index("reference")
    assert land.loc["P41", ["own", "figure", "place"]].tolist() == [2.5, 5.8, "within"]
    assert land["own_given"].all() and land["thin"].all() and land["basis_zh"].str.contains("样本少（2个）").all()
    nobody = references.beside(layers, checked("gas_laser"))
    assert len(nobody) == 3 and nobody["reference"].isna().all() and (nobody["kind"] == "analogy").all()
    (raycus,) = references.references(layers, "fiber_laser").itertuples()
    assert (raycus.id, raycus.mu_per_100m_output, raycus.m2_per_100m_output, raycus.plot_ratio) == (
        "L026",
        3.58,  # 215 mu, 150,000 m² and 6 bn yuan a year, as planned
        2500,
        1.05,
    )
    odd = references.beside(layers, checked("optics_crystal"))
    assert odd.set_index("reference").loc["P54", "place"] == "above"
