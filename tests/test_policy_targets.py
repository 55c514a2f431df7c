"""The policy's targets beside actual values: same scope or apart, unknown stays unknown, who could climb by hand."""

import math

import pandas as pd
import pytest

from geo_cluster import toml
from geo_cluster.policy import entries, known, targets
from geo_cluster.policy.forms import ACTUALS, MONEY
from geo_cluster.world.layers import Layers
from tests.refusals import refused
from tests.studies import run

LAYERS = Layers()
NAMES = known.names(LAYERS)


def actuals(*rows):
    return targets.checked(ACTUALS.typed(pd.DataFrame([{"source": "省经信厅函", **row} for row in rows])))


def firms(*rows):
    return entries.checked(MONEY.typed(pd.DataFrame(rows)), NAMES)


def beside(*rows, own=None, scope="consolidated"):
    entered = actuals(*rows) if rows else targets.NO_ACTUALS
    table = targets.targets(LAYERS, known.firms(LAYERS) if own is None else own, entered, scope=scope)
    return table.set_index(["target", "year"])


def tiers_of(own, scope="consolidated"):
    table = targets.targets(LAYERS, own, scope=scope)
    return table[table["target"] == "tiers"].set_index("tier")


def test_the_targets_are_those_of_the_policy():
    table = beside()
    assert table.loc["scale", "aim"].to_dict() == {2024: 280, 2025: 380, 2026: 500}
    assert table.loc[("patents", 2026), "aim"] == 15
    assert table.loc[("listings", 2026), "aim"] == 3
    assert tiers_of(known.firms(LAYERS))["aim"].to_dict() == {200: 1, 100: 1, 50: 2}
    assert table["publisher"].str.contains("35号").all()
    assert set(table["scope_zh"]) == {"湖北省"}


def test_an_actual_value_that_nobody_published_is_unknown_and_no_zero():
    table = beside()
    for target in ("scale", "patents", "listings"):
        assert set(table.loc[target, "state"]) == {"unknown"}
        assert table.loc[target, ["low", "high", "left_low", "left_high"]].isna().all(axis=None)


def test_the_growth_that_targets_take_is_from_the_year_before():
    table = beside()
    assert table.loc["scale", "needed"].round(4).tolist()[1:] == [35.7143, 31.5789]  # 380/280, 500/380
    entered = beside({"target": "scale", "year": 2025, "value": "400"})
    assert entered.loc[("scale", 2026), "needed"] == pytest.approx(25)  # 500/400


def test_what_is_entered_stands_beside_the_target_with_its_source_and_what_is_left():
    table = beside({"target": "激光产业规模", "year": 2025, "value": "360-390", "scope": "湖北省"})
    row = table.loc[("scale", 2025)]
    assert (row["low"], row["high"], row["left_low"], row["left_high"]) == (360, 390, 0, 20)
    assert (row["state"], row["actual_source"]) == ("open", "省经信厅函")
    done = beside({"target": "listings", "year": 2026, "value": "3"})
    assert done.loc[("listings", 2026), "state"] == "reached"
    short = beside({"target": "patents", "year": 2026, "value": "9~11"})
    assert short.loc[("patents", 2026), "state"] == "short"


def test_another_scope_never_stands_beside_the_province_s_target():
    entered = actuals({"target": "scale", "year": 2025, "value": "1000", "scope": "光谷"})
    table = targets.targets(LAYERS, known.firms(LAYERS), entered, scope="consolidated")
    assert set(table.loc[table["target"] == "scale", "state"]) == {"unknown"}
    others = targets.others(LAYERS, entered)
    assert others.iloc[-1][["name_zh", "value"]].tolist() == ["光谷", 1000]
    assert "湖北东湖科学城" in set(others["name_zh"])
    ours = {one for target in targets.declared() for one in target["rows"]}
    apart = {one for other in toml.table("targets")["other"] for one in other["rows"]}
    assert not ours & apart
    known_rows = LAYERS.read("targets").set_index("id")
    assert set(known_rows.loc[sorted(ours), "name_zh"]) == {"湖北省"}
    assert "湖北省" not in set(known_rows.loc[sorted(apart), "name_zh"])


