"""Policy money: worked examples by hand, bounds against brute force, readings, and what is refused or doubted."""

import datetime
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster import toml
from geo_cluster.errors import InputError
from geo_cluster.intake import appraise
from geo_cluster.policy import entries, known, offers, rules, summary, tiers
from geo_cluster.policy.forms import MONEY
from geo_cluster.policy.money import money
from geo_cluster.world import rule_life
from geo_cluster.world.layers import Layers
from tests.refusals import refused
from tests.studies import run

DAY = datetime.date(2026, 11, 30)
STEPS = [[50.0, 200.0], [100.0, 500.0], [200.0, 1000.0]]
NAMES = known.names(Layers())


def entered(*rows):
    """Checked entries of rows under our keys; `place` is Wuhan where none is said."""
    table = pd.DataFrame([{"place": "武汉", "source": "test", **row} for row in rows])
    return entries.checked(MONEY.typed(table), NAMES)


def firm(path, name="甲厂", **more):
    """One firm with its revenue by year."""
    return [{"subject": name, "year": year, "revenue": str(value), **more} for year, value in path.items()]


def paid(*rows, until=2030, on=DAY, table=None, **choices):
    return money(entered(*rows), on=on, until=until, choices=choices, table=table)


def by_year(found):
    """Year -> (low, likely, high) of all payers."""
    sums = found.lines.groupby("year")[["low", "likely", "high"]].sum(min_count=1)
    return {int(year): tuple(row) for year, row in zip(sums.index, sums.to_numpy(), strict=True)}


def in_all(found):
    return tuple(found.totals[["low", "likely", "high"]].sum(min_count=1))


def codes(found):
    return [doubt.code for doubt in found.doubts]


# ---- 晋档补差 ------------------------------------------------------------------------------------------------


def test_each_tier_pays_once_and_the_next_one_the_difference():
    found = paid(*firm({2023: 40, 2024: 60, 2025: 110, 2026: 210}))
    assert by_year(found) == {2024: (200,) * 3, 2025: (300,) * 3, 2026: (500,) * 3}
    assert in_all(found) == (1000,) * 3


def test_a_jump_past_two_tiers_pays_both_at_once():
    assert by_year(paid(*firm({2023: 40, 2025: 120}))) == {2025: (500,) * 3}
    assert by_year(paid(*firm({2023: 40, 2025: 200}))) == {2025: (1000,) * 3}  # at the tier is past it


def test_the_second_year_above_a_tier_and_a_return_to_it_pay_nothing():
    assert by_year(paid(*firm({2023: 40, 2024: 60, 2025: 70}))) == {2024: (200,) * 3}
    assert by_year(paid(*firm({2023: 40, 2024: 60, 2025: 40, 2026: 60}))) == {2024: (200,) * 3}


def test_tiers_passed_before_the_policy_are_settled_unless_read_otherwise():
    before = firm({2021: 101.67, 2022: 120.11, 2023: 103.1, 2024: 117.09, 2027: 205})
    assert by_year(paid(*before)) == {2027: (500,) * 3}
    assert by_year(paid(*before, settled="paid_only")) == {2027: (1000,) * 3}
    assert by_year(paid({"subject": "甲厂", "year": 2025, "revenue": "120", "passed": "60"})) == {2025: (300,) * 3}


def test_what_was_passed_before_is_open_where_nobody_says_it_and_only_the_first_year_can_pay():
    found = paid(*firm({2024: 82.7}))
    assert by_year(found).keys() == {2024}
    low, likely, high = by_year(found)[2024]
    assert (low, high) == (0, 200)
    assert math.isnan(likely)
    assert found.gaps["gap"].tolist() == ["growth", "passed"]


def test_half_is_paid_by_the_province_and_half_by_the_firm_s_place():
    found = paid(*firm({2023: 40, 2025: 60}))
    assert found.lines[["payer", "place", "low"]].to_numpy().tolist() == [
        ["province", "", 100.0],
        ["place", "420100", 100.0],
    ]
    nowhere = paid(*firm({2023: 40, 2025: 60}, place=""))
    assert nowhere.lines["place"].tolist() == ["", ""]
    assert "place" in nowhere.gaps["gap"].tolist()


def test_a_firm_that_moves_is_paid_by_its_seat_of_that_year_or_of_the_next():
    rows = firm({2023: 40, 2025: 60}) + firm({2026: 60}, place="鄂州")
    for choice, place in (("when_passed", "420100"), ("when_paid", "420700")):
        lines = paid(*rows, seat=choice).lines
        assert lines.loc[lines["payer"] == "place", "place"].tolist() == [place]


def test_growth_leads_to_the_next_tier_in_an_interval_of_years():
    rows = [*firm({2023: 40}), {"subject": "甲厂", "year": 2024, "revenue": "40", "growth": "5-30"}]
    found = by_year(paid(*rows))  # 40 x 1.3 = 52 in 2025; 40 x 1.175^2 = 55 in 2026; 40 x 1.05^5 = 51 in 2029
    assert found[2025] == (0, 0, 200)
    assert found[2026] == (0, 200, 200)
    assert in_all(paid(*rows, until=2028))[0] == 0
    assert in_all(paid(*rows, until=2029))[0] == 200


def test_the_bounds_of_the_sum_are_tighter_than_the_sum_of_the_bounds():
    rows = [*firm({2023: 40}), {"subject": "甲厂", "year": 2024, "revenue": "45-55"}]
    found = paid(*rows, *firm({2025: 60}))
    assert by_year(found) == {2024: (0, 200, 200), 2025: (0, 0, 200)}
    assert in_all(found) == (200, 200, 200)


def test_the_scope_of_revenue_is_a_reading():
    rows = [*firm({2023: 90, 2025: 120}), *firm({2023: 20, 2025: 55}, scope="激光")]
    assert in_all(paid(*rows)) == (300,) * 3
    assert in_all(paid(*rows, revenue="laser")) == (200,) * 3
    alone = paid(*rows, revenue="entity")
    assert alone.lines.empty
    assert alone.gaps["gap"].tolist() == ["scope"]


def brute(path, before, steps=STEPS):
    """What a path of revenue is paid year by year, told as a person would."""
    best, settled, amounts = before, before, []
    for revenue in path:
        due = 0.0
        for limit, amount in steps:
            if best < limit <= revenue:
                lower = max((a for at, a in steps if at < limit), default=0.0)
                due += amount - lower
        amounts.append(due)
        best = max(best, revenue)
    assert settled == before
    return amounts


PATHS = st.lists(st.floats(1, 300), min_size=2, max_size=5)


@given(PATHS, st.floats(0, 300))
@settings(max_examples=60, deadline=None)
def test_a_known_path_is_paid_as_by_hand(path, before):
    revenue = np.repeat(np.array(path)[None, :, None], 3, axis=2)
    passed = np.full((1, 3), before)
    found = tiers.awards(revenue, first=0, passed=passed, steps=STEPS, is_paid=np.ones(len(path), dtype=bool))
    assert found.by_year[0, :, 1].tolist() == brute(path, before)
    assert (found.by_year[0] == found.by_year[0, :, :1]).all()


@given(st.lists(st.tuples(st.floats(20, 250), st.floats(1, 2)), min_size=1, max_size=3), st.floats(0, 120))
@settings(max_examples=40, deadline=None)
def test_every_path_between_the_bounds_is_paid_between_the_bounds(ends, before):
    low = np.array([one for one, _ in ends])
    high = low * np.array([times for _, times in ends])
    revenue = np.stack([low, (low + high) / 2, high], axis=1)[None]
    passed = np.full((1, 3), before)
    found = tiers.awards(revenue, first=0, passed=passed, steps=STEPS, is_paid=np.ones(len(low), dtype=bool))
    for path in itertools.product(*[np.linspace(a, b, 4) for a, b in zip(low, high, strict=True)]):
        each = np.array(brute(path, before))
        assert (each >= found.by_year[0, :, 0]).all()
        assert (each <= found.by_year[0, :, 2]).all()
        assert found.in_all[0, 0] <= each.sum() <= found.in_all[0, 2]