def test_firms_are_counted_in_the_tier_they_are_in_by_what_is_verified_and_by_lasers():
    row = {"year": 2025, "scope": "合并"}
    own = firms(
        {**row, "subject": "甲", "revenue": "210"},
        {**row, "subject": "乙", "revenue": "95-105"},
        {**row, "subject": "丙", "revenue": "60"},
        {**row, "subject": "丙", "revenue": "55", "scope": "激光"},
    )
    table = tiers_of(own)
    assert table["high"].to_dict() == {200: 1, 100: 1, 50: 2}
    assert table["low"].to_dict() == {200: 0, 100: 0, 50: 1}, "by laser business no firm is known above 100"
    assert table["by_laser"].to_dict() == {200: 0, 100: 0, 50: 1}
    assert tiers_of(own, "laser")["high"].to_dict() == {200: 0, 100: 0, 50: 1}


def test_the_next_tier_is_reached_by_hand():
    own = firms(
        {"subject": "甲", "year": 2024, "revenue": "40", "growth": "5-30"},  # 52 in 2025, 55.2 in 2026, 51.05 in 2029
        {"subject": "乙", "year": 2024, "revenue": "90", "growth": "-10~20"},  # 108 in 2025; 90 x 1.05^3 = 104 in 2027
        {"subject": "丙", "year": 2024, "revenue": "30"},
        {"subject": "丁", "year": 2024, "revenue": "220", "growth": "5"},
    )
    table = targets.climbers(own, until=2035, scope="consolidated").set_index("subject")
    assert table.loc["甲", ["tier", "earliest", "likely", "latest"]].tolist() == [50, 2025, 2026, 2029]
    assert table.loc["乙", ["tier", "earliest", "likely"]].tolist() == [100, 2025, 2027]
    assert math.isnan(table.loc["乙", "latest"]), "at -10 % never"
    assert table.loc["丙", ["earliest", "likely", "latest"]].isna().all(), "growth is not known"
    assert math.isnan(table.loc["丁", "tier"])
    assert targets.climbers(own, until=2035, scope="entity").empty


def test_no_shipped_firm_reaches_200_by_2026():
    table = targets.climbers(known.firms(LAYERS), until=2036, scope="consolidated")
    assert table["earliest"].min() > 2026
    assert table.loc[table["subject"] == "F01", "earliest"].tolist() == [2027]  # 117.09 x 1.2262^3 = 216


@pytest.mark.slow
def test_what_the_plan_adds_is_its_placed_projects_output_by_year():
    study = run("default")
    table = targets.added(study).set_index("year")
    placed = study.projects[study.plan.site >= 0]
    for year in table.index:
        whole = placed.loc[placed["year"] <= year, "output_100m_yuan"].sum()
        assert table.loc[year, "high"] == pytest.approx(whole)
        assert table.loc[year, "low"] == pytest.approx(0.53 * whole)
    assert table["projects"].iloc[-1] == len(placed)


def test_odd_actual_values_are_refused_with_their_cells():
    def codes(*rows):
        return [code for code, _ in refused(actuals, *rows)]

    row = {"target": "scale", "year": 2025, "value": "400"}
    assert codes({**row, "target": "产值"}) == ["policy.no_target"]
    assert codes({**row, "value": "约四百"}) == ["policy.no_amount"]
    assert codes({**row, "value": "400-300"}) == ["policy.range_backwards"]
    assert codes({**row, "year": ""}) == ["policy.no_year"]
    assert codes({**row, "source": ""}) == ["policy.actual_without_source"]
    assert codes(row, row) == ["policy.actual_twice"]
    missing = [code for code, _ in refused(targets.read, "目标,年份\nscale,2025\n".encode(), "a.csv")]
    assert missing == ["world.column_required"] * 2


@pytest.mark.parametrize("form", [MONEY, ACTUALS])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_template_is_read_back(form, language):
    found = form.understood(form.template(language), "template.csv")
    assert not found.faults
    assert set(found.headings) == set(form.columns)
    kept = form.understood(form.kept(found), form.file)
    pd.testing.assert_frame_equal(kept.text.reset_index(drop=True), found.text.reset_index(drop=True))


def test_groups_are_firms_of_the_chain():
    there = set(LAYERS.read("chain")["id"])
    for row in toml.table("targets")["group"]:
        assert {row["firm"], row["group"]} <= there