# ---- 15 %, 10 %, platforms -----------------------------------------------------------------------------------


def first_set(**more):
    return {"subject": "首台", "year": 2026, **more}


def test_15_per_cent_of_the_price_or_the_cost_up_to_the_ceiling_of_both_sides():
    assert in_all(paid(first_set(price="2000"))) == (300,) * 3
    assert in_all(paid(first_set(rd="6000"))) == (900,) * 3
    assert in_all(paid(first_set(price="8000"))) == (1000,) * 3  # 1,200 without the ceiling
    both = first_set(price="2000", rd="6000")
    low, likely, high = in_all(paid(both))
    assert (low, high) == (300, 900)
    assert math.isnan(likely), "which base is taken is not said"
    assert in_all(paid(both, base="lower")) == (300,) * 3
    assert in_all(paid(both, base="higher")) == (900,) * 3
    assert in_all(paid(both, base="each")) == (1000,) * 3  # 300 and 900, together at most 1,000
    assert in_all(paid(both, base="each", cap="each_side")) == (1200,) * 3
    assert set(paid(both).lines["payer"]) == {"province"}


def test_a_base_that_is_not_known_opens_the_interval_where_the_reading_needs_it():
    assert in_all(paid(first_set(price="2000"), base="lower")) == (0, 300, 300)
    assert in_all(paid(first_set(price="2000"), base="higher")) == (300, 300, 1000)
    low, likely, high = in_all(paid(first_set(price="2000"), base="each"))
    assert (low, high) == (300, 1000)
    assert math.isnan(likely)
    assert paid(first_set(price="2000")).gaps["gap"].tolist() == ["base"]


def test_10_per_cent_at_discretion_up_to_the_ceiling():
    task = {"subject": "任务", "year": 2026, "task": "3000", "task_rd": "1000"}
    assert in_all(paid(task)) == (0, 300, 300)
    assert in_all(paid(task, discretion="refused")) == (0, 0, 300)
    assert in_all(paid(task, input="rd")) == (0, 100, 100)
    assert in_all(paid({**task, "task": "20000"})) == (0, 1000, 1000)
    assert set(paid(task).lines["payer"]) == {"unknown"}, "the clause does not say who pays"


def test_open_challenges_pay_500_or_after_a_review_1000_and_not_beside_like_support():
    project = {"subject": "项目", "year": 2026, "challenge": "30000"}
    assert in_all(paid(project)) == (0, 500, 500)
    assert in_all(paid(project, review="special")) == (0, 1000, 1000)
    assert in_all(paid({**project, "challenge": "4000"})) == (0, 400, 400)
    both = {**project, "task": "20000"}
    assert in_all(paid(both)) == (0, 1000, 1000)
    assert in_all(paid(both, alike="separate")) == (0, 1500, 1500)
    under_way = paid({**project, "alike": "是"})
    assert under_way.lines.empty
    assert codes(under_way) == ["policy.alike_under_way"]


def test_a_platform_gets_between_nothing_and_500_once_or_each_year():
    platform = {"subject": "平台", "year": 2026, "platform": "是"}
    assert by_year(paid(platform))[2026][::2] == (0, 500)
    assert math.isnan(in_all(paid(platform))[1]), "no formula is given"
    assert in_all(paid(platform, until=2028, times="yearly"))[2] == 1500


# ---- the life of rules ---------------------------------------------------------------------------------------


def ending(rule, day):
    """The shipped table with an end for one rule."""
    table = toml.table("support")
    return table | {"rule": [row | {"valid_to": day} if row["id"] == rule else row for row in table["rule"]]}


def test_an_expired_rule_pays_nothing_more_and_is_named():
    rows = [*firm({2023: 40, 2025: 60, 2027: 120}), first_set(year=2027, price="2000")]
    table = ending("18-revenue", datetime.date(2025, 12, 31))
    found = paid(*rows, table=table)
    assert by_year(found) == {2025: (200,) * 3, 2027: (300,) * 3}
    (expired,) = [one for one in found.doubts if one.code == "policy.expired"]
    assert (expired.values["year"], expired.values["end"]) == (2027, "2025-12-31")
    assert "2025-12-31" in expired.words("zh").what
    first = paid(first_set(price="2000"), table=ending("19-first", datetime.date(2026, 6, 30)))
    assert first.lines.empty
    assert codes(first) == ["policy.expired"]


def test_before_the_policy_nothing_is_paid():
    assert paid(first_set(year=2023, price="2000")).lines.empty
    assert by_year(paid(*firm({2022: 40, 2023: 60, 2024: 70}))) == {}


def test_a_rule_without_an_end_is_counted_after_its_targets_said_so_or_read_as_ended():
    rows = firm({2023: 40, 2028: 60})
    found = paid(*rows)
    assert by_year(found) == {2028: (200,) * 3}
    assert codes(found) == ["policy.no_end"]
    assert "2028" in found.doubts[0].words("zh").what
    ended = paid(*rows, life="to_2026")
    assert ended.lines.empty
    assert codes(ended) == ["policy.after_targets"]
    assert codes(paid(*firm({2023: 40, 2026: 60}))) == []


def test_the_challenge_of_2023_holds_in_2023_and_the_guide_of_2025_since():
    of_2023, now = (rules.rules(day)["challenge"] for day in (datetime.date(2023, 10, 1), DAY))
    assert "209号" in of_2023.found.life.number
    assert now.found.state == "open"
    project = {"subject": "项目", "year": 2023, "challenge": "30000"}
    assert in_all(paid(project)) == (0, 500, 500)
    assert codes(paid({**project, "year": 2024})) == ["policy.expired"], "none is known for 2024"


# ---- what is refused and doubted -----------------------------------------------------------------------------


def faults(*rows):
    return [code for code, _ in refused(entered, *rows)]


def test_a_group_s_revenue_for_a_firm_is_refused():
    assert faults(*firm({2025: 120}, scope="集团")) == ["policy.group_revenue"]
    assert faults({"subject": "华工激光", "year": 2024, "revenue": "117.09"}) == ["policy.as_large_as_group"]
    assert faults(*firm({2025: 80}, name="母"), *firm({2025: 79.5}, parent="母")) == ["policy.as_large_as_group"]
    assert len(entered({"subject": "华工激光", "year": 2024, "revenue": "35"}).rows) == 1


def test_what_is_claimed_twice_is_refused():
    claim = {"subject": "甲厂", "year": 2025, "claimed": "50"}
    assert faults(claim, {**claim, "year": 2026}) == ["policy.tier_twice"]
    assert faults(*firm({2025: 60}), *firm({2025: 61})) == ["policy.year_twice"]
    assert faults(first_set(price="100"), first_set(year=2027, rd="90")) == ["policy.product_twice"]
    task = {"subject": "任务", "year": 2026, "task": "300"}
    assert faults(task, {**task, "year": 2027}) == ["policy.project_twice"]


def test_claims_are_held_against_revenue():
    rows = firm({2023: 60, 2024: 70, 2025: 80})
    claimed = {"subject": "甲厂", "year": 2026}
    assert codes(paid(*rows, {**claimed, "claimed": "50", "passed": "60"})) == ["policy.tier_settled"]
    assert codes(paid(*rows, {**claimed, "claimed": "100"})) == ["policy.tier_not_passed"]
    assert codes(paid(*rows, {**claimed, "claimed": "70"})) == ["policy.no_tier"]


def test_money_in_another_unit_is_turned_or_refused():
    turned = entries.read("企业,年度,营业收入（万元）\n甲厂,2025,601234\n".encode(), "a.csv", NAMES)
    assert turned.rows["revenue_likely"].tolist() == [60.1234]
    assert any("万元" in note.zh for note in turned.notes)
    assert [entries.read(f"企业,年度,营业收入\n甲厂,2025,{cell}\n".encode(), "a.csv", NAMES).rows["revenue_low"][2]
            for cell in ("60亿元", "600000万元")] == [60, 60]  # fmt: skip
    assert faults(*firm({2025: 601234})) == ["sheets.no_unit"]
    assert faults(*firm({2025: "60万亿元"})) == ["policy.too_large"]
    assert faults(*firm({2025: "60美元"})) == ["sheets.unknown_unit"]
    assert faults(first_set(price="12 MVA")) == ["sheets.unknown_unit"]


def test_growth_below_nothing_is_refused_and_shrinking_is_said():
    row = {"subject": "甲厂", "year": 2025, "revenue": "60"}
    assert faults({**row, "growth": "-120"}) == ["policy.shrinks_to_nothing"]
    found = paid(*firm({2023: 40}), {**row, "growth": "-10~-5"})
    assert "policy.shrinks" in codes(found)
    assert "policy.shrinks" not in codes(paid(*firm({2023: 40}), {**row, "growth": "-10~5"}))


def test_every_odd_cell_is_named_at_once():
    rows = [
        {"subject": "", "year": "2025", "revenue": "60"},
        {"subject": "甲", "year": "", "revenue": "60-50"},
        {"subject": "乙", "year": "2025", "growth": "快", "scope": "估计", "place": "深圳", "platform": "也许"},
        {"subject": "丙", "year": "2025", "price": "-3"},
    ]
    wanted = ["no_subject", "no_year", "no_scope", "yes_or_no", "unknown_city"]
    wanted += ["range_backwards", "no_amount", "below_zero"]
    assert sorted(faults(*rows)) == sorted(f"policy.{one}" for one in wanted)
    assert [code for code, _ in refused(entries.read, "企业,营收\n甲,60\n".encode(), "a.csv", NAMES)] == [
        "world.column_required"
    ]


def test_readings_that_there_are_not_are_refused():
    assert refused(rules.chosen, {"cap": "none", "size": "large"}) == [
        ("policy.no_option", "cap"),
        ("policy.no_reading", "size"),
    ]
    assert refused(rules.known_option, "cap") == [("policy.odd_reading", "--reading")]
    assert rules.known_option("cap=each_side") == ("cap", "each_side")


# ---- tables, sums, what is shipped ---------------------------------------------------------------------------


def test_every_rule_says_what_it_takes_to_be_paid():
    known_rows = set(Layers().read("rules")["id"])
    for rule in rules.rules(DAY).values():
        assert set(rule.row["asks"]) <= known_rows, rule.id
        assert all(rule.row[key][language] for key in ("short", "name", "open") for language in ("zh", "en"))
        if rule.row["base"] != "none":
            assert sum(rule.row["pays"].values()) == 1
            assert set(rule.row["pays"]) <= set(rules.PAYERS)
            assert all(rule.row[key][language] for key in ("who", "papers") for language in ("zh", "en"))
    assert rule_life.check_tables() == []


def test_every_reading_has_its_default_and_rules_that_there_are():
    there = set(rules.rules(DAY))
    for name, reading in rules.readings().items():
        assert reading.default in reading.options, name
        assert len(reading.options) > 1
        assert set(reading.rules) <= there


def test_rules_that_were_not_found_are_listed_and_never_paid():
    missing = rules.not_found(Layers())
    assert {"RM007", "RM044", "RM046", "RM047", "RM052"} <= set(missing["id"])
    assert missing.set_index("id")["of"]["RM047"] == "17-platform"
    for rule in rules.rules(DAY).values():
        if rule.row["base"] == "none":
            assert "most_10k_yuan" not in rule.row


def test_sums_by_year_by_government_and_by_subject_agree():
    entries_ = entered(
        *firm({2023: 40, 2025: 60}), *firm({2023: 90, 2025: 120}, name="乙厂", place="鄂州"), first_set(price="2000")
    )
    found = money(entries_, on=DAY)
    layers = Layers()
    who = summary.by_government(found, layers).set_index("government_zh")["high"].to_dict()
    assert who == {"省级": 100 + 150 + 300, "武汉市": 100, "鄂州市": 150}
    years = summary.by_year(found, layers)
    assert years.groupby("year")["high"].sum().to_dict() == {2025: 500, 2026: 300}
    subjects = summary.by_subject(found, {}).set_index("subject")
    assert subjects["high"].to_dict() == {"乙厂": 300, "首台": 300, "甲厂": 200}
    assert subjects.loc["乙厂", ["province_high", "place_high"]].tolist() == [150, 150]


@pytest.mark.slow
def test_switching_a_reading_costs_what_it_changes():
    entries_ = entered(*firm({2022: 120, 2027: 205}))
    costs = summary.reading_costs(entries_, on=DAY).set_index(["reading", "option"])
    assert costs.loc[("settled", "paid_only"), "more_high"] == 500
    assert costs.loc[("life", "to_2026"), "more_high"] == -500
    assert costs.loc[("revenue", "laser"), "unknown"] == 1
    assert costs.loc[("cap", "each_side"), "more_high"] == 0
    assert costs[costs["is_taken"]]["more_high"].abs().sum() == 0


def test_shipped_firms_carry_what_is_published_and_no_more():
    shipped = known.firms(Layers())
    rows = shipped.rows.set_index(["subject", "year", "scope"])
    assert rows.loc[("F01", 2024, "consolidated"), "revenue_likely"] == 117.09
    assert rows.loc[("F01", 2024, "laser"), "revenue_likely"] == 34.92
    assert ("F31", 2024, "consolidated") not in rows.index, "no product of a laser segment"
    growth = rows.loc[("F01", 2024, "consolidated"), ["growth_low", "growth_high"]]
    assert growth.tolist() == [-14.2, 22.62], "of part of a year the longest counts"
    assert not rows.loc[("F29", 2024, "consolidated"), "is_verified"]
    found = money(shipped, on=DAY, until=2026)
    assert "F01" not in set(found.lines.loc[found.lines["year"] <= 2026, "subject"]), "settled before, 200 not in reach"


@pytest.mark.slow
def test_projects_of_a_plan_are_asked_for_challenges_alone():
    study = run("default")
    found = money(known.projects(study), on=study.day, until=2032)
    assert set(found.lines["rule"]) == {"challenge"}
    assert found.totals["low"].sum() == 0
    stated = study.projects.loc[study.plan.site >= 0, "investment_100m_yuan_likely"].notna().sum()
    assert len(found.totals) == stated
    assert found.totals["high"].max() <= 500


@pytest.mark.slow
def test_intake_reads_the_same_table():
    said = appraise.needs_table(run("default").projects.head(1), day=DAY).iloc[0]["support_zh"].split("\n")
    assert said == [one.words.zh for one in offers.offers("lasers", on=DAY)]
    assert "50、100、200亿元" in "".join(said)
    assert "揭榜挂帅" in said[-1]


def many(count):
    rng = np.random.default_rng(1)
    value = rng.lognormal(3, 1.2, 2 * count)
    rows = pd.DataFrame(
        {"subject": np.repeat([f"X{k}" for k in range(count)], 2), "year": np.tile([2023, 2024], count)}
    )
    for key in entries.AMOUNTS:
        rows[[f"{key}_{end}" for end in entries.ENDS]] = np.nan
    for times, end in ((0.9, "low"), (1.0, "likely"), (1.1, "high")):
        rows[f"revenue_{end}"], rows[f"growth_{end}"] = value * times, 10 * times
    flags = dict.fromkeys(("platform", "alike"), False)
    return entries.Entries(
        rows.assign(scope="consolidated", place="420100", parent="", source="", is_verified=True, **flags)
    )


def test_many_firms_at_once_are_paid_as_one_by_one():
    table = many(6)
    found = money(table, on=DAY)
    alone = [money(table.of({one}), on=DAY).totals for one in dict.fromkeys(table.rows["subject"])]
    together = pd.concat(alone).sort_values(["subject", "payer"]).reset_index(drop=True)
    expected = found.totals.sort_values(["subject", "payer"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(expected, together)
    with pytest.raises(InputError):
        money(table, on=DAY, choices={"cap": "?"})
